#include "session.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rep_form.h"

#define DEFAULT_SET_REST_S 20.0
#define PLAN_REST_S 3.0 /* after the planned reps: longer than the pause between two, shorter than it takes to change legs */

bool session_bilateral(const struct plate_station_config *cfg)
{
    bool left = false, right = false;
    for (unsigned i = 0; i < cfg->plates; i++) {
        left = left || cfg->plate[i].side == PLATE_SIDE_LEFT;
        right = right || cfg->plate[i].side == PLATE_SIDE_RIGHT;
    }
    return left && right;
}

void session_compare_afresh(struct session *s, enum plate_side involved)
{
    struct plate_asymmetry_config cfg = s->cfg->asymmetry;
    cfg.involved = involved;
    cfg.planned_sets = s->cfg->plan.sets, cfg.planned_reps = s->cfg->plan.reps;
    plate_limbs_init(&s->limbs, &cfg); /* checked in session_init */
    s->limbs.mode = session_bilateral(s->cfg)               ? PLATE_BILATERAL
                    : strcmp(s->exercise, "isometric") == 0 ? PLATE_UNILATERAL_ISOMETRIC
                                                            : PLATE_UNILATERAL_DYNAMIC;
}

int session_init(struct session *s, const struct plate_station_config *cfg, const struct plate_station_sink *sink)
{
    s->cfg = cfg;
    s->sink = sink;
    memcpy(s->exercise, cfg->exercise, sizeof s->exercise);
    s->body_mass_kg = cfg->body_mass_kg > 0 ? cfg->body_mass_kg : NAN;
    s->side[s->sides].t_s = -INFINITY;
    s->side[s->sides++].side = cfg->side;
    s->idle_since_s = INFINITY;
    session_plan_begin(s);
    int r = plate_limbs_init(&s->limbs, &cfg->asymmetry);
    if (r == 0) session_compare_afresh(s, cfg->asymmetry.involved);
    return r;
}

void session_begin(struct session *s) { session_plan_say(s, 0); }

void session_say(struct session *s, struct plate_event *e) { s->sink->event(s->sink->user, e); }

bool session_number(const char *text, double *ret)
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
    struct plate_correction c;
    double v;
    if (strcmp(m->kind, "correct") == 0) return plate_correction_parse(m->value, m->plate, &c) == 0;
    if (strcmp(m->kind, "side") == 0) return plate_side_parse(m->value, &side) == 0;
    if (strcmp(m->kind, "involved") == 0) return plate_side_parse(m->value, &side) == 0 && side != PLATE_SIDE_BOTH;
    if (strcmp(m->kind, "exercise") == 0) return m->value[0] != 0;
    if (strcmp(m->kind, "warmup") == 0) return strcmp(m->value, "true") == 0 || strcmp(m->value, "false") == 0;
    if (strcmp(m->kind, "body_mass_kg") == 0 || strcmp(m->kind, "load_kg") == 0) return session_number(m->value, &v) && v >= 0;
    return m->kind[0] != 0;
}

const char *plate_mark_limit(const struct plate_mark *m)
{
    double kg;
    if (strcmp(m->kind, "body_mass_kg") != 0 && strcmp(m->kind, "load_kg") != 0) return NULL;
    return plate_number_parse(m->value, &kg) == 0 && kg >= 0 && kg <= PLATE_KG_MOST ? NULL : "kilograms, 0 to 2000";
}

static enum plate_side side_at(const struct session *s, double t_s)
{
    unsigned i = s->sides - 1;
    while (i > 0 && s->side[i].t_s > t_s) i--;
    return s->side[i].side;
}

enum plate_side session_side(const struct session *s) { return s->side[s->sides - 1].side; }

void session_turn(struct session *s, double t_s, enum plate_side side)
{
    t_s = fmax(t_s, s->side[s->sides - 1].t_s);
    if (s->sides == SESSION_SIDES) memmove(s->side, s->side + 1, sizeof s->side[0] * --s->sides);
    s->side[s->sides].t_s = t_s;
    s->side[s->sides++].side = side;
}

/* ---- sets ---- */

