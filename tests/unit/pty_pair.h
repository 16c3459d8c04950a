/* pty_pair.h - a pty for the tests of ports: the master plays the device. */
#pragma once
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

struct pty_pair {
    int master;
    char path[64];
};

static inline struct pty_pair pty_pair_open(void)
{
    struct pty_pair p = {.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)};
    assert_true(p.master >= 0);
    assert_int_equal(grantpt(p.master), 0);
    assert_int_equal(unlockpt(p.master), 0);
    assert_int_equal(ptsname_r(p.master, p.path, sizeof p.path), 0);
    return p;
}

/* All 256 bytes: XON, XOFF, NUL, 0xff, CR, LF, ^C and ^D among them. */
static inline void all_bytes(uint8_t bytes[256])
{
    for (unsigned i = 0; i < 256; i++) bytes[i] = (uint8_t)i;
}

static inline void pty_pair_read_exactly(int fd, uint8_t *buffer, size_t n)
{
    for (size_t have = 0; have < n;) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&p, 1, 2000), 1);
        ssize_t r = read(fd, buffer + have, n - have);
        assert_true(r > 0);
        have += (size_t)r;
    }
}
