#include "plate/asymmetry.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "dropoff.h"
#include "inference.h"
#include "shift.h"

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
    {METRIC(peak_force_N, +1)},      {METRIC(mean_force_N, +1)},
    {METRIC(hold_force_N, +1)},      {METRIC(net_impulse_Ns, +1)},
    {METRIC(rfd_0_100_N_per_s, +1)}, {METRIC(rfd_0_200_N_per_s, +1)},
    {METRIC(rfd_max_N_per_s, +1)},   {METRIC(share_drive_pct, +1)},
    {METRIC(share_hold_pct, +1)},    {METRIC(share_lower_pct, +1)},
    {METRIC(concentric_s, -1)},      {METRIC(hold_cv, -1)},
    {METRIC(cop_path_mm, -1)},       {METRIC(cop_y_mm, 0)},
    {METRIC(impulse_Ns, 0)},         {NULL, 0, 0},
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
    bool same_set = i > 0 && rep->set == l->at[limb][i - 1].number;
    l->at[limb][i].set = i == 0 ? 0 : (uint16_t)(l->at[limb][i - 1].set + !same_set);
    l->at[limb][i].rep = same_set ? (uint16_t)(l->at[limb][i - 1].rep + 1) : 0;
    l->at[limb][i].number = rep->set;
    l->at[limb][i].onset_s = rep->onset_s;
    for (int m = 0; m < PLATE_METRICS; m++)
        memcpy(&l->value[limb][i][m], (const char *)rep + plate_metrics[m].offset, sizeof(double));
    l->n[limb]++;
}

/* ---- matched reps ---- */

/* A metric over the reps that have it on both sides: one pair for each place that both limbs have come to. */
struct pairs {
    unsigned n;
    struct pair {
        double value[2];
        unsigned rep, set; /* places, from 0 */
        int32_t number[2]; /* of the sets in the session */
        double onset_s;    /* of the first of the two */
    } pair[PLATE_LIMB_REPS];
};

/* -1, 0, 1: where left's rep i stands against right's rep j. */
static int compare_places(const struct plate_limbs *l, unsigned i, unsigned j)
{
    int set = (l->at[0][i].set > l->at[1][j].set) - (l->at[0][i].set < l->at[1][j].set);
    return set ? set : (l->at[0][i].rep > l->at[1][j].rep) - (l->at[0][i].rep < l->at[1][j].rep);
}

static void match(const struct plate_limbs *l, int metric, struct pairs *ret)
{
    ret->n = 0;
    for (unsigned i = 0, j = 0; i < l->n[0] && j < l->n[1];) {
        int order = compare_places(l, i, j);
        double left = l->value[0][i][metric], right = l->value[1][j][metric];
        if (order == 0 && isfinite(left) && isfinite(right))
            ret->pair[ret->n++] = (struct pair){{left, right},
                                                l->at[0][i].rep,
                                                l->at[0][i].set,
                                                {l->at[0][i].number, l->at[1][j].number},
                                                fmin(l->at[0][i].onset_s, l->at[1][j].onset_s)};
        i += order <= 0;
        j += order >= 0;
    }
}

static bool starts_set(const struct pairs *p, unsigned i) { return i == 0 || p->pair[i].set != p->pair[i - 1].set; }

static double mean_of(const struct pairs *p, int limb)
{
    double sum = 0;
    for (unsigned i = 0; i < p->n; i++) sum += p->pair[i].value[limb];
    return p->n ? sum / p->n : NAN;
}

static double sd_of(const struct pairs *p, int limb, double mean)
{
    double sum = 0;
    for (unsigned i = 0; i < p->n; i++) sum += (p->pair[i].value[limb] - mean) * (p->pair[i].value[limb] - mean);
    return p->n > 1 ? sqrt(sum / (p->n - 1)) : NAN;
}

/* SD of a limb's reps about one line through all of both limbs, as a fraction of the means: fatigue that the limbs share is not
 * in it. Symmetric in the limbs to the bit. */
static double spread_of(const struct pairs *p, const double mean[2])
{
    double middle = 0, xx = 0, xy = 0, sum = 0;
    for (unsigned i = 0; i < p->n; i++) middle += p->pair[i].rep;
    middle /= p->n;
    for (unsigned i = 0; i < p->n; i++) {
        const struct pair *q = &p->pair[i];
        double x = q->rep - middle;
        xx += 2 * x * x;
        xy += x * (q->value[0] / mean[0] + q->value[1] / mean[1]);
    }
    double slope = xx > 0 ? xy / xx : 0;
    for (unsigned i = 0; i < p->n; i++) {
        const struct pair *q = &p->pair[i];
        double line = 1 + slope * (q->rep - middle), left = q->value[0] / mean[0] - line, right = q->value[1] / mean[1] - line;
        sum += left * left + right * right;
    }
    return sqrt(sum / (2 * p->n - 3));
}

static double set_weight(const struct pairs *p)
{
    double sum = 0, reps = 0;
    for (unsigned i = 0; i < p->n; i++) {
        reps = starts_set(p, i) ? 1 : reps + 1;
        sum += 2 * reps - 1; /* so that a set of k adds k * k */
    }
    return sum / ((double)p->n * p->n);
}

