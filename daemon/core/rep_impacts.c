#include <math.h>

#include "rep_up.h"

/* Hips that bounce: the floor takes their load, and gives it back, faster than a leg can. What was taken for one rep, and has
 * such impacts in it, is as many as they part. docs/detector.md gives the reason of each threshold. */
#define IMPACT_APART_S 0.04  /* the force bends within so short a time ... */
#define IMPACT_MEAN_S 0.015  /* ... (means over this) ... */
#define IMPACT_PART 0.12     /* ... by this part of its step, */
#define IMPACT_NOISE 6.0     /* ... so many SD of noise, */
#define IMPACT_WEAK 0.25     /* ... or, if there is a sharper one, by this part of that; */
#define IMPACT_PLAIN 0.5     /* ... and nothing else by more than this part of the weakest */
#define IMPACT_LEAST_S 1.0   /* no hips go up and down in less; half of that is free of other impacts */
#define IMPACT_EVEN 1.8      /* the longest of them takes no more than so many times as long as the shortest */
#define IMPACT_AROUND_S 0.12 /* the floor is there for so long before and after the sharpest bend ... */
#define IMPACT_AROUND 0.4    /* ... with bends that are so sharp */
#define SUDDEN_PART 0.3      /* a drive that rises by this part of the step in that time bends sharper than the floor */
#define DRIVEN_S 0.35        /* hips are driven after an impact: so near, the force is no higher before it than after it, ... */
#define DRIVEN_PART 0.15     /* ... but for this part of the step. At a top it is */
#define MOVES_S 0.45         /* hips that move: the force, so near, ... */
#define MOVES_PART 0.05      /* ... is uneven by this part of the step before the impact and after it ... */
#define MOVE_PART 0.02       /* ... or by this at one of several. It is even where a plate is kicked, or a bar is loaded */
#define BRIDGE_DRIVES 0.1    /* who lowers a bridge presses evenly too: there the drive after it is uneven by this part, ... */
#define BRIDGE_LONG 1.5      /* ... or it took so many times as long as one does */
#define FELL_S 1.2           /* ... or, for so long before it, the foot lacks ... */
#define FELL_M_PER_S 0.12    /* ... what makes hips so fast downwards, ... */
#define FELL_MOST_M_PER_S 1.2 /* ... and no faster: who was not fast struck no floor. A drive ... */
#define DROVE_S 0.8           /* ... takes so long, and nobody falls in it; ... */
#define HOLDS_S 2.0           /* ... what holds them is the median of the force so near ... */
#define MEDIAN_STEPS 24       /* ... (by so many halvings of its range) */
#define NEAR_S 0.9            /* they turned at the impact, if it is so near to when the observer says ... */
#define NEAR_PART 0.4         /* ... and nearer than this part of the rep */

struct impact {
    uint64_t at;
    double bend_N;
};

static uint64_t blocks_in(const struct plate_rep_detector *d, double s)
{
    return (uint64_t)fmax(1, floor(s / rep_last_block(d)->dt_s + 0.5));
}

static double mean_at(const struct plate_rep_detector *d, uint64_t i)
{
    return rep_running_mean_N(d, i, blocks_in(d, IMPACT_MEAN_S));
}

static double bend_N(const struct plate_rep_detector *d, uint64_t i)
{
    uint64_t apart = blocks_in(d, IMPACT_APART_S);
    return 0.5 * (mean_at(d, i - apart) + mean_at(d, i + apart)) - mean_at(d, i);
}

/* The blocks between two times in which an impact, and what is around it, can be seen: false if there are none. */
static bool look_between(const struct plate_rep_detector *d, double from_s, double to_s, uint64_t *ret_from, uint64_t *ret_to)
{
    uint64_t before = blocks_in(d, MOVES_S) + blocks_in(d, IMPACT_MEAN_S) + 1, oldest = rep_oldest_block(d) + before;
    uint64_t after = blocks_in(d, IMPACT_AROUND_S) + blocks_in(d, IMPACT_APART_S) + 1, to = rep_block_from(d, to_s);
    *ret_from = rep_block_from(d, from_s);
    if (*ret_from < oldest) *ret_from = oldest;
    *ret_to = to + after > d->blocks ? d->blocks - after : to;
    return rep_moves(d) && !d->exercise->second_foot && rep_last_block(d)->dt_s <= IMPACT_APART_S / 2 && d->blocks > after &&
           *ret_from < *ret_to;
}

