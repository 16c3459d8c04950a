/* The metronome: it begins with a drive, goes its own way, and falls silent when nobody follows. */
#include "metronome.h"
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void takes_a_tempo(void **state)
{
    static const char *const bad[] = {"",       "1",      "1-1",    "1-1-",  "1-1-3-1-1", "a-b-c",   "1 -1-3",  "-1-1-3",
                                      "1--1-3", "1-1-3s", "1-1-61", "0-0-0", "0-0-0.4",   "nan-1-1", "1-1-inf", "1,1,3"};
    struct tempo t = {{7, 7, 7, 7}};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (tempo_parse(bad[i], &t) || t.s[0] != 7) fail_msg("%s is taken", bad[i]);
    assert_true(tempo_parse("1-1.5-3", &t));
    assert_true(t.s[TEMPO_DRIVE] == 1 && t.s[TEMPO_HOLD] == 1.5 && t.s[TEMPO_LOWER] == 3 && t.s[TEMPO_REST] == 0);
    assert_true(tempo_parse("0-1-3-60", &t));
    assert_true(t.s[TEMPO_DRIVE] == 0 && t.s[TEMPO_REST] == 60);
}

static void completes_what_is_not_said(void **state)
{
    const struct tempo t = {{NAN, 2, 0, NAN}}, whole = tempo_complete(&t);

    (void)state;
    assert_true(whole.s[0] == 1 && whole.s[1] == 2 && whole.s[2] == 0 && whole.s[3] == 1);
}

static void beats_from_the_first_drive_on(void **state)
{
    static const struct {
        int64_t at_ms;
        int beat;
    } expected[] = {{5000, TEMPO_DRIVE},  {6000, TEMPO_HOLD},  {7500, TEMPO_LOWER}, {10500, TEMPO_REST},
                    {11500, TEMPO_DRIVE}, {12500, TEMPO_HOLD}, {14000, TEMPO_LOWER}};
    struct metronome m = {.tempo = {{1, 1.5, 3, 1}}};
    size_t n = 0;

    (void)state;
    assert_int_equal(metronome_due(&m, 4999), -1);
    assert_true(metronome_wait_ms(&m, 4999) == INT64_MAX);
    for (int64_t now = 5000; now <= 14500; now++) {
        if (now == 5000 || now == 11800) metronome_drive(&m, now); /* the second comes late, and moves nothing */
        int beat = metronome_due(&m, now);
        if (beat < 0) continue;
        assert_true(n < sizeof expected / sizeof *expected);
        assert_int_equal(beat, expected[n].beat);
        assert_int_equal(now, expected[n].at_ms);
        n++;
    }
    assert_int_equal(n, sizeof expected / sizeof *expected);
    assert_int_equal(metronome_wait_ms(&m, 14500), 2500);
}

static void leaves_out_what_lasts_nothing(void **state)
{
    struct metronome m = {.tempo = {{0, 1, 2, 0}}};

    (void)state;
    metronome_drive(&m, 0);
    assert_int_equal(metronome_due(&m, 0), TEMPO_HOLD);
    assert_int_equal(metronome_due(&m, 1000), TEMPO_LOWER);
    assert_int_equal(metronome_due(&m, 2999), -1);
    assert_int_equal(metronome_due(&m, 3000), TEMPO_HOLD);
}

static void several_that_are_late_are_one(void **state)
{
    struct metronome m = {.tempo = {{1, 1, 1, 1}}};

    (void)state;
    metronome_drive(&m, 0);
    assert_int_equal(metronome_due(&m, 2500), TEMPO_LOWER);
    assert_int_equal(metronome_due(&m, 2600), -1);
    assert_int_equal(metronome_wait_ms(&m, 2600), 400);
}

static void falls_silent_and_begins_anew(void **state)
{
    struct metronome m = {.tempo = {{1, 1, 1, 1}}};
    int last = -1;

    (void)state;
    metronome_drive(&m, 0);
    for (int64_t now = 0; now < 60000; now++)
        if (metronome_due(&m, now) >= 0) last = (int)now;
    assert_int_equal(last, 7000); /* a round of 4 s, and 3 s of patience */
    assert_false(m.runs);
    metronome_drive(&m, 60123);
    assert_int_equal(metronome_due(&m, 60123), TEMPO_DRIVE);
    assert_int_equal(metronome_wait_ms(&m, 60123), 1000);
}

static void without_a_tempo_it_never_begins(void **state)
{
    struct metronome m = {0};

    (void)state;
    metronome_drive(&m, 0);
    assert_int_equal(metronome_due(&m, 100000), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_tempo),
        cmocka_unit_test(completes_what_is_not_said),
        cmocka_unit_test(beats_from_the_first_drive_on),
        cmocka_unit_test(leaves_out_what_lasts_nothing),
        cmocka_unit_test(several_that_are_late_are_one),
        cmocka_unit_test(falls_silent_and_begins_anew),
        cmocka_unit_test(without_a_tempo_it_never_begins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
