/* plate/fit.h - a calibration from known weights at known places, by least squares.
 * Pure: no I/O, no clock, no allocation. Any thread.
 *
 * Of the rows of the matrix, known weights determine Fz, and, with their places, Mx and My: those are solved for, the others
 * stay. Each row is the calibration before, times one factor common to all cells, plus the least correction that explains the
 * weights (truncated singular values). So what the weights do not determine stays as it was in proportion, instead of running
 * away. */
#pragma once
#include "calibrate.h"

#ifdef __cplusplus
extern "C" {
#endif

struct plate_fit_load {
    double force_N;                /* what the weight weighs there: mass * g; > 0 */
    double x_mm, y_mm;             /* where its centre is; NaN: not said, both */
    double value[PLATE_MAX_CELLS]; /* mean of counts * count_scale, less that of the empty plate */
    double error_N, cop_error_mm;  /* out: of the new calibration; NaN: no place, no centre of pressure */
};
struct plate_fit {
    struct plate_calibration calibration; /* as before, with the rows found; tare untouched */
    double factor;                        /* common to all cells, of the calibration before */
    unsigned determined;                  /* combinations of cells that the weights tell apart, of `cells` */
    unsigned unsure;                      /* a bit for each cell that they do not: it keeps its share of the common factor */
    double rms_N, worst_N;                /* of error_N */
    double worst_cop_mm;                  /* NaN: no place */
    double nonlinearity_pct;              /* worst mean error of one weight, of the heaviest; NaN: all weights were alike */
    double corner_before_pct;             /* one weight at several places: how far its readings lie apart, of it, */
    double corner_pct;                    /* before (with the common factor) and now; NaN: no weight at several places */
};

/* Positions of cells (NaN: unknown) stand for the moments where `before` has none. -EINVAL: no loads, a force that is not
 * positive, a number that is not finite; -ENODATA: the cells do not move under the weights. *ret and the errors are untouched
 * then. */
PLATE_API int plate_fit(const struct plate_calibration *before, const struct plate_cell *cells, struct plate_fit_load *loads,
                        unsigned n, struct plate_fit *ret);

#ifdef __cplusplus
}
#endif
