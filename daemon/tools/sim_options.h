/* tools/sim_options.h - the command line of plate-sim. */
#pragma once
#include "sim_protocol.h"
#include "sim_sensor.h"
#include "sim_weights.h"

struct sim_options {
    const char *link, *playback, *truth;
    struct sim_body_config body;
    bool sets_given, drawn_given; /* drawn: an option that makes no sense for a recording */
    bool thrust_given;            /* an option that makes sense for hip thrusts and bridges only */
    struct sim_sensor_config sensor;
    struct sim_weights weights; /* n 0: an athlete */
    unsigned plates;
    unsigned per_packet; /* 0: the device's own */
    double speed;        /* 0: as fast as it is read */
    const struct sim_protocol *protocol;
    bool loop, wait, overrun, print_config;
    double linger_s, burst_s, drop, corrupt;
    double sync_s;                    /* a pulse on the trigger input so often; 0: none */
    double unplug_at_s, unplug_for_s; /* negative: never */
};

/* Defaults and arguments; exits with 2 and a message when they make no sense (argp). */
void sim_options_parse(int argc, char **argv, struct sim_options *ret);
bool sim_options_plays(const struct sim_options *o, const char *ending); /* --playback FILE.wire, FILE.h5 */
