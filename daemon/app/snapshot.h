/* app/snapshot.h - what the control method `snapshot` answers: the latest message of everything, or all of one topic since a
 * seq, a page at a time, each message as it was published, to the byte. Engine thread. docs/stream.md is the contract. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stream.h"

struct snapshot_request {
    const char *topic; /* with since: its name; else a prefix */
    bool has_since;
    int64_t since, next; /* from -1: the last one that was seen; from 0: what the page before said */
};
#define SNAPSHOT_PAGE_BYTES 65536 /* of messages; one of them may reach beyond */

/* The JSON of the result, malloced. -ENOMEM; -ENODATA: so much has not been said yet. `why` says it to people. */
int snapshot_take(const struct stream *s, const struct snapshot_request *q, char **ret, char *why, size_t size);
