#include "plate/fit.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* Singular values below this part of the largest are the noise's, not the weights'. */
#define LEAST_SINGULAR 0.02
/* A cell is unsure if so much of it lies in what the weights do not tell. */
#define UNSURE 0.1
#define SWEEPS 40
enum { FZ = 2, MX = 3, MY = 4, N = PLATE_MAX_CELLS };

/* What the loads tell of the cells, each in newtons of the calibration before: eigenvectors of U'U with their values. */
struct normal {
    unsigned cells;
    double matrix[N][N], vector[N][N];
    bool kept[N];
};

/* Cyclic Jacobi: `matrix` becomes diagonal, the columns of `vector` its eigenvectors. */
static void diagonalise(struct normal *a)
{
    unsigned n = a->cells;
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < n; k++) a->vector[i][k] = i == k;
    for (unsigned sweep = 0; sweep < SWEEPS; sweep++)
        for (unsigned p = 0; p < n; p++)
            for (unsigned q = p + 1; q < n; q++) {
                double off = a->matrix[p][q];
                if (fabs(off) <= 1e-18 * sqrt(fabs(a->matrix[p][p] * a->matrix[q][q]))) continue;
                double theta = (a->matrix[q][q] - a->matrix[p][p]) / (2 * off);
                double t = copysign(1, theta) / (fabs(theta) + hypot(1, theta)), c = 1 / hypot(1, t), s = t * c;
                for (unsigned i = 0; i < n; i++) {
                    double ip = a->matrix[i][p], iq = a->matrix[i][q], vp = a->vector[i][p], vq = a->vector[i][q];
                    a->matrix[i][p] = c * ip - s * iq;
                    a->matrix[i][q] = s * ip + c * iq;
                    a->vector[i][p] = c * vp - s * vq;
                    a->vector[i][q] = s * vp + c * vq;
                }
                for (unsigned i = 0; i < n; i++) {
                    double pi = a->matrix[p][i], qi = a->matrix[q][i];
                    a->matrix[p][i] = c * pi - s * qi;
                    a->matrix[q][i] = s * pi + c * qi;
                }
            }
}

static bool has_place(const struct plate_fit_load *l) { return isfinite(l->x_mm); }

static void weigh(struct normal *a, const double scale[], unsigned cells, const struct plate_fit_load *loads, unsigned n,
                  bool placed)
{
    double largest = 0;
    *a = (struct normal){.cells = cells};
    for (unsigned k = 0; k < n; k++)
        for (unsigned i = 0; i < cells && (!placed || has_place(&loads[k])); i++)
            for (unsigned j = 0; j < cells; j++) a->matrix[i][j] += scale[i] * loads[k].value[i] * scale[j] * loads[k].value[j];
    diagonalise(a);
    for (unsigned i = 0; i < cells; i++) largest = fmax(largest, a->matrix[i][i]);
    for (unsigned i = 0; i < cells; i++) a->kept[i] = a->matrix[i][i] > LEAST_SINGULAR * LEAST_SINGULAR * largest;
}

/* What a load should read: its force, or its moment about x or y in N*m. */
static double target(const struct plate_fit_load *l, unsigned row)
{
    return row == MX ? l->y_mm * 1e-3 * l->force_N : row == MY ? -l->x_mm * 1e-3 * l->force_N : l->force_N;
}

/* row (per newton of each cell) becomes row + the least correction that explains the loads. */
static void correct(const struct normal *a, const double scale[], const struct plate_fit_load *loads, unsigned n,
                    unsigned which, double row[])
{
    double right[N] = {0};
    for (unsigned k = 0; k < n; k++) {
        if (which != FZ && !has_place(&loads[k])) continue;
        double off = target(&loads[k], which);
        for (unsigned i = 0; i < a->cells; i++) off -= row[i] * scale[i] * loads[k].value[i];
        for (unsigned i = 0; i < a->cells; i++) right[i] += scale[i] * loads[k].value[i] * off;
    }
    for (unsigned j = 0; j < a->cells; j++) {
        double along = 0;
        for (unsigned i = 0; i < a->cells && a->kept[j]; i++) along += a->vector[i][j] * right[i];
        for (unsigned i = 0; i < a->cells && a->kept[j]; i++) row[i] += a->vector[i][j] * along / a->matrix[j][j];
    }
}

