/* Any bytes as a CSV and as marks: taken, or refused with one line; what is taken rises in time and gets a time axis that
 * gives every row its own time. */
#include "../../analysis/trace_csv.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void must(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "fuzz_trace_csv: %s\n", what);
    abort();
}

static void check_axis(const struct trace_table *t)
{
    struct trace_axis a;
    if (trace_axis_fit(t, &a) < 0) return;
    bool exact = t->t_decimals <= 6 && fabs(t->t_s[0]) < 1e6 && fabs(t->t_s[t->rows - 1]) < 1e6;
    for (size_t i = 0, k = 0; i < t->rows; i++) {
        must(i == 0 || a.sample[i] > a.sample[i - 1], "sample numbers do not rise");
        while (k + 1 < a.knots && a.knot[k + 1].sample <= a.sample[i]) k++;
        double off = fabs(plate_clock_t_s(&a.knot[k], a.sample[i]) - t->t_s[i]);
        must(!exact || off <= 0.5 * pow(10, -t->t_decimals), "a row lost its time");
    }
    trace_axis_done(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct trace_table t; /* large */
    struct trace_error e = {0};
    struct plate_mark *mark;
    size_t marks;
    char *text = malloc(n + 1);
    if (!text) return 0;
    memcpy(text, bytes, n);
    text[n] = '\0';
    int rc = trace_csv_parse(text, n, n % 2, &t, &e);
    if (rc == 0) {
        must(t.rows > 0 && t.columns > 0, "an empty table was taken");
        for (size_t i = 1; i < t.rows; i++) must(t.t_s[i] > t.t_s[i - 1], "time does not rise");
        for (size_t i = 0; i < t.rows * t.columns; i++) must(isfinite(t.value[i]), "a value is no number");
        check_axis(&t);
        trace_table_done(&t);
    }
    must(rc != -EBADMSG || *e.text, "no reason is given");
    rc = trace_marks_parse(text, n, &mark, &marks, &e);
    for (size_t i = 1; rc == 0 && i < marks; i++) must(mark[i].t_s >= mark[i - 1].t_s, "marks are out of order");
    if (rc == 0) free(mark);
    free(text);
    return 0;
}
