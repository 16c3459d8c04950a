#include "trace_csv.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_T_DECIMALS = 12 };
static const double pow10_exact[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                     1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

__attribute__((format(printf, 3, 4))) static int fail(struct trace_error *e, size_t line, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(e->text, sizeof e->text, format, ap);
    va_end(ap);
    for (char *p = e->text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f) *p = '?'; /* what is quoted from the file must not break the line */
    e->line = line;
    return -EBADMSG;
}

int trace_read_file(const char *path, char **ret_text, size_t *ret_n)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -errno;
    struct stat st;
    if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode)) {
        int r = S_ISDIR(st.st_mode) ? -EISDIR : -errno;
        close(fd);
        return r;
    }
    size_t size = st.st_size > 0 ? (size_t)st.st_size + 1 : 1 << 16, n = 0;
    char *text = malloc(size);
    int r = text ? 0 : -ENOMEM;
    while (!r) {
        ssize_t got = read(fd, text + n, size - n);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) r = -errno;
        if (got <= 0) break;
        n += (size_t)got;
        if (n == size) {
            char *more = size > SIZE_MAX / 2 ? NULL : realloc(text, size * 2);
            if (!more)
                r = -ENOMEM;
            else
                text = more, size *= 2;
        }
    }
    close(fd);
    if (r) {
        free(text);
        return r;
    }
    text[n] = '\0';
    *ret_text = text;
    *ret_n = n;
    return 0;
}

/* One line at a time, without its end. */
struct lines {
    const char *at, *end;
    size_t number;
    const char *line, *line_end; /* [line, line_end) */
    bool whole;                  /* it has a line end */
};
static void lines_init(struct lines *l, const char *text, size_t n)
{
    *l = (struct lines){.at = text, .end = text + n};
    if (n >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) l->at += 3; /* what spreadsheets write first */
}
static bool lines_next(struct lines *l)
{
    if (l->at == l->end) return false;
    const char *nl = memchr(l->at, '\n', (size_t)(l->end - l->at));
    l->whole = nl != NULL;
    l->line = l->at;
    l->line_end = nl ? nl : l->end;
    l->at = nl ? nl + 1 : l->end;
    if (l->line_end > l->line && l->line_end[-1] == '\r') l->line_end--;
    l->number++;
    return true;
}
static bool blank(char c) { return c == ' ' || c == '\t'; }
static bool line_is_blank(const struct lines *l)
{
    for (const char *p = l->line; p < l->line_end; p++)
        if (!blank(*p)) return false;
    return true;
}

/* A decimal number at *at, blanks around it, no further than `end` (readable there). Rounds as strtod does: a mantissa
 * below 2^53 and a power of ten up to 22 are exact, so one division rounds once. *ret_digits: how wide it is written. */
static bool number(const char **at, const char *end, double *ret, int *ret_decimals, int *ret_digits)
{
    const char *p = *at;
    while (p < end && blank(*p)) p++;
    const char *start = p;
    bool negative = p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+')) p++;
    uint64_t mantissa = 0;
    int digits = 0, fraction = 0, exponent = 0;
    for (; p < end && (unsigned)(*p - '0') < 10; p++, digits++)
        if (digits < 18) mantissa = mantissa * 10 + (unsigned)(*p - '0');
    if (p < end && *p == '.')
        for (p++; p < end && (unsigned)(*p - '0') < 10; p++, digits++, fraction++)
            if (digits < 18) mantissa = mantissa * 10 + (unsigned)(*p - '0');
    if (digits == 0) return false;
    if (p < end && (*p == 'e' || *p == 'E')) {
        bool down = ++p < end && *p == '-';
        if (p < end && (*p == '-' || *p == '+')) p++;
        if (p == end || (unsigned)(*p - '0') >= 10) return false;
        for (; p < end && (unsigned)(*p - '0') < 10; p++)
            if (exponent < 1000) exponent = exponent * 10 + (*p - '0');
        if (down) exponent = -exponent;
    }
    int power = exponent - fraction;
    if (digits <= 18 && mantissa <= (UINT64_C(1) << 53) && power >= -22 && power <= 22) {
        double v = power < 0 ? (double)mantissa / pow10_exact[-power] : (double)mantissa * pow10_exact[power];
        *ret = negative ? -v : v;
    } else {
        *ret = strtod(start, NULL);
    }
    while (p < end && blank(*p)) p++;
    *at = p;
    *ret_decimals = power < 0 ? -power : 0;
    *ret_digits = digits;
    return isfinite(*ret);
}

