#include "trace_import.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_DECIMALS = 6 };

int import_fail(struct import *im, int error, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(im->error, im->error_size, format, ap);
    va_end(ap);
    return error;
}

void import_warn(struct import *im, const char *format, ...)
{
    size_t most = sizeof im->ret->warning / sizeof *im->ret->warning;
    if (im->warnings == most) return;
    va_list ap;
    va_start(ap, format);
    vsnprintf(im->ret->warning[im->warnings++], sizeof *im->ret->warning, format, ap);
    va_end(ap);
}

static bool names_column(const struct trace_column *c, const char *name)
{
    size_t n = strlen(name);
    return !strcmp(c->header, name) || (c->counts && strlen(c->header) == n + 7 && !memcmp(c->header, name, n));
}

static int read_scales(struct import *im)
{
    for (unsigned i = 0; i < im->table.columns; i++) im->scale[i] = NAN;
    for (unsigned k = 0; k < im->opt->scales; k++) {
        const struct trace_scale *s = &im->opt->scale[k];
        unsigned i = 0;
        while (i < im->table.columns && !names_column(&im->table.column[i], s->column)) i++;
        if (i == im->table.columns)
            return import_fail(im, -EINVAL, "--scale %s: %s has no such column", s->column, im->opt->in);
        if (!im->table.column[i].counts)
            return import_fail(im, -EINVAL, "--scale %s: the column is in newtons already: call it NAME_counts if it is not",
                               s->column);
        im->scale[i] = s->N_per_count;
    }
    return 0;
}

/* ---- the configuration: read, or made from the columns ---- */

static unsigned plate_columns(const struct import *im, const char *plate, unsigned ret[PLATE_MAX_CELLS])
{
    unsigned n = 0;
    for (unsigned i = 0; i < im->table.columns; i++)
        if (!strcmp(im->table.column[i].plate, plate)) ret[n++] = i;
    return n;
}

static bool are_corners(const struct import *im, const unsigned *column, unsigned n)
{
    static const char *const corner[] = {"front_left", "front_right", "back_left", "back_right"};
    unsigned found = 0;
    for (unsigned i = 0; i < n; i++)
        for (unsigned k = 0; k < 4; k++) found += !strcmp(im->table.column[column[i]].cell, corner[k]);
    return n == 4 && found == 4; /* names are unique */
}

/* As many decimals as the columns have, as far as the counts then fit 32 bits. */
static int plate_decimals(const struct import *im, const unsigned *column, unsigned n, double *ret_highest, int *ret_wanted)
{
    int wanted = 0, d;
    double highest = 0;
    for (unsigned i = 0; i < n; i++) {
        const struct trace_column *c = &im->table.column[column[i]];
        if (c->decimals > wanted) wanted = c->decimals;
        if (c->highest > highest) highest = c->highest;
    }
    for (d = wanted < MAX_DECIMALS ? wanted : MAX_DECIMALS; d > 0 && highest * pow(10, d) > INT32_MAX; d--) {
    }
    *ret_highest = highest;
    *ret_wanted = wanted;
    return d;
}

static int set_decimals(struct import *im, unsigned plate, const char *name, const unsigned *column, unsigned n)
{
    double highest;
    int wanted, d = plate_decimals(im, column, n, &highest, &wanted);
    if (highest > INT32_MAX)
        return import_fail(im, -ERANGE, "%s: plate %s has values above %d: they do not fit the archive's 32-bit counts",
                           im->opt->in, name, INT32_MAX);
    if (d < wanted) import_warn(im, "%s: plate %s: values are rounded to %d decimals", im->opt->in, name, d);
    im->to_count[plate] = pow(10, d);
    return 0;
}

