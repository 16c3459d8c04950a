/* What the engine tells its subscribers. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_private.h"
#include "log.h"

/* ---- publishing ---- */

static int64_t utc_of(const struct engine *e, double t_s) { return e->epoch.utc_ns + (int64_t)(t_s * 1e9); }

void engine_publish(struct engine *e, const char *topic, const char *cache_key, double t_s, const char *body,
                    const void *payload, size_t n)
{
    int r = stream_publish(e->parts.stream, topic, cache_key, utc_of(e, t_s), body, strlen(body), payload, n);
    if (r) plate_log(LOG_WARNING, topic, "a message could not be published: %s", strerror(-r));
}

void engine_publish_json(struct engine *e, const char *topic, const char *cache_key, double t_s, json_t *body)
{
    char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
    if (text) engine_publish(e, topic, cache_key, t_s, text, NULL, 0);
    free(text);
    json_decref(body);
}

json_t *engine_real_or_null(double v) { return isfinite(v) ? json_real(v) : json_null(); }
double engine_now_s(const struct engine *e) { return fmax(0, plate_station_now_s(engine_foremost(e))); }

void engine_health(struct engine *e, const char *kind, const char *level, const char *plate, const char *text)
{
    enum log_level l = strcmp(level, "error") == 0 ? LOG_ERROR : strcmp(level, "warning") == 0 ? LOG_WARNING : LOG_INFO;
    plate_log(l, *plate ? plate : "plated", "%s", text);
    char key[96];
    snprintf(key, sizeof key, "%s/%s", kind, plate);
    engine_publish_json(e, "health/", key, engine_now_s(e),
                        json_pack("{s:o,s:s,s:s,s:s,s:s}", "t_s", engine_real_or_null(engine_now_s(e)), "kind", kind, "level",
                                  level, "plate", plate, "text", text));
}

/* What is asked of a repetition; what is not asked stands not there. */
static json_t *targets_json(const struct config *c)
{
    json_t *o = json_object();
    const char *name;
    double v;
    for (unsigned i = 0; (name = config_target(c, i, &v)); i++)
        if (isfinite(v)) json_object_set_new(o, name, json_real(v));
    return o;
}

/* Of a recording before the one that runs, whoever joins late need not know. */
void engine_say_session(struct engine *e, const char *state, const char *archive)
{
    const bool earlier = e->recording && strcmp(archive, e->archive) != 0;
    engine_publish_json(e, "session/", earlier ? NULL : "session", engine_now_s(e),
                        json_pack("{s:o,s:s,s:s,s:s,s:s,s:s,s:s,s:o}", "t_s", engine_real_or_null(engine_now_s(e)), "state",
                                  state, "archive", archive, "subject", e->subject, "exercise", e->exercise, "side",
                                  plate_side_name(e->side), "involved", plate_side_name(e->involved), "targets",
                                  targets_json(e->config)));
}

void engine_say_gap(struct engine_plate *p, const struct plate_gap *g)
{
    char topic[64];
    struct engine *e = p->engine;
    double t = engine_now_s(e);
    snprintf(topic, sizeof topic, "fault/%s/", p->cfg->name);
    engine_publish_json(e, topic, NULL, t,
                        json_pack("{s:o,s:s,s:s,s:I,s:I,s:s,s:b}", "t_s", engine_real_or_null(t), "plate", p->cfg->name, "kind",
                                  "gap", "sample", (json_int_t)g->sample, "count", (json_int_t)g->count, "reason",
                                  plate_gap_reason_name(g->reason), "estimated", g->estimated));
    plate_log(LOG_WARNING, p->cfg->name, "%llu samples missing from sample %llu on (%s%s)", (unsigned long long)g->count,
              (unsigned long long)g->sample, plate_gap_reason_name(g->reason), g->estimated ? ", estimated from time" : "");
}

void engine_say_status(struct engine *e)
{
    engine_say_sealed(e); /* a disk that stands still wakes nobody */
    json_t *plates = json_array();
    struct ring_counters ring;
    ring_counters(e->parts.ring, &ring);
    for (unsigned i = 0; i < e->plates; i++) {
        struct engine_plate *p = &e->plate[i];
        double rate = plate_timebase_rate_Hz(&p->in.timebase);
        json_array_append_new(
            plates, json_pack("{s:s,s:s,s:o,s:I,s:I,s:I,s:o,s:s}", "name", p->cfg->name, "state", p->port ? "open" : "waiting",
                              "rate_Hz", rate > 0 ? json_real(rate) : json_null(), "samples", (json_int_t)p->samples, "lost",
                              (json_int_t)(p->lost + p->overrun), "spikes", (json_int_t)plate_station_spikes(e->station, i),
                              "force_N", engine_real_or_null(p->force_N), "phase", plate_phase_name(p->phase)));
    }
    double used = ring.capacity_bytes ? 100.0 * (double)ring.used_bytes / (double)ring.capacity_bytes : 0;
    engine_publish_json(e, "health/", "status", engine_now_s(e),
                        json_pack("{s:o,s:s,s:s,s:b,s:s,s:o,s:f}", "t_s", engine_real_or_null(engine_now_s(e)), "kind",
                                  "status", "level", "ok", "recording", e->recording, "operator", control_operator(e), "plates",
                                  plates, "ring_used_pct", used));
}

static void say_disk(struct engine *e, const char *error)
{
    if (strcmp(error, e->archive_error) == 0) return;
    snprintf(e->archive_error, sizeof e->archive_error, "%s", error);
    engine_health(e, "archive", *error ? "error" : "ok", "", *error ? error : "the disk takes records again");
}

void engine_say_sealed(struct engine *e)
{
    struct archivist_status s;
    archivist_status(e->parts.archivist, &s);
    if (s.sealed != e->sealed_seen)
        engine_say_session(e, "sealed", s.last_sealed);
    else if (*s.seal_error && strcmp(s.seal_error, e->seal_error_seen) != 0) {
        engine_health(e, "archive", "error", "", s.seal_error);
        engine_say_session(e, "seal_failed", s.not_sealed);
    }
    if (s.errors != e->archive_errors) say_disk(e, s.last_error); /* it may be over already */
    say_disk(e, s.error);
    e->archive_errors = s.errors;
    if ((*s.warning != '\0') != e->archive_warned) {
        e->archive_warned = !e->archive_warned;
        engine_health(e, "archive", e->archive_warned ? "warning" : "ok", "",
                      e->archive_warned ? s.warning : "the disk has room again");
    }
    e->sealed_seen = s.sealed;
    snprintf(e->seal_error_seen, sizeof e->seal_error_seen, "%s", s.seal_error);
}
