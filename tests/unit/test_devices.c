/* The decoders of devices that are not ours: what they accept, the dialogues, and what holds for every protocol: the splits of
 * the bytes do not matter, after damage they are back within two frames, and what is invented is counted. */
#include "decode_run.h"

#include "../../daemon/tools/sim_protocol.h"
#include "plate/wire.h"

static void start(const char *protocol, unsigned cells)
{
    static const struct plate_csv_options csv = {
        .separator = ',', .time_column = 1, .time_unit_s = 1e-6, .time_bits = 32, .first_column = 2};
    run_start(&(struct plate_decoder_config){.protocol = protocol, .cells = cells, .csv = csv});
}

static void start_lines(const char *protocol)
{
    start(protocol, 1);
    push_text("\n"); /* from here on lines are whole */
}

static void expect(const char *line, double force_N)
{
    size_t before = run.frames;
    push_text(line);
    push_text("\r\n");
    if (run.frames != before + 1) fail_msg("not taken: %s", line);
    double got = run.frame[before].counts[0] * run.d.count_scale_N;
    if (got - force_N > 0.5001 * run.d.count_scale_N || force_N - got > 0.5001 * run.d.count_scale_N)
        fail_msg("%s: %.6f N, not %.6f", line, got, force_N);
}

static void expect_refused(const char *line, const uint64_t *reason) { run_refuses(line, "\r\n", reason); }

/* ---- openscale ---- */

static void openscale_lines(void **s)
{
    (void)s;
    start_lines("openscale");
    const struct plate_decode_stats *n = &run.d.stats;
    expect("10.1,lbs,", 10.1 * 4.4482216152605);
    expect("-0.0023,lbs,", -0.0023 * 4.4482216152605);
    assert_false(run.frame[0].has_ticks);
    expect("1.5,kg,", 1.5 * 9.80665);         /* the unit can be changed in its menu, in the middle */
    expect_refused("1.5,kg", &n->bad_length); /* cut short */
    expect_refused("1.5", &n->bad_length);
    expect_refused("1.5,stone,", &n->bad_sanity);
    expect_refused("1.5x,kg,", &n->bad_sanity);
    expect_refused("9999999,kg,", &n->bad_sanity);
    expect_refused("1.5,kg,8388.5,x,", &n->bad_sanity);
    expect_refused("1.5,kg,1,2,3,4,5,", &n->bad_length);
    uint64_t bad = n->bad_length + n->bad_sanity;
    push_text("Serial Load Cell Converter version 1.2\r\nBy SparkFun Electronics\r\n\r\nReadings:\r\n");
    assert_int_equal(n->bad_length + n->bad_sanity, bad);       /* a banner is no fault */
    expect_refused("7,1.5,kg,8388608,23.5,0,", &n->bad_length); /* another shape: believed the second time */
    expect("107,1.5,kg,8388608,23.5,0,", 1.5 * 9.80665);
    assert_true(run.frame[3].has_ticks && run.frame[3].ticks == 107);
    run_account(&run);
}

static void openscale_time(void **s)
{
    (void)s;
    start_lines("openscale");
    push_text("4294967200,1,kg,\r\n4,2,kg,\r\n104,3,kg,\r\n");
    assert_int_equal(run.frames, 3);
    assert_int_equal(run.frame[1].ticks, 4294967300);
    assert_false(run.frame[1].restarted);
    push_text("Readings:\r\n20,4,kg,\r\n120,5,kg,\r\n"); /* it said so: no line is lost over it */
    assert_int_equal(run.frames, 5);
    assert_true(run.frame[3].restarted && run.frame[3].ticks == 20);
    assert_false(run.frame[4].restarted);
}

/* ---- chronojump ---- */

static void chronojump_lines(void **s)
{
    (void)s;
    start_lines("chronojump");
    const struct plate_decode_stats *n = &run.d.stats;
    push_text("Force_Sensor-0.6\r\nStarting capture...\r\n");
    assert_int_equal(n->bad_length + n->bad_sanity, 0);
    expect("11432;12.34", 12.34);
    expect("22864;-12,34", -12.34); /* a decimal comma, as before 2.0.3 */
    assert_true(run.frame[1].has_ticks && run.frame[1].ticks == 22864);
    expect_refused("34296;", &n->bad_sanity);
    expect_refused("34296", &n->bad_length);
    expect_refused("34296;1;2", &n->bad_length);
    expect_refused("34296;nan", &n->bad_sanity);
    expect_refused("99999999999;1", &n->bad_sanity);
    expect("34296;1", 1);
}

