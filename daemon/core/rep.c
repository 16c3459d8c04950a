#include "plate/rep.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "rep_private.h"

/* docs/detector.md gives the reason of each threshold. */
#define BLOCK_S 0.005  /* decisions are taken on means over this time (one sample at low rates) */
#define SMOOTH_S 0.012 /* and smoothed with this time constant */
#define CHUNK_S 0.2    /* a quiet stretch is made of chunks of this length, 4 samples at least */
#define CHUNK_MIN 4
#define QUIET_N 4.0     /* a chunk with a larger SD is not quiet ... */
#define QUIET_PART 0.02 /* ... or than this part of its mean (a standing person sways) */
#define SUSTAIN_S 0.015
#define MIN_STEP_N 15.0 /* less is no repetition of anything */
#define MIN_REP_S 0.15
#define MAX_REP_S 40.0
#define HOLD_S 0.15          /* after the braking dip, a force that is flat for so long is held */
#define PLATEAU_S 0.4        /* without a dip: longer than the top of the drive's own hump */
#define FLAT_PART 0.01       /* flat: SD within this part of the step from rest */
#define HOLD_LEVEL 0.4       /* and above this part of the step to the peak */
#define DIP_PART 0.015       /* a braking dip is deeper than this part of the step */
#define LEAVE_PART 0.015     /* a hold is left by more than this part of its force ... */
#define LEAVE_SD 3.5         /* ... and of its own SD ... */
#define LEAVE_S 0.06         /* ... for so long */
#define PUSH_FLAT_PART 0.02  /* a maximal push trembles more ... */
#define PUSH_LEAVE_PART 0.06 /* ... and creeps */
#define HOLD_FOLLOW_S 1.0    /* the held level creeps with posture */
#define END_PART 0.1         /* touch-down: within a tenth of the step from rest to support */
#define END_DWELL_S 0.1      /* after a hold and a lowering, the floor is the floor */
#define DIP_DWELL_S 0.25     /* without, a fall this short may be braking at the top (free fall of v/g, v < 1.2 m/s) */
#define FOOT_STEP 0.8        /* a rise above a "hold" by this part of its step: the hold was the foot at rest */
#define FIRST_RATIO 0.25     /* of the usual step: smaller is a heel tap, not a rep; while fewer than 3 reps are known */
#define KNOWN_RATIO 0.4
#define LOADED_MIN_N 100.0 /* generic: a baseline above this that is left downwards is a standing one */
#define LOADED_BAND 0.04
#define LOADED_QUIET_S 0.3
#define LOADED_RANGE 0.15
#define LOADED_MIN_S 0.4
#define DOWN_PART 0.02 /* s: going down has a momentum of more than this x the baseline, that is 0.2 m/s */
#define UP_PART 0.4    /* standing again: came up with this part of the momentum with which it went down ... */
#define GIVEN_UP_S 5.0 /* ... or stood still for so long */
#define AIR_PART 0.06  /* airborne: less than this part of the baseline */
#define AIR_S 0.05
#define BRIDGE_S 0.1 /* a longer hole ends what is under way */

size_t plate_rep_detector_size(void) { return sizeof(struct plate_rep_detector); }

static enum family family_of(const char *exercise)
{
    static const struct {
        const char *name;
        enum family family;
    } known[] = {{"squat", FAMILY_LOADED}, {"squat_jump", FAMILY_LOADED}, {"generic", FAMILY_GENERIC}, {"", FAMILY_GENERIC}};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(exercise, known[i].name) == 0) return known[i].family;
    return FAMILY_UNLOADED;
}

void plate_rep_exercise(struct plate_rep_detector *d, const char *exercise, const struct plate_protocol_targets *targets)
{
    if (!exercise || !*exercise) exercise = "generic";
    strncpy(d->exercise, exercise, sizeof d->exercise - 1);
    d->family = family_of(exercise);
    d->jumps = strcmp(exercise, "squat_jump") == 0;
    d->isometric = strcmp(exercise, "isometric") == 0;
    d->fixed = d->isometric || d->family == FAMILY_GENERIC;
    d->targets = *targets;
    d->steps = 0;
}

