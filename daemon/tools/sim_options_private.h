/* tools/sim_options_private.h - what stands behind the options of plate-sim. Private to sim_options*.c. What makes no sense
 * ends the program as argp does: a line, and status 2. */
#pragma once
#include "sim_options.h"
#include <argp.h>

/* sim_options_values.c: the value of --what; outside of low to high it makes no sense. */
double sim_number(const struct argp_state *st, const char *what, const char *text, double low, double high);
unsigned sim_whole(const struct argp_state *st, const char *what, const char *text, unsigned low, unsigned high);
/* The place of `word` in a table of `n` names. */
unsigned sim_choice(const struct argp_state *st, const char *what, const char *word, const char *const *names, unsigned n);
void sim_parse_exercise(const struct argp_state *st, const char *name, struct sim_options *o);
void sim_parse_sets(const struct argp_state *st, const char *text, struct sim_options *o);
void sim_parse_weaker(const struct argp_state *st, const char *text, struct sim_options *o);
void sim_parse_free_leg(const struct argp_state *st, const char *text, struct sim_options *o);
void sim_parse_disturb(const struct argp_state *st, const char *text, struct sim_options *o);
void sim_parse_seed(const struct argp_state *st, const char *text, struct sim_options *o);
void sim_parse_hum(const struct argp_state *st, const char *text, struct sim_options *o);
void sim_parse_bad_cell(const struct argp_state *st, const char *text, struct sim_options *o);
void sim_parse_weights(const struct argp_state *st, const char *text, struct sim_options *o);

/* sim_options_check.c: whether they go together; what was left open is filled in. */
void sim_options_check(const struct argp_state *st, struct sim_options *o);
