/* A trace written anew, with or without what says who, where and when: the rows of all its parts in one sealed file, or, where
 * a plate changes its number of cells, each part in its own. */
#include "config.h"
#include "config_schema.h"
#include "trace.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ROWS = 4096, MAX_PATH = 4096 };

struct copy {
    const struct trace_export *opt;
    struct archive_reader *r; /* of what becomes the next file: the whole, or a part */
    struct archive_writer *w;
    struct archive_info info;
    unsigned files;
    char digest[65];      /* of the whole */
    struct recording rec; /* of the copy */
    struct archive_row *later;
    size_t laters, sealed_marks;
    int64_t utc_shift_ns, host_shift_ns; /* added to every instant */
    struct archive_error e;
};

bool trace_impersonal(const char *kind)
{
    static const char *const kept[] = {"side",    "exercise",  "protocol", "load_kg", "body_mass_kg", "involved",
                                       "warmup",  "set_end",   "resume",   "sync",    "tare",         "cell",
                                       "correct", "calibrate", "start",    "stop",    "shutdown",     NULL};
    for (size_t i = 0; kept[i]; i++)
        if (strcmp(kept[i], kind) == 0) return true;
    return false;
}

/* ---- who, where and when ---- */

static bool replace(char **text, const char *with)
{
    char *copy = strdup(with);
    if (!copy) return false;
    free(*text);
    *text = copy;
    return true;
}

/* Of the configuration stays what the numbers come from. */
static int anonymous_config(struct copy *c)
{
    struct config config;
    struct config_error why;
    const struct recording *rec = archive_recording(c->r);
    int rc = config_parse(rec->config, strlen(rec->config), "@config", &config, &why);
    if (rc) {
        snprintf(c->e.text, sizeof c->e.text, "%.250s", why.text);
        return rc;
    }
    bool ok = replace(&config.station, "") && replace(&config.subject, "") && replace(&config.archive_dir, "traces") &&
              replace(&config.ring_dir, "") && replace(&config.protocol, "") &&
              replace(&config.stream.data, "tcp://127.0.0.1:7460") && replace(&config.stream.control, "tcp://127.0.0.1:7461") &&
              replace(&config.stream.secret_key, "") && replace(&config.stream.clients, "");
    for (unsigned i = 0; ok && i < config.plates_count; i++) {
        char port[32];
        snprintf(port, sizeof port, "port %u", i + 1);
        ok = replace(&config.plates[i].port, port) && replace(&config.plates[i].calibration, "");
    }
    c->rec.config = ok ? config_to_text(&config) : NULL;
    config_done(&config);
    return c->rec.config ? 0 : -ENOMEM;
}

/* The digest of the original tells the copies of two sessions apart, and nobody who does not have the original what it was. */
static int describe(struct copy *c)
{
    c->rec = *archive_recording(c->r);
    c->rec.detector_version = c->info.detector_version;
    c->rec.config = NULL;
    if (c->files == 1) c->rec.earlier_parts = 0;
    for (unsigned i = 0; i < c->rec.plates && c->files == 1; i++) c->rec.plate[i].first_sample = 0;
    if (!c->opt->anonymise) return (c->rec.config = strdup(archive_recording(c->r)->config)) ? 0 : -ENOMEM;
    c->utc_shift_ns = -c->rec.created_utc_ns;
    c->host_shift_ns = -c->rec.started_host_ns;
    c->rec.created_utc_ns = c->rec.started_host_ns = 0;
    c->rec.station[0] = c->rec.ring[0] = '\0';
    snprintf(c->rec.session, sizeof c->rec.session, "anonymous-%.16s", c->digest);
    for (unsigned i = 0; i < c->rec.plates; i++) c->rec.plate[i].device[0] = c->rec.plate[i].device_serial[0] = '\0';
    return anonymous_config(c);
}

static bool kept(const struct copy *c, const char *kind) { return !c->opt->anonymise || trace_impersonal(kind); }

/* ---- rows ---- */

static int put(struct copy *c, uint16_t type, unsigned plate, uint64_t sample, double t_s, const void *payload, size_t n)
{
    const struct record_header h = {.type = type, .plate = (uint16_t)plate, .size = (uint32_t)n, .sample = sample, .t_s = t_s};
    return archive_write(c->w, &h, payload, &c->e);
}

