/* How often the verdicts are wrong, and how often they speak: simulated sessions with a known truth. The left set is
 * finished, then the right set is looked at after each of its reps. `asymmetry_truth SESSIONS SEED` prints a table. */
#include "plate/asymmetry.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t rng_state;

static double uniform(void) /* (0, 1) */
{
    rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
    return ((double)(rng_state >> 11) + 0.5) / 9007199254740992.0;
}

static double gauss(void) { return sqrt(-2 * log(uniform())) * cos(2 * acos(-1.0) * uniform()); }

struct truth {
    double difference; /* of the left: -0.1 is 10 % weaker, on the line */
    double cv;         /* of the reps */
    double set_sd;     /* of a set's own effect */
    double fatigue;    /* lost per rep, in both limbs */
    int reps;          /* of each limb */
};
struct shares {
    double left_weaker, right_weaker, symmetric; /* sessions in which this was said at any look */
    double end_left_weaker, end_symmetric;       /* at the last look */
    double covered;                              /* sessions whose every interval held the truth */
    double width;                                /* mean width of the last interval, in % */
};

static void push(struct plate_limbs *l, enum plate_side side, double force_N)
{
    struct plate_rep rep = {.side = (int32_t)side, .set = (int32_t)side, .peak_force_N = force_N};
    plate_limbs_push(l, &rep);
}

static double rep_force_N(const struct truth *t, double limb, int i)
{
    return limb * pow(1 - t->fatigue, i) * (1 + t->cv * gauss());
}

static struct plate_asymmetry peak(const struct plate_limbs *l)
{
    struct plate_asymmetry row[PLATE_METRICS];
    plate_limbs_compare(l, row);
    return row[0]; /* the configured primary metric */
}

static struct shares simulate(const struct truth *t, int sessions)
{
    static struct plate_limbs l;
    struct shares s = {0};
    for (int k = 0; k < sessions; k++) {
        plate_limbs_init(&l, &(struct plate_asymmetry_config){.threshold_pct = 10, .primary = "peak_force_N"});
        double left = 400 * (1 + t->difference) * (1 + t->set_sd * gauss()), right = 400 * (1 + t->set_sd * gauss());
        for (int i = 0; i < t->reps; i++) push(&l, PLATE_SIDE_LEFT, rep_force_N(t, left, i));
        bool said[4] = {false}, covered = true;
        struct plate_asymmetry a = {0};
        for (int i = 0; i < t->reps; i++) {
            push(&l, PLATE_SIDE_RIGHT, rep_force_N(t, right, i));
            a = peak(&l);
            said[a.verdict] = true;
            if (a.ci95_low_pct > 100 * t->difference || a.ci95_high_pct < 100 * t->difference) covered = false;
        }
        s.left_weaker += said[PLATE_LEFT_WEAKER], s.right_weaker += said[PLATE_RIGHT_WEAKER];
        s.symmetric += said[PLATE_SYMMETRIC], s.covered += covered;
        s.end_left_weaker += a.verdict == PLATE_LEFT_WEAKER, s.end_symmetric += a.verdict == PLATE_SYMMETRIC;
        s.width += a.ci95_high_pct - a.ci95_low_pct;
    }
    return s;
}

int main(int argc, char **argv)
{
    int sessions = argc > 1 ? atoi(argv[1]) : 0;
    if (argc != 3 || sessions < 1) {
        fprintf(stderr, "usage: asymmetry_truth SESSIONS SEED\n");
        return 2;
    }
    static const double truth[] = {0, -0.10, -0.15, -0.20};
    static const struct truth kind[] = {
        {0, 0.02, 0.01, 0, 10},    {0, 0.05, 0.01, 0, 10}, {0, 0.10, 0.01, 0, 10}, {0, 0.05, 0.01, 0, 20}, {0, 0.05, 0, 0, 10},
        {0, 0.05, 0.01, 0.02, 10}, {0, 0.05, 0.02, 0, 10}, {0, 0.05, 0.03, 0, 10}, {0, 0.02, 0.03, 0, 10},
    };
    rng_state = strtoull(argv[2], NULL, 0);
    printf("%d sessions a row, threshold 10 %%, seed %s; all in %%\n", sessions, argv[2]);
    printf("truth  cv set fatigue reps | ever: left_w right_w  symm | at the end: left_w symm | covered width\n");
    for (size_t i = 0; i < sizeof kind / sizeof kind[0]; i++)
        for (size_t k = 0; k < sizeof truth / sizeof truth[0]; k++) {
            struct truth t = kind[i];
            t.difference = truth[k];
            struct shares s = simulate(&t, sessions);
            double f = 100.0 / sessions;
            printf("%5.0f %3.0f %3.0f %7.0f %4d | %12.2f %7.2f %5.1f | %18.1f %4.1f | %7.2f %5.1f\n", 100 * t.difference,
                   100 * t.cv, 100 * t.set_sd, 100 * t.fatigue, t.reps, f * s.left_weaker, f * s.right_weaker, f * s.symmetric,
                   f * s.end_left_weaker, f * s.end_symmetric, f * s.covered, s.width / sessions);
        }
    return 0;
}
