/* One detector fed with signals that are known on paper: lines, and bodies that obey F = S(h) (1 + a/g), where S is the force
 * that holds still at height h, and h moves by minimum jerk. The truth of each phase is noted while it is drawn, by the words
 * of docs/metrics.md. No simulator. */
#pragma once
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "plate/rep.h"

#define G_M_PER_S2 9.80665
enum { MOST_REPS = 32, MOST_PHASES = 512 };

struct body {
    double rest_N;  /* the foot at rest, hips on the floor */
    double floor_N; /* holds the hips just above the floor ... */
    double per_m; /* ... and by this part more for each metre of height; on an arc: at the floor, and nothing more at the top */
    bool arc;
    double rise_m, low_m;
    double up_s, hold_s, down_s, hand_over_s, pause_s;
};
static const struct body plain_leg = {.rest_N = 95,
                                      .floor_N = 160,
                                      .per_m = 1.2,
                                      .rise_m = 0.3,
                                      .low_m = 0.04,
                                      .up_s = 0.7,
                                      .hold_s = 0.8,
                                      .down_s = 0.9,
                                      .hand_over_s = 0.12,
                                      .pause_s = 0.1};
struct truth {
    double onset_s, top_s, descent_s, end_s, peak_N;
};
struct run {
    struct plate_rep_detector *d;
    double rate_Hz, t_s, noise_N, other_share;
    double lies_N; /* on the plate, beside who moves; or the zero is off */
    bool paired;
    uint64_t seed;
    uint64_t samples;
    struct plate_rep rep[MOST_REPS];
    struct truth truth[MOST_REPS];
    unsigned reps, truths;
    enum plate_phase phase[MOST_PHASES];
    double phase_s[MOST_PHASES];
    unsigned phases;
};

static inline void begin(struct run *r, double rate_Hz, const char *exercise)
{
    struct plate_rep_config cfg = {.rate_Hz = rate_Hz, .exercise = exercise, .targets = plate_protocol_targets_none()};
    cfg.targets.hold_min_s = cfg.targets.eccentric_min_s = 1;
    memset(r, 0, sizeof *r);
    r->rate_Hz = rate_Hz;
    r->seed = 11;
    print_message("%s at %g Hz, seed %u\n", exercise, rate_Hz, (unsigned)r->seed);
    r->d = malloc(plate_rep_detector_size());
    assert_non_null(r->d);
    assert_int_equal(plate_rep_init(r->d, &cfg), 0);
}

static inline void end(struct run *r) { free(r->d); }

static inline double random_normal(struct run *r)
{
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        r->seed = r->seed * 6364136223846793005u + 1442695040888963407u;
        sum += (double)(r->seed >> 40) / 16777216.0 - 0.5;
    }
    return sum;
}

/* The first phase event of that kind since `from_s`; NaN: none. */
static inline double first_event_s(const struct run *r, enum plate_phase phase, double from_s)
{
    for (unsigned i = 0; i < r->phases; i++)
        if (r->phase[i] == phase && r->phase_s[i] >= from_s) return r->phase_s[i];
    return NAN;
}

/* What a rep says of its live times is what the phase events said. */
static inline void check_live(const struct run *r, const struct plate_rep *p, double now_s)
{
    double live_s[3] = {p->onset_live_s, p->top_live_s, p->descent_live_s}, from_s = INFINITY;
    for (int i = 0; i < 3; i++)
        if (live_s[i] < from_s) from_s = live_s[i];
    assert_true(p->end_live_s == now_s);
    assert_true(from_s < now_s || isinf(from_s)); /* or nobody saw it */
    for (int i = 0; i < 3; i++) {
        double said_s = first_event_s(r, (enum plate_phase)(PLATE_DRIVE + i), from_s);
        if (isnan(live_s[i]) ? said_s <= p->end_s : live_s[i] != said_s) /* later ones are of others that were over with it */
            fail_msg("rep %u: phase %d went out at %.4f, the rep says %.4f", r->reps, i + 1, said_s, live_s[i]);
    }
}

