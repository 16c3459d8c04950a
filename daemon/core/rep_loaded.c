#include <math.h>

#include "rep_private.h"

/* docs/detector.md gives the reason of each threshold. A standing body: the force over its weight is its acceleration,
 * a = g (F / W - 1), and velocity and height follow. They leak, so that an error of W does not grow without end. */
#define BAND_PART 0.025
#define VELOCITY_LEAK_S 9.0
#define HEIGHT_LEAK_S 12.0
#define QUIET_S 0.3 /* standing again: in the band for so long */
#define EVEN_S 1.8  /* though the speed that was added up is not nil: nobody rises evenly for so long */
#define RISES_S 4.0 /* though its height says that it is still on the way */
#define PAUSE_S 0.12
#define PAUSE_PART 0.2 /* of the speed downwards */
#define GIVEN_UP_S 6.0 /* or for so long, wherever the momentum ended */
#define DOWN_M_PER_S 0.10
#define LEAST_DEPTH_M 0.06
#define UP_PART 0.2    /* came up with this part of the speed with which it went down (grinding reps are slow) ... */
#define UP_HEIGHT 0.5  /* ... and by this part of the depth */
#define STILL_PART 0.4 /* of the speed upwards: while it is faster, an even force is an even rise */
#define DEEPEST_M 1.5  /* nobody squats so deep, or falls so fast: the load went elsewhere */
#define HIGHEST_M 1.5  /* nor do they rise so far above standing */
#define FASTEST_M_PER_S 4.0
#define WEIGHT_S 1.0 /* a force that is even for so long, to this part, is the weight */
#define WEIGHT_PART 0.005
#define MAX_REP_S 20.0
#define STANDS_S 0.5  /* a body that stands so long where it stood before has come back, whatever its momentum says ... */
#define CLOSED_G 0.15 /* ... if the weight that the plate feels changed by no more than this part on the way */
#define CLOSED_M 0.1
#define CLOSED_M_PER_S 0.2
#define BOTTOM_PART 0.95
#define AIR_PART 0.06 /* airborne: less than this part of the weight */
#define AIR_S 0.05
#define FLIGHT_MOST_S 1.2 /* nobody flies for so long: stepped off */
#define PUSH_PART 1.15    /* who takes off pressed more than this part of the weight ... */
#define PUSH_S 0.6        /* ... no longer before */
#define LANDING_S 0.25    /* the landing's own impact */
#define LANDED_PART 0.15  /* of the weight: landed, and ready for the next */
#define LANDED_QUIET_S 0.1
#define LANDED_MOST_S 3.0

double rep_loaded_band_N(const struct plate_rep_detector *d)
{
    return fmax(rep_decision_band_N(d), BAND_PART * d->rest.mean_N);
}

static void move_on(struct plate_rep_detector *d, double force_N, double dt_s)
{
    d->velocity += dt_s * (GRAVITY * (force_N / d->rest.mean_N - 1) - d->velocity / VELOCITY_LEAK_S);
    d->height += dt_s * (d->velocity - d->height / HEIGHT_LEAK_S);
}

static void integrate(struct plate_rep_detector *d, uint64_t i)
{
    const struct block *b = rep_block_at(d, i), *was = rep_block_at(d, i - 1);
    double hole_s = i > rep_oldest_block(d) ? b->t_s - was->t_s - was->dt_s : 0;
    if (hole_s > 0.5 * d->period_s) move_on(d, (was->force_N + b->force_N) / 2, hole_s); /* a straight line over it */
    move_on(d, b->force_N, b->dt_s);
    d->deepest = fmin(d->deepest, d->height);
    if (d->velocity < d->fastest_down) d->fastest_down = d->velocity, d->fastest_up = 0;
    d->fastest_up = fmax(d->fastest_up, d->velocity);
}

