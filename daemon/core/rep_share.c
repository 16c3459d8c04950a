#include <math.h>

#include "rep_loaded.h"

/* A plate under one foot of two, or with a dead cell: it bears a share of the body, and another one as the body goes down.
 * docs/detector.md gives the reason of each threshold. */
#define STANCE_OFF 0.06    /* a body whose momentum went astray may stand again with so much less or more */
#define SHARE_ON 0.3       /* of the largest that the force is off the line from stance to stance: the movement is on, ... */
#define SHARE_OFF 0.1      /* ... and here it began, and was over */
#define SHARE_BANDS 2.0    /* that largest is more than sway */
#define SHARE_LEVEL_S 0.3  /* the stances before and after are means over this */
#define SHARE_HUMP 0.4     /* between its two dips the force rises by so much of that */
#define SHARE_PASSES 3     /* the depth that tells of the share tells of the depth */
#define SHARE_ABOVE 0.1    /* of the depth: nobody is higher on the way than he stands, ... */
#define SHARE_ABOVE_M 0.03 /* ... and an error */

/* Between two stances, and the weight in them, on a straight line between. */
struct span {
    uint64_t from, to;
    double from_N, to_N;
};
struct path {
    double share, deepest_m, highest_m, down_m_per_s, up_m_per_s;
    uint64_t bottom;
};

/* How much of the span is over at block i? */
static double part(const struct plate_rep_detector *d, const struct span *s, uint64_t i)
{
    double from_s = rep_block_at(d, s->from)->t_s;
    return (rep_block_at(d, i)->t_s - from_s) / (rep_block_at(d, s->to)->t_s - from_s);
}

static double weight_N(const struct plate_rep_detector *d, const struct span *s, uint64_t i)
{
    return s->from_N + (s->to_N - s->from_N) * part(d, s, i);
}

static double off_N(const struct plate_rep_detector *d, const struct span *s, uint64_t i)
{
    return rep_block_at(d, i)->force_N - weight_N(d, s, i);
}

/* Down, up and down again? Then the ends of the span are moved inwards, to where the first dip began and the last was over.
 * `ret_most` is the largest that the force is off the weight, as part of it. */
static bool find_squat(const struct plate_rep_detector *d, struct span *s, double *ret_most)
{
    double most_N = 0, first_N = 0, last_N = 0, hump_N = -INFINITY;
    for (uint64_t i = s->from; i < s->to; i++) most_N = fmax(most_N, fabs(off_N(d, s, i)));
    uint64_t from = s->from, to = s->to, hump = from;
    while (from < to && fabs(off_N(d, s, from)) < SHARE_ON * most_N) from++;
    while (to > from && fabs(off_N(d, s, to - 1)) < SHARE_ON * most_N) to--;
    if (most_N < SHARE_BANDS * rep_loaded_band_N(d) || to < from + 4 || off_N(d, s, from) > 0 || off_N(d, s, to - 1) > 0)
        return false;
    for (uint64_t i = from; i < to; i++)
        if (off_N(d, s, i) > hump_N) hump_N = off_N(d, s, i), hump = i;
    for (uint64_t i = from; i < hump; i++) first_N = fmin(first_N, off_N(d, s, i));
    for (uint64_t i = hump; i < to; i++) last_N = fmin(last_N, off_N(d, s, i));
    if (hump_N - fmax(first_N, last_N) < SHARE_HUMP * most_N) return false;
    while (from > s->from && off_N(d, s, from) < -SHARE_OFF * most_N) from--;
    while (to < s->to && off_N(d, s, to) < -SHARE_OFF * most_N) to++;
    uint64_t before = rep_block_from(d, rep_block_at(d, from)->t_s - SHARE_LEVEL_S),
             after = rep_block_from(d, rep_block_at(d, to)->t_s + SHARE_LEVEL_S);
    if (after >= d->blocks) after = d->blocks - 1;
    if (before <= rep_oldest_block(d) || rep_block_at(d, before)->t_s < d->last_end_s || before >= from || after <= to)
        return false;
    *ret_most = most_N / d->rest.mean_N;
    *s = (struct span){from, to, rep_running_mean_N(d, from - 1, from - before), rep_running_mean_N(d, after - 1, after - to)};
    return true;
}

