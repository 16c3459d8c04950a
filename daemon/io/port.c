#include "port_find.h"
#include "port_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Linux's numbers of the slave side of a pty (Documentation/admin-guide/devices.txt). */
#define PTY_MAJOR_FIRST 136
#define PTY_MAJOR_LAST 143

struct port {
    const struct port_source *source;
    void *p;
};

int port_fail(struct port_error *ret_error, int error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (ret_error) vsnprintf(ret_error->text, sizeof ret_error->text, format, args);
    va_end(args);
    return -error;
}

int port_lock(const char *path, struct port_error *ret_error)
{
    int fd = open(path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) return fd;
    int error = errno == EWOULDBLOCK ? EBUSY : errno;
    if (fd >= 0) close(fd);
    switch (error) {
    case EBUSY:
        return port_fail(ret_error, error, "%s: in use by another program: stop it, or name another port", path);
    case EACCES:
    case EPERM:
        return port_fail(ret_error, error, "%s: permission denied: add the user to the group that owns it (dialout)", path);
    case ENOENT:
    case ENXIO:
    case ENODEV:
        return port_fail(ret_error, error, "%s: no such device: plug it in, or name another port", path);
    default:
        return port_fail(ret_error, error, "%s: cannot be opened: %s", path, strerror(error));
    }
}

ssize_t port_result(int fd, ssize_t n)
{
    if (n > 0) return n;
    if (n < 0 && (errno == EIO || errno == ENXIO || errno == ENODEV)) return -EPIPE;
    if (n < 0) return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    /* Nothing was moved: a port says so alike when it is idle and when it has gone. */
    struct pollfd p = {.fd = fd};
    return poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR | POLLNVAL) ? -EPIPE : 0;
}

static int pick_source(const char *path, const struct port_source **ret, struct port_error *ret_error)
{
    struct stat st;
    if (stat(path, &st) < 0) return port_fail(ret_error, errno, "%s: %s", path, strerror(errno));
    if (!S_ISCHR(st.st_mode)) return port_fail(ret_error, ENOTTY, "%s: not a serial port: name a character device", path);
    bool pty = major(st.st_rdev) >= PTY_MAJOR_FIRST && major(st.st_rdev) <= PTY_MAJOR_LAST;
    *ret = pty ? &port_tty : &port_serial;
    return 0;
}

/* What `name` leads to now, without symlinks; malloced. */
static int resolve(const char *name, char **ret, struct port_error *ret_error)
{
    char found[64];
    int r = port_is_usb(name) ? port_find_usb(&port_roots_system, name, found, sizeof found, ret_error) : 0;
    if (r < 0) return r;
    *ret = realpath(port_is_usb(name) ? found : name, NULL);
    if (*ret) return 0;
    if (errno == ENOENT) return port_fail(ret_error, ENOENT, "%s: no such device: plug it in, or name another port", name);
    return port_fail(ret_error, errno, "%s: %s", name, strerror(errno));
}

int port_open(const struct port_config *cfg, struct port **ret, struct port_error *ret_error)
{
    char *path = NULL;
    if (!cfg->path || !*cfg->path) return port_fail(ret_error, EINVAL, "port: no path: name a device");
    int r = resolve(cfg->path, &path, ret_error);
    if (r < 0) return r;
    struct port *p = calloc(1, sizeof *p);
    r = p ? pick_source(path, &p->source, ret_error) : port_fail(ret_error, ENOMEM, "%s: out of memory", path);
    if (r == 0) r = p->source->open(&(struct port_config){.path = path, .baud = cfg->baud}, &p->p, ret_error);
    free(path);
    if (r == 0)
        *ret = p;
    else
        free(p);
    return r;
}

void port_close(struct port *p)
{
    if (p) p->source->close(p->p);
    free(p);
}

int port_fd(const struct port *p) { return p->source->fd(p->p); }
ssize_t port_read(struct port *p, uint8_t *buffer, size_t size) { return p->source->read(p->p, buffer, size); }
ssize_t port_write(struct port *p, const void *bytes, size_t n) { return p->source->write(p->p, bytes, n); }
const char *port_kind(const struct port *p) { return p->source->kind; }
