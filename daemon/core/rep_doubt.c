#include <math.h>
#include <string.h>

#include "rep_up.h"

/* Is it a repetition? What may be one and may be none waits for a second like it: hips bear the same load every time.
 * docs/detector.md gives the reason of each threshold. */
#define LIFT_MIN_N 30.0   /* hips carry a fifth of the body's weight at least, a foot at rest a seventh at most */
#define FIRST_RATIO 0.25  /* of the usual step: less is nothing; in pushes, whose effort no load fixes, doubtful */
#define ABRUPT_RISE_S 0.5 /* on an empty plate: what comes and goes faster than hips can is a foot, or a thing */
#define ABRUPT_FALL_S 0.4
#define LOADED_RATIO 1.3    /* generic: on top of such a load, a push is no less than this times it */
#define QUICK_S 1.2         /* up and down in so short a time: ... */
#define CARRIED_PART 0.7    /* ... while the force is up by this part of the step the hips rise, ... */
#define LIFT_PART 0.17      /* ... by this part of their usual way at least; without a hold ... */
#define QUICK_DIP 0.1       /* ... it is higher on both sides of the top, by this part of the step, ... */
#define TAP_UNDER 0.25      /* ... and does not fall below rest by this part after it: a foot that is lifted */
#define HUMP_S 2.0          /* one hump from rest, without a hold, in so short a time, is doubtful, ... */
#define HUMP_LIFT_PART 0.5  /* ... if it lifts them by less than this part of their usual way */
#define RINGS_PART 0.25     /* of the step: the mean of a push is higher over rest, that of a plate that rings is not */
#define FEET_LEAST 0.03     /* of the weight: feet before a seat press more */
#define STOOD_UP_S 1.0      /* nobody leans so evenly for so long */
#define FELL_BACK_PART 0.85 /* of what he stood with: he has not left the seat */
#define GIVEN_PART 0.5      /* the other foot gave so much of what this one took: the weight went over, nobody pushed */
/* doubtful: its size */
#define KNOWN_PART 0.65  /* of the usual step: the load fixes the force of the hold, so that less is odd, ... */
#define SECOND_PART 0.5  /* ... or than this while fewer than 3 reps are known */
#define USUAL_PART 0.1   /* so near to the usual step, or force, it need not have risen like hips */
#define OTHER_PART 0.6   /* of the other leg's step: it bears the same load */
#define PASSES_S 1.0     /* from an empty plate to an empty plate so fast: a step, ... */
#define PASSES_PART 0.25 /* ... if a push usually takes so much longer */
#define FOOT_PART 0.6    /* of what the foot presses at rest: hips add more */
#define ODD_LEAST_S 0.8  /* shorter, it is nothing */
#define BRIEF_PART 0.3   /* generic, pushes: and so much shorter than usual */
#define RESTED_PART 1.4  /* ... or, from an empty plate, no more than so many times what the foot pressed between them */
/* ... its shape */
#define REST_PART 0.25  /* of the step: the first rep begins at rest */
#define BEGUN_S 0.3     /* ... no longer before its onset, which noise delays */
#define LEAN_RISE_S 0.2 /* a force that takes so long to what lifts the hips off, ... */
#define LEAN_MOST_S 1.5 /* ... but not so long, as loads in steps do, ... */
#define LEAN_PART 0.9   /* ... and then half the way further in less than this part of that time, was no hips' */
#define OVER_S 0.6      /* ... unless it is driven: above its level so soon, ... */
#define UNDER_S 0.7     /* ... and below it so soon after, ... */
#define DRIVEN_OVER 0.1 /* ... by these parts of the step */
#define BRAKED_UNDER 0.1
#define SWING_S 2.6      /* hips that swing freely about the height at which a force holds them: up and down again in less */
#define PUT_SWING 0.8    /* abrupt, and would let the hips swing by so much of their way: a thing, put down and taken up */
#define BRAKED_SWING 0.5 /* by less: hips */
#define PUT_EVEN 0.03    /* ... if noise lets it be seen */
#define ON_LEVEL_S 0.3   /* so long near the level of the hold: on it */
#define MEAN_S 0.04      /* levels are looked for in means over this: 20 N of white noise at 250 Hz come down to 6 */
#define SET_RISE_S 0.16  /* what comes to its level from an empty plate so fast, ... */
#define SET_FALL_S 0.22  /* ... leaves it so fast, ... */
#define SET_EVEN 0.02    /* ... and stays there so evenly, of its step, was put there */
#define SWAY_PART 0.35   /* of the way: a turn that sinks by less is swaying, if no rep is sure */
/* from an empty plate to an empty plate, and nothing pushed from there before: a step, if the foot rests there next */
#define STEP_MOST_S 4.0  /* who steps over the plate stands on it no longer, ... */
#define STEP_EVEN 0.03   /* ... and as evenly, of its step */
#define STEP_WAITS_S 3.0 /* the plate stays empty for so long after: a push */
/* a second one like it: */
#define LIKE_PART 0.12  /* held by the same force within this part of the step, */
#define LIKE_REST 0.3   /* its rest within this part of the step, */
#define LIKE_LENGTH 0.7 /* no longer or shorter by more than this part, */
#define LIKE_S 15.0     /* begun so soon after the first; */
#define LIKE_TURNED 0.4 /* forces and lengths more alike by this, if it did not begin at rest */

