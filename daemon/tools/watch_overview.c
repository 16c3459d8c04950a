/* Several stations on one screen. */
#include "watch_screen.h"
#include <math.h>
#include <string.h>

enum { INDENT = 12, SCALE_BUCKETS = 128, BLOCK_ROWS = 2 }; /* of a station, beside its plates: head, left against right */

static void draw_name(struct canvas *c, const struct station_view *v)
{
    put_style(c, "1");
    put_text(c, "%s", station_name(v).text);
    put_style(c, "");
}

/* A plate's force as a bar of this many cells, and what it does. */
static void draw_force(struct canvas *c, const struct plate_view *p, double most_N, unsigned width)
{
    put_style(c, "36");
    draw_bar(c, p->force_N / most_N, width);
    put_style(c, "");
    put_glyph(c, "▏", '|');
    put_style(c, "1");
    put_text(c, "%7s", show(p->force_N, 0, "N").text);
    put_style(c, "");
    put_text(c, " %-5s", *p->state && strcmp(p->state, "open") ? p->state : p->phase);
    if (p->set) put_text(c, " s%d r%d", p->set, p->rep);
}

static void draw_block(struct canvas *c, const struct station_view *v, double most_N, unsigned plates, bool spark)
{
    const struct model *m = v->model;
    const unsigned width = c->columns <= 50 ? 14 : c->columns - 36 < HISTORY ? c->columns - 36 : HISTORY;

    draw_name(c, v);
    put_text(c, "  ");
    draw_state(c, v);
    put_text(c, "  ");
    draw_clock(c, v);
    if (*m->side && strcmp(m->side, "none")) put_text(c, "  %s%s%s", m->side, m->plan.known ? ", then " : "", m->plan.next);
    put_text(c, "  %s  %s", m->exercise, m->subject);
    end_row(c);
    for (unsigned i = 0; i < plates && i < m->plates; i++) {
        put_text(c, "  %.9s", m->plate[i].name);
        put_to(c, INDENT);
        draw_force(c, &m->plate[i], most_N, width);
        end_row(c);
        if (!spark) continue;
        put_to(c, INDENT);
        put_style(c, "2");
        draw_spark(c, &m->plate[i], most_N, width);
        end_row(c);
    }
    put_text(c, "  ");
    if (is_silent(v))
        draw_silence(c, v);
    else if (*m->notice && strcmp(m->notice_level, "ok"))
        draw_notice(c, m);
    else
        draw_asymmetry_text(c, m);
    end_row(c);
}

/* All in one row: of the plates, the one that works. */
static void draw_line(struct canvas *c, const struct station_view *v, double most_N)
{
    enum { NAME = 14, STATE = 17, AFTER = 16 }; /* AFTER: the difference */
    const struct model *m = v->model;
    const struct plate_view *p = m->working ? m->working : m->plates ? &m->plate[0] : NULL;
    const struct asymmetry_view *a = &m->asymmetry;
    const bool off = v->clock_known && clock_is_off(v->ahead_ns, v->uncertain_ns);
    const char *name = *m->station && !v->namesake ? m->station : v->endpoint;
    const size_t n = strlen(name);

    put_text(c, "%.*s", NAME, name == v->endpoint && n > NAME ? name + n - NAME : name); /* of an endpoint, its end */
    put_to(c, NAME + 1);
    draw_state(c, v);
    put_to(c, NAME + STATE + 1);
    if (p && !is_silent(v)) draw_force(c, p, most_N, c->columns > 78 ? c->columns - 72 : 6);
    put_to(c, c->columns > 78 ? c->columns - AFTER : 62);
    put_style(c, a->known && strstr(a->verdict, "weaker") ? "1;33" : "");
    if (a->known) put_text(c, "%s ", show(a->value, 1, "%").text);
    if (off) draw_clock(c, v);
    end_row(c);
}

/* The two clocks that are farthest apart. */
static void draw_spread(struct canvas *c, const struct station_view *v, unsigned n)
{
    const struct station_view *low = NULL, *high = NULL;

    for (unsigned i = 0; i < n; i++) {
        if (!v[i].clock_known) continue;
        if (!low || v[i].ahead_ns < low->ahead_ns) low = &v[i];
        if (!high || v[i].ahead_ns > high->ahead_ns) high = &v[i];
    }
    if (!low || low == high) return;
    int64_t apart_ns = high->ahead_ns - low->ahead_ns, uncertain_ns = high->uncertain_ns + low->uncertain_ns;
    put_style(c, clock_is_off(apart_ns, uncertain_ns) ? "1;33" : "2");
    put_text(c, "clocks up to %.1f ", (double)apart_ns / 1e6);
    put_glyph(c, "±", '~');
    put_text(c, "%.1f ms apart: %s ahead of %s  ", (double)uncertain_ns / 1e6, station_name(high).text, station_name(low).text);
}

void watch_draw_all(struct canvas *c, const struct station_view *v, unsigned n, unsigned rows, unsigned columns)
{
    const unsigned room = rows > 1 ? rows - 1 : 1;
    const bool blocks = n * (BLOCK_ROWS + 1) <= room;
    unsigned plates = 1, shown = blocks || n <= room ? n : room - 1;
    double most_N = 0;

    for (unsigned i = 0; i < n; i++) {
        while (plates < v[i].model->plates && n * (BLOCK_ROWS + plates + 1) <= room) plates++;
        most_N = fmax(most_N, most_force_N(v[i].model, SCALE_BUCKETS));
    }
    most_N = force_scale_N(most_N);
    canvas_begin(c, rows, columns);
    for (unsigned i = 0; i < shown; i++) {
        if (!blocks)
            draw_line(c, &v[i], most_N);
        else
            draw_block(c, &v[i], most_N, plates, n * (BLOCK_ROWS + 2 * plates + 1) <= room);
        if (blocks && n * (BLOCK_ROWS + plates + 1) <= room) end_row(c);
    }
    if (shown < n) {
        put_text(c, "and %u more stations", n - shown);
        end_row(c);
    }
    while (c->row + 1 < rows) end_row(c);
    draw_spread(c, v, n);
    put_style(c, "2");
    put_text(c, "q quits");
    end_row(c);
}
