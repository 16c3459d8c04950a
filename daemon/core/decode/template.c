/* A protocol to copy. It works, and a test runs it, but it is in no list: a real one is declared in protocol.h, listed in
 * decode.c (and auto.c) and in daemon/CMakeLists.txt, and described in docs/devices/. Lines of text: text.h cuts and reads
 * them.
 *
 * The wire here: 0x5A, then one int16 little-endian for each cell, then the sum of all bytes before, modulo 256.
 *
 * What every protocol owes:
 *   - the frames do not depend on how the bytes are split;
 *   - every byte is accounted for once (decode_account), and no sample is made of bytes that failed a check;
 *   - after damage it finds its rhythm again within two packets: on a bad packet throw away one byte, not all of them;
 *   - d->tick_s is set by init if frames carry ticks; sequence and ticks are unwrapped to 64 bits (stamp.h does it);
 *   - d->count_scale_N is set by init if the device sends forces;
 *   - what has to be said to the device before it sends, and what silence means, is a table (.dialogue; sics.c has one). */
#include "protocol.h"

#include <string.h>

#define MARK 0x5A

struct template_state {
    unsigned have;
    uint8_t packet[2 + 2 * PLATE_MAX_CELLS];
};
_Static_assert(sizeof(struct template_state) <= PLATE_DECODER_STATE_SIZE, "the state fits");

static struct template_state *state(struct plate_decoder *d) { return (struct template_state *)(void *)d->state.bytes; }

static enum plate_verdict judge(const uint8_t *packet, unsigned have, unsigned cells, enum decode_fate *ret_fate)
{
    unsigned size = 2 + 2 * cells;
    uint8_t sum = 0;
    *ret_fate = DECODE_NOISE;
    if (have == 0) return PLATE_NEED_MORE;
    if (packet[0] != MARK) return PLATE_INVALID;
    if (have < size) return PLATE_NEED_MORE;
    for (unsigned i = 0; i < size - 1; i++) sum = (uint8_t)(sum + packet[i]);
    *ret_fate = sum == packet[size - 1] ? DECODE_TAKEN : DECODE_BAD_CHECKSUM;
    return sum == packet[size - 1] ? PLATE_PACKET : PLATE_INVALID;
}

static void drop(struct template_state *s, unsigned n)
{
    s->have -= n;
    memmove(s->packet, s->packet + n, s->have);
}

static void push(struct plate_decoder *d, const uint8_t *bytes, size_t n, const struct plate_decode_sink *sink)
{
    struct template_state *s = state(d);
    struct plate_frame f = {.cells = d->cfg.cells};
    enum plate_verdict verdict;
    enum decode_fate fate;
    for (; n > 0; n--) {
        s->packet[s->have++] = *bytes++;
        while ((verdict = judge(s->packet, s->have, f.cells, &fate)) != PLATE_NEED_MORE) {
            unsigned used = verdict == PLATE_PACKET ? s->have : 1;
            for (unsigned i = 0; verdict == PLATE_PACKET && i < f.cells; i++)
                f.counts[i] = (int16_t)(s->packet[1 + 2 * i] | s->packet[2 + 2 * i] << 8);
            decode_account(d, used, fate);
            if (verdict == PLATE_PACKET) decode_emit(d, &f, sink);
            drop(s, used);
        }
    }
}

static int init(struct plate_decoder *d, const struct plate_decoder_config *cfg)
{
    (void)d;
    (void)cfg; /* the options that are wrong: -EINVAL */
    return 0;
}

static void reset(struct plate_decoder *d)
{
    decode_account(d, state(d)->have, DECODE_NOISE);
    state(d)->have = 0;
}

extern const struct plate_protocol plate_protocol_template; /* of a real one, this line stands in protocol.h */
const struct plate_protocol plate_protocol_template = {
    .name = "template",
    .what = "an example: a mark, 16-bit counts, a sum",
    .init = init,
    .push = push,
    .reset = reset,
};
