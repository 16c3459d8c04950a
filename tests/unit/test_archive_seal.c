/* Sealing: from journal and ring to one file, whatever of them is there, and on a full disk. */
#include "archive_run.h"
#include "journal.h"
#include "ring.h"
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void append(struct journal *j, const struct fixture *f, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) assert_int_equal(journal_append(j, &f->record[i].h, &f->record[i].u), 0);
}

static void make_journal(const struct place *p, unsigned to)
{
    struct journal *j;
    unlink(p->journal);
    assert_int_equal(journal_create(p->journal, "", &j), 0);
    append(j, &p->f, 0, to);
    journal_close(j);
}

static void test_seal(void **state)
{
    const struct place *p = *state;
    char tmp[256];
    write_all(p, p->path, ARCHIVE_SEALED);
    make_journal(p, p->f.records);
    if (archive_seal(p->journal, NULL, p->other, NULL, &why)) fail_msg("%s", why.text);
    assert_same_digest(p->path, p->other);
    snprintf(tmp, sizeof tmp, "%s.tmp", p->other);
    assert_int_equal(access(tmp, F_OK), -1);

    struct archive_writer *live = create(p, p->path, ARCHIVE_LIVE); /* over the live file, once its writer is gone */
    assert_int_equal(archive_seal(p->journal, NULL, p->path, NULL, &why), -EBUSY);
    assert_int_equal(archive_close(live, &why), 0);
    assert_int_equal(archive_seal(p->journal, NULL, p->path, NULL, &why), 0);
    assert_same_digest(p->path, p->other);

    struct stat before, after; /* and again: what was sealed, and corrected since, is left alone */
    assert_int_equal(stat(p->path, &before), 0);
    assert_int_equal(archive_seal(p->journal, NULL, p->path, NULL, &why), 0);
    assert_int_equal(stat(p->path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

static void test_seal_what_is_there(void **state)
{
    const struct place *p = *state;
    struct archive_account a;
    make_journal(p, 0);
    assert_int_equal(archive_seal(p->journal, NULL, p->path, NULL, &why), -ENODATA);
    assert_int_equal(access(p->path, F_OK), -1);
    assert_int_equal(archive_seal("/nonexistent", NULL, p->path, NULL, &why), -ENOENT);
    for (unsigned n = 1; n <= p->f.records; n++) { /* killed after any record */
        make_journal(p, n);
        if (archive_seal(p->journal, NULL, p->path, NULL, &why)) fail_msg("%s", why.text);
        const int rc = verify(p->path, &a);
        if (rc && n > 5) fail_msg("after %u records: %s", n, breaches);
        unlink(p->path);
    }
}

/* The ring stamps its own lsn; a journal that was fed from it goes on in it. */
static void through_ring(struct place *p, unsigned consumed, unsigned from_other)
{
    struct ring *ring;
    struct journal *j;
    struct record_header h;
    const void *payload;
    assert_int_equal(ring_create(p->folder, "a", 1 << 20, &ring), 0);
    for (unsigned i = 0; i < from_other; i++) { /* the end of the recording before */
        const struct fixture_record *r = &p->f.record[p->f.records - from_other + i];
        assert_int_equal(ring_put(ring, &r->h, &r->u, r->h.size, NULL, 0), 0);
    }
    for (int recording = 0; recording < 2; recording++) /* this one, and the next */
        for (unsigned i = 0; i < p->f.records - (recording == 0); i++) {
            const struct fixture_record *r = &p->f.record[i];
            assert_int_equal(ring_put(ring, &r->h, &r->u, r->h.size, NULL, 0), 0);
        }
    unlink(p->journal);
    if (consumed) {
        assert_int_equal(journal_create(p->journal, ring_path(ring), &j), 0);
        for (unsigned i = 0; i < from_other; i++) assert_int_equal(ring_peek(ring, &h, &payload), 0);
        for (unsigned i = 0; i < consumed; i++) {
            assert_int_equal(ring_peek(ring, &h, &payload), 0);
            assert_int_equal(journal_append(j, &h, payload), 0);
            if (i + 3 == consumed) ring_consume(ring); /* killed before the last two were consumed */
        }
        journal_close(j);
    }
    char path[300];
    snprintf(path, sizeof path, "%s", ring_path(ring));
    ring_close(ring, false);
    assert_int_equal(ring_open(path, &ring), 0);
    if (archive_seal(consumed ? p->journal : NULL, ring, p->other, NULL, &why)) fail_msg("%s", why.text);
    ring_close(ring, true);
}

static void test_seal_with_ring(void **state)
{
    struct place *p = *state;
    struct archive_writer *w = create(p, p->path, ARCHIVE_SEALED);
    write_some(w, &p->f, 1, p->f.records - 1); /* no END: it was killed */
    assert_int_equal(archive_close(w, &why), 0);
    for (unsigned consumed = 0; consumed < p->f.records - 1; consumed++) {
        through_ring(p, consumed, consumed ? 0 : 4);
        assert_same_digest(p->path, p->other);
        unlink(p->other);
    }
}

static void test_foreign_ring_is_ignored(void **state)
{
    struct place *p = *state;
    struct ring *ring;
    make_journal(p, 8); /* its numbers are no ring's */
    assert_int_equal(archive_seal(p->journal, NULL, p->path, NULL, &why), 0);
    assert_int_equal(ring_create(p->folder, "a", 1 << 20, &ring), 0);
    for (unsigned i = 5; i < p->f.records; i++)
        assert_int_equal(ring_put(ring, &p->f.record[i].h, &p->f.record[i].u, p->f.record[i].h.size, NULL, 0), 0);
    assert_int_equal(archive_seal(p->journal, ring, p->other, NULL, &why), 0);
    ring_close(ring, true);
    assert_same_digest(p->path, p->other);
}

/* No room at any moment: an error, never a half file in place. In a child, as HDF5 keeps what it could not close. */
static void test_full_disk(void **state)
{
    const struct place *p = *state;
    int status;
    char names[2][256];
    struct stat st;
    make_journal(p, p->f.records);
    write_all(p, p->path, ARCHIVE_SEALED);
    assert_int_equal(stat(p->path, &st), 0);
    for (off_t room = 0; room < st.st_size; room += st.st_size / 9) {
        const pid_t child = fork();
        if (child == 0) {
            signal(SIGXFSZ, SIG_IGN);
            setrlimit(RLIMIT_FSIZE, &(struct rlimit){(rlim_t)room, (rlim_t)room});
            _exit(archive_seal(p->journal, NULL, p->other, NULL, &why) == -EFBIG && *why.text ? 0 : 1);
        }
        waitpid(child, &status, 0);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        snprintf(names[0], sizeof names[0], "%s.tmp", p->other);
        snprintf(names[1], sizeof names[1], "%s.tmp.lock", p->other);
        for (int i = 0; i < 2; i++) assert_int_equal(access(names[i], F_OK), -1);
        assert_int_equal(access(p->other, F_OK), -1);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_seal),      TEST(test_seal_what_is_there), TEST(test_seal_with_ring), TEST(test_foreign_ring_is_ignored),
        TEST(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
