/* bench_detector: simulated sets through the whole core (plate_station), beside their truth; scripts/bench-detector scores it.
 *   bench_detector --list                                     the variations, as JSON, one object a line
 *   bench_detector VARIATION RATE REPS SEED                   sets until REPS reps were done, likewise
 *   bench_detector VARIATION RATE --set K SEED [--dump FILE]  set K of that cell alone; FILE: plate,t_s,true_N,measured_N
 * A set is a function of (seed, variation, rate, K) alone, so a failure is reproduced by its cell. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plate/station.h"
#include "sim_body.h"
#include "sim_sensor.h"

enum { BLOCK = 64, REPS_PER_SET = 5, VARIATIONS_MAX = 128 };
#define QUIET_S_PER_REP 9.0 /* nobody trains for an hour where others do 400 reps */

/* ---- what is tried ---- */

enum group { GRID, DISTURBED, QUIET };
static const char *const group_names[] = {"grid", "disturbed", "quiet"};

struct variation {
    char name[96];
    enum group group;
    const struct sim_exercise *exercise; /* NULL: nobody trains */
    const char *told;                    /* the exercise that the station is told */
    unsigned plates;
    enum sim_turn turn;
    unsigned profiles; /* mask */
    unsigned events;   /* mask; 0 in the grid: drawn for each set */
    enum sim_bad_cell bad;
    const struct quiet *quiet;
};

/* Nobody trains: what stands on the plate, and under what conditions. */
struct quiet {
    const char *name, *told;
    double load_N, sway_N;
    struct sim_sensor_config sensor;
};
static const struct quiet quiets[] = {
    {.name = "empty/noise", .told = "generic", .sensor = {.noise_N = 0.3}},
    {.name = "empty/loud", .told = "single_leg_hip_thrust", .sensor = {.noise_N = 3}},
    {.name = "empty/drift", .told = "generic", .sensor = {.noise_N = 0.3, .drift_N_per_min = 6}},
    {.name = "empty/hum", .told = "single_leg_hip_thrust", .sensor = {.noise_N = 0.3, .hum_N = 3}},
    {.name = "empty/spikes", .told = "generic", .sensor = {.noise_N = 0.3, .spikes_per_min = 10}},
    {.name = "empty/losses", .told = "generic", .sensor = {.noise_N = 0.3, .losses_per_min = 10, .loss_samples = {1, 50}}},
    {.name = "empty/squat", .told = "squat", .sensor = {.noise_N = 0.3, .drift_N_per_min = 0.5}},
    {.name = "foot",
     .told = "single_leg_hip_thrust",
     .load_N = 80,
     .sway_N = 0.5,
     .sensor = {.noise_N = 0.3, .drift_N_per_min = -0.5}},
    {.name = "foot/drift",
     .told = "single_leg_hip_thrust",
     .load_N = 80,
     .sway_N = 0.5,
     .sensor = {.noise_N = 0.3, .drift_N_per_min = 6}},
    {.name = "foot/spikes", .told = "generic", .load_N = 80, .sway_N = 0.5, .sensor = {.noise_N = 0.3, .spikes_per_min = 10}},
    {.name = "standing", .told = "squat", .load_N = 700, .sway_N = 4, .sensor = {.noise_N = 0.5}},
    {.name = "standing/jump", .told = "squat_jump", .load_N = 700, .sway_N = 4, .sensor = {.noise_N = 0.5}},
    {.name = "standing/generic", .told = "generic", .load_N = 700, .sway_N = 4, .sensor = {.noise_N = 0.5}},
};

struct list {
    struct variation at[VARIATIONS_MAX];
    unsigned n;
};

static struct variation *add(struct list *l, const struct variation *v, const char *name, const char *more, const char *most)
{
    struct variation *to = &l->at[l->n++];
    *to = *v;
    snprintf(to->name, sizeof to->name, "%s%s%s%s%s", name, *more ? "/" : "", more, *most ? "/" : "", most);
    return to;
}

