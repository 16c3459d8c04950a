/* The measures of a rep whose phases are known, on signals whose answer is known on paper. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plate/filter.h"
#include "rep_measure.h"

#define PI 3.14159265358979323846
static const double rates_Hz[] = {10, 20, 40, 80, 87.5, 160, 250, 500, 1000, 2000};
enum { RATES = sizeof rates_Hz / sizeof *rates_Hz };

struct point {
    double force_N, x_mm, y_mm;
};
typedef struct point shape_fn(double t_s);

static struct rep_history *past; /* 2 MB: one for all */

static int make_past(void **state)
{
    (void)state;
    return (past = malloc(sizeof *past)) ? 0 : -1;
}
static int drop_past(void **state)
{
    (void)state;
    free(past);
    return 0;
}

static void push(double t_s, struct point p, double filtered_N)
{
    struct plate_rep_input in = {t_s, p.force_N, filtered_N, p.x_mm, p.y_mm, false, NAN};
    rep_history_push(past, &in, in.Fz_N);
}

/* Samples of `shape` from 0 to `end_s`, at a rate that may differ from its name, unfiltered. */
static void sample(shape_fn *shape, double end_s, double name_Hz, double rate_Hz)
{
    rep_history_init(past, name_Hz, 0);
    for (uint64_t k = 0; (double)k / rate_Hz <= end_s + 1e-9; k++) {
        struct point p = shape((double)k / rate_Hz);
        push((double)k / rate_Hz, p, p.force_N);
    }
}

static struct plate_rep measured(struct rep_times t)
{
    struct plate_rep r;
    memset(&r, 0, sizeof r);
    rep_measure(past, &t, &r);
    return r;
}

static void near_(double got, double want, double within, const char *what, double rate_Hz)
{
    if (!(fabs(got - want) <= within)) fail_msg("%s at %g Hz: %.9g, not %.9g +- %g", what, rate_Hz, got, want, within);
}
#define near(got, want, within) near_(got, want, within, #got, rate_Hz)

/* Rest 50 N; 2.0 to 2.4 s up by 1000 N/s to 450 N; held to 4.4 s; down to 50 N at 5.2 s. */
static struct point trapezoid(double t)
{
    double f = t < 2 ? 50 : t < 2.4 ? 50 + 1000 * (t - 2) : t < 4.4 ? 450 : t < 5.2 ? 450 - 500 * (t - 4.4) : 50;
    return (struct point){f, NAN, NAN};
}
static const struct rep_times trapezoid_times = {2, 2.4, 4.4, 5.2, 2, 2.4, 50, NAN};

static void a_trapezoid_has_its_area(void **state)
{
    (void)state;
    for (int i = 0; i < RATES; i++) {
        double rate_Hz = rates_Hz[i], corner = rate_Hz == 87.5 ? 450 / rate_Hz : 1e-6; /* whose corners lie between samples */
        sample(trapezoid, 7, rate_Hz, rate_Hz);
        struct plate_rep r = measured(trapezoid_times);
        near(r.impulse_Ns, 100, corner);
        near(r.net_impulse_Ns, 80, corner);
        near(r.mean_force_N, (100 + 900 + 200) / 3.2, corner);
        near(r.hold_force_N, 450, 1e-9 + corner / 10);
        near(r.peak_force_N, 450, 1e-4);
        near(r.concentric_s, 0.4, 1e-9);
        near(r.tut_s, 3.2, 1e-9);
        assert_true(isnan(r.rest_before_s) && isnan(r.cop_x_mm) && isnan(r.cop_path_mm) && isnan(r.impact_pct));
        assert_true(isnan(r.onset_live_s) && isnan(r.top_live_s) && isnan(r.descent_live_s) && isnan(r.end_live_s));
    }
}

static void a_ramp_has_its_slope_where_the_rate_bears_it(void **state)
{
    (void)state;
    for (int i = 0; i < RATES; i++) {
        double rate_Hz = rates_Hz[i], slope = rate_Hz == 87.5 ? 50 : 1e-6;
        sample(trapezoid, 7, rate_Hz, rate_Hz);
        struct plate_rep r = measured(trapezoid_times);
        const double rfd[] = {r.rfd_0_50_N_per_s, r.rfd_0_100_N_per_s, r.rfd_0_150_N_per_s, r.rfd_0_200_N_per_s,
                              r.rfd_0_250_N_per_s};
        for (int k = 0; k < 5; k++) {
            if (0.05 * (k + 1) * rate_Hz >= 8 - 1e-9)
                near(rfd[k], 1000, slope);
            else if (!isnan(rfd[k]))
                fail_msg("RFD over %d ms from %g Hz", 50 * (k + 1), rate_Hz);
        }
        near(r.rfd_max_N_per_s, 1000, 1e-3);
    }
}

