#include "rep_run.h"

/* Hips on an arc about the back, which is level at the top: the support falls as 1 - curve * depth^2, curve = per_m / (2
 * rise_m) over the support at the top. Here 3.1 and 2.2 /m^2, not the detector's own. */
static const struct body steep = {.rest_N = 60,
                                  .floor_N = 200,
                                  .per_m = 2.6,
                                  .arc = true,
                                  .rise_m = 0.3,
                                  .low_m = 0.05,
                                  .up_s = 0.7,
                                  .hold_s = 1.0,
                                  .down_s = 1.2,
                                  .hand_over_s = 0.12};
static const struct body flat = {.rest_N = 80,
                                 .floor_N = 300,
                                 .per_m = 1.6,
                                 .arc = true,
                                 .rise_m = 0.3,
                                 .low_m = 0.06,
                                 .up_s = 0.9,
                                 .hold_s = 0.8,
                                 .down_s = 1.4,
                                 .hand_over_s = 0.12};

/* From hold to hold the force gives the path, and the path the turn, where the observer alone is off by a quarter of a second.
 */
static void a_turn_between_two_holds(void **state)
{
    (void)state;
    static const struct margins m = {0.12, 0.20, 0.12, 0.20, 0.08, 0.3, 0.005};
    static const struct body *const bodies[] = {&steep, &flat};
    static const double rates_Hz[] = {100, 500, 2000};
    for (unsigned k = 0; k < 6; k++) {
        struct run r;
        start(&r, rates_Hz[k / 2], "single_leg_hip_thrust", bodies[k % 2]->rest_N);
        floating(&r, bodies[k % 2], 6, 0);
        check_reps(&r, &m);
        end(&r);
    }
}

/* A turn that is seen while the force is low is a drive that goes out: push() holds each rep's live times against the phases.
 */
static void a_drive_that_begins_with_a_low_force(void **state)
{
    (void)state;
    struct body b = steep;
    b.rest_N = 80, b.floor_N = 300, b.per_m = 0.2, b.low_m = 0.04, b.up_s = 0.6, b.hold_s = 0, b.down_s = 1.0;
    struct run r;
    start(&r, 500, "single_leg_hip_thrust", b.rest_N);
    floating(&r, &b, 8, 0);
    assert_true(r.reps > 2);
    end(&r);
}

/* A standstill of less than it takes to say so at once is found between the holds. */
static void a_short_standstill_between_two_holds(void **state)
{
    (void)state;
    static const struct margins m = {0.02, 0.08, 0.1, 0.3, 0.08, 0.3, 0.005};
    struct run r;
    start(&r, 500, "single_leg_hip_thrust", steep.rest_N);
    floating(&r, &steep, 6, 0.3);
    check_reps(&r, &m);
    end(&r);
}

/* Hips that go down at about their own frequency press for a moment as if they were held; and the first of them rise as evenly
 * as somebody leans. */