static double least_step_N(const struct plate_rep_detector *d) { return rep_moves(d) ? LIFT_MIN_N : MIN_STEP_N; }

double rep_smallest_step_N(const struct plate_rep_detector *d)
{
    bool one = d->exercise->family == FAMILY_GENERIC && d->steps < 2; /* which may have been none */
    double least_N = fmax(least_step_N(d), one ? 0 : FIRST_RATIO * rep_usual_step_N(d));
    return fmax(least_N, 1.5 * rep_decision_band_N(d));
}

/* ---- how it rose and fell ---- */

/* Noise apart. */
static double mean_until(const struct plate_rep_detector *d, uint64_t i)
{
    uint64_t kept = i - rep_oldest_block(d), n = (uint64_t)fmax(1, floor(MEAN_S / rep_last_block(d)->dt_s + 0.5));
    return kept < n ? rep_block_at(d, i)->force_N : rep_running_mean_N(d, i, n);
}

/* The first block since `from` at or above this force; the last, if none is. */
static uint64_t first_above(const struct plate_rep_detector *d, uint64_t from, double force_N)
{
    while (from + 1 < d->blocks && mean_until(d, from) < force_N) from++;
    return from;
}

/* The first block and the last until `end_s` with the force up by 80 % of the step. */
static void find_upper(const struct plate_rep_detector *d, double end_s, double step_N, uint64_t *ret_first, uint64_t *ret_last)
{
    double high_N = d->rest.mean_N + 0.8 * step_N;
    uint64_t first = first_above(d, rep_block_from(d, d->onset_s), high_N), last = rep_block_from(d, end_s);
    if (last >= d->blocks) last = d->blocks - 1;
    while (last > first && rep_block_at(d, last)->force_N < high_N) last--;
    *ret_first = first;
    *ret_last = last;
}

/* Did it come and go faster than hips can? */
static bool abrupt(const struct plate_rep_detector *d, double end_s, double step_N)
{
    uint64_t first, last;
    find_upper(d, end_s, step_N, &first, &last);
    return rep_block_at(d, first)->t_s - d->onset_s < ABRUPT_RISE_S && end_s - rep_block_at(d, last)->t_s < ABRUPT_FALL_S;
}

/* The first time that the force is on the level of the hold and stays. */
static uint64_t hold_begins(const struct plate_rep_detector *d, uint64_t from, double step_N)
{
    double near_N = fmax(0.04 * step_N, 3 * d->hold.sd_N);
    uint64_t first = from;
    for (uint64_t i = from; i < d->blocks; i++) {
        if (fabs(rep_block_at(d, i)->force_N - d->hold.mean_N) > near_N) first = i + 1;
        if (i > first && rep_block_at(d, i)->t_s - rep_block_at(d, first)->t_s > ON_LEVEL_S) return first;
    }
    return rep_block_from(d, d->hold_from_s);
}

