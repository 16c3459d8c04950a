/* plate/cell.h - is every load cell of a plate sound, and where is its zero? Looks at raw counts, a window of about a second
 * at a time, and says nothing that an empty or an idle plate could make it say. docs/cells.md has the thresholds with their
 * reasons. Pure: no I/O, no clock, no allocation. One per plate, one thread. */
#pragma once
#include "calibrate.h"

#ifdef __cplusplus
extern "C" {
#endif

enum plate_cell_fault {
    PLATE_CELL_SOUND,
    PLATE_CELL_SATURATED,    /* at the end of its range */
    PLATE_CELL_STUCK,        /* the same count, whatever the load or the noise does */
    PLATE_CELL_DISCONNECTED, /* noise, but nothing of the load */
    PLATE_CELL_NOISY,        /* far noisier than its neighbours, or than it was */
    PLATE_CELL_FAULTS
};
PLATE_API const char *plate_cell_fault_name(enum plate_cell_fault fault); /* sound saturated ...; NULL: out of range */

/* The empty plate: the first quiet window near zero since the calibration in force, and the last one. */
struct plate_zero {
    unsigned windows;             /* 0: never empty, nothing below is known */
    uint64_t first_row, last_row; /* rows seen when these windows ended */
    double first_N, last_N;       /* mean Fz; last - first is the drift */
    double first_cell_N[PLATE_MAX_CELLS], last_cell_N[PLATE_MAX_CELLS];
};

struct plate_cell_state {       /* of one cell; touch only through plate_cells_*() */
    double sum, square, lagged; /* this window: counts; second differences, and times the one before */
    int32_t last[2];
    double last_bend;
    unsigned changes, rail_run, rail_longest;
    double step_sum, anchor_N;          /* mean before the loading that is waited for */
    bool moved;                         /* since the loadings below began */
    unsigned silent, white_windows;     /* loadings that it did not follow; windows of plain noise */
    unsigned noisy, calm;               /* windows in a row */
    unsigned still;                     /* samples without a change */
    double least_change, least_noise_N; /* of the windows so far: part of the samples that changed; noise */
    double noise_N;                     /* of the last window: SD, from second differences */
    enum plate_cell_fault fault;
};
struct plate_cells {                 /* embed freely; touch only through plate_cells_*() */
    unsigned cells, rows, step_rows; /* rows of a window; of a mean in which loads are compared */
    int32_t limit_counts;
    double gain_N[PLATE_MAX_CELLS], zero_N[PLATE_MAX_CELLS]; /* Fz = sum of gain * count - zero */
    unsigned row, step_row, have;                            /* in this window; rows since the last hole, up to 2 */
    uint64_t seen;
    double force_sum_N, force_square_N2;
    bool have_anchor;
    struct plate_cell_state cell[PLATE_MAX_CELLS];
    struct plate_zero zero;
};

/* -EINVAL: cells, rate or limit make no sense. limit_counts: where the cells saturate; 0: not known, and only the ends of 16,
 * 24 and 32 bits count as such. */
PLATE_API int plate_cells_init(struct plate_cells *c, unsigned cells, double rate_Hz, int32_t limit_counts);
/* Before the first sample, and when it changes: the zero starts anew. */
PLATE_API void plate_cells_calibration(struct plate_cells *c, const struct plate_calibration *calibration);
/* n rows of counts without a hole between them. Returns a bit for every cell whose fault has changed. */
PLATE_API unsigned plate_cells_push(struct plate_cells *c, const int32_t *counts, size_t n);
/* Samples are missing here, or the device began anew: nothing is compared across it. */
PLATE_API void plate_cells_gap(struct plate_cells *c);
PLATE_API enum plate_cell_fault plate_cells_fault(const struct plate_cells *c, unsigned cell);
PLATE_API double plate_cells_noise_N(const struct plate_cells *c, unsigned cell); /* SD; NaN before the first window */
PLATE_API const struct plate_zero *plate_cells_zero(const struct plate_cells *c);

#ifdef __cplusplus
}
#endif
