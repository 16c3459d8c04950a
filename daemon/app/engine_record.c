/* Recordings: the ring, what is said of them, start and stop. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "engine_private.h"
#include "log.h"
#include "ring.h"

/* ---- the ring ---- */

bool engine_ring_takes(const struct engine *e, size_t bytes, bool samples)
{
    struct ring_counters r;
    ring_counters(e->parts.ring, &r);
    uint64_t reserve = r.capacity_bytes / 8 < ENGINE_RING_RESERVE ? r.capacity_bytes / 8 : ENGINE_RING_RESERVE;
    return r.used_bytes + bytes + (samples ? reserve : 0) <= r.capacity_bytes;
}

bool engine_ring_half_empty(const struct engine *e)
{
    struct ring_counters r;
    ring_counters(e->parts.ring, &r);
    return r.used_bytes < r.capacity_bytes / 2;
}

int engine_put(struct engine *e, uint16_t type, unsigned plate, uint64_t sample, double t_s, const void *a, size_t n)
{
    if (!e->recording) return 0;
    struct record_header h = {.type = type, .plate = (uint16_t)plate, .sample = sample, .t_s = t_s};
    int r = ring_put(e->parts.ring, &h, a, n, NULL, 0);
    if (r == 0) capture_record(e->parts.capture, &h, a, n);
    if (r && !e->ring_full_told) {
        e->ring_full_told = true;
        engine_health(e, "archive", "error", "",
                      "the ring is full: the disk does not keep up; what does not fit is counted as lost");
    }
    return r;
}

void engine_put_session(struct engine *e, struct record_session *s, double t_s)
{
    s->t_s = t_s;
    s->sample = plate_station_next_sample(engine_foremost(e), 0);
    s->utc_ns = engine_utc_ns();
    engine_put(e, RECORD_SESSION, 0, s->sample, t_s, s, sizeof *s);
}

static void put_correction(struct engine *e, const struct plate_event *ev)
{
    const struct plate_correction *c = &ev->u.correction;
    struct record_session entry;
    record_session_correction(c, e->who && *e->who ? e->who : "platectl", &entry);
    engine_put_session(e, &entry, ev->t_s);
    if (c->field == PLATE_FIELD_INVOLVED) plate_side_parse(c->value, &e->involved);
    if (c->field == PLATE_FIELD_SIDE && c->set == plate_station_sets(e->station)) plate_side_parse(c->value, &e->side);
}

void engine_on_event(void *user, const struct plate_event *ev)
{
    struct engine *e = user;
    struct record_header h;
    const void *payload;
    if (record_of_event(ev, &h, &payload)) engine_put(e, h.type, 0, h.sample, h.t_s, payload, h.size);
    if (ev->type == PLATE_EVENT_CORRECTION) put_correction(e, ev);
    if (!e->ahead) engine_tell(e, ev);
}

void engine_tell(struct engine *e, const struct plate_event *ev)
{
    char body[PLATE_EVENT_JSON_MAX], topic[64];
    const char *key = NULL;
    snprintf(topic, sizeof topic, "%s/", plate_event_name(ev->type));
    switch (ev->type) {
    case PLATE_EVENT_PHASE:
        snprintf(topic, sizeof topic, "phase/%s/", ev->u.phase.plate);
        for (unsigned i = 0; i < e->plates; i++)
            if (strcmp(e->plate[i].cfg->name, ev->u.phase.plate) == 0) e->plate[i].phase = ev->u.phase.phase;
        break;
    case PLATE_EVENT_REP:
        for (unsigned i = 0; i < e->plates; i++) engine_flush_samples(&e->plate[i]); /* behind the samples that it is made of */
        snprintf(topic, sizeof topic, "rep/%s/", ev->u.rep.plate);
        break;
    case PLATE_EVENT_SET:
        if (ev->u.set.set == plate_station_sets(engine_foremost(e))) key = "set"; /* not an old one that was corrected */
        break;
    case PLATE_EVENT_ASYMMETRY:
        key = ev->u.asymmetry.metric;
        break;
    case PLATE_EVENT_IMBALANCE:
        key = "imbalance";
        break;
    case PLATE_EVENT_CORRECTION:
        break;
    case PLATE_EVENT_PLAN:
        e->side = (enum plate_side)ev->u.plan.side;
        e->plan = ev->u.plan;
        key = "plan";
        break;
    case PLATE_EVENT_TYPES:
        return;
    case PLATE_EVENT_MARK:
        /* for who joins late: who works, on what, with what */
        if (strcmp(ev->u.mark.kind, "side") == 0 || strcmp(ev->u.mark.kind, "warmup") == 0)
            key = ev->u.mark.kind;
        else if (strcmp(ev->u.mark.kind, "note") != 0)
            key = record_session_key(ev->u.mark.kind);
        break;
    }
    /* Before `start` the station only shows: a rep that nobody records is not told. */
    if (!e->recording && ev->type != PLATE_EVENT_PHASE) return;
    if (plate_event_json(ev, body, sizeof body) > 0) engine_publish(e, topic, key, ev->t_s, body, NULL, 0);
}

