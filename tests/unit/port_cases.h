/* port_cases.h - what every source of bytes must do, written once: test_port.c runs it on the termios source,
 * test_serial.c on libserialport's. */
#pragma once
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "port.h"
#include "pty_pair.h"

static void *open_source(const struct port_source *source, const char *path)
{
    struct port_error error = {""};
    void *p = NULL;
    int r = source->open(&(struct port_config){.path = path, .baud = 115200}, &p, &error);
    if (r < 0) print_error("%s\n", error.text);
    assert_int_equal(r, 0);
    return p;
}

static void read_exactly(const struct port_source *source, void *p, uint8_t *buffer, size_t n)
{
    for (size_t have = 0; have < n;) {
        struct pollfd fd = {.fd = source->fd(p), .events = POLLIN};
        assert_int_equal(poll(&fd, 1, 2000), 1);
        ssize_t r = source->read(p, buffer + have, n - have);
        assert_true(r >= 0);
        have += (size_t)r;
    }
}

static void case_every_byte_both_ways(const struct port_source *source)
{
    struct pty_pair pty = pty_pair_open();
    void *p = open_source(source, pty.path);
    uint8_t sent[256], got[256];
    all_bytes(sent);
    assert_int_equal(source->read(p, got, sizeof got), 0);
    assert_int_equal(write(pty.master, sent, sizeof sent), sizeof sent);
    read_exactly(source, p, got, sizeof got);
    assert_memory_equal(sent, got, sizeof sent);
    assert_int_equal(source->write(p, sent, sizeof sent), sizeof sent);
    pty_pair_read_exactly(pty.master, got, sizeof got);
    assert_memory_equal(sent, got, sizeof sent);
    source->close(p);
    close(pty.master);
}

/* What was sent before the cable came out still arrives, then -EPIPE and nothing else. */
static void case_hang_up(const struct port_source *source)
{
    struct pty_pair pty = pty_pair_open();
    void *p = open_source(source, pty.path);
    uint8_t buffer[16];
    assert_int_equal(write(pty.master, "\0\021\023\377", 4), 4);
    read_exactly(source, p, buffer, 4);
    assert_memory_equal(buffer, "\0\021\023\377", 4);
    close(pty.master);
    struct pollfd fd = {.fd = source->fd(p), .events = POLLIN};
    assert_int_equal(poll(&fd, 1, 2000), 1);
    assert_true(fd.revents & (POLLHUP | POLLERR));
    for (int i = 0; i < 3; i++) assert_int_equal(source->read(p, buffer, sizeof buffer), -EPIPE);
    assert_int_equal(source->write(p, "x", 1), -EPIPE);
    source->close(p);
}

static void case_second_open_is_refused(const struct port_source *source)
{
    struct pty_pair pty = pty_pair_open();
    void *p = open_source(source, pty.path), *second = NULL;
    struct port_error error = {""};
    uint8_t got[3];
    struct port_config cfg = {.path = pty.path, .baud = 115200};
    assert_int_equal(write(pty.master, "abc", 3), 3);
    assert_int_equal(source->open(&cfg, &second, &error), -EBUSY);
    assert_null(second);
    assert_non_null(strstr(error.text, pty.path));
    read_exactly(source, p, got, 3); /* and the first owner lost nothing by it */
    assert_memory_equal(got, "abc", 3);
    source->close(p);
    source->close(open_source(source, pty.path)); /* free again */
    close(pty.master);
}
