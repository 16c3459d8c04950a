/* chronojump.h - how Chronojump's boards are started: the same commands for the sensor and the platform. */
#pragma once
#include "protocol.h"

/* Opening the port resets the board. It waits for a second that nothing more comes before it takes a command. `version` is how
 * its name begins, `what` it is, in words. */
#define CHRONOJUMP_DIALOGUE(version, what)                                                                                     \
    {                                                                                                                          \
        {.say = "get_version:",                                                                                                \
         .hear = version,                                                                                                      \
         .after_ms = 3000,                                                                                                     \
         .within_ms = 3000,                                                                                                    \
         .tries = 3,                                                                                                           \
         .tells = PLATE_TELLS_NAME,                                                                                            \
         .trouble = "no answer to get_version: in 9 s; see that this is a Chronojump " what ", and that baud is 115200"},      \
            {.say = "start_capture:",                                                                                          \
             .hear = "Starting capture",                                                                                       \
             .within_ms = 3000,                                                                                                \
             .tries = 3,                                                                                                       \
             .trouble = "no answer to start_capture: in 9 s; unplug the " what " and plug it in again"},                       \
            {.within_ms = 3000,                                                                                                \
             .tries = 1,                                                                                                       \
             .trouble = "the capture has started, but no sample came for 3 s; see that the load cells are connected"},         \
        {                                                                                                                      \
            0                                                                                                                  \
        }                                                                                                                      \
    }
