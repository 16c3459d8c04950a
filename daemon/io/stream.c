#include "plate/event.h"
#include "stream_private.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SUBSCRIPTIONS_A_TURN = 256 }; /* so that a flood of them does not hold up the engine */

/* ---- the recording ---- */

void stream_cache_drop(struct stream *s)
{
    for (unsigned i = 0; i < s->n_kept; i++) free(s->kept[i].bytes);
    memset(s->kept, 0, s->n_kept * sizeof *s->kept);
    s->n_kept = 0;
}

void stream_session(struct stream *s, const char *session)
{
    char quoted[QUOTED_MAX];

    stream_cache_drop(s);
    if (plate_json_string(session, quoted, sizeof quoted) < 0) strcpy(quoted, "\"\"");
    s->prefix_n =
        (size_t)snprintf(s->prefix, sizeof s->prefix,
                         "{\"v\":1,\"station\":%s,\"session\":%s,\"run\":%" PRId64 ",\"seq\":", s->station, quoted, s->run);
}

/* ---- publishing ---- */

struct header {
    const struct stream *s;
    char middle[96]; /* the value of seq, and what follows it up to the body */
    size_t middle_n;
    const char *rest; /* the body after its brace */
    size_t rest_n;
};

static void header_make(struct header *h, const struct stream *s, uint64_t seq, int64_t t_utc_ns, bool cached, const char *body,
                        size_t body_n)
{
    size_t i = 1;

    while (i < body_n && strchr(" \t\r\n", body[i])) i++;
    h->s = s;
    h->rest = body + i;
    h->rest_n = body_n - i;
    h->middle_n = (size_t)snprintf(h->middle, sizeof h->middle, "%" PRIu64 ",\"t_utc_ns\":%" PRId64 "%s%s", seq, t_utc_ns,
                                   cached ? ",\"cached\":true" : "", body[i] == '}' ? "" : ",");
}

static size_t header_size(const struct header *h) { return h->s->prefix_n + h->middle_n + h->rest_n; }

static void header_copy(const struct header *h, char *to)
{
    memcpy(to, h->s->prefix, h->s->prefix_n);
    memcpy(to + h->s->prefix_n, h->middle, h->middle_n);
    memcpy(to + h->s->prefix_n + h->middle_n, h->rest, h->rest_n);
}

