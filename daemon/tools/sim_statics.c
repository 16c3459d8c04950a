#include "sim_statics.h"
#include <math.h>

#define GRAVITY 9.80665

/* Parts of the body's mass; where along the segment its centre is, from the end nearer to the hip. */
#define TRUNK 0.4684
#define HEAD 0.0826
#define THIGH 0.1050
#define SHANK 0.0475
#define FOOT 0.0143
#define LEG (THIGH + SHANK + FOOT)
#define THIGH_CENTER 0.433
#define SHANK_CENTER 0.434
/* On the line from pivot to hip, in lengths of it: trunk; head and what of the arms lies beyond the back. */
#define TRUNK_CENTER 0.33
#define HEAD_CENTER (-0.72)
/* Free leg, in body heights, from the hip to the feet. */
#define STRAIGHT_PART 0.2141
#define TUCKED_PART (-0.0105)

static double across(double length, double rise) { return sqrt(fmax(0.01 * length * length, length * length - rise * rise)); }

void sim_posture_init(struct sim_posture *p, double mass_kg, double height_m, double travel_m, double foot_up_m, bool bridge,
                      bool both_legs, bool straight)
{
    *p = (struct sim_posture){.mass_kg = mass_kg,
                              .trunk_m = (bridge ? 0.27 : 0.222) * height_m,
                              .thigh_m = 0.2515 * height_m,
                              .shank_m = 0.24 * height_m,
                              .free_leg_m = (straight ? STRAIGHT_PART : TUCKED_PART) * height_m,
                              .both_legs = both_legs};
    p->hip_low_m = bridge ? 0 : -travel_m;
    /* At the top of a thrust without a step the shin is upright and the thigh level. */
    p->foot_x_m = across(p->trunk_m, bridge ? travel_m : 0) + across(p->thigh_m, bridge ? p->shank_m - travel_m : 0);
    p->foot_z_m = (bridge ? 0 : -p->shank_m) + foot_up_m;
}

static double hip_x(const struct sim_posture *p, double h_m) { return across(p->trunk_m, p->hip_low_m + h_m); }

/* The knee is where thigh and shank meet, above the line from hip to sole. */
static double knee_x(const struct sim_posture *p, double h_m)
{
    double hip = hip_x(p, h_m), dx = p->foot_x_m - hip, dz = p->foot_z_m - (p->hip_low_m + h_m), d2 = dx * dx + dz * dz;
    double d = sqrt(d2), along = (p->thigh_m * p->thigh_m - p->shank_m * p->shank_m + d2) / (2 * d);
    double out = sqrt(fmax(0, p->thigh_m * p->thigh_m - along * along));
    return hip + (along * dx - out * dz) / d;
}

double sim_posture_hip_part(const struct sim_posture *p, double h_m) { return hip_x(p, h_m) / p->foot_x_m; }

double sim_posture_body_N(const struct sim_posture *p, double h_m)
{
    double hip = hip_x(p, h_m), knee = knee_x(p, h_m);
    double leg =
        THIGH * (hip + THIGH_CENTER * (knee - hip)) + SHANK * (knee + SHANK_CENTER * (p->foot_x_m - knee)) + FOOT * p->foot_x_m;
    double other = p->both_legs ? leg : LEG * (hip + p->free_leg_m);
    double moment = (TRUNK * TRUNK_CENTER + HEAD * HEAD_CENTER) * hip + leg + other;
    return p->mass_kg * GRAVITY * moment / p->foot_x_m;
}

double sim_posture_rest_N(const struct sim_posture *p)
{
    double hip = hip_x(p, 0), knee = knee_x(p, 0), foot = p->foot_x_m - hip;
    double moment =
        THIGH * THIGH_CENTER * (knee - hip) + SHANK * (knee + SHANK_CENTER * (p->foot_x_m - knee) - hip) + FOOT * foot;
    return p->mass_kg * GRAVITY * moment / foot;
}
