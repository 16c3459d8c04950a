/* plate/types.h - the vocabulary of libplate. Read this first.
 * Pure: no I/O, no clock, no thread, no allocation.
 *
 * Conventions of every header here
 *   errors    0 or a negative errno; outputs are named ret_* and written only on success
 *   threads   an object belongs to one thread at a time; nothing is shared, nothing is global
 *   units     the SI unit is part of the name: force_N, rate_Hz, t_s, host_ns, cop_x_mm
 *   null      a number that the signal does not support is NaN (JSON: null)
 *   axes      z up, y towards the toes, x towards the athlete's right */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PLATE_NAME_SIZE 33 /* a plate's name: [A-Za-z0-9_-]{1,32} and a NUL */
#define PLATE_TEXT_SIZE 96 /* any other short text (exercise, subject, note), UTF-8, and a NUL */
#define PLATE_MAX_PLATES 32
#define PLATE_MAX_CELLS 8
#define PLATE_MAX_COMPONENTS 6 /* Fz, or Fx Fy Fz Mx My Mz */

#if defined(PLATE_SHARED)
#define PLATE_API __attribute__((visibility("default")))
#else
#define PLATE_API
#endif

enum plate_side { PLATE_SIDE_NONE, PLATE_SIDE_LEFT, PLATE_SIDE_RIGHT, PLATE_SIDE_BOTH };
enum plate_phase { PLATE_REST, PLATE_DRIVE, PLATE_HOLD, PLATE_LOWER };

/* Why samples are missing. */
enum plate_gap_reason {
    PLATE_GAP_SEQUENCE, /* the device's own sequence number jumped */
    PLATE_GAP_TIME,     /* the device has no sequence; its clock (or the host's) jumped */
    PLATE_GAP_RESTART,  /* the device started anew: its counters went back */
    PLATE_GAP_UNPLUG,   /* the port went away and came back */
    PLATE_GAP_OVERRUN,  /* the daemon's ring was full */
    PLATE_GAP_DISK,     /* the archive could not be written */
    PLATE_GAP_REASONS
};

/* Missing samples [sample, sample + count). Sample numbers go on through a gap. */
struct plate_gap {
    uint64_t sample; /* first missing sample */
    uint64_t count;
    enum plate_gap_reason reason;
    bool estimated; /* the count comes from time, not from a counter */
};

/* A knot of the time axis, which is continuous and piecewise linear in the sample number:
 * for every sample k from `sample` up to the next knot, t_s(k) = t_s + (k - sample) * period_s. */
struct plate_clock {
    uint64_t sample;
    double t_s;            /* 0 = first sample of the recording */
    double period_s;       /* seconds per sample */
    uint64_t device_ticks; /* unwrapped device counter at the last sample before the knot; 0 if it has none */
    int64_t host_ns;       /* CLOCK_MONOTONIC when the read that led to this knot returned */
    int64_t utc_ns;        /* UTC of the same instant */
};
static inline double plate_clock_t_s(const struct plate_clock *c, uint64_t sample)
{
    return c->t_s + (double)(int64_t)(sample - c->sample) * c->period_s;
}

/* The corner of one cell. x to the right, y to the toes, origin in the middle of the plate. */
struct plate_cell {
    char name[PLATE_NAME_SIZE]; /* front_left, front_right, back_left, back_right, or any other */
    double x_mm, y_mm;          /* NaN: unknown; then the plate has no centre of pressure */
};

/* Names as they stand in streams, archives and configurations; NULL for a value out of range. */
PLATE_API const char *plate_side_name(enum plate_side side);    /* none left right both */
PLATE_API const char *plate_phase_name(enum plate_phase phase); /* rest drive hold lower */
PLATE_API const char *plate_gap_reason_name(enum plate_gap_reason reason);
PLATE_API int plate_side_parse(const char *text, enum plate_side *ret); /* -EINVAL: not a side */
PLATE_API bool plate_name_valid(const char *name);
/* A finite decimal number and nothing else: strtod would also take nan, inf, hexadecimal and leading blanks. -EINVAL. */
PLATE_API int plate_number_parse(const char *text, double *ret);
#define PLATE_KG_MOST 2000.0 /* of a body, of a bar: more is a slip of the hand */

/* The detector's version: a trace made by another one is "not comparable". */
#define PLATE_DETECTOR_VERSION 23
PLATE_API const char *plate_version(void);
PLATE_API const char *plate_build(void); /* with the git revision, where it was built from one; "-dirty": changed since */

#ifdef __cplusplus
}
#endif
