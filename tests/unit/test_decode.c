/* The decoders: what they accept, what they throw away, and that the splits of the bytes do not matter. */
#include "decode_run.h"

#include "../../daemon/core/decode/protocol.h"
#include "plate/wire.h"

extern const struct plate_protocol plate_protocol_template;
static struct run run; /* too big for a stack; each test starts it afresh */

static void start(const struct plate_decoder_config *cfg)
{
    run.frames = run.hellos = run.edges = 0;
    assert_int_equal(plate_decoder_init(&run.d, cfg), 0);
}

/* ---- native ---- */

static void start_native(unsigned cells) { start(&(struct plate_decoder_config){.protocol = "native", .cells = cells}); }

/* A count that tells its sample and cell, so that a wrong one shows. */
static int32_t count_of(uint32_t seq, unsigned cell) { return (int32_t)((seq + 1) * 2654435761u ^ cell * 40503u); }

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

/* ---- csv ---- */

static const struct plate_csv_options plain = {.separator = ',', .first_column = 1};

static void start_csv(struct plate_csv_options o, unsigned cells)
{
    start(&(struct plate_decoder_config){.protocol = "csv", .cells = cells, .csv = o});
    run_push(&run, "\n", 1); /* from here on lines are whole */
}

static void push_text(const char *text) { run_push(&run, text, strlen(text)); }

/* One line in, one frame with this first count out. */
static void expect_count(const char *line, int32_t count)
{
    size_t before = run.frames;
    push_text(line);
    push_text("\n");
    if (run.frames != before + 1) fail_msg("not taken: %s", line);
    if (run.frame[before].counts[0] != count) fail_msg("%s: %d, not %d", line, run.frame[before].counts[0], count);
}

static void expect_refused(const char *line, const uint64_t *reason)
{
    size_t before = run.frames;
    uint64_t count = *reason;
    push_text(line);
    push_text("\n");
    if (run.frames != before || *reason != count + 1) fail_msg("not refused, or for another reason: %s", line);
}

