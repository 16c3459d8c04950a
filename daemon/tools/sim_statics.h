/* tools/sim_statics.h - what foot and bench carry of a body that holds still between them (docs/simulator.md). Pure.
 * Upper back (the pivot) and foot are the two supports; the moments about the pivot balance. Segment masses and centres
 * after Plagenhoef, Evans and Abdelnour 1983. */
#pragma once
#include <stdbool.h>

struct sim_posture {
    double mass_kg;
    double trunk_m, thigh_m, shank_m; /* pivot to hip, hip to knee, knee to sole */
    double hip_low_m;                 /* hips at the start, over the pivot (negative: below) */
    double foot_x_m, foot_z_m;        /* from the pivot: along the floor, and up */
    double free_leg_m;                /* the free leg's centre of mass, from the hip to the feet */
    bool both_legs;
};
enum { SIM_TUCKED, SIM_STRAIGHT };
/* A body of that height; `travel_m` is how far the hips come up until they are level with back and knee (bridge: until they
 * are in line with them). */
void sim_posture_init(struct sim_posture *p, double mass_kg, double height_m, double travel_m, double foot_up_m, bool bridge,
                      bool both_legs, bool straight);
/* Force under the foot (both feet together), hips at `h_m` over the start, nothing on them. */
double sim_posture_body_N(const struct sim_posture *p, double h_m);
/* The part of a weight on the hips that the foot carries. */
double sim_posture_hip_part(const struct sim_posture *p, double h_m);
/* Foot of one leg, hips on the floor. */
double sim_posture_rest_N(const struct sim_posture *p);