static void add_share(struct session_sums *sums, const struct plate_rep *rep)
{
    double own_Ns = rep->mean_force_N * rep->tut_s, both_Ns = own_Ns / (rep->share_pct / 100);
    if (!isfinite(both_Ns) || (rep->side != PLATE_SIDE_LEFT && rep->side != PLATE_SIDE_RIGHT)) return;
    sums->left_Ns += rep->side == PLATE_SIDE_LEFT ? own_Ns : both_Ns - own_Ns;
    sums->both_Ns += both_Ns;
}

void session_add(struct session_sums *sums, unsigned plate, const struct plate_rep *rep)
{
    const double v[4] = {rep->peak_force_N, rep->mean_force_N, rep->hold_force_N, rep->concentric_s};
    for (int i = 0; i < 4; i++) dropoff_add(&sums->line[i], rep->rep, v[i]);
    add_share(sums, rep);
    sums->reps[plate]++;
}

void session_fill_set(const struct session_sums *sums, struct plate_set *set)
{
    const struct dropoff *line = sums->line;
    set->peak_force_N = dropoff_mean(&line[0]), set->peak_force_dropoff_pct = dropoff_pct(&line[0], +1);
    set->mean_force_N = dropoff_mean(&line[1]), set->mean_force_dropoff_pct = dropoff_pct(&line[1], +1);
    set->hold_force_N = dropoff_mean(&line[2]), set->hold_force_dropoff_pct = dropoff_pct(&line[2], +1);
    set->concentric_s = dropoff_mean(&line[3]), set->concentric_dropoff_pct = dropoff_pct(&line[3], -1);
    set->left_share_pct = sums->both_Ns > 0 ? 100 * sums->left_Ns / sums->both_Ns : NAN;
    set->reps = 0;
    for (unsigned i = 0; i < PLATE_MAX_PLATES; i++)
        if (sums->reps[i] > set->reps) set->reps = sums->reps[i];
}

static void say_set(struct session *s, double t_s)
{
    if (s->sets <= SESSION_SETS) s->past[s->sets - 1] = s->set;
    struct plate_event e = {.type = PLATE_EVENT_SET, .t_s = t_s, .u.set = s->set};
    session_say(s, &e);
}

static void end_set(struct session *s, enum plate_set_end by, double t_s)
{
    s->end_pending = PLATE_SET_ACTIVE;
    if (!s->set_open) return;
    s->set_open = false;
    s->set.ended_by = (int32_t)by;
    s->set.correction = 0;
    say_set(s, t_s);
    s->plan_done += !s->set.warmup;
    if (by != PLATE_SET_BY_SIDE && by != PLATE_SET_BY_STOP) session_plan_advance(s, t_s);
}

static bool moving(const struct session *s)
{
    for (unsigned i = 0; i < s->cfg->plates; i++)
        if (s->phase[i] != PLATE_REST) return true;
    return false;
}

/* A set that is to end while somebody is in mid-rep ends with that rep, for the reason that was given first. */
static void ask_end(struct session *s, enum plate_set_end by, double t_s)
{
    if (!moving(s))
        end_set(s, by, t_s);
    else if (s->end_pending == PLATE_SET_ACTIVE)
        s->end_pending = by, s->end_asked_s = t_s;
}

static void mark_side(struct session *s, enum plate_side side, double t_s)
{
    const bool set_over = s->set_open && s->end_pending == PLATE_SET_ACTIVE;
    session_turn(s, t_s, side);
    ask_end(s, PLATE_SET_BY_SIDE, t_s);
    session_plan_follow(s, side, set_over, t_s);
}

/* Of a comparison that was said already it is a correction. */
static void mark_involved(struct session *s, const struct plate_mark *m)
{
    struct plate_correction c = {.field = PLATE_FIELD_INVOLVED};
    enum plate_side side;
    if (plate_side_parse(m->value, &side) != 0 || side == s->limbs.cfg.involved) return;
    snprintf(c.value, sizeof c.value, "%.*s", PLATE_VALUE_SIZE - 1, m->value);
    if (s->saids)
        session_correct(s, &c, m->t_s);
    else
        s->limbs.cfg.involved = side;
}

