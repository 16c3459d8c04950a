#define _GNU_SOURCE /* strptime, timegm */
#include "archive_layout.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct reader_plate {
    hid_t counts, clock, gaps;
    uint64_t rows, span; /* span: as sealed */
};
struct archive_reader {
    hid_t file;
    bool live; /* opened as a file that may still grow */
    struct archive_info info;
    struct recording recording;
    struct reader_plate plate[PLATE_MAX_PLATES];
    hid_t table[ARCHIVE_TABLES]; /* those of the root */
};

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

int archive_dataset_rows(hid_t dataset, uint64_t *ret, hsize_t *ret_cells)
{
    hsize_t dims[2] = {0, 1};
    const hid_t space = H5Dget_space(dataset);
    const int rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    const bool ok = (rank == 1 || rank == 2) && H5Sget_simple_extent_dims(space, dims, NULL) == rank;
    if (space >= 0) H5Sclose(space);
    if (!ok) return -EPROTO;
    *ret = dims[0];
    if (ret_cells) *ret_cells = dims[1];
    return 0;
}

static bool read_plate(struct archive_reader *r, hid_t group, const char *name)
{
    int32_t index;
    if (!archive_get_number(group, "index", H5T_NATIVE_INT32, &index) || index < 0 || index >= PLATE_MAX_PLATES) return false;
    struct recording_plate *p = &r->recording.plate[index];
    struct reader_plate *at = &r->plate[index];
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
    at->counts = H5Dopen2(group, "counts", H5P_DEFAULT);
    at->clock = H5Dopen2(group, "clock", H5P_DEFAULT);
    at->gaps = H5Dopen2(group, "gaps", H5P_DEFAULT);
    return at->counts >= 0 && at->clock >= 0 && at->gaps >= 0 && archive_dataset_rows(at->counts, &at->rows, &cells) == 0 &&
           cells == p->cells;
}

static herr_t visit_plate(hid_t plates, const char *name, const H5L_info_t *info, void *user)
{
    (void)info;
    struct archive_reader *r = user;
    const hid_t group = H5Gopen2(plates, name, H5P_DEFAULT);
    if (group < 0) return -1;
    const bool ok = read_plate(r, group, name);
    H5Gclose(group);
    r->recording.plates += ok;
    return ok ? 0 : -1;
}

/* Plates are numbered without a hole, or the file is not ours. */
static bool read_plates(struct archive_reader *r)
{
    const hid_t plates = H5Gopen2(r->file, "plates", H5P_DEFAULT);
    if (plates < 0) return false;
    bool ok = H5Literate(plates, H5_INDEX_NAME, H5_ITER_INC, NULL, visit_plate, r) >= 0 && r->recording.plates;
    H5Gclose(plates);
    for (unsigned i = 0; ok && i < r->recording.plates; i++) ok = r->recording.plate[i].cells;
    return ok;
}

static bool read_root(struct archive_reader *r)
{
    struct recording *rec = &r->recording;
    int32_t sealed, ended;
    char created[64];
    rec->config = get_text(r->file, "config");
    if (!rec->config || !get_text_into(r->file, "station", rec->station, sizeof rec->station) ||
        !get_text_into(r->file, "session", rec->session, sizeof rec->session) ||
        !get_text_into(r->file, "software", rec->software, sizeof rec->software) ||
        !get_text_into(r->file, "ring", rec->ring, sizeof rec->ring) ||
        !get_text_into(r->file, "created_utc", created, sizeof created) ||
        !get_text_into(r->file, "digest", r->info.digest, sizeof r->info.digest) ||
        !archive_get_number(r->file, "started_host_ns", H5T_NATIVE_INT64, &rec->started_host_ns) ||
        !archive_get_number(r->file, "detector_version", H5T_NATIVE_INT, &r->info.detector_version) ||
        !archive_get_number(r->file, "sealed", H5T_NATIVE_INT32, &sealed) ||
        !archive_get_number(r->file, "ended", H5T_NATIVE_INT32, &ended))
        return false;
    rec->created_utc_ns = parse_utc(created);
    r->info.sealed = sealed != 0;
    r->info.ended = ended != 0;
    for (unsigned i = ARCHIVE_CALIBRATIONS; i < ARCHIVE_TABLES; i++) {
        r->table[i] = H5Dopen2(r->file, archive_tables[i].name, H5P_DEFAULT);
        if (r->table[i] < 0) return false;
    }
    return read_plates(r);
}

