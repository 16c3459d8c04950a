/* tools/sim_body.h - an athlete on a platform, as physics: hips move, masses push back, a foot carries its share.
 * The noise-free force is a pure function of time, so the truth of a rep (docs/simulator.md) is found on the force itself.
 * Allocates at set-up only; no I/O, no clock. A body may be read by several threads. Everything is drawn from one seed. */
#pragma once
#include "plate/types.h"
#include "sim_rng.h"

enum sim_kind { SIM_THRUST, SIM_PUSH, SIM_SQUAT, SIM_SIT, SIM_JUMP };

/* What happens between two reps. */
enum sim_turn {
    SIM_TURN_PAUSE,        /* rest on the floor */
    SIM_TURN_TOUCH_AND_GO, /* the floor takes all of the load, for 0.05 to 0.25 s */
    SIM_TURN_BOUNCE,       /* an impact of under 0.2 s that takes part of it */
    SIM_TURN_FLOAT,        /* the hips stop above the floor, for up to 1 s, or turn at once */
    SIM_TURNS
};
/* How the hips come up. */
enum sim_profile {
    SIM_PROFILE_MEASURED, /* early peak of speed, slow finish */
    SIM_PROFILE_MIN_JERK,
    SIM_PROFILE_STICKING,  /* nearly stops half-way */
    SIM_PROFILE_GRINDING,  /* 1.5 to 3 s, even speed with wobbles */
    SIM_PROFILE_EXPLOSIVE, /* 0.25 to 0.4 s; the force falls below rest while the hips brake */
    SIM_PROFILES
};
enum sim_free_leg { SIM_LEG_DRAWN, SIM_LEG_STRAIGHT, SIM_LEG_TUCKED };

/* What is not a rep; a set of them is a mask of 1u << kind. */
enum sim_event_kind {
    SIM_EVENT_STEP,     /* somebody steps on the empty plate with all his weight, and off */
    SIM_EVENT_REPLACE,  /* the resting foot is lifted and set down again */
    SIM_EVENT_HEEL_TAP, /* one to four taps */
    SIM_EVENT_ABORT,    /* the floor is left by 20 to 50 % of the step, and back within 0.5 s */
    SIM_EVENT_FIDGET,   /* talking: slow changes of 5 to 10 N */
    SIM_EVENT_LOAD,     /* the bar is loaded before the first rep: rest steps up, with impacts */
    SIM_EVENT_KICK,     /* 20 to 60 ms, up to 300 N, then a damped ringing; also in a hold */
    SIM_EVENT_LEAN,     /* a second person leans on the plate */
    SIM_EVENTS
};
extern const char *const sim_turn_names[SIM_TURNS], *const sim_profile_names[SIM_PROFILES], *const sim_event_names[SIM_EVENTS];

struct sim_exercise {
    const char *name, *what;
    enum sim_kind kind;
    bool one_leg, both_legs; /* which sides a set may have */
    unsigned plates;         /* when nobody says */
    unsigned turns;          /* mask: the turns that it may have */
    unsigned profiles;       /* mask: likewise; 0: it has its own */
    double drive_s[2], hold_s[2], lower_s[2], rest_s[2], load_kg[2];
};
extern const struct sim_exercise sim_exercises[]; /* closed by a NULL name */
const struct sim_exercise *sim_exercise_find(const char *name);

