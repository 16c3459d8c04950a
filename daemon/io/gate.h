/* io/gate.h - who comes in: keys and rights (CURVE, ZAP), how many at once, and what was refused, of the two sockets of a
 * stream. A thread of its own does it, so that a flood of strangers costs the engine nothing; it does no other work.
 * gate_counters: any thread; the rest: the thread that opened it. docs/security.md. */
#pragma once
#include "keys.h"
#include <stdbool.h>
#include <stdint.h>

struct gate;
enum gate_door { GATE_DATA, GATE_CONTROL, GATE_DOORS };

struct gate_config {
    const char *secret_key, *clients; /* files; both empty or NULL: no keys, whoever reaches an endpoint may do all */
    /* Called on the gate's thread with a line for people, at most one a minute of each kind. It must not block. */
    void (*tell)(void *user, bool alarming, const char *where, const char *text);
    void *user;
};
struct gate_counters {
    uint64_t connections; /* that stand now */
    uint64_t accepted;
    uint64_t unknown_keys;   /* refused: not in the list of clients */
    uint64_t bad_handshakes; /* no keys, another server's, or given up half way */
    uint64_t cut;            /* ended by us: no ZeroMQ, a frame too long, silent for too long */
    uint64_t turned_away;    /* too many at once */
    uint64_t abuses;         /* ended by us: subscribed too much, or sent without end */
    unsigned clients;        /* in the list; 0 without keys */
};

/* 0, or -errno with *error filled. `context` is ZeroMQ's. */
int gate_open(void *context, const struct gate_config *cfg, struct gate **ret, struct keys_error *error);
/* Keys and limits for a socket that is not bound yet; then, once both are bound at these endpoints, the thread. */
int gate_guard(struct gate *g, enum gate_door door, void *socket);
int gate_start(struct gate *g, const char *const endpoint[GATE_DOORS]);
/* Before the sockets are closed. NULL is fine. */
void gate_close(struct gate *g);
bool gate_has_keys(const struct gate *g);
/* A whole message came over this connection: its property "__fd", as ZeroMQ holds it; NULL: none. Engine's thread. */
void gate_heard(struct gate *g, const char *fd, bool subscribed);
void gate_counters(const struct gate *g, struct gate_counters *ret);
