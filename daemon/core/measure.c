#include "plate/measure.h"

#include <errno.h>
#include <math.h>

void plate_measure(const struct plate_calibration *c, const int32_t *counts, size_t rows, size_t oldest,
                   struct plate_measurement *ret)
{
    struct plate_measurement m = {.cells = c->cells, .rows = rows};
    double square[PLATE_MAX_CELLS] = {0}, Fz_square = 0, half_N[2] = {0};
    size_t first = rows / 2;
    for (size_t r = 0; r < rows; r++) { /* Welford: counts can be a thousand million with a noise of one */
        const int32_t *row = counts + (oldest + r) % rows * c->cells;
        struct plate_force f;
        plate_calibrate(c, NULL, row, &f);
        double d = f.Fz_N - m.Fz_N;
        m.Fz_N += d / (double)(r + 1);
        Fz_square += d * (f.Fz_N - m.Fz_N);
        half_N[r >= first] += f.Fz_N;
        for (unsigned i = 0; i < c->cells; i++) {
            double v = row[i] * c->count_scale, off = v - m.mean[i];
            m.mean[i] += off / (double)(r + 1);
            square[i] += off * (v - m.mean[i]);
        }
    }
    for (unsigned i = 0; i < c->cells; i++) m.sd[i] = sqrt(square[i] / (double)(rows - 1));
    m.Fz_sd_N = sqrt(Fz_square / (double)(rows - 1));
    m.Fz_step_N = half_N[1] / (double)(rows - first) - half_N[0] / (double)first;
    *ret = m;
}

bool plate_measurement_still(const struct plate_measurement *m)
{
    return m->Fz_sd_N <= PLATE_STILL_N && fabs(m->Fz_step_N) <= PLATE_STILL_N;
}

int plate_tare_check(const struct plate_measurement *m, bool zero_known)
{
    if (!plate_measurement_still(m)) return -EAGAIN;
    return fabs(m->Fz_N) > (zero_known ? PLATE_TARE_KNOWN_N : PLATE_TARE_MOST_N) ? -EBUSY : 0;
}
