#include "rep_measure.h"

#include <math.h>
#include <string.h>

#define RFD_MIN_SAMPLES 8 /* in a window from onset: fewer give no rate (87.5 Hz has 4 in 50 ms) */
#define CLOCK_ERROR 0.02  /* a rate that is short of its name by less does not cost a window its last sample */
#define STEEPEST_S 0.020
#define STEEPEST_MIN 5
#define STEEPEST_ERROR 0.1           /* largest standard error, as a part of the slope */
#define SPREAD_MIN 8                 /* samples under an SD: with 8 its own standard error is a quarter */
#define SURE_HOLD_S 0.2              /* a hold is no shorter: its force is known, where its end is not */
#define SWAY_S 0.05                  /* sway is measured on means over this time: the path of noise grows without end */
#define SWAY_MIN 5                   /* such means under an RMS or an ellipse */
#define ELLIPSE_95 5.991464547107979 /* chi-square, 2 degrees of freedom */
#define TURN_S 0.15                  /* around the touch-down */
#define FLOOR_PART 0.66              /* of the held force: what hips kept just above the floor need at least (statics) */
#define PI 3.14159265358979323846

/* ---- the past ---- */

void rep_history_init(struct rep_history *h, double rate_Hz, double filter_delay_s)
{
    h->n = h->from = h->paired = 0;
    h->hole = false;
    h->period_s = 1 / rate_Hz;
    h->filter_delay_s = filter_delay_s;
}

void rep_history_push(struct rep_history *h, const struct plate_rep_input *in, double decides_N)
{
    h->sample[h->n++ % REP_HISTORY] = (struct rep_sample){in->t_s,
                                                          in->Fz_N,
                                                          (float)decides_N,
                                                          (float)in->Fz_filtered_N,
                                                          (float)in->cop_x_mm,
                                                          (float)in->cop_y_mm,
                                                          in->paired ? (float)in->other_N : NAN,
                                                          h->hole};
    if (in->paired) h->paired = h->n;
    h->hole = false;
}

void rep_history_hole(struct rep_history *h, bool bridged)
{
    h->hole = true;
    if (!bridged) h->from = h->n;
}

uint64_t rep_history_oldest(const struct rep_history *h)
{
    uint64_t kept = h->n > REP_HISTORY ? h->n - REP_HISTORY : 0;
    return kept > h->from ? kept : h->from;
}