void session_mark(struct session *s, const struct plate_mark *m)
{
    struct plate_event e = {.type = PLATE_EVENT_MARK, .t_s = m->t_s, .u.mark = *m};
    session_say(s, &e);
    enum plate_side side;
    struct plate_correction c;
    char why[128];
    if (strcmp(m->kind, "side") == 0 && plate_side_parse(m->value, &side) == 0)
        mark_side(s, side, m->t_s);
    else if (strcmp(m->kind, "exercise") == 0) {
        if (strcmp(s->exercise, m->value) == 0) return;
        snprintf(s->exercise, sizeof s->exercise, "%s", m->value);
        ask_end(s, PLATE_SET_BY_COMMAND, m->t_s);
        session_compare_afresh(s, s->limbs.cfg.involved); /* reps of two exercises are not compared */
        s->compared_from = s->kept;
        s->saids = 0;
    } else if (strcmp(m->kind, "set_end") == 0)
        ask_end(s, PLATE_SET_BY_COMMAND, m->t_s);
    else if (strcmp(m->kind, "warmup") == 0) {
        s->warmup = strcmp(m->value, "true") == 0;
        ask_end(s, PLATE_SET_BY_COMMAND, m->t_s);
    } else if (strcmp(m->kind, "involved") == 0)
        mark_involved(s, m);
    else if (strcmp(m->kind, "correct") == 0) {
        if (plate_correction_parse(m->value, m->plate, &c) == 0 && session_can_correct(s, &c, why, sizeof why) == 0)
            session_correct(s, &c, m->t_s);
    } else if (strcmp(m->kind, "body_mass_kg") == 0) {
        double kg = 0;
        session_number(m->value, &kg);
        s->body_mass_kg = kg > 0 ? kg : NAN;
    }
}

void session_phase(struct session *s, unsigned plate, enum plate_phase phase, double t_s)
{
    struct plate_event e = {.type = PLATE_EVENT_PHASE, .t_s = t_s, .u.phase.phase = phase};
    memcpy(e.u.phase.plate, s->cfg->plate[plate].name, sizeof e.u.phase.plate);
    s->phase[plate] = phase;
    session_say(s, &e);
    if (moving(s)) return;
    s->idle_since_s = t_s;
    if (s->end_pending != PLATE_SET_ACTIVE) end_set(s, s->end_pending, t_s);
}

static void open_set(struct session *s, const struct plate_rep *rep)
{
    s->set_open = true;
    s->sets++;
    s->side_corrected = s->warmup_corrected = false;
    memset(s->reps, 0, sizeof s->reps);
    memset(&s->sums, 0, sizeof s->sums);
    memset(s->holds, 0, sizeof s->holds);
    s->set = (struct plate_set){.set = s->sets,
                                .side = session_bilateral(s->cfg) ? PLATE_SIDE_BOTH : rep->side,
                                .warmup = s->warmup,
                                .start_s = rep->onset_s,
                                .end_s = rep->end_s};
    memcpy(s->set.exercise, rep->exercise, sizeof s->set.exercise);
}

static void add_to_set(struct session *s, unsigned plate, const struct plate_rep *rep)
{
    session_add(&s->sums, plate, rep);
    session_fill_set(&s->sums, &s->set);
    s->set.start_s = fmin(s->set.start_s, rep->onset_s);
    s->set.end_s = fmax(s->set.end_s, rep->end_s);
}

