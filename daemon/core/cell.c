#include "plate/cell.h"

#include <errno.h>
#include <math.h>

/* docs/cells.md gives the reasons. */
#define WINDOW_S 1.0
#define WINDOW_ROWS 32  /* at least: fewer do not tell noise from movement */
#define STEP_S 0.5      /* loads are compared as means of so long, */
#define STEP_ROWS 4     /* and so many samples */
#define RAIL_S 0.05     /* at the end of the range for so long, */
#define RAIL_ROWS 5     /* and so many samples */
#define LOADING_N 100.0 /* a change of the load from which every cell should have its part */
#define FOLLOWS 0.005   /* of it; less is none */
#define SILENT_LOADINGS                                                                                                        \
    5                    /* that one cell alone sleeps through: a foot can stand on the line of the others, but not so often   \
                          */
#define ALIVE 0.5        /* part of the samples that change in plain noise of a count and more */
#define ALIVE_WINDOWS 10 /* of such noise, before its end means anything */
#define UNLIKELY 30.0    /* changes missed: e^-30 by chance */
#define NOISY_TIMES 10.0 /* the noise of the others, */
#define NOISY_N 1.0      /* and this */
#define NOISY_WINDOWS 3
#define NOISY_ROWS 50     /* of a window of a plate with a single cell */
#define WHITE_LEAST -0.85 /* plain noise has a correlation of -2/3 between neighbouring second differences; */
#define WHITE_MOST -0.45  /* what a foot does, and hum, is far above */
#define EMPTY_N 20.0      /* less than any foot at rest */
#define EMPTY_SD_N 5.0

static const char *const names[] = {"sound", "saturated", "stuck", "disconnected", "noisy"};
_Static_assert(sizeof names / sizeof *names == PLATE_CELL_FAULTS, "a name for every fault");

const char *plate_cell_fault_name(enum plate_cell_fault fault)
{
    return (unsigned)fault < PLATE_CELL_FAULTS ? names[fault] : NULL;
}

int plate_cells_init(struct plate_cells *c, unsigned cells, double rate_Hz, int32_t limit_counts)
{
    if (cells < 1 || cells > PLATE_MAX_CELLS || !(rate_Hz > 0) || rate_Hz > 1e6 || limit_counts < 0) return -EINVAL;
    *c = (struct plate_cells){.cells = cells, .limit_counts = limit_counts};
    c->rows = (unsigned)fmax(WINDOW_ROWS, rint(WINDOW_S * rate_Hz));
    c->step_rows = (unsigned)fmax(STEP_ROWS, rint(STEP_S * rate_Hz));
    for (unsigned i = 0; i < cells; i++) {
        c->gain_N[i] = 1;
        c->cell[i].least_change = 1;
        c->cell[i].least_noise_N = INFINITY;
        c->cell[i].noise_N = NAN;
    }
    return 0;
}

static void begin_step(struct plate_cells *c)
{
    c->step_row = 0;
    for (unsigned i = 0; i < c->cells; i++) c->cell[i].step_sum = 0;
}

static void begin_window(struct plate_cells *c)
{
    c->row = 0;
    c->force_sum_N = c->force_square_N2 = 0;
    for (unsigned i = 0; i < c->cells; i++) {
        struct plate_cell_state *s = &c->cell[i];
        s->sum = s->square = s->lagged = 0;
        s->changes = s->rail_longest = 0;
    }
}

void plate_cells_gap(struct plate_cells *c)
{
    begin_step(c);
    begin_window(c);
    c->have = 0;
    c->have_anchor = false;
    for (unsigned i = 0; i < c->cells; i++) c->cell[i].rail_run = c->cell[i].still = 0;
}

void plate_cells_calibration(struct plate_cells *c, const struct plate_calibration *calibration)
{
    const double *row = plate_calibration_Fz_row(calibration);
    for (unsigned i = 0; i < c->cells; i++) {
        c->gain_N[i] = row[i] * calibration->count_scale;
        c->zero_N[i] = row[i] * calibration->tare[i];
    }
    c->zero = (struct plate_zero){.windows = 0};
    c->have_anchor = false;
    begin_step(c);
    begin_window(c);
}

/* ---- one sample ---- */

