#include "endpoint.h"
#include "plate/event.h"
#include "stream_private.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    MAX_DATA_FRAME = 1024,      /* a handshake's and no more: no subscription needs as much */
    UNTAKEN_SUBSCRIPTIONS = 64, /* of one subscriber; what comes after waits in its connection */
    UNTAKEN_REQUESTS = 16,
    SEND_BUFFER = 262144,
    LINGER_MS = 200
};

/* ---- endpoints ---- */

static int bind_error(const char *endpoint, int error, struct stream_error *ret)
{
    const char *advice = "check the endpoint";

    if (error == EADDRINUSE) advice = "is another plated running? stop it, or set another endpoint";
    if (error == EACCES) advice = "choose a port above 1023, or a directory that plated may write to";
    if (error == EINVAL || error == ENODEV || error == EPROTONOSUPPORT)
        advice = "write it like tcp://127.0.0.1:7460 or ipc:///run/plated/data";
    snprintf(ret->text, sizeof ret->text, "%.120s: cannot bind: %s; %s", endpoint, zmq_strerror(error), advice);
    return -error;
}

static int bind_socket(void *socket, const char *endpoint, bool has_keys, char ret_bound[256], struct stream_error *ret_error)
{
    static const char localhost[] = "tcp://localhost:";
    int on = 1;
    size_t n = 256;
    char name[256];

    if (!has_keys && !endpoint_is_local(endpoint)) {
        snprintf(
            ret_error->text, sizeof ret_error->text,
            "%.120s: other machines could reach it: set stream.secret_key and stream.clients (docs/security.md), or bind to "
            "127.0.0.1",
            endpoint);
        return -EACCES;
    }
    if (!endpoint_is_sane(endpoint)) return bind_error(endpoint, EINVAL, ret_error);
    if (endpoint_ipc_is_alive(endpoint)) return bind_error(endpoint, EADDRINUSE, ret_error);
    if (!strncmp(endpoint, "tcp://[", 7) && zmq_setsockopt(socket, ZMQ_IPV6, &on, sizeof on))
        return bind_error(endpoint, errno, ret_error);
    if (!strncmp(endpoint, localhost, sizeof localhost - 1)) /* libzmq binds to addresses and interfaces, not to names */
        snprintf(name, sizeof name, "tcp://127.0.0.1:%s", endpoint + sizeof localhost - 1);
    else
        snprintf(name, sizeof name, "%s", endpoint);
    if (zmq_bind(socket, name)) return bind_error(endpoint, errno, ret_error);
    return zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, ret_bound, &n) ? bind_error(endpoint, errno, ret_error) : 0;
}

/* ---- open, close ---- */

static int set_int(void *socket, int option, int value) { return zmq_setsockopt(socket, option, &value, sizeof value); }

static int set_limits(void *socket, int high_water, int untaken, int64_t max_message)
{
    return set_int(socket, ZMQ_LINGER, LINGER_MS) || set_int(socket, ZMQ_SNDHWM, high_water) ||
           set_int(socket, ZMQ_RCVHWM, untaken) || zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &max_message, sizeof max_message);
}

static int open_sockets(struct stream *s, int high_water)
{
    s->context = zmq_ctx_new();
    if (!s->context) return -errno;
    s->data = zmq_socket(s->context, ZMQ_XPUB);
    s->control = zmq_socket(s->context, ZMQ_ROUTER);
    if (!s->data || !s->control) return -errno;
    if (set_limits(s->data, high_water, UNTAKEN_SUBSCRIPTIONS, MAX_DATA_FRAME) ||
        set_limits(s->control, 100, UNTAKEN_REQUESTS, 2 * STREAM_MAX_REQUEST))
        return -errno;
    /* What the kernel holds for one subscriber, beside high_water: by itself it lets that grow to some 4 MB. */
    if (set_int(s->data, ZMQ_SNDBUF, SEND_BUFFER) || set_int(s->data, ZMQ_XPUB_VERBOSE, 1) ||
        set_int(s->data, ZMQ_XPUB_NODROP, 0) || set_int(s->control, ZMQ_ROUTER_HANDOVER, 1))
        return -errno;
    return 0;
}

