/* Squats of which the plate does not bear all, or of a weight that was not known, against physics on paper: the force is the
 * share of the weight times 1 + a/g. */
#include "rep_run.h"

/* From rest to rest by minimum jerk, so deep; the share of this plate grows by `gains` a metre as he goes down. */
static void sinks(struct run *r, double weight_N, double gains, double from_m, double to_m, double s)
{
    for (double t0_s = r->t_s, u; (u = (r->t_s - t0_s) / s) < 1 - 1e-9;) {
        double deep_m = from_m + (to_m - from_m) * smooth(u), a = min_jerk_m_per_s2(u, from_m - to_m, s);
        push(r, weight_N * (1 + gains * deep_m) * (1 + a / G_M_PER_S2));
    }
}

static void squats(struct run *r, double weight_N, unsigned n, double depth_m, double gains, double pause_s)
{
    for (unsigned i = 0; i < n; i++) {
        *now_true(r) = (struct truth){.onset_s = r->t_s, .descent_s = r->t_s};
        sinks(r, weight_N, gains, 0, depth_m, 0.9);
        sinks(r, weight_N, gains, depth_m, 0, 0.9);
        now_true(r)->top_s = now_true(r)->end_s = r->t_s;
        r->truths++;
        rest(r, pause_s, weight_N);
    }
}

/* More of him comes to this foot, or goes to the other one, the deeper he is. */
static void under_one_foot(void **state)
{
    (void)state;
    static const double rates_Hz[] = {20, 100, 1000}, gains[] = {0.6, 0.75, -0.6};
    for (unsigned k = 0; k < 3; k++)
        for (unsigned g = 0; g < 3; g++) {
            struct run r;
            start(&r, rates_Hz[k], "squat", 420);
            rest(&r, 2, 420);
            squats(&r, 420, 6, 0.4, gains[g], 1.5);
            check_reps(&r, NULL);
            end(&r);
        }
}

/* The plate feels less of him at the bottom, where he is still for a while, and he dips a little before he drives: no descent.
 */
static void a_dip_before_the_drive(void **state)
{
    (void)state;
    struct run r;
    start(&r, 250, "squat", 700);
    rest(&r, 2, 700);
    for (unsigned i = 0; i < 5; i++) {
        *now_true(&r) = (struct truth){.onset_s = r.t_s, .descent_s = r.t_s};
        sinks(&r, 700, -0.13, 0, 0.45, 1.1);
        sinks(&r, 700, -0.13, 0.45, 0.45, 1.6);
        sinks(&r, 700, -0.13, 0.45, 0.48, 0.4);
        sinks(&r, 700, -0.13, 0.48, 0, 0.8);
        now_true(&r)->top_s = now_true(&r)->end_s = r.t_s;
        r.truths++;
        rest(&r, 2, 700);
    }
    check_reps(&r, NULL);
    end(&r);
}

/* Somebody leans on the plate, evenly, so that it may be the weight; soon after he lets go, the next one begins. The force is
 * where it was: that was no stop at the bottom of a squat, and no weight of his. */
static void leant_on_between_two(void **state)
{
    (void)state;
    static const double soon_s[] = {0.6, 0.8, 1.2, 2};
    for (unsigned k = 0; k < 4; k++) {
        struct run r;
        start(&r, 250, "squat", 820);
        rest(&r, 2, 820);
        for (unsigned i = 0; i < 4; i++) {
            squats(&r, 820, 2, 0.4, 0, 1);
            for (double t0_s = r.t_s, u; (u = (r.t_s - t0_s) / 0.9) < 1;) push(&r, 820 + 60 * smooth(u));
            rest(&r, 5, 880);
            for (double t0_s = r.t_s, u; (u = (r.t_s - t0_s) / 0.9) < 1;) push(&r, 880 - 60 * smooth(u));
            rest(&r, soon_s[k], 820);
        }
        check_reps(&r, NULL);
        end(&r);
    }
}

/* He goes down so gently that the force is hardly more than sway off his weight, and turns as gently. */
static void gently_without_a_rest(void **state)
{
    (void)state;
    static const double rates_Hz[] = {20, 250};
    for (unsigned k = 0; k < 2; k++) {
        struct run r;
        start(&r, rates_Hz[k], "squat", 900);
        rest(&r, 2, 900);
        double w = 2 * M_PI / 5;
        for (unsigned i = 0; i < 6; i++) {
            double t0_s = r.t_s;
            *now_true(&r) = (struct truth){.onset_s = t0_s, .descent_s = t0_s};
            while (r.t_s - t0_s < 5 - 1e-9) push(&r, 900 * (1 - 0.15 * w * w / G_M_PER_S2 * cos(w * (r.t_s - t0_s))));
            now_true(&r)->top_s = now_true(&r)->end_s = r.t_s;
            r.truths++;
        }
        rest(&r, 4, 900);
        check_reps(&r, NULL);
        end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(under_one_foot), cmocka_unit_test(a_dip_before_the_drive),
                                       cmocka_unit_test(leant_on_between_two), cmocka_unit_test(gently_without_a_rest)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
