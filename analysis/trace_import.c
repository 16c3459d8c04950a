#include "config.h"
#include "trace.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK_ROWS = 4096, MAX_DECIMALS = 6, MAX_PATH = 4096 };

struct import {
    const struct trace_import *opt;
    struct trace_import_result *ret;
    char *error; /* of the caller; `fail` writes it */
    size_t error_size;
    unsigned warnings;
    struct trace_table table;
    struct trace_axis axis;
    struct plate_mark *mark;
    size_t marks;
    struct config config;
    struct plate_station_config station_config;
    struct recording recording;
    struct plate_calibration calibration[PLATE_MAX_PLATES];
    double to_count[PLATE_MAX_PLATES];                  /* a value of the file times this is what is stored */
    unsigned column[PLATE_MAX_PLATES][PLATE_MAX_CELLS]; /* of the table, by plate and cell */
    double scale[TRACE_MAX_COLUMNS];                    /* --scale by column; NaN: not given */
    char tmp[MAX_PATH];
    struct archive_writer *writer;
    struct plate_station *station;
    uint64_t lsn;
    int write_error; /* the first, from within the station's events */
    struct archive_error archive_error;
};

__attribute__((format(printf, 3, 4))) static int fail(struct import *im, int error, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(im->error, im->error_size, format, ap);
    va_end(ap);
    return error;
}

__attribute__((format(printf, 2, 3))) static void warn(struct import *im, const char *format, ...)
{
    size_t most = sizeof im->ret->warning / sizeof *im->ret->warning;
    if (im->warnings == most) return;
    va_list ap;
    va_start(ap, format);
    vsnprintf(im->ret->warning[im->warnings++], sizeof *im->ret->warning, format, ap);
    va_end(ap);
}

static int fail_at(struct import *im, const char *path, int r, const struct trace_error *e)
{
    if (r == -ENOMEM) return fail(im, r, "%s: not enough memory", path);
    return e->line ? fail(im, r, "%s:%zu: %s", path, e->line, e->text) : fail(im, r, "%s: %s", path, e->text);
}

/* ---- reading ---- */

static int read_inputs(struct import *im)
{
    const char *path = im->opt->in;
    struct trace_error e = {0};
    char *text;
    size_t n;
    int r = trace_read_file(path, &text, &n);
    if (r) return fail(im, r, "%s: %s", path, strerror(-r));
    r = trace_csv_parse(text, n, im->opt->allow_truncated, &im->table, &e);
    free(text);
    if (r) return fail_at(im, path, r, &e);
    im->ret->truncated_line = im->table.truncated_line;
    r = trace_axis_fit(&im->table, &im->axis);
    if (r == -EDOM && im->table.rows < 2)
        return fail(im, r, "%s:2: a single row has no sample rate: at least two are needed", path);
    if (r == -EDOM) return fail(im, r, "%s: t_s has a hole of more than 4e9 samples: check its unit, it is in seconds", path);
    if (r) return fail(im, r, "%s: not enough memory", path);
    if (!im->opt->marks) return 0;
    path = im->opt->marks;
    r = trace_read_file(path, &text, &n);
    if (r) return fail(im, r, "%s: %s", path, strerror(-r));
    r = trace_marks_parse(text, n, &im->mark, &im->marks, &e);
    free(text);
    return r ? fail_at(im, path, r, &e) : 0;
}

static bool names_column(const struct trace_column *c, const char *name)
{
    size_t n = strlen(name);
    return !strcmp(c->header, name) || (c->counts && strlen(c->header) == n + 7 && !memcmp(c->header, name, n));
}

static int read_scales(struct import *im)
{
    for (unsigned i = 0; i < im->table.columns; i++) im->scale[i] = NAN;
    for (unsigned k = 0; k < im->opt->scales; k++) {
        const struct trace_scale *s = &im->opt->scale[k];
        unsigned i = 0;
        while (i < im->table.columns && !names_column(&im->table.column[i], s->column)) i++;
        if (i == im->table.columns) return fail(im, -EINVAL, "--scale %s: %s has no such column", s->column, im->opt->in);
        if (!im->table.column[i].counts)
            return fail(im, -EINVAL, "--scale %s: the column is in newtons already: call it NAME_counts if it is not",
                        s->column);
        im->scale[i] = s->N_per_count;
    }
    return 0;
}

