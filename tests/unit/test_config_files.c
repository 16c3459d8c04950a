/* app/config: what other files say, protocols and calibrations; and the shipped ones and the docs are held to the table. Run
 * in, or told by $PLATE_SOURCE_DIR of, the source tree. */
#include "config_run.h"
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef PLATE_SOURCE_DIR
#define PLATE_SOURCE_DIR "."
#endif

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
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_ring_dir),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_shipped),
        cmocka_unit_test(test_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
