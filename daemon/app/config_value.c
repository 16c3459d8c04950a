#include "config_schema.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- one value ---- */

/* Why a text is not the value that its key wants; "" while it is. */
struct reason {
    char text[256];
};
#define REASON(...) (snprintf(why->text, sizeof why->text, __VA_ARGS__), -EINVAL)

static const char *unit_of(const struct config_key *k, char buffer[24])
{
    snprintf(buffer, 24, *k->unit ? " %s" : "%s", k->unit);
    return buffer;
}

static int number_take(const struct config_key *k, const char *text, double *ret, struct reason *why)
{
    double v;
    char unit[24];
    if (plate_number_parse(text, &v) != 0) {
        const bool comma = strchr(text, ',') && strspn(text, "0123456789+-,") == strlen(text);
        return REASON("'%.60s' is not a number, %s", text, comma ? "write a decimal point" : "write digits, as 12 or 0.5");
    }
    if (k->kind == CONFIG_WHOLE && v != floor(v)) return REASON("%.60s is not a whole number, round it", text);
    if (!(v >= k->min && v <= k->max))
        return REASON("%.60s is out of range, give %.10g to %.10g%s", text, k->min, k->max, unit_of(k, unit));
    *ret = v + 0.0; /* no negative zero */
    return 0;
}

static int bool_take(const char *text, bool *ret, struct reason *why)
{
    static const char *const words[] = {"false", "no", "off", "true", "yes", "on"};
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *ret = i >= 3;
            return 0;
        }
    return REASON("'%.60s' is neither true nor false, write one of them", text);
}

static int word_find(const struct config_key *k, const char *text, double *ret, struct reason *why)
{
    const struct config_word *w = k->words;
    while (w->name && strcmp(w->name, text) != 0) w++;
    if (!w->name) {
        char list[128] = "";
        size_t n = 0;
        for (const struct config_word *i = k->words; i->name; i++)
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i == k->words ? "" : i[1].name ? ", " : " or ", i->name);
        return REASON("'%.60s' is not known, give %s", text, list);
    }
    *ret = w->value;
    return 0;
}

static int word_take(const struct config_key *k, const char *text, void *out, struct reason *why)
{
    double v = 0;
    int r = word_find(k, text, &v, why);
    if (r == 0 && k->size == sizeof(char)) *(char *)out = (char)v;
    if (r == 0 && k->size == sizeof(unsigned)) *(unsigned *)out = (unsigned)v;
    if (r == 0 && k->size == sizeof(double)) *(double *)out = v;
    return r;
}

/* Code points that a YAML text could not hold unchanged, or that would break a line of a log. The text is UTF-8: libyaml saw to
 * it. */
static bool text_printable(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        const unsigned more = *c < 0x80 ? 0 : *c < 0xe0 ? 1 : *c < 0xf0 ? 2 : 3;
        uint32_t code = *c & (more == 0 ? 0x7fu : 0x3fu >> more);
        c++;
        for (unsigned i = 0; i < more; i++, c++) code = code << 6 | (*c & 0x3fu);
        if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 || code == 0xfeff ||
            (code & 0xfffe) == 0xfffe)
            return false;
    }
    return true;
}

static int text_take(const struct config_key *k, const char *text, char **ret, struct reason *why)
{
    const double n = (double)strlen(text);
    if (k->kind == CONFIG_NAME && !plate_name_valid(text))
        return REASON("'%.60s' cannot be a name, use 1 to %d of A-Z a-z 0-9 _ -", text, PLATE_NAME_SIZE - 1);
    if (k->kind == CONFIG_TEXT && n > k->max) return REASON("%.0f bytes are too long, shorten it to %.0f", n, k->max);
    if (k->kind == CONFIG_TEXT && n < k->min) return REASON("is empty, give a text");
    if (!text_printable(text)) return REASON("holds a control character, remove it");
    *ret = strdup(text);
    return *ret ? 0 : -ENOMEM;
}

static int scalar_take(const struct config_key *k, const char *text, void *out, struct reason *why)
{
    if (!text && !k->fallback) return REASON("is missing, give it");
    if (!text) text = k->fallback;
    double v = NAN;
    int r = 0;
    switch (k->kind) {
    case CONFIG_BOOL:
        return bool_take(text, out, why);
    case CONFIG_WORD:
        return word_take(k, text, out, why);
    case CONFIG_TEXT:
    case CONFIG_NAME:
        return text_take(k, text, out, why);
    case CONFIG_NUMBER:
        if (*text) r = number_take(k, text, &v, why);
        if (r == 0) *(double *)out = v;
        return r;
    default:
        r = number_take(k, text, &v, why);
        if (r == 0) *(unsigned *)out = (unsigned)v;
        return r;
    }
}

