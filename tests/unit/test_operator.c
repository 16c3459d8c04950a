/* One lock on all commands: app/operator.h. */
#include "operator.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ANNA "token-of-anna"
#define BOB "token-of-bob"
#define SECOND 1000000000LL

static void tokens(void **state)
{
    (void)state;
    char longest[OPERATOR_TOKEN_SIZE + 1];
    memset(longest, 'x', sizeof longest);
    longest[OPERATOR_TOKEN_SIZE] = '\0';
    assert_false(operator_token_valid(longest));
    longest[OPERATOR_TOKEN_SIZE - 1] = '\0';
    assert_true(operator_token_valid(longest));
    assert_true(operator_token_valid("12345678"));
    assert_true(operator_token_valid("Az09-_Az"));
    assert_false(operator_token_valid(""));
    assert_false(operator_token_valid("1234567"));
    assert_false(operator_token_valid("12345 78"));
    assert_false(operator_token_valid("12345\n78"));
    assert_false(operator_token_valid("gr\xc3\xb6\xc3\x9f"
                                      "er8"));
}

static void free_for_all(void **state)
{
    (void)state;
    struct operator_lock l = {.name = ""};
    assert_false(operator_held(&l));
    assert_true(operator_may(&l, "", 0));
    assert_true(operator_may(&l, BOB, 0));
    assert_int_equal(operator_release(&l, ""), 0);
    assert_false(operator_expire(&l, INT64_MAX));
}

static void held(void **state)
{
    (void)state;
    struct operator_lock l = {.name = ""};
    assert_int_equal(operator_take(&l, "anna", ANNA, false, 1, 100), 0);
    assert_true(operator_held(&l));
    assert_true(operator_may(&l, ANNA, 2));
    assert_int_equal(l.heard_ns, 2);
    const char *const wrong[] = {"", BOB, "token-of-ann", "token-of-annaa", "Token-of-anna"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_false(operator_may(&l, wrong[i], 3));
        assert_int_equal(operator_release(&l, wrong[i]), -EBUSY);
    }
    assert_int_equal(l.heard_ns, 2); /* who is refused was not he */
    assert_int_equal(operator_take(&l, "bob", BOB, false, 4, 200), -EBUSY);
    assert_string_equal(l.name, "anna");
    assert_int_equal(operator_take(&l, "Anna K.", ANNA, false, 5, 300), 0); /* again: since when stays */
    assert_string_equal(l.name, "Anna K.");
    assert_int_equal(l.since_utc_ns, 100);
    assert_int_equal(operator_take(&l, "bob", BOB, true, 6, 400), 0);
    assert_false(operator_may(&l, ANNA, 7));
    assert_true(operator_may(&l, BOB, 7));
    assert_int_equal(l.since_utc_ns, 400);
    assert_int_equal(operator_release(&l, BOB), 0);
    assert_true(operator_may(&l, ANNA, 8));
    assert_int_equal(l.token[0], 0);
}

static void silence(void **state)
{
    (void)state;
    struct operator_lock l = {.name = ""};
    assert_int_equal(operator_take(&l, "anna", ANNA, false, SECOND, 100), 0);
    assert_false(operator_expire(&l, OPERATOR_SILENCE_NS));
    assert_true(operator_may(&l, ANNA, 2 * SECOND)); /* heard once more */
    assert_false(operator_expire(&l, OPERATOR_SILENCE_NS + SECOND));
    assert_false(operator_may(&l, BOB, OPERATOR_SILENCE_NS + SECOND));
    assert_true(operator_expire(&l, OPERATOR_SILENCE_NS + 2 * SECOND));
    assert_false(operator_held(&l));
    assert_false(operator_expire(&l, INT64_MAX)); /* said once */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tokens), cmocka_unit_test(free_for_all), cmocka_unit_test(held),
                                       cmocka_unit_test(silence)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
