/* tools/sim_weights.h - instead of an athlete, known weights that are put on the plate one after the other, as for a
 * calibration. Pure: no I/O, no clock. Values; any thread. */
#pragma once
#include "sim_body.h"

enum { SIM_MAX_WEIGHTS = 32 };
struct sim_weights {
    unsigned n;
    struct {
        double kg, x_mm, y_mm;
    } weight[SIM_MAX_WEIGHTS];
    double first_s, on_s,
        off_s; /* the plate is empty at first and at last; each weight stands so long, and then it is empty so long */
};
double sim_weights_duration_s(const struct sim_weights *w);
void sim_weights_force(const struct sim_weights *w, double t_s, struct sim_force *ret);
