#include "sim_playback.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DECIMALS 9 /* a scale of 1 nN is the smallest that the native hello can say */
#define MAX_COLUMNS (PLATE_MAX_PLATES * PLATE_MAX_CELLS)
#define MAX_SLOT_STEP 0x7FFFFFFFu /* more, and the device's 32-bit sequence would be ambiguous */

struct column {
    unsigned plate, cell, decimals;
    double largest;
};
struct loader {
    const char *path;
    unsigned line;
    struct sim_playback_error *error;
    struct sim_playback *p;
    struct column column[MAX_COLUMNS];
    size_t room;
};

static int fail(struct loader *l, const char *format, ...) __attribute__((format(printf, 2, 3)));
static int fail(struct loader *l, const char *format, ...)
{
    int n = snprintf(l->error->text, sizeof l->error->text, "%.200s:%u: ", l->path, l->line);
    va_list a;
    va_start(a, format);
    vsnprintf(l->error->text + n, sizeof l->error->text - (size_t)n, format, a);
    va_end(a);
    for (char *c = l->error->text + n; *c; c++) /* what is quoted may be anything */
        if (*c < ' ' || *c > '~') *c = '?';
    return -EINVAL;
}

static int fail_errno(struct loader *l, int e, const char *what)
{
    snprintf(l->error->text, sizeof l->error->text, "%.200s: %s, %s", l->path, strerror(e), what);
    return -e;
}

static char *trim(char *s)
{
    while (*s == ' ' || *s == '\t') s++;
    size_t n = strlen(s);
    while (n && (s[n - 1] == ' ' || s[n - 1] == '\t')) s[--n] = 0;
    return s;
}

/* A decimal number and nothing else; *ret_decimals: digits after the point that it needs. */
static bool parse_number(const char *s, double *ret, unsigned *ret_decimals)
{
    const char *p = s + (*s == '-' || *s == '+');
    long digits = 0, decimals = 0, zeros = 0;
    for (; isdigit((unsigned char)*p); p++) digits++;
    if (*p == '.')
        for (p++; isdigit((unsigned char)*p); p++, digits++, decimals++) zeros = *p == '0' ? zeros + 1 : 0;
    if (!digits) return false;
    decimals -= zeros;
    if (*p == 'e' || *p == 'E') {
        char *end;
        long exponent = strtol(p + 1, &end, 10);
        if (end == p + 1 || isspace((unsigned char)p[1]) || exponent < -999 || exponent > 999) return false;
        decimals -= exponent;
        p = end;
    }
    if (*p) return false;
    *ret = strtod(s, NULL);
    *ret_decimals = decimals < 0 || *ret == 0 ? 0 : (unsigned)decimals;
    return isfinite(*ret);
}

static int find_plate(struct loader *l, const char *name, unsigned *ret)
{
    struct sim_playback *p = l->p;
    for (*ret = 0; *ret < p->plates; ++*ret)
        if (!strcmp(p->plate[*ret].name, name)) return 0;
    if (!plate_name_valid(name)) return fail(l, "`%.40s' is no name for a plate; use up to 32 of A-Z a-z 0-9 _ and -", name);
    if (p->plates == PLATE_MAX_PLATES) return fail(l, "more than %d plates; leave some columns out", PLATE_MAX_PLATES);
    snprintf(p->plate[p->plates++].name, PLATE_NAME_SIZE, "%s", name);
    return 0;
}

/* [PLATE.]NAME_N or [PLATE.]NAME_counts */
static int add_column(struct loader *l, char *field)
{
    struct sim_playback *p = l->p;
    char *dot = strchr(field, '.'), *cell = dot ? dot + 1 : field, *unit = strrchr(cell, '_');
    if (!unit || unit == cell || (strcmp(unit, "_N") && strcmp(unit, "_counts")))
        return fail(l, "column `%.60s' has no unit; call it NAME_N (newtons), NAME_counts, or PLATE.NAME_N", field);
    *unit = 0;
    if (dot) *dot = 0;
    unsigned k;
    int r = find_plate(l, dot ? field : "plate", &k);
    if (r < 0) return r;
    struct sim_playback_plate *plate = &p->plate[k];
    if (!plate_name_valid(cell)) return fail(l, "`%.40s' is no name for a cell; use up to 32 of A-Z a-z 0-9 _ and -", cell);
    for (unsigned i = 0; i < plate->cells; i++)
        if (!strcmp(plate->cell[i], cell)) return fail(l, "plate `%s' has two columns `%s'; rename one", plate->name, cell);
    if (plate->cells == PLATE_MAX_CELLS)
        return fail(l, "plate `%s' has more than %d cells; leave some columns out", plate->name, PLATE_MAX_CELLS);
    snprintf(plate->cell[plate->cells], PLATE_NAME_SIZE, "%s", cell);
    plate->column[plate->cells] = p->columns;
    l->column[p->columns++] = (struct column){.plate = k, .cell = plate->cells++};
    return 0;
}

