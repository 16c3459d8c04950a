#include "watch.h"
#include "curve.h"
#include "watch_lines.h"
#include "watch_screen.h"
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum {
    FRAME_MS = 50,
    IDLE_FRAME_MS = 250,
    BATCH = 1000 /* messages between two looks at the clock */
};

/* ---- the terminal ---- */

struct terminal {
    struct termios before;
    bool keys, entered; /* keys: standard input is a terminal, too */
};

static int write_all(const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDOUT_FILENO, bytes, n);
        if (done < 0 && errno == EAGAIN) {
            struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
            poll(&p, 1, 1000);
        } else if (done < 0 && errno != EINTR)
            return -errno;
        if (done > 0) {
            bytes += done;
            n -= (size_t)done;
        }
    }
    return 0;
}

static void terminal_enter(struct terminal *t)
{
    static const char enter[] = "\033[?1049h\033[?25l\033[?7l\033[2J"; /* alternate screen, no cursor, no wrapping */
    struct termios raw;

    t->keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &t->before) == 0;
    if (t->keys) {
        raw = t->before;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    t->entered = true;
    write_all(enter, sizeof enter - 1);
}

static void terminal_leave(struct terminal *t)
{
    static const char leave[] = "\033[0m\033[?7h\033[?25h\033[?1049l";

    if (!t->entered) return;
    write_all(leave, sizeof leave - 1);
    if (t->keys) tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
    t->entered = false;
}

/* ---- the loop ---- */

struct watch {
    const struct watch_options *o;
    struct model model;
    struct canvas canvas;
    struct terminal terminal;
    void *context, *sub;
    int signals;
    bool heard, silence_said, done, changed;
    int64_t started_ms, health_ms, drawn_ms;
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool session_is_over(const char *topic, const json_t *o)
{
    const char *state = word(o, "state");

    return topic_is(topic, "session/") &&
           (!strcmp(state, "stopped") || !strcmp(state, "sealed") || !strcmp(state, "seal_failed"));
}

static void take_live(struct watch *w, const char *topic, const json_t *o, const char *head, size_t n)
{
    uint64_t missed = watch_missed(&w->model, topic, o);

    w->model.missed += missed;
    if (w->o->mode == WATCH_SCREEN) {
        w->done |= w->o->until_stopped && session_is_over(topic, o);
        return;
    }
    if (missed)
        fprintf(stderr, "platectl: %s: %llu messages were lost on the way; read faster\n", topic, (unsigned long long)missed);
    watch_print(&w->model, w->o->mode, topic, o, head, n);
    w->done |= w->o->until_stopped && session_is_over(topic, o);
}

static void take_message(struct watch *w, const char *topic, const char *head, size_t n, const uint8_t *payload,
                         size_t payload_n)
{
    json_t *o = json_loadb(head, n, 0, NULL);

    if (json_is_object(o)) {
        w->heard = w->changed = true;
        if (topic_is(topic, "health/")) {
            w->health_ms = now_ms();
            if (w->silence_said) fprintf(stderr, "platectl: %s: plated is back\n", w->o->endpoint);
            w->silence_said = false;
        }
        watch_take(&w->model, topic, o, payload, payload_n);
        if (!json_is_true(json_object_get(o, "cached"))) take_live(w, topic, o, head, n);
    }
    json_decref(o);
}

/* False when there is none. */
static bool receive(struct watch *w)
{
    zmq_msg_t part[3];
    char topic[80] = "";
    int n = 0;
    bool got, more = true;

    for (int i = 0; i < 3; i++) zmq_msg_init(&part[i]);
    got = zmq_msg_recv(&part[0], w->sub, ZMQ_DONTWAIT) >= 0;
    for (more = got && zmq_msg_more(&part[0]), n = 1; more; n++) {
        zmq_msg_t *into = &part[n < 2 ? n : 2];
        if (zmq_msg_recv(into, w->sub, 0) < 0) break;
        more = zmq_msg_more(into);
    }
    if (got && n >= 2 && n <= 3 && zmq_msg_size(&part[0]) < sizeof topic) {
        memcpy(topic, zmq_msg_data(&part[0]), zmq_msg_size(&part[0]));
        take_message(w, topic, zmq_msg_data(&part[1]), zmq_msg_size(&part[1]), zmq_msg_data(&part[2]), zmq_msg_size(&part[2]));
    }
    for (int i = 0; i < 3; i++) zmq_msg_close(&part[i]);
    return got;
}

static void redraw(struct watch *w)
{
    struct winsize size = {0};
    struct canvas *c = &w->canvas;
    unsigned rows = 24, columns = 80;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0) {
        rows = size.ws_row;
        columns = size.ws_col < 500 ? size.ws_col : 500;
    }
    watch_draw(c, &w->model, rows, columns, w->o->endpoint, now_ms() - w->health_ms);
    if (write_all(c->bytes, c->n) < 0) w->done = true;
    w->drawn_ms = now_ms();
    w->changed = false;
}

