/* The decoder of native packets: what it accepts, what it throws away, and that the splits of the bytes do not matter. */
#include "decode_run.h"

#include "plate/wire.h"

static void start_native(unsigned cells) { run_start(&(struct plate_decoder_config){.protocol = "native", .cells = cells}); }

static size_t put_data(uint8_t *at, uint32_t seq, uint32_t us, unsigned samples, unsigned cells)
{
    int32_t counts[PLATE_WIRE_BODY_MAX];
    uint8_t packet[PLATE_WIRE_PACKET_MAX];
    for (unsigned i = 0; i < samples * cells; i++) counts[i] = count_of(seq + i / cells, i % cells);
    size_t n = plate_wire_data(packet, seq, us, counts, (uint8_t)samples, (uint8_t)cells);
    assert_true(n > 0);
    memcpy(at, packet, n);
    return n;
}

static size_t put_hello(uint8_t *at, unsigned cells)
{
    uint8_t packet[PLATE_WIRE_PACKET_MAX];
    size_t n = plate_wire_hello(packet, (uint8_t)cells, 1000000, 250000, "plate", "A1");
    memcpy(at, packet, n);
    return n;
}

static void push_data(uint32_t seq, uint32_t us, unsigned samples)
{
    uint8_t packet[PLATE_WIRE_PACKET_MAX];
    run_push(&run, packet, put_data(packet, seq, us, samples, run.d.cfg.cells));
}

static void push_hello(void)
{
    uint8_t packet[PLATE_WIRE_PACKET_MAX];
    run_push(&run, packet, put_hello(packet, run.d.cfg.cells));
}

/* A stream as a device sends it, ends of packets noted. Returns its length. */
static size_t native_stream(uint8_t *bytes, unsigned packets, unsigned cells, uint32_t seq, uint32_t us, size_t *ret_end)
{
    size_t n = put_hello(bytes, cells);
    unsigned most = PLATE_WIRE_MAX_SAMPLES(cells);
    for (unsigned i = 0; i < packets; i++) {
        unsigned samples = 1 + (unsigned)random_below(most < 12 ? most : 12);
        n += put_data(bytes + n, seq, us, samples, cells);
        seq += samples;
        us += 1000 * samples;
        if (ret_end) ret_end[i] = n;
    }
    return n;
}

/* Every frame is one that was sent: its counts belong to its number. */
static void assert_nothing_invented(uint32_t first, uint32_t samples)
{
    for (size_t i = 0; i < run.frames; i++) {
        const struct plate_frame *f = &run.frame[i];
        uint32_t seq = (uint32_t)f->seq;
        assert_true(f->has_seq && seq - first < samples);
        for (unsigned c = 0; c < f->cells; c++) assert_int_equal(f->counts[c], count_of(seq, c));
        if (i > 0 && !f->restarted) assert_true(f->seq > run.frame[i - 1].seq);
    }
}

static void native_says_what_was_sent(void **s)
{
    (void)s;
    for (unsigned cells = 1; cells <= 8; cells++) {
        unsigned samples = PLATE_WIRE_MAX_SAMPLES(cells);
        start_native(cells);
        push_hello();
        push_data(7, 5000, samples);
        push_data(7 + samples, 5000 + 1000 * samples, 1);
        assert_int_equal(run.hellos, 1);
        assert_string_equal(run.hello[0].name, "plate");
        assert_string_equal(run.hello[0].serial, "A1");
        assert_int_equal(run.hello[0].cells, cells);
        assert_true(run.hello[0].rate_Hz == 1000 && run.hello[0].count_scale_N == 0.00025);
        assert_int_equal(run.frames, samples + 1);
        assert_nothing_invented(7, samples + 1);
        for (unsigned i = 0; i <= samples; i++) {
            assert_int_equal(run.frame[i].cells, cells);
            assert_int_equal(run.frame[i].seq, 7 + i);
            assert_int_equal(run.frame[i].has_ticks, i == 0 || i == samples); /* a packet has the stamp of its first sample */
        }
        assert_int_equal(run.frame[0].ticks, 5000);
        assert_int_equal(run.frame[samples].ticks, 5000 + 1000 * samples);
        assert_true(run.d.tick_s == 1e-6);
        assert_int_equal(run.d.stats.discarded_bytes, 0);
        run_account(&run);
    }
}

static void native_counters_unwrap(void **s)
{
    (void)s;
    start_native(2);
    uint32_t seq = UINT32_MAX - 25, us = UINT32_MAX - 12000;
    for (unsigned i = 0; i < 20; i++) push_data(seq + 5 * i, us + 5000 * i, 5);
    assert_int_equal(run.frames, 100);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(run.frame[i].seq, (uint64_t)seq + i);
        assert_false(run.frame[i].restarted);
        if (i % 5 == 0) assert_int_equal(run.frame[i].ticks, (uint64_t)us + 1000 * i);
    }
}

