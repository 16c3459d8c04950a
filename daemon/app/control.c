/* The commands: JSON-RPC 2.0, as docs/stream.md describes them. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine_private.h"
#include "log.h"
#include "ring.h"
#include "snapshot.h"

enum {
    PARSE_ERROR = -32700,
    INVALID_REQUEST = -32600,
    NO_METHOD = -32601,
    BAD_PARAMS = -32602,
    SAYS_NO = -32000,
    NOT_ALLOWED = -32001
};

struct answer {
    json_t *result; /* or */
    char *text;     /* the result's JSON, malloced; or */
    int code;
    char why[320];
};

__attribute__((format(printf, 3, 4))) static void refuse(struct answer *a, int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    a->code = code;
    vsnprintf(a->why, sizeof a->why, format, args);
    va_end(args);
}

/* ---- parameters ---- */

/* Every parameter must be known: a misspelt one is not silently ignored. */
static bool only(struct answer *a, json_t *params, const char *const *known)
{
    const char *key;
    json_t *value;
    json_object_foreach(params, key, value)
    {
        const char *const *k = known;
        while (*k && strcmp(*k, key) != 0) k++;
        if (*k) continue;
        refuse(a, BAD_PARAMS, "%.40s: no such parameter; docs/stream.md lists them", key);
        return false;
    }
    return true;
}

static bool text_param(struct answer *a, json_t *params, const char *key, bool required, const char **ret)
{
    json_t *v = json_object_get(params, key);
    *ret = "";
    if (!v && !required) return true;
    if (!json_is_string(v)) {
        refuse(a, BAD_PARAMS, "%s: must be a text%s", key, v ? "" : ", and is missing");
        return false;
    }
    *ret = json_string_value(v);
    if (strlen(*ret) < PLATE_TEXT_SIZE) return true;
    refuse(a, BAD_PARAMS, "%s: at most %d bytes", key, PLATE_TEXT_SIZE - 1);
    return false;
}

static bool number_param(struct answer *a, json_t *params, const char *key, double *ret)
{
    json_t *v = json_object_get(params, key);
    *ret = NAN;
    if (!v) return true;
    *ret = json_is_number(v) ? json_number_value(v) : NAN;
    if (*ret >= 0 && *ret <= 2000) return true;
    refuse(a, BAD_PARAMS, "%s: must be a number from 0 to 2000", key);
    return false;
}

static bool side_param(struct answer *a, json_t *params, const char *key, bool required, bool *ret_has, enum plate_side *ret)
{
    const bool both = strcmp(key, "involved") != 0;
    const char *text;
    *ret_has = json_object_get(params, key) != NULL;
    if (!text_param(a, params, key, required, &text)) return false;
    if (!*ret_has || (plate_side_parse(text, ret) == 0 && (both || *ret != PLATE_SIDE_BOTH))) return true;
    refuse(a, BAD_PARAMS, "%s: \"%.20s\" is none of left, right, %snone", key, text, both ? "both, " : "");
    return false;
}

/* A number of a set or a rep, from 1; 0: not said. */
static bool count_param(struct answer *a, json_t *params, const char *key, int32_t *ret)
{
    json_t *v = json_object_get(params, key);
    *ret = 0;
    if (!v) return true;
    if (json_is_integer(v) && json_integer_value(v) >= 1 && json_integer_value(v) <= 1000000) {
        *ret = (int32_t)json_integer_value(v);
        return true;
    }
    refuse(a, BAD_PARAMS, "%s: must be a whole number, from 1", key);
    return false;
}

static bool bool_param(struct answer *a, json_t *params, const char *key, bool *ret)
{
    json_t *v = json_object_get(params, key);
    *ret = !v || json_is_true(v); /* not said: true */
    if (!v || json_is_boolean(v)) return true;
    refuse(a, BAD_PARAMS, "%s: must be true or false", key);
    return false;
}

/* ---- methods ---- */

