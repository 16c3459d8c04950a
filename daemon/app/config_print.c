#include "config_schema.h"
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The shortest decimals that read back as the same number. The caller has set the C locale. */
static void print_number(FILE *f, double v)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, v);
        if (strtod(text, NULL) == v) break;
    }
    fputs(text, f);
}

/* Texts hold no control characters, so a quote and a backslash are all that needs a backslash. */
static void print_text(FILE *f, const char *text)
{
    fputc('"', f);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') fputc('\\', f);
        fputc(*text, f);
    }
    fputc('"', f);
}

static void print_word(FILE *f, const struct config_key *k, double value)
{
    const struct config_word *w = k->words;
    while (w->name && w->value != value) w++;
    if (w->name && isalnum((unsigned char)*w->name))
        fputs(w->name, f);
    else if (w->name)
        print_text(f, w->name);
}

static double word_value(const struct config_key *k, const char *at)
{
    if (k->size == sizeof(char)) return *at;
    if (k->size == sizeof(unsigned)) return *(const unsigned *)at;
    return *(const double *)at;
}

/* A value on its key's line, or nothing where nothing is given. */
static void print_value(FILE *f, const struct config_key *k, const char *at)
{
    const struct config_row *row = (const struct config_row *)at;
    const struct config_words *list = (const struct config_words *)at;
    switch (k->kind) {
    case CONFIG_BOOL:
        fputs(*(const bool *)at ? "true" : "false", f);
        break;
    case CONFIG_WHOLE:
        fprintf(f, "%u", *(const unsigned *)at);
        break;
    case CONFIG_NUMBER:
        if (!isnan(*(const double *)at)) print_number(f, *(const double *)at);
        break;
    case CONFIG_WORD:
        print_word(f, k, word_value(k, at));
        break;
    case CONFIG_WORDS:
        for (unsigned i = 0; i < list->count; i++) {
            fputs(i ? ", " : "[", f);
            print_word(f, k, list->word[i]);
        }
        if (list->count) fputc(']', f);
        break;
    case CONFIG_ROW:
        for (unsigned i = 0; i < row->cells; i++) {
            fputs(i ? ", " : "[", f);
            print_number(f, row->cell[i]);
        }
        if (row->cells) fputc(']', f);
        break;
    default:
        print_text(f, *(char *const *)at);
        break;
    }
}

static bool print_section(FILE *f, enum config_section section, const char *base, const char *first, int indent);

/* The block below a key. */
static bool print_block(FILE *f, const struct config_key *k, const char *base, int indent)
{
    if (k->kind == CONFIG_MAP) return print_section(f, k->of, base, "", indent + 2);
    const char *entries = *(char *const *)(base + k->offset);
    bool ok = true;
    for (unsigned i = 0; i < *(const unsigned *)(base + k->count_offset) && ok; i++)
        ok = print_section(f, k->of, entries + k->size * i, "- ", indent + 4);
    return ok;
}

/* A key with its value or block; *ret_any is false when there was nothing to say. */
static bool print_key(FILE *f, const struct config_key *k, const char *base, const char *first, int indent, bool *ret_any)
{
    char *text = NULL;
    size_t size = 0;
    FILE *value = open_memstream(&text, &size);
    if (!value) return false;
    const bool block = k->kind == CONFIG_MAP || k->kind == CONFIG_LIST;
    bool ok = true;
    if (block)
        ok = print_block(value, k, base, indent);
    else
        print_value(value, k, base + k->offset);
    ok = fclose(value) == 0 && ok;
    *ret_any = ok && size > 0;
    const char *after = block ? "\n" : " ", *end = block ? "" : "\n";
    if (*ret_any) fprintf(f, "%*s%s%s:%s%s%s", indent - (int)strlen(first), "", first, k->name, after, text, end);
    free(text);
    return ok;
}

/* Its lines, indented; `first` stands at the end of the first line's indentation. False: out of memory. */
static bool print_section(FILE *f, enum config_section section, const char *base, const char *first, int indent)
{
    unsigned n;
    const struct config_key *keys = config_section_keys(section, &n);
    bool ok = true;
    for (unsigned i = 0; i < n && ok; i++) {
        /* csv: is refused beside another decoder; a count_scale that was not given stays the decoder's own. */
        if (keys[i].section == CONFIG_PLATE && strcmp(keys[i].name, "count_scale") == 0 &&
            !((const struct config_plate *)base)->count_scale_given &&
            strcmp(((const struct config_plate *)base)->decoder, "auto") == 0)
            continue;
        if (keys[i].of == CONFIG_CSV && strcmp(((const struct config_plate *)base)->decoder, "csv") != 0) continue;
        bool any = false;
        ok = print_key(f, &keys[i], base, first, indent, &any);
        if (any) first = "";
    }
    return ok;
}

char *config_to_text(const struct config *c)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (!f) return NULL;
    const bool ok = print_section(f, CONFIG_TOP, (const char *)c, "", 0);
    if (fclose(f) == 0 && ok) return text;
    free(text);
    return NULL;
}
