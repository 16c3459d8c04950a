#include "snapshot.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The index of the topic that is called so, *ret filled; -1 if nothing was said of it yet. */
static int find_topic(const struct stream *s, const char *name, struct stream_topic *ret)
{
    for (unsigned i = 0; stream_topic(s, i, ret); i++)
        if (!strcmp(ret->name, name)) return (int)i;
    *ret = (struct stream_topic){.name = name};
    return -1;
}

static void write_message(FILE *out, const struct stream_text *m, bool first)
{
    fprintf(out, "%s[\"%s\",", first ? "" : ",", m->topic);
    fwrite(m->header, 1, m->header_n, out);
    putc(']', out);
}

/* Both return where the next page begins, or -1 if there is none. */
static int64_t write_since(FILE *out, const struct stream *s, int topic, const struct stream_topic *t, uint64_t from)
{
    struct stream_text m;
    uint64_t seq = from > t->held_from ? from : t->held_from;

    for (size_t n = 0; n < SNAPSHOT_PAGE_BYTES && topic >= 0 && stream_held(s, (unsigned)topic, seq, &m);
         n += m.header_n, seq++)
        write_message(out, &m, n == 0);
    return seq < t->said ? (int64_t)seq : -1;
}

static int64_t write_latest(FILE *out, const struct stream *s, const char *prefix, int64_t from)
{
    struct stream_text m;
    size_t n = 0;
    unsigned i = from < UINT32_MAX ? (unsigned)from : UINT32_MAX;

    for (; stream_latest(s, i, &m); i++) {
        if (strncmp(m.topic, prefix, strlen(prefix)) != 0) continue;
        if (n >= SNAPSHOT_PAGE_BYTES) return i;
        write_message(out, &m, n == 0);
        n += m.header_n;
    }
    return -1;
}

static void write_number(FILE *out, const char *name, int64_t number)
{
    if (number < 0)
        fprintf(out, ",\"%s\":null", name);
    else
        fprintf(out, ",\"%s\":%" PRId64, name, number);
}

static void write_topics(FILE *out, const struct stream *s, const struct snapshot_request *q)
{
    struct stream_topic t;
    const char *comma = "";

    fputs(",\"topics\":{", out);
    for (unsigned i = 0; stream_topic(s, i, &t); i++) {
        if (q->has_since ? strcmp(t.name, q->topic) != 0 : strncmp(t.name, q->topic, strlen(q->topic)) != 0) continue;
        fprintf(out, "%s\"%s\":{\"said\":%" PRIu64 ",\"held_from\":%" PRIu64 "}", comma, t.name, t.said, t.held_from);
        comma = ",";
    }
    putc('}', out);
}

static void write_result(FILE *out, const struct stream *s, const struct snapshot_request *q, int topic,
                         const struct stream_topic *t)
{
    uint64_t from = q->next > 0 ? (uint64_t)q->next : (uint64_t)(q->since + 1);
    int64_t next;

    fprintf(out, "{\"run\":%" PRId64 ",\"messages\":[", stream_run(s));
    next = q->has_since ? write_since(out, s, topic, t, from) : write_latest(out, s, q->topic, q->next);
    putc(']', out);
    write_number(out, "next", next);
    write_number(out, "lost_before", q->has_since && from < t->held_from ? (int64_t)t->held_from : -1);
    write_topics(out, s, q);
    putc('}', out);
}

int snapshot_take(const struct stream *s, const struct snapshot_request *q, char **ret, char *why, size_t size)
{
    struct stream_topic t;
    int topic = q->has_since ? find_topic(s, q->topic, &t) : -1;
    size_t n;
    FILE *out;

    if (q->has_since && q->since >= (int64_t)t.said) {
        snprintf(why, size,
                 "%s: seq %" PRId64 " has not been said yet (%" PRIu64 " messages so far); if `run` has changed ask since -1",
                 t.name, q->since, t.said);
        return -ENODATA;
    }
    out = open_memstream(ret, &n);
    if (!out) return -ENOMEM;
    write_result(out, s, q, topic, &t);
    if (fclose(out) == 0) return 0;
    free(*ret);
    snprintf(why, size, "no memory for the answer; ask for less");
    return -ENOMEM;
}
