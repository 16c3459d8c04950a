#include "ports.h"
#include "port_json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int ports_here(json_t **ret)
{
    struct port_found *ports = NULL;
    size_t n = 0;
    int r = port_find_all(&port_roots_system, &ports, &n);
    if (r < 0) {
        fprintf(stderr, "platectl: ports: /sys/class/tty: %s; is /sys mounted?\n", strerror(-r));
        return 1;
    }
    *ret = port_json(ports, n);
    free(ports);
    return *ret ? 0 : 1;
}

static const char *text(const json_t *port, const char *key)
{
    const char *s = json_string_value(json_object_get(port, key));
    return s ? s : "";
}

void ports_print(const json_t *answer)
{
    const json_t *ports = json_object_get(answer, "ports"), *p;
    size_t i;
    json_array_foreach(ports, i, p)
    {
        printf("%s", text(p, "path"));
        if (*text(p, "vendor")) printf("  %s:%s", text(p, "vendor"), text(p, "product"));
        if (*text(p, "serial")) printf("  %s", text(p, "serial"));
        if (*text(p, "what")) printf("  %s", text(p, "what"));
        fputs("\n    port: ", stdout);
        json_dumpf(json_object_get(p, "port"), stdout, JSON_ENCODE_ANY); /* YAML reads what JSON quotes */
        putchar('\n');
    }
    if (json_array_size(ports) == 0) puts("no serial port is plugged in");
}
