/* A recording as it grows: what plated has found, told within a second. */
#include "trace.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOOK_NS 200000000L
enum { QUIET_LOOKS = 15 }; /* nothing has come for so long: does the daemon live? */

struct following {
    struct archive_reader *reader;
    char *last; /* path of the part that grows */
    struct stat was;
    size_t shown;
    uint64_t rows;
    unsigned quiet;
};

static void close_it(struct following *f)
{
    archive_reader_close(f->reader);
    free(f->last);
    f->reader = NULL;
    f->last = NULL;
}

/* Opened anew when the file under the name is another one: a sealed file has taken the place of the live one. */
static int look(struct following *f, const char *path, struct archive_error *e)
{
    struct stat now;
    const bool same = f->last && stat(f->last, &now) == 0 && now.st_dev == f->was.st_dev && now.st_ino == f->was.st_ino;
    const unsigned quiet = f->quiet;
    int rc = 0;
    if (same) {
        rc = archive_refresh(f->reader, e);
    } else {
        close_it(f);
        rc = archive_open(path, &f->reader, e);
        if (rc == 0) rc = archive_refresh(f->reader, e);
    }
    if (rc) return rc;
    char *last = archive_last_part(f->reader);
    if (!last) return -ENOMEM;
    if (!same || strcmp(last, f->last) != 0) rc = stat(last, &f->was) < 0 ? -errno : 0;
    free(f->last);
    f->last = last;
    uint64_t rows = 0;
    for (unsigned i = 0; i < archive_recording(f->reader)->plates; i++) rows += archive_rows(f->reader, i);
    f->quiet = rows == f->rows ? quiet + 1 : 0;
    f->rows = rows;
    return rc;
}

/* plated holds the lock of its ring as long as it lives. */
static bool daemon_lives(const struct recording *rec)
{
    const int fd = open(rec->ring, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const bool held = flock(fd, LOCK_SH | LOCK_NB) < 0;
    close(fd);
    return held;
}

static int show(struct following *f, void (*rep)(void *user, const struct plate_event *e), void *user, struct archive_error *e)
{
    struct archive_rep *reps;
    size_t n;
    const int rc = archive_reps(f->reader, &reps, &n, e);
    for (; rc == 0 && f->shown < n; f->shown++)
        rep(user, &(struct plate_event){.type = PLATE_EVENT_REP, .t_s = reps[f->shown].t_s, .u.rep = reps[f->shown].rep});
    if (rc == 0) free(reps);
    return rc;
}

int trace_follow(const char *path, void (*rep)(void *user, const struct plate_event *e), void *user, char *ret_error,
                 size_t error_size)
{
    struct following f = {.reader = NULL};
    struct archive_error e = {""};
    struct archive_info info;
    unsigned torn = 0;
    int rc;
    for (bool seen = false;; seen = true) {
        trace_guard_renew();
        rc = look(&f, path, &e);
        if (rc == 0) rc = show(&f, rep, user, &e);
        if (rc && seen && torn++ < QUIET_LOOKS) { /* a part that is being begun, or has just been replaced */
            close_it(&f);
            nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
            continue;
        }
        if (rc) break;
        torn = 0;
        archive_info(f.reader, &info);
        if (info.sealed && !info.continued) break;
        if (f.quiet > QUIET_LOOKS && !daemon_lives(archive_recording(f.reader))) {
            rc = -ESRCH;
            snprintf(e.text, sizeof e.text, "%.120s: nobody writes it any more, and it is not sealed: plate-trace recover",
                     path);
            break;
        }
        nanosleep(&(struct timespec){.tv_nsec = LOOK_NS}, NULL);
    }
    close_it(&f);
    if (rc) snprintf(ret_error, error_size, "%s", *e.text ? e.text : strerror(-rc));
    return rc;
}
