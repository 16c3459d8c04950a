#include <math.h>

#include "rep_up.h"

/* What was taken for one rep may be two, or more: its force does the same again and again. docs/detector.md gives the reason of
 * each threshold. */
#define TWINS_LONG 1.4  /* times what one usually takes: it may be two, ... */
#define TWIN_LEAST 0.6  /* ... each of which takes no less ... */
#define TWIN_MOST 1.5   /* ... and no more, ... */
#define TWINS_ALIKE 0.6 /* ... if the force after the turn is so like the force after the onset */
#define TWINS_SWING 0.6 /* ... and it swings by so much of what it usually does: a slow one does not */
#define STRICT_LONG 1.6 /* the same where the hips were held, or fewer than two reps are known */
#define STRICT_ALIKE 0.7
#define STRICT_HELD_S 0.3  /* ... for so long */
#define PERIOD_LEAST_S 1.6 /* nobody knows how long one takes: no hips go up and down again in less, ... */
#define PERIOD_MOST 0.56   /* ... and two of them take twice as long as one */
#define TWIN_BEGINS_S 0.3  /* the first may come from rest, ... */
#define TWIN_ENDS_S 0.2    /* ... and the last go there: that is not compared, ... */
#define TWIN_OVERLAP_S 0.5 /* ... and so much is left of the second at least */
#define TWIN_STEP_S 0.02
enum { TWIN_STEPS = 512 };

unsigned rep_sample_force(const struct plate_rep_detector *d, double from_s, double step_s, unsigned n, double *ret_N)
{
    uint64_t i = rep_block_from(d, from_s);
    for (unsigned k = 0; k < n; k++) {
        uint64_t first = i;
        while (i < d->blocks && rep_block_at(d, i)->t_s < from_s + (k + 1) * step_s - d->period_s / 2) i++;
        if (i > first)
            ret_N[k] = rep_running_mean_N(d, i - 1, i - first);
        else if (k > 0 && i < d->blocks)
            ret_N[k] = ret_N[k - 1]; /* a hole */
        else
            return k;
    }
    return n;
}

/* How alike is what is `lag` steps later, its level included? 1: the same. */
static double likeness(const double *v, unsigned n, unsigned lag)
{
    double x = 0, y = 0, xx = 0, yy = 0, apart = 0, m = n - lag;
    for (unsigned i = 0; i + lag < n; i++) {
        double a = v[i] - v[0], b = v[i + lag] - v[0];
        x += a, y += b, xx += a * a, yy += b * b, apart += (a - b) * (a - b);
    }
    double own = xx - x * x / m + yy - y * y / m;
    return own > 0 ? 1 - apart / own : -1;
}

static double spread(const double *v, unsigned n)
{
    double sum = 0, sum2 = 0;
    for (unsigned i = 0; i < n; i++) sum += v[i] - v[0], sum2 += (v[i] - v[0]) * (v[i] - v[0]);
    return n > 0 ? sqrt(fmax(0, sum2 / n - sum / n * (sum / n))) : 0;
}

/* By how much a force that repeats so moves the hips up and down: what of it goes with its period, added up twice. */
static double moves_m(const double *v, unsigned n, unsigned period, double step_s)
{
    unsigned whole = n / period * period;
    double mean_N = 0, c = 0, s = 0, w = 2 * M_PI / period;
    for (unsigned i = 0; i < whole; i++) mean_N += v[i] / whole, c += v[i] * cos(w * i) / whole, s += v[i] * sin(w * i) / whole;
    return mean_N > 0 ? 4 * hypot(c, s) / mean_N * GRAVITY * step_s * step_s / (w * w) : 0;
}

