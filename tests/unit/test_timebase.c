/* The time axis against devices whose true time is known. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plate/timebase.h"

#define S 1000000000LL

struct device {
    struct plate_timebase tb;
    double rate_Hz, tick_rate; /* true samples per second; device seconds per true second */
    bool seq, ticks;
    unsigned burst;             /* samples a read */
    double latency_s, jitter_s; /* of the host: at least, and up to so much more */
    double swing_ppm;           /* the device's clock runs by so much faster and slower, once around in an hour */
    uint64_t dice;
    uint64_t sent;
    double worst_s; /* of t_s against the truth */
    uint64_t gaps;
    struct plate_gap gap;
    bool continuous;
};

static void start(struct device *d, double nominal_Hz)
{
    struct plate_timebase_config cfg = {nominal_Hz, d->ticks ? 1e-6 : 0};
    assert_int_equal(plate_timebase_init(&d->tb, &cfg), 0);
    plate_timebase_start(&d->tb, 0, 5 * S, 7 * S);
    d->continuous = true;
}

static double random_part(struct device *d)
{
    d->dice = d->dice * 6364136223846793005u + 1442695040888963407u;
    return (double)(d->dice >> 11) * 0x1p-53;
}

/* When sample n was truly taken: the swing is the device's, whose clock paces its samples. */
static double true_s(const struct device *d, uint64_t n)
{
    const double even_s = (double)n / d->rate_Hz, turn = 2 * 3.14159265358979 / 3600;
    double t = even_s;
    for (int i = 0; i < 4 && d->swing_ppm > 0; i++) t = even_s - d->swing_ppm * 1e-6 * (1 - cos(turn * t)) / turn;
    return t;
}

/* Runs until true time `until_s`; errors are looked at from `judge_s` on. */
static void run(struct device *d, double until_s, double judge_s)
{
    struct plate_clock before, knot;
    while ((double)d->sent / d->rate_Hz < until_s) {
        double arrival_s = true_s(d, d->sent + d->burst - 1) + d->latency_s + d->jitter_s * random_part(d);
        int64_t host = 5 * S + (int64_t)(arrival_s * 1e9);
        uint64_t sample = 0;
        for (unsigned i = 0; i < d->burst; i++, d->sent++) {
            struct plate_frame f = {.cells = 1, .has_seq = d->seq, .seq = d->sent, .has_ticks = d->ticks};
            f.ticks = (uint64_t)((double)d->sent / d->rate_Hz * d->tick_rate * 1e6);
            if (plate_timebase_number(&d->tb, &f, host, &sample, &d->gap)) d->gaps++;
            double truth_s = true_s(d, d->sent);
            if (truth_s >= judge_s) d->worst_s = fmax(d->worst_s, fabs(plate_clock_t_s(&d->tb.knot, sample) - truth_s));
        }
        before = d->tb.knot;
        if (plate_timebase_read_done(&d->tb, host, host, &knot)) {
            assert_true(knot.sample == sample + 1);
            if (fabs(plate_clock_t_s(&before, knot.sample) - knot.t_s) > 1e-12) d->continuous = false;
        }
    }
}

static void a_label_that_lies_is_found_out(void **state)
{
    (void)state;
    struct device d = {.rate_Hz = 87.5, .tick_rate = 1, .ticks = true, .burst = 1}; /* an HX711 board that says 80 */
    start(&d, 80);
    run(&d, 60, 5);
    assert_true(d.continuous);
    assert_int_equal(d.gaps, 0);
    assert_true(d.worst_s < 0.5 / 87.5);
    assert_true(fabs(plate_timebase_rate_Hz(&d.tb) - 87.5) < 0.01);
}

/* An hour at 1 kHz through a USB adapter that delivers every 16 ms, on a host that is up to 4 ms late. */
static void an_hour_through_a_usb_adapter(struct device d)
{
    d.seq = d.ticks = true;
    d.burst = 16;
    d.latency_s = 0.0005;
    d.jitter_s = 0.004;
    d.dice = 1;
    start(&d, 1000);
    run(&d, 3600, 60);
    print_message("clock %+.0f ppm, swing %.0f ppm: off by %.3f ms at most\n", (d.tick_rate - 1) * 1e6, d.swing_ppm,
                  d.worst_s * 1e3);
    assert_true(d.continuous);
    assert_int_equal(d.gaps, 0);
    assert_true(d.worst_s < 0.001);
}