static double most_N(const struct plate_rep_detector *d, uint64_t from, uint64_t to)
{
    double most = -INFINITY;
    for (uint64_t i = from; i < to && i < d->blocks; i++) most = fmax(most, mean_at(d, i));
    return most;
}

static bool driven(const struct plate_rep_detector *d, uint64_t at, double step_N)
{
    uint64_t near = blocks_in(d, DRIVEN_S), apart = blocks_in(d, IMPACT_AROUND_S / 2);
    return most_N(d, at - near, at - apart) - most_N(d, at + apart, at + near) < DRIVEN_PART * step_N;
}

/* The sharpest bend there that is not near another; in a bridge, of those from which the hips are driven. */
static struct impact sharpest(const struct plate_rep_detector *d, uint64_t from, uint64_t to, double step_N,
                              const struct impact *other, unsigned n)
{
    uint64_t near = blocks_in(d, IMPACT_LEAST_S / 2);
    struct impact most = {from, 0};
    for (uint64_t i = from; i < to; i++) {
        bool free = true;
        for (unsigned k = 0; k < n && free; k++) free = i > other[k].at + near || i + near < other[k].at;
        double b = free ? bend_N(d, i) : 0;
        if (b > most.bend_N && (!rep_bridges(d) || driven(d, i, step_N))) most = (struct impact){i, b};
    }
    return most;
}

/* The sharpest bend may be that of a sudden drive after the floor took load: then the hips were lowest where the force was
 * least between. The same block if it is not. */
static uint64_t driven_from(const struct plate_rep_detector *d, uint64_t at, double step_N)
{
    uint64_t around = blocks_in(d, IMPACT_AROUND_S), low = at;
    if (mean_at(d, at + around) - mean_at(d, at) < SUDDEN_PART * step_N) return at;
    for (uint64_t i = at - around; i < at; i++)
        if (mean_at(d, i) < mean_at(d, low)) low = i;
    double before_N = most_N(d, low - around, low), least_N = mean_at(d, low) + MOVES_PART * step_N;
    return fmin(before_N, mean_at(d, at)) > least_N ? low : at;
}

/* The middle of the time in which the force bends so. */
static double middle_s(const struct plate_rep_detector *d, const struct impact *m, double step_N)
{
    uint64_t low = driven_from(d, m->at, step_N);
    if (low != m->at) return rep_block_at(d, low)->t_s;
    uint64_t around = blocks_in(d, IMPACT_AROUND_S), a = m->at - around, z = m->at + around;
    while (a < m->at && bend_N(d, a) < IMPACT_AROUND * m->bend_N) a++;
    while (z > m->at && bend_N(d, z) < IMPACT_AROUND * m->bend_N) z--;
    return 0.5 * (rep_block_at(d, a)->t_s + rep_block_at(d, z)->t_s);
}

static double uneven_N(const struct plate_rep_detector *d, uint64_t from, uint64_t to)
{
    double level_N = rep_block_at(d, from)->force_N, sum = 0, sum2 = 0, n = (double)(to - from);
    for (uint64_t i = from; i < to; i++) {
        double off_N = rep_block_at(d, i)->force_N - level_N;
        sum += off_N, sum2 += off_N * off_N;
    }
    return sqrt(fmax(0, sum2 / n - sum / n * (sum / n)));
}

static bool moves(const struct plate_rep_detector *d, uint64_t at, double before_N, double after_N)
{
    uint64_t near = blocks_in(d, MOVES_S), apart = blocks_in(d, IMPACT_AROUND_S);
    return uneven_N(d, at - near, at - apart) > before_N && uneven_N(d, at + apart, at + near) > after_N;
}

