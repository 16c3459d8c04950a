/* app/config: what is right is taken, what is wrong is named with its line, and the text that the archive keeps is the
 * whole configuration again. Run in, or told by $PLATE_SOURCE_DIR of, the source tree: the shipped files are held to the table.
 */
#include "config.h"
#include "config_schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <glob.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#ifndef PLATE_SOURCE_DIR
#define PLATE_SOURCE_DIR "."
#endif

#define PLATE "plates: [{name: a, port: /dev/x, cells: [{name: force}]}]\n"
#define CORNERS "cells: [{name: front_left}, {name: front_right}, {name: back_left}, {name: back_right}]"

/* ---- helpers ---- */

static unsigned test_seed(void)
{
    const char *again = getenv("PLATE_TEST_SEED"); /* repeats a run */
    return again ? (unsigned)strtoul(again, NULL, 10) : (unsigned)time(NULL);
}

static int parse(const char *text, struct config *c, struct config_error *why)
{
    return config_parse(text, strlen(text), "t.yaml", c, why);
}

static void parse_ok(const char *text, struct config *c)
{
    struct config_error why = {""};
    if (parse(text, c, &why) < 0) fail_msg("%s\n%s", why.text, text);
}

static void expect_error(const char *text, const char *expected)
{
    struct config c;
    struct config_error why = {""};
    memset(&c, 0x55, sizeof c);
    if (parse(text, &c, &why) != -EINVAL) fail_msg("taken, but expected %s:\n%s", expected, text);
    for (size_t i = 0; i < sizeof c; i++) assert_int_equal(((unsigned char *)&c)[i], 0x55); /* outputs only on success */
    if (!strstr(why.text, expected)) fail_msg("%s\nexpected %s", why.text, expected);
    assert_null(strchr(why.text, '\n'));
}

static bool same_number(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

/* Every key of the table, through every list. */
static void assert_same(enum config_section section, const char *a, const char *b)
{
    unsigned n;
    const struct config_key *keys = config_section_keys(section, &n);
    for (unsigned i = 0; i < n; i++) {
        const struct config_key *k = &keys[i];
        const char *x = a + k->offset, *y = b + k->offset;
        bool same = true;
        if (k->kind == CONFIG_TEXT || k->kind == CONFIG_NAME) same = strcmp(*(char *const *)x, *(char *const *)y) == 0;
        if (k->kind == CONFIG_NUMBER) same = same_number(*(const double *)x, *(const double *)y);
        if (k->kind == CONFIG_WHOLE || k->kind == CONFIG_WORD || k->kind == CONFIG_BOOL) same = memcmp(x, y, k->size) == 0;
        if (k->kind == CONFIG_ROW) {
            const struct config_row *r = (const struct config_row *)x, *s = (const struct config_row *)y;
            same = r->cells == s->cells && memcmp(r->cell, s->cell, r->cells * sizeof *r->cell) == 0;
        }
        if (k->kind == CONFIG_WORDS) same = memcmp(x, y, sizeof(struct config_words)) == 0;
        if (!same) fail_msg("%s%s differs", config_section_prefix(section), k->name);
        if (k->kind == CONFIG_MAP) assert_same(k->of, a, b);
        if (k->kind != CONFIG_LIST) continue;
        const unsigned entries = *(const unsigned *)(a + k->count_offset);
        assert_int_equal(entries, *(const unsigned *)(b + k->count_offset));
        for (unsigned e = 0; e < entries; e++)
            assert_same(k->of, *(char *const *)x + k->size * e, *(char *const *)y + k->size * e);
    }
}

static void assert_round_trip(const struct config *c)
{
    struct config again;
    parse_ok(c->text, &again);
    assert_string_equal(c->text, again.text);
    assert_same(CONFIG_TOP, (const char *)c, (const char *)&again);
    config_done(&again);
}

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static char *read_file(const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f) fail_msg("%s: %s", path, strerror(errno));
    char *text = calloc(1, 1 << 18);
    assert_true(fread(text, 1, (1 << 18) - 1, f) > 0);
    fclose(f);
    return text;
}

/* ---- what is right ---- */

static void test_defaults(void **state)
{
    (void)state;
    struct config c;
    parse_ok(PLATE, &c);
    assert_string_equal(c.station, "station");
    assert_string_equal(c.archive_dir, "traces");
    assert_string_equal(c.ring_dir, "");
    assert_true(c.ring_s == 60 && c.autostart && c.set_rest_s == 20);
    assert_string_equal(c.exercise, "single_leg_hip_thrust");
    assert_true(isnan(c.body_mass_kg) && isnan(c.load_kg) && isnan(c.filter.cutoff_Hz) && isnan(c.targets.hold_min_s));
    assert_true(isnan(c.targets.cop_y_min_mm) && isnan(c.rest_s) && c.sets == 0 && c.reps == 0);
    assert_true(c.asymmetry.threshold_pct == 10 && c.asymmetry.involved == PLATE_SIDE_NONE);
    assert_int_equal(c.stream.publish_interval_ms, 20);
    assert_int_equal(c.stream.high_water, 1000);
    assert_int_equal(c.stream.history_MB, 8);
    assert_int_equal(c.plates_count, 1);
    const struct config_plate *p = c.plates;
    assert_true(p->baud == 115200 && p->rate_Hz == 1000 && p->count_scale == 0.01 && p->cells_count == 1);
    assert_string_equal(p->decoder, "native");
    assert_true(p->cells[0].gain == 1 && p->cells[0].offset == 0 && isnan(p->cells[0].x_mm));
    assert_true(config_tick_s(p) == 1e-6);
    assert_round_trip(&c);
    config_done(&c);
    assert_null(c.text);
    config_done(&c);
    config_done(NULL);
}

