/* Left against right of each trace, computed again; and what lies between the sessions, in the order given. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace.h"
#include "trace_between.h"

const char *trace_number(double v, int decimals, char text[64])
{
    if (plate_json_number(v, decimals, text, 64) < 0 || !strcmp(text, "null")) strcpy(text, "-");
    return text;
}

struct latest { /* the last row of each metric, in the order of the last comparison */
    struct plate_asymmetry row[2 * PLATE_METRICS];
    double t_s[2 * PLATE_METRICS];
    unsigned n;
    char subject[PLATE_TEXT_SIZE], exercise[PLATE_TEXT_SIZE]; /* the last that was said */
    char digest[65];                                          /* "": not sealed */
};

static void on_asymmetry(void *user, const struct plate_event *e)
{
    struct latest *l = user;
    if (e->type == PLATE_EVENT_REP) memcpy(l->exercise, e->u.rep.exercise, sizeof l->exercise);
    if (e->type != PLATE_EVENT_ASYMMETRY) return;
    unsigned i = 0;
    while (i < l->n && strcmp(l->row[i].metric, e->u.asymmetry.metric)) i++;
    if (i == sizeof l->row / sizeof *l->row) return;
    l->row[i] = e->u.asymmetry;
    l->t_s[i] = e->t_s;
    if (i == l->n) l->n++;
}

static void asymmetry_line(const struct plate_asymmetry *a)
{
    char t[6][64];
    printf("%-20s %8s %% [%s, %s]  %-13s left %s (n %d)  right %s (n %d)%s\n", a->metric, trace_number(a->value_pct, 1, t[0]),
           trace_number(a->ci95_low_pct, 1, t[1]), trace_number(a->ci95_high_pct, 1, t[2]),
           a->direction ? plate_verdict_name((enum plate_verdict_lr)a->verdict) : "-", trace_number(a->left_mean, 3, t[3]),
           a->n_left, trace_number(a->right_mean, 3, t[4]), a->n_right, a->primary ? "  primary" : "");
}

/* A body with the file's name before its members, so that lines of several files can be told apart. */
static void asymmetry_json(const struct plate_event *e, const char *file)
{
    static char text[PLATE_EVENT_JSON_MAX], name[6 * 4096 + 3];
    if (plate_event_json(e, text, sizeof text) < 0) return;
    if (file && plate_json_string(file, name, sizeof name) > 0)
        printf("{\"file\":%s,%s\n", name, text + 1);
    else
        puts(text);
}

static int find_subject(struct archive_reader *r, char ret[PLATE_TEXT_SIZE], struct archive_error *ret_error)
{
    struct record_session *entry;
    size_t n;
    int rc = archive_session(r, &entry, &n, ret_error);
    if (rc) return rc;
    for (size_t i = 0; i < n; i++)
        if (!strcmp(entry[i].key, "subject")) memcpy(ret, entry[i].value, PLATE_TEXT_SIZE);
    free(entry);
    return 0;
}

__attribute__((format(printf, 2, 3))) static void complain(const struct trace_asymmetry *opt, const char *format, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    opt->say(text);
}

static int recompute(const struct trace_asymmetry *opt, const char *path, struct latest *l)
{
    struct archive_reader *r;
    struct archive_error e = {""};
    int rc = archive_open(path, &r, &e);
    if (rc) return complain(opt, "%s", e.text), rc;
    const struct plate_station_sink sink = {.event = on_asymmetry, .user = l};
    rc = trace_replay(r, opt->truth, &sink, NULL, e.text, sizeof e.text);
    if (!rc) rc = find_subject(r, l->subject, &e);
    struct archive_info info;
    archive_info(r, &info);
    memcpy(l->digest, info.digest, sizeof l->digest);
    if (rc) complain(opt, "%s: %s", path, e.text);
    archive_reader_close(r);
    return rc;
}

/* Both limbs have reps, in turn, and one of them went first more often. */
static bool one_leg_first(const struct plate_asymmetry *a)
{
    return a->mode != PLATE_BILATERAL && a->n_left && a->n_right && !a->counterbalanced;
}

static void print_file(const struct trace_asymmetry *opt, const char *path, const struct latest *l)
{
    unsigned shown = 0;
    bool unequal = false;
    if (opt->files > 1 && !opt->json) printf("%s\n", path);
    for (int primary = 1; primary >= 0; primary--)
        for (unsigned i = 0; i < l->n; i++) {
            if ((l->row[i].primary != 0) != (primary == 1) || (opt->metric && strcmp(opt->metric, l->row[i].metric))) continue;
            const struct plate_event e = {.type = PLATE_EVENT_ASYMMETRY, .t_s = l->t_s[i], .u.asymmetry = l->row[i]};
            if (opt->json)
                asymmetry_json(&e, opt->files > 1 ? path : NULL);
            else
                asymmetry_line(&l->row[i]);
            shown++;
            unequal |= one_leg_first(&l->row[i]);
        }
    if (unequal && !opt->json) puts("one leg went first more often: order and side cannot be told apart (docs/asymmetry.md)");
    if (!shown && !opt->json) printf("%s: nothing to compare: it takes reps of both limbs\n", path);
}

/* ---- between sessions ---- */

static const struct plate_asymmetry *row_of(const struct latest *l, const char *metric)
{
    for (unsigned i = 0; i < l->n; i++)
        if (!strcmp(l->row[i].metric, metric)) return &l->row[i];
    return NULL;
}

