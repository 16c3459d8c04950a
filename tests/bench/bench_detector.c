/* bench_detector: simulated sets through the whole core (plate_station), beside their truth; scripts/bench-detector scores it.
 *   bench_detector --list                                     the variations
 *   bench_detector VARIATION RATE REPS SEED                   sets until REPS reps were done, as JSON, one object a line
 *   bench_detector VARIATION RATE --set K SEED [--dump FILE]  set K of that cell alone; FILE.csv: its samples
 * A set is a function of (seed, variation, rate, K) alone, so a failure is reproduced by its cell. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../daemon/tools/sim_body.h"
#include "plate/station.h"

enum { BLOCK = 64, REPS_PER_SET = 6 };

/* ---- what is tried ---- */

struct variation {
    const char *name, *exercise, *protocol; /* protocol: what the station is told */
    const char *turn, *first;               /* how a rep turns into the next; which way it goes first */
    unsigned plates;
    double quiet_s; /* an empty plate for so long; 0: an athlete */
};
static const struct variation variations[] = {
    {"single_leg_hip_thrust/pause", "single_leg_hip_thrust", "single_leg_hip_thrust", "pause", "up", 1, 0},
    {"barbell_hip_thrust/pause", "barbell_hip_thrust", "barbell_hip_thrust", "pause", "up", 2, 0},
    {"isometric", "isometric", "isometric", "pause", "up", 1, 0},
    {"squat", "squat", "squat", "pause", "down", 2, 0},
    {"empty", NULL, "generic", "", "", 1, 3600},
};
enum { VARIATIONS = sizeof variations / sizeof *variations };

/* How a set was recorded. */
struct conditions {
    double noise_N, drift_N_per_min, tare_N, hum_N, hum_Hz, spikes_per_min, losses_per_min, rate_error;
    unsigned loss_max;
};

static double log_uniform(struct sim_rng *r, double low, double high) { return exp(sim_rng_uniform(r, log(low), log(high))); }
static bool chance(struct sim_rng *r, double p) { return sim_rng_uniform(r, 0, 1) < p; }

static void draw_conditions(struct sim_rng *r, struct conditions *c)
{
    *c = (struct conditions){.noise_N = log_uniform(r, 0.1, 2), .drift_N_per_min = sim_rng_uniform(r, -0.5, 0.5), .hum_Hz = 50};
    if (chance(r, 0.1)) c->drift_N_per_min = sim_rng_uniform(r, -6, 6);
    if (chance(r, 0.3)) c->tare_N = sim_rng_uniform(r, -15, 15);
    if (chance(r, 0.3)) c->hum_N = sim_rng_uniform(r, 0.1, 1), c->hum_Hz = chance(r, 0.5) ? 50 : 60;
    if (chance(r, 0.2)) c->spikes_per_min = sim_rng_uniform(r, 1, 6);
    if (chance(r, 0.2)) c->losses_per_min = sim_rng_uniform(r, 1, 6), c->loss_max = 50;
    if (chance(r, 0.3)) c->rate_error = sim_rng_uniform(r, -0.01, 0.01);
}

static uint64_t hash(uint64_t h, const char *text)
{
    for (; *text; text++) h = (h ^ (uint8_t)*text) * 0x100000001B3u; /* FNV-1a */
    return h;
}

/* ---- one set ---- */

struct run {
    const struct variation *v;
    double rate_Hz, period_s;
    struct conditions c;
    struct sim_body *body;
    struct sim_rng faults;
    struct sim_sensor sensor[2];
    double hum_phase;
    struct plate_station *station;
    FILE *dump;
    uint64_t samples;
};

static void number(const char *key, double v)
{
    if (isfinite(v))
        printf(",\"%s\":%.6g", key, v);
    else
        printf(",\"%s\":null", key);
}

static void time_of(const char *key, double t_s)
{
    if (isfinite(t_s))
        printf(",\"%s\":%.5f", key, t_s);
    else
        printf(",\"%s\":null", key);
}

static void say_times(double onset_s, double top_s, double descent_s, double end_s, double peak_N)
{
    time_of("onset_s", onset_s);
    time_of("top_s", top_s);
    time_of("descent_s", descent_s);
    time_of("end_s", end_s);
    number("peak_N", peak_N);
}

