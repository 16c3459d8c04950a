/* app/config: what is right is taken, and the text that the archive keeps is the whole configuration again. */
#include "config_run.h"
#include <locale.h>
#include <time.h>

static unsigned test_seed(void)
{
    const char *again = getenv("PLATE_TEST_SEED"); /* repeats a run */
    return again ? (unsigned)strtoul(again, NULL, 10) : (unsigned)time(NULL);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults), cmocka_unit_test(test_station),   cmocka_unit_test(test_calibration),
        cmocka_unit_test(test_csv),      cmocka_unit_test(test_recording), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_words),    cmocka_unit_test(test_numbers),   cmocka_unit_test(test_limits),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
