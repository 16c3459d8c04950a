/* `snapshot`: every message once and to the byte however many pages it takes, and what is no longer there is said. */
#include "snapshot.h"
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct stream *open_stream(size_t history_bytes)
{
    const struct stream_config cfg = {.data_endpoint = "inproc://data",
                                      .control_endpoint = "inproc://control",
                                      .station = "lab",
                                      .high_water = 10,
                                      .history_bytes = history_bytes};
    struct stream_error e;
    struct stream *s;

    assert_int_equal(stream_open(&cfg, &s, &e), 0);
    return s;
}

static void say(struct stream *s, const char *topic, const char *key, int x, size_t padding)
{
    char *body = malloc(padding + 64);
    int n = sprintf(body, "{\"x\":%d,\"y\":0.1,\"pad\":\"%0*d\"}", x, (int)padding, 0);

    assert_int_equal(stream_publish(s, topic, key, 5, body, (size_t)n, NULL, 0), 0);
    free(body);
}

/* *ret_text, if wanted, is the caller's. */
static json_t *take(const struct stream *s, struct snapshot_request q, char **ret_text)
{
    char *text, why[256] = "";
    json_t *result;

    if (snapshot_take(s, &q, &text, why, sizeof why) != 0) fail_msg("%s", why);
    assert_true(strlen(text) < STREAM_MAX_REPLY / 2);
    result = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(result);
    assert_int_equal(json_integer_value(json_object_get(result, "run")), stream_run(s));
    if (ret_text)
        *ret_text = text;
    else
        free(text);
    return result;
}

static int64_t number(const json_t *result, const char *key)
{
    const json_t *v = json_object_get(result, key);

    assert_true(json_is_integer(v) || json_is_null(v));
    return json_is_null(v) ? -1 : json_integer_value(v);
}

static json_t *message(const json_t *result, size_t i, const char *topic)
{
    json_t *pair = json_array_get(json_object_get(result, "messages"), i);

    assert_int_equal(json_array_size(pair), 2);
    if (topic) assert_string_equal(json_string_value(json_array_get(pair, 0)), topic);
    return json_array_get(pair, 1);
}

static size_t messages(const json_t *result) { return json_array_size(json_object_get(result, "messages")); }

static void expect_topic(const json_t *result, const char *name, int64_t said, int64_t held_from)
{
    const json_t *topic = json_object_get(json_object_get(result, "topics"), name);

    assert_non_null(topic);
    assert_int_equal(number(topic, "said"), said);
    assert_int_equal(number(topic, "held_from"), held_from);
}

static void test_since(void **state)
{
    struct stream *s = open_stream(10000000);
    char *text;
    json_t *r;

    (void)state;
    for (int x = 0; x < 5; x++) say(s, "rep/left/", NULL, x, 0);
    say(s, "rep/left/2/", NULL, 9, 0); /* not the topic, though it begins so */
    assert_int_equal(stream_publish(s, "force/left/", NULL, 0, "{}", 2, "abcd", 4), 0);
    r = take(s, (struct snapshot_request){.topic = "rep/left/", .has_since = true, .since = 1}, &text);
    assert_int_equal(messages(r), 3);
    for (int i = 0; i < 3; i++) assert_int_equal(number(message(r, (size_t)i, "rep/left/"), "seq"), 2 + i);
    assert_non_null(
        strstr(text, "\"seq\":2,\"t_utc_ns\":5,\"x\":2,\"y\":0.1,\"pad\":\"0\"}")); /* as it was sent, to the byte */
    assert_int_equal(number(r, "next"), -1);
    assert_int_equal(number(r, "lost_before"), -1);
    expect_topic(r, "rep/left/", 5, 0);
    assert_int_equal(json_object_size(json_object_get(r, "topics")), 1);
    json_decref(r);
    free(text);

    r = take(s, (struct snapshot_request){.topic = "rep/left/", .has_since = true, .since = 4}, NULL);
    assert_int_equal(messages(r), 0); /* nothing was missed */
    json_decref(r);
    r = take(s, (struct snapshot_request){.topic = "force/left/", .has_since = true, .since = -1}, NULL);
    assert_int_equal(messages(r), 0); /* samples are not held, and that is said */
    assert_int_equal(number(r, "lost_before"), 1);
    json_decref(r);
    r = take(s, (struct snapshot_request){.topic = "rep/right/", .has_since = true, .since = -1}, NULL);
    assert_int_equal(messages(r), 0); /* nothing was said yet */
    assert_int_equal(number(r, "lost_before"), -1);
    json_decref(r);
    stream_close(s);
}

