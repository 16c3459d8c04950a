/* io/port_json.h - what is plugged in, as JSON: the answer of the method `ports` and of platectl ports. Any thread. */
#pragma once
#include "port_find.h"
#include <jansson.h>

/* {"ports": [{"port": what to write in plated.yaml, "path", "vendor", "product", "serial", "what", "by_id", "by_path"}, ...]};
 * NULL: out of memory. */
json_t *port_json(const struct port_found *ports, size_t n);
