/* tools/watch_screen.h - stations as a frame of a terminal. No I/O. One thread. */
#pragma once
#include "canvas.h"
#include "clock_offset.h"
#include "watch_model.h"

struct station_view {
    const struct model *model;
    const char *endpoint, *trouble; /* trouble: why it does not let us in, if that is known */
    bool namesake;                  /* another one that is shown has the same name */
    int64_t silent_ms;
    bool clock_known;
    int64_t ahead_ns, uncertain_ns; /* its clock, of this machine's */
};
/* One station with all there is; metronome: NULL, or what goes with it. */
void watch_draw(struct canvas *c, const struct station_view *v, unsigned rows, unsigned columns,
                const struct metronome *metronome, int64_t now_ms);
/* Several, each in a few rows, or in one where there is no room. */
void watch_draw_all(struct canvas *c, const struct station_view *v, unsigned n, unsigned rows, unsigned columns);

/* ---- the pieces of both ---- */

struct station_name {
    char text[192];
};
struct station_name station_name(const struct station_view *v); /* what tells it from the others */
bool is_silent(const struct station_view *v);
void draw_state(struct canvas *c, const struct station_view *v);
void draw_clock(struct canvas *c, const struct station_view *v);
void draw_silence(struct canvas *c, const struct station_view *v);
void draw_spark(struct canvas *c, const struct plate_view *p, double scale_N, unsigned width); /* of 1 to HISTORY cells */
void draw_bar(struct canvas *c, double share, unsigned width);
void draw_asymmetry_text(struct canvas *c, const struct model *m);
void draw_notice(struct canvas *c, const struct model *m);
/* One scale for all that are seen together, so that bars can be compared: the least of 100, 150, 200, 300, 500, 750, 1000, ...
 * that is not below the most; and the most of a station, now and in so many buckets. */
double force_scale_N(double most);
double most_force_N(const struct model *m, unsigned buckets);
