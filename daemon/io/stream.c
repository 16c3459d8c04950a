#include "stream.h"
#include "endpoint.h"
#include "gate.h"
#include "history.h"
#include "plate/event.h"
#include "zap.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum {
    TOPICS = 512,
    CACHE = 512,
    PREFIXES = 256,             /* distinct subscriptions told apart; beyond them the stream counts as wanted for good */
    SUBSCRIPTIONS_A_TURN = 256, /* so that a flood of them does not hold up the engine */
    MAX_DATA_FRAME = 1024,      /* a handshake's and no more: no subscription needs as much */
    UNTAKEN_SUBSCRIPTIONS = 64, /* of one subscriber; what comes after waits in its connection */
    UNTAKEN_REQUESTS = 16,
    QUOTED_MAX = 255 * 6 + 3, /* a string of 255 bytes, every one as \u00XX */
    SEND_BUFFER = 262144,
    LINGER_MS = 200
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

/* ---- endpoints ---- */

static int bind_error(const char *endpoint, int error, struct stream_error *ret)
{
    const char *advice = "check the endpoint";

    if (error == EADDRINUSE) advice = "is another plated running? stop it, or set another endpoint";
    if (error == EACCES) advice = "choose a port above 1023, or a directory that plated may write to";
    if (error == EINVAL || error == ENODEV || error == EPROTONOSUPPORT)
        advice = "write it like tcp://127.0.0.1:7460 or ipc:///run/plated/data";
    snprintf(ret->text, sizeof ret->text, "%.120s: cannot bind: %s; %s", endpoint, zmq_strerror(error), advice);
    return -error;
}

static int bind_socket(void *socket, const char *endpoint, bool has_keys, char ret_bound[256], struct stream_error *ret_error)
{
    static const char localhost[] = "tcp://localhost:";
    int on = 1;
    size_t n = 256;
    char name[256];

    if (!has_keys && !endpoint_is_local(endpoint)) {
        snprintf(
            ret_error->text, sizeof ret_error->text,
            "%.120s: other machines could reach it: set stream.secret_key and stream.clients (docs/security.md), or bind to "
            "127.0.0.1",
            endpoint);
        return -EACCES;
    }
    if (!endpoint_is_sane(endpoint)) return bind_error(endpoint, EINVAL, ret_error);
    if (endpoint_ipc_is_alive(endpoint)) return bind_error(endpoint, EADDRINUSE, ret_error);
    if (!strncmp(endpoint, "tcp://[", 7) && zmq_setsockopt(socket, ZMQ_IPV6, &on, sizeof on))
        return bind_error(endpoint, errno, ret_error);
    if (!strncmp(endpoint, localhost, sizeof localhost - 1)) /* libzmq binds to addresses and interfaces, not to names */
        snprintf(name, sizeof name, "tcp://127.0.0.1:%s", endpoint + sizeof localhost - 1);
    else
        snprintf(name, sizeof name, "%s", endpoint);
    if (zmq_bind(socket, name)) return bind_error(endpoint, errno, ret_error);
    return zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, ret_bound, &n) ? bind_error(endpoint, errno, ret_error) : 0;
}

/* ---- open, close ---- */

static void set_prefix(struct stream *s, const char *session)
{
    char quoted[QUOTED_MAX];

    if (plate_json_string(session, quoted, sizeof quoted) < 0) strcpy(quoted, "\"\"");
    s->prefix_n =
        (size_t)snprintf(s->prefix, sizeof s->prefix,
                         "{\"v\":1,\"station\":%s,\"session\":%s,\"run\":%" PRId64 ",\"seq\":", s->station, quoted, s->run);
}

static int set_int(void *socket, int option, int value) { return zmq_setsockopt(socket, option, &value, sizeof value); }

static int set_limits(void *socket, int high_water, int untaken, int64_t max_message)
{
    return set_int(socket, ZMQ_LINGER, LINGER_MS) || set_int(socket, ZMQ_SNDHWM, high_water) ||
           set_int(socket, ZMQ_RCVHWM, untaken) || zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &max_message, sizeof max_message);
}

static int open_sockets(struct stream *s, int high_water)
{
    s->context = zmq_ctx_new();
    if (!s->context) return -errno;
    s->data = zmq_socket(s->context, ZMQ_XPUB);
    s->control = zmq_socket(s->context, ZMQ_ROUTER);
    if (!s->data || !s->control) return -errno;
    if (set_limits(s->data, high_water, UNTAKEN_SUBSCRIPTIONS, MAX_DATA_FRAME) ||
        set_limits(s->control, 100, UNTAKEN_REQUESTS, 2 * STREAM_MAX_REQUEST))
        return -errno;
    /* What the kernel holds for one subscriber, beside high_water: by itself it lets that grow to some 4 MB. */
    if (set_int(s->data, ZMQ_SNDBUF, SEND_BUFFER) || set_int(s->data, ZMQ_XPUB_VERBOSE, 1) ||
        set_int(s->data, ZMQ_XPUB_NODROP, 0) || set_int(s->control, ZMQ_ROUTER_HANDOVER, 1))
        return -errno;
    return 0;
}

static int open_gate(struct stream *s, const struct stream_config *cfg, struct stream_error *ret_error)
{
    const struct gate_config gate = {cfg->secret_key, cfg->clients, cfg->tell, cfg->tell_user};
    struct keys_error error;
    int r = gate_open(s->context, &gate, &s->gate, &error);

    if (r < 0)
        snprintf(ret_error->text, sizeof ret_error->text, "%s", error.text);
    else if ((r = gate_guard(s->gate, GATE_DATA, s->data)) < 0 || (r = gate_guard(s->gate, GATE_CONTROL, s->control)) < 0)
        snprintf(ret_error->text, sizeof ret_error->text, "stream: cannot guard a socket: %s", zmq_strerror(-r));
    return r;
}

