/* analysis/trace.h - what plate-trace is made of. One thread: HDF5 is not thread-safe.
 * Every function that can fail returns 0 or -errno and fills a one-line text; only plate-trace.c prints and exits. */
#pragma once
#include "archive.h"
#include "plate/station.h"
#include <jansson.h>

/* ---- trace_csv.c: a CSV of forces or counts as one table, and its time axis; no I/O but reading a file ---- */
struct trace_error {
    size_t line;    /* 1-based; 0: none */
    char text[256]; /* what, and what to do */
};
enum { TRACE_MAX_COLUMNS = PLATE_MAX_PLATES * PLATE_MAX_CELLS };
struct trace_column {
    char header[2 * PLATE_NAME_SIZE + 8]; /* as it stands in the file */
    char plate[PLATE_NAME_SIZE], cell[PLATE_NAME_SIZE];
    bool counts;    /* NAME_counts; else NAME_N */
    int decimals;   /* the most that a value has */
    double highest; /* of the magnitudes */
};
struct trace_table {
    size_t rows;
    int t_decimals;
    double *t_s; /* strictly rising */
    unsigned columns;
    struct trace_column column[TRACE_MAX_COLUMNS];
    double *value;         /* [rows][columns] */
    size_t truncated_line; /* the last line is cut short, and was left out; 0: it is whole */
};
/* The whole of a file, with a NUL after it. -errno of open and read, -EFBIG. */
int trace_read_file(const char *path, char **ret_text, size_t *ret_n);
/* -EBADMSG: *ret_error says where and why. A last line that is cut short is an error unless allow_truncated. */
int trace_csv_parse(const char *text, size_t n, bool allow_truncated, struct trace_table *ret, struct trace_error *ret_error);
void trace_table_done(struct trace_table *t);
/* MARKS.csv: t_s,kind,value. *ret_marks is malloced and in order of time. */
int trace_marks_parse(const char *text, size_t n, struct plate_mark **ret_marks, size_t *ret_n, struct trace_error *ret_error);

struct trace_axis {
    double period_s;  /* the median step */
    double rate_Hz;   /* from the mean of the steps that are no gaps */
    uint64_t *sample; /* [rows] numbers: a step above 1.5 periods is a gap of round(step / period) - 1 samples */
    struct plate_clock *knot;
    size_t knots;
};
/* A continuous axis that gives every row its own t_s, to within half of the file's last decimal. -ENOMEM, or
 * -EDOM: fewer than two rows, or a gap too long to number. */
int trace_axis_fit(const struct trace_table *t, struct trace_axis *ret);
void trace_axis_done(struct trace_axis *a);

/* ---- trace_import.c ---- */
struct trace_scale {
    const char *column;
    double N_per_count;
};
struct trace_import {
    const char *in, *out, *marks, *config, *exercise; /* the last three may be NULL */
    const struct trace_scale *scale;
    unsigned scales;
    double width_mm, length_mm; /* between corner cells, where no configuration says it */
    bool allow_truncated, force;
};
struct trace_import_result {
    uint64_t samples, missing; /* of each plate */
    unsigned plates, reps;
    size_t truncated_line; /* left out */
    char warning[3][256];  /* "" where there is none */
};
/* ret_error is "FILE:LINE: what, and what to do". On failure nothing is left at `out`. */
int trace_import(const struct trace_import *in, struct trace_import_result *ret, char *ret_error, size_t error_size);

/* ---- trace_export.c ---- */
struct trace_export {
    const char *path, *out; /* out "-": standard output */
    const char *plate;      /* NULL: all of them */
    bool json, counts;      /* else CSV, in newtons */
};
/* On failure nothing new is left at `out`. */
int trace_export(const struct trace_export *opt, char *ret_error, size_t error_size);

/* {"recording": {...}, "plates": [{..., "samples", "lost"}]}, without the configuration's text. NULL: out of memory. */
json_t *trace_describe(struct archive_reader *r);

/* ---- trace_verify.c ---- */
/* Checks the file (archive_verify), recomputes its events and holds them against the stored rows by their JSON bytes.
 * `breach` gets each breach in words. 0: sound, and ret_account says so in a line; -EBADMSG: breached; other -errno:
 * it cannot be read, ret_error says why. */
int trace_verify(const char *path, void (*breach)(void *user, const char *text), void *user, char *ret_account,
                 size_t account_size, char *ret_error, size_t error_size);

/* ---- trace_replay.c ---- */
/* Rebuilds the station from @config and feeds it everything of the archive in order; the sink gets the events. */
int trace_replay(struct archive_reader *a, const struct plate_station_sink *sink, char *ret_error, size_t error_size);
