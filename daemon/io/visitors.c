#include "visitors.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MOST_AT_A_DOOR = 400,
    FDS_OF_OTHERS = 128,  /* kept for ports, files, ring */
    SUBSCRIPTIONS = 1024, /* of one connection, in all its life */
};
#define UNHEARD_BYTES (8 << 20) /* received over one connection without a whole message: it has no end */
#define PULSE_BYTES_PER_S 256   /* and what heartbeats may come to */

void visitors_init(struct visitors *v)
{
    struct rlimit files;
    rlim_t most = getrlimit(RLIMIT_NOFILE, &files) ? 0 : files.rlim_cur;

    most = most > FDS_OF_OTHERS ? (most - FDS_OF_OTHERS) / (2 * DOORS) : 8; /* each takes two */
    v->most = most < MOST_AT_A_DOOR ? (unsigned)most : MOST_AT_A_DOOR;
}

static void leave(struct visitors *v, struct visitor *one)
{
    if (!one->there) return;
    if (one->fd >= 0) close(one->fd);
    one->there = false;
    v->there[one->door]--;
}

void visitors_done(struct visitors *v)
{
    for (unsigned i = 0; i < v->n; i++) leave(v, &v->visitor[i]);
}

/* ZeroMQ sees the end, and cleans up behind it; the other side sees a reset, also while it sends. */
static void end(struct visitor *one)
{
    one->ended = true;
    if (one->fd < 0) return;
    setsockopt(one->fd, SOL_SOCKET, SO_LINGER, &(struct linger){1, 0}, sizeof(struct linger));
    shutdown(one->fd, SHUT_RDWR);
}

/* Our own descriptor of that socket, or -1: it has gone, and the number may be another's by now. */
static int hold(int fd, bool *ret_tcp)
{
    struct sockaddr_storage peer;
    socklen_t n = sizeof peer;
    const int own = fcntl(fd, F_DUPFD_CLOEXEC, 3);

    if (own < 0) return -1;
    if (getpeername(own, (struct sockaddr *)&peer, &n)) {
        close(own);
        return -1;
    }
    *ret_tcp = peer.ss_family != AF_UNIX;
    return own;
}

/* Each door's monitor is heard for itself. Of one that came to this door and went, it may tell when its number is already that
 * of another, whom the other door's monitor told of: that one stays. */
static bool told_late(const struct visitor *one, unsigned door, uint32_t fd)
{
    struct stat held, now;

    return one->there && one->door != door && one->fd >= 0 && !fstat(one->fd, &held) && !fstat((int)fd, &now) &&
           held.st_dev == now.st_dev && held.st_ino == now.st_ino;
}

bool visitors_come(struct visitors *v, unsigned door, uint32_t fd, int64_t now_ms)
{
    if (fd >= VISITORS) {
        shutdown((int)fd, SHUT_RDWR);
        return false;
    }
    struct visitor *one = &v->visitor[fd];
    if (told_late(one, door, fd)) return true;
    leave(v, one);
    if (fd >= v->n) v->n = fd + 1;
    one->tcp = false;
    one->fd = hold((int)fd, &one->tcp);
    one->there = true;
    one->ended = false;
    one->door = door;
    one->let_in = v->let_in[door];
    one->heard_bytes = 0;
    one->heard_ms = now_ms;
    atomic_store(&one->heard, false);
    atomic_store(&one->too_many, false);
    if (++v->there[door] <= v->most) return true;
    end(one);
    return false;
}

/* Has the other side left? Of one that went faster than we looked it is known only whether anybody was let in meanwhile; had it
 * left before its handshake was over, the monitor would have said so. */
static bool left_by_itself(const struct visitors *v, const struct visitor *one)
{
    char byte;

    if (one->fd < 0) return v->let_in[one->door] != one->let_in;
    ssize_t n = recv(one->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n == 0 || (n < 0 && errno != EAGAIN);
}

bool visitors_go(struct visitors *v, unsigned door, uint32_t fd)
{
    struct visitor *one = fd < VISITORS ? &v->visitor[fd] : NULL;

    if (!one || !one->there || one->door != door) return false;
    const bool cut = !one->ended && !left_by_itself(v, one);
    leave(v, one);
    return cut;
}

static uint64_t received_bytes(const struct visitor *one)
{
    struct tcp_info info;
    socklen_t n = sizeof info;

    memset(&info, 0, sizeof info);
    return !one->tcp || getsockopt(one->fd, IPPROTO_TCP, TCP_INFO, &info, &n) ? 0 : info.tcpi_bytes_received;
}

static bool abuses(struct visitor *one, int64_t now_ms)
{
    const uint64_t bytes = received_bytes(one);

    if (atomic_exchange(&one->heard, false)) {
        one->heard_bytes = bytes;
        one->heard_ms = now_ms;
    }
    const uint64_t pulse = (uint64_t)(now_ms - one->heard_ms) / 1000 * PULSE_BYTES_PER_S;
    return atomic_load(&one->too_many) || bytes > one->heard_bytes + UNHEARD_BYTES + pulse;
}

int visitors_end_abuser(struct visitors *v, int64_t now_ms)
{
    for (struct visitor *one = v->visitor; one < v->visitor + v->n; one++)
        if (one->there && !one->ended && abuses(one, now_ms)) {
            end(one);
            return (int)one->door;
        }
    return -1;
}

void visitors_end_all(struct visitors *v)
{
    for (struct visitor *one = v->visitor; one < v->visitor + v->n; one++)
        if (one->there && !one->ended) end(one);
}

bool visitors_heard(struct visitors *v, int fd, const void *connection, bool subscribed)
{
    if (fd < 0 || fd >= VISITORS) return false;
    struct visitor *one = &v->visitor[fd];
    atomic_store(&one->heard, true);
    if (!subscribed) return false;
    if (one->connection != connection) one->subscriptions = 0; /* what one has left behind is heard when it has gone */
    one->connection = connection;
    if (++one->subscriptions != SUBSCRIPTIONS + 1) return false;
    atomic_store(&one->too_many, true);
    return true;
}