/* What holds the hips: the median of the force there, but for the impact itself. */
static double holds_N(const struct plate_rep_detector *d, uint64_t from, uint64_t to, uint64_t at)
{
    uint64_t apart = blocks_in(d, IMPACT_AROUND_S);
    double least_N = INFINITY, most_N = -INFINITY;
    for (uint64_t i = from; i < to; i++)
        least_N = fmin(least_N, rep_block_at(d, i)->force_N), most_N = fmax(most_N, rep_block_at(d, i)->force_N);
    for (unsigned k = 0; k < MEDIAN_STEPS; k++) {
        double middle_N = 0.5 * (least_N + most_N), over = 0;
        for (uint64_t i = from; i < to; i++)
            if (i + apart < at || i > at + apart) over += rep_block_at(d, i)->force_N > middle_N ? 1 : -1;
        if (over > 0)
            least_N = middle_N;
        else
            most_N = middle_N;
    }
    return 0.5 * (least_N + most_N);
}

/* Had the hips fallen when this struck? */
static bool fell(const struct plate_rep_detector *d, double onset_s, double end_s, uint64_t at)
{
    double at_s = rep_block_at(d, at)->t_s, m_per_s = 0;
    uint64_t from = rep_block_from(d, fmax(onset_s, at_s - HOLDS_S)), to = rep_block_from(d, fmin(end_s, at_s + HOLDS_S));
    double level_N = holds_N(d, from, to < d->blocks ? to : d->blocks, at);
    from = rep_block_from(d, fmax(onset_s + DROVE_S, at_s - FELL_S));
    for (uint64_t i = from; i + blocks_in(d, IMPACT_AROUND_S) < at; i++)
        m_per_s += rep_block_at(d, i)->dt_s * GRAVITY * (1 - rep_block_at(d, i)->force_N / level_N);
    return m_per_s >= FELL_M_PER_S && m_per_s <= FELL_MOST_M_PER_S;
}

/* The one impact of a bridge: no kick? */
static bool turns_bridge(const struct plate_rep_detector *d, uint64_t at, double length_s, double step_N)
{
    bool two_long = d->steps > 0 && length_s >= BRIDGE_LONG * d->usual_s;
    return rep_bridges(d) && (two_long || moves(d, at, 0, BRIDGE_DRIVES * step_N));
}

/* The sharpest first; bit n: the n sharpest are plain. */
static unsigned find(const struct plate_rep_detector *d, uint64_t from, uint64_t to, double step_N, struct impact *ret)
{
    unsigned found = 0, plain = 0;
    double least_N = 0;
    do {
        ret[found] = sharpest(d, from, to, step_N, ret, found);
        if (found == 0) least_N = fmax(fmin(IMPACT_PART * step_N, IMPACT_WEAK * ret[0].bend_N), IMPACT_NOISE * rep_noise_N(d));
        if (found > 0 && ret[found].bend_N < IMPACT_PLAIN * ret[found - 1].bend_N) plain |= 1U << found;
    } while (ret[found++].bend_N >= least_N && found < TWINS);
    return ret[0].bend_N < IMPACT_PART * step_N ? 0 : plain;
}

/* A bridge that seems to have turned at the next top: when had it struck the floor, the only time? */
static double lone_s(const struct plate_rep_detector *d, double turn_s, double step_N)
{
    struct impact m[TWINS];
    uint64_t from, to;
    if (!look_between(d, d->onset_s + IMPACT_LEAST_S, turn_s, &from, &to) || !(find(d, from, to, step_N, m) & 2)) return NAN;
    double at_s = middle_s(d, m, step_N);
    bool next = at_s - d->onset_s > IMPACT_EVEN * (turn_s - at_s);
    return next && fell(d, d->onset_s, turn_s, m->at) ? at_s : NAN;
}

