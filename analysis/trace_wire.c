/* The daemon's engine without its ports: what a capture says they sent goes the same way through the same core. */
#include "config.h"
#include "journal.h"
#include "trace.h"
#include "trace_parts.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct wire_plate {
    struct wire *wire;
    unsigned index;
    struct plate_intake in;
    uint64_t offset; /* bytes of its port, sent so far */
};
struct wire {
    const struct trace_wire *opt;
    struct trace_wire_result result;
    struct journal_reader *file;
    struct config config;
    unsigned plates; /* 0: what is configured is not known yet */
    struct wire_plate plate[PLATE_MAX_PLATES];
    struct plate_epoch epoch;
    struct plate_station *station; /* NULL outside a recording */
    struct trace_parts parts;      /* of the recording that becomes an archive */
    uint64_t lsn;
    int failed; /* the first failure in a callback */
    char *error;
    size_t error_size;
};

static int fail(struct wire *w, int rc, const char *what, const char *why)
{
    snprintf(w->error, w->error_size, "%s: %s", what, why);
    return w->failed = rc;
}

/* ---- out: what the core says, and what an archive is made of ---- */

static void failed_to_keep(struct wire *w, int rc)
{
    if (!w->failed) snprintf(w->error, w->error_size, "%s", w->parts.error);
    if (!w->failed) w->failed = rc;
}

static void keep(struct wire *w, uint16_t type, unsigned plate, uint64_t sample, double t_s, const void *payload, size_t n)
{
    struct record_header h = {.magic = RECORD_MAGIC,
                              .type = type,
                              .plate = (uint16_t)plate,
                              .size = (uint32_t)n,
                              .lsn = ++w->lsn,
                              .sample = sample,
                              .t_s = t_s};
    int rc = 0;
    h.crc = record_crc(&h, payload);
    if (w->parts.out)
        rc = trace_parts_append(&w->parts, &h, payload);
    else if (w->opt->out && type == RECORD_BEGIN)
        rc = trace_parts_begin(&w->parts, w->opt->out, &h, payload);
    if (rc) failed_to_keep(w, rc);
}

static void on_event(void *user, const struct plate_event *e)
{
    struct wire *w = user;
    struct record_header h;
    const void *payload;
    if (record_of_event(e, &h, &payload)) keep(w, h.type, 0, h.sample, h.t_s, payload, h.size);
    if (w->opt->event) w->opt->event(w->opt->user, e);
}

static void check(struct wire *w, int rc)
{
    if (rc && !w->failed) fail(w, rc, w->opt->path, "the core refuses what was captured: it is damaged");
}

static void on_clock(void *user, const struct plate_clock *knot)
{
    struct wire_plate *p = user;
    if (!p->wire->station) return;
    keep(p->wire, RECORD_CLOCK, p->index, knot->sample, 0, knot, sizeof *knot);
    check(p->wire, plate_station_clock(p->wire->station, p->index, knot));
}

static void on_gap(void *user, const struct plate_gap *gap)
{
    struct wire_plate *p = user;
    if (!p->wire->station) return;
    keep(p->wire, RECORD_GAP, p->index, gap->sample, 0, gap, sizeof *gap);
    check(p->wire, plate_station_gap(p->wire->station, p->index, gap));
}

static void on_block(void *user, uint64_t first, const int32_t *counts, size_t n)
{
    struct wire_plate *p = user;
    if (!p->wire->station) return;
    p->wire->result.samples += n;
    keep(p->wire, RECORD_BLOCK, p->index, first, 0, counts, n * p->in.cells * sizeof *counts);
    check(p->wire, plate_station_samples(p->wire->station, p->index, first, counts, n));
}

static void on_edge(void *user, const struct plate_intake_edge *edge)
{
    struct wire_plate *p = user;
    struct wire *w = p->wire;
    struct plate_mark m;
    if (!w->station) return;
    plate_intake_edge_mark(edge, &w->epoch, w->config.plates[p->index].name, &m);
    keep(w, RECORD_MARK, p->index, m.sample, m.t_s, &m, sizeof m);
    check(w, plate_station_mark(w->station, &m));
}

/* ---- in: the records of the capture ---- */

