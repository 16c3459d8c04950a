/* One detector against signals whose answer is known on paper. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plate/rep.h"

enum { MOST = 16 };
struct run {
    struct plate_rep_detector *d;
    double rate_Hz, t_s, noise_N;
    unsigned seed;
    struct plate_rep rep[MOST];
    unsigned reps;
    enum plate_phase phase[8 * MOST];
    double phase_s[8 * MOST];
    unsigned phases;
};

static void begin(struct run *r, double rate_Hz, const char *exercise)
{
    struct plate_rep_config cfg = {.rate_Hz = rate_Hz, .exercise = exercise, .targets = plate_protocol_targets_none()};
    cfg.targets.hold_min_s = cfg.targets.eccentric_min_s = 1;
    memset(r, 0, sizeof *r);
    r->rate_Hz = rate_Hz;
    r->seed = 11;
    r->d = malloc(plate_rep_detector_size());
    assert_int_equal(plate_rep_init(r->d, &cfg), 0);
}

static void push(struct run *r, double force_N)
{
    struct plate_rep_output out;
    double u = 0;
    for (int i = 0; i < 12; i++) u += (double)rand_r(&r->seed) / RAND_MAX - 0.5;
    force_N += r->noise_N * u;
    struct plate_rep_input in = {r->t_s, force_N, force_N, NAN, NAN, false, NAN};
    r->t_s += 1 / r->rate_Hz;
    if (!plate_rep_push(r->d, &in, &out)) return;
    if (out.phase_changed && r->phases < 8 * MOST) r->phase[r->phases] = out.phase, r->phase_s[r->phases++] = in.t_s;
    if (out.rep_done && r->reps < MOST) r->rep[r->reps++] = out.rep;
}

/* Straight lines between corners (seconds, newtons), from where the run is. */
static void draw(struct run *r, const double (*corner)[2], unsigned n)
{
    double t0 = r->t_s;
    for (unsigned i = 1; i < n; i++)
        while (r->t_s - t0 < corner[i][0] - 1e-9) {
            double u = (r->t_s - t0 - corner[i - 1][0]) / (corner[i][0] - corner[i - 1][0]);
            push(r, corner[i - 1][1] + u * (corner[i][1] - corner[i - 1][1]));
        }
}

static double smooth(double u) { return u <= 0 ? 0 : u >= 1 ? 1 : u * u * u * (10 + u * (-15 + 6 * u)); }

static void a_ramp_and_a_plateau_on_paper(void **state)
{
    (void)state;
    /* rest 40 N; from 2.0 s up by 1000 N/s to 340 N at 2.3 s; 2 s of it; down in 0.3 s */
    static const double shape[][2] = {{0, 40}, {2, 40}, {2.3, 340}, {4.3, 340}, {4.6, 40}, {6, 40}};
    struct run r;
    begin(&r, 1000, "isometric");
    draw(&r, shape, 6);
    assert_int_equal(r.reps, 1);
    const struct plate_rep *p = &r.rep[0];
    assert_true(fabs(p->onset_s - 2.005) < 0.003); /* where it leaves 40 +- 5 N */
    assert_true(fabs(p->top_s - 2.3) < 0.03);
    assert_true(fabs(p->descent_s - 4.3) < 0.03);
    assert_true(fabs(p->end_s - 4.57) < 0.01); /* within a tenth of the step */
    assert_true(fabs(p->peak_force_N - 340) < 0.01);
    assert_true(fabs(p->hold_force_N - 340) < 1);
    assert_true(p->hold_cv < 0.01);
    assert_true(fabs(p->rfd_0_50_N_per_s - 1000) < 1);
    assert_true(fabs(p->rfd_0_200_N_per_s - 1000) < 1);
    assert_true(fabs(p->rfd_max_N_per_s - 1000) < 1);
    double concentric_s = p->top_s - p->onset_s, ramp_end_s = fmin(p->top_s, 2.3);
    double impulse =
        (ramp_end_s - p->onset_s) * (40 + 1000 * ((p->onset_s + ramp_end_s) / 2 - 2)) + 340 * (p->top_s - ramp_end_s);
    assert_true(fabs(p->concentric_s - concentric_s) < 1e-9);
    assert_true(fabs(p->impulse_Ns - impulse) < 0.02 * impulse);
    assert_true(fabs(p->net_impulse_Ns - (p->impulse_Ns - 40 * concentric_s)) < 0.02 * impulse);
    assert_true(isnan(p->cop_x_mm) && isnan(p->rest_before_s));
    assert_int_equal(p->findings, 1); /* asked for: a second of lowering */
    assert_string_equal(p->form[0].name, "fast_lowering");
    free(r.d);
}

static void what_the_rate_does_not_bear_is_null(void **state)
{
    (void)state;
    static const double shape[][2] = {{0, 40}, {4, 40}, {4.8, 340}, {6.8, 340}, {7.6, 40}, {10, 40}};
    struct run r;
    begin(&r, 20, "isometric");
    draw(&r, shape, 6);
    assert_int_equal(r.reps, 1);
    assert_true(isnan(r.rep[0].rfd_0_50_N_per_s) && isnan(r.rep[0].rfd_0_250_N_per_s));
    assert_true(fabs(r.rep[0].peak_force_N - 340) < 0.01);
    free(r.d);
}

