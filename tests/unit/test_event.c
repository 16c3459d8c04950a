/* The JSON of every event to the byte, and the column tables against structs, words, docs and schemas. Reads docs/ below
 * $PLATE_SOURCE. */
#include "plate/event.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static const struct {
    const char *name;
    const struct plate_column *columns;
    size_t size;
} tables[] = {
    {"rep", plate_rep_columns, sizeof(struct plate_rep)},
    {"finding", plate_finding_columns, sizeof(struct plate_finding_row)},
    {"set", plate_set_columns, sizeof(struct plate_set)},
    {"asymmetry", plate_asymmetry_columns, sizeof(struct plate_asymmetry)},
    {"mark", plate_mark_columns, sizeof(struct plate_mark)},
    {"correction", plate_correction_columns, sizeof(struct plate_correction)},
    {"plan", plate_plan_columns, sizeof(struct plate_plan)},
};
enum { TABLES = sizeof tables / sizeof tables[0] };

static struct plate_event sample_event(enum plate_event_type type)
{
    struct plate_event e = {.type = type, .t_s = 12.3456785};
    switch (type) {
    case PLATE_EVENT_PHASE:
        strcpy(e.u.phase.plate, "left");
        e.u.phase.phase = PLATE_DRIVE;
        break;
    case PLATE_EVENT_REP:
        e.u.rep = (struct plate_rep){.plate = "p-1",
                                     .side = PLATE_SIDE_LEFT,
                                     .set = 2,
                                     .rep = 7,
                                     .warmup = 1,
                                     .exercise = "paused",
                                     .onset_s = 8.5,
                                     .top_s = 9.25,
                                     .descent_s = 10.5,
                                     .end_s = 12.25,
                                     .concentric_s = 0.75,
                                     .hold_s = 1.25,
                                     .eccentric_s = 1.75,
                                     .rest_before_s = NAN,
                                     .tut_s = 3.75,
                                     .peak_force_N = 431.119,
                                     .mean_force_N = 300,
                                     .hold_force_N = 340.5,
                                     .hold_cv = 0.0123456,
                                     .peak_force_N_per_kg = 5.3889875,
                                     .mean_force_N_per_kg = 3.75,
                                     .hold_force_N_per_kg = NAN,
                                     .rfd_0_50_N_per_s = NAN,
                                     .rfd_0_100_N_per_s = 1000,
                                     .rfd_0_150_N_per_s = 900.06,
                                     .rfd_0_200_N_per_s = 800,
                                     .rfd_0_250_N_per_s = 700,
                                     .rfd_max_N_per_s = 1234.56,
                                     .impulse_Ns = 225,
                                     .net_impulse_Ns = 180.0005,
                                     .cop_x_mm = -0.001,
                                     .cop_y_mm = 12.5,
                                     .cop_drift_x_mm = -4.126,
                                     .cop_path_mm = 30,
                                     .sway_rms_mm = 2.5,
                                     .sway_area_mm2 = NAN,
                                     .impact_pct = -12.3456,
                                     .share_pct = 48.75,
                                     .share_drive_pct = 49,
                                     .share_hold_pct = NAN,
                                     .share_lower_pct = 47.5,
                                     .onset_live_s = 8.53,
                                     .top_live_s = 9.4,
                                     .descent_live_s = NAN,
                                     .end_live_s = 12.345,
                                     .findings = 2,
                                     .form = {{"short_hold", 1.25, 2}, {"toe_bias", 12.5, -10}}};
        break;
    case PLATE_EVENT_SET:
        e.u.set = (struct plate_set){.set = 2,
                                     .side = PLATE_SIDE_RIGHT,
                                     .exercise = "isometric",
                                     .ended_by = PLATE_SET_BY_REST,
                                     .reps = 5,
                                     .start_s = 1,
                                     .end_s = 9.5,
                                     .peak_force_N = 400,
                                     .mean_force_N = 300,
                                     .hold_force_N = NAN,
                                     .concentric_s = 0.8,
                                     .left_share_pct = 48.25,
                                     .peak_force_dropoff_pct = 12.5,
                                     .mean_force_dropoff_pct = -1.25,
                                     .hold_force_dropoff_pct = NAN,
                                     .concentric_dropoff_pct = 20};
        break;
    case PLATE_EVENT_ASYMMETRY:
        e.u.asymmetry = (struct plate_asymmetry){.metric = "concentric_s",
                                                 .primary = 1,
                                                 .mode = PLATE_UNILATERAL_ISOMETRIC,
                                                 .index = "percentage_difference",
                                                 .direction = -1,
                                                 .value_pct = -12.3456,
                                                 .ci95_low_pct = -20,
                                                 .ci95_high_pct = -4.5,
                                                 .verdict = PLATE_LEFT_WEAKER,
                                                 .threshold_pct = 10,
                                                 .left_mean = 1.125,
                                                 .right_mean = 1,
                                                 .n_left = 3,
                                                 .n_right = 4,
                                                 .cv_left_pct = 5,
                                                 .cv_right_pct = NAN,
                                                 .counterbalanced = 1,
                                                 .dropoff_left_pct = 7.5,
                                                 .dropoff_right_pct = NAN,
                                                 .dropoff_difference_pct = NAN,
                                                 .shift_s = 42.5,
                                                 .shift_pct = NAN,
                                                 .limb_symmetry_index_pct = 88.888888,
                                                 .symmetry_index_pct = -11.764,
                                                 .symmetry_angle_pct = -3.7};
        break;
    case PLATE_EVENT_MARK:
        e.u.mark = (struct plate_mark){.t_s = 12.3456785,
                                       .plate = "",
                                       .sample = 9007199254740993,
                                       .kind = "note",
                                       .value = "a \"b\"\n",
                                       .utc_ns = INT64_MIN};
        break;
    case PLATE_EVENT_IMBALANCE:
        e.u.imbalance.now = sample_event(PLATE_EVENT_ASYMMETRY).u.asymmetry;
        e.u.imbalance.verdict_before = PLATE_SYMMETRIC;
        break;
    case PLATE_EVENT_CORRECTION:
        e.u.correction = (struct plate_correction){.correction = 3,
                                                   .field = PLATE_FIELD_DISCARDED,
                                                   .plate = "left",
                                                   .set = 2,
                                                   .rep = 7,
                                                   .value = "true",
                                                   .was = "false"};
        break;
    case PLATE_EVENT_PLAN:
        e.u.plan =
            (struct plate_plan){.set = 3, .side = PLATE_SIDE_RIGHT, .next = PLATE_SIDE_LEFT, .reps = 8, .done = 2, .sets = 6};
        break;
    case PLATE_EVENT_TYPES:
        break;
    }
    return e;
}