uint64_t rep_history_from(const struct rep_history *h, double t_s)
{
    uint64_t lo = rep_history_oldest(h), hi = h->n;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (rep_history_sample(h, mid)->t_s < t_s - h->period_s / 2)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Samples a..b, both included: between two times, each taken to the nearest sample; one in a hole takes none beyond it. */
struct span {
    uint64_t a, b;
};

/* False: a time is not known, or the past does not reach back to it, or nothing lies between. */
static bool span_of(const struct rep_history *h, double from_s, double to_s, struct span *ret)
{
    if (!(to_s > from_s)) return false;
    uint64_t oldest = rep_history_oldest(h), a = rep_history_from(h, from_s), end = rep_history_from(h, to_s + h->period_s);
    if (end <= a) return false;
    if (a == oldest && rep_history_sample(h, a)->t_s > from_s + h->period_s / 2) return false;
    *ret = (struct span){a, end - 1};
    return true;
}

/* ---- force ---- */

struct load {
    double mean_N, impulse_Ns;
};

/* Of samples of which neither end lies in a hole. */
static bool whole_span(const struct rep_history *h, double from_s, double to_s, struct span *ret)
{
    if (!span_of(h, from_s, to_s, ret)) return false;
    double t0 = rep_history_sample(h, ret->a)->t_s, t1 = rep_history_sample(h, ret->b)->t_s;
    return t1 > t0 && fmax(t0 - from_s, to_s - t1) <= h->period_s;
}

/* By the trapezoidal rule, which takes a bridged hole for a straight line. */
static struct load level_over(const struct rep_history *h, double from_s, double to_s)
{
    struct span s;
    if (!whole_span(h, from_s, to_s, &s)) return (struct load){NAN, NAN};
    double area = 0;
    for (uint64_t i = s.a; i < s.b; i++) {
        const struct rep_sample *p = rep_history_sample(h, i), *q = rep_history_sample(h, i + 1);
        area += (p->force_N + q->force_N) / 2 * (q->t_s - p->t_s);
    }
    return (struct load){area / (rep_history_sample(h, s.b)->t_s - rep_history_sample(h, s.a)->t_s), area};
}

/* Of the force about that mean, by the same rule. */
static double sd_over(const struct rep_history *h, double from_s, double to_s, double mean_N)
{
    struct span s;
    if (!whole_span(h, from_s, to_s, &s)) return NAN;
    double squares = 0, n = (double)(s.b - s.a + 1);
    if (n < SPREAD_MIN) return NAN;
    for (uint64_t i = s.a; i < s.b; i++) {
        const struct rep_sample *p = rep_history_sample(h, i), *q = rep_history_sample(h, i + 1);
        double e = p->force_N - mean_N, f = q->force_N - mean_N;
        squares += (e * e + f * f) / 2 * (q->t_s - p->t_s);
    }
    return sqrt(squares / (rep_history_sample(h, s.b)->t_s - rep_history_sample(h, s.a)->t_s) * n / (n - 1));
}

/* This foot's part of the load of both, by the same rule; NaN unless the other plate speaks for most of the time. */
static double share_over_pct(const struct rep_history *h, double from_s, double to_s)
{
    struct span s;
    if (!span_of(h, from_s, to_s, &s) || s.a >= h->paired) return NAN;
    double own = 0, other = 0, known_s = 0;
    for (uint64_t i = s.a; i < s.b; i++) {
        const struct rep_sample *p = rep_history_sample(h, i), *q = rep_history_sample(h, i + 1);
        if (isnan(p->other_N) || isnan(q->other_N)) continue;
        own += (p->force_N + q->force_N) / 2 * (q->t_s - p->t_s);
        other += ((double)p->other_N + (double)q->other_N) / 2 * (q->t_s - p->t_s);
        known_s += q->t_s - p->t_s;
    }
    return known_s > (to_s - from_s) / 2 && own + other > 0 ? 100 * own / (own + other) : NAN;
}

/* Largest and smallest filtered force between two times; the filter's output is late by its delay. */
struct extremes {
    double most_N, most_s, least_N;
};

static struct extremes extremes_over(const struct rep_history *h, double from_s, double to_s)
{
    struct extremes e = {NAN, NAN, NAN};
    struct span s;
    if (!span_of(h, from_s + h->filter_delay_s, to_s + h->filter_delay_s, &s)) return e;
    for (uint64_t i = s.a; i <= s.b; i++) {
        const struct rep_sample *p = rep_history_sample(h, i);
        double f = (double)p->filtered_N;
        if (isnan(e.most_N) || f > e.most_N) e.most_N = f, e.most_s = p->t_s - h->filter_delay_s;
        if (isnan(e.least_N) || f < e.least_N) e.least_N = f;
    }
    return e;
}

/* ΔF/Δt from onset, the far end interpolated between its two samples. */
static double rfd(const struct rep_history *h, double onset_s, double window_s)
{
    struct span s;
    if (!span_of(h, onset_s, onset_s + window_s, &s)) return NAN;
    const struct rep_sample *first = rep_history_sample(h, s.a);
    double end_s = first->t_s + window_s, slack_s = 1e-6 * h->period_s;
    uint64_t b = s.a + 1;
    while (b < h->n && rep_history_sample(h, b)->t_s < end_s - slack_s) b++;
    if (b >= h->n) return NAN;
    const struct rep_sample *q = rep_history_sample(h, b), *p = rep_history_sample(h, b - 1);
    uint64_t inside = b - s.a - (q->t_s > end_s + CLOCK_ERROR * window_s);
    if (inside < RFD_MIN_SAMPLES || (q->after_hole && q->t_s > end_s + slack_s)) return NAN;
    double u = (end_s - p->t_s) / (q->t_s - p->t_s);
    return (p->force_N + u * (q->force_N - p->force_N) - first->force_N) / window_s;
}

double rep_steepest_N_per_s(const struct rep_history *h, double from_s, double to_s)
{
    struct span s;
    uint64_t n = (uint64_t)fmax(STEEPEST_MIN, floor(STEEPEST_S / h->period_s + 0.5));
    if (!span_of(h, from_s, extremes_over(h, from_s, to_s).most_s, &s) || s.b - s.a + 1 < n) return NAN;
    double centre = ((double)n - 1) / 2, sxx = (double)n * ((double)n * (double)n - 1) / 12;
    double best = 0, best_error = NAN, sy = 0, sxy = 0, syy = 0, base = rep_history_sample(h, s.a)->force_N;
    uint64_t run = s.a; /* the first after a hole: a window does not reach over one */
    for (uint64_t i = s.a; i <= s.b; i++) {
        const struct rep_sample *p = rep_history_sample(h, i);
        double y = p->force_N - base;
        if (p->after_hole && i > s.a) run = i, sy = sxy = syy = 0;
        if (i < run + n) {
            sy += y, sxy += (double)(i - run) * y, syy += y * y;
            if (i + 1 < run + n) continue;
        } else {
            double old = rep_history_sample(h, i - n)->force_N - base;
            sxy += ((double)n - 1) * y - (sy - old);
            sy += y - old, syy += y * y - old * old;
        }
        double step_s = (p->t_s - rep_history_sample(h, i + 1 - n)->t_s) / ((double)n - 1);
        double slope = (sxy - centre * sy) / sxx, rest = syy - sy * sy / (double)n - slope * slope * sxx;
        if (slope / step_s > best) best = slope / step_s, best_error = sqrt(fmax(0, rest) / ((double)n - 2) / sxx) / step_s;
    }
    return best_error <= STEEPEST_ERROR * best ? best : NAN;
}

/* ---- centre of pressure ---- */

static double mean_of(const struct rep_history *h, struct span s, size_t offset)
{
    double sum = 0;
    uint64_t n = 0;
    for (uint64_t i = s.a; i <= s.b; i++) {
        float v;
        memcpy(&v, (const char *)rep_history_sample(h, i) + offset, sizeof v);
        if (!isnan(v)) sum += (double)v, n++;
    }
    return 2 * n > s.b - s.a + 1 ? sum / (double)n : NAN;
}

/* How far x goes over the span along its straight line, weighted with F^2: the noise of a quotient by F goes as 1/F. */
static double drift_x_mm(const struct rep_history *h, double from_s, double to_s)
{
    struct span s;
    if (!span_of(h, from_s, to_s, &s)) return NAN;
    double w = 0, wt = 0, wx = 0, wtt = 0, wtx = 0, t0 = rep_history_sample(h, s.a)->t_s;
    uint64_t n = 0;
    for (uint64_t i = s.a; i <= s.b; i++) {
        const struct rep_sample *p = rep_history_sample(h, i);
        double x = (double)p->cop_x_mm, t = p->t_s - t0, k = p->force_N * p->force_N;
        if (isnan(x)) continue;
        n++;
        w += k, wt += k * t, wx += k * x, wtt += k * t * t, wtx += k * t * x;
    }
    if (n < SPREAD_MIN || 2 * n <= s.b - s.a + 1) return NAN;
    return (w * wtx - wt * wx) / (w * wtt - wt * wt) * (rep_history_sample(h, s.b)->t_s - t0);
}

struct sway {
    double path_mm, rms_mm, area_mm2;
};

static struct sway sway_over(const struct rep_history *h, double from_s, double to_s)
{
    struct sway v = {NAN, NAN, NAN};
    struct span s;
    uint64_t m = (uint64_t)fmax(1, floor(SWAY_S / h->period_s + 0.5)), n = 0;
    if (!span_of(h, from_s, to_s, &s)) return v;
    double path = 0, lx = 0, ly = 0, mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
    for (uint64_t i = s.a; i + m <= s.b + 1; i += m) {
        struct span part = {i, i + m - 1};
        double x = mean_of(h, part, offsetof(struct rep_sample, cop_x_mm));
        double y = mean_of(h, part, offsetof(struct rep_sample, cop_y_mm));
        if (isnan(x) || isnan(y)) continue;
        if (n++) path += hypot(x - lx, y - ly);
        lx = x, ly = y;
        double dx = x - mx, dy = y - my;
        mx += dx / (double)n, my += dy / (double)n;
        xx += dx * (x - mx), yy += dy * (y - my), xy += dx * (y - my);
    }
    if (2 * n * m <= s.b - s.a + 1) return v;
    if (n > 1) v.path_mm = path;
    if (n < SWAY_MIN) return v;
    v.rms_mm = sqrt((xx + yy) / (double)n);
    v.area_mm2 = PI * ELLIPSE_95 * sqrt(fmax(0, xx * yy - xy * xy)) / ((double)n - 1);
    return v;
}

/* ---- a rep ---- */

static void measure_force(const struct rep_history *h, const struct rep_times *t, struct plate_rep *r)
{
    bool down_first = t->up_from_s > t->onset_s; /* then the push ends with the drive: a landing is no peak of it */
    double push_to_s = down_first && !isnan(t->up_to_s) ? t->up_to_s : t->end_s;
    struct load whole = level_over(h, t->onset_s, t->end_s), up = level_over(h, t->up_from_s, t->up_to_s),
                held = level_over(h, t->top_s, t->descent_s), sure = level_over(h, t->top_s, t->top_s + SURE_HOLD_S);
    r->peak_force_N = extremes_over(h, t->onset_s, push_to_s).most_N;
    r->mean_force_N = whole.mean_N;
    r->hold_force_N = isnan(t->descent_s) ? sure.mean_N : held.mean_N;
    r->hold_cv = held.mean_N > 0 ? sd_over(h, t->top_s, t->descent_s, held.mean_N) / held.mean_N : NAN;
    r->impulse_Ns = up.impulse_Ns;
    r->net_impulse_Ns = up.impulse_Ns - t->rest_N * (t->up_to_s - t->up_from_s);
    double *const windows[] = {&r->rfd_0_50_N_per_s, &r->rfd_0_100_N_per_s, &r->rfd_0_150_N_per_s, &r->rfd_0_200_N_per_s,
                               &r->rfd_0_250_N_per_s};
    for (int i = 0; i < 5; i++) *windows[i] = down_first ? NAN : rfd(h, t->onset_s, 0.05 * (i + 1));
    double up_to_s = !isnan(t->up_to_s) ? t->up_to_s : !isnan(t->descent_s) ? t->descent_s : t->end_s;
    r->rfd_max_N_per_s = rep_steepest_N_per_s(h, t->onset_s, up_to_s);
}

static void measure_share(const struct rep_history *h, const struct rep_times *t, struct plate_rep *r)
{
    bool down_first = t->up_from_s > t->onset_s;
    r->share_pct = share_over_pct(h, t->onset_s, t->end_s);
    r->share_drive_pct = share_over_pct(h, t->up_from_s, t->up_to_s);
    r->share_hold_pct = down_first ? NAN : share_over_pct(h, t->top_s, t->descent_s);
    r->share_lower_pct = down_first ? share_over_pct(h, t->onset_s, t->up_from_s) : share_over_pct(h, t->descent_s, t->end_s);
}

/* Where drive and hold end; where that is not known, the rep. */
static double worked_until_s(const struct rep_times *t)
{
    if (t->descent_s > t->up_from_s) return t->descent_s;
    return isnan(t->up_to_s) ? t->end_s : t->up_to_s;
}

static void measure_pressure(const struct rep_history *h, const struct rep_times *t, struct plate_rep *r)
{
    struct span s;
    struct sway sway = sway_over(h, t->top_s, t->descent_s);
    r->cop_x_mm = r->cop_y_mm = NAN;
    if (span_of(h, t->up_from_s, worked_until_s(t), &s)) {
        r->cop_x_mm = mean_of(h, s, offsetof(struct rep_sample, cop_x_mm));
        r->cop_y_mm = mean_of(h, s, offsetof(struct rep_sample, cop_y_mm));
    }
    r->cop_drift_x_mm = drift_x_mm(h, t->up_from_s, t->up_to_s);
    r->cop_path_mm = sway.path_mm, r->sway_rms_mm = sway.rms_mm, r->sway_area_mm2 = sway.area_mm2;
}

/* How far the force falls at the touch-down before the rep, of the held level; NaN where the floor took no load. */
static double impact_pct(const struct rep_history *h, double touch_s, double hold_N)
{
    double most_N = extremes_over(h, touch_s - TURN_S, touch_s).most_N;
    double least_N = extremes_over(h, touch_s - TURN_S, touch_s + TURN_S).least_N;
    return least_N < FLOOR_PART * hold_N ? 100 * (most_N - least_N) / hold_N : NAN;
}

void rep_measure(const struct rep_history *h, const struct rep_times *t, struct plate_rep *r)
{
    r->onset_s = t->onset_s, r->top_s = t->top_s, r->descent_s = t->descent_s, r->end_s = t->end_s;
    r->onset_live_s = r->top_live_s = r->descent_live_s = r->end_live_s = NAN;
    r->concentric_s = t->up_to_s - t->up_from_s;
    r->hold_s = r->eccentric_s = NAN;
    r->rest_before_s = t->onset_s - t->last_end_s;
    r->tut_s = t->end_s - t->onset_s;
    measure_force(h, t, r);
    measure_share(h, t, r);
    measure_pressure(h, t, r);
    r->impact_pct = impact_pct(h, t->last_end_s, r->hold_force_N);
    r->peak_force_N_per_kg = r->mean_force_N_per_kg = r->hold_force_N_per_kg = NAN; /* the session knows the mass */
}
