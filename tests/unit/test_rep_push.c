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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pushes_against_a_fixed_bar),        cmocka_unit_test(a_push_that_tires),
        cmocka_unit_test(a_step_over_the_plate_is_no_push),  cmocka_unit_test(a_pull_that_grows_is_no_stance),
        cmocka_unit_test(a_foot_put_down_anew_is_no_push),   cmocka_unit_test(a_kicked_plate_rings),
        cmocka_unit_test(the_weight_goes_from_foot_to_foot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
