/* A pty (plate-sim, socat, ser2net) through termios: libserialport refuses one. */
#include "port_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

struct tty {
    int fd, lock_fd;
};

static int set_raw(int fd)
{
    struct termios t;
    if (tcgetattr(fd, &t) < 0) return -errno;
    cfmakeraw(&t);
    t.c_iflag &= ~(tcflag_t)(IXOFF | IXANY);
    t.c_cflag |= CLOCAL | CREAD;
    t.c_cflag &= ~(tcflag_t)(CSTOPB | CRTSCTS);
    t.c_cc[VMIN] = 1; /* so that read() tells "nothing" (EAGAIN) from the end */
    t.c_cc[VTIME] = 0;
    return tcsetattr(fd, TCSANOW, &t) < 0 ? -errno : 0;
}

static void tty_close(void *p)
{
    struct tty *t = p;
    if (!t) return;
    if (t->fd >= 0) close(t->fd);
    close(t->lock_fd);
    free(t);
}

/* No TIOCEXCL here: a pty keeps it for as long as its master lives, and a daemon that was killed would lock itself out. */
static int tty_open(const struct port_config *cfg, void **ret, struct port_error *ret_error)
{
    int lock_fd = port_lock(cfg->path, ret_error);
    if (lock_fd < 0) return lock_fd;
    struct tty *t = malloc(sizeof *t);
    if (!t) {
        close(lock_fd);
        return port_fail(ret_error, ENOMEM, "%s: out of memory", cfg->path);
    }
    *t = (struct tty){.lock_fd = lock_fd, .fd = open(cfg->path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)};
    int r = t->fd < 0 ? -errno : set_raw(t->fd);
    if (r < 0) {
        tty_close(t);
        return port_fail(ret_error, -r, "%s: cannot be opened: %s", cfg->path, strerror(-r));
    }
    *ret = t;
    return 0;
}

static int tty_fd(const void *p) { return ((const struct tty *)p)->fd; }

static ssize_t tty_read(void *p, uint8_t *buffer, size_t size)
{
    int fd = tty_fd(p);
    return port_result(fd, read(fd, buffer, size));
}

static ssize_t tty_write(void *p, const void *bytes, size_t n)
{
    int fd = tty_fd(p);
    return port_result(fd, write(fd, bytes, n));
}

const struct port_source port_tty = {
    .kind = "pty", .open = tty_open, .close = tty_close, .fd = tty_fd, .read = tty_read, .write = tty_write};