static void chronojump_time(void **s)
{
    (void)s;
    start_lines("chronojump");
    push_text("4294960000;1\r\n4294967290;2\r\n11000;3\r\n");
    assert_int_equal(run.frame[2].ticks, 4294967296 + 11000);
    push_text("Starting capture...\r\n500;4\r\n");
    assert_true(run.frames == 4 && run.frame[3].restarted && run.frame[3].ticks == 500);
    push_text("11500;5\r\n4000000000;6\r\n33000;7\r\n944000;8\r\n55000;9\r\n"); /* damaged digits are not believed, ... */
    assert_int_equal(run.frames, 7);
    assert_int_equal(run.d.stats.bad_sanity, 2);
    assert_int_equal(run.frame[6].ticks, 55000);
    push_text("566000;10\r\n577000;11\r\n"); /* ... a hole is when the second line agrees */
    assert_true(run.frames == 8 && run.frame[7].ticks == 577000 && !run.frame[7].restarted);
}

static void chronojump_edges(void **s)
{
    (void)s;
    start_lines("chronojump");
    push_text("5;R\r\n"); /* before any sample: its clock is not known */
    push_text("11000;1\r\n15000;R\r\n21000;r\r\n22000;2\r\n20000;R\r\n900000000;r\r\n33000;3\r\n");
    assert_int_equal(run.frames, 3);
    assert_int_equal(run.d.stats.edges, 5);
    assert_int_equal(run.edges, 5);
    assert_true(!run.edge[0].has_ticks && run.edge[0].rising && run.edge_at[0] == 0);
    assert_true(run.edge[1].rising && run.edge[1].ticks == 15000 && run.edge_at[1] == 1);
    assert_true(!run.edge[2].rising && run.edge[2].ticks == 21000 && run.edge_at[2] == 1);
    assert_true(run.edge[3].has_ticks && run.edge[3].ticks == 20000); /* printed late */
    assert_false(run.edge[4].has_ticks);                              /* a stamp that cannot be */
    run_account(&run);
}

/* ---- chronojump-platform ---- */

static size_t put_platform(uint8_t *at, uint32_t us, const int16_t cell[4])
{
    memset(at, 0xff, 4);
    memcpy(at + 4, &us, 4); /* tests run on little-endian machines */
    memcpy(at + 8, cell, 8);
    return 16;
}

static void platform_says_what_was_sent(void **s)
{
    (void)s;
    uint8_t bytes[4096];
    size_t n = 0;
    start("chronojump-platform", 4);
    push_text("Force_Platform-0.1\r\nStarting capture...\r\n");
    for (uint32_t k = 0; k < 100; k++)
        n += put_platform(bytes + n, 4000 * (k + 1), (int16_t[]){(int16_t)k, -7, 300, (int16_t)-k});
    run_push(&run, bytes, n);
    assert_int_equal(run.frames, 99); /* the last one waits for the start of the next */
    for (uint32_t k = 0; k < 99; k++) {
        const struct plate_frame *f = &run.frame[k];
        assert_true(f->ticks == 4000 * (k + 1) && f->counts[0] == (int)k && f->counts[1] == -7 && f->counts[2] == 300);
    }
    assert_int_equal(run.d.stats.bad_length + run.d.stats.bad_sanity, 0);
    assert_int_equal(plate_decoder_init(&run.d, &(struct plate_decoder_config){.protocol = "chronojump-platform", .cells = 3}),
                     -EINVAL);
}

/* Cells at -1 look like the start of a packet, at every packet, wherever the first byte was heard. */
static void platform_is_not_fooled_by_its_data(void **s)
{
    (void)s;
    static const int16_t cells[][4] = {{-1, -1, -1, -1}, {-1, -1, 0, 0}, {5, -1, -1, 0}, {0, 0, -1, -1}, {-1, 255, -256, -1}};
    uint8_t bytes[2048];
    for (size_t c = 0; c < sizeof cells / sizeof *cells; c++)
        for (unsigned from = 0; from < 16; from++) {
            size_t n = 0;
            for (uint32_t k = 0; k < 40; k++) n += put_platform(bytes + n, 1000000 + 4000 * k, cells[c]);
            start("chronojump-platform", 4);
            run_push(&run, bytes + from, n - from);
            assert_true(run.frames >= 38);
            for (size_t i = 0; i < run.frames; i++) {
                assert_int_equal((run.frame[i].ticks - 1000000) % 4000, 0);
                for (unsigned k = 0; k < 4; k++) assert_int_equal(run.frame[i].counts[k], cells[c][k]);
            }
        }
}