/* ---- what came of it ---- */

static double dot(const double *row, const struct plate_fit_load *l, unsigned cells)
{
    double sum = 0;
    for (unsigned i = 0; i < cells; i++) sum += row[i] * l->value[i];
    return sum;
}

/* One weight at several places: how far apart, in per cent of it. Weights are alike within 1 %. */
static double corner_pct(const double *row, unsigned cells, const struct plate_fit_load *loads, unsigned n)
{
    double worst = NAN;
    for (unsigned k = 0; k < n; k++)
        for (unsigned j = 0; j < k; j++) {
            double force_N = loads[k].force_N;
            bool apart = has_place(&loads[k]) && has_place(&loads[j]) &&
                         hypot(loads[k].x_mm - loads[j].x_mm, loads[k].y_mm - loads[j].y_mm) > 1;
            if (!apart || fabs(loads[j].force_N / force_N - 1) > 0.01) continue;
            double by = dot(row, &loads[k], cells) / force_N - dot(row, &loads[j], cells) / loads[j].force_N;
            worst = fmax(isnan(worst) ? 0 : worst, 100 * fabs(by));
        }
    return worst;
}

static double nonlinearity_pct(const struct plate_fit_load *loads, unsigned n)
{
    double worst_N = 0, heaviest_N = 0;
    bool differ = false;
    for (unsigned k = 0; k < n; k++) {
        double sum_N = 0;
        unsigned alike = 0;
        for (unsigned j = 0; j < n; j++) {
            if (fabs(loads[j].force_N / loads[k].force_N - 1) > 0.01) continue;
            sum_N += loads[j].error_N;
            alike++;
        }
        differ |= alike < n;
        worst_N = fmax(worst_N, fabs(sum_N / alike));
        heaviest_N = fmax(heaviest_N, loads[k].force_N);
    }
    return differ ? 100 * worst_N / heaviest_N : NAN;
}

static void account(struct plate_fit *f, const double *before, struct plate_fit_load *loads, unsigned n)
{
    const struct plate_calibration *c = &f->calibration;
    double square = 0;
    f->worst_cop_mm = NAN;
    for (unsigned k = 0; k < n; k++) {
        struct plate_fit_load *l = &loads[k];
        double Fz_N = dot(plate_calibration_Fz_row(c), l, c->cells);
        l->error_N = Fz_N - l->force_N;
        square += l->error_N * l->error_N;
        f->worst_N = fmax(f->worst_N, fabs(l->error_N));
        l->cop_error_mm = NAN;
        if (c->components == 1 || !has_place(l)) continue;
        double x_mm = -dot(c->matrix[MY], l, c->cells) / Fz_N * 1e3, y_mm = dot(c->matrix[MX], l, c->cells) / Fz_N * 1e3;
        l->cop_error_mm = hypot(x_mm - l->x_mm, y_mm - l->y_mm);
        f->worst_cop_mm = fmax(isnan(f->worst_cop_mm) ? 0 : f->worst_cop_mm, l->cop_error_mm);
    }
    f->rms_N = sqrt(square / n);
    f->nonlinearity_pct = nonlinearity_pct(loads, n);
    f->corner_before_pct = corner_pct(before, c->cells, loads, n);
    f->corner_pct = corner_pct(plate_calibration_Fz_row(c), c->cells, loads, n);
}

static bool sensible(const struct plate_calibration *before, const struct plate_fit_load *loads, unsigned n)
{
    bool ok = n > 0 && plate_calibration_check(before) == 0;
    for (unsigned k = 0; k < n && ok; k++) {
        ok = loads[k].force_N > 0 && isfinite(loads[k].force_N) && isfinite(loads[k].x_mm) == isfinite(loads[k].y_mm);
        for (unsigned i = 0; i < before->cells; i++) ok = ok && isfinite(loads[k].value[i]);
    }
    return ok;
}

