/* The native protocol: plate/wire.h has the layout, docs/devices/native.md the reasons. */
#include "cut.h"
#include "plate/wire.h"

#include <errno.h>
#include <math.h>

#define ENCODED_MAX (PLATE_WIRE_PACKET_MAX - 1) /* without the closing 0x00 */
/* A packet that lies this little behind is late or sent twice; further back, the device has started anew. */
#define LATE_SAMPLES 64
/* A jump further ahead than this is no loss but a device that started anew; after a hello, sooner. */
#define AHEAD_SAMPLES (1u << 28)
#define AHEAD_SAMPLES_HELLO (1u << 20)
/* No silence is longer than twelve days: a bound that keeps the ticks of a lying device within 64 bits. */
#define SILENCE_TICKS 0x1p40

struct native {
    struct cut cut;
    bool foreign;  /* the device said another version of this protocol */
    bool numbered; /* the numbers below hold */
    bool fresh;    /* a hello or a new connection since the last data: going back means a restart */
    uint64_t next_seq;
    uint64_t base_seq, base_ticks; /* start of this stretch: the two give the device's own period */
    uint64_t seq, ticks;           /* latest stamped sample */
    uint32_t us;                   /* its stamp as sent */
    uint8_t packet[ENCODED_MAX];
};
_Static_assert(sizeof(struct native) <= PLATE_DECODER_STATE_SIZE, "the state fits");

static struct native *state(struct plate_decoder *d) { return (struct native *)(void *)d->state.bytes; }

/* plate_wire_crc32() eight bytes at a time: table k says what a byte does to the remainder k bytes further on. A CRC is linear:
 * what the eight bits do tells the 256. */
#define LINE(x, a, b, c)                                                                                                       \
    (x), (x) ^ (a), (x) ^ (b), (x) ^ (a) ^ (b), (x) ^ (c), (x) ^ (a) ^ (c), (x) ^ (b) ^ (c), (x) ^ (a) ^ (b) ^ (c)
#define LINES(x, a, b, c, d) LINE(x, a, b, c), LINE((x) ^ (d), a, b, c)
#define FOUR(x, e, f, a, b, c, d)                                                                                              \
    LINES(x, a, b, c, d), LINES((x) ^ (e), a, b, c, d), LINES((x) ^ (f), a, b, c, d), LINES((x) ^ (e) ^ (f), a, b, c, d)
#define BYTE(a, b, c, d, e, f, g, h)                                                                                           \
    {                                                                                                                          \
        FOUR(0u, e, f, a, b, c, d), FOUR(g, e, f, a, b, c, d), FOUR(h, e, f, a, b, c, d), FOUR((g) ^ (h), e, f, a, b, c, d)    \
    }
static const uint32_t crc_table[8][256] = {
    BYTE(0x77073096, 0xee0e612c, 0x076dc419, 0x0edb8832, 0x1db71064, 0x3b6e20c8, 0x76dc4190, 0xedb88320),
    BYTE(0x191b3141, 0x32366282, 0x646cc504, 0xc8d98a08, 0x4ac21251, 0x958424a2, 0xf0794f05, 0x3b83984b),
    BYTE(0x01c26a37, 0x0384d46e, 0x0709a8dc, 0x0e1351b8, 0x1c26a370, 0x384d46e0, 0x709a8dc0, 0xe1351b80),
    BYTE(0xb8bc6765, 0xaa09c88b, 0x8f629757, 0xc5b428ef, 0x5019579f, 0xa032af3e, 0x9b14583d, 0xed59b63b),
    BYTE(0x3d6029b0, 0x7ac05360, 0xf580a6c0, 0x30704bc1, 0x60e09782, 0xc1c12f04, 0x58f35849, 0xb1e6b092),
    BYTE(0xcb5cd3a5, 0x4dc8a10b, 0x9b914216, 0xec53826d, 0x03d6029b, 0x07ac0536, 0x0f580a6c, 0x1eb014d8),
    BYTE(0xa6770bb4, 0x979f1129, 0xf44f2413, 0x33ef4e67, 0x67de9cce, 0xcfbd399c, 0x440b7579, 0x8816eaf2),
    BYTE(0xccaa009e, 0x4225077d, 0x844a0efa, 0xd3e51bb5, 0x7cbb312b, 0xf9766256, 0x299dc2ed, 0x533b85da)};

