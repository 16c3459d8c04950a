/* Hip thrusts and pushes, against physics on paper. */
#include "rep_run.h"

static const struct body athlete = {
    .rest_N = 60, .floor_N = 240, .per_m = 0.9, .rise_m = 0.3, .up_s = 0.7, .hold_s = 1.0, .down_s = 1.2, .hand_over_s = 0.12};

static void every_phase_has_its_true_time(void **state)
{
    (void)state;
    static const double rates_Hz[] = {250, 1000, 2000};
    for (unsigned k = 0; k < 3; k++) {
        struct run r;
        start(&r, rates_Hz[k], "single_leg_hip_thrust", athlete.rest_N);
        thrusts(&r, &athlete, 6, 1);
        check_reps(&r, &sharp);
        for (unsigned i = 0; i < r.reps; i++) {
            const struct plate_rep *p = &r.rep[i];
            assert_true(fabs(p->hold_force_N / top_N(&athlete) - 1) < 0.01);
            assert_true(fabs(p->concentric_s - (p->top_s - p->onset_s)) < 1e-9);
            assert_true(p->onset_live_s - r.truth[i].onset_s < 0.06);
            assert_true(p->end_live_s - r.truth[i].end_s < 0.15);
        }
        end(&r);
    }
}

static void ten_hertz_will_do(void **state)
{
    (void)state;
    static const struct margins coarse = {0.15, 0.2, 0.15, 0.2, 0.3, 0.5, 0.05};
    struct run r;
    start(&r, 10, "single_leg_hip_thrust", athlete.rest_N);
    rest(&r, 2, athlete.rest_N);
    thrusts(&r, &athlete, 6, 1.5);
    check_reps(&r, &coarse);
    assert_true(isnan(r.rep[0].rfd_0_50_N_per_s));
    end(&r);
}

/* Above the floor the force hardly says where a rep ends and the next begins: somewhere in the wait, or a quarter of a second
 * off. */
static struct margins floating_margins(double wait_s)
{
    double off_s = 0.25 + wait_s;
    return (struct margins){off_s, off_s, off_s, off_s, 0.08, 0.3, 0.01};
}

static void floating_reps_never_unload(void **state)
{
    (void)state;
    struct body b = athlete;
    b.low_m = 0.04;
    static const double up_s[] = {0.6, 0.9, 1.2}, wait_s[] = {0, 0.3, 1.5};
    for (unsigned k = 0; k < 9; k++) {
        struct run r;
        b.up_s = up_s[k % 3];
        print_message("up in %g s, waiting %g s\n", b.up_s, wait_s[k / 3]);
        start(&r, 500, "single_leg_hip_thrust", b.rest_N);
        floating(&r, &b, 6, wait_s[k / 3]);
        struct margins m = floating_margins(wait_s[k / 3]);
        check_reps(&r, &m);
        end(&r);
    }
}

static void floating_reps_with_a_bar(void **state)
{
    (void)state;
    struct body b = {.rest_N = 90,
                     .floor_N = 480,
                     .per_m = 0.75,
                     .rise_m = 0.36,
                     .low_m = 0.05,
                     .up_s = 1,
                     .hold_s = 1,
                     .down_s = 2,
                     .hand_over_s = 0.2};
    struct run r;
    start(&r, 1000, "barbell_hip_thrust", b.rest_N);
    floating(&r, &b, 8, 0.2);
    struct margins m = floating_margins(0.2);
    check_reps(&r, &m);
    end(&r);
}

static void touch_and_go(void **state)
{
    (void)state;
    struct body b = athlete;
    b.hand_over_s = 0.08;
    struct run r;
    start(&r, 1000, "single_leg_hip_thrust", b.rest_N);
    thrusts(&r, &b, 8, 0.06);
    rest(&r, 1, b.rest_N);
    check_reps(&r, &sharp);
    end(&r);
}

/* It brakes with 0.7 to 0.9 g: the force falls below the foot at rest at the top. */
static void an_explosive_rep_counts_once(void **state)
{
    (void)state;
    struct body b = athlete;
    static const double up_s[] = {0.5, 0.48, 0.45}, hold_s[] = {1, 0.3, 0};
    for (unsigned k = 0; k < 9; k++) {
        b.up_s = up_s[k % 3], b.hold_s = hold_s[k / 3];
        print_message("up in %g s, held for %g s\n", b.up_s, b.hold_s);
        struct run r;
        start(&r, 1000, "single_leg_hip_thrust", b.rest_N);
        thrusts(&r, &b, 5, 1);
        struct margins m = sharp;
        if (b.hold_s < 1) m.hold_s = m.hold_most_s = INFINITY; /* what is hardly held has no level of its own */
        check_reps(&r, &m);
        end(&r);
    }
}

