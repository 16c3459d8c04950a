#include "sim_private.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define SETTLE_S 1.8 /* foot on the plate, not yet moving */
#define TAIL_S 1.0   /* empty plate at the end */
#define FALL 8.0     /* m/s2: the hips are not lowered faster than by this */

static double draw(struct sim_rng *r, double low, double high) { return sim_rng_uniform(r, low, high); }

static double square(double x) { return x * x; }

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

static void draw_athlete(struct sim_body *b, struct sim_rng *r)
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
static void draw_rep(struct sim_body *b, struct sim_rng *r, unsigned set, unsigned n, struct rep *ret)
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

/* How hard the next drive may set off without overshooting its own speed. */
static double setting_off(const struct sim_body *b, const struct rep *next) { return 8 * b->travel_m / square(next->first_s); }

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
    g->accel = stands ? 0 : hard * fmin(3 * b->travel_m / square(rep->second_s), setting_off(b, next) / 2);
}

/* After the last rep (`next` NULL) the athlete rests on the floor whatever the turn. */
static void draw_gap(const struct sim_body *b, struct sim_rng *r, struct rep *rep, struct rep *next, struct gap *ret)
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

/* ---- the path of the hips ---- */

static void add_knot(struct sim_move *m, double x, double part)
{
    m->knot[m->knots++] = (struct sim_knot){.x = x, .part = part};
}

static void min_jerk_knots(struct sim_move *m)
{
    m->sloped = true;
    for (unsigned i = 0; i <= 8; i++) {
        double x = i / 8.0;
        m->knot[m->knots++] = (struct sim_knot){x, sim_min_jerk_d1(x), sim_min_jerk_d2(x)};
    }
}

static void grinding_knots(struct sim_move *m, struct sim_rng *r, double length_s)
{
    unsigned wobbles = (unsigned)sim_clamp(length_s / 0.35, 3, SIM_MAX_KNOTS - 2);
    double edge = fmin(0.2, 0.25 / length_s);
    add_knot(m, 0, 0);
    for (unsigned i = 0; i < wobbles; i++) add_knot(m, edge + (1 - 2 * edge) * i / (wobbles - 1), draw(r, 0.85, 1.15));
    add_knot(m, 1, 0);
}

static void drive_knots(const struct sim_body *b, struct sim_rng *r, double length_s, struct sim_move *m)
{
    enum sim_profile profile = b->cfg.exercise->profiles ? b->cfg.profile : SIM_PROFILE_MEASURED;
    double early = draw(r, 0.28, 0.40), late = draw(r, 0.4, 0.6), stuck = draw(r, 0.15, 0.4);
    if (profile == SIM_PROFILE_MIN_JERK && m->start_v <= 0) {
        min_jerk_knots(m);
        return;
    }
    if (profile == SIM_PROFILE_GRINDING) {
        grinding_knots(m, r, length_s);
        return;
    }
    add_knot(m, 0, 0);
    if (profile == SIM_PROFILE_EXPLOSIVE) {
        add_knot(m, 0.4, 1);
    } else if (profile == SIM_PROFILE_MIN_JERK) { /* off a bounce: much the same */
        add_knot(m, 0.5, 1);
    } else if (profile == SIM_PROFILE_STICKING) {
        add_knot(m, 0.24, 1);
        add_knot(m, 0.5, stuck);
        add_knot(m, 0.75, 0.7);
    } else {
        add_knot(m, early, 1);
        add_knot(m, 0.68, late);
    }
    add_knot(m, 1, 0);
}

static void add_drive(struct sim_body *b, struct sim_rng *r, double start_s, double length_s, struct sim_move m)
{
    m.from_m = sim_path_height_m(&b->path);
    drive_knots(b, r, length_s, &m);
    sim_path_move(&b->path, start_s, length_s, &m);
}