static const char *const bodies[] = {
    "{\"t_s\":12.345678,\"plate\":\"left\",\"phase\":\"drive\"}",
    "{\"t_s\":12.345678,\"plate\":\"p-1\",\"side\":\"left\",\"set\":2,\"rep\":7,\"exercise\":\"paused\",\"warmup\":true,"
    "\"onset_s\":8.500000,\"top_s\":9.250000,\"descent_s\":10.500000,\"end_s\":12.250000,\"concentric_s\":0.750000,"
    "\"hold_s\":1.250000,\"eccentric_s\":1.750000,\"rest_before_s\":null,\"tut_s\":3.750000,\"peak_force_N\":431.12,"
    "\"mean_force_N\":300.00,\"hold_force_N\":340.50,\"hold_cv\":0.01235,\"peak_force_N_per_kg\":5.389,"
    "\"mean_force_N_per_kg\":3.750,\"hold_force_N_per_kg\":null,\"rfd_0_50_N_per_s\":null,\"rfd_0_100_N_per_s\":1000.0,"
    "\"rfd_0_150_N_per_s\":900.1,\"rfd_0_200_N_per_s\":800.0,\"rfd_0_250_N_per_s\":700.0,\"rfd_max_N_per_s\":1234.6,"
    "\"impulse_Ns\":225.000,\"net_impulse_Ns\":180.000,\"cop_x_mm\":0.00,\"cop_y_mm\":12.50,\"cop_drift_x_mm\":-4.13,"
    "\"cop_path_mm\":30.00,\"sway_rms_mm\":2.50,\"sway_area_mm2\":null,\"impact_pct\":-12.346,\"share_pct\":48.750,\"share_"
    "drive_pct\":49.000,\"share_hold_pct\":null,\"share_lower_pct\":47.500,\"onset_live_s\":8.530000,"
    "\"top_live_s\":9.400000,\"descent_live_s\":null,\"end_live_s\":12.345000,"
    "\"form\":[{\"name\":\"short_hold\",\"value\":1.250000,\"limit\":2.000000},"
    "{\"name\":\"toe_bias\",\"value\":12.500000,\"limit\":-10.000000}]}",
    "{\"t_s\":12.345678,\"set\":2,\"side\":\"right\",\"exercise\":\"isometric\",\"warmup\":false,\"ended_by\":\"rest\","
    "\"reps\":5,"
    "\"start_s\":1.000000,\"end_s\":9.500000,\"peak_force_N\":400.00,\"mean_force_N\":300.00,\"hold_force_N\":null,"
    "\"concentric_s\":0.800000,\"left_share_pct\":48.250,\"peak_force_dropoff_pct\":12.500,\"mean_force_dropoff_pct\":-1.250,"
    "\"hold_force_dropoff_pct\":null,\"concentric_dropoff_pct\":20.000,\"correction\":0}",
    "{\"t_s\":12.345678,\"metric\":\"concentric_s\",\"primary\":true,\"mode\":\"unilateral_isometric\","
    "\"index\":\"percentage_difference\",\"direction\":-1,\"value_pct\":-12.346,\"ci95_pct\":[-20.000,-4.500],"
    "\"verdict\":\"left_weaker\",\"threshold_pct\":10.000,\"left_mean\":1.125000,\"right_mean\":1.000000,\"n_left\":3,\"n_"
    "right\":4,"
    "\"cv_left_pct\":5.000,\"cv_right_pct\":null,\"counterbalanced\":true,\"dropoff_left_pct\":7.500,"
    "\"dropoff_right_pct\":null,\"dropoff_difference_pct\":null,\"shift_s\":42.500000,\"shift_pct\":null,\"limb_symmetry_index_"
    "pct\":88.889,\"symmetry_index_pct\":-11."
    "764,"
    "\"symmetry_angle_pct\":-3.700,\"correction\":0}",
    "{\"t_s\":12.345678,\"plate\":\"\",\"sample\":9007199254740993,\"kind\":\"note\",\"value\":\"a \\\"b\\\"\\n\"}",
    "{\"t_s\":12.345678,\"verdict_before\":\"symmetric\",\"metric\":\"concentric_s\",\"primary\":true,\"mode\":\"unilateral_"
    "isometric\","
    "\"index\":\"percentage_difference\",\"direction\":-1,\"value_pct\":-12.346,\"ci95_pct\":[-20.000,-4.500],"
    "\"verdict\":\"left_weaker\",\"threshold_pct\":10.000,\"left_mean\":1.125000,\"right_mean\":1.000000,\"n_left\":3,\"n_"
    "right\":4,"
    "\"cv_left_pct\":5.000,\"cv_right_pct\":null,\"counterbalanced\":true,\"dropoff_left_pct\":7.500,\"dropoff_right_pct\":"
    "null,\"dropoff_difference_pct\":null,\"shift_s\":42.500000,\"shift_pct\":null,\"limb_symmetry_index_pct\":88.889,"
    "\"symmetry_index_pct\":-11.764,"
    "\"symmetry_angle_pct\":-3.700,\"correction\":0}",
    /* clang asks whether two strings side by side are one: they are */
    ("{\"t_s\":12.345678,\"correction\":3,\"field\":\"discarded\",\"plate\":\"left\",\"set\":2,\"rep\":7,\"value\":\"true\","
     "\"was\":\"false\"}"),
    "{\"t_s\":12.345678,\"set\":3,\"side\":\"right\",\"next\":\"left\",\"reps\":8,\"done\":2,\"sets\":6}",
};

