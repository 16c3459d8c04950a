/* io/archive.h - the HDF5 archive: written record by record, read back table by table. docs/archive.md is the layout.
 * All HDF5 of the project is behind this header. One thread for a process's whole use of it (HDF5 is not thread-safe).
 * HDF5's own file locking is switched off; a writer flocks NAME.h5.lock beside the file. */
#pragma once
#include "record.h"
#include "recording.h"

struct ring;
struct archive_error {
    char text[256];
}; /* what failed, in words; filled on failure */

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
int archive_write(struct archive_writer *w, const struct record_header *h, const void *payload,
                  struct archive_error *ret_error);
int archive_flush(struct archive_writer *w);
/* Writes @sealed and @digest in ARCHIVE_SEALED mode. NULL is fine. */
int archive_close(struct archive_writer *w, struct archive_error *ret_error);

/* Sealing a long recording takes a while: `beat` is called every few ms meanwhile, and may write other archives. */
struct archive_pulse {
    void (*beat)(void *user);
    void *user;
};
/* journal [+ what the ring holds beyond it, NULL if nothing] -> a sealed file at `path`: written as path.tmp, reopened and
 * verified (digest, row counts), fsynced, renamed. The journal and ring are left to the caller to drop.
 * A NULL journal_path: the ring alone, from its first BEGIN on. The ring is peeked, never consumed; records with an lsn
 * that the journal has are passed over. -ENODATA: no BEGIN record, so nothing to seal. -EBUSY: somebody writes `path`, so
 * close the live writer first. `pulse` may be NULL. A `path` that is this recording's sealed file already is left alone. On
 * failure `path` is as it was. */
int archive_seal(const char *journal_path, struct ring *ring, const char *path, const struct archive_pulse *pulse,
                 struct archive_error *ret_error);

/* A sealed file that was written aside: its footer, onto the disk, then under its name. `pulse` may be NULL. */
int archive_put_in_place(const char *tmp, const char *path, const struct archive_pulse *pulse, struct archive_error *ret_error);

/* ---- reading: sealed files, live ones while they grow (SWMR), and what a dead writer left ---- */
struct archive_reader;
struct archive_info {
    unsigned format_version;
    int detector_version;
    bool sealed;
    bool ended;      /* sealed: false if the recording was cut short, so that its last derived rows may be missing */
    char digest[65]; /* "" unless sealed */
    unsigned
        parts; /* files that were opened: of several, `sealed` is true of all, `ended` of the last, `digest` of the first */
    bool continued;                          /* the last of them says that there is another, which is not there yet */
    uint64_t sealed_rows[PLATE_EVENT_TYPES]; /* of the table of each kind of event; what follows was put right afterwards */
    uint64_t later_session_rows;             /* of /session: behind what was sealed, from corrections */
};
/* The whole recording, if it is in several files: `path` is any of its parts, the others are beside it. Rows, gaps and tables
 * are then those of all. -ENOENT (also: a part is missing), -EACCES ...; -EPROTO: not a trace, or of a later format. */
int archive_open(const char *path, struct archive_reader **ret, struct archive_error *ret_error);
/* This file alone, even if it is a part: its rows begin at sample first_sample of the plate. */
int archive_open_part(const char *path, struct archive_reader **ret, struct archive_error *ret_error);
/* The path of part `number` (from 1) of the recording whose file `path` is one of, malloced; NULL: out of memory. */
char *archive_part_path(const char *path, unsigned number);
void archive_reader_close(struct archive_reader *r);                       /* NULL is fine */
const struct recording *archive_recording(const struct archive_reader *r); /* lives as long as the reader; name: of the file */
void archive_info(const struct archive_reader *r, struct archive_info *ret);
/* Looks again at a file that grows, and for parts that have come; nothing changes for a sealed one. Row numbers read so far
 * stay what they were. */
int archive_refresh(struct archive_reader *r, struct archive_error *ret_error);
/* Rows of counts of a plate. Row r is sample first_sample + r + all missing before it (its gaps with row <= r). */
uint64_t archive_rows(const struct archive_reader *r, unsigned plate);
/* Samples that the plate's recording spans: rows + missing. */
int archive_span(struct archive_reader *r, unsigned plate, uint64_t *ret, struct archive_error *ret_error);
/* How many cells the plate had at that row: in a part of another shape fewer than archive_recording() says, which is the most.
 */
unsigned archive_cells(const struct archive_reader *r, unsigned plate, uint64_t row);
bool archive_reshaped(const struct archive_reader *r); /* there are such parts */
/* Rows [row, row + n) of counts into ret_counts[n][cells]; 0 for cells that there were none of. -ERANGE: beyond archive_rows.
 */