/* ---- sics ---- */

static void sics_lines(void **s)
{
    (void)s;
    start_lines("sics");
    const struct plate_decode_stats *n = &run.d.stats;
    expect("S S     100.00 g", 0.980665);
    expect("S D    -100.00 g", -0.980665);
    expect("S S      12,345 kg", 12.345 * 9.80665);
    expect("S S       2.5 lb", 2.5 * 4.4482216152605);
    expect("S S       2.5 N", 2.5);
    expect_refused("S I", &n->no_value);
    expect_refused("S +", &n->no_value);
    expect_refused("S -", &n->no_value);
    expect_refused("ES", &n->no_value);
    expect_refused("S S 1.0 ct", &n->bad_sanity);
    expect_refused("S S 1.0", &n->bad_length);
    expect_refused("S S 1.0 g g", &n->bad_length);
    expect_refused("S X 1.0 g", &n->bad_sanity);
    expect_refused("S + 1.0 g", &n->bad_length);
    uint64_t bad = n->bad_length + n->bad_sanity;
    push_text("I4 A \"0123456789\"\r\nZ A\r\n");
    assert_int_equal(n->bad_length + n->bad_sanity, bad);
    run_account(&run);
}

/* ---- the first line ---- */

static void the_first_line_is_never_believed(void **s)
{
    (void)s;
    static const char *const torn[][2] = {
        {"openscale", "0.1,kg,\r\n"}, {"chronojump", "45;1.00\r\n"}, {"sics", "S S 1.0 g\r\n"}};
    for (size_t i = 0; i < sizeof torn / sizeof *torn; i++) {
        start(torn[i][0], 1);
        push_text(torn[i][1]);
        assert_int_equal(run.frames, 0);
        push_text(torn[i][1]);
        assert_int_equal(run.frames, 1);
        plate_decoder_reset(&run.d);
        push_text(torn[i][1]);
        assert_int_equal(run.frames, 1);
        assert_int_equal(run.d.stats.bad_length + run.d.stats.bad_sanity, 0);
    }
}

/* ---- dialogues ---- */

/* Asks as an engine does, each time when it is due, until `ms`; what was said is strung together. */
static const char *talk_until(int64_t *now_ms, int64_t ms)
{
    static char said[512];
    *said = 0;
    for (;;) {
        int64_t due_ns;
        const char *say = plate_decoder_say(&run.d, *now_ms * 1000000, &due_ns);
        if (say) strcat(said, say);
        if (due_ns > ms * 1000000) break;
        *now_ms = due_ns / 1000000;
    }
    *now_ms = ms;
    return said;
}

static void chronojump_is_asked_and_started(void **s)
{
    (void)s;
    int64_t ms = 0;
    start("chronojump", 1);
    assert_string_equal(talk_until(&ms, 2999), ""); /* it starts anew when its port is opened */
    assert_string_equal(talk_until(&ms, 3000), "get_version:");
    push_text("\xff\x80 Force_Sen");
    push_text("sor-0.6\r");
    assert_int_equal(run.hellos, 1);
    assert_string_equal(run.hello[0].name, "Force_Sensor-0.6");
    assert_string_equal(talk_until(&ms, 3010), "start_capture:");
    push_text("\nStarting capture...\r\n");
    assert_string_equal(talk_until(&ms, 4000), "");
    push_text("0;1.00\r\n11432;1.00\r\n");
    assert_string_equal(talk_until(&ms, 100000), "");
    assert_null(plate_decoder_trouble(&run.d));
}

