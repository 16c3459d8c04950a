/* io/port_find.h - which serial ports are plugged in, read from sysfs and from udev's names. Nothing is ever opened: an open
 * resets many a board, and would touch devices that nobody named. No library. Any thread. */
#pragma once
#include "port.h"

struct port_found {
    char path[64];                 /* /dev/ttyUSB0 */
    char vendor[8], product[8];    /* of the USB device, hexadecimal; "": no USB device */
    char serial[96], what[160];    /* its serial number; manufacturer and product, as it says itself */
    char by_id[256], by_path[256]; /* udev's names; "": it gave none */
};
/* Where to look: {"/sys", "/dev"}; a test has others. */
struct port_roots {
    const char *sys, *dev;
};
extern const struct port_roots port_roots_system;

/* Every port, by name: *ret is malloced (NULL if there is none). -ENOMEM, or what reading sysfs says. */
int port_find_all(const struct port_roots *roots, struct port_found **ret, size_t *ret_n);
/* What to write as `port` for ports[i], so that it is found again whatever its name is then: by USB ids and serial number if
 * that tells it from the others, else by what udev calls it, else by its path. Returns the length, as snprintf. */
int port_find_name(const struct port_found *ports, size_t n, size_t i, char *ret, size_t size);

/* "usb:VENDOR:PRODUCT" or "usb:VENDOR:PRODUCT:SERIAL", four hexadecimal digits each. */
bool port_is_usb(const char *name);    /* it begins so */
bool port_usb_valid(const char *name); /* and goes on as it should */
/* The path of the one port that it names. -ENOENT: not plugged in; -ENOTUNIQ: several; -EINVAL: not valid. */
int port_find_usb(const struct port_roots *roots, const char *name, char *ret_path, size_t size, struct port_error *ret_error);
