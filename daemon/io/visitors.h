/* io/visitors.h - the connections that ZeroMQ has taken in, as its monitor tells of them: how many there are at each of two
 * doors, how one ended, and which of them take too much. gate.c's thread; visitors_heard: one other. */
#pragma once
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { DOORS = 2, VISITORS = 4096 };

struct visitor {
    bool there, tcp, ended; /* ended: by us */
    unsigned door;
    int fd;               /* our own of its socket, so that the number cannot be another's meanwhile; -1: it went at once */
    uint64_t let_in;      /* of the door, when it came */
    uint64_t heard_bytes; /* received over it when a whole message was there last */
    int64_t heard_ms;
    atomic_bool heard, too_many; /* set by visitors_heard */
    const void *connection;      /* visitors_heard's own: whose subscriptions are counted */
    unsigned subscriptions;
};
struct visitors { /* all zero: none */
    struct visitor visitor[VISITORS];
    unsigned n; /* those behind were never there */
    unsigned most, there[DOORS];
    uint64_t let_in[DOORS]; /* handshakes that succeeded; whose they were is not said */
};

void visitors_init(struct visitors *v); /* `most` from how many files the process may open */
void visitors_done(struct visitors *v);
/* fd: ZeroMQ's descriptor. False: there were too many already, and it is turned away. */
bool visitors_come(struct visitors *v, unsigned door, uint32_t fd, int64_t now_ms);
/* ZeroMQ has ended it. True: for a reason of its own, while the other side still wanted something. */
bool visitors_go(struct visitors *v, unsigned door, uint32_t fd);
/* Ends one that has subscribed too often, or sends a message without end, and says at which door; -1: there is none (left). */
int visitors_end_abuser(struct visitors *v, int64_t now_ms);
void visitors_end_all(struct visitors *v);
/* A whole message came over ZeroMQ's descriptor. `connection`: one that is another's, over the same number, has another
 * address. True: it is one subscription too many. */
bool visitors_heard(struct visitors *v, int fd, const void *connection, bool subscribed);
