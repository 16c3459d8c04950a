/* Corrections: put into effect on the reps of a trace, and made in a sealed one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trace.h"

/* ---- reps as they are now ---- */

static enum plate_side side_of(const struct plate_station_config *cfg, const char *plate)
{
    for (unsigned i = 0; i < cfg->plates; i++)
        if (strcmp(cfg->plate[i].name, plate) == 0) return cfg->plate[i].side;
    return PLATE_SIDE_NONE;
}

void trace_reps_correct(const struct plate_station_config *cfg, const struct archive_correction *c, size_t n,
                        struct trace_reps *reps)
{
    size_t kept = 0;
    for (size_t i = 0; i < reps->n; i++) {
        struct plate_rep *rep = &reps->rep[i].rep;
        bool discarded = false;
        for (size_t k = 0; k < n; k++)
            plate_correction_apply(&c[k].correction, &cfg->targets, side_of(cfg, rep->plate), rep, &discarded);
        if (!discarded) reps->rep[kept++] = reps->rep[i];
    }
    reps->discarded = reps->n - kept;
    reps->n = kept;
}

/* What a replay says, as far as it is kept. */
struct collected {
    struct trace_reps reps;
    struct archive_correction *correction;
    size_t corrections;
    bool no_memory;
};

static void *grown(void *list, size_t n, size_t size, bool *no_memory)
{
    void *more = (n & (n - 1)) ? list : realloc(list, (n ? 2 * n : 1) * size); /* doubles at each power of two */
    if (!more) *no_memory = true;
    return more;
}

static void collect(void *user, const struct plate_event *e)
{
    struct collected *all = user;
    if (all->no_memory) return;
    if (e->type == PLATE_EVENT_REP) {
        struct archive_rep *list = grown(all->reps.rep, all->reps.n, sizeof *list, &all->no_memory);
        if (!list) return;
        all->reps.rep = list;
        list[all->reps.n++] = (struct archive_rep){e->t_s, e->u.rep};
    } else if (e->type == PLATE_EVENT_CORRECTION) {
        struct archive_correction *list = grown(all->correction, all->corrections, sizeof *list, &all->no_memory);
        if (!list) return;
        all->correction = list;
        list[all->corrections++] = (struct archive_correction){e->t_s, e->u.correction};
    }
}

int trace_reps(struct archive_reader *a, enum trace_truth truth, struct trace_reps *ret, char *ret_error, size_t error_size)
{
    struct collected all = {.no_memory = false};
    struct plate_station_config cfg;
    const struct plate_station_sink sink = {.event = collect, .user = &all};
    int e = trace_station_config(a, &cfg, ret_error, error_size);
    if (e == 0) e = trace_replay(a, truth, &sink, NULL, ret_error, error_size);
    if (e == 0 && all.no_memory) {
        snprintf(ret_error, error_size, "not enough memory");
        e = -ENOMEM;
    }
    if (e == 0 && truth == TRACE_CORRECTED) trace_reps_correct(&cfg, all.correction, all.corrections, &all.reps);
    free(all.correction);
    if (e)
        free(all.reps.rep);
    else
        *ret = all.reps;
    return e;
}

/* ---- correcting ---- */

/* Rows for the archive; each payload is a copy. */
struct correcting {
    const struct trace_correct *opt;
    struct archive_row *row;
    size_t rows;
    bool on; /* the replay is over: what is said now is new */
    bool no_memory;
    int64_t utc_ns;
    double t_s;
    uint64_t sample;
    char *error;
    size_t error_size;
};

static void add(struct correcting *c, uint16_t type, double t_s, const void *payload, size_t size)
{
    struct archive_row *list = c->no_memory ? NULL : grown(c->row, c->rows, sizeof *list, &c->no_memory);
    if (!list) return;
    c->row = list;
    void *copy = malloc(size);
    if (!copy) {
        c->no_memory = true;
        return;
    }
    memcpy(copy, payload, size);
    list[c->rows++] = (struct archive_row){type, t_s, copy, size};
}

static void add_session(struct correcting *c, struct record_session *s)
{
    s->t_s = c->t_s;
    s->sample = c->sample;
    s->utc_ns = c->utc_ns;
    add(c, RECORD_SESSION, c->t_s, s, sizeof *s);
}

static void on_event(void *user, const struct plate_event *e)
{
    struct correcting *c = user;
    struct record_session entry;
    struct record_header h;
    const void *payload;
    if (!c->on) return;
    if (record_of_event(e, &h, &payload)) add(c, h.type, h.t_s, payload, h.size);
    if (e->type != PLATE_EVENT_CORRECTION) return;
    const struct plate_correction *k = &e->u.correction;
    record_session_correction(k, c->opt->who, &entry);
    add_session(c, &entry);
    if (k->field == PLATE_FIELD_INVOLVED || k->field == PLATE_FIELD_BODY_MASS) {
        entry = (struct record_session){.value = ""};
        strcpy(entry.key, plate_field_words[k->field]);
        strcpy(entry.value, k->value);
        add_session(c, &entry);
    }
}

