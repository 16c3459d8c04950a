/* `platectl watch`: what the model makes of the stream, and that a frame shows it within the rows and columns that there are.
 */
#define _GNU_SOURCE /* wcwidth */
#include "hosts.h"
#include "watch_screen.h"
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include <cmocka.h>

enum { ROWS = 24, COLUMNS = 80 };

struct screen {
    struct model model;
    struct canvas canvas;
    char row[ROWS][4 * COLUMNS + 1];
    const struct metronome *metronome;
};

/* Rows of left_pct, both_N, from t_s on. */
static void say_share(struct model *m, double t_s, const char *channels, const float *values, size_t floats, size_t rows)
{
    json_t *o = json_pack("{s:s, s:f, s:f, s:s, s:[i, i], s:o}", "session", "s", "t_s", t_s, "rate_Hz", 100.0, "dtype", "<f4",
                          "shape", (int)rows, 2, "channels", json_loads(channels, 0, NULL));

    assert_non_null(o);
    m->t_s = t_s;
    watch_take(m, "share/", o, (const uint8_t *)values, floats * sizeof *values);
    json_decref(o);
}

/* The cells of a line of the frame. */
static unsigned cells(const char *from, const char *to)
{
    mbstate_t state = {0};
    wchar_t character;
    unsigned n = 0;

    while (from < to) {
        size_t bytes = mbrtowc(&character, from, (size_t)(to - from), &state);
        assert_true(bytes > 0 && bytes <= 4);
        assert_true(wcwidth(character) > 0);
        n += (unsigned)wcwidth(character);
        from += bytes;
    }
    return n;
}

/* Every row is as wide as the terminal, and there are as many as it has. */
static void check_frame(struct screen *s, unsigned rows, unsigned columns)
{
    const char *at = memchr(s->canvas.bytes, 'H', s->canvas.n), *end;

    assert_non_null(at);
    at++;
    for (unsigned i = 0; i < rows; i++, at = end + 2) {
        for (end = at; end < s->canvas.bytes + s->canvas.n && *end != '\r'; end++) {
        }
        assert_int_equal(cells(at, end), columns);
        if (rows == ROWS && columns == COLUMNS) snprintf(s->row[i], sizeof s->row[i], "%.*s", (int)(end - at), at);
    }
    assert_ptr_equal(at - 2, s->canvas.bytes + s->canvas.n);
}

static void draw(struct screen *s, unsigned rows, unsigned columns)
{
    const struct station_view v = {.model = &s->model, .endpoint = "tcp://nowhere"};

    watch_draw(&s->canvas, &v, rows, columns, s->metronome, 0);
    check_frame(s, rows, columns);
}

/* A message of the stream; format as json_pack() has it. */
#define SAY(s, topic, ...) say(s, topic, json_pack(__VA_ARGS__))
static void say(struct screen *s, const char *topic, json_t *o)
{
    assert_non_null(o);
    watch_take(&s->model, topic, o, NULL, 0);
    json_decref(o);
}

static const char *row_of(const struct screen *s, const char *label)
{
    for (unsigned i = 0; i < ROWS; i++)
        if (!strncmp(s->row[i], label, strlen(label))) return s->row[i];
    return NULL;
}

#define assert_shows(s, label, what)                                                                                           \
    do {                                                                                                                       \
        const char *row = row_of(s, label);                                                                                    \
        if (!row || !strstr(row, what)) fail_msg("%s: \"%s\" is not in \"%s\"", label, what, row ? row : "nothing");           \
    } while (0)

#define CHANNELS "[\"left_pct\", \"both_N\"]"

static void shows_the_latest_instant(void **state)
{
    struct screen *s = *state;
    const float values[] = {10, 500, 37.5F, 600};

    draw(s, ROWS, COLUMNS);
    assert_null(row_of(s, "share "));
    say_share(&s->model, 5, CHANNELS, values, 4, 2);
    draw(s, ROWS, COLUMNS);
    assert_string_equal(row_of(s, "share "),
                        "share     left 37.5 %  ---------------------+###########----------  62.5 % right");
}

static void leans_to_the_side_that_carries_more(void **state)
{
    static const struct {
        float left_pct;
        const char *bar;
    } cases[] = {
        {50, "---------------------+---------------------"},  {62.5F, "----------###########+---------------------"},
        {75, "#####################+---------------------"},  {25, "---------------------+#####################"},
        {90, "<####################+---------------------"},  {0, "---------------------+####################>"},
        {NAN, "---------------------+---------------------"}, {INFINITY, "---------------------+---------------------"},
    };
    struct screen *s = *state;

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const float values[] = {cases[i].left_pct, 600};
        say_share(&s->model, 5, CHANNELS, values, 2, 1);
        draw(s, ROWS, COLUMNS);
        assert_memory_equal(row_of(s, "share ") + 23, cases[i].bar, 43);
    }
    assert_non_null(strstr(row_of(s, "share "), "left      -  "));
}

