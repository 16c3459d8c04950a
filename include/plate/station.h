/* plate/station.h - the whole core, assembled: plates, session, asymmetry. The daemon, plate-trace, the tests,
 * the benchmarks and the fuzzers all call this, so that live and offline agree to the byte.
 * Pure: no I/O, no clock, no thread; allocates in plate_station_new only. One station, one thread.
 *
 *   samples ─► calibrate ─► spikes ─► filter ─► detect ─► merge by (time, plate) ─► session, asymmetry ─► events
 *
 * For each plate, hand in what happened in the order of its sample numbers: before sample s come the gap, the
 * knot and the calibration that start at s. Marks are handed in with their time and act on every sample at or
 * after it. Events of several plates are merged by (time, plate name), never by arrival: an event is held until
 * every plate has come as far. A live station says `absent` of a plate that has fallen silent; when it returns,
 * the station emits a `resume` mark, which the offline run is handed in turn, right before the sample that it names.
 * If one plate has the side left and one the side right, each one's samples wait until the other has come as far, up to
 * 8191 samples, and the detectors hear of each other. */
#pragma once
#include "calibrate.h"
#include "event.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

struct plate_station_plate {
    char name[PLATE_NAME_SIZE];
    enum plate_side side; /* left, right: a plate under that foot; none: the operator or the marks say */
    double rate_Hz;       /* nominal */
    unsigned cells;
    struct plate_cell cell[PLATE_MAX_CELLS];
};
/* Who works in which set: `side` in turn, over and over. A set is then complete with so many reps. */
enum { PLATE_PLAN_SIDES = 32 };
struct plate_plan_config {
    unsigned sides; /* 0: no plan */
    enum plate_side side[PLATE_PLAN_SIDES];
    unsigned reps, sets; /* planned for a set; for each leg; 0: not said */
};
struct plate_station_config {
    unsigned plates;
    struct plate_station_plate plate[PLATE_MAX_PLATES];
    char exercise[PLATE_TEXT_SIZE]; /* at the start; "" is generic */
    enum plate_side side;           /* at the start */
    unsigned filter_order;          /* 0: the default, 4 */
    double filter_cutoff_Hz;        /* 0: the default, 50 Hz or a quarter of the rate */
    double set_rest_s;              /* a set ends after so much rest; 0: the default, 20 s */
    struct plate_plan_config plan;  /* its sides are passed over where plates stand under both feet */
    double body_mass_kg;            /* 0 or NaN: not said */
    struct plate_protocol_targets targets;
    struct plate_asymmetry_config asymmetry; /* what it plans is taken from `plan` */
};

/* Calibrated samples, as they pass: row i is sample first + i at t_s[i]. */
struct plate_force_block {
    unsigned plate;
    uint64_t first;
    size_t n;
    const double *t_s;
    const struct plate_force *force;
};
struct plate_station_sink {
    void (*event)(void *user, const struct plate_event *e);
    void (*force)(void *user, const struct plate_force_block *b); /* may be NULL */
    /* What the left and the right foot carry at each sample of the left plate for which the right one is known; may be NULL. */
    void (*share)(void *user, double t_s, double left_N, double right_N);
    void *user;
};

struct plate_station;
/* The defaults: one plate's worth of zeros with targets not asked. */
PLATE_API void plate_station_config_default(struct plate_station_config *cfg);
/* NULL and errno = EINVAL (the configuration makes no sense) or ENOMEM. */
PLATE_API struct plate_station *plate_station_new(const struct plate_station_config *cfg,
                                                  const struct plate_station_sink *sink);
PLATE_API void plate_station_free(struct plate_station *s); /* NULL is fine */
/* Another station in the same state, which goes its own way from here. NULL: out of memory. */
PLATE_API struct plate_station *plate_station_copy(const struct plate_station *s, const struct plate_station_sink *sink);

/* In order of sample number, per plate. -EINVAL: out of order, or no such plate; nothing is changed then. */
PLATE_API int plate_station_clock(struct plate_station *s, unsigned plate, const struct plate_clock *knot);
PLATE_API int plate_station_gap(struct plate_station *s, unsigned plate, const struct plate_gap *gap);
/* From the next sample on. Of another number of cells than before, the plate has so many from there on; where the configuration
 * has another number, nobody knows where they stand. */
PLATE_API int plate_station_calibration(struct plate_station *s, unsigned plate, const struct plate_calibration *c);
/* n rows of counts, one a cell (of the calibration in force); the first is sample `first`, which must be the next after all
 * samples and gaps before. */
PLATE_API int plate_station_samples(struct plate_station *s, unsigned plate, uint64_t first, const int32_t *counts, size_t n);
/* -EINVAL: the kind is a steering one and the value makes no sense for it. */
PLATE_API int plate_station_mark(struct plate_station *s, const struct plate_mark *m);
/* Whether a correction would take: 0; -ENOENT: there is no such set or rep; -EPERM: the plate carries a side of its own;
 * -EALREADY: it is so; -ENOSPC: of more reps or sets than a station remembers. `why` gets it in words. */
PLATE_API int plate_station_can_correct(const struct plate_station *s, const struct plate_correction *c, char *why,
                                        size_t size);
/* Who works now, as the operator, the plan or a correction has said last. */
PLATE_API enum plate_side plate_station_side(const struct plate_station *s);
/* The number of the latest set; 0: none yet. */
PLATE_API int32_t plate_station_sets(const struct plate_station *s);
PLATE_API void plate_station_absent(struct plate_station *s, unsigned plate);
/* No more will come: ends the open set and lets out every event. Only `correct` and `involved` marks may follow. */
PLATE_API void plate_station_finish(struct plate_station *s);

/* The earliest time at which a mark handed in now can act: later than every sample seen. */
PLATE_API double plate_station_now_s(const struct plate_station *s);
PLATE_API uint64_t plate_station_next_sample(const struct plate_station *s, unsigned plate);
/* Samples that the detector was spared: docs/architecture.md, "Spikes". The force sink shows what came. */
PLATE_API uint64_t plate_station_spikes(const struct plate_station *s, unsigned plate);

#ifdef __cplusplus
}
#endif
