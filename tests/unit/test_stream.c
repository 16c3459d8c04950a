/* What a subscriber may rely on: headers, numbers, the last-value cache, endpoints. */
#include "stream_rig.h"
#include <sys/socket.h>
#include <sys/un.h>

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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
