#include "watch_station.h"
#include "client.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

static int open_socket(void **ret, void *context, int type)
{
    int zero = 0, one = 1;

    *ret = zmq_socket(context, type);
    if (*ret && zmq_setsockopt(*ret, ZMQ_LINGER, &zero, sizeof zero) == 0 &&
        (type != ZMQ_DEALER || zmq_setsockopt(*ret, ZMQ_IMMEDIATE, &one, sizeof one) == 0)) /* nothing waits for a daemon */
        return 0;
    return errno;
}

static int connect_socket(void *socket, const struct curve *curve, const char *endpoint)
{
    int r = curve_apply(curve, socket);

    return r < 0 ? -r : zmq_connect(socket, endpoint) == 0 ? 0 : errno;
}

static int open_all(struct station *s, void *context, const struct curve *curve, const char *const *topics)
{
    int error = open_socket(&s->sub, context, ZMQ_SUB);

    for (; !error && *topics; topics++)
        if (zmq_setsockopt(s->sub, ZMQ_SUBSCRIBE, *topics, strlen(*topics)) != 0) error = errno;
    if (!error) s->handshake = handshake_open(context, s->sub);
    if (!error) error = connect_socket(s->sub, curve, s->host->data);
    if (!error && *s->host->control) error = open_socket(&s->control, context, ZMQ_DEALER);
    if (!error && *s->host->control) error = connect_socket(s->control, curve, s->host->control);
    return error;
}

int station_open(struct station *s, void *context, const struct host *host, const struct curve *curve,
                 const char *const *topics, int64_t now_ms)
{
    struct curve there = curve_at(curve, host->server_key);
    int error;

    *s = (struct station){.host = host, .has_keys = there.has_keys, .health_ms = now_ms, .asked_ms = INT64_MIN};
    watch_model_init(&s->model);
    error = open_all(s, context, &there, topics);
    keys_wipe(&there.own);
    if (error) station_close(s);
    return error;
}

void station_close(struct station *s)
{
    if (s->handshake) zmq_close(s->handshake);
    if (s->sub) zmq_close(s->sub);
    if (s->control) zmq_close(s->control);
    s->handshake = s->sub = s->control = NULL;
}

void station_listen_for_trouble(struct station *s)
{
    const struct curve keys = {.has_keys = s->has_keys};
    bool final;
    const char *why = s->handshake ? handshake_trouble(s->handshake, &keys, &final) : NULL;

    if (why) s->trouble = why;
}

static void take_parts(struct station *s, zmq_msg_t part[3], void (*take)(void *, struct station *, const struct message *),
                       void *user)
{
    char topic[80] = "";
    json_t *o = json_loadb(zmq_msg_data(&part[1]), zmq_msg_size(&part[1]), 0, NULL);

    if (json_is_object(o) && zmq_msg_size(&part[0]) < sizeof topic) {
        memcpy(topic, zmq_msg_data(&part[0]), zmq_msg_size(&part[0]));
        s->trouble = NULL;
        take(user, s,
             &(struct message){topic, zmq_msg_data(&part[1]), zmq_msg_size(&part[1]), o, zmq_msg_data(&part[2]),
                               zmq_msg_size(&part[2])});
    }
    json_decref(o);
}

bool station_receive(struct station *s, void (*take)(void *user, struct station *s, const struct message *m), void *user)
{
    zmq_msg_t part[3];
    int n = 1;
    bool got, more;

    for (int i = 0; i < 3; i++) zmq_msg_init(&part[i]);
    got = zmq_msg_recv(&part[0], s->sub, ZMQ_DONTWAIT) >= 0;
    for (more = got && zmq_msg_more(&part[0]); more; n++) {
        zmq_msg_t *into = &part[n < 2 ? n : 2];
        if (zmq_msg_recv(into, s->sub, 0) < 0) break;
        more = zmq_msg_more(into);
    }
    if (got && n >= 2 && n <= 3) take_parts(s, part, take, user);
    for (int i = 0; i < 3; i++) zmq_msg_close(&part[i]);
    return got;
}

/* ---- its clock ---- */

static void ask(struct station *s, int64_t now_ms)
{
    char text[96];
    int n = snprintf(text, sizeof text, "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"status\"}", s->asked_id + 1);

    s->asked_ms = now_ms;
    s->asked_id++;
    s->asked.sent_ns = client_utc_ns();
    s->waits = zmq_send(s->control, text, (size_t)n, ZMQ_DONTWAIT) == n;
}

/* False when there is no answer now. One to an earlier question, which was given up, says nothing. */
static bool hear(struct station *s)
{
    zmq_msg_t m;
    json_t *o, *there;
    bool got;

    zmq_msg_init(&m);
    got = zmq_msg_recv(&m, s->control, ZMQ_DONTWAIT) >= 0;
    s->asked.received_ns = client_utc_ns();
    o = got ? json_loadb(zmq_msg_data(&m), zmq_msg_size(&m), 0, NULL) : NULL;
    there = json_object_get(json_object_get(o, "result"), "t_utc_ns");
    if (s->waits && json_integer_value(json_object_get(o, "id")) == s->asked_id) {
        s->waits = false;
        s->asked.there_ns = json_is_integer(there) ? json_integer_value(there) : -1;
        clock_offset_add(&s->clock, &s->asked);
    }
    json_decref(o);
    zmq_msg_close(&m);
    return got;
}

void station_clock(struct station *s, int64_t now_ms)
{
    enum { FIRST = 4, FIRST_MS = 250, EVERY_MS = 5000, PATIENCE_MS = 2000, ANSWERS = 16 };
    int64_t every_ms = s->waits ? PATIENCE_MS : s->clock.n < FIRST ? FIRST_MS : EVERY_MS;

    if (!s->control) return;
    for (int i = 0; i < ANSWERS && hear(s); i++) {
    }
    if (s->asked_ms == INT64_MIN || now_ms - s->asked_ms >= every_ms) ask(s, now_ms);
}
