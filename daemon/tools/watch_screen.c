#define _GNU_SOURCE /* wcwidth */
#include "watch_screen.h"
#include "watch.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

/* ---- cells ---- */

static void put_bytes(struct canvas *c, const char *bytes, size_t n)
{
    if (c->row >= c->rows || n > sizeof c->bytes - c->n) return;
    memcpy(c->bytes + c->n, bytes, n);
    c->n += n;
}

static void put_style(struct canvas *c, const char *sgr)
{
    char text[16];
    int n = snprintf(text, sizeof text, "\033[0%s%sm", *sgr ? ";" : "", sgr);

    if (c->colour) put_bytes(c, text, (size_t)n);
}

/* One character of `width` cells; what does not fit into the row is dropped. */
static void put_cell(struct canvas *c, const char *bytes, size_t n, unsigned width)
{
    if (c->column + width > c->columns) {
        c->column = c->columns;
        return;
    }
    put_bytes(c, bytes, n);
    c->column += width;
}

static void put_glyph(struct canvas *c, const char *utf8, char ascii)
{
    if (c->utf8)
        put_cell(c, utf8, strlen(utf8), 1);
    else
        put_cell(c, &ascii, 1, 1);
}

/* Text from outside: control characters and what the terminal could not show become question marks. */
static void put_plain(struct canvas *c, const char *text)
{
    mbstate_t state = {0};
    wchar_t character;

    while (*text) {
        size_t n = mbrtowc(&character, text, strlen(text), &state);
        int width = n <= 4 ? wcwidth(character) : -1;
        if (width > 0)
            put_cell(c, text, n, (unsigned)width);
        else if (width < 0) {
            put_cell(c, "?", 1, 1);
            if (n > 4) {
                n = 1;
                memset(&state, 0, sizeof state);
            }
        }
        text += n;
    }
}

static void __attribute__((format(printf, 2, 3))) put_text(struct canvas *c, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put_plain(c, text);
}

static void put_to(struct canvas *c, unsigned column)
{
    while (c->column < column && c->column < c->columns) put_cell(c, " ", 1, 1);
}

static void end_row(struct canvas *c)
{
    put_style(c, "");
    put_to(c, c->columns);
    if (c->row + 1 < c->rows) put_bytes(c, "\r\n", 2);
    c->row++;
    c->column = 0;
}

/* ---- the screen ---- */

