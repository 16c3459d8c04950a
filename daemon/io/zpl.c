#include "zpl.h"
#include <errno.h>
#include <stdbool.h>
#include <string.h>

struct span {
    const char *at;
    size_t n;
};

static bool blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

static struct span trimmed(const char *at, size_t n)
{
    while (n && blank(*at)) at++, n--;
    while (n && blank(at[n - 1])) n--;
    return (struct span){at, n};
}

static bool name_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("$-_@.&+/", c));
}

static int take(char *to, size_t size, struct span s)
{
    if (s.n >= size) return -EINVAL;
    memcpy(to, s.at, s.n);
    to[s.n] = '\0';
    return 0;
}

/* Behind the equals sign: in quotes, or up to a comment. */
static int value_take(struct span s, struct zpl_item *item, struct zpl *z)
{
    const char *end;

    s = trimmed(s.at, s.n);
    if (s.n && (*s.at == '"' || *s.at == '\'')) {
        end = memchr(s.at + 1, *s.at, s.n - 1);
        z->why = "a quote is not closed; close it on the same line";
        if (!end) return -EINVAL;
        struct span rest = trimmed(end + 1, (size_t)(s.at + s.n - (end + 1)));
        z->why = "something stands behind the closing quote; remove it";
        if (rest.n && *rest.at != '#') return -EINVAL;
        s = (struct span){s.at + 1, (size_t)(end - (s.at + 1))};
    } else if ((end = memchr(s.at, '#', s.n))) {
        s = trimmed(s.at, (size_t)(end - s.at));
    }
    z->why = "the value is too long; shorten it";
    return take(item->value, sizeof item->value, s);
}

static int line_take(struct span line, struct zpl_item *item, struct zpl *z)
{
    struct span s = trimmed(line.at, line.n);
    size_t n = 0;

    item->indent = (size_t)(s.at - line.at);
    item->value[0] = '\0';
    if (s.n == 0 || *s.at == '#') return 0;
    z->why = "a byte 0 in a text; is this the right file?";
    if (memchr(s.at, '\0', s.n)) return -EINVAL;
    while (n < s.n && name_char(s.at[n])) n++;
    z->why = "write NAME, or NAME = VALUE";
    if (n == 0 || take(item->name, sizeof item->name, (struct span){s.at, n}) < 0) return -EINVAL;
    s = trimmed(s.at + n, s.n - n);
    if (s.n && *s.at == '=') return value_take((struct span){s.at + 1, s.n - 1}, item, z) < 0 ? -EINVAL : 1;
    return s.n && *s.at != '#' ? -EINVAL : 1;
}

int zpl_next(struct zpl *z, struct zpl_item *ret)
{
    struct zpl_item item;
    int r = 0;

    while (z->left && r == 0) {
        const char *newline = memchr(z->text, '\n', z->left);
        struct span line = {z->text, newline ? (size_t)(newline - z->text) : z->left};

        z->line++;
        r = line_take(line, &item, z);
        z->left -= line.n + (newline != NULL);
        z->text += line.n + (newline != NULL);
    }
    if (r > 0) *ret = item;
    return r;
}