/* ---- the configuration: read, or made from the columns ---- */

static unsigned plate_columns(const struct import *im, const char *plate, unsigned ret[PLATE_MAX_CELLS])
{
    unsigned n = 0;
    for (unsigned i = 0; i < im->table.columns; i++)
        if (!strcmp(im->table.column[i].plate, plate)) ret[n++] = i;
    return n;
}

static bool are_corners(const struct import *im, const unsigned *column, unsigned n)
{
    static const char *const corner[] = {"front_left", "front_right", "back_left", "back_right"};
    unsigned found = 0;
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < 4; k++) found += !strcmp(im->table.column[column[i]].cell, corner[k]);
    return n == 4 && found == 4; /* names are unique */
}

/* As many decimals as the columns have, as far as the counts then fit 32 bits. */
static int plate_decimals(const struct import *im, const unsigned *column, unsigned n, double *ret_highest, int *ret_wanted)
{
    int wanted = 0, d;
    double highest = 0;
    for (unsigned i = 0; i < n; i++) {
        const struct trace_column *c = &im->table.column[column[i]];
        if (c->decimals > wanted) wanted = c->decimals;
        if (c->highest > highest) highest = c->highest;
    }
    for (d = wanted < MAX_DECIMALS ? wanted : MAX_DECIMALS; d > 0 && highest * pow(10, d) > INT32_MAX; d--) {
    }
    *ret_highest = highest;
    *ret_wanted = wanted;
    return d;
}

static int set_decimals(struct import *im, unsigned plate, const char *name, const unsigned *column, unsigned n)
{
    double highest;
    int wanted, d = plate_decimals(im, column, n, &highest, &wanted);
    if (highest > INT32_MAX)
        return fail(im, -ERANGE, "%s: plate %s has values above %d: they do not fit the archive's 32-bit counts", im->opt->in,
                    name, INT32_MAX);
    if (d < wanted) warn(im, "%s: plate %s: values are rounded to %d decimals", im->opt->in, name, d);
    im->to_count[plate] = pow(10, d);
    return 0;
}

static void write_plate(struct import *im, FILE *f, unsigned plate, const char *name, const unsigned *column, unsigned n)
{
    bool sided = !strcmp(name, "left") || !strcmp(name, "right"), corners = are_corners(im, column, n);
    fprintf(f,
            "  - name: \"%s\"\n    side: %s\n    port: \"import %s\"\n    decoder: csv\n    rate_Hz: %.6g\n    count_scale: "
            "%.17g\n",
            name, sided ? name : "none", name, im->axis.rate_Hz, 1 / im->to_count[plate]);
    if (corners) fprintf(f, "    width_mm: %.17g\n    length_mm: %.17g\n", im->opt->width_mm, im->opt->length_mm);
    fprintf(f, "    cells:\n");
    for (unsigned i = 0; i < n; i++) {
        double gain = isnan(im->scale[column[i]]) ? 1 : im->scale[column[i]];
        fprintf(f, "      - {name: \"%s\", gain: %.17g}\n", im->table.column[column[i]].cell, gain);
    }
}

static void write_quoted(FILE *f, const char *text)
{
    putc('"', f);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') putc('\\', f);
        putc(*text, f);
    }
    putc('"', f);
}

static void warn_unscaled(struct import *im)
{
    for (unsigned i = 0; i < im->table.columns; i++)
        if (im->table.column[i].counts && isnan(im->scale[i])) {
            warn(im, "%s: column %s has no scale: one count is taken as one newton (--scale %s=N_PER_COUNT, or -c CONFIG)",
                 im->opt->in, im->table.column[i].header, im->table.column[i].header);
            return;
        }
}

