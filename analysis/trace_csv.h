/* analysis/trace_csv.h - a CSV of forces or counts as one table, the marks that go with it, and its time axis.
 * No I/O but trace_read_file; allocates; any thread. docs/plate-trace.md has the grammar. */
#pragma once
#include "plate/event.h"
#include "plate/types.h"

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
/* The whole of a file, with a NUL after it. -errno. */
int trace_read_file(const char *path, char **ret_text, size_t *ret_n);
/* `text` has a NUL at text[n]. -EBADMSG: *ret_error says where and why. A last line that is cut short is an error unless
 * allow_truncated. */
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
