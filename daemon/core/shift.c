#include "shift.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

#define FALSE_ALARM_SHARE 0.05
#define LEAST 1.0 /* smaller changes are not told, however even the numbers are */
enum { ON_EACH_SIDE = 2 };

struct part {
    double mean, squares;
};

static struct part part_of(const double *x, unsigned from, unsigned to)
{
    struct part p = {0, 0};
    for (unsigned i = from; i < to; i++) p.mean += x[i] / (to - from);
    for (unsigned i = from; i < to; i++) p.squares += (x[i] - p.mean) * (x[i] - p.mean);
    return p;
}

/* Student's t between the two parts, its largest, against Bonferroni's quantile: shared among the places, and over the looks n
 * = 5, 6, ... in parts 4/(n(n - 1)), which add up to one. */
unsigned shift_find(const double *x, unsigned n, double *ret_change)
{
    if (n < 2 * ON_EACH_SIDE + 1) return 0;
    unsigned at = 0;
    double most = 0, change = 0, alpha = FALSE_ALARM_SHARE * 4 / ((double)n * (n - 1)) / (n - 2 * ON_EACH_SIDE + 1);
    for (unsigned k = ON_EACH_SIDE; k <= n - ON_EACH_SIDE; k++) {
        struct part a = part_of(x, 0, k), b = part_of(x, k, n);
        double error = sqrt((a.squares + b.squares) / (n - 2) * (1.0 / k + 1.0 / (n - k))), off = fabs(b.mean - a.mean);
        double t = error > 0 ? off / error : off > 0 ? INFINITY : 0;
        if (t > most) most = t, at = k, change = b.mean - a.mean;
    }
    if (fabs(change) < LEAST || !(most > gsl_cdf_tdist_Qinv(alpha / 2, n - 2))) return 0;
    *ret_change = change;
    return at;
}
