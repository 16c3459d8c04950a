#include "config_schema.h"
#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- files ---- */

/* `path` NULL: a text, whose protocol is in it already. */
static int build(const char *text, size_t n, const char *name, const char *path, struct config *ret, struct config_error *error)
{
    struct config_source src = {.name = name, .error = error};
    struct config c = {.text = NULL};
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain) return config_file_fail(&src, -ENOMEM);
    const locale_t before = uselocale(plain); /* 0.5 is a half, whatever the user's language */
    int r = n > CONFIG_MAX_BYTES ? config_file_fail(&src, -EFBIG) : config_source_read(&src, text, n);
    if (r == 0 && path) r = config_merge(&src, path);
    if (r == 0) r = config_section_take(&src, CONFIG_TOP, src.slots, &c, "");
    if (r == 0) r = config_check(&src, &c);
    if (r == 0 && !(c.text = config_to_text(&c))) r = -ENOMEM;
    if (r == -ENOMEM) config_file_fail(&src, r);
    config_source_done(&src);
    uselocale(before);
    freelocale(plain);
    if (r < 0)
        config_done(&c);
    else
        *ret = c;
    return r;
}

int config_load(const char *path, struct config *ret, struct config_error *ret_error)
{
    char *text;
    size_t n;
    int r = config_file_read(path, &text, &n);
    if (r < 0) return config_file_fail(&(struct config_source){.name = path, .error = ret_error}, r);
    r = build(text, n, path, path, ret, ret_error);
    free(text);
    return r;
}

int config_parse(const char *text, size_t n, const char *name, struct config *ret, struct config_error *ret_error)
{
    return build(text, n, name, NULL, ret, ret_error);
}

void config_done(struct config *c)
{
    if (!c) return;
    config_section_done(CONFIG_TOP, (char *)c);
    free(c->text);
    *c = (struct config){.text = NULL};
}

int config_print(const struct config *c, FILE *file)
{
    if (fputs(c->text, file) == EOF || fflush(file) == EOF) return errno ? -errno : -EIO;
    return 0;
}

/* ---- the pieces ---- */

static const struct config_corner {
    const char *name;
    int x, y;
} corners[] = {{"front_left", -1, 1}, {"front_right", 1, 1}, {"back_left", -1, -1}, {"back_right", 1, -1}};

void config_cell_place(const struct config_plate *p, const struct config_cell *cell, struct plate_cell *ret)
{
    snprintf(ret->name, sizeof ret->name, "%s", cell->name);
    ret->x_mm = cell->x_mm;
    ret->y_mm = cell->y_mm;
    if (!isnan(cell->x_mm) || !(p->width_mm > 0)) return;
    for (unsigned i = 0; i < sizeof corners / sizeof *corners; i++)
        if (strcmp(corners[i].name, cell->name) == 0) {
            ret->x_mm = corners[i].x * p->width_mm / 2;
            ret->y_mm = corners[i].y * p->length_mm / 2;
        }
}

const struct config_row *config_matrix_row(const struct config_plate *p, unsigned i)
{
    const struct config_row *const rows[PLATE_MAX_COMPONENTS] = {&p->matrix.Fx, &p->matrix.Fy, &p->matrix.Fz,
                                                                 &p->matrix.Mx, &p->matrix.My, &p->matrix.Mz};
    return rows[i];
}

