#include "watch.h"
#include "watch_screen.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

struct station_name station_name(const struct station_view *v)
{
    struct station_name name;
    const char *station = v->model->station;

    if (!*station)
        snprintf(name.text, sizeof name.text, "%s", v->endpoint);
    else
        snprintf(name.text, sizeof name.text, "%s%s%s%s", station, v->namesake ? " (" : "", v->namesake ? v->endpoint : "",
                 v->namesake ? ")" : "");
    return name;
}

bool is_silent(const struct station_view *v) { return v->silent_ms > WATCH_SILENCE_MS; }

void draw_state(struct canvas *c, const struct station_view *v)
{
    const struct model *m = v->model;
    int t = m->t_s > 0 && m->t_s < 1e8 ? (int)m->t_s : 0;
    bool recording = m->recording && !is_silent(v);

    put_style(c, recording ? "1;31" : "2");
    put_glyph(c, recording ? "●" : "○", recording ? '*' : 'o');
    if (recording)
        put_text(c, " REC %d:%02d:%02d", t / 3600, t / 60 % 60, t % 60);
    else
        put_text(c, is_silent(v) ? " not answering" : " not recording");
    put_style(c, "");
}

void draw_silence(struct canvas *c, const struct station_view *v)
{
    put_style(c, "1;37;41");
    if (v->trouble)
        put_text(c, "%s: %s", v->endpoint, v->trouble);
    else
        put_text(c, "no word from plated at %s for %lld s; is it running?", v->endpoint, (long long)(v->silent_ms / 1000));
    put_style(c, "");
}

void draw_clock(struct canvas *c, const struct station_view *v)
{
    if (!v->clock_known) return;
    put_style(c, clock_is_off(v->ahead_ns, v->uncertain_ns) ? "1;33" : "");
    put_text(c, "clock %+.1f ", (double)v->ahead_ns / 1e6);
    put_glyph(c, "±", '~');
    put_text(c, "%.1f ms", (double)v->uncertain_ns / 1e6);
    put_style(c, "");
}

static const char *const eighths_across[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
static const char ascii_across[] = "     ####";

void draw_bar(struct canvas *c, double share, unsigned width)
{
    unsigned eighths = share > 0 ? (unsigned)lround(fmin(share, 1) * width * 8) : 0;

    for (unsigned i = 0; i < width; i++) {
        unsigned e = eighths > 8 * i ? eighths - 8 * i : 0;
        if (e > 8) e = 8;
        put_glyph(c, eighths_across[e], ascii_across[e]);
    }
}

void draw_spark(struct canvas *c, const struct plate_view *p, double scale_N, unsigned width)
{
    static const char *const eighths_up[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char ascii_up[] = " _.-=+*##";

    for (unsigned k = width; k-- > 0;) {
        double v = p->newest == INT64_MIN ? NAN : (double)p->history[(uint64_t)(p->newest - k) % HISTORY];
        int e = v > 0 ? (int)ceil(fmin(v / scale_N, 1) * 8) : isfinite(v) ? 1 : 0;
        put_glyph(c, eighths_up[e], ascii_up[e]);
    }
}

void draw_asymmetry_text(struct canvas *c, const struct model *m)
{
    const struct asymmetry_view *a = &m->asymmetry;
    char text[256] = "left/right: nothing to compare yet";

    if (a->known) asymmetry_text(text, sizeof text, a);
    put_style(c, !a->known ? "2" : strstr(a->verdict, "weaker") ? "1;33" : !strcmp(a->verdict, "symmetric") ? "1;32" : "1");
    put_text(c, "%s", text);
    put_style(c, "");
}

void draw_notice(struct canvas *c, const struct model *m)
{
    put_style(c, !strcmp(m->notice_level, "error") ? "1;31" : !strcmp(m->notice_level, "warning") ? "33" : "2");
    put_text(c, "%s", m->notice);
    put_style(c, "");
}

double most_force_N(const struct model *m, unsigned buckets)
{
    double most = 0;

    for (unsigned i = 0; i < m->plates; i++) {
        const struct plate_view *p = &m->plate[i];
        most = fmax(most, p->force_N);
        for (unsigned k = 0; p->newest != INT64_MIN && k < buckets; k++)
            most = fmax(most, (double)p->history[(uint64_t)(p->newest - k) % HISTORY]);
    }
    return most;
}

double force_scale_N(double most)
{
    static const double steps[] = {1, 1.5, 2, 3, 5, 7.5};

    for (double decade = 100; decade < 1e9; decade *= 10)
        for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
            if (steps[i] * decade >= most) return steps[i] * decade;
    return most;
}
