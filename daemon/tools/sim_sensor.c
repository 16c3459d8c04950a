#include "sim_sensor.h"
#include <errno.h>
#include <math.h>

#define NOISY_CELL_N 20.0

#define RAIL_COUNTS 0x7fffff

const char *const sim_bad_cell_names[SIM_BAD_CELLS] = {"good", "stuck", "noisy", "saturated", "disconnected"};

static bool config_ok(const struct sim_sensor_config *c)
{
    return (c->cells == 1 || c->cells == 4) && c->rate_Hz > 0 && c->rate_error > -0.9 && c->rate_error < 9 && c->noise_N >= 0 &&
           isfinite(c->drift_N_per_min) && isfinite(c->tare_error_N) && c->hum_N >= 0 && c->hum_Hz >= 0 &&
           c->spikes_per_min >= 0 && c->spike_N >= 0 && c->step_N >= 0 && (c->bad == SIM_CELL_GOOD || c->bad_cell < c->cells) &&
           c->bad < SIM_BAD_CELLS && c->bad_from_s >= 0 && fabs(c->cross_talk) <= 0.25 && c->losses_per_min >= 0 &&
           c->loss_samples[1] >= c->loss_samples[0];
}

/* Each cell has its own part of what the sum has. */
int sim_sensor_init(struct sim_sensor *s, const struct sim_sensor_config *cfg, uint64_t seed, unsigned plate)
{
    if (!config_ok(cfg)) return -EINVAL;
    *s = (struct sim_sensor){.cfg = *cfg};
    if (s->cfg.hum_Hz <= 0) s->cfg.hum_Hz = 50;
    if (s->cfg.spike_N <= 0) s->cfg.spike_N = 300;
    if (!s->cfg.loss_samples[1]) s->cfg.loss_samples[0] = s->cfg.loss_samples[1] = 1;
    sim_rng_init(&s->rng, seed, 1 + plate);
    sim_rng_init(&s->faults, seed, 501 + plate);
    double cells = cfg->cells;
    for (unsigned i = 0; i < cfg->cells; i++)
        s->drift_N_per_s[i] = cfg->drift_N_per_min / 60 / cells * sim_rng_uniform(&s->rng, 0.5, 1.5);
    double even = 0;
    for (unsigned i = 0; i < cfg->cells; i++) even += s->hum_N[i] = sim_rng_uniform(&s->faults, 0.5, 1.5);
    for (unsigned i = 0; i < cfg->cells; i++) {
        s->hum_N[i] *= cfg->hum_N / even;
        s->tare_N[i] = cfg->tare_error_N / cells;
    }
    s->hum_phase = sim_rng_uniform(&s->faults, 0, 1);
    return 0;
}

double sim_sensor_t_s(const struct sim_sensor *s, uint64_t k) { return (double)k / (s->cfg.rate_Hz * (1 + s->cfg.rate_error)); }

static bool happens(struct sim_sensor *s, double per_min)
{
    return per_min > 0 && sim_rng_chance(&s->faults, per_min / 60 / (s->cfg.rate_Hz * (1 + s->cfg.rate_error)));
}

bool sim_sensor_lost(struct sim_sensor *s, uint64_t k)
{
    const unsigned *n = s->cfg.loss_samples;
    if (k >= s->lost_until && happens(s, s->cfg.losses_per_min))
        s->lost_until = k + n[0] + sim_rng_below(&s->faults, n[1] - n[0] + 1);
    return k < s->lost_until;
}

/* What a broken cell says instead of `force_N`, of which load_N is the foot's. */
static double bad_cell(struct sim_sensor *s, double force_N, double load_N)
{
    if (s->cfg.bad == SIM_CELL_NOISY) return force_N + NOISY_CELL_N * sim_rng_normal(&s->faults);
    if (s->cfg.bad == SIM_CELL_SATURATED) return RAIL_COUNTS * SIM_COUNT_N;
    if (s->cfg.bad == SIM_CELL_DISCONNECTED) return force_N - load_N;
    if (!s->began) s->stuck_N = force_N;
    s->began = true;
    return s->stuck_N;
}

/* The frame bends: a cell also reads a part of what stands on the two beside it. */
static void cross_talk(double part[4], double k)
{
    static const unsigned beside[4][2] = {{1, 2}, {0, 3}, {0, 3}, {1, 2}};
    double own[4];
    for (unsigned i = 0; i < 4; i++) own[i] = part[i];
    for (unsigned i = 0; i < 4; i++) part[i] = own[i] + k * (own[beside[i][0]] + own[beside[i][1]]);
}

void sim_sensor_read(struct sim_sensor *s, const struct sim_force *f, double t_s, int32_t *ret_counts)
{
    const struct sim_sensor_config *c = &s->cfg;
    double u = 2 * f->cop_x_mm / SIM_WIDTH_MM, v = 2 * f->cop_y_mm / SIM_LENGTH_MM;
    double part[4] = {(1 - u) * (1 + v) / 4, (1 + u) * (1 + v) / 4, (1 - u) * (1 - v) / 4, (1 + u) * (1 - v) / 4};
    if (c->cells == 1) part[0] = 1;
    if (c->cells == 4 && c->cross_talk != 0) cross_talk(part, c->cross_talk);
    double hum = c->hum_N > 0 ? sim_sin(c->hum_Hz * t_s + s->hum_phase) : 0, spike_N = 0;
    unsigned spiked = c->cells;
    if (happens(s, c->spikes_per_min)) {
        spiked = sim_rng_below(&s->faults, c->cells);
        spike_N = c->spike_N * sim_rng_uniform(&s->faults, 0.1, 1);
        if (sim_rng_chance(&s->faults, 0.5)) spike_N = -spike_N;
    }
    for (unsigned i = 0; i < c->cells; i++) {
        double noise = c->noise_N > 0 ? c->noise_N / sqrt(c->cells) * sim_rng_normal(&s->rng) : 0;
        double force = f->foot_N * part[i] + s->drift_N_per_s[i] * t_s + s->tare_N[i] + s->hum_N[i] * hum + noise;
        if (i == spiked) force += spike_N;
        if (c->bad != SIM_CELL_GOOD && i == c->bad_cell && t_s >= c->bad_from_s)
            force = bad_cell(s, force, f->foot_N * part[i]);
        if (c->step_N > 0) force = c->step_N * floor(force / c->step_N + 0.5);
        ret_counts[i] = (int32_t)lround(fmin(fmax(force / SIM_COUNT_N, INT32_MIN), INT32_MAX));
    }
}
