#include "plate/correction.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rep_form.h"

const char *const plate_field_words[] = {"side", "warmup", "discarded", "involved", "body_mass_kg", NULL};
static const int32_t number_max = 1000000;

/* ---- text ---- */

/* The next word, cut off; NULL at the end. */
static char *next_word(char **at)
{
    *at += strspn(*at, " ");
    if (!**at) return NULL;
    char *word = *at;
    *at += strcspn(*at, " ");
    if (**at) *(*at)++ = '\0';
    return word;
}

static bool take_number(char **at, int32_t *ret)
{
    const char *word = next_word(at);
    if (!word || strlen(word) > 7 || strspn(word, "0123456789") != strlen(word)) return false;
    *ret = (int32_t)strtol(word, NULL, 10);
    return *ret >= 1 && *ret <= number_max;
}

static bool take_mass(const char *text, double *ret_kg)
{
    char *end;
    if (!*text || strspn(text, "0123456789.") != strlen(text)) return false;
    *ret_kg = strtod(text, &end);
    return !*end && *ret_kg > 0 && *ret_kg <= PLATE_KG_MOST;
}

static bool value_fits(const struct plate_correction *c)
{
    enum plate_side side;
    double kg;
    const bool is_side = plate_side_parse(c->value, &side) == 0;
    const bool is_flag = strcmp(c->value, "true") == 0 || strcmp(c->value, "false") == 0;
    switch ((enum plate_field)c->field) {
    case PLATE_FIELD_SIDE:
        return c->set && !c->rep && is_side;
    case PLATE_FIELD_WARMUP:
        return c->set && !c->rep && is_flag;
    case PLATE_FIELD_DISCARDED:
        return c->set && c->rep && is_flag;
    case PLATE_FIELD_INVOLVED:
        return !c->set && is_side && side != PLATE_SIDE_BOTH;
    case PLATE_FIELD_BODY_MASS:
        return !c->set && take_mass(c->value, &kg);
    }
    return false;
}

int plate_correction_parse(const char *text, const char *plate, struct plate_correction *ret)
{
    struct plate_correction c;
    char copy[PLATE_TEXT_SIZE], *at = copy, *word;
    memset(&c, 0, sizeof c);
    if (strlen(text) >= sizeof copy || strlen(plate) >= sizeof c.plate) return -EINVAL;
    strcpy(copy, text);
    strcpy(c.plate, plate);
    word = next_word(&at);
    if (word && strcmp(word, "set") == 0) {
        if (!take_number(&at, &c.set)) return -EINVAL;
        word = next_word(&at);
    }
    if (word && c.set && strcmp(word, "rep") == 0) {
        if (!take_number(&at, &c.rep)) return -EINVAL;
        word = next_word(&at);
    }
    while (word && plate_field_words[c.field] && strcmp(word, plate_field_words[c.field]) != 0) c.field++;
    const char *value = word && plate_field_words[c.field] ? next_word(&at) : NULL;
    if (!value || next_word(&at) || strlen(value) >= sizeof c.value || (*plate && !c.rep)) return -EINVAL;
    strcpy(c.value, value);
    if (!value_fits(&c)) return -EINVAL;
    *ret = c;
    return 0;
}

int plate_correction_text(const struct plate_correction *c, char *buffer, size_t size)
{
    char where[48] = "";
    if (c->rep)
        snprintf(where, sizeof where, "set %d rep %d ", c->set, c->rep);
    else if (c->set)
        snprintf(where, sizeof where, "set %d ", c->set);
    int n = snprintf(buffer, size, "%s%s %s", where, plate_field_words[c->field], c->value);
    return n >= 0 && (size_t)n < size ? n : -ENOBUFS;
}

/* ---- reps ---- */

bool plate_correction_speaks_of(const struct plate_correction *c, const struct plate_rep *rep)
{
    return (!c->set || c->set == rep->set) && (!c->rep || c->rep == rep->rep) &&
           (!*c->plate || strcmp(c->plate, rep->plate) == 0);
}

void plate_correction_apply(const struct plate_correction *c, const struct plate_protocol_targets *targets,
                            enum plate_side fixed, struct plate_rep *rep, bool *discarded)
{
    enum plate_side side;
    double kg;
    if (!plate_correction_speaks_of(c, rep)) return;
    switch ((enum plate_field)c->field) {
    case PLATE_FIELD_SIDE:
        if (fixed != PLATE_SIDE_NONE || plate_side_parse(c->value, &side) != 0) return;
        rep->side = (int32_t)side;
        rep_judge_side_again(targets, rep);
        return;
    case PLATE_FIELD_WARMUP:
        rep->warmup = strcmp(c->value, "true") == 0;
        return;
    case PLATE_FIELD_DISCARDED:
        *discarded = strcmp(c->value, "true") == 0;
        return;
    case PLATE_FIELD_INVOLVED:
        return;
    case PLATE_FIELD_BODY_MASS:
        if (!take_mass(c->value, &kg)) return;
        rep->peak_force_N_per_kg = rep->peak_force_N / kg;
        rep->mean_force_N_per_kg = rep->mean_force_N / kg;
        rep->hold_force_N_per_kg = rep->hold_force_N / kg;
        return;
    }
}