int plate_rep_init(struct plate_rep_detector *d, const struct plate_rep_config *cfg)
{
    if (!(cfg->rate_Hz >= 1) || !(cfg->rate_Hz <= 1e6)) return -EINVAL;
    memset(d, 0, sizeof *d);
    d->rate_Hz = cfg->rate_Hz;
    d->period_s = 1 / cfg->rate_Hz;
    rep_history_init(&d->history, cfg->rate_Hz, cfg->filter_delay_s);
    d->block_n = (unsigned)fmax(1, floor(BLOCK_S * cfg->rate_Hz + 0.5));
    d->chunk_n = (unsigned)fmax(CHUNK_MIN, floor(CHUNK_S * cfg->rate_Hz + 0.5));
    d->smooth_k = 1 - exp(-(double)d->block_n * d->period_s / SMOOTH_S);
    d->smooth_N = d->last_end_s = d->departed_s = NAN;
    plate_rep_exercise(d, cfg->exercise, &cfg->targets);
    return 0;
}

enum plate_phase plate_rep_phase(const struct plate_rep_detector *d) { return d->phase; }
/* Has it lasted for `dwell_s` since `since_s`? To the nearest sample, as above. */
static bool lasted(const struct plate_rep_detector *d, double t_s, double since_s, double dwell_s)
{
    return t_s - since_s > dwell_s - d->period_s / 2;
}

static bool set_phase(struct plate_rep_detector *d, enum plate_phase phase, struct plate_rep_output *out)
{
    if (d->phase == phase) return false;
    d->phase = out->phase = phase;
    out->phase_changed = true;
    return true;
}

/* ---- the resting level ---- */

static void learn_rest(struct plate_rep_detector *d, double t_s, double force_N)
{
    d->chunk.n++;
    double delta = force_N - d->chunk.mean;
    d->chunk.mean += delta / d->chunk.n;
    d->chunk.m2 += delta * (force_N - d->chunk.mean);
    if (d->chunk.n < d->chunk_n) return;
    double mean = d->chunk.mean, sd = sqrt(d->chunk.m2 / (d->chunk.n - 1));
    d->chunk.mean = d->chunk.m2 = 0;
    d->chunk.n = 0;
    double limit = fmax(QUIET_N, QUIET_PART * fabs(mean));
    bool quiet = sd <= limit, level = quiet && d->chunk.last_quiet && fabs(mean - d->chunk.last_mean) <= limit;
    d->chunk.last_mean = mean;
    d->chunk.last_quiet = quiet;
    if (!level) return;
    if (d->state == STATE_LEARN || fabs(mean - d->rest.mean_N) > rep_band_N(d)) {
        d->rest = (struct level){mean, sd};
        d->rest_since_s = t_s;
    } else {
        d->rest.mean_N += 0.5 * (mean - d->rest.mean_N);
        d->rest.sd_N += 0.3 * (sd - d->rest.sd_N);
    }
    if (d->state == STATE_LEARN) d->state = STATE_REST;
}

static void forget_chunk(struct plate_rep_detector *d)
{
    d->chunk.mean = d->chunk.m2 = 0;
    d->chunk.n = 0;
    d->chunk.last_quiet = false;
}
static void remember_step(struct plate_rep_detector *d, double step_N) { d->step[d->steps++ % STEPS] = step_N; }

/* The usual step of the last reps: their median. */
static double usual_step(const struct plate_rep_detector *d)
{
    double v[STEPS];
    unsigned n = d->steps < STEPS ? d->steps : STEPS;
    for (unsigned i = 0; i < n; i++) {
        unsigned j = i;
        for (; j > 0 && v[j - 1] > d->step[i]; j--) v[j] = v[j - 1];
        v[j] = d->step[i];
    }
    return n ? v[n / 2] : 0;
}

static double smallest_step(const struct plate_rep_detector *d)
{
    double part = d->steps < 3 ? FIRST_RATIO : KNOWN_RATIO;
    return fmax(MIN_STEP_N, fmax(part * usual_step(d), 3 * rep_band_N(d)));
}

static void to_rest(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    d->state = STATE_REST;
    d->departed_s = NAN;
    forget_chunk(d);
    set_phase(d, PLATE_REST, out);
}

/* ---- movements from an unloaded or a lightly loaded foot: up, hold, down ---- */

static void begin_up(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    d->state = STATE_UP;
    d->onset_s = t_s;
    d->peak_N = d->smooth_N;
    d->dip_depth_N = 0;
    d->dip_N = d->dip_s = INFINITY;
    d->top_s = d->descent_s = d->leave_s = d->below_s = NAN;
    d->hold = (struct level){NAN, NAN};
    set_phase(d, PLATE_DRIVE, out);
}

