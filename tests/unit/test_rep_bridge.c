/* Glute bridges: the support hardly changes with the hips' height, and where it does, nobody knows which way. */
#include "rep_run.h"

static const struct body bridge = {.rest_N = 60,
                                   .floor_N = 220,
                                   .rise_m = 0.15,
                                   .low_m = 0.02,
                                   .up_s = 0.6,
                                   .hold_s = 1.0,
                                   .down_s = 0.8,
                                   .hand_over_s = 0.12};
/* Per metre: 4 % more at the bottom, the same, 4 % less. */
static const double slopes_per_m[] = {-0.3, 0, 0.3};

/* A standstill above the floor presses like the hold: the path between tells that it is none. */
static void hips_wait_above_the_floor(void **state)
{
    (void)state;
    static const struct margins m = {0.05, 0.25, 0.08, 0.25, 0.08, 0.3, 0.02};
    static const double rates_Hz[] = {100, 500, 2000}, wait_s[] = {0.5, 1.0, 2.0};
    for (unsigned k = 0; k < 9; k++) {
        struct run r;
        struct body b = bridge;
        b.per_m = slopes_per_m[k % 3];
        print_message("%+.1f per m, waiting %g s\n", b.per_m, wait_s[k / 3]);
        start(&r, rates_Hz[k / 3], "glute_bridge", b.rest_N);
        floating(&r, &b, 6, wait_s[k / 3]);
        check_reps(&r, &m);
        end(&r);
    }
}

static void hips_turn_above_the_floor(void **state)
{
    (void)state;
    static const struct margins m = {0.15, 0.3, 0.15, 0.3, 0.08, 0.3, 0.02};
    for (unsigned k = 0; k < 3; k++) {
        struct run r;
        struct body b = bridge;
        b.per_m = slopes_per_m[k];
        print_message("%+.1f per m\n", b.per_m);
        start(&r, 500, "glute_bridge", b.rest_N);
        floating(&r, &b, 6, 0);
        check_reps(&r, &m);
        end(&r);
    }
}

/* Who rises so slowly out of a wait leaves no trace in the force before he is on his way down. */
static void a_rise_that_the_force_does_not_show(void **state)
{
    (void)state;
    static const struct margins m = {1.0, 2.0, 0.25, 0.5, 0.5, 1.5, 0.02};
    struct run r;
    struct body b = bridge;
    b.up_s = 3;
    start(&r, 500, "glute_bridge", b.rest_N);
    floating(&r, &b, 5, 0.8);
    check_reps(&r, &m);
    end(&r);
}

/* Down quickly, caught with twice the force, and the floor takes the load over so slowly that the foot rests long after: the
 * catch was no turn. */
static void hips_that_settle_slowly(void **state)
{
    (void)state;
    static const double settle_s[] = {1.0, 1.4, 1.8};
    struct body b = bridge;
    b.down_s = 0.5;
    for (unsigned k = 0; k < 3; k++) {
        struct run r;
        start(&r, 500, "glute_bridge", b.rest_N);
        for (unsigned i = 0; i < 5; i++) {
            *now_true(&r) = (struct truth){0};
            hand_over(&r, &b, b.hand_over_s, 1, false);
            move(&r, &b, 0, b.rise_m, b.up_s, 1);
            now_true(&r)->top_s = r.t_s;
            rest(&r, b.hold_s, top_N(&b));
            now_true(&r)->descent_s = r.t_s;
            move(&r, &b, b.rise_m, 0, b.down_s, 1);
            hand_over(&r, &b, settle_s[k], 1, true);
            r.truths++;
            rest(&r, 1, b.rest_N);
        }
        check_reps(&r, NULL);
        end(&r);
    }
}

