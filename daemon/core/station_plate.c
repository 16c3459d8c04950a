#include "station_private.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define FILTER_RESET_S 0.1
/* A sample that stands out of its neighbours like this is electrical: no force comes and goes so fast. */
#define SPIKE_N 10.0
#define SPIKE_RATIO 8.0

void station_steer(struct plate_station *s, struct plate *p, double t_s)
{
    for (; p->next_mark < s->marks; p->next_mark++) {
        const struct plate_mark *m = &s->mark[p->next_mark % MARKS];
        if (m->t_s > t_s) return;
        if (strcmp(m->kind, "exercise") == 0) plate_rep_exercise(p->detector, m->value, &s->cfg.targets);
        if (strcmp(m->kind, "side") == 0) plate_rep_other_leg(p->detector);
    }
}

/* What the partner's plate says at the time of `e`: its sample of that time, else the last one before, unless that is too long
 * ago. It depends on the first sample of the partner's that is not before `e`, and on what was before, and on nothing later.
 * What a plate measured before it was back counts for nobody, and until then it listens to nobody: when it came, that
 * time was over. */
static bool listen(struct plate *p, const struct sample *e, double *ret_N)
{
    const struct plate *q = p->partner;
    if (q->in > q->mask + p->heard) p->heard = q->in - q->mask;
    while (e->t_s >= e->floor_s && p->heard < q->settled) {
        const struct sample *o = station_sample(q, p->heard);
        bool counts = o->t_s >= o->floor_s;
        if (o->t_s >= e->t_s - p->near_s) {
            if (!counts || o->t_s > e->t_s + p->near_s) break;
            *ret_N = o->Fz_N;
            return true;
        }
        if (counts) p->other_N = o->Fz_N, p->other_s = o->t_s;
        p->heard++;
    }
    *ret_N = p->other_N;
    return e->t_s - p->other_s <= p->silence_s;
}

static void pass_on(struct plate_station *s, struct plate *p, const struct plate_rep_output *out, double key_s)
{
    struct pending event = {.key_s = key_s, .is_rep = true};
    if (out->rep_done) {
        event.rep = out->rep;
        station_enqueue(s, p, &event);
    }
    if (out->phase_changed) {
        event.is_rep = false;
        event.phase = out->phase;
        station_enqueue(s, p, &event);
    }
}

static void detect(struct plate_station *s, struct plate *p, const struct sample *e)
{
    struct plate_rep_input in = {.t_s = e->t_s,
                                 .Fz_N = e->Fz_N,
                                 .Fz_filtered_N = plate_filter_push(&p->filter, e->Fz_N),
                                 .cop_x_mm = e->cop_x_mm,
                                 .cop_y_mm = e->cop_y_mm};
    struct plate_rep_output out;
    if (p->partner) in.paired = listen(p, e, &in.other_N);
    if (in.paired && p->cfg->side == PLATE_SIDE_LEFT && s->sink.share) s->sink.share(s->sink.user, e->t_s, e->Fz_N, in.other_N);
    if (p->next_mark < s->marks) station_steer(s, p, e->t_s);
    if (!plate_rep_push(p->detector, &in, &out)) return;
    pass_on(s, p, &out, fmax(e->t_s, e->floor_s));
}

/* This and station_pump are inline for receive(), which goes through them with every sample. */
inline void station_hand_on(struct plate_station *s, struct plate *p)
{
    const struct sample *e = station_sample(p, p->out++);
    if (e->missing) {
        plate_rep_gap(p->detector, e->missing);
        if ((double)e->missing / p->cfg->rate_Hz > FILTER_RESET_S) plate_filter_reset(&p->filter);
    }
    detect(s, p, e);
    p->seen_s = e->t_s;
    if (e->t_s > s->seen_s) s->seen_s = e->t_s;
}

void station_end(struct plate_station *s, struct plate *p)
{
    struct plate_rep_output out;
    while (plate_rep_end(p->detector, &out)) pass_on(s, p, &out, fmax(p->seen_s, fmax(p->floor_s, s->merged_s)));
}

/* Has the partner come as far as t_s, or need nobody wait for it? */
static bool partner_ready(const struct plate *p, double t_s)
{
    const struct plate *q = p->partner;
    return !q || !q->present || (q->settled > 0 && station_sample(q, q->settled - 1)->t_s >= t_s - p->near_s);
}

inline void station_pump(struct plate_station *s, struct plate *p)
{
    while (p->out < p->settled && partner_ready(p, station_sample(p, p->out)->t_s)) station_hand_on(s, p);
}

