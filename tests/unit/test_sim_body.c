/* The simulated athlete: statics, physics, truth, what is no rep, and the cells. */
#include "plate/calibrate.h"
#include "sim_path.h"
#include "sim_sensor.h"
#include "sim_statics.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GRAVITY 9.80665
#define SEED 20 /* of everything here; printed where a check fails */
#define SIGNAL_SUM 0xAE40F30C12D253F1u

static struct sim_body_config config(const char *exercise, uint64_t seed)
{
    struct sim_body_config c;
    sim_body_config_init(&c, sim_exercise_find(exercise));
    c.reps = 3;
    c.seed = seed;
    c.set_rest_s = 2;
    c.start_delay_s = 1;
    return c;
}

static struct sim_body *body(const struct sim_body_config *c)
{
    struct sim_body *b = NULL;
    assert_int_equal(sim_body_new(c, &b), 0);
    return b;
}

static struct sim_force force(const struct sim_body *b, enum plate_side foot, double t)
{
    struct sim_force f;
    sim_body_force(b, foot, t, &f);
    return f;
}
static double foot_N(const struct sim_body *b, enum plate_side foot, double t) { return force(b, foot, t).foot_N; }

#define CHECK(what, b)                                                                                                         \
    do {                                                                                                                       \
        if (!(what)) fail_msg("%s: seed %llu: %s", (b)->where, (unsigned long long)(b)->config.seed, #what);                   \
    } while (0)

/* Every exercise, turn and profile that there is, a few athletes each. */
struct variation {
    struct sim_body_config config;
    struct sim_body *body;
    char where[96];
};
#ifdef __SANITIZE_ADDRESS__
enum { EVERY = 3 }; /* of the variations: its eyes are on the code, and each runs the same */
#else
enum { EVERY = 1 };
#endif
static void each_variation(void (*check)(const struct variation *v))
{
    unsigned n = 0;
    for (const struct sim_exercise *e = sim_exercises; e->name; e++)
        for (unsigned turn = 0; turn < SIM_TURNS; turn++)
            for (unsigned profile = 0; profile < SIM_PROFILES; profile++) {
                if (!(e->turns >> turn & 1) || (e->profiles ? !(e->profiles >> profile & 1) : profile > 0)) continue;
                struct variation v = {.config = config(e->name, SEED + n)};
                if (n++ % EVERY) continue;
                v.config.turn = turn;
                v.config.profile = profile;
                if (n % 4 == 2) v.config.hold_s = 0;
                snprintf(v.where, sizeof v.where, "%s/%s/%s", e->name, sim_turn_names[turn], sim_profile_names[profile]);
                v.body = body(&v.config);
                check(&v);
                sim_body_free(v.body);
            }
    assert_true(n > 90);
}

/* ---- draws ---- */

static void test_draws(void **state)
{
    (void)state;
    enum { N = 200000 };
    struct sim_rng r;
    double sum = 0, square = 0, fourth = 0;
    sim_rng_init(&r, 7, 0);
    for (int i = 0; i < N; i++) {
        double x = sim_rng_normal(&r);
        sum += x;
        square += x * x;
        fourth += x * x * x * x;
    }
    assert_true(fabs(sum / N) < 5 / sqrt(N));
    assert_true(fabs(square / N - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(fourth / N - 3) < 5 * sqrt(96.0 / N));
    for (int i = 0; i < 1000; i++) {
        double u = sim_rng_uniform(&r, -2, 3);
        assert_true(u >= -2 && u < 3);
        assert_true(sim_rng_below(&r, 3) < 3);
    }
}

static void test_own_functions(void **state)
{
    (void)state;
    struct sim_rng r;
    sim_rng_init(&r, 8, 0);
    for (int i = 0; i < 100000; i++) {
        double x = sim_rng_uniform(&r, -50, 50), y = exp(sim_rng_uniform(&r, -80, 80));
        assert_true(fabs(sim_sin(x) - sin(6.283185307179586 * (x - floor(x)))) < 3e-15);
        assert_true(fabs(sim_log(y) - log(y)) < 1e-14 * fmax(1, fabs(log(y))));
    }
    assert_true(sim_sin(0) == 0 && sim_log(1) == 0);
}

static uint64_t counts_sum(const struct sim_body_config *c, unsigned plate, uint64_t sum)
{
    struct sim_sensor_config sc = {.cells = 4,
                                   .rate_Hz = 50,
                                   .rate_error = 0.01,
                                   .noise_N = 0.5,
                                   .drift_N_per_min = 0.4,
                                   .hum_N = 0.3,
                                   .spikes_per_min = 20,
                                   .bad = SIM_CELL_NOISY,
                                   .bad_cell = 2};
    struct sim_sensor s;
    struct sim_body *b = body(c);
    assert_int_equal(sim_sensor_init(&s, &sc, c->seed, plate), 0);
    for (uint64_t k = 0; sim_sensor_t_s(&s, k) < sim_body_duration_s(b); k++) {
        struct sim_force f = force(b, PLATE_SIDE_BOTH, sim_sensor_t_s(&s, k));
        int32_t counts[4];
        sim_sensor_read(&s, &f, sim_sensor_t_s(&s, k), counts);
        for (unsigned i = 0; i < 4; i++)
            for (unsigned shift = 0; shift < 32; shift += 8) /* FNV-1a */
                sum = (sum ^ (uint8_t)((uint32_t)counts[i] >> shift)) * 0x100000001B3u;
    }
    sim_body_free(b);
    return sum;
}

/* The counts of signals with everything in them. Nothing but + - * / and sqrt stands behind them, so that every machine and
 * compiler has to come to the same sum; who changes the model changes it. */
static uint64_t signal_sum(uint64_t seed)
{
    uint64_t sum = 0xCBF29CE484222325u;
    unsigned n = 0;
    for (const struct sim_exercise *e = sim_exercises; e->name; e++)
        for (unsigned turn = 0; turn < SIM_TURNS; turn++) {
            struct sim_body_config c = config(e->name, seed + n);
            unsigned profile = n % SIM_PROFILES;
            if (!(e->turns >> turn & 1)) continue;
            c.turn = turn;
            c.profile = e->profiles >> profile & 1 ? profile : SIM_PROFILE_MEASURED;
            c.events = (1u << SIM_EVENTS) - 1;
            c.odd_first = n & 1;
            c.foot_up_m = 0.1 * (n % 3);
            sum = counts_sum(&c, n++, sum);
        }
    assert_true(n > 20);
    return sum;
}

static void test_same_seed_same_counts(void **state)
{
    (void)state;
    uint64_t sum = signal_sum(SEED);
    assert_true(sum == signal_sum(SEED));
    assert_true(sum != signal_sum(SEED + 1));
    if (sum != SIGNAL_SUM) fail_msg("seed %u: the sum is 0x%016llXu", SEED, (unsigned long long)sum);
}

static void test_config_is_checked(void **state)
{
    (void)state;
    struct sim_body *b;
    struct sim_body_config c = config("single_leg_hip_thrust", 1), bad;
#define BAD(change)                                                                                                            \
    bad = c;                                                                                                                   \
    bad.change;                                                                                                                \
    assert_int_equal(sim_body_new(&bad, &b), -EINVAL)
    BAD(set[1] = PLATE_SIDE_BOTH);
    BAD(reps = 0);
    BAD(sets = SIM_MAX_SETS + 1);
    BAD(weaker_pct = 100);
    BAD(hold_s = -1);
    BAD(foot_up_m = 1);
    BAD(tremor = NAN);
    BAD(turn = SIM_TURNS);
    BAD(events_per_set = 65);
    c = config("squat", 1);
    BAD(set[0] = PLATE_SIDE_LEFT);
    BAD(turn = SIM_TURN_FLOAT);
    BAD(profile = SIM_PROFILE_EXPLOSIVE);
    assert_null(sim_exercise_find("juggling"));
    sim_body_free(NULL);
}

/* ---- physics ---- */

/* Two-support statics of an 80 kg athlete, as derived by hand: foot force at the top and 30 cm lower. */
static void test_statics(void **state)
{
    (void)state;
    static const double want_N[2][3][2] = {{{200, 143}, {384, 260}, {568, 377}}, {{262, 205}, {446, 322}, {630, 438}}};
    for (int leg = 0; leg < 2; leg++)
        for (int disc = 0; disc < 3; disc++) {
            struct sim_posture p;
            sim_posture_init(&p, 80, 1.75, 0.30, 0, false, false, leg == SIM_STRAIGHT);
            double bar_N = 40 * disc * GRAVITY;
            double top_N = sim_posture_body_N(&p, 0.30) + bar_N * sim_posture_hip_part(&p, 0.30);
            double low_N = sim_posture_body_N(&p, 0) + bar_N * sim_posture_hip_part(&p, 0);
            assert_true(fabs(top_N - want_N[leg][disc][0]) < 2.5 && fabs(low_N - want_N[leg][disc][1]) < 2.5);
            assert_true(sim_posture_rest_N(&p) > 0.05 * 80 * GRAVITY && sim_posture_rest_N(&p) < 0.15 * 80 * GRAVITY);
        }
}

/* A move comes to where it was sent, whatever its ends and knots are, and its pieces join. */
static void test_path(void **state)
{
    (void)state;
    struct sim_rng r;
    sim_rng_init(&r, SEED, 0);
    for (int i = 0; i < 100; i++) {
        struct sim_path p = {0};
        struct sim_state before, after;
        struct sim_move m = {.knots = 5, .knot = {{0, 0, 0}, {0.2, 1, 0}, {0.5, 0.6, 0}, {0.8, 0.3, 0}, {1, 0, 0}}};
        m.from_m = sim_rng_uniform(&r, -1, 1);
        m.to_m = sim_rng_uniform(&r, -1, 1);
        m.start_a = sim_rng_uniform(&r, -1, 1);
        m.end_v = sim_rng_uniform(&r, -1, 1);
        m.end_a = sim_rng_uniform(&r, -1, 1);
        sim_path_move(&p, 2, 0.7, &m);
        for (int k = 0; k <= 4; k++) {
            double t = 2 + 0.7 * m.knot[k].x;
            sim_path_at(&p, t - 1e-9, &before);
            sim_path_at(&p, t + 1e-9, &after);
            if (k > 0) assert_true(fabs(before.h_m - (k == 4 ? m.to_m : after.h_m)) < 1e-7);
            if (k > 0 && k < 4)
                assert_true(fabs(before.v_m_per_s - after.v_m_per_s) + fabs(before.a_m_per_s2 - after.a_m_per_s2) < 1e-5);
            if (k == 0) assert_true(fabs(after.h_m - m.from_m) < 1e-7 && fabs(after.a_m_per_s2 - m.start_a) < 1e-5);
            if (k == 4) assert_true(fabs(before.v_m_per_s - m.end_v) < 1e-5 && fabs(before.a_m_per_s2 - m.end_a) < 1e-5);
        }
        sim_path_done(&p);
    }
}

/* Foot and floor together carry the load and what moves it, at every moment; nothing pulls; nothing jumps. */
static void check_balance(const struct variation *v)
{
    double last_N = 0, end_s = sim_body_duration_s(v->body);
    for (double t = 0; t < end_s; t += 4e-3) {
        struct sim_force f = force(v->body, PLATE_SIDE_BOTH, t);
        double want = f.support_N + f.inert_N * f.accel_m_per_s2 / GRAVITY;
        CHECK(fabs(f.foot_N + f.floor_N - want) < 1e-9 * fmax(1, want), v);
        CHECK(f.foot_N >= 0 && f.foot_N < 5000, v);
        CHECK(fabs(f.foot_N - last_N) < 250, v);
        last_N = f.foot_N;
    }
}
static void test_foot_and_floor_balance(void **state)
{
    (void)state;
    each_variation(check_balance);
}

/* What moves the hips is the force on their mass beyond its weight: integrated, it gives their speed and their way. From
 * standstill to standstill it comes to nothing. */
static void check_newton(const struct variation *v)
{
    if (v->config.exercise->kind == SIM_PUSH) return;
    for (unsigned i = 0; i < sim_body_reps(v->body); i++) {
        double from, to, absolute = 0, speed = 0, worst_m = 0, furthest_m = 0;
        const double dt = 1e-3;
        sim_body_rep_span(v->body, i, &from, &to);
        double start_m = force(v->body, PLATE_SIDE_BOTH, from).hip_m, way_m = start_m;
        for (double t = from + dt / 2; t < to; t += dt) {
            struct sim_force f = force(v->body, PLATE_SIDE_BOTH, t);
            double accel = GRAVITY * (f.foot_N + f.floor_N - f.support_N) / f.inert_N;
            absolute += fabs(accel) * dt;
            way_m += (speed + accel * dt / 2) * dt;
            speed += accel * dt;
            worst_m = fmax(worst_m, fabs(way_m - f.hip_m));
            furthest_m = fmax(furthest_m, fabs(f.hip_m));
        }
        CHECK(absolute > 0.2 && fabs(speed) < 0.01 * absolute, v);
        CHECK(furthest_m > 0.1 && worst_m < 0.01 * furthest_m, v);
    }
}
static void test_hips_obey_newton(void **state)
{
    (void)state;
    each_variation(check_newton);
}

/* A rep is found by its momentum: while the hips are off the floor the foot alone carries them, so what it presses beyond the
 * support comes to the change of their speed, which is measured on their path. */
static void check_momentum(const struct variation *v)
{
    const double dt = 1e-3, off_m = 0.045; /* no floor or seat reaches higher */
    if (v->config.exercise->kind != SIM_THRUST && v->config.exercise->kind != SIM_SIT) return;
    for (unsigned i = 0; i < sim_body_reps(v->body); i++) {
        double from, to, sum_s = 0, size_s = 0, first_s = 0, last_s = 0;
        sim_body_rep_span(v->body, i, &from, &to);
        for (double t = from + dt / 2; t < to; t += dt) {
            struct sim_force f = force(v->body, PLATE_SIDE_BOTH, t);
            if (f.hip_m < off_m) continue;
            if (first_s <= 0) first_s = t - dt / 2;
            last_s = t + dt / 2;
            sum_s += (f.foot_N / f.support_N - 1) * dt;
            size_s += fabs(f.foot_N / f.support_N - 1) * dt;
        }
        double up = force(v->body, PLATE_SIDE_BOTH, first_s + dt).hip_m - force(v->body, PLATE_SIDE_BOTH, first_s - dt).hip_m;
        double down = force(v->body, PLATE_SIDE_BOTH, last_s + dt).hip_m - force(v->body, PLATE_SIDE_BOTH, last_s - dt).hip_m;
        CHECK(size_s > 0.03 && fabs(GRAVITY * sum_s - (down - up) / (2 * dt)) < 0.02 * GRAVITY * size_s + 0.002, v);
    }
}
static void test_momentum_balances(void **state)
{
    (void)state;
    each_variation(check_momentum);
}

static void test_load_and_band(void **state)
{
    (void)state;
    double top_N[4], low_N[4];
    for (unsigned k = 0; k < 4; k++) {
        struct sim_body_config c = config("single_leg_hip_thrust", SEED);
        struct sim_truth t;
        c.load_kg = k == 1 ? 40 : 0;
        c.band_N_per_m = k == 2 ? 500 : 0;
        c.free_leg = k == 3 ? SIM_LEG_TUCKED : SIM_LEG_STRAIGHT;
        struct sim_body *b = body(&c);
        assert_true(sim_body_truth(b, 0, PLATE_SIDE_BOTH, &t));
        top_N[k] = force(b, PLATE_SIDE_BOTH, t.descent_s).support_N;
        double from, to;
        sim_body_rep_span(b, 0, &from, &to);
        low_N[k] = force(b, PLATE_SIDE_BOTH, from).support_N;
        assert_true(fabs(foot_N(b, PLATE_SIDE_BOTH, from) - force(b, PLATE_SIDE_BOTH, from).still_N) < 1e-9);
        sim_body_free(b);
    }
    assert_true(fabs(top_N[1] - top_N[0] - 0.469 * 40 * GRAVITY) < 8);
    assert_true(top_N[2] - top_N[0] > 50 && fabs(low_N[2] - low_N[0]) < 1e-9); /* a band is slack at the bottom */
    assert_true(top_N[0] - top_N[3] > 40);
}

/* ---- truth ---- */

static void check_truth(const struct variation *v, enum plate_side foot)
{
    const struct sim_body *b = v->body;
    enum sim_kind kind = v->config.exercise->kind;
    double before_s = 0, hold = v->config.hold_s;
    for (unsigned i = 0; i < sim_body_reps(b); i++) {
        struct sim_truth t;
        double from, to, peak = 0;
        if (!sim_body_truth(b, i, foot, &t)) continue;
        sim_body_rep_span(b, i, &from, &to);
        CHECK(t.onset_s >= from && t.onset_s >= before_s && t.end_s <= to + 1e-9, v);
        CHECK(t.rep == 1 + i % 3 && t.set == 1 + i / 3, v);
        if (kind == SIM_SQUAT || kind == SIM_JUMP)
            CHECK(t.descent_s == t.onset_s && t.bottom_s > t.onset_s && t.top_s > t.bottom_s, v);
        else
            CHECK(isnan(t.bottom_s) && t.onset_s < t.top_s && t.top_s <= t.descent_s && t.descent_s < t.end_s, v);
        if (hold >= 0 && kind != SIM_SQUAT && kind != SIM_JUMP) CHECK(fabs(t.descent_s - t.top_s - hold) < 1e-9, v);
        if (!t.floated) {
            struct sim_force at = force(b, foot, t.onset_s - 1e-4), after = force(b, foot, t.onset_s + 1e-3);
            CHECK(fabs(at.foot_N - at.still_N) <= 5 && fabs(after.foot_N - after.still_N) > 4.9, v);
        }
        if (!t.floating && kind != SIM_SQUAT && kind != SIM_JUMP) {
            struct sim_force top = force(b, foot, t.descent_s), end = force(b, foot, t.end_s + 1e-4);
            double step = top.support_N - force(b, foot, to).still_N;
            CHECK(step > 20 && end.foot_N - end.still_N < 0.101 * step, v);
            CHECK(foot_N(b, foot, t.end_s - 2e-3) - end.still_N > 0.09 * step, v);
        }
        if (kind == SIM_SQUAT) CHECK(fabs(foot_N(b, foot, t.end_s + 1e-3) - force(b, foot, t.end_s + 1e-3).still_N) <= 5, v);
        if (kind == SIM_JUMP)
            CHECK(foot_N(b, foot, t.top_s + 2e-3) == 0 && foot_N(b, foot, t.end_s - 2e-3) == 0 &&
                      foot_N(b, foot, t.end_s + 0.01) > 50 && foot_N(b, foot, t.top_s - 0.01) > 5,
                  v);
        for (double s = t.onset_s; s < t.end_s; s += 0.002) peak = fmax(peak, foot_N(b, foot, s));
        CHECK(fabs(peak - t.peak_N) < 0.01 * t.peak_N, v);
        before_s = t.end_s;
    }
    CHECK(before_s > 0 || foot != PLATE_SIDE_BOTH, v);
}
static void check_truths(const struct variation *v)
{
    check_truth(v, PLATE_SIDE_BOTH);
    check_truth(v, PLATE_SIDE_LEFT);
    check_truth(v, PLATE_SIDE_RIGHT);
}
static void test_truth_is_in_the_signal(void **state)
{
    (void)state;
    each_variation(check_truths);
}

/* What the foot feels between two reps is what each turn is called after. */
static void test_turns(void **state)
{
    (void)state;
    for (enum sim_turn turn = 0; turn < SIM_TURNS; turn++)
        for (uint64_t seed = SEED; seed < SEED + 10; seed++) {
            struct sim_body_config c = config("single_leg_hip_thrust", seed);
            struct sim_truth a, z;
            c.turn = turn;
            struct sim_body *b = body(&c);
            assert_true(sim_body_truth(b, 0, PLATE_SIDE_BOTH, &a) && sim_body_truth(b, 1, PLATE_SIDE_BOTH, &z));
            double least_N = 1e9, below_s = 0, rest_N = foot_N(b, PLATE_SIDE_BOTH, a.onset_s - 0.1);
            double support_N = force(b, PLATE_SIDE_BOTH, a.end_s).support_N, gap_s = z.onset_s - a.end_s;
            for (double t = a.descent_s; t < z.onset_s + 0.3; t += 1e-3) {
                struct sim_force f = force(b, PLATE_SIDE_BOTH, t);
                bool held = f.floor_N > 0.02 * f.support_N;
                least_N = fmin(least_N, f.foot_N);
                below_s += held ? 1e-3 : 0;
            }
            double unloaded = (support_N - least_N) / (support_N - rest_N);
            bool ok = turn == SIM_TURN_PAUSE          ? unloaded > 0.95 && gap_s > 0.5
                      : turn == SIM_TURN_TOUCH_AND_GO ? unloaded > 0.95 && gap_s > 0.04 && gap_s < 0.3
                      : turn == SIM_TURN_BOUNCE       ? below_s > 0.02 && below_s < 0.3 && gap_s == 0 && unloaded < 0.95
                                                      : below_s == 0 && gap_s < 1.1;
            if (!ok)
                fail_msg("%s: seed %llu: unloaded %.2f, floor %.3f s, gap %.3f s", sim_turn_names[turn],
                         (unsigned long long)seed, unloaded, below_s, gap_s);
            sim_body_free(b);
        }
}

static void test_explosive_reps_dip_below_rest(void **state)
{
    (void)state;
    for (uint64_t seed = SEED; seed < SEED + 10; seed++) {
        struct sim_body_config c = config("single_leg_hip_thrust", seed);
        struct sim_truth t;
        double least_N = 1e9;
        c.profile = SIM_PROFILE_EXPLOSIVE;
        struct sim_body *b = body(&c);
        assert_true(sim_body_truth(b, 0, PLATE_SIDE_BOTH, &t));
        for (double s = t.onset_s; s < t.top_s; s += 1e-3) least_N = fmin(least_N, foot_N(b, PLATE_SIDE_BOTH, s));
        assert_true(t.top_s - t.onset_s > 0.22 && t.top_s - t.onset_s < 0.42);
        assert_true(least_N < 0.6 * foot_N(b, PLATE_SIDE_BOTH, t.onset_s - 0.2));
        sim_body_free(b);
    }
}

static void test_two_up_one_down(void **state)
{
    (void)state;
    struct sim_body_config c = config("two_up_one_down", SEED);
    struct sim_truth t;
    c.second_foot_on_plate = true;
    struct sim_body *b = body(&c);
    assert_true(sim_body_truth(b, 0, PLATE_SIDE_LEFT, &t));
    assert_false(sim_body_truth(b, 0, PLATE_SIDE_RIGHT, &t));
    double half = foot_N(b, PLATE_SIDE_LEFT, t.top_s), whole = foot_N(b, PLATE_SIDE_LEFT, t.descent_s);
    assert_true(whole > 1.4 * half && whole < 2.6 * half);
    assert_true(fabs(foot_N(b, PLATE_SIDE_RIGHT, t.top_s) / half - 1) < 0.05);
    assert_true(foot_N(b, PLATE_SIDE_RIGHT, t.descent_s) == 0 && foot_N(b, PLATE_SIDE_RIGHT, t.end_s) < 1);
    assert_true(foot_N(b, PLATE_SIDE_RIGHT, t.end_s + 0.9) > 20);
    sim_body_free(b);
}

static void test_jump_lands_harder_than_it_pushes(void **state)
{
    (void)state;
    for (uint64_t seed = SEED; seed < SEED + 10; seed++) {
        struct sim_body_config c = config("squat_jump", seed);
        struct sim_body *b = body(&c);
        for (unsigned i = 0; i < sim_body_reps(b); i++) {
            struct sim_truth t;
            double landing_N = 0;
            assert_true(sim_body_truth(b, i, PLATE_SIDE_BOTH, &t));
            for (double s = t.end_s; s < t.end_s + 0.4; s += 1e-3) landing_N = fmax(landing_N, foot_N(b, PLATE_SIDE_BOTH, s));
            assert_true(landing_N > 1.05 * t.peak_N && t.end_s - t.top_s > 0.3 && t.end_s - t.top_s < 0.6);
        }
        sim_body_free(b);
    }
}

/* ---- what is no rep ---- */

static void test_events(void **state)
{
    (void)state;
    for (unsigned kind = 0; kind < SIM_EVENTS; kind++)
        for (uint64_t seed = SEED; seed < SEED + 4; seed++) {
            struct sim_body_config c = config(seed & 1 ? "single_leg_hip_thrust" : "isometric", seed), quiet = c;
            c.events = 1u << kind;
            c.events_per_set = 2;
            struct sim_body *b = body(&c), *plain = body(&quiet);
            assert_int_equal(sim_body_events(b), 2 * c.sets);
            for (unsigned i = 0; i < sim_body_events(b); i++) {
                const struct sim_event *e = sim_body_event(b, i);
                double low = 1e9, high = -1e9;
                bool in_rep = false;
                assert_true(e->kind == kind && e->end_s > e->start_s && e->end_s < sim_body_duration_s(b));
                for (unsigned n = 0; n < sim_body_reps(b); n++) {
                    double from, to;
                    sim_body_rep_span(b, n, &from, &to);
                    in_rep |= e->start_s < to && e->end_s > from;
                }
                for (double t = e->start_s; t < e->end_s; t += 1e-3) {
                    double f = foot_N(b, PLATE_SIDE_BOTH, t);
                    low = fmin(low, f);
                    high = fmax(high, f);
                }
                if (high - low < 3 || (in_rep && kind != SIM_EVENT_KICK))
                    fail_msg("%s: seed %llu: %.1f to %.1f N", sim_event_names[kind], (unsigned long long)seed, low, high);
                if (kind == SIM_EVENT_KICK) assert_true(high - low < 700);
                if (kind == SIM_EVENT_ABORT) assert_true(e->end_s - e->start_s < 0.5);
            }
            for (unsigned n = 0; n < sim_body_reps(b); n++) { /* the reps are the same, later */
                struct sim_truth x, y;
                assert_true(sim_body_truth(b, n, PLATE_SIDE_BOTH, &x) && sim_body_truth(plain, n, PLATE_SIDE_BOTH, &y));
                assert_true(fabs((x.top_s - x.onset_s) - (y.top_s - y.onset_s)) < 0.01);
            }
            sim_body_free(b);
            sim_body_free(plain);
        }
}

/* Who stands and lifts a foot has all his weight on the other. */
static void test_standing_on_one_foot(void **state)
{
    (void)state;
    struct sim_body_config c = config("squat", SEED);
    double least_N = 1e9;
    c.events = 1u << SIM_EVENT_REPLACE;
    struct sim_body *b = body(&c);
    const struct sim_event *e = sim_body_event(b, 0);
    double all_N = foot_N(b, PLATE_SIDE_BOTH, e->start_s);
    for (double t = e->start_s; t < e->end_s; t += 1e-3) {
        least_N = fmin(least_N, foot_N(b, e->foot, t));
        assert_true(fabs(foot_N(b, PLATE_SIDE_BOTH, t) - all_N) < 0.15 * all_N);
    }
    assert_true(least_N < 0.01 * all_N);
    sim_body_free(b);
}

/* The hips of an aborted lift stay on the floor, which still has half of the load or more. */
static void test_aborted_lifts_stay_low(void **state)
{
    (void)state;
    for (uint64_t seed = SEED; seed < SEED + 10; seed++) {
        struct sim_body_config c = config("single_leg_hip_thrust", seed);
        c.events = 1u << SIM_EVENT_ABORT;
        struct sim_body *b = body(&c);
        for (unsigned i = 0; i < sim_body_events(b); i++) {
            const struct sim_event *e = sim_body_event(b, i);
            double high = 0;
            for (double t = e->start_s; t < e->end_s; t += 1e-3) {
                struct sim_force f = force(b, PLATE_SIDE_BOTH, t);
                high = fmax(high, (f.foot_N - f.still_N) / (f.support_N - f.still_N));
            }
            if (!(high > 0.17 && high < 0.55)) fail_msg("seed %llu: rises by %.2f", (unsigned long long)seed, high);
        }
        sim_body_free(b);
    }
}

static void test_odd_first(void **state)
{
    (void)state;
    unsigned aborted = 0;
    double first_s = 0, second_s = 0;
    for (uint64_t seed = SEED; seed < SEED + 20; seed++) {
        struct sim_body_config c = config("single_leg_hip_thrust", seed);
        struct sim_truth t[2];
        c.odd_first = true;
        c.sets = 1;
        struct sim_body *b = body(&c);
        for (unsigned i = 0; i < 2; i++) assert_true(sim_body_truth(b, i, PLATE_SIDE_BOTH, &t[i]));
        first_s += t[0].top_s - t[0].onset_s;
        second_s += t[1].top_s - t[1].onset_s;
        aborted += sim_body_events(b);
        sim_body_free(b);
    }
    assert_true(first_s > 1.3 * second_s && first_s < 1.8 * second_s);
    assert_in_range(aborted, 4, 16);
}

/* ---- sides ---- */

static void test_weaker_side(void **state)
{
    (void)state;
    double drive_s[2] = {0}, push_N[2] = {0}, share_N[2] = {0};
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sim_body_config c[3] = {config("single_leg_hip_thrust", seed), config("isometric", seed),
                                       config("barbell_hip_thrust", seed)};
        for (unsigned k = 0; k < 3; k++) {
            c[k].weaker = PLATE_SIDE_LEFT;
            c[k].weaker_pct = 20;
            c[k].wander_pct = 0;
            struct sim_body *b = body(&c[k]);
            for (unsigned i = 0; i < sim_body_reps(b); i++)
                for (unsigned side = 0; side < 2; side++) {
                    struct sim_truth t;
                    if (!sim_body_truth(b, i, side ? PLATE_SIDE_RIGHT : PLATE_SIDE_LEFT, &t)) continue;
                    if (k == 0)
                        drive_s[side] += t.top_s - t.onset_s;
                    else
                        (k == 1 ? push_N : share_N)[side] += t.peak_N;
                }
            sim_body_free(b);
        }
    }
    assert_true(fabs(1 - drive_s[1] / drive_s[0] - 0.20) < 0.02);
    assert_true(fabs(1 - push_N[0] / push_N[1] - 0.18) < 0.03); /* the leg's weight under the foot is not weaker */
    assert_true(fabs(1 - share_N[0] / share_N[1] - 0.20) < 0.01);
}

static void test_share_wanders(void **state)
{
    (void)state;
    struct sim_body_config c = config("squat", SEED);
    double low = 1, high = 0;
    c.wander_pct = 3;
    struct sim_body *b = body(&c);
    for (double t = 3; t < sim_body_duration_s(b) - 3; t += 0.01) {
        double left = foot_N(b, PLATE_SIDE_LEFT, t), share = left / (left + foot_N(b, PLATE_SIDE_RIGHT, t));
        assert_true(fabs(left + foot_N(b, PLATE_SIDE_RIGHT, t) - foot_N(b, PLATE_SIDE_BOTH, t)) < 1e-9);
        low = fmin(low, share);
        high = fmax(high, share);
    }
    assert_true(high - low > 0.02 && low > 0.465 && high < 0.535);
    sim_body_free(b);
}

static void test_empty_plate_and_feet(void **state)
{
    (void)state;
    struct sim_body_config c = config("single_leg_hip_thrust", 3);
    struct sim_body *b = body(&c);
    struct sim_truth last, first;
    assert_true(foot_N(b, PLATE_SIDE_BOTH, 0.5) == 0);
    assert_true(foot_N(b, PLATE_SIDE_BOTH, sim_body_duration_s(b) - 0.5) == 0);
    assert_true(sim_body_truth(b, 2, PLATE_SIDE_BOTH, &last) && sim_body_truth(b, 3, PLATE_SIDE_BOTH, &first));
    assert_false(sim_body_truth(b, 2, PLATE_SIDE_RIGHT, &last));
    assert_int_equal(last.side, PLATE_SIDE_LEFT);
    assert_int_equal(first.side, PLATE_SIDE_RIGHT);
    unsigned empty = 0;
    for (double t = last.end_s; t < first.onset_s; t += 0.01) empty += foot_N(b, PLATE_SIDE_BOTH, t) == 0;
    assert_in_range(empty, 195, 205);
    assert_true(foot_N(b, PLATE_SIDE_RIGHT, last.top_s + 0.1) == 0 && foot_N(b, PLATE_SIDE_LEFT, first.top_s + 0.1) == 0);
    sim_body_free(b);
}

static void test_center_goes_where_it_is_sent(void **state)
{
    (void)state;
    struct sim_force usual[2], sent[2];
    for (unsigned k = 0; k < 2; k++) {
        struct sim_body_config c = config("single_leg_hip_thrust", SEED);
        if (k) c.toe_bias_mm = 40, c.medial_drift_mm = 15;
        struct sim_body *b = body(&c);
        for (unsigned set = 0; set < 2; set++) {
            struct sim_truth t;
            assert_true(sim_body_truth(b, 3 * set, PLATE_SIDE_BOTH, &t));
            (k ? sent : usual)[set] = force(b, PLATE_SIDE_BOTH, t.descent_s);
        }
        sim_body_free(b);
    }
    assert_true(fabs(sent[0].cop_y_mm - usual[0].cop_y_mm - 40) < 1e-9);
    assert_true(fabs(sent[0].cop_x_mm - usual[0].cop_x_mm - 15) < 0.1); /* the left foot's inner edge is to the right */
    assert_true(fabs(sent[1].cop_x_mm - usual[1].cop_x_mm + 15) < 0.1);
}

/* ---- the cells ---- */

static void test_cells_give_the_center_back(void **state)
{
    (void)state;
    static const double corner[4][2] = {{-1, 1}, {1, 1}, {-1, -1}, {1, -1}};
    struct sim_force f = {.foot_N = 400, .cop_x_mm = 23, .cop_y_mm = -61};
    struct sim_sensor_config c = {.cells = 4, .rate_Hz = 1000};
    struct sim_sensor s;
    struct plate_calibration cal;
    struct plate_cell cell[4] = {0};
    struct plate_geometry g;
    struct plate_force got;
    int32_t counts[4];
    for (unsigned i = 0; i < 4; i++) {
        snprintf(cell[i].name, sizeof cell[i].name, "c%u", i);
        cell[i].x_mm = corner[i][0] * SIM_WIDTH_MM / 2;
        cell[i].y_mm = corner[i][1] * SIM_LENGTH_MM / 2;
    }
    assert_int_equal(sim_sensor_init(&s, &c, 1, 0), 0);
    sim_sensor_read(&s, &f, 100, counts);
    plate_calibration_identity(&cal, 4, SIM_COUNT_N);
    plate_geometry_init(&g, cell, 4);
    plate_calibrate(&cal, &g, counts, &got);
    assert_true(fabs(got.Fz_N - 400) < 0.03);
    assert_true(fabs(got.cop_x_mm - 23) < 0.05 && fabs(got.cop_y_mm + 61) < 0.05);
}

struct seen {
    double mean_N, sd_N, least_N, most_N;
    unsigned far, lost, holes;
};
/* A minute of an empty plate at 1 kHz; t_s is that of the body. */
static struct seen watch(const struct sim_sensor_config *c)
{
    enum { N = 60000 };
    struct sim_sensor s;
    struct sim_force none = {0};
    struct seen seen = {.least_N = 1e9, .most_N = -1e9};
    double sum = 0, square = 0;
    bool gone = false;
    assert_int_equal(sim_sensor_init(&s, c, SEED, 0), 0);
    for (uint64_t k = 0; k < N; k++) {
        int32_t counts[4];
        double force_N = 0;
        bool lost = sim_sensor_lost(&s, k);
        sim_sensor_read(&s, &none, sim_sensor_t_s(&s, k), counts);
        for (unsigned i = 0; i < c->cells; i++) force_N += counts[i] * SIM_COUNT_N;
        sum += force_N;
        square += force_N * force_N;
        seen.least_N = fmin(seen.least_N, force_N);
        seen.most_N = fmax(seen.most_N, force_N);
        seen.far += fabs(force_N) > 20;
        seen.lost += lost;
        seen.holes += lost && !gone;
        gone = lost;
    }
    seen.mean_N = sum / N;
    seen.sd_N = sqrt(square / N - seen.mean_N * seen.mean_N);
    return seen;
}

static void test_faults(void **state)
{
    (void)state;
    struct sim_sensor_config plain = {.cells = 4, .rate_Hz = 1000}, c = plain;
    struct seen s = watch(&c);
    assert_true(s.mean_N == 0 && s.sd_N == 0 && s.lost == 0);
    c.noise_N = 1;
    s = watch(&c);
    assert_true(fabs(s.sd_N - 1) < 0.02);
    c = plain, c.tare_error_N = -7;
    s = watch(&c);
    assert_true(fabs(s.mean_N + 7) < 0.03 && s.sd_N < 0.02);
    c = plain, c.drift_N_per_min = 5;
    s = watch(&c);
    assert_true(s.most_N > 2.4 && s.most_N < 7.6 && fabs(s.mean_N - s.most_N / 2) < 0.05);
    c = plain, c.hum_N = 2, c.hum_Hz = 60;
    s = watch(&c);
    assert_true(fabs(s.sd_N - sqrt(2)) < 0.03 && fabs(s.most_N - 2) < 0.03);
    c = plain, c.spikes_per_min = 100;
    s = watch(&c);
    assert_in_range(s.far, 60, 140);
    assert_true(s.most_N <= 301 && s.least_N >= -301);
    c = plain, c.noise_N = 1, c.step_N = 2;
    s = watch(&c);
    assert_true(fabs(fmod(s.most_N, 2)) < 1e-9);
    c = plain, c.losses_per_min = 60, c.loss_samples[0] = 5, c.loss_samples[1] = 5;
    s = watch(&c);
    assert_in_range(s.holes, 35, 90);
    assert_true(s.lost >= 5 * s.holes && s.lost <= 5 * s.holes + 20);
    c = plain, c.bad = SIM_CELL_NOISY;
    s = watch(&c);
    assert_true(fabs(s.sd_N - 20) < 0.5);
}

static void test_bad_cell_sticks(void **state)
{
    (void)state;
    struct sim_sensor_config c = {.cells = 4, .rate_Hz = 1000, .bad = SIM_CELL_STUCK, .bad_cell = 3};
    struct sim_sensor s;
    struct sim_force none = {0}, much = {.foot_N = 400};
    int32_t counts[4];
    assert_int_equal(sim_sensor_init(&s, &c, SEED, 0), 0);
    sim_sensor_read(&s, &none, 0, counts);
    sim_sensor_read(&s, &much, 1, counts);
    assert_true(counts[0] == 10000 && counts[1] == 10000 && counts[2] == 10000 && counts[3] == 0);
    c.bad_cell = 4;
    assert_int_equal(sim_sensor_init(&s, &c, SEED, 0), -EINVAL);
    c = (struct sim_sensor_config){.cells = 1, .rate_Hz = 80, .rate_error = 0.09375};
    assert_int_equal(sim_sensor_init(&s, &c, SEED, 0), 0);
    assert_true(fabs(sim_sensor_t_s(&s, 875) - 10) < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draws),
        cmocka_unit_test(test_own_functions),
        cmocka_unit_test(test_same_seed_same_counts),
        cmocka_unit_test(test_config_is_checked),
        cmocka_unit_test(test_statics),
        cmocka_unit_test(test_path),
        cmocka_unit_test(test_foot_and_floor_balance),
        cmocka_unit_test(test_hips_obey_newton),
        cmocka_unit_test(test_momentum_balances),
        cmocka_unit_test(test_load_and_band),
        cmocka_unit_test(test_truth_is_in_the_signal),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_explosive_reps_dip_below_rest),
        cmocka_unit_test(test_two_up_one_down),
        cmocka_unit_test(test_jump_lands_harder_than_it_pushes),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_standing_on_one_foot),
        cmocka_unit_test(test_aborted_lifts_stay_low),
        cmocka_unit_test(test_odd_first),
        cmocka_unit_test(test_weaker_side),
        cmocka_unit_test(test_share_wanders),
        cmocka_unit_test(test_empty_plate_and_feet),
        cmocka_unit_test(test_center_goes_where_it_is_sent),
        cmocka_unit_test(test_cells_give_the_center_back),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_bad_cell_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
