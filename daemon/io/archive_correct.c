#define _GNU_SOURCE /* asprintf */
#include "archive_layout.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy_bytes(int from, int to)
{
    enum { BYTES = 1 << 16 };
    char *bytes = malloc(BYTES);
    ssize_t n = bytes ? 1 : 0;
    int rc = bytes ? 0 : -ENOMEM;
    while (rc == 0 && n > 0) {
        n = read(from, bytes, BYTES);
        if (n < 0) rc = -errno;
        for (ssize_t at = 0, done; rc == 0 && at < n; at += done)
            if ((done = write(to, bytes + at, (size_t)(n - at))) < 0) rc = -errno, done = 0;
    }
    free(bytes);
    return rc;
}

/* With the permissions, and as far as that is allowed the owner, of the original. */
static int copy_file(const char *path, const char *tmp, struct archive_error *ret_error)
{
    struct stat st;
    const int from = open(path, O_RDONLY | O_CLOEXEC);
    if (from < 0 || fstat(from, &st) < 0) {
        const int rc = archive_fail(ret_error, -errno, "%s: %m", path);
        if (from >= 0) close(from);
        return rc;
    }
    const int to = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int rc = to < 0 ? -errno : copy_bytes(from, to);
    if (rc == 0 && fchown(to, st.st_uid, st.st_gid) < 0 && errno != EPERM) rc = -errno;
    if (rc == 0 && fchmod(to, st.st_mode & 07777) < 0) rc = -errno;
    if (to >= 0 && close(to) < 0 && rc == 0) rc = -errno;
    close(from);
    if (rc == -ENOSPC || rc == -EDQUOT)
        return archive_fail(ret_error, rc, "%s: no room for a copy to correct: make some; nothing was changed", path);
    return rc < 0 ? archive_fail(ret_error, rc, "%s: %s", tmp, strerror(-rc)) : 0;
}

static void on_breach(void *user, const char *text) { (void)user, (void)text; }

/* What is damaged would get new checksums. A file that another program has written since has none. */
static int check_bytes(const char *path, const char *name, struct archive_error *ret_error)
{
    const int rc = archive_footer_check(path, on_breach, NULL);
    if (rc == 0 || rc == -ENOENT) return 0;
    return archive_fail(ret_error, rc, "%s: %s", name, rc == -EBADMSG ? "damaged: see plate-trace verify" : strerror(-rc));
}

static int check_part(const char *path, const char *name, struct archive_error *ret_error)
{
    struct archive_reader *r;
    struct archive_error why = {""};
    int rc = archive_open_part(path, &r, ret_error);
    if (rc < 0) return rc;
    rc = archive_check_digest(r, NULL, &why);
    if (rc < 0) archive_fail(ret_error, rc, "%s: %.200s: see plate-trace verify", name, why.text);
    if (rc == 0 && !archive_has_corrections(r))
        rc = archive_fail(ret_error, -EPROTO, "%s: its format is older than corrections: it has no tables for them", name);
    archive_reader_close(r);
    return rc;
}

static int check_marks(const char *path, size_t marks, struct archive_error *ret_error)
{
    struct archive_reader *r;
    struct plate_mark *mark = NULL;
    size_t n = 0;
    int rc = archive_open(path, &r, ret_error);
    if (rc < 0) return rc;
    rc = archive_marks(r, &mark, &n, ret_error);
    if (rc == 0 && n != marks) rc = archive_fail(ret_error, -EBUSY, "%s: somebody else has just corrected it: try again", path);
    free(mark);
    archive_reader_close(r);
    return rc;
}

static int append_all(const char *tmp, const struct archive_row *row, size_t n, struct archive_error *ret_error)
{
    struct archive_writer *w;
    int rc = archive_reopen(tmp, &w, ret_error);
    if (rc < 0) return rc;
    for (size_t i = 0; i < n && rc == 0; i++) {
        const struct record_header h = {.type = row[i].type, .t_s = row[i].t_s, .size = (uint32_t)row[i].size};
        rc = archive_write(w, &h, row[i].payload, ret_error);
    }
    if (archive_abandon(w) < 0 && rc == 0) rc = archive_fail(ret_error, -EIO, "%s: cannot be written", tmp);
    return rc;
}

static int last_part(const char *path, char **ret, struct archive_error *ret_error)
{
    struct archive_reader *r;
    int rc = archive_open(path, &r, ret_error);
    if (rc < 0) return rc;
    char *part = archive_last_part(r);
    archive_reader_close(r);
    *ret = part ? realpath(part, NULL) : NULL; /* a link stays one */
    if (!*ret) rc = archive_fail(ret_error, -errno, "%s: %m", path);
    free(part);
    return rc;
}

int archive_correct(const char *path, size_t marks, const struct archive_row *row, size_t n, struct archive_error *ret_error)
{
    char *real = NULL, *tmp = NULL, *lock_path = NULL;
    int lock_fd = -1;
    int rc = last_part(path, &real, ret_error);
    if (rc == 0 && asprintf(&tmp, "%s.tmp", real) < 0) rc = archive_fail(ret_error, -ENOMEM, "%s", path);
    if (rc == 0) rc = archive_lock(real, &lock_path, &lock_fd, ret_error);
    if (rc == 0) {
        rc = check_bytes(real, path, ret_error);
        if (rc == 0) rc = check_part(real, path, ret_error);
        if (rc == 0) rc = check_marks(path, marks, ret_error);
        if (rc == 0) rc = copy_file(real, tmp, ret_error);
        if (rc == 0) rc = append_all(tmp, row, n, ret_error);
        if (rc == 0) rc = check_part(tmp, path, ret_error);
        if (rc == 0) rc = archive_put_in_place(tmp, real, NULL, ret_error);
        if (rc < 0) unlink(tmp);
        archive_unlock(lock_path, lock_fd);
    }
    free(tmp);
    free(real);
    return rc;
}
