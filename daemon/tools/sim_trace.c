#include "sim_trace.h"
#include "sim_protocol.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 4096 };

/* Where a plate's recording has come to. */
struct cursor {
    struct archive_knot *knot;
    struct archive_gap *gap;
    size_t knots, gaps, next_knot, next_gap;
    uint64_t row, rows, missing;
    uint64_t loaded, loads; /* the rows of counts that are in memory */
    int32_t *counts;
    double t_s; /* of its next sample; INFINITY at the end */
};
struct sim_trace {
    struct archive_reader *reader;
    const struct recording *recording;
    struct cursor plate[PLATE_MAX_PLATES];
    unsigned next; /* the plate whose sample is next */
    double first_s, end_s;
    struct archive_error error; /* of reading, once it failed */
};

static uint64_t sample_of(const struct cursor *c) { return c->row + c->missing; }

/* The plate's next sample is brought in: its number, its time, its counts. */
static void look(struct sim_trace *t, unsigned plate)
{
    struct cursor *c = &t->plate[plate];
    c->t_s = INFINITY;
    if (c->row == c->rows) return;
    for (; c->next_gap < c->gaps && c->gap[c->next_gap].row <= c->row; c->next_gap++)
        c->missing += c->gap[c->next_gap].gap.count;
    while (c->next_knot + 1 < c->knots && c->knot[c->next_knot + 1].clock.sample <= sample_of(c)) c->next_knot++;
    if (c->row < c->loaded || c->row >= c->loaded + c->loads) {
        c->loaded = c->row;
        c->loads = c->rows - c->row < ROWS ? c->rows - c->row : ROWS;
        if (archive_counts(t->reader, plate, c->row, c->loads, c->counts, &t->error) < 0) return;
    }
    c->t_s = plate_clock_t_s(&c->knot[c->next_knot].clock, sample_of(c));
}

static void choose(struct sim_trace *t)
{
    t->next = 0;
    for (unsigned i = 1; i < t->recording->plates; i++)
        if (t->plate[i].t_s < t->plate[t->next].t_s) t->next = i;
}

void sim_trace_rewind(struct sim_trace *t)
{
    for (unsigned i = 0; i < t->recording->plates; i++) {
        struct cursor *c = &t->plate[i];
        c->row = c->missing = c->next_knot = c->next_gap = c->loads = 0;
        look(t, i);
    }
    choose(t);
}

static int load(struct sim_trace *t)
{
    int rc = 0;
    if (archive_reshaped(t->reader)) {
        strcpy(t->error.text, "a plate changes its number of cells, and no board does");
        return -EINVAL;
    }
    for (unsigned i = 0; i < t->recording->plates && rc == 0; i++) {
        struct cursor *c = &t->plate[i];
        c->rows = archive_rows(t->reader, i);
        c->counts = malloc(ROWS * PLATE_MAX_CELLS * sizeof *c->counts);
        rc = c->counts ? archive_clock(t->reader, i, &c->knot, &c->knots, &t->error) : -ENOMEM;
        if (rc == 0) rc = archive_gaps(t->reader, i, &c->gap, &c->gaps, &t->error);
        if (rc == 0 && c->rows && !c->knots) {
            snprintf(t->error.text, sizeof t->error.text, "plate %s has no times: see plate-trace verify",
                     t->recording->plate[i].name);
            rc = -EPROTO;
        }
        if (rc == 0 && c->rows) t->end_s = fmax(t->end_s, plate_clock_t_s(&c->knot[c->knots - 1].clock, sim_trace_span(t, i)));
    }
    return rc;
}

