#include <math.h>

#include "rep_up.h"

/* Where the support hardly changes on the hips' way: from standstill to standstill the force alone tells the path, whatever its
 * level. docs/detector.md gives the reason of each threshold. */
#define MOST_S 1.7        /* over a longer path, what the level is off bends it too much */
#define LOW_DEPTH 0.5     /* of the usual way: hips that stand so much lower wait above the floor, ... */
#define LOW_LOWEST 0.8    /* ... if it is also so much of the deepest between */
#define STILL_LOW 0.8     /* of the deepest: so deep, they have not risen ... */
#define SINKS_MOST 1.2    /* ... by a path that is no deeper than so many times the way: then the floor stopped them */
#define THROWN_PER_S 0.3  /* of the way in a second: who turns is made so much faster upwards */
#define THROWN_LATE_S 0.3 /* ... and began to be so no later than this after they seemed to be lowest */
#define DRIVEN_PER_S 1.0  /* ... who is driven up from where he waits, by so much */
#define CAUGHT_S 0.05     /* a mean over so long tells falling from tremor */
#define HELD_S 0.3        /* a hold that was left so soon may have been none ... */
#define CAME_DT_S 0.03    /* ... (where blocks are no longer): */
#define CAME_DOWN 0.6     /* hips that stand still, and came down from a top, by this part of the way, ... */
#define SANK_PER_S 1.2    /* ... at this part of it in a second, ... */
#define CAME_UP 0.3       /* ... after they had come up by this, ... */
#define CAME_LEAST 0.5    /* ... all of it above this part of what they press now, wait above the floor */
#define RISEN 0.1         /* of the way up: they had left where they waited */
#define FALLS_RATE 0.25   /* of the way in a second: they still sink */

/* Are they as deep as ever since they left the hold? */
static bool sinks(struct plate_rep_detector *d)
{
    struct rep_arc arc;
    if (rep_lasted(d, rep_last_block(d)->t_s, d->descent_s, MOST_S)) return false;
    if (!rep_arc_since(d, d->descent_s, d->hold.mean_N, &arc)) return false;
    return d->path_m[(d->blocks - 1) % BLOCKS] > STILL_LOW * arc.depth_m && arc.depth_m < SINKS_MOST * rep_travel_m(d);
}

/* Has the force, over this level, made them so much faster upwards since then, beginning no later than `until_s`? */
static bool thrown(const struct plate_rep_detector *d, double from_s, double level_N, double until_s, double by_m_per_s)
{
    double m_per_s = 0, lowest = 0;
    for (uint64_t i = rep_block_from(d, from_s); i < d->blocks; i++) {
        const struct block *b = rep_block_at(d, i);
        m_per_s += b->dt_s * GRAVITY * (b->force_N / level_N - 1);
        if (b->t_s < until_s) lowest = fmin(lowest, m_per_s);
        if (m_per_s - lowest > by_m_per_s) return true;
    }
    return false;
}

bool rep_bridge_driven(const struct plate_rep_detector *d)
{
    double level_N = d->wait.mean_N, from_s = fmax(d->waited_s, rep_last_block(d)->t_s - MOST_S);
    if (d->known_N > level_N && d->known_N < (1 + SAME_LEVEL) * level_N) level_N = d->known_N;
    return thrown(d, from_s, level_N, INFINITY, DRIVEN_PER_S * rep_travel_m(d));
}

bool rep_bridge_may_rise(struct plate_rep_detector *d)
{
    if (!d->held || isnan(d->descent_s)) return true;
    return !sinks(d) &&
           (!d->plateau || thrown(d, d->descent_s, d->hold.mean_N, d->low_s + THROWN_LATE_S, THROWN_PER_S * rep_travel_m(d)));
}

bool rep_bridge_low(const struct plate_rep_detector *d, const struct rep_arc *arc)
{
    return arc->there_m > fmax(LOW_DEPTH * rep_travel_m(d), LOW_LOWEST * arc->depth_m);
}

bool rep_bridge_rose(const struct plate_rep_detector *d, const struct rep_arc *arc)
{
    return arc->there_m < -LOW_DEPTH * rep_travel_m(d);
}

