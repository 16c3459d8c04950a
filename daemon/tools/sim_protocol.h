/* tools/sim_protocol.h - what each kind of board puts on the wire, and what it answers. Pure: bytes into a buffer; any thread.
 * Native packets, which hold several samples, are put together in sim_device.c. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIM_SAMPLE_MAX 160 /* bytes of a sample, and of an edge before it */

struct sim_sample {
    uint64_t us;           /* the board's clock */
    const int32_t *counts; /* one for each cell, of count_N newtons */
    unsigned cells;
    double count_N;
    int edge; /* of the trigger input, just before: 1 rising, -1 falling, 0 none */
};
struct sim_answer {
    const char *command, *answer;
    bool sends; /* from here on it sends samples; else it stops */
};
struct sim_protocol {
    const char *name, *what;
    unsigned cells; /* 0: any */
    double rate_Hz; /* as usual; 0: any */
    unsigned baud;
    const char *config;               /* of its plate, to print; "" for none */
    char idle;                        /* a byte that decoders pass over */
    unsigned tail;                    /* bytes at the end of a packet without which the next one would be hurt */
    bool edges;                       /* it has a trigger input */
    const char *banner;               /* when it starts */
    const struct sim_answer *answers; /* up to one without a command; NULL: it sends by itself */
    size_t (*sample)(uint8_t ret[SIM_SAMPLE_MAX], const struct sim_sample *s); /* NULL: native */
};
extern const struct sim_protocol sim_protocols[]; /* up to one without a name; the first is native */
const struct sim_protocol *sim_protocol_find(const char *name);
