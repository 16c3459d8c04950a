/* What devices say of themselves, and what is said to them. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine_private.h"

void engine_on_hello(void *user, const struct plate_hello *h)
{
    struct engine_plate *p = user;
    char text[256];
    const bool other = h->cells > 0 && (p->in.refused || p->wanted.cells);
    if (h->version > 1)
        snprintf(text, sizeof text,
                 "the device %s speaks version %u of its protocol, plated version 1: its samples are not taken", h->name,
                 h->version);
    if (h->version > 1 && p->told_version != h->version) engine_health(p->engine, "port", "error", p->cfg->name, text);
    p->told_version = h->version;
    if (!other && h->count_scale_N > 0 && fabs(h->count_scale_N / p->calibration.count_scale - 1) > 1e-6 &&
        strcmp(p->serial, h->serial) != 0) {
        snprintf(text, sizeof text, "the device says %g N a count, the configuration %g: the configuration is used",
                 h->count_scale_N, p->calibration.count_scale);
        engine_health(p->engine, "port", "warning", p->cfg->name, text);
    }
    if (*h->name) snprintf(p->device, sizeof p->device, "%s", h->name);
    if (*h->serial) snprintf(p->serial, sizeof p->serial, "%s", h->serial);
    const bool refused = other && !engine_other_shape(p, h);
    if (refused && !p->told_refused) {
        snprintf(text, sizeof text, "the device %s has %u cells, the configuration %u; list its cells under `cells`", h->name,
                 h->cells, p->cfg->cells_count);
        engine_health(p->engine, "port", "error", p->cfg->name, text);
    }
    p->told_refused = refused;
}

/* A sync pulse is a mark at its sample. It steers nothing. */
void engine_on_edge(void *user, const struct plate_intake_edge *edge)
{
    struct engine_plate *p = user;
    struct engine *e = p->engine;
    struct plate_mark m;
    if (!e->recording) return;
    plate_intake_edge_mark(edge, &e->epoch, p->cfg->name, &m);
    if (engine_put(e, RECORD_MARK, p->index, m.sample, m.t_s, &m, sizeof m) == 0)
        engine_steer(e, &m);
    else
        p->edges_unkept++;
}

void engine_settle(struct engine_plate *p)
{
    char text[PLATE_TEXT_SIZE + 64];
    p->settled = true;
    if (!p->cfg->count_scale_given && p->in.decoder.count_scale_N > 0) {
        p->calibration.count_scale = p->in.decoder.count_scale_N;
        engine_calibrate(p);
        plate_cells_calibration(&p->cells, &p->calibration);
    }
    int n = snprintf(text, sizeof text, "decoder auto: %s", p->in.decoder.why);
    if (p->baud != p->cfg->baud) snprintf(text + n, sizeof text - (size_t)n, "; write `baud: %u`", p->baud);
    engine_health(p->engine, "port", "ok", p->cfg->name, text);
}

const struct engine_plate *engine_unsettled(const struct engine *e)
{
    for (unsigned i = 0; i < e->plates; i++)
        if (!e->plate[i].settled) return &e->plate[i];
    return NULL;
}

/* Of the devices that are known; where nothing is understood at the one that is configured. */
static const unsigned bauds[] = {115200, 9600, 921600, 57600, 38400, 19200};
enum { BAUDS = sizeof bauds / sizeof *bauds, NOISE_BYTES = 64 };
#define NOISE_NS 4000000000LL /* a device that sends has said enough by then */

/* Can it be the rate? A pty has none. */
static bool baud_may_be_wrong(const struct engine_plate *p, int64_t now_ns)
{
    bool sends = p->in.decoder.stats.bytes - p->opened_bytes >= NOISE_BYTES;
    if (p->settled || p->bauds_tried > BAUDS || strcmp(port_kind(p->port), port_serial.kind) != 0) return false;
    return plate_decoder_trouble(&p->in.decoder) || (sends && now_ns - p->opened_ns >= NOISE_NS);
}

static void try_next_baud(struct engine_plate *p)
{
    char text[320];
    int n = snprintf(text, sizeof text, "%s: nothing is understood at %u baud", p->cfg->port, p->baud);
    while (p->bauds_tried < BAUDS && bauds[p->bauds_tried] == p->cfg->baud) p->bauds_tried++;
    bool again = p->bauds_tried < BAUDS;
    p->baud = again ? bauds[p->bauds_tried] : p->cfg->baud;
    p->bauds_tried++;
    snprintf(text + n, sizeof text - (size_t)n,
             again ? "; trying %u"
                   : ", nor at any other rate of a known device; it stays at %u now: write `decoder` and `baud`",
             p->baud);
    engine_health(p->engine, "port", "warning", p->cfg->name, text);
    engine_hang_up(p);
}

/* A write that the port does not take whole is said again when its answer does not come. */
void engine_talk(struct engine_plate *p, int64_t now_ns)
{
    const char *say = plate_decoder_say(&p->in.decoder, now_ns, &p->talk_ns);
    const char *trouble = plate_decoder_trouble(&p->in.decoder);
    char text[320];
    if (baud_may_be_wrong(p, now_ns)) {
        try_next_baud(p);
        return;
    }
    if (say) (void)!port_write(p->port, say, strlen(say));
    if (trouble && trouble != p->told_trouble) {
        snprintf(text, sizeof text, "%s: %s", p->cfg->port, trouble);
        engine_health(p->engine, "port", "warning", p->cfg->name, text);
        snprintf(p->error, sizeof p->error, "%s", trouble);
    }
    if (!trouble && p->told_trouble) p->error[0] = 0;
    p->told_trouble = trouble;
}
