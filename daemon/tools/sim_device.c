#define _GNU_SOURCE /* ptys */
#include "sim_device.h"
#include "plate/wire.h"
#include "sim_body.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define OUT_SIZE 65536
#define OUT_MARGIN 1024 /* a sample can complete a packet and call for a hello; a line of eight cells is 120 bytes */
#define MIN_PACKET 5    /* "0,0\r\n" */
#define HELLO_S 1.0

struct mark { /* a packet in the buffer */
    size_t end;
    unsigned samples;
    bool corrupt;
};
struct sim_device {
    struct sim_device_config cfg;
    struct sim_device_counters n;
    struct sim_rng faults;
    int master, slave; /* the slave stays open here: a reader that goes away is no hang-up */
    char pty[64];
    bool read, told, powered; /* its probe was taken; it was told to send; it has taken a sample since it was plugged in */
    bool delimit;             /* at the start, and after a packet that was cut off: the next one shall not share its fate */
    double t0_s, hello_at_s;
    uint64_t slot0;
    int32_t counts[PLATE_WIRE_BODY_MAX / 4];
    unsigned pending_samples;
    uint8_t pending_edge;
    char command[32]; /* the last that it was told */
    uint64_t pending_slot;
    double pending_t_s;
    uint8_t out[OUT_SIZE];
    size_t out_n;
    struct mark mark[OUT_SIZE / MIN_PACKET];
    unsigned marks;
};

static int fail(struct sim_device_error *e, int r, const char *where, const char *what)
{
    snprintf(e->text, sizeof e->text, "%.120s: %s, %s", where, strerror(-r), what);
    return r;
}

/* ---- the pty and its name ---- */

