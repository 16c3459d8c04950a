#include <math.h>

#include "rep_up.h"

/* The hips' path, followed from where they were held by the statics of the arc, and what it says of a turn above the floor.
 * docs/detector.md gives the physics and the reason of each figure. */
#define ARC_MOST_M 0.6    /* no hips are deeper */
#define ARC_LEAST 0.45    /* nor carry less of what they carry at the top */
#define ARC_ABOVE_M 0.05  /* nor rise so much above where they were held */
#define EVEN_OFF 0.02     /* of itself: no more is the mean force off the level between two standstills */
#define ARRIVED_NEAR 0.05 /* hips that brake have so much of the way left here ... */
#define ARRIVED_FAR 0.15  /* ... and here; what is left goes with time to the power of 2 to 3, ... */
#define ARRIVED_MORE 1.8  /* ... so they arrive so many times that interval later: 1 / (3^0.4 - 1) */
#define ROSE_MOST_S 1.6   /* a drive that shows is over sooner */
#define RISING_DEPTH 0.2  /* of the way: so much lower they were */
#define BOTTOM_S 0.5      /* the bottom: so far from the deepest at most, ... */
#define BOTTOM_DEPTH 0.5  /* ... and the hips so deep. There ... */
#define BENT_APART_S 0.02 /* ... the force bends within so short a time ... */
#define BENT_PART 0.05    /* ... by this part of its step: the floor. A person is smoother */
#define BENT_NOISE 6.0
#define BENT_AROUND_S 0.12 /* an impact goes on for so long before and after its sharpest bend ... */
#define BENT_LEAST 0.4     /* ... with bends that are so sharp */

/* One block further from rest, either way in time: a mirror in time obeys the same law. */
static double sink(double *depth_m, double *m_per_s, const struct block *b, double top_N, double curve)
{
    double part = *depth_m > 0 ? fmax(ARC_LEAST, 1 - curve * *depth_m * *depth_m) : 1;
    *m_per_s += b->dt_s * GRAVITY * (1 - b->force_N / (top_N * part));
    *depth_m += b->dt_s * *m_per_s;
    if (*depth_m > ARC_MOST_M) *depth_m = ARC_MOST_M, *m_per_s = 0;
    if (*depth_m < -ARC_ABOVE_M) *depth_m = -ARC_ABOVE_M, *m_per_s = fmax(0, *m_per_s);
    return *depth_m;
}

double rep_arc_down_m(const struct plate_rep_detector *d, double from_s, double from_N, uint64_t to, double *ret_m_per_s)
{
    double depth_m = 0;
    *ret_m_per_s = 0;
    for (uint64_t i = rep_block_from(d, from_s); i < to; i++)
        sink(&depth_m, ret_m_per_s, rep_block_at(d, i), from_N, d->exercise->curve);
    return depth_m;
}

double rep_arc_arrived_s(const struct plate_rep_detector *d, double from_s, double still_s, double still_N, double still_m)
{
    uint64_t from = rep_block_from(d, from_s), i = rep_block_from(d, still_s);
    double depth_m = still_m, m_per_s = 0, curve = d->exercise->curve, near_s = NAN;
    double top_N = still_N / fmax(ARC_LEAST, 1 - curve * still_m * still_m);
    if (i >= d->blocks) i = d->blocks - 1;
    for (; i > from && depth_m > (1 - ARRIVED_FAR) * still_m; i--) {
        sink(&depth_m, &m_per_s, rep_block_at(d, i), top_N, curve);
        if (isnan(near_s) && depth_m < (1 - ARRIVED_NEAR) * still_m) near_s = rep_block_at(d, i)->t_s;
    }
    if (isnan(near_s) || i == from) return NAN;
    return fmin(still_s, near_s + ARRIVED_MORE * (near_s - rep_block_at(d, i)->t_s));
}

bool rep_arc_rose(const struct plate_rep_detector *d, double to_s, double to_N, double least_m, double *ret_from_s)
{
    uint64_t i = rep_block_from(d, to_s), from = rep_block_from(d, fmax(d->onset_s, to_s - ROSE_MOST_S));
    double depth_m = 0, m_per_s = 0;
    if (i >= d->blocks) i = d->blocks - 1;
    for (; i > from; i--) {
        sink(&depth_m, &m_per_s, rep_block_at(d, i), to_N, d->exercise->curve);
        if (depth_m > least_m && m_per_s <= 0) break;
    }
    *ret_from_s = rep_block_at(d, i)->t_s;
    return i > from;
}

bool rep_arc_rising(const struct plate_rep_detector *d, double from_s, double to_s, double to_N)
{
    uint64_t i = rep_block_from(d, to_s), from = rep_block_from(d, from_s);
    double depth_m = 0, m_per_s = 0, least_m = RISING_DEPTH * rep_travel_m(d);
    if (i >= d->blocks) i = d->blocks - 1;
    for (; i > from; i--) {
        sink(&depth_m, &m_per_s, rep_block_at(d, i), to_N, d->exercise->curve);
        if ((m_per_s <= 0 && depth_m > least_m) || depth_m <= -ARC_ABOVE_M) return false;
    }
    return depth_m > least_m;
}

