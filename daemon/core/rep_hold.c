#include <math.h>

#include "rep_up.h"

/* The hold: found, followed, left. docs/detector.md gives the reason of each threshold. */
#define HOLD_S 0.2           /* after the braking dip, a force that is flat for so long is held */
#define TREMOR_S 0.1         /* slower than a person trembles: what is flat but for tremor is flat */
#define TREMOR_PART 0.035    /* ... and no tremor makes more of a SD than this part of the step, ... */
#define TREMOR_NOISE 3.0     /* ... or so many SD of noise */
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
#define LET_GO_S 0.3         /* who lets go was pushing harder, by the same part, so shortly before */
#define HOLD_FOLLOW_S 1.0    /* the held level creeps with posture ... */
#define CREEP_PART 0.25      /* ... but by no more than this part of the hips' way: that is lowering */
#define SAG_PART 0.2         /* held again so little lower: sagged, and still at the top */
#define RISE_PART 0.12       /* ... or so little higher */
#define AGAIN_S 0.8          /* on the level for less, it may be the way: hips that sink at their own frequency press alike */
#define RINGS_S 0.07  /* the plate that a kick lets ring is back on the level of the hold, in the mean over so long, ... */
#define KICK_S 0.35   /* ... so soon after it was on it before: no hips come back sooner, ... */
#define KICK_PART 0.3 /* ... if it took so much of the step, or added it, between */
enum { BEFORE = 3, AFTER = 2 }; /* so many such means in a row */
#define LEFT_S 3.0              /* how far back a hold can have been left: a longer sag is posture */
#define LEFT_SD 1.0             /* ... and short of the level by this much of its SD ... */
#define LEFT_PART 0.06          /* ... and of the way */
#define EVEN_S 0.25             /* lowering that takes longer ... */
#define EVEN_PART 0.12          /* ... to lose this part of the way may have begun long before */
#define EVEN_SMOOTH_S 0.05
#define AGAIN_LEAST_S 0.7    /* hips that came down from it are not held again sooner */
#define FIRST_AGAIN_S 1.3    /* ... while no rep is known: who feels his way sticks for longer */
#define SINKS_M_PER_S 0.1    /* so fast are hips that sink; then the hold was before, if who leaves this one brakes first */
#define TURN_DOWN_HIGHER 0.6 /* held higher after: the first may have been a pause in the drive */
#define TOP_HEIGHT 0.25      /* of the way: the hips are at the held height if the observer says so ... */
#define SITS_M_PER_S 0.1     /* a standing body sways slower ... */
#define STOOD_M_PER_S 1.0    /* faster upwards than this, the hold was no stance: his feet, and he still sat */
#define PLAIN_DIP 0.15       /* ... or after a dip of so much of the step, which no tremor makes, ... */
#define KNOWN_LEVEL 0.06     /* ... or if the force stays so near to what held them before */

double rep_settled_s(const struct plate_rep_detector *d, double since_s, const struct level *level, double tolerance_N)
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

double rep_noise_N(const struct plate_rep_detector *d) { return fmax(d->rest_spread_N, d->rest.sd_N / d->block_root); }

double rep_evenness_N(const struct plate_rep_detector *d, double step_N)
{
    return rep_at_least(rep_at_least(1.0, 2 * rep_noise_N(d)), (rep_pushes(d) ? PUSH_FLAT_PART : FLAT_PART) * step_N);
}

/* On an empty plate, well below what is known to hold the hips: the foot is back, and rests. */
static bool foot_is_back(struct plate_rep_detector *d, const struct level *level, double tolerance_N,
                         struct plate_rep_output *out)
{
    struct level long_level;
    double since_s;
    if (!d->foot_down || !rep_moves(d) || d->known_N <= 0 || level->mean_N > FOOT_LEVEL * d->known_N) return false;
    if (!rep_flat(d, PLATEAU_S, TREMOR_S, d->onset_s, tolerance_N, &long_level, &since_s)) return false;
    rep_rest_moves(d, long_level.mean_N, fmin(long_level.sd_N, BAND_MIN_N / BAND_SD));
    rep_to_rest(d, out);
    return true;
}