static void write_plate(struct import *im, FILE *f, unsigned plate, const char *name, const unsigned *column, unsigned n)
{
    bool sided = !strcmp(name, "left") || !strcmp(name, "right"), corners = are_corners(im, column, n);
    fprintf(f,
            "  - name: \"%s\"\n    side: %s\n    port: \"import %s\"\n    decoder: csv\n    rate_Hz: %.6g\n    count_scale: "
            "%.17g\n",
            name, sided ? name : "none", name, im->axis.rate_Hz, 1 / im->to_count[plate]);
    if (corners) fprintf(f, "    width_mm: %.17g\n    length_mm: %.17g\n", im->opt->width_mm, im->opt->length_mm);
    fprintf(f, "    cells:\n");
    for (unsigned i = 0; i < n; i++) {
        double gain = isnan(im->scale[column[i]]) ? 1 : im->scale[column[i]];
        fprintf(f, "      - {name: \"%s\", gain: %.17g}\n", im->table.column[column[i]].cell, gain);
    }
}

static void write_quoted(FILE *f, const char *text)
{
    putc('"', f);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') putc('\\', f);
        putc(*text, f);
    }
    putc('"', f);
}

static void warn_unscaled(struct import *im)
{
    for (unsigned i = 0; i < im->table.columns; i++)
        if (im->table.column[i].counts && isnan(im->scale[i])) {
            import_warn(im,
                        "%s: column %s has no scale: one count is taken as one newton (--scale %s=N_PER_COUNT, or -c CONFIG)",
                        im->opt->in, im->table.column[i].header, im->table.column[i].header);
            return;
        }
}

/* A configuration with the columns' plates, as text: what the archive keeps must read back as what was used. */
static int make_config(struct import *im)
{
    char *text = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&text, &n);
    if (!f) return import_fail(im, -ENOMEM, "not enough memory");
    const char *exercise = im->opt->exercise ? im->opt->exercise : "generic";
    fprintf(f, "# made by plate-trace import from the columns of a CSV\nstation: import\nexercise: ");
    write_quoted(f, exercise);
    fprintf(f, "\nplates:\n");
    int r = 0;
    unsigned plates = 0;
    bool corners = false;
    for (unsigned i = 0; !r && i < im->table.columns; i++) {
        unsigned column[PLATE_MAX_CELLS], cells = plate_columns(im, im->table.column[i].plate, column);
        if (column[0] != i) continue; /* not the first of its plate */
        r = set_decimals(im, plates, im->table.column[i].plate, column, cells);
        if (!r) write_plate(im, f, plates++, im->table.column[i].plate, column, cells);
        corners = corners || are_corners(im, column, cells);
    }
    bool full = ferror(f) != 0;
    if (fclose(f) || full) r = r ? r : import_fail(im, -ENOMEM, "not enough memory");
    struct config_error e;
    if (!r) {
        r = config_parse(text, n, "the configuration made from the columns", &im->config, &e);
        if (r) import_fail(im, r, "%s: %s", im->opt->in, e.text);
    }
    free(text);
    if (r) return r;
    warn_unscaled(im);
    if (corners && !im->opt->size_said)
        import_warn(im, "%s: the cells are taken to stand %g x %g mm apart: say --plate-size WIDTHxLENGTH, or -c CONFIG",
                    im->opt->in, im->opt->width_mm, im->opt->length_mm);
    return 0;
}

static int load_config(struct import *im)
{
    struct config_error e;
    int r = config_load(im->opt->config, &im->config, &e);
    if (r) return import_fail(im, r, "%s", e.text);
    for (unsigned p = 0; p < im->config.plates_count; p++) {
        const struct config_plate *c = &im->config.plates[p];
        double off = im->axis.rate_Hz / c->rate_Hz - 1;
        if (fabs(off) > 0.1)
            return import_fail(im, -EINVAL, "%s: plate %s has rate_Hz %g, the file %.6g: correct rate_Hz", im->opt->config,
                               c->name, c->rate_Hz, im->axis.rate_Hz);
        if (fabs(off) > 0.02)
            import_warn(im, "%s: plate %s: the file's rate is %.6g Hz, not %g", im->opt->in, c->name, im->axis.rate_Hz,
                        c->rate_Hz);
    }
    return 0;
}

/* ---- columns to cells ---- */

