/* How often the verdicts are wrong, and how often they speak: simulated sessions with a known truth, looked at after every
 * rep. `asymmetry_truth SESSIONS SEED` prints the tables of docs/asymmetry.md, then the checks; exit status 1: one failed. */
#include "plate/asymmetry.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t rng_state;

static double uniform(void) /* (0, 1) */
{
    rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
    return ((double)(rng_state >> 11) + 0.5) / 9007199254740992.0;
}

static double gauss(void) { return sqrt(-2 * log(uniform())) * cos(2 * acos(-1.0) * uniform()); }

/* ---- one session ---- */

enum shape { NORMAL, LOG_NORMAL, SKEWED, HEAVY, CORRELATED };
static const char *const shape_words[] = {"normal", "log-normal", "skewed", "heavy tails", "correlated"};

struct truth {
    int sets, reps;    /* of each limb; left, right, left, right ... */
    int planned_sets;  /* 0: the plan is not said */
    double deficit;    /* of the left: 0.1 is on the line */
    double cv, set_sd; /* of the reps, of a set's own effect */
    double fatigue;    /* lost per rep, in both limbs */
    double unsteady;   /* so many times the cv in the left limb; 0: as in the right one */
    enum shape shape;  /* of what differs from rep to rep */
};

/* Mean 0, SD 1. */
static double deviation(const struct truth *t, double *before)
{
    double z = gauss();
    switch (t->shape) {
    case LOG_NORMAL:
        return (exp(t->cv * z - t->cv * t->cv / 2) - 1) / t->cv;
    case SKEWED:
        return -log(uniform()) - 1;
    case HEAVY: { /* Student, 3 degrees of freedom */
        double a = gauss(), b = gauss(), c = gauss();
        return z / sqrt(a * a + b * b + c * c);
    }
    case CORRELATED: /* with the rep before: 0.3 */
        return *before = 0.3 * *before + sqrt(1 - 0.3 * 0.3) * z;
    default:
        return z;
    }
}

static void push(struct plate_limbs *l, enum plate_side side, int set, double force_N)
{
    struct plate_rep rep = {.side = (int32_t)side, .set = set};
    double none = NAN;
    for (const struct plate_metric *m = plate_metrics; m->name; m++) memcpy((char *)&rep + m->offset, &none, sizeof none);
    rep.peak_force_N = force_N;
    plate_limbs_push(l, &rep);
}

/* What became of sessions; widths are of the interval in %, with the plain t interval's beside them. */
enum { LOOKS = 3, WIDTHS = 20000 };
static const int width_looks[LOOKS] = {3, 5, 10};
struct shares {
    double ever[4], last[4]; /* by verdict: said at any look, at the last one */
    double ever_weaker;      /* either side */
    double covered;          /* every interval held the truth */
    int kept;
    double width[LOOKS][WIDTHS], plain[LOOKS][WIDTHS];
};

static double percent(double log_ratio) { return copysign(100 * expm1(-fabs(log_ratio)), log_ratio); }

/* Welch's t interval of the log ratio, as if it were looked at once and sets had no effect of their own. */
static double plain_width(const struct plate_asymmetry *a)
{
    double n = a->n_right, l = a->cv_left_pct / 100, r = a->cv_right_pct / 100, var = (l * l + r * r) / n;
    double freedom = var * var * n * n * (n - 1) / (l * l * l * l + r * r * r * r);
    double half = gsl_cdf_tdist_Qinv(0.025, freedom) * sqrt(var), centre = log(a->left_mean / a->right_mean);
    return percent(centre + half) - percent(centre - half);
}

static void look(const struct truth *t, const struct plate_limbs *l, struct shares *s, bool said[4], bool *covered,
                 int *verdict)
{
    struct plate_asymmetry row[PLATE_METRICS];
    if (plate_limbs_compare(l, row) == 0) return;
    const struct plate_asymmetry *a = &row[0]; /* the configured primary metric */
    *verdict = a->verdict;
    said[a->verdict] = true;
    if (a->ci95_low_pct > -100 * t->deficit || a->ci95_high_pct < -100 * t->deficit) *covered = false;
    for (int i = 0; i < LOOKS; i++)
        if (t->sets == 1 && a->n_right == width_looks[i] && s->kept < WIDTHS) {
            s->width[i][s->kept] = a->ci95_high_pct - a->ci95_low_pct;
            s->plain[i][s->kept] = plain_width(a);
        }
}

