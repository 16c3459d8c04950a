/* bench_sample [ROUNDS]: what one sample of four cells costs, on a realistic set at 1 kHz: from counts to events, from wire
 * bytes to events, and its parts, beside the floor of reading each count once. One JSON object a line: medians over the
 * rounds (each runs everything in turn), nanoseconds of the processor per sample: what other programs do meanwhile is not
 * counted. A benchmark, not a test: it asserts that every rep came and that nothing was allocated, and no speed. Built with
 * the allocator wrapped (-Wl,--wrap=malloc and so on). */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plate/filter.h"
#include "plate/intake.h"
#include "plate/station.h"
#include "plate/wire.h"
#include "sim_sensor.h"

enum { CELLS = 4, RATE_HZ = 1000, REPS = 10, ROUNDS_MAX = 1001 };

/* ---- allocations are counted ---- */

static uint64_t allocations; /* of the whole program: single-threaded */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_malloc(size_t n) { return allocations++, __real_malloc(n); }
void *__wrap_calloc(size_t n, size_t size) { return allocations++, __real_calloc(n, size); }
void *__wrap_realloc(void *p, size_t n) { return allocations++, __real_realloc(p, n); }

/* ---- a set ---- */

struct set {
    int32_t *counts; /* rows x CELLS */
    uint8_t *wire;   /* packets, as a board sends them */
    size_t rows, bytes, *packet_end;
    unsigned per_packet, packets;
};

static int make_set(struct set *s, unsigned per_packet)
{
    struct sim_body_config cfg;
    struct sim_body *body;
    struct sim_sensor sensor;
    const struct sim_sensor_config cells = {.cells = CELLS, .rate_Hz = RATE_HZ, .noise_N = 0.5, .drift_N_per_min = 0.4};
    sim_body_config_init(&cfg, sim_exercise_find("single_leg_hip_thrust"));
    cfg.set[0] = PLATE_SIDE_LEFT;
    cfg.sets = 1;
    cfg.reps = REPS;
    cfg.seed = 7;
    if (sim_sensor_init(&sensor, &cells, cfg.seed, 0) < 0 || sim_body_new(&cfg, &body) < 0) return -1;
    *s = (struct set){.rows = (size_t)(sim_body_duration_s(body) * RATE_HZ), .per_packet = per_packet};
    s->rows -= s->rows % per_packet;
    s->counts = malloc(s->rows * CELLS * sizeof *s->counts);
    s->wire = malloc(s->rows * PLATE_WIRE_PACKET_MAX / per_packet);
    s->packet_end = malloc(s->rows / per_packet * sizeof *s->packet_end);
    if (!s->counts || !s->wire || !s->packet_end) return -1;
    for (size_t i = 0; i < s->rows; i++) {
        struct sim_force f;
        sim_body_force(body, PLATE_SIDE_BOTH, (double)i / RATE_HZ, &f);
        sim_sensor_read(&sensor, &f, (double)i / RATE_HZ, s->counts + i * CELLS);
    }
    for (size_t i = 0; i < s->rows; i += per_packet) {
        s->bytes += plate_wire_data(s->wire + s->bytes, (uint32_t)i, (uint32_t)(i * 1000000 / RATE_HZ), s->counts + i * CELLS,
                                    (uint8_t)per_packet, CELLS);
        s->packet_end[s->packets++] = s->bytes;
    }
    sim_body_free(body);
    return 0;
}

static void free_set(struct set *s)
{
    free(s->counts);
    free(s->wire);
    free(s->packet_end);
}

static const struct plate_cell corners[CELLS] = {
    {"front_left", -150, 200}, {"front_right", 150, 200}, {"back_left", -150, -200}, {"back_right", 150, -200}};

static void on_event(void *user, const struct plate_event *e) { *(unsigned *)user += e->type == PLATE_EVENT_REP; }

static struct plate_station *new_station(unsigned *reps)
{
    const struct plate_station_sink sink = {.event = on_event, .user = reps};
    struct plate_station_config cfg;
    struct plate_calibration c;
    plate_station_config_default(&cfg);
    cfg.plates = 1;
    strcpy(cfg.exercise, "single_leg_hip_thrust");
    strcpy(cfg.plate[0].name, "plate");
    cfg.plate[0].rate_Hz = RATE_HZ;
    cfg.plate[0].cells = CELLS;
    memcpy(cfg.plate[0].cell, corners, sizeof corners);
    struct plate_station *s = plate_station_new(&cfg, &sink);
    plate_calibration_identity(&c, CELLS, SIM_COUNT_N);
    if (s && plate_station_calibration(s, 0, &c) == 0) return s;
    plate_station_free(s);
    return NULL;
}

/* ---- what is measured: each runs the whole set once, set-up apart; the reps it found, or -1 ---- */

static double now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static volatile double sunk;

