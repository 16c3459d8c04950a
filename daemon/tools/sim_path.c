#include "sim_path.h"
#include <errno.h>
#include <stdlib.h>

double sim_min_jerk(double x) { return x <= 0 ? 0 : x >= 1 ? 1 : x * x * x * (10 + x * (-15 + 6 * x)); }
double sim_min_jerk_d1(double x) { return x <= 0 || x >= 1 ? 0 : 30 * x * x * (1 - x) * (1 - x); }
double sim_min_jerk_d2(double x) { return x <= 0 || x >= 1 ? 0 : 60 * x * (1 - x) * (1 - 2 * x); }

void sim_path_done(struct sim_path *p)
{
    free(p->piece);
    *p = (struct sim_path){0};
}

double sim_path_height_m(const struct sim_path *p) { return p->n ? p->piece[p->n - 1].end_m : 0; }
double sim_path_end_s(const struct sim_path *p) { return p->n ? p->piece[p->n - 1].start_s + p->piece[p->n - 1].length_s : 0; }

static double height(const struct sim_piece *s, double t)
{
    return s->h_m + t * (s->v + t * (s->a / 2 + t * (s->b / 3 + t * s->c / 4)));
}

void sim_path_add(struct sim_path *p, double start_s, double length_s, double h_m, double v0, double a0, double v1, double a1)
{
    if (p->error || length_s <= 0) return;
    if (p->n == p->room) {
        size_t room = p->room ? 2 * p->room : 64;
        struct sim_piece *more = realloc(p->piece, room * sizeof *more);
        if (!more) {
            p->error = -ENOMEM;
            return;
        }
        p->piece = more;
        p->room = room;
    }
    struct sim_piece *s = &p->piece[p->n++];
    *s = (struct sim_piece){.start_s = start_s, .length_s = length_s, .h_m = h_m, .v = v0, .a = a0};
    s->b = (3 * (v1 - v0) / length_s - 2 * a0 - a1) / length_s;
    s->c = (2 * (v0 - v1) / length_s + a0 + a1) / (length_s * length_s);
    s->end_m = height(s, length_s);
}

/* The speed of every knot is part * V + own; the distance is linear in V, which is solved for. */
void sim_path_move(struct sim_path *p, double start_s, double length_s, const struct sim_move *m)
{
    double slope[SIM_MAX_KNOTS] = {0}, per_V = 0, fixed = 0;
    unsigned last = m->knots - 1;
    for (unsigned i = 1; i < last; i++) {
        const struct sim_knot *k = &m->knot[i];
        if (m->sloped) {
            slope[i] = k->slope / length_s;
            continue;
        }
        double before = (k->part - k[-1].part) / (k->x - k[-1].x), after = (k[1].part - k->part) / (k[1].x - k->x);
        /* harmonic mean (Fritsch and Butland 1984) */
        slope[i] = before * after > 0 ? 2 * before * after / (before + after) / length_s : 0;
    }
    for (unsigned i = 0; i < last; i++) {
        double dt = (m->knot[i + 1].x - m->knot[i].x) * length_s;
        double own_v = (i == 0 ? m->start_v : 0) + (i + 1 == last ? m->end_v : 0);
        double own_a = (i == 0 ? m->start_a : 0) - (i + 1 == last ? m->end_a : 0);
        per_V += dt * (m->knot[i].part + m->knot[i + 1].part) / 2 + dt * dt * (slope[i] - slope[i + 1]) / 12;
        fixed += dt * own_v / 2 + dt * dt * own_a / 12;
    }
    double V = (m->to_m - m->from_m - fixed) / per_V, h = m->from_m;
    for (unsigned i = 0; i < last; i++) {
        double t = start_s + m->knot[i].x * length_s, dt = (m->knot[i + 1].x - m->knot[i].x) * length_s;
        double v0 = m->knot[i].part * V + (i == 0 ? m->start_v : 0), v1 = m->knot[i + 1].part * V;
        double a0 = slope[i] * V + (i == 0 ? m->start_a : 0), a1 = slope[i + 1] * V;
        if (i + 1 == last) v1 += m->end_v, a1 += m->end_a;
        sim_path_add(p, t, dt, h, v0, a0, v1, a1);
        h = sim_path_height_m(p);
    }
    if (p->n) p->piece[p->n - 1].end_m = m->to_m; /* no rounding to add up over a set */
}

void sim_path_at(const struct sim_path *p, double t_s, struct sim_state *ret)
{
    *ret = (struct sim_state){0};
    size_t low = 0, high = p->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->piece[middle].start_s <= t_s)
            low = middle + 1;
        else
            high = middle;
    }
    if (!low) return;
    const struct sim_piece *s = &p->piece[low - 1];
    double t = t_s - s->start_s;
    ret->h_m = s->end_m;
    if (t >= s->length_s) return;
    ret->h_m = height(s, t);
    ret->v_m_per_s = s->v + t * (s->a + t * (s->b + t * s->c));
    ret->a_m_per_s2 = s->a + t * (2 * s->b + t * 3 * s->c);
}
