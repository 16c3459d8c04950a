/* The options of platectl's verbs. */
#include "arguments.h"
#include "platectl.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
    OPT_OPERATOR,
    OPT_FORCE,
    OPT_DAEMON,
    OPT_SINCE,
    OPT_ENDPOINT,
    OPT_DATA,
    OPT_HOSTS,
    OPT_METRONOME,
    OPT_TIMEOUT,
    OPT_JSON,
    OPT_KEY,
    OPT_SERVER_KEY
};

static const struct argp_option common_options[] = {
    {"json", OPT_JSON, NULL, 0, "print the answer as one JSON object", 0},
    {"endpoint", OPT_ENDPOINT, "ENDPOINT", 0, "control endpoint (default tcp://127.0.0.1:7461)", 0},
    {"data", OPT_DATA, "ENDPOINT", 0, "stream endpoint, for watch (default tcp://127.0.0.1:7460)", 0},
    {"key", OPT_KEY, "FILE", 0, "our secret key (NAME.key_secret of keygen), for a station that wants keys", 0},
    {"server-key", OPT_SERVER_KEY, "FILE", 0, "the station's public key (NAME.key)", 0},
    {"hosts", OPT_HOSTS, "FILE", 0,
     "the stations of this file; several for watch and clocks, which take --endpoint and --data "
     "several times, too",
     0},
    {"operator", OPT_OPERATOR, "NAME", 0, "who commands (default $PLATECTL_OPERATOR); stands in the archive", 0},
    {"timeout", OPT_TIMEOUT, "SECONDS", 0, "how long to wait for an answer (default 2)", 0},
    {0}};
const struct argp_option start_options[] = {
    {"subject", OPT_SUBJECT, "NAME", 0, "who is on the plate", 0},
    {"exercise", OPT_EXERCISE, "NAME", 0, "single_leg_hip_thrust, squat, ..., generic", 0},
    {"side", OPT_SIDE, "SIDE", 0, "left, right, both or none", 0},
    {"involved", OPT_INVOLVED, "SIDE", 0, "the injured or treated side: left, right or none", 0},
    {"load-kg", OPT_LOAD, "KG", 0, "load on the bar", 0},
    {"body-mass-kg", OPT_MASS, "KG", 0, "body mass", 0},
    {"note", OPT_NOTE, "TEXT", 0, "any remark", 0},
    {0}};
const struct argp_option ports_options[] = {{"daemon", OPT_DAEMON, NULL, 0, "those of the machine that plated runs on", 0},
                                            {0}};
const struct argp_option snapshot_options[] = {
    {"since", OPT_SINCE, "SEQ", 0, "all that was said of TOPIC after the message of this seq; -1: from the beginning", 0}, {0}};
const struct argp_option operator_options[] = {
    {"force", OPT_FORCE, NULL, 0, "take it over from whoever has it; he and all others are told", 0}, {0}};
const struct argp_option stop_options[] = {{"no-wait", OPT_NO_WAIT, NULL, 0, "do not wait until the archive is sealed", 0},
                                           {0}};
const struct argp_option plate_options[] = {{"plate", OPT_PLATE, "NAME", 0, "this plate only", 0}, {0}};
const struct argp_option set_options[] = {
    {"set", OPT_SET, "N", 0, "put right what was said of set N, instead of what is from now on", 0}, {0}};
const struct argp_option rep_options[] = {{"discard", OPT_DISCARD, "N", 0, "rep N does not count", 0},
                                          {"restore", OPT_RESTORE, "N", 0, "it does count after all", 0},
                                          {"set", OPT_SET, "N", 0, "of this set (default: the latest)", 0},
                                          {"plate", OPT_PLATE, "NAME", 0, "on this plate only; without it on all plates", 0},
                                          {0}};
const struct argp_option calibrate_options[] = {
    {"plate", OPT_PLATE, "NAME", 0, "which plate; only one needs no name", 0},
    {"point", OPT_POINT, "X,Y", 0, "where the centre of the next --mass is, in mm from the middle", 0},
    {"mass", OPT_KG, "KG", 0, "a load; as many as you like, one after the other", 0},
    {"output", OPT_OUTPUT, "FILE", 0, "where to (default calibration-PLATE-DATE.yaml); never overwritten", 0},
    {"gravity", OPT_GRAVITY, "M_PER_S2", 0, "where you are (default 9.80665)", 0},
    {"hands-free", OPT_HANDS_FREE, NULL, 0, "see by itself when a load has been put down, and ask for no key", 0},
    {"patience", OPT_PATIENCE, "SECONDS", 0, "how long to wait for a load (default 120)", 0},
    {0}};
