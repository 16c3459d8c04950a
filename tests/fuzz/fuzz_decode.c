/* One decoder (FUZZ_PROTOCOL) on bytes from nowhere. The first bytes choose its options, the splits and a reset; then:
 *   - split in two different ways, the frames and the counters are the same, whatever is said to the device in between;
 *   - every byte is taken or thrown away, once;
 *   - frames are sane: sequence and ticks go forward unless the device is said to have started anew. */
#include <stdlib.h>
#include <string.h>

#include "plate/decode.h"
#include "plate/wire.h"

#define CHECK(condition)                                                                                                       \
    do {                                                                                                                       \
        if (!(condition)) abort();                                                                                             \
    } while (0)

enum { HEAD = 6, BYTES_MAX = 1 << 16 };
#define IS(name) (strcmp(FUZZ_PROTOCOL, name) == 0)

struct run {
    struct plate_decoder d;
    uint64_t hash, frames, seq, ticks, edges;
    int64_t now_ns; /* negative: nothing is said */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void mix(struct run *r, uint64_t v) { r->hash = (r->hash ^ v) * 0x100000001b3u; }

static void on_frame(void *user, const struct plate_frame *f)
{
    struct run *r = user;
    CHECK(f->cells == r->d.cfg.cells);
    for (unsigned i = 0; i < PLATE_MAX_CELLS; i++) {
        CHECK(i < f->cells || f->counts[i] == 0);
        mix(r, (uint32_t)f->counts[i]);
    }
    mix(r, f->seq * 8 + f->has_seq * 4u + f->has_ticks * 2u + f->restarted);
    mix(r, f->ticks);
    if (r->frames++ > 0 && !f->restarted) {
        CHECK(!f->has_seq || f->seq > r->seq);
        CHECK(!f->has_ticks || f->ticks >= r->ticks);
    }
    r->seq = f->seq;
    if (f->has_ticks) r->ticks = f->ticks;
}

static void on_hello(void *user, const struct plate_hello *h)
{
    CHECK(memchr(h->name, 0, sizeof h->name) && memchr(h->serial, 0, sizeof h->serial));
    if (!IS("native")) return; /* an answer: depends on what was asked */
    mix(user, h->version * 16 + h->cells);
    for (const char *c = h->name; *c; c++) mix(user, (uint8_t)*c);
}

static void on_edge(void *user, const struct plate_edge *e)
{
    struct run *r = user;
    r->edges++;
    mix(r, e->ticks * 4 + e->rising * 2u + e->has_ticks);
}

/* As an engine does, with time going by in leaps. */
static void talk(struct run *r, uint32_t leap_ms)
{
    int64_t due_ns;
    if (r->now_ns < 0) return;
    r->now_ns += leap_ms * INT64_C(1000000);
    const char *say = plate_decoder_say(&r->d, r->now_ns, &due_ns);
    CHECK((!say || *say) && due_ns > r->now_ns);
    const char *trouble = plate_decoder_trouble(&r->d);
    CHECK(!trouble || *trouble);
}

static void push(struct run *r, const uint8_t *bytes, size_t n)
{
    struct plate_decode_sink sink = {.frame = on_frame, .hello = on_hello, .edge = on_edge, .user = r};
    uint8_t *exact = malloc(n + (n == 0)); /* so that a read past the end is seen */
    CHECK(exact);
    memcpy(exact, bytes, n);
    plate_decoder_push(&r->d, exact, n, &sink);
    free(exact);
    CHECK(r->d.stats.taken_bytes + r->d.stats.discarded_bytes <= r->d.stats.bytes);
}

/* In pieces of 1..most bytes, with a reset before byte `reset_at`. */
static void run(struct run *r, const uint8_t *bytes, size_t n, size_t most, uint32_t seed, size_t reset_at)
{
    for (size_t at = 0, k; at < n; at += k) {
        seed = seed * 1664525u + 1013904223u;
        k = 1 + (seed >> 8) % most;
        if (at == reset_at) plate_decoder_reset(&r->d);
        if (at < reset_at && k > reset_at - at) k = reset_at - at;
        if (k > n - at) k = n - at;
        push(r, bytes + at, k);
        talk(r, seed >> 20);
    }
}

/* Bodies with a length byte before each, as packets whose checksum holds: what lies behind the checksum is reached too. */
static size_t wrap(const uint8_t *in, size_t n, uint8_t *out)
{
    size_t length = 0;
    while (n > 1 && length < BYTES_MAX - PLATE_WIRE_PACKET_MAX) {
        uint8_t packet[PLATE_WIRE_PACKET_MAX];
        size_t body = in[0] % (PLATE_WIRE_BODY_MAX + 1);
        if (body > n - 1) body = n - 1;
        memcpy(packet + 1, in + 1, body);
        size_t made = plate_wire_finish(packet, (uint16_t)body);
        memcpy(out + length, packet, made);
        length += made;
        in += 1 + body;
        n -= 1 + body;
    }
    return length;
}

static struct plate_decoder_config configure(const uint8_t *head)
{
    static const char separators[] = ",;\t ";
    static const double units_s[] = {1e-6, 1e-3, 1, 1e-9};
    struct plate_decoder_config cfg = {.protocol = FUZZ_PROTOCOL, .cells = 1 + head[1] % PLATE_MAX_CELLS};
    if (IS("openscale") || IS("chronojump") || IS("sics")) cfg.cells = 1;
    if (IS("chronojump-platform")) cfg.cells = 4;
    if (IS("auto")) cfg.cells = head[1] & 3 ? 4 : 1;
    cfg.csv.separator = separators[head[1] >> 3 & 3];
    cfg.csv.decimal_comma = head[1] >> 5 & 1;
    cfg.csv.decimals = head[2] % 7;
    cfg.csv.time_column = head[2] >> 3 & 3;
    cfg.csv.first_column = 1 + (head[2] >> 5 & 3);
    cfg.csv.time_unit_s = units_s[head[3] & 3];
    cfg.csv.time_bits = head[3] >> 2;
    return cfg;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t packets[BYTES_MAX];
    if (size < HEAD || size > BYTES_MAX) return 0;
    struct plate_decoder_config cfg = configure(data);
    struct run a = {.hash = 1, .now_ns = -1}, b;
    if (plate_decoder_init(&a.d, &cfg) < 0) return 0;
    b = a;
    b.now_ns = 0;
    size_t n = size - HEAD, reset_at = data[4] ? n * data[4] / 256 : SIZE_MAX;
    const uint8_t *bytes = data + HEAD;
    if (IS("native") && data[0] & 1) {
        n = wrap(bytes, n, packets);
        bytes = packets;
    }
    run(&a, bytes, n, n + 1, 1, reset_at);
    run(&b, bytes, n, 1 + data[5] % 64, data[5] * 2654435761u, reset_at);
    CHECK(a.hash == b.hash && memcmp(&a.d.stats, &b.d.stats, sizeof a.d.stats) == 0);
    CHECK(a.d.stats.frames == a.frames && a.d.stats.edges == a.edges);
    if (!IS("chronojump-platform") && !IS("auto")) {
        push(&a, (const uint8_t *)(IS("native") ? "\0" : "\n"), 1); /* nothing is under way after an end */
        CHECK(a.d.stats.taken_bytes + a.d.stats.discarded_bytes == a.d.stats.bytes);
    }
    plate_decoder_reset(&b.d);
    CHECK(b.d.stats.taken_bytes + b.d.stats.discarded_bytes == b.d.stats.bytes);
    return 0;
}
