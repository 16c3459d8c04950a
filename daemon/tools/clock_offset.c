#include "clock_offset.h"
#include <stdlib.h>

#define LATEST_NS (INT64_MAX / 5 * 2) /* in 2086: sums and differences of two times fit */

struct interval {
    int64_t low_ns, high_ns;
};

/* What an exchange says of a moment at or after it. */
static struct interval said_by(const struct clock_exchange *e, int64_t now_ns)
{
    int64_t drift_ns = (now_ns - e->sent_ns) / (1000000 / CLOCK_DRIFT_PPM);

    return (struct interval){e->there_ns - e->received_ns - drift_ns, e->there_ns - e->sent_ns + drift_ns};
}

/* What all that are kept say together of the latest one's moment; empty (low > high) where they contradict each other. */
static struct interval said_by_all(const struct clock_offset *c)
{
    int64_t now_ns = c->kept[(c->n - 1) % CLOCK_EXCHANGES].received_ns;
    struct interval all = {INT64_MIN, INT64_MAX};

    for (unsigned i = 0; i < c->n && i < CLOCK_EXCHANGES; i++) {
        struct interval one = said_by(&c->kept[i], now_ns);
        if (one.low_ns > all.low_ns) all.low_ns = one.low_ns;
        if (one.high_ns < all.high_ns) all.high_ns = one.high_ns;
    }
    return all;
}

static bool is_time(int64_t utc_ns) { return utc_ns >= 0 && utc_ns <= LATEST_NS; }

void clock_offset_add(struct clock_offset *c, const struct clock_exchange *e)
{
    const struct clock_exchange *last = &c->kept[(c->n - 1) % CLOCK_EXCHANGES];
    struct interval all;

    if (!is_time(e->sent_ns) || !is_time(e->there_ns) || !is_time(e->received_ns) || e->received_ns < e->sent_ns) return;
    if (c->n > 0 && e->received_ns < last->received_ns) c->n = 0; /* this machine's clock was set back */
    c->kept[c->n++ % CLOCK_EXCHANGES] = *e;
    all = said_by_all(c);
    if (all.low_ns <= all.high_ns) return;
    c->kept[0] = *e;
    c->n = 1;
}

bool clock_offset_get(const struct clock_offset *c, int64_t *ret_ahead_ns, int64_t *ret_uncertain_ns)
{
    struct interval all;

    if (c->n == 0) return false;
    all = said_by_all(c);
    *ret_uncertain_ns = (all.high_ns - all.low_ns + 1) / 2;
    *ret_ahead_ns = all.low_ns + (all.high_ns - all.low_ns) / 2;
    return true;
}

bool clock_is_off(int64_t apart_ns, int64_t uncertain_ns) { return llabs(apart_ns) - uncertain_ns > CLOCK_BOUND_NS; }
