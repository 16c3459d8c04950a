/* plate-sim: a platform that is not there. docs/simulator.md */
#define _GNU_SOURCE /* ppoll */
#include "sim_device.h"
#include "sim_options.h"
#include "sim_source.h"
#include "sim_wire.h"
#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000LL
#define WAKE_NS 250000 /* rows closer together than this go out together */
#define NEVER INT64_MAX
#define SYNC_PULSE_S 0.05
#define DRAIN_GIVE_UP_S 2 /* the reader takes nothing for so long: it is gone */

/* ---- the configuration that fits ---- */

static int port_link(const struct sim_options *o, const struct sim_source *s, unsigned plate, char *ret, size_t size)
{
    if (!o->link) return *ret = 0;
    int n = s->plates == 1 ? snprintf(ret, size, "%s", o->link) : snprintf(ret, size, "%s-%s", o->link, s->plate[plate].name);
    return n < (int)size ? 0 : sim_complain("--link: the path is too long: shorten it");
}

struct full_link {
    const struct sim_options *o;
    const struct sim_source *s;
    char here[PATH_MAX], text[2 * PATH_MAX];
    int failed;
};

static const char *full_link(void *user, unsigned plate)
{
    struct full_link *f = user;
    char link[PATH_MAX];
    f->failed |= port_link(f->o, f->s, plate, link, sizeof link);
    snprintf(f->text, sizeof f->text, "%s%s%s", f->here, f->here[0] ? "/" : "", link);
    return f->text;
}

static int print_config(const struct sim_options *o, const struct sim_source *s, const struct sim_wire *wire)
{
    struct full_link f = {.o = o, .s = s};
    if (o->link[0] != '/' && !getcwd(f.here, sizeof f.here))
        return sim_complain("--link: the working directory is gone: give a full path");
    if (wire || s->trace) {
        if (wire)
            sim_wire_print_plates(wire, full_link, &f);
        else
            sim_trace_print_plates(s->trace, o->protocol, full_link, &f);
        return f.failed || fflush(stdout) ? 1 : 0;
    }
    puts("plates:");
    for (unsigned k = 0; k < s->plates; k++) {
        const struct sim_source_plate *p = &s->plate[k];
        bool sided = !strcmp(p->name, "left") || !strcmp(p->name, "right");
        const char *link = full_link(&f, k);
        if (f.failed) return 1;
        printf("  - name: %s\n    side: %s\n    port: \"%s\"\n    baud: %u\n    decoder: %s\n    rate_Hz: %.7g\n", p->name,
               sided ? p->name : "none", link, o->protocol->baud, o->protocol->name, p->rate_Hz);
        if (!o->protocol->cells) /* others say forces */
            printf("    count_scale: %.*f\n", p->decimals ? (int)p->decimals : 1, pow(10, -(double)p->decimals));
        if (!s->recording && p->cells == 4) printf("    width_mm: %g\n    length_mm: %g\n", SIM_WIDTH_MM, SIM_LENGTH_MM);
        puts("    cells:");
        for (unsigned i = 0; i < p->cells; i++) printf("      - name: %s\n", sim_source_cell(s, k, i));
        fputs(o->protocol->config, stdout);
    }
    return fflush(stdout) ? 1 : 0;
}

/* ---- running ---- */