/* Subject, load and note: entries that nothing is computed from. */
static void add_entry(struct correcting *c, const struct plate_mark *m)
{
    struct record_session s = {.value = ""};
    snprintf(s.key, sizeof s.key, "%s", record_session_key(m->kind));
    memcpy(s.value, m->value, sizeof s.value);
    add_session(c, &s);
    s = (struct record_session){.key = "correction"};
    snprintf(s.value, sizeof s.value, "%s %.40s%s%s", m->kind, m->value, *c->opt->who ? ", by " : "", c->opt->who);
    add_session(c, &s);
}

static int correct_one(struct correcting *c, struct plate_station *s, struct plate_mark *m)
{
    struct plate_correction k;
    m->t_s = c->t_s = plate_station_now_s(s);
    m->sample = c->sample = plate_station_next_sample(s, 0);
    m->utc_ns = c->utc_ns;
    add(c, RECORD_MARK, m->t_s, m, sizeof *m);
    if (strcmp(m->kind, "correct") != 0) {
        add_entry(c, m);
        return 0;
    }
    int e = plate_correction_parse(m->value, m->plate, &k);
    if (e)
        snprintf(c->error, c->error_size, "\"%s\" is no correction", m->value);
    else
        e = plate_station_can_correct(s, &k, c->error, c->error_size);
    return e ? e : plate_station_mark(s, m);
}

static int correct_all(void *user, struct plate_station *s, enum trace_point point)
{
    struct correcting *c = user;
    int e = 0;
    if (point != TRACE_ALL) return 0;
    c->on = true;
    for (unsigned i = 0; i < c->opt->marks && e == 0; i++) {
        struct plate_mark m = c->opt->mark[i];
        e = correct_one(c, s, &m);
    }
    return e;
}

static int check(struct archive_reader *a, char *ret_error, size_t error_size)
{
    struct archive_info info;
    archive_info(a, &info);
    if (!info.sealed)
        snprintf(ret_error, error_size,
                 "not sealed: while it is recorded platectl corrects it; if plated has died: plate-trace recover");
    else if (info.detector_version != PLATE_DETECTOR_VERSION)
        snprintf(ret_error, error_size,
                 "made by detector %d, this is %d, which may find other sets: use the plate-trace of its time",
                 info.detector_version, PLATE_DETECTOR_VERSION);
    else
        return 0;
    return -EPERM;
}

static void say(const struct archive_row *row, void (*said)(void *user, const struct plate_event *e), void *user)
{
    struct plate_event e = {.t_s = row->t_s};
    if (row->type == RECORD_CORRECTION) {
        e.type = PLATE_EVENT_CORRECTION;
        memcpy(&e.u.correction, row->payload, sizeof e.u.correction);
    } else if (row->type == RECORD_MARK) {
        e.type = PLATE_EVENT_MARK;
        memcpy(&e.u.mark, row->payload, sizeof e.u.mark);
        if (strcmp(e.u.mark.kind, "correct") == 0) return; /* what came of it is said */
    } else
        return;
    said(user, &e);
}

int trace_correct(const struct trace_correct *opt, void (*said)(void *user, const struct plate_event *e), void *user,
                  char *ret_error, size_t error_size)
{
    struct archive_error why = {""};
    struct archive_reader *a;
    struct timespec now;
    struct plate_mark *mark = NULL;
    char error[256] = "";
    size_t marks = 0;
    clock_gettime(CLOCK_REALTIME, &now);
    struct correcting c = {
        .opt = opt, .error = error, .error_size = sizeof error, .utc_ns = now.tv_sec * 1000000000LL + now.tv_nsec};
    const struct plate_station_sink sink = {.event = on_event, .user = &c};
    int e = archive_open(opt->path, &a, &why);
    if (e) {
        snprintf(ret_error, error_size, "%s", why.text);
        return e;
    }
    e = check(a, error, sizeof error);
    if (e == 0 && (e = archive_marks(a, &mark, &marks, &why)) != 0) snprintf(error, sizeof error, "%.255s", why.text);
    if (e == 0) e = trace_replay(a, TRACE_CORRECTED, &sink, correct_all, error, sizeof error);
    archive_reader_close(a);
    if (e == 0 && c.no_memory) e = -ENOMEM;
    if (e)
        snprintf(ret_error, error_size, "%s: %s", opt->path, *error ? error : strerror(-e));
    else if ((e = archive_correct(opt->path, marks, c.row, c.rows, &why)) != 0)
        snprintf(ret_error, error_size, "%s", why.text);
    for (size_t i = 0; i < c.rows; i++) {
        if (e == 0) say(&c.row[i], said, user);
        free(c.row[i].payload);
    }
    free(c.row);
    free(mark);
    return e;
}
