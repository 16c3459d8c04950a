#include "cut.h"

#include <string.h>

static void account(struct plate_decoder *d, const struct cut *c, size_t n, enum decode_fate fate)
{
    decode_account(d, n, c->listening || fate == DECODE_TAKEN ? fate : DECODE_NOISE);
}

void cut_push(struct plate_decoder *d, struct cut *c, uint8_t *room, const struct cut_rule *rule, const uint8_t *bytes,
              size_t n, const struct plate_decode_sink *sink)
{
    while (n > 0) {
        const uint8_t *end = memchr(bytes, rule->end, n);
        size_t run = end ? (size_t)(end - bytes) : n, used = run + (end != NULL);
        if (c->overlong) {
            decode_account(d, used, DECODE_NOISE);
        } else if (run > rule->most - c->have) {
            account(d, c, c->have + used, DECODE_BAD_LENGTH);
            c->overlong = true;
            c->have = 0;
        } else if (end && c->have == 0) {
            account(d, c, used, rule->take(d, bytes, run, c->listening, sink));
        } else {
            memcpy(room + c->have, bytes, run);
            c->have += (unsigned)run;
            if (end) account(d, c, c->have + 1, rule->take(d, room, c->have, c->listening, sink));
        }
        if (end) *c = (struct cut){.listening = true};
        bytes += used;
        n -= used;
    }
}

void cut_reset(struct plate_decoder *d, struct cut *c)
{
    decode_account(d, c->have, DECODE_NOISE);
    *c = (struct cut){.have = 0};
}
