#include "journal.h"
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zlib.h>

enum { JOURNAL_VERSION = 1, JOURNAL_HEAD = 512, JOURNAL_READ = 1 << 18 };
static const char journal_magic[8] = "PLDJRNL", capture_magic[8] = "PLDWIRE";

struct journal_head {
    char magic[8];
    uint32_t version, schema;
    uint32_t crc; /* CRC-32 (zlib) of what follows */
    char ring_path[JOURNAL_HEAD - 20];
};
_Static_assert(sizeof(struct journal_head) == JOURNAL_HEAD, "no padding");

static uint32_t head_crc(const struct journal_head *h)
{
    return (uint32_t)crc32(0, (const Bytef *)h->ring_path, sizeof h->ring_path);
}

struct journal {
    int fd;
    uint64_t bytes;  /* whole records end here */
    uint64_t synced; /* and are on the disk up to here */
    uint64_t marked; /* and nothing but a mark that says so is behind that */
};

/* All of it at `at`, or -errno. */
static int write_at(int fd, struct iovec *io, int n, uint64_t at)
{
    while (n) {
        const ssize_t done = pwritev(fd, io, n, (off_t)at);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return -errno;
        if (done == 0) return -EIO;
        at += (uint64_t)done;
        size_t left = (size_t)done;
        for (; n && left >= io->iov_len; io++, n--) left -= io->iov_len;
        if (n) {
            io->iov_base = (char *)io->iov_base + left;
            io->iov_len -= left;
        }
    }
    return 0;
}

int journal_sync_folder(const char *path)
{
    char *copy = strdup(path);
    if (!copy) return -ENOMEM;
    const int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(copy);
    if (fd < 0) return -errno;
    const int rc = fsync(fd) < 0 ? -errno : 0;
    close(fd);
    return rc;
}

static int write_head(struct journal *j, const char *path, const char *magic, const char *ring_path)
{
    struct journal_head h = {.version = JOURNAL_VERSION, .schema = record_schema()};
    memcpy(h.magic, magic, sizeof h.magic);
    memcpy(h.ring_path, ring_path, strnlen(ring_path, sizeof h.ring_path - 1));
    h.crc = head_crc(&h);
    int rc = write_at(j->fd, &(struct iovec){&h, sizeof h}, 1, 0);
    if (!rc && fdatasync(j->fd) < 0) rc = -errno;
    j->bytes = j->synced = j->marked = sizeof h;
    return rc ? rc : journal_sync_folder(path);
}

static int create(const char *path, const char *magic, const char *ring_path, struct journal **ret)
{
    struct journal *j = calloc(1, sizeof *j);
    if (!j) return -ENOMEM;
    j->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (j->fd < 0) {
        const int e = errno;
        free(j);
        return -e;
    }
    const int rc = write_head(j, path, magic, ring_path);
    if (rc < 0) {
        unlink(path);
        journal_close(j);
        return rc;
    }
    *ret = j;
    return 0;
}

int journal_create(const char *path, const char *ring_path, struct journal **ret)
{
    return create(path, journal_magic, ring_path ? ring_path : "", ret);
}

int journal_create_capture(const char *path, struct journal **ret) { return create(path, capture_magic, "", ret); }

int journal_append(struct journal *j, const struct record_header *h, const void *payload)
{
    static const char zeros[8];
    const size_t padding = record_padded(h->size) - sizeof *h - h->size;
    struct iovec io[] = {{(void *)h, sizeof *h}, {(void *)payload, h->size}, {(void *)zeros, padding}};
    const int rc = write_at(j->fd, io, 3, j->bytes);
    if (rc < 0) {
        /* what cannot be cut back is written over by the next record, and is no record until then */
        (void)!ftruncate(j->fd, (off_t)j->bytes);
        return rc;
    }
    j->bytes += record_padded(h->size);
    return 0;
}

/* What follows a mark was written when everything before it was on the disk. A mark that cannot be written is missed by nobody.
 */