static void grinding_reps(void **state)
{
    (void)state;
    struct body b = athlete;
    b.up_s = 2.5, b.down_s = 3, b.hand_over_s = 0.4;
    struct margins m = {0.1, 0.15, 0.04, 0.1, INFINITY, INFINITY, 0.01};
    struct run r;
    start(&r, 500, "tempo", b.rest_N);
    thrusts(&r, &b, 5, 1);
    check_reps(&r, &m);
    end(&r);
}

static void holds_of_any_length(void **state)
{
    (void)state;
    struct body b = athlete;
    struct run r;
    start(&r, 500, "paused", b.rest_N);
    static const double hold_s[] = {1, 0, 3, 0.3, 10, 1};
    for (unsigned i = 0; i < 6; i++) {
        b.hold_s = hold_s[i];
        thrusts(&r, &b, 1, 1);
    }
    check_reps(&r, NULL);
    for (unsigned i = 0; i < 6; i++)
        if (hold_s[i] >= 1)
            assert_true(fabs(r.rep[i].top_s - r.truth[i].top_s) < 0.3 && fabs(r.rep[i].descent_s - r.truth[i].descent_s) < 0.3);
    end(&r);
}

static void a_hold_that_sags(void **state)
{
    (void)state;
    struct run r;
    start(&r, 500, "paused", athlete.rest_N);
    for (unsigned i = 0; i < 3; i++) {
        *now_true(&r) = (struct truth){0};
        hand_over(&r, &athlete, athlete.hand_over_s, 1, false);
        move(&r, &athlete, 0, athlete.rise_m, 0.8, 1);
        now_true(&r)->top_s = r.t_s;
        double low_N = 0.95 * top_N(&athlete), low_m = (low_N / athlete.floor_N - 1) / athlete.per_m,
               sag[2][2] = {{0, top_N(&athlete)}, {10, low_N}};
        draw(&r, sag, 2);
        now_true(&r)->descent_s = r.t_s;
        move(&r, &athlete, low_m, 0, athlete.down_s, 1);
        hand_over(&r, &athlete, athlete.hand_over_s, 1, true);
        r.truths++;
        rest(&r, 1.2, athlete.rest_N);
    }
    check_reps(&r, &sharp);
    end(&r);
}

/* Both feet lift, at the top the other one leaves, one holds and lowers. */
static void two_lift_one_lowers(struct run *r, const struct body *b)
{
    move(r, b, 0, b->rise_m, b->up_s, 0.5);
    now_true(r)->top_s = r->t_s;
    rest(r, 0.6, 0.5 * top_N(b));
    for (double t0_s = r->t_s; r->t_s - t0_s < 0.3;) push(r, top_N(b) * (0.5 + 0.54 * smooth((r->t_s - t0_s) / 0.3)));
    const double sways[][2] = {{0, 1.04 * top_N(b)}, {0.35, top_N(b)}, {b->hold_s, top_N(b)}};
    draw(r, sways, 3);
    now_true(r)->descent_s = r->t_s;
    now_true(r)->peak_N = sways[0][1];
    move(r, b, b->rise_m, 0, b->down_s, 1);
}

static void two_up_one_down(void **state)
{
    (void)state;
    struct body b = athlete;
    b.floor_N = 300, b.up_s = 0.8, b.hold_s = 0.8, b.down_s = 2;
    struct run r;
    start(&r, 500, "two_up_one_down", b.rest_N);
    for (unsigned i = 0; i < 5; i++) {
        *now_true(&r) = (struct truth){0};
        hand_over(&r, &b, b.hand_over_s, 0.5, false);
        two_lift_one_lowers(&r, &b);
        hand_over(&r, &b, b.hand_over_s, 1, true);
        r.truths++;
        rest(&r, 1.2, b.rest_N);
    }
    check_reps(&r, &sharp);
    end(&r);
}

/* The floor is only touched: the foot goes from what hips press on one to a little less than they press on each of two, and
 * never back to rest. */