void rep_loaded_begin_at(struct plate_rep_detector *d, double onset_s, struct plate_rep_output *out)
{
    d->state = STATE_LOADED;
    d->onset_s = onset_s;
    d->peak_N = d->low_N = d->smooth_N;
    d->top_s = d->descent_s = d->bottom_s = d->turned_s = d->takeoff_s = d->below_s = d->departed_s = NAN;
    d->astray = false;
    d->velocity = d->height = d->deepest = d->fastest_down = d->fastest_up = 0;
    for (uint64_t i = rep_block_from(d, onset_s); i < d->blocks; i++) integrate(d, i);
    rep_set_phase(d, PLATE_LOWER, out);
}

void rep_loaded_begin(struct plate_rep_detector *d, double departed_s, struct plate_rep_output *out)
{
    rep_loaded_begin_at(d, rep_find_departure(d, departed_s, d->rest.mean_N, rep_band_N(d)), out);
}

static bool came_up(const struct plate_rep_detector *d)
{
    return d->fastest_down < -DOWN_M_PER_S && d->deepest < -LEAST_DEPTH_M && !isnan(d->bottom_s) &&
           d->fastest_up > fmax(DOWN_M_PER_S, -UP_PART * d->fastest_down) && d->height > (1 - UP_HEIGHT) * d->deepest;
}

static bool finish(struct plate_rep_detector *d, double top_s, double end_s, struct plate_rep_output *out)
{
    if (end_s - d->onset_s < d->exercise->least_s || isnan(d->bottom_s)) return false;
    struct rep_times t = {.onset_s = d->onset_s,
                          .top_s = top_s,
                          .descent_s = d->onset_s,
                          .end_s = end_s,
                          .up_from_s = d->bottom_s,
                          .up_to_s = top_s,
                          .rest_N = d->own_rest_N,
                          .last_end_s = d->last_end_s};
    rep_say(d, &t, d->peak_N - d->low_N, out);
    return out->rep_done;
}

/* The force is back in its resting band for good: since when, found backwards within the narrow band. */
static double back_in_band_s(const struct plate_rep_detector *d)
{
    double band = fmax(rep_decision_band_N(d), fmin(rep_loaded_band_N(d), 3 * BAND_MIN_N));
    uint64_t i = d->blocks - 1, from = rep_block_from(d, d->onset_s);
    while (i > from && fabs(rep_block_at(d, i)->force_N - d->rest.mean_N) > band) i--; /* still swaying: when last inside */
    while (i > from && fabs(rep_block_at(d, i - 1)->force_N - d->rest.mean_N) <= band) i--;
    return rep_block_at(d, i)->t_s;
}

/* Which way did the force last (step -1) or first (step 1) leave the band between two times? */
static int excursion(const struct plate_rep_detector *d, uint64_t i, uint64_t to, int step)
{
    for (double band = rep_loaded_band_N(d); i != to; i = step > 0 ? i + 1 : i - 1) {
        double off_N = rep_block_at(d, i)->force_N - d->rest.mean_N;
        if (fabs(off_N) > band) return off_N < 0 ? -1 : 1;
    }
    return 0;
}

/* The plate feels another part of the weight in the squat than in standing (one foot's plate, a dead cell, a load that moves
 * back), and the momentum goes astray. But a body that stood, went down and stands again is where it was, at rest: the straight
 * line that takes what is left of speed and height out of the acceleration says how deep it was. */
static bool closes(struct plate_rep_detector *d, double end_s)
{
    uint64_t from = rep_block_from(d, d->onset_s), to = rep_block_from(d, end_s);
    double T = end_s - d->onset_s, v = 0, h = 0, offset = 0, slope = 0, deepest = 0, fastest = 0;
    if (T < d->exercise->least_s || to <= from + 3) return false;
    if (excursion(d, from, to, 1) >= 0 || excursion(d, to - 1, from, -1) >= 0) return false;
    for (int pass = 0; pass < 2; pass++) {
        v = h = 0;
        for (uint64_t i = from; i < to; i++) {
            const struct block *b = rep_block_at(d, i);
            double dt = rep_block_at(d, i + 1 < d->blocks ? i + 1 : i)->t_s - b->t_s, t = b->t_s - d->onset_s;
            v += dt * (GRAVITY * (b->force_N / d->rest.mean_N - 1) + offset + slope * t);
            h += dt * v;
            if (h < deepest) deepest = h, fastest = 0;
            if (h < BOTTOM_PART * deepest && pass) d->bottom_s = b->t_s;
            fastest = fmax(fastest, v);
        }
        if (pass) break;
        slope = (12 * h - 6 * v * T) / (T * T * T);
        offset = -v / T - slope * T / 2;
        deepest = fastest = 0;
    }
    double most = CLOSED_G * GRAVITY;
    return fabs(offset) < most && fabs(offset + slope * T) < most && deepest < -CLOSED_M && deepest > -DEEPEST_M &&
           fastest > CLOSED_M_PER_S;
}

