#include "gate.h"
#include "visitors.h"
#include "zap.h"
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum {
    HANDSHAKE_MS = 5000,
    HEARTBEAT_MS = 10000,
    SILENCE_MS = 120000, /* a peer that is gone, or takes nothing for so long, is let go */
    TICK_MS = 25,        /* how long one with a message without end is not seen, while somebody is there */
    FILE_MS = 500,       /* how often the list of clients is looked at */
    TELL_AGAIN_MS = 60000
};

enum kind { UNKNOWN_KEY, BAD_HANDSHAKE, CUT, FULL, ABUSE, KINDS };

struct door {
    void *socket, *monitor; /* socket: the engine's; touched to begin and end its monitor alone */
    char endpoint[256];
    bool failed; /* the next one to leave has been counted already */
    int64_t tell_ms[KINDS];
    uint64_t held[KINDS];
};

struct gate {
    struct gate_config cfg;
    char clients_file[256];
    bool has_keys;
    struct key_pair pair;
    struct keys_clients list;
    struct stat loaded, seen; /* of the list's file */
    int64_t file_ms;
    void *context, *zap;
    struct door door[GATE_DOORS];
    struct visitors visitors;
    int wake; /* eventfd */
    atomic_bool stop;
    bool running;
    pthread_t thread;
    _Atomic uint64_t accepted, count[KINDS];
    atomic_uint connections;
    atomic_uint clients;
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* ---- telling ---- */

static void tell(struct gate *g, bool alarming, const char *where, const char *text)
{
    if (g->cfg.tell) g->cfg.tell(g->cfg.user, alarming, where, text);
}

/* Counts, and says it at once, or once a minute how often it was. */
static void refused(struct gate *g, struct door *d, enum kind kind, int64_t now)
{
    static const char *const text[KINDS] = {
        [UNKNOWN_KEY] = "refused a client whose key is not in the list of clients",
        [BAD_HANDSHAKE] = "refused a client that has no keys, took this for another station, or gave up half way",
        [CUT] = "ended a connection that sent what no client sends, or took nothing for two minutes",
        [FULL] = "turned a client away: as many as may be are connected",
        [ABUSE] = "ended a connection that subscribed to more than there is, or sent a message without end"};
    char line[200];

    atomic_fetch_add(&g->count[kind], 1);
    d->held[kind]++;
    if (now < d->tell_ms[kind]) return;
    if (d->held[kind] == 1)
        snprintf(line, sizeof line, "%s", text[kind]);
    else
        snprintf(line, sizeof line, "%s (%" PRIu64 " since this was said last)", text[kind], d->held[kind]);
    tell(g, true, d->endpoint, line);
    d->held[kind] = 0;
    d->tell_ms[kind] = now + TELL_AGAIN_MS;
}

/* ---- events of the sockets ---- */

static void on_event(struct gate *g, enum gate_door door, unsigned event, uint32_t value, int64_t now)
{
    struct door *d = &g->door[door];

    switch (event) {
    case ZMQ_EVENT_ACCEPTED:
        atomic_fetch_add(&g->accepted, 1);
        if (!visitors_come(&g->visitors, door, value, now)) refused(g, d, FULL, now);
        break;
    case ZMQ_EVENT_ACCEPT_FAILED:
        refused(g, d, FULL, now);
        break;
    case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: /* whose it was is not said */
        g->visitors.let_in[door]++;
        break;
    case ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
    case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
        d->failed = true;
        refused(g, d, BAD_HANDSHAKE, now);
        break;
    case ZMQ_EVENT_DISCONNECTED:
        if (visitors_go(&g->visitors, door, value) && !d->failed) refused(g, d, CUT, now);
        d->failed = false;
        break;
    default:
        break;
    }
}

static void monitor_drain(struct gate *g, enum gate_door door)
{
    uint8_t head[6];
    char endpoint[256];
    uint16_t event;
    uint32_t value;
    int n;

    while ((n = zmq_recv(g->door[door].monitor, head, sizeof head, ZMQ_DONTWAIT)) >= 0) {
        zmq_recv(g->door[door].monitor, endpoint, sizeof endpoint, 0);
        if (n != sizeof head) continue;
        memcpy(&event, head, sizeof event);
        memcpy(&value, head + sizeof event, sizeof value);
        on_event(g, door, event, value, now_ms());
    }
}

/* ---- keys ---- */

static void zap_reply(struct gate *g, const struct zap_frame *id, const struct zap_answer *a)
{
    const char *user = a->client ? a->client->name : "";

    zmq_send(g->zap, "1.0", 3, ZMQ_SNDMORE);
    zmq_send(g->zap, id->bytes, id->n, ZMQ_SNDMORE);
    zmq_send(g->zap, a->status, 3, ZMQ_SNDMORE);
    zmq_send(g->zap, a->text, strlen(a->text), ZMQ_SNDMORE);
    zmq_send(g->zap, user, strlen(user), ZMQ_SNDMORE);
    zmq_send(g->zap, a->metadata, a->metadata_n, 0);
}

static void zap_tell(struct gate *g, const struct zap_frame *domain, const struct zap_answer *a)
{
    struct door *d = &g->door[domain->n && *(const char *)domain->bytes == 'c' ? GATE_CONTROL : GATE_DATA];
    char line[96];

    if (!a->client) {
        refused(g, d, UNKNOWN_KEY, now_ms());
        return;
    }
    snprintf(line, sizeof line, "%s has come in, to %s", a->client->name, a->client->command ? "command" : "watch");
    tell(g, false, d->endpoint, line);
}

/* One request of ZeroMQ's, which waits for the answer before it lets a client in. */
static void zap_serve(struct gate *g)
{
    zmq_msg_t part[ZAP_FRAMES + 1]; /* the last one takes what is too many */
    struct zap_frame frame[ZAP_FRAMES + 1] = {{"", 0}};
    struct zap_answer answer;
    unsigned n = 0;
    bool more = true;

    for (unsigned i = 0; i <= ZAP_FRAMES; i++) zmq_msg_init(&part[i]);
    for (unsigned i; more; n++) {
        i = n < ZAP_FRAMES ? n : ZAP_FRAMES;
        if (zmq_msg_recv(&part[i], g->zap, n ? 0 : ZMQ_DONTWAIT) < 0) break;
        frame[i] = (struct zap_frame){zmq_msg_data(&part[i]), zmq_msg_size(&part[i])};
        more = zmq_msg_more(&part[i]);
    }
    if (n) {
        zap_judge(frame, n, &g->list, &answer);
        zap_reply(g, &frame[1], &answer);
        zap_tell(g, &frame[2], &answer);
    }
    for (unsigned i = 0; i <= ZAP_FRAMES; i++) zmq_msg_close(&part[i]);
}

/* ---- the list's file ---- */

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_mode == b->st_mode && a->st_uid == b->st_uid;
}

