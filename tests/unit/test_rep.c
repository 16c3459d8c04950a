/* One detector against signals whose answer is known on paper. */
#include <errno.h>

#include "rep_run.h"

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
    end(&r);
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
    end(&r);
}

static const struct body athlete = {
    .rest_N = 60, .floor_N = 240, .per_m = 0.9, .rise_m = 0.3, .up_s = 0.8, .hold_s = 1.2, .down_s = 1.5, .hand_over_s = 0.12};

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
        thrust(&r, &athlete);
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
        assert_true(fabs(r.rep[i].concentric_s - 0.9) < 0.1); /* with what the floor hands over */
    }
    end(&r);
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
    end(&r);
}

static void a_long_hole_ends_what_was_under_way(void **state)
{
    (void)state;
    struct run r;
    begin(&r, 1000, "single_leg_hip_thrust");
    rest(&r, 2, 60);
    thrust(&r, &athlete);
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
    thrust(&r, &athlete);
    rest(&r, 0.5, 60);
    assert_int_equal(r.reps, 2);
    end(&r);
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
        cmocka_unit_test(stepping_on_is_no_rep),
        cmocka_unit_test(a_squat_starts_from_a_loaded_plate),
        cmocka_unit_test(a_long_hole_ends_what_was_under_way),
        cmocka_unit_test(nonsense_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
