/* SparkFun OpenScale, firmware 1.1 and later: docs/devices/openscale.md.
 *     [ms,]value,units,[raw,][tempC,][remote,]\r\n */
#include "text.h"

#include <errno.h>
#include <string.h>

#define MOST_FIELDS 7 /* with the empty one after the last comma */

struct field {
    const char *a, *b;
};

/* The unit stands second, or third behind a time. What follows are numbers, and a comma ends the line. */
static enum decode_fate read_fields(const struct field *field, unsigned n, struct plate_frame *f, bool *ret_timed,
                                    uint64_t *ret_ms)
{
    double unit_N = 0;
    unsigned at = 0;
    int32_t ignored;
    while (unit_N == 0 && ++at < n && at <= 2) unit_N = text_unit_N(field[at].a, field[at].b);
    if (unit_N == 0) return DECODE_BAD_SANITY;
    if (field[n - 1].a != field[n - 1].b || at == n - 1) return DECODE_BAD_LENGTH;
    for (unsigned i = at + 1; i < n - 1; i++)
        if (!text_count(field[i].a, field[i].b, '.', 0, &ignored)) return DECODE_BAD_SANITY;
    *ret_timed = at == 2;
    if (*ret_timed && !text_number(field[0].a, field[0].b, 0, 0, UINT32_MAX, ret_ms)) return DECODE_BAD_SANITY;
    return text_force(field[at - 1].a, field[at - 1].b, unit_N, &f->counts[0]) ? DECODE_TAKEN : DECODE_BAD_SANITY;
}

static enum decode_fate take_line(struct plate_decoder *d, const char *at, size_t n, bool whole,
                                  const struct plate_decode_sink *sink)
{
    static const char ready[] = "Readings:"; /* the end of the banner: the board has started */
    struct text *s = text_state(d);
    const char *end = at + n;
    struct field field[MOST_FIELDS];
    struct plate_frame f = {.cells = 1};
    unsigned fields = 0;
    uint64_t ms = 0;
    bool timed;
    if (n == sizeof ready - 1 && memcmp(at, ready, n) == 0) s->stamp.begins = s->stamp.timed;
    if (!whole || !text_begins_number(at, end)) return DECODE_NOISE;
    for (; fields < MOST_FIELDS && text_field(&at, end, ',', &field[fields].a, &field[fields].b); fields++) {
    }
    if (at || fields < 3) return DECODE_BAD_LENGTH;
    enum decode_fate fate = read_fields(field, fields, &f, &timed, &ms);
    if (fate != DECODE_TAKEN) return fate;
    if (!text_columns_agree(&s->columns, fields)) return DECODE_BAD_LENGTH;
    if (timed && !stamp_place(&s->stamp, ms, &f)) return DECODE_BAD_SANITY;
    decode_emit(d, &f, sink);
    return DECODE_TAKEN;
}

static int init(struct plate_decoder *d, const struct plate_decoder_config *cfg)
{
    if (cfg->cells != 1) return -EINVAL;
    text_init(d, take_line);
    d->tick_s = 1e-3;
    d->count_scale_N = TEXT_FORCE_COUNT_N;
    stamp_init(&text_state(d)->stamp, d->tick_s, 32, 1);
    return 0;
}

static const struct plate_decode_step dialogue[] = {
    {.hear = "Readings:",
     .within_ms = 10000,
     .tries = 1,
     .trouble = "no reading for 10 s; see that baud is the board's (9600 as sold) and that its serial trigger is off"},
    {.within_ms = 10000,
     .tries = 1,
     .trouble = "a banner, but no reading for 10 s; leave the board's menu (x), switch its serial trigger off"},
    {0}};

const struct plate_protocol plate_protocol_openscale = {
    .name = "openscale",
    .what = "SparkFun OpenScale: one combined cell, in lbs or kg, 2 to 10 Hz",
    .init = init,
    .push = text_push,
    .reset = text_reset,
    .dialogue = dialogue,
};
