/* The journal: what is torn, damaged or refused by the disk, and what is left of it. */
#include "journal.h"
#include "store_fixture.h"
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { HEAD = 512, RECORDS = 6 };
struct place {
    char *folder;
    char path[600], copy[600];
};

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    p->folder = fixture_folder();
    if (!*p->folder) return -1;
    snprintf(p->path, sizeof p->path, "%s/a.journal", p->folder);
    snprintf(p->copy, sizeof p->copy, "%s/b.journal", p->folder);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    unlink(p->path);
    unlink(p->copy);
    const int rc = rmdir(p->folder);
    free(p->folder);
    free(p);
    return rc;
}

static size_t payload_size(uint64_t n) { return n * 13 % 41; }

static int append(struct journal *j, uint64_t n, size_t size)
{
    uint8_t *bytes = malloc(size + 1);
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)(n + i);
    struct record_header h = {.magic = RECORD_MAGIC, .type = RECORD_MARK, .size = (uint32_t)size, .lsn = n, .sample = n * 2};
    h.crc = record_crc(&h, bytes);
    const int rc = journal_append(j, &h, bytes);
    free(bytes);
    return rc;
}

/* Reads all of it; the lsn of record i goes to ret_lsn. */
static unsigned read_all(const char *path, uint64_t *ret_lsn, uint64_t *ret_torn)
{
    struct journal_reader *j;
    struct record_header h;
    const void *payload;
    bool same;
    unsigned n = 0;
    int rc;
    assert_int_equal(journal_open(path, &j, &same), 0);
    assert_true(same);
    while ((rc = journal_next(j, &h, &payload)) == 0) {
        for (size_t i = 0; i < h.size; i++) assert_int_equal(((const uint8_t *)payload)[i], (uint8_t)(h.lsn + i));
        if (n < RECORDS) ret_lsn[n] = h.lsn;
        n++;
    }
    assert_int_equal(rc, -ENODATA);
    *ret_torn = journal_torn_bytes(j);
    journal_reader_close(j);
    return n;
}

static size_t make(const struct place *p, uint8_t *ret_bytes, size_t size)
{
    struct journal *j;
    assert_int_equal(journal_create(p->path, "/run/plated/x.ring", &j), 0);
    for (uint64_t n = 0; n < RECORDS; n++) assert_int_equal(append(j, n, payload_size(n)), 0);
    assert_int_equal(journal_sync(j), 0);
    const uint64_t bytes = journal_bytes(j);
    journal_close(j);
    const int fd = open(p->path, O_RDONLY);
    assert_int_equal(read(fd, ret_bytes, size), bytes);
    close(fd);
    return bytes;
}

static void write_copy(const struct place *p, const uint8_t *bytes, size_t n)
{
    const int fd = open(p->copy, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, bytes, n), n);
    close(fd);
}

static void test_round_trip(void **state)
{
    const struct place *p = *state;
    struct journal *j;
    struct journal_reader *r;
    uint8_t bytes[4096];
    uint64_t lsn[RECORDS], torn;
    bool same;
    make(p, bytes, sizeof bytes);
    assert_int_equal(journal_create(p->path, "", &j), -EEXIST);
    assert_int_equal(read_all(p->path, lsn, &torn), RECORDS);
    assert_int_equal(torn, 0);
    assert_int_equal(journal_open(p->path, &r, &same), 0);
    assert_string_equal(journal_ring_path(r), "/run/plated/x.ring");
    journal_reader_close(r);
    journal_reader_close(NULL);
    journal_close(NULL);
}

