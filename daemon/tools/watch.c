#include "watch.h"
#include "terminal.h"
#include "watch_lines.h"
#include "watch_screen.h"
#include "watch_station.h"
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>
#include <zmq.h>

enum {
    FRAME_MS = 50,
    IDLE_FRAME_MS = 250,
    BATCH = 1000 /* messages of a station between two looks at the clock */
};

struct watch {
    const struct watch_options *o;
    struct station station[HOSTS];
    unsigned stations;
    struct canvas canvas;
    struct terminal terminal;
    struct metronome metronome;
    void *context;
    int signals;
    bool done, changed;
    int64_t started_ms, drawn_ms;
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool is_screen(const struct watch *w) { return w->o->mode == WATCH_SCREEN; }

static struct station_view view_of(const struct watch *w, const struct station *s)
{
    struct station_view v = {
        .model = &s->model, .endpoint = s->host->data, .trouble = s->trouble, .silent_ms = now_ms() - s->health_ms};

    v.clock_known = clock_offset_get(&s->clock, &v.ahead_ns, &v.uncertain_ns);
    for (unsigned i = 0; i < w->stations; i++)
        v.namesake |= &w->station[i] != s && *s->model.station && !strcmp(w->station[i].model.station, s->model.station);
    return v;
}

/* ---- what comes ---- */

static void end_if_all_are_over(struct watch *w)
{
    bool all = true;

    for (unsigned i = 0; i < w->stations; i++) all &= w->station[i].over;
    w->done |= all && w->o->until_stopped;
}

/* A drive has begun. What was not said of the tempo is the protocol's. */
static void begin_metronome(struct watch *w, const struct station *s)
{
    struct tempo t = w->o->tempo;

    for (int i = 0; i < TEMPO_BEATS; i++)
        if (isnan(t.s[i])) t.s[i] = s->model.target.s[i];
    if (!w->metronome.runs) w->metronome.tempo = tempo_complete(&t);
    metronome_drive(&w->metronome, now_ms());
}

static void take_live(struct watch *w, struct station *s, const struct message *m)
{
    struct station_view v = view_of(w, s);
    struct station_name name = station_name(&v);
    uint64_t missed = watch_missed(&s->model, m->topic, m->o);

    s->model.missed += missed;
    if (missed && !is_screen(w))
        fprintf(stderr, "platectl: %s%s%s: %llu messages were lost on the way; read faster\n", w->stations > 1 ? name.text : "",
                w->stations > 1 ? ": " : "", m->topic, (unsigned long long)missed);
    if (!is_screen(w))
        watch_print(&s->model, w->o->mode, m, w->stations > 1 ? &(struct line_from){name.text, s->host->data} : NULL);
    if (topic_is(m->topic, "session/") && !s->model.recording) {
        s->over = true;
        end_if_all_are_over(w);
    }
    if (w->o->metronome && topic_is(m->topic, "phase/") && !strcmp(word(m->o, "phase"), "drive")) begin_metronome(w, s);
}

static void warn_of_namesakes(const struct watch *w, const struct station *s)
{
    if (!is_screen(w) && view_of(w, s).namesake)
        fprintf(stderr, "platectl: %s: another station calls itself %s, too; give one of them another name (station:)\n",
                s->host->data, s->model.station);
}

static void take_message(void *user, struct station *s, const struct message *m)
{
    struct watch *w = user;
    bool first = !*s->model.station;

    s->heard = w->changed = true;
    if (topic_is(m->topic, "health/")) {
        s->health_ms = now_ms();
        if (s->silent_said) fprintf(stderr, "platectl: %s: plated is back\n", s->host->data);
        s->silent_said = false;
    }
    watch_take(&s->model, m->topic, m->o, m->payload, m->payload_n);
    if (first) warn_of_namesakes(w, s);
    if (!json_is_true(json_object_get(m->o, "cached"))) take_live(w, s, m);
}

/* ---- what is shown ---- */

static void redraw(struct watch *w, int64_t now)
{
    struct station_view view[HOSTS];
    unsigned rows, columns;

    terminal_size(&rows, &columns);
    for (unsigned i = 0; i < w->stations; i++) view[i] = view_of(w, &w->station[i]);
    if (w->stations > 1)
        watch_draw_all(&w->canvas, view, w->stations, rows, columns);
    else
        watch_draw(&w->canvas, view, rows, columns, w->o->metronome ? &w->metronome : NULL, now);
    if (terminal_write(w->canvas.bytes, w->canvas.n) < 0) w->done = true;
    w->drawn_ms = now;
    w->changed = false;
}

static void say_silence_and_clock(struct watch *w, struct station *s)
{
    const struct station_view v = view_of(w, s);
    const bool off = v.clock_known && clock_is_off(v.ahead_ns, v.uncertain_ns);

    if (is_silent(&v) && !s->silent_said)
        fprintf(stderr, "platectl: %s: %s\n", s->host->data, s->trouble ? s->trouble : "no health for 3 s; is plated running?");
    s->silent_said |= is_silent(&v);
    if (off && !s->clock_said)
        fprintf(stderr, "platectl: %s: its clock is %.1f +- %.1f ms ahead of this machine's; set both by NTP\n", s->host->data,
                (double)v.ahead_ns / 1e6, (double)v.uncertain_ns / 1e6);
    s->clock_said = off;
}

static void look_at_clock(struct watch *w, int64_t now)
{
    static const char bell[] = "\a";

    if (w->o->seconds > 0 && (double)(now - w->started_ms) >= w->o->seconds * 1000) w->done = true;
    for (unsigned i = 0; i < w->stations; i++) {
        station_listen_for_trouble(&w->station[i]);
        station_clock(&w->station[i], now);
        if (!is_screen(w)) say_silence_and_clock(w, &w->station[i]);
    }
    if (!is_screen(w)) return;
    if (metronome_due(&w->metronome, now) >= 0) {
        terminal_write(bell, 1);
        w->changed = true;
    }
    if (now - w->drawn_ms >= (w->changed ? FRAME_MS : IDLE_FRAME_MS)) redraw(w, now);
}

/* ---- the loop ---- */

static void take_signal(struct watch *w)
{
    struct signalfd_siginfo info;

    if (read(w->signals, &info, sizeof info) != (ssize_t)sizeof info) return;
    if (info.ssi_signo == SIGWINCH) {
        w->changed = true;
        return;
    }
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
static long idle_ms(const struct watch *w, int64_t now)
{
    int64_t wait = IDLE_FRAME_MS, bell = metronome_wait_ms(&w->metronome, now);

    if (is_screen(w)) wait = w->drawn_ms + (w->changed ? FRAME_MS : IDLE_FRAME_MS) - now;
    if (bell < wait) wait = bell;
    if (w->o->seconds > 0) wait = (int64_t)fmin((double)wait, (double)(w->started_ms - now) + w->o->seconds * 1000 + 1);
    return wait > 0 ? (long)wait : 0;
}

/* 0, or 1 where standard output failed. */
static int flush_lines(struct watch *w, bool reader_is_gone)
{
    if (!reader_is_gone && !fflush(stdout) && !ferror(stdout)) return 0;
    w->done = true;
    if (reader_is_gone || errno == EPIPE) return 0;
    fprintf(stderr, "platectl: standard output: %s; make room, or write elsewhere\n", strerror(errno));
    return 1;
}

static int run(struct watch *w)
{
    enum { SIGNALS, OUT, IN, OTHERS };
    zmq_pollitem_t items[OTHERS + 2 * HOSTS] = {{.fd = w->signals, .events = ZMQ_POLLIN},
                                                {.fd = STDOUT_FILENO, .events = ZMQ_POLLERR},
                                                {.fd = w->terminal.keys ? STDIN_FILENO : -1, .events = ZMQ_POLLIN}};
    int n = OTHERS, r = 0;

    for (unsigned i = 0; i < w->stations; i++) {
        items[n++] = (zmq_pollitem_t){.socket = w->station[i].sub, .events = ZMQ_POLLIN};
        if (w->station[i].control) items[n++] = (zmq_pollitem_t){.socket = w->station[i].control, .events = ZMQ_POLLIN};
    }
    while (!w->done && r == 0) {
        zmq_poll(items, n, idle_ms(w, now_ms()));
        for (unsigned i = 0; i < w->stations; i++)
            for (int k = 0; k < BATCH && !w->done && station_receive(&w->station[i], take_message, w); k++) {
            }
        if (items[SIGNALS].revents) take_signal(w);
        if (items[IN].revents) take_key(w);
        look_at_clock(w, now_ms());
        if (is_screen(w))
            w->done |= items[OUT].revents != 0; /* the terminal is gone */
        else
            r = flush_lines(w, items[OUT].revents);
    }
    return r;
}

static int open_signals(bool screen)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGWINCH);
    if (screen) sigaddset(&set, SIGTSTP);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN); /* a reader that goes is an end, and no crash */
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_stations(struct watch *w)
{
    const char *topics[32] = {"health/"};
    unsigned n = 1;

    for (const char *const *e = watch_event_topics; *e; e++) topics[n++] = *e;
    if (is_screen(w)) topics[n++] = "preview/", topics[n++] = "share/", topics[n++] = "phase/";
    for (; w->stations < w->o->hosts->n; w->stations++) {
        const struct host *host = &w->o->hosts->host[w->stations];
        int error = station_open(&w->station[w->stations], w->context, host, w->o->curve, topics, w->started_ms);
        if (!error) continue;
        fprintf(stderr, "platectl: %s %s: %s; write it like tcp://127.0.0.1:7460\n", host->data, host->control,
                zmq_strerror(error));
        return 2;
    }
    return 0;
}

static int say_unheard(const struct watch *w)
{
    int r = 0;

    for (unsigned i = 0; i < w->stations; i++) {
        if (w->station[i].heard) continue;
        fprintf(stderr, "platectl: %s: %s\n", w->station[i].host->data,
                w->station[i].trouble ? w->station[i].trouble : "nothing heard; is plated running?");
        r = 1;
    }
    return r;
}

static void watch_done(struct watch *w)
{
    if (w->signals >= 0) close(w->signals);
    for (unsigned i = 0; i < w->stations; i++) station_close(&w->station[i]);
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
    w->signals = open_signals(o->mode == WATCH_SCREEN);
    w->started_ms = now_ms();
    w->context = zmq_ctx_new();
    r = open_stations(w);
    if (r == 0) {
        if (is_screen(w)) terminal_enter(&w->terminal);
        if (o->mode == WATCH_CSV) watch_csv_header();
        r = run(w);
        terminal_leave(&w->terminal);
        if (r == 0) r = say_unheard(w);
    }
    watch_done(w);
    return r;
}