static void take_off(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    double push = 0;
    for (uint64_t i = rep_block_from(d, d->takeoff_s - PUSH_S); i < d->blocks; i++)
        push = fmax(push, rep_block_at(d, i)->force_N);
    d->top_s = push > PUSH_PART * d->rest.mean_N ? d->takeoff_s : NAN;
    if (isnan(d->bottom_s)) { /* the push began before anybody saw it go down: where the force last rose through the weight */
        uint64_t i = rep_block_from(d, d->takeoff_s), from = rep_block_from(d, d->onset_s);
        while (i > from && rep_block_at(d, i)->force_N < d->rest.mean_N) i--;
        while (i > from && rep_block_at(d, i)->force_N >= d->rest.mean_N) i--;
        d->bottom_s = rep_block_at(d, i)->t_s;
    }
    d->state = STATE_AIR;
    rep_set_phase(d, PLATE_REST, out);
}

static void step_momentum(struct plate_rep_detector *d, double t_s, double before, struct plate_rep_output *out)
{
    bool down = d->fastest_down < -DOWN_M_PER_S;
    if (down && d->velocity < -0.5 * DOWN_M_PER_S && d->fastest_up < -0.2 * d->fastest_down) {
        d->bottom_s = NAN; /* still on the way down */
        rep_set_phase(d, PLATE_LOWER, out);
    }
    if (down && before < 0 && d->velocity >= 0 && isnan(d->bottom_s)) d->bottom_s = t_s;
    double off_N = d->smooth_N - d->rest.mean_N;
    if (!isnan(d->bottom_s) && d->phase == PLATE_LOWER) { /* standing still at the bottom is not yet the drive */
        if (off_N > rep_loaded_band_N(d) || d->velocity > DOWN_M_PER_S)
            rep_set_phase(d, PLATE_DRIVE, out);
        else
            d->bottom_s = t_s;
    }
    if (came_up(d) && before > 0 && d->velocity <= 0 && isnan(d->turned_s)) d->turned_s = t_s;
}

