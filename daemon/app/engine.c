#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "engine_private.h"
#include "log.h"

#define RETRY_NS 500000000LL  /* a port that is not there is looked for this often */
#define ABSENT_NS 500000000LL /* a plate that is silent for so long is not waited for */
#define HEALTH_NS 1000000000LL
#define RATE_TOLERANCE 0.02
#define TARE_S 1.0
#define TARE_QUIET_N 5.0  /* SD of the sum over the window */
#define TARE_DRIFT_N 5.0  /* first half against second half */
#define TARE_MOST_N 200.0 /* more than any empty plate is off: somebody stands on it */

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

/* ---- publishing ---- */

static int64_t utc_of(const struct engine *e, double t_s) { return e->utc0_ns + (int64_t)(t_s * 1e9); }

static void publish(struct engine *e, const char *topic, const char *cache_key, double t_s, const char *body,
                    const void *payload, size_t n)
{
    int r = stream_publish(e->parts.stream, topic, cache_key, utc_of(e, t_s), body, strlen(body), payload, n);
    if (r) plate_log(LOG_WARNING, topic, "a message could not be published: %s", strerror(-r));
}

static void publish_json(struct engine *e, const char *topic, const char *cache_key, double t_s, json_t *body)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    if (text) publish(e, topic, cache_key, t_s, text, NULL, 0);
    free(text);
    json_decref(body);
}

static json_t *real_or_null(double v) { return isfinite(v) ? json_real(v) : json_null(); }
static double now_s(const struct engine *e) { return fmax(0, plate_station_now_s(e->station)); }

void engine_health(struct engine *e, const char *kind, const char *level, const char *plate, const char *text)
{
    enum log_level l = strcmp(level, "error") == 0 ? LOG_ERROR : strcmp(level, "warning") == 0 ? LOG_WARNING : LOG_INFO;
    plate_log(l, *plate ? plate : "plated", "%s", text);
    char key[96];
    snprintf(key, sizeof key, "%s/%s", kind, plate);
    publish_json(e, "health/", key, now_s(e),
                 json_pack("{s:o,s:s,s:s,s:s,s:s}", "t_s", real_or_null(now_s(e)), "kind", kind, "level", level, "plate", plate,
                           "text", text));
}

static void say_session(struct engine *e, const char *state, const char *archive)
{
    publish_json(e, "session/", "session", now_s(e),
                 json_pack("{s:o,s:s,s:s,s:s,s:s,s:s}", "t_s", real_or_null(now_s(e)), "state", state, "archive", archive,
                           "subject", e->subject, "exercise", e->exercise, "side", plate_side_name(e->side)));
}

static void flush_force(struct engine_plate *p)
{
    if (p->rows == 0) return;
    struct engine *e = p->engine;
    bool cells = e->config->stream.cells;
    unsigned channels = 3 + (cells ? p->cfg->cells_count : 0);
    double rate = plate_timebase_rate_Hz(&p->timebase);
    char topic[64], body[1024], t[32], hz[32], us[32] = "null", names[512] = "\"Fz\",\"cop_x\",\"cop_y\"";
    plate_json_number(p->row_t_s, 6, t, sizeof t);
    plate_json_number(rate > 0 ? rate : p->cfg->rate_Hz, 3, hz, sizeof hz);
    if (isfinite(p->device_us)) plate_json_number(p->device_us, 0, us, sizeof us);
    for (unsigned i = 0; cells && i < p->cfg->cells_count; i++) {
        size_t at = strlen(names);
        snprintf(names + at, sizeof names - at, ",\"%s\"", p->cfg->cells[i].name);
    }
    snprintf(topic, sizeof topic, "force/%s/", p->cfg->name);
    snprintf(body, sizeof body,
             "{\"t_s\":%s,\"plate\":\"%s\",\"sample\":%llu,\"rate_Hz\":%s,\"dtype\":\"<f4\",\"shape\":[%u,%u],\"channels\":[%s]"
             ",\"device_us\":%s}",
             t, p->cfg->name, (unsigned long long)p->row_first, hz, p->rows, channels, names, us);
    publish(e, topic, NULL, p->row_t_s, body, p->row, (size_t)p->rows * channels * sizeof *p->row);
    p->rows = 0;
    p->row_ns = engine_now_ns();
}

