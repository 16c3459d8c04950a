#include <math.h>

#include "rep_up.h"

/* Hips that come to a standstill on the way down, and wait there. docs/detector.md gives the reason of each threshold. */
#define STILL_S 0.4     /* a lowering that has come to a standstill for so long ... */
#define STILL_PART 0.35 /* ... and for this part of its own length ... */
#define STILL_DROP 0.3  /* ... and so far down its way, is over */
#define STILL_MOST_S 1.0
#define STILL_OFF 0.15     /* of the way: the observer agrees that the hips are where the force says ... */
#define STILL_OFF_HELD 0.2 /* ... where the arc has a say, too */
#define STILL_RATE 0.25    /* of the way in a second: ... and stay there */
#define STILL_NEAR 0.03    /* of the step: tremor included, the force is on the level of the standstill */
#define WAIT_S 0.8         /* hips that wait above the floor for so long after they came to a standstill ended the rep there */
#define FLOATING_MOST_S 20.0

void rep_wait(struct plate_rep_detector *d, double since_s, const struct level *level)
{
    d->floating = true;
    d->floats_s = rep_last_block(d)->t_s;
    d->waits_s = d->waited_s = since_s;
    d->wait = *level;
    d->turn_s = NAN;
    rep_observe_from(d, level->mean_N);
}

/* The hips wait above the floor: the rep is over if they do so for a while, or rise again; if they go on down to the floor,
 * it ends there. */
void rep_step_floating(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    if ((rep_bridges(d) && rep_bridge_rose_unseen(d, out)) || rep_touched_down(d, t_s, out)) return;
    d->below_s = NAN;
    if (rep_lasted(d, t_s, d->floats_s, FLOATING_MOST_S)) {
        rep_to_learn(d, out);
        return;
    }
    double tolerance = rep_evenness_N(d, rep_high_N(d) - d->rest.mean_N), since_s, way = rep_way_N(d);
    struct level level;
    bool rises = d->support_N - d->support_low_N > TURN_UP * way && (!rep_bridges(d) || rep_bridge_driven(d));
    if (!isnan(d->waits_s) && (rep_lasted(d, t_s, d->floats_s, WAIT_S) || rises)) {
        rep_finish(d, d->waits_s, out);
        d->waits_s = NAN;
        rep_set_phase(d, PLATE_REST, out);
    }
    if (rises) {
        double support = d->support_N, rate = d->support_rate;
        uint64_t most = d->blocks - 1; /* by now they may brake, and the force come through the level again */
        for (uint64_t i = rep_block_from(d, fmax(d->floats_s, t_s - DRIVE_MOST_S)); i < d->blocks; i++)
            if (rep_block_at(d, i)->force_N > rep_block_at(d, most)->force_N) most = i;
        double onset_s = rep_find_departure(d, rep_block_at(d, most)->t_s, d->wait.mean_N, fmax(BAND_MIN_N, 2 * tolerance));
        rep_unsaid(d);
        rep_up_begin(d, onset_s, out);
        rep_observe_from(d, support);
        d->support_rate = rate;
    } else if (rep_flat(d, STILL_S, 0, d->floats_s, tolerance, &level, &since_s)) {
        if (level.mean_N < d->rest.mean_N + DEEP_PART * (rep_high_N(d) - d->rest.mean_N)) {
            if (!isnan(d->waits_s)) rep_finish(d, since_s, out);
            rep_rest_moves(d, level.mean_N, 0); /* on the floor, at another level than before */
            rep_to_rest(d, out);
        } else if (rep_bridges(d) ? fabs(level.mean_N / d->wait.mean_N - 1) < SAME_LEVEL
                                  : level.mean_N < d->wait.mean_N + 3 * tolerance)
            d->wait = level;
    }
}

/* A lowering that brakes presses evenly while the hips still move: the observer says whether, and after a hold the arc, which
 * also knows how deep they are (else 0). */
static bool hips_stand(struct plate_rep_detector *d, double t_s, double force_N, double *ret_depth_m)
{
    double held_N, m_per_s, travel_m = d->exercise->travel_m, way_N = rep_way_N(d);
    *ret_depth_m = 0;
    if (fabs(force_N - d->support_N) > (d->held ? STILL_OFF_HELD : STILL_OFF) * way_N ||
        fabs(d->support_rate) > STILL_RATE * way_N)
        return false;
    if (!d->held) return true;
    if (!rep_lasted(d, t_s, d->asked_s, ASK_S)) return false;
    d->asked_s = t_s;
    double left_s = rep_left_hold_s(d, &held_N);
    *ret_depth_m = rep_arc_down_m(d, left_s, held_N, d->blocks, &m_per_s);
    return *ret_depth_m > STILL_DROP * travel_m && fabs(m_per_s) <= STILL_RATE * travel_m;
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
    bool foot_rests = d->foot_down && d->held && level.mean_N < FOOT_LEVEL * d->hold.mean_N; /* on what was an empty plate */
    bool on_floor = !rep_moves(d) || foot_rests || level.mean_N < d->rest.mean_N + DEEP_PART * step;
    double still_m = 0,
           near_N = on_floor ? END_PART * (rep_top_N(d) - level.mean_N) : STILL_NEAR * (level.mean_N - d->rest.mean_N);
    if (!on_floor && ((d->from_floor && rep_bridges(d)) || !hips_stand(d, t_s, force_N, &still_m))) return false;
    double still_s = rep_settled_s(d, since_s, &level, fmax(tolerance, near_N));
    double arrived_s = still_m > 0 ? rep_arc_arrived_s(d, d->descent_s, 0.5 * (since_s + t_s), level.mean_N, still_m) : NAN;
    if (!isnan(arrived_s)) still_s = arrived_s;
    if (on_floor && d->foot_down && level.mean_N > d->rest.mean_N + rep_decision_band_N(d)) { /* it was put down on the way */
        d->onset_s = fmax(d->onset_s, rep_find_departure(d, isnan(d->top_s) ? d->onset_s : d->top_s, level.mean_N,
                                                         fmax(BAND_MIN_N, 0.05 * step)));
        if (rep_moves(d)) rep_rest_moves(d, level.mean_N, level.sd_N);
    }
    if (on_floor || !rep_is_one(d, still_s)) {
        rep_finish(d, still_s, out);
        rep_rest_moves(d, level.mean_N, level.sd_N);
        rep_to_rest(d, out);
        return true;
    }
    rep_wait(d, still_s, &level);
    return true;
}
