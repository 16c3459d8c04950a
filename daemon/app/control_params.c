/* Parameters of a command, each checked for what it is and for its limits. */
#include <math.h>
#include <string.h>

#include "control_private.h"

/* Every parameter must be known: a misspelt one is not silently ignored. */
bool control_only(struct answer *a, json_t *params, const char *const *known)
{
    static const char *const always[] = {"operator", "token", "request", NULL};
    const char *key;
    json_t *value;
    json_object_foreach(params, key, value)
    {
        const char *const *k = known, *const *c = always;
        while (*k && strcmp(*k, key) != 0) k++;
        while (*c && strcmp(*c, key) != 0) c++;
        if (*k || *c) continue;
        control_refuse(a, CONTROL_BAD_PARAMS, "%.40s: no such parameter; docs/control.md lists them", key);
        return false;
    }
    return true;
}

static bool is_line(const char *text)
{
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) return false;
    return true;
}

bool control_text(struct answer *a, json_t *params, const char *key, bool required, const char **ret)
{
    json_t *v = json_object_get(params, key);
    *ret = "";
    if (!v && !required) return true;
    if (!json_is_string(v))
        control_refuse(a, CONTROL_BAD_PARAMS, "%s: must be a text%s", key, v ? "" : ", and is missing");
    else if (json_string_length(v) >= PLATE_TEXT_SIZE)
        control_refuse(a, CONTROL_BAD_PARAMS, "%s: at most %d bytes", key, PLATE_TEXT_SIZE - 1);
    else if (!is_line(json_string_value(v)))
        control_refuse(a, CONTROL_BAD_PARAMS, "%s: it has a control character: remove it", key);
    else {
        *ret = json_string_value(v);
        return true;
    }
    return false;
}

bool control_number(struct answer *a, json_t *params, const char *key, double least, double most, double *ret)
{
    json_t *v = json_object_get(params, key);
    *ret = json_is_number(v) ? json_number_value(v) : NAN;
    if (!v || (*ret >= least && *ret <= most)) return true;
    control_refuse(a, CONTROL_BAD_PARAMS, "%s: must be a number from %g to %g", key, least, most);
    return false;
}

bool control_numbers(struct answer *a, json_t *list, const char *key, unsigned n, double *ret)
{
    bool fit = json_is_array(list) && json_array_size(list) == n;
    for (unsigned i = 0; fit && i < n; i++) {
        fit = json_is_number(json_array_get(list, i));
        ret[i] = json_number_value(json_array_get(list, i));
    }
    if (!fit) control_refuse(a, CONTROL_BAD_PARAMS, "%s: must be a list of %u numbers, one for each cell", key, n);
    return fit;
}

bool control_side(struct answer *a, json_t *params, const char *key, bool required, bool *ret_has, enum plate_side *ret)
{
    const bool both = strcmp(key, "involved") != 0;
    const char *text;
    *ret_has = json_object_get(params, key) != NULL;
    if (!control_text(a, params, key, required, &text)) return false;
    if (!*ret_has || (plate_side_parse(text, ret) == 0 && (both || *ret != PLATE_SIDE_BOTH))) return true;
    control_refuse(a, CONTROL_BAD_PARAMS, "%s: \"%.20s\" is none of left, right, %snone", key, text, both ? "both, " : "");
    return false;
}

bool control_count(struct answer *a, json_t *params, const char *key, int32_t *ret)
{
    json_t *v = json_object_get(params, key);
    *ret = 0;
    if (!v) return true;
    if (json_is_integer(v) && json_integer_value(v) >= 1 && json_integer_value(v) <= 1000000) {
        *ret = (int32_t)json_integer_value(v);
        return true;
    }
    control_refuse(a, CONTROL_BAD_PARAMS, "%s: must be a whole number from 1 to 1000000", key);
    return false;
}

bool control_whole(struct answer *a, json_t *params, const char *key, int64_t least, bool *ret_has, int64_t *ret)
{
    json_t *v = json_object_get(params, key);
    *ret_has = v != NULL;
    *ret = v ? json_integer_value(v) : least;
    if (!v || (json_is_integer(v) && *ret >= least)) return true;
    control_refuse(a, CONTROL_BAD_PARAMS, "%s: must be a whole number from %lld", key, (long long)least);
    return false;
}

bool control_bool(struct answer *a, json_t *params, const char *key, bool otherwise, bool *ret)
{
    json_t *v = json_object_get(params, key);
    *ret = v ? json_is_true(v) : otherwise;
    if (!v || json_is_boolean(v)) return true;
    control_refuse(a, CONTROL_BAD_PARAMS, "%s: must be true or false", key);
    return false;
}

bool control_plate(struct answer *a, const struct engine *e, json_t *params, const char **ret)
{
    if (!control_text(a, params, "plate", false, ret)) return false;
    for (unsigned i = 0; i < e->plates; i++)
        if (!**ret || strcmp(e->plate[i].cfg->name, *ret) == 0) return true;
    control_refuse(a, CONTROL_BAD_PARAMS, "plate: there is no plate \"%.32s\"; platectl status lists them", *ret);
    return false;
}