int sim_trace_open(const char *path, struct sim_trace **ret, struct archive_error *ret_error)
{
    struct sim_trace *t = calloc(1, sizeof *t);
    if (!t) return snprintf(ret_error->text, sizeof ret_error->text, "%.200s: not enough memory", path), -ENOMEM;
    int rc = archive_open(path, &t->reader, ret_error);
    if (rc == 0) {
        t->recording = archive_recording(t->reader);
        t->end_s = -INFINITY;
        rc = load(t);
        if (rc == 0) {
            sim_trace_rewind(t);
            t->first_s = t->plate[t->next].t_s;
        }
        if (rc == 0 && isinf(t->first_s) && !*t->error.text) {
            strcpy(t->error.text, "there are no samples in it");
            rc = -ENODATA;
        }
        if (rc == 0 && *t->error.text) rc = -EIO;
        if (rc)
            snprintf(ret_error->text, sizeof ret_error->text, "%.120s: %.120s", path,
                     *t->error.text ? t->error.text : strerror(-rc));
    }
    if (rc) {
        sim_trace_close(t);
        return rc;
    }
    *ret = t;
    return 0;
}

void sim_trace_close(struct sim_trace *t)
{
    if (!t) return;
    for (unsigned i = 0; i < PLATE_MAX_PLATES; i++) {
        free(t->plate[i].knot);
        free(t->plate[i].gap);
        free(t->plate[i].counts);
    }
    archive_reader_close(t->reader);
    free(t);
}

const struct recording *sim_trace_recording(const struct sim_trace *t) { return t->recording; }
double sim_trace_duration_s(const struct sim_trace *t) { return t->end_s - t->first_s; }
unsigned sim_trace_plate(const struct sim_trace *t) { return t->next; }
double sim_trace_t_s(const struct sim_trace *t) { return t->plate[t->next].t_s - t->first_s; }
uint64_t sim_trace_sample(const struct sim_trace *t) { return sample_of(&t->plate[t->next]); }

uint64_t sim_trace_span(const struct sim_trace *t, unsigned plate)
{
    const struct cursor *c = &t->plate[plate];
    uint64_t span = c->rows;
    for (size_t i = 0; i < c->gaps; i++) span += c->gap[i].gap.count;
    return span;
}

uint64_t sim_trace_missing(const struct sim_trace *t)
{
    uint64_t missing = 0;
    for (unsigned i = 0; i < t->recording->plates; i++) missing += sim_trace_span(t, i) - t->plate[i].rows;
    return missing;
}

bool sim_trace_more(const struct sim_trace *t, struct archive_error *ret_error)
{
    if (*t->error.text) *ret_error = t->error;
    return !*t->error.text && !isinf(t->plate[t->next].t_s);
}

const int32_t *sim_trace_counts(const struct sim_trace *t)
{
    const struct cursor *c = &t->plate[t->next];
    return c->counts + (c->row - c->loaded) * t->recording->plate[t->next].cells;
}

void sim_trace_advance(struct sim_trace *t)
{
    t->plate[t->next].row++;
    look(t, t->next);
    choose(t);
}

/* A key of a plate that the port and what comes out of it bring anew. */
static bool replaced(const char *key)
{
    static const char *const keys[] = {"port:", "baud:", "decoder:", "count_scale:", "csv:", NULL};
    for (size_t i = 0; keys[i]; i++)
        if (strncmp(key, keys[i], strlen(keys[i])) == 0) return true;
    return false;
}

void sim_trace_print_plates(const struct sim_trace *t, const struct sim_protocol *protocol,
                            const char *(*link)(void *user, unsigned plate), void *user)
{
    const char *line = strstr(t->recording->config, "\nplates:\n");
    size_t left_out = 0; /* the indentation of a block that is passed over; 0: none */
    unsigned plate = 0;
    for (line = line ? line + 1 : ""; *line;) {
        const size_t n = strcspn(line, "\n"), key = strspn(line, " -");
        if (left_out && key <= left_out) left_out = 0;
        if (!left_out && key == strlen("    ") && replaced(line + key)) {
            if (strncmp(line + key, "port:", 5) == 0 && plate < t->recording->plates) {
                printf("    port: \"%s\"\n    baud: %u\n    decoder: %s\n", link(user, plate), protocol->baud, protocol->name);
                if (!protocol->cells) printf("    count_scale: %.17g\n", t->recording->plate[plate].count_scale);
                fputs(protocol->config, stdout);
                plate++;
            }
            left_out = key;
        } else if (!left_out) {
            printf("%.*s\n", (int)n, line);
        }
        line += n + (line[n] == '\n');
    }
}