/* What was put right after sealing stands behind the sealed rows in the copy, too. */
static int put_or_keep(struct copy *c, bool later, uint16_t type, double t_s, const void *payload, size_t n)
{
    if (!later) return put(c, type, 0, 0, t_s, payload, n);
    struct archive_row *more = realloc(c->later, (c->laters + 1) * sizeof *more);
    void *bytes = malloc(n);
    if (more) c->later = more;
    if (!more || !bytes) {
        free(bytes);
        return -ENOMEM;
    }
    memcpy(bytes, payload, n);
    c->later[c->laters++] = (struct archive_row){type, t_s, bytes, n};
    return 0;
}

/* The way a plate's records came: knots and gaps, each before the row at which it stands. */
struct axis {
    struct archive_knot *knot;
    struct archive_gap *gap;
    size_t knots, gaps, next_knot, next_gap;
};

static int put_before(struct copy *c, unsigned plate, struct axis *a, uint64_t row)
{
    int rc = 0;
    while (rc == 0) {
        const struct archive_knot *k =
            a->next_knot < a->knots && a->knot[a->next_knot].row <= row ? &a->knot[a->next_knot] : NULL;
        const struct archive_gap *g = a->next_gap < a->gaps && a->gap[a->next_gap].row <= row ? &a->gap[a->next_gap] : NULL;
        if (g && (!k || g->gap.sample < k->clock.sample)) {
            a->next_gap++;
            rc = put(c, RECORD_GAP, plate, g->gap.sample, 0, &g->gap, sizeof g->gap);
        } else if (k) {
            struct plate_clock clock = k->clock;
            clock.utc_ns += c->utc_shift_ns;
            clock.host_ns += c->host_shift_ns;
            a->next_knot++;
            rc = put(c, RECORD_CLOCK, plate, clock.sample, 0, &clock, sizeof clock);
        } else {
            break;
        }
    }
    return rc;
}

/* Up to the next knot or gap. */
static uint64_t stretch(const struct axis *a, uint64_t row, uint64_t rows)
{
    uint64_t end = rows - row < ROWS ? rows : row + ROWS;
    if (a->next_knot < a->knots && a->knot[a->next_knot].row < end) end = a->knot[a->next_knot].row;
    if (a->next_gap < a->gaps && a->gap[a->next_gap].row < end) end = a->gap[a->next_gap].row;
    return end - row;
}

static int put_samples(struct copy *c, unsigned plate, struct axis *a, int32_t *counts)
{
    const uint64_t rows = archive_rows(c->r, plate), first = c->rec.plate[plate].first_sample;
    const size_t row_size = c->rec.plate[plate].cells * sizeof *counts;
    uint64_t missing = 0;
    int rc = 0;
    for (uint64_t row = 0, n; rc == 0 && row < rows; row += n) {
        const size_t before = a->next_gap;
        rc = put_before(c, plate, a, row);
        for (size_t i = before; i < a->next_gap; i++) missing += a->gap[i].gap.count;
        n = stretch(a, row, rows);
        if (rc == 0) rc = archive_counts(c->r, plate, row, n, counts, &c->e);
        if (rc == 0) rc = put(c, RECORD_BLOCK, plate, first + row + missing, 0, counts, n * row_size);
    }
    return rc ? rc : put_before(c, plate, a, rows);
}

static int put_plate(struct copy *c, unsigned plate)
{
    struct axis a = {.knot = NULL};
    int32_t *counts = malloc(ROWS * PLATE_MAX_CELLS * sizeof *counts);
    int rc = counts ? archive_clock(c->r, plate, &a.knot, &a.knots, &c->e) : -ENOMEM;
    if (rc == 0) rc = archive_gaps(c->r, plate, &a.gap, &a.gaps, &c->e);
    if (rc == 0) rc = put_samples(c, plate, &a, counts);
    free(a.knot);
    free(a.gap);
    free(counts);
    return rc;
}

static int put_calibrations(struct copy *c)
{
    struct archive_calibration *k = NULL;
    size_t n = 0;
    int rc = archive_calibrations(c->r, &k, &n, &c->e);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        struct record_calibration *r = &k[i].record;
        r->utc_ns += c->utc_shift_ns;
        if (c->opt->anonymise) memset(r->who, 0, sizeof r->who), memset(r->why, 0, sizeof r->why);
        rc = put(c, RECORD_CALIBRATION, k[i].plate, k[i].sample, 0, r, sizeof *r);
    }
    free(k);
    return rc;
}