/* Lifted by this force, how far would the hips swing about the height at which the hold holds them? In parts of their way. A
 * drive brakes them: nil. A force that goes straight to its level: 1. */
static double swing(const struct plate_rep_detector *d, uint64_t from, uint64_t hold)
{
    double top_N = d->hold.mean_N, low_N = rep_low_part(d) * top_N, support_N = low_N, rate = 0;
    for (uint64_t i = from; i < hold; i++) {
        const struct block *b = rep_block_at(d, i);
        rate += b->dt_s * OBSERVER_W2 * (b->force_N - support_N);
        support_N += b->dt_s * rate;
        if (support_N < low_N) support_N = low_N, rate = fmax(0, rate); /* the floor */
    }
    return hypot(support_N - top_N, rate / sqrt(OBSERVER_W2)) / (top_N - low_N);
}

/* How far would hips have risen that stood still when the force came up, and when it went down again? From standstill to
 * standstill the mean force is the support. */
static double risen_m(const struct plate_rep_detector *d, double end_s, double step_N)
{
    double high_N = d->rest.mean_N + CARRIED_PART * step_N, speed = 0, height_m = 0, most_m = 0;
    uint64_t from = rep_block_from(d, d->onset_s), to = rep_block_from(d, end_s);
    while (from < to && rep_block_at(d, from)->force_N < high_N) from++;
    while (from < to && rep_block_at(d, to - 1)->force_N < high_N) to--;
    if (to < from + 2) return 0;
    double support_N = rep_running_mean_N(d, to - 1, to - from);
    for (uint64_t i = from; i < to; i++) {
        const struct block *b = rep_block_at(d, i);
        speed += b->dt_s * GRAVITY * (b->force_N / support_N - 1);
        height_m += b->dt_s * speed;
        most_m = fmax(most_m, height_m);
    }
    return most_m;
}

/* Did it begin at rest, or at a turn above it? */
static bool from_rest(const struct plate_rep_detector *d, double step_N)
{
    for (uint64_t i = rep_block_from(d, d->onset_s - BEGUN_S); i < d->blocks && rep_block_at(d, i)->t_s <= d->onset_s; i++)
        if (mean_until(d, i) < d->rest.mean_N + REST_PART * step_N) return true;
    return false;
}

/* How uneven was it in the middle of its time? A muscle trembles, a thing lies there; noise is added to both. */
static double uneven_N(const struct plate_rep_detector *d, double end_s, double step_N)
{
    uint64_t first, last;
    find_upper(d, end_s, step_N, &first, &last);
    double level_N = mean_until(d, (first + last) / 2), sum = 0, sum2 = 0;
    uint64_t from = first + (last - first) / 5, to = last - (last - first) / 5;
    for (uint64_t i = from; i < to; i++) {
        double off = mean_until(d, i) - level_N;
        sum += off, sum2 += off * off;
    }
    double n = (double)(to - from);
    return to > from ? sqrt(fmax(0, sum2 / n - sum / n * (sum / n))) : INFINITY;
}

/* Did the force rise above what holds them soon after that block, fall below it, and rise again? Hips are driven, braked, and
 * held, or caught. */
static bool driven_and_braked(const struct plate_rep_detector *d, uint64_t from, double step_N)
{
    double top_N = d->rest.mean_N + step_N, most_N = -INFINITY, least_N = INFINITY, again_N = 0;
    uint64_t i = from, most = from, least = from;
    for (; i < d->blocks && !rep_lasted(d, rep_block_at(d, i)->t_s, rep_block_at(d, from)->t_s, OVER_S); i++)
        if (mean_until(d, i) > most_N) most_N = mean_until(d, i), most = i;
    for (i = most; i < d->blocks && !rep_lasted(d, rep_block_at(d, i)->t_s, rep_block_at(d, most)->t_s, UNDER_S); i++)
        if (mean_until(d, i) < least_N) least_N = mean_until(d, i), least = i;
    for (i = least; i < d->blocks; i++) again_N = fmax(again_N, mean_until(d, i));
    return most_N > top_N + DRIVEN_OVER * step_N && least_N < top_N - BRAKED_UNDER * step_N &&
           again_N > least_N + BRAKED_UNDER * step_N;
}

