/* A trace written anew: the rows of all its parts in one sealed file, with or without what says who, where and when. */
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
    struct archive_reader *r;
    struct archive_writer *w;
    struct archive_info info;
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
    c->rec.earlier_parts = 0;
    c->rec.detector_version = c->info.detector_version;
    c->rec.config = NULL;
    for (unsigned i = 0; i < c->rec.plates; i++) c->rec.plate[i].first_sample = 0;
    if (!c->opt->anonymise) return (c->rec.config = strdup(archive_recording(c->r)->config)) ? 0 : -ENOMEM;
    c->utc_shift_ns = -c->rec.created_utc_ns;
    c->host_shift_ns = -c->rec.started_host_ns;
    c->rec.created_utc_ns = c->rec.started_host_ns = 0;
    c->rec.station[0] = c->rec.ring[0] = '\0';
    snprintf(c->rec.session, sizeof c->rec.session, "anonymous-%.16s", c->info.digest);
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
    const uint64_t rows = archive_rows(c->r, plate);
    const size_t row_size = c->rec.plate[plate].cells * sizeof *counts;
    uint64_t missing = 0;
    int rc = 0;
    for (uint64_t row = 0, n; rc == 0 && row < rows; row += n) {
        const size_t before = a->next_gap;
        rc = put_before(c, plate, a, row);
        for (size_t i = before; i < a->next_gap; i++) missing += a->gap[i].gap.count;
        n = stretch(a, row, rows);
        if (rc == 0) rc = archive_counts(c->r, plate, row, n, counts, &c->e);
        if (rc == 0) rc = put(c, RECORD_BLOCK, plate, row + missing, 0, counts, n * row_size);
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
    for (unsigned i = 0; rc == 0 && i < c->rec.plates; i++) rc = archive_span(c->r, i, &span[i], &c->e);
    return rc == 0 && c->info.ended ? put(c, RECORD_END, 0, 0, 0, span, c->rec.plates * sizeof *span) : rc;
}

/* ---- the file ---- */

static int write_copy(struct copy *c, const char *tmp, const char *whole)
{
    int rc = archive_create(tmp, ARCHIVE_SEALED, &c->rec, &c->w, &c->e);
    if (rc) return rc;
    rc = put_all(c);
    const int closed = archive_close(c->w, rc ? NULL : &c->e);
    if (rc == 0) rc = closed;
    if (rc == 0) rc = archive_put_in_place(tmp, whole, NULL, &c->e);
    if (rc == 0 && c->laters) rc = archive_correct(whole, c->sealed_marks, c->later, c->laters, &c->e);
    if (rc) unlink(tmp);
    return rc;
}

int trace_copy(const struct trace_export *opt, struct archive_reader *r, char *ret_error, size_t error_size)
{
    struct copy *c = calloc(1, sizeof *c);
    char tmp[MAX_PATH], whole[MAX_PATH];
    if (!c) {
        snprintf(ret_error, error_size, "not enough memory");
        return -ENOMEM;
    }
    c->opt = opt;
    c->r = r;
    archive_info(r, &c->info);
    int rc = 0;
    if (!c->info.sealed || c->info.continued) {
        snprintf(c->e.text, sizeof c->e.text, "%.200s: not sealed yet: stop the recording, or plate-trace recover", opt->path);
        rc = -EBUSY;
    } else if (archive_reshaped(r)) {
        snprintf(c->e.text, sizeof c->e.text,
                 "%.120s: a plate changes its number of cells, which one file cannot hold: copy its parts", opt->path);
        rc = -EINVAL;
    } else if (access(opt->out, F_OK) == 0) {
        snprintf(c->e.text, sizeof c->e.text, "%.200s: exists: choose another name", opt->out);
        rc = -EEXIST;
    } else if ((size_t)snprintf(tmp, sizeof tmp, "%s.tmp", opt->out) >= sizeof tmp - 8 ||
               (size_t)snprintf(whole, sizeof whole, "%s.new.h5", opt->out) >= sizeof whole) {
        snprintf(c->e.text, sizeof c->e.text, "%.200s: the path is too long", opt->out);
        rc = -ENAMETOOLONG;
    }
    if (rc == 0 && (rc = describe(c)) == 0) {
        rc = write_copy(c, tmp, whole);
        if (rc == 0 && rename(whole, opt->out) < 0) {
            rc = -errno;
            snprintf(c->e.text, sizeof c->e.text, "%.200s: %s", opt->out, strerror(errno));
        }
        if (rc) unlink(whole);
    }
    if (rc) snprintf(ret_error, error_size, "%s", *c->e.text ? c->e.text : strerror(-rc));
    for (size_t i = 0; i < c->laters; i++) free(c->later[i].payload);
    free(c->later);
    recording_done(&c->rec);
    free(c);
    return rc;
}
