/* platectl - asks the daemon, tells it what to do, and watches its stream. */
#include "calibrate.h"
#include "client.h"
#include "ports.h"
#include "watch.h"
#include <argp.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum { MAX_ARGS = 2, SEAL_POLL_MS = 100 };

struct verb;
struct call {
    const struct verb *verb;
    const char *control, *data;
    double timeout_s;
    bool json;
    const char *arg[MAX_ARGS];
    int args;
    json_t *params; /* what the verb's options say, named as in the control contract */
    bool no_wait;
    struct watch_options watch;
    struct calibrate_options calibrate;
    bool has_point; /* and waits for its mass */
    int rest;       /* index of the verb in argv */
};

/* ---- showing ---- */

struct cell {
    char text[96];
};

static struct cell format_cell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static struct cell format_cell(const char *format, ...)
{
    struct cell c;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(c.text, sizeof c.text, format, arguments);
    va_end(arguments);
    return c;
}

static struct cell show(const json_t *o, const char *key, int decimals)
{
    const json_t *v = json_object_get(o, key);

    if (json_is_integer(v)) return format_cell("%" JSON_INTEGER_FORMAT, json_integer_value(v));
    if (json_is_real(v)) return format_cell("%.*f", decimals, json_real_value(v));
    if (json_is_boolean(v)) return format_cell("%s", json_is_true(v) ? "yes" : "no");
    return format_cell("%s", json_is_string(v) && *json_string_value(v) ? json_string_value(v) : "-");
}

static const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text ? text : "";
}

static int print_json(const json_t *o)
{
    char *text = json_dumps(o, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));

    if (text) puts(text);
    free(text);
    return 0;
}

struct column {
    const char *key, *head;
    int decimals;
    bool left; /* aligned */
};
static const struct column plate_columns[] = {
    {"name", "PLATE", 0, true},
    {"side", "SIDE", 0, true},
    {"state", "STATE", 0, true},
    {"phase", "PHASE", 0, true},
    {"force_N", "FORCE N", 1, false},
    {"rate_Hz", "RATE Hz", 2, false},
    {"samples", "SAMPLES", 0, false},
    {"lost", "LOST", 0, false},
    {"gaps", "GAPS", 0, false},
    {"spikes", "SPIKES", 0, false},
    {"frames", "FRAMES", 0, false},
    {"bad_length", "BAD LEN", 0, false},
    {"bad_checksum", "SUM", 0, false},
    {"bad_sanity", "SANITY", 0, false},
    {"no_value", "NO VALUE", 0, false},
    {"edges", "EDGES", 0, false},
    {"discarded_bytes", "DISCARDED B", 0, false},
    {"decoder", "DECODER", 0, true},
    {"port", "PORT", 0, true},
};
enum { PLATE_COLUMNS = sizeof plate_columns / sizeof *plate_columns };

static void print_plate(const json_t *plate, const int width[PLATE_COLUMNS])
{
    for (int k = 0; k < PLATE_COLUMNS; k++) {
        const struct column *c = &plate_columns[k];
        struct cell text = plate ? show(plate, c->key, c->decimals) : format_cell("%s", c->head);
        printf("%s%*s", k ? "  " : "", k + 1 == PLATE_COLUMNS ? 0 : c->left ? -width[k] : width[k], text.text);
    }
    putchar('\n');
}

static void print_plates(const json_t *plates)
{
    int width[PLATE_COLUMNS];
    const json_t *plate;
    size_t i;

    for (int k = 0; k < PLATE_COLUMNS; k++) {
        width[k] = (int)strlen(plate_columns[k].head);
        json_array_foreach(plates, i, plate)
        {
            int n = (int)strlen(show(plate, plate_columns[k].key, plate_columns[k].decimals).text);
            if (n > width[k]) width[k] = n;
        }
    }
    print_plate(NULL, width);
    json_array_foreach(plates, i, plate) print_plate(plate, width);
    json_array_foreach(plates, i, plate)
    {
        if (*text_of(plate, "error")) printf("  %s: %s\n", text_of(plate, "name"), text_of(plate, "error"));
        if (*text_of(plate, "faults")) printf("  %s: cells: %s\n", text_of(plate, "name"), text_of(plate, "faults"));
    }
}