static void hips_that_sink_as_if_they_were_held(void **state)
{
    (void)state;
    static const double down_s[] = {1.2, 1.4, 1.6}, hand_over_s[] = {0.12, 0.5};
    for (unsigned k = 0; k < 6; k++) {
        struct body b = steep;
        b.per_m = 1.8, b.rise_m = 0.25, b.up_s = 1.4;
        b.down_s = down_s[k % 3], b.hand_over_s = hand_over_s[k / 3];
        struct run r;
        start(&r, 500, "single_leg_hip_thrust", b.rest_N);
        floating(&r, &b, 6, 0);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* The support falls by no more than a tenth on the way, and evenly: the path closes by no arc, but the drive shows, and its
 * braking.
 */
static void a_drive_between_two_holds(void **state)
{
    (void)state;
    static const double rise_m[] = {0.25, 0.3}, down_s[] = {1.6, 2.0, 2.4}, wait_s[] = {0, 0.5};
    for (unsigned k = 0; k < 12; k++) {
        struct body b = steep;
        b.arc = false;
        b.per_m = 0.35, b.rise_m = rise_m[k % 2], b.down_s = down_s[k / 2 % 3];
        struct run r;
        start(&r, 250, "single_leg_hip_thrust", b.rest_N);
        floating(&r, &b, 6, wait_s[k / 6]);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* Who lowers himself so slowly that the force hardly falls may have begun long before: no time is told, and none that
 * follows from it. The held force is, of the first 0.2 s. */
static void a_slow_lowering_has_no_beginning(void **state)
{
    (void)state;
    struct body b = steep;
    b.down_s = 4;
    struct run r;
    start(&r, 500, "tempo", b.rest_N);
    thrusts(&r, &b, 3, 1);
    check_reps(&r, NULL);
    for (unsigned i = 0; i < r.reps; i++) {
        assert_true(isnan(r.rep[i].descent_s) && isnan(r.rep[i].hold_s) && isnan(r.rep[i].eccentric_s));
        assert_true(fabs(r.rep[i].hold_force_N / top_N(&b) - 1) < 0.01);
    }
    end(&r);
}

/* After a hole the hips are somewhere. That rep is not said, the next ones are, though the foot never rests for long enough to
 * learn its level anew. */
static void a_hole_in_a_set_without_a_rest(void **state)
{
    (void)state;
    struct run r;
    start(&r, 500, "single_leg_hip_thrust", steep.rest_N);
    thrusts(&r, &steep, 3, 0.05);
    *now_true(&r) = (struct truth){0};
    hand_over(&r, &steep, 0.12, 1, false);
    move(&r, &steep, 0, steep.rise_m, 0.7, 1);
    hole(&r, 0.7);
    rest(&r, 0.5, top_N(&steep));
    move(&r, &steep, steep.rise_m, 0, 1.2, 1);
    hand_over(&r, &steep, 0.12, 1, true);
    rest(&r, 0.05, steep.rest_N);
    thrusts(&r, &steep, 3, 0.05);
    rest(&r, 1, steep.rest_N);
    check_reps(&r, NULL);
    end(&r);
}

/* Both feet under one bar: what wanders between the plates is no movement, and each plate has the force of its own foot. */
static void a_bar_on_two_plates(void **state)
{
    (void)state;
    struct body b = flat;
    b.hold_s = 3;
    struct run r;
    begin(&r, 500, "barbell_hip_thrust");
    r.paired = true;
    r.other_share = 0.4;
    rest(&r, 2, b.rest_N);
    thrusts(&r, &b, 4, 1);
    check_reps(&r, NULL);
    for (unsigned i = 0; i < r.reps; i++) assert_true(fabs(r.rep[i].hold_force_N / (0.6 * top_N(&b)) - 1) < 0.01);
    end(&r);
}

/* Lowered so slowly that the force is that of the hold all the way, turned without a wait, and driven up so hard that half as
 * much again is pressed: from what looks like a hold they rise, and are held again. */
static void a_drive_out_of_what_seems_to_be_the_hold(void **state)
{
    (void)state;
    static const double rates_Hz[] = {80, 250, 1000};
    for (unsigned k = 0; k < 3; k++) {
        struct run r;
        struct body b = {80, 440, 0.3, false, 0.12, 0.02, 0.36, 1.4, 2.4, 0.12, 0};
        start(&r, rates_Hz[k], "barbell_hip_thrust", b.rest_N);
        r.noise_N = 1;
        floating(&r, &b, 6, 0);
        check_reps(&r, NULL);
        end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_turn_between_two_holds),
        cmocka_unit_test(a_drive_that_begins_with_a_low_force),
        cmocka_unit_test(a_short_standstill_between_two_holds),
        cmocka_unit_test(hips_that_sink_as_if_they_were_held),
        cmocka_unit_test(a_drive_between_two_holds),
        cmocka_unit_test(a_slow_lowering_has_no_beginning),
        cmocka_unit_test(a_hole_in_a_set_without_a_rest),
        cmocka_unit_test(a_bar_on_two_plates),
        cmocka_unit_test(a_drive_out_of_what_seems_to_be_the_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
