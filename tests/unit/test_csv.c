/* The decoder of lines of numbers: values to the last digit, time, and that the splits of the bytes do not matter. */
#include "decode_run.h"

static const struct plate_csv_options plain = {.separator = ',', .first_column = 1};

static void start_csv(struct plate_csv_options o, unsigned cells)
{
    run_start(&(struct plate_decoder_config){.protocol = "csv", .cells = cells, .csv = o});
    run_push(&run, "\n", 1); /* from here on lines are whole */
}

/* One line in, one frame with this first count out. */
static void expect_count(const char *line, int32_t count)
{
    size_t before = run.frames;
    push_text(line);
    push_text("\n");
    if (run.frames != before + 1) fail_msg("not taken: %s", line);
    if (run.frame[before].counts[0] != count) fail_msg("%s: %d, not %d", line, run.frame[before].counts[0], count);
}

static void expect_refused(const char *line, const uint64_t *reason) { run_refuses(line, "\n", reason); }

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
    run_start(&(struct plate_decoder_config){.protocol = "csv", .cells = 1, .csv = plain});
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
        run_start(&(struct plate_decoder_config){.protocol = "csv", .cells = 2, .csv = o});
        size_t n = csv_stream((char *)bytes, 100);
        if (round % 4) n = random_damage(bytes, n, sizeof bytes);
        assert_chunk_invariant(&run.d, bytes, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };
    random_seed();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
