#include "capture.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"
#include "log.h"
#include "ring.h"

#define LOOK_MS 100 /* nobody wakes the thread for a record */

struct capture {
    char *path;
    struct ring *ring;
    struct journal *file;
    pthread_t thread;
    atomic_bool quit;
    _Atomic uint64_t records, file_bytes, lost_records;
    atomic_int error;                  /* errno; 0 none */
    uint64_t offset[PLATE_MAX_PLATES]; /* the engine's: bytes that each port has sent */
};

static void append(struct capture *c, const struct record_header *h, const void *payload)
{
    const int e = -journal_append(c->file, h, payload);
    if (e && e != atomic_load(&c->error)) plate_log(LOG_ERROR, c->path, "the capture has holes from here on: %s", strerror(e));
    atomic_store(&c->error, e);
    atomic_fetch_add(e ? &c->lost_records : &c->records, 1);
    atomic_store(&c->file_bytes, journal_bytes(c->file));
}

static void *run(void *arg)
{
    struct capture *c = arg;
    for (bool quit = false; !quit;) {
        struct record_header h;
        const void *payload;
        quit = atomic_load(&c->quit);
        while (ring_peek(c->ring, &h, &payload) == 0) {
            append(c, &h, payload);
            ring_consume(c->ring);
        }
        if (!quit) poll(&(struct pollfd){.fd = ring_fd(c->ring), .events = POLLIN}, 1, LOOK_MS);
    }
    return NULL;
}

int capture_new(const char *path, const char *ring_dir, size_t ring_bytes, struct capture **ret)
{
    struct capture *c = calloc(1, sizeof *c);
    if (!c) return -ENOMEM;
    char name[48];
    snprintf(name, sizeof name, "plated-capture-%ld", (long)getpid());
    int e = (c->path = strdup(path)) ? ring_create(ring_dir, name, ring_bytes, &c->ring) : -ENOMEM;
    if (e == 0) {
        unlink(ring_path(c->ring)); /* it lives as long as the process: nothing is left to recover */
        e = journal_create_capture(path, &c->file);
    }
    if (e == 0) e = -pthread_create(&c->thread, NULL, run, c);
    if (e) {
        journal_close(c->file);
        ring_close(c->ring, false);
        free(c->path);
        free(c);
        return e;
    }
    *ret = c;
    return 0;
}

static void put(struct capture *c, const struct record_header *h, const void *a, size_t a_size, const void *b, size_t b_size)
{
    if (ring_put(c->ring, h, a, a_size, b, b_size) != 0) atomic_fetch_add(&c->lost_records, 1);
}

void capture_put(struct capture *c, enum record_type type, unsigned plate, const struct record_moment *at, const void *bytes,
                 size_t n)
{
    if (!c) return;
    const struct record_header h = {.type = (uint16_t)type, .plate = (uint16_t)plate, .sample = c->offset[plate]};
    if (type == RECORD_BYTES) c->offset[plate] += n;
    put(c, &h, at, sizeof *at, bytes, n);
}

void capture_record(struct capture *c, const struct record_header *h, const void *payload, size_t n)
{
    if (c && record_steers(h->type)) put(c, h, payload, n, NULL, 0);
}

void capture_free(struct capture *c)
{
    if (!c) return;
    atomic_store(&c->quit, true);
    ring_wake(c->ring);
    pthread_join(c->thread, NULL);
    journal_close(c->file);
    ring_close(c->ring, false);
    free(c->path);
    free(c);
}

const char *capture_path(const struct capture *c) { return c ? c->path : ""; }

void capture_status(struct capture *c, struct capture_status *ret)
{
    *ret = (struct capture_status){0};
    if (!c) return;
    ret->records = atomic_load(&c->records);
    ret->file_bytes = atomic_load(&c->file_bytes);
    ret->lost_records = atomic_load(&c->lost_records);
    const int e = atomic_load(&c->error);
    if (e) snprintf(ret->error, sizeof ret->error, "%s", strerror(e));
}