static int open_pty(struct sim_device *d)
{
    struct termios t;
    d->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
    if (d->master < 0) return -errno;
    if (grantpt(d->master) < 0 || unlockpt(d->master) < 0) return -errno;
    int r = ptsname_r(d->master, d->pty, sizeof d->pty);
    if (r) return -r;
    d->slave = open(d->pty, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (d->slave < 0 || tcgetattr(d->slave, &t) < 0) return -errno;
    cfmakeraw(&t);
    return tcsetattr(d->slave, TCSANOW, &t) < 0 ? -errno : 0;
}

/* Replaces a symlink that is there (a killed simulator leaves one) in one step; never anything else. */
static int make_link(const struct sim_device *d)
{
    char aside[sizeof d->cfg.link + 32], old[16];
    if (readlink(d->cfg.link, old, sizeof old) < 0 && errno != ENOENT) return errno == EINVAL ? -EEXIST : -errno;
    snprintf(aside, sizeof aside, "%s.%ld", d->cfg.link, (long)getpid());
    if (symlink(d->pty, aside) < 0) return -errno;
    if (rename(aside, d->cfg.link) == 0) return 0;
    int r = -errno;
    unlink(aside);
    return r;
}

static void remove_link(const struct sim_device *d)
{
    char target[sizeof d->pty + 1];
    ssize_t n = d->cfg.link[0] ? readlink(d->cfg.link, target, sizeof target) : -1;
    if (n > 0 && (size_t)n == strlen(d->pty) && !memcmp(target, d->pty, (size_t)n)) unlink(d->cfg.link);
}

/* A byte that every decoder passes over. It goes through a kernel worker: wait, so that `unread` can tell when it is taken. */
static int send_probe(struct sim_device *d)
{
    if (write(d->master, &d->cfg.protocol->idle, 1) != 1) return errno ? -errno : -EIO;
    for (unsigned i = 0; i < 5000; i++) {
        if (sim_device_unread(d) > 0) return 0;
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
    return -ETIMEDOUT;
}

static void close_pty(struct sim_device *d)
{
    if (d->slave >= 0) close(d->slave);
    if (d->master >= 0) close(d->master);
    d->slave = d->master = -1;
}

int sim_device_plug(struct sim_device *d, struct sim_device_error *ret_error)
{
    int r = open_pty(d);
    d->read = !d->cfg.wait;
    d->told = !d->cfg.protocol->answers;
    d->powered = false;
    d->delimit = true;
    memset(d->command, 0, sizeof d->command);
    if (!r && d->cfg.wait) r = send_probe(d);
    if (r < 0) {
        close_pty(d);
        return fail(ret_error, r, "pty", "see that /dev/pts is mounted and has free ptys");
    }
    r = d->cfg.link[0] ? make_link(d) : 0;
    if (r < 0) {
        close_pty(d);
        return fail(ret_error, r, d->cfg.link,
                    "give --link a path that is free or a symlink, in a directory that can be written");
    }
    return 0;
}

/* What is in the buffer was never sent: the cable is out. */
static void lose_buffer(struct sim_device *d, uint64_t *counter)
{
    for (unsigned i = 0; i < d->marks; i++) *counter += d->mark[i].samples;
    d->marks = 0;
    d->out_n = 0;
}

void sim_device_unplug(struct sim_device *d)
{
    if (d->master < 0) return;
    lose_buffer(d, &d->n.unplugged);
    d->n.unplugged += d->pending_samples;
    d->pending_samples = 0;
    remove_link(d);
    close_pty(d);
    d->read = false;
}

int sim_device_open(const struct sim_device_config *cfg, struct sim_device **ret, struct sim_device_error *ret_error)
{
    struct sim_device *d = calloc(1, sizeof *d);
    if (!d) return fail(ret_error, -ENOMEM, cfg->name, "close something");
    d->cfg = *cfg;
    d->master = d->slave = -1;
    sim_rng_init(&d->faults, cfg->seed, UINT64_C(1) << 32);
    int r = sim_device_plug(d, ret_error);
    if (r < 0) {
        free(d);
        return r;
    }
    *ret = d;
    return 0;
}

void sim_device_close(struct sim_device *d)
{
    if (!d) return;
    if (d->master >= 0) remove_link(d);
    close_pty(d);
    free(d);
}

const char *sim_device_path(const struct sim_device *d) { return d->cfg.link[0] ? d->cfg.link : d->pty; }
const struct sim_device_counters *sim_device_counters(const struct sim_device *d) { return &d->n; }
bool sim_device_plugged(const struct sim_device *d) { return d->master >= 0; }
int sim_device_fd(const struct sim_device *d) { return d->master; }
size_t sim_device_pending(const struct sim_device *d) { return d->out_n; }

/* FIONREAD alone does not count what waits for a kernel worker; poll() of a tty with nothing to read hands that on first. */
int sim_device_unread(const struct sim_device *d)
{
    struct pollfd slave = {.fd = d->slave, .events = POLLIN};
    int n = 0;
    if (poll(&slave, 1, 0) > 0) (void)ioctl(d->slave, FIONREAD, &n);
    return n;
}

static void put(struct sim_device *d, const void *bytes, size_t n, unsigned samples, bool corrupt);

/* Answers the command that ends with this byte. */
static void hear(struct sim_device *d, char c)
{
    memmove(d->command, d->command + 1, sizeof d->command - 1);
    d->command[sizeof d->command - 1] = c;
    for (const struct sim_answer *a = d->cfg.protocol->answers; a->command; a++) {
        size_t n = strlen(a->command);
        if (memcmp(d->command + sizeof d->command - n, a->command, n) != 0) continue;
        put(d, a->answer, strlen(a->answer), 0, false);
        d->told = a->sends;
        d->powered &= a->sends; /* its clock starts with the next capture */
        sim_device_flush(d);
        return;
    }
}

bool sim_device_heard(struct sim_device *d)
{
    char bytes[64];
    if (!d->read && d->master >= 0) d->read = sim_device_unread(d) == 0;
    if (d->read && d->cfg.protocol->answers)
        for (ssize_t n; (n = read(d->master, bytes, sizeof bytes)) > 0;)
            for (ssize_t i = 0; i < n; i++) hear(d, bytes[i]);
    return d->read && d->told;
}

/* ---- packets ---- */

unsigned sim_device_most_per_packet(unsigned cells) { return PLATE_WIRE_MAX_SAMPLES(cells); }

bool sim_device_room(const struct sim_device *d)
{
    return d->out_n + OUT_MARGIN <= OUT_SIZE && d->marks + 4 <= sizeof d->mark / sizeof d->mark[0];
}

static void put(struct sim_device *d, const void *bytes, size_t n, unsigned samples, bool corrupt)
{
    if (d->delimit) d->out[d->out_n++] = (uint8_t)d->cfg.protocol->idle;
    d->delimit = false;
    memcpy(d->out + d->out_n, bytes, n);
    d->out_n += n;
    if (samples) d->mark[d->marks++] = (struct mark){.end = d->out_n, .samples = samples, .corrupt = corrupt};
    d->n.packets += samples > 0;
}

/* A packet that is ready to go meets its fate. `tail`: bytes at its end that stay whole, so that the next one is not hurt. */
static void emit(struct sim_device *d, uint8_t *packet, size_t n, size_t tail, unsigned samples)
{
    if (d->cfg.drop > 0 && sim_rng_uniform(&d->faults, 0, 1) < d->cfg.drop) {
        d->n.dropped += samples;
        return;
    }
    bool corrupt = d->cfg.corrupt > 0 && sim_rng_uniform(&d->faults, 0, 1) < d->cfg.corrupt;
    if (corrupt) {
        uint64_t u = sim_rng_u64(&d->faults);
        packet[(u >> 32) % (n - tail)] ^= (uint8_t)(1 + (u & 0xFFFF) % 255);
    }
    put(d, packet, n, samples, corrupt);
}

static uint64_t device_us(const struct sim_device *d, double t_s) { return (uint64_t)llround((t_s - d->t0_s) * 1e6); }

void sim_device_end_packet(struct sim_device *d)
{
    uint8_t packet[PLATE_WIRE_PACKET_MAX];
    if (!d->pending_samples) return;
    uint16_t n = plate_wire_data_edge(packet, (uint32_t)(d->pending_slot - d->slot0), (uint32_t)device_us(d, d->pending_t_s),
                                      d->counts, (uint8_t)d->pending_samples, (uint8_t)d->cfg.cells, d->pending_edge);
    emit(d, packet, n, d->cfg.protocol->tail, d->pending_samples);
    d->pending_samples = d->pending_edge = 0;
}

static void say_hello(struct sim_device *d)
{
    uint8_t packet[PLATE_WIRE_PACKET_MAX];
    uint16_t n = plate_wire_hello(packet, (uint8_t)d->cfg.cells, (uint32_t)lround(d->cfg.rate_Hz * 1000), d->cfg.scale_nN,
                                  d->cfg.name, d->cfg.serial);
    put(d, packet, n, 0, false);
}

static void native_sample(struct sim_device *d, double t_s, uint64_t slot, const int32_t *counts, int edge)
{
    if (edge && d->pending_edge) sim_device_end_packet(d); /* a packet has room for one */
    if (d->pending_samples && slot != d->pending_slot + d->pending_samples) sim_device_end_packet(d);
    if (t_s >= d->hello_at_s) {
        sim_device_end_packet(d);
        say_hello(d);
        d->hello_at_s = t_s + HELLO_S;
    }
    if (!d->pending_samples) {
        d->pending_slot = slot;
        d->pending_t_s = t_s;
    }
    if (edge) d->pending_edge = plate_wire_edge((uint8_t)d->pending_samples, edge > 0);
    memcpy(d->counts + d->pending_samples * d->cfg.cells, counts, d->cfg.cells * sizeof *counts);
    if (++d->pending_samples == d->cfg.per_packet) sim_device_end_packet(d);
}

static void other_sample(struct sim_device *d, double t_s, const int32_t *counts, int edge)
{
    uint8_t bytes[SIM_SAMPLE_MAX];
    size_t n = d->cfg.protocol->sample(
        bytes, &(struct sim_sample){device_us(d, t_s), counts, d->cfg.cells, d->cfg.scale_nN * 1e-9, edge});
    emit(d, bytes, n, d->cfg.protocol->tail, 1);
}

void sim_device_sample(struct sim_device *d, double t_s, uint64_t slot, const int32_t *counts, int edge)
{
    d->n.samples++;
    if (!sim_device_heard(d)) {
        d->n.unplugged++;
        return;
    }
    if (!d->powered) {
        d->powered = true;
        d->t0_s = d->hello_at_s = t_s;
        d->slot0 = slot;
        put(d, d->cfg.protocol->banner, strlen(d->cfg.protocol->banner), 0, false);
    }
    if (d->cfg.protocol->sample)
        other_sample(d, t_s, counts, edge);
    else
        native_sample(d, t_s, slot, counts, edge);
}

size_t sim_device_raw_room(const struct sim_device *d) { return OUT_SIZE - d->out_n; }

void sim_device_raw(struct sim_device *d, const uint8_t *bytes, size_t n)
{
    if (d->master < 0) return;
    memcpy(d->out + d->out_n, bytes, n);
    d->out_n += n;
}

/* ---- out ---- */

static void account(struct sim_device *d, size_t written)
{
    unsigned done = 0;
    for (; done < d->marks && d->mark[done].end <= written; done++) {
        if (d->mark[done].corrupt)
            d->n.corrupted += d->mark[done].samples;
        else
            d->n.sent += d->mark[done].samples;
    }
    d->marks -= done;
    memmove(d->mark, d->mark + done, d->marks * sizeof d->mark[0]);
    for (unsigned i = 0; i < d->marks; i++) d->mark[i].end -= written;
    d->out_n -= written;
    memmove(d->out, d->out + written, d->out_n);
    d->n.bytes += written;
}

long sim_device_flush(struct sim_device *d)
{
    if (!d->out_n || d->master < 0) return 0;
    size_t written = 0;
    while (written < d->out_n) {
        ssize_t n = write(d->master, d->out + written, d->out_n - written);
        if (n > 0)
            written += (size_t)n;
        else if (n == 0 || errno == EAGAIN)
            break;
        else if (errno != EINTR)
            return -errno;
    }
    account(d, written);
    if (d->cfg.overrun && d->out_n) {
        d->delimit = true;
        lose_buffer(d, &d->n.overrun);
    }
    return (long)written;
}
