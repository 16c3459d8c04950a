#include "sim_body.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define GRAVITY 9.80665
#define ONSET_BAND_N 5.0 /* domain: truth leaves rest by so much */
#define STEP_ON_S 0.35
#define SETTLE_S 1.8 /* foot on the plate, not yet moving */
#define STEP_OFF_S 0.30
#define TAIL_S 1.0 /* empty plate at the end */
#define TREMOR_RAMP_S 0.25
#define TREMOR_TONES 3
#define TURN 6.283185307179586

/* ---- random numbers ---- */

static uint64_t splitmix64(uint64_t *x)
{
    uint64_t z = (*x += 0x9E3779B97F4A7C15u);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void sim_rng_init(struct sim_rng *r, uint64_t seed, uint64_t stream)
{
    uint64_t x = seed;
    x = splitmix64(&x) ^ stream;
    for (unsigned i = 0; i < 4; i++) r->s[i] = splitmix64(&x);
    r->has_spare = false;
    r->spare = 0;
}

static uint64_t rotl(uint64_t x, unsigned k) { return (x << k) | (x >> (64 - k)); }

uint64_t sim_rng_u64(struct sim_rng *r)
{
    uint64_t *s = r->s, out = rotl(s[0] + s[3], 23) + s[0], t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return out;
}

double sim_rng_uniform(struct sim_rng *r, double low, double high)
{
    return low + (high - low) * (double)(sim_rng_u64(r) >> 11) * 0x1p-53;
}

double sim_rng_normal(struct sim_rng *r)
{
    if (r->has_spare) {
        r->has_spare = false;
        return r->spare;
    }
    double u, v, q;
    do {
        u = sim_rng_uniform(r, -1, 1);
        v = sim_rng_uniform(r, -1, 1);
        q = u * u + v * v;
    } while (q >= 1 || q <= 0);
    double k = sqrt(-2 * log(q) / q);
    r->spare = v * k;
    r->has_spare = true;
    return u * k;
}

static double draw(struct sim_rng *r, const double range[2]) { return sim_rng_uniform(r, range[0], range[1]); }
static double clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; }

/* ---- exercises and the script of what will happen ---- */

const struct sim_exercise sim_exercises[] = {
    {"single_leg_hip_thrust",
     "one leg at a time, body weight",
     SIM_THRUST,
     true,
     false,
     1,
     {0.6, 1.2},
     {1, 2},
     {1, 2.5},
     {0.8, 2}},
    {"isometric", "pushes against a fixed bar", SIM_PUSH, true, true, 1, {0.2, 0.5}, {3, 5}, {0.2, 0.4}, {1.5, 3}},
    {"barbell_hip_thrust", "both legs, with a bar", SIM_THRUST, false, true, 2, {0.6, 1.2}, {1, 2}, {1, 2.5}, {0.8, 2}},
    {"squat", "both legs, from standing", SIM_SQUAT, false, true, 1, {0.7, 1.2}, {0.1, 0.5}, {0.9, 1.6}, {0.8, 2}},
    {NULL, NULL, SIM_THRUST, false, false, 0, {0, 0}, {0, 0}, {0, 0}, {0, 0}},
};

const struct sim_exercise *sim_exercise_find(const char *name)
{
    for (const struct sim_exercise *e = sim_exercises; e->name; e++)
        if (!strcmp(e->name, name)) return e;
    return NULL;
}

struct rep {
    unsigned set, number;
    double start_s, first_s, hold_s, second_s; /* drive, hold, lower; squat: lower, hold, drive */
    double load_up_s, load_down_s;             /* to take the load off the floor, and to give it back */
    double rest_before, rest_after;            /* of the resting force, 1 = the athlete's own */
    double force_N, sag;                       /* push: plateau over rest, and the part of it lost by the end */
    double tremor[TREMOR_TONES], tremor_Hz[TREMOR_TONES], tremor_phase[TREMOR_TONES];
};
struct set {
    enum plate_side side;
    double on_s, off_s; /* foot on, foot off */
    unsigned first_rep;
    double share[2]; /* of left and right foot */
    double tread[2]; /* how hard each foot is put down */
    double sway_phase[2][4];
};
struct sim_body {
    struct sim_body_config cfg;
    double mass_kg, bar_kg, travel_m;
    double rest_N[2];     /* a foot at rest: the leg's weight; squat: its share of all */
    double low_N, high_N; /* support at the floor and at the top, both feet of a set together */
    double first_base_s, second_base_s, push_N;
    double cop_x_mm[2], cop_rest_mm[2], cop_work_mm[2], sway_mm, sway_Hz[4], breath_N, breath_phase;
    double end_s;
    struct set set[SIM_MAX_SETS];
    unsigned reps;
    struct rep rep[];
};

