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
    OPT_TURN,
    OPT_PROFILE,
    OPT_FREE_LEG,
    OPT_LOAD,
    OPT_BAND,
    OPT_FOOT_UP,
    OPT_FATIGUE,
    OPT_DRIVE_TIME,
    OPT_LOWER_TIME,
    OPT_TREMOR,
    OPT_WANDER,
    OPT_TOE_BIAS,
    OPT_MEDIAL,
    OPT_ODD_FIRST,
    OPT_DISTURB,
    OPT_DISTURB_COUNT,
    OPT_TARE_ERROR,
    OPT_HUM,
    OPT_SPIKES,
    OPT_RESOLUTION,
    OPT_RATE_ERROR,
    OPT_BAD_CELL,
    OPT_CROSS_TALK,
    OPT_WEIGHTS,
    OPT_TRUTH,
    OPT_LAST_DRAWN = OPT_TRUTH,
    OPT_SEED,
    OPT_LINK,
    OPT_PROTOCOL,
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
    OPT_SYNC,
    OPT_PRINT_CONFIG,
    OPT_LIST
};

static const struct argp_option argp_options[] = {
    {0, 0, 0, 0, "What is on the plate:", 1},
    {"exercise", OPT_EXERCISE, "NAME", 0, "one of --list (default single_leg_hip_thrust)", 0},
    {"list", OPT_LIST, 0, 0, "say which exercises, turns, profiles, disturbances, bad cells, protocols there are, and exit", 0},
    {"sets", OPT_SETS, "SIDES", 0, "one set for each: left,right (default), or both", 0},
    {"reps", OPT_REPS, "N", 0, "of each set (default 8)", 0},
    {"weaker", OPT_WEAKER, "SIDE:PCT", 0, "left:10 makes the left leg 10 % weaker", 0},
    {"turn", OPT_TURN, "NAME", 0, "between reps: pause (default), touch_and_go, bounce, float", 0},
    {"profile", OPT_PROFILE, "NAME", 0, "of the drive: measured (default), min_jerk, sticking, grinding, explosive", 0},
    {"free-leg", OPT_FREE_LEG, "HOW", 0, "straight or tucked (default: drawn)", 0},
    {"load-kg", OPT_LOAD, "KG", 0, "on the hips, or the shoulders (default: the exercise's own)", 0},
    {"band", OPT_BAND, "N_PER_M", 0, "an elastic band over the hips: load that grows with their height", 0},
    {"foot-up", OPT_FOOT_UP, "M", 0, "the foot stands on a step of this height, up to 0.3", 0},
    {"fatigue", OPT_FATIGUE, "PCT", 0, "each rep is slower by so much (default 1)", 0},
    {"drive", OPT_DRIVE_TIME, "S", 0, "length of the drives (default: drawn)", 0},
    {"lower", OPT_LOWER_TIME, "S", 0, "length of the lowerings (default: drawn)", 0},
    {"hold", OPT_HOLD, "S", 0, "length of each hold (default: drawn)", 0},
    {"tremor", OPT_TREMOR, "X", 0, "times the usual (default 1)", 0},
    {"wander", OPT_WANDER, "PCT", 0, "both legs: how far the share of the total wanders (default: drawn, 1 to 3)", 0},
    {"toe-bias", OPT_TOE_BIAS, "MM", 0, "centre of pressure more to the toes in the work; negative: to the heel", 0},
    {"medial-drift", OPT_MEDIAL, "MM", 0, "centre of pressure to the inner edge of the foot in each drive", 0},
    {"odd-first", OPT_ODD_FIRST, 0, 0, "the first rep of a set is slower, or an aborted start comes before it", 0},
    {"disturb", OPT_DISTURB, "LIST|all", 0, "what is not a rep: names of --list, with commas", 0},
    {"disturb-count", OPT_DISTURB_COUNT, "N", 0, "of each in a set (default 1)", 0},
    {"rest", OPT_REST, "S", 0, "between sets, foot off the plate (default 5)", 0},
    {"start-delay", OPT_DELAY, "S", 0, "empty plate at the start (default 2)", 0},
    {"seed", OPT_SEED, "N", 0, "of everything that is drawn (default 1); the same seed gives the same bytes", 0},
    {"weights", OPT_WEIGHTS, "KG@X,Y;...", 0, "no athlete: known weights, one after the other, each for 7 s", 0},
    {"playback", OPT_PLAYBACK, "FILE.csv|FILE.h5|FILE.wire", 0,
     "play a recording, as `plate-trace import' takes it, an archive, or what plated captured", 0},
    {"loop", OPT_LOOP, 0, 0, "start over at the end, until stopped", 0},
    {"truth", OPT_TRUTH, "FILE.csv", 0, "write when each rep really began, stopped, went down and ended", 0},
    {0, 0, 0, 0, "The platform:", 2},
    {"link", OPT_LINK, "PATH", 0, "a symlink to the pty; PATH-NAME with several plates", 0},
    {"plates", OPT_PLATES, "N", 0, "1: plate; 2: left and right; more: an athlete on each", 0},
    {"cells", OPT_CELLS, "N", 0, "1, or 4 under the corners (default: 4, or the protocol's)", 0},
    {"rate", OPT_RATE, "HZ", 0, "samples a second (default: 1000, or the protocol's)", 0},
    {"protocol", OPT_PROTOCOL, "NAME", 0, "what the boards speak, one of --list (default native)", 0},
    {"format", 0, 0, OPTION_ALIAS, 0, 0},
    {"samples-per-packet", OPT_PER_PACKET, "N", 0, "native only (default 1, more above 1 kHz)", 0},
    {"noise", OPT_NOISE, "N_SD", 0, "of the force (default 0.3)", 0},
    {"drift", OPT_DRIFT, "N_PER_MIN", 0, "of the zero (default 0.4)", 0},
    {"tare-error", OPT_TARE_ERROR, "N", 0, "what the empty plate reads (default 0)", 0},
    {"hum", OPT_HUM, "N[:HZ]", 0, "amplitude of mains hum (default 0, of 50 Hz)", 0},
    {"spikes", OPT_SPIKES, "PER_MIN", 0, "single samples of one cell, off by 30 to 300 N", 0},
    {"resolution", OPT_RESOLUTION, "N", 0, "of each cell, coarser than a count (default: a count, 0.01)", 0},
    {"rate-error", OPT_RATE_ERROR, "PCT", 0, "the board is faster than it says by so much; HX711: 9.375", 0},
    {"bad-cell", OPT_BAD_CELL, "HOW[:N[:S]]", 0,
     "cell N (default 1) is stuck, noisy, saturated or disconnected, from S seconds on", 0},
    {"cross-talk", OPT_CROSS_TALK, "PCT", 0, "of each cell's load the two beside it see as well", 0},
    {"sync", OPT_SYNC, "S", 0, "a pulse of 50 ms on the trigger input every so many seconds", 0},
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

/* The place of `word` in a table of `n` names. */
static unsigned choice(const struct argp_state *st, const char *what, const char *word, const char *const *names, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (!strcmp(word, names[i])) return i;
    argp_error(st, "--%s: `%s' is not in --list", what, word);
    return 0;
}

static void parse_disturb(const struct argp_state *st, const char *text, struct sim_options *o)
{
    char copy[256], *rest = copy, *word;
    if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy) argp_error(st, "--disturb: the list is too long");
    while ((word = strsep(&rest, ",")))
        o->body.events |=
            !strcmp(word, "all") ? (1u << SIM_EVENTS) - 1 : 1u << choice(st, "disturb", word, sim_event_names, SIM_EVENTS);
}

