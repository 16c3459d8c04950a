/* tools/watch_screen.h - the model as a frame of a terminal: rows of cells that never overflow. No I/O. One thread. */
#pragma once
#include "watch_model.h"

struct canvas {
    char bytes[1 << 18];
    size_t n;
    unsigned rows, columns, row, column;
    bool utf8, colour;
};

/* Draws a whole frame into c->bytes[0, n), to be written at once; utf8 and colour are the caller's choice. */
void watch_draw(struct canvas *c, const struct model *m, unsigned rows, unsigned columns, const char *endpoint,
                int64_t silent_ms);
