/* io/archive_reader.h - an open recording: its files, one after another. Private to archive_open.c and archive_read.c. */
#pragma once
#include "archive_layout.h"

struct part_plate {
    hid_t counts, clock, gaps;
    unsigned cells;
    uint64_t rows, first, span; /* span: as sealed */
};
struct part {
    hid_t file;
    bool live; /* opened as a file that may still grow */
    bool continued;
    struct archive_info info;
    struct part_plate plate[PLATE_MAX_PLATES];
    hid_t table[ARCHIVE_TABLES]; /* those of the root */
};
struct archive_reader {
    struct recording recording; /* as the first part says */
    char *path;                 /* of the first part; NULL: no others are looked for */
    struct part *part;
    unsigned parts;
};