/* Does sample i stand out of its neighbours, as many on either side as are asked for, as far as they are there yet? */
static bool stands_out(const struct plate *p, uint64_t i)
{
    double low_N = INFINITY, high_N = -INFINITY, Fz_N = station_sample(p, i)->Fz_N;
    if (i < p->neighbours || fabs(Fz_N - station_sample(p, i - 1)->Fz_N) <= SPIKE_N) return false; /* nearly all end here */
    for (uint64_t k = i - p->neighbours; k <= i + p->neighbours && k < p->in; k++) {
        const struct sample *e = station_sample(p, k);
        if (e->missing && k + p->neighbours > i) return false;
        if (k != i) low_N = fmin(low_N, e->Fz_N), high_N = fmax(high_N, e->Fz_N);
    }
    double off_N = fmax(Fz_N - high_N, low_N - Fz_N);
    return off_N > SPIKE_N && off_N > SPIKE_RATIO * (high_N - low_N);
}

/* A sample settles when it is known to be no spike; a spike gives way to the mean of its neighbours. */
static void settle(struct plate *p)
{
    for (; p->settled < p->in; p->settled++) {
        if (!stands_out(p, p->settled)) continue;
        if (p->settled + p->neighbours >= p->in) return; /* those to come will tell */
        struct sample *e = station_sample(p, p->settled);
        const struct sample *before = station_sample(p, p->settled - 1), *next = station_sample(p, p->settled + 1);
        e->Fz_N = (before->Fz_N + next->Fz_N) / 2;
        e->cop_x_mm = (before->cop_x_mm + next->cop_x_mm) / 2;
        e->cop_y_mm = (before->cop_y_mm + next->cop_y_mm) / 2;
        p->spikes++;
    }
}

static void receive(struct plate_station *s, struct plate *p, double t_s, const struct plate_force *f)
{
    if (p->in - p->out == p->mask)
        station_hand_on(s, p); /* cannot happen while callers hand in by time: better alone than lost */
    struct sample e = {t_s, f->Fz_N, f->cop_x_mm, f->cop_y_mm, p->floor_s, p->missing};
    *station_sample(p, p->in++) = e;
    settle(p);
    p->missing = 0;
    p->fed_s = t_s;
    station_pump(s, p);
    if (p->partner) station_pump(s, p->partner);
}

/* ---- handing in ---- */

void station_set_floor(struct plate *p, double t_s)
{
    p->floor_s = t_s;
    for (uint64_t i = p->settled; i < p->in; i++) station_sample(p, i)->floor_s = t_s;
}

/* A plate that was not waited for is back: what it says counts from where the merge has come to. */
static void welcome(struct plate_station *s, struct plate *p)
{
    p->present = true;
    p->seen_s = fmax(p->seen_s, s->merged_s);
    double first_s = p->settled < p->in ? station_sample(p, p->settled)->t_s : plate_clock_t_s(&p->knot, p->next_sample);
    if (first_s >= station_floor_s(s, p)) return;
    station_set_floor(p, station_floor_s(s, p));
    struct plate_event e = {.type = PLATE_EVENT_MARK, .t_s = p->floor_s};
    struct plate_mark *m = &e.u.mark;
    m->t_s = p->floor_s;
    m->sample = p->next_sample;
    memcpy(m->plate, p->cfg->name, sizeof m->plate);
    memcpy(m->kind, "resume", sizeof "resume");
    s->sink.event(s->sink.user, &e);
}

int plate_station_samples(struct plate_station *s, unsigned plate, uint64_t first, const int32_t *counts, size_t n)
{
    if (plate >= s->cfg.plates) return -EINVAL;
    struct plate *p = &s->plate[plate];
    if (!p->started || first != p->next_sample) return -EINVAL;
    if (!p->present && n > 0) welcome(s, p);
    const struct plate_geometry *geometry = p->calibration.cells == p->cfg->cells ? &p->geometry : NULL;
    while (n > 0) {
        size_t rows = n < CHUNK ? n : CHUNK;
        for (size_t i = 0; i < rows; i++, counts += p->calibration.cells) {
            s->t_s[i] = plate_clock_t_s(&p->knot, p->next_sample);
            plate_calibrate(&p->calibration, geometry, counts, &s->force[i]);
            p->next_sample++;
        }
        /* Apart: rows wait for none before them to be calibrated, and each for all before it to be detected. */
        for (size_t i = 0; i < rows; i++) receive(s, p, s->t_s[i], &s->force[i]);
        if (s->sink.force) {
            struct plate_force_block b = {plate, p->next_sample - rows, rows, s->t_s, s->force};
            s->sink.force(s->sink.user, &b);
        }
        n -= rows;
    }
    station_merge(s);
    return 0;
}
