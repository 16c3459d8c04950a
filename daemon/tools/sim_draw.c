#include "sim_script.h"
#include <math.h>

/* ---- the athlete ---- */

static double draw_travel(const struct sim_body *b, struct sim_rng *r, double height_m, bool bridge)
{
    double part = draw(r, 0, 1);
    bool quick = b->cfg.profile == SIM_PROFILE_EXPLOSIVE;
    switch (b->cfg.exercise->kind) {
    case SIM_THRUST:
        if (bridge) return quick ? 0.12 + 0.035 * part : 0.155 * (0.93 + 0.14 * part);
        return fmin(quick ? 0.13 + 0.17 * part : 0.29 + 0.08 * part, 0.88 * 0.222 * height_m);
    case SIM_SQUAT:
        return 0.40 + 0.15 * part;
    case SIM_SIT:
        return 0.32 + 0.10 * part;
    case SIM_JUMP:
        return 0.34 + 0.08 * part;
    case SIM_PUSH:
        break;
    }
    return 0;
}

static void draw_center(struct sim_body *b, struct sim_rng *r)
{
    for (unsigned f = 0; f < 2; f++) {
        b->cop_x_mm[f] = draw(r, -8, 8);
        b->cop_rest_mm[f] = draw(r, -10, 20);
        b->cop_work_mm[f] = b->cop_rest_mm[f] - draw(r, 25, 45) + b->cfg.toe_bias_mm;
    }
    b->sway_mm = draw(r, 1.2, 2.5);
    for (unsigned i = 0; i < 4; i++) b->sway_Hz[i] = draw(r, 0.15, 1.2);
    b->breath_N = draw(r, 0.4, 1.0);
    b->breath_phase = draw(r, 0, 1);
    double wander = draw(r, 0.01, 0.03);
    b->wander = isnan(b->cfg.wander_pct) ? wander : b->cfg.wander_pct / 100;
    for (unsigned i = 0; i < 2; i++) b->wander_Hz[i] = draw(r, 0.05, 0.3);
    b->body_sway = draw(r, 0.001, 0.003) * (b->cfg.exercise->kind == SIM_SIT ? 4 : 1);
    for (unsigned i = 0; i < 3; i++) b->body_Hz[i] = draw(r, 0.2, 1.3);
}

/* What a working foot carries as soon as the hips are off the floor: a resting one stays well below. */
static double lifted_N(const struct sim_body *b)
{
    double two_N = sim_posture_body_N(&b->two, 0) / 2, one_N = sim_posture_body_N(&b->one, 0);
    bool both = b->swaps;
    for (unsigned k = 0; k < b->cfg.sets; k++) both |= b->cfg.set[k] == PLATE_SIDE_BOTH;
    return both ? fmin(two_N, one_N) : one_N;
}

static void draw_levels(struct sim_body *b, struct sim_rng *r)
{
    enum sim_kind kind = b->cfg.exercise->kind;
    double weight_N = b->mass_kg * GRAVITY, foot = draw(r, 0.8, 1.5), seated = draw(r, 0.10, 0.25);
    double leg_N = fmin(foot * sim_posture_rest_N(&b->one), 0.7 * lifted_N(b));
    double load_kg = 2.5 * floor(sim_rng_draw(r, b->cfg.exercise->load_kg) / 2.5);
    b->load_kg = isnan(b->cfg.load_kg) ? load_kg : b->cfg.load_kg;
    for (unsigned f = 0; f < 2; f++) {
        double side = draw(r, 0.97, 1.03);
        b->rest_N[f] = (kind == SIM_SIT ? 0.5 * seated * weight_N : leg_N) * side;
    }
    b->push_N = weight_N * draw(r, 0.8, 1.3);
    b->contact_m = kind == SIM_SIT ? draw(r, 0.02, 0.04) : draw(r, 0.006, 0.020);
    b->floor_inertia = draw(r, 0.75, 1);
    b->dip_m = draw(r, 0.010, 0.025);
    b->lean = draw(r, 0.3, 0.6);
    b->takeoff_m = draw(r, 0.06, 0.10);
    b->takeoff_m_per_s = draw(r, 1.8, 2.4);
}

static double base_time(struct sim_rng *r, const double range[2], double asked)
{
    double base = draw(r, range[0] * 1.1, range[1] * 0.85);
    return isnan(asked) ? base : asked;
}

