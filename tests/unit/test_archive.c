/* The archive: what goes in comes out, once, with its losses; live readers, a killed writer. */
#include "archive_run.h"
#include <fcntl.h>
#include <hdf5.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

static void test_round_trip(void **state)
{
    const struct place *p = *state;
    struct archive_account a;
    write_all(p, p->path, ARCHIVE_SEALED);
    assert_all(p->path, &p->f);
    if (verify(p->path, &a)) fail_msg("%s", breaches);
    assert_true(a.sealed);
    assert_int_equal(a.plates, 2);
    assert_int_equal(a.plate[0].rows + a.plate[0].missing, a.plate[0].span);
    assert_int_equal(a.plate[0].estimated, 30);
    assert_int_equal(a.plate[1].estimated, 0);
    assert_int_equal(a.plate[1].gaps, 1);
    for (unsigned i = 0; i < PLATE_GAP_REASONS; i++) assert_non_null(plate_gap_reason_name((enum plate_gap_reason)i));
    archive_close(NULL, NULL);
    archive_reader_close(NULL);
}

static void test_live_file(void **state)
{
    const struct place *p = *state;
    struct archive_account a;
    write_all(p, p->path, ARCHIVE_LIVE);
    assert_all(p->path, &p->f);
    if (verify(p->path, &a)) fail_msg("%s", breaches);
    assert_false(a.sealed);
}

static void test_replay_is_idempotent(void **state)
{
    struct place *p = *state;
    write_all(p, p->path, ARCHIVE_SEALED);
    struct archive_writer *w = create(p, p->other, ARCHIVE_SEALED);
    for (unsigned i = 1; i < p->f.records; i++) { /* each record again with all before it */
        write_some(w, &p->f, 1, i + 1);
    }
    assert_int_equal(archive_close(w, &why), 0);
    assert_same_digest(p->path, p->other);

    w = create(p, p->other, ARCHIVE_SEALED); /* blocks and gaps that are not numbered are known by their samples */
    write_some(w, &p->f, 1, UINT32_MAX);
    for (unsigned i = 1; i < p->f.records; i++) {
        struct record_header h = p->f.record[i].h;
        h.lsn = 0;
        if (h.type == RECORD_BLOCK || h.type == RECORD_GAP || h.type == RECORD_END)
            assert_int_equal(archive_write(w, &h, &p->f.record[i].u, &why), 0);
    }
    assert_int_equal(archive_close(w, &why), 0);
    assert_same_digest(p->path, p->other);
}

static void write_block(struct archive_writer *w, unsigned plate, uint64_t sample, unsigned rows, unsigned cells)
{
    int32_t counts[FIXTURE_ROWS * PLATE_MAX_CELLS];
    for (unsigned i = 0; i < rows * cells; i++) counts[i] = fixture_count(plate, sample + i / cells, i % cells);
    const struct record_header h = {.type = RECORD_BLOCK, .plate = (uint16_t)plate, .sample = sample, .size = rows * cells * 4};
    assert_int_equal(archive_write(w, &h, counts, &why), 0);
}

static void write_gap(struct archive_writer *w, uint64_t sample, uint64_t count)
{
    const struct plate_gap gap = {sample, count, PLATE_GAP_TIME, true};
    const struct record_header h = {.type = RECORD_GAP, .plate = 1, .sample = sample, .size = sizeof gap};
    assert_int_equal(archive_write(w, &h, &gap, &why), 0);
}