/* Is somebody gone, or allowed less or more? One more client changes nothing for those who are in. */
static bool rights_changed(const struct keys_clients *before, const struct keys_clients *after)
{
    for (const struct keys_client *b = before->client; b < before->client + before->n; b++) {
        const struct keys_client *a = after->client;
        while (a < after->client + after->n && strcmp(a->public_key, b->public_key)) a++;
        if (a == after->client + after->n || a->command != b->command || strcmp(a->name, b->name)) return true;
    }
    return false;
}

static void list_reload(struct gate *g)
{
    struct keys_clients list;
    struct keys_error error;
    char line[400];
    bool changed;

    if (keys_load_clients(g->clients_file, &list, &error) < 0) {
        snprintf(line, sizeof line, "%s; the list before it still holds", error.text);
        tell(g, true, "clients", line);
        return;
    }
    changed = rights_changed(&g->list, &list);
    g->list = list;
    atomic_store(&g->clients, list.n);
    snprintf(line, sizeof line, "%.200s: %u client(s)%s", g->clients_file, list.n,
             changed ? "; all connections begin anew, as some rights have changed" : "");
    tell(g, false, "clients", line);
    if (!changed) return;
    for (int i = 0; i < GATE_DOORS; i++)
        monitor_drain(g, (enum gate_door)i); /* also who was judged by the list before just now */
    visitors_end_all(&g->visitors);
}