static int read_all(struct archive_reader *r, const char *path, struct archive_error *ret_error)
{
    int version;
    char format[sizeof ARCHIVE_FORMAT + 1];
    if (!get_text_into(r->file, "format", format, sizeof format) || strcmp(format, ARCHIVE_FORMAT) != 0 ||
        !archive_get_number(r->file, "format_version", H5T_NATIVE_INT, &version)) {
        H5Eclear2(H5E_DEFAULT);
        return archive_fail(ret_error, -EPROTO, "%s: not a trace of plated", path);
    }
    if (version != ARCHIVE_FORMAT_VERSION)
        return archive_fail(ret_error, -EPROTO, "%s: format %d, and this program reads %d: use a later one", path, version,
                            ARCHIVE_FORMAT_VERSION);
    r->info.format_version = (unsigned)version;
    if (!read_root(r)) return archive_fail(ret_error, -EPROTO, "%s: not a whole trace", path);
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    const size_t n = strlen(base), suffix = n > 3 && strcmp(base + n - 3, ".h5") == 0 ? 3 : 0;
    snprintf(r->recording.name, sizeof r->recording.name, "%.*s", (int)(n - suffix), base);
    return 0;
}

/* A file that is being written, or whose writer died, opens only as one that may grow. */
static hid_t open_file(const char *path, bool *ret_live)
{
    const hid_t access = archive_access(false);
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
    *ret_live = file < 0;
    if (file < 0) file = H5Fopen(path, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, access);
    H5Pclose(access);
    return file;
}

int archive_open(const char *path, struct archive_reader **ret, struct archive_error *ret_error)
{
    H5dont_atexit(); /* its clean-up at exit runs over what a full disk left half closed */
    if (access(path, R_OK) < 0) {
        const int e = errno;
        return archive_fail(ret_error, -e, "%s: %s", path, strerror(e));
    }
    struct archive_reader *r = calloc(1, sizeof *r);
    if (!r) return archive_fail(ret_error, -ENOMEM, "%s", path);
    r->file = open_file(path, &r->live);
    int rc = r->file < 0 ? archive_fail(ret_error, -EPROTO, "%s: not an HDF5 file, or not a whole one", path)
                         : read_all(r, path, ret_error);
    if (rc < 0) {
        archive_reader_close(r);
        return rc;
    }
    H5Eclear2(H5E_DEFAULT);
    *ret = r;
    return 0;
}

void archive_reader_close(struct archive_reader *r)
{
    if (!r) return;
    if (r->file >= 0) H5Fclose(r->file); /* strong: closes what is open in it */
    recording_done(&r->recording);
    free(r);
}

const struct recording *archive_recording(const struct archive_reader *r) { return &r->recording; }

void archive_info(const struct archive_reader *r, struct archive_info *ret) { *ret = r->info; }

int archive_refresh(struct archive_reader *r, struct archive_error *ret_error)
{
    bool ok = true;
    uint64_t rows[PLATE_MAX_PLATES] = {0};
    if (!r->live) return 0;
    for (unsigned i = 0; i < r->recording.plates && ok; i++) /* rows first: what stands before them was flushed before */
        ok = H5Drefresh(r->plate[i].counts) >= 0 && archive_dataset_rows(r->plate[i].counts, &rows[i], NULL) == 0;
    for (unsigned i = 0; i < r->recording.plates && ok; i++)
        ok = H5Drefresh(r->plate[i].clock) >= 0 && H5Drefresh(r->plate[i].gaps) >= 0;
    for (unsigned i = ARCHIVE_CALIBRATIONS; i < ARCHIVE_TABLES && ok; i++) ok = H5Drefresh(r->table[i]) >= 0;
    if (!ok) return archive_fail(ret_error, -EIO, "cannot be read again");
    for (unsigned i = 0; i < r->recording.plates; i++) r->plate[i].rows = rows[i];
    return 0;
}

/* ---- rows ---- */

uint64_t archive_rows(const struct archive_reader *r, unsigned plate)
{
    return plate < r->recording.plates ? r->plate[plate].rows : 0;
}