/* "label  key 1  key 2 ..." */
static void print_counters(const char *label, const json_t *o)
{
    const char *key;
    json_t *v;

    printf("%-10s", label);
    json_object_foreach((json_t *)(uintptr_t)o, key, v)
    {
        if (!json_is_string(v) || *json_string_value(v)) printf("  %s %s", key, show(o, key, 1).text);
    }
    putchar('\n');
}

static void print_recording(const json_t *o)
{
    const json_t *plan = json_object_get(o, "plan");

    printf("recording  %s  at %s s, side %s%s%s, exercise %s", text_of(o, "session"), show(o, "t_s", 1).text,
           show(o, "side", 0).text, json_is_object(plan) ? ", then " : "", text_of(plan, "next"), show(o, "exercise", 0).text);
    if (*text_of(o, "involved") && strcmp(text_of(o, "involved"), "none")) printf(", involved %s", text_of(o, "involved"));
    printf("\n           %s\n", text_of(o, "archive"));
}

static void print_status(const json_t *o)
{
    int up_s = (int)json_number_value(json_object_get(o, "uptime_s"));

    printf("%s  plated %s, pid %s, up %d:%02d:%02d\n", text_of(o, "station"), text_of(o, "version"), show(o, "pid", 0).text,
           up_s / 3600, up_s / 60 % 60, up_s % 60);
    if (json_is_true(json_object_get(o, "recording")))
        print_recording(o);
    else
        puts("not recording");
    if (json_is_true(json_object_get(o, "sealing"))) puts("sealing the recording before");
    if (*text_of(o, "last_sealed")) printf("sealed     %s\n", text_of(o, "last_sealed"));
    if (*text_of(o, "seal_error")) printf("not sealed %s\n", text_of(o, "seal_error"));
    putchar('\n');
    print_plates(json_object_get(o, "plates"));
    putchar('\n');
    print_counters("ring", json_object_get(o, "ring"));
    print_counters("archivist", json_object_get(o, "archivist"));
    print_counters("capture", json_object_get(o, "capture"));
    print_counters("stream", json_object_get(o, "stream"));
    print_counters("log", json_object_get(o, "log"));
}

/* "[1.5, 2]" */
static void print_numbers(const json_t *numbers)
{
    const json_t *v;
    size_t i;

    putchar('[');
    json_array_foreach(numbers, i, v) printf("%s%.6g", i ? ", " : "", json_number_value(v));
    putchar(']');
}

static void print_tare(const json_t *o)
{
    const json_t *plate;
    size_t i;

    json_array_foreach(json_object_get(o, "plates"), i, plate)
    {
        printf("%s  tare ", text_of(plate, "plate"));
        print_numbers(json_object_get(plate, "tare"));
        fputs("  sd ", stdout);
        print_numbers(json_object_get(plate, "sd"));
        printf("  %s\n", text_of(plate, "unit"));
    }
}

static void print_start(const json_t *o) { printf("recording %s  %s\n", text_of(o, "session"), text_of(o, "archive")); }
/* "set 2 rep 3: discarded true" */
static void print_correction(const json_t *o)
{
    printf("set %s", show(o, "set", 0).text);
    if (json_object_get(o, "rep")) printf(" rep %s", show(o, "rep", 0).text);
    printf(": %s %s\n", text_of(o, "field"), text_of(o, "value"));
}

/* What is so from now on, or was put right in a set: its answer says which. */
static void print_state(const json_t *o)
{
    const char *key;
    json_t *v;

    if (json_object_get(o, "field")) {
        print_correction(o);
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)o, key, v)
    {
        if (strcmp(key, "t_s")) printf("%s %s from %s s on\n", key, show(o, key, 0).text, show(o, "t_s", 3).text);
    }
}

