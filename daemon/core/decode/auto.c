/* Finds out what the device speaks: docs/devices/README.md. The bytes that have come are given to each protocol in turn; the
 * first of them that makes enough of the bytes, in an order in which the stricter comes first, has it from then on, beginning
 * with the bytes that were kept. csv is not among them: nobody can guess what its columns mean. */
#include "protocol.h"

#include <stdio.h>
#include <string.h>

#define KEPT 1536
#define LOOK_BYTES 32 /* looked at when a line ends, and so often in between: the same however the bytes are split */
/* Enough is so many frames, of bytes of which three quarters were taken; or that the device said its name. */
#define ENOUGH_FRAMES 4

static const struct candidate {
    const struct plate_protocol *protocol;
    bool by_name; /* other boards send the like of its samples */
} candidates[] = {{&plate_protocol_native, false},
                  {&plate_protocol_chronojump_platform, false},
                  {&plate_protocol_sics, false},
                  {&plate_protocol_openscale, false},
                  {&plate_protocol_chronojump, true}};

struct automatic {
    unsigned have;
    uint8_t bytes[KEPT];
};
_Static_assert(sizeof(struct automatic) <= PLATE_DECODER_STATE_SIZE, "the state fits");

static struct automatic *state(struct plate_decoder *d) { return (struct automatic *)(void *)d->state.bytes; }

/* What a protocol makes of the bytes. */
struct trial {
    unsigned hellos;
    uint64_t lead; /* bytes thrown away before the first frame: a banner */
    const struct plate_decoder *decoder;
    char said[PLATE_NAME_SIZE];
};

static void on_frame(void *user, const struct plate_frame *f)
{
    struct trial *t = user;
    (void)f;
    if (t->decoder->stats.frames == 1) t->lead = t->decoder->stats.discarded_bytes;
}

static void on_hello(void *user, const struct plate_hello *h)
{
    struct trial *t = user;
    t->hellos++;
    snprintf(t->said, sizeof t->said, "%s", *h->name ? h->name : *h->serial ? h->serial : "hello");
}

/* Is it this protocol? Then `why` says so. */
static bool fits(const struct plate_decoder *d, const struct candidate *c, char why[PLATE_TEXT_SIZE])
{
    const struct plate_protocol *protocol = c->protocol;
    const struct automatic *s = (const struct automatic *)(const void *)d->state.bytes;
    struct plate_decoder trial;
    struct trial t = {.decoder = &trial};
    if (plate_decoder_init_protocol(&trial, protocol, &d->cfg) < 0) return false; /* another number of cells */
    plate_decoder_push(&trial, s->bytes, s->have,
                       &(struct plate_decode_sink){.frame = on_frame, .hello = on_hello, .user = &t});
    const struct plate_decode_stats *n = &trial.stats;
    uint64_t refused = n->discarded_bytes - t.lead;
    if (t.hellos > 0)
        snprintf(why, PLATE_TEXT_SIZE, "%s: the device said %s", protocol->name, t.said);
    else if (!c->by_name && n->frames >= ENOUGH_FRAMES && n->taken_bytes >= 3 * refused)
        snprintf(why, PLATE_TEXT_SIZE, "%s: %llu samples in %llu bytes, %llu bytes refused", protocol->name,
                 (unsigned long long)n->frames, (unsigned long long)n->bytes, (unsigned long long)refused);
    else
        return false;
    return true;
}

/* Hands over to the protocol that it is; the bytes kept go first. */
static bool decide(struct plate_decoder *d, const struct plate_decode_sink *sink)
{
    struct automatic kept = *state(d);
    struct plate_decoder chosen;
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        char why[PLATE_TEXT_SIZE];
        if (!fits(d, &candidates[i], why)) continue;
        plate_decoder_init_protocol(&chosen, candidates[i].protocol, &d->cfg);
        chosen.stats = d->stats;
        chosen.stats.bytes -= kept.have; /* counted once */
        memcpy(chosen.why, why, sizeof chosen.why);
        *d = chosen;
        plate_decoder_push(d, kept.bytes, kept.have, sink);
        return true;
    }
    return false;
}

static void push(struct plate_decoder *d, const uint8_t *bytes, size_t n, const struct plate_decode_sink *sink)
{
    struct automatic *s = state(d);
    for (; n > 0; n--) {
        if (s->have == KEPT) {
            decode_account(d, KEPT / 2, DECODE_NOISE);
            memmove(s->bytes, s->bytes + KEPT / 2, s->have -= KEPT / 2);
        }
        s->bytes[s->have++] = *bytes++;
        if (s->bytes[s->have - 1] != '\n' && s->have % LOOK_BYTES != 0) continue;
        d->stats.bytes -= n - 1; /* those that are not looked at yet */
        if (decide(d, sink)) {
            plate_decoder_push(d, bytes, n - 1, sink);
            return;
        }
        d->stats.bytes += n - 1;
    }
}

static int init(struct plate_decoder *d, const struct plate_decoder_config *cfg)
{
    (void)d;
    (void)cfg;
    return 0;
}

static void reset(struct plate_decoder *d)
{
    decode_account(d, state(d)->have, DECODE_NOISE);
    state(d)->have = 0;
}

/* Most send by themselves once they have started. Those that wait are asked in turn, by what does no harm to the others. */
static const struct plate_decode_step dialogue[] = {
    {.within_ms = 4000, .tries = 1},
    {.say = "get_version:", .within_ms = 3000, .tries = 2},
    {.say = "\r\nSIR\r\n",
     .within_ms = 2000,
     .tries = 2,
     .trouble =
         "nothing that comes is understood; see baud and the number of cells, and write the `decoder` (lines of numbers: csv)"},
    {0}};

const struct plate_protocol plate_protocol_auto = {
    .name = "auto",
    .what = "finds out which of the others it is, csv apart",
    .init = init,
    .push = push,
    .reset = reset,
    .dialogue = dialogue,
};

bool plate_decoder_settled(const struct plate_decoder *d) { return d->protocol != &plate_protocol_auto; }