static void test_losses_have_a_place(void **state)
{
    const struct place *p = *state;
    struct archive_writer *w = create(p, p->path, ARCHIVE_SEALED);
    write_block(w, 1, 0, 10, 1);
    write_block(w, 1, 5, 10, 1);  /* overlaps: five are new */
    write_block(w, 1, 20, 10, 1); /* 15..19 never came: overrun */
    write_gap(w, 25, 15);         /* 30..39 are missing, the rest of it is there */
    write_gap(w, 45, 5);          /* 40..44 nobody accounts for, then 45..49 */
    write_block(w, 1, 50, 5, 1);
    write_block(w, 1, 58, 0, 1); /* nothing, said of a place further on: says nothing */
    write_gap(w, 58, 0);
    const uint64_t spans[] = {7, 60};
    const struct record_header end = {.type = RECORD_END, .size = sizeof spans};
    assert_int_equal(archive_write(w, &end, spans, &why), 0);
    assert_int_equal(archive_close(w, &why), 0);

    static const struct archive_gap want[] = {
        {15, {15, 5, PLATE_GAP_OVERRUN, false}}, {25, {30, 10, PLATE_GAP_TIME, true}},
        {25, {40, 5, PLATE_GAP_OVERRUN, false}}, {25, {45, 5, PLATE_GAP_TIME, true}},
        {30, {55, 5, PLATE_GAP_OVERRUN, false}},
    };
    struct archive_reader *r = open_archive(p->path);
    struct archive_gap *gap;
    uint64_t span;
    size_t n;
    assert_int_equal(archive_gaps(r, 1, &gap, &n, &why), 0);
    assert_int_equal(n, 5);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(gap[i].row, want[i].row);
        assert_int_equal(gap[i].gap.sample, want[i].gap.sample);
        assert_int_equal(gap[i].gap.count, want[i].gap.count);
        assert_int_equal(gap[i].gap.reason, want[i].gap.reason);
        assert_int_equal(gap[i].gap.estimated, want[i].gap.estimated);
    }
    free(gap);
    assert_counts(r, 1, 0, 0, 15);
    assert_counts(r, 1, 15, 20, 10);
    assert_counts(r, 1, 25, 50, 5);
    assert_int_equal(archive_span(r, 0, &span, &why), 0);
    assert_int_equal(span, 7);
    archive_reader_close(r);
}

static void test_misfits_are_refused(void **state)
{
    const struct place *p = *state;
    static const uint8_t bytes[4096];
    struct archive_writer *w = create(p, p->path, ARCHIVE_LIVE);
    for (uint16_t type = 0; type <= RECORD_TYPES; type++)
        for (uint16_t plate = 0; plate < 5; plate++) {
            if (plate < 2 && type == RECORD_BLOCK) continue;
            const struct record_header h = {.type = type, .plate = plate, .size = 17};
            assert_int_equal(archive_write(w, &h, bytes, &why), -EINVAL);
        }
    const struct record_header far_away = {.type = RECORD_BLOCK, .size = 16, .sample = UINT64_MAX - 1};
    assert_int_equal(archive_write(w, &far_away, bytes, &why), -EINVAL);
    struct plate_gap gap = {.sample = 0, .count = UINT64_MAX};
    const struct record_header h = {.type = RECORD_GAP, .size = sizeof gap};
    assert_int_equal(archive_write(w, &h, &gap, &why), -EINVAL);
    gap = (struct plate_gap){.count = 1, .reason = PLATE_GAP_REASONS};
    assert_int_equal(archive_write(w, &h, &gap, &why), -EINVAL);
    struct plate_rep rep = {.findings = PLATE_MAX_FINDINGS + 1};
    const struct record_header rep_header = {.type = RECORD_REP, .size = sizeof rep};
    assert_int_equal(archive_write(w, &rep_header, &rep, &why), -EINVAL);
    assert_int_equal(archive_close(w, &why), 0);

    struct recording big = p->f.recording;
    struct archive_writer *none;
    big.config = malloc(70000);
    memset(big.config, '#', 69999);
    big.config[69999] = '\0';
    assert_int_equal(archive_create(p->other, ARCHIVE_LIVE, &big, &none, &why), -E2BIG);
    big.config[60000] = '\0'; /* the largest that fits */
    assert_int_equal(archive_create(p->other, ARCHIVE_LIVE, &big, &none, &why), 0);
    assert_int_equal(archive_close(none, &why), 0);
    free(big.config);
    big = p->f.recording;
    strcpy(big.plate[1].name, "a/b");
    assert_int_equal(archive_create(p->other, ARCHIVE_LIVE, &big, &none, &why), -EINVAL);
    assert_int_equal(archive_create("/nonexistent/x.h5", ARCHIVE_LIVE, &p->f.recording, &none, &why), -ENOENT);
}

