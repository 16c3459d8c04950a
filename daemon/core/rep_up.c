#include <math.h>

#include "rep_private.h"

/* docs/detector.md gives the reason of each threshold. */
#define MIN_STEP_N 15.0      /* less is no repetition of anything */
#define LIFT_MIN_N 30.0      /* hips carry a fifth of the body's weight at least, a foot at rest a seventh at most */
#define MAX_REP_S 40.0       /* longer is no repetition: somebody stands there */
#define HOLD_S 0.2           /* after the braking dip, a force that is flat for so long is held */
#define TREMOR_S 0.1         /* slower than a person trembles: what is flat but for tremor is flat */
#define PLATEAU_S 0.4        /* without a dip: longer than the top of the drive's own hump */
#define FLAT_PART 0.01       /* flat: SD within this part of the step from rest */
#define SETTLED_PART 0.03    /* looking back from there, tremor included */
#define HOLD_LEVEL 0.4       /* and above this part of the step to the peak ... */
#define BRAKED_LEVEL 0.2     /* ... which an explosive drive may exceed fivefold */
#define DIP_PART 0.015       /* a braking dip is deeper than this part of the step */
#define LEAVE_PART 0.015     /* a hold is left by more than this part of its force ... */
#define LEAVE_SD 3.5         /* ... and of its own SD ... */
#define LEAVE_S 0.06         /* ... for so long */
#define PUSH_FLAT_PART 0.02  /* a maximal push trembles more ... */
#define PUSH_LEAVE_PART 0.06 /* ... and creeps */
#define HOLD_FOLLOW_S 1.0    /* the held level creeps with posture ... */
#define CREEP_PART 0.25      /* ... but by no more than this part of the hips' way: that is lowering */
#define SAG_PART 0.2         /* held again so little lower: sagged, and still at the top */
#define RISE_PART 0.12       /* ... or so little higher */
#define SUSTAIN_S 0.015
#define LEFT_S 3.0          /* how far back a hold can have been left: a longer sag is posture */
#define LEFT_SD 1.0         /* ... and short of the level by this much of its SD ... */
#define LEFT_PART 0.06      /* ... and of the way */
#define END_PART 0.1        /* touch-down: within a tenth of the step from rest to support */
#define END_DWELL_S 0.1     /* hips that are known to be down are down */
#define DIP_DWELL_S 0.25    /* else a fall this short may be braking at the top (free fall of v/g, v < 1.2 m/s) */
#define FLIGHT_DWELL_S 0.45 /* ... or hips in flight, up and down again, after a push too short for a rep */
#define FOOT_STEP 0.8       /* a rise above a "hold" by this part of its step: the hold was the foot at rest */
#define FOOT_LEVEL 0.55     /* of the known held force: a foot at rest presses less */
/* The observer: statics give dS/dh = 0.7 to 1.2 S per metre for every load, so the support answers the force as an
 * oscillator of w^2 = g (dS/dh) / S = 7 to 12 /s^2. */
#define OBSERVER_W2 9.6
#define OBSERVER_DAMPING 1.0 /* 2 zeta w: errors of the first instants die away in about two seconds */
#define FIRST_DAMPING 3.0    /* in the first second: where the hips lift off is not known so well */
#define LOW_LEAST 0.6        /* of the support at the top: hips off the floor press no less */
#define LEARNED_S 1.0        /* after so long the observer is to be believed, though nothing was known before */
#define DOWN_HEIGHT 0.6      /* hips in the lower part of their way: a foot that unloads has touched down */
#define TURN_DOWN 0.27       /* of the way: so far down ... */
#define TURN_DOWN_UNHELD 0.8 /* without a hold */
#define TURN_DOWN_HIGHER 0.6 /* held higher after: the first may have been a pause in the drive */
#define TURN_UP 0.2          /* ... and so far up again is another repetition */
#define SHORT_PART 0.45      /* of the usual length: hips turn above the floor no sooner */
#define FALL_S 0.7           /* hips that are dropped so fast are caught before the floor */
#define TURN_SURE_S 1.0      /* hips that were only braked are on the floor by then */
#define PUSHED 0.2           /* of the way up from a hold, by a push that is plainly one: the same */
#define PUSHED_FORCE 1.6
#define DEEP_PART 0.35  /* the force came within this part of the step to rest: the floor took load */
#define STILL_S 0.4     /* a lowering that has come to a standstill for so long ... */
#define STILL_PART 0.35 /* ... and for this part of its own length ... */
#define STILL_DROP 0.3  /* ... and so far down its way, is over */
#define STILL_MOST_S 1.0
#define STILL_OFF 0.15   /* of the way: the observer agrees that the hips are where the force says ... */
#define STILL_RATE 0.25  /* of the way in a second: ... and stay there */
#define KNOWN_PART 0.65  /* of the usual step: the load fixes the force of the hold, so that what is smaller is none */
#define SECOND_PART 0.5  /* while fewer than 3 reps are known */
#define FIRST_RATIO 0.25 /* while none is, or was for 15 s: the load may be another */
#define FORGET_S 15.0
#define ODD_LEAST_S 0.8
#define ODD_PART 0.1
#define TOP_HEIGHT 0.25   /* of the way: the hips are at the held height if the observer says so ... */
#define PLAIN_DIP 0.15    /* ... or after a dip of so much of the step, which no tremor makes, ... */
#define KNOWN_LEVEL 0.06  /* ... or if the force stays so near to what held them before */
#define ABRUPT_RISE_S 0.5 /* on an empty plate: what comes and goes faster than hips can is a foot, or a thing */
#define ABRUPT_FALL_S 0.4
#define FIDGET_N 15.0    /* a foot that was just put down shifts by so much ... */
#define FIDGET_PART 0.2  /* ... or by this part of its force: hips turn by more */
#define FOOT_STILL_S 2.0 /* put down on an empty plate, settled at once, and still for so long: a foot at rest */
#define FOOT_SETTLED_S 0.6
#define FOOT_SETTLED_PART 0.08
#define FOOT_SETTLED_N 8.0
#define SEAT_RATIO 1.5 /* who stands up presses so much more than who sits */
#define WAIT_S 0.8     /* hips that wait above the floor for so long after they came to a standstill ended the rep there */
#define FLOATING_MOST_S 20.0
#define STANDING_N 200.0 /* generic: so much may be somebody who stands */
#define STANDING_BAND 0.05
#define LOADED_RATIO 1.3 /* generic: on top of such a load, a push is no less than this times it */
#define NEW_REST_S 0.6   /* too small for a rep, and level for so long: the new rest */

