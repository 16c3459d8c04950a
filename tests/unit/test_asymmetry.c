/* Indices against worked examples, the interval against scipy, and what is compared with what. */
#include "asymmetry_run.h"
#include <errno.h>

static void indices_by_hand(void **state)
{
    (void)state;
    near(plate_percentage_difference(80, 100), -20, 1e-12);
    near(plate_percentage_difference(100, 80), 20, 1e-12);
    assert_true(plate_percentage_difference(70, 70) == 0);
    near(plate_limb_symmetry_index(80, 100, PLATE_SIDE_NONE), 125, 1e-12);
    near(plate_limb_symmetry_index(80, 100, PLATE_SIDE_RIGHT), 125, 1e-12);
    near(plate_limb_symmetry_index(80, 100, PLATE_SIDE_LEFT), 80, 1e-12);
    near(plate_symmetry_index(80, 100), 100 * 20.0 / 90, 1e-12);
    near(plate_symmetry_angle(80, 100), 7.0446574955, 1e-9); /* atan(0.8) = 38.6598082541 degrees */
    near(plate_symmetry_angle(100, 80), -7.0446574955, 1e-9);
    near(plate_symmetry_angle(1e-9, 1), 50, 1e-6);
    near(plate_bilateral_index(1710, 900, 1000), -10, 1e-12);
    assert_true(isnan(plate_percentage_difference(0, 1)) && isnan(plate_percentage_difference(1, -1)));
    assert_true(isnan(plate_limb_symmetry_index(1, NAN, PLATE_SIDE_NONE)) && isnan(plate_symmetry_index(INFINITY, 1)));
    assert_true(isnan(plate_symmetry_angle(0, 0)) && isnan(plate_bilateral_index(0, 1, 1)));
}

static void bad_configurations_are_refused(void **state)
{
    (void)state;
    struct plate_limbs l = {.mode = PLATE_BILATERAL};
    const struct plate_asymmetry_config bad[] = {
        {.threshold_pct = -1}, {.threshold_pct = 100},        {.threshold_pct = NAN},
        {.primary = "beauty"}, {.involved = PLATE_SIDE_BOTH}, {.involved = (enum plate_side)7},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) assert_int_equal(plate_limbs_init(&l, &bad[i]), -EINVAL);
    struct plate_asymmetry_config unterminated = {.threshold_pct = 10};
    memset(unterminated.primary, 'x', sizeof unterminated.primary);
    assert_int_equal(plate_limbs_init(&l, &unterminated), -EINVAL);
    assert_int_equal(l.mode, PLATE_BILATERAL); /* untouched */
    assert_int_equal(plate_limbs_init(&l, &(struct plate_asymmetry_config){0}), 0);
    near(l.cfg.threshold_pct, 10, 0);
}

/* Ends computed with numpy and scipy: least squares for the line, scipy.stats.t and norm for the quantiles. */
static void interval_agrees_with_scipy(void **state)
{
    (void)state;
    const double left[] = {412, 405, 398, 421, 409, 401, 415, 407}, right[] = {468, 455, 472, 461, 449, 470, 458, 463};
    static const struct {
        unsigned planned_sets, planned_reps, first_set;
        double low_pct, high_pct;
    } c[] = {
        {0, 0, 8, -20.466406771274, -3.665083601396},
        {2, 4, 4, -18.061980821457, -5.962190942284},
        {1, 6, 5, -19.462442875655, -4.110461087666}, /* beyond the plan, sets of 5 and 3 */
    };
    for (size_t k = 0; k < sizeof c / sizeof c[0]; k++) {
        struct plate_limbs *l = start(5, "");
        l->cfg.planned_sets = c[k].planned_sets, l->cfg.planned_reps = c[k].planned_reps;
        for (unsigned i = 0; i < 8; i++) push(l, PLATE_SIDE_LEFT, i < c[k].first_set ? 1 : 3, "peak_force_N", left[i]);
        for (unsigned i = 0; i < 8; i++) push(l, PLATE_SIDE_RIGHT, i < c[k].first_set ? 2 : 4, "peak_force_N", right[i]);
        struct plate_asymmetry a = row_of(l, "peak_force_N");
        near(a.ci95_low_pct, c[k].low_pct, 1e-8);
        near(a.ci95_high_pct, c[k].high_pct, 1e-8);
        near(a.left_mean, 408.5, 1e-12);
        near(a.right_mean, 462, 1e-12);
        near(a.value_pct, -11.58008658008658, 1e-9);
        near(a.cv_left_pct, 1.831900801358111, 1e-9);
        near(a.cv_right_pct, 1.708253224110468, 1e-9);
        near(a.limb_symmetry_index_pct, 100 * 462 / 408.5, 1e-9);
        assert_int_equal(a.verdict, c[k].high_pct < -5 ? PLATE_LEFT_WEAKER : PLATE_UNDETERMINED);
        assert_string_equal(a.index, "percentage_difference");
        assert_int_equal(a.direction, 1);
        assert_int_equal(a.n_left, 8);
    }
}

