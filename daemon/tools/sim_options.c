#include "sim_device.h"
#include "sim_options_private.h"
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

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

#define AT(field) offsetof(struct sim_options, field)
/* Options that are one number: where it goes, from and to what it makes sense, and how many of it are one of the field's unit.
 */
static const struct number_option {
    int key;
    size_t at;
    double low, high, per_unit;
} numbers[] = {
    {OPT_LOAD, AT(body.load_kg), 0, 1000, 1},
    {OPT_BAND, AT(body.band_N_per_m), 0, 10000, 1},
    {OPT_FOOT_UP, AT(body.foot_up_m), 0, 0.3, 1},
    {OPT_FATIGUE, AT(body.fatigue_pct), 0, 50, 1},
    {OPT_DRIVE_TIME, AT(body.drive_s), 0.1, 60, 1},
    {OPT_LOWER_TIME, AT(body.lower_s), 0.1, 60, 1},
    {OPT_TREMOR, AT(body.tremor), 0, 20, 1},
    {OPT_WANDER, AT(body.wander_pct), 0, 20, 1},
    {OPT_TOE_BIAS, AT(body.toe_bias_mm), -150, 150, 1},
    {OPT_MEDIAL, AT(body.medial_drift_mm), -60, 60, 1},
    {OPT_TARE_ERROR, AT(sensor.tare_error_N), -10000, 10000, 1},
    {OPT_SPIKES, AT(sensor.spikes_per_min), 0, 1e6, 1},
    {OPT_RESOLUTION, AT(sensor.step_N), 0, 100, 1},
    {OPT_RATE_ERROR, AT(sensor.rate_error), -50, 50, 100},
    {OPT_CROSS_TALK, AT(sensor.cross_talk), -25, 25, 100},
    {OPT_RATE, AT(sensor.rate_Hz), 1, 100000, 1},
    {OPT_SYNC, AT(sync_s), 0.2, 1e6, 1},
    {OPT_SPEED, AT(speed), 0.01, 100000, 1},
    {OPT_NOISE, AT(sensor.noise_N), 0, 1000, 1},
    {OPT_DRIFT, AT(sensor.drift_N_per_min), -1000, 1000, 1},
    {OPT_HOLD, AT(body.hold_s), 0, 3600, 1},
    {OPT_REST, AT(body.set_rest_s), 0, 86400, 1},
    {OPT_DELAY, AT(body.start_delay_s), 0, 86400, 1},
    {OPT_LINGER, AT(linger_s), 0, 86400, 1},
    {OPT_BURST, AT(burst_s), 0, 10000, 1000},
    {OPT_DROP, AT(drop), 0, 1, 1},
    {OPT_CORRUPT, AT(corrupt), 0, 1, 1},
    {OPT_UNPLUG_AT, AT(unplug_at_s), 0, 1e9, 1},
    {OPT_UNPLUG_FOR, AT(unplug_for_s), 0, 1e9, 1},
};

static bool parse_number(int key, const char *arg, struct argp_state *st)
{
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        const struct number_option *n = &numbers[i];
        const struct argp_option *option = argp_options;
        if (n->key != key) continue;
        while (option->key != key) option++;
        *(double *)((char *)st->input + n->at) = sim_number(st, option->name, arg, n->low, n->high) / n->per_unit;
        return true;
    }
    return false;
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

/* What the athlete does, how he does it, and what the cells make of it. */
static error_t parse_drawn(int key, const char *arg, struct argp_state *st)
{
    struct sim_options *o = st->input;
    switch (key) {
    case OPT_EXERCISE:
        sim_parse_exercise(st, arg, o);
        break;
    case OPT_SETS:
        sim_parse_sets(st, arg, o);
        break;
    case OPT_REPS:
        o->body.reps = sim_whole(st, "reps", arg, 1, SIM_MAX_REPS);
        break;
    case OPT_WEAKER:
        sim_parse_weaker(st, arg, o);
        break;
    case OPT_TURN:
        o->body.turn = sim_choice(st, "turn", arg, sim_turn_names, SIM_TURNS);
        break;
    case OPT_PROFILE:
        o->body.profile = sim_choice(st, "profile", arg, sim_profile_names, SIM_PROFILES);
        break;
    case OPT_FREE_LEG:
        sim_parse_free_leg(st, arg, o);
        break;
    case OPT_ODD_FIRST:
        o->body.odd_first = true;
        break;
    case OPT_DISTURB:
        sim_parse_disturb(st, arg, o);
        break;
    case OPT_DISTURB_COUNT:
        o->body.events_per_set = sim_whole(st, "disturb-count", arg, 1, 64);
        break;
    case OPT_HUM:
        sim_parse_hum(st, arg, o);
        break;
    case OPT_BAD_CELL:
        sim_parse_bad_cell(st, arg, o);
        break;
    case OPT_WEIGHTS:
        sim_parse_weights(st, arg, o);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static error_t parse_option(int key, char *arg, struct argp_state *st)
{
    struct sim_options *o = st->input;
    if (key >= OPT_EXERCISE && key <= OPT_LAST_DRAWN) o->drawn_given = true;
    if (key == OPT_BAND || key == OPT_FOOT_UP) o->thrust_given = true;
    if (parse_number(key, arg, st)) return 0;
    switch (key) {
    case OPT_LINK:
        o->link = arg;
        break;
    case OPT_PLATES:
        o->plates = sim_whole(st, "plates", arg, 1, PLATE_MAX_PLATES);
        break;
    case OPT_CELLS:
        o->sensor.cells = sim_whole(st, "cells", arg, 1, 4);
        if (o->sensor.cells != 1 && o->sensor.cells != 4) argp_error(st, "--cells: 1 or 4");
        break;
    case OPT_PROTOCOL:
        o->protocol = sim_protocol_find(arg);
        if (!o->protocol) argp_error(st, "--protocol: `%s' is not in --list", arg);
        break;
    case OPT_SEED:
        sim_parse_seed(st, arg, o);
        break;
    case OPT_TRUTH:
        o->truth = arg;
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
    case OPT_WAIT:
        o->wait = true;
        break;
    case OPT_NO_WAIT:
        o->wait = false;
        break;
    case OPT_PER_PACKET:
        o->per_packet = sim_whole(st, "samples-per-packet", arg, 1, sim_device_most_per_packet(1));
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
        sim_options_check(st, o);
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