static double min_jerk(double x) { return x <= 0 ? 0 : x >= 1 ? 1 : x * x * x * (10 + x * (-15 + 6 * x)); }
static double min_jerk_d1(double x) { return x <= 0 || x >= 1 ? 0 : 30 * x * x * (1 - x) * (1 - x); }
static double min_jerk_d2(double x) { return x <= 0 || x >= 1 ? 0 : 60 * x * (1 - x) * (1 - 2 * x); }

static double rep_length_s(const struct rep *r) { return r->first_s + r->hold_s + r->second_s; }

/* Support by height: two-support statics with Plagenhoef's segment masses (domain.md, section 2: 80 kg gives 0.33 of body
 * weight at the top, 0.073 less with the hips 30 cm down, and 0.47 and 0.30 of the bar). */
static void draw_athlete(struct sim_body *b, struct sim_rng *r)
{
    const struct sim_exercise *e = b->cfg.exercise;
    b->mass_kg = sim_rng_uniform(r, 58, 95);
    b->travel_m = e->kind == SIM_SQUAT ? sim_rng_uniform(r, 0.40, 0.55) : sim_rng_uniform(r, 0.29, 0.37);
    double top = sim_rng_uniform(r, 0.28, 0.34), weight_N = b->mass_kg * GRAVITY;
    double bar_kg = 2.5 * floor(sim_rng_uniform(r, 16, 33));
    b->bar_kg = e->kind == SIM_THRUST && e->both_legs ? bar_kg : 0;
    b->high_N = top * weight_N + 0.47 * b->bar_kg * GRAVITY;
    b->low_N = (top - 0.073 * b->travel_m / 0.30) * weight_N + (0.47 - 0.17 * b->travel_m / 0.30) * b->bar_kg * GRAVITY;
    double leg_N = weight_N * sim_rng_uniform(r, 0.07, 0.12);
    for (unsigned f = 0; f < 2; f++) b->rest_N[f] = leg_N * sim_rng_uniform(r, 0.97, 1.03);
    if (e->kind == SIM_SQUAT) b->low_N = b->high_N = weight_N;
    const double *first = e->kind == SIM_SQUAT ? e->lower_s : e->drive_s,
                 *second = e->kind == SIM_SQUAT ? e->drive_s : e->lower_s;
    b->first_base_s = sim_rng_uniform(r, first[0] * 1.1, first[1] * 0.85);
    b->second_base_s = sim_rng_uniform(r, second[0] * 1.1, second[1] * 0.85);
    b->push_N = weight_N * sim_rng_uniform(r, 0.8, 1.3);
    for (unsigned f = 0; f < 2; f++) {
        b->cop_x_mm[f] = sim_rng_uniform(r, -8, 8);
        b->cop_rest_mm[f] = sim_rng_uniform(r, -10, 20);
        b->cop_work_mm[f] = b->cop_rest_mm[f] - sim_rng_uniform(r, 25, 45);
    }
    b->sway_mm = sim_rng_uniform(r, 1.2, 2.5);
    for (unsigned i = 0; i < 4; i++) b->sway_Hz[i] = sim_rng_uniform(r, 0.15, 1.2);
    b->breath_N = sim_rng_uniform(r, 0.4, 1.0);
    b->breath_phase = sim_rng_uniform(r, 0, TURN);
}

/* The weaker leg takes 1 / (1 - p) of the time: the percentage difference of the drive times is then p. */
static double slower(const struct sim_body *b, enum plate_side side)
{
    return b->cfg.weaker != PLATE_SIDE_NONE && side == b->cfg.weaker ? 1 / (1 - b->cfg.weaker_pct / 100) : 1;
}

/* 3 % from rep to rep, within the exercise's range, and 1 % slower with each: fatigue. */
static double rep_time(const double range[2], double base_s, unsigned n, double noise)
{
    return clamp(base_s * (1 + 0.03 * clamp(noise, -2.5, 2.5)), range[0], range[1]) * (1 + 0.01 * (n < 30 ? n : 30));
}

