#include "sim_options_private.h"
#include <math.h>
#include <string.h>

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

void sim_options_check(const struct argp_state *st, struct sim_options *o)
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