/* Fatigue that both limbs share is no spread: what is left is the sets' own effect, 1.95 and 2.40 times 3 % times sqrt(2). */
static void shared_fatigue_costs_no_width(void **state)
{
    (void)state;
    struct plate_limbs *l = start(10, "");
    for (int i = 0; i < 10; i++) push(l, PLATE_SIDE_LEFT, 1, "peak_force_N", 320 - 6.4 * i);
    for (int i = 0; i < 10; i++) push(l, PLATE_SIDE_RIGHT, 2, "peak_force_N", 400 - 8 * i);
    struct plate_asymmetry a = row_of(l, "peak_force_N");
    near(a.ci95_high_pct, -100 * (1 - 0.8 * exp(1.95 * 0.03 * sqrt(2))), 1e-9);
    near(a.ci95_low_pct, -100 * (1 - 0.8 * exp(-2.40 * 0.03 * sqrt(2))), 1e-9);
    near(a.dropoff_left_pct, 18, 1e-9);
    near(a.dropoff_right_pct, 18, 1e-9);
    near(a.dropoff_difference_pct, 0, 1e-9);
}

static void dropoff_is_the_loss_of_the_line(void **state)
{
    (void)state;
    static const double drive_s[2][5] = {{0.8, 0.82, 0.84, 0.86, 0.88}, {0.8, 0.84, 0.88, 0.92, 0.96}};
    struct plate_limbs *l = start(10, "");
    for (int set = 1; set <= 4; set++) /* the left's second set gets no slower */
        for (int i = 0; i < (set > 2 ? 4 : 5); i++)
            push(l, set % 2 ? PLATE_SIDE_LEFT : PLATE_SIDE_RIGHT, set, "concentric_s",
                 set == 3 ? 0.8 : drive_s[set % 2 == 0][i]);
    struct plate_asymmetry a = row_of(l, "concentric_s");
    near(a.dropoff_left_pct, (10 + 0) / 2.0, 1e-9); /* slower is weaker: 0.80 to 0.88 s is a loss */
    near(a.dropoff_right_pct, (20 + 15) / 2.0, 1e-9);
    near(a.dropoff_difference_pct, 12.5, 1e-9); /* the right tires more */
    l = start(10, "");
    for (int i = 0; i < 2; i++) {
        push(l, PLATE_SIDE_LEFT, 1, "concentric_s", 0.8);
        push(l, PLATE_SIDE_RIGHT, 2, "concentric_s", 0.8);
    }
    assert_true(isnan(row_of(l, "concentric_s").dropoff_left_pct)); /* no line through two reps */
}

static void order_is_counterbalanced_or_not(void **state)
{
    (void)state;
    static const struct {
        const char *order;
        bool counterbalanced;
    } c[] = {{"LR", false},    {"LRLR", false},     {"LRRL", true}, {"RLLRLR", true},
             {"LRLRRL", true}, {"LRLRLRRL", false}, {"LRR", false}};
    for (size_t k = 0; k < sizeof c / sizeof c[0]; k++) {
        struct plate_limbs *l = start(10, "");
        for (int set = 0; c[k].order[set]; set++)
            for (int i = 0; i < 3; i++)
                push(l, c[k].order[set] == 'L' ? PLATE_SIDE_LEFT : PLATE_SIDE_RIGHT, set, "peak_force_N", 100);
        if (row_of(l, "peak_force_N").counterbalanced != c[k].counterbalanced) fail_msg("%s", c[k].order);
    }
    struct plate_limbs *l = start(10, "");
    for (int i = 0; i < 3; i++) { /* at once: no order */
        push(l, PLATE_SIDE_LEFT, 1, "peak_force_N", 100);
        push(l, PLATE_SIDE_RIGHT, 1, "peak_force_N", 100);
    }
    assert_true(row_of(l, "peak_force_N").counterbalanced);
}

