/* What is put right after it was said. Reps and sets are remembered as they are now; what follows from a correction is
 * reckoned from them anew, in the order in which they came, so that it is what it would have been. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "session.h"

/* ---- may it be? ---- */

__attribute__((format(printf, 4, 5))) static int no(int r, char *why, size_t size, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, size, format, args);
    va_end(args);
    return r;
}

/* The value of the field now; "" where nobody has said. */
static void value_of(const struct session *s, const struct plate_correction *c, const struct session_rep *rep,
                     char ret[PLATE_VALUE_SIZE])
{
    const char *word = "";
    const struct plate_set *set = c->set ? &s->past[c->set - 1] : NULL;
    *ret = '\0';
    switch ((enum plate_field)c->field) {
    case PLATE_FIELD_SIDE:
        word = plate_side_name((enum plate_side)set->side);
        break;
    case PLATE_FIELD_WARMUP:
        word = set->warmup ? "true" : "false";
        break;
    case PLATE_FIELD_DISCARDED:
        word = rep->discarded ? "true" : "false";
        break;
    case PLATE_FIELD_INVOLVED:
        word = plate_side_name(s->limbs.cfg.involved);
        break;
    case PLATE_FIELD_BODY_MASS:
        if (isfinite(s->body_mass_kg)) snprintf(ret, PLATE_VALUE_SIZE, "%.12g", s->body_mass_kg);
        return;
    }
    snprintf(ret, PLATE_VALUE_SIZE, "%s", word);
}

static bool changes(const struct session *s, const struct plate_correction *c, const struct session_rep *rep)
{
    char now[PLATE_VALUE_SIZE];
    if (c->field == PLATE_FIELD_SIDE && rep->fixed != PLATE_SIDE_NONE) return false;
    value_of(s, c, rep, now);
    return strcmp(now, c->value) != 0;
}

static int already(const struct plate_correction *c, bool fixed, char *why, size_t size)
{
    if (fixed)
        return no(-EPERM, why, size, "set %d: its plate carries the side that it is named for; there is nothing to correct",
                  c->set);
    if (c->field == PLATE_FIELD_DISCARDED)
        return no(-EALREADY, why, size, "rep %d of set %d is %s", c->rep, c->set,
                  c->value[0] == 't' ? "discarded already; restore takes it back" : "not discarded");
    return no(-EALREADY, why, size, "set %d: %s is %s already", c->set, plate_field_words[c->field], c->value);
}

/* The same mass may be said again: of reps before it another one was. */
static int involved_already(const struct session *s, const struct plate_correction *c, char *why, size_t size)
{
    if (c->field != PLATE_FIELD_INVOLVED || strcmp(plate_side_name(s->limbs.cfg.involved), c->value) != 0) return 0;
    return no(-EALREADY, why, size, "involved is %s already", c->value);
}

int session_can_correct(const struct session *s, const struct plate_correction *c, char *why, size_t size)
{
    if (s->overflow)
        return no(-ENOSPC, why, size, "this recording has more reps or sets than can be corrected (%d, %d)", SESSION_REPS,
                  SESSION_SETS);
    if (!c->set) return involved_already(s, c, why, size);
    if (s->sets == 0) return no(-ENOENT, why, size, "set %d: there is no set yet: one begins with its first rep", c->set);
    if (c->set > s->sets) return no(-ENOENT, why, size, "set %d: there is none, the latest is set %d", c->set, s->sets);
    bool any = false, fixed = true, change = false;
    int32_t last = 0;
    for (unsigned i = 0; i < s->kept; i++) {
        const struct session_rep *r = &s->rep[i];
        if (r->rep.set == c->set && r->rep.rep > last) last = r->rep.rep;
        if (!plate_correction_speaks_of(c, &r->rep)) continue;
        any = true;
        fixed = fixed && c->field == PLATE_FIELD_SIDE && r->fixed != PLATE_SIDE_NONE;
        change = change || changes(s, c, r);
    }
    if (!any && *c->plate) return no(-ENOENT, why, size, "set %d has no rep %d on plate %s", c->set, c->rep, c->plate);
    if (!any) return no(-ENOENT, why, size, "rep %d: set %d has reps 1 to %d", c->rep, c->set, last);
    return change ? 0 : already(c, fixed, why, size);
}