static json_t *plate_status(const struct engine_plate *p)
{
    double rate = plate_timebase_rate_Hz(&p->in.timebase);
    char faults[PLATE_MAX_CELLS * (PLATE_NAME_SIZE + 16)];
    engine_cells_text(p, faults, sizeof faults);
    const struct plate_decode_stats *s = &p->in.decoder.stats;
    json_t *status = json_pack("{s:s,s:s,s:s,s:I,s:s,s:s,s:s,s:s,s:s,s:f,s:o,s:I,s:I,s:I,s:I,s:s,s:o}", "name", p->cfg->name,
                               "side", plate_side_name(p->cfg->side), "port", p->cfg->port, "baud", (json_int_t)p->baud,
                               "state", p->port ? "open" : "waiting", "error", p->error, "faults", faults, "decoder",
                               p->in.decoder.protocol->name, "recognised_by", p->in.decoder.why, "nominal_rate_Hz",
                               p->cfg->rate_Hz, "rate_Hz", rate > 0 ? json_real(rate) : json_null(), "samples",
                               (json_int_t)p->samples, "lost", (json_int_t)(p->lost + p->overrun), "gaps", (json_int_t)p->gaps,
                               "spikes", (json_int_t)plate_station_spikes(p->engine->station, p->index), "phase",
                               plate_phase_name(p->phase), "force_N", engine_real_or_null(p->force_N));
    json_t *decoded = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "bytes", (json_int_t)s->bytes, "frames",
                                (json_int_t)s->frames, "bad_length", (json_int_t)s->bad_length, "bad_checksum",
                                (json_int_t)s->bad_checksum, "bad_sanity", (json_int_t)s->bad_sanity, "no_value",
                                (json_int_t)s->no_value, "discarded_bytes", (json_int_t)s->discarded_bytes, "edges",
                                (json_int_t)s->edges, "edges_lost", (json_int_t)(p->in.edges_lost + p->edges_unkept));
    if (!status || json_object_update_new(status, decoded) != 0) {
        json_decref(status);
        return NULL;
    }
    return status;
}

static json_t *plan_status(const struct engine *e)
{
    char text[512];
    json_t *plan = e->plan.set > 0 && plate_columns_json(plate_plan_columns, &e->plan, text, sizeof text) > 0
                       ? json_loads(text, 0, NULL)
                       : NULL;
    return plan ? plan : json_null();
}

static void do_status(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {NULL};
    if (!only(a, params, known)) return;
    struct archivist_status s;
    struct ring_counters r;
    struct stream_counters z;
    struct log_counters l;
    struct capture_status c;
    archivist_status(e->parts.archivist, &s);
    ring_counters(e->parts.ring, &r);
    stream_counters(e->parts.stream, &z);
    log_counters(&l);
    capture_status(e->parts.capture, &c);
    json_t *plates = json_array();
    for (unsigned i = 0; i < e->plates; i++) json_array_append_new(plates, plate_status(&e->plate[i]));
    json_t *ring = json_pack("{s:I,s:I,s:I,s:I,s:I}", "capacity_bytes", (json_int_t)r.capacity_bytes, "used_bytes",
                             (json_int_t)r.used_bytes, "highest_used_bytes", (json_int_t)r.highest_used_bytes, "records",
                             (json_int_t)r.records, "refused", (json_int_t)r.refused);
    json_t *archivist = json_pack(
        "{s:I,s:I,s:I,s:I,s:s,s:f,s:i,s:i,s:b,s:I,s:I,s:I}", "records", (json_int_t)s.records, "journal_bytes",
        (json_int_t)s.journal_bytes, "syncs", (json_int_t)s.syncs, "errors", (json_int_t)s.errors, "error", s.error,
        "slowest_write_ms", s.slowest_write_ms, "part", (int)s.part, "waiting", (int)s.waiting, "stopped", s.stopped,
        "free_bytes", (json_int_t)s.free_bytes, "files_sealed", (json_int_t)s.files_sealed, "damaged", (json_int_t)s.damaged);
    json_t *history = json_pack("{s:I,s:I,s:I}", "messages", (json_int_t)z.history.messages, "bytes",
                                (json_int_t)z.history.bytes, "dropped", (json_int_t)z.history.dropped);
    json_t *stream =
        json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "messages", (json_int_t)z.messages, "bytes", (json_int_t)z.bytes,
                  "send_failures", (json_int_t)z.send_failures, "requests", (json_int_t)z.requests, "bad_requests",
                  (json_int_t)z.bad_requests, "cached", (json_int_t)z.cached, "history", history);
    json_t *gate = json_pack("{s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "keys", (int)z.gate.clients, "connections",
                             (json_int_t)z.gate.connections, "accepted", (json_int_t)z.gate.accepted, "unknown_keys",
                             (json_int_t)z.gate.unknown_keys, "bad_handshakes", (json_int_t)z.gate.bad_handshakes, "cut",
                             (json_int_t)z.gate.cut, "turned_away", (json_int_t)z.gate.turned_away, "abuses",
                             (json_int_t)z.gate.abuses, "forbidden", (json_int_t)e->forbidden);
    json_t *log = json_pack("{s:I,s:I}", "lines", (json_int_t)l.lines, "dropped", (json_int_t)l.dropped);
    json_t *capture =
        json_pack("{s:s,s:I,s:I,s:I,s:s}", "file", capture_path(e->parts.capture), "records", (json_int_t)c.records,
                  "file_bytes", (json_int_t)c.file_bytes, "lost_records", (json_int_t)c.lost_records, "error", c.error);
    a->result = json_pack("{s:s,s:s,s:i,s:f,s:I,s:b,s:s,s:s,s:s,s:b,s:s,s:f,s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
                          "station", e->config->station, "version", plate_version(), "pid", (int)getpid(), "uptime_s",
                          (double)(engine_now_ns() - e->started_ns) * 1e-9, "t_utc_ns", (json_int_t)engine_utc_ns(),
                          "recording", e->recording, "session", e->session, "archive", e->archive, "last_sealed", s.last_sealed,
                          /* stopped, but not told sealed yet: its records may still be in the ring */
                          "sealing", s.sealing || (!e->recording && (s.open || r.used_bytes > 0)), "seal_error", s.seal_error,
                          "t_s", engine_now_s(e), "side", plate_side_name(e->side), "exercise", e->exercise, "involved",
                          plate_side_name(e->involved), "plan", plan_status(e), "plates", plates, "ring", ring, "archivist",
                          archivist, "stream", stream, "gate", gate, "log", log, "capture", capture);
}

