/* tools/curve.h - the keys of a client: which are used, and why a station does not let it in. Errors of files are told on
 * standard error, in one line, and come back as an exit code. One thread. */
#pragma once
#include "keys.h"

struct curve { /* all zero: without keys */
    bool has_keys;
    struct key_pair own;
    char server_key[KEY_CHARS + 1];
};
/* Files of certificates; NULL: none. listed: public keys of stations stand in a hosts file. 0, or an exit code. */
int curve_load(struct curve *c, const char *key_file, const char *server_key_file, bool listed);
/* The same for a station of the hosts file; server_key: empty if none stands there. Wipe it when it has been applied. */
struct curve curve_at(const struct curve *c, const char *server_key);
/* For a socket that is not connected yet. 0 or -errno. */
int curve_apply(const struct curve *c, void *socket);

/* What becomes of the handshakes of a socket that is not connected yet: a socket that is readable when there is news. NULL: it
 * cannot be had. Close it before the other. */
void *handshake_open(void *context, void *socket);
/* Takes the news. Why the station does not let us in, and what to do; NULL: nothing is known. *ret_final: and never will. */
const char *handshake_trouble(void *handshake, const struct curve *c, bool *ret_final);