/* How deep at block i, as part of the deepest: by the path before this one, or half a sine while there is none. */
static double deep(const struct plate_rep_detector *d, const struct span *s, uint64_t i, double deepest_m)
{
    return deepest_m < 0 ? (double)d->path_m[i % BLOCKS] / deepest_m : sin(M_PI * part(d, s, i));
}

static double block_s(const struct plate_rep_detector *d, uint64_t i)
{
    return rep_block_at(d, i + 1)->t_s - rep_block_at(d, i)->t_s;
}

/* The path whose speed and height are nil at the end: v' = g (F / W - 1 - share p - skew q), with p how deep it is, and q a
 * whole sine. */
static struct path follow(struct plate_rep_detector *d, const struct span *s)
{
    struct path p = {0};
    for (int pass = 0; pass < SHARE_PASSES; pass++) {
        double deepest_m = p.deepest_m, v = 0, h = 0, vp = 0, hp = 0, vq = 0, hq = 0;
        for (uint64_t i = s->from; i < s->to; i++) {
            double dt_s = block_s(d, i);
            v += dt_s * GRAVITY * off_N(d, s, i) / weight_N(d, s, i), h += dt_s * v;
            vp += dt_s * GRAVITY * deep(d, s, i, deepest_m), hp += dt_s * vp;
            vq += dt_s * GRAVITY * sin(2 * M_PI * part(d, s, i)), hq += dt_s * vq;
        }
        double det = vp * hq - hp * vq, skew = (vp * h - hp * v) / det;
        p = (struct path){.share = (v * hq - h * vq) / det};
        v = h = 0;
        for (uint64_t i = s->from; i < s->to; i++) {
            double dt_s = block_s(d, i), other = p.share * deep(d, s, i, deepest_m) + skew * sin(2 * M_PI * part(d, s, i));
            v += dt_s * GRAVITY * (off_N(d, s, i) / weight_N(d, s, i) - other);
            h += dt_s * v;
            d->path_m[i % BLOCKS] = (float)h;
            if (h < p.deepest_m) p.deepest_m = h, p.bottom = i, p.up_m_per_s = 0;
            p.highest_m = fmax(p.highest_m, h);
            p.down_m_per_s = fmin(p.down_m_per_s, v);
            p.up_m_per_s = fmax(p.up_m_per_s, v);
        }
        if (!(p.deepest_m < -0.5 * CLOSED_M)) break;
    }
    return p;
}

bool rep_share_squatted(struct plate_rep_detector *d, double level_N, struct squat *ret)
{
    double most;
    struct span s = {rep_block_from(d, d->onset_s), d->blocks - 1, d->rest.mean_N, level_N};
    if (s.to < s.from + 8 || !find_squat(d, &s, &most)) return false;
    struct path p = follow(d, &s);
    *ret = (struct squat){rep_block_at(d, s.from)->t_s, rep_block_at(d, p.bottom)->t_s, rep_block_at(d, s.to)->t_s};
    return p.deepest_m < -CLOSED_M && p.deepest_m > -DEEPEST_M && p.highest_m < SHARE_ABOVE_M - SHARE_ABOVE * p.deepest_m &&
           p.down_m_per_s < -CLOSED_M_PER_S && p.up_m_per_s > CLOSED_M_PER_S && fabs(p.share) < most;
}

bool rep_share_stands(struct plate_rep_detector *d, struct level *level, struct squat *ret)
{
    double since_s;
    return rep_flat(d, STANDS_S, 0, d->onset_s, STANCE_EVEN * d->rest.mean_N, level, &since_s) &&
           fabs(level->mean_N / d->rest.mean_N - 1) <= STANCE_OFF && rep_share_squatted(d, level->mean_N, ret);
}
