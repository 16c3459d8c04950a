/* session_run.h - a session that is told of reps and marks, and what it says last; shared by the tests of sessions. */
#pragma once
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "session.h"

/* What was said last, and of some things how often. */
struct said {
    struct plate_set set[SESSION_SETS];
    struct plate_asymmetry row[PLATE_METRICS];
    unsigned rows;
    struct plate_correction correction[64];
    unsigned corrections, imbalances, plans;
    struct plate_imbalance imbalance;
    struct plate_plan plan;
    int32_t rep_side, rep_warmup;
};

static inline void on_event(void *user, const struct plate_event *e)
{
    struct said *s = user;
    if (e->type == PLATE_EVENT_SET) s->set[e->u.set.set - 1] = e->u.set;
    if (e->type == PLATE_EVENT_REP) s->rep_side = e->u.rep.side, s->rep_warmup = e->u.rep.warmup;
    if (e->type == PLATE_EVENT_CORRECTION) s->correction[s->corrections++ % 64] = e->u.correction;
    if (e->type == PLATE_EVENT_IMBALANCE) s->imbalance = e->u.imbalance, s->imbalances++;
    if (e->type == PLATE_EVENT_PLAN) s->plan = e->u.plan, s->plans++;
    if (e->type != PLATE_EVENT_ASYMMETRY) return;
    unsigned i = 0;
    while (i < s->rows && strcmp(s->row[i].metric, e->u.asymmetry.metric) != 0) i++;
    s->row[i] = e->u.asymmetry;
    s->row[i].correction = 0;
    if (i == s->rows) s->rows++;
}

struct run {
    struct plate_station_config cfg;
    struct plate_station_sink sink;
    struct session *session;
    struct said said;
    double t_s;
};

static inline void run_begin(struct run *r)
{
    r->sink = (struct plate_station_sink){.event = on_event, .user = &r->said};
    r->session = calloc(1, sizeof *r->session);
    assert_non_null(r->session);
    assert_int_equal(session_init(r->session, &r->cfg, &r->sink), 0);
    session_begin(r->session);
}

static inline struct run *run_new(void)
{
    struct run *r = calloc(1, sizeof *r);
    assert_non_null(r);
    plate_station_config_default(&r->cfg);
    strcpy(r->cfg.exercise, "single_leg_hip_thrust");
    r->cfg.plates = 1;
    strcpy(r->cfg.plate[0].name, "plate");
    r->cfg.plate[0].cells = 1;
    r->cfg.plate[0].rate_Hz = 100;
    r->cfg.targets.medial_max_mm = 10;
    return r;
}

static inline void run_free(struct run *r)
{
    free(r->session);
    free(r);
}

static inline void mark(struct run *r, const char *kind, const char *value)
{
    struct plate_mark m = {.t_s = r->t_s};
    strcpy(m.kind, kind);
    strcpy(m.value, value);
    assert_true(plate_mark_valid(&m));
    session_mark(r->session, &m);
}

/* Three seconds of work that took `drive_s` up. */
static inline void do_rep(struct run *r, double drive_s)
{
    struct plate_rep rep;
    memset(&rep, 0, sizeof rep);
    strcpy(rep.exercise, "single_leg_hip_thrust");
    session_phase(r->session, 0, PLATE_DRIVE, r->t_s + 0.1);
    rep.onset_s = r->t_s;
    rep.end_s = r->t_s += 3;
    for (const struct plate_column *c = plate_rep_columns; c->name; c++)
        if (c->type == PLATE_COL_F64 && strstr(c->name, "live") == NULL && c->offset > offsetof(struct plate_rep, end_s))
            memcpy((char *)&rep + c->offset, &(double){300 + drive_s}, sizeof(double));
    rep.concentric_s = drive_s;
    rep.cop_drift_x_mm = 12;
    session_rep(r->session, 0, &rep, r->t_s);
    session_phase(r->session, 0, PLATE_REST, r->t_s);
    r->t_s += 1;
}

static inline void rest(struct run *r, double s)
{
    r->t_s += s;
    while (session_due_s(r->session) <= r->t_s) session_rest_over(r->session);
}

static inline void correct(struct run *r, const char *format, ...)
{
    char text[PLATE_TEXT_SIZE], why[128];
    struct plate_correction c;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert_int_equal(plate_correction_parse(text, "", &c), 0);
    if (session_can_correct(r->session, &c, why, sizeof why) != 0) fail_msg("%s: %s", text, why);
    mark(r, "correct", text);
}