/* Three hours of silence are more than twice round the 32-bit stamp: the sequence says how often. */
static void native_stamp_after_a_long_silence(void **s)
{
    (void)s;
    start_native(1);
    for (uint32_t i = 0; i < 50; i++) push_data(10 * i, 10000 * i, 10);
    uint64_t later = 3 * 3600 * 1000;
    push_data((uint32_t)later, (uint32_t)(later * 1000), 10);
    assert_int_equal(run.frame[500].seq, later);
    assert_int_equal(run.frame[500].ticks, later * 1000);
    assert_false(run.frame[500].restarted);
}

static void native_stamp_that_goes_back_is_not_told(void **s)
{
    (void)s;
    start_native(1);
    for (uint32_t i = 0; i < 10; i++) push_data(10 * i, 500000 + 10000 * i, 10);
    push_data(100, 20000, 10);
    assert_false(run.frame[100].has_ticks || run.frame[100].restarted);
    push_data(110, 30000, 10); /* and the clock goes on from there */
    assert_true(run.frame[110].has_ticks);
    assert_int_equal(run.frame[110].ticks, 500000 + 110 * 1000);
}

static void native_restart(void **s)
{
    (void)s;
    start_native(1);
    push_data(5000, 5000000, 10);
    push_data(0, 20, 10); /* far back: no hello needed */
    assert_true(run.frame[10].restarted && run.frame[10].seq == 0 && run.frame[10].ticks == 20);
    for (size_t i = 11; i < 20; i++) assert_false(run.frame[i].restarted);
    push_data(10, 10020, 10);
    push_hello();
    push_data(0, 30, 10); /* just back, but it has said hello */
    assert_int_equal(run.frames, 40);
    assert_true(run.frame[30].restarted && run.frame[30].ticks == 30);
    push_data(1u << 30, 4000000000u, 10); /* far ahead is a restart too: nobody lost so many */
    assert_true(run.frame[40].restarted);
    push_hello();
    push_data((1u << 30) + 1000, 4001000000u, 1); /* a loss, whatever was said in between */
    assert_false(run.frame[50].restarted);
    assert_int_equal(run.frame[50].seq, (1u << 30) + 1000);
}

static void native_late_packets_are_thrown_away(void **s)
{
    (void)s;
    start_native(1);
    push_data(1000, 1000000, 10);
    push_data(1010, 1010000, 10);
    push_data(1000, 1000000, 10);
    push_data(1010, 1010000, 10);
    assert_int_equal(run.frames, 20);
    assert_int_equal(run.d.stats.bad_sanity, 2);
    push_data(1020, 1020000, 10);
    assert_int_equal(run.frames, 30);
    assert_false(run.frame[20].restarted);
}

static void native_goes_on_after_a_reset(void **s)
{
    (void)s;
    uint8_t packet[PLATE_WIRE_PACKET_MAX];
    start_native(1);
    push_data(0, 0, 10);
    size_t n = put_data(packet, 10, 10000, 10, 1);
    run_push(&run, packet, n / 2);
    plate_decoder_reset(&run.d);
    assert_int_equal(run.d.stats.discarded_bytes, n / 2);
    run_push(&run, packet + n / 2, n - n / 2); /* the rest of a packet whose start is forgotten: no error of the line */
    assert_int_equal(run.frames, 10);
    assert_int_equal(run.d.stats.bad_checksum + run.d.stats.bad_length + run.d.stats.bad_sanity, 0);
    push_data(500, 500000, 10); /* it kept its power: the loss is exact */
    assert_false(run.frame[10].restarted);
    assert_int_equal(run.frame[10].seq, 500);
    plate_decoder_reset(&run.d);
    push_data(490, 7, 10); /* it did not */
    assert_true(run.frame[20].restarted);
    run_account(&run);
}

static size_t finish(uint8_t *packet, const uint8_t *body, size_t n)
{
    memcpy(packet + 1, body, n);
    return plate_wire_finish(packet, (uint16_t)n);
}

static void native_throws_away_what_makes_no_sense(void **s)
{
    (void)s;
    uint8_t packet[PLATE_WIRE_PACKET_MAX], body[PLATE_WIRE_BODY_MAX] = {PLATE_WIRE_DATA, 2, 1, 0};
    const struct plate_decode_stats *st = &run.d.stats;
    start_native(2);
    run_push(&run, "\0\0", 2);
    assert_int_equal(st->bad_length, 0); /* empty packets are the line's idling */
    run_push(&run, "\x05\x01\0", 3);
    assert_int_equal(st->bad_length, 1); /* not COBS */
    run_push(&run, packet, finish(packet, body, 19));
    assert_int_equal(st->bad_length, 2); /* a count is cut short */
    body[1] = 3;
    run_push(&run, packet, finish(packet, body, 24));
    assert_int_equal(st->bad_sanity, 1); /* three cells where two are configured */
    body[1] = 2, body[2] = 0;
    run_push(&run, packet, finish(packet, body, 12));
    assert_int_equal(st->bad_sanity, 2); /* no samples */
    body[0] = 9;
    run_push(&run, packet, finish(packet, body, 20));
    assert_int_equal(st->bad_sanity, 3); /* unknown type */
    size_t n = put_data(packet, 1, 1, 1, 2);
    packet[n - 3] ^= 1;
    packet[n - 3] |= packet[n - 3] == 0 ? 2 : 0;
    run_push(&run, packet, n);
    assert_int_equal(st->bad_checksum, 1);
    uint8_t endless[3000];
    memset(endless, 0x55, sizeof endless);
    run_push(&run, endless, sizeof endless);
    run_push(&run, "\0", 1);
    assert_int_equal(st->bad_length, 3);
    assert_int_equal(run.frames, 0);
    push_data(1, 1, 1);
    assert_int_equal(run.frames, 1);
    run_account(&run);
}