static void print_mark(const json_t *o) { printf("marked at %s s\n", show(o, "t_s", 3).text); }
static void print_shutdown(const json_t *o)
{
    (void)o;
    puts("plated is shutting down");
}

/* ---- verbs ---- */

struct verb {
    const char *name, *args_doc, *doc;
    const struct argp_option *options;
    int min_args, max_args;
    const char *arg[MAX_ARGS]; /* the parameters that the arguments are */
    int (*run)(struct call *c);
    void (*print)(const json_t *result);
    const char *mark; /* it is the method `mark` with this kind; NULL: the method is called as the verb */
};

static int run_simple(struct call *c)
{
    struct client client;
    json_t *result = NULL;
    int r = client_open(&client, c->control, c->timeout_s);

    if (r) return r;
    if (c->verb->mark) json_object_set_new(c->params, "kind", json_string(c->verb->mark));
    r = client_ask(&client, c->verb->mark ? "mark" : c->verb->name, json_incref(c->params), &result);
    if (r == 0) c->json ? (void)print_json(result) : c->verb->print(result);
    json_decref(result);
    client_close(&client);
    return r;
}

/* Polls until the archive is sealed or given up; *ret_status is the last answer. */
static int wait_for_seal(struct client *client, json_t **ret_status)
{
    int r;

    while ((r = client_ask(client, "status", json_object(), ret_status)) == 0 &&
           json_is_true(json_object_get(*ret_status, "sealing"))) {
        json_decref(*ret_status);
        *ret_status = NULL;
        nanosleep(&(struct timespec){.tv_nsec = SEAL_POLL_MS * 1000000L}, NULL);
    }
    return r;
}

static int tell_stop(const struct call *c, json_t *result, const json_t *status)
{
    const char *error = text_of(status, "seal_error"), *sealed = text_of(status, "last_sealed");

    if (status) {
        json_object_set(result, "last_sealed", json_object_get(status, "last_sealed"));
        json_object_set(result, "seal_error", json_object_get(status, "seal_error"));
    }
    if (c->json)
        print_json(result);
    else if (!*error)
        puts(*sealed ? sealed : text_of(result, "archive"));
    if (!*error) return 0;
    fprintf(stderr, "platectl: %s: not sealed: %s; nothing is lost: see plate-trace recover\n", text_of(result, "archive"),
            error);
    return EXIT_NO;
}

static int run_stop(struct call *c)
{
    struct client client;
    json_t *result = NULL, *status = NULL;
    int r = client_open(&client, c->control, c->timeout_s);

    if (r) return r;
    r = client_ask(&client, "stop", json_incref(c->params), &result);
    if (r == 0 && !c->no_wait) r = wait_for_seal(&client, &status);
    if (r == 0) r = tell_stop(c, result, status);
    json_decref(result);
    json_decref(status);
    client_close(&client);
    return r;
}

static int run_ports(struct call *c) { return ports_run(c->json); }

static int run_calibrate(struct call *c)
{
    c->calibrate.plate = json_string_value(json_object_get(c->params, "plate"));
    c->calibrate.json = c->json;
    return calibrate_run(&c->calibrate, c->control, c->timeout_s);
}

static int run_watch(struct call *c)
{
    c->watch.endpoint = c->data;
    if (c->json)
        c->watch.mode = WATCH_JSON;
    else if (c->watch.mode == WATCH_SCREEN && !isatty(STDOUT_FILENO))
        c->watch.mode = WATCH_LINES;
    return watch_run(&c->watch);
}

enum {
    OPT_SUBJECT = 256,
    OPT_EXERCISE,
    OPT_SIDE,
    OPT_LOAD,
    OPT_MASS,
    OPT_NOTE,
    OPT_PLATE,
    OPT_SET,
    OPT_DISCARD,
    OPT_RESTORE,
    OPT_INVOLVED,
    OPT_NO_WAIT,
    OPT_CSV,
    OPT_LINES,
    OPT_SECONDS,
    OPT_STOPPED,
    OPT_POINT,
    OPT_KG,
    OPT_OUTPUT,
    OPT_GRAVITY,
    OPT_PATIENCE,
    OPT_HANDS_FREE,
    OPT_ENDPOINT,
    OPT_DATA,
    OPT_TIMEOUT,
    OPT_JSON
};