static void do_start(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {"subject", "exercise", "side", "involved", "load_kg", "body_mass_kg", "note", NULL};
    const char *subject, *exercise, *note;
    struct engine_start s;
    memset(&s, 0, sizeof s);
    if (!only(a, params, known) || !text_param(a, params, "subject", false, &subject) ||
        !text_param(a, params, "exercise", false, &exercise) || !text_param(a, params, "note", false, &note) ||
        !side_param(a, params, "side", false, &s.has_side, &s.side) ||
        !side_param(a, params, "involved", false, &s.has_involved, &s.involved) ||
        !number_param(a, params, "load_kg", &s.load_kg) || !number_param(a, params, "body_mass_kg", &s.body_mass_kg))
        return;
    strcpy(s.subject, subject);
    strcpy(s.exercise, exercise);
    strcpy(s.note, note);
    if (engine_start(e, &s, a->why, sizeof a->why) != 0)
        a->code = SAYS_NO;
    else
        a->result = json_pack("{s:s,s:s}", "session", e->session, "archive", e->archive);
}

static void do_stop(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {NULL};
    if (!only(a, params, known)) return;
    if (engine_stop(e, a->why, sizeof a->why) != 0)
        a->code = SAYS_NO;
    else
        a->result = json_pack("{s:s,s:s}", "session", e->session, "archive", e->archive);
}

static bool known_plate(struct engine *e, const char *plate, struct answer *a)
{
    for (unsigned i = 0; i < e->plates; i++)
        if (!*plate || strcmp(e->plate[i].cfg->name, plate) == 0) return true;
    refuse(a, BAD_PARAMS, "plate: there is no plate \"%.32s\"; platectl status lists them", plate);
    return false;
}

/* Is it the state of things that refuses it, or what was asked? */
static int code_of(int r) { return r == -EINVAL || r == -ENOBUFS ? BAD_PARAMS : SAYS_NO; }

