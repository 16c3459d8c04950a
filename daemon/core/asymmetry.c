#include "plate/asymmetry.h"

#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <string.h>

/* ---- indices ---- */

static bool positive(double left, double right) { return left > 0 && right > 0 && isfinite(left) && isfinite(right); }

double plate_percentage_difference(double left, double right)
{
    if (!positive(left, right)) return NAN;
    return left < right ? -100 * ((right - left) / right) : 100 * ((left - right) / left);
}

double plate_limb_symmetry_index(double left, double right, enum plate_side involved)
{
    if (!positive(left, right)) return NAN;
    return involved == PLATE_SIDE_LEFT ? 100 * (left / right) : 100 * (right / left);
}

double plate_symmetry_index(double left, double right)
{
    return positive(left, right) ? 100 * ((right - left) / (0.5 * right + 0.5 * left)) : NAN;
}

/* Of positive means the arc tangent is within 0..90 degrees, so the angle never wraps and needs no minus 200 %. */
double plate_symmetry_angle(double left, double right)
{
    const double quarter = acos(-1.0) / 4;
    return positive(left, right) ? 100 * ((quarter - atan(left / right)) / (2 * quarter)) : NAN;
}

double plate_bilateral_index(double bilateral_sum, double left_alone, double right_alone)
{
    return bilateral_sum > 0 && positive(left_alone, right_alone) ? 100 * (bilateral_sum / (right_alone + left_alone)) - 100
                                                                  : NAN;
}

/* ---- words and metrics ---- */

const char *const plate_verdict_words[] = {"undetermined", "symmetric", "left_weaker", "right_weaker", NULL};
const char *const plate_mode_words[] = {"unilateral_dynamic", "unilateral_isometric", "bilateral", NULL};
static const char *const primary_of_mode[] = {"concentric_s", "peak_force_N", "mean_force_N"};

const char *plate_verdict_name(enum plate_verdict_lr v)
{
    return (unsigned)v <= PLATE_RIGHT_WEAKER ? plate_verdict_words[v] : NULL;
}

const char *plate_mode_name(enum plate_mode m) { return (unsigned)m <= PLATE_BILATERAL ? plate_mode_words[m] : NULL; }

#define METRIC(name, direction) #name, offsetof(struct plate_rep, name), direction
const struct plate_metric plate_metrics[PLATE_METRICS + 1] = {
    {METRIC(peak_force_N, +1)},
    {METRIC(mean_force_N, +1)},
    {METRIC(hold_force_N, +1)},
    {METRIC(net_impulse_Ns, +1)},
    {METRIC(rfd_0_100_N_per_s, +1)},
    {METRIC(rfd_0_200_N_per_s, +1)},
    {METRIC(rfd_max_N_per_s, +1)},
    {METRIC(concentric_s, -1)},
    {METRIC(hold_cv, -1)},
    {METRIC(cop_path_mm, -1)},
    {METRIC(cop_y_mm, 0)},
    {METRIC(impulse_Ns, 0)},
    {NULL, 0, 0},
};

/* A dynamic drive goes from standstill to standstill, so its mean force is the supported weight and its net impulse is
 * that weight times the drive's time: at equal load the slower leg has more. It points nowhere then. */
static bool speaks_of_weakness(const struct plate_metric *m, enum plate_mode mode)
{
    if (mode == PLATE_UNILATERAL_DYNAMIC && m->offset == offsetof(struct plate_rep, net_impulse_Ns)) return false;
    return m->direction != 0;
}

static int find_metric(const char *name)
{
    for (int i = 0; plate_metrics[i].name; i++)
        if (strcmp(plate_metrics[i].name, name) == 0) return i;
    return -1;
}

/* ---- the reps of both limbs ---- */

int plate_limbs_init(struct plate_limbs *l, const struct plate_asymmetry_config *cfg)
{
    if (!(cfg->threshold_pct >= 0 && cfg->threshold_pct < 100)) return -EINVAL;
    if (!memchr(cfg->primary, 0, sizeof cfg->primary)) return -EINVAL;
    if (cfg->primary[0] && find_metric(cfg->primary) < 0) return -EINVAL;
    if ((unsigned)cfg->involved > PLATE_SIDE_RIGHT) return -EINVAL;
    memset(l, 0, sizeof *l);
    l->cfg = *cfg;
    if (l->cfg.threshold_pct == 0) l->cfg.threshold_pct = 10;
    return 0;
}

