/* Which stations platectl speaks to. */
#include "platectl.h"
#include <stdio.h>
#include <string.h>

static void take(struct argp_state *state, struct hosts *to, unsigned *n, bool is_data, const char *text)
{
    if (*n == HOSTS) argp_error(state, "%s: at most %d stations", text, HOSTS);
    if (strlen(text) >= HOST_ENDPOINT_BYTES) argp_error(state, "%s: too long for an endpoint", text);
    strcpy(is_data ? to->host[*n].data : to->host[*n].control, text);
    ++*n;
}

void stations_take_control(struct argp_state *state, struct stations *s, const char *text)
{
    take(state, &s->named, &s->controls, false, text);
}

void stations_take_data(struct argp_state *state, struct stations *s, const char *text)
{
    take(state, &s->named, &s->datas, true, text);
}

void stations_take_file(struct argp_state *state, struct stations *s, const char *path)
{
    struct hosts_error e;

    if (s->file.n > 0) argp_error(state, "--hosts: one file");
    if (hosts_load(path, &s->file, &e) == 0) return;
    if (e.line)
        argp_failure(state, EXIT_NO, 0, "%s:%u: %s", path, e.line, e.text);
    else
        argp_failure(state, EXIT_NO, 0, "%s: %s", path, e.text);
}

static int refuse(const char *why)
{
    fprintf(stderr, "platectl: %s\n", why);
    return EXIT_USAGE;
}

int stations_settle(const struct stations *s, bool several, bool by_data, struct hosts *ret)
{
    const unsigned needed = by_data ? s->datas : s->controls, other = by_data ? s->controls : s->datas;
    struct hosts all = s->file.n > 0 ? s->file : s->named;

    if (s->file.n > 0 && needed + other > 0) return refuse("--hosts says it all: leave --endpoint and --data out");
    if (s->file.n == 0) {
        all.n = needed > other ? needed : other;
        if (all.n > 1 && (needed != all.n || (other > 0 && other != all.n)))
            return refuse("several stations: give each its --endpoint and its --data, in the same order");
        if (all.n <= 1 && s->datas == 0) strcpy(all.host[0].data, "tcp://127.0.0.1:7460");
        if (s->controls == 0 && !(by_data && s->datas > 0)) strcpy(all.host[0].control, "tcp://127.0.0.1:7461");
        if (all.n == 0) all.n = 1;
    }
    if (all.n > 1 && !several) return refuse("one station at a time; watch and clocks take several");
    *ret = all;
    return 0;
}

bool stations_have_keys(const struct hosts *hosts)
{
    for (unsigned i = 0; i < hosts->n; i++)
        if (*hosts->host[i].server_key) return true;
    return false;
}
