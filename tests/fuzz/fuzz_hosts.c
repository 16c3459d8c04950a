/* Any bytes as a hosts file: taken, or refused with one line; what is taken is text that says the same again. */
#include "../../daemon/tools/hosts.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void must(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "fuzz_hosts: %s\n", what);
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static char again[HOSTS * sizeof(struct host) + HOSTS * 3];
    struct hosts h, g;
    struct hosts_error e = {0};
    size_t used = 0;

    if (hosts_parse((const char *)bytes, n, &h, &e) < 0) {
        must(*e.text && !strchr(e.text, '\n'), "no reason in one line");
        return 0;
    }
    must(h.n > 0 && h.n <= HOSTS, "a list of none, or of too many");
    for (unsigned i = 0; i < h.n; i++)
        used += (size_t)snprintf(again + used, sizeof again - used, "%s %s %s\n", h.host[i].data, h.host[i].control,
                                 h.host[i].server_key);
    must(hosts_parse(again, used, &g, &e) == 0 && g.n == h.n, "written down it is not taken");
    for (unsigned i = 0; i < h.n; i++)
        must(!strcmp(g.host[i].data, h.host[i].data) && !strcmp(g.host[i].control, h.host[i].control) &&
                 !strcmp(g.host[i].server_key, h.host[i].server_key),
             "it says something else when it is read again");
    return 0;
}