static int floor_counts(const struct set *s, unsigned rows, double *ret_ns)
{
    (void)rows;
    double sum = 0, start = now_ns();
    for (size_t i = 0; i < s->rows; i++) {
        const int32_t *c = s->counts + i * CELLS;
        sum += ((double)c[0] + c[1] + c[2] + c[3]) * SIM_COUNT_N;
    }
    *ret_ns = now_ns() - start;
    sunk = sum;
    return REPS;
}

static int floor_bytes(const struct set *s, unsigned rows, double *ret_ns)
{
    (void)rows;
    uint32_t sum = 0;
    double start = now_ns();
    for (size_t i = 0; i < s->bytes; i++) sum = sum * 31 + s->wire[i]; /* each byte waits for the one before it, as in a CRC */
    *ret_ns = now_ns() - start;
    sunk = sum;
    return REPS;
}

static int calibrate(const struct set *s, unsigned rows, double *ret_ns)
{
    (void)rows;
    struct plate_calibration c;
    struct plate_geometry g;
    struct plate_force f;
    double sum = 0;
    plate_geometry_init(&g, corners, CELLS);
    plate_calibration_identity(&c, CELLS, SIM_COUNT_N);
    double start = now_ns();
    for (size_t i = 0; i < s->rows; i++) {
        plate_calibrate(&c, &g, s->counts + i * CELLS, &f);
        sum += f.Fz_N;
    }
    *ret_ns = now_ns() - start;
    sunk = sum;
    return REPS;
}

static int filter(const struct set *s, unsigned rows, double *ret_ns)
{
    (void)rows;
    struct plate_filter f;
    double sum = 0;
    if (plate_filter_init(&f, 4, 50, RATE_HZ) != 0) return -1;
    double start = now_ns();
    for (size_t i = 0; i < s->rows; i++) sum += plate_filter_push(&f, s->counts[i * CELLS]);
    *ret_ns = now_ns() - start;
    sunk = sum;
    return REPS;
}

static int detect(const struct set *s, unsigned rows, double *ret_ns)
{
    (void)rows;
    static _Alignas(max_align_t) char memory[4 << 20];
    struct plate_rep_detector *d = (struct plate_rep_detector *)(void *)memory;
    struct plate_station_config cfg;
    struct plate_rep_output out;
    int reps = 0;
    plate_station_config_default(&cfg);
    if (plate_rep_detector_size() > sizeof memory) return -1;
    const struct plate_rep_config rep = {.rate_Hz = RATE_HZ, .exercise = "single_leg_hip_thrust", .targets = cfg.targets};
    if (plate_rep_init(d, &rep) != 0) return -1;
    double start = now_ns();
    for (size_t i = 0; i < s->rows; i++) {
        const int32_t *c = s->counts + i * CELLS;
        double force_N = ((double)c[0] + c[1] + c[2] + c[3]) * SIM_COUNT_N;
        const struct plate_rep_input in = {(double)i / RATE_HZ, force_N, force_N, 0, 0, false, NAN};
        if (plate_rep_push(d, &in, &out)) reps += out.rep_done;
    }
    *ret_ns = now_ns() - start;
    return reps;
}

static int counts_to_events(const struct set *s, unsigned rows, double *ret_ns)
{
    unsigned reps = 0;
    struct plate_station *st = new_station(&reps);
    if (!st) return -1;
    plate_station_clock(st, 0, &(struct plate_clock){.period_s = 1.0 / RATE_HZ});
    uint64_t before = allocations;
    double start = now_ns();
    for (size_t i = 0; i < s->rows; i += rows)
        plate_station_samples(st, 0, i, s->counts + i * CELLS, s->rows - i < rows ? s->rows - i : rows);
    plate_station_finish(st);
    *ret_ns = now_ns() - start;
    bool clean = allocations == before;
    plate_station_free(st);
    return clean ? (int)reps : -1;
}

/* From bytes: each read is taken as the daemon's engine takes it, and nothing is around libplate but what joins its parts. */
static void on_clock(void *user, const struct plate_clock *knot) { plate_station_clock(user, 0, knot); }
static void on_gap(void *user, const struct plate_gap *gap) { plate_station_gap(user, 0, gap); }
static void on_block(void *user, uint64_t first, const int32_t *counts, size_t n)
{
    plate_station_samples(user, 0, first, counts, n);
}

