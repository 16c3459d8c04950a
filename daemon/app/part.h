/* app/part.h - the part of a recording that is being written: its journal, its live file, and what the next part has to say
 * again. A recording that grows long, or for which there is no room, goes on in another file: docs/archive.md. The
 * archivist's thread only, or that of plate-trace; does not log. */
#pragma once
#include "archive.h"
#include "journal.h"

enum { PART_SESSION = 32 };

struct part {
    char path[512], journal_path[520]; /* of the part that is open, or was last */
    struct journal *journal;           /* NULL: no part is open */
    struct archive_writer *live;       /* NULL: not made yet, or given up */
    bool live_given_up;
    struct archive_error live_error; /* why */
    struct recording recording;
    int64_t begun_ns; /* CLOCK_MONOTONIC */
    uint64_t lsn;     /* of the latest record */
    uint64_t next[PLATE_MAX_PLATES];
    bool has_knot[PLATE_MAX_PLATES], has_calibration[PLATE_MAX_PLATES];
    struct plate_clock knot[PLATE_MAX_PLATES];
    struct record_calibration calibration[PLATE_MAX_PLATES];
    uint64_t calibration_sample[PLATE_MAX_PLATES];
    struct record_session session[PART_SESSION]; /* the latest row of each key */
    unsigned sessions;
};

/* A BEGIN record: makes FOLDER/NAME.journal, synced. On failure no part is open. */
int part_begin(struct part *p, const char *folder, const char *ring_path, const struct record_header *h, const void *payload,
               int64_t now_ns);
/* Everything else. Also into the live file, which is made when the first record comes; if it fails, it is given up. */
int part_append(struct part *p, const struct record_header *h, const void *payload);
/* After this what was appended survives a power cut; on failure what came since the last sync must be appended again. If the
 * journal's file has gone, with its folder maybe, it is written anew. */
int part_sync(struct part *p, const char *folder);
/* Its plates have as many cells. */
bool part_has_shape(const struct part *p, const struct recording *shape);
/* Right after a sync: the next part's journal is there with what holds, this one's is ended and closed. `shape`: what its
 * plates are from there on; NULL: what they were. On failure nothing has changed. */
int part_next(struct part *p, const char *folder, const char *ring_path, const struct recording *shape, int64_t now_ns);
/* Right after a sync. */
void part_close(struct part *p);
/* Closes the live file and removes it: its room is wanted. */
void part_drop_live(struct part *p);
