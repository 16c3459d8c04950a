/* core/rep_measure.h - the past of one plate at full rate, and what is measured in it once a rep's phases are known.
 * Knows nothing of how the phases were found. Pure: no allocation; one thread. docs/metrics.md has the definitions. */
#pragma once
#include "plate/rep.h"

#define REP_HISTORY 65536 /* samples: 65 s at 1 kHz, 32 s at 2 kHz. What reaches further back is null */

struct rep_sample {
    double t_s, force_N;
    float decides_N; /* what the detector looks at: this plate, or both of a pair */
    float filtered_N, cop_x_mm, cop_y_mm;
    float other_N;   /* on the other foot's plate; NaN: not known */
    bool after_hole; /* samples are missing right before this one */
};
struct rep_history {
    struct rep_sample sample[REP_HISTORY];
    uint64_t n, from; /* pushed; the first one after the last long hole */
    uint64_t paired;  /* none from here on has other_N */
    double period_s, filter_delay_s;
    bool hole;
};
void rep_history_init(struct rep_history *h, double rate_Hz, double filter_delay_s);
void rep_history_push(struct rep_history *h, const struct plate_rep_input *in, double decides_N);
/* A hole before the next sample; what is not bridged cuts off the past. */
void rep_history_hole(struct rep_history *h, bool bridged);
static inline const struct rep_sample *rep_history_sample(const struct rep_history *h, uint64_t i)
{
    return &h->sample[i % REP_HISTORY];
}
uint64_t rep_history_oldest(const struct rep_history *h);
/* First kept sample at or after t_s, to the nearest sample: the same whatever the last digit of the times is. */
uint64_t rep_history_from(const struct rep_history *h, double t_s);

struct rep_times {
    double onset_s, top_s, descent_s, end_s; /* NaN: not known */
    double up_from_s, up_to_s;               /* the concentric phase */
    double rest_N;                           /* the resting level before the rep */
    double last_end_s;                       /* of the rep before; NaN: none */
};
/* Sets the times and every metric that follows from them and the past, the others to NaN; name, set, mass and form stay. */
void rep_measure(const struct rep_history *h, const struct rep_times *t, struct plate_rep *r);
/* Steepest least-squares slope between two times, no further than the largest force there; NaN: docs/metrics.md. */
double rep_steepest_N_per_s(const struct rep_history *h, double from_s, double to_s);
