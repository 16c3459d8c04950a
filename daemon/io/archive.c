#define _GNU_SOURCE /* dup3 */
#include "archive_layout.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- creating ---- */

struct table {
    hid_t dataset;
    uint64_t rows;
};
struct plate {
    char name[PLATE_NAME_SIZE];
    unsigned cells;
    hid_t group, counts;
    struct table clock, gaps;
    uint64_t rows;        /* of counts */
    uint64_t first;       /* sample of this part */
    uint64_t next;        /* the next sample: rows + missing */
    uint64_t gap_end;     /* first sample after the latest gap */
    uint64_t knot_sample; /* of the latest knot */
    uint64_t clock_flushed, gaps_flushed;
};
struct archive_writer {
    hid_t file;
    enum archive_mode mode;
    int lock_fd;
    char *lock_path;
    uint64_t last_lsn;
    bool ended;     /* RECORD_END was written: nobody cut the recording short */
    bool continued; /* RECORD_NEXT was */
    const struct archive_pulse *pulse;
    hid_t row_type[ARCHIVE_TABLES];
    struct table table[ARCHIVE_TABLES]; /* those of the root */
    unsigned plates;
    struct plate plate[PLATE_MAX_PLATES];
    struct archive_error first_failure; /* while the file was being built */
    bool failed;
    uint8_t row[ARCHIVE_ROW_MAX * PLATE_MAX_FINDINGS];
};

enum { ATTRIBUTES_MOST = 64 }; /* beside each other in an object's header: no index for them */

/* While building, calls are made in a row and the first failure is kept. */
static void building(struct archive_writer *w, bool ok, const char *what)
{
    if (ok || w->failed) return;
    w->failed = true;
    archive_fail(&w->first_failure, 0, "cannot create %s", what);
}

