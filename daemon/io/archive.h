/* io/archive.h - the HDF5 archive: written record by record, read back table by table. docs/archive.md is the layout.
 * All HDF5 of the project is behind this header. One thread for a process's whole use of it (HDF5 is not thread-safe).
 * HDF5's own file locking is switched off; a writer flocks NAME.h5.lock beside the file. */
#pragma once
#include "record.h"
#include "recording.h"

struct ring;
struct archive_error { char text[256]; }; /* what failed, in words; filled on failure */

/* ---- writing ---- */
struct archive_writer;
enum archive_mode {
    ARCHIVE_LIVE,  /* SWMR, no compression, readable while written */
    ARCHIVE_SEALED /* compressed, contiguous in time, marked @sealed and digested at close */
};
/* Makes `path` (exists: truncated). Creates every group, dataset and attribute at once. */
int archive_create(const char *path, enum archive_mode mode, const struct recording *rec, struct archive_writer **ret,
                   struct archive_error *ret_error);
/* Every record but BEGIN; a BLOCK whose samples are (partly) there already is skipped (that part): replay is idempotent.
 * A RECORD_REP also fills /findings. Marks also stand in /marks; RECORD_SESSION in /session. */
int archive_write(struct archive_writer *w, const struct record_header *h, const void *payload, struct archive_error *ret_error);
int archive_flush(struct archive_writer *w);
/* Writes @sealed and @digest in ARCHIVE_SEALED mode. NULL is fine. */
int archive_close(struct archive_writer *w, struct archive_error *ret_error);

/* journal [+ what the ring holds beyond it, NULL if nothing] -> a sealed file at `path`: written as path.tmp, reopened and
 * verified (digest, row counts), fsynced, renamed. The journal and ring are left to the caller to drop.
