#include "archive_layout.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const gap_words[] = {"sequence", "time", "restart", "unplug", "overrun", "disk", NULL};
_Static_assert(sizeof gap_words / sizeof *gap_words == PLATE_GAP_REASONS + 1, "a word for every reason");

#define COLUMN(what, field, name, type, unit, names, doc)                                                                      \
    {                                                                                                                          \
        name, type, offsetof(struct what, field), sizeof(((struct what *)0)->field), 0, unit, names, doc                       \
    }
#define U64(what, field, name, doc) COLUMN(what, field, name, PLATE_COL_U64, "", NULL, doc)
#define I64(what, field, name, doc) COLUMN(what, field, name, PLATE_COL_I64, "ns", NULL, doc)
#define F64(what, field, name, unit, doc) COLUMN(what, field, name, PLATE_COL_F64, unit, NULL, doc)
#define I32(what, field, name, doc) COLUMN(what, field, name, PLATE_COL_I32, "", NULL, doc)
#define TEXT(what, field, name, doc) COLUMN(what, field, name, PLATE_COL_TEXT, "", NULL, doc)
#define END                                                                                                                    \
    {                                                                                                                          \
        0                                                                                                                      \
    }

static const struct plate_column clock_columns[] = {
    U64(archive_knot, row, "row", "row of counts at which the knot stands"),
    U64(archive_knot, clock.sample, "sample", "first sample that the knot speaks of"),
    U64(archive_knot, clock.device_ticks, "device_ticks", "device counter at the last sample before the knot, of tick_s"),
    I64(archive_knot, clock.host_ns, "host_ns", "host's monotonic clock when the read that led to the knot returned"),
    I64(archive_knot, clock.utc_ns, "utc_ns", "UTC of the same instant"),
    F64(archive_knot, clock.t_s, "t_s", "s", "time of `sample`"),
    F64(archive_knot, clock.period_s, "period_s", "s", "seconds per sample up to the next knot"),
    END,
};
static const struct plate_column gap_columns[] = {
    U64(archive_gap_row, row, "row", "row of counts before which the samples are missing"),
    U64(archive_gap_row, sample, "sample", "first missing sample"),
    U64(archive_gap_row, count, "count", "how many are missing"),
    COLUMN(archive_gap_row, reason, "reason", PLATE_COL_ENUM, "", gap_words, "why they are missing"),
    COLUMN(archive_gap_row, estimated, "estimated", PLATE_COL_BOOL, "", NULL, "1: counted by time, not by a counter"),
    END,
};
static const struct plate_column calibration_columns[] = {
    TEXT(archive_calibration_row, plate, "plate", "the plate's name"),
    U64(archive_calibration_row, sample, "sample", "valid from this sample of the plate on"),
    I32(archive_calibration_row, record.calibration.cells, "cells", "cells in use, of the columns below"),
    I32(archive_calibration_row, record.calibration.components, "components", "1: Fz; 6: Fx Fy Fz Mx My Mz"),
    F64(archive_calibration_row, record.calibration.count_scale, "count_scale", "", "F = matrix (counts count_scale - tare)"),
    F64(archive_calibration_row, record.calibration.tare, "tare", "", "per cell, in scaled counts"),
    F64(archive_calibration_row, record.calibration.matrix, "matrix", "N",
        "per scaled count (moments N m); a row per component"),
    F64(archive_calibration_row, record.calibration.surface_z_mm, "surface_z_mm", "mm", "surface over the sensor's origin"),
    TEXT(archive_calibration_row, record.who, "who", "who or what calibrated"),
    I64(archive_calibration_row, record.utc_ns, "when_utc_ns", "UTC of the calibration"),
    TEXT(archive_calibration_row, record.why, "why", "start, tare, ..."),
    END,
};
static const struct plate_column session_columns[] = {
    TEXT(record_session, key, "key", "subject, body_mass_kg, load_kg, exercise, protocol, notes, correction, ..."),
    TEXT(record_session, value, "value", "valid from t_s on; the latest row of a key counts"),
    F64(record_session, t_s, "t_s", "s", "when it was entered, on the sample axis"),
    U64(record_session, sample, "sample", "the same, as a sample of the first plate"),
    I64(record_session, utc_ns, "utc_ns", "UTC when it was entered"),
    END,
};
static const struct plate_column rep_time[] = {F64(archive_rep, t_s, "t_s", "s", "when the rep was known"), END};
static const struct plate_column set_time[] = {F64(archive_set, t_s, "t_s", "s", "when the row was known"), END};
static const struct plate_column asymmetry_time[] = {F64(archive_asymmetry, t_s, "t_s", "s", "when the row was known"), END};

