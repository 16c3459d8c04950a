/* io/archive_writer.h - an archive that is being written. Private to archive.c, archive_build.c and archive_write.c. */
#pragma once
#include "archive_layout.h"

enum { ARCHIVE_ATTRIBUTES_MOST = 64 }; /* beside each other in an object's header: no index for them */

struct table {
    hid_t dataset;
    uint64_t rows;
};
struct plate {
    char name[PLATE_NAME_SIZE];
    unsigned cells;
    hid_t group, counts;
    struct table clock, gaps;
    uint64_t rows;        /* of counts */
    uint64_t first;       /* sample of this part */
    uint64_t next;        /* the next sample: rows + missing */
    uint64_t gap_end;     /* first sample after the latest gap */
    uint64_t knot_sample; /* of the latest knot */
    uint64_t clock_flushed, gaps_flushed;
};
struct archive_writer {
    hid_t file;
    enum archive_mode mode;
    int lock_fd;
    char *lock_path;
    uint64_t last_lsn;
    bool ended;     /* RECORD_END was written: nobody cut the recording short */
    bool continued; /* RECORD_NEXT was */
    const struct archive_pulse *pulse;
    hid_t row_type[ARCHIVE_TABLES];
    struct table table[ARCHIVE_TABLES]; /* those of the root */
    unsigned plates;
    struct plate plate[PLATE_MAX_PLATES];
    struct archive_error first_failure; /* while the file was being built */
    bool failed;
    uint8_t row[ARCHIVE_ROW_MAX * PLATE_MAX_FINDINGS];
};

/* Every group, dataset and attribute. Calls are made in a row, and the first failure is kept in w->first_failure. */
void archive_build(struct archive_writer *w, const struct recording *rec);
void archive_building(struct archive_writer *w, bool ok, const char *what);
