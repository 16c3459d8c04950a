/* The ring between two threads, at its edges, and after the death of its owner. */
#include "ring.h"
#include "store_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char *folder;
    char path[600];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    p->folder = fixture_folder();
    if (!*p->folder) return -1;
    snprintf(p->path, sizeof p->path, "%s/test.ring", p->folder);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    unlink(p->path);
    const int rc = rmdir(p->folder); /* a test that leaves something behind fails here */
    free(p->folder);
    free(p);
    return rc;
}

static struct ring *make(const struct place *p, size_t capacity)
{
    struct ring *r;
    assert_int_equal(ring_create(p->folder, "test", capacity, &r), 0);
    assert_string_equal(ring_path(r), p->path);
    return r;
}

/* A record whose payload says its number n over and over; the size follows from n too. */
static size_t payload_size(uint32_t n) { return n * 2654435761u % 300; }

static int put(struct ring *r, uint32_t n)
{
    uint8_t bytes[300];
    const size_t size = payload_size(n), half = size / 3;
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(n + i);
    const struct record_header h = {.type = RECORD_BLOCK, .plate = 3, .sample = n, .t_s = n * 0.5};
    return ring_put(r, &h, bytes, half, bytes + half, size - half);
}

static bool is_record(const struct record_header *h, const void *payload, uint32_t n)
{
    const uint8_t *bytes = payload;
    if (h->type != RECORD_BLOCK || h->plate != 3 || h->sample != n || h->size != payload_size(n) || h->t_s < n * 0.5 ||
        h->t_s > n * 0.5)
        return false;
    for (size_t i = 0; i < h->size; i++)
        if (bytes[i] != (uint8_t)(n + i)) return false;
    return true;
}

static void expect(struct ring *r, uint32_t n)
{
    struct record_header h;
    const void *payload;
    assert_int_equal(ring_peek(r, &h, &payload), 0);
    assert_true(is_record(&h, payload, n));
}

static void expect_none(struct ring *r)
{
    struct record_header h;
    const void *payload;
    assert_int_equal(ring_peek(r, &h, &payload), -EAGAIN);
}

static void test_round_trip(void **state)
{
    struct ring *r = make(*state, 1 << 16);
    struct record_header h, last;
    const void *payload;
    expect_none(r);
    for (uint32_t n = 0; n < 10; n++) assert_int_equal(put(r, n), 0);
    assert_int_equal(ring_peek(r, &last, &payload), 0);
    for (uint32_t n = 1; n < 10; n++, last = h) {
        assert_int_equal(ring_peek(r, &h, &payload), 0);
        assert_true(is_record(&h, payload, n));
        assert_int_equal(h.lsn, last.lsn + 1);
    }
    expect_none(r);
    struct ring_counters c;
    ring_counters(r, &c);
    assert_int_equal(c.records, 10);
    assert_true(c.used_bytes > 0); /* peeked is not consumed */
    ring_consume(r);
    ring_counters(r, &c);
    assert_int_equal(c.used_bytes, 0);
    assert_true(c.highest_used_bytes > 0 && c.capacity_bytes >= 1 << 16);
    assert_true(ring_same_schema(r));
    ring_close(r, true);
    ring_close(NULL, true);
    assert_int_equal(access(((struct place *)*state)->path, F_OK), -1);
}

static void test_wraps(void **state)
{
    struct ring *r = make(*state, 4096);
    const unsigned seed = (unsigned)time(NULL);
    print_message("seed %u\n", seed);
    srand(seed);
    uint32_t in = 0, out = 0;
    while (out < 20000) {
        for (int k = rand() % 12; k && put(r, in) == 0; k--) in++;
        for (int k = rand() % 12; k && out < in; k--) expect(r, out++);
        ring_consume(r);
    }
    ring_close(r, true);
}

static void test_full(void **state)
{
    struct ring *r = make(*state, 8192);
    struct ring_counters c;
    uint32_t in = 0;
    while (put(r, in) == 0) in++;
    assert_int_equal(put(r, in), -ENOSPC);
    ring_counters(r, &c);
    assert_int_equal(c.refused, 2);
    assert_int_equal(c.records, in);
    assert_true(c.used_bytes <= c.capacity_bytes);
    for (uint32_t n = 0; n < in; n++) expect(r, n);
    assert_int_equal(put(r, in), -ENOSPC); /* peeked is not free yet */
    ring_consume(r);
    for (uint32_t n = in; n < in + 5; n++) assert_int_equal(put(r, n), 0);
    for (uint32_t n = in; n < in + 5; n++) expect(r, n);
    ring_close(r, true);
}

