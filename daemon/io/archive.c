#define _GNU_SOURCE /* dup3 */
#include "archive_writer.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- creating ---- */

static int check_recording(const struct recording *rec, struct archive_error *ret_error)
{
    if (rec->config && strlen(rec->config) > ARCHIVE_CONFIG_MAX)
        return archive_fail(ret_error, -E2BIG,
                            "the configuration has %zu bytes, more than the %d that a trace can keep: shorten it",
                            strlen(rec->config), ARCHIVE_CONFIG_MAX);
    if (rec->plates < 1 || rec->plates > PLATE_MAX_PLATES)
        return archive_fail(ret_error, -EINVAL, "%u plates: a recording has 1 to %d", rec->plates, PLATE_MAX_PLATES);
    for (unsigned i = 0; i < rec->plates; i++) {
        const struct recording_plate *p = &rec->plate[i];
        if (!plate_name_valid(p->name) || p->cells < 1 || p->cells > PLATE_MAX_CELLS)
            return archive_fail(ret_error, -EINVAL, "plate %u: its name is not valid or it has %u cells", i, p->cells);
    }
    return 0;
}

static void release(struct archive_writer *w)
{
    for (unsigned i = 0; i < ARCHIVE_TABLES; i++)
        if (w->row_type[i] > 0) H5Tclose(w->row_type[i]);
    archive_unlock(w->lock_path, w->lock_fd);
    free(w);
}

/* HDF5 must not close what it cannot write: it would free half of it, and crash at another file that comes to lie there. Such a
 * file stays open for good, on /dev/null, so that the disk gets its room back. */
static int close_file(hid_t file, struct archive_error *ret_error)
{
    if (H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0)
        return H5Fclose(file) < 0 ? archive_fail(ret_error, -EIO, "cannot be closed") : 0;
    const int rc = archive_fail(ret_error, -EIO, "cannot be closed");
    int *fd;
    const int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (nowhere >= 0 && H5Fget_vfd_handle(file, H5P_DEFAULT, (void **)&fd) >= 0) dup3(nowhere, *fd, O_CLOEXEC);
    if (nowhere >= 0) close(nowhere);
    return rc;
}

int archive_create(const char *path, enum archive_mode mode, const struct recording *rec, struct archive_writer **ret,
                   struct archive_error *ret_error)
{
    H5dont_atexit(); /* its clean-up at exit runs over what a full disk left half closed */
    int rc = check_recording(rec, ret_error);
    if (rc < 0) return rc;
    struct archive_writer *w = calloc(1, sizeof *w);
    if (!w) return archive_fail(ret_error, -ENOMEM, "%s", path);
    w->mode = mode;
    w->lock_fd = -1;
    rc = archive_lock(path, &w->lock_path, &w->lock_fd, ret_error);
    if (rc < 0) {
        release(w);
        return rc;
    }
    const hid_t access = archive_access(mode == ARCHIVE_LIVE), how = H5Pcreate(H5P_FILE_CREATE);
    if (mode == ARCHIVE_SEALED) H5Pset_istore_k(how, 8); /* most tables have a chunk or two: small nodes of the index */
    H5Pset_attr_phase_change(how, ARCHIVE_ATTRIBUTES_MOST, ARCHIVE_ATTRIBUTES_MOST - 1);
    w->file = H5Fcreate(path, H5F_ACC_TRUNC, how, access);
    const hid_t kept = archive_keep_errors(w->file >= 0);
    H5Pclose(how);
    H5Pclose(access);
    archive_restore_errors(kept);
    if (w->file < 0) {
        rc = archive_fail(ret_error, -EIO, "%s: cannot be created", path);
        release(w);
        return rc;
    }
    archive_build(w, rec);
    if (!w->failed && mode == ARCHIVE_LIVE)
        archive_building(w, H5Fstart_swmr_write(w->file) >= 0, "a file that can be read meanwhile");
    if (w->failed) {
        rc = archive_fail(ret_error, -EIO, "%s: %.180s", path, w->first_failure.text);
        close_file(w->file, NULL);
        release(w);
        return rc;
    }
    *ret = w;
    return 0;
}

/* ---- closing and sealing ---- */