static void silence_is_told(void **s)
{
    (void)s;
    static const char *const names[] = {"openscale", "chronojump", "chronojump-platform", "sics", "auto"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int64_t ms = 0;
        start(names[i], i == 2 ? 4 : 1);
        talk_until(&ms, 30000);
        assert_non_null(plate_decoder_trouble(&run.d));
    }
    int64_t ms = 0;
    start("chronojump", 1);
    assert_string_equal(talk_until(&ms, 11000), "get_version:get_version:get_version:");
    assert_null(plate_decoder_trouble(&run.d));
    talk_until(&ms, 12000);
    assert_non_null(strstr(plate_decoder_trouble(&run.d), "get_version"));
    push_text("Force_Sensor-0.4\r\n"); /* late is better than never */
    assert_string_equal(talk_until(&ms, 12001), "start_capture:");
    assert_null(plate_decoder_trouble(&run.d));
}

/* A board that was not reset, and sends: it is left alone. */
static void who_sends_needs_no_talking_to(void **s)
{
    (void)s;
    int64_t ms = 0;
    start_lines("chronojump");
    push_text("0;1.00\r\n");
    assert_string_equal(talk_until(&ms, 100000), "");
    plate_decoder_reset(&run.d); /* the port was opened again */
    assert_string_equal(talk_until(&ms, 103000), "get_version:");
}

static void sics_is_told_to_repeat(void **s)
{
    (void)s;
    int64_t ms = 0;
    start("sics", 1);
    assert_string_equal(talk_until(&ms, 0), "I4\r\n");
    push_text("I4 A \"B021002593\"\r\n");
    assert_string_equal(run.hello[0].serial, "B021002593");
    assert_string_equal(talk_until(&ms, 10), "SIR\r\n");
    push_text("S D 100.0 g\r\n");
    assert_string_equal(talk_until(&ms, 100000), "");
    start("sics", 1);
    ms = 0;
    assert_string_equal(talk_until(&ms, 2500),
                        "I4\r\nI4\r\nSIR\r\n"); /* one that has no number is asked for weights all the same */
}

/* ---- what holds for every protocol ---- */

struct made { /* what was sent */
    int32_t counts[PLATE_MAX_CELLS];
    size_t end;
};
enum { MADE = 60, STREAM_MAX = 16384 };

static size_t make_stream(const struct sim_protocol *p, unsigned cells, uint8_t *bytes, struct made *made)
{
    size_t n = 0;
    for (const char *c = p->banner; *c; c++) bytes[n++] = (uint8_t)*c;
    if (n == 0) bytes[n++] = (uint8_t)p->idle;
    uint64_t us = random_below(2) ? random_below(1000000) : 4294967296 - random_below(400000); /* over the wrap */
    for (unsigned k = 0; k < MADE; k++, us += 11428) {
        int32_t *counts = made[k].counts;
        for (unsigned i = 0; i < cells; i++) counts[i] = random_below(4) ? (int32_t)random_below(100000) - 20000 : -10;
        if (p->sample) {
            n += p->sample(bytes + n, &(struct sim_sample){us, counts, cells, 0.01, random_below(20) ? 0 : 1});
        } else {
            uint8_t packet[PLATE_WIRE_PACKET_MAX];
            size_t size = plate_wire_data(packet, k, (uint32_t)us, counts, 1, (uint8_t)cells);
            memcpy(bytes + n, packet, size);
            n += size;
        }
        made[k].end = n;
    }
    assert_true(n < STREAM_MAX / 2);
    return n;
}

static void each_protocol_is_chunk_invariant(void **s)
{
    (void)s;
    static uint8_t bytes[STREAM_MAX];
    static struct made made[MADE];
    for (const struct sim_protocol *p = sim_protocols; p->name; p++)
        for (int round = 0; round < 150; round++) {
            unsigned cells = p->cells ? p->cells : 1 + (unsigned)random_below(4);
            size_t n = make_stream(p, cells, bytes, made);
            if (round % 3) n = random_damage(bytes, n, sizeof bytes);
            start(round % 5 ? p->name : "auto", cells);
            assert_chunk_invariant(&run.d, bytes, n);
        }
}

/* The frames that a clean stream gives, as counts: what later may come out and nothing else. */
static struct run clean;

static bool was_sent(const struct plate_frame *f, size_t *from)
{
    for (size_t k = *from; k < clean.frames; k++)
        if (memcmp(clean.frame[k].counts, f->counts, sizeof f->counts) == 0 &&
            (!f->has_ticks || (uint32_t)clean.frame[k].ticks == (uint32_t)f->ticks)) {
            *from = k + 1;
            return true;
        }
    return false;
}