static void test_long_ring_path(void **state)
{
    const struct place *p = *state;
    struct journal *j;
    struct journal_reader *r;
    char path[1000];
    bool same;
    memset(path, 'r', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(journal_create(p->path, path, &j), 0);
    journal_close(j);
    assert_int_equal(journal_open(p->path, &r, &same), 0);
    assert_true(strlen(journal_ring_path(r)) > 256);
    assert_memory_equal(journal_ring_path(r), path, strlen(journal_ring_path(r)));
    journal_reader_close(r);
}

static void test_torn_anywhere(void **state)
{
    const struct place *p = *state;
    uint8_t bytes[4096];
    uint64_t lsn[RECORDS], torn;
    const size_t size = make(p, bytes, sizeof bytes);
    for (size_t n = 0; n <= size; n++) {
        write_copy(p, bytes, n);
        struct journal_reader *j;
        bool same;
        if (n < HEAD) {
            assert_int_equal(journal_open(p->copy, &j, &same), -EPROTO);
            continue;
        }
        unsigned whole = 0;
        size_t end = HEAD;
        while (whole < RECORDS && end + record_padded((uint32_t)payload_size(whole)) <= n)
            end += record_padded((uint32_t)payload_size(whole++));
        if (n == size) end = size; /* the mark of the sync */
        assert_int_equal(read_all(p->copy, lsn, &torn), whole);
        assert_int_equal(torn, n - end);
        for (unsigned i = 0; i < whole; i++) assert_int_equal(lsn[i], i);
    }
}

static void test_damaged_anywhere(void **state)
{
    const struct place *p = *state;
    uint8_t bytes[4096];
    uint64_t lsn[RECORDS], torn;
    const size_t size = make(p, bytes, sizeof bytes);
    size_t start = HEAD;
    for (unsigned bad = 0; bad < RECORDS; bad++) {
        const size_t unpadded = sizeof(struct record_header) + payload_size(bad);
        for (size_t at = 0; at < unpadded; at++) {
            bytes[start + at] ^= 0x41;
            write_copy(p, bytes, size);
            bytes[start + at] ^= 0x41;
            assert_int_equal(read_all(p->copy, lsn, &torn), RECORDS - 1); /* only what was hit is lost */
            assert_int_equal(torn, record_padded((uint32_t)payload_size(bad)));
            for (unsigned i = 0; i + 1 < RECORDS; i++) assert_int_equal(lsn[i], i < bad ? i : i + 1);
        }
        start += record_padded((uint32_t)payload_size(bad));
    }
    struct journal_reader *j;
    bool same;
    for (size_t at = 0; at < HEAD; at++) { /* the head: refused, or of another schema, which is said */
        bytes[at] ^= 0x41;
        write_copy(p, bytes, size);
        bytes[at] ^= 0x41;
        const int rc = journal_open(p->copy, &j, &same);
        if (at >= 12 && at < 16) {
            assert_int_equal(rc, 0);
            assert_false(same);
            journal_reader_close(j);
        } else {
            assert_int_equal(rc, -EPROTO);
        }
    }
}

/* What a power cut leaves: a hole in what was written after the last sync. Nobody knows what else is missing behind it. */
static void test_a_hole_behind_the_last_sync_ends_it(void **state)
{
    const struct place *p = *state;
    uint8_t bytes[4096];
    uint64_t lsn[RECORDS], torn;
    struct journal *j;
    assert_int_equal(journal_create(p->path, "", &j), 0);
    for (uint64_t n = 0; n < RECORDS; n++) {
        assert_int_equal(append(j, n, 40), 0);
        if (n == 2) assert_int_equal(journal_sync(j), 0);
    }
    const size_t size = journal_bytes(j), record = record_padded(40), mark = record_padded(8);
    const int fd = open(p->path, O_RDONLY);
    assert_int_equal(read(fd, bytes, sizeof bytes), size); /* without the mark that closing adds */
    close(fd);
    journal_close(j);
    for (unsigned bad = 0; bad < RECORDS; bad++) {
        const size_t at = HEAD + bad * record + (bad > 2 ? mark : 0);
        bytes[at + 50] ^= 1;
        write_copy(p, bytes, size);
        bytes[at + 50] ^= 1;
        assert_int_equal(read_all(p->copy, lsn, &torn), bad > 2 ? bad : RECORDS - 1);
        assert_int_equal(torn, bad > 2 ? size - at : record);
    }
}

static void test_large_records(void **state)
{
    const struct place *p = *state;
    struct journal *j;
    uint64_t lsn[RECORDS], torn;
    assert_int_equal(journal_create(p->path, "", &j), 0);
    for (uint64_t n = 0; n < 4; n++) {
        assert_int_equal(append(j, 2 * n, RECORD_MAX_PAYLOAD - n), 0);
        assert_int_equal(append(j, 2 * n + 1, n), 0);
    }
    journal_close(j);
    assert_int_equal(read_all(p->path, lsn, &torn), 8);
    assert_int_equal(torn, 0);
}

/* The disk is full in the middle of a record; later there is room again. */
static void test_no_room(void **state)
{
    const struct place *p = *state;
    struct journal *j;
    struct stat st;
    struct rlimit was;
    uint64_t lsn[RECORDS], torn;
    getrlimit(RLIMIT_FSIZE, &was);
    signal(SIGXFSZ, SIG_IGN);
    static const rlim_t rooms[] = {0, 1, 39, 40, 41, 100, 139, 143}; /* of the 144 that a record takes */
    for (unsigned i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        assert_int_equal(journal_create(p->path, "", &j), 0);
        assert_int_equal(append(j, 0, 100), 0);
        const uint64_t before = journal_bytes(j);
        setrlimit(RLIMIT_FSIZE, &(struct rlimit){before + rooms[i], was.rlim_max});
        const int rc = append(j, 1, 100);
        const int again = append(j, 1, 100);
        setrlimit(RLIMIT_FSIZE, &was);
        assert_int_equal(rc, -EFBIG);
        assert_int_equal(again, -EFBIG);
        assert_int_equal(journal_bytes(j), before);
        assert_int_equal(stat(p->path, &st), 0);
        assert_int_equal(st.st_size, before);
        assert_int_equal(append(j, 1, 100), 0);
        assert_int_equal(journal_sync(j), 0);
        journal_close(j);
        assert_int_equal(read_all(p->path, lsn, &torn), 2);
        assert_int_equal(torn, 0);
        unlink(p->path);
    }
}

static void test_not_a_journal(void **state)
{
    const struct place *p = *state;
    struct journal_reader *j;
    bool same;
    assert_int_equal(journal_open(p->path, &j, &same), -ENOENT);
    assert_int_equal(journal_open(p->folder, &j, &same), -EPROTO);
    uint8_t zeros[2 * HEAD] = {0};
    write_copy(p, zeros, sizeof zeros);
    assert_int_equal(journal_open(p->copy, &j, &same), -EPROTO);
    struct journal *w;
    assert_int_equal(journal_create("/nonexistent/x.journal", "", &w), -ENOENT);
}

static void test_recording_json(void **state)
{
    (void)state;
    struct fixture *f = malloc(sizeof *f);
    struct recording back;
    fixture_fill(f);
    char *json = recording_to_json(&f->recording);
    assert_non_null(json);
    assert_int_equal(recording_from_json(json, strlen(json), &back), 0);
    assert_string_equal(back.config, f->recording.config);
    assert_int_equal(back.created_utc_ns, f->recording.created_utc_ns);
    assert_int_equal(back.plates, 2);
    assert_memory_equal(&back.plate[0], &f->recording.plate[0], sizeof back.plate[0]);
    assert_true(isnan(back.plate[1].cell[0].x_mm));
    for (size_t n = 0; n < strlen(json); n++) { /* cut off anywhere, it is refused */
        struct recording none;
        assert_int_equal(recording_from_json(json, n, &none), -EBADMSG);
    }
    free(json);
    recording_done(&back);

    strcpy(f->recording.plate[0].device, "caf\xe9 \xff"); /* a device may call itself anything */
    json = recording_to_json(&f->recording);
    assert_non_null(json);
    assert_int_equal(recording_from_json(json, strlen(json), &back), 0);
    assert_string_equal(back.plate[0].device, "caf? ?");
    free(json);
    recording_done(&back);
    strcpy(f->recording.plate[1].name, "left"); /* two of one name */
    json = recording_to_json(&f->recording);
    assert_int_equal(recording_from_json(json, strlen(json), &back), -EBADMSG);
    free(json);
    fixture_done(f);
    free(f);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip),
        TEST(test_long_ring_path),
        TEST(test_torn_anywhere),
        TEST(test_damaged_anywhere),
        TEST(test_a_hole_behind_the_last_sync_ends_it),
        TEST(test_large_records),
        TEST(test_no_room),
        TEST(test_not_a_journal),
        cmocka_unit_test(test_recording_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
