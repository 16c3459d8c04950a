/* core/station_private.h - the station's memory, and what its files share: station.c takes what is handed in, station_plate.c
 * the samples, all the way to the detector, station_merge.c puts what the plates say in order, station_setup.c makes and copies
 * it. Private to station*.c; pure; one thread. */
#pragma once
#include "plate/filter.h"
#include "plate/rep.h"
#include "plate/station.h"
#include "session.h"

enum { CHUNK = 256, QUEUE = 64, MARKS = 64 };

/* A sample on its way to the detector. */
struct sample {
    double t_s, Fz_N, cop_x_mm, cop_y_mm;
    double floor_s;   /* what it leads to counts from here at the earliest */
    uint64_t missing; /* samples missing right before it */
};

struct pending {
    double key_s;
    bool is_rep;
    enum plate_phase phase;
    struct plate_rep rep;
};
struct plate {
    const struct plate_station_plate *cfg;
    struct plate_geometry geometry;
    struct plate_calibration calibration;
    struct plate_filter filter;
    struct plate_rep_detector *detector;
    struct plate_clock knot;
    bool started, present;         /* has a first knot; the merge waits for it */
    uint64_t next_sample, missing; /* missing: right before it */
    struct sample *ring;           /* sample i stands in ring[i & mask]; numbered as received, without gaps */
    uint64_t mask;
    uint64_t in, settled, out; /* received; what will not change any more; handed on to the detector */
    unsigned neighbours;       /* on either side: which tell a spike */
    uint64_t spikes;
    double fed_s, seen_s, floor_s; /* the last received; the last handed on; what comes next counts from here */

    struct plate *partner;    /* under the other foot, NULL: none */
    uint64_t heard;           /* of the partner's samples: behind this plate */
    double other_N, other_s;  /* the last of those that counts */
    double near_s, silence_s; /* two samples are of one time; a partner is silent */
    uint64_t next_mark;
    struct pending queue[QUEUE];
    unsigned head, queued;
};
struct plate_station {
    struct plate_station_config cfg;
    struct plate_station_sink sink;
    struct plate plate[PLATE_MAX_PLATES];
    unsigned order[PLATE_MAX_PLATES]; /* plates by name */
    struct session session;
    struct plate_mark mark[MARKS];
    uint64_t marks, merged_marks; /* handed in; gone through the merge */
    bool begun;                   /* a plate has its first knot */
    unsigned queued;              /* of all plates */
    double seen_s;                /* the latest of what the plates have handed on */
    double merged_s, event_s;     /* how far the merge has come; with what a plate or the set's rest said */
    double t_s[CHUNK];
    struct plate_force force[CHUNK];
};

static inline struct sample *station_sample(const struct plate *p, uint64_t i) { return &p->ring[i & p->mask]; }

/* station_plate.c */
void station_hand_on(struct plate_station *s, struct plate *p); /* one sample to the detector */
void station_pump(struct plate_station *s, struct plate *p);    /* all that need not wait for the partner */
/* Nothing comes after: what was over is said. */
void station_end(struct plate_station *s, struct plate *p);
/* What comes next, and the samples that wait for it to settle, count from t_s at the earliest. */
void station_set_floor(struct plate *p, double t_s);
/* The marks that steer a detector act on the first sample at or after their time. */
void station_steer(struct plate_station *s, struct plate *p, double t_s);

/* station_merge.c */
void station_enqueue(struct plate_station *s, struct plate *p, const struct pending *e);
void station_merge(struct plate_station *s); /* as far as every plate that is waited for has come */
/* Lets out what is no later than `bound`, in the order (time; marks, plates by name, the set's rest). */
void station_merge_until(struct plate_station *s, double bound, double timer_bound);
double station_latest_s(const struct plate_station *s);
/* From here on a plate can still speak without being out of order: after all that was said, not before a mark, and
 * after all that its partner has decided without it. */
double station_floor_s(const struct plate_station *s, const struct plate *p);