/* Can hips have risen like this? They leave the floor with three quarters of what holds them at the top, so that the force
 * still grows while they rise; and they are braked before they stand still. */
static bool rose_like_hips(const struct plate_rep_detector *d, double step_N, double end_s)
{
    if (d->exercise->second_foot) return true;                /* the load itself steps up */
    if (rep_bridges(d) && !from_rest(d, step_N)) return true; /* by its path, hips turned */
    double rest_N = d->rest.mean_N, top_N = rest_N + step_N, low_N = fmax(rest_N, rep_low_part(d) * top_N);
    uint64_t from = rep_block_from(d, d->onset_s), begun = first_above(d, from, rest_N + 0.1 * (low_N - rest_N)),
             off = first_above(d, begun, low_N), up = first_above(d, off, 0.5 * (low_N + top_N));
    double rise_s = rep_block_at(d, off)->t_s - rep_block_at(d, begun)->t_s,
           rest_s = rep_block_at(d, up)->t_s - rep_block_at(d, off)->t_s;
    bool leant =
        rise_s > LEAN_RISE_S && rise_s < LEAN_MOST_S && rest_s < LEAN_PART * rise_s && !driven_and_braked(d, off, step_N);
    if (!d->held) return !leant;
    uint64_t hold = hold_begins(d, from, step_N);
    double swings = swing(d, from, hold);
    bool stayed = end_s - d->onset_s > SWING_S || (d->steps == 0 && risen_m(d, end_s, step_N) < LIFT_PART * rep_travel_m(d));
    bool put = d->below_s > 0 && abrupt(d, end_s, step_N) && stayed && swings > PUT_SWING &&
               uneven_N(d, end_s, step_N) < PUT_EVEN * step_N;
    return !put && !leant;
}

/* Did it come to its level as hips do, that are braked before they are held? */
static bool braked(const struct plate_rep_detector *d, double step_N)
{
    uint64_t from = rep_block_from(d, d->onset_s);
    return d->held && swing(d, from, hold_begins(d, from, step_N)) < BRAKED_SWING;
}

/* Is nothing on the plate at this resting level, as far as is known? */
static bool empty(const struct plate_rep_detector *d, double rest_N) { return rest_N < d->lowest_N + FOOT_LEAST_N; }

/* Did the other foot, on a plate of its own, give what this one took? By least squares over the movement. */
static bool went_over(const struct plate_rep_detector *d, double end_s)
{
    const struct rep_history *h = &d->history;
    uint64_t from = rep_history_from(h, d->onset_s), to = rep_history_from(h, end_s), n = 0;
    double own_N = 0, other_N = 0, own2 = 0, both = 0;
    for (uint64_t i = from; i < to; i++) {
        const struct rep_sample *s = rep_history_sample(h, i);
        double own = s->force_N - d->rest.mean_N, other = (double)s->other_N;
        if (isnan(other)) continue;
        n++, own_N += own, other_N += other, own2 += own * own, both += own * other;
    }
    return n > (to - from) / 2 && both - own_N * other_N / (double)n < -GIVEN_PART * (own2 - own_N * own_N / (double)n);
}

/* Was it set on an empty plate and taken off, and even between? */
static bool set_down(const struct plate_rep_detector *d, double end_s, double step_N)
{
    if (!d->foot_down || !empty(d, d->rest.mean_N)) return false;
    uint64_t begun = first_above(d, rep_block_from(d, d->onset_s), d->rest.mean_N + 0.1 * step_N), first, last;
    find_upper(d, end_s, step_N, &first, &last);
    double rise_s = rep_block_at(d, first)->t_s - rep_block_at(d, begun)->t_s, fall_s = end_s - rep_block_at(d, last)->t_s;
    return rise_s <= SET_RISE_S && fall_s <= SET_FALL_S && uneven_N(d, end_s, step_N) < SET_EVEN * step_N;
}

