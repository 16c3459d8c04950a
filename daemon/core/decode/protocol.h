/* protocol.h - what a protocol and decode.c have of each other; private to daemon/core/decode and its tests. */
#pragma once
#include "plate/decode.h"

extern const struct plate_protocol plate_protocol_native, plate_protocol_csv, plate_protocol_openscale,
    plate_protocol_chronojump, plate_protocol_chronojump_platform, plate_protocol_sics, plate_protocol_auto;

/* plate_decoder_init() for a protocol that is in no list: how the template is tested. -EINVAL as there. */
int plate_decoder_init_protocol(struct plate_decoder *d, const struct plate_protocol *protocol,
                                const struct plate_decoder_config *cfg);

/* What became of a run of bytes. */
enum decode_fate {
    DECODE_TAKEN,
    DECODE_NOISE, /* between packets: idling, banners, what came before the first whole line */
    DECODE_BAD_LENGTH,
    DECODE_BAD_CHECKSUM,
    DECODE_BAD_SANITY,
    DECODE_NO_VALUE
};

/* Every byte goes through here once, when its fate is known. A packet's bytes go in one call. */
static inline void decode_account(struct plate_decoder *d, size_t bytes, enum decode_fate fate)
{
    if (fate == DECODE_TAKEN) {
        d->stats.taken_bytes += bytes;
        return;
    }
    d->stats.discarded_bytes += bytes;
    d->stats.bad_length += fate == DECODE_BAD_LENGTH;
    d->stats.bad_checksum += fate == DECODE_BAD_CHECKSUM;
    d->stats.bad_sanity += fate == DECODE_BAD_SANITY;
    d->stats.no_value += fate == DECODE_NO_VALUE;
}

static inline void decode_emit(struct plate_decoder *d, const struct plate_frame *f, const struct plate_decode_sink *sink)
{
    d->stats.frames++;
    sink->frame(sink->user, f);
}

static inline void decode_edge(struct plate_decoder *d, const struct plate_edge *e, const struct plate_decode_sink *sink)
{
    d->stats.edges++;
    if (sink->edge) sink->edge(sink->user, e);
}

static inline uint32_t decode_u32(const uint8_t *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* The step of the dialogue that is under way; NULL: it is over. */
static inline const struct plate_decode_step *dialogue_step(const struct plate_decoder *d)
{
    const struct plate_decode_step *steps = d->protocol->dialogue;
    return steps && steps[d->dialogue.step].within_ms > 0 ? &steps[d->dialogue.step] : NULL;
}
/* dialogue.c: the answers that the step under way waits for, found in the bytes; after a reset: from the beginning. */
void dialogue_hear(struct plate_decoder *d, const uint8_t *bytes, size_t n, const struct plate_decode_sink *sink);
void dialogue_begin(struct plate_decoder *d);
