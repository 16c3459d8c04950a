/* The plan of sides: docs/sides.md has its rules. */
#include "session.h"

static const struct plate_plan_config *plan_of(const struct session *s)
{
    return s->cfg->plan.sides > 0 && !session_bilateral(s->cfg) ? &s->cfg->plan : NULL;
}

static int32_t legs(const struct plate_plan_config *p)
{
    bool seen[PLATE_SIDE_BOTH + 1] = {false};
    for (unsigned i = 0; i < p->sides; i++) seen[p->side[i]] = true;
    return seen[PLATE_SIDE_NONE] + seen[PLATE_SIDE_LEFT] + seen[PLATE_SIDE_RIGHT] + seen[PLATE_SIDE_BOTH];
}

/* The first of `side`, or what the configuration says is the side at the start. */
void session_plan_begin(struct session *s)
{
    const struct plate_plan_config *p = plan_of(s);
    if (!p) return;
    while (s->cfg->side != PLATE_SIDE_NONE && s->plan_at < p->sides && p->side[s->plan_at] != s->cfg->side) s->plan_at++;
    s->plan_at %= p->sides;
    if (s->cfg->side == PLATE_SIDE_NONE) s->side[0].side = p->side[0];
}

void session_plan_say(struct session *s, double t_s)
{
    const struct plate_plan_config *p = plan_of(s);
    if (!p) return;
    struct plate_event e = {.type = PLATE_EVENT_PLAN, .t_s = t_s};
    e.u.plan = (struct plate_plan){.set = s->sets + !(s->set_open && s->end_pending == PLATE_SET_ACTIVE),
                                   .side = (int32_t)session_side(s),
                                   .next = (int32_t)p->side[(s->plan_at + 1) % p->sides],
                                   .reps = (int32_t)p->reps,
                                   .done = s->plan_done,
                                   .sets = (int32_t)p->sets * legs(p)};
    session_say(s, &e);
}

void session_plan_advance(struct session *s, double t_s)
{
    const struct plate_plan_config *p = plan_of(s);
    if (!p) return;
    s->plan_at = (s->plan_at + 1) % p->sides;
    session_turn(s, s->set.end_s, p->side[s->plan_at]);
    session_plan_say(s, t_s);
}

/* The plan goes on from where it has this side next; a side that it does not have stands for the turn it takes. */
void session_plan_follow(struct session *s, enum plate_side side, bool set_over, double t_s)
{
    const struct plate_plan_config *p = plan_of(s);
    if (!p) return;
    const unsigned from = s->plan_at + set_over;
    unsigned i = 0;
    while (i < p->sides && p->side[(from + i) % p->sides] != side) i++;
    s->plan_at = (from + (i < p->sides ? i : 0)) % p->sides;
    session_plan_say(s, t_s);
}

bool session_plan_complete(const struct session *s)
{
    const struct plate_plan_config *p = plan_of(s);
    return p && p->reps > 0 && s->set.reps >= (int32_t)p->reps;
}
