#include <math.h>

#include "rep_up.h"

/* Hips that turn above the floor: when did they come to a stop, and when did they go up again? docs/detector.md gives the
 * physics and the reason of each threshold. */
#define STOP_MEAN_S 0.02     /* looked for in means over this */
#define STOP_DEPTH 0.3       /* of the deepest: no deeper, and they are not at the bottom */
#define STOP_MOST_DEPTH 1.25 /* of their travel: a path from one end that is deeper begins at no hold */
#define STOP_EVEN 3.0        /* by so many times what is even elsewhere the force is least, tremor included */
#define TAIL_EVEN 6.0        /* ... and so near to it, a line leads there, ... */
#define TAIL_S 0.5           /* ... that is no longer */
#define STOOD_STILL_S 0.2    /* a shorter standstill is none */
#define STOOD_DEPTH 0.65     /* of the deepest: higher up they move, however even the force is */
#define STOOD_BETTER 0.8     /* nor is one that leaves more than this part of what a line to the end leaves unexplained */
#define GO_S 0.1             /* before they go up, the mean of the force over this holds them */
#define SUDDEN_S 0.1         /* a drive that begins suddenly: so near is the bend, that looks like an impact, to it */

static double around_N(const struct plate_rep_detector *d, uint64_t i)
{
    uint64_t half = (uint64_t)(STOP_MEAN_S / rep_last_block(d)->dt_s / 2), to = i + half < d->blocks ? i + half : d->blocks - 1;
    return rep_running_mean_N(d, to, 2 * half + 1);
}

struct notch {
    uint64_t first, last; /* blocks */
    double level_N;
    bool deep; /* near the bottom of the path */
};

/* The first fall of the force, by so much and more, that ends in a rise by as much, with its least force near the bottom of the
 * path: the blocks in which it wavers about that. If none has, and the path was followed from both ends: where both have the
 * hips slowest, for a path's speed stays true for longer than its depth. */
static bool find_notch(const struct plate_rep_detector *d, const struct rep_arc *arc, double by_N, struct notch *ret)
{
    uint64_t a, z, low = arc->from, slow = low, first, last;
    rep_arc_near_deepest(d, arc, STOP_DEPTH, INFINITY, &a, &z);
    double most_N = -INFINITY, least_N = INFINITY, slowest = INFINITY;
    bool falls = false, deep = false;
    for (uint64_t i = arc->from; i <= arc->to && !deep; i++) {
        double force_N = around_N(d, i);
        if (falls && force_N < least_N) least_N = force_N, low = i;
        if (falls && force_N > least_N + by_N) {
            deep = low >= a && low <= z;
            if (!deep && arc->both && d->speed_m_per_s[low % BLOCKS] < slowest)
                slow = low, slowest = d->speed_m_per_s[low % BLOCKS];
            falls = false, most_N = force_N;
        }
        if (!falls && force_N > most_N) most_N = force_N;
        if (!falls && force_N < most_N - by_N) falls = true, least_N = force_N, low = i;
    }
    if (!deep && isinf(slowest)) return false;
    if (!deep) low = slow, least_N = around_N(d, slow);
    first = last = low;
    for (int k = 0; k < 3; k++) {
        while (first > arc->from && around_N(d, first - 1) <= least_N + by_N) first--;
        while (last < arc->to && around_N(d, last + 1) <= least_N + by_N) last++;
        least_N = fmin(rep_running_mean_N(d, last, last - first + 1), least_N + by_N / 2);
    }
    *ret = (struct notch){first, last, least_N, deep};
    return true;
}

/* Before it the blocks are too few for means. */
static uint64_t oldest(const struct plate_rep_detector *d)
{
    return rep_block_from(d, rep_block_at(d, rep_oldest_block(d))->t_s + 2 * STOP_MEAN_S);
}

/* The force falls in a line until the hips stand, and then it is even: when does the line end, by least squares? `z` if a
 * line to there explains it hardly worse. */
static uint64_t line_ends(const struct plate_rep_detector *d, uint64_t a, uint64_t z)
{
    double n = (double)(z - a + 1), base_N = rep_block_at(d, z)->force_N, sy = 0, syy = 0;
    for (uint64_t i = a; i <= z; i++) {
        double y = rep_block_at(d, i)->force_N - base_N;
        sy += y, syy += y * y;
    }
    double least = INFINITY, left = 0, x = 0, xx = 0, xy = 0, y = 0; /* sums over the blocks i < k, by k - i */
    uint64_t end = z;
    for (uint64_t k = a; k <= z; k++) {
        double sxx = xx - x * x / n, sxy = xy - x * sy / n;
        left = syy - sy * sy / n - (sxy > 0 ? sxy * sxy / sxx : 0);
        if (left < least) least = left, end = k;
        y += rep_block_at(d, k)->force_N - base_N;
        xx += 2 * x + (double)(k - a + 1), x += (double)(k - a + 1), xy += y; /* each is one further */
    }
    return least < STOOD_BETTER * left ? end : z;
}

