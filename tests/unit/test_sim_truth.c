/* What the simulator says is true of its signal: when reps are, and what is none. */
#include "sim_run.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_truth_is_in_the_signal),
        cmocka_unit_test(test_turns),
        cmocka_unit_test(test_explosive_reps_dip_below_rest),
        cmocka_unit_test(test_two_up_one_down),
        cmocka_unit_test(test_jump_lands_harder_than_it_pushes),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_standing_on_one_foot),
        cmocka_unit_test(test_aborted_lifts_stay_low),
        cmocka_unit_test(test_odd_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