static int open_gate(struct stream *s, const struct stream_config *cfg, struct stream_error *ret_error)
{
    const struct gate_config gate = {cfg->secret_key, cfg->clients, cfg->tell, cfg->tell_user};
    struct keys_error error;
    int r = gate_open(s->context, &gate, &s->gate, &error);

    if (r < 0)
        snprintf(ret_error->text, sizeof ret_error->text, "%s", error.text);
    else if ((r = gate_guard(s->gate, GATE_DATA, s->data)) < 0 || (r = gate_guard(s->gate, GATE_CONTROL, s->control)) < 0)
        snprintf(ret_error->text, sizeof ret_error->text, "stream: cannot guard a socket: %s", zmq_strerror(-r));
    return r;
}

static int open_all(struct stream *s, const struct stream_config *cfg, struct stream_error *ret_error)
{
    struct timespec now;
    int r;

    clock_gettime(CLOCK_REALTIME, &now);
    s->run = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
    if (plate_json_string(cfg->station, s->station, sizeof s->station) < 0) {
        snprintf(ret_error->text, sizeof ret_error->text, "station: the name is longer than 255 bytes; shorten it");
        return -EINVAL;
    }
    stream_session(s, "");
    r = open_sockets(s, cfg->high_water > INT32_MAX ? INT32_MAX : (int)cfg->high_water);
    if (r < 0) {
        snprintf(ret_error->text, sizeof ret_error->text, "stream: cannot open a socket: %s; raise the limit of open files",
                 zmq_strerror(-r));
        return r;
    }
    r = open_gate(s, cfg, ret_error);
    if (r == 0) r = bind_socket(s->data, cfg->data_endpoint, gate_has_keys(s->gate), s->data_endpoint, ret_error);
    if (r == 0) r = bind_socket(s->control, cfg->control_endpoint, gate_has_keys(s->gate), s->control_endpoint, ret_error);
    if (r < 0) return r;
    r = gate_start(s->gate, (const char *const[]){s->data_endpoint, s->control_endpoint});
    if (r < 0) snprintf(ret_error->text, sizeof ret_error->text, "stream: cannot begin a thread: %s", zmq_strerror(-r));
    return r;
}

int stream_open(const struct stream_config *cfg, struct stream **ret, struct stream_error *ret_error)
{
    struct stream *s = calloc(1, sizeof *s);
    int r = -ENOMEM;

    if (s) s->reply = malloc(STREAM_MAX_REPLY);
    if (s && s->reply && history_new(TOPICS, cfg->history_bytes, &s->history) == 0)
        r = open_all(s, cfg, ret_error);
    else
        snprintf(ret_error->text, sizeof ret_error->text, "stream: out of memory; free some");
    if (r < 0) {
        stream_close(s);
        return r;
    }
    *ret = s;
    return 0;
}

/* libzmq leaves the file; it is ours for as long as we are bound. */
static void ipc_unlink(const char *bound)
{
    if (!strncmp(bound, "ipc://", 6) && bound[6] != '@') unlink(bound + 6);
}

void stream_close(struct stream *s)
{
    if (!s) return;
    ipc_unlink(s->data_endpoint);
    ipc_unlink(s->control_endpoint);
    gate_close(s->gate);
    if (s->data) zmq_close(s->data);
    if (s->control) zmq_close(s->control);
    while (s->context && zmq_ctx_term(s->context) && errno == EINTR) {
    }
    stream_cache_drop(s);
    history_free(s->history);
    free(s->reply);
    free(s);
}

const char *stream_endpoint(const struct stream *s, bool control) { return control ? s->control_endpoint : s->data_endpoint; }