static const struct argp_option common_options[] = {
    {"json", OPT_JSON, NULL, 0, "print the answer as one JSON object", 0},
    {"endpoint", OPT_ENDPOINT, "ENDPOINT", 0, "control endpoint (default tcp://127.0.0.1:7461)", 0},
    {"data", OPT_DATA, "ENDPOINT", 0, "stream endpoint, for watch (default tcp://127.0.0.1:7460)", 0},
    {"timeout", OPT_TIMEOUT, "SECONDS", 0, "how long to wait for an answer (default 2)", 0},
    {0}};
static const struct argp_option start_options[] = {
    {"subject", OPT_SUBJECT, "NAME", 0, "who is on the plate", 0},
    {"exercise", OPT_EXERCISE, "NAME", 0, "single_leg_hip_thrust, squat, ..., generic", 0},
    {"side", OPT_SIDE, "SIDE", 0, "left, right, both or none", 0},
    {"involved", OPT_INVOLVED, "SIDE", 0, "the injured or treated side: left, right or none", 0},
    {"load-kg", OPT_LOAD, "KG", 0, "load on the bar", 0},
    {"body-mass-kg", OPT_MASS, "KG", 0, "body mass", 0},
    {"note", OPT_NOTE, "TEXT", 0, "any remark", 0},
    {0}};
static const struct argp_option stop_options[] = {
    {"no-wait", OPT_NO_WAIT, NULL, 0, "do not wait until the archive is sealed", 0}, {0}};
static const struct argp_option plate_options[] = {{"plate", OPT_PLATE, "NAME", 0, "this plate only", 0}, {0}};
static const struct argp_option set_options[] = {
    {"set", OPT_SET, "N", 0, "put right what was said of set N, instead of what is from now on", 0}, {0}};
static const struct argp_option rep_options[] = {
    {"discard", OPT_DISCARD, "N", 0, "rep N does not count", 0},
    {"restore", OPT_RESTORE, "N", 0, "it does count after all", 0},
    {"set", OPT_SET, "N", 0, "of this set (default: the latest)", 0},
    {"plate", OPT_PLATE, "NAME", 0, "on this plate only; without it on all plates", 0},
    {0}};
static const struct argp_option calibrate_options[] = {
    {"plate", OPT_PLATE, "NAME", 0, "which plate; only one needs no name", 0},
    {"point", OPT_POINT, "X,Y", 0, "where the centre of the next --mass is, in mm from the middle", 0},
    {"mass", OPT_KG, "KG", 0, "a load; as many as you like, one after the other", 0},
    {"output", OPT_OUTPUT, "FILE", 0, "where to (default calibration-PLATE-DATE.yaml); never overwritten", 0},
    {"gravity", OPT_GRAVITY, "M_PER_S2", 0, "where you are (default 9.80665)", 0},
    {"hands-free", OPT_HANDS_FREE, NULL, 0, "see by itself when a load has been put down, and ask for no key", 0},
    {"patience", OPT_PATIENCE, "SECONDS", 0, "how long to wait for a load (default 120)", 0},
    {0}};
static const struct argp_option watch_options[] = {
    {"lines", OPT_LINES, NULL, 0, "a readable line an event (the default when standard output is no terminal)", 0},
    {"csv", OPT_CSV, NULL, 0, "a line an event, as one CSV table", 0},
    {"seconds", OPT_SECONDS, "N", 0, "end after so long", 0},
    {"until-stopped", OPT_STOPPED, NULL, 0, "end when the recording is stopped or sealed", 0},
    {0}};