/* An HX711 set to 80 Hz that runs at 92: times tell, not the name. */
static void a_wrong_rate_does_not_tilt_a_slope(void **state)
{
    (void)state;
    double rate_Hz = 92;
    sample(trapezoid, 7, 80, rate_Hz);
    struct rep_times t = trapezoid_times;
    t.onset_s = t.up_from_s = 185 / rate_Hz; /* the first sample on the ramp */
    struct plate_rep r = measured(t);
    near(r.rfd_0_100_N_per_s, 1000, 1e-6);
    near(r.rfd_max_N_per_s, 1000, 1e-3);
}

static unsigned seed = 20260301;
static double noise(void)
{
    double u = -6;
    for (int i = 0; i < 12; i++) u += (double)rand_r(&seed) / RAND_MAX;
    return u;
}
static struct point noisy_rest(double t)
{
    (void)t;
    return (struct point){50 + noise(), NAN, NAN};
}
static struct point noisy_trapezoid(double t) { return (struct point){trapezoid(t).force_N + noise(), NAN, NAN}; }

static void noise_has_no_rfd(void **state)
{
    (void)state;
    print_message("seed %u\n", seed);
    double rate_Hz = 1000;
    sample(noisy_rest, 7, rate_Hz, rate_Hz);
    assert_true(isnan(measured(trapezoid_times).rfd_max_N_per_s));
    sample(noisy_trapezoid, 7, rate_Hz, rate_Hz);
    struct plate_rep r = measured(trapezoid_times);
    near(r.rfd_max_N_per_s, 1000, 4 * 38.8); /* standard error of a slope over 20 samples of 1 N: 38.8 N/s */
    near(r.rfd_0_100_N_per_s, 1000, 4 * sqrt(2) / 0.1);
    near(r.hold_cv, 1 / 450.0, 0.1 / 450);
    near(r.impulse_Ns, 100, 0.1);
}

/* After an explosive drive the force dips and comes back faster than it rose. */
static struct point dip(double t)
{
    double f = t < 2     ? 50
               : t < 2.3 ? 50 + 1000 * (t - 2)
               : t < 2.4 ? 350 - 2500 * (t - 2.3)
               : t < 2.5 ? 100 + 2000 * (t - 2.4)
                         : 300;
    return (struct point){f, NAN, NAN};
}
static void the_rise_after_the_dip_is_not_the_drive(void **state)
{
    (void)state;
    double rate_Hz = 1000;
    sample(dip, 4, rate_Hz, rate_Hz);
    near(measured((struct rep_times){2, 2.5, 3.5, 3.9, 2, 2.5, 50, NAN}).rfd_max_N_per_s, 1000, 1e-3);
}

/* A sine of 9 N and 4 Hz on 300 N: CV = 9 / sqrt(2) / 300. */
static struct point trembling(double t) { return (struct point){300 + 9 * sin(2 * PI * 4 * t), NAN, NAN}; }
static void a_sine_has_its_cv(void **state)
{
    (void)state;
    for (int i = 0; i < RATES; i++) {
        double rate_Hz = rates_Hz[i], n = 2 * rate_Hz + 1;
        sample(trembling, 5, rate_Hz, rate_Hz);
        struct plate_rep r = measured((struct rep_times){1.5, 2, 4, 4.5, 1.5, 2, 0, NAN});
        near(r.hold_force_N, 300, 1e-6);
        near(r.hold_cv, 9 / sqrt(2) / 300 * sqrt(n / (n - 1)), 1e-6);
        r = measured((struct rep_times){1.5, 2, 2 + 6.4 / rate_Hz, 4.5, 1.5, 2, 0, NAN});
        assert_true(isnan(r.hold_cv) && !isnan(r.hold_force_N)); /* 7 samples */
    }
}

/* A circle of 6 mm in a second, about (3, -20). Means over 50 ms of it lie on a circle that is smaller by a Dirichlet kernel.
 */
