/* Bridges without a hold whose turns nobody saw: the drive with which each begins tells them apart. */
#include "rep_run.h"

static const struct body quick = {
    .rest_N = 60, .floor_N = 220, .per_m = 0.2, .rise_m = 0.14, .low_m = 0.02, .up_s = 0.5, .down_s = 0.8, .hand_over_s = 0.12};

/* No two take the same time: they wait before some, or come down more slowly. Nothing is known yet. */
static void they_keep_no_time(void **state)
{
    (void)state;
    static const double rates_Hz[] = {80, 250, 1000};
    static const double slower[][4] = {{1, 1, 1, 1}, {1.4, 1, 1.2, 1}}, wait_s[][3] = {{0.3, 0, 0}, {0, 0, 0}};
    for (unsigned k = 0; k < 12; k++) {
        struct run r;
        struct body b = quick;
        start(&r, rates_Hz[k % 3], "glute_bridge", b.rest_N);
        *now_true(&r) = (struct truth){0};
        hand_over(&r, &b, b.hand_over_s, 1, false);
        for (unsigned i = 0; i < 4; i++) {
            move(&r, &b, i == 0 ? 0 : b.low_m, b.rise_m, b.up_s, 1);
            move(&r, &b, b.rise_m, i < 3 ? b.low_m : 0, b.down_s * slower[k / 6][i], 1);
            now_true(&r)->end_s = r.t_s;
            if (i == 3) hand_over(&r, &b, b.hand_over_s, 1, true);
            r.truths++;
            if (i < 3) rest(&r, wait_s[k / 3 % 2][i], support_N(&b, b.low_m));
            if (i < 3) *now_true(&r) = (struct truth){.onset_s = r.t_s};
        }
        rest(&r, 2, b.rest_N);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* One that takes as long as two or three is driven once, however it is lowered and held. */
static void one_drive_is_one(void **state)
{
    (void)state;
    static const double up_s[] = {0.4, 0.8, 1.5}, down_s[] = {0.4, 0.9, 2}, hold_s[] = {0, 0.5, 1.2};
    for (unsigned k = 0; k < 54; k++) {
        struct run r;
        struct body b = quick;
        b.up_s = up_s[k % 3], b.down_s = down_s[k / 3 % 3], b.hold_s = hold_s[k / 9 % 3];
        if (k >= 27) b.rise_m = 0.3, b.per_m = 0.8, b.up_s *= 1.4, b.down_s *= 1.4;
        start(&r, 500, k < 27 ? "glute_bridge" : "single_leg_hip_thrust", b.rest_N);
        thrusts(&r, &b, 3, 1.5);
        check_reps(&r, NULL);
        end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(they_keep_no_time), cmocka_unit_test(one_drive_is_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
