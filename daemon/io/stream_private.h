/* io/stream_private.h - what the files of the stream share: stream_open.c opens and closes the sockets, stream.c publishes and
 * serves subscriptions, stream_requests.c takes requests. Private to stream*.c; engine thread only. */
#pragma once
#include "gate.h"
#include "history.h"
#include "stream.h"
#include <zmq.h>

enum {
    TOPICS = 512,
    CACHE = 512,
    PREFIXES = 256,          /* distinct subscriptions told apart; beyond them the stream counts as wanted for good */
    QUOTED_MAX = 255 * 6 + 3 /* a string of 255 bytes, every one as \u00XX */
};

struct topic {
    char name[STREAM_TOPIC_MAX + 1];
    uint64_t seq;
};
struct kept { /* header text, then payload, in one block */
    char topic[STREAM_TOPIC_MAX + 1], key[STREAM_TOPIC_MAX + 1];
    char *bytes;
    size_t head_n, payload_n, capacity;
    bool has_payload, due;
};
struct prefix {
    size_t n;
    char bytes[STREAM_TOPIC_MAX];
};

struct stream {
    void *context, *data, *control;
    struct gate *gate;
    char data_endpoint[256], control_endpoint[256];
    char station[QUOTED_MAX], prefix[2 * QUOTED_MAX + 96]; /* the header up to the value of seq */
    size_t prefix_n;
    int64_t run; /* UTC in ms */
    struct topic topic[TOPICS];
    unsigned topics;
    struct history *history; /* by index of the topic */
    struct kept kept[CACHE];
    unsigned n_kept;
    struct prefix wanted[PREFIXES];
    unsigned n_wanted;
    bool wanted_overflow;
    char *reply;
    struct stream_counters counters;
};

/* stream.c */
void stream_cache_drop(struct stream *s);
int stream_serve_subscriptions(struct stream *s);
int stream_receive(void *socket, zmq_msg_t *m); /* a frame that waits; -EAGAIN: none */
/* Tells the gate whose connection `m` came over: it subscribed, or it asks. */
void stream_heard(struct stream *s, zmq_msg_t *m, bool subscribed);
