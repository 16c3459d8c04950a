/* tools/watch_lines.h - events as lines on standard output: readable, JSON, CSV. One thread. */
#pragma once
#include "watch.h"
#include "watch_model.h"

extern const char *const watch_event_topics[]; /* what makes a line; closed by NULL */
void watch_csv_header(void);
/* One live message, already taken into *m; head[0, n) is the text of o. Nothing, if it is no event. */
void watch_print(const struct model *m, enum watch_mode mode, const char *topic, const json_t *o, const char *head, size_t n);
