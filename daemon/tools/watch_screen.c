#include "watch_screen.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NAME_COLUMNS = 10, MIN_REPS = 3 };

static void put_label(struct canvas *c, const char *label)
{
    put_style(c, "1");
    put_text(c, "%.9s", label);
    put_style(c, "");
    put_to(c, NAME_COLUMNS);
}

/* ---- head ---- */

static void draw_head(struct canvas *c, const struct station_view *v)
{
    const struct model *m = v->model;

    put_style(c, "1");
    put_text(c, "%s  ", station_name(v).text);
    draw_state(c, v);
    if (!m->plan.known && *m->side && strcmp(m->side, "none")) put_text(c, "  %s", m->side);
    put_text(c, "  %s  %s", m->exercise, m->subject);
    if (*m->involved && strcmp(m->involved, "none")) put_text(c, "  involved: %s", m->involved);
    if (*m->operator) put_text(c, "  operator: %s", m->operator);
    end_row(c);
}

static void draw_session(struct canvas *c, const struct model *m)
{
    put_style(c, "2");
    put_text(c, "session %s  %s  %s", *m->session ? m->session : "-", m->state, m->archive);
    end_row(c);
}

/* Whose turn it is. */
static void draw_plan(struct canvas *c, const struct model *m)
{
    const struct plan_view *p = &m->plan;
    int rep = 0;

    for (unsigned i = 0; i < m->plates; i++)
        if (m->plate[i].set == p->set && m->plate[i].rep > rep) rep = m->plate[i].rep;
    put_label(c, "plan");
    put_style(c, "1");
    put_text(c, "%s", m->side);
    put_style(c, "");
    put_text(c, "  set %d", p->set);
    if (p->sets) put_text(c, " (%d of %d done)", p->done, p->sets);
    put_text(c, "  rep %s", show(rep ? (double)rep : (double)NAN, 0, "").text);
    if (p->reps) put_text(c, " of %d", p->reps);
    put_text(c, "  then %s", p->next);
    end_row(c);
}

/* ---- plates ---- */

static unsigned bar_columns(const struct canvas *c)
{
    unsigned n = c->columns > 44 ? c->columns - 34 : 10;

    return n < HISTORY ? n : HISTORY;
}

static void draw_plate(struct canvas *c, const struct plate_view *p, double scale_N, bool spark)
{
    bool waiting = *p->state && strcmp(p->state, "open");

    put_label(c, p->name);
    put_style(c, waiting ? "2" : "36");
    draw_bar(c, p->force_N / scale_N, bar_columns(c));
    put_style(c, "");
    put_glyph(c, "▏", '|');
    put_style(c, "1");
    put_text(c, "%7s", show(p->force_N, 0, "N").text);
    put_style(c, "");
    put_text(c, " %-5s", waiting ? p->state : p->phase);
    if (p->set) put_text(c, " s%d r%d", p->set, p->rep);
    end_row(c);
    if (!spark) return;
    put_to(c, NAME_COLUMNS);
    put_style(c, "2");
    draw_spark(c, p, scale_N, bar_columns(c));
    put_glyph(c, "▏", '|');
    put_text(c, " %.0f s, 0-%.0f N", bar_columns(c) * BUCKET_S, scale_N);
    end_row(c);
}

static void draw_plates(struct canvas *c, const struct model *m, unsigned shown, bool spark)
{
    double scale_N = force_scale_N(most_force_N(m, bar_columns(c)));

    for (unsigned i = 0; i < shown; i++) draw_plate(c, &m->plate[i], scale_N, spark);
    if (shown < m->plates) {
        put_text(c, "and %u more", m->plates - shown);
        end_row(c);
    }
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

    put_label(c, "share");
    put_text(c, "left %6s  ", show(left_pct, 1, "%").text);
    put_style(c, "36");
    if (c->columns > BESIDE + 10) draw_balance(c, left_pct, (int)((c->columns - BESIDE - 1) | 1));
    put_style(c, "");
    put_text(c, "  %6s right", show(100 - left_pct, 1, "%").text);
    end_row(c);
}

/* ---- tempo ---- */

/* The phase that the working plate is in, against what is asked for, and the next beat. */
static void draw_tempo(struct canvas *c, const struct model *m, const struct metronome *metronome, int64_t now_ms)
{
    enum { WORDS = 24, CUE = 14 };
    const struct plate_view *p = m->working;
    const int phase = p ? tempo_phase(p->phase) : -1;
    const double for_s = p ? fmax(m->t_s - p->phase_s, 0) : NAN;
    const struct tempo *asked = metronome && metronome->runs ? &metronome->tempo : &m->target;
    const double target_s = phase < 0 || phase == TEMPO_REST ? NAN : asked->s[phase];

    put_label(c, "tempo");
    if (phase >= 0) put_text(c, "%-5s %5s", p->phase, show(for_s, 1, "s").text);
    if (target_s > 0) put_text(c, " of %.1f s", target_s);
    put_to(c, NAME_COLUMNS + WORDS);
    if (target_s > 0 && c->columns > NAME_COLUMNS + WORDS + CUE) {
        put_style(c, for_s >= target_s ? "32" : "36");
        draw_bar(c, for_s / target_s, c->columns - NAME_COLUMNS - WORDS - CUE - 1);
        put_style(c, "");
        put_glyph(c, "▏", '|');
    }
    if (metronome && c->columns > NAME_COLUMNS + WORDS + CUE) {
        put_to(c, c->columns - CUE);
        put_style(c, metronome->runs ? "1" : "2");
        put_glyph(c, "♪", '!');
        if (metronome->runs)
            put_text(c, " %-5s %.1f s", tempo_beat_names[metronome->beat], (double)metronome_wait_ms(metronome, now_ms) / 1000);
        else
            put_text(c, " waits");
    }
    end_row(c);
}

