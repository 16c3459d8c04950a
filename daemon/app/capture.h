/* app/capture.h - the raw bytes of every port with their arrival times, and what was commanded, on their way into a .wire
 * file (docs/capture.md). A ring in memory and a thread of their own: neither acquisition nor the archive ever waits for a
 * capture, and what it cannot keep it counts. Puts: the engine's thread. Status: any thread. */
#pragma once
#include "record.h"

struct capture;
struct capture_status {
    uint64_t records, file_bytes; /* written */
    uint64_t lost_records;        /* the ring was full, or the disk refused them */
    char error[128];              /* what the disk says now; "" nothing */
};
/* Makes `path` (-EEXIST if it is there) and a ring of `ring_bytes` in `ring_dir`, and starts the thread. */
int capture_new(const char *path, const char *ring_dir, size_t ring_bytes, struct capture **ret);
/* NULL is fine for all below. What a port sent or what became of it: one of RECORD_BYTES, RECORD_PORT, RECORD_ABSENT. */
void capture_put(struct capture *c, enum record_type type, unsigned plate, const struct record_moment *at, const void *bytes,
                 size_t n);
/* A record that steers the core, as the ring of the recording has it (RECORD_STATION: what is configured, as JSON). */
void capture_record(struct capture *c, const struct record_header *h, const void *payload, size_t n);
void capture_free(struct capture *c); /* writes what is left, and stops the thread */
const char *capture_path(const struct capture *c);
void capture_status(struct capture *c, struct capture_status *ret);
