#include "rep_run.h"

/* Samples are lost while somebody moves, or while his foot comes to the plate: the reps after that are found. */

/* The foot has rested on the plate for a second when the hole comes; the next reps only touch the floor. */
static void the_foot_was_put_down_before_it(void **state)
{
    (void)state;
    static const double put[][2] = {{0, 0}, {0.1, 110}, {0.3, 95}, {1.3, 95}};
    struct run r;
    start(&r, 250, "single_leg_hip_thrust", 0);
    draw(&r, put, 4);
    hole(&r, 0.8);
    move(&r, &plain_leg, 0.2, plain_leg.rise_m, 0.4, 1); /* nobody saw this one begin */
    rest(&r, plain_leg.hold_s, top_N(&plain_leg));
    move(&r, &plain_leg, plain_leg.rise_m, 0, plain_leg.down_s, 1);
    hand_over(&r, &plain_leg, plain_leg.hand_over_s, 1, true);
    rest(&r, plain_leg.pause_s, plain_leg.rest_N);
    thrusts(&r, &plain_leg, 4, plain_leg.pause_s);
    rest(&r, 1.5, plain_leg.rest_N);
    check_reps(&r, &sharp);
    end(&r);
}

/* The foot was put down in the hole, so nobody knows how it presses at rest: after the first rep it rests for a while. */
static void the_foot_was_put_down_in_it(void **state)
{
    (void)state;
    struct run r;
    start(&r, 250, "single_leg_hip_thrust", 0);
    hole(&r, 3);
    move(&r, &plain_leg, 0.2, plain_leg.rise_m, 0.4, 1);
    rest(&r, plain_leg.hold_s, top_N(&plain_leg));
    move(&r, &plain_leg, plain_leg.rise_m, 0, plain_leg.down_s, 1);
    hand_over(&r, &plain_leg, plain_leg.hand_over_s, 1, true);
    rest(&r, 1.5, plain_leg.rest_N);
    thrusts(&r, &plain_leg, 3, 1.5);
    check_reps(&r, &sharp);
    end(&r);
}

/* Hips that do not come down to the floor: each begins at a turn, the first that was seen whole, too. */
static void hips_float_on_after_it(void **state)
{
    (void)state;
    struct run r;
    start(&r, 250, "single_leg_hip_thrust", plain_leg.rest_N);
    hand_over(&r, &plain_leg, plain_leg.hand_over_s, 1, false);
    move(&r, &plain_leg, 0, plain_leg.rise_m, plain_leg.up_s, 1);
    hole(&r, 0.7);
    rest(&r, 0.5, top_N(&plain_leg));
    move(&r, &plain_leg, plain_leg.rise_m, plain_leg.low_m, plain_leg.down_s, 1);
    for (unsigned i = 0; i < 3; i++) {
        *now_true(&r) = (struct truth){.onset_s = r.t_s};
        move(&r, &plain_leg, plain_leg.low_m, plain_leg.rise_m, plain_leg.up_s, 1);
        now_true(&r)->top_s = r.t_s;
        rest(&r, i == 1 ? 2.2 : 1, top_N(&plain_leg)); /* no two are alike */
        now_true(&r)->descent_s = r.t_s;
        move(&r, &plain_leg, plain_leg.rise_m, i < 2 ? plain_leg.low_m : 0, plain_leg.down_s, 1);
        now_true(&r)->end_s = r.t_s;
        r.truths++;
    }
    hand_over(&r, &plain_leg, plain_leg.hand_over_s, 1, true);
    rest(&r, 2, plain_leg.rest_N);
    check_reps(&r, NULL);
    end(&r);
}

/* The same when it came before anything was known, and the first that was seen whole has no hold that can be left: it rose from
 * rest to where it was held. */
