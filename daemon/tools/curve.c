#include "curve.h"
#include "client.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

int curve_load(struct curve *c, const char *key_file, const char *server_key_file, bool listed)
{
    struct curve curve = {.has_keys = server_key_file != NULL};
    struct keys_error error;
    struct key_pair server = {.public_key = ""};

    *c = (struct curve){.has_keys = false};
    if (!key_file && !server_key_file && !listed) return 0;
    if (!key_file || (!server_key_file && !listed)) {
        fprintf(stderr, "platectl: --%s is missing; give --key FILE.key_secret and --server-key FILE.key\n",
                key_file ? "server-key" : "key");
        return EXIT_USAGE;
    }
    if (keys_load_certificate(key_file, true, &curve.own, &error) < 0 ||
        (server_key_file && keys_load_certificate(server_key_file, false, &server, &error) < 0)) {
        fprintf(stderr, "platectl: %s\n", error.text);
        return EXIT_NO;
    }
    memcpy(curve.server_key, server.public_key, sizeof curve.server_key);
    *c = curve;
    keys_wipe(&curve.own);
    keys_wipe(&server);
    return 0;
}

struct curve curve_at(const struct curve *c, const char *server_key)
{
    struct curve there = *c;

    if (*server_key) {
        there.has_keys = true;
        snprintf(there.server_key, sizeof there.server_key, "%s", server_key);
    }
    return there;
}

int curve_apply(const struct curve *c, void *socket)
{
    const size_t n = KEY_CHARS + 1;

    if (!c->has_keys) return 0;
    return zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, c->server_key, n) ||
                   zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, c->own.public_key, n) ||
                   zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, c->own.secret_key, n)
               ? -errno
               : 0;
}

void *handshake_open(void *context, void *socket)
{
    const int events =
        ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
    void *pair = zmq_socket(context, ZMQ_PAIR);
    char name[48];
    int zero = 0;

    snprintf(name, sizeof name, "inproc://handshake.%p", socket);
    if (pair && (zmq_setsockopt(pair, ZMQ_RCVHWM, &zero, sizeof zero) || zmq_socket_monitor(socket, name, events) ||
                 zmq_connect(pair, name))) {
        zmq_close(pair);
        pair = NULL;
    }
    return pair;
}

const char *handshake_trouble(void *handshake, const struct curve *c, bool *ret_final)
{
    const char *why = NULL;
    uint8_t event[6];
    uint16_t what;

    while (zmq_recv(handshake, event, sizeof event, ZMQ_DONTWAIT) == sizeof event) {
        zmq_recv(handshake, NULL, 0, 0); /* the endpoint */
        memcpy(&what, event, sizeof what);
        *ret_final = what != ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL;
        if (what == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
            why = "plated does not know this key; add it to its file of clients (docs/security.md)";
        else if (!c->has_keys)
            why = "plated wants keys; give --key and --server-key";
        else
            why = "the handshake failed; is --server-key the key of this plated, and does it speak CURVE?";
        if (*ret_final) break;
    }
    return why;
}