static void bodies_to_the_byte(void **state)
{
    (void)state;
    for (int type = PLATE_EVENT_PHASE; type < PLATE_EVENT_TYPES; type++) {
        struct plate_event e = sample_event((enum plate_event_type)type);
        char b[PLATE_EVENT_JSON_MAX];
        int n = plate_event_json(&e, b, sizeof b);
        assert_string_equal(b, bodies[type]);
        assert_int_equal(n, strlen(bodies[type]));
        for (size_t size = 0; size <= (size_t)n; size++) { /* nothing is written behind a buffer that is too small */
            memset(b, '#', sizeof b);
            assert_int_equal(plate_event_json(&e, b, size), -ENOBUFS);
            assert_true(b[size] == '#' && b[size + 1] == '#');
        }
    }
    char b[4096];
    struct plate_mark m = sample_event(PLATE_EVENT_MARK).u.mark;
    m.sample = UINT64_MAX;
    assert_true(plate_columns_json(plate_mark_columns, &m, b, sizeof b) > 0);
    assert_string_equal(b, "{\"t_s\":12.345678,\"plate\":\"\",\"sample\":18446744073709551615,\"kind\":\"note\","
                           "\"value\":\"a \\\"b\\\"\\n\",\"utc_ns\":-9223372036854775808}");
}

