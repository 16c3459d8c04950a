#include <math.h>

#include "rep_loaded.h"

/* Back where it stood? docs/detector.md gives the reason of each threshold. */
#define BOTTOM_PART 0.95

double rep_narrow_band_N(const struct plate_rep_detector *d)
{
    return fmax(rep_decision_band_N(d), fmin(rep_loaded_band_N(d), 3 * BAND_MIN_N));
}

double rep_back_in_band_s(const struct plate_rep_detector *d, uint64_t i)
{
    double band = rep_narrow_band_N(d), noise = 3 * d->rest.sd_N / band;
    uint64_t n = (uint64_t)fmax(1, ceil(noise * noise / d->block_n)), from = rep_block_from(d, d->onset_s) + n;
    while (i > from && fabs(rep_running_mean_N(d, i, n) - d->rest.mean_N) > band) i--; /* still swaying: when last inside */
    while (i > from && fabs(rep_running_mean_N(d, i - 1, n) - d->rest.mean_N) <= band) i--;
    return rep_block_at(d, i - n / 2)->t_s;
}

/* Which way did the force last (step -1) or first (step 1) leave the band between two times? */
static int excursion(const struct plate_rep_detector *d, uint64_t i, uint64_t to, int step)
{
    for (double band = rep_loaded_band_N(d); i != to; i = step > 0 ? i + 1 : i - 1) {
        double off_N = rep_block_at(d, i)->force_N - d->rest.mean_N;
        if (fabs(off_N) > band) return off_N < 0 ? -1 : 1;
    }
    return 0;
}

bool rep_pushed(const struct plate_rep_detector *d)
{
    uint64_t from = rep_block_from(d, d->onset_s), last = d->blocks - 1;
    return excursion(d, from, last, 1) < 0 && excursion(d, last, from, -1) > 0;
}

double rep_closing_g(const struct plate_rep_detector *d, double end_s, double *ret_bottom_s)
{
    uint64_t from = rep_block_from(d, d->onset_s), to = rep_block_from(d, end_s);
    double T = end_s - d->onset_s, v = 0, h = 0, offset = 0, slope = 0, deepest = 0, fastest = 0, bottom_s = NAN;
    if (T < d->exercise->least_s || to <= from + 3) return INFINITY;
    if (excursion(d, from, to, 1) >= 0 || excursion(d, to - 1, from, -1) >= 0) return INFINITY;
    for (int pass = 0; pass < 2; pass++) {
        v = h = 0;
        for (uint64_t i = from; i < to; i++) {
            const struct block *b = rep_block_at(d, i);
            double dt = rep_block_at(d, i + 1 < d->blocks ? i + 1 : i)->t_s - b->t_s, t = b->t_s - d->onset_s;
            v += dt * (GRAVITY * (b->force_N / d->rest.mean_N - 1) + offset + slope * t);
            h += dt * v;
            if (h < deepest) deepest = h, fastest = 0;
            if (h < BOTTOM_PART * deepest && pass) bottom_s = b->t_s;
            fastest = fmax(fastest, v);
        }
        if (pass) break;
        slope = (12 * h - 6 * v * T) / (T * T * T);
        offset = -v / T - slope * T / 2;
        deepest = fastest = 0;
    }
    if (deepest >= -CLOSED_M || deepest <= -DEEPEST_M || fastest <= CLOSED_M_PER_S) return INFINITY;
    *ret_bottom_s = bottom_s;
    return fmax(fabs(offset), fabs(offset + slope * T)) / GRAVITY;
}

bool rep_closes(const struct plate_rep_detector *d, double end_s, double most_g, double *ret_bottom_s)
{
    double bottom_s, g = rep_closing_g(d, end_s, &bottom_s);
    if (!(g < most_g)) return false;
    *ret_bottom_s = bottom_s;
    return true;
}