/* Is the force flat over the last `window_s`? Then its level, and since when. */
static bool flat(const struct plate_rep_detector *d, double window_s, double tolerance_N, struct level *ret,
                 double *ret_since_s)
{
    double end_s = rep_block_at(d, d->blocks - 1)->t_s + rep_block_at(d, d->blocks - 1)->dt_s;
    uint64_t from = rep_block_from(d, end_s - window_s), n = d->blocks - from;
    if (n < 3 || from == rep_oldest_block(d) || rep_block_at(d, from)->t_s < d->onset_s) return false;
    double sum = 0, sum2 = 0, sx = 0;
    for (uint64_t i = from; i < d->blocks; i++) {
        double f = rep_block_at(d, i)->force_N - d->rest.mean_N;
        sum += f, sum2 += f * f, sx += f * (double)(i - from);
    }
    double mean = sum / (double)n, sd = sqrt(fmax(0, sum2 / (double)n - mean * mean));
    double centre = ((double)n - 1) / 2, sxx = (double)n * ((double)n * (double)n - 1) / 12;
    double drift = (sx - centre * sum) / sxx * (double)n; /* change over the window along its line */
    if (sd > tolerance_N || fabs(drift) > 1.5 * tolerance_N) return false;
    *ret = (struct level){mean + d->rest.mean_N, sd};
    *ret_since_s = rep_block_at(d, from)->t_s;
    return true;
}

static bool finish_up(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    double support = isnan(d->hold.mean_N) ? d->peak_N : d->hold.mean_N, step = support - d->rest.mean_N;
    double end_s = d->below_s, onset_s = d->onset_s;
    bool whole = step >= smallest_step(d) && end_s - onset_s >= MIN_REP_S;
    if (whole) {
        if (!isnan(d->top_s) && isnan(d->descent_s)) d->descent_s = d->below_s;
        rep_fill(d, &out->rep, onset_s, end_s, onset_s, d->top_s);
        struct plate_rep *r = &out->rep;
        r->hold_s = r->descent_s - r->top_s;
        r->eccentric_s = r->end_s - r->descent_s;
        rep_judge_form(&d->targets, r);
        out->rep_done = true;
        remember_step(d, d->peak_N - d->rest.mean_N);
        d->last_end_s = end_s;
    }
    to_rest(d, out);
    return whole;
}

/* The force rose again from what looked like a hold, by about as much: the "hold" was the foot at rest. */
static bool foot_was_at_rest(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    if (isnan(d->hold.mean_N)) return false;
    double step = d->hold.mean_N - d->rest.mean_N;
    if (d->smooth_N < d->hold.mean_N + fmax(MIN_STEP_N, FOOT_STEP * step)) return false;
    d->rest = (struct level){d->hold.mean_N, fmax(d->rest.sd_N, fmin(d->hold.sd_N, BAND_MIN_N / BAND_SD))};
    double since_s = rep_block_at(d, d->blocks - 1)->t_s;
    begin_up(d, rep_find_onset(d, since_s), out);
    return true;
}

/* The first mean from `since_s` on that is as near the level as `tolerance_N`. */
static double settled(const struct plate_rep_detector *d, double since_s, const struct level *level, double tolerance_N)
{
    uint64_t i = rep_block_from(d, since_s);
    while (i + 1 < d->blocks && fabs(rep_block_at(d, i)->force_N - level->mean_N) > tolerance_N) i++;
    return rep_block_at(d, i)->t_s;
}

