/* tools/sim_wire.h - a capture (.wire) as something to play: what each port sent, and when. docs/capture.md. One thread. */
#pragma once
#include "recording.h"

enum sim_wire_kind { SIM_WIRE_BYTES, SIM_WIRE_GONE, SIM_WIRE_BACK };
struct sim_wire_event {
    enum sim_wire_kind kind;
    unsigned plate;
    double t_s;           /* since the first event */
    const uint8_t *bytes; /* valid until the next sim_wire_next */
    size_t n;
};
struct sim_wire;
/* 0; -errno with one line of text: "FILE: what, and what to do". */
int sim_wire_open(const char *path, struct sim_wire **ret, char *ret_error, size_t error_size);
void sim_wire_close(struct sim_wire *w);                              /* NULL is fine */
const struct recording *sim_wire_recording(const struct sim_wire *w); /* what was configured */
/* False: at the end. */
bool sim_wire_next(struct sim_wire *w, struct sim_wire_event *ret);
uint64_t sim_wire_torn_bytes(const struct sim_wire *w); /* of the file: damaged or cut off; known at the end */
/* The `plates:` of the configuration, with `link(user, plate)` for each port. */
void sim_wire_print_plates(const struct sim_wire *w, const char *(*link)(void *user, unsigned plate), void *user);