/* One factor for all cells: what the calibration before read of what there was. */
static int common_factor(const struct plate_calibration *before, const struct plate_fit_load *loads, unsigned n, double *ret)
{
    double read = 0, weighed = 0;
    for (unsigned k = 0; k < n; k++) {
        double Fz_N = dot(plate_calibration_Fz_row(before), &loads[k], before->cells);
        read += Fz_N * Fz_N;
        weighed += Fz_N * loads[k].force_N;
    }
    if (!(read > 0) || weighed == 0) return -ENODATA;
    *ret = weighed / read;
    return 0;
}

/* For a channel of a six-component sensor that Fz did not use, of whatever unit: so that it weighs as much as the force. */
static double channel_scale(const struct plate_fit_load *loads, unsigned n, unsigned i)
{
    double value = 0, force = 0;
    for (unsigned k = 0; k < n; k++) {
        value += loads[k].value[i] * loads[k].value[i];
        force += loads[k].force_N * loads[k].force_N;
    }
    return value > 0 ? sqrt(force / value) : 1;
}

static void solve_force(struct plate_fit *f, const double scale[], double row[], const struct plate_fit_load *loads, unsigned n)
{
    struct normal all;
    unsigned cells = f->calibration.cells;
    weigh(&all, scale, cells, loads, n, false);
    correct(&all, scale, loads, n, FZ, row);
    for (unsigned i = 0; i < cells; i++) {
        double lost = 0;
        for (unsigned j = 0; j < cells; j++) lost += all.kept[j] ? 0 : all.vector[i][j] * all.vector[i][j];
        f->unsure |= (unsigned)(lost > UNSURE) << i;
        f->determined += all.kept[i];
    }
    double *Fz = f->calibration.matrix[f->calibration.components == 1 ? 0 : FZ];
    for (unsigned i = 0; i < cells; i++) Fz[i] = row[i] * scale[i];
}

static void solve_moments(struct plate_fit *f, const struct plate_calibration *before, const struct plate_geometry *g,
                          const double scale[], const struct plate_fit_load *loads, unsigned n)
{
    struct normal placed;
    unsigned cells = before->cells;
    weigh(&placed, scale, cells, loads, n, true);
    for (unsigned which = MX; which <= MY; which++) {
        double row[N], *to = f->calibration.matrix[which];
        for (unsigned i = 0; i < cells; i++) {
            double arm_m = (which == MX ? g->y_mm[i] : -g->x_mm[i]) * 1e-3;
            row[i] = before->components == 1 ? arm_m : before->matrix[which][i] * f->factor / scale[i];
        }
        correct(&placed, scale, loads, n, which, row);
        for (unsigned i = 0; i < cells; i++) to[i] = row[i] * scale[i];
    }
}

int plate_fit(const struct plate_calibration *before, const struct plate_cell *cells, struct plate_fit_load *loads, unsigned n,
              struct plate_fit *ret)
{
    struct plate_fit f = {.calibration = *before};
    struct plate_geometry g;
    double found[N], scale[N], row[N];
    if (!sensible(before, loads, n)) return -EINVAL;
    int r = common_factor(before, loads, n, &f.factor);
    if (r < 0) return r;
    const double *old = plate_calibration_Fz_row(before);
    for (unsigned i = 0; i < before->cells; i++) {
        found[i] = f.factor * old[i];
        scale[i] = old[i] != 0 ? found[i] : channel_scale(loads, n, i);
        row[i] = old[i] != 0;
    }
    plate_geometry_init(&g, cells, before->cells);
    if (before->components == 1 && g.has_x && g.has_y) {
        f.calibration.components = PLATE_MAX_COMPONENTS;
        memset(f.calibration.matrix, 0, sizeof f.calibration.matrix);
    }
    solve_force(&f, scale, row, loads, n);
    if (f.calibration.components != 1) solve_moments(&f, before, &g, scale, loads, n);
    account(&f, found, loads, n);
    *ret = f;
    return 0;
}
