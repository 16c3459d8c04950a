/* tools/sim_body.h - an athlete on a platform, as physics: hips move, masses push back, a foot carries its share.
 * The noise-free force is a pure function of time, so the truth of a rep (docs/simulator.md) is found on the force itself.
 * Allocates at set-up only; no I/O, no clock. One thread. Everything is drawn from one seed. */
#pragma once
#include "plate/types.h"

/* xoshiro256++ (Blackman and Vigna 2019), seeded by splitmix64; streams of one seed are independent for our purposes. */
struct sim_rng {
    uint64_t s[4];
    double spare; /* second normal deviate of a pair */
    bool has_spare;
};
void sim_rng_init(struct sim_rng *r, uint64_t seed, uint64_t stream);
uint64_t sim_rng_u64(struct sim_rng *r);
double sim_rng_uniform(struct sim_rng *r, double low, double high);
double sim_rng_normal(struct sim_rng *r); /* mean 0, SD 1; Marsaglia's polar method, which is exact */

enum sim_kind { SIM_THRUST, SIM_PUSH, SIM_SQUAT };
struct sim_exercise {
    const char *name, *what;
    enum sim_kind kind;
    bool one_leg, both_legs; /* which sides a set may have */
    unsigned plates;         /* when nobody says */
    double drive_s[2], hold_s[2], lower_s[2], rest_s[2];
};
extern const struct sim_exercise sim_exercises[]; /* closed by a NULL name */
const struct sim_exercise *sim_exercise_find(const char *name);

enum { SIM_MAX_SETS = 32, SIM_MAX_REPS = 1000 };
struct sim_body_config {
    const struct sim_exercise *exercise;
    enum plate_side set[SIM_MAX_SETS]; /* left, right or both */
    unsigned sets, reps;               /* reps of each set */
    uint64_t seed;
    enum plate_side weaker; /* none, left or right */
    double weaker_pct;      /* [0, 90]: of drive time (thrust, squat), of force (push), of share (both legs) */
    double hold_s;          /* NaN: drawn */
    double set_rest_s;      /* foot off the plate between sets */
    double start_delay_s;   /* empty plate at the start */
};

/* The noise-free state of one foot, or of both together (side both). */
struct sim_force {
    double foot_N;
    double floor_N;            /* what the floor carries of the same load: foot + floor = support * (1 + a / g) */
    double support_N;          /* what it would take to hold still at this height */
    double hip_m;              /* height over the start */
    double cop_x_mm, cop_y_mm; /* 0 on an empty plate */
};
struct sim_truth {
    unsigned rep, set; /* from 1 */
    enum plate_side side;
    double onset_s, top_s, descent_s, end_s, peak_N;
};

struct sim_body;
/* -EINVAL: the configuration makes no sense; -ENOMEM. */
int sim_body_new(const struct sim_body_config *cfg, struct sim_body **ret);
void sim_body_free(struct sim_body *b); /* NULL is fine */
double sim_body_duration_s(const struct sim_body *b);
unsigned sim_body_reps(const struct sim_body *b);
/* When rep `i` (of all sets, from 0) starts to move and has come to rest again. */
void sim_body_rep_span(const struct sim_body *b, unsigned i, double *ret_start_s, double *ret_end_s);
void sim_body_force(const struct sim_body *b, enum plate_side foot, double t_s, struct sim_force *ret);
/* Rep `i` as the plate under `foot` sees it; false: that foot does not work in it. */
bool sim_body_truth(const struct sim_body *b, unsigned i, enum plate_side foot, struct sim_truth *ret);

/* Four cells under the corners or one, with the faults of cheap ones: noise, drift, quantisation. */
struct sim_sensor {
    struct sim_rng rng;
    unsigned cells; /* 1, or 4: front_left, front_right, back_left, back_right */
    double noise_N; /* SD of the sum */
    double drift_N_per_s[4];
};
#define SIM_COUNT_N 0.01   /* newtons per count */
#define SIM_WIDTH_MM 300.0 /* between the cells */
#define SIM_LENGTH_MM 400.0
void sim_sensor_init(struct sim_sensor *s, uint64_t seed, unsigned plate, unsigned cells, double noise_N,
                     double drift_N_per_min);
void sim_sensor_read(struct sim_sensor *s, const struct sim_force *f, double t_s, int32_t *ret_counts);