static void reps_are_matched_by_number(void **state)
{
    (void)state;
    struct plate_limbs *l = start(10, "");
    for (int i = 0; i < 10; i++) push(l, PLATE_SIDE_LEFT, 1, "peak_force_N", 500 * pow(0.98, i));
    for (int i = 0; i < 4; i++) {
        push(l, PLATE_SIDE_RIGHT, 2, "peak_force_N", 500 * pow(0.98, i));
        struct plate_asymmetry a = row_of(l, "peak_force_N");
        assert_true(a.value_pct == 0); /* a finished left set against a fresh right one would read +8 % */
        assert_int_equal(a.n_left, 10);
        assert_int_equal(a.n_right, i + 1);
    }
    /* The left's reps 5 to 10 have no partner: its second set stands against the right's second. */
    for (int i = 0; i < 3; i++) push(l, PLATE_SIDE_LEFT, 3, "peak_force_N", 450 * pow(0.98, i));
    for (int i = 0; i < 3; i++) push(l, PLATE_SIDE_RIGHT, 4, "peak_force_N", 450 * pow(0.98, i));
    struct plate_asymmetry a = row_of(l, "peak_force_N");
    assert_true(a.value_pct == 0);
    near(a.left_mean, (500 * (1 + 0.98 + 0.98 * 0.98 + pow(0.98, 3)) + 450 * (1 + 0.98 + 0.98 * 0.98)) / 7, 1e-9);
}

static void a_missing_number_leaves_its_pair_out(void **state)
{
    (void)state;
    struct plate_limbs *l = start(10, "");
    const double left[] = {100, NAN, 120, 130}, right[] = {100, 500, 120, INFINITY};
    for (int i = 0; i < 4; i++) push(l, PLATE_SIDE_LEFT, 1, "rfd_max_N_per_s", left[i]);
    for (int i = 0; i < 4; i++) push(l, PLATE_SIDE_RIGHT, 2, "rfd_max_N_per_s", right[i]);
    struct plate_asymmetry a = row_of(l, "rfd_max_N_per_s");
    assert_true(a.value_pct == 0 && a.left_mean == 110 && a.right_mean == 110);
    assert_int_equal(a.n_left, 3);
    assert_int_equal(a.n_right, 3);
    assert_true(isnan(a.ci95_low_pct) && isnan(a.ci95_high_pct)); /* two matched reps */
    assert_int_equal(a.verdict, PLATE_UNDETERMINED);
}

static void who_is_not_compared(void **state)
{
    (void)state;
    struct plate_limbs *l = start(10, "");
    struct plate_asymmetry row[PLATE_METRICS];
    push(l, PLATE_SIDE_LEFT, 1, "peak_force_N", 100);
    push(l, PLATE_SIDE_NONE, 1, "peak_force_N", 100);
    push(l, PLATE_SIDE_BOTH, 1, "peak_force_N", 100);
    struct plate_rep warm = blank(PLATE_SIDE_RIGHT, 2);
    warm.warmup = 1;
    set_metric(&warm, "peak_force_N", 50);
    plate_limbs_push(l, &warm);
    assert_int_equal(plate_limbs_compare(l, row), 0);
    push(l, PLATE_SIDE_RIGHT, 3, "peak_force_N", 80);
    push(l, PLATE_SIDE_RIGHT, 3, "concentric_s", 1);
    assert_int_equal(plate_limbs_compare(l, row), 1);
    assert_int_equal(row[0].primary, 0); /* no drive time on the left, so none speaks for the session */
    near(row[0].value_pct, 20, 1e-12);
}

static void direction_and_verdict(void **state)
{
    (void)state;
    static const struct {
        const char *metric;
        enum plate_mode mode;
        double left, right, value_pct;
        enum plate_verdict_lr verdict;
    } c[] = {
        {"peak_force_N", PLATE_UNILATERAL_DYNAMIC, 70, 100, -30, PLATE_LEFT_WEAKER},
        {"peak_force_N", PLATE_UNILATERAL_DYNAMIC, 100, 70, 30, PLATE_RIGHT_WEAKER},
        {"peak_force_N", PLATE_UNILATERAL_DYNAMIC, 100, 100, 0, PLATE_SYMMETRIC},
        {"peak_force_N", PLATE_UNILATERAL_DYNAMIC, 90, 100, -10, PLATE_UNDETERMINED},
        {"concentric_s", PLATE_UNILATERAL_DYNAMIC, 1.0, 0.7, -30, PLATE_LEFT_WEAKER},
        {"hold_cv", PLATE_UNILATERAL_DYNAMIC, 0.014, 0.02, 30, PLATE_RIGHT_WEAKER},
        {"cop_y_mm", PLATE_UNILATERAL_DYNAMIC, 70, 100, -30, PLATE_UNDETERMINED},
        {"cop_y_mm", PLATE_UNILATERAL_DYNAMIC, -70, 100, NAN, PLATE_UNDETERMINED},
        {"impulse_Ns", PLATE_UNILATERAL_DYNAMIC, 70, 100, -30, PLATE_UNDETERMINED},
        {"net_impulse_Ns", PLATE_UNILATERAL_DYNAMIC, 70, 100, -30, PLATE_UNDETERMINED},
        {"net_impulse_Ns", PLATE_BILATERAL, 70, 100, -30, PLATE_LEFT_WEAKER},
    };
    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
        struct plate_limbs *l = start(10, "");
        l->mode = c[i].mode;
        for (int k = 0; k < 8; k++) {
            push(l, PLATE_SIDE_LEFT, 1, c[i].metric, c[i].left * (1 + 0.01 * (k % 3 - 1)));
            push(l, PLATE_SIDE_RIGHT, 2, c[i].metric, c[i].right * (1 + 0.01 * (k % 3 - 1)));
            struct plate_asymmetry a = row_of(l, c[i].metric);
            if (k < 2 && (a.verdict || !isnan(a.ci95_low_pct) || !isnan(a.ci95_high_pct)))
                fail_msg("%s: a verdict or an interval from %d reps", c[i].metric, k + 1);
        }
        struct plate_asymmetry a = row_of(l, c[i].metric);
        if (isnan(c[i].value_pct))
            assert_true(isnan(a.value_pct) && isnan(a.ci95_low_pct));
        else
            near(a.value_pct, c[i].value_pct, 1e-9);
        if (a.verdict != (int)c[i].verdict)
            fail_msg("%s %zu: %s", c[i].metric, i, plate_verdict_name((enum plate_verdict_lr)a.verdict));
    }
}

