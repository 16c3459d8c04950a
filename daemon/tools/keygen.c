#include "keygen.h"
#include "client.h"
#include "keys.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int keygen_run(const char *name, bool json)
{
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    struct keys_error error;
    struct key_pair pair;
    int r = keys_generate(name, &pair, &error);

    if (r < 0) {
        fprintf(stderr, "platectl: keygen: %s\n", error.text);
        return r == -EINVAL ? EXIT_USAGE : EXIT_NO;
    }
    if (json) {
        json_t *o = json_pack("{s:o,s:o,s:s}", "public", json_sprintf("%s.key", name), "secret",
                              json_sprintf("%s.key_secret", name), "public_key", pair.public_key);
        char *text = o ? json_dumps(o, JSON_COMPACT) : NULL;
        if (text) puts(text);
        free(text);
        json_decref(o);
    } else
        printf("%s.key         the public key, to be copied\n"
               "%s.key_secret  the secret one: it stays on this machine\n\n"
               "For a station, in plated.yaml under stream:\n\n"
               "    secret_key: %s.key_secret\n\n"
               "For a client, in the station's file of clients (right: watch or command):\n\n"
               "%s\n"
               "    public-key = \"%s\"\n"
               "    right = watch\n",
               name, name, name, base, pair.public_key);
    keys_wipe(&pair);
    return 0;
}