static bool moves(const struct plate_rep_detector *d) { return d->exercise->family == FAMILY_THRUST; }
static bool fixed(const struct plate_rep_detector *d)
{
    return d->exercise->family == FAMILY_PUSH || d->exercise->family == FAMILY_GENERIC;
}
static bool pushes(const struct plate_rep_detector *d) { return d->exercise->family == FAMILY_PUSH; }

/* What carries the load at the top, as far as it is known: the hold; the mean of the upper half of the force, since
 * the impulse over the support is nil between two standstills; the peak in the first instants. */
static double top_N(const struct plate_rep_detector *d)
{
    if (d->held && !d->exercise->second_foot) return d->hold.mean_N;
    return d->upper_n > 0 ? d->upper_sum / d->upper_n : d->peak_N;
}

/* Support at the top and with the hips at the floor: what the observer's height is measured between. */
static double high_N(const struct plate_rep_detector *d) { return d->held || d->known_N <= 0 ? top_N(d) : d->known_N; }
static double way_N(const struct plate_rep_detector *d) { return d->exercise->way * high_N(d); }

static bool hips_are_low(const struct plate_rep_detector *d)
{
    if (!moves(d)) return d->held;
    if (!d->held && d->known_N <= 0 && rep_last_block(d)->t_s - d->onset_s < LEARNED_S) return false;
    return d->support_N < high_N(d) - (1 - DOWN_HEIGHT) * way_N(d);
}

static double low_part(const struct plate_rep_detector *d) { return 1 - d->exercise->way; }

static void observe(struct plate_rep_detector *d, const struct block *b)
{
    /* the floor: hips press no less than with their lowest support; while that is not known, by what this rep shows */
    double floor_N = d->known_N > 0 ? LOW_LEAST * d->known_N : low_part(d) * fmin(top_N(d), d->smooth_N), dt = b->dt_s;
    floor_N = fmax(floor_N, d->rest.mean_N);
    if (d->known_N <= 0 && d->support_N > floor_N) floor_N = d->rest.mean_N;
    double damping = d->held || b->t_s - d->onset_s > LEARNED_S ? OBSERVER_DAMPING : FIRST_DAMPING;
    d->support_rate += dt * (OBSERVER_W2 * (b->force_N - d->support_N) - damping * d->support_rate);
    d->support_N += dt * d->support_rate;
    if (d->support_N < floor_N) d->support_N = floor_N, d->support_rate = fmax(0, d->support_rate); /* the floor */
    if (d->support_N > d->support_high_N && !d->floating) {
        d->support_high_N = d->support_low_N = d->support_N;
        d->low_s = b->t_s;
        d->low_N = b->force_N;
    }
    d->low_N = fmin(d->low_N, b->force_N);
    if (d->support_N < d->support_low_N) d->support_low_N = d->support_N, d->low_s = b->t_s;
}

static void start_observer(struct plate_rep_detector *d, double support_N)
{
    d->support_N = d->support_high_N = d->support_low_N = support_N;
    d->support_rate = 0;
    d->low_s = rep_last_block(d)->t_s;
    d->low_N = rep_last_block(d)->force_N;
}

static void track(struct plate_rep_detector *d, const struct block *b, double smooth_N)
{
    d->peak_N = fmax(d->peak_N, smooth_N);
    if (d->peak_N - smooth_N > d->dip_depth_N) d->dip_depth_N = d->peak_N - smooth_N, d->dip_N = smooth_N, d->dip_s = b->t_s;
    if (b->force_N > d->rest.mean_N + 0.5 * (d->peak_N - d->rest.mean_N)) d->upper_sum += b->force_N, d->upper_n++;
    observe(d, b);
}

