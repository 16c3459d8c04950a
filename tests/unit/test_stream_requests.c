/* What a control client may rely on, and what it may do to the daemon. */
#include "stream_rig.h"
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIGGED(test_requests),  RIGGED(test_late_answer),   RIGGED(test_fd_wakes),      RIGGED(test_at_most),
        RIGGED(test_malformed), RIGGED(test_garbage_bytes), RIGGED(test_same_identity), RIGGED(test_client_that_never_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
