#include "plate/calibrate.h"

#include <errno.h>
#include <math.h>

enum { FX, FY, FZ, MX, MY }; /* rows of a six-component matrix */

/* The matrix row of the vertical force. */
static const double *fz_row(const struct plate_calibration *c) { return c->matrix[c->components == 1 ? 0 : FZ]; }

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
        some |= fz_row(c)[i] != 0;
    }
    return some ? 0 : -EINVAL;
}

void plate_calibration_identity(struct plate_calibration *c, unsigned cells, double count_scale)
{
    *c = (struct plate_calibration){.cells = cells, .components = 1, .count_scale = count_scale};
    for (unsigned i = 0; i < cells && i < PLATE_MAX_CELLS; i++) c->matrix[0][i] = 1;
}

/* Which coordinates the places of the cells can tell: cells on a line say nothing of where the force is across it. */
static void supported(const struct plate_cell *cells, unsigned n, bool *ret_x, bool *ret_y)
{
    bool known = true, same_x = true, same_y = true, line = true;
    double dx = 0, dy = 0; /* from the first cell to the first one that stands elsewhere */
    for (unsigned i = 0; i < n; i++) {
        double x = cells[i].x_mm - cells[0].x_mm, y = cells[i].y_mm - cells[0].y_mm;
        known = known && isfinite(x) && isfinite(y);
        same_x = same_x && x == 0;
        same_y = same_y && y == 0;
        if (dx == 0 && dy == 0) dx = x, dy = y;
        line = line && dx * y - dy * x == 0;
    }
    *ret_x = known && !same_x && (same_y || !line);
    *ret_y = known && !same_y && (same_x || !line);
}

static void cop_from_corners(const struct plate_cell *cells, unsigned n, struct plate_force *f)
{
    bool x, y;
    double mx = 0, my = 0;
    supported(cells, n, &x, &y);
    for (unsigned i = 0; i < n; i++) {
        mx += cells[i].x_mm * f->cell_N[i];
        my += cells[i].y_mm * f->cell_N[i];
    }
    if (x) f->cop_x_mm = mx / f->Fz_N;
    if (y) f->cop_y_mm = my / f->Fz_N;
}

void plate_calibrate(const struct plate_calibration *c, const struct plate_cell *cells, const int32_t *counts,
                     struct plate_force *ret)
{
    double scaled[PLATE_MAX_CELLS], component[PLATE_MAX_COMPONENTS] = {0};
    struct plate_force f = {.cop_x_mm = NAN, .cop_y_mm = NAN};
    const double *gain = fz_row(c);
    for (unsigned i = 0; i < c->cells; i++) {
        scaled[i] = (double)counts[i] * c->count_scale - c->tare[i];
        f.cell_N[i] = gain[i] * scaled[i];
        f.Fz_N += f.cell_N[i];
    }
    if (f.Fz_N < PLATE_COP_MIN_N) goto done;
    if (c->components == 1) {
        if (cells) cop_from_corners(cells, c->cells, &f);
        goto done;
    }
    for (unsigned r = FX; r <= MY; r++)
        for (unsigned i = 0; i < c->cells; i++) component[r] += c->matrix[r][i] * scaled[i];
    double h_m = c->surface_z_mm * 1e-3;
    f.cop_x_mm = -(component[MY] - component[FX] * h_m) / f.Fz_N * 1e3;
    f.cop_y_mm = (component[MX] + component[FY] * h_m) / f.Fz_N * 1e3;
done:
    *ret = f;
}
