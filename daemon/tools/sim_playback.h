/* tools/sim_playback.h - a recording as `plate-trace import` takes it, read whole so that it can be played.
 * Values come out as integers that keep every decimal of the file, with the scale that says so. One thread. */
#pragma once
#include "plate/types.h"

struct sim_playback_plate {
    char name[PLATE_NAME_SIZE];
    unsigned cells;
    char cell[PLATE_MAX_CELLS][PLATE_NAME_SIZE];
    unsigned column[PLATE_MAX_CELLS]; /* of struct sim_playback: the cells of a plate need not stand together */
    unsigned decimals;                /* counts are the file's numbers times 10^decimals */
    bool rounded;                     /* the file has more decimals than 32-bit counts can keep */
};
struct sim_playback {
    unsigned plates, columns;
    struct sim_playback_plate plate[PLATE_MAX_PLATES];
    size_t rows;
    double *t_s;             /* rows, from 0 */
    uint64_t *slot;          /* rows: the device's sample number; a hole in t_s leaves numbers out */
    double *value;           /* rows x columns */
    double period_s;         /* median step */
    double rate_Hz;          /* slots over time */
    uint64_t holes, missing; /* holes, and the samples that they would have had */
};
struct sim_playback_error {
    char text[512]; /* "FILE:LINE: what, and what to do" */
};

/* -EINVAL: the file is not such a recording; other -errno of reading it. */
int sim_playback_load(const char *path, struct sim_playback **ret, struct sim_playback_error *ret_error);
void sim_playback_free(struct sim_playback *p); /* NULL is fine */
void sim_playback_counts(const struct sim_playback *p, size_t row, unsigned plate, int32_t *ret_counts);