static void draw_rep(struct sim_body *b, struct sim_rng *r, unsigned set, unsigned n, double start_s, struct rep *ret)
{
    const struct sim_exercise *e = b->cfg.exercise;
    enum plate_side side = b->set[set].side;
    bool squat = e->kind == SIM_SQUAT;
    double slow = slower(b, side), first_noise = sim_rng_normal(r), second_noise = sim_rng_normal(r);
    double hold_s = draw(r, e->hold_s), force_noise = sim_rng_normal(r);
    *ret = (struct rep){.set = set, .number = n + 1, .start_s = start_s};
    ret->first_s = rep_time(squat ? e->lower_s : e->drive_s, b->first_base_s, n, first_noise) * slow;
    ret->second_s = rep_time(squat ? e->drive_s : e->lower_s, b->second_base_s, n, second_noise);
    ret->hold_s = isnan(b->cfg.hold_s) ? hold_s : b->cfg.hold_s;
    ret->load_up_s = clamp(0.1 * b->first_base_s, 0.06, 0.12) * slow;
    ret->load_down_s = sim_rng_uniform(r, 0.06, 0.12);
    double fatigue = clamp(1 - 0.005 * n, 0.8, 1);
    ret->force_N = b->push_N * (1 + 0.03 * clamp(force_noise, -2.5, 2.5)) * fatigue / slow;
    ret->sag = sim_rng_uniform(r, 0.03, 0.08);
    ret->rest_before = n ? ret[-1].rest_after : 1;
    ret->rest_after = squat ? 1 : 1 + sim_rng_uniform(r, -0.02, 0.02);
    static const double band_Hz[TREMOR_TONES][2] = {{1.5, 3}, {4, 6}, {8, 11}};
    static const double size[TREMOR_TONES] = {0.004, 0.003, 0.002}; /* of the force */
    for (unsigned i = 0; i < TREMOR_TONES; i++) {
        ret->tremor[i] = size[i] * sim_rng_uniform(r, 0.6, 1.4);
        ret->tremor_Hz[i] = draw(r, band_Hz[i]);
        ret->tremor_phase[i] = sim_rng_uniform(r, 0, TURN);
    }
}

static void draw_set(struct sim_body *b, struct sim_rng *r, unsigned k, double on_s)
{
    struct set *s = &b->set[k];
    double weak = 1 - b->cfg.weaker_pct / 100;
    s->side = b->cfg.set[k];
    s->on_s = on_s;
    s->first_rep = k * b->cfg.reps;
    if (s->side == PLATE_SIDE_BOTH) {
        double left = b->cfg.weaker == PLATE_SIDE_LEFT ? weak : 1, right = b->cfg.weaker == PLATE_SIDE_RIGHT ? weak : 1;
        s->share[0] = left / (left + right);
        s->share[1] = right / (left + right);
    } else {
        s->share[s->side == PLATE_SIDE_RIGHT] = 1;
    }
    for (unsigned f = 0; f < 2; f++) {
        s->tread[f] = sim_rng_uniform(r, 0.1, 0.4);
        for (unsigned i = 0; i < 4; i++) s->sway_phase[f][i] = sim_rng_uniform(r, 0, TURN);
    }
    double t = on_s + STEP_ON_S + SETTLE_S;
    for (unsigned n = 0; n < b->cfg.reps; n++) {
        struct rep *rep = &b->rep[s->first_rep + n];
        draw_rep(b, r, k, n, t, rep);
        t += rep_length_s(rep) + draw(r, b->cfg.exercise->rest_s);
    }
    s->off_s = t + STEP_OFF_S;
}

static bool config_ok(const struct sim_body_config *c)
{
    if (!c->exercise || !c->sets || c->sets > SIM_MAX_SETS || !c->reps || c->reps > SIM_MAX_REPS) return false;
    if (!(c->weaker_pct >= 0 && c->weaker_pct <= 90) || c->hold_s < 0 || c->hold_s > 3600) return false;
    if (!(c->set_rest_s >= 0 && c->set_rest_s <= 86400) || !(c->start_delay_s >= 0 && c->start_delay_s <= 86400)) return false;
    if (c->weaker == PLATE_SIDE_BOTH) return false;
    for (unsigned i = 0; i < c->sets; i++) {
        bool both = c->set[i] == PLATE_SIDE_BOTH;
        if (c->set[i] == PLATE_SIDE_NONE || (both ? !c->exercise->both_legs : !c->exercise->one_leg)) return false;
    }
    return true;
}