void rep_up_begin(struct plate_rep_detector *d, double onset_s, struct plate_rep_output *out)
{
    d->state = STATE_UP;
    d->onset_s = onset_s;
    d->peak_N = d->smooth_N;
    d->dip_depth_N = 0;
    d->dip_N = d->dip_s = INFINITY;
    d->top_s = d->descent_s = d->leave_s = d->below_s = d->turn_s = NAN;
    d->held = d->floating = false;
    d->hold = (struct level){NAN, NAN};
    d->upper_sum = d->upper_n = 0;
    start_observer(d, fmax(d->rest.mean_N, low_part(d) * d->known_N));
    rep_set_phase(d, PLATE_DRIVE, out);
}

/* ---- is it a repetition? ---- */

static double smallest_step_N(const struct plate_rep_detector *d)
{
    return fmax(moves(d) ? LIFT_MIN_N : MIN_STEP_N, fmax(FIRST_RATIO * rep_usual_step_N(d), 3 * rep_decision_band_N(d)));
}

/* Did it come and go faster than hips can? */
static bool abrupt(const struct plate_rep_detector *d, double end_s, double step_N)
{
    double high_N = d->rest.mean_N + 0.8 * step_N;
    uint64_t rise = rep_block_from(d, d->onset_s), fall = rep_block_from(d, end_s);
    if (fall >= d->blocks) fall = d->blocks - 1;
    while (rise < fall && rep_block_at(d, rise)->force_N < high_N) rise++;
    while (fall > rise && rep_block_at(d, fall)->force_N < high_N) fall--;
    return rep_block_at(d, rise)->t_s - d->onset_s < ABRUPT_RISE_S && end_s - rep_block_at(d, fall)->t_s < ABRUPT_FALL_S;
}

static bool is_rep(const struct plate_rep_detector *d, double end_s)
{
    double top = top_N(d), step = top - d->rest.mean_N, length_s = end_s - d->onset_s, usual = rep_usual_step_N(d);
    if (d->peak_N - d->rest.mean_N < smallest_step_N(d) || step < MIN_STEP_N) return false;
    if (length_s < d->exercise->least_s) return false;
    double part = d->onset_s - d->last_end_s > FORGET_S ? FIRST_RATIO : d->steps < 3 ? SECOND_PART : KNOWN_PART;
    if (d->exercise->family == FAMILY_SEAT && top < SEAT_RATIO * d->rest.mean_N) return false;
    if (d->exercise->family == FAMILY_GENERIC && d->rest.mean_N > STANDING_N && top < LOADED_RATIO * d->rest.mean_N)
        return false;
    if (fixed(d)) return step >= FIRST_RATIO * usual;
    bool usual_top = d->known_N > 0 && fabs(top - d->known_N) < 0.3 * d->known_N;
    if (d->foot_down && moves(d) && !usual_top && d->below_s > 0 && abrupt(d, end_s, step)) return false;
    return step >= part * usual;
}

/* The load was changed, or the first was no rep: the second such movement in a row counts. */
static bool again_odd(struct plate_rep_detector *d, double end_s)
{
    double step = top_N(d) - d->rest.mean_N, was = d->odd_step_N;
    if (!d->held || end_s - d->onset_s < ODD_LEAST_S || step < ODD_PART * rep_usual_step_N(d)) return false;
    d->odd_step_N = step;
    if (isnan(was) || fabs(step - was) > 0.3 * was) return false;
    unsigned steps = d->steps;
    d->steps = 0;
    bool is = is_rep(d, end_s);
    if (!is) d->steps = steps;
    return is;
}

/* The hold was left where the force began to fall short of what held the hips just before: slow lowering takes the followed
 * level along. */
static double left_hold(const struct plate_rep_detector *d)
{
    if (isnan(d->top_s)) return d->descent_s;
    double from_s = fmax(d->top_s, d->descent_s - LEFT_S);
    uint64_t from = rep_block_from(d, from_s), half = rep_block_from(d, 0.5 * (from_s + d->descent_s)),
             i = rep_block_from(d, d->descent_s);
    double sum = 0, sum2 = 0, n = (double)(half - from);
    if (half < from + 3 || i <= half) return d->descent_s;
    for (uint64_t k = from; k < half; k++) {
        double off = rep_block_at(d, k)->force_N - d->hold.mean_N;
        sum += off, sum2 += off * off;
    }
    double level_N = d->hold.mean_N + sum / n, sd_N = sqrt(fmax(0, sum2 / n - sum / n * (sum / n)));
    double least_N = level_N - fmax(LEFT_SD * sd_N, LEFT_PART * way_N(d)), below = 0, most = 0;
    uint64_t left = i;
    while (i-- > half) {
        below += least_N - rep_block_at(d, i)->force_N;
        if (below > most) most = below, left = i;
    }
    return rep_block_at(d, left)->t_s;
}

/* From standstill to standstill the mean force is the mean support, however it was thrown about between. */
static double mean_N(const struct plate_rep_detector *d, double end_s)
{
    double sum = 0, n = 0;
    for (uint64_t i = rep_block_from(d, d->onset_s); i < d->blocks && rep_block_at(d, i)->t_s < end_s; i++, n++)
        sum += rep_block_at(d, i)->force_N;
    return n > 0 ? sum / n : INFINITY;
}

