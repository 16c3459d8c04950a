#include "station_private.h"

#include <errno.h>
#include <math.h>
#include <string.h>

int plate_station_clock(struct plate_station *s, unsigned plate, const struct plate_clock *knot)
{
    if (plate >= s->cfg.plates || !(knot->period_s > 0) || !isfinite(knot->t_s)) return -EINVAL;
    struct plate *p = &s->plate[plate];
    if (p->started && knot->sample < p->knot.sample) return -EINVAL;
    if (!p->started) {
        p->started = true;
        p->fed_s = p->seen_s = knot->t_s - knot->period_s;
        s->seen_s = fmax(s->seen_s, p->seen_s);
        if (!s->begun) session_begin(&s->session);
        s->begun = true;
        p->present = knot->t_s >= station_floor_s(s, p); /* else the merge has not waited for it: welcome() will say so */
    }
    p->knot = *knot;
    return 0;
}

int plate_station_gap(struct plate_station *s, unsigned plate, const struct plate_gap *gap)
{
    if (plate >= s->cfg.plates || gap->sample != s->plate[plate].next_sample || gap->count == 0) return -EINVAL;
    struct plate *p = &s->plate[plate];
    p->next_sample += gap->count;
    p->missing += gap->count;
    return 0;
}

int plate_station_calibration(struct plate_station *s, unsigned plate, const struct plate_calibration *c)
{
    if (plate >= s->cfg.plates) return -EINVAL;
    int r = plate_calibration_check(c);
    if (r == 0) s->plate[plate].calibration = *c;
    return r;
}

static int find_plate(const struct plate_station *s, const char *name)
{
    for (unsigned i = 0; i < s->cfg.plates; i++)
        if (strcmp(s->cfg.plate[i].name, name) == 0) return (int)i;
    return -1;
}

int plate_station_mark(struct plate_station *s, const struct plate_mark *m)
{
    if (!isfinite(m->t_s) || !plate_mark_valid(m)) return -EINVAL;
    if (strcmp(m->kind, "resume") == 0) {
        int i = find_plate(s, m->plate);
        if (i < 0) return -EINVAL;
        station_set_floor(&s->plate[i], m->t_s);
        struct plate_event e = {.type = PLATE_EVENT_MARK, .t_s = m->t_s, .u.mark = *m};
        s->sink.event(s->sink.user, &e);
        return 0;
    }
    if (strcmp(m->kind, "sync") == 0) { /* told at once: it is of a sample of its own plate, and nobody waits for it */
        struct plate_event e = {.type = PLATE_EVENT_MARK, .t_s = m->t_s, .u.mark = *m};
        s->sink.event(s->sink.user, &e);
        return 0;
    }
    if (s->marks - s->merged_marks == MARKS) station_merge_until(s, s->mark[s->merged_marks % MARKS].t_s, -INFINITY);
    for (unsigned i = 0; i < s->cfg.plates; i++) /* the slot is needed: a plate that is so far behind takes the mark now */
        if (s->marks - s->plate[i].next_mark == MARKS)
            station_steer(s, &s->plate[i], s->mark[s->plate[i].next_mark % MARKS].t_s);
    s->mark[s->marks % MARKS] = *m;
    if (s->marks > 0) { /* acts in the order handed in */
        double last = s->mark[(s->marks - 1) % MARKS].t_s;
        if (m->t_s < last) s->mark[s->marks % MARKS].t_s = last;
    }
    s->marks++;
    station_merge(s);
    return 0;
}

void plate_station_absent(struct plate_station *s, unsigned plate)
{
    if (plate >= s->cfg.plates || !s->plate[plate].present) return;
    s->plate[plate].present = false;
    if (s->plate[plate].partner) station_pump(s, s->plate[plate].partner);
    station_merge(s);
}

void plate_station_finish(struct plate_station *s)
{
    for (unsigned i = 0; i < s->cfg.plates; i++) s->plate[i].present = false;
    for (unsigned i = 0; i < s->cfg.plates; i++) station_pump(s, &s->plate[i]);
    for (unsigned i = 0; i < s->cfg.plates; i++) /* the last ones: nobody hears those, as nobody did who went on without them */
        while (s->plate[i].out < s->plate[i].in) station_hand_on(s, &s->plate[i]);
    double end_s = station_latest_s(s);
    station_merge_until(s, INFINITY, end_s);
    for (unsigned i = 0; i < s->cfg.plates; i++) station_end(s, &s->plate[i]);
    station_merge_until(s, INFINITY, end_s);
    session_finish(&s->session, fmax(end_s, s->merged_s));
}

double plate_station_now_s(const struct plate_station *s)
{
    double t = fmax(0, s->merged_s);
    for (unsigned i = 0; i < s->cfg.plates; i++) t = fmax(t, s->plate[i].fed_s);
    if (s->marks > 0) t = fmax(t, s->mark[(s->marks - 1) % MARKS].t_s);
    return (floor(t * 1e6) + 1) / 1e6;
}

int plate_station_can_correct(const struct plate_station *s, const struct plate_correction *c, char *why, size_t size)
{
    int r = session_can_correct(&s->session, c, why, size);
    for (uint64_t i = s->merged_marks; r == -EALREADY && i < s->marks; i++) /* what is on its way may be what it is to undo */
        if (strcmp(s->mark[i % MARKS].kind, "correct") == 0) r = 0;
    return r;
}

enum plate_side plate_station_side(const struct plate_station *s) { return session_side(&s->session); }
int32_t plate_station_sets(const struct plate_station *s) { return s->session.sets; }

uint64_t plate_station_next_sample(const struct plate_station *s, unsigned plate)
{
    return plate < s->cfg.plates ? s->plate[plate].next_sample : 0;
}

uint64_t plate_station_spikes(const struct plate_station *s, unsigned plate)
{
    return plate < s->cfg.plates ? s->plate[plate].spikes : 0;
}
