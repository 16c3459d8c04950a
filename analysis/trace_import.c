#include "trace_import.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK_ROWS = 4096 };

static int fail_at(struct import *im, const char *path, int r, const struct trace_error *e)
{
    if (r == -ENOMEM) return import_fail(im, r, "%s: not enough memory", path);
    return e->line ? import_fail(im, r, "%s:%zu: %s", path, e->line, e->text) : import_fail(im, r, "%s: %s", path, e->text);
}

/* ---- reading ---- */

static int read_inputs(struct import *im)
{
    const char *path = im->opt->in;
    struct trace_error e = {0};
    char *text;
    size_t n;
    int r = trace_read_file(path, &text, &n);
    if (r) return import_fail(im, r, "%s: %s", path, strerror(-r));
    r = trace_csv_parse(text, n, im->opt->allow_truncated, &im->table, &e);
    free(text);
    if (r) return fail_at(im, path, r, &e);
    im->ret->truncated_line = im->table.truncated_line;
    r = trace_axis_fit(&im->table, &im->axis);
    if (r == -EDOM && im->table.rows < 2)
        return import_fail(im, r, "%s:2: a single row has no sample rate: at least two are needed", path);
    if (r == -EDOM)
        return import_fail(im, r, "%s: t_s has a hole of more than 4e9 samples: check its unit, it is in seconds", path);
    if (r) return import_fail(im, r, "%s: not enough memory", path);
    if (!im->opt->marks) return 0;
    path = im->opt->marks;
    r = trace_read_file(path, &text, &n);
    if (r) return import_fail(im, r, "%s: %s", path, strerror(-r));
    r = trace_marks_parse(text, n, &im->mark, &im->marks, &e);
    free(text);
    return r ? fail_at(im, path, r, &e) : 0;
}

/* ---- records: to the archive, and to the core ---- */

static void put(struct import *im, enum record_type type, unsigned plate, uint64_t sample, double t_s, const void *payload,
                size_t size)
{
    struct record_header h = {.magic = RECORD_MAGIC,
                              .type = (uint16_t)type,
                              .plate = (uint16_t)plate,
                              .size = (uint32_t)size,
                              .lsn = im->lsn++,
                              .sample = sample,
                              .t_s = t_s};
    if (!im->write_error) im->write_error = archive_write(im->writer, &h, payload, &im->archive_error);
}

static void put_session(struct import *im, const char *key, const char *value, double t_s, uint64_t sample)
{
    struct record_session s = {.t_s = t_s, .sample = sample};
    if (!value || !*value) return;
    snprintf(s.key, sizeof s.key, "%s", key);
    snprintf(s.value, sizeof s.value, "%s", value);
    put(im, RECORD_SESSION, 0, sample, t_s, &s, sizeof s);
}

static void on_event(void *user, const struct plate_event *e)
{
    struct import *im = user;
    struct record_session entry;
    struct record_header h;
    const void *payload;
    if (record_of_event(e, &h, &payload)) put(im, (enum record_type)h.type, 0, h.sample, h.t_s, payload, h.size);
    im->ret->reps += e->type == PLATE_EVENT_REP;
    if (e->type != PLATE_EVENT_CORRECTION) return;
    record_session_correction(&e->u.correction, "", &entry);
    put_session(im, entry.key, entry.value, e->t_s, plate_station_next_sample(im->station, 0));
}

/* The detector takes a name that it does not know as `generic`: misspelt, that is not what was meant. */
static void warn_unknown_exercise(struct import *im, const char *where, const char *name)
{
    char known[256] = "";
    if (!*name) return;
    for (unsigned i = 0; plate_rep_exercise_name(i); i++) {
        if (strcmp(plate_rep_exercise_name(i), name) == 0) return;
        size_t n = strlen(known);
        snprintf(known + n, sizeof known - n, "%s%s", i > 0 ? ", " : "", plate_rep_exercise_name(i));
    }
    import_warn(im, "%s: exercise \"%s\" is not known, and taken as generic; known are %s", where, name, known);
}

static void put_session_start(struct import *im)
{
    const struct config *c = &im->config;
    double t_s = im->table.t_s[0];
    char number[32];
    put_session(im, "subject", c->subject, t_s, 0);
    if (im->opt->config || im->opt->exercise) /* else nobody said */
        put_session(im, "exercise", im->opt->config ? c->exercise : im->opt->exercise, t_s, 0);
    if (im->opt->exercise) warn_unknown_exercise(im, "--exercise", im->opt->exercise);
    if (im->opt->config) warn_unknown_exercise(im, im->opt->config, c->exercise);
    put_session(im, "protocol", c->protocol, t_s, 0);
    if (c->body_mass_kg > 0) {
        snprintf(number, sizeof number, "%g", c->body_mass_kg);
        put_session(im, "body_mass_kg", number, t_s, 0);
    }
    if (c->load_kg > 0) {
        snprintf(number, sizeof number, "%g", c->load_kg);
        put_session(im, "load_kg", number, t_s, 0);
    }
}

