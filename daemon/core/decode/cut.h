/* cut.h - cuts what arrives into pieces that end with one byte: lines, and packets of COBS. However the bytes are split, the
 * pieces are the same. Private to daemon/core/decode. */
#pragma once
#include "protocol.h"

struct cut {
    unsigned have;  /* bytes of the piece under way */
    bool listening; /* an end has been seen: what comes next is whole */
    bool overlong;  /* throwing away until the next end */
};
struct cut_rule {
    uint8_t end;
    unsigned most; /* bytes before the end; a piece with more is thrown away */
    /* Judges a piece, without its end. `whole` is false for the first one after the port was opened, which may be the end of
     * one: what is wrong with it is no error of the line. */
    enum decode_fate (*take)(struct plate_decoder *d, const uint8_t *piece, size_t n, bool whole,
                             const struct plate_decode_sink *sink);
};
/* room: rule->most bytes that stay where they are from call to call. */
void cut_push(struct plate_decoder *d, struct cut *c, uint8_t *room, const struct cut_rule *rule, const uint8_t *bytes,
              size_t n, const struct plate_decode_sink *sink);
void cut_reset(struct plate_decoder *d, struct cut *c);