/* Of the station, all defaults but the plates': what a bare text means is what the core means by it. */
static void test_station(void **state)
{
    (void)state;
    struct config c;
    struct plate_station_config s;
    parse_ok("side: left\nbody_mass_kg: 80.5\nfilter: {order: 2, cutoff_Hz: 30}\ntargets: {hold_min_s: 1.5}\nset_rest_s: 12\n"
             "asymmetry: {threshold_pct: 15, primary: hold_cv, involved: right}\nexercise: tempo\n"
             "plates:\n"
             "- {name: left, side: left, port: /a, rate_Hz: 500, width_mm: 300, length_mm: 400, " CORNERS "}\n"
             "- {name: r, side: right, port: /b, cells: [{name: p, x_mm: -1.5, y_mm: 2}, {name: q, x_mm: 3, y_mm: 4}]}\n"
             "- {name: sum, port: /c, cells: [{name: front_left}, {name: back_left}]}\n",
             &c);
    config_station(&c, &s);
    assert_int_equal(s.plates, 3);
    assert_true(s.side == PLATE_SIDE_LEFT && s.body_mass_kg == 80.5 && s.filter_order == 2 && s.filter_cutoff_Hz == 30);
    assert_true(s.set_rest_s == 12 && s.targets.hold_min_s == 1.5 && isnan(s.targets.eccentric_min_s));
    assert_true(s.asymmetry.threshold_pct == 15 && s.asymmetry.involved == PLATE_SIDE_RIGHT);
    assert_string_equal(s.asymmetry.primary, "hold_cv");
    assert_string_equal(s.exercise, "tempo");
    assert_string_equal(s.plate[0].name, "left");
    assert_true(s.plate[0].rate_Hz == 500 && s.plate[0].cells == 4 && s.plate[0].side == PLATE_SIDE_LEFT);
    static const double x[] = {-150, 150, -150, 150}, y[] = {200, 200, -200, -200};
    for (unsigned i = 0; i < 4; i++) assert_true(s.plate[0].cell[i].x_mm == x[i] && s.plate[0].cell[i].y_mm == y[i]);
    assert_true(s.plate[1].cell[0].x_mm == -1.5 && s.plate[1].cell[1].y_mm == 4);
    assert_true(isnan(s.plate[2].cell[0].x_mm) && isnan(s.plate[2].cell[1].y_mm)); /* corner names, but no size */
    assert_round_trip(&c);
    config_done(&c);
}

static void test_calibration(void **state)
{
    (void)state;
    struct config c;
    struct plate_calibration k;
    parse_ok("plates:\n- {name: a, port: /a, count_scale: 0.5, cells: [{name: p, gain: 2, offset: 7}, {name: q, gain: -3}]}\n"
             "- name: b\n  port: /b\n  surface_z_mm: -12.5\n  cells: [{name: p, offset: 4}, {name: q}]\n  matrix: {Fz: [0.25, "
             "1e-3]}\n"
             "- name: c\n  port: /c\n  cells: [{name: p}]\n"
             "  matrix: {Fx: [1], Fy: [2], Fz: [3], Mx: [4], My: [5], Mz: [6]}\n",
             &c);
    config_calibration(&c.plates[0], &k);
    assert_true(k.cells == 2 && k.components == 1 && k.count_scale == 0.5);
    assert_true(k.matrix[0][0] == 2 && k.matrix[0][1] == -3 && k.tare[0] == 7 && k.tare[1] == 0);
    config_calibration(&c.plates[1], &k);
    assert_true(k.components == 1 && k.matrix[0][0] == 0.25 && k.matrix[0][1] == 1e-3 && k.tare[0] == 4 &&
                k.surface_z_mm == -12.5);
    config_calibration(&c.plates[2], &k);
    assert_int_equal(k.components, 6);
    for (unsigned i = 0; i < 6; i++) assert_true(k.matrix[i][0] == i + 1);
    assert_round_trip(&c);
    config_done(&c);
}

static void test_csv(void **state)
{
    (void)state;
    struct config c;
    struct plate_decoder_config d;
    parse_ok(
        "plates:\n"
        "- {name: a, port: /a, decoder: csv, rate_Hz: 80, cells: [{name: p}], csv: {separator: tab, decimal_comma: yes, "
        "time_column: 1, time_unit: ms, time_bits: 24, decimals: 3}}\n"
        "- {name: b, port: /b, decoder: csv, cells: [{name: p}]}\n"
        "- {name: c, port: /c, decoder: csv, count_scale: 9.81, cells: [{name: p}], csv: {separator: \";\", time_column: 3}}\n"
        "- {name: d, port: /d, decoder: csv, cells: [{name: p}], csv: {separator: ',', decimals: 6}}\n",
        &c);
    config_decoder(&c.plates[0], &d);
    assert_string_equal(d.protocol, "csv");
    assert_true(d.cells == 1 && d.csv.separator == '\t' && d.csv.decimal_comma && d.csv.time_column == 1 &&
                d.csv.time_bits == 24);
    assert_true(d.csv.time_unit_s == 1e-3 && d.csv.first_column == 2 && d.csv.decimals == 3);
    assert_true(c.plates[0].count_scale == 0.001);
    assert_true(config_tick_s(&c.plates[0]) > 0);
    config_decoder(&c.plates[1], &d);
    assert_true(d.csv.separator == ',' && !d.csv.time_column && d.csv.time_unit_s == 0 && d.csv.first_column == 1);
    assert_true(c.plates[1].count_scale == 1 && config_tick_s(&c.plates[1]) == 0);
    config_decoder(&c.plates[2], &d);
    assert_true(d.csv.separator == ';' && d.csv.time_unit_s == 1e-6 && d.csv.first_column == 1);
    assert_true(config_tick_s(&c.plates[2]) == 1e-6 && c.plates[2].count_scale == 9.81);
    assert_true(c.plates[3].count_scale == 1e-6);
    assert_round_trip(&c);
    config_done(&c);
}

