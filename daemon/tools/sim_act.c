#include "sim_script.h"
#include <math.h>

#define FALL 8.0 /* m/s2: the hips are not lowered faster than by this */

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

void sim_act_up_first(struct sim_body *b, struct sim_rng *r, struct rep *rep, const struct gap *before, const struct gap *after)
{
    bool pushes = b->cfg.exercise->kind == SIM_PUSH;
    struct sim_move up = {.to_m = pushes ? 1 : b->travel_m, .start_a = before->accel, .end_a = rep->top_accel};
    double t = rep->start_s, rebound_s = before->rebound_s;
    if (rep->lean_s > 0) {
        struct sim_move sink = {.to_m = -b->dip_m, .knots = 3, .knot = {{0, 0, 0}, {0.5, 1, 0}, {1, 0, 0}}};
        up.start_a = sink.end_a = fmin(sim_setting_off(b, rep) / 2, 1.5);
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

void sim_act_squat(struct sim_body *b, struct sim_rng *r, struct rep *rep)
{
    double turn = rep->hold_s > 0 ? 0 : fmin(3 * b->travel_m / square(rep->first_s), sim_setting_off(b, rep) / 2);
    struct sim_move down = {.to_m = -b->travel_m, .end_a = turn};
    add_lowering(b, r, rep->start_s, rep->first_s, &down);
    double t = rep->start_s + rep->first_s + rep->hold_s;
    add_drive(b, r, t, rep->second_s, (struct sim_move){.start_a = turn});
    rep->stop_s = t + rep->second_s;
}

/* Up to a speed a little over that of the take-off, which is when the force has fallen to nothing: a = -g. */
void sim_act_jump(struct sim_body *b, struct sim_rng *r, struct rep *rep)
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

void sim_act_abort(struct sim_body *b, double start_s, double up_s, double down_s, double h_m)
{
    struct sim_move up = {.to_m = h_m, .end_a = -h_m / (up_s * up_s)}, down = {.from_m = h_m, .start_a = up.end_a};
    min_jerk_knots(&up);
    min_jerk_knots(&down);
    sim_path_move(&b->path, start_s, up_s, &up);
    sim_path_move(&b->path, start_s + up_s, down_s, &down);
}