/* Splits `VALUE:MORE` in place in `copy`; NULL without a colon. */
static char *split(const struct argp_state *st, const char *what, const char *text, char *copy, size_t size)
{
    if (snprintf(copy, size, "%s", text) >= (int)size) argp_error(st, "--%s: `%s' is too long", what, text);
    char *colon = strchr(copy, ':');
    if (colon) *colon++ = 0;
    return colon;
}

static void parse_hum(const struct argp_state *st, const char *text, struct sim_options *o)
{
    char copy[64], *rate = split(st, "hum", text, copy, sizeof copy);
    o->sensor.hum_N = number(st, "hum", copy, 0, 1000);
    o->sensor.hum_Hz = rate ? number(st, "hum", rate, 0.1, 10000) : 50;
}

static void parse_bad_cell(const struct argp_state *st, const char *text, struct sim_options *o)
{
    char copy[64], *cell = split(st, "bad-cell", text, copy, sizeof copy), *from = cell ? strchr(cell, ':') : NULL;
    if (from) *from++ = 0;
    o->sensor.bad = (enum sim_bad_cell)(1 + choice(st, "bad-cell", copy, sim_bad_cell_names + 1, SIM_BAD_CELLS - 1));
    o->sensor.bad_cell = cell ? whole(st, "bad-cell", cell, 1, 4) - 1 : 0;
    o->sensor.bad_from_s = from ? number(st, "bad-cell", from, 0, 1e9) : 0;
}