int sim_body_new(const struct sim_body_config *cfg, struct sim_body **ret)
{
    if (!config_ok(cfg)) return -EINVAL;
    unsigned reps = cfg->sets * cfg->reps;
    struct sim_body *b = calloc(1, sizeof *b + reps * sizeof b->rep[0]);
    if (!b) return -ENOMEM;
    b->cfg = *cfg;
    b->reps = reps;
    struct sim_rng r;
    sim_rng_init(&r, cfg->seed, 0);
    draw_athlete(b, &r);
    double t = cfg->start_delay_s;
    for (unsigned k = 0; k < cfg->sets; k++) {
        draw_set(b, &r, k, t);
        t = b->set[k].off_s + cfg->set_rest_s;
    }
    b->end_s = b->set[cfg->sets - 1].off_s + TAIL_S;
    *ret = b;
    return 0;
}

void sim_body_free(struct sim_body *b) { free(b); }
double sim_body_duration_s(const struct sim_body *b) { return b->end_s; }
unsigned sim_body_reps(const struct sim_body *b) { return b->reps; }

void sim_body_rep_span(const struct sim_body *b, unsigned i, double *ret_start_s, double *ret_end_s)
{
    *ret_start_s = b->rep[i].start_s;
    *ret_end_s = b->rep[i].start_s + rep_length_s(&b->rep[i]);
}

/* ---- force ---- */

struct motion {
    double effort;  /* 0..1: of the travel, or of the force of a push */
    double accel;   /* of the hips, as a part of g */
    double contact; /* 0..1: what the floor still carries */
};

/* A hold is never still: tones of under a hundredth of g, faded in and out so that no speed is left over. */
static double tremor_accel(const struct rep *r, double t)
{
    double ramp = fmin(TREMOR_RAMP_S, r->hold_s / 2), sum = 0;
    double quiet = ramp * ramp / (TREMOR_RAMP_S * TREMOR_RAMP_S); /* a short fade costs force: the less tremor */
    if (t <= 0 || t >= r->hold_s || ramp <= 0) return 0;
    bool fading = t > r->hold_s / 2;
    double x = (fading ? r->hold_s - t : t) / ramp, sign = fading ? -1 : 1;
    double e0 = min_jerk(x), e1 = sign * min_jerk_d1(x) / ramp, e2 = min_jerk_d2(x) / (ramp * ramp);
    for (unsigned i = 0; i < TREMOR_TONES; i++) {
        double w = TURN * r->tremor_Hz[i], p = w * t + r->tremor_phase[i], size = r->tremor[i] * quiet / (w * w);
        sum += size * (e2 * sin(p) + 2 * e1 * w * cos(p) - e0 * w * w * sin(p));
    }
    return sum;
}

static struct motion move_at(const struct sim_body *b, const struct rep *r, double t)
{
    double x1 = t / r->first_s, x2 = (t - r->first_s - r->hold_s) / r->second_s;
    struct motion m = {.effort = min_jerk(x1) - min_jerk(x2)};
    enum sim_kind kind = b->cfg.exercise->kind;
    double travel_m = kind == SIM_PUSH ? 0 : kind == SIM_SQUAT ? -b->travel_m : b->travel_m;
    m.accel =
        travel_m * (min_jerk_d2(x1) / (r->first_s * r->first_s) - min_jerk_d2(x2) / (r->second_s * r->second_s)) / GRAVITY +
        tremor_accel(r, t - r->first_s);
    double left_s = rep_length_s(r) - t;
    m.contact = 1 - min_jerk(fmin(t / r->load_up_s, left_s / r->load_down_s));
    return m;
}

