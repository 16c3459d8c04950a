/* tools/watch.h - `platectl watch`: the stream as a screen that is redrawn, or as lines. One thread; blocks until it ends. */
#pragma once
#include <stdbool.h>

enum { WATCH_SILENCE_MS = 3000 }; /* health/ comes every second */

enum watch_mode {
    WATCH_SCREEN, /* the alternate screen of the terminal on standard output */
    WATCH_LINES,  /* a readable line an event; of asymmetry, the primary metric only */
    WATCH_JSON,   /* an event's header as it was sent, with its topic in front */
    WATCH_CSV     /* one table for all events: what a kind of event does not have is empty */
};
struct curve;
struct watch_options {
    const char *endpoint; /* the stream's data endpoint */
    const struct curve *curve;
    enum watch_mode mode;
    double seconds;     /* 0: no limit */
    bool until_stopped; /* ends when the session is said to be stopped or sealed (from now on, not from the cache) */
};
/* The exit code: 0, 1 nothing was ever heard or standard output failed (said on standard error), 2 no such endpoint. */
int watch_run(const struct watch_options *o);
