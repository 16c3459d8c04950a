#define _GNU_SOURCE /* wcwidth */
#include "canvas.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

static void put_bytes(struct canvas *c, const char *bytes, size_t n)
{
    if (c->row >= c->rows || n > sizeof c->bytes - c->n) return;
    memcpy(c->bytes + c->n, bytes, n);
    c->n += n;
}

void put_style(struct canvas *c, const char *sgr)
{
    char text[16];
    int n = snprintf(text, sizeof text, "\033[0%s%sm", *sgr ? ";" : "", sgr);

    if (c->colour) put_bytes(c, text, (size_t)n);
}

/* One character of `width` cells; what does not fit into the row is dropped, with all that follows. */
static void put_cell(struct canvas *c, const char *bytes, size_t n, unsigned width)
{
    if (c->column + width > c->columns) {
        for (; c->column < c->columns; c->column++) put_bytes(c, " ", 1);
        return;
    }
    put_bytes(c, bytes, n);
    c->column += width;
}

void put_glyph(struct canvas *c, const char *utf8, char ascii)
{
    if (c->utf8)
        put_cell(c, utf8, strlen(utf8), 1);
    else
        put_cell(c, &ascii, 1, 1);
}

/* Text from outside: control characters and what the terminal could not show become question marks. */
static void put_plain(struct canvas *c, const char *text)
{
    mbstate_t state = {0};
    wchar_t character;

    while (*text) {
        size_t n = mbrtowc(&character, text, strlen(text), &state);
        int width = n <= 4 ? wcwidth(character) : -1;
        if (width > 0)
            put_cell(c, text, n, (unsigned)width);
        else if (width < 0) {
            put_cell(c, "?", 1, 1);
            if (n > 4) {
                n = 1;
                memset(&state, 0, sizeof state);
            }
        }
        text += n;
    }
}

void put_text(struct canvas *c, const char *format, ...)
{
    char text[1024];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    put_plain(c, text);
}

void put_to(struct canvas *c, unsigned column)
{
    while (c->column < column && c->column < c->columns) put_cell(c, " ", 1, 1);
}

void end_row(struct canvas *c)
{
    put_style(c, "");
    put_to(c, c->columns);
    if (c->row + 1 < c->rows) put_bytes(c, "\r\n", 2);
    c->row++;
    c->column = 0;
}

void canvas_begin(struct canvas *c, unsigned rows, unsigned columns)
{
    bool resized = rows != c->rows || columns != c->columns;

    c->n = 0;
    c->row = c->column = 0;
    c->rows = rows;
    c->columns = columns;
    if (resized) put_bytes(c, "\033[2J", 4);
    put_bytes(c, "\033[H", 3);
}
