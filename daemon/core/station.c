#include "plate/station.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plate/filter.h"
#include "plate/rep.h"
#include "session.h"

#define DEFAULT_ORDER 4
#define DEFAULT_CUTOFF_HZ 50.0
#define FILTER_RESET_S 0.1
/* One sample at such a rate that stands out of both its neighbours like this is electrical: no force comes and goes so fast. */
#define SPIKE_RATE_HZ 80.0
#define SPIKE_N 10.0
#define SPIKE_RATIO 8.0
#define PAIR_SILENCE_S 0.5 /* a partner's last word counts for so long, and for two of its periods at least */
/* A plate of a pair keeps as many samples for its partner: 8 s at 1 kHz. */
enum { CHUNK = 256, QUEUE = 64, MARKS = 64, RING = 16, PAIR_RING = 8192 };

/* A sample on its way to the detector. */
struct sample {
    double t_s, Fz_N, cop_x_mm, cop_y_mm;
    double floor_s;   /* what it leads to counts from here at the earliest */
    uint64_t missing; /* samples missing right before it */
};

struct pending {
    double key_s;
    bool is_rep;
    enum plate_phase phase;
    struct plate_rep rep;
};
struct plate {
    const struct plate_station_plate *cfg;
    struct plate_geometry geometry;
    struct plate_calibration calibration;
    struct plate_filter filter;
    struct plate_rep_detector *detector;
    struct plate_clock knot;
    bool started, present;         /* has a first knot; the merge waits for it */
    uint64_t next_sample, missing; /* missing: right before it */
    struct sample *ring;           /* sample i stands in ring[i & mask]; numbered as received, without gaps */
    uint64_t mask;
    uint64_t in, settled, out; /* received; what will not change any more; handed on to the detector */
    bool looks_ahead;          /* for spikes: a sample settles when its successor is there */
    uint64_t spikes;
    double fed_s, seen_s, floor_s; /* the last received; the last handed on; what comes next counts from here */

    struct plate *partner;    /* under the other foot, NULL: none */
    uint64_t heard;           /* of the partner's samples: behind this plate */
    double other_N, other_s;  /* the last of those that counts */
    double near_s, silence_s; /* two samples are of one time; a partner is silent */
    uint64_t next_mark;
    struct pending queue[QUEUE];
    unsigned head, queued;
};
struct plate_station {
    struct plate_station_config cfg;
    struct plate_station_sink sink;
    struct plate plate[PLATE_MAX_PLATES];
    unsigned order[PLATE_MAX_PLATES]; /* plates by name */
    struct session session;
    struct plate_mark mark[MARKS];
    uint64_t marks, merged_marks; /* handed in; gone through the merge */
    bool begun;                   /* a plate has its first knot */
    unsigned queued;              /* of all plates */
    double seen_s;                /* the latest of what the plates have handed on */
    double merged_s, event_s;     /* how far the merge has come; with what a plate or the set's rest said */
    double t_s[CHUNK];
    struct plate_force force[CHUNK];
};

void plate_station_config_default(struct plate_station_config *cfg)
{
    memset(cfg, 0, sizeof *cfg);
    cfg->body_mass_kg = NAN;
    cfg->targets = plate_protocol_targets_none();
    cfg->asymmetry.threshold_pct = 10;
}

static int set_up_plate(struct plate_station *s, struct plate *p, const struct plate_station_plate *cfg)
{
    if (!plate_name_valid(cfg->name) || cfg->cells < 1 || cfg->cells > PLATE_MAX_CELLS) return EINVAL;
    p->cfg = cfg;
    p->fed_s = p->seen_s = p->floor_s = p->other_s = -INFINITY;
    p->looks_ahead = cfg->rate_Hz >= SPIKE_RATE_HZ;
    plate_geometry_init(&p->geometry, cfg->cell, cfg->cells);
    plate_calibration_identity(&p->calibration, cfg->cells, 1);
    double cutoff = s->cfg.filter_cutoff_Hz > 0 ? s->cfg.filter_cutoff_Hz : fmin(DEFAULT_CUTOFF_HZ, cfg->rate_Hz / 4);
    if (plate_filter_init(&p->filter, s->cfg.filter_order ? s->cfg.filter_order : DEFAULT_ORDER,
                          fmin(cutoff, 0.45 * cfg->rate_Hz), cfg->rate_Hz) != 0)
        return EINVAL;
    p->detector = malloc(plate_rep_detector_size());
    if (!p->detector) return ENOMEM;
    struct plate_rep_config rep = {.rate_Hz = cfg->rate_Hz,
                                   .exercise = s->cfg.exercise,
                                   .targets = s->cfg.targets,
                                   .filter_delay_s = plate_filter_delay(&p->filter) / cfg->rate_Hz};
    return plate_rep_init(p->detector, &rep) == 0 ? 0 : EINVAL;
}