static void find_hold(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    double step = d->peak_N - d->rest.mean_N,
           tolerance = fmax(fmax(2 * d->rest.sd_N, 1.0), (d->isometric ? PUSH_FLAT_PART : FLAT_PART) * step), since_s;
    double dip = fmax(fmax(3 * d->rest.sd_N, 1.0), DIP_PART * step);
    struct level level;
    if (step < smallest_step(d) || !flat(d, HOLD_S, tolerance, &level, &since_s)) return;
    if (level.mean_N < d->rest.mean_N + HOLD_LEVEL * step) return;
    bool known = !isnan(d->hold.mean_N), again = known && fabs(level.mean_N - d->hold.mean_N) < 2 * tolerance;
    if (d->phase == PLATE_LOWER && known && !again) return; /* a slow lowering is flat for a while too */
    bool braked = d->dip_depth_N > dip && d->dip_N < level.mean_N - dip && d->dip_s <= since_s;
    if (!braked && !flat(d, PLATEAU_S, tolerance, &level, &since_s)) return;
    /* Hips that rise slowly and evenly press like hips that are held: without a dip, only a push against a fixed
     * bar is known to stand still. */
    if (!again) d->top_s = braked || d->fixed ? settled(d, since_s, &level, tolerance) : NAN;
    d->hold = level;
    d->descent_s = d->leave_s = NAN;
    set_phase(d, PLATE_HOLD, out);
}

/* Where the force left the held level, found again backwards: the last mean within a quarter of what it left by. */
static double find_descent(const struct plate_rep_detector *d, double leave_N)
{
    uint64_t i = rep_block_from(d, d->leave_s), oldest = rep_oldest_block(d);
    while (i > oldest + 1 && rep_block_at(d, i)->t_s > d->onset_s &&
           fabs(rep_block_at(d, i)->force_N - d->hold.mean_N) > leave_N / 4)
        i--;
    return rep_block_at(d, i)->t_s;
}

static void follow_hold(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    if (d->phase != PLATE_HOLD) {
        find_hold(d, out);
        return;
    }
    double off = d->smooth_N - d->hold.mean_N, k = d->block_n * d->period_s / HOLD_FOLLOW_S;
    double leave_N = fmax(fmax(LEAVE_SD * d->hold.sd_N, 3 * d->rest.sd_N),
                          fmax(1.5, (d->isometric ? PUSH_LEAVE_PART : LEAVE_PART) * d->hold.mean_N));
    if (fabs(off) <= leave_N) {
        double mean_off = rep_block_at(d, d->blocks - 1)->force_N - d->hold.mean_N;
        d->leave_s = NAN;
        if (fabs(off) > leave_N / 2) return;
        d->hold.mean_N += fmin(1, k) * mean_off;
        d->hold.sd_N =
            sqrt(fmax(0, d->hold.sd_N * d->hold.sd_N + fmin(1, 2 * k) * (mean_off * mean_off - d->hold.sd_N * d->hold.sd_N)));
        return;
    }
    if (isnan(d->leave_s)) d->leave_s = t_s;
    if (!lasted(d, t_s, d->leave_s, LEAVE_S)) return;
    d->descent_s = find_descent(d, leave_N);
    set_phase(d, off < 0 ? PLATE_LOWER : PLATE_DRIVE, out);
}

static void step_up(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    d->peak_N = fmax(d->peak_N, d->smooth_N);
    if (d->peak_N - d->smooth_N > d->dip_depth_N)
        d->dip_depth_N = d->peak_N - d->smooth_N, d->dip_N = d->smooth_N, d->dip_s = t_s;
    if (foot_was_at_rest(d, out)) return;
    double support = isnan(d->hold.mean_N) ? d->peak_N : d->hold.mean_N;
    double step = support - d->rest.mean_N, near_N = d->rest.mean_N + fmax(END_PART * step, rep_band_N(d));
    double force_N = rep_block_at(d, d->blocks - 1)->force_N;
    if (force_N <= near_N) {
        if (isnan(d->below_s)) d->below_s = t_s;
        bool lowered = !isnan(d->hold.mean_N);
        if (lasted(d, t_s, d->below_s, lowered ? END_DWELL_S : DIP_DWELL_S))
            finish_up(d, out);
        else if (lowered || lasted(d, t_s, d->below_s, SUSTAIN_S))
            set_phase(d, PLATE_LOWER, out);
        return;
    }
    d->below_s = NAN;
    if (lasted(d, t_s, d->onset_s, MAX_REP_S)) {
        d->state = STATE_LEARN;
        forget_chunk(d);
        set_phase(d, PLATE_REST, out);
        return;
    }
    follow_hold(d, t_s, out);
    double part = (d->smooth_N - d->rest.mean_N) / (d->peak_N - d->rest.mean_N);
    if (d->phase == PLATE_DRIVE && part < 0.6 && isnan(d->hold.mean_N))
        set_phase(d, PLATE_LOWER, out);
    else if (d->phase == PLATE_LOWER && part > 0.85 && isnan(d->hold.mean_N))
        set_phase(d, PLATE_DRIVE, out);
}