/* The foot is put down a second before the first rep, and rests where a light one would have the hips above the floor. */
static void two_up_one_down_from_a_foot_just_put_down(void **state)
{
    (void)state;
    static const double rep[][2] = {{0, 57},    {0.1, 95},  {0.7, 90},  {0.9, 100}, {1.1, 100}, {1.3, 158},
                                    {2.6, 158}, {3.5, 150}, {4.6, 110}, {4.7, 60},  {6.2, 57}};
    static const double put[][2] = {{0, 10}, {0.2, 62}, {0.5, 57}, {2, 57}};
    struct run r;
    start(&r, 250, "two_up_one_down", 10);
    draw(&r, put, 4);
    double onset_s = r.t_s;
    for (unsigned i = 0; i < 4; i++) draw(&r, rep, 11);
    assert_int_equal(r.reps, 4);
    assert_true(fabs(r.rep[0].onset_s - onset_s) < 0.05);
    end(&r);
}

static void two_up_one_down_and_up_again(void **state)
{
    (void)state;
    static const struct margins m = {0.06, 0.1, 0.1, 0.1, 0, 0, 0};
    static const double up_s[] = {0.8, 1.5}, touch_part[] = {0.4, 0.48};
    for (unsigned k = 0; k < 4; k++) {
        struct body b = athlete;
        b.floor_N = 300, b.up_s = up_s[k % 2], b.hold_s = 0.8, b.down_s = 2;
        double touch_N = touch_part[k / 2] * b.floor_N;
        struct run r;
        start(&r, 500, "two_up_one_down", b.rest_N);
        *now_true(&r) = (struct truth){0};
        hand_over(&r, &b, b.hand_over_s, 0.5, false);
        for (unsigned i = 0; i < 6; i++) {
            two_lift_one_lowers(&r, &b);
            if (i == 5) hand_over(&r, &b, b.hand_over_s, 1, true);
            now_true(&r)->top_s = now_true(&r)->descent_s = NAN;
            if (i < 5) {
                const double down[][2] = {{0, b.floor_N}, {0.1, touch_N}}, up[][2] = {{0, touch_N}, {0.06, 0.5 * b.floor_N}};
                draw(&r, down, 2);
                now_true(&r)->end_s = r.t_s;
                r.truths++;
                *now_true(&r) = (struct truth){.onset_s = r.t_s};
                draw(&r, up, 2);
            }
        }
        r.truths++;
        rest(&r, 1.2, b.rest_N);
        check_reps(&r, &m);
        end(&r);
    }
}

/* The other foot helps for a moment while the hips are at the top: the load is shared, and nothing came down. */
static void two_up_one_down_with_help_at_the_top(void **state)
{
    (void)state;
    static const double help_s[] = {0.3, 0.6, 1};
    for (unsigned k = 0; k < 3; k++) {
        struct body b = athlete;
        b.floor_N = 300, b.up_s = 0.8, b.hold_s = 0.8, b.down_s = 2;
        const double all_N = top_N(&b), half_N = 0.5 * all_N, shared_s = 0.2 + help_s[k];
        const double help[][2] = {
            {0, all_N}, {0.2, half_N}, {shared_s, half_N}, {shared_s + 0.2, all_N}, {shared_s + 1, all_N}};
        struct run r;
        start(&r, 500, "two_up_one_down", b.rest_N);
        for (unsigned i = 0; i < 4; i++) {
            *now_true(&r) = (struct truth){0};
            hand_over(&r, &b, b.hand_over_s, 0.5, false);
            move(&r, &b, 0, b.rise_m, b.up_s, 0.5);
            rest(&r, 0.6, half_N);
            rest(&r, b.hold_s, all_N);
            draw(&r, help, 5);
            move(&r, &b, b.rise_m, 0, b.down_s, 1);
            hand_over(&r, &b, b.hand_over_s, 1, true);
            r.truths++;
            rest(&r, 1.2, b.rest_N);
        }
        check_reps(&r, NULL);
        end(&r);
    }
}

static void a_foot_put_down_just_before_the_first(void **state)
{
    (void)state;
    static const double wait_s[] = {0.3, 0.6, 1.5};
    static const double foot[][2] = {{0, 0}, {0.15, 85}, {0.3, 52}, {0.45, 60}};
    for (unsigned k = 0; k < 3; k++) {
        print_message("waiting %g s\n", wait_s[k]);
        struct run r;
        start(&r, 500, "single_leg_hip_thrust", 0);
        draw(&r, foot, 4);
        rest(&r, wait_s[k], 60);
        thrusts(&r, &athlete, 3, 1);
        check_reps(&r, NULL);
        assert_true(fabs(r.rep[0].onset_s - r.truth[0].onset_s) < 0.04);
        end(&r);
    }
}