static void native_hello_is_not_trusted(void **s)
{
    (void)s;
    uint8_t packet[PLATE_WIRE_PACKET_MAX], body[PLATE_WIRE_HELLO_SIZE] = {PLATE_WIRE_HELLO, 1, 1, 0};
    start_native(1);
    memset(body + 12, 'n', 32); /* no NUL at the end */
    memcpy(body + 44, "a\"\n\xff", 4);
    run_push(&run, packet, finish(packet, body, sizeof body));
    assert_int_equal(strlen(run.hello[0].name), 32);
    assert_string_equal(run.hello[0].serial, "a\"??");
    body[1] = 2; /* another version: it is told, and its data is not believed */
    run_push(&run, packet, finish(packet, body, 20));
    assert_int_equal(run.hellos, 2);
    assert_int_equal(run.hello[1].version, 2);
    assert_int_equal(run.hello[1].cells, 0);
    push_data(0, 0, 1);
    assert_int_equal(run.frames, 0);
    assert_int_equal(run.d.stats.bad_sanity, 1);
    push_hello();
    push_data(0, 0, 1);
    assert_int_equal(run.frames, 1);
    body[1] = 1, body[2] = 9;
    run_push(&run, packet, finish(packet, body, sizeof body));
    assert_int_equal(run.hellos, 3);
    assert_int_equal(run.d.stats.bad_sanity, 2);
}

static void native_no_sample_is_invented(void **s)
{
    (void)s;
    static uint8_t bytes[4096];
    for (int round = 0; round < 10000; round++) {
        unsigned cells = 1 + (unsigned)random_below(8);
        uint32_t seq = (uint32_t)random_u64();
        start_native(cells);
        size_t n = native_stream(bytes, 5, cells, seq, (uint32_t)random_u64(), NULL);
        n = random_damage(bytes, n, sizeof bytes);
        run_push(&run, bytes, n);
        assert_nothing_invented(seq, 60);
        run_account(&run);
    }
}

/* Whatever byte is damaged, the packets from the second after it on are all there. */
static void native_finds_its_rhythm_again(void **s)
{
    (void)s;
    static uint8_t clean[4096], bytes[4096];
    size_t end[6];
    size_t n = native_stream(clean, 6, 4, 100, 0, end);
    for (size_t at = 0; at < end[3]; at++) {
        memcpy(bytes, clean, n);
        uint8_t with = (uint8_t)random_u64();
        bytes[at] = random_below(2) || with == clean[at] ? (uint8_t)(clean[at] ^ 0xff) : with;
        start_native(4);
        run_push(&run, bytes, n);
        assert_nothing_invented(100, 72);
        unsigned hit = 0, want = 0;
        while (end[hit] <= at) hit++;
        struct run *whole = calloc(1, sizeof *whole);
        assert_non_null(whole);
        assert_int_equal(plate_decoder_init(&whole->d, &run.d.cfg), 0);
        run_push(whole, clean + end[hit + 1], n - end[hit + 1]);
        want = (unsigned)whole->frames;
        assert_true(run.frames >= want);
        for (unsigned i = 0; i < want; i++) assert_int_equal(run.frame[run.frames - want + i].seq, whole->frame[i].seq);
        free(whole);
    }
}

static void native_chunks_do_not_matter(void **s)
{
    (void)s;
    static uint8_t bytes[8192];
    for (int round = 0; round < 300; round++) {
        unsigned cells = 1 + (unsigned)random_below(8);
        start_native(cells);
        size_t n = native_stream(bytes, 20, cells, (uint32_t)random_u64(), (uint32_t)random_u64(), NULL);
        if (round % 4) n = random_damage(bytes, n, sizeof bytes);
        assert_chunk_invariant(&run.d, bytes, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(native_says_what_was_sent),
        cmocka_unit_test(native_counters_unwrap),
        cmocka_unit_test(native_stamp_after_a_long_silence),
        cmocka_unit_test(native_stamp_that_goes_back_is_not_told),
        cmocka_unit_test(native_restart),
        cmocka_unit_test(native_late_packets_are_thrown_away),
        cmocka_unit_test(native_goes_on_after_a_reset),
        cmocka_unit_test(native_throws_away_what_makes_no_sense),
        cmocka_unit_test(native_hello_is_not_trusted),
        cmocka_unit_test(native_no_sample_is_invented),
        cmocka_unit_test(native_finds_its_rhythm_again),
        cmocka_unit_test(native_chunks_do_not_matter),
    };
    random_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