static void put_attribute(struct archive_writer *w, hid_t at, const char *name, hid_t type, int rank, const hsize_t *dims,
                          const void *value)
{
    const hid_t space = rank ? H5Screate_simple(rank, dims, NULL) : H5Screate(H5S_SCALAR);
    const hid_t a = H5Acreate2(at, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    building(w, a >= 0 && H5Awrite(a, type, value) >= 0, name);
    if (a >= 0) H5Aclose(a);
    H5Sclose(space);
}

static void put_texts(struct archive_writer *w, hid_t at, const char *name, size_t size, int rank, hsize_t n, const char *text)
{
    const hid_t type = archive_text_type(size);
    put_attribute(w, at, name, type, rank, &n, text);
    H5Tclose(type);
}

static void put_text(struct archive_writer *w, hid_t at, const char *name, const char *text)
{
    put_texts(w, at, name, strlen(text), 0, 0, text);
}

static void put_f64(struct archive_writer *w, hid_t at, const char *name, double v)
{
    put_attribute(w, at, name, H5T_IEEE_F64LE, 0, NULL, &v);
}

static void put_i32(struct archive_writer *w, hid_t at, const char *name, int32_t v)
{
    put_attribute(w, at, name, H5T_STD_I32LE, 0, NULL, &v);
}

static void put_u64(struct archive_writer *w, hid_t at, const char *name, uint64_t v)
{
    put_attribute(w, at, name, H5T_STD_U64LE, 0, NULL, &v);
}

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

static hid_t make_dataset(struct archive_writer *w, hid_t at, const char *name, hid_t type, int rank, hsize_t cells,
                          hsize_t chunk_rows)
{
    const hsize_t none[] = {0, cells}, most[] = {H5S_UNLIMITED, cells}, chunk[] = {chunk_rows, cells};
    const hid_t space = H5Screate_simple(rank, none, most), how = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_chunk(how, rank, chunk);
    H5Pset_obj_track_times(how, false);
    if (w->mode == ARCHIVE_SEALED) {
        H5Pset_shuffle(how);
        H5Pset_deflate(how, 1);
        H5Pset_fletcher32(how);
    }
    const hid_t d = H5Dcreate2(at, name, type, space, H5P_DEFAULT, how, H5P_DEFAULT);
    building(w, d >= 0, name);
    H5Pclose(how);
    H5Sclose(space);
    if (d >= 0) put_u64(w, d, "sealed_rows", 0);
    return d;
}

enum { DOC = 96, COLUMNS = 64 };

/* The n texts of DOC bytes, as short as the longest of them allows. */
static void put_short_texts(struct archive_writer *w, hid_t at, const char *name, char (*text)[DOC], unsigned n)
{
    size_t longest = 1;
    for (unsigned i = 0; i < n; i++) longest = strnlen(text[i], DOC) > longest ? strnlen(text[i], DOC) : longest;
    char *packed = (char *)text; /* of all of them, not of the first */
    for (unsigned i = 1; i < n; i++) memmove(packed + i * longest, text[i], longest);
    put_texts(w, at, name, longest, 1, n, packed);
}

/* @units and @description: one fixed-length text a column, in order. */
static void describe(struct archive_writer *w, hid_t dataset, const struct archive_table *t)
{
    char units[COLUMNS][DOC] = {{0}}, docs[COLUMNS][DOC] = {{0}};
    size_t offset;
    const struct plate_column *c;
    unsigned n = 0;
    for (; n < COLUMNS && (c = archive_column(t, n, &offset)); n++) {
        memcpy(units[n], c->unit, strnlen(c->unit, DOC));
        if (c->doc) memcpy(docs[n], c->doc, strnlen(c->doc, DOC));
    }
    put_short_texts(w, dataset, "units", units, n);
    put_short_texts(w, dataset, "description", docs, n);
}

static struct table make_table(struct archive_writer *w, hid_t at, enum archive_table_id id)
{
    const struct archive_table *t = &archive_tables[id];
    const struct table made = {make_dataset(w, at, t->name, w->row_type[id], 1, 1, t->chunk_rows), 0};
    if (made.dataset >= 0) describe(w, made.dataset, t);
    return made;
}

static void put_cells(struct archive_writer *w, hid_t group, const struct recording_plate *p)
{
    char layout[PLATE_MAX_CELLS * PLATE_NAME_SIZE] = "";
    double mm[PLATE_MAX_CELLS][2];
    size_t n = 0;
    for (unsigned i = 0; i < p->cells; i++) {
        if (i) layout[n++] = ' ';
        for (const char *c = p->cell[i].name; *c; c++) layout[n++] = *c == ' ' ? '_' : *c;
        mm[i][0] = p->cell[i].x_mm;
        mm[i][1] = p->cell[i].y_mm;
    }
    put_text(w, group, "cell_layout", layout);
    put_attribute(w, group, "cell_positions_mm", H5T_IEEE_F64LE, 2, (hsize_t[]){p->cells, 2}, mm);
}

/* docs/decisions/0002-chunks-and-filters.md. Growing: about a second of rows, as each flush writes the last chunk again; at
 * least 4096 numbers. Sealed: 64 kB, which compress better, and of which a reader of a stretch reads one too many at most. */
static hsize_t counts_chunk(const struct recording_plate *p, enum archive_mode mode)
{
    const hsize_t sealed = (1 << 14) / p->cells, least = (4096 + p->cells - 1) / p->cells, most = (1 << 18) / p->cells;
    const double second = isfinite(p->rate_Hz) ? ceil(p->rate_Hz) : 0;
    if (mode == ARCHIVE_SEALED) return sealed;
    if (second >= (double)most) return most;
    return second > (double)least ? (hsize_t)second : least;
}

static void make_plate(struct archive_writer *w, hid_t plates, const struct recording_plate *from, int32_t index)
{
    struct plate *p = &w->plate[index];
    memcpy(p->name, from->name, sizeof p->name);
    p->cells = from->cells;
    p->first = p->next = p->gap_end = from->first_sample;
    const hid_t how = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_attr_phase_change(how, ATTRIBUTES_MOST, ATTRIBUTES_MOST - 1);
    p->group = H5Gcreate2(plates, p->name, H5P_DEFAULT, how, H5P_DEFAULT);
    building(w, p->group >= 0, p->name);
    H5Pclose(how);
    if (p->group < 0) return;
    put_i32(w, p->group, "index", index);
    put_text(w, p->group, "device", from->device);
    put_text(w, p->group, "device_serial", from->device_serial);
    put_text(w, p->group, "protocol", from->protocol);
    put_f64(w, p->group, "rate_Hz", from->rate_Hz);
    put_f64(w, p->group, "tick_s", from->tick_s);
    put_f64(w, p->group, "count_scale", from->count_scale);
    put_u64(w, p->group, "first_sample", p->first);
    put_u64(w, p->group, "span", 0);
    put_cells(w, p->group, from);
    p->counts = make_dataset(w, p->group, "counts", H5T_STD_I32LE, 2, p->cells, counts_chunk(from, w->mode));
    if (p->counts >= 0) put_texts(w, p->counts, "units", 8, 1, 1, "count\0\0\0");
    p->clock = make_table(w, p->group, ARCHIVE_CLOCK);
    p->gaps = make_table(w, p->group, ARCHIVE_GAPS);
}

static void put_utc(struct archive_writer *w, const char *name, int64_t utc_ns)
{
    const int64_t second = 1000000000, ns = (utc_ns % second + second) % second;
    const time_t s = (time_t)((utc_ns - ns) / second);
    struct tm tm;
    char date[32] = "", text[64];
    if (gmtime_r(&s, &tm)) strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text, sizeof text, "%s.%09" PRId64 "Z", date, ns);
    put_text(w, w->file, name, text);
}

