#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine_private.h"
#include "log.h"

#define RETRY_NS 500000000LL /* a port that is not there is looked for this often */
#define EMPTY_READS 16       /* on end: the port is no good, and asking on would never end */
#define HEALTH_NS 1000000000LL
#define RATE_TOLERANCE 0.02

int64_t engine_now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

int64_t engine_utc_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}
/* ---- samples ---- */

/* A run of samples without a hole: first to the ring, then to the core. */
static void on_block(void *user, uint64_t first, const int32_t *counts, size_t n)
{
    struct engine_plate *p = user;
    struct engine *e = p->engine;
    size_t bytes = n * p->in.cells * sizeof *counts;
    if (e->recording) {
        if (e->ahead && engine_ring_half_empty(e)) engine_outage_over(e);
        bool takes = !e->ahead && engine_ring_takes(e, record_padded((uint32_t)bytes), true);
        if (takes) engine_put_unkept(p);
        if (!takes || p->unkept.count || engine_put(e, RECORD_BLOCK, p->index, first, 0, counts, bytes) != 0) {
            engine_refuse(p, first, counts, n);
            engine_cells_take(p, counts, n);
            return;
        }
        e->ring_full_told = false;
    }
    p->samples += n;
    plate_station_samples(e->station, p->index, first, counts, n);
    engine_cells_take(p, counts, n);
}

static void on_gap(void *user, const struct plate_gap *gap)
{
    struct engine_plate *p = user;
    struct engine *e = p->engine;
    if (e->ahead) plate_station_gap(e->ahead, p->index, gap);
    engine_put_unkept(p);
    if (p->unkept.count)
        p->unkept.count += gap->count; /* one hole, as long as the ring takes nothing */
    else if (engine_put(e, RECORD_GAP, p->index, gap->sample, 0, gap, sizeof *gap) == 0)
        plate_station_gap(e->station, p->index, gap);
    else
        p->unkept = (struct plate_gap){.sample = gap->sample, .count = gap->count, .reason = PLATE_GAP_OVERRUN};
    p->lost += gap->count;
    p->gaps++;
    engine_cells_gap(p);
    engine_say_gap(p, gap);
}

static void watch_rate(struct engine_plate *p)
{
    char text[192];
    double rate = plate_timebase_rate_Hz(&p->in.timebase), off = rate / p->cfg->rate_Hz - 1;
    bool mismatch = plate_timebase_rate_mismatch(&p->in.timebase);
    if (p->told_rate || rate <= 0 || (fabs(off) <= RATE_TOLERANCE && !mismatch)) return;
    p->told_rate = true;
    if (fabs(off) > RATE_TOLERANCE)
        snprintf(text, sizeof text,
                 "the device runs at %.2f Hz, the configuration says %.2f; times follow the device; set rate_Hz", rate,
                 p->cfg->rate_Hz);
    else
        snprintf(text, sizeof text,
                 "the device's clock and the computer's disagree by more than 1000 ppm; times follow the device");
    engine_health(p->engine, "rate", "warning", p->cfg->name, text);
}

static void on_clock(void *user, const struct plate_clock *knot)
{
    struct engine_plate *p = user;
    engine_put(p->engine, RECORD_CLOCK, p->index, knot->sample, 0, knot, sizeof *knot);
    plate_station_clock(p->engine->station, p->index, knot);
    if (p->engine->ahead) plate_station_clock(p->engine->ahead, p->index, knot);
    watch_rate(p);
}

static void begin_by_itself(struct engine *e)
{
    const struct engine_plate *unsettled = engine_unsettled(e);
    if (unsettled) {
        if (!e->wait_told)
            engine_health(e, "port", "warning", unsettled->cfg->name,
                          "the recording waits until it is known what this device speaks; plug it in, or write its `decoder`");
        e->wait_told = true;
        return;
    }
    char why[256];
    struct engine_start s = e->next;
    if (engine_start(e, &s, why, sizeof why) != 0) engine_health(e, "archive", "error", "", why);
    e->autostarted = true;
}

