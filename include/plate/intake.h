/* plate/intake.h - the way of one port's bytes to numbered samples: decoded, numbered, cut into runs without a hole.
 * Pure: no I/O, reads no clock (arrival times are handed in); allocates in plate_intake_init alone. One per port, one thread.
 *
 * What comes out depends on what was handed in and in which order, and on nothing else: a capture of the reads, handed in
 * again, gives the same samples with the same numbers and times. */
#pragma once
#include "decode.h"
#include "event.h"
#include "timebase.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PLATE_INTAKE_EDGES 64
#define PLATE_INTAKE_READ 8192 /* bytes that plate_intake_decode takes at once */
/* When a port is back and its device has no counter that went on, the hole is as long as the time that passed. A single arrival
 * may be late: the first samples wait until so long after the first of them it is known when that should have come. */
#define PLATE_INTAKE_HOLD_NS INT64_C(250000000)

/* t_s = 0 of a recording: the first sample of whichever plate comes first. Shared by its plates; `set` false: not yet. */
struct plate_epoch {
    bool set;
    int64_t host_ns, utc_ns;
};

/* An edge on the device's trigger input, on the sample axis. */
struct plate_intake_edge {
    uint64_t sample; /* the first one at or after it */
    double t_s;
    bool rising;
};

/* The mark that says so: `sync`, of which nothing depends. */
PLATE_API void plate_intake_edge_mark(const struct plate_intake_edge *edge, const struct plate_epoch *epoch, const char *plate,
                                      struct plate_mark *ret);

/* In the order of the sample axis, but for edges, which are told before the run that holds their sample. The counts are valid
 * during the call. */
struct plate_intake_sink {
    void (*clock)(void *user, const struct plate_clock *knot); /* in force from its sample on */
    void (*gap)(void *user, const struct plate_gap *gap);
    void (*block)(void *user, uint64_t first, const int32_t *counts, size_t n); /* a run without a hole */
    void (*edge)(void *user, const struct plate_intake_edge *edge);             /* may be NULL */
    void *user;
};

struct plate_intake { /* embed freely; read what you like, change it only through plate_intake_*() */
    struct plate_decoder decoder;
    struct plate_timebase timebase;
    unsigned cells;
    bool started;     /* since the epoch: its axis runs */
    bool refused;     /* the device says that it has another number of cells: its samples are not taken */
    bool barred;      /* neither are they now, whatever it says */
    double device_us; /* the device's stamp of the latest sample; NaN: none */
    struct plate_frame *frame;
    unsigned frames;                             /* decoded and not yet taken */
    bool held;                                   /* they wait until the hole before them is known */
    int64_t held_since_ns, arrived_ns, first_ns; /* when the first of them came, and when it should have come */
    int64_t last_host_ns, last_utc_ns;           /* of the latest read */
    int32_t *block;
    struct plate_intake_waiting {
        unsigned frame; /* it came before this one of `frame` */
        struct plate_edge edge;
    } edge[PLATE_INTAKE_EDGES];
    unsigned edges;
    uint64_t edges_lost; /* more than fit came without a sample between them */
};

/* 0; -ENOMEM, or what plate_decoder_init and plate_timebase_init return. */
PLATE_API int plate_intake_init(struct plate_intake *in, const struct plate_decoder_config *decoder,
                                const struct plate_timebase_config *timebase);
PLATE_API void plate_intake_done(struct plate_intake *in); /* zeros are fine */
/* The bytes of one read, at most PLATE_INTAKE_READ. `hello` (may be NULL) is called when a device introduces itself, after
 * in->refused was set. How many samples wait for plate_intake_take. */
PLATE_API unsigned plate_intake_decode(struct plate_intake *in, const uint8_t *bytes, size_t n,
                                       void (*hello)(void *user, const struct plate_hello *h), void *user);
/* Takes what was decoded: after every read, with the time at which it returned. */
PLATE_API void plate_intake_take(struct plate_intake *in, struct plate_epoch *epoch, int64_t host_ns, int64_t utc_ns,
                                 const struct plate_intake_sink *sink);
/* Takes what is held back: before a recording ends, and before plate_intake_reopened. */
PLATE_API void plate_intake_flush(struct plate_intake *in, const struct plate_intake_sink *sink);
/* A new epoch: the next sample is the plate's first. */
PLATE_API void plate_intake_restart(struct plate_intake *in);
/* What comes is not taken until there was a reshape, or it is let go again. */
PLATE_API void plate_intake_bar(struct plate_intake *in, bool barred);
/* The device has another number of cells from here on (1..PLATE_MAX_CELLS): its samples are taken. */
PLATE_API void plate_intake_reshape(struct plate_intake *in, unsigned cells);
/* The port went away: the packet under way is lost, and the hole is measured when it is back. */
PLATE_API void plate_intake_reopened(struct plate_intake *in);

#ifdef __cplusplus
}
#endif
