/* What a subscriber and a control client may rely on, and what they may do to the daemon. Ports are chosen by the kernel. */
#include "stream.h"
#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
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

static int open_at(const char *data, const char *control, const char *station, unsigned high_water, struct stream **ret,
                   struct stream_error *e)
{
    struct stream_config cfg = {.data_endpoint = data,
                                .control_endpoint = control,
                                .station = station,
                                .high_water = high_water,
                                .history_bytes = 1 << 20};
    return stream_open(&cfg, ret, e);
}

static int rig_up(void **state)
{
    struct rig *r = calloc(1, sizeof *r);
    struct stream_error e;

    assert_non_null(r);
    assert_int_equal(open_at("tcp://127.0.0.1:*", "tcp://127.0.0.1:*", "lab \"ä\"", 1000, &r->s, &e), 0);
    r->context = zmq_ctx_new();
    *state = r;
    return 0;
}

static int rig_down(void **state)
{
    struct rig *r = *state;

    for (size_t i = 0; i < sizeof r->open / sizeof *r->open; i++)
        if (r->open[i]) zmq_close(r->open[i]);
    zmq_ctx_term(r->context);
    stream_close(r->s);
    free(r);
    return 0;
}

static void *unconnected(struct rig *r, int type)
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

static void leave(struct rig *r, void *socket)
{
    for (size_t i = 0; i < sizeof r->open / sizeof *r->open; i++)
        if (r->open[i] == socket) r->open[i] = NULL;
    zmq_close(socket);
}

static void *client(struct rig *r, int type, bool control)
{
    void *socket = unconnected(r, type);

    assert_int_equal(zmq_connect(socket, stream_endpoint(r->s, control)), 0);
    return socket;
}

/* Answers with the length of the request; "quiet" is a notification. */
static size_t echo(void *user, const struct stream_peer *from, const char *json, size_t n, char *reply, size_t size)
{
    struct rig *r = user;

    r->served++;
    r->last_n = n;
    r->last_from = *from;
    if (n == 5 && !memcmp(json, "quiet", 5)) return 0;
    return (size_t)snprintf(reply, size, "{\"n\":%zu}", n);
}

static void serve(struct rig *r) { assert_true(stream_serve(r->s, echo, r, 16) >= 0); }

/* Serves for so long, or until the socket has something to read. */
static bool serve_until(struct rig *r, void *socket, int ms)
{
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};

    for (int i = 0; i < ms; i++) {
        serve(r);
        if (zmq_poll(&item, 1, 1) > 0) return true;
    }
    return false;
}

static void serve_until_wanted(struct rig *r, bool wanted)
{
    for (int i = 0; i < PATIENCE_MS && stream_wants(r->s, "rep/a/") != wanted; i++) {
        serve(r);
        usleep(1000);
    }
    assert_int_equal(stream_wants(r->s, "rep/a/"), wanted);
}

static void *subscriber(struct rig *r, const char *prefix)
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

static void take(void *sub, struct message *m)
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

static void expect(struct rig *r, void *sub, const char *topic, int seq, bool cached, int x)
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

static void publish(struct rig *r, const char *topic, const char *key, int x)
{
    char body[32];
    int n = snprintf(body, sizeof body, "{\"x\":%d}", x);

    assert_int_equal(stream_publish(r->s, topic, key, 5, body, (size_t)n, NULL, 0), 0);
}

/* ---- publishing ---- */

static void test_header(void **state)
{
    struct rig *r = *state;
    void *sub = subscriber(r, "");
    struct message m;
    const float row[2] = {1.5F, -2};

    serve_until_wanted(r, true);
    stream_session(r->s, "s\\1");
    assert_int_equal(stream_publish(r->s, "force/a/", NULL, 1234567890123456789, "{\"t_s\":0.5}", 11, row, sizeof row), 0);
    assert_int_equal(stream_publish(r->s, "force/a/", NULL, 7, "{ }", 3, "", 0), 0);
    take(sub, &m);
    assert_string_equal(m.topic, "force/a/");
    assert_int_equal(json_object_size(m.header), 7);
    assert_int_equal(json_integer_value(json_object_get(m.header, "v")), 1);
    assert_string_equal(json_string_value(json_object_get(m.header, "station")), "lab \"ä\"");
    assert_string_equal(json_string_value(json_object_get(m.header, "session")), "s\\1");
    assert_true(json_integer_value(json_object_get(m.header, "t_utc_ns")) == 1234567890123456789);
    assert_true(json_real_value(json_object_get(m.header, "t_s")) == 0.5);
    assert_int_equal(m.payload_n, sizeof row);
    assert_memory_equal(m.payload, row, sizeof row);
    json_decref(m.header);
    take(sub, &m); /* an empty body and an empty payload */
    assert_int_equal(json_object_size(m.header), 6);
    assert_int_equal(json_integer_value(json_object_get(m.header, "seq")), 1);
    assert_int_equal(m.frames, 3);
    json_decref(m.header);
    leave(r, sub);
}

