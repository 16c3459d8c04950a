#include "sim_options.h"
#include "sim_device.h"
#include <argp.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Up to OPT_LAST_DRAWN: how a signal is drawn, which a recording does not need. */
enum {
    OPT_EXERCISE = 256,
    OPT_SETS,
    OPT_REPS,
    OPT_WEAKER,
    OPT_HOLD,
    OPT_REST,
    OPT_DELAY,
    OPT_PLATES,
    OPT_RATE,
    OPT_CELLS,
    OPT_NOISE,
    OPT_DRIFT,
    OPT_TRUTH,
    OPT_LAST_DRAWN = OPT_TRUTH,
    OPT_SEED,
    OPT_LINK,
    OPT_FORMAT,
    OPT_SPEED,
    OPT_FAST,
    OPT_PLAYBACK,
    OPT_LOOP,
    OPT_WAIT,
    OPT_NO_WAIT,
    OPT_LINGER,
    OPT_PER_PACKET,
    OPT_BURST,
    OPT_DROP,
    OPT_CORRUPT,
    OPT_UNPLUG_AT,
    OPT_UNPLUG_FOR,
    OPT_OVERRUN,
    OPT_PRINT_CONFIG
};

static const struct argp_option argp_options[] = {
    {0, 0, 0, 0, "What is on the plate:", 1},
    {"exercise", OPT_EXERCISE, "NAME", 0, "single_leg_hip_thrust (default), isometric, barbell_hip_thrust, squat", 0},
    {"sets", OPT_SETS, "SIDES", 0, "one set for each: left,right (default), or both", 0},
    {"reps", OPT_REPS, "N", 0, "of each set (default 8)", 0},
    {"weaker", OPT_WEAKER, "SIDE:PCT", 0, "left:10 makes the left leg 10 % weaker", 0},
    {"hold", OPT_HOLD, "S", 0, "length of each hold (default: drawn)", 0},
    {"rest", OPT_REST, "S", 0, "between sets, foot off the plate (default 5)", 0},
    {"start-delay", OPT_DELAY, "S", 0, "empty plate at the start (default 2)", 0},
    {"seed", OPT_SEED, "N", 0, "of everything that is drawn (default 1); the same seed gives the same bytes", 0},
    {"playback", OPT_PLAYBACK, "FILE.csv", 0, "play a recording, as `plate-trace import' takes it", 0},
    {"loop", OPT_LOOP, 0, 0, "start over at the end, until stopped", 0},
    {"truth", OPT_TRUTH, "FILE.csv", 0, "write when each rep really began, stopped, went down and ended", 0},
    {0, 0, 0, 0, "The platform:", 2},
    {"link", OPT_LINK, "PATH", 0, "a symlink to the pty; PATH-NAME with several plates", 0},
    {"plates", OPT_PLATES, "N", 0, "1: plate; 2: left and right; more: an athlete on each", 0},
    {"cells", OPT_CELLS, "N", 0, "1, or 4 under the corners (default)", 0},
    {"rate", OPT_RATE, "HZ", 0, "samples a second (default 1000)", 0},
    {"format", OPT_FORMAT, "native|csv", 0, "packets of wire.h, or lines of t_us,c1,..,cN", 0},
    {"samples-per-packet", OPT_PER_PACKET, "N", 0, "native only (default 1, more above 1 kHz)", 0},
    {"noise", OPT_NOISE, "N_SD", 0, "of the force (default 0.3)", 0},
    {"drift", OPT_DRIFT, "N_PER_MIN", 0, "of the zero (default 0.4)", 0},
    {"print-config", OPT_PRINT_CONFIG, 0, 0, "print the `plates:' of plated.yaml for this platform, and exit", 0},
    {0, 0, 0, 0, "Pace:", 3},
    {"speed", OPT_SPEED, "X", 0, "times real time (default 1)", 0},
    {"as-fast-as-read", OPT_FAST, 0, 0, "no pace but the reader's", 0},
    {"wait", OPT_WAIT, 0, 0, "start when every plate is being read (default)", 0},
    {"no-wait", OPT_NO_WAIT, 0, 0, "start at once", 0},
    {"linger", OPT_LINGER, "S", 0, "keep the ports after everything was read (default 0.3)", 0},
    {0, 0, 0, 0, "Faults:", 4},
    {"drop", OPT_DROP, "P", 0, "probability that a packet is not sent", 0},
    {"corrupt", OPT_CORRUPT, "P", 0, "probability that a byte of a packet is changed", 0},
    {"burst-ms", OPT_BURST, "N", 0, "deliver every N ms, as a USB adapter does", 0},
    {"overrun", OPT_OVERRUN, 0, 0, "drop what does not fit, as a UART does; else the signal waits", 0},
    {"unplug-at", OPT_UNPLUG_AT, "S", 0, "pull the plug", 0},
    {"unplug-for", OPT_UNPLUG_FOR, "S", 0, "and put it back (default 2): a new pty under the same link", 0},
    {0}};

