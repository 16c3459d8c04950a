/* tools/watch_lines.h - events as lines on standard output: readable, JSON, CSV. One thread. */
#pragma once
#include "watch.h"
#include "watch_station.h"

extern const char *const watch_event_topics[]; /* what makes a line; closed by NULL */
void watch_csv_header(void);
struct line_from { /* of several stations; NULL where there is one */
    const char *name, *endpoint;
};
/* One live message, already taken into *model. Nothing, if it is no event. */
void watch_print(const struct model *model, enum watch_mode mode, const struct message *m, const struct line_from *from);
