#include "sim_private.h"
#include <math.h>

#define ONSET_BAND_N 5.0 /* the force leaves rest by so much */
#define END_PART 0.1     /* of the step from rest to support */
#define SEARCH_S 1e-3    /* what is over within this time is no crossing */
#define EXACT_S 1e-6

/* A question about one moment of a rep. */
struct look {
    const struct sim_body *b;
    enum plate_side foot;
    bool (*yes)(const struct look *l, const struct sim_force *f);
    double level_N, limit;
};

static bool off_still(const struct look *l, const struct sim_force *f) { return fabs(f->foot_N - f->still_N) > l->limit; }
static bool off_level(const struct look *l, const struct sim_force *f) { return fabs(f->foot_N - l->level_N) > l->limit; }
static bool within_step(const struct look *l, const struct sim_force *f) { return f->foot_N - f->still_N <= l->limit; }
static bool low_hips(const struct look *l, const struct sim_force *f) { return f->hip_m <= l->limit; }

static bool yes_at(const struct look *l, double t_s)
{
    struct sim_force f;
    sim_body_own_force(l->b, l->foot, t_s, &f);
    return l->yes(l, &f);
}

/* The first moment in [from, until] at which the answer is yes, or `until`. Backwards: until < from. */
static double first_yes(const struct look *l, double from_s, double until_s)
{
    double step = until_s < from_s ? -SEARCH_S : SEARCH_S, t = from_s, before = from_s;
    if (yes_at(l, t)) return t;
    do {
        before = t;
        t = (until_s - t) / step > 1 ? t + step : until_s;
        if (yes_at(l, t)) {
            while (fabs(t - before) > EXACT_S) {
                double middle = before + (t - before) / 2;
                if (yes_at(l, middle))
                    t = middle;
                else
                    before = middle;
            }
            return t;
        }
    } while ((until_s - t) / step > 0);
    return until_s;
}

static double peak_N(const struct sim_body *b, enum plate_side foot, double from_s, double until_s)
{
    double peak = 0;
    for (double t = from_s; t <= until_s; t += SEARCH_S) {
        struct sim_force f;
        sim_body_own_force(b, foot, t, &f);
        peak = fmax(peak, f.foot_N);
    }
    return peak;
}

/* The foot's force leaves rest; after a standstill above the floor, what holds it there; a turn without one is the onset. */
static double onset_s(const struct sim_body *b, enum plate_side foot, const struct rep *r)
{
    struct look l = {.b = b, .foot = foot, .yes = off_still, .limit = ONSET_BAND_N};
    if (r->floats_in) {
        struct sim_force f;
        sim_body_own_force(b, foot, r->start_s, &f);
        l.yes = off_level;
        l.level_N = f.support_N;
        if (r[-1].still_s <= 0) return r->start_s;
    }
    return first_yes(&l, r->start_s, r->stop_s);
}

static double step_N(const struct sim_body *b, enum plate_side foot, double top_s, double after_s)
{
    struct sim_force top, after;
    sim_body_own_force(b, foot, top_s, &top);
    sim_body_own_force(b, foot, after_s, &after);
    return top.support_N - after.still_N;
}

/* The rep goes up first: thrusts, pushes, sit to stand. */
static void up_first(const struct sim_body *b, enum plate_side foot, const struct rep *r, struct sim_truth *ret)
{
    ret->top_s = r->start_s + r->lean_s + r->first_s;
    ret->descent_s = ret->top_s + r->hold_s;
    ret->end_s = r->stop_s;
    if (r->floats_out) return;
    struct look l = {.b = b, .foot = foot, .yes = low_hips, .limit = b->contact_m};
    double touches_s = b->cfg.exercise->kind == SIM_PUSH ? ret->descent_s : first_yes(&l, ret->descent_s, r->stop_s);
    l.yes = within_step;
    l.limit = fmax(END_PART * step_N(b, foot, ret->descent_s, r->stop_s), 1e-3);
    ret->end_s = first_yes(&l, touches_s, r->stop_s);
}

static void squat(const struct sim_body *b, enum plate_side foot, const struct rep *r, struct sim_truth *ret)
{
    struct look l = {.b = b, .foot = foot, .yes = off_still, .limit = ONSET_BAND_N};
    ret->descent_s = ret->onset_s;
    ret->bottom_s = r->start_s + r->first_s + r->hold_s;
    ret->top_s = r->stop_s;
    ret->end_s = first_yes(&l, r->stop_s, ret->bottom_s); /* back in the band for good */
}

static void jump(const struct rep *r, struct sim_truth *ret)
{
    ret->descent_s = ret->onset_s;
    ret->bottom_s = r->start_s + r->first_s + r->hold_s;
    ret->top_s = ret->bottom_s + r->second_s;
    ret->end_s = ret->top_s + r->takeoff_s;
}

bool sim_body_truth(const struct sim_body *b, unsigned i, enum plate_side foot, struct sim_truth *ret)
{
    const struct rep *r = &b->rep[i];
    const struct set *s = &b->set[r->set];
    if ((foot == PLATE_SIDE_LEFT && s->share[0] <= 0) || (foot == PLATE_SIDE_RIGHT && s->share[1] <= 0)) return false;
    *ret = (struct sim_truth){.rep = r->number,
                              .set = r->set + 1,
                              .side = s->side != PLATE_SIDE_BOTH ? s->side : foot,
                              .onset_s = onset_s(b, foot, r),
                              .bottom_s = NAN,
                              .floating = r->floats_out,
                              .floated = r->floats_in};
    if (b->cfg.exercise->kind == SIM_SQUAT)
        squat(b, foot, r, ret);
    else if (b->cfg.exercise->kind == SIM_JUMP)
        jump(r, ret);
    else
        up_first(b, foot, r, ret);
    ret->peak_N = peak_N(b, foot, ret->onset_s, ret->end_s);
    return true;
}

double sim_body_share_pct(const struct sim_body *b, enum plate_side foot, double from_s, double to_s)
{
    if (!(to_s > from_s)) return NAN;
    double own = 0, both = 0;
    for (double t = from_s; t <= to_s; t += SEARCH_S) {
        struct sim_force f, other;
        sim_body_force(b, foot, t, &f);
        sim_body_force(b, foot == PLATE_SIDE_LEFT ? PLATE_SIDE_RIGHT : PLATE_SIDE_LEFT, t, &other);
        own += f.foot_N;
        both += f.foot_N + other.foot_N;
    }
    return 100 * own / both;
}