static bool at_rail(const struct plate_cells *c, int32_t v)
{
    if (c->limit_counts) return v >= c->limit_counts || v <= -c->limit_counts;
    return v == INT32_MAX || v == INT32_MIN || v == 0x7fffff || v == -0x800000 || v == 0x7fff || v == -0x8000;
}

static void look(struct plate_cells *c, struct plate_cell_state *s, int32_t v)
{
    s->sum += v;
    s->step_sum += v;
    s->rail_run = at_rail(c, v) ? s->rail_run + 1 : 0;
    if (s->rail_run > s->rail_longest) s->rail_longest = s->rail_run;
    if (c->have > 0) {
        bool changed = v != s->last[0];
        s->changes += changed;
        s->still = changed ? 0 : s->still + 1;
        s->moved |= changed;
    }
    double bend = (double)v - 2.0 * s->last[0] + s->last[1];
    if (c->have > 1 && c->row > 1) s->square += bend * bend;
    if (c->have > 1 && c->row > 2) s->lagged += bend * s->last_bend;
    s->last_bend = bend;
    s->last[1] = s->last[0];
    s->last[0] = v;
}

/* ---- a window ---- */

/* Has the load changed since the anchor, and has one cell had no part in it? If several had none, the foot stood on the
 * line between the others, and it says nothing. */
static void follow_load(struct plate_cells *c)
{
    double mean_N[PLATE_MAX_CELLS], change_N = 0;
    bool silent[PLATE_MAX_CELLS];
    unsigned count = 0;
    for (unsigned i = 0; i < c->cells; i++) {
        mean_N[i] = c->cell[i].step_sum / c->step_rows * c->gain_N[i];
        change_N += mean_N[i] - c->cell[i].anchor_N;
    }
    if (c->have_anchor && fabs(change_N) < LOADING_N) return;
    for (unsigned i = 0; i < c->cells; i++) {
        double own_N = mean_N[i] - c->cell[i].anchor_N, others_N = fabs(change_N - own_N);
        silent[i] = c->have_anchor && others_N >= LOADING_N && fabs(own_N) < FOLLOWS * others_N;
        count += silent[i];
    }
    for (unsigned i = 0; i < c->cells; i++) {
        struct plate_cell_state *s = &c->cell[i];
        if (silent[i] && count == 1) s->silent++;
        if (!silent[i]) s->silent = s->moved = 0;
        s->anchor_N = mean_N[i];
    }
    c->have_anchor = true;
}

static bool is_white(const struct plate_cell_state *s)
{
    double r = s->square > 0 ? s->lagged / s->square : 0;
    return r > WHITE_LEAST && r < WHITE_MOST;
}

/* The noise to expect of cell i: the median of its sound neighbours'. A single cell is held against the least it has had, at a
 * rate at which a foot cannot be taken for noise. INFINITY: nothing to hold it against. */
static double expected_noise_N(const struct plate_cells *c, unsigned i)
{
    double sorted[PLATE_MAX_CELLS];
    unsigned n = 0;
    if (c->cells == 1 && c->rows >= NOISY_ROWS && c->cell[0].white_windows >= ALIVE_WINDOWS) return c->cell[0].least_noise_N;
    for (unsigned j = 0; j < c->cells; j++) {
        enum plate_cell_fault fault = c->cell[j].fault;
        if (j == i || (fault != PLATE_CELL_SOUND && fault != PLATE_CELL_NOISY)) continue;
        unsigned k = n++;
        for (; k > 0 && sorted[k - 1] > c->cell[j].noise_N; k--) sorted[k] = sorted[k - 1];
        sorted[k] = c->cell[j].noise_N;
    }
    return n ? sorted[n / 2] : INFINITY;
}

static void count_noisy(const struct plate_cells *c, struct plate_cell_state *s, unsigned i)
{
    bool loud = s->noise_N > NOISY_TIMES * expected_noise_N(c, i) + NOISY_N;
    s->noisy = loud && is_white(s) ? s->noisy + 1 : 0;
    if (loud) s->calm = 0;
    if (!loud && (is_white(s) || s->changes == 0)) s->calm++; /* a foot that moves says nothing of the noise */
}

