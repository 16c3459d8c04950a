#include "terminal.h"
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int terminal_write(const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDOUT_FILENO, bytes, n);
        if (done < 0 && errno == EAGAIN) {
            struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};
            poll(&p, 1, 1000);
        } else if (done < 0 && errno != EINTR)
            return -errno;
        if (done > 0) {
            bytes += done;
            n -= (size_t)done;
        }
    }
    return 0;
}

void terminal_enter(struct terminal *t)
{
    static const char enter[] = "\033[?1049h\033[?25l\033[?7l\033[2J"; /* alternate screen, no cursor, no wrapping */
    struct termios raw;

    t->keys = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &t->before) == 0;
    if (t->keys) {
        raw = t->before;
        raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
        tcsetattr(STDIN_FILENO, TCSANOW, &raw);
    }
    t->entered = true;
    terminal_write(enter, sizeof enter - 1);
}

void terminal_leave(struct terminal *t)
{
    static const char leave[] = "\033[0m\033[?7h\033[?25h\033[?1049l";

    if (!t->entered) return;
    terminal_write(leave, sizeof leave - 1);
    if (t->keys) tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
    t->entered = false;
}

void terminal_size(unsigned *ret_rows, unsigned *ret_columns)
{
    struct winsize size = {0};
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0;

    *ret_rows = !known ? 24 : size.ws_row < 200 ? size.ws_row : 200;
    *ret_columns = !known ? 80 : size.ws_col < 500 ? size.ws_col : 500;
}

bool terminal_can_draw(void)
{
    const char *kind = getenv("TERM");

    return isatty(STDOUT_FILENO) && kind && *kind && strcmp(kind, "dumb") != 0;
}
