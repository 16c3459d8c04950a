#include "sim_weights.h"

#define RAMP_S 0.4 /* put down, and lifted */
#define GRAVITY 9.80665

double sim_weights_duration_s(const struct sim_weights *w) { return 2 * w->first_s + w->n * (w->on_s + w->off_s); }

static double smooth(double x) { return x <= 0 ? 0 : x >= 1 ? 1 : x * x * (3 - 2 * x); }

void sim_weights_force(const struct sim_weights *w, double t_s, struct sim_force *ret)
{
    *ret = (struct sim_force){.foot_N = 0};
    double since_s = t_s - w->first_s, round_s = w->on_s + w->off_s;
    if (since_s < 0 || since_s >= w->n * round_s) return;
    unsigned i = (unsigned)(since_s / round_s);
    double on_s = since_s - i * round_s;
    ret->foot_N = w->weight[i].kg * GRAVITY * smooth(on_s / RAMP_S) * smooth((w->on_s - on_s) / RAMP_S);
    ret->cop_x_mm = w->weight[i].x_mm;
    ret->cop_y_mm = w->weight[i].y_mm;
}
