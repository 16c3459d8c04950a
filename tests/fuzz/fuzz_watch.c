/* Any messages of a station, as `platectl watch` takes and shows them: topic, newline, header, newline, payload; 0xFF between
 * two. Whatever they say, no frame is written beyond its rows and columns. */
#include "../../daemon/tools/watch_screen.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void must(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "fuzz_watch: %s\n", what);
    abort();
}

static void take(struct model *m, const uint8_t *bytes, size_t n)
{
    const uint8_t *head = memchr(bytes, '\n', n),
                  *payload = head ? memchr(head + 1, '\n', n - (size_t)(head + 1 - bytes)) : NULL;
    char topic[80] = "";
    json_t *o;

    if (!payload || (size_t)(head - bytes) >= sizeof topic) return;
    memcpy(topic, bytes, (size_t)(head - bytes));
    o = json_loadb((const char *)head + 1, (size_t)(payload - head - 1), 0, NULL);
    if (json_is_object(o)) {
        watch_missed(m, topic, o);
        watch_take(m, topic, o, payload + 1, n - (size_t)(payload + 1 - bytes));
    }
    json_decref(o);
}

/* Rows end in a newline, but for the last; in ASCII without styles a cell is a byte. */
static void check(const struct canvas *c)
{
    const char *at = memchr(c->bytes, 'H', c->n), *end = c->bytes + c->n;
    unsigned rows = 1, cells = 0;

    must(at != NULL, "no frame");
    for (at++; at < end; at++) {
        if (*at == '\n') {
            must(cells == c->columns, "a row is not as wide as the terminal");
            rows++;
            cells = 0;
        } else if (*at != '\r') {
            must(*at >= ' ' && *at <= '~', "what is shown is no character");
            cells++;
        }
    }
    must(rows == c->rows && cells == c->columns, "the frame is not as large as the terminal");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static struct model model;
    static struct canvas canvas;
    const struct station_view view[2] = {{.model = &model, .endpoint = "tcp://nowhere"},
                                         {.model = &model, .endpoint = "", .namesake = true}};
    const uint8_t *end;

    watch_model_init(&model);
    for (; (end = memchr(bytes, 0xFF, n)); n -= (size_t)(end + 1 - bytes), bytes = end + 1)
        take(&model, bytes, (size_t)(end - bytes));
    take(&model, bytes, n);
    watch_draw(&canvas, &view[0], 24, 80, NULL, 0);
    check(&canvas);
    watch_draw_all(&canvas, view, 2, 9, 61);
    check(&canvas);
    return 0;
}