static void test_recording(void **state)
{
    (void)state;
    struct config c;
    struct recording r;
    memset(&r, 0x55, sizeof r);
    parse_ok("station: Lab 3\nplates: [{name: a, port: /dev/x, rate_Hz: 87.5, width_mm: 2, length_mm: 4, " CORNERS "}]", &c);
    config_recording(&c, &r);
    assert_string_equal(r.station, "Lab 3");
    assert_true(r.plates == 1 && r.plate[0].cells == 4 && r.plate[0].rate_Hz == 87.5 && r.plate[0].count_scale == 0.01);
    assert_string_equal(r.plate[0].name, "a");
    assert_string_equal(r.plate[0].device, "/dev/x");
    assert_string_equal(r.plate[0].protocol, "native");
    assert_string_equal(r.plate[0].cell[3].name, "back_right");
    assert_true(r.plate[0].cell[3].x_mm == 1 && r.plate[0].cell[3].y_mm == -2 && r.plate[0].tick_s == 1e-6);
    assert_null(r.config);
    config_done(&c);
}

static void test_texts(void **state)
{
    (void)state;
    struct config c;
    parse_ok(
        "subject: \"Zo\\u00eb \\\"x\\\" \\\\ #1: 'y' \"\nstation: 'null'\nexercise: '1.50'\narchive_dir: |-\n  a b\n" PLATE,
        &c);
    assert_string_equal(c.subject, "Zo\xc3\xab \"x\" \\ #1: 'y' ");
    assert_string_equal(c.station, "null");
    assert_string_equal(c.exercise, "1.50");
    assert_string_equal(c.archive_dir, "a b");
    assert_round_trip(&c);
    config_done(&c);
    parse_ok("subject:\nbody_mass_kg: ~\nload_kg: null\nfilter:\nautostart:\nstation: \"\"\n" PLATE,
             &c); /* nothing: the default */
    assert_string_equal(c.station, "station");
    assert_true(isnan(c.body_mass_kg) && isnan(c.load_kg) && c.filter.order == 4 && c.autostart);
    config_done(&c);
}

static void test_words(void **state)
{
    (void)state;
    static const char *const yes[] = {"true", "yes", "On", "TRUE"}, *const no[] = {"false", "No", "off"};
    char text[256];
    struct config c;
    for (unsigned i = 0; i < 7; i++) {
        snprintf(text, sizeof text, "autostart: %s\n" PLATE, i < 4 ? yes[i] : no[i - 4]);
        parse_ok(text, &c);
        assert_int_equal(c.autostart, i < 4);
        config_done(&c);
    }
}

/* Numbers come back to the bit, also the awkward ones, and in a locale that writes a decimal comma. */
static void test_numbers(void **state)
{
    (void)state;
    static const char *const given[] = {"0.1", "1e-3", "123456.789", "+5", "1.7976931348623157", "60.000000000000007",
                                        "1E2", ".5",   "2."};
    const char *const locales[] = {"C", "de_DE.UTF-8", "fr_FR.UTF-8"};
    char text[256];
    for (unsigned l = 0; l < 3; l++) {
        if (!setlocale(LC_ALL, locales[l])) continue; /* not on this machine */
        for (unsigned i = 0; i < sizeof given / sizeof *given; i++) {
            struct config c;
            setlocale(LC_ALL, "C");
            const double expected = strtod(given[i], NULL);
            setlocale(LC_ALL, locales[l]);
            snprintf(text, sizeof text, "plates: [{name: a, port: /x, cells: [{name: p, gain: %s}]}]", given[i]);
            parse_ok(text, &c);
            assert_true(c.plates[0].cells[0].gain == expected);
            assert_round_trip(&c);
            config_done(&c);
        }
    }
    setlocale(LC_ALL, "C");
    const unsigned seed = test_seed();
    print_message("seed %u\n", seed);
    srand(seed);
    for (int i = 0; i < 200; i++) {
        struct config c;
        const double gain = ldexp((double)rand() / RAND_MAX - 0.5, rand() % 40 - 20) + 1e-9;
        snprintf(text, sizeof text, "plates: [{name: a, port: /x, cells: [{name: p, gain: %.17g}]}]", gain);
        parse_ok(text, &c);
        assert_true(c.plates[0].cells[0].gain == gain);
        assert_round_trip(&c);
        config_done(&c);
    }
}