/* A file that changes is read when it has been still for half a second: an editor writes it in pieces. */
static void list_look(struct gate *g, int64_t now)
{
    struct stat st = {0};

    if (!g->has_keys || now < g->file_ms) return;
    g->file_ms = now + FILE_MS;
    if (stat(g->clients_file, &st)) st = (struct stat){0};
    if (!same_file(&st, &g->loaded) && same_file(&st, &g->seen)) {
        g->loaded = st;
        list_reload(g);
    }
    g->seen = st;
}

/* ---- the thread ---- */

static int timeout_ms(const struct gate *g)
{
    if (atomic_load(&g->connections)) return TICK_MS;
    return g->has_keys ? FILE_MS : -1;
}

static void *run(void *user)
{
    struct gate *g = user;
    zmq_pollitem_t item[] = {{.fd = g->wake, .events = ZMQ_POLLIN},
                             {.socket = g->door[GATE_DATA].monitor, .events = ZMQ_POLLIN},
                             {.socket = g->door[GATE_CONTROL].monitor, .events = ZMQ_POLLIN},
                             {.socket = g->zap, .events = ZMQ_POLLIN}};
    int64_t look_ms = 0;

    while (!atomic_load(&g->stop)) {
        uint64_t n;
        zmq_poll(item, g->zap ? 4 : 3, timeout_ms(g));
        const int64_t now = now_ms();
        const bool called = item[0].revents && read(g->wake, &n, sizeof n) > 0;
        for (int i = 0; i < GATE_DOORS; i++) monitor_drain(g, (enum gate_door)i);
        atomic_store(&g->connections, g->visitors.there[GATE_DATA] + g->visitors.there[GATE_CONTROL]);
        if (g->zap) zap_serve(g);
        list_look(g, now);
        if (now < look_ms && !called) continue;
        look_ms = now + TICK_MS;
        for (int door; (door = visitors_end_abuser(&g->visitors, now)) >= 0;) refused(g, &g->door[door], ABUSE, now);
    }
    return NULL;
}

void gate_heard(struct gate *g, const char *fd, bool subscribed)
{
    if (fd && visitors_heard(&g->visitors, atoi(fd), fd, subscribed)) (void)!write(g->wake, &(uint64_t){1}, sizeof(uint64_t));
}

/* ---- open, close ---- */

static int failed(struct keys_error *error, const char *what)
{
    const int e = errno ? errno : EIO;

    snprintf(error->text, sizeof error->text, "stream: %s: %s", what, zmq_strerror(e));
    return -e;
}

static int keys_open(struct gate *g, struct keys_error *error)
{
    int r = keys_load_certificate(g->cfg.secret_key, true, &g->pair, error);

    if (stat(g->clients_file, &g->loaded)) g->loaded = (struct stat){0}; /* what changes from here on is seen */
    if (r == 0) r = keys_load_clients(g->clients_file, &g->list, error);
    if (r < 0) return r;
    g->seen = g->loaded;
    atomic_store(&g->clients, g->list.n);
    g->zap = zmq_socket(g->context, ZMQ_REP);
    return g->zap && zmq_bind(g->zap, "inproc://zeromq.zap.01") == 0 ? 0 : failed(error, "cannot judge keys");
}

int gate_open(void *context, const struct gate_config *cfg, struct gate **ret, struct keys_error *error)
{
    struct gate *g = calloc(1, sizeof *g);
    int r = 0;

    if (!g) return failed(error, "out of memory");
    g->cfg = *cfg;
    g->context = context;
    g->has_keys = cfg->secret_key && *cfg->secret_key;
    g->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    snprintf(g->clients_file, sizeof g->clients_file, "%s", cfg->clients ? cfg->clients : "");
    visitors_init(&g->visitors);
    if (g->wake < 0) r = failed(error, "cannot make an eventfd");
    if (r == 0 && g->has_keys) r = keys_open(g, error);
    if (r < 0) {
        gate_close(g);
        return r;
    }
    *ret = g;
    return 0;
}

