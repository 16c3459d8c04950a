/* Standing up from a seat and sitting down again, on paper. */
#include "rep_run.h"

static void stands_up_and_sits_down(const char *exercise, double sway_N)
{
    struct run r;
    begin(&r, 500, exercise);
    r.noise_N = 1;
    double w_N = 720, seat_N = 150;
    const double hz = 0.45;
    for (; r.t_s < 4;) push(&r, seat_N + sway_N * sin(2 * M_PI * hz * r.t_s));
    for (unsigned i = 0; i < 5; i++) {
        double t0_s = r.t_s, from_N = seat_N + sway_N * sin(2 * M_PI * hz * t0_s);
        *now_true(&r) = (struct truth){.onset_s = t0_s};
        for (double t; (t = r.t_s - t0_s) < 1.3;) /* the seat lets go in 0.4 s; the body rises by 0.4 m in 0.9 s */
            push(&r, t < 0.4 ? from_N + (w_N - from_N) * smooth(t / 0.4)
                             : w_N * (1 + 0.4 / (0.9 * 0.9 * G_M_PER_S2) *
                                              (60 * ((t - 0.4) / 0.9) - 180 * pow((t - 0.4) / 0.9, 2) +
                                               120 * pow((t - 0.4) / 0.9, 3))));
        now_true(&r)->top_s = r.t_s;
        for (double t1_s = r.t_s; r.t_s - t1_s < 1.2;) push(&r, w_N + 6 * sin(2 * M_PI * 0.6 * (r.t_s - t1_s)));
        now_true(&r)->descent_s = r.t_s;
        for (double t1_s = r.t_s, u; (u = (r.t_s - t1_s) / 1.2) < 1;)
            push(&r, w_N * (1 - 0.4 / (1.2 * 1.2 * G_M_PER_S2) * (60 * u - 180 * u * u + 120 * u * u * u)));
        double t2_s = r.t_s;
        for (; r.t_s - t2_s < 0.4;)
            push(&r, w_N + (seat_N + sway_N * sin(2 * M_PI * hz * (t2_s + 0.4)) - w_N) * smooth((r.t_s - t2_s) / 0.4));
        now_true(&r)->end_s = r.t_s - 0.1;
        r.truths++;
        for (t2_s = r.t_s; r.t_s - t2_s < 2;) push(&r, seat_N + sway_N * sin(2 * M_PI * hz * r.t_s));
    }
    struct margins m = {0.1, 1.1, 0.08, 0.2, 0.4, 0.5, 0}; /* half a sway of the seat may be taken for the start of it */
    check_reps(&r, &m);
    end(&r);
}

static void standing_up_from_a_swaying_seat(void **state)
{
    (void)state;
    stands_up_and_sits_down("sit_to_stand", 12);
    stands_up_and_sits_down("generic", 2);
}

/* The trunk leans forward and is caught before the seat lets go; the drive presses evenly for a while, by more than the weight,
 * and the way down is at an even speed. He stands between. */
static void standing_up_in_steps(void **state)
{
    (void)state;
    struct run r;
    double w_N = 720, seat_N = 150;
    start(&r, 500, "sit_to_stand", seat_N);
    for (unsigned i = 0; i < 4; i++) {
        *now_true(&r) = (struct truth){.onset_s = r.t_s};
        for (double t0_s = r.t_s, u; (u = (r.t_s - t0_s) / 0.3) < 1;) push(&r, seat_N - 20 * pow(sin(M_PI * u), 2));
        rest(&r, 0.12, seat_N);
        for (double t0_s = r.t_s, u; (u = (r.t_s - t0_s) / 0.4) < 1;) push(&r, seat_N + (w_N - seat_N) * smooth(u));
        const double drive[][2] = {{0, w_N},   {0.1, 1.06 * w_N}, {0.7, 1.06 * w_N},  {0.8, w_N},
                                   {1.1, w_N}, {1.2, 0.88 * w_N}, {1.45, 0.88 * w_N}, {1.55, w_N}};
        draw(&r, drive, 8);
        now_true(&r)->top_s = r.t_s;
        rest(&r, 2, w_N);
        now_true(&r)->descent_s = r.t_s;
        const double down[][2] = {{0, w_N}, {0.1, 0.9 * w_N}, {0.4, 0.9 * w_N}, {0.5, w_N}, {1.4, w_N}};
        draw(&r, down, 5);
        for (double t0_s = r.t_s, u; (u = (r.t_s - t0_s) / 0.4) < 1;) push(&r, w_N + (seat_N - w_N) * smooth(u));
        now_true(&r)->end_s = r.t_s - 0.1;
        r.truths++;
        rest(&r, 2, seat_N);
    }
    struct margins m = {0.08, 0.12, 0.08, 0.2, 0.1, 0.2, 0};
    check_reps(&r, &m);
    for (unsigned i = 0; i < r.reps; i++) assert_true(!isnan(r.rep[i].top_s));
    end(&r);
}