static const struct verb verbs[] = {
    {"status", "", "What plated is doing: recording, plates, every counter.", NULL, 0, 0, {0}, run_simple, print_status, NULL},
    {"ports",
     "",
     "The serial ports that are plugged into this machine, each with the line for plated.yaml. Opens none of them.",
     NULL,
     0,
     0,
     {0},
     run_ports,
     NULL,
     NULL},
    {"watch",
     "",
     "The stream, live: a screen on a terminal (q quits), a line an event elsewhere.",
     watch_options,
     0,
     0,
     {0},
     run_watch,
     NULL,
     NULL},
    {"start", "", "Begins a recording.", start_options, 0, 0, {0}, run_simple, print_start, NULL},
    {"stop",
     "",
     "Ends the recording, waits until it is sealed, and prints the archive's path.",
     stop_options,
     0,
     0,
     {0},
     run_stop,
     NULL,
     NULL},
    {"side",
     "left|right|both|none",
     "Says who works from here on; starts a new set. With --set: who worked in that set.",
     set_options,
     1,
     1,
     {"side"},
     run_simple,
     print_state,
     NULL},
    {"rep",
     "--discard N | --restore N",
     "Takes a rep out of its set and of the comparison, or back in.",
     rep_options,
     0,
     0,
     {0},
     run_simple,
     print_correction,
     NULL},
    {"warmup",
     "[true|false]",
     "Says that what follows is a warm-up (true, the default), which is not compared. With --set: that this set was one.",
     set_options,
     0,
     1,
     {"warmup"},
     run_simple,
     print_state,
     NULL},
    {"involved",
     "left|right|none",
     "Says which side is injured or was treated: the limb symmetry index is its share.",
     NULL,
     1,
     1,
     {"involved"},
     run_simple,
     print_state,
     NULL},
    {"subject", "NAME", "Says who is on the plate.", NULL, 1, 1, {"value"}, run_simple, print_mark, "subject"},
    {"load", "KG", "Says what is on the bar.", NULL, 1, 1, {"value"}, run_simple, print_mark, "load_kg"},
    {"note", "TEXT", "Keeps a remark.", NULL, 1, 1, {"value"}, run_simple, print_mark, "note"},
    {"tare",
     "",
     "Takes the last second as zero. The plate must be empty.",
     plate_options,
     0,
     0,
     {0},
     run_simple,
     print_tare,
     NULL},
    {"calibrate",
     "",
     "Leads through known weights at known places, works out the plate's matrix, says how good it is, and writes it to a file "
     "that the configuration takes in. Without --mass it asks for the weights.",
     calibrate_options,
     0,
     0,
     {0},
     run_calibrate,
     NULL,
     NULL},
    {"mark",
     "KIND [VALUE]",
     "Puts a mark on the time axis. These steer: side, exercise, set_end, warmup, involved, body_mass_kg, load_kg, correct; "
     "any other "
     "kind is "
     "kept as a note.",
     plate_options,
     1,
     2,
     {"kind", "value"},
     run_simple,
     print_mark,
     NULL},
    {"shutdown",
     "",
     "Ends plated; a recording is stopped and sealed first.",
     NULL,
     0,
     0,
     {0},
     run_simple,
     print_shutdown,
     NULL},
};
enum { VERBS = sizeof verbs / sizeof *verbs };

/* ---- the command line ---- */

static double parse_number(struct argp_state *state, const char *what, const char *text, double least)
{
    char *end;
    double v = strtod(text, &end);

    if (end == text || *end || !isfinite(v) || v < least)
        argp_error(state, "--%s %s: a number, at least %g", what, text, least);
    return v;
}

static void parse_point(struct argp_state *state, const char *text)
{
    struct call *c = state->input;
    struct calibrate_load *l = &c->calibrate.load[c->calibrate.loads];
    char end;

    if (sscanf(text, "%lf,%lf%c", &l->x_mm, &l->y_mm, &end) != 2 || !(fabs(l->x_mm) <= 5000) || !(fabs(l->y_mm) <= 5000))
        argp_error(state, "--point %s: two numbers of millimetres, as 100,-150", text);
    c->has_point = true;
}