static void test_limits(void **state)
{
    (void)state;
    char text[8192] = "plates:\n", station[PLATE_TEXT_SIZE + 1];
    struct config c;
    for (int i = 0; i < PLATE_MAX_PLATES; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "- {name: p%d, port: /dev/%d, cells: [{name: a}]}\n", i, i);
    parse_ok(text, &c);
    assert_int_equal(c.plates_count, PLATE_MAX_PLATES);
    assert_round_trip(&c);
    config_done(&c);
    strcat(text, "- {name: more, port: /dev/more, cells: [{name: a}]}\n");
    expect_error(text, "t.yaml:34: plates: too many entries, give at most 32");

    memset(station, 's', sizeof station);
    station[PLATE_TEXT_SIZE - 1] = 0;
    snprintf(text, sizeof text, "station: %s\n" PLATE, station);
    parse_ok(text, &c);
    assert_round_trip(&c);
    config_done(&c);
    snprintf(text, sizeof text, "station: %sx\n" PLATE, station);
    expect_error(text, "t.yaml:1: station: 96 bytes are too long, shorten it to 95");

    expect_error(
        "plates: [{name: a, port: /x, cells: [{name: a},{name: b},{name: c},{name: d},{name: e},{name: f},{name: g},{name: "
        "h},{name: i}]}]",
        "plates[0].cells: too many entries, give at most 8");
}

/* ---- random configurations, out of the table ---- */

static void random_value(FILE *f, const struct config_key *k, unsigned index)
{
    unsigned words = 0;
    while (k->words && k->words[words].name) words++;
    const double part = (double)rand() / RAND_MAX;
    switch (k->kind) {
    case CONFIG_BOOL:
        fputs(part < 0.5 ? "true" : "false", f);
        break;
    case CONFIG_WHOLE:
        fprintf(f, "%.0f", k->min + floor(part * (k->max - k->min)));
        break;
    case CONFIG_NUMBER: {
        char text[40];
        double read;
        int digits = rand() % 17;
        do { /* few digits may round it out of the range */
            snprintf(text, sizeof text, "%.*g", ++digits, k->min + part * (k->max - k->min));
            read = strtod(text, NULL);
        } while (digits < 17 && (read < k->min || read > k->max));
        fputs(text, f);
        break;
    }
    case CONFIG_WORD:
        fprintf(f, "'%s'", k->words[(unsigned)rand() % words].name);
        break;
    case CONFIG_WORDS:
        fputc('[', f);
        for (unsigned left = 1 + (unsigned)rand() % (unsigned)k->max; left--;)
            fprintf(f, "%s%s", k->words[(unsigned)rand() % words].name, left ? ", " : "]");
        break;
    case CONFIG_NAME:
        fprintf(f, "n%u", index);
        break;
    default:
        fprintf(f, "\"%x\\\"\\\\ \xe2\x82\xac: #%u\"", (unsigned)rand(), index);
        break;
    }
}

static void random_section(FILE *f, enum config_section section, unsigned index)
{
    static const char *const left_alone[] = {
        "decoder", "csv",     "matrix",       "width_mm",  "length_mm",  "x_mm",           "y_mm",       "data",
        "control", "primary", "cop_y_min_mm", "cutoff_Hz", "turn_min_s", "impact_max_pct", "secret_key", "clients"};
    unsigned n;
    const struct config_key *keys = config_section_keys(section, &n);
    fputc('{', f);
    for (unsigned i = 0; i < n; i++) {
        bool skip = keys[i].kind != CONFIG_LIST && keys[i].fallback && rand() % 2;
        for (unsigned j = 0; j < sizeof left_alone / sizeof *left_alone; j++) skip |= strcmp(keys[i].name, left_alone[j]) == 0;
        if (skip) continue;
        fprintf(f, "%s: ", keys[i].name);
        if (keys[i].kind == CONFIG_MAP) random_section(f, keys[i].of, 0);
        if (keys[i].kind == CONFIG_LIST) {
            fputc('[', f);
            for (int entries = 1 + rand() % (int)keys[i].max; entries--;) {
                random_section(f, keys[i].of, (unsigned)entries);
                fputs(entries ? ", " : "]", f);
            }
        }
        if (keys[i].kind != CONFIG_MAP && keys[i].kind != CONFIG_LIST) random_value(f, &keys[i], index);
        fputs(",\n ", f);
    }
    fputc('}', f);
}

static void test_random(void **state)
{
    (void)state;
    const unsigned seed = test_seed();
    print_message("seed %u\n", seed);
    srand(seed);
    for (int i = 0; i < 40; i++) {
        struct config c;
        char *text = NULL;
        size_t n;
        FILE *f = open_memstream(&text, &n);
        random_section(f, CONFIG_TOP, 0);
        fclose(f);
        parse_ok(text, &c);
        assert_round_trip(&c);
        config_done(&c);
        free(text);
    }
}

/* ---- what is wrong ---- */

static void test_syntax(void **state)
{
    (void)state;
    expect_error("station: a\nfilter: {order: 4\n" PLATE, "t.yaml:3: not YAML: ");
    expect_error("station: a\n\tb: c\n", "t.yaml:2: not YAML: ");
    expect_error("station: 'a\n", "not YAML: ");
    expect_error("\xff\xfe\xfd", "t.yaml: not readable text at byte");
    expect_error("", "t.yaml: plates: is missing");
    expect_error("# nothing\n", "t.yaml: plates: is missing");
    expect_error("just words", "t.yaml:1: expected keys");
    expect_error("- a\n", "t.yaml:1: expected keys");
    expect_error(PLATE "---\nstation: b\n", "t.yaml:3: a second document");
    expect_error("subject: \"a\\0b\"\n" PLATE, "t.yaml:1: a text holds a NUL");
    expect_error("subject: &x a\nexercise: *x\n" PLATE, "t.yaml:2: exercise: aliases");
    expect_error("? [a]\n: b\n" PLATE, "t.yaml:1: ");
}