static void drift_of_500_ppm_is_followed(void **state)
{
    (void)state;
    an_hour_through_a_usb_adapter((struct device){.rate_Hz = 1000.5, .tick_rate = 1.0005});
    an_hour_through_a_usb_adapter((struct device){.rate_Hz = 999.5, .tick_rate = 0.9995});
    an_hour_through_a_usb_adapter((struct device){.rate_Hz = 1000, .tick_rate = 1.0005}); /* off by what it says of itself */
    an_hour_through_a_usb_adapter((struct device){.rate_Hz = 1000, .tick_rate = 0.9995});
    an_hour_through_a_usb_adapter(
        (struct device){.rate_Hz = 1000, .tick_rate = 1, .swing_ppm = 20}); /* it warms up and cools */
}

static void without_a_device_clock_the_host_is_followed(void **state)
{
    (void)state;
    struct device d = {.rate_Hz = 92, .burst = 4, .latency_s = 0.001};
    start(&d, 80);
    run(&d, 120, 20);
    assert_true(d.continuous);
    assert_int_equal(d.gaps, 0);
    assert_true(fabs(plate_timebase_rate_Hz(&d.tb) - 92) < 0.1);
    assert_true(d.worst_s < 0.04);
}

static void fast_playback_keeps_the_device_time(void **state)
{
    (void)state;
    struct device d = {.rate_Hz = 240 * 20, .tick_rate = 20, .seq = true, .ticks = true, .burst = 24};
    start(&d, 240);
    run(&d, 5, 10);
    assert_true(plate_timebase_rate_mismatch(&d.tb) || d.tb.windows < 2);
    assert_true(fabs(plate_clock_t_s(&d.tb.knot, d.tb.next_sample) - 100) < 0.01); /* 100 s of signal in 5 s */
}

static struct plate_gap one_gap(struct plate_timebase *tb, const struct plate_frame *f, int64_t host_ns, uint64_t *ret_sample)
{
    struct plate_gap g;
    memset(&g, 0, sizeof g);
    if (!plate_timebase_number(tb, f, host_ns, ret_sample, &g)) g.count = 0;
    return g;
}

static void holes_have_a_reason_and_a_place(void **state)
{
    (void)state;
    struct device d = {.rate_Hz = 100, .tick_rate = 1, .seq = true, .ticks = true, .burst = 1};
    start(&d, 100);
    run(&d, 2, 2);
    uint64_t sample;
    struct plate_frame f = {.cells = 1, .has_seq = true, .seq = 207, .has_ticks = true, .ticks = 2070000};
    struct plate_gap g = one_gap(&d.tb, &f, 7 * S + 70000000, &sample);
    assert_int_equal(g.sample, 200);
    assert_int_equal(g.count, 7);
    assert_int_equal(g.reason, PLATE_GAP_SEQUENCE);
    assert_false(g.estimated);
    assert_int_equal(sample, 207);
    /* unplugged for a second, the device counted on */
    plate_timebase_reopened(&d.tb);
    f.seq = 308, f.ticks = 3080000;
    g = one_gap(&d.tb, &f, 8 * S + 80000000, &sample);
    assert_int_equal(g.count, 100);
    assert_int_equal(g.reason, PLATE_GAP_UNPLUG);
    assert_false(g.estimated);
    /* it starts anew a second later: how many are missing is known from time only */
    f = (struct plate_frame){.cells = 1, .has_seq = true, .seq = 0, .has_ticks = true, .ticks = 0, .restarted = true};
    g = one_gap(&d.tb, &f, 9 * S + 90000000, &sample);
    assert_int_equal(g.reason, PLATE_GAP_RESTART);
    assert_true(g.estimated);
    assert_in_range(g.count, 99, 101);
    assert_int_equal(sample, 308 + 1 + g.count);
    double t = plate_clock_t_s(&d.tb.knot, sample);
    assert_true(fabs(t - 4.09) < 0.03);
}