static void hips_rose_after_it(void **state)
{
    (void)state;
    static const double rates_Hz[] = {80, 250, 1000}, hole_from_s[] = {0.2, 0.6}, wait_s[] = {0, 0.4};
    for (unsigned k = 0; k < 12; k++) {
        struct run r;
        start(&r, rates_Hz[k % 3], "single_leg_hip_thrust", plain_leg.rest_N);
        hand_over(&r, &plain_leg, plain_leg.hand_over_s, 1, false);
        move(&r, &plain_leg, 0, plain_leg.rise_m, plain_leg.up_s, 1);
        rest(&r, hole_from_s[k / 3 % 2], top_N(&plain_leg));
        hole(&r, 0.6);
        move(&r, &plain_leg, plain_leg.rise_m, plain_leg.low_m, plain_leg.down_s, 1);
        rest(&r, wait_s[k / 6], support_N(&plain_leg, plain_leg.low_m));
        *now_true(&r) = (struct truth){.onset_s = r.t_s};
        move(&r, &plain_leg, plain_leg.low_m, plain_leg.rise_m, plain_leg.up_s, 1);
        rest(&r, plain_leg.hold_s, top_N(&plain_leg));
        move(&r, &plain_leg, plain_leg.rise_m, 0, plain_leg.down_s, 1);
        hand_over(&r, &plain_leg, plain_leg.hand_over_s, 1, true);
        r.truths++;
        rest(&r, 2, plain_leg.rest_N);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* A rep that was over, with the hips waiting above the floor, is said though nobody sees how they go on. */
static void a_rep_is_over_when_it_comes(void **state)
{
    (void)state;
    struct run r;
    start(&r, 250, "single_leg_hip_thrust", plain_leg.rest_N);
    thrusts(&r, &plain_leg, 2, 1.5);
    hand_over(&r, &plain_leg, plain_leg.hand_over_s, 1, false);
    move(&r, &plain_leg, 0, plain_leg.rise_m, plain_leg.up_s, 1);
    rest(&r, plain_leg.hold_s, top_N(&plain_leg));
    move(&r, &plain_leg, plain_leg.rise_m, plain_leg.low_m, plain_leg.down_s, 1);
    rest(&r, 1.8, support_N(&plain_leg, plain_leg.low_m));
    assert_int_equal(r.reps, 2);
    hole(&r, 0.8);
    rest(&r, 0.2, plain_leg.rest_N);
    assert_int_equal(r.reps, 3);
    end(&r);
}

/* Nor does it matter that the foot was down for less than it takes to be sure. */
static void a_foot_has_just_touched_down(void **state)
{
    (void)state;
    struct run r;
    start(&r, 250, "single_leg_hip_thrust", plain_leg.rest_N);
    thrusts(&r, &plain_leg, 2, 1.5);
    thrust(&r, &plain_leg);
    rest(&r, 0.02, plain_leg.rest_N);
    assert_int_equal(r.reps, 2);
    hole(&r, 0.8);
    rest(&r, 0.2, plain_leg.rest_N);
    check_reps(&r, &sharp);
    end(&r);
}

/* The first push is cut, from a foot whose level nobody knows: the next ones are found. */
static void pushes_go_on_after_it(void **state)
{
    (void)state;
    static const double cut[][2] = {{0, 0}, {0.1, 95}, {0.3, 80}, {1.2, 80}, {1.5, 900}, {3, 880}};
    static const double pushed[][2] = {{0, 80}, {0.4, 900}, {4, 880}, {4.3, 80}, {7, 80}};
    struct run r;
    start(&r, 100, "isometric", 0);
    draw(&r, cut, 6);
    hole(&r, 1);
    rest(&r, 2, 80);
    for (unsigned i = 0; i < 3; i++) draw(&r, pushed, 5);
    assert_int_equal(r.reps, 3);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_foot_was_put_down_before_it),
        cmocka_unit_test(the_foot_was_put_down_in_it),
        cmocka_unit_test(hips_float_on_after_it),
        cmocka_unit_test(a_rep_is_over_when_it_comes),
        cmocka_unit_test(a_foot_has_just_touched_down),
        cmocka_unit_test(pushes_go_on_after_it),
        cmocka_unit_test(hips_rose_after_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
