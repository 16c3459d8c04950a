#define _GNU_SOURCE /* asprintf */
#include "ring.h"
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* The file: one page of header, then `capacity` bytes of records. head and tail count bytes for ever; a place is their
 * remainder. A record never wraps: a filler word sends the reader to the start of the next lap. */
enum { RING_PAGE = 4096, RING_VERSION = 1 };
#define RING_MAGIC 0x474e4952444c50ull /* "PLDRING" */
#define RING_FILLER 0x4c4c4946u        /* "FILL" */

struct ring_page {
    _Atomic uint64_t magic; /* written last: without it the file was never finished */
    uint32_t version, schema;
    uint64_t capacity;
    uint64_t next_lsn;                  /* producer */
    _Alignas(64) _Atomic uint64_t head; /* producer; released when the record is whole, so a killed one leaves none half */
    _Alignas(64) _Atomic uint64_t tail; /* consumer */
};
_Static_assert(sizeof(struct ring_page) <= RING_PAGE, "the header fits its page");
_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "shared between processes: no hidden locks");

struct ring {
    struct ring_page *page;
    uint8_t *data;
    size_t map_size;
    uint64_t capacity; /* checked when opened; the file's copy is not trusted again */
    int fd, event_fd;
    char *path;
    uint64_t peeked, latest; /* consumer: everything before it has been seen; where the record seen last begins */
    _Atomic uint64_t highest, records, refused;
};

static bool same_file(int fd, const char *path)
{
    struct stat a, b;
    return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

/* The open and locked file, or -errno. */
static int lock_file(const char *path, int flags)
{
    for (;;) {
        const int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
        if (fd < 0) return -errno;
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
            const int e = errno == EWOULDBLOCK ? EBUSY : errno;
            close(fd);
            return -e;
        }
        if (same_file(fd, path)) return fd;
        close(fd); /* its owner unlinked it between our open and our lock */
    }
}

static bool plausible(const struct ring_page *p, off_t file_size)
{
    const uint64_t head = atomic_load_explicit(&p->head, memory_order_acquire);
    const uint64_t tail = atomic_load_explicit(&p->tail, memory_order_acquire);
    return p->capacity >= 8 && p->capacity % 8 == 0 && p->capacity <= (uint64_t)file_size - RING_PAGE && head >= tail &&
           head - tail <= p->capacity && head % 8 == 0 && tail % 8 == 0;
}

/* 0: nothing of worth in it; -EEXIST: records; -EPROTO: not ours to overwrite. */
static int check_leftover(int fd)
{
    struct stat st;
    struct ring_page p;
    if (fstat(fd, &st) < 0) return -errno;
    if (!S_ISREG(st.st_mode)) return -EPROTO;
    const ssize_t n = pread(fd, &p, sizeof p, 0);
    if (n < 0) return -errno;
    if (n == 0 || (n == sizeof p && p.magic == 0)) return 0;
    if (n < (ssize_t)sizeof p || p.magic != RING_MAGIC || st.st_size < RING_PAGE) return -EPROTO;
    return atomic_load(&p.head) == atomic_load(&p.tail) ? 0 : -EEXIST;
}