static void remember(struct session *s, enum plate_side fixed, const struct plate_rep *rep)
{
    s->overflow = s->kept == SESSION_REPS || s->sets > SESSION_SETS;
    if (!s->overflow) s->rep[s->kept++] = (struct session_rep){.rep = *rep, .fixed = fixed};
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

/* ---- left against right ---- */

/* What was said of a metric that no longer has reps of both limbs is taken back: a row without numbers. */
static unsigned take_back(const struct session *s, struct plate_asymmetry row[PLATE_METRICS], unsigned n)
{
    const unsigned now = n;
    for (unsigned i = 0; i < s->saids; i++) {
        unsigned k = 0;
        while (k < now && strcmp(row[k].metric, s->said[i].metric) != 0) k++;
        if (k < now) continue;
        struct plate_asymmetry *r = &row[n++];
        *r = s->said[i];
        for (const struct plate_column *c = plate_asymmetry_columns; c->name; c++)
            if (c->type == PLATE_COL_F64 && c->offset != offsetof(struct plate_asymmetry, threshold_pct))
                memcpy((char *)r + c->offset, &(double){NAN}, sizeof(double));
        r->verdict = PLATE_UNDETERMINED;
        r->n_left = plate_limbs_count(&s->limbs, PLATE_SIDE_LEFT, r->metric);
        r->n_right = plate_limbs_count(&s->limbs, PLATE_SIDE_RIGHT, r->metric);
    }
    return n;
}

static void say_imbalance(struct session *s, const struct plate_asymmetry *row, double t_s)
{
    if (!row->primary || row->verdict == s->verdict) return;
    struct plate_event e = {
        .type = PLATE_EVENT_IMBALANCE, .t_s = t_s, .u.imbalance = {.verdict_before = s->verdict, .now = *row}};
    s->verdict = row->verdict;
    session_say(s, &e);
}

void session_say_comparison(struct session *s, double t_s, int32_t correction)
{
    struct plate_asymmetry row[PLATE_METRICS];
    const unsigned n = plate_limbs_compare(&s->limbs, row), all = take_back(s, row, n);
    for (unsigned i = 0; i < all; i++) {
        row[i].correction = correction;
        struct plate_event e = {.type = PLATE_EVENT_ASYMMETRY, .t_s = t_s, .u.asymmetry = row[i]};
        session_say(s, &e);
    }
    for (unsigned i = 0; i < all; i++) say_imbalance(s, &row[i], t_s);
    memcpy(s->said, row, n * sizeof *row);
    s->saids = n;
}

void session_rep(struct session *s, unsigned plate, struct plate_rep *rep, double t_s)
{
    enum plate_side fixed = s->cfg->plate[plate].side;
    memcpy(rep->plate, s->cfg->plate[plate].name, sizeof rep->plate);
    rep->peak_force_N_per_kg = rep->peak_force_N / s->body_mass_kg;
    rep->mean_force_N_per_kg = rep->mean_force_N / s->body_mass_kg;
    rep->hold_force_N_per_kg = rep->hold_force_N / s->body_mass_kg;
    if (s->end_pending != PLATE_SET_ACTIVE && rep->onset_s >= s->end_asked_s)
        end_set(s, s->end_pending, t_s); /* what moved then was no rep */
    bool opens = !s->set_open;
    rep->warmup = !opens && s->warmup_corrected ? s->set.warmup : s->warmup;
    rep->side = (int32_t)(fixed != PLATE_SIDE_NONE ? fixed : side_at(s, rep->onset_s));
    if (fixed == PLATE_SIDE_NONE && !opens && s->side_corrected) rep->side = s->set.side;
    if (opens) open_set(s, rep);
    rep->set = s->set.set;
    rep->rep = ++s->reps[plate];
    add_to_set(s, plate, rep);
    judge_form(s, plate, rep);
    if (opens) say_set(s, t_s);
    remember(s, fixed, rep);
    struct plate_event e = {.type = PLATE_EVENT_REP, .t_s = t_s, .u.rep = *rep};
    session_say(s, &e);
    plate_limbs_push(&s->limbs, rep);
    session_say_comparison(s, t_s, 0);
}

double session_due_s(const struct session *s)
{
    if (!s->set_open || moving(s)) return INFINITY;
    const double rest_s = s->cfg->set_rest_s > 0 ? s->cfg->set_rest_s : DEFAULT_SET_REST_S;
    return s->idle_since_s + (session_plan_complete(s) ? fmin(rest_s, PLAN_REST_S) : rest_s);
}

void session_rest_over(struct session *s)
{
    end_set(s, session_plan_complete(s) ? PLATE_SET_BY_PLAN : PLATE_SET_BY_REST, session_due_s(s));
}

void session_finish(struct session *s, double t_s) { end_set(s, PLATE_SET_BY_STOP, t_s); }