static void on_event(void *user, const struct plate_event *e)
{
    (void)user;
    if (e->type == PLATE_EVENT_PHASE) {
        printf("{\"is\":\"phase\",\"plate\":\"%s\",\"phase\":\"%s\"", e->u.phase.plate, plate_phase_name(e->u.phase.phase));
        time_of("t_s", e->t_s);
        puts("}");
    } else if (e->type == PLATE_EVENT_REP) {
        const struct plate_rep *r = &e->u.rep;
        printf("{\"is\":\"rep\",\"plate\":\"%s\",\"side\":\"%s\",\"set\":%d,\"rep\":%d", r->plate, plate_side_name(r->side),
               r->set, r->rep);
        say_times(r->onset_s, r->top_s, r->descent_s, r->end_s, r->peak_force_N);
        time_of("concentric_s", r->concentric_s);
        time_of("t_s", e->t_s);
        puts("}");
    }
}

static const char *plate_label(const struct run *r, unsigned plate)
{
    return r->v->plates == 1 ? "plate" : plate ? "right" : "left";
}
static enum plate_side foot(const struct run *r, unsigned plate)
{
    return r->v->plates == 1 ? PLATE_SIDE_BOTH : plate ? PLATE_SIDE_RIGHT : PLATE_SIDE_LEFT;
}

/* What the sensor adds to the sum at that time, without noise: peak force is judged against what the plate could know. */
static double offset_N(const struct run *r, unsigned plate, double t_s)
{
    double slope = 0;
    for (unsigned i = 0; i < 4; i++) slope += r->sensor[plate].drift_N_per_s[i];
    return r->c.tare_N + slope * t_s;
}

static struct plate_station *new_station(struct run *r)
{
    static const char *const corner[] = {"front_left", "front_right", "back_left", "back_right"};
    const struct plate_station_sink sink = {.event = on_event, .user = r};
    struct plate_station_config cfg;
    plate_station_config_default(&cfg);
    cfg.plates = r->v->plates;
    snprintf(cfg.exercise, sizeof cfg.exercise, "%s", r->v->protocol);
    for (unsigned k = 0; k < cfg.plates; k++) {
        struct plate_station_plate *p = &cfg.plate[k];
        snprintf(p->name, sizeof p->name, "%s", plate_label(r, k));
        p->side = cfg.plates == 2 ? foot(r, k) : PLATE_SIDE_NONE;
        p->rate_Hz = r->rate_Hz;
        p->cells = 4;
        for (unsigned i = 0; i < 4; i++) {
            snprintf(p->cell[i].name, sizeof p->cell[i].name, "%s", corner[i]);
            p->cell[i].x_mm = i % 2 ? SIM_WIDTH_MM / 2 : -SIM_WIDTH_MM / 2;
            p->cell[i].y_mm = i < 2 ? SIM_LENGTH_MM / 2 : -SIM_LENGTH_MM / 2;
        }
    }
    struct plate_station *s = plate_station_new(&cfg, &sink);
    struct plate_calibration c;
    plate_calibration_identity(&c, 4, SIM_COUNT_N);
    for (unsigned k = 0; s && k < cfg.plates; k++) {
        plate_station_calibration(s, k, &c);
        plate_station_clock(s, k, &(struct plate_clock){.period_s = r->period_s});
    }
    return s;
}

static void read_cells(struct run *r, unsigned plate, double t_s, double fault_N, int32_t *ret_counts)
{
    struct sim_force f = {0};
    if (r->body) sim_body_force(r->body, foot(r, plate), t_s, &f);
    double true_N = f.foot_N;
    sim_sensor_read(&r->sensor[plate], &f, t_s, ret_counts);
    double add_N = r->c.tare_N + r->c.hum_N * sin(6.283185307179586 * r->c.hum_Hz * t_s + r->hum_phase) + fault_N;
    for (unsigned i = 0; i < 4; i++) ret_counts[i] += (int32_t)lround(add_N / 4 / SIM_COUNT_N);
    if (!r->dump) return;
    double sum = 0;
    for (unsigned i = 0; i < 4; i++) sum += ret_counts[i] * SIM_COUNT_N;
    fprintf(r->dump, "%s,%.6f,%.3f,%.2f\n", plate_label(r, plate), t_s, true_N, sum);
}

