#include "session.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rep_form.h"

#define DEFAULT_SET_REST_S 20.0

static bool bilateral(const struct plate_station_config *cfg)
{
    bool left = false, right = false;
    for (unsigned i = 0; i < cfg->plates; i++) {
        left = left || cfg->plate[i].side == PLATE_SIDE_LEFT;
        right = right || cfg->plate[i].side == PLATE_SIDE_RIGHT;
    }
    return left && right;
}

static void compare_afresh(struct session *s, enum plate_side involved)
{
    struct plate_asymmetry_config cfg = s->cfg->asymmetry;
    cfg.involved = involved;
    plate_limbs_init(&s->limbs, &cfg); /* checked in session_init */
    s->limbs.mode = bilateral(s->cfg)                       ? PLATE_BILATERAL
                    : strcmp(s->exercise, "isometric") == 0 ? PLATE_UNILATERAL_ISOMETRIC
                                                            : PLATE_UNILATERAL_DYNAMIC;
}

int session_init(struct session *s, const struct plate_station_config *cfg, const struct plate_station_sink *sink)
{
    memset(s, 0, sizeof *s);
    s->cfg = cfg;
    s->sink = sink;
    memcpy(s->exercise, cfg->exercise, sizeof s->exercise);
    s->body_mass_kg = cfg->body_mass_kg > 0 ? cfg->body_mass_kg : NAN;
    s->side[s->sides].t_s = -INFINITY;
    s->side[s->sides++].side = cfg->side;
    s->idle_since_s = INFINITY;
    int r = plate_limbs_init(&s->limbs, &cfg->asymmetry);
    if (r == 0) compare_afresh(s, cfg->asymmetry.involved);
    return r;
}

static bool number(const char *text, double *ret)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !isfinite(v)) return false;
    *ret = v;
    return true;
}

bool plate_mark_valid(const struct plate_mark *m)
{
    enum plate_side side;
    double v;
    if (strcmp(m->kind, "side") == 0) return plate_side_parse(m->value, &side) == 0;
    if (strcmp(m->kind, "involved") == 0) return plate_side_parse(m->value, &side) == 0 && side != PLATE_SIDE_BOTH;
    if (strcmp(m->kind, "exercise") == 0) return m->value[0] != 0;
    if (strcmp(m->kind, "warmup") == 0) return strcmp(m->value, "true") == 0 || strcmp(m->value, "false") == 0;
    if (strcmp(m->kind, "body_mass_kg") == 0 || strcmp(m->kind, "load_kg") == 0) return number(m->value, &v) && v >= 0;
    return m->kind[0] != 0;
}

static enum plate_side side_at(const struct session *s, double t_s)
{
    unsigned i = s->sides - 1;
    while (i > 0 && s->side[i].t_s > t_s) i--;
    return s->side[i].side;
}

static void say_set(struct session *s, double t_s)
{
    struct plate_event e = {.type = PLATE_EVENT_SET, .t_s = t_s};
    double mean[4];
    for (int i = 0; i < 4; i++) mean[i] = s->sum_n[i] ? s->sum[i] / s->sum_n[i] : NAN;
    s->set.peak_force_N = mean[0], s->set.mean_force_N = mean[1], s->set.hold_force_N = mean[2], s->set.concentric_s = mean[3];
    e.u.set = s->set;
    s->sink->event(s->sink->user, &e);
}

static void end_set(struct session *s, enum plate_set_end by, double t_s)
{
    s->end_pending = PLATE_SET_ACTIVE;
    if (!s->set_open) return;
    s->set_open = false;
    s->set.ended_by = (int32_t)by;
    say_set(s, t_s);
}

static bool moving(const struct session *s)
{
    for (unsigned i = 0; i < s->cfg->plates; i++)
        if (s->phase[i] != PLATE_REST) return true;
    return false;
}

/* A set that is to end while somebody is in mid-rep ends with that rep. */
static void ask_end(struct session *s, enum plate_set_end by, double t_s)
{
    if (!moving(s))
        end_set(s, by, t_s);
    else
        s->end_pending = by, s->end_asked_s = t_s;
}

void session_mark(struct session *s, const struct plate_mark *m)
{
    struct plate_event e = {.type = PLATE_EVENT_MARK, .t_s = m->t_s, .u.mark = *m};
    s->sink->event(s->sink->user, &e);
    enum plate_side side = PLATE_SIDE_NONE;
    if (strcmp(m->kind, "side") == 0) {
        plate_side_parse(m->value, &side);
        if (s->sides == SESSION_SIDES) memmove(s->side, s->side + 1, sizeof s->side[0] * --s->sides);
        s->side[s->sides].t_s = m->t_s;
        s->side[s->sides++].side = side;
        ask_end(s, PLATE_SET_BY_SIDE, m->t_s);
    } else if (strcmp(m->kind, "exercise") == 0) {
        if (strcmp(s->exercise, m->value) == 0) return;
        snprintf(s->exercise, sizeof s->exercise, "%s", m->value);
        ask_end(s, PLATE_SET_BY_COMMAND, m->t_s);
        compare_afresh(s, s->limbs.cfg.involved); /* reps of two exercises are not compared */
    } else if (strcmp(m->kind, "set_end") == 0)
        ask_end(s, PLATE_SET_BY_COMMAND, m->t_s);
    else if (strcmp(m->kind, "warmup") == 0) {
        s->warmup = strcmp(m->value, "true") == 0;
        ask_end(s, PLATE_SET_BY_COMMAND, m->t_s);
    } else if (strcmp(m->kind, "involved") == 0) {
        plate_side_parse(m->value, &side);
        s->limbs.cfg.involved = side;
    } else if (strcmp(m->kind, "body_mass_kg") == 0) {
        double kg = 0;
        number(m->value, &kg);
        s->body_mass_kg = kg > 0 ? kg : NAN;
    }
}