static struct plate_intake_sink intake_sink(struct engine_plate *p)
{
    return (struct plate_intake_sink){on_clock, on_gap, on_block, engine_on_edge, p};
}

void engine_take_held(struct engine_plate *p)
{
    const struct plate_intake_sink sink = intake_sink(p);
    plate_intake_flush(&p->in, &sink);
}

static void take_bytes(struct engine_plate *p, const uint8_t *bytes, size_t n, int64_t host_ns, int64_t utc_ns)
{
    const struct plate_intake_sink sink = intake_sink(p);
    unsigned frames = plate_intake_decode(&p->in, bytes, n, engine_on_hello, p);
    if (!p->settled && plate_decoder_settled(&p->in.decoder)) engine_settle(p);
    if (frames > 0) {
        p->absent = false;
        if (p->engine->autostart_due) begin_by_itself(p->engine);
    }
    /* behind the beginning that these bytes may have brought about, before what is made of them */
    capture_put(p->engine->parts.capture, RECORD_BYTES, p->index, &(struct record_moment){host_ns, utc_ns}, bytes, n);
    plate_intake_take(&p->in, &p->engine->epoch, host_ns, utc_ns, &sink);
}

/* ---- ports ---- */

static void capture_port(struct engine_plate *p, bool open)
{
    const struct record_moment now = {engine_now_ns(), engine_utc_ns()};
    capture_put(p->engine->parts.capture, RECORD_PORT, p->index, &now, &(uint8_t){open}, 1);
}

void engine_hang_up(struct engine_plate *p)
{
    helper_close(p->engine->parts.helper, p->port);
    p->port = NULL;
    p->empty_reads = 0;
    p->retry_ns = engine_now_ns() + RETRY_NS / 5;
    engine_take_held(p);
    plate_intake_reopened(&p->in);
    capture_port(p, false);
}

static void lose_port(struct engine_plate *p, const char *why)
{
    struct engine *e = p->engine;
    char text[320];
    engine_hang_up(p);
    p->bauds_tried = 0;
    if (!p->settled) p->baud = p->cfg->baud;
    snprintf(p->error, sizeof p->error, "%s", why);
    snprintf(text, sizeof text, "%s: %s; waiting for it to come back", p->cfg->port, why);
    engine_health(e, "port", "error", p->cfg->name, text);
}

static void heard(struct engine_plate *p, int64_t host_ns)
{
    struct engine *e = p->engine;
    p->read_ns = host_ns;
    for (unsigned i = 0; i < e->plates; i++)
        if (!e->plate[i].missed_ns) e->plate[i].missed_ns = host_ns;
    p->missed_ns = 0;
}

static void read_port(struct engine_plate *p, short revents)
{
    uint8_t bytes[PLATE_INTAKE_READ];
    ssize_t n = revents & POLLIN ? port_read(p->port, bytes, sizeof bytes) : 0;
    int64_t host_ns = engine_now_ns(), utc_ns = engine_utc_ns();
    if (n > 0) {
        heard(p, host_ns);
        p->empty_reads = 0;
        take_bytes(p, bytes, (size_t)n, host_ns, utc_ns);
        if (p->engine->config->stream.publish_interval_ms == 0) engine_flush_samples(p);
        engine_talk(p, host_ns);
        return;
    }
    if (n < 0 && n != -EPIPE)
        lose_port(p, strerror((int)-n));
    else if (n == -EPIPE || revents & (POLLHUP | POLLERR | POLLNVAL))
        lose_port(p, "the port went away");
    else if (revents & POLLIN && ++p->empty_reads >= EMPTY_READS)
        lose_port(p, "the port says that it has bytes, and gives none");
}

