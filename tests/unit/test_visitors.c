/* Who has come to which door, by what two monitors tell one after the other. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "visitors.h"

static struct visitors visitors;

/* A descriptor of a connection, as ZeroMQ's; the other side's. */
static int connected(int *ret_other)
{
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    *ret_other = pair[1];
    return pair[0];
}

static bool is_open(int other)
{
    char byte;
    return recv(other, &byte, 1, MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* Somebody comes to door 1 and goes; the next, at door 0, gets his number, and is told of first. */
static void a_number_that_is_used_again(void **state)
{
    (void)state;
    int first_other, second_other, first = connected(&first_other);
    close(first);
    int second = connected(&second_other);
    assert_int_equal(second, first);
    assert_true(visitors_come(&visitors, 0, (uint32_t)second, 0));
    assert_true(visitors_come(&visitors, 1, (uint32_t)first, 0));
    assert_false(visitors_go(&visitors, 1, (uint32_t)first));
    assert_int_equal(visitors.there[0], 1);
    assert_int_equal(visitors.there[1], 0);
    assert_true(is_open(second_other));
    visitors_end_all(&visitors);
    assert_false(is_open(second_other));
    assert_false(visitors_go(&visitors, 0, (uint32_t)second));
    assert_int_equal(visitors.there[0], 0);
    close(second), close(first_other), close(second_other);
}

/* The same, and the one that went is told of first; his going comes when the next one is there. */
static void told_of_in_order(void **state)
{
    (void)state;
    int first_other, second_other, first = connected(&first_other);
    assert_true(visitors_come(&visitors, 1, (uint32_t)first, 0));
    close(first);
    int second = connected(&second_other);
    assert_int_equal(second, first);
    assert_true(visitors_come(&visitors, 0, (uint32_t)second, 0));
    assert_false(visitors_go(&visitors, 1, (uint32_t)first));
    assert_int_equal(visitors.there[0], 1);
    assert_int_equal(visitors.there[1], 0);
    visitors_end_all(&visitors);
    assert_false(is_open(second_other));
    close(second), close(first_other), close(second_other);
    visitors_done(&visitors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_that_is_used_again),
        cmocka_unit_test(told_of_in_order),
    };
    visitors_init(&visitors);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
