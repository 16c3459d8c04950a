/* tools/ports.h - platectl ports: what is plugged into this machine, and the line that names it. Asks no daemon, opens no port.
 */
#pragma once
#include <stdbool.h>

int ports_run(bool json); /* an exit code */
