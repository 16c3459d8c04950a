/* What is held of what was said, against a list that forgets nothing. Prints its seed; PLATE_SEED repeats it. */
#include "history.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { TOPICS = 5, SAID = 20000 };

static size_t length_of(unsigned topic, uint64_t seq) { return 20 + (topic * 7919 + (size_t)seq * 104729) % 300; }

static void say(struct history *h, unsigned topic, uint64_t seq)
{
    char text[512];
    size_t n = length_of(topic, seq);

    memset(text, 'a' + (int)topic, n);
    memcpy(text, &seq, sizeof seq);
    history_add(h, topic, seq, text, n);
}

static void expect_held(const struct history *h, unsigned topic, uint64_t seq)
{
    const struct history_message *m = history_get(h, topic, seq);

    assert_non_null(m);
    assert_int_equal(m->n, length_of(topic, seq));
    assert_memory_equal(m->text, &seq, sizeof seq);
    assert_int_equal(m->text[m->n - 1], 'a' + (int)topic);
}

/* One topic speaks most, another was loud once and is silent since: whatever is held is right, without a hole, within the
 * bound. */
static void test_random(void **state)
{
    const char *given = getenv("PLATE_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    const size_t bound = 100000;
    uint64_t said[TOPICS] = {0}, all = 0, held = 0;
    struct history_counters c;
    struct history *h;

    (void)state;
    printf("seed %u\n", seed);
    srand(seed);
    assert_int_equal(history_new(TOPICS, bound, &h), 0);
    for (int i = 0; i < SAID; i++) {
        unsigned topic = i < SAID / 4 ? 4 : (unsigned)(rand() % 100 < 90 ? 0 : rand() % 4);
        uint64_t probe = said[topic] ? (uint64_t)rand() % said[topic] : 0;
        say(h, topic, said[topic]++);
        history_counters(h, &c);
        assert_true(c.bytes <= bound);
        expect_held(h, topic, said[topic] - 1);
        assert_int_equal(history_get(h, topic, probe) != NULL, probe >= history_from(h, topic));
        assert_null(history_get(h, topic, said[topic]));
    }
    for (unsigned topic = 0; topic < TOPICS; topic++) {
        all += said[topic];
        held += said[topic] - history_from(h, topic);
        assert_true(said[topic] - history_from(h, topic) >= 50); /* the loud ones leave the others theirs */
        for (uint64_t seq = history_from(h, topic); seq < said[topic]; seq++) expect_held(h, topic, seq);
    }
    assert_int_equal(c.messages, held);
    assert_int_equal(c.dropped, all - held);
    history_free(h);
}

static void test_what_is_not_held(void **state)
{
    char *big = calloc(1, HISTORY_MESSAGE_MAX + 1);
    struct history_counters c;
    struct history *h;

    (void)state;
    assert_int_equal(history_new(2, 1000000, &h), 0);
    assert_null(history_get(h, 0, 0));
    assert_int_equal(history_from(h, 0), 0);
    for (uint64_t seq = 0; seq < 3; seq++) say(h, 0, seq);
    say(h, 1, 0);
    history_add(h, 0, 3, big, HISTORY_MESSAGE_MAX + 1); /* behind it nothing of what came before: there would be a hole */
    assert_int_equal(history_from(h, 0), 4);
    assert_null(history_get(h, 0, 2));
    history_add(h, 0, 4, big, HISTORY_MESSAGE_MAX);
    assert_int_equal(history_get(h, 0, 4)->n, HISTORY_MESSAGE_MAX);
    say(h, 0, 9); /* what lies between had a payload */
    assert_int_equal(history_from(h, 0), 9);
    expect_held(h, 0, 9);
    expect_held(h, 1, 0);
    history_counters(h, &c);
    assert_int_equal(c.messages, 2);
    history_free(h);

    assert_int_equal(history_new(1, 0, &h), 0);
    say(h, 0, 0);
    assert_null(history_get(h, 0, 0));
    assert_int_equal(history_from(h, 0), 1);
    history_free(h);
    history_free(NULL);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random), cmocka_unit_test(test_what_is_not_held)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
