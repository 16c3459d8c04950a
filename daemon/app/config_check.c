#include "config_schema.h"
#include "endpoint.h"
#include "plate/asymmetry.h"
#include "port_find.h"
#include <math.h>
#include <string.h>

#define RAW_COUNT_SCALE 0.01 /* of a device that does not say what a count is */

static int cells_check(const struct config_source *src, const struct config_plate *p, const char *path)
{
    char at[CONFIG_PATH_SIZE];
    unsigned placed = 0;
    if ((p->width_mm > 0) != (p->length_mm > 0)) {
        snprintf(at, sizeof at, "%s.%s", path, p->width_mm > 0 ? "width_mm" : "length_mm");
        return config_fail(src, at, "needs %s beside it, give both or neither", p->width_mm > 0 ? "length_mm" : "width_mm");
    }
    for (unsigned i = 0; i < p->cells_count; i++) {
        const struct config_cell *c = &p->cells[i];
        snprintf(at, sizeof at, "%s.cells[%u]", path, i);
        for (unsigned j = 0; j < i; j++)
            if (strcmp(c->name, p->cells[j].name) == 0)
                return config_fail(src, at, "a second cell '%s', give each its own name", c->name);
        if (isnan(c->x_mm) != isnan(c->y_mm))
            return config_fail(src, at, "has one coordinate only, give x_mm and y_mm or neither");
        struct plate_cell place;
        config_cell_place(p, c, &place);
        if (!isnan(place.x_mm)) placed++;
    }
    for (unsigned i = 0; placed && placed < p->cells_count && i < p->cells_count; i++) {
        struct plate_cell place;
        config_cell_place(p, &p->cells[i], &place);
        if (!isnan(place.x_mm)) continue;
        snprintf(at, sizeof at, "%s.cells[%u]", path, i);
        return config_fail(src, at, "'%s' has no position while others have, give x_mm and y_mm", place.name);
    }
    if (placed || !(p->width_mm > 0)) return 0;
    snprintf(at, sizeof at, "%s.width_mm", path);
    return config_fail(src, at,
                       "places corner cells, name the cells front_left, front_right, back_left, back_right or remove it");
}

static int calibration_check(const struct config_source *src, const struct config_plate *p, const char *path)
{
    char at[CONFIG_PATH_SIZE];
    unsigned rows = 0;
    snprintf(at, sizeof at, "%s.matrix", path);
    for (unsigned i = 0; i < PLATE_MAX_COMPONENTS; i++) {
        const unsigned n = config_matrix_row(p, i)->cells;
        rows += n > 0;
        if (n > 0 && n != p->cells_count)
            return config_fail(src, at, "a row has %u numbers, give one for each of the %u cells", n, p->cells_count);
    }
    if (rows != 0 && rows != PLATE_MAX_COMPONENTS && !(rows == 1 && p->matrix.Fz.cells))
        return config_fail(src, at, "has %u rows, give Fz alone or all of Fx Fy Fz Mx My Mz", rows);
    for (unsigned i = 0; rows && i < p->cells_count; i++)
        if (p->cells[i].gain != 1) {
            snprintf(at, sizeof at, "%s.cells[%u].gain", path, i);
            return config_fail(src, at, "a gain beside a matrix, put it into the matrix");
        }
    struct plate_calibration c;
    config_calibration(p, &c);
    if (p->count_scale == 0) {
        snprintf(at, sizeof at, "%s.count_scale", path);
        return config_fail(src, at, "is 0, give the newtons of one count");
    }
    if (plate_calibration_check(&c) < 0)
        return config_fail(src, path, "the calibration makes no sense, give gains or a matrix that are not all 0");
    return 0;
}

static int decoder_check(const struct config_source *src, const struct config_plate *p, bool csv_given, const char *path)
{
    char at[CONFIG_PATH_SIZE];
    snprintf(at, sizeof at, "%s.decoder", path);
    if (!plate_protocol_find(p->decoder)) {
        char list[160] = "";
        size_t n = 0;
        for (const struct plate_protocol *const *i = plate_protocols; *i && n < sizeof list; i++)
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i == plate_protocols ? "" : ", ", (*i)->name);
        return config_fail(src, at, "'%s' is not known, give one of: %s", p->decoder, list);
    }
    const struct plate_csv_options *o = &p->csv;
    const bool csv = strcmp(p->decoder, "csv") == 0;
    snprintf(at, sizeof at, "%s.csv", path);
    if (csv_given && !csv)
        return config_fail(src, at, "has no meaning for decoder %s, remove it or write `decoder: csv`", p->decoder);
    if (csv && o->decimal_comma && o->separator == ',')
        return config_fail(src, at, "the comma cannot separate columns and decimals, give another separator");
    if (csv && o->time_column >= o->first_column && o->time_column < o->first_column + p->cells_count)
        return config_fail(src, at, "time_column %u is one of the cells' columns %u to %u, correct one", o->time_column,
                           o->first_column, o->first_column + p->cells_count - 1);
    struct plate_decoder_config dc;
    struct plate_decoder d;
    config_decoder(p, &dc);
    if (plate_decoder_init(&d, &dc) < 0)
        return config_fail(src, csv ? at : path, "decoder %s cannot work with these options and %u cells, see docs/devices",
                           p->decoder, p->cells_count);
    return 0;
}

