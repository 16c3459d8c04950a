#define _GNU_SOURCE /* asprintf */
#include "archive_layout.h"
#include "journal.h"
#include "ring.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- one writer at a time ---- */

int archive_lock(const char *path, char **ret_path, int *ret_fd, struct archive_error *ret_error)
{
    char *lock_path;
    if (asprintf(&lock_path, "%s.lock", path) < 0) return archive_fail(ret_error, -ENOMEM, "%s", path);
    int rc = -EAGAIN;
    while (rc == -EAGAIN) {
        struct stat a, b;
        const int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
        if (fd < 0)
            rc = -errno;
        else if (flock(fd, LOCK_EX | LOCK_NB) < 0)
            rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
        else if (fstat(fd, &a) == 0 && stat(lock_path, &b) == 0 && a.st_ino == b.st_ino) {
            *ret_fd = fd;
            *ret_path = lock_path;
            return 0;
        }
        if (fd >= 0) close(fd); /* -EAGAIN: the one before us unlinked it between our open and our lock */
    }
    free(lock_path);
    if (rc == -EBUSY) return archive_fail(ret_error, rc, "%s: somebody is writing it: stop that first", path);
    return archive_fail(ret_error, rc, "%s.lock: %s", path, strerror(-rc));
}

void archive_unlock(char *lock_path, int fd)
{
    if (fd < 0) return;
    unlink(lock_path);
    close(fd);
    free(lock_path);
}

/* ---- sealing ---- */

enum { SEAL_RECORDS_A_BEAT = 64 };

/* What is under way while journal and ring become a file. */
struct sealing {
    const char *path, *tmp;
    struct archive_writer *writer; /* NULL until the BEGIN record */
    uint64_t last_lsn;
    uint64_t rows[PLATE_MAX_PLATES];
    int64_t created_utc_ns;
    bool same_schema, any, ended;
    const struct archive_pulse *pulse;
    unsigned records; /* since the last beat */
};

static bool derived(uint16_t type)
{
    return type == RECORD_REP || type == RECORD_SET || type == RECORD_ASYMMETRY || type == RECORD_IMBALANCE ||
           type == RECORD_CORRECTION;
}

static int seal_begin(struct sealing *s, const struct record_header *h, const void *payload, struct archive_error *ret_error)
{
    struct recording rec;
    const int bad = recording_from_json(payload, h->size, &rec);
    if (bad < 0) return archive_fail(ret_error, bad, "%s: its BEGIN record cannot be read", s->path);
    s->created_utc_ns = rec.created_utc_ns;
    const int rc = archive_create(s->tmp, ARCHIVE_SEALED, &rec, &s->writer, ret_error);
    recording_done(&rec);
    return rc;
}

static int seal_record(struct sealing *s, const struct record_header *h, const void *payload, struct archive_error *ret_error)
{
    if (s->ended || (h->lsn && s->any && h->lsn <= s->last_lsn)) return 0;
    if (++s->records % SEAL_RECORDS_A_BEAT == 0) archive_beat(s->pulse);
    if (h->type == RECORD_BEGIN) {
        if (s->writer) { /* the next recording */
            s->ended = true;
            return 0;
        }
        const int rc = seal_begin(s, h, payload, ret_error);
        if (rc < 0) return rc;
    } else if (!s->writer) {
        return 0; /* the rest of an earlier recording */
    } else if (s->same_schema || !derived(h->type)) {
        const int rc = archive_write(s->writer, h, payload, ret_error);
        /* a record that does not fit costs itself, not the recording */
        if (rc < 0 && rc != -EINVAL) return rc;
    }
    s->any = true;
    if (h->lsn) s->last_lsn = h->lsn; /* what a later part says again has no number */
    s->ended = h->type == RECORD_END || h->type == RECORD_NEXT;
    return 0;
}

static int seal_journal(struct sealing *s, const char *journal_path, struct archive_error *ret_error)
{
    struct journal_reader *j;
    int rc = journal_open(journal_path, &j, &s->same_schema);
    if (rc == -EPROTO) return archive_fail(ret_error, rc, "%s: not a journal of this version", journal_path);
    if (rc < 0) return archive_fail(ret_error, rc, "%s: %s", journal_path, strerror(-rc));
    while (rc == 0 && !s->ended) {
        struct record_header h;
        const void *payload;
        rc = journal_next(j, &h, &payload);
        if (rc == 0)
            rc = seal_record(s, &h, payload, ret_error);
        else if (rc != -ENODATA)
            rc = archive_fail(ret_error, rc, "%s: %s", journal_path, strerror(-rc));
    }
    journal_reader_close(j);
    return rc == -ENODATA ? 0 : rc;
}

