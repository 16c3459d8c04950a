/* app/config.h - plated.yaml: read by libcyaml, checked, printed. Any thread; no global state.
 * One table (config_keys, config_schema.h) holds every key with its type, default, range and help; the schema, the
 * defaults, the checks and --print-config come from it, and a test holds config/plated.yaml and docs/configuration.md to it. */
#pragma once
#include "../io/recording.h"
#include "plate/intake.h"
#include "plate/station.h"
#include <stdio.h>

/* As given in the file: strings are never NULL, an optional number that is not given is NaN. */
struct config_cell {
    char *name;
    double x_mm, y_mm; /* NaN: not given; front_left... get them from width_mm and length_mm */
    double gain, offset;
};
struct config_row { /* of the calibration matrix: one number per cell */
    double cell[PLATE_MAX_CELLS];
    unsigned cells; /* 0: the row is not given */
};
struct config_words { /* a list of words of one kind; their values */
    unsigned word[PLATE_PLAN_SIDES];
    unsigned count;
};
struct config_plate {
    char *name;
    enum plate_side side;
    char *port;
    unsigned baud;
    char *decoder;
    double rate_Hz;
    double count_scale;
    char *calibration;          /* path of a calibration file; what it says is in the values */
    unsigned limit_counts;      /* where the cells saturate; 0: not known */
    bool count_scale_given;     /* else it is the decoder's own */
    double width_mm, length_mm; /* distance between the cells, left to right and back to front; 0: not given */
    double surface_z_mm;
    struct config_cell *cells;
    unsigned cells_count;
    struct {
        struct config_row Fx, Fy, Fz, Mx, My, Mz;
    } matrix; /* Fz alone, or all six; none: the gains */
    struct plate_csv_options csv;
};
struct config {
    char *station, *archive_dir, *ring_dir;
    double ring_s, part_h, part_MB;
    bool capture;                        /* keep the raw bytes of every port */
    bool autostart;                      /* record from the first sample on, without waiting for `platectl start` */
    char *subject, *exercise, *protocol; /* protocol: path of a protocol file, relative to the configuration */
    enum plate_side side;
    double body_mass_kg, load_kg, set_rest_s;
    struct config_words sides; /* who works in which set, in turn; none: no plan */
    unsigned sets, reps;       /* what the protocol asks for; 0: not said */
    double rest_s;             /* the rest it asks for between sets; NaN: not said */
    struct {
        unsigned order;
        double cutoff_Hz; /* NaN: 50 Hz or a quarter of the rate */
    } filter;
    struct {
        double threshold_pct;
        char *primary;
        enum plate_side involved;
    } asymmetry;
    struct {
        char *data, *control;
        char *secret_key, *clients; /* paths; both or neither */
        unsigned publish_interval_ms, preview_interval_ms, high_water, history_MB;
        bool cells;
    } stream;
    struct plate_protocol_targets targets;
    struct config_plate *plates;
    unsigned plates_count;
    char *text; /* the whole configuration as one YAML text, defaults filled in, protocol included: what the archive keeps */
};
struct config_error {
    char text[512]; /* "FILE:LINE: KEY: what, and what to do"; entries of a list count from 0: plates[0].port */
};

#define CONFIG_MAX_BYTES (1u << 20)

/* 0; -EINVAL: the text says something wrong; -EFBIG; -ENOMEM; -errno of reading. *ret_error is filled on failure alone.
 * A protocol file fills in what the configuration itself does not say. */
int config_load(const char *path, struct config *ret, struct config_error *ret_error);
/* From @config of an archive: `name` stands for the file in errors. Reads no file: `protocol` is then only a name, since
 * what it said is in the text. config_parse of config.text gives an equal configuration. */
int config_parse(const char *text, size_t n, const char *name, struct config *ret, struct config_error *ret_error);
void config_done(struct config *c);                   /* c is all zero afterwards; NULL is fine */
int config_print(const struct config *c, FILE *file); /* writes c->text; -errno */

/* The pieces that other modules take. `ret` points into c where it holds strings. */
void config_station(const struct config *c, struct plate_station_config *ret);
void config_decoder(const struct config_plate *p, struct plate_decoder_config *ret);
int config_intake(const struct config_plate *p, struct plate_intake *ret); /* as plate_intake_init; p must outlive it */
void config_calibration(const struct config_plate *p, struct plate_calibration *ret);
void config_recording(const struct config *c,
                      struct recording *ret);       /* plates and station; the caller adds name, times, config */
double config_tick_s(const struct config_plate *p); /* seconds per tick of the device's clock; 0: it has none */
/* The i-th key of `targets` and its value, NaN if it is not asked; NULL behind the last. */
const char *config_target(const struct config *c, unsigned i, double *ret);
/* ring_dir, else $XDG_RUNTIME_DIR if it can be written, else /dev/shm. -ENAMETOOLONG. */
int config_ring_dir(const struct config *c, char *ret, size_t size);