static void do_mark_of(struct engine *e, const char *kind, const char *value, const char *plate, struct answer *a,
                       const char *key)
{
    double t_s;
    if (!known_plate(e, plate, a)) return;
    int r = engine_mark(e, kind, value, plate, &t_s, a->why, sizeof a->why);
    if (r != 0)
        a->code = code_of(r);
    else
        a->result = key ? json_pack("{s:s,s:f}", key, value, "t_s", t_s) : json_pack("{s:f}", "t_s", t_s);
}

static void do_correction(struct engine *e, struct plate_correction *c, struct answer *a)
{
    double t_s;
    int r = known_plate(e, c->plate, a) ? engine_correct(e, c, &t_s, a->why, sizeof a->why) : 0;
    if (a->code) return;
    if (r != 0)
        a->code = code_of(r);
    else
        a->result =
            json_pack("{s:i,s:s,s:s,s:f}", "set", c->set, "field", plate_field_words[c->field], "value", c->value, "t_s", t_s);
    if (a->result && c->rep) json_object_set_new(a->result, "rep", json_integer(c->rep));
}

static void do_side(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {"side", "set", NULL};
    struct plate_correction c = {.field = PLATE_FIELD_SIDE};
    enum plate_side side;
    bool has;
    if (!only(a, params, known) || !side_param(a, params, "side", true, &has, &side) || !count_param(a, params, "set", &c.set))
        return;
    strcpy(c.value, plate_side_name(side));
    if (c.set)
        do_correction(e, &c, a);
    else
        do_mark_of(e, "side", c.value, "", a, "side");
}

static void do_warmup(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {"warmup", "set", NULL};
    struct plate_correction c = {.field = PLATE_FIELD_WARMUP};
    bool warmup;
    if (!only(a, params, known) || !bool_param(a, params, "warmup", &warmup) || !count_param(a, params, "set", &c.set)) return;
    strcpy(c.value, warmup ? "true" : "false");
    if (c.set)
        do_correction(e, &c, a);
    else
        do_mark_of(e, "warmup", c.value, "", a, "warmup");
}

static void do_rep(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {"discard", "restore", "set", "plate", NULL};
    struct plate_correction c = {.field = PLATE_FIELD_DISCARDED};
    const char *plate;
    int32_t discard, restore;
    if (!only(a, params, known) || !count_param(a, params, "discard", &discard) ||
        !count_param(a, params, "restore", &restore) || !count_param(a, params, "set", &c.set) ||
        !text_param(a, params, "plate", false, &plate))
        return;
    if (!discard == !restore) {
        refuse(a, BAD_PARAMS, "say discard or restore, with the number of the rep");
        return;
    }
    c.rep = discard ? discard : restore;
    strcpy(c.value, discard ? "true" : "false");
    snprintf(c.plate, sizeof c.plate, "%s", plate);
    do_correction(e, &c, a);
}

static void do_involved(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {"involved", NULL};
    enum plate_side side;
    bool has;
    if (only(a, params, known) && side_param(a, params, "involved", true, &has, &side))
        do_mark_of(e, "involved", plate_side_name(side), "", a, "involved");
}

static void do_mark(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {"kind", "value", "plate", NULL};
    const char *kind, *value, *plate;
    if (only(a, params, known) && text_param(a, params, "kind", true, &kind) && text_param(a, params, "value", false, &value) &&
        text_param(a, params, "plate", false, &plate))
        do_mark_of(e, kind, value, plate, a, NULL);
}

static json_t *numbers(const double *v, unsigned n)
{
    json_t *a = json_array();
    for (unsigned i = 0; i < n; i++) json_array_append_new(a, engine_real_or_null(v[i]));
    return a;
}

static json_t *do_tare_of(struct engine_plate *p, struct answer *a)
{
    struct plate_measurement m;
    if (engine_tare(p, &m, a->why, sizeof a->why) != 0) return NULL;
    return json_pack("{s:s,s:o,s:o,s:s,s:f}", "plate", p->cfg->name, "tare", numbers(m.mean, m.cells), "sd",
                     numbers(m.sd, m.cells), "unit", "counts*count_scale", "moved_N", m.Fz_N);
}

static json_t *calibration_of(const struct engine_plate *p)
{
    const struct plate_calibration *c = &p->calibration;
    json_t *rows = json_array();
    for (unsigned i = 0; i < c->components; i++) json_array_append_new(rows, numbers(c->matrix[i], c->cells));
    return json_pack("{s:f,s:o,s:o,s:f}", "count_scale", c->count_scale, "tare", numbers(c->tare, c->cells), "matrix", rows,
                     "surface_z_mm", c->surface_z_mm);
}

