#include "config_schema.h"
#include <string.h>

static const struct config_word sides[] = {
    {"none", PLATE_SIDE_NONE}, {"left", PLATE_SIDE_LEFT}, {"right", PLATE_SIDE_RIGHT}, {"both", PLATE_SIDE_BOTH}, {NULL, 0}};
static const struct config_word one_side[] = {
    {"none", PLATE_SIDE_NONE}, {"left", PLATE_SIDE_LEFT}, {"right", PLATE_SIDE_RIGHT}, {NULL, 0}};
static const struct config_word orders[] = {{"2", 2}, {"4", 4}, {"6", 6}, {"8", 8}, {NULL, 0}};
static const struct config_word separators[] = {{",", ','}, {";", ';'}, {"tab", '\t'}, {"space", ' '}, {NULL, 0}};
static const struct config_word units[] = {{"N", 1}, {"kg", 9.80665}, {"g", 0.00980665}, {"lb", 4.4482216152605}, {NULL, 0}};
static const struct config_word time_units[] = {{"s", 1}, {"ms", 1e-3}, {"us", 1e-6}, {NULL, 0}};

#define MEMBER(type, member) offsetof(struct type, member), sizeof(((struct type *)0)->member)
#define AT(type, member) MEMBER(type, member), 0
#define LIST_AT(type, member)                                                                                                  \
    offsetof(struct type, member), sizeof(*((struct type *)0)->member), offsetof(struct type, member##_count)
#define TEXT_MAX (PLATE_TEXT_SIZE - 1)
#define PATH_MAX_BYTES 200 /* a ring's path must fit struct recording */

/* clang-format off */
const struct config_key config_keys[] = {
    {CONFIG_TOP, "station", CONFIG_TEXT, AT(config, station), "station", 1, TEXT_MAX, NULL, 0, false, "",
     "name of this station; stands in every message and archive"},
    {CONFIG_TOP, "archive_dir", CONFIG_TEXT, AT(config, archive_dir), "traces", 1, PATH_MAX_BYTES, NULL, 0, false, "",
     "folder of the recordings, relative to the working directory"},
    {CONFIG_TOP, "ring_dir", CONFIG_TEXT, AT(config, ring_dir), "", 0, PATH_MAX_BYTES, NULL, 0, false, "",
     "folder of the ring, in memory; empty: $XDG_RUNTIME_DIR if it can be written, else /dev/shm"},
    {CONFIG_TOP, "ring_s", CONFIG_NUMBER, AT(config, ring_s), "60", 60, 3600, NULL, 0, false, "s",
     "how long a stall of the disk the ring holds out"},
    {CONFIG_TOP, "part_h", CONFIG_NUMBER, AT(config, part_h), "1", 0, 1000, NULL, 0, false, "h",
     "a recording goes on in another file after so long; 0: never"},
    {CONFIG_TOP, "part_MB", CONFIG_NUMBER, AT(config, part_MB), "2000", 0, 1e6, NULL, 0, false, "MB",
     "and after so much in its journal; 0: never"},
    {CONFIG_TOP, "autostart", CONFIG_BOOL, AT(config, autostart), "true", 0, 0, NULL, 0, false, "",
     "record from the first sample on; false: wait for `platectl start`"},
    {CONFIG_TOP, "capture", CONFIG_BOOL, AT(config, capture), "false", 0, 0, NULL, 0, false, "",
     "keep the raw bytes of every port in a .wire file in archive_dir, one for each start of plated"},
    {CONFIG_TOP, "subject", CONFIG_TEXT, AT(config, subject), "", 0, TEXT_MAX, NULL, 0, false, "",
     "who trains, as it stands in the archive; a code rather than a name"},
    {CONFIG_TOP, "exercise", CONFIG_TEXT, AT(config, exercise), "single_leg_hip_thrust", 1, TEXT_MAX, NULL, 0, true, "",
     "what is done at the start; `generic` when nobody says"},
    {CONFIG_TOP, "side", CONFIG_WORD, AT(config, side), "none", 0, 0, sides, 0, false, "",
     "working side at the start, for a plate with no side of its own"},
    {CONFIG_TOP, "protocol", CONFIG_TEXT, AT(config, protocol), "", 0, PATH_MAX_BYTES, NULL, 0, false, "",
     "a protocol file, relative to this file's folder; what this file says itself wins"},
    {CONFIG_TOP, "sides", CONFIG_WORDS, AT(config, sides), "", 0, PLATE_PLAN_SIDES, sides, 0, true, "",
     "who works in which set, in turn and over again, as [left, right]; without it the operator says"},
    {CONFIG_TOP, "sets", CONFIG_WHOLE, AT(config, sets), "0", 0, 1000, NULL, 0, true, "",
     "sets planned for each leg; 0: not said"},
    {CONFIG_TOP, "reps", CONFIG_WHOLE, AT(config, reps), "0", 0, 1000, NULL, 0, true, "",
     "repetitions planned for a set; 0: not said"},
    {CONFIG_TOP, "rest_s", CONFIG_NUMBER, AT(config, rest_s), "", 0, 3600, NULL, 0, true, "s",
     "rest planned between sets"},
    {CONFIG_TOP, "body_mass_kg", CONFIG_NUMBER, AT(config, body_mass_kg), "", 1, 500, NULL, 0, false, "kg",
     "the athlete's mass; without it nothing is reported per kilogram"},
    {CONFIG_TOP, "load_kg", CONFIG_NUMBER, AT(config, load_kg), "", 0, 1000, NULL, 0, false, "kg",
     "bar or dumbbell"},
    {CONFIG_TOP, "set_rest_s", CONFIG_NUMBER, AT(config, set_rest_s), "20", 1, 3600, NULL, 0, false, "s",
     "a set ends after so much rest"},
    {CONFIG_TOP, "filter", CONFIG_MAP, AT(config, filter), "", 0, 0, NULL, CONFIG_FILTER, false, "",
     "low-pass of the force of which the peak is taken (Butterworth)"},
    {CONFIG_TOP, "asymmetry", CONFIG_MAP, AT(config, asymmetry), "", 0, 0, NULL, CONFIG_ASYMMETRY, true, "",
     "left against right"},
    {CONFIG_TOP, "stream", CONFIG_MAP, AT(config, stream), "", 0, 0, NULL, CONFIG_STREAM, false, "",
     "ZeroMQ"},
    {CONFIG_TOP, "targets", CONFIG_MAP, AT(config, targets), "", 0, 0, NULL, CONFIG_TARGETS, true, "",
     "what is asked of a repetition; a target that is not given is never found wanting"},
    {CONFIG_TOP, "plates", CONFIG_LIST, LIST_AT(config, plates), "", 1, PLATE_MAX_PLATES, NULL, CONFIG_PLATE, false, "",
     "the platforms"},

    {CONFIG_FILTER, "order", CONFIG_WORD, AT(config, filter.order), "4", 0, 0, orders, 0, false, "",
     "order of the filter"},
    {CONFIG_FILTER, "cutoff_Hz", CONFIG_NUMBER, AT(config, filter.cutoff_Hz), "", 0.1, 10000, NULL, 0, false, "Hz",
     "cut-off, below half of every plate's rate; not given: 50 Hz or a quarter of the rate, whichever is lower"},

    {CONFIG_ASYMMETRY, "threshold_pct", CONFIG_NUMBER, AT(config, asymmetry.threshold_pct), "10", 0.1, 100, NULL, 0, true, "%",
     "difference from which a verdict names a weaker side"},
    {CONFIG_ASYMMETRY, "primary", CONFIG_TEXT, AT(config, asymmetry.primary), "", 0, 39, NULL, 0, true, "",
     "metric that is named first; empty: the one that suits the exercise"},
    {CONFIG_ASYMMETRY, "involved", CONFIG_WORD, AT(config, asymmetry.involved), "none", 0, 0, one_side, 0, true, "",
     "injured or operated side, for the limb symmetry index"},

    {CONFIG_STREAM, "data", CONFIG_TEXT, AT(config, stream.data), "tcp://127.0.0.1:7460", 1, 113, NULL, 0, false, "",
     "endpoint of the data (XPUB); beyond loopback and ipc only with keys"},
    {CONFIG_STREAM, "control", CONFIG_TEXT, AT(config, stream.control), "tcp://127.0.0.1:7461", 1, 113, NULL, 0, false, "",
     "endpoint of the commands (ROUTER); beyond loopback and ipc only with keys"},
    {CONFIG_STREAM, "secret_key", CONFIG_TEXT, AT(config, stream.secret_key), "", 0, PATH_MAX_BYTES, NULL, 0, false, "",
     "the station's secret key, a file of `platectl keygen`, mode 0600; with clients: both sockets speak CURVE (docs/security.md)"},
    {CONFIG_STREAM, "clients", CONFIG_TEXT, AT(config, stream.clients), "", 0, PATH_MAX_BYTES, NULL, 0, false, "",
     "file of the client keys that may watch or command"},
    {CONFIG_STREAM, "publish_interval_ms", CONFIG_WHOLE, AT(config, stream.publish_interval_ms), "20", 0, 1000, NULL, 0, false,
     "ms", "samples are sent together for so long; 0: every read at once"},
    {CONFIG_STREAM, "preview_interval_ms", CONFIG_WHOLE, AT(config, stream.preview_interval_ms), "20", 5, 1000, NULL, 0, false,
     "ms", "preview/ has one row (least, mean, most) for so long"},
    {CONFIG_STREAM, "cells", CONFIG_BOOL, AT(config, stream.cells), "false", 0, 0, NULL, 0, false, "",
     "send the force of each cell as well"},
    {CONFIG_STREAM, "high_water", CONFIG_WHOLE, AT(config, stream.high_water), "1000", 1, 1000000, NULL, 0, false, "messages",
     "kept for a slow subscriber before it loses some"},
    {CONFIG_STREAM, "history_MB", CONFIG_WHOLE, AT(config, stream.history_MB), "8", 0, 1024, NULL, 0, false, "MB",
     "of messages are kept for `snapshot`, for whoever missed some; 0: none"},

    {CONFIG_TARGETS, "hold_min_s", CONFIG_NUMBER, AT(config, targets.hold_min_s), "", 0, 60, NULL, 0, true, "s",
     "shortest hold at the top (finding short_hold)"},
    {CONFIG_TARGETS, "eccentric_min_s", CONFIG_NUMBER, AT(config, targets.eccentric_min_s), "", 0, 60, NULL, 0, true, "s",
     "shortest lowering (finding fast_lowering)"},
    {CONFIG_TARGETS, "hold_cv_max", CONFIG_NUMBER, AT(config, targets.hold_cv_max), "", 0, 1, NULL, 0, true, "",
     "largest SD / mean of the force in the hold (finding unsteady)"},
    {CONFIG_TARGETS, "cop_y_min_mm", CONFIG_NUMBER, AT(config, targets.cop_y_min_mm), "", -5000, 5000, NULL, 0, true, "mm",
     "hindmost centre of pressure in drive and hold (finding heel_bias)"},
    {CONFIG_TARGETS, "cop_y_max_mm", CONFIG_NUMBER, AT(config, targets.cop_y_max_mm), "", -5000, 5000, NULL, 0, true, "mm",
     "foremost centre of pressure in drive and hold (finding toe_bias)"},
    {CONFIG_TARGETS, "sway_path_max_mm", CONFIG_NUMBER, AT(config, targets.sway_path_max_mm), "", 0, 10000, NULL, 0, true, "mm",
     "longest path of the centre of pressure in the hold (finding unsteady)"},
    {CONFIG_TARGETS, "sway_area_max_mm2", CONFIG_NUMBER, AT(config, targets.sway_area_max_mm2), "", 0, 1e6, NULL, 0, true, "mm2",
     "largest 95 % ellipse of the centre of pressure in the hold (finding unsteady)"},
    {CONFIG_TARGETS, "turn_min_s", CONFIG_NUMBER, AT(config, targets.turn_min_s), "", 0, 10, NULL, 0, true, "s",
     "shortest turn-around at the floor, where it comes with an impact (finding bounce)"},
    {CONFIG_TARGETS, "impact_max_pct", CONFIG_NUMBER, AT(config, targets.impact_max_pct), "", 0, 1000, NULL, 0, true, "%",
     "farthest fall of the force at the touch-down, of the held level (finding bounce); with turn_min_s"},
    {CONFIG_TARGETS, "medial_max_mm", CONFIG_NUMBER, AT(config, targets.medial_max_mm), "", 0, 1000, NULL, 0, true, "mm",
     "farthest drift of the centre of pressure to the foot's inner edge in the drive (finding medial_shift)"},
    {CONFIG_TARGETS, "support_drop_max_pct", CONFIG_NUMBER, AT(config, targets.support_drop_max_pct), "", 0, 100, NULL, 0, true,
     "%", "largest lack of held force against the set's first three repetitions (finding low_support)"},

    {CONFIG_PLATE, "name", CONFIG_NAME, AT(config_plate, name), NULL, 0, 0, NULL, 0, false, "",
     "of the plate, in topics and archives: 1 to 32 of A-Z a-z 0-9 _ -"},
    {CONFIG_PLATE, "side", CONFIG_WORD, AT(config_plate, side), "none", 0, 0, sides, 0, false, "",
     "foot that stands on it; none: one plate for both legs in turn"},
    {CONFIG_PLATE, "port", CONFIG_TEXT, AT(config_plate, port), NULL, 1, TEXT_MAX, NULL, 0, false, "",
     "serial port or pty; best a name that stays: usb:VENDOR:PRODUCT:SERIAL, or one of /dev/serial/by-id (`platectl ports`)"},
    {CONFIG_PLATE, "baud", CONFIG_WHOLE, AT(config_plate, baud), "115200", 300, 4000000, NULL, 0, false, "baud",
     "8N1, no flow control"},
    {CONFIG_PLATE, "decoder", CONFIG_TEXT, AT(config_plate, decoder), "native", 1, 23, NULL, 0, false, "",
     "what the device speaks (docs/devices)"},
    {CONFIG_PLATE, "rate_Hz", CONFIG_NUMBER, AT(config_plate, rate_Hz), "1000", 0.1, 100000, NULL, 0, false, "Hz",
     "nominal sample rate; the true one is measured"},
    {CONFIG_PLATE, "count_scale", CONFIG_NUMBER, AT(config_plate, count_scale), "", -1e9, 1e9, NULL, 0, false, "N/count",
     "newtons of one count, or whatever unit the gains expect; not given: the decoder's own, 0.01 for raw counts"},
    {CONFIG_PLATE, "calibration", CONFIG_TEXT, AT(config_plate, calibration), "", 0, PATH_MAX_BYTES, NULL, 0, false, "",
     "what `platectl calibrate` wrote, relative to this file's folder: offsets and matrix; instead of writing them here"},
    {CONFIG_PLATE, "limit_counts", CONFIG_WHOLE, AT(config_plate, limit_counts), "0", 0, 2147483647, NULL, 0, false, "counts",
     "where a cell saturates, to either side; 0: not known, the ends of 16, 24 and 32 bits count as such"},
    {CONFIG_PLATE, "width_mm", CONFIG_NUMBER, AT(config_plate, width_mm), "0", 0, 10000, NULL, 0, false, "mm",
     "between left and right cells; with length_mm it places the four corner cells"},
    {CONFIG_PLATE, "length_mm", CONFIG_NUMBER, AT(config_plate, length_mm), "0", 0, 10000, NULL, 0, false, "mm",
     "between back (heel) and front (toe) cells"},
    {CONFIG_PLATE, "surface_z_mm", CONFIG_NUMBER, AT(config_plate, surface_z_mm), "0", -1000, 1000, NULL, 0, false, "mm",
     "height of the surface over the origin of a six-component sensor"},
    {CONFIG_PLATE, "cells", CONFIG_LIST, LIST_AT(config_plate, cells), "", 1, PLATE_MAX_CELLS, NULL, CONFIG_CELL, false, "",
     "load cells, in the order in which the device sends them"},
    {CONFIG_PLATE, "matrix", CONFIG_MAP, AT(config_plate, matrix), "", 0, 0, NULL, CONFIG_MATRIX, false, "",
     "calibration matrix, one row a component, one number a cell; instead of gains"},
    {CONFIG_PLATE, "csv", CONFIG_MAP, AT(config_plate, csv), "", 0, 0, NULL, CONFIG_CSV, false, "",
     "how the lines of decoder csv look"},

    {CONFIG_CELL, "name", CONFIG_NAME, AT(config_cell, name), NULL, 0, 0, NULL, 0, false, "",
     "front_left, front_right, back_left, back_right for corner cells, or any other name"},
    {CONFIG_CELL, "x_mm", CONFIG_NUMBER, AT(config_cell, x_mm), "", -5000, 5000, NULL, 0, false, "mm",
     "position, to the athlete's right of the middle"},
    {CONFIG_CELL, "y_mm", CONFIG_NUMBER, AT(config_cell, y_mm), "", -5000, 5000, NULL, 0, false, "mm",
     "position, to the toes from the middle"},
    {CONFIG_CELL, "gain", CONFIG_NUMBER, AT(config_cell, gain), "1", -1e9, 1e9, NULL, 0, false, "",
     "newtons per scaled count"},
    {CONFIG_CELL, "offset", CONFIG_NUMBER, AT(config_cell, offset), "0", -1e12, 1e12, NULL, 0, false, "",
     "scaled counts of the empty plate, until it is tared"},

    {CONFIG_MATRIX, "Fx", CONFIG_ROW, AT(config_plate, matrix.Fx), "", -1e9, 1e9, NULL, 0, false, "N", "to the right"},
    {CONFIG_MATRIX, "Fy", CONFIG_ROW, AT(config_plate, matrix.Fy), "", -1e9, 1e9, NULL, 0, false, "N", "to the toes"},
    {CONFIG_MATRIX, "Fz", CONFIG_ROW, AT(config_plate, matrix.Fz), "", -1e9, 1e9, NULL, 0, false, "N",
     "vertical, positive when the plate is loaded"},
    {CONFIG_MATRIX, "Mx", CONFIG_ROW, AT(config_plate, matrix.Mx), "", -1e9, 1e9, NULL, 0, false, "N*m", "about x"},
    {CONFIG_MATRIX, "My", CONFIG_ROW, AT(config_plate, matrix.My), "", -1e9, 1e9, NULL, 0, false, "N*m", "about y"},
    {CONFIG_MATRIX, "Mz", CONFIG_ROW, AT(config_plate, matrix.Mz), "", -1e9, 1e9, NULL, 0, false, "N*m", "about z"},

    {CONFIG_CSV, "separator", CONFIG_WORD, AT(config_plate, csv.separator), ",", 0, 0, separators, 0, false, "",
     "between columns; space: any run of blanks"},
    {CONFIG_CSV, "decimal_comma", CONFIG_BOOL, AT(config_plate, csv.decimal_comma), "false", 0, 0, NULL, 0, false, "",
     "12,5 means 12.5"},
    {CONFIG_CSV, "time_column", CONFIG_WHOLE, AT(config_plate, csv.time_column), "0", 0, 64, NULL, 0, false, "",
     "column of the device's clock, counted from 1; 0: it sends none"},
    {CONFIG_CSV, "time_unit", CONFIG_WORD, AT(config_plate, csv.time_unit_s), "us", 0, 0, time_units, 0, false, "",
     "unit of that clock"},
    {CONFIG_CSV, "time_bits", CONFIG_WHOLE, AT(config_plate, csv.time_bits), "32", 0, 40, NULL, 0, false, "",
     "the clock wraps at 2^time_bits (micros() and millis(): 32); 0: never"},
    {CONFIG_CSV, "first_column", CONFIG_WHOLE, AT(config_plate, csv.first_column), "0", 0, 64, NULL, 0, false, "",
     "column of the first cell, the others follow it; 0: the first that is not the clock"},
    {CONFIG_CSV, "decimals", CONFIG_WHOLE, AT(config_plate, csv.decimals), "0", 0, 6, NULL, 0, false, "",
     "digits after the point that are kept"},
    {CONFIG_CSV, "unit", CONFIG_WORD, AT(config_plate, csv.unit_N), "N", 0, 0, units, 0, false, "",
     "of the cells' columns: N, kg, g or lb; count_scale follows from it"},
    {.name = NULL},
};
/* clang-format on */

const struct config_key *config_section_keys(enum config_section section, unsigned *ret_count)
{
    const struct config_key *first = config_keys;
    while (first->section != section) first++;
    unsigned n = 0;
    while (first[n].name && first[n].section == section) n++;
    *ret_count = n;
    return first;
}

const char *config_section_prefix(enum config_section section)
{
    static const char *const prefix[CONFIG_SECTIONS] = {
        [CONFIG_TOP] = "",
        [CONFIG_FILTER] = "filter.",
        [CONFIG_ASYMMETRY] = "asymmetry.",
        [CONFIG_STREAM] = "stream.",
        [CONFIG_TARGETS] = "targets.",
        [CONFIG_PLATE] = "plates[].",
        [CONFIG_CELL] = "plates[].cells[].",
        [CONFIG_MATRIX] = "plates[].matrix.",
        [CONFIG_CSV] = "plates[].csv.",
    };
    return prefix[section];
}

const struct config_key *config_key_of(enum config_section section, const char *name)
{
    unsigned n;
    const struct config_key *k = config_section_keys(section, &n);
    while (strcmp(k->name, name) != 0) k++;
    return k;
}

struct config_slot *config_slot_of(enum config_section section, struct config_slot *slots, const char *key)
{
    unsigned n;
    return slots + (config_key_of(section, key) - config_section_keys(section, &n));
}