static void the_primary_row_comes_first(void **state)
{
    (void)state;
    static const struct {
        const char *exercise, *wanted;
        bool two_plates;
        const char *primary, *mode;
    } c[] = {
        {"single_leg_hip_thrust", "", false, "concentric_s", "unilateral_dynamic"},
        {"isometric", "", false, "peak_force_N", "unilateral_isometric"},
        {"squat_jump", "", true, "mean_force_N", "bilateral"},
        {"isometric", "", true, "mean_force_N", "bilateral"},
        {"isometric", "rfd_max_N_per_s", false, "rfd_max_N_per_s", "unilateral_isometric"},
    };
    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
        struct plate_limbs *l = start(10, c[i].wanted);
        if (c[i].two_plates) l->mode = PLATE_BILATERAL;
        for (int side = PLATE_SIDE_LEFT; side <= PLATE_SIDE_RIGHT; side++) {
            struct plate_rep rep = blank((enum plate_side)side, 1);
            snprintf(rep.exercise, sizeof rep.exercise, "%s", c[i].exercise);
            for (const struct plate_metric *m = plate_metrics; m->name; m++) set_metric(&rep, m->name, 1);
            plate_limbs_push(l, &rep);
        }
        struct plate_asymmetry row[PLATE_METRICS];
        assert_int_equal(plate_limbs_compare(l, row), PLATE_METRICS);
        assert_string_equal(row[0].metric, c[i].primary);
        assert_string_equal(plate_mode_name((enum plate_mode)row[0].mode), c[i].mode);
        for (unsigned k = 0; k < PLATE_METRICS; k++) {
            assert_int_equal(row[k].primary, k == 0);
            for (unsigned j = 0; j < k; j++) assert_string_not_equal(row[j].metric, row[k].metric);
        }
    }
}

static void too_many_reps_are_counted(void **state)
{
    (void)state;
    struct plate_limbs *l = start(10, "");
    for (int i = 0; i < 300; i++) push(l, PLATE_SIDE_LEFT, i / 7, "peak_force_N", 100 + i % 5);
    for (int i = 0; i < 290; i++) push(l, PLATE_SIDE_RIGHT, i / 7, "peak_force_N", 100 + i % 5);
    struct plate_asymmetry a = row_of(l, "peak_force_N");
    assert_int_equal(a.n_left, 300);
    assert_int_equal(a.n_right, 290);
    assert_true(a.value_pct == 0);
    assert_int_equal(a.verdict, PLATE_SYMMETRIC);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(indices_by_hand),
        cmocka_unit_test(bad_configurations_are_refused),
        cmocka_unit_test(interval_agrees_with_scipy),
        cmocka_unit_test(shared_fatigue_costs_no_width),
        cmocka_unit_test(dropoff_is_the_loss_of_the_line),
        cmocka_unit_test(order_is_counterbalanced_or_not),
        cmocka_unit_test(reps_are_matched_by_number),
        cmocka_unit_test(a_missing_number_leaves_its_pair_out),
        cmocka_unit_test(who_is_not_compared),
        cmocka_unit_test(direction_and_verdict),
        cmocka_unit_test(the_primary_row_comes_first),
        cmocka_unit_test(too_many_reps_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