static void test_seq_per_topic(void **state)
{
    struct rig *r = *state;

    publish(r, "rep/1/", NULL, 0); /* before anybody listens */
    void *sub = subscriber(r, "");
    serve_until_wanted(r, true);
    for (int i = 1; i <= 20; i++) {
        publish(r, "rep/1/", NULL, i);
        publish(r, "rep/10/", NULL, i);
    }
    stream_session(r->s, "next"); /* seq goes on through sessions */
    publish(r, "rep/1/", NULL, 21);
    for (int i = 1; i <= 20; i++) {
        expect(r, sub, "rep/1/", i, false, i);
        expect(r, sub, "rep/10/", i - 1, false, i);
    }
    expect(r, sub, "rep/1/", 21, false, 21);
    leave(r, sub);
}

static void test_refused_messages(void **state)
{
    struct rig *r = *state;
    char name[STREAM_TOPIC_MAX + 2];
    int rc = 0;

    memset(name, 'a', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(stream_publish(r->s, "a/", NULL, 0, "[]", 2, NULL, 0), -EINVAL);
    assert_int_equal(stream_publish(r->s, "a/", NULL, 0, "{", 1, NULL, 0), -EINVAL);
    assert_int_equal(stream_publish(r->s, name, NULL, 0, "{}", 2, NULL, 0), -EMSGSIZE);
    assert_int_equal(stream_publish(r->s, "a/", name, 0, "{}", 2, NULL, 0), -EMSGSIZE);
    assert_int_equal(stream_publish(r->s, "a/", NULL, 0, "{}", 2, "", SIZE_MAX), -EMSGSIZE);
    name[STREAM_TOPIC_MAX] = '\0';
    assert_int_equal(stream_publish(r->s, name, name, 0, "{}", 2, NULL, 0), 0);
    for (int i = 0; i < 100000 && rc == 0; i++) {
        snprintf(name, sizeof name, "%d", i);
        rc = stream_publish(r->s, "key/", name, 0, "{}", 2, NULL, 0);
    }
    assert_int_equal(rc, -ENOMEM); /* the cache is full, and the topics are not */
    publish(r, "key/", NULL, 0);
    rc = 0;
    for (int i = 0; i < 100000 && rc == 0; i++) {
        snprintf(name, sizeof name, "t%d/", i);
        rc = stream_publish(r->s, name, NULL, 0, "{}", 2, NULL, 0);
    }
    assert_int_equal(rc, -ENOMEM);
    publish(r, "key/", NULL, 0);
}

/* ---- the last-value cache ---- */

static void test_late_joiner(void **state)
{
    struct rig *r = *state;
    void *early = subscriber(r, "rep/"), *late, *one;

    serve_until_wanted(r, true);
    publish(r, "asymmetry/", "old", 99);
    stream_session(r->s, "one"); /* what the session before had to say is gone */
    publish(r, "session/", "", 0);
    publish(r, "asymmetry/", "peak", 1);
    publish(r, "asymmetry/", "drive", 2);
    publish(r, "rep/a/", NULL, 3);
    publish(r, "asymmetry/", "peak", 4);
    publish(r, "health/", "status", 5);
    late = subscriber(r, "");
    expect(r, late, "session/", 0, true, 0);
    expect(r, late, "asymmetry/", 3, true, 4);
    expect(r, late, "asymmetry/", 2, true, 2);
    expect(r, late, "health/", 0, true, 5);
    publish(r, "asymmetry/", "peak", 6); /* live again, with the next seq, and nothing in between */
    expect(r, late, "asymmetry/", 4, false, 6);
    one = subscriber(r, "asymmetry/");
    expect(r, one, "asymmetry/", 4, true, 6);
    expect(r, one, "asymmetry/", 2, true, 2);
    assert_false(serve_until(r, one, QUIET_MS));
    expect(r, early, "rep/a/", 0, false, 3); /* a repeat is no business of who asked for something else */
    assert_false(serve_until(r, early, QUIET_MS));
    leave(r, early);
    leave(r, late);
    leave(r, one);
}

static void test_cached_payload(void **state)
{
    struct rig *r = *state;
    struct message m;
    void *sub;

    assert_int_equal(stream_publish(r->s, "x/", "k", 0, "{}", 2, "longer payload", 14), 0);
    assert_int_equal(stream_publish(r->s, "x/", "k", 0, "{}", 2, "short", 5), 0);
    sub = subscriber(r, "x/");
    assert_true(serve_until(r, sub, PATIENCE_MS));
    take(sub, &m);
    assert_int_equal(m.payload_n, 5);
    assert_memory_equal(m.payload, "short", 5);
    json_decref(m.header);
    leave(r, sub);
}

static void test_wanted(void **state)
{
    struct rig *r = *state;
    void *a, *b;
    char prefix[16];

    assert_false(stream_wants(r->s, "rep/a/"));
    a = subscriber(r, "rep/");
    b = subscriber(r, "rep/");
    serve_until_wanted(r, true);
    assert_false(serve_until(r, a, QUIET_MS));
    leave(r, a);
    assert_false(serve_until(r, b, QUIET_MS));
    assert_true(stream_wants(r->s, "rep/a/")); /* b is still there */
    leave(r, b);
    serve_until_wanted(r, false);
    a = subscriber(r, "");
    for (int i = 0; i < 1000; i++) {
        snprintf(prefix, sizeof prefix, "p%d", i);
        assert_int_equal(zmq_setsockopt(a, ZMQ_SUBSCRIBE, prefix, strlen(prefix)), 0);
    }
    serve_until_wanted(r, true);
    publish(r, "rep/a/", NULL, 1);
    expect(r, a, "rep/a/", 0, false, 1);
    leave(r, a);
}

/* Samples that nobody wants are not sent; but they count: who was away sees that he missed them. */
static void test_unwanted_samples_count(void **state)
{
    struct rig *r = *state;
    struct stream_counters before, after;
    void *sub;

    stream_counters(r->s, &before);
    assert_int_equal(stream_publish(r->s, "rep/a/", NULL, 0, "{\"x\":1}", 7, "abcd", 4), 0);
    stream_counters(r->s, &after);
    assert_int_equal(after.messages, before.messages + 1);
    assert_int_equal(after.bytes, before.bytes);
    sub = subscriber(r, "rep/");
    serve_until_wanted(r, true);
    assert_int_equal(stream_publish(r->s, "rep/a/", NULL, 0, "{\"x\":2}", 7, "abcd", 4), 0);
    expect(r, sub, "rep/a/", 1, false, 2);
    leave(r, sub);
}

static void test_stalled_subscriber(void **state)
{
    enum { N = 20000 };
    struct rig *r = *state;
    void *stalled = unconnected(r, ZMQ_SUB), *healthy;
    int one = 1, small = 4096, got = 0, last = -1, seq;
    char body[1100];
    struct message m;

    zmq_setsockopt(stalled, ZMQ_RCVHWM, &one, sizeof one);
    zmq_setsockopt(stalled, ZMQ_RCVBUF, &small, sizeof small);
    zmq_connect(stalled, stream_endpoint(r->s, false));
    zmq_setsockopt(stalled, ZMQ_SUBSCRIBE, "", 0);
    serve_until_wanted(r, true);
    publish(r, "hello/", "k", 0);
    healthy = subscriber(r, "");
    expect(r, healthy, "hello/", 0, true, 0);
    snprintf(body, sizeof body, "{\"x\":\"%0*d\"}", (int)sizeof body - 9, 0);
    for (int i = 0; i < N; i++) {
        assert_int_equal(stream_publish(r->s, "force/a/", NULL, 0, body, sizeof body - 1, NULL, 0), 0);
        for (; i % 100 == 99 && got <= i; got++) {
            assert_true(serve_until(r, healthy, PATIENCE_MS));
            take(healthy, &m);
            assert_int_equal(json_integer_value(json_object_get(m.header, "seq")), got);
            json_decref(m.header);
        }
    }
    assert_int_equal(got, N);
    for (got = 0; serve_until(r, stalled, QUIET_MS); got++) {
        take(stalled, &m);
        if (!strcmp(m.topic, "force/a/")) {
            seq = (int)json_integer_value(json_object_get(m.header, "seq"));
            assert_true(seq > last);
            last = seq;
        }
        json_decref(m.header);
    }
    assert_in_range(got, 1, N - 1); /* it lost its own */
    leave(r, stalled);
    leave(r, healthy);
}

/* ---- endpoints ---- */

static void test_endpoint_policy(void **state)
{
    static const char *const refused[] = {"tcp://0.0.0.0:*",
                                          "tcp://*:7460",
                                          "tcp://192.168.1.2:*",
                                          "tcp://127.0.0.1.evil.example:1",
                                          "tcp://lo:7460",
                                          "tcp://[::]:1",
                                          "udp://127.0.0.1:1",
                                          "tcp://128.0.0.1:1",
                                          "tcp://localhost.lan:1",
                                          "127.0.0.1:1",
                                          "",
                                          "ipc://",
                                          "pgm://127.0.0.1:1",
                                          "tcp://",
                                          "tcp://::ffff:127.0.0.1:1"};
    static const char *const allowed[] = {"tcp://127.0.0.1:*", "tcp://127.8.9.10:*", "tcp://localhost:*", "inproc://here"};
    static const char *const senseless[] = {"tcp://127.0.0.1:70000", "tcp://127.0.0.1:", "tcp://127.0.0.1:7460x", "ipc://*"};
    struct stream_error e;
    struct stream *s;

    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_int_equal(open_at(refused[i], "tcp://127.0.0.1:*", "s", 10, &s, &e), -EACCES);
        assert_non_null(strstr(e.text, "stream.secret_key"));
        assert_int_equal(open_at("tcp://127.0.0.1:*", refused[i], "s", 10, &s, &e), -EACCES);
    }
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++) {
        assert_int_equal(open_at(allowed[i], "tcp://127.0.0.1:*", "s", 10, &s, &e), 0);
        assert_null(strchr(stream_endpoint(s, false), '*'));
        stream_close(s);
    }
    for (size_t i = 0; i < sizeof senseless / sizeof *senseless; i++) {
        assert_int_equal(open_at(senseless[i], "tcp://127.0.0.1:*", "s", 10, &s, &e), -EINVAL);
        assert_non_null(strstr(e.text, senseless[i]));
    }
    stream_close(NULL);
}