static int hand_in_mark(struct import *im, const struct plate_mark *mark, uint64_t sample)
{
    const char *key = record_session_key(mark->kind);
    struct plate_mark m = *mark;
    m.sample = sample;
    if (plate_station_mark(im->station, &m))
        return import_fail(im, -EINVAL, "%s: %s \"%s\" makes no sense: correct it",
                           im->opt->marks ? im->opt->marks : "--exercise", m.kind, m.value);
    put(im, RECORD_MARK, 0, sample, m.t_s, &m, sizeof m);
    if (key) put_session(im, key, m.value, m.t_s, sample);
    return 0;
}

static int put_block(struct import *im, size_t row, size_t n, int32_t *counts)
{
    uint64_t sample = im->axis.sample[row];
    for (unsigned p = 0; p < im->recording.plates; p++) {
        unsigned cells = im->recording.plate[p].cells;
        int32_t *at = counts;
        for (size_t i = row; i < row + n; i++)
            for (unsigned c = 0; c < cells; c++)
                *at++ = (int32_t)llround(im->table.value[i * im->table.columns + im->column[p][c]] * im->to_count[p]);
        put(im, RECORD_BLOCK, p, sample, 0, counts, n * cells * sizeof *counts);
        int r = plate_station_samples(im->station, p, sample, counts, n);
        if (r)
            return import_fail(im, r, "%s: sample %llu was refused (%s)", im->opt->in, (unsigned long long)sample,
                               strerror(-r));
    }
    return 0;
}

static int put_gap_and_knot(struct import *im, size_t row, size_t *knot)
{
    uint64_t sample = im->axis.sample[row], next = row ? im->axis.sample[row - 1] + 1 : sample;
    const struct plate_gap gap = {.sample = next, .count = sample - next, .reason = PLATE_GAP_TIME, .estimated = true};
    bool bends = *knot < im->axis.knots && im->axis.knot[*knot].sample == sample;
    int r = 0;
    for (unsigned p = 0; p < im->recording.plates; p++) {
        if (gap.count) {
            put(im, RECORD_GAP, p, gap.sample, 0, &gap, sizeof gap);
            r = plate_station_gap(im->station, p, &gap);
        }
        if (!r && bends) {
            const struct plate_clock *k = &im->axis.knot[*knot];
            put(im, RECORD_CLOCK, p, k->sample, 0, k, sizeof *k);
            r = plate_station_clock(im->station, p, k);
        }
        if (r) return import_fail(im, r, "%s: the time axis was refused at t_s = %g", im->opt->in, im->table.t_s[row]);
    }
    if (gap.count) im->ret->missing += gap.count;
    *knot += bends;
    return 0;
}

static int put_calibrations(struct import *im)
{
    for (unsigned p = 0; p < im->recording.plates; p++) {
        struct record_calibration c = {
            .calibration = im->calibration[p], .utc_ns = im->recording.created_utc_ns, .who = "plate-trace import"};
        snprintf(c.why, sizeof c.why, "%s", im->opt->config ? "from the configuration" : "from the columns' units and scales");
        put(im, RECORD_CALIBRATION, p, 0, 0, &c, sizeof c);
        int r = plate_station_calibration(im->station, p, &c.calibration);
        if (r)
            return import_fail(im, r, "%s: the calibration of plate %s was refused", im->opt->in, im->recording.plate[p].name);
    }
    return 0;
}

/* The rows that belong to one stretch: up to the next gap, knot or mark, or a block's worth; with several plates a tenth
 * of a second, because the station merges what they say by time. */
static size_t stretch(const struct import *im, size_t row, size_t knot, size_t mark)
{
    size_t most = im->recording.plates == 1 ? BLOCK_ROWS : (size_t)fmin(BLOCK_ROWS, fmax(1, 0.1 * im->axis.rate_Hz));
    size_t end = row + 1;
    uint64_t bend = knot < im->axis.knots ? im->axis.knot[knot].sample : UINT64_MAX;
    double mark_s = mark < im->marks ? im->mark[mark].t_s : INFINITY;
    while (end < im->table.rows && end - row < most && im->axis.sample[end] == im->axis.sample[end - 1] + 1 &&
           im->axis.sample[end] < bend && im->table.t_s[end] < mark_s)
        end++;
    return end - row;
}

