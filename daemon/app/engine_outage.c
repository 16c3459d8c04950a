/* While the ring takes no samples (the disk has stood still for longer than it is deep), the session goes on: a copy of the
 * station sees every sample, and what it says is told. The archive will have a gap there; so has the station, which takes over
 * again behind it, as a recomputation will. */
#include <stdio.h>

#include "engine_private.h"
#include "log.h"
#include "ring.h"

static void on_event(void *user, const struct plate_event *ev) { engine_tell(user, ev); }

static void begin_outage(struct engine *e)
{
    const struct plate_station_sink sink = {.event = on_event, .force = engine_on_force, .user = e};
    e->ahead = plate_station_copy(e->station, &sink);
    engine_health(
        e, "archive", "error", "",
        e->ahead ? "the ring is full: the disk does not keep up; the session goes on, but its samples are lost to the archive"
                 : "the ring is full: the disk does not keep up; samples are shown but neither archived nor judged");
    e->ring_full_told = true;
}

static enum plate_gap_reason reason(const struct engine *e)
{
    struct archivist_status s;
    archivist_status(e->parts.archivist, &s);
    return *s.error ? PLATE_GAP_DISK : PLATE_GAP_OVERRUN;
}

void engine_refuse(struct engine_plate *p, uint64_t first, const int32_t *counts, size_t n)
{
    struct engine *e = p->engine;
    if (!e->ring_full_told) begin_outage(e);
    if (p->unkept.count == 0) p->unkept = (struct plate_gap){.sample = first, .reason = reason(e)};
    p->unkept.count += n;
    p->overrun += n;
    if (e->ahead) {
        plate_station_samples(e->ahead, p->index, first, counts, n);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct plate_force force;
        double t_s = plate_clock_t_s(&p->in.timebase.knot, first + i);
        plate_calibrate(&p->calibration, NULL, counts + i * p->in.cells, &force);
        engine_on_force(e, &(struct plate_force_block){p->index, first + i, 1, &t_s, &force});
    }
}

void engine_outage_over(struct engine *e)
{
    char text[160];
    uint64_t lost = 0;
    plate_station_free(e->ahead);
    e->ahead = NULL;
    e->ring_full_told = false;
    for (unsigned i = 0; i < e->plates; i++) {
        lost += e->plate[i].unkept.count;
        engine_put_unkept(&e->plate[i]);
        if (e->plate[i].absent) plate_station_absent(e->station, i);
    }
    snprintf(text, sizeof text, "the ring takes samples again; %llu were lost to the archive", (unsigned long long)lost);
    engine_health(e, "archive", "ok", "", text);
}

int engine_steer(struct engine *e, const struct plate_mark *m)
{
    if (e->ahead) plate_station_mark(e->ahead, m);
    return plate_station_mark(e->station, m);
}

int engine_calibrate(struct engine_plate *p)
{
    if (p->engine->ahead) plate_station_calibration(p->engine->ahead, p->index, &p->calibration);
    return plate_station_calibration(p->engine->station, p->index, &p->calibration);
}
