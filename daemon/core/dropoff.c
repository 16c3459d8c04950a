#include "dropoff.h"

#include <math.h>

enum { POINTS = 3 };

void dropoff_add(struct dropoff *d, double x, double y)
{
    if (isnan(y)) return;
    d->first = d->n ? fmin(d->first, x) : x;
    d->last = d->n ? fmax(d->last, x) : x;
    d->n++;
    d->x += x, d->y += y, d->xx += x * x, d->xy += x * y;
}

double dropoff_mean(const struct dropoff *d) { return d->n ? d->y / d->n : NAN; }

double dropoff_pct(const struct dropoff *d, int direction)
{
    if (d->n < POINTS || !(d->last > d->first)) return NAN;
    double slope = (d->xy - d->x * d->y / d->n) / (d->xx - d->x * d->x / d->n);
    double start = d->y / d->n + slope * (d->first - d->x / d->n), lost = slope * (d->first - d->last);
    return start > 0 ? (direction < 0 ? -100 : 100) * (lost / start) : NAN;
}
