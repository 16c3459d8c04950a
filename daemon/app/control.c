/* The control socket: JSON-RPC 2.0, as docs/control.md describes it. Here: one request, and what goes for every method. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control_private.h"
#include "log.h"

void control_refuse(struct answer *a, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    a->code = code;
    vsnprintf(a->why, sizeof a->why, format, args);
    va_end(args);
}

void control_refuse_operator(const struct engine *e, struct answer *a)
{
    const struct operator_lock *l = &e->control->lock;
    const long min = (long)((engine_utc_ns() - l->since_utc_ns) / 60000000000LL);
    control_refuse(a, CONTROL_NOT_OPERATOR,
                   "%s commands, since %ld min; ask for it, or take it over: platectl operator take --force", l->name, min);
    a->data = control_holder(e);
}

/* ---- methods ---- */

enum kind { ASKS, COMMANDS, LOCKS }; /* what it takes: nothing; the right and the lock; the right */
static const struct method {
    const char *name;
    control_method *run;
    enum kind kind;
} methods[] = {{"status", control_do_status, ASKS},           {"ports", control_do_ports, ASKS},
               {"config", control_do_config, ASKS},           {"snapshot", control_do_snapshot, ASKS},
               {"measure", control_do_measure, ASKS},         {"operator", control_do_operator, LOCKS},
               {"start", control_do_start, COMMANDS},         {"stop", control_do_stop, COMMANDS},
               {"side", control_do_side, COMMANDS},           {"rep", control_do_rep, COMMANDS},
               {"warmup", control_do_warmup, COMMANDS},       {"involved", control_do_involved, COMMANDS},
               {"mark", control_do_mark, COMMANDS},           {"tare", control_do_tare, COMMANDS},
               {"calibrate", control_do_calibrate, COMMANDS}, {"shutdown", control_do_shutdown, COMMANDS}};
enum { METHODS = sizeof methods / sizeof *methods };

static const struct method *method_named(const char *name, struct answer *a)
{
    char all[256];
    size_t n = 0;
    for (size_t i = 0; i < METHODS; i++) {
        if (strcmp(methods[i].name, name) == 0) return &methods[i];
        n += (size_t)snprintf(all + n, sizeof all - n, " %s", methods[i].name);
    }
    control_refuse(a, CONTROL_NO_METHOD, "%.40s: no such method; there are%s", name, all);
    return NULL;
}

/* ---- commands that come twice ---- */

/* The place where a command of this key stands, or would. */
static struct control_remembered *remembered(struct control *k, const char *request)
{
    for (unsigned i = 0; i < CONTROL_REMEMBERED; i++)
        if (strcmp(k->done[i].request, request) == 0) return &k->done[i];
    return NULL;
}

static void forget(struct control_remembered *r)
{
    json_decref(r->params);
    json_decref(r->result);
    *r = (struct control_remembered){.request = ""};
}

static void remember(struct control *k, const char *request, const struct method *m, json_t *params, json_t *result)
{
    struct control_remembered *r = &k->done[k->done_at++ % CONTROL_REMEMBERED];
    forget(r);
    snprintf(r->request, sizeof r->request, "%s", request);
    r->method = m->name;
    r->params = json_incref(params);
    r->result = json_incref(result);
}

/* True: it was carried out before, or its key was used for something else; *a says. */
static bool answered_before(struct control *k, const char *request, const struct method *m, json_t *params, struct answer *a)
{
    const struct control_remembered *r = *request ? remembered(k, request) : NULL;
    if (!r) return false;
    if (strcmp(r->method, m->name) != 0 || !json_equal(r->params, params))
        control_refuse(a, CONTROL_BAD_PARAMS, "request: \"%.64s\" was another command; choose a new key for each", request);
    else {
        a->result = json_incref(r->result);
        k->repeated++;
    }
    return true;
}

/* ---- one request ---- */

static bool common_params(json_t *params, struct answer *a, const char **ret_request)
{
    if (!control_text(a, params, "operator", false, &a->who) || !control_text(a, params, "token", false, &a->token) ||
        !control_text(a, params, "request", false, ret_request))
        return false;
    if (strlen(a->who) >= OPERATOR_NAME_SIZE)
        control_refuse(a, CONTROL_BAD_PARAMS, "operator: at most %d bytes", OPERATOR_NAME_SIZE - 1);
    else if (strlen(*ret_request) >= CONTROL_REQUEST_KEY_SIZE)
        control_refuse(a, CONTROL_BAD_PARAMS, "request: at most %d bytes", CONTROL_REQUEST_KEY_SIZE - 1);
    return a->code == 0;
}

static void command(struct engine *e, const struct method *m, json_t *params, struct answer *a)
{
    struct operator_lock *lock = &e->control->lock;
    e->who = operator_held(lock) ? lock->name : *a->who ? a->who : a->from->name;
    m->run(e, params, a);
    e->who = NULL;
    if (a->result) e->control->commands++;
}

static void forbid(struct engine *e, const struct method *m, struct answer *a)
{
    e->forbidden++;
    plate_log(LOG_WARNING, a->from->name, "may watch and not command: refused `%s`", m->name);
    control_refuse(a, CONTROL_NO_RIGHT, "the key of %s may watch and not command; on the station, give it `right = command`",
                   a->from->name);
}

