/* plate/wire.h as firmware uses it: this file is only compiled, for a device without an operating system or a C library
 * beyond memset (-ffreestanding -Os -std=c99), and as C++ for Arduino. */
#include "plate/wire.h"

uint16_t send_sample(uint8_t packet[PLATE_WIRE_PACKET_MAX], uint32_t seq, uint32_t us, const int32_t counts[4]);
uint16_t send_hello(uint8_t packet[PLATE_WIRE_PACKET_MAX]);

uint16_t send_sample(uint8_t packet[PLATE_WIRE_PACKET_MAX], uint32_t seq, uint32_t us, const int32_t counts[4])
{
    return plate_wire_data(packet, seq, us, counts, 1, 4);
}

uint16_t send_hello(uint8_t packet[PLATE_WIRE_PACKET_MAX])
{
    return plate_wire_hello(packet, 4, 1000000, 0, "left", "SN-0042");
}
