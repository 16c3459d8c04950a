/* The hosts file: what is taken, and what is said of what is not. */
#include "hosts.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEY "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

static void takes_stations(void **state)
{
    static const char text[] = "# the lab\n"
                               "\n"
                               "  tcp://10.0.0.5:7460\ttcp://10.0.0.5:7461   " KEY "  \r\n"
                               "   # the corner\n"
                               "ipc:///run/plated/data ipc:///run/plated/control";
    struct hosts h;
    struct hosts_error e;

    (void)state;
    assert_int_equal(hosts_parse(text, strlen(text), &h, &e), 0);
    assert_int_equal(h.n, 2);
    assert_string_equal(h.host[0].data, "tcp://10.0.0.5:7460");
    assert_string_equal(h.host[0].control, "tcp://10.0.0.5:7461");
    assert_string_equal(h.host[0].server_key, KEY);
    assert_string_equal(h.host[1].control, "ipc:///run/plated/control");
    assert_string_equal(h.host[1].server_key, "");
}

static void says_what_is_wrong(void **state)
{
    static const struct {
        const char *text;
        unsigned line;
        const char *says;
    } cases[] = {
        {"", 0, "no station"},
        {"# nothing\n\n", 0, "no station"},
        {"tcp://a:1\n", 1, "1 fields"},
        {"\ntcp://a:1 tcp://a:2 " KEY " more\n", 2, "4 fields"},
        {"tcp://a:1 a:2\n", 1, "a:2: no endpoint; write it like tcp://192.168.1.20:7461"},
        {"tcp:// tcp://a:2\n", 1, "no endpoint"},
        {"tcp://a:1 tcp://a:2 short\n", 1, "40 characters"},
        {"tcp://a:1 tcp://a:2 " KEY "x\n", 1, "40 characters"},
        {"tcp://a:1 tcp://a:2 \"rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7xxx\n", 1, "40 characters"},
        {"tcp://a:1 tcp://a:2\ntcp://a:3 tcp://a:2\n", 2, "stands here already"},
        {"tcp://a:1 tcp://a:2\ntcp://a:1 tcp://a:4\n", 2, "stands here already"},
        {"tcp://a:1 tcp://a:2\ntcp://\x80:1 tcp://a:4\n", 2, "no endpoint"},
    };
    struct hosts h = {.n = 77};
    struct hosts_error e;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        e = (struct hosts_error){.line = 99};
        assert_int_equal(hosts_parse(cases[i].text, strlen(cases[i].text), &h, &e), -EINVAL);
        assert_int_equal(e.line, cases[i].line);
        if (!strstr(e.text, cases[i].says)) fail_msg("case %zu: %s", i, e.text);
        assert_int_equal(h.n, 77);
    }
}

static void has_room_for_so_many(void **state)
{
    char text[4096];
    struct hosts h;
    struct hosts_error e;
    size_t n = 0;

    (void)state;
    for (unsigned i = 0; i <= HOSTS; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "tcp://a:%u tcp://b:%u\n", i, i);
        assert_int_equal(hosts_parse(text, n, &h, &e), i < HOSTS ? 0 : -EINVAL);
    }
    assert_int_equal(h.n, HOSTS);
    assert_int_equal(e.line, HOSTS + 1);
}

static void endpoints_have_an_end(void **state)
{
    char text[512];
    struct hosts h;
    struct hosts_error e;

    (void)state;
    for (int n = HOST_ENDPOINT_BYTES - 2; n <= HOST_ENDPOINT_BYTES; n++) { /* without its end */
        int bytes = snprintf(text, sizeof text, "ipc://%0*d ipc://b\n", n - 6, 0);
        assert_int_equal(hosts_parse(text, (size_t)bytes, &h, &e), n < HOST_ENDPOINT_BYTES ? 0 : -EINVAL);
    }
}

static void a_file_that_is_not_there(void **state)
{
    struct hosts h;
    struct hosts_error e;

    (void)state;
    assert_int_equal(hosts_load("/nowhere/hosts", &h, &e), -ENOENT);
    assert_int_equal(e.line, 0);
    assert_true(hosts_load("/", &h, &e) < 0);
    assert_true(hosts_load("/dev/zero", &h, &e) < 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_stations),           cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(has_room_for_so_many),     cmocka_unit_test(endpoints_have_an_end),
        cmocka_unit_test(a_file_that_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
