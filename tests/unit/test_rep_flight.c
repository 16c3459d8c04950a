#include "rep_run.h"

/* Hips that are driven so hard that they fly: the foot hardly presses while they are braked, as if it were back at rest. */

static const struct body leg = {.rest_N = 95,
                                .floor_N = 200,
                                .per_m = 0.5,
                                .rise_m = 0.3,
                                .low_m = 0.03,
                                .up_s = 0.44,
                                .hold_s = 1,
                                .down_s = 1.2,
                                .hand_over_s = 0.06};
static const double rates_Hz[] = {250, 500, 1000};

/* Driven for a tenth of a second and caught for two; meanwhile the foot presses with this part of what it does at rest. */
static void thrown(struct run *r, double rest_N, double part)
{
    const double all_N = 197, push_N = 292;
    const double corners[][2] = {{0, rest_N},           {0.03, 280},   {0.08, push_N}, {0.13, 160}, {0.18, 66},
                                 {0.25, part * rest_N}, {0.37, all_N}, {1.37, all_N},  {2.4, 140},  {2.5, rest_N}};
    *now_true(r) = (struct truth){.onset_s = r->t_s, .top_s = r->t_s + 0.37, .descent_s = r->t_s + 1.37, .peak_N = push_N};
    draw(r, corners, sizeof corners / sizeof *corners);
    now_true(r)->end_s = r->t_s;
    r->truths++;
    rest(r, 1.5, rest_N);
}

static void the_push_is_the_reps(void **state)
{
    (void)state;
    static const double part[] = {0.4, 0.7, 0.95};
    for (unsigned k = 0; k < 9; k++) {
        struct run r;
        start(&r, rates_Hz[k % 3], "single_leg_hip_thrust", 57);
        for (unsigned i = 0; i < 5; i++) thrown(&r, 57, part[k / 3]);
        check_reps(&r, &sharp);
        end(&r);
    }
}

/* Down for a moment only: what follows the push is the next rep, and the one before was over when they came down. */
static void from_the_floor_at_once(void **state)
{
    (void)state;
    static const struct margins at_once = {0.010, 0.020, 0.010, 0.020, 0.080, 0.300, 0.005};
    for (unsigned k = 0; k < 9; k++) {
        struct run r;
        struct body b = leg;
        b.up_s = 0.44 + 0.03 * (k / 3);
        start(&r, rates_Hz[k % 3], "single_leg_hip_thrust", b.rest_N);
        thrusts(&r, &b, 5, 0.06);
        rest(&r, 1.5, b.rest_N);
        check_reps(&r, &at_once);
        end(&r);
    }
}

/* The foot was put down anew: where it rests is only known from the drive. */
static void at_a_new_rest(void **state)
{
    (void)state;
    static const double part[] = {0.4, 0.7, 0.95}, settles[][2] = {{0, 35}, {0.3, 57}, {2.5, 57}};
    for (unsigned k = 0; k < 9; k++) {
        struct run r;
        start(&r, rates_Hz[k % 3], "single_leg_hip_thrust", 35);
        draw(&r, settles, 3);
        for (unsigned i = 0; i < 4; i++) thrown(&r, 57, part[k / 3]);
        check_reps(&r, &sharp);
        end(&r);
    }
}

/* A tap as strong as a rep, and a rep shortly after: it begins with its own drive. */
static void a_tap_is_no_push(void **state)
{
    (void)state;
    static const struct body slow = {.rest_N = 95,
                                     .floor_N = 200,
                                     .per_m = 0.5,
                                     .rise_m = 0.3,
                                     .up_s = 0.8,
                                     .hold_s = 1,
                                     .down_s = 1.2,
                                     .hand_over_s = 0.12};
    static const double after_s[] = {0.16, 0.25, 0.35};
    for (unsigned k = 0; k < 9; k++) {
        struct run r;
        start(&r, rates_Hz[k % 3], "single_leg_hip_thrust", slow.rest_N);
        thrusts(&r, &slow, 2, 1.5);
        for (unsigned i = 0; i < 3; i++) {
            const double tap[][2] = {{0, 95}, {0.04, 260}, {0.08, 95}};
            draw(&r, tap, 3);
            rest(&r, after_s[k / 3], slow.rest_N);
            thrust(&r, &slow);
            rest(&r, 1.5, slow.rest_N);
        }
        check_reps(&r, &sharp);
        end(&r);
    }
}

