/* protocol.h - what a protocol and decode.c have of each other; private to daemon/core/decode and its tests. */
#pragma once
#include "plate/decode.h"

extern const struct plate_protocol plate_protocol_native, plate_protocol_csv;

/* plate_decoder_init() for a protocol that is in no list: how the template is tested. -EINVAL as there. */
int plate_decoder_init_protocol(struct plate_decoder *d, const struct plate_protocol *protocol,
                                const struct plate_decoder_config *cfg);

/* What became of a run of bytes. */
enum decode_fate { DECODE_TAKEN, DECODE_NOISE, DECODE_BAD_LENGTH, DECODE_BAD_CHECKSUM, DECODE_BAD_SANITY };

/* Every byte goes through here once, when its fate is known. A packet's bytes go in one call. */
static inline void decode_account(struct plate_decoder *d, size_t bytes, enum decode_fate fate)
{
    *(fate == DECODE_TAKEN ? &d->stats.taken_bytes : &d->stats.discarded_bytes) += bytes;
    d->stats.bad_length += fate == DECODE_BAD_LENGTH;
    d->stats.bad_checksum += fate == DECODE_BAD_CHECKSUM;
    d->stats.bad_sanity += fate == DECODE_BAD_SANITY;
}

static inline void decode_emit(struct plate_decoder *d, const struct plate_frame *f, const struct plate_decode_sink *sink)
{
    d->stats.frames++;
    sink->frame(sink->user, f);
}