static int send_message(struct stream *s, const char *topic, zmq_msg_t *head, const void *payload, size_t payload_n)
{
    size_t n = strlen(topic) + zmq_msg_size(head) + payload_n;

    if (zmq_send(s->data, topic, strlen(topic), ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0 ||
        zmq_msg_send(head, s->data, ZMQ_DONTWAIT | (payload ? ZMQ_SNDMORE : 0)) < 0 ||
        (payload && zmq_send(s->data, payload, payload_n, ZMQ_DONTWAIT) < 0)) {
        int r = -errno;
        zmq_msg_close(head);
        s->counters.send_failures++;
        return r;
    }
    s->counters.bytes += n;
    return 0;
}

static struct topic *topic_get(struct stream *s, const char *name)
{
    struct topic *t = s->topic;

    while (t < s->topic + s->topics && strcmp(t->name, name)) t++;
    if (t == s->topic + TOPICS) return NULL;
    if (t == s->topic + s->topics) {
        strcpy(t->name, name);
        s->topics++;
    }
    return t;
}

static struct kept *kept_get(struct stream *s, const char *topic, const char *key)
{
    struct kept *k = s->kept;

    while (k < s->kept + s->n_kept && (strcmp(k->topic, topic) || strcmp(k->key, key))) k++;
    if (k == s->kept + CACHE) return NULL;
    if (k == s->kept + s->n_kept) {
        strcpy(k->topic, topic);
        strcpy(k->key, key);
        s->n_kept++;
    }
    return k;
}

static int keep(struct stream *s, const char *topic, const char *key, const struct header *h, const void *payload,
                size_t payload_n)
{
    struct kept *k = kept_get(s, topic, key);
    size_t n = header_size(h) + payload_n;

    if (!k) return -ENOMEM;
    if (n > k->capacity) {
        char *grown = realloc(k->bytes, n);
        if (!grown) return -ENOMEM;
        k->bytes = grown;
        k->capacity = n;
    }
    k->head_n = header_size(h);
    k->payload_n = payload_n;
    k->has_payload = payload != NULL;
    header_copy(h, k->bytes);
    if (payload_n) memcpy(k->bytes + k->head_n, payload, payload_n);
    return 0;
}

bool stream_wants(const struct stream *s, const char *topic)
{
    for (unsigned i = 0; i < s->n_wanted; i++)
        if (!strncmp(topic, s->wanted[i].bytes, s->wanted[i].n)) return true;
    return s->wanted_overflow;
}

int stream_publish(struct stream *s, const char *topic, const char *cache_key, int64_t t_utc_ns, const char *body,
                   size_t body_n, const void *payload, size_t payload_n)
{
    struct header h;
    struct topic *t;
    zmq_msg_t head;
    uint64_t seq;
    int r;

    if (body_n < 2 || body[0] != '{' || body[body_n - 1] != '}') return -EINVAL;
    if (body_n > STREAM_MAX_MESSAGE || payload_n > STREAM_MAX_MESSAGE - body_n) return -EMSGSIZE;
    if (strlen(topic) > STREAM_TOPIC_MAX || (cache_key && strlen(cache_key) > STREAM_TOPIC_MAX)) return -EMSGSIZE;
    t = topic_get(s, topic);
    if (!t) return -ENOMEM;
    seq = t->seq;
    if (payload && !cache_key && !stream_wants(s, topic)) {
        t->seq++;
        s->counters.messages++;
        return 0;
    }
    header_make(&h, s, seq, t_utc_ns, false, body, body_n);
    if (zmq_msg_init_size(&head, header_size(&h))) return -ENOMEM;
    header_copy(&h, zmq_msg_data(&head));
    if (!payload) history_add(s->history, (unsigned)(t - s->topic), seq, zmq_msg_data(&head), zmq_msg_size(&head));
    t->seq++;
    s->counters.messages++;
    r = send_message(s, topic, &head, payload, payload ? payload_n : 0);
    if (!cache_key || r < 0) return r;
    header_make(&h, s, seq, t_utc_ns, true, body, body_n);
    return keep(s, topic, cache_key, &h, payload, payload ? payload_n : 0);
}

/* ---- what was said ---- */

int64_t stream_run(const struct stream *s) { return s->run; }

bool stream_topic(const struct stream *s, unsigned i, struct stream_topic *ret)
{
    if (i >= s->topics) return false;
    *ret = (struct stream_topic){s->topic[i].name, s->topic[i].seq, history_from(s->history, i)};
    if (!history_get(s->history, i, ret->held_from)) ret->held_from = ret->said;
    return true;
}

bool stream_held(const struct stream *s, unsigned topic, uint64_t seq, struct stream_text *ret)
{
    const struct history_message *m = topic < s->topics ? history_get(s->history, topic, seq) : NULL;

    if (!m) return false;
    *ret = (struct stream_text){s->topic[topic].name, m->text, m->n};
    return true;
}

bool stream_latest(const struct stream *s, unsigned i, struct stream_text *ret)
{
    if (i >= s->n_kept) return false;
    *ret = (struct stream_text){s->kept[i].topic, s->kept[i].bytes, s->kept[i].head_n};
    return true;
}

/* ---- subscriptions ---- */

static void wanted_add(struct stream *s, const char *bytes, size_t n)
{
    if (n > STREAM_TOPIC_MAX) return; /* longer than any topic, so it never matches */
    for (unsigned i = 0; i < s->n_wanted; i++)
        if (s->wanted[i].n == n && !memcmp(s->wanted[i].bytes, bytes, n)) return;
    if (s->n_wanted == PREFIXES) {
        s->wanted_overflow = true;
        return;
    }
    s->wanted[s->n_wanted].n = n;
    memcpy(s->wanted[s->n_wanted++].bytes, bytes, n);
}

int stream_receive(void *socket, zmq_msg_t *m)
{
    while (zmq_msg_recv(m, socket, ZMQ_DONTWAIT) < 0)
        if (errno != EINTR) return -errno;
    return 0;
}

/* libzmq tells of an unsubscription when the last subscriber to that prefix has gone. */
static void wanted_remove(struct stream *s, const char *bytes, size_t n)
{
    for (unsigned i = 0; i < s->n_wanted; i++)
        if (s->wanted[i].n == n && !memcmp(s->wanted[i].bytes, bytes, n)) {
            s->wanted[i] = s->wanted[--s->n_wanted];
            return;
        }
}

static void repeat_due(struct stream *s)
{
    for (unsigned i = 0; i < s->n_kept; i++) {
        struct kept *k = &s->kept[i];
        zmq_msg_t head;

        if (!k->due) continue;
        k->due = false;
        if (zmq_msg_init_size(&head, k->head_n)) {
            s->counters.send_failures++;
            continue;
        }
        memcpy(zmq_msg_data(&head), k->bytes, k->head_n);
        if (!send_message(s, k->topic, &head, k->has_payload ? k->bytes + k->head_n : NULL, k->payload_n)) s->counters.cached++;
    }
}

void stream_heard(struct stream *s, zmq_msg_t *m, bool subscribed) { gate_heard(s->gate, zmq_msg_gets(m, "__fd"), subscribed); }

static void subscription(struct stream *s, const char *frame, size_t n)
{
    if (n == 0 || (frame[0] != 0 && frame[0] != 1)) return;
    if (frame[0] == 0) {
        wanted_remove(s, frame + 1, n - 1);
        return;
    }
    wanted_add(s, frame + 1, n - 1);
    for (unsigned i = 0; i < s->n_kept; i++)
        if (strlen(s->kept[i].topic) >= n - 1 && !memcmp(s->kept[i].topic, frame + 1, n - 1)) s->kept[i].due = true;
}

/* All that is waiting is taken before anything is repeated: a client that subscribes to ten prefixes gets one repeat. */
int stream_serve_subscriptions(struct stream *s)
{
    zmq_msg_t m;
    int r = 0;

    zmq_msg_init(&m);
    for (unsigned i = 0; i < SUBSCRIPTIONS_A_TURN && (r = stream_receive(s->data, &m)) == 0; i++) {
        stream_heard(s, &m, true);
        subscription(s, zmq_msg_data(&m), zmq_msg_size(&m));
    }
    zmq_msg_close(&m);
    repeat_due(s);
    return r == -EAGAIN ? 0 : r;
}

void stream_counters(const struct stream *s, struct stream_counters *ret)
{
    *ret = s->counters;
    history_counters(s->history, &ret->history);
    gate_counters(s->gate, &ret->gate);
}