static void parse_mass(struct argp_state *state, const char *text)
{
    struct call *c = state->input;
    struct calibrate_load *l = &c->calibrate.load[c->calibrate.loads];

    if (c->calibrate.loads + 1 == CALIBRATE_LOADS) argp_error(state, "--mass: at most %d loads", CALIBRATE_LOADS - 1);
    if (!c->has_point) l->x_mm = l->y_mm = NAN;
    l->kg = parse_number(state, "mass", text, 1e-3);
    c->calibrate.loads++;
    c->has_point = false;
}

static void check_side(struct argp_state *state, const char *side, bool both)
{
    if (strcmp(side, "left") && strcmp(side, "right") && strcmp(side, "none") && (!both || strcmp(side, "both")))
        argp_error(state, "%s: a side is left, right%s or none", side, both ? ", both" : "");
}

/* The number of a set or a rep. */
static void set_count(struct argp_state *state, const char *key, const char *text)
{
    double v = parse_number(state, key, text, 1);

    if (v != floor(v) || v > 1000000) argp_error(state, "--%s %s: a whole number", key, text);
    json_object_set_new(((struct call *)state->input)->params, key, json_integer((json_int_t)v));
}

static void set_text(struct argp_state *state, const char *key, const char *text)
{
    json_t *v = json_string(text);

    if (!v) argp_error(state, "%s: not UTF-8 text", key);
    json_object_set_new(((struct call *)state->input)->params, key, v);
}

