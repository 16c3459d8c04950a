/* Chronojump force platform, Force_Platform-0.1: docs/devices/chronojump-platform.md.
 *     FF FF FF FF   u32 microseconds   4 x i16
 * There is no checksum, and two cells at -1 look like the start of a packet. What tells them apart is the rhythm: a start
 * stands at every sixteenth byte, and behind it a clock that goes on. A packet is believed when the next one starts where it
 * should. */
#include "chronojump.h"
#include "stamp.h"

#include <errno.h>
#include <string.h>

#define CELLS 4
#define PACKET 16
#define START 4     /* bytes of FF */
#define WITNESSES 3 /* packets in a row that show the rhythm */
#define ROOM (8 * PACKET)
/* Between two packets, while the rhythm is looked for; and none is more than twice as long as the one before, or less than
 * half. */
#define LEAST_STEP_US 100 /* sixteen bytes take longer at a million baud */
#define MOST_STEP_US 1000000

struct platform {
    bool in_step; /* the bytes begin with a packet */
    unsigned have;
    struct stamp stamp;
    uint8_t bytes[ROOM];
};
_Static_assert(sizeof(struct platform) <= PLATE_DECODER_STATE_SIZE, "the state fits");

static struct platform *state(struct plate_decoder *d) { return (struct platform *)(void *)d->state.bytes; }

static bool starts(const uint8_t *at) { return decode_u32(at) == UINT32_MAX; }

static void drop(struct plate_decoder *d, unsigned n, enum decode_fate fate)
{
    struct platform *s = state(d);
    decode_account(d, n, fate);
    s->have -= n;
    memmove(s->bytes, s->bytes + n, s->have);
}

/* Could packets start at `at` and every sixteenth byte on, as far as can be seen? A start alone proves nothing. */
static bool could_be(const struct platform *s, unsigned at)
{
    uint32_t before = 0, step = 0;
    for (unsigned i = at, k = 0; i < s->have; i += PACKET, k++) {
        for (unsigned j = i; j < s->have && j < i + START; j++)
            if (s->bytes[j] != 0xff) return false;
        if (i + 2 * START > s->have) break;
        uint32_t us = decode_u32(s->bytes + i + START), last = step;
        step = us - before;
        if (k > 0 && (step < LEAST_STEP_US || step > MOST_STEP_US)) return false;
        if (k > 1 && (step > 2 * last || last > 2 * step)) return false;
        before = us;
    }
    return true;
}

/* False: more bytes are needed. */
static bool find_step(struct plate_decoder *d)
{
    struct platform *s = state(d);
    unsigned noise = 0, rivals = 0;
    while (noise < s->have && !could_be(s, noise)) noise++;
    drop(d, noise, DECODE_NOISE);
    if (s->have < WITNESSES * PACKET) return false;
    for (unsigned at = 1; at < PACKET; at++) rivals += could_be(s, at);
    if (rivals == 0) {
        s->in_step = true;
    } else if (s->have == ROOM) { /* never a guess: the packets that follow will tell */
        drop(d, PACKET, DECODE_BAD_SANITY);
    }
    return rivals == 0;
}

static enum decode_fate take_packet(struct plate_decoder *d, const uint8_t *packet, const struct plate_decode_sink *sink)
{
    struct platform *s = state(d);
    struct plate_frame f = {.cells = CELLS};
    if (!stamp_place(&s->stamp, decode_u32(packet + START), &f)) return DECODE_BAD_SANITY;
    for (unsigned i = 0; i < CELLS; i++) {
        const uint8_t *at = packet + 2 * START + 2 * i;
        f.counts[i] = (int16_t)(at[0] | at[1] << 8);
    }
    decode_emit(d, &f, sink);
    return DECODE_TAKEN;
}

/* A packet, and the start of the next. False: more bytes are needed. */
static bool keep_step(struct plate_decoder *d, const struct plate_decode_sink *sink)
{
    struct platform *s = state(d);
    if (s->have < PACKET + START) return false;
    if (!starts(s->bytes + PACKET)) {
        /* A damaged start, or bytes lost or added: the start after it tells. */
        if (s->have < 2 * PACKET + START) return false;
        s->in_step = starts(s->bytes) && starts(s->bytes + 2 * PACKET);
        if (!s->in_step) {
            drop(d, 1, DECODE_BAD_LENGTH);
            return true;
        }
    }
    bool whole = starts(s->bytes);
    enum decode_fate fate = whole ? take_packet(d, s->bytes, sink) : DECODE_BAD_SANITY;
    s->in_step = !whole || fate == DECODE_TAKEN; /* a clock that jumps may be a wrong step: FF before a start shifts it */
    drop(d, s->in_step ? PACKET : 1, fate);
    return true;
}

static void push(struct plate_decoder *d, const uint8_t *bytes, size_t n, const struct plate_decode_sink *sink)
{
    struct platform *s = state(d);
    for (; n > 0; n--) {
        s->bytes[s->have++] = *bytes++;
        while (s->in_step ? keep_step(d, sink) : find_step(d)) {
        }
    }
}

static int init(struct plate_decoder *d, const struct plate_decoder_config *cfg)
{
    if (cfg->cells != CELLS) return -EINVAL;
    d->tick_s = 1e-6;
    stamp_init(&state(d)->stamp, d->tick_s, 32, 1);
    return 0;
}

static void reset(struct plate_decoder *d)
{
    drop(d, state(d)->have, DECODE_NOISE);
    state(d)->in_step = false;
    stamp_reopened(&state(d)->stamp);
}

static const struct plate_decode_step dialogue[] = CHRONOJUMP_DIALOGUE("Force_Platform-", "force platform");

const struct plate_protocol plate_protocol_chronojump_platform = {
    .name = "chronojump-platform",
    .what = "Chronojump force platform: four cells, raw counts with microseconds",
    .init = init,
    .push = push,
    .reset = reset,
    .dialogue = dialogue,
};
