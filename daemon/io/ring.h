/* io/ring.h - the ring of records between the engine and the archivist, in a file in memory: it survives the process.
 * Single producer, single consumer, C11 atomics; the two may be different threads. Allocated whole with
 * posix_fallocate or refused; flocked; versioned. Nothing blocks: a full ring refuses the record, and says so by return. */
#pragma once
#include "record.h"

struct ring;
struct ring_counters {
    uint64_t capacity_bytes, used_bytes, highest_used_bytes;
    uint64_t records, refused; /* put, and refused because full */
};

/* Makes DIR/NAME.ring afresh with at least `capacity` payload bytes. -EBUSY: another process holds it. -EEXIST: it
 * holds records of a dead process (recover first). -ENOSPC: `dir` cannot hold it. Other errno of the calls. */
int ring_create(const char *dir, const char *name, size_t capacity, struct ring **ret);
/* Opens what a dead process left, for recovery: read with ring_peek/ring_consume. -EBUSY: its owner lives. -ENOENT.
 * -ENODATA: its making was not finished. -EPROTO: not a ring, or of another version. */
int ring_open(const char *path, struct ring **ret);
/* Unmaps; `unlink_it` when everything in it is safe elsewhere. NULL is fine. */
void ring_close(struct ring *r, bool unlink_it);
const char *ring_path(const struct ring *r);
bool ring_same_schema(const struct ring *r); /* false: written by another build; derived records are not to be read */

/* Producer. Stamps magic, crc and lsn; the payload may come in two pieces (second NULL, 0 if not). -ENOSPC: full
 * (counted); -EMSGSIZE. Use h->type plate sample t_s. */
int ring_put(struct ring *r, const struct record_header *h, const void *a, size_t a_size, const void *b, size_t b_size);
/* Wakes a consumer that waits on ring_fd (otherwise it looks by itself every so often). */
void ring_wake(struct ring *r);

/* Consumer. The record after the last peeked one: 0, -EAGAIN: none; -EBADMSG: damaged (recovery of a torn one). The
 * payload stays valid until ring_consume. */
int ring_peek(struct ring *r, struct record_header *ret_header, const void **ret_payload);
/* Frees everything peeked so far: after it was appended to the journal. */
void ring_consume(struct ring *r);
void ring_unpeek(struct ring *r);  /* the record peeked last is peeked again */
void ring_rewind(struct ring *r);  /* all that were not consumed are */
int ring_fd(const struct ring *r); /* eventfd, readable after ring_wake */

/* Any thread. */
void ring_counters(const struct ring *r, struct ring_counters *ret);
