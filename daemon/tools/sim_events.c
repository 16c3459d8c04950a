#include "sim_private.h"
#include <math.h>

bool sim_event_makes_sense(const struct sim_body *b, enum sim_event_kind kind)
{
    enum sim_kind of = b->cfg.exercise->kind;
    if (kind == SIM_EVENT_ABORT) return of == SIM_THRUST || of == SIM_PUSH;
    return true;
}

/* ---- what happens ---- */

static struct stroke *add_stroke(struct event *e, enum stroke_kind kind, double start_s, double length_s, double size)
{
    struct stroke *s = &e->stroke[e->strokes++];
    *s = (struct stroke){.kind = kind, .start_s = start_s, .length_s = length_s, .size = size};
    e->until_s = fmax(e->until_s, start_s + length_s);
    return s;
}

static void add_plateau(struct event *e, double start_s, double length_s, double size, double up_s, double down_s)
{
    struct stroke *s = add_stroke(e, STROKE_PLATEAU, start_s, length_s, size);
    s->ramp_s[0] = up_s;
    s->ramp_s[1] = down_s;
}

/* C does not say in which order arguments are worked out: what is drawn from is handed over, and drawn inside. */
struct range {
    double low, high;
};
static double pick(struct sim_rng *r, struct range of) { return draw(r, of.low, of.high); }
static struct range times(struct range of, double k) { return (struct range){k * of.low, k * of.high}; }

static void add_bump(struct event *e, struct sim_rng *r, double start_s, struct range length_s, struct range size)
{
    double length = pick(r, length_s);
    add_stroke(e, STROKE_BUMP, start_s, length, pick(r, size));
}

static void add_swing(struct event *e, struct sim_rng *r, enum stroke_kind kind, double start_s, struct range length_s,
                      struct range size, struct range rate_Hz)
{
    double length = pick(r, length_s);
    struct stroke *s = add_stroke(e, kind, start_s, length, pick(r, size));
    s->rate_Hz = pick(r, rate_Hz);
    if (kind == STROKE_WAVE) s->phase = draw(r, 0, 1);
}
#define RANGE(low, high) ((struct range){low, high})

/* Weight comes on in 0.2 to 0.35 s, heel strike first, and goes as the other foot steps down. */
static double step_on_and_off(const struct sim_body *b, struct sim_rng *r, double t, struct event *e)
{
    double weight_N = b->mass_kg * GRAVITY, on_s = draw(r, 0.20, 0.35), off_s = draw(r, 0.25, 0.4), stay_s = draw(r, 0.4, 2.5);
    double length_s = on_s + stay_s + off_s;
    add_plateau(e, t, length_s, weight_N, on_s, off_s);
    add_bump(e, r, t + 0.5 * on_s, RANGE(0.1, 0.25), times(RANGE(0.05, 0.3), weight_N));
    add_bump(e, r, t + on_s + stay_s - 0.1, RANGE(0.15, 0.25), times(RANGE(0.02, 0.12), weight_N));
    add_swing(e, r, STROKE_WAVE, t + on_s, RANGE(stay_s, stay_s), times(RANGE(0.005, 0.02), weight_N), RANGE(0.8, 2));
    return length_s;
}

static double lift_and_set_down(const struct sim_body *b, struct sim_rng *r, double t, struct event *e)
{
    unsigned foot = e->is.foot == PLATE_SIDE_RIGHT;
    double up_s = draw(r, 0.08, 0.2), air_s = draw(r, 0.1, 0.7), down_s = draw(r, 0.06, 0.15);
    struct stroke *s = add_stroke(e, STROKE_LIFT, t, up_s + air_s + down_s, 1);
    s->ramp_s[0] = up_s;
    s->ramp_s[1] = down_s;
    double size = (sim_stands(b->cfg.exercise->kind) ? 0.2 : 1) * b->rest_N[foot];
    add_bump(e, r, t + up_s + air_s + 0.5 * down_s, RANGE(0.06, 0.15), times(RANGE(0.1, 0.5), size));
    return up_s + air_s + down_s + 0.1;
}

static double tap_heel(struct sim_rng *r, double t, struct event *e)
{
    unsigned taps = 1 + sim_rng_below(r, 4);
    double at = t, every_s = draw(r, 0.25, 0.6), size = draw(r, 20, 80);
    for (unsigned i = 0; i < taps; i++, at += every_s) {
        add_stroke(e, STROKE_BUMP, at, 0.16, -0.2 * size); /* the heel is lifted ... */
        add_bump(e, r, at + 0.15, RANGE(0.04, 0.12), times(RANGE(0.7, 1.3), size));
    }
    return at - every_s + 0.3 - t;
}

static double fidget(struct sim_rng *r, double t, struct event *e)
{
    double length_s = draw(r, 3, 7), size = draw(r, 5, 10);
    add_swing(e, r, STROKE_WAVE, t, RANGE(length_s, length_s), RANGE(0.6 * size, 0.6 * size), RANGE(0.4, 0.8));
    add_swing(e, r, STROKE_WAVE, t, RANGE(length_s, length_s), RANGE(0.4 * size, 0.4 * size), RANGE(0.8, 1.6));
    return length_s;
}

