/* io/stream.h - ZeroMQ: the XPUB that everyone watches, and the ROUTER that takes commands. Engine thread only.
 * Sends never block: a subscriber that is slow loses its own messages. docs/stream.md is the contract. */
#pragma once
#include "gate.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "history.h"

struct stream;
struct stream_config {
    const char *data_endpoint, *control_endpoint; /* beyond loopback and ipc only with keys, else -EACCES */
    const char *secret_key, *clients;             /* files, both or neither ("", NULL) */
    void (*tell)(void *user, bool alarming, const char *where, const char *text); /* as gate_config's; may be NULL */
    void *tell_user;
    const char *station;
    unsigned high_water;  /* messages kept for one slow subscriber */
    size_t history_bytes; /* for whoever missed some: of all topics without payload together */
};
struct stream_error {
    char text[320];
};
struct stream_counters {
    uint64_t messages;               /* published, whoever listened */
    uint64_t bytes, send_failures;   /* handed to libzmq, which does not say what a slow subscriber lost */
    uint64_t requests, bad_requests; /* handed to `request`; not fit to be handed on (empty, too long, too many frames) */
    uint64_t cached;                 /* repeats from the cache that late joiners caused */
    struct history_counters history;
    struct gate_counters gate;
};

int stream_open(const struct stream_config *cfg, struct stream **ret, struct stream_error *ret_error);
void stream_close(struct stream *s); /* lingers up to 200 ms; NULL is fine */
/* The endpoint that was really bound ("tcp://127.0.0.1:*" gets a port); lives as long as s. */
const char *stream_endpoint(const struct stream *s, bool control);
/* What follows carries this session (the recording's name, at most 255 bytes; "" when none). The cache of the old one is
 * dropped; seq goes on. */
void stream_session(struct stream *s, const char *session);

/* One message: frame 1 `topic`, frame 2 JSON = {"v":1,"station":..,"session":..,"run":N,"seq":N,"t_utc_ns":N,BODY...}
 * where BODY is `body` (a JSON object's text) without its opening brace; frame 3 the payload if payload != NULL. `run` is the
 * moment of stream_open() (UTC, ms); seq counts per topic from 0. cache_key != NULL: the message is kept under (topic,
 * cache_key) and repeated, with "cached":true before the body, in order of first publication, to whoever subscribes to a prefix
 * of the topic later (and, as an XPUB cannot single one out, to those who had subscribed already). -EINVAL: body is no object;
 * -EMSGSIZE: topic or key above STREAM_TOPIC_MAX, or all of it above STREAM_MAX_MESSAGE; -ENOMEM: no memory, too many topics,
 * or published but not kept (cache full). */
int stream_publish(struct stream *s, const char *topic, const char *cache_key, int64_t t_utc_ns, const char *body,
                   size_t body_n, const void *payload, size_t payload_n);
/* Who asked: a value, kept as long as an answer is owed. */
struct stream_peer {
    unsigned char identity[255], size;
    bool delimiter;           /* an empty frame stood before the text, as a REQ socket sends it */
    bool commands;            /* may command; else only ask */
    char name[KEY_NAME_SIZE]; /* of his key, in the list of clients; "" without keys */
};
/* What was said, for whoever missed it: texts live until the stream is next used. Each is false past the last. */
struct stream_topic {
    const char *name;
    uint64_t said, held_from; /* so many messages, seq 0 to said - 1; of these are held held_from to said - 1 */
};
struct stream_text {
    const char *topic, *header;
    size_t header_n;
};
int64_t stream_run(const struct stream *s);
bool stream_topic(const struct stream *s, unsigned i, struct stream_topic *ret);
bool stream_held(const struct stream *s, unsigned topic, uint64_t seq, struct stream_text *ret);
bool stream_latest(const struct stream *s, unsigned i, struct stream_text *ret); /* of the cache, in its order */
/* Takes new subscriptions (sends them the cache) and control requests: call it when one of stream_fds() is readable, and
 * after every publish round (ZMQ_FD is edge-triggered). `request` gets one JSON text and answers into `reply` (size bytes;
 * the length back, 0: no answer); it is called at most `max` times. Returns the number of requests handled. */
typedef size_t stream_request_fn(void *user, const struct stream_peer *from, const char *json, size_t n, char *reply,
                                 size_t reply_size);
int stream_serve(struct stream *s, stream_request_fn *request, void *user, unsigned max);
/* What `request` still owed when it returned 0. Who has gone meanwhile gets nothing. */
void stream_answer(struct stream *s, const struct stream_peer *to, const char *text, size_t n);
void stream_fds(const struct stream *s, int ret_fds[2]);
/* Does anyone subscribe to it? Samples that nobody wants are counted and not sent. */
bool stream_wants(const struct stream *s, const char *topic);
void stream_counters(const struct stream *s, struct stream_counters *ret);
#define STREAM_MAX_REQUEST 65536 /* bytes; up to twice as much is answered with an error, more ends the connection */
#define STREAM_MAX_REPLY 262144
#define STREAM_MAX_MESSAGE 16777216
#define STREAM_TOPIC_MAX 63
