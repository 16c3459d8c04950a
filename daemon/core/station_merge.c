#include "station_private.h"

#include <math.h>

/* As far as every plate that is waited for has come. */
static double bound_s(const struct plate_station *s)
{
    double bound = INFINITY;
    for (unsigned i = 0; i < s->cfg.plates; i++)
        if (s->plate[i].present) bound = fmin(bound, s->plate[i].seen_s);
    return bound;
}

double station_latest_s(const struct plate_station *s) { return fmax(s->merged_s, s->seen_s); }

static void let_out(struct plate_station *s, struct plate *p)
{
    struct pending *e = &p->queue[p->head];
    unsigned index = (unsigned)(p - s->plate);
    if (e->is_rep)
        session_rep(&s->session, index, &e->rep, e->key_s);
    else
        session_phase(&s->session, index, e->phase, e->key_s);
    p->head = (p->head + 1) % QUEUE;
    p->queued--;
    s->queued--;
}

void station_merge_until(struct plate_station *s, double bound, double timer_bound)
{
    for (;;) {
        struct plate *next = NULL;
        double key = INFINITY;
        for (unsigned i = 0; i < s->cfg.plates; i++) {
            struct plate *p = &s->plate[s->order[i]];
            if (p->queued && p->queue[p->head].key_s < key) next = p, key = p->queue[p->head].key_s;
        }
        const struct plate_mark *m = s->merged_marks < s->marks ? &s->mark[s->merged_marks % MARKS] : NULL;
        double due = session_due_s(&s->session);
        if (m && m->t_s <= key)
            next = NULL, key = m->t_s;
        else
            m = NULL;
        if (due < key && due <= timer_bound) {
            s->merged_s = s->event_s = fmax(s->merged_s, due);
            session_rest_over(&s->session);
            continue;
        }
        if ((!m && !next) || key > bound) return;
        s->merged_s = fmax(s->merged_s, key);
        if (!m) s->event_s = s->merged_s;
        if (m) {
            session_mark(&s->session, m);
            s->merged_marks++;
        } else
            let_out(s, next);
    }
}

static bool rest_is_over(const struct plate_station *s)
{
    return s->session.set_open && session_due_s(&s->session) <= station_latest_s(s);
}

void station_merge(struct plate_station *s)
{
    if (s->queued == 0 && s->merged_marks == s->marks && !rest_is_over(s)) return; /* nothing can come of it */
    double bound = bound_s(s);
    station_merge_until(s, bound, fmin(bound, station_latest_s(s)));
}

void station_enqueue(struct plate_station *s, struct plate *p, const struct pending *e)
{
    if (p->queued == QUEUE) let_out(s, p); /* cannot happen while callers hand in plates by time: better early than lost */
    p->queue[(p->head + p->queued++) % QUEUE] = *e;
    s->queued++;
}

double station_floor_s(const struct plate_station *s, const struct plate *p)
{
    double floor = fmax(s->event_s > -INFINITY ? nextafter(s->event_s, INFINITY) : -INFINITY, s->merged_s);
    return p->partner ? fmax(floor, nextafter(p->partner->seen_s + p->partner->near_s, INFINITY)) : floor;
}