static error_t parse_common(int key, char *text, struct argp_state *state)
{
    struct call *c = state->input;

    switch (key) {
    case OPT_JSON:
        c->json = true;
        break;
    case OPT_ENDPOINT:
        c->control = text;
        break;
    case OPT_DATA:
        c->data = text;
        break;
    case OPT_TIMEOUT:
        c->timeout_s = fmin(parse_number(state, "timeout", text, 0.001), 86400);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static void take_argument(struct call *c, char *text, struct argp_state *state)
{
    if (c->args == c->verb->max_args) argp_error(state, "%s: one argument too many", text);
    const char *key = c->verb->arg[c->args++];
    if (!strcmp(key, "side") || !strcmp(key, "involved")) check_side(state, text, *key == 's');
    if (!strcmp(key, "warmup")) {
        if (strcmp(text, "true") && strcmp(text, "false")) argp_error(state, "%s: true or false", text);
        json_object_set_new(c->params, key, json_boolean(*text == 't'));
    } else
        set_text(state, key, text);
}

static void check_verb(const struct call *c, struct argp_state *state)
{
    if (c->args < c->verb->min_args) argp_error(state, "%s is missing", c->verb->args_doc);
    if (!strcmp(c->verb->name, "rep") && !json_object_get(c->params, "discard") == !json_object_get(c->params, "restore"))
        argp_error(state, "say --discard N or --restore N");
}

static error_t parse_verb(int key, char *text, struct argp_state *state)
{
    struct call *c = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = c;
        break;
    case OPT_SUBJECT:
        set_text(state, "subject", text);
        break;
    case OPT_EXERCISE:
        set_text(state, "exercise", text);
        break;
    case OPT_NOTE:
        set_text(state, "note", text);
        break;
    case OPT_PLATE:
        set_text(state, "plate", text);
        break;
    case OPT_SIDE:
        check_side(state, text, true);
        set_text(state, "side", text);
        break;
    case OPT_INVOLVED:
        check_side(state, text, false);
        set_text(state, "involved", text);
        break;
    case OPT_SET:
        set_count(state, "set", text);
        break;
    case OPT_DISCARD:
        set_count(state, "discard", text);
        break;
    case OPT_RESTORE:
        set_count(state, "restore", text);
        break;
    case OPT_LOAD:
        json_object_set_new(c->params, "load_kg", json_real(parse_number(state, "load-kg", text, 0)));
        break;
    case OPT_MASS:
        json_object_set_new(c->params, "body_mass_kg", json_real(parse_number(state, "body-mass-kg", text, 1)));
        break;
    case OPT_POINT:
        parse_point(state, text);
        break;
    case OPT_KG:
        parse_mass(state, text);
        break;
    case OPT_OUTPUT:
        c->calibrate.output = text;
        break;
    case OPT_GRAVITY:
        c->calibrate.gravity = parse_number(state, "gravity", text, 1);
        break;
    case OPT_PATIENCE:
        c->calibrate.patience_s = parse_number(state, "patience", text, 0);
        break;
    case OPT_HANDS_FREE:
        c->calibrate.hands_free = true;
        break;
    case OPT_NO_WAIT:
        c->no_wait = true;
        break;
    case OPT_CSV:
        c->watch.mode = WATCH_CSV;
        break;
    case OPT_LINES:
        c->watch.mode = WATCH_LINES;
        break;
    case OPT_SECONDS:
        c->watch.seconds = parse_number(state, "seconds", text, 0.001);
        break;
    case OPT_STOPPED:
        c->watch.until_stopped = true;
        break;
    case ARGP_KEY_ARG:
        take_argument(c, text, state);
        break;
    case ARGP_KEY_END:
        check_verb(c, state);
        if (c->has_point) argp_error(state, "--point: the --mass that is there is missing");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

/* Stops at the verb: what follows is the verb's. */
static error_t parse_main(int key, char *text, struct argp_state *state)
{
    struct call *c = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = c;
        break;
    case ARGP_KEY_ARG:
        for (int i = 0; i < VERBS; i++)
            if (!strcmp(verbs[i].name, text)) c->verb = &verbs[i];
        if (!c->verb) argp_error(state, "%s: no such verb; see --help", text);
        c->rest = state->next - 1;
        state->next = state->argc;
        break;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "a verb is missing; see --help");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

const char *argp_program_version = "platectl " PLATE_VERSION;

static const char main_doc[] = "Asks the force-plate daemon, tells it what to do, watches its stream.\v"
                               "Verbs (platectl VERB --help has the options of each):\n"
                               "  status    what plated is doing, every counter\n"
                               "  ports     what is plugged in, with the line for plated.yaml\n"
                               "  watch     the stream, live\n"
                               "  start     begin a recording\n"
                               "  stop      end it, wait until it is sealed, print the archive's path\n"
                               "  side      left, right, both or none works from here on; --set N: did in set N\n"
                               "  rep       --discard N: rep N does not count; --restore N: it does\n"
                               "  warmup    what follows is a warm-up; --set N: set N was one\n"
                               "  involved  the injured or treated side\n"
                               "  subject   who is on the plate; load: what is on the bar; note: a remark\n"
                               "  tare      take the last second as zero\n"
                               "  calibrate known weights at known places make a calibration\n"
                               "  mark      KIND [VALUE]: a mark on the time axis\n"
                               "  shutdown  end plated\n\n"
                               "Exit status: 0 done, 1 the daemon says no or does not answer, 2 usage.";

int main(int argc, char **argv)
{
    static const struct argp common = {common_options, parse_common, NULL, NULL, NULL, NULL, NULL};
    static const struct argp_child children[] = {{&common, 0, "", 0}, {0}};
    const struct argp main_argp = {NULL, parse_main, "VERB [ARGUMENT...]", main_doc, children, NULL, NULL};
    struct call c = {.control = "tcp://127.0.0.1:7461",
                     .data = "tcp://127.0.0.1:7460",
                     .timeout_s = 2,
                     .params = json_object(),
                     .calibrate = {.gravity = 9.80665, .patience_s = 120}};
    char name[64];
    int r;

    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&main_argp, argc, argv, ARGP_IN_ORDER, NULL, &c);
    struct argp verb_argp = {c.verb->options, parse_verb, c.verb->args_doc, c.verb->doc, children, NULL, NULL};
    snprintf(name, sizeof name, "platectl %s", c.verb->name);
    argv[c.rest] = name;
    argp_parse(&verb_argp, argc - c.rest, argv + c.rest, 0, NULL, &c);
    r = c.verb->run(&c);
    json_decref(c.params);
    if (r == 0 && (fflush(stdout) || ferror(stdout))) {
        fprintf(stderr, "platectl: standard output: %s; make room, or write elsewhere\n", strerror(errno));
        return EXIT_NO;
    }
    return r;
}