static const struct plate_column imbalance_time[] = {
    F64(archive_imbalance, t_s, "t_s", "s", "when the verdict was another one"),
    COLUMN(archive_imbalance, imbalance.verdict_before, "verdict_before", PLATE_COL_ENUM, "", plate_verdict_words,
           "the verdict that stood until then"),
    END};
static const struct plate_column correction_time[] = {F64(archive_correction, t_s, "t_s", "s", "when it was made"), END};

const struct archive_table archive_tables[ARCHIVE_TABLES] = {
    [ARCHIVE_CLOCK] = {"clock", clock_columns, NULL, 0, sizeof(struct archive_knot), 256},
    [ARCHIVE_GAPS] = {"gaps", gap_columns, NULL, 0, sizeof(struct archive_gap_row), 256},
    [ARCHIVE_CALIBRATIONS] = {"calibrations", calibration_columns, NULL, 0, sizeof(struct archive_calibration_row), 16},
    [ARCHIVE_SESSION] = {"session", session_columns, NULL, 0, sizeof(struct record_session), 64},
    [ARCHIVE_MARKS] = {"marks", plate_mark_columns, NULL, 0, sizeof(struct plate_mark), 64},
    [ARCHIVE_REPS] = {"reps", rep_time, plate_rep_columns, offsetof(struct archive_rep, rep), sizeof(struct archive_rep), 32},
    [ARCHIVE_FINDINGS] = {"findings", plate_finding_columns, NULL, 0, sizeof(struct plate_finding_row), 64},
    [ARCHIVE_SETS] = {"sets", set_time, plate_set_columns, offsetof(struct archive_set, set), sizeof(struct archive_set), 32},
    [ARCHIVE_ASYMMETRY] = {"asymmetry", asymmetry_time, plate_asymmetry_columns, offsetof(struct archive_asymmetry, asymmetry),
                           sizeof(struct archive_asymmetry), 64},
    [ARCHIVE_IMBALANCE] = {"imbalance", imbalance_time, plate_asymmetry_columns,
                           offsetof(struct archive_imbalance, imbalance.now), sizeof(struct archive_imbalance), 16},
    [ARCHIVE_CORRECTIONS] = {"corrections", correction_time, plate_correction_columns,
                             offsetof(struct archive_correction, correction), sizeof(struct archive_correction), 16},
};

const struct plate_column *archive_column(const struct archive_table *t, unsigned i, size_t *ret_offset)
{
    const struct plate_column *c = t->columns;
    for (; c->name && i; c++) i--;
    if (c->name) return *ret_offset = c->offset, c;
    if (!t->more) return NULL;
    for (c = t->more; c->name && i; c++) i--;
    if (!c->name) return NULL;
    *ret_offset = t->more_offset + c->offset;
    return c;
}

static size_t stored_size(const struct plate_column *c) { return c->type == PLATE_COL_ENUM ? ARCHIVE_WORD_SIZE : c->size; }

hid_t archive_text_type(size_t size)
{
    const hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size ? size : 1);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

static hid_t column_type(const struct plate_column *c)
{
    switch (c->type) {
    case PLATE_COL_I32:
    case PLATE_COL_BOOL:
        return H5Tcopy(H5T_STD_I32LE);
    case PLATE_COL_U64:
        return H5Tcopy(H5T_STD_U64LE);
    case PLATE_COL_I64:
        return H5Tcopy(H5T_STD_I64LE);
    case PLATE_COL_TEXT:
    case PLATE_COL_ENUM:
        return archive_text_type(stored_size(c));
    case PLATE_COL_F64:
        break;
    }
    const hsize_t n = c->size / sizeof(double), dims[] = {n / PLATE_MAX_CELLS, PLATE_MAX_CELLS};
    if (n == 1) return H5Tcopy(H5T_IEEE_F64LE);
    return n <= PLATE_MAX_CELLS ? H5Tarray_create2(H5T_IEEE_F64LE, 1, &n) : H5Tarray_create2(H5T_IEEE_F64LE, 2, dims);
}

