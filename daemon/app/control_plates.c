/* The methods that look at what stands on the plates now. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "control_private.h"
#include "plate/fit.h"

enum { CONTROL_LOADS = 64 };

static json_t *numbers(const double *v, unsigned n)
{
    json_t *a = json_array();
    for (unsigned i = 0; i < n; i++) json_array_append_new(a, engine_real_or_null(v[i]));
    return a;
}

static json_t *tare_of(struct engine_plate *p, struct answer *a)
{
    struct plate_measurement m;
    if (engine_tare(p, &m, a->why, sizeof a->why) != 0) return NULL;
    return json_pack("{s:s,s:o,s:o,s:s,s:f}", "plate", p->cfg->name, "tare", numbers(m.mean, m.cells), "sd",
                     numbers(m.sd, m.cells), "unit", "counts*count_scale", "moved_N", m.Fz_N);
}

static json_t *calibration_json(const struct plate_calibration *c)
{
    json_t *rows = json_array();
    for (unsigned i = 0; i < c->components; i++) json_array_append_new(rows, numbers(c->matrix[i], c->cells));
    return json_pack("{s:f,s:o,s:o,s:f}", "count_scale", c->count_scale, "tare", numbers(c->tare, c->cells), "matrix", rows,
                     "surface_z_mm", c->surface_z_mm);
}

static json_t *measure_of(struct engine_plate *p, struct answer *a)
{
    struct plate_measurement m;
    if (engine_measure(p, &m, a->why, sizeof a->why) != 0) return NULL;
    json_t *cells = json_array();
    for (unsigned i = 0; i < m.cells; i++) {
        struct plate_cell c;
        engine_cell(p, i, &c);
        json_array_append_new(cells, json_pack("{s:s,s:o,s:o}", "name", c.name, "x_mm", engine_real_or_null(c.x_mm), "y_mm",
                                               engine_real_or_null(c.y_mm)));
    }
    return json_pack("{s:s,s:I,s:I,s:o,s:o,s:o,s:f,s:f,s:f,s:b,s:o}", "plate", p->cfg->name, "sample",
                     (json_int_t)p->in.timebase.next_sample - 1, "rows", (json_int_t)m.rows, "cells", cells, "mean",
                     numbers(m.mean, m.cells), "sd", numbers(m.sd, m.cells), "Fz_N", m.Fz_N, "Fz_sd_N", m.Fz_sd_N, "Fz_step_N",
                     m.Fz_step_N, "still", plate_measurement_still(&m), "calibration", calibration_json(&p->calibration));
}

/* What `of` says of every plate, or of the one that is named; the first that says no ends it. */
static void each_plate(struct engine *e, json_t *params, struct answer *a,
                       json_t *(*of)(struct engine_plate *p, struct answer *a))
{
    static const char *const known[] = {"plate", NULL};
    const char *plate;
    if (!control_only(a, params, known) || !control_plate(a, e, params, &plate)) return;
    json_t *plates = json_array();
    for (unsigned i = 0; i < e->plates && a->code == 0; i++) {
        if (*plate && strcmp(plate, e->plate[i].cfg->name) != 0) continue;
        json_t *said = of(&e->plate[i], a);
        if (said)
            json_array_append_new(plates, said);
        else
            a->code = CONTROL_SAYS_NO;
    }
    if (a->code == 0) a->result = json_pack("{s:O}", "plates", plates);
    json_decref(plates);
}

static json_t *may_tare(struct engine_plate *p, struct answer *a)
{
    struct plate_measurement m;
    return engine_can_tare(p, &m, a->why, sizeof a->why) == 0 ? json_true() : NULL;
}

/* All of them, or none. */
void control_do_tare(struct engine *e, json_t *params, struct answer *a)
{
    each_plate(e, params, a, may_tare);
    if (a->code) return;
    json_decref(a->result);
    a->result = NULL;
    each_plate(e, params, a, tare_of);
}

void control_do_measure(struct engine *e, json_t *params, struct answer *a) { each_plate(e, params, a, measure_of); }

/* ---- calibrate ---- */

/* One weight and what the cells said to it, less what they say to the empty plate. */
static bool take_load(struct answer *a, json_t *o, double gravity, const double *empty, unsigned cells,
                      struct plate_fit_load *ret)
{
    static const char *const known[] = {"kg", "x_mm", "y_mm", "mean", NULL};
    double kg;
    memset(ret, 0, sizeof *ret);
    if (!json_is_object(o)) {
        control_refuse(a, CONTROL_BAD_PARAMS, "loads: each must be an object of kg, x_mm, y_mm and mean");
        return false;
    }
    if (!control_only(a, o, known) || !control_number(a, o, "kg", 1e-3, PLATE_KG_MOST, &kg) ||
        !control_number(a, o, "x_mm", -5000, 5000, &ret->x_mm) || !control_number(a, o, "y_mm", -5000, 5000, &ret->y_mm) ||
        !control_numbers(a, json_object_get(o, "mean"), "mean", cells, ret->value))
        return false;
    if (isnan(kg) || isnan(ret->x_mm) != isnan(ret->y_mm)) {
        control_refuse(a, CONTROL_BAD_PARAMS, "loads: each must say its kg, and of its place both x_mm and y_mm, or neither");
        return false;
    }
    ret->force_N = kg * gravity;
    for (unsigned i = 0; i < cells; i++) ret->value[i] -= empty[i];
    return true;
}