/* Said or not, it is over. */
static void finish(struct plate_rep_detector *d, double end_s, struct plate_rep_output *out)
{
    if (!is_rep(d, end_s) && !again_odd(d, end_s)) return;
    double top = top_N(d);
    if (d->held && isnan(d->descent_s) && !isnan(d->top_s)) d->descent_s = end_s;
    if (d->descent_s > end_s) d->descent_s = end_s;
    if (d->held && moves(d)) d->descent_s = left_hold(d);
    struct rep_times t = {.onset_s = d->onset_s,
                          .top_s = d->top_s,
                          .descent_s = d->held ? d->descent_s : NAN,
                          .end_s = end_s,
                          .up_from_s = d->onset_s,
                          .up_to_s = d->top_s,
                          .rest_N = d->own_rest_N,
                          .last_end_s = d->last_end_s};
    d->odd_step_N = NAN;
    rep_say(d, &t, top - d->rest.mean_N, out);
    if (out->rep_done) d->usual_s = d->usual_s > 0 ? 0.5 * (d->usual_s + end_s - d->onset_s) : end_s - d->onset_s;
    if (!d->held && moves(d)) top = fmin(top, mean_N(d, end_s) / (1 - d->exercise->way / 2));
    if (out->rep_done)
        d->known_N =
            d->known_N > 0 && top < 1.3 * d->known_N && top > 0.7 * d->known_N ? d->known_N + 0.5 * (top - d->known_N) : top;
}

/* The force rose again from what looked like a hold, by about as much: the "hold" was the foot at rest. */
static bool foot_was_at_rest(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    if (!d->held || !d->foot_down || pushes(d)) return false;
    double step = d->hold.mean_N - d->rest.mean_N;
    if (d->smooth_N < d->hold.mean_N + fmax(MIN_STEP_N, FOOT_STEP * step)) return false;
    if (moves(d) && d->hold.mean_N > FOOT_LEVEL * (d->known_N > 0 ? d->known_N : d->smooth_N)) return false;
    d->own_rest_N += step; /* net impulse is over the foot at rest, not over the empty plate */
    d->rest = (struct level){d->hold.mean_N, fmax(d->rest.sd_N, fmin(d->hold.sd_N, BAND_MIN_N / BAND_SD))};
    double band = rep_band_N(d);
    d->foot_down = false;
    d->live_s[0] = d->live_s[1] = d->live_s[2] = NAN; /* of the foot, not of the rep */
    rep_up_begin(d, rep_find_departure(d, rep_last_block(d)->t_s, d->rest.mean_N, band), out);
    return true;
}

/* A hold far above another: the first was a bar that was loaded, or a foot that leaned in. The rep began there. */
static void begin_at_step(struct plate_rep_detector *d, const struct level *level, double since_s)
{
    double step = d->hold.mean_N - d->rest.mean_N;
    if (level->mean_N < d->hold.mean_N + fmax(MIN_STEP_N, FOOT_STEP * step) || d->hold.mean_N > FOOT_LEVEL * level->mean_N)
        return;
    d->own_rest_N += step;
    d->rest = (struct level){d->hold.mean_N, fmax(d->rest.sd_N, fmin(d->hold.sd_N, BAND_MIN_N / BAND_SD))};
    d->onset_s = rep_find_departure(d, since_s, d->rest.mean_N, rep_band_N(d));
}

/* A foot that was put down and stays: no drive settles as soon, for the support grows as long as the hips rise. */
static bool foot_stays(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    if (!d->foot_down || !moves(d) || d->known_N > 0 || d->phase != PLATE_HOLD) return false;
    if (!rep_lasted(d, t_s, d->onset_s, FOOT_SETTLED_S + FOOT_STILL_S)) return false;
    for (uint64_t i = rep_block_from(d, d->onset_s + FOOT_SETTLED_S); i < d->blocks; i++)
        if (fabs(rep_block_at(d, i)->force_N - d->hold.mean_N) > fmax(FOOT_SETTLED_N, FOOT_SETTLED_PART * d->hold.mean_N))
            return false;
    d->own_rest_N += d->hold.mean_N - d->rest.mean_N;
    d->rest = (struct level){d->hold.mean_N, fmax(d->rest.sd_N, d->hold.sd_N)};
    rep_to_rest(d, out);
    return true;
}

/* ---- the hold ---- */

/* Since when is the force on the level, looking back from `since_s`; if it was not yet there, looking forward. */
static double settled(const struct plate_rep_detector *d, double since_s, const struct level *level, double tolerance_N)
{
    uint64_t i = rep_block_from(d, since_s), oldest = rep_oldest_block(d);
    while (i + 1 < d->blocks && fabs(rep_block_at(d, i)->force_N - level->mean_N) > tolerance_N) i++;
    uint64_t first = i; /* tremor leaves the level for moments, the braking dip for longer */
    while (i > oldest + 1 && rep_block_at(d, i - 1)->t_s > d->onset_s &&
           !rep_lasted(d, rep_block_at(d, first)->t_s, rep_block_at(d, i)->t_s, LEAVE_S)) {
        i--;
        if (fabs(rep_block_at(d, i)->force_N - level->mean_N) <= tolerance_N) first = i;
    }
    return rep_block_at(d, first)->t_s;
}

static double flat_N(const struct plate_rep_detector *d, double step_N)
{
    double noise_N = fmax(d->rest_spread_N, d->rest.sd_N / sqrt(d->block_n)); /* of a block's mean */
    return fmax(fmax(2 * noise_N, 1.0), (pushes(d) ? PUSH_FLAT_PART : FLAT_PART) * step_N);
}

