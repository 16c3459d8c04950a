/* plate/preview.h - a plate's samples, decimated for the eye: what each 20 ms say. Bins lie on the recording's time axis, so
 * those of several plates, and those recomputed from an archive, are the same ones. Pure: no I/O, no clock, no allocation. One
 * for each plate, one thread. */
#pragma once
#include "calibrate.h"

#ifdef __cplusplus
extern "C" {
#endif

struct plate_preview_bin {
    int64_t index;    /* it holds what has index * interval_us <= t < (index + 1) * interval_us */
    uint64_t sample;  /* number of its first sample */
    uint64_t samples; /* in it, at least 1 */
    uint64_t missing; /* in it, and before it since the sample before */
    double Fz_min_N, Fz_mean_N, Fz_max_N;
    double cop_x_mm, cop_y_mm; /* means of the samples that have one; NaN: none has */
};
struct plate_preview { /* embed freely; touch only through plate_preview_*() */
    int64_t interval_us;
    struct plate_preview_bin bin; /* under way, with sums in the place of means; samples 0: none is */
    uint64_t forces, cops_x, cops_y;
    uint64_t next_sample;
    bool begun;
};

/* -EINVAL: interval_us is not positive. */
PLATE_API int plate_preview_init(struct plate_preview *p, int64_t interval_us);
/* Feeds one sample; its time counts in whole microseconds. True when it is the first behind a bin, which is then (and only
 * then) stored in *ret. A bin without a sample is never told. */
PLATE_API bool plate_preview_push(struct plate_preview *p, uint64_t sample, double t_s, const struct plate_force *f,
                                  struct plate_preview_bin *ret);
/* No more samples: the bin under way, if there is one. What comes next is another recording. */
PLATE_API bool plate_preview_end(struct plate_preview *p, struct plate_preview_bin *ret);

#ifdef __cplusplus
}
#endif
