#include "hosts.h"
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { FIELDS = 3, FILE_BYTES = 1 << 16 };

struct field {
    const char *text;
    size_t n;
};

__attribute__((format(printf, 3, 4))) static int refuse(struct hosts_error *error, unsigned line, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    error->line = line;
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

/* How many fields the line has; those above FIELDS are counted alone. */
static unsigned split(const char *line, size_t n, struct field field[FIELDS])
{
    unsigned fields = 0;

    for (size_t i = 0, from; i < n;) {
        for (; i < n && is_blank(line[i]); i++) {
        }
        for (from = i; i < n && !is_blank(line[i]); i++) {
        }
        if (i == from) break;
        if (fields < FIELDS) field[fields] = (struct field){line + from, i - from};
        fields++;
    }
    return fields;
}

static bool take_endpoint(const struct field *f, char to[HOST_ENDPOINT_BYTES])
{
    const bool scheme = f->n > 6 && (!memcmp(f->text, "tcp://", 6) || !memcmp(f->text, "ipc://", 6));

    if (!scheme || f->n >= HOST_ENDPOINT_BYTES) return false;
    for (size_t i = 0; i < f->n; i++)
        if (f->text[i] < '!' || f->text[i] > '~') return false;
    memcpy(to, f->text, f->n);
    to[f->n] = '\0';
    return true;
}

/* Its characters and its length; whether it is the station's, the station says. */
static bool take_key(const struct field *f, char to[HOST_KEY_CHARS + 1])
{
    static const char z85[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

    if (f->n != HOST_KEY_CHARS) return false;
    for (size_t i = 0; i < f->n; i++)
        if (!f->text[i] || !strchr(z85, f->text[i])) return false;
    memcpy(to, f->text, f->n);
    to[f->n] = '\0';
    return true;
}

static int parse_line(const char *text, size_t n, unsigned line, struct hosts *hosts, struct hosts_error *error)
{
    struct field field[FIELDS];
    unsigned fields = split(text, n, field);
    struct host host = {0};

    if (fields == 0 || *field[0].text == '#') return 0; /* at a line's start alone: a key may have a # in it */
    if (fields < 2 || fields > FIELDS)
        return refuse(error, line, "a station is DATA-ENDPOINT CONTROL-ENDPOINT [SERVER-KEY]; %u fields stand here", fields);
    for (unsigned i = 0; i < 2; i++)
        if (!take_endpoint(&field[i], i ? host.control : host.data))
            return refuse(error, line, "%.*s: no endpoint; write it like tcp://192.168.1.20:746%u",
                          (int)(field[i].n < 60 ? field[i].n : 60), field[i].text, i);
    if (fields == FIELDS && !take_key(&field[2], host.server_key))
        return refuse(error, line, "the server key must be the %d characters of its public key (Z85)", HOST_KEY_CHARS);
    for (unsigned i = 0; i < hosts->n; i++)
        if (!strcmp(hosts->host[i].data, host.data) || !strcmp(hosts->host[i].control, host.control))
            return refuse(error, line, "%s: this station stands here already; leave one of the lines out", host.data);
    if (hosts->n == HOSTS) return refuse(error, line, "at most %d stations", HOSTS);
    hosts->host[hosts->n++] = host;
    return 0;
}

int hosts_parse(const char *text, size_t n, struct hosts *ret, struct hosts_error *error)
{
    struct hosts hosts = {.n = 0};
    unsigned line = 0;

    for (size_t i = 0, end; i < n; i = end + 1) {
        const char *newline = memchr(text + i, '\n', n - i);
        end = newline ? (size_t)(newline - text) : n;
        int r = parse_line(text + i, end - i, ++line, &hosts, error);
        if (r < 0) return r;
    }
    if (hosts.n == 0) return refuse(error, 0, "no station in it; write a line DATA-ENDPOINT CONTROL-ENDPOINT for each");
    *ret = hosts;
    return 0;
}

int hosts_load(const char *path, struct hosts *ret, struct hosts_error *error)
{
    char text[FILE_BYTES];
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof text, f) : 0;
    int r = !f || ferror(f) ? -errno : 0;

    if (f) fclose(f);
    if (r < 0) {
        refuse(error, 0, "%s", strerror(-r));
        return r;
    }
    if (n == sizeof text) return refuse(error, 0, "longer than %d bytes; is it a list of stations?", FILE_BYTES - 1);
    return hosts_parse(text, n, ret, error);
}