/* The next field of a header line, without blanks and quotes around it. */
static bool header_field(const char **at, const char *end, const char **ret, size_t *ret_n)
{
    if (*at > end) return false;
    const char *p = *at, *comma = memchr(p, ',', (size_t)(end - p)), *stop = comma ? comma : end;
    *at = comma ? comma + 1 : end + 1;
    while (p < stop && blank(*p)) p++;
    while (stop > p && blank(stop[-1])) stop--;
    if (stop - p >= 2 && *p == '"' && stop[-1] == '"') p++, stop--;
    *ret = p;
    *ret_n = (size_t)(stop - p);
    return true;
}

static bool ends_with(const char *s, size_t n, const char *tail)
{
    size_t m = strlen(tail);
    return n > m && !memcmp(s + n - m, tail, m);
}

static int header_column(const char *name, size_t n, size_t line, struct trace_table *t, struct trace_error *e)
{
    int shown = n > 60 ? 60 : (int)n;
    struct trace_column c = {0};
    c.counts = ends_with(name, n, "_counts");
    if (!c.counts && !ends_with(name, n, "_N"))
        return fail(e, line, "column \"%.*s\" has no unit: call it NAME_N (newtons) or NAME_counts", shown, name);
    const char *dot = memchr(name, '.', n), *cell = dot ? dot + 1 : name;
    size_t plate_n = dot ? (size_t)(dot - name) : 0, cell_n = (size_t)(name + n - cell) - (c.counts ? 7 : 2);
    if (n >= sizeof c.header || plate_n >= sizeof c.plate || cell_n >= sizeof c.cell)
        return fail(e, line, "the name of column \"%.*s...\" is too long: a plate's and a cell's name have up to 32 characters",
                    shown, name);
    memcpy(c.header, name, n);
    memcpy(c.plate, dot ? name : "plate", dot ? plate_n : 5);
    memcpy(c.cell, cell, cell_n);
    if (!plate_name_valid(c.plate) || !plate_name_valid(c.cell))
        return fail(e, line,
                    "column \"%.*s\" is not [PLATE.]NAME_N or [PLATE.]NAME_counts with names of letters, digits, _ and -",
                    shown, name);
    unsigned cells = 1, plates = 1;
    for (unsigned i = 0; i < t->columns; i++) {
        const struct trace_column *o = &t->column[i];
        bool same = !strcmp(o->plate, c.plate), first = true;
        if (same && !strcmp(o->cell, c.cell)) return fail(e, line, "column \"%.*s\" is there twice: rename one", shown, name);
        for (unsigned k = 0; k < i; k++) first = first && strcmp(t->column[k].plate, o->plate);
        cells += same;
        plates += first && !same;
    }
    if (cells > PLATE_MAX_CELLS)
        return fail(e, line, "plate %s has more than %d columns: split the file", c.plate, PLATE_MAX_CELLS);
    if (plates > PLATE_MAX_PLATES) return fail(e, line, "more than %d plates: split the file", PLATE_MAX_PLATES);
    t->column[t->columns++] = c;
    return 0;
}

static int header(struct lines *l, struct trace_table *t, struct trace_error *e)
{
    if (!lines_next(l)) return fail(e, 0, "the file is empty: it needs a header line (t_s,force_N) and rows");
    const char *at = l->line, *name;
    size_t n;
    header_field(&at, l->line_end, &name, &n);
    if (n != 3 || memcmp(name, "t_s", 3)) {
        if (memchr(l->line, ';', (size_t)(l->line_end - l->line)))
            return fail(e, l->number, "fields are separated by ';': use ',' between fields and '.' in numbers");
        return fail(e, l->number, "no header line: the first line names the columns, t_s (seconds) first, e.g. t_s,force_N");
    }
    while (header_field(&at, l->line_end, &name, &n)) {
        int r = header_column(name, n, l->number, t, e);
        if (r) return r;
    }
    if (!l->whole && l->line_end == l->end) return fail(e, l->number, "the file has a header and no rows: nothing to import");
    return t->columns ? 0 : fail(e, l->number, "no column after t_s: add one per cell, NAME_N or NAME_counts");
}

/* How the numbers of a line are written: what tells a line that was cut short from one that just lacks its line end. */
struct shape {
    unsigned fields;
    int decimals, digits; /* of the last field */
};

