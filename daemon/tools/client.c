#include "client.h"
#include "curve.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t client_utc_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

void client_close(struct client *c)
{
    if (c->handshake) zmq_close(c->handshake);
    if (c->socket) zmq_close(c->socket);
    if (c->context) zmq_ctx_term(c->context);
}

int client_open(struct client *c, const char *control, double timeout_s, const struct curve *curve)
{
    int zero = 0;

    *c = (struct client){.control = control, .timeout_s = timeout_s, .curve = curve, .context = zmq_ctx_new()};
    c->socket = c->context ? zmq_socket(c->context, ZMQ_DEALER) : NULL;
    if (c->socket) c->handshake = handshake_open(c->context, c->socket);
    if (c->socket && zmq_setsockopt(c->socket, ZMQ_LINGER, &zero, sizeof zero) == 0 && curve_apply(curve, c->socket) == 0 &&
        zmq_connect(c->socket, control) == 0)
        return 0;
    fprintf(stderr, "platectl: %s: %s; write it like tcp://127.0.0.1:7461\n", control, zmq_strerror(errno));
    client_close(c);
    return EXIT_USAGE;
}

/* The answer to request `id` in this message, or NULL. */
static json_t *answer_in(zmq_msg_t *m, int id)
{
    json_t *o = json_loadb(zmq_msg_data(m), zmq_msg_size(m), 0, NULL), *its = json_object_get(o, "id");

    if (json_is_integer(its) ? json_integer_value(its) == id : json_is_object(json_object_get(o, "error"))) return o;
    json_decref(o);
    return NULL;
}

/* NULL: none came, and *ret_why is why the station does not let us in, if that is known. */
static json_t *wait_for_answer(struct client *c, const char **ret_why)
{
    int64_t until = now_ms() + (int64_t)(c->timeout_s * 1000), left;
    zmq_pollitem_t item[] = {{.socket = c->socket, .events = ZMQ_POLLIN}, {.socket = c->handshake, .events = ZMQ_POLLIN}};
    json_t *answer = NULL;
    bool final = false;
    zmq_msg_t m;

    *ret_why = NULL;
    zmq_msg_init(&m);
    while (!answer && !final && (left = until - now_ms()) > 0) {
        if (zmq_poll(item, c->handshake ? 2 : 1, (long)left) <= 0) continue;
        if (zmq_msg_recv(&m, c->socket, ZMQ_DONTWAIT) >= 0) answer = answer_in(&m, c->id);
        const char *why = c->handshake ? handshake_trouble(c->handshake, c->curve, &final) : NULL;
        if (why) *ret_why = why;
    }
    zmq_msg_close(&m);
    return answer;
}

int client_try(struct client *c, const char *method, json_t *params, json_t **ret_result, char **ret_refusal)
{
    json_t *request = json_pack("{s:s, s:i, s:s, s:o}", "jsonrpc", "2.0", "id", ++c->id, "method", method, "params", params),
           *answer, *error;
    char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
    const char *why;
    int r = 0;

    *ret_refusal = NULL;
    json_decref(request);
    /* EAGAIN: the station has hung up already; the handshake says why */
    if (!text || (zmq_send(c->socket, text, strlen(text), ZMQ_DONTWAIT) < 0 && errno != EAGAIN)) {
        fprintf(stderr, "platectl: %s: cannot send: %s; try again\n", c->control, text ? zmq_strerror(errno) : "out of memory");
        free(text);
        return EXIT_NO;
    }
    free(text);
    answer = wait_for_answer(c, &why);
    error = json_object_get(answer, "error");
    if (!answer && why) {
        fprintf(stderr, "platectl: %s: %s\n", c->control, why);
        r = EXIT_NO;
    } else if (!answer) {
        fprintf(stderr, "platectl: %s: no answer in %g s; is plated running?\n", c->control, c->timeout_s);
        r = EXIT_NO;
    } else if (error) {
        const char *message = json_string_value(json_object_get(error, "message"));
        *ret_refusal = strdup(message ? message : "the daemon says no and not why; see its log");
        r = EXIT_NO;
    } else
        *ret_result = json_incref(json_object_get(answer, "result"));
    json_decref(answer);
    return r;
}

int client_ask(struct client *c, const char *method, json_t *params, json_t **ret_result)
{
    char *refusal;
    int r = client_try(c, method, params, ret_result, &refusal);
    if (refusal) fprintf(stderr, "platectl: %s: %s\n", method, refusal);
    free(refusal);
    return r;
}
