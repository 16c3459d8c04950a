/* The termios source over a pty, and the choice of a source by path. */
#define _GNU_SOURCE /* ptsname_r */
#include "port_cases.h"

#include <sys/stat.h>

static void every_byte_both_ways(void **s) { (void)s, case_every_byte_both_ways(&port_tty); }
static void hang_up(void **s) { (void)s, case_hang_up(&port_tty); }
static void second_open_is_refused(void **s) { (void)s, case_second_open_is_refused(&port_tty); }

static void a_symlink_leads_to_the_pty(void **s)
{
    (void)s;
    struct pty_pair pty = pty_pair_open();
    char dir[] = "/tmp/plate-port-XXXXXX", link[64];
    assert_non_null(mkdtemp(dir));
    snprintf(link, sizeof link, "%s/plate", dir);
    assert_int_equal(symlink(pty.path, link), 0);
    struct port *p = NULL, *second = NULL;
    assert_int_equal(port_open(&(struct port_config){.path = link}, &p, NULL), 0);
    assert_string_equal(port_kind(p), "pty");
    assert_int_equal(port_open(&(struct port_config){.path = pty.path}, &second, NULL), -EBUSY);
    uint8_t b[4];
    assert_int_equal(port_read(p, b, sizeof b), 0);
    assert_int_equal(port_write(p, "hi", 2), 2);
    pty_pair_read_exactly(pty.master, b, 2);
    assert_memory_equal(b, "hi", 2);
    close(pty.master);
    struct pollfd fd = {.fd = port_fd(p), .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 2000), 1);
    assert_int_equal(port_read(p, b, sizeof b), -EPIPE);
    port_close(p);
    unlink(link);
    rmdir(dir);
}

/* A writer that is faster than the reader is told to wait, and no byte is lost. */
static void a_full_line_takes_a_part(void **s)
{
    (void)s;
    struct pty_pair pty = pty_pair_open();
    struct port *p = NULL;
    assert_int_equal(port_open(&(struct port_config){.path = pty.path}, &p, NULL), 0);
    uint8_t block[4096], got[4096];
    for (size_t i = 0; i < sizeof block; i++) block[i] = (uint8_t)(i * 7);
    size_t sent = 0, read_back = 0;
    for (ssize_t n; (n = port_write(p, block + sent % sizeof block, sizeof block - sent % sizeof block)) != 0;
         sent += (size_t)n) {
        assert_true(n > 0);
        assert_true(sent < 1u << 24);
    }
    while (read_back < sent) {
        size_t want = sent - read_back < sizeof got ? sent - read_back : sizeof got;
        pty_pair_read_exactly(pty.master, got, want);
        for (size_t i = 0; i < want; i++) assert_int_equal(got[i], block[(read_back + i) % sizeof block]);
        read_back += want;
    }
    port_close(p);
    close(pty.master);
}

static void refuses_what_is_no_port(void **s)
{
    (void)s;
    struct port *p = NULL;
    struct port_error error = {""};
    char file[] = "/tmp/plate-port-XXXXXX";
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    assert_int_equal(port_open(&(struct port_config){.path = file, .baud = 9600}, &p, &error), -ENOTTY);
    assert_non_null(strstr(error.text, file));
    close(fd);
    unlink(file);
    error.text[0] = 0;
    assert_int_equal(port_open(&(struct port_config){.path = file, .baud = 9600}, &p, &error), -ENOENT);
    assert_non_null(strstr(error.text, file));
    assert_int_equal(port_open(&(struct port_config){.path = ""}, &p, NULL), -EINVAL);
    assert_int_equal(port_open(&(struct port_config){.path = NULL}, &p, NULL), -EINVAL);
    assert_int_equal(port_open(&(struct port_config){.path = "/dev/null", .baud = 9600}, &p, &error), -ENOTTY);
    assert_int_equal(port_open(&(struct port_config){.path = "/dev/null"}, &p, &error), -EINVAL); /* serial, without a rate */
    assert_null(p);
    port_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_both_ways),     cmocka_unit_test(hang_up),
        cmocka_unit_test(second_open_is_refused),   cmocka_unit_test(a_symlink_leads_to_the_pty),
        cmocka_unit_test(a_full_line_takes_a_part), cmocka_unit_test(refuses_what_is_no_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