static void is_not_shown_when_it_is_old(void **state)
{
    struct screen *s = *state;
    const float values[] = {40, 600};
    json_t *other = json_pack("{s:s}", "session", "another");

    say_share(&s->model, 5, CHANNELS, values, 2, 1);
    s->model.t_s = 8;
    draw(s, ROWS, COLUMNS);
    assert_non_null(strstr(row_of(s, "share "), "left      -  "));
    watch_take(&s->model, "session/", other, NULL, 0);
    json_decref(other);
    assert_false(s->model.share.known);
}

static void takes_nothing_from_a_message_that_is_not_whole(void **state)
{
    struct screen *s = *state;
    const float values[] = {40, 600, 40, 600};

    say_share(&s->model, 5, CHANNELS, values, 3, 2);
    say_share(&s->model, 5, CHANNELS, values, 4, 0);
    say_share(&s->model, 5, CHANNELS, values, 0, 1);
    say_share(&s->model, 5, "[\"a\", 1, \"left_pct\"]", values, 4, 2);
    say_share(&s->model, 5, "{}", values, 4, 2);
    assert_false(s->model.share.known);
}

/* The bar is the mean of the last row, the scale the greatest of all that are in sight, the line below what was before. */
static void shows_force_as_it_was(void **state)
{
    static const char channels[] = "[\"Fz_min\", \"Fz_mean\", \"Fz_max\"]";
    struct screen *s = *state;
    float values[3 * 100];
    json_t *o = json_pack("{s:s, s:s, s:f, s:f, s:s, s:[i, i], s:o}", "session", "s", "plate", "p", "t_s", 10.0, "interval_s",
                          0.02, "dtype", "<f4", "shape", 100, 3, "channels", json_loads(channels, 0, NULL));

    for (int i = 0; i < 100; i++) values[3 * i] = 0, values[3 * i + 1] = 200, values[3 * i + 2] = i == 50 ? 260 : 220;
    watch_take(&s->model, "preview/p/", o, (const uint8_t *)values, sizeof values);
    draw(s, ROWS, COLUMNS);
    assert_shows(s, "p ", "  ###############################               |  200 N");
    const char *below = row_of(s, "p ") + sizeof s->row[0]; /* 2 s in 8 steps, the peak at 11 s */
    if (!strstr(below, " ****#***| 12 s, 0-300 N")) fail_msg("%s", below);
    assert_true(s->model.t_s == 12);
    assert_int_equal(json_object_set_new(o, "interval_s", json_real(-1)), 0);
    watch_take(&s->model, "preview/other/", o, (const uint8_t *)values, sizeof values);
    watch_take(&s->model, "preview/p/", o, (const uint8_t *)values, sizeof values - 4);
    assert_true(s->model.t_s == 12);
    json_decref(o);
}

static void says_how_the_phase_stands_against_its_target(void **state)
{
    struct screen *s = *state;

    SAY(s, "session/", "{s:s, s:s, s:{s:f, s:f}}", "session", "s", "state", "started", "targets", "hold_min_s", 1.0,
        "eccentric_min_s", 3.0);
    draw(s, ROWS, COLUMNS);
    assert_shows(s, "tempo ", "tempo      ");
    SAY(s, "phase/plate/", "{s:s, s:f, s:s, s:s}", "session", "s", "t_s", 10.0, "plate", "plate", "phase", "drive");
    s->model.t_s = 10.5;
    draw(s, ROWS, COLUMNS);
    assert_shows(s, "tempo ", "drive 0.5 s  ");
    SAY(s, "phase/plate/", "{s:s, s:f, s:s, s:s}", "session", "s", "t_s", 11.0, "plate", "plate", "phase", "hold");
    s->model.t_s = 11.5;
    draw(s, ROWS, COLUMNS);
    assert_shows(s, "tempo ", "hold  0.5 s of 1.0 s    ###############                |");
    SAY(s, "phase/plate/", "{s:s, s:f, s:s, s:s}", "session", "s", "t_s", 12.0, "plate", "plate", "phase", "lower");
    s->model.t_s = 18;
    draw(s, ROWS, COLUMNS);
    assert_shows(s, "tempo ", "lower 6.0 s of 3.0 s    ###############################|");
}

static void shows_the_next_beat(void **state)
{
    struct screen *s = *state;
    struct metronome m = {.tempo = {{1, 2, 3, 1}}};

    s->metronome = &m;
    draw(s, ROWS, COLUMNS);
    assert_shows(s, "tempo ", "! waits       ");
    metronome_drive(&m, -1600);
    assert_int_equal(metronome_due(&m, 0), TEMPO_HOLD);
    draw(s, ROWS, COLUMNS);
    assert_shows(s, "tempo ", "! hold  1.4 s ");
    SAY(s, "phase/plate/", "{s:s, s:f, s:s, s:s}", "session", "s", "t_s", 11.0, "plate", "plate", "phase", "hold");
    draw(s, ROWS, COLUMNS);
    assert_shows(s, "tempo ", "of 2.0 s");
}

