#include "plate/calibrate.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { FX, FY, FZ, MX, MY }; /* rows of a six-component matrix */

const double *plate_calibration_Fz_row(const struct plate_calibration *c) { return c->matrix[c->components == 1 ? 0 : FZ]; }

int plate_calibration_check(const struct plate_calibration *c)
{
    if (c->cells < 1 || c->cells > PLATE_MAX_CELLS || (c->components != 1 && c->components != PLATE_MAX_COMPONENTS))
        return -EINVAL;
    if (!isfinite(c->count_scale) || c->count_scale == 0) return -EINVAL;
    if (c->components == PLATE_MAX_COMPONENTS && !isfinite(c->surface_z_mm)) return -EINVAL;
    bool some = false;
    for (unsigned i = 0; i < c->cells; i++) {
        if (!isfinite(c->tare[i])) return -EINVAL;
        for (unsigned r = 0; r < c->components; r++)
            if (!isfinite(c->matrix[r][i])) return -EINVAL;
        some |= plate_calibration_Fz_row(c)[i] != 0;
    }
    return some ? 0 : -EINVAL;
}

void plate_calibration_identity(struct plate_calibration *c, unsigned cells, double count_scale)
{
    *c = (struct plate_calibration){.cells = cells, .components = 1, .count_scale = count_scale};
    for (unsigned i = 0; i < cells && i < PLATE_MAX_CELLS; i++) c->matrix[0][i] = 1;
}

void plate_geometry_init(struct plate_geometry *g, const struct plate_cell *cells, unsigned n)
{
    bool known = true, same_x = true, same_y = true, line = true;
    double dx = 0, dy = 0; /* from the first cell to the first one that stands elsewhere */
    *g = (struct plate_geometry){.has_x = false};
    for (unsigned i = 0; i < n; i++) {
        double x = cells[i].x_mm - cells[0].x_mm, y = cells[i].y_mm - cells[0].y_mm;
        known = known && isfinite(x) && isfinite(y);
        same_x = same_x && x == 0;
        same_y = same_y && y == 0;
        if (dx == 0 && dy == 0) dx = x, dy = y;
        line = line && dx * y - dy * x == 0;
        g->x_mm[i] = cells[i].x_mm;
        g->y_mm[i] = cells[i].y_mm;
    }
    g->has_x = known && !same_x && (same_y || !line);
    g->has_y = known && !same_y && (same_x || !line);
}

static void cop_from_moments(const struct plate_calibration *c, const int32_t *counts, struct plate_force *f)
{
    double component[PLATE_MAX_COMPONENTS] = {0}, h_m = c->surface_z_mm * 1e-3;
    for (unsigned r = FX; r <= MY; r++)
        for (unsigned i = 0; i < c->cells; i++)
            component[r] += c->matrix[r][i] * ((double)counts[i] * c->count_scale - c->tare[i]);
    f->cop_x_mm = -(component[MY] - component[FX] * h_m) / f->Fz_N * 1e3;
    f->cop_y_mm = (component[MX] + component[FY] * h_m) / f->Fz_N * 1e3;
}

void plate_calibrate(const struct plate_calibration *c, const struct plate_geometry *g, const int32_t *counts,
                     struct plate_force *ret)
{
    static const struct plate_geometry unknown;
    const double *gain = plate_calibration_Fz_row(c), scale = c->count_scale;
    double sum_N = 0, x_Nmm = 0, y_Nmm = 0;
    unsigned cells = c->cells;
    if (!g) g = &unknown;
    memset(ret->cell_N, 0, sizeof ret->cell_N);
    for (unsigned i = 0; i < cells; i++) {
        double cell_N = gain[i] * ((double)counts[i] * scale - c->tare[i]);
        ret->cell_N[i] = cell_N;
        sum_N += cell_N;
        x_Nmm += g->x_mm[i] * cell_N;
        y_Nmm += g->y_mm[i] * cell_N;
    }
    ret->Fz_N = sum_N;
    ret->cop_x_mm = ret->cop_y_mm = NAN;
    if (sum_N < PLATE_COP_MIN_N) return;
    if (c->components != 1) {
        cop_from_moments(c, counts, ret);
    } else {
        if (g->has_x) ret->cop_x_mm = x_Nmm / sum_N;
        if (g->has_y) ret->cop_y_mm = y_Nmm / sum_N;
    }
}
