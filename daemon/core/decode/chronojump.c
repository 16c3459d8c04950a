/* Chronojump force sensor, Force_Sensor-0.1 to 0.6: docs/devices/chronojump.md.
 *     us;N.NN\r\n      us;R\r\n and us;r\r\n: edges of the trigger input */
#include "chronojump.h"
#include "text.h"

#include <errno.h>
#include <string.h>

#define DECIMALS 2 /* the firmware prints so many */
/* An edge is stamped when it comes and printed between samples: no further from them than this. */
#define EDGE_NEAR_TICKS 1000000

static enum decode_fate take_line(struct plate_decoder *d, const char *at, size_t n, bool whole,
                                  const struct plate_decode_sink *sink)
{
    static const char starting[] = "Starting capture"; /* its clock is 0 then */
    struct text *s = text_state(d);
    const char *a, *b, *end = at + n;
    struct plate_frame f = {.cells = 1};
    uint64_t us;
    if (n >= sizeof starting - 1 && memcmp(at, starting, sizeof starting - 1) == 0) s->stamp.begins = s->stamp.timed;
    if (!whole || !text_begins_number(at, end)) return DECODE_NOISE;
    text_field(&at, end, ';', &a, &b);
    if (!at) return DECODE_BAD_LENGTH;
    if (!text_number(a, b, 0, 0, UINT32_MAX, &us)) return DECODE_BAD_SANITY;
    text_field(&at, end, ';', &a, &b);
    if (at) return DECODE_BAD_LENGTH;
    if (b - a == 1 && (*a == 'R' || *a == 'r')) {
        struct plate_edge edge = {.rising = *a == 'R'};
        edge.has_ticks = stamp_near(&s->stamp, us, EDGE_NEAR_TICKS, &edge.ticks);
        decode_edge(d, &edge, sink);
        return DECODE_TAKEN;
    }
    if (!text_count(a, b, memchr(a, ',', (size_t)(b - a)) ? ',' : '.', DECIMALS, &f.counts[0])) return DECODE_BAD_SANITY;
    if (!stamp_place(&s->stamp, us, &f)) return DECODE_BAD_SANITY;
    decode_emit(d, &f, sink);
    return DECODE_TAKEN;
}

static int init(struct plate_decoder *d, const struct plate_decoder_config *cfg)
{
    if (cfg->cells != 1) return -EINVAL;
    text_init(d, take_line);
    d->tick_s = 1e-6;
    d->count_scale_N = 0.01;
    stamp_init(&text_state(d)->stamp, d->tick_s, 32, 1);
    return 0;
}

static const struct plate_decode_step dialogue[] = CHRONOJUMP_DIALOGUE("Force_Sensor-", "force sensor");

const struct plate_protocol plate_protocol_chronojump = {
    .name = "chronojump",
    .what = "Chronojump force sensor: newtons with microseconds, about 87.5 Hz, a trigger input",
    .init = init,
    .push = text_push,
    .reset = text_reset,
    .dialogue = dialogue,
};