static double load_bar(struct sim_rng *r, double t, struct event *e)
{
    unsigned discs = 1 + sim_rng_below(r, 4);
    double at = t;
    for (unsigned i = 0; i < discs; i++) {
        add_stroke(e, STROKE_RISE, at, 0.05, draw(r, 3, 15));
        add_swing(e, r, STROKE_RING, at, RANGE(0.2, 0.4), RANGE(20, 80), RANGE(6, 14));
        at += draw(r, 0.9, 2.2);
    }
    return at - t;
}

/* The plate's own ringing follows the blow. */
static double kick(struct sim_rng *r, double t, struct event *e)
{
    double blow_s = draw(r, 0.02, 0.06), ring_s = draw(r, 0.15, 0.4), size = draw(r, 60, 300);
    if (sim_rng_chance(r, 0.2)) size = -size;
    add_stroke(e, STROKE_BUMP, t, blow_s, size);
    add_swing(e, r, STROKE_RING, t + 0.7 * blow_s, RANGE(ring_s, ring_s), times(RANGE(0.2, 0.4), -size), RANGE(15, 40));
    return blow_s + ring_s;
}

static double lean(struct sim_rng *r, double t, struct event *e)
{
    double on_s = draw(r, 0.8, 1.5), off_s = draw(r, 0.8, 1.5), length_s = on_s + off_s + draw(r, 2, 8),
           size = draw(r, 20, 100);
    add_plateau(e, t, length_s, size, on_s, off_s);
    add_swing(e, r, STROKE_WAVE, t, RANGE(length_s, length_s), times(RANGE(0.05, 0.15), size), RANGE(0.2, 0.5));
    add_swing(e, r, STROKE_WAVE, t, RANGE(length_s, length_s), times(RANGE(0.02, 0.06), size), RANGE(0.6, 1.5));
    return length_s;
}

double sim_event_draw(const struct sim_body *b, struct sim_rng *r, enum sim_event_kind kind, double start_s, struct event *e)
{
    double length_s = 0;
    switch (kind) {
    case SIM_EVENT_STEP:
        length_s = step_on_and_off(b, r, start_s, e);
        break;
    case SIM_EVENT_REPLACE:
        length_s = lift_and_set_down(b, r, start_s, e);
        break;
    case SIM_EVENT_HEEL_TAP:
        length_s = tap_heel(r, start_s, e);
        break;
    case SIM_EVENT_FIDGET:
        length_s = fidget(r, start_s, e);
        break;
    case SIM_EVENT_LOAD:
        length_s = load_bar(r, start_s, e);
        break;
    case SIM_EVENT_KICK:
        length_s = kick(r, start_s, e);
        break;
    case SIM_EVENT_LEAN:
        length_s = lean(r, start_s, e);
        break;
    case SIM_EVENT_ABORT:
    case SIM_EVENTS:
        break;
    }
    e->is.kind = kind;
    e->is.start_s = start_s;
    e->is.end_s = start_s + length_s;
    return length_s;
}

/* ---- its force ---- */

static double fade(const struct stroke *s, double t)
{
    return fmin(sim_min_jerk(t / s->ramp_s[0]), sim_min_jerk((s->length_s - t) / s->ramp_s[1]));
}

static double stroke_at(const struct stroke *s, double t_s)
{
    double t = t_s - s->start_s, x = t / s->length_s;
    if (x <= 0 || (x >= 1 && s->kind != STROKE_RISE)) return 0;
    switch (s->kind) {
    case STROKE_BUMP:
        return s->size * 16 * x * x * (1 - x) * (1 - x);
    case STROKE_RING:
        return s->size * (1 - x) * (1 - x) * (1 - x) * sim_sin(s->rate_Hz * t);
    case STROKE_PLATEAU:
    case STROKE_LIFT:
        return s->size * fade(s, t);
    case STROKE_WAVE:
        return s->size * sim_min_jerk(4 * fmin(x, 1 - x)) * sim_sin(s->rate_Hz * t + s->phase);
    case STROKE_RISE:
        return s->size * sim_min_jerk(x);
    }
    return 0;
}

void sim_events_at(const struct sim_body *b, double t_s, struct sim_event_state ret[2])
{
    ret[0] = ret[1] = (struct sim_event_state){0};
    for (unsigned i = 0; i < b->events && b->event[i].is.start_s < t_s; i++) {
        const struct event *e = &b->event[i];
        bool stays = e->is.kind == SIM_EVENT_LOAD && t_s < b->set[e->is.set - 1].off_s;
        if (t_s >= e->until_s && !stays) continue;
        unsigned foot = e->is.foot == PLATE_SIDE_RIGHT;
        for (unsigned k = 0; k < e->strokes; k++) {
            const struct stroke *s = &e->stroke[k];
            double force = stroke_at(s, t_s);
            if (s->kind == STROKE_LIFT)
                ret[foot].lift = force;
            else if (s->kind == STROKE_RISE)
                ret[foot].stays_N += force;
            else
                ret[foot].force_N += force;
        }
    }
}