enum { SIM_MAX_SETS = 32, SIM_MAX_REPS = 1000 };
struct sim_body_config { /* start from sim_body_config_init() */
    const struct sim_exercise *exercise;
    enum plate_side set[SIM_MAX_SETS]; /* left, right or both */
    unsigned sets, reps;               /* reps of each set */
    uint64_t seed;
    enum sim_turn turn;
    enum sim_profile profile;
    enum sim_free_leg free_leg;
    double load_kg;            /* on the hips; NaN: drawn from the exercise's range */
    double band_N_per_m;       /* an elastic band: load on the hips that grows with their height */
    double foot_up_m;          /* the foot stands higher than the floor by so much, [0, 0.3] */
    enum plate_side weaker;    /* none, left or right */
    double weaker_pct;         /* [0, 90]: of drive time (dynamic), of force (push), of share (both legs) */
    double fatigue_pct;        /* each rep is slower by so much; NaN: 1 */
    double drive_s, lower_s;   /* NaN: drawn */
    double hold_s;             /* [0, 3600]; NaN: drawn */
    double tremor;             /* times the usual: 0 none, 1 */
    double wander_pct;         /* both legs: by so much of the total the share wanders to either side; NaN: drawn, 1 to 3 */
    double toe_bias_mm;        /* centre of pressure in the work, to the toes; negative: to the heel */
    double medial_drift_mm;    /* ... and to the inner edge of the foot in the course of each drive */
    bool odd_first;            /* the first rep of a set is slower by 30 to 80 %, or is an aborted start and then a rep */
    bool second_foot_on_plate; /* two_up_one_down: the second foot stands on the other plate, not beside it */
    unsigned events;           /* mask of enum sim_event_kind */
    unsigned events_per_set;   /* of each kind; 0: one */
    double set_rest_s;         /* foot off the plate between sets */
    double start_delay_s;      /* empty plate at the start */
};
/* One set of 8 with each leg (both legs where the exercise wants them), pause, measured profile, no events, seed 1. */
void sim_body_config_init(struct sim_body_config *c, const struct sim_exercise *exercise);

/* The noise-free state of one foot, or of both together (side both). */
struct sim_force {
    double foot_N;
    double floor_N;   /* what floor or seat carry of the same load: foot + floor = support + inert * accel / g */
    double support_N; /* what it would take to hold still at this height */
    double inert_N;   /* the part of support that has mass (a band has none) */
    double hip_m;     /* height over the start */
    double accel_m_per_s2;
    double still_N;            /* foot_N if nobody moved: resting level with its breathing and swaying */
    double cop_x_mm, cop_y_mm; /* 0 on an empty plate */
};
/* docs/simulator.md; NaN where there is no such phase. A hold of zero length has top = descent. */
struct sim_truth {
    unsigned rep, set; /* from 1 */
    enum plate_side side;
    double onset_s, top_s, descent_s, end_s, peak_N;
    double bottom_s; /* movements that go down first: the hips begin to come up; else NaN */
    bool floated;    /* the rep before did not unload: onset is the end of a standstill, or the turn-around */
    bool floating;   /* this one does not: end is the beginning of a standstill, or the turn-around */
};
struct sim_event {
    enum sim_event_kind kind;
    unsigned set;         /* from 1; of a step: the set that follows */
    enum plate_side foot; /* on the plate under this foot; both: an aborted lift with both legs */
    double start_s, end_s;
};

struct sim_body;
/* -EINVAL: the configuration makes no sense; -ENOMEM. */
int sim_body_new(const struct sim_body_config *cfg, struct sim_body **ret);
void sim_body_free(struct sim_body *b); /* NULL is fine */
double sim_body_duration_s(const struct sim_body *b);
unsigned sim_body_reps(const struct sim_body *b);
/* When rep `i` (of all sets, from 0) starts to move and has come to rest, or has turned around. */
void sim_body_rep_span(const struct sim_body *b, unsigned i, double *ret_start_s, double *ret_end_s);
void sim_body_force(const struct sim_body *b, enum plate_side foot, double t_s, struct sim_force *ret);
/* Rep `i` as the plate under `foot` sees it; false: that foot does not work in it. */
bool sim_body_truth(const struct sim_body *b, unsigned i, enum plate_side foot, struct sim_truth *ret);
/* The foot's part of the load of both between two times, in %; NaN: from_s < to_s is not so. */
double sim_body_share_pct(const struct sim_body *b, enum plate_side foot, double from_s, double to_s);
unsigned sim_body_events(const struct sim_body *b);
const struct sim_event *sim_body_event(const struct sim_body *b, unsigned i); /* i from 0, by start */