static void take_signal(struct watch *w)
{
    struct signalfd_siginfo info;

    if (read(w->signals, &info, sizeof info) != (ssize_t)sizeof info) return;
    if (info.ssi_signo != SIGTSTP) {
        w->done = true;
        return;
    }
    terminal_leave(&w->terminal);
    raise(SIGSTOP);
    terminal_enter(&w->terminal);
    w->changed = true;
}

static void take_key(struct watch *w)
{
    char key;
    ssize_t n = read(STDIN_FILENO, &key, 1);

    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN) || (n == 1 && key == 'q')) w->done = true;
}

/* How long nothing needs to be done if nothing comes. */
static int64_t idle_ms(const struct watch *w, int64_t now)
{
    int64_t wait = w->health_ms + WATCH_SILENCE_MS + 1 - now;

    if (w->o->mode == WATCH_SCREEN)
        wait = w->drawn_ms + (w->changed ? FRAME_MS : IDLE_FRAME_MS) - now;
    else if (w->silence_said)
        wait = 1000;
    if (w->o->seconds > 0) wait = (int64_t)fmin((double)wait, (double)(w->started_ms - now) + w->o->seconds * 1000 + 1);
    return wait > 0 ? wait : 0;
}

static void look_at_clock(struct watch *w, int64_t now)
{
    if (w->o->seconds > 0 && (double)(now - w->started_ms) >= w->o->seconds * 1000) w->done = true;
    if (w->o->mode == WATCH_SCREEN) {
        if (now - w->drawn_ms >= (w->changed ? FRAME_MS : IDLE_FRAME_MS)) redraw(w);
    } else if (now - w->health_ms > WATCH_SILENCE_MS && !w->silence_said) {
        fprintf(stderr, "platectl: %s: no health for 3 s; is plated running?\n", w->o->endpoint);
        w->silence_said = true;
    }
}

static int run(struct watch *w)
{
    while (!w->done) {
        zmq_pollitem_t items[] = {{.socket = w->sub, .events = ZMQ_POLLIN},
                                  {.fd = w->signals, .events = ZMQ_POLLIN},
                                  {.fd = STDIN_FILENO, .events = ZMQ_POLLIN}};
        zmq_poll(items, w->terminal.keys ? 3 : 2, (long)idle_ms(w, now_ms()));
        for (int i = 0; i < BATCH && !w->done && receive(w); i++) {
        }
        if (items[1].revents) take_signal(w);
        if (w->terminal.keys && items[2].revents) take_key(w);
        look_at_clock(w, now_ms());
        if (w->o->mode != WATCH_SCREEN && (fflush(stdout) || ferror(stdout))) {
            fprintf(stderr, "platectl: standard output: %s; make room, or write elsewhere\n", strerror(errno));
            return 1;
        }
    }
    return 0;
}

static int open_signals(bool screen)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    if (screen) sigaddset(&set, SIGTSTP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int connect_stream(struct watch *w)
{
    const char *const everything = "";
    int zero = 0;

    w->context = zmq_ctx_new();
    w->sub = w->context ? zmq_socket(w->context, ZMQ_SUB) : NULL;
    if (!w->sub) return -errno;
    zmq_setsockopt(w->sub, ZMQ_LINGER, &zero, sizeof zero);
    if (w->o->mode == WATCH_SCREEN)
        zmq_setsockopt(w->sub, ZMQ_SUBSCRIBE, everything, 0);
    else {
        zmq_setsockopt(w->sub, ZMQ_SUBSCRIBE, "health/", 7);
        for (const char *const *e = watch_event_topics; *e; e++) zmq_setsockopt(w->sub, ZMQ_SUBSCRIBE, *e, strlen(*e));
    }
    const int r = curve_apply(w->o->curve, w->sub);
    return r < 0 ? r : zmq_connect(w->sub, w->o->endpoint) ? -errno : 0;
}

static void watch_done(struct watch *w)
{
    terminal_leave(&w->terminal);
    if (w->signals >= 0) close(w->signals);
    if (w->sub) zmq_close(w->sub);
    if (w->context) zmq_ctx_term(w->context);
    free(w);
}

int watch_run(const struct watch_options *o)
{
    struct watch *w = calloc(1, sizeof *w);
    const char *no_colour = getenv("NO_COLOR");
    int r;

    if (!w) return 1;
    setlocale(LC_CTYPE, "");
    w->o = o;
    w->canvas.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
    w->canvas.colour = !no_colour || !*no_colour;
    w->model.ring_pct = NAN;
    w->signals = open_signals(o->mode == WATCH_SCREEN);
    w->started_ms = w->health_ms = now_ms();
    r = connect_stream(w);
    if (r < 0) {
        fprintf(stderr, "platectl: %s: %s; write it like tcp://127.0.0.1:7460\n", o->endpoint, zmq_strerror(-r));
        watch_done(w);
        return 2;
    }
    if (o->mode == WATCH_SCREEN) terminal_enter(&w->terminal);
    if (o->mode == WATCH_CSV) watch_csv_header();
    r = run(w);
    terminal_leave(&w->terminal);
    if (r == 0 && !w->heard) {
        fprintf(stderr, "platectl: %s: nothing heard; is plated running?\n", o->endpoint);
        r = 1;
    }
    watch_done(w);
    return r;
}
