/* stamp.h - the device's clock in a protocol that has no checksum: unwrapped, and doubted where it jumps.
 * Private to daemon/core/decode. */
#pragma once
#include "protocol.h"

struct stamp {
    uint64_t wrap_ticks; /* 0: it does not wrap */
    uint64_t sure_ticks, plausible_ticks;
    bool timed, doubted; /* `raw` and `ticks`, `doubt_raw` hold */
    bool begins;         /* the device said that it starts anew: the next stamp is believed */
    bool reopened;       /* the port was away: it may have started anew unheard */
    uint64_t raw, ticks, doubt_raw;
    uint64_t step; /* the latest: how far the next may go without a doubt */
};
/* bits: the counter wraps at 2^bits units of `scale` ticks; 0: never. */
void stamp_init(struct stamp *s, double tick_s, unsigned bits, uint64_t scale);
/* The port was away: the next step may be a long one, or back. */
void stamp_reopened(struct stamp *s);
/* Places the stamp of a frame: ticks, has_ticks, restarted. False: it steps much further than the ones before, or back, and is
 * a damaged digit until the next one steps on from there. */
bool stamp_place(struct stamp *s, uint64_t raw, struct plate_frame *f);
/* The place of something that is no sample and came about now: within `most` ticks of the last stamp. */
bool stamp_near(const struct stamp *s, uint64_t raw, uint64_t most, uint64_t *ret_ticks);
