/* tools/platectl.h - the parts of platectl: what it can do (verbs), what may be said to it (options), what it shows (print).
 * Errors are told on standard error, in one line, and come back as an exit code. One thread. */
#pragma once
#include "calibrate.h"
#include "client.h"
#include "curve.h"
#include "hosts.h"
#include "watch.h"
#include <argp.h>
#include <jansson.h>
#include <stdbool.h>

enum { VERB_ARGUMENTS = 2 };

struct stations { /* as they were named: one after the other, or in a file */
    struct hosts named, file;
    unsigned controls, datas; /* of named: the first --endpoint and the first --data are one station, and so on */
};

struct verb;
struct call { /* one invocation */
    const struct verb *verb;
    struct stations stations;
    struct hosts hosts;           /* what they come to: at least one */
    const char *control;          /* of the first */
    const char *key, *server_key; /* files; NULL: not given */
    struct curve curve;
    double timeout_s;
    bool json;
    const char *who; /* --operator; NULL: not said */
    bool daemons;    /* the ports of the daemon's machine */
    int args;
    json_t *params; /* what the verb's options and arguments say, named as in the control contract */
    bool no_wait;
    struct watch_options watch;
    struct calibrate_options calibrate;
    const char *output; /* of keygen */
    bool has_point;     /* and waits for its mass */
    int rest;           /* index of the verb in argv */
};

struct verb {
    const char *name, *args_doc, *doc;
    const struct argp_option *options; /* NULL: the common ones only */
    int min_args, max_args;
    const char *arg[VERB_ARGUMENTS]; /* the parameters that the arguments are */
    int (*run)(struct call *c);
    void (*print)(const json_t *result);
    bool several, by_data; /* it takes more than one station; it needs their data endpoints, not the control endpoints */
    const char *mark;      /* it is the method `mark` with this kind; NULL: the method is called as the verb */
};

/* platectl_verbs.c: in the order of --help; the last has no name */
extern const struct verb verbs[];

/* platectl_options.c */
extern const struct argp_option start_options[], stop_options[], set_options[], plate_options[], rep_options[],
    calibrate_options[], watch_options[], keygen_options[], ports_options[], operator_options[], snapshot_options[];
extern const struct argp common_argp; /* what every verb takes; its input is a struct call, as of parse_verb() */
error_t parse_verb(int key, char *text, struct argp_state *state);

/* platectl_stations.c; the first three end the program where it will not do */
void stations_take_control(struct argp_state *state, struct stations *s, const char *text);
void stations_take_data(struct argp_state *state, struct stations *s, const char *text);
void stations_take_file(struct argp_state *state, struct stations *s, const char *path);
int stations_settle(const struct stations *s, bool several, bool by_data, struct hosts *ret); /* 0 or EXIT_USAGE */
bool stations_have_keys(const struct hosts *hosts);                                           /* one of them */

/* platectl_clocks.c */
int run_clocks(struct call *c);

/* platectl_snapshot.c */
int run_snapshot(struct call *c);

/* platectl_operator.c */
int run_operator(struct call *c);
int operator_speaks(struct call *c); /* who commands, and his token if he has one, into the parameters: 0 or an exit code */
void print_operator(const json_t *o);

/* platectl_print.c */
const char *text_of(const json_t *o, const char *key); /* "" if there is none */
void print_json(const json_t *o);
void print_status(const json_t *o);
void print_tare(const json_t *o);
void print_start(const json_t *o);
void print_correction(const json_t *o);
void print_state(const json_t *o);
void print_mark(const json_t *o);
void print_config(const json_t *o);
void print_shutdown(const json_t *o);