/* The feet are set anew under the seat, and press more than the one that was left for a moment: no stance. Who leans forward
 * from there does not sit down. */
static void feet_set_anew_under_a_seat(void **state)
{
    (void)state;
    static const double course[][2] = {{0, 280},    {4, 280},    {4.1, 120},  {5, 120},    {5.1, 280}, {7, 280},
                                       {7.2, 240},  {7.5, 420},  {7.8, 960},  {8.2, 700},  {8.6, 840}, {11, 840},
                                       {11.3, 760}, {11.7, 840}, {12.2, 900}, {12.5, 280}, {15, 280}};
    struct run r;
    start(&r, 500, "sit_to_stand", 280);
    draw(&r, course, 17);
    assert_int_equal(r.reps, 1);
    assert_true(fabs(r.rep[0].onset_s - r.t_s + 15 - 7.3) < 0.3);
    assert_true(fabs(r.rep[0].end_s - r.t_s + 15 - 12.47) < 0.1);
    end(&r);
}

static const double weight_N = 720, seated_N = 150;

/* The seat takes the load or gives it up. */
static void hands_over(struct run *r, double from_N, double to_N, double s)
{
    for (double t0_s = r->t_s, u; (u = (r->t_s - t0_s) / s) < 1;) push(r, from_N + (to_N - from_N) * smooth(u));
}

/* Up and down without a stance, and the seat is touched for as long as it takes and gives up its load. */
static void touching_the_seat_without_a_rest(void **state)
{
    (void)state;
    static const char *const names[] = {"sit_to_stand", "generic"};
    for (unsigned k = 0; k < 2; k++) {
        struct run r;
        double touched_N = seated_N + (k == 0 ? 80 : -30);
        start(&r, 250, names[k], seated_N);
        for (unsigned i = 0; i < 5; i++) {
            *now_true(&r) = (struct truth){.onset_s = r.t_s};
            hands_over(&r, i > 0 ? touched_N : seated_N, weight_N, 0.2);
            goes(&r, weight_N, 0.4, 0.8);
            now_true(&r)->top_s = now_true(&r)->descent_s = r.t_s;
            goes(&r, weight_N, -0.4, 0.7);
            hands_over(&r, weight_N, i < 4 ? touched_N : seated_N, 0.2);
            now_true(&r)->end_s = r.t_s - 0.05;
            r.truths++;
        }
        rest(&r, 2, seated_N);
        struct margins m = {0.05, 0.1, 1, 1, 0.05, 0.1, 0};
        check_reps(&r, &m);
        end(&r);
    }
}

/* Up so fast that the feet press no more than before while he is braked: he does not sit. */
static void braked_at_the_top_above_a_seat(void **state)
{
    (void)state;
    struct run r;
    start(&r, 250, "sit_to_stand", seated_N);
    for (unsigned i = 0; i < 3; i++) {
        hands_over(&r, seated_N, weight_N, 0.1);
        goes(&r, weight_N, 0.4, 0.5);
        goes(&r, weight_N, -0.4, 1);
        hands_over(&r, weight_N, seated_N, 0.3);
        rest(&r, 1, seated_N);
    }
    assert_int_equal(r.reps, 3);
    end(&r);
}