/* The port powers the board, and it had counted beyond where it was when the port was open again. */
static void a_board_that_started_unseen_is_found_out(void **state)
{
    (void)state;
    for (unsigned seq = 0; seq < 2; seq++) {
        struct device d = {.rate_Hz = 100, .tick_rate = 1, .seq = seq, .ticks = true, .burst = 1};
        start(&d, 100);
        run(&d, 2, 2);
        uint64_t sample;
        plate_timebase_reopened(&d.tb);
        struct plate_frame f = {.cells = 1, .has_seq = seq, .seq = 300, .has_ticks = true, .ticks = 3000000};
        struct plate_gap g = one_gap(&d.tb, &f, 17 * S, &sample); /* away for 10 s, of which it ran for 3 */
        assert_int_equal(g.reason, PLATE_GAP_UNPLUG);
        assert_true(g.estimated);
        assert_in_range(g.count, 999, 1001);
        assert_true(fabs(plate_clock_t_s(&d.tb.knot, sample) - 12) < 0.03);
        for (unsigned i = 1; i <= 500; i++) { /* and its clock goes on from there */
            f.seq++, f.ticks += 10000;
            struct plate_clock knot;
            int64_t host = 17 * S + i * (S / 100);
            assert_int_equal(one_gap(&d.tb, &f, host, &sample).count, 0);
            plate_timebase_read_done(&d.tb, host, host, &knot);
        }
        assert_true(fabs(plate_clock_t_s(&d.tb.knot, sample) - 17) < 0.05);
    }
}

static void a_late_stamp_is_no_hole(void **state)
{
    (void)state;
    struct device d = {.rate_Hz = 100, .tick_rate = 1, .ticks = true, .burst = 1};
    start(&d, 100);
    run(&d, 2, 2);
    uint64_t sample;
    struct plate_frame f = {.cells = 1, .has_ticks = true, .ticks = 2006000}; /* 6 ms late: a step of 16 ms */
    struct plate_gap g = one_gap(&d.tb, &f, 7 * S, &sample);
    assert_int_equal(g.count, 0);
    f.ticks = 2010000;
    g = one_gap(&d.tb, &f, 7 * S, &sample);
    assert_int_equal(g.count, 0);
    f.ticks = 2050000; /* 40 ms: three are missing */
    g = one_gap(&d.tb, &f, 7 * S, &sample);
    assert_int_equal(g.count, 3);
    assert_int_equal(g.reason, PLATE_GAP_TIME);
    assert_true(g.estimated);
}

static void a_real_hole_stays_late(void **state)
{
    (void)state;
    struct device d = {.rate_Hz = 1000, .tick_rate = 1, .ticks = true, .burst = 1};
    start(&d, 1000);
    run(&d, 2, 2);
    uint64_t sample, missing = 0, at = 0;
    for (unsigned i = 0; i < 20; i++) { /* two are missing: no jitter would last */
        struct plate_frame f = {.cells = 1, .has_ticks = true, .ticks = 2002000 + 1000 * i};
        struct plate_gap g = one_gap(&d.tb, &f, 7 * S, &sample);
        if (g.count) missing += g.count, at = g.sample;
    }
    assert_int_equal(missing, 2);
    assert_in_range(at, 2000, 2004);
    assert_int_equal(sample, 2021);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_label_that_lies_is_found_out),
        cmocka_unit_test(drift_of_500_ppm_is_followed),
        cmocka_unit_test(without_a_device_clock_the_host_is_followed),
        cmocka_unit_test(fast_playback_keeps_the_device_time),
        cmocka_unit_test(holes_have_a_reason_and_a_place),
        cmocka_unit_test(a_board_that_started_unseen_is_found_out),
        cmocka_unit_test(a_late_stamp_is_no_hole),
        cmocka_unit_test(a_real_hole_stays_late),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
