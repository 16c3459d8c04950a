/* What a still second says, and whether it can be the zero. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "plate/measure.h"

enum { ROWS = 1000 };

static struct plate_measurement of(double mean_counts, double swing_counts, double slope_counts, size_t oldest)
{
    static int32_t counts[ROWS][2];
    struct plate_calibration c;
    struct plate_measurement m;
    plate_calibration_identity(&c, 2, 0.01);
    for (unsigned r = 0; r < ROWS; r++) {
        double v = mean_counts + (r % 2 ? swing_counts : -swing_counts) + slope_counts * r / ROWS;
        counts[(oldest + r) % ROWS][0] = (int32_t)lround(v);
        counts[(oldest + r) % ROWS][1] = 2000000000; /* a noise of one on such a number must survive */
    }
    plate_measure(&c, &counts[0][0], ROWS, oldest, &m);
    return m;
}

static void mean_and_sd_are_of_each_cell(void **state)
{
    (void)state;
    struct plate_measurement m = of(1500, 30, 0, 0);
    assert_true(fabs(m.mean[0] - 15) < 1e-9 && fabs(m.sd[0] - 0.3) < 1e-3);
    assert_true(fabs(m.mean[1] - 2e7) < 1e-6 && m.sd[1] == 0);
    assert_true(fabs(m.Fz_N - 2e7 - 15) < 1e-6 && fabs(m.Fz_sd_N - 0.3) < 1e-3);
    assert_true(plate_measurement_still(&m));
}

static void the_ring_may_begin_anywhere(void **state)
{
    (void)state;
    struct plate_measurement m = of(0, 0, 1000, 617);
    assert_true(fabs(m.Fz_step_N - 5) < 0.01); /* in order of time it only rises */
    m = of(0, 0, 1200, 617);
    assert_false(plate_measurement_still(&m));
    m = of(0, 600, 0, 3);
    assert_false(plate_measurement_still(&m));
}

static void nobody_is_tared_away(void **state)
{
    (void)state;
    struct plate_measurement m = {.cells = 1, .rows = ROWS, .Fz_N = 25, .Fz_sd_N = 0.3};
    assert_int_equal(plate_tare_check(&m, true), 0);
    assert_int_equal(plate_tare_check(&m, false), 0);
    m.Fz_N = -80; /* a foot at rest, and a plate that nobody has tared yet: it cannot be told */
    assert_int_equal(plate_tare_check(&m, true), -EBUSY);
    assert_int_equal(plate_tare_check(&m, false), 0);
    m.Fz_N = 700;
    assert_int_equal(plate_tare_check(&m, false), -EBUSY);
    m.Fz_sd_N = 6;
    assert_int_equal(plate_tare_check(&m, true), -EAGAIN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mean_and_sd_are_of_each_cell),
        cmocka_unit_test(the_ring_may_begin_anywhere),
        cmocka_unit_test(nobody_is_tared_away),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
