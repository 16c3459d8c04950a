#include "shift.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

#define FALSE_ALARM_SHARE 0.05
#define LEAST 1.0 /* smaller changes are not told, however even the numbers are */
enum { ON_EACH_SIDE = 2 };

/* Student's t between the two parts, its largest, against Bonferroni's quantile: shared among the places, and over the looks n
 * = 5, 6, ... in parts 4/(n(n - 1)), which add up to one. */
unsigned shift_find(const double *x, unsigned n, double *ret_change)
{
    if (n < 2 * ON_EACH_SIDE + 1) return 0;
    double mean = 0, squares = 0, before = 0, most = 0, change = 0;
    for (unsigned i = 0; i < n; i++) mean += x[i] / n;
    for (unsigned i = 0; i < n; i++) squares += (x[i] - mean) * (x[i] - mean);
    unsigned at = 0;
    for (unsigned k = 1; k <= n - ON_EACH_SIDE; k++) {
        before += x[k - 1] - mean;
        double parts = (double)k * (n - k) / n, off = -before / parts; /* mean of the second part less that of the first */
        double error = sqrt(fmax(0, squares - off * off * parts) / (n - 2) / parts);
        double t = error > 0 ? fabs(off) / error : off != 0 ? INFINITY : 0;
        if (k >= ON_EACH_SIDE && t > most) most = t, at = k, change = off;
    }
    double alpha = FALSE_ALARM_SHARE * 4 / ((double)n * (n - 1)) / (n - 2 * ON_EACH_SIDE + 1);
    if (fabs(change) < LEAST || !(most > gsl_cdf_tdist_Qinv(alpha / 2, n - 2))) return 0;
    *ret_change = change;
    return at;
}
