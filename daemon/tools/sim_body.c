#include "sim_private.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define TURN 6.283185307179586
#define TREMOR_RAMP_S 0.25

/* ---- set-up ---- */

void sim_body_config_init(struct sim_body_config *c, const struct sim_exercise *exercise)
{
    *c = (struct sim_body_config){.exercise = exercise,
                                  .set = {PLATE_SIDE_LEFT, PLATE_SIDE_RIGHT},
                                  .sets = 2,
                                  .reps = 8,
                                  .seed = 1,
                                  .load_kg = NAN,
                                  .fatigue_pct = NAN,
                                  .drive_s = NAN,
                                  .lower_s = NAN,
                                  .hold_s = NAN,
                                  .tremor = 1,
                                  .wander_pct = NAN,
                                  .set_rest_s = 5,
                                  .start_delay_s = 2};
    if (exercise && !exercise->one_leg) c->set[0] = PLATE_SIDE_BOTH, c->sets = 1;
}

static bool within(double x, double low, double high) { return x >= low && x <= high; }
static bool drawn_or(double x, double low, double high) { return isnan(x) || within(x, low, high); }

static bool sizes_ok(const struct sim_body_config *c)
{
    return drawn_or(c->load_kg, 0, 1000) && within(c->band_N_per_m, 0, 10000) && within(c->foot_up_m, 0, 0.3) &&
           within(c->weaker_pct, 0, 90) && drawn_or(c->fatigue_pct, 0, 50) && drawn_or(c->drive_s, 0.1, 60) &&
           drawn_or(c->lower_s, 0.1, 60) && drawn_or(c->hold_s, 0, 3600) && within(c->tremor, 0, 20) &&
           drawn_or(c->wander_pct, 0, 20) && within(c->toe_bias_mm, -150, 150) && within(c->medial_drift_mm, -60, 60) &&
           within(c->set_rest_s, 0, 86400) && within(c->start_delay_s, 0, 86400) && c->events_per_set <= 64;
}

static bool config_ok(const struct sim_body_config *c)
{
    if (!c->exercise || !c->sets || c->sets > SIM_MAX_SETS || !c->reps || c->reps > SIM_MAX_REPS || !sizes_ok(c)) return false;
    const struct sim_exercise *e = c->exercise;
    if (c->turn >= SIM_TURNS || !(e->turns >> c->turn & 1) || c->profile >= SIM_PROFILES || c->free_leg > SIM_LEG_TUCKED)
        return false;
    if (e->profiles && !(e->profiles >> c->profile & 1)) return false;
    if (c->weaker == PLATE_SIDE_BOTH) return false;
    for (unsigned i = 0; i < c->sets; i++) {
        bool both = c->set[i] == PLATE_SIDE_BOTH;
        if (c->set[i] == PLATE_SIDE_NONE || (both ? !e->both_legs : !e->one_leg)) return false;
    }
    return true;
}

int sim_body_new(const struct sim_body_config *cfg, struct sim_body **ret)
{
    if (!config_ok(cfg)) return -EINVAL;
    struct sim_body *b = calloc(1, sizeof *b);
    if (!b) return -ENOMEM;
    b->cfg = *cfg;
    int r = sim_script_write(b);
    if (r < 0)
        sim_body_free(b);
    else
        *ret = b;
    return r;
}

void sim_body_free(struct sim_body *b)
{
    if (!b) return;
    sim_path_done(&b->path);
    free(b->rep);
    free(b->event);
    free(b);
}

double sim_body_duration_s(const struct sim_body *b) { return b->end_s; }
unsigned sim_body_reps(const struct sim_body *b) { return b->reps; }
unsigned sim_body_events(const struct sim_body *b) { return b->events; }
const struct sim_event *sim_body_event(const struct sim_body *b, unsigned i) { return &b->event[i].is; }

void sim_body_rep_span(const struct sim_body *b, unsigned i, double *ret_start_s, double *ret_end_s)
{
    *ret_start_s = b->rep[i].start_s;
    *ret_end_s = b->rep[i].stop_s;
}

const struct set *sim_set_at(const struct sim_body *b, double t)
{
    for (unsigned k = 0; k < b->cfg.sets; k++)
        if (t < b->set[k].off_s) return t >= b->set[k].on_s ? &b->set[k] : NULL;
    return NULL;
}

