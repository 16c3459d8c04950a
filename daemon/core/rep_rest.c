#include <math.h>

#include "rep_private.h"

/* docs/detector.md gives the reason of each threshold. */
#define CHUNK_S 0.2 /* a quiet stretch is made of chunks of this length, 4 samples at least */
#define CHUNK_MIN 4
#define QUIET_N 4.0       /* a chunk with a larger SD is not quiet ... */
#define QUIET_PART 0.02   /* ... or than this part of its mean (a standing person sways) */
#define RESTLESS 4.0      /* while nothing is known, four times that will do */
#define WEIGHT_PART 0.015 /* a standing weight is followed within this part, and learned anew only after so long a quiet */
#define WEIGHT_EVEN 0.004 /* ... in which it does not change by more than this part from chunk to chunk */
#define WEIGHT_S 1.0
#define WEIGHT_M_PER_S 0.6 /* ... or once a body of the old weight would be so fast: none that squats is, so quietly */
#define UNDER_S 0.5        /* so long below the resting band: that was no rest */

double rep_band_N(const struct plate_rep_detector *d) { return rep_at_least(BAND_MIN_N, BAND_SD * d->rest.sd_N); }

double rep_decision_band_N(const struct plate_rep_detector *d) { return rep_at_least(BAND_MIN_N, BAND_SD * d->rest_spread_N); }

void rep_rest_init(struct plate_rep_detector *d)
{
    d->chunk_n = (unsigned)fmax(CHUNK_MIN, floor(CHUNK_S * d->rate_Hz + 0.5));
    d->under_s = d->lowest_N = d->rested_N = d->before_foot_N = NAN;
}

void rep_forget_chunk(struct plate_rep_detector *d)
{
    d->chunk.mean = d->chunk.m2 = d->chunk.own = 0;
    d->chunk.smooth = d->chunk.smooth2 = 0;
    d->chunk.n = d->chunk.blocks = 0;
    d->chunk.last_quiet = false;
}

void rep_rest_moves(struct plate_rep_detector *d, double level_N, double sd_N)
{
    const struct rep_sample *s = rep_history_sample(&d->history, d->history.n - 1);
    double share = d->summed && s->decides_N > 0 ? s->force_N / (double)s->decides_N : 1;
    d->own_rest_N += share * (level_N - d->rest.mean_N);
    d->rest = (struct level){level_N, fmax(d->rest.sd_N, sd_N)};
}

static void settle_rest(struct plate_rep_detector *d, double t_s, double mean_N, double sd_N, double spread_N, double own_N)
{
    d->rested_N = d->state != STATE_LEARN && d->rest.mean_N > mean_N ? d->rest.mean_N : NAN;
    d->fell_s = t_s;
    if (d->state != STATE_LEARN && mean_N < d->rest.mean_N) /* what is left of the fall is no noise */
        sd_N = fmin(sd_N, d->rest.sd_N), spread_N = fmin(spread_N, d->rest_spread_N);
    d->rest = (struct level){mean_N, sd_N};
    d->rest_spread_N = d->noise_N = spread_N;
    d->own_rest_N = own_N;
    d->lowest_N = isnan(d->lowest_N) ? mean_N : fmin(d->lowest_N, mean_N);
    d->under_s = d->before_foot_N = NAN;
    d->kept = false;
    if (d->state == STATE_LEARN) d->state = STATE_REST;
}

bool rep_bears_weight(const struct plate_rep_detector *d)
{
    if (d->exercise->family == FAMILY_LOADED) return true;
    return d->exercise->family == FAMILY_GENERIC && d->rest.mean_N > STANDING_N;
}

void rep_learn_rest(struct plate_rep_detector *d, double t_s, double force_N, double own_N)
{
    d->chunk.n++;
    double delta = force_N - d->chunk.mean;
    d->chunk.mean += delta / d->chunk.n;
    d->chunk.m2 += delta * (force_N - d->chunk.mean);
    d->chunk.own += (own_N - d->chunk.own) / d->chunk.n;
    if (d->chunk.n < d->chunk_n) return;
    double mean = d->chunk.mean, sd = sqrt(d->chunk.m2 / (d->chunk.n - 1)), own = d->chunk.own, was = d->chunk.last_mean;
    double spread = sd; /* of the smoothed force, which averages noise away and keeps sway */
    if (d->chunk.blocks >= CHUNK_MIN) {
        double m = d->chunk.smooth / d->chunk.blocks;
        spread = sqrt(fmax(0, d->chunk.smooth2 / d->chunk.blocks - m * m));
    }
    bool was_quiet = d->chunk.last_quiet, bears = rep_bears_weight(d), known = d->state != STATE_LEARN || (d->kept && bears),
         wrong = !known || (!bears && t_s - d->under_s > UNDER_S); /* a weight from before a hole is known */
    double limit = fmax(QUIET_N, QUIET_PART * fabs(mean)) * (!known && d->chunk.last_quiet ? RESTLESS : 1);
    rep_forget_chunk(d);
    d->chunk.last_mean = mean;
    d->chunk.last_quiet = spread <= limit || (!known && spread <= RESTLESS * limit);
    double change = mean - was;
    if (spread > limit || !was_quiet || fabs(change) > limit) {
        d->quiet_chunks = 0;
        d->apart_Ns = 0;
        return;
    }
    d->noise_N += (spread < d->noise_N ? 0.5 : 0.1) * (spread - d->noise_N);
    spread = sqrt(spread * spread + change * change / 4);
    double off = mean - d->rest.mean_N, follow = 0.5; /* slow sway is part of the spread */
    bool other = fabs(off) > rep_decision_band_N(d);
    if (bears) { /* a body that sinks slowly is not a lighter one */
        bool apart = fabs(off) > WEIGHT_PART * d->rest.mean_N, even = fabs(change) < WEIGHT_EVEN * d->rest.mean_N;
        double chunk_s = d->chunk_n * d->period_s;
        d->quiet_chunks = apart && even ? d->quiet_chunks + 1 : 0;
        d->apart_Ns = apart ? d->apart_Ns + off * chunk_s : 0;
        follow = apart ? 0 : 0.05;
        other = apart && (d->rest.mean_N < LOADED_MIN_N || d->quiet_chunks * chunk_s > WEIGHT_S ||
                          fabs(d->apart_Ns) > WEIGHT_M_PER_S / GRAVITY * d->rest.mean_N);
    }
    if (wrong || other) {
        settle_rest(d, t_s, mean, sd, spread, own);
        return;
    }
    d->rest.mean_N += follow * off;
    d->rest.sd_N += 0.3 * (sd - d->rest.sd_N);
    d->rest_spread_N = sqrt(d->rest_spread_N * d->rest_spread_N * 0.6 + 0.4 * (spread * spread + off * off / 4));
    d->own_rest_N += follow * (own - d->own_rest_N);
}
