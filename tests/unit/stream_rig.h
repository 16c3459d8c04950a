/* stream_rig.h - a stream with its clients in one thread; shared by the tests of the stream. Ports are chosen by the kernel. */
#pragma once
#include "stream.h"
#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include <cmocka.h>

enum { PATIENCE_MS = 5000, QUIET_MS = 60 };

struct rig {
    struct stream *s;
    void *context;
    void *open[8];   /* client sockets: a failed test leaves them to rig_down */
    unsigned served; /* requests that reached the callback */
    size_t last_n;   /* length of the last of them */
    struct stream_peer last_from;
};

static inline int open_at(const char *data, const char *control, const char *station, unsigned high_water, struct stream **ret,
                          struct stream_error *e)
{
    struct stream_config cfg = {.data_endpoint = data,
                                .control_endpoint = control,
                                .station = station,
                                .high_water = high_water,
                                .history_bytes = 1 << 20};
    return stream_open(&cfg, ret, e);
}

static inline int rig_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    struct stream_error e;

    assert_non_null(r);
    assert_int_equal(open_at("tcp://127.0.0.1:*", "tcp://127.0.0.1:*", "lab \"ä\"", 1000, &r->s, &e), 0);
    r->context = zmq_ctx_new();
    *state = r;
    return 0;
}

static inline int rig_down(void **state)
{
    struct rig *r = *state;

    for (size_t i = 0; i < sizeof r->open / sizeof *r->open; i++)
        if (r->open[i]) zmq_close(r->open[i]);
    zmq_ctx_term(r->context);
    stream_close(r->s);
    free(r);
    return 0;
}

static inline void *unconnected(struct rig *r, int type)
{
    void *socket = zmq_socket(r->context, type);
    int zero = 0;
    size_t i = 0;

    assert_non_null(socket);
    while (r->open[i]) assert_true(++i < sizeof r->open / sizeof *r->open);
    r->open[i] = socket;
    zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof zero);
    return socket;
}

static inline void leave(struct rig *r, void *socket)
{
    for (size_t i = 0; i < sizeof r->open / sizeof *r->open; i++)
        if (r->open[i] == socket) r->open[i] = NULL;
    zmq_close(socket);
}

static inline void *client(struct rig *r, int type, bool control)
{
    void *socket = unconnected(r, type);

    assert_int_equal(zmq_connect(socket, stream_endpoint(r->s, control)), 0);
    return socket;
}

/* Answers with the length of the request; "quiet" is a notification. */
static inline size_t echo(void *user, const struct stream_peer *from, const char *json, size_t n, char *reply, size_t size)
{
    struct rig *r = user;

    r->served++;
    r->last_n = n;
    r->last_from = *from;
    if (n == 5 && !memcmp(json, "quiet", 5)) return 0;
    return (size_t)snprintf(reply, size, "{\"n\":%zu}", n);
}

static inline void serve(struct rig *r) { assert_true(stream_serve(r->s, echo, r, 16) >= 0); }

/* Serves for so long, or until the socket has something to read. */
static inline bool serve_until(struct rig *r, void *socket, int ms)
{
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};

    for (int i = 0; i < ms; i++) {
        serve(r);
        if (zmq_poll(&item, 1, 1) > 0) return true;
    }
    return false;
}

static inline void serve_until_wanted(struct rig *r, bool wanted)
{
    for (int i = 0; i < PATIENCE_MS && stream_wants(r->s, "rep/a/") != wanted; i++) {
        serve(r);
        usleep(1000);
    }
    assert_int_equal(stream_wants(r->s, "rep/a/"), wanted);
}

static inline void *subscriber(struct rig *r, const char *prefix)
{
    void *sub = client(r, ZMQ_SUB, false);

    assert_int_equal(zmq_setsockopt(sub, ZMQ_SUBSCRIBE, prefix, strlen(prefix)), 0);
    return sub;
}

struct message {
    char topic[80];
    json_t *header;
    char payload[64];
    int frames, payload_n;
};

static inline void take(void *sub, struct message *m)
{
    char head[8192];
    int n = zmq_recv(sub, m->topic, sizeof m->topic - 1, 0), more;
    size_t size = sizeof more;

    assert_true(n >= 0);
    m->topic[n] = '\0';
    n = zmq_recv(sub, head, sizeof head, 0);
    assert_in_range(n, 2, sizeof head);
    m->header = json_loadb(head, (size_t)n, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(m->header);
    zmq_getsockopt(sub, ZMQ_RCVMORE, &more, &size);
    m->frames = more ? 3 : 2;
    m->payload_n = more ? zmq_recv(sub, m->payload, sizeof m->payload, 0) : 0;
}

static inline void expect(struct rig *r, void *sub, const char *topic, int seq, bool cached, int x)
{
    struct message m;

    assert_true(serve_until(r, sub, PATIENCE_MS));
    take(sub, &m);
    assert_string_equal(m.topic, topic);
    assert_int_equal(json_integer_value(json_object_get(m.header, "seq")), seq);
    assert_int_equal(json_is_true(json_object_get(m.header, "cached")), cached);
    assert_int_equal(json_integer_value(json_object_get(m.header, "x")), x);
    json_decref(m.header);
}

static inline void publish(struct rig *r, const char *topic, const char *key, int x)
{
    char body[32];
    int n = snprintf(body, sizeof body, "{\"x\":%d}", x);

    assert_int_equal(stream_publish(r->s, topic, key, 5, body, (size_t)n, NULL, 0), 0);
}

#define RIGGED(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)