static void session(const struct truth *t, struct shares *s)
{
    static struct plate_limbs l;
    struct plate_asymmetry_config cfg = {.threshold_pct = 10, .primary = "peak_force_N"};
    if (t->planned_sets) cfg.planned_sets = (unsigned)t->planned_sets, cfg.planned_reps = (unsigned)t->reps;
    plate_limbs_init(&l, &cfg);
    bool said[4] = {false}, covered = true;
    int verdict = PLATE_UNDETERMINED;
    for (int set = 0; set < 2 * t->sets; set++) {
        enum plate_side side = set % 2 ? PLATE_SIDE_RIGHT : PLATE_SIDE_LEFT;
        double level = 400 * (set % 2 ? 1 : 1 - t->deficit) * (1 + t->set_sd * gauss()), before = gauss();
        double cv = side == PLATE_SIDE_LEFT && t->unsteady > 0 ? t->unsteady * t->cv : t->cv;
        for (int i = 0; i < t->reps; i++) {
            push(&l, side, set, level * pow(1 - t->fatigue, i) * (1 + cv * deviation(t, &before)));
            look(t, &l, s, said, &covered, &verdict);
        }
    }
    for (int v = 0; v < 4; v++) s->ever[v] += said[v];
    s->ever_weaker += said[PLATE_LEFT_WEAKER] || said[PLATE_RIGHT_WEAKER];
    s->last[verdict]++;
    s->covered += covered;
    if (s->kept < WIDTHS) s->kept++;
}

static struct shares *simulate(const struct truth *t, int sessions)
{
    static struct shares s;
    memset(&s, 0, sizeof s);
    for (int k = 0; k < sessions; k++) session(t, &s);
    double f = 100.0 / sessions;
    for (int v = 0; v < 4; v++) s.ever[v] *= f, s.last[v] *= f;
    s.ever_weaker *= f;
    s.covered *= f;
    return &s;
}

/* ---- the tables ---- */

enum { CVS = 4 };
static const double cvs[CVS] = {0.03, 0.05, 0.08, 0.12};

/* The worst of what is held to a limit. */
struct worst {
    double weaker_on_line, symmetric_on_line, weaker_of_none, coverage; /* % */
    double power_20, power_25;
};

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *x, int n)
{
    qsort(x, (size_t)n, sizeof *x, by_value);
    return x[n / 2];
}

static void print_plan(const struct truth *t)
{
    printf("%2d x %2d %-8s", t->sets, t->reps, t->planned_sets ? "planned" : "no plan");
}

/* A row: four truths. Its coverage is that of all its sessions but those of a true 0, whose interval is wider at both ends. */
static void grid_row(struct truth t, int sessions, struct worst *w)
{
    static const double deficits[] = {0, 0.10, 0.20, 0.25};
    double ever[4][4], coverage = 0, of_none = 0, last = 0;
    for (int i = 0; i < 4; i++) {
        t.deficit = deficits[i];
        const struct shares *s = simulate(&t, sessions);
        memcpy(ever[i], s->ever, sizeof ever[i]);
        if (i > 0) coverage += s->covered / 3;
        if (i == 0) of_none = s->ever_weaker;
        if (i == 2) last = s->last[PLATE_LEFT_WEAKER];
    }
    w->weaker_on_line = fmax(w->weaker_on_line, ever[1][PLATE_LEFT_WEAKER] + ever[1][PLATE_RIGHT_WEAKER]);
    w->symmetric_on_line = fmax(w->symmetric_on_line, ever[1][PLATE_SYMMETRIC]);
    w->weaker_of_none = fmax(w->weaker_of_none, of_none);
    w->coverage = fmin(w->coverage, coverage);
    print_plan(&t);
    printf(" %3.0f %3.0f %3.0f | %5.2f %5.1f | %5.2f %5.2f | %6.1f %5.1f | %6.1f | %5.1f\n", 100 * t.cv, 100 * t.set_sd,
           100 * t.fatigue, of_none, ever[0][PLATE_SYMMETRIC], ever[1][PLATE_LEFT_WEAKER], ever[1][PLATE_SYMMETRIC],
           ever[2][PLATE_LEFT_WEAKER], last, ever[3][PLATE_LEFT_WEAKER], coverage);
}

