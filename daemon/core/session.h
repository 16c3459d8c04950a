/* core/session.h - sides, sets and rep numbers; who is compared with whom. Private to the core; pure; one thread.
 * What comes in is already merged by (time, plate name). docs/architecture.md has the rules of a set. */
#pragma once
#include "plate/station.h"

enum { SESSION_SIDES = 16, SESSION_FIRST_HOLDS = 3 };
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
    struct plate_set set; /* the open one, if set_open */
    bool set_open;
    enum plate_set_end end_pending; /* to end as soon as nobody is in a movement; ACTIVE: nothing pending */
    double end_asked_s;
    int32_t sets;
    int32_t reps[PLATE_MAX_PLATES];
    double sum[4]; /* peak, mean, hold, concentric over the open set */
    int32_t sum_n[4];
    double hold_N[PLATE_MAX_PLATES][SESSION_FIRST_HOLDS]; /* of the open set's first reps that have one */
    unsigned holds[PLATE_MAX_PLATES];
    enum plate_phase phase[PLATE_MAX_PLATES];
    double idle_since_s; /* the last rep's end or return to rest */
    struct plate_limbs limbs;
};

int session_init(struct session *s, const struct plate_station_config *cfg, const struct plate_station_sink *sink);
void session_mark(struct session *s, const struct plate_mark *m);
void session_phase(struct session *s, unsigned plate, enum plate_phase phase, double t_s);
void session_rep(struct session *s, unsigned plate, struct plate_rep *rep, double t_s);
/* When the open set ends by rest if nothing happens before; INFINITY: it does not. */
double session_due_s(const struct session *s);
void session_rest_over(struct session *s); /* time has come to session_due_s() */
void session_finish(struct session *s, double t_s);
