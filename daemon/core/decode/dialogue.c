/* What is said to a device until it sends: the steps of its protocol, one after the other. */
#include "protocol.h"

#include <string.h>

void dialogue_begin(struct plate_decoder *d) { d->dialogue = (struct plate_dialogue){.frames = d->stats.frames}; }

static void next_step(struct plate_dialogue *t)
{
    t->step++;
    t->tries = t->matched = t->heard = 0;
    t->timed = false;
    t->trouble = NULL;
}

/* A line that began as it should has ended: it is the answer. */
static void answered(struct plate_decoder *d, const struct plate_decode_step *s, const struct plate_decode_sink *sink)
{
    struct plate_dialogue *t = &d->dialogue;
    struct plate_hello hello = {.version = 0};
    t->line[t->heard] = 0;
    memcpy(s->tells == PLATE_TELLS_SERIAL ? hello.serial : hello.name, t->line, sizeof t->line);
    if (s->tells != PLATE_TELLS_NOTHING && sink->hello) sink->hello(sink->user, &hello);
    next_step(t);
}

void dialogue_hear(struct plate_decoder *d, const uint8_t *bytes, size_t n, const struct plate_decode_sink *sink)
{
    struct plate_dialogue *t = &d->dialogue;
    const struct plate_decode_step *s = dialogue_step(d);
    for (; s && n > 0; n--) {
        char c = (char)*bytes++;
        if (!s->hear) return;
        if (s->hear[t->matched]) {
            t->matched = c == s->hear[t->matched] ? t->matched + 1 : c == s->hear[0];
            if (s->hear[t->matched]) continue;
            if (s->tells == PLATE_TELLS_NAME) memcpy(t->line, s->hear, t->heard = t->matched);
            if (s->tells == PLATE_TELLS_NOTHING) answered(d, s, sink);
        } else if (c != '\r' && c != '\n') {
            if (t->heard < sizeof t->line - 1 && c >= 0x20 && c < 0x7f && c != '"') t->line[t->heard++] = c;
        } else {
            answered(d, s, sink);
        }
        s = dialogue_step(d);
    }
}

const char *plate_decoder_say(struct plate_decoder *d, int64_t now_ns, int64_t *ret_due_ns)
{
    struct plate_dialogue *t = &d->dialogue;
    const struct plate_decode_step *s = dialogue_step(d);
    *ret_due_ns = INT64_MAX;
    if (s && d->stats.frames > t->frames) { /* who sends needs no talking to */
        while (dialogue_step(d)) next_step(t);
        s = NULL;
    }
    for (; s; s = dialogue_step(d)) {
        if (!t->timed) t->due_ns = now_ns + s->after_ms * INT64_C(1000000);
        t->timed = true;
        if (now_ns < t->due_ns) {
            *ret_due_ns = t->due_ns;
            return NULL;
        }
        if (t->tries >= s->tries && !s->trouble) {
            next_step(t);
            continue;
        }
        if (t->tries >= s->tries) t->trouble = s->trouble;
        t->tries++;
        *ret_due_ns = t->due_ns = now_ns + s->within_ms * INT64_C(1000000);
        return s->say;
    }
    return NULL;
}

const char *plate_decoder_trouble(const struct plate_decoder *d) { return d->dialogue.trouble; }