void config_station(const struct config *c, struct plate_station_config *ret)
{
    plate_station_config_default(ret);
    ret->plates = c->plates_count;
    for (unsigned i = 0; i < c->plates_count; i++) {
        const struct config_plate *p = &c->plates[i];
        struct plate_station_plate *to = &ret->plate[i];
        snprintf(to->name, sizeof to->name, "%s", p->name);
        to->side = p->side;
        to->rate_Hz = p->rate_Hz;
        to->cells = p->cells_count;
        for (unsigned j = 0; j < p->cells_count; j++) config_cell_place(p, &p->cells[j], &to->cell[j]);
    }
    snprintf(ret->exercise, sizeof ret->exercise, "%s", c->exercise);
    ret->side = c->side;
    ret->filter_order = c->filter.order;
    ret->filter_cutoff_Hz = isnan(c->filter.cutoff_Hz) ? 0 : c->filter.cutoff_Hz;
    ret->set_rest_s = c->set_rest_s;
    ret->body_mass_kg = c->body_mass_kg;
    ret->plan.sides = c->sides.count;
    for (unsigned i = 0; i < c->sides.count; i++) ret->plan.side[i] = (enum plate_side)c->sides.word[i];
    ret->plan.reps = c->reps;
    ret->plan.sets = c->sets;
    ret->targets = c->targets;
    ret->asymmetry.threshold_pct = c->asymmetry.threshold_pct;
    ret->asymmetry.involved = c->asymmetry.involved;
    snprintf(ret->asymmetry.primary, sizeof ret->asymmetry.primary, "%s", c->asymmetry.primary);
}

void config_decoder(const struct config_plate *p, struct plate_decoder_config *ret)
{
    *ret = (struct plate_decoder_config){.protocol = p->decoder, .cells = p->cells_count, .csv = p->csv};
}

int config_intake(const struct config_plate *p, struct plate_intake *ret)
{
    struct plate_decoder_config decoder;
    config_decoder(p, &decoder);
    return plate_intake_init(ret, &decoder, &(struct plate_timebase_config){p->rate_Hz, config_tick_s(p)});
}

void config_calibration(const struct config_plate *p, struct plate_calibration *ret)
{
    const bool six = p->matrix.Fx.cells > 0;
    *ret = (struct plate_calibration){.cells = p->cells_count,
                                      .components = six ? PLATE_MAX_COMPONENTS : 1,
                                      .count_scale = p->count_scale,
                                      .surface_z_mm = p->surface_z_mm};
    for (unsigned i = 0; i < p->cells_count; i++) {
        ret->tare[i] = p->cells[i].offset;
        for (unsigned row = 0; six && row < PLATE_MAX_COMPONENTS; row++)
            ret->matrix[row][i] = config_matrix_row(p, row)->cell[i];
        if (!six) ret->matrix[0][i] = p->matrix.Fz.cells ? p->matrix.Fz.cell[i] : p->cells[i].gain;
    }
}

void config_recording(const struct config *c, struct recording *ret)
{
    *ret = (struct recording){.plates = c->plates_count};
    snprintf(ret->station, sizeof ret->station, "%s", c->station);
    for (unsigned i = 0; i < c->plates_count; i++) {
        const struct config_plate *p = &c->plates[i];
        struct recording_plate *to = &ret->plate[i];
        snprintf(to->name, sizeof to->name, "%s", p->name);
        snprintf(to->device, sizeof to->device, "%s", p->port);
        snprintf(to->protocol, sizeof to->protocol, "%s", p->decoder);
        to->rate_Hz = p->rate_Hz;
        to->tick_s = config_tick_s(p);
        to->count_scale = p->count_scale;
        to->cells = p->cells_count;
        for (unsigned j = 0; j < p->cells_count; j++) config_cell_place(p, &p->cells[j], &to->cell[j]);
    }
}

double config_tick_s(const struct config_plate *p)
{
    struct plate_decoder_config dc;
    struct plate_decoder d;
    config_decoder(p, &dc);
    return plate_decoder_init(&d, &dc) < 0 ? 0 : d.tick_s;
}

const char *config_target(const struct config *c, unsigned i, double *ret)
{
    unsigned n;
    const struct config_key *key = config_section_keys(CONFIG_TARGETS, &n);

    if (i >= n) return NULL;
    memcpy(ret, (const char *)c + key[i].offset, sizeof *ret);
    return key[i].name;
}

int config_ring_dir(const struct config *c, char *ret, size_t size)
{
    const char *dir = c->ring_dir;
    if (!*dir) {
        dir = getenv("XDG_RUNTIME_DIR");
        if (!dir || *dir != '/' || access(dir, W_OK | X_OK) < 0) dir = "/dev/shm";
    }
    if (strlen(dir) >= size) return -ENAMETOOLONG;
    strcpy(ret, dir);
    return 0;
}