static void parse_weights(const struct argp_state *st, const char *text, struct sim_options *o)
{
    struct sim_weights *w = &o->weights;
    *w = (struct sim_weights){.first_s = 6, .on_s = 7, .off_s = 3};
    for (int used = 0; *text && w->n < SIM_MAX_WEIGHTS; text += used) {
        double *kg = &w->weight[w->n].kg, *x = &w->weight[w->n].x_mm, *y = &w->weight[w->n].y_mm;
        used = 0;
        if (sscanf(text, "%lf@%lf,%lf%n", kg, x, y, &used) != 3 ||
            !(*kg >= 0 && *kg <= 1000 && fabs(*x) <= 5000 && fabs(*y) <= 5000) || (text[used] && text[used] != ';'))
            argp_error(st, "--weights: `%s': give KG@X,Y with semicolons between", text);
        used += text[used] == ';';
        w->n++;
    }
    if (*text || w->n == 0) argp_error(st, "--weights: 1 to %d of them", SIM_MAX_WEIGHTS);
}

static void print_names(const char *title, const char *const *names, unsigned n, unsigned mask)
{
    printf("%s", title);
    for (unsigned i = 0; i < n; i++)
        if (mask >> i & 1) printf(" %s", names[i]);
    putchar('\n');
}

static void print_list(void)
{
    for (const struct sim_exercise *e = sim_exercises; e->name; e++) {
        printf("%s: %s\n", e->name, e->what);
        print_names("    turns:", sim_turn_names, SIM_TURNS, e->turns);
        if (e->profiles) print_names("    profiles:", sim_profile_names, SIM_PROFILES, e->profiles);
    }
    print_names("disturbances:", sim_event_names, SIM_EVENTS, (1u << SIM_EVENTS) - 1);
    print_names("bad cells:", sim_bad_cell_names, SIM_BAD_CELLS, ((1u << SIM_BAD_CELLS) - 1) & ~1u);
    puts("protocols:");
    for (const struct sim_protocol *p = sim_protocols; p->name; p++) printf("    %s: %s\n", p->name, p->what);
}

static void check_exercise(const struct argp_state *st, struct sim_options *o)
{
    const struct sim_exercise *e = o->body.exercise;
    if (!(e->turns >> o->body.turn & 1)) argp_error(st, "--turn: %s has no %s", e->name, sim_turn_names[o->body.turn]);
    if (e->profiles ? !(e->profiles >> o->body.profile & 1) : o->body.profile > 0)
        argp_error(st, "--profile: %s has no %s", e->name, sim_profile_names[o->body.profile]);
    if (o->thrust_given && e->kind != SIM_THRUST)
        argp_error(st, "--free-leg, --band and --foot-up are for hip thrusts and bridges");
    if (!isnan(o->body.load_kg) && e->kind == SIM_PUSH) argp_error(st, "--load-kg: %s is against what does not move", e->name);
    if (o->sensor.bad_cell >= o->sensor.cells) argp_error(st, "--bad-cell: there is no cell %u", o->sensor.bad_cell + 1);
}

