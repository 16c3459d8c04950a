#include <math.h>

#include "rep_up.h"

/* A drive is a hump of the force and the dip of its braking, and a person drives alike again and again. What was taken for one
 * rep, and in which a drive comes again, is as many as there are drives. docs/detector.md gives the reason of each threshold.
 */
#define DRIVES_STEP_S 0.02 /* compared are means over this time */
#define DRIVES_REST_S 0.25 /* the rise from rest and the fall to it take so long, roughly */
#define DRIVES_LONG 1.3    /* times the usual length, or it is one */
#define DRIVES_LEAST_S 1.0 /* no hips are driven up again sooner; ... */
#define DRIVES_G 0.3       /* ... nor does anybody drive and brake them harder all the while, up the usual way and down again */
#define DRIVES_EVEN 2.2    /* the longest takes no more than so many times as long as the shortest */
#define DRIVE_HUMP_S 0.6   /* a drive presses most within so long of when it begins to do so, ... */
#define DRIVE_DIP_S 0.8    /* ... and, once it does not, least within so long. It is over ... */
#define DRIVE_OVER 0.5     /* ... when the force is back from the dip by half */
#define DRIVE_PER_S 1.0    /* it makes hips so fast, in usual ways a second, ... */
#define DRIVE_BRAKED 0.5   /* ... and takes this part of that from them again */
#define DRIVES_ALIKE 0.87  /* the same again: their correlation ... */
#define DRIVES_STRONGER 1.62 /* ... and so many times as strong, or as weak, at most */
enum { DRIVES_STEPS = 512, DRIVE_LEAST_STEPS = 8 };

/* The force off its mean between the first and the last time that it is above it: of hips that come from a standstill and go to
 * one, the mean is what holds them. */
struct pressed {
    double off_N[DRIVES_STEPS], step_s, mean_N;
    unsigned from, n; /* the first of them is so many steps after the onset */
};

static double mean_of(const double *v, unsigned from, unsigned to)
{
    double sum = 0;
    for (unsigned i = from; i < to; i++) sum += v[i];
    return sum / (to - from);
}

static bool look_at(const struct plate_rep_detector *d, double onset_s, double end_s, struct pressed *ret)
{
    double force_N[DRIVES_STEPS], length_s = end_s - onset_s;
    ret->step_s = fmax(fmax(DRIVES_STEP_S, d->block_n * d->period_s), length_s / DRIVES_STEPS);
    unsigned n = rep_sample_force(d, onset_s, ret->step_s, (unsigned)(length_s / ret->step_s), force_N);
    unsigned rest = (unsigned)ceil(DRIVES_REST_S / ret->step_s), from = rest, to = n > rest ? n - rest : 0;
    for (int k = 0; k < 4; k++) {
        if (to < from + DRIVE_LEAST_STEPS) return false;
        ret->mean_N = mean_of(force_N, from, to);
        for (from = 0; from < n && force_N[from] <= ret->mean_N;) from++;
        for (to = n; to > from && force_N[to - 1] <= ret->mean_N;) to--;
    }
    if (to < from + DRIVE_LEAST_STEPS || !(ret->mean_N > 0)) return false;
    ret->from = from, ret->n = to - from;
    for (unsigned i = 0; i < ret->n; i++) ret->off_N[i] = force_N[from + i] - ret->mean_N;
    return true;
}

/* How many steps the drive takes that begins there; 0: it is none. */
static unsigned drive_at(const struct pressed *p, unsigned at, double travel_m)
{
    const double *v = p->off_N;
    unsigned high = at, low, i, hump = at + (unsigned)(DRIVE_HUMP_S / p->step_s), dip;
    for (i = at; i < p->n && i <= hump; i++)
        if (v[i] > v[high]) high = i;
    for (i = high; i < p->n && v[i] >= 0;) i++;
    dip = i + (unsigned)(DRIVE_DIP_S / p->step_s);
    for (low = i; i < p->n && i <= dip; i++)
        if (v[i] < v[low]) low = i;
    for (i = low; i < p->n && v[i] <= DRIVE_OVER * v[low];) i++;
    if (i >= p->n || i < at + DRIVE_LEAST_STEPS) return 0;
    double m_per_s = 0, fastest = 0, slowest = 0; /* before, and after that */
    for (unsigned k = at; k < i; k++) {
        m_per_s += p->step_s * GRAVITY * v[k] / p->mean_N;
        slowest = fmin(slowest, m_per_s);
        if (m_per_s > fastest) fastest = slowest = m_per_s;
    }
    return fastest >= DRIVE_PER_S * travel_m && fastest - slowest >= DRIVE_BRAKED * fastest ? i - at : 0;
}