static int read_header(struct loader *l, char *line)
{
    if (!strncmp(line, "\xEF\xBB\xBF", 3)) line += 3;
    char *rest = line, *field = trim(strsep(&rest, ","));
    if (strcmp(field, "t_s"))
        return fail(l, "the first column is `%.40s'; it must be t_s, the time in seconds (a header line such as t_s,force_N)",
                    field);
    while (rest) {
        if (l->p->columns == MAX_COLUMNS) return fail(l, "more than %d columns; leave some out", MAX_COLUMNS);
        int r = add_column(l, trim(strsep(&rest, ",")));
        if (r < 0) return r;
    }
    return l->p->columns ? 0 : fail(l, "no column beside t_s; add one such as force_N");
}

static int grow(struct loader *l)
{
    struct sim_playback *p = l->p;
    if (p->rows < l->room) return 0;
    size_t room = l->room ? 2 * l->room : 4096;
    if (room > SIZE_MAX / 2 / sizeof(double) / (p->columns + 1)) return -ENOMEM;
    double *t = realloc(p->t_s, room * sizeof *t);
    if (t) p->t_s = t;
    double *v = realloc(p->value, room * p->columns * sizeof *v);
    if (v) p->value = v;
    if (!t || !v) return -ENOMEM;
    l->room = room;
    return 0;
}

static int read_row(struct loader *l, char *line)
{
    struct sim_playback *p = l->p;
    int r = grow(l);
    if (r < 0) return fail_errno(l, -r, "it is too long to be played from memory: cut it");
    double t, *value = p->value + p->rows * p->columns;
    unsigned decimals, n = 0;
    char *rest = line, *field = trim(strsep(&rest, ","));
    if (!parse_number(field, &t, &decimals) || fabs(t) > 1e10) return fail(l, "t_s is `%.40s', not a time in seconds", field);
    if (p->rows && t <= p->t_s[p->rows - 1])
        return fail(l, "t_s goes from %.10g to %.10g; it has to grow: sort the file or cut it here", p->t_s[p->rows - 1], t);
    for (; rest && n < p->columns; n++) {
        struct column *c = &l->column[n];
        const struct sim_playback_plate *plate = &p->plate[c->plate];
        field = trim(strsep(&rest, ","));
        if (!parse_number(field, &value[n], &decimals))
            return fail(l, "column %u (%s) is `%.40s', not a number; mend or remove the line", n + 2, plate->cell[c->cell],
                        field);
        if (fabs(value[n]) > INT32_MAX)
            return fail(l, "column %u (%s) is %.40s, more than 32-bit counts can hold", n + 2, plate->cell[c->cell], field);
        if (decimals > c->decimals) c->decimals = decimals;
        c->largest = fmax(c->largest, fabs(value[n]));
    }
    if (rest || n < p->columns)
        return fail(l, "%s than the header's %u columns; %s", rest ? "more" : "fewer", p->columns + 1,
                    rest ? "mend the line" : "the file may be cut off: remove the line");
    p->t_s[p->rows++] = t;
    return 0;
}

static int read_lines(struct loader *l, FILE *f)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t n;
    int r = 0;
    errno = 0;
    while (!r && (n = getline(&line, &size, f)) >= 0) {
        l->line++;
        if (strlen(line) != (size_t)n) {
            r = fail(l, "a zero byte: this is not a text file; give the CSV");
            break;
        }
        while (n && (line[n - 1] == '\n' || line[n - 1] == '\r')) line[--n] = 0;
        if (l->line == 1)
            r = read_header(l, line);
        else if (n)
            r = read_row(l, line);
    }
    if (!r && ferror(f)) r = fail_errno(l, errno ? errno : EIO, "cannot be read");
    free(line);
    return r;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* A step above 1.5 median periods is a hole, as for plate-trace import; one below is jitter and keeps its place. */