/* The one plate with this side; NULL: none, or several. */
static struct plate *only(struct plate_station *s, enum plate_side side)
{
    struct plate *found = NULL;
    for (unsigned i = 0; i < s->cfg.plates; i++) {
        if (s->cfg.plate[i].side != side) continue;
        if (found) return NULL;
        found = &s->plate[i];
    }
    return found;
}

static void make_partners(struct plate *p, struct plate *q)
{
    p->partner = q;
    p->near_s = 0.25 / q->cfg->rate_Hz;
    p->silence_s = fmax(PAIR_SILENCE_S, 2 / q->cfg->rate_Hz);
}

static int set_up_rings(struct plate_station *s)
{
    struct plate *left = only(s, PLATE_SIDE_LEFT), *right = only(s, PLATE_SIDE_RIGHT);
    if (left && right) {
        make_partners(left, right);
        make_partners(right, left);
    }
    for (unsigned i = 0; i < s->cfg.plates; i++) {
        size_t n = s->plate[i].partner ? PAIR_RING : RING;
        s->plate[i].mask = n - 1;
        s->plate[i].ring = malloc(n * sizeof *s->plate[i].ring);
        if (!s->plate[i].ring) return ENOMEM;
    }
    return 0;
}

static int order_plates(struct plate_station *s)
{
    for (unsigned i = 0; i < s->cfg.plates; i++) {
        unsigned j = i;
        for (; j > 0 && strcmp(s->cfg.plate[s->order[j - 1]].name, s->cfg.plate[i].name) > 0; j--)
            s->order[j] = s->order[j - 1];
        s->order[j] = i;
    }
    for (unsigned i = 1; i < s->cfg.plates; i++)
        if (strcmp(s->cfg.plate[s->order[i - 1]].name, s->cfg.plate[s->order[i]].name) == 0) return EINVAL;
    return 0;
}

struct plate_station *plate_station_new(const struct plate_station_config *cfg, const struct plate_station_sink *sink)
{
    int r = cfg->plates >= 1 && cfg->plates <= PLATE_MAX_PLATES && sink->event ? 0 : EINVAL;
    struct plate_station *s = r == 0 ? calloc(1, sizeof *s) : NULL;
    if (!s) {
        errno = r ? r : ENOMEM;
        return NULL;
    }
    s->cfg = *cfg;
    s->sink = *sink;
    s->seen_s = s->merged_s = s->event_s = -INFINITY;
    r = order_plates(s);
    for (unsigned i = 0; r == 0 && i < cfg->plates; i++) r = set_up_plate(s, &s->plate[i], &s->cfg.plate[i]);
    if (r == 0) r = set_up_rings(s);
    if (r == 0 && session_init(&s->session, &s->cfg, &s->sink) != 0) r = EINVAL;
    if (r == 0) return s;
    plate_station_free(s);
    errno = r;
    return NULL;
}

void plate_station_free(struct plate_station *s)
{
    if (!s) return;
    for (unsigned i = 0; i < s->cfg.plates; i++) {
        free(s->plate[i].detector);
        free(s->plate[i].ring);
    }
    free(s);
}

struct plate_station *plate_station_copy(const struct plate_station *s, const struct plate_station_sink *sink)
{
    struct plate_station *copy = plate_station_new(&s->cfg, sink);
    if (!copy) return NULL;
    for (unsigned i = 0; i < s->cfg.plates; i++) {
        struct plate *to = &copy->plate[i];
        const struct plate *from = &s->plate[i];
        const struct plate own = *to;
        memcpy(own.detector, from->detector, plate_rep_detector_size());
        memcpy(own.ring, from->ring, (from->mask + 1) * sizeof *own.ring);
        *to = *from;
        to->cfg = own.cfg;
        to->detector = own.detector;
        to->ring = own.ring;
        to->partner = own.partner;
    }
    copy->session = s->session;
    copy->session.cfg = &copy->cfg;
    copy->session.sink = &copy->sink;
    memcpy(copy->mark, s->mark, sizeof copy->mark);
    copy->begun = s->begun;
    copy->marks = s->marks;
    copy->merged_marks = s->merged_marks;
    copy->queued = s->queued;
    copy->seen_s = s->seen_s;
    copy->merged_s = s->merged_s;
    copy->event_s = s->event_s;
    return copy;
}

