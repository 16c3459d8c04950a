/* tools/watch.h - `platectl watch`: the stream as a screen that is redrawn, or as lines. One thread; blocks until it ends. */
#pragma once
#include "hosts.h"
#include "metronome.h"
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
    const struct hosts *hosts; /* the stations; without a control endpoint a clock is not compared */
    const struct curve *curve; /* what is not said of a station in particular */
    enum watch_mode mode;
    double seconds;     /* 0: no limit */
    bool until_stopped; /* ends when all sessions are said to be stopped or sealed (from now on, not from the cache) */
    bool metronome;     /* a bell on the beats of the tempo: of the screen, and of one station */
    struct tempo tempo; /* what is NaN is what the protocol asks for */
};
/* The exit code: 0, 1 nothing was ever heard of one or standard output failed (said on standard error), 2 no such endpoint.
 * A pipe whose reader has gone is a quiet end. */
int watch_run(const struct watch_options *o);