static void csv_values_are_exact(void **s)
{
    (void)s;
    struct plate_csv_options o = plain;
    start_csv(o, 1);
    expect_count("0", 0);
    expect_count("-0", 0);
    expect_count("+17", 17);
    expect_count("2147483647", INT32_MAX);
    expect_count("-2147483648", INT32_MIN);
    expect_count("2147483647.4999999999999999999999", INT32_MAX);
    expect_count("0000000000000000000000000012", 12);
    expect_count("0.5", 1);
    expect_count("-0.5", -1);
    expect_count("-0.49999999", 0);
    expect_count("5.", 5);
    expect_count(".7", 1);
    expect_count("  42\t", 42);
    expect_count("42\r", 42);
    const uint64_t *sanity = &run.d.stats.bad_sanity;
    static const char *const bad[] = {"2147483648",
                                      "-2147483649",
                                      "2147483647.5",
                                      "99999999999999999999999",
                                      "",
                                      "-",
                                      ".",
                                      "+.",
                                      "1.2.3",
                                      "1e3",
                                      "nan",
                                      "inf",
                                      "0x10",
                                      "1 2",
                                      "--1",
                                      "12a",
                                      "1,5"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (*bad[i] && strcmp(bad[i], "1,5")) expect_refused(bad[i], sanity);
    o.decimals = 6;
    start_csv(o, 1);
    expect_count("2147.483647", INT32_MAX);
    expect_count("-2147.483648", INT32_MIN);
    expect_count("1", 1000000);
    expect_count("0.0000005", 1);
    expect_count("0.00000049", 0);
    expect_refused("2147.4836475", sanity);
    expect_refused("2148", sanity);
    expect_refused("9999999999", sanity);
}

/* Against the same rounding done with 128-bit integers on the digits themselves. */
static void csv_values_at_random(void **s)
{
    (void)s;
    for (int round = 0; round < 20000; round++) {
        struct plate_csv_options o = plain;
        o.separator = ';';
        o.decimals = (unsigned)random_below(7);
        o.decimal_comma = random_below(2);
        unsigned whole = 1 + (unsigned)random_below(10), fraction = (unsigned)random_below(10);
        char text[40];
        size_t n = 0;
        bool negative = random_below(2);
        __int128 v = 0;
        if (negative) text[n++] = '-';
        for (unsigned i = 0; i < whole + fraction; i++) {
            if (i == whole) text[n++] = o.decimal_comma ? ',' : '.';
            unsigned digit = (unsigned)random_below(10);
            text[n++] = (char)('0' + digit);
            v = v * 10 + digit;
        }
        text[n++] = '\n';
        for (unsigned i = 0; i < o.decimals; i++) v *= 10;
        __int128 unit = 1;
        for (unsigned i = 0; i < fraction; i++) unit *= 10;
        v = (2 * v + unit) / (2 * unit);
        if (negative) v = -v;
        if (round % 50 == 0 || o.decimals != run.d.cfg.csv.decimals || o.decimal_comma != run.d.cfg.csv.decimal_comma)
            start_csv(o, 1);
        run.frames = 0;
        run_push(&run, text, n);
        bool fits = v >= INT32_MIN && v <= INT32_MAX;
        if (run.frames != fits || (fits && run.frame[0].counts[0] != v)) fail_msg("%.*s", (int)n, text);
    }
}

static void csv_columns_and_separators(void **s)
{
    (void)s;
    struct plate_csv_options o = {.separator = ';', .decimal_comma = true, .first_column = 3, .decimals = 2};
    start_csv(o, 2);
    expect_count("label; x ; 12,5 ;-0,015;kg;", 1250);
    assert_int_equal(run.frame[0].counts[1], -2);
    expect_refused("label;x;12,5", &run.d.stats.bad_length);
    o = (struct plate_csv_options){.separator = ' ', .first_column = 2};
    start_csv(o, 2);
    expect_count("  a   1 \t 2  ", 1);
    assert_int_equal(run.frame[0].counts[1], 2);
    push_text("   \n");
    assert_int_equal(run.d.stats.bad_length + run.d.stats.bad_sanity, 0);
    o = (struct plate_csv_options){.separator = '\t', .first_column = 2};
    start_csv(o, 1);
    expect_count("\t7", 7); /* the first column is empty */
    expect_count("x\t 8", 8);
}

/* A line end that is lost makes one line of two: its first numbers would look right. */
static void csv_lines_run_together_are_thrown_away(void **s)
{
    (void)s;
    start_csv(plain, 2);
    push_text("1,2\n3,4\n5,67,8\n9,10\n");
    assert_int_equal(run.frames, 3);
    assert_int_equal(run.frame[2].counts[0], 9);
    assert_int_equal(run.d.stats.bad_length, 1);
    push_text("1,2,0\n3,4\n5,6,0\n3,4\n");
    assert_int_equal(run.frames, 5);
    push_text("1,2,0\n3,4,0\n5,6,0\n"); /* but twice the same is what the device sends from now on */
    assert_int_equal(run.frames, 7);
    assert_int_equal(run.d.stats.bad_length, 4);
    run_account(&run);
}

static void csv_first_line_is_never_believed(void **s)
{
    (void)s;
    start(&(struct plate_decoder_config){.protocol = "csv", .cells = 1, .csv = plain});
    push_text("45\r\n1234\n"); /* the end of 12345, for all we know */
    assert_int_equal(run.frames, 1);
    assert_int_equal(run.frame[0].counts[0], 1234);
    assert_int_equal(run.d.stats.discarded_bytes, 4);
    assert_int_equal(run.d.stats.bad_sanity + run.d.stats.bad_length, 0);
    push_text("99");
    plate_decoder_reset(&run.d);
    push_text("88\n77\n");
    assert_int_equal(run.frames, 2);
    assert_int_equal(run.frame[1].counts[0], 77);
    run_account(&run);
}

static void csv_noise_is_counted(void **s)
{
    (void)s;
    start_csv(plain, 2);
    push_text("# a comment\n\r\n  \ntime,force\nReadings:\n\xff\xfe,1\n1,2\n");
    assert_int_equal(run.frames, 1);
    assert_int_equal(run.d.stats.bad_sanity, 3);
    assert_int_equal(run.d.stats.bad_length, 0);
    assert_int_equal(run.d.stats.taken_bytes, 4);
    char line[600];
    memset(line, '0', sizeof line);
    line[510] = ',', line[512] = '\n';
    run_push(&run, line, 513);
    assert_int_equal(run.frames, 2); /* 512 bytes are a line */
    line[512] = '1', line[513] = '\n';
    run_push(&run, line, 514);
    assert_int_equal(run.frames, 2); /* 513 are not */
    assert_int_equal(run.d.stats.bad_length, 1);
    push_text("3,4\n");
    assert_int_equal(run.frames, 3);
    run_account(&run);
}

static void start_timed(double unit_s, unsigned bits)
{
    start_csv(
        (struct plate_csv_options){
            .separator = ',', .time_column = 1, .time_unit_s = unit_s, .time_bits = bits, .first_column = 2},
        1);
}

static void csv_time_in_ticks(void **s)
{
    (void)s;
    start_timed(1e-6, 0);
    push_text("4000000000,1\n4000000500.9,1\n4000001000,1\n");
    assert_true(run.d.tick_s == 1e-6);
    assert_true(run.frame[0].has_ticks && !run.frame[0].has_seq);
    assert_int_equal(run.frame[0].ticks, 4000000000);
    assert_int_equal(run.frame[1].ticks, 4000000501);
    assert_int_equal(run.frame[2].ticks, 4000001000);
    start_timed(1, 0);
    push_text("12.0125,1\n12.025,2\n12.05,3\n");
    assert_true(run.d.tick_s == 1e-6);
    assert_int_equal(run.frame[0].ticks, 12012500);
    assert_int_equal(run.frame[1].ticks, 12025000);
    assert_int_equal(run.frame[2].ticks, 12050000);
    start_timed(1e-3, 0);
    push_text("1700000000000.25,1\n");
    assert_true(run.d.tick_s == 1e-9);
    assert_int_equal(run.frame[0].ticks, 1700000000000250000);
    expect_refused("-5,1", &run.d.stats.bad_sanity);
    expect_refused("99999999999999999999,1", &run.d.stats.bad_sanity);
    start_csv(plain, 1);
    expect_count("1", 1);
    assert_false(run.frame[0].has_ticks);
    assert_true(run.d.tick_s == 0);
}

static void csv_time_wraps(void **s)
{
    (void)s;
    start_timed(1e-6, 32);
    push_text("4294967000,1\n4294967290,1\n500,1\n1000,1\n");
    assert_int_equal(run.frames, 4);
    assert_int_equal(run.frame[2].ticks, 0x100000000 + 500);
    assert_int_equal(run.frame[3].ticks, 0x100000000 + 1000);
    for (int i = 0; i < 4; i++) assert_false(run.frame[i].restarted);
    start_timed(1e-6, 32);
    expect_refused("4294967296,1", &run.d.stats.bad_sanity); /* more than 32 bits can say */
    start_timed(1e-3, 16);
    for (unsigned t = 0, i = 0; i < 600; i++, t += 997) {
        char line[32];
        snprintf(line, sizeof line, "%u,%u\n", t & 0xffff, i);
        push_text(line);
        assert_int_equal(run.frames, i + 1);
        assert_int_equal(run.frame[i].ticks, (uint64_t)t * 1000000);
    }
}

/* Time that goes back without a wrap: the device has started anew, once a second line says so. */
static void csv_restart(void **s)
{
    (void)s;
    start_timed(1e-3, 0);
    push_text("50000,1\n50010,2\n3,3\n13,4\n23,5\n");
    assert_int_equal(run.frames, 4);
    assert_int_equal(run.d.stats.bad_sanity, 1);
    assert_true(run.frame[2].restarted);
    assert_int_equal(run.frame[2].counts[0], 4);
    assert_int_equal(run.frame[2].ticks, 13000000);
    assert_false(run.frame[3].restarted);
    start_timed(1e-6, 32); /* 50 minutes up, then reset: a wrap would mean 21 minutes of silence */
    push_text("3000000000,1\n1000,2\n2000,3\n");
    assert_int_equal(run.frames, 2);
    assert_true(run.frame[1].restarted);
    assert_int_equal(run.frame[1].ticks, 2000);
    start_timed(1e-3, 12); /* back by a second, or on by three: of a counter so short, back */
    push_text("3000,1\n2000,2\n2010,3\n");
    assert_int_equal(run.frames, 2);
    assert_true(run.frame[1].restarted);
    run_account(&run);
}

/* One damaged digit in the time is thrown away with its line; a real jump is believed from its second line on. */
static void csv_time_jumps(void **s)
{
    (void)s;
    start_timed(1e-3, 0);
    push_text("50000,1\n95000010,2\n50020,3\n5003,4\n50040,5\n");
    assert_int_equal(run.frames, 3);
    assert_int_equal(run.frame[2].ticks, 50040000000);
    assert_int_equal(run.d.stats.bad_sanity, 2);
    for (int i = 0; i < 3; i++) assert_false(run.frame[i].restarted);
    push_text("5004,9\n"); /* and it agrees with the line before alone, not with one of long ago */
    assert_int_equal(run.frames, 3);
    push_text("950040,6\n950050,7\n");
    assert_int_equal(run.frames, 4);
    assert_false(run.frame[3].restarted);
    assert_int_equal(run.frame[3].ticks, 950050000000);
}

static size_t csv_stream(char *text, unsigned lines)
{
    size_t n = (size_t)sprintf(text, "t,a,b\r\n");
    for (unsigned i = 0; i < lines; i++)
        n += (size_t)sprintf(text + n, "%u,%d.%02u,%d%s", 1000 * i, (int)random_below(90000) - 45000,
                             (unsigned)random_below(100), (int)random_below(500), random_below(2) ? "\r\n" : "\n");
    return n;
}

static void csv_chunks_do_not_matter(void **s)
{
    (void)s;
    static uint8_t bytes[8192];
    struct plate_csv_options o = {
        .separator = ',', .time_column = 1, .time_unit_s = 1e-6, .time_bits = 32, .first_column = 2, .decimals = 2};
    for (int round = 0; round < 300; round++) {
        start(&(struct plate_decoder_config){.protocol = "csv", .cells = 2, .csv = o});
        size_t n = csv_stream((char *)bytes, 100);
        if (round % 4) n = random_damage(bytes, n, sizeof bytes);
        assert_chunk_invariant(&run.d, bytes, n);
    }
}

static void init_refuses_nonsense(void **s)
{
    (void)s;
    static const struct plate_csv_options bad[] = {
        {.first_column = 1},
        {.separator = '|', .first_column = 1},
        {.separator = ',', .decimal_comma = true, .first_column = 1},
        {.separator = ','},
        {.separator = ',', .first_column = 5000},
        {.separator = ',', .first_column = 1, .decimals = 7},
        {.separator = ',', .first_column = 2, .time_column = 1},
        {.separator = ',', .first_column = 2, .time_column = 1, .time_unit_s = -1},
        {.separator = ',', .first_column = 2, .time_column = 1, .time_unit_s = 1e-6, .time_bits = 64},
        {.separator = ',', .first_column = 2, .time_column = 3, .time_unit_s = 1e-6},
    };
    struct plate_decoder d, before;
    memset(&d, 0x5c, sizeof d);
    before = d;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(plate_decoder_init(&d, &(struct plate_decoder_config){.protocol = "csv", .cells = 2, .csv = bad[i]}),
                         -EINVAL);
    assert_int_equal(plate_decoder_init(&d, &(struct plate_decoder_config){.protocol = "native", .cells = 0}), -EINVAL);
    assert_int_equal(plate_decoder_init(&d, &(struct plate_decoder_config){.protocol = "native", .cells = 9}), -EINVAL);
    assert_int_equal(plate_decoder_init(&d, &(struct plate_decoder_config){.protocol = "nativ", .cells = 1}), -ENOENT);
    assert_int_equal(plate_decoder_init(&d, &(struct plate_decoder_config){.cells = 1}), -ENOENT);
    assert_memory_equal(&d, &before, sizeof d);
    assert_ptr_equal(plate_protocol_find("csv"), &plate_protocol_csv);
    for (const struct plate_protocol *const *p = plate_protocols; *p; p++)
        assert_ptr_equal(plate_protocol_find((*p)->name), *p);
}

/* ---- the template ---- */

static size_t template_stream(uint8_t *bytes, unsigned packets)
{
    for (unsigned k = 0; k < packets; k++, bytes += 6) {
        int16_t a = (int16_t)(count_of(k, 0) >> 16), b = 0x5a5a; /* the second cell looks like the mark */
        uint8_t packet[6] = {0x5a, (uint8_t)a, (uint8_t)(a >> 8), (uint8_t)b, (uint8_t)(b >> 8)};
        for (int i = 0; i < 5; i++) packet[5] = (uint8_t)(packet[5] + packet[i]);
        memcpy(bytes, packet, 6);
    }
    return 6 * (size_t)packets;
}

static void template_is_a_protocol(void **s)
{
    (void)s;
    static const struct plate_protocol *const table[] = {&plate_protocol_template, NULL};
    uint8_t bytes[1200];
    struct plate_decoder fresh;
    struct plate_decoder_config cfg = {.cells = 2};
    assert_null(plate_protocol_find(table[0]->name));
    assert_int_equal(plate_decoder_init_protocol(&fresh, table[0], &cfg), 0);
    run.d = fresh;
    run.frames = 0;
    size_t n = template_stream(bytes, 100);
    run_push(&run, bytes, n);
    assert_int_equal(run.frames, 100);
    for (unsigned k = 0; k < 100; k++) assert_int_equal(run.frame[k].counts[0], (int16_t)(count_of(k, 0) >> 16));
    run_account(&run);
    for (size_t lost = 0; lost < n - 24; lost++) { /* one byte: the rhythm is back two packets later */
        uint8_t rest[1200];
        memcpy(rest, bytes, lost);
        memcpy(rest + lost, bytes + lost + 1, n - lost - 1);
        run.d = fresh;
        run.frames = 0;
        run_push(&run, rest, n - 1);
        for (size_t k = lost / 6 + 2, tail = 100 - k; k < 100; k++)
            assert_int_equal(run.frame[run.frames - tail + k - lost / 6 - 2].counts[0],
                             (int16_t)(count_of((uint32_t)k, 0) >> 16));
    }
    for (int round = 0; round < 300; round++) {
        n = random_damage(bytes, template_stream(bytes, 100), sizeof bytes);
        assert_chunk_invariant(&fresh, bytes, n);
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
        cmocka_unit_test(csv_values_are_exact),
        cmocka_unit_test(csv_values_at_random),
        cmocka_unit_test(csv_columns_and_separators),
        cmocka_unit_test(csv_lines_run_together_are_thrown_away),
        cmocka_unit_test(csv_first_line_is_never_believed),
        cmocka_unit_test(csv_noise_is_counted),
        cmocka_unit_test(csv_time_in_ticks),
        cmocka_unit_test(csv_time_wraps),
        cmocka_unit_test(csv_restart),
        cmocka_unit_test(csv_time_jumps),
        cmocka_unit_test(csv_chunks_do_not_matter),
        cmocka_unit_test(init_refuses_nonsense),
        cmocka_unit_test(template_is_a_protocol),
    };
    random_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
