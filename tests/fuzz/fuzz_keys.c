/* Any bytes as a file of keys, and as what ZeroMQ asks about a client: a certificate, a list of clients, a request. What is
 * taken is sound, what is refused is one line that quotes no secret, and a stranger never comes in. The first byte says which
 * of the three. */
#include "zap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void must(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "fuzz_keys: %s\n", what);
    abort();
}

static void must_be_a_line(const struct keys_error *why)
{
    must(strncmp(why->text, "fuzz:", 5) == 0 && !strchr(why->text, '\n'), "the error is not one line");
}

static void certificate(const char *text, size_t n)
{
    struct keys_error why = {""};
    struct key_pair pair;

    if (keys_parse_certificate(text, n, "fuzz", &pair, &why) < 0) {
        must_be_a_line(&why);
        return;
    }
    must(strlen(pair.public_key) == KEY_CHARS, "a certificate without a public key was taken");
    must(!*pair.secret_key || strlen(pair.secret_key) == KEY_CHARS, "half a secret key was taken");
    keys_wipe(&pair);
}

static void clients(const char *text, size_t n)
{
    static struct keys_clients list; /* large */
    struct keys_error why = {""};

    if (keys_parse_clients(text, n, "fuzz", &list, &why) < 0) {
        must_be_a_line(&why);
        return;
    }
    for (unsigned i = 0; i < list.n; i++) {
        must(*list.client[i].name && strlen(list.client[i].public_key) == KEY_CHARS, "a client without a name or a key");
        for (unsigned j = 0; j < i; j++)
            must(strcmp(list.client[i].public_key, list.client[j].public_key) != 0, "two clients with one key");
    }
}

/* Frames: a length each, and so many bytes. The list knows one key, of 32 bytes 1. */
static void request(const uint8_t *bytes, size_t n)
{
    static const struct keys_clients list = {
        .client[0] = {.name = "known", .public_key = "0rAi40rAi40rAi40rAi40rAi40rAi40rAi40rAi4", .command = true}, .n = 1};
    struct zap_frame frame[ZAP_FRAMES + 2];
    struct zap_answer answer;
    unsigned frames = 0;

    while (n && frames < ZAP_FRAMES + 2) {
        const size_t size = bytes[0] < n - 1 ? bytes[0] : n - 1;
        frame[frames++] = (struct zap_frame){bytes + 1, size};
        bytes += size + 1;
        n -= size + 1;
    }
    zap_judge(frame, frames, &list, &answer);
    must(!answer.client == (strcmp(answer.status, "200") != 0), "a status that is not what was decided");
    must(answer.metadata_n <= sizeof answer.metadata, "more properties than there is room");
    if (answer.client) {
        uint8_t key[KEY_BYTES];
        memset(key, 1, sizeof key);
        must(frames == ZAP_FRAMES && frame[6].n == KEY_BYTES && !memcmp(frame[6].bytes, key, KEY_BYTES), "a stranger came in");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    if (n == 0) return 0;
    if (bytes[0] == 'z')
        request(bytes + 1, n - 1);
    else if (bytes[0] == 'l')
        clients((const char *)bytes + 1, n - 1);
    else
        certificate((const char *)bytes + 1, n - 1);
    return 0;
}