static void test_too_large(void **state)
{
    static uint8_t bytes[RECORD_MAX_PAYLOAD + 1];
    struct ring *r = make(*state, 4 * RECORD_MAX_PAYLOAD);
    const struct record_header h = {.type = RECORD_BEGIN};
    struct record_header got;
    const void *payload;
    assert_int_equal(ring_put(r, &h, bytes, sizeof bytes, NULL, 0), -EMSGSIZE);
    assert_int_equal(ring_put(r, &h, bytes, RECORD_MAX_PAYLOAD, bytes, 1), -EMSGSIZE);
    for (int lap = 0; lap < 9; lap++) { /* wherever it stands, an empty ring takes the largest */
        assert_int_equal(ring_put(r, &h, bytes, RECORD_MAX_PAYLOAD, NULL, 0), 0);
        assert_int_equal(ring_peek(r, &got, &payload), 0);
        assert_int_equal(got.size, RECORD_MAX_PAYLOAD);
        ring_consume(r);
    }
    ring_close(r, true);
    r = make(*state, 4096);
    assert_int_equal(ring_put(r, &h, bytes, 2048, NULL, 0), -EMSGSIZE);
    assert_int_equal(ring_put(r, &h, NULL, 0, NULL, 0), 0);
    assert_int_equal(ring_peek(r, &got, &payload), 0);
    assert_int_equal(got.size, 0);
    ring_close(r, true);
}

/* A record that was peeked and could not be taken is peeked again; after a rewind, so is all that came before it. */
static void test_peeked_again(void **state)
{
    const struct place *p = *state;
    struct ring *r = make(p, 65536);
    struct record_header h;
    const void *payload;
    for (uint32_t n = 0; n < 4; n++) assert_int_equal(put(r, n), 0);
    for (uint32_t n = 0; n < 2; n++) assert_int_equal(ring_peek(r, &h, &payload), 0);
    ring_unpeek(r);
    ring_consume(r); /* what was peeked before it, and not itself */
    for (uint32_t n = 1; n < 4; n++) {
        assert_int_equal(ring_peek(r, &h, &payload), 0);
        assert_true(is_record(&h, payload, n));
    }
    ring_rewind(r);
    ring_unpeek(r); /* of whoever does not know of the rewind */
    assert_int_equal(ring_peek(r, &h, &payload), 0);
    assert_true(is_record(&h, payload, 1));
    ring_close(r, true);
}

static void test_wake(void **state)
{
    struct ring *r = make(*state, 4096);
    struct pollfd p = {.fd = ring_fd(r), .events = POLLIN};
    assert_int_equal(poll(&p, 1, 0), 0);
    assert_int_equal(put(r, 0), 0);
    ring_wake(r);
    assert_int_equal(poll(&p, 1, 0), 1);
    expect(r, 0);
    expect_none(r); /* takes the wake-up back */
    assert_int_equal(poll(&p, 1, 0), 0);
    ring_close(r, true);
}

enum { THREAD_RECORDS = 60000 };
static void *produce(void *user)
{
    for (uint32_t n = 0; n < THREAD_RECORDS;) {
        if (put(user, n) == 0)
            n++;
        else
            sched_yield();
        if (n % 64 == 0) ring_wake(user);
    }
    ring_wake(user);
    return NULL;
}

static void test_threads(void **state)
{
    struct ring *r = make(*state, 1 << 16);
    pthread_t producer;
    struct record_header h;
    const void *payload;
    struct ring_counters c;
    assert_int_equal(pthread_create(&producer, NULL, produce, r), 0);
    for (uint32_t n = 0; n < THREAD_RECORDS;) {
        const int rc = ring_peek(r, &h, &payload);
        if (rc == -EAGAIN) {
            ring_consume(r);
            struct pollfd p = {.fd = ring_fd(r), .events = POLLIN};
            poll(&p, 1, 10);
            continue;
        }
        assert_int_equal(rc, 0);
        assert_true(is_record(&h, payload, n++));
        if (n % 7 == 0) ring_consume(r);
        ring_counters(r, &c);
        assert_true(c.used_bytes <= c.capacity_bytes);
    }
    pthread_join(producer, NULL);
    ring_consume(r);
    expect_none(r);
    ring_close(r, true);
}

/* A child that puts records until it is killed; the first `quiet` of them before it says so. */
static pid_t dying(const struct place *p, uint32_t quiet, int *ret_ready)
{
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    const pid_t child = fork();
    if (child == 0) {
        struct ring *r;
        if (ring_create(p->folder, "test", 1 << 22, &r)) _exit(1);
        uint32_t n = 0;
        while (n < quiet)
            if (put(r, n))
                _exit(1);
            else
                n++;
        if (write(ready[1], "", 1) != 1) _exit(1);
        for (;;)
            if (put(r, n) == 0) n++;
    }
    close(ready[1]);
    *ret_ready = ready[0];
    return child;
}