/* The floor takes a part of the load for 0.14 s, softly, and then they are driven up suddenly: they turned in the middle of
 * that. */
static void a_soft_floor_before_a_sudden_drive(void **state)
{
    (void)state;
    static const struct margins turns = {0.030, 0.040, 0.030, 0.080, 0.080, 0.300, 0};
    for (unsigned k = 0; k < 9; k++) {
        struct run r;
        struct body b = leg;
        b.up_s = 0.42 + 0.02 * (k / 3);
        start(&r, rates_Hz[k % 3], "single_leg_hip_thrust", b.rest_N);
        *now_true(&r) = (struct truth){0};
        hand_over(&r, &b, b.hand_over_s, 1, false);
        for (unsigned i = 0; i < 5; i++) {
            move(&r, &b, 0, b.rise_m, b.up_s, 1);
            now_true(&r)->top_s = r.t_s;
            rest(&r, b.hold_s, top_N(&b));
            now_true(&r)->descent_s = r.t_s;
            move(&r, &b, b.rise_m, 0, b.down_s, 1);
            if (i == 4) break;
            now_true(&r)->end_s = r.t_s + 0.07;
            r.truths++;
            *now_true(&r) = (struct truth){.onset_s = r.t_s + 0.07};
            for (double t0_s = r.t_s; r.t_s - t0_s < 0.14 - 1e-9;)
                push(&r, support_N(&b, 0) * (1 - 0.2 * sin(acos(-1) * (r.t_s - t0_s) / 0.14)));
        }
        hand_over(&r, &b, b.hand_over_s, 1, true);
        r.truths++;
        rest(&r, 1.5, b.rest_N);
        check_reps(&r, &turns);
        end(&r);
    }
}

/* They wait above the floor, and the support hardly fell on the way down: the rep ended where they stopped. */
static void they_waited_above_the_floor(void **state)
{
    (void)state;
    static const double per_m[] = {0.3, 0.4, 0.5}, wait_s[] = {0.4, 0.6, 0.8};
    for (unsigned k = 0; k < 9; k++) {
        struct run r;
        struct body b = leg;
        b.per_m = per_m[k % 3], b.down_s = 1.4, b.hold_s = 1.5;
        start(&r, 500, "single_leg_hip_thrust", b.rest_N);
        floating(&r, &b, 6, wait_s[k / 3]);
        check_reps(&r, NULL);
        unsigned late = 0;
        for (unsigned i = 0; i + 1 < r.reps; i++) late += r.rep[i].end_s - r.truth[i].end_s > 0.15;
        if (late > 0) print_reps(&r);
        assert_int_equal(late, 0);
        end(&r);
    }
}

/* Back on the floor the foot presses a little more than it did, and is not quite still, until the next drive. */
static void a_ledge_before_the_drive(void **state)
{
    (void)state;
    static const struct body plain = {.rest_N = 80,
                                      .floor_N = 240,
                                      .per_m = 0.8,
                                      .rise_m = 0.3,
                                      .up_s = 0.8,
                                      .hold_s = 1,
                                      .down_s = 1.2,
                                      .hand_over_s = 0.12};
    static const double more_N[] = {8, 12, 16}, ledge_s[] = {0.3, 0.45};
    for (unsigned k = 0; k < 6; k++) {
        struct run r;
        struct body b = plain;
        start(&r, 500, "single_leg_hip_thrust", b.rest_N);
        thrusts(&r, &b, 2, 1.5);
        thrust(&r, &b);
        for (unsigned i = 0; i < 4; i++) {
            b.rest_N = plain.rest_N + more_N[k % 3];
            const double creeps[][2] = {{0, b.rest_N + 3}, {ledge_s[k / 3], b.rest_N}};
            draw(&r, creeps, 2);
            thrust(&r, &b);
        }
        rest(&r, 1.5, plain.rest_N);
        struct margins m = sharp;
        m.end_s = m.end_most_s = 0.1; /* the ledge is not rest */
        check_reps(&r, &m);
        end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_push_is_the_reps),
        cmocka_unit_test(from_the_floor_at_once),
        cmocka_unit_test(at_a_new_rest),
        cmocka_unit_test(a_tap_is_no_push),
        cmocka_unit_test(a_soft_floor_before_a_sudden_drive),
        cmocka_unit_test(they_waited_above_the_floor),
        cmocka_unit_test(a_ledge_before_the_drive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