const struct rep *sim_rep_at(const struct sim_body *b, const struct set *s, double t)
{
    unsigned low = s->first_rep, high = low + b->cfg.reps;
    while (high - low > 1) {
        unsigned middle = low + (high - low) / 2;
        if (b->rep[middle].start_s <= t)
            low = middle;
        else
            high = middle;
    }
    return &b->rep[low];
}

/* ---- motion ---- */

/* Who holds still trembles: tones of under a hundredth of g, faded in and out so that no speed is left over. */
static void tremble(const struct rep *r, double t, double length_s, struct sim_state *to)
{
    double ramp = fmin(TREMOR_RAMP_S, length_s / 2), height = 0, accel = 0;
    if (t <= 0 || t >= length_s || ramp <= 0) return;
    double quiet = ramp * ramp / (TREMOR_RAMP_S * TREMOR_RAMP_S); /* a short fade costs force: the less tremor */
    bool fading = t > length_s / 2;
    double x = (fading ? length_s - t : t) / ramp, sign = fading ? -1 : 1;
    double e0 = sim_min_jerk(x), e1 = sign * sim_min_jerk_d1(x) / ramp, e2 = sim_min_jerk_d2(x) / (ramp * ramp);
    for (unsigned i = 0; i < TREMOR_TONES; i++) {
        double w = TURN * r->tremor_Hz[i], p = r->tremor_Hz[i] * t + r->tremor_phase[i], s = sim_sin(p);
        double size = GRAVITY * r->tremor[i] * quiet / (w * w);
        height += size * e0 * s;
        accel += size * (e2 * s + 2 * e1 * w * sim_sin(p + 0.25) - e0 * w * w * s);
    }
    to->h_m += height;
    to->a_m_per_s2 += accel;
}

struct motion {
    double effort; /* 0..1: of the travel, or of the force of a push */
    struct sim_state hips;
    double contact; /* 0..1: of the load, what floor or seat still carry */
    double swap;    /* 0..1: how far the second foot has left the work */
};

/* Floor and flesh give way like a Hertzian contact; leaning forward takes load off a seat. */
static double contact_at(const struct sim_body *b, const struct rep *r, double h_m, double in_rep)
{
    double depth = sim_clamp(1 - h_m / b->contact_m, 0, 1), contact = depth * sqrt(depth);
    if (r->lean_s <= 0) return contact;
    double back = in_rep - (r->stop_s - r->start_s - r->lean_back_s);
    return contact * (1 - b->lean * (sim_min_jerk(in_rep / r->lean_s) - sim_min_jerk(back / r->lean_back_s)));
}

static struct motion move_at(const struct sim_body *b, const struct rep *r, double t_s)
{
    struct motion m;
    double in_rep = t_s - r->start_s, in_hold = in_rep - r->lean_s - r->first_s;
    enum sim_kind kind = b->cfg.exercise->kind;
    sim_path_at(&b->path, t_s, &m.hips);
    m.effort = kind == SIM_PUSH ? m.hips.h_m : sim_clamp(fabs(m.hips.h_m) / b->travel_m, 0, 1);
    if (kind == SIM_PUSH) m.hips = (struct sim_state){0};
    tremble(r, in_hold, r->hold_s, &m.hips);
    tremble(r, t_s - r->stop_s, r->still_s, &m.hips);
    m.contact = kind == SIM_PUSH || sim_stands(kind) ? 0 : contact_at(b, r, m.hips.h_m, in_rep);
    m.swap = b->swaps ? sim_min_jerk((t_s - r->swap_s[0]) / r->swap_s[1]) - sim_min_jerk((t_s - r->stop_s - 0.1) / 0.35) : 0;
    return m;
}

/* ---- force ---- */

struct carried {
    double all_N, band_N; /* band: the part that is no mass */
};
static struct carried carried_by(const struct sim_body *b, const struct sim_posture *p, double h_m)
{
    double part = sim_posture_hip_part(p, h_m), band_N = b->cfg.band_N_per_m * fmax(h_m, 0) * part;
    return (struct carried){sim_posture_body_N(p, h_m) + b->load_kg * GRAVITY * part + band_N, band_N};
}