static inline void hear(struct run *r, const struct plate_rep_output *out, double now_s)
{
    assert_true(out->phase_changed || out->rep_done);
    if (out->rep_done) check_live(r, &out->rep, now_s);
    if (out->phase_changed) {
        assert_true(r->phases < MOST_PHASES);
        r->phase[r->phases] = out->phase, r->phase_s[r->phases++] = now_s;
    }
    if (out->rep_done) {
        assert_true(r->reps < MOST_REPS);
        r->rep[r->reps++] = out->rep;
    }
}

static inline void push(struct run *r, double force_N)
{
    struct plate_rep_output out;
    struct plate_rep_input in = {.t_s = r->t_s, .cop_x_mm = NAN, .cop_y_mm = NAN, .paired = r->paired, .other_N = NAN};
    force_N += r->lies_N;
    in.Fz_filtered_N = r->paired ? force_N * (1 - r->other_share) : force_N; /* a perfect filter: without the noise */
    force_N += r->noise_N * random_normal(r);
    in.Fz_N = r->paired ? force_N * (1 - r->other_share) : force_N;
    if (r->paired) in.other_N = force_N * r->other_share;
    r->t_s = (double)++r->samples / r->rate_Hz;
    if (plate_rep_push(r->d, &in, &out)) hear(r, &out, in.t_s);
}

/* Nothing comes after. */
static inline void finish(struct run *r)
{
    struct plate_rep_output out;
    while (plate_rep_end(r->d, &out)) hear(r, &out, (double)(r->samples - 1) / r->rate_Hz);
    assert_int_equal(plate_rep_phase(r->d), PLATE_REST);
}

static inline void hole(struct run *r, double s)
{
    uint64_t missing = (uint64_t)lround(s * r->rate_Hz);
    plate_rep_gap(r->d, missing);
    r->samples += missing;
    r->t_s = (double)r->samples / r->rate_Hz;
}

/* Straight lines between corners (seconds, newtons), from where the run is. */
static inline void draw(struct run *r, const double (*corner)[2], unsigned n)
{
    double t0_s = r->t_s;
    for (unsigned i = 1; i < n; i++)
        while (r->t_s - t0_s < corner[i][0] - 1e-9) {
            double u = (r->t_s - t0_s - corner[i - 1][0]) / (corner[i][0] - corner[i - 1][0]);
            push(r, corner[i - 1][1] + u * (corner[i][1] - corner[i - 1][1]));
        }
}

/* The acceleration of who goes by so far in `s` by minimum jerk, at the part u of that time. */
static inline double min_jerk_m_per_s2(double u, double by_m, double s)
{
    return (60 * u - 180 * u * u + 120 * u * u * u) * by_m / (s * s);
}

/* A body of that weight, all of it on its feet, goes by so far (down is negative). */
static inline void goes(struct run *r, double weight_N, double by_m, double s)
{
    for (double t0_s = r->t_s; r->t_s - t0_s < s - 1e-9;)
        push(r, weight_N * (1 + min_jerk_m_per_s2((r->t_s - t0_s) / s, by_m, s) / G_M_PER_S2));
}

static inline void rest(struct run *r, double s, double force_N)
{
    for (double t0_s = r->t_s; r->t_s - t0_s < s - 1e-9;) push(r, force_N);
}

/* A body that this force holds is made so much faster within `s`, upwards or down: by a sine squared of force. */
static inline void changes_speed(struct run *r, double level_N, double by_m_per_s, double s)
{
    for (double t0_s = r->t_s; r->t_s - t0_s < s - 1e-9;) {
        double w = sin(M_PI * (r->t_s - t0_s) / s);
        push(r, level_N * (1 + 2 * by_m_per_s / (s * G_M_PER_S2) * w * w));
    }
}