static bool turned(struct plate_rep_detector *d, bool at_top, struct plate_rep_output *out);

/* On an empty plate, well below what is known to hold the hips: the foot is back, and rests. */
static bool foot_is_back(struct plate_rep_detector *d, const struct level *level, double tolerance_N,
                         struct plate_rep_output *out)
{
    struct level long_level;
    double since_s;
    if (!d->foot_down || !moves(d) || d->known_N <= 0 || level->mean_N > FOOT_LEVEL * d->known_N) return false;
    if (!rep_flat(d, PLATEAU_S, TREMOR_S, d->onset_s, tolerance_N, &long_level, &since_s)) return false;
    d->own_rest_N += long_level.mean_N - d->rest.mean_N;
    d->rest = (struct level){long_level.mean_N, fmax(d->rest.sd_N, fmin(long_level.sd_N, BAND_MIN_N / BAND_SD))};
    rep_to_rest(d, out);
    return true;
}

static void find_hold(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    double step = d->peak_N - d->rest.mean_N, tolerance = flat_N(d, step), since_s;
    double dip = fmax(fmax(3 * d->rest_spread_N, 1.0), DIP_PART * step);
    struct level level;
    if (step < smallest_step_N(d) || !rep_flat(d, HOLD_S, TREMOR_S, d->onset_s, tolerance, &level, &since_s)) return;
    bool braked = d->dip_depth_N > dip && d->dip_N < level.mean_N - dip && d->dip_s <= since_s;
    if (level.mean_N < d->rest.mean_N + (braked ? BRAKED_LEVEL : HOLD_LEVEL) * step) return;
    if (foot_is_back(d, &level, tolerance, out)) return;
    bool learned = moves(d) && (d->held || d->known_N > 0);
    bool placed = !learned || fabs(d->support_N - level.mean_N) <= TOP_HEIGHT * way_N(d); /* the observer says so too */
    if (!d->held && d->dip_depth_N > PLAIN_DIP * step && fabs(level.mean_N - d->known_N) <= KNOWN_LEVEL * d->known_N)
        placed = true;
    double most_N = d->held_most_N + fmax(2 * tolerance, moves(d) ? RISE_PART * way_N(d) : 0);
    bool again = d->held && level.mean_N > d->hold.mean_N - 2 * tolerance && level.mean_N <= most_N;
    bool higher = level.mean_N > most_N; /* the first was no hold, but a pause in the drive */
    if (d->held && !again && !higher && moves(d) && placed && level.mean_N > d->held_most_N - SAG_PART * way_N(d))
        again = rep_flat(d, PLATEAU_S, TREMOR_S, d->onset_s, tolerance, &level, &since_s); /* sagged, and still at the top */
    if (d->phase == PLATE_LOWER && d->held && !again && !higher) return; /* a slow lowering is flat for a while too */
    if ((!braked || !placed) && !rep_flat(d, PLATEAU_S, TREMOR_S, d->onset_s, tolerance, &level, &since_s)) return;
    if (!placed && fabs(level.mean_N - high_N(d)) > KNOWN_LEVEL * high_N(d)) return;
    if (!placed && d->held && !d->exercise->second_foot &&
        d->support_high_N - d->support_low_N > (higher ? TURN_DOWN_HIGHER : TURN_DOWN) * way_N(d)) {
        turned(d, true, out); /* it had been down, and is held again */
        return;
    }
    if (d->held && !again && !pushes(d) && !d->exercise->second_foot) begin_at_step(d, &level, since_s);
    /* Hips that rise slowly and evenly press like hips that are held: without a dip, only a push against a fixed
     * bar is known to stand still. */
    bool keep = again || (d->exercise->second_foot && !isnan(d->top_s));
    if (!keep)
        d->top_s = braked || fixed(d)
                       ? settled(d, since_s, &level, fmax(tolerance, SETTLED_PART * (level.mean_N - d->rest.mean_N)))
                       : NAN;
    d->held_most_N = again ? fmax(d->held_most_N, level.mean_N) : level.mean_N;
    if (higher && d->plateau) d->turn_s = NAN; /* the first was the drive's hump, and the dip after it no turn */
    d->plateau = !again && !braked;
    d->hold = level;
    d->held = true;
    d->descent_s = d->leave_s = NAN;
    start_observer(d, level.mean_N);
    rep_set_phase(d, PLATE_HOLD, out);
}

/* Where the force left the held level, found again backwards: the last mean within a quarter of what it left by. */
static double find_descent(const struct plate_rep_detector *d, double leave_N)
{
    uint64_t i = rep_block_from(d, d->leave_s), oldest = rep_oldest_block(d);
    while (i > oldest + 1 && rep_block_at(d, i)->t_s > d->onset_s &&
           fabs(rep_block_at(d, i)->force_N - d->hold.mean_N) > leave_N / 4)
        i--;
    return rep_block_at(d, i)->t_s;
}