/* Up and down so quickly, hips are thrown and caught: with g (1 - F / S) = (2 pi / 1.2 s)^2 15 cm, the foot bears little over
 * half of them at the top. */
static bool one_hump(const struct plate_rep_detector *d, double end_s, double step_N)
{
    double most_N = -INFINITY, low_N = INFINITY, dip_N = 0;
    for (uint64_t i = rep_block_from(d, d->onset_s), to = rep_block_from(d, end_s); i < to; i++) {
        double force_N = mean_until(d, i);
        low_N = fmin(low_N, force_N);
        dip_N = fmax(dip_N, fmin(force_N, most_N) - low_N);
        if (force_N > most_N) most_N = low_N = force_N;
    }
    return dip_N < QUICK_DIP * step_N;
}

/* Does the foot press less than at rest when it is over? It was lifted before and after a tap. */
static bool lifted(const struct plate_rep_detector *d, double end_s, double step_N)
{
    double low_N = INFINITY;
    for (uint64_t i = rep_block_from(d, end_s); i < d->blocks; i++) low_N = fmin(low_N, rep_block_at(d, i)->force_N);
    return low_N < d->rest.mean_N - fmax(TAP_UNDER * step_N, rep_decision_band_N(d));
}

/* Did he who sits only lean on his feet? He did not rise. */
static bool leant(const struct plate_rep_detector *d, double end_s)
{
    return d->exercise->family == FAMILY_SEAT && !rep_stood_up(d, end_s);
}

/* Was it held as long as one stands? */
static bool held_long(const struct plate_rep_detector *d, double end_s)
{
    return d->held && rep_lasted(d, fmin(d->descent_s, end_s), d->hold_from_s, STOOD_UP_S);
}

/* ---- the verdict ---- */

/* How far is it from a to the nearest that is between b and c? */
static double apart(double a, double b, double c) { return fmax(0, fmax(b - a, a - c)); }

bool rep_is_small(const struct plate_rep_detector *d, double step_N)
{
    double usual_N = rep_usual_step_N(d), foot_N = d->rest.mean_N - d->lowest_N;
    double part = rep_fixed(d) ? FIRST_RATIO : d->steps < 3 ? SECOND_PART : KNOWN_PART;
    if (usual_N > 0 || !rep_moves(d)) return step_N < part * usual_N;
    return step_N < OTHER_PART * d->other_step_N || (foot_N > FOOT_LEAST_N && step_N < FOOT_PART * foot_N);
}

static bool odd(const struct plate_rep_detector *d, double step_N, double top_most_N, double end_s)
{
    double usual_N = rep_usual_step_N(d);
    if (rep_is_small(d, step_N)) return true;
    if (rep_fixed(d) && d->steps > 0) {
        if (step_N < KNOWN_PART * usual_N && end_s - d->onset_s < BRIEF_PART * d->usual_s) return true;
        if (d->foot_down && !empty(d, d->known_rest_N) && top_most_N < RESTED_PART * d->known_rest_N) return true;
    }
    if (rep_pushes(d)) /* a step over the plate */
        return d->foot_down && empty(d, d->rest.mean_N) && end_s - d->onset_s < fmin(PASSES_S, PASSES_PART * d->usual_s);
    if (usual_N <= 0 && !held_long(d, end_s) && leant(d, end_s)) return true;
    if (!rep_moves(d)) return (usual_N <= 0 || step_N > usual_N / KNOWN_PART) && set_down(d, end_s, step_N);
    double off_N =
        fmin(apart(usual_N, step_N, top_most_N - d->rest.mean_N), apart(d->known_N, d->rest.mean_N + step_N, top_most_N));
    if (off_N < USUAL_PART * usual_N) return false;
    if (usual_N <= 0) {
        bool turned = d->onset_s - d->unseen_end_s < BEGUN_S; /* from one whose beginning is not known */
        if (!turned && !from_rest(d, step_N)) return true;
    }
    return !rose_like_hips(d, step_N, end_s);
}

