/* tools/sim_path.h - where the hips are: pieces of path joined in height, speed and acceleration, so that no force jumps.
 * In each piece the speed is a cubic (Hermite). Between pieces the hips stand still. Set-up allocates; reading is pure. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct sim_piece {
    double start_s, length_s;
    double h_m, v, a, b, c; /* speed = v + a t + b t^2 + c t^3 */
    double end_m;
};
struct sim_path {
    struct sim_piece *piece;
    size_t n, room;
    int error; /* 0 or -ENOMEM, from the first piece that found no room on */
};
struct sim_state {
    double h_m, v_m_per_s, a_m_per_s2;
};
void sim_path_done(struct sim_path *p);
void sim_path_add(struct sim_path *p, double start_s, double length_s, double h_m, double v0, double a0, double v1, double a1);
void sim_path_at(const struct sim_path *p, double t_s, struct sim_state *ret);
double sim_path_height_m(const struct sim_path *p); /* where the last piece ends; 0 without one */
double sim_path_end_s(const struct sim_path *p);    /* when */

/* A move from one height to another in a given time: its speed goes through knots, as parts of a peak that follows from the
 * distance. The first and the last knot have speed and acceleration of their own. */
enum { SIM_MAX_KNOTS = 16 };
struct sim_move {
    double from_m, to_m;
    double start_v, start_a, end_v, end_a; /* the first and last knot's `part` comes on top of these */
    unsigned knots;
    bool sloped; /* the knots bring their slopes; else they are found so that nothing overshoots */
    struct sim_knot {
        double x, part, slope; /* x: 0..1 of the time; slope: of part over x */
    } knot[SIM_MAX_KNOTS];
};
void sim_path_move(struct sim_path *p, double start_s, double length_s, const struct sim_move *m);

double sim_min_jerk(double x); /* 0 below 0, 1 above 1; and its derivatives */
double sim_min_jerk_d1(double x);
double sim_min_jerk_d2(double x);