static void test_endpoint_taken(void **state)
{
    struct rig *r = *state;
    char dir[] = "/tmp/test_stream.XXXXXX", endpoint[64];
    struct sockaddr_un stale = {.sun_family = AF_UNIX};
    struct stream_error e;
    struct stream *s, *other;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_int_equal(open_at("tcp://127.0.0.1:*", stream_endpoint(r->s, true), "s", 10, &s, &e), -EADDRINUSE);
    assert_non_null(strstr(e.text, stream_endpoint(r->s, true)));
    assert_non_null(strstr(e.text, "another plated"));
    assert_non_null(mkdtemp(dir));
    snprintf(stale.sun_path, sizeof stale.sun_path, "%s/data", dir);
    assert_int_equal(bind(fd, (struct sockaddr *)&stale, sizeof stale), 0);
    close(fd); /* what a killed daemon leaves */
    snprintf(endpoint, sizeof endpoint, "ipc://%s/data", dir);
    assert_int_equal(open_at(endpoint, "tcp://127.0.0.1:*", "s", 10, &s, &e), 0);
    assert_int_equal(open_at(endpoint, "tcp://127.0.0.1:*", "s", 10, &other, &e), -EADDRINUSE);
    stream_close(s);
    assert_int_equal(rmdir(dir), 0); /* nothing is left behind */
}