/* Of an attribute that stands there already, with the type it was given. */
static bool set_attribute(hid_t at, const char *name, hid_t type, const void *value)
{
    const hid_t a = H5Aopen(at, name, H5P_DEFAULT);
    const bool ok = a >= 0 && H5Awrite(a, type, value) >= 0;
    const hid_t kept = archive_keep_errors(ok);
    if (a >= 0) H5Aclose(a);
    archive_restore_errors(kept);
    return ok;
}

static int finish(struct archive_writer *w, struct archive_error *ret_error)
{
    char digest[65];
    bool ok = true;
    for (unsigned i = 0; i < w->plates && ok; i++) {
        const struct plate *p = &w->plate[i];
        ok = set_attribute(p->group, "span", H5T_STD_U64LE, &(uint64_t){p->next - p->first}) &&
             set_attribute(p->counts, "sealed_rows", H5T_STD_U64LE, &p->rows) &&
             set_attribute(p->clock.dataset, "sealed_rows", H5T_STD_U64LE, &p->clock.rows) &&
             set_attribute(p->gaps.dataset, "sealed_rows", H5T_STD_U64LE, &p->gaps.rows);
    }
    for (unsigned i = ARCHIVE_CALIBRATIONS; i < ARCHIVE_TABLES && ok; i++)
        ok = set_attribute(w->table[i].dataset, "sealed_rows", H5T_STD_U64LE, &w->table[i].rows);
    ok = ok && set_attribute(w->file, "ended", H5T_STD_I32LE, &(int32_t){w->ended}) &&
         set_attribute(w->file, "continued", H5T_STD_I32LE, &(int32_t){w->continued}) &&
         set_attribute(w->file, "sealed", H5T_STD_I32LE, &(int32_t){1});
    if (!ok) return archive_fail(ret_error, -EIO, "cannot be sealed");
    const int rc = archive_digest(w->file, w->pulse, digest, ret_error);
    if (rc < 0) return rc;
    const hid_t type = archive_text_type(64);
    ok = set_attribute(w->file, "digest", type, digest);
    H5Tclose(type);
    return ok ? 0 : archive_fail(ret_error, -EIO, "cannot be sealed");
}

int archive_close(struct archive_writer *w, struct archive_error *ret_error)
{
    if (!w) return 0;
    int rc = w->mode == ARCHIVE_SEALED ? finish(w, ret_error) : 0;
    const int closed = close_file(w->file, rc ? NULL : ret_error);
    release(w);
    return rc ? rc : closed;
}

int archive_reopen(const char *path, struct archive_writer **ret, struct archive_error *ret_error)
{
    struct archive_writer *w = calloc(1, sizeof *w);
    if (!w) return archive_fail(ret_error, -ENOMEM, "%s", path);
    w->mode = ARCHIVE_SEALED;
    w->lock_fd = -1;
    const hid_t access = archive_access(false);
    w->file = H5Fopen(path, H5F_ACC_RDWR, access);
    H5Pclose(access);
    bool ok = w->file >= 0;
    for (unsigned i = ARCHIVE_CALIBRATIONS; i < ARCHIVE_TABLES && ok; i++) {
        struct table *t = &w->table[i];
        w->row_type[i] = archive_row_type(&archive_tables[i]);
        t->dataset = H5Dopen2(w->file, archive_tables[i].name, H5P_DEFAULT);
        ok = t->dataset >= 0 && archive_dataset_rows(t->dataset, &t->rows, NULL) == 0;
    }
    if (ok) {
        *ret = w;
        return 0;
    }
    const int rc = archive_fail(ret_error, -EIO, "%s: cannot be opened to be corrected", path);
    (void)archive_abandon(w);
    return rc;
}

int archive_abandon(struct archive_writer *w)
{
    if (!w) return 0;
    const int rc = w->file < 0 ? 0 : close_file(w->file, NULL);
    release(w);
    return rc;
}

void archive_beat_while_closing(struct archive_writer *w, const struct archive_pulse *pulse) { w->pulse = pulse; }

uint64_t archive_written_rows(const struct archive_writer *w, unsigned plate)
{
    return plate < w->plates ? w->plate[plate].rows : 0;
}