static void on_force(void *user, const struct plate_force_block *b)
{
    struct engine *e = user;
    struct engine_plate *p = &e->plate[b->plate];
    bool cells = e->config->stream.cells;
    unsigned channels = 3 + (cells ? p->cfg->cells_count : 0);
    p->force_N = b->force[b->n - 1].Fz_N;
    for (size_t i = 0; i < b->n; i++) {
        if (p->rows == ENGINE_ROWS || (p->rows > 0 && p->row_first + p->rows != b->first + i)) flush_force(p);
        if (p->rows == 0) p->row_first = b->first + i, p->row_t_s = b->t_s[i];
        float *row = p->row + (size_t)p->rows++ * channels;
        *row++ = (float)b->force[i].Fz_N;
        *row++ = (float)b->force[i].cop_x_mm;
        *row++ = (float)b->force[i].cop_y_mm;
        for (unsigned c = 0; cells && c < p->cfg->cells_count; c++) *row++ = (float)b->force[i].cell_N[c];
    }
}

/* ---- the ring ---- */

static void put(struct engine *e, uint16_t type, unsigned plate, uint64_t sample, double t_s, const void *a, size_t n)
{
    if (!e->recording) return;
    struct record_header h = {.type = type, .plate = (uint16_t)plate, .sample = sample, .t_s = t_s};
    int r = ring_put(e->parts.ring, &h, a, n, NULL, 0);
    if (r && !e->ring_full_told) {
        e->ring_full_told = true;
        engine_health(e, "archive", "error", "",
                      "the ring is full: the disk does not keep up; what does not fit is counted as lost");
    }
}

static void on_event(void *user, const struct plate_event *ev)
{
    struct engine *e = user;
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
        snprintf(topic, sizeof topic, "rep/%s/", ev->u.rep.plate);
        put(e, RECORD_REP, 0, 0, ev->t_s, &ev->u.rep, sizeof ev->u.rep);
        break;
    case PLATE_EVENT_SET:
        if (ev->u.set.ended_by != PLATE_SET_ACTIVE) put(e, RECORD_SET, 0, 0, ev->t_s, &ev->u.set, sizeof ev->u.set);
        key = "set";
        break;
    case PLATE_EVENT_ASYMMETRY:
        put(e, RECORD_ASYMMETRY, 0, 0, ev->t_s, &ev->u.asymmetry, sizeof ev->u.asymmetry);
        key = ev->u.asymmetry.metric;
        break;
    case PLATE_EVENT_MARK: /* those that were commanded are in the ring already */
        if (strcmp(ev->u.mark.kind, "resume") == 0)
            put(e, RECORD_MARK, 0, ev->u.mark.sample, ev->t_s, &ev->u.mark, sizeof ev->u.mark);
        break;
    }
    /* Before `start` the station only shows: a rep that nobody records is not told. */
    if (!e->recording && ev->type != PLATE_EVENT_PHASE) return;
    if (plate_event_json(ev, body, sizeof body) > 0) publish(e, topic, key, ev->t_s, body, NULL, 0);
}

/* ---- recordings ---- */

static int new_station(struct engine *e)
{
    struct plate_station_sink sink = {.event = on_event, .force = on_force, .user = e};
    struct plate_station *s = plate_station_new(&e->station_config, &sink);
    if (!s) return -errno;
    plate_station_free(e->station);
    e->station = s;
    e->have_host0 = false;
    e->host0_ns = engine_now_ns();
    e->utc0_ns = engine_utc_ns();
    for (unsigned i = 0; i < e->plates; i++) {
        struct engine_plate *p = &e->plate[i];
        p->started = p->absent = p->told_rate = false;
        p->rows = 0;
        p->samples = p->lost = p->gaps = p->overrun = 0;
        p->phase = PLATE_REST;
    }
    return 0;
}

static void add_session(struct engine *e, const char *key, const char *value)
{
    struct record_session s = {.t_s = 0, .utc_ns = engine_utc_ns()};
    if (!*value) return;
    snprintf(s.key, sizeof s.key, "%s", key);
    snprintf(s.value, sizeof s.value, "%s", value);
    put(e, RECORD_SESSION, 0, 0, 0, &s, sizeof s);
}

static void add_session_number(struct engine *e, const char *key, double v)
{
    char text[32];
    if (!isfinite(v) || v <= 0) return;
    snprintf(text, sizeof text, "%.12g", v);
    add_session(e, key, text);
}

