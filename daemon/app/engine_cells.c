/* What the raw counts say beside force: the zero and its drift, a tare, whether the cells are sound. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_private.h"

#define WINDOW_S 1.0

int engine_cells_init(struct engine_plate *p)
{
    p->window.rows = (unsigned)fmax(8, WINDOW_S * p->cfg->rate_Hz);
    if (!p->window.counts) p->window.counts = calloc((size_t)p->window.rows * PLATE_MAX_CELLS, sizeof(int32_t));
    if (!p->window.counts) return -ENOMEM;
    p->window.at = p->window.filled = 0;
    p->zero_known = false;
    for (unsigned i = 0; i < p->in.cells; i++) p->zero_known |= p->calibration.tare[i] != 0;
    memset(p->fault, 0, sizeof p->fault);
    int r = plate_cells_init(&p->cells, p->in.cells, p->cfg->rate_Hz, (int32_t)p->cfg->limit_counts);
    if (r == 0) plate_cells_calibration(&p->cells, &p->calibration);
    return r;
}

void engine_cells_done(struct engine_plate *p)
{
    free(p->window.counts);
    p->window.counts = NULL;
}

static void remember(struct engine_window *w, unsigned cells, const int32_t *counts, size_t n)
{
    for (size_t i = n > w->rows ? n - w->rows : 0; i < n; i++) {
        memcpy(w->counts + (size_t)w->at * cells, counts + i * cells, cells * sizeof *counts);
        w->at = (w->at + 1) % w->rows;
        if (w->filled < w->rows) w->filled++;
    }
}

static void say_fault(struct engine_plate *p, unsigned cell, enum plate_cell_fault fault)
{
    static const char *const what[PLATE_CELL_FAULTS] = {"is sound again", "is at the end of its range", "is stuck",
                                                        "does not follow the load", "is far noisier than it should be"};
    char text[192], value[PLATE_TEXT_SIZE], ignored[128];
    const char *name = engine_cell_name(p, cell);
    double t_s;
    snprintf(text, sizeof text, "cell %s %s%s", name, what[fault],
             fault ? ": see to the cell, its cable and its amplifier" : "");
    engine_health(p->engine, "cell", fault ? "warning" : "ok", p->cfg->name, text);
    snprintf(value, sizeof value, "%s %s", name, plate_cell_fault_name(fault));
    if (p->engine->recording) engine_mark(p->engine, "cell", value, p->cfg->name, &t_s, ignored, sizeof ignored);
}

void engine_cells_take(struct engine_plate *p, const int32_t *counts, size_t n)
{
    remember(&p->window, p->in.cells, counts, n);
    if (plate_cells_push(&p->cells, counts, n) == 0) return;
    for (unsigned i = 0; i < p->in.cells; i++) {
        enum plate_cell_fault fault = plate_cells_fault(&p->cells, i);
        if (fault == p->fault[i]) continue;
        p->fault[i] = fault;
        say_fault(p, i, fault);
    }
}

void engine_cells_gap(struct engine_plate *p)
{
    p->window.filled = 0;
    plate_cells_gap(&p->cells);
}

void engine_cells_text(const struct engine_plate *p, char *ret, size_t size)
{
    size_t n = 0;
    *ret = 0;
    for (unsigned i = 0; i < p->in.cells && n < size; i++)
        if (p->fault[i])
            n += (size_t)snprintf(ret + n, size - n, "%s%s %s", n ? ", " : "", engine_cell_name(p, i),
                                  plate_cell_fault_name(p->fault[i]));
}

int engine_cells_drift(const struct engine_plate *p, char *ret, size_t size)
{
    const struct plate_zero *z = plate_cells_zero(&p->cells);
    if (z->windows < 2) return -ENODATA;
    double rate_Hz = plate_timebase_rate_Hz(&p->in.timebase);
    if (!(rate_Hz > 0)) rate_Hz = p->cfg->rate_Hz;
    size_t n = (size_t)snprintf(ret, size, "%s %+.2f in %.0f s:", p->cfg->name, z->last_N - z->first_N,
                                (double)(z->last_row - z->first_row) / rate_Hz);
    for (unsigned i = 0; i < p->in.cells && n < size; i++)
        n += (size_t)snprintf(ret + n, size - n, " %+.2f", z->last_cell_N[i] - z->first_cell_N[i]);
    return 0;
}

/* ---- commands ---- */

int engine_measure(const struct engine_plate *p, struct plate_measurement *ret, char *why, size_t size)
{
    const struct engine_window *w = &p->window;
    if (w->filled == w->rows && engine_now_ns() - p->read_ns <= ENGINE_ABSENT_NS) {
        plate_measure(&p->calibration, w->counts, w->rows, w->at, ret);
        return 0;
    }
    snprintf(why, size, "%s: no second of samples to measure; is the plate connected? platectl status", p->cfg->name);
    return -ENODATA;
}

/* From the next sample on; `kind` and `value` of its mark, `reason` beside it in the archive. */
static int put_in_force(struct engine_plate *p, const struct plate_calibration *c, const char *kind, const char *value,
                        const char *reason, char *why, size_t size)
{
    struct engine *e = p->engine;
    char ignored[128];
    double t_s;
    if (e->recording && !engine_ring_takes(e, ENGINE_RING_RESERVE / 16, false)) {
        snprintf(why, size, "%s: the ring is full, the disk does not keep up; see platectl status", p->cfg->name);
        return -ENOSPC;
    }
    p->calibration = *c;
    p->zero_known = true;
    engine_calibrate(p);
    plate_cells_calibration(&p->cells, &p->calibration);
    engine_put_calibration(p, plate_station_next_sample(engine_foremost(e), p->index), reason);
    if (e->recording) engine_mark(e, kind, value, p->cfg->name, &t_s, ignored, sizeof ignored);
    return 0;
}

int engine_can_tare(const struct engine_plate *p, struct plate_measurement *ret, char *why, size_t size)
{
    struct plate_measurement m;
    int r = engine_measure(p, &m, why, size);
    if (r) return r;
    if ((r = plate_tare_check(&m, p->zero_known)) != 0)
        snprintf(why, size, "%s: not tared: %s, %.0f N on it, SD %.1f N over a second; step off, let it rest, and tare again",
                 p->cfg->name, r == -EBUSY ? "somebody or something stands on it" : "it is not still", m.Fz_N, m.Fz_sd_N);
    else
        *ret = m;
    return r;
}

int engine_tare(struct engine_plate *p, struct plate_measurement *ret, char *why, size_t size)
{
    struct plate_measurement m;
    char reason[PLATE_TEXT_SIZE];
    int r = engine_can_tare(p, &m, why, size);
    if (r) return r;
    struct plate_calibration c = p->calibration;
    memcpy(c.tare, m.mean, sizeof m.mean);
    snprintf(reason, sizeof reason, "tare, moved by %+.2f N, SD %.2f N", m.Fz_N, m.Fz_sd_N);
    if ((r = put_in_force(p, &c, "tare", "", reason, why, size)) != 0) return r;
    *ret = m;
    return 0;
}

int engine_calibrated(struct engine_plate *p, const struct plate_calibration *c, const char *value, char *why, size_t size)
{
    char reason[PLATE_TEXT_SIZE];
    snprintf(reason, sizeof reason, "calibrate, %.80s", value);
    return put_in_force(p, c, "calibrate", value, reason, why, size);
}