/* ---- the merge ---- */

/* As far as every plate that is waited for has come. */
static double bound_s(const struct plate_station *s)
{
    double bound = INFINITY;
    for (unsigned i = 0; i < s->cfg.plates; i++)
        if (s->plate[i].present) bound = fmin(bound, s->plate[i].seen_s);
    return bound;
}

static double latest_s(const struct plate_station *s) { return fmax(s->merged_s, s->seen_s); }

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

/* Lets out what is no later than `bound`, in the order (time; marks, plates by name, the set's rest). */
static void merge_until(struct plate_station *s, double bound, double timer_bound)
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
    return s->session.set_open && session_due_s(&s->session) <= latest_s(s);
}

static void merge(struct plate_station *s)
{
    if (s->queued == 0 && s->merged_marks == s->marks && !rest_is_over(s)) return; /* nothing can come of it */
    double bound = bound_s(s);
    merge_until(s, bound, fmin(bound, latest_s(s)));
}

static void enqueue(struct plate_station *s, struct plate *p, const struct pending *e)
{
    if (p->queued == QUEUE) let_out(s, p); /* cannot happen while callers hand in plates by time: better early than lost */
    p->queue[(p->head + p->queued++) % QUEUE] = *e;
    s->queued++;
}

/* From here on a plate can still speak without being out of order: after all that was said, not before a mark, and after all
 * that its partner has decided without it. */
static double floor_s(const struct plate_station *s, const struct plate *p)
{
    double floor = fmax(s->event_s > -INFINITY ? nextafter(s->event_s, INFINITY) : -INFINITY, s->merged_s);
    return p->partner ? fmax(floor, nextafter(p->partner->seen_s + p->partner->near_s, INFINITY)) : floor;
}

/* ---- on to the detector ---- */

static struct sample *sample_at(const struct plate *p, uint64_t i) { return &p->ring[i & p->mask]; }

/* The marks that steer a detector act on the first sample at or after their time. */
static void apply_marks(struct plate_station *s, struct plate *p, double t_s)
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
        const struct sample *o = sample_at(q, p->heard);
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
    if (p->next_mark < s->marks) apply_marks(s, p, e->t_s);
    if (!plate_rep_push(p->detector, &in, &out)) return;
    struct pending event = {.key_s = fmax(e->t_s, e->floor_s), .is_rep = true};
    if (out.rep_done) {
        event.rep = out.rep;
        enqueue(s, p, &event);
    }
    if (out.phase_changed) {
        event.is_rep = false;
        event.phase = out.phase;
        enqueue(s, p, &event);
    }
}

static void hand_on(struct plate_station *s, struct plate *p)
{
    const struct sample *e = sample_at(p, p->out++);
    if (e->missing) {
        plate_rep_gap(p->detector, e->missing);
        if ((double)e->missing / p->cfg->rate_Hz > FILTER_RESET_S) plate_filter_reset(&p->filter);
    }
    detect(s, p, e);
    p->seen_s = e->t_s;
    if (e->t_s > s->seen_s) s->seen_s = e->t_s;
}

/* Has the partner come as far as t_s, or need nobody wait for it? */
static bool partner_ready(const struct plate *p, double t_s)
{
    const struct plate *q = p->partner;
    return !q || !q->present || (q->settled > 0 && sample_at(q, q->settled - 1)->t_s >= t_s - p->near_s);
}

static void pump(struct plate_station *s, struct plate *p)
{
    while (p->out < p->settled && partner_ready(p, sample_at(p, p->out)->t_s)) hand_on(s, p);
}

/* The last sample received has its successor now: a spike gives way to the mean of its neighbours. */
static void settle(struct plate *p, const struct sample *next)
{
    struct sample *e = sample_at(p, p->in - 1);
    const struct sample *before = sample_at(p, p->in - 2);
    double off_N = fabs(e->Fz_N - before->Fz_N), differ_N = SPIKE_RATIO * fabs(next->Fz_N - before->Fz_N);
    if (off_N <= SPIKE_N || off_N <= differ_N || e->missing || next->missing) return;
    off_N = fabs(e->Fz_N - next->Fz_N);
    if (off_N <= SPIKE_N || off_N <= differ_N) return;
    e->Fz_N = (before->Fz_N + next->Fz_N) / 2;
    e->cop_x_mm = (before->cop_x_mm + next->cop_x_mm) / 2;
    e->cop_y_mm = (before->cop_y_mm + next->cop_y_mm) / 2;
    p->spikes++;
}

