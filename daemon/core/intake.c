#include "plate/intake.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* No packet is shorter than a byte a sample, and one may have been under way. */
enum { HELD_MAX = 1024, FRAMES = HELD_MAX + PLATE_INTAKE_READ };

struct decoding {
    struct plate_intake *in;
    void (*hello)(void *user, const struct plate_hello *h);
    void *user;
};

int plate_intake_init(struct plate_intake *in, const struct plate_decoder_config *decoder,
                      const struct plate_timebase_config *timebase)
{
    *in = (struct plate_intake){.cells = decoder->cells, .device_us = NAN};
    int r = plate_decoder_init(&in->decoder, decoder);
    if (r == 0) r = plate_timebase_init(&in->timebase, timebase);
    if (r) return r;
    in->frame = calloc(FRAMES, sizeof *in->frame);
    in->block = calloc((size_t)FRAMES * PLATE_MAX_CELLS, sizeof *in->block);
    if (in->frame && in->block) return 0;
    plate_intake_done(in);
    return -ENOMEM;
}

void plate_intake_done(struct plate_intake *in)
{
    free(in->frame);
    free(in->block);
    in->frame = NULL;
    in->block = NULL;
}

static void on_frame(void *user, const struct plate_frame *f)
{
    struct plate_intake *in = ((struct decoding *)user)->in;
    if (in->frames < FRAMES) in->frame[in->frames++] = *f;
}

static void on_hello(void *user, const struct plate_hello *h)
{
    struct decoding *d = user;
    d->in->refused = h->cells > 0 && h->cells != d->in->cells;
    if (d->hello) d->hello(d->user, h);
}

static void on_edge(void *user, const struct plate_edge *e)
{
    struct plate_intake *in = ((struct decoding *)user)->in;
    if (in->edges < PLATE_INTAKE_EDGES)
        in->edge[in->edges++] = (struct plate_intake_waiting){in->frames, *e};
    else
        in->edges_lost++;
}

unsigned plate_intake_decode(struct plate_intake *in, const uint8_t *bytes, size_t n,
                             void (*hello)(void *user, const struct plate_hello *h), void *user)
{
    struct decoding d = {in, hello, user};
    plate_decoder_push(&in->decoder, bytes, n, &(struct plate_decode_sink){on_frame, on_hello, on_edge, &d});
    if (plate_decoder_settled(&in->decoder)) in->timebase.cfg.tick_s = in->decoder.tick_s; /* now `auto` knows it */
    if (in->refused || in->barred) {
        in->frames = in->edges = 0;
        in->held = false;
    }
    return in->frames;
}

static void start(struct plate_intake *in, struct plate_epoch *epoch, int64_t host_ns, int64_t utc_ns,
                  const struct plate_intake_sink *sink)
{
    int64_t first_ns = host_ns - (int64_t)((in->frames - 1) * in->timebase.period_s * 1e9);
    if (!epoch->set) *epoch = (struct plate_epoch){true, first_ns, utc_ns - (host_ns - first_ns)};
    plate_timebase_start(&in->timebase, fmax(0, (double)(first_ns - epoch->host_ns) * 1e-9), host_ns, utc_ns);
    in->started = true;
    sink->clock(sink->user, &in->timebase.knot);
}

/* Those that came before frame i, which is `sample`: by their own stamps, if both have one. */
static void take_edges(struct plate_intake *in, unsigned i, uint64_t sample, const struct plate_intake_sink *sink)
{
    const struct plate_clock *knot = &in->timebase.knot;
    const struct plate_frame *f = &in->frame[i];
    unsigned n = 0;
    for (; n < in->edges && in->edge[n].frame <= i; n++) {
        const struct plate_edge *e = &in->edge[n].edge;
        struct plate_intake_edge edge = {sample, plate_clock_t_s(knot, sample), e->rising};
        if (e->has_ticks && f->has_ticks) {
            double before_s = (double)(int64_t)(f->ticks - e->ticks) * in->decoder.tick_s;
            double samples = floor(before_s / knot->period_s);
            edge.t_s = fmax(0, edge.t_s - before_s);
            edge.sample -= (uint64_t)fmin(fmax(samples, 0), (double)sample);
        }
        if (sink->edge) sink->edge(sink->user, &edge);
    }
    in->edges -= n;
    memmove(in->edge, in->edge + n, in->edges * sizeof *in->edge);
}

