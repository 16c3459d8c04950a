/* io/recording.h - what is fixed when a recording begins; a value that goes into the BEGIN record (as JSON) and into
 * the archive's attributes. One thread. */
#pragma once
#include "plate/types.h"

struct recording_plate {
    char name[PLATE_NAME_SIZE], device[PLATE_TEXT_SIZE], device_serial[PLATE_NAME_SIZE];
    char protocol[24];
    double rate_Hz; /* nominal */
    double tick_s;  /* of device_ticks in /clock; 0: no device clock */
    double count_scale;
    uint64_t first_sample; /* of this part */
    unsigned cells;
    struct plate_cell cell[PLATE_MAX_CELLS];
};
struct recording {
    char name[128];         /* of the file, without .h5 */
    unsigned earlier_parts; /* a long recording goes on in further files: how many are before this one */
    char station[PLATE_TEXT_SIZE], session[PLATE_TEXT_SIZE], software[PLATE_TEXT_SIZE];
    char ring[256]; /* path of the ring, "" for an import */
    int64_t created_utc_ns;
    int64_t started_host_ns;
    int detector_version; /* which one made the derived rows; 0: this build's. A copy of an archive keeps the original's */
    char *config;         /* YAML text, malloced: what plate-trace builds the same station from */
    unsigned plates;
    struct recording_plate plate[PLATE_MAX_PLATES];
};
void recording_done(struct recording *r); /* frees config */
/* The name of the file of part `part` (from 1): NAME, NAME.part2, ... `name` is that of any part. */
void recording_part_name(const char *name, unsigned part, char *ret, size_t size);
/* A malloced JSON text, or NULL (out of memory). */
char *recording_to_json(const struct recording *r);
int recording_from_json(const char *text, size_t n, struct recording *ret); /* -EBADMSG */