static int row(const struct lines *l, struct trace_table *t, struct shape *shape, struct trace_error *e)
{
    const char *at = l->line;
    double *value = t->value + t->rows * t->columns;
    *shape = (struct shape){0};
    for (unsigned i = 0; i <= t->columns; i++) {
        const char *field = at;
        double v;
        int decimals, digits;
        if (!number(&at, l->line_end, &v, &decimals, &digits) || (at < l->line_end && *at != ',')) {
            const char *stop = memchr(field, ',', (size_t)(l->line_end - field));
            int shown = (int)((stop ? stop : l->line_end) - field);
            const char *what = i ? t->column[i - 1].header : "t_s";
            if (shown == 0)
                return fail(e, l->number, "column %s is empty: leave the whole row out, a missing row becomes a gap", what);
            return fail(e, l->number,
                        "\"%.*s\" in column %s is not a number: correct it, or leave the row out (it becomes a gap)",
                        shown > 40 ? 40 : shown, field, what);
        }
        *shape = (struct shape){i + 1, decimals, digits};
        if (i == 0) {
            t->t_s[t->rows] = v;
            if (decimals > t->t_decimals) t->t_decimals = decimals < MAX_T_DECIMALS ? decimals : MAX_T_DECIMALS;
        } else {
            struct trace_column *c = &t->column[i - 1];
            value[i - 1] = v;
            if (decimals > c->decimals) c->decimals = decimals;
            if (fabs(v) > c->highest) c->highest = fabs(v);
        }
        if (at < l->line_end) {
            if (i == t->columns)
                return fail(e, l->number, "more fields than the header has columns (%u): correct the line", t->columns + 1);
            at++;
        } else if (i < t->columns) {
            return fail(e, l->number, "%u of %u fields: correct the line, or leave it out", i + 1, t->columns + 1);
        }
    }
    if (t->rows && t->t_s[t->rows] <= t->t_s[t->rows - 1])
        return fail(e, l->number, "t_s does not rise (%.*f after %.*f): sort the rows and drop doubles", t->t_decimals,
                    t->t_s[t->rows], t->t_decimals, t->t_s[t->rows - 1]);
    t->rows++;
    return 0;
}

static bool differs(const struct shape *s, const struct shape *before)
{
    if (before->fields == 0) return false;
    return s->decimals != before->decimals || (s->decimals == 0 && s->digits != before->digits);
}

static int rows(struct lines *l, bool allow_truncated, struct trace_table *t, struct trace_error *e)
{
    struct shape before = {0}, shape;
    while (lines_next(l)) {
        if (line_is_blank(l)) {
            size_t at = l->number;
            while (lines_next(l))
                if (!line_is_blank(l)) return fail(e, at, "an empty line in the middle: delete it");
            break;
        }
        size_t whole_rows = t->rows;
        int r = row(l, t, &shape, e);
        if (!l->whole && (r || differs(&shape, &before))) {
            t->rows = whole_rows;
            if (!allow_truncated)
                return fail(e, l->number,
                            "the last line is cut short: complete it, or import what is whole with --allow-truncated");
            t->truncated_line = l->number;
            break;
        }
        if (r) return r;
        before = shape;
    }
    return t->rows ? 0 : fail(e, l->number, "the file has a header and no rows: nothing to import");
}

int trace_csv_parse(const char *text, size_t n, bool allow_truncated, struct trace_table *ret, struct trace_error *ret_error)
{
    struct lines l;
    lines_init(&l, text, n);
    struct trace_table *t = calloc(1, sizeof *t);
    if (!t) return -ENOMEM;
    int r = header(&l, t, ret_error);
    if (!r) {
        size_t most = 1;
        for (const char *p = l.at; (p = memchr(p, '\n', (size_t)(l.end - p))); p++) most++;
        t->t_s = calloc(most, sizeof *t->t_s);
        t->value = calloc(most, t->columns * sizeof *t->value);
        r = t->t_s && t->value ? rows(&l, allow_truncated, t, ret_error) : -ENOMEM;
    }
    if (r)
        trace_table_done(t);
    else
        *ret = *t;
    free(t);
    return r;
}

void trace_table_done(struct trace_table *t)
{
    free(t->t_s);
    free(t->value);
    t->t_s = t->value = NULL;
}

/* ---- marks ---- */

