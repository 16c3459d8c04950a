#include "archive_reader.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- rows ---- */

uint64_t archive_rows(const struct archive_reader *r, unsigned plate)
{
    uint64_t rows = 0;
    for (unsigned i = 0; i < r->parts && plate < r->recording.plates; i++) rows += r->part[i].plate[plate].rows;
    return rows;
}

unsigned archive_cells(const struct archive_reader *r, unsigned plate, uint64_t row)
{
    unsigned i = 0;
    for (; i + 1 < r->parts && row >= r->part[i].plate[plate].rows; i++) row -= r->part[i].plate[plate].rows;
    return r->part[i].plate[plate].cells;
}

/* Rows of `from` numbers to rows of `to`, in place; the rest of a row is 0. */
static void widen(int32_t *counts, size_t n, unsigned from, unsigned to)
{
    for (size_t i = n; i-- && from < to;) {
        memmove(counts + i * to, counts + i * from, from * sizeof *counts);
        memset(counts + i * to + from, 0, (to - from) * sizeof *counts);
    }
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
    for (unsigned i = 0; i < r->parts && n; i++) {
        const struct part_plate *at = &r->part[i].plate[plate];
        if (row < at->rows) {
            const uint64_t here = n < at->rows - row ? n : at->rows - row;
            if (!archive_read_rows(at->counts, H5T_NATIVE_INT32, 2, row, here, at->cells, ret_counts))
                return archive_fail(ret_error, -EIO, "/plates/%s/counts: rows from %" PRIu64 " cannot be read", p->name, row);
            widen(ret_counts, here, at->cells, p->cells);
            ret_counts += here * p->cells;
            n -= here;
            row = at->rows;
        }
        row -= at->rows;
    }
    return 0;
}

/* The whole table as structs. */
static int read_table(hid_t dataset, enum archive_table_id id, void **ret, size_t *ret_n, struct archive_error *ret_error)
{
    const struct archive_table *t = &archive_tables[id];
    uint64_t n = 0;
    if (dataset >= 0 && archive_dataset_rows(dataset, &n, NULL) < 0)
        return archive_fail(ret_error, -EPROTO, "/%s: not a table", t->name);
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

/* A later part begins by saying again what holds: its rows that are there already, but for their first `skip` bytes. */
static size_t said_again(const char *rows, size_t n, const char *more, size_t n_more, size_t size, size_t skip)
{
    size_t again = 0;
    while (again < n_more) {
        size_t i = n;
        while (i && memcmp(rows + (i - 1) * size + skip, more + again * size + skip, size - skip) != 0) i--;
        if (i == 0) break;
        again++;
    }
    return again;
}

struct rows {
    char *rows;
    size_t n;
};

static int add_rows(struct rows *to, size_t size, const char *more, size_t n)
{
    char *all = n ? realloc(to->rows, (to->n + n) * size) : to->rows;
    if (n && !all) return -ENOMEM;
    to->rows = all;
    if (n) memcpy(all + to->n * size, more, n * size);
    to->n += n;
    return 0;
}

/* Both begin with the row of counts, which a part counts from its own first one. */
static int read_plate_table(const struct archive_reader *r, unsigned part, unsigned plate, enum archive_table_id id, void **ret,
                            size_t *ret_n, struct archive_error *ret_error)
{
    uint64_t before = 0;
    const struct part_plate *at = &r->part[part].plate[plate];
    const int rc = read_table(id == ARCHIVE_CLOCK ? at->clock : at->gaps, id, ret, ret_n, ret_error);
    for (unsigned i = 0; i < part; i++) before += r->part[i].plate[plate].rows;
    for (size_t i = 0; rc == 0 && i < *ret_n; i++) *(uint64_t *)((char *)*ret + i * archive_tables[id].row_size) += before;
    return rc;
}

/* A table of all parts as structs; `plate` is for a table of a plate. */
static int read_parts(struct archive_reader *r, enum archive_table_id id, unsigned plate, void **ret, size_t *ret_n,
                      struct archive_error *ret_error)
{
    const size_t size = archive_tables[id].row_size, skip = id == ARCHIVE_CLOCK ? sizeof(uint64_t) : 0;
    const bool repeats = id == ARCHIVE_CLOCK || id == ARCHIVE_CALIBRATIONS || id == ARCHIVE_SESSION;
    struct rows all = {NULL, 0};
    for (unsigned i = 0; i < r->parts; i++) {
        void *more = NULL;
        size_t n = 0;
        int rc = id < ARCHIVE_CALIBRATIONS ? read_plate_table(r, i, plate, id, &more, &n, ret_error)
                                           : read_table(r->part[i].table[id], id, &more, &n, ret_error);
        const size_t again = rc == 0 && repeats ? said_again(all.rows, all.n, more, n, size, skip) : 0;
        if (rc == 0 && n > again && add_rows(&all, size, (const char *)more + again * size, n - again) < 0)
            rc = archive_fail(ret_error, -ENOMEM, "/%s", archive_tables[id].name);
        free(more);
        if (rc < 0) {
            free(all.rows);
            return rc;
        }
    }
    *ret = all.rows;
    *ret_n = all.n;
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
    return read_parts(r, ARCHIVE_CLOCK, plate, (void **)ret, ret_n, ret_error);
}

/* The gaps of a part; `*next`: the sample that is due at its beginning, then at its end. What lies between two parts was lost
 * with the end of the earlier one. */
static int gaps_of_part(const struct archive_reader *r, unsigned part, unsigned plate, uint64_t *next, struct rows *to,
                        struct archive_error *ret_error)
{
    const struct part_plate *at = &r->part[part].plate[plate];
    struct archive_gap_row *row = NULL;
    size_t n = 0;
    uint64_t before = 0;
    int rc = read_plate_table(r, part, plate, ARCHIVE_GAPS, (void **)&row, &n, ret_error);
    if (rc < 0) return rc;
    for (unsigned i = 0; i < part; i++) before += r->part[i].plate[plate].rows;
    const struct archive_gap between = {before, {*next, at->first - *next, PLATE_GAP_DISK, false}};
    if (part && at->first > *next) rc = add_rows(to, sizeof between, (const char *)&between, 1);
    *next = at->first + at->rows;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct archive_gap gap = {row[i].row,
                                        {row[i].sample, row[i].count, (enum plate_gap_reason)row[i].reason, row[i].estimated}};
        *next += row[i].count;
        rc = add_rows(to, sizeof gap, (const char *)&gap, 1);
    }
    free(row);
    return rc < 0 ? archive_fail(ret_error, rc, "/gaps") : 0;
}