/* ---- repetitions ---- */

static void put_against(struct canvas *c, int width, double v, double at_least, bool dim)
{
    put_style(c, v < at_least ? "33" : dim ? "2" : "");
    put_text(c, "%*s", width, show(v, 2, "").text);
    put_style(c, dim ? "2" : "");
}

static void draw_reps(struct canvas *c, const struct model *m, unsigned rows)
{
    put_style(c, "4");
    put_text(c, "set rep side       drive s hold s lower s  peak N  RFD N/s  form");
    put_to(c, c->columns);
    end_row(c);
    for (unsigned i = 0; i + 1 < rows; i++) {
        const struct rep_view *r = &m->rep[(m->reps_seen - 1 - i) % REPS];
        if (i < m->reps_seen && i < REPS) {
            bool dim = r->discarded || r->warmup;
            put_style(c, dim ? "2" : "");
            put_text(c, "%3d %3d %-9.9s  %7s", r->set, r->rep, r->who, show(r->drive_s, 2, "").text);
            put_against(c, 7, r->hold_s, m->target.s[TEMPO_HOLD], dim);
            put_against(c, 8, r->lower_s, m->target.s[TEMPO_LOWER], dim);
            put_text(c, " %7s %8s  ", show(r->peak_N, 0, "").text, show(r->rfd_N_per_s, 0, "").text);
            put_style(c, dim ? "2" : "33");
            put_text(c, "%s%s%s", r->discarded ? "discarded  " : "", r->warmup ? "warm-up  " : "", r->form);
        }
        end_row(c);
    }
}

/* ---- left against right ---- */

enum { AXIS_PCT = 30, AXIS_WORDS = 36 };

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

static void draw_difference(struct canvas *c, const struct model *m)
{
    static const struct asymmetry_view none = {.value = NAN, .low = NAN, .high = NAN, .threshold = NAN};
    const struct asymmetry_view *a = m->asymmetry.known ? &m->asymmetry : &none;

    put_text(c, "left weaker -%d ", AXIS_PCT);
    draw_axis(c, a, (int)c->columns - AXIS_WORDS);
    put_text(c, " %d %% right weaker", AXIS_PCT);
    end_row(c);
}

/* ---- foot ---- */

static void draw_health(struct canvas *c, const struct station_view *v)
{
    const struct model *m = v->model;

    for (unsigned i = 0; i < m->plates; i++) {
        const struct plate_view *p = &m->plate[i];
        put_style(c, (*p->state && strcmp(p->state, "open")) || p->lost > 0 ? "33" : "");
        put_text(c, "%s %s %s, %s lost  ", p->name, *p->state ? p->state : "-", show(p->rate_Hz, 1, "Hz").text,
                 show(p->lost, 0, "").text);
    }
    put_style(c, "");
    put_text(c, "ring %s  ", show(m->ring_pct, 0, "%").text);
    if (m->missed) put_text(c, "%llu messages missed  ", (unsigned long long)m->missed);
    draw_clock(c, v);
}

static void draw_foot(struct canvas *c, const struct station_view *v, bool both)
{
    if (is_silent(v))
        draw_silence(c, v);
    else
        draw_health(c, v);
    end_row(c);
    if (!both) return;
    if (*v->model->notice)
        draw_notice(c, v->model);
    else {
        put_style(c, "2");
        put_text(c, "q quits");
    }
    end_row(c);
}

/* ---- the frame ---- */

struct layout {
    unsigned plates, reps; /* rows of reps, their heading included */
    bool session, plan, spark, tempo, share, difference, notice, blanks;
};

static bool take(unsigned *room, unsigned rows)
{
    if (*room < rows) return false;
    *room -= rows;
    return true;
}

/* What there is room for, the most important first: head, force, left against right and health are always there. */
static struct layout lay_out(const struct model *m, unsigned rows, unsigned columns)
{
    struct layout l = {0};
    unsigned room = rows > 3 ? rows - 3 : 0;

    l.plates = m->plates <= room ? m->plates : room ? room - 1 : 0;
    take(&room, l.plates < m->plates ? room : l.plates);
    l.share = m->share.known && take(&room, 1);
    l.tempo = take(&room, 1);
    l.plan = m->plan.known && take(&room, 1);
    l.reps = take(&room, 1 + MIN_REPS) ? 1 + MIN_REPS : take(&room, 2) ? 2 : 0;
    l.difference = columns > AXIS_WORDS + 10 && take(&room, 1);
    l.notice = take(&room, 1);
    l.session = take(&room, 1);
    l.spark = l.plates == m->plates && take(&room, m->plates);
    l.blanks = take(&room, 4);
    l.reps += room;
    return l;
}

void watch_draw(struct canvas *c, const struct station_view *v, unsigned rows, unsigned columns,
                const struct metronome *metronome, int64_t now_ms)
{
    const struct model *m = v->model;
    const struct layout l = lay_out(m, rows, columns);

    canvas_begin(c, rows, columns);
    draw_head(c, v);
    if (l.session) draw_session(c, m);
    if (l.blanks) end_row(c);
    draw_plates(c, m, l.plates, l.spark);
    if (l.share) draw_share(c, m);
    if (l.tempo) draw_tempo(c, m, metronome, now_ms);
    if (l.plan) draw_plan(c, m);
    if (l.blanks) end_row(c);
    if (l.reps) draw_reps(c, m, l.reps);
    if (l.blanks) end_row(c);
    draw_asymmetry_text(c, m);
    end_row(c);
    if (l.difference) draw_difference(c, m);
    if (l.blanks) end_row(c);
    draw_foot(c, v, l.notice);
}
