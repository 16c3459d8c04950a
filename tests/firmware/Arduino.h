/* As much of Arduino's core as the sketch in docs/devices/firmware.md uses: declared for avr-gcc, which only compiles it; made
 * of code in host.cpp, where it runs. */
#pragma once
#include <stddef.h>
#include <stdint.h>

enum { LOW, HIGH, INPUT = 0, OUTPUT = 1 };
void pinMode(uint8_t pin, uint8_t mode);
int digitalRead(uint8_t pin);
void digitalWrite(uint8_t pin, uint8_t level);
uint32_t micros();
uint32_t millis();
void interrupts();
void noInterrupts();
struct HardwareSerial {
    void begin(unsigned long baud);
    size_t write(const uint8_t *bytes, size_t n);
};
extern HardwareSerial Serial;
void setup();
void loop();
