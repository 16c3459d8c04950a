#include "rep_run.h"

/* Hips that are thrown up and let down again without a hold, and turn above the floor about every two seconds: the observer
 * answers in step with them, and misses turns. */
static const struct body swinging = {.rest_N = 80,
                                     .floor_N = 300,
                                     .per_m = 0.8,
                                     .arc = true,
                                     .rise_m = 0.3,
                                     .low_m = 0.04,
                                     .up_s = 0.9,
                                     .down_s = 1.0,
                                     .hand_over_s = 0.12};

/* Once it is known how long one takes, what is as long as two, and does the same twice, is two. */
static void two_that_look_like_one(void **state)
{
    (void)state;
    static const double per_m[] = {0.2, 0.4, 0.8}, rates_Hz[] = {50, 250, 1000};
    for (unsigned k = 0; k < 9; k++) {
        struct body b = swinging;
        b.per_m = per_m[k % 3];
        struct run r;
        start(&r, rates_Hz[k / 3], "single_leg_hip_thrust", b.rest_N);
        thrusts(&r, &b, 3, 1.5);
        floating(&r, &b, 4, 0);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* They are said in order, each with the live times that are its own, and rest, with which a set may end, after the last. */
static void rest_is_said_after_both(void **state)
{
    (void)state;
    struct run r;
    start(&r, 250, "single_leg_hip_thrust", swinging.rest_N);
    thrusts(&r, &swinging, 3, 1.5);
    floating(&r, &swinging, 2, 0);
    check_reps(&r, NULL);
    const struct plate_rep *first = &r.rep[3], *second = &r.rep[4];
    assert_true(second->onset_s == first->end_s && second->end_live_s > first->end_live_s);
    assert_true(second->rest_before_s == 0 && isnan(second->onset_live_s));
    assert_false(first->onset_live_s > first->end_s || first->top_live_s > first->end_s ||
                 first->descent_live_s > first->end_s);
    assert_true(first_event_s(&r, PLATE_REST, first->end_s) == second->end_live_s);
    end(&r);
}

/* Nothing is known yet: the force itself tells its period. */
static void two_before_any_is_known(void **state)
{
    (void)state;
    static const double hold_s[] = {0, 0.1}, rates_Hz[] = {100, 500};
    for (unsigned k = 0; k < 4; k++) {
        struct body b = swinging;
        b.per_m = 1.2, b.down_s = 0.7, b.hold_s = hold_s[k % 2];
        struct run r;
        start(&r, rates_Hz[k / 2], "single_leg_hip_thrust", b.rest_N);
        floating(&r, &b, 8, 0);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* One that takes as long as two, or three, does not do the same twice. */
static void a_slow_one_is_one(void **state)
{
    (void)state;
    static const double slower[][2] = {{1.5, 1.5}, {2, 2}, {3, 3}, {2.5, 1}, {1, 2.5}, {0.8, 2.5}}, hold_s[] = {0, 0.2, 2};
    for (unsigned k = 0; k < 18; k++) {
        struct body quick = swinging, slow = swinging;
        slow.up_s *= slower[k % 6][0], slow.down_s *= slower[k % 6][1], slow.hold_s = hold_s[k / 6];
        struct run r;
        start(&r, 500, "single_leg_hip_thrust", quick.rest_N);
        for (unsigned i = 0; i < 3; i++) {
            thrusts(&r, &quick, 2, 1.5);
            thrusts(&r, &slow, 1, 1.5);
        }
        check_reps(&r, NULL);
        end(&r);
    }
}

/* And a first one does not, with which nothing can be compared. */
static void a_slow_first_one_is_one(void **state)
{
    (void)state;
    static const double up_s[] = {0.6, 1, 1.6}, down_s[] = {1, 1.6, 3}, hold_s[] = {0, 0.2, 1.5};
    for (unsigned k = 0; k < 27; k++) {
        struct body b = swinging;
        b.up_s = up_s[k % 3], b.down_s = down_s[k / 3 % 3], b.hold_s = hold_s[k / 9];
        struct run r;
        start(&r, 500, "single_leg_hip_thrust", b.rest_N);
        thrusts(&r, &b, 2, 1.5);
        check_reps(&r, NULL);
        end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_that_look_like_one),  cmocka_unit_test(rest_is_said_after_both),
        cmocka_unit_test(two_before_any_is_known), cmocka_unit_test(a_slow_one_is_one),
        cmocka_unit_test(a_slow_first_one_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