static json_t *do_measure_of(struct engine_plate *p, struct answer *a)
{
    struct plate_measurement m;
    if (engine_measure(p, &m, a->why, sizeof a->why) != 0) return NULL;
    json_t *cells = json_array();
    for (unsigned i = 0; i < m.cells; i++) {
        struct plate_cell c;
        engine_cell(p, i, &c);
        json_array_append_new(cells, json_pack("{s:s,s:o,s:o}", "name", c.name, "x_mm", engine_real_or_null(c.x_mm), "y_mm",
                                               engine_real_or_null(c.y_mm)));
    }
    return json_pack("{s:s,s:I,s:I,s:o,s:o,s:o,s:f,s:f,s:f,s:b,s:o}", "plate", p->cfg->name, "sample",
                     (json_int_t)p->in.timebase.next_sample - 1, "rows", (json_int_t)m.rows, "cells", cells, "mean",
                     numbers(m.mean, m.cells), "sd", numbers(m.sd, m.cells), "Fz_N", m.Fz_N, "Fz_sd_N", m.Fz_sd_N, "Fz_step_N",
                     m.Fz_step_N, "still", plate_measurement_still(&m), "calibration", calibration_of(p));
}

/* What `of` says of every plate, or of the one that is named; the first that says no ends it. */
static void each_plate(struct engine *e, json_t *params, struct answer *a,
                       json_t *(*of)(struct engine_plate *p, struct answer *a))
{
    static const char *const known[] = {"plate", NULL};
    const char *plate;
    if (!only(a, params, known) || !text_param(a, params, "plate", false, &plate)) return;
    json_t *plates = json_array();
    for (unsigned i = 0; i < e->plates && a->code == 0; i++) {
        if (*plate && strcmp(plate, e->plate[i].cfg->name) != 0) continue;
        json_t *said = of(&e->plate[i], a);
        if (said)
            json_array_append_new(plates, said);
        else
            a->code = SAYS_NO;
    }
    if (a->code == 0 && json_array_size(plates) == 0)
        refuse(a, BAD_PARAMS, "plate: there is no plate \"%.32s\"; platectl status lists them", plate);
    if (a->code == 0) a->result = json_pack("{s:O}", "plates", plates);
    json_decref(plates);
}

static void do_tare(struct engine *e, json_t *params, struct answer *a) { each_plate(e, params, a, do_tare_of); }
static void do_measure(struct engine *e, json_t *params, struct answer *a) { each_plate(e, params, a, do_measure_of); }

/* A whole number from `least`; that, if it is not said. */
static bool whole_param(struct answer *a, json_t *params, const char *key, int64_t least, bool *ret_has, int64_t *ret)
{
    json_t *v = json_object_get(params, key);
    *ret_has = v != NULL;
    *ret = v ? json_integer_value(v) : least;
    if (!v || (json_is_integer(v) && *ret >= least)) return true;
    refuse(a, BAD_PARAMS, "%s: must be a whole number from %lld", key, (long long)least);
    return false;
}

static void do_snapshot(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {"topic", "since", "next", NULL};
    struct snapshot_request q;
    bool has_next;
    if (!only(a, params, known) || !text_param(a, params, "topic", false, &q.topic) ||
        !whole_param(a, params, "since", -1, &q.has_since, &q.since) || !whole_param(a, params, "next", 0, &has_next, &q.next))
        return;
    if (q.has_since && !*q.topic)
        refuse(a, BAD_PARAMS, "topic: is missing; seq counts the messages of one topic, so since wants its name");
    else if (snapshot_take(e->parts.stream, &q, &a->text, a->why, sizeof a->why) != 0)
        a->code = SAYS_NO;
}

static void do_shutdown(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {NULL};
    if (!only(a, params, known)) return;
    e->quit = true;
    a->result = json_pack("{s:b}", "ok", 1);
}