static inline double smooth(double u) { return u <= 0 ? 0 : u >= 1 ? 1 : u * u * u * (10 + u * (-15 + 6 * u)); }

static inline double support_N(const struct body *b, double h_m)
{
    return b->floor_N * (1 + b->per_m * h_m * (b->arc ? 1 - h_m / (2 * b->rise_m) : 1));
}
static inline double top_N(const struct body *b) { return support_N(b, b->rise_m); }

static inline struct truth *now_true(struct run *r) { return &r->truth[r->truths]; }

/* The hips go from one height to another; the foot cannot pull. `share` of the load is on this foot. */
static inline void move(struct run *r, const struct body *b, double from_m, double to_m, double s, double share)
{
    for (double t0_s = r->t_s; r->t_s - t0_s < s - 1e-9;) {
        double u = (r->t_s - t0_s) / s, a = min_jerk_m_per_s2(u, to_m - from_m, s);
        double force_N = fmax(0, share * support_N(b, from_m + (to_m - from_m) * smooth(u)) * (1 + a / G_M_PER_S2));
        now_true(r)->peak_N = fmax(now_true(r)->peak_N, force_N);
        push(r, force_N);
    }
}

/* The floor gives the hips to the foot (or takes them back); notes when the force leaves rest by 5 N, or is within `part` of
 * `step_N` of it. */
static inline void hand_over(struct run *r, const struct body *b, double s, double share, bool back)
{
    double all_N = share * support_N(b, 0) - b->rest_N, t0_s = r->t_s;
    bool noted = false;
    while (r->t_s - t0_s < s - 1e-9) {
        double u = smooth((r->t_s - t0_s) / s), off_N = all_N * (back ? 1 - u : u);
        if (!noted && !back && off_N > 5) now_true(r)->onset_s = r->t_s, noted = true;
        if (!noted && back && off_N <= 0.1 * (share * support_N(b, b->rise_m) - b->rest_N))
            now_true(r)->end_s = r->t_s, noted = true;
        push(r, b->rest_N + off_N);
    }
    if (!noted && back) now_true(r)->end_s = r->t_s;
}

/* One repetition from the floor to the floor. */
static inline void thrust(struct run *r, const struct body *b)
{
    *now_true(r) = (struct truth){0};
    hand_over(r, b, b->hand_over_s, 1, false);
    move(r, b, 0, b->rise_m, b->up_s, 1);
    now_true(r)->top_s = r->t_s;
    rest(r, b->hold_s, support_N(b, b->rise_m));
    now_true(r)->descent_s = r->t_s;
    move(r, b, b->rise_m, 0, b->down_s, 1);
    hand_over(r, b, b->hand_over_s, 1, true);
    r->truths++;
}

static inline void start(struct run *r, double rate_Hz, const char *exercise, double rest_N)
{
    begin(r, rate_Hz, exercise);
    r->noise_N = 1;
    rest(r, 2, rest_N);
}

static inline void thrusts(struct run *r, const struct body *b, unsigned n, double pause_s)
{
    for (unsigned i = 0; i < n; i++) {
        thrust(r, b);
        rest(r, pause_s, b->rest_N);
    }
}

/* From the floor once, then down to `low_m` above it and up again, as often as told, and to the floor at last. `wait_s` above
 * it. */
static inline void floating(struct run *r, const struct body *b, unsigned n, double wait_s)
{
    *now_true(r) = (struct truth){0};
    hand_over(r, b, b->hand_over_s, 1, false);
    for (unsigned i = 0; i < n; i++) {
        double from_m = i == 0 ? 0 : b->low_m, to_m = i + 1 < n ? b->low_m : 0;
        move(r, b, from_m, b->rise_m, b->up_s, 1);
        now_true(r)->top_s = r->t_s;
        rest(r, b->hold_s, top_N(b));
        now_true(r)->descent_s = r->t_s;
        move(r, b, b->rise_m, to_m, b->down_s, 1);
        now_true(r)->end_s = r->t_s; /* a standstill */
        if (i + 1 == n) hand_over(r, b, b->hand_over_s, 1, true);
        r->truths++;
        if (i + 1 < n) {
            rest(r, wait_s, support_N(b, b->low_m));
            *now_true(r) = (struct truth){.onset_s = r->t_s};
        }
    }
    rest(r, 1.5, b->rest_N);
}