/* ---- recordings ---- */

int engine_new_station(struct engine *e)
{
    struct plate_station_sink sink = {.event = engine_on_event, .force = engine_on_force, .share = engine_on_share, .user = e};
    struct plate_station *s = plate_station_new(&e->station_config, &sink);
    if (!s) return -errno;
    engine_end_samples(e);
    plate_station_free(e->station);
    e->station = s;
    e->epoch = (struct plate_epoch){false, engine_now_ns(), engine_utc_ns()};
    for (unsigned i = 0; i < e->plates; i++) {
        struct engine_plate *p = &e->plate[i];
        plate_intake_restart(&p->in);
        p->absent = p->told_rate = false;
        plate_cells_calibration(&p->cells, &p->calibration); /* the drift is the recording's own */
        p->samples = p->lost = p->gaps = p->overrun = p->unkept.count = 0;
        p->phase = PLATE_REST;
    }
    return 0;
}

static void add_session_at(struct engine *e, double t_s, const char *key, const char *value)
{
    struct record_session s = {.value = ""};
    if (!*value) return;
    snprintf(s.key, sizeof s.key, "%s", key);
    snprintf(s.value, sizeof s.value, "%s", value);
    engine_put_session(e, &s, t_s);
}

/* As of the start. */
static void add_session(struct engine *e, const char *key, const char *value) { add_session_at(e, 0, key, value); }

static const char *number_text(double v, char text[32])
{
    snprintf(text, 32, "%.12g", v);
    return isfinite(v) && v > 0 ? text : "";
}

/* What `start` says is a mark, which keeps it; what the configuration says is kept as an entry. */
static void say_at_start(struct engine *e, const char *kind, const char *said, const char *configured)
{
    char ignored[128];
    double t;
    if (*said)
        engine_mark(e, kind, said, "", &t, ignored, sizeof ignored);
    else
        add_session(e, record_session_key(kind), configured);
}

static void say_all_at_start(struct engine *e, const struct engine_start *s)
{
    const struct config *c = e->config;
    char said[32], configured[32], ignored[128];
    double t;
    if (e->who) engine_mark(e, "start", "", "", &t, ignored, sizeof ignored);
    add_session(e, "subject", s->subject);
    add_session(e, "protocol", c->protocol);
    say_at_start(e, "exercise", s->exercise, e->station_config.exercise);
    say_at_start(e, "load_kg", number_text(s->load_kg, said), number_text(c->load_kg, configured));
    say_at_start(e, "body_mass_kg", number_text(s->body_mass_kg, said), number_text(c->body_mass_kg, configured));
    say_at_start(e, "involved", s->has_involved ? plate_side_name(s->involved) : "",
                 c->asymmetry.involved != PLATE_SIDE_NONE ? plate_side_name(c->asymmetry.involved) : "");
    say_at_start(e, "note", s->note, "");
    if (s->has_side) engine_mark(e, "side", plate_side_name(s->side), "", &t, ignored, sizeof ignored);
}

static void add_drift(struct engine_plate *p)
{
    char text[PLATE_TEXT_SIZE];
    if (engine_cells_drift(p, text, sizeof text) == 0) add_session_at(p->engine, engine_now_s(p->engine), "drift_N", text);
}

/* Another plated may record into the same folder, and begin in the same second: the file that its journal is made as is ours,
 * and no recording has the name already. What cannot be looked at now, the archivist will tell. */