enum value_kind { VALUE_SIDE, VALUE_LIMB, VALUE_BOOL, VALUE_MASS, VALUE_LOAD, VALUE_TEXT, VALUE_NONE };
static const struct {
    const char *kind;
    enum value_kind value;
} mark_kinds[] = {{"side", VALUE_SIDE},         {"exercise", VALUE_TEXT}, {"involved", VALUE_LIMB},
                  {"warmup", VALUE_BOOL},       {"subject", VALUE_TEXT},  {"load_kg", VALUE_LOAD},
                  {"body_mass_kg", VALUE_MASS}, {"note", VALUE_TEXT},     {"set_end", VALUE_NONE}};

static int mark_value(enum value_kind kind, size_t line, const char *what, char *v, struct trace_error *e)
{
    enum plate_side side = PLATE_SIDE_NONE;
    const char *at = v, *end = v + strlen(v);
    double x;
    int decimals, digits;
    switch (kind) {
    case VALUE_SIDE:
    case VALUE_LIMB:
        if (plate_side_parse(v, &side) || (kind == VALUE_LIMB && side == PLATE_SIDE_BOTH))
            return fail(e, line, "%s \"%s\": say left, right%s or none", what, v, kind == VALUE_SIDE ? ", both" : "");
        return 0;
    case VALUE_BOOL:
        if (!strcmp(v, "1")) strcpy(v, "true");
        if (!strcmp(v, "0")) strcpy(v, "false");
        if (strcmp(v, "true") && strcmp(v, "false")) return fail(e, line, "%s \"%s\": say true or false", what, v);
        return 0;
    case VALUE_MASS:
    case VALUE_LOAD:
        if (!number(&at, end, &x, &decimals, &digits) || at != end || x < 0 || x > PLATE_KG_MOST ||
            (kind == VALUE_MASS && x == 0))
            return fail(e, line, "%s \"%s\": say kilograms, at most %g", what, v, PLATE_KG_MOST);
        return 0;
    case VALUE_NONE:
        return *v ? fail(e, line, "%s takes no value: write t_s,%s", what, what) : 0;
    case VALUE_TEXT:
        break;
    }
    for (const char *p = v; *p; p++)
        if ((unsigned char)*p < 0x20) return fail(e, line, "%s has a control character: remove it", what);
    return *v ? 0 : fail(e, line, "%s has no value: write t_s,%s,VALUE", what, what);
}

static int mark_line(const struct lines *l, struct plate_mark *ret, struct trace_error *e)
{
    const char *at = l->line, *kind, *value;
    size_t kind_n, value_n;
    int decimals, digits;
    struct plate_mark m = {0};
    if (!number(&at, l->line_end, &m.t_s, &decimals, &digits) || at == l->line_end || *at != ',')
        return fail(e, l->number, "not t_s,kind,value with t_s in seconds: correct the line");
    at++;
    header_field(&at, l->line_end, &kind, &kind_n);
    const char *rest_end = l->line_end;
    if (at > rest_end) at = rest_end; /* no comma after the kind: no value */
    for (value = at; value < rest_end && blank(*value); value++) {
    }
    while (rest_end > value && blank(rest_end[-1])) rest_end--;
    if (rest_end - value >= 2 && *value == '"' && rest_end[-1] == '"') value++, rest_end--;
    value_n = (size_t)(rest_end - value);
    if (value_n >= sizeof m.value)
        return fail(e, l->number, "the value has more than %zu bytes: shorten it", sizeof m.value - 1);
    memcpy(m.value, value, value_n);
    for (size_t i = 0; i < sizeof mark_kinds / sizeof *mark_kinds; i++)
        if (strlen(mark_kinds[i].kind) == kind_n && !memcmp(mark_kinds[i].kind, kind, kind_n)) {
            memcpy(m.kind, kind, kind_n);
            int r = mark_value(mark_kinds[i].value, l->number, m.kind, m.value, e);
            if (!r) *ret = m;
            return r;
        }
    return fail(e, l->number,
                "no kind \"%.*s\": side, exercise, involved, warmup, subject, load_kg, body_mass_kg, note or set_end",
                kind_n > 40 ? 40 : (int)kind_n, kind);
}

