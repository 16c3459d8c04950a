/* analysis/trace_between.h - one subject's difference from session to session: trend, typical error, smallest change worth
 * noticing. Pure; docs/asymmetry.md, "Between sessions", has the formulas. */
#pragma once
#include <stdbool.h>

struct trace_between {
    unsigned sessions;                               /* that have a value */
    double change_pct;                               /* last - the one before; NaN: fewer than 2 */
    double trend_pct, trend_low_pct, trend_high_pct; /* per session, with its 95 % interval; NaN: fewer than 3 */
    double error_pct, error_low_pct, error_high_pct; /* typical error, with its 95 % interval; NaN: fewer than 3 */
    double mdc95_pct;                                /* NaN: fewer than 3 */
};
/* value_pct[i]: session i's; NaN: it has none. */
struct trace_between trace_between(const double *value_pct, unsigned n);