/* What four bytes, as a little-endian number, do to the remainder as far behind them as the table is on. */
static inline uint32_t crc_of_four(const uint32_t table[4][256], uint32_t v)
{
    return table[3][v & 255] ^ table[2][v >> 8 & 255] ^ table[1][v >> 16 & 255] ^ table[0][v >> 24];
}

static uint32_t crc32(const uint8_t *bytes, size_t n)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (; n >= 8; n -= 8, bytes += 8)
        crc = crc_of_four(crc_table + 4, crc ^ decode_u32(bytes)) ^ crc_of_four(crc_table, decode_u32(bytes + 4));
    for (; n >= 4; n -= 4, bytes += 4) crc = crc_of_four(crc_table, crc ^ decode_u32(bytes));
    while (n--) crc = crc >> 8 ^ crc_table[0][(crc ^ *bytes++) & 255];
    return ~crc;
}

/* Returns the length of what COBS holds, or 0 if it is not COBS. `in` is n >= 1 bytes without a 0, too few for a run that no 0
 * follows; `out` has room for n - 1. */
static size_t cobs_decode(const uint8_t *in, size_t n, uint8_t *out)
{
    size_t at = in[0];
    memcpy(out, in + 1, n - 1);
    for (; at < n; at += in[at]) out[at - 1] = 0;
    return at == n ? n - 1 : 0;
}

static void get_text(char ret[PLATE_NAME_SIZE], const uint8_t *at)
{
    size_t n = 0;
    for (; n < PLATE_NAME_SIZE - 1 && at[n]; n++) ret[n] = at[n] >= 0x20 && at[n] < 0x7f ? (char)at[n] : '?';
    ret[n] = 0;
}

static enum decode_fate take_hello(struct native *s, const uint8_t *body, size_t n, const struct plate_decode_sink *sink)
{
    struct plate_hello hello = {.version = n > 1 ? body[1] : 0};
    s->foreign = hello.version != PLATE_WIRE_VERSION;
    if (!s->foreign) {
        if (n != PLATE_WIRE_HELLO_SIZE) return DECODE_BAD_LENGTH;
        if (body[2] < 1 || body[2] > PLATE_WIRE_MAX_CELLS || body[3] != 0) return DECODE_BAD_SANITY;
        hello.cells = body[2];
        hello.rate_Hz = decode_u32(body + 4) / 1e3;
        hello.count_scale_N = decode_u32(body + 8) / 1e9;
        get_text(hello.name, body + 12);
        get_text(hello.serial, body + 44);
        s->fresh = true;
    }
    if (sink->hello) sink->hello(sink->user, &hello);
    return DECODE_TAKEN;
}

/* Unwraps the stamp of the sample numbered s->next_seq. The sequence says how many times 32 bits have gone round since the
 * last stamp. False, and the clock goes on from where it should be, if the stamp went back while the sequence went on. */
static bool unwrap_ticks(struct native *s, uint32_t us)
{
    double period = s->seq > s->base_seq ? (double)(s->ticks - s->base_ticks) / (double)(s->seq - s->base_seq) : 0;
    double due = (double)(s->next_seq - s->seq) * period, step = us - s->us, total = step;
    if (due > SILENCE_TICKS) due = SILENCE_TICKS;
    if (fabs(due - step) >= 0x1p31) total += 0x1p32 * floor((due - step) / 0x1p32 + 0.5);
    s->ticks += (uint64_t)(total >= 0 ? total : due);
    return total >= 0;
}

/* Gives the packet that starts at `seq` its place on the device's axis: s->next_seq. False: late, or sent twice. */
static bool place(struct native *s, uint32_t seq, uint32_t us, struct plate_frame *ret_first)
{
    uint32_t ahead = seq - (uint32_t)s->next_seq, behind = 0u - ahead;
    if (s->numbered && !s->fresh && behind > 0 && behind <= LATE_SAMPLES) return false;
    ret_first->restarted = s->numbered && ahead > (s->fresh ? AHEAD_SAMPLES_HELLO : AHEAD_SAMPLES);
    ret_first->has_ticks = true;
    if (!s->numbered || ret_first->restarted) {
        s->next_seq = s->base_seq = seq;
        s->ticks = s->base_ticks = us;
    } else {
        s->next_seq += ahead;
        ret_first->has_ticks = unwrap_ticks(s, us);
    }
    s->numbered = true;
    s->fresh = false;
    s->seq = s->next_seq;
    s->us = us;
    return true;
}