static void test_keys(void **state)
{
    (void)state;
    expect_error(PLATE "ring: 60\n", "t.yaml:2: ring: no such key, did you mean ring_s?");
    expect_error("Station: 60\n" PLATE, "t.yaml:1: Station: no such key, did you mean station?");
    expect_error("plates:\n- name: a\n  port: /x\n  cells:\n  - name: p\n  - nme: q\n",
                 "t.yaml:6: plates[0].cells[1].nme: no such key, did you mean name?");
    expect_error("threshold_pct: 3\n" PLATE,
                 "t.yaml:1: threshold_pct: does not belong here, write it as asymmetry.threshold_pct");
    expect_error("filter: {baud: 3}\n" PLATE, "filter.baud: does not belong here, write it as plates[].baud");
    expect_error("quite_another: 3\n" PLATE, "quite_another: no such key, remove it");
    expect_error("side: left\nside: right\n" PLATE, "side: given twice");
    expect_error(PLATE PLATE, "plates: given twice");
}

static void test_shapes(void **state)
{
    (void)state;
    expect_error("station: [a]\n" PLATE, "t.yaml:1: station: expected a single value");
    expect_error("station: {a: b}\n" PLATE, "station: expected a single value");
    expect_error("filter: 3\n" PLATE, "filter: expected keys");
    expect_error("plates: 3\n", "plates: expected a list");
    expect_error("plates: {name: a}\n", "plates: expected a list");
    expect_error("plates:\n- a\n", "t.yaml:2: plates[0]: expected keys");
    expect_error("plates: []\n", "t.yaml:1: plates: is missing, give at least 1");
    expect_error("plates: [{name: a, port: /x, cells: [{name: p}], matrix: {Fz: 3}}]\n",
                 "plates[0].matrix.Fz: expected a list");
    expect_error("plates: [{name: a, port: /x, cells: [{name: p}], matrix: {Fz: [x]}}]\n",
                 "plates[0].matrix.Fz[0]: 'x' is not a number");
    expect_error("plates: [{name: a, port: /x, cells: [{name: p}], matrix: {Fz: [[1]]}}]\n", "expected a single value");
}

static void test_values(void **state)
{
    (void)state;
    static const char *const not_numbers[] = {"abc",   "nan",   ".nan", "inf",   "0x3c", "60s", "1e999",
                                              "'60 '", "' 60'", "--60", "1_000", "6e",   "."};
    char text[256];
    for (unsigned i = 0; i < sizeof not_numbers / sizeof *not_numbers; i++) {
        snprintf(text, sizeof text, "ring_s: %s\n" PLATE, not_numbers[i]);
        expect_error(text, "t.yaml:1: ring_s: '");
    }
    expect_error("body_mass_kg: 80,5\n" PLATE, "body_mass_kg: '80,5' is not a number, write a decimal point");
    expect_error("ring_s: 59.9\n" PLATE, "ring_s: 59.9 is out of range, give 60 to 3600 s");
    expect_error("ring_s: -60\n" PLATE, "ring_s: -60 is out of range");
    expect_error("sets: 2.5\n" PLATE, "sets: 2.5 is not a whole number");
    expect_error("sets: -1\n" PLATE, "sets: -1 is out of range, give 0 to 1000");
    expect_error("stream: {high_water: 99999999999999999999}\n" PLATE,
                 "stream.high_water: 99999999999999999999 is out of range");
    expect_error("stream: {publish_interval_ms: 4294967316}\n" PLATE, "is out of range, give 0 to 1000 ms");
    expect_error("autostart: 1\n" PLATE, "autostart: '1' is neither true nor false");
    expect_error("side: lft\n" PLATE, "side: 'lft' is not known, give none, left, right or both");
    expect_error("asymmetry: {involved: both}\n" PLATE, "asymmetry.involved: 'both' is not known, give none, left or right");
    expect_error("filter: {order: 3}\n" PLATE, "filter.order: '3' is not known, give 2, 4, 6 or 8");
    expect_error("subject: \"a\\nb\"\n" PLATE, "subject: holds a control character");
    expect_error("subject: \"a\\u2028b\"\n" PLATE, "subject: holds a control character");
    expect_error("\"a\\nb\": 3\n" PLATE, "t.yaml:1: a?b: no such key");
}

