#include "plate/rep.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "rep_private.h"

/* docs/detector.md gives the reason of each threshold. */
#define BLOCK_S 0.005  /* decisions are taken on means over this time (one sample at low rates) */
#define SMOOTH_S 0.012 /* and smoothed with this time constant */
#define SUSTAIN_S 0.015
#define CROSS_S 0.1         /* a force goes from one side of the resting band to the other within so long */
#define LEANS_S 0.45        /* who stands up leaned forward so shortly before, ... */
#define LEAN_BANDS 1.5      /* ... and unloaded his feet by this many bands, ... */
#define LEAN_SMOOTH_S 0.03  /* ... noise averaged out */
#define EMPTY_N 25.0        /* tare error and drift: below it the plate may be empty */
#define BRIDGE_S 0.5        /* a longer hole ends what is under way */
#define BACK_STANDING_S 0.3 /* after it, so long on the weight that was known: standing. A squat passes through it sooner */
#define FLOOR_NEXT_S 6.0    /* begun on the floor so soon after a rep that ended there: the hips are put down between them */
#define NEAR_BLOCKS 2       /* how far a block may be from where even blocks would have it, to be found at once */

static const struct exercise exercises[] = {
    {"single_leg_hip_thrust", FAMILY_THRUST, false, false, false, 0.6, 0.28, 3.0, 0.30},
    {"paused", FAMILY_THRUST, false, false, false, 0.6, 0.28, 3.0, 0.30},
    {"tempo", FAMILY_THRUST, false, false, false, 0.6, 0.28, 3.0, 0.30},
    {"glute_bridge", FAMILY_THRUST, false, false, false, 0.45, 0.17, 0.4, 0.13},
    {"two_up_one_down", FAMILY_THRUST, false, false, true, 0.6, 0.28, 3.0, 0.30},
    {"barbell_hip_thrust", FAMILY_THRUST, true, false, false, 0.6, 0.28, 3.0, 0.30},
    {"isometric", FAMILY_PUSH, false, false, false, 0.5, 0.28, 3.0, 0.30},
    {"squat", FAMILY_LOADED, true, false, false, 0.5, 0.28, 3.0, 0.30},
    {"squat_jump", FAMILY_LOADED, true, true, false, 0.2, 0.28, 3.0, 0.30},
    {"sit_to_stand", FAMILY_SEAT, true, false, false, 0.5, 0.28, 3.0, 0.30},
    {"generic", FAMILY_GENERIC, true, false, false, 0.3, 0.28, 3.0, 0.30},
};
enum { EXERCISES = sizeof exercises / sizeof *exercises };

const char *plate_rep_exercise_name(unsigned i) { return i < EXERCISES ? exercises[i].name : NULL; }

size_t plate_rep_detector_size(void) { return sizeof(struct plate_rep_detector); }

void plate_rep_exercise(struct plate_rep_detector *d, const char *name, const struct plate_protocol_targets *targets)
{
    if (!name || !*name) name = "generic";
    strncpy(d->name, name, sizeof d->name - 1);
    d->exercise = &exercises[EXERCISES - 1];
    for (size_t i = 0; i < EXERCISES; i++)
        if (strcmp(name, exercises[i].name) == 0) d->exercise = &exercises[i];
    d->targets = *targets;
    plate_rep_other_leg(d);
    d->other_step_N = 0;
}

void plate_rep_other_leg(struct plate_rep_detector *d)
{
    if (d->steps > 0) d->other_step_N = rep_usual_step_N(d);
    d->steps = 0;
    d->known_N = d->usual_s = d->usual_swing_N = d->travel_m = 0;
    rep_was_no_step(d);
    d->doubts = false;
    for (unsigned i = 0; i < d->dues; i++) d->due[i].other_leg = true;
}

