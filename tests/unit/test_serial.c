/* The libserialport source over a pty. It runs under tests/e2e/ptyshim.c (LD_PRELOAD): without it the library refuses the
 * pty, and this test fails - it never skips. */
#define _GNU_SOURCE /* ptsname_r */
#include "port_cases.h"

#include <termios.h>

static void every_byte_both_ways(void **s) { (void)s, case_every_byte_both_ways(&port_serial); }
static void hang_up(void **s) { (void)s, case_hang_up(&port_serial); }
static void second_open_is_refused(void **s) { (void)s, case_second_open_is_refused(&port_serial); }

static void line_is_8n1_at_the_rate_without_flow_control(void **s)
{
    (void)s;
    struct pty_pair pty = pty_pair_open();
    int other = open(pty.path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios t;
    assert_int_equal(tcgetattr(other, &t), 0);
    t.c_iflag |= IXON | IXOFF;
    t.c_cflag |= CSTOPB | PARENB | CRTSCTS;
    assert_int_equal(tcsetattr(other, TCSANOW, &t), 0);
    void *p = open_source(&port_serial, pty.path);
    assert_int_equal(tcgetattr(other, &t), 0);
    assert_int_equal(t.c_iflag & (IXON | IXOFF | ICRNL | ISTRIP), 0);
    assert_int_equal(t.c_oflag & OPOST, 0);
    assert_int_equal(t.c_lflag & (ICANON | ECHO | ISIG), 0);
    assert_int_equal(t.c_cflag & (CSTOPB | CRTSCTS), 0);
    assert_int_equal(cfgetospeed(&t), B115200);
    port_serial.close(p);
    close(other);
    close(pty.master);
}

static void refuses_a_rate_of_zero(void **s)
{
    (void)s;
    struct pty_pair pty = pty_pair_open();
    void *p = NULL;
    struct port_error error = {""};
    assert_int_equal(port_serial.open(&(struct port_config){.path = pty.path}, &p, &error), -EINVAL);
    assert_null(p);
    assert_non_null(strstr(error.text, "baud"));
    port_serial.close(NULL);
    close(pty.master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_both_ways),   cmocka_unit_test(hang_up),
        cmocka_unit_test(second_open_is_refused), cmocka_unit_test(line_is_8n1_at_the_rate_without_flow_control),
        cmocka_unit_test(refuses_a_rate_of_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
