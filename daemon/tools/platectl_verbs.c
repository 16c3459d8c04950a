/* What platectl can do. */
#include "keygen.h"
#include "platectl.h"
#include "ports.h"
#include "terminal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SEAL_POLL_MS = 100 };

static int run_simple(struct call *c)
{
    struct client client;
    json_t *result = NULL;
    int r = operator_speaks(c);

    if (r == 0) r = client_open(&client, c->control, c->timeout_s, &c->curve);
    if (r) return r;
    if (c->verb->mark) json_object_set_new(c->params, "kind", json_string(c->verb->mark));
    r = client_ask(&client, c->verb->mark ? "mark" : c->verb->name, json_incref(c->params), &result);
    if (r == 0) c->json ? print_json(result) : c->verb->print(result);
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
    int r = operator_speaks(c);

    if (r == 0) r = client_open(&client, c->control, c->timeout_s, &c->curve);
    if (r) return r;
    r = client_ask(&client, "stop", json_incref(c->params), &result);
    if (r == 0 && !c->no_wait) r = wait_for_seal(&client, &status);
    if (r == 0) r = tell_stop(c, result, status);
    json_decref(result);
    json_decref(status);
    client_close(&client);
    return r;
}

static int run_ports(struct call *c)
{
    json_t *ports = NULL;
    int r;

    if (c->daemons) return run_simple(c);
    r = ports_here(&ports);
    if (r == 0) c->json ? print_json(ports) : ports_print(ports);
    json_decref(ports);
    return r;
}

static int run_keygen(struct call *c) { return keygen_run(c->output ? c->output : "plate", c->json); }

static int run_calibrate(struct call *c)
{
    c->calibrate.plate = json_string_value(json_object_get(c->params, "plate"));
    c->calibrate.json = c->json;
    return calibrate_run(&c->calibrate, c->control, c->timeout_s, &c->curve);
}

static int run_watch(struct call *c)
{
    c->watch.hosts = &c->hosts;
    c->watch.curve = &c->curve;
    if (c->json)
        c->watch.mode = WATCH_JSON;
    else if (c->watch.mode == WATCH_SCREEN && !terminal_can_draw())
        c->watch.mode = WATCH_LINES;
    if (!c->watch.metronome || (c->watch.mode == WATCH_SCREEN && c->hosts.n == 1)) return watch_run(&c->watch);
    fputs("platectl: --metronome goes with the screen, on a terminal, and with one station\n", stderr);
    return EXIT_USAGE;
}

const struct verb verbs[] = {
    {.name = "status",
     .doc = "What plated is doing: recording, plates, every counter.",
     .run = run_simple,
     .print = print_status},
    {.name = "ports",
     .doc = "The serial ports that are plugged into this machine, each with the line for plated.yaml. Opens none of them.",
     .options = ports_options,
     .run = run_ports,
     .print = ports_print},
    {.name = "config",
     .doc = "How plated is configured: the YAML text, defaults filled in.",
     .run = run_simple,
     .print = print_config},
    {.name = "watch",
     .doc = "The stream, live: a screen on a terminal (q quits), a line an event elsewhere.",
     .options = watch_options,
     .run = run_watch,
     .several = true,
     .by_data = true},
    {.name = "snapshot",
     .args_doc = "[TOPIC]",
     .doc = "What was said, for whoever missed it: the latest of every topic, or of those that begin with TOPIC. With --since: "
            "all "
            "of that one topic, as far as it is held. A line a message: its topic, a space, its header.",
     .options = snapshot_options,
     .max_args = 1,
     .arg = {"topic"},
     .run = run_snapshot},
    {.name = "clocks",
     .doc = "How far the clocks of stations are ahead of this machine's, and how sure that is. Exit status 1 if one is off by "
            "more than 20 ms, or does not answer.",
     .run = run_clocks,
     .several = true},
    {.name = "start", .doc = "Begins a recording.", .options = start_options, .run = run_simple, .print = print_start},
    {.name = "stop",
     .doc = "Ends the recording, waits until it is sealed, and prints the archive's path.",
     .options = stop_options,
     .run = run_stop},
    {.name = "side",
     .args_doc = "left|right|both|none",
     .doc = "Says who works from here on; starts a new set. With --set: who worked in that set.",
     .options = set_options,
     .min_args = 1,
     .max_args = 1,
     .arg = {"side"},
     .run = run_simple,
     .print = print_state},
    {.name = "rep",
     .args_doc = "--discard N | --restore N",
     .doc = "Takes a rep out of its set and of the comparison, or back in.",
     .options = rep_options,
     .run = run_simple,
     .print = print_correction},
    {.name = "warmup",
     .args_doc = "[true|false]",
     .doc =
         "Says that what follows is a warm-up (true, the default), which is not compared. With --set: that this set was one.",
     .options = set_options,
     .max_args = 1,
     .arg = {"warmup"},
     .run = run_simple,
     .print = print_state},
    {.name = "involved",
     .args_doc = "left|right|none",
     .doc = "Says which side is injured or was treated: the limb symmetry index is its share.",
     .min_args = 1,
     .max_args = 1,
     .arg = {"involved"},
     .run = run_simple,
     .print = print_state},
    {.name = "subject",
     .args_doc = "NAME",
     .doc = "Says who is on the plate.",
     .min_args = 1,
     .max_args = 1,
     .arg = {"value"},
     .run = run_simple,
     .print = print_mark,
     .mark = "subject"},
    {.name = "load",
     .args_doc = "KG",
     .doc = "Says what is on the bar.",
     .min_args = 1,
     .max_args = 1,
     .arg = {"value"},
     .run = run_simple,
     .print = print_mark,
     .mark = "load_kg"},
    {.name = "note",
     .args_doc = "TEXT",
     .doc = "Keeps a remark. One that begins with a hyphen is written behind --.",
     .min_args = 1,
     .max_args = 1,
     .arg = {"value"},
     .run = run_simple,
     .print = print_mark,
     .mark = "note"},
    {.name = "tare",
     .doc = "Takes the last second as zero. The plate must be empty.",
     .options = plate_options,
     .run = run_simple,
     .print = print_tare},
    {.name = "calibrate",
     .doc =
         "Leads through known weights at known places, works out the plate's matrix, says how good it is, and writes it to a "
         "file that the configuration takes in. Without --mass it asks for the weights.",
     .options = calibrate_options,
     .run = run_calibrate},
    {.name = "mark",
     .args_doc = "KIND [VALUE]",
     .doc = "Puts a mark on the time axis. These steer: side, exercise, set_end, warmup, involved, body_mass_kg, load_kg, "
            "correct; any other kind is kept as a note. What begins with a hyphen is written behind --: mark drift_N -- -2",
     .options = plate_options,
     .min_args = 1,
     .max_args = 2,
     .arg = {"kind", "value"},
     .run = run_simple,
     .print = print_mark},
    {.name = "operator",
     .args_doc = "[take|release]",
     .doc =
         "Who commands. take: only you do, until you release it, another takes it over with --force, or nothing was heard of "
         "you for half an hour. Who watches is never refused.",
     .options = operator_options,
     .max_args = 1,
     .arg = {"do"},
     .run = run_operator},
    {.name = "keygen",
     .doc = "Makes a pair of keys for a station, or for a client of one: NAME.key to be copied, NAME.key_secret to be kept.",
     .options = keygen_options,
     .run = run_keygen},
    {.name = "shutdown",
     .doc = "Ends plated; a recording is stopped and sealed first.",
     .run = run_simple,
     .print = print_shutdown},
    {0}};