/* The single-leg thrust by turn and profile; the others by turn, with a profile drawn for each set. */
static void add_exercise(struct list *l, const struct sim_exercise *e)
{
    struct variation v = {.exercise = e, .told = e->name, .plates = e->plates, .profiles = e->profiles};
    bool each = strcmp(e->name, "single_leg_hip_thrust") == 0;
    for (unsigned turn = 0; turn < SIM_TURNS; turn++) {
        if (!(e->turns & 1u << turn)) continue;
        v.turn = (enum sim_turn)turn;
        const char *name = (e->turns & (e->turns - 1)) == 0 ? "" : sim_turn_names[turn];
        for (unsigned p = 0; each && p < SIM_PROFILES; p++)
            if (e->profiles & 1u << p) add(l, &v, e->name, name, sim_profile_names[p])->profiles = 1u << p;
        if (!each) add(l, &v, e->name, name, "");
    }
    if (e->kind == SIM_SQUAT || e->kind == SIM_SIT || e->kind == SIM_JUMP)
        add(l, &v, e->name, v.plates == 1 ? "two_plates" : "one_plate", "")->plates = 3 - v.plates;
}

static void add_generic(struct list *l, const char *exercise)
{
    const struct sim_exercise *e = sim_exercise_find(exercise);
    if (e)
        add(l, &(struct variation){.exercise = e, .told = "generic", .plates = e->plates, .profiles = e->profiles}, "generic",
            exercise, "");
}

static void add_disturbed(struct list *l, const char *exercise)
{
    const struct sim_exercise *e = sim_exercise_find(exercise);
    if (!e) return;
    struct variation v = {.group = DISTURBED, .exercise = e, .told = e->name, .plates = e->plates, .profiles = e->profiles};
    for (unsigned i = 0; i < SIM_EVENTS; i++) {
        v.events = 1u << i;
        add(l, &v, "disturbed", exercise, sim_event_names[i]);
    }
    v.events = 0;
    v.bad = SIM_CELL_STUCK;
    add(l, &v, "disturbed", exercise, "stuck_cell");
    v.bad = SIM_CELL_NOISY;
    add(l, &v, "disturbed", exercise, "noisy_cell");
}

static void make_list(struct list *l)
{
    static const char *const generic[] = {"single_leg_hip_thrust", "isometric", "squat", "squat_jump", "sit_to_stand"};
    l->n = 0;
    for (const struct sim_exercise *e = sim_exercises; e->name; e++) add_exercise(l, e);
    for (unsigned i = 0; i < sizeof generic / sizeof *generic; i++) add_generic(l, generic[i]);
    add_disturbed(l, "single_leg_hip_thrust");
    add_disturbed(l, "squat");
    for (unsigned i = 0; i < sizeof quiets / sizeof *quiets; i++)
        add(l, &(struct variation){.group = QUIET, .told = quiets[i].told, .plates = 1, .quiet = &quiets[i]}, "quiet",
            quiets[i].name, "");
}

/* ---- what is drawn anew for each set ---- */

static void draw_sensor(struct sim_rng *r, const struct variation *v, double rate_Hz, struct sim_sensor_config *c)
{
    double quiet = sim_rng_uniform(r, 0, 1);
    *c = (struct sim_sensor_config){.noise_N = 0.1 + 1.9 * quiet * quiet};
    c->drift_N_per_min = sim_rng_uniform(r, -0.5, 0.5);
    if (sim_rng_chance(r, 0.1)) c->drift_N_per_min = sim_rng_uniform(r, -6, 6);
    if (sim_rng_chance(r, 0.3)) c->tare_error_N = sim_rng_uniform(r, -15, 15);
    if (sim_rng_chance(r, 0.3)) c->hum_N = sim_rng_uniform(r, 0.1, 1), c->hum_Hz = sim_rng_chance(r, 0.5) ? 50 : 60;
    if (sim_rng_chance(r, 0.2)) c->spikes_per_min = sim_rng_uniform(r, 1, 6);
    if (sim_rng_chance(r, 0.2)) c->losses_per_min = sim_rng_uniform(r, 1, 6), c->loss_samples[0] = 1, c->loss_samples[1] = 50;
    if (sim_rng_chance(r, 0.3)) c->rate_error = sim_rng_uniform(r, -0.01, 0.01);
    if (sim_rng_chance(r, 0.2)) c->step_N = sim_rng_uniform(r, 0.05, 0.5);
    if (v->quiet) *c = v->quiet->sensor;
    c->cells = 4;
    c->rate_Hz = rate_Hz;
    c->bad = v->bad;
    c->bad_cell = sim_rng_below(r, 4);
}

