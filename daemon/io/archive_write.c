#include "archive_writer.h"
#include <errno.h>
#include <string.h>

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
