#include "trace.h"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The stored rows, and how many of each kind the recomputation has given so far. */
struct check {
    struct archive_rep *rep;
    struct archive_set *set;
    struct archive_asymmetry *asymmetry;
    struct archive_imbalance *imbalance;
    struct archive_correction *correction;
    /* By enum plate_event_type: rows that were sealed and rows behind them, which later corrections brought. */
    struct {
        size_t stored, again;
    } sealed[PLATE_EVENT_TYPES], later[PLATE_EVENT_TYPES];
    bool after_sealing;             /* what is recomputed now was brought by those */
    bool absent[PLATE_EVENT_TYPES]; /* the trace is older than the table */
    void (*breach)(void *user, const char *text);
    void *user;
    unsigned breaches;
    char stored_json[PLATE_EVENT_JSON_MAX], again_json[PLATE_EVENT_JSON_MAX];
};

__attribute__((format(printf, 2, 3))) static void breach(struct check *c, const char *format, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    c->breaches++;
    if (c->breach) c->breach(c->user, text);
}

static void stored_event(const struct check *c, enum plate_event_type type, size_t i, struct plate_event *ret)
{
    *ret = (struct plate_event){.type = type};
    if (type == PLATE_EVENT_REP) ret->t_s = c->rep[i].t_s, ret->u.rep = c->rep[i].rep;
    if (type == PLATE_EVENT_SET) ret->t_s = c->set[i].t_s, ret->u.set = c->set[i].set;
    if (type == PLATE_EVENT_ASYMMETRY) ret->t_s = c->asymmetry[i].t_s, ret->u.asymmetry = c->asymmetry[i].asymmetry;
    if (type == PLATE_EVENT_IMBALANCE) ret->t_s = c->imbalance[i].t_s, ret->u.imbalance = c->imbalance[i].imbalance;
    if (type == PLATE_EVENT_CORRECTION) ret->t_s = c->correction[i].t_s, ret->u.correction = c->correction[i].correction;
}

static bool is_kept(const struct check *c, const struct plate_event *e)
{
    if (e->type == PLATE_EVENT_PHASE || e->type == PLATE_EVENT_MARK || e->type == PLATE_EVENT_PLAN || c->absent[e->type])
        return false;
    return e->type != PLATE_EVENT_SET || e->u.set.ended_by != PLATE_SET_ACTIVE; /* told live, not kept */
}

/* From the last comma or brace before the first difference: the member that differs. */
static int member(const char *json, size_t differs, const char **ret)
{
    size_t from = differs, to = differs;
    while (from && json[from - 1] != ',' && json[from - 1] != '{') from--;
    while (json[to] && json[to] != ',' && json[to] != '}') to++;
    *ret = json + from;
    return (int)(to - from > 60 ? 60 : to - from);
}

static void on_event(void *user, const struct plate_event *e)
{
    struct check *c = user;
    if (!is_kept(c, e)) return;
    size_t i = c->after_sealing ? c->later[e->type].again++ : c->sealed[e->type].again++;
    if (i >= (c->after_sealing ? c->later : c->sealed)[e->type].stored) return; /* counted at the end */
    if (c->after_sealing) i += c->sealed[e->type].stored;
    struct plate_event was;
    stored_event(c, e->type, i, &was);
    if (plate_event_json(&was, c->stored_json, sizeof c->stored_json) < 0 ||
        plate_event_json(e, c->again_json, sizeof c->again_json) < 0) {
        breach(c, "%s row %zu does not fit a line of JSON", plate_event_name(e->type), i + 1);
        return;
    }
    if (!strcmp(c->stored_json, c->again_json)) return;
    size_t at = 0;
    while (c->stored_json[at] == c->again_json[at]) at++;
    const char *a, *b;
    int a_n = member(c->stored_json, at, &a), b_n = member(c->again_json, at, &b);
    breach(c, "%s row %zu: stored %.*s, recomputed %.*s", plate_event_name(e->type), i + 1, a_n, a, b_n, b);
}

static int at_point(void *user, struct plate_station *s, enum trace_point point)
{
    struct check *c = user;
    (void)s;
    if (point == TRACE_RECORDED) c->after_sealing = true;
    return 0;
}

static int load(struct check *c, struct archive_reader *r, struct archive_error *e)
{
    size_t n[PLATE_EVENT_TYPES] = {0};
    struct archive_info info;
    archive_info(r, &info);
    c->absent[PLATE_EVENT_IMBALANCE] = c->absent[PLATE_EVENT_CORRECTION] = !archive_has_corrections(r);
    int rc = archive_reps(r, &c->rep, &n[PLATE_EVENT_REP], e);
    if (!rc) rc = archive_sets(r, &c->set, &n[PLATE_EVENT_SET], e);
    if (!rc) rc = archive_asymmetries(r, &c->asymmetry, &n[PLATE_EVENT_ASYMMETRY], e);
    if (!rc) rc = archive_imbalances(r, &c->imbalance, &n[PLATE_EVENT_IMBALANCE], e);
    if (!rc) rc = archive_corrections(r, &c->correction, &n[PLATE_EVENT_CORRECTION], e);
    for (int i = 0; !rc && i < PLATE_EVENT_TYPES; i++) {
        c->sealed[i].stored = info.sealed && info.sealed_rows[i] < n[i] ? (size_t)info.sealed_rows[i] : n[i];
        c->later[i].stored = n[i] - c->sealed[i].stored;
    }
    return rc;
}

