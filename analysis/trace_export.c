#include "trace.h"
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 4096, MAX_PATH = 4096, MAX_DECIMALS = 6 };

struct axis {
    struct archive_knot *knot;
    struct archive_gap *gap;
    size_t knots, gaps;
    uint64_t rows;
};
struct export
{
    const struct trace_export *opt;
    struct archive_reader *r;
    const struct recording *rec;
    FILE *f;
    struct archive_error e;
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 3, 4))) static int fail(struct export *x, int error, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(x->error, x->error_size, format, ap);
    va_end(ap);
    return error;
}

/* ---- CSV ---- */

static int load_axis(struct export *x, unsigned plate, struct axis *ret)
{
    *ret = (struct axis){.rows = archive_rows(x->r, plate)};
    int rc = archive_clock(x->r, plate, &ret->knot, &ret->knots, &x->e);
    return rc ? rc : archive_gaps(x->r, plate, &ret->gap, &ret->gaps, &x->e);
}

static void axis_done(struct axis *a)
{
    free(a->knot);
    free(a->gap);
}

static bool same_axis(const struct axis *a, const struct axis *b)
{
    if (a->rows != b->rows || a->knots != b->knots || a->gaps != b->gaps) return false;
    for (size_t i = 0; i < a->knots; i++) {
        const struct plate_clock *p = &a->knot[i].clock, *q = &b->knot[i].clock;
        if (p->sample != q->sample || fabs(p->t_s - q->t_s) > 1e-9 || fabs(p->period_s - q->period_s) > 1e-12) return false;
    }
    for (size_t i = 0; i < a->gaps; i++)
        if (a->gap[i].gap.sample != b->gap[i].gap.sample || a->gap[i].gap.count != b->gap[i].gap.count) return false;
    return true;
}

static bool wanted(const struct export *x, unsigned plate)
{
    return !x->opt->plate || !strcmp(x->opt->plate, x->rec->plate[plate].name);
}

/* The decimals that keep a tenth of a count apart, or exactly those of a device that sends decimal newtons. */
static int decimals_of(const struct plate_calibration *c, unsigned cell)
{
    double step = fabs(c->matrix[c->components == 1 ? 0 : 2][cell] * c->count_scale);
    if (!(step > 0)) return 2;
    double d = -log10(step), whole = round(d);
    bool decimal = fabs(d - whole) < 1e-9 && c->tare[cell] == 0;
    d = decimal ? whole : ceil(d) + 1;
    return d < 0 ? 0 : d > MAX_DECIMALS ? MAX_DECIMALS : (int)d;
}

