/* analysis/trace_parts.h - a recording that becomes an archive record by record, in as many parts as it takes. One thread. */
#pragma once
#include "part.h"

struct trace_parts {
    const char *out; /* the first part, as the user said it; NULL: not begun */
    char folder[512];
    struct part part;
    unsigned sealed; /* parts that are files already */
    char error[640]; /* why the last call failed, in words */
};

/* The BEGIN record of what becomes `out`, which must not be there. Zeroed by the caller; each function returns -errno, and what
 * was made so far is removed by trace_parts_done(). */
int trace_parts_begin(struct trace_parts *p, const char *out, const struct record_header *h, const void *payload);
int trace_parts_append(struct trace_parts *p, const struct record_header *h, const void *payload);
/* A SHAPE record: what follows has such plates, and begins a part where it has others than before. */
int trace_parts_shape(struct trace_parts *p, const struct record_header *h, const void *payload);
/* All parts as sealed files. */
int trace_parts_seal(struct trace_parts *p);
/* Journals go; after a failure so do the files. */
void trace_parts_done(struct trace_parts *p, bool failed);