/* Driven up so slowly out of the lowering, with or without a wait, that hardly anything shows but the lowering. */
static void a_slow_drive_at_once(void **state)
{
    (void)state;
    static const double wait_s[] = {0, 0.1, 0.3, 0.6}, hold_s[] = {0.6, 1.2, 1.8};
    for (unsigned k = 0; k < 24; k++) {
        struct run r;
        struct body b = bridge;
        b.up_s = 1.6 + 0.4 * (k / 12), b.hold_s = hold_s[k / 4 % 3];
        print_message("up in %g s, held for %g s, waiting %g s\n", b.up_s, b.hold_s, wait_s[k % 4]);
        start(&r, 500, "glute_bridge", b.rest_N);
        r.noise_N = 0.3;
        floating(&r, &b, 5, wait_s[k % 4]);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* The support falls as the hips rise, by 6 to 8 %, and they rise slowly: nothing turns on the way. */
static void the_support_falls_while_they_rise(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 3; k++) {
        struct run r;
        struct body b = bridge;
        b.per_m = -0.4 - 0.05 * (k % 3);
        b.up_s = 1.8;
        print_message("%+.2f per m, up in %g s\n", b.per_m, b.up_s);
        start(&r, 100, "glute_bridge", b.rest_N);
        thrusts(&r, &b, 5, 1.2);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* Up as evenly as they are held, so that the dip at the top and that of the way down frame what looks like a stay below:
 * nothing turned there. */
static void two_dips_are_no_turn(void **state)
{
    (void)state;
    static const double hold_s[] = {0.4, 0.7}, speed_m_per_s[] = {-0.2, -0.1};
    for (unsigned k = 0; k < 2; k++) {
        struct run r;
        print_message("held for %g s\n", hold_s[k]);
        start(&r, 250, "glute_bridge", bridge.rest_N);
        for (unsigned i = 0; i < 5; i++) {
            *now_true(&r) = (struct truth){.onset_s = r.t_s};
            hand_over(&r, &bridge, 0.25, 1, false);
            rest(&r, 1, bridge.floor_N);
            changes_speed(&r, bridge.floor_N, speed_m_per_s[k], 0.25);
            now_true(&r)->top_s = r.t_s;
            rest(&r, hold_s[k], bridge.floor_N);
            now_true(&r)->descent_s = r.t_s;
            changes_speed(&r, bridge.floor_N, -0.15, 0.3);
            rest(&r, 0.4, bridge.floor_N);
            changes_speed(&r, bridge.floor_N, 0.15, 0.3);
            now_true(&r)->end_s = r.t_s;
            hand_over(&r, &bridge, 0.12, 1, true);
            r.truths++;
            rest(&r, 0.5, bridge.rest_N);
        }
        rest(&r, 1.5, bridge.rest_N);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* No top is held, so nobody knows what holds the hips, and the force is flat between braking and lowering: a standstill that
 * they came down to is no hold yet. */
static void waits_below_tops_that_nobody_held(void **state)
{
    (void)state;
    static const double rates_Hz[] = {160, 500, 2000}, wait_s[] = {0.4, 0.5, 0.6, 0.7};
    static const double first[][2] = {{0, 48},     {0.03, 54},  {0.06, 74},  {0.10, 145}, {0.15, 275}, {0.20, 263},
                                      {0.30, 216}, {0.40, 172}, {0.46, 162}, {0.52, 178}, {0.60, 211}, {0.66, 203},
                                      {0.72, 199}, {0.78, 200}, {0.84, 204}, {0.90, 212}, {1.00, 233}, {1.10, 244},
                                      {1.15, 246}, {1.20, 244}, {1.25, 238}, {1.34, 222}};
    static const double next[][2] = {{0, 222},    {0.03, 236}, {0.06, 251}, {0.12, 265}, {0.18, 260}, {0.25, 239}, {0.35, 201},
                                     {0.45, 179}, {0.52, 193}, {0.57, 212}, {0.64, 198}, {0.71, 192}, {0.80, 200}, {0.85, 212},
                                     {0.95, 231}, {1.05, 238}, {1.15, 241}, {1.25, 236}, {1.32, 222}};
    for (unsigned k = 0; k < 12; k++) {
        struct run r;
        print_message("waiting %g s\n", wait_s[k % 4]);
        start(&r, rates_Hz[k / 4], "glute_bridge", 48);
        r.noise_N = 0.4;
        for (unsigned i = 0; i < 4; i++) {
            *now_true(&r) = (struct truth){.onset_s = r.t_s};
            draw(&r, i == 0 ? first : next, i == 0 ? 22 : 19);
            now_true(&r)->end_s = r.t_s;
            r.truths++;
            if (i < 3) rest(&r, wait_s[k % 4], 222);
        }
        draw(&r, (const double[][2]){{0, 222}, {0.10, 120}, {0.15, 60}, {0.25, 48}, {2, 48}}, 5);
        check_reps(&r, NULL);
        end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hips_wait_above_the_floor),
        cmocka_unit_test(hips_turn_above_the_floor),
        cmocka_unit_test(a_rise_that_the_force_does_not_show),
        cmocka_unit_test(hips_that_settle_slowly),
        cmocka_unit_test(a_slow_drive_at_once),
        cmocka_unit_test(the_support_falls_while_they_rise),
        cmocka_unit_test(two_dips_are_no_turn),
        cmocka_unit_test(waits_below_tops_that_nobody_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