static void test_sense(void **state)
{
    (void)state;
    expect_error("station: a/b\n" PLATE, "t.yaml:1: station: holds a slash");
    expect_error("filter:\n  cutoff_Hz: 500\n" PLATE, "t.yaml:2: filter.cutoff_Hz: 500 Hz is too high for plate a");
    expect_error("asymmetry: {primary: pek}\n" PLATE, "asymmetry.primary: 'pek' is not a metric");
    expect_error("stream: {data: localhost}\n" PLATE, "stream.data: 'localhost' is not an endpoint");
    expect_error("stream: {data: ipc:///a, control: ipc:///a}\n" PLATE, "stream.control: is the same as stream.data");
    expect_error("stream: {secret_key: a}\n" PLATE, "stream.secret_key: is half of what keys need");
    expect_error("stream: {clients: a}\n" PLATE, "stream.clients: is half of what keys need");
    expect_error("stream:\n  data: tcp://*:7460\n" PLATE, "t.yaml:2: stream.data: other machines could reach 'tcp://*:7460'");
    expect_error("stream: {control: 'tcp://[::]:7461'}\n" PLATE, "stream.control: other machines could reach");
    struct config c;
    parse_ok("stream: {data: 'tcp://*:7460', control: 'tcp://*:7461', secret_key: a, clients: b}\n" PLATE, &c);
    config_done(&c);
    expect_error("targets: {turn_min_s: 0.2}\n" PLATE, "targets.turn_min_s: is half of what a bounce is");
    expect_error("targets: {impact_max_pct: 10}\n" PLATE, "targets.impact_max_pct: is half of what a bounce is");
    expect_error("targets: {cop_y_min_mm: 5, cop_y_max_mm: 5}\n" PLATE, "targets.cop_y_min_mm: is not below cop_y_max_mm");
    expect_error("plates:\n- port: /x\n  cells: [{name: p}]\n", "t.yaml:2: plates[0].name: is missing");
    expect_error("plates:\n- name: a\n  cells: [{name: p}]\n", "t.yaml:2: plates[0].port: is missing");
    expect_error("plates:\n- name: a\n  port: /x\n", "t.yaml:2: plates[0].cells: is missing");
    expect_error("plates: [{name: a b, port: /x, cells: [{name: p}]}]", "plates[0].name: 'a b' cannot be a name");
    expect_error("plates: [{name: a, port: /x, cells: [{name: p}]}, {name: a, port: /y, cells: [{name: p}]}]",
                 "plates[1].name: a second plate 'a'");
    expect_error("plates:\n- {name: a, port: /x, cells: [{name: p}]}\n- {name: b, port: /x, cells: [{name: p}]}",
                 "t.yaml:3: plates[1].port: '/x' is the port of plate a already");
    expect_error("plates: [{name: a, port: /x, decoder: natve, cells: [{name: p}]}]",
                 "plates[0].decoder: 'natve' is not known, give");
    expect_error("plates: [{name: a, port: /x, cells: [{name: p}, {name: p}]}]", "plates[0].cells[1]: a second cell 'p'");
    expect_error("plates: [{name: a, port: /x, cells: [{name: p, x_mm: 3}]}]", "plates[0].cells[0]: has one coordinate only");
    expect_error("plates: [{name: a, port: /x, cells: [{name: p, x_mm: 3, y_mm: 2}, {name: q}]}]",
                 "plates[0].cells[1]: 'q' has no position");
    expect_error("plates: [{name: a, port: /x, width_mm: 3, cells: [{name: front_left}]}]",
                 "plates[0].width_mm: needs length_mm");
    expect_error("plates: [{name: a, port: /x, width_mm: 3, length_mm: 3, cells: [{name: p}]}]",
                 "plates[0].width_mm: places corner cells");
    expect_error("plates: [{name: a, port: /x, count_scale: 0, cells: [{name: p}]}]", "plates[0].count_scale: is 0");
    expect_error("plates: [{name: a, port: /x, cells: [{name: p, gain: 0}]}]", "plates[0]: the calibration makes no sense");
}

static void test_sense_of_parts(void **state)
{
    (void)state;
#define A "plates: [{name: a, port: /x, cells: [{name: p}, {name: q}], "
    expect_error(A "matrix: {Fz: [1]}}]", "plates[0].matrix: a row has 1 numbers, give one for each of the 2 cells");
    expect_error(A "matrix: {Fx: [1, 2]}}]", "plates[0].matrix: has 1 rows");
    expect_error(A "matrix: {Fx: [1, 2], Fz: [1, 2]}}]", "plates[0].matrix: has 2 rows, give Fz alone or all");
    expect_error(A "matrix: {Fz: [0, 0]}}]", "the calibration makes no sense");
    expect_error("plates: [{name: a, port: /x, cells: [{name: p, gain: 2}], matrix: {Fz: [1]}}]",
                 "plates[0].cells[0].gain: a gain beside a matrix");
    expect_error(A "csv: {decimals: 2}}]", "plates[0].csv: has no meaning for decoder native");
    expect_error(A "decoder: csv, csv: {decimal_comma: true}}]", "plates[0].csv: the comma cannot separate");
    expect_error(A "decoder: csv, csv: {time_column: 2, first_column: 1}}]",
                 "plates[0].csv: time_column 2 is one of the cells");
    expect_error(A "decoder: csv, csv: {separator: '|'}}]",
                 "plates[0].csv.separator: '|' is not known, give ,, ;, tab or space");
    expect_error(A "decoder: csv, csv: {decimals: 7}}]", "plates[0].csv.decimals: 7 is out of range, give 0 to 6");
#undef A
}

/* ---- files ---- */