bool rep_arc_between(struct plate_rep_detector *d, double from_s, double from_N, double to_s, double to_N, struct rep_arc *ret)
{
    struct rep_arc arc = {.from = rep_block_from(d, from_s), .to = rep_block_from(d, to_s), .depth_m = -INFINITY, .both = true};
    if (arc.to >= d->blocks) arc.to = d->blocks - 1;
    if (arc.to < arc.from + 3) return false;
    double depth_m = 0, m_per_s = 0, curve = d->exercise->curve, more_N = (to_N - from_N) / (double)(arc.to - arc.from);
    for (uint64_t i = arc.from; i <= arc.to; i++) {
        double top_N = from_N + more_N * (double)(i - arc.from);
        d->path_m[i % BLOCKS] = (float)sink(&depth_m, &m_per_s, rep_block_at(d, i), top_N, curve);
        d->speed_m_per_s[i % BLOCKS] = (float)fabs(m_per_s);
    }
    arc.there_m = depth_m;
    depth_m = m_per_s = 0;
    for (uint64_t i = arc.to + 1; i-- > arc.from;) {
        double top_N = from_N + more_N * (double)(i - arc.from);
        float *path_m = &d->path_m[i % BLOCKS];
        *path_m = fminf(*path_m, (float)sink(&depth_m, &m_per_s, rep_block_at(d, i), top_N, curve));
        d->speed_m_per_s[i % BLOCKS] += (float)fabs(m_per_s);
        if (*path_m > arc.depth_m) arc.depth_m = *path_m, arc.deepest = i;
    }
    arc.back_m = depth_m;
    *ret = arc;
    return true;
}

bool rep_arc_even(struct plate_rep_detector *d, double from_s, double from_N, double to_s, double to_N, struct rep_arc *ret)
{
    struct rep_arc arc = {.from = rep_block_from(d, from_s), .to = rep_block_from(d, to_s), .depth_m = -INFINITY};
    if (arc.to >= d->blocks) arc.to = d->blocks - 1;
    if (arc.to < arc.from + 3) return false;
    double n = (double)(arc.to - arc.from), more_N = (to_N - from_N) / n, off = 0, depth_m = 0, m_per_s = 0;
    for (uint64_t i = arc.from; i <= arc.to; i++)
        off += (1 - rep_block_at(d, i)->force_N / (from_N + more_N * (double)(i - arc.from))) / (n + 1);
    if (fabs(off) > EVEN_OFF) return false;
    for (uint64_t i = arc.from; i <= arc.to; i++) {
        const struct block *b = rep_block_at(d, i);
        m_per_s += b->dt_s * GRAVITY * (1 - off - b->force_N / (from_N + more_N * (double)(i - arc.from)));
        depth_m += b->dt_s * m_per_s;
        d->path_m[i % BLOCKS] = (float)depth_m;
        if (depth_m > arc.depth_m) arc.depth_m = depth_m, arc.deepest = i;
    }
    arc.there_m = arc.back_m = depth_m;
    *ret = arc;
    return true;
}

void rep_arc_near_deepest(const struct plate_rep_detector *d, const struct rep_arc *arc, double part, double most_s,
                          uint64_t *ret_from, uint64_t *ret_to)
{
    uint64_t a = arc->deepest, z = a;
    double deep_m = part * arc->depth_m, at_s = rep_block_at(d, a)->t_s;
    while (a > arc->from && d->path_m[(a - 1) % BLOCKS] > deep_m && at_s - rep_block_at(d, a)->t_s < most_s) a--;
    while (z < arc->to && d->path_m[(z + 1) % BLOCKS] > deep_m && rep_block_at(d, z)->t_s - at_s < most_s) z++;
    *ret_from = a, *ret_to = z;
}

void rep_arc_bottom(const struct plate_rep_detector *d, const struct rep_arc *arc, uint64_t *ret_from, uint64_t *ret_to)
{
    rep_arc_near_deepest(d, arc, BOTTOM_DEPTH, BOTTOM_S, ret_from, ret_to);
}

bool rep_arc_since(struct plate_rep_detector *d, double from_s, double from_N, struct rep_arc *ret)
{
    struct rep_arc arc = {.from = rep_block_from(d, from_s), .to = d->blocks - 1, .depth_m = -INFINITY};
    double depth_m = 0, m_per_s = 0;
    if (arc.to < arc.from + 3) return false;
    for (uint64_t i = arc.from; i <= arc.to; i++) {
        d->path_m[i % BLOCKS] = (float)sink(&depth_m, &m_per_s, rep_block_at(d, i), from_N, d->exercise->curve);
        if (depth_m > arc.depth_m) arc.depth_m = depth_m, arc.deepest = i;
    }
    *ret = arc;
    return arc.depth_m > 0;
}

static double bend_N(const struct plate_rep_detector *d, uint64_t i, uint64_t k)
{
    return fabs(rep_block_at(d, i)->force_N - 0.5 * (rep_block_at(d, i - k)->force_N + rep_block_at(d, i + k)->force_N));
}

double rep_arc_struck_s(const struct plate_rep_detector *d, const struct rep_arc *arc)
{
    uint64_t k = (uint64_t)fmax(1, floor(BENT_APART_S / rep_last_block(d)->dt_s + 0.5)), a, z;
    rep_arc_bottom(d, arc, &a, &z);
    if (a < arc->from + k) a = arc->from + k;
    if (z + k > arc->to) z = arc->to - k;
    if (a >= z) return NAN;
    uint64_t most = a;
    for (uint64_t i = a; i <= z; i++)
        if (bend_N(d, i, k) > bend_N(d, most, k)) most = i;
    double most_N = bend_N(d, most, k);
    if (most_N < fmax(BENT_PART * (rep_top_N(d) - d->rest.mean_N), BENT_NOISE * rep_noise_N(d))) return NAN;
    double t_s = rep_block_at(d, most)->t_s;
    while (a < most && (t_s - rep_block_at(d, a)->t_s > BENT_AROUND_S || bend_N(d, a, k) < BENT_LEAST * most_N)) a++;
    while (z > most && (rep_block_at(d, z)->t_s - t_s > BENT_AROUND_S || bend_N(d, z, k) < BENT_LEAST * most_N)) z--;
    return 0.5 * (rep_block_at(d, a)->t_s + rep_block_at(d, z)->t_s);
}