static void a_foot_placed_anew_between_reps(void **state)
{
    (void)state;
    static const double again[][2] = {{0, 60}, {0.15, 0}, {0.7, 0}, {0.8, 95}, {0.95, 48}, {1.1, 60}};
    struct run r;
    start(&r, 500, "single_leg_hip_thrust", 60);
    for (unsigned i = 0; i < 4; i++) {
        thrusts(&r, &athlete, 1, 0.8);
        draw(&r, again, 6);
        rest(&r, 0.8, 60);
    }
    check_reps(&r, &sharp);
    end(&r);
}

static void heel_taps_and_aborted_lifts(void **state)
{
    (void)state;
    static const double tap[][2] = {{0, 60}, {0.06, 150}, {0.12, 60}}, hard_tap[][2] = {{0, 60}, {0.05, 300}, {0.15, 60}};
    struct run r;
    start(&r, 500, "single_leg_hip_thrust", 60);
    thrusts(&r, &athlete, 3, 1);
    for (unsigned i = 0; i < 3; i++) {
        draw(&r, tap, 3);
        rest(&r, 0.7, 60);
        draw(&r, hard_tap, 3);
        rest(&r, 0.7, 60);
        for (double t0_s = r.t_s; r.t_s - t0_s < 0.9;) /* the floor keeps half of the hips */
            push(&r, 60 + 90 * smooth((r.t_s - t0_s) / 0.4) * smooth((t0_s + 0.9 - r.t_s) / 0.4));
        rest(&r, 0.8, 60);
        thrusts(&r, &athlete, 1, 1);
    }
    check_reps(&r, &sharp);
    end(&r);
}

static void a_bar_loaded_in_steps(void **state)
{
    (void)state;
    struct body b = athlete;
    struct run r;
    start(&r, 500, "barbell_hip_thrust", b.rest_N);
    for (unsigned i = 0; i < 4; i++) { /* plate after plate, each set down */
        double from_N = b.rest_N, to_N = from_N + 18;
        double step[5][2] = {{0, from_N}, {0.1, to_N + 8}, {0.25, to_N - 5}, {0.4, to_N}, {3, to_N}};
        draw(&r, step, 5);
        b.rest_N = to_N;
    }
    b.floor_N = 420;
    thrusts(&r, &b, 4, 1.2);
    check_reps(&r, &sharp);
    end(&r);
}

/* The same with the knock of each plate, held still for longer than hips pause on their way. */
static void a_bar_loaded_with_knocks(void **state)
{
    (void)state;
    struct body b = athlete;
    struct run r;
    start(&r, 500, "barbell_hip_thrust", b.rest_N);
    for (unsigned i = 0; i < 4; i++) {
        double from_N = b.rest_N, to_N = from_N * 1.3;
        double step[6][2] = {{0, from_N}, {0.05, 2 * to_N}, {0.1, 0.8 * to_N}, {0.15, 1.1 * to_N}, {0.3, to_N}, {3, to_N}};
        draw(&r, step, 6);
        b.rest_N = to_N;
    }
    b.floor_N = 3 * b.rest_N;
    thrusts(&r, &b, 4, 1.2);
    check_reps(&r, &sharp);
    end(&r);
}

/* A throw: the push is over in 0.15 s, then the hips fly and the foot loses its own resting load. */
static void a_push_that_throws_the_hips(void **state)
{
    (void)state;
    struct run r;
    start(&r, 1000, "single_leg_hip_thrust", 100);
    for (unsigned i = 0; i < 4; i++) {
        static const double rep[][2] = {{0, 100},   {0.07, 490}, {0.15, 100}, {0.2, 12},  {0.26, 30},
                                        {0.4, 232}, {1.9, 232},  {2.4, 190},  {2.6, 100}, {4, 100}};
        double onset_s = r.t_s;
        draw(&r, rep, 10);
        assert_int_equal(r.reps, i + 1);
        assert_true(fabs(r.rep[i].onset_s - onset_s) < 0.01);
        assert_true(fabs(r.rep[i].peak_force_N - 490) < 10);
        assert_true(fabs(r.rep[i].top_s - onset_s - 0.4) < 0.03);
        assert_true(fabs(r.rep[i].end_s - onset_s - 2.6) < 0.03);
    }
    end(&r);
}