/* Has each limb gone first about as often as the other? Limbs that work at once are in no order. */
static bool counterbalanced(const struct pairs *p)
{
    int first[2] = {0, 0};
    for (unsigned i = 0; i < p->n; i++)
        if (starts_set(p, i) && p->pair[i].number[0] != p->pair[i].number[1])
            first[p->pair[i].number[1] < p->pair[i].number[0]]++;
    return abs(first[0] - first[1]) <= 1 && (first[0] > 0) == (first[1] > 0);
}

/* Mean over the sets of what the limb has lost in each. */
static double dropoff_of(const struct pairs *p, int limb, int direction)
{
    double sum = 0;
    unsigned sets = 0;
    for (unsigned i = 0; i < p->n;) {
        struct dropoff line = {0};
        do dropoff_add(&line, p->pair[i].rep, p->pair[i].value[limb]);
        while (++i < p->n && !starts_set(p, i));
        double lost = dropoff_pct(&line, direction);
        if (!isnan(lost)) sum += lost, sets++;
    }
    return sets ? sum / sets : NAN;
}

/* The left's share of the load, rep by rep, and where it has shifted. */
static void find_shift(const struct pairs *p, struct plate_asymmetry *row)
{
    double share_pct[PLATE_LIMB_REPS];
    for (unsigned i = 0; i < p->n; i++)
        share_pct[i] = 100 * (p->pair[i].value[0] / (p->pair[i].value[0] + p->pair[i].value[1]));
    unsigned at = shift_find(share_pct, p->n, &row->shift_pct);
    if (at) row->shift_s = p->pair[at].onset_s;
}

/* ---- one row ---- */

/* ln(a / b), to the bit the negative of ln(b / a). */
static double log_ratio(double a, double b) { return a < b ? -log(b / a) : log(a / b); }

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

/* The interval and what it allows to say. The end towards zero is the nearer one, unless zero is within reach. */
static void infer(const struct plate_limbs *l, const struct pairs *p, const double mean[2], struct plate_asymmetry *row)
{
    if (p->n < INFERENCE_FIRST_LOOK || !positive(mean[0], mean[1])) return;
    int weaker = row->direction < 0; /* the limb that stands for "more": right where more is weaker */
    double centre = log_ratio(mean[weaker], mean[!weaker]);
    struct inference_pairs known = {p->n, spread_of(p, mean), set_weight(p)};
    struct inference_reach reach = inference_reach(&known, &(struct inference_plan){l->cfg.planned_sets, l->cfg.planned_reps});
    row->ci95_low_pct = percentage_of(centre - (centre > reach.far ? reach.near : reach.far));
    row->ci95_high_pct = percentage_of(centre + (centre < -reach.far ? reach.near : reach.far));
}

static void fill(const struct plate_limbs *l, int metric, bool primary, struct plate_asymmetry *ret)
{
    const struct plate_metric *what = &plate_metrics[metric];
    int weaker = what->direction < 0;
    struct pairs p;
    match(l, metric, &p);
    const double mean[2] = {mean_of(&p, 0), mean_of(&p, 1)}, sd[2] = {sd_of(&p, 0, mean[0]), sd_of(&p, 1, mean[1])};
    *ret = (struct plate_asymmetry){
        .primary = primary,
        .mode = (int32_t)l->mode,
        .index = "percentage_difference",
        .direction = what->direction,
        .value_pct = plate_percentage_difference(mean[weaker], mean[!weaker]),
        .ci95_low_pct = NAN,
        .ci95_high_pct = NAN,
        .threshold_pct = l->cfg.threshold_pct,
        .left_mean = mean[0],
        .right_mean = mean[1],
        .n_left = count(l, 0, metric),
        .n_right = count(l, 1, metric),
        .cv_left_pct = mean[0] > 0 ? 100 * sd[0] / mean[0] : NAN,
        .cv_right_pct = mean[1] > 0 ? 100 * sd[1] / mean[1] : NAN,
        .counterbalanced = counterbalanced(&p),
        .dropoff_left_pct = dropoff_of(&p, 0, what->direction),
        .dropoff_right_pct = dropoff_of(&p, 1, what->direction),
        .shift_s = NAN,
        .shift_pct = NAN,
        .limb_symmetry_index_pct = plate_limb_symmetry_index(mean[0], mean[1], l->cfg.involved),
        .symmetry_index_pct = plate_symmetry_index(mean[0], mean[1]),
        .symmetry_angle_pct = plate_symmetry_angle(mean[0], mean[1]),
    };
    ret->dropoff_difference_pct = ret->dropoff_right_pct - ret->dropoff_left_pct;
    memcpy(ret->metric, what->name, strlen(what->name) + 1);
    infer(l, &p, mean, ret);
    if (l->mode == PLATE_BILATERAL && what->direction > 0 && positive(mean[0], mean[1])) find_shift(&p, ret);
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