void session_phase(struct session *s, unsigned plate, enum plate_phase phase, double t_s)
{
    struct plate_event e = {.type = PLATE_EVENT_PHASE, .t_s = t_s, .u.phase.phase = phase};
    memcpy(e.u.phase.plate, s->cfg->plate[plate].name, sizeof e.u.phase.plate);
    s->phase[plate] = phase;
    s->sink->event(s->sink->user, &e);
    if (moving(s)) return;
    s->idle_since_s = t_s;
    if (s->end_pending != PLATE_SET_ACTIVE) end_set(s, s->end_pending, t_s);
}

static void open_set(struct session *s, const struct plate_rep *rep)
{
    s->set_open = true;
    s->sets++;
    memset(s->reps, 0, sizeof s->reps);
    memset(s->sum, 0, sizeof s->sum);
    memset(s->sum_n, 0, sizeof s->sum_n);
    memset(s->holds, 0, sizeof s->holds);
    s->set = (struct plate_set){.set = s->sets,
                                .side = bilateral(s->cfg) ? PLATE_SIDE_BOTH : rep->side,
                                .warmup = s->warmup,
                                .start_s = rep->onset_s,
                                .end_s = rep->end_s};
    memcpy(s->set.exercise, rep->exercise, sizeof s->set.exercise);
}

static void add_to_set(struct session *s, const struct plate_rep *rep)
{
    const double v[4] = {rep->peak_force_N, rep->mean_force_N, rep->hold_force_N, rep->concentric_s};
    for (int i = 0; i < 4; i++)
        if (!isnan(v[i])) s->sum[i] += v[i], s->sum_n[i]++;
    s->set.start_s = fmin(s->set.start_s, rep->onset_s);
    s->set.end_s = fmax(s->set.end_s, rep->end_s);
    if (rep->rep > s->set.reps) s->set.reps = rep->rep;
}

/* The held force that the set is judged by: the median of its first three; NaN until there are so many. */
static double set_hold_N(const struct session *s, unsigned plate)
{
    const double *v = s->hold_N[plate];
    if (s->holds[plate] < SESSION_FIRST_HOLDS) return NAN;
    return fmax(fmin(v[0], v[1]), fmin(fmax(v[0], v[1]), v[2]));
}

static void judge_form(struct session *s, unsigned plate, struct plate_rep *rep)
{
    rep_judge_form_in_set(&s->cfg->targets, set_hold_N(s, plate), rep);
    if (!isnan(rep->hold_force_N) && s->holds[plate] < SESSION_FIRST_HOLDS)
        s->hold_N[plate][s->holds[plate]++] = rep->hold_force_N;
}

void session_rep(struct session *s, unsigned plate, struct plate_rep *rep, double t_s)
{
    enum plate_side fixed = s->cfg->plate[plate].side;
    memcpy(rep->plate, s->cfg->plate[plate].name, sizeof rep->plate);
    rep->side = (int32_t)(fixed != PLATE_SIDE_NONE ? fixed : side_at(s, rep->onset_s));
    rep->warmup = s->warmup;
    rep->peak_force_N_per_kg = rep->peak_force_N / s->body_mass_kg;
    rep->mean_force_N_per_kg = rep->mean_force_N / s->body_mass_kg;
    rep->hold_force_N_per_kg = rep->hold_force_N / s->body_mass_kg;
    if (s->end_pending != PLATE_SET_ACTIVE && rep->onset_s >= s->end_asked_s)
        end_set(s, s->end_pending, t_s); /* what moved then was no rep */
    bool opens = !s->set_open;
    if (opens) open_set(s, rep);
    rep->set = s->set.set;
    rep->rep = ++s->reps[plate];
    add_to_set(s, rep);
    judge_form(s, plate, rep);
    if (opens) say_set(s, t_s);
    struct plate_event e = {.type = PLATE_EVENT_REP, .t_s = t_s, .u.rep = *rep};
    s->sink->event(s->sink->user, &e);

    plate_limbs_push(&s->limbs, rep);
    struct plate_asymmetry row[PLATE_METRICS];
    unsigned n = plate_limbs_compare(&s->limbs, row);
    for (unsigned i = 0; i < n; i++) {
        e = (struct plate_event){.type = PLATE_EVENT_ASYMMETRY, .t_s = t_s, .u.asymmetry = row[i]};
        s->sink->event(s->sink->user, &e);
    }
}

double session_due_s(const struct session *s)
{
    if (!s->set_open || moving(s)) return INFINITY;
    return s->idle_since_s + (s->cfg->set_rest_s > 0 ? s->cfg->set_rest_s : DEFAULT_SET_REST_S);
}

void session_rest_over(struct session *s) { end_set(s, PLATE_SET_BY_REST, session_due_s(s)); }

void session_finish(struct session *s, double t_s) { end_set(s, PLATE_SET_BY_STOP, t_s); }
