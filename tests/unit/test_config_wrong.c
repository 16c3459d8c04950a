/* app/config: what is wrong is named with its line. */
#include "config_run.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syntax), cmocka_unit_test(test_keys),  cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_values), cmocka_unit_test(test_sense), cmocka_unit_test(test_sense_of_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