static struct point circling(double t) { return (struct point){400, 3 + 6 * cos(2 * PI * t), -20 + 6 * sin(2 * PI * t)}; }
static void a_circle_has_its_path_and_its_ellipse(void **state)
{
    (void)state;
    for (int i = 0; i < RATES; i++) {
        double rate_Hz = rates_Hz[i], m = fmax(1, floor(0.05 * rate_Hz + 0.5)), n = floor((3 * rate_Hz + 1) / m);
        if (fmod(3 * rate_Hz, m) != 0) continue; /* the means do not go round in whole turns */
        double turn = PI * m / rate_Hz, radius = 6 * sin(turn) / (m * sin(PI / rate_Hz)), over = n - 3 * rate_Hz / m;
        sample(circling, 5, rate_Hz, rate_Hz);
        struct plate_rep r = measured((struct rep_times){0.5, 1, 4, 4.5, 0.5, 1, 0, NAN});
        near(r.cop_path_mm, (n - 1) * 2 * radius * sin(turn), 1e-4);
        near(r.sway_rms_mm, radius, 1e-4 + over * radius / n);
        near(r.sway_area_mm2, PI * 5.991464547 * radius * radius / 2 * n / (n - 1),
             0.01 + over * 3 * PI * 6 * radius * radius / n);
        near(measured((struct rep_times){0, 0.5, 4, 4.5, 0, 0.5, 0, NAN}).cop_y_mm, -20, 1);
        r = measured((struct rep_times){0.5, 1, 1.16, 4.5, 0.5, 1, 0, NAN});
        assert_true(isnan(r.sway_rms_mm) && isnan(r.sway_area_mm2)); /* three means are no ellipse */
    }
}

/* x goes right by 20 mm/s in the drive, stands at 12 mm in the hold, and is at 500 mm in the lowering, which does not count. */
static struct point leaning(double t)
{
    double x = t < 1 ? 0 : t < 1.6 ? 20 * (t - 1) : t <= 3 ? 12 : 500;
    return (struct point){t < 1.6 ? 100 + 400 * t : 700, x, t <= 3 ? 2 * x : -500};
}
static void drift_is_that_of_the_drive(void **state)
{
    (void)state;
    for (int i = 0; i < RATES; i++) {
        double rate_Hz = rates_Hz[i];
        sample(leaning, 5, rate_Hz, rate_Hz);
        struct plate_rep r = measured((struct rep_times){1, 1.6, 3, 4, 1, 1.6, 0, NAN});
        if (0.6 * rate_Hz + 1 < 8) {
            assert_true(isnan(r.cop_drift_x_mm));
            continue;
        }
        near(r.cop_drift_x_mm, 12, 24 / rate_Hz);
        near(r.cop_x_mm, (6 * 0.6 + 12 * 1.4) / 2, 12 / rate_Hz);
        near(r.cop_y_mm, (12 * 0.6 + 24 * 1.4) / 2, 24 / rate_Hz);
        r = measured((struct rep_times){1, NAN, 3, 4, 1, NAN, 0, NAN}); /* drive and hold, wherever one became the other */
        assert_true(isnan(r.cop_drift_x_mm) && isnan(r.cop_path_mm) && !isnan(r.cop_x_mm));
    }
}

/* 300 N here; there 100 N in the drive (1 to 2 s), 300 N in the hold (2 to 4 s), unknown while it is lowered. */
static void the_share_is_that_of_both_feet(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RATES; i++) {
        double rate_Hz = rates_Hz[i];
        rep_history_init(past, rate_Hz, 0);
        for (uint64_t k = 0; (double)k / rate_Hz <= 6; k++) {
            double t = (double)k / rate_Hz;
            struct plate_rep_input in = {t, 300, 300, NAN, NAN, t < 4.05, t < 2 ? 100 : 300};
            rep_history_push(past, &in, in.Fz_N);
        }
        struct plate_rep r = measured((struct rep_times){1, 2, 4, 5, 1, 2, 0, NAN});
        double edge = 100 / rate_Hz; /* the sample at the step belongs to both */
        near(r.share_drive_pct, 75, edge);
        near(r.share_hold_pct, 50, edge);
        near(r.share_pct, 100 * 300 * 3.05 / (300 * 3.05 + 100 + 300 * 2.05), edge);
        assert_true(isnan(r.share_lower_pct));
    }
}

static void a_bridged_hole_is_a_straight_line(void **state)
{
    (void)state;
    double rate_Hz = 1000;
    for (int at = 2040; at <= 2360; at += 40) { /* 60 samples are missing, in the ramp */
        rep_history_init(past, rate_Hz, 0);
        for (int k = 0; k <= 7000; k++) {
            if (k == at) rep_history_hole(past, true);
            if (k >= at && k < at + 60) continue;
            struct point p = trapezoid(k / rate_Hz);
            push(k / rate_Hz, p, p.force_N);
        }
        struct plate_rep r = measured(trapezoid_times);
        if (at <= 2340)
            near(r.impulse_Ns, 100, 1e-9);
        else
            assert_true(isnan(r.impulse_Ns)); /* the drive ends in the hole */
        near(r.rfd_max_N_per_s, 1000, 1e-6);
        assert_true(isnan(r.rfd_0_50_N_per_s) == (at <= 2050 && at + 60 > 2050));
        assert_true(isnan(r.rfd_0_100_N_per_s) == (at <= 2100 && at + 60 > 2100));
    }
}