static int put_session(struct copy *c)
{
    struct record_session *s = NULL;
    size_t n = 0;
    int rc = archive_session(c->r, &s, &n, &c->e);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        s[i].utc_ns += c->utc_shift_ns;
        if (kept(c, s[i].key))
            rc = put_or_keep(c, n - i <= c->info.later_session_rows, RECORD_SESSION, s[i].t_s, &s[i], sizeof s[i]);
    }
    free(s);
    struct record_session subject = {.key = "subject"};
    if (rc || !c->opt->pseudonym) return rc;
    snprintf(subject.value, sizeof subject.value, "%s", c->opt->pseudonym);
    return put(c, RECORD_SESSION, 0, 0, 0, &subject, sizeof subject);
}

static int put_marks(struct copy *c)
{
    struct plate_mark *m = NULL;
    size_t n = 0;
    int rc = archive_marks(c->r, &m, &n, &c->e);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const bool later = i >= c->info.sealed_rows[PLATE_EVENT_MARK];
        if (!kept(c, m[i].kind)) continue;
        m[i].utc_ns += c->utc_shift_ns;
        c->sealed_marks += !later;
        rc = put_or_keep(c, later, RECORD_MARK, m[i].t_s, &m[i], sizeof m[i]);
    }
    free(m);
    return rc;
}

/* The tables of events, each a time and what was known then: as they are stored, not computed again. */
#define PUT_EVENTS(c, read, row_type, member, record, event)                                                                   \
    do {                                                                                                                       \
        struct row_type *row_ = NULL;                                                                                          \
        size_t n_ = 0;                                                                                                         \
        if (rc == 0) rc = read((c)->r, &row_, &n_, &(c)->e);                                                                   \
        for (size_t i_ = 0; rc == 0 && i_ < n_; i_++)                                                                          \
            rc = put_or_keep(c, i_ >= (c)->info.sealed_rows[event], record, row_[i_].t_s, &row_[i_].member,                    \
                             sizeof row_[i_].member);                                                                          \
        free(row_);                                                                                                            \
    } while (0)

static int put_events(struct copy *c)
{
    int rc = 0;
    PUT_EVENTS(c, archive_reps, archive_rep, rep, RECORD_REP, PLATE_EVENT_REP);
    PUT_EVENTS(c, archive_sets, archive_set, set, RECORD_SET, PLATE_EVENT_SET);
    PUT_EVENTS(c, archive_asymmetries, archive_asymmetry, asymmetry, RECORD_ASYMMETRY, PLATE_EVENT_ASYMMETRY);
    PUT_EVENTS(c, archive_imbalances, archive_imbalance, imbalance, RECORD_IMBALANCE, PLATE_EVENT_IMBALANCE);
    PUT_EVENTS(c, archive_corrections, archive_correction, correction, RECORD_CORRECTION, PLATE_EVENT_CORRECTION);
    return rc;
}

static int put_all(struct copy *c)
{
    uint64_t span[PLATE_MAX_PLATES];
    int rc = put_calibrations(c);
    for (unsigned i = 0; rc == 0 && i < c->rec.plates; i++) rc = put_plate(c, i);
    if (rc == 0) rc = put_session(c);
    if (rc == 0) rc = put_marks(c);
    if (rc == 0) rc = put_events(c);
    for (unsigned i = 0; rc == 0 && i < c->rec.plates; i++) {
        rc = archive_span(c->r, i, &span[i], &c->e);
        span[i] += c->rec.plate[i].first_sample;
    }
    if (rc || !(c->info.ended || c->info.continued)) return rc;
    return put(c, c->info.continued ? RECORD_NEXT : RECORD_END, 0, 0, 0, span, c->rec.plates * sizeof *span);
}

/* ---- the files ---- */

static int write_file(struct copy *c, const char *path)
{
    char tmp[MAX_PATH];
    if ((size_t)snprintf(tmp, sizeof tmp, "%s.tmp", path) >= sizeof tmp) return -ENAMETOOLONG;
    int rc = describe(c);
    if (rc == 0) rc = archive_create(tmp, ARCHIVE_SEALED, &c->rec, &c->w, &c->e);
    if (rc == 0) {
        rc = put_all(c);
        const int closed = archive_close(c->w, rc ? NULL : &c->e);
        if (rc == 0) rc = closed;
        if (rc == 0) rc = archive_put_in_place(tmp, path, NULL, &c->e);
        if (rc) unlink(tmp);
    }
    recording_done(&c->rec);
    return rc;
}