void plate_limbs_push(struct plate_limbs *l, const struct plate_rep *rep)
{
    if (rep->warmup || (rep->side != PLATE_SIDE_LEFT && rep->side != PLATE_SIDE_RIGHT)) return;
    if (l->mode != PLATE_BILATERAL)
        l->mode = strcmp(rep->exercise, "isometric") == 0 ? PLATE_UNILATERAL_ISOMETRIC : PLATE_UNILATERAL_DYNAMIC;
    int limb = rep->side == PLATE_SIDE_RIGHT;
    unsigned i = l->n[limb];
    if (i == PLATE_LIMB_REPS) {
        l->overflow[limb]++;
        return;
    }
    bool same_set = i > 0 && rep->set == l->last_set[limb];
    l->at[limb][i].set = i == 0 ? 0 : (uint16_t)(l->at[limb][i - 1].set + !same_set);
    l->at[limb][i].rep = same_set ? (uint16_t)(l->at[limb][i - 1].rep + 1) : 0;
    for (int m = 0; m < PLATE_METRICS; m++)
        memcpy(&l->value[limb][i][m], (const char *)rep + plate_metrics[m].offset, sizeof(double));
    l->last_set[limb] = rep->set;
    l->n[limb]++;
}

/* ---- inference: docs/asymmetry.md gives the reasons and what it was tried on ---- */

#define SET_EFFECT 0.01        /* SD of a set's own effect, as a fraction */
#define FALSE_ALARM_SHARE 0.05 /* over all looks together */
enum { FIRST_LOOK = 3 };       /* matched reps */

/* A metric over the matched reps that have it on both sides. */
struct matched {
    unsigned n, sets;
    double mean[2], sd[2]; /* NaN: too few */
};

/* -1, 0, 1: where left's rep i stands against right's rep j. */
static int compare_places(const struct plate_limbs *l, unsigned i, unsigned j)
{
    int set = (l->at[0][i].set > l->at[1][j].set) - (l->at[0][i].set < l->at[1][j].set);
    return set ? set : (l->at[0][i].rep > l->at[1][j].rep) - (l->at[0][i].rep < l->at[1][j].rep);
}

static unsigned match(const struct plate_limbs *l, int metric, double ret[2][PLATE_LIMB_REPS], unsigned *ret_sets)
{
    unsigned n = 0, sets = 0;
    int last = -1;
    for (unsigned i = 0, j = 0; i < l->n[0] && j < l->n[1];) {
        int order = compare_places(l, i, j);
        double left = l->value[0][i][metric], right = l->value[1][j][metric];
        if (order == 0 && isfinite(left) && isfinite(right)) {
            ret[0][n] = left;
            ret[1][n++] = right;
            sets += l->at[0][i].set != last;
            last = l->at[0][i].set;
        }
        i += order <= 0;
        j += order >= 0;
    }
    *ret_sets = sets;
    return n;
}

static double mean_of(const double *x, unsigned n)
{
    double sum = 0;
    for (unsigned i = 0; i < n; i++) sum += x[i];
    return n ? sum / n : NAN;
}

static double sd_of(const double *x, unsigned n, double mean)
{
    double sum = 0;
    for (unsigned i = 0; i < n; i++) sum += (x[i] - mean) * (x[i] - mean);
    return n > 1 ? sqrt(sum / (n - 1)) : NAN;
}

static struct matched matched_of(const struct plate_limbs *l, int metric)
{
    double x[2][PLATE_LIMB_REPS];
    struct matched m;
    m.n = match(l, metric, x, &m.sets);
    for (int limb = 0; limb < 2; limb++) {
        m.mean[limb] = mean_of(x[limb], m.n);
        m.sd[limb] = sd_of(x[limb], m.n, m.mean[limb]);
    }
    return m;
}

/* What look n may spend: summed over n = FIRST_LOOK, FIRST_LOOK + 1, ... it comes to FALSE_ALARM_SHARE exactly. */
static double share_of_look(unsigned n) { return FALSE_ALARM_SHARE * FIRST_LOOK / ((double)n * (n + 1)); }

/* Half the width of the interval of ln(left/right), symmetric in the limbs to the bit; NaN: no interval.
 * Delta method and Welch-Satterthwaite; the sets' own effect is a variance that is known, not estimated. */