static void grid(int sessions, struct worst *w)
{
    static const struct truth designs[] = {
        {.sets = 1, .reps = 10, .planned_sets = 1}, {.sets = 2, .reps = 5, .planned_sets = 2}, {.sets = 2, .reps = 5}};
    printf("                            | true 0 %%    | true 10 %%   | true 20 %%    | 25 %%   |\n");
    printf("sets and plan     cv set fat | weak  symm | weak  symm  | weak   last  | weak   | held\n");
    for (size_t d = 0; d < sizeof designs / sizeof *designs; d++)
        for (int c = 0; c < CVS; c++)
            for (int set = 0; set <= 3; set++)
                for (int tired = 0; tired <= 2; tired += 2) {
                    struct truth t = designs[d];
                    t.cv = cvs[c], t.set_sd = 0.01 * set, t.fatigue = 0.01 * tired;
                    grid_row(t, sessions, w);
                }
}

static void power_curve(int sessions, struct worst *w)
{
    static const double deficits[] = {0, 0.05, 0.10, 0.125, 0.15, 0.175, 0.20, 0.225, 0.25, 0.30};
    static const struct truth kinds[] = {
        {.sets = 1, .reps = 10, .planned_sets = 1, .cv = 0.03, .set_sd = 0.01},
        {.sets = 1, .reps = 10, .planned_sets = 1, .cv = 0.05, .set_sd = 0.01},
        {.sets = 1, .reps = 10, .planned_sets = 1, .cv = 0.08, .set_sd = 0.01},
        {.sets = 1, .reps = 10, .planned_sets = 1, .cv = 0.05, .set_sd = 0.03},
        {.sets = 2, .reps = 5, .planned_sets = 2, .cv = 0.05, .set_sd = 0.01},
        {.sets = 3, .reps = 10, .planned_sets = 3, .cv = 0.05, .set_sd = 0.01},
    };
    printf("\nleft_weaker by the last rep / at the last rep, and symmetric by the last rep, for a true deficit of\n%-25s", "");
    for (size_t i = 0; i < sizeof deficits / sizeof *deficits; i++) printf(" %11.1f", 100 * deficits[i]);
    printf("\n");
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        struct truth t = kinds[k];
        print_plan(&t);
        printf(" cv %.0f set %.0f", 100 * t.cv, 100 * t.set_sd);
        for (size_t i = 0; i < sizeof deficits / sizeof *deficits; i++) {
            t.deficit = deficits[i];
            const struct shares *s = simulate(&t, sessions);
            if (k == 1 && i == 6) w->power_20 = s->ever[PLATE_LEFT_WEAKER];
            if (k == 1 && i == 8) w->power_25 = s->ever[PLATE_LEFT_WEAKER];
            printf(" %3.0f/%3.0f %3.0f", s->ever[PLATE_LEFT_WEAKER], s->last[PLATE_LEFT_WEAKER], s->ever[PLATE_SYMMETRIC]);
        }
        printf("\n");
    }
}

/* The median width of the interval beside that of the plain t interval, at a true 10 %. */
static void widths(int sessions)
{
    printf("\nmedian width of the interval / of a plain t interval, in %%, at 3, 5 and 10 reps\n");
    for (int i = 0; i < CVS; i++) {
        struct truth t = {.sets = 1, .reps = 10, .planned_sets = 1, .deficit = 0.1, .cv = cvs[i], .set_sd = 0.01};
        struct shares *s = simulate(&t, sessions);
        printf("cv %2.0f |", 100 * t.cv);
        for (int k = 0; k < LOOKS; k++) printf(" %5.1f / %4.1f |", median(s->width[k], s->kept), median(s->plain[k], s->kept));
        printf("\n");
    }
}

