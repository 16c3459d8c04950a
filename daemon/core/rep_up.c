#include <math.h>

#include "rep_up.h"

/* Up, hold, down: is it a repetition, or a foot, or a bar? docs/detector.md gives the reason of each threshold. */
#define FLIGHT_PUSH 0.25    /* of what the force lacks while hips fly, the push before had this part over it, ... */
#define FLIGHT_M_PER_S 0.15 /* ... and it gave them so much speed, ... */
#define FLIGHT_CAUGHT 0.9   /* until they press with this part of that force again */
#define TOUCH_S 0.04        /* noise that touches rest is shorter than hips are down before such a push */
#define BUMP_S 0.3          /* who sat down so shortly before sways at first, and rises from where he sits then */
#define LEDGE_S 0.15        /* so long before the drive ... */
#define LEDGE_PART 0.15     /* ... the force stands within this part of the step to rest, ... */
#define LEDGE_ROSE 0.25     /* ... and does not rise by this part of its band: nothing moves yet. It is the least ... */
#define LEDGE_MEAN_S 0.05   /* ... mean over so long ... */
#define LEDGE_RISE 0.25     /* ... before the force first is up by this part of the step */
#define MAX_REP_S 40.0      /* longer is no repetition: somebody stands there */
#define FOOT_STEP 0.8       /* a rise above a "hold" by this part of its step: the hold was the foot at rest */
#define FOOT_PUSHES 0.35  /* a push is held with more than this part of its force, in steps too; a foot at rest presses less */
#define FOOT_STILL_S 1.0  /* put down on an empty plate, settled at once, and still for so long: a foot at rest */
#define FOOT_BRAKED_S 2.0 /* ... or for so long, if the force fell short of it before, as of hips that brake */
#define FOOT_SETTLED_S 0.6
#define FOOT_SETTLED_PART 0.08
#define FOOT_SETTLED_N 8.0
#define STOOD_S 1.5      /* a level that stood for so long ... */
#define STOOD_STEP 0.08  /* ... before the force rose by this part, ... */
#define STOOD_PART 0.4   /* ... and by so much of the step before, ... */
#define STOOD_RISE_S 0.8 /* ... faster than hips that grind, was a load at rest */
#define BACK_PART 0.06   /* a foot that was lifted is back if it presses as it did, within this part, ... */
#define LIFTED_S 4.0     /* ... and began to so soon after */
#define NEW_REST_S 0.6   /* too small for a rep, and level for so long: the new rest */

bool rep_flew(const struct plate_rep_detector *d, double push_s, double until_s, double level_N)
{
    double pushed_Ns = 0, lacked_Ns = 0;
    for (uint64_t i = rep_block_from(d, push_s); i < d->blocks; i++) {
        const struct block *b = rep_block_at(d, i);
        double over_Ns = (b->force_N - level_N) * b->dt_s;
        if (b->t_s > until_s && b->force_N > FLIGHT_CAUGHT * level_N) break;
        if (over_Ns > 0)
            pushed_Ns += over_Ns;
        else if (pushed_Ns > 0)
            lacked_Ns -= over_Ns;
    }
    return pushed_Ns * GRAVITY > FLIGHT_M_PER_S * level_N && pushed_Ns > FLIGHT_PUSH * lacked_Ns;
}

bool rep_flew_here(const struct plate_rep_detector *d, double level_N)
{
    return d->flew && rep_flew(d, d->hump.onset_s, fmax(d->onset_s, d->hump.end_s), level_N);
}

void rep_fetch_push(struct plate_rep_detector *d)
{
    d->onset_s = d->hump.onset_s;
    d->live_s[0] = d->hump.drive_live_s, d->live_s[2] = d->hump.lower_live_s;
    d->peak_N = fmax(d->peak_N, d->hump.peak_N);
    d->flew = false;
}

/* A foot that came back presses a little more than it did before, or less by and by: nothing moves there. The drive began where
 * the force left that ledge. */
static void leave_ledge(struct plate_rep_detector *d, double top_N)
{
    double step_N = top_N - d->rest.mean_N, rise_N = d->rest.mean_N + LEDGE_RISE * step_N, ledge_N = INFINITY;
    uint64_t from = rep_block_from(d, d->onset_s), i = from,
             k = (uint64_t)fmax(1, floor(LEDGE_MEAN_S / rep_last_block(d)->dt_s));
    for (; i < d->blocks && rep_block_at(d, i)->force_N < rise_N; i++)
        if (i >= from + k) ledge_N = fmin(ledge_N, rep_running_mean_N(d, i, k));
    if (i == d->blocks || ledge_N > d->rest.mean_N + LEDGE_PART * step_N) return;
    if (!rep_lasted(d, rep_block_at(d, i)->t_s, d->onset_s, LEDGE_S)) return;
    double left_s = rep_find_departure(d, rep_block_at(d, i)->t_s, ledge_N, rep_band_N(d));
    uint64_t to = rep_block_from(d, left_s), half = (to - from) / 2;
    if (!rep_lasted(d, left_s, d->onset_s, LEDGE_S) || half < 1 || from < rep_oldest_block(d) + 1) return;
    double rose_N = rep_running_mean_N(d, to - 1, half) - rep_running_mean_N(d, from + half - 1, half);
    if (rose_N < LEDGE_ROSE * rep_band_N(d)) d->onset_s = left_s;
}

