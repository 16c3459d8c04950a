/* slowshim.c - preloaded into a test so that a port misbehaves. SLOWSHIM=PATH:SECONDS: the tty that the symlink PATH leads to
 * takes so long to open for writing, and to close; PATH:0: it says that it has bytes, and gives none. Everything else is passed
 * on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define REAL(name, type) ((type)(void *)dlsym(RTLD_NEXT, name))

static int troubled(const char *path, double *ret_s)
{
    const char *what = getenv("SLOWSHIM"), *colon = what ? strrchr(what, ':') : NULL;
    char link[PATH_MAX], *real;
    if (!colon || (size_t)(colon - what) >= sizeof link) return 0;
    memcpy(link, what, (size_t)(colon - what));
    link[colon - what] = 0;
    real = realpath(link, NULL);
    int same = real && strcmp(real, path) == 0;
    free(real);
    *ret_s = strtod(colon + 1, NULL);
    return same;
}

static void pause_s(double s)
{
    nanosleep(&(struct timespec){.tv_sec = (time_t)s, .tv_nsec = (long)((s - floor(s)) * 1e9)}, NULL);
}

/* Those that are slow to close, too: when one is closed its name may be gone. */
static _Atomic int slow_ms[1024];

int open(const char *path, int flags, ...)
{
    va_list args;
    double s;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    int slow = strncmp(path, "/dev/pts/", 9) == 0 && (flags & O_ACCMODE) == O_RDWR && troubled(path, &s);
    if (slow) pause_s(s);
    int fd = REAL("open", int (*)(const char *, int, ...))(path, flags, mode);
    if (slow && fd >= 0 && fd < 1024) slow_ms[fd] = (int)(s * 1e3);
    return fd;
}

int close(int fd)
{
    int ms = fd >= 0 && fd < 1024 ? atomic_exchange(&slow_ms[fd], 0) : 0;
    if (ms > 0) pause_s(ms * 1e-3);
    return REAL("close", int (*)(int))(fd);
}

ssize_t read(int fd, void *buffer, size_t n)
{
    char path[64];
    double s;
    if (getenv("SLOWSHIM") && ttyname_r(fd, path, sizeof path) == 0 && troubled(path, &s) && s <= 0) return 0;
    return REAL("read", ssize_t(*)(int, void *, size_t))(fd, buffer, n);
}