/* Hips that sink so slowly that the held level followed them: they left where the force last was at the top. */
static void sink(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    uint64_t i = d->blocks - 1, from = rep_block_from(d, isnan(d->top_s) ? d->onset_s : d->top_s);
    double near_N = d->held_most_N - 0.3 * (d->held_most_N - d->hold.mean_N);
    while (i > from && rep_block_at(d, i)->force_N < near_N) i--;
    d->descent_s = rep_block_at(d, i)->t_s;
    d->support_high_N = d->held_most_N;
    d->hold.mean_N = d->held_most_N;
    rep_set_phase(d, PLATE_LOWER, out);
}

static void follow_hold(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    if (d->phase != PLATE_HOLD) {
        find_hold(d, out);
        return;
    }
    double off = d->smooth_N - d->hold.mean_N, k = d->block_n * d->period_s / HOLD_FOLLOW_S;
    double leave_N = fmax(fmax(LEAVE_SD * d->hold.sd_N, 3 * d->rest_spread_N),
                          fmax(1.5, (pushes(d) ? PUSH_LEAVE_PART : LEAVE_PART) * d->hold.mean_N));
    if (fabs(off) <= leave_N) {
        double mean_off = rep_last_block(d)->force_N - d->hold.mean_N;
        d->leave_s = NAN;
        if (fabs(off) > leave_N / 2) return;
        d->hold.mean_N += fmin(1, k) * mean_off;
        d->hold.sd_N =
            sqrt(fmax(0, d->hold.sd_N * d->hold.sd_N + fmin(1, 2 * k) * (mean_off * mean_off - d->hold.sd_N * d->hold.sd_N)));
        start_observer(d, d->hold.mean_N);
        d->held_most_N = fmax(d->held_most_N, d->hold.mean_N);
        if (moves(d) && d->hold.mean_N < d->held_most_N - fmax(3, CREEP_PART * way_N(d))) sink(d, out);
        return;
    }
    if (isnan(d->leave_s)) d->leave_s = t_s;
    if (!rep_lasted(d, t_s, d->leave_s, LEAVE_S)) return;
    d->descent_s = find_descent(d, leave_N);
    rep_set_phase(d, off < 0 ? PLATE_LOWER : PLATE_DRIVE, out);
}

/* ---- the end ---- */

/* The force is near rest: the end, unless it is the braking at the top of an explosive rep. */
static bool touched_down(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    double step = (d->floating ? d->known_N : top_N(d)) - d->rest.mean_N,
           near_N = d->rest.mean_N + fmax(END_PART * step, rep_decision_band_N(d));
    double force_N = rep_last_block(d)->force_N;
    if (force_N <= near_N) {
        if (isnan(d->below_s)) d->below_s = t_s;
        bool low = d->floating || hips_are_low(d) || (d->exercise->family == FAMILY_SEAT && d->held);
        bool brief = moves(d) && !d->held && !is_rep(d, d->below_s) && d->peak_N - d->rest.mean_N > 0.5 * rep_usual_step_N(d);
        if (rep_lasted(d, t_s, d->below_s, low ? END_DWELL_S : brief ? FLIGHT_DWELL_S : DIP_DWELL_S)) {
            if (!d->floating || !isnan(d->waits_s)) finish(d, d->below_s, out);
            rep_to_rest(d, out);
        } else if (!d->floating && (low || rep_lasted(d, t_s, d->below_s, SUSTAIN_S)))
            rep_set_phase(d, PLATE_LOWER, out);
        return true;
    }
    return false;
}

/* Another repetition begins where this one turned; the phase says so. */
static void turn(struct plate_rep_detector *d, double end_s, double onset_s, bool on_floor, struct plate_rep_output *out)
{
    double low_N = d->support_low_N, live_s = rep_history_sample(&d->history, d->history.n - 1)->t_s;
    finish(d, end_s, out);
    if (!out->rep_done) return;
    d->live_s[1] = d->live_s[2] = NAN;
    d->live_s[0] = live_s;
    d->phase = PLATE_LOWER;
    rep_up_begin(d, onset_s, out);
    if (!on_floor) start_observer(d, low_N); /* the floor stops hips where it is, else they turned at their lowest */
    for (uint64_t i = rep_block_from(d, onset_s); i < d->blocks; i++) track(d, rep_block_at(d, i), rep_block_at(d, i)->force_N);
}

static double most_since_N(const struct plate_rep_detector *d, double since_s)
{
    double most = -INFINITY;
    for (uint64_t i = rep_block_from(d, since_s); i < d->blocks; i++) most = fmax(most, rep_block_at(d, i)->force_N);
    return most;
}

/* The observer said that the hips turned above the floor. If they are held again, or turn again, or stay off the floor for long
 * enough, they did; a touch-down before that shows that they were only braked. */
static bool decide_turn(struct plate_rep_detector *d, bool again, struct plate_rep_output *out)
{
    bool held = d->phase == PLATE_HOLD;
    if (!held && !again && !rep_lasted(d, rep_last_block(d)->t_s, d->turn_s, TURN_SURE_S)) return false;
    double turn_s = d->turn_s;
    d->turn_s = NAN;
    if (turn_s - d->onset_s < SHORT_PART * d->usual_s) return false;
    d->support_low_N = d->turn_low_N;
    turn(d, turn_s, turn_s, false, out);
    return out->rep_done;
}

