#include "rep_run.h"

/* A drive has a hump or two, on which the force is even for a moment while the hips still rise: nobody is held there. */

static const struct body leg = {
    .rest_N = 60, .floor_N = 115, .per_m = 1.2, .rise_m = 0.3, .hold_s = 1.8, .down_s = 1, .hand_over_s = 0.12};

/* Up in two goes of half the way each, the second begun before the first is over. */
static void up_in_two(struct run *r, const struct body *b, double one_s, double apart_s)
{
    double half_m = b->rise_m / 2;
    for (double t0_s = r->t_s, t_s = 0; t_s < one_s + apart_s - 1e-9; t_s = r->t_s - t0_s) {
        double u1 = t_s / one_s, u2 = (t_s - apart_s) / one_s, a = 0;
        if (u1 < 1) a += min_jerk_m_per_s2(u1, half_m, one_s);
        if (u2 > 0) a += min_jerk_m_per_s2(u2, half_m, one_s);
        push(r, support_N(b, half_m * (smooth(u1) + smooth(u2))) * (1 + a / G_M_PER_S2));
    }
}

/* With the noise of a cheap plate the first hump is even for as long as a hold. */
static void a_drive_that_sticks(void **state)
{
    (void)state;
    static const double one_s[] = {0.45, 0.55, 0.65};
    for (unsigned k = 0; k < 9; k++) {
        struct run r;
        start(&r, 80, "single_leg_hip_thrust", leg.rest_N);
        r.noise_N = 4;
        for (unsigned i = 0; i < 4; i++) {
            hand_over(&r, &leg, leg.hand_over_s, 1, false);
            up_in_two(&r, &leg, one_s[k % 3], 0.3 + 0.1 * (k / 3));
            rest(&r, leg.hold_s, top_N(&leg));
            move(&r, &leg, leg.rise_m, 0, leg.down_s, 1);
            hand_over(&r, &leg, leg.hand_over_s, 1, true);
            rest(&r, 1.5, leg.rest_N);
        }
        assert_int_equal(r.reps, 4);
        end(&r);
    }
}

/* Between the braking of the lowering and the drive the force is lowest: where they turned, which is no braking at the top. */
static void a_turn_is_no_braking(void **state)
{
    (void)state;
    static const struct body floats[] = {
        {.low_m = 0.04, .per_m = 1.4, .up_s = 0.9, .down_s = 1.25},
        {.low_m = 0.04, .per_m = 1.8, .up_s = 0.9, .down_s = 1.25},
        {.low_m = 0.07, .per_m = 1.8, .up_s = 0.9, .down_s = 1.1},
        {.low_m = 0.04, .per_m = 1.4, .up_s = 1.0, .down_s = 1.4},
    };
    for (unsigned k = 0; k < sizeof floats / sizeof *floats; k++) {
        struct body b = floats[k];
        b.rest_N = 100, b.floor_N = 210, b.arc = true, b.rise_m = 0.3, b.hold_s = 1.5, b.hand_over_s = 0.12;
        struct run r;
        start(&r, 250, "single_leg_hip_thrust", b.rest_N);
        floating(&r, &b, 5, 0);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* Lowered so evenly that it presses like a hold, or more: who sinks is braked first, who is held goes down first. */
static void an_even_lowering_is_no_hold(void **state)
{
    (void)state;
    static const char *const names[] = {"single_leg_hip_thrust", "glute_bridge", "single_leg_hip_thrust"};
    for (unsigned k = 0; k < 3; k++) {
        struct run r;
        double sinks_N = k == 2 ? 392 : 364;
        start(&r, 100, names[k], 100);
        for (unsigned i = 0; i < 4; i++) {
            double t0_s = r.t_s;
            const double course[][2] = {{0, 100},   {0.1, 350},      {0.25, 405},     {0.6, 265},  {0.85, 350}, {3.9, 350},
                                        {4.1, 285}, {4.35, sinks_N}, {4.95, sinks_N}, {5.05, 440}, {5.15, 100}, {7, 100}};
            draw(&r, course, 12);
            assert_int_equal(r.reps, i + 1);
            assert_true(fabs(r.rep[i].top_s - t0_s - 0.85) < 0.15);
            assert_true(fabs(r.rep[i].descent_s - t0_s - 3.9) < 0.15);
        }
        end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_drive_that_sticks),
        cmocka_unit_test(a_turn_is_no_braking),
        cmocka_unit_test(an_even_lowering_is_no_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