static void foot_on_floor(const struct sim_body *b, unsigned foot, const struct set *s, const struct rep *r, double t,
                          struct sim_force *ret)
{
    enum sim_kind kind = b->cfg.exercise->kind;
    double breath = b->breath_N * sin(TURN * 0.25 * t + b->breath_phase) * (s->side == PLATE_SIDE_BOTH ? 0.5 : 1);
    double in_rep = t - r->start_s, share = s->share[foot];
    struct motion m = {.contact = 1};
    if (in_rep > 0 && in_rep < rep_length_s(r)) m = move_at(b, r, in_rep);
    double rest = b->rest_N[foot] * (in_rep < r->first_s + r->hold_s / 2 ? r->rest_before : r->rest_after) + breath;
    double total = share * (b->low_N + (b->high_N - b->low_N) * m.effort) * (1 + m.accel);
    ret->support_N = total / (1 + m.accel);
    ret->hip_m = (kind == SIM_SQUAT ? -b->travel_m : b->travel_m) * m.effort;
    if (kind == SIM_THRUST) {
        ret->foot_N = m.contact * rest + (1 - m.contact) * total;
        ret->floor_N = total - ret->foot_N;
    } else if (kind == SIM_SQUAT) {
        ret->foot_N = total + breath * m.contact;
    } else {
        double held = clamp((in_rep - r->first_s) / fmax(r->hold_s, 1e-3), 0, 1);
        ret->foot_N = ret->support_N = rest + m.effort * share * r->force_N * (1 - r->sag * held) * (1 + m.accel);
        ret->hip_m = 0;
    }
    double sway[2] = {0, 0};
    for (unsigned i = 0; i < 4; i++) sway[i & 1] += sin(TURN * b->sway_Hz[i] * t + s->sway_phase[foot][i]);
    ret->cop_x_mm = b->cop_x_mm[foot] + b->sway_mm * 0.6 * sway[0];
    ret->cop_y_mm = b->cop_rest_mm[foot] + (b->cop_work_mm[foot] - b->cop_rest_mm[foot]) * m.effort + b->sway_mm * sway[1];
}

static const struct set *set_at(const struct sim_body *b, double t)
{
    for (unsigned k = 0; k < b->cfg.sets; k++)
        if (t < b->set[k].off_s) return t >= b->set[k].on_s ? &b->set[k] : NULL;
    return NULL;
}

/* The latest rep of the set that has begun, or its first one. */
static const struct rep *rep_at(const struct sim_body *b, const struct set *s, double t)
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

static void one_foot(const struct sim_body *b, unsigned foot, double t, struct sim_force *ret)
{
    *ret = (struct sim_force){0};
    const struct set *s = set_at(b, t);
    if (!s || s->share[foot] <= 0) return;
    foot_on_floor(b, foot, s, rep_at(b, s, t), t, ret);
    double on = (t - s->on_s) / STEP_ON_S, off = (s->off_s - t) / STEP_OFF_S;
    double tread =
        on < 2 ? s->tread[foot] * min_jerk(on) * (1 - min_jerk(on - 1)) : 0; /* the foot comes down with some speed */
    double down = fmin(min_jerk(on), min_jerk(off)) * (1 + tread);
    ret->floor_N += ret->foot_N * (1 - down);
    ret->foot_N *= down;
}

void sim_body_force(const struct sim_body *b, enum plate_side foot, double t_s, struct sim_force *ret)
{
    struct sim_force l = {0}, r = {0};
    if (foot != PLATE_SIDE_RIGHT) one_foot(b, 0, t_s, &l);
    if (foot != PLATE_SIDE_LEFT) one_foot(b, 1, t_s, &r);
    bool apart = foot == PLATE_SIDE_BOTH && l.foot_N > 0 && r.foot_N > 0;
    double sum = l.foot_N + r.foot_N, half_mm = apart ? 90 : 0; /* feet side by side on one plate */
    *ret = (struct sim_force){.foot_N = sum,
                              .floor_N = l.floor_N + r.floor_N,
                              .support_N = l.support_N + r.support_N,
                              .hip_m = fabs(l.hip_m) > fabs(r.hip_m) ? l.hip_m : r.hip_m};
    if (sum <= 0) return;
    ret->cop_x_mm = ((l.cop_x_mm - half_mm) * l.foot_N + (r.cop_x_mm + half_mm) * r.foot_N) / sum;
    ret->cop_y_mm = (l.cop_y_mm * l.foot_N + r.cop_y_mm * r.foot_N) / sum;
}

/* ---- truth ---- */

#define TRUTH_STEP_S 1e-4

static double force_at(const struct sim_body *b, enum plate_side foot, double t)
{
    struct sim_force f;
    sim_body_force(b, foot, t, &f);
    return f.foot_N;
}

