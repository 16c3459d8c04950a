/* core/dropoff.h - what is lost from the first to the last rep of a set: a line through all of its reps. Private to the core;
 * pure; values. All zeros is a line without points. */
#pragma once
#include "plate/types.h"

struct dropoff {
    unsigned n;
    double first, last; /* smallest and largest x */
    double x, y, xx, xy;
};
void dropoff_add(struct dropoff *d, double x, double y); /* x: number of the rep; y that is NaN is passed over */
double dropoff_mean(const struct dropoff *d);            /* of y; NaN: no points */
/* 100 * (line at the first rep - line at the last) / line at the first, turned by the direction: positive is weaker at the end.
 * NaN: fewer than 3 points, or a line that does not start above zero. */
double dropoff_pct(const struct dropoff *d, int direction);
