/* The bounded writer of JSON: its numbers against printf, its texts whatever their bytes are. */
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

static uint64_t rng_state;

static uint64_t bits(void) /* splitmix64 */
{
    uint64_t z = rng_state += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

/* Mostly of the size that a plate knows, some of any size at all, some on a tie. */
static double random_double(void)
{
    uint64_t kind = bits() % 16;
    double v;
    if (kind == 0) {
        uint64_t any = bits();
        memcpy(&v, &any, sizeof v);
        return v;
    }
    if (kind == 1) return ldexp((double)(bits() % 100000) + 0.5, -(int)(bits() % 12)) * (bits() % 2 ? 1 : -1);
    v = ldexp((double)(bits() >> 11), -53) * pow(10, (double)(bits() % 24) - 9);
    return bits() % 2 ? v : -v;
}

static void numbers_are_those_of_printf(void **state)
{
    (void)state;
    rng_state = 20260102;
    print_message("seed %llu\n", (unsigned long long)rng_state);
    for (int i = 0; i < 1000000; i++) {
        char got[400], want[400];
        double v = random_double();
        int decimals = (int)(bits() % 10), n = plate_json_number(v, decimals, got, sizeof got);
        snprintf(want, sizeof want, "%.*f", decimals, v);
        const char *w = !isfinite(v) ? "null" : want[0] == '-' && want[1 + strspn(want + 1, "0.")] == 0 ? want + 1 : want;
        if (n != (int)strlen(w) || strcmp(got, w) != 0) fail_msg("%a to %d: %s, printf says %s", v, decimals, got, w);
    }
}

static void numbers_at_the_edges(void **state)
{
    (void)state;
    static const struct {
        double v;
        int decimals;
        const char *text;
    } c[] = {
        {0, 0, "0"},
        {-0.0, 2, "0.00"},
        {-0.004, 2, "0.00"},
        {-0.006, 2, "-0.01"},
        {0.5, 0, "0"},
        {1.5, 0, "2"},
        {2.5, 0, "2"},
        {0.125, 2, "0.12"},
        {0.375, 2, "0.38"},
        {999.995, 2, "1000.00"},
        {-0.5, 1, "-0.5"},
        {4294967295.5, 0, "4294967296"},
        {1e9, 3, "1000000000.000"},
        {NAN, 3, "null"},
        {INFINITY, 3, "null"},
        {-INFINITY, 3, "null"},
        {DBL_TRUE_MIN, 9, "0.000000000"},
        {1e22, 1, "10000000000000000000000.0"},
    };
    char b[400];
    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
        assert_int_equal(plate_json_number(c[i].v, c[i].decimals, b, sizeof b), strlen(c[i].text));
        assert_string_equal(b, c[i].text);
        assert_int_equal(plate_json_number(c[i].v, c[i].decimals, b, strlen(c[i].text)), -ENOBUFS);
        assert_int_equal(plate_json_number(c[i].v, c[i].decimals, b, strlen(c[i].text) + 1), strlen(c[i].text));
    }
    assert_int_equal(plate_json_number(-DBL_MAX, PLATE_JSON_DECIMALS_MAX, b, sizeof b), 1 + 309 + 1 + PLATE_JSON_DECIMALS_MAX);
    assert_int_equal(plate_json_number(1, -1, b, sizeof b), -EINVAL);
    assert_int_equal(plate_json_number(1, PLATE_JSON_DECIMALS_MAX + 1, b, sizeof b), -EINVAL);
    assert_int_equal(plate_json_number(1, 0, b, 0), -ENOBUFS);
}

static void strings_are_escaped(void **state)
{
    (void)state;
#define BAD "\xEF\xBF\xBD"
    static const struct {
        const char *text, *json;
    } c[] = {
        {"", "\"\""},
        {"a\"b\\c/", "\"a\\\"b\\\\c/\""},
        {"\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\""},
        {"gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x8F\x8B", "\"gr\xC3\xBC\xC3\x9F \xE2\x82\xAC \xF0\x9F\x8F\x8B\""},
        {"\xC3", "\"" BAD "\""},
        {"\xC3(", "\"" BAD "(\""},
        {"\xC0\xAF", "\"" BAD BAD "\""},                 /* overlong */
        {"\xE0\x80\xAF", "\"" BAD BAD BAD "\""},         /* overlong */
        {"\xED\xA0\x80", "\"" BAD BAD BAD "\""},         /* surrogate */
        {"\xF4\x90\x80\x80", "\"" BAD BAD BAD BAD "\""}, /* beyond U+10FFFF */
        {"\xFFx\x80", "\"" BAD "x" BAD "\""},
    };
    char b[128];
    for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
        assert_int_equal(plate_json_string(c[i].text, b, sizeof b), strlen(c[i].json));
        assert_string_equal(b, c[i].json);
    }
}

static void any_bytes_make_valid_json(void **state)
{
    (void)state;
    rng_state = 20260103;
    print_message("seed %llu\n", (unsigned long long)rng_state);
    for (int i = 0; i < 20000; i++) {
        char text[24] = {0}, b[6 * sizeof text + 3];
        size_t n = bits() % (sizeof text - 1);
        for (size_t k = 0; k < n; k++) {
            static const unsigned char lively[] = {0xC2, 0xE0, 0xED, 0xF0, 0xF4, 0x80, 0x8F,
                                                   0x9F, 0xA0, 0xBF, '"',  '\\', '\n', 'a'};
            text[k] = (char)(bits() % 4 ? lively[bits() % sizeof lively] : 1 + bits() % 255);
        }
        assert_true(plate_json_string(text, b, sizeof b) > 0);
        json_t *j = json_loads(b, JSON_DECODE_ANY, NULL);
        if (!j) fail_msg("%d: %s", i, b);
        json_t *valid = json_string(text); /* NULL where jansson finds it not to be UTF-8 */
        if (valid)
            assert_string_equal(json_string_value(j), text);
        else
            assert_non_null(strstr(json_string_value(j), BAD));
        json_decref(valid);
        json_decref(j);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_those_of_printf),
        cmocka_unit_test(numbers_at_the_edges),
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(any_bytes_make_valid_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