/* What this foot would carry of hips that hold still at that height. */
static struct carried supported(const struct sim_body *b, const struct set *s, unsigned foot, double share,
                                const struct motion *m)
{
    if (b->cfg.exercise->kind != SIM_THRUST) return (struct carried){share * (b->mass_kg + b->load_kg) * GRAVITY, 0};
    double alone = s->side == PLATE_SIDE_BOTH ? 0 : b->swaps ? m->swap : 1, of_two = s->side == PLATE_SIDE_BOTH ? share : 0.5;
    struct carried one = {0}, two = {0};
    if (alone > 0 && s->share[foot] > 0) one = carried_by(b, &b->one, m->hips.h_m);
    if (alone < 1) two = carried_by(b, &b->two, m->hips.h_m);
    double part = (1 - alone) * of_two;
    return (struct carried){alone * one.all_N + part * two.all_N, alone * one.band_N + part * two.band_N};
}

static double wandering_share(const struct sim_body *b, const struct set *s, unsigned foot, double t,
                              const struct sim_event_state ev[2])
{
    if (s->side != PLATE_SIDE_BOTH) return s->share[foot];
    double wander = 0;
    for (unsigned i = 0; i < 2; i++) wander += 0.5 * b->wander * sim_sin(b->wander_Hz[i] * t + s->wander_phase[i]);
    double share = s->share[foot] + (foot ? -wander : wander);
    if (!sim_stands(b->cfg.exercise->kind)) return share;
    return share * (1 - ev[foot].lift) + (1 - share) * ev[!foot].lift; /* who stands on one foot has all his weight there */
}

static double sway_at(const struct sim_body *b, const struct set *s, double t)
{
    double sum = 0;
    for (unsigned i = 0; i < 3; i++) sum += sim_sin(b->body_Hz[i] * t + s->body_phase[i]);
    return b->body_sway * sum;
}

static void center_at(const struct sim_body *b, const struct set *s, unsigned foot, double effort, double t,
                      struct sim_force *ret)
{
    double sway[2] = {0, 0}, inward = foot ? -effort : effort;
    for (unsigned i = 0; i < 4; i++) sway[i & 1] += sim_sin(b->sway_Hz[i] * t + s->sway_phase[foot][i]);
    ret->cop_x_mm = b->cop_x_mm[foot] + b->sway_mm * 0.6 * sway[0] + b->cfg.medial_drift_mm * inward;
    ret->cop_y_mm = b->cop_rest_mm[foot] + (b->cop_work_mm[foot] - b->cop_rest_mm[foot]) * effort + b->sway_mm * sway[1];
}

/* The floor's part of the load, and of the inertia: it stops hips that come down, and the foot feels little of that. */
static void with_floor(const struct sim_body *b, const struct motion *m, struct sim_force *ret)
{
    double open = 1 - m->contact, inert = ret->inert_N * ret->accel_m_per_s2 / GRAVITY;
    ret->floor_N = m->contact * (ret->support_N - ret->still_N) + b->floor_inertia * (1 - open * open) * inert;
    ret->foot_N = ret->support_N + inert - ret->floor_N;
}

/* Returns how far the work is done, 0..1. */
static double foot_on_floor(const struct sim_body *b, unsigned foot, const struct set *s, double t,
                            const struct sim_event_state ev[2], struct sim_force *ret)
{
    enum sim_kind kind = b->cfg.exercise->kind;
    const struct rep *r = sim_rep_at(b, s, t);
    struct motion m = move_at(b, r, t);
    double in_rep = t - r->start_s, share = wandering_share(b, s, foot, t, ev);
    double sway = kind == SIM_THRUST || kind == SIM_PUSH ? 1 : 1 + sway_at(b, s, t);
    double breath = b->breath_N * sim_sin(0.25 * t + b->breath_phase) * (s->side == PLATE_SIDE_BOTH ? 0.5 : 1);
    double posture = in_rep < r->lean_s + r->first_s + r->hold_s / 2 ? r->rest_before : r->rest_after;
    ret->hip_m = m.hips.h_m;
    ret->accel_m_per_s2 = m.hips.a_m_per_s2;
    struct carried load = supported(b, s, foot, share, &m);
    ret->support_N = load.all_N;
    ret->inert_N = load.all_N - load.band_N;
    ret->still_N = (b->rest_N[foot] * posture + breath) * (s->share[foot] > 0 ? 1 : 1 - m.swap);
    if (kind == SIM_SIT) ret->still_N *= sway;
    if (kind == SIM_THRUST || kind == SIM_SIT) {
        with_floor(b, &m, ret);
    } else if (kind == SIM_PUSH) {
        double held = sim_clamp((in_rep - r->first_s) / fmax(r->hold_s, 1e-3), 0, 1);
        double push = m.effort * share * r->force_N * (1 - r->sag * held) * (1 + m.hips.a_m_per_s2 / GRAVITY);
        ret->foot_N = ret->support_N = ret->still_N + push;
        ret->inert_N = ret->hip_m = ret->accel_m_per_s2 = 0;
    } else {
        ret->still_N = ret->support_N *= sway;
        ret->inert_N *= sway;
        ret->foot_N = fmax(0, ret->support_N * (1 + m.hips.a_m_per_s2 / GRAVITY));
        if (ret->foot_N < 1e-6) ret->foot_N = 0; /* in the air */
    }
    ret->foot_N += ev[foot].stays_N;
    ret->support_N += ev[foot].stays_N;
    ret->still_N += ev[foot].stays_N;
    return fmin(m.effort, 1);
}