/* What docs/devices says at most, in per cent of the damages. */
static unsigned invented_pct_most(const struct sim_protocol *p)
{
    static const struct {
        const char *name;
        unsigned pct;
    } most[] = {{"native", 0}, {"csv", 12}, {"openscale", 10}, {"chronojump", 14}, {"sics", 12}, {"chronojump-platform", 36}};
    for (size_t i = 0; i < sizeof most / sizeof *most; i++)
        if (strcmp(most[i].name, p->name) == 0) return most[i].pct;
    fail_msg("no figure for %s", p->name);
    return 0;
}

/* 10,000 damages each. A frame that was never sent is invented: none where there is a checksum; without one the rate is
 * printed, and held to what docs/devices says. */
static void damage_is_survived(void **s)
{
    (void)s;
    static uint8_t whole[STREAM_MAX], bytes[STREAM_MAX];
    static struct made made[MADE];
    enum { ROUNDS = 10000 };
    for (const struct sim_protocol *p = sim_protocols; p->name; p++) {
        unsigned invented = 0, frames_lost = 0, late = 0;
        for (int round = 0; round < ROUNDS; round++) {
            unsigned cells = p->cells ? p->cells : 4;
            size_t n = make_stream(p, cells, whole, made), at = made[10].end + random_below(made[MADE - 15].end - made[10].end);
            start(p->name, cells);
            run_push(&run, whole, n);
            memcpy(clean.frame, run.frame, run.frames * sizeof *run.frame);
            clean.frames = run.frames;
            memcpy(bytes, whole, n);
            size_t length = random_below(20) + 1, end = at + length;
            switch (random_below(4)) {
            case 0:
                bytes[at] ^= (uint8_t)(1u << random_below(8));
                end = at + 1;
                break;
            case 1: /* lost */
                memmove(bytes + at, bytes + end, n - end);
                n -= length;
                break;
            case 2: /* overwritten */
                for (size_t i = at; i < end; i++) bytes[i] = (uint8_t)random_u64();
                break;
            default: /* noise in between */
                memmove(bytes + end, bytes + at, n - at);
                for (size_t i = at; i < end; i++) bytes[i] = (uint8_t)random_u64();
                n += length;
                end = at;
            }
            start(p->name, cells);
            run_push(&run, bytes, n);
            size_t from = 0;
            bool wrong = false;
            for (size_t i = 0; i < run.frames; i++)
                if (!was_sent(&run.frame[i], &from)) wrong = true;
            invented += wrong;
            /* From the second packet after the damage on, all are there. */
            size_t hit = 0;
            while (made[hit].end < end) hit++;
            size_t want = MADE - (hit + 2), tail = 0;
            while (tail < run.frames && tail < clean.frames &&
                   memcmp(run.frame[run.frames - 1 - tail].counts, clean.frame[clean.frames - 1 - tail].counts,
                          sizeof clean.frame->counts) == 0)
                tail++;
            late += tail + (MADE - clean.frames) < want;
            frames_lost += clean.frames > run.frames ? (unsigned)(clean.frames - run.frames) : 0;
        }
        printf("%-20s %d damages: a sample invented in %u (%.2f %%), %.2f frames lost each, not back within two frames in %u\n",
               p->name, ROUNDS, invented, 100.0 * invented / ROUNDS, (double)frames_lost / ROUNDS, late);
        assert_true(invented <= invented_pct_most(p) * ROUNDS / 100 && late <= (invented_pct_most(p) > 0 ? ROUNDS / 500 : 0));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openscale_lines),
        cmocka_unit_test(openscale_time),
        cmocka_unit_test(chronojump_lines),
        cmocka_unit_test(chronojump_time),
        cmocka_unit_test(chronojump_edges),
        cmocka_unit_test(platform_says_what_was_sent),
        cmocka_unit_test(platform_is_not_fooled_by_its_data),
        cmocka_unit_test(sics_lines),
        cmocka_unit_test(the_first_line_is_never_believed),
        cmocka_unit_test(chronojump_is_asked_and_started),
        cmocka_unit_test(silence_is_told),
        cmocka_unit_test(who_sends_needs_no_talking_to),
        cmocka_unit_test(sics_is_told_to_repeat),
        cmocka_unit_test(each_protocol_is_chunk_invariant),
        cmocka_unit_test(damage_is_survived),
    };
    random_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