/* Down: quicker at first than later, but never faster than the hips would be let fall. */
static void add_lowering(struct sim_body *b, struct sim_rng *r, double start_s, double length_s, struct sim_move *m)
{
    double way_m = fabs(m->to_m - m->from_m), least = 1.5 * 2 * way_m / (FALL * length_s * length_s);
    add_knot(m, 0, 0);
    add_knot(m, sim_clamp(draw(r, 0.35, 0.55), fmin(least, 0.8), 0.8), 1);
    add_knot(m, 1, 0);
    sim_path_move(&b->path, start_s, length_s, m);
}

/* From the top to the turn `g`; returns when it is reached. */
static double add_descent(struct sim_body *b, struct sim_rng *r, const struct rep *rep, const struct gap *g, double start_s)
{
    bool bounces = g->turn == SIM_TURN_BOUNCE, meets = g->touch_m_per_s > 0;
    double stop_s = bounces ? g->length_s : meets ? 2 * b->contact_m / g->touch_m_per_s : 0;
    double length_s = fmax(rep->second_s - stop_s, 0.6 * rep->second_s);
    struct sim_move m = {.from_m = sim_path_height_m(&b->path),
                         .to_m = meets ? b->contact_m : g->h_m,
                         .start_a = rep->top_accel,
                         .end_v = -g->touch_m_per_s,
                         .end_a = meets ? 0 : g->accel};
    add_lowering(b, r, start_s, length_s, &m);
    if (meets) {
        sim_path_add(&b->path, start_s + length_s, stop_s, b->contact_m, -g->touch_m_per_s, 0, 0, g->accel);
        b->path.piece[b->path.n - 1].end_m = g->h_m;
    }
    return start_s + length_s + stop_s;
}

static void act_up_first(struct sim_body *b, struct sim_rng *r, struct rep *rep, const struct gap *before,
                         const struct gap *after)
{
    bool pushes = b->cfg.exercise->kind == SIM_PUSH;
    struct sim_move up = {.to_m = pushes ? 1 : b->travel_m, .start_a = before->accel, .end_a = rep->top_accel};
    double t = rep->start_s, rebound_s = before->rebound_s;
    if (rep->lean_s > 0) {
        struct sim_move sink = {.to_m = -b->dip_m, .knots = 3, .knot = {{0, 0, 0}, {0.5, 1, 0}, {1, 0, 0}}};
        up.start_a = sink.end_a = fmin(setting_off(b, rep) / 2, 1.5);
        sim_path_move(&b->path, t, rep->lean_s, &sink);
        t += rep->lean_s;
    }
    if (rebound_s > 0) {
        up.start_v = 2 * ((b->contact_m - before->h_m) / rebound_s - before->accel * rebound_s / 12);
        up.start_a = 0;
        sim_path_add(&b->path, t, rebound_s, before->h_m, 0, before->accel, up.start_v, 0);
    }
    add_drive(b, r, t + rebound_s, rep->first_s, up);
    rep->first_s += rebound_s; /* the rest of it needs its time to brake */
    t += rep->first_s + rep->hold_s;
    rep->swap_s[0] = t - rep->hold_s + fmin(rep->swap_s[0], 0.1 * rep->hold_s);
    rep->swap_s[1] = fmax(0.15, fmin(rep->swap_s[1], 0.7 * rep->hold_s));
    if (pushes) {
        struct sim_move down = {.from_m = 1};
        add_lowering(b, r, t, rep->second_s, &down);
        rep->stop_s = t + rep->second_s;
    } else {
        rep->stop_s = add_descent(b, r, rep, after, t) + rep->lean_back_s;
    }
}

static void act_squat(struct sim_body *b, struct sim_rng *r, struct rep *rep)
{
    double turn = rep->hold_s > 0 ? 0 : fmin(3 * b->travel_m / square(rep->first_s), setting_off(b, rep) / 2);
    struct sim_move down = {.to_m = -b->travel_m, .end_a = turn};
    add_lowering(b, r, rep->start_s, rep->first_s, &down);
    double t = rep->start_s + rep->first_s + rep->hold_s;
    add_drive(b, r, t, rep->second_s, (struct sim_move){.start_a = turn});
    rep->stop_s = t + rep->second_s;
}

