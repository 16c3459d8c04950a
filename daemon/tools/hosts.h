/* tools/hosts.h - the list of stations that one program looks at. docs/operations.md has the file's format.
 * hosts_parse is pure; hosts_load reads a file. Any thread. */
#pragma once
#include <stddef.h>

enum { HOSTS = 32, HOST_ENDPOINT_BYTES = 114, HOST_KEY_CHARS = 40 };

struct host {
    char data[HOST_ENDPOINT_BYTES], control[HOST_ENDPOINT_BYTES];
    char server_key[HOST_KEY_CHARS + 1]; /* the station's public key in Z85; empty: it speaks without CURVE */
};
struct hosts {
    struct host host[HOSTS];
    unsigned n;
};
struct hosts_error {
    unsigned line; /* 0: the file as a whole */
    char text[160];
};
/* 0 with at least one station in *ret; -EINVAL and the reason in *error. */
int hosts_parse(const char *text, size_t n, struct hosts *ret, struct hosts_error *error);
/* The same of a file; else -errno. */
int hosts_load(const char *path, struct hosts *ret, struct hosts_error *error);