static const struct plate_column *columns_of(enum plate_event_type type)
{
    static const struct plate_column *const of[PLATE_EVENT_TYPES] = {[PLATE_EVENT_REP] = plate_rep_columns,
                                                                     [PLATE_EVENT_SET] = plate_set_columns,
                                                                     [PLATE_EVENT_ASYMMETRY] = plate_asymmetry_columns,
                                                                     [PLATE_EVENT_MARK] = plate_mark_columns,
                                                                     [PLATE_EVENT_IMBALANCE] = plate_asymmetry_columns,
                                                                     [PLATE_EVENT_CORRECTION] = plate_correction_columns,
                                                                     [PLATE_EVENT_PLAN] = plate_plan_columns};
    return of[type];
}

/* Whatever the memory holds: every text full of control characters and without an end, every number -DBL_MAX. */
static void the_longest_body_fits(void **state)
{
    (void)state;
    for (int type = PLATE_EVENT_PHASE; type < PLATE_EVENT_TYPES; type++) {
        struct plate_event e;
        memset(&e, 1, sizeof e);
        e.type = (enum plate_event_type)type;
        e.t_s = -DBL_MAX;
        if (type == PLATE_EVENT_PHASE) e.u.phase.phase = (enum plate_phase)99;
        if (type == PLATE_EVENT_REP)
            for (int i = 0; i < PLATE_MAX_FINDINGS; i++) e.u.rep.form[i].value = e.u.rep.form[i].limit = -DBL_MAX;
        const struct plate_column *c = columns_of((enum plate_event_type)type);
        char *row = type == PLATE_EVENT_IMBALANCE ? (char *)&e.u.imbalance.now : (char *)&e.u;
        for (const double v = -DBL_MAX; c && c->name; c++)
            if (c->type == PLATE_COL_F64) memcpy(row + c->offset, &v, sizeof v);
        char b[PLATE_EVENT_JSON_MAX];
        assert_true(plate_event_json(&e, b, sizeof b) > 0);
        json_t *j = json_loads(b, 0, NULL);
        assert_non_null(j);
        json_decref(j);
    }
}

static void tables_fit_their_structs(void **state)
{
    (void)state;
    static const size_t size[] = {[PLATE_COL_F64] = 8,  [PLATE_COL_I32] = 4, [PLATE_COL_BOOL] = 4,
                                  [PLATE_COL_ENUM] = 4, [PLATE_COL_U64] = 8, [PLATE_COL_I64] = 8};
    for (int t = 0; t < TABLES; t++)
        for (const struct plate_column *c = tables[t].columns; c->name; c++) {
            if (c->type != PLATE_COL_TEXT) assert_int_equal(c->size, size[c->type]);
            assert_true(c->offset + c->size <= tables[t].size);
            assert_true((c->type == PLATE_COL_ENUM) == (c->names != NULL));
            assert_true(c->decimals >= 0 && c->decimals <= PLATE_JSON_DECIMALS_MAX && c->unit && c->doc && c->doc[0]);
            for (const struct plate_column *d = tables[t].columns; d != c; d++) {
                assert_string_not_equal(c->name, d->name);
                assert_true(c->offset >= d->offset + d->size || d->offset >= c->offset + c->size);
            }
        }
}

static void expect_words(const struct plate_column *columns, const char *name, const char *(*word)(int))
{
    const struct plate_column *c = columns;
    while (strcmp(c->name, name) != 0) c++;
    int i = 0;
    for (; c->names[i]; i++) assert_string_equal(c->names[i], word(i));
    assert_null(word(i));
}

static const char *side(int i) { return plate_side_name((enum plate_side)i); }
static const char *mode(int i) { return plate_mode_name((enum plate_mode)i); }
static const char *verdict(int i) { return plate_verdict_name((enum plate_verdict_lr)i); }