static void mark_synced(struct journal *j)
{
    struct record_header h = {.magic = RECORD_MAGIC, .type = RECORD_SYNCED, .size = sizeof j->synced};
    h.crc = record_crc(&h, &j->synced);
    (void)!journal_append(j, &h, &j->synced);
    j->marked = j->bytes;
}

int journal_sync(struct journal *j)
{
    if (fdatasync(j->fd) == 0) {
        j->synced = j->bytes;
        if (j->bytes > j->marked) mark_synced(j);
        return 0;
    }
    const int rc = -errno;
    j->bytes = j->marked = j->synced;
    (void)!ftruncate(j->fd, (off_t)j->bytes); /* as in journal_append */
    return rc;
}

bool journal_reachable(const struct journal *j, const char *path)
{
    struct stat a, b;
    return fstat(j->fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

static int copy(int from, int to, uint64_t n)
{
    char bytes[1 << 16];
    for (uint64_t at = 0; at < n;) {
        const ssize_t got = pread(from, bytes, n - at < sizeof bytes ? (size_t)(n - at) : sizeof bytes, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return got < 0 ? -errno : -EIO;
        const int rc = write_at(to, &(struct iovec){bytes, (size_t)got}, 1, at);
        if (rc < 0) return rc;
        at += (uint64_t)got;
    }
    return 0;
}

int journal_move(struct journal *j, const char *path)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return -errno;
    int rc = copy(j->fd, fd, j->bytes);
    if (rc == 0 && fdatasync(fd) < 0) rc = -errno;
    if (rc == 0) rc = journal_sync_folder(path);
    if (rc < 0) {
        unlink(path);
        close(fd);
        return rc;
    }
    close(j->fd);
    j->fd = fd;
    j->synced = j->bytes;
    return 0;
}

uint64_t journal_bytes(const struct journal *j) { return j->bytes; }

void journal_close(struct journal *j)
{
    if (!j) return;
    journal_sync(j);
    close(j->fd);
    free(j);
}

struct journal_reader {
    int fd;
    struct journal_head head;
    uint8_t *buffer;
    size_t size, start, end; /* allocated; [start, end) is read and not yet handed out; start is a multiple of 8 */
    uint64_t offset;         /* in the file, of `end` */
    uint64_t synced;         /* so much is known to have been on the disk once */
    uint64_t torn;
};

static int open_for_reading(const char *path, const char *magic, struct journal_reader **ret, bool *ret_same_schema)
{
    struct journal_reader *j = calloc(1, sizeof *j);
    if (!j) return -ENOMEM;
    int rc = 0;
    j->size = JOURNAL_READ;
    j->buffer = malloc(j->size);
    j->fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (j->fd < 0 || fstat(j->fd, &st) < 0)
        rc = -errno;
    else if (!j->buffer)
        rc = -ENOMEM;
    else if (!S_ISREG(st.st_mode))
        rc = -EPROTO;
    else {
        const ssize_t n = read(j->fd, &j->head, sizeof j->head);
        if (n < 0)
            rc = -errno;
        else if (n != sizeof j->head || memcmp(j->head.magic, magic, sizeof j->head.magic) != 0 ||
                 j->head.version != JOURNAL_VERSION || j->head.crc != head_crc(&j->head))
            rc = -EPROTO;
    }
    if (rc < 0) {
        journal_reader_close(j);
        return rc;
    }
    j->head.ring_path[sizeof j->head.ring_path - 1] = '\0';
    j->offset = sizeof j->head;
    *ret_same_schema = j->head.schema == record_schema();
    *ret = j;
    return 0;
}

int journal_open(const char *path, struct journal_reader **ret, bool *ret_same_schema)
{
    return open_for_reading(path, journal_magic, ret, ret_same_schema);
}

int journal_open_capture(const char *path, struct journal_reader **ret)
{
    bool ignored; /* a capture has no derived records */
    return open_for_reading(path, capture_magic, ret, &ignored);
}

const char *journal_ring_path(const struct journal_reader *j) { return j->head.ring_path; }

/* Reads more behind what is there. 0: some; -ENODATA: the file ends; -errno. */
static int fill(struct journal_reader *j)
{
    memmove(j->buffer, j->buffer + j->start, j->end - j->start);
    j->end -= j->start;
    j->start = 0;
    if (j->end == j->size) {
        uint8_t *larger = realloc(j->buffer, j->size * 2);
        if (!larger) return -ENOMEM;
        j->buffer = larger;
        j->size *= 2;
    }
    ssize_t n;
    do n = pread(j->fd, j->buffer + j->end, j->size - j->end, (off_t)j->offset);
    while (n < 0 && errno == EINTR);
    if (n < 0) return -errno;
    if (n == 0) return -ENODATA;
    j->end += (size_t)n;
    j->offset += (uint64_t)n;
    return 0;
}

/* The record at `start`: 0, and it is passed; -EBADMSG: there is none, or a part of one at the file's end; -ENODATA: the file
 * ends here; -errno. */
static int next_here(struct journal_reader *j, struct record_header *ret_header, const void **ret_payload)
{
    for (;;) {
        int rc = record_parse(j->buffer + j->start, j->end - j->start, ret_header, ret_payload);
        if (rc == 0) j->start += record_padded(ret_header->size);
        if (rc != -EAGAIN) return rc;
        rc = fill(j);
        if (rc == -ENODATA && j->start < j->end) return -EBADMSG;
        if (rc < 0) return rc;
    }
}

static void skip_word(struct journal_reader *j) { j->start += j->end - j->start < 8 ? j->end - j->start : 8; }

static uint64_t here(const struct journal_reader *j) { return j->offset - (j->end - j->start); }

/* Was this byte on the disk once? Only a mark behind it says so. Damage that comes later costs what it has hit; but where a
 * power cut left a hole in what was written last, the recording ends: nobody knows what else is missing. */
static int find_mark(struct journal_reader *j, uint64_t at)
{
    struct record_header h;
    const void *payload;
    struct journal_reader look = {.fd = j->fd, .size = JOURNAL_READ, .offset = at, .buffer = malloc(JOURNAL_READ)};
    int rc = look.buffer ? 0 : -ENOMEM;
    while ((rc == 0 || rc == -EBADMSG) && j->synced <= at) {
        uint64_t mark = here(&look), says;
        rc = next_here(&look, &h, &payload);
        if (rc == -EBADMSG) skip_word(&look);
        if (rc != 0 || h.type != RECORD_SYNCED || h.size != sizeof says) continue;
        memcpy(&says, payload, sizeof says);
        if (says == mark) j->synced = mark;
    }
    free(look.buffer);
    return rc == -EBADMSG ? 0 : rc;
}

int journal_next(struct journal_reader *j, struct record_header *ret_header, const void **ret_payload)
{
    struct stat st;
    for (;;) {
        const uint64_t at = here(j);
        int rc = next_here(j, ret_header, ret_payload);
        if (rc == 0 && ret_header->type == RECORD_SYNCED) continue;
        if (rc != -EBADMSG) return rc;
        if (at >= j->synced) rc = find_mark(j, at);
        if (rc == -ENODATA && fstat(j->fd, &st) == 0) {
            j->torn += (uint64_t)st.st_size - at;
            j->offset = (uint64_t)st.st_size;
            j->start = j->end;
        }
        if (rc < 0 && rc != -EBADMSG) return rc;
        skip_word(j);
        j->torn += here(j) - at;
    }
}

uint64_t journal_torn_bytes(const struct journal_reader *j) { return j->torn; }

void journal_reader_close(struct journal_reader *j)
{
    if (!j) return;
    if (j->fd >= 0) close(j->fd);
    free(j->buffer);
    free(j);
}