static void test_killed(void **state)
{
    struct place *p = *state;
    struct ring *r;
    char byte;
    int ready, status;
    const pid_t child = dying(p, 100, &ready);
    assert_int_equal(read(ready, &byte, 1), 1);
    close(ready);
    assert_int_equal(ring_open(p->path, &r), -EBUSY);
    assert_int_equal(ring_create(p->folder, "test", 4096, &r), -EBUSY);
    kill(child, SIGKILL);
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));

    assert_int_equal(ring_create(p->folder, "test", 4096, &r), -EEXIST);
    assert_int_equal(ring_open(p->path, &r), 0);
    struct record_header h;
    const void *payload;
    uint32_t n = 0;
    int rc;
    for (; (rc = ring_peek(r, &h, &payload)) == 0; n++) assert_true(is_record(&h, payload, n));
    assert_int_equal(rc, -EAGAIN); /* no half record */
    assert_true(n >= 100);
    ring_close(r, false); /* not consumed: still there */
    assert_int_equal(ring_open(p->path, &r), 0);
    for (uint32_t i = 0; i < n; i++) expect(r, i);
    ring_consume(r);
    ring_close(r, false);
    r = make(p, 4096); /* empty: used again, in another size */
    struct ring_counters c;
    ring_counters(r, &c);
    assert_int_equal(c.capacity_bytes, 4096);
    expect_none(r);
    ring_close(r, true);
}

static void scribble(const char *path, off_t at, const void *bytes, size_t n)
{
    const int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(pwrite(fd, bytes, n, at), n);
    close(fd);
}

static void flip(const char *path, off_t at)
{
    uint8_t byte;
    const int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte = (uint8_t)~byte;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

static void test_damaged(void **state)
{
    struct place *p = *state;
    for (off_t bad = 0; bad < 40 + 152; bad++) { /* every byte of the second record's header and payload */
        struct ring *r = make(p, 8192);
        const struct record_header h = {.type = RECORD_MARK};
        static const uint8_t bytes[152];
        for (uint64_t i = 0; i < 4; i++)
            assert_int_equal(ring_put(r, &(struct record_header){.type = h.type, .sample = i}, bytes, sizeof bytes, NULL, 0),
                             0);
        ring_close(r, false);
        flip(p->path, 4096 + 192 + bad);

        struct record_header got;
        const void *payload;
        assert_int_equal(ring_open(p->path, &r), 0);
        assert_int_equal(ring_peek(r, &got, &payload), 0);
        assert_int_equal(ring_peek(r, &got, &payload), -EBADMSG);
        for (uint64_t i = 2; i < 4; i++) {
            assert_int_equal(ring_peek(r, &got, &payload), 0);
            assert_int_equal(got.sample, i);
        }
        assert_int_equal(ring_peek(r, &got, &payload), -EAGAIN);
        ring_consume(r);
        ring_close(r, true);
    }
}

static void test_not_a_ring(void **state)
{
    struct place *p = *state;
    struct ring *r;
    struct stat st;
    char text[8192];
    assert_int_equal(ring_open(p->path, &r), -ENOENT);
    memset(text, 'x', sizeof text);
    scribble(p->path, 0, text, sizeof text);
    assert_int_equal(ring_open(p->path, &r), -EPROTO);
    assert_int_equal(ring_create(p->folder, "test", 4096, &r), -EPROTO);
    assert_int_equal(stat(p->path, &st), 0);
    assert_int_equal(st.st_size, sizeof text); /* somebody's file is left alone */
    unlink(p->path);

    struct ring *whole = make(p, 4096);
    assert_int_equal(put(whole, 0), 0);
    ring_close(whole, false);
    assert_int_equal(truncate(p->path, 5000), 0);
    assert_int_equal(ring_open(p->path, &r), -EPROTO);
    unlink(p->path);
    memset(text, 0, sizeof text); /* killed while it was being made */
    scribble(p->path, 0, text, sizeof text);
    ring_close(make(p, 4096), true);
}

static void test_no_room(void **state)
{
    struct place *p = *state;
    struct ring *r;
    struct rlimit was, small = {.rlim_cur = 65536};
    getrlimit(RLIMIT_FSIZE, &was);
    small.rlim_max = was.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &small);
    const int rc = ring_create(p->folder, "test", 1 << 20, &r);
    setrlimit(RLIMIT_FSIZE, &was);
    assert_int_equal(rc, -EFBIG);
    assert_int_equal(access(p->path, F_OK), -1); /* what was allocated is given back */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip),   TEST(test_wraps),      TEST(test_full),    TEST(test_too_large),
        TEST(test_peeked_again), TEST(test_wake),       TEST(test_threads), TEST(test_killed),
        TEST(test_damaged),      TEST(test_not_a_ring), TEST(test_no_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