/* Somebody may have stepped over the plate: he comes and goes fast, and stands as still as nobody pushes. */
static bool may_step(const struct plate_rep_detector *d, double end_s, double step_N)
{
    bool before = d->steps > 0 && empty(d, d->known_rest_N);
    return rep_fixed(d) && d->foot_down && empty(d, d->rest.mean_N) && !before && step_N > FOOT_MOST_N &&
           end_s - d->onset_s < STEP_MOST_S && abrupt(d, end_s, step_N) &&
           uneven_N(d, end_s, step_N) < fmax(STEP_EVEN * step_N, rep_noise_N(d));
}

enum verdict rep_verdict(const struct plate_rep_detector *d, double end_s)
{
    double top_most, top = rep_whole_top_N(d, end_s, &top_most), step = top - d->rest.mean_N, length_s = end_s - d->onset_s;
    if (d->peak_N - d->rest.mean_N < rep_smallest_step_N(d) || step < least_step_N(d)) return VERDICT_NONE;
    if (length_s < d->exercise->least_s) return VERDICT_NONE;
    if (!rep_moves(d) && rep_mean_N(d, end_s) < d->rest.mean_N + RINGS_PART * step) return VERDICT_NONE;
    if (d->exercise->family == FAMILY_SEAT && (top < SEAT_RATIO * d->rest.mean_N || d->rest.mean_N < FEET_LEAST * top))
        return VERDICT_NONE;
    bool light = d->known_N > 0 && top < FELL_BACK_PART * d->known_N; /* he stood on all of his weight before */
    if ((!d->held || light) && leant(d, end_s)) return VERDICT_NONE;
    if (d->exercise->family == FAMILY_GENERIC && d->rest.mean_N > STANDING_N && top < LOADED_RATIO * d->rest.mean_N)
        return VERDICT_NONE;
    bool usual_top = d->known_N > 0 && fabs(top - d->known_N) < 0.3 * d->known_N;
    bool touched = d->below_s > 0, quick = length_s < QUICK_S;
    bool hump = rep_moves(d) && !d->held && length_s < HUMP_S && from_rest(d, step) && one_hump(d, end_s, step);
    bool stayed_low = hump && risen_m(d, end_s, step) < HUMP_LIFT_PART * rep_travel_m(d);
    if (rep_moves(d) && touched) {
        if (d->foot_down && !usual_top && abrupt(d, end_s, step) && !braked(d, step))
            return !quick && uneven_N(d, end_s, step) > fmax(SET_EVEN * step, rep_noise_N(d)) ? VERDICT_DOUBTFUL : VERDICT_NONE;
        if (!d->held && length_s < SHORT_PART * d->usual_s && !from_rest(d, step)) return VERDICT_NONE;
        if (quick && !d->held && (lifted(d, end_s, step) || one_hump(d, end_s, step))) return VERDICT_NONE;
        bool caught = d->onset_s - fmax(d->last_end_s, d->hump.end_s) < FLIGHT_S && from_rest(d, step); /* it rose before */
        if (quick && !caught && risen_m(d, end_s, step) < LIFT_PART * rep_travel_m(d)) return VERDICT_NONE;
    }
    if (rep_pushes(d) && ((step < FOOT_MOST_N && set_down(d, end_s, step)) || went_over(d, end_s))) return VERDICT_NONE;
    if (!stayed_low && !odd(d, step, top_most, end_s)) return may_step(d, end_s, step) ? VERDICT_STEP : VERDICT_REP;
    return length_s < ODD_LEAST_S ? VERDICT_NONE : VERDICT_DOUBTFUL;
}

bool rep_turns_so_high(const struct plate_rep_detector *d, double end_s, double low_N)
{
    if (rep_bridges(d)) return false; /* a bridge presses alike at every height */
    return low_N > rep_top_N(d) - SWAY_PART * rep_way_N(d) && rep_verdict(d, end_s) == VERDICT_DOUBTFUL;
}

/* ---- what waits ---- */