static void pair_json(const char *name, double low, double high)
{
    char t[2][64];
    plate_json_number(low, 3, t[0], 64);
    plate_json_number(high, 3, t[1], 64);
    printf("\"%s\":[%s,%s],", name, t[0], t[1]);
}

static void number_json(const char *name, double v)
{
    char t[64];
    plate_json_number(v, 3, t, 64);
    printf("\"%s\":%s,", name, t);
}

static void between_json(const char *metric, bool primary, const double *value_pct, unsigned n, const struct trace_between *b)
{
    char t[64];
    printf("{\"file\":null,\"metric\":\"%s\",\"primary\":%s,\"sessions\":%u,\"values_pct\":[", metric,
           primary ? "true" : "false", b->sessions);
    for (unsigned i = 0; i < n; i++) {
        plate_json_number(value_pct[i], 3, t, sizeof t);
        printf("%s%s", i ? "," : "", t);
    }
    printf("],");
    number_json("change_pct", b->change_pct);
    number_json("trend_pct_per_session", b->trend_pct);
    pair_json("trend_ci95_pct", b->trend_low_pct, b->trend_high_pct);
    number_json("typical_error_pct", b->error_pct);
    pair_json("typical_error_ci95_pct", b->error_low_pct, b->error_high_pct);
    number_json("mdc95_pct", b->mdc95_pct);
    printf("\"beyond_mdc95\":%s}\n", isnan(b->mdc95_pct) ? "null" : fabs(b->change_pct) > b->mdc95_pct ? "true" : "false");
}

static void between_line(const char *metric, bool primary, const struct trace_between *b)
{
    char t[6][64];
    printf("%-20s %u sessions: change %s, per session %s [%s, %s]; typical error %s, smallest change to notice %s%s\n", metric,
           b->sessions, trace_number(b->change_pct, 1, t[0]), trace_number(b->trend_pct, 1, t[1]),
           trace_number(b->trend_low_pct, 1, t[2]), trace_number(b->trend_high_pct, 1, t[3]),
           trace_number(b->error_pct, 1, t[4]), trace_number(b->mdc95_pct, 1, t[5]), primary ? "  primary" : "");
}

/* What must be the same for sessions to be compared; NULL: it is. */
static const char *differs(const struct latest *a, const struct latest *b)
{
    if (strcmp(a->subject, b->subject)) return "subject";
    if (a->n && b->n && strcmp(a->exercise, b->exercise)) return "exercise";
    return a->n && b->n && a->row[0].mode != b->row[0].mode ? "mode" : NULL;
}

static void print_between(const struct trace_asymmetry *opt, const struct latest *l, double *value_pct)
{
    if (!opt->json) printf("between sessions, in percentage points\n");
    for (int primary = 1; primary >= 0; primary--)
        for (const struct plate_metric *m = plate_metrics; m->name; m++) {
            bool is_primary = false;
            for (unsigned i = 0; i < opt->files; i++) {
                const struct plate_asymmetry *row = row_of(&l[i], m->name);
                value_pct[i] = row ? row->value_pct : NAN;
                if (row) is_primary = row->primary;
            }
            struct trace_between b = trace_between(value_pct, opt->files);
            if (is_primary != (primary == 1) || !b.sessions || (opt->metric && strcmp(opt->metric, m->name))) continue;
            if (opt->json)
                between_json(m->name, is_primary, value_pct, opt->files, &b);
            else
                between_line(m->name, is_primary, &b);
        }
}

/* Are these two sessions of one subject? Else it says why not. */
static bool two_sessions(const struct trace_asymmetry *opt, const struct latest *l, unsigned one, unsigned other)
{
    const char *what = differs(&l[one], &l[other]), *silent = "so nothing is said from session to session";
    if (*l[one].digest && strcmp(l[one].digest, l[other].digest) == 0)
        complain(opt, "%s: the same recording as %s, %s", opt->file[other], opt->file[one], silent);
    else if (what)
        complain(opt, "%s: another %s than %s, %s", opt->file[other], what, opt->file[one], silent);
    else
        return true;
    return false;
}

static int between(const struct trace_asymmetry *opt, const struct latest *l)
{
    for (unsigned i = 1; i < opt->files; i++)
        for (unsigned j = 0; j < i; j++)
            if (!two_sessions(opt, l, j, i)) return 0;
    double *value_pct = calloc(opt->files, sizeof *value_pct);
    if (!value_pct) return complain(opt, "asymmetry: not enough memory"), -ENOMEM;
    print_between(opt, l, value_pct);
    free(value_pct);
    return 0;
}

static bool metric_known(const char *name)
{
    for (const struct plate_metric *m = plate_metrics; m->name; m++)
        if (strcmp(m->name, name) == 0) return true;
    return false;
}

int trace_asymmetry(const struct trace_asymmetry *opt)
{
    if (opt->metric && !metric_known(opt->metric)) {
        complain(opt, "asymmetry: --metric: %s: there is no such metric; docs/metrics.md lists them", opt->metric);
        return -EINVAL;
    }
    struct latest *l = calloc(opt->files, sizeof *l);
    if (!l) return complain(opt, "asymmetry: not enough memory"), -ENOMEM;
    int failed = 0;
    for (unsigned i = 0; i < opt->files; i++) {
        int rc = recompute(opt, opt->file[i], &l[i]);
        if (rc)
            failed = -EBADMSG;
        else
            print_file(opt, opt->file[i], &l[i]);
    }
    if (!failed && opt->files > 1) failed = between(opt, l);
    free(l);
    return failed;
}