/* ---- movements from a standing baseline: down, up, perhaps off the ground ---- */

static double loaded_band_N(const struct plate_rep_detector *d) { return fmax(rep_band_N(d), LOADED_BAND * d->rest.mean_N); }

static void integrate(struct plate_rep_detector *d, const struct block *b)
{
    d->momentum_Ns += (b->force_N - d->rest.mean_N) * b->dt_s;
    if (d->momentum_Ns < d->down_Ns) d->down_Ns = d->up_Ns = d->momentum_Ns;
    d->up_Ns = fmax(d->up_Ns, d->momentum_Ns);
}

static void begin_loaded(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    d->state = STATE_LOADED;
    d->onset_s = rep_find_onset(d, t_s);
    d->peak_N = d->low_N = d->smooth_N;
    d->top_s = d->descent_s = d->bottom_s = d->takeoff_s = d->below_s = d->departed_s = NAN;
    d->momentum_Ns = d->down_Ns = d->up_Ns = 0;
    set_phase(d, d->smooth_N < d->rest.mean_N ? PLATE_LOWER : PLATE_DRIVE, out);
    if (d->phase == PLATE_DRIVE) d->bottom_s = d->onset_s;
    for (uint64_t i = rep_block_from(d, d->onset_s); i < d->blocks; i++) integrate(d, rep_block_at(d, i));
}

static void finish_loaded(struct plate_rep_detector *d, double end_s, struct plate_rep_output *out)
{
    double range = d->peak_N - d->low_N, span_s = end_s - d->onset_s;
    if (range < fmax(MIN_STEP_N, LOADED_RANGE * d->rest.mean_N) || span_s < LOADED_MIN_S || isnan(d->bottom_s)) return;
    if (d->steps && range < (d->steps < 3 ? FIRST_RATIO : KNOWN_RATIO) * usual_step(d)) return;
    if (isnan(d->top_s)) d->top_s = end_s;
    d->descent_s = d->onset_s;
    double top_s = d->top_s;
    struct plate_rep *r = &out->rep;
    rep_fill(d, r, d->onset_s, end_s, d->bottom_s, top_s);
    r->hold_s = NAN; /* the turn at the bottom is no hold; how long one stood still there, force alone does not tell yet */
    r->eccentric_s = d->bottom_s - d->onset_s;
    rep_judge_form(&d->targets, r);
    out->rep_done = true;
    remember_step(d, range);
    d->last_end_s = end_s;
}

static void step_loaded(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    const struct block *b = rep_block_at(d, d->blocks - 1);
    d->peak_N = fmax(d->peak_N, d->smooth_N);
    d->low_N = fmin(d->low_N, d->smooth_N);
    double before_Ns = d->momentum_Ns;
    integrate(d, b);
    bool went_down = d->down_Ns < -DOWN_PART * d->rest.mean_N;
    if (went_down && before_Ns < 0 && d->momentum_Ns >= 0 && isnan(d->bottom_s)) {
        d->bottom_s = t_s;
        set_phase(d, PLATE_DRIVE, out);
    }
    bool airborne = b->force_N < AIR_PART * d->rest.mean_N;
    if (airborne && isnan(d->takeoff_s)) d->takeoff_s = t_s;
    if (!airborne) d->takeoff_s = NAN;
    if (airborne && lasted(d, t_s, d->takeoff_s, AIR_S)) {
        d->state = STATE_AIR;
        d->top_s = d->takeoff_s;
        set_phase(d, PLATE_REST, out);
        return;
    }
    bool inside = fabs(d->smooth_N - d->rest.mean_N) <= loaded_band_N(d);
    if (!inside)
        d->below_s = NAN;
    else if (isnan(d->below_s))
        d->below_s = t_s;
    else if (lasted(d, t_s, d->below_s, !went_down || d->up_Ns > -UP_PART * d->down_Ns ? LOADED_QUIET_S : GIVEN_UP_S)) {
        finish_loaded(d, d->below_s, out);
        to_rest(d, out);
        return;
    }
    if (lasted(d, t_s, d->onset_s, MAX_REP_S)) {
        d->state = STATE_LEARN;
        forget_chunk(d);
        set_phase(d, PLATE_REST, out);
    }
}

