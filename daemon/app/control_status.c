/* The method `status`: every counter. */
#include <unistd.h>

#include "control_private.h"
#include "log.h"
#include "ring.h"

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

void control_do_status(struct engine *e, json_t *params, struct answer *a)
{
    static const char *const known[] = {NULL};
    if (!control_only(a, params, known)) return;
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
    const struct control *k = e->control;
    json_t *control = json_pack("{s:I,s:I,s:I,s:I,s:I,s:I}", "requests", (json_int_t)k->requests, "commands",
                                (json_int_t)k->commands, "repeated", (json_int_t)k->repeated, "not_json",
                                (json_int_t)k->not_json, "refused", (json_int_t)k->refused, "denied", (json_int_t)k->denied);
    json_t *log = json_pack("{s:I,s:I}", "lines", (json_int_t)l.lines, "dropped", (json_int_t)l.dropped);
    json_t *capture =
        json_pack("{s:s,s:I,s:I,s:I,s:s}", "file", capture_path(e->parts.capture), "records", (json_int_t)c.records,
                  "file_bytes", (json_int_t)c.file_bytes, "lost_records", (json_int_t)c.lost_records, "error", c.error);
    a->result = json_pack(
        "{s:s,s:s,s:i,s:f,s:I,s:b,s:s,s:s,s:s,s:b,s:s,s:f,s:s,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "station",
        e->config->station, "version", plate_version(), "pid", (int)getpid(), "uptime_s",
        (double)(engine_now_ns() - e->started_ns) * 1e-9, "t_utc_ns", (json_int_t)engine_utc_ns(), "recording", e->recording,
        "session", e->session, "archive", e->archive, "last_sealed", s.last_sealed,
        /* stopped, but not told sealed yet: its records may still be in the ring */
        "sealing", s.sealing || (!e->recording && (s.open || r.used_bytes > 0)), "seal_error", s.seal_error, "t_s",
        engine_now_s(e), "side", plate_side_name(e->side), "exercise", e->exercise, "involved", plate_side_name(e->involved),
        "operator", control_holder(e), "plan", plan_status(e), "plates", plates, "ring", ring, "archivist", archivist, "stream",
        stream, "gate", gate, "control", control, "log", log, "capture", capture);
}