static double rest_level(const struct sim_body *b, enum plate_side foot, const struct rep *r, bool after)
{
    double sum = 0;
    for (unsigned f = 0; f < 2; f++) {
        double share = b->set[r->set].share[f];
        if (share <= 0 || (foot == PLATE_SIDE_LEFT && f) || (foot == PLATE_SIDE_RIGHT && !f)) continue;
        sum += b->cfg.exercise->kind == SIM_SQUAT ? share * b->low_N : b->rest_N[f] * (after ? r->rest_after : r->rest_before);
    }
    return sum;
}

/* The last moment before `until` at which the force is outside level +- band: it is back for good after that. */
static double back_for_good(const struct sim_body *b, enum plate_side foot, double level, double band, double from,
                            double until)
{
    double t = until;
    while (t > from && fabs(force_at(b, foot, t) - level) <= band) t -= TRUTH_STEP_S;
    return t + TRUTH_STEP_S;
}

bool sim_body_truth(const struct sim_body *b, unsigned i, enum plate_side foot, struct sim_truth *ret)
{
    const struct rep *r = &b->rep[i];
    const struct set *s = &b->set[r->set];
    if ((foot == PLATE_SIDE_LEFT && s->share[0] <= 0) || (foot == PLATE_SIDE_RIGHT && s->share[1] <= 0)) return false;
    bool squat = b->cfg.exercise->kind == SIM_SQUAT;
    double stop_s = r->start_s + rep_length_s(r), second_s = r->start_s + r->first_s + r->hold_s;
    double before = rest_level(b, foot, r, false), after = rest_level(b, foot, r, true), t = r->start_s;
    struct sim_force top;
    sim_body_force(b, foot, r->start_s + r->first_s, &top);
    while (t < stop_s && fabs(force_at(b, foot, t) - before) <= ONSET_BAND_N) t += TRUTH_STEP_S;
    ret->rep = r->number;
    ret->set = r->set + 1;
    ret->side = s->side != PLATE_SIDE_BOTH ? s->side : foot;
    ret->onset_s = t;
    if (squat) {
        ret->descent_s = t;
        ret->top_s = stop_s;
        ret->end_s = fmax(stop_s, back_for_good(b, foot, before, ONSET_BAND_N, second_s, stop_s));
    } else {
        double tenth = fmax(0.1 * (top.support_N - after), 1e-3);
        double from = b->cfg.exercise->kind == SIM_PUSH ? second_s : stop_s - r->load_down_s;
        ret->top_s = r->start_s + r->first_s;
        ret->descent_s = second_s;
        for (t = from; t < stop_s && force_at(b, foot, t) - after > tenth;) t += TRUTH_STEP_S;
        ret->end_s = t;
    }
    ret->peak_N = 0;
    for (t = ret->onset_s; t <= ret->end_s; t += 1e-3) ret->peak_N = fmax(ret->peak_N, force_at(b, foot, t));
    return true;
}

/* ---- the cells ---- */

void sim_sensor_init(struct sim_sensor *s, uint64_t seed, unsigned plate, unsigned cells, double noise_N,
                     double drift_N_per_min)
{
    *s = (struct sim_sensor){.cells = cells, .noise_N = noise_N};
    sim_rng_init(&s->rng, seed, 1 + plate);
    for (unsigned i = 0; i < cells; i++)
        s->drift_N_per_s[i] = drift_N_per_min / 60 / cells * sim_rng_uniform(&s->rng, 0.5, 1.5);
}

void sim_sensor_read(struct sim_sensor *s, const struct sim_force *f, double t_s, int32_t *ret_counts)
{
    double u = 2 * f->cop_x_mm / SIM_WIDTH_MM, v = 2 * f->cop_y_mm / SIM_LENGTH_MM;
    double part[4] = {(1 - u) * (1 + v) / 4, (1 + u) * (1 + v) / 4, (1 - u) * (1 - v) / 4, (1 + u) * (1 - v) / 4};
    if (s->cells == 1) part[0] = 1;
    for (unsigned i = 0; i < s->cells; i++) {
        double noise = s->noise_N > 0 ? s->noise_N / sqrt(s->cells) * sim_rng_normal(&s->rng) : 0;
        double force = f->foot_N * part[i] + s->drift_N_per_s[i] * t_s + noise;
        ret_counts[i] = (int32_t)lround(clamp(force / SIM_COUNT_N, INT32_MIN, INT32_MAX));
    }
}
