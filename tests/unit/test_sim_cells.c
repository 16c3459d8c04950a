/* Sides and cells of the simulator: which foot carries what, and what the cells make of it. */
#include "plate/calibrate.h"
#include "sim_run.h"
#include "sim_sensor.h"
#include <errno.h>

static void test_weaker_side(void **state)
{
    (void)state;
    double drive_s[2] = {0}, push_N[2] = {0}, share_N[2] = {0};
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sim_body_config c[3] = {config("single_leg_hip_thrust", seed), config("isometric", seed),
                                       config("barbell_hip_thrust", seed)};
        for (unsigned k = 0; k < 3; k++) {
            c[k].weaker = PLATE_SIDE_LEFT;
            c[k].weaker_pct = 20;
            c[k].wander_pct = 0;
            struct sim_body *b = body(&c[k]);
            for (unsigned i = 0; i < sim_body_reps(b); i++)
                for (unsigned side = 0; side < 2; side++) {
                    struct sim_truth t;
                    if (!sim_body_truth(b, i, side ? PLATE_SIDE_RIGHT : PLATE_SIDE_LEFT, &t)) continue;
                    if (k == 0)
                        drive_s[side] += t.top_s - t.onset_s;
                    else
                        (k == 1 ? push_N : share_N)[side] += t.peak_N;
                }
            sim_body_free(b);
        }
    }
    assert_true(fabs(1 - drive_s[1] / drive_s[0] - 0.20) < 0.02);
    assert_true(fabs(1 - push_N[0] / push_N[1] - 0.18) < 0.03); /* the leg's weight under the foot is not weaker */
    assert_true(fabs(1 - share_N[0] / share_N[1] - 0.20) < 0.01);
}

static void test_share_wanders(void **state)
{
    (void)state;
    struct sim_body_config c = config("squat", SEED);
    double low = 1, high = 0;
    c.wander_pct = 3;
    struct sim_body *b = body(&c);
    for (double t = 3; t < sim_body_duration_s(b) - 3; t += 0.01) {
        double left = foot_N(b, PLATE_SIDE_LEFT, t), share = left / (left + foot_N(b, PLATE_SIDE_RIGHT, t));
        assert_true(fabs(left + foot_N(b, PLATE_SIDE_RIGHT, t) - foot_N(b, PLATE_SIDE_BOTH, t)) < 1e-9);
        low = fmin(low, share);
        high = fmax(high, share);
    }
    assert_true(high - low > 0.02 && low > 0.465 && high < 0.535);
    sim_body_free(b);
}

static void test_empty_plate_and_feet(void **state)
{
    (void)state;
    struct sim_body_config c = config("single_leg_hip_thrust", 3);
    struct sim_body *b = body(&c);
    struct sim_truth last, first;
    assert_true(foot_N(b, PLATE_SIDE_BOTH, 0.5) == 0);
    assert_true(foot_N(b, PLATE_SIDE_BOTH, sim_body_duration_s(b) - 0.5) == 0);
    assert_true(sim_body_truth(b, 2, PLATE_SIDE_BOTH, &last) && sim_body_truth(b, 3, PLATE_SIDE_BOTH, &first));
    assert_false(sim_body_truth(b, 2, PLATE_SIDE_RIGHT, &last));
    assert_int_equal(last.side, PLATE_SIDE_LEFT);
    assert_int_equal(first.side, PLATE_SIDE_RIGHT);
    unsigned empty = 0;
    for (double t = last.end_s; t < first.onset_s; t += 0.01) empty += foot_N(b, PLATE_SIDE_BOTH, t) == 0;
    assert_in_range(empty, 195, 205);
    assert_true(foot_N(b, PLATE_SIDE_RIGHT, last.top_s + 0.1) == 0 && foot_N(b, PLATE_SIDE_LEFT, first.top_s + 0.1) == 0);
    sim_body_free(b);
}

static void test_center_goes_where_it_is_sent(void **state)
{
    (void)state;
    struct sim_force usual[2], sent[2];
    for (unsigned k = 0; k < 2; k++) {
        struct sim_body_config c = config("single_leg_hip_thrust", SEED);
        if (k) c.toe_bias_mm = 40, c.medial_drift_mm = 15;
        struct sim_body *b = body(&c);
        for (unsigned set = 0; set < 2; set++) {
            struct sim_truth t;
            assert_true(sim_body_truth(b, 3 * set, PLATE_SIDE_BOTH, &t));
            (k ? sent : usual)[set] = force(b, PLATE_SIDE_BOTH, t.descent_s);
        }
        sim_body_free(b);
    }
    assert_true(fabs(sent[0].cop_y_mm - usual[0].cop_y_mm - 40) < 1e-9);
    assert_true(fabs(sent[0].cop_x_mm - usual[0].cop_x_mm - 15) < 0.1); /* the left foot's inner edge is to the right */
    assert_true(fabs(sent[1].cop_x_mm - usual[1].cop_x_mm + 15) < 0.1);
}

/* ---- the cells ---- */

