/* tools/clock_offset.h - how far another machine's clock is ahead of this one's, from questions and answers.
 * Pure: no I/O, no clock. One thread.
 *
 * A question leaves at sent_ns and its answer is back at received_ns of this machine's clock; in between, at a moment that is
 * not known, the other machine read its own: there_ns. So its clock is ahead by at least there - received and at most there -
 * sent, however unlike the two ways are. Each exchange says such an interval, as wide as its round trip; the truth is in all of
 * them. An old one is widened by what two clocks may have drifted apart since. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { CLOCK_EXCHANGES = 16, CLOCK_DRIFT_PPM = 1000 /* of two clocks that are being slewed, by 500 ppm each at most */ };

#define CLOCK_BOUND_NS                                                                                                         \
    INT64_C(20000000) /* clocks farther apart than this put samples of two stations one beside another wrongly */

struct clock_exchange {
    int64_t sent_ns, there_ns, received_ns;
};
struct clock_offset { /* zeros: nothing known */
    struct clock_exchange kept[CLOCK_EXCHANGES];
    unsigned n; /* all that were ever taken; kept[(n - 1) % CLOCK_EXCHANGES] is the latest */
};

/* Takes one exchange. One that contradicts those before it (a clock was set) makes them forgotten; one with a time before 1970
 * or after 2086, or received before it was sent, is passed over. A clock that was set by less than the uncertainty is noticed
 * when the exchanges before are forgotten in their turn. */
void clock_offset_add(struct clock_offset *c, const struct clock_exchange *e);
/* Surely farther apart than the bound, whatever the uncertainty. */
bool clock_is_off(int64_t apart_ns, int64_t uncertain_ns);
/* False before the first exchange. The truth is at *ret_ahead_ns ± *ret_uncertain_ns; positive: the other clock is ahead. */
bool clock_offset_get(const struct clock_offset *c, int64_t *ret_ahead_ns, int64_t *ret_uncertain_ns);