static void new_epoch(struct wire *w)
{
    plate_station_free(w->station);
    w->station = NULL;
    w->epoch = (struct plate_epoch){0};
    for (unsigned i = 0; i < w->plates; i++) plate_intake_restart(&w->plate[i].in);
}

static struct plate_intake_sink sink_of(struct wire_plate *p)
{
    return (struct plate_intake_sink){on_clock, on_gap, on_block, on_edge, p};
}

static void take_held(struct wire *w, unsigned plate)
{
    const struct plate_intake_sink sink = sink_of(&w->plate[plate]);
    plate_intake_flush(&w->plate[plate].in, &sink);
}

/* `cut_short`: the capture stops within a recording, which then has no END in its archive either. */
static void on_end(struct wire *w, bool cut_short)
{
    uint64_t span[PLATE_MAX_PLATES];
    for (unsigned i = 0; w->station && i < w->plates; i++) take_held(w, i);
    if (w->station) plate_station_finish(w->station);
    for (unsigned i = 0; w->station && i < w->plates; i++) span[i] = plate_station_next_sample(w->station, i);
    if (w->station && !cut_short) keep(w, RECORD_END, 0, 0, 0, span, w->plates * sizeof *span);
    new_epoch(w);
}

static int read_config(struct wire *w, const char *text, struct config *ret)
{
    struct config_error e;
    const int rc = config_parse(text, strlen(text), w->opt->path, ret, &e);
    return rc ? fail(w, rc, "its configuration", e.text) : 0;
}

static int on_station(struct wire *w, const void *payload, size_t n)
{
    struct recording rec;
    if (w->plates) return 0; /* told once */
    int rc = recording_from_json(payload, n, &rec);
    if (rc) return fail(w, rc, w->opt->path, "what was configured cannot be read");
    rc = read_config(w, rec.config, &w->config);
    recording_done(&rec);
    for (unsigned i = 0; rc == 0 && i < w->config.plates_count; i++) {
        w->plate[i].wire = w;
        w->plate[i].index = i;
        rc = config_intake(&w->config.plates[i], &w->plate[i].in);
        if (rc) return fail(w, rc, w->opt->path, "its plates make no sense");
        w->plates = i + 1;
    }
    return rc;
}

static int on_begin(struct wire *w, const void *payload, size_t n)
{
    const struct plate_station_sink sink = {.event = on_event, .user = w};
    struct plate_station_config cfg;
    on_end(w, true);
    if (++w->result.recordings != w->opt->wanted && w->opt->wanted) return 0;
    if (!w->plates) return fail(w, -EBADMSG, w->opt->path, "its head is damaged: the plates are not known");
    config_station(&w->config, &cfg);
    w->station = plate_station_new(&cfg, &sink);
    if (!w->station) return fail(w, -errno, w->opt->path, strerror(errno));
    keep(w, RECORD_BEGIN, 0, 0, 0, payload, n);
    return w->failed;
}

static void on_bytes(struct wire *w, const struct record_header *h, const void *payload)
{
    struct wire_plate *p = &w->plate[h->plate];
    const struct plate_intake_sink sink = sink_of(p);
    struct record_moment at;
    const size_t n = h->size - sizeof at;
    memcpy(&at, payload, sizeof at);
    if (h->sample > p->offset) w->result.lost_bytes += h->sample - p->offset;
    p->offset = h->sample + n;
    plate_intake_decode(&p->in, (const uint8_t *)payload + sizeof at, n, NULL, NULL);
    plate_intake_take(&p->in, &w->epoch, at.host_ns, at.utc_ns, &sink);
}

static void on_command(struct wire *w, const struct record_header *h, const void *payload)
{
    struct plate_mark m;
    struct record_calibration c;
    if (h->type == RECORD_MARK && h->size == sizeof m) {
        memcpy(&m, payload, sizeof m);
        if (strcmp(m.kind, "resume") == 0 || strcmp(m.kind, "sync") == 0) return; /* these come of the bytes again */
        keep(w, h->type, h->plate, h->sample, h->t_s, payload, h->size);
        check(w, plate_station_mark(w->station, &m));
    } else if (h->type == RECORD_CALIBRATION && h->size == sizeof c) {
        memcpy(&c, payload, sizeof c);
        keep(w, h->type, h->plate, h->sample, h->t_s, payload, h->size);
        check(w, plate_station_calibration(w->station, h->plate, &c.calibration));
    } else if (h->type == RECORD_SESSION) {
        keep(w, h->type, h->plate, h->sample, h->t_s, payload, h->size);
    }
}

