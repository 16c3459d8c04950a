#include <math.h>

#include "rep_up.h"

/* The way down: touched down, turned, come to a standstill. docs/detector.md gives the reason of each threshold. */
#define SUSTAIN_S 0.015
#define END_PART 0.1         /* touch-down: within a tenth of the step from rest to support */
#define END_DWELL_S 0.1      /* hips that are known to be down are down */
#define DIP_DWELL_S 0.25     /* else a fall this short may be braking at the top (free fall of v/g, v < 1.2 m/s) */
#define TURN_DOWN_UNHELD 0.8 /* without a hold */
#define TURN_UP 0.2          /* ... and so far up again is another repetition */
#define SHORT_PART 0.45      /* of the usual length: hips turn above the floor no sooner */
#define FALL_S 0.7           /* hips that are dropped so fast are caught before the floor */
#define TURN_SURE_S 1.0      /* hips that were only braked are on the floor by then */
#define PUSHED 0.2           /* of the way up from a hold, by a push that is plainly one: the same */
#define PUSHED_FORCE 1.6
#define LOADED_PART 0.12 /* held by so much more after it: it was no push, but a load */
#define DEEP_PART 0.35   /* the force came within this part of the step to rest: the floor took load */
#define STILL_S 0.4      /* a lowering that has come to a standstill for so long ... */
#define STILL_PART 0.35  /* ... and for this part of its own length ... */
#define STILL_DROP 0.3   /* ... and so far down its way, is over */
#define STILL_MOST_S 1.0
#define STILL_OFF 0.15  /* of the way: the observer agrees that the hips are where the force says ... */
#define STILL_RATE 0.25 /* of the way in a second: ... and stay there */
#define FIDGET_N 15.0   /* a foot that was just put down shifts by so much ... */
#define FIDGET_PART 0.2 /* ... or by this part of its force: hips turn by more */
#define WAIT_S 0.8      /* hips that wait above the floor for so long after they came to a standstill ended the rep there */
#define FLOATING_MOST_S 20.0

/* The force is near rest: the end, unless it is the braking at the top of an explosive rep. */
bool rep_touched_down(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    double step = (d->floating ? d->known_N : rep_top_N(d)) - d->rest.mean_N,
           near_N = d->rest.mean_N + fmax(END_PART * step, rep_decision_band_N(d));
    double force_N = rep_last_block(d)->force_N;
    if (force_N <= near_N) {
        if (isnan(d->below_s)) d->below_s = t_s;
        bool low = d->floating || rep_hips_are_low(d) || (d->exercise->family == FAMILY_SEAT && d->held);
        bool brief =
            rep_moves(d) && !d->held && !rep_is_one(d, d->below_s) && d->peak_N - d->rest.mean_N > 0.5 * rep_usual_step_N(d);
        if (rep_lasted(d, t_s, d->below_s, low ? END_DWELL_S : brief ? FLIGHT_S : DIP_DWELL_S)) {
            if (!d->floating || !isnan(d->waits_s)) rep_finish(d, d->below_s, out);
            if (brief && !out->rep_done) d->hump = (struct hump){d->onset_s, d->below_s, d->peak_N, d->live_s[0], d->live_s[2]};
            rep_to_rest(d, out);
        } else if (!d->floating && (low || rep_lasted(d, t_s, d->below_s, SUSTAIN_S)))
            rep_set_phase(d, PLATE_LOWER, out);
        return true;
    }
    return false;
}

/* Another repetition begins where this one turned; the phase says so. */
static bool turn(struct plate_rep_detector *d, double end_s, double onset_s, bool on_floor, struct plate_rep_output *out)
{
    double low_N = d->support_low_N, live_s = rep_history_sample(&d->history, d->history.n - 1)->t_s;
    if ((!on_floor && rep_turns_so_high(d, end_s)) || !rep_finish(d, end_s, out)) return false;
    d->live_s[1] = d->live_s[2] = NAN;
    d->live_s[0] = live_s;
    d->phase = PLATE_LOWER;
    rep_up_begin(d, onset_s, out);
    if (!on_floor) rep_observe_from(d, low_N); /* the floor stops hips where it is, else they turned at their lowest */
    for (uint64_t i = rep_block_from(d, onset_s); i < d->blocks; i++)
        rep_track(d, rep_block_at(d, i), rep_block_at(d, i)->force_N);
    return true;
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
    if ((held ? d->hold.mean_N : d->smooth_N) > d->turn_most_N) return false;
    if (turn_s - d->onset_s < SHORT_PART * d->usual_s) return false;
    d->support_low_N = d->turn_low_N;
    return turn(d, turn_s, turn_s, false, out);
}

