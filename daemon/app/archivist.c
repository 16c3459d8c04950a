#include "archivist.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "archive.h"
#include "journal.h"
#include "log.h"

#define SYNC_NS 400000000LL     /* the contract is 0.5 s */
#define LOOK_MS 100             /* nobody wakes the archivist for a sample */
#define GIVE_UP_NS 5000000000LL /* at the end: how long a disk that says no is tried again */

struct archivist {
    struct ring *ring;
    char *folder;
    pthread_t thread;
    int fd;
    atomic_bool quit;
    pthread_mutex_t lock; /* of status */
    struct archivist_status status;
    /* the thread's own */
    struct journal *journal;
    struct archive_writer *live;
    char path[512], journal_path[520];
    int64_t synced_ns;
    bool unconsumed, safe;
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void set_error(struct archivist *a, const char *text)
{
    pthread_mutex_lock(&a->lock);
    if (*text && strcmp(a->status.error, text) != 0) plate_log(LOG_ERROR, a->path, "%s", text);
    if (*text) a->status.errors++;
    bool news = strcmp(a->status.error, text) != 0;
    snprintf(a->status.error, sizeof a->status.error, "%s", text);
    uint64_t one = 1;
    if (news) (void)!write(a->fd, &one, sizeof one);
    pthread_mutex_unlock(&a->lock);
}

static void timed(struct archivist *a, int64_t since_ns)
{
    double ms = (double)(now_ns() - since_ns) * 1e-6;
    pthread_mutex_lock(&a->lock);
    if (ms > a->status.slowest_write_ms) a->status.slowest_write_ms = ms;
    pthread_mutex_unlock(&a->lock);
}

/* The journal is written and synced, then the ring may forget. */
static int sync_journal(struct archivist *a)
{
    if (!a->journal) {
        if (a->unconsumed) ring_consume(a->ring);
        a->unconsumed = false;
        return 0;
    }
    int64_t t = now_ns();
    int e = journal_sync(a->journal);
    timed(a, t);
    a->synced_ns = now_ns();
    if (e) {
        char text[160];
        snprintf(text, sizeof text, "cannot write the journal: %s; free the disk: samples wait in the ring", strerror(-e));
        set_error(a, text);
        return e;
    }
    ring_consume(a->ring);
    a->unconsumed = false;
    set_error(a, "");
    if (a->live && archive_flush(a->live) != 0)
        plate_log(LOG_WARNING, a->path, "the live file cannot be flushed; the journal goes on");
    pthread_mutex_lock(&a->lock);
    a->status.syncs++;
    a->status.journal_bytes = journal_bytes(a->journal);
    pthread_mutex_unlock(&a->lock);
    return 0;
}

static int begin(struct archivist *a, const void *payload, size_t n)
{
    struct recording rec;
    struct archive_error why;
    int e = recording_from_json(payload, n, &rec);
    if (e) return e;
    snprintf(a->path, sizeof a->path, "%s/%s.h5", a->folder, rec.name);
    snprintf(a->journal_path, sizeof a->journal_path, "%s/%s.journal", a->folder, rec.name);
    e = journal_create(a->journal_path, ring_path(a->ring), &a->journal);
    if (e == 0 && (e = archive_create(a->path, ARCHIVE_LIVE, &rec, &a->live, &why)) != 0) {
        plate_log(LOG_WARNING, a->path, "no live file (%s); the journal goes on, and the archive is made at the end", why.text);
        e = 0;
    }
    recording_done(&rec);
    if (e) return e;
    pthread_mutex_lock(&a->lock);
    snprintf(a->status.archive, sizeof a->status.archive, "%s", a->path);
    a->status.open = true;
    pthread_mutex_unlock(&a->lock);
    a->synced_ns = now_ns();
    return 0;
}

static void say_sealed(struct archivist *a, const char *error)
{
    uint64_t one = 1;
    pthread_mutex_lock(&a->lock);
    a->status.sealing = a->status.open = false;
    snprintf(a->status.seal_error, sizeof a->status.seal_error, "%s", error);
    if (!*error) {
        snprintf(a->status.last_sealed, sizeof a->status.last_sealed, "%s", a->path);
        a->status.sealed++;
    }
    pthread_mutex_unlock(&a->lock);
    (void)!write(a->fd, &one, sizeof one);
}

static int seal(struct archivist *a)
{
    struct archive_error why = {""};
    int e = sync_journal(a);
    if (e) return e;
    pthread_mutex_lock(&a->lock);
    a->status.sealing = true;
    pthread_mutex_unlock(&a->lock);
    journal_close(a->journal);
    a->journal = NULL;
    if (a->live) archive_close(a->live, &why);
    a->live = NULL;
    e = archive_seal(a->journal_path, NULL, a->path, &why);
    if (e)
        plate_log(LOG_ERROR, a->path, "not sealed: %s; the journal is kept: plate-trace recover %s", why.text, a->journal_path);
    else {
        unlink(a->journal_path);
        plate_log(LOG_INFO, a->path, "sealed");
    }
    say_sealed(a, e ? why.text : "");
    return 0;
}

static int take(struct archivist *a, const struct record_header *h, const void *payload)
{
    struct archive_error why;
    int e = 0;
    if (h->type == RECORD_BEGIN && a->journal && (e = seal(a)) != 0) return e; /* the one before was cut short */
    if (h->type == RECORD_BEGIN && (e = begin(a, payload, h->size)) != 0) return e;
    if (!a->journal) return 0; /* the rest of a recording that could not begin, already told */
    if ((e = journal_append(a->journal, h, payload)) != 0) return e;
    if (a->live && h->type != RECORD_BEGIN && archive_write(a->live, h, payload, &why) != 0) {
        plate_log(LOG_WARNING, a->path,
                  "the live file stops here (%s); the journal goes on, and the archive is made at the end", why.text);
        archive_close(a->live, &why);
        a->live = NULL;
    }
    a->unconsumed = true;
    pthread_mutex_lock(&a->lock);
    a->status.records++;
    pthread_mutex_unlock(&a->lock);
    return h->type == RECORD_END ? seal(a) : 0;
}

/* Tries until it can; the ring holds what comes meanwhile. False: told to quit, and the disk still says no. */
static bool take_surely(struct archivist *a, const struct record_header *h, const void *payload)
{
    int64_t give_up_ns = 0;
    for (;;) {
        int e = take(a, h, payload);
        if (e == 0) return true;
        char text[200];
        snprintf(text, sizeof text, "cannot write (%s); make room or mend the folder: samples wait in the ring", strerror(-e));
        set_error(a, text);
        if (atomic_load(&a->quit)) {
            if (!give_up_ns) give_up_ns = now_ns() + GIVE_UP_NS;
            if (now_ns() > give_up_ns) return false;
        }
        nanosleep(&(struct timespec){.tv_nsec = 200000000}, NULL);
    }
}

static void *run(void *arg)
{
    struct archivist *a = arg;
    struct pollfd p = {.fd = ring_fd(a->ring), .events = POLLIN};
    for (;;) {
        struct record_header h;
        const void *payload;
        int e;
        bool quit = atomic_load(&a->quit);
        while ((e = ring_peek(a->ring, &h, &payload)) == 0) {
            if (!take_surely(a, &h, payload)) return NULL;
            if (a->journal && now_ns() - a->synced_ns >= SYNC_NS) sync_journal(a);
        }
        if (e == -EBADMSG) {
            set_error(a, "a record in the ring is damaged; stop plated and run plate-trace recover on the ring");
            return NULL;
        }
        if (a->unconsumed && (quit || now_ns() - a->synced_ns >= SYNC_NS)) e = sync_journal(a);
        if (quit) { /* the producer had stopped before: the ring is drained */
            a->safe = !a->unconsumed;
            return NULL;
        }
        poll(&p, 1, LOOK_MS);
        uint64_t n;
        if (p.revents & POLLIN) (void)!read(p.fd, &n, sizeof n);
    }
}

int archivist_new(struct ring *ring, const char *folder, struct archivist **ret)
{
    struct archivist *a = calloc(1, sizeof *a);
    if (!a) return -ENOMEM;
    a->ring = ring;
    a->folder = strdup(folder);
    a->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&a->lock, NULL);
    int e = !a->folder ? -ENOMEM : a->fd < 0 ? -errno : -pthread_create(&a->thread, NULL, run, a);
    if (e) {
        if (a->fd >= 0) close(a->fd);
        free(a->folder);
        free(a);
        return e;
    }
    *ret = a;
    return 0;
}

bool archivist_finish(struct archivist *a)
{
    struct archive_error why;
    atomic_store(&a->quit, true);
    ring_wake(a->ring);
    pthread_join(a->thread, NULL);
    bool safe = a->safe && !a->journal;
    journal_close(a->journal);
    a->journal = NULL;
    if (a->live) archive_close(a->live, &why);
    a->live = NULL;
    return safe;
}

void archivist_free(struct archivist *a)
{
    if (!a) return;
    pthread_mutex_destroy(&a->lock);
    close(a->fd);
    free(a->folder);
    free(a);
}

void archivist_status(struct archivist *a, struct archivist_status *ret)
{
    pthread_mutex_lock(&a->lock);
    *ret = a->status;
    pthread_mutex_unlock(&a->lock);
}

int archivist_fd(const struct archivist *a) { return a->fd; }
