/* asymmetry_run.h - limbs that are handed reps, and draws; shared by the tests of the comparison. */
#pragma once
#include "plate/asymmetry.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint64_t rng_state;

static inline double uniform(void) /* (0, 1) */
{
    rng_state = rng_state * 6364136223846793005u + 1442695040888963407u;
    return ((double)(rng_state >> 11) + 0.5) / 9007199254740992.0;
}

static inline double gauss(void) { return sqrt(-2 * log(uniform())) * cos(2 * acos(-1.0) * uniform()); }

static inline void near(double got, double want, double tolerance)
{
    if (!(fabs(got - want) <= tolerance)) fail_msg("got %.12g, want %.12g", got, want);
}

static inline void set_metric(struct plate_rep *rep, const char *name, double v)
{
    for (const struct plate_metric *m = plate_metrics; m->name; m++)
        if (strcmp(m->name, name) == 0) {
            memcpy((char *)rep + m->offset, &v, sizeof v);
            return;
        }
    fail_msg("no metric %s", name);
}

/* A rep of which nothing is known yet. */
static inline struct plate_rep blank(enum plate_side side, int set)
{
    struct plate_rep rep = {.side = (int32_t)side, .set = set, .exercise = "single_leg_hip_thrust"};
    for (const struct plate_metric *m = plate_metrics; m->name; m++) set_metric(&rep, m->name, NAN);
    return rep;
}

static inline void push(struct plate_limbs *l, enum plate_side side, int set, const char *metric, double v)
{
    struct plate_rep rep = blank(side, set);
    set_metric(&rep, metric, v);
    plate_limbs_push(l, &rep);
}

static inline struct plate_limbs *start(double threshold_pct, const char *primary)
{
    static struct plate_limbs l;
    struct plate_asymmetry_config cfg = {.threshold_pct = threshold_pct};
    snprintf(cfg.primary, sizeof cfg.primary, "%s", primary);
    assert_int_equal(plate_limbs_init(&l, &cfg), 0);
    return &l;
}

static inline struct plate_asymmetry row_of(const struct plate_limbs *l, const char *metric)
{
    struct plate_asymmetry row[PLATE_METRICS];
    unsigned n = plate_limbs_compare(l, row);
    for (unsigned i = 0; i < n; i++)
        if (strcmp(row[i].metric, metric) == 0) return row[i];
    fail_msg("no row of %s among %u", metric, n);
    return row[0];
}
