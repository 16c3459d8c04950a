/* analysis/trace_import.h - an import under way: what trace_columns.c makes of the columns, trace_import.c writes.
 * Private to these two. */
#pragma once
#include "config.h"
#include "trace.h"

struct import {
    const struct trace_import *opt;
    struct trace_import_result *ret;
    char *error; /* of the caller; import_fail writes it */
    size_t error_size;
    unsigned warnings;
    struct trace_table table;
    struct trace_axis axis;
    struct plate_mark *mark;
    size_t marks;
    struct config config;
    struct plate_station_config station_config;
    struct recording recording;
    struct plate_calibration calibration[PLATE_MAX_PLATES];
    double to_count[PLATE_MAX_PLATES];                  /* a value of the file times this is what is stored */
    unsigned column[PLATE_MAX_PLATES][PLATE_MAX_CELLS]; /* of the table, by plate and cell */
    double scale[TRACE_MAX_COLUMNS];                    /* --scale by column; NaN: not given */
    char tmp[4096];
    struct archive_writer *writer;
    struct plate_station *station;
    uint64_t lsn;
    int write_error; /* the first, from within the station's events */
    struct archive_error archive_error;
};

/* Fills the caller's error text; returns `error`. */
int import_fail(struct import *im, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
void import_warn(struct import *im, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* From the table: --scale by column, the configuration (read, or made from the columns), the station and the recording that it
 * makes, and for each plate its columns, its calibration and its decimals. */
int import_columns(struct import *im);