static int put_everything(struct import *im, int32_t *counts)
{
    size_t knot = 0, mark = 0;
    put_session_start(im);
    int r = put_calibrations(im);
    if (!r && im->opt->config && im->opt->exercise) {
        struct plate_mark m = {.t_s = im->table.t_s[0], .kind = "exercise"};
        snprintf(m.value, sizeof m.value, "%s", im->opt->exercise);
        r = hand_in_mark(im, &m, 0);
    }
    for (size_t row = 0; !r && row < im->table.rows && !im->write_error;) {
        for (; !r && mark < im->marks && im->mark[mark].t_s <= im->table.t_s[row]; mark++) {
            if (strcmp(im->mark[mark].kind, "exercise") == 0) warn_unknown_exercise(im, im->opt->marks, im->mark[mark].value);
            r = hand_in_mark(im, &im->mark[mark], im->axis.sample[row]);
        }
        if (!r) r = put_gap_and_knot(im, row, &knot);
        size_t n = stretch(im, row, knot, mark);
        if (!r) r = put_block(im, row, n, counts);
        row += n;
    }
    uint64_t span = im->axis.sample[im->table.rows - 1] + 1, spans[PLATE_MAX_PLATES];
    while (!r && mark < im->marks) r = hand_in_mark(im, &im->mark[mark++], span);
    if (r) return r;
    plate_station_finish(im->station);
    for (unsigned p = 0; p < im->recording.plates; p++) spans[p] = span;
    put(im, RECORD_END, 0, 0, 0, spans, im->recording.plates * sizeof *spans);
    return im->write_error ? import_fail(im, im->write_error, "%s: %s", im->opt->out, im->archive_error.text) : 0;
}

static int write_archive(struct import *im)
{
    snprintf(im->tmp, sizeof im->tmp, "%s.tmp", im->opt->out);
    int r = archive_create(im->tmp, ARCHIVE_SEALED, &im->recording, &im->writer, &im->archive_error);
    if (r) {
        if (r != -EBUSY) unlink(im->tmp);
        return import_fail(im, r, "%s", im->archive_error.text);
    }
    const struct plate_station_sink sink = {.event = on_event, .user = im};
    int32_t *counts = malloc(BLOCK_ROWS * PLATE_MAX_CELLS * sizeof *counts);
    im->station = plate_station_new(&im->station_config, &sink);
    if (!counts)
        r = import_fail(im, -ENOMEM, "not enough memory");
    else if (!im->station)
        r = import_fail(im, -errno, "%s: the detector cannot work on this (%.6g Hz): %s", im->opt->in, im->axis.rate_Hz,
                        strerror(errno));
    if (!r) r = put_everything(im, counts);
    plate_station_free(im->station);
    free(counts);
    int closed = archive_close(im->writer, &im->archive_error);
    if (!r && closed) r = import_fail(im, closed, "%s: %s", im->opt->out, im->archive_error.text);
    if (!r && (r = archive_put_in_place(im->tmp, im->opt->out, NULL, &im->archive_error)))
        import_fail(im, r, "%s", im->archive_error.text);
    unlink(im->tmp);
    return r;
}

int trace_import(const struct trace_import *opt, struct trace_import_result *ret, char *ret_error, size_t error_size)
{
    struct import *im = calloc(1, sizeof *im);
    *ret = (struct trace_import_result){0};
    if (!im) {
        snprintf(ret_error, error_size, "not enough memory");
        return -ENOMEM;
    }
    im->opt = opt;
    im->ret = ret;
    im->error = ret_error;
    im->error_size = error_size;
    int r = 0;
    if (strlen(opt->out) + sizeof ".tmp" > sizeof im->tmp)
        r = import_fail(im, -ENAMETOOLONG, "%s: the path is too long", opt->out);
    if (!r && !opt->force && !access(opt->out, F_OK))
        r = import_fail(im, -EEXIST, "%s: exists: choose another name, or overwrite it with --force", opt->out);
    if (!r) r = read_inputs(im);
    if (!r) r = import_columns(im);
    if (!r) r = write_archive(im);
    ret->samples = im->table.rows;
    ret->plates = im->recording.plates;
    trace_table_done(&im->table);
    trace_axis_done(&im->axis);
    free(im->mark);
    config_done(&im->config);
    recording_done(&im->recording);
    free(im);
    return r;
}
