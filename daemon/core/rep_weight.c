#include <math.h>

#include "rep_loaded.h"
#include "rep_up.h"

/* Nobody said what it is, and a force went up and is held: a push, or somebody who stepped on, or took a bar? docs/detector.md
 * gives the reason of each threshold. */
#define FIRST_S 0.6         /* it may be a weight; ... */
#define WEIGHED_S 1.0       /* ... no muscle holds a force for so long ... */
#define WEIGHED_PART 0.005  /* ... as evenly as a weight presses */
#define TAKEN_UP_MOST 3.0   /* of what he stood with */
#define WEIGHED_FOLLOWS 0.1 /* of what it is off, each time */
#define ASKED_S 0.1         /* how often that is looked at */
#define STEPPED_ON_S 6.0    /* what is put on an empty plate may be hips, which are not held for so long */
#define SQUATS_MOST_S 8.0   /* no squat is longer */
#define WEIGHT_OFF 0.02     /* no greater error of the weight explains where a squat ends */

void rep_weight_forget(struct plate_rep_detector *d)
{
    d->weight.mean_N = 0;
    d->sinks_s = NAN;
}

static void stands(struct plate_rep_detector *d)
{
    rep_rest_moves(d, d->weight.mean_N, fmin(d->weight.sd_N, BAND_MIN_N / BAND_SD));
    d->foot_down = false;
}

/* The path of a body of that weight since it left it downwards: has it come back to where it began? */
static bool squatted(struct plate_rep_detector *d, double end_s)
{
    double onset_s = d->onset_s, bottom_s;
    struct level rest = d->rest;
    d->rest = d->weight, d->onset_s = d->sinks_s;
    bool closes = rep_closes(d, end_s, WEIGHT_OFF, &bottom_s);
    d->rest = rest, d->onset_s = onset_s;
    return closes;
}

/* How high it is since it left its weight: an error of that which stays the same leaves a speed v after a time t, and a height
 * of v t / 2. */
static double height_m(const struct plate_rep_detector *d, double t_s)
{
    return d->height - d->velocity * (t_s - d->sinks_s) / 2;
}

/* Even for a second: it may be a weight. On top of a weight, or for longer: it is. */
static bool weigh(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    struct level level;
    double since_s, even_N = hypot(WEIGHED_PART * d->smooth_N, rep_noise_N(d));
    d->weighed_s = t_s;
    bool known = d->weight.mean_N > 0;
    if (d->smooth_N < STANDING_N || !rep_flat(d, known ? WEIGHED_S : FIRST_S, 0, d->onset_s, even_N, &level, &since_s))
        return false;
    if (fabs(level.mean_N - d->weight.mean_N) > 2 * even_N) {
        d->weight = level;
        d->sinks_s = NAN;
    } else if (isnan(d->sinks_s)) {
        d->weight.mean_N += WEIGHED_FOLLOWS * (level.mean_N - d->weight.mean_N);
        d->weight.sd_N = fmin(d->weight.sd_N, level.sd_N);
    }
    bool stood = known && d->rest.mean_N > STANDING_N && level.mean_N < TAKEN_UP_MOST * d->rest.mean_N;
    if (!stood && (!d->foot_down || !rep_flat(d, STEPPED_ON_S, 0, d->onset_s, even_N, &d->weight, &since_s))) return false;
    stands(d);
    rep_to_rest(d, out);
    return true;
}

/* One block further, of a body of that weight. */
static void sink(struct plate_rep_detector *d, uint64_t i)
{
    const struct block *b = rep_block_at(d, i);
    d->velocity += b->dt_s * GRAVITY * (b->force_N / d->weight.mean_N - 1);
    d->height += b->dt_s * d->velocity;
    d->fastest_down = fmin(d->fastest_down, d->velocity);
}

bool rep_weight_stands(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    if (d->exercise->family != FAMILY_GENERIC) return false;
    if (rep_lasted(d, t_s, d->weighed_s, ASKED_S) && weigh(d, t_s, out)) return true;
    double off_N = d->smooth_N - d->weight.mean_N;
    bool pulls = d->foot_down && d->steps >= 2 && d->known_rest_N < d->lowest_N + FOOT_LEAST_N; /* so did the ones before */
    if (d->weight.mean_N <= 0 || pulls || (isnan(d->sinks_s) && fabs(off_N) < BAND_PART * d->weight.mean_N)) return false;
    bool over = rep_lasted(d, t_s, d->sinks_s, SQUATS_MOST_S) || d->sinks_s < d->last_end_s; /* of which a rep was said */
    if (isnan(d->sinks_s) ? off_N > 0 : over) {
        rep_weight_forget(d);
        return false;
    }
    if (isnan(d->sinks_s)) {
        d->sinks_s = rep_find_departure(d, t_s, d->weight.mean_N, fmax(BAND_MIN_N, BAND_SD * d->weight.sd_N));
        d->velocity = d->height = d->fastest_down = 0;
        for (uint64_t i = rep_block_from(d, d->sinks_s); i + 1 < d->blocks; i++) sink(d, i);
    }
    bool below = height_m(d, t_s) < 0;
    sink(d, d->blocks - 1);
    bool back = below && height_m(d, t_s + rep_last_block(d)->dt_s) >= 0 && squatted(d, t_s);
    if (!back && (d->fastest_down > -DROPS_M_PER_S || d->velocity < DROPS_M_PER_S)) return false;
    stands(d);
    rep_loaded_go_on(d, d->sinks_s, out);
    return true;
}
