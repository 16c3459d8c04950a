/* The offline twin of the engine: feeds a recording to the same core, in the order of its sample numbers. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "config.h"
#include "trace.h"

/* How much of one plate is handed in before the others get their turn. */
#define TURN_S 0.1
enum { ROWS = 4096 };

struct cursor {
    unsigned cells;
    struct archive_knot *knot;
    size_t knots, next_knot;
    struct archive_gap *gap;
    size_t gaps, next_gap;
    uint64_t row, rows;
    uint64_t turn; /* rows a turn */
};
struct replay {
    struct archive_reader *archive;
    const struct recording *recording;
    struct plate_station *station;
    struct cursor plate[PLATE_MAX_PLATES];
    struct archive_calibration *calibration;
    size_t calibrations;
    bool *calibration_done;
    struct plate_mark *mark;
    size_t marks, sealed_marks; /* sealed: those that were said while it was recorded */
    bool *mark_done;
    char *error;
    size_t error_size;
    int32_t counts[ROWS * PLATE_MAX_CELLS];
};

static int fail(struct replay *r, int error, const char *what)
{
    snprintf(r->error, r->error_size, "%s", what);
    return error;
}

static int load(struct replay *r)
{
    struct archive_error why = {"its tables cannot be read"};
    int e = archive_calibrations(r->archive, &r->calibration, &r->calibrations, &why);
    if (e == 0) e = archive_marks(r->archive, &r->mark, &r->marks, &why);
    struct archive_info info;
    archive_info(r->archive, &info);
    r->sealed_marks = info.sealed ? (size_t)info.sealed_rows[PLATE_EVENT_MARK] : r->marks;
    if (r->sealed_marks > r->marks) return fail(r, -EBADMSG, "it has fewer marks than were sealed");
    if (e == 0 && !(r->mark_done = calloc(r->marks + 1, sizeof *r->mark_done))) e = -ENOMEM;
    if (e == 0 && !(r->calibration_done = calloc(r->calibrations + 1, sizeof *r->calibration_done))) e = -ENOMEM;
    for (unsigned i = 0; e == 0 && i < r->recording->plates; i++) {
        struct cursor *c = &r->plate[i];
        c->cells = archive_cells(r->archive, i, 0);
        c->rows = archive_rows(r->archive, i);
        c->turn = (uint64_t)fmin(ROWS, fmax(1, TURN_S * r->recording->plate[i].rate_Hz));
        e = archive_clock(r->archive, i, &c->knot, &c->knots, &why);
        if (e == 0) e = archive_gaps(r->archive, i, &c->gap, &c->gaps, &why);
        if (e == 0 && c->rows > 0 && c->knots == 0) return fail(r, -EBADMSG, "a plate has samples but no clock");
    }
    return e == 0 ? 0 : fail(r, e, why.text);
}

static void unload(struct replay *r)
{
    for (unsigned i = 0; i < PLATE_MAX_PLATES; i++) {
        free(r->plate[i].knot);
        free(r->plate[i].gap);
    }
    free(r->calibration);
    free(r->mark);
    free(r->mark_done);
    free(r->calibration_done);
    plate_station_free(r->station);
}

/* The time of the plate's next sample; INFINITY at its end. */
static double next_s(const struct replay *r, unsigned plate)
{
    const struct cursor *c = &r->plate[plate];
    if (c->row >= c->rows) return INFINITY;
    return plate_clock_t_s(&c->knot[c->next_knot ? c->next_knot - 1 : 0].clock, plate_station_next_sample(r->station, plate));
}

/* Everything that starts at or before the plate's next sample. */
static int hand_in_changes(struct replay *r, unsigned plate)
{
    struct cursor *c = &r->plate[plate];
    int e = 0;
    for (;;) {
        uint64_t sample = plate_station_next_sample(r->station, plate);
        if (c->next_knot < c->knots && c->knot[c->next_knot].clock.sample <= sample)
            e = plate_station_clock(r->station, plate, &c->knot[c->next_knot++].clock);
        else if (c->next_gap < c->gaps && c->gap[c->next_gap].row <= c->row)
            e = plate_station_gap(r->station, plate, &c->gap[c->next_gap++].gap);
        else
            break;
        if (e) return fail(r, e, "its clock or its gaps are out of order");
    }
    uint64_t sample = plate_station_next_sample(r->station, plate);
    for (size_t i = 0; i < r->calibrations; i++) {
        const struct archive_calibration *k = &r->calibration[i];
        if (k->plate != plate || k->sample > sample || r->calibration_done[i]) continue;
        if ((e = plate_station_calibration(r->station, plate, &k->record.calibration)) != 0)
            return fail(r, e, "a calibration makes no sense");
        c->cells = k->record.calibration.cells;
        r->calibration_done[i] = true;
    }
    return 0;
}

static bool corrects(const struct plate_mark *m) { return strcmp(m->kind, "correct") == 0; }

/* Those that are not to be handed in, or not yet. */
static void set_marks_aside(struct replay *r, enum trace_truth truth)
{
    for (size_t i = 0; i < r->marks; i++)
        r->mark_done[i] = i >= r->sealed_marks || (truth == TRACE_AS_RECORDED && corrects(&r->mark[i]));
}

static int hand_in_corrections(struct replay *r)
{
    for (size_t i = r->sealed_marks; i < r->marks; i++)
        if (corrects(&r->mark[i]) && plate_station_mark(r->station, &r->mark[i]) != 0)
            return fail(r, -EBADMSG, "a correction makes no sense");
    return 0;
}