static unsigned draw_of_mask(struct sim_rng *r, unsigned mask)
{
    unsigned n = 0;
    for (unsigned i = 0; i < 32; i++) n += mask >> i & 1;
    for (unsigned i = 0, k = n ? sim_rng_below(r, n) : 0; n && i < 32; i++)
        if ((mask >> i & 1) && k-- == 0) return i;
    return 0;
}

static void draw_body(struct sim_rng *r, const struct variation *v, uint64_t seed, struct sim_body_config *c)
{
    sim_body_config_init(c, v->exercise);
    bool thrust = v->exercise->kind == SIM_THRUST;
    c->seed = seed;
    c->reps = REPS_PER_SET;
    c->sets = 2;
    c->set[0] = sim_rng_chance(r, 0.5) ? PLATE_SIDE_LEFT : PLATE_SIDE_RIGHT;
    c->set[1] = c->set[0] == PLATE_SIDE_LEFT ? PLATE_SIDE_RIGHT : PLATE_SIDE_LEFT;
    if (!v->exercise->one_leg) c->sets = 1, c->set[0] = PLATE_SIDE_BOTH, c->reps = 2 * REPS_PER_SET;
    c->turn = v->turn;
    c->profile = (enum sim_profile)draw_of_mask(r, v->profiles);
    c->start_delay_s = sim_rng_uniform(r, 1, 4);
    c->set_rest_s = sim_rng_uniform(r, 4, 8);
    c->tremor = sim_rng_uniform(r, 0.5, 2);
    if (thrust && sim_rng_chance(r, 0.15)) c->band_N_per_m = sim_rng_uniform(r, 100, 600);
    if (thrust && sim_rng_chance(r, 0.15)) c->foot_up_m = sim_rng_uniform(r, 0.05, 0.3);
    if (thrust && sim_rng_chance(r, 0.1)) c->hold_s = 0;
    if (thrust && sim_rng_chance(r, 0.1)) c->hold_s = sim_rng_uniform(r, 3, 10);
    if (sim_rng_chance(r, 0.3)) c->weaker = PLATE_SIDE_LEFT, c->weaker_pct = sim_rng_uniform(r, 0, 20);
    if (sim_rng_chance(r, 0.3)) c->fatigue_pct = sim_rng_uniform(r, 0, 4);
    c->odd_first = thrust && sim_rng_chance(r, 0.2);
    bool disturbed = v->group == GRID && sim_rng_chance(r, 0.35);
    if (disturbed) c->events = 1u << sim_rng_below(r, SIM_EVENTS);
    if (disturbed) c->events |= 1u << sim_rng_below(r, SIM_EVENTS);
    c->events &= ~(1u << SIM_EVENT_LEAN); /* force alone does not tell it from a rep: it has rows of its own */
    if (v->events) c->events = v->events, c->events_per_set = 4;
}

static uint64_t hash(uint64_t h, const char *text)
{
    for (; *text; text++) h = (h ^ (uint8_t)*text) * 0x100000001B3u; /* FNV-1a */
    return h;
}

/* ---- one set ---- */