static int set_int(void *socket, int option, int value) { return zmq_setsockopt(socket, option, &value, sizeof value); }

static int set_keys(const struct gate *g, enum gate_door door, void *socket)
{
    static const char *const domain[] = {"data", "control"};

    return set_int(socket, ZMQ_CURVE_SERVER, 1) ||
           zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, g->pair.secret_key, KEY_CHARS + 1) ||
           zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, domain[door], strlen(domain[door]));
}

int gate_guard(struct gate *g, enum gate_door door, void *socket)
{
    char name[32];
    struct door *d = &g->door[door];
    const int events = ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_ACCEPT_FAILED | ZMQ_EVENT_DISCONNECTED |
                       ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                       ZMQ_EVENT_HANDSHAKE_SUCCEEDED;

    snprintf(name, sizeof name, "inproc://gate.%d", (int)door);
    d->monitor = zmq_socket(g->context, ZMQ_PAIR);
    d->socket = socket;
    if (!d->monitor || set_int(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) || set_int(socket, ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS) ||
        set_int(socket, ZMQ_HEARTBEAT_TIMEOUT, SILENCE_MS) || set_int(socket, ZMQ_TCP_MAXRT, SILENCE_MS) ||
        (g->has_keys && set_keys(g, door, socket)) || zmq_socket_monitor(socket, name, events) ||
        set_int(d->monitor, ZMQ_RCVHWM, 0) || /* ZeroMQ's thread would wait for us */
        set_int(d->monitor, ZMQ_LINGER, 0) || zmq_connect(d->monitor, name))
        return -errno;
    return 0;
}

int gate_start(struct gate *g, const char *const endpoint[GATE_DOORS])
{
    sigset_t all, before; /* signals are for the threads that asked for them */
    int e;

    for (int i = 0; i < GATE_DOORS; i++) snprintf(g->door[i].endpoint, sizeof g->door[i].endpoint, "%s", endpoint[i]);
    keys_wipe(&g->pair);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    e = pthread_create(&g->thread, NULL, run, g);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    g->running = e == 0;
    return -e;
}

void gate_close(struct gate *g)
{
    if (!g) return;
    for (int i = 0; i < GATE_DOORS; i++) /* first: ZeroMQ's thread would wait for somebody to hear of its events */
        if (g->door[i].socket) zmq_socket_monitor(g->door[i].socket, NULL, 0);
    atomic_store(&g->stop, true);
    if (g->running && write(g->wake, &(uint64_t){1}, sizeof(uint64_t)) > 0) pthread_join(g->thread, NULL);
    for (int i = 0; i < GATE_DOORS; i++)
        if (g->door[i].monitor) zmq_close(g->door[i].monitor);
    if (g->zap) zmq_close(g->zap);
    visitors_done(&g->visitors);
    if (g->wake >= 0) close(g->wake);
    keys_wipe(&g->pair);
    free(g);
}

bool gate_has_keys(const struct gate *g) { return g->has_keys; }

void gate_counters(const struct gate *g, struct gate_counters *ret)
{
    *ret = (struct gate_counters){.connections = atomic_load(&g->connections),
                                  .accepted = atomic_load(&g->accepted),
                                  .unknown_keys = atomic_load(&g->count[UNKNOWN_KEY]),
                                  .bad_handshakes = atomic_load(&g->count[BAD_HANDSHAKE]),
                                  .cut = atomic_load(&g->count[CUT]),
                                  .turned_away = atomic_load(&g->count[FULL]),
                                  .abuses = atomic_load(&g->count[ABUSE]),
                                  .clients = atomic_load(&g->clients)};
}
