/* text.h - what the protocols of lines share: their state, reading numbers exactly, units of force.
 * Private to daemon/core/decode. */
#pragma once
#include "cut.h"
#include "stamp.h"

#define TEXT_LINE_MAX 512 /* bytes before the line feed */

/* Judges a line, without its line feed and the carriage returns before it. `whole` is false for the first line after the port
 * was opened, which may be the end of one: no number of it can be believed. */
typedef enum decode_fate text_take(struct plate_decoder *d, const char *line, size_t n, bool whole,
                                   const struct plate_decode_sink *sink);

/* The number of columns is the only check that many lines have: two lines run together have more. */
struct text_columns {
    unsigned agreed, odd; /* as accepted; of the latest line */
};
/* Another number than before is believed when a second line agrees: the device has changed its format. */
bool text_columns_agree(struct text_columns *c, unsigned columns);

/* The state of every protocol of lines: what it needs beside stands behind. */
struct text {
    text_take *take;
    struct text_columns columns;
    struct stamp stamp; /* of those that send a time */
    struct cut cut;
    char line[TEXT_LINE_MAX];
};
_Static_assert(sizeof(struct text) <= PLATE_DECODER_STATE_SIZE, "the state fits");
static inline struct text *text_state(struct plate_decoder *d) { return (struct text *)(void *)d->state.bytes; }

/* Once, in init; then these are the protocol's push and reset. The time stays over a reset: a device that kept its power while
 * the cable was out goes on counting. */
void text_init(struct plate_decoder *d, text_take *take);
void text_push(struct plate_decoder *d, const uint8_t *bytes, size_t n, const struct plate_decode_sink *sink);
void text_reset(struct plate_decoder *d);

/* Cuts the next field off [*at, end), without the blanks around it. False: there is none. *at is NULL after the last. */
bool text_field(const char **at, const char *end, char separator, const char **ret_a, const char **ret_b);
/* [a, b) as round(value * 10^decimals), halves away from zero, in integers: exact. False: not a number, or above `max`. */
bool text_number(const char *a, const char *b, char point, unsigned decimals, uint64_t max, uint64_t *ret);
/* The same with a sign, and it must fit 32 bits. */
bool text_count(const char *a, const char *b, char point, unsigned decimals, int32_t *ret);
/* Does the text begin with a number, as a line of data does and a line of a banner does not? */
bool text_begins_number(const char *a, const char *end);

/* Devices that name a unit: a count is so many newtons, whatever the unit, so that it can be changed while they run. */
#define TEXT_FORCE_COUNT_N 1e-4
/* Newtons of one unit (N kN g kg lb lbs oz, in any case); 0: no unit of force. */
double text_unit_N(const char *a, const char *b);
/* [a, b) of such a unit, with a point or a comma, as counts of TEXT_FORCE_COUNT_N. */
bool text_force(const char *a, const char *b, double unit_N, int32_t *ret);
