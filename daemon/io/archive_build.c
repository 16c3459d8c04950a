#include "archive_writer.h"
#include <assert.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* While building, calls are made in a row and the first failure is kept. */
void archive_building(struct archive_writer *w, bool ok, const char *what)
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
    archive_building(w, a >= 0 && H5Awrite(a, type, value) >= 0, name);
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
    archive_building(w, d >= 0, name);
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
    H5Pset_attr_phase_change(how, ARCHIVE_ATTRIBUTES_MOST, ARCHIVE_ATTRIBUTES_MOST - 1);
    p->group = H5Gcreate2(plates, p->name, H5P_DEFAULT, how, H5P_DEFAULT);
    archive_building(w, p->group >= 0, p->name);
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

void archive_build(struct archive_writer *w, const struct recording *rec)
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
    archive_building(w, plates >= 0, "/plates");
    w->plates = rec->plates;
    for (unsigned i = 0; i < rec->plates && !w->failed; i++) make_plate(w, plates, &rec->plate[i], (int32_t)i);
    if (plates >= 0) H5Gclose(plates);
}