/* The second foot of two up, one down: its leg's weight while it stands at rest, its half while it works. */
static bool on_a_plate(const struct sim_body *b, const struct set *s, unsigned foot)
{
    return s->share[foot] > 0 || (b->swaps && b->cfg.second_foot_on_plate);
}

/* How much of the foot's force is there: it is put down with some speed, lifted, and taken away. */
static double put_down(const struct sim_body *b, const struct set *s, unsigned foot, double t, const struct sim_event_state *ev)
{
    double on = (t - s->on_s) / STEP_ON_S, off = (s->off_s - t) / STEP_OFF_S;
    double tread = on < 2 ? s->tread[foot] * sim_min_jerk(on) * (1 - sim_min_jerk(on - 1)) : 0;
    double down = fmin(sim_min_jerk(on), sim_min_jerk(off)) * (1 + tread);
    if (!sim_stands(b->cfg.exercise->kind)) down *= 1 - ev->lift;
    return down;
}

static void one_foot(const struct sim_body *b, unsigned foot, double t, const struct sim_event_state ev[2], bool center,
                     struct sim_force *ret)
{
    *ret = (struct sim_force){0};
    const struct set *s = sim_set_at(b, t);
    if (!s || !on_a_plate(b, s, foot)) return;
    double effort = foot_on_floor(b, foot, s, t, ev, ret), down = put_down(b, s, foot, t, &ev[foot]);
    if (center) center_at(b, s, foot, effort, t, ret);
    ret->floor_N += ret->foot_N * (1 - down);
    ret->foot_N *= down;
    ret->still_N *= down;
}

static void force_with(const struct sim_body *b, enum plate_side foot, double t_s, const struct sim_event_state ev[2],
                       bool center, struct sim_force *ret)
{
    struct sim_force l = {0}, r = {0};
    if (foot != PLATE_SIDE_RIGHT) one_foot(b, 0, t_s, ev, center, &l);
    if (foot != PLATE_SIDE_LEFT) one_foot(b, 1, t_s, ev, center, &r);
    bool apart = foot == PLATE_SIDE_BOTH && l.foot_N > 0 && r.foot_N > 0;
    double sum = l.foot_N + r.foot_N, half_mm = apart ? 90 : 0; /* feet side by side on one plate */
    const struct sim_force *moves = l.support_N > 0 ? &l : &r;
    *ret = (struct sim_force){.foot_N = sum,
                              .floor_N = l.floor_N + r.floor_N,
                              .support_N = l.support_N + r.support_N,
                              .inert_N = l.inert_N + r.inert_N,
                              .still_N = l.still_N + r.still_N,
                              .hip_m = moves->hip_m,
                              .accel_m_per_s2 = moves->accel_m_per_s2};
    if (sum <= 0 || !center) return;
    ret->cop_x_mm = ((l.cop_x_mm - half_mm) * l.foot_N + (r.cop_x_mm + half_mm) * r.foot_N) / sum;
    ret->cop_y_mm = (l.cop_y_mm * l.foot_N + r.cop_y_mm * r.foot_N) / sum;
}

void sim_body_own_force(const struct sim_body *b, enum plate_side foot, double t_s, struct sim_force *ret)
{
    struct sim_event_state ev[2];
    sim_events_at(b, t_s, ev);
    force_with(b, foot, t_s, ev, false, ret);
}

void sim_body_force(const struct sim_body *b, enum plate_side foot, double t_s, struct sim_force *ret)
{
    struct sim_event_state ev[2];
    sim_events_at(b, t_s, ev);
    force_with(b, foot, t_s, ev, true, ret);
    if (foot != PLATE_SIDE_RIGHT) ret->foot_N += ev[0].force_N;
    if (foot != PLATE_SIDE_LEFT) ret->foot_N += ev[1].force_N;
}