static void receive(struct plate_station *s, struct plate *p, double t_s, const struct plate_force *f)
{
    if (p->in - p->out == p->mask) hand_on(s, p); /* cannot happen while callers hand in by time: better alone than lost */
    struct sample e = {t_s, f->Fz_N, f->cop_x_mm, f->cop_y_mm, p->floor_s, p->missing};
    if (p->looks_ahead && p->in >= 2) settle(p, &e);
    *sample_at(p, p->in++) = e;
    p->settled = p->in - p->looks_ahead;
    p->missing = 0;
    p->fed_s = t_s;
    pump(s, p);
    if (p->partner) pump(s, p->partner);
}

/* ---- handing in ---- */

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
        p->present = knot->t_s >= floor_s(s, p); /* else the merge has not waited for it: welcome() will say so */
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

/* What comes next, and the sample that waits for it to settle, count from t_s at the earliest. */
static void set_floor(struct plate *p, double t_s)
{
    p->floor_s = t_s;
    if (p->settled < p->in) sample_at(p, p->settled)->floor_s = t_s;
}

/* A plate that was not waited for is back: what it says counts from where the merge has come to. */
static void welcome(struct plate_station *s, struct plate *p)
{
    p->present = true;
    p->seen_s = fmax(p->seen_s, s->merged_s);
    double first_s = p->settled < p->in ? sample_at(p, p->settled)->t_s : plate_clock_t_s(&p->knot, p->next_sample);
    if (first_s >= floor_s(s, p)) return;
    set_floor(p, floor_s(s, p));
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
            receive(s, p, s->t_s[i], &s->force[i]);
            p->next_sample++;
        }
        if (s->sink.force) {
            struct plate_force_block b = {plate, p->next_sample - rows, rows, s->t_s, s->force};
            s->sink.force(s->sink.user, &b);
        }
        n -= rows;
    }
    merge(s);
    return 0;
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
        set_floor(&s->plate[i], m->t_s);
        struct plate_event e = {.type = PLATE_EVENT_MARK, .t_s = m->t_s, .u.mark = *m};
        s->sink.event(s->sink.user, &e);
        return 0;
    }
    if (strcmp(m->kind, "sync") == 0) { /* told at once: it is of a sample of its own plate, and nobody waits for it */
        struct plate_event e = {.type = PLATE_EVENT_MARK, .t_s = m->t_s, .u.mark = *m};
        s->sink.event(s->sink.user, &e);
        return 0;
    }
    if (s->marks - s->merged_marks == MARKS) merge_until(s, s->mark[s->merged_marks % MARKS].t_s, -INFINITY);
    for (unsigned i = 0; i < s->cfg.plates; i++) /* the slot is needed: a plate that is so far behind takes the mark now */
        if (s->marks - s->plate[i].next_mark == MARKS) apply_marks(s, &s->plate[i], s->mark[s->plate[i].next_mark % MARKS].t_s);
    s->mark[s->marks % MARKS] = *m;
    if (s->marks > 0) { /* acts in the order handed in */
        double last = s->mark[(s->marks - 1) % MARKS].t_s;
        if (m->t_s < last) s->mark[s->marks % MARKS].t_s = last;
    }
    s->marks++;
    merge(s);
    return 0;
}

void plate_station_absent(struct plate_station *s, unsigned plate)
{
    if (plate >= s->cfg.plates || !s->plate[plate].present) return;
    s->plate[plate].present = false;
    if (s->plate[plate].partner) pump(s, s->plate[plate].partner);
    merge(s);
}

void plate_station_finish(struct plate_station *s)
{
    for (unsigned i = 0; i < s->cfg.plates; i++) s->plate[i].present = false;
    for (unsigned i = 0; i < s->cfg.plates; i++) pump(s, &s->plate[i]);
    for (unsigned i = 0; i < s->cfg.plates; i++) /* the last ones: nobody hears those, as nobody did who went on without them */
        if (s->plate[i].out < s->plate[i].in) hand_on(s, &s->plate[i]);
    double end_s = latest_s(s);
    merge_until(s, INFINITY, end_s);
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
