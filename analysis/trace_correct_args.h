/* analysis/trace_correct_args.h - the options of plate-trace correct. Private to trace_args.c. */
#pragma once
#include "trace.h"
#include <argp.h>

struct trace_correct_args {
    struct trace_correct to;                         /* path is the caller's */
    int set, warmup_set, work_set, discard, restore; /* 0: not said */
    const char *plate, *side, *involved, *subject, *load_kg, *body_mass_kg, *note;
};
/* Its input is a struct trace_correct_args that is all zero. */
extern const struct argp trace_correct_argp;
