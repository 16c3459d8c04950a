/* `platectl watch`: what the model makes of share/, and that a frame shows it within the rows and columns that there are. */
#include "watch_screen.h"
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 24, COLUMNS = 80 };

struct screen {
    struct model model;
    struct canvas canvas;
    char row[ROWS][COLUMNS + 1];
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

static void draw(struct screen *s, unsigned rows, unsigned columns)
{
    const char *at, *end;

    s->canvas.colour = s->canvas.utf8 = false;
    watch_draw(&s->canvas, &s->model, rows, columns, "tcp://nowhere", 0);
    at = memchr(s->canvas.bytes, 'H', s->canvas.n);
    assert_non_null(at);
    at++;
    for (unsigned i = 0; i < rows; i++, at = end + 2) {
        for (end = at; end < s->canvas.bytes + s->canvas.n && *end != '\r'; end++) {
        }
        assert_int_equal(end - at, columns);
        if (rows == ROWS && columns == COLUMNS) snprintf(s->row[i], sizeof s->row[i], "%.*s", (int)(end - at), at);
    }
    assert_ptr_equal(at - 2, s->canvas.bytes + s->canvas.n);
}

static const char *share_row(const struct screen *s)
{
    for (unsigned i = 0; i < ROWS; i++)
        if (!strncmp(s->row[i], "share ", 6)) return s->row[i];
    return NULL;
}

#define CHANNELS "[\"left_pct\", \"both_N\"]"

static void shows_the_latest_instant(void **state)
{
    struct screen *s = *state;
    const float values[] = {10, 500, 37.5F, 600};

    draw(s, ROWS, COLUMNS);
    assert_null(share_row(s));
    say_share(&s->model, 5, CHANNELS, values, 4, 2);
    draw(s, ROWS, COLUMNS);
    assert_string_equal(share_row(s), "share     left 37.5 %  ---------------------+###########----------  62.5 % right");
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
        assert_memory_equal(share_row(s) + 23, cases[i].bar, 43);
    }
    assert_non_null(strstr(share_row(s), "left      -  "));
}

static void is_not_shown_when_it_is_old(void **state)
{
    struct screen *s = *state;
    const float values[] = {40, 600};
    json_t *other = json_pack("{s:s}", "session", "another");

    say_share(&s->model, 5, CHANNELS, values, 2, 1);
    s->model.t_s = 8;
    draw(s, ROWS, COLUMNS);
    assert_non_null(strstr(share_row(s), "left      -  "));
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

static void fits_every_size(void **state)
{
    struct screen *s = *state;
    const float values[] = {40, 600};

    say_share(&s->model, 5, CHANNELS, values, 2, 1);
    for (unsigned rows = 1; rows < 40; rows++)
        for (unsigned columns = 1; columns < 140; columns++) draw(s, rows, columns);
}

static int set_up(void **state)
{
    *state = calloc(1, sizeof(struct screen));
    return *state ? 0 : -1;
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
        cmocka_unit_test_setup_teardown(fits_every_size, set_up, tear_down),
    };

    setlocale(LC_CTYPE, "C.UTF-8");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