static void make_all(struct archive_writer *w, const struct recording *rec)
{
    static const char no_digest[64];
    put_text(w, w->file, "format", ARCHIVE_FORMAT);
    put_i32(w, w->file, "format_version", ARCHIVE_FORMAT_VERSION);
    put_i32(w, w->file, "detector_version", rec->detector_version ? rec->detector_version : PLATE_DETECTOR_VERSION);
    put_text(w, w->file, "software", rec->software);
    put_text(w, w->file, "station", rec->station);
    put_text(w, w->file, "session", rec->session);
    put_utc(w, "created_utc", rec->created_utc_ns);
    put_attribute(w, w->file, "started_host_ns", H5T_STD_I64LE, 0, NULL, &rec->started_host_ns);
    put_text(w, w->file, "config", rec->config ? rec->config : "");
    put_text(w, w->file, "ring", rec->ring);
    put_i32(w, w->file, "sealed", 0);
    put_i32(w, w->file, "ended", 0);
    put_i32(w, w->file, "part", (int32_t)rec->earlier_parts + 1);
    put_i32(w, w->file, "continued", 0);
    put_texts(w, w->file, "digest", sizeof no_digest, 0, 0, no_digest);
    for (unsigned i = 0; i < ARCHIVE_TABLES; i++) {
        w->row_type[i] = archive_row_type(&archive_tables[i]);
        assert(H5Tget_size(w->row_type[i]) <= ARCHIVE_ROW_MAX);
    }
    for (unsigned i = ARCHIVE_CALIBRATIONS; i < ARCHIVE_TABLES; i++) w->table[i] = make_table(w, w->file, i);
    const hid_t plates = H5Gcreate2(w->file, "plates", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    building(w, plates >= 0, "/plates");
    w->plates = rec->plates;
    for (unsigned i = 0; i < rec->plates && !w->failed; i++) make_plate(w, plates, &rec->plate[i], (int32_t)i);
    if (plates >= 0) H5Gclose(plates);
}

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
    H5Pset_attr_phase_change(how, ATTRIBUTES_MOST, ATTRIBUTES_MOST - 1);
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
    make_all(w, rec);
    if (!w->failed && mode == ARCHIVE_LIVE) building(w, H5Fstart_swmr_write(w->file) >= 0, "a file that can be read meanwhile");
    if (w->failed) {
        rc = archive_fail(ret_error, -EIO, "%s: %.180s", path, w->first_failure.text);
        close_file(w->file, NULL);
        release(w);
        return rc;
    }
    *ret = w;
    return 0;
}

/* ---- writing ---- */

