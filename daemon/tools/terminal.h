/* tools/terminal.h - the terminal on standard output as a screen, and the keys of standard input. One thread. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <termios.h>

struct terminal { /* zeros: not entered */
    struct termios before;
    bool keys, entered; /* keys: standard input is a terminal, too */
};
void terminal_enter(struct terminal *t);
void terminal_leave(struct terminal *t); /* as it was before; nothing, if it was not entered */
void terminal_size(unsigned *ret_rows, unsigned *ret_columns);
int terminal_write(const char *bytes, size_t n); /* all of it: 0 or -errno */
/* False where a screen cannot be drawn: no terminal, or one that calls itself dumb. */
bool terminal_can_draw(void);