/* The way down has turned into a way up: by the hips' observer, or because the floor (the seat) has plainly taken load. */
bool rep_turned(struct plate_rep_detector *d, bool at_top, struct plate_rep_output *out)
{
    if (rep_pushes(d) || (d->phase == PLATE_HOLD && isnan(d->turn_s))) return false;
    double way = rep_way_N(d), step = rep_top_N(d) - d->rest.mean_N, force_N = d->smooth_N;
    double least_N = d->foot_down && d->known_N <= 0 ? fmax(FIDGET_N, FIDGET_PART * rep_top_N(d)) : 0;
    bool deep = d->low_N < d->rest.mean_N + DEEP_PART * step && (rep_hips_are_low(d) || d->exercise->family == FAMILY_SEAT);
    bool learned = d->held || d->known_N > 0 || rep_last_block(d)->t_s - d->onset_s > LEARNED_S;
    bool hips = rep_moves(d) && learned &&
                d->support_high_N - d->support_low_N > fmax(least_N, (d->held ? TURN_DOWN : TURN_DOWN_UNHELD) * way) &&
                d->support_N - d->support_low_N > fmax(least_N, TURN_UP * way);
    if (!isnan(d->turn_s)) return decide_turn(d, hips, out);
    /* held by the hips, not a foot that was put down or a bar that was loaded */
    bool hips_held = d->held && (d->known_N > 0 ? d->hold.mean_N > FOOT_LEVEL * d->known_N : !d->foot_down && !d->plateau);
    bool pushed = rep_moves(d) && hips_held && !isnan(d->descent_s) && d->support_N > d->hold.mean_N + PUSHED * way &&
                  most_since_N(d, d->descent_s) > PUSHED_FORCE * d->hold.mean_N;
    if (pushed) d->low_s = d->descent_s, d->low_N = d->hold.mean_N; /* hips that rise from a hold had sunk unseen */
    hips = hips || pushed;
    if (d->exercise->second_foot) hips = false; /* the load's own step moves the observer */
    if (deep && d->held && force_N > d->low_N + 0.4 * step) hips = true;
    bool fell = deep && d->held && d->low_s - d->descent_s < FALL_S;
    bool sure = pushed && d->known_N > 0;
    if (hips && (!deep || fell) && !sure && !at_top) { /* or only braking before the floor, or a load: what follows will tell */
        d->turn_s = d->low_s;
        d->turn_most_N = pushed ? (1 + LOADED_PART) * d->hold.mean_N : INFINITY;
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
    return turn(d, end_s, onset_s, deep, out);
}

/* The hips wait above the floor: the rep is over if they do so for a while, or rise again; if they go on down to the floor,
 * it ends there. */
void rep_step_floating(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    if (rep_touched_down(d, t_s, out)) return;
    d->below_s = NAN;
    if (rep_lasted(d, t_s, d->floats_s, FLOATING_MOST_S)) {
        rep_to_learn(d, out);
        return;
    }
    double tolerance = rep_evenness_N(d, rep_high_N(d) - d->rest.mean_N), since_s, way = rep_way_N(d);
    struct level level;
    if (!isnan(d->waits_s) && (rep_lasted(d, t_s, d->floats_s, WAIT_S) || d->support_N - d->support_low_N > TURN_UP * way)) {
        rep_finish(d, d->waits_s, out);
        d->waits_s = NAN;
        rep_set_phase(d, PLATE_REST, out);
    }
    if (d->support_N - d->support_low_N > TURN_UP * way) {
        double support = d->support_N, rate = d->support_rate;
        double onset_s = rep_find_departure(d, t_s, d->wait.mean_N, fmax(BAND_MIN_N, 2 * tolerance));
        d->live_s[0] = d->live_s[1] = d->live_s[2] = NAN;
        rep_up_begin(d, onset_s, out);
        rep_observe_from(d, support);
        d->support_rate = rate;
    } else if (rep_flat(d, STILL_S, 0, d->floats_s, tolerance, &level, &since_s)) {
        if (level.mean_N < d->rest.mean_N + DEEP_PART * (rep_high_N(d) - d->rest.mean_N)) {
            if (!isnan(d->waits_s)) rep_finish(d, since_s, out);
            d->own_rest_N += level.mean_N - d->rest.mean_N;
            d->rest.mean_N = level.mean_N; /* on the floor, at another level than before */
            rep_to_rest(d, out);
        } else if (fabs(level.mean_N - d->wait.mean_N) < 3 * tolerance || level.mean_N < d->wait.mean_N)
            d->wait = level;
    }
}

/* A lowering that has come to a standstill: above the floor, or on it at another level than before. */
bool rep_stands_still(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    if (d->phase != PLATE_LOWER || (rep_pushes(d) && !d->held)) return false;
    double from_s = d->held && !isnan(d->descent_s) ? d->descent_s : d->onset_s, since_s;
    double window = fmin(STILL_MOST_S, fmax(STILL_S, STILL_PART * (t_s - from_s))), step = rep_top_N(d) - d->rest.mean_N;
    double force_N = rep_last_block(d)->force_N, tolerance = rep_evenness_N(d, step);
    if (d->foot_down && d->known_N <= 0 && force_N > rep_high_N(d) - fmax(FIDGET_N, FIDGET_PART * rep_top_N(d))) return false;
    if (force_N > rep_high_N(d) - fmax(rep_moves(d) ? STILL_DROP * rep_way_N(d) : 0.5 * step, rep_decision_band_N(d)))
        return false;
    if (!d->held && force_N > d->rest.mean_N + 0.5 * step) return false;
    struct level level;
    if (!rep_flat(d, window, 0, from_s, tolerance, &level, &since_s)) return false;
    if (rep_moves(d) &&
        (fabs(force_N - d->support_N) > STILL_OFF * rep_way_N(d) || fabs(d->support_rate) > STILL_RATE * rep_way_N(d)) &&
        level.mean_N > d->rest.mean_N + DEEP_PART * step)
        return false; /* a lowering that brakes presses evenly while the hips still move */
    bool on_floor = !rep_moves(d) || level.mean_N < d->rest.mean_N + DEEP_PART * step;
    double near_N = on_floor ? fmax(tolerance, END_PART * (rep_top_N(d) - level.mean_N)) : tolerance;
    uint64_t i = rep_block_from(d, since_s);
    while (i > rep_oldest_block(d) + 1 && fabs(rep_block_at(d, i - 1)->force_N - level.mean_N) <= near_N &&
           rep_block_at(d, i - 1)->t_s > from_s)
        i--;
    if (on_floor && d->foot_down &&
        level.mean_N > d->rest.mean_N + rep_decision_band_N(d)) /* the foot was put down on the way */
        d->onset_s = fmax(d->onset_s, rep_find_departure(d, isnan(d->top_s) ? d->onset_s : d->top_s, level.mean_N,
                                                         fmax(BAND_MIN_N, 0.05 * step)));
    if (on_floor || !rep_is_one(d, rep_block_at(d, i)->t_s)) {
        rep_finish(d, rep_block_at(d, i)->t_s, out);
        d->own_rest_N += level.mean_N - d->rest.mean_N;
        d->rest = (struct level){level.mean_N, fmax(d->rest.sd_N, level.sd_N)};
        rep_to_rest(d, out);
        return true;
    }
    d->floating = true;
    d->floats_s = t_s;
    d->waits_s = rep_block_at(d, i)->t_s;
    d->wait = level;
    rep_observe_from(d, level.mean_N);
    return true;
}