static int open_all(struct stream *s, const struct stream_config *cfg, struct stream_error *ret_error)
{
    struct timespec now;
    int r;

    clock_gettime(CLOCK_REALTIME, &now);
    s->run = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
    if (plate_json_string(cfg->station, s->station, sizeof s->station) < 0) {
        snprintf(ret_error->text, sizeof ret_error->text, "station: the name is longer than 255 bytes; shorten it");
        return -EINVAL;
    }
    set_prefix(s, "");
    r = open_sockets(s, cfg->high_water > INT32_MAX ? INT32_MAX : (int)cfg->high_water);
    if (r < 0) {
        snprintf(ret_error->text, sizeof ret_error->text, "stream: cannot open a socket: %s; raise the limit of open files",
                 zmq_strerror(-r));
        return r;
    }
    r = open_gate(s, cfg, ret_error);
    if (r == 0) r = bind_socket(s->data, cfg->data_endpoint, gate_has_keys(s->gate), s->data_endpoint, ret_error);
    if (r == 0) r = bind_socket(s->control, cfg->control_endpoint, gate_has_keys(s->gate), s->control_endpoint, ret_error);
    if (r < 0) return r;
    r = gate_start(s->gate, (const char *const[]){s->data_endpoint, s->control_endpoint});
    if (r < 0) snprintf(ret_error->text, sizeof ret_error->text, "stream: cannot begin a thread: %s", zmq_strerror(-r));
    return r;
}

int stream_open(const struct stream_config *cfg, struct stream **ret, struct stream_error *ret_error)
{
    struct stream *s = calloc(1, sizeof *s);
    int r = -ENOMEM;

    if (s) s->reply = malloc(STREAM_MAX_REPLY);
    if (s && s->reply && history_new(TOPICS, cfg->history_bytes, &s->history) == 0)
        r = open_all(s, cfg, ret_error);
    else
        snprintf(ret_error->text, sizeof ret_error->text, "stream: out of memory; free some");
    if (r < 0) {
        stream_close(s);
        return r;
    }
    *ret = s;
    return 0;
}

static void cache_drop(struct stream *s)
{
    for (unsigned i = 0; i < s->n_kept; i++) free(s->kept[i].bytes);
    memset(s->kept, 0, s->n_kept * sizeof *s->kept);
    s->n_kept = 0;
}

/* libzmq leaves the file; it is ours for as long as we are bound. */
static void ipc_unlink(const char *bound)
{
    if (!strncmp(bound, "ipc://", 6) && bound[6] != '@') unlink(bound + 6);
}

void stream_close(struct stream *s)
{
    if (!s) return;
    ipc_unlink(s->data_endpoint);
    ipc_unlink(s->control_endpoint);
    gate_close(s->gate);
    if (s->data) zmq_close(s->data);
    if (s->control) zmq_close(s->control);
    while (s->context && zmq_ctx_term(s->context) && errno == EINTR) {
    }
    cache_drop(s);
    history_free(s->history);
    free(s->reply);
    free(s);
}

const char *stream_endpoint(const struct stream *s, bool control) { return control ? s->control_endpoint : s->data_endpoint; }

void stream_session(struct stream *s, const char *session)
{
    cache_drop(s);
    set_prefix(s, session);
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

static int receive(void *socket, zmq_msg_t *m)
{
    while (zmq_msg_recv(m, socket, ZMQ_DONTWAIT) < 0)
        if (errno != EINTR) return -errno;
    return 0;
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

static void heard(struct stream *s, zmq_msg_t *m, bool subscribed) { gate_heard(s->gate, zmq_msg_gets(m, "__fd"), subscribed); }

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
static int serve_subscriptions(struct stream *s)
{
    zmq_msg_t m;
    int r = 0;

    zmq_msg_init(&m);
    for (unsigned i = 0; i < SUBSCRIPTIONS_A_TURN && (r = receive(s->data, &m)) == 0; i++) {
        heard(s, &m, true);
        subscription(s, zmq_msg_data(&m), zmq_msg_size(&m));
    }
    zmq_msg_close(&m);
    repeat_due(s);
    return r == -EAGAIN ? 0 : r;
}

/* ---- requests ---- */

struct request {
    zmq_msg_t identity, text; /* text: the last frame */
    struct stream_peer from;
    unsigned frames; /* after the identity */
};

/* 1 and a whole message in *q, 0 when there is none, or -errno. Once its first frame is there, all of a message is. */
static int request_receive(struct stream *s, struct request *q)
{
    int r = receive(s->control, &q->identity);

    if (r < 0) return r == -EAGAIN ? 0 : r;
    q->frames = 0;
    q->from = (struct stream_peer){.commands = false};
    if (zmq_msg_size(&q->identity) <= sizeof q->from.identity) { /* libzmq has no longer ones */
        q->from.size = (unsigned char)zmq_msg_size(&q->identity);
        memcpy(q->from.identity, zmq_msg_data(&q->identity), q->from.size);
    }
    for (bool more = zmq_msg_more(&q->identity); more; more = zmq_msg_more(&q->text)) {
        r = receive(s->control, &q->text);
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

    heard(s, q->frames ? &q->text : &q->identity, false);
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
    int r = serve_subscriptions(s), done = 0;

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

void stream_counters(const struct stream *s, struct stream_counters *ret)
{
    *ret = s->counters;
    history_counters(s->history, &ret->history);
    gate_counters(s->gate, &ret->gate);
}