static void plate_complete(struct config_plate *p)
{
    if (p->csv.first_column == 0) p->csv.first_column = p->csv.time_column == 1 ? 2 : 1;
    if (p->csv.time_column == 0) p->csv.time_unit_s = 0;
    p->count_scale_given = !isnan(p->count_scale);
    if (p->count_scale_given) return;
    struct plate_decoder_config dc;
    struct plate_decoder d;
    config_decoder(p, &dc);
    const bool fixed = plate_decoder_init(&d, &dc) == 0 && d.count_scale_N > 0;
    p->count_scale = fixed ? d.count_scale_N : RAW_COUNT_SCALE;
}

static int plate_check(const struct config_source *src, const struct config *c, unsigned index, bool csv_given)
{
    const struct config_plate *p = &c->plates[index];
    char path[CONFIG_PATH_SIZE], at[CONFIG_PATH_SIZE];
    snprintf(path, sizeof path, "plates[%u]", index);
    for (unsigned i = 0; i < index; i++) {
        const struct config_plate *other = &c->plates[i];
        snprintf(at, sizeof at, "%s.name", path);
        if (strcmp(p->name, other->name) == 0)
            return config_fail(src, at, "a second plate '%s', give each its own name", p->name);
        snprintf(at, sizeof at, "%s.port", path);
        if (strcmp(p->port, other->port) == 0)
            return config_fail(src, at, "'%s' is the port of plate %s already, give each plate its own", p->port, other->name);
    }
    snprintf(at, sizeof at, "%s.port", path);
    if (port_is_usb(p->port) && !port_usb_valid(p->port))
        return config_fail(src, at, "'%s' names no USB device, write usb:VENDOR:PRODUCT:SERIAL as platectl ports prints it",
                           p->port);
    snprintf(at, sizeof at, "filter.cutoff_Hz");
    if (c->filter.cutoff_Hz >= p->rate_Hz / 2)
        return config_fail(src, at, "%g Hz is too high for plate %s, give less than half of its %g Hz", c->filter.cutoff_Hz,
                           p->name, p->rate_Hz);
    int r = cells_check(src, p, path);
    if (r == 0) r = decoder_check(src, p, csv_given, path);
    if (r == 0) r = calibration_check(src, p, path);
    return r;
}

static int top_check(const struct config_source *src, const struct config *c)
{
    if (strchr(c->station, '/')) return config_fail(src, "station", "holds a slash, which no file name can, remove it");
    const char *const endpoints[][2] = {{"stream.data", c->stream.data}, {"stream.control", c->stream.control}};
    for (unsigned i = 0; i < 2; i++)
        if (strncmp(endpoints[i][1], "tcp://", 6) != 0 && strncmp(endpoints[i][1], "ipc://", 6) != 0)
            return config_fail(src, endpoints[i][0], "'%s' is not an endpoint, write tcp://127.0.0.1:PORT or ipc://PATH",
                               endpoints[i][1]);
    if (!*c->stream.secret_key != !*c->stream.clients)
        return config_fail(src, *c->stream.clients ? "stream.clients" : "stream.secret_key",
                           "is half of what keys need, give secret_key and clients");
    for (unsigned i = 0; i < 2; i++)
        if (!*c->stream.secret_key && !endpoint_is_local(endpoints[i][1]))
            return config_fail(src, endpoints[i][0],
                               "other machines could reach '%s', give secret_key and clients beside it (docs/security.md) or "
                               "bind to 127.0.0.1",
                               endpoints[i][1]);
    if (strcmp(c->stream.data, c->stream.control) == 0)
        return config_fail(src, "stream.control", "is the same as stream.data, give another");
    if (c->targets.cop_y_min_mm >= c->targets.cop_y_max_mm)
        return config_fail(src, "targets.cop_y_min_mm", "is not below cop_y_max_mm, swap them");
    if (isnan(c->targets.turn_min_s) != isnan(c->targets.impact_max_pct))
        return config_fail(src, isnan(c->targets.turn_min_s) ? "targets.impact_max_pct" : "targets.turn_min_s",
                           "is half of what a bounce is, give turn_min_s and impact_max_pct");
    const struct plate_metric *m = plate_metrics;
    while (m->name && strcmp(m->name, c->asymmetry.primary) != 0) m++;
    if (*c->asymmetry.primary && !m->name)
        return config_fail(src, "asymmetry.primary", "'%s' is not a metric that is compared, see docs/asymmetry.md",
                           c->asymmetry.primary);
    return 0;
}

int config_check(const struct config_source *src, struct config *c)
{
    unsigned n, csv = 0, plates = 0;
    const struct config_key *keys = config_section_keys(CONFIG_TOP, &n);
    while (strcmp(keys[plates].name, "plates") != 0) plates++;
    keys = config_section_keys(CONFIG_PLATE, &n);
    while (strcmp(keys[csv].name, "csv") != 0) csv++;
    int r = top_check(src, c);
    for (unsigned i = 0; i < c->plates_count && r == 0; i++) {
        plate_complete(&c->plates[i]);
        const struct config_slot *slots = (const struct config_slot *)src->slots[plates].p + (size_t)n * i;
        r = plate_check(src, c, i, slots[csv].p != NULL);
    }
    return r;
}
