#include "stream_private.h"
#include "zap.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

struct request {
    zmq_msg_t identity, text; /* text: the last frame */
    struct stream_peer from;
    unsigned frames; /* after the identity */
};

/* 1 and a whole message in *q, 0 when there is none, or -errno. Once its first frame is there, all of a message is. */
static int request_receive(struct stream *s, struct request *q)
{
    int r = stream_receive(s->control, &q->identity);

    if (r < 0) return r == -EAGAIN ? 0 : r;
    q->frames = 0;
    q->from = (struct stream_peer){.commands = false};
    if (zmq_msg_size(&q->identity) <= sizeof q->from.identity) { /* libzmq has no longer ones */
        q->from.size = (unsigned char)zmq_msg_size(&q->identity);
        memcpy(q->from.identity, zmq_msg_data(&q->identity), q->from.size);
    }
    for (bool more = zmq_msg_more(&q->identity); more; more = zmq_msg_more(&q->text)) {
        r = stream_receive(s->control, &q->text);
        if (r < 0) return r;
        if (q->frames++ == 0) q->from.delimiter = zmq_msg_size(&q->text) == 0 && zmq_msg_more(&q->text);
    }
    return 1;
}

void stream_answer(struct stream *s, const struct stream_peer *to, const char *text, size_t n)
{
    if (zmq_send(s->control, to->identity, to->size, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0 ||
        (to->delimiter && zmq_send(s->control, "", 0, ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0) ||
        zmq_send(s->control, text, n, ZMQ_DONTWAIT) < 0)
        s->counters.send_failures++;
}

static void refuse(struct stream *s, struct request *q, const char *what)
{
    int n = snprintf(s->reply, STREAM_MAX_REPLY,
                     "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32600,\"message\":\"%s\"}}", what);

    s->counters.bad_requests++;
    stream_answer(s, &q->from, s->reply, (size_t)n);
}

/* As the handshake proved it; without keys everybody may do everything. */
static void who_asks(const struct stream *s, struct request *q)
{
    const char *name = zmq_msg_gets(&q->text, "User-Id"), *right = zmq_msg_gets(&q->text, ZAP_RIGHT);

    q->from.commands = !gate_has_keys(s->gate) || (right && !strcmp(right, "command"));
    snprintf(q->from.name, sizeof q->from.name, "%s", name ? name : "");
}

static void request_handle(struct stream *s, struct request *q, stream_request_fn *request, void *user)
{
    size_t n = q->frames ? zmq_msg_size(&q->text) : 0, reply_n;

    stream_heard(s, q->frames ? &q->text : &q->identity, false);
    if (q->frames == 0 || q->from.size == 0)
        s->counters.bad_requests++; /* there is nobody to answer */
    else if (q->frames > 1u + q->from.delimiter)
        refuse(s, q, "a request is one frame; send one JSON text, with at most an empty frame before it");
    else if (n == 0)
        refuse(s, q, "the request is empty; send one JSON text");
    else if (n > STREAM_MAX_REQUEST)
        refuse(s, q, "the request is longer than 65536 bytes; send less");
    else {
        who_asks(s, q);
        s->counters.requests++;
        reply_n = request(user, &q->from, zmq_msg_data(&q->text), n, s->reply, STREAM_MAX_REPLY);
        if (reply_n) stream_answer(s, &q->from, s->reply, reply_n);
    }
}

int stream_serve(struct stream *s, stream_request_fn *request, void *user, unsigned max)
{
    struct request q;
    int r = stream_serve_subscriptions(s), done = 0;

    if (r < 0) return r;
    zmq_msg_init(&q.identity);
    zmq_msg_init(&q.text);
    while ((unsigned)done < max && (r = request_receive(s, &q)) > 0) {
        request_handle(s, &q, request, user);
        done++;
    }
    zmq_msg_close(&q.identity);
    zmq_msg_close(&q.text);
    return r < 0 ? r : done;
}

void stream_fds(const struct stream *s, int ret_fds[2])
{
    size_t n = sizeof ret_fds[0];

    if (zmq_getsockopt(s->data, ZMQ_FD, &ret_fds[0], &n)) ret_fds[0] = -1;
    if (zmq_getsockopt(s->control, ZMQ_FD, &ret_fds[1], &n)) ret_fds[1] = -1;
}
