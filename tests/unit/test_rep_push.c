#include "rep_run.h"

/* Pushes and pulls: nothing moves, and what comes to the plate may be no effort. */

static void pushes_against_a_fixed_bar(void **state)
{
    (void)state;
    struct run r;
    start(&r, 1000, "isometric", 60);
    for (unsigned i = 0; i < 4; i++) {
        double t0_s = r.t_s, tau_s = 0.12;
        *now_true(&r) = (struct truth){.onset_s = t0_s - tau_s * log(1 - 5 / 700.0), .peak_N = 760};
        for (; r.t_s - t0_s < 4;) push(&r, 60 + 700 * (1 - exp(-(r.t_s - t0_s) / tau_s)));
        now_true(&r)->top_s = t0_s + 0.42; /* within 3 % */
        now_true(&r)->descent_s = r.t_s;
        now_true(&r)->end_s = r.t_s + 0.3 * log(10);
        for (t0_s = r.t_s; r.t_s - t0_s < 3;) push(&r, 60 + 700 * exp(-(r.t_s - t0_s) / 0.3));
        r.truths++;
    }
    struct margins m = sharp;
    m.peak_part = 0.01; /* of the unfiltered maximum, which noise raises */
    check_reps(&r, &m);
    end(&r);
}

/* Who tires loses a fifth of his force, gives way for a moment, and pushes on until he lets go. */
static void a_push_that_tires(void **state)
{
    (void)state;
    static const double pull[][2] = {{0, 0}, {0.3, 500}, {2, 470}, {2.3, 350}, {2.6, 465}, {5, 400}, {5.3, 0}, {8, 0}};
    static const char *const names[] = {"isometric", "generic"};
    for (unsigned k = 0; k < 2; k++) {
        struct run r;
        start(&r, 100, names[k], 0);
        for (unsigned i = 0; i < 3; i++) {
            double t0_s = r.t_s;
            draw(&r, pull, 8);
            assert_int_equal(r.reps, i + 1);
            assert_true(fabs(r.rep[i].descent_s - t0_s - 5) < 0.06);
        }
        end(&r);
    }
}

/* Between two sets of long pushes the foot leaves the plate, and somebody steps over it. */
static void a_step_over_the_plate_is_no_push(void **state)
{
    (void)state;
    static const double pushed[][2] = {{0, 60}, {0.4, 900}, {1, 1000}, {4, 900}, {4.3, 60}, {7, 60}};
    static const double stepped[][2] = {{0, 60},   {0.1, 0}, {3, 0},    {3.15, 760}, {3.5, 700},
                                        {3.85, 0}, {6, 0},   {6.2, 60}, {9, 60}};
    struct run r;
    start(&r, 250, "isometric", 0);
    rest(&r, 2, 60);
    for (unsigned i = 0; i < 3; i++) draw(&r, pushed, 6);
    draw(&r, stepped, 9);
    for (unsigned i = 0; i < 3; i++) draw(&r, pushed, 6);
    assert_int_equal(r.reps, 6);
    end(&r);
}

static const double foot_put[][2] = {{0, 0}, {0.1, 95}, {0.3, 80}, {2, 80}};
static const double pushed_long[][2] = {{0, 80}, {0.4, 900}, {1, 1000}, {4, 900}, {4.3, 80}, {7, 80}};

/* Before the first push somebody steps over the plate; then the foot is put down, and rests. */
static void a_step_before_the_first_push(void **state)
{
    (void)state;
    static const double over[][2] = {{0, 0}, {0.15, 860}, {0.25, 750}, {1.8, 745}, {1.9, 800}, {2.1, 0}, {3.3, 0}};
    static const char *const names[] = {"isometric", "generic"};
    for (unsigned k = 0; k < 2; k++) {
        struct run r;
        start(&r, 250, names[k], 0);
        draw(&r, over, 7);
        draw(&r, foot_put, 4);
        double onset_s = r.t_s;
        for (unsigned i = 0; i < 3; i++) draw(&r, pushed_long, 6);
        assert_int_equal(r.reps, 3);
        assert_true(fabs(r.rep[0].onset_s - onset_s) < 0.02); /* not when the foot was put down */
        end(&r);
    }
}

