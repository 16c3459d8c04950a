#include "station_private.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_ORDER 4
#define DEFAULT_CUTOFF_HZ 50.0
#define SPIKE_RATE_HZ 80.0 /* below, a force can come and go between two samples: both neighbours on either side are asked */
#define PAIR_SILENCE_S 0.5 /* a partner's last word counts for so long, and for two of its periods at least */
/* A plate of a pair keeps as many samples for its partner: 8 s at 1 kHz. */
enum { RING = 16, PAIR_RING = 8192 };

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
    p->neighbours = cfg->rate_Hz >= SPIKE_RATE_HZ ? 1 : 2;
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
