#include <math.h>

#include "rep_up.h"

/* The hips' observer. docs/detector.md gives the physics and the reason of each threshold. */
#define OBSERVER_DAMPING 1.0 /* 2 zeta w: errors of the first instants die away in about two seconds */
#define FIRST_DAMPING 3.0    /* in the first second: where the hips lift off is not known so well */
#define LOW_LEAST 0.6        /* of the support at the top: hips off the floor press no less */
#define UNDER_MEAN 0.02      /* a hold is no further below the mean force of a movement that is over */
#define DOWN_HEIGHT 0.6      /* hips in the lower part of their way: a foot that unloads has touched down */

static double upper_mean_N(const struct plate_rep_detector *d)
{
    return d->upper_n > 0 ? d->upper_sum / d->upper_n : d->peak_N;
}

/* What carries the load at the top, as far as it is known: the hold; the mean of the upper half of the force, since
 * the impulse over the support is nil between two standstills; the peak in the first instants. */
double rep_top_N(const struct plate_rep_detector *d)
{
    if (d->held && !d->exercise->second_foot) return d->hold.mean_N;
    return upper_mean_N(d);
}

double rep_mean_N(const struct plate_rep_detector *d, double end_s)
{
    double sum = 0, n = 0;
    for (uint64_t i = rep_block_from(d, d->onset_s); i < d->blocks && rep_block_at(d, i)->t_s < end_s; i++, n++)
        sum += rep_block_at(d, i)->force_N;
    return n > 0 ? sum / n : INFINITY;
}

/* The mean force while it was up by half of the step. */
static double lifted_N(const struct plate_rep_detector *d, double end_s, double top_N)
{
    double high_N = 0.5 * (d->rest.mean_N + top_N);
    uint64_t from = rep_block_from(d, d->onset_s), to = rep_block_from(d, end_s);
    while (from < to && rep_block_at(d, from)->force_N < high_N) from++;
    while (from < to && rep_block_at(d, to - 1)->force_N < high_N) to--;
    return to > from + 1 ? rep_running_mean_N(d, to - 1, to - from) : -INFINITY;
}

/* From standstill to standstill the mean force is the mean support, however it was thrown about between. On the floor they
 * stand for sure: a hold below the mean was none, the drive stuck there, or the lowering. */
double rep_whole_top_N(const struct plate_rep_detector *d, double end_s, double *ret_most_N)
{
    double top_N = *ret_most_N = rep_top_N(d), half = 1 - d->exercise->way / 2;
    bool touched = d->below_s > 0 && !d->exercise->second_foot;
    if (!rep_moves(d)) return top_N;
    if (d->held && !(touched && lifted_N(d, end_s, top_N) > (1 + UNDER_MEAN) * d->held_most_N)) return top_N;
    top_N = *ret_most_N = fmin(upper_mean_N(d), rep_mean_N(d, end_s) / half);
    if (touched) *ret_most_N = fmax(top_N, lifted_N(d, end_s, top_N) / half);
    return top_N;
}

/* Support at the top and with the hips at the floor: what the observer's height is measured between. */
double rep_high_N(const struct plate_rep_detector *d)
{
    if (d->held) return d->hold.mean_N;
    return d->known_N > 0 ? d->known_N : rep_top_N(d);
}
double rep_way_N(const struct plate_rep_detector *d) { return d->exercise->way * rep_high_N(d); }

double rep_low_part(const struct plate_rep_detector *d) { return 1 - d->exercise->way; }

bool rep_hips_are_low(const struct plate_rep_detector *d)
{
    if (!rep_moves(d)) return d->held;
    if (!d->held && d->known_N <= 0 && rep_last_block(d)->t_s - d->onset_s < LEARNED_S) return false;
    return d->support_N < rep_high_N(d) - (1 - DOWN_HEIGHT) * rep_way_N(d);
}

bool rep_shared(const struct plate_rep_detector *d, double force_N)
{
    return d->exercise->second_foot && d->held && force_N < LOW_LEAST * d->hold.mean_N;
}

static void observe(struct plate_rep_detector *d, const struct block *b)
{
    /* the floor: hips press no less than with their lowest support; while that is not known, by what this rep shows */
    double floor_N = d->known_N > 0 ? LOW_LEAST * d->known_N : rep_low_part(d) * fmin(rep_top_N(d), d->smooth_N), dt = b->dt_s;
    floor_N = rep_at_least(d->rest.mean_N, floor_N);
    if (d->known_N <= 0 && d->support_N > floor_N) floor_N = d->rest.mean_N;
    double damping = d->held || b->t_s - d->onset_s > LEARNED_S ? OBSERVER_DAMPING : FIRST_DAMPING;
    d->support_rate += dt * (OBSERVER_W2 * (b->force_N - d->support_N) - damping * d->support_rate);
    if (rep_shared(d, b->force_N)) d->support_rate = 0; /* whoever else bears them, they stand */
    d->support_N += dt * d->support_rate;
    if (d->support_N < floor_N) d->support_N = floor_N, d->support_rate = fmax(0, d->support_rate); /* the floor */
    if (d->support_N > d->support_high_N && !d->floating) {
        d->support_high_N = d->support_low_N = d->support_N;
        d->low_s = b->t_s;
        d->low_N = b->force_N;
    }
    if (b->force_N < d->low_N) d->low_N = b->force_N;
    if (d->support_N < d->support_low_N) d->support_low_N = d->support_N, d->low_s = b->t_s;
}

void rep_observe_from(struct plate_rep_detector *d, double support_N)
{
    d->support_N = d->support_high_N = d->support_low_N = support_N;
    d->support_rate = 0;
    d->low_s = rep_last_block(d)->t_s;
    d->low_N = rep_last_block(d)->force_N;
}

void rep_track(struct plate_rep_detector *d, const struct block *b, double smooth_N)
{
    d->peak_N = rep_at_least(d->peak_N, smooth_N);
    if (d->peak_N - smooth_N > d->dip_depth_N) d->dip_depth_N = d->peak_N - smooth_N, d->dip_N = smooth_N, d->dip_s = b->t_s;
    if (b->force_N > d->rest.mean_N + 0.5 * (d->peak_N - d->rest.mean_N)) d->upper_sum += b->force_N, d->upper_n++;
    observe(d, b);
}