static void says_whose_turn_it_is(void **state)
{
    struct screen *s = *state;

    draw(s, ROWS, COLUMNS);
    assert_null(row_of(s, "plan "));
    SAY(s, "plan/", "{s:s, s:i, s:s, s:s, s:i, s:i, s:i}", "session", "s", "set", 3, "side", "left", "next", "right", "reps", 8,
        "done", 2, "sets", 6);
    draw(s, ROWS, COLUMNS);
    assert_shows(s, "plan ", "plan      left  set 3 (2 of 6 done)  rep - of 8  then right");
    SAY(s, "rep/plate/", "{s:s, s:s, s:i, s:i, s:s, s:f}", "session", "s", "plate", "plate", "set", 3, "rep", 4, "side", "left",
        "hold_s", 0.98);
    draw(s, ROWS, COLUMNS);
    assert_shows(s, "plan ", "rep 4 of 8");
    assert_shows(s, "  3   4 left ", "-   0.98       -");
    SAY(s, "session/", "{s:s}", "session", "another");
    draw(s, ROWS, COLUMNS);
    assert_null(row_of(s, "plan "));
}

static void says_who_commands(void **state)
{
    struct screen *s = *state;

    SAY(s, "health/", "{s:s, s:s, s:s, s:b, s:s}", "session", "s", "station", "lab", "kind", "status", "recording", 1,
        "operator", "anna");
    draw(s, ROWS, COLUMNS);
    assert_shows(s, "lab ", "operator: anna");
    SAY(s, "health/", "{s:s, s:s, s:b, s:s}", "session", "s", "kind", "status", "recording", 1, "operator", "");
    draw(s, ROWS, COLUMNS);
    assert_null(strstr(row_of(s, "lab "), "operator"));
}

/* The recording before is sealed while this one runs. */
static void shows_the_recording_that_runs(void **state)
{
    struct screen *s = *state;
    static const char said[] = "{s:s, s:s, s:s}";

    SAY(s, "session/", said, "session", "a", "state", "started", "archive", "a.h5");
    SAY(s, "session/", said, "session", "a", "state", "stopped", "archive", "a.h5");
    SAY(s, "session/", said, "session", "b", "state", "started", "archive", "b.h5");
    SAY(s, "session/", said, "session", "b", "state", "sealed", "archive", "a.h5");
    draw(s, ROWS, COLUMNS);
    assert_shows(s, "session ", "session b  started  b.h5");
    assert_true(s->model.recording);
    SAY(s, "session/", said, "session", "b", "state", "sealed", "archive", "b.h5");
    draw(s, ROWS, COLUMNS);
    assert_shows(s, "session ", "session b  sealed  b.h5");
    assert_false(s->model.recording);
}

static uint64_t missed(struct screen *s, const char *topic, int run, int seq)
{
    json_t *o = json_pack("{s:i, s:i}", "run", run, "seq", seq);
    uint64_t n = watch_missed(&s->model, topic, o);

    json_decref(o);
    return n;
}

static void counts_what_was_lost_on_the_way(void **state)
{
    struct screen *s = *state;

    assert_int_equal(missed(s, "rep/a/", 7, 5), 0); /* who comes late has missed nothing */
    assert_int_equal(missed(s, "rep/a/", 7, 6), 0);
    assert_int_equal(missed(s, "rep/b/", 7, 0), 0);
    assert_int_equal(missed(s, "rep/a/", 7, 9), 2);
    assert_int_equal(missed(s, "rep/a/", 8, 12), 0); /* another plated */
    assert_int_equal(missed(s, "rep/b/", 8, 4), 0);
    assert_int_equal(missed(s, "rep/b/", 8, 6), 1);
}