/* How alike are two of `n` steps: their correlation about what holds the hips, 0 if one is much stronger. */
static double alike(const double *a, const double *b, unsigned n)
{
    double aa = 0, ab = 0, bb = 0;
    for (unsigned i = 0; i < n; i++) aa += a[i] * a[i], ab += a[i] * b[i], bb += b[i] * b[i];
    double times = ab / aa;
    return times > 1 / DRIVES_STRONGER && times < DRIVES_STRONGER ? ab / sqrt(aa * bb) : 0;
}

/* When it is driven, if all drives are like the one there: `apart` from each other, the most alike first, and when it begins.
 * In the order of time; 1: nowhere else. */
static unsigned as_there(const struct pressed *p, unsigned there, unsigned drive, unsigned apart, unsigned *ret_at)
{
    double c[DRIVES_STEPS];
    unsigned n = 1;
    for (unsigned at = 0; at < p->n; at++)
        c[at] = at + drive <= p->n && at + apart <= p->n ? alike(p->off_N + there, p->off_N + at, drive) : 0;
    for (ret_at[0] = there; n < TWINS;) {
        unsigned best = p->n;
        for (unsigned at = 1; at + 1 < p->n; at++) {
            bool peak = c[at] >= fmax(DRIVES_ALIKE, best < p->n ? c[best] : 0) && c[at] >= c[at - 1] && c[at] >= c[at + 1];
            for (unsigned k = 0; k < n && peak; k++) peak = at >= ret_at[k] + apart || at + apart <= ret_at[k];
            if (peak) best = at;
        }
        if (best == p->n) break;
        unsigned k = n++;
        for (; k > 0 && ret_at[k - 1] > best; k--) ret_at[k] = ret_at[k - 1];
        ret_at[k] = best;
    }
    if (n == 1 || ret_at[0] < apart) {
        ret_at[0] = 0;
    } else if (n < TWINS) { /* nor does anybody drive from rest as from a turn */
        for (unsigned k = n++; k > 0; k--) ret_at[k] = ret_at[k - 1];
        ret_at[0] = 0;
    }
    return n;
}

static bool even(const struct pressed *p, const unsigned *at, unsigned n)
{
    unsigned longest = 0, shortest = p->n;
    for (unsigned i = 0; i < n; i++) {
        unsigned one = (i + 1 < n ? at[i + 1] : p->n) - at[i];
        if (one > longest) longest = one;
        if (one < shortest) shortest = one;
    }
    return longest <= DRIVES_EVEN * shortest;
}

unsigned rep_drives(const struct plate_rep_detector *d, double onset_s, double end_s, double *ret_turn_s)
{
    struct pressed p;
    double travel_m = d->exercise->travel_m, one_s = fmax(DRIVES_LEAST_S, 4 * sqrt(travel_m / (DRIVES_G * GRAVITY)));
    double least_s = fmax(2 * one_s, d->steps > 0 ? DRIVES_LONG * d->usual_s : 0);
    if (!rep_moves(d) || d->exercise->second_foot || end_s - onset_s < least_s || !look_at(d, onset_s, end_s, &p)) return 0;
    unsigned most = 1, apart = (unsigned)ceil(one_s / p.step_s);
    for (unsigned there = 0; there + apart <= p.n; there++) {
        unsigned at[TWINS],
            drive = p.off_N[there] > 0 && (there == 0 || p.off_N[there - 1] <= 0) ? drive_at(&p, there, travel_m) : 0;
        unsigned n = drive > 0 ? as_there(&p, there, drive, apart, at) : 1;
        if (n <= most || !even(&p, at, n)) continue;
        most = n;
        for (unsigned i = 1; i < n; i++) ret_turn_s[i - 1] = onset_s + (p.from + at[i]) * p.step_s;
    }
    return most - 1;
}
