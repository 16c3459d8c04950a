#include "rep_run.h"

/* Hips that do not come down to the floor: when they stop at the bottom, and when they go up again. */

/* They stop for so long, and the force says from when to when, between the braking and the drive. */
static void they_stop_and_go(void **state)
{
    (void)state;
    static const double wait_s[] = {0, 0.35, 0.6, 0.95}, down_s[] = {0.9, 1.5}, rates_Hz[] = {250, 1000};
    for (unsigned k = 0; k < 16; k++) {
        struct body b = plain_leg;
        b.down_s = down_s[k / 4 % 2];
        struct run r;
        start(&r, rates_Hz[k / 8], "single_leg_hip_thrust", b.rest_N);
        floating(&r, &b, 6, wait_s[k % 4]);
        check_reps(&r, &sharp);
        end(&r);
    }
}

/* Driven so hard, they are braked at the top until the foot presses hardly more than at rest: that is no floor. */
static void a_hard_drive_is_braked_like_a_touch(void **state)
{
    (void)state;
    static const double wait_s[] = {0, 0.6};
    for (unsigned k = 0; k < 2; k++) {
        struct body b = plain_leg;
        b.up_s = 0.45;
        struct run r;
        start(&r, 500, "single_leg_hip_thrust", b.rest_N);
        floating(&r, &b, 6, wait_s[k]);
        check_reps(&r, &sharp);
        end(&r);
    }
}

/* Down and up in one swing, pressed hardest at the turn: what the force has on both sides of it are no stops. */
static void one_swing(void **state)
{
    (void)state;
    static const struct margins m = {0.15, 0.25, 0.15, 0.25, 0.08, 0.3, 0};
    struct run r;
    start(&r, 500, "single_leg_hip_thrust", plain_leg.rest_N);
    *now_true(&r) = (struct truth){0};
    hand_over(&r, &plain_leg, plain_leg.hand_over_s, 1, false);
    move(&r, &plain_leg, 0, plain_leg.rise_m, plain_leg.up_s, 1);
    for (unsigned i = 0; i < 5; i++) {
        double s = 2 + 0.2 * i, by_m = plain_leg.rise_m - plain_leg.low_m, w = 2 * M_PI / s, t0_s = r.t_s + plain_leg.hold_s;
        now_true(&r)->top_s = r.t_s;
        now_true(&r)->descent_s = t0_s;
        rest(&r, plain_leg.hold_s, top_N(&plain_leg));
        for (double t_s = 0; t_s < s - 1e-9; t_s = r.t_s - t0_s) /* sin^2 */
            push(&r, support_N(&plain_leg, plain_leg.rise_m - by_m * (1 - cos(w * t_s)) / 2) *
                         (1 - by_m * w * w * cos(w * t_s) / 2 / G_M_PER_S2));
        now_true(&r)->end_s = t0_s + s / 2;
        r.truths++;
        *now_true(&r) = (struct truth){.onset_s = t0_s + s / 2};
    }
    now_true(&r)->top_s = r.t_s;
    rest(&r, plain_leg.hold_s, top_N(&plain_leg));
    now_true(&r)->descent_s = r.t_s;
    move(&r, &plain_leg, plain_leg.rise_m, 0, plain_leg.down_s, 1);
    hand_over(&r, &plain_leg, plain_leg.hand_over_s, 1, true);
    r.truths++;
    rest(&r, 2, plain_leg.rest_N);
    check_reps(&r, &m);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(they_stop_and_go),
                                       cmocka_unit_test(a_hard_drive_is_braked_like_a_touch), cmocka_unit_test(one_swing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
