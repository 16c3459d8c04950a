#include "port_json.h"

/* What a device says of itself need not be UTF-8: then it is left out. */
static json_t *text(const char *s)
{
    json_t *v = json_string(s);
    return v ? v : json_string("");
}

json_t *port_json(const struct port_found *ports, size_t n)
{
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++) {
        const struct port_found *p = &ports[i];
        char name[384];
        port_find_name(ports, n, i, name, sizeof name);
        json_array_append_new(list,
                              json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "port", text(name), "path", text(p->path),
                                        "vendor", text(p->vendor), "product", text(p->product), "serial", text(p->serial),
                                        "what", text(p->what), "by_id", text(p->by_id), "by_path", text(p->by_path)));
    }
    return json_pack("{s:o}", "ports", list);
}