static void standing_on_the_plate_first(void **state)
{
    (void)state;
    struct run r;
    start(&r, 500, "single_leg_hip_thrust", 0);
    static const double up[][2] = {{0, 0}, {0.25, 820}, {0.5, 690}, {0.8, 740}};
    draw(&r, up, 4);
    for (double t0_s = r.t_s; r.t_s - t0_s < 4;) push(&r, 740 + 8 * sin(2 * M_PI * 0.5 * (r.t_s - t0_s)));
    static const double off[][2] = {{0, 740}, {0.4, 500}, {0.9, 30}, {1.0, 0}, {3, 0}, {3.1, 80}, {3.4, 60}, {5, 60}};
    draw(&r, off, 8);
    thrusts(&r, &athlete, 4, 1);
    check_reps(&r, &sharp);
    end(&r);
}

static void twenty_newtons_of_noise(void **state)
{
    (void)state;
    static const struct margins noisy = {0.08, 0.2, 0.08, 0.2, 0.3, 0.6, 0};
    static const double rate_Hz[] = {1000, 87.5}, floor_N[] = {480, 130}, noise_N[] = {20, 16},
                        up_s[] = {0.8, 1.4}; /* heavy; light, and only counted */
    for (unsigned k = 0; k < 2; k++) {
        struct body b = athlete;
        struct run r;
        b.floor_N = floor_N[k], b.up_s = up_s[k];
        begin(&r, rate_Hz[k], "single_leg_hip_thrust");
        r.noise_N = noise_N[k];
        rest(&r, 3, b.rest_N);
        thrusts(&r, &b, 6, 1.2);
        check_reps(&r, k == 0 ? &noisy : NULL);
        end(&r);
    }
}

static void a_hole_in_a_hold(void **state)
{
    (void)state;
    static const double hole_s[] = {0.3, 0.6};
    for (unsigned k = 0; k < 2; k++) {
        struct run r;
        start(&r, 500, "single_leg_hip_thrust", 60);
        thrusts(&r, &athlete, 2, 1);
        *now_true(&r) = (struct truth){0};
        hand_over(&r, &athlete, 0.12, 1, false);
        move(&r, &athlete, 0, athlete.rise_m, 0.7, 1);
        now_true(&r)->top_s = r.t_s;
        rest(&r, 0.8, top_N(&athlete));
        hole(&r, hole_s[k]);
        rest(&r, 0.8, top_N(&athlete));
        now_true(&r)->descent_s = r.t_s;
        move(&r, &athlete, athlete.rise_m, 0, 1.2, 1);
        hand_over(&r, &athlete, 0.12, 1, true);
        if (k == 0) r.truths++; /* a long hole ends what is under way, and what is left is no rep */
        rest(&r, 1.2, 60);
        thrusts(&r, &athlete, 2, 1);
        check_reps(&r, &sharp);
        end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_phase_has_its_true_time),
        cmocka_unit_test(ten_hertz_will_do),
        cmocka_unit_test(floating_reps_never_unload),
        cmocka_unit_test(floating_reps_with_a_bar),
        cmocka_unit_test(touch_and_go),
        cmocka_unit_test(an_explosive_rep_counts_once),
        cmocka_unit_test(grinding_reps),
        cmocka_unit_test(holds_of_any_length),
        cmocka_unit_test(a_hold_that_sags),
        cmocka_unit_test(two_up_one_down),
        cmocka_unit_test(two_up_one_down_from_a_foot_just_put_down),
        cmocka_unit_test(two_up_one_down_and_up_again),
        cmocka_unit_test(two_up_one_down_with_help_at_the_top),
        cmocka_unit_test(a_foot_put_down_just_before_the_first),
        cmocka_unit_test(a_foot_placed_anew_between_reps),
        cmocka_unit_test(heel_taps_and_aborted_lifts),
        cmocka_unit_test(a_bar_loaded_in_steps),
        cmocka_unit_test(a_bar_loaded_with_knocks),
        cmocka_unit_test(a_push_that_throws_the_hips),
        cmocka_unit_test(standing_on_the_plate_first),
        cmocka_unit_test(twenty_newtons_of_noise),
        cmocka_unit_test(a_hole_in_a_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