void rep_loaded_step(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    const struct block *b = rep_last_block(d);
    double t_s = b->t_s, before = d->velocity;
    d->peak_N = fmax(d->peak_N, d->smooth_N);
    d->low_N = fmin(d->low_N, d->smooth_N);
    integrate(d, d->blocks - 1);
    bool airborne = b->force_N < AIR_PART * d->rest.mean_N;
    if (!airborne)
        d->takeoff_s = NAN;
    else if (isnan(d->takeoff_s))
        d->takeoff_s = t_s;
    if (airborne && rep_lasted(d, t_s, d->takeoff_s, AIR_S)) {
        take_off(d, out);
        return;
    }
    bool inside = fabs(d->smooth_N - d->rest.mean_N) <= rep_loaded_band_N(d), lost = false;
    if (!inside)
        d->below_s = NAN;
    else if (isnan(d->below_s))
        d->below_s = t_s;
    if (inside && rep_lasted(d, t_s, d->below_s, PAUSE_S) && fabs(d->velocity) < -PAUSE_PART * d->fastest_down &&
        d->fastest_up < -UP_PART * d->fastest_down)
        d->velocity = 0; /* a pause at the bottom: what is left of the speed is error */
    step_momentum(d, t_s, before, out);
    double still = fmax(DOWN_M_PER_S, STILL_PART * d->fastest_up);
    bool never_down = d->fastest_down > -DOWN_M_PER_S || d->deepest > -LEAST_DEPTH_M;
    double dwell_s = never_down                         ? QUIET_S
                     : !came_up(d)                      ? GIVEN_UP_S
                     : fabs(d->velocity) < still        ? QUIET_S
                     : d->velocity > 0 && d->height < 0 ? RISES_S
                                                        : EVEN_S;
    if (inside && !d->exercise->jump && rep_lasted(d, t_s, d->below_s, STANDS_S) && (d->astray || dwell_s > STANDS_S)) {
        double end_s = back_in_band_s(d);
        bool closed = closes(d, end_s);
        if (closed) finish(d, end_s, end_s, out);
        if (closed || d->astray) rep_to_rest(d, out);
        if (closed || d->astray) return;
    }
    if (inside && rep_lasted(d, t_s, d->below_s, dwell_s)) {
        double end_s = back_in_band_s(d);
        if (came_up(d) && !d->exercise->jump) finish(d, end_s, end_s, out);
        rep_to_rest(d, out);
        return;
    }
    if (d->astray) {
        if (rep_lasted(d, t_s, d->onset_s, MAX_REP_S)) rep_to_learn(d, out);
        return;
    }
    /* no rest between two: the first ended where the body stopped at the top */
    if (!isnan(d->turned_s) && d->velocity < -DOWN_M_PER_S && !d->exercise->jump) {
        double end_s = d->turned_s;
        finish(d, end_s, end_s, out);
        d->phase = PLATE_DRIVE;
        d->live_s[0] = d->live_s[1] = d->live_s[2] = NAN;
        rep_loaded_begin_at(d, end_s, out);
        return;
    }
    struct level level;
    double since_s;
    if (!inside && rep_flat(d, WEIGHT_S, 0, d->onset_s, WEIGHT_PART * d->rest.mean_N, &level, &since_s) &&
        fabs(level.mean_N - d->rest.mean_N) > rep_loaded_band_N(d)) {
        d->own_rest_N *= level.mean_N / d->rest.mean_N; /* nobody accelerates so evenly: this is the weight */
        d->rest.mean_N = level.mean_N;
        rep_to_rest(d, out);
        return;
    }
    /* a jump is known by its flight; else a body that is nowhere tells that the weight is wrong */
    lost = !d->exercise->jump && (d->height < -DEEPEST_M || d->height > HIGHEST_M || fabs(d->velocity) > FASTEST_M_PER_S);
    if (rep_lasted(d, t_s, d->onset_s, MAX_REP_S)) lost = true;
    if (lost && b->force_N > 0.5 * d->rest.mean_N)
        d->astray = true; /* until it stands again */
    else if (lost)
        rep_to_learn(d, out);
}

/* In the air: until landing, or until it is plain that the person stepped off. */
void rep_air_step(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    double t_s = rep_last_block(d)->t_s, force_N = rep_last_block(d)->force_N;
    if (rep_lasted(d, t_s, d->takeoff_s, FLIGHT_MOST_S)) {
        rep_to_learn(d, out);
    } else if (force_N > fmax(2 * AIR_PART * d->rest.mean_N, rep_decision_band_N(d))) {
        bool jumps = d->exercise->jump || d->exercise->family == FAMILY_GENERIC;
        if (jumps && !isnan(d->top_s)) finish(d, d->top_s, t_s, out);
        d->state = STATE_LANDED;
        d->below_s = NAN;
        d->departed_s = t_s;
    }
}

/* After landing: nothing counts until its impact is over. Between jumps nobody need stand still. */
void rep_landed_step(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    double t_s = rep_last_block(d)->t_s;
    bool inside = fabs(d->smooth_N - d->rest.mean_N) <= LANDED_PART * d->rest.mean_N;
    if (!inside || !rep_lasted(d, t_s, d->departed_s, LANDING_S))
        d->below_s = NAN;
    else if (isnan(d->below_s))
        d->below_s = t_s;
    if (!isnan(d->below_s) && rep_lasted(d, t_s, d->below_s, LANDED_QUIET_S))
        rep_to_rest(d, out);
    else if (rep_lasted(d, t_s, d->departed_s, LANDED_MOST_S))
        rep_to_learn(d, out);
}
