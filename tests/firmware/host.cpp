/* Four HX711 and a trigger, made of code, around the sketch: 10 s of their time, the bytes it sends on standard output. Sample k of
 * cell i reads cell_count(k, i); the trigger is high from sample 200 to 203. tests/firmware/check knows the same. */
#include "Arduino.h"
#include <stdio.h>

static const uint32_t PERIOD_us = 12500, SAMPLES = 800;
static uint64_t now_us;
static uint32_t pulses; /* of the conversion that is read */
static bool clock_high;
HardwareSerial Serial;

static int32_t cell_count(uint32_t k, unsigned i) { return (int32_t)(k * 1000 + i) * (i % 2 ? -1 : 1) - (k % 3 == 0 ? 7000000 : 0); }
static uint32_t conversion() { return (uint32_t)(now_us / PERIOD_us); }

static uint32_t read_of; /* the conversion whose bits are shifted out; the next is ready when it is over */
int digitalRead(uint8_t pin)
{
    now_us += 4;
    if (pin == 3) return read_of >= 200 && read_of < 203;
    unsigned i = pin - 4u;
    if (pulses == 0) return conversion() <= read_of; /* high: not ready */
    return pulses <= 24 ? (int)((uint32_t)cell_count(read_of, i) >> (24 - pulses) & 1) : 1;
}

void digitalWrite(uint8_t pin, uint8_t level)
{
    now_us += 4;
    if (pin != 2) return;
    if (level && !clock_high) {
        if (pulses++ == 0) read_of = conversion();
    } else if (!level && pulses == 25) {
        pulses = 0;
    }
    clock_high = level;
}

void pinMode(uint8_t, uint8_t) {}
void interrupts() {}
void noInterrupts() {}
uint32_t micros() { return (uint32_t)now_us; }
uint32_t millis() { return (uint32_t)(now_us / 1000); }
void HardwareSerial::begin(unsigned long) {}
size_t HardwareSerial::write(const uint8_t *bytes, size_t n) { return fwrite(bytes, 1, n, stdout); }

int main()
{
    setup();
    while (now_us < PERIOD_us * (SAMPLES + 0.5)) {
        now_us += 10;
        loop();
    }
    return 0;
}
