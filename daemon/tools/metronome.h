/* tools/metronome.h - the beats of a tempo, begun by the athlete's first drive. Pure: no I/O, no clock. One thread.
 *
 * It is a metronome: once begun it goes its own way, drive, hold, lower, rest and over again, and the athlete follows. It
 * falls silent when no drive has come for a while, and the next drive begins it anew. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { TEMPO_DRIVE, TEMPO_HOLD, TEMPO_LOWER, TEMPO_REST, TEMPO_BEATS };
extern const char *const tempo_beat_names[TEMPO_BEATS]; /* as the phases of the stream */

struct tempo {
    double s[TEMPO_BEATS]; /* how long each lasts; 0: left out. NaN: not said */
};
/* "1-1-3" or "1-1-3-1": drive, hold, lower, rest, in seconds, each 0 to 60 and not all 0. False: *ret is untouched. */
bool tempo_parse(const char *text, struct tempo *ret);
/* What is not said becomes 1 s, or is left out of the end of the row if it is the rest. */
struct tempo tempo_complete(const struct tempo *t);

struct metronome {
    struct tempo tempo; /* complete */
    bool runs;
    int beat;          /* the last one that was due, while it runs */
    int64_t due_ms;    /* when the next one is */
    int64_t driven_ms; /* the last drive */
};
/* A drive has begun: it begins with it, if it is silent. */
void metronome_drive(struct metronome *m, int64_t now_ms);
/* The beat that is due now (of several that are late, the last), or -1. Call it at least when metronome_wait_ms is over. */
int metronome_due(struct metronome *m, int64_t now_ms);
int64_t metronome_wait_ms(const struct metronome *m, int64_t now_ms); /* until the next one; INT64_MAX: it is silent */
