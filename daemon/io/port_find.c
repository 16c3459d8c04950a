#define _GNU_SOURCE /* strverscmp */
#include "port_find.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

const struct port_roots port_roots_system = {"/sys", "/dev"};

static int fail(struct port_error *ret_error, int error, const char *name, const char *what)
{
    if (ret_error) snprintf(ret_error->text, sizeof ret_error->text, "%.80s: %s", name, what);
    return -error;
}

/* The first line of FOLDER/FILE, printable; false: there is none. */
static bool read_line(const char *folder, const char *file, char *ret, size_t size)
{
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    FILE *f = fopen(path, "re");
    bool ok = f && fgets(ret, (int)size, f);
    if (f) fclose(f);
    if (!ok) return false;
    ret[strcspn(ret, "\n")] = 0;
    for (char *c = ret; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '_';
    return true;
}

/* The USB device above a port is the nearest folder with a vendor. */
static void describe_usb(const struct port_roots *roots, char *folder, struct port_found *p)
{
    char maker[72] = "", product[80] = "";
    size_t root = strlen(roots->sys);
    while (!read_line(folder, "idVendor", p->vendor, sizeof p->vendor)) {
        char *slash = strrchr(folder, '/');
        if (!slash || slash <= folder + root) return;
        *slash = 0;
    }
    read_line(folder, "idProduct", p->product, sizeof p->product);
    read_line(folder, "serial", p->serial, sizeof p->serial);
    read_line(folder, "manufacturer", maker, sizeof maker);
    read_line(folder, "product", product, sizeof product);
    snprintf(p->what, sizeof p->what, "%s%s%s", maker, *maker && *product ? " " : "", product);
}

/* Udev's name in FOLDER (serial/by-id) that leads to `target`. */
static void find_link(const struct port_roots *roots, const char *folder, const char *target, char *ret, size_t size)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", roots->dev, folder);
    DIR *d = opendir(path);
    const struct dirent *e;
    while (d && (e = readdir(d))) {
        if (*e->d_name == '.' || snprintf(path, sizeof path, "%s/%s/%s", roots->dev, folder, e->d_name) >= (int)size) continue;
        char *real = realpath(path, NULL);
        if (real && strcmp(real, target) == 0 && (!*ret || strcmp(path, ret) < 0)) snprintf(ret, size, "%s", path);
        free(real);
    }
    if (d) closedir(d);
}

/* False: NAME is no port, or one that is not there. */
static bool describe(const struct port_roots *roots, const char *name, struct port_found *ret)
{
    char path[PATH_MAX], type[16];
    *ret = (struct port_found){.path = ""};
    snprintf(path, sizeof path, "%s/class/tty/%s/device", roots->sys, name);
    if (access(path, F_OK) != 0) return false; /* a console, a pty, ... */
    *strrchr(path, '/') = 0;
    /* The 8250 driver lists ports that the machine does not have: of unknown type. */
    if (read_line(path, "type", type, sizeof type) && strcmp(type, "0") == 0) return false;
    if ((size_t)snprintf(ret->path, sizeof ret->path, "%s/%s", roots->dev, name) >= sizeof ret->path) return false;
    char *folder = realpath(path, NULL), *target = realpath(ret->path, NULL);
    if (folder) describe_usb(roots, folder, ret);
    if (target) {
        find_link(roots, "serial/by-id", target, ret->by_id, sizeof ret->by_id);
        find_link(roots, "serial/by-path", target, ret->by_path, sizeof ret->by_path);
    }
    free(folder);
    free(target);
    return target != NULL;
}

static int by_path(const void *a, const void *b)
{
    return strverscmp(((const struct port_found *)a)->path, ((const struct port_found *)b)->path);
}

int port_find_all(const struct port_roots *roots, struct port_found **ret, size_t *ret_n)
{
    char path[PATH_MAX];
    struct port_found *ports = NULL;
    size_t n = 0;
    snprintf(path, sizeof path, "%s/class/tty", roots->sys);
    DIR *d = opendir(path);
    int r = d ? 0 : -errno;
    const struct dirent *e;
    while (r == 0 && (e = readdir(d))) {
        struct port_found found, *more;
        if (*e->d_name == '.' || !describe(roots, e->d_name, &found)) continue;
        if ((more = realloc(ports, (n + 1) * sizeof *ports))) {
            ports = more;
            ports[n++] = found;
        } else
            r = -ENOMEM;
    }
    if (d) closedir(d);
    if (r < 0) {
        free(ports);
        return r;
    }
    if (n) qsort(ports, n, sizeof *ports, by_path);
    *ret = ports;
    *ret_n = n;
    return 0;
}

int port_find_name(const struct port_found *ports, size_t n, size_t i, char *ret, size_t size)
{
    const struct port_found *p = &ports[i];
    bool alone = *p->vendor && *p->serial;
    for (size_t k = 0; k < n && alone; k++)
        alone = k == i || strcasecmp(ports[k].vendor, p->vendor) != 0 || strcasecmp(ports[k].product, p->product) != 0 ||
                strcmp(ports[k].serial, p->serial) != 0;
    if (alone) return snprintf(ret, size, "usb:%s:%s:%s", p->vendor, p->product, p->serial);
    /* Without a serial number the board's own name is anybody's of its kind: the socket tells them apart. */
    const char *name = *p->by_id && *p->serial ? p->by_id : *p->by_path ? p->by_path : *p->by_id ? p->by_id : p->path;
    return snprintf(ret, size, "%s", name);
}

/* ---- by USB ids ---- */

bool port_is_usb(const char *name) { return strncmp(name, "usb:", 4) == 0; }

static bool is_id(const char *text)
{
    for (unsigned i = 0; i < 4; i++)
        if (!isxdigit((unsigned char)text[i])) return false;
    return true;
}

bool port_usb_valid(const char *name)
{
    if (!port_is_usb(name) || !is_id(name + 4) || name[8] != ':' || !is_id(name + 9)) return false;
    return name[13] == 0 || (name[13] == ':' && name[14] != 0);
}

int port_find_usb(const struct port_roots *roots, const char *name, char *ret_path, size_t size, struct port_error *ret_error)
{
    struct port_found *ports = NULL;
    size_t n = 0, found = 0, first = 0;
    if (!port_usb_valid(name)) return fail(ret_error, EINVAL, name, "not a USB device: write usb:VENDOR:PRODUCT:SERIAL");
    int r = port_find_all(roots, &ports, &n);
    if (r < 0) return fail(ret_error, -r, name, "cannot be looked for: /sys cannot be read");
    for (size_t i = 0; i < n; i++) {
        const struct port_found *p = &ports[i];
        if (strncasecmp(p->vendor, name + 4, 4) != 0 || strncasecmp(p->product, name + 9, 4) != 0) continue;
        if (name[13] && strcmp(p->serial, name + 14) != 0) continue;
        if (found++ == 0) first = i;
    }
    if (found == 1) snprintf(ret_path, size, "%s", ports[first].path);
    free(ports);
    if (found == 1) return 0;
    if (found == 0) return fail(ret_error, ENOENT, name, "no such device is plugged in: platectl ports lists what is");
    return fail(ret_error, ENOTUNIQ, name, "several ports are that: add the serial number, or name one of /dev/serial/by-path");
}