static double half_width(const struct matched *m)
{
    if (m->n < FIRST_LOOK || !positive(m->mean[0], m->mean[1])) return NAN;
    double cv[2] = {m->sd[0] / m->mean[0], m->sd[1] / m->mean[1]};
    double var[2] = {cv[0] * cv[0] / m->n, cv[1] * cv[1] / m->n};
    double all = (var[0] + var[1]) + 2 * SET_EFFECT * SET_EFFECT / m->sets;
    double freedom = all * all * (m->n - 1) / (var[0] * var[0] + var[1] * var[1]);
    return gsl_cdf_tdist_Qinv(share_of_look(m->n) / 2, fmin(freedom, 1e6)) * sqrt(all);
}

/* The percentage difference of two means whose logarithms differ by `log_ratio`. */
static double percentage_of(double log_ratio) { return copysign(100 * expm1(-fabs(log_ratio)), log_ratio) + 0.0; }

static enum plate_verdict_lr judge(double low, double high, double threshold)
{
    if (high < -threshold) return PLATE_LEFT_WEAKER;
    if (low > threshold) return PLATE_RIGHT_WEAKER;
    return low > -threshold && high < threshold ? PLATE_SYMMETRIC : PLATE_UNDETERMINED;
}

static int32_t count(const struct plate_limbs *l, int limb, int metric)
{
    unsigned n = l->overflow[limb];
    for (unsigned i = 0; i < l->n[limb]; i++)
        if (isfinite(l->value[limb][i][metric])) n++;
    return n < INT32_MAX ? (int32_t)n : INT32_MAX;
}

static void fill(const struct plate_limbs *l, int metric, bool primary, struct plate_asymmetry *ret)
{
    const struct plate_metric *what = &plate_metrics[metric];
    struct matched m = matched_of(l, metric);
    int weaker = what->direction < 0; /* the limb that stands for "more": right where more is weaker */
    double half = half_width(&m), centre = log(m.mean[weaker]) - log(m.mean[!weaker]);
    *ret = (struct plate_asymmetry){
        .primary = primary,
        .mode = (int32_t)l->mode,
        .index = "percentage_difference",
        .direction = what->direction,
        .value_pct = plate_percentage_difference(m.mean[weaker], m.mean[!weaker]),
        .ci95_low_pct = isnan(half) ? NAN : percentage_of(centre - half),
        .ci95_high_pct = isnan(half) ? NAN : percentage_of(centre + half),
        .threshold_pct = l->cfg.threshold_pct,
        .left_mean = m.mean[0],
        .right_mean = m.mean[1],
        .n_left = count(l, 0, metric),
        .n_right = count(l, 1, metric),
        .cv_left_pct = m.mean[0] > 0 ? 100 * m.sd[0] / m.mean[0] : NAN,
        .cv_right_pct = m.mean[1] > 0 ? 100 * m.sd[1] / m.mean[1] : NAN,
        .limb_symmetry_index_pct = plate_limb_symmetry_index(m.mean[0], m.mean[1], l->cfg.involved),
        .symmetry_index_pct = plate_symmetry_index(m.mean[0], m.mean[1]),
        .symmetry_angle_pct = plate_symmetry_angle(m.mean[0], m.mean[1]),
    };
    memcpy(ret->metric, what->name, strlen(what->name) + 1);
    if (speaks_of_weakness(what, l->mode))
        ret->verdict = (int32_t)judge(ret->ci95_low_pct, ret->ci95_high_pct, ret->threshold_pct);
}

unsigned plate_limbs_compare(const struct plate_limbs *l, struct plate_asymmetry ret[PLATE_METRICS])
{
    int primary = find_metric(l->cfg.primary[0] ? l->cfg.primary : primary_of_mode[l->mode]);
    unsigned n = 0;
    for (int k = -1; k < PLATE_METRICS; k++) {
        int metric = k < 0 ? primary : k;
        if (k == primary || !count(l, 0, metric) || !count(l, 1, metric)) continue;
        fill(l, metric, metric == primary, &ret[n++]);
    }
    return n;
}

int32_t plate_limbs_count(const struct plate_limbs *l, enum plate_side limb, const char *metric)
{
    int m = find_metric(metric);
    return m < 0 ? 0 : count(l, limb == PLATE_SIDE_RIGHT, m);
}