int archive_gaps(struct archive_reader *r, unsigned plate, struct archive_gap **ret, size_t *ret_n,
                 struct archive_error *ret_error)
{
    if (plate >= r->recording.plates) return no_plate(plate, ret_error);
    struct rows gaps = {NULL, 0};
    uint64_t next = 0;
    for (unsigned i = 0; i < r->parts; i++) {
        const int rc = gaps_of_part(r, i, plate, &next, &gaps, ret_error);
        if (rc < 0) {
            free(gaps.rows);
            return rc;
        }
    }
    *ret = (struct archive_gap *)(void *)gaps.rows;
    *ret_n = gaps.n;
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
    int rc = read_parts(r, ARCHIVE_CALIBRATIONS, 0, &table, &n, ret_error);
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
    return read_parts(r, ARCHIVE_SESSION, 0, (void **)ret, ret_n, ret_error);
}

int archive_marks(struct archive_reader *r, struct plate_mark **ret, size_t *ret_n, struct archive_error *ret_error)
{
    return read_parts(r, ARCHIVE_MARKS, 0, (void **)ret, ret_n, ret_error);
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
    int rc = read_parts(r, ARCHIVE_REPS, 0, &reps, &n, ret_error);
    if (rc < 0) return rc;
    rc = read_parts(r, ARCHIVE_FINDINGS, 0, &findings, &n_findings, ret_error);
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
    return read_parts(r, ARCHIVE_SETS, 0, (void **)ret, ret_n, ret_error);
}

int archive_asymmetries(struct archive_reader *r, struct archive_asymmetry **ret, size_t *ret_n,
                        struct archive_error *ret_error)
{
    return read_parts(r, ARCHIVE_ASYMMETRY, 0, (void **)ret, ret_n, ret_error);
}

int archive_imbalances(struct archive_reader *r, struct archive_imbalance **ret, size_t *ret_n, struct archive_error *ret_error)
{
    return read_parts(r, ARCHIVE_IMBALANCE, 0, (void **)ret, ret_n, ret_error);
}

int archive_corrections(struct archive_reader *r, struct archive_correction **ret, size_t *ret_n,
                        struct archive_error *ret_error)
{
    return read_parts(r, ARCHIVE_CORRECTIONS, 0, (void **)ret, ret_n, ret_error);
}

int archive_span(struct archive_reader *r, unsigned plate, uint64_t *ret, struct archive_error *ret_error)
{
    struct archive_gap *gaps;
    size_t n;
    const struct part *last = &r->part[r->parts - 1];
    if (plate < r->recording.plates && last->info.sealed) {
        *ret = last->plate[plate].first - r->part[0].plate[plate].first + last->plate[plate].span;
        return 0;
    }
    const int rc = archive_gaps(r, plate, &gaps, &n, ret_error);
    if (rc < 0) return rc;
    const uint64_t rows = archive_rows(r, plate);
    uint64_t span = rows;
    for (size_t i = 0; i < n && gaps[i].row <= rows; i++) span += gaps[i].gap.count;
    free(gaps);
    *ret = span;
    return 0;
}

int archive_check_digest(struct archive_reader *r, const struct archive_pulse *pulse, struct archive_error *ret_error)
{
    char digest[65], name[32] = "";
    for (unsigned i = 0; i < r->parts; i++) {
        const struct archive_info *info = &r->part[i].info;
        if (r->parts > 1) snprintf(name, sizeof name, "part %u: ", i + 1);
        if (!info->sealed) return archive_fail(ret_error, -EBADMSG, "%snot sealed", name);
        const int rc = archive_digest(r->part[i].file, pulse, digest, ret_error);
        if (rc < 0) return rc;
        if (strcmp(digest, info->digest) != 0)
            return archive_fail(ret_error, -EBADMSG, "%sdigest: the file says %.12s..., its contents %.12s...: it was changed",
                                name, info->digest, digest);
    }
    return 0;
}