static int number_slots(struct loader *l)
{
    struct sim_playback *p = l->p;
    double t0 = p->t_s[0], *step = malloc(p->rows * sizeof *step);
    p->slot = malloc(p->rows * sizeof *p->slot);
    if (!step || !p->slot) {
        free(step);
        return fail_errno(l, ENOMEM, "it is too long to be played from memory: cut it");
    }
    for (size_t i = 0; i + 1 < p->rows; i++) step[i] = p->t_s[i + 1] - p->t_s[i];
    qsort(step, p->rows - 1, sizeof *step, compare);
    size_t n = p->rows - 1;
    p->period_s = n & 1 ? step[n / 2] : 0.5 * (step[n / 2 - 1] + step[n / 2]);
    free(step);
    p->slot[0] = 0;
    for (size_t i = 1; i < p->rows; i++) {
        double steps = (p->t_s[i] - p->t_s[i - 1]) / p->period_s;
        if (steps > MAX_SLOT_STEP)
            return fail(l, "a hole of %.0f samples before t_s %.10g; cut the file there", steps, p->t_s[i]);
        uint64_t slots = steps > 1.5 ? (uint64_t)fmax(2, round(steps)) : 1;
        p->slot[i] = p->slot[i - 1] + slots;
        p->holes += slots > 1;
        p->missing += slots - 1;
    }
    p->rate_Hz = (double)p->slot[p->rows - 1] / (p->t_s[p->rows - 1] - t0);
    if (fabs(p->rate_Hz - round(p->rate_Hz)) < 5e-4 * p->rate_Hz) p->rate_Hz = round(p->rate_Hz);
    for (size_t i = 0; i < p->rows; i++) p->t_s[i] -= t0;
    return 0;
}

static void choose_scales(struct loader *l)
{
    for (unsigned k = 0; k < l->p->plates; k++) {
        struct sim_playback_plate *plate = &l->p->plate[k];
        double largest = 0;
        for (unsigned i = 0; i < plate->cells; i++) {
            const struct column *c = &l->column[plate->column[i]];
            if (c->decimals > plate->decimals) plate->decimals = c->decimals;
            largest = fmax(largest, c->largest);
        }
        unsigned asked = plate->decimals;
        if (plate->decimals > MAX_DECIMALS) plate->decimals = MAX_DECIMALS;
        while (plate->decimals && largest * pow(10, plate->decimals) > INT32_MAX) plate->decimals--;
        plate->rounded = plate->decimals < asked;
    }
}

int sim_playback_load(const char *path, struct sim_playback **ret, struct sim_playback_error *ret_error)
{
    struct loader l = {.path = path, .error = ret_error, .p = calloc(1, sizeof *l.p)};
    if (!l.p) return fail_errno(&l, ENOMEM, "close something");
    FILE *f = fopen(path, "re");
    int r = f ? read_lines(&l, f) : fail_errno(&l, errno, "give a CSV with columns t_s,NAME_N");
    if (f) fclose(f);
    if (!r && !l.line) {
        l.line = 1;
        r = fail(&l, "the file is empty; give a CSV with columns t_s,NAME_N");
    }
    if (!r && l.p->rows < 2) r = fail(&l, "%zu samples; at least two are needed to know the rate", l.p->rows);
    if (!r) r = number_slots(&l);
    if (r < 0) {
        sim_playback_free(l.p);
        return r;
    }
    choose_scales(&l);
    *ret = l.p;
    return 0;
}

void sim_playback_free(struct sim_playback *p)
{
    if (!p) return;
    free(p->t_s);
    free(p->slot);
    free(p->value);
    free(p);
}

void sim_playback_counts(const struct sim_playback *p, size_t row, unsigned plate, int32_t *ret_counts)
{
    const struct sim_playback_plate *k = &p->plate[plate];
    double scale = pow(10, k->decimals);
    for (unsigned i = 0; i < k->cells; i++) ret_counts[i] = (int32_t)lround(p->value[row * p->columns + k->column[i]] * scale);
}
