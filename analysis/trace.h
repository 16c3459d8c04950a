/* analysis/trace.h - what plate-trace is made of. One thread: HDF5 is not thread-safe.
 * Every function that can fail returns 0 or -errno and fills a one-line text; only trace_verbs.c and
 * plate-trace.c complain and exit. */
#pragma once
#include "archive.h"
#include "plate/station.h"
#include "trace_csv.h"
#include <jansson.h>

/* AS_RECORDED: as it was entered first, without the corrections. */
enum trace_truth { TRACE_CORRECTED, TRACE_AS_RECORDED };

/* ---- trace_import.c ---- */
struct trace_scale {
    const char *column;
    double N_per_count;
};
struct trace_import {
    const char *in, *out, *marks, *config, *exercise; /* the last three may be NULL */
    const struct trace_scale *scale;
    unsigned scales;
    double width_mm, length_mm; /* between corner cells, where no configuration says it */
    bool size_said, allow_truncated, force;
};
struct trace_import_result {
    uint64_t samples, missing; /* of each plate */
    unsigned plates, reps;
    size_t truncated_line; /* left out */
    char warning[4][384];  /* "" where there is none */
};
/* ret_error is "FILE:LINE: what, and what to do". On failure nothing is left at `out`. */
int trace_import(const struct trace_import *in, struct trace_import_result *ret, char *ret_error, size_t error_size);

/* ---- trace_export.c ---- */
enum trace_format { TRACE_CSV, TRACE_JSON, TRACE_H5 };
struct trace_export {
    const char *path, *out; /* out "-": standard output */
    enum trace_format format;
    const char *plate;      /* CSV; NULL: all of them */
    bool counts;            /* CSV; else newtons */
    bool anonymise;         /* without who, where and when: docs/plate-trace.md; CSV never has them */
    const char *pseudonym;  /* H5: the subject of the copy; NULL: none, or the original's */
    enum trace_truth truth; /* of the JSON */
};
/* On failure nothing new is left at `out`. */
int trace_export(const struct trace_export *opt, char *ret_error, size_t error_size);

/* ---- trace_copy.c ---- */
/* The whole recording as one new sealed file. -EEXIST: opt->out is there; -EBUSY: it is not sealed. On failure nothing new is
 * left. */
int trace_copy(const struct trace_export *opt, struct archive_reader *r, char *ret_error, size_t error_size);
/* What is kept of marks and session entries with `anonymise`: what was done with what, not by whom, and no free text. */
bool trace_impersonal(const char *kind);

/* ---- trace_asymmetry.c ---- */
struct trace_asymmetry {
    char **file;
    unsigned files;
    const char *metric; /* NULL: all */
    bool json;
    enum trace_truth truth;
    void (*say)(const char *text); /* gets each complaint; one about a file does not stop the others */
};
/* Prints the last row of each metric of each file, computed again, then what lies between the sessions; if these are not
 * of one subject, exercise and mode, `say` is told instead. -EINVAL: no such metric. */
int trace_asymmetry(const struct trace_asymmetry *opt);
/* As people read it: "-" where there is none. Returns text. */
const char *trace_number(double v, int decimals, char text[64]);

/* ---- trace_info.c ---- */
/* Prints what a trace is and holds. */
int trace_info(const char *path, bool json, char *ret_error, size_t error_size);
/* {"recording": {...}, "plates": [{..., "samples", "lost"}]}, without the configuration's text. NULL: out of memory. */
json_t *trace_describe(struct archive_reader *r);

/* ---- trace_verify.c ---- */
/* Checks the file (archive_verify), recomputes its events and holds them against the stored rows by their JSON bytes.
 * `breach` gets each breach in words. 0: sound, and ret_account says so in a line; -EBADMSG: breached; other -errno:
 * it cannot be read, ret_error says why. */
int trace_verify(const char *path, void (*breach)(void *user, const char *text), void *user, char *ret_account,
                 size_t account_size, char *ret_error, size_t error_size);

/* ---- trace_replay.c ---- */
enum trace_point { TRACE_RECORDED, TRACE_ALL }; /* all that was recorded is said; and all that was put right after sealing */
/* Rebuilds the station from @config and feeds it everything of the archive in order; the sink gets the events. `at` (may be
 * NULL) is called at these two points with the sink's user; what it returns but 0 ends the replay. */
int trace_replay(struct archive_reader *a, enum trace_truth truth, const struct plate_station_sink *sink,
                 int (*at)(void *user, struct plate_station *s, enum trace_point point), char *ret_error, size_t error_size);
/* The station that @config makes. */
int trace_station_config(const struct archive_reader *a, struct plate_station_config *ret, char *ret_error, size_t error_size);

/* ---- trace_correct.c ---- */
struct trace_reps { /* in the order in which they were said */
    struct archive_rep *rep;
    size_t n, discarded; /* discarded: those that were taken out */
};
/* Corrections put into effect: reps as they are now, without the discarded ones. */
void trace_reps_correct(const struct plate_station_config *cfg, const struct archive_correction *c, size_t n,
                        struct trace_reps *reps);
/* The reps of a trace, computed again. The caller frees ret->rep. */
int trace_reps(struct archive_reader *a, enum trace_truth truth, struct trace_reps *ret, char *ret_error, size_t error_size);

enum { TRACE_CORRECTIONS = 16 };
struct trace_correct {
    const char *path, *who;
    struct plate_mark mark[TRACE_CORRECTIONS]; /* kind and value, and the plate where a rep is meant */
    unsigned marks;
};
/* Corrects a sealed trace. `said` gets every correction that was made, and the mark of what nothing is computed from (subject,
 * load, note). On failure the file is as it was. */
int trace_correct(const struct trace_correct *opt, void (*said)(void *user, const struct plate_event *e), void *user,
                  char *ret_error, size_t error_size);

/* ---- trace_wire.c ---- */
struct trace_wire {
    const char *path;                                       /* a capture (.wire) */
    const char *out;                                        /* an archive to make of what it holds; NULL: none */
    unsigned wanted;                                        /* which of its recordings, from 1; 0: all of them */
    void (*event)(void *user, const struct plate_event *e); /* may be NULL */
    void *user;
};
struct trace_wire_result {
    unsigned recordings; /* that begin in it */
    uint64_t samples;    /* of those wanted */
    uint64_t torn_bytes; /* of the file: damaged or cut off */
    uint64_t lost_bytes; /* that the ports sent, and that the capture does not have */
};
/* Feeds the reads of a capture through decoder, timebase and station, as the daemon did. What stands before and behind damage
 * is used. -ENODATA: no such recording begins in it. */
int trace_wire_replay(const struct trace_wire *opt, struct trace_wire_result *ret, char *ret_error, size_t error_size);

/* ---- trace_follow.c ---- */
/* Hands out the stored reps of a recording, and those that come, within a second, until it is sealed. -ESRCH: its daemon died.
 */
int trace_follow(const char *path, void (*rep)(void *user, const struct plate_event *e), void *user, char *ret_error,
                 size_t error_size);

/* ---- trace_guard.c ---- */
/* From here on, a crash or an endless loop in the reading of `path` ends the program with one line and exit status 1. Once. */
void trace_guard(const char *path);
/* Where work is without end on purpose: what has come to here did come to an end. */
void trace_guard_renew(void);