/* When did the drive begin to what is held at this level since then: where the force left its rest, or with a push before. */
static double drove_from_s(const struct plate_rep_detector *d, double since_s, double level_N)
{
    double onset_s = rep_find_departure(d, since_s, d->rest.mean_N, rep_band_N(d));
    uint64_t i = rep_block_from(d, onset_s - FLIGHT_S), high = i;
    for (; i < d->blocks && rep_block_at(d, i)->t_s < onset_s; i++)
        if (rep_block_at(d, i)->force_N > rep_block_at(d, high)->force_N) high = i;
    double push_s = rep_find_departure(d, rep_block_at(d, high)->t_s, d->rest.mean_N, rep_band_N(d));
    return push_s < onset_s && rep_flew(d, push_s, onset_s, level_N) ? push_s : onset_s;
}

void rep_up_begin(struct plate_rep_detector *d, double onset_s, struct plate_rep_output *out)
{
    d->state = STATE_UP;
    d->onset_s = onset_s;
    d->peak_N = d->smooth_N;
    d->dip_depth_N = 0;
    d->dip_N = d->dip_s = INFINITY;
    d->top_s = d->descent_s = d->first_descent_s = d->leave_s = d->below_s = d->touch_s = d->turn_s = NAN;
    d->asked_s = -INFINITY;
    d->above.m_per_s = 0;
    d->denied = false;
    d->lefts = 0;
    d->held = d->floating = d->unseen = d->lowered = false;
    d->flew = onset_s - d->hump.end_s < FLIGHT_S && !(d->hump.onset_s < d->last_end_s);
    d->hold = (struct level){NAN, NAN};
    d->upper_sum = d->upper_n = 0;
    rep_observe_from(d, fmax(d->rest.mean_N, rep_low_part(d) * d->known_N));
    rep_set_phase(d, PLATE_DRIVE, out);
}

/* What is between, with the hold if it is there. */
static bool measure(const struct plate_rep_detector *d, double onset_s, double end_s, double descent_s, double last_end_s,
                    struct movement *ret)
{
    double top_s = d->top_s >= onset_s && d->top_s <= end_s ? d->top_s : NAN;
    struct rep_times t = {.onset_s = onset_s,
                          .top_s = top_s,
                          .descent_s = descent_s > onset_s && descent_s <= end_s ? fmax(descent_s, top_s) : NAN,
                          .end_s = end_s,
                          .up_from_s = onset_s,
                          .up_to_s = top_s,
                          .rest_N = d->own_rest_N,
                          .last_end_s = last_end_s};
    ret->swing_N = rep_swing_N(d, onset_s, end_s);
    return rep_fill(d, &t, &ret->rep);
}