/* A recording that was cut short (a kill, a power cut) lacks the rows that its last moments would have brought. An unsealed
 * file may have been read a moment later for one table than for another, and its last set is open: rows are compared as far as
 * both go. */
static void compare_numbers(struct check *c, bool sealed, bool ended)
{
    for (enum plate_event_type i = 0; sealed && i < PLATE_EVENT_TYPES; i++) {
        if (ended ? c->sealed[i].stored != c->sealed[i].again : c->sealed[i].stored > c->sealed[i].again)
            breach(c, "%zu %s rows are stored, %zu are recomputed", c->sealed[i].stored, plate_event_name(i),
                   c->sealed[i].again);
        if (c->later[i].stored != c->later[i].again)
            breach(c, "%zu %s rows of corrections are stored, %zu are recomputed", c->later[i].stored, plate_event_name(i),
                   c->later[i].again);
    }
}

static int recompute(struct check *c, const char *path, bool *ret_comparable, char *ret_error, size_t error_size)
{
    struct archive_error e = {""};
    struct archive_reader *r;
    struct archive_info info;
    int rc = archive_open(path, &r, &e);
    if (rc) {
        snprintf(ret_error, error_size, "%s", e.text);
        return rc;
    }
    archive_info(r, &info);
    *ret_comparable = info.detector_version == PLATE_DETECTOR_VERSION;
    if (*ret_comparable) {
        const struct plate_station_sink sink = {.event = on_event, .user = c};
        rc = load(c, r, &e);
        if (!rc) rc = trace_replay(r, TRACE_CORRECTED, &sink, at_point, e.text, sizeof e.text);
        if (!rc) compare_numbers(c, info.sealed, info.ended);
        if (rc) snprintf(ret_error, error_size, "%s: %s", path, e.text);
    }
    archive_reader_close(r);
    return rc;
}

static void account(const struct archive_account *a, const struct check *c, bool comparable, const char *path, char *ret,
                    size_t size)
{
    uint64_t rows = 0, missing = 0, estimated = 0, span = 0;
    char plates[1024] = "", lost[64] = "";
    size_t n = 0;
    for (unsigned i = 0; i < a->plates; i++) {
        rows += a->plate[i].rows;
        missing += a->plate[i].missing;
        estimated += a->plate[i].estimated;
        span += a->plate[i].span;
        if (n < sizeof plates)
            n += (size_t)snprintf(plates + n, sizeof plates - n, "%s%s %" PRIu64 " + %" PRIu64, i ? ", " : " (",
                                  a->plate[i].name, a->plate[i].rows, a->plate[i].missing);
    }
    if (a->plates < 2) plates[0] = '\0';
    if (estimated) snprintf(lost, sizeof lost, " (%" PRIu64 " of them estimated from time)", estimated);
    int at = snprintf(ret, size, "%s: %s, %" PRIu64 " samples archived + %" PRIu64 " lost%s = %" PRIu64 "%s%s, ", path,
                      a->sealed ? "sealed" : "not sealed", rows, missing, lost, span, plates, *plates ? ")" : "");
    if (at < 0 || (size_t)at >= size) return;
    const char *bytes = !a->sealed  ? "no digest until it is sealed"
                        : a->footer ? "digest ok, every byte as it was written"
                                    : "digest ok, no footer (made before there was one, or changed by another program)";
    if (comparable)
        snprintf(ret + at, size - (size_t)at, "%zu reps recomputed the same, %s", c->sealed[PLATE_EVENT_REP].stored, bytes);
    else
        snprintf(ret + at, size - (size_t)at, "reps not comparable (another detector version), %s", bytes);
}

int trace_verify(const char *path, void (*on_breach)(void *user, const char *text), void *user, char *ret_account,
                 size_t account_size, char *ret_error, size_t error_size)
{
    struct archive_account a;
    struct archive_error e = {""};
    int rc = archive_verify(path, on_breach, user, &a, &e);
    if (rc && rc != -EBADMSG) {
        snprintf(ret_error, error_size, "%s", e.text);
        return rc;
    }
    struct check *c = calloc(1, sizeof *c);
    if (!c) {
        snprintf(ret_error, error_size, "%s: not enough memory", path);
        return -ENOMEM;
    }
    c->breach = on_breach;
    c->user = user;
    bool breached = rc == -EBADMSG, comparable = false;
    rc = recompute(c, path, &comparable, ret_error, error_size);
    if (rc && breached) {
        breach(c, "the events cannot be recomputed: %s", ret_error);
        rc = 0;
    }
    if (!rc && (breached || c->breaches)) rc = -EBADMSG;
    if (!rc) account(&a, c, comparable, path, ret_account, account_size);
    free(c->rep);
    free(c->set);
    free(c->asymmetry);
    free(c->imbalance);
    free(c->correction);
    free(c);
    return rc;
}
