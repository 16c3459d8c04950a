/* A device that comes back with another number of cells. While a recording runs its counts go on in a part of their own: the
 * archivist is asked to begin one, and what comes until it has is lost. From the first sample that is taken, a calibration says
 * how many cells there are; that is what a recomputation goes by. Without a recording, only what is configured is taken. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_private.h"
#include "ring.h"

/* Of cells that nobody has named. */
static const char *const numbered[PLATE_MAX_CELLS] = {"cell1", "cell2", "cell3", "cell4", "cell5", "cell6", "cell7", "cell8"};

const char *engine_cell_name(const struct engine_plate *p, unsigned i)
{
    return p->in.cells == p->cfg->cells_count ? p->cfg->cells[i].name : numbered[i];
}

static void numbered_cell(unsigned i, struct plate_cell *ret)
{
    *ret = (struct plate_cell){.x_mm = NAN, .y_mm = NAN};
    strcpy(ret->name, numbered[i]);
}

void engine_cell(const struct engine_plate *p, unsigned i, struct plate_cell *ret)
{
    if (p->in.cells == p->cfg->cells_count)
        *ret = p->engine->station_config.plate[p->index].cell[i];
    else
        numbered_cell(i, ret);
}

void engine_describe_shape(const struct engine_plate *p, struct recording_plate *ret)
{
    ret->count_scale = p->wanted.cells ? p->wanted.count_scale : p->calibration.count_scale;
    const unsigned cells = p->wanted.cells ? p->wanted.cells : p->in.cells;
    if (cells == p->cfg->cells_count) return; /* as the configuration says */
    ret->cells = cells;
    for (unsigned i = 0; i < cells; i++) numbered_cell(i, &ret->cell[i]);
}

/* The device's own scale, if it says one: the configured one is of other cells. */
static void want(struct engine_plate *p, const struct plate_hello *h)
{
    struct plate_calibration configured;
    config_calibration(p->cfg, &configured);
    const bool ours = h->cells == p->cfg->cells_count || !(h->count_scale_N > 0);
    p->wanted.cells = h->cells;
    p->wanted.count_scale = ours ? configured.count_scale : h->count_scale_N;
}

static int ask(struct engine_plate *p)
{
    struct engine *e = p->engine;
    char *json = engine_recording_text(e, e->session);
    const int r = json ? engine_put(e, RECORD_SHAPE, p->index, e->shapes + 1, 0, json, strlen(json)) : -ENOMEM;
    free(json);
    if (r == 0) p->wanted.number = ++e->shapes;
    ring_wake(e->parts.ring);
    return r;
}

static void take_shape(struct engine_plate *p)
{
    char text[256];
    const unsigned cells = p->wanted.cells, configured = p->cfg->cells_count;
    engine_flush_samples(p); /* its channels are those of the old shape */
    plate_intake_reshape(&p->in, cells);
    if (cells == configured)
        config_calibration(p->cfg, &p->calibration);
    else
        plate_calibration_identity(&p->calibration, cells, p->wanted.count_scale);
    p->wanted.cells = 0;
    engine_cells_init(p); /* allocates nothing again */
    engine_calibrate(p);
    snprintf(text, sizeof text, "the device has %u cells now", cells);
    engine_put_calibration(p, plate_station_next_sample(p->engine->station, p->index), text);
    if (cells == configured)
        snprintf(text, sizeof text, "the device %s has the configured %u cells again; tare it", p->device, cells);
    else
        snprintf(text, sizeof text,
                 "the device %s has %u cells, the configuration %u: their sum is taken, in another part of the archive and "
                 "without a centre of pressure; tare it, and list its cells under `cells`",
                 p->device, cells, configured);
    engine_health(p->engine, "port", cells == configured ? "ok" : "warning", p->cfg->name, text);
}

bool engine_other_shape(struct engine_plate *p, const struct plate_hello *h)
{
    const unsigned coming = p->wanted.cells ? p->wanted.cells : p->in.cells;
    if (!p->engine->recording && h->cells != p->cfg->cells_count) return false;
    if (h->cells == coming) return true;
    const unsigned before = p->wanted.cells;
    const double scale_before = p->wanted.count_scale;
    want(p, h);
    if (!p->engine->recording) {
        take_shape(p);
        return true;
    }
    plate_intake_bar(&p->in, true);
    if (ask(p) != 0) { /* the ring is full: the next hello asks again */
        p->wanted.cells = before;
        p->wanted.count_scale = scale_before;
        plate_intake_bar(&p->in, before > 0);
    }
    return true;
}

void engine_take_shapes(struct engine *e)
{
    for (unsigned i = 0; i < e->plates; i++) {
        struct engine_plate *p = &e->plate[i];
        struct archivist_status s;
        if (!p->wanted.cells || e->ahead || p->unkept.count || !engine_ring_takes(e, ENGINE_RING_RESERVE / 16, false)) continue;
        archivist_status(e->parts.archivist, &s);
        if (s.shape >= p->wanted.number) take_shape(p);
    }
}

void engine_forget_shape(struct engine_plate *p)
{
    if (!p->wanted.cells) return;
    p->wanted.cells = 0;
    plate_intake_bar(&p->in, false);
}