static void open_ports(struct engine *e, int64_t now)
{
    for (unsigned i = 0; i < e->plates; i++) {
        struct engine_plate *p = &e->plate[i];
        if (p->port || p->opening || now < p->retry_ns) continue;
        struct port_config cfg = {.path = p->cfg->port, .baud = p->baud};
        p->opening = helper_open(e->parts.helper, i, &cfg) == 0;
        p->retry_ns = now + RETRY_NS;
    }
}

static void collect_ports(struct engine *e)
{
    struct helper_result r;
    while (helper_collect(e->parts.helper, &r)) {
        if (r.slot == HELPER_FOUND) {
            control_ports(e, &r);
            free(r.found);
            continue;
        }
        struct engine_plate *p = &e->plate[r.slot];
        p->opening = false;
        if (r.error == 0) {
            char text[320];
            p->port = r.port;
            p->error[0] = 0;
            p->opened_ns = p->talk_ns = engine_now_ns();
            p->opened_bytes = p->in.decoder.stats.bytes;
            capture_port(p, true);
            snprintf(text, sizeof text, "%s is open (%s)", p->cfg->port, port_kind(r.port));
            engine_health(e, "port", "ok", p->cfg->name, text);
        } else if (strcmp(p->error, r.why.text) != 0) {
            snprintf(p->error, sizeof p->error, "%s", r.why.text);
            engine_health(e, "port", "error", p->cfg->name, r.why.text);
        }
    }
}

/* ---- the rounds ---- */

static int next_timeout_ms(struct engine *e, int64_t now)
{
    int64_t due = e->health_ns, interval = e->config->stream.publish_interval_ms * 1000000LL;
    for (unsigned i = 0; i < e->plates; i++) {
        struct engine_plate *p = &e->plate[i];
        if (!p->port && !p->opening && p->retry_ns < due) due = p->retry_ns;
        if (p->rows && p->row_ns + interval < due) due = p->row_ns + interval;
        if (p->port && p->talk_ns < due) due = p->talk_ns;
    }
    return due <= now ? 0 : (int)((due - now) / 1000000) + 1;
}

/* asked_ns: since then its port was asked, so that what had come by then has been read. */
static bool is_absent(const struct engine_plate *p, int64_t asked_ns)
{
    return (p->missed_ns && asked_ns - p->missed_ns > ENGINE_ABSENT_NS) || asked_ns - p->read_ns > ENGINE_ALL_ABSENT_NS;
}

static void do_what_is_due(struct engine *e, int64_t asked_ns, int64_t now)
{
    int64_t interval = e->config->stream.publish_interval_ms * 1000000LL;
    open_ports(e, now);
    for (unsigned i = 0; i < e->plates; i++) {
        struct engine_plate *p = &e->plate[i];
        if (p->rows && now - p->row_ns >= interval) engine_flush_samples(p);
        if (p->port && now >= p->talk_ns) engine_talk(p, now);
        if (p->in.started && !p->absent && is_absent(p, asked_ns)) {
            p->absent = true;
            capture_put(e->parts.capture, RECORD_ABSENT, i, &(struct record_moment){now, engine_utc_ns()}, NULL, 0);
            plate_station_absent(engine_foremost(e), i);
        }
    }
    if (now < e->health_ns) return;
    e->health_ns = now + HEALTH_NS;
    control_due(e, now);
    engine_say_status(e);
}