/* ---- sections ---- */

static int entry_fail(const struct config_source *src, const char *path, unsigned i, const struct reason *why)
{
    char at[CONFIG_PATH_SIZE];
    snprintf(at, sizeof at, "%s[%u]", path, i);
    return config_fail(src, at, "%s", why->text);
}

static int row_take(const struct config_source *src, const struct config_key *k, const struct config_slot *slot,
                    struct config_row *row, const char *path)
{
    row->cells = slot ? slot->n : 0;
    for (unsigned i = 0; i < row->cells; i++) {
        struct reason why = {""};
        const char *text = ((char **)slot->p)[i];
        if (number_take(k, text ? text : "", &row->cell[i], &why) < 0) return entry_fail(src, path, i, &why);
    }
    return 0;
}

static int words_take(const struct config_source *src, const struct config_key *k, const struct config_slot *slot,
                      struct config_words *list, const char *path)
{
    list->count = slot ? slot->n : 0;
    for (unsigned i = 0; i < list->count; i++) {
        struct reason why = {""};
        const char *text = ((char **)slot->p)[i];
        double v = 0;
        if (word_find(k, text ? text : "", &v, &why) < 0) return entry_fail(src, path, i, &why);
        list->word[i] = (unsigned)v;
    }
    return 0;
}

static int list_take(const struct config_source *src, const struct config_key *k, const struct config_slot *slot, char *base,
                     const char *path)
{
    const unsigned n = slot && slot->p ? slot->n : 0;
    if (n < k->min) return config_fail(src, path, "is missing, give at least %.0f", k->min);
    char *entries = calloc(n, k->size);
    if (!entries) return -ENOMEM;
    *(void **)(base + k->offset) = entries;
    *(unsigned *)(base + k->count_offset) = n;
    unsigned keys;
    config_section_keys(k->of, &keys);
    for (unsigned i = 0; i < n; i++) {
        char at[CONFIG_PATH_SIZE];
        snprintf(at, sizeof at, "%s[%u]", path, i);
        int r =
            config_section_take(src, k->of, (const struct config_slot *)slot->p + (size_t)keys * i, entries + k->size * i, at);
        if (r < 0) return r;
    }
    return 0;
}

int config_section_take(const struct config_source *src, enum config_section section, const struct config_slot *slots,
                        void *base, const char *path)
{
    unsigned n;
    const struct config_key *keys = config_section_keys(section, &n);
    int r = 0;
    for (unsigned i = 0; i < n && r == 0; i++) {
        const struct config_key *k = &keys[i];
        const struct config_slot *slot = slots && slots[i].p ? &slots[i] : NULL;
        char at[CONFIG_PATH_SIZE];
        snprintf(at, sizeof at, "%s%s%s", path, *path ? "." : "", k->name);
        if (k->kind == CONFIG_MAP) {
            r = config_section_take(src, k->of, slot ? slot->p : NULL, base, at);
        } else if (k->kind == CONFIG_LIST) {
            if (!src->is_protocol) r = list_take(src, k, slot, base, at);
        } else if (k->kind == CONFIG_ROW) {
            r = row_take(src, k, slot, (struct config_row *)((char *)base + k->offset), at);
        } else if (k->kind == CONFIG_WORDS) {
            r = words_take(src, k, slot, (struct config_words *)((char *)base + k->offset), at);
        } else {
            struct reason why = {""};
            r = scalar_take(k, slot ? slot->p : NULL, (char *)base + k->offset, &why);
            if (r == -EINVAL) config_fail(src, at, "%s", why.text);
        }
    }
    return r;
}

void config_section_done(enum config_section section, char *base)
{
    unsigned n;
    const struct config_key *keys = config_section_keys(section, &n);
    for (unsigned i = 0; i < n; i++) {
        const struct config_key *k = &keys[i];
        if (k->kind == CONFIG_MAP) config_section_done(k->of, base);
        if (k->kind == CONFIG_TEXT || k->kind == CONFIG_NAME) free(*(char **)(base + k->offset));
        if (k->kind != CONFIG_LIST) continue;
        char *entries = *(char **)(base + k->offset);
        for (unsigned e = 0; entries && e < *(unsigned *)(base + k->count_offset); e++)
            config_section_done(k->of, entries + k->size * e);
        free(entries);
    }
}