const struct argp_option watch_options[] = {
    {"lines", OPT_LINES, NULL, 0, "a readable line an event (the default when standard output is no terminal)", 0},
    {"csv", OPT_CSV, NULL, 0, "a line an event, as one CSV table", 0},
    {"seconds", OPT_SECONDS, "N", 0, "end after so long", 0},
    {"until-stopped", OPT_STOPPED, NULL, 0, "end when the recording is stopped or sealed", 0},
    {"metronome", OPT_METRONOME, "TEMPO", OPTION_ARG_OPTIONAL,
     "ring the bell at the tempo of the protocol, or at TEMPO: seconds of drive-hold-lower[-rest], as 1-1-3; the first drive "
     "begins it",
     0},
    {0}};

const struct argp_option keygen_options[] = {
    {"output", 'o', "NAME", 0, "write NAME.key and NAME.key_secret (default plate); never overwritten", 0}, {0}};

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
    l->kg = argument_number(state, "--mass", text, 1e-3, 1e6);
    c->calibrate.loads++;
    c->has_point = false;
}

/* The number of a set or a rep. */
static void set_count(struct argp_state *state, const char *key, const char *option, const char *text)
{
    json_object_set_new(((struct call *)state->input)->params, key, json_integer(argument_count(state, option, text)));
}

static void set_since(struct argp_state *state, const char *text)
{
    const double v = argument_whole(state, "--since", text, -1, 0x1p53);
    json_object_set_new(((struct call *)state->input)->params, "since", json_integer((json_int_t)v));
}

static void set_number(struct argp_state *state, const char *key, double v)
{
    json_object_set_new(((struct call *)state->input)->params, key, json_real(v));
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
        stations_take_control(state, &c->stations, text);
        break;
    case OPT_DATA:
        stations_take_data(state, &c->stations, text);
        break;
    case OPT_HOSTS:
        stations_take_file(state, &c->stations, text);
        break;
    case OPT_KEY:
        c->key = text;
        break;
    case OPT_SERVER_KEY:
        c->server_key = text;
        break;
    case OPT_OPERATOR:
        c->who = argument_text(state, "--operator", text, 32);
        break;
    case OPT_TIMEOUT:
        c->timeout_s = argument_number(state, "--timeout", text, 0.001, 86400);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

const struct argp common_argp = {common_options, parse_common, NULL, NULL, NULL, NULL, NULL};

static void take_argument(struct call *c, char *text, struct argp_state *state)
{
    if (c->args == c->verb->max_args) argp_error(state, "%s: one argument too many", text);
    const char *key = c->verb->arg[c->args++];
    if (!strcmp(key, "side") || !strcmp(key, "involved")) argument_side(state, "", text, *key == 's');
    if (!strcmp(key, "do") && strcmp(text, "take") && strcmp(text, "release")) argp_error(state, "%s: take or release", text);
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
    if (json_object_get(c->params, "since") && !json_object_get(c->params, "topic"))
        argp_error(state, "--since: seq counts the messages of one topic: say which, as rep/left/");
}

error_t parse_verb(int key, char *text, struct argp_state *state)
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
        set_text(state, "side", argument_side(state, "--side", text, true));
        break;
    case OPT_INVOLVED:
        set_text(state, "involved", argument_side(state, "--involved", text, false));
        break;
    case OPT_SET:
        set_count(state, "set", "--set", text);
        break;
    case OPT_DISCARD:
        set_count(state, "discard", "--discard", text);
        break;
    case OPT_RESTORE:
        set_count(state, "restore", "--restore", text);
        break;
    case OPT_SINCE:
        set_since(state, text);
        break;
    case OPT_LOAD:
        set_number(state, "load_kg", argument_kg(state, "--load-kg", text, 0));
        break;
    case OPT_MASS:
        set_number(state, "body_mass_kg", argument_kg(state, "--body-mass-kg", text, 1));
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
        c->calibrate.gravity = argument_number(state, "--gravity", text, 1, 30);
        break;
    case OPT_PATIENCE:
        c->calibrate.patience_s = argument_number(state, "--patience", text, 0, 86400);
        break;
    case 'o':
        c->output = text;
        break;
    case OPT_HANDS_FREE:
        c->calibrate.hands_free = true;
        break;
    case OPT_FORCE:
        json_object_set_new(c->params, "force", json_true());
        break;
    case OPT_DAEMON:
        c->daemons = true;
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
        c->watch.seconds = argument_number(state, "--seconds", text, 0.001, 1e9);
        break;
    case OPT_METRONOME:
        c->watch.metronome = true;
        if (text && !tempo_parse(text, &c->watch.tempo))
            argp_error(state, "--metronome=%s: seconds of drive-hold-lower[-rest], as 1-1-3", text);
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
