/* tools/watch_model.h - what `platectl watch` knows of a station, from the stream's messages, and the words for it.
 * No I/O. One thread. */
#pragma once
#include "metronome.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PLATES = 32,
    REPS = 64,
    TOPICS = 256,
    HISTORY = 512 /* buckets of BUCKET_S */
};
#define BUCKET_S 0.25

struct plate_view {
    char name[40], phase[16], state[16];
    double phase_s; /* since when it is known; NaN: not said */
    double force_N, rate_Hz, lost;
    int set, rep;
    float history[HISTORY]; /* the greatest force of each bucket; NaN: none */
    int64_t newest;         /* the bucket that history[newest % HISTORY] is */
};
struct rep_view {
    int set, rep;
    bool discarded, warmup;
    char plate[40], who[40], form[96];
    double drive_s, hold_s, lower_s, peak_N, rfd_N_per_s;
};
struct asymmetry_view {
    bool known;
    char metric[48], verdict[24];
    double value, low, high, threshold;
    int n_left, n_right;
};
struct share_view { /* who carries how much at this instant, of a plate under each foot */
    bool known;
    double t_s, left_pct; /* left_pct: NaN where too little is carried to say */
};
struct plan_view {
    bool known;
    int set, reps, done, sets; /* 0: not said */
    char next[16];             /* whose turn it is after this */
};
struct topic_view {
    char name[80];
    int64_t seq;
};
struct model {
    char station[64], session[128], state[24], archive[256], subject[64], exercise[64], side[16], involved[16];
    char operator[40]; /* who commands; empty: anybody may */
    char notice[256], notice_level[16];
    bool recording;
    double t_s, ring_pct;
    struct plate_view plate[PLATES];
    unsigned plates;
    const struct plate_view *working; /* the last that left its rest; NULL: none yet */
    struct tempo target;              /* what the protocol asks for; NaN: nothing */
    struct plan_view plan;
    struct rep_view rep[REPS]; /* a circle; reps_seen % REPS is the next one to be written */
    unsigned reps_seen;
    struct asymmetry_view asymmetry;
    struct share_view share;
    int64_t run; /* of the daemon that the topics are of */
    struct topic_view topic[TOPICS];
    unsigned topics;
    uint64_t missed;
};

/* A model that knows nothing yet. */
void watch_model_init(struct model *m);
/* Takes one message, live or from the cache; o is its header, payload its third frame (n = 0: none). */
void watch_take(struct model *m, const char *topic, const json_t *o, const uint8_t *payload, size_t n);
/* How many messages of this topic were lost before this live one. Another run is a daemon that started anew. */
uint64_t watch_missed(struct model *m, const char *topic, const json_t *o);

/* Members of a header; "", 0 and NaN where there is none of that type. */
const char *word(const json_t *o, const char *key);
int whole(const json_t *o, const char *key);
double number(const json_t *o, const char *key);
int tempo_phase(const char *phase); /* its place in a tempo, or -1 */
bool topic_is(const char *topic, const char *kind);
bool is_primary(const json_t *o);
const char *who(const json_t *o); /* the foot that worked, or the plate where nobody said */
void form_names(const json_t *o, char *to, size_t size);

struct shown {
    char text[40];
};
struct shown show(double v, int decimals, const char *unit); /* "-" where there is no number */
const char *verdict_words(const char *verdict);              /* "left weaker" of left_weaker, ... */
int asymmetry_text(char *to, size_t size, const struct asymmetry_view *a);
