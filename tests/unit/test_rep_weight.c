/* Nobody said what is done: the weight of somebody who stands, or a push? Against physics on paper. */
#include "rep_run.h"

static void squats(struct run *r, double weight_N, unsigned n, double s, double stand_s)
{
    for (unsigned i = 0; i < n; i++) {
        *now_true(r) = (struct truth){.onset_s = r->t_s, .descent_s = r->t_s};
        goes(r, weight_N, -0.4, s);
        goes(r, weight_N, 0.4, 0.6 * s);
        now_true(r)->top_s = now_true(r)->end_s = r->t_s;
        r->truths++;
        goes(r, weight_N, 0, stand_s);
    }
}

/* A squat of four seconds begins and ends so softly that its force is in the band for a quarter of one. */
static const struct margins standing = {0.25, 0.3, 0.25, 0.3, 0.25, 0.3, 0};

/* Slower than a push may sag, and so deep that the force goes below what he stood with before. */
static void who_steps_on_and_squats(void **state)
{
    (void)state;
    for (unsigned k = 0; k < 4; k++) {
        struct run r;
        double stand_s = k % 2 ? 1.5 : 0.05;
        start(&r, 500, "generic", 0);
        draw(&r, (const double[][2]){{0, 0}, {0.3, 760}, {0.4, 700}, {0.6, 735}}, 4);
        goes(&r, 735, 0, k < 2 ? 2 : 9);
        squats(&r, 735, 5, 2.6, stand_s);
        goes(&r, 735, 0, 2);
        check_reps(&r, &standing);
        for (unsigned i = 0; i < r.reps; i++) assert_true(r.rep[i].eccentric_s > 1.8 && r.rep[i].eccentric_s < 3);
        end(&r);
    }
}

/* Out of the rack, two steps, squats, and back: that alone is no rep. */
static void who_takes_a_bar(void **state)
{
    (void)state;
    static const double taken[][2] = {{0, 735}, {0.8, 1300}, {1, 1360}, {1.2, 1240}, {1.4, 1360}, {1.6, 1240}, {1.8, 1300}};
    static const double racked[][2] = {{0, 1300}, {0.2, 1360}, {0.4, 1240}, {0.6, 1300}, {1.4, 735}};
    for (unsigned k = 0; k < 3; k++) {
        struct run r;
        start(&r, 500, "generic", 735);
        draw(&r, taken, 7);
        goes(&r, 1300, 0, k == 1 ? 1.5 : 4);
        if (k < 2) squats(&r, 1300, 4, 1.2, 1);
        goes(&r, 1300, 0, 4);
        draw(&r, racked, 5);
        goes(&r, 735, 0, 3);
        check_reps(&r, &standing);
        end(&r);
    }
}

/* The plate was away meanwhile: he sways too much for an even second, and is no body of the old weight either. */
static void who_took_a_bar_unseen(void **state)
{
    (void)state;
    static const char *const names[] = {"squat", "generic"};
    for (unsigned k = 0; k < 4; k++) {
        struct run r;
        double weight_N = k % 2 ? 900 : 600;
        start(&r, 100, names[k / 2], 735);
        hole(&r, 4);
        for (double t0_s = r.t_s; r.t_s - t0_s < 2.5;) push(&r, weight_N * (1 + 0.01 * sin(2 * M_PI * 0.4 * (r.t_s - t0_s))));
        squats(&r, weight_N, 4, 1.2, 1);
        check_reps(&r, NULL);
        end(&r);
    }
}

static void who_steps_on_and_off(void **state)
{
    (void)state;
    struct run r;
    start(&r, 500, "generic", 0);
    for (unsigned i = 0; i < 3; i++) {
        draw(&r, (const double[][2]){{0, 0}, {0.3, 760}, {0.4, 700}, {0.6, 735}}, 4);
        goes(&r, 735, 0, 8);
        draw(&r, (const double[][2]){{0, 735}, {0.1, 700}, {0.2, 750}, {0.4, 0}, {4, 0}}, 5);
    }
    assert_int_equal(r.reps, 0);
    end(&r);
}