/* From the first of the frames to the i-th, by the device's account. */
static int64_t since_first_ns(const struct plate_intake *in, unsigned i)
{
    const struct plate_frame *a = &in->frame[0], *f = &in->frame[i];
    double s = i * in->timebase.period_s;
    if (a->has_ticks && f->has_ticks && f->ticks >= a->ticks)
        s = (double)(f->ticks - a->ticks) * in->decoder.tick_s;
    else if (a->has_seq && f->has_seq && f->seq >= a->seq)
        s = (double)(f->seq - a->seq) * in->timebase.period_s;
    return (int64_t)(fmin(s, 3600) * 1e9);
}

/* Wait for more before the hole is measured? */
static bool hold(struct plate_intake *in, int64_t host_ns)
{
    if (!in->held && !plate_timebase_by_host(&in->timebase, &in->frame[0], host_ns)) return false;
    int64_t first_ns = host_ns - since_first_ns(in, in->frames - 1);
    if (!in->held) {
        in->held = true;
        in->held_since_ns = host_ns;
        in->arrived_ns = in->first_ns = first_ns;
    }
    if (first_ns < in->first_ns) in->first_ns = first_ns;
    if (in->arrived_ns - in->first_ns > PLATE_INTAKE_HOLD_NS) in->first_ns = in->arrived_ns; /* the clocks do not agree */
    return host_ns - in->held_since_ns < PLATE_INTAKE_HOLD_NS && in->frames <= HELD_MAX;
}

static void take(struct plate_intake *in, const struct plate_intake_sink *sink)
{
    uint64_t first = 0;
    size_t n = 0;
    for (unsigned i = 0; i < in->frames; i++) {
        const struct plate_frame *f = &in->frame[i];
        struct plate_gap gap;
        uint64_t sample;
        /* What comes in one read was taken one after the other. */
        int64_t taken_ns = in->held ? in->first_ns + since_first_ns(in, i)
                                    : in->last_host_ns - (int64_t)((in->frames - 1 - i) * in->timebase.period_s * 1e9);
        if (taken_ns > in->last_host_ns) taken_ns = in->last_host_ns;
        if (plate_timebase_number(&in->timebase, f, taken_ns, &sample, &gap)) {
            if (n) sink->block(sink->user, first, in->block, n);
            n = 0;
            sink->gap(sink->user, &gap);
        }
        if (n == 0) first = sample;
        if (in->edges > 0) take_edges(in, i, sample, sink);
        memcpy(in->block + n++ * in->cells, f->counts, in->cells * sizeof *in->block);
        if (f->has_ticks) in->device_us = (double)f->ticks * in->decoder.tick_s * 1e6;
    }
    in->frames = 0;
    in->held = false;
    for (unsigned i = 0; i < in->edges; i++) in->edge[i].frame = 0; /* their sample comes with the next read */
    sink->block(sink->user, first, in->block, n);
    struct plate_clock knot;
    if (plate_timebase_read_done(&in->timebase, in->last_host_ns, in->last_utc_ns, &knot)) sink->clock(sink->user, &knot);
}

void plate_intake_take(struct plate_intake *in, struct plate_epoch *epoch, int64_t host_ns, int64_t utc_ns,
                       const struct plate_intake_sink *sink)
{
    if (in->frames == 0) return;
    if (!in->started) start(in, epoch, host_ns, utc_ns, sink);
    in->last_host_ns = host_ns;
    in->last_utc_ns = utc_ns;
    if (!hold(in, host_ns)) take(in, sink);
}

void plate_intake_flush(struct plate_intake *in, const struct plate_intake_sink *sink)
{
    if (in->held && in->frames > 0) take(in, sink);
}

void plate_intake_restart(struct plate_intake *in) { in->started = in->held = false; }

void plate_intake_bar(struct plate_intake *in, bool barred) { in->barred = barred; }

void plate_intake_reshape(struct plate_intake *in, unsigned cells)
{
    in->cells = in->decoder.cfg.cells = cells;
    in->refused = in->barred = in->held = false;
    in->frames = in->edges = 0;
}

void plate_intake_reopened(struct plate_intake *in)
{
    in->edges = 0; /* no telling how long before the next sample they came */
    plate_decoder_reset(&in->decoder);
    plate_timebase_reopened(&in->timebase);
}

void plate_intake_edge_mark(const struct plate_intake_edge *edge, const struct plate_epoch *epoch, const char *plate,
                            struct plate_mark *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->t_s = edge->t_s;
    ret->sample = edge->sample;
    ret->utc_ns = epoch->utc_ns + (int64_t)(edge->t_s * 1e9);
    strcpy(ret->kind, "sync");
    strcpy(ret->value, edge->rising ? "rising" : "falling");
    memcpy(ret->plate, plate, strnlen(plate, sizeof ret->plate - 1));
}
