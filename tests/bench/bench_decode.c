/* bench_decode [SECONDS]: frames a second of both decoders on one core, in reads of 4 kB and of one packet or line; one
 * JSON object a line. A benchmark, not a test: it asserts that every frame came, and no speed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "plate/decode.h"
#include "plate/wire.h"

enum { FRAMES = 200000, ROW_MAX = 160 };

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

struct sum {
    uint64_t frames, counts;
};
static void on_frame(void *user, const struct plate_frame *f)
{
    struct sum *s = user;
    s->frames++;
    s->counts += (uint32_t)f->counts[0];
}

struct bench {
    const char *name;
    struct plate_decoder_config cfg;
    unsigned samples; /* native: a packet */
};

static int32_t count_of(uint32_t seq, unsigned cell) { return (int32_t)((seq * 2654435761u + cell * 40503u) >> 8) - 8000000; }

static size_t make_native(const struct bench *b, uint8_t *out)
{
    size_t n = 0;
    for (uint32_t seq = 0; seq < FRAMES; seq += b->samples) {
        int32_t counts[PLATE_WIRE_BODY_MAX / 4];
        uint8_t packet[PLATE_WIRE_PACKET_MAX];
        for (unsigned i = 0; i < b->samples * b->cfg.cells; i++) counts[i] = count_of(seq + i / b->cfg.cells, i % b->cfg.cells);
        size_t made = plate_wire_data(packet, seq, seq * 1000, counts, (uint8_t)b->samples, (uint8_t)b->cfg.cells);
        memcpy(out + n, packet, made);
        n += made;
    }
    return n;
}

static size_t make_csv(const struct bench *b, uint8_t *out)
{
    char *text = (char *)out;
    size_t n = (size_t)sprintf(text, "t_us,cells\n");
    for (uint32_t seq = 0; seq < FRAMES; seq++) {
        n += (size_t)sprintf(text + n, "%" PRIu64, (uint64_t)seq * 1000);
        for (unsigned i = 0; i < b->cfg.cells; i++) n += (size_t)sprintf(text + n, ",%d", count_of(seq, i));
        n += (size_t)sprintf(text + n, "\r\n");
    }
    return n;
}

static void measure(const struct bench *b, const uint8_t *bytes, size_t n, size_t chunk, double seconds)
{
    uint64_t frames = 0;
    double start_s = now_s(), took_s;
    do {
        struct plate_decoder d;
        struct sum sum = {0};
        struct plate_decode_sink sink = {.frame = on_frame, .user = &sum};
        int r = plate_decoder_init(&d, &b->cfg);
        for (size_t at = 0; r == 0 && at < n; at += chunk)
            plate_decoder_push(&d, bytes + at, n - at < chunk ? n - at : chunk, &sink);
        if (r < 0 || sum.frames != FRAMES) {
            fprintf(stderr, "bench_decode: %s: %" PRIu64 " of %d frames came\n", b->name, sum.frames, FRAMES);
            exit(1);
        }
        frames += sum.frames;
        took_s = now_s() - start_s;
    } while (took_s < seconds);
    printf("{\"bench\":\"%s\",\"chunk_bytes\":%zu,\"frames_per_s\":%.0f,\"MB_per_s\":%.1f}\n", b->name, chunk,
           (double)frames / took_s, (double)frames / FRAMES * (double)n / took_s / 1e6);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
    const struct plate_csv_options csv = {.separator = ',', .time_column = 1, .time_unit_s = 1e-6, .first_column = 2};
    const struct bench benches[] = {
        {"native, 4 cells, 10 samples a packet", {.protocol = "native", .cells = 4}, 10},
        {"native, 4 cells, 1 sample a packet", {.protocol = "native", .cells = 4}, 1},
        {"csv, time and 4 cells", {.protocol = "csv", .cells = 4, .csv = csv}, 0},
        {"csv, time and 1 cell", {.protocol = "csv", .cells = 1, .csv = csv}, 0},
    };
    uint8_t *bytes = malloc((size_t)FRAMES * ROW_MAX);
    if (!bytes) return 1;
    for (size_t i = 0; i < sizeof benches / sizeof *benches; i++) {
        const struct bench *b = &benches[i];
        size_t n = b->samples ? make_native(b, bytes) : make_csv(b, bytes);
        measure(b, bytes, n, 4096, seconds);
        measure(b, bytes, n, b->samples ? n / (FRAMES / b->samples) : n / FRAMES, seconds);
    }
    free(bytes);
    return 0;
}