/* The same with nothing after it is a push: of one as even as that nobody knows, but the plate stays empty. */
static void a_lone_even_push(void **state)
{
    (void)state;
    static const double lone[][2] = {{0, 0}, {0.3, 750}, {2, 745}, {2.3, 0}};
    struct run r;
    start(&r, 250, "isometric", 0);
    draw(&r, lone, 4);
    rest(&r, 2, 0);
    assert_int_equal(r.reps, 0);
    rest(&r, 1.5, 0);
    assert_int_equal(r.reps, 1);
    draw(&r, lone, 4);
    rest(&r, 0.5, 0);
    assert_int_equal(r.reps, 2); /* it is known now that pushes begin from an empty plate */
    end(&r);
}

/* ... or the next ones are made from there, or the other leg's turn has come. */
static void an_even_push_and_another(void **state)
{
    (void)state;
    static const double lone[][2] = {{0, 0}, {0.3, 750}, {2, 745}, {2.3, 0}},
                        more[][2] = {{0, 0}, {0.3, 500}, {2, 495}, {2.3, 0}};
    for (unsigned k = 0; k < 2; k++) {
        struct run r;
        start(&r, 250, "isometric", 0);
        draw(&r, lone, 4);
        rest(&r, 1, 0);
        if (k == 0) draw(&r, more, 4);
        if (k == 1) plate_rep_other_leg(r.d);
        rest(&r, 0.5, 0);
        assert_int_equal(r.reps, k == 0 ? 2 : 1);
        end(&r);
    }
}

/* Nobody said what is done: a push that is given up at once, and a foot that is put down anew, among long ones. */
static void what_is_none_among_long_pushes(void **state)
{
    (void)state;
    static const double given_up[][2] = {{0, 80}, {0.15, 400}, {0.2, 400}, {0.35, 80}, {3, 80}};
    static const double put_anew[][2] = {{0, 80}, {0.1, 0}, {1, 0}, {1.1, 90}, {2.3, 85}, {2.4, 0}, {4, 0}, {4.1, 85}, {8, 80}};
    struct run r;
    start(&r, 250, "generic", 80);
    draw(&r, pushed_long, 6);
    draw(&r, given_up, 5);
    draw(&r, pushed_long, 6);
    draw(&r, put_anew, 9);
    draw(&r, pushed_long, 6);
    assert_int_equal(r.reps, 3);
    end(&r);
}

/* Who pulls ever harder gives way for a moment, and is above what he held before: he does not stand. */
static void a_pull_that_grows_is_no_stance(void **state)
{
    (void)state;
    static const double pulled[][2] = {{0, 0},     {0.8, 240}, {2.5, 242}, {2.8, 232}, {3.1, 244},
                                       {4.5, 270}, {7, 300},   {7.4, 0},   {11, 0}};
    struct run r;
    start(&r, 11, "generic", 0);
    rest(&r, 3, 0);
    for (unsigned i = 0; i < 4; i++) draw(&r, pulled, 9);
    assert_int_equal(r.reps, 4);
    end(&r);
}

/* A push is made by a foot that is there: one of an unsteady muscle, from an empty plate too. */
static void a_foot_put_down_anew_is_no_push(void **state)
{
    (void)state;
    static const double put[][2] = {{0, 0}, {0.1, 95}, {0.2, 86}, {3, 87}, {3.15, 0}, {4.5, 0}};
    struct run r;
    start(&r, 250, "isometric", 0);
    for (unsigned i = 0; i < 5; i++) draw(&r, put, 6);
    assert_int_equal(r.reps, 0);
    for (unsigned i = 0; i < 2; i++) {
        for (double t0_s = r.t_s, t_s = 0; t_s < 4; t_s = r.t_s - t0_s)
            push(&r, 110 * fmin(smooth(t_s / 0.3), smooth((4 - t_s) / 0.3)) * (1 + 0.05 * sin(2 * M_PI * 0.6 * t_s)));
        rest(&r, 2, 0);
    }
    assert_int_equal(r.reps, 2);
    end(&r);
}

