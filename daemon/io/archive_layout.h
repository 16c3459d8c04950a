/* io/archive_layout.h - what the archive's writer and reader share: the tables as columns, and how a row becomes bytes.
 * Private to archive*.c. One thread. */
#pragma once
#include "archive.h"
#include <hdf5.h>

#define ARCHIVE_FORMAT "plated-trace"
enum { ARCHIVE_FORMAT_VERSION = 1, ARCHIVE_CONFIG_MAX = 60000, ARCHIVE_WORD_SIZE = 24, ARCHIVE_ROW_MAX = 4096 };

enum archive_table_id {
    ARCHIVE_CLOCK, /* these two once per plate */
    ARCHIVE_GAPS,
    ARCHIVE_CALIBRATIONS, /* these once, in the root */
    ARCHIVE_SESSION,
    ARCHIVE_MARKS,
    ARCHIVE_REPS,
    ARCHIVE_FINDINGS,
    ARCHIVE_SETS,
    ARCHIVE_ASYMMETRY,
    ARCHIVE_IMBALANCE, /* these two are not in every trace */
    ARCHIVE_CORRECTIONS,
    ARCHIVE_TABLES
};
/* Rows whose struct in archive.h or record.h has no form that a column table can speak of. */
struct archive_gap_row {
    uint64_t row, sample, count;
    int32_t reason, estimated;
};
struct archive_calibration_row {
    char plate[PLATE_NAME_SIZE];
    uint64_t sample;
    struct record_calibration record;
};

/* A table: `columns`, then `more` of a struct that lies at more_offset in the row's struct. In the file a row is packed in
 * that order: a PLATE_COL_ENUM is text of ARCHIVE_WORD_SIZE, an F64 larger than a double is an array (of rows of
 * PLATE_MAX_CELLS where it is larger than one). */
struct archive_table {
    const char *name;
    const struct plate_column *columns, *more;
    size_t more_offset, row_size;
    hsize_t chunk_rows;
};
extern const struct archive_table archive_tables[ARCHIVE_TABLES];

/* Column i and its offset in the row's struct; NULL after the last. */
const struct plate_column *archive_column(const struct archive_table *t, unsigned i, size_t *ret_offset);
/* The packed compound type; the caller closes it. Negative: out of memory. */
hid_t archive_row_type(const struct archive_table *t);
void archive_row_pack(const struct archive_table *t, const void *row, uint8_t *bytes);
void archive_row_unpack(const struct archive_table *t, const uint8_t *bytes, void *row);
/* A packed row of what a missing column reads as: NaN, 0, "". */
void archive_row_blank(const struct archive_table *t, uint8_t *bytes);

hid_t archive_text_type(size_t size);
/* Properties for opening and creating: no HDF5 file locking, strong close; `latest`: what SWMR needs. Also silences HDF5. */
hid_t archive_access(bool latest);
/* Words for *ret_error (may be NULL), with HDF5's own innermost reason after them. Returns -errno of the system call
 * that HDF5 says has failed, else rc. */
int archive_fail(struct archive_error *ret_error, int rc, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Every call of HDF5 forgets the errors of the one before: what has failed is kept over the clean-up behind it. */
static inline hid_t archive_keep_errors(bool ok) { return ok ? H5I_INVALID_HID : H5Eget_current_stack(); }
static inline void archive_restore_errors(hid_t kept)
{
    if (kept >= 0) H5Eset_current_stack(kept);
}

/* SHA-256 in hex of what the file says as of sealing: docs/archive.md has the recipe. */
int archive_digest(hid_t file, const struct archive_pulse *pulse, char ret[65], struct archive_error *ret_error);
/* 0; -EBADMSG: not sealed, or the digest is another one; -EIO and others: cannot be read. */
int archive_check_digest(struct archive_reader *r, const struct archive_pulse *pulse, struct archive_error *ret_error);

/* The checksums behind the HDF5 file, made anew; synced. -errno. */
int archive_footer_write(const char *path, const struct archive_pulse *pulse);
/* 0: every byte is as it was written; -ENOENT: no footer (not sealed, or another program has written the file since); -EBADMSG:
 * damaged, and each place was told to `breach`; other -errno of reading. HDF5 has no part in it. */
int archive_footer_check(const char *path, void (*breach)(void *user, const char *text), void *user);

/* The side file that says "somebody writes this": HDF5's own lock would also shut out readers. -EBUSY: somebody does. */
int archive_lock(const char *path, char **ret_path, int *ret_fd, struct archive_error *ret_error);
void archive_unlock(char *lock_path, int fd); /* fd < 0 is fine */

/* The writer of a sealed file, to append rows to its tables; archive_abandon closes it without sealing it again. */
int archive_reopen(const char *path, struct archive_writer **ret, struct archive_error *ret_error);

/* Sealing's view of a writer: closes it without sealing (NULL is fine); rows of counts so far (0: no such plate). */
int archive_abandon(struct archive_writer *w); /* -EIO: what was written may not be in the file */
void archive_beat_while_closing(struct archive_writer *w, const struct archive_pulse *pulse);
static inline void archive_beat(const struct archive_pulse *pulse)
{
    if (pulse) pulse->beat(pulse->user);
}
uint64_t archive_written_rows(const struct archive_writer *w, unsigned plate);

/* Reading, beneath the tables. */
bool archive_get_number(hid_t at, const char *name, hid_t type, void *ret); /* a scalar attribute */
int archive_dataset_rows(hid_t dataset, uint64_t *ret, hsize_t *ret_cells); /* -EPROTO; ret_cells may be NULL: 1 of a table */
bool archive_read_rows(hid_t dataset, hid_t type, int rank, uint64_t row, uint64_t n, hsize_t cells, void *ret);