/* It trembles, sways, sags and gives way for a moment, and is pulled on: over 200 N. */
static void a_pull_stays_a_pull(void **state)
{
    (void)state;
    struct run r;
    start(&r, 80, "generic", 0);
    for (unsigned i = 0; i < 3; i++) {
        *now_true(&r) = (struct truth){.onset_s = r.t_s};
        draw(&r, (const double[][2]){{0, 0}, {0.8, 500}}, 2);
        now_true(&r)->top_s = r.t_s;
        for (double t0_s = r.t_s; r.t_s - t0_s < 10;) {
            double t = r.t_s - t0_s, gives = t > 4 && t < 5.5 ? -60 * sin(2 * M_PI * (t - 4) / 1.5) : 0;
            push(&r, 500 - 4 * t + 4 * sin(2 * M_PI * 9.3 * t) + 5 * sin(2 * M_PI * 0.7 * t) + gives);
        }
        now_true(&r)->descent_s = r.t_s;
        draw(&r, (const double[][2]){{0, 460}, {0.3, 0}}, 2);
        now_true(&r)->end_s = r.t_s;
        r.truths++;
        rest(&r, 4, 0);
    }
    check_reps(&r, NULL);
    end(&r);
}

/* A weight on the plate, too, but not for so long, or of hips, or of who sat with a part of it on his feet. */
static void what_is_held_evenly_may_be_a_rep(void **state)
{
    (void)state;
    static const double held_N[] = {600, 800}, rest_N[] = {0, 240}, held_s[] = {4, 8};
    for (unsigned k = 0; k < 2; k++) {
        struct run r;
        start(&r, 500, "generic", rest_N[k]);
        for (unsigned i = 0; i < 3; i++) {
            draw(&r,
                 (const double[][2]){{0, rest_N[k]},
                                     {0.5, 1.05 * held_N[k]},
                                     {0.8, 0.95 * held_N[k]},
                                     {1, held_N[k]},
                                     {1 + held_s[k], held_N[k]},
                                     {1.8 + held_s[k], rest_N[k]},
                                     {4 + held_s[k], rest_N[k]}},
                 7);
            assert_int_equal(r.reps, i + 1);
        }
        end(&r);
    }
}

/* On the plate, off it, on it again, and up: twice a force that came and stood, of which only the jumps are reps. */
static void who_steps_on_twice_and_jumps(void **state)
{
    (void)state;
    static const double rates_Hz[] = {20, 100};
    for (unsigned k = 0; k < 2; k++) {
        struct run r;
        double w_N = 560;
        start(&r, rates_Hz[k], "generic", 0);
        draw(&r, (const double[][2]){{0, 0}, {0.25, w_N}, {2.5, w_N}, {2.7, 0}, {3.8, 0}, {4.05, w_N}}, 6);
        goes(&r, w_N, 0, 1.5);
        for (unsigned i = 0; i < 4; i++) {
            *now_true(&r) = (struct truth){.onset_s = r.t_s, .descent_s = r.t_s};
            goes(&r, w_N, -0.4, 0.55);
            goes(&r, w_N, 0, 0.4);
            changes_speed(&r, w_N, 2.2, 0.45);
            now_true(&r)->top_s = r.t_s;
            rest(&r, 2 * 2.2 / G_M_PER_S2, 0);
            now_true(&r)->end_s = r.t_s;
            r.truths++;
            changes_speed(&r, w_N, 2.2, 0.3);
            goes(&r, w_N, 0, 2.5);
        }
        check_reps(&r, NULL);
        end(&r);
    }
}

/* Somebody knocks against the plate, the foot presses a little more after, and then the hips rise: the set is not lost. */
static void thrusts_after_a_knock(void **state)
{
    (void)state;
    struct run r;
    start(&r, 500, "generic", 75);
    draw(&r, (const double[][2]){{0, 75}, {0.01, 105}, {0.04, 70}, {0.08, 92}, {0.12, 87}, {2.2, 87}}, 6);
    for (unsigned i = 0; i < 3; i++) {
        *now_true(&r) = (struct truth){.onset_s = r.t_s};
        draw(&r,
             (const double[][2]){{0, 87}, {0.1, 210}, {0.25, 145}, {0.5, 285}, {0.7, 200}, {0.8, 280}, {1.6, 200}, {2.3, 87}},
             8);
        now_true(&r)->end_s = r.t_s;
        r.truths++;
        rest(&r, 2, 87);
    }
    check_reps(&r, NULL);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_steps_on_and_squats),      cmocka_unit_test(who_takes_a_bar),
        cmocka_unit_test(who_took_a_bar_unseen),        cmocka_unit_test(who_steps_on_and_off),
        cmocka_unit_test(a_pull_stays_a_pull),          cmocka_unit_test(what_is_held_evenly_may_be_a_rep),
        cmocka_unit_test(who_steps_on_twice_and_jumps), cmocka_unit_test(thrusts_after_a_knock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
