/* plate/calibrate.h - from counts to newtons, and to the centre of pressure.
 * Pure: no I/O, no clock, no allocation. A calibration is a value: copy it freely.
 *
 *   F = M * (counts * count_scale - tare)        M: components x cells, tare: one per cell
 *
 * A per-cell gain and offset is the same thing: M = gains in the row Fz, tare = offsets. */
#pragma once
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct plate_calibration {
    unsigned cells;      /* 1..PLATE_MAX_CELLS */
    unsigned components; /* 1: Fz; 6: Fx Fy Fz Mx My Mz (forces in N, moments in N*m) */
    double count_scale;
    double tare[PLATE_MAX_CELLS]; /* in scaled counts */
    double matrix[PLATE_MAX_COMPONENTS][PLATE_MAX_CELLS];
    double surface_z_mm; /* six components: height of the surface over the sensor's origin, z up */
};

struct plate_force {
    double Fz_N;
    double cop_x_mm, cop_y_mm;      /* NaN: no geometry that supports it, or Fz below PLATE_COP_MIN_N */
    double cell_N[PLATE_MAX_CELLS]; /* each cell's part of Fz; 0: no such cell */
};
/* Where the cells of a plate stand, and which coordinates of the centre of pressure that can tell. */
struct plate_geometry {
    double x_mm[PLATE_MAX_CELLS], y_mm[PLATE_MAX_CELLS];
    bool has_x, has_y;
};
#define PLATE_COP_MIN_N 10.0 /* Tec Gihan's gate: below it the quotient is noise */

/* -EINVAL: cells, components or a number out of range (not finite, zero scale, a row Fz of zeros). */
PLATE_API int plate_calibration_check(const struct plate_calibration *c);
/* Unit gain on every cell, no tare: one scaled count is one newton. */
PLATE_API void plate_calibration_identity(struct plate_calibration *c, unsigned cells, double count_scale);
/* The matrix row of the vertical force: newtons per scaled count of each cell. */
PLATE_API const double *plate_calibration_Fz_row(const struct plate_calibration *c);
/* Cells that all stand on one line along an axis give the coordinate along it; on any other line, in places unknown, or fewer
 * than two: none. n is 1..PLATE_MAX_CELLS. */
PLATE_API void plate_geometry_init(struct plate_geometry *g, const struct plate_cell *cells, unsigned n);
/* One row of counts to forces. `g` is of the same cells; NULL: no centre of pressure from corners.
 * Corners: x = sum(x_i*f_i)/sum(f_i), the general form of domain formula x = W/2*((FR+BR)-(FL+BL))/sum.
 * Six components: x = -(My - Fx*h)/Fz, y = (Mx + Fy*h)/Fz with z up and h the surface over the origin
 * (force-plate makers write +Fx*az, z down: docs/architecture.md derives both). */
PLATE_API void plate_calibrate(const struct plate_calibration *c, const struct plate_geometry *g, const int32_t *counts,
                               struct plate_force *ret);

#ifdef __cplusplus
}
#endif
