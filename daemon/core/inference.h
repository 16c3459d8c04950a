/* core/inference.h - how far the truth may lie from a log ratio of limb means that is looked at after every rep.
 * Private to the core; pure. docs/asymmetry.md, "The interval", derives it and says what it was tried on. */
#pragma once

enum { INFERENCE_FIRST_LOOK = 3 }; /* matched reps */

/* What is known of a metric: n matched reps, in pairs of a left and a right one. */
struct inference_pairs {
    unsigned n;
    double spread;     /* SD of a limb's reps, of 2n - 3 degrees of freedom, as a fraction of the means */
    double set_weight; /* sum over the pairs of sets of (share of the n)^2: 1 in one pair, 1/2 in two alike */
};
struct inference_plan {
    unsigned sets, reps; /* of each leg, reps of a set; 0: not said */
};
/* Half widths in units of the log ratio: the end of the interval towards zero, and the one away from it. near <= far. */
struct inference_reach {
    double near, far;
};
/* n >= INFERENCE_FIRST_LOOK. */
struct inference_reach inference_reach(const struct inference_pairs *pairs, const struct inference_plan *plan);
