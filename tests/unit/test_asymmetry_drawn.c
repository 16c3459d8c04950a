/* What a verdict promises against drawn sessions; a shift of the load is dated; labels mean nothing. */
#include "asymmetry_run.h"

/* Pairs of plates, the left carrying 50 % and `shift` points less from the seventh rep on; the last row of its share. */
static struct plate_asymmetry two_plates(double shift_pct, double sd_pct, int reps, bool *ret_ever)
{
    struct plate_limbs *l = start(10, "");
    l->mode = PLATE_BILATERAL;
    struct plate_asymmetry a = {.shift_s = NAN};
    for (int i = 0; i < reps; i++) {
        double left_pct = 50 + sd_pct * gauss() - (i >= 6 ? shift_pct : 0);
        for (int side = PLATE_SIDE_LEFT; side <= PLATE_SIDE_RIGHT; side++) {
            struct plate_rep rep = blank((enum plate_side)side, 1);
            rep.onset_s = 5 * i + 0.01 * side;
            set_metric(&rep, "mean_force_N", 8 * (side == PLATE_SIDE_LEFT ? left_pct : 100 - left_pct));
            plate_limbs_push(l, &rep);
        }
        a = row_of(l, "mean_force_N");
        if (!isnan(a.shift_s)) *ret_ever = true;
    }
    return a;
}

static void a_shift_of_the_load_is_dated(void **state)
{
    (void)state;
    rng_state = 99;
    int found = 0, false_alarms = 0;
    bool ever = false;
    struct plate_asymmetry a = two_plates(8, 0, 12, &ever);
    near(a.shift_s, 30.01, 1e-12);
    near(a.shift_pct, -8, 1e-9);
    assert_true(isnan(two_plates(0.9, 0, 12, &ever).shift_s)); /* too small to be told */
    for (int k = 0; k < 400; k++) {
        found += fabs(two_plates(8, 1, 12, &ever).shift_s - 30.01) < 0.001;
        ever = false;
        two_plates(0, 2, 20, &ever);
        false_alarms += ever;
    }
    if (found < 380 || false_alarms > 20) fail_msg("seed 99: %d of 400 dated, %d of 400 false", found, false_alarms);
}

/* A session of random size with holes, its labels as told or swapped, its forces times `scale`. */
static unsigned random_session(uint64_t seed, bool swap, double scale, struct plate_asymmetry row[PLATE_METRICS])
{
    rng_state = seed;
    struct plate_limbs *l = start(1 + 20 * uniform(), "");
    int sets = 1 + (int)(4 * uniform());
    for (int set = 0; set < sets; set++) {
        bool right = (set % 2 == 1) != swap;
        int reps = (int)(9 * uniform());
        for (int i = 0; i < reps; i++) {
            struct plate_rep rep = blank(right ? PLATE_SIDE_RIGHT : PLATE_SIDE_LEFT, set);
            for (const struct plate_metric *m = plate_metrics; m->name; m++) {
                double v = exp(0.3 * gauss()) * (set % 2 ? 0.8 : 1);
                set_metric(&rep, m->name, uniform() < 0.1 ? NAN : scale * v);
            }
            plate_limbs_push(l, &rep);
        }
    }
    return plate_limbs_compare(l, row);
}

static bool mirrored(double a, double b) { return (isnan(a) && isnan(b)) || a == -b; }
static bool same(double a, double b) { return (isnan(a) && isnan(b)) || a == b; }

static void swapping_labels_swaps_everything(void **state)
{
    (void)state;
    const uint64_t seed = 20260101;
    print_message("seed %llu\n", (unsigned long long)seed);
    static const int swapped[] = {PLATE_UNDETERMINED, PLATE_SYMMETRIC, PLATE_RIGHT_WEAKER, PLATE_LEFT_WEAKER};
    unsigned with_interval = 0;
    for (uint64_t k = 0; k < 2000; k++) {
        struct plate_asymmetry a[PLATE_METRICS], b[PLATE_METRICS], c[PLATE_METRICS], d[PLATE_METRICS];
        unsigned n = random_session(seed + k, false, 1, a);
        assert_int_equal(random_session(seed + k, true, 1, b), n);
        assert_int_equal(random_session(seed + k, false, 0x1p-40, c), n);
        assert_int_equal(random_session(seed + k, false, 4.4482216152605, d), n);
        for (unsigned i = 0; i < n; i++) {
            assert_string_equal(a[i].metric, b[i].metric);
            assert_true(mirrored(a[i].value_pct, b[i].value_pct));
            assert_true(mirrored(a[i].ci95_low_pct, b[i].ci95_high_pct) && mirrored(a[i].ci95_high_pct, b[i].ci95_low_pct));
            assert_true(same(a[i].left_mean, b[i].right_mean) && same(a[i].cv_left_pct, b[i].cv_right_pct));
            assert_true(a[i].n_left == b[i].n_right && a[i].n_right == b[i].n_left);
            assert_true(same(a[i].dropoff_left_pct, b[i].dropoff_right_pct) && a[i].counterbalanced == b[i].counterbalanced);
            assert_true(mirrored(a[i].dropoff_difference_pct, b[i].dropoff_difference_pct));
            assert_int_equal(b[i].verdict, swapped[a[i].verdict]);
            /* Units do not matter: to the bit where the factor is a power of two, else to the rounding of the forces. */
            assert_true(same(a[i].value_pct, c[i].value_pct) && same(a[i].cv_left_pct, c[i].cv_left_pct));
            assert_true(same(a[i].ci95_low_pct, c[i].ci95_low_pct) && same(a[i].ci95_high_pct, c[i].ci95_high_pct));
            assert_true(same(a[i].dropoff_left_pct, c[i].dropoff_left_pct));
            if (!isnan(a[i].ci95_low_pct)) near(d[i].ci95_low_pct, a[i].ci95_low_pct, 1e-9), with_interval++;
            assert_true(c[i].verdict == a[i].verdict && d[i].verdict == a[i].verdict);
            if (!isnan(a[i].ci95_low_pct))
                assert_true(a[i].ci95_low_pct <= a[i].value_pct && a[i].value_pct <= a[i].ci95_high_pct);
        }
    }
    assert_true(with_interval > 1000);
}