/* n rows behind the `rows` that are there; after a failure there are still `rows`. */
static bool append(hid_t dataset, uint64_t rows, size_t n, int rank, hsize_t cells, hid_t type, const void *bytes)
{
    const hsize_t start[] = {rows, 0}, count[] = {n, cells}, before[] = {rows, cells}, after[] = {rows + n, cells};
    if (H5Dset_extent(dataset, after) < 0) return false;
    const hid_t there = H5Dget_space(dataset), here = H5Screate_simple(rank, count, NULL);
    const bool ok = H5Sselect_hyperslab(there, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                    H5Dwrite(dataset, type, here, there, H5P_DEFAULT, bytes) >= 0;
    const hid_t kept = archive_keep_errors(ok);
    H5Sclose(here);
    H5Sclose(there);
    if (!ok) H5Dset_extent(dataset, before);
    archive_restore_errors(kept);
    return ok;
}

static int append_packed(struct archive_writer *w, struct table *t, enum archive_table_id id, size_t n,
                         struct archive_error *ret_error)
{
    if (!append(t->dataset, t->rows, n, 1, 1, w->row_type[id], w->row))
        return archive_fail(ret_error, -EIO, "/%s: cannot be written", archive_tables[id].name);
    t->rows += n;
    return 0;
}

static int append_row(struct archive_writer *w, struct table *t, enum archive_table_id id, const void *row,
                      struct archive_error *ret_error)
{
    archive_row_pack(&archive_tables[id], row, w->row);
    return append_packed(w, t, id, 1, ret_error);
}

static int misfit(struct archive_error *ret_error, const char *what)
{
    return archive_fail(ret_error, -EINVAL, "%s does not fit this recording", what);
}

#define SAMPLE_MAX (UINT64_C(1) << 62) /* beyond any recording; keeps sums in range */

static int put_gap(struct archive_writer *w, struct plate *p, uint64_t count, enum plate_gap_reason reason, bool estimated,
                   struct archive_error *ret_error)
{
    const struct archive_gap_row row = {p->rows, p->next, count, (int32_t)reason, estimated};
    const int rc = append_row(w, &p->gaps, ARCHIVE_GAPS, &row, ret_error);
    if (rc == 0) p->gap_end = p->next = p->next + count;
    return rc;
}

/* What nobody has accounted for before `sample` was lost between the device and here. */
static int put_lost_before(struct archive_writer *w, struct plate *p, uint64_t sample, struct archive_error *ret_error)
{
    return sample > p->next ? put_gap(w, p, sample - p->next, PLATE_GAP_OVERRUN, false, ret_error) : 0;
}

static int write_block(struct archive_writer *w, struct plate *p, const struct record_header *h, const int32_t *counts,
                       struct archive_error *ret_error)
{
    const size_t row_size = p->cells * sizeof *counts, n = h->size / row_size;
    if (h->size % row_size || h->sample > SAMPLE_MAX) return misfit(ret_error, "a block");
    if (n == 0 || h->sample + n <= p->next) return 0;
    const int rc = put_lost_before(w, p, h->sample, ret_error);
    if (rc < 0) return rc;
    const size_t there = (size_t)(p->next - h->sample);
    if (!append(p->counts, p->rows, n - there, 2, p->cells, H5T_NATIVE_INT32, counts + there * p->cells))
        return archive_fail(ret_error, -EIO, "/plates/%s/counts: cannot be written", p->name);
    p->rows += n - there;
    p->next += n - there;
    return 0;
}

static int write_gap(struct archive_writer *w, struct plate *p, const void *payload, struct archive_error *ret_error)
{
    uint64_t sample, count;
    uint32_t reason;
    uint8_t estimated;
    const char *at = payload; /* not as the struct: a bool out of a file may be neither true nor false */
    memcpy(&sample, at + offsetof(struct plate_gap, sample), sizeof sample);
    memcpy(&count, at + offsetof(struct plate_gap, count), sizeof count);
    memcpy(&reason, at + offsetof(struct plate_gap, reason), sizeof reason);
    memcpy(&estimated, at + offsetof(struct plate_gap, estimated), sizeof estimated);
    if (reason >= PLATE_GAP_REASONS || sample > SAMPLE_MAX || count > SAMPLE_MAX) return misfit(ret_error, "a gap");
    const uint64_t end = sample + count;
    if (count == 0 || end <= p->next) return 0;
    const int rc = put_lost_before(w, p, sample, ret_error);
    return rc < 0 ? rc : put_gap(w, p, end - p->next, (enum plate_gap_reason)reason, estimated, ret_error);
}

static int write_clock(struct archive_writer *w, struct plate *p, const void *payload, struct archive_error *ret_error)
{
    struct archive_knot k;
    memcpy(&k.clock, payload, sizeof k.clock);
    if (k.clock.sample > SAMPLE_MAX) return misfit(ret_error, "a knot");
    if (p->clock.rows && k.clock.sample < p->knot_sample) return 0;
    const uint64_t behind = k.clock.sample < p->next ? p->next - k.clock.sample : 0;
    const uint64_t since_gap = p->next - p->gap_end;
    k.row = p->rows - (behind < since_gap ? behind : since_gap);
    const int rc = append_row(w, &p->clock, ARCHIVE_CLOCK, &k, ret_error);
    if (rc == 0) p->knot_sample = k.clock.sample;
    return rc;
}

static int write_calibration(struct archive_writer *w, const struct plate *p, const struct record_header *h,
                             const void *payload, struct archive_error *ret_error)
{
    struct archive_calibration_row row = {.sample = h->sample};
    memcpy(row.plate, p->name, sizeof row.plate);
    memcpy(&row.record, payload, sizeof row.record);
    return append_row(w, &w->table[ARCHIVE_CALIBRATIONS], ARCHIVE_CALIBRATIONS, &row, ret_error);
}

static int write_rep(struct archive_writer *w, const struct record_header *h, const void *payload,
                     struct archive_error *ret_error)
{
    struct archive_rep row = {.t_s = h->t_s};
    memcpy(&row.rep, payload, sizeof row.rep);
    const struct plate_rep *rep = &row.rep;
    if (rep->findings < 0 || rep->findings > PLATE_MAX_FINDINGS) return misfit(ret_error, "a rep");
    struct table *findings = &w->table[ARCHIVE_FINDINGS];
    const uint64_t findings_before = findings->rows;
    const size_t size = H5Tget_size(w->row_type[ARCHIVE_FINDINGS]);
    for (int32_t i = 0; i < rep->findings; i++) {
        struct plate_finding_row f = {
            .set = rep->set, .rep = rep->rep, .value = rep->form[i].value, .limit = rep->form[i].limit};
        memcpy(f.plate, rep->plate, sizeof f.plate);
        memcpy(f.name, rep->form[i].name, sizeof f.name);
        archive_row_pack(&archive_tables[ARCHIVE_FINDINGS], &f, w->row + (size_t)i * size);
    }
    int rc = rep->findings ? append_packed(w, findings, ARCHIVE_FINDINGS, (size_t)rep->findings, ret_error) : 0;
    if (rc == 0) rc = append_row(w, &w->table[ARCHIVE_REPS], ARCHIVE_REPS, &row, ret_error);
    if (rc < 0 && H5Dset_extent(findings->dataset, &(hsize_t){findings_before}) >= 0) findings->rows = findings_before;
    return rc;
}

/* What is stored with the time at which it was known has it in front. */
enum { payload_offset = offsetof(struct archive_set, set) };
_Static_assert(offsetof(struct archive_asymmetry, asymmetry) == payload_offset, "as in write_timed");
_Static_assert(offsetof(struct archive_imbalance, imbalance) == payload_offset, "as in write_timed");
_Static_assert(offsetof(struct archive_correction, correction) == payload_offset, "as in write_timed");

static int write_timed(struct archive_writer *w, enum archive_table_id id, const struct record_header *h, const void *payload,
                       struct archive_error *ret_error)
{
    union {
        double t_s;
        struct archive_set set;
        struct archive_asymmetry asymmetry;
        struct archive_imbalance imbalance;
        struct archive_correction correction;
    } row = {.t_s = h->t_s};
    memcpy((char *)&row + payload_offset, payload, h->size);
    return append_row(w, &w->table[id], id, &row, ret_error);
}

static int write_end(struct archive_writer *w, const uint64_t *spans, struct archive_error *ret_error)
{
    int rc = 0;
    for (unsigned i = 0; i < w->plates && rc == 0; i++)
        rc = spans[i] > SAMPLE_MAX ? misfit(ret_error, "the end") : put_lost_before(w, &w->plate[i], spans[i], ret_error);
    return rc;
}

/* The one size a payload of this type can have; 0: any. */
static size_t payload_size(const struct archive_writer *w, uint16_t type)
{
    switch (type) {
    case RECORD_CLOCK:
        return sizeof(struct plate_clock);
    case RECORD_GAP:
        return sizeof(struct plate_gap);
    case RECORD_CALIBRATION:
        return sizeof(struct record_calibration);
    case RECORD_MARK:
        return sizeof(struct plate_mark);
    case RECORD_REP:
        return sizeof(struct plate_rep);
    case RECORD_SET:
        return sizeof(struct plate_set);
    case RECORD_ASYMMETRY:
        return sizeof(struct plate_asymmetry);
    case RECORD_IMBALANCE:
        return sizeof(struct plate_imbalance);
    case RECORD_CORRECTION:
        return sizeof(struct plate_correction);
    case RECORD_SESSION:
        return sizeof(struct record_session);
    case RECORD_END:
    case RECORD_NEXT:
        return w->plates * sizeof(uint64_t);
    default:
        return 0;
    }
}

static int write_record(struct archive_writer *w, const struct record_header *h, const void *payload,
                        struct archive_error *ret_error)
{
    struct plate *p = h->plate < w->plates ? &w->plate[h->plate] : NULL;
    switch (h->type) {
    case RECORD_BLOCK:
        return p ? write_block(w, p, h, payload, ret_error) : misfit(ret_error, "a plate");
    case RECORD_GAP:
        return p ? write_gap(w, p, payload, ret_error) : misfit(ret_error, "a plate");
    case RECORD_CLOCK:
        return p ? write_clock(w, p, payload, ret_error) : misfit(ret_error, "a plate");
    case RECORD_CALIBRATION:
        return p ? write_calibration(w, p, h, payload, ret_error) : misfit(ret_error, "a plate");
    case RECORD_MARK:
        return append_row(w, &w->table[ARCHIVE_MARKS], ARCHIVE_MARKS, payload, ret_error);
    case RECORD_SESSION:
        return append_row(w, &w->table[ARCHIVE_SESSION], ARCHIVE_SESSION, payload, ret_error);
    case RECORD_REP:
        return write_rep(w, h, payload, ret_error);
    case RECORD_SET:
        return write_timed(w, ARCHIVE_SETS, h, payload, ret_error);
    case RECORD_ASYMMETRY:
        return write_timed(w, ARCHIVE_ASYMMETRY, h, payload, ret_error);
    case RECORD_IMBALANCE:
        return write_timed(w, ARCHIVE_IMBALANCE, h, payload, ret_error);
    case RECORD_CORRECTION:
        return write_timed(w, ARCHIVE_CORRECTIONS, h, payload, ret_error);
    case RECORD_END:
        w->ended = true;
        return write_end(w, payload, ret_error);
    case RECORD_NEXT:
        w->continued = true;
        return write_end(w, payload, ret_error);
    default:
        return misfit(ret_error, "a record's type");
    }
}

int archive_write(struct archive_writer *w, const struct record_header *h, const void *payload, struct archive_error *ret_error)
{
    const size_t size = payload_size(w, h->type);
    if (size && h->size != size) return misfit(ret_error, "a record's size");
    if (h->lsn && h->lsn <= w->last_lsn) return 0; /* an importer that does not number its records leaves 0 */
    const int rc = write_record(w, h, payload, ret_error);
    if (rc == 0 && h->lsn) w->last_lsn = h->lsn;
    return rc;
}

int archive_flush(struct archive_writer *w)
{
    for (unsigned i = 0; i < w->plates; i++) {
        /* gaps and knots first: a reader that sees a row shall see what stands before it */
        struct plate *p = &w->plate[i];
        if (p->gaps.rows != p->gaps_flushed && H5Dflush(p->gaps.dataset) >= 0) p->gaps_flushed = p->gaps.rows;
        if (p->clock.rows != p->clock_flushed && H5Dflush(p->clock.dataset) >= 0) p->clock_flushed = p->clock.rows;
    }
    return H5Fflush(w->file, H5F_SCOPE_LOCAL) < 0 ? archive_fail(NULL, -EIO, "flush") : 0;
}

/* ---- closing and sealing ---- */

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
