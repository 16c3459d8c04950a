/* diskshim.c - preloaded into plated so that a test is its disk. Of the files under DISKSHIM_DIR:
 *   DISKSHIM_CONTROL  a file of 4 bytes that the test writes at any moment: what the disk does from now on
 *                     0 works, 1 stalls (until it is another number), 2 is full, 3 fails every write and sync,
 *                     4 fails the next sync, and what was written since the one before is zeros then (turns to 0)
 *   DISKSHIM_LOG      every change is written there, with its time and data: what a power cut can take away
 *                     (scripts/lib/crash_power.py reads it)
 * Everything else is passed on. One thread at a time writes archives, as in plated. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define REAL(name, type) ((type)(void *)dlsym(RTLD_NEXT, name))
enum { WORKS, STALLS, IS_FULL, FAILS, FORGETS };
enum { LOG_CREATE = 1, LOG_WRITE, LOG_TRUNCATE, LOG_SYNC, LOG_RENAME, LOG_UNLINK, LOG_SYNC_FOLDER };

struct entry { /* then `size` bytes: data, or a path, or two */
    uint32_t op, size;
    uint64_t file, at;
    int64_t t_ns;
};

static const char *folder;
static size_t folder_length;
static volatile uint32_t *control;
static int log_fd = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up(void)
{
    const char *path = getenv("DISKSHIM_CONTROL");
    folder = getenv("DISKSHIM_DIR");
    folder_length = folder ? strlen(folder) : 0;
    int (*real_open)(const char *, int, ...) = REAL("open", int (*)(const char *, int, ...));
    const int fd = path ? real_open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd >= 0) control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (control == MAP_FAILED) control = NULL;
    if (fd >= 0) close(fd);
    if (getenv("DISKSHIM_LOG")) log_fd = real_open(getenv("DISKSHIM_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int ours(const char *path)
{
    pthread_once(&once, set_up);
    return folder && strncmp(path, folder, folder_length) == 0 && (path[folder_length] == '/' || path[folder_length] == 0);
}

static int ours_fd(int fd)
{
    char link[64], path[PATH_MAX];
    struct stat st;
    pthread_once(&once, set_up);
    if (!folder || fstat(fd, &st) < 0 || !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    return ours(path);
}

/* Where each file ended when it was last synced: what lies behind can be forgotten. */
enum { FILES = 64 };
static struct {
    uint64_t file;
    off_t size;
} synced[FILES];

static void remember_size(const struct stat *st)
{
    synced[st->st_ino % FILES].file = st->st_ino;
    synced[st->st_ino % FILES].size = st->st_size;
}

static void forget(int fd)
{
    static const char zeros[1 << 16];
    struct stat st;
    ssize_t (*real)(int, const void *, size_t, off_t) = REAL("pwrite", ssize_t(*)(int, const void *, size_t, off_t));
    if (fstat(fd, &st) < 0 || synced[st.st_ino % FILES].file != st.st_ino) return;
    for (off_t at = synced[st.st_ino % FILES].size; at < st.st_size;) {
        const off_t left = st.st_size - at;
        const ssize_t n = real(fd, zeros, left < (off_t)sizeof zeros ? (size_t)left : sizeof zeros, at);
        if (n <= 0) return;
        at += n;
    }
}

/* What the disk says to a write or a sync: 0, or the errno. */
static int disk_says(int sync)
{
    while (control && *control == STALLS) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    if (!control) return 0;
    if (*control == FORGETS) return sync ? EIO : 0;
    return *control == IS_FULL && !sync ? ENOSPC : *control == FAILS ? EIO : 0;
}

static uint64_t inode(int fd)
{
    struct stat st;
    return fstat(fd, &st) == 0 ? st.st_ino : 0;
}

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static void note(uint32_t op, uint64_t file, uint64_t at, int64_t t_ns, const struct iovec *data, int n)
{
    struct entry e = {.op = op, .file = file, .at = at, .t_ns = t_ns};
    ssize_t (*real_writev)(int, const struct iovec *, int) = REAL("writev", ssize_t(*)(int, const struct iovec *, int));
    struct iovec io[8] = {{&e, sizeof e}};
    if (log_fd < 0) return;
    for (int i = 0; i < n; i++) {
        io[1 + i] = data[i];
        e.size += (uint32_t)data[i].iov_len;
    }
    const int kept = errno;
    pthread_mutex_lock(&lock);
    if (real_writev(log_fd, io, 1 + n) < 0) abort(); /* a log with a hole proves nothing */
    pthread_mutex_unlock(&lock);
    errno = kept;
}

static void note_paths(uint32_t op, uint64_t file, int64_t t_ns, const char *a, const char *b)
{
    const struct iovec io[] = {{(void *)a, strlen(a) + 1}, {(void *)b, b ? strlen(b) + 1 : 0}};
    note(op, file, 0, t_ns, io, b ? 2 : 1);
}

static int do_open(const char *name, const char *path, int flags, mode_t mode)
{
    int (*real)(const char *, int, ...) = REAL(name, int (*)(const char *, int, ...));
    struct stat st;
    if (!ours(path) || (flags & O_ACCMODE) == O_RDONLY) return real(path, flags, mode);
    const int there = stat(path, &st) == 0, e = disk_says(0);
    const int64_t t_ns = now_ns();
    if (e && flags & O_CREAT && !there) return errno = e, -1;
    const int fd = real(path, flags, mode);
    if (fd >= 0 && !there) note_paths(LOG_CREATE, inode(fd), t_ns, path, NULL);
    if (fd >= 0 && there && flags & O_TRUNC) note(LOG_TRUNCATE, inode(fd), 0, t_ns, NULL, 0);
    return fd;
}

#define OPEN(name)                                                                                                             \
    int name(const char *path, int flags, ...)                                                                                 \
    {                                                                                                                          \
        va_list ap;                                                                                                            \
        va_start(ap, flags);                                                                                                   \
        const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;                                            \
        va_end(ap);                                                                                                            \
        return do_open(#name, path, flags, mode);                                                                              \
    }
OPEN(open)
OPEN(open64)

/* n bytes more of a full disk: it takes none. Half of them, sometimes, would be possible too; plated's own fault then. */
#define WRITE(name, parameters, arguments, where, io, n)                                                                       \
    ssize_t name parameters;                                                                                                   \
    ssize_t name parameters                                                                                                    \
    {                                                                                                                          \
        ssize_t(*real) parameters = REAL(#name, ssize_t(*) parameters);                                                        \
        if (!ours_fd(fd)) return real arguments;                                                                               \
        const int e = disk_says(0);                                                                                            \
        const int64_t t_ns = now_ns();                                                                                         \
        if (e) return errno = e, -1;                                                                                           \
        const off_t at = where;                                                                                                \
        const ssize_t done = real arguments;                                                                                   \
        if (done > 0) note(LOG_WRITE, inode(fd), (uint64_t)at, t_ns, io, n);                                                   \
        return done;                                                                                                           \
    }
#define ONE (&(struct iovec){(void *)bytes, (size_t)done})
WRITE(write, (int fd, const void *bytes, size_t size), (fd, bytes, size), lseek(fd, 0, SEEK_CUR), ONE, 1)
WRITE(pwrite, (int fd, const void *bytes, size_t size, off_t offset), (fd, bytes, size, offset), offset, ONE, 1)
WRITE(pwrite64, (int fd, const void *bytes, size_t size, off_t offset), (fd, bytes, size, offset), offset, ONE, 1)
WRITE(pwritev, (int fd, const struct iovec *io, int n, off_t offset), (fd, io, n, offset), offset, io, n)
WRITE(pwritev64, (int fd, const struct iovec *io, int n, off_t offset), (fd, io, n, offset), offset, io, n)

#define TRUNCATE(name)                                                                                                         \
    int name(int fd, off_t size)                                                                                               \
    {                                                                                                                          \
        int (*real)(int, off_t) = REAL(#name, int (*)(int, off_t));                                                            \
        if (!ours_fd(fd)) return real(fd, size);                                                                               \
        const int e = disk_says(0);                                                                                            \
        const int64_t t_ns = now_ns();                                                                                         \
        if (e == EIO) return errno = e, -1;                                                                                    \
        const int rc = real(fd, size);                                                                                         \
        if (rc == 0) note(LOG_TRUNCATE, inode(fd), (uint64_t)size, t_ns, NULL, 0);                                             \
        return rc;                                                                                                             \
    }
TRUNCATE(ftruncate)
TRUNCATE(ftruncate64)

#define SYNC(name)                                                                                                             \
    int name(int fd)                                                                                                           \
    {                                                                                                                          \
        struct stat st;                                                                                                        \
        int (*real)(int) = REAL(#name, int (*)(int));                                                                          \
        if (!ours_fd(fd)) return real(fd);                                                                                     \
        const int64_t t_ns = now_ns();                                                                                         \
        const int e = disk_says(1);                                                                                            \
        if (e && *control == FORGETS) {                                                                                        \
            forget(fd);                                                                                                        \
            *control = WORKS;                                                                                                  \
        }                                                                                                                      \
        if (e) return errno = e, -1;                                                                                           \
        const int rc = real(fd);                                                                                               \
        if (rc < 0 || fstat(fd, &st) < 0) return rc;                                                                           \
        remember_size(&st);                                                                                                    \
        const int64_t done_ns = now_ns();                                                                                      \
        const uint32_t op = S_ISDIR(st.st_mode) ? LOG_SYNC_FOLDER : LOG_SYNC;                                                  \
        if (rc == 0) note(op, st.st_ino, (uint64_t)(done_ns - t_ns), done_ns, NULL, 0); /* at: how long it took, in ns */      \
        return rc;                                                                                                             \
    }
SYNC(fsync)
SYNC(fdatasync)

int rename(const char *from, const char *to)
{
    int (*real)(const char *, const char *) = REAL("rename", int (*)(const char *, const char *));
    const int64_t t_ns = now_ns();
    const int e = ours(to) ? disk_says(1) : 0;
    if (e) return errno = e, -1;
    const int rc = real(from, to);
    if (rc == 0 && ours(to)) note_paths(LOG_RENAME, 0, t_ns, from, to);
    return rc;
}

int unlink(const char *path)
{
    int (*real)(const char *) = REAL("unlink", int (*)(const char *));
    const int64_t t_ns = now_ns();
    const int rc = real(path);
    if (rc == 0 && ours(path)) note_paths(LOG_UNLINK, 0, t_ns, path, NULL);
    return rc;
}
