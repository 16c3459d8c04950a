/* plate/timebase.h - which number a sample has, and at what time it was taken.
 * Pure: no I/O, reads no clock (arrival times are handed in), no allocation. One per plate, one thread.
 *
 * Numbers come from the device's sequence where there is one, else from its clock, else from the host's.
 * Times come from the numbers: t_s is a continuous, piecewise linear function of the sample number, whose
 * slope follows the device's clock and, slowly, the host's (the lower envelope of arrival minus device time,
 * because USB adapters deliver in bursts of up to 16 ms). Nothing upstream of a knot changes afterwards, so
 * whoever has the knots has the times. */
#pragma once
#include "decode.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct plate_timebase_config {
    double nominal_rate_Hz; /* > 0 */
    double tick_s; /* seconds per device tick; 0: the device has no clock. Until a frame has ticks, the host's is used */
};

struct plate_timebase { /* embed freely; touch only through plate_timebase_*() */
    struct plate_timebase_config cfg;
    struct plate_clock knot; /* in force now */
    bool started, have_prev, reopened;
    bool clocked;         /* frames have had ticks */
    uint64_t next_sample; /* number of the next sample */
    uint64_t prev_seq, prev_ticks;
    int64_t last_host_ns;
    /* The earliest arrival by the rate, in this window and the one before: when any other should have come, however late it
     * did. */
    struct plate_timebase_arrival {
        uint64_t sample;
        double s; /* INFINITY: none */
    } early, early_before;
    double early_since_s;
    /* A late stamp is either a hole or jitter: the next few stamps tell (a device with a clock and no sequence). */
    unsigned suspected, suspect_told; /* stamps since, 0: none; those of them that came in time */
    double suspect_ref_s, suspect_late_s;
    /* Where the axis should go: points (sample, time) from the device's clock, or the host's. */
    double tick_offset_s; /* target time = ticks * tick_s + tick_offset_s + drift */
    bool have_anchor;
    uint64_t anchor_sample;
    double anchor_s;
    double anchor_late_s; /* host only: how late the anchor came, for the lower envelope */
    bool have_base;       /* the far end of the rate's baseline */
    uint64_t base_sample;
    double base_s, start_s;
    double period_s; /* the rate, as measured */
    uint64_t next_knot_at, knot_interval;
    /* How the host's clock runs against the device's. */
    int64_t host0_ns;
    bool window_open;
    unsigned windows;
    double window_start_s, window_min_s, window_min_at_s, last_min_s, last_min_at_s;
    double first_min_s, first_min_after_s, first_rate; /* the first window: what it says is latency, not drift */
    double drift_s, drift_rate, drift_pending_s;
    bool rate_mismatch;
};

PLATE_API int plate_timebase_init(struct plate_timebase *tb, const struct plate_timebase_config *cfg);
/* Starts the axis: the next frame is sample 0 at t_s = start_s (0 for the first plate of a recording).
 * tb->knot is then the first knot. */
PLATE_API void plate_timebase_start(struct plate_timebase *tb, double start_s, int64_t host_ns, int64_t utc_ns);
/* The number of the frame; true and *ret_gap if samples are missing before it. host_ns: when it arrived; in a read of several
 * frames, each a period after the one before, the last one when the read returned. Where plate_timebase_by_host(), the hole is
 * measured from when the last sample should have come to host_ns: it is as right as host_ns is. */
PLATE_API bool plate_timebase_number(struct plate_timebase *tb, const struct plate_frame *f, int64_t host_ns,
                                     uint64_t *ret_sample, struct plate_gap *ret_gap);
/* After the frames of one read: true and *ret_knot (in force from the next sample on) when the axis bends. */
PLATE_API bool plate_timebase_read_done(struct plate_timebase *tb, int64_t host_ns, int64_t utc_ns,
                                        struct plate_clock *ret_knot);
/* The port went away and is back: the hole is measured when the next frame comes, */
PLATE_API void plate_timebase_reopened(struct plate_timebase *tb);
/* in host time, unless the device has counted on: is it so, by the first frame after it? */
PLATE_API bool plate_timebase_by_host(const struct plate_timebase *tb, const struct plate_frame *f, int64_t host_ns);
/* The measured rate, 0 until a second has been seen. */
PLATE_API double plate_timebase_rate_Hz(const struct plate_timebase *tb);
/* True while device and host disagree by more than 1000 ppm: the device's clock is then followed alone. */
PLATE_API bool plate_timebase_rate_mismatch(const struct plate_timebase *tb);

#ifdef __cplusplus
}
#endif