/* A step behind a hole is no rise; nor is anything before a hole that is not bridged. */
static void a_step_over_a_hole_is_no_rise(void **state)
{
    (void)state;
    double rate_Hz = 1000;
    for (int bridged = 0; bridged < 2; bridged++) {
        rep_history_init(past, rate_Hz, 0);
        for (int k = 0; k < 3000; k++) {
            if (k == 1500) rep_history_hole(past, bridged);
            struct point p = {k < 1500 ? 100 + 0.2 * k : 800 + 0.2 * k, NAN, NAN};
            push((k < 1500 ? k : k + 80) / rate_Hz, p, p.force_N);
        }
        struct plate_rep r = measured((struct rep_times){1, 2.5, 2.8, 3, 1, 2.5, 100, NAN});
        if (bridged)
            near(r.rfd_max_N_per_s, 200, 1e-3);
        else
            assert_true(isnan(r.rfd_max_N_per_s) && isnan(r.impulse_Ns) && isnan(r.peak_force_N) && !isnan(r.hold_force_N));
    }
}

static void a_rep_of_forty_seconds(void **state)
{
    (void)state;
    double rate_Hz = 1000;
    sample(trapezoid, 42, rate_Hz, rate_Hz);
    struct rep_times t = {2, 2.4, 4.4, 42, 2, 2.4, 50, NAN};
    near(measured(t).rfd_0_100_N_per_s, 1000, 1e-6);
    near(measured(t).impulse_Ns, 100, 1e-6);
    sample(trapezoid, 42, 2000, 2000); /* reaches back 32.8 s */
    struct plate_rep r = measured(t);
    assert_true(isnan(r.rfd_0_100_N_per_s) && isnan(r.rfd_max_N_per_s) && isnan(r.impulse_Ns) && isnan(r.peak_force_N) &&
                isnan(r.mean_force_N) && isnan(r.hold_force_N));
    near(r.tut_s, 40, 1e-9);
}

static void what_has_no_time_has_no_measure(void **state)
{
    (void)state;
    double rate_Hz = 500;
    sample(circling, 6, rate_Hz, rate_Hz);
    struct plate_rep r = measured((struct rep_times){1, NAN, NAN, 5, 1, NAN, 50, 0.5});
    assert_true(isnan(r.concentric_s) && isnan(r.hold_force_N) && isnan(r.hold_cv) && isnan(r.impulse_Ns) &&
                isnan(r.net_impulse_Ns) && isnan(r.cop_drift_x_mm) && isnan(r.cop_path_mm) && isnan(r.impact_pct));
    near(r.mean_force_N, 400, 1e-9);
    near(r.peak_force_N, 400, 1e-9);
    near(r.rest_before_s, 0.5, 1e-9);
    near(r.cop_x_mm, 3, 0.01);                                   /* four whole turns */
    r = measured((struct rep_times){1, 2, 2, 5, 1, 2, 50, NAN}); /* a hold of no length */
    assert_true(isnan(r.hold_force_N) && isnan(r.hold_cv) && !isnan(r.impulse_Ns));
}

static double jerk(double u) { return u <= 0 ? 0 : u >= 1 ? 1 : u * u * u * (10 + u * (-15 + 6 * u)); }
static double jerk_accel(double u) { return u > 0 && u < 1 ? 60 * u - 180 * u * u + 120 * u * u * u : 0; }
static double up_s;
/* Hips up by 0.3 m from 1.0 s on in `up_s`, held for a second, down in 1.5 s; the floor takes and gives the load in 0.1 s. */
static struct point thrust(double t)
{
    double down = 1 + up_s + 1, end = down + 1.5;
    double a = 0.3 * (jerk_accel((t - 1) / up_s) / (up_s * up_s) - jerk_accel((t - down) / 1.5) / 2.25);
    double lean = 0.8 + 0.2 * (jerk((t - 1) / up_s) - jerk((t - down) / 1.5));
    double carried = jerk((t - 1) / 0.1) * (1 - jerk((t - end + 0.1) / 0.1));
    return (struct point){60 + (330 * lean * (1 + a / 9.81) - 60) * carried, NAN, NAN};
}