static json_t *fit_json(const struct engine_plate *p, const struct plate_fit *f, const struct plate_fit_load *load, unsigned n)
{
    json_t *unsure = json_array(), *loads = json_array();
    for (unsigned i = 0; i < f->calibration.cells; i++)
        if (f->unsure >> i & 1) json_array_append_new(unsure, json_string(engine_cell_name(p, i)));
    for (unsigned i = 0; i < n; i++)
        json_array_append_new(loads, json_pack("{s:f,s:o,s:o}", "force_N", load[i].force_N, "error_N",
                                               engine_real_or_null(load[i].error_N), "cop_error_mm",
                                               engine_real_or_null(load[i].cop_error_mm)));
    return json_pack("{s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "plate", p->cfg->name, "factor",
                     engine_real_or_null(f->factor), "worst_N", engine_real_or_null(f->worst_N), "rms_N",
                     engine_real_or_null(f->rms_N), "worst_cop_mm", engine_real_or_null(f->worst_cop_mm), "nonlinearity_pct",
                     engine_real_or_null(f->nonlinearity_pct), "corner_before_pct", engine_real_or_null(f->corner_before_pct),
                     "corner_pct", engine_real_or_null(f->corner_pct), "unsure", unsure, "loads", loads, "calibration",
                     calibration_json(&f->calibration));
}

static int solve(struct engine_plate *p, json_t *params, struct answer *a, struct plate_fit *ret,
                 struct plate_fit_load load[CONTROL_LOADS], unsigned *ret_n)
{
    json_t *loads = json_object_get(params, "loads");
    const unsigned cells = p->calibration.cells;
    const size_t n = json_array_size(loads);
    struct plate_cell cell[PLATE_MAX_CELLS];
    double gravity, empty[PLATE_MAX_CELLS];
    if (!control_number(a, params, "gravity", 9, 10, &gravity) ||
        !control_numbers(a, json_object_get(params, "empty"), "empty", cells, empty))
        return -EINVAL;
    if (n < 1 || n > CONTROL_LOADS) {
        control_refuse(a, CONTROL_BAD_PARAMS, "loads: must be a list of 1 to %d weights", CONTROL_LOADS);
        return -EINVAL;
    }
    for (size_t i = 0; i < n; i++)
        if (!take_load(a, json_array_get(loads, i), isnan(gravity) ? 9.80665 : gravity, empty, cells, &load[i])) return -EINVAL;
    for (unsigned i = 0; i < cells; i++) engine_cell(p, i, &cell[i]);
    int r = plate_fit(&p->calibration, cell, load, (unsigned)n, ret);
    if (r) {
        control_refuse(a, CONTROL_SAYS_NO, "%s: %s", p->cfg->name,
                       r == -ENODATA ? "the cells do not move under these weights" : "these readings make no calibration");
        return r;
    }
    memcpy(ret->calibration.tare, empty, cells * sizeof *empty);
    *ret_n = (unsigned)n;
    return 0;
}

void control_do_calibrate(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {"plate", "empty", "loads", "gravity", "apply", NULL};
    struct plate_fit fit;
    struct plate_fit_load load[CONTROL_LOADS];
    unsigned n, i = 0;
    const char *plate;
    char text[PLATE_TEXT_SIZE];
    bool apply;
    if (!control_only(a, params, known) || !control_plate(a, e, params, &plate) ||
        !control_bool(a, params, "apply", false, &apply))
        return;
    if (!*plate && e->plates > 1) {
        control_refuse(a, CONTROL_BAD_PARAMS, "plate: there are several: say which");
        return;
    }
    while (*plate && strcmp(e->plate[i].cfg->name, plate) != 0) i++;
    struct engine_plate *p = &e->plate[i];
    if (solve(p, params, a, &fit, load, &n) != 0) return;
    snprintf(text, sizeof text, "%u load%s, worst error %.2f N", n, n == 1 ? "" : "s", fit.worst_N);
    if (apply && plate_calibration_check(&fit.calibration) != 0)
        control_refuse(a, CONTROL_SAYS_NO, "%s: these readings make no calibration", p->cfg->name);
    else if (apply && engine_calibrated(p, &fit.calibration, text, a->why, sizeof a->why) != 0)
        a->code = CONTROL_SAYS_NO;
    else if ((a->result = fit_json(p, &fit, load, n)) != NULL)
        json_object_set_new(a->result, "applied", json_boolean(apply));
}
