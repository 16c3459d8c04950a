/* plate/filter.h - causal Butterworth low-pass of any even order, as a cascade of double-precision biquads.
 * Pure: no I/O, no clock, no allocation. One filter per signal, one thread.
 * Design: analogue prototype, pre-warped bilinear transform (Oppenheim & Schafer, Discrete-Time Signal
 * Processing, 3rd ed., section 7.2); agrees with scipy.signal.butter(..., output="sos"). */
#pragma once
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLATE_FILTER_MAX_ORDER 8

struct plate_biquad {
    double b0, b1, b2, a1, a2; /* a0 = 1 */
    double s1, s2;             /* state, transposed direct form II */
};
struct plate_filter { /* embed freely; touch only through plate_filter_*() */
    struct plate_biquad section[PLATE_FILTER_MAX_ORDER / 2];
    unsigned sections;
    bool primed;
};

/* -EINVAL unless order is 2, 4, 6 or 8 and 0 < cutoff_Hz < rate_Hz / 2. */
PLATE_API int plate_filter_init(struct plate_filter *f, unsigned order, double cutoff_Hz, double rate_Hz);
/* One sample in, one out. The first sample after init or reset sets the steady state: no start-up transient.
 * What is not finite comes out as NaN and leaves the state alone. */
PLATE_API double plate_filter_push(struct plate_filter *f, double x);
PLATE_API void plate_filter_reset(struct plate_filter *f);
/* Group delay at zero frequency, in samples. */
PLATE_API double plate_filter_delay(const struct plate_filter *f);

#ifdef __cplusplus
}
#endif