static void one_vocabulary(void **state)
{
    (void)state;
    expect_words(plate_rep_columns, "side", side);
    expect_words(plate_set_columns, "side", side);
    expect_words(plate_asymmetry_columns, "mode", mode);
    expect_words(plate_asymmetry_columns, "verdict", verdict);
    for (int i = 0; plate_phase_name((enum plate_phase)i); i++) {
        struct plate_event e = {.type = PLATE_EVENT_PHASE, .u.phase.phase = (enum plate_phase)i};
        char b[PLATE_EVENT_JSON_MAX], want[64];
        assert_true(plate_event_json(&e, b, sizeof b) > 0);
        snprintf(want, sizeof want, "\"phase\":\"%s\"}", plate_phase_name((enum plate_phase)i));
        assert_non_null(strstr(b, want));
    }
    for (const struct plate_metric *m = plate_metrics; m->name; m++) {
        const struct plate_column *c = plate_rep_columns;
        while (c->name && strcmp(c->name, m->name) != 0) c++;
        assert_true(c->name && c->type == PLATE_COL_F64 && c->offset == m->offset);
    }
    assert_string_equal(plate_event_name(PLATE_EVENT_ASYMMETRY), "asymmetry");
    assert_string_equal(plate_event_name(PLATE_EVENT_PLAN), "plan");
    assert_null(plate_event_name(PLATE_EVENT_TYPES));
}

static char *read_doc(const char *name, bool must)
{
    const char *source = getenv("PLATE_SOURCE");
    if (!source) fail_msg("set PLATE_SOURCE to the top of the source tree");
    char path[4096];
    snprintf(path, sizeof path, "%s/docs/%s", source, name);
    FILE *f = fopen(path, "rb");
    if (!f && must) fail_msg("%s: %s", path, strerror(errno));
    if (!f) return NULL;
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
    fclose(f);
    return text;
}

static void expect_names(const char *doc, const char *text, const struct plate_column *columns)
{
    for (const struct plate_column *c = columns; c->name; c++) {
        char name[64];
        snprintf(name, sizeof name, "`%s`", c->name);
        if (!strstr(text, name)) fail_msg("docs/%s says nothing of %s", doc, name);
    }
}

static void every_column_is_explained(void **state)
{
    (void)state;
    char *metrics = read_doc("metrics.md", true);
    for (int t = 0; t < TABLES; t++) expect_names("metrics.md", metrics, tables[t].columns);
    free(metrics);
    char *asymmetry = read_doc("asymmetry.md", true);
    for (const struct plate_metric *m = plate_metrics; m->name; m++)
        if (!strstr(asymmetry, m->name)) fail_msg("docs/asymmetry.md says nothing of %s", m->name);
    free(asymmetry);
}

/* Every key of a body stands in docs/stream.md and in the body's schema, which requires it and asks for nothing else. */
static void bodies_are_what_docs_and_schemas_say(void **state)
{
    (void)state;
    char *stream = read_doc("stream.md", false);
    for (int type = PLATE_EVENT_PHASE; type < PLATE_EVENT_TYPES; type++) {
        char name[64];
        snprintf(name, sizeof name, "schemas/%s.schema.json", plate_event_name((enum plate_event_type)type));
        char *text = read_doc(name, true);
        json_t *schema = json_loads(text, 0, NULL), *body = json_loads(bodies[type], 0, NULL);
        json_t *properties = json_object_get(schema, "properties"), *required = json_object_get(schema, "required");
        if (!json_is_object(properties) || !json_is_object(body)) fail_msg("%s: not a schema", name);
        const char *key;
        json_t *value;
        json_object_foreach(body, key, value)
        {
            char quoted[64];
            snprintf(quoted, sizeof quoted, "`%s`", key);
            if (stream && !strstr(stream, quoted)) fail_msg("docs/stream.md says nothing of %s", quoted);
            if (!json_object_get(properties, key)) fail_msg("%s lacks %s", name, key);
            size_t i = 0;
            while (i < json_array_size(required) && strcmp(json_string_value(json_array_get(required, i)), key) != 0) i++;
            if (i == json_array_size(required)) fail_msg("%s does not require %s", name, key);
        }
        assert_int_equal(json_object_size(properties), json_object_size(body));
        assert_int_equal(json_array_size(required), json_object_size(body));
        json_decref(schema);
        json_decref(body);
        free(text);
    }
    free(stream);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bodies_to_the_byte),        cmocka_unit_test(the_longest_body_fits),
        cmocka_unit_test(tables_fit_their_structs),  cmocka_unit_test(one_vocabulary),
        cmocka_unit_test(every_column_is_explained), cmocka_unit_test(bodies_are_what_docs_and_schemas_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