void sim_draw_athlete(struct sim_body *b, struct sim_rng *r)
{
    const struct sim_exercise *e = b->cfg.exercise;
    static const double grind_s[2] = {1.5, 3}, quick_s[2] = {0.25, 0.4};
    bool down_first = sim_stands(e->kind), bridge = e == sim_exercise_find("glute_bridge");
    bool straight = sim_rng_chance(r, 0.5);
    if (b->cfg.free_leg != SIM_LEG_DRAWN) straight = b->cfg.free_leg == SIM_LEG_STRAIGHT;
    b->mass_kg = draw(r, 58, 95);
    double height_m = draw(r, 1.58, 1.92);
    b->travel_m = draw_travel(b, r, height_m, bridge);
    b->swaps = e == sim_exercise_find("two_up_one_down");
    sim_posture_init(&b->two, b->mass_kg, height_m, b->travel_m, b->cfg.foot_up_m, bridge, true, straight);
    sim_posture_init(&b->one, b->mass_kg, height_m, b->travel_m, b->cfg.foot_up_m, bridge, false, straight);
    draw_levels(b, r);
    const double *drive_s = b->cfg.profile == SIM_PROFILE_GRINDING    ? grind_s
                            : b->cfg.profile == SIM_PROFILE_EXPLOSIVE ? quick_s
                                                                      : e->drive_s;
    double drive = base_time(r, drive_s, b->cfg.drive_s), lower = base_time(r, e->lower_s, b->cfg.lower_s);
    b->first_base_s = down_first ? lower : drive;
    b->second_base_s = down_first ? drive : lower;
    draw_center(b, r);
}

/* ---- one rep: its times and sizes ---- */

/* The weaker leg takes 1 / (1 - p) of the time: the percentage difference of the drive times is then p. */
static double slower(const struct sim_body *b, enum plate_side side)
{
    return b->cfg.weaker != PLATE_SIDE_NONE && side == b->cfg.weaker ? 1 / (1 - b->cfg.weaker_pct / 100) : 1;
}

static void draw_tremor(const struct sim_body *b, struct sim_rng *r, struct rep *ret)
{
    static const double band_Hz[TREMOR_TONES][2] = {{1.5, 3}, {4, 6}, {8, 11}};
    static const double size[TREMOR_TONES] = {0.004, 0.003, 0.002}; /* of the force */
    for (unsigned i = 0; i < TREMOR_TONES; i++) {
        ret->tremor[i] = b->cfg.tremor * size[i] * draw(r, 0.6, 1.4);
        ret->tremor_Hz[i] = sim_rng_draw(r, band_Hz[i]);
        ret->tremor_phase[i] = draw(r, 0, 1);
    }
}

/* Times vary by 3 % from rep to rep and grow with fatigue. The weight alone brakes hips that come up, and lets them down. */
void sim_draw_rep(struct sim_body *b, struct sim_rng *r, unsigned set, unsigned n, struct rep *ret)
{
    static const double braking[SIM_PROFILES] = {1.3, 1.4, 0.8, 1.2, 1.86}; /* travel / time^2, m/s2: brakes with < 0.95 g */
    const struct sim_exercise *e = b->cfg.exercise;
    bool down_first = sim_stands(e->kind);
    double tired = isnan(b->cfg.fatigue_pct) ? 0.01 : b->cfg.fatigue_pct / 100, slow = slower(b, b->set[set].side);
    double noise[3], hold_s = sim_rng_draw(r, e->hold_s), odd = draw(r, 1.3, 1.8);
    for (unsigned i = 0; i < 3; i++) noise[i] = 1 + 0.03 * sim_clamp(sim_rng_normal(r), -2.5, 2.5);
    double drive_s = (down_first ? b->second_base_s : b->first_base_s) * noise[0] * (1 + tired * fmin(n, 30)) * slow;
    double lower_s = (down_first ? b->first_base_s : b->second_base_s) * noise[1] * (1 + tired * fmin(n, 30));
    if (b->cfg.odd_first && n == 0) drive_s *= odd;
    drive_s = fmax(drive_s, sqrt(b->travel_m / braking[b->cfg.profile]));
    if (b->cfg.turn == SIM_TURN_BOUNCE) lower_s = fmin(lower_s, 1);
    lower_s = fmax(lower_s, 0.75 * sqrt(b->travel_m));
    *ret = (struct rep){.set = set, .number = n + 1};
    ret->first_s = down_first ? lower_s : drive_s;
    ret->second_s = down_first ? drive_s : lower_s;
    ret->hold_s = isnan(b->cfg.hold_s) ? hold_s : b->cfg.hold_s;
    ret->force_N = b->push_N * noise[2] * sim_clamp(1 - tired / 2 * n, 0.5, 1) / slow;
    ret->sag = draw(r, 0.03, 0.08);
    ret->rest_after = draw(r, 0.98, 1.02);
    ret->top_accel = ret->hold_s > 0 ? 0 : -draw(r, 1, 2.5) * b->travel_m / square(fmax(drive_s, lower_s));
    ret->lean_s = draw(r, 0.4, 0.8);
    ret->lean_back_s = draw(r, 0.4, 0.8);
    ret->swap_s[0] = draw(r, 0.05, 0.2);
    ret->swap_s[1] = draw(r, 0.2, 0.5);
    if (e->kind != SIM_SIT) ret->lean_s = ret->lean_back_s = 0;
    draw_tremor(b, r, ret);
}

