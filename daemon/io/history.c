#include "history.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A message costs its text, what malloc adds, and its place: at most an eighth of the places is taken when half are given back.
 */
enum { COST = 8 * sizeof(struct history_message) + 16, LEAST_PLACES = 16 };

struct topic {
    struct history_message *place; /* held: place[first .. first + n) */
    size_t places, first, n, bytes;
    uint64_t seq; /* of place[first]; of the next message if n is 0 */
};

struct history {
    struct topic *topic;
    unsigned topics;
    size_t max_bytes;
    struct history_counters counters;
};

int history_new(unsigned topics, size_t max_bytes, struct history **ret)
{
    struct history *h = calloc(1, sizeof *h);

    if (h) h->topic = calloc(topics, sizeof *h->topic);
    if (!h || !h->topic) {
        free(h);
        return -ENOMEM;
    }
    h->topics = topics;
    h->max_bytes = max_bytes;
    *ret = h;
    return 0;
}

/* -ENOMEM: what is held stays where it is. */
static int set_places(struct topic *t, size_t places)
{
    struct history_message *moved;

    if (t->n) memmove(t->place, t->place + t->first, t->n * sizeof *t->place);
    t->first = 0;
    if (places == t->places) return 0;
    moved = realloc(t->place, places * sizeof *moved);
    if (!moved) return -ENOMEM;
    t->place = moved;
    t->places = places;
    return 0;
}

static void drop_oldest(struct history *h, struct topic *t)
{
    struct history_message *m = &t->place[t->first++];

    t->n--;
    t->seq++;
    t->bytes -= m->n + COST;
    h->counters.bytes -= m->n + COST;
    h->counters.messages--;
    h->counters.dropped++;
    free(m->text);
    if (t->places > LEAST_PLACES && t->n <= t->places / 8) set_places(t, t->places / 2);
}

static void drop_all(struct history *h, struct topic *t)
{
    while (t->n > 0) drop_oldest(h, t);
}

void history_free(struct history *h)
{
    if (!h) return;
    for (unsigned i = 0; i < h->topics; i++) {
        drop_all(h, &h->topic[i]);
        free(h->topic[i].place);
    }
    free(h->topic);
    free(h);
}

static struct topic *fullest(struct history *h)
{
    struct topic *most = h->topic;

    for (struct topic *t = h->topic; t < h->topic + h->topics; t++)
        if (t->bytes > most->bytes) most = t;
    return most;
}

/* Room for one more behind the last. */
static int make_place(struct topic *t)
{
    if (t->first + t->n < t->places) return 0;
    return set_places(t, t->places == 0 ? LEAST_PLACES : t->n > t->places / 2 ? 2 * t->places : t->places);
}

void history_add(struct history *h, unsigned topic, uint64_t seq, const char *text, size_t n)
{
    struct topic *t = &h->topic[topic];
    char *copy = NULL;

    if (t->n && seq != t->seq + t->n) drop_all(h, t);
    if (n <= HISTORY_MESSAGE_MAX && n + COST <= h->max_bytes) {
        while (h->counters.bytes + n + COST > h->max_bytes) drop_oldest(h, fullest(h));
        if (make_place(t) == 0) copy = malloc(n ? n : 1);
    }
    if (!copy) {
        drop_all(h, t);
        t->seq = seq + 1;
        return;
    }
    if (t->n == 0) t->seq = seq;
    memcpy(copy, text, n);
    t->place[t->first + t->n++] = (struct history_message){copy, n};
    t->bytes += n + COST;
    h->counters.bytes += n + COST;
    h->counters.messages++;
}

uint64_t history_from(const struct history *h, unsigned topic) { return h->topic[topic].seq; }

const struct history_message *history_get(const struct history *h, unsigned topic, uint64_t seq)
{
    const struct topic *t = &h->topic[topic];

    return seq >= t->seq && seq - t->seq < t->n ? &t->place[t->first + (seq - t->seq)] : NULL;
}

void history_counters(const struct history *h, struct history_counters *ret) { *ret = h->counters; }
