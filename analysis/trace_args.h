/* analysis/trace_args.h - the verbs of plate-trace: what they are told on the command line, and what they do with it. Private
 * to plate-trace.c, trace_args.c and trace_verbs.c. */
#pragma once
#include "trace.h"
#include "trace_correct_args.h"
#include <argp.h>

/* What any verb may be told; each verb lists its own options. */
struct args {
    const struct verb *verb;
    char **file;
    unsigned files;
    bool json, stored, follow, all;
    enum trace_truth truth;
    const char *metric, *format;
    struct trace_import import;
    struct trace_export export;
    struct trace_wire wire;
    struct trace_scale scale[TRACE_MAX_COLUMNS];
    struct trace_correct_args correct;
};
struct verb {
    const char *name, *args_doc, *doc;
    unsigned files_max;
    const struct argp_option *options;
    int (*run)(struct args *a);    /* 0, or 1 after it has said why */
    const struct argp_child *more; /* options with a parser of their own; its input is args.correct */
};

/* ---- trace_args.c ---- */
extern const struct verb trace_verbs[]; /* closed by a NULL name */
/* The parser of every verb's options; its input: a struct args with its verb, what holds unless said, and room for files. */
error_t trace_args_parse(int key, char *arg, struct argp_state *state);

/* ---- trace_verbs.c ---- */
/* Prints "plate-trace: " and the line on standard error; 1. */
__attribute__((format(printf, 1, 2))) int trace_complain(const char *format, ...);
int trace_run_info(struct args *a);
int trace_run_verify(struct args *a);
int trace_run_reps(struct args *a);
int trace_run_asymmetry(struct args *a);
int trace_run_import(struct args *a);
int trace_run_export(struct args *a);
int trace_run_correct(struct args *a);
int trace_run_replay(struct args *a);
int trace_run_recover(struct args *a);
