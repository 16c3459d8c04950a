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
    double tick_s;          /* seconds per device tick; 0: the device has no clock */
};

struct plate_timebase { /* embed freely; touch only through plate_timebase_*() */
    struct plate_timebase_config cfg;
    struct plate_clock knot; /* in force now */
    bool started;
    uint64_t next_sample; /* number of the next sample */
    /* device */
    bool have_prev;
    uint64_t prev_seq, prev_ticks;
    double dev_s; /* device time of the latest sample since the start of this stretch */
    /* rate */
    uint64_t rate_sample;
    double rate_y_s;
    double period_s;
    uint64_t next_knot_at;
    double integ;
    bool phase_known;
    /* host envelope */
    int64_t host0_ns;
    double env_min_s, env_first_s, env_prev_s;
    double env_prev_at_s, env_start_s;
    unsigned env_windows;
    double drift_s; /* host minus device, as followed */
    double target_drift_s;
    bool rate_mismatch;
    /* last host arrival, for gaps of devices without a clock */
    int64_t last_host_ns;
    bool reopened;
    enum plate_gap_reason reopen_reason;
};

PLATE_API int plate_timebase_init(struct plate_timebase *tb, const struct plate_timebase_config *cfg);
/* Starts the axis: the next frame is sample 0 at t_s = start_s (0 for the first plate of a recording). */
PLATE_API void plate_timebase_start(struct plate_timebase *tb, double start_s, int64_t host_ns, int64_t utc_ns);
/* The number of the frame; true and *ret_gap if samples are missing before it. */
PLATE_API bool plate_timebase_number(struct plate_timebase *tb, const struct plate_frame *f, int64_t host_ns,
                                     uint64_t *ret_sample, struct plate_gap *ret_gap);
/* After the frames of one read: true and *ret_knot (in force from the next sample on) when the axis bends. */
PLATE_API bool plate_timebase_read_done(struct plate_timebase *tb, int64_t host_ns, int64_t utc_ns,
                                        struct plate_clock *ret_knot);
/* The port went away and is back: the hole is measured in host time when the next frame comes. */
PLATE_API void plate_timebase_reopened(struct plate_timebase *tb);
/* The measured rate, 0 until a second has been seen. */
PLATE_API double plate_timebase_rate_Hz(const struct plate_timebase *tb);

#ifdef __cplusplus
}
#endif