static const char *const eighths_across[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
static const char *const eighths_up[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char ascii_across[] = "     ####", ascii_up[] = " _.-=+*##";

static unsigned spark_columns(const struct canvas *c)
{
    unsigned n = c->columns > 44 ? c->columns - 34 : 10;

    return n < HISTORY ? n : HISTORY;
}

/* One scale for all plates, so that bars can be compared: the least of 100, 150, 200, 300, 500, 750, 1000, ... N above what is
 * in sight.
 */
static double force_scale_N(const struct canvas *c, const struct model *m)
{
    static const double steps[] = {1, 1.5, 2, 3, 5, 7.5};
    double most = 0;

    for (unsigned i = 0; i < m->plates; i++) {
        const struct plate_view *p = &m->plate[i];
        most = fmax(most, p->force_N);
        for (unsigned k = 0; p->newest != INT64_MIN && k < spark_columns(c); k++)
            most = fmax(most, (double)p->history[(uint64_t)(p->newest - k) % HISTORY]);
    }
    for (double decade = 100; decade < 1e9; decade *= 10)
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
            if (steps[i] * decade >= most) return steps[i] * decade;
    return most;
}

static void draw_bar(struct canvas *c, double share, unsigned width)
{
    unsigned eighths = share > 0 ? (unsigned)lround(fmin(share, 1) * width * 8) : 0;

    for (unsigned i = 0; i < width; i++) {
        unsigned e = eighths > 8 * i ? eighths - 8 * i : 0;
        if (e > 8) e = 8;
        put_glyph(c, eighths_across[e], ascii_across[e]);
    }
}

static void draw_spark(struct canvas *c, const struct plate_view *p, double scale_N)
{
    for (unsigned n = spark_columns(c), k = n; k-- > 0;) {
        double v = p->newest == INT64_MIN ? NAN : (double)p->history[(uint64_t)(p->newest - k) % HISTORY];
        int e = v > 0 ? (int)ceil(fmin(v / scale_N, 1) * 8) : isfinite(v) ? 1 : 0;
        put_glyph(c, eighths_up[e], ascii_up[e]);
    }
}

static void draw_plate(struct canvas *c, const struct plate_view *p, double scale_N, bool spark)
{
    const unsigned left = 10;
    bool waiting = *p->state && strcmp(p->state, "open");

    put_style(c, "1");
    put_text(c, "%.9s", p->name);
    put_style(c, "");
    put_to(c, left);
    put_style(c, waiting ? "2" : "36");
    draw_bar(c, p->force_N / scale_N, spark_columns(c));
    put_style(c, "");
    put_glyph(c, "▏", '|');
    put_style(c, "1");
    put_text(c, "%7s", show(p->force_N, 0, "N").text);
    put_style(c, "");
    put_text(c, " %-5s", waiting ? p->state : p->phase);
    if (p->set) put_text(c, " s%d r%d", p->set, p->rep);
    end_row(c);
    if (!spark) return;
    put_to(c, left);
    put_style(c, "2");
    draw_spark(c, p, scale_N);
    put_glyph(c, "▏", '|');
    put_text(c, " %.0f s, 0-%.0f N", spark_columns(c) * BUCKET_S, scale_N);
    end_row(c);
}

static void draw_head(struct canvas *c, const struct model *m, bool silent)
{
    int t = m->t_s > 0 && m->t_s < 1e8 ? (int)m->t_s : 0;
    bool recording = m->recording && !silent;

    put_style(c, "1");
    put_text(c, "%s  ", *m->station ? m->station : "plated");
    put_style(c, recording ? "1;31" : "2");
    put_glyph(c, recording ? "●" : "○", recording ? '*' : 'o');
    if (recording)
        put_text(c, " REC %d:%02d:%02d", t / 3600, t / 60 % 60, t % 60);
    else
        put_text(c, silent ? " not answering" : " not recording");
    put_style(c, "");
    put_text(c, "  %s", *m->side && strcmp(m->side, "none") ? m->side : "");
    if (*m->next) put_text(c, ", then %s", m->next);
    put_text(c, "  %s  %s", m->exercise, m->subject);
    if (*m->involved && strcmp(m->involved, "none")) put_text(c, "  involved: %s", m->involved);
    end_row(c);
    put_style(c, "2");
    put_text(c, "session %s  %s  %s", *m->session ? m->session : "-", m->state, m->archive);
    end_row(c);
}

static void draw_reps(struct canvas *c, const struct model *m, unsigned rows)
{
    put_style(c, "4");
    put_text(c, "set  side       rep  drive s  hold s  lower s  peak N  RFD max  form");
    put_to(c, c->columns);
    end_row(c);
    for (unsigned i = 0; i + 1 < rows; i++) {
        const struct rep_view *r = &m->rep[(m->reps_seen - 1 - i) % REPS];
        if (i < m->reps_seen && i < REPS) {
            put_style(c, r->discarded ? "2" : "");
            put_text(c, "%3d  %-9.9s %4d  %7s %7s  %7s %7s %8s  ", r->set, r->who, r->rep, show(r->drive_s, 2, "").text,
                     show(r->hold_s, 2, "").text, show(r->lower_s, 2, "").text, show(r->peak_N, 0, "").text,
                     show(r->rfd_N_per_s, 0, "").text);
            put_style(c, r->discarded ? "2" : "33");
            put_text(c, "%s%s%s", r->discarded ? "discarded  " : "", r->warmup ? "warm-up  " : "", r->form);
        }
        end_row(c);
    }
}

enum { AXIS_PCT = 30 };

static int axis_column(double pct, int width)
{
    return (int)lround((fmax(fmin(pct, AXIS_PCT), -AXIS_PCT) + AXIS_PCT) / (2.0 * AXIS_PCT) * (width - 1));
}

static void draw_axis(struct canvas *c, const struct asymmetry_view *a, int width)
{
    int dot = isfinite(a->value) ? axis_column(a->value, width) : -1;
    bool interval = isfinite(a->low) && isfinite(a->high);
    int low = interval ? axis_column(a->low, width) : 0, high = interval ? axis_column(a->high, width) : -1;
    int line = isfinite(a->threshold) ? axis_column(a->threshold, width) : -1, other_line = width - 1 - line;

    for (int i = 0; i < width; i++) {
        if (i == dot)
            put_glyph(c, a->value > AXIS_PCT ? "▶" : a->value < -AXIS_PCT ? "◀" : "●", 'O');
        else if (i >= low && i <= high)
            put_glyph(c, "━", '=');
        else if (i == axis_column(0, width))
            put_glyph(c, "┼", '+');
        else if (line >= 0 && (i == line || i == other_line))
            put_glyph(c, "┊", ':');
        else
            put_glyph(c, "─", '-');
    }
}

static void draw_asymmetry(struct canvas *c, const struct model *m)
{
    const struct asymmetry_view *a = &m->asymmetry;
    char text[256] = "left/right: nothing to compare yet";
    bool weaker = a->known && strstr(a->verdict, "weaker");

    if (a->known) asymmetry_text(text, sizeof text, a);
    put_style(c, weaker ? "1;33" : a->known && !strcmp(a->verdict, "symmetric") ? "1;32" : "");
    put_text(c, "%s", text);
    end_row(c);
    put_text(c, "left weaker -%d ", AXIS_PCT);
    if (a->known && c->columns > 60) draw_axis(c, a, (int)c->columns - 36);
    put_text(c, " %d %% right weaker", AXIS_PCT);
    end_row(c);
}

enum { SHARE_SPAN_POINTS = 25, SHARE_STALE_S = 2 };

/* From the middle to the side that carries more; an arrow where it is beyond the ends. */
static void draw_balance(struct canvas *c, double left_pct, int width)
{
    double to_right = isfinite(left_pct) ? (50 - left_pct) / SHARE_SPAN_POINTS : 0; /* of half the width */
    int middle = width / 2, to = middle + (int)lround(fmax(fmin(to_right, 1), -1) * middle);
    bool beyond = fabs(to_right) > 1;

    for (int i = 0; i < width; i++) {
        if (i == to && beyond)
            put_glyph(c, to < middle ? "◀" : "▶", to < middle ? '<' : '>');
        else if (i == middle)
            put_glyph(c, "┼", '+');
        else if ((i > middle && i <= to) || (i < middle && i >= to))
            put_glyph(c, "█", '#');
        else
            put_glyph(c, "─", '-');
    }
}

static void draw_share(struct canvas *c, const struct model *m)
{
    enum { BESIDE = 10 + 13 + 14 }; /* name, left, right */
    const struct share_view *s = &m->share;
    double left_pct = fabs(m->t_s - s->t_s) < SHARE_STALE_S ? s->left_pct : NAN;

    put_style(c, "1");
    put_text(c, "share");
    put_style(c, "");
    put_to(c, 10);
    put_text(c, "left %6s  ", show(left_pct, 1, "%").text);
    put_style(c, "36");
    if (c->columns > BESIDE + 10) draw_balance(c, left_pct, (int)((c->columns - BESIDE - 1) | 1));
    put_style(c, "");
    put_text(c, "  %6s right", show(100 - left_pct, 1, "%").text);
    end_row(c);
}

static void draw_health(struct canvas *c, const struct model *m)
{
    for (unsigned i = 0; i < m->plates; i++) {
        const struct plate_view *p = &m->plate[i];
        put_style(c, (*p->state && strcmp(p->state, "open")) || p->lost > 0 ? "33" : "");
        put_text(c, "%s %s %s, %s lost  ", p->name, *p->state ? p->state : "-", show(p->rate_Hz, 1, "Hz").text,
                 show(p->lost, 0, "").text);
    }
    put_style(c, "");
    put_text(c, "ring %s", show(m->ring_pct, 0, "%").text);
    if (m->missed) put_text(c, "  %llu messages missed", (unsigned long long)m->missed);
}

static void draw_foot(struct canvas *c, const struct model *m, const char *endpoint, int64_t silent_ms)
{
    if (silent_ms > WATCH_SILENCE_MS) {
        put_style(c, "1;37;41");
        put_text(c, "no word from plated at %s for %lld s; is it running?", endpoint, (long long)(silent_ms / 1000));
    } else
        draw_health(c, m);
    end_row(c);
    put_style(c, !strcmp(m->notice_level, "error") ? "1;31" : !strcmp(m->notice_level, "warning") ? "33" : "2");
    put_text(c, "%s", *m->notice ? m->notice : "q quits");
    end_row(c);
}

static void begin(struct canvas *c, unsigned rows, unsigned columns)
{
    bool resized = rows != c->rows || columns != c->columns;

    c->n = 0;
    c->row = c->column = 0;
    c->rows = rows;
    c->columns = columns;
    if (resized) put_bytes(c, "\033[2J", 4);
    put_bytes(c, "\033[H", 3);
}

static void draw_plates(struct canvas *c, const struct model *m, unsigned shown, unsigned each)
{
    double scale_N = force_scale_N(c, m);

    for (unsigned i = 0; i < shown; i++) draw_plate(c, &m->plate[i], scale_N, each == 2);
    if (m->share.known) draw_share(c, m);
    if (shown < m->plates) put_text(c, "and %u more", m->plates - shown);
    end_row(c);
}

void watch_draw(struct canvas *c, const struct model *m, unsigned rows, unsigned columns, const char *endpoint,
                int64_t silent_ms)
{
    const unsigned fixed =
        2 + 1 + m->share.known + 1 + 1 + 2 + 1 + 2;          /* head, blank, share, blank, blank, asymmetry, blank, foot */
    unsigned room = rows > fixed + 4 ? rows - fixed - 4 : 1; /* the reps keep four rows */
    unsigned each = 2 * m->plates <= room ? 2 : 1, shown = m->plates * each <= room ? m->plates : room, used = shown * each;

    begin(c, rows, columns);
    draw_head(c, m, silent_ms > WATCH_SILENCE_MS);
    end_row(c);
    draw_plates(c, m, shown, each);
    draw_reps(c, m, rows > fixed + used ? rows - fixed - used : 1);
    end_row(c);
    draw_asymmetry(c, m);
    end_row(c);
    draw_foot(c, m, endpoint, silent_ms);
}