/* Feeds the set in blocks; losses stand between blocks. */
static void play(struct run *r, double seconds)
{
    int32_t counts[2][BLOCK * 4];
    uint64_t n = (uint64_t)(seconds / r->period_s);
    double p_loss = r->c.losses_per_min / 60 * r->period_s * BLOCK, p_spike = r->c.spikes_per_min / 60 * r->period_s;
    for (uint64_t at = 0; at < n;) {
        if (p_loss > 0 && chance(&r->faults, p_loss)) {
            struct plate_gap gap = {.sample = at, .reason = PLATE_GAP_SEQUENCE};
            gap.count = 1 + (uint64_t)sim_rng_uniform(&r->faults, 0, r->c.loss_max);
            for (unsigned k = 0; k < r->v->plates; k++) plate_station_gap(r->station, k, &gap);
            printf("{\"is\":\"gap\",\"count\":%u", (unsigned)gap.count);
            time_of("t_s", (double)at * r->period_s);
            puts("}");
            at += gap.count;
        }
        unsigned rows = (unsigned)fmin(BLOCK, (double)n - (double)at);
        for (unsigned i = 0; at < n && i < rows; i++) {
            double fault_N = 0;
            if (p_spike > 0 && chance(&r->faults, p_spike)) fault_N = sim_rng_uniform(&r->faults, -300, 300);
            for (unsigned k = 0; k < r->v->plates; k++)
                read_cells(r, k, (double)(at + i) * r->period_s, fault_N, counts[k] + i * 4);
        }
        for (unsigned k = 0; at < n && k < r->v->plates; k++) plate_station_samples(r->station, k, at, counts[k], rows);
        at += rows;
    }
    r->samples += n;
    plate_station_finish(r->station);
}

static void say_truth(struct run *r)
{
    for (unsigned k = 0; k < r->v->plates; k++)
        for (unsigned i = 0; i < sim_body_reps(r->body); i++) {
            struct sim_truth t;
            if (!sim_body_truth(r->body, i, foot(r, k), &t)) continue;
            printf("{\"is\":\"truth\",\"plate\":\"%s\",\"kind\":\"rep\",\"side\":\"%s\",\"set\":%u,\"rep\":%u",
                   plate_label(r, k), plate_side_name(t.side), t.set, t.rep);
            say_times(t.onset_s, t.top_s, t.descent_s, t.end_s, t.peak_N + offset_N(r, k, t.onset_s));
            puts("}");
        }
}

/* The side as an operator would mark it, while the plate is empty before the set. */
static void mark_sides(struct run *r)
{
    unsigned set = 0;
    for (unsigned i = 0; i < sim_body_reps(r->body); i++) {
        struct sim_truth t;
        double start_s, end_s;
        if (!sim_body_truth(r->body, i, PLATE_SIDE_BOTH, &t) || t.set == set || t.side == PLATE_SIDE_BOTH) continue;
        sim_body_rep_span(r->body, i, &start_s, &end_s);
        struct plate_mark m = {.t_s = set == 0 ? 0 : start_s - 1.5, .kind = "side"};
        snprintf(m.value, sizeof m.value, "%s", plate_side_name(t.side));
        plate_station_mark(r->station, &m);
        set = t.set;
    }
}

static int new_body(const struct variation *v, uint64_t seed, struct sim_body **ret)
{
    struct sim_body_config cfg = {.exercise = sim_exercise_find(v->exercise),
                                  .set = {PLATE_SIDE_LEFT, PLATE_SIDE_RIGHT},
                                  .sets = 2,
                                  .reps = REPS_PER_SET,
                                  .seed = seed,
                                  .hold_s = NAN,
                                  .set_rest_s = 6,
                                  .start_delay_s = 2};
    if (!cfg.exercise) return -EINVAL;
    if (!cfg.exercise->one_leg || v->plates == 2) cfg.set[0] = PLATE_SIDE_BOTH, cfg.sets = 1, cfg.reps = 2 * REPS_PER_SET;
    return sim_body_new(&cfg, ret);
}

