#include "ports.h"
#include "port_find.h"
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_text(const struct port_found *ports, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct port_found *p = &ports[i];
        char name[384];
        port_find_name(ports, n, i, name, sizeof name);
        printf("%s", p->path);
        if (*p->vendor) printf("  %s:%s", p->vendor, p->product);
        if (*p->serial) printf("  %s", p->serial);
        if (*p->what) printf("  %s", p->what);
        json_t *quoted = json_string(name); /* YAML reads what JSON quotes */
        fputs("\n    port: ", stdout);
        json_dumpf(quoted, stdout, JSON_ENCODE_ANY);
        putchar('\n');
        json_decref(quoted);
    }
    if (n == 0) puts("no serial port is plugged in");
}

static int print_json(const struct port_found *ports, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct port_found *p = &ports[i];
        char name[384];
        port_find_name(ports, n, i, name, sizeof name);
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "port", name, "path", p->path,
                                              "vendor", p->vendor, "product", p->product, "serial", p->serial, "what", p->what,
                                              "by_id", p->by_id, "by_path", p->by_path));
    }
    json_t *o = json_pack("{s:o}", "ports", list);
    int r = o ? json_dumpf(o, stdout, JSON_COMPACT) : -1;
    putchar('\n');
    json_decref(o);
    return r < 0;
}

int ports_run(bool json)
{
    struct port_found *ports = NULL;
    size_t n = 0;
    int r = port_find_all(&port_roots_system, &ports, &n);
    if (r < 0) {
        fprintf(stderr, "platectl: ports: /sys/class/tty: %s; is /sys mounted?\n", strerror(-r));
        return 1;
    }
    if (json)
        r = print_json(ports, n);
    else
        print_text(ports, n);
    free(ports);
    return r;
}