/* A configuration with the columns' plates, as text: what the archive keeps must read back as what was used. */
static int make_config(struct import *im)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    if (!f) return fail(im, -ENOMEM, "not enough memory");
    const char *exercise = im->opt->exercise ? im->opt->exercise : "generic";
    fprintf(f, "# made by plate-trace import from the columns of a CSV\nstation: import\nexercise: ");
    write_quoted(f, exercise);
    fprintf(f, "\nplates:\n");
    int r = 0;
    unsigned plates = 0;
    bool corners = false;
    for (unsigned i = 0; !r && i < im->table.columns; i++) {
        unsigned column[PLATE_MAX_CELLS], cells = plate_columns(im, im->table.column[i].plate, column);
        if (column[0] != i) continue; /* not the first of its plate */
        r = set_decimals(im, plates, im->table.column[i].plate, column, cells);
        if (!r) write_plate(im, f, plates++, im->table.column[i].plate, column, cells);
        corners = corners || are_corners(im, column, cells);
    }
    bool full = ferror(f) != 0;
    if (fclose(f) || full) r = r ? r : fail(im, -ENOMEM, "not enough memory");
    struct config_error e;
    if (!r) {
        r = config_parse(text, n, "the configuration made from the columns", &im->config, &e);
        if (r) fail(im, r, "%s: %s", im->opt->in, e.text);
    }
    free(text);
    if (r) return r;
    warn_unscaled(im);
    if (corners)
        warn(im, "%s: the cells are taken to stand %g x %g mm apart: say --plate-size WIDTHxLENGTH, or -c CONFIG", im->opt->in,
             im->opt->width_mm, im->opt->length_mm);
    return 0;
}

static int load_config(struct import *im)
{
    struct config_error e;
    int r = config_load(im->opt->config, &im->config, &e);
    if (r) return fail(im, r, "%s", e.text);
    for (unsigned p = 0; p < im->config.plates_count; p++) {
        const struct config_plate *c = &im->config.plates[p];
        double off = im->axis.rate_Hz / c->rate_Hz - 1;
        if (fabs(off) > 0.1)
            return fail(im, -EINVAL, "%s: plate %s has rate_Hz %g, the file %.6g: correct rate_Hz", im->opt->config, c->name,
                        c->rate_Hz, im->axis.rate_Hz);
        if (fabs(off) > 0.02)
            warn(im, "%s: plate %s: the file's rate is %.6g Hz, not %g", im->opt->in, c->name, im->axis.rate_Hz, c->rate_Hz);
    }
    return 0;
}

/* ---- columns to cells ---- */

/* By name; a plate of one cell takes the one column it has, whatever that is called. */
static int match_cells(struct import *im, unsigned p)
{
    const struct config_plate *c = &im->config.plates[p];
    unsigned column[PLATE_MAX_CELLS], n = plate_columns(im, c->name, column);
    if (n == 0 && im->config.plates_count == 1) n = plate_columns(im, "plate", column);
    if (n != c->cells_count)
        return fail(
            im, -EINVAL,
            "%s: plate %s has %u cells in the configuration and %u columns in the file: name one column %s.CELL per cell",
            im->opt->in, c->name, c->cells_count, n, c->name);
    bool newtons = false, counts = false;
    for (unsigned i = 0; i < n; i++) {
        unsigned k = 0;
        while (k < n && strcmp(im->table.column[column[k]].cell, c->cells[i].name)) k++;
        if (k == n && n > 1)
            return fail(im, -EINVAL, "%s: plate %s: no column for cell %s", im->opt->in, c->name, c->cells[i].name);
        im->column[p][i] = column[k == n ? 0 : k];
        if (im->table.column[im->column[p][i]].counts)
            counts = true;
        else
            newtons = true;
    }
    if (newtons && counts && im->opt->config)
        return fail(im, -EINVAL, "%s: plate %s has columns in newtons and in counts: with -c, use one of the two", im->opt->in,
                    c->name);
    return 0;
}