double rep_fastest_down(const struct plate_rep_detector *d, double *ret_m_per_s)
{
    double speed = 0, fastest = 0;
    for (uint64_t i = rep_block_from(d, d->descent_s); i < d->blocks; i++) {
        speed += rep_block_at(d, i)->dt_s * GRAVITY * (rep_block_at(d, i)->force_N / d->hold.mean_N - 1);
        fastest = fmin(fastest, speed);
    }
    *ret_m_per_s = speed;
    return fastest;
}

/* Who left his stance above a seat, where all of the force is his weight and its acceleration, as fast as nobody sways, is on
 * the way down: what is even from then on is the braking, and no hold. */
static bool sits_down(const struct plate_rep_detector *d)
{
    bool seat = d->exercise->family == FAMILY_SEAT;
    if (!d->held || isnan(d->descent_s) || !rep_may_sit(d)) return false;
    double speed, fastest = rep_fastest_down(d, &speed);
    return fastest < (seat ? -SITS_M_PER_S : -DROPS_M_PER_S) && speed < STOOD_M_PER_S;
}

/* Held again so soon that no hips can have come down and up between, and still rising where they seemed to be held first: that
 * was the drive's hump. */
static bool was_hump(const struct plate_rep_detector *d, const struct level *level, double since_s)
{
    return d->held && rep_moves(d) && !rep_bridges(d) && !isnan(d->descent_s) &&
           since_s - d->descent_s < (d->known_N > 0 ? AGAIN_LEAST_S : FIRST_AGAIN_S) &&
           rep_arc_rising(d, d->hold_from_s, since_s, level->mean_N);
}

/* What is even now, since then, after a hold was left: if the force in between took the hips down and nothing stopped them,
 * they may sink still. */
static void may_sink(struct plate_rep_detector *d, const struct level *level, double since_s, double tolerance_N)
{
    if (!d->held || !rep_moves(d) || d->exercise->second_foot || isnan(d->descent_s)) return;
    double m_per_s = 0, to_s = rep_settled_s(d, since_s, level, 2 * tolerance_N);
    for (uint64_t i = rep_block_from(d, d->descent_s); i < d->blocks && rep_block_at(d, i)->t_s < to_s; i++)
        m_per_s += rep_block_at(d, i)->dt_s * GRAVITY * (rep_block_at(d, i)->force_N / d->hold.mean_N - 1);
    if (d->above.m_per_s == 0) d->above = (struct above){d->top_s, d->descent_s, d->hold.mean_N, 0};
    d->above.m_per_s += m_per_s;
    if (d->above.m_per_s > -SINKS_M_PER_S) d->above.m_per_s = 0;
}

void rep_hold_above(struct plate_rep_detector *d, double end_s)
{
    if (!d->held || isnan(d->descent_s) || d->above.m_per_s == 0) return;
    uint64_t i = rep_block_from(d, d->descent_s), to = rep_block_from(d, end_s);
    double off_N = 0;
    for (; i < to && fabs(off_N) < LEAVE_PART * d->hold.mean_N; i++) off_N = rep_block_at(d, i)->force_N - d->hold.mean_N;
    if (off_N <= 0) return;
    d->top_s = d->above.top_s, d->descent_s = d->above.left_s;
    d->hold.mean_N = d->above.level_N;
}

/* The hold is left for another: it may have been the true one. */
static void leave_hold(struct plate_rep_detector *d)
{
    if (!d->held || isnan(d->descent_s)) return;
    struct left *left = &d->left[d->lefts++ % LEFTS];
    *left = (struct left){d->hold_from_s, d->descent_s, d->held_most_N};
    if (rep_bridges(d)) left->at_s = rep_left_hold_s(d, &left->level_N);
}

/* By more than hips tremble that are held. */
static bool swings(const struct plate_rep_detector *d, const struct level *level, double step_N)
{
    return rep_moves(d) && level->sd_N > fmax(TREMOR_NOISE * d->rest_spread_N, TREMOR_PART * step_N);
}