/* A device has come back with other cells: it is held up from the one record to the other, as it was live. */
static int on_shape(struct wire *w, const struct record_header *h, const void *payload)
{
    struct plate_intake *in = &w->plate[h->plate].in;
    struct record_calibration c;
    if (h->type == RECORD_SHAPE) {
        plate_intake_bar(in, true);
        const int rc = w->station && w->parts.out ? trace_parts_shape(&w->parts, h, payload) : 0;
        if (rc) failed_to_keep(w, rc);
        return rc;
    }
    if (h->size != sizeof c) return 0;
    memcpy(&c, payload, sizeof c);
    if (c.calibration.cells < 1 || c.calibration.cells > PLATE_MAX_CELLS) return 0;
    if (in->barred || c.calibration.cells != in->cells) plate_intake_reshape(in, c.calibration.cells);
    return 0;
}

static int on_record(struct wire *w, const struct record_header *h, const void *payload)
{
    if (h->type == RECORD_STATION) return on_station(w, payload, h->size);
    if (h->type == RECORD_BEGIN) return on_begin(w, payload, h->size);
    if (h->plate >= w->plates) return 0;
    if (h->type == RECORD_CALIBRATION || h->type == RECORD_SHAPE) {
        const int rc = on_shape(w, h, payload);
        if (rc) return rc;
    }
    switch (h->type) {
    case RECORD_BYTES:
        if (h->size >= sizeof(struct record_moment) && h->size <= sizeof(struct record_moment) + PLATE_INTAKE_READ)
            on_bytes(w, h, payload);
        break;
    case RECORD_PORT:
        if (h->size > sizeof(struct record_moment) && !((const uint8_t *)payload)[sizeof(struct record_moment)]) {
            take_held(w, h->plate);
            plate_intake_reopened(&w->plate[h->plate].in);
        }
        break;
    case RECORD_ABSENT:
        if (w->station) plate_station_absent(w->station, h->plate);
        break;
    case RECORD_END:
        for (unsigned i = 0; i < w->plates; i++) plate_intake_bar(&w->plate[i].in, false);
        on_end(w, false);
        break;
    default:
        if (w->station) on_command(w, h, payload);
    }
    return w->failed;
}

/* ---- the whole ---- */

static int play(struct wire *w)
{
    struct record_header h;
    const void *payload;
    int rc = journal_open_capture(w->opt->path, &w->file);
    if (rc == -EPROTO) return fail(w, rc, w->opt->path, "not a capture of this version, or its first 512 bytes are damaged");
    if (rc) return fail(w, rc, w->opt->path, strerror(-rc));
    while (!w->failed && (rc = journal_next(w->file, &h, &payload)) == 0) on_record(w, &h, payload);
    if (!w->failed && rc != -ENODATA) fail(w, rc, w->opt->path, strerror(-rc));
    if (w->failed) return w->failed;
    on_end(w, true);
    w->result.torn_bytes = journal_torn_bytes(w->file);
    if (w->result.recordings == 0 || w->opt->wanted > w->result.recordings)
        return fail(w, -ENODATA, w->opt->path, w->opt->wanted ? "no such recording begins in it" : "no recording begins in it");
    if (w->parts.out && (rc = trace_parts_seal(&w->parts))) failed_to_keep(w, rc);
    return w->failed;
}

int trace_wire_replay(const struct trace_wire *opt, struct trace_wire_result *ret, char *ret_error, size_t error_size)
{
    struct wire *w = calloc(1, sizeof *w);
    if (!w) {
        snprintf(ret_error, error_size, "not enough memory");
        return -ENOMEM;
    }
    w->opt = opt;
    w->error = ret_error;
    w->error_size = error_size;
    const int rc = play(w);
    *ret = w->result;
    plate_station_free(w->station);
    for (unsigned i = 0; i < PLATE_MAX_PLATES; i++) plate_intake_done(&w->plate[i].in);
    journal_reader_close(w->file);
    trace_parts_done(&w->parts, rc != 0);
    config_done(&w->config);
    free(w);
    return rc;
}