static void put_fixed(FILE *f, double v, int decimals)
{
    static const double ten[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    double scaled = fabs(v) * ten[decimals];
    if (!(scaled < 9e18)) {
        fprintf(f, "%.*f", decimals, v);
        return;
    }
    uint64_t n = (uint64_t)llround(scaled);
    char text[32], *p = text + sizeof text;
    bool negative = v < 0 && n > 0;
    for (int place = 0; n || place <= decimals; place++, n /= 10) {
        if (place == decimals && place) *--p = '.';
        *--p = (char)('0' + n % 10);
    }
    if (negative) *--p = '-';
    fwrite(p, 1, (size_t)(text + sizeof text - p), f);
}

static void put_header(const struct export *x)
{
    bool alone = x->rec->plates == 1 && !strcmp(x->rec->plate[0].name, "plate");
    fputs("t_s", x->f);
    for (unsigned p = 0; p < x->rec->plates; p++)
        for (unsigned c = 0; wanted(x, p) && c < x->rec->plate[p].cells; c++) {
            const struct recording_plate *plate = &x->rec->plate[p];
            fprintf(x->f, ",%s%s%s_%s", alone ? "" : plate->name, alone ? "" : ".", plate->cell[c].name,
                    x->opt->counts ? "counts" : "N");
        }
    putc('\n', x->f);
}

/* The calibrations in force as the samples of each plate pass. */
struct calibrations {
    struct archive_calibration *all;
    size_t n;
    size_t next[PLATE_MAX_PLATES];
    const struct plate_calibration *now[PLATE_MAX_PLATES];
    int decimals[PLATE_MAX_PLATES][PLATE_MAX_CELLS];
};
static const struct plate_calibration *calibration_at(struct calibrations *c, unsigned plate, uint64_t sample)
{
    for (; c->next[plate] < c->n; c->next[plate]++) {
        const struct archive_calibration *a = &c->all[c->next[plate]];
        if (a->plate != plate) continue;
        if (a->sample > sample) break;
        c->now[plate] = &a->record.calibration;
        for (unsigned k = 0; k < a->record.calibration.cells; k++)
            c->decimals[plate][k] = decimals_of(&a->record.calibration, k);
    }
    return c->now[plate];
}

static int check_calibrations(struct export *x, const struct calibrations *c)
{
    for (unsigned p = 0; p < x->rec->plates; p++) {
        size_t i = 0;
        while (i < c->n && c->all[i].plate != p) i++;
        bool from_start = i < c->n && c->all[i].record.calibration.cells == archive_cells(x->r, p, 0);
        if (wanted(x, p) && !from_start)
            return fail(x, -EBADMSG, "%s: plate %s has no calibration: export its counts with --counts", x->opt->path,
                        x->rec->plate[p].name);
    }
    return 0;
}

static int put_rows(struct export *x, const struct axis *a, struct calibrations *cal, int32_t *counts[])
{
    size_t knot = 0, gap = 0;
    uint64_t missing = 0;
    int t_decimals = a->knots && a->knot[0].clock.period_s < 2e-5 ? 9 : 6;
    for (uint64_t row = 0; row < a->rows; row += ROWS) {
        size_t n = a->rows - row < ROWS ? (size_t)(a->rows - row) : ROWS;
        for (unsigned p = 0; p < x->rec->plates; p++) {
            int rc = wanted(x, p) ? archive_counts(x->r, p, row, n, counts[p], &x->e) : 0;
            if (rc) return fail(x, rc, "%s: %s", x->opt->path, x->e.text);
        }
        for (size_t i = 0; i < n; i++) {
            for (; gap < a->gaps && a->gap[gap].row <= row + i; gap++) missing += a->gap[gap].gap.count;
            uint64_t sample = row + i + missing;
            while (knot + 1 < a->knots && a->knot[knot + 1].clock.sample <= sample) knot++;
            put_fixed(x->f, plate_clock_t_s(&a->knot[knot].clock, sample), t_decimals);
            for (unsigned p = 0; p < x->rec->plates; p++) {
                if (!wanted(x, p)) continue;
                unsigned cells = x->rec->plate[p].cells;
                const int32_t *at = counts[p] + i * cells;
                struct plate_force force;
                const struct plate_calibration *c = x->opt->counts ? NULL : calibration_at(cal, p, sample);
                const unsigned there = archive_cells(x->r, p, row + i);
                if (c) plate_calibrate(c, NULL, at, &force);
                for (unsigned k = 0; k < cells; k++) {
                    putc(',', x->f);
                    if (k >= there) continue;
                    if (c)
                        put_fixed(x->f, force.cell_N[k], cal->decimals[p][k]);
                    else
                        put_fixed(x->f, at[k], 0);
                }
            }
            putc('\n', x->f);
        }
        if (ferror(x->f)) return fail(x, -EIO, "%s: %s", x->opt->out, strerror(errno));
    }
    return 0;
}

static int export_csv(struct export *x)
{
    struct axis a = {0}, b;
    struct calibrations cal = {0};
    int32_t *counts[PLATE_MAX_PLATES] = {0};
    int first = -1, rc = 0;
    for (unsigned p = 0; !rc && p < x->rec->plates; p++) {
        if (!wanted(x, p)) continue;
        counts[p] = malloc(ROWS * PLATE_MAX_CELLS * sizeof *counts[p]);
        if (!counts[p])
            rc = fail(x, -ENOMEM, "not enough memory");
        else if (first < 0) {
            first = (int)p;
            rc = load_axis(x, p, &a);
        } else {
            rc = load_axis(x, p, &b);
            if (!rc && !same_axis(&a, &b))
                rc =
                    fail(x, -EINVAL, "%s: plates %s and %s were not sampled at the same instants: export one with --plate NAME",
                         x->opt->path, x->rec->plate[first].name, x->rec->plate[p].name);
            axis_done(&b);
        }
    }
    if (!rc && first < 0) rc = fail(x, -EINVAL, "%s: no plate %s", x->opt->path, x->opt->plate);
    if (!rc && a.rows && !a.knots) rc = fail(x, -EBADMSG, "%s: no time axis: see plate-trace verify", x->opt->path);
    if (!rc && !x->opt->counts) rc = archive_calibrations(x->r, &cal.all, &cal.n, &x->e);
    if (!rc && !x->opt->counts) rc = check_calibrations(x, &cal);
    if (!rc) {
        put_header(x);
        rc = put_rows(x, &a, &cal, counts);
    }
    if (rc && !*x->error) fail(x, rc, "%s: %s", x->opt->path, x->e.text);
    axis_done(&a);
    free(cal.all);
    for (unsigned p = 0; p < x->rec->plates; p++) free(counts[p]);
    return rc;
}

/* ---- JSON ---- */

static void put_event(struct export *x, size_t i, const struct plate_event *e, char *text)
{
    int n = plate_event_json(e, text, PLATE_EVENT_JSON_MAX);
    fputs(i ? ",\n  " : "\n  ", x->f);
    if (n > 0) fwrite(text, 1, (size_t)n, x->f);
}

static void put_text(FILE *f, const char *before, const char *value)
{
    char text[6 * PLATE_TEXT_SIZE + 3];
    if (plate_json_string(value, text, sizeof text) < 0) strcpy(text, "\"\"");
    fprintf(f, "%s%s", before, text);
}

/* Names hold the subject and the time of day; devices a serial number. */
static void anonymise(json_t *described)
{
    static const char *const gone[] = {"name", "station", "session", "ring", "created_utc_ns", "started_host_ns"};
    json_t *recording = json_object_get(described, "recording"), *plate;
    size_t i;
    for (i = 0; i < sizeof gone / sizeof *gone; i++) json_object_del(recording, gone[i]);
    json_array_foreach(json_object_get(described, "plates"), i, plate)
    {
        json_object_del(plate, "device");
        json_object_del(plate, "device_serial");
    }
}

static int put_recording(struct export *x)
{
    json_t *o = trace_describe(x->r);
    if (o && x->opt->anonymise) anonymise(o);
    char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
    json_decref(o);
    if (!text) return fail(x, -ENOMEM, "not enough memory");
    fprintf(x->f, "%.*s", (int)strlen(text) - 1, text); /* the tables follow in the same object */
    free(text);
    return 0;
}

static int put_session(struct export *x)
{
    struct record_session *s;
    size_t n;
    int rc = archive_session(x->r, &s, &n, &x->e);
    if (rc) return rc;
    fputs(",\n \"session\": [", x->f);
    for (size_t i = 0, shown = 0; i < n; i++) {
        if (x->opt->anonymise && !trace_impersonal(s[i].key)) continue;
        fputs(shown++ ? ",\n  {\"t_s\":" : "\n  {\"t_s\":", x->f);
        char t[64];
        fputs(plate_json_number(s[i].t_s, 6, t, sizeof t) > 0 ? t : "null", x->f);
        put_text(x->f, ",\"key\":", s[i].key);
        put_text(x->f, ",\"value\":", s[i].value);
        putc('}', x->f);
    }
    putc(']', x->f);
    free(s);
    return 0;
}

/* The last row of each set, in the order of their numbers. */
static void put_sets(struct export *x, const struct archive_set *set, size_t n, char *text)
{
    size_t shown = 0;
    for (size_t i = 0; i < n; i++) {
        bool last = true;
        if (x->opt->truth == TRACE_AS_RECORDED && set[i].set.correction) continue;
        for (size_t k = i + 1; k < n && x->opt->truth == TRACE_CORRECTED && last; k++) last = set[k].set.set != set[i].set.set;
        if (last)
            put_event(x, shown++, &(struct plate_event){.type = PLATE_EVENT_SET, .t_s = set[i].t_s, .u.set = set[i].set}, text);
    }
}

static int put_reps(struct export *x, const struct archive_correction *correction, size_t corrections, char *text)
{
    struct trace_reps reps = {0};
    struct plate_station_config cfg;
    int rc = archive_reps(x->r, &reps.rep, &reps.n, &x->e);
    if (!rc && corrections && x->opt->truth == TRACE_CORRECTED &&
        (rc = trace_station_config(x->r, &cfg, x->e.text, sizeof x->e.text)) == 0)
        trace_reps_correct(&cfg, correction, corrections, &reps);
    for (size_t i = 0; !rc && i < reps.n; i++)
        put_event(x, i, &(struct plate_event){.type = PLATE_EVENT_REP, .t_s = reps.rep[i].t_s, .u.rep = reps.rep[i].rep}, text);
    free(reps.rep);
    return rc;
}

static int put_tables(struct export *x, char *text)
{
    struct archive_set *set = NULL;
    struct archive_asymmetry *row = NULL;
    struct archive_imbalance *imbalance = NULL;
    struct archive_correction *correction = NULL;
    struct plate_mark *mark = NULL;
    size_t n, corrections = 0;
    int rc = archive_corrections(x->r, &correction, &corrections, &x->e);
    fputs(",\n \"reps\": [", x->f);
    if (!rc) rc = put_reps(x, correction, corrections, text);
    if (!rc) rc = archive_sets(x->r, &set, &n, &x->e);
    fputs("],\n \"sets\": [", x->f);
    if (!rc) put_sets(x, set, n, text);
    if (!rc) rc = archive_asymmetries(x->r, &row, &n, &x->e);
    fputs("],\n \"asymmetry\": [", x->f);
    for (size_t i = 0; !rc && i < n; i++)
        put_event(x, i,
                  &(struct plate_event){.type = PLATE_EVENT_ASYMMETRY, .t_s = row[i].t_s, .u.asymmetry = row[i].asymmetry},
                  text);
    if (!rc) rc = archive_imbalances(x->r, &imbalance, &n, &x->e);
    fputs("],\n \"imbalance\": [", x->f);
    for (size_t i = 0; !rc && i < n; i++)
        put_event(x, i,
                  &(struct plate_event){
                      .type = PLATE_EVENT_IMBALANCE, .t_s = imbalance[i].t_s, .u.imbalance = imbalance[i].imbalance},
                  text);
    fputs("],\n \"corrections\": [", x->f);
    for (size_t i = 0; !rc && i < corrections; i++)
        put_event(x, i,
                  &(struct plate_event){
                      .type = PLATE_EVENT_CORRECTION, .t_s = correction[i].t_s, .u.correction = correction[i].correction},
                  text);
    if (!rc) rc = archive_marks(x->r, &mark, &n, &x->e);
    fputs("],\n \"marks\": [", x->f);
    for (size_t i = 0, shown = 0; !rc && i < n; i++)
        if (!x->opt->anonymise || trace_impersonal(mark[i].kind))
            put_event(x, shown++, &(struct plate_event){.type = PLATE_EVENT_MARK, .t_s = mark[i].t_s, .u.mark = mark[i]}, text);
    fputs("]}\n", x->f);
    free(set);
    free(row);
    free(imbalance);
    free(correction);
    free(mark);
    return rc;
}

static int export_json(struct export *x)
{
    char *text = malloc(PLATE_EVENT_JSON_MAX);
    int rc = text ? put_recording(x) : fail(x, -ENOMEM, "not enough memory");
    if (!rc) rc = put_session(x);
    if (!rc) rc = put_tables(x, text);
    free(text);
    if (rc && !*x->error) fail(x, rc, "%s: %s", x->opt->path, x->e.text);
    return rc;
}

int trace_export(const struct trace_export *opt, char *ret_error, size_t error_size)
{
    struct export x = {.opt = opt, .error = ret_error, .error_size = error_size};
    char tmp[MAX_PATH];
    bool to_stdout = !strcmp(opt->out, "-");
    *ret_error = '\0';
    if ((size_t)snprintf(tmp, sizeof tmp, "%s.tmp", opt->out) >= sizeof tmp)
        return fail(&x, -ENAMETOOLONG, "%s: the path is too long", opt->out);
    int rc = archive_open(opt->path, &x.r, &x.e);
    if (rc) return fail(&x, rc, "%s", x.e.text);
    if (opt->format == TRACE_H5) {
        rc = trace_copy(opt, x.r, ret_error, error_size);
        archive_reader_close(x.r);
        return rc;
    }
    x.rec = archive_recording(x.r);
    x.f = to_stdout ? stdout : fopen(tmp, "w");
    if (!x.f) rc = fail(&x, -errno, "%s: %s", opt->out, strerror(errno));
    if (!rc) rc = opt->format == TRACE_JSON ? export_json(&x) : export_csv(&x);
    if (x.f) {
        bool bad = ferror(x.f) || fflush(x.f);
        if (!to_stdout && fclose(x.f)) bad = true;
        if (bad && !rc) rc = fail(&x, -EIO, "%s: cannot be written: %s", opt->out, strerror(errno));
        if (!to_stdout && !rc && rename(tmp, opt->out)) rc = fail(&x, -errno, "%s: %s", opt->out, strerror(errno));
        if (!to_stdout && rc) unlink(tmp);
    }
    archive_reader_close(x.r);
    return rc;
}