static void run(struct engine *e, const struct method *m, json_t *params, struct answer *a)
{
    struct control *k = e->control;
    const char *request;
    if (!common_params(params, a, &request)) return;
    const bool may = operator_may(&k->lock, a->token, engine_now_ns());
    if (m->kind != ASKS && !a->from->commands)
        forbid(e, m, a);
    else if (m->kind != COMMANDS)
        m->run(e, params, a);
    else if (answered_before(k, request, m, params, a))
        return;
    else if (!may)
        control_refuse_operator(e, a);
    else
        command(e, m, params, a);
    if (!a->result && !a->text && !a->code && !a->later) control_refuse(a, CONTROL_SAYS_NO, "out of memory");
    if (a->result && m->kind == COMMANDS && *request) remember(k, request, m, params, a->result);
}

static void take_request(struct engine *e, json_t *request, struct answer *a)
{
    json_t *version = json_object_get(request, "jsonrpc"), *method = json_object_get(request, "method"),
           *params = json_object_get(request, "params"), *id = json_object_get(request, "id");
    const bool id_valid = json_is_string(id) || json_is_number(id) || json_is_null(id);
    a->id = id_valid ? id : NULL;
    if (!json_is_object(request))
        control_refuse(a, CONTROL_NO_REQUEST, "a request is one JSON object; batches are not taken");
    else if (id && !id_valid)
        control_refuse(a, CONTROL_NO_REQUEST, "id: must be a text or a number");
    else if (!json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0)
        control_refuse(a, CONTROL_NO_REQUEST, "jsonrpc: must be \"2.0\"");
    else if (!json_is_string(method))
        control_refuse(a, CONTROL_NO_REQUEST, "method: must be a text");
    if (a->code) return;
    const struct method *m = method_named(json_string_value(method), a);
    if (m && params && !json_is_object(params)) control_refuse(a, CONTROL_BAD_PARAMS, "params: must be an object, by name");
    if (a->code) return;
    params = params ? json_incref(params) : json_object();
    run(e, m, params, a);
    json_decref(params);
}

/* ---- the answer ---- */

/* A text of the client's that was cut short in the middle of a character is no UTF-8 any more, and would be no answer. */
static void mend(char *text)
{
    json_t *valid = json_string(text);
    for (char *c = text; !valid && *c; c++)
        if ((unsigned char)*c >= 0x80) *c = '?';
    json_decref(valid);
}

/* The answer's JSON, malloced, or NULL: out of memory. */
static char *answer_text(struct answer *a, size_t *ret_length)
{
    mend(a->why);
    json_t *error = a->code ? json_pack("{s:i,s:s,s:O*}", "code", a->code, "message", a->why, "data", a->data) : NULL;
    char *made = a->text && !error ? NULL : json_dumps(error ? error : a->result, JSON_COMPACT),
         *id = a->id ? json_dumps(a->id, JSON_ENCODE_ANY) : strdup("null");
    const char *said = a->text && !error ? a->text : made;
    const size_t room = said && id ? strlen(said) + strlen(id) + 64 : 0;
    char *text = room ? malloc(room) : NULL;
    if (text)
        *ret_length =
            (size_t)snprintf(text, room, "{\"jsonrpc\":\"2.0\",\"%s\":%s,\"id\":%s}", error ? "error" : "result", said, id);
    json_decref(error);
    free(made);
    free(id);
    return text;
}

/* How many bytes it takes of these. */
static size_t write_answer(struct answer *a, char *reply, size_t size)
{
    size_t n = 0;
    char *text = answer_text(a, &n);
    if (text && n > size) {
        free(text);
        control_refuse(a, CONTROL_SAYS_NO, "the answer would be longer than %zu bytes", size);
        text = answer_text(a, &n);
    }
    const size_t taken = text && n <= size ? n : 0;
    if (taken) memcpy(reply, text, taken);
    free(text);
    return taken;
}

static void count(struct control *k, const struct answer *a)
{
    k->requests++;
    if (a->code == CONTROL_NOT_JSON || a->code == CONTROL_NO_REQUEST)
        k->not_json++;
    else if (a->code == CONTROL_NOT_OPERATOR)
        k->denied++;
    else if (a->code && a->code != CONTROL_NO_RIGHT)
        k->refused++;
}

size_t control_request(void *user, const struct stream_peer *from, const char *json, size_t n, char *reply, size_t reply_size)
{
    struct engine *e = user;
    struct answer a = {.from = from, .who = "", .token = ""};
    json_error_t where;
    json_t *request = json_loadb(json, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (request)
        take_request(e, request, &a);
    else
        control_refuse(&a, CONTROL_NOT_JSON, "not JSON (byte %d: %.100s)", where.position, where.text);
    count(e->control, &a);

    const bool wanted = !a.later && (a.id || a.code == CONTROL_NOT_JSON || a.code == CONTROL_NO_REQUEST);
    const size_t length = wanted ? write_answer(&a, reply, reply_size) : 0;
    free(a.text);
    json_decref(a.result);
    json_decref(a.data);
    json_decref(request);
    return length;
}

void control_answer(struct engine *e, struct answer *a)
{
    size_t n;
    char *text = answer_text(a, &n);
    if (a->code) e->control->refused++; /* as a request it was counted when it came */
    if (text) stream_answer(e->parts.stream, a->from, text, n);
    free(text);
}

/* ---- the state of it ---- */

struct control *control_new(void) { return calloc(1, sizeof(struct control)); }

void control_free(struct control *k)
{
    if (!k) return;
    for (unsigned i = 0; i < CONTROL_REMEMBERED; i++) forget(&k->done[i]);
    for (unsigned i = 0; i < k->n_waiting; i++) json_decref(k->waiting[i].id);
    free(k);
}