/* The way down has turned into a way up: by the hips' observer, or because the floor (the seat) has plainly taken load. */
static bool turned(struct plate_rep_detector *d, bool at_top, struct plate_rep_output *out)
{
    if (pushes(d) || (d->phase == PLATE_HOLD && isnan(d->turn_s))) return false;
    double way = way_N(d), step = top_N(d) - d->rest.mean_N, force_N = d->smooth_N;
    double least_N = d->foot_down && d->known_N <= 0 ? fmax(FIDGET_N, FIDGET_PART * top_N(d)) : 0;
    bool deep = d->low_N < d->rest.mean_N + DEEP_PART * step && (hips_are_low(d) || d->exercise->family == FAMILY_SEAT);
    bool learned = d->held || d->known_N > 0 || rep_last_block(d)->t_s - d->onset_s > LEARNED_S;
    bool hips = moves(d) && learned &&
                d->support_high_N - d->support_low_N > fmax(least_N, (d->held ? TURN_DOWN : TURN_DOWN_UNHELD) * way) &&
                d->support_N - d->support_low_N > fmax(least_N, TURN_UP * way);
    if (!isnan(d->turn_s)) return decide_turn(d, hips, out);
    /* held by the hips, not a foot that was put down or a bar that was loaded */
    bool hips_held = d->held && (d->known_N > 0 ? d->hold.mean_N > FOOT_LEVEL * d->known_N : !d->foot_down && !d->plateau);
    bool pushed = moves(d) && hips_held && d->phase == PLATE_DRIVE && d->support_N > d->hold.mean_N + PUSHED * way &&
                  most_since_N(d, d->descent_s) > PUSHED_FORCE * d->hold.mean_N;
    if (pushed) d->low_s = d->descent_s, d->low_N = d->hold.mean_N; /* hips that rise from a hold had sunk unseen */
    hips = hips || pushed;
    if (d->exercise->second_foot) hips = false; /* the load's own step moves the observer */
    if (deep && d->held && force_N > d->low_N + 0.4 * step) hips = true;
    bool fell = deep && d->held && d->low_s - d->descent_s < FALL_S;
    if (hips && (!deep || fell) && !pushed && !at_top) { /* or only braking before the floor: what follows will tell */
        d->turn_s = d->low_s;
        d->turn_low_N = d->support_low_N;
        d->support_high_N = d->support_low_N = d->support_N;
        return false;
    }
    if (!hips && !at_top) return false;
    /* the lowest force around the lowest support: the floor, or the braking's end */
    uint64_t from = rep_block_from(d, d->low_s - 0.4), low = from;
    for (uint64_t i = from; i < d->blocks; i++)
        if (rep_block_at(d, i)->force_N < rep_block_at(d, low)->force_N) low = i;
    double end_s = d->low_s, onset_s = d->low_s, floor_N = rep_block_at(d, low)->force_N;
    if (deep) {
        double near_N = fmax(floor_N, d->rest.mean_N) + fmax(END_PART * step, rep_decision_band_N(d));
        uint64_t a = low, z = low;
        while (a > from && rep_block_at(d, a - 1)->force_N <= near_N) a--;
        while (z + 1 < d->blocks && rep_block_at(d, z + 1)->force_N <= near_N) z++;
        end_s = rep_block_at(d, a)->t_s;
        while (z > low && rep_block_at(d, z)->force_N > fmax(floor_N, d->rest.mean_N) + rep_decision_band_N(d)) z--;
        onset_s = rep_block_at(d, z)->t_s;
    }
    turn(d, end_s, onset_s, deep, out);
    return out->rep_done;
}

/* The hips wait above the floor: the rep is over if they do so for a while, or rise again; if they go on down to the floor,
 * it ends there. */
static void step_floating(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    if (touched_down(d, t_s, out)) return;
    d->below_s = NAN;
    if (rep_lasted(d, t_s, d->floats_s, FLOATING_MOST_S)) {
        rep_to_learn(d, out);
        return;
    }
    double tolerance = flat_N(d, high_N(d) - d->rest.mean_N), since_s, way = way_N(d);
    struct level level;
    if (!isnan(d->waits_s) && (rep_lasted(d, t_s, d->floats_s, WAIT_S) || d->support_N - d->support_low_N > TURN_UP * way)) {
        finish(d, d->waits_s, out);
        d->waits_s = NAN;
        rep_set_phase(d, PLATE_REST, out);
    }
    if (d->support_N - d->support_low_N > TURN_UP * way) {
        double support = d->support_N, rate = d->support_rate;
        double onset_s = rep_find_departure(d, t_s, d->wait.mean_N, fmax(BAND_MIN_N, 2 * tolerance));
        d->live_s[0] = d->live_s[1] = d->live_s[2] = NAN;
        rep_up_begin(d, onset_s, out);
        start_observer(d, support);
        d->support_rate = rate;
    } else if (rep_flat(d, STILL_S, 0, d->floats_s, tolerance, &level, &since_s)) {
        if (level.mean_N < d->rest.mean_N + DEEP_PART * (high_N(d) - d->rest.mean_N)) {
            if (!isnan(d->waits_s)) finish(d, since_s, out);
            d->own_rest_N += level.mean_N - d->rest.mean_N;
            d->rest.mean_N = level.mean_N; /* on the floor, at another level than before */
            rep_to_rest(d, out);
        } else if (fabs(level.mean_N - d->wait.mean_N) < 3 * tolerance || level.mean_N < d->wait.mean_N)
            d->wait = level;
    }
}

