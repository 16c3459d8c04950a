/* io/journal.h - the append-only file of records beside an archive that is not sealed yet: until then, it is the truth.
 * One thread. A torn tail (power cut, kill) is cut off at the last whole record when read. */
#pragma once
#include "record.h"

struct journal;
/* Makes `path` afresh; -EEXIST if it is there. Header: magic, version, record_schema(), path of the ring (truncated to fit). */
int journal_create(const char *path, const char *ring_path, struct journal **ret);
/* The same file under another magic, with no ring: a capture of the bytes of the ports (docs/capture.md). */
int journal_create_capture(const char *path, struct journal **ret);
/* write(2)s at once, so that what was appended survives the process and the ring's tail may move. On error nothing of the
 * record counts as appended, the file is cut back to the last whole record, and the same record can be appended again
 * later. -errno of write(2). */
int journal_append(struct journal *j, const struct record_header *h, const void *payload);
/* fdatasync: what was appended survives a power cut. After a failure the kernel may have forgotten what it could not write:
 * nothing since the last sync counts as appended, and has to be appended again. */
int journal_sync(struct journal *j);
/* Is the file still there under its name? If not (its folder was removed, another disk was mounted over it), what was appended
 * is in nobody's reach. */
bool journal_reachable(const struct journal *j, const char *path);
/* Writes all of it to a new file at `path`, synced, and goes on there. On failure nothing has changed. */
int journal_move(struct journal *j, const char *path);
uint64_t journal_bytes(const struct journal *j);
void journal_close(struct journal *j); /* syncs; NULL is fine */
/* fsyncs the folder of `path`: a name made or changed there lasts through a power cut. */
int journal_sync_folder(const char *path);

struct journal_reader;
/* -EPROTO: not a journal or another version. *ret_same_schema false: derived records are not to be read. */
int journal_open(const char *path, struct journal_reader **ret, bool *ret_same_schema);
int journal_open_capture(const char *path, struct journal_reader **ret);
const char *journal_ring_path(const struct journal_reader *j);
/* 0, -ENODATA at the end (of what is whole), -errno. The payload stays valid until the next call. */
int journal_next(struct journal_reader *j, struct record_header *ret_header, const void **ret_payload);
/* Bytes that belong to no whole record: 0 unless the end is torn (or something within is damaged, which is passed over).
 * Known after -ENODATA. */
uint64_t journal_torn_bytes(const struct journal_reader *j);
void journal_reader_close(struct journal_reader *j);
