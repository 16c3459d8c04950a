/* tools/sim_device.h - one simulated board on a pty: packets, faults, back-pressure, plugging in and out.
 * Not a byte is lost unless the configuration asks for it, and every sample ends in exactly one counter. One thread. */
#pragma once
#include "plate/types.h"
#include "sim_protocol.h"

struct sim_device_config {
    char name[PLATE_NAME_SIZE], serial[PLATE_NAME_SIZE];
    char link[4096]; /* symlink to the pty; "" for none */
    unsigned cells, per_packet;
    double rate_Hz;
    uint32_t scale_nN;
    const struct sim_protocol *protocol;
    bool wait;            /* a probe tells when somebody reads */
    bool overrun;         /* what does not fit is dropped, as by a UART */
    double drop, corrupt; /* probability for a packet, or a line */
    uint64_t seed;
};
struct sim_device_counters {
    uint64_t samples, packets, bytes;
    uint64_t sent, dropped, corrupted, overrun, unplugged; /* samples by their end; the rest of `samples` is still here */
};
struct sim_device_error {
    char text[256];
}; /* "where: what, and what to do" */

struct sim_device;
unsigned sim_device_most_per_packet(unsigned cells);
int sim_device_open(const struct sim_device_config *cfg, struct sim_device **ret, struct sim_device_error *ret_error);
void sim_device_close(struct sim_device *d);             /* takes the link away; NULL is fine */
const char *sim_device_path(const struct sim_device *d); /* the link, or the pty */
const struct sim_device_counters *sim_device_counters(const struct sim_device *d);

bool sim_device_plugged(const struct sim_device *d);
void sim_device_unplug(struct sim_device *d);
int sim_device_plug(struct sim_device *d, struct sim_device_error *ret_error); /* a new pty; the board's counters start anew */
/* Somebody has taken the probe off the pty since it was plugged in (without `wait` always so), and has told a board that waits
 * to be told to send. Answers what it was told. */
bool sim_device_heard(struct sim_device *d);

bool sim_device_room(const struct sim_device *d); /* for another sample */
/* One sample; `slot` is its number since the signal began, t_s its time, `edge` what came on the trigger input before it (see
 * sim_protocol.h). While nobody hears it counts as unplugged. */
void sim_device_sample(struct sim_device *d, double t_s, uint64_t slot, const int32_t *counts, int edge);
void sim_device_end_packet(struct sim_device *d);
/* Bytes as they are, faults and all; while nobody hears they are lost. At most sim_device_raw_room. */
void sim_device_raw(struct sim_device *d, const uint8_t *bytes, size_t n);
size_t sim_device_raw_room(const struct sim_device *d);
/* Writes what the pty takes now: bytes written, or -errno. */
long sim_device_flush(struct sim_device *d);
size_t sim_device_pending(const struct sim_device *d); /* bytes not yet written */
int sim_device_unread(const struct sim_device *d);     /* bytes written and not yet read, as far as the kernel tells */
int sim_device_fd(const struct sim_device *d);         /* to poll for POLLOUT; -1 while unplugged */