hid_t archive_row_type(const struct archive_table *t)
{
    size_t size = 0, offset, at = 0;
    const struct plate_column *c;
    for (unsigned i = 0; (c = archive_column(t, i, &offset)); i++) size += stored_size(c);
    const hid_t type = H5Tcreate(H5T_COMPOUND, size);
    for (unsigned i = 0; type >= 0 && (c = archive_column(t, i, &offset)); i++, at += stored_size(c)) {
        const hid_t member = column_type(c);
        H5Tinsert(type, c->name, at, member);
        H5Tclose(member);
    }
    return type;
}

static const char *word(const struct plate_column *c, int32_t value)
{
    for (int32_t i = 0; c->names[i]; i++)
        if (i == value) return c->names[i];
    return "";
}

void archive_row_pack(const struct archive_table *t, const void *row, uint8_t *bytes)
{
    size_t offset;
    const struct plate_column *c;
    for (unsigned i = 0; (c = archive_column(t, i, &offset)); i++, bytes += stored_size(c)) {
        const char *from = (const char *)row + offset;
        if (c->type != PLATE_COL_ENUM && c->type != PLATE_COL_TEXT) {
            memcpy(bytes, from, c->size);
            continue;
        }
        int32_t value;
        memcpy(&value, from, sizeof value);
        const char *text = c->type == PLATE_COL_ENUM ? word(c, value) : from;
        const size_t n = strnlen(text, stored_size(c) - 1);
        memset(bytes, 0, stored_size(c)); /* what stands behind a text's end is no part of it, nor of the digest */
        memcpy(bytes, text, n);
    }
}

void archive_row_unpack(const struct archive_table *t, const uint8_t *bytes, void *row)
{
    size_t offset;
    const struct plate_column *c;
    for (unsigned i = 0; (c = archive_column(t, i, &offset)); i++, bytes += stored_size(c)) {
        char *to = (char *)row + offset;
        if (c->type != PLATE_COL_ENUM) {
            memcpy(to, bytes, c->size);
            if (c->type == PLATE_COL_TEXT) to[c->size - 1] = '\0';
            continue;
        }
        int32_t value = 0;
        for (int32_t k = 0; c->names[k]; k++)
            if (strncmp(c->names[k], (const char *)bytes, ARCHIVE_WORD_SIZE) == 0) value = k;
        memcpy(to, &value, sizeof value);
    }
}

void archive_row_blank(const struct archive_table *t, uint8_t *bytes)
{
    size_t offset;
    const struct plate_column *c;
    for (unsigned i = 0; (c = archive_column(t, i, &offset)); i++, bytes += stored_size(c)) {
        memset(bytes, 0, stored_size(c));
        for (size_t k = 0; c->type == PLATE_COL_F64 && k < c->size; k += sizeof(double))
            memcpy(bytes + k, &(double){NAN}, sizeof(double));
    }
}

/* ---- errors ---- */

struct reason {
    char text[128];
    int system_errno;
};

static herr_t innermost(unsigned n, const H5E_error2_t *e, void *user)
{
    struct reason *r = user;
    const char *at = e->desc ? strstr(e->desc, "errno = ") : NULL;
    if (at && !r->system_errno) r->system_errno = (int)strtol(at + strlen("errno = "), NULL, 10);
    if (n == 0 && e->desc) snprintf(r->text, sizeof r->text, "%s", e->desc);
    return 0;
}

int archive_fail(struct archive_error *ret_error, int rc, const char *format, ...)
{
    struct reason r = {.text = ""};
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, &r);
    H5Eclear2(H5E_DEFAULT);
    if (ret_error) {
        va_list args;
        va_start(args, format);
        const int n = vsnprintf(ret_error->text, sizeof ret_error->text, format, args);
        va_end(args);
        const char *why = r.system_errno ? strerror(r.system_errno) : r.text;
        if (n >= 0 && (size_t)n < sizeof ret_error->text && *why)
            snprintf(ret_error->text + n, sizeof ret_error->text - (size_t)n, ": %s", why);
    }
    return r.system_errno > 0 ? -r.system_errno : rc;
}

hid_t archive_access(bool latest)
{
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    H5Eclear2(H5E_DEFAULT);
    const hid_t fapl = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_file_locking(fapl, false, true);
    H5Pset_fclose_degree(fapl, H5F_CLOSE_STRONG);
    /* 1.8 is of 2008: everybody reads it */
    H5Pset_libver_bounds(fapl, latest ? H5F_LIBVER_LATEST : H5F_LIBVER_V18, H5F_LIBVER_LATEST);
    return fapl;
}
