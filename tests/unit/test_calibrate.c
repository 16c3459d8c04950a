/* Calibration and centre of pressure, and the vocabulary of types.h. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plate/calibrate.h"

static void assert_near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-9 * fmax(1, fabs(b)))) fail_msg("%.17g is not %.17g", a, b);
}

static const struct plate_cell corners[4] = {
    {"front_left", -200, 300}, {"front_right", 200, 300}, {"back_left", -200, -300}, {"back_right", 200, -300}};

static void identity_is_one_newton_a_count(void **s)
{
    (void)s;
    struct plate_calibration c;
    struct plate_force f;
    plate_calibration_identity(&c, 3, 0.5);
    assert_int_equal(plate_calibration_check(&c), 0);
    plate_calibrate(&c, NULL, (int32_t[]){100, -40, INT32_MAX}, &f);
    assert_near(f.cell_N[0], 50);
    assert_near(f.cell_N[1], -20);
    assert_near(f.Fz_N, 30 + INT32_MAX / 2.0);
    assert_true(isnan(f.cop_x_mm) && isnan(f.cop_y_mm));
    assert_true(f.cell_N[3] == 0);
}

static void tare_and_gain_are_per_cell(void **s)
{
    (void)s;
    struct plate_calibration c = {.cells = 2, .components = 1, .count_scale = 0.01, .tare = {5, -3}, .matrix = {{2, 4}}};
    struct plate_force f;
    plate_calibrate(&c, NULL, (int32_t[]){1500, 200}, &f);
    assert_near(f.cell_N[0], 2 * (15 - 5));
    assert_near(f.cell_N[1], 4 * (2 + 3));
    assert_near(f.Fz_N, 40);
}

static void calibrate(const struct plate_calibration *c, const struct plate_cell *cells, const int32_t *counts,
                      struct plate_force *ret)
{
    struct plate_geometry g;
    plate_geometry_init(&g, cells, c->cells);
    plate_calibrate(c, &g, counts, ret);
}

static void four_corners(void **s)
{
    (void)s;
    struct plate_calibration c;
    struct plate_force f;
    plate_calibration_identity(&c, 4, 1);
    int32_t FL = 100, FR = 250, BL = 60, BR = 90, sum = FL + FR + BL + BR;
    calibrate(&c, corners, (int32_t[]){FL, FR, BL, BR}, &f);
    assert_near(f.Fz_N, sum);
    assert_near(f.cop_x_mm, 400 / 2.0 * ((FR + BR) - (FL + BL)) / sum);
    assert_near(f.cop_y_mm, 600 / 2.0 * ((FL + FR) - (BL + BR)) / sum);
    calibrate(&c, corners, (int32_t[]){0, 50, 0, 0}, &f); /* all on the right toes' corner */
    assert_near(f.cop_x_mm, 200);
    assert_near(f.cop_y_mm, 300);
}

static void centre_of_pressure_needs_force_and_geometry(void **s)
{
    (void)s;
    struct plate_calibration c;
    struct plate_force f;
    plate_calibration_identity(&c, 4, 1);
    calibrate(&c, corners, (int32_t[]){4, 5, 0, 0}, &f);
    assert_true(isnan(f.cop_x_mm) && isnan(f.cop_y_mm)); /* 9 N */
    calibrate(&c, corners, (int32_t[]){5, 5, 0, 0}, &f);
    assert_near(f.cop_y_mm, 300);
    calibrate(&c, corners, (int32_t[]){-500, -500, -500, -500}, &f);
    assert_true(isnan(f.cop_x_mm) && isnan(f.cop_y_mm));
    struct plate_cell unknown[4];
    memcpy(unknown, corners, sizeof corners);
    unknown[2].y_mm = NAN;
    calibrate(&c, unknown, (int32_t[]){50, 50, 50, 50}, &f);
    assert_true(isnan(f.cop_x_mm) && isnan(f.cop_y_mm));
}

static void cells_on_a_line_say_nothing_across_it(void **s)
{
    (void)s;
    struct plate_calibration c;
    struct plate_force f;
    plate_calibration_identity(&c, 2, 1);
    const struct plate_cell sideways[2] = {{"l", -100, 40}, {"r", 100, 40}}, lengthways[2] = {{"b", 0, -100}, {"f", 0, 100}};
    const struct plate_cell slanted[3] = {{"a", -100, -50}, {"b", 0, 0}, {"c", 100, 50}}, twice[2] = {{"a", 7, 7}, {"b", 7, 7}};
    calibrate(&c, sideways, (int32_t[]){30, 90}, &f);
    assert_near(f.cop_x_mm, 50);
    assert_true(isnan(f.cop_y_mm));
    calibrate(&c, lengthways, (int32_t[]){30, 90}, &f);
    assert_near(f.cop_y_mm, 50);
    assert_true(isnan(f.cop_x_mm));
    calibrate(&c, twice, (int32_t[]){30, 90}, &f);
    assert_true(isnan(f.cop_x_mm) && isnan(f.cop_y_mm));
    plate_calibration_identity(&c, 3, 1);
    calibrate(&c, slanted, (int32_t[]){30, 90, 10}, &f);
    assert_true(isnan(f.cop_x_mm) && isnan(f.cop_y_mm));
    plate_calibration_identity(&c, 1, 1);
    calibrate(&c, corners, (int32_t[]){900}, &f); /* one cell knows no place */
    assert_true(isnan(f.cop_x_mm) && isnan(f.cop_y_mm));
}