enum right { ASKS, COMMANDS }; /* what changes nothing is for those, too, who may only watch */
static const struct method {
    const char *name;
    void (*run)(struct engine *e, json_t *params, struct answer *a);
    enum right right;
} methods[] = {{"status", do_status, ASKS},         {"start", do_start, COMMANDS}, {"stop", do_stop, COMMANDS},
               {"side", do_side, COMMANDS},         {"rep", do_rep, COMMANDS},     {"warmup", do_warmup, COMMANDS},
               {"involved", do_involved, COMMANDS}, {"mark", do_mark, COMMANDS},   {"tare", do_tare, COMMANDS},
               {"shutdown", do_shutdown, COMMANDS}, {"measure", do_measure, ASKS}, {"snapshot", do_snapshot, ASKS}};

/* ---- the envelope ---- */

static const struct method *find_method(const char *name)
{
    for (const struct method *m = methods; m < methods + sizeof methods / sizeof *methods; m++)
        if (strcmp(m->name, name) == 0) return m;
    return NULL;
}

static void run(struct engine *e, const struct stream_peer *from, json_t *request, struct answer *a)
{
    json_t *version = json_object_get(request, "jsonrpc"), *method = json_object_get(request, "method"),
           *params = json_object_get(request, "params");
    if (!json_is_object(request))
        refuse(a, INVALID_REQUEST, "a request is one JSON object; batches are not taken");
    else if (!json_is_string(version) || strcmp(json_string_value(version), "2.0") != 0)
        refuse(a, INVALID_REQUEST, "jsonrpc: must be \"2.0\"");
    else if (!json_is_string(method))
        refuse(a, INVALID_REQUEST, "method: must be a text");
    else if (params && !json_is_object(params))
        refuse(a, BAD_PARAMS, "params: must be an object, by name");
    if (a->code) return;
    const struct method *m = find_method(json_string_value(method));
    if (!m)
        refuse(
            a, NO_METHOD,
            "%.40s: no such method; there are status start stop side rep warmup involved mark tare measure snapshot shutdown",
            json_string_value(method));
    else if (m->right == COMMANDS && !from->commands) {
        e->forbidden++;
        plate_log(LOG_WARNING, from->name, "may watch and not command: refused `%s`", m->name);
        refuse(a, NOT_ALLOWED, "the key of %s may watch and not command; on the station, give it `right = command`",
               from->name);
    } else {
        m->run(e, params, a);
        if (!a->result && !a->text && !a->code) refuse(a, SAYS_NO, "out of memory");
    }
}

/* How many bytes it takes; 0 if they are more than there are, or memory is out. */
static size_t write_answer(const struct answer *a, const json_t *id, char *reply, size_t size)
{
    json_t *error = a->code ? json_pack("{s:i,s:s}", "code", a->code, "message", a->why) : NULL;
    char *made = a->text ? NULL : json_dumps(error ? error : a->result, JSON_COMPACT), *back = json_dumps(id, JSON_ENCODE_ANY);
    int n = -1;
    if (back && (a->text || made))
        n = snprintf(reply, size, "{\"jsonrpc\":\"2.0\",\"%s\":%s,\"id\":%s}", error ? "error" : "result",
                     made ? made : a->text, back);
    free(made);
    free(back);
    json_decref(error);
    return n > 0 && (size_t)n < size ? (size_t)n : 0;
}

size_t control_request(void *user, const struct stream_peer *from, const char *json, size_t n, char *reply, size_t reply_size)
{
    struct answer a = {0};
    json_error_t where;
    json_t *request = json_loadb(json, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    json_t *id = json_is_object(request) ? json_object_get(request, "id") : NULL;
    bool id_ok = !id || json_is_string(id) || json_is_number(id) || json_is_null(id);
    if (!request)
        refuse(&a, PARSE_ERROR, "not JSON (byte %d: %.100s)", where.position, where.text);
    else if (!id_ok)
        refuse(&a, INVALID_REQUEST, "id: must be a text or a number");
    else
        run(user, from, request, &a);

    size_t length = 0;
    bool notification = json_is_object(request) && !id && a.code != INVALID_REQUEST;
    if (!notification) {
        json_t *back = id && id_ok ? json_incref(id) : json_null();
        length = write_answer(&a, back, reply, reply_size);
        json_decref(back);
    }
    free(a.text);
    json_decref(a.result);
    json_decref(request);
    return length;
}
