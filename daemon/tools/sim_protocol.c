#include "sim_protocol.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LB_N 4.4482216152605
#define G_N 0.00980665
#define PLATFORM_COUNT_N 0.1 /* so that a heavy foot fits 16 bits */

static double sum_N(const struct sim_sample *s)
{
    double counts = 0;
    for (unsigned i = 0; i < s->cells; i++) counts += s->counts[i];
    return counts * s->count_N;
}

static size_t csv(uint8_t *ret, const struct sim_sample *s)
{
    char *line = (char *)ret;
    int n = snprintf(line, SIM_SAMPLE_MAX, "%" PRIu32, (uint32_t)s->us);
    for (unsigned i = 0; i < s->cells; i++) n += snprintf(line + n, SIM_SAMPLE_MAX - (size_t)n, ",%d", s->counts[i]);
    return (size_t)n + (size_t)snprintf(line + n, SIM_SAMPLE_MAX - (size_t)n, "\r\n");
}

static size_t openscale(uint8_t *ret, const struct sim_sample *s)
{
    return (size_t)snprintf((char *)ret, SIM_SAMPLE_MAX, "%" PRIu32 ",%.4f,lbs,\r\n", (uint32_t)(s->us / 1000),
                            sum_N(s) / LB_N);
}

static size_t chronojump(uint8_t *ret, const struct sim_sample *s)
{
    uint32_t us = (uint32_t)s->us;
    int n = s->edge ? snprintf((char *)ret, SIM_SAMPLE_MAX, "%" PRIu32 ";%c\r\n", us, s->edge > 0 ? 'R' : 'r') : 0;
    return (size_t)n + (size_t)snprintf((char *)ret + n, SIM_SAMPLE_MAX - (size_t)n, "%" PRIu32 ";%.2f\r\n", us, sum_N(s));
}

static size_t platform(uint8_t *ret, const struct sim_sample *s)
{
    memset(ret, 0xff, 4);
    for (unsigned i = 0; i < 4; i++) ret[4 + i] = (uint8_t)(s->us >> 8 * i);
    for (unsigned i = 0; i < 4; i++) {
        long count = lround(fmin(fmax(s->counts[i] * (s->count_N / PLATFORM_COUNT_N), INT16_MIN), INT16_MAX));
        ret[8 + 2 * i] = (uint8_t)count;
        ret[9 + 2 * i] = (uint8_t)((unsigned long)count >> 8);
    }
    return 16;
}

static size_t sics(uint8_t *ret, const struct sim_sample *s)
{
    return (size_t)snprintf((char *)ret, SIM_SAMPLE_MAX, "S D %10.1f g\r\n", sum_N(s) / G_N);
}

static const struct sim_answer sensor_answers[] = {{"get_version:", "Force_Sensor-0.6\r\n", false},
                                                   {"start_capture:", "Starting capture...\r\n", true},
                                                   {"end_capture:", "Capture ended:8388\r\n", false},
                                                   {"tare:", "Taring OK:8388\r\n", false},
                                                   {NULL, NULL, false}};
static const struct sim_answer platform_answers[] = {{"get_version:", "Force_Platform-0.1\r\n", false},
                                                     {"start_capture:", "Starting capture...\r\n", true},
                                                     {"end_capture:", "Capture ended\r\n", false},
                                                     {NULL, NULL, false}};
static const struct sim_answer sics_answers[] = {{"I4\r\n", "I4 A \"0123456789\"\r\n", false},
                                                 {"SIR\r\n", "", true},
                                                 {"Z\r\n", "Z A\r\n", false},
                                                 {"@\r\n", "I4 A \"0123456789\"\r\n", false},
                                                 {NULL, NULL, false}};

const struct sim_protocol sim_protocols[] = {
    {.name = "native",
     .what = "packets of wire.h",
     .baud = 115200,
     .idle = 0,
     .tail = 1,
     .edges = true,
     .banner = "",
     .config = ""},
    {.name = "csv",
     .what = "lines of t_us,c1,..,cN",
     .baud = 115200,
     .idle = '\n',
     .tail = 2,
     .banner = "",
     .config = "    csv:\n      separator: \",\"\n      time_column: 1\n      time_unit: us\n      time_bits: 32\n"
               "      first_column: 2\n      decimals: 0\n",
     .sample = csv},
    {.name = "openscale",
     .what = "ms,value,lbs, after a banner",
     .cells = 1,
     .rate_Hz = 10,
     .baud = 9600,
     .idle = '\n',
     .tail = 2,
     .banner = "\r\nSerial Load Cell Converter version 1.2\r\nBy SparkFun Electronics\r\nNo remote sensor found\r\n"
               "Minimum time between reports: 100\r\nPress x to bring up settings\r\nReadings:\r\n",
     .config = "",
     .sample = openscale},
    {.name = "chronojump",
     .what = "us;N, when told to start",
     .cells = 1,
     .rate_Hz = 87.5,
     .baud = 115200,
     .idle = '\n',
     .tail = 2,
     .edges = true,
     .banner = "",
     .config = "",
     .answers = sensor_answers,
     .sample = chronojump},
    {.name = "chronojump-platform",
     .what = "16 bytes for four cells, when told to start",
     .cells = 4,
     .rate_Hz = 250,
     .baud = 115200,
     .idle = '\n',
     .banner = "",
     .config = "    count_scale: 0.1\n",
     .answers = platform_answers,
     .sample = platform},
    {.name = "sics",
     .what = "S D 100.0 g, when told to repeat",
     .cells = 1,
     .rate_Hz = 10,
     .baud = 9600,
     .idle = '\n',
     .tail = 2,
     .banner = "",
     .config = "",
     .answers = sics_answers,
     .sample = sics},
    {.name = NULL},
};

const struct sim_protocol *sim_protocol_find(const char *name)
{
    for (const struct sim_protocol *p = sim_protocols; p->name; p++)
        if (strcmp(p->name, name) == 0) return p;
    return NULL;
}