int archive_counts(struct archive_reader *r, unsigned plate, uint64_t row, size_t n, int32_t *ret_counts,
                   struct archive_error *ret_error);

/* Tables, whole, in the order in which they were written: *ret is malloced (NULL when *ret_n is 0). A column that the
 * file does not have reads as NaN, 0 or "". `plate` is the index in archive_recording(). */
struct archive_knot {
    uint64_t row;
    struct plate_clock clock;
};
struct archive_gap {
    uint64_t row;
    struct plate_gap gap;
}; /* stands before row `row` */
struct archive_calibration {
    unsigned plate;
    uint64_t sample;
    struct record_calibration record;
};
struct archive_rep {
    double t_s;
    struct plate_rep rep;
}; /* with its findings; t_s: when it was known */
struct archive_set {
    double t_s;
    struct plate_set set;
};
struct archive_asymmetry {
    double t_s;
    struct plate_asymmetry asymmetry;
};
struct archive_imbalance {
    double t_s;
    struct plate_imbalance imbalance;
};
struct archive_correction {
    double t_s;
    struct plate_correction correction;
};
int archive_clock(struct archive_reader *r, unsigned plate, struct archive_knot **ret, size_t *ret_n,
                  struct archive_error *ret_error);
int archive_gaps(struct archive_reader *r, unsigned plate, struct archive_gap **ret, size_t *ret_n,
                 struct archive_error *ret_error);
int archive_calibrations(struct archive_reader *r, struct archive_calibration **ret, size_t *ret_n,
                         struct archive_error *ret_error);
int archive_session(struct archive_reader *r, struct record_session **ret, size_t *ret_n, struct archive_error *ret_error);
int archive_marks(struct archive_reader *r, struct plate_mark **ret, size_t *ret_n, struct archive_error *ret_error);
int archive_reps(struct archive_reader *r, struct archive_rep **ret, size_t *ret_n, struct archive_error *ret_error);
int archive_sets(struct archive_reader *r, struct archive_set **ret, size_t *ret_n, struct archive_error *ret_error);
int archive_asymmetries(struct archive_reader *r, struct archive_asymmetry **ret, size_t *ret_n,
                        struct archive_error *ret_error);
/* Empty in a trace that is older than these tables; *ret is NULL then. */
int archive_imbalances(struct archive_reader *r, struct archive_imbalance **ret, size_t *ret_n,
                       struct archive_error *ret_error);
int archive_corrections(struct archive_reader *r, struct archive_correction **ret, size_t *ret_n,
                        struct archive_error *ret_error);
bool archive_has_corrections(const struct archive_reader *r); /* the trace has those tables */

/* ---- correcting ---- */
struct archive_row {
    uint16_t type; /* enum record_type: MARK, SESSION, or what follows from them: SET, ASYMMETRY, IMBALANCE, CORRECTION */
    double t_s;
    void *payload;
    size_t size;
};
/* The path of the recording's last file, malloced: corrections stand there. NULL: out of memory. */
char *archive_last_part(const struct archive_reader *r);
/* Appends rows to a sealed trace, to its last part: to a copy, which is checked against the digest, synced and renamed over it.
 * So the file is at any instant as it was or as it is to be. `marks`: how many the trace has as the caller knows it. -EBUSY:
 * somebody else corrects it, or has since; -EBADMSG: it is not sealed, or damaged. */
int archive_correct(const char *path, size_t marks, const struct archive_row *row, size_t n, struct archive_error *ret_error);

/* ---- verifying ---- */
struct archive_account {
    bool sealed; /* false: there is no digest to check; all else was checked */
    bool footer; /* every byte of its files is as it was written; false: a file has no checksums behind it */
    unsigned plates;
    struct {
        char name[PLATE_NAME_SIZE];
        uint64_t span, rows, missing, estimated, gaps;
    } plate[PLATE_MAX_PLATES];
    unsigned breaches;
};
/* Reads everything: every byte against the footer, before HDF5 sees it; digest, checksums, rows + missing = span, gaps in
 * order, time axis continuous, tables in range. `breach` (may be NULL) gets each breach as one line of text without a line end.
 * 0: sound; -EBADMSG: breached, *ret is filled all the same; other -errno: it cannot be opened or read, *ret_error says why. */
int archive_verify(const char *path, void (*breach)(void *user, const char *text), void *user, struct archive_account *ret,
                   struct archive_error *ret_error);
