#include "plate/filter.h"

#include <errno.h>
#include <math.h>

#define PI 3.14159265358979323846

int plate_filter_init(struct plate_filter *f, unsigned order, double cutoff_Hz, double rate_Hz)
{
    if (order < 2 || order > PLATE_FILTER_MAX_ORDER || order % 2 != 0) return -EINVAL;
    if (!(cutoff_Hz > 0) || !(cutoff_Hz < rate_Hz / 2) || !isfinite(rate_Hz)) return -EINVAL;
    double k = tan(PI * cutoff_Hz / rate_Hz);
    *f = (struct plate_filter){.sections = order / 2};
    for (unsigned i = 0; i < f->sections; i++) {
        /* A conjugate pair of the prototype: s^2 + 2 cos(angle) s + 1. The flattest pair goes first, so that the
         * resonant one sees a signal already smoothed. Unit gain at zero frequency in each section. */
        double damping = 2 * cos(PI * (2 * i + 1) / (2.0 * order));
        double norm = 1 / (1 + damping * k + k * k), b = k * k * norm;
        f->section[i] = (struct plate_biquad){
            .b0 = b, .b1 = 2 * b, .b2 = b, .a1 = 2 * (k * k - 1) * norm, .a2 = (1 - damping * k + k * k) * norm};
    }
    return 0;
}

static void prime(struct plate_filter *f, double x)
{
    for (unsigned i = 0; i < f->sections; i++) {
        struct plate_biquad *q = &f->section[i];
        q->s1 = x - q->b0 * x;
        q->s2 = (q->b2 - q->a2) * x;
    }
    f->primed = true;
}

double plate_filter_push(struct plate_filter *f, double x)
{
    if (!isfinite(x)) return NAN;
    if (!f->primed) prime(f, x);
    for (unsigned i = 0; i < f->sections; i++) {
        struct plate_biquad *q = &f->section[i];
        double y = q->b0 * x + q->s1;
        q->s1 = q->b1 * x - q->a1 * y + q->s2;
        q->s2 = q->b2 * x - q->a2 * y;
        x = y;
    }
    return x;
}

void plate_filter_reset(struct plate_filter *f) { f->primed = false; }

double plate_filter_delay(const struct plate_filter *f)
{
    double delay = 0;
    for (unsigned i = 0; i < f->sections; i++) {
        const struct plate_biquad *q = &f->section[i];
        delay += (q->b1 + 2 * q->b2) / (q->b0 + q->b1 + q->b2) - (q->a1 + 2 * q->a2) / (1 + q->a1 + q->a2);
    }
    return delay;
}