bool sim_options_plays(const struct sim_options *o, const char *ending)
{
    const size_t n = o->playback ? strlen(o->playback) : 0, m = strlen(ending);
    return n > m && strcmp(o->playback + n - m, ending) == 0;
}

/* What the protocol leaves no choice of, and what it usually has. */
static void check_protocol(const struct argp_state *st, struct sim_options *o)
{
    const struct sim_protocol *p = o->protocol;
    if (!o->sensor.cells) o->sensor.cells = p->cells ? p->cells : 4;
    if (!(o->sensor.rate_Hz > 0)) o->sensor.rate_Hz = p->rate_Hz > 0 ? p->rate_Hz : 1000;
    if (p->cells && o->sensor.cells != p->cells) argp_error(st, "--cells: %s has %u", p->name, p->cells);
    if (p->sample && o->per_packet) argp_error(st, "--samples-per-packet is for --protocol native");
    if (o->sync_s > 0 && !p->edges) argp_error(st, "--sync: %s has no trigger input", p->name);
}

static void check_options(const struct argp_state *st, struct sim_options *o)
{
    const struct sim_exercise *e = o->body.exercise;
    if (o->playback && o->drawn_given)
        argp_error(st, "--playback brings its own plates, rate and signal, and no truth: leave out the options that draw one");
    if (sim_options_plays(o, ".wire") &&
        (o->drop > 0 || o->corrupt > 0 || o->burst_s > 0 || o->overrun || o->unplug_at_s >= 0 || o->protocol != sim_protocols ||
         o->per_packet || o->loop || o->sync_s > 0))
        argp_error(st, "--playback %s: a capture brings its own packets and faults: leave out the options that make some",
                   o->playback);
    if (!o->sets_given && !e->one_leg) o->body.set[0] = PLATE_SIDE_BOTH, o->body.sets = 1;
    for (unsigned i = 0; i < o->body.sets; i++) {
        bool both = o->body.set[i] == PLATE_SIDE_BOTH;
        if (both ? !e->both_legs : !e->one_leg)
            argp_error(st, "--sets: %s is done with %s", e->name, both ? "one leg: left or right" : "both legs: both");
    }
    check_protocol(st, o);
    check_exercise(st, o);
    if (o->weights.n && o->truth) argp_error(st, "--truth: weights do no exercise");
    if (!o->plates) o->plates = e->plates;
    o->body.second_foot_on_plate = o->plates == 2;
    if (o->speed <= 0 && o->burst_s > 0) argp_error(st, "--burst-ms needs a pace: leave out --as-fast-as-read");
    if (o->speed <= 0 && o->overrun) argp_error(st, "--overrun needs a pace: leave out --as-fast-as-read");
    if (o->unplug_for_s >= 0 && o->unplug_at_s < 0) argp_error(st, "--unplug-for needs --unplug-at");
    if (o->print_config && !o->link)
        argp_error(st, "--print-config needs --link: without it the port's name is not known before it is there");
    if (o->unplug_for_s < 0) o->unplug_for_s = 2;
}

