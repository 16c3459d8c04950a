/* Lines of numbers, as most load-cell sketches print them: docs/devices/csv.md. */
#include "protocol.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define LINE_MAX_BYTES 512 /* before the line feed */
#define MAX_COLUMN (LINE_MAX_BYTES / 2)
#define MAX_TIME_BITS 40
/* Time that steps further than this, or back, is believed when a second line agrees; a wrap that would need
 * so long a silence is a restart. */
#define PLAUSIBLE_STEP_S 60.0
/* A time unit of a millisecond or more may carry decimals: six of them are kept. */
#define FINE_UNIT_S 1e-3
#define FINE_DECIMALS 6

struct csv {
    /* from the options */
    unsigned time_decimals;
    uint64_t wrap_ticks, plausible_ticks;
    /* the line under way */
    unsigned have;
    bool listening; /* a line end has been seen: what comes next is whole */
    bool overlong;  /* throwing away until the line end */
    char line[LINE_MAX_BYTES];
    /* the lines before */
    unsigned columns, odd_columns; /* as accepted; of the latest line */
    bool timed, doubted;           /* `raw` and `ticks`, `doubt_raw` hold */
    uint64_t raw, ticks, doubt_raw;
};
_Static_assert(sizeof(struct csv) <= PLATE_DECODER_STATE_SIZE, "the state fits");

static struct csv *state(struct plate_decoder *d) { return (struct csv *)(void *)d->state.bytes; }

static bool blank(char c) { return c == ' ' || c == '\t'; }

/* [a, b) as round(|value| * 10^decimals), halves away from zero, in integers: exact. False: not a number, or above `max`. */
static bool parse_scaled(const char *a, const char *b, char point, unsigned decimals, uint64_t max, uint64_t *ret)
{
    uint64_t v = 0;
    unsigned digits = 0, fraction = 0;
    bool after_point = false, up = false;
    for (; a < b; a++) {
        unsigned digit = (unsigned)(unsigned char)*a - '0';
        if (*a == point && !after_point) {
            after_point = true;
            continue;
        }
        if (digit > 9) return false;
        digits++;
        if (after_point && fraction++ >= decimals) {
            if (fraction == decimals + 1) up = digit >= 5;
            continue;
        }
        if (v > UINT64_MAX / 10 - 1) return false; /* no division by `max` here: this is the innermost loop */
        v = v * 10 + digit;
    }
    for (; fraction < decimals; fraction++, v *= 10)
        if (v > UINT64_MAX / 10 - 1) return false;
    if (digits == 0 || v > max || (up && v == max)) return false;
    *ret = v + up;
    return true;
}

static bool parse_count(const char *a, const char *b, const struct plate_csv_options *o, int32_t *ret)
{
    bool negative = a < b && *a == '-';
    uint64_t v;
    if (a < b && (*a == '-' || *a == '+')) a++;
    if (!parse_scaled(a, b, o->decimal_comma ? ',' : '.', o->decimals, (uint64_t)INT32_MAX + negative, &v)) return false;
    *ret = (int32_t)(negative ? -(int64_t)v : (int64_t)v);
    return true;
}

/* Cuts the next field off [*at, end), without the blanks around it. False: there is none. *at is NULL after the last. */
static bool next_field(const char **at, const char *end, char separator, const char **ret_a, const char **ret_b)
{
    const char *a = *at, *b;
    if (!a) return false;
    if (separator == ' ') {
        while (a < end && blank(*a)) a++;
        if (a == end) return false;
        for (b = a; b < end && !blank(*b);) b++;
        *at = b;
    } else {
        for (b = a; b < end && *b != separator;) b++;
        *at = b < end ? b + 1 : NULL;
        while (a < b && blank(*a)) a++;
        while (a < b && blank(b[-1])) b--;
    }
    *ret_a = a;
    *ret_b = b;
    return true;
}

/* Ticks from one reading to the next, over the wrap if that is the likelier; UINT64_MAX: it went back. */
static uint64_t ticks_from(const struct csv *s, uint64_t from, uint64_t to)
{
    if (to >= from) return to - from;
    uint64_t over = s->wrap_ticks - from + to;
    return s->wrap_ticks > 0 && over <= s->wrap_ticks / 2 && over <= s->plausible_ticks ? over : UINT64_MAX;
}

/* Unwraps the time of a line. A step too far is a damaged digit until the next line steps on from there. */
static bool place(struct csv *s, uint64_t raw, struct plate_frame *f)
{
    uint64_t step = s->timed ? ticks_from(s, s->raw, raw) : 0;
    f->restarted = false;
    if (!s->timed) {
        s->ticks = raw;
    } else if (step <= s->plausible_ticks) {
        s->ticks += step;
    } else if (s->doubted && ticks_from(s, s->doubt_raw, raw) <= s->plausible_ticks) {
        f->restarted = step == UINT64_MAX;
        s->ticks = f->restarted ? raw : s->ticks + step;
    } else {
        s->doubted = true;
        s->doubt_raw = raw;
        return false;
    }
    s->timed = true;
    s->doubted = false;
    s->raw = raw;
    f->has_ticks = true;
    f->ticks = s->ticks;
    return true;
}

