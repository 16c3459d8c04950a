/* Squats under a bar, and without a standstill, against physics on paper: the force over the weight is the acceleration. */
#include "rep_run.h"

/* So long with that weight and acceleration (m/s²), swaying by half a per cent (SD) as people do. */
static void press(struct run *r, double weight_N, double a)
{
    double sway = 0.008 * (sin(2 * M_PI * 0.45 * r->t_s) + 0.5 * sin(2 * M_PI * 1.3 * r->t_s));
    push(r, weight_N * (1 + sway + a / G_M_PER_S2));
}

static void stand(struct run *r, double weight_N, double s)
{
    for (double t0_s = r->t_s; r->t_s - t0_s < s - 1e-9;) press(r, weight_N, 0);
}

/* Down and up again by a cosine: the body turns at the top where it is accelerated most. */
static void squats(struct run *r, double weight_N, unsigned n, double depth_m, double s)
{
    double w = 2 * M_PI / s;
    for (unsigned i = 0; i < n; i++) {
        double t0_s = r->t_s;
        *now_true(r) = (struct truth){.onset_s = t0_s, .descent_s = t0_s};
        while (r->t_s - t0_s < s - 1e-9) press(r, weight_N, -depth_m / 2 * w * w * cos(w * (r->t_s - t0_s)));
        now_true(r)->top_s = now_true(r)->end_s = r->t_s;
        r->truths++;
    }
}

static void check_count(struct run *r)
{
    if (r->reps != r->truths) print_reps(r);
    assert_int_equal(r->reps, r->truths);
    for (unsigned i = 0; i < r->reps; i++) {
        double from_s = fmax(r->rep[i].onset_s, r->truth[i].onset_s), to_s = fmin(r->rep[i].end_s, r->truth[i].end_s);
        assert_true(to_s - from_s > 0.5 * (r->truth[i].end_s - r->truth[i].onset_s));
    }
}

/* The block in which he turns belongs to the one before up to there, and to the next one from there. */
static void no_standstill_at_low_rates(void **state)
{
    (void)state;
    static const double rates_Hz[] = {25, 40, 100};
    for (unsigned k = 0; k < 3; k++) {
        struct run r;
        begin(&r, rates_Hz[k], "squat");
        stand(&r, 800, 4);
        squats(&r, 800, 8, 0.5, 1.8);
        stand(&r, 800, 4);
        check_count(&r);
        end(&r);
    }
}

/* He stood with his own weight, and takes a bar as heavy from the rack: the new weight is known though he sways. */
static void a_bar_from_the_rack(void **state)
{
    (void)state;
    struct run r;
    begin(&r, 100, "squat");
    stand(&r, 750, 3);
    for (double t0_s = r.t_s; r.t_s - t0_s < 0.8;) press(&r, 750 + 750 * (r.t_s - t0_s) / 0.8, 0);
    stand(&r, 1500, 4);
    squats(&r, 1500, 5, 0.45, 2.2);
    stand(&r, 1500, 3);
    check_count(&r);
    end(&r);
}

/* Braked and pushed evenly through the turn for nearly a second, with less than 4 %: no new weight, nor a stop at the bottom.
 */
static void pushed_evenly_through_the_turn(void **state)
{
    (void)state;
    static const double rates_Hz[] = {20, 250}, a = 0.35;
    for (unsigned k = 0; k < 2; k++) {
        struct run r;
        begin(&r, rates_Hz[k], "squat");
        stand(&r, 900, 4);
        for (unsigned i = 0; i < 6; i++) {
            double t0_s = r.t_s;
            *now_true(&r) = (struct truth){.onset_s = t0_s, .descent_s = t0_s};
            for (double t; (t = r.t_s - t0_s) < 4 - 1e-9;) /* swings over within a second */
                push(&r, 900 - 900 / G_M_PER_S2 * a * fmax(-1, fmin(1, 1.3 * cos(2 * M_PI * t / 4))));
            now_true(&r)->top_s = now_true(&r)->end_s = r.t_s;
            r.truths++;
        }
        stand(&r, 900, 4);
        check_count(&r);
        end(&r);
    }
}

/* Down, up a little, and no further; then the bar lies on the pins. He never stood. */
static void a_bar_left_on_the_pins(void **state)
{
    (void)state;
    struct run r;
    begin(&r, 100, "squat");
    stand(&r, 1600, 4);
    squats(&r, 1600, 3, 0.4, 2.2);
    stand(&r, 1600, 2);
    goes(&r, 1600, -0.4, 1.3);
    goes(&r, 1600, 0.08, 0.6);
    stand(&r, 1600, 0.4);
    for (double t0_s = r.t_s; r.t_s - t0_s < 0.3;) press(&r, 1600 - 800 * (r.t_s - t0_s) / 0.3, 0);
    stand(&r, 800, 5);
    check_count(&r);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(no_standstill_at_low_rates), cmocka_unit_test(a_bar_from_the_rack),
                                       cmocka_unit_test(pushed_evenly_through_the_turn),
                                       cmocka_unit_test(a_bar_left_on_the_pins)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
