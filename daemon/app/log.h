/* app/log.h - one line for people on standard error, never a wait for the caller.
 * Any thread. A line goes into a bounded queue; a thread of the log's own writes it. A full queue drops the line, and
 * counts it. Before log_open() and after log_close() a line is written at once, if standard error takes it without a wait.
 *
 *   plated: WHERE: TEXT                        on a terminal
 *   <4>plated: WHERE: TEXT                     to the journal (<N>: its priority)
 *   2026-01-31T09:30:00.123Z plated: WHERE: TEXT    to anything else
 *
 * The same line again and again (a port that flaps) is written three times in ten seconds; then one line says how many more. */
#pragma once
#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };
struct log_counters {
    uint64_t lines;    /* written */
    uint64_t dropped;  /* lost: the queue was full, or standard error took nothing */
    uint64_t repeated; /* not written, but told of in a line that was */
};

/* Starts the thread. $PLATED_LOG (error, warning, info, debug) says what is worth a line; info unless set. 0, or -errno of
 * pthread_create: lines are then written at once. */
int log_open(void);
/* Writes what is queued, for up to a second if standard error is slow, and ends the thread. */
void log_close(void);
__attribute__((format(printf, 3, 4))) void plate_log(enum log_level level, const char *where, const char *fmt, ...);
void log_counters(struct log_counters *ret);
