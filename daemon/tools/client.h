/* tools/client.h - a question to plated's control socket, and its answer. Part of platectl: errors are told on standard error,
 * in one line, and come back as an exit code. One thread. */
#pragma once
#include <jansson.h>
#include <stdint.h>

struct curve;

enum { EXIT_NO = 1, EXIT_USAGE = 2 };

struct client {
    const char *control;
    double timeout_s;
    void *context, *socket;
    void *handshake; /* NULL: of its failures nothing is known */
    const struct curve *curve;
    int id;
};
int client_open(struct client *c, const char *control, double timeout_s, const struct curve *curve); /* curve: kept */
void client_close(struct client *c);
/* Takes params over. 0: *ret_result is the caller's. */
int client_ask(struct client *c, const char *method, json_t *params, json_t **ret_result);
/* The same, but what the daemon refuses is not told: why is the caller's to tell, and to free. NULL: it did not. */
int client_try(struct client *c, const char *method, json_t *params, json_t **ret_result, char **ret_refusal);
int64_t client_utc_ns(void); /* of this machine */