/* 0 or -errno; *ret_reps: what a plate saw. */
static int run_set(const struct variation *v, double rate_Hz, uint64_t seed, unsigned k, FILE *dump, unsigned *ret_reps)
{
    char cell[96];
    snprintf(cell, sizeof cell, "%s@%g#%u", v->name, rate_Hz, k);
    seed = hash(seed * 0x9E3779B97F4A7C15u ^ 0xCBF29CE484222325u, cell);
    struct run r = {.v = v, .rate_Hz = rate_Hz, .dump = dump};
    sim_rng_init(&r.faults, seed, 99);
    draw_conditions(&r.faults, &r.c);
    r.period_s = 1 / (rate_Hz * (1 + r.c.rate_error));
    r.hum_phase = sim_rng_uniform(&r.faults, 0, 6.283185307179586);
    int e = v->exercise ? new_body(v, seed, &r.body) : 0;
    if (e < 0) return e;
    for (unsigned p = 0; p < v->plates; p++) sim_sensor_init(&r.sensor[p], seed, p, 4, r.c.noise_N, r.c.drift_N_per_min);
    r.station = new_station(&r);
    if (!r.station) {
        sim_body_free(r.body);
        return -errno;
    }
    double seconds = r.body ? sim_body_duration_s(r.body) + 2 : v->quiet_s;
    printf(
        "{\"is\":\"set\",\"cell\":\"%s\",\"k\":%u,\"seconds\":%.3f,\"noise_N\":%.3f,\"drift_N_per_min\":%.3f,\"tare_N\":%.3f,"
        "\"hum_N\":%.3f,\"spikes_per_min\":%.3f,\"losses_per_min\":%.3f,\"rate_error\":%.5f}\n",
        cell, k, seconds, r.c.noise_N, r.c.drift_N_per_min, r.c.tare_N, r.c.hum_N, r.c.spikes_per_min, r.c.losses_per_min,
        r.c.rate_error);
    if (r.body) {
        say_truth(&r);
        mark_sides(&r);
    }
    play(&r, seconds);
    puts("{\"is\":\"end\"}");
    *ret_reps = r.body ? sim_body_reps(r.body) : UINT32_MAX;
    plate_station_free(r.station);
    sim_body_free(r.body);
    return 0;
}

/* ---- the program ---- */

static const struct variation *find(const char *name)
{
    for (unsigned i = 0; i < VARIATIONS; i++)
        if (strcmp(variations[i].name, name) == 0) return &variations[i];
    return NULL;
}

static int complain(const char *where, const char *what)
{
    fprintf(stderr, "bench_detector: %s: %s\n", where, what);
    return 2;
}

static void list(void)
{
    for (unsigned i = 0; i < VARIATIONS; i++) {
        const struct variation *v = &variations[i];
        printf("{\"name\":\"%s\",\"plates\":%u,\"turn\":\"%s\",\"first\":\"%s\",\"athlete\":%s}\n", v->name, v->plates, v->turn,
               v->first, v->exercise ? "true" : "false");
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list();
        return 0;
    }
    bool one = argc >= 6 && strcmp(argv[3], "--set") == 0, dumps = one && argc == 8 && strcmp(argv[6], "--dump") == 0;
    if (argc != 5 && !dumps && !(one && argc == 6)) return complain("usage", "see the head of tests/bench/bench_detector.c");
    const struct variation *v = find(argv[1]);
    if (!v) return complain(argv[1], "no such variation; --list has them");
    double rate_Hz = strtod(argv[2], NULL);
    if (!(rate_Hz >= 1 && rate_Hz <= 100000)) return complain(argv[2], "not a rate in Hz");
    uint64_t seed = strtoull(argv[one ? 5 : 4], NULL, 10);
    unsigned reps = one ? 1 : (unsigned)strtoul(argv[3], NULL, 10), done = 0;
    FILE *dump = dumps ? fopen(argv[7], "we") : NULL;
    if (dumps && !dump) return complain(argv[7], strerror(errno));
    for (unsigned k = one ? (unsigned)strtoul(argv[4], NULL, 10) : 0, n; done < reps; k++, done += n) {
        int e = run_set(v, rate_Hz, seed, k, dump, &n);
        if (e == 0 && n < UINT32_MAX - done) continue;
        if (e == 0) break;
        fprintf(stderr, "bench_detector: %s: %s\n", v->name, strerror(-e));
        return 1;
    }
    return dump && fclose(dump) ? 1 : 0;
}