/* Hips driven up by `rise_m` in `up_s`, held, let down: the force of a supported mass, with floor contact taken over 0.1 s. */
static void thrust(struct run *r, double up_s, double hold_s, double down_s)
{
    double rest_N = 60, support_N = 300, rise_m = 0.3, g = 9.81, t0 = r->t_s, total = up_s + hold_s + down_s;
    while (r->t_s - t0 < total) {
        double t = r->t_s - t0, u = t < up_s ? t / up_s : t < up_s + hold_s ? 2 : (t - up_s - hold_s) / down_s;
        double a = u <= 1 ? 60 * u - 180 * u * u + 120 * u * u * u : 0;
        a *= rise_m / (t < up_s ? up_s * up_s : -down_s * down_s);
        double carried = smooth(t / 0.1) * (1 - smooth((t - total + 0.1) / 0.1));
        push(r, rest_N + (support_N * (1 + a / g) - rest_N) * carried);
    }
}

static void rest(struct run *r, double s, double force_N)
{
    for (double t0 = r->t_s; r->t_s - t0 < s;) push(r, force_N);
}

static void an_explosive_rep_counts_once(void **state)
{
    (void)state;
    struct run r;
    begin(&r, 1000, "single_leg_hip_thrust");
    r.noise_N = 1;
    rest(&r, 2, 60);
    for (int i = 0; i < 5; i++) {
        thrust(&r, 0.45, 1, 1.2); /* brakes with more than g: the force falls to the floor's at the top */
        rest(&r, 1, 60);
    }
    assert_int_equal(r.reps, 5);
    free(r.d);
}

static void stepping_on_is_no_rep(void **state)
{
    (void)state;
    struct run r;
    begin(&r, 500, "single_leg_hip_thrust");
    r.noise_N = 1;
    rest(&r, 2, 0);
    static const double step_on[][2] = {{0, 0}, {0.2, 75}, {0.5, 52}, {0.8, 60}};
    draw(&r, step_on, 4);
    rest(&r, 2, 60);
    for (int i = 0; i < 3; i++) {
        thrust(&r, 0.9, 1.2, 1.5);
        rest(&r, 1.2, 60);
    }
    static const double heel_tap[][2] = {{0, 60}, {0.1, 95}, {0.2, 60}};
    draw(&r, heel_tap, 3);
    rest(&r, 1, 60);
    static const double step_off[][2] = {{0, 60}, {0.3, 0}};
    draw(&r, step_off, 2);
    rest(&r, 3, 0);
    assert_int_equal(r.reps, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_true(fabs(r.rep[i].hold_s - 1.2) < 0.1);
        assert_true(fabs(r.rep[i].concentric_s - 0.9) < 0.1);
    }
    free(r.d);
}

static void a_squat_starts_from_a_loaded_plate(void **state)
{
    (void)state;
    struct run r;
    begin(&r, 1000, "squat");
    r.noise_N = 1;
    rest(&r, 2, 400);
    for (int i = 0; i < 3; i++) {
        for (double t0 = r.t_s; r.t_s - t0 < 2.0;)
            push(&r, 400 - 130 * sin(2 * M_PI * (r.t_s - t0)) * (r.t_s - t0 < 1 ? 1 : -1));
        rest(&r, 1.5, 400);
    }
    assert_int_equal(r.reps, 3);
    double start = r.rep[0].onset_s;
    assert_true(fabs(start - 2) < 0.05);
    assert_true(fabs(r.rep[0].end_s - 4) < 0.1);
    assert_true(r.rep[0].eccentric_s > 0.8 && r.rep[0].eccentric_s < 1.2);
    assert_int_equal(r.phase[0], PLATE_LOWER);
    assert_int_equal(r.phase[1], PLATE_DRIVE);
    free(r.d);
}

static void a_long_hole_ends_what_was_under_way(void **state)
{
    (void)state;
    struct run r;
    begin(&r, 1000, "single_leg_hip_thrust");
    rest(&r, 2, 60);
    thrust(&r, 0.9, 1, 1.5);
    rest(&r, 0.4, 60);
    assert_int_equal(r.reps, 1);
    for (int i = 0; i < 300; i++) push(&r, 60 + i);
    assert_int_equal(plate_rep_phase(r.d), PLATE_DRIVE);
    plate_rep_gap(r.d, 50); /* 50 ms is bridged */
    push(&r, 360);
    assert_int_equal(plate_rep_phase(r.d), PLATE_DRIVE);
    plate_rep_gap(r.d, 2000);
    push(&r, 60);
    assert_int_equal(plate_rep_phase(r.d), PLATE_REST);
    rest(&r, 1, 60);
    thrust(&r, 0.9, 1, 1.5);
    rest(&r, 0.5, 60);
    assert_int_equal(r.reps, 2);
    free(r.d);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    struct plate_rep_config cfg = {.rate_Hz = 0};
    struct plate_rep_detector *d = malloc(plate_rep_detector_size());
    assert_int_equal(plate_rep_init(d, &cfg), -EINVAL);
    cfg.rate_Hz = NAN;
    assert_int_equal(plate_rep_init(d, &cfg), -EINVAL);
    cfg.rate_Hz = 100;
    assert_int_equal(plate_rep_init(d, &cfg), 0);
    struct plate_rep_output out;
    struct plate_rep_input in = {0, NAN, NAN, NAN, NAN, false, NAN};
    assert_false(plate_rep_push(d, &in, &out));
    free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ramp_and_a_plateau_on_paper),
        cmocka_unit_test(what_the_rate_does_not_bear_is_null),
        cmocka_unit_test(an_explosive_rep_counts_once),
        cmocka_unit_test(stepping_on_is_no_rep),
        cmocka_unit_test(a_squat_starts_from_a_loaded_plate),
        cmocka_unit_test(a_long_hole_ends_what_was_under_way),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
