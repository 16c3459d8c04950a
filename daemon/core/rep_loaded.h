/* core/rep_loaded.h - what the parts of the machine for a standing body share: squats and jumps. Pure; one thread. */
#pragma once
#include "rep_private.h"

#define BAND_PART 0.02 /* of the weight */
#define DOWN_M_PER_S 0.10
#define DEEPEST_M 1.5 /* nobody squats so deep, or falls so fast: the load went elsewhere */
#define LEAST_DEPTH_M 0.06
#define SANK_M_PER_S 0.05   /* so fast he was on the way down, if no faster than sway */
#define CLOSED_M 0.1        /* so deep is a squat, at least, if the path that closes tells of it alone, ... */
#define CLOSED_M_PER_S 0.15 /* ... and comes up so fast */
#define SINKS_MOST_S 6.0    /* nobody goes down more slowly */
#define SWAY_MOST 0.008     /* what is further off the weight than this part is no sway */
#define ON_WEIGHT_S 1.0     /* a force that is even for so long, to this part, may be the weight */
#define ON_WEIGHT_PART 0.005
#define STANDS_S 0.5     /* a body that stands so long where it stood before has come back, whatever its momentum says */
#define STANCE_EVEN 0.01 /* so even, if its momentum went astray */

/* rep_body.c. It weighs so much. */
void rep_body_stands(struct plate_rep_detector *d, double weight_N);
/* A force off the weight: so steady, for `dwell_s`, that no body could move so? Then this is the weight, the one
 * before was wrong, and it rests. */
bool rep_body_weighs(struct plate_rep_detector *d, double dwell_s, struct plate_rep_output *out);
/* The weight is followed slowly, since a body sways. But what it stood at just before it departed, evenly and by more than sway
 * off, it is. */
void rep_body_weighed(struct plate_rep_detector *d, double departed_s);
/* Went who weighs so much down from block i on, and hardly above it? */
bool rep_body_went_down(const struct plate_rep_detector *d, uint64_t i, double weight_N);
/* Its momentum went where nobody goes. Did it stand evenly since the movement began, on another weight, and go down from there
 * when it left it? Then that is the weight. */
bool rep_body_stood(struct plate_rep_detector *d, double *ret_left_s);
/* Even for a while: has it stopped, lower than it stood, where the plate feels another part of its weight? */
bool rep_body_stopped(const struct plate_rep_detector *d, struct level *ret);

/* rep_back.c. The band in which a body is still. */
double rep_narrow_band_N(const struct plate_rep_detector *d);
/* The force is in its resting band at block i: since when, found backwards within the narrow band, as a mean over so many
 * blocks that noise stays within a third of it. */
double rep_back_in_band_s(const struct plate_rep_detector *d, uint64_t i);
/* Down, up, and not braked yet. */
bool rep_pushed(const struct plate_rep_detector *d);
/* The plate feels another part of the weight in the squat than in standing (one foot's plate, a dead cell, a load that moves
 * back), and the momentum goes astray. But a body that stood, went down and stands again is where it was, at rest: the straight
 * line that takes what is left of speed and height out of the acceleration says how deep it was, and when it came up.
 * What error of the weight (in g, the greater of both ends) explains what is left, if it is back at `end_s`? INFINITY: it is
 * not. */
double rep_closing_g(const struct plate_rep_detector *d, double end_s, double *ret_bottom_s);
/* One of `most_g` at the most? */
bool rep_closes(const struct plate_rep_detector *d, double end_s, double most_g, double *ret_bottom_s);

/* rep_share.c. From standing to standing, which is now, with so much on the plate: was it a squat of a body of which the plate
 * bears a share, that changes evenly, and with the depth? */
struct squat {
    double onset_s, bottom_s, end_s;
};
bool rep_share_squatted(struct plate_rep_detector *d, double level_N, struct squat *ret);
/* The same, and it stands evenly near its weight. */
bool rep_share_stands(struct plate_rep_detector *d, struct level *level, struct squat *ret);
