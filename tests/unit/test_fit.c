/* A plate is calibrated with weights, and then weighs what it should, where it should. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plate/fit.h"
#include "sim_sensor.h"

#define G 9.80665

static const struct plate_cell corners[4] = {{"front_left", -SIM_WIDTH_MM / 2, SIM_LENGTH_MM / 2},
                                             {"front_right", SIM_WIDTH_MM / 2, SIM_LENGTH_MM / 2},
                                             {"back_left", -SIM_WIDTH_MM / 2, -SIM_LENGTH_MM / 2},
                                             {"back_right", SIM_WIDTH_MM / 2, -SIM_LENGTH_MM / 2}};

struct plate { /* cross-talk, cells of different gain, noise */
    struct sim_sensor sensor;
    double gain[4];
    uint64_t row;
    struct plate_calibration before;
    double zero[4];
};

/* Mean of `rows` samples under a force, in scaled counts. */
static void weigh(struct plate *p, double force_N, double x_mm, double y_mm, unsigned rows, double ret[4])
{
    struct sim_force f = {.foot_N = force_N, .cop_x_mm = x_mm, .cop_y_mm = y_mm};
    memset(ret, 0, 4 * sizeof *ret);
    for (unsigned k = 0; k < rows; k++, p->row++) {
        int32_t counts[PLATE_MAX_CELLS];
        sim_sensor_read(&p->sensor, &f, (double)p->row / 1000, counts);
        for (unsigned i = 0; i < 4; i++) ret[i] += rint(counts[i] * p->gain[i]) * SIM_COUNT_N / rows;
    }
}

static void set_up(struct plate *p)
{
    const struct sim_sensor_config cfg = {
        .cells = 4, .rate_Hz = 1000, .noise_N = 0.5, .drift_N_per_min = 0.2, .tare_error_N = 30, .cross_talk = 0.04};
    *p = (struct plate){.gain = {1.05, 0.96, 1.02, 0.93}};
    assert_int_equal(sim_sensor_init(&p->sensor, &cfg, 11, 0), 0);
    plate_calibration_identity(&p->before, 4, SIM_COUNT_N);
    weigh(p, 0, 0, 0, 3000, p->zero);
}

static void add(struct plate *p, struct plate_fit_load *loads, unsigned *n, double kg, double x_mm, double y_mm)
{
    struct plate_fit_load *l = &loads[(*n)++];
    *l = (struct plate_fit_load){.force_N = kg * G, .x_mm = x_mm, .y_mm = y_mm};
    weigh(p, l->force_N, x_mm, y_mm, 3000, l->value);
    for (unsigned i = 0; i < 4; i++) l->value[i] -= p->zero[i];
}

/* The largest error of force in per cent of 1000 N, and of the centre of pressure, over the middle 80 % of the plate. */
static void judge(struct plate *p, const struct plate_fit *f, double *ret_force_pct, double *ret_cop_mm)
{
    struct plate_calibration c = f->calibration;
    struct plate_geometry g;
    plate_geometry_init(&g, corners, 4);
    memcpy(c.tare, p->zero, sizeof p->zero);
    *ret_force_pct = *ret_cop_mm = 0;
    for (int iy = -4; iy <= 4; iy++)
        for (int ix = -4; ix <= 4; ix++)
            for (double force_N = 100; force_N <= 1000; force_N += 450) {
                double value[4], x_mm = 0.1 * ix * SIM_WIDTH_MM, y_mm = 0.1 * iy * SIM_LENGTH_MM;
                int32_t counts[PLATE_MAX_CELLS];
                struct plate_force out;
                weigh(p, force_N, x_mm, y_mm, 100, value);
                for (unsigned i = 0; i < 4; i++) counts[i] = (int32_t)lround(value[i] / SIM_COUNT_N);
                plate_calibrate(&c, &g, counts, &out);
                *ret_force_pct = fmax(*ret_force_pct, fabs(out.Fz_N - force_N) / 10);
                *ret_cop_mm = fmax(*ret_cop_mm, hypot(out.cop_x_mm - x_mm, out.cop_y_mm - y_mm));
            }
}

static void nine_places_make_a_plate_right(void **state)
{
    (void)state;
    struct plate p;
    struct plate_fit f;
    struct plate_fit_load loads[16];
    unsigned n = 0;
    double force_pct, cop_mm;
    set_up(&p);
    for (int iy = -1; iy <= 1; iy++)
        for (int ix = -1; ix <= 1; ix++) add(&p, loads, &n, 20, ix * 120, iy * 160);
    add(&p, loads, &n, 60, 0, 0);
    assert_int_equal(plate_fit(&p.before, corners, loads, n, &f), 0);
    judge(&p, &f, &force_pct, &cop_mm);
    print_message(
        "20 kg at nine places, 60 kg in the middle: force within %.3f %% of 1000 N, centre of pressure within %.2f mm; "
        "corners %.2f %% before, %.3f %% now\n",
        force_pct, cop_mm, f.corner_before_pct, f.corner_pct);
    assert_true(force_pct <= 0.1 && cop_mm <= 1);
    assert_int_equal(f.determined, 4);
    assert_int_equal(f.unsure, 0);
    assert_true(fabs(f.factor - 1 / (1.08 * 0.99)) < 0.01);
    assert_true(f.corner_before_pct > 5 && f.corner_pct < 0.1);
    assert_true(f.nonlinearity_pct < 0.05 && f.rms_N < 0.1 && f.worst_N < 0.3 && f.worst_cop_mm < 0.5);
    assert_int_equal(plate_calibration_check(&f.calibration), 0);
}

