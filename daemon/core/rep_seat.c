#include <math.h>

#include "rep_up.h"

/* The stance of somebody who stood up from a seat and sits down again, looked at when that is over. docs/detector.md gives the
 * reason of each threshold. */
#define ON_FEET_PART 0.95 /* of the mean: the seat carries nothing */
#define NEAR_PART 0.06    /* of the weight as the mean has it: it may be the weight */
#define STANCE_PART 0.02  /* of the weight: it is */
#define HIGH_PART 0.7     /* of the way up: no drive is there for long */
#define STANCE_SD 5.0     /* noise (of means; that of the smoothed force is half of it) is within so many times its SD */
#define PASSED_PART 0.5   /* of the stance: a hold that was followed for less was on the way */
#define SWAYS_S 0.15      /* out of it for less: sway */
#define STANCE_S 0.25     /* shorter is a turn, and no stance */
#define CAUGHT_PART 0.95  /* of his fastest downwards: slower at the end, and he was caught; faster, he still falls */
#define STOOD_UP_M 0.08   /* who stood up rose by more, though the seat took what was left of his speed */

struct stance {
    uint64_t from, to; /* blocks, the last not included */
};

/* The longest time that the force is on a level, as far as it touches what is looked at. */
static struct stance longest(const struct plate_rep_detector *d, struct stance feet, struct stance within, double level_N,
                             double tolerance_N)
{
    struct stance best = {feet.from, feet.from}, now = best;
    for (uint64_t i = feet.from, last = feet.from; i < feet.to; i++) {
        if (fabs(rep_block_at(d, i)->force_N - level_N) > tolerance_N) continue;
        const struct block *was = rep_block_at(d, last);
        if (i > last + 1 && rep_lasted(d, rep_block_at(d, i)->t_s, was->t_s + was->dt_s, SWAYS_S)) now.from = i;
        now.to = i + 1;
        last = i;
        bool touches = now.from < within.to && now.to > within.from;
        if (touches && now.to - now.from > best.to - best.from) best = now;
    }
    return best;
}

/* From where the force is more than that first, to where it is last. */
static struct stance above(const struct plate_rep_detector *d, struct stance s, double least_N)
{
    while (s.from + 1 < s.to && rep_block_at(d, s.from)->force_N < least_N) s.from++;
    while (s.to > s.from + 1 && rep_block_at(d, s.to - 1)->force_N < least_N) s.to--;
    return s;
}

static double mean_N(const struct plate_rep_detector *d, struct stance s)
{
    return rep_running_mean_N(d, s.to - 1, s.to - s.from);
}

/* As high when the seat takes a part again as when he left it: the mean force, each weighted by the time that remains, is the
 * weight. */
static double weight_N(const struct plate_rep_detector *d, struct stance feet)
{
    double sum = 0, n = 0;
    for (uint64_t i = feet.from; i < feet.to; i++)
        sum += (double)(feet.to - i) * rep_block_at(d, i)->force_N, n += (double)(feet.to - i);
    return sum / n;
}

/* The path on the feet: how high, how fast downwards, and how fast at the end. */
struct path {
    double most_m, fastest, last;
};

/* Where he is nearly as high as ever: at an even speed, up or down, the force is the weight, too. */
static struct stance upright(const struct plate_rep_detector *d, struct stance feet, double body_N, struct path *ret)
{
    struct stance high = feet;
    struct path path = {0, 0, 0};
    for (int pass = 0; pass < 2; pass++) {
        double v = 0, h = 0;
        bool found = false;
        for (uint64_t i = feet.from; i < feet.to; i++) {
            v += rep_block_at(d, i)->dt_s * GRAVITY * (rep_block_at(d, i)->force_N / body_N - 1);
            h += rep_block_at(d, i)->dt_s * v;
            if (pass == 0) path = (struct path){fmax(path.most_m, h), fmin(path.fastest, v), v};
            if (pass == 0 || h < HIGH_PART * path.most_m) continue;
            high = (struct stance){found ? high.from : i, i + 1};
            found = true;
        }
    }
    *ret = path;
    return high;
}

/* From when he carries all of himself until the seat takes a part again. */
static bool find_feet(const struct plate_rep_detector *d, double end_s, struct stance *ret)
{
    struct stance feet = {rep_block_from(d, d->onset_s), rep_block_from(d, end_s)};
    if (feet.from <= rep_oldest_block(d) || feet.to < feet.from + 3) return false;
    feet = above(d, feet, 0.5 * (d->rest.mean_N + d->peak_N));
    *ret = above(d, feet, ON_FEET_PART * mean_N(d, feet));
    return true;
}

static bool stood_up(const struct plate_rep_detector *d, double end_s, struct path *ret)
{
    struct stance feet;
    if (!find_feet(d, end_s, &feet)) return false;
    upright(d, feet, weight_N(d, feet), ret);
    return ret->most_m > STOOD_UP_M;
}

bool rep_stood_up(const struct plate_rep_detector *d, double end_s)
{
    struct path path;
    return stood_up(d, end_s, &path);
}

bool rep_sat_down(const struct plate_rep_detector *d, double end_s)
{
    struct path path;
    return stood_up(d, end_s, &path) && path.last > CAUGHT_PART * path.fastest;
}

bool rep_may_sit(const struct plate_rep_detector *d)
{
    return d->exercise->family == FAMILY_SEAT ||
           (d->exercise->family == FAMILY_GENERIC && !d->foot_down && rep_top_N(d) > STANDING_N);
}

/* He stands where the force is longest on that weight, near the top. */
bool rep_stance(const struct plate_rep_detector *d, double end_s, double *ret_top_s, double *ret_descent_s)
{
    struct stance feet;
    if (!find_feet(d, end_s, &feet)) return false;
    struct path path;
    double body_N = weight_N(d, feet), noise_N = STANCE_SD * d->noise_N;
    struct stance high = upright(d, feet, body_N, &path),
                  stance = longest(d, high, high, body_N, fmax(noise_N, NEAR_PART * body_N));
    if (stance.to <= stance.from) return false;
    body_N = mean_N(d, stance);
    stance = longest(d, feet, high, body_N, fmax(noise_N, STANCE_PART * body_N));
    if (stance.to <= stance.from) return false;
    double top_s = rep_block_at(d, stance.from)->t_s, descent_s = rep_block_at(d, stance.to - 1)->t_s;
    if (!rep_lasted(d, descent_s, top_s, STANCE_S)) return false;
    /* the hold that was followed is known better, unless it was a short one on the way */
    if (d->held && d->descent_s - d->top_s > PASSED_PART * (descent_s - top_s)) return false;
    *ret_top_s = top_s, *ret_descent_s = descent_s;
    return true;
}
