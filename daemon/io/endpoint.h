/* io/endpoint.h - where a socket of ours may be bound, told from its text. Opens nothing but the ipc path that it is asked of.
 * Any thread. */
#pragma once
#include <stdbool.h>

/* Can none but this machine reach it: 127/8, localhost, [::1], ipc, inproc. */
bool endpoint_is_local(const char *endpoint);
/* Not what libzmq would take in a sense nobody means: port 70000 as 4464, ipc path * as a name of its own making. */
bool endpoint_is_sane(const char *endpoint);
/* Does somebody listen at this ipc path? libzmq unlinks whatever stands there before it binds. */
bool endpoint_ipc_is_alive(const char *endpoint);