/* Newtons need no calibration; counts get the configuration's, and --scale goes before its gain. */
static int calibrate_plate(struct import *im, unsigned p)
{
    const struct config_plate *c = &im->config.plates[p];
    struct plate_calibration *cal = &im->calibration[p];
    config_calibration(c, cal);
    if (im->opt->config) {
        int r = set_decimals(im, p, c->name, im->column[p], c->cells_count);
        if (r) return r;
        if (!im->table.column[im->column[p][0]].counts) plate_calibration_identity(cal, c->cells_count, 1);
        for (unsigned i = 0; i < c->cells_count; i++) {
            double scale = im->scale[im->column[p][i]];
            if (isnan(scale)) continue;
            if (cal->components != 1)
                return fail(im, -EINVAL, "--scale %s: plate %s has a matrix: correct that",
                            im->table.column[im->column[p][i]].header, c->name);
            cal->matrix[0][i] = scale / cal->count_scale;
        }
        cal->count_scale /= im->to_count[p];
    }
    im->recording.plate[p].count_scale = cal->count_scale;
    return plate_calibration_check(cal)
               ? fail(im, -EINVAL, "%s: the calibration of plate %s makes no sense: check its scale", im->opt->in, c->name)
               : 0;
}

static void base_name(const char *path, char *ret, size_t size)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = strlen(name);
    if (n > 3 && !strcmp(name + n - 3, ".h5")) n -= 3;
    snprintf(ret, size, "%.*s", (int)n, name);
}

