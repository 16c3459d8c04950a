/* replay_dump PROTOCOL CELLS RATE_HZ BAUD [CHUNK] <CAPTURE: what the core makes of the bytes of a port, a line a thing: hello,
 * clock, gap, edge, sample, and at the end the account. They arrive in reads of CHUNK bytes (64), at the pace of the line. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plate/intake.h"

struct dump {
    struct plate_intake in;
    unsigned cells;
};

static void on_hello(void *user, const struct plate_hello *h)
{
    (void)user;
    printf("hello name=\"%s\" serial=\"%s\" cells=%u rate_Hz=%g\n", h->name, h->serial, h->cells, h->rate_Hz);
}

static void on_clock(void *user, const struct plate_clock *k)
{
    (void)user;
    (void)k; /* the times of the samples show it */
}

static void on_gap(void *user, const struct plate_gap *g)
{
    (void)user;
    printf("gap first=%" PRIu64 " count=%" PRIu64 " reason=%s%s\n", g->sample, g->count, plate_gap_reason_name(g->reason),
           g->estimated ? " estimated" : "");
}

static void on_block(void *user, uint64_t first, const int32_t *counts, size_t n)
{
    const struct dump *d = user;
    for (size_t k = 0; k < n; k++) {
        printf("sample %" PRIu64 " t_s=%.4f", first + k, plate_clock_t_s(&d->in.timebase.knot, first + k));
        for (unsigned i = 0; i < d->cells; i++) printf(" %d", *counts++);
        putchar('\n');
    }
}

static void on_edge(void *user, const struct plate_intake_edge *e)
{
    (void)user;
    printf("edge %s sample=%" PRIu64 " t_s=%.4f\n", e->rising ? "rising" : "falling", e->sample, e->t_s);
}

int main(int argc, char **argv)
{
    static struct dump d;
    uint8_t bytes[PLATE_INTAKE_READ];
    if (argc < 5) return 2;
    double byte_s = 10 / strtod(argv[4], NULL);
    size_t chunk = argc > 5 ? strtoul(argv[5], NULL, 10) : 64;
    d.cells = (unsigned)strtoul(argv[2], NULL, 10);
    struct plate_decoder_config cfg = {
        .protocol = argv[1],
        .cells = d.cells,
        .csv = {.separator = ',', .time_column = 1, .time_unit_s = 1e-6, .time_bits = 32, .first_column = 2}};
    struct plate_decoder probe;
    if (chunk < 1 || chunk > sizeof bytes || plate_decoder_init(&probe, &cfg) < 0) return 2;
    const struct plate_timebase_config timebase = {.nominal_rate_Hz = strtod(argv[3], NULL), .tick_s = probe.tick_s};
    if (plate_intake_init(&d.in, &cfg, &timebase)) return 1;
    const struct plate_intake_sink sink = {.clock = on_clock, .gap = on_gap, .block = on_block, .edge = on_edge, .user = &d};
    struct plate_epoch epoch = {0};
    double host_s = 0;
    for (size_t n; (n = fread(bytes, 1, chunk, stdin)) > 0;) {
        int64_t host_ns = (int64_t)((host_s += (double)n * byte_s) * 1e9);
        plate_intake_decode(&d.in, bytes, n, on_hello, &d);
        plate_intake_take(&d.in, &epoch, host_ns, host_ns, &sink);
    }
    plate_intake_reopened(&d.in);
    const struct plate_decode_stats *s = &d.in.decoder.stats;
    if (*d.in.decoder.why) printf("auto %s\n", d.in.decoder.why);
    printf("account bytes=%" PRIu64 " taken=%" PRIu64 " discarded=%" PRIu64 " frames=%" PRIu64 " edges=%" PRIu64
           " bad_length=%" PRIu64 " bad_checksum=%" PRIu64 " bad_sanity=%" PRIu64 " no_value=%" PRIu64 "\n",
           s->bytes, s->taken_bytes, s->discarded_bytes, s->frames, s->edges, s->bad_length, s->bad_checksum, s->bad_sanity,
           s->no_value);
    plate_intake_done(&d.in);
    return 0;
}