/* It is as long as two usually are: the steps after which it is most alike, 0: none. */
static unsigned by_length(const double *v, unsigned n, double step_s, double length_s, double usual_s, bool strict)
{
    double least_s = TWIN_LEAST * usual_s, most_s = fmin(TWIN_MOST * usual_s, PERIOD_MOST * length_s);
    double alike = strict ? STRICT_ALIKE : TWINS_ALIKE;
    if (strict) least_s = fmax(least_s, (1 - PERIOD_MOST) * length_s);
    unsigned turn = 0;
    for (unsigned lag = (unsigned)ceil(least_s / step_s); lag * step_s <= most_s && n > lag + TWIN_OVERLAP_S / step_s; lag++) {
        double c = likeness(v, n, lag);
        if (c > alike) alike = c, turn = lag;
    }
    return turn;
}

/* The least steps after which it is alike, with hips that go so far up and down: 0, none. */
static unsigned by_period(const double *v, unsigned n, double step_s, double length_s, double travel_m)
{
    unsigned lag = (unsigned)ceil(PERIOD_LEAST_S / step_s);
    for (double before = 1, c = -1; lag * step_s <= PERIOD_MOST * length_s && n > lag + 1 + TWIN_OVERLAP_S / step_s; lag++) {
        double after = likeness(v, n, lag + 1);
        if (c >= STRICT_ALIKE && c >= before && c >= after && moves_m(v, n, lag, step_s) >= TURN_DEPTH * travel_m) return lag;
        before = c, c = after;
    }
    return 0;
}

/* The force between, but for the ends: so many steps of step_s each. */
static unsigned sample_rep(const struct plate_rep_detector *d, double onset_s, double end_s, double *ret_step_s, double *ret_N)
{
    double length_s = end_s - onset_s, compared_s = fmax(0, length_s - TWIN_BEGINS_S - TWIN_ENDS_S);
    *ret_step_s = fmax(fmax(TWIN_STEP_S, d->block_n * d->period_s), length_s / TWIN_STEPS);
    return rep_sample_force(d, onset_s + TWIN_BEGINS_S, *ret_step_s, (unsigned)(compared_s / *ret_step_s), ret_N);
}

double rep_swing_N(const struct plate_rep_detector *d, double onset_s, double end_s)
{
    double step_s, force_N[TWIN_STEPS];
    return spread(force_N, sample_rep(d, onset_s, end_s, &step_s, force_N));
}

/* When they turned first; NaN: it is one. */
static double turned_s(const struct plate_rep_detector *d, double onset_s, double end_s, double held_s)
{
    if (!rep_moves(d) || d->exercise->second_foot) return NAN;
    bool held = held_s > STRICT_HELD_S, unknown = d->steps < 2, strict = held || unknown;
    double length_s = end_s - onset_s, step_s, force_N[TWIN_STEPS];
    bool two_long = d->steps > 0 && length_s >= (strict ? STRICT_LONG : TWINS_LONG) * d->usual_s;
    bool look = unknown && !held && length_s * PERIOD_MOST >= PERIOD_LEAST_S;
    if (!two_long && !look) return NAN;
    unsigned n = sample_rep(d, onset_s, end_s, &step_s, force_N);
    if (two_long && spread(force_N, n) < TWINS_SWING * d->usual_swing_N) return NAN;
    unsigned lag = two_long ? by_length(force_N, n, step_s, length_s, d->usual_s, strict) : 0;
    if (lag == 0 && look) lag = by_period(force_N, n, step_s, length_s, d->exercise->travel_m);
    return lag > 0 ? onset_s + lag * step_s : NAN;
}

unsigned rep_twins(const struct plate_rep_detector *d, double onset_s, double end_s, double held_s, double *ret_turn_s)
{
    unsigned n = 0;
    for (double from_s = onset_s; n + 1 < TWINS; from_s = ret_turn_s[n++]) {
        ret_turn_s[n] = turned_s(d, from_s, end_s, held_s);
        if (isnan(ret_turn_s[n])) break;
    }
    double usual_s = d->steps > 0 ? d->usual_s : n > 0 ? ret_turn_s[0] - onset_s : 0;
    return n > 0 && end_s - ret_turn_s[n - 1] <= TWIN_MOST * usual_s ? n : 0;
}
