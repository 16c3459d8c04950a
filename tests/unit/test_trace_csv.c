/* The importer's reading of CSV files, of marks, and the time axis that it fits. */
#include "../../analysis/trace_csv.h"
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct trace_table table;
static struct trace_error error;

static int parse(const char *text) { return trace_csv_parse(text, strlen(text), false, &table, &error); }

/* Refused at `line`, for a reason that has `word` in it. */
static void refused(const char *text, size_t line, const char *word)
{
    assert_int_equal(parse(text), -EBADMSG);
    if (error.line != line || !strstr(error.text, word)) fail_msg("line %zu: %s", error.line, error.text);
}

static void reads_columns(void **state)
{
    (void)state;
    assert_int_equal(parse("\xef\xbb\xbft_s, left.force_N ,\"right.force_counts\"\r\n0,1.5,-3\r\n0.01, 2.25 ,4\r\n\r\n"), 0);
    assert_int_equal(table.rows, 2);
    assert_int_equal(table.columns, 2);
    assert_int_equal(table.t_decimals, 2);
    const struct trace_column *c = table.column;
    assert_string_equal(c[0].plate, "left");
    assert_string_equal(c[0].cell, "force");
    assert_false(c[0].counts);
    assert_int_equal(c[0].decimals, 2);
    assert_true(c[1].counts && c[1].highest == 4);
    assert_string_equal(c[1].header, "right.force_counts");
    assert_true(table.value[0] == 1.5 && table.value[1] == -3 && table.value[2] == 2.25 && table.t_s[1] == 0.01);
    trace_table_done(&table);
}

static void reads_numbers_as_strtod_does(void **state)
{
    (void)state;
    unsigned seed = (unsigned)time(NULL);
    print_message("seed %u\n", seed);
    srand(seed);
    static const char *const forms[] = {"%.3f", "%.9f", "%g", "%.17g", "%.18e", "%+.2f", "%.0f"};
    for (int i = 0; i < 20000; i++) {
        char text[400], number[350];
        double v = ldexp((double)rand() / RAND_MAX - 0.5, rand() % 60 - 30);
        snprintf(number, sizeof number, forms[(size_t)rand() % (sizeof forms / sizeof *forms)], v);
        snprintf(text, sizeof text, "t_s,a_N\n0,%s\n", number);
        if (parse(text)) fail_msg("%s: %s", number, error.text);
        if (table.value[0] != strtod(number, NULL)) fail_msg("%s read as %.17g", number, table.value[0]);
        trace_table_done(&table);
    }
}

static void refuses_what_is_no_table(void **state)
{
    (void)state;
    refused("", 0, "empty");
    refused("t_s,a_N", 1, "no rows");
    refused("t_s,a_N\n", 1, "no rows");
    refused("t_s\n0\n", 1, "no column");
    refused("0.0,1\n0.1,2\n", 1, "no header");
    refused("t_s;a_N\n0;1\n", 1, "';'");
    refused("t_s,a\n0,1\n", 1, "no unit");
    refused("t_s,a b_N\n0,1\n", 1, "letters");
    refused("t_s,.a_N\n0,1\n", 1, "letters");
    refused("t_s,_N\n0,1\n", 1, "no unit");
    refused("t_s,a_N,a_counts\n0,1,2\n", 1, "twice");
    refused("t_s,a_N,plate.a_N\n0,1,2\n", 1, "twice");
    refused("t_s,abcdefghijklmnopqrstuvwxyz0123456789_N\n0,1\n", 1, "too long");
    refused("t_s,a_N,b_N,c_N,d_N,e_N,f_N,g_N,h_N,i_N\n", 1, "more than 8");
    char wide[4096] = "t_s";
    for (int i = 0; i < 33; i++) snprintf(wide + strlen(wide), 32, ",p%d.a_N", i);
    refused(wide, 1, "more than 32 plates");
}

static void refuses_bad_rows(void **state)
{
    (void)state;
    refused("t_s,a_N\n0,1\n1,x\n2,3\n", 3, "\"x\" in column a_N is not a number");
    refused("t_s,a_N\n0,1\n1,nan\n2,3\n", 3, "not a number");
    refused("t_s,a_N\n0,inf\n", 2, "not a number");
    refused("t_s,a_N\n0,0x10\n", 2, "not a number");
    refused("t_s,a_N\n0,1e999\n", 2, "not a number");
    refused("t_s,a_N\n0,1e\n", 2, "not a number");
    refused("t_s,a_N\n0,\n1,1\n", 2, "empty");
    refused("t_s,a_N\n0\n1,1\n", 2, "1 of 2 fields");
    refused("t_s,a_N\n0,1,2\n", 2, "more fields");
    refused("t_s,a_N\n0,1\n0,2\n", 3, "does not rise");
    refused("t_s,a_N\n1,1\n0.5,2\n", 3, "does not rise");
    refused("t_s,a_N\n0,1\n\n1,2\n", 3, "empty line");
}

static void knows_a_cut_line(void **state)
{
    (void)state;
    refused("t_s,a_N\n0.0,1.50\n0.1,1.5", 3, "cut short");
    refused("t_s,a_N,b_N\n0.0,1.50,2.50\n0.1,1.50", 3, "cut short");
    refused("t_s,a_counts\n0.0,123456\n0.1,1234", 3, "cut short");
    refused("t_s,a_N\n0.0,1.50\n0.1,", 3, "cut short");
    refused("t_s,a_N\n0.0,1.50\n0.", 3, "cut short");
    assert_int_equal(parse("t_s,a_N\n0.0,1.50\n0.1,1.75"), 0); /* whole, only without its line end */
    assert_int_equal(table.rows, 2);
    assert_int_equal(table.truncated_line, 0);
    trace_table_done(&table);
    static const char cut[] = "t_s,a_N\n0.0,1.50\n0.1,1.50\n0.2,1";
    assert_int_equal(trace_csv_parse(cut, sizeof cut - 1, true, &table, &error), 0);
    assert_int_equal(table.rows, 2);
    assert_int_equal(table.truncated_line, 4);
    trace_table_done(&table);
}