/* How the athlete does it, and what the cells make of it. */
static error_t parse_drawn(int key, const char *arg, struct argp_state *st)
{
    static const char *const legs[] = {"drawn", "straight", "tucked"};
    struct sim_options *o = st->input;
    switch (key) {
    case OPT_TURN:
        o->body.turn = choice(st, "turn", arg, sim_turn_names, SIM_TURNS);
        break;
    case OPT_PROFILE:
        o->body.profile = choice(st, "profile", arg, sim_profile_names, SIM_PROFILES);
        break;
    case OPT_FREE_LEG:
        if (strcmp(arg, legs[1]) && strcmp(arg, legs[2])) argp_error(st, "--free-leg: `%s' is not straight or tucked", arg);
        o->body.free_leg = choice(st, "free-leg", arg, legs, 3);
        o->thrust_given = true;
        break;
    case OPT_LOAD:
        o->body.load_kg = number(st, "load-kg", arg, 0, 1000);
        break;
    case OPT_BAND:
        o->body.band_N_per_m = number(st, "band", arg, 0, 10000);
        o->thrust_given = true;
        break;
    case OPT_FOOT_UP:
        o->body.foot_up_m = number(st, "foot-up", arg, 0, 0.3);
        o->thrust_given = true;
        break;
    case OPT_FATIGUE:
        o->body.fatigue_pct = number(st, "fatigue", arg, 0, 50);
        break;
    case OPT_DRIVE_TIME:
        o->body.drive_s = number(st, "drive", arg, 0.1, 60);
        break;
    case OPT_LOWER_TIME:
        o->body.lower_s = number(st, "lower", arg, 0.1, 60);
        break;
    case OPT_TREMOR:
        o->body.tremor = number(st, "tremor", arg, 0, 20);
        break;
    case OPT_WANDER:
        o->body.wander_pct = number(st, "wander", arg, 0, 20);
        break;
    case OPT_TOE_BIAS:
        o->body.toe_bias_mm = number(st, "toe-bias", arg, -150, 150);
        break;
    case OPT_MEDIAL:
        o->body.medial_drift_mm = number(st, "medial-drift", arg, -60, 60);
        break;
    case OPT_ODD_FIRST:
        o->body.odd_first = true;
        break;
    case OPT_DISTURB:
        parse_disturb(st, arg, o);
        break;
    case OPT_DISTURB_COUNT:
        o->body.events_per_set = whole(st, "disturb-count", arg, 1, 64);
        break;
    case OPT_TARE_ERROR:
        o->sensor.tare_error_N = number(st, "tare-error", arg, -10000, 10000);
        break;
    case OPT_HUM:
        parse_hum(st, arg, o);
        break;
    case OPT_SPIKES:
        o->sensor.spikes_per_min = number(st, "spikes", arg, 0, 1e6);
        break;
    case OPT_RESOLUTION:
        o->sensor.step_N = number(st, "resolution", arg, 0, 100);
        break;
    case OPT_RATE_ERROR:
        o->sensor.rate_error = number(st, "rate-error", arg, -50, 50) / 100;
        break;
    case OPT_BAD_CELL:
        parse_bad_cell(st, arg, o);
        break;
    case OPT_WEIGHTS:
        parse_weights(st, arg, o);
        break;
    case OPT_CROSS_TALK:
        o->sensor.cross_talk = number(st, "cross-talk", arg, -25, 25) / 100;
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
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
        o->sensor.rate_Hz = number(st, "rate", arg, 1, 100000);
        break;
    case OPT_CELLS:
        o->sensor.cells = whole(st, "cells", arg, 1, 4);
        if (o->sensor.cells != 1 && o->sensor.cells != 4) argp_error(st, "--cells: 1 or 4");
        break;
    case OPT_PROTOCOL:
        o->protocol = sim_protocol_find(arg);
        if (!o->protocol) argp_error(st, "--protocol: `%s' is not in --list", arg);
        break;
    case OPT_SYNC:
        o->sync_s = number(st, "sync", arg, 0.2, 1e6);
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
        o->sensor.noise_N = number(st, "noise", arg, 0, 1000);
        break;
    case OPT_DRIFT:
        o->sensor.drift_N_per_min = number(st, "drift", arg, -1000, 1000);
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
    case OPT_LIST:
        print_list();
        exit(0);
    case ARGP_KEY_ARG:
        argp_error(st, "`%s': there are options only", arg);
        break;
    case ARGP_KEY_END:
        check_options(st, o);
        break;
    default:
        return parse_drawn(key, arg, st);
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
    *ret = (struct sim_options){.sensor = {.noise_N = 0.3, .drift_N_per_min = 0.4},
                                .protocol = sim_protocols,
                                .speed = 1,
                                .wait = true,
                                .linger_s = 0.3,
                                .unplug_at_s = -1,
                                .unplug_for_s = -1};
    sim_body_config_init(&ret->body, sim_exercises);
    argp_err_exit_status = 2;
    argp_parse(&argp, argc, argv, 0, NULL, ret);
}
