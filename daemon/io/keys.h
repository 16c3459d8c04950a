/* io/keys.h - CURVE keys and the files that hold them, in ZPL, the format of ZeroMQ's certificates (docs/security.md).
 * keys_parse_* are pure; the others read or write the file they name. Any thread. Keys are text: 40 characters of Z85. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { KEY_CHARS = 40, KEY_BYTES = 32, KEY_NAME_SIZE = 33, KEYS_CLIENTS = 256, KEYS_FILE_BYTES = 65536 };

struct key_pair {
    char public_key[KEY_CHARS + 1], secret_key[KEY_CHARS + 1]; /* secret_key: empty in a public certificate */
};
struct keys_client {
    char name[KEY_NAME_SIZE]; /* of a device; stands in logs and in `status` */
    char public_key[KEY_CHARS + 1];
    bool command; /* else it may only watch */
};
struct keys_clients {
    struct keys_client client[KEYS_CLIENTS];
    unsigned n;
};
struct keys_error {
    char text[320]; /* "FILE:LINE: what, and what to do" */
};

/* Each: 0, or -EINVAL with *error filled; the output only on success. `name` stands for the file in errors, which never quote
 * a secret. A secret key that is not the public one's other half is refused. */
int keys_parse_certificate(const char *text, size_t n, const char *name, struct key_pair *ret, struct keys_error *error);
int keys_parse_clients(const char *text, size_t n, const char *name, struct keys_clients *ret, struct keys_error *error);

/* The same of files; also -errno of reading. A secret that others may read, or that belongs to somebody else, is -EACCES, and
 * so is a list of clients that others may change. `secret`: the certificate must hold its secret key. */
int keys_load_certificate(const char *path, bool secret, struct key_pair *ret, struct keys_error *error);
int keys_load_clients(const char *path, struct keys_clients *ret, struct keys_error *error);

/* A new pair in NAME.key (0644) and NAME.key_secret (0600). Never overwrites: -EEXIST; -errno, and then neither is there. */
int keys_generate(const char *name, struct key_pair *ret, struct keys_error *error);
void keys_wipe(struct key_pair *pair);