static int marks(const char *text, struct plate_mark **ret, size_t *n)
{
    return trace_marks_parse(text, strlen(text), ret, n, &error);
}

static void reads_marks(void **state)
{
    (void)state;
    struct plate_mark *m;
    size_t n;
    assert_int_equal(
        marks(
            "t_s,kind,value\r\n5,side,right\n0.0,side,left\n0,note,\"a, b\"\n1,warmup,1\n2,load_kg,40.5\n3,set_end\n4,set_end,",
            &m, &n),
        0);
    assert_int_equal(n, 7);
    assert_string_equal(m[0].value, "left"); /* in order of time, and of the file */
    assert_string_equal(m[1].value, "a, b");
    assert_string_equal(m[2].value, "true");
    assert_string_equal(m[4].kind, "set_end");
    assert_string_equal(m[5].value, "");
    assert_true(m[6].t_s == 5);
    free(m);
    static const char *const bad[] = {"0,side,top",
                                      "0,involved,both",
                                      "0,sied,left",
                                      "x,side,left",
                                      "0,side",
                                      "0,warmup,no",
                                      "0,load_kg,-3",
                                      "0,subject,",
                                      "0,body_mass_kg,0",
                                      "0,load_kg,40kg",
                                      "0,note",
                                      "0,set_end,now",
                                      "0"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (marks(bad[i], &m, &n) != -EBADMSG) fail_msg("taken: %s", bad[i]);
        assert_int_equal(error.line, 1);
    }
}

/* Every row gets its own time back, to the last digit, and no row too many is a knot. */
static void fits(const double *t_s, size_t n, int decimals, size_t most_knots)
{
    struct trace_table t = {.rows = n, .t_decimals = decimals, .t_s = (double *)t_s};
    struct trace_axis a;
    assert_int_equal(trace_axis_fit(&t, &a), 0);
    assert_true(a.knot[0].t_s == t_s[0] && a.sample[0] == 0);
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        while (k + 1 < a.knots && a.knot[k + 1].sample <= a.sample[i]) {
            assert_true(fabs(plate_clock_t_s(&a.knot[k], a.knot[k + 1].sample) - a.knot[k + 1].t_s) < 1e-9);
            k++;
        }
        double at = plate_clock_t_s(&a.knot[k], a.sample[i]), half = 0.5 * pow(10, -decimals);
        if (fabs(at - t_s[i]) > half) fail_msg("row %zu: %.9f, not %.9f", i, at, t_s[i]);
        assert_true(a.knot[k].period_s > 0);
    }
    if (a.knots > most_knots) fail_msg("%zu knots", a.knots);
    trace_axis_done(&a);
}

static double rounded(double v, int decimals) { return round(v * pow(10, decimals)) / pow(10, decimals); }

static void fits_the_axis(void **state)
{
    (void)state;
    enum { N = 5000 };
    double *t = calloc(N, sizeof *t);
    assert_non_null(t);
    for (int i = 0; i < N; i++) t[i] = rounded(12.5 + i * 0.001, 3);
    fits(t, N, 3, 1);
    for (int i = 0; i < N; i++) t[i] = rounded(i / 240.0, 6);
    fits(t, N, 6, 1);
    for (int i = 0; i < N; i++) t[i] = rounded(i / 960.0, 3);
    fits(t, N, 3, 1);
    unsigned seed = (unsigned)time(NULL);
    print_message("seed %u\n", seed);
    srand(seed);
    for (int i = 1; i < N; i++) t[i] = rounded(t[i - 1] + 0.0125 * (0.7 + 0.6 * rand() / RAND_MAX), 4);
    fits(t, N, 4, N);
    for (int i = 1; i < N; i++) t[i] = rounded(t[i - 1] + 0.0125 * (rand() % 20 ? 1 : 1 + rand() % 9), 4);
    fits(t, N, 4, N);
    free(t);
}

static void numbers_gaps(void **state)
{
    (void)state;
    double t_s[] = {0, 0.1, 0.2, 0.3, 0.449, 0.602, 0.702, 1.202, 1.302};
    struct trace_table t = {.rows = sizeof t_s / sizeof *t_s, .t_decimals = 3, .t_s = t_s};
    static const uint64_t expected[] = {0, 1, 2, 3, 4, 6, 7, 12, 13};
    struct trace_axis a;
    assert_int_equal(trace_axis_fit(&t, &a), 0);
    for (size_t i = 0; i < t.rows; i++) assert_int_equal(a.sample[i], expected[i]);
    assert_true(fabs(a.period_s - 0.1) < 1e-9);
    trace_axis_done(&a);
    t.rows = 1;
    assert_int_equal(trace_axis_fit(&t, &a), -EDOM);
    double far_s[] = {0, 1e-6, 2e-6, 1e6};
    t = (struct trace_table){.rows = 4, .t_decimals = 6, .t_s = far_s};
    assert_int_equal(trace_axis_fit(&t, &a), -EDOM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_columns),
        cmocka_unit_test(reads_numbers_as_strtod_does),
        cmocka_unit_test(refuses_what_is_no_table),
        cmocka_unit_test(refuses_bad_rows),
        cmocka_unit_test(knows_a_cut_line),
        cmocka_unit_test(reads_marks),
        cmocka_unit_test(fits_the_axis),
        cmocka_unit_test(numbers_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