/* By name; a plate of one cell takes the one column it has, whatever that is called. */
static int match_cells(struct import *im, unsigned p)
{
    const struct config_plate *c = &im->config.plates[p];
    unsigned column[PLATE_MAX_CELLS], n = plate_columns(im, c->name, column);
    if (n == 0 && im->config.plates_count == 1) n = plate_columns(im, "plate", column);
    if (n != c->cells_count)
        return import_fail(
            im, -EINVAL,
            "%s: plate %s has %u cells in the configuration and %u columns in the file: name one column %s.CELL per cell",
            im->opt->in, c->name, c->cells_count, n, c->name);
    bool newtons = false, counts = false;
    for (unsigned i = 0; i < n; i++) {
        unsigned k = 0;
        while (k < n && strcmp(im->table.column[column[k]].cell, c->cells[i].name)) k++;
        if (k == n && n > 1)
            return import_fail(im, -EINVAL, "%s: plate %s: no column for cell %s", im->opt->in, c->name, c->cells[i].name);
        im->column[p][i] = column[k == n ? 0 : k];
        if (im->table.column[im->column[p][i]].counts)
            counts = true;
        else
            newtons = true;
    }
    if (newtons && counts && im->opt->config)
        return import_fail(im, -EINVAL, "%s: plate %s has columns in newtons and in counts: with -c, use one of the two",
                           im->opt->in, c->name);
    return 0;
}

/* Newtons need no calibration; counts get the configuration's, and --scale goes before its gain. */
static int calibrate_plate(struct import *im, unsigned p)
{
    const struct config_plate *c = &im->config.plates[p];
    struct plate_calibration *cal = &im->calibration[p];
    config_calibration(c, cal);
    if (im->opt->config) {
        int r = set_decimals(im, p, c->name, im->column[p], c->cells_count);
        if (r) return r;
        if (!im->table.column[im->column[p][0]].counts) plate_calibration_identity(cal, c->cells_count, 1);
        for (unsigned i = 0; i < c->cells_count; i++) {
            double scale = im->scale[im->column[p][i]];
            if (isnan(scale)) continue;
            if (cal->components != 1)
                return import_fail(im, -EINVAL, "--scale %s: plate %s has a matrix: correct that",
                                   im->table.column[im->column[p][i]].header, c->name);
            cal->matrix[0][i] = scale / cal->count_scale;
        }
        cal->count_scale /= im->to_count[p];
    }
    im->recording.plate[p].count_scale = cal->count_scale;
    return plate_calibration_check(cal)
               ? import_fail(im, -EINVAL, "%s: the calibration of plate %s makes no sense: check its scale", im->opt->in,
                             c->name)
               : 0;
}

static void base_name(const char *path, char *ret, size_t size)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = strlen(name);
    if (n > 3 && !strcmp(name + n - 3, ".h5")) n -= 3;
    snprintf(ret, size, "%.*s", (int)n, name);
}

static int64_t utc_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int import_columns(struct import *im)
{
    int r = read_scales(im);
    if (!r) r = im->opt->config ? load_config(im) : make_config(im);
    if (r) return r;
    config_station(&im->config, &im->station_config);
    config_recording(&im->config, &im->recording);
    unsigned taken = 0;
    for (unsigned p = 0; p < im->config.plates_count; p++) {
        r = match_cells(im, p);
        if (!r) r = calibrate_plate(im, p);
        if (r) return r;
        snprintf(im->recording.plate[p].device, sizeof im->recording.plate[p].device, "CSV import");
        im->recording.plate[p].tick_s = 0;
        taken += im->config.plates[p].cells_count;
    }
    if (taken != im->table.columns)
        return import_fail(im, -EINVAL, "%s: has columns of plates that %s does not have: drop them, or add the plates",
                           im->opt->in, im->opt->config);
    struct recording *rec = &im->recording;
    base_name(im->opt->out, rec->name, sizeof rec->name);
    memcpy(rec->session, rec->name, sizeof rec->session - 1);
    snprintf(rec->software, sizeof rec->software, "plate-trace %s", plate_build());
    rec->created_utc_ns = utc_now_ns();
    rec->config = strdup(im->config.text);
    return rec->config ? 0 : import_fail(im, -ENOMEM, "not enough memory");
}
