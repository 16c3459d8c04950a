/* core/rep_private.h - the detector's memory, shared by the machines (rep.c, rep_up.c, rep_loaded.c) and the measures
 * (rep_measure.c). Pure; one thread. docs/detector.md gives the model and the reason of each threshold. */
#pragma once
#include "plate/rep.h"
#include "rep_form.h"
#include "rep_measure.h"

#define BAND_MIN_N 5.0 /* resting band: mean +- max(5 SD, 5 N), Dos'Santos 2017 */
#define BAND_SD 5.0
#define GRAVITY 9.80665
#define STANDING_N 200.0   /* generic: so much may be somebody who stands, with both feet */
#define LOADED_MIN_N 100.0 /* nobody stands with less on a plate */
#define FOOT_LEAST_N 10.0  /* a foot at rest presses so much more than nothing */

#define BLOCKS 8192 /* block means: the whole rep */
#define STEPS 5
#define LEFTS 4     /* holds of a movement that are remembered */
#define TWINS 12    /* reps that may have been taken for one */
#define MOST_DUE 32 /* reps that wait to be said */

struct block {
    double t_s, dt_s, force_N; /* start, length, mean of the force that decides */
    double total_N;            /* of all means so far, this one included: running means by subtraction */
};
struct level {
    double mean_N, sd_N;
};
/* A hold from which the hips may sink evenly since, so fast; 0: they do not. */
struct above {
    double top_s, left_s, level_N, m_per_s;
};
/* A push too short for a rep: the first part of an explosive one, whose braking lifts the load off the foot, or a tap. */
struct hump {
    double onset_s, end_s, peak_N, drive_live_s, lower_live_s; /* when those phases were said */
};
/* How a movement shows under the foot. */
enum family {
    FAMILY_THRUST,  /* hips leave the floor: up, hold, down; the support grows with their height */
    FAMILY_PUSH,    /* nothing moves: up, hold, down */
    FAMILY_SEAT,    /* the seat gives up a constant load and takes it back */
    FAMILY_LOADED,  /* down and up from standing, perhaps off the ground */
    FAMILY_GENERIC, /* nobody said: a push from an unloaded plate, a squat from a loaded one */
};
struct exercise {
    const char *name;
    enum family family;
    bool together;    /* both feet move one body: decided on the sum of their plates */
    bool jump;        /* a rep leaves the ground */
    bool second_foot; /* the load steps up at the top when the other foot leaves */
    double least_s;   /* no rep of it is over sooner */
    double way;       /* by this part the support falls from the top to the floor */
    double curve;     /* ... as 1 - curve * depth^2, 1/m^2 */
    double travel_m;  /* how far the hips usually go */
};
/* A movement that is over. */
struct movement {
    struct plate_rep rep;
    double step_N, rest_N, top_N, top_most_N;
    double swing_N; /* SD of its force, rise and fall apart */
    bool other_leg; /* the athlete has changed legs since */
};
enum state { STATE_LEARN, STATE_REST, STATE_UP, STATE_LOADED, STATE_AIR };

struct plate_rep_detector {
    double rate_Hz, period_s;
    char name[PLATE_TEXT_SIZE];
    struct plate_protocol_targets targets;
    const struct exercise *exercise;

    struct rep_history history; /* at full rate */
    struct block block[BLOCKS];
    uint64_t blocks, blocks_from;
    struct {
        double t_s, force;
        unsigned n;
    } open;
    unsigned block_n;
    double block_root; /* of block_n: so much less noise has a block's mean than a sample */
    double smooth_N, smooth_k;
    bool summed; /* the last sample's force was the sum of both plates */

    struct {
        double mean, m2, own;
        unsigned n;
        double smooth, smooth2; /* of the smoothed force, one a block */
        unsigned blocks;
        double last_mean;
        bool last_quiet;
    } chunk;
    unsigned chunk_n;
    unsigned quiet_chunks; /* in a row */
    double apart_Ns;       /* impulse over the standing weight in quiet chunks, all apart from it */
    struct level rest;     /* of the force that decides */
    double own_rest_N;     /* of this plate alone */
    double rest_spread_N;  /* SD of the smoothed force at rest: what decisions must exceed */
    double noise_N;        /* the same without sway */
    bool kept;             /* a hole came: the resting level is that of before it, and may still hold */
    struct resting {
        struct level level;
        double own_N, spread_N, noise_N;
        bool known;
    } aside;                 /* that of the sum while there is no sum, and the other way round */
    bool unseen;             /* a hole swallowed the beginning of this movement */
    double unseen_end_s;     /* when such a one was over; NaN: there was none */
    double rested_N, fell_s; /* the resting level before it fell to the present one, and when; NaN: it did not */
    double before_foot_N;    /* ... or before a foot was seen to rest there; NaN: the rest was learned */
    double lowest_N;         /* the lowest resting level so far: nothing on the plate, as far as is known */
    double under_s;          /* since when the force is below the resting band; NaN */