static inline int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Each within `most_s`, half of them within `median_s`. Times that are null are not asked. */
static inline void check_error(const char *what, double *error_s, unsigned n, double median_s, double most_s)
{
    if (n == 0) return;
    qsort(error_s, n, sizeof *error_s, ascending);
    if (error_s[n / 2] > median_s || error_s[n - 1] > most_s)
        fail_msg("%s: median %.1f ms, worst %.1f ms; asked for %.0f and %.0f", what, 1e3 * error_s[n / 2], 1e3 * error_s[n - 1],
                 1e3 * median_s, 1e3 * most_s);
}

struct margins {
    double onset_s, onset_most_s, end_s, end_most_s, hold_s, hold_most_s, peak_part;
};
/* At 250 Hz or more, 1 N of noise and rises of 0.8 s at most. */
static const struct margins sharp = {0.010, 0.040, 0.020, 0.080, 0.080, 0.300, 0.005};

static inline void print_reps(const struct run *r)
{
    for (unsigned i = 0; i < r->truths; i++)
        print_message("  truth %7.3f %7.3f %7.3f %7.3f\n", r->truth[i].onset_s, r->truth[i].top_s, r->truth[i].descent_s,
                      r->truth[i].end_s);
    for (unsigned i = 0; i < r->reps; i++)
        print_message("  rep   %7.3f %7.3f %7.3f %7.3f  live %7.3f %7.3f %7.3f %7.3f\n", r->rep[i].onset_s, r->rep[i].top_s,
                      r->rep[i].descent_s, r->rep[i].end_s, r->rep[i].onset_live_s, r->rep[i].top_live_s,
                      r->rep[i].descent_live_s, r->rep[i].end_live_s);
}

/* As many as there were, each over its own by more than half of the shorter of the two, and within the margins. */
static inline void check_reps(const struct run *r, const struct margins *m)
{
    double onset[MOST_REPS], end_[MOST_REPS], hold[2 * MOST_REPS];
    unsigned holds = 0;
    bool good = r->reps == r->truths;
    for (unsigned i = 0; good && i < r->reps; i++) {
        const struct plate_rep *p = &r->rep[i];
        const struct truth *t = &r->truth[i];
        double both_s = fmin(p->end_s, t->end_s) - fmax(p->onset_s, t->onset_s);
        good = both_s > 0.5 * fmin(p->end_s - p->onset_s, t->end_s - t->onset_s);
        onset[i] = fabs(p->onset_s - t->onset_s);
        end_[i] = fabs(p->end_s - t->end_s);
        if (!isnan(p->top_s)) hold[holds++] = fabs(p->top_s - t->top_s);
        if (!isnan(p->descent_s)) hold[holds++] = fabs(p->descent_s - t->descent_s);
    }
    if (!good) print_reps(r);
    if (!good) fail_msg("%u reps found, %u were done, or they do not overlap", r->reps, r->truths);
    if (!m) return;
    check_error("onset", onset, r->reps, m->onset_s, m->onset_most_s);
    check_error("end", end_, r->reps, m->end_s, m->end_most_s);
    check_error("hold", hold, holds, m->hold_s, m->hold_most_s);
    for (unsigned i = 0; m->peak_part > 0 && i < r->reps; i++)
        if (fabs(r->rep[i].peak_force_N / r->truth[i].peak_N - 1) > m->peak_part)
            fail_msg("rep %u: peak %.1f N, it was %.1f N", i + 1, r->rep[i].peak_force_N, r->truth[i].peak_N);
}
