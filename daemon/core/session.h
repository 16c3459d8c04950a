/* core/session.h - sides, sets and rep numbers; who is compared with whom. Private to the core; pure; one thread.
 * What comes in is already merged by (time, plate name). docs/sides.md has the rules of a set.
 * session.c: reps and sets as they happen; session_plan.c: whose turn it is; session_correct.c: what is put right later. */
#pragma once
#include "dropoff.h"
#include "plate/station.h"

enum {
    SESSION_SIDES = 16,
    SESSION_FIRST_HOLDS = 3,
    SESSION_REPS = 4096, /* remembered, so that they can be corrected */
    SESSION_SETS = 1024
};

/* Sums over the reps of a set that count. */
struct session_sums {
    struct dropoff line[4];  /* peak, mean, hold, concentric */
    double left_Ns, both_Ns; /* of the reps that know the other foot */
    int32_t reps[PLATE_MAX_PLATES];
};

struct session {
    const struct plate_station_config *cfg;
    const struct plate_station_sink *sink;
    char exercise[PLATE_TEXT_SIZE];
    double body_mass_kg;
    bool warmup;
    struct {
        double t_s;
        enum plate_side side;
    } side[SESSION_SIDES]; /* the last changes, oldest first */
    unsigned sides;
    unsigned plan_at; /* in cfg->plan: whose turn it is */
    int32_t plan_done;

    struct plate_set set; /* the open one, if set_open */
    bool set_open;
    bool side_corrected, warmup_corrected; /* of the open set: its next reps are like it */
    enum plate_set_end end_pending;        /* to end as soon as nobody is in a movement; ACTIVE: nothing pending */
    double end_asked_s;
    int32_t sets;
    int32_t reps[PLATE_MAX_PLATES];                       /* of the open set, with the discarded ones */
    struct session_sums sums;                             /* of the open set */
    double hold_N[PLATE_MAX_PLATES][SESSION_FIRST_HOLDS]; /* of the open set's first reps that have one */
    unsigned holds[PLATE_MAX_PLATES];
    enum plate_phase phase[PLATE_MAX_PLATES];
    double idle_since_s; /* the last rep's end or return to rest */

    struct plate_limbs limbs;
    struct plate_asymmetry said[PLATE_METRICS]; /* the comparison as it was said last */
    unsigned saids;
    int32_t verdict;        /* of the primary metric, as it was said last */
    unsigned compared_from; /* of `rep`: the limbs hold these and what follows */

    struct session_rep {
        struct plate_rep rep; /* as it is now, corrections done */
        enum plate_side fixed;
        bool discarded;
    } rep[SESSION_REPS];
    unsigned kept;                       /* of `rep` */
    bool overflow;                       /* more reps than are remembered */
    struct plate_set past[SESSION_SETS]; /* set n stands in past[n - 1], as it was said last */
    int32_t corrections;
};

/* Of a session that is all zero: what it remembers is large, and is not to be touched before it is used. */
int session_init(struct session *s, const struct plate_station_config *cfg, const struct plate_station_sink *sink);
void session_begin(struct session *s); /* the first knot is there: says the plan */
void session_mark(struct session *s, const struct plate_mark *m);
void session_phase(struct session *s, unsigned plate, enum plate_phase phase, double t_s);
void session_rep(struct session *s, unsigned plate, struct plate_rep *rep, double t_s);
/* When the open set ends by rest if nothing happens before; INFINITY: it does not. */
double session_due_s(const struct session *s);
void session_rest_over(struct session *s); /* time has come to session_due_s() */
void session_finish(struct session *s, double t_s);
enum plate_side session_side(const struct session *s); /* who works from the last change on */

/* session_correct.c */
int session_can_correct(const struct session *s, const struct plate_correction *c, char *why, size_t size);
/* A correction that can be made: says it, and what follows from it. */
void session_correct(struct session *s, const struct plate_correction *c, double t_s);

/* ---- between the three files ---- */
bool session_number(const char *text, double *ret);
bool session_bilateral(const struct plate_station_config *cfg);
void session_say(struct session *s, struct plate_event *e); /* e->t_s is filled */
void session_turn(struct session *s, double t_s, enum plate_side side);
void session_compare_afresh(struct session *s, enum plate_side involved);
void session_say_comparison(struct session *s, double t_s, int32_t correction);
void session_add(struct session_sums *sums, unsigned plate, const struct plate_rep *rep);
void session_fill_set(const struct session_sums *sums, struct plate_set *set);

/* session_plan.c */
void session_plan_begin(struct session *s);
void session_plan_say(struct session *s, double t_s);
void session_plan_advance(struct session *s, double t_s); /* a set has ended that nobody cut short by saying a side */
void session_plan_follow(struct session *s, enum plate_side side, bool set_over, double t_s); /* somebody said a side */
bool session_plan_complete(const struct session *s); /* the open set has the reps that were planned */