static void find_hold(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    double step = d->peak_N - d->rest.mean_N, tolerance = rep_evenness_N(d, step), since_s;
    double from_s = d->held && d->descent_s > d->onset_s ? d->descent_s : d->onset_s;
    double dip = fmax(fmax(3 * d->rest_spread_N, 1.0), DIP_PART * step);
    struct level level;
    if (step < rep_smallest_step_N(d) || !rep_flat(d, HOLD_S, TREMOR_S, from_s, tolerance, &level, &since_s)) return;
    if (swings(d, &level, step)) return;
    bool braked = d->dip_depth_N > dip && d->dip_N < level.mean_N - dip && d->dip_s <= since_s;
    bool flew = rep_flew_here(d, level.mean_N);
    if (flew) braked = true;
    if (level.mean_N < d->rest.mean_N + (braked ? BRAKED_LEVEL : HOLD_LEVEL) * step) return;
    if (sits_down(d) || foot_is_back(d, &level, tolerance, out)) return;
    bool hips_held = d->held && d->hold.mean_N > FOOT_LEVEL * level.mean_N; /* not a foot, nor a bar */
    bool learned = rep_moves(d) && !d->exercise->second_foot && (hips_held || d->known_N > 0);
    bool placed = !learned || fabs(d->support_N - level.mean_N) <= TOP_HEIGHT * rep_way_N(d); /* the observer says so too */
    if (!d->held && d->dip_depth_N > PLAIN_DIP * step && fabs(level.mean_N - d->known_N) <= KNOWN_LEVEL * d->known_N)
        placed = true;
    double most_N = d->held_most_N + fmax(2 * tolerance, rep_moves(d) ? RISE_PART * rep_way_N(d) : 0);
    bool hump = was_hump(d, &level, since_s);
    if (!hump && rep_turned_between(d, &level, since_s, out)) return;
    if (rep_bridges(d) && rep_bridge_came_down(d, &level, since_s)) {
        rep_wait(d, since_s, &level);
        return;
    }
    bool again = !hump && d->held && level.mean_N > d->hold.mean_N - 2 * tolerance && level.mean_N <= most_N;
    bool higher = hump || level.mean_N > most_N; /* the first was no hold, but a pause in the drive */
    if (!hump && higher && rep_waited_between(d, &level, out)) return;
    if (d->held && !again && !higher && rep_moves(d) && placed && level.mean_N > d->held_most_N - SAG_PART * rep_way_N(d))
        again = rep_flat(d, PLATEAU_S, TREMOR_S, from_s, tolerance, &level, &since_s); /* sagged, and still at the top */
    if (d->phase == PLATE_LOWER && d->held && !again && !higher) return; /* a slow lowering is flat for a while too */
    bool sure = braked && placed;
    if (!sure && (!rep_flat(d, PLATEAU_S, TREMOR_S, from_s, tolerance, &level, &since_s) || swings(d, &level, step))) return;
    if (!placed && fabs(level.mean_N - rep_high_N(d)) > KNOWN_LEVEL * rep_high_N(d)) return;
    if (!placed && d->held && !hump && !d->denied && !d->exercise->second_foot &&
        d->support_high_N - d->support_low_N > (higher ? TURN_DOWN_HIGHER : TURN_DOWN) * rep_way_N(d)) {
        rep_turned(d, true, out); /* it had been down, and is held again */
        return;
    }
    if (d->held && !again && !rep_pushes(d) && !d->exercise->second_foot) rep_begin_at_step(d, &level, since_s);
    if (!hump && !isnan(d->turn_s) && rep_turned(d, true, out)) return; /* what is held now is the next one */
    may_sink(d, &level, since_s, tolerance);
    if (rep_bridges(d) || !again) leave_hold(d);
    /* Hips that rise slowly and evenly press like hips that are held: without a dip, only a push against a fixed
     * bar is known to stand still. */
    bool keep = again || (d->exercise->second_foot && !isnan(d->top_s));
    if (!keep)
        d->top_s = braked || rep_fixed(d)
                       ? rep_settled_s(d, since_s, &level, fmax(tolerance, SETTLED_PART * (level.mean_N - d->rest.mean_N)))
                       : NAN;
    d->held_most_N = again ? fmax(d->held_most_N, level.mean_N) : level.mean_N;
    if (hump || (higher && d->plateau)) d->turn_s = NAN; /* the first was the drive's hump, and the dip after it no turn */
    d->plateau = !again && !braked;
    if (!again) d->hold_from_s = since_s;
    d->again_s = since_s;
    if (!again)
        d->first_descent_s = NAN;
    else if (isnan(d->first_descent_s) && !rep_bridges(d))
        d->first_descent_s = d->descent_s;
    if (flew) rep_fetch_push(d);
    d->hold = level;
    d->held = true;
    d->descent_s = d->leave_s = NAN;
    rep_observe_from(d, level.mean_N);
    rep_set_phase(d, PLATE_HOLD, out);
}