static int write_part(struct copy *c, unsigned part, const char *path)
{
    struct archive_reader *whole = c->r;
    char *from = archive_part_path(c->opt->path, part);
    int rc = from ? archive_open_part(from, &c->r, &c->e) : -ENOMEM;
    free(from);
    if (rc == 0) {
        archive_info(c->r, &c->info);
        rc = write_file(c, path);
        archive_reader_close(c->r);
    }
    c->r = whole;
    return rc;
}

/* Of the files that `name` comes to, the i-th from 1; malloced. */
static char *file_of(const struct copy *c, const char *name, unsigned i)
{
    return c->files == 1 ? strdup(name) : archive_part_path(name, i);
}

static int write_files(struct copy *c, const char *name)
{
    int rc = 0;
    for (unsigned i = 1; rc == 0 && i <= c->files; i++) {
        char *path = file_of(c, name, i);
        rc = !path ? -ENOMEM : c->files == 1 ? write_file(c, path) : write_part(c, i, path);
        if (rc == 0 && i == c->files && c->laters) rc = archive_correct(path, c->sealed_marks, c->later, c->laters, &c->e);
        free(path);
    }
    return rc;
}

/* Under their own names, where nothing may be yet. */
static int name_files(struct copy *c, const char *name)
{
    int rc = 0;
    for (unsigned i = c->files; rc == 0 && i > 0; i--) { /* the first one comes last: what is there is whole */
        char *from = file_of(c, name, i), *to = file_of(c, c->opt->out, i);
        if (!from || !to)
            rc = -ENOMEM;
        else if (rename(from, to) < 0)
            rc = -errno;
        if (rc && to) snprintf(c->e.text, sizeof c->e.text, "%.200s: %s", to, strerror(-rc));
        free(from);
        free(to);
    }
    return rc;
}

static void remove_files(const struct copy *c, const char *name)
{
    for (unsigned i = 1; i <= c->files; i++) {
        char *path = file_of(c, name, i);
        if (path) unlink(path);
        free(path);
    }
}

static int refuse(struct copy *c, int rc, const char *path, const char *why)
{
    snprintf(c->e.text, sizeof c->e.text, "%.200s: %s", path, why);
    return rc;
}

/* Whether it can be copied to where it is to go; says why not. */
static int check(struct copy *c, char *ret_name, size_t size)
{
    const char *out = c->opt->out;
    int rc = 0;
    if (!c->info.sealed || c->info.continued)
        return refuse(c, -EBUSY, c->opt->path, "not sealed yet: stop the recording, or plate-trace recover");
    if ((size_t)snprintf(ret_name, size, "%s.new.h5", out) >= size - 24)
        return refuse(c, -ENAMETOOLONG, out, "the path is too long");
    for (unsigned i = 1; rc == 0 && i <= c->files; i++) {
        char *path = file_of(c, out, i);
        if (!path)
            rc = -ENOMEM;
        else if (i == 1 && strcmp(path, out) != 0)
            rc = refuse(c, -EINVAL, out, "a plate changes its number of cells, which takes several files: write NAME.h5");
        else if (access(path, F_OK) == 0)
            rc = refuse(c, -EEXIST, path, "exists: choose another name");
        free(path);
    }
    return rc;
}

int trace_copy(const struct trace_export *opt, struct archive_reader *r, char *ret_error, size_t error_size)
{
    struct copy *c = calloc(1, sizeof *c);
    char name[MAX_PATH]; /* of the copy before it has its own */
    if (!c) {
        snprintf(ret_error, error_size, "not enough memory");
        return -ENOMEM;
    }
    c->opt = opt;
    c->r = r;
    archive_info(r, &c->info);
    memcpy(c->digest, c->info.digest, sizeof c->digest);
    c->files = archive_reshaped(r) ? c->info.parts : 1;
    int rc = check(c, name, sizeof name);
    if (rc == 0) {
        rc = write_files(c, name);
        if (rc == 0) rc = name_files(c, name);
        if (rc) remove_files(c, name);
    }
    if (rc) snprintf(ret_error, error_size, "%s", *c->e.text ? c->e.text : strerror(-rc));
    for (size_t i = 0; i < c->laters; i++) free(c->later[i].payload);
    free(c->later);
    free(c);
    return rc;
}