/* The number of columns is the only check that such a line has: two lines run together have more. */
static bool columns_agree(struct csv *s, unsigned columns)
{
    bool agree = s->columns == 0 || s->columns == columns || s->odd_columns == columns;
    s->odd_columns = columns;
    if (agree) s->columns = columns;
    return agree;
}

static enum decode_fate take_line(struct plate_decoder *d, const char *at, size_t n, const struct plate_decode_sink *sink)
{
    struct csv *s = state(d);
    const struct plate_csv_options *o = &d->cfg.csv;
    struct plate_frame f = {.cells = d->cfg.cells};
    uint64_t raw = 0;
    unsigned column = 0, need = o->first_column + f.cells - 1;
    const char *a, *b, *end = at + n;
    if (need < o->time_column) need = o->time_column;
    while (at < end && end[-1] == '\r') end--;
    for (a = at; a < end && blank(*a);) a++;
    if (a == end || *a == '#') return DECODE_NOISE;
    while (next_field(&at, end, o->separator, &a, &b)) {
        unsigned cell = ++column - o->first_column; /* wraps below the first */
        if (column == o->time_column) {
            if (!parse_scaled(a, b, o->decimal_comma ? ',' : '.', s->time_decimals, INT64_MAX, &raw)) return DECODE_BAD_SANITY;
        } else if (cell < f.cells && !parse_count(a, b, o, &f.counts[cell])) {
            return DECODE_BAD_SANITY;
        }
    }
    if (column < need || !columns_agree(s, column)) return DECODE_BAD_LENGTH;
    if (s->wrap_ticks > 0 && raw >= s->wrap_ticks) return DECODE_BAD_SANITY;
    if (o->time_column > 0 && !place(s, raw, &f)) return DECODE_BAD_SANITY;
    decode_emit(d, &f, sink);
    return DECODE_TAKEN;
}

static void push(struct plate_decoder *d, const uint8_t *bytes, size_t n, const struct plate_decode_sink *sink)
{
    struct csv *s = state(d);
    while (n > 0) {
        const uint8_t *end = memchr(bytes, '\n', n);
        size_t run = end ? (size_t)(end - bytes) : n, used = run + (end != NULL);
        if (!s->listening || s->overlong) { /* nothing tells the rest of a line from a whole one */
            decode_account(d, used, DECODE_NOISE);
        } else if (run > LINE_MAX_BYTES - s->have) {
            decode_account(d, s->have + used, DECODE_BAD_LENGTH);
            s->overlong = true;
            s->have = 0;
        } else if (end && s->have == 0) {
            decode_account(d, used, take_line(d, (const char *)bytes, run, sink));
        } else {
            memcpy(s->line + s->have, bytes, run);
            s->have += (unsigned)run;
            if (end) decode_account(d, s->have + 1, take_line(d, s->line, s->have, sink));
        }
        if (end) {
            s->have = 0;
            s->overlong = false;
            s->listening = true;
        }
        bytes += used;
        n -= used;
    }
}

static int init(struct plate_decoder *d, const struct plate_decoder_config *cfg)
{
    const struct plate_csv_options *o = &cfg->csv;
    struct csv *s = state(d);
    if (!o->separator || !strchr(",;\t ", o->separator) || (o->decimal_comma && o->separator == ',') || o->decimals > 6)
        return -EINVAL;
    if (o->first_column < 1 || o->first_column > MAX_COLUMN - cfg->cells || o->time_column > MAX_COLUMN) return -EINVAL;
    if (o->time_column == 0) return 0;
    if (o->time_column >= o->first_column && o->time_column < o->first_column + cfg->cells) return -EINVAL;
    if (!(o->time_unit_s > 0) || !isfinite(o->time_unit_s) || o->time_bits > MAX_TIME_BITS) return -EINVAL;
    bool fine = o->time_unit_s >= FINE_UNIT_S;
    uint64_t scale = fine ? 1000000 : 1;
    d->tick_s = fine ? o->time_unit_s / 1e6 : o->time_unit_s;
    s->time_decimals = fine ? FINE_DECIMALS : 0;
    s->wrap_ticks = o->time_bits ? ((uint64_t)1 << o->time_bits) * scale : 0;
    s->plausible_ticks = (uint64_t)fmin(PLAUSIBLE_STEP_S / d->tick_s, 0x1p62);
    return 0;
}

/* The time stays: a device that kept its power while the cable was out goes on counting. */
static void reset(struct plate_decoder *d)
{
    struct csv *s = state(d);
    decode_account(d, s->have, DECODE_NOISE);
    s->have = s->columns = s->odd_columns = 0;
    s->overlong = s->listening = false;
}

const struct plate_protocol plate_protocol_csv = {
    .name = "csv",
    .what = "lines of numbers; separator, columns and time unit are set in the configuration",
    .init = init,
    .push = push,
    .reset = reset,
};