static int seal_ring(struct sealing *s, struct ring *ring, struct archive_error *ret_error)
{
    if (!s->any) s->same_schema = ring_same_schema(ring);
    for (bool first = true; !s->ended; first = false) {
        struct record_header h;
        const void *payload;
        int rc = ring_peek(ring, &h, &payload);
        if (rc == -EAGAIN) break;
        if (rc == -EBADMSG) continue;
        if (first && s->any && h.lsn > s->last_lsn + 1) break; /* it does not go on where the journal stops: another's */
        rc = seal_record(s, &h, payload, ret_error);
        if (rc < 0) return rc;
    }
    return 0;
}

/* What was written is what is read. */
static int check_sealed(const struct sealing *s, struct archive_error *ret_error)
{
    struct archive_reader *r;
    int rc = archive_open_part(s->tmp, &r, ret_error);
    if (rc < 0) return rc;
    rc = archive_check_digest(r, s->pulse, ret_error);
    for (unsigned i = 0; rc == 0 && i < archive_recording(r)->plates; i++)
        if (archive_rows(r, i) != s->rows[i])
            rc = archive_fail(ret_error, -EIO, "%s: plate %u has %" PRIu64 " rows, not the %" PRIu64 " written", s->tmp, i,
                              archive_rows(r, i), s->rows[i]);
    archive_reader_close(r);
    return rc;
}

int archive_put_in_place(const char *tmp, const char *path, const struct archive_pulse *pulse, struct archive_error *ret_error)
{
    int rc = archive_footer_write(tmp, pulse);
    if (rc < 0) return archive_fail(ret_error, rc, "%s: %s", tmp, strerror(-rc));
    if (rename(tmp, path) < 0) return archive_fail(ret_error, -errno, "%s: %m", path);
    rc = journal_sync_folder(path);
    return rc < 0 ? archive_fail(ret_error, rc, "%s: its folder: %s", path, strerror(-rc)) : 0;
}

/* Of the two kinds of files, live and sealed, only the live one has the superblock that SWMR needs. Looked at without HDF5,
 * which leaks memory where it gives up on what a power cut has left of a live file. */
static bool may_be_sealed(const char *path)
{
    static const unsigned char signature[] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
    enum { OF_SWMR = 3 };
    unsigned char head[sizeof signature + 1] = {0};
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    const bool whole = fd >= 0 && read(fd, head, sizeof head) == (ssize_t)sizeof head;
    if (fd >= 0) close(fd);
    return whole && memcmp(head, signature, sizeof signature) == 0 && head[sizeof signature] < OF_SWMR;
}

/* Sealed by an earlier run that died before its journal was dropped; it may have corrections since. */
static bool sealed_already(const struct sealing *s)
{
    struct archive_reader *r;
    struct archive_info info;
    if (!may_be_sealed(s->path) || archive_open_part(s->path, &r, NULL) < 0) return false;
    archive_info(r, &info);
    bool same = info.sealed && archive_recording(r)->created_utc_ns == s->created_utc_ns &&
                archive_check_digest(r, s->pulse, NULL) == 0;
    for (unsigned i = 0; same && i < archive_recording(r)->plates; i++) same = archive_rows(r, i) >= s->rows[i];
    archive_reader_close(r);
    return same;
}

static int seal_into(struct sealing *s, const char *journal_path, struct ring *ring, struct archive_error *ret_error)
{
    int rc = journal_path ? seal_journal(s, journal_path, ret_error) : 0;
    if (rc == 0 && ring && !s->ended) rc = seal_ring(s, ring, ret_error);
    if (rc == 0 && !s->writer) rc = archive_fail(ret_error, -ENODATA, "%s: there is no recording to seal", s->path);
    if (rc < 0) return rc;
    for (unsigned i = 0; i < PLATE_MAX_PLATES; i++) s->rows[i] = archive_written_rows(s->writer, i);
    archive_beat_while_closing(s->writer, s->pulse);
    rc = archive_close(s->writer, ret_error);
    s->writer = NULL;
    if (rc == 0) rc = check_sealed(s, ret_error);
    if (rc < 0) return rc;
    if (sealed_already(s)) return unlink(s->tmp) < 0 ? archive_fail(ret_error, -errno, "%s: %m", s->tmp) : 0;
    return archive_put_in_place(s->tmp, s->path, s->pulse, ret_error);
}

int archive_seal(const char *journal_path, struct ring *ring, const char *path, const struct archive_pulse *pulse,
                 struct archive_error *ret_error)
{
    char *tmp, *lock_path = NULL;
    int lock_fd = -1;
    if (asprintf(&tmp, "%s.tmp", path) < 0) return archive_fail(ret_error, -ENOMEM, "%s", path);
    int rc = archive_lock(path, &lock_path, &lock_fd, ret_error);
    if (rc == 0) {
        struct sealing s = {.path = path, .tmp = tmp, .pulse = pulse};
        rc = seal_into(&s, journal_path, ring, ret_error);
        archive_abandon(s.writer);
        if (rc < 0) {
            (void)!truncate(tmp, 0); /* HDF5 keeps a file open that it could not close: its room is wanted back all the same */
            unlink(tmp);
        }
    }
    archive_unlock(lock_path, lock_fd);
    free(tmp);
    return rc;
}
