/* The offset of two clocks: the truth lies within the bound, however unlike the ways there and back are. */
#include "clock_offset.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define START_NS INT64_C(1700000000000000000)
enum { MS = 1000000 };

/* Two machines: the other one's clock reads now + ahead, and ahead drifts. */
struct pair {
    int64_t now_ns;
    double ahead_ns, drift_ppm;
};

static void wait_ns(struct pair *p, int64_t ns)
{
    p->now_ns += ns;
    p->ahead_ns += (double)ns * p->drift_ppm * 1e-6;
}

static int64_t ask(struct pair *p, struct clock_offset *c, int64_t out_ns, int64_t back_ns)
{
    struct clock_exchange e = {.sent_ns = p->now_ns};

    wait_ns(p, out_ns);
    e.there_ns = p->now_ns + llround(p->ahead_ns);
    wait_ns(p, back_ns);
    e.received_ns = p->now_ns;
    clock_offset_add(c, &e);
    return e.received_ns - e.sent_ns;
}

static void assert_within(const struct pair *p, const struct clock_offset *c)
{
    int64_t ahead_ns, uncertain_ns;

    assert_true(clock_offset_get(c, &ahead_ns, &uncertain_ns));
    assert_true(uncertain_ns >= 0);
    if (fabs((double)ahead_ns - p->ahead_ns) > (double)uncertain_ns + 1)
        fail_msg("%lld ± %lld ns, and the truth is %.0f", (long long)ahead_ns, (long long)uncertain_ns, p->ahead_ns);
}

static int64_t uncertainty(const struct clock_offset *c)
{
    int64_t ahead_ns, uncertain_ns;

    assert_true(clock_offset_get(c, &ahead_ns, &uncertain_ns));
    return uncertain_ns;
}

static void knows_nothing_at_first(void **state)
{
    struct clock_offset c = {0};
    int64_t a = 7, b = 7;

    (void)state;
    assert_false(clock_offset_get(&c, &a, &b));
    assert_true(a == 7 && b == 7);
}

static void holds_one_way_delay(void **state)
{
    struct pair p = {START_NS, 3.0 * MS, 0};

    (void)state;
    for (int to = 0; to < 2; to++) { /* all of the round trip on the way there, then all on the way back */
        struct clock_offset c = {0};
        ask(&p, &c, to ? 40 * MS : 0, to ? 0 : 40 * MS);
        assert_in_range(uncertainty(&c), 20 * MS, 20 * MS + 40 * MS / 1000);
        assert_within(&p, &c);
    }
}

/* Each way alone is at times fast: together they say more than the fastest round trip does. */
static void unlike_ways_narrow_it(void **state)
{
    struct pair p = {START_NS, -250.0 * MS, 0};
    struct clock_offset c = {0};

    (void)state;
    ask(&p, &c, MS, 30 * MS);
    ask(&p, &c, 30 * MS, MS);
    assert_within(&p, &c);
    assert_true(uncertainty(&c) < 2 * MS);
}

static void truth_is_within_the_bound(void **state)
{
    unsigned seed = getenv("SEED") ? (unsigned)strtoul(getenv("SEED"), NULL, 10) : (unsigned)time(NULL);

    (void)state;
    print_message("SEED=%u\n", seed);
    for (int run = 0; run < 300; run++) {
        struct pair p = {START_NS, (rand_r(&seed) % 2000001 - 1000000) * 1e3, rand_r(&seed) % 1801 - 900.0};
        struct clock_offset c = {0};
        int64_t least_ns = INT64_MAX;
        int out_ms = 1 + rand_r(&seed) % 200, back_ms = 1 + rand_r(&seed) % 200;
        for (int i = 0; i < 50; i++) {
            int64_t rtt_ns = ask(&p, &c, rand_r(&seed) % (out_ms * MS), rand_r(&seed) % (back_ms * MS));
            if (rtt_ns < least_ns) least_ns = rtt_ns;
            assert_within(&p, &c);
            if (i < CLOCK_EXCHANGES) /* no wider than the fastest round trip, and its age, say */
                assert_true(uncertainty(&c) <= least_ns / 2 + (int64_t)(i + 1) * (1400 * MS / 1000));
            wait_ns(&p, 1000 * MS);
        }
    }
}

static void a_clock_that_is_set_is_noticed(void **state)
{
    struct pair p = {START_NS, 0, 0};
    struct clock_offset c = {0};

    (void)state;
    for (int i = 0; i < 40; i++) {
        if (i == 20) p.ahead_ns += 5000.0 * MS;        /* theirs */
        if (i == 25) p.ahead_ns -= 3600 * 1000.0 * MS; /* back */
        if (i == 30) {                                 /* ours, back */
            p.now_ns -= 60000LL * MS;
            p.ahead_ns += 60000.0 * MS;
        }
        ask(&p, &c, 2 * MS, MS);
        assert_within(&p, &c);
        wait_ns(&p, 1000 * MS);
    }
}

static void passes_over_what_cannot_be(void **state)
{
    static const struct clock_exchange bad[] = {{START_NS, START_NS, START_NS - 1},  {START_NS, INT64_MAX, START_NS + 1},
                                                {START_NS, INT64_MIN, START_NS + 1}, {-1, START_NS, START_NS},
                                                {START_NS, -1, START_NS + 1},        {START_NS, START_NS, INT64_MAX}};
    struct pair p = {START_NS, 7.0 * MS, 0};
    struct clock_offset c = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) clock_offset_add(&c, &bad[i]);
    assert_false(clock_offset_get(&c, &(int64_t){0}, &(int64_t){0}));
    ask(&p, &c, MS, MS);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) clock_offset_add(&c, &bad[i]);
    assert_in_range(uncertainty(&c), MS, MS + 2 * MS / 1000);
    assert_within(&p, &c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_nothing_at_first),         cmocka_unit_test(holds_one_way_delay),
        cmocka_unit_test(unlike_ways_narrow_it),          cmocka_unit_test(truth_is_within_the_bound),
        cmocka_unit_test(a_clock_that_is_set_is_noticed), cmocka_unit_test(passes_over_what_cannot_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
