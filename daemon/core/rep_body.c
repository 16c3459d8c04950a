#include <math.h>

#include "rep_loaded.h"

/* What does a standing body weigh? docs/detector.md gives the reason of each threshold. */
#define BEFORE_S 1.0      /* what is weighed before a movement */
#define EVEN_REACH_M 0.3  /* so far goes who accelerates evenly, ... */
#define ABOVE_MOST_M 0.15 /* ... but nobody so far above where he stood */
#define REACH_M 0.8       /* what takes a body further up or down than this is its weight, ... */
#define STANDS_PART 0.015 /* ... if it is as even as people stand */
#define STOOD_OFF 0.15    /* of the weight: what he stood on instead is no further from it */
#define STOOD_ABOVE 0.2   /* of the depth: who went down from there was no higher above it */

/* How long can a body be off its weight, as it is now, and go no further? From a speed v to the opposite one, which is the
 * least, it goes a t^2 / 8. */
static double within_s(const struct plate_rep_detector *d, double reach_m)
{
    return sqrt(8 * reach_m / (GRAVITY * fabs(rep_last_block(d)->force_N / d->rest.mean_N - 1)));
}

/* Has the force been off the weight for so long that a body would have gone further than people reach? It need not be more even
 * than a body stands. */
static bool no_way(struct plate_rep_detector *d, struct level *level, double *ret_since_s)
{
    const struct block *last = rep_last_block(d);
    double off_N = fabs(last->force_N - d->rest.mean_N), dwell_s = fmax(ON_WEIGHT_S, within_s(d, REACH_M));
    if (off_N < rep_loaded_band_N(d) || dwell_s > SINKS_MOST_S) return false;
    uint64_t half = rep_block_from(d, last->t_s - dwell_s / 2);
    double tolerance_N = STANDS_PART * last->force_N, most_N = FLAT_MOST * tolerance_N;
    if (half <= rep_oldest_block(d) || fabs(rep_block_at(d, half)->force_N - last->force_N) > most_N) return false;
    if (!rep_lasted(d, last->t_s, d->asked_s, ASK_S)) return false;
    d->asked_s = last->t_s;
    return rep_flat(d, dwell_s, 0, -INFINITY, tolerance_N, level, ret_since_s);
}

/* Nobody accelerates so evenly, or for so long. */
static bool steady(struct plate_rep_detector *d, double dwell_s, struct level *level, double *ret_since_s)
{
    double s = rep_last_block(d)->t_s - d->still_s, above_m = ABOVE_MOST_M + ON_WEIGHT_PART * GRAVITY * s * s / 2;
    bool moves = d->state != STATE_LOADED || (!d->landing && !d->astray && d->height < above_m);
    if (moves) dwell_s = fmin(SINKS_MOST_S, fmax(dwell_s, within_s(d, EVEN_REACH_M)));
    return rep_flat(d, dwell_s, 0, -INFINITY, ON_WEIGHT_PART * d->rest.mean_N, level, ret_since_s) ||
           no_way(d, level, ret_since_s);
}

void rep_body_stands(struct plate_rep_detector *d, double weight_N)
{
    d->own_rest_N *= weight_N / d->rest.mean_N;
    d->rest.mean_N = weight_N;
}

bool rep_body_weighs(struct plate_rep_detector *d, double dwell_s, struct plate_rep_output *out)
{
    struct level level;
    double since_s;
    if (!steady(d, dwell_s, &level, &since_s) || fabs(level.mean_N - d->rest.mean_N) < 0.5 * rep_loaded_band_N(d)) return false;
    rep_body_stands(d, level.mean_N);
    rep_to_rest(d, out);
    return true;
}

void rep_body_weighed(struct plate_rep_detector *d, double departed_s)
{
    uint64_t from = rep_block_from(d, departed_s - BEFORE_S), to = rep_block_from(d, departed_s - BEFORE_S / 5);
    double sum = 0, sum2 = 0, n = (double)(to - from);
    for (uint64_t i = from; i < to; i++) {
        double off_N = rep_block_at(d, i)->force_N - d->rest.mean_N;
        sum += off_N, sum2 += off_N * off_N;
    }
    if (n < 3 || rep_block_at(d, from)->t_s < d->last_end_s || fabs(sum / n) < SWAY_MOST * d->rest.mean_N ||
        sqrt(fmax(0, sum2 / n - sum / n * (sum / n))) > fmax(d->noise_N, ON_WEIGHT_PART * d->rest.mean_N))
        return;
    rep_body_stands(d, d->rest.mean_N + sum / n);
}

bool rep_body_went_down(const struct plate_rep_detector *d, uint64_t i, double weight_N)
{
    double v = 0, h = 0, deepest = 0, highest = 0;
    for (; i < d->blocks; i++) {
        const struct block *b = rep_block_at(d, i);
        v += b->dt_s * GRAVITY * (b->force_N / weight_N - 1);
        h += b->dt_s * v;
        deepest = fmin(deepest, h), highest = fmax(highest, h);
    }
    return deepest < -CLOSED_M && deepest > -DEEPEST_M && highest < -STOOD_ABOVE * deepest;
}

bool rep_body_stood(struct plate_rep_detector *d, double *ret_left_s)
{
    uint64_t n = (uint64_t)fmax(1, floor(STANDS_S / rep_last_block(d)->dt_s + 0.5)), from = rep_block_from(d, d->onset_s) + n;
    for (uint64_t i = d->blocks - 1; i > from; i--) {
        double level_N = rep_running_mean_N(d, i, n);
        if (fabs(level_N / d->rest.mean_N - 1) > STOOD_OFF) continue;
        uint64_t k = 0;
        while (k < n && fabs(rep_block_at(d, i - k)->force_N - level_N) < STANCE_EVEN * level_N) k++;
        if (k < n) continue;
        if (!rep_body_went_down(d, i, level_N)) return false;
        rep_body_stands(d, level_N);
        *ret_left_s = rep_block_at(d, i)->t_s;
        return true;
    }
    return false;
}

/* Did a body that went down since the onset stand still since then, on another level, if its weight changed evenly on the way?
 * Its speed is gone, which it was not with the old weight. */
static bool stopped_below(const struct plate_rep_detector *d, const struct level *level, double since_s)
{
    double v = 0, h = 0, was = 0, change = (level->mean_N - d->rest.mean_N) / (since_s - d->onset_s);
    for (uint64_t i = rep_block_from(d, d->onset_s); i < d->blocks && rep_block_at(d, i)->t_s < since_s; i++) {
        const struct block *b = rep_block_at(d, i);
        was += b->dt_s * GRAVITY * (b->force_N / d->rest.mean_N - 1);
        v += b->dt_s * GRAVITY * (b->force_N / (d->rest.mean_N + change * (b->t_s - d->onset_s)) - 1);
        h += b->dt_s * v;
    }
    return h < -CLOSED_M && fabs(v) < SANK_M_PER_S + 0.5 * fabs(was - v);
}

bool rep_body_stopped(const struct plate_rep_detector *d, struct level *ret)
{
    double since_s;
    return rep_flat(d, ON_WEIGHT_S, 0, d->onset_s, ON_WEIGHT_PART * d->rest.mean_N, ret, &since_s) &&
           stopped_below(d, ret, since_s);
}
