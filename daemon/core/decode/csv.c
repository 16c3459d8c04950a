/* Lines of numbers, as most load-cell sketches print them: docs/devices/csv.md. */
#include "text.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define MAX_COLUMN (TEXT_LINE_MAX / 2)
#define MAX_TIME_BITS 40
/* A time unit of a millisecond or more may carry decimals: six of them are kept. */
#define FINE_UNIT_S 1e-3
#define FINE_DECIMALS 6

struct csv {
    struct text text;
    unsigned time_decimals; /* from the options */
};
_Static_assert(sizeof(struct csv) <= PLATE_DECODER_STATE_SIZE, "the state fits");

static struct csv *state(struct plate_decoder *d) { return (struct csv *)(void *)d->state.bytes; }

static enum decode_fate take_line(struct plate_decoder *d, const char *at, size_t n, bool whole,
                                  const struct plate_decode_sink *sink)
{
    struct csv *s = state(d);
    const struct plate_csv_options *o = &d->cfg.csv;
    const char *a, *b, *end = at + n, point = o->decimal_comma ? ',' : '.';
    struct plate_frame f = {.cells = d->cfg.cells};
    uint64_t raw = 0;
    unsigned column = 0, need = o->first_column + f.cells - 1;
    if (need < o->time_column) need = o->time_column;
    for (a = at; a < end && (*a == ' ' || *a == '\t');) a++;
    if (!whole || a == end || *a == '#') return DECODE_NOISE;
    while (text_field(&at, end, o->separator, &a, &b)) {
        unsigned cell = ++column - o->first_column; /* wraps below the first */
        if (column == o->time_column) {
            if (!text_number(a, b, point, s->time_decimals, INT64_MAX, &raw)) return DECODE_BAD_SANITY;
        } else if (cell < f.cells && !text_count(a, b, point, o->decimals, &f.counts[cell])) {
            return DECODE_BAD_SANITY;
        }
    }
    if (column < need || !text_columns_agree(&s->text.columns, column)) return DECODE_BAD_LENGTH;
    if (o->time_column > 0 && !stamp_place(&s->text.stamp, raw, &f)) return DECODE_BAD_SANITY;
    decode_emit(d, &f, sink);
    return DECODE_TAKEN;
}

static int init(struct plate_decoder *d, const struct plate_decoder_config *cfg)
{
    const struct plate_csv_options *o = &cfg->csv;
    struct csv *s = state(d);
    if (!o->separator || !strchr(",;\t ", o->separator) || (o->decimal_comma && o->separator == ',') || o->decimals > 6)
        return -EINVAL;
    if (o->first_column < 1 || o->first_column > MAX_COLUMN - cfg->cells || o->time_column > MAX_COLUMN) return -EINVAL;
    if (!(o->unit_N >= 0) || !isfinite(o->unit_N)) return -EINVAL;
    text_init(d, take_line);
    unsigned per_unit = 1;
    for (unsigned i = 0; i < o->decimals; i++) per_unit *= 10;
    d->count_scale_N = (o->unit_N > 0 ? o->unit_N : 1) / per_unit;
    if (o->time_column == 0) return 0;
    if (o->time_column >= o->first_column && o->time_column < o->first_column + cfg->cells) return -EINVAL;
    if (!(o->time_unit_s > 0) || !isfinite(o->time_unit_s) || o->time_bits > MAX_TIME_BITS) return -EINVAL;
    bool fine = o->time_unit_s >= FINE_UNIT_S;
    d->tick_s = fine ? o->time_unit_s / 1e6 : o->time_unit_s;
    s->time_decimals = fine ? FINE_DECIMALS : 0;
    stamp_init(&s->text.stamp, d->tick_s, o->time_bits, fine ? 1000000 : 1);
    return 0;
}

static const struct plate_decode_step dialogue[] = {
    {.within_ms = 10000,
     .tries = 1,
     .trouble = "no sample for 10 s; see that baud is the device's, and the columns under `csv`"},
    {0}};

const struct plate_protocol plate_protocol_csv = {
    .name = "csv",
    .what = "lines of numbers; separator, columns and time unit are set in the configuration",
    .init = init,
    .push = text_push,
    .reset = text_reset,
    .dialogue = dialogue,
};
