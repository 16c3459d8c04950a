/* app/engine.h - the thread that takes each sample the whole way: read, stamp, decode, commit to the ring, calibrate,
 * filter, detect, publish. Nothing in it blocks. One thread; control.c runs inside it. */
#pragma once
#include "archivist.h"
#include "capture.h"
#include "config.h"
#include "helper.h"
#include "stream.h"

struct engine;
struct engine_parts {
    const struct config *config;
    struct ring *ring;
    struct archivist *archivist;
    struct helper *helper;
    struct stream *stream;
    struct capture *capture; /* NULL: none */
};
int engine_new(const struct engine_parts *parts, struct engine **ret);
void engine_free(struct engine *e); /* NULL is fine */
/* Until `stop_fd` (a signalfd) is readable or `shutdown` was commanded; ends the recording. 0 or -errno. */
int engine_run(struct engine *e, int stop_fd);
/* After the archivist is done: tells the subscribers what became of the archive. */
void engine_say_sealed(struct engine *e);
