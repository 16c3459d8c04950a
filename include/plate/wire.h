/* plate/wire.h - the native wire frame, as a device sends it. Dependency-free C: an Arduino can include it.
 * Pure; no malloc, no float; beside the packet, some ten bytes of stack on an 8-bit board. Any thread.
 *
 * On the wire: COBS(body, CRC-32 of body little-endian) 0x00. A device may start with any number of 0x00.
 * The CRC is CRC-32/ISO-HDLC (zlib's). All integers are little-endian.
 *
 *   hello body (type 1)                         data body (type 2)
 *   u8  type = 1                                u8  type = 2
 *   u8  version = 1                             u8  cells       1..8
 *   u8  cells                                   u8  samples     1..PLATE_WIRE_MAX_SAMPLES(cells)
 *   u8  0                                       u8  edge        of the trigger input; 0: none
 *   u32 rate_mHz      0: not said               u32 seq         number of the first sample; wraps
 *   u32 scale_nN      nN per count; 0: not said u32 device_us   stamp of the first sample; wraps
 *   u8  name[32]      NUL-padded                i32 counts[samples][cells]
 *   u8  serial[32]    NUL-padded
 *
 * The hello goes out at start-up and about once a second; docs/devices/native.md is the specification. */
#pragma once
#include <stdint.h>
#include <string.h>

#define PLATE_WIRE_VERSION 1
#define PLATE_WIRE_HELLO 1
#define PLATE_WIRE_DATA 2
#define PLATE_WIRE_MAX_CELLS 8
#define PLATE_WIRE_BODY_MAX 244 /* so that body + CRC fits one COBS run and a packet fits 250 bytes */
#define PLATE_WIRE_PACKET_MAX (PLATE_WIRE_BODY_MAX + 4 + 2)
#define PLATE_WIRE_HELLO_SIZE 76
#define PLATE_WIRE_DATA_HEAD 12
#define PLATE_WIRE_EDGE_SAMPLE 0x3F /* of an edge: 1 + the sample of the packet just before which it came ... */
#define PLATE_WIRE_EDGE_RISING 0x40 /* ... and its direction */
#define PLATE_WIRE_MAX_SAMPLES(cells) ((PLATE_WIRE_BODY_MAX - PLATE_WIRE_DATA_HEAD) / (4 * (cells)))

static inline uint32_t plate_wire_crc32(const uint8_t *bytes, uint16_t n)
{
    uint32_t crc = 0xFFFFFFFFu;
    while (n--) {
        crc ^= *bytes++;
        for (uint8_t bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xEDB88320u & (0u - (crc & 1u)));
    }
    return ~crc;
}

static inline void plate_wire_put_u32(uint8_t *at, uint32_t v)
{
    at[0] = (uint8_t)v;
    at[1] = (uint8_t)(v >> 8);
    at[2] = (uint8_t)(v >> 16);
    at[3] = (uint8_t)(v >> 24);
}

/* Finishes a packet in place: `packet` holds `n` bytes of body from packet[1] on and room for
 * PLATE_WIRE_PACKET_MAX. Returns the packet's length, its closing 0x00 included. n <= PLATE_WIRE_BODY_MAX. */
static inline uint16_t plate_wire_finish(uint8_t *packet, uint16_t n)
{
    plate_wire_put_u32(packet + 1 + n, plate_wire_crc32(packet + 1, n));
    n = (uint16_t)(n + 4);
    uint16_t code_at = 0;
    for (uint16_t i = 1; i <= n; i++)
        if (packet[i] == 0) {
            packet[code_at] = (uint8_t)(i - code_at);
            code_at = i;
        }
    packet[code_at] = (uint8_t)(n + 1 - code_at);
    packet[n + 1] = 0;
    return (uint16_t)(n + 2);
}

/* An edge on the trigger input after sample `sample` - 1 of the packet and no later than `sample`, from 0. A packet has room
 * for one: when a second one comes, send the packet without it first. */
static inline uint8_t plate_wire_edge(uint8_t sample, uint8_t rising)
{
    return (uint8_t)((sample + 1) | (rising ? PLATE_WIRE_EDGE_RISING : 0));
}

/* One data packet of `samples` x `cells` counts, row by row, with an edge or 0. 0: the arguments are out of range. */
static inline uint16_t plate_wire_data_edge(uint8_t packet[PLATE_WIRE_PACKET_MAX], uint32_t seq, uint32_t device_us,
                                            const int32_t *counts, uint8_t samples, uint8_t cells, uint8_t edge)
{
    if (cells < 1 || cells > PLATE_WIRE_MAX_CELLS || samples < 1 || samples > PLATE_WIRE_MAX_SAMPLES(cells)) return 0;
    if (edge > (PLATE_WIRE_EDGE_RISING | PLATE_WIRE_EDGE_SAMPLE) || (edge & PLATE_WIRE_EDGE_SAMPLE) > samples) return 0;
    if (edge == PLATE_WIRE_EDGE_RISING) return 0;
    uint8_t *body = packet + 1;
    body[0] = PLATE_WIRE_DATA;
    body[1] = cells;
    body[2] = samples;
    body[3] = edge;
    plate_wire_put_u32(body + 4, seq);
    plate_wire_put_u32(body + 8, device_us);
    uint16_t n = PLATE_WIRE_DATA_HEAD;
    for (uint16_t i = 0; i < (uint16_t)(samples * cells); i++, n = (uint16_t)(n + 4))
        plate_wire_put_u32(body + n, (uint32_t)counts[i]);
    return plate_wire_finish(packet, n);
}

static inline uint16_t plate_wire_data(uint8_t packet[PLATE_WIRE_PACKET_MAX], uint32_t seq, uint32_t device_us,
                                       const int32_t *counts, uint8_t samples, uint8_t cells)
{
    return plate_wire_data_edge(packet, seq, device_us, counts, samples, cells, 0);
}

/* The packet with which a device introduces itself. 0: the arguments are out of range. */
static inline uint16_t plate_wire_hello(uint8_t packet[PLATE_WIRE_PACKET_MAX], uint8_t cells, uint32_t rate_mHz,
                                        uint32_t scale_nN, const char *name, const char *serial)
{
    if (cells < 1 || cells > PLATE_WIRE_MAX_CELLS) return 0;
    uint8_t *body = packet + 1;
    memset(body, 0, PLATE_WIRE_HELLO_SIZE);
    body[0] = PLATE_WIRE_HELLO;
    body[1] = PLATE_WIRE_VERSION;
    body[2] = cells;
    plate_wire_put_u32(body + 4, rate_mHz);
    plate_wire_put_u32(body + 8, scale_nN);
    for (uint8_t i = 0; i < 32 && name[i]; i++) body[12 + i] = (uint8_t)name[i];
    for (uint8_t i = 0; i < 32 && serial[i]; i++) body[44 + i] = (uint8_t)serial[i];
    return plate_wire_finish(packet, PLATE_WIRE_HELLO_SIZE);
}
