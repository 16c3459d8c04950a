#include "sim_options_private.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double sim_number(const struct argp_state *st, const char *what, const char *text, double low, double high)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !(v >= low && v <= high))
        argp_error(st, "--%s: `%s': give a number from %g to %g", what, text, low, high);
    return v;
}

unsigned sim_whole(const struct argp_state *st, const char *what, const char *text, unsigned low, unsigned high)
{
    char *end;
    unsigned long v = strtoul(text, &end, 10);
    if (end == text || *end || *text == '-' || v < low || v > high)
        argp_error(st, "--%s: `%s': give a whole number from %u to %u", what, text, low, high);
    return (unsigned)v;
}

void sim_parse_exercise(const struct argp_state *st, const char *name, struct sim_options *o)
{
    char known[256] = "";
    for (const struct sim_exercise *e = sim_exercises; e->name; e++)
        snprintf(known + strlen(known), sizeof known - strlen(known), "%s%s", known[0] ? ", " : "", e->name);
    o->body.exercise = sim_exercise_find(name);
    if (!o->body.exercise) argp_error(st, "--exercise: `%s' is not one of %s", name, known);
}

void sim_parse_sets(const struct argp_state *st, const char *text, struct sim_options *o)
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

void sim_parse_weaker(const struct argp_state *st, const char *text, struct sim_options *o)
{
    char side[8] = "";
    const char *colon = strchr(text, ':');
    if (colon && colon - text < (int)sizeof side) memcpy(side, text, (size_t)(colon - text));
    if (plate_side_parse(side, &o->body.weaker) < 0 || o->body.weaker == PLATE_SIDE_NONE || o->body.weaker == PLATE_SIDE_BOTH)
        argp_error(st, "--weaker: `%s': give left:PCT or right:PCT", text);
    else
        o->body.weaker_pct = sim_number(st, "weaker", colon + 1, 0, 90);
}

unsigned sim_choice(const struct argp_state *st, const char *what, const char *word, const char *const *names, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        if (!strcmp(word, names[i])) return i;
    argp_error(st, "--%s: `%s' is not in --list", what, word);
    return 0;
}

void sim_parse_free_leg(const struct argp_state *st, const char *text, struct sim_options *o)
{
    static const char *const legs[] = {"drawn", "straight", "tucked"};
    if (strcmp(text, legs[1]) && strcmp(text, legs[2])) argp_error(st, "--free-leg: `%s' is not straight or tucked", text);
    o->body.free_leg = sim_choice(st, "free-leg", text, legs, 3);
    o->thrust_given = true;
}

void sim_parse_disturb(const struct argp_state *st, const char *text, struct sim_options *o)
{
    char copy[256], *rest = copy, *word;
    if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy) argp_error(st, "--disturb: the list is too long");
    while ((word = strsep(&rest, ",")))
        o->body.events |=
            !strcmp(word, "all") ? (1u << SIM_EVENTS) - 1 : 1u << sim_choice(st, "disturb", word, sim_event_names, SIM_EVENTS);
}

void sim_parse_seed(const struct argp_state *st, const char *text, struct sim_options *o)
{
    char *end;
    errno = 0;
    o->body.seed = strtoull(text, &end, 0);
    if (end == text || *end || *text == '-' || errno) argp_error(st, "--seed: `%s': give a whole number", text);
}

/* Splits `VALUE:MORE` in place in `copy`; NULL without a colon. */
static char *split(const struct argp_state *st, const char *what, const char *text, char *copy, size_t size)
{
    if (snprintf(copy, size, "%s", text) >= (int)size) argp_error(st, "--%s: `%s' is too long", what, text);
    char *colon = strchr(copy, ':');
    if (colon) *colon++ = 0;
    return colon;
}

void sim_parse_hum(const struct argp_state *st, const char *text, struct sim_options *o)
{
    char copy[64], *rate = split(st, "hum", text, copy, sizeof copy);
    o->sensor.hum_N = sim_number(st, "hum", copy, 0, 1000);
    o->sensor.hum_Hz = rate ? sim_number(st, "hum", rate, 0.1, 10000) : 50;
}

void sim_parse_bad_cell(const struct argp_state *st, const char *text, struct sim_options *o)
{
    char copy[64], *cell = split(st, "bad-cell", text, copy, sizeof copy), *from = cell ? strchr(cell, ':') : NULL;
    if (from) *from++ = 0;
    o->sensor.bad = (enum sim_bad_cell)(1 + sim_choice(st, "bad-cell", copy, sim_bad_cell_names + 1, SIM_BAD_CELLS - 1));
    o->sensor.bad_cell = cell ? sim_whole(st, "bad-cell", cell, 1, 4) - 1 : 0;
    o->sensor.bad_from_s = from ? sim_number(st, "bad-cell", from, 0, 1e9) : 0;
}

void sim_parse_weights(const struct argp_state *st, const char *text, struct sim_options *o)
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