    enum state state;
    enum plate_phase phase;
    bool rest_due;     /* a hole ended the movement: to be said with the next sample */
    bool foot_down;    /* the movement began at an empty plate: it may be the foot that is put down */
    double departed_s; /* since when the force is out of (in) the band that the state watches; NaN: it is not */
    double onset_s, peak_N, low_N;
    double dip_depth_N, dip_N,
        dip_s;        /* the deepest fall from a peak before it, how low it went, when: the braking at the top */
    struct hump hump; /* the last one; its end NaN: none */
    bool from_floor;  /* the hips are put down between the reps of this set */
    bool flew;        /* the hips may have flown from it into this movement: so soon after */
    struct level hold;
    double held_most_N; /* the highest that the hold has been */
    struct above above;
    double hold_from_s;     /* since when the force is on this hold's level */
    double again_s;         /* ... and since when it is again */
    double first_descent_s; /* ... if it was left then, and may not be: NaN, it was not */
    struct left {
        double from_s, at_s, level_N;
    } left[LEFTS]; /* holds of this movement that were left for another, `lefts` so far: the last ones */
    unsigned lefts;
    bool held, plateau;       /* `hold` is of this rep; and had no braking before it */
    bool floating;            /* the hips wait above the floor ... */
    struct level wait;        /* ... at this level ... */
    double floats_s, waits_s; /* ... known since, since; NaN: the rep that ended there is said */
    double waited_s;          /* ... since, said or not */
    bool lowered;             /* ... and a path of hips led down to it */
    double top_s, descent_s, leave_s;
    double below_s;            /* since when the force is back near rest; NaN */
    double touch_s, lifted_s;  /* the last time before that it was, in this movement, and until when; NaN: was not */
    double turn_s, turn_low_N; /* the hips may have turned then, above the floor, with that support; NaN: no ... */
    double turn_least_N;       /* ... and so little force on the way there, ... */
    double turn_most_N;        /* ... unless they are held with more than this after it */

    /* The hips' observer: the force that it would take to hold still at their height, and its rate. */
    double support_N, support_rate, support_high_N, support_low_N, low_s;
    double asked_s;                    /* when it was last looked for a turn between two holds */
    bool denied;                       /* and the path between was none of hips that turn */
    float path_m[BLOCKS];              /* of the blocks: depth below the hold, looked at again */
    float speed_m_per_s[BLOCKS];       /* of a path that was followed from both ends: of both, added up */
    double upper_sum, upper_n;         /* of the force in the upper half of this rep */
    double known_rest_N;               /* the force at rest of the last rep */
    double known_N, usual_s, travel_m; /* the held force and the length of the reps before, and how deep they turned; 0: none */

    struct level weight;       /* rep_weight.c: it may stand with so much, 0: not known, ... */
    double weighed_s, sinks_s; /* ... last looked for; it goes down since; NaN: it does not */

    double velocity, height, deepest, fastest_down, fastest_up; /* of a standing body, m/s and m */
    double bottom_s, turned_s, turned_speed, turned_m, takeoff_s;
    double bare_N;                    /* what the plate bears while he is in the air: nil, or what lies on it */
    double still_s;                   /* the speed was nil then */
    double stopped_N;                 /* with so much it seemed to have stopped at the bottom; NaN: it rose since, or did not */
    double stood_s;                   /* it may have stood again since, or still rise evenly; NaN */
    bool astray;                      /* the momentum went where no body goes, ... */
    double stood_asked_s;             /* ... when it was last looked whether it stands again */
    bool landing;                     /* from a flight: no rep */
    bool from_turn;                   /* it began at a turn, not from standing */
    double step[STEPS], usual_step_N; /* of the latest reps, and their median, if there were any */
    unsigned steps;
    double usual_swing_N;          /* SD of their force */
    double other_step_N;           /* the usual step of the other leg; 0: not known */
    struct movement doubtful;      /* rep_doubt.c */
    bool doubts;                   /* it waits for a second like it, ... */
    bool doubts_step;              /* ... or for a foot that comes to rest: then it was none */
    struct movement due[MOST_DUE]; /* to be said with the next samples, one each: the first `dues` */
    unsigned dues;
    bool rest_held;               /* until the last of them is said */
    double last_end_s, live_s[3]; /* when drive, hold and lower were said */
};

/* fmax(), without the call, of a bound that is not NaN. */
static inline double rep_at_least(double bound, double v) { return v > bound ? v : bound; }

/* No phase of what comes now has gone out. */
static inline void rep_unsaid(struct plate_rep_detector *d) { d->live_s[0] = d->live_s[1] = d->live_s[2] = NAN; }

/* rep_up.c. Nobody sees what comes next: a rep that is over is said with the next samples, and what is held may be a foot at
 * rest. */
void rep_up_cut(struct plate_rep_detector *d);

