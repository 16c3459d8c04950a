/* tools/sim_script.h - how the athlete's script is written, at set-up: sim_draw.c draws what he is like and how each rep will
 * be, sim_act.c makes the path of his hips of it, sim_script.c puts reps and events in order. Private to these three. */
#pragma once
#include "sim_private.h"

/* sim_draw.c */
void sim_draw_athlete(struct sim_body *b, struct sim_rng *r);
/* Rep n (from 0) of a set: its times and sizes. */
void sim_draw_rep(struct sim_body *b, struct sim_rng *r, unsigned set, unsigned n, struct rep *ret);
/* The turn between two reps. After the last one (`next` NULL) the athlete rests on the floor whatever the turn. */
void sim_draw_gap(const struct sim_body *b, struct sim_rng *r, struct rep *rep, struct rep *next, struct gap *ret);
/* How hard the next drive may set off without overshooting its own speed. */
double sim_setting_off(const struct sim_body *b, const struct rep *next);

/* sim_act.c: the path of one rep, from its start on; its stop_s. */
void sim_act_up_first(struct sim_body *b, struct sim_rng *r, struct rep *rep, const struct gap *before,
                      const struct gap *after);
void sim_act_squat(struct sim_body *b, struct sim_rng *r, struct rep *rep);
void sim_act_jump(struct sim_body *b, struct sim_rng *r, struct rep *rep);
/* A lift that is given up, of h_m: up, and down again. */
void sim_act_abort(struct sim_body *b, double start_s, double up_s, double down_s, double h_m);