/* Up to a speed a little over that of the take-off, which is when the force has fallen to nothing: a = -g. */
static void act_jump(struct sim_body *b, struct sim_rng *r, struct rep *rep)
{
    struct sim_move down = {.to_m = -b->travel_m}, up = {.knots = 3, .knot = {{0, 0, 0}, {0.45, 1, 0}, {1, 0, 0}}};
    double leave = b->takeoff_m_per_s * sim_clamp(rep->force_N / b->push_N, 0.8, 1.2), last_s = draw(r, 0.06, 0.09);
    double peak = leave + 0.45 * GRAVITY * last_s, last_m = last_s * (peak + leave) / 2 + last_s * last_s * GRAVITY / 12;
    double t = rep->start_s + rep->first_s + rep->hold_s, push_s = 2 * (b->travel_m + b->takeoff_m - last_m) / peak;
    add_lowering(b, r, rep->start_s, rep->first_s, &down);
    sim_path_add(&b->path, t, push_s, -b->travel_m, 0, 0, peak, 0);
    sim_path_add(&b->path, t + push_s, last_s, sim_path_height_m(&b->path), peak, 0, leave, -GRAVITY);
    rep->second_s = push_s + last_s;
    rep->takeoff_s = 2 * leave / GRAVITY;
    t += rep->second_s;
    sim_path_add(&b->path, t, rep->takeoff_s, sim_path_height_m(&b->path), leave, -GRAVITY, -leave, -GRAVITY);
    t += rep->takeoff_s;
    double hard = 1.5 * peak / push_s * draw(r, 1.15, 1.6), first_s = draw(r, 0.05, 0.07),
           slower = leave - 0.4 * hard * first_s;
    double second_s = 2.2 * slower / hard;
    sim_path_add(&b->path, t, first_s, sim_path_height_m(&b->path), -leave, -GRAVITY, -slower, hard);
    sim_path_add(&b->path, t + first_s, second_s, sim_path_height_m(&b->path), -slower, hard, 0, 0);
    rep->landing_s = first_s + second_s;
    rep->stand_s = draw(r, 0.5, 0.9);
    up.from_m = sim_path_height_m(&b->path);
    sim_path_move(&b->path, t + rep->landing_s, rep->stand_s, &up);
    rep->stop_s = t + rep->landing_s + rep->stand_s;
}

/* ---- a set ---- */

/* Where each event of a set goes: before the foot comes on, in the rest before a rep (after the last: `reps`), or in a hold. */
enum { BEFORE_THE_SET = -1, IN_A_HOLD = -2 };
struct plan {
    enum sim_event_kind kind;
    int at;
    unsigned rep; /* in a hold */
};

static struct plan plan_event(const struct sim_body *b, struct sim_rng *r, enum sim_event_kind kind)
{
    struct plan p = {.kind = kind, .at = (int)sim_rng_below(r, b->cfg.reps + 1)};
    p.rep = sim_rng_below(r, b->cfg.reps);
    double where = draw(r, 0, 1);
    if (b->cfg.turn != SIM_TURN_PAUSE) p.at = where < 0.5 ? 0 : (int)b->cfg.reps;
    if (kind == SIM_EVENT_STEP || (kind == SIM_EVENT_LEAN && where < 0.25)) p.at = BEFORE_THE_SET;
    if (kind == SIM_EVENT_LOAD) p.at = 0;
    if (kind == SIM_EVENT_KICK && b->cfg.exercise->kind != SIM_JUMP && where < 0.4) p.at = IN_A_HOLD;
    if (kind == SIM_EVENT_KICK && where > 0.8) p.at = BEFORE_THE_SET;
    return p;
}

