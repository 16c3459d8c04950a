/* Any bytes as a file that the configuration takes in: the calibration of a plate, then the protocol. Taken or refused with one
 * line; what is taken makes a calibration and comes back from the configuration's own text. */
#define _GNU_SOURCE /* memfd_create */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void must(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "fuzz_calibration: %s\n", what);
    abort();
}

/* A file in memory, of these bytes. */
static int file_of(int fd, const void *bytes, size_t n)
{
    if (fd < 0) fd = memfd_create("fuzz", MFD_CLOEXEC);
    must(fd >= 0 && ftruncate(fd, 0) == 0 && pwrite(fd, bytes, n, 0) == (ssize_t)n, "no memory for a file");
    return fd;
}

static void take_in(const char *format, int taken_fd)
{
    static int fd = -1;
    char text[512], path[64];
    struct config c, again;
    struct config_error why = {""};
    fd = file_of(fd, text, (size_t)snprintf(text, sizeof text, format, taken_fd));
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (config_load(path, &c, &why) < 0) {
        must(*why.text && !strchr(why.text, '\n'), "the error is not one line");
        return;
    }
    struct plate_calibration calibration;
    config_calibration(&c.plates[0], &calibration);
    must(plate_calibration_check(&calibration) == 0, "a calibration that makes no sense was taken");
    must(config_parse(c.text, strlen(c.text), "text", &again, &why) == 0, why.text);
    must(strcmp(c.text, again.text) == 0, "the text changed");
    config_done(&c);
    config_done(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static int fd = -1;
    fd = file_of(fd, bytes, n);
    take_in("plates:\n  - {name: left, port: /dev/null, width_mm: 300, length_mm: 400, calibration: /proc/self/fd/%d,\n"
            "     cells: [{name: front_left}, {name: front_right}, {name: back_left}, {name: back_right}]}\n",
            fd);
    take_in("protocol: /proc/self/fd/%d\nplates:\n  - {name: left, port: /dev/null, cells: [{name: force}]}\n", fd);
    return 0;
}