static void test_a_seq_of_another_run(void **state)
{
    const int64_t since[] = {2, 3, INT64_MAX};
    struct stream *s = open_stream(1000000);
    char *text, why[256];

    (void)state;
    say(s, "set/", NULL, 0, 0);
    say(s, "set/", NULL, 1, 0);
    for (size_t i = 0; i < sizeof since / sizeof *since; i++) {
        const struct snapshot_request q = {.topic = "set/", .has_since = true, .since = since[i]};
        assert_int_equal(snapshot_take(s, &q, &text, why, sizeof why), -ENODATA);
        assert_non_null(strstr(why, "has not been said yet (2 messages so far)"));
    }
    stream_close(s);
}

/* Pages of since and of the latest: all of it once, in order, each page within the bound. */
static void test_pages(void **state)
{
    enum { N = 250 }; /* the cache holds 512, of both topics */
    struct stream *s = open_stream(10000000);
    struct snapshot_request q = {.topic = "big/", .has_since = true, .since = 9};
    char key[32];
    int seen = 10, pages = 0;

    (void)state;
    for (int x = 0; x < N; x++) {
        snprintf(key, sizeof key, "%d", x);
        say(s, "big/", key, x, (size_t)x * 7);
        say(s, "other/", key, x, 100);
        if (x == 200) say(s, "big/", NULL, x, 32000); /* one that is not kept for late joiners */
    }
    for (int64_t next = 0; next >= 0; pages++) {
        q.next = next;
        json_t *r = take(s, q, NULL);
        for (size_t i = 0; i < messages(r); i++) assert_int_equal(number(message(r, i, "big/"), "seq"), seen++);
        next = number(r, "next");
        assert_true(next == -1 || next == seen);
        json_decref(r);
    }
    assert_int_equal(seen, N + 1);
    assert_in_range(pages, 5, 12);

    seen = pages = 0;
    q = (struct snapshot_request){.topic = "big"};
    for (int64_t next = 0; next >= 0; pages++) {
        q.next = next;
        json_t *r = take(s, q, NULL);
        expect_topic(r, "big/", N + 1, 0);
        assert_int_equal(json_object_size(json_object_get(r, "topics")), 1);
        for (size_t i = 0; i < messages(r); i++) {
            assert_int_equal(number(message(r, i, "big/"), "x"), seen++);
            assert_true(json_is_true(json_object_get(message(r, i, NULL), "cached")));
        }
        next = number(r, "next");
        json_decref(r);
    }
    assert_int_equal(seen, N);
    assert_in_range(pages, 3, 12);
    q.next = INT64_MAX;
    json_t *r = take(s, q, NULL);
    assert_int_equal(messages(r), 0);
    assert_int_equal(number(r, "next"), -1);
    json_decref(r);
    stream_close(s);
}

static void test_what_is_lost(void **state)
{
    struct stream *s = open_stream(20000);
    struct snapshot_request q = {.topic = "rep/", .has_since = true, .since = 3};
    struct stream_counters c;
    json_t *r;

    (void)state;
    for (int x = 0; x < 200; x++) say(s, "rep/", NULL, x, 200);
    stream_counters(s, &c);
    assert_int_equal(c.history.messages + c.history.dropped, 200);
    assert_true(c.history.bytes <= 20000 && c.history.messages > 20);
    r = take(s, q, NULL);
    int64_t held_from = 200 - (int64_t)c.history.messages;
    assert_int_equal(number(r, "lost_before"), held_from);
    expect_topic(r, "rep/", 200, held_from);
    assert_int_equal(messages(r), c.history.messages);
    assert_int_equal(number(message(r, 0, "rep/"), "seq"), held_from);
    json_decref(r);
    q.since = held_from - 1; /* exactly what is held */
    r = take(s, q, NULL);
    assert_int_equal(number(r, "lost_before"), -1);
    assert_int_equal(messages(r), c.history.messages);
    json_decref(r);
    stream_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_since), cmocka_unit_test(test_a_seq_of_another_run),
                                       cmocka_unit_test(test_pages), cmocka_unit_test(test_what_is_lost)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