/* ---- requests ---- */

static void expect_answer(struct rig *r, void *socket, const char *text)
{
    char got[512];
    int n;

    assert_true(serve_until(r, socket, PATIENCE_MS));
    n = zmq_recv(socket, got, sizeof got - 1, 0);
    assert_in_range(n, 0, sizeof got - 1);
    got[n] = '\0';
    assert_non_null(strstr(got, text));
}

static void test_requests(void **state)
{
    struct rig *r = *state;
    void *dealer = client(r, ZMQ_DEALER, true), *req = client(r, ZMQ_REQ, true);
    char *big = calloc(1, STREAM_MAX_REQUEST);
    int fds[2];

    zmq_send(dealer, "{}", 2, 0);
    expect_answer(r, dealer, "{\"n\":2}");
    zmq_send(req, "abc", 3, 0); /* REQ insists on its empty delimiter */
    expect_answer(r, req, "{\"n\":3}");
    zmq_send(dealer, "", 0, ZMQ_SNDMORE);
    zmq_send(dealer, "abcd", 4, 0);
    expect_answer(r, dealer, "");
    expect_answer(r, dealer, "{\"n\":4}");
    zmq_send(dealer, "quiet", 5, 0);
    assert_false(serve_until(r, dealer, QUIET_MS));
    assert_int_equal(r->served, 4);
    zmq_send(dealer, big, STREAM_MAX_REQUEST, 0);
    expect_answer(r, dealer, "{\"n\":65536}");
    stream_fds(r->s, fds);
    assert_true(fds[0] >= 0 && fds[1] >= 0 && fds[0] != fds[1]);
    free(big);
    leave(r, dealer);
    leave(r, req);
}