bool rep_bridge_path(struct plate_rep_detector *d, const struct level *level, double since_s, struct left *ret_left,
                     struct rep_arc *ret)
{
    unsigned n = d->lefts < LEFTS ? d->lefts : LEFTS;
    for (unsigned i = 0; i <= n + 1; i++) { /* the last two: of the last hold, as it looks now, and as it was left */
        bool last = i >= n;
        struct left left = d->left[(d->lefts + LEFTS - 1 - i) % LEFTS];
        if (i == n) left.at_s = rep_left_hold_s(d, &left.level_N);
        if (i > n) left = (struct left){d->hold_from_s, d->descent_s, d->hold.mean_N};
        struct rep_arc arc;
        if (fabs(level->mean_N / left.level_N - 1) > SAME_LEVEL || since_s - left.at_s > MOST_S ||
            !rep_arc_even(d, left.at_s, left.level_N, since_s, level->mean_N, &arc))
            continue;
        if (!rep_bridge_low(d, &arc) && arc.depth_m < TURN_DEPTH * rep_travel_m(d) && !(last && rep_bridge_rose(d, &arc)))
            continue;
        *ret_left = left;
        *ret = arc;
        return true;
    }
    return false;
}

bool rep_bridge_came_down(const struct plate_rep_detector *d, const struct level *level, double since_s)
{
    if (d->from_floor || rep_last_block(d)->dt_s > CAME_DT_S || (d->held && !(d->descent_s - d->hold_from_s < HELD_S)))
        return false;
    double travel_m = rep_travel_m(d), least_N = d->rest.mean_N + CAME_LEAST * (level->mean_N - d->rest.mean_N);
    double above_m = 0, top_m = 0, m_per_s = 0, fastest = 0, from_s = fmax(d->onset_s, since_s - MOST_S);
    for (uint64_t i = rep_block_from(d, since_s); rep_block_at(d, i)->t_s > from_s; i--) { /* back in time */
        const struct block *b = rep_block_at(d, i);
        m_per_s -= b->dt_s * GRAVITY * (b->force_N / level->mean_N - 1);
        above_m -= b->dt_s * m_per_s;
        top_m = fmax(top_m, above_m), fastest = fmin(fastest, m_per_s);
        if (b->force_N < least_N || above_m < -CAME_UP * travel_m) return false;
        if (top_m > CAME_DOWN * travel_m && above_m < top_m - CAME_UP * travel_m) return -fastest > SANK_PER_S * travel_m;
    }
    return false;
}

bool rep_bridge_rose_unseen(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    struct level held = d->wait;
    double near_N = rep_evenness_N(d, rep_high_N(d) - d->rest.mean_N), travel_m = rep_travel_m(d), m_per_s;
    uint64_t k = (uint64_t)fmax(1, floor(CAUGHT_S / rep_last_block(d)->dt_s + 0.5)), left = d->blocks - 1,
             first = rep_block_from(d, fmax(d->floats_s, rep_last_block(d)->t_s - MOST_S)) + k;
    while (left > first && rep_running_mean_N(d, left, k) < held.mean_N + near_N) left--;
    uint64_t caught = left;
    while (left > first && rep_running_mean_N(d, left, k) > held.mean_N - near_N) left--;
    while (left > first && rep_running_mean_N(d, left, k) < held.mean_N - near_N) left--;
    if (left <= first) return false;
    double descent_s = rep_block_at(d, left)->t_s, onset_s = d->waited_s;
    if (rep_arc_down_m(d, descent_s, held.mean_N, caught, &m_per_s) < TURN_DEPTH * travel_m)
        return m_per_s > FALLS_RATE * travel_m; /* not far enough yet, but no rise either */
    struct rep_arc arc;
    if (rep_arc_even(d, onset_s, held.mean_N, descent_s, held.mean_N, &arc) && arc.there_m < 0) {
        uint64_t i = arc.to;
        while (i > arc.from && d->path_m[i % BLOCKS] < RISEN * arc.there_m) i--;
        onset_s = rep_block_at(d, i)->t_s;
    }
    if (!isnan(d->waits_s)) rep_finish(d, d->waits_s, out);
    rep_up_begin(d, onset_s, out);
    rep_unsaid(d); /* nobody saw the drive */
    d->held = d->plateau = true;
    d->hold = held;
    d->held_most_N = held.mean_N;
    d->hold_from_s = d->again_s = onset_s;
    d->descent_s = descent_s;
    rep_observe_from(d, held.mean_N);
    for (uint64_t i = left; i < d->blocks; i++) rep_track(d, rep_block_at(d, i), rep_block_at(d, i)->force_N);
    rep_set_phase(d, PLATE_LOWER, out);
    return true;
}
