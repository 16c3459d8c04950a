/* The filter by its own properties; filter_scipy.py holds its values against scipy. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plate/filter.h"

#define PI 3.14159265358979323846
static const unsigned orders[] = {2, 4, 6, 8};

static void init_refuses_nonsense(void **s)
{
    (void)s;
    struct plate_filter f, before;
    memset(&f, 0x5c, sizeof f);
    before = f;
    static const unsigned bad_order[] = {0, 1, 3, 5, 7, 9, 10, 4000000000u};
    for (size_t i = 0; i < sizeof bad_order / sizeof *bad_order; i++)
        assert_int_equal(plate_filter_init(&f, bad_order[i], 10, 1000), -EINVAL);
    static const double bad[][2] = {{0, 1000},   {-1, 1000},  {500, 1000}, {600, 1000},    {10, 0},
                                    {10, -1000}, {NAN, 1000}, {10, NAN},   {10, INFINITY}, {INFINITY, INFINITY}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(plate_filter_init(&f, 4, bad[i][0], bad[i][1]), -EINVAL);
    assert_memory_equal(&f, &before, sizeof f);
    assert_int_equal(plate_filter_init(&f, 4, 499.9, 1000), 0);
}

static void starts_without_a_transient(void **s)
{
    (void)s;
    for (size_t i = 0; i < 4; i++) {
        struct plate_filter f;
        assert_int_equal(plate_filter_init(&f, orders[i], 5, 1000), 0);
        for (int pass = 0; pass < 2; pass++) {
            double level = pass ? -3.5 : 812.5;
            for (int n = 0; n < 2000; n++) assert_true(fabs(plate_filter_push(&f, level) - level) < 1e-7);
            plate_filter_reset(&f);
        }
    }
}

/* Butterworth: half the power at the cut-off, whatever the order; and 6 dB an octave and order above it. */
static double gain_at(struct plate_filter *f, double f_Hz, double rate_Hz)
{
    double top = 0;
    plate_filter_reset(f);
    for (int n = 0; n < 40000; n++) {
        double y = plate_filter_push(f, sin(2 * PI * f_Hz * n / rate_Hz + 1));
        if (n > 20000) top = fmax(top, fabs(y));
    }
    return top;
}

static void cuts_where_it_says(void **s)
{
    (void)s;
    for (size_t i = 0; i < 4; i++) {
        struct plate_filter f;
        assert_int_equal(plate_filter_init(&f, orders[i], 50, 10000), 0);
        assert_true(fabs(gain_at(&f, 50, 10000) - sqrt(0.5)) < 1e-3);
        assert_true(fabs(gain_at(&f, 5, 10000) - 1) < 1e-3);
        double octave = 1 / sqrt(1 + pow(2, 2.0 * orders[i]));
        assert_true(fabs(gain_at(&f, 100, 10000) / octave - 1) < 0.02);
    }
}

static void delays_as_it_says(void **s)
{
    (void)s;
    for (size_t i = 0; i < 4; i++) { /* a ramp comes out as the same ramp, late by the group delay */
        struct plate_filter f;
        assert_int_equal(plate_filter_init(&f, orders[i], 20, 1000), 0);
        double y = 0;
        for (int n = 0; n <= 5000; n++) y = plate_filter_push(&f, n);
        assert_true(fabs(5000 - y - plate_filter_delay(&f)) < 1e-6);
    }
}

static void what_is_not_finite_does_no_harm(void **s)
{
    (void)s;
    struct plate_filter f, same;
    assert_int_equal(plate_filter_init(&f, 4, 50, 1000), 0);
    assert_true(isnan(plate_filter_push(&f, NAN)));
    assert_true(plate_filter_push(&f, 5) == 5); /* it was not the first sample */
    plate_filter_push(&f, 9);
    same = f;
    assert_true(isnan(plate_filter_push(&f, NAN)));
    assert_true(isnan(plate_filter_push(&f, INFINITY)));
    assert_true(plate_filter_push(&f, 7) == plate_filter_push(&same, 7));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_refuses_nonsense),
        cmocka_unit_test(starts_without_a_transient),
        cmocka_unit_test(cuts_where_it_says),
        cmocka_unit_test(delays_as_it_says),
        cmocka_unit_test(what_is_not_finite_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