static void test_fd_wakes(void **state)
{
    struct rig *r = *state;
    void *dealer = client(r, ZMQ_DEALER, true);
    struct pollfd p = {.events = POLLIN};
    int fds[2];

    stream_fds(r->s, fds);
    p.fd = fds[1];
    zmq_send(dealer, "{}", 2, 0);
    for (int i = 0; i < 1000 && r->served == 0; i++) {
        assert_int_equal(poll(&p, 1, PATIENCE_MS), 1); /* connecting wakes it, too */
        serve(r);
    }
    assert_int_equal(r->served, 1);
    leave(r, dealer);
}

/* Answered when everything else has been, by either kind of client; who has gone is no fault. */
static void test_late_answer(void **state)
{
    struct rig *r = *state;
    void *req = client(r, ZMQ_REQ, true), *dealer = client(r, ZMQ_DEALER, true), *gone = client(r, ZMQ_DEALER, true);
    struct stream_peer peer[3];
    void *asking[3] = {req, dealer, gone};

    for (int i = 0; i < 3; i++) {
        unsigned before = r->served;
        assert_int_equal(zmq_send(asking[i], "quiet", 5, 0), 5);
        for (int k = 0; k < PATIENCE_MS && r->served == before; k++) {
            serve(r);
            usleep(1000);
        }
        assert_int_equal(r->served, before + 1);
        peer[i] = r->last_from;
    }
    assert_true(peer[0].delimiter && !peer[1].delimiter && peer[1].commands);
    leave(r, gone);
    usleep(50000);
    for (int i = 2; i >= 0; i--) stream_answer(r->s, &peer[i], "late", 4);
    expect_answer(r, req, "late");
    expect_answer(r, dealer, "late");
    leave(r, req);
    leave(r, dealer);
}

static void test_at_most(void **state)
{
    struct rig *r = *state;
    void *dealer = client(r, ZMQ_DEALER, true);
    unsigned total = 0;
    int n;

    for (int i = 0; i < 5; i++) zmq_send(dealer, "quiet", 5, 0);
    for (int i = 0; i < PATIENCE_MS && total < 5; i++) {
        n = stream_serve(r->s, echo, r, 2);
        assert_in_range(n, 0, 2);
        total += (unsigned)n;
        if (n == 0) usleep(1000);
    }
    assert_int_equal(total, 5);
    assert_int_equal(r->served, 5);
    leave(r, dealer);
}

/* After whatever was sent, somebody else is still served. */
static void expect_alive(struct rig *r)
{
    void *dealer = client(r, ZMQ_DEALER, true);

    zmq_send(dealer, "{}", 2, 0);
    expect_answer(r, dealer, "{\"n\":2}");
    leave(r, dealer);
}