/* Every quantile that can be asked for: GSL aborts the process where it finds none. */
static void every_look_has_a_quantile(void **state)
{
    (void)state;
    for (double noise = 1e-4; noise < 100; noise *= 10) {
        struct plate_limbs *l = start(10, "");
        for (int i = 0; i < PLATE_LIMB_REPS; i++) {
            push(l, PLATE_SIDE_LEFT, 1, "peak_force_N", i % 2 ? 1 : 1 + noise);
            push(l, PLATE_SIDE_RIGHT, 2, "peak_force_N", 1);
            struct plate_asymmetry a = row_of(l, "peak_force_N");
            if (i >= 2 && !(a.ci95_low_pct < a.ci95_high_pct)) fail_msg("no interval at look %d, noise %g", i + 1, noise);
        }
    }
}

/* What became of sessions that were looked at after every pair: a share of them, each verdict counted once a session. */
struct shares {
    double ever[4], last[4], covered;
};
static struct shares simulate(unsigned sets, unsigned reps, double true_pct, double cv, double set_sd, int sessions)
{
    struct shares s = {0};
    for (int k = 0; k < sessions; k++) {
        struct plate_limbs *l = start(10, "");
        l->cfg.planned_sets = sets, l->cfg.planned_reps = reps;
        bool ever[4] = {false}, covered = true;
        int verdict = 0;
        for (unsigned set = 0; set < sets; set++) {
            double left = 400 * (1 + true_pct / 100) * (1 + set_sd * gauss()), right = 400 * (1 + set_sd * gauss());
            for (unsigned i = 0; i < reps; i++) {
                double tired = pow(0.98, i);
                push(l, PLATE_SIDE_LEFT, (int)(2 * set), "peak_force_N", left * tired * (1 + cv * gauss()));
                push(l, PLATE_SIDE_RIGHT, (int)(2 * set + 1), "peak_force_N", right * tired * (1 + cv * gauss()));
                struct plate_asymmetry a = row_of(l, "peak_force_N");
                verdict = a.verdict;
                ever[verdict] = true;
                if (a.ci95_low_pct > true_pct || a.ci95_high_pct < true_pct) covered = false;
            }
        }
        s.last[verdict] += 1.0 / sessions;
        s.covered += (covered ? 1.0 : 0) / sessions;
        for (int v = 0; v < 4; v++) s.ever[v] += (ever[v] ? 1.0 : 0) / sessions;
    }
    return s;
}

/* scripts/bench-asymmetry is the thorough one; the limits here leave three standard errors to a sample of this size. */
static void looking_does_not_inflate_false_alarms(void **state)
{
    (void)state;
    rng_state = 4711;
    print_message("seed %llu\n", (unsigned long long)rng_state);
    struct shares line = simulate(1, 10, -10, 0.05, 0.03, 800); /* truly on the line: neither side of it may be claimed */
    assert_true(line.ever[PLATE_LEFT_WEAKER] <= 0.07 && line.ever[PLATE_SYMMETRIC] <= 0.07);
    assert_true(line.ever[PLATE_RIGHT_WEAKER] == 0 && line.covered >= 0.93);
    struct shares none = simulate(2, 5, 0, 0.05, 0.03, 800);
    assert_true(none.ever[PLATE_LEFT_WEAKER] + none.ever[PLATE_RIGHT_WEAKER] <= 0.02 && none.covered >= 0.93);
    /* And it does speak. */
    assert_true(simulate(1, 10, -20, 0.05, 0.01, 400).ever[PLATE_LEFT_WEAKER] > 0.75);
    assert_true(simulate(1, 10, -25, 0.05, 0.01, 200).last[PLATE_LEFT_WEAKER] > 0.95);
    assert_true(simulate(3, 10, 0, 0.03, 0.01, 200).last[PLATE_SYMMETRIC] > 0.95);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shift_of_the_load_is_dated),
        cmocka_unit_test(swapping_labels_swaps_everything),
        cmocka_unit_test(every_look_has_a_quantile),
        cmocka_unit_test(looking_does_not_inflate_false_alarms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
