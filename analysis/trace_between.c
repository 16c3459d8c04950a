#include "trace_between.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

enum { FEWEST = 3 }; /* sessions for a line, and for a spread of what lies between */

static void trend(const double *v, unsigned n, struct trace_between *to)
{
    double x = 0, y = 0, xx = 0, xy = 0, rest = 0, k = to->sessions;
    for (unsigned i = 0; i < n; i++)
        if (!isnan(v[i])) x += i / k, y += v[i] / k;
    for (unsigned i = 0; i < n; i++)
        if (!isnan(v[i])) xx += (i - x) * (i - x), xy += (i - x) * (v[i] - y);
    for (unsigned i = 0; i < n; i++)
        if (!isnan(v[i])) rest += pow(v[i] - y - xy / xx * (i - x), 2);
    double half = gsl_cdf_tdist_Qinv(0.025, k - 2) * sqrt(rest / (k - 2) / xx);
    to->trend_pct = xy / xx;
    to->trend_low_pct = to->trend_pct - half;
    to->trend_high_pct = to->trend_pct + half;
}

/* The SD of what consecutive sessions differ by, over sqrt(2). */
static void typical_error(const double *v, unsigned n, struct trace_between *to)
{
    double before = NAN, sum = 0, squares = 0, freedom = to->sessions - 2.0;
    for (unsigned i = 0; i < n; i++) {
        if (isnan(v[i])) continue;
        if (!isnan(before)) sum += v[i] - before, squares += (v[i] - before) * (v[i] - before);
        before = v[i];
    }
    double variance = fmax(0, (squares - sum * sum / (freedom + 1)) / freedom) / 2;
    to->error_pct = sqrt(variance);
    to->error_low_pct = sqrt(variance * freedom / gsl_cdf_chisq_Qinv(0.025, freedom));
    to->error_high_pct = sqrt(variance * freedom / gsl_cdf_chisq_Pinv(0.025, freedom));
    to->mdc95_pct = 1.96 * sqrt(2) * to->error_pct;
}

struct trace_between trace_between(const double *value_pct, unsigned n)
{
    struct trace_between b = {0, NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    double before = NAN;
    for (unsigned i = 0; i < n; i++) {
        if (isnan(value_pct[i])) continue;
        b.sessions++;
        b.change_pct = value_pct[i] - before;
        before = value_pct[i];
    }
    if (b.sessions < FEWEST) return b;
    trend(value_pct, n, &b);
    typical_error(value_pct, n, &b);
    return b;
}
