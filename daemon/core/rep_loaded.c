#include <math.h>

#include "rep_loaded.h"
#include "rep_up.h"

/* docs/detector.md gives the reason of each threshold. A standing body: the force over its weight is its acceleration,
 * a = g (F / W - 1), and velocity and height follow. */
#define SINKS_PART 0.003
#define SANK_M 0.03    /* so far below he is when the force leaves the band */
#define QUIET_S 0.3    /* standing again: in the band for so long */
#define EVEN_S 1.8     /* though the speed that was added up is not nil: nobody rises evenly for so long */
#define RISES_S 4.0    /* though its height says that it is still on the way, ... */
#define RISEN_PART 1.0 /* ... no higher above standing than it was below */
#define PAUSE_S 0.12
#define PAUSE_PART 0.2 /* of the speed downwards */
#define GIVEN_UP_S 6.0 /* or for so long, wherever the momentum ended */
#define GLIDE_S 0.8    /* after a jump nobody sinks with an even force for so long ... */
#define GLIDE_PART 0.5 /* ... and has not braked to this part of his speed */
#define UP_PART 0.2    /* came up with this part of the speed with which it went down (grinding reps are slow) ... */
#define UP_HEIGHT 0.5  /* ... and by this part of the depth */
#define STUCK_PART 0.2 /* of the depth: who rises on by so much had not turned, but stuck */
#define STILL_PART 0.4 /* of the speed upwards: while it is faster, an even force is an even rise */
#define HIGHEST_M 1.5  /* nor do they rise so far above standing */
#define FASTEST_M_PER_S 4.0
#define MAX_REP_S 20.0
#define STOP_BANDS 2.0 /* so much less than at a stop, and he may go down from there */
/* who stands where he stood has squatted, if the weight that the plate feels changed by no more than this part on the way */
#define CLOSED_G 0.15
#define WEIGHED_G 0.01 /* ... known to this part, if it did not */
#define STOOD_G 0.5    /* to have risen on asks for no more than this part of what to have stood does, and ... */
#define TOP_PART 0.02  /* ... for less than this: no greater error of the weight explains the speed that is left at the top */
#define SHEDS_PART 0.8 /* who bears less at the turn may have lost what he bore: he goes down again if he brakes, too */
#define AIR_PART 0.06  /* airborne: less than this part of the weight */
#define AIR_S 0.05
#define BARE_PART 0.2     /* ... or less than this, ... */
#define BARE_S 0.1        /* ... so long ... */
#define BARE_EVEN 0.01    /* ... as even as this: what lies on the plate without him, or its zero is off */
#define FLIGHT_MOST_S 1.2 /* nobody flies for so long: stepped off */
#define PUSH_PART 1.15    /* who takes off pressed more than this part of the weight ... */
#define PUSH_S 0.6        /* ... no longer before */
#define HOP_S 0.15        /* a landing, or who squats, may leave the ground for less */
#define LANDED_MOST_S 3.0 /* nobody takes so long to stand, or to go down, after a landing */

double rep_loaded_band_N(const struct plate_rep_detector *d)
{
    return fmax(fmax(BAND_MIN_N, BAND_SD * d->noise_N), BAND_PART * d->rest.mean_N);
}