/* rep_doubt.c. At rest: has what may have been a step been one? */
void rep_weigh_step(struct plate_rep_detector *d);
/* Nothing told that it was one: it is said with the next samples. */
void rep_was_no_step(struct plate_rep_detector *d);

/* rep.c */
bool rep_lasted(const struct plate_rep_detector *d, double t_s, double since_s, double dwell_s);
bool rep_set_phase(struct plate_rep_detector *d, enum plate_phase phase, struct plate_rep_output *out);
void rep_to_rest(struct plate_rep_detector *d, struct plate_rep_output *out);
void rep_to_learn(struct plate_rep_detector *d, struct plate_rep_output *out);
double rep_usual_step_N(const struct plate_rep_detector *d);
/* The movement is a rep: measures, judges and says it. `step_N` is remembered. In two parts: false if this plate's foot took no
 * part in it. */
bool rep_fill(const struct plate_rep_detector *d, const struct rep_times *t, struct plate_rep *ret);
void rep_send(struct plate_rep_detector *d, const struct plate_rep *r, double step_N, struct plate_rep_output *out);
/* As rep_send(), and remembers nothing of it. */
void rep_put(const struct plate_rep_detector *d, const struct plate_rep *r, struct plate_rep_output *out);
void rep_say(struct plate_rep_detector *d, const struct rep_times *t, double step_N, struct plate_rep_output *out);
/* The first sample out of a band, searched backwards at full rate from a time when it was out; no earlier than the end of the
 * last rep, or of what may have been one. */
double rep_find_departure(const struct plate_rep_detector *d, double from_s, double level_N, double band_N);
/* The past, found by time to the nearest sample: the same whatever the last digit of the times is. */
static inline const struct block *rep_block_at(const struct plate_rep_detector *d, uint64_t i) { return &d->block[i % BLOCKS]; }
static inline const struct block *rep_last_block(const struct plate_rep_detector *d) { return rep_block_at(d, d->blocks - 1); }
uint64_t rep_oldest_block(const struct plate_rep_detector *d);
uint64_t rep_block_from(const struct plate_rep_detector *d, double t_s); /* first kept block at or after t_s */
/* Mean of the `k` kept blocks up to and with block `i`. */
double rep_running_mean_N(const struct plate_rep_detector *d, uint64_t i, uint64_t k);
#define ASK_S 0.1   /* what goes over much of the past is looked at so often */
#define FLAT_MOST 6 /* what ends so many tolerances from where it began is not flat */
/* Is the force, its running mean over `smooth_s`, flat over the last `window_s`, all of it since `since_s`? Then its level, and
 * since when. */
bool rep_flat(const struct plate_rep_detector *d, double window_s, double smooth_s, double since_s, double tolerance_N,
              struct level *ret, double *ret_since_s);

/* rep_rest.c, the resting level. One sample of a plate that is at rest, or of which nothing is known yet. */
void rep_rest_init(struct plate_rep_detector *d);
void rep_learn_rest(struct plate_rep_detector *d, double t_s, double force_N, double own_N);
/* Quiet begins anew. */
void rep_forget_chunk(struct plate_rep_detector *d);
/* Is the level the weight of somebody who stands? */
bool rep_bears_weight(const struct plate_rep_detector *d);
/* Rest is another level from now on. Of what two plates rest on more, this one's is its share of the force now: net impulse is
 * over the foot at rest. */
void rep_rest_moves(struct plate_rep_detector *d, double level_N, double sd_N);
double rep_band_N(const struct plate_rep_detector *d);          /* the resting band of single samples: for onsets */
double rep_decision_band_N(const struct plate_rep_detector *d); /* of the smoothed force: for decisions */

/* rep_up.c: hip thrusts, pushes, standing up from a seat */
void rep_up_begin(struct plate_rep_detector *d, double onset_s, struct plate_rep_output *out);
void rep_up_step(struct plate_rep_detector *d, struct plate_rep_output *out);
/* rep_weight.c: whatever is held from now on is another one. */
void rep_weight_forget(struct plate_rep_detector *d);
/* rep_doubt.c */
void rep_say_due(struct plate_rep_detector *d, struct plate_rep_output *out);
/* rep_loaded.c: squats and jumps */
double rep_loaded_band_N(const struct plate_rep_detector *d);
/* The force has left the band of a standing body: since when he has gone down within it, if he did; NaN. */
double rep_sank_s(const struct plate_rep_detector *d, double departed_s);
void rep_loaded_begin(struct plate_rep_detector *d, double departed_s, struct plate_rep_output *out);
/* What was taken for a push is a squat, under way since then. */
void rep_loaded_go_on(struct plate_rep_detector *d, double onset_s, struct plate_rep_output *out);
void rep_loaded_step(struct plate_rep_detector *d, struct plate_rep_output *out);
void rep_air_step(struct plate_rep_detector *d, struct plate_rep_output *out);
