#include "sim_script.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define SETTLE_S 1.8 /* foot on the plate, not yet moving */
#define TAIL_S 1.0   /* empty plate at the end */

/* Where each event of a set goes: before the foot comes on, in the rest before a rep (after the last: `reps`), or in a hold. */
enum { BEFORE_THE_SET = -1, IN_A_HOLD = -2 };
struct plan {
    enum sim_event_kind kind;
    int at;
    unsigned rep; /* in a hold */
};

static struct plan plan_event(const struct sim_body *b, struct sim_rng *r, enum sim_event_kind kind)
{
    struct plan p = {.kind = kind, .at = (int)sim_rng_below(r, b->cfg.reps + 1)};
    p.rep = sim_rng_below(r, b->cfg.reps);
    double where = draw(r, 0, 1);
    if (b->cfg.turn != SIM_TURN_PAUSE) p.at = where < 0.5 ? 0 : (int)b->cfg.reps;
    if (kind == SIM_EVENT_STEP || (kind == SIM_EVENT_LEAN && where < 0.25)) p.at = BEFORE_THE_SET;
    if (kind == SIM_EVENT_LOAD) p.at = 0;
    if (kind == SIM_EVENT_KICK && b->cfg.exercise->kind != SIM_JUMP && where < 0.4) p.at = IN_A_HOLD;
    if (kind == SIM_EVENT_KICK && where > 0.8) p.at = BEFORE_THE_SET;
    return p;
}

struct scene { /* of one set */
    struct sim_rng *r;
    unsigned set, plans;
    double t_s;
    struct plan plan[SIM_EVENTS * 64];
};

static struct event *new_event(struct sim_body *b, struct sim_rng *r, unsigned set)
{
    struct event *e = &b->event[b->events++];
    enum plate_side side = b->set[set].side, drawn = sim_rng_chance(r, 0.5) ? PLATE_SIDE_LEFT : PLATE_SIDE_RIGHT;
    *e = (struct event){.is = {.set = set + 1, .foot = side == PLATE_SIDE_BOTH ? drawn : side}};
    return e;
}

/* An aborted lift is the athlete's own: a path. Thrusts give the floor a part of the load, pushes a part of their force. */
static double add_abort(struct sim_body *b, struct sim_rng *r, double t, struct event *e)
{
    double up_s = draw(r, 0.12, 0.22), down_s = draw(r, 0.12, 0.22), part = draw(r, 0, 1);
    double h_m = b->cfg.exercise->kind == SIM_PUSH ? 0.2 + 0.3 * part : (0.14 + 0.18 * part) * b->contact_m;
    sim_act_abort(b, t, up_s, down_s, h_m);
    e->is.kind = SIM_EVENT_ABORT;
    e->is.foot = b->set[e->is.set - 1].side;
    e->is.start_s = t;
    e->is.end_s = e->until_s = t + up_s + down_s;
    return up_s + down_s;
}

static void add_event(struct sim_body *b, struct scene *s, enum sim_event_kind kind)
{
    struct event *e = new_event(b, s->r, s->set);
    s->t_s += kind == SIM_EVENT_ABORT ? add_abort(b, s->r, s->t_s, e) : sim_event_draw(b, s->r, kind, s->t_s, e);
}

/* Everything planned for `at`, one after the other, with some quiet in between. */
static void add_events(struct sim_body *b, struct scene *s, int at)
{
    bool any = false;
    for (unsigned i = 0; i < s->plans; i++) {
        if (s->plan[i].at != at) continue;
        s->t_s += draw(s->r, 0.5, 1.2);
        add_event(b, s, s->plan[i].kind);
        any = true;
    }
    if (any) s->t_s += draw(s->r, 0.8, 1.4);
}

static void add_kicks(struct sim_body *b, struct scene *s)
{
    for (unsigned i = 0; i < s->plans; i++) {
        if (s->plan[i].at != IN_A_HOLD) continue;
        const struct rep *rep = &b->rep[b->set[s->set].first_rep + s->plan[i].rep];
        double part = draw(s->r, 0.3, 0.6);
        sim_event_draw(b, s->r, SIM_EVENT_KICK, rep->start_s + rep->lean_s + rep->first_s + part * rep->hold_s,
                       new_event(b, s->r, s->set));
    }
}

