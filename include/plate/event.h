/* plate/event.h - what the core has to say, and the one table of columns behind JSON, HDF5 and docs.
 * Pure: no I/O, no clock, no allocation. Values; any thread. */
#pragma once
#include "asymmetry.h"
#include "correction.h"
#include "rep.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum plate_column_type {
    PLATE_COL_F64,  /* double; NaN is null */
    PLATE_COL_I32,  /* int32_t */
    PLATE_COL_BOOL, /* int32_t, true or false in JSON */
    PLATE_COL_TEXT, /* char[size], NUL-padded */
    PLATE_COL_ENUM, /* int32_t; `names` are its words, closed by NULL; text in JSON and in the archive */
    PLATE_COL_U64,  /* uint64_t */
    PLATE_COL_I64,  /* int64_t */
};
struct plate_column {
    const char *name;
    enum plate_column_type type;
    size_t offset, size; /* in the struct */
    int decimals;        /* JSON precision of a double */
    const char *unit;    /* "" where there is none */
    const char *const *names;
    const char *doc;
};
PLATE_API extern const struct plate_column plate_rep_columns[]; /* each closed by a NULL name */
PLATE_API extern const struct plate_column plate_finding_columns[];
PLATE_API extern const struct plate_column plate_set_columns[];
PLATE_API extern const struct plate_column plate_asymmetry_columns[];
PLATE_API extern const struct plate_column plate_mark_columns[];
PLATE_API extern const struct plate_column plate_correction_columns[];
PLATE_API extern const struct plate_column plate_plan_columns[];

/* A finding as a row of its own (the archive's /findings). */
struct plate_finding_row {
    char plate[PLATE_NAME_SIZE];
    int32_t set, rep;
    char name[24];
    double value, limit;
};

enum plate_set_end {
    PLATE_SET_ACTIVE,
    PLATE_SET_BY_REST,
    PLATE_SET_BY_SIDE,
    PLATE_SET_BY_COMMAND,
    PLATE_SET_BY_STOP,
    PLATE_SET_BY_PLAN
};
struct plate_set {
    int32_t set, side, warmup;
    char exercise[PLATE_TEXT_SIZE];
    int32_t
        ended_by; /* enum plate_set_end; a set is said when its first rep is complete (active), at its end, when corrected */
    int32_t reps; /* of the plate with most; discarded ones do not count */
    double start_s, end_s;
    double peak_force_N, mean_force_N, hold_force_N, concentric_s; /* means over the reps */
    double left_share_pct;                                         /* a plate under each foot; else NaN */
    double peak_force_dropoff_pct, mean_force_dropoff_pct, hold_force_dropoff_pct, concentric_dropoff_pct;
    int32_t correction; /* 0, or the number of the correction that changed it */
};

/* The verdict of the primary metric is another one: which it was, and the row that changed it. */
struct plate_imbalance {
    int32_t verdict_before; /* enum plate_verdict_lr */
    struct plate_asymmetry now;
};

/* The plan of sides, at the start and whenever a set has ended or somebody has said a side. */
struct plate_plan {
    int32_t set;        /* number of the set that is under way or comes, from 1 */
    int32_t side, next; /* who works in it, and in the one after it */
    int32_t reps;       /* planned for a set; 0: not said */
    int32_t done, sets; /* sets that have ended, warm-ups apart; planned for all legs together; 0: not said */
};

/* What people and programs did, and what the station noted, on the time axis. The kinds that steer the core:
 *   side       value left|right|both|none     who works from here on; starts a new set
 *   exercise   value NAME                     detector and form from the next sample on
 *   set_end    value ""                       ends the set
 *   warmup     value true|false               the sets from here on are (not) warm-up
 *   involved   value left|right|none
 *   body_mass_kg, load_kg                     a number
 *   correct    value set 2 side left, ...     what was said before is put right (see correction.h)
 *   resume     value t_s                      merging stopped waiting for this plate at t_s (see station.h)
 * and the others (subject, note, sync, tare, start, stop, ...), which are kept and told. */
struct plate_mark {
    double t_s;                  /* acts on samples at and after this time */
    char plate[PLATE_NAME_SIZE]; /* empty: all */
    uint64_t sample;             /* of that plate, or of the first plate: the first sample at or after t_s */
    char kind[24];
    char value[PLATE_TEXT_SIZE];
    int64_t utc_ns;
};

/* Does the value make sense for the kind? Kinds that do not steer take any. */
PLATE_API bool plate_mark_valid(const struct plate_mark *m);
/* NULL, or the limit that a valid mark breaks: for what is entered now. What was recorded before there was one goes on to
 * count. */
PLATE_API const char *plate_mark_limit(const struct plate_mark *m);

enum plate_event_type {
    PLATE_EVENT_PHASE,
    PLATE_EVENT_REP,
    PLATE_EVENT_SET,
    PLATE_EVENT_ASYMMETRY,
    PLATE_EVENT_MARK,
    PLATE_EVENT_IMBALANCE,
    PLATE_EVENT_CORRECTION,
    PLATE_EVENT_PLAN,
    PLATE_EVENT_TYPES
};
struct plate_event {
    enum plate_event_type type;
    double t_s; /* when it was known, on the sample axis */
    union {
        struct {
            char plate[PLATE_NAME_SIZE];
            enum plate_phase phase;
        } phase;
        struct plate_rep rep;
        struct plate_set set;
        struct plate_asymmetry asymmetry;
        struct plate_mark mark;
        struct plate_imbalance imbalance;
        struct plate_correction correction;
        struct plate_plan plan;
    } u;
};
PLATE_API const char *plate_event_name(enum plate_event_type type); /* phase rep set asymmetry mark imbalance ... */

/* A struct by its columns as one JSON object, without a line end. Returns its length without the NUL, or -ENOBUFS (the
 * buffer's contents are then unspecified). Always the same bytes for the same values, whatever the locale. */
PLATE_API int plate_columns_json(const struct plate_column *columns, const void *row, char *buffer, size_t size);
/* The body of an event: {"t_s":...,...}. What live and offline agree on to the byte. It is the columns, except that
 *   rep        ends with "form":[{"name","value","limit"}]
 *   asymmetry  has "ci95_pct":[low,high] for the columns ci95_low_pct and ci95_high_pct
 *   imbalance  is verdict_before and the columns of asymmetry, in the same form
 *   mark       leaves out the columns t_s (it stands first) and utc_ns
 * PLATE_EVENT_JSON_MAX is enough for any values (a rep of 54 numbers near 1e308); a real body is under 2 kB. */
#define PLATE_EVENT_JSON_MAX 24576
PLATE_API int plate_event_json(const struct plate_event *e, char *buffer, size_t size);
/* A double as the columns print it: "%.*f" of the C locale, exactly rounded, except that what rounds to zero has no sign
 * and what is not finite is "null". 0 <= decimals <= PLATE_JSON_DECIMALS_MAX. The length, or -ENOBUFS, or -EINVAL. */
#define PLATE_JSON_DECIMALS_MAX 9
PLATE_API int plate_json_number(double v, int decimals, char *buffer, size_t size);
/* A string in quotes, escaped; bytes that are not UTF-8 become U+FFFD, so that it is always valid JSON. */
PLATE_API int plate_json_string(const char *text, char *buffer, size_t size);

#ifdef __cplusplus
}
#endif