/* A reaction F at (x, y, h) has the moment r x F about the sensor's origin: the place must come back. */
static void six_components(void **s)
{
    (void)s;
    struct plate_calibration c = {.cells = 6, .components = 6, .count_scale = 0.001, .surface_z_mm = 45};
    for (int i = 0; i < 6; i++) c.matrix[i][i] = 1;
    assert_int_equal(plate_calibration_check(&c), 0);
    double x = 0.082, y = -0.137, h = 0.045, Fx = 31, Fy = -57, Fz = 800;
    double M[3] = {y * Fz - h * Fy, h * Fx - x * Fz, x * Fy - y * Fx}, v[6] = {Fx, Fy, Fz, M[0], M[1], M[2]};
    int32_t counts[6];
    struct plate_force f;
    for (int i = 0; i < 6; i++) counts[i] = (int32_t)lround(v[i] * 1000);
    plate_calibrate(&c, NULL, counts, &f);
    assert_near(f.Fz_N, 800);
    assert_true(fabs(f.cop_x_mm - 82) < 0.01);
    assert_true(fabs(f.cop_y_mm + 137) < 0.01);
    assert_near(f.cell_N[2], 800);
    assert_near(f.cell_N[0], 0); /* its part of Fz */
}

static void check_refuses_nonsense(void **s)
{
    (void)s;
    struct plate_calibration good, c;
    plate_calibration_identity(&good, 4, 0.001);
    assert_int_equal(plate_calibration_check(&good), 0);
#define REFUSED(change) (c = good, change, assert_int_equal(plate_calibration_check(&c), -EINVAL))
    REFUSED(c.cells = 0);
    REFUSED(c.cells = PLATE_MAX_CELLS + 1);
    REFUSED(c.components = 0);
    REFUSED(c.components = 3);
    REFUSED(c.count_scale = 0);
    REFUSED(c.count_scale = NAN);
    REFUSED(c.tare[3] = INFINITY);
    REFUSED(c.matrix[0][2] = NAN);
    REFUSED(memset(c.matrix, 0, sizeof c.matrix));
    REFUSED(c.components = 6); /* the row Fz is zeros */
    c = good;
    c.tare[4] = NAN; /* beyond the cells nobody looks */
    c.count_scale = -1;
    assert_int_equal(plate_calibration_check(&c), 0);
    c.components = 6;
    c.matrix[2][0] = 1;
    assert_int_equal(plate_calibration_check(&c), 0);
    c.surface_z_mm = NAN;
    assert_int_equal(plate_calibration_check(&c), -EINVAL);
}

static void names(void **s)
{
    (void)s;
    enum plate_side side = PLATE_SIDE_BOTH;
    for (int i = PLATE_SIDE_NONE; i <= PLATE_SIDE_BOTH; i++) {
        assert_int_equal(plate_side_parse(plate_side_name((enum plate_side)i), &side), 0);
        assert_int_equal(side, i);
    }
    assert_int_equal(plate_side_parse("Left", &side), -EINVAL);
    assert_int_equal(plate_side_parse(NULL, &side), -EINVAL);
    assert_int_equal(side, PLATE_SIDE_BOTH);
    assert_null(plate_side_name((enum plate_side)4));
    assert_null(plate_side_name((enum plate_side) - 1));
    assert_null(plate_phase_name((enum plate_phase)4));
    assert_null(plate_gap_reason_name(PLATE_GAP_REASONS));
    assert_string_equal(plate_phase_name(PLATE_LOWER), "lower");
    assert_string_equal(plate_gap_reason_name(PLATE_GAP_SEQUENCE), "sequence");
    assert_string_equal(plate_gap_reason_name(PLATE_GAP_DISK), "disk");
    assert_true(strlen(plate_version()) > 0);
    assert_true(plate_name_valid("a") && plate_name_valid("Left_plate-2") &&
                plate_name_valid("12345678901234567890123456789012"));
    assert_false(plate_name_valid("") || plate_name_valid(NULL) || plate_name_valid("123456789012345678901234567890123"));
    assert_false(plate_name_valid("a b") || plate_name_valid("a/b") || plate_name_valid("\xc3\xa4"));
}

static void clock_is_linear_both_ways(void **s)
{
    (void)s;
    struct plate_clock c = {.sample = 1000, .t_s = 2, .period_s = 0.5};
    assert_near(plate_clock_t_s(&c, 1000), 2);
    assert_near(plate_clock_t_s(&c, 1003), 3.5);
    assert_near(plate_clock_t_s(&c, 998), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(identity_is_one_newton_a_count),
        cmocka_unit_test(tare_and_gain_are_per_cell),
        cmocka_unit_test(four_corners),
        cmocka_unit_test(centre_of_pressure_needs_force_and_geometry),
        cmocka_unit_test(cells_on_a_line_say_nothing_across_it),
        cmocka_unit_test(six_components),
        cmocka_unit_test(check_refuses_nonsense),
        cmocka_unit_test(names),
        cmocka_unit_test(clock_is_linear_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
