/* tools/ports.h - platectl ports: what is plugged in, and the line that names it. Opens no port. */
#pragma once
#include <jansson.h>

/* Of this machine, asking no daemon, as the method `ports` answers: 0, or an exit code. */
int ports_here(json_t **ret);
void ports_print(const json_t *answer);
