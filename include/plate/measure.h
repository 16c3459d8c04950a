/* plate/measure.h - what a still stretch of samples says: mean and SD of every cell, and whether it was still.
 * Pure: no I/O, no clock, no allocation. Values; any thread. */
#pragma once
#include "calibrate.h"

#ifdef __cplusplus
extern "C" {
#endif

struct plate_measurement {
    unsigned cells;
    size_t rows;
    double mean[PLATE_MAX_CELLS], sd[PLATE_MAX_CELLS]; /* counts * count_scale */
    double Fz_N, Fz_sd_N;                              /* by the calibration handed in, its tare included */
    double Fz_step_N;                                  /* second half less first half */
};

/* Of a ring of counts [rows][cells] whose oldest row is `oldest`; at least two rows. */
PLATE_API void plate_measure(const struct plate_calibration *c, const int32_t *counts, size_t rows, size_t oldest,
                             struct plate_measurement *ret);
/* Nothing moves: SD and step of the force are at most PLATE_STILL_N. */
#define PLATE_STILL_N 5.0
PLATE_API bool plate_measurement_still(const struct plate_measurement *m);

/* Can it be the zero? 0; -EAGAIN: it is not still; -EBUSY: something stands on the plate: more than PLATE_TARE_MOST_N, or,
 * where the zero was known before (by a tare, or an offset of the configuration), more than PLATE_TARE_KNOWN_N. */
#define PLATE_TARE_MOST_N 200.0
#define PLATE_TARE_KNOWN_N 30.0
PLATE_API int plate_tare_check(const struct plate_measurement *m, bool zero_known);

#ifdef __cplusplus
}
#endif