/* Where one was held and the other not, the other's top is only known within limits. */
static double tops_apart_N(const struct movement *a, const struct movement *b, bool rested)
{
    bool one_held = (a->top_most_N > a->top_N) != (b->top_most_N > b->top_N);
    return rested && one_held ? fmax(a->top_N - b->top_most_N, b->top_N - a->top_most_N) : fabs(a->top_N - b->top_N);
}

bool rep_like_the_doubtful(const struct plate_rep_detector *d, const struct movement *m, double onset_s, double end_s)
{
    const struct movement *was = &d->doubtful;
    if (d->doubts && d->doubts_step) return empty(d, m->rest_N);
    bool rested = from_rest(d, m->step_N);
    double length_s = end_s - onset_s, was_s = was->rep.end_s - was->rep.onset_s, like = rested ? 1 : LIKE_TURNED;
    return d->doubts && onset_s > was->rep.end_s - d->period_s && onset_s - was->rep.end_s < LIKE_S &&
           tops_apart_N(m, was, rested) < like * LIKE_PART * was->step_N &&
           fabs(m->rest_N - was->rest_N) < LIKE_REST * was->step_N &&
           (rep_moves(d) || empty(d, m->rest_N) == empty(d, was->rest_N)) && length_s < (1 + like * LIKE_LENGTH) * was_s &&
           was_s < (1 + like * LIKE_LENGTH) * length_s;
}

static void say(struct plate_rep_detector *d, const struct movement *m, struct plate_rep_output *out)
{
    if (m->other_leg) {
        rep_put(d, &m->rep, out);
        return;
    }
    double usual_N = rep_usual_step_N(d), length_s = m->rep.end_s - m->rep.onset_s;
    if (m->step_N < KNOWN_PART * usual_N || m->step_N > usual_N / KNOWN_PART)
        d->steps = 0; /* another load, or those were none */
    bool near = d->known_N > 0 && m->top_N < 1.3 * d->known_N && m->top_N > 0.7 * d->known_N;
    rep_send(d, &m->rep, m->step_N, out);
    d->known_rest_N = m->rest_N;
    d->usual_s = d->usual_s > 0 ? 0.5 * (d->usual_s + length_s) : length_s;
    d->usual_swing_N = d->usual_swing_N > 0 ? 0.5 * (d->usual_swing_N + m->swing_N) : m->swing_N;
    d->known_N = near ? d->known_N + 0.5 * (m->top_N - d->known_N) : m->top_N;
}

void rep_say_next(struct plate_rep_detector *d, const struct movement *m, struct plate_rep_output *out)
{
    if (out && d->dues == 0 && !out->rep_done) {
        say(d, m, out);
    } else if (d->dues < MOST_DUE) { /* never full: one is said a sample, and twins are only looked for with room for them */
        d->due[d->dues++] = *m;
        d->last_end_s = m->rep.end_s;
    }
}

void rep_say_due(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    say(d, &d->due[0], out);
    memmove(d->due, d->due + 1, --d->dues * sizeof *d->due);
}

void rep_weigh(struct plate_rep_detector *d, const struct movement *m, enum verdict verdict, struct plate_rep_output *out)
{
    bool like = rep_like_the_doubtful(d, m, m->rep.onset_s, m->rep.end_s);
    d->doubts = false;
    if (like) rep_say_next(d, &d->doubtful, out);
    if (!like && verdict != VERDICT_REP) {
        d->doubtful = *m;
        d->doubts = true;
        d->doubts_step = verdict == VERDICT_STEP;
    } else {
        rep_say_next(d, m, out);
    }
}

void rep_was_no_step(struct plate_rep_detector *d)
{
    if (!d->doubts || !d->doubts_step) return;
    d->doubts = false;
    rep_say_next(d, &d->doubtful, NULL);
}

void rep_weigh_step(struct plate_rep_detector *d)
{
    if (!d->doubts || !d->doubts_step) return;
    if (!empty(d, d->rest.mean_N))
        d->doubts = false; /* it was one */
    else if (rep_lasted(d, rep_last_block(d)->t_s, d->doubtful.rep.end_s, STEP_WAITS_S))
        rep_was_no_step(d);
}
