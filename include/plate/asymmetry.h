/* plate/asymmetry.h - left against right: indices, intervals, verdicts.
 * Pure: no I/O, no clock, no allocation. One accumulator per session, one thread. docs/asymmetry.md explains. */
#pragma once
#include "rep.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The indices, of two limb means as measured (not direction-corrected). NaN where a mean is not positive. */
PLATE_API double plate_percentage_difference(double left, double right); /* 100*(max-min)/max, negative: left smaller */
PLATE_API double plate_limb_symmetry_index(double left, double right, enum plate_side involved);
PLATE_API double plate_symmetry_index(double left, double right); /* Robinson 1987 */
PLATE_API double plate_symmetry_angle(double left, double right); /* Zifchock 2008, percent */
/* 100*(bilateral)/(left + right alone) - 100, Howard & Enoka 1991. */
PLATE_API double plate_bilateral_index(double bilateral_sum, double left_alone, double right_alone);

enum plate_verdict_lr { PLATE_UNDETERMINED, PLATE_SYMMETRIC, PLATE_LEFT_WEAKER, PLATE_RIGHT_WEAKER };
PLATE_API extern const char *const plate_verdict_words[];          /* in that order, closed by NULL */
PLATE_API const char *plate_verdict_name(enum plate_verdict_lr v); /* NULL for a value out of range */
enum plate_mode { PLATE_UNILATERAL_DYNAMIC, PLATE_UNILATERAL_ISOMETRIC, PLATE_BILATERAL };
PLATE_API extern const char *const plate_mode_words[];
PLATE_API const char *plate_mode_name(enum plate_mode m);

/* One row: what is known of one metric after one rep; the columns are plate_asymmetry_columns (event.h). */
struct plate_asymmetry {
    char metric[40];
    int32_t primary;
    int32_t mode; /* enum plate_mode */
    char index[40];
    int32_t direction;
    double value_pct, ci95_low_pct, ci95_high_pct;
    int32_t verdict; /* enum plate_verdict_lr */
    double threshold_pct;
    double left_mean, right_mean;
    int32_t n_left, n_right;
    double cv_left_pct, cv_right_pct;
    int32_t counterbalanced; /* no limb went first more often than the other */
    double dropoff_left_pct, dropoff_right_pct, dropoff_difference_pct;
    double shift_s, shift_pct; /* bilateral: the load's share has shifted; NaN: not that it shows */
    double limb_symmetry_index_pct, symmetry_index_pct, symmetry_angle_pct;
    int32_t correction; /* 0, or the number of the correction after which the row was said again; the session fills it */
};

/* A metric that is compared: a field of struct plate_rep and the way it points. */
struct plate_metric {
    const char *name;
    size_t offset; /* of the double in struct plate_rep */
    int direction; /* +1: more is stronger; -1: more is weaker; 0: neither */
};
PLATE_API extern const struct plate_metric plate_metrics[]; /* closed by a NULL name */
enum { PLATE_METRICS = 15, PLATE_LIMB_REPS = 256 };

struct plate_asymmetry_config {
    double threshold_pct;                /* 0: the default, 10 */
    enum plate_side involved;            /* PLATE_SIDE_NONE: not said */
    char primary[40];                    /* empty: the mode's own (docs/asymmetry.md) */
    unsigned planned_sets, planned_reps; /* of each leg, reps of a set: the look that the interval is made for; 0: not said */
};

/* Every rep's metrics by limb, in order; what comes after PLATE_LIMB_REPS a limb is counted, not kept.
 * `at` says where a rep stands, counted from 0: the limb's own sets, and the reps within one. Reps are matched by it. */
struct plate_limbs {
    struct plate_asymmetry_config cfg;
    enum plate_mode mode;
    unsigned n[2];        /* left, right: kept */
    unsigned overflow[2]; /* left, right: not kept */
    struct {
        uint16_t set, rep;
        int32_t number; /* of the set in the session */
        double onset_s;
    } at[2][PLATE_LIMB_REPS];
    double value[2][PLATE_LIMB_REPS][PLATE_METRICS];
};
/* 0, or -EINVAL: threshold outside 0..100 (exclusive), a primary that is no metric, or no side that can be involved. */
PLATE_API int plate_limbs_init(struct plate_limbs *l, const struct plate_asymmetry_config *cfg);
/* Warm-up reps and reps of no one side are passed over. All reps are of one exercise: start anew for another one.
 * The mode becomes isometric with the exercise of that name; bilateral is for the caller to set after init. */
PLATE_API void plate_limbs_push(struct plate_limbs *l, const struct plate_rep *rep);
/* Rows for every metric that both limbs have, the primary one first. Returns their number (0: one limb only). */
PLATE_API unsigned plate_limbs_compare(const struct plate_limbs *l, struct plate_asymmetry ret[PLATE_METRICS]);

/* Reps of a limb (PLATE_SIDE_LEFT, PLATE_SIDE_RIGHT) that have the metric, matched or not. */
PLATE_API int32_t plate_limbs_count(const struct plate_limbs *l, enum plate_side limb, const char *metric);

#ifdef __cplusplus
}
#endif