static void name_recording(struct engine *e, const char *subject)
{
    char stamp[32], base[96];
    struct tm tm;
    time_t now = (time_t)(e->utc0_ns / 1000000000LL);
    gmtime_r(&now, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
    snprintf(base, sizeof base, "%s%s%.40s", stamp, *subject ? "-" : "", subject);
    for (char *c = base; *c; c++)
        if (!((*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') || *c == '-' || *c == '_'))
            *c = '_';
    snprintf(e->session, sizeof e->session, "%s", base);
    for (int i = 2;; i++) {
        char journal[640];
        snprintf(e->archive, sizeof e->archive, "%s/%s.h5", e->config->archive_dir, e->session);
        snprintf(journal, sizeof journal, "%s/%s.journal", e->config->archive_dir, e->session);
        if (access(e->archive, F_OK) != 0 && access(journal, F_OK) != 0) return;
        snprintf(e->session, sizeof e->session, "%s-%d", base, i);
    }
}

static int put_begin(struct engine *e)
{
    struct recording rec;
    memset(&rec, 0, sizeof rec);
    config_recording(e->config, &rec);
    snprintf(rec.name, sizeof rec.name, "%s", e->session);
    snprintf(rec.session, sizeof rec.session, "%.95s", e->session);
    snprintf(rec.software, sizeof rec.software, "plated %s", plate_version());
    snprintf(rec.ring, sizeof rec.ring, "%s", ring_path(e->parts.ring));
    rec.created_utc_ns = e->utc0_ns;
    rec.started_host_ns = e->host0_ns;
    rec.config = e->config->text;
    for (unsigned i = 0; i < e->plates; i++) {
        if (*e->plate[i].device) memcpy(rec.plate[i].device, e->plate[i].device, sizeof rec.plate[i].device);
        if (*e->plate[i].serial) memcpy(rec.plate[i].device_serial, e->plate[i].serial, sizeof rec.plate[i].device_serial);
    }
    char *json = recording_to_json(&rec);
    if (!json) return -ENOMEM;
    struct record_header h = {.type = RECORD_BEGIN};
    int r = ring_put(e->parts.ring, &h, json, strlen(json), NULL, 0);
    free(json);
    return r;
}

static void put_calibration(struct engine *e, struct engine_plate *p, uint64_t sample, const char *why)
{
    struct record_calibration c;
    memset(&c, 0, sizeof c);
    c.calibration = p->calibration;
    c.utc_ns = engine_utc_ns();
    snprintf(c.who, sizeof c.who, "plated");
    snprintf(c.why, sizeof c.why, "%s", why);
    put(e, RECORD_CALIBRATION, p->index, sample, 0, &c, sizeof c);
}

int engine_start(struct engine *e, const struct engine_start *s, char *why, size_t size)
{
    if (e->recording && !e->autostarted) {
        snprintf(why, size, "already recording %s; platectl stop ends it", e->session);
        return -EALREADY;
    }
    if (e->recording) engine_stop(e, why, size);
    int r = new_station(e);
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
    snprintf(e->subject, sizeof e->subject, "%s", s->subject);
    stream_session(e->parts.stream, e->session);
    const struct config *c = e->config;
    add_session(e, "subject", s->subject);
    add_session(e, "exercise", *s->exercise ? s->exercise : e->station_config.exercise);
    add_session(e, "protocol", c->protocol ? c->protocol : "");
    add_session_number(e, "load_kg", isnan(s->load_kg) ? c->load_kg : s->load_kg);
    add_session_number(e, "body_mass_kg", isnan(s->body_mass_kg) ? c->body_mass_kg : s->body_mass_kg);
    add_session(e, "note", s->note);
    for (unsigned i = 0; i < e->plates; i++) {
        plate_station_calibration(e->station, i, &e->plate[i].calibration);
        put_calibration(e, &e->plate[i], 0, "at the start of the recording");
    }
    snprintf(e->exercise, sizeof e->exercise, "%s", e->station_config.exercise);
    e->side = e->station_config.side;
    say_session(e, "started", e->archive);
    char value[32], ignored[128];
    double t;
    if (*s->exercise) engine_mark(e, "exercise", s->exercise, "", &t, ignored, sizeof ignored);
    if (s->has_side) engine_mark(e, "side", plate_side_name(s->side), "", &t, ignored, sizeof ignored);
    snprintf(value, sizeof value, "%.12g", s->body_mass_kg);
    if (!isnan(s->body_mass_kg)) engine_mark(e, "body_mass_kg", value, "", &t, ignored, sizeof ignored);
    snprintf(value, sizeof value, "%.12g", s->load_kg);
    if (!isnan(s->load_kg)) engine_mark(e, "load_kg", value, "", &t, ignored, sizeof ignored);
    plate_log(LOG_INFO, e->archive, "recording");
    return 0;
}

int engine_stop(struct engine *e, char *why, size_t size)
{
    if (!e->recording) {
        snprintf(why, size, "nothing is being recorded; platectl start begins");
        return -ENODATA;
    }
    for (unsigned i = 0; i < e->plates; i++) flush_force(&e->plate[i]);
    plate_station_finish(e->station);
    uint64_t span[PLATE_MAX_PLATES];
    for (unsigned i = 0; i < e->plates; i++) span[i] = plate_station_next_sample(e->station, i);
    put(e, RECORD_END, 0, 0, 0, span, e->plates * sizeof *span);
    ring_wake(e->parts.ring);
    say_session(e, "stopped", e->archive);
    e->recording = false;
    int r = new_station(e); /* goes on showing */
    for (unsigned i = 0; r == 0 && i < e->plates; i++) plate_station_calibration(e->station, i, &e->plate[i].calibration);
    return r;
}

/* ---- commands ---- */

int engine_mark(struct engine *e, const char *kind, const char *value, const char *plate, double *ret_t_s, char *why,
                size_t size)
{
    struct plate_mark m;
    memset(&m, 0, sizeof m);
    m.t_s = e->have_host0 ? plate_station_now_s(e->station) : 0;
    m.sample = plate_station_next_sample(e->station, 0);
    m.utc_ns = engine_utc_ns();
    if (strlen(kind) >= sizeof m.kind || strlen(value) >= sizeof m.value || strlen(plate) >= sizeof m.plate) {
        snprintf(why, size, "too long: a kind has at most %zu bytes, a value %zu", sizeof m.kind - 1, sizeof m.value - 1);
        return -EINVAL;
    }
    strcpy(m.kind, kind);
    strcpy(m.value, value);
    strcpy(m.plate, plate);
    if (strcmp(kind, "resume") == 0 || plate_station_mark(e->station, &m) != 0) {
        snprintf(why, size, "\"%s\" makes no sense for a mark of kind \"%s\"; docs/stream.md lists the kinds", value, kind);
        return -EINVAL;
    }
    put(e, RECORD_MARK, 0, m.sample, m.t_s, &m, sizeof m);
    if (strcmp(kind, "side") == 0) plate_side_parse(value, &e->side);
    if (strcmp(kind, "exercise") == 0) snprintf(e->exercise, sizeof e->exercise, "%s", value);
    *ret_t_s = m.t_s;
    return 0;
}

int engine_tare(struct engine *e, unsigned plate, double ret_tare[PLATE_MAX_CELLS], double ret_sd[PLATE_MAX_CELLS], char *why,
                size_t size)
{
    struct engine_plate *p = &e->plate[plate];
    struct tare_window *w = &p->tare;
    unsigned cells = p->cfg->cells_count;
    if (w->filled < w->rows || engine_now_ns() - p->read_ns > ABSENT_NS) {
        snprintf(why, size, "%s: no second of samples to tare from; is the plate connected? platectl status", p->cfg->name);
        return -ENODATA;
    }
    struct plate_calibration c = p->calibration;
    double mean[PLATE_MAX_CELLS] = {0}, m2[PLATE_MAX_CELLS] = {0}, fz = 0, fz2 = 0, half[2] = {0};
    for (unsigned r = 0; r < w->rows; r++) {
        const int32_t *counts = w->counts + (size_t)((w->at + r) % w->rows) * cells;
        struct plate_force f;
        plate_calibrate(&c, NULL, counts, &f);
        double delta = f.Fz_N - fz;
        fz += delta / (r + 1);
        fz2 += delta * (f.Fz_N - fz);
        half[r >= w->rows / 2] += f.Fz_N;
        for (unsigned i = 0; i < cells; i++) {
            double v = counts[i] * c.count_scale, d = v - mean[i];
            mean[i] += d / (r + 1);
            m2[i] += d * (v - mean[i]);
        }
    }
    double sd = sqrt(fz2 / (w->rows - 1)), drift = fabs(half[0] / (w->rows / 2) - half[1] / (w->rows - w->rows / 2));
    /* Against the calibration without a tare: a second tare must not hide a person behind the first one. */
    struct plate_force empty = {0}, now;
    int32_t zero[PLATE_MAX_CELLS] = {0};
    plate_calibrate(&c, NULL, zero, &empty);
    now.Fz_N = fz;
    bool somebody = sd > TARE_QUIET_N || drift > TARE_DRIFT_N || fabs(now.Fz_N) > TARE_MOST_N;
    if (somebody) {
        snprintf(why, size, "%s: not tared: %.0f N on it, SD %.1f N over a second; step off, let it rest, and tare again",
                 p->cfg->name, fz, sd);
        return -EBUSY;
    }
    for (unsigned i = 0; i < cells; i++) {
        c.tare[i] = ret_tare[i] = mean[i];
        ret_sd[i] = sqrt(m2[i] / (w->rows - 1));
    }
    p->calibration = c;
    plate_station_calibration(e->station, plate, &c);
    put_calibration(e, p, plate_station_next_sample(e->station, plate), "tare");
    double t;
    char ignored[128];
    engine_mark(e, "tare", "", p->cfg->name, &t, ignored, sizeof ignored);
    return 0;
}

/* ---- samples ---- */

static void on_frame(void *user, const struct plate_frame *f)
{
    struct engine_plate *p = user;
    if (p->frames < ENGINE_FRAMES) p->frame[p->frames++] = *f;
}

static void on_hello(void *user, const struct plate_hello *h)
{
    struct engine_plate *p = user;
    char text[256];
    bool wrong = h->cells != p->cfg->cells_count;
    if (wrong && !p->refused) {
        snprintf(text, sizeof text, "the device %s has %u cells, the configuration %u; list its cells under `cells`", h->name,
                 h->cells, p->cfg->cells_count);
        engine_health(p->engine, "port", "error", p->cfg->name, text);
    }
    p->refused = wrong;
    if (!wrong && h->count_scale_N > 0 && fabs(h->count_scale_N / p->cfg->count_scale - 1) > 1e-6 &&
        strcmp(p->serial, h->serial) != 0) {
        snprintf(text, sizeof text, "the device says %g N a count, the configuration %g: the configuration is used",
                 h->count_scale_N, p->cfg->count_scale);
        engine_health(p->engine, "port", "warning", p->cfg->name, text);
    }
    snprintf(p->device, sizeof p->device, "%s", h->name);
    snprintf(p->serial, sizeof p->serial, "%s", h->serial);
}

static void say_gap(struct engine_plate *p, const struct plate_gap *g)
{
    char topic[64];
    struct engine *e = p->engine;
    double t = now_s(e);
    snprintf(topic, sizeof topic, "fault/%s/", p->cfg->name);
    publish_json(e, topic, NULL, t,
                 json_pack("{s:o,s:s,s:s,s:I,s:I,s:s,s:b}", "t_s", real_or_null(t), "plate", p->cfg->name, "kind", "gap",
                           "sample", (json_int_t)g->sample, "count", (json_int_t)g->count, "reason",
                           plate_gap_reason_name(g->reason), "estimated", g->estimated));
    plate_log(LOG_WARNING, p->cfg->name, "%llu samples missing from sample %llu on (%s%s)", (unsigned long long)g->count,
              (unsigned long long)g->sample, plate_gap_reason_name(g->reason), g->estimated ? ", estimated from time" : "");
}

/* A run of samples without a hole: first to the ring, then to the core. */
static void take_block(struct engine_plate *p, uint64_t first, size_t n)
{
    struct engine *e = p->engine;
    size_t row = p->cfg->cells_count * sizeof(int32_t);
    if (n == 0) return;
    if (e->recording) {
        struct record_header h = {.type = RECORD_BLOCK, .plate = (uint16_t)p->index, .sample = first};
        if (ring_put(e->parts.ring, &h, p->block, n * row, NULL, 0) != 0) {
            p->overrun += n; /* the archive gets a gap in its place */
            if (!e->ring_full_told)
                engine_health(e, "archive", "error", p->cfg->name,
                              "the ring is full: the disk does not keep up; samples are published but not archived");
            e->ring_full_told = true;
        } else
            e->ring_full_told = false;
    }
    p->samples += n;
    struct tare_window *w = &p->tare;
    for (size_t i = n > w->rows ? n - w->rows : 0; i < n; i++) {
        memcpy(w->counts + (size_t)w->at * p->cfg->cells_count, p->block + i * p->cfg->cells_count, row);
        w->at = (w->at + 1) % w->rows;
        if (w->filled < w->rows) w->filled++;
    }
    plate_station_samples(e->station, p->index, first, p->block, n);
}

static void start_plate(struct engine_plate *p, int64_t host_ns, int64_t utc_ns)
{
    struct engine *e = p->engine;
    int64_t first_ns = host_ns - (int64_t)((p->frames - 1) * p->timebase.period_s * 1e9);
    if (!e->have_host0) {
        e->have_host0 = true;
        e->host0_ns = first_ns;
        e->utc0_ns = utc_ns - (host_ns - first_ns);
    }
    plate_timebase_start(&p->timebase, fmax(0, (double)(first_ns - e->host0_ns) * 1e-9), host_ns, utc_ns);
    put(e, RECORD_CLOCK, p->index, 0, 0, &p->timebase.knot, sizeof p->timebase.knot);
    plate_station_clock(e->station, p->index, &p->timebase.knot);
    p->started = true;
}

static void watch_rate(struct engine_plate *p)
{
    char text[192];
    double rate = plate_timebase_rate_Hz(&p->timebase), off = rate / p->cfg->rate_Hz - 1;
    bool mismatch = plate_timebase_rate_mismatch(&p->timebase);
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

static void take_frames(struct engine_plate *p, int64_t host_ns, int64_t utc_ns)
{
    struct engine *e = p->engine;
    unsigned cells = p->cfg->cells_count;
    if (p->frames == 0 || p->refused) {
        p->frames = 0;
        return;
    }
    p->absent = false;
    if (!p->started) start_plate(p, host_ns, utc_ns);
    uint64_t first = 0;
    size_t n = 0;
    for (unsigned i = 0; i < p->frames; i++) {
        struct plate_gap gap;
        uint64_t sample;
        if (plate_timebase_number(&p->timebase, &p->frame[i], host_ns, &sample, &gap)) {
            take_block(p, first, n);
            n = 0;
            put(e, RECORD_GAP, p->index, gap.sample, 0, &gap, sizeof gap);
            plate_station_gap(e->station, p->index, &gap);
            p->lost += gap.count;
            p->gaps++;
            say_gap(p, &gap);
        }
        if (n == 0) first = sample;
        memcpy(p->block + n++ * cells, p->frame[i].counts, cells * sizeof *p->block);
        if (p->frame[i].has_ticks) p->device_us = (double)p->frame[i].ticks * p->decoder.tick_s * 1e6;
    }
    p->frames = 0;
    take_block(p, first, n);
    struct plate_clock knot;
    if (plate_timebase_read_done(&p->timebase, host_ns, utc_ns, &knot)) {
        put(e, RECORD_CLOCK, p->index, knot.sample, 0, &knot, sizeof knot);
        plate_station_clock(e->station, p->index, &knot);
        watch_rate(p);
    }
}

/* ---- ports ---- */

static void lose_port(struct engine_plate *p, const char *why)
{
    struct engine *e = p->engine;
    char text[320];
    helper_close(e->parts.helper, p->port);
    p->port = NULL;
    p->retry_ns = engine_now_ns() + RETRY_NS / 5;
    plate_decoder_reset(&p->decoder);
    plate_timebase_reopened(&p->timebase);
    snprintf(p->error, sizeof p->error, "%s", why);
    snprintf(text, sizeof text, "%s: %s; waiting for it to come back", p->cfg->port, why);
    engine_health(e, "port", "error", p->cfg->name, text);
}

static void read_port(struct engine_plate *p, short revents)
{
    uint8_t bytes[ENGINE_READ];
    struct plate_decode_sink sink = {.frame = on_frame, .hello = on_hello, .user = p};
    ssize_t n = revents & POLLIN ? port_read(p->port, bytes, sizeof bytes) : 0;
    int64_t host_ns = engine_now_ns(), utc_ns = engine_utc_ns();
    if (n > 0) {
        p->read_ns = host_ns;
        plate_decoder_push(&p->decoder, bytes, (size_t)n, &sink);
        take_frames(p, host_ns, utc_ns);
        if (p->engine->config->stream.publish_interval_ms == 0) flush_force(p);
        return;
    }
    if (n < 0 && n != -EPIPE)
        lose_port(p, strerror((int)-n));
    else if (n == -EPIPE || revents & (POLLHUP | POLLERR | POLLNVAL))
        lose_port(p, "the port went away");
}

static void open_ports(struct engine *e, int64_t now)
{
    for (unsigned i = 0; i < e->plates; i++) {
        struct engine_plate *p = &e->plate[i];
        if (p->port || p->opening || now < p->retry_ns) continue;
        struct port_config cfg = {.path = p->cfg->port, .baud = p->cfg->baud};
        p->opening = helper_open(e->parts.helper, i, &cfg) == 0;
        p->retry_ns = now + RETRY_NS;
    }
}

static void collect_ports(struct engine *e)
{
    struct helper_result r;
    while (helper_collect(e->parts.helper, &r)) {
        struct engine_plate *p = &e->plate[r.slot];
        p->opening = false;
        if (r.error == 0) {
            char text[320];
            p->port = r.port;
            p->error[0] = 0;
            p->opened_ns = engine_now_ns();
            snprintf(text, sizeof text, "%s is open (%s)", p->cfg->port, port_kind(r.port));
            engine_health(e, "port", "ok", p->cfg->name, text);
        } else if (strcmp(p->error, r.why.text) != 0) {
            snprintf(p->error, sizeof p->error, "%s", r.why.text);
            engine_health(e, "port", "error", p->cfg->name, r.why.text);
        }
    }
}

/* ---- the rounds ---- */

static void say_status(struct engine *e)
{
    json_t *plates = json_array();
    struct ring_counters ring;
    ring_counters(e->parts.ring, &ring);
    for (unsigned i = 0; i < e->plates; i++) {
        struct engine_plate *p = &e->plate[i];
        double rate = plate_timebase_rate_Hz(&p->timebase);
        json_array_append_new(plates,
                              json_pack("{s:s,s:s,s:o,s:I,s:I,s:o,s:s}", "name", p->cfg->name, "state",
                                        p->port ? "open" : "waiting", "rate_Hz", rate > 0 ? json_real(rate) : json_null(),
                                        "samples", (json_int_t)p->samples, "lost", (json_int_t)(p->lost + p->overrun),
                                        "force_N", real_or_null(p->force_N), "phase", plate_phase_name(p->phase)));
    }
    double used = ring.capacity_bytes ? 100.0 * (double)ring.used_bytes / (double)ring.capacity_bytes : 0;
    publish_json(e, "health/", "status", now_s(e),
                 json_pack("{s:o,s:s,s:s,s:b,s:o,s:f}", "t_s", real_or_null(now_s(e)), "kind", "status", "level", "ok",
                           "recording", e->recording, "plates", plates, "ring_used_pct", used));
}

void engine_say_sealed(struct engine *e)
{
    struct archivist_status s;
    archivist_status(e->parts.archivist, &s);
    if (s.sealed != e->sealed_seen)
        say_session(e, "sealed", s.last_sealed);
    else if (*s.seal_error && strcmp(s.seal_error, e->seal_error_seen) != 0) {
        engine_health(e, "archive", "error", "", s.seal_error);
        say_session(e, "seal_failed", s.archive);
    }
    e->sealed_seen = s.sealed;
    snprintf(e->seal_error_seen, sizeof e->seal_error_seen, "%s", s.seal_error);
}

static int next_timeout_ms(struct engine *e, int64_t now)
{
    int64_t due = e->health_ns, interval = e->config->stream.publish_interval_ms * 1000000LL;
    for (unsigned i = 0; i < e->plates; i++) {
        struct engine_plate *p = &e->plate[i];
        if (!p->port && !p->opening && p->retry_ns < due) due = p->retry_ns;
        if (p->rows && p->row_ns + interval < due) due = p->row_ns + interval;
    }
    return due <= now ? 0 : (int)((due - now) / 1000000) + 1;
}

static void do_what_is_due(struct engine *e, int64_t now)
{
    int64_t interval = e->config->stream.publish_interval_ms * 1000000LL;
    open_ports(e, now);
    for (unsigned i = 0; i < e->plates; i++) {
        struct engine_plate *p = &e->plate[i];
        if (p->rows && now - p->row_ns >= interval) flush_force(p);
        if (p->started && !p->absent && now - p->read_ns > ABSENT_NS) {
            p->absent = true;
            plate_station_absent(e->station, i);
        }
    }
    if (now < e->health_ns) return;
    e->health_ns = now + HEALTH_NS;
    say_status(e);
}

static void begin_by_itself(struct engine *e)
{
    struct engine_start s = {.load_kg = NAN, .body_mass_kg = NAN};
    char why[256];
    snprintf(s.subject, sizeof s.subject, "%s", e->config->subject ? e->config->subject : "");
    if (engine_start(e, &s, why, sizeof why) != 0) engine_health(e, "archive", "error", "", why);
    e->autostarted = true;
}

int engine_run(struct engine *e, int stop_fd)
{
    enum { STOP, HELPER, SEALED, DATA, CONTROL, PORTS };
    struct pollfd fd[PORTS + PLATE_MAX_PLATES];
    int zmq_fd[2];
    stream_fds(e->parts.stream, zmq_fd);
    if (e->config->autostart) begin_by_itself(e);
    while (!e->quit) {
        fd[STOP] = (struct pollfd){.fd = stop_fd, .events = POLLIN};
        fd[HELPER] = (struct pollfd){.fd = helper_fd(e->parts.helper), .events = POLLIN};
        fd[SEALED] = (struct pollfd){.fd = archivist_fd(e->parts.archivist), .events = POLLIN};
        fd[DATA] = (struct pollfd){.fd = zmq_fd[0], .events = POLLIN};
        fd[CONTROL] = (struct pollfd){.fd = zmq_fd[1], .events = POLLIN};
        for (unsigned i = 0; i < e->plates; i++)
            fd[PORTS + i] = (struct pollfd){.fd = e->plate[i].port ? port_fd(e->plate[i].port) : -1, .events = POLLIN};
        if (poll(fd, PORTS + e->plates, next_timeout_ms(e, engine_now_ns())) < 0 && errno != EINTR) return -errno;
        for (unsigned i = 0; i < e->plates; i++)
            if (e->plate[i].port && fd[PORTS + i].revents) read_port(&e->plate[i], fd[PORTS + i].revents);
        if (fd[HELPER].revents) collect_ports(e);
        if (fd[SEALED].revents) {
            uint64_t n;
            (void)!read(fd[SEALED].fd, &n, sizeof n);
            engine_say_sealed(e);
        }
        do_what_is_due(e, engine_now_ns());
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
    struct plate_decoder_config decoder;
    p->cfg = &e->config->plates[i];
    p->engine = e;
    p->index = i;
    p->force_N = p->device_us = NAN;
    config_decoder(p->cfg, &decoder);
    config_calibration(p->cfg, &p->calibration);
    struct plate_timebase_config timebase = {.nominal_rate_Hz = p->cfg->rate_Hz, .tick_s = config_tick_s(p->cfg)};
    int r = plate_decoder_init(&p->decoder, &decoder);
    if (r == 0) r = plate_timebase_init(&p->timebase, &timebase);
    if (r) return r;
    p->tare.rows = (unsigned)fmax(8, TARE_S * p->cfg->rate_Hz);
    p->tare.counts = calloc((size_t)p->tare.rows * p->cfg->cells_count, sizeof(int32_t));
    p->frame = calloc(ENGINE_FRAMES, sizeof *p->frame);
    p->block = calloc((size_t)ENGINE_FRAMES * p->cfg->cells_count, sizeof *p->block);
    p->row = calloc((size_t)ENGINE_ROWS * ENGINE_CHANNELS, sizeof *p->row);
    return p->tare.counts && p->frame && p->block && p->row ? 0 : -ENOMEM;
}

int engine_new(const struct engine_parts *parts, struct engine **ret)
{
    struct engine *e = calloc(1, sizeof *e);
    if (!e) return -ENOMEM;
    e->parts = *parts;
    e->config = parts->config;
    e->plates = parts->config->plates_count;
    e->started_ns = engine_now_ns();
    config_station(e->config, &e->station_config);
    snprintf(e->exercise, sizeof e->exercise, "%s", e->station_config.exercise);
    e->side = e->station_config.side;
    e->plate = calloc(e->plates, sizeof *e->plate);
    int r = e->plate ? 0 : -ENOMEM;
    for (unsigned i = 0; r == 0 && i < e->plates; i++) r = set_up_plate(e, i);
    if (r == 0) r = new_station(e);
    for (unsigned i = 0; r == 0 && i < e->plates; i++) r = plate_station_calibration(e->station, i, &e->plate[i].calibration);
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
        free(e->plate[i].tare.counts);
        free(e->plate[i].frame);
        free(e->plate[i].block);
        free(e->plate[i].row);
    }
    free(e->plate);
    plate_station_free(e->station);
    free(e);
}