static enum decode_fate take_data(struct plate_decoder *d, const uint8_t *body, size_t n, const struct plate_decode_sink *sink)
{
    struct native *s = state(d);
    if (n < PLATE_WIRE_DATA_HEAD) return DECODE_BAD_LENGTH;
    unsigned cells = body[1], samples = body[2], edge = body[3], edge_at = edge & PLATE_WIRE_EDGE_SAMPLE;
    if (s->foreign || cells != d->cfg.cells || samples < 1) return DECODE_BAD_SANITY;
    if (edge > (PLATE_WIRE_EDGE_RISING | PLATE_WIRE_EDGE_SAMPLE) || edge_at > samples || (edge > 0 && edge_at == 0))
        return DECODE_BAD_SANITY;
    if (n != PLATE_WIRE_DATA_HEAD + 4 * (size_t)cells * samples) return DECODE_BAD_LENGTH;
    struct plate_frame f = {.cells = cells, .has_seq = true};
    if (!place(s, decode_u32(body + 4), decode_u32(body + 8), &f)) return DECODE_BAD_SANITY;
    f.ticks = f.has_ticks ? s->ticks : 0;
    const uint8_t *at = body + PLATE_WIRE_DATA_HEAD;
    for (unsigned k = 0; k < samples; k++) {
        for (unsigned i = 0; i < cells; i++, at += 4) f.counts[i] = (int32_t)decode_u32(at);
        f.seq = s->next_seq++;
        if (edge_at == k + 1) decode_edge(d, &(struct plate_edge){.rising = edge & PLATE_WIRE_EDGE_RISING}, sink);
        decode_emit(d, &f, sink);
        f.has_ticks = f.restarted = false; /* only the first sample was stamped; the timebase draws the line between */
        f.ticks = 0;
    }
    return DECODE_TAKEN;
}

static enum decode_fate take_packet(struct plate_decoder *d, const uint8_t *packet, size_t n, bool whole,
                                    const struct plate_decode_sink *sink)
{
    (void)whole; /* the checksum tells */
    uint8_t body[ENCODED_MAX];
    if (n == 0) return DECODE_NOISE;
    size_t length = cobs_decode(packet, n, body);
    if (length < 5) return DECODE_BAD_LENGTH;
    length -= 4;
    if (crc32(body, length) != decode_u32(body + length)) return DECODE_BAD_CHECKSUM;
    if (body[0] == PLATE_WIRE_HELLO) return take_hello(state(d), body, length, sink);
    if (body[0] == PLATE_WIRE_DATA) return take_data(d, body, length, sink);
    return DECODE_BAD_SANITY;
}

static void push(struct plate_decoder *d, const uint8_t *bytes, size_t n, const struct plate_decode_sink *sink)
{
    static const struct cut_rule packets = {.end = 0, .most = ENCODED_MAX, .take = take_packet};
    cut_push(d, &state(d)->cut, state(d)->packet, &packets, bytes, n, sink);
}

static int init(struct plate_decoder *d, const struct plate_decoder_config *cfg)
{
    (void)cfg;
    d->tick_s = 1e-6;
    return 0;
}

/* The numbers stay: a device that kept its power while the cable was out goes on counting, and what was lost is exact. */
static void reset(struct plate_decoder *d)
{
    struct native *s = state(d);
    cut_reset(d, &s->cut);
    s->foreign = false;
    s->fresh = true;
}

static const struct plate_decode_step dialogue[] = {
    {.within_ms = 10000,
     .tries = 1,
     .trouble = "no sample for 10 s; see that baud is the device's and that it sends native packets"},
    {0}};

const struct plate_protocol plate_protocol_native = {
    .name = "native",
    .what = "plated's own packets (plate/wire.h): COBS, CRC-32, sequence and microseconds",
    .init = init,
    .push = push,
    .reset = reset,
    .dialogue = dialogue,
};