int engine_run(struct engine *e, int stop_fd)
{
    enum { STOP, HELPER, SEALED, DATA, CONTROL, PORTS };
    struct pollfd fd[PORTS + PLATE_MAX_PLATES];
    int zmq_fd[2];
    stream_fds(e->parts.stream, zmq_fd);
    while (!e->quit) {
        fd[STOP] = (struct pollfd){.fd = stop_fd, .events = POLLIN};
        fd[HELPER] = (struct pollfd){.fd = helper_fd(e->parts.helper), .events = POLLIN};
        fd[SEALED] = (struct pollfd){.fd = archivist_fd(e->parts.archivist), .events = POLLIN};
        fd[DATA] = (struct pollfd){.fd = zmq_fd[0], .events = POLLIN};
        fd[CONTROL] = (struct pollfd){.fd = zmq_fd[1], .events = POLLIN};
        for (unsigned i = 0; i < e->plates; i++)
            fd[PORTS + i] = (struct pollfd){.fd = e->plate[i].port ? port_fd(e->plate[i].port) : -1, .events = POLLIN};
        const int64_t asked_ns = engine_now_ns();
        if (poll(fd, PORTS + e->plates, next_timeout_ms(e, asked_ns)) < 0 && errno != EINTR) return -errno;
        for (unsigned i = 0; i < e->plates; i++)
            if (e->plate[i].port && fd[PORTS + i].revents) read_port(&e->plate[i], fd[PORTS + i].revents);
        if (fd[HELPER].revents) collect_ports(e);
        if (fd[SEALED].revents) {
            uint64_t n;
            (void)!read(fd[SEALED].fd, &n, sizeof n);
            engine_say_sealed(e);
        }
        engine_take_shapes(e);
        do_what_is_due(e, asked_ns, engine_now_ns());
        engine_end_if_due(e);
        /* ZMQ_FD is edge-triggered, and every send may swallow an edge: ask each round. */
        stream_serve(e->parts.stream, control_request, e, 16);
        if (fd[STOP].revents) e->quit = true;
    }
    char why[256];
    if (e->recording) engine_stop(e, why, sizeof why);
    return 0;
}

static int set_up_plate(struct engine *e, unsigned i)
{
    struct engine_plate *p = &e->plate[i];
    p->cfg = &e->config->plates[i];
    p->engine = e;
    p->index = i;
    p->baud = p->cfg->baud;
    p->force_N = NAN;
    config_calibration(p->cfg, &p->calibration);
    int r = config_intake(p->cfg, &p->in);
    if (r) return r;
    p->settled = plate_decoder_settled(&p->in.decoder);
    r = plate_preview_init(&p->preview.decimator, e->config->stream.preview_interval_ms * 1000LL);
    if (r) return r;
    p->row = calloc((size_t)ENGINE_ROWS * ENGINE_CHANNELS, sizeof *p->row);
    return p->row ? engine_cells_init(p) : -ENOMEM;
}

int engine_new(const struct engine_parts *parts, struct engine **ret)
{
    struct engine *e = calloc(1, sizeof *e);
    if (!e) return -ENOMEM;
    e->parts = *parts;
    e->config = parts->config;
    e->plates = parts->config->plates_count;
    e->started_ns = engine_now_ns();
    e->autostart_due = e->config->autostart;
    e->next.load_kg = e->next.body_mass_kg = NAN;
    snprintf(e->next.subject, sizeof e->next.subject, "%s", e->config->subject);
    config_station(e->config, &e->station_config);
    snprintf(e->exercise, sizeof e->exercise, "%s", e->station_config.exercise);
    e->side = e->station_config.side;
    e->plate = calloc(e->plates, sizeof *e->plate);
    e->control = control_new();
    int r = e->plate && e->control ? 0 : -ENOMEM;
    for (unsigned i = 0; r == 0 && i < e->plates; i++) r = set_up_plate(e, i);
    if (r == 0) r = engine_new_station(e);
    for (unsigned i = 0; r == 0 && i < e->plates; i++) r = plate_station_calibration(e->station, i, &e->plate[i].calibration);
    if (r == 0) r = engine_capture_station(e);
    if (r == 0)
        *ret = e;
    else
        engine_free(e);
    return r;
}

void engine_free(struct engine *e)
{
    if (!e) return;
    for (unsigned i = 0; e->plate && i < e->plates; i++) {
        helper_close(e->parts.helper, e->plate[i].port);
        engine_cells_done(&e->plate[i]);
        plate_intake_done(&e->plate[i].in);
        free(e->plate[i].row);
    }
    free(e->plate);
    control_free(e->control);
    plate_station_free(e->station);
    plate_station_free(e->ahead);
    free(e);
}
