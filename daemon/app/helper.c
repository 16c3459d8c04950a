#include "helper.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct result {
    struct helper_result r;
    struct result *next;
};
struct helper {
    pthread_mutex_t lock;
    pthread_cond_t idle;
    unsigned under_way;
    bool abandoned; /* nobody will collect: the last thread frees */
    int fd;
    struct result *done;
};
struct job {
    struct helper *h;
    char *path; /* to be opened; NULL: close `port`, or, with a result to fill, look for ports */
    struct port_config cfg;
    struct port *port;
    struct result *result;
};

static void free_helper(struct helper *h)
{
    while (h->done) {
        struct result *r = h->done;
        h->done = r->next;
        port_close(r->r.port);
        free(r->r.found);
        free(r);
    }
    close(h->fd);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->idle);
    free(h);
}

int helper_new(struct helper **ret)
{
    struct helper *h = calloc(1, sizeof *h);
    if (!h) return -ENOMEM;
    h->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (h->fd < 0) {
        int e = -errno;
        free(h);
        return e;
    }
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&h->idle, &attr);
    pthread_condattr_destroy(&attr);
    *ret = h;
    return 0;
}

void helper_free(struct helper *h)
{
    if (!h) return;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += 2;
    pthread_mutex_lock(&h->lock);
    while (h->under_way && pthread_cond_timedwait(&h->idle, &h->lock, &until) == 0) {
    }
    h->abandoned = h->under_way > 0;
    bool last = !h->abandoned;
    pthread_mutex_unlock(&h->lock);
    if (last) free_helper(h);
}

static void finish(struct job *j)
{
    struct helper *h = j->h;
    pthread_mutex_lock(&h->lock);
    if (j->result) {
        j->result->next = h->done;
        h->done = j->result;
        uint64_t one = 1;
        (void)!write(h->fd, &one, sizeof one);
    }
    bool last = --h->under_way == 0;
    if (last) pthread_cond_broadcast(&h->idle);
    last = last && h->abandoned;
    pthread_mutex_unlock(&h->lock);
    if (last) free_helper(h);
    free(j->path);
    free(j);
}

static void *work(void *arg)
{
    struct job *j = arg;
    if (j->path)
        j->result->r.error = port_open(&j->cfg, &j->result->r.port, &j->result->r.why);
    else if (j->result)
        j->result->r.error = port_find_all(&port_roots_system, &j->result->r.found, &j->result->r.n_found);
    else
        port_close(j->port);
    finish(j);
    return NULL;
}

static int submit(struct job *j)
{
    pthread_t thread;
    pthread_attr_t attr;
    pthread_mutex_lock(&j->h->lock);
    j->h->under_way++;
    pthread_mutex_unlock(&j->h->lock);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    int e = pthread_create(&thread, &attr, work, j);
    pthread_attr_destroy(&attr);
    if (e == 0) return 0;
    pthread_mutex_lock(&j->h->lock);
    j->h->under_way--;
    pthread_mutex_unlock(&j->h->lock);
    return -e;
}

/* Takes the path over. */
static int submit_for_result(struct helper *h, unsigned slot, const struct port_config *cfg, char *path)
{
    struct job *j = calloc(1, sizeof *j);
    if (j) *j = (struct job){.h = h, .cfg = *cfg, .path = path, .result = calloc(1, sizeof *j->result)};
    int e = !j || !j->result ? -ENOMEM : 0;
    if (e == 0) {
        j->cfg.path = j->path;
        j->result->r.slot = slot;
        e = submit(j);
    }
    if (e == 0) return 0;
    if (j) free(j->result);
    free(j);
    free(path);
    return e;
}

int helper_open(struct helper *h, unsigned slot, const struct port_config *cfg)
{
    char *path = strdup(cfg->path);
    return path ? submit_for_result(h, slot, cfg, path) : -ENOMEM;
}

int helper_find(struct helper *h) { return submit_for_result(h, HELPER_FOUND, &(struct port_config){.path = NULL}, NULL); }

void helper_close(struct helper *h, struct port *p)
{
    if (!p) return;
    struct job *j = calloc(1, sizeof *j);
    if (j) *j = (struct job){.h = h, .port = p};
    if (j && submit(j) == 0) return;
    free(j);
    port_close(p); /* no thread to be had: better late than leaked */
}

int helper_fd(const struct helper *h) { return h->fd; }

bool helper_collect(struct helper *h, struct helper_result *ret)
{
    uint64_t n;
    pthread_mutex_lock(&h->lock);
    struct result *r = h->done;
    if (r) h->done = r->next;
    if (!h->done) (void)!read(h->fd, &n, sizeof n);
    pthread_mutex_unlock(&h->lock);
    if (!r) return false;
    *ret = r->r;
    free(r);
    return true;
}
