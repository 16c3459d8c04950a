/* decode_run.h - runs a decoder over bytes and keeps what it said; shared by the tests of decoders. */
#pragma once
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "plate/decode.h"

enum { RUN_FRAMES = 4096, RUN_HELLOS = 64, RUN_EDGES = 256 };
struct run {
    struct plate_decoder d;
    struct plate_frame frame[RUN_FRAMES];
    struct plate_hello hello[RUN_HELLOS];
    struct plate_edge edge[RUN_EDGES];
    size_t edge_at[RUN_EDGES]; /* the frame that followed */
    size_t frames, hellos, edges;
};

static inline void run_frame(void *user, const struct plate_frame *f)
{
    struct run *r = user;
    assert_true(r->frames < RUN_FRAMES);
    r->frame[r->frames++] = *f;
}

static inline void run_hello(void *user, const struct plate_hello *h)
{
    struct run *r = user;
    assert_true(r->hellos < RUN_HELLOS);
    r->hello[r->hellos++] = *h;
}

static inline void run_edge(void *user, const struct plate_edge *e)
{
    struct run *r = user;
    assert_true(r->edges < RUN_EDGES);
    r->edge_at[r->edges] = r->frames;
    r->edge[r->edges++] = *e;
}

static inline void run_push(struct run *r, const void *bytes, size_t n)
{
    struct plate_decode_sink sink = {.frame = run_frame, .hello = run_hello, .edge = run_edge, .user = r};
    plate_decoder_push(&r->d, bytes, n, &sink);
    const struct plate_decode_stats *s = &r->d.stats;
    assert_true(s->taken_bytes + s->discarded_bytes <= s->bytes);
    assert_true(s->bytes - s->taken_bytes - s->discarded_bytes <= 1536); /* a packet under way, or what `auto` keeps */
}

/* After a reset nothing is under way: every byte was taken or thrown away. */
static inline void run_account(struct run *r)
{
    plate_decoder_reset(&r->d);
    const struct plate_decode_stats *s = &r->d.stats;
    assert_int_equal(s->taken_bytes + s->discarded_bytes, s->bytes);
    assert_int_equal(s->frames, r->frames);
}

static inline void assert_same_run(const struct run *a, const struct run *b)
{
    assert_int_equal(a->frames, b->frames);
    for (size_t i = 0; i < a->frames; i++) {
        const struct plate_frame *f = &a->frame[i], *g = &b->frame[i];
        assert_memory_equal(f->counts, g->counts, sizeof f->counts);
        assert_true(f->cells == g->cells && f->seq == g->seq && f->ticks == g->ticks);
        assert_true(f->has_seq == g->has_seq && f->has_ticks == g->has_ticks && f->restarted == g->restarted);
    }
    assert_int_equal(a->hellos, b->hellos);
    for (size_t i = 0; i < a->hellos; i++) assert_string_equal(a->hello[i].name, b->hello[i].name);
    assert_int_equal(a->edges, b->edges);
    for (size_t i = 0; i < a->edges; i++) {
        const struct plate_edge *e = &a->edge[i], *f = &b->edge[i];
        assert_true(e->rising == f->rising && e->has_ticks == f->has_ticks && e->ticks == f->ticks &&
                    a->edge_at[i] == b->edge_at[i]);
    }
    assert_memory_equal(&a->d.stats, &b->d.stats, sizeof a->d.stats);
}

/* xorshift64*, seeded from PLATE_TEST_SEED or the clock; the seed is printed. */
static uint64_t random_state;
static inline void random_seed(void)
{
    const char *text = getenv("PLATE_TEST_SEED");
    random_state = text ? strtoull(text, NULL, 0) : (uint64_t)time(NULL) * 1000003u;
    random_state += random_state == 0;
    printf("PLATE_TEST_SEED=%llu\n", (unsigned long long)random_state);
}
static inline uint64_t random_u64(void)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * 0x2545F4914F6CDD1Du;
}
static inline size_t random_below(size_t n) { return (size_t)(random_u64() >> 11) % n; }

/* Damages bytes as lines do: bits flip, bytes go missing, come twice, come from nowhere. Returns the new length (<= size). */
static inline size_t random_damage(uint8_t *bytes, size_t n, size_t size)
{
    for (size_t hits = 1 + random_below(4); hits > 0 && n > 1; hits--) {
        size_t at = random_below(n), run = 1 + random_below(n - at < 40 ? n - at : 40);
        switch (random_below(5)) {
        case 0:
            bytes[at] ^= (uint8_t)(1u << random_below(8));
            break;
        case 1:
            bytes[at] = (uint8_t)random_u64();
            break;
        case 2: /* lost */
            memmove(bytes + at, bytes + at + run, n - at - run);
            n -= run;
            break;
        case 3: /* sent twice */
            if (n + run > size) break;
            memmove(bytes + at + run, bytes + at, n - at);
            n += run;
            break;
        default: /* noise in between */
            if (n + run > size) break;
            memmove(bytes + at + run, bytes + at, n - at);
            for (size_t i = 0; i < run; i++) bytes[at + i] = (uint8_t)random_u64();
            n += run;
        }
    }
    return n;
}

/* The frames do not depend on the splits: whole, byte by byte, and at random places. */
static inline void assert_chunk_invariant(const struct plate_decoder *fresh, const uint8_t *bytes, size_t n)
{
    static struct run whole, split;
    whole.d = fresh[0];
    whole.frames = whole.hellos = whole.edges = 0;
    run_push(&whole, bytes, n);
    for (int way = 0; way < 3; way++) {
        split.d = fresh[0];
        split.frames = split.hellos = split.edges = 0;
        size_t most = way == 0 ? 1 : way == 1 ? 7 : 300;
        for (size_t at = 0, k; at < n; at += k) {
            k = 1 + random_below(most);
            if (k > n - at) k = n - at;
            run_push(&split, bytes + at, k);
        }
        assert_same_run(&whole, &split);
    }
    run_account(&whole);
}

/* ---- one decoder at a time ---- */

static struct run run; /* too big for a stack; each test starts it afresh */

static inline void run_start(const struct plate_decoder_config *cfg)
{
    run.frames = run.hellos = run.edges = 0;
    assert_int_equal(plate_decoder_init(&run.d, cfg), 0);
}

static inline void push_text(const char *text) { run_push(&run, text, strlen(text)); }

/* A line that gives no frame and is counted under `reason`. */
static inline void run_refuses(const char *line, const char *end, const uint64_t *reason)
{
    size_t before = run.frames;
    uint64_t count = *reason;
    push_text(line);
    push_text(end);
    if (run.frames != before || *reason != count + 1) fail_msg("not refused, or for another reason: %s", line);
}

/* A count that tells its sample and cell, so that a wrong one shows. */
static inline int32_t count_of(uint32_t seq, unsigned cell) { return (int32_t)((seq + 1) * 2654435761u ^ cell * 40503u); }
