/* platectl clocks: the clocks of stations against this machine's. */
#include "clock_offset.h"
#include "platectl.h"
#include <stdio.h>
#include <stdlib.h>

enum { QUESTIONS = 8 };

struct reading {
    char station[64];
    int64_t ahead_ns, uncertain_ns;
};

/* Several questions in a row; the first one waits for the connection, too. */
static int ask(const struct call *c, const struct host *host, struct reading *ret)
{
    struct clock_offset offset = {0};
    struct curve curve = curve_at(&c->curve, host->server_key);
    struct client client;
    int r = client_open(&client, host->control, c->timeout_s, &curve);

    keys_wipe(&curve.own);
    if (r) return r;
    for (int i = 0; i < QUESTIONS && r == 0; i++) {
        struct clock_exchange e = {.sent_ns = client_utc_ns()};
        json_t *status = NULL;
        if ((r = client_ask(&client, "status", json_object(), &status)) == 0) {
            e.received_ns = client_utc_ns();
            e.there_ns = json_integer_value(json_object_get(status, "t_utc_ns"));
            clock_offset_add(&offset, &e);
            snprintf(ret->station, sizeof ret->station, "%s", text_of(status, "station"));
        }
        json_decref(status);
    }
    client_close(&client);
    if (r == 0 && !clock_offset_get(&offset, &ret->ahead_ns, &ret->uncertain_ns)) {
        fprintf(stderr, "platectl: %s: says no time; it is an older plated\n", host->control);
        return EXIT_NO;
    }
    return r;
}

/* What is sure, what is not. */
static const char *verdict(int64_t apart_ns, int64_t uncertain_ns)
{
    if (clock_is_off(apart_ns, uncertain_ns)) return "off";
    return llabs(apart_ns) + uncertain_ns <= CLOCK_BOUND_NS ? "agrees" : "cannot tell";
}

static void print_reading(const struct call *c, const struct host *host, const struct reading *r)
{
    const char *word = verdict(r->ahead_ns, r->uncertain_ns);
    json_t *o;

    if (!c->json) {
        printf("%-16s %-28s %+12.3f ms  +- %9.3f  %s\n", r->station, host->control, (double)r->ahead_ns / 1e6,
               (double)r->uncertain_ns / 1e6, word);
        return;
    }
    o = json_pack("{s:s, s:s, s:I, s:I, s:s}", "station", r->station, "endpoint", host->control, "ahead_ns",
                  (json_int_t)r->ahead_ns, "uncertain_ns", (json_int_t)r->uncertain_ns, "verdict", word);
    print_json(o);
    json_decref(o);
}

static int say_farthest(const struct reading *low, const struct reading *high)
{
    int64_t apart_ns = high->ahead_ns - low->ahead_ns, uncertain_ns = high->uncertain_ns + low->uncertain_ns;

    if (!clock_is_off(apart_ns, uncertain_ns)) return 0;
    fprintf(stderr, "platectl: %s is %.3f +- %.3f ms ahead of %s; set the clocks of both by NTP\n", high->station,
            (double)apart_ns / 1e6, (double)uncertain_ns / 1e6, low->station);
    return EXIT_NO;
}

int run_clocks(struct call *c)
{
    struct reading reading[HOSTS];
    const struct reading *low = NULL, *high = NULL;
    int r = 0;

    for (unsigned i = 0; i < c->hosts.n; i++) {
        struct reading *here = &reading[i];
        int asked = ask(c, &c->hosts.host[i], here);
        if (asked == EXIT_USAGE) return asked;
        if (asked) {
            r = asked;
            continue;
        }
        print_reading(c, &c->hosts.host[i], here);
        if (clock_is_off(here->ahead_ns, here->uncertain_ns)) r = EXIT_NO;
        if (!low || here->ahead_ns < low->ahead_ns) low = here;
        if (!high || here->ahead_ns > high->ahead_ns) high = here;
    }
    if (low && low != high && say_farthest(low, high)) r = EXIT_NO;
    return r;
}
