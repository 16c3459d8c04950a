/* Any lines as what is sent to the control socket, one request each, to the real engine without devices, disk or sockets. An
 * empty line lets three seconds pass in which somebody does a rep. Every answer must be one, and whoever asked gets one. */
#include "control_private.h"
#include "log.h"
#include "ring.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

enum { RATE_HZ = 10, PIECE = 3 * RATE_HZ, REPLY = 65536, LONGEST_S = 3600 };
static const char configuration[] =
    "station: fuzz\narchive_dir: /nowhere\nautostart: false\n"
    "plates:\n"
    "  - {name: a, port: /dev/null, decoder: csv, rate_Hz: 10, width_mm: 300, length_mm: 400, cells: "
    "[{name: front_left}, {name: front_right}, {name: back_left}, {name: back_right}]}\n"
    "  - {name: b, port: /dev/zero, decoder: csv, rate_Hz: 10, cells: [{name: Fz}]}\n";
static struct engine *engine;
static struct config config;
static struct ring *ring;
static size_t late_answers;
static uint64_t requests;

static void must(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "fuzz_control: %s\n", what);
    abort();
}

/* ---- in place of disk, sockets, helpers and the log ---- */

void plate_log(enum log_level level, const char *where, const char *fmt, ...) { (void)level, (void)where, (void)fmt; }
void log_counters(struct log_counters *ret) { *ret = (struct log_counters){0}; }

void archivist_status(struct archivist *a, struct archivist_status *ret)
{
    (void)a;
    memset(ret, 0, sizeof *ret);
}
int archivist_fd(const struct archivist *a) { return (void)a, -1; }
int stream_publish(struct stream *s, const char *topic, const char *cache_key, int64_t t_utc_ns, const char *body,
                   size_t body_n, const void *payload, size_t payload_n)
{
    (void)s, (void)cache_key, (void)t_utc_ns, (void)payload, (void)payload_n;
    must(*topic && body_n >= 2 && body[0] == '{' && body[body_n - 1] == '}' && !memchr(body, '\n', body_n),
         "a message is no object");
    return 0;
}
void stream_session(struct stream *s, const char *session) { (void)s, (void)session; }
void stream_counters(const struct stream *s, struct stream_counters *ret)
{
    (void)s;
    memset(ret, 0, sizeof *ret);
}
void stream_fds(const struct stream *s, int ret_fds[2]) { (void)s, (void)ret_fds; }
bool stream_wants(const struct stream *s, const char *topic) { return (void)s, (void)topic, true; }
int64_t stream_run(const struct stream *s) { return (void)s, 1; }
bool stream_topic(const struct stream *s, unsigned i, struct stream_topic *ret)
{
    (void)s;
    *ret = (struct stream_topic){.name = "mark/", .said = 5, .held_from = 2};
    return i == 0;
}
bool stream_held(const struct stream *s, unsigned topic, uint64_t seq, struct stream_text *ret)
{
    (void)s;
    *ret = (struct stream_text){.topic = "mark/", .header = "{\"v\":1}", .header_n = 7};
    return topic == 0 && seq >= 2 && seq < 5;
}
bool stream_latest(const struct stream *s, unsigned i, struct stream_text *ret) { return i == 0 && stream_held(s, 0, 2, ret); }
int stream_serve(struct stream *s, stream_request_fn *request, void *user, unsigned max)
{
    return (void)s, (void)request, (void)user, (void)max, 0;
}
void stream_answer(struct stream *s, const struct stream_peer *to, const char *text, size_t n)
{
    (void)s;
    must(to && n > 2 && text[0] == '{', "a late answer is none");
    late_answers++;
}
int helper_find(struct helper *h) { return (void)h, 0; }
int helper_open(struct helper *h, unsigned slot, const struct port_config *cfg)
{
    return (void)h, (void)slot, (void)cfg, -ENODEV;
}
void helper_close(struct helper *h, struct port *p) { (void)h, (void)p; }
int helper_fd(const struct helper *h) { return (void)h, -1; }
bool helper_collect(struct helper *h, struct helper_result *ret) { return (void)h, (void)ret, false; }

static void drain(void)
{
    struct record_header h;
    const void *payload;
    while (ring_peek(ring, &h, &payload) == 0) {
    }
    ring_consume(ring);
}

static void say_requests(void) { fprintf(stderr, "fuzz_control: %llu requests\n", (unsigned long long)requests); }

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    atexit(say_requests);
    struct config_error why;
    char name[64];
    snprintf(name, sizeof name, "fuzz_control-%ld", (long)getpid());
    must(config_parse(configuration, strlen(configuration), "fuzz", &config, &why) == 0, why.text);
    must(ring_create("/dev/shm", name, 1 << 20, &ring) == 0, "no ring in /dev/shm");
    unlink(ring_path(ring));
    must(engine_new(&(struct engine_parts){.config = &config, .ring = ring}, &engine) == 0, "no engine");
    return 0;
}