static void the_peak_is_that_of_the_force(void **state)
{
    (void)state;
    for (up_s = 0.4; up_s < 1.5; up_s += 0.2) {
        double most = 0, peak_s = 0, end_s = 1 + up_s + 1 + 1.5;
        for (double t = 0; t < 6; t += 1e-4)
            if (thrust(t).force_N > most) most = thrust(t).force_N, peak_s = t;
        for (int i = up_s < 0.6 ? 5 : 3; i < RATES; i++) { /* at lower rates one reads the filter: docs/metrics.md */
            double rate_Hz = rates_Hz[i];
            struct plate_filter f;
            assert_int_equal(plate_filter_init(&f, 4, fmin(50, rate_Hz / 4), rate_Hz), 0);
            double delay_s = plate_filter_delay(&f) / rate_Hz;
            rep_history_init(past, rate_Hz, delay_s);
            for (int k = 0; k / rate_Hz < 6; k++) {
                struct point p = thrust(k / rate_Hz);
                push(k / rate_Hz, p, plate_filter_push(&f, p.force_N));
            }
            struct plate_rep r = measured((struct rep_times){1, 1 + up_s, 2 + up_s, end_s, 1, 1 + up_s, 60, NAN});
            near(r.peak_force_N, most, 0.005 * most);
            /* where the rep is cut off at its peak, the peak is still found: it comes out late */
            r = measured((struct rep_times){1, NAN, NAN, peak_s, 1, NAN, 60, NAN});
            near(r.peak_force_N, most, 0.01 * most);
        }
    }
}

/* Down first: the push ends with the drive, and the landing at 2.0 s is none of it. */
static struct point jump(double t)
{
    double f = t < 0.5 ? 700 : t < 0.9 ? 300 : t < 1.4 ? 1500 : t < 1.98 ? 0 : 3500;
    return (struct point){f, NAN, NAN};
}
static void a_landing_is_no_peak(void **state)
{
    (void)state;
    double rate_Hz = 1000;
    sample(jump, 3, rate_Hz, rate_Hz);
    struct plate_rep r = measured((struct rep_times){0.5, 1.399, 0.5, 2, 1.1, 1.399, 700, NAN});
    near(r.peak_force_N, 1500, 1e-3);
    near(r.impulse_Ns, 1500 * 0.299, 1e-6);
    near(r.net_impulse_Ns, 800 * 0.299, 1e-6);
    assert_true(isnan(r.rfd_0_100_N_per_s) && isnan(r.hold_force_N)); /* from onset the force falls */
}

/* Held at 300 N; touched down at 2.0 s, by way of `brake_N`, to `floor_N`; up again. */
static double brake_N, floor_N;
static struct point turn(double t)
{
    double f = t < 1.85 ? 240 : t < 1.95 ? brake_N : t < 2.08 ? floor_N : t < 2.5 ? 240 : 300;
    return (struct point){f, NAN, NAN};
}
static double impact(void)
{
    sample(turn, 5, 500, 500);
    return measured((struct rep_times){2.08, 2.6, 3.6, 4.5, 2.08, 2.6, 60, 2.0}).impact_pct;
}
static void the_floor_is_hit_or_touched(void **state)
{
    (void)state;
    double rate_Hz = 500;
    brake_N = 250, floor_N = 80;
    near(impact(), 100 * (250 - 80) / 300.0, 1e-3);
    brake_N = 390;
    near(impact(), 100 * (390 - 80) / 300.0, 1e-3);
    floor_N = 195; /* unloads only partly */
    near(impact(), 65, 1e-3);
    floor_N = 200; /* hips kept off the floor */
    assert_true(isnan(impact()));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trapezoid_has_its_area),
        cmocka_unit_test(a_ramp_has_its_slope_where_the_rate_bears_it),
        cmocka_unit_test(a_wrong_rate_does_not_tilt_a_slope),
        cmocka_unit_test(noise_has_no_rfd),
        cmocka_unit_test(the_rise_after_the_dip_is_not_the_drive),
        cmocka_unit_test(a_sine_has_its_cv),
        cmocka_unit_test(a_circle_has_its_path_and_its_ellipse),
        cmocka_unit_test(drift_is_that_of_the_drive),
        cmocka_unit_test(the_share_is_that_of_both_feet),
        cmocka_unit_test(a_bridged_hole_is_a_straight_line),
        cmocka_unit_test(a_step_over_a_hole_is_no_rise),
        cmocka_unit_test(a_rep_of_forty_seconds),
        cmocka_unit_test(what_has_no_time_has_no_measure),
        cmocka_unit_test(the_peak_is_that_of_the_force),
        cmocka_unit_test(a_landing_is_no_peak),
        cmocka_unit_test(the_floor_is_hit_or_touched),
    };
    return cmocka_run_group_tests(tests, make_past, drop_past);
}