static double number(const struct argp_state *st, const char *what, const char *text, double low, double high)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !(v >= low && v <= high))
        argp_error(st, "--%s: `%s': give a number from %g to %g", what, text, low, high);
    return v;
}

static unsigned whole(const struct argp_state *st, const char *what, const char *text, unsigned low, unsigned high)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    if (end == text || *end || *text == '-' || v < low || v > high)
        argp_error(st, "--%s: `%s': give a whole number from %u to %u", what, text, low, high);
    return (unsigned)v;
}

static void parse_exercise(const struct argp_state *st, const char *name, struct sim_options *o)
{
    char known[256] = "";
    for (const struct sim_exercise *e = sim_exercises; e->name; e++)
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", known[0] ? ", " : "", e->name);
    o->body.exercise = sim_exercise_find(name);
    if (!o->body.exercise) argp_error(st, "--exercise: `%s' is not one of %s", name, known);
}

static void parse_sets(const struct argp_state *st, const char *text, struct sim_options *o)
{
    char copy[1024], *rest = copy, *word;
    if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy) argp_error(st, "--sets: more than %d sets", SIM_MAX_SETS);
    for (o->body.sets = 0; (word = strsep(&rest, ","));) {
        if (o->body.sets == SIM_MAX_SETS) argp_error(st, "--sets: more than %d sets", SIM_MAX_SETS);
        if (plate_side_parse(word, &o->body.set[o->body.sets]) < 0 || o->body.set[o->body.sets] == PLATE_SIDE_NONE)
            argp_error(st, "--sets: `%s' is not left, right or both", word);
        o->body.sets++;
    }
    o->sets_given = true;
}

static void parse_weaker(const struct argp_state *st, const char *text, struct sim_options *o)
{
    char side[8] = "";
    const char *colon = strchr(text, ':');
    if (colon && colon - text < (int)sizeof side) memcpy(side, text, (size_t)(colon - text));
    if (plate_side_parse(side, &o->body.weaker) < 0 || o->body.weaker == PLATE_SIDE_NONE || o->body.weaker == PLATE_SIDE_BOTH)
        argp_error(st, "--weaker: `%s': give left:PCT or right:PCT", text);
    else
        o->body.weaker_pct = number(st, "weaker", colon + 1, 0, 90);
}

static void check_options(const struct argp_state *st, struct sim_options *o)
{
    const struct sim_exercise *e = o->body.exercise;
    if (o->playback && o->drawn_given)
        argp_error(st, "--playback brings its own plates, rate and signal, and no truth: leave out the options that draw one");
    if (!o->sets_given && !e->one_leg) o->body.set[0] = PLATE_SIDE_BOTH, o->body.sets = 1;
    for (unsigned i = 0; i < o->body.sets; i++) {
        bool both = o->body.set[i] == PLATE_SIDE_BOTH;
        if (both ? !e->both_legs : !e->one_leg)
            argp_error(st, "--sets: %s is done with %s", e->name, both ? "one leg: left or right" : "both legs: both");
    }
    if (!o->plates) o->plates = e->plates;
    if (o->csv && o->per_packet) argp_error(st, "--samples-per-packet is for --format native");
    if (o->speed <= 0 && o->burst_s > 0) argp_error(st, "--burst-ms needs a pace: leave out --as-fast-as-read");
    if (o->speed <= 0 && o->overrun) argp_error(st, "--overrun needs a pace: leave out --as-fast-as-read");
    if (o->unplug_for_s >= 0 && o->unplug_at_s < 0) argp_error(st, "--unplug-for needs --unplug-at");
    if (o->print_config && !o->link)
        argp_error(st, "--print-config needs --link: without it the port's name is not known before it is there");
    if (o->unplug_for_s < 0) o->unplug_for_s = 2;
}

