/* MT-SICS, which Mettler-Toledo's scales and many others speak: docs/devices/sics.md.
 *     S S     100.00 g\r\n   stable; S D: moving; S I: busy; S +, S -: overload, underload */
#include "text.h"

#include <errno.h>
#include <string.h>

static bool is(const char *a, const char *b, const char *word)
{
    return strlen(word) == (size_t)(b - a) && memcmp(a, word, (size_t)(b - a)) == 0;
}

static enum decode_fate take_line(struct plate_decoder *d, const char *at, size_t n, bool whole,
                                  const struct plate_decode_sink *sink)
{
    const char *a, *b, *end = at + n;
    struct plate_frame f = {.cells = 1};
    if (!whole || !text_field(&at, end, ' ', &a, &b)) return DECODE_NOISE;
    if (is(a, b, "ES") || is(a, b, "ET") || is(a, b, "EL")) return DECODE_NO_VALUE; /* a command that it cannot carry out */
    if (!is(a, b, "S")) return DECODE_NOISE;                                        /* answers to other commands */
    if (!text_field(&at, end, ' ', &a, &b)) return DECODE_BAD_LENGTH;
    bool value = is(a, b, "S") || is(a, b, "D");
    if (!value && !is(a, b, "I") && !is(a, b, "+") && !is(a, b, "-")) return DECODE_BAD_SANITY;
    const char *number_a, *number_b;
    if (text_field(&at, end, ' ', &number_a, &number_b) != value) return DECODE_BAD_LENGTH;
    if (!value) return DECODE_NO_VALUE;
    if (!text_field(&at, end, ' ', &a, &b)) return DECODE_BAD_LENGTH;
    double unit_N = text_unit_N(a, b);
    if (unit_N == 0 || !text_force(number_a, number_b, unit_N, &f.counts[0])) return DECODE_BAD_SANITY;
    if (text_field(&at, end, ' ', &a, &b)) return DECODE_BAD_LENGTH;
    decode_emit(d, &f, sink);
    return DECODE_TAKEN;
}

static int init(struct plate_decoder *d, const struct plate_decoder_config *cfg)
{
    if (cfg->cells != 1) return -EINVAL;
    text_init(d, take_line);
    d->count_scale_N = TEXT_FORCE_COUNT_N;
    return 0;
}

static const struct plate_decode_step dialogue[] = {
    {.say = "I4\r\n", .hear = "I4 A ", .within_ms = 1000, .tries = 2, .tells = PLATE_TELLS_SERIAL},
    {.say = "SIR\r\n",
     .within_ms = 2000,
     .tries = 3,
     .trouble =
         "no weight in answer to SIR in 6 s; see that the scale speaks MT-SICS on this port, and that baud is the scale's"},
    {0}};

const struct plate_protocol plate_protocol_sics = {
    .name = "sics",
    .what = "MT-SICS: Mettler-Toledo's scales and the many that speak like them",
    .init = init,
    .push = text_push,
    .reset = text_reset,
    .dialogue = dialogue,
};