static void test_malformed(void **state)
{
    struct rig *r = *state;
    void *dealer = client(r, ZMQ_DEALER, true);
    size_t huge_n = 16 * STREAM_MAX_REQUEST + 1;
    char *huge = calloc(1, huge_n);
    struct stream_counters c;

    zmq_send(dealer, "", 0, 0);
    expect_answer(r, dealer, "-32600");
    zmq_send(dealer, huge, STREAM_MAX_REQUEST + 1, 0);
    expect_answer(r, dealer, "longer than 65536");
    for (int i = 0; i < 5000; i++) zmq_send(dealer, "{}", 2, ZMQ_SNDMORE);
    zmq_send(dealer, "{}", 2, 0);
    expect_answer(r, dealer, "one frame");
    zmq_send(dealer, "", 0, ZMQ_SNDMORE);
    zmq_send(dealer, "", 0, 0);
    expect_answer(r, dealer, "");
    expect_answer(r, dealer, "-32600");
    assert_int_equal(r->served, 0);
    stream_counters(r->s, &c);
    assert_int_equal(c.bad_requests, 4);
    zmq_send(dealer, huge, huge_n, 0); /* the connection is dropped */
    assert_false(serve_until(r, dealer, QUIET_MS));
    expect_alive(r);
    free(huge);
    leave(r, dealer);
}

static void test_garbage_bytes(void **state)
{
    static const char empty_identity[] = "\xff\0\0\0\0\0\0\0\1\x7f" /* ZMTP 2: greeting, as DEALER, empty identity, */
                                         "\1\5\0\0"                 /* then a message of one empty frame */
                                         "\0\0";
    struct rig *r = *state;
    char dir[] = "/tmp/test_stream.XXXXXX", endpoint[64];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stream *tcp = r->s, *ipc;
    struct stream_error e;
    char noise[4096];

    assert_non_null(mkdtemp(dir));
    snprintf(endpoint, sizeof endpoint, "ipc://%s/control", dir);
    snprintf(address.sun_path, sizeof address.sun_path, "%s/control", dir);
    assert_int_equal(open_at("tcp://127.0.0.1:*", endpoint, "s", 10, &ipc, &e), 0);
    r->s = ipc;
    srand(1);
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = (char)rand();
    for (int round = 0; round < 2; round++) {
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
        if (round == 0)
            assert_true(send(fd, noise, sizeof noise, MSG_NOSIGNAL) > 0);
        else
            assert_true(send(fd, empty_identity, sizeof empty_identity - 1, MSG_NOSIGNAL) > 0);
        expect_alive(r);
        close(fd);
    }
    r->s = tcp;
    stream_close(ipc);
    rmdir(dir);
}

static void test_same_identity(void **state)
{
    struct rig *r = *state;
    void *first = unconnected(r, ZMQ_DEALER), *second = unconnected(r, ZMQ_DEALER);

    for (int i = 0; i < 2; i++) {
        void *socket = i ? second : first;
        zmq_setsockopt(socket, ZMQ_ROUTING_ID, "same", 4);
        zmq_connect(socket, stream_endpoint(r->s, true));
        zmq_send(socket, "{}", 2, 0); /* the newcomer takes the name over, and is answered */
        expect_answer(r, socket, "{\"n\":2}");
    }
    leave(r, first);
    leave(r, second);
}

static void test_client_that_never_reads(void **state)
{
    struct rig *r = *state;
    void *dealer = unconnected(r, ZMQ_DEALER);
    int one = 1, sent = 0;

    zmq_setsockopt(dealer, ZMQ_RCVHWM, &one, sizeof one);
    zmq_connect(dealer, stream_endpoint(r->s, true));
    for (int i = 0; i < 3000; i++) {
        sent += zmq_send(dealer, "{}", 2, ZMQ_DONTWAIT) >= 0;
        serve(r);
    }
    assert_true(sent > 0);
    expect_alive(r);
    leave(r, dealer);
}

#define RIGGED(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIGGED(test_header),
        RIGGED(test_seq_per_topic),
        RIGGED(test_refused_messages),
        RIGGED(test_late_joiner),
        RIGGED(test_cached_payload),
        RIGGED(test_wanted),
        RIGGED(test_unwanted_samples_count),
        RIGGED(test_stalled_subscriber),
        cmocka_unit_test(test_endpoint_policy),
        RIGGED(test_endpoint_taken),
        RIGGED(test_requests),
        RIGGED(test_late_answer),
        RIGGED(test_fd_wakes),
        RIGGED(test_at_most),
        RIGGED(test_malformed),
        RIGGED(test_garbage_bytes),
        RIGGED(test_same_identity),
        RIGGED(test_client_that_never_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