static void test_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_config.XXXXXX", path[64], other[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/p.yaml", folder);
    snprintf(other, sizeof other, "%s/x.yaml", folder);
    struct config c;
    struct config_error why = {""};
    write_file(folder, "x.yaml",
               "exercise: paused\nsets: 3\nreps: 8\nrest_s: 90\ntargets: {hold_min_s: 2, hold_cv_max: 0.1}\n"
               "asymmetry: {threshold_pct: 12}\n");
    write_file(folder, "p.yaml", "protocol: x.yaml\nreps: 6\ntargets: {hold_min_s: 3}\nasymmetry: {involved: left}\n" PLATE);
    assert_int_equal(config_load(path, &c, &why), 0);
    assert_string_equal(c.exercise, "paused");
    assert_true(c.sets == 3 && c.reps == 6 && c.rest_s == 90); /* the configuration itself wins */
    assert_true(c.targets.hold_min_s == 3 && c.targets.hold_cv_max == 0.1);
    assert_true(c.asymmetry.threshold_pct == 12 && c.asymmetry.involved == PLATE_SIDE_LEFT);
    assert_string_equal(c.protocol, "x.yaml");
    assert_round_trip(&c);
    config_done(&c);

    write_file(folder, "x.yaml", "# all\n");
    assert_int_equal(config_load(path, &c, &why), 0);
    assert_string_equal(c.exercise, "single_leg_hip_thrust");
    config_done(&c);
    static const char *const bad[][2] = {{"sets: 3\nreps: many\n", "x.yaml:2: reps: 'many' is not a number"},
                                         {"targts: {}\n", "x.yaml:1: targts: no such key, did you mean targets?"},
                                         {"station: b\n", "x.yaml:1: station: does not belong into a protocol"},
                                         {"targets: [\n", "x.yaml:2: not YAML"}};
    for (unsigned i = 0; i < 4; i++) {
        write_file(folder, "x.yaml", bad[i][0]);
        assert_int_equal(config_load(path, &c, &why), -EINVAL);
        if (!strstr(why.text, bad[i][1])) fail_msg("%s\nexpected %s", why.text, bad[i][1]);
    }
    unlink(other);
    assert_int_equal(config_load(path, &c, &why), -ENOENT);
    assert_non_null(strstr(why.text, "p.yaml:1: protocol: "));
    assert_int_equal(config_load(other, &c, &why), -ENOENT);
    assert_non_null(strstr(why.text, "x.yaml: cannot be read: No such file"));
    assert_int_equal(config_load(folder, &c, &why), -EISDIR);
    unlink(path);

    FILE *f = fopen(path, "w");
    fputs(PLATE, f);
    for (unsigned i = 0; i < CONFIG_MAX_BYTES; i += 64) fprintf(f, "#%62s\n", "");
    fclose(f);
    assert_int_equal(config_load(path, &c, &why), -EFBIG);
    assert_int_equal(truncate(path, CONFIG_MAX_BYTES), 0);
    assert_int_equal(config_load(path, &c, &why), 0);
    config_done(&c);
    unlink(path);
    rmdir(folder);
}

static void test_ring_dir(void **state)
{
    (void)state;
    char folder[] = "/tmp/test_config.XXXXXX", dir[64], small[4];
    struct config c;
    assert_non_null(mkdtemp(folder));
    parse_ok(PLATE, &c);
    setenv("XDG_RUNTIME_DIR", folder, 1);
    assert_int_equal(config_ring_dir(&c, dir, sizeof dir), 0);
    assert_string_equal(dir, folder);
    assert_int_equal(config_ring_dir(&c, small, sizeof small), -ENAMETOOLONG);
    rmdir(folder);
    assert_int_equal(config_ring_dir(&c, dir, sizeof dir), 0);
    assert_string_equal(dir, "/dev/shm");
    unsetenv("XDG_RUNTIME_DIR");
    assert_int_equal(config_ring_dir(&c, dir, sizeof dir), 0);
    assert_string_equal(dir, "/dev/shm");
    config_done(&c);
    parse_ok("ring_dir: here\n" PLATE, &c);
    assert_int_equal(config_ring_dir(&c, dir, sizeof dir), 0);
    assert_string_equal(dir, "here");
    config_done(&c);
}

static void test_print(void **state)
{
    (void)state;
    struct config c;
    char *text = NULL;
    size_t n = 0;
    parse_ok(PLATE, &c);
    FILE *f = open_memstream(&text, &n);
    assert_int_equal(config_print(&c, f), 0);
    fclose(f);
    assert_string_equal(text, c.text);
    free(text);
    f = fopen("/dev/full", "w");
    assert_int_equal(config_print(&c, f), -ENOSPC);
    fclose(f);
    config_done(&c);
}

/* ---- the shipped files ---- */

static void test_shipped(void **state)
{
    (void)state;
    struct config c;
    struct config_error why = {""};
    if (config_load(PLATE_SOURCE_DIR "/config/plated.yaml", &c, &why) < 0) fail_msg("%s", why.text);
    assert_string_equal(c.plates[0].port, "/tmp/plated-sim");
    assert_string_equal(c.plates[0].decoder, "native");
    assert_true(c.plates_count == 1 && c.plates[0].cells_count == 4 && c.plates[0].rate_Hz == 1000 &&
                c.plates[0].count_scale == 0.01);
    assert_round_trip(&c);
    config_done(&c);
    char folder[] = "/tmp/test_config.XXXXXX", path[64], text[1024], cwd[512];
    assert_non_null(mkdtemp(folder));
    assert_non_null(realpath(PLATE_SOURCE_DIR, text));
    snprintf(cwd, sizeof cwd, "%.500s", text);
    snprintf(path, sizeof path, "%s/p.yaml", folder);
    char *docs = read_file(PLATE_SOURCE_DIR "/docs/configuration.md");
    glob_t found;
    assert_int_equal(glob(PLATE_SOURCE_DIR "/config/protocols/*", 0, NULL, &found), 0);
    assert_true(found.gl_pathc >= 10);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *name = strrchr(found.gl_pathv[i], '/') + 1;
        snprintf(text, sizeof text, "protocol: %s/config/protocols/%s\n" PLATE, cwd, name);
        write_file(folder, "p.yaml", text);
        if (config_load(path, &c, &why) < 0) fail_msg("%s", why.text);
        assert_true(c.sets > 0 && c.reps > 0 && c.rest_s > 0 && !isnan(c.targets.hold_min_s));
        snprintf(text, sizeof text, "| `%.*s` | `%s` | %d × %d, %g s | ", (int)strcspn(name, "."), name, c.exercise,
                 (int)c.sets, (int)c.reps, c.rest_s);
        if (!strstr(docs, text)) fail_msg("docs/configuration.md lacks the line\n%s", text);
        assert_round_trip(&c);
        config_done(&c);
    }
    globfree(&found);
    free(docs);
    unlink(path);
    rmdir(folder);
}

