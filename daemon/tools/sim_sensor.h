/* tools/sim_sensor.h - what the cells under a plate make of a force: noise, drift, hum, spikes, a bad cell, losses.
 * Pure: no I/O, no clock. One sensor per plate, one thread; samples are read in order, each once. */
#pragma once
#include "sim_body.h"

#define SIM_COUNT_N 0.01   /* newtons per count */
#define SIM_WIDTH_MM 300.0 /* between the cells */
#define SIM_LENGTH_MM 400.0

enum sim_bad_cell { SIM_CELL_GOOD, SIM_CELL_STUCK, SIM_CELL_NOISY, SIM_CELL_SATURATED, SIM_CELL_DISCONNECTED, SIM_BAD_CELLS };
extern const char *const sim_bad_cell_names[SIM_BAD_CELLS];
struct sim_sensor_config { /* zero is a perfect sensor, but for `cells` and `rate_Hz` */
    unsigned cells;        /* 1, or 4: front_left, front_right, back_left, back_right */
    double rate_Hz;        /* what the board says */
    double rate_error;     /* it takes rate_Hz * (1 + rate_error) samples a second */
    double noise_N;        /* SD of the sum of the cells */
    double drift_N_per_min;
    double tare_error_N;            /* the empty plate reads this, sum of the cells */
    double hum_N, hum_Hz;           /* amplitude in the sum; 0 Hz: 50 */
    double spikes_per_min, spike_N; /* single samples of one cell, up to that; 0 N: 300 */
    double step_N;                  /* coarser than a count: the resolution of each cell */
    enum sim_bad_cell bad;
    unsigned bad_cell;        /* from 0; stuck: at what it read when it broke; noisy: by 20 N; saturated: at the end of 24 bits;
                               * disconnected: noise and drift, but no load */
    double bad_from_s;        /* when it breaks */
    double cross_talk;        /* part of each cell's load that the two beside it see as well; four cells only */
    double losses_per_min;    /* holes in the samples ... */
    unsigned loss_samples[2]; /* ... of so many, from, to; 0: 1 */
};
struct sim_sensor {
    struct sim_sensor_config cfg;
    struct sim_rng rng, faults; /* a fault does not change the noise */
    double drift_N_per_s[4], tare_N[4], hum_N[4], hum_phase, stuck_N;
    bool began;
    uint64_t lost_until;
};
/* -EINVAL: the configuration makes no sense. Plates of one seed have streams of their own. */
int sim_sensor_init(struct sim_sensor *s, const struct sim_sensor_config *cfg, uint64_t seed, unsigned plate);
/* True time of sample k: the body is asked for its force then. */
double sim_sensor_t_s(const struct sim_sensor *s, uint64_t k);
/* Does sample k get lost on its way? For those who have no wire: asked once for each sample, in order. */
bool sim_sensor_lost(struct sim_sensor *s, uint64_t k);
void sim_sensor_read(struct sim_sensor *s, const struct sim_force *f, double t_s, int32_t *ret_counts);