struct scene { /* of one set */
    struct sim_rng *r;
    unsigned set, plans;
    double t_s;
    struct plan plan[SIM_EVENTS * 64];
};

static struct event *new_event(struct sim_body *b, struct sim_rng *r, unsigned set)
{
    struct event *e = &b->event[b->events++];
    enum plate_side side = b->set[set].side, drawn = sim_rng_chance(r, 0.5) ? PLATE_SIDE_LEFT : PLATE_SIDE_RIGHT;
    *e = (struct event){.is = {.set = set + 1, .foot = side == PLATE_SIDE_BOTH ? drawn : side}};
    return e;
}

/* An aborted lift is the athlete's own: a path. Thrusts give the floor a part of the load, pushes a part of their force. */
static double add_abort(struct sim_body *b, struct sim_rng *r, double t, struct event *e)
{
    double up_s = draw(r, 0.12, 0.22), down_s = draw(r, 0.12, 0.22), part = draw(r, 0, 1);
    double h_m = b->cfg.exercise->kind == SIM_PUSH ? 0.2 + 0.3 * part : (0.14 + 0.18 * part) * b->contact_m;
    struct sim_move up = {.to_m = h_m, .end_a = -h_m / (up_s * up_s)}, down = {.from_m = h_m, .start_a = up.end_a};
    min_jerk_knots(&up);
    min_jerk_knots(&down);
    sim_path_move(&b->path, t, up_s, &up);
    sim_path_move(&b->path, t + up_s, down_s, &down);
    e->is.kind = SIM_EVENT_ABORT;
    e->is.foot = b->set[e->is.set - 1].side;
    e->is.start_s = t;
    e->is.end_s = e->until_s = t + up_s + down_s;
    return up_s + down_s;
}

static void add_event(struct sim_body *b, struct scene *s, enum sim_event_kind kind)
{
    struct event *e = new_event(b, s->r, s->set);
    s->t_s += kind == SIM_EVENT_ABORT ? add_abort(b, s->r, s->t_s, e) : sim_event_draw(b, s->r, kind, s->t_s, e);
}

/* Everything planned for `at`, one after the other, with some quiet in between. */
static void add_events(struct sim_body *b, struct scene *s, int at)
{
    bool any = false;
    for (unsigned i = 0; i < s->plans; i++) {
        if (s->plan[i].at != at) continue;
        s->t_s += draw(s->r, 0.5, 1.2);
        add_event(b, s, s->plan[i].kind);
        any = true;
    }
    if (any) s->t_s += draw(s->r, 0.8, 1.4);
}

static void add_kicks(struct sim_body *b, struct scene *s)
{
    for (unsigned i = 0; i < s->plans; i++) {
        if (s->plan[i].at != IN_A_HOLD) continue;
        const struct rep *rep = &b->rep[b->set[s->set].first_rep + s->plan[i].rep];
        double part = draw(s->r, 0.3, 0.6);
        sim_event_draw(b, s->r, SIM_EVENT_KICK, rep->start_s + rep->lean_s + rep->first_s + part * rep->hold_s,
                       new_event(b, s->r, s->set));
    }
}

static void draw_set(struct sim_body *b, struct sim_rng *r, unsigned k)
{
    struct set *s = &b->set[k];
    double weak = 1 - b->cfg.weaker_pct / 100;
    s->side = b->cfg.set[k];
    s->first_rep = k * b->cfg.reps;
    if (s->side == PLATE_SIDE_BOTH) {
        double left = b->cfg.weaker == PLATE_SIDE_LEFT ? weak : 1, right = b->cfg.weaker == PLATE_SIDE_RIGHT ? weak : 1;
        s->share[0] = left / (left + right);
        s->share[1] = right / (left + right);
    } else {
        s->share[s->side == PLATE_SIDE_RIGHT] = 1;
    }
    for (unsigned f = 0; f < 2; f++) {
        s->tread[f] = draw(r, 0.1, 0.4);
        s->wander_phase[f] = draw(r, 0, 1);
        for (unsigned i = 0; i < 4; i++) s->sway_phase[f][i] = draw(r, 0, 1);
    }
    for (unsigned i = 0; i < 3; i++) s->body_phase[i] = draw(r, 0, 1);
    for (unsigned n = 0; n < b->cfg.reps; n++) {
        struct rep *rep = &b->rep[s->first_rep + n];
        draw_rep(b, r, k, n, rep);
        rep->rest_before = n ? rep[-1].rest_after : 1;
    }
}