/* What was not assumed. */
static void robustness(int sessions)
{
    static const struct truth kinds[] = {
        {.sets = 1, .reps = 10, .planned_sets = 1, .cv = 0.08, .set_sd = 0.03},
        {.sets = 1, .reps = 10, .planned_sets = 1, .cv = 0.08, .set_sd = 0.03, .shape = LOG_NORMAL},
        {.sets = 1, .reps = 10, .planned_sets = 1, .cv = 0.08, .set_sd = 0.03, .shape = SKEWED},
        {.sets = 1, .reps = 10, .planned_sets = 1, .cv = 0.08, .set_sd = 0.03, .shape = HEAVY},
        {.sets = 1, .reps = 10, .planned_sets = 1, .cv = 0.08, .set_sd = 0.03, .shape = CORRELATED},
        {.sets = 1, .reps = 10, .planned_sets = 1, .cv = 0.08, .set_sd = 0.02, .shape = CORRELATED},
        {.sets = 1, .reps = 10, .planned_sets = 1, .cv = 0.03, .set_sd = 0.03, .unsteady = 4},
        {.sets = 1, .reps = 10, .planned_sets = 1, .cv = 0.05, .set_sd = 0.04},
        {.sets = 1, .reps = 10, .planned_sets = 1, .cv = 0.05, .set_sd = 0.05},
        {.sets = 2, .reps = 5, .planned_sets = 2, .cv = 0.05, .set_sd = 0.05},
        {.sets = 3, .reps = 10, .planned_sets = 3, .cv = 0.05, .set_sd = 0.03},
        {.sets = 3, .reps = 10, .planned_sets = 3, .cv = 0.12, .set_sd = 0.03},
        {.sets = 3, .reps = 10, .cv = 0.05, .set_sd = 0.03},
        {.sets = 1, .reps = 20, .cv = 0.05, .set_sd = 0.03},
        {.sets = 1, .reps = 20, .cv = 0.12, .set_sd = 0.03},
        {.sets = 10, .reps = 1, .cv = 0.05, .set_sd = 0.03},
    };
    printf("\nwhat was not assumed, at a true 10 %%: ever weaker, ever symmetric, covered\n");
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        struct truth t = kinds[k];
        t.deficit = 0.1;
        const struct shares *s = simulate(&t, sessions);
        print_plan(&t);
        printf(" cv %2.0f set %.0f %-11s | %5.1f %5.1f | %5.1f\n", 100 * t.cv, 100 * t.set_sd,
               t.unsteady > 0 ? "left cv x 4" : shape_words[t.shape], s->ever_weaker, s->ever[PLATE_SYMMETRIC], s->covered);
    }
}

static int check(const char *what, double got, bool at_most, double limit)
{
    bool pass = at_most ? got <= limit : got >= limit;
    printf("%s  %s: %.2f %% (%s %.0f %%)\n", pass ? "PASS" : "FAIL", what, got, at_most ? "at most" : "at least", limit);
    return !pass;
}

int main(int argc, char **argv)
{
    int sessions = argc > 1 ? atoi(argv[1]) : 0;
    if (argc != 3 || sessions < 1) {
        fprintf(stderr, "usage: asymmetry_truth SESSIONS SEED\n");
        return 2;
    }
    rng_state = strtoull(argv[2], NULL, 0);
    printf("%d sessions a row and truth, threshold 10 %%, seed %s; all in %%; weak, symm: said at any look\n", sessions,
           argv[2]);
    struct worst w = {.coverage = 100};
    grid(sessions, &w);
    power_curve(sessions, &w);
    widths(sessions);
    robustness(sessions);
    printf("\n");
    int failed = check("1a. true 10 %, any look says weaker, worst row", w.weaker_on_line, true, 5);
    failed += check("1b. true 10 %, any look says symmetric, worst row", w.symmetric_on_line, true, 5);
    failed += check("1c. true 0 %, any look says weaker, worst row", w.weaker_of_none, true, 1);
    failed += check("2.  all intervals of a session hold the truth, worst row", w.coverage, false, 95);
    failed += check("3a. true 20 %, cv 5 %, set 1 %, 1 x 10: left_weaker by the last rep", w.power_20, false, 80);
    failed += check("3b. true 25 %, the same", w.power_25, false, 95);
    return failed > 0;
}