struct sim {
    const struct sim_options *o;
    struct sim_source source;
    struct sim_wire *wire; /* NULL, or what is played instead of the source's rows */
    struct sim_device *device[PLATE_MAX_PLATES];
    unsigned devices;
    int signals;
    int64_t start_ns, woke_ns;
    bool high[PLATE_MAX_PLATES]; /* on the trigger inputs */
    double t_s;                  /* of the row that was sent last */
    int64_t late_ns;             /* by how much a row was sent after its time, at most */
    enum { PLUGGED, UNPLUGGED, REPLUGGED } plug;
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Sleeps until `until_ns`, or until a port with bytes to send takes some; true: somebody wants us to stop. */
static bool pause_until(const struct sim *m, int64_t until_ns, bool want_out)
{
    struct pollfd fds[1 + PLATE_MAX_PLATES] = {{.fd = m->signals, .events = POLLIN}};
    int64_t left = until_ns - now_ns();
    if (left < 0) left = 0;
    nfds_t n = 1;
    for (unsigned k = 0; want_out && k < m->devices; k++)
        if (sim_device_pending(m->device[k])) fds[n++] = (struct pollfd){.fd = sim_device_fd(m->device[k]), .events = POLLOUT};
    ppoll(fds, n, &(struct timespec){.tv_sec = left / NS_PER_S, .tv_nsec = left % NS_PER_S}, NULL);
    return fds[0].revents != 0;
}

static bool all_heard(const struct sim *m)
{
    bool all = true;
    for (unsigned k = 0; k < m->devices; k++) all &= !sim_device_plugged(m->device[k]) || sim_device_heard(m->device[k]);
    return all;
}

static bool all_have_room(const struct sim *m)
{
    for (unsigned k = 0; k < m->devices; k++)
        if (!sim_device_room(m->device[k])) return false;
    return true;
}

static size_t pending(const struct sim *m)
{
    size_t n = 0;
    for (unsigned k = 0; k < m->devices; k++) n += sim_device_pending(m->device[k]);
    return n;
}

static int flush_all(const struct sim *m)
{
    char text[128];
    for (unsigned k = 0; k < m->devices; k++) {
        long n = sim_device_flush(m->device[k]);
        if (n >= 0) continue;
        snprintf(text, sizeof text, "%s: %s, start again", sim_device_path(m->device[k]), strerror((int)-n));
        return sim_complain(text);
    }
    return 0;
}

/* Until the reader has taken everything and quiet_s has passed since, or it has taken nothing for DRAIN_GIVE_UP_S. The
 * kernel shows only a part of what is under way, so a moment of zero proves nothing. 0; 1: an error; 2: stopped. */
static int drain(const struct sim *m, double quiet_s)
{
    const int64_t quiet_ns = (int64_t)(quiet_s * NS_PER_S), give_up_ns = DRAIN_GIVE_UP_S * NS_PER_S;
    int64_t now = now_ns(), busy_ns = now, moved_ns = now;
    for (size_t before = SIZE_MAX;;) {
        if (flush_all(m)) return 1;
        size_t left = pending(m);
        for (unsigned k = 0; k < m->devices; k++) left += (size_t)sim_device_unread(m->device[k]);
        now = now_ns();
        if (left) busy_ns = now;
        if (left != before) moved_ns = now;
        before = left;
        if (left ? now - moved_ns > give_up_ns : now - busy_ns >= quiet_ns) return 0;
        if (pause_until(m, now + 2000000, true)) return 2;
    }
}

/* Pulls the plug, or puts it back, when its time has come. 0, or 1: it could not be put back. */
static int pull_the_plug(struct sim *m, double t_s)
{
    struct sim_device_error error;
    double at = m->o->unplug_at_s, until = at + m->o->unplug_for_s;
    if (at < 0 || m->plug == REPLUGGED || t_s < (m->plug == PLUGGED ? at : until)) return 0;
    if (m->plug == UNPLUGGED) {
        m->plug = REPLUGGED;
        for (unsigned k = 0; k < m->devices; k++)
            if (sim_device_plug(m->device[k], &error) < 0) return sim_complain(error.text);
        return 0;
    }
    for (unsigned k = 0; k < m->devices; k++) sim_device_end_packet(m->device[k]);
    if (drain(m, 0.02) == 1) return 1;
    for (unsigned k = 0; k < m->devices; k++) sim_device_unplug(m->device[k]);
    m->plug = UNPLUGGED;
    return pull_the_plug(m, t_s);
}

static int64_t due_ns(const struct sim *m)
{
    if (!sim_source_more(&m->source)) return NEVER;
    return m->o->speed > 0 ? m->start_ns + (int64_t)(sim_source_t_s(&m->source) / m->o->speed * NS_PER_S) : 0;
}

/* What a trigger input sees between the last row and this one. The first pulse comes after one interval. */
static int sync_edge(struct sim *m, unsigned plate, double t_s)
{
    if (m->o->sync_s <= 0) return 0;
    bool high = t_s >= m->o->sync_s && fmod(t_s, m->o->sync_s) < SYNC_PULSE_S;
    int edge = high - m->high[plate];
    m->high[plate] = high;
    return edge;
}

/* Every row whose time has come and for which there is room. Without a pace, the signal also waits for a plug to be noticed. */
static int produce(struct sim *m, int64_t now)
{
    int32_t counts[PLATE_MAX_CELLS];
    while (due_ns(m) <= now && all_have_room(m)) {
        double t_s = sim_source_t_s(&m->source);
        if (pull_the_plug(m, t_s)) return 1;
        if (!all_heard(m) && m->o->speed <= 0) break;
        for (unsigned k = 0; k < m->devices; k++) {
            if (!sim_source_has(&m->source, k)) continue;
            sim_source_counts(&m->source, k, counts);
            sim_device_sample(m->device[k], t_s, sim_source_slot(&m->source, k), counts, sync_edge(m, k, t_s));
        }
        m->t_s = t_s;
        sim_source_advance(&m->source);
    }
    if (!sim_source_more(&m->source))
        for (unsigned k = 0; k < m->devices; k++) sim_device_end_packet(m->device[k]);
    return 0;
}

/* When there will be something to do: a row, a burst, or a look whether somebody reads. */
static int64_t next_ns(const struct sim *m, int64_t burst_ns, bool held)
{
    int64_t at = all_have_room(m) ? due_ns(m) : NEVER;
    if (at < m->woke_ns + WAKE_NS) at = m->woke_ns + WAKE_NS;
    if (held) return at < burst_ns ? at : burst_ns;
    int64_t look = now_ns() + 2000000;
    return (pending(m) || !all_heard(m)) && look < at ? look : at;
}

/* 0: the signal is over; 1: an error; 2: stopped. */
static int play(struct sim *m)
{
    int64_t burst = (int64_t)(m->o->burst_s * NS_PER_S), burst_ns = 0;
    while (!all_heard(m))
        if (pause_until(m, now_ns() + 5000000, false)) return 2;
    m->start_ns = m->woke_ns = now_ns();
    burst_ns = m->start_ns + burst;
    for (;;) {
        int64_t now = now_ns(), due = due_ns(m);
        m->woke_ns = now;
        if (produce(m, now)) return 1;
        bool held = burst && now < burst_ns && sim_source_more(&m->source) && all_have_room(m);
        if (!held && flush_all(m)) return 1;
        if (!burst && due > 0 && now_ns() - due > m->late_ns) m->late_ns = now_ns() - due;
        if (burst && now >= burst_ns) burst_ns += (1 + (now - burst_ns) / burst) * burst;
        if (!sim_source_more(&m->source) && !pending(m)) return 0;
        if (pause_until(m, next_ns(m, burst_ns, held), !held)) return 2;
    }
}

/* Sleeps until a device with bytes to send takes some; 2: stopped, 1: an error. */
static int make_room(struct sim *m, const struct sim_device *d, size_t n)
{
    while (sim_device_raw_room(d) < n) {
        if (flush_all(m)) return 1;
        if (sim_device_raw_room(d) < n && pause_until(m, now_ns() + 10000000, true)) return 2;
    }
    return 0;
}

/* One thing that happened to a port, at its time. */
static int play_event(struct sim *m, const struct sim_wire_event *e)
{
    struct sim_device *d = m->device[e->plate];
    struct sim_device_error error;
    int r = 0;
    if (e->kind == SIM_WIRE_BACK) {
        if (sim_device_plugged(d)) return 0;
        return sim_device_plug(d, &error) < 0 ? sim_complain(error.text) : 0;
    }
    if (e->kind == SIM_WIRE_GONE) {
        r = drain(m, 0.02);
        sim_device_unplug(d);
        return r;
    }
    if (m->o->speed <= 0) /* no pace: the signal waits for a plug to be noticed */
        while (sim_device_plugged(d) && !sim_device_heard(d))
            if (pause_until(m, now_ns() + 2000000, false)) return 2;
    r = make_room(m, d, e->n);
    if (r == 0) sim_device_raw(d, e->bytes, e->n);
    return r ? r : flush_all(m);
}

/* As play(), of a capture: its bytes at their times. */
static int play_wire(struct sim *m)
{
    struct sim_wire_event e;
    int r = 0;
    while (!all_heard(m))
        if (pause_until(m, now_ns() + 5000000, false)) return 2;
    m->start_ns = now_ns();
    while (r == 0 && sim_wire_next(m->wire, &e)) {
        const int64_t due = m->o->speed > 0 ? m->start_ns + (int64_t)(e.t_s / m->o->speed * NS_PER_S) : 0;
        while (r == 0 && now_ns() < due) r = pause_until(m, due, pending(m) > 0) ? 2 : flush_all(m);
        if (r == 0) r = play_event(m, &e);
    }
    if (r == 0 && sim_wire_torn_bytes(m->wire))
        fprintf(stderr, "plate-sim: %s: %llu bytes are damaged or cut off: the rest was played\n", m->o->playback,
                (unsigned long long)sim_wire_torn_bytes(m->wire));
    while (r == 0 && pending(m)) r = pause_until(m, now_ns() + 10000000, true) ? 2 : flush_all(m);
    return r;
}

static void counters_json(const struct sim_device_counters *n)
{
    uint64_t gone = n->sent + n->dropped + n->corrupted + n->overrun + n->unplugged;
    printf("\"samples\":%llu,\"sent\":%llu,\"dropped\":%llu,\"corrupted\":%llu,\"overrun\":%llu,\"unplugged\":%llu,\"unsent\":%"
           "llu,"
           "\"packets\":%llu,\"bytes\":%llu",
           (unsigned long long)n->samples, (unsigned long long)n->sent, (unsigned long long)n->dropped,
           (unsigned long long)n->corrupted, (unsigned long long)n->overrun, (unsigned long long)n->unplugged,
           (unsigned long long)(n->samples - gone), (unsigned long long)n->packets, (unsigned long long)n->bytes);
}

static void print_account(const struct sim *m)
{
    struct sim_device_counters sum = {0};
    uint64_t *to = (uint64_t *)&sum;
    for (unsigned k = 0; k < m->devices; k++) {
        const uint64_t *from = (const uint64_t *)sim_device_counters(m->device[k]);
        for (size_t i = 0; i < sizeof sum / sizeof *to; i++) to[i] += from[i];
    }
    putchar('{');
    counters_json(&sum);
    printf(",\"missing\":%llu,\"seconds\":%.6f,\"late_s\":%.6f,\"plates\":[",
           (unsigned long long)sim_source_missing(&m->source), sum.samples ? m->t_s + m->source.period_s : 0,
           (double)m->late_ns / NS_PER_S);
    for (unsigned k = 0; k < m->devices; k++) {
        printf("%s{\"name\":\"%s\",", k ? "," : "", m->source.plate[k].name);
        counters_json(sim_device_counters(m->device[k]));
        putchar('}');
    }
    puts("]}");
}

/* A capture has the answers of its boards in it; what must fit is the byte that asks whether somebody reads. */
static const struct sim_protocol *protocol_of(const struct sim *m, unsigned plate)
{
    if (!m->wire) return m->o->protocol;
    return sim_protocol_find(strcmp(sim_wire_recording(m->wire)->plate[plate].protocol, "native") ? "csv" : "native");
}

/* As a hello says it; 0, not said, where it has no room for it. */
static uint32_t scale_nN(double count_N)
{
    const double nN = round(1e9 * count_N);
    return nN >= 1 && nN <= UINT32_MAX ? (uint32_t)nN : 0;
}

static int open_devices(struct sim *m)
{
    const struct sim_options *o = m->o;
    struct sim_device_error error;
    for (unsigned k = 0; k < m->source.plates; k++) {
        const struct sim_source_plate *p = &m->source.plate[k];
        unsigned most = sim_device_most_per_packet(p->cells), usual = (unsigned)fmin(most, ceil(p->rate_Hz / 1000));
        struct sim_device_config cfg = {.cells = p->cells,
                                        .rate_Hz = p->rate_Hz,
                                        .scale_nN = scale_nN(p->count_N),
                                        .per_packet = o->per_packet ? o->per_packet : usual,
                                        .protocol = protocol_of(m, k),
                                        .wait = o->wait,
                                        .overrun = o->overrun,
                                        .drop = o->drop,
                                        .corrupt = o->corrupt,
                                        .seed = o->body.seed + k};
        if (o->protocol->cells && p->cells != o->protocol->cells) {
            fprintf(stderr, "plate-sim: --protocol: %s has %u cell(s), the recording's plate %s %u\n", o->protocol->name,
                    o->protocol->cells, p->name, p->cells);
            return 2;
        }
        if (cfg.per_packet > most) {
            fprintf(stderr, "plate-sim: --samples-per-packet: at most %u fit with %u cells\n", most, p->cells);
            return 2;
        }
        memcpy(cfg.name, p->name, sizeof cfg.name);
        snprintf(cfg.serial, sizeof cfg.serial, "SIM-%08llx-%u", (unsigned long long)(o->body.seed & 0xFFFFFFFFu), k);
        if (port_link(o, &m->source, k, cfg.link, sizeof cfg.link)) return 1;
        if (sim_device_open(&cfg, &m->device[k], &error) < 0) return sim_complain(error.text);
        m->devices++;
    }
    return 0;
}

static int run(struct sim *m)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    signal(SIGPIPE, SIG_IGN);
    sigprocmask(SIG_BLOCK, &set, NULL);
    prctl(PR_SET_TIMERSLACK, 1);
    m->signals = signalfd(-1, &set, SFD_CLOEXEC);
    if (m->signals < 0) return sim_complain("signalfd: no file descriptor left: close something");
    int r = open_devices(m);
    if (!r) {
        for (unsigned k = 0; k < m->devices; k++)
            printf("PORT %s %s\n", m->source.plate[k].name, sim_device_path(m->device[k]));
        puts("READY");
        fflush(stdout);
        r = m->wire ? play_wire(m) : play(m);
        if (r == 0) r = drain(m, m->o->linger_s);
        if (r != 1) print_account(m);
        r = r == 1;
    }
    for (unsigned k = 0; k < m->devices; k++) sim_device_close(m->device[k]);
    close(m->signals);
    return r;
}

/* The source is then no more than the plates' names. */
static int open_wire(struct sim *m)
{
    char error[320];
    if (sim_wire_open(m->o->playback, &m->wire, error, sizeof error)) return sim_complain(error);
    const struct recording *rec = sim_wire_recording(m->wire);
    m->source.plates = rec->plates;
    for (unsigned k = 0; k < rec->plates; k++) {
        memcpy(m->source.plate[k].name, rec->plate[k].name, sizeof m->source.plate[k].name);
        m->source.plate[k].cells = rec->plate[k].cells;
        m->source.plate[k].rate_Hz = rec->plate[k].rate_Hz;
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct sim_options o;
    char version[64];
    snprintf(version, sizeof version, "plate-sim %s", plate_version());
    argp_program_version = version;
    sim_options_parse(argc, argv, &o);
    struct sim m = {.o = &o};
    int r = sim_options_plays(&o, ".wire") ? open_wire(&m) : sim_source_open(&m.source, &o);
    if (!r) r = o.print_config ? print_config(&o, &m.source, m.wire) : run(&m);
    sim_wire_close(m.wire);
    return sim_source_close(&m.source) | r;
}
