/* station_run.h - a station that is fed reps and keeps what it says; shared by the tests of the station. */
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

#include "plate/station.h"

#define RATE 500.0
enum { SECONDS = 40, N = SECONDS * 500, LOG = 1 << 18 };

struct log {
    char text[LOG];
    size_t n;
    struct plate_mark resume[8];
    unsigned resumes;
};

static inline void on_event(void *user, const struct plate_event *e)
{
    struct log *log = user;
    if (e->type == PLATE_EVENT_MARK) {
        if (strcmp(e->u.mark.kind, "resume") == 0 && log->resumes < 8) log->resume[log->resumes++] = e->u.mark;
        return;
    }
    int n = plate_event_json(e, log->text + log->n, LOG - log->n);
    assert_true(n > 0);
    log->n += (size_t)n;
    log->text[log->n++] = '\n';
    log->text[log->n] = 0;
}

static inline double smooth(double u) { return u <= 0 ? 0 : u >= 1 ? 1 : u * u * u * (10 + u * (-15 + 6 * u)); }

/* A rep every 4 s: rest 50 N, up to `top` in 0.6 s, hold 1.5 s, down in 0.9 s. */
static inline int32_t force_counts(double t_s, double top_N)
{
    double in = fmod(t_s, 4.0) - 0.7, noise = 0.4 * sin(t_s * 1234.5) + 0.3 * cos(t_s * 777.7);
    double up = smooth(in / 0.6) - smooth((in - 2.1) / 0.9);
    return (int32_t)lround(100 * (50 + (top_N - 50) * up + noise));
}

static inline void set_up(struct plate_station_config *cfg, unsigned plates)
{
    plate_station_config_default(cfg);
    strcpy(cfg->exercise, plates == 2 ? "barbell_hip_thrust" : "single_leg_hip_thrust");
    cfg->plates = plates;
    cfg->set_rest_s = 10;
    for (unsigned i = 0; i < plates; i++) {
        struct plate_station_plate *p = &cfg->plate[i];
        strcpy(p->name, plates == 1 ? "plate" : i ? "right" : "left");
        p->side = plates == 1 ? PLATE_SIDE_NONE : i ? PLATE_SIDE_RIGHT : PLATE_SIDE_LEFT;
        p->rate_Hz = RATE;
        p->cells = 1;
        strcpy(p->cell[0].name, "force");
        p->cell[0].x_mm = p->cell[0].y_mm = NAN;
    }
}

static inline struct plate_station *begin(const struct plate_station_config *cfg, struct log *log)
{
    struct plate_station_sink sink = {.event = on_event, .user = log};
    struct plate_calibration c;
    log->n = log->resumes = 0;
    log->text[0] = 0;
    struct plate_station *s = plate_station_new(cfg, &sink);
    assert_non_null(s);
    plate_calibration_identity(&c, 1, 0.01);
    for (unsigned i = 0; i < cfg->plates; i++) {
        struct plate_clock knot = {.t_s = 0.0005 * i, .period_s = 1 / RATE};
        assert_int_equal(plate_station_calibration(s, i, &c), 0);
        assert_int_equal(plate_station_clock(s, i, &knot), 0);
    }
    return s;
}

static inline void feed(struct plate_station *s, unsigned plate, uint64_t from, uint64_t to)
{
    int32_t counts[256];
    while (from < to) {
        uint64_t n = to - from < 256 ? to - from : 256;
        for (uint64_t i = 0; i < n; i++) counts[i] = force_counts((double)(from + i) / RATE, plate ? 380 : 420);
        assert_int_equal(plate_station_samples(s, plate, from, counts, n), 0);
        from += n;
    }
}

static inline unsigned lines_with(const char *text, const char *what)
{
    unsigned n = 0;
    for (const char *at = text; (at = strstr(at, what)); at++) n++;
    return n;
}

static struct log a, b;