static int bytes_to_events(const struct set *s, unsigned rows, double *ret_ns)
{
    unsigned reps = 0, packets = rows / s->per_packet ? rows / s->per_packet : 1;
    const struct plate_decoder_config decoder = {.protocol = "native", .cells = CELLS};
    const struct plate_timebase_config timebase = {.nominal_rate_Hz = RATE_HZ, .tick_s = 1e-6};
    struct plate_epoch epoch = {.set = false};
    int64_t due_ns;
    struct plate_intake in;
    struct plate_station *st = new_station(&reps);
    if (!st || plate_intake_init(&in, &decoder, &timebase) != 0) return -1;
    const struct plate_intake_sink sink = {.clock = on_clock, .gap = on_gap, .block = on_block, .user = st};
    uint64_t before = allocations;
    double start = now_ns();
    for (unsigned p = 0; p < s->packets; p += packets) {
        unsigned to = p + packets < s->packets ? p + packets : s->packets;
        size_t from = p ? s->packet_end[p - 1] : 0;
        int64_t host_ns = (int64_t)to * s->per_packet * (1000000000 / RATE_HZ);
        plate_intake_decode(&in, s->wire + from, s->packet_end[to - 1] - from, NULL, NULL);
        plate_intake_take(&in, &epoch, host_ns, host_ns, &sink);
        plate_decoder_say(&in.decoder, host_ns, &due_ns);
    }
    plate_station_finish(st);
    *ret_ns = now_ns() - start;
    bool clean = allocations == before;
    plate_intake_done(&in);
    plate_station_free(st);
    return clean ? (int)reps : -1;
}

/* ---- the rounds ---- */

struct measure {
    const char *name;
    int (*run)(const struct set *s, unsigned rows, double *ret_ns);
    unsigned set, rows; /* which set; samples of one call or read */
    const char *floor;
    double ns[ROUNDS_MAX];
};
static struct measure measures[] = {
    {.name = "floor, counts", .run = floor_counts, .rows = 16},
    {.name = "floor, bytes of 1-sample packets", .run = floor_bytes, .rows = 16},
    {.name = "floor, bytes of 10-sample packets", .run = floor_bytes, .set = 1, .rows = 10},
    {.name = "calibrate", .run = calibrate, .rows = 16, .floor = "floor, counts"},
    {.name = "filter", .run = filter, .rows = 16, .floor = "floor, counts"},
    {.name = "detect", .run = detect, .rows = 16, .floor = "floor, counts"},
    {.name = "counts to events, 16 a call", .run = counts_to_events, .rows = 16, .floor = "floor, counts"},
    {.name = "counts to events, 1 a call", .run = counts_to_events, .rows = 1, .floor = "floor, counts"},
    {.name = "bytes to events, 16 a read, 1 a packet",
     .run = bytes_to_events,
     .rows = 16,
     .floor = "floor, bytes of 1-sample packets"},
    {.name = "bytes to events, 1 a read, 1 a packet",
     .run = bytes_to_events,
     .rows = 1,
     .floor = "floor, bytes of 1-sample packets"},
    {.name = "bytes to events, 10 a read, 10 a packet",
     .run = bytes_to_events,
     .set = 1,
     .rows = 10,
     .floor = "floor, bytes of 10-sample packets"},
};
enum { MEASURES = sizeof measures / sizeof *measures };

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double floor_ns(const char *name, unsigned rounds)
{
    for (unsigned i = 0; name && i < MEASURES; i++)
        if (strcmp(measures[i].name, name) == 0) return measures[i].ns[rounds / 2];
    return NAN;
}

static void report(unsigned rounds)
{
    for (unsigned i = 0; i < MEASURES; i++) qsort(measures[i].ns, rounds, sizeof *measures[i].ns, by_value);
    for (unsigned i = 0; i < MEASURES; i++) {
        const struct measure *m = &measures[i];
        printf("{\"bench\":\"%s\",\"ns_per_sample\":%.2f,\"least\":%.2f,\"most\":%.2f", m->name, m->ns[rounds / 2], m->ns[0],
               m->ns[rounds - 1]);
        if (m->floor) printf(",\"times_its_floor\":%.1f", m->ns[rounds / 2] / floor_ns(m->floor, rounds));
        puts("}");
    }
    puts("{\"allocations_after_set_up\":0}");
}

int main(int argc, char **argv)
{
    unsigned rounds = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 15;
    struct set set[2];
    if (rounds < 1 || rounds > ROUNDS_MAX) return fprintf(stderr, "bench_sample: %s: not a number of rounds\n", argv[1]), 2;
    if (make_set(&set[0], 1) < 0 || make_set(&set[1], 10) < 0) return fprintf(stderr, "bench_sample: no memory\n"), 1;
    for (unsigned k = 0; k < rounds; k++)
        for (unsigned i = 0; i < MEASURES; i++) {
            struct measure *m = &measures[i];
            int reps = m->run(&set[m->set], m->rows, &m->ns[k]);
            m->ns[k] /= (double)set[m->set].rows;
            if (reps == REPS) continue;
            fprintf(stderr, "bench_sample: %s: %s\n", m->name,
                    reps < 0 ? "it allocates, or cannot start" : "not every rep came");
            return 1;
        }
    report(rounds);
    free_set(&set[0]);
    free_set(&set[1]);
    return 0;
}