static void test_cells_give_the_center_back(void **state)
{
    (void)state;
    static const double corner[4][2] = {{-1, 1}, {1, 1}, {-1, -1}, {1, -1}};
    struct sim_force f = {.foot_N = 400, .cop_x_mm = 23, .cop_y_mm = -61};
    struct sim_sensor_config c = {.cells = 4, .rate_Hz = 1000};
    struct sim_sensor s;
    struct plate_calibration cal;
    struct plate_cell cell[4] = {0};
    struct plate_geometry g;
    struct plate_force got;
    int32_t counts[4];
    for (unsigned i = 0; i < 4; i++) {
        snprintf(cell[i].name, sizeof cell[i].name, "c%u", i);
        cell[i].x_mm = corner[i][0] * SIM_WIDTH_MM / 2;
        cell[i].y_mm = corner[i][1] * SIM_LENGTH_MM / 2;
    }
    assert_int_equal(sim_sensor_init(&s, &c, 1, 0), 0);
    sim_sensor_read(&s, &f, 100, counts);
    plate_calibration_identity(&cal, 4, SIM_COUNT_N);
    plate_geometry_init(&g, cell, 4);
    plate_calibrate(&cal, &g, counts, &got);
    assert_true(fabs(got.Fz_N - 400) < 0.03);
    assert_true(fabs(got.cop_x_mm - 23) < 0.05 && fabs(got.cop_y_mm + 61) < 0.05);
}

struct seen {
    double mean_N, sd_N, least_N, most_N;
    unsigned far, lost, holes;
};
/* A minute of an empty plate at 1 kHz; t_s is that of the body. */
static struct seen watch(const struct sim_sensor_config *c)
{
    enum { N = 60000 };
    struct sim_sensor s;
    struct sim_force none = {0};
    struct seen seen = {.least_N = 1e9, .most_N = -1e9};
    double sum = 0, square = 0;
    bool gone = false;
    assert_int_equal(sim_sensor_init(&s, c, SEED, 0), 0);
    for (uint64_t k = 0; k < N; k++) {
        int32_t counts[4];
        double force_N = 0;
        bool lost = sim_sensor_lost(&s, k);
        sim_sensor_read(&s, &none, sim_sensor_t_s(&s, k), counts);
        for (unsigned i = 0; i < c->cells; i++) force_N += counts[i] * SIM_COUNT_N;
        sum += force_N;
        square += force_N * force_N;
        seen.least_N = fmin(seen.least_N, force_N);
        seen.most_N = fmax(seen.most_N, force_N);
        seen.far += fabs(force_N) > 20;
        seen.lost += lost;
        seen.holes += lost && !gone;
        gone = lost;
    }
    seen.mean_N = sum / N;
    seen.sd_N = sqrt(square / N - seen.mean_N * seen.mean_N);
    return seen;
}

static void test_faults(void **state)
{
    (void)state;
    struct sim_sensor_config plain = {.cells = 4, .rate_Hz = 1000}, c = plain;
    struct seen s = watch(&c);
    assert_true(s.mean_N == 0 && s.sd_N == 0 && s.lost == 0);
    c.noise_N = 1;
    s = watch(&c);
    assert_true(fabs(s.sd_N - 1) < 0.02);
    c = plain, c.tare_error_N = -7;
    s = watch(&c);
    assert_true(fabs(s.mean_N + 7) < 0.03 && s.sd_N < 0.02);
    c = plain, c.drift_N_per_min = 5;
    s = watch(&c);
    assert_true(s.most_N > 2.4 && s.most_N < 7.6 && fabs(s.mean_N - s.most_N / 2) < 0.05);
    c = plain, c.hum_N = 2, c.hum_Hz = 60;
    s = watch(&c);
    assert_true(fabs(s.sd_N - sqrt(2)) < 0.03 && fabs(s.most_N - 2) < 0.03);
    c = plain, c.spikes_per_min = 100;
    s = watch(&c);
    assert_in_range(s.far, 60, 140);
    assert_true(s.most_N <= 301 && s.least_N >= -301);
    c = plain, c.noise_N = 1, c.step_N = 2;
    s = watch(&c);
    assert_true(fabs(fmod(s.most_N, 2)) < 1e-9);
    c = plain, c.losses_per_min = 60, c.loss_samples[0] = 5, c.loss_samples[1] = 5;
    s = watch(&c);
    assert_in_range(s.holes, 35, 90);
    assert_true(s.lost >= 5 * s.holes && s.lost <= 5 * s.holes + 20);
    c = plain, c.bad = SIM_CELL_NOISY;
    s = watch(&c);
    assert_true(fabs(s.sd_N - 20) < 0.5);
}

static void test_bad_cell_sticks(void **state)
{
    (void)state;
    struct sim_sensor_config c = {.cells = 4, .rate_Hz = 1000, .bad = SIM_CELL_STUCK, .bad_cell = 3};
    struct sim_sensor s;
    struct sim_force none = {0}, much = {.foot_N = 400};
    int32_t counts[4];
    assert_int_equal(sim_sensor_init(&s, &c, SEED, 0), 0);
    sim_sensor_read(&s, &none, 0, counts);
    sim_sensor_read(&s, &much, 1, counts);
    assert_true(counts[0] == 10000 && counts[1] == 10000 && counts[2] == 10000 && counts[3] == 0);
    c.bad_cell = 4;
    assert_int_equal(sim_sensor_init(&s, &c, SEED, 0), -EINVAL);
    c = (struct sim_sensor_config){.cells = 1, .rate_Hz = 80, .rate_error = 0.09375};
    assert_int_equal(sim_sensor_init(&s, &c, SEED, 0), 0);
    assert_true(fabs(sim_sensor_t_s(&s, 875) - 10) < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_weaker_side),
        cmocka_unit_test(test_share_wanders),
        cmocka_unit_test(test_empty_plate_and_feet),
        cmocka_unit_test(test_center_goes_where_it_is_sent),
        cmocka_unit_test(test_cells_give_the_center_back),
        cmocka_unit_test(test_faults),
        cmocka_unit_test(test_bad_cell_sticks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