bool rep_finish(struct plate_rep_detector *d, double end_s, struct plate_rep_output *out)
{
    if (d->unseen) {
        d->unseen_end_s = end_s;
        return true;
    }
    double top_most, top = rep_whole_top_N(d, end_s, &top_most);
    if (rep_flew_here(d, top)) rep_fetch_push(d);
    bool bumped = d->exercise->family == FAMILY_SEAT && d->onset_s - d->last_end_s < BUMP_S; /* he had just sat down */
    if (rep_moves(d) || bumped) leave_ledge(d, top);
    enum verdict verdict = rep_verdict(d, end_s);
    if (verdict == VERDICT_NONE) return false;
    if (d->lowered) verdict = VERDICT_REP; /* hips were lowered, nobody leant */
    top = rep_whole_top_N(d, end_s, &top_most);
    rep_hold_above(d, end_s);
    if (d->held && isnan(d->descent_s) && !isnan(d->top_s)) d->descent_s = end_s;
    if (d->descent_s > end_s) d->descent_s = end_s;
    double descent_s = d->held ? d->descent_s : NAN, level_N;
    if (d->held && rep_moves(d)) {
        d->descent_s = descent_s = rep_left_hold_s(d, &level_N);
        if (rep_left_evenly(d, level_N)) descent_s = NAN;
    } else if (d->held && (rep_pushes(d) || (rep_fixed(d) && d->foot_down))) /* hips leave from a foot that rests */
        descent_s = rep_let_go_s(d, end_s);
    if (d->exercise->family == FAMILY_SEAT) rep_stance(d, end_s, &d->top_s, &descent_s);
    struct movement m = {.step_N = top - d->rest.mean_N, .rest_N = d->rest.mean_N, .top_N = top, .top_most_N = top_most};
    double to_s[TWINS], from_s = d->onset_s, last_end_s = d->last_end_s;
    bool room = d->dues + TWINS < MOST_DUE;
    unsigned n = room && !rep_is_small(d, m.step_N) ? rep_impacts(d, &from_s, end_s, m.step_N, to_s) : 0, said = 0;
    if (n > 0) verdict = VERDICT_REP; /* who struck the floor did not lean */
    if (n == 0 && verdict == VERDICT_REP && room) n = rep_drives(d, from_s, end_s, to_s);
    if (n == 0 && verdict == VERDICT_REP && room) n = rep_twins(d, from_s, end_s, descent_s - d->top_s, to_s);
    to_s[n++] = end_s;
    if (rep_like_the_doubtful(d, &m, from_s, to_s[0])) last_end_s = d->doubtful.rep.end_s;
    for (unsigned i = 0; i < n; last_end_s = from_s = to_s[i++]) {
        for (unsigned k = 0; k < 3 && n > 1; k++) /* the first one's are known, nobody saw the others begin */
            if (i > 0 || (k > 0 && d->live_s[k] > to_s[0])) d->live_s[k] = NAN;
        if (!measure(d, from_s, to_s[i], descent_s, last_end_s, &m)) continue;
        if (said++ == 0)
            rep_weigh(d, &m, verdict, out);
        else
            rep_say_next(d, &m, out);
    }
    return said > 0;
}

/* The force rose again from what looked like a hold, by about as much: the "hold" was the foot at rest. */
static bool foot_was_at_rest(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    if (!d->held || !(d->foot_down || (d->unseen && !rep_moves(d)))) return false;
    double step = d->hold.mean_N - d->rest.mean_N;
    if (rep_pushes(d) && (step > FOOT_MOST_N || step > FOOT_PUSHES * (d->smooth_N - d->rest.mean_N))) return false;
    if (d->smooth_N < d->hold.mean_N + fmax(MIN_STEP_N, FOOT_STEP * step)) return false;
    if (rep_moves(d) && d->hold.mean_N > FOOT_LEVEL * (d->known_N > 0 ? d->known_N : d->smooth_N)) return false;
    if (!rep_moves(d)) d->before_foot_N = d->rest.mean_N;
    rep_rest_moves(d, d->hold.mean_N, fmin(d->hold.sd_N, BAND_MIN_N / BAND_SD));
    double band = rep_band_N(d);
    d->foot_down = false;
    rep_unsaid(d); /* of the foot, not of the rep */
    rep_up_begin(d, rep_find_departure(d, rep_last_block(d)->t_s, d->rest.mean_N, band), out);
    return true;
}

void rep_begin_at_step(struct plate_rep_detector *d, const struct level *level, double since_s)
{
    double step = d->hold.mean_N - d->rest.mean_N;
    bool foot =
        level->mean_N > d->hold.mean_N + fmax(MIN_STEP_N, FOOT_STEP * step) && d->hold.mean_N < FOOT_LEVEL * level->mean_N;
    double rise = level->mean_N - d->hold.mean_N;
    bool load = rep_moves(d) && level->mean_N > d->known_N && rise > fmax(STOOD_STEP * d->hold.mean_N, STOOD_PART * step) &&
                d->descent_s - d->hold_from_s > STOOD_S && since_s - d->descent_s < STOOD_RISE_S;
    if (!foot && !load) return;
    rep_rest_moves(d, d->hold.mean_N, fmin(d->hold.sd_N, BAND_MIN_N / BAND_SD));
    d->onset_s = drove_from_s(d, since_s, level->mean_N);
}

/* A foot that was put down and stays: no drive settles as soon, for the support grows as long as the hips rise. Hips that are
 * thrown up brake before they are held. */