int plate_rep_init(struct plate_rep_detector *d, const struct plate_rep_config *cfg)
{
    if (!(cfg->rate_Hz >= 1) || !(cfg->rate_Hz <= 1e6)) return -EINVAL;
    memset(d, 0, sizeof *d);
    d->rate_Hz = cfg->rate_Hz;
    d->period_s = 1 / cfg->rate_Hz;
    rep_history_init(&d->history, cfg->rate_Hz, cfg->filter_delay_s);
    d->block_n = (unsigned)fmax(1, floor(BLOCK_S * cfg->rate_Hz + 0.5));
    d->block_root = sqrt(d->block_n);
    d->smooth_k = 1 - exp(-(double)d->block_n * d->period_s / SMOOTH_S);
    d->smooth_N = d->hump.end_s = d->last_end_s = d->unseen_end_s = d->departed_s = NAN;
    rep_rest_init(d);
    rep_weight_forget(d);
    plate_rep_exercise(d, cfg->exercise, &cfg->targets);
    return 0;
}

enum plate_phase plate_rep_phase(const struct plate_rep_detector *d) { return d->phase; }

/* ---- the past ---- */

uint64_t rep_oldest_block(const struct plate_rep_detector *d)
{
    uint64_t kept = d->blocks > BLOCKS ? d->blocks - BLOCKS : 0;
    return kept > d->blocks_from ? kept : d->blocks_from;
}
uint64_t rep_block_from(const struct plate_rep_detector *d, double t_s)
{
    uint64_t lo = rep_oldest_block(d), hi = d->blocks;
    double before_s = t_s - d->period_s / 2;
    if (hi - lo > 2 * NEAR_BLOCKS) { /* but for holes, it is nearly where even blocks would have it */
        double back = (rep_last_block(d)->t_s - before_s) / (d->block_n * d->period_s);
        if (back >= NEAR_BLOCKS && back < (double)(hi - lo - NEAR_BLOCKS)) {
            uint64_t near = hi - 1 - (uint64_t)back;
            if (rep_block_at(d, near - NEAR_BLOCKS)->t_s < before_s) lo = near - NEAR_BLOCKS + 1;
            if (rep_block_at(d, near + NEAR_BLOCKS)->t_s >= before_s) hi = near + NEAR_BLOCKS;
        }
    }
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (rep_block_at(d, mid)->t_s < before_s)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static double off_N(const struct plate_rep_detector *d, uint64_t i, double level_N)
{
    return (double)rep_history_sample(&d->history, i)->decides_N - level_N;
}

double rep_find_departure(const struct plate_rep_detector *d, double from_s, double level_N, double band_N)
{
    const struct rep_history *h = &d->history;
    double end_s = d->doubts ? d->doubtful.rep.end_s : d->last_end_s;
    uint64_t i = rep_history_from(h, from_s), oldest = rep_history_from(h, isnan(end_s) ? -INFINITY : end_s);
    if (i >= h->n) i = h->n - 1;
    for (bool through = true; through;) {
        /* two in a row: one sample inside the band by chance is noise */
        while (i > oldest + 1 && (fabs(off_N(d, i, level_N)) > band_N || fabs(off_N(d, i - 1, level_N)) > band_N)) i--;
        /* but a force that only goes through the band has not rested in it: who leans forward unloads the feet first */
        uint64_t k = i;
        while (k > oldest + 1 && fabs(off_N(d, k, level_N)) <= band_N) k--;
        through = d->exercise->together && k < i && i + 1 < h->n &&
                  rep_history_sample(h, i)->t_s - rep_history_sample(h, k)->t_s < CROSS_S &&
                  fabs(off_N(d, k - 1, level_N)) > band_N && off_N(d, k, level_N) * off_N(d, i + 1, level_N) < 0;
        if (through) i = k;
    }
    return rep_history_sample(h, i + 1 < h->n ? i + 1 : i)->t_s;
}

double rep_running_mean_N(const struct plate_rep_detector *d, uint64_t i, uint64_t k)
{
    return (rep_block_at(d, i)->total_N - rep_block_at(d, i - k)->total_N) / (double)k;
}

bool rep_flat(const struct plate_rep_detector *d, double window_s, double smooth_s, double since_s, double tolerance_N,
              struct level *ret, double *ret_since_s)
{
    const struct block *last = rep_last_block(d);
    double end_s = last->t_s + last->dt_s;
    uint64_t from = rep_block_from(d, end_s - fmax(window_s, 3 * d->period_s)), n = d->blocks - from;
    if (n < 3 || rep_block_at(d, from)->t_s < since_s) return false;
    uint64_t k = (uint64_t)fmax(1, floor(smooth_s / last->dt_s + 0.5));
    if (from <= rep_oldest_block(d) + k) return false;
    double base_N = rep_running_mean_N(d, d->blocks - 1, k), sum = 0, sum2 = 0, sx = 0, x = 0;
    if (fabs(rep_running_mean_N(d, from, k) - base_N) > FLAT_MOST * tolerance_N) return false;
    for (uint64_t i = from; i < d->blocks; i++, x++) {
        double f = rep_running_mean_N(d, i, k) - base_N;
        sum += f, sum2 += f * f, sx += f * x;
    }
    double mean = sum / (double)n, sd = sqrt(fmax(0, sum2 / (double)n - mean * mean));
    double centre = ((double)n - 1) / 2, sxx = (double)n * ((double)n * (double)n - 1) / 12;
    double drift = (sx - centre * sum) / sxx * (double)n; /* change over the window along its line */
    if (sd > tolerance_N || fabs(drift) > 1.5 * tolerance_N) return false;
    sum = sum2 = 0; /* the level is that of the means themselves, tremor and all */
    for (uint64_t i = from; i < d->blocks; i++) {
        double f = rep_block_at(d, i)->force_N - base_N;
        sum += f, sum2 += f * f;
    }
    mean = sum / (double)n;
    *ret = (struct level){mean + base_N, sqrt(fmax(0, sum2 / (double)n - mean * mean))};
    *ret_since_s = rep_block_at(d, from)->t_s;
    return true;
}

/* ---- what every machine uses ---- */

/* Has it lasted for `dwell_s` since `since_s`? To the nearest sample, as above. */
bool rep_lasted(const struct plate_rep_detector *d, double t_s, double since_s, double dwell_s)
{
    return t_s - since_s > dwell_s - d->period_s / 2;
}

bool rep_set_phase(struct plate_rep_detector *d, enum plate_phase phase, struct plate_rep_output *out)
{
    if (d->phase == phase) return false;
    d->phase = out->phase = phase;
    out->phase_changed = true;
    double t_s = rep_history_sample(&d->history, d->history.n - 1)->t_s;
    if (phase != PLATE_REST && isnan(d->live_s[phase - PLATE_DRIVE])) d->live_s[phase - PLATE_DRIVE] = t_s;
    return true;
}

void rep_to_rest(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    d->state = STATE_REST;
    d->departed_s = d->under_s = NAN;
    rep_forget_chunk(d);
    rep_weight_forget(d);
    rep_set_phase(d, PLATE_REST, out);
}

void rep_to_learn(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    rep_to_rest(d, out);
    d->state = STATE_LEARN;
}

static double median_step_N(const struct plate_rep_detector *d)
{
    double v[STEPS];
    unsigned n = d->steps < STEPS ? d->steps : STEPS;
    for (unsigned i = 0; i < n; i++) {
        unsigned j = i;
        for (; j > 0 && v[j - 1] > d->step[i]; j--) v[j] = v[j - 1];
        v[j] = d->step[i];
    }
    return v[n / 2];
}

double rep_usual_step_N(const struct plate_rep_detector *d) { return d->steps > 0 ? d->usual_step_N : 0; }

/* The range of this plate's own force in a rep that was decided on the sum of two. */
static double own_range_N(const struct plate_rep_detector *d, const struct rep_times *t, double *ret_all_N)
{
    double low = INFINITY, high = -INFINITY, all_low = INFINITY, all_high = -INFINITY;
    for (uint64_t i = rep_history_from(&d->history, t->onset_s); i < d->history.n; i++) {
        const struct rep_sample *s = rep_history_sample(&d->history, i);
        if (s->t_s > t->end_s) break;
        low = fmin(low, s->force_N), high = fmax(high, s->force_N);
        all_low = fmin(all_low, (double)s->decides_N), all_high = fmax(all_high, (double)s->decides_N);
    }
    *ret_all_N = all_high - all_low;
    return high - low;
}
#define TAKES_PART 0.15 /* of the sum's range: a foot that does less was not part of it */

bool rep_fill(const struct plate_rep_detector *d, const struct rep_times *t, struct plate_rep *ret)
{
    double all_N;
    if (d->summed && own_range_N(d, t, &all_N) < TAKES_PART * all_N) return false;
    memset(ret, 0, sizeof *ret);
    memcpy(ret->exercise, d->name, sizeof ret->exercise);
    rep_measure(&d->history, t, ret);
    bool down_first = t->descent_s == t->onset_s; /* how long one stood still at the bottom, force alone does not tell */
    ret->hold_s = down_first ? NAN : t->descent_s - t->top_s;
    ret->eccentric_s = !down_first ? t->end_s - t->descent_s : t->up_from_s > t->onset_s ? t->up_from_s - t->onset_s : NAN;
    ret->onset_live_s = d->live_s[0], ret->top_live_s = d->live_s[1], ret->descent_live_s = d->live_s[2];
    rep_judge_form(&d->targets, ret);
    return true;
}

void rep_put(const struct plate_rep_detector *d, const struct plate_rep *r, struct plate_rep_output *out)
{
    out->rep = *r;
    out->rep.end_live_s = rep_history_sample(&d->history, d->history.n - 1)->t_s;
    out->rep_done = true;
}

void rep_send(struct plate_rep_detector *d, const struct plate_rep *r, double step_N, struct plate_rep_output *out)
{
    rep_put(d, r, out);
    d->step[d->steps++ % STEPS] = step_N;
    d->usual_step_N = median_step_N(d);
    if (!(d->last_end_s > r->end_s)) d->last_end_s = r->end_s; /* else of one that is still to be said */
    d->doubts = false;                                         /* what was doubtful before it was none */
}

void rep_say(struct plate_rep_detector *d, const struct rep_times *t, double step_N, struct plate_rep_output *out)
{
    struct plate_rep r;
    if (rep_fill(d, t, &r)) rep_send(d, &r, step_N, out);
}

/* ---- the machine ---- */

static bool standing(const struct plate_rep_detector *d, double off_N)
{
    return rep_bears_weight(d) && (d->exercise->family == FAMILY_LOADED || off_N < 0);
}

/* The force leaves its band upwards. Who leans forward to stand up had unloaded the feet before: when they pressed least, if
 * that was below the band; else the same time. */
static double leant_s(const struct plate_rep_detector *d, double departed_s)
{
    double since_s = fmax(departed_s - LEANS_S, isnan(d->last_end_s) ? -INFINITY : d->last_end_s), least_s = departed_s;
    uint64_t i = rep_block_from(d, since_s), k = (uint64_t)fmax(1, floor(LEAN_SMOOTH_S / rep_last_block(d)->dt_s));
    double least_N = d->rest.mean_N - LEAN_BANDS * rep_decision_band_N(d);
    for (i = i > rep_oldest_block(d) + k ? i : rep_oldest_block(d) + k; i < d->blocks && rep_block_at(d, i)->t_s < departed_s;
         i++)
        if (rep_running_mean_N(d, i, k) < least_N) least_N = rep_running_mean_N(d, i, k), least_s = rep_block_at(d, i)->t_s;
    return least_s;
}

/* Is nothing on the plate at this resting level? Stricter than what rep_doubt.c asks: the level is near nil, too. */
static bool on_empty_plate(const struct plate_rep_detector *d)
{
    return d->rest.mean_N < EMPTY_N && d->rest.mean_N - d->rest_spread_N < d->lowest_N + FOOT_LEAST_N;
}

static void step_rest(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    double t_s = rep_last_block(d)->t_s, off = d->smooth_N - d->rest.mean_N;
    bool stands = standing(d, off);
    if (off >= -rep_decision_band_N(d))
        d->under_s = NAN;
    else if (isnan(d->under_s))
        d->under_s = t_s;
    if (fabs(d->smooth_N - d->before_foot_N) <= rep_decision_band_N(d) && rep_lasted(d, t_s, d->under_s, SUSTAIN_S)) {
        rep_rest_moves(d, d->before_foot_N, 0); /* it was part of a push, or it has gone with it */
        d->before_foot_N = NAN;
        return;
    }
    double band_N = 1.2 * rep_decision_band_N(d), loaded_N = rep_loaded_band_N(d);
    bool out_of_band = stands ? fabs(off) > loaded_N && d->rest.mean_N > LOADED_MIN_N
                              : off > (rep_bears_weight(d) ? fmin(band_N, loaded_N) : band_N);
    if (!out_of_band) {
        d->departed_s = NAN;
        return;
    }
    if (isnan(d->departed_s)) d->departed_s = t_s;
    if (!rep_lasted(d, t_s, d->departed_s, SUSTAIN_S)) return;
    stands = stands || (rep_bears_weight(d) && !isnan(rep_sank_s(d, d->departed_s)));
    if (!stands && off <= band_N) return;
    rep_unsaid(d);
    if (stands)
        rep_loaded_begin(d, d->departed_s, out);
    else {
        d->foot_down = on_empty_plate(d);
        bool may_lean = d->exercise->together && d->exercise->family != FAMILY_THRUST;
        double from_s = may_lean ? leant_s(d, d->departed_s) : d->departed_s;
        rep_up_begin(d, rep_find_departure(d, from_s, d->rest.mean_N, rep_band_N(d)), out);
        d->from_floor = d->onset_s - (d->doubts ? d->doubtful.rep.end_s : d->last_end_s) < FLOOR_NEXT_S;
    }
}

/* After a long hole, with a resting level from before it: who is back at it rests. Who is elsewhere is somewhere in a movement
 * whose beginning nobody saw: it is followed to its end, and not said. */
static void go_on(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    bool stands = standing(d, -1);
    double t_s = rep_last_block(d)->t_s, band_N = stands ? rep_loaded_band_N(d) : rep_decision_band_N(d);
    bool back = fabs(d->smooth_N - d->rest.mean_N) <= band_N;
    if (!back)
        d->departed_s = NAN;
    else if (isnan(d->departed_s))
        d->departed_s = t_s;
    if (back && rep_lasted(d, t_s, d->departed_s, stands ? BACK_STANDING_S : 0)) {
        d->state = STATE_REST;
        d->kept = false;
        d->departed_s = d->under_s = NAN;
    } else if (!back && !stands) {
        d->foot_down = on_empty_plate(d);
        rep_up_begin(d, t_s, out);
        d->unseen = true;
        d->kept = false;
    }
}

static void step_block(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    const struct block *b = rep_last_block(d);
    d->smooth_N = isnan(d->smooth_N) ? b->force_N : d->smooth_N + d->smooth_k * (b->force_N - d->smooth_N);
    if (d->state == STATE_LEARN || d->state == STATE_REST) {
        double f = d->smooth_N - d->rest.mean_N;
        d->chunk.smooth += f, d->chunk.smooth2 += f * f, d->chunk.blocks++;
    }
    switch (d->state) {
    case STATE_LEARN:
        if (d->kept) go_on(d, out);
        break;
    case STATE_REST:
        rep_weigh_step(d);
        step_rest(d, out);
        break;
    case STATE_UP:
        rep_up_step(d, out);
        break;
    case STATE_LOADED:
        rep_loaded_step(d, out);
        break;
    case STATE_AIR:
        rep_air_step(d, out);
        break;
    }
}

static void end_block(struct plate_rep_detector *d, const struct plate_rep_input *in, struct plate_rep_output *out)
{
    double mean_N = d->open.force / d->open.n, total_N = d->blocks > 0 ? rep_last_block(d)->total_N : 0;
    d->block[d->blocks++ % BLOCKS] = (struct block){d->open.t_s, in->t_s - d->open.t_s + d->period_s, mean_N, total_N + mean_N};
    d->open.n = 0;
    step_block(d, out);
}

/* Nothing that is under way goes on; the resting level may still hold. */
static void cut(struct plate_rep_detector *d)
{
    d->kept = d->kept || d->state != STATE_LEARN;
    if (d->state == STATE_UP) rep_up_cut(d);
    d->blocks_from = d->blocks;
    d->open.n = 0;
    d->smooth_N = d->departed_s = d->under_s = NAN;
    d->state = STATE_LEARN;
    d->rest_due = d->phase != PLATE_REST;
    rep_forget_chunk(d);
    rep_weight_forget(d);
}

/* The partner fell silent or came back: other levels, those of the last time. */
static void other_sum(struct plate_rep_detector *d)
{
    cut(d);
    struct resting now = {d->rest, d->own_rest_N, d->rest_spread_N, d->noise_N, d->kept};
    d->rest = d->aside.level, d->own_rest_N = d->aside.own_N, d->rest_spread_N = d->aside.spread_N;
    d->noise_N = d->aside.noise_N, d->kept = d->aside.known;
    d->aside = now;
    d->summed = !d->summed;
}

/* Rest, which may end the set, goes out with the last of the reps that were over before it. */
static void hold_rest(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    if (d->phase != PLATE_REST) {
        d->rest_held = false; /* they move again */
    } else if (d->dues > 0 && out->phase_changed) {
        d->rest_held = true;
        out->phase_changed = false;
    } else if (d->dues == 0 && d->rest_held) {
        d->rest_held = false;
        out->phase = PLATE_REST;
        out->phase_changed = true;
    }
}

/* Of two phases that begin with one sample only the last goes out; of the other nothing was said. */
static double said_s(double live_s, enum plate_phase phase, double now_s, const struct plate_rep_output *out)
{
    return live_s == now_s && !(out->phase_changed && out->phase == phase) ? NAN : live_s;
}

static void forget_unsaid(struct plate_rep_detector *d, double now_s, struct plate_rep_output *out)
{
    for (int k = 0; k < 3; k++) d->live_s[k] = said_s(d->live_s[k], (enum plate_phase)(PLATE_DRIVE + k), now_s, out);
    if (!out->rep_done) return;
    out->rep.onset_live_s = said_s(out->rep.onset_live_s, PLATE_DRIVE, now_s, out);
    out->rep.top_live_s = said_s(out->rep.top_live_s, PLATE_HOLD, now_s, out);
    out->rep.descent_live_s = said_s(out->rep.descent_live_s, PLATE_LOWER, now_s, out);
}

bool plate_rep_push(struct plate_rep_detector *d, const struct plate_rep_input *in, struct plate_rep_output *ret)
{
    ret->phase_changed = ret->rep_done = false;
    if (!isfinite(in->Fz_N)) return false;
    bool summed = in->paired && d->exercise->together;
    double force_N = summed ? in->Fz_N + in->other_N : in->Fz_N;
    if (summed != d->summed) other_sum(d);
    rep_history_push(&d->history, in, force_N);
    if (d->rest_due) {
        d->rest_due = false;
        rep_set_phase(d, PLATE_REST, ret);
    }
    if (d->state == STATE_LEARN || d->state == STATE_REST) rep_learn_rest(d, in->t_s, force_N, in->Fz_N);

    if (d->open.n == 0) d->open.t_s = in->t_s, d->open.force = 0;
    d->open.force += force_N;
    if (++d->open.n >= d->block_n) end_block(d, in, ret);
    if (d->dues > 0 && !ret->rep_done) rep_say_due(d, ret);
    hold_rest(d, ret);
    if (!ret->phase_changed && !ret->rep_done) return false;
    forget_unsaid(d, in->t_s, ret);
    return true;
}

bool plate_rep_end(struct plate_rep_detector *d, struct plate_rep_output *ret)
{
    ret->phase_changed = ret->rep_done = false;
    cut(d);
    rep_was_no_step(d);
    if (d->rest_due) rep_set_phase(d, PLATE_REST, ret);
    d->rest_due = false;
    if (d->dues > 0) rep_say_due(d, ret);
    hold_rest(d, ret);
    return ret->phase_changed || ret->rep_done;
}

void plate_rep_gap(struct plate_rep_detector *d, uint64_t missing)
{
    d->open.n = 0;
    bool bridged = (double)missing * d->period_s <= BRIDGE_S;
    rep_history_hole(&d->history, bridged);
    if (!bridged) cut(d);
}