double rep_impact_near_s(const struct plate_rep_detector *d, double turn_s)
{
    double most_s = fmin(NEAR_S, NEAR_PART * (turn_s - d->onset_s)), step_N = rep_top_N(d) - d->rest.mean_N;
    uint64_t from, to;
    if (!look_between(d, turn_s - most_s, turn_s + most_s, &from, &to)) return NAN;
    struct impact m = sharpest(d, from, to, step_N, NULL, 0);
    bool plain = m.bend_N >= fmax(IMPACT_PART * step_N, IMPACT_NOISE * rep_noise_N(d));
    if (plain && driven(d, m.at, step_N)) return middle_s(d, &m, step_N);
    return rep_bridges(d) ? lone_s(d, turn_s, step_N) : NAN;
}

static void by_time(const struct impact *found, unsigned n, struct impact *ret)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned k = i;
        for (; k > 0 && ret[k - 1].at > found[i].at; k--) ret[k] = ret[k - 1];
        ret[k] = found[i];
    }
}

static void pieces(double from_s, double end_s, const double *at_s, unsigned n, double *ret_shortest_s, double *ret_longest_s)
{
    *ret_shortest_s = INFINITY, *ret_longest_s = 0;
    for (unsigned i = 0; i <= n; i++) {
        double one_s = (i < n ? at_s[i] : end_s) - (i > 0 ? at_s[i - 1] : from_s);
        *ret_shortest_s = fmin(*ret_shortest_s, one_s), *ret_longest_s = fmax(*ret_longest_s, one_s);
    }
}

/* Do these impacts, in the order of time, part what began and ended then? */
static bool part(const struct plate_rep_detector *d, double onset_s, double end_s, double step_N, const struct impact *m,
                 const double *at_s, unsigned n)
{
    unsigned moving = 0, falls = 0;
    double shortest_s, longest_s, least_N = (n == 1 ? MOVES_PART : MOVE_PART) * step_N;
    for (unsigned i = 0; i < n; i++) {
        if (!driven(d, m[i].at, step_N)) return false;
        moving += moves(d, m[i].at, least_N, least_N) || (n == 1 && turns_bridge(d, m[i].at, end_s - onset_s, step_N));
        falls += rep_bridges(d) && fell(d, onset_s, end_s, m[i].at);
    }
    pieces(onset_s, end_s, at_s, n, &shortest_s, &longest_s);
    return moving + falls > 0 && shortest_s >= IMPACT_LEAST_S && (falls == n || longest_s <= IMPACT_EVEN * shortest_s);
}

unsigned rep_impacts(const struct plate_rep_detector *d, double *onset_s, double end_s, double step_N, double *ret_turn_s)
{
    struct impact found[TWINS], m[TWINS];
    uint64_t from, to;
    if (!look_between(d, *onset_s + IMPACT_LEAST_S / 2, end_s - IMPACT_LEAST_S / 2, &from, &to)) return 0;
    unsigned plain = find(d, from, to, step_N, found);
    for (unsigned n = TWINS; n-- > 1;) {
        if (!(plain & 1U << n)) continue;
        by_time(found, n, m);
        for (unsigned i = 0; i < n; i++) ret_turn_s[i] = middle_s(d, &m[i], step_N);
        double shortest_s, longest_s;
        pieces(ret_turn_s[0], end_s, ret_turn_s + 1, n - 1, &shortest_s, &longest_s);
        unsigned late = rep_bridges(d) && n > 1 && longest_s > IMPACT_EVEN * (ret_turn_s[0] - *onset_s);
        double from_s = late ? ret_turn_s[0] : *onset_s; /* the one before ended too early: that impact was its end */
        if (!part(d, from_s, end_s, step_N, m + late, ret_turn_s + late, n - late)) continue;
        *onset_s = from_s;
        for (unsigned i = 0; i + late < n; i++) ret_turn_s[i] = ret_turn_s[i + late];
        return n - late;
    }
    return 0;
}