/* Where the line to an even force ends that goes on until `last`: it begins no more than TAIL_S before `first`. */
static uint64_t came_to_stop(const struct plate_rep_detector *d, uint64_t from, uint64_t first, uint64_t last, double most_N)
{
    double from_s = rep_block_at(d, first)->t_s - TAIL_S;
    while (first > from && rep_block_at(d, first - 1)->t_s > from_s && around_N(d, first - 1) <= most_N) first--;
    return line_ends(d, first, last);
}

/* As the path tells it, if it does. */
static void by_path(const struct plate_rep_detector *d, const struct rep_arc *arc, double struck_s, double by_s, double even_N,
                    double *end_s, double *onset_s)
{
    struct notch n;
    if (arc->from <= oldest(d) || !find_notch(d, arc, STOP_EVEN * even_N, &n)) return;
    if (rep_block_at(d, n.first)->t_s > by_s) return;
    uint64_t last = n.last, middle = n.first + (last - n.first) / 2;
    bool stood = rep_block_at(d, last)->t_s - rep_block_at(d, n.first)->t_s > STOOD_STILL_S;
    double level_N = stood ? rep_running_mean_N(d, last - 1, last - middle) : n.level_N;
    while (last > middle && around_N(d, last) > level_N + even_N) last--;
    double go_s = rep_block_at(d, last)->t_s;
    if (fabs(go_s - struck_s) > SUDDEN_S) return;
    uint64_t stop = stood ? came_to_stop(d, arc->from, n.first, last, level_N + TAIL_EVEN * even_N) : last;
    double depth_m = fmin(d->path_m[stop % BLOCKS], d->path_m[last % BLOCKS]);
    if (n.deep && depth_m < STOOD_DEPTH * arc->depth_m) return;
    double stop_s = rep_block_at(d, stop)->t_s;
    *onset_s = isnan(struck_s) ? go_s : struck_s;
    *end_s = go_s - stop_s > STOOD_STILL_S ? fmin(stop_s, *onset_s) : *onset_s;
}

/* They went up at go_s: had they stood there, and since when? The path does not tell where it begins too late, for a support
 * that hardly falls on the way down is as even as a hold. */
static double stood_since_s(const struct plate_rep_detector *d, double go_s, double even_N)
{
    uint64_t go = rep_block_from(d, go_s), from = rep_block_from(d, d->hold_from_s),
             k = (uint64_t)fmax(1, floor(GO_S / rep_last_block(d)->dt_s));
    if (from < oldest(d)) from = oldest(d);
    if (go <= from + 2 * k) return go_s;
    double most_N = 0;
    for (uint64_t i = go; i < d->blocks; i++) most_N = fmax(most_N, rep_block_at(d, i)->force_N);
    if (most_N < d->held_most_N + STOP_EVEN * even_N) return go_s; /* nothing drives them */
    uint64_t first = go - 1, last = first;
    double level_N = rep_running_mean_N(d, last, k);
    while (first > from && fabs(around_N(d, first - 1) - level_N) <= STOP_EVEN * even_N) first--;
    bool high = !rep_bridges(d) && level_N > d->held_most_N - STOP_EVEN * even_N;
    if (high || first == from || around_N(d, first - 1) < level_N) return go_s; /* at the top, or never braked */
    double stop_s = rep_block_at(d, came_to_stop(d, from, first, last, level_N + TAIL_EVEN * even_N))->t_s;
    return go_s - stop_s > STOOD_STILL_S ? stop_s : go_s;
}

void rep_stop_and_go(struct plate_rep_detector *d, const struct rep_arc *arc, double struck_s, double *end_s, double *onset_s)
{
    struct rep_arc since;
    double top_N, even_N = rep_evenness_N(d, rep_top_N(d) - d->rest.mean_N);
    bool held = d->held && rep_moves(d) && !d->exercise->second_foot;
    if (arc) {
        by_path(d, arc, struck_s, INFINITY, even_N, end_s, onset_s);
    } else if (held) {
        double left_s = rep_left_hold_s(d, &top_N), most_m = STOP_MOST_DEPTH * fmax(d->travel_m, d->exercise->travel_m);
        if (rep_arc_since(d, left_s, top_N, &since) && since.depth_m <= most_m)
            by_path(d, &since, struck_s, rep_bridges(d) ? INFINITY : *end_s, even_N, end_s, onset_s);
    }
    if (held && *end_s == *onset_s && (!arc || !isnan(struck_s))) *end_s = stood_since_s(d, *onset_s, even_N);
}
