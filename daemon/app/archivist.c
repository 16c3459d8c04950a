#include "archivist.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "part.h"

#define SYNC_NS 400000000LL           /* the contract is 0.5 s */
#define LOOK_MS 100                   /* nobody wakes the archivist for a sample */
#define RETRY_NS 200000000LL          /* a disk that says no is tried again so often, */
#define STANDS_STILL_NS 1000000000LL  /* this long in one call is told */
#define RESEAL_NS 5000000000LL        /* and a sealing that found no room */
#define GIVE_UP_NS 5000000000LL       /* at the end: how long it is tried again */
#define SEAL_SPARE_BYTES (384u << 10) /* what a sealed file may take beyond its rows, and the next part's beginning */
#define RESUME_BYTES (1u << 20)       /* more room than that has to come before archiving resumes */
#define LOW_S 2.0                     /* archiving stops while there is room for so long, */
#define WARN_S 600.0                  /* and this is told */
enum { WAITING = 16 };

struct waiting {
    char path[512], journal_path[520];
    char first_path[512]; /* of its recording */
    bool last;            /* part of it */
    int64_t due_ns;
};
struct archivist {
    struct ring *ring;
    char *folder;
    struct archivist_limits limits;
    pthread_t thread;
    int fd;
    atomic_bool quit;
    _Atomic int64_t alive_ns; /* when the thread came by last: it stands still where the disk does */
    pthread_mutex_t lock;     /* of status */
    struct archivist_status status;
    /* the thread's own */
    struct part part;
    struct waiting waiting[WAITING]; /* to be sealed, the oldest first */
    unsigned n_waiting;
    bool sealing;
    char first_path[512]; /* of the recording that is open, or was last */
    bool unconsumed, safe;
    uint64_t records, damaged, free_bytes;
    uint64_t shape;
    bool stopped; /* the part that is open takes nothing until there is room */
    bool live_told;
    int64_t synced_ns, retry_ns;
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* ---- what is told ---- */

static void wake_engine(struct archivist *a) { (void)!write(a->fd, &(uint64_t){1}, sizeof(uint64_t)); }

static void set_error(struct archivist *a, const char *text)
{
    pthread_mutex_lock(&a->lock);
    const bool news = strcmp(a->status.error, text) != 0;
    if (*text) {
        a->status.errors++;
        snprintf(a->status.last_error, sizeof a->status.last_error, "%s", text);
    }
    if (*text && news) plate_log(LOG_ERROR, a->folder, "%s", text);
    snprintf(a->status.error, sizeof a->status.error, "%s", text);
    pthread_mutex_unlock(&a->lock);
    if (news) wake_engine(a);
}

static void set_warning(struct archivist *a, const char *text)
{
    pthread_mutex_lock(&a->lock);
    const bool news = (*text != '\0') != (*a->status.warning != '\0'); /* the figure in it changes all the time */
    if (news || *text) snprintf(a->status.warning, sizeof a->status.warning, "%s", text);
    pthread_mutex_unlock(&a->lock);
    if (news) wake_engine(a);
}

static void tell_failure(struct archivist *a, int e)
{
    char text[256];
    snprintf(text, sizeof text, "cannot write (%s); make room or mend the folder: samples wait in the ring", strerror(-e));
    set_error(a, text);
}

static void tell_live(struct archivist *a)
{
    if (a->part.live_given_up && !a->live_told)
        plate_log(LOG_WARNING, a->part.path,
                  "the live file stops here (%s); the journal goes on, and the archive is made at the end",
                  a->part.live_error.text);
    a->live_told = a->part.live_given_up;
}

static void update_status(struct archivist *a)
{
    tell_live(a);
    pthread_mutex_lock(&a->lock);
    struct archivist_status *s = &a->status;
    s->records = a->records;
    s->damaged = a->damaged;
    s->free_bytes = a->free_bytes;
    s->shape = a->shape;
    s->open = a->part.journal != NULL;
    s->stopped = a->stopped;
    s->part = a->part.recording.earlier_parts + 1;
    s->waiting = a->n_waiting;
    s->sealing = a->sealing || a->n_waiting > 0;
    if (a->part.journal) {
        snprintf(s->archive, sizeof s->archive, "%s", a->part.path);
        s->journal_bytes = journal_bytes(a->part.journal);
    }
    pthread_mutex_unlock(&a->lock);
}

static void say_sealed(struct archivist *a, const struct waiting *w, const char *error)
{
    pthread_mutex_lock(&a->lock);
    snprintf(a->status.seal_error, sizeof a->status.seal_error, "%s", error);
    snprintf(a->status.not_sealed, sizeof a->status.not_sealed, "%s", *error ? w->first_path : "");
    if (!*error) a->status.files_sealed++;
    if (!*error && w->last) {
        snprintf(a->status.last_sealed, sizeof a->status.last_sealed, "%s", w->first_path);
        a->status.sealed++;
    }
    pthread_mutex_unlock(&a->lock);
    wake_engine(a);
}

/* ---- from the ring to the journal ---- */

/* The journal is on the disk, then the ring may forget. */
static int sync_part(struct archivist *a)
{
    const int64_t began_ns = now_ns();
    const int e = a->part.journal ? part_sync(&a->part, a->folder) : 0;
    a->synced_ns = now_ns();
    if (e) { /* what came since the last sync is in the ring, and is appended again */
        ring_rewind(a->ring);
        a->unconsumed = false;
        return e;
    }
    ring_consume(a->ring);
    a->unconsumed = false;
    set_error(a, "");
    const double ms = (double)(a->synced_ns - began_ns) * 1e-6;
    pthread_mutex_lock(&a->lock);
    a->status.syncs++;
    if (ms > a->status.slowest_write_ms) a->status.slowest_write_ms = ms;
    pthread_mutex_unlock(&a->lock);
    return 0;
}

static void wait_to_be_sealed(struct archivist *a, bool last)
{
    struct waiting *w = &a->waiting[a->n_waiting++];
    *w = (struct waiting){.last = last};
    memcpy(w->first_path, a->first_path, sizeof w->first_path);
    memcpy(w->path, a->part.path, sizeof w->path);
    memcpy(w->journal_path, a->part.journal_path, sizeof w->journal_path);
}

/* The recording is over, or was cut short by the next one. */
static int end_recording(struct archivist *a)
{
    if (a->n_waiting == WAITING) return -EAGAIN;
    const int e = sync_part(a);
    if (e) return e;
    part_close(&a->part);
    wait_to_be_sealed(a, true);
    return 0;
}

/* 0: another part is open, and the one before waits to be sealed. */
static int rotate(struct archivist *a, const struct recording *shape)
{
    if (a->n_waiting == WAITING) return -EAGAIN;
    wait_to_be_sealed(a, false);
    const int e = part_next(&a->part, a->folder, ring_path(a->ring), shape, now_ns());
    if (e)
        a->n_waiting--;
    else
        a->live_told = false;
    return e;
}

/* What is before it is put on the disk first, and then it is peeked again: once its part is open, it has been taken. */
static int take_shape(struct archivist *a, const struct record_header *h, const void *payload)
{
    struct recording rec;
    int e = recording_from_json(payload, h->size, &rec);
    if (e) return 0; /* nothing of this shape follows */
    if (part_has_shape(&a->part, &rec)) {
        a->shape = h->sample;
        update_status(a);
        wake_engine(a);
    } else {
        ring_unpeek(a->ring);
        e = sync_part(a);
        if (e == 0) e = rotate(a, &rec);
    }
    recording_done(&rec);
    return e;
}

static int take(struct archivist *a, const struct record_header *h, const void *payload)
{
    int e = 0;
    if (h->type == RECORD_BEGIN && a->part.journal) { /* the one before has no end; peeked again when it is closed */
        ring_unpeek(a->ring);
        return end_recording(a);
    }
    if (h->type == RECORD_BEGIN) {
        if ((e = part_begin(&a->part, a->folder, ring_path(a->ring), h, payload, now_ns())) != 0) return e;
        memcpy(a->first_path, a->part.path, sizeof a->first_path);
        a->stopped = a->live_told = false;
        ring_consume(a->ring);
        a->synced_ns = now_ns();
        return 0;
    }
    if (!a->part.journal) return 0; /* the rest of a recording whose beginning is not there */
    if (h->type == RECORD_SHAPE) return take_shape(a, h, payload);
    if ((e = part_append(&a->part, h, payload)) != 0) return e;
    a->unconsumed = true;
    return h->type == RECORD_END ? end_recording(a) : 0;
}

/* True: the ring is empty. False: what comes next cannot be taken now, and waits there. */
static bool drain(struct archivist *a)
{
    atomic_store(&a->alive_ns, now_ns());
    while (!a->stopped && now_ns() >= a->retry_ns) {
        struct record_header h;
        const void *payload;
        int e = ring_peek(a->ring, &h, &payload);
        if (e == -EAGAIN) return true;
        if (e == -EBADMSG) {
            plate_log(LOG_ERROR, a->folder, "a record in the ring is damaged and is passed over; what it held counts as lost");
            a->damaged++;
            continue;
        }
        if ((e = take(a, &h, payload)) != 0) {
            ring_unpeek(a->ring);
            if (e == -ENOSPC) part_drop_live(&a->part);
            if (e != -EAGAIN) tell_failure(a, e);
            a->retry_ns = now_ns() + RETRY_NS;
            return false;
        }
        a->records++;
        if (a->unconsumed && now_ns() - a->synced_ns >= SYNC_NS) return false; /* the sync comes first */
    }
    return false;
}

/* ---- room ---- */

static uint64_t file_bytes(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (uint64_t)st.st_blocks * 512 : 0;
}

/* What sealing will still take at most: a compressed file is no larger than the live one, nor than the journal. */
static double seal_bytes(const char *path, const char *journal_path)
{
    char tmp[520];
    snprintf(tmp, sizeof tmp, "%s.tmp", path);
    const uint64_t journal = file_bytes(journal_path), live = file_bytes(path);
    const double most = (double)(live && live < journal ? live : journal) + SEAL_SPARE_BYTES, there = (double)file_bytes(tmp);
    return most > there ? most - there : 0;
}

/* Stops in order while there still is room to seal, and resumes in the part that was begun then. Right after a sync. */
static void watch_room(struct archivist *a)
{
    struct statvfs fs;
    char text[256] = "";
    if (!a->part.journal || statvfs(a->folder, &fs) < 0) return;
    const double free_bytes = (double)fs.f_bavail * (double)fs.f_frsize;
    const double run_s = (double)(now_ns() - a->part.begun_ns) * 1e-9;
    const double bytes_per_s = 2 * (double)journal_bytes(a->part.journal) / (run_s > 1 ? run_s : 1);
    double need = seal_bytes(a->part.path, a->part.journal_path) + LOW_S * bytes_per_s;
    for (unsigned i = 0; i < a->n_waiting; i++) need += seal_bytes(a->waiting[i].path, a->waiting[i].journal_path);
    a->free_bytes = (uint64_t)free_bytes;
    if (a->stopped) {
        if (free_bytes > need + RESUME_BYTES) {
            a->stopped = false;
            set_error(a, "");
        }
        return;
    }
    if (free_bytes < need && rotate(a, NULL) == 0) {
        a->stopped = true;
        snprintf(
            text, sizeof text,
            "the disk is nearly full (%.1f MB left): archiving has stopped in order and samples wait in the ring; make room",
            free_bytes / 1e6);
        set_error(a, text);
    } else if (run_s > 1 && free_bytes - need < WARN_S * bytes_per_s) {
        snprintf(text, sizeof text, "the disk has room for %.1f more minutes (%.1f MB left)",
                 free_bytes > need ? (free_bytes - need) / bytes_per_s / 60 : 0, free_bytes / 1e6);
    }
    if (!a->stopped) set_warning(a, text);
}

static bool part_is_long(const struct archivist *a)
{
    return (a->limits.part_ns && now_ns() - a->part.begun_ns >= a->limits.part_ns) ||
           (a->limits.part_bytes && journal_bytes(a->part.journal) >= a->limits.part_bytes);
}

/* What is due, between two looks at the ring. */
static void keep_up(struct archivist *a, bool at_once)
{
    if (!at_once && now_ns() - a->synced_ns < SYNC_NS) return;
    if (a->stopped || !a->unconsumed) {
        a->synced_ns = now_ns();
    } else {
        const int e = sync_part(a);
        if (e) {
            if (e == -ENOSPC) part_drop_live(&a->part);
            tell_failure(a, e);
            a->retry_ns = now_ns() + RETRY_NS;
            return;
        }
    }
    watch_room(a);
    if (a->part.journal && !a->stopped && !a->unconsumed && part_is_long(a)) {
        const int e = rotate(a, NULL);
        if (e && e != -EAGAIN) tell_failure(a, e);
    }
    update_status(a);
}

/* ---- sealing ---- */

static void beat(void *user)
{
    drain(user);
    keep_up(user, false);
}

/* The oldest file that waits, if its time has come. Meanwhile the ring is drained all the same. */
static void seal_one(struct archivist *a)
{
    struct archive_error why = {""};
    const struct waiting w = a->waiting[0];
    if (a->n_waiting == 0 || now_ns() < w.due_ns) return;
    a->sealing = true;
    update_status(a);
    const int e = archive_seal(w.journal_path, NULL, w.path, &(struct archive_pulse){beat, a}, &why);
    a->sealing = false;
    if (e == -ENOSPC && !atomic_load(&a->quit)) { /* there may be room later */
        a->waiting[0].due_ns = now_ns() + RESEAL_NS;
        say_sealed(a, &w, why.text);
        return;
    }
    memmove(a->waiting, a->waiting + 1, --a->n_waiting * sizeof *a->waiting);
    if (e) {
        plate_log(LOG_ERROR, w.path, "not sealed: %s; the journal is kept: plate-trace recover %s", why.text, w.journal_path);
    } else {
        unlink(w.journal_path);
        plate_log(LOG_INFO, w.path, "sealed");
    }
    update_status(a);
    say_sealed(a, &w, e ? why.text : "");
}

/* ---- the thread ---- */

static void *run(void *arg)
{
    struct archivist *a = arg;
    struct pollfd p = {.fd = ring_fd(a->ring), .events = POLLIN};
    int64_t give_up_ns = 0;
    for (;;) {
        const bool quit = atomic_load(&a->quit); /* the producer had stopped before */
        const bool drained = drain(a);
        keep_up(a, quit);
        seal_one(a);
        if (quit && !give_up_ns) give_up_ns = now_ns() + GIVE_UP_NS;
        if (quit && ((drained && a->n_waiting == 0) || now_ns() > give_up_ns)) {
            a->safe = drained && !a->unconsumed;
            atomic_store(&a->alive_ns, INT64_MAX); /* it has not stopped, it is done */
            return NULL;
        }
        if (drained || a->stopped || now_ns() < a->retry_ns) poll(&p, 1, LOOK_MS);
        if (p.revents & POLLIN) (void)!read(p.fd, &(uint64_t){0}, sizeof(uint64_t));
        p.revents = 0;
    }
}

int archivist_new(struct ring *ring, const char *folder, const struct archivist_limits *limits, struct archivist **ret)
{
    struct archivist *a = calloc(1, sizeof *a);
    if (!a) return -ENOMEM;
    a->ring = ring;
    a->limits = *limits;
    a->folder = strdup(folder);
    a->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    atomic_store(&a->alive_ns, now_ns());
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
    atomic_store(&a->quit, true);
    ring_wake(a->ring);
    pthread_join(a->thread, NULL);
    const bool safe = a->safe && !a->part.journal;
    part_close(&a->part);
    return safe;
}

void archivist_free(struct archivist *a)
{
    if (!a) return;
    pthread_mutex_destroy(&a->lock);
    recording_done(&a->part.recording);
    close(a->fd);
    free(a->folder);
    free(a);
}

void archivist_status(struct archivist *a, struct archivist_status *ret)
{
    pthread_mutex_lock(&a->lock);
    *ret = a->status;
    pthread_mutex_unlock(&a->lock);
    if (!*ret->error && now_ns() - atomic_load(&a->alive_ns) > STANDS_STILL_NS)
        snprintf(ret->error, sizeof ret->error, "the disk stands still: samples wait in the ring");
}

int archivist_fd(const struct archivist *a) { return a->fd; }