bool archive_read_rows(hid_t dataset, hid_t type, int rank, uint64_t row, uint64_t n, hsize_t cells, void *ret)
{
    const hsize_t start[] = {row, 0}, count[] = {n, cells};
    const hid_t there = H5Dget_space(dataset), here = H5Screate_simple(rank, count, NULL);
    const bool ok = H5Sselect_hyperslab(there, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                    H5Dread(dataset, type, here, there, H5P_DEFAULT, ret) >= 0;
    const hid_t kept = archive_keep_errors(ok);
    H5Sclose(here);
    H5Sclose(there);
    archive_restore_errors(kept);
    return ok;
}

int archive_counts(struct archive_reader *r, unsigned plate, uint64_t row, size_t n, int32_t *ret_counts,
                   struct archive_error *ret_error)
{
    const uint64_t rows = archive_rows(r, plate);
    if (row > rows || n > rows - row)
        return archive_fail(ret_error, -ERANGE, "rows %" PRIu64 " to %" PRIu64 " of %" PRIu64, row, row + n, rows);
    const struct recording_plate *p = &r->recording.plate[plate];
    if (n && !archive_read_rows(r->plate[plate].counts, H5T_NATIVE_INT32, 2, row, n, p->cells, ret_counts))
        return archive_fail(ret_error, -EIO, "/plates/%s/counts: rows from %" PRIu64 " cannot be read", p->name, row);
    return 0;
}

/* The whole table as structs. */
static int read_table(hid_t dataset, enum archive_table_id id, void **ret, size_t *ret_n, struct archive_error *ret_error)
{
    const struct archive_table *t = &archive_tables[id];
    uint64_t n = 0;
    if (archive_dataset_rows(dataset, &n, NULL) < 0) return archive_fail(ret_error, -EPROTO, "/%s: not a table", t->name);
    const hid_t type = archive_row_type(t);
    const size_t size = H5Tget_size(type);
    uint8_t *packed = n && n < SIZE_MAX / ARCHIVE_ROW_MAX ? malloc(n * size) : NULL;
    char *rows = packed ? calloc(n, t->row_size) : NULL;
    int rc = n && !rows ? archive_fail(ret_error, -ENOMEM, "/%s", t->name) : 0;
    if (rows) {
        for (uint64_t i = 0; i < n; i++) archive_row_blank(t, packed + i * size);
        if (!archive_read_rows(dataset, type, 1, 0, n, 1, packed))
            rc = archive_fail(ret_error, -EIO, "/%s: cannot be read", t->name);
        for (uint64_t i = 0; rc == 0 && i < n; i++) archive_row_unpack(t, packed + i * size, rows + i * t->row_size);
    }
    H5Tclose(type);
    free(packed);
    if (rc < 0) {
        free(rows);
        return rc;
    }
    *ret = rows;
    *ret_n = n;
    return 0;
}

static int no_plate(unsigned plate, struct archive_error *ret_error)
{
    return archive_fail(ret_error, -ERANGE, "there is no plate %u", plate);
}

int archive_clock(struct archive_reader *r, unsigned plate, struct archive_knot **ret, size_t *ret_n,
                  struct archive_error *ret_error)
{
    if (plate >= r->recording.plates) return no_plate(plate, ret_error);
    return read_table(r->plate[plate].clock, ARCHIVE_CLOCK, (void **)ret, ret_n, ret_error);
}

int archive_gaps(struct archive_reader *r, unsigned plate, struct archive_gap **ret, size_t *ret_n,
                 struct archive_error *ret_error)
{
    if (plate >= r->recording.plates) return no_plate(plate, ret_error);
    void *table;
    size_t n;
    const int rc = read_table(r->plate[plate].gaps, ARCHIVE_GAPS, &table, &n, ret_error);
    if (rc < 0) return rc;
    const struct archive_gap_row *row = table;
    struct archive_gap *gaps = n ? calloc(n, sizeof *gaps) : NULL;
    for (size_t i = 0; gaps && i < n; i++)
        gaps[i] = (struct archive_gap){row[i].row,
                                       {row[i].sample, row[i].count, (enum plate_gap_reason)row[i].reason, row[i].estimated}};
    free(table);
    if (n && !gaps) return archive_fail(ret_error, -ENOMEM, "/gaps");
    *ret = gaps;
    *ret_n = n;
    return 0;
}

static bool plate_index(const struct archive_reader *r, const char *name, unsigned *ret)
{
    for (unsigned i = 0; i < r->recording.plates; i++)
        if (strcmp(r->recording.plate[i].name, name) == 0) return *ret = i, true;
    return false;
}

int archive_calibrations(struct archive_reader *r, struct archive_calibration **ret, size_t *ret_n,
                         struct archive_error *ret_error)
{
    void *table;
    size_t n;
    int rc = read_table(r->table[ARCHIVE_CALIBRATIONS], ARCHIVE_CALIBRATIONS, &table, &n, ret_error);
    if (rc < 0) return rc;
    const struct archive_calibration_row *row = table;
    struct archive_calibration *list = n ? calloc(n, sizeof *list) : NULL;
    if (n && !list) rc = archive_fail(ret_error, -ENOMEM, "/calibrations");
    for (size_t i = 0; rc == 0 && i < n; i++) {
        list[i].sample = row[i].sample;
        list[i].record = row[i].record;
        if (!plate_index(r, row[i].plate, &list[i].plate))
            rc = archive_fail(ret_error, -EPROTO, "/calibrations: row %zu speaks of a plate that is not there", i);
    }
    free(table);
    if (rc < 0) {
        free(list);
        return rc;
    }
    *ret = list;
    *ret_n = n;
    return 0;
}

int archive_session(struct archive_reader *r, struct record_session **ret, size_t *ret_n, struct archive_error *ret_error)
{
    return read_table(r->table[ARCHIVE_SESSION], ARCHIVE_SESSION, (void **)ret, ret_n, ret_error);
}

int archive_marks(struct archive_reader *r, struct plate_mark **ret, size_t *ret_n, struct archive_error *ret_error)
{
    return read_table(r->table[ARCHIVE_MARKS], ARCHIVE_MARKS, (void **)ret, ret_n, ret_error);
}

/* Findings stand in the order of their reps. */
static void add_findings(struct archive_rep *reps, size_t n, const struct plate_finding_row *f, size_t findings)
{
    for (size_t at = 0; findings--; f++) {
        size_t i = at;
        while (i < n && (reps[i].rep.set != f->set || reps[i].rep.rep != f->rep || strcmp(reps[i].rep.plate, f->plate) != 0))
            i++;
        if (i == n || reps[i].rep.findings == PLATE_MAX_FINDINGS) continue;
        struct plate_finding *to = &reps[i].rep.form[reps[i].rep.findings++];
        memcpy(to->name, f->name, sizeof to->name);
        to->value = f->value;
        to->limit = f->limit;
        at = i;
    }
}

int archive_reps(struct archive_reader *r, struct archive_rep **ret, size_t *ret_n, struct archive_error *ret_error)
{
    void *reps, *findings;
    size_t n, n_findings;
    int rc = read_table(r->table[ARCHIVE_REPS], ARCHIVE_REPS, &reps, &n, ret_error);
    if (rc < 0) return rc;
    rc = read_table(r->table[ARCHIVE_FINDINGS], ARCHIVE_FINDINGS, &findings, &n_findings, ret_error);
    if (rc < 0) {
        free(reps);
        return rc;
    }
    add_findings(reps, n, findings, n_findings);
    free(findings);
    *ret = reps;
    *ret_n = n;
    return 0;
}

int archive_sets(struct archive_reader *r, struct archive_set **ret, size_t *ret_n, struct archive_error *ret_error)
{
    return read_table(r->table[ARCHIVE_SETS], ARCHIVE_SETS, (void **)ret, ret_n, ret_error);
}

int archive_asymmetries(struct archive_reader *r, struct archive_asymmetry **ret, size_t *ret_n,
                        struct archive_error *ret_error)
{
    return read_table(r->table[ARCHIVE_ASYMMETRY], ARCHIVE_ASYMMETRY, (void **)ret, ret_n, ret_error);
}

int archive_span(struct archive_reader *r, unsigned plate, uint64_t *ret, struct archive_error *ret_error)
{
    struct archive_gap *gaps;
    size_t n;
    if (plate < r->recording.plates && r->info.sealed) {
        *ret = r->plate[plate].span;
        return 0;
    }
    const int rc = archive_gaps(r, plate, &gaps, &n, ret_error);
    if (rc < 0) return rc;
    uint64_t span = r->plate[plate].rows;
    for (size_t i = 0; i < n && gaps[i].row <= r->plate[plate].rows; i++) span += gaps[i].gap.count;
    free(gaps);
    *ret = span;
    return 0;
}

int archive_check_digest(struct archive_reader *r, struct archive_error *ret_error)
{
    char digest[65];
    if (!r->info.sealed) return archive_fail(ret_error, -EBADMSG, "not sealed");
    const int rc = archive_digest(r->file, digest, ret_error);
    if (rc < 0) return rc;
    if (strcmp(digest, r->info.digest) != 0)
        return archive_fail(ret_error, -EBADMSG, "digest: the file says %.12s..., its contents %.12s...: it was changed",
                            r->info.digest, digest);
    return 0;
}