/* ---- what follows ---- */

static unsigned plate_of(const struct session *s, const struct plate_rep *rep)
{
    unsigned i = 0;
    while (i + 1 < s->cfg->plates && strcmp(s->cfg->plate[i].name, rep->plate) != 0) i++;
    return i;
}

static void correct_set(struct session *s, const struct plate_correction *c, double t_s)
{
    struct plate_set *set = &s->past[c->set - 1];
    struct session_sums sums;
    const bool open = s->set_open && c->set == s->set.set;
    enum plate_side side = PLATE_SIDE_NONE;
    memset(&sums, 0, sizeof sums);
    if (open) *set = s->set;
    for (unsigned i = 0; i < s->kept; i++)
        if (s->rep[i].rep.set == c->set && !s->rep[i].discarded)
            session_add(&sums, plate_of(s, &s->rep[i].rep), &s->rep[i].rep);
    if (c->field == PLATE_FIELD_SIDE && plate_side_parse(c->value, &side) == 0) set->side = (int32_t)side;
    const bool was_warmup = set->warmup;
    if (c->field == PLATE_FIELD_WARMUP) set->warmup = c->value[0] == 't';
    if (!open) s->plan_done += was_warmup - set->warmup;
    set->correction = c->correction;
    session_fill_set(&sums, set);
    if (open) {
        s->set = *set;
        s->sums = sums;
        s->side_corrected = s->side_corrected || c->field == PLATE_FIELD_SIDE;
        s->warmup_corrected = s->warmup_corrected || c->field == PLATE_FIELD_WARMUP;
    }
    struct plate_event e = {.type = PLATE_EVENT_SET, .t_s = t_s, .u.set = *set};
    session_say(s, &e);
    if (open && c->field == PLATE_FIELD_SIDE) {
        session_turn(s, t_s, side);
        session_plan_follow(s, side, false, t_s);
    } else if (!open && set->warmup != was_warmup)
        session_plan_say(s, t_s);
}

static void compare_again(struct session *s, int32_t correction, double t_s)
{
    session_compare_afresh(s, s->limbs.cfg.involved);
    for (unsigned i = s->compared_from; i < s->kept; i++)
        if (!s->rep[i].discarded) plate_limbs_push(&s->limbs, &s->rep[i].rep);
    session_say_comparison(s, t_s, correction);
}

static void correct_recording(struct session *s, const struct plate_correction *c, double t_s)
{
    enum plate_side side;
    if (c->field == PLATE_FIELD_BODY_MASS) session_number(c->value, &s->body_mass_kg); /* of the reps that come, too */
    if (c->field != PLATE_FIELD_INVOLVED || plate_side_parse(c->value, &side) != 0) return;
    s->limbs.cfg.involved = side;
    session_say_comparison(s, t_s, c->correction);
}

void session_correct(struct session *s, const struct plate_correction *c, double t_s)
{
    struct plate_event e = {.type = PLATE_EVENT_CORRECTION, .t_s = t_s, .u.correction = *c};
    struct plate_correction *said = &e.u.correction;
    const struct session_rep *first = NULL;
    bool compared = false;
    for (unsigned i = 0; i < s->kept; i++) {
        if (!plate_correction_speaks_of(c, &s->rep[i].rep)) continue;
        if (!first || changes(s, c, &s->rep[i])) first = &s->rep[i];
        compared = compared || i >= s->compared_from;
    }
    value_of(s, c, first, said->was);
    said->correction = ++s->corrections;
    session_say(s, &e);
    for (unsigned i = 0; i < s->kept; i++)
        plate_correction_apply(c, &s->cfg->targets, s->rep[i].fixed, &s->rep[i].rep, &s->rep[i].discarded);
    if (!c->set) {
        correct_recording(s, said, t_s);
        return;
    }
    correct_set(s, said, t_s);
    if (compared) compare_again(s, said->correction, t_s);
}