/* config/plated.yaml and docs/configuration.md know every key; the docs also its default, range and unit. */
static void test_documented(void **state)
{
    (void)state;
    char *yaml = read_file(PLATE_SOURCE_DIR "/config/plated.yaml"),
         *docs = read_file(PLATE_SOURCE_DIR "/docs/configuration.md");
    for (const struct config_key *k = config_keys; k->name; k++) {
        char text[512], range[80] = "";
        snprintf(text, sizeof text, " %s:", k->name);
        char at_start[80];
        snprintf(at_start, sizeof at_start, "\n%s:", k->name);
        if (!strstr(yaml, text) && !strstr(yaml, at_start) && !strstr(yaml, text + 1))
            fail_msg("config/plated.yaml lacks %s%s", config_section_prefix(k->section), k->name);
        if (k->kind == CONFIG_NUMBER || k->kind == CONFIG_WHOLE || k->kind == CONFIG_ROW)
            snprintf(range, sizeof range, "%.10g to %.10g", k->min, k->max);
        if (k->kind == CONFIG_BOOL) snprintf(range, sizeof range, "true, false");
        for (const struct config_word *w = k->words; w && w->name; w++)
            snprintf(range + strlen(range), sizeof range - strlen(range), "%s%s", w == k->words ? "" : " ", w->name);
        const bool container = k->kind == CONFIG_MAP || k->kind == CONFIG_LIST;
        const char *fallback = container ? "" : !k->fallback ? "required" : k->fallback;
        snprintf(text, sizeof text, "| `%s%s` | %s | %s | %s | %s |\n", config_section_prefix(k->section), k->name, fallback,
                 range, k->unit, k->help);
        if (!strstr(docs, text)) fail_msg("docs/configuration.md lacks the line\n%s", text);
    }
    free(yaml);
    free(docs);
}

/* ---- calibration files ---- */

static const char calibrated[] = "plates:\n  - name: p\n    port: /dev/null\n    calibration: c.yaml\n    cells:\n"
                                 "      - {name: a, x_mm: -1, y_mm: -1}\n      - {name: b, x_mm: 1, y_mm: 1}\n";
static const char calibration[] = "plates:\n  - name: q\n    cells: [{name: a, offset: 9}]\n  - name: p\n    count_scale: 0.5\n"
                                  "    cells: [{name: b, offset: 12.5}]\n    matrix: {Fz: [1.5, -2]}\n";

/* Loads CONFIG with c.yaml beside it; the error if there is one. */
static int load_calibrated(const char *config, const char *file, struct config *ret, struct config_error *error)
{
    char folder[] = "/tmp/plate_config_XXXXXX", path[256];
    assert_non_null(mkdtemp(folder));
    write_file(folder, "main.yaml", config);
    if (file) write_file(folder, "c.yaml", file);
    snprintf(path, sizeof path, "%s/main.yaml", folder);
    int r = config_load(path, ret, error);
    unlink(path);
    snprintf(path, sizeof path, "%s/c.yaml", folder);
    unlink(path);
    rmdir(folder);
    return r;
}

static void test_calibration_file(void **state)
{
    (void)state;
    struct config c, again;
    struct config_error error = {""};
    struct plate_calibration k;
    if (load_calibrated(calibrated, calibration, &c, &error) != 0) fail_msg("%s", error.text);
    config_calibration(&c.plates[0], &k);
    assert_true(k.count_scale == 0.5 && k.tare[0] == 0 && k.tare[1] == 12.5 && k.matrix[0][0] == 1.5 && k.matrix[0][1] == -2);
    assert_round_trip(&c); /* the archive's copy needs no other file */
    if (load_calibrated(c.text, calibration, &again, &error) != 0)
        fail_msg("%s", error.text); /* and with it, it says the same */
    assert_same(CONFIG_TOP, (const char *)&c, (const char *)&again);
    config_done(&again);
    config_done(&c);
}

static void test_calibration_file_refused(void **state)
{
    (void)state;
    static const struct {
        const char *add, *file, *says;
    } cases[] = {
        {"", NULL, "plates[0].calibration: "},
        {"", "plates:\n  - name: q\n", "is not of plate p"},
        {"", "plates: [{name: p, port: /dev/x}]\n", "plates[0].port: has no place in a calibration file"},
        {"", "plates: [{name: p, cells: [{name: z, offset: 1}]}]\n", "has no cell 'z'"},
        {"", "plates: [{name: p, matrix: {Fz: [1, x]}}]\n", "'x' is not a number"},
        {"", "plates: [{name: p, matrix: {Fz: [1]}}]\n", "a row has 1 numbers"},
        {"    count_scale: 0.25\n", calibration, "plates[0].count_scale: is not what the calibration file"},
        {"    matrix: {Fz: [1, 1]}\n", calibration, "plates[0].matrix: is not what the calibration file"},
        {"", "a: [", "c.yaml:"},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[512];
        struct config c;
        struct config_error error = {""};
        snprintf(text, sizeof text, "%s%s", calibrated, cases[i].add);
        assert_int_equal(load_calibrated(text, cases[i].file, &c, &error), cases[i].file ? -EINVAL : -ENOENT);
        if (!strstr(error.text, cases[i].says)) fail_msg("%u: %s", i, error.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calibration_file),
        cmocka_unit_test(test_calibration_file_refused),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_station),
        cmocka_unit_test(test_calibration),
        cmocka_unit_test(test_csv),
        cmocka_unit_test(test_recording),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_syntax),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_sense),
        cmocka_unit_test(test_sense_of_parts),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_ring_dir),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