int trace_marks_parse(const char *text, size_t n, struct plate_mark **ret_marks, size_t *ret_n, struct trace_error *ret_error)
{
    struct lines l;
    lines_init(&l, text, n);
    size_t most = 1, marks = 0;
    for (const char *p = l.at; (p = memchr(p, '\n', (size_t)(l.end - p))); p++) most++;
    struct plate_mark *mark = calloc(most, sizeof *mark);
    if (!mark) return -ENOMEM;
    int r = 0;
    while (!r && lines_next(&l)) {
        if (line_is_blank(&l)) continue;
        size_t length = (size_t)(l.line_end - l.line);
        if (l.number == 1 && length >= 3 && !memcmp(l.line, "t_s", 3)) continue; /* the header may be left out */
        r = mark_line(&l, &mark[marks], ret_error);
        if (r) break;
        struct plate_mark m = mark[marks]; /* insertion keeps the file's order among equal times */
        size_t i = marks++;
        for (; i && mark[i - 1].t_s > m.t_s; i--) mark[i] = mark[i - 1];
        mark[i] = m;
    }
    if (r) {
        free(mark);
        return r;
    }
    *ret_marks = mark;
    *ret_n = marks;
    return 0;
}

/* ---- the time axis ---- */

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Swinging door: from the end of one segment, the fan of slopes that keep every row within the tolerance narrows until it
 * closes; the next segment starts at the last row before. `prefer_s` is taken where it lies in the fan. */
static size_t fit_knots(const double *t_s, const uint64_t *sample, size_t n, double tolerance_s, double prefer_s,
                        struct plate_clock *knot)
{
    size_t knots = 0;
    struct plate_clock k = {.sample = sample[0], .t_s = t_s[0]};
    double low = 0, high = INFINITY;
    for (size_t i = 1; i <= n; i++) {
        if (i < n) {
            double step = (double)(sample[i] - k.sample), rise = t_s[i] - k.t_s;
            double l = (rise - tolerance_s) / step, h = (rise + tolerance_s) / step;
            if (fmax(low, l) <= fmin(high, h)) {
                low = fmax(low, l);
                high = fmin(high, h);
                continue;
            }
        }
        k.period_s = prefer_s >= low && prefer_s <= high ? prefer_s : (low + high) / 2;
        knot[knots++] = k;
        if (i == n) break;
        k = (struct plate_clock){.sample = sample[i - 1], .t_s = plate_clock_t_s(&k, sample[i - 1])};
        low = 0, high = INFINITY;
        i--;
    }
    return knots;
}

int trace_axis_fit(const struct trace_table *t, struct trace_axis *ret)
{
    size_t n = t->rows;
    if (n < 2) return -EDOM;
    struct trace_axis a = {.sample = malloc(n * sizeof *a.sample), .knot = malloc(n * sizeof *a.knot)};
    double *step = malloc(n * sizeof *step);
    int r = a.sample && a.knot && step ? 0 : -ENOMEM;
    if (!r) {
        for (size_t i = 0; i + 1 < n; i++) step[i] = t->t_s[i + 1] - t->t_s[i];
        qsort(step, n - 1, sizeof *step, by_value);
        a.period_s = n % 2 ? (step[n / 2 - 1] + step[n / 2]) / 2 : step[n / 2 - 1];
        double sum = 0;
        size_t kept = 0;
        for (; kept < n - 1 && step[kept] <= 1.5 * a.period_s; kept++) sum += step[kept];
        a.rate_Hz = (double)kept / sum;
        a.sample[0] = 0;
    }
    for (size_t i = 1; !r && i < n; i++) {
        double periods = (t->t_s[i] - t->t_s[i - 1]) / a.period_s;
        if (periods > 4e9)
            r = -EDOM;
        else
            a.sample[i] = a.sample[i - 1] + (periods > 1.5 ? (uint64_t)llround(periods) : 1);
    }
    if (!r) {
        double whole_s = (t->t_s[n - 1] - t->t_s[0]) / (double)a.sample[n - 1];
        /* A hair under the half, so that printing with as many decimals gives the file's own digits back. */
        double tolerance_s = 0.5 * (1 - 1e-6) / pow10_exact[t->t_decimals];
        a.knots = fit_knots(t->t_s, a.sample, n, tolerance_s, whole_s, a.knot);
        *ret = a;
    } else {
        trace_axis_done(&a);
    }
    free(step);
    return r;
}

void trace_axis_done(struct trace_axis *a)
{
    free(a->sample);
    free(a->knot);
    a->sample = NULL;
    a->knot = NULL;
}
