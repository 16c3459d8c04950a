/* sim_run.h - simulated athletes of every kind; shared by the tests of the body model. */
#pragma once
#include "sim_body.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define GRAVITY 9.80665
#define SEED 20 /* of everything here; printed where a check fails */

static inline struct sim_body_config config(const char *exercise, uint64_t seed)
{
    struct sim_body_config c;
    sim_body_config_init(&c, sim_exercise_find(exercise));
    c.reps = 3;
    c.seed = seed;
    c.set_rest_s = 2;
    c.start_delay_s = 1;
    return c;
}

static inline struct sim_body *body(const struct sim_body_config *c)
{
    struct sim_body *b = NULL;
    assert_int_equal(sim_body_new(c, &b), 0);
    return b;
}

static inline struct sim_force force(const struct sim_body *b, enum plate_side foot, double t)
{
    struct sim_force f;
    sim_body_force(b, foot, t, &f);
    return f;
}
static inline double foot_N(const struct sim_body *b, enum plate_side foot, double t) { return force(b, foot, t).foot_N; }

#define CHECK(what, b)                                                                                                         \
    do {                                                                                                                       \
        if (!(what)) fail_msg("%s: seed %llu: %s", (b)->where, (unsigned long long)(b)->config.seed, #what);                   \
    } while (0)

/* Every exercise, turn and profile that there is, a few athletes each. */
struct variation {
    struct sim_body_config config;
    struct sim_body *body;
    char where[96];
};
#ifdef __SANITIZE_ADDRESS__
enum { EVERY = 3 }; /* of the variations: its eyes are on the code, and each runs the same */
#else
enum { EVERY = 1 };
#endif
static inline void each_variation(void (*check)(const struct variation *v))
{
    unsigned n = 0;
    for (const struct sim_exercise *e = sim_exercises; e->name; e++)
        for (unsigned turn = 0; turn < SIM_TURNS; turn++)
            for (unsigned profile = 0; profile < SIM_PROFILES; profile++) {
                if (!(e->turns >> turn & 1) || (e->profiles ? !(e->profiles >> profile & 1) : profile > 0)) continue;
                struct variation v = {.config = config(e->name, SEED + n)};
                if (n++ % EVERY) continue;
                v.config.turn = turn;
                v.config.profile = profile;
                if (n % 4 == 2) v.config.hold_s = 0;
                snprintf(v.where, sizeof v.where, "%s/%s/%s", e->name, sim_turn_names[turn], sim_profile_names[profile]);
                v.body = body(&v.config);
                check(&v);
                sim_body_free(v.body);
            }
    assert_true(n > 90);
}