/* Four corners are enough; a fifth weight only checks them. */
static void four_corners_do(void **state)
{
    (void)state;
    struct plate p;
    struct plate_fit f;
    struct plate_fit_load loads[4];
    unsigned n = 0;
    double force_pct, cop_mm;
    set_up(&p);
    for (int i = 0; i < 4; i++) add(&p, loads, &n, 40, i % 2 ? 120 : -120, i / 2 ? 160 : -160);
    assert_int_equal(plate_fit(&p.before, corners, loads, n, &f), 0);
    judge(&p, &f, &force_pct, &cop_mm);
    print_message("40 kg at four corners: %.3f %%, %.2f mm\n", force_pct, cop_mm);
    assert_true(force_pct <= 0.1 && cop_mm <= 1 && isnan(f.nonlinearity_pct));
}

static void what_the_weights_do_not_tell_stays(void **state)
{
    (void)state;
    struct plate p;
    struct plate_fit f;
    struct plate_fit_load loads[4];
    unsigned n = 0;
    set_up(&p);
    add(&p, loads, &n, 20, 0, 0);
    add(&p, loads, &n, 40, 0, 0);
    assert_int_equal(plate_fit(&p.before, corners, loads, n, &f), 0);
    assert_int_equal(f.determined, 1);
    assert_int_equal(f.unsure, 15);
    assert_true(f.worst_N < 0.5 && isnan(f.corner_pct));
    for (unsigned i = 0; i < 4; i++) assert_true(fabs(plate_calibration_Fz_row(&f.calibration)[i] / f.factor - 1) < 0.1);
    /* without places there is still a force, and the centre of pressure that the cells' positions give */
    for (unsigned i = 0; i < n; i++) loads[i].x_mm = loads[i].y_mm = NAN;
    assert_int_equal(plate_fit(&p.before, corners, loads, n, &f), 0);
    assert_true(f.worst_N < 0.5 && isnan(f.worst_cop_mm));
    assert_true(fabs(f.calibration.matrix[3][0] / f.calibration.matrix[2][0] - 0.2) < 0.02);
}

static void cells_without_places_are_summed(void **state)
{
    (void)state;
    struct plate_cell nowhere[2] = {{"a", NAN, NAN}, {"b", NAN, NAN}};
    struct plate_calibration before;
    struct plate_fit f;
    struct plate_fit_load loads[2] = {{.force_N = 100, .x_mm = NAN, .y_mm = NAN, .value = {-30, -10}},
                                      {.force_N = 100, .x_mm = NAN, .y_mm = NAN, .value = {-10, -20}}};
    plate_calibration_identity(&before, 2, 1);
    assert_int_equal(plate_fit(&before, nowhere, loads, 2, &f), 0); /* wired the wrong way round: newtons all the same */
    assert_int_equal(f.calibration.components, 1);
    assert_true(fabs(f.calibration.matrix[0][0] + 2) < 1e-9 && fabs(f.calibration.matrix[0][1] + 4) < 1e-9);
    assert_true(f.worst_N < 1e-9);
}

static void six_components_keep_what_weights_cannot_tell(void **state)
{
    (void)state;
    struct plate_calibration before = {.cells = 3, .components = 6, .count_scale = 1, .surface_z_mm = 40};
    struct plate_cell nowhere[3] = {{"a", NAN, NAN}, {"b", NAN, NAN}, {"c", NAN, NAN}};
    struct plate_fit f;
    struct plate_fit_load loads[4];
    before.matrix[0][0] = 7;                                                   /* Fx */
    before.matrix[2][0] = 1, before.matrix[3][1] = 1, before.matrix[4][2] = 1; /* Fz, Mx, My: a channel each */
    for (unsigned k = 0; k < 4; k++) {
        double x = k % 2 ? 100 : -100, y = k / 2 ? 100 : -100;
        loads[k] =
            (struct plate_fit_load){.force_N = 200, .x_mm = x, .y_mm = y, .value = {100, 0.1 * y * 0.2 + 2, -0.1 * x * 0.2}};
    }
    assert_int_equal(plate_fit(&before, nowhere, loads, 4, &f), 0);
    assert_true(f.calibration.matrix[0][0] == 7 && f.calibration.surface_z_mm == 40);
    assert_true(f.worst_N < 1e-6 && f.worst_cop_mm < 1e-6);
}

static void refuses_nonsense(void **state)
{
    (void)state;
    struct plate_calibration before;
    struct plate_fit f;
    struct plate_fit_load l = {.force_N = 100, .x_mm = 0, .y_mm = 0};
    plate_calibration_identity(&before, 4, 1);
    assert_int_equal(plate_fit(&before, corners, &l, 1, &f), -ENODATA); /* nothing moved */
    l.value[0] = 100;
    assert_int_equal(plate_fit(&before, corners, &l, 0, &f), -EINVAL);
    l.y_mm = NAN;
    assert_int_equal(plate_fit(&before, corners, &l, 1, &f), -EINVAL);
    l.y_mm = 0, l.force_N = 0;
    assert_int_equal(plate_fit(&before, corners, &l, 1, &f), -EINVAL);
    l.force_N = 100, l.value[2] = INFINITY;
    assert_int_equal(plate_fit(&before, corners, &l, 1, &f), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nine_places_make_a_plate_right),
        cmocka_unit_test(four_corners_do),
        cmocka_unit_test(what_the_weights_do_not_tell_stays),
        cmocka_unit_test(cells_without_places_are_summed),
        cmocka_unit_test(six_components_keep_what_weights_cannot_tell),
        cmocka_unit_test(refuses_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
