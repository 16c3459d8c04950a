/* core/rep_private.h - the detector's memory, shared by the machine (rep.c) and the measures (rep_measure.c). Pure; one thread.
 */
#pragma once
#include "plate/rep.h"
#include "rep_form.h"
#include "rep_measure.h"

#define BAND_MIN_N 5.0 /* resting band: mean +- max(5 SD, 5 N), Dos'Santos 2017 */
#define BAND_SD 5.0

#define BLOCKS 8192 /* block means: the whole rep */
#define STEPS 5

struct block {
    double t_s, dt_s, force_N; /* start, length, mean force */
};
struct level {
    double mean_N, sd_N;
};
enum family { FAMILY_UNLOADED, FAMILY_LOADED, FAMILY_GENERIC };
enum state { STATE_LEARN, STATE_REST, STATE_UP, STATE_LOADED, STATE_AIR, STATE_LANDED };

struct plate_rep_detector {
    double rate_Hz, period_s;
    char exercise[PLATE_TEXT_SIZE];
    struct plate_protocol_targets targets;
    enum family family;
    bool jumps, isometric, fixed; /* squat_jump; isometric; perhaps a push against what does not move */

    struct rep_history history; /* at full rate */
    struct block block[BLOCKS];
    uint64_t blocks, blocks_from;
    struct {
        double t_s, force;
        unsigned n;
    } open;
    unsigned block_n;
    double smooth_N, smooth_k;

    struct {
        double mean, m2;
        unsigned n;
        double last_mean;
        bool last_quiet;
    } chunk;
    unsigned chunk_n;
    struct level rest;
    double rest_since_s;

    enum state state;
    enum plate_phase phase;
    bool rest_due;        /* a hole ended the movement: to be said with the next sample */
    double departed_s;    /* since when the force is out of (in) the band that the state watches; NaN: it is not */
    uint64_t start_block; /* first block of the movement */
    double onset_s, peak_N, low_N;
    double dip_depth_N, dip_N,
        dip_s; /* the deepest fall from a peak before it, how low it went, when: the braking at the top */
    struct level hold;
    double top_s, descent_s, leave_s;
    double below_s;                               /* since when the force is back near rest; NaN */
    double bottom_s, momentum_Ns, down_Ns, up_Ns; /* integral of F - rest: mass x velocity; its lowest, its highest since */
    double takeoff_s;
    double step[STEPS];
    unsigned steps;
    double last_end_s;
};

/* The past, found by time to the nearest sample: the same whatever the last digit of the times is. */
const struct block *rep_block_at(const struct plate_rep_detector *d, uint64_t i);
uint64_t rep_oldest_block(const struct plate_rep_detector *d);
uint64_t rep_block_from(const struct plate_rep_detector *d, double t_s); /* first kept block at or after t_s */
double rep_band_N(const struct plate_rep_detector *d);
/* The first sample out of the resting band, searched backwards at full rate from a time when it was out. */
double rep_find_onset(const struct plate_rep_detector *d, double from_s);
/* Everything that the phases' times decide; NaN times give NaN metrics. Up: the concentric phase. */
void rep_fill(struct plate_rep_detector *d, struct plate_rep *r, double onset_s, double end_s, double up_from_s,
              double up_to_s);