static bool foot_stays(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    double settled_s = d->onset_s + FOOT_SETTLED_S, sum = 0, sum2 = 0, n = 0;
    if (!d->foot_down || !rep_moves(d) || d->known_N > 0 || !rep_lasted(d, t_s, settled_s, FOOT_STILL_S)) return false;
    if (rep_lasted(d, t_s, settled_s, FOOT_STILL_S + FOOT_BRAKED_S)) return false; /* it was not, so it is none */
    uint64_t onset = rep_block_from(d, d->onset_s), settled = rep_block_from(d, settled_s);
    for (uint64_t i = settled; i < d->blocks; i++, n++) {
        double off_N = rep_block_at(d, i)->force_N - d->smooth_N;
        sum += off_N, sum2 += off_N * off_N;
    }
    double level_N = d->smooth_N + sum / n, sd_N = sqrt(fmax(0, sum2 / n - sum / n * (sum / n)));
    double near_N = fmax(FOOT_SETTLED_N, FOOT_SETTLED_PART * level_N);
    bool came = false, braked = false;
    for (uint64_t i = onset; i < d->blocks; i++) {
        double off_N = rep_block_at(d, i)->force_N - level_N;
        if (i >= settled && fabs(off_N) > near_N) return false;
        came = came || off_N > 0, braked = braked || (came && off_N < -near_N);
    }
    if (braked && (d->phase != PLATE_HOLD || !rep_lasted(d, t_s, settled_s, FOOT_BRAKED_S))) return false;
    rep_rest_moves(d, level_N, fmin(sd_N, BAND_MIN_N / BAND_SD));
    rep_to_rest(d, out);
    return true;
}

void rep_up_cut(struct plate_rep_detector *d)
{
    double end_s = d->floating ? d->waits_s : rep_hips_are_low(d) ? d->below_s : NAN;
    if (!isnan(end_s)) rep_finish(d, d->below_s > end_s ? d->below_s : end_s, NULL);
    if (!d->foot_down || d->phase != PLATE_HOLD) return;
    if (d->known_N > 0 && d->hold.mean_N > FOOT_LEVEL * d->known_N) return;
    rep_rest_moves(d, d->hold.mean_N, fmin(d->hold.sd_N, BAND_MIN_N / BAND_SD));
}

/* Nobody saw it begin, nor at what level the foot rested: it rests where it presses much less than the hips. */
static bool rests_unseen(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    double high_N = d->held ? d->hold.mean_N : d->known_N > 0 ? d->known_N : d->peak_N, since_s;
    struct level level;
    if (!d->unseen || d->smooth_N > FOOT_LEVEL * high_N || !rep_flat(d, NEW_REST_S, 0, d->onset_s, 3, &level, &since_s))
        return false;
    rep_rest_moves(d, level.mean_N, level.sd_N);
    rep_to_rest(d, out);
    return true;
}

/* Too small for a rep, or what was a foot's rest before it was lifted, and level: people shift their feet. */
static bool new_rest(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    double since_s;
    struct level level;
    bool small = (d->held ? d->hold.mean_N : d->peak_N) - d->rest.mean_N < rep_smallest_step_N(d);
    if (d->held && small) small = rep_verdict(d, d->hold_from_s) == VERDICT_NONE; /* after a knock */
    bool back = rep_moves(d) && !d->foot_down && d->known_N <= 0 && d->rested_N < FOOT_MOST_N &&
                d->onset_s - d->fell_s < LIFTED_S && fabs(d->smooth_N / d->rested_N - 1) < BACK_PART;
    if ((!small && !back) || !rep_flat(d, NEW_REST_S, 0, d->onset_s, 3, &level, &since_s)) return false;
    rep_rest_moves(d, level.mean_N, level.sd_N);
    rep_to_rest(d, out);
    return true;
}

void rep_up_step(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    const struct block *b = rep_last_block(d);
    double t_s = b->t_s;
    rep_track(d, b, d->smooth_N);
    if (rep_weight_stands(d, t_s, out)) return;
    if (d->floating) {
        rep_step_floating(d, t_s, out);
        return;
    }
    if (foot_was_at_rest(d, out) || foot_stays(d, t_s, out) || rep_kicked(d, out) || rep_touched_down(d, t_s, out) ||
        rep_turned(d, false, out))
        return;
    if (!isnan(d->below_s) && rep_lasted(d, t_s, d->below_s, TOUCH_S)) d->touch_s = d->below_s, d->lifted_s = t_s;
    d->below_s = NAN;
    if (rep_lasted(d, t_s, d->onset_s, MAX_REP_S)) {
        rep_to_learn(d, out);
        return;
    }
    if (rests_unseen(d, out) || new_rest(d, out) || rep_stands_still(d, t_s, out)) return;
    rep_follow_hold(d, t_s, out);
    if (d->held || out->phase_changed) return;
    double part = (d->smooth_N - d->rest.mean_N) / (d->peak_N - d->rest.mean_N);
    if (d->phase == PLATE_DRIVE && part < 0.6)
        rep_set_phase(d, PLATE_LOWER, out);
    else if (d->phase == PLATE_LOWER && part > 0.85)
        rep_set_phase(d, PLATE_DRIVE, out);
}
