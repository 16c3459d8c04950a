/* app/archivist.h - the thread that owns every HDF5 handle: drains the ring into the journal and the live archive, and
 * seals. It may stall; nobody waits for it but shutdown. */
#pragma once
#include "ring.h"

struct archivist;
struct archivist_status {
    char archive[512];     /* the file that grows, or grew last */
    char last_sealed[512]; /* "" until one was */
    char error[256];       /* what is wrong with the disk now; "" nothing */
    char seal_error[256];
    bool sealing, open;
    uint64_t records, journal_bytes, syncs, errors, sealed;
    double slowest_write_ms;
};
/* Starts the thread. The ring must be there until archivist_free. */
int archivist_new(struct ring *ring, const char *folder, struct archivist **ret);
/* Drains, seals what is open and ended, stops the thread. True: everything in the ring is safe on disk. */
bool archivist_finish(struct archivist *a);
void archivist_free(struct archivist *a); /* after archivist_finish; NULL is fine */
void archivist_status(struct archivist *a, struct archivist_status *ret);
int archivist_fd(
    const struct archivist *a); /* eventfd: readable when there is news: sealed or not, the disk's error come or gone */
