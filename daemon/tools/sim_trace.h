/* tools/sim_trace.h - an archive as something to play: each plate's counts at their own times, holes included. One thread. */
#pragma once
#include "archive.h"

struct sim_trace;
/* The whole recording that `path` is a part of. 0; -errno with one line of text: "FILE: what, and what to do". */
int sim_trace_open(const char *path, struct sim_trace **ret, struct archive_error *ret_error);
void sim_trace_close(struct sim_trace *t); /* NULL is fine */
const struct recording *sim_trace_recording(const struct sim_trace *t);
double sim_trace_duration_s(const struct sim_trace *t); /* from the first sample to the end of the last */
uint64_t sim_trace_missing(const struct sim_trace *t);  /* samples of all plates that it lacks */
/* The sample that is next, of whichever plate: false at the end, or where it cannot be read (then *ret_error says so). */
bool sim_trace_more(const struct sim_trace *t, struct archive_error *ret_error);
unsigned sim_trace_plate(const struct sim_trace *t);
double sim_trace_t_s(const struct sim_trace *t);      /* since the recording's first sample */
uint64_t sim_trace_sample(const struct sim_trace *t); /* its number; a hole leaves numbers out */
const int32_t *sim_trace_counts(const struct sim_trace *t);
void sim_trace_advance(struct sim_trace *t);
void sim_trace_rewind(struct sim_trace *t);
uint64_t sim_trace_span(const struct sim_trace *t, unsigned plate); /* numbers that the plate's recording has */
/* The `plates:` of the configuration, with `link(user, plate)` for each port, for boards that speak `protocol`. */
struct sim_protocol;
void sim_trace_print_plates(const struct sim_trace *t, const struct sim_protocol *protocol,
                            const char *(*link)(void *user, unsigned plate), void *user);