/* In the air: until landing, or until it is plain that the person stepped off. */
static void step_air(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    double force_N = rep_block_at(d, d->blocks - 1)->force_N;
    if (lasted(d, t_s, d->takeoff_s, 1.2)) { /* nobody flies for so long */
        d->state = STATE_LEARN;
        forget_chunk(d);
    } else if (force_N > fmax(2 * AIR_PART * d->rest.mean_N, rep_band_N(d))) {
        if (d->jumps || d->family == FAMILY_GENERIC) finish_loaded(d, t_s, out);
        d->state = STATE_LANDED;
        d->below_s = NAN;
        d->departed_s = t_s;
    }
}

/* After landing: nothing counts until the person stands still, or has left. */
static void step_landed(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    bool inside = fabs(d->smooth_N - d->rest.mean_N) <= 2 * loaded_band_N(d);
    if (!inside)
        d->below_s = NAN;
    else if (isnan(d->below_s))
        d->below_s = t_s;
    if (!isnan(d->below_s) && lasted(d, t_s, d->below_s, LOADED_QUIET_S))
        to_rest(d, out);
    else if (lasted(d, t_s, d->departed_s, 3)) {
        d->state = STATE_LEARN;
        forget_chunk(d);
    }
}

/* ---- the machine ---- */

static void step_rest(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    double off = d->smooth_N - d->rest.mean_N;
    bool standing = d->family == FAMILY_LOADED || (d->family == FAMILY_GENERIC && d->rest.mean_N > LOADED_MIN_N && off < 0);
    bool out_of_band = standing ? fabs(off) > loaded_band_N(d) && d->rest.mean_N > LOADED_MIN_N : off > 1.2 * rep_band_N(d);
    if (!out_of_band) {
        d->departed_s = NAN;
        return;
    }
    if (isnan(d->departed_s)) d->departed_s = t_s;
    if (!lasted(d, t_s, d->departed_s, SUSTAIN_S)) return;
    double since_s = d->departed_s;
    if (standing)
        begin_loaded(d, since_s, out);
    else
        begin_up(d, rep_find_onset(d, since_s), out);
}

static void step_block(struct plate_rep_detector *d, struct plate_rep_output *out)
{
    const struct block *b = rep_block_at(d, d->blocks - 1);
    d->smooth_N = isnan(d->smooth_N) ? b->force_N : d->smooth_N + d->smooth_k * (b->force_N - d->smooth_N);
    switch (d->state) {
    case STATE_LEARN:
        break;
    case STATE_REST:
        step_rest(d, b->t_s, out);
        break;
    case STATE_UP:
        step_up(d, b->t_s, out);
        break;
    case STATE_LOADED:
        step_loaded(d, b->t_s, out);
        break;
    case STATE_AIR:
        step_air(d, b->t_s, out);
        break;
    case STATE_LANDED:
        step_landed(d, b->t_s, out);
        break;
    }
}

bool plate_rep_push(struct plate_rep_detector *d, const struct plate_rep_input *in, struct plate_rep_output *ret)
{
    ret->phase_changed = ret->rep_done = false;
    if (!isfinite(in->Fz_N)) return false;
    if (d->rest_due) {
        d->rest_due = false;
        set_phase(d, PLATE_REST, ret);
    }
    rep_history_push(&d->history, in);
    if (d->state == STATE_LEARN || d->state == STATE_REST) learn_rest(d, in->t_s, in->Fz_N);

    if (d->open.n == 0) d->open.t_s = in->t_s, d->open.force = 0;
    d->open.force += in->Fz_N;
    if (++d->open.n < d->block_n) return ret->phase_changed;
    d->block[d->blocks++ % BLOCKS] =
        (struct block){d->open.t_s, in->t_s - d->open.t_s + d->period_s, d->open.force / d->open.n};
    d->open.n = 0;
    step_block(d, ret);
    return ret->phase_changed || ret->rep_done;
}

void plate_rep_gap(struct plate_rep_detector *d, uint64_t missing)
{
    d->open.n = 0;
    bool bridged = (double)missing * d->period_s <= BRIDGE_S;
    rep_history_hole(&d->history, bridged);
    if (bridged) return;
    d->blocks_from = d->blocks;
    d->smooth_N = d->departed_s = NAN;
    d->state = STATE_LEARN;
    d->rest_due = d->phase != PLATE_REST;
    forget_chunk(d);
}