static int map_file(struct ring *r)
{
    void *at = mmap(NULL, r->map_size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
    if (at == MAP_FAILED) return -errno;
    r->page = at;
    r->data = (uint8_t *)at + RING_PAGE;
    return 0;
}

/* Numbers of two rings never meet, as none makes a record a nanosecond: a journal can be told from another ring's. */
static uint64_t first_lsn(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int make_file(struct ring *r, size_t capacity)
{
    int rc = check_leftover(r->fd);
    if (rc < 0) return rc;
    if (capacity > SIZE_MAX / 4) return -EFBIG;
    r->capacity = (capacity + RING_PAGE - 1) / RING_PAGE * RING_PAGE;
    r->map_size = RING_PAGE + (size_t)r->capacity;
    if (ftruncate(r->fd, 0) < 0) return -errno;
    do rc = posix_fallocate(r->fd, 0, (off_t)r->map_size);
    while (rc == EINTR);
    if (rc) {
        unlink(r->path); /* gives back what was allocated of it */
        return -rc;
    }
    rc = map_file(r);
    if (rc < 0) return rc;
    r->page->version = RING_VERSION;
    r->page->schema = record_schema();
    r->page->capacity = r->capacity;
    r->page->next_lsn = first_lsn();
    atomic_store_explicit(&r->page->magic, RING_MAGIC, memory_order_release);
    return 0;
}

static int take_file(struct ring *r)
{
    struct stat st;
    if (fstat(r->fd, &st) < 0) return -errno;
    if (S_ISREG(st.st_mode) && st.st_size == 0) return -ENODATA;
    if (!S_ISREG(st.st_mode) || st.st_size <= RING_PAGE) return -EPROTO;
    r->map_size = (size_t)st.st_size;
    const int rc = map_file(r);
    if (rc < 0) return rc;
    const struct ring_page *p = r->page;
    if (p->magic == 0) return -ENODATA;
    if (p->magic != RING_MAGIC || p->version != RING_VERSION || !plausible(p, st.st_size)) return -EPROTO;
    r->capacity = p->capacity;
    r->peeked = atomic_load(&p->tail);
    return 0;
}

static int open_at(const char *path, int flags, size_t capacity, struct ring **ret)
{
    struct ring *r = calloc(1, sizeof *r);
    if (!r) return -ENOMEM;
    r->event_fd = -1;
    r->fd = lock_file(path, flags);
    int rc = r->fd < 0 ? r->fd : 0;
    if (!rc && !(r->path = strdup(path))) rc = -ENOMEM;
    if (!rc && (r->event_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) < 0) rc = -errno;
    if (!rc) rc = flags & O_CREAT ? make_file(r, capacity) : take_file(r);
    if (rc < 0) {
        ring_close(r, false);
        return rc;
    }
    *ret = r;
    return 0;
}

int ring_create(const char *dir, const char *name, size_t capacity, struct ring **ret)
{
    char *path;
    if (asprintf(&path, "%s/%s.ring", dir, name) < 0) return -ENOMEM;
    const int rc = open_at(path, O_CREAT, capacity, ret);
    free(path);
    return rc;
}

int ring_open(const char *path, struct ring **ret) { return open_at(path, 0, 0, ret); }

void ring_close(struct ring *r, bool unlink_it)
{
    if (!r) return;
    if (r->page) munmap(r->page, r->map_size);
    if (unlink_it && r->fd >= 0 && same_file(r->fd, r->path)) unlink(r->path);
    if (r->fd >= 0) close(r->fd);
    if (r->event_fd >= 0) close(r->event_fd);
    free(r->path);
    free(r);
}

const char *ring_path(const struct ring *r) { return r->path; }

bool ring_same_schema(const struct ring *r) { return r->page->schema == record_schema(); }

static int refuse(struct ring *r)
{
    atomic_fetch_add_explicit(&r->refused, 1, memory_order_relaxed);
    return -ENOSPC;
}

int ring_put(struct ring *r, const struct record_header *h, const void *a, size_t a_size, const void *b, size_t b_size)
{
    if (a_size > RECORD_MAX_PAYLOAD || b_size > RECORD_MAX_PAYLOAD - a_size) return -EMSGSIZE;
    const size_t size = a_size + b_size, need = record_padded((uint32_t)size);
    /* half the ring: the filler before a record is shorter than the record, so an empty ring takes it wherever it stands */
    if (need > r->capacity / 2) return -EMSGSIZE;

    uint64_t head = atomic_load_explicit(&r->page->head, memory_order_relaxed);
    const uint64_t tail = atomic_load_explicit(&r->page->tail, memory_order_acquire);
    const uint64_t lap_left = r->capacity - head % r->capacity;
    const uint64_t filler = lap_left < need ? lap_left : 0;
    if (r->capacity - (head - tail) < filler + need) return refuse(r);
    if (filler) {
        memcpy(r->data + head % r->capacity, &(uint32_t){RING_FILLER}, sizeof(uint32_t));
        head += filler;
    }
    uint8_t *at = r->data + head % r->capacity;
    if (a_size) memcpy(at + sizeof *h, a, a_size);
    if (b_size) memcpy(at + sizeof *h + a_size, b, b_size);
    memset(at + sizeof *h + size, 0, need - sizeof *h - size);
    struct record_header stamped = {.magic = RECORD_MAGIC,
                                    .type = h->type,
                                    .plate = h->plate,
                                    .size = (uint32_t)size,
                                    .lsn = r->page->next_lsn++,
                                    .sample = h->sample,
                                    .t_s = h->t_s};
    stamped.crc = record_crc(&stamped, at + sizeof *h);
    memcpy(at, &stamped, sizeof stamped);

    head += need;
    atomic_store_explicit(&r->page->head, head, memory_order_release);
    atomic_fetch_add_explicit(&r->records, 1, memory_order_relaxed);
    if (head - tail > atomic_load_explicit(&r->highest, memory_order_relaxed))
        atomic_store_explicit(&r->highest, head - tail, memory_order_relaxed);
    return 0;
}

void ring_wake(struct ring *r) { (void)!write(r->event_fd, &(uint64_t){1}, sizeof(uint64_t)); }

static uint64_t past_filler(const struct ring *r, uint64_t at, uint64_t head)
{
    uint32_t word;
    memcpy(&word, r->data + at % r->capacity, sizeof word);
    if (word != RING_FILLER) return at;
    const uint64_t next_lap = at + (r->capacity - at % r->capacity);
    return next_lap < head ? next_lap : head;
}

static int parse_at(const struct ring *r, uint64_t at, uint64_t head, struct record_header *ret_header,
                    const void **ret_payload)
{
    const uint64_t lap_left = r->capacity - at % r->capacity, n = head - at < lap_left ? head - at : lap_left;
    return record_parse(r->data + at % r->capacity, (size_t)n, ret_header, ret_payload);
}

/* After a damaged record: the next whole one, or the head. */
static uint64_t resync(const struct ring *r, uint64_t at, uint64_t head)
{
    struct record_header h;
    const void *payload;
    while (at < head) {
        at += 8;
        if (at < head) at = past_filler(r, at, head);
        if (at < head && parse_at(r, at, head, &h, &payload) == 0) break;
    }
    return at;
}

int ring_peek(struct ring *r, struct record_header *ret_header, const void **ret_payload)
{
    uint64_t head = atomic_load_explicit(&r->page->head, memory_order_acquire);
    if (r->peeked == head) {
        /* the wake-up is taken back before the last look, so that none is lost between the two */
        (void)!read(r->event_fd, &(uint64_t){0}, sizeof(uint64_t));
        head = atomic_load_explicit(&r->page->head, memory_order_acquire);
        if (r->peeked == head) return -EAGAIN;
    }
    const uint64_t at = past_filler(r, r->peeked, head);
    if (parse_at(r, at, head, ret_header, ret_payload) < 0) {
        r->peeked = resync(r, at, head);
        return -EBADMSG;
    }
    r->latest = at;
    r->peeked = at + record_padded(ret_header->size);
    return 0;
}

void ring_consume(struct ring *r) { atomic_store_explicit(&r->page->tail, r->peeked, memory_order_release); }

void ring_unpeek(struct ring *r) { r->peeked = r->latest; }

void ring_rewind(struct ring *r) { r->peeked = r->latest = atomic_load_explicit(&r->page->tail, memory_order_relaxed); }

int ring_fd(const struct ring *r) { return r->event_fd; }

void ring_counters(const struct ring *r, struct ring_counters *ret)
{
    /* tail first: seen the other way round, it could be past the head */
    const uint64_t tail = atomic_load_explicit(&r->page->tail, memory_order_acquire);
    const uint64_t head = atomic_load_explicit(&r->page->head, memory_order_acquire);
    *ret = (struct ring_counters){
        .capacity_bytes = r->capacity,
        .used_bytes = head - tail < r->capacity ? head - tail : r->capacity,
        .highest_used_bytes = atomic_load_explicit(&r->highest, memory_order_relaxed),
        .records = atomic_load_explicit(&r->records, memory_order_relaxed),
        .refused = atomic_load_explicit(&r->refused, memory_order_relaxed),
    };
}