static void a_kicked_plate_rings(void **state)
{
    (void)state;
    struct run r;
    start(&r, 500, "generic", 60);
    for (unsigned i = 0; i < 3; i++)
        for (double t0_s = r.t_s; r.t_s - t0_s < 3;)
            push(&r, 60 + 250 * exp(-(r.t_s - t0_s) / 0.14) * sin(2 * M_PI * 12 * (r.t_s - t0_s)));
    assert_int_equal(r.reps, 0);
    end(&r);
}

/* A foot on each plate: the weight goes from one to the other and back, and then this one pushes against the bar. */
static void the_weight_goes_from_foot_to_foot(void **state)
{
    (void)state;
    static const double taken_s[] = {0.3, 1, 3};
    for (unsigned k = 0; k < 3; k++) {
        struct run r;
        begin(&r, 250, "isometric");
        r.paired = true, r.other_share = 0.5, r.noise_N = 1;
        rest(&r, 3, 700);
        for (unsigned i = 0; i < 3; i++) {
            for (double t0_s = r.t_s, t_s = 0; t_s < 2 * taken_s[k] + 2; t_s = r.t_s - t0_s) {
                double gone = fmin(smooth(t_s / taken_s[k]), smooth((2 * taken_s[k] + 2 - t_s) / taken_s[k]));
                r.other_share = 0.5 - 0.4 * gone;
                push(&r, 700 * (1 + 0.01 * gone));
            }
            rest(&r, 3, 700);
        }
        assert_int_equal(r.reps, 0);
        for (unsigned i = 0; i < 2; i++) {
            for (double t0_s = r.t_s, t_s = 0; t_s < 4; t_s = r.t_s - t0_s) {
                double all_N = 700 + 800 * fmin(smooth(t_s / 0.4), smooth((4 - t_s) / 0.3)),
                       other_N = 350 - 0.1 * (all_N - 700);
                r.other_share = other_N / all_N;
                push(&r, all_N);
            }
            r.other_share = 0.5;
            rest(&r, 2, 700);
        }
        assert_int_equal(r.reps, 2);
        end(&r);
    }
}

/* On the way up a pull stops at a shelf for long enough to be a foot at rest; let go, the empty plate is at rest at once. */
static void a_shelf_on_the_way_up(void **state)
{
    (void)state;
    static const double rates_Hz[] = {10, 40};
    for (unsigned k = 0; k < 2; k++) {
        struct run r;
        start(&r, rates_Hz[k], "generic", 3);
        for (unsigned i = 0; i < 5; i++) {
            *now_true(&r) = (struct truth){.onset_s = r.t_s};
            if (i == 0) draw(&r, (const double[][2]){{0, 3}, {0.6, 53}, {1.5, 57}, {2, 108}, {2.9, 149}, {3.4, 3}}, 6);
            if (i > 0) draw(&r, (const double[][2]){{0, 3}, {0.7, 107}, {1.3, 110}, {1.7, 3}}, 4);
            now_true(&r)->end_s = r.t_s;
            r.truths++;
            rest(&r, 0.4, 3);
        }
        rest(&r, 2, 3);
        check_reps(&r, NULL);
        end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pushes_against_a_fixed_bar),
        cmocka_unit_test(a_push_that_tires),
        cmocka_unit_test(a_step_over_the_plate_is_no_push),
        cmocka_unit_test(a_pull_that_grows_is_no_stance),
        cmocka_unit_test(a_foot_put_down_anew_is_no_push),
        cmocka_unit_test(a_kicked_plate_rings),
        cmocka_unit_test(the_weight_goes_from_foot_to_foot),
        cmocka_unit_test(a_step_before_the_first_push),
        cmocka_unit_test(a_lone_even_push),
        cmocka_unit_test(an_even_push_and_another),
        cmocka_unit_test(what_is_none_among_long_pushes),
        cmocka_unit_test(a_shelf_on_the_way_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