struct run {
    const struct variation *v;
    struct sim_sensor_config cfg;
    struct sim_body *body;
    struct sim_rng rng;
    struct sim_sensor sensor[2];
    double sway_N;
    struct plate_station *station;
    FILE *dump;
    struct hand { /* samples on their way to the station */
        int32_t counts[BLOCK * 4];
        uint64_t first, lost;
        unsigned rows;
    } hand[2];
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
        printf("{\"is\":\"rep\",\"plate\":\"%s\",\"side\":\"%s\",\"set\":%d,\"rep\":%d", r->plate,
               plate_side_name((enum plate_side)r->side), r->set, r->rep);
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

static struct plate_station *new_station(struct run *r)
{
    static const char *const corner[] = {"front_left", "front_right", "back_left", "back_right"};
    const struct plate_station_sink sink = {.event = on_event, .user = r};
    struct plate_station_config cfg;
    plate_station_config_default(&cfg);
    cfg.plates = r->v->plates;
    snprintf(cfg.exercise, sizeof cfg.exercise, "%s", r->v->told);
    for (unsigned k = 0; k < cfg.plates; k++) {
        struct plate_station_plate *p = &cfg.plate[k];
        snprintf(p->name, sizeof p->name, "%s", plate_label(r, k));
        p->side = cfg.plates == 2 ? foot(r, k) : PLATE_SIDE_NONE;
        p->rate_Hz = r->cfg.rate_Hz;
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
        plate_station_clock(s, k, &(struct plate_clock){.period_s = 1 / (r->cfg.rate_Hz * (1 + r->cfg.rate_error))});
    }
    return s;
}

/* A body that stands still sways: an Ornstein-Uhlenbeck process with a correlation time of 0.3 s. */
static double standing_N(struct run *r)
{
    double keep = 1 / (1 + 1 / (0.3 * r->cfg.rate_Hz)), sd = r->v->quiet->sway_N;
    if (sd > 0) r->sway_N = keep * r->sway_N + sqrt(1 - keep * keep) * sd * sim_rng_normal(&r->rng);
    return r->v->quiet->load_N + r->sway_N;
}

static void read_cells(struct run *r, unsigned plate, double t_s, int32_t *ret_counts)
{
    struct sim_force f = {0};
    if (r->body)
        sim_body_force(r->body, foot(r, plate), t_s, &f);
    else
        f.foot_N = standing_N(r);
    sim_sensor_read(&r->sensor[plate], &f, t_s, ret_counts);
    if (!r->dump) return;
    double sum_N = 0;
    for (unsigned i = 0; i < 4; i++) sum_N += ret_counts[i] * SIM_COUNT_N;
    fprintf(r->dump, "%s,%.6f,%.3f,%.2f\n", plate_label(r, plate), t_s, f.foot_N, sum_N);
}

static void hand_in(struct run *r, unsigned plate)
{
    struct hand *h = &r->hand[plate];
    if (h->rows) plate_station_samples(r->station, plate, h->first, h->counts, h->rows);
    h->rows = 0;
}

static void tell_loss(struct run *r, unsigned plate, uint64_t next)
{
    struct hand *h = &r->hand[plate];
    struct plate_gap gap = {.sample = next - h->lost, .count = h->lost, .reason = PLATE_GAP_SEQUENCE};
    plate_station_gap(r->station, plate, &gap);
    printf("{\"is\":\"gap\",\"plate\":\"%s\",\"count\":%u", plate_label(r, plate), (unsigned)gap.count);
    time_of("t_s", sim_sensor_t_s(&r->sensor[plate], gap.sample));
    puts("}");
    h->lost = 0;
}

static void play(struct run *r, double seconds)
{
    for (uint64_t k = 0; sim_sensor_t_s(&r->sensor[0], k) < seconds; k++)
        for (unsigned p = 0; p < r->v->plates; p++) {
            struct hand *h = &r->hand[p];
            int32_t counts[4];
            read_cells(r, p, sim_sensor_t_s(&r->sensor[p], k), counts);
            if (sim_sensor_lost(&r->sensor[p], k)) {
                hand_in(r, p);
                h->lost++;
                continue;
            }
            if (h->lost) tell_loss(r, p, k);
            if (h->rows == 0) h->first = k;
            memcpy(h->counts + 4 * h->rows++, counts, sizeof counts);
            if (h->rows == BLOCK) hand_in(r, p);
        }
    for (unsigned p = 0; p < r->v->plates; p++) hand_in(r, p);
    plate_station_finish(r->station);
}

/* What the sensor adds to the sum at that time, without noise: peak force is judged against what the plate could know. */
static double offset_N(const struct run *r, double t_s) { return r->cfg.tare_error_N + r->cfg.drift_N_per_min / 60 * t_s; }

static void say_truth(struct run *r, unsigned plate)
{
    for (unsigned i = 0; i < sim_body_reps(r->body); i++) {
        struct sim_truth t;
        if (!sim_body_truth(r->body, i, foot(r, plate), &t)) continue;
        printf("{\"is\":\"truth\",\"plate\":\"%s\",\"kind\":\"rep\",\"side\":\"%s\",\"set\":%u,\"rep\":%u,\"floated\":%s,"
               "\"floating\":%s",
               plate_label(r, plate), plate_side_name(t.side), t.set, t.rep, t.floated ? "true" : "false",
               t.floating ? "true" : "false");
        say_times(t.onset_s, t.top_s, t.descent_s, t.end_s, t.peak_N);
        number("offset_N", offset_N(r, t.onset_s));
        time_of("bottom_s", t.bottom_s);
        puts("}");
    }
    for (unsigned i = 0; i < sim_body_events(r->body); i++) {
        const struct sim_event *e = sim_body_event(r->body, i);
        if (r->v->plates == 2 && e->foot != PLATE_SIDE_NONE && e->foot != foot(r, plate)) continue;
        printf("{\"is\":\"truth\",\"plate\":\"%s\",\"kind\":\"%s\"", plate_label(r, plate), sim_event_names[e->kind]);
        say_times(e->start_s, NAN, NAN, e->end_s, NAN);
        puts("}");
    }
}

/* The side as an operator would mark it, while the plate is empty before the set. */
static void mark_sides(struct run *r)
{
    double before_s = 0;
    unsigned set = 0;
    for (unsigned i = 0; i < sim_body_reps(r->body); i++) {
        struct sim_truth t;
        double start_s, end_s;
        sim_body_rep_span(r->body, i, &start_s, &end_s);
        bool known = sim_body_truth(r->body, i, PLATE_SIDE_BOTH, &t);
        if (known && t.set != set) {
            struct plate_mark m = {.t_s = set == 0 ? 0 : (before_s + start_s) / 2, .kind = "side"};
            snprintf(m.value, sizeof m.value, "%s", plate_side_name(t.side));
            plate_station_mark(r->station, &m);
            set = t.set;
        }
        before_s = end_s;
    }
}

static void say_set(const struct run *r, const struct sim_body_config *b, const char *cell, double seconds)
{
    const struct sim_sensor_config *c = &r->cfg;
    printf("{\"is\":\"set\",\"cell\":\"%s\",\"seconds\":%.3f,\"noise_N\":%.3f,\"drift_N_per_min\":%.3f,\"tare_N\":%.3f,\"hum_"
           "N\":%.3f,"
           "\"spikes_per_min\":%.3f,\"losses_per_min\":%.3f,\"rate_error\":%.5f,\"step_N\":%.3f",
           cell, seconds, c->noise_N, c->drift_N_per_min, c->tare_error_N, c->hum_N, c->spikes_per_min, c->losses_per_min,
           c->rate_error, c->step_N);
    if (r->body && b->exercise->profiles) printf(",\"profile\":\"%s\"", sim_profile_names[b->profile]);
    if (r->body)
        printf(",\"hold_s\":%.3f,\"odd_first\":%s,\"events\":[", isnan(b->hold_s) ? -1 : b->hold_s,
               b->odd_first ? "true" : "false");
    for (unsigned i = 0, some = 0; r->body && i < SIM_EVENTS; i++)
        if (b->events & 1u << i) printf("%s\"%s\"", some++ ? "," : "", sim_event_names[i]);
    puts(r->body ? "]}" : "}");
}

/* 0 or -errno; *ret_reps: how many were done. `reps`: how many are wanted, where nobody trains. */
static int run_set(const struct variation *v, double rate_Hz, uint64_t seed, unsigned k, unsigned reps, FILE *dump,
                   unsigned *ret_reps)
{
    char cell[128];
    struct sim_body_config body;
    struct run r = {.v = v, .dump = dump};
    snprintf(cell, sizeof cell, "%s@%g#%u", v->name, rate_Hz, k);
    seed = hash(seed * 0x9E3779B97F4A7C15u ^ 0xCBF29CE484222325u, cell);
    sim_rng_init(&r.rng, seed, 99);
    draw_sensor(&r.rng, v, rate_Hz, &r.cfg);
    int e = 0;
    if (v->exercise) {
        draw_body(&r.rng, v, seed, &body);
        e = sim_body_new(&body, &r.body);
    }
    for (unsigned p = 0; e == 0 && p < v->plates; p++) e = sim_sensor_init(&r.sensor[p], &r.cfg, seed, p);
    if (e == 0) {
        r.station = new_station(&r);
        e = r.station ? 0 : -errno;
    }
    if (e == 0) {
        double seconds = r.body ? sim_body_duration_s(r.body) + 2 : QUIET_S_PER_REP * reps;
        say_set(&r, &body, cell, seconds);
        for (unsigned p = 0; r.body && p < v->plates; p++) say_truth(&r, p);
        if (r.body && v->plates == 1) mark_sides(&r);
        play(&r, seconds);
        puts("{\"is\":\"end\"}");
        *ret_reps = r.body ? sim_body_reps(r.body) : reps;
    }
    plate_station_free(r.station);
    sim_body_free(r.body);
    return e;
}

/* ---- the program ---- */

static const struct variation *find(const struct list *l, const char *name)
{
    for (unsigned i = 0; i < l->n; i++)
        if (strcmp(l->at[i].name, name) == 0) return &l->at[i];
    return NULL;
}

static int complain(const char *where, const char *what, int status)
{
    fprintf(stderr, "bench_detector: %s: %s\n", where, what);
    return status;
}

static void say_list(const struct list *l)
{
    for (unsigned i = 0; i < l->n; i++) {
        const struct variation *v = &l->at[i];
        bool down = v->exercise && (v->exercise->kind == SIM_SQUAT || v->exercise->kind == SIM_JUMP);
        printf("{\"name\":\"%s\",\"group\":\"%s\",\"plates\":%u,\"first\":\"%s\"}\n", v->name, group_names[v->group], v->plates,
               down ? "lower" : "drive");
    }
}

int main(int argc, char **argv)
{
    struct list list;
    make_list(&list);
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        say_list(&list);
        return 0;
    }
    bool one = (argc == 6 || argc == 8) && strcmp(argv[3], "--set") == 0,
         dumps = argc == 8 && one && strcmp(argv[6], "--dump") == 0;
    if (argc != 5 && !dumps && !(one && argc == 6)) return complain("usage", "see the head of tests/bench/bench_detector.c", 2);
    const struct variation *v = find(&list, argv[1]);
    if (!v) return complain(argv[1], "no such variation; --list has them", 2);
    double rate_Hz = strtod(argv[2], NULL);
    if (!(rate_Hz >= 1 && rate_Hz <= 100000)) return complain(argv[2], "not a rate in Hz", 2);
    uint64_t seed = strtoull(argv[one ? 5 : 4], NULL, 10);
    unsigned reps = one ? 1 : (unsigned)strtoul(argv[3], NULL, 10), n = 0;
    FILE *dump = dumps ? fopen(argv[7], "we") : NULL;
    if (dumps && !dump) return complain(argv[7], strerror(errno), 1);
    for (unsigned done = 0, k = one ? (unsigned)strtoul(argv[4], NULL, 10) : 0; done < reps; k++, done += n) {
        int e = run_set(v, rate_Hz, seed, k, one ? 400 : reps, dump, &n);
        if (e < 0) return complain(v->name, strerror(-e), 1);
    }
    return dump && fclose(dump) ? complain(argv[7], strerror(errno), 1) : 0;
}
