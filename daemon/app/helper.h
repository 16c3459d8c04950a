/* app/helper.h - what can block and is rare: opening, closing and looking for ports, each on a thread of its own, so that a
 * port that drains for 30 s delays no other plate. The engine submits and collects; one thread. */
#pragma once
#include "port_find.h"

struct helper;
#define HELPER_FOUND (~0u) /* the slot of what helper_find() has found */
struct helper_result {
    unsigned slot;
    int error;                /* 0, or the -errno of port_open, of port_find_all */
    struct port *port;        /* opened; the caller's now */
    struct port_found *found; /* the caller's now: free() */
    size_t n_found;
    struct port_error why;
};
int helper_new(struct helper **ret);
/* Waits up to two seconds for what is under way. NULL is fine. */
void helper_free(struct helper *h);
/* At most one open a slot at a time. `path` is copied. */
int helper_open(struct helper *h, unsigned slot, const struct port_config *cfg);
void helper_close(struct helper *h, struct port *p);
int helper_find(struct helper *h);     /* which ports are plugged in; at most one at a time */
int helper_fd(const struct helper *h); /* readable when there is a result */
bool helper_collect(struct helper *h, struct helper_result *ret);
