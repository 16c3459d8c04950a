/* From reads to numbered samples: how long a hole was where no counter tells, and that nothing is lost while that is found out.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "plate/intake.h"
#include "plate/wire.h"

#define S INT64_C(1000000000)
#define BUSY_S 0.2 /* how late a busy machine may read */

struct station { /* a board of 100 Hz and what is made of its bytes; its counts are the number of the sample since the beginning
                  */
    struct plate_intake in;
    struct plate_epoch epoch;
    bool csv;
    double rate_Hz, latency_s, busy_s;
    uint64_t dice;
    int64_t sent, powered_at, read_ns;
    int32_t taken[4096];
    uint64_t number[4096];
    unsigned n, gaps;
    struct plate_gap gap;
};

static double random_part(struct station *s)
{
    s->dice = s->dice * 6364136223846793005u + 1442695040888963407u;
    return (double)(s->dice >> 11) * 0x1p-53;
}

static void on_clock(void *user, const struct plate_clock *knot)
{
    (void)user;
    (void)knot;
}
static void on_gap(void *user, const struct plate_gap *gap)
{
    struct station *s = user;
    s->gap = *gap;
    s->gaps++;
}
static void on_block(void *user, uint64_t first, const int32_t *counts, size_t n)
{
    struct station *s = user;
    for (size_t i = 0; i < n; i++, s->n++) {
        assert_true(s->n < sizeof s->taken / sizeof *s->taken);
        s->taken[s->n] = counts[i];
        s->number[s->n] = first + i;
    }
}

static struct plate_intake_sink sink(struct station *s)
{
    return (struct plate_intake_sink){.clock = on_clock, .gap = on_gap, .block = on_block, .user = s};
}

static void set_up(struct station *s, bool csv, uint64_t seed)
{
    struct plate_decoder_config cfg = {
        .protocol = csv ? "csv" : "native", .cells = 1, .csv = {.separator = ',', .first_column = 1}};
    *s = (struct station){.csv = csv, .rate_Hz = 100, .latency_s = 0.003, .busy_s = BUSY_S, .dice = seed};
    assert_int_equal(plate_intake_init(&s->in, &cfg, &(struct plate_timebase_config){100, csv ? 0 : 1e-6}), 0);
}

/* The board sends until `until`, a number since the beginning; a sample reaches the port at its time, and a read comes late. */
static void run(struct station *s, int64_t until)
{
    const struct plate_intake_sink out = sink(s);
    while (s->sent < until) {
        uint8_t bytes[4096];
        size_t n = 0;
        double due_s = (double)s->sent / s->rate_Hz + s->latency_s, late_s = s->busy_s * pow(random_part(s), 4);
        int64_t read_ns = 5 * S + (int64_t)((due_s + late_s) * 1e9);
        if (read_ns <= s->read_ns) read_ns = s->read_ns + 1000;
        for (; s->sent < until && 5 * S + (int64_t)(((double)s->sent / s->rate_Hz + s->latency_s) * 1e9) <= read_ns;
             s->sent++) {
            int32_t count = (int32_t)s->sent;
            uint32_t seq = (uint32_t)(s->sent - s->powered_at);
            if (s->csv)
                n += (size_t)snprintf((char *)bytes + n, sizeof bytes - n, "%d\n", count);
            else
                n += plate_wire_data(bytes + n, seq, seq * 10000u, &count, 1, 1);
        }
        s->read_ns = read_ns;
        plate_intake_decode(&s->in, bytes, n, NULL, NULL);
        plate_intake_take(&s->in, &s->epoch, read_ns, read_ns, &out);
    }
}

static void unplug(struct station *s)
{
    const struct plate_intake_sink out = sink(s);
    plate_intake_flush(&s->in, &out);
    plate_intake_reopened(&s->in);
}

/* The plug is pulled and put back; the board starts from 0, or has no counter. */
static void holes_without_a_counter_are_right_to_a_sample(void **state)
{
    (void)state;
    const char *said = getenv("PLATE_SEED");
    uint64_t seed = said ? strtoull(said, NULL, 10) : (uint64_t)time(NULL);
    print_message("PLATE_SEED=%llu\n", (unsigned long long)seed);
    for (unsigned trial = 0; trial < 400; trial++) {
        struct station s;
        set_up(&s, trial & 1, seed + trial);
        int64_t away = 20 + (int64_t)(random_part(&s) * 300), gone = 600 + (int64_t)(random_part(&s) * 40);
        run(&s, gone);
        unplug(&s);
        s.sent = s.powered_at = gone + away;
        run(&s, gone + away + 100);
        assert_int_equal(s.gaps, 1);
        assert_int_equal(s.gap.reason, PLATE_GAP_UNPLUG);
        assert_true(s.gap.estimated);
        unsigned before = (unsigned)(s.csv ? gone - 1 : gone); /* the first line after an opening may be half of one */
        assert_int_equal(s.n, s.csv ? before + 99 : before + 100);
        long long missing = s.taken[before] - s.taken[before - 1] - 1, told = (long long)s.gap.count;
        if (llabs(told - missing) > 1) fail_msg("trial %u: %lld are missing, %lld told", trial, missing, told);
        plate_intake_done(&s.in);
    }
}

/* A board that counts on needs no time: its first sample is taken at once. */
static void a_counter_that_went_on_waits_for_nothing(void **state)
{
    (void)state;
    struct station s;
    set_up(&s, false, 1);
    run(&s, 300);
    unplug(&s);
    s.sent = 400;
    run(&s, 401);
    assert_int_equal(s.n, 301);
    assert_int_equal(s.gap.count, 100);
    assert_false(s.gap.estimated);
    plate_intake_done(&s.in);
}

/* Whatever ends the wait early: what was held back is taken. */
static void nothing_that_is_held_back_is_lost(void **state)
{
    (void)state;
    struct station s;
    set_up(&s, false, 1);
    run(&s, 300);
    unplug(&s);
    s.sent = s.powered_at = 400;
    run(&s, 405);
    assert_int_equal(s.n, 300);
    assert_true(s.in.held);
    unplug(&s); /* again, before it was known */
    assert_int_equal(s.n, 305);
    assert_in_range(s.gap.count, 99, 120);
    s.sent = s.powered_at = 500;
    run(&s, 505);
    plate_intake_restart(&s.in); /* a recording begins */
    s.epoch.set = false;
    run(&s, 506);
    assert_int_equal(s.n, 311);
    assert_int_equal(s.gaps, 1);
    assert_int_equal(s.number[305], 0);
    /* a fast board fills what there is room for: the wait ends */
    unplug(&s);
    s.sent = s.powered_at = 600;
    s.rate_Hz = 1e5;
    s.busy_s = 0;
    s.read_ns = 0;
    run(&s, 600 + 2000);
    assert_false(s.in.held);
    assert_int_equal(s.n, 2311);
    for (unsigned i = 1; i < s.n; i++) assert_true(s.taken[i] > s.taken[i - 1] && (i == 305 || s.number[i] > s.number[i - 1]));
    plate_intake_done(&s.in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holes_without_a_counter_are_right_to_a_sample),
        cmocka_unit_test(a_counter_that_went_on_waits_for_nothing),
        cmocka_unit_test(nothing_that_is_held_back_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
