/* The methods that begin, end and annotate a recording. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control_private.h"

void control_do_start(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {"subject", "exercise", "side", "involved", "load_kg", "body_mass_kg", "note", NULL};
    const char *subject, *exercise, *note;
    struct engine_start s;
    memset(&s, 0, sizeof s);
    if (!control_only(a, params, known) || !control_text(a, params, "subject", false, &subject) ||
        !control_text(a, params, "exercise", false, &exercise) || !control_text(a, params, "note", false, &note) ||
        !control_side(a, params, "side", false, &s.has_side, &s.side) ||
        !control_side(a, params, "involved", false, &s.has_involved, &s.involved) ||
        !control_number(a, params, "load_kg", 0, PLATE_KG_MOST, &s.load_kg) ||
        !control_number(a, params, "body_mass_kg", 0, PLATE_KG_MOST, &s.body_mass_kg))
        return;
    strcpy(s.subject, subject);
    strcpy(s.exercise, exercise);
    strcpy(s.note, note);
    if (engine_start(e, &s, a->why, sizeof a->why) != 0)
        a->code = CONTROL_SAYS_NO;
    else
        a->result = json_pack("{s:s,s:s}", "session", e->session, "archive", e->archive);
}

/* What has been stopped stays stopped: saying it again gives the same answer. */
void control_do_stop(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {NULL};
    const bool already = !e->recording && *e->session;
    double t_s;
    if (!control_only(a, params, known)) return;
    if (e->recording) engine_mark(e, "stop", "", "", &t_s, a->why, sizeof a->why); /* stopped, also if nothing keeps the mark */
    if (!already && engine_stop(e, a->why, sizeof a->why) != 0)
        a->code = CONTROL_SAYS_NO;
    else
        a->result = json_pack("{s:s,s:s,s:b}", "session", e->session, "archive", e->archive, "already", already);
}

/* Is it the state of things that refuses it, or what was asked? */
static int code_of(int r) { return r == -EINVAL || r == -ENOBUFS ? CONTROL_BAD_PARAMS : CONTROL_SAYS_NO; }

/* key: what the answer calls the value; NULL: it does not repeat it. */
static void do_mark_of(struct engine *e, const char *kind, const char *value, const char *plate, struct answer *a,
                       const char *key)
{
    double t_s;
    int r = engine_mark(e, kind, value, plate, &t_s, a->why, sizeof a->why);
    if (r != 0)
        a->code = code_of(r);
    else
        a->result = key ? json_pack("{s:s,s:f}", key, value, "t_s", t_s) : json_pack("{s:f}", "t_s", t_s);
}

static void do_correction(struct engine *e, struct plate_correction *c, struct answer *a)
{
    double t_s;
    int r = engine_correct(e, c, &t_s, a->why, sizeof a->why);
    if (r != 0)
        a->code = code_of(r);
    else
        a->result =
            json_pack("{s:i,s:s,s:s,s:f}", "set", c->set, "field", plate_field_words[c->field], "value", c->value, "t_s", t_s);
    if (a->result && c->rep) json_object_set_new(a->result, "rep", json_integer(c->rep));
}

void control_do_side(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {"side", "set", NULL};
    struct plate_correction c = {.field = PLATE_FIELD_SIDE};
    enum plate_side side;
    bool has;
    if (!control_only(a, params, known) || !control_side(a, params, "side", true, &has, &side) ||
        !control_count(a, params, "set", &c.set))
        return;
    strcpy(c.value, plate_side_name(side));
    if (c.set)
        do_correction(e, &c, a);
    else
        do_mark_of(e, "side", c.value, "", a, "side");
}

void control_do_warmup(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {"warmup", "set", NULL};
    struct plate_correction c = {.field = PLATE_FIELD_WARMUP};
    bool warmup;
    if (!control_only(a, params, known) || !control_bool(a, params, "warmup", true, &warmup) ||
        !control_count(a, params, "set", &c.set))
        return;
    strcpy(c.value, warmup ? "true" : "false");
    if (c.set)
        do_correction(e, &c, a);
    else
        do_mark_of(e, "warmup", c.value, "", a, "warmup");
}

void control_do_rep(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {"discard", "restore", "set", "plate", NULL};
    struct plate_correction c = {.field = PLATE_FIELD_DISCARDED};
    const char *plate;
    int32_t discard, restore;
    if (!control_only(a, params, known) || !control_count(a, params, "discard", &discard) ||
        !control_count(a, params, "restore", &restore) || !control_count(a, params, "set", &c.set) ||
        !control_plate(a, e, params, &plate))
        return;
    if (!discard == !restore) {
        control_refuse(a, CONTROL_BAD_PARAMS, "say discard or restore, with the number of the rep");
        return;
    }
    c.rep = discard ? discard : restore;
    strcpy(c.value, discard ? "true" : "false");
    snprintf(c.plate, sizeof c.plate, "%s", plate);
    do_correction(e, &c, a);
}

void control_do_involved(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {"involved", NULL};
    enum plate_side side;
    bool has;
    if (control_only(a, params, known) && control_side(a, params, "involved", true, &has, &side))
        do_mark_of(e, "involved", plate_side_name(side), "", a, "involved");
}

/* Marks that only the daemon makes: what stands in the archive as done was done. */
static bool own_mark(const char *kind)
{
    static const char *const own[] = {"resume", "sync", "cell", "operator", "start", "stop", "tare", "calibrate", "shutdown"};
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(own[i], kind) == 0) return true;
    return false;
}

void control_do_mark(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {"kind", "value", "plate", NULL};
    const char *kind, *value, *plate;
    if (!control_only(a, params, known) || !control_text(a, params, "kind", true, &kind) ||
        !control_text(a, params, "value", false, &value) || !control_plate(a, e, params, &plate))
        return;
    if (own_mark(kind))
        control_refuse(a, CONTROL_BAD_PARAMS, "kind: plated itself says \"%.20s\"; name another kind", kind);
    else
        do_mark_of(e, kind, value, plate, a, NULL);
}