static bool name_is_free(const char *archive, const char *journal)
{
    char reserved[660];
    snprintf(reserved, sizeof reserved, "%s.new", journal);
    const int fd = open(reserved, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return errno != EEXIST;
    close(fd);
    if (access(archive, F_OK) != 0 && access(journal, F_OK) != 0) return true;
    unlink(reserved);
    return false;
}

static void name_recording(struct engine *e, const char *subject)
{
    char stamp[32], base[96];
    struct tm tm;
    time_t now = (time_t)(e->epoch.utc_ns / 1000000000LL);
    gmtime_r(&now, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
    snprintf(base, sizeof base, "%s%s%.40s", stamp, *subject ? "-" : "", subject);
    for (char *c = base; *c; c++)
        if (!((*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') || *c == '-' || *c == '_'))
            *c = '_';
    unsigned n = strcmp(base, e->last_base) == 0 ? e->last_number + 1 : 1;
    snprintf(e->last_base, sizeof e->last_base, "%s", base);
    for (;; n++) {
        char journal[640];
        if (n == 1)
            snprintf(e->session, sizeof e->session, "%s", base);
        else
            snprintf(e->session, sizeof e->session, "%s-%u", base, n);
        e->last_number = n;
        snprintf(e->archive, sizeof e->archive, "%s/%s.h5", e->config->archive_dir, e->session);
        snprintf(journal, sizeof journal, "%s/%s.journal", e->config->archive_dir, e->session);
        if (name_is_free(e->archive, journal)) return;
    }
}

/* What is configured and which devices are there, as JSON; NULL: out of memory. */
char *engine_recording_text(struct engine *e, const char *session)
{
    struct recording rec;
    memset(&rec, 0, sizeof rec);
    config_recording(e->config, &rec);
    snprintf(rec.name, sizeof rec.name, "%s", session);
    snprintf(rec.session, sizeof rec.session, "%.95s", session);
    snprintf(rec.software, sizeof rec.software, "plated %s", plate_build());
    snprintf(rec.ring, sizeof rec.ring, "%s", ring_path(e->parts.ring));
    rec.created_utc_ns = e->epoch.utc_ns;
    rec.started_host_ns = e->epoch.host_ns;
    rec.config = e->config->text;
    for (unsigned i = 0; i < e->plates; i++) {
        const struct plate_decoder *d = &e->plate[i].in.decoder;
        snprintf(rec.plate[i].protocol, sizeof rec.plate[i].protocol, "%s", d->protocol->name);
        rec.plate[i].tick_s = d->tick_s;
        engine_describe_shape(&e->plate[i], &rec.plate[i]);
        if (*e->plate[i].device) memcpy(rec.plate[i].device, e->plate[i].device, sizeof rec.plate[i].device);
        if (*e->plate[i].serial) memcpy(rec.plate[i].device_serial, e->plate[i].serial, sizeof rec.plate[i].device_serial);
    }
    return recording_to_json(&rec);
}

static int put_begin(struct engine *e)
{
    const struct record_header h = {.type = RECORD_BEGIN};
    char *json = engine_recording_text(e, e->session);
    if (!json) return -ENOMEM;
    int r = ring_put(e->parts.ring, &h, json, strlen(json), NULL, 0);
    if (r == 0) capture_record(e->parts.capture, &h, json, strlen(json));
    free(json);
    return r;
}

int engine_capture_station(struct engine *e)
{
    char *json = engine_recording_text(e, "");
    if (!json) return -ENOMEM;
    capture_record(e->parts.capture, &(struct record_header){.type = RECORD_STATION}, json, strlen(json));
    free(json);
    return 0;
}

void engine_put_calibration(struct engine_plate *p, uint64_t sample, const char *why)
{
    struct record_calibration c;
    memset(&c, 0, sizeof c);
    c.calibration = p->calibration;
    c.utc_ns = engine_utc_ns();
    snprintf(c.who, sizeof c.who, "%s", p->engine->who && *p->engine->who ? p->engine->who : "plated");
    snprintf(c.why, sizeof c.why, "%s", why);
    const struct record_header h = {
        .type = RECORD_CALIBRATION, .plate = (uint16_t)p->index, .sample = sample, .size = sizeof c};
    if (p->engine->recording)
        engine_put(p->engine, h.type, p->index, sample, 0, &c, sizeof c);
    else
        capture_record(p->engine->parts.capture, &h, &c, sizeof c);
}

int engine_start(struct engine *e, const struct engine_start *s, char *why, size_t size)
{
    if (e->recording && !e->autostarted) {
        snprintf(why, size, "already recording %s; platectl stop ends it", e->session);
        return -EALREADY;
    }
    const struct engine_plate *unsettled = engine_unsettled(e);
    if (unsettled) {
        snprintf(why, size, "%s: decoder auto does not know yet what it speaks; plug it in and wait, or write its `decoder`",
                 unsettled->cfg->name);
        return -EAGAIN;
    }
    if (!engine_ring_takes(e, ENGINE_RING_RESERVE / 4, false)) {
        snprintf(why, size, "the ring is full: the disk does not keep up; see platectl status");
        return -ENOSPC;
    }
    if (e->recording) {
        double t_s;
        engine_mark(e, "stop", "start", "", &t_s, why, size);
        engine_stop(e, why, size);
    }
    e->autostart_due = false;
    int r = engine_new_station(e);
    if (r == 0) {
        name_recording(e, s->subject);
        r = put_begin(e);
    }
    if (r) {
        snprintf(why, size, "cannot begin a recording: %s; see the log of plated", strerror(-r));
        return r;
    }
    e->recording = true;
    e->autostarted = e->ring_full_told = false;
    e->who_said[0] = '\0';
    snprintf(e->subject, sizeof e->subject, "%s", s->subject);
    stream_session(e->parts.stream, e->session);
    for (unsigned i = 0; i < e->plates; i++) {
        plate_station_calibration(e->station, i, &e->plate[i].calibration);
        engine_put_calibration(&e->plate[i], 0, "at the start of the recording");
    }
    snprintf(e->exercise, sizeof e->exercise, "%s", e->station_config.exercise);
    e->side = plate_station_side(e->station);
    e->plan.set = 0;
    e->involved = s->has_involved ? s->involved : e->config->asymmetry.involved;
    engine_say_session(e, "started", e->archive);
    say_all_at_start(e, s);
    plate_log(LOG_INFO, e->archive, "recording");
    return 0;
}

void engine_put_unkept(struct engine_plate *p)
{
    if (p->unkept.count == 0 || p->engine->ahead ||
        engine_put(p->engine, RECORD_GAP, p->index, p->unkept.sample, 0, &p->unkept, sizeof p->unkept) != 0)
        return;
    plate_station_gap(p->engine->station, p->index, &p->unkept);
    p->unkept.count = 0;
}

void engine_end_if_due(struct engine *e)
{
    struct record_header h = {.type = RECORD_END};
    if (!e->end_due || ring_put(e->parts.ring, &h, e->span, e->plates * sizeof *e->span, NULL, 0) != 0) return;
    e->end_due = false;
    ring_wake(e->parts.ring);
}

int engine_stop(struct engine *e, char *why, size_t size)
{
    if (!e->recording) {
        snprintf(why, size, "nothing is being recorded; platectl start begins");
        return -ENODATA;
    }
    for (unsigned i = 0; i < e->plates; i++) engine_take_held(&e->plate[i]);
    if (e->ahead) engine_outage_over(e);
    for (unsigned i = 0; i < e->plates; i++) {
        engine_put_unkept(&e->plate[i]);
        engine_forget_shape(&e->plate[i]);
        add_drift(&e->plate[i]);
    }
    plate_station_finish(e->station);
    engine_end_samples(e);
    for (unsigned i = 0; i < e->plates; i++) e->span[i] = plate_station_next_sample(e->station, i);
    e->end_due = true;
    capture_record(e->parts.capture, &(struct record_header){.type = RECORD_END}, e->span, e->plates * sizeof *e->span);
    engine_end_if_due(e);
    engine_say_session(e, "stopped", e->archive);
    e->recording = false;
    int r = engine_new_station(e); /* goes on showing */
    for (unsigned i = 0; r == 0 && i < e->plates; i++) plate_station_calibration(e->station, i, &e->plate[i].calibration);
    return r;
}