/* A second process reads while the file grows. */
static int follow(const char *path, int parent)
{
    struct archive_reader *r;
    struct archive_gap *gap;
    int32_t counts[10 * 4];
    uint64_t rows = 0;
    size_t n;
    char byte;
    if (read(parent, &byte, 1) != 1 || archive_open(path, &r, &why)) return 1;
    while (read(parent, &byte, 1) == 1) {
        if (archive_refresh(r, &why) || archive_rows(r, 0) < rows + 10) return 2;
        rows = archive_rows(r, 0);
        if (archive_counts(r, 0, rows - 10, 10, counts, &why)) return 3;
        for (unsigned i = 0; i < 40; i++) /* a gap of one before every ten */
            if (counts[i] != fixture_count(0, rows / 10 * 11 - 10 + i / 4, i % 4)) return 4;
        if (archive_gaps(r, 0, &gap, &n, &why) || n < rows / 10) return 5;
        free(gap);
        if (write(parent, "", 1) != 1) return 7;
    }
    archive_reader_close(r);
    return rows == 1000 ? 0 : 6;
}

static void test_live_reading(void **state)
{
    const struct place *p = *state;
    int tell[2], status;
    char byte;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, tell), 0);
    const pid_t child = fork();
    if (child == 0) {
        close(tell[1]);
        _exit(follow(p->path, tell[0]));
    }
    close(tell[0]);
    signal(SIGPIPE, SIG_IGN);
    struct archive_writer *w = create(p, p->path, ARCHIVE_LIVE), *second;
    assert_int_equal(archive_flush(w), 0);
    assert_int_equal(write(tell[1], "", 1), 1);
    for (uint64_t sample = 1; sample < 1100; sample += 11) {
        write_block(w, 0, sample, 10, 4);
        assert_int_equal(archive_flush(w), 0);
        assert_int_equal(write(tell[1], "", 1), 1);
        assert_int_equal(read(tell[1], &byte, 1), 1);
    }
    close(tell[1]);
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(archive_create(p->path, ARCHIVE_LIVE, &p->f.recording, &second, &why), -EBUSY);
    assert_int_equal(archive_close(w, &why), 0);
}

/* What is left of a live file whose writer was killed. */
static void test_killed_writer(void **state)
{
    const struct place *p = *state;
    int status;
    const pid_t child = fork();
    if (child == 0) {
        struct archive_writer *w = create(p, p->path, ARCHIVE_LIVE);
        write_some(w, &p->f, 1, UINT32_MAX);
        archive_flush(w);
        raise(SIGKILL);
    }
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    assert_all(p->path, &p->f);
    struct archive_account a;
    if (verify(p->path, &a)) fail_msg("%s", breaches);
    write_all(p, p->path, ARCHIVE_SEALED); /* its lock file bars nobody */
}

static void test_sealed_is_an_ordinary_file(void **state)
{
    const struct place *p = *state;
    write_all(p, p->path, ARCHIVE_SEALED);
    const hid_t file = H5Fopen(p->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    const hid_t counts = H5Dopen2(file, "/plates/left/counts", H5P_DEFAULT);
    const hid_t how = H5Dget_create_plist(counts);
    assert_int_equal(H5Pget_nfilters(how), 3);
    H5Pclose(how);
    H5Dclose(counts);
    H5Fclose(file);
    uint8_t head[9];
    const int fd = open(p->path, O_RDONLY);
    assert_int_equal(read(fd, head, sizeof head), sizeof head);
    close(fd);
    assert_int_equal(head[8], 2); /* superblock version: HDF5 1.8 of 2008 and all later ones */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip),           TEST(test_live_file),
        TEST(test_replay_is_idempotent), TEST(test_losses_have_a_place),
        TEST(test_misfits_are_refused),  TEST(test_live_reading),
        TEST(test_killed_writer),        TEST(test_sealed_is_an_ordinary_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