static void move_on(struct plate_rep_detector *d, double force_N, double dt_s)
{
    d->velocity += dt_s * GRAVITY * (force_N / d->rest.mean_N - 1);
    d->height += dt_s * d->velocity;
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

static void begin_moving(struct plate_rep_detector *d, double onset_s, double velocity)
{
    d->state = STATE_LOADED;
    d->onset_s = d->still_s = onset_s;
    d->peak_N = d->low_N = d->smooth_N;
    d->top_s = d->descent_s = d->bottom_s = d->turned_s = d->turned_speed = d->takeoff_s = d->stood_s = d->below_s =
        d->departed_s = d->stopped_N = NAN;
    d->astray = d->landing = d->from_turn = false;
    d->asked_s = d->stood_asked_s = -INFINITY;
    d->height = d->deepest = d->fastest_up = 0;
    d->velocity = d->fastest_down = velocity;
    for (uint64_t i = rep_block_from(d, onset_s); i < d->blocks; i++) {
        double before = d->velocity;
        integrate(d, i);
        if (before < 0 && d->velocity >= 0) d->bottom_s = rep_block_at(d, i)->t_s;
    }
}

/* From a time that is known. */
static void begin_at(struct plate_rep_detector *d, double onset_s, double velocity, struct plate_rep_output *out)
{
    begin_moving(d, onset_s, velocity);
    rep_set_phase(d, PLATE_LOWER, out);
}

void rep_loaded_go_on(struct plate_rep_detector *d, double onset_s, struct plate_rep_output *out)
{
    begin_moving(d, onset_s, 0);
    d->phase = PLATE_REST; /* what was said was of the push that it is not */
    rep_unsaid(d);
    rep_set_phase(d, isnan(d->bottom_s) ? PLATE_LOWER : PLATE_DRIVE, out);
}

/* A landing is no rep, but its momentum tells when the next one begins: who flies up and down lands as fast as he left. */
static void land(struct plate_rep_detector *d, double t_s, double flight_s)
{
    begin_moving(d, t_s, -GRAVITY * flight_s / 2);
    d->landing = true;
    rep_unsaid(d);
}

/* Who goes down slowly stays in the band until he brakes, and may brake and turn in it, too. He began where the speed that the
 * force has taken since is greatest (Page 1954, looked at backwards), the sway of a standing body left out; he is below, and if
 * the force left the band downwards he rises. A sum that only grows is a weight that is off. */
double rep_sank_s(const struct plate_rep_detector *d, double departed_s)
{
    double speed = 0, braked = 0, least = 0, height = 0, since_s = NAN, below_m = 0;
    double over_s = fmax(d->last_end_s, d->landing ? d->below_s : NAN); /* when a rep, or a landing, was over */
    bool begun = over_s > departed_s - SINKS_MOST_S;
    uint64_t i = rep_block_from(d, departed_s), oldest = rep_block_from(d, begun ? over_s : departed_s - SINKS_MOST_S);
    while (i-- > oldest) {
        const struct block *b = rep_block_at(d, i);
        speed += b->dt_s * GRAVITY * (b->force_N / d->rest.mean_N - 1 + SINKS_PART);
        height += b->dt_s * speed;
        if (speed > braked) braked = least = speed;
        if (speed < least) least = speed, since_s = b->t_s, below_m = height - speed * (departed_s - b->t_s);
        if (speed < least + 0.5 * SANK_M_PER_S) continue;
        begun = true;
        break;
    }
    bool rises = d->smooth_N > d->rest.mean_N || least > DOWN_M_PER_S;
    return begun && rises && least < braked - SANK_M_PER_S && below_m > SANK_M && below_m < DEEPEST_M ? since_s : NAN;
}

void rep_loaded_begin(struct plate_rep_detector *d, double departed_s, struct plate_rep_output *out)
{
    if (rep_body_weighs(d, ON_WEIGHT_S, out)) return;
    double sank = rep_sank_s(d, departed_s);
    if (isnan(sank) && d->smooth_N < d->rest.mean_N) rep_body_weighed(d, departed_s);
    begin_at(d, isnan(sank) ? rep_find_departure(d, departed_s, d->rest.mean_N, rep_band_N(d)) : sank, 0, out);
}

static bool rose(const struct plate_rep_detector *d)
{
    return d->fastest_down < -SANK_M_PER_S && d->deepest < -LEAST_DEPTH_M && !isnan(d->bottom_s) &&
           d->fastest_up > fmax(DOWN_M_PER_S, -UP_PART * d->fastest_down);
}

static bool came_up(const struct plate_rep_detector *d)
{
    return !isnan(d->turned_s) || (rose(d) && d->height > (1 - UP_HEIGHT) * d->deepest);
}

static bool finish(struct plate_rep_detector *d, double top_s, double end_s, struct plate_rep_output *out)
{
    if (end_s - d->onset_s < d->exercise->least_s || !(d->bottom_s < top_s)) return false;
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

/* At the height from which it came, with whatever error of the weight brings it to a stop there? If the speed that is left is
 * such an error, the same all the time, the height without it is h - v t / 2. The sums may not tell of a slow squat that it
 * rose: when that height is reached, the path without the error does. */
static bool is_back(const struct plate_rep_detector *d, double t_s, double before, double *ret_bottom_s)
{
    double s = t_s - d->still_s, dt_s = rep_last_block(d)->dt_s, v = d->velocity, part = d->from_turn ? 1 : 0.5;
    bool reaches = d->height - dt_s * v < before * (s - dt_s) * part;
    return fabs(v) < TOP_PART * GRAVITY * s && d->height >= v * s * part &&
           (rose(d) || (reaches && rep_closes(d, t_s, TOP_PART, ret_bottom_s)));
}

static bool may_jump(const struct plate_rep_detector *d) { return d->exercise->jump || d->exercise->family == FAMILY_GENERIC; }

/* Who stands on the plate is in the air, if all that it bears is what lies there. No movement unloads it so evenly. */
static bool bare(const struct plate_rep_detector *d, double *ret_N)
{
    struct level level;
    double since_s, even_N = fmax(BARE_EVEN * d->rest.mean_N, d->noise_N);
    if (rep_last_block(d)->force_N >= BARE_PART * d->rest.mean_N ||
        !rep_flat(d, BARE_S, 0, d->onset_s, even_N, &level, &since_s))
        return false;
    *ret_N = level.mean_N;
    return true;
}

/* Who squats so fast that he leaves the ground for a moment still squats. */
static bool took_off(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    double air_N = AIR_PART * d->rest.mean_N, force_N = rep_last_block(d)->force_N;
    if (force_N < air_N) {
        d->bare_N = 0;
    } else if (!bare(d, &d->bare_N)) {
        d->takeoff_s = NAN;
        return false;
    }
    if (isnan(d->takeoff_s)) {
        uint64_t i = d->blocks - 1, from = rep_block_from(d, d->onset_s);
        while (i > from && rep_block_at(d, i - 1)->force_N < d->bare_N + air_N) i--;
        d->takeoff_s = rep_block_at(d, i)->t_s;
    }
    if (!rep_lasted(d, t_s, d->takeoff_s, d->landing || may_jump(d) ? AIR_S : HOP_S)) return false;
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
    return true;
}

static void step_momentum(struct plate_rep_detector *d, double t_s, double before, struct plate_rep_output *out)
{
    bool down = d->fastest_down < -DOWN_M_PER_S;
    if (down && isnan(d->turned_s) && d->velocity < -0.5 * DOWN_M_PER_S && d->fastest_up < -0.2 * d->fastest_down) {
        d->bottom_s = NAN; /* still on the way down */
        if (!d->landing) rep_set_phase(d, PLATE_LOWER, out);
    }
    if (down && before < 0 && d->velocity >= 0 && isnan(d->bottom_s)) d->bottom_s = t_s;
    double off_N = d->smooth_N - d->rest.mean_N;
    if (!isnan(d->bottom_s) && d->phase == PLATE_LOWER) { /* standing still at the bottom is not yet the drive */
        if (off_N > rep_loaded_band_N(d) || d->velocity > DOWN_M_PER_S)
            rep_set_phase(d, PLATE_DRIVE, out);
        else
            d->bottom_s = t_s;
    }
    bool stops = before > 0 && d->velocity <= 0, up = d->landing ? d->fastest_up > DOWN_M_PER_S : came_up(d);
    double bottom_s = d->bottom_s;
    bool first = isnan(d->turned_s), higher = d->height > d->turned_m - STUCK_PART * d->deepest; /* he had only stuck there */
    if (((first || (higher && !d->landing)) && stops && up) || (first && !d->landing && is_back(d, t_s, before, &bottom_s))) {
        d->turned_s = t_s, d->turned_speed = d->velocity, d->turned_m = d->height;
        if (isnan(d->bottom_s)) d->bottom_s = bottom_s;
    }
}

/* The force fell far below the weight at the turn, and is not back. */
static bool sheds(const struct plate_rep_detector *d)
{
    double least_N = d->smooth_N;
    for (uint64_t i = rep_block_from(d, d->turned_s); i < d->blocks && d->smooth_N < d->rest.mean_N; i++)
        least_N = fmin(least_N, rep_block_at(d, i)->force_N);
    return least_N < SHEDS_PART * d->rest.mean_N && d->smooth_N < d->rest.mean_N;
}

/* It may have stood again, but its momentum says that it still rises, as evenly as only who grinds: what comes next tells. A
 * dip alone is the braking at the top. Down, and then more than the weight, is the next squat. */
static bool stood(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    bool sinks = d->turned_s > d->stood_s && d->velocity < fmin(0, d->turned_speed) - DOWN_M_PER_S;
    if (isnan(d->stood_s) || (sinks && sheds(d)) || (!sinks && d->smooth_N < d->rest.mean_N + rep_loaded_band_N(d)))
        return false;
    double end_s = d->stood_s, speed = 0, fastest = 0, bottom_s;
    uint64_t i = rep_block_from(d, end_s);
    while (i + 1 < d->blocks && fabs(rep_block_at(d, i)->force_N - d->rest.mean_N) <= rep_loaded_band_N(d)) i++;
    double left_s = rep_block_at(d, i)->t_s;
    double stood_g = rep_closing_g(d, d->stood_s, &bottom_s), most_g = fmax(WEIGHED_G, fmin(TOP_PART, STOOD_G * stood_g));
    bool rose_on = d->turned_s > d->stood_s && rep_closes(d, d->turned_s, most_g, &bottom_s);
    d->stood_s = NAN;
    if (rose_on) return false; /* the turn needs less of an error than the stance did */
    for (; i < d->blocks; i++) {
        speed += rep_block_at(d, i)->dt_s * GRAVITY * (rep_block_at(d, i)->force_N / d->rest.mean_N - 1);
        fastest = fmin(fastest, speed);
    }
    if (fastest > -DOWN_M_PER_S || !rep_closes(d, end_s, CLOSED_G, &bottom_s)) return false;
    d->bottom_s = bottom_s;
    finish(d, end_s, end_s, out);
    rep_unsaid(d);
    rep_loaded_begin(d, left_s, out);
    return true;
}

/* After a jump: has it a speed downwards that it never brakes, though the force is the weight, and even? It stands; the speed
 * is an error of the landing. Should somebody sink so evenly, his braking tells. */
static bool glides(const struct plate_rep_detector *d)
{
    struct level level;
    double since_s, tolerance_N = ON_WEIGHT_PART * d->rest.mean_N;
    return d->velocity < GLIDE_PART * d->fastest_down && rep_flat(d, GLIDE_S, 0, d->onset_s, tolerance_N, &level, &since_s) &&
           fabs(level.mean_N - d->rest.mean_N) < tolerance_N;
}

static void finish_squat(struct plate_rep_detector *d, const struct squat *squat, struct plate_rep_output *out)
{
    d->onset_s = squat->onset_s, d->bottom_s = squat->bottom_s;
    finish(d, squat->end_s, squat->end_s, out);
}

/* In the band: does it stand? True when it is over, a rep or not. */
static bool rests(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    double still = fmax(DOWN_M_PER_S, STILL_PART * d->fastest_up), bottom_s;
    bool never_down = d->landing || d->fastest_down > -SANK_M_PER_S ||
                      (d->deepest > -LEAST_DEPTH_M && d->velocity > -DOWN_M_PER_S) || /* who still sinks may go deeper */
                      (d->exercise->jump && glides(d));
    bool rises = !d->astray && d->velocity > 0 && d->height < -RISEN_PART * d->deepest;
    uint64_t k = d->blocks - rep_block_from(d, t_s - QUIET_S); /* who brakes within the band does not stand */
    bool on_weight = fabs(rep_running_mean_N(d, d->blocks - 1, k) - d->rest.mean_N) < SWAY_MOST * d->rest.mean_N;
    double without_m = d->height - d->velocity * (t_s - d->still_s) / 2; /* the height, if the speed is an error */
    bool up = came_up(d) && on_weight && fabs(d->velocity) < still && without_m > (1 - UP_HEIGHT) * d->deepest;
    if (!isnan(d->turned_s)) up = d->velocity > d->turned_speed - SANK_M_PER_S; /* and not down again since */
    double dwell_s = never_down || up ? QUIET_S : !came_up(d) ? GIVEN_UP_S : rises ? RISES_S : EVEN_S;
    bool squats = !d->exercise->jump && !d->landing;
    if (squats && (on_weight || d->astray) && rep_lasted(d, t_s, d->below_s, STANDS_S) && (d->astray || dwell_s > STANDS_S)) {
        double end_s = rep_back_in_band_s(d, d->blocks - 1);
        bool closed = rep_closes(d, end_s, CLOSED_G, &bottom_s), lasted = rep_lasted(d, t_s, d->below_s, dwell_s);
        bool waits = rises || (!d->astray && d->still_s > d->onset_s && !rose(d)); /* or stopped at the bottom */
        if (closed && waits && !lasted && !rep_closes(d, end_s, WEIGHED_G, &bottom_s)) {
            d->stood_s = end_s;
            return false;
        }
        if (closed) {
            d->bottom_s = bottom_s;
            finish(d, end_s, end_s, out);
        }
        if (closed || (d->astray && (!rep_pushed(d) || rep_lasted(d, t_s, d->below_s, RISES_S)))) {
            struct squat squat;
            if (!closed && !d->summed && rep_share_squatted(d, d->smooth_N, &squat)) finish_squat(d, &squat, out);
            rep_to_rest(d, out);
            return true;
        }
    }
    if (!rep_lasted(d, t_s, d->below_s, dwell_s)) return false;
    double end_s = rep_back_in_band_s(d, d->blocks - 1);
    if (d->turned_s - end_s > STANDS_S) end_s = d->turned_s; /* he rose within the band */
    if (came_up(d) && squats) finish(d, end_s, end_s, out);
    rep_to_rest(d, out);
    return true;
}

/* Who brakes and goes down again presses less than his weight all the while. If the force was in its band between two dips, he
 * stood; not if it was there long before the turn: that was an even rise. */
static void paused(const struct plate_rep_detector *d, double *ret_end_s, double *ret_onset_s)
{
    uint64_t i = d->blocks - 1, from = rep_block_from(d, d->turned_s - QUIET_S);
    while (i > from && rep_block_at(d, i)->force_N >= d->rest.mean_N - rep_narrow_band_N(d)) i--;
    while (i > from && fabs(rep_block_at(d, i)->force_N - d->rest.mean_N) > rep_narrow_band_N(d)) i--;
    double left_s = rep_block_at(d, i)->t_s, back_s = rep_back_in_band_s(d, i);
    if (i == from || left_s - back_s < PAUSE_S || back_s < d->turned_s - QUIET_S) return;
    double onset_s = rep_find_departure(d, left_s, d->rest.mean_N, rep_band_N(d));
    *ret_end_s = back_s;
    *ret_onset_s = onset_s > back_s ? onset_s : left_s; /* no sample that near: the weight is a little off */
}

/* No rest between two: the first ended where the body stopped at the top. */
static bool goes_down_again(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    if (!(d->velocity <= d->turned_speed - DOWN_M_PER_S)) return false;
    /* the dip in which he turned may not be over, and the speed at the turn may be an error that is still in the height */
    double t_s = rep_last_block(d)->t_s, sunk_m = d->turned_m + d->turned_speed * (t_s - d->turned_s) - d->height;
    bool may_stand = d->velocity > -DOWN_M_PER_S && rep_lasted(d, t_s, d->below_s, QUIET_S);
    if (!d->landing && (may_stand || sunk_m < LEAST_DEPTH_M)) return false;
    if (!d->exercise->jump && !d->landing && sheds(d)) return false;
    double end_s = d->turned_s, onset_s = end_s, velocity = 0;
    if (!d->landing) {
        const struct block *b = rep_block_at(d, rep_block_from(d, end_s)); /* in which he turned: it is not over at its start */
        double change = b->dt_s * GRAVITY * (b->force_N / d->rest.mean_N - 1);
        bool stopped = d->turned_speed <= 0 && d->turned_speed > change;
        velocity = (stopped ? d->turned_speed : 0) - change;
        if (!stopped && !d->from_turn) d->rest.mean_N *= 1 + 0.5 * d->turned_speed / GRAVITY / (end_s - d->still_s);
        paused(d, &end_s, &onset_s);
        if (onset_s > end_s) velocity = 0;
    }
    if (!d->exercise->jump && !d->landing) finish(d, end_s, end_s, out);
    d->phase = PLATE_DRIVE;
    rep_unsaid(d);
    bool from_turn = !d->landing && onset_s == end_s;
    begin_at(d, onset_s, velocity, out);
    d->from_turn = from_turn;
    return true;
}

/* An even force outside the band. Who went down has stopped at the bottom, where the plate feels another part of his weight. */
static bool even(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    struct level level;
    if (d->landing || d->astray || came_up(d) || !rep_body_stopped(d, &level))
        return rep_body_weighs(d, d->astray && rep_pushed(d) ? EVEN_S : ON_WEIGHT_S, out);
    d->velocity = 0, d->still_s = rep_last_block(d)->t_s, d->from_turn = false;
    d->stopped_N = level.mean_N;
    return false;
}

/* Who stopped at the bottom rises next, perhaps after a small dip. If he goes down from there, he stood. */
static bool goes_down_from_a_stop(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    double off_N = d->smooth_N - d->stopped_N, band_N = rep_loaded_band_N(d);
    if (off_N > band_N) d->stopped_N = NAN;
    if (!(off_N < -STOP_BANDS * band_N) || !rep_body_went_down(d, rep_block_from(d, d->still_s), d->stopped_N)) return false;
    rep_body_stands(d, d->stopped_N);
    rep_to_rest(d, out);
    return true;
}

/* The momentum went astray. Does it stand again, evenly, after a squat of which this plate bore a share? */
static bool stands_again(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    struct level level;
    struct squat squat;
    if (!d->astray || d->summed || d->exercise->jump || !rep_lasted(d, t_s, d->stood_asked_s, ASK_S)) return false;
    d->stood_asked_s = t_s;
    if (!rep_share_stands(d, &level, &squat)) return false;
    finish_squat(d, &squat, out);
    rep_body_stands(d, level.mean_N);
    rep_to_rest(d, out);
    return true;
}

/* Nobody said what it is, and nobody rises so fast from standing: he sat, and stands up. */
static void stands_up(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    double onset_s = rep_find_departure(d, t_s, d->rest.mean_N, rep_band_N(d));
    rep_unsaid(d);
    d->foot_down = false;
    rep_up_begin(d, onset_s, out);
    for (uint64_t i = rep_block_from(d, onset_s); i < d->blocks; i++)
        rep_track(d, rep_block_at(d, i), rep_block_at(d, i)->force_N);
}

/* A stop at the bottom: on the weight, for a force that is off it but a little raises who grinds. */
static bool pauses(const struct plate_rep_detector *d, double t_s)
{
    uint64_t k = d->blocks - rep_block_from(d, t_s - PAUSE_S);
    return rep_lasted(d, t_s, d->below_s, PAUSE_S) && fabs(d->velocity) < -PAUSE_PART * d->fastest_down &&
           d->fastest_up < -UP_PART * d->fastest_down &&
           fabs(rep_running_mean_N(d, d->blocks - 1, k) - d->rest.mean_N) < ON_WEIGHT_PART * d->rest.mean_N;
}

void rep_loaded_step(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    double t_s = rep_last_block(d)->t_s, before = d->velocity;
    d->peak_N = fmax(d->peak_N, d->smooth_N);
    d->low_N = fmin(d->low_N, d->smooth_N);
    integrate(d, d->blocks - 1);
    if (took_off(d, t_s, out)) return;
    bool inside = fabs(d->smooth_N - d->rest.mean_N) <= rep_loaded_band_N(d);
    if (!inside)
        d->below_s = NAN;
    else if (isnan(d->below_s))
        d->below_s = t_s;
    if (inside && pauses(d, t_s))
        d->velocity = 0, d->still_s = t_s, d->from_turn = false; /* what is left of the speed is error */
    step_momentum(d, t_s, before, out);
    if (stands_again(d, t_s, out) || stood(d, out) || (inside && rests(d, t_s, out))) return;
    if (goes_down_from_a_stop(d, out) || (!inside && even(d, out))) return;
    bool flies = d->height > HIGHEST_M || d->velocity > FASTEST_M_PER_S;
    if (d->exercise->family == FAMILY_GENERIC && !d->landing && (flies || d->astray) &&
        d->smooth_N > SEAT_RATIO * d->rest.mean_N) {
        stands_up(d, t_s, out);
        return;
    }
    if (d->astray) {
        if (rep_lasted(d, t_s, d->onset_s, MAX_REP_S)) rep_to_learn(d, out);
        return;
    }
    if (goes_down_again(d, out)) return;
    /* a jump is known by its flight; else a body that is nowhere tells that the weight is wrong */
    bool lost = !d->exercise->jump && !d->landing && (flies || d->height < -DEEPEST_M || d->velocity < -FASTEST_M_PER_S);
    if (rep_lasted(d, t_s, d->onset_s, d->landing ? LANDED_MOST_S : MAX_REP_S)) lost = true;
    double left_s;
    if (lost && !d->exercise->jump && !d->landing && d->height < 0 && rep_body_stood(d, &left_s)) {
        if (d->phase != PLATE_LOWER) rep_unsaid(d);
        begin_at(d, left_s, 0, out);
    } else if (lost && !d->landing && rep_last_block(d)->force_N > 0.5 * d->rest.mean_N)
        d->astray = true; /* until it stands again */
    else if (lost)
        rep_to_learn(d, out);
}

/* In the air: until landing, or until it is plain that the person stepped off. */
void rep_air_step(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    double t_s = rep_last_block(d)->t_s, flight_s = t_s - d->takeoff_s, force_N = rep_last_block(d)->force_N;
    if (rep_lasted(d, t_s, d->takeoff_s, FLIGHT_MOST_S)) {
        rep_to_learn(d, out);
    } else if (force_N > d->bare_N + fmax(2 * AIR_PART * d->rest.mean_N, rep_decision_band_N(d))) {
        if (may_jump(d) && !isnan(d->top_s) && (!d->landing || flight_s > HOP_S)) finish(d, d->top_s, t_s, out);
        land(d, t_s, flight_s);
    }
}
