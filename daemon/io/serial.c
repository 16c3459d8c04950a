/* A serial port through libserialport. */
#include "port_internal.h"

#include <errno.h>
#include <libserialport.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

struct serial {
    struct sp_port *port;
    int fd, lock_fd;
    bool open;
};

/* To -errno; right after the call that failed, while its errno is still there. */
static int failure(enum sp_return r)
{
    int error = sp_last_error_code();
    switch (r) {
    case SP_OK:
        return 0;
    case SP_ERR_ARG:
        return -EINVAL;
    case SP_ERR_MEM:
        return -ENOMEM;
    case SP_ERR_SUPP:
        return -ENOTSUP;
    default:
        return error > 0 ? -error : -EIO;
    }
}

static void serial_close(void *p)
{
    struct serial *s = p;
    if (!s) return;
    if (s->open) tcflush(s->fd, TCOFLUSH); /* else close() waits up to 30 s for a line that takes nothing */
    if (s->open) sp_close(s->port);
    sp_free_port(s->port);
    close(s->lock_fd); /* last: until the driver has let go, the port is ours */
    free(s);
}

/* Left on, XON/XOFF would eat every 0x11 and 0x13 of binary data. libserialport 0.1.1 looks for CRTSCTS in the wrong
 * word (c_iflag), so what another program left on would stay on. */
static int flow_control_off(int fd)
{
    struct termios t;
    if (tcgetattr(fd, &t) < 0) return -errno;
    t.c_iflag &= ~(tcflag_t)(IXON | IXOFF | IXANY);
    t.c_cflag &= ~(tcflag_t)CRTSCTS;
    return tcsetattr(fd, TCSANOW, &t) < 0 ? -errno : 0;
}

static int set_up(struct serial *s, const struct port_config *cfg, struct port_error *ret_error)
{
    int r;
    if ((r = failure(sp_get_port_by_name(cfg->path, &s->port))) < 0) {
        if (r == -EINVAL) r = -ENOTTY; /* a path that is no port, as far as the library can see */
        return port_fail(ret_error, -r, "%s: not a serial port: name a device such as /dev/ttyUSB0", cfg->path);
    }
    if ((r = failure(sp_open(s->port, SP_MODE_READ_WRITE))) < 0)
        return port_fail(ret_error, -r, "%s: cannot be opened: %s", cfg->path, strerror(-r));
    s->open = true;
    if ((r = failure(sp_get_port_handle(s->port, &s->fd))) < 0 || (r = ioctl(s->fd, TIOCEXCL) < 0 ? -errno : 0) < 0 ||
        (r = failure(sp_set_bits(s->port, 8))) < 0 || (r = failure(sp_set_parity(s->port, SP_PARITY_NONE))) < 0 ||
        (r = failure(sp_set_stopbits(s->port, 1))) < 0 || (r = failure(sp_set_flowcontrol(s->port, SP_FLOWCONTROL_NONE))) < 0 ||
        (r = flow_control_off(s->fd)) < 0)
        return port_fail(ret_error, -r, "%s: cannot be set to 8N1 without flow control: %s", cfg->path, strerror(-r));
    if ((r = failure(sp_set_baudrate(s->port, (int)cfg->baud))) < 0)
        return port_fail(ret_error, -r, "%s: cannot be set to %u baud: %s", cfg->path, cfg->baud, strerror(-r));
    return 0;
}

static int serial_open(const struct port_config *cfg, void **ret, struct port_error *ret_error)
{
    if (cfg->baud == 0 || cfg->baud > INT_MAX)
        return port_fail(ret_error, EINVAL, "%s: %u baud: name a rate that the device has, e.g. 115200", cfg->path, cfg->baud);
    int lock_fd = port_lock(cfg->path, ret_error);
    if (lock_fd < 0) return lock_fd;
    struct serial *s = calloc(1, sizeof *s);
    if (!s) {
        close(lock_fd);
        return port_fail(ret_error, ENOMEM, "%s: out of memory", cfg->path);
    }
    s->lock_fd = lock_fd;
    int r = set_up(s, cfg, ret_error);
    if (r < 0)
        serial_close(s);
    else
        *ret = s;
    return r;
}

static int serial_fd(const void *p) { return ((const struct serial *)p)->fd; }

/* The library's calls return a negative code and keep errno: back to what read(2) and write(2) say. */
static ssize_t result(const struct serial *s, enum sp_return n)
{
    int r = n < 0 ? failure(n) : 0;
    if (r < 0) errno = -r;
    return port_result(s->fd, n < 0 ? -1 : (ssize_t)n);
}

static ssize_t serial_read(void *p, uint8_t *buffer, size_t size)
{
    const struct serial *s = p;
    return result(s, sp_nonblocking_read(s->port, buffer, size));
}

static ssize_t serial_write(void *p, const void *bytes, size_t n)
{
    const struct serial *s = p;
    return result(s, sp_nonblocking_write(s->port, bytes, n));
}

const struct port_source port_serial = {
    .kind = "serial", .open = serial_open, .close = serial_close, .fd = serial_fd, .read = serial_read, .write = serial_write};