static int hand_in_marks(struct replay *r, unsigned plate, double until_s)
{
    uint64_t sample = plate_station_next_sample(r->station, plate);
    for (size_t i = 0; i < r->marks; i++) {
        const struct plate_mark *m = &r->mark[i];
        if (r->mark_done[i]) continue;
        bool resume = strcmp(m->kind, "resume") == 0;
        if (resume ? strcmp(m->plate, r->recording->plate[plate].name) != 0 || m->sample > sample : m->t_s > until_s) continue;
        r->mark_done[i] = true;
        if (plate_station_mark(r->station, m) != 0) return fail(r, -EBADMSG, "a mark makes no sense");
    }
    return 0;
}

static uint64_t turn_rows(const struct replay *r, unsigned plate)
{
    const struct cursor *c = &r->plate[plate];
    uint64_t sample = plate_station_next_sample(r->station, plate), n = c->rows - c->row < c->turn ? c->rows - c->row : c->turn;
    if (c->next_gap < c->gaps && c->gap[c->next_gap].row - c->row < n) n = c->gap[c->next_gap].row - c->row;
    if (c->next_knot < c->knots && c->knot[c->next_knot].clock.sample - sample < n)
        n = c->knot[c->next_knot].clock.sample - sample;
    for (size_t i = 0; i < r->calibrations; i++) {
        const struct archive_calibration *k = &r->calibration[i];
        if (k->plate == plate && k->sample > sample && k->sample - sample < n) n = k->sample - sample;
    }
    for (size_t i = 0; i < r->marks; i++) {
        const struct plate_mark *m = &r->mark[i];
        if (r->mark_done[i] || strcmp(m->kind, "resume") != 0 || strcmp(m->plate, r->recording->plate[plate].name) != 0)
            continue;
        if (m->sample > sample && m->sample - sample < n) n = m->sample - sample;
    }
    return n;
}

/* As the plate has sent them: as many to a row as the calibration in force is of. */
static int read_counts(struct replay *r, unsigned plate, size_t n)
{
    struct archive_error why;
    const struct cursor *c = &r->plate[plate];
    const unsigned read = r->recording->plate[plate].cells;
    const int e = archive_counts(r->archive, plate, c->row, n, r->counts, &why);
    if (e) return fail(r, e, why.text);
    if (archive_cells(r->archive, plate, c->row) != c->cells || archive_cells(r->archive, plate, c->row + n - 1) != c->cells)
        return fail(r, -EBADMSG, "a plate's calibration is of other cells than its samples");
    for (size_t i = 1; i < n && c->cells < read; i++)
        memmove(r->counts + i * c->cells, r->counts + i * read, c->cells * sizeof *r->counts);
    return 0;
}

static int feed(struct replay *r)
{
    for (unsigned i = 0; i < r->recording->plates; i++) {
        int e = r->plate[i].rows ? hand_in_changes(r, i) : 0;
        if (e) return e;
    }
    for (;;) {
        unsigned plate = 0;
        for (unsigned i = 1; i < r->recording->plates; i++)
            if (next_s(r, i) < next_s(r, plate)) plate = i;
        struct cursor *c = &r->plate[plate];
        if (isinf(next_s(r, plate))) return 0;
        int e = hand_in_changes(r, plate);
        if (e) return e;
        uint64_t n = turn_rows(r, plate), first = plate_station_next_sample(r->station, plate);
        if ((e = hand_in_marks(r, plate, plate_clock_t_s(&c->knot[c->next_knot - 1].clock, first + n - 1))) != 0) return e;
        if ((e = read_counts(r, plate, n)) != 0) return e;
        if ((e = plate_station_samples(r->station, plate, first, r->counts, n)) != 0)
            return fail(r, e, "its samples are out of order");
        c->row += n;
    }
}

int trace_station_config(const struct archive_reader *a, struct plate_station_config *ret, char *ret_error, size_t error_size)
{
    const struct recording *rec = archive_recording(a);
    struct config config;
    struct config_error why;
    int e = config_parse(rec->config, strlen(rec->config), "@config", &config, &why);
    if (e) {
        snprintf(ret_error, error_size, "%s", why.text);
        return e;
    }
    config_station(&config, ret);
    config_done(&config);
    return 0;
}

int trace_replay(struct archive_reader *a, enum trace_truth truth, const struct plate_station_sink *sink,
                 int (*at)(void *user, struct plate_station *s, enum trace_point point), char *ret_error, size_t error_size)
{
    struct plate_station_config cfg;
    int e = trace_station_config(a, &cfg, ret_error, error_size);
    struct replay *r = e == 0 ? calloc(1, sizeof *r) : NULL;
    if (!r) return e ? e : -ENOMEM;
    *r = (struct replay){.archive = a, .recording = archive_recording(a), .error = ret_error, .error_size = error_size};
    if (cfg.plates != r->recording->plates)
        e = fail(r, -EBADMSG, "@config has other plates than the recording");
    else if (!(r->station = plate_station_new(&cfg, sink)))
        e = fail(r, -errno, "@config makes no station");
    if (e == 0) e = load(r);
    if (e == 0) set_marks_aside(r, truth);
    if (e == 0) e = feed(r);
    if (e == 0) e = hand_in_marks(r, 0, INFINITY);
    if (e == 0) plate_station_finish(r->station);
    if (e == 0 && at) e = at(sink->user, r->station, TRACE_RECORDED);
    if (e == 0 && truth == TRACE_CORRECTED) e = hand_in_corrections(r);
    if (e == 0 && at) e = at(sink->user, r->station, TRACE_ALL);
    unload(r);
    free(r);
    return e;
}
