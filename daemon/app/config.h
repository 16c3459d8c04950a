/* app/config.h - plated.yaml: read by libcyaml, checked, printed. Any thread; no global state.
 * One table (config_keys) holds every key with its type, default, range and help; schema, defaults, --print-config and
 * config/plated.yaml come from it. */
#pragma once
#include "../io/recording.h"
#include "plate/decode.h"
#include "plate/station.h"

struct config_cell {
    char *name;
    double x_mm, y_mm; /* NaN: not given; front_left... get them from width_mm and length_mm */
    double gain, offset;
};
struct config_plate {
    char *name;
    enum plate_side side;
    char *port;
    unsigned baud;
    char *decoder;
    double rate_Hz;
    double count_scale;
    double width_mm, length_mm; /* distance between the cells, left to right and back to front; 0: not given */
    double surface_z_mm;
    struct config_cell *cells;
    unsigned cells_count;
    double **matrix; /* rows of cells_count numbers: 1 (Fz) or 6; NULL: the gains */
    unsigned *matrix_cells; unsigned matrix_count;
    struct plate_csv_options csv;
};
struct config {
    char *station, *archive_dir, *ring_dir;
    double ring_s;
    bool autostart; /* record from the first sample on, without waiting for `platectl start` */
    char *subject, *exercise, *protocol; /* protocol: path of a protocols/*.yaml, relative to the configuration */
    enum plate_side side;
    double body_mass_kg, load_kg, set_rest_s;
    struct { unsigned order; double cutoff_Hz; } filter;
    struct { double threshold_pct; char *primary; enum plate_side involved; } asymmetry;
    struct { char *data, *control; unsigned publish_interval_ms, high_water; bool cells; } stream;
    struct plate_protocol_targets targets; /* from the protocol file */
    struct config_plate *plates;
    unsigned plates_count;
    char *text; /* the whole configuration as one YAML text, defaults filled in, protocol included: what the archive keeps */
};
struct config_error { char text[512]; }; /* "FILE:LINE: KEY: what, and what to do" */

int config_load(const char *path, struct config *ret, struct config_error *ret_error);
/* From @config of an archive: `name` stands for the file in errors. */
int config_parse(const char *text, size_t n, const char *name, struct config *ret, struct config_error *ret_error);
void config_done(struct config *c);
/* The pieces that other modules take. */
void config_station(const struct config *c, struct plate_station_config *ret);
void config_decoder(const struct config_plate *p, struct plate_decoder_config *ret);
void config_calibration(const struct config_plate *p, struct plate_calibration *ret);
void config_recording(const struct config *c, struct recording *ret); /* plates and station; the caller adds name, times, config */
double config_tick_s(const struct config_plate *p); /* csv: time_unit_s; native: 1e-6 */
