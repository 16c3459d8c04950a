/* ptyshim.c - preloaded into a test so that libserialport takes a pty for a serial port, and the real serial path is
 * driven without hardware. It answers the two questions that stop the library:
 *   is /sys/class/tty/NAME a symlink      (lstat, readlink)  yes, if /dev/NAME is there and sysfs does not know it
 *   what are the modem lines              (TIOCMGET ...)     all up; setting them is accepted and forgotten
 * and, with PTYSHIM_AS_SERIAL set, a third, so that plated takes the pty for a serial device:
 *   which driver is behind it             (stat)             that of ttyS*, not that of /dev/pts/N
 * and passes everything else on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Every way by which a C library asks: old binaries call __lxstat, new ones lstat, 32-bit ones the 64-bit names. */
int __lxstat(int version, const char *path, struct stat *st);
int __lxstat64(int version, const char *path, struct stat64 *st);

#define REAL(name, type) ((type)(void *)dlsym(RTLD_NEXT, name))
static const char sysfs[] = "/sys/class/tty/";

/* The failed question was about a tty that exists, only not in sysfs. */
static int is_hidden_tty(const char *path)
{
    char device[PATH_MAX];
    if (errno != ENOENT || strncmp(path, sysfs, sizeof sysfs - 1) != 0) return 0;
    int n = snprintf(device, sizeof device, "/dev/%s", path + sizeof sysfs - 1);
    int there = n > 0 && (size_t)n < sizeof device && access(device, F_OK) == 0;
    errno = ENOENT;
    return there;
}

#define ANSWER_LSTAT(result, path, st)                                                                                         \
    do {                                                                                                                       \
        int r_ = (result);                                                                                                     \
        if (r_ == 0 || !is_hidden_tty(path)) return r_;                                                                        \
        memset(st, 0, sizeof *(st));                                                                                           \
        (st)->st_mode = S_IFLNK | 0777;                                                                                        \
        return 0;                                                                                                              \
    } while (0)

int lstat(const char *restrict path, struct stat *restrict st)
{
    ANSWER_LSTAT(REAL("lstat", int (*)(const char *, struct stat *))(path, st), path, st);
}

int lstat64(const char *restrict path, struct stat64 *restrict st)
{
    ANSWER_LSTAT(REAL("lstat64", int (*)(const char *, struct stat64 *))(path, st), path, st);
}

int stat(const char *restrict path, struct stat *restrict st)
{
    int r = REAL("stat", int (*)(const char *, struct stat *))(path, st);
    if (r == 0 && S_ISCHR(st->st_mode) && strncmp(path, "/dev/pts/", 9) == 0 && getenv("PTYSHIM_AS_SERIAL"))
        st->st_rdev = makedev(4, 64);
    return r;
}

int __lxstat(int version, const char *path, struct stat *st)
{
    ANSWER_LSTAT(REAL("__lxstat", int (*)(int, const char *, struct stat *))(version, path, st), path, st);
}

int __lxstat64(int version, const char *path, struct stat64 *st)
{
    ANSWER_LSTAT(REAL("__lxstat64", int (*)(int, const char *, struct stat64 *))(version, path, st), path, st);
}

ssize_t readlink(const char *restrict path, char *restrict buffer, size_t size)
{
    static const char target[] = "../../devices/virtual/tty/pty";
    ssize_t r = REAL("readlink", ssize_t(*)(const char *, char *, size_t))(path, buffer, size);
    if (r >= 0 || !is_hidden_tty(path)) return r;
    size_t n = size < sizeof target - 1 ? size : sizeof target - 1;
    memcpy(buffer, target, n);
    return (ssize_t)n;
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list args;
    va_start(args, request);
    void *arg = va_arg(args, void *);
    va_end(args);
    int r = REAL("ioctl", int (*)(int, unsigned long, ...))(fd, request, arg);
    if (r >= 0 || (errno != ENOTTY && errno != EINVAL)) return r;
    if (request == TIOCMGET)
        *(int *)arg = TIOCM_DTR | TIOCM_RTS | TIOCM_CTS | TIOCM_DSR | TIOCM_CAR;
    else if (request != TIOCMSET && request != TIOCMBIS && request != TIOCMBIC)
        return r;
    return 0;
}
