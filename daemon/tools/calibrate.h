/* tools/calibrate.h - platectl calibrate: leads through known weights at known places, and writes what came of it to a dated
 * file. Part of platectl: errors are told on standard error, in one line, and come back as an exit code. */
#pragma once
#include "client.h"
#include <stdbool.h>

enum { CALIBRATE_LOADS = 64 };

struct calibrate_load {
    double kg, x_mm, y_mm; /* NaN: its place is not said */
};
struct calibrate_options {
    const char *plate, *output; /* NULL: the only plate; a dated name */
    double gravity, patience_s; /* m/s2; how long to wait for the next load */
    bool hands_free, json;
    struct calibrate_load load[CALIBRATE_LOADS];
    unsigned loads; /* 0: asked for */
};
int calibrate_run(const struct calibrate_options *o, const char *control, double timeout_s, const struct curve *curve);