static void play_set(struct sim_body *b, struct sim_rng *r, struct scene *s)
{
    struct set *set = &b->set[s->set];
    struct gap before = {.turn = SIM_TURN_PAUSE}, after;
    add_events(b, s, BEFORE_THE_SET);
    set->on_s = s->t_s;
    s->t_s += STEP_ON_S + SETTLE_S;
    for (unsigned n = 0; n < b->cfg.reps; n++) {
        struct rep *rep = &b->rep[set->first_rep + n];
        add_events(b, s, (int)n);
        if (n == 0 && b->cfg.odd_first && sim_event_makes_sense(b, SIM_EVENT_ABORT) && sim_rng_chance(s->r, 0.5)) {
            add_event(b, s, SIM_EVENT_ABORT);
            s->t_s += draw(s->r, 0.4, 0.8);
        }
        draw_gap(b, r, rep, n + 1 < b->cfg.reps ? rep + 1 : NULL, &after);
        rep->start_s = s->t_s;
        if (b->cfg.exercise->kind == SIM_SQUAT)
            act_squat(b, r, rep);
        else if (b->cfg.exercise->kind == SIM_JUMP)
            act_jump(b, r, rep);
        else
            act_up_first(b, r, rep, &before, &after);
        s->t_s = rep->stop_s + (after.turn == SIM_TURN_BOUNCE ? 0 : after.length_s);
        before = after;
    }
    add_events(b, s, (int)b->cfg.reps);
    set->off_s = s->t_s + STEP_OFF_S;
    add_kicks(b, s);
    s->t_s = set->off_s;
}

static int by_start(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    return x->is.start_s < y->is.start_s ? -1 : x->is.start_s > y->is.start_s;
}

/* Events have a generator of their own: the athlete and his reps are the same with and without them. */
int sim_script_write(struct sim_body *b)
{
    unsigned each = b->cfg.events_per_set ? b->cfg.events_per_set : 1;
    struct sim_rng r, er;
    struct scene s = {.r = &er, .t_s = b->cfg.start_delay_s};
    b->reps = b->cfg.sets * b->cfg.reps;
    b->rep = calloc(b->reps, sizeof *b->rep);
    b->event = calloc(b->cfg.sets * (each * SIM_EVENTS + 1), sizeof *b->event);
    if (!b->rep || !b->event) return -ENOMEM;
    sim_rng_init(&r, b->cfg.seed, 0);
    sim_rng_init(&er, b->cfg.seed, 1000);
    draw_athlete(b, &r);
    for (s.set = 0; s.set < b->cfg.sets; s.set++) {
        s.plans = 0;
        for (unsigned k = 0; k < SIM_EVENTS; k++)
            for (unsigned i = 0; i < each && b->cfg.events >> k & 1; i++)
                if (sim_event_makes_sense(b, k)) s.plan[s.plans++] = plan_event(b, &er, k);
        draw_set(b, &r, s.set);
        play_set(b, &r, &s);
        s.t_s += b->cfg.set_rest_s;
    }
    b->end_s = b->set[b->cfg.sets - 1].off_s + TAIL_S;
    qsort(b->event, b->events, sizeof *b->event, by_start);
    return b->path.error;
}