/* ---- what happens ---- */

static void pass_time(void)
{
    static const int32_t level_counts[3] = {60, 500, 60};
    if (!engine->recording) return;
    for (unsigned i = 0; i < engine->plates; i++) {
        struct engine_plate *p = &engine->plate[i];
        const unsigned cells = p->cfg->cells_count;
        const uint64_t first = plate_station_next_sample(engine->station, i);
        const struct plate_clock knot = {.period_s = 1.0 / RATE_HZ};
        int32_t counts[PIECE * PLATE_MAX_CELLS];
        for (unsigned k = 0; k < PIECE * cells; k++) counts[k] = level_counts[k / cells / RATE_HZ] + (int32_t)(k % 3);
        if (first == 0) plate_station_clock(engine->station, i, &knot);
        engine->epoch.set = true;
        p->read_ns = engine_now_ns();
        if (engine_put(engine, RECORD_BLOCK, i, first, 0, counts, PIECE * cells * sizeof *counts) == 0)
            plate_station_samples(engine->station, i, first, counts, PIECE);
        engine_cells_take(p, counts, PIECE);
    }
}

static void check_answer(const char *reply, size_t n, const json_t *request)
{
    const json_t *id = json_object_get(request, "id");
    json_t *answer = json_loadb(reply, n, JSON_REJECT_DUPLICATES, NULL), *result = json_object_get(answer, "result"),
           *error = json_object_get(answer, "error");
    const json_int_t code = json_integer_value(json_object_get(error, "code"));
    must(json_is_object(answer) && json_object_size(answer) == 3, "an answer is no object of three");
    must(strcmp(json_string_value(json_object_get(answer, "jsonrpc")), "2.0") == 0, "an answer of another protocol");
    must(!result != !error, "an answer is a result or an error");
    must(!error || (code >= -32700 && code <= -32000 && json_string_length(json_object_get(error, "message")) > 0),
         "an error says why");
    must(!id || json_is_object(id) || json_is_array(id) || json_is_boolean(id) || json_equal(id, json_object_get(answer, "id")),
         "the answer to something else");
    json_decref(answer);
}

static void send_line(const char *line, size_t n)
{
    static char reply[REPLY];
    const struct stream_peer from = {.identity = "me", .size = 2, .commands = n % 16 != 15};
    json_t *request = json_loadb(line, n, JSON_REJECT_DUPLICATES, NULL);
    const unsigned waiting = engine->control->n_waiting;
    requests++;
    const size_t answered = control_request(engine, &from, line, n, reply, sizeof reply);
    must(answered <= sizeof reply, "an answer beyond its room");
    if (answered) check_answer(reply, answered, request);
    must(answered || (json_is_object(request) && !json_object_get(request, "id")) || engine->control->n_waiting > waiting,
         "a request was not answered");
    must(!engine->who, "a command never ended");
    json_decref(request);
}

/* A recording in which there is a set to be put right. To begin one costs as much as a hundred requests: one goes on from
 * input to input until somebody stops it, or it is long. */
static void begin(void)
{
    char why[256];
    struct engine_start said = {.load_kg = NAN, .body_mass_kg = NAN};
    if (engine->recording && engine_now_s(engine) > LONGEST_S) must(engine_stop(engine, why, sizeof why) == 0, why);
    if (engine->recording) return;
    must(engine_start(engine, &said, why, sizeof why) == 0, why);
    for (int i = 0; i < 3; i++) pass_time();
    drain();
}

static void end(void)
{
    struct control *k = engine->control;
    const size_t owed = k->n_waiting;
    late_answers = 0;
    control_ports(engine, &(struct helper_result){.slot = HELPER_FOUND});
    must(late_answers == owed && k->n_waiting == 0, "a late answer never came");
    engine_end_if_due(engine);
    drain();
    control_free(k);
    engine->control = control_new();
    engine->quit = false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *at = (const char *)bytes, *const stop = at + n;
    unsigned lines = 0, pauses = 0;
    begin();
    while (at < stop && lines++ < 64) {
        const char *line_end = memchr(at, '\n', (size_t)(stop - at));
        if (!line_end) line_end = stop;
        if (line_end > at)
            send_line(at, (size_t)(line_end - at));
        else if (pauses++ < 4)
            pass_time();
        drain();
        at = line_end + 1;
    }
    end();
    return 0;
}
