/* io/history.h - the latest messages of each topic, for whoever missed some. What is held of a topic has no hole in seq.
 * Bounded in bytes: when all is full, the topic that has most gives up its oldest, so that one that speaks often leaves the
 * others theirs. No I/O; one thread at a time. */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct history;
struct history_message {
    char *text;
    size_t n;
};
struct history_counters {
    uint64_t messages, bytes, dropped; /* held now, with what holding them costs; given up for want of room */
};

/* `topics` of them, each known by its index; max_bytes 0 holds nothing. -ENOMEM. */
int history_new(unsigned topics, size_t max_bytes, struct history **ret);
void history_free(struct history *h); /* NULL is fine */
/* seq is one more than with the last call for the topic: behind a step nothing of what came before is held. Nor is it behind a
 * message that is longer than HISTORY_MESSAGE_MAX, or for which there is no memory. */
void history_add(struct history *h, unsigned topic, uint64_t seq, const char *text, size_t n);
/* The first message that is held; the one after the last if none is. */
uint64_t history_from(const struct history *h, unsigned topic);
/* The message, for as long as nothing is added; NULL: not held. */
const struct history_message *history_get(const struct history *h, unsigned topic, uint64_t seq);
void history_counters(const struct history *h, struct history_counters *ret);
#define HISTORY_MESSAGE_MAX 32768
