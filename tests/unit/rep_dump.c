/* rep_dump RATE_HZ EXERCISE ORDER CUTOFF_HZ < rows of t_s, force_N, cop_x_mm, cop_y_mm (doubles) > a rep a line, for
 * rep_scipy.py. A row whose time is NaN is a hole of as many samples as its force says. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "plate/event.h"
#include "plate/filter.h"

int main(int argc, char **argv)
{
    struct plate_filter filter;
    struct plate_rep_config cfg = {.targets = plate_protocol_targets_none()};
    struct plate_rep_detector *d = malloc(plate_rep_detector_size());
    if (argc == 5) cfg.rate_Hz = strtod(argv[1], NULL), cfg.exercise = argv[2];
    if (argc != 5 || !d ||
        plate_filter_init(&filter, (unsigned)strtoul(argv[3], NULL, 10), strtod(argv[4], NULL), cfg.rate_Hz) < 0) {
        fprintf(stderr, "rep_dump: usage: rep_dump RATE_HZ EXERCISE ORDER CUTOFF_HZ\n");
        return 2;
    }
    cfg.filter_delay_s = plate_filter_delay(&filter) / cfg.rate_Hz;
    if (plate_rep_init(d, &cfg) < 0) return 2;
    for (double row[4]; fread(row, sizeof row, 1, stdin) == 1;) {
        if (isnan(row[0])) {
            plate_rep_gap(d, (uint64_t)row[1]);
            continue;
        }
        struct plate_rep_input in = {row[0], row[1], plate_filter_push(&filter, row[1]), row[2], row[3], false, NAN};
        struct plate_rep_output out;
        char text[PLATE_EVENT_JSON_MAX];
        if (!plate_rep_push(d, &in, &out) || !out.rep_done) continue;
        if (plate_columns_json(plate_rep_columns, &out.rep, text, sizeof text) < 0 || puts(text) < 0) return 1;
    }
    free(d);
    return 0;
}
