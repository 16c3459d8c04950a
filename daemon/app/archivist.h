/* app/archivist.h - the thread that owns every HDF5 handle: drains the ring into the journal and the live archive, begins new
 * parts, and seals. It may stall; nobody waits for it but shutdown. */
#pragma once
#include "ring.h"

struct archivist;
struct archivist_limits { /* of a part; 0: none */
    int64_t part_ns;
    uint64_t part_bytes; /* of its journal */
};
struct archivist_status {
    char archive[512];     /* the file that grows, or grew last */
    char last_sealed[512]; /* "" until one was */
    char error[256];       /* what is wrong with the disk now; "" nothing */
    char last_error[256];  /* the latest of `errors`, be it over or not */
    char warning[256];     /* what is about to go wrong */
    char not_sealed[512];  /* the recording that seal_error speaks of */
    char seal_error[256];
    bool sealing, open;
    bool stopped;           /* in order, for want of room: records stay in the ring */
    unsigned part, waiting; /* the part that grows, from 1; files that are to be sealed */
    uint64_t free_bytes;
    uint64_t records, journal_bytes, syncs, errors, damaged;
    uint64_t sealed, files_sealed; /* recordings; their parts */
    uint64_t shape;                /* the part that the latest RECORD_SHAPE asked for is open: which one that was */
    double slowest_write_ms;
};
/* Starts the thread. The ring must be there until archivist_free. */
int archivist_new(struct ring *ring, const char *folder, const struct archivist_limits *limits, struct archivist **ret);
/* Drains, seals what is open and ended, stops the thread. True: everything in the ring is safe on disk. */
bool archivist_finish(struct archivist *a);
void archivist_free(struct archivist *a); /* after archivist_finish; NULL is fine */
void archivist_status(struct archivist *a, struct archivist_status *ret);
/* eventfd: readable when there is news: sealed or not, the disk's error come or gone. */
int archivist_fd(const struct archivist *a);
