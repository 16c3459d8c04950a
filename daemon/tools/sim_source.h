/* tools/sim_source.h - the rows that the boards send: drawn from the body model, or from a recording. One thread.
 * A row is of all plates; of an archive, whose plates have clocks of their own, of one.
 * Part of the program, not a library: errors are told on standard error, in one line, and come back as 1. */
#pragma once
#include "sim_body.h"
#include "sim_options.h"
#include "sim_playback.h"
#include "sim_sensor.h"
#include "sim_trace.h"
#include <stdio.h>

struct sim_source_plate {
    char name[PLATE_NAME_SIZE];
    unsigned cells, decimals;
    double rate_Hz, count_N; /* as its board says; count_N: newtons of a count */
    struct sim_body *body;   /* not owned */
    enum plate_side foot;
    struct sim_sensor sensor;
};
struct sim_truth_row;
struct sim_source {
    unsigned plates;
    struct sim_source_plate plate[PLATE_MAX_PLATES];
    double period_s; /* true */
    bool loop;
    struct sim_playback *recording; /* or NULL */
    struct sim_trace *trace;        /* or NULL: */
    struct sim_body *body[PLATE_MAX_PLATES];
    unsigned bodies, sets;
    const char *exercise;
    struct sim_weights weights; /* n > 0: instead of the bodies */
    uint64_t row, rows, round;  /* rows of one round, and where it is */
    double round_s;
    uint64_t round_slots;
    struct sim_truth_row *truth; /* of one round, by end */
    size_t truths, truth_next;
    FILE *truth_file;
};

int sim_complain(const char *text); /* one line on standard error; 1 */

int sim_source_open(struct sim_source *s, const struct sim_options *o); /* *s is zero */
int sim_source_close(struct sim_source *s);
/* The row that is next: its time and number since the start of the signal, and what each plate counts (once, in order). */
bool sim_source_more(const struct sim_source *s);
double sim_source_t_s(const struct sim_source *s);
bool sim_source_has(const struct sim_source *s, unsigned plate); /* the row has a sample of this plate */
uint64_t sim_source_slot(const struct sim_source *s, unsigned plate);
uint64_t sim_source_missing(const struct sim_source *s); /* samples that a recording itself lacks */
void sim_source_counts(struct sim_source *s, unsigned plate, int32_t *ret_counts);
void sim_source_advance(struct sim_source *s);
const char *sim_source_cell(const struct sim_source *s, unsigned plate, unsigned cell);