static void draw_set(struct sim_body *b, struct sim_rng *r, unsigned k)
{
    struct set *s = &b->set[k];
    double weak = 1 - b->cfg.weaker_pct / 100;
    s->side = b->cfg.set[k];
    s->first_rep = k * b->cfg.reps;
    if (s->side == PLATE_SIDE_BOTH) {
        double left = b->cfg.weaker == PLATE_SIDE_LEFT ? weak : 1, right = b->cfg.weaker == PLATE_SIDE_RIGHT ? weak : 1;
        s->share[0] = left / (left + right);
        s->share[1] = right / (left + right);
    } else {
        s->share[s->side == PLATE_SIDE_RIGHT] = 1;
    }
    for (unsigned f = 0; f < 2; f++) {
        s->tread[f] = draw(r, 0.1, 0.4);
        s->wander_phase[f] = draw(r, 0, 1);
        for (unsigned i = 0; i < 4; i++) s->sway_phase[f][i] = draw(r, 0, 1);
    }
    for (unsigned i = 0; i < 3; i++) s->body_phase[i] = draw(r, 0, 1);
    for (unsigned n = 0; n < b->cfg.reps; n++) {
        struct rep *rep = &b->rep[s->first_rep + n];
        sim_draw_rep(b, r, k, n, rep);
        rep->rest_before = n ? rep[-1].rest_after : 1;
    }
}

static void play_set(struct sim_body *b, struct sim_rng *r, struct scene *s)
{
    struct set *set = &b->set[s->set];
    struct gap before = {.turn = SIM_TURN_PAUSE}, after;
    add_events(b, s, BEFORE_THE_SET);
    set->on_s = s->t_s;
    s->t_s += STEP_ON_S + SETTLE_S;
    for (unsigned n = 0; n < b->cfg.reps; n++) {
        struct rep *rep = &b->rep[set->first_rep + n];
        add_events(b, s, (int)n);
        if (n == 0 && b->cfg.odd_first && sim_event_makes_sense(b, SIM_EVENT_ABORT) && sim_rng_chance(s->r, 0.5)) {
            add_event(b, s, SIM_EVENT_ABORT);
            s->t_s += draw(s->r, 0.4, 0.8);
        }
        sim_draw_gap(b, r, rep, n + 1 < b->cfg.reps ? rep + 1 : NULL, &after);
        rep->start_s = s->t_s;
        if (b->cfg.exercise->kind == SIM_SQUAT)
            sim_act_squat(b, r, rep);
        else if (b->cfg.exercise->kind == SIM_JUMP)
            sim_act_jump(b, r, rep);
        else
            sim_act_up_first(b, r, rep, &before, &after);
        s->t_s = rep->stop_s + (after.turn == SIM_TURN_BOUNCE ? 0 : after.length_s);
        before = after;
    }
    add_events(b, s, (int)b->cfg.reps);
    set->off_s = s->t_s + STEP_OFF_S;
    add_kicks(b, s);
    s->t_s = set->off_s;
}

static int by_start(const void *a, const void *b)
{
    const struct event *x = a, *y = b;
    return x->is.start_s < y->is.start_s ? -1 : x->is.start_s > y->is.start_s;
}

/* Events have a generator of their own: the athlete and his reps are the same with and without them. */
int sim_script_write(struct sim_body *b)
{
    unsigned each = b->cfg.events_per_set ? b->cfg.events_per_set : 1;
    struct sim_rng r, er;
    struct scene s = {.r = &er, .t_s = b->cfg.start_delay_s};
    b->reps = b->cfg.sets * b->cfg.reps;
    b->rep = calloc(b->reps, sizeof *b->rep);
    b->event = calloc(b->cfg.sets * (each * SIM_EVENTS + 1), sizeof *b->event);
    if (!b->rep || !b->event) return -ENOMEM;
    sim_rng_init(&r, b->cfg.seed, 0);
    sim_rng_init(&er, b->cfg.seed, 1000);
    sim_draw_athlete(b, &r);
    for (s.set = 0; s.set < b->cfg.sets; s.set++) {
        s.plans = 0;
        for (unsigned k = 0; k < SIM_EVENTS; k++)
            for (unsigned i = 0; i < each && b->cfg.events >> k & 1; i++)
                if (sim_event_makes_sense(b, k)) s.plan[s.plans++] = plan_event(b, &er, k);
        draw_set(b, &r, s.set);
        play_set(b, &r, &s);
        s.t_s += b->cfg.set_rest_s;
    }
    b->end_s = b->set[b->cfg.sets - 1].off_s + TAIL_S;
    qsort(b->event, b->events, sizeof *b->event, by_start);
    return b->path.error;
}
