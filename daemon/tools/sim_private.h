/* tools/sim_private.h - what the parts of the body model share: the athlete, what he will do and when, and how it goes on.
 * sim_script.h says who writes it, at set-up; sim_body.c, sim_events.c and sim_truth.c read it. */
#pragma once
#include "sim_body.h"
#include "sim_path.h"
#include "sim_statics.h"

#define GRAVITY 9.80665
#define STEP_ON_S 0.35 /* the foot comes down on the plate */
#define STEP_OFF_S 0.30
#define TREMOR_TONES 3

/* Between two reps. */
struct gap {
    enum sim_turn turn;
    double h_m, accel;    /* where the hips turn, and how hard when they do not stop */
    double length_s;      /* standstill, floor contact or rest; bounce: from contact to turn */
    double touch_m_per_s; /* speed at which the floor is met; 0: put down softly */
    double rebound_s;     /* bounce: from the turn until the floor is left */
};
struct rep {
    unsigned set, number;
    double start_s, first_s, hold_s, second_s; /* drive, hold, lower; squat, jump: lower, bottom, drive */
    double lean_s, lean_back_s;                /* sit to stand: the trunk goes forward before, and back after */
    double takeoff_s, landing_s, stand_s;      /* jump: lengths of flight and of what follows it */
    double stop_s;                             /* has come to rest, or has turned around */
    bool floats_in, floats_out;                /* the floor does not take the load before it, after it */
    double still_s;                            /* standstill above the floor that follows */
    double rest_before, rest_after;            /* of the resting force, 1 = the athlete's own */
    double force_N, sag;                       /* push: plateau over rest, and the part of it lost by the end */
    double swap_s[2];                          /* two up, one down: the second foot leaves, and comes back */
    double top_accel;                          /* when there is no hold */
    double tremor[TREMOR_TONES], tremor_Hz[TREMOR_TONES], tremor_phase[TREMOR_TONES];
};
struct set {
    enum plate_side side;
    double on_s, off_s; /* foot on, foot off */
    unsigned first_rep;
    double share[2]; /* of left and right foot */
    double tread[2]; /* how hard each foot is put down */
    double sway_phase[2][4], wander_phase[2], body_phase[3];
};

/* An event is a sum of strokes. */
enum stroke_kind { STROKE_BUMP, STROKE_RING, STROKE_PLATEAU, STROKE_WAVE, STROKE_RISE, STROKE_LIFT };
struct stroke {
    enum stroke_kind kind;
    double start_s, length_s, size; /* N; lift: 1 */
    double ramp_s[2];               /* plateau, lift: up and down */
    double rate_Hz, phase;          /* ring, wave */
};
enum { MAX_STROKES = 12 };
struct event {
    struct sim_event is;
    double until_s; /* the last of its force */
    unsigned strokes;
    struct stroke stroke[MAX_STROKES];
};

struct sim_body {
    struct sim_body_config cfg;
    struct sim_posture two, one;                  /* two: both legs work; one: the other leg is free */
    bool swaps;                                   /* two up, one down */
    double mass_kg, load_kg, travel_m, contact_m; /* contact: how far the floor gives way */
    double dip_m, lean;                           /* sit to stand: the trunk sinks, and takes this part of the seat's load */
    double takeoff_m, takeoff_m_per_s;
    double floor_inertia; /* the part of an impact that the floor takes */
    double rest_N[2];     /* a foot at rest: the leg's weight; standing: its share of all */
    double first_base_s, second_base_s, push_N;
    double cop_x_mm[2], cop_rest_mm[2], cop_work_mm[2], sway_mm, sway_Hz[4], breath_N, breath_phase;
    double wander, wander_Hz[2], body_sway, body_Hz[3];
    double end_s;
    struct sim_path path;
    struct set set[SIM_MAX_SETS];
    struct event *event;
    unsigned events, reps;
    struct rep *rep;
};

static inline bool sim_stands(enum sim_kind kind) { return kind == SIM_SQUAT || kind == SIM_JUMP; }
static inline double draw(struct sim_rng *r, double low, double high) { return sim_rng_uniform(r, low, high); }
static inline double square(double x) { return x * x; }
static inline double sim_clamp(double x, double low, double high) { return x < low ? low : x > high ? high : x; }
/* NULL before, between and after the sets. */
const struct set *sim_set_at(const struct sim_body *b, double t_s);
/* The latest rep of the set that has begun, or its first one. */
const struct rep *sim_rep_at(const struct sim_body *b, const struct set *s, double t_s);

/* sim_script.c, sim_events.c: -ENOMEM. */
int sim_script_write(struct sim_body *b);
bool sim_event_makes_sense(const struct sim_body *b, enum sim_event_kind kind);
/* Draws what happens at `start_s` (the rest of *e is its own); its length. */
double sim_event_draw(const struct sim_body *b, struct sim_rng *r, enum sim_event_kind kind, double start_s, struct event *e);
/* For the plate of each foot, left and right: the force that passes, the one that stays (a loaded bar), and how far the
 * foot is lifted, 0..1. */
struct sim_event_state {
    double force_N, stays_N, lift;
};
void sim_events_at(const struct sim_body *b, double t_s, struct sim_event_state ret[2]);
/* The force without what passes (kicks, taps, leaning), and without its centre. */
void sim_body_own_force(const struct sim_body *b, enum plate_side foot, double t_s, struct sim_force *ret);
