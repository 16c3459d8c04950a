/* io/port.h - one interface for whatever bytes come from: a serial port (libserialport) or a pty (termios).
 * open and close may block for seconds: call them on the helper thread. read and write never block.
 * One thread at a time; no logging: errors come back in words. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct port_config {
    const char *path; /* a device, a symlink to one, or usb:VENDOR:PRODUCT[:SERIAL] (port_find.h) */
    unsigned baud;    /* 8N1, no flow control */
};
struct port_error {
    char text[256];
}; /* what, and what to do; filled on failure */

struct port;
/* Opens raw, 8N1, no flow control, exclusively (flock; -EBUSY: another daemon has it). Resolves symlinks; a pty goes to
 * the termios source, anything else to libserialport. -ENOENT, -EACCES, ... */
int port_open(const struct port_config *cfg, struct port **ret, struct port_error *ret_error);
void port_close(struct port *p);   /* NULL is fine; may block while the driver drains */
int port_fd(const struct port *p); /* for poll(): POLLIN to read, POLLHUP|POLLERR: the port is gone */
/* > 0 bytes; 0: nothing now; -EPIPE: gone (hang-up); other -errno. */
ssize_t port_read(struct port *p, uint8_t *buffer, size_t size);
ssize_t port_write(struct port *p, const void *bytes, size_t n);
const char *port_kind(const struct port *p); /* "serial", "pty" */

/* The source behind it; io/serial.c and io/tty.c each fill one. */
struct port_source {
    const char *kind;
    int (*open)(const struct port_config *cfg, void **ret, struct port_error *ret_error);
    void (*close)(void *p);
    int (*fd)(const void *p);
    ssize_t (*read)(void *p, uint8_t *buffer, size_t size);
    ssize_t (*write)(void *p, const void *bytes, size_t n);
};
extern const struct port_source port_serial, port_tty;
