#include "metronome.h"
#include <math.h>
#include <stdlib.h>

enum { PATIENCE_MS = 3000 }; /* beyond a whole round without a drive */

const char *const tempo_beat_names[TEMPO_BEATS] = {"drive", "hold", "lower", "rest"};

bool tempo_parse(const char *text, struct tempo *ret)
{
    struct tempo t = {{0}};
    double sum = 0;
    int n = 0;

    for (char *end;; text = end + 1) {
        if (n == TEMPO_BEATS || *text < '0' || *text > '9') return false;
        t.s[n] = strtod(text, &end);
        if (!(t.s[n] <= 60)) return false;
        sum += t.s[n++];
        if (*end == '\0') break;
        if (*end != '-') return false;
    }
    if (n < TEMPO_REST || !(sum >= 0.5)) return false;
    *ret = t;
    return true;
}

struct tempo tempo_complete(const struct tempo *t)
{
    struct tempo whole = *t;

    for (int i = 0; i < TEMPO_BEATS; i++)
        if (isnan(whole.s[i])) whole.s[i] = 1;
    return whole;
}

static int64_t length_ms(const struct metronome *m, int beat) { return llround(m->tempo.s[beat] * 1000); }

static int64_t round_ms(const struct metronome *m)
{
    int64_t sum = 0;

    for (int i = 0; i < TEMPO_BEATS; i++) sum += length_ms(m, i);
    return sum;
}

void metronome_drive(struct metronome *m, int64_t now_ms)
{
    m->driven_ms = now_ms;
    if (m->runs || round_ms(m) <= 0) return;
    m->runs = true;
    m->beat = TEMPO_REST;
    m->due_ms = now_ms;
}

int metronome_due(struct metronome *m, int64_t now_ms)
{
    int due = -1;

    if (m->runs && now_ms - m->driven_ms > round_ms(m) + PATIENCE_MS) m->runs = false;
    while (m->runs && m->due_ms <= now_ms) {
        do m->beat = (m->beat + 1) % TEMPO_BEATS;
        while (length_ms(m, m->beat) == 0);
        m->due_ms += length_ms(m, m->beat);
        due = m->beat;
    }
    return due;
}

int64_t metronome_wait_ms(const struct metronome *m, int64_t now_ms)
{
    if (!m->runs) return INT64_MAX;
    return m->due_ms > now_ms ? m->due_ms - now_ms : 0;
}