/* Where the force left the held level, found again backwards: the last mean within a quarter of what it left by. */
static double find_descent(const struct plate_rep_detector *d, double leave_N)
{
    uint64_t i = rep_block_from(d, d->leave_s), oldest = rep_oldest_block(d);
    double from_s = isnan(d->top_s) ? d->onset_s : d->top_s;
    while (i > oldest + 1 && rep_block_at(d, i)->t_s > from_s &&
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

/* The means over `n` blocks before that one are on the level of the hold, so many in a row. */
static bool on_level(const struct plate_rep_detector *d, uint64_t to, uint64_t n, unsigned in_a_row, double even_N)
{
    for (unsigned k = 0; k < in_a_row; k++, to -= n)
        if (fabs(rep_running_mean_N(d, to - 1, n) - d->hold.mean_N) > even_N) return false;
    return true;
}

/* In means over so many blocks, and within so much, is a force on the level of the hold. */
static uint64_t rings(const struct plate_rep_detector *d, double *ret_even_N)
{
    double least_N = LEAVE_PART * d->hold.mean_N;
    *ret_even_N = fmax(rep_evenness_N(d, d->hold.mean_N - d->rest.mean_N), least_N);
    return (uint64_t)fmax(1, floor(RINGS_S / (d->block_n * d->period_s) + 0.5));
}

static uint64_t before_kick(const struct plate_rep_detector *d)
{
    uint64_t back = (uint64_t)fmax(4, floor(KICK_S / (d->block_n * d->period_s) + 0.5));
    return d->blocks > back ? d->blocks - back : 0;
}

bool rep_held_lately(const struct plate_rep_detector *d)
{
    if (!d->held || !rep_moves(d) || d->phase == PLATE_HOLD || d->exercise->second_foot) return false;
    double even_N;
    uint64_t n = rings(d, &even_N), from = before_kick(d);
    return rep_oldest_block(d) + BEFORE * n + 1 <= from && rep_block_at(d, from)->t_s >= d->hold_from_s &&
           on_level(d, from, n, BEFORE, even_N);
}

bool rep_kicked(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    double even_N, most_N = 0;
    if (!rep_held_lately(d)) return false;
    uint64_t n = rings(d, &even_N);
    if (!on_level(d, d->blocks, n, AFTER, even_N)) return false;
    for (uint64_t i = before_kick(d); i < d->blocks; i++)
        most_N = fmax(most_N, fabs(rep_block_at(d, i)->force_N - d->hold.mean_N));
    if (most_N < KICK_PART * (d->hold.mean_N - d->rest.mean_N)) return false;
    d->descent_s = d->leave_s = d->turn_s = d->below_s = d->touch_s = NAN;
    rep_observe_from(d, d->hold.mean_N);
    rep_set_phase(d, PLATE_HOLD, out);
    return true;
}

/* It seems to be on again: if it had been left for a turn, the path says so once the hips are held. */
static bool on_again(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    if (isnan(d->first_descent_s)) return false;
    struct level level;
    double since_s, tolerance_N = rep_evenness_N(d, d->hold.mean_N - d->rest.mean_N);
    return rep_flat(d, HOLD_S, TREMOR_S, d->again_s, tolerance_N, &level, &since_s) &&
           rep_turned_between(d, &level, since_s, out);
}

void rep_follow_hold(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    if (d->phase != PLATE_HOLD) {
        find_hold(d, out);
        return;
    }
    if (rep_lasted(d, t_s, d->again_s, AGAIN_S)) d->first_descent_s = NAN;
    if (on_again(d, out)) return;
    double off = d->smooth_N - d->hold.mean_N, k = d->block_n * d->period_s / HOLD_FOLLOW_S;
    double leave_N = rep_at_least(1.5, (rep_pushes(d) ? PUSH_LEAVE_PART : LEAVE_PART) * d->hold.mean_N);
    leave_N = rep_at_least(rep_at_least(leave_N, 3 * d->rest_spread_N), LEAVE_SD * d->hold.sd_N);
    if (fabs(off) <= leave_N) {
        double mean_off = rep_last_block(d)->force_N - d->hold.mean_N;
        d->leave_s = NAN;
        if (fabs(off) > leave_N / 2) return;
        d->hold.mean_N += fmin(1, k) * mean_off;
        d->hold.sd_N =
            sqrt(fmax(0, d->hold.sd_N * d->hold.sd_N + fmin(1, 2 * k) * (mean_off * mean_off - d->hold.sd_N * d->hold.sd_N)));
        rep_observe_from(d, d->hold.mean_N);
        d->held_most_N = fmax(d->held_most_N, d->hold.mean_N);
        if (rep_moves(d) && d->hold.mean_N < d->held_most_N - fmax(3, CREEP_PART * rep_way_N(d))) sink(d, out);
        return;
    }
    if (isnan(d->leave_s)) d->leave_s = t_s;
    if (!rep_lasted(d, t_s, d->leave_s, LEAVE_S)) return;
    d->descent_s = find_descent(d, leave_N);
    rep_set_phase(d, off < 0 ? PLATE_LOWER : PLATE_DRIVE, out);
}

/* The hold was left where the force began to fall short of what held the hips just before: slow lowering takes the followed
 * level along. */
double rep_left_hold_s(const struct plate_rep_detector *d, double *ret_level_N)
{
    *ret_level_N = d->hold.mean_N;
    double from_s = fmax(isnan(d->top_s) ? d->hold_from_s : d->top_s, d->descent_s - LEFT_S);
    uint64_t from = rep_block_from(d, from_s), half = rep_block_from(d, 0.5 * (from_s + d->descent_s)),
             i = rep_block_from(d, d->descent_s);
    double sum = 0, sum2 = 0, n = (double)(half - from);
    if (half < from + 3 || i <= half) return d->descent_s;
    for (uint64_t k = from; k < half; k++) {
        double off = rep_block_at(d, k)->force_N - d->hold.mean_N;
        sum += off, sum2 += off * off;
    }
    double level_N = d->hold.mean_N + sum / n, sd_N = sqrt(fmax(0, sum2 / n - sum / n * (sum / n)));
    *ret_level_N = level_N;
    double least_N = level_N - fmax(LEFT_SD * sd_N, LEFT_PART * rep_way_N(d)), below = 0, most = 0;
    uint64_t left = i;
    while (i-- > half) {
        below += least_N - rep_block_at(d, i)->force_N;
        if (below > most) most = below, left = i;
    }
    return rep_block_at(d, left)->t_s;
}

/* Who pushes tires, gives way for a moment and pushes on: he lets go where the force last was as high as at any time shortly
 * before, and there it leaves its mean. */
double rep_let_go_s(const struct plate_rep_detector *d, double end_s)
{
    double low_N = 0.5 * (d->rest.mean_N + d->hold.mean_N), leave_N = PUSH_LEAVE_PART * d->hold.mean_N;
    uint64_t i = rep_block_from(d, end_s), from = rep_block_from(d, d->hold_from_s), before = i;
    if (i >= d->blocks) i = d->blocks - 1;
    while (i > from && rep_block_at(d, i)->force_N < low_N) i--;
    for (; i > from; i--) {
        double most_N = 0;
        before = rep_block_from(d, fmax(rep_block_at(d, i)->t_s - LET_GO_S, d->hold_from_s));
        for (uint64_t k = before; k < i; k++) most_N = fmax(most_N, rep_block_at(d, k)->force_N);
        if (most_N < rep_block_at(d, i)->force_N + leave_N) break;
    }
    double level_N = i > before ? rep_running_mean_N(d, i, i - before) : rep_block_at(d, i)->force_N;
    while (i > before && rep_block_at(d, i)->force_N < level_N - leave_N / 4) i--;
    return rep_block_at(d, i)->t_s;
}

bool rep_left_evenly(const struct plate_rep_detector *d, double level_N)
{
    double mean_N = level_N, k = fmin(1, rep_last_block(d)->dt_s / EVEN_SMOOTH_S);
    for (uint64_t i = rep_block_from(d, d->descent_s); i < d->blocks; i++) {
        const struct block *b = rep_block_at(d, i);
        if (rep_lasted(d, b->t_s, d->descent_s, EVEN_S)) return true;
        mean_N += k * (b->force_N - mean_N);
        if (mean_N < level_N - EVEN_PART * rep_way_N(d)) return false;
    }
    return false;
}