/* Who leans on his feet and sits back has not risen, and a plate on which nothing stood has no seat before it. */
static void leaning_on_the_feet_and_walking_by(void **state)
{
    (void)state;
    struct run r;
    start(&r, 250, "sit_to_stand", seated_N);
    for (unsigned i = 0; i < 3; i++) {
        for (double t0_s = r.t_s, u; (u = (r.t_s - t0_s) / (1 + 0.6 * i)) < 1;)
            push(&r, seated_N + 150 * pow(sin(M_PI * u), 2));
        rest(&r, 1, seated_N);
    }
    assert_int_equal(r.reps, 0);
    end(&r);
    start(&r, 250, "sit_to_stand", 0);
    for (unsigned i = 0; i < 3; i++) {
        const double step[][2] = {{0, 0},      {0.1, 650},  {0.25, 780}, {0.4, 680},  {0.55, 780},
                                  {0.65, 900}, {0.75, 780}, {0.9, 680},  {1.05, 780}, {1.2, 0}};
        draw(&r, step, 10);
        rest(&r, 3, 0);
    }
    assert_int_equal(r.reps, 0);
    end(&r);
}

/* Up from the seat, upright for a second and a half, and down again. */
static void stands_for_a_while(struct run *r)
{
    *now_true(r) = (struct truth){.onset_s = r->t_s};
    hands_over(r, seated_N, weight_N, 0.3);
    goes(r, weight_N, 0.4, 1);
    now_true(r)->top_s = r->t_s;
    rest(r, 1.5, weight_N);
    now_true(r)->descent_s = r->t_s;
    goes(r, weight_N, -0.4, 1.1);
    hands_over(r, weight_N, seated_N, 0.3);
    now_true(r)->end_s = r->t_s;
    r->truths++;
    rest(r, 2, seated_N);
}

/* Up from the seat, and back onto it before he stood. */
static void who_falls_back_has_not_stood(void **state)
{
    (void)state;
    static const double rates_Hz[] = {40, 250};
    for (unsigned k = 0; k < 2; k++) {
        struct run r;
        start(&r, rates_Hz[k], "sit_to_stand", seated_N);
        for (unsigned i = 0; i < 5; i++) {
            if (i == 2 || i == 4) {
                hands_over(&r, seated_N, 0.76 * weight_N, 0.35);
                rest(&r, 0.6, 0.76 * weight_N);
                hands_over(&r, 0.76 * weight_N, seated_N, 0.3);
                rest(&r, 2, seated_N);
            }
            stands_for_a_while(&r);
        }
        check_reps(&r, NULL);
        end(&r);
    }
}

/* He leans on his feet with two thirds of his weight for longer than that, and sits back: he stood with all of it before. */
static void who_leans_for_long_has_not_stood(void **state)
{
    (void)state;
    struct run r;
    start(&r, 250, "sit_to_stand", seated_N);
    for (unsigned i = 0; i < 4; i++) {
        stands_for_a_while(&r);
        hands_over(&r, seated_N, 0.65 * weight_N, 0.4);
        rest(&r, 2, 0.65 * weight_N);
        hands_over(&r, 0.65 * weight_N, seated_N, 0.4);
        rest(&r, 2, seated_N);
    }
    check_reps(&r, NULL);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(standing_up_from_a_swaying_seat), cmocka_unit_test(standing_up_in_steps),
        cmocka_unit_test(feet_set_anew_under_a_seat),      cmocka_unit_test(touching_the_seat_without_a_rest),
        cmocka_unit_test(braked_at_the_top_above_a_seat),  cmocka_unit_test(leaning_on_the_feet_and_walking_by),
        cmocka_unit_test(who_falls_back_has_not_stood),    cmocka_unit_test(who_leans_for_long_has_not_stood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
