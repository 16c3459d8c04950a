/* The simulated athlete: the same seed gives the same, and he obeys statics and Newton. */
#include "sim_path.h"
#include "sim_run.h"
#include "sim_sensor.h"
#include "sim_statics.h"
#include <errno.h>

#define SIGNAL_SUM 0xAE40F30C12D253F1u

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