static bool fell_silent(const struct plate_cell_state *s)
{
    return s->white_windows >= ALIVE_WINDOWS && s->least_change >= ALIVE && s->still * s->least_change >= UNLIKELY;
}

static enum plate_cell_fault judge(const struct plate_cells *c, const struct plate_cell_state *s)
{
    bool still = s->still + 1 >= c->rows;
    if (s->rail_longest >= fmax(RAIL_ROWS, RAIL_S / WINDOW_S * c->rows)) return PLATE_CELL_SATURATED;
    if (still && (fell_silent(s) || (s->silent >= SILENT_LOADINGS && !s->moved))) return PLATE_CELL_STUCK;
    if (still && s->fault == PLATE_CELL_STUCK) return PLATE_CELL_STUCK;
    if (s->silent >= SILENT_LOADINGS) return PLATE_CELL_DISCONNECTED;
    if (s->noisy >= NOISY_WINDOWS || (s->fault == PLATE_CELL_NOISY && s->calm < NOISY_WINDOWS)) return PLATE_CELL_NOISY;
    return PLATE_CELL_SOUND;
}

static void learn(const struct plate_cells *c, struct plate_cell_state *s)
{
    if (s->fault != PLATE_CELL_SOUND || s->changes == 0 || !is_white(s)) return;
    s->white_windows++;
    s->least_change = fmin(s->least_change, (double)s->changes / c->rows);
    s->least_noise_N = fmin(s->least_noise_N, s->noise_N);
}

static void follow_zero(struct plate_cells *c, const double mean_N[])
{
    double mean = c->force_sum_N / c->rows, sd = sqrt(fmax(0, c->force_square_N2 / c->rows - mean * mean));
    struct plate_zero *z = &c->zero;
    if (fabs(mean) > EMPTY_N || sd > EMPTY_SD_N) return;
    if (z->windows++ == 0) z->first_N = mean, z->first_row = c->seen;
    z->last_N = mean;
    z->last_row = c->seen;
    for (unsigned i = 0; i < c->cells; i++) {
        if (z->windows == 1) z->first_cell_N[i] = mean_N[i];
        z->last_cell_N[i] = mean_N[i];
    }
}

static unsigned end_window(struct plate_cells *c)
{
    double mean_N[PLATE_MAX_CELLS];
    unsigned changed = 0;
    for (unsigned i = 0; i < c->cells; i++) {
        struct plate_cell_state *s = &c->cell[i];
        mean_N[i] = s->sum / c->rows * c->gain_N[i] - c->zero_N[i];
        s->noise_N = sqrt(s->square / (c->rows - 2) / 6) * fabs(c->gain_N[i]);
    }
    follow_zero(c, mean_N);
    for (unsigned i = 0; i < c->cells; i++) {
        struct plate_cell_state *s = &c->cell[i];
        count_noisy(c, s, i);
        enum plate_cell_fault was = s->fault;
        s->fault = judge(c, s);
        changed |= (unsigned)(s->fault != was) << i;
        learn(c, s);
    }
    begin_window(c);
    return changed;
}

unsigned plate_cells_push(struct plate_cells *c, const int32_t *counts, size_t n)
{
    unsigned changed = 0;
    for (size_t k = 0; k < n; k++, counts += c->cells) {
        double force_N = 0;
        for (unsigned i = 0; i < c->cells; i++) {
            look(c, &c->cell[i], counts[i]);
            force_N += c->gain_N[i] * counts[i] - c->zero_N[i];
        }
        c->force_sum_N += force_N;
        c->force_square_N2 += force_N * force_N;
        if (c->have < 2) c->have++;
        c->seen++;
        if (++c->step_row == c->step_rows) {
            follow_load(c);
            begin_step(c);
        }
        if (++c->row == c->rows) changed |= end_window(c);
    }
    return changed;
}

enum plate_cell_fault plate_cells_fault(const struct plate_cells *c, unsigned cell)
{
    return cell < c->cells ? c->cell[cell].fault : PLATE_CELL_SOUND;
}

double plate_cells_noise_N(const struct plate_cells *c, unsigned cell) { return cell < c->cells ? c->cell[cell].noise_N : NAN; }
const struct plate_zero *plate_cells_zero(const struct plate_cells *c) { return &c->zero; }
