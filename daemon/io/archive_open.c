#define _GNU_SOURCE /* strptime, timegm, asprintf */
#include "archive_reader.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- attributes ---- */

bool archive_get_number(hid_t at, const char *name, hid_t type, void *ret)
{
    const hid_t a = H5Aopen(at, name, H5P_DEFAULT);
    if (a < 0) return false;
    const hid_t space = H5Aget_space(a);
    const bool ok = H5Sget_simple_extent_npoints(space) == 1 && H5Aread(a, type, ret) >= 0;
    H5Sclose(space);
    H5Aclose(a);
    return ok;
}

/* A malloced copy of a fixed-length text; NULL: there is none. */
static char *get_text(hid_t at, const char *name)
{
    const hid_t a = H5Aopen(at, name, H5P_DEFAULT);
    if (a < 0) return NULL;
    const hid_t type = H5Aget_type(a), space = H5Aget_space(a);
    const size_t size = H5Tget_size(type);
    char *text = NULL;
    if (H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0 && H5Sget_simple_extent_npoints(space) == 1)
        text = calloc(1, size + 1);
    if (text && H5Aread(a, type, text) < 0) {
        free(text);
        text = NULL;
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(a);
    return text;
}

static bool get_text_into(hid_t at, const char *name, char *ret, size_t size)
{
    char *text = get_text(at, name);
    if (!text) return false;
    memset(ret, 0, size);
    memcpy(ret, text, strnlen(text, size - 1));
    free(text);
    return true;
}

static bool get_positions(hid_t group, struct recording_plate *p)
{
    double mm[PLATE_MAX_CELLS][2];
    const hid_t a = H5Aopen(group, "cell_positions_mm", H5P_DEFAULT);
    if (a < 0) return false;
    const hid_t space = H5Aget_space(a);
    const bool ok = H5Sget_simple_extent_npoints(space) == 2 * (hssize_t)p->cells && H5Aread(a, H5T_NATIVE_DOUBLE, mm) >= 0;
    for (unsigned i = 0; ok && i < p->cells; i++) {
        p->cell[i].x_mm = mm[i][0];
        p->cell[i].y_mm = mm[i][1];
    }
    H5Sclose(space);
    H5Aclose(a);
    return ok;
}

static bool get_cells(hid_t group, struct recording_plate *p)
{
    char *layout = get_text(group, "cell_layout"), *rest = NULL;
    if (!layout) return false;
    bool ok = true;
    p->cells = 0;
    for (char *name = strtok_r(layout, " ", &rest); name && ok; name = strtok_r(NULL, " ", &rest)) {
        ok = p->cells < PLATE_MAX_CELLS && strlen(name) < PLATE_NAME_SIZE;
        if (ok) memcpy(p->cell[p->cells++].name, name, strlen(name) + 1);
    }
    free(layout);
    return ok && p->cells && get_positions(group, p);
}

static int64_t parse_utc(const char *text)
{
    struct tm tm = {0};
    int64_t ns = 0;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    if (!rest || sscanf(rest, ".%9" SCNd64 "Z", &ns) > 1) return 0;
    return (int64_t)timegm(&tm) * 1000000000 + ns;
}

/* ---- opening ---- */

/* So many rows cannot be in this file: deflate makes a thousandth of what it is given at best. Of a file that grows nobody
 * knows. */
static bool beyond_the_file(hid_t dataset, uint64_t rows)
{
    enum { DEFLATE_MOST = 1100, ALWAYS = 1 << 20 };
    const hid_t file = H5Iget_file_id(dataset);
    unsigned intent = 0;
    hsize_t bytes = 0;
    const bool known = H5Fget_intent(file, &intent) >= 0 && !(intent & H5F_ACC_SWMR_READ) && H5Fget_filesize(file, &bytes) >= 0;
    if (file >= 0) H5Fclose(file);
    return known && rows > ALWAYS && rows / DEFLATE_MOST > bytes;
}

int archive_dataset_rows(hid_t dataset, uint64_t *ret, hsize_t *ret_cells)
{
    hsize_t dims[2] = {0, 1};
    const hid_t space = H5Dget_space(dataset);
    const int rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    const bool ok = (rank == 1 || rank == 2) && H5Sget_simple_extent_dims(space, dims, NULL) == rank;
    if (space >= 0) H5Sclose(space);
    if (!ok || beyond_the_file(dataset, dims[0])) return -EPROTO;
    *ret = dims[0];
    if (ret_cells) *ret_cells = dims[1];
    return 0;
}

/* What is being read of one file. */
struct reading {
    struct recording *rec;
    struct part *part;
};

static bool read_plate(struct reading *r, hid_t group, const char *name)
{
    int32_t index;
    if (!archive_get_number(group, "index", H5T_NATIVE_INT32, &index) || index < 0 || index >= PLATE_MAX_PLATES) return false;
    struct recording_plate *p = &r->rec->plate[index];
    struct part_plate *at = &r->part->plate[index];
    hsize_t cells;
    if (p->cells || strlen(name) >= sizeof p->name) return false;
    memcpy(p->name, name, strlen(name) + 1);
    if (!get_text_into(group, "device", p->device, sizeof p->device) ||
        !get_text_into(group, "device_serial", p->device_serial, sizeof p->device_serial) ||
        !get_text_into(group, "protocol", p->protocol, sizeof p->protocol) ||
        !archive_get_number(group, "rate_Hz", H5T_NATIVE_DOUBLE, &p->rate_Hz) ||
        !archive_get_number(group, "tick_s", H5T_NATIVE_DOUBLE, &p->tick_s) ||
        !archive_get_number(group, "count_scale", H5T_NATIVE_DOUBLE, &p->count_scale) ||
        !archive_get_number(group, "span", H5T_NATIVE_UINT64, &at->span) || !get_cells(group, p))
        return false;
    if (!archive_get_number(group, "first_sample", H5T_NATIVE_UINT64, &p->first_sample)) p->first_sample = 0;
    at->first = p->first_sample;
    at->cells = p->cells;
    at->counts = H5Dopen2(group, "counts", H5P_DEFAULT);
    at->clock = H5Dopen2(group, "clock", H5P_DEFAULT);
    at->gaps = H5Dopen2(group, "gaps", H5P_DEFAULT);
    return at->counts >= 0 && at->clock >= 0 && at->gaps >= 0 && archive_dataset_rows(at->counts, &at->rows, &cells) == 0 &&
           cells == p->cells;
}

static herr_t visit_plate(hid_t plates, const char *name, const H5L_info_t *info, void *user)
{
    (void)info;
    struct reading *r = user;
    const hid_t group = H5Gopen2(plates, name, H5P_DEFAULT);
    if (group < 0) return -1;
    const bool ok = read_plate(r, group, name);
    H5Gclose(group);
    r->rec->plates += ok;
    return ok ? 0 : -1;
}

/* Plates are numbered without a hole, or the file is not ours. */
static bool read_plates(struct reading *r)
{
    const hid_t plates = H5Gopen2(r->part->file, "plates", H5P_DEFAULT);
    if (plates < 0) return false;
    bool ok = H5Literate(plates, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_plate, r) >= 0 && r->rec->plates;
    H5Gclose(plates);
    for (unsigned i = 0; ok && i < r->rec->plates; i++) ok = r->rec->plate[i].cells;
    return ok;
}

static bool read_tables(struct part *p)
{
    static const enum archive_table_id of_event[PLATE_EVENT_TYPES] = {[PLATE_EVENT_REP] = ARCHIVE_REPS,
                                                                      [PLATE_EVENT_SET] = ARCHIVE_SETS,
                                                                      [PLATE_EVENT_MARK] = ARCHIVE_MARKS,
                                                                      [PLATE_EVENT_ASYMMETRY] = ARCHIVE_ASYMMETRY,
                                                                      [PLATE_EVENT_IMBALANCE] = ARCHIVE_IMBALANCE,
                                                                      [PLATE_EVENT_CORRECTION] = ARCHIVE_CORRECTIONS};
    for (unsigned i = ARCHIVE_CALIBRATIONS; i < ARCHIVE_TABLES; i++) {
        p->table[i] = H5Dopen2(p->file, archive_tables[i].name, H5P_DEFAULT);
        if (p->table[i] < 0 && i < ARCHIVE_IMBALANCE) return false;
    }
    for (unsigned i = 0; i < PLATE_EVENT_TYPES; i++)
        if (of_event[i] && p->table[of_event[i]] >= 0 &&
            !archive_get_number(p->table[of_event[i]], "sealed_rows", H5T_NATIVE_UINT64, &p->info.sealed_rows[i]))
            return false;
    uint64_t rows, sealed;
    if (p->info.sealed && archive_dataset_rows(p->table[ARCHIVE_SESSION], &rows, NULL) == 0 &&
        archive_get_number(p->table[ARCHIVE_SESSION], "sealed_rows", H5T_NATIVE_UINT64, &sealed) && sealed < rows)
        p->info.later_session_rows = rows - sealed;
    return true;
}

static bool read_root(struct reading *r)
{
    struct recording *rec = r->rec;
    struct archive_info *info = &r->part->info;
    const hid_t file = r->part->file;
    int32_t sealed, ended, number = 1, continued = 0;
    char created[64];
    rec->config = get_text(file, "config");
    if (!rec->config || !get_text_into(file, "station", rec->station, sizeof rec->station) ||
        !get_text_into(file, "session", rec->session, sizeof rec->session) ||
        !get_text_into(file, "software", rec->software, sizeof rec->software) ||
        !get_text_into(file, "ring", rec->ring, sizeof rec->ring) ||
        !get_text_into(file, "created_utc", created, sizeof created) ||
        !get_text_into(file, "digest", info->digest, sizeof info->digest) ||
        !archive_get_number(file, "started_host_ns", H5T_NATIVE_INT64, &rec->started_host_ns) ||
        !archive_get_number(file, "detector_version", H5T_NATIVE_INT, &info->detector_version) ||
        !archive_get_number(file, "sealed", H5T_NATIVE_INT32, &sealed) ||
        !archive_get_number(file, "ended", H5T_NATIVE_INT32, &ended))
        return false;
    archive_get_number(file, "part", H5T_NATIVE_INT32, &number);
    archive_get_number(file, "continued", H5T_NATIVE_INT32, &continued);
    rec->earlier_parts = number > 1 ? (unsigned)number - 1 : 0;
    rec->created_utc_ns = parse_utc(created);
    info->sealed = sealed != 0;
    info->ended = ended != 0;
    info->parts = 1;
    r->part->continued = continued != 0;
    return read_tables(r->part) && read_plates(r);
}

static int read_all(struct reading *r, const char *path, struct archive_error *ret_error)
{
    int version;
    char format[sizeof ARCHIVE_FORMAT + 1];
    const hid_t file = r->part->file;
    if (!get_text_into(file, "format", format, sizeof format) || strcmp(format, ARCHIVE_FORMAT) != 0 ||
        !archive_get_number(file, "format_version", H5T_NATIVE_INT, &version)) {
        H5Eclear2(H5E_DEFAULT);
        return archive_fail(ret_error, -EPROTO, "%s: not a trace of plated", path);
    }
    if (version != ARCHIVE_FORMAT_VERSION)
        return archive_fail(ret_error, -EPROTO, "%s: format %d, and this program reads %d: use a later one", path, version,
                            ARCHIVE_FORMAT_VERSION);
    r->part->info.format_version = (unsigned)version;
    if (!read_root(r)) return archive_fail(ret_error, -EPROTO, "%s: not a whole trace", path);
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    const size_t n = strlen(base), suffix = n > 3 && strcmp(base + n - 3, ".h5") == 0 ? 3 : 0;
    snprintf(r->rec->name, sizeof r->rec->name, "%.*s", (int)(n - suffix), base);
    return 0;
}

enum { READ_ATTEMPTS = 28 };

/* A file that is being written, or whose writer died, opens only as one that may grow. */
static hid_t open_file(const char *path, bool *ret_live)
{
    const hid_t access = archive_access(false);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
    *ret_live = file < 0;
    /* HDF5 reads a page again while its writer is at work on it, and waits twice as long each time. What a power cut has left
     * half written stays so: a quarter of a second is enough, and the 100 attempts of its default are a hang. */
    H5Pset_metadata_read_attempts(access, READ_ATTEMPTS);
    if (file < 0) file = H5Fopen(path, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, access);
    H5Pclose(access);
    return file;
}

/* One file; on failure nothing is left open. */
static int open_part(const char *path, struct recording *ret_rec, struct part *ret, struct archive_error *ret_error)
{
    H5dont_atexit(); /* its clean-up at exit runs over what a full disk left half closed */
    if (access(path, R_OK) < 0) {
        const int e = errno;
        return archive_fail(ret_error, -e, "%s: %s", path, strerror(e));
    }
    struct reading r = {ret_rec, ret};
    memset(ret_rec, 0, sizeof *ret_rec);
    memset(ret, 0, sizeof *ret);
    ret->file = open_file(path, &ret->live);
    const int rc = ret->file < 0 ? archive_fail(ret_error, -EPROTO, "%s: not an HDF5 file, or not a whole one", path)
                                 : read_all(&r, path, ret_error);
    if (rc < 0) {
        if (ret->file >= 0) H5Fclose(ret->file); /* strong: closes what is open in it */
        recording_done(ret_rec);
        return rc;
    }
    H5Eclear2(H5E_DEFAULT);
    return 0;
}

/* ---- parts ---- */

char *archive_part_path(const char *path, unsigned number)
{
    char name[128], *ret = NULL;
    const size_t n = strlen(path), suffix = n > 3 && strcmp(path + n - 3, ".h5") == 0 ? 3 : 0;
    const char *slash = strrchr(path, '/');
    const int folder = slash ? (int)(slash - path + 1) : 0;
    char *base = strndup(path + folder, n - suffix - (size_t)folder);
    if (!base) return NULL;
    recording_part_name(base, number, name, sizeof name);
    if (asprintf(&ret, "%.*s%s.h5", folder, path, name) < 0) ret = NULL;
    free(base);
    return ret;
}

static bool same_recording(const struct recording *a, const struct recording *b)
{
    bool same = a->created_utc_ns == b->created_utc_ns && strcmp(a->session, b->session) == 0 && a->plates == b->plates;
    for (unsigned i = 0; same && i < a->plates; i++) same = strcmp(a->plate[i].name, b->plate[i].name) == 0;
    return same;
}

/* A plate is said to have as many cells as it had at most. */
static void take_cells(struct recording *to, const struct recording *from)
{
    for (unsigned i = 0; i < to->plates; i++) {
        if (from->plate[i].cells <= to->plate[i].cells) continue;
        to->plate[i].cells = from->plate[i].cells;
        memcpy(to->plate[i].cell, from->plate[i].cell, sizeof to->plate[i].cell);
    }
}

/* Its file is not there yet, but plated has begun it. */
static bool has_journal(const char *path)
{
    char journal[4096];
    const int n = snprintf(journal, sizeof journal, "%.*s.journal", (int)strlen(path) - 3, path);
    return n > 0 && (size_t)n < sizeof journal && access(journal, F_OK) == 0;
}

/* The part after those that are open. 0; -ENOENT: there is none, and none is missed. */
static int open_next_part(struct archive_reader *r, struct archive_error *ret_error)
{
    struct recording rec;
    const bool missed = r->part[r->parts - 1].continued;
    char *path = archive_part_path(r->path, r->parts + 1);
    struct part *more = realloc(r->part, (r->parts + 1) * sizeof *more);
    if (more) r->part = more;
    int rc = path && more ? 0 : archive_fail(ret_error, -ENOMEM, "%s", r->path);
    if (rc == 0 && access(path, F_OK) < 0)
        rc = missed && !has_journal(path)
                 ? archive_fail(ret_error, -ENODATA, "%s: the recording goes on in it, and it is not there: put it beside %s",
                                path, r->path)
                 : -ENOENT;
    if (rc == 0) rc = open_part(path, &rec, &r->part[r->parts], ret_error);
    if (rc == 0) {
        if (rec.earlier_parts == r->parts && same_recording(&rec, &r->recording)) {
            r->parts++;
            take_cells(&r->recording, &rec);
        } else {
            H5Fclose(r->part[r->parts].file);
            rc = archive_fail(ret_error, missed ? -EPROTO : -ENOENT, "%s: not part %u of the recording of %s", path,
                              r->parts + 1, r->path);
        }
        recording_done(&rec);
    }
    free(path);
    return rc;
}

static int open_reader(const char *path, bool all, struct archive_reader **ret, struct archive_error *ret_error)
{
    struct archive_reader *r = calloc(1, sizeof *r);
    if (!r || !(r->part = calloc(1, sizeof *r->part))) {
        free(r);
        return archive_fail(ret_error, -ENOMEM, "%s", path);
    }
    int rc = open_part(path, &r->recording, r->part, ret_error);
    if (rc == 0) r->parts = 1;
    if (rc == 0 && all && !(r->path = archive_part_path(path, 1))) rc = archive_fail(ret_error, -ENOMEM, "%s", path);
    if (rc == 0 && all && r->recording.earlier_parts) { /* from the first one on */
        const struct recording named = r->recording;
        H5Fclose(r->part->file);
        r->parts = 0;
        r->recording.config = NULL;
        rc = open_part(r->path, &r->recording, r->part, ret_error);
        if (rc == 0) r->parts = 1;
        if (rc == 0 && (r->recording.earlier_parts || !same_recording(&r->recording, &named)))
            rc = archive_fail(ret_error, -EPROTO, "%s: not the first part of the recording of %s", r->path, path);
        recording_done(&(struct recording){.config = named.config});
    }
    while (rc == 0 && all) rc = open_next_part(r, ret_error);
    if (rc < 0 && !(rc == -ENOENT && r->parts)) {
        archive_reader_close(r);
        return rc == -ENODATA ? -ENOENT : rc;
    }
    *ret = r;
    return 0;
}

int archive_open(const char *path, struct archive_reader **ret, struct archive_error *ret_error)
{
    return open_reader(path, true, ret, ret_error);
}

int archive_open_part(const char *path, struct archive_reader **ret, struct archive_error *ret_error)
{
    return open_reader(path, false, ret, ret_error);
}

void archive_reader_close(struct archive_reader *r)
{
    if (!r) return;
    for (unsigned i = 0; i < r->parts; i++) H5Fclose(r->part[i].file);
    recording_done(&r->recording);
    free(r->part);
    free(r->path);
    free(r);
}

const struct recording *archive_recording(const struct archive_reader *r) { return &r->recording; }

void archive_info(const struct archive_reader *r, struct archive_info *ret)
{
    *ret = r->part[0].info;
    ret->parts = r->parts;
    ret->ended = r->part[r->parts - 1].info.ended;
    ret->continued = r->part[r->parts - 1].continued;
    for (unsigned i = 1; i < r->parts; i++) {
        ret->sealed = ret->sealed && r->part[i].info.sealed;
        for (unsigned k = 0; k < PLATE_EVENT_TYPES; k++) ret->sealed_rows[k] += r->part[i].info.sealed_rows[k];
        ret->later_session_rows = r->part[i].info.later_session_rows;
    }
}

bool archive_reshaped(const struct archive_reader *r)
{
    for (unsigned i = 0; i < r->recording.plates; i++)
        for (unsigned k = 1; k < r->parts; k++)
            if (r->part[k].plate[i].cells != r->part[0].plate[i].cells) return true;
    return false;
}

char *archive_last_part(const struct archive_reader *r) { return archive_part_path(r->path, r->parts); }

bool archive_has_corrections(const struct archive_reader *r)
{
    const struct part *last = &r->part[r->parts - 1];
    return last->table[ARCHIVE_IMBALANCE] >= 0 && last->table[ARCHIVE_CORRECTIONS] >= 0;
}

static bool refresh_part(struct part *p, unsigned plates)
{
    bool ok = true;
    uint64_t rows[PLATE_MAX_PLATES] = {0};
    if (!p->live) return true;
    for (unsigned i = 0; i < plates && ok; i++) /* rows first: what stands before them was flushed before */
        ok = H5Drefresh(p->plate[i].counts) >= 0 && archive_dataset_rows(p->plate[i].counts, &rows[i], NULL) == 0;
    for (unsigned i = 0; i < plates && ok; i++) ok = H5Drefresh(p->plate[i].clock) >= 0 && H5Drefresh(p->plate[i].gaps) >= 0;
    for (unsigned i = ARCHIVE_CALIBRATIONS; i < ARCHIVE_TABLES && ok; i++) ok = p->table[i] < 0 || H5Drefresh(p->table[i]) >= 0;
    for (unsigned i = 0; i < plates && ok; i++) p->plate[i].rows = rows[i];
    return ok;
}

int archive_refresh(struct archive_reader *r, struct archive_error *ret_error)
{
    int rc = 0;
    /* a part is whole before the next one grows */
    for (unsigned i = 0; i < r->parts; i++)
        if (!refresh_part(&r->part[i], r->recording.plates)) return archive_fail(ret_error, -EIO, "cannot be read again");
    while (rc == 0 && r->path) {
        rc = open_next_part(r, ret_error);
        if (rc == 0 && !refresh_part(&r->part[r->parts - 2], r->recording.plates))
            return archive_fail(ret_error, -EIO, "cannot be read again");
    }
    return rc == -ENOENT ? 0 : rc;
}