static int64_t utc_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int set_up(struct import *im)
{
    int r = im->opt->config ? load_config(im) : make_config(im);
    if (r) return r;
    config_station(&im->config, &im->station_config);
    config_recording(&im->config, &im->recording);
    unsigned taken = 0;
    for (unsigned p = 0; p < im->config.plates_count; p++) {
        r = match_cells(im, p);
        if (!r) r = calibrate_plate(im, p);
        if (r) return r;
        snprintf(im->recording.plate[p].device, sizeof im->recording.plate[p].device, "CSV import");
        im->recording.plate[p].tick_s = 0;
        taken += im->config.plates[p].cells_count;
    }
    if (taken != im->table.columns)
        return fail(im, -EINVAL, "%s: has columns of plates that %s does not have: drop them, or add the plates", im->opt->in,
                    im->opt->config);
    struct recording *rec = &im->recording;
    base_name(im->opt->out, rec->name, sizeof rec->name);
    memcpy(rec->session, rec->name, sizeof rec->session - 1);
    snprintf(rec->software, sizeof rec->software, "plate-trace %s", plate_version());
    rec->created_utc_ns = utc_now_ns();
    rec->config = strdup(im->config.text);
    return rec->config ? 0 : fail(im, -ENOMEM, "not enough memory");
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

static void on_event(void *user, const struct plate_event *e)
{
    struct import *im = user;
    unsigned plate = 0;
    switch (e->type) {
    case PLATE_EVENT_REP:
        while (plate + 1 < im->recording.plates && strcmp(im->recording.plate[plate].name, e->u.rep.plate)) plate++;
        put(im, RECORD_REP, plate, 0, e->t_s, &e->u.rep, sizeof e->u.rep);
        im->ret->reps++;
        break;
    case PLATE_EVENT_SET:
        if (e->u.set.ended_by != PLATE_SET_ACTIVE) put(im, RECORD_SET, 0, 0, e->t_s, &e->u.set, sizeof e->u.set);
        break;
    case PLATE_EVENT_ASYMMETRY:
        put(im, RECORD_ASYMMETRY, 0, 0, e->t_s, &e->u.asymmetry, sizeof e->u.asymmetry);
        break;
    case PLATE_EVENT_PHASE:
    case PLATE_EVENT_MARK:
        break; /* phases are not archived; marks were when they were handed in */
    }
}

static void put_session(struct import *im, const char *key, const char *value, double t_s, uint64_t sample)
{
    struct record_session s = {.t_s = t_s, .sample = sample};
    if (!value || !*value) return;
    snprintf(s.key, sizeof s.key, "%s", key);
    snprintf(s.value, sizeof s.value, "%s", value);
    put(im, RECORD_SESSION, 0, sample, t_s, &s, sizeof s);
}

static void put_session_start(struct import *im)
{
    const struct config *c = &im->config;
    double t_s = im->table.t_s[0];
    char number[32];
    put_session(im, "subject", c->subject, t_s, 0);
    if (im->opt->config || im->opt->exercise) /* else nobody said */
        put_session(im, "exercise", im->opt->config ? c->exercise : im->opt->exercise, t_s, 0);
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
    static const char *const keys[][2] = {{"subject", "subject"},
                                          {"exercise", "exercise"},
                                          {"load_kg", "load_kg"},
                                          {"body_mass_kg", "body_mass_kg"},
                                          {"note", "notes"}};
    struct plate_mark m = *mark;
    m.sample = sample;
    if (plate_station_mark(im->station, &m))
        return fail(im, -EINVAL, "%s: %s \"%s\" makes no sense: correct it", im->opt->marks ? im->opt->marks : "--exercise",
                    m.kind, m.value);
    put(im, RECORD_MARK, 0, sample, m.t_s, &m, sizeof m);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (!strcmp(m.kind, keys[i][0])) put_session(im, keys[i][1], m.value, m.t_s, sample);
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
        if (r) return fail(im, r, "%s: sample %llu was refused (%s)", im->opt->in, (unsigned long long)sample, strerror(-r));
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
        if (r) return fail(im, r, "%s: the time axis was refused at t_s = %g", im->opt->in, im->table.t_s[row]);
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
        if (r) return fail(im, r, "%s: the calibration of plate %s was refused", im->opt->in, im->recording.plate[p].name);
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
        while (!r && mark < im->marks && im->mark[mark].t_s <= im->table.t_s[row])
            r = hand_in_mark(im, &im->mark[mark++], im->axis.sample[row]);
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
    return im->write_error ? fail(im, im->write_error, "%s: %s", im->opt->out, im->archive_error.text) : 0;
}

static int sync_and_rename(struct import *im)
{
    int fd = open(im->tmp, O_RDONLY | O_CLOEXEC);
    int r = fd < 0 || fsync(fd) ? -errno : 0;
    if (fd >= 0) close(fd);
    if (!r && rename(im->tmp, im->opt->out)) r = -errno;
    return r ? fail(im, r, "%s: %s", im->opt->out, strerror(-r)) : 0;
}

static int write_archive(struct import *im)
{
    snprintf(im->tmp, sizeof im->tmp, "%s.tmp", im->opt->out);
    int r = archive_create(im->tmp, ARCHIVE_SEALED, &im->recording, &im->writer, &im->archive_error);
    if (r) {
        if (r != -EBUSY) unlink(im->tmp);
        return fail(im, r, "%s", im->archive_error.text);
    }
    const struct plate_station_sink sink = {.event = on_event, .user = im};
    int32_t *counts = malloc(BLOCK_ROWS * PLATE_MAX_CELLS * sizeof *counts);
    im->station = plate_station_new(&im->station_config, &sink);
    if (!counts)
        r = fail(im, -ENOMEM, "not enough memory");
    else if (!im->station)
        r = fail(im, -errno, "%s: the detector cannot work on this (%.6g Hz): %s", im->opt->in, im->axis.rate_Hz,
                 strerror(errno));
    if (!r) r = put_everything(im, counts);
    plate_station_free(im->station);
    free(counts);
    int closed = archive_close(im->writer, &im->archive_error);
    if (!r && closed) r = fail(im, closed, "%s: %s", im->opt->out, im->archive_error.text);
    if (!r) r = sync_and_rename(im);
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
    if (strlen(opt->out) + sizeof ".tmp" > sizeof im->tmp) r = fail(im, -ENAMETOOLONG, "%s: the path is too long", opt->out);
    if (!r && !opt->force && !access(opt->out, F_OK))
        r = fail(im, -EEXIST, "%s: exists: choose another name, or overwrite it with --force", opt->out);
    if (!r) r = read_inputs(im);
    if (!r) r = read_scales(im);
    if (!r) r = set_up(im);
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