/* ---- the turn between two reps ---- */

static void draw_floor(const struct sim_body *b, struct sim_rng *r, const struct rep *rep, struct gap *g)
{
    double part = draw(r, 0.1, 0.6);
    bool soft = sim_rng_chance(r, 0.3) && g->turn == SIM_TURN_PAUSE;
    double touch = fmax(part * 1.6 * b->travel_m / rep->second_s, 2 * b->contact_m / (0.3 * rep->second_s));
    g->touch_m_per_s = soft ? 0 : fmin(fmax(touch, 0.06), sqrt(33 * b->contact_m)); /* stopped by 25 m/s2 at most */
    if (g->turn != SIM_TURN_TOUCH_AND_GO) return;
    g->touch_m_per_s = fmax(g->touch_m_per_s, 2 * b->contact_m / 0.15);
    g->length_s = draw(r, 0, 0.12);
}

double sim_setting_off(const struct sim_body *b, const struct rep *next) { return 8 * b->travel_m / square(next->first_s); }

/* Down to where the floor takes its part, and back up off it with the speed that it gives. */
static void draw_bounce(const struct sim_body *b, struct sim_rng *r, struct gap *g)
{
    double taken = draw(r, 0.4, 0.85), half_s = draw(r, 0.04, 0.07);
    double depth_m = b->contact_m * fmin(1, taken * (1.3 - 0.3 * taken)); /* the contact's own curve, the other way round */
    g->h_m = b->contact_m - depth_m;
    g->accel = 2.4 * depth_m / (half_s * half_s);
    g->touch_m_per_s = 2 * (depth_m / half_s - g->accel * half_s / 12);
    g->length_s = half_s;
    g->rebound_s = half_s * draw(r, 1, 1.3);
}

static void draw_float(const struct sim_body *b, struct sim_rng *r, const struct rep *rep, const struct rep *next,
                       struct gap *g)
{
    double stands_s = draw(r, 0.1, 1), hard = draw(r, 0.4, 1);
    bool stands = sim_rng_chance(r, 0.5);
    g->h_m = b->contact_m + draw(r, 0.015, 0.06) * fmin(1, b->travel_m / 0.29);
    g->length_s = stands ? stands_s : 0;
    g->accel = stands ? 0 : hard * fmin(3 * b->travel_m / square(rep->second_s), sim_setting_off(b, next) / 2);
}

void sim_draw_gap(const struct sim_body *b, struct sim_rng *r, struct rep *rep, struct rep *next, struct gap *ret)
{
    *ret = (struct gap){.turn = next ? b->cfg.turn : SIM_TURN_PAUSE};
    ret->length_s = sim_rng_draw(r, b->cfg.exercise->rest_s);
    if (ret->turn == SIM_TURN_BOUNCE)
        draw_bounce(b, r, ret);
    else if (ret->turn == SIM_TURN_FLOAT)
        draw_float(b, r, rep, next, ret);
    else
        draw_floor(b, r, rep, ret);
    rep->floats_out = ret->turn == SIM_TURN_BOUNCE || ret->turn == SIM_TURN_FLOAT;
    rep->still_s = ret->turn == SIM_TURN_FLOAT ? ret->length_s : 0;
    if (next) next->floats_in = rep->floats_out;
}
