#include "archive_reader.h"
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct verifying {
    struct archive_reader *r;
    void (*breach)(void *user, const char *text);
    void *user;
    struct archive_account *account;
    struct archive_error *error;
    double end_s[PLATE_MAX_PLATES]; /* time of the first sample after the last */
};
#define CONTINUITY_S 1e-9

static void breach(struct verifying *v, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void breach(struct verifying *v, const char *format, ...)
{
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    v->account->breaches++;
    if (v->breach) v->breach(v->user, text);
}

static void verify_gaps(struct verifying *v, unsigned plate, const struct archive_gap *gap, size_t n)
{
    const char *name = v->account->plate[plate].name;
    const uint64_t rows = v->account->plate[plate].rows;
    uint64_t missing = 0, estimated = 0, last_row = 0;
    for (size_t i = 0; i < n; i++) {
        const struct plate_gap *g = &gap[i].gap;
        if (!v->account->sealed && gap[i].row > rows) break; /* of a file that grew meanwhile */
        if (gap[i].row < last_row || gap[i].row > rows || g->sample != gap[i].row + missing || g->count == 0)
            breach(v,
                   "/plates/%s/gaps: row %zu: samples %" PRIu64 "+%" PRIu64 " before row %" PRIu64 ", but %" PRIu64
                   " are missing before it",
                   name, i, g->sample, g->count, gap[i].row, missing);
        last_row = gap[i].row;
        missing += g->count;
        if (g->estimated) estimated += g->count;
        v->account->plate[plate].gaps++;
    }
    v->account->plate[plate].missing = missing;
    v->account->plate[plate].estimated = estimated;
    if (rows + missing != v->account->plate[plate].span)
        breach(v, "/plates/%s: %" PRIu64 " rows + %" PRIu64 " missing are not the %" PRIu64 " samples that it spans", name,
               rows, missing, v->account->plate[plate].span);
}

/* The row at which `sample` stands or would stand. */
static uint64_t row_of(const struct archive_gap *gap, size_t n, uint64_t sample)
{
    uint64_t missing = 0;
    for (size_t i = 0; i < n && gap[i].gap.sample < sample; i++) {
        const uint64_t behind = sample - gap[i].gap.sample;
        missing += behind < gap[i].gap.count ? behind : gap[i].gap.count;
    }
    return sample - missing;
}

static void verify_clock(struct verifying *v, unsigned plate, const struct archive_knot *knot, size_t n,
                         const struct archive_gap *gap, size_t gaps)
{
    const char *name = v->account->plate[plate].name;
    const uint64_t span = v->account->plate[plate].span;
    if (n == 0) {
        if (v->account->plate[plate].rows) breach(v, "/plates/%s/clock: no knot, so no times", name);
        return;
    }
    if (knot[0].clock.sample != 0)
        breach(v, "/plates/%s/clock: starts at sample %" PRIu64 ", not 0", name, knot[0].clock.sample);
    for (size_t i = 0; i < n; i++) {
        const struct plate_clock *k = &knot[i].clock;
        if (!(k->period_s > 0) || !isfinite(k->period_s) || !isfinite(k->t_s))
            breach(v, "/plates/%s/clock: row %zu: t_s %g, period_s %g", name, i, k->t_s, k->period_s);
        if (v->account->sealed && (k->sample > span || knot[i].row != row_of(gap, gaps, k->sample)))
            breach(v, "/plates/%s/clock: row %zu: sample %" PRIu64 " does not stand at row %" PRIu64 " of counts", name, i,
                   k->sample, knot[i].row);
        if (i == 0) continue;
        const double jump_s = k->t_s - plate_clock_t_s(&knot[i - 1].clock, k->sample);
        if (k->sample < knot[i - 1].clock.sample)
            breach(v, "/plates/%s/clock: row %zu: sample %" PRIu64 " is behind the knot before", name, i, k->sample);
        else if (!(fabs(jump_s) <= CONTINUITY_S))
            breach(v, "/plates/%s/clock: row %zu: the time axis jumps by %.9g s", name, i, jump_s);
    }
    v->end_s[plate] = plate_clock_t_s(&knot[n - 1].clock, span);
}

/* Unfiltered rows have no checksum but the digest; those of a live file are read to know that they can be. */
static void verify_counts(struct verifying *v, unsigned plate)
{
    enum { ROWS = 8192 };
    struct archive_error error;
    const uint64_t rows = v->account->plate[plate].rows;
    int32_t *counts = malloc(sizeof *counts * ROWS * PLATE_MAX_CELLS);
    if (!counts) return breach(v, "not enough memory to read the counts");
    for (uint64_t row = 0; row < rows; row += ROWS)
        if (archive_counts(v->r, plate, row, rows - row < ROWS ? rows - row : ROWS, counts, &error) < 0) {
            breach(v, "%s", error.text);
            break;
        }
    free(counts);
}

static int verify_plate(struct verifying *v, unsigned plate)
{
    struct archive_gap *gap = NULL;
    struct archive_knot *knot = NULL;
    size_t gaps, knots;
    int rc = archive_span(v->r, plate, &v->account->plate[plate].span, v->error);
    memcpy(v->account->plate[plate].name, archive_recording(v->r)->plate[plate].name, PLATE_NAME_SIZE);
    v->account->plate[plate].rows = archive_rows(v->r, plate);
    if (rc == 0) rc = archive_gaps(v->r, plate, &gap, &gaps, v->error);
    if (rc == 0) rc = archive_clock(v->r, plate, &knot, &knots, v->error);
    if (rc == 0) {
        verify_gaps(v, plate, gap, gaps);
        verify_clock(v, plate, knot, knots, gap, gaps);
        if (!v->account->sealed) verify_counts(v, plate);
    }
    free(gap);
    free(knot);
    return rc;
}

static bool plate_index(const struct verifying *v, const char *name, unsigned *ret)
{
    for (unsigned i = 0; i < v->account->plates; i++)
        if (strcmp(v->account->plate[i].name, name) == 0) return *ret = i, true;
    return false;
}

/* A mark may stand beyond a plate's last sample when that plate fell silent before the others did. */
static void verify_sample(struct verifying *v, const char *table, size_t i, unsigned plate, uint64_t sample, double t_s)
{
    if (sample > v->account->plate[plate].span && t_s <= v->end_s[plate])
        breach(v, "/%s: row %zu: sample %" PRIu64 " is beyond the %" PRIu64 " of plate %s", table, i, sample,
               v->account->plate[plate].span, v->account->plate[plate].name);
}

/* In one of its parts the plate has so many cells. */
static bool has_shape(const struct verifying *v, unsigned plate, unsigned cells)
{
    for (unsigned i = 0; i < v->r->parts; i++)
        if (v->r->part[i].plate[plate].cells == cells) return true;
    return false;
}

static int verify_calibrations(struct verifying *v)
{
    struct archive_calibration *c;
    size_t n;
    bool from_start[PLATE_MAX_PLATES] = {false};
    const int rc = archive_calibrations(v->r, &c, &n, v->error);
    if (rc < 0) return rc;
    for (size_t i = 0; i < n; i++) {
        const struct plate_calibration *k = &c[i].record.calibration;
        verify_sample(v, "calibrations", i, c[i].plate, c[i].sample, -INFINITY);
        if (plate_calibration_check(k) < 0 || !has_shape(v, c[i].plate, k->cells))
            breach(v, "/calibrations: row %zu: no calibration of plate %s", i, v->account->plate[c[i].plate].name);
        if (c[i].sample == 0) from_start[c[i].plate] = true;
    }
    for (unsigned i = 0; i < v->account->plates; i++)
        if (v->account->plate[i].rows && !from_start[i])
            breach(v, "/calibrations: none for the first samples of plate %s", v->account->plate[i].name);
    free(c);
    return 0;
}

static int verify_marks(struct verifying *v)
{
    struct plate_mark *m;
    struct record_session *s;
    size_t n;
    int rc = archive_marks(v->r, &m, &n, v->error);
    if (rc < 0) return rc;
    for (size_t i = 0; i < n; i++) {
        unsigned plate = 0;
        if (*m[i].plate && !plate_index(v, m[i].plate, &plate))
            breach(v, "/marks: row %zu: there is no plate %s", i, m[i].plate);
        else
            verify_sample(v, "marks", i, plate, m[i].sample, m[i].t_s);
        if (!isfinite(m[i].t_s)) breach(v, "/marks: row %zu: t_s %g", i, m[i].t_s);
    }
    free(m);
    rc = archive_session(v->r, &s, &n, v->error);
    if (rc < 0) return rc;
    for (size_t i = 0; i < n; i++) verify_sample(v, "session", i, 0, s[i].sample, s[i].t_s);
    free(s);
    return 0;
}

static int verify_reps(struct verifying *v)
{
    struct archive_rep *rep;
    size_t n;
    const int rc = archive_reps(v->r, &rep, &n, v->error);
    if (rc < 0) return rc;
    for (size_t i = 0; i < n; i++) {
        const struct plate_rep *p = &rep[i].rep;
        unsigned plate;
        if (!plate_index(v, p->plate, &plate))
            breach(v, "/reps: row %zu: there is no plate %s", i, p->plate);
        else if (!(p->onset_s <= p->end_s) || p->end_s > v->end_s[plate] + CONTINUITY_S)
            breach(v, "/reps: row %zu: from %.6f s to %.6f s, but plate %s ends at %.6f s", i, p->onset_s, p->end_s, p->plate,
                   v->end_s[plate]);
    }
    free(rep);
    return 0;
}

struct footing {
    struct verifying *v;
    const char *path; /* NULL: the file that was named */
};

static void on_footer(void *user, const char *text)
{
    const struct footing *f = user;
    breach(f->v, "%s%s%s", f->path ? f->path : "", f->path ? ": " : "", text);
}

/* One file's bytes, which HDF5 does not see until they were looked at. */
static int verify_footer(struct verifying *v, const char *path, bool named)
{
    const int rc = archive_footer_check(path, on_footer, &(struct footing){v, named ? NULL : path});
    if (rc < 0) v->account->footer = false;
    if (rc < 0 && rc != -ENOENT && rc != -EBADMSG) return archive_fail(v->error, rc, "%s: %s", path, strerror(-rc));
    return 0;
}

static int verify_other_parts(struct verifying *v, const char *path, unsigned parts)
{
    int rc = 0;
    for (unsigned i = 1; parts > 1 && i <= parts && rc == 0; i++) {
        char *part = archive_part_path(path, i);
        if (!part) return archive_fail(v->error, -ENOMEM, "%s", path);
        if (strcmp(part, path) != 0) rc = verify_footer(v, part, false);
        free(part);
    }
    return rc;
}

static int verify_all(struct verifying *v, const char *path)
{
    struct archive_error error;
    int rc = 0;
    struct archive_info info;
    archive_info(v->r, &info);
    v->account->sealed = info.sealed;
    v->account->plates = archive_recording(v->r)->plates;
    rc = verify_other_parts(v, path, info.parts);
    if (info.sealed && archive_check_digest(v->r, NULL, &error) < 0) breach(v, "%s", error.text);
    for (unsigned i = 0; i < v->account->plates && rc == 0; i++) rc = verify_plate(v, i);
    if (rc == 0) rc = verify_calibrations(v);
    if (rc == 0) rc = verify_marks(v);
    if (rc == 0) rc = verify_reps(v);
    return rc;
}

int archive_verify(const char *path, void (*breach_fn)(void *user, const char *text), void *user, struct archive_account *ret,
                   struct archive_error *ret_error)
{
    struct archive_account account = {.footer = true};
    struct archive_error error = {""};
    struct verifying v = {.breach = breach_fn, .user = user, .account = &account, .error = &error};
    int rc = access(path, R_OK) < 0 ? 0 : verify_footer(&v, path, true); /* what is not there, opening says */
    if (rc == 0) rc = archive_open(path, &v.r, &error);
    if (rc < 0 && account.breaches == 0) return archive_fail(ret_error, rc, "%s", error.text);
    if (v.r) {
        rc = verify_all(&v, path);
        archive_reader_close(v.r);
    }
    if (rc == -ENOMEM) return archive_fail(ret_error, rc, "%s: not enough memory", path);
    if (rc < 0) breach(&v, "%s", error.text); /* a table that cannot be read is the worst of breaches */
    *ret = account;
    return account.breaches ? -EBADMSG : 0;
}
