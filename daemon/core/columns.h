/* core/columns.h - digits behind the point: a microsecond, 10 mN, 0.1 N/s, 1 mN s, 10 um: below what any cell resolves.
 * Private to columns.c and event.c. */
#pragma once
#include "plate/event.h"

enum {
    DIGITS_TIME = 6,
    DIGITS_FORCE = 2,
    DIGITS_PER_KG = 3,
    DIGITS_RATE = 1,
    DIGITS_IMPULSE = 3,
    DIGITS_COP = 2,
    DIGITS_CV = 5,
    DIGITS_PERCENT = 3,
    DIGITS_ANY_UNIT = 6
};
