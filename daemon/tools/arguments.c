#include "arguments.h"
#include "plate/types.h"
#include <math.h>
#include <string.h>

static const char *space(const char *option) { return *option ? " " : ""; }

double argument_number(struct argp_state *state, const char *option, const char *text, double least, double most)
{
    double v = NAN;

    if (plate_number_parse(text, &v) != 0 || v < least || v > most)
        argp_error(state, "%s%s%s: a number from %g to %g", option, space(option), text, least, most);
    return v;
}

double argument_kg(struct argp_state *state, const char *option, const char *text, double least)
{
    double v = NAN;

    if (strspn(text, "0123456789.") != strlen(text) || plate_number_parse(text, &v) != 0 || v < least || v > PLATE_KG_MOST)
        argp_error(state, "%s%s%s: kilograms, %g to %g", option, space(option), text, least, PLATE_KG_MOST);
    return v;
}

double argument_whole(struct argp_state *state, const char *option, const char *text, double least, double most)
{
    double v = NAN;

    if (plate_number_parse(text, &v) != 0 || v != floor(v) || v < least || v > most)
        argp_error(state, "%s%s%s: a whole number, from %g", option, space(option), text, least);
    return v;
}

int argument_count(struct argp_state *state, const char *option, const char *text)
{
    return (int)argument_whole(state, option, text, 1, 1000000);
}

const char *argument_side(struct argp_state *state, const char *option, const char *text, bool both)
{
    enum plate_side side;

    if (plate_side_parse(text, &side) != 0 || (side == PLATE_SIDE_BOTH && !both))
        argp_error(state, "%s%s%s: left, right%s or none", option, space(option), text, both ? ", both" : "");
    return text;
}

const char *argument_text(struct argp_state *state, const char *option, const char *text, size_t size)
{
    const char *what = *option ? option : "text";

    if (!*text || strlen(text) >= size) argp_error(state, "%s: a text of 1 to %zu bytes", what, size - 1);
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) argp_error(state, "%s: it has a control character: remove it", what);
    return text;
}

void argument_print_verb(FILE *file, const char *name, const char *doc)
{
    enum { INDENT = 12, MARGIN = 78 };
    const char *end = strpbrk(doc, ".\v");
    int column = fprintf(file, "  %-*s", INDENT - 2, name);

    while (end && *end == '.' && end[1] && end[1] != ' ' && end[1] != '\v') end = strpbrk(end + 1, ".\v"); /* plated.yaml */
    for (size_t n; doc && *doc && doc != end; doc += n) {
        n = strcspn(doc + 1, " ") + 1; /* with the blank before it */
        if (end && n > (size_t)(end - doc)) n = (size_t)(end - doc);
        if (*doc == ' ') doc++, n--;
        if (column + 1 + (int)n > MARGIN) column = fprintf(file, "\n%*s", INDENT, "") - 1;
        column += fprintf(file, " %.*s", (int)n, doc);
    }
    fputc('\n', file);
}