static void fill(struct screen *s)
{
    const float values[] = {40, 600};

    say_share(&s->model, 5, CHANNELS, values, 2, 1);
    SAY(s, "session/", "{s:s, s:s, s:s, s:s, s:s}", "session", "s", "station",
        "l\xc3\xa4"
        "b\xe6\xb8\xac\xe5\xae\x9a",
        "state", "started", "subject",
        "\xe8\xa9\xa6"
        "\x01\xcc\x81",
        "archive", "/traces/\xe6\xb8\xac");
    SAY(s, "plan/", "{s:s, s:i, s:s, s:s}", "session", "s", "set", 3, "side", "left", "next", "right");
    SAY(s, "health/", "{s:s, s:s, s:b, s:[{s:s, s:s, s:s, s:f, s:f}, {s:s, s:s, s:f}, {s:s}]}", "session", "s", "kind",
        "status", "recording", 1, "plates", "name", "left", "state", "open", "phase", "hold", "force_N", 712.0, "rate_Hz",
        1000.0, "name", "right", "state", "waiting", "force_N", -3.0, "name", "third");
    SAY(s, "health/", "{s:s, s:s, s:s, s:s}", "session", "s", "kind", "port", "level", "warning", "text", "\xe6\xb8\xac gone");
    SAY(s, "rep/left/", "{s:s, s:s, s:i, s:i, s:[{s:s}]}", "session", "s", "plate", "left", "set", 3, "rep", 4, "form", "name",
        "short_hold");
    SAY(s, "asymmetry/", "{s:s, s:s, s:f, s:[f, f], s:s, s:f}", "session", "s", "metric", "concentric_s", "value_pct", -31.0,
        "ci95_pct", -40.0, -20.0, "verdict", "left_weaker", "threshold_pct", 10.0);
}

static void fits_every_size(void **state)
{
    struct screen *s = *state;

    fill(s);
    for (int utf8 = 0; utf8 < 2; utf8++) {
        s->canvas.utf8 = utf8;
        for (unsigned rows = 1; rows < 40; rows += 1 + rows / 8)
            for (unsigned columns = 1; columns < 140; columns += 1 + columns / 12) draw(s, rows, columns);
        draw(s, 200, 500);
    }
}

static void many_fit_every_size(void **state)
{
    struct screen *s = *state;
    struct station_view v[HOSTS];
    struct model *nothing = calloc(1, sizeof *nothing);

    assert_non_null(nothing);
    watch_model_init(nothing);
    fill(s);
    for (unsigned i = 0; i < HOSTS; i++)
        v[i] = (struct station_view){.model = i % 3 ? &s->model : nothing,
                                     .endpoint = "tcp://192.168.100.200:7460",
                                     .namesake = i % 2,
                                     .silent_ms = i == 4 ? 9000 : 0,
                                     .clock_known = i % 4 != 0,
                                     .ahead_ns = (int64_t)i * 10000000,
                                     .uncertain_ns = 300000};
    for (unsigned n = 2; n <= HOSTS; n += n / 2)
        for (unsigned rows = 1; rows < 70; rows += 1 + rows / 8)
            for (unsigned columns = 1; columns < 140; columns += 1 + columns / 12) {
                watch_draw_all(&s->canvas, v, n, rows, columns);
                check_frame(s, rows, columns);
            }
    free(nothing);
}

/* What matters of each station is there, whether it has a block or a row. */
static void shows_several_stations(void **state)
{
    struct screen *s = *state;
    struct station_view v[] = {
        {.model = &s->model, .endpoint = "tcp://10.0.0.5:7460", .clock_known = true, .ahead_ns = 0, .uncertain_ns = 100000},
        {.model = &s->model,
         .endpoint = "tcp://10.0.0.6:7460",
         .namesake = true,
         .clock_known = true,
         .ahead_ns = 35000000,
         .uncertain_ns = 400000}};

    fill(s);
    watch_draw_all(&s->canvas, v, 2, ROWS, COLUMNS);
    check_frame(s, ROWS, COLUMNS);
    assert_shows(s,
                 "l\xc3\xa4"
                 "b\xe6",
                 "* REC");
    assert_shows(s, "  left ", "712 N hold  s3 r4");
    assert_shows(s, "  right ", "-3 N waiting");
    assert_shows(s, "clocks ", "up to 35.0 ~0.5 ms apart: l");
    s->canvas.rows = 0;
    SAY(s, "health/", "{s:s, s:s, s:s, s:s}", "session", "s", "kind", "port", "level", "ok", "text", "back");
    watch_draw_all(&s->canvas, v, 2, ROWS, COLUMNS);
    check_frame(s, ROWS, COLUMNS);
    assert_shows(s, "  left/right ", "concentric_s  -31.0 % [-40.0, -20.0]  left weaker");
}

static int set_up(void **state)
{
    struct screen *s = calloc(1, sizeof *s);

    if (!s) return -1;
    watch_model_init(&s->model);
    *state = s;
    return 0;
}

static int tear_down(void **state)
{
    free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(shows_the_latest_instant, set_up, tear_down),
        cmocka_unit_test_setup_teardown(leans_to_the_side_that_carries_more, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_not_shown_when_it_is_old, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_nothing_from_a_message_that_is_not_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shows_force_as_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_how_the_phase_stands_against_its_target, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shows_the_next_beat, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_whose_turn_it_is, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_who_commands, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shows_the_recording_that_runs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(counts_what_was_lost_on_the_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fits_every_size, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_fit_every_size, set_up, tear_down),
        cmocka_unit_test_setup_teardown(shows_several_stations, set_up, tear_down),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
