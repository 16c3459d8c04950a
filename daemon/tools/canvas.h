/* tools/canvas.h - a frame of a terminal: rows of cells that never overflow, whatever is put into them. No I/O. One thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>

struct canvas {
    char bytes[1 << 20]; /* what is to be written, all at once */
    size_t n;
    unsigned rows, columns, row, column;
    bool utf8, colour; /* the caller's choice */
};

/* Begins a frame of this size at its first cell; all of its rows must be ended. */
void canvas_begin(struct canvas *c, unsigned rows, unsigned columns);
void end_row(struct canvas *c);
void put_style(struct canvas *c, const char *sgr); /* as "1;31"; "" ends it */
void put_glyph(struct canvas *c, const char *utf8, char ascii);
/* Text from outside is safe: control characters, and what the terminal could not show, become question marks. */
void put_text(struct canvas *c, const char *format, ...) __attribute__((format(printf, 2, 3)));
void put_to(struct canvas *c, unsigned column); /* blanks up to there */
