#include <math.h>
#include <string.h>

#include "rep_private.h"

const struct block *rep_block_at(const struct plate_rep_detector *d, uint64_t i) { return &d->block[i % BLOCKS]; }
uint64_t rep_oldest_block(const struct plate_rep_detector *d)
{
    uint64_t kept = d->blocks > BLOCKS ? d->blocks - BLOCKS : 0;
    return kept > d->blocks_from ? kept : d->blocks_from;
}
static uint64_t rep_oldest_sample(const struct plate_rep_detector *d)
{
    uint64_t kept = d->samples > HISTORY ? d->samples - HISTORY : 0;
    return kept > d->history_from ? kept : d->history_from;
}
/* First kept sample (block) at or after t_s, to the nearest sample: the same whatever the last digit of the times is. */
static uint64_t rep_sample_at(const struct plate_rep_detector *d, double t_s)
{
    uint64_t lo = rep_oldest_sample(d), hi = d->samples;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (d->history[mid % HISTORY].t_s < t_s - d->period_s / 2)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}
uint64_t rep_block_from(const struct plate_rep_detector *d, double t_s)
{
    uint64_t lo = rep_oldest_block(d), hi = d->blocks;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (rep_block_at(d, mid)->t_s < t_s - d->period_s / 2)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

double rep_band_N(const struct plate_rep_detector *d) { return fmax(BAND_MIN_N, BAND_SD * d->rest.sd_N); }

/* The last sample in the resting band before the departure, searched backwards at full rate. */
double rep_find_onset(const struct plate_rep_detector *d, double from_s)
{
    uint64_t i = rep_sample_at(d, from_s),
             oldest = isnan(d->last_end_s) ? rep_oldest_sample(d) : rep_sample_at(d, d->last_end_s);
    double band = rep_band_N(d); /* no rep begins before the last one ended */
    if (i >= d->samples) i = d->samples - 1;
    /* two in a row: one sample inside the band by chance is noise */
    while (i > oldest + 1 && (fabs(d->history[i % HISTORY].force_N - d->rest.mean_N) > band ||
                              fabs(d->history[(i - 1) % HISTORY].force_N - d->rest.mean_N) > band))
        i--;
    return d->history[(i + 1 < d->samples ? i + 1 : i) % HISTORY].t_s;
}

static double rfd(const struct plate_rep_detector *d, double onset_s, double window_s)
{
    uint64_t a = rep_sample_at(d, onset_s), b = rep_sample_at(d, onset_s + window_s);
    if (a == rep_oldest_sample(d) || b >= d->samples || b - a < 8) return NAN;
    const double t = d->history[b % HISTORY].t_s - d->history[a % HISTORY].t_s;
    return (d->history[b % HISTORY].force_N - d->history[a % HISTORY].force_N) / t;
}

/* Steepest least-squares slope over 20 ms, at least 5 samples; NaN where its standard error exceeds a tenth of it. */
double rep_rfd_max(const struct plate_rep_detector *d, double from_s, double to_s)
{
    uint64_t a = rep_sample_at(d, from_s), b = rep_sample_at(d, to_s);
    uint64_t n = (uint64_t)fmax(5, floor(0.020 * d->rate_Hz + 0.5));
    if (a == rep_oldest_sample(d) || b < a + n) return NAN;
    double best = -INFINITY, best_error = NAN, centre = ((double)n - 1) / 2, sxx = (double)n * ((double)n * (double)n - 1) / 12;
    double sy = 0, sxy = 0, syy = 0;
    double base = d->history[a % HISTORY].force_N;
    for (uint64_t i = a; i < b; i++) {
        double y = d->history[i % HISTORY].force_N - base;
        if (i < a + n) {
            sy += y, sxy += (double)(i - a) * y, syy += y * y;
            if (i + 1 < a + n) continue;
        } else {
            double old = d->history[(i - n) % HISTORY].force_N - base;
            sxy += ((double)n - 1) * y - (sy - old);
            sy += y - old, syy += y * y - old * old;
        }
        double slope = (sxy - centre * sy) / sxx;
        double rest = syy - sy * sy / (double)n - slope * slope * sxx;
        if (slope > best) best = slope, best_error = sqrt(fmax(0, rest) / ((double)n - 2) / sxx);
    }
    return best > 0 && best_error <= 0.1 * best ? best * d->rate_Hz : NAN;
}

struct part {
    double s, mean_N, sd_N, impulse_Ns, peak_N, cop_x_mm, cop_y_mm, path_mm;
};

static struct part measure(const struct plate_rep_detector *d, double from_s, double to_s)
{
    struct part p = {.peak_N = -INFINITY, .cop_x_mm = NAN, .cop_y_mm = NAN, .path_mm = NAN};
    double m = 0, m2 = 0, w = 0, cx = 0, cy = 0, cw = 0, lx = NAN, ly = NAN, path = 0;
    uint64_t end = rep_block_from(d, to_s), stride = (uint64_t)fmax(1, floor(0.05 * d->rate_Hz / d->block_n + 0.5));
    for (uint64_t i = rep_block_from(d, from_s); i < end; i++) {
        const struct block *b = rep_block_at(d, i);
        w += b->dt_s;
        double delta = b->force_N - m;
        m += delta * b->dt_s / w;
        m2 += b->dt_s * delta * (b->force_N - m);
        p.peak_N = fmax(p.peak_N, (double)b->peak_N);
        if (isnan(b->cop_x_mm)) continue;
        cx += b->dt_s * (double)b->cop_x_mm, cy += b->dt_s * (double)b->cop_y_mm, cw += b->dt_s;
        if (i % stride) continue;
        if (!isnan(lx)) path += hypot((double)b->cop_x_mm - lx, (double)b->cop_y_mm - ly);
        lx = (double)b->cop_x_mm, ly = (double)b->cop_y_mm;
    }
    if (w <= 0)
        return (struct part){.s = 0,
                             .mean_N = NAN,
                             .sd_N = NAN,
                             .impulse_Ns = NAN,
                             .peak_N = NAN,
                             .cop_x_mm = NAN,
                             .cop_y_mm = NAN,
                             .path_mm = NAN};
    p.s = w, p.mean_N = m, p.sd_N = sqrt(m2 / w), p.impulse_Ns = m * w;
    if (cw > 0.5 * w) p.cop_x_mm = cx / cw, p.cop_y_mm = cy / cw, p.path_mm = path;
    return p;
}

static void find(struct plate_rep *r, const char *name, double value, double limit, bool wanting)
{
    if (!wanting || r->findings >= PLATE_MAX_FINDINGS) return; /* comparisons with NaN are false: not asked, not found */
    struct plate_finding *f = &r->form[r->findings++];
    strncpy(f->name, name, sizeof f->name - 1);
    f->value = value;
    f->limit = limit;
}

void rep_judge_form(const struct plate_protocol_targets *t, struct plate_rep *r)
{
    find(r, "short_hold", r->hold_s, t->hold_min_s, r->hold_s < t->hold_min_s);
    find(r, "fast_lowering", r->eccentric_s, t->eccentric_min_s, r->eccentric_s < t->eccentric_min_s);
    find(r, "unsteady", r->hold_cv, t->hold_cv_max, r->hold_cv > t->hold_cv_max);
    find(r, "toe_bias", r->cop_y_mm, t->cop_y_max_mm, r->cop_y_mm > t->cop_y_max_mm);
    find(r, "heel_bias", r->cop_y_mm, t->cop_y_min_mm, r->cop_y_mm < t->cop_y_min_mm);
}

/* Everything that the phases' times decide; NaN times give NaN metrics. */
void rep_fill(struct plate_rep_detector *d, struct plate_rep *r, double onset_s, double end_s, double up_from_s, double up_to_s)
{
    memset(r, 0, sizeof *r);
    memcpy(r->exercise, d->exercise, sizeof r->exercise);
    r->onset_s = onset_s, r->end_s = end_s;
    r->top_s = d->top_s, r->descent_s = d->descent_s;
    r->tut_s = end_s - onset_s;
    r->rest_before_s = onset_s - d->last_end_s;
    struct part whole = measure(d, onset_s, end_s);
    struct part up = isnan(up_from_s) || isnan(up_to_s) ? measure(d, 0, -1) : measure(d, up_from_s, up_to_s);
    struct part held = isnan(d->top_s) || isnan(d->descent_s) || d->descent_s <= d->top_s ? measure(d, 0, -1)
                                                                                          : measure(d, d->top_s, d->descent_s);
    r->concentric_s = up_to_s - up_from_s;
    r->peak_force_N = whole.peak_N;
    r->mean_force_N = whole.mean_N;
    r->hold_force_N = held.mean_N;
    r->hold_cv = held.mean_N > 0 ? held.sd_N / held.mean_N : NAN;
    r->peak_force_N_per_kg = r->mean_force_N_per_kg = r->hold_force_N_per_kg = NAN; /* the session knows the mass */
    r->rfd_0_50_N_per_s = rfd(d, onset_s, 0.050);
    r->rfd_0_100_N_per_s = rfd(d, onset_s, 0.100);
    r->rfd_0_150_N_per_s = rfd(d, onset_s, 0.150);
    r->rfd_0_200_N_per_s = rfd(d, onset_s, 0.200);
    r->rfd_0_250_N_per_s = rfd(d, onset_s, 0.250);
    r->rfd_max_N_per_s = rep_rfd_max(d, onset_s, isnan(up_to_s) ? end_s : up_to_s);
    r->impulse_Ns = up.impulse_Ns;
    r->net_impulse_Ns = up.impulse_Ns - d->rest.mean_N * up.s;
    r->cop_x_mm = whole.cop_x_mm, r->cop_y_mm = whole.cop_y_mm, r->cop_path_mm = held.path_mm;
}