static error_t parse_option(int key, char *arg, struct argp_state *st)
{
    struct sim_options *o = st->input;
    char *end;
    if (key >= OPT_EXERCISE && key <= OPT_LAST_DRAWN) o->drawn_given = true;
    switch (key) {
    case OPT_LINK:
        o->link = arg;
        break;
    case OPT_PLATES:
        o->plates = whole(st, "plates", arg, 1, PLATE_MAX_PLATES);
        break;
    case OPT_RATE:
        o->rate_Hz = number(st, "rate", arg, 1, 100000);
        break;
    case OPT_CELLS:
        o->cells = whole(st, "cells", arg, 1, 4);
        if (o->cells != 1 && o->cells != 4) argp_error(st, "--cells: 1 or 4");
        break;
    case OPT_FORMAT:
        o->csv = !strcmp(arg, "csv");
        if (!o->csv && strcmp(arg, "native")) argp_error(st, "--format: `%s' is not native or csv", arg);
        break;
    case OPT_REPS:
        o->body.reps = whole(st, "reps", arg, 1, SIM_MAX_REPS);
        break;
    case OPT_SETS:
        parse_sets(st, arg, o);
        break;
    case OPT_EXERCISE:
        parse_exercise(st, arg, o);
        break;
    case OPT_SEED:
        errno = 0;
        o->body.seed = strtoull(arg, &end, 0);
        if (end == arg || *end || *arg == '-' || errno) argp_error(st, "--seed: `%s': give a whole number", arg);
        break;
    case OPT_TRUTH:
        o->truth = arg;
        break;
    case OPT_SPEED:
        o->speed = number(st, "speed", arg, 0.01, 100000);
        break;
    case OPT_FAST:
        o->speed = 0;
        break;
    case OPT_PLAYBACK:
        o->playback = arg;
        break;
    case OPT_LOOP:
        o->loop = true;
        break;
    case OPT_NOISE:
        o->noise_N = number(st, "noise", arg, 0, 1000);
        break;
    case OPT_DRIFT:
        o->drift_N_per_min = number(st, "drift", arg, -1000, 1000);
        break;
    case OPT_WEAKER:
        parse_weaker(st, arg, o);
        break;
    case OPT_HOLD:
        o->body.hold_s = number(st, "hold", arg, 0, 3600);
        break;
    case OPT_REST:
        o->body.set_rest_s = number(st, "rest", arg, 0, 86400);
        break;
    case OPT_DELAY:
        o->body.start_delay_s = number(st, "start-delay", arg, 0, 86400);
        break;
    case OPT_WAIT:
        o->wait = true;
        break;
    case OPT_NO_WAIT:
        o->wait = false;
        break;
    case OPT_LINGER:
        o->linger_s = number(st, "linger", arg, 0, 86400);
        break;
    case OPT_PER_PACKET:
        o->per_packet = whole(st, "samples-per-packet", arg, 1, sim_device_most_per_packet(1));
        break;
    case OPT_BURST:
        o->burst_s = number(st, "burst-ms", arg, 0, 10000) / 1000;
        break;
    case OPT_DROP:
        o->drop = number(st, "drop", arg, 0, 1);
        break;
    case OPT_CORRUPT:
        o->corrupt = number(st, "corrupt", arg, 0, 1);
        break;
    case OPT_UNPLUG_AT:
        o->unplug_at_s = number(st, "unplug-at", arg, 0, 1e9);
        break;
    case OPT_UNPLUG_FOR:
        o->unplug_for_s = number(st, "unplug-for", arg, 0, 1e9);
        break;
    case OPT_OVERRUN:
        o->overrun = true;
        break;
    case OPT_PRINT_CONFIG:
        o->print_config = true;
        break;
    case ARGP_KEY_ARG:
        argp_error(st, "`%s': there are options only", arg);
        break;
    case ARGP_KEY_END:
        check_options(st, o);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

void sim_options_parse(int argc, char **argv, struct sim_options *ret)
{
    static const struct argp argp = {.options = argp_options,
                                     .parser = parse_option,
                                     .doc =
                                         "A force platform that is not there: it opens a pty for each plate and sends what an "
                                         "athlete, or a recording, would make it send."};
    *ret = (struct sim_options){.body = {.exercise = sim_exercises,
                                         .set = {PLATE_SIDE_LEFT, PLATE_SIDE_RIGHT},
                                         .sets = 2,
                                         .reps = 8,
                                         .seed = 1,
                                         .hold_s = NAN,
                                         .set_rest_s = 5,
                                         .start_delay_s = 2},
                                .cells = 4,
                                .rate_Hz = 1000,
                                .noise_N = 0.3,
                                .drift_N_per_min = 0.4,
                                .speed = 1,
                                .wait = true,
                                .linger_s = 0.3,
                                .unplug_at_s = -1,
                                .unplug_for_s = -1};
    argp_err_exit_status = 2;
    argp_parse(&argp, argc, argv, 0, NULL, ret);
}
