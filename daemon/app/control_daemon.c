/* The methods that are about the daemon: who commands it, what is plugged in, how it is configured, its end. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control_private.h"
#include "port_json.h"
#include "snapshot.h"

/* ---- operator ---- */

const char *control_operator(const struct engine *e) { return e->control->lock.name; }

json_t *control_holder(const struct engine *e)
{
    const struct operator_lock *l = &e->control->lock;
    return operator_held(l) ? json_pack("{s:s,s:I}", "name", l->name, "since_utc_ns", (json_int_t)l->since_utc_ns)
                            : json_null();
}

/* Everybody is told, by health/, and by a mark while something is recorded. */
static void tell_operator(struct engine *e, const char *text)
{
    engine_health(e, "operator", "ok", "", text);
    e->who = control_operator(e);
    engine_mark_who(e);
    e->who = NULL;
}

static void take(struct engine *e, struct answer *a, bool by_force)
{
    struct operator_lock *l = &e->control->lock;
    const struct operator_lock before = *l;
    char text[160];
    if (!*a->who || !operator_token_valid(a->token)) {
        control_refuse(a, CONTROL_BAD_PARAMS,
                       "operator: say who takes it (`operator`), and a `token` of 8 to 64 letters, digits, - or _");
        return;
    }
    if (operator_take(l, a->who, a->token, by_force, engine_now_ns(), engine_utc_ns()) != 0) {
        control_refuse_operator(e, a);
        return;
    }
    if (!operator_held(&before))
        snprintf(text, sizeof text, "%s commands; whoever else does is refused", l->name);
    else
        snprintf(text, sizeof text, "%s has taken over from %s", l->name, before.name);
    if (strcmp(before.name, l->name) != 0 || strcmp(before.token, l->token) != 0) tell_operator(e, text);
}

static void release(struct engine *e, struct answer *a)
{
    struct operator_lock *l = &e->control->lock;
    const struct operator_lock before = *l;
    char text[160];
    if (operator_release(l, a->token) != 0) {
        control_refuse_operator(e, a);
        return;
    }
    snprintf(text, sizeof text, "%s has given it up; anybody may command", before.name);
    if (operator_held(&before)) tell_operator(e, text);
}

void control_do_operator(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {"do", "force", NULL};
    const char *what;
    bool by_force;
    if (!control_only(a, params, known) || !control_text(a, params, "do", false, &what) ||
        !control_bool(a, params, "force", false, &by_force))
        return;
    if (strcmp(what, "take") == 0)
        take(e, a, by_force);
    else if (strcmp(what, "release") == 0)
        release(e, a);
    else if (*what)
        control_refuse(a, CONTROL_BAD_PARAMS, "do: take or release; left out, it only asks");
    if (a->code == 0) a->result = json_pack("{s:o}", "operator", control_holder(e));
}

void control_due(struct engine *e, int64_t now_ns)
{
    struct operator_lock *l = &e->control->lock;
    char text[160];
    snprintf(text, sizeof text, "nothing was heard of %s for half an hour; anybody may command", l->name);
    if (operator_expire(l, now_ns)) tell_operator(e, text);
}

/* ---- ports ---- */

/* Looking for ports can take its time, so another thread does; who asks meanwhile gets the same answer. */
void control_do_ports(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {NULL};
    struct control *k = e->control;
    if (!control_only(a, params, known)) return;
    if (!a->id) {
        a->later = true; /* and nobody to be told */
        return;
    }
    if (k->n_waiting == CONTROL_WAITING) {
        control_refuse(a, CONTROL_SAYS_NO, "%d have asked for the ports already; ask again in a moment", CONTROL_WAITING);
        return;
    }
    int r = k->n_waiting ? 0 : helper_find(e->parts.helper);
    if (r) {
        control_refuse(a, CONTROL_SAYS_NO, "the ports cannot be looked for: %s; ask again", strerror(-r));
        return;
    }
    k->waiting[k->n_waiting++] = (struct control_waiting){*a->from, json_incref(a->id)};
    a->later = true;
}

void control_ports(struct engine *e, const struct helper_result *r)
{
    struct control *k = e->control;
    json_t *ports = r->error ? NULL : port_json(r->found, r->n_found);
    for (unsigned i = 0; i < k->n_waiting; i++) {
        struct answer a = {.id = k->waiting[i].id, .from = &k->waiting[i].peer};
        if (ports)
            a.result = json_incref(ports);
        else
            control_refuse(&a, CONTROL_SAYS_NO, "/sys/class/tty: %s; is /sys mounted?", strerror(-r->error));
        control_answer(e, &a);
        json_decref(a.result);
        json_decref(k->waiting[i].id);
    }
    k->n_waiting = 0;
    json_decref(ports);
}

/* ---- snapshot, config, shutdown ---- */

void control_do_snapshot(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {"topic", "since", "next", NULL};
    struct snapshot_request q;
    bool has_next;
    if (!control_only(a, params, known) || !control_text(a, params, "topic", false, &q.topic) ||
        !control_whole(a, params, "since", -1, &q.has_since, &q.since) ||
        !control_whole(a, params, "next", 0, &has_next, &q.next))
        return;
    if (q.has_since && !*q.topic)
        control_refuse(a, CONTROL_BAD_PARAMS,
                       "topic: is missing; seq counts the messages of one topic, so since wants its name");
    else if (snapshot_take(e->parts.stream, &q, &a->text, a->why, sizeof a->why) != 0)
        a->code = CONTROL_SAYS_NO;
}

void control_do_config(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {NULL};
    if (control_only(a, params, known)) a->result = json_pack("{s:s}", "yaml", e->config->text);
}

void control_do_shutdown(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {NULL};
    double t_s;
    if (!control_only(a, params, known)) return;
    if (e->recording && !e->quit) engine_mark(e, "shutdown", "", "", &t_s, a->why, sizeof a->why);
    e->quit = true;
    a->result = json_pack("{s:b}", "ok", 1);
}