/* A lowering that has come to a standstill: above the floor, or on it at another level than before. */
static bool stands_still(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    if (d->phase != PLATE_LOWER || (pushes(d) && !d->held)) return false;
    double from_s = d->held && !isnan(d->descent_s) ? d->descent_s : d->onset_s, since_s;
    double window = fmin(STILL_MOST_S, fmax(STILL_S, STILL_PART * (t_s - from_s))), step = top_N(d) - d->rest.mean_N;
    double force_N = rep_last_block(d)->force_N, tolerance = flat_N(d, step);
    if (d->foot_down && d->known_N <= 0 && force_N > high_N(d) - fmax(FIDGET_N, FIDGET_PART * top_N(d))) return false;
    if (force_N > high_N(d) - fmax(moves(d) ? STILL_DROP * way_N(d) : 0.5 * step, rep_decision_band_N(d))) return false;
    if (!d->held && force_N > d->rest.mean_N + 0.5 * step) return false;
    struct level level;
    if (!rep_flat(d, window, 0, from_s, tolerance, &level, &since_s)) return false;
    if (moves(d) && (fabs(force_N - d->support_N) > STILL_OFF * way_N(d) || fabs(d->support_rate) > STILL_RATE * way_N(d)) &&
        level.mean_N > d->rest.mean_N + DEEP_PART * step)
        return false; /* a lowering that brakes presses evenly while the hips still move */
    bool on_floor = !moves(d) || level.mean_N < d->rest.mean_N + DEEP_PART * step;
    double near_N = on_floor ? fmax(tolerance, END_PART * (top_N(d) - level.mean_N)) : tolerance;
    uint64_t i = rep_block_from(d, since_s);
    while (i > rep_oldest_block(d) + 1 && fabs(rep_block_at(d, i - 1)->force_N - level.mean_N) <= near_N &&
           rep_block_at(d, i - 1)->t_s > from_s)
        i--;
    if (on_floor && d->foot_down &&
        level.mean_N > d->rest.mean_N + rep_decision_band_N(d)) /* the foot was put down on the way */
        d->onset_s = fmax(d->onset_s, rep_find_departure(d, isnan(d->top_s) ? d->onset_s : d->top_s, level.mean_N,
                                                         fmax(BAND_MIN_N, 0.05 * step)));
    if (on_floor || !is_rep(d, rep_block_at(d, i)->t_s)) {
        finish(d, rep_block_at(d, i)->t_s, out);
        d->own_rest_N += level.mean_N - d->rest.mean_N;
        d->rest = (struct level){level.mean_N, fmax(d->rest.sd_N, level.sd_N)};
        rep_to_rest(d, out);
        return true;
    }
    d->floating = true;
    d->floats_s = t_s;
    d->waits_s = rep_block_at(d, i)->t_s;
    d->wait = level;
    start_observer(d, level.mean_N);
    return true;
}

/* Too small for a rep, and level: people shift their feet. */
static bool new_rest(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    double since_s;
    struct level level;
    if (d->held || d->peak_N - d->rest.mean_N >= smallest_step_N(d) ||
        !rep_flat(d, NEW_REST_S, 0, d->onset_s, 3, &level, &since_s))
        return false;
    d->own_rest_N += level.mean_N - d->rest.mean_N;
    d->rest = (struct level){level.mean_N, fmax(d->rest.sd_N, level.sd_N)};
    rep_to_rest(d, out);
    return true;
}

/* Nobody said, and what was taken for a push sways like a body: below the held force and then above it. It stands. */
static bool stands(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    if (d->exercise->family != FAMILY_GENERIC || !d->held || d->phase != PLATE_LOWER || isnan(d->descent_s)) return false;
    if (!d->foot_down || d->hold.mean_N < STANDING_N || d->smooth_N < (1 + STANDING_BAND) * d->hold.mean_N) return false;
    d->own_rest_N += d->hold.mean_N - d->rest.mean_N;
    d->rest = d->hold;
    rep_loaded_begin_at(d, d->descent_s, out);
    return true;
}

void rep_up_step(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    const struct block *b = rep_last_block(d);
    double t_s = b->t_s;
    track(d, b, d->smooth_N);
    if (d->floating) {
        step_floating(d, t_s, out);
        return;
    }
    if (foot_was_at_rest(d, out) || foot_stays(d, t_s, out) || touched_down(d, t_s, out) || turned(d, false, out)) return;
    d->below_s = NAN;
    if (rep_lasted(d, t_s, d->onset_s, MAX_REP_S)) {
        rep_to_learn(d, out);
        return;
    }
    if (new_rest(d, out) || stands(d, out) || stands_still(d, t_s, out)) return;
    follow_hold(d, t_s, out);
    if (d->held) return;
    double part = (d->smooth_N - d->rest.mean_N) / (d->peak_N - d->rest.mean_N);
    if (d->phase == PLATE_DRIVE && part < 0.6)
        rep_set_phase(d, PLATE_LOWER, out);
    else if (d->phase == PLATE_LOWER && part > 0.85)
        rep_set_phase(d, PLATE_DRIVE, out);
}
