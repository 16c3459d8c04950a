/* core/rep_up.h - what the parts of the machine for up, hold and down share: thrusts, pushes, standing up from a seat. Pure;
 * one thread. */
#pragma once
#include "rep_private.h"

#define MIN_STEP_N 15.0   /* less is no repetition of anything */
#define FOOT_LEVEL 0.55   /* of the known held force: a foot at rest presses less */
#define FOOT_MOST_N 150.0 /* a foot at rest presses no more */
#define LEARNED_S 1.0     /* after so long the observer is to be believed, though nothing was known before */
#define FLIGHT_S 0.45     /* so long are hips in flight after a push too short for a rep */
#define DROPS_M_PER_S 0.3 /* generic: a push that nobody named sags slower than who stands goes down */
#define SEAT_RATIO 1.5    /* who stands up presses so much more than who sits */
#define SAME_LEVEL 0.05   /* two holds of one load press alike */
#define TURN_DEPTH 0.4    /* of the usual travel: less deep is posture */
#define BRIDGE_CURVE 1.0  /* 1/m^2: no thrust has so little */
#define SHORT_PART 0.45   /* of the usual length: hips turn above the floor no sooner, nor are they down from there sooner */
#define END_PART 0.1      /* touch-down: within a tenth of the step from rest to support */
#define TURN_DOWN 0.27    /* of the way: hips that came down so far may have turned */
#define TURN_UP 0.2       /* ... and so far up again is another repetition */
#define DEEP_PART 0.35    /* the force came within this part of the step to rest: the floor took load */
#define DRIVE_MOST_S 0.8  /* after a turn the drive presses most within so long */
#define FIDGET_N 15.0     /* a foot that was just put down shifts by so much ... */
#define FIDGET_PART 0.2   /* ... or by this part of its force: hips turn by more */
/* Statics give dS/dh = 0.7 to 1.2 S per metre for every load, so the support answers the force as an oscillator of
 * w^2 = g (dS/dh) / S = 7 to 12 /s^2. */
#define OBSERVER_W2 9.6

static inline bool rep_moves(const struct plate_rep_detector *d) { return d->exercise->family == FAMILY_THRUST; }
static inline bool rep_pushes(const struct plate_rep_detector *d) { return d->exercise->family == FAMILY_PUSH; }
/* The support hardly changes on the hips' way: an error of its level bends their path as much as the arc does. */
static inline bool rep_bridges(const struct plate_rep_detector *d) { return rep_moves(d) && d->exercise->curve < BRIDGE_CURVE; }
static inline bool rep_fixed(const struct plate_rep_detector *d)
{
    return rep_pushes(d) || d->exercise->family == FAMILY_GENERIC;
}

/* rep_up.c. Hips that a push set in motion, from push_s on, are braked by as much as it gave them: does the force fall short of
 * this level, which holds them, until it is back after until_s, by no more than that explains? A tap sets nothing in motion. */
bool rep_flew(const struct plate_rep_detector *d, double push_s, double until_s, double level_N);
/* ... from the push just before this movement to where this level holds them? Then it was the beginning of it. */
bool rep_flew_here(const struct plate_rep_detector *d, double level_N);
void rep_fetch_push(struct plate_rep_detector *d);
/* rep_hips.c, the observer. What carries the load at the top, as far as it is known; that of the set, where it is known; the
 * part of it with the hips at the floor; and by how much it falls on the way there. */
double rep_top_N(const struct plate_rep_detector *d);
/* The same, of a movement that is over; and how much it may be, where no hold tells it. */
double rep_whole_top_N(const struct plate_rep_detector *d, double end_s, double *ret_most_N);
double rep_mean_N(const struct plate_rep_detector *d, double end_s); /* from the onset */
double rep_high_N(const struct plate_rep_detector *d);
double rep_low_part(const struct plate_rep_detector *d);
double rep_way_N(const struct plate_rep_detector *d);
bool rep_hips_are_low(const struct plate_rep_detector *d);
/* One foot of two held the hips: does the other, or the floor, bear a part of them when this one bears so little? */
bool rep_shared(const struct plate_rep_detector *d, double force_N);
/* The hips are at rest where this force holds them. */
void rep_observe_from(struct plate_rep_detector *d, double support_N);
/* One block further. */
void rep_track(struct plate_rep_detector *d, const struct block *b, double smooth_N);

/* rep_arc.c. How deep hips are before block `to` that were held until `from_s` by from_N, and how fast they sink. */
double rep_arc_down_m(const struct plate_rep_detector *d, double from_s, double from_N, uint64_t to, double *ret_m_per_s);
/* The path of hips that were held until `from_s` by from_N and are held again since `to_s` by to_N, followed from both ends:
 * from each it is right until the floor pushes, and the shallower of the two is the path. Blocks are counted as in the
 * detector. False: too short. */
struct rep_arc {
    uint64_t from, to, deepest;
    double depth_m; /* there, below the hold */
    /* how deep each half ends at the other hold: 0 if nothing but gravity and the foot moved the hips */
    double there_m, back_m;
    bool both; /* followed from both ends */
};
bool rep_arc_between(struct plate_rep_detector *d, double from_s, double from_N, double to_s, double to_N, struct rep_arc *ret);
/* The same in a bridge, of hips that stand still at both ends, at whatever height: what the mean force is off the line between
 * the two levels is the level's error and is taken out. The path ends there_m (= back_m) below where it began. False: too
 * short, or too far off. */
bool rep_arc_even(struct plate_rep_detector *d, double from_s, double from_N, double to_s, double to_N, struct rep_arc *ret);
/* Of the path that was last followed: the blocks of its bottom, the last included. */
void rep_arc_bottom(const struct plate_rep_detector *d, const struct rep_arc *arc, uint64_t *ret_from, uint64_t *ret_to);
/* The path from a hold to the last block, followed from there alone. False: too short, or no depth. */
bool rep_arc_since(struct plate_rep_detector *d, double from_s, double from_N, struct rep_arc *ret);
/* Of the path that was last followed: the blocks around the deepest in which the hips are within a part of its depth, and not
 * further from it than so long. */
void rep_arc_near_deepest(const struct plate_rep_detector *d, const struct rep_arc *arc, double part, double most_s,
                          uint64_t *ret_from, uint64_t *ret_to);
/* When the force bent near the bottom more sharply than a person bends it; NaN: it did not. */
double rep_arc_struck_s(const struct plate_rep_detector *d, const struct rep_arc *arc);
/* Did the hips rise, by so much at least, to where they are held since `to_s` by to_N? From when. */
bool rep_arc_rose(const struct plate_rep_detector *d, double to_s, double to_N, double least_m, double *ret_from_s);
/* Had they been lower at `from_s`, and did they rise from there without turning? */
bool rep_arc_rising(const struct plate_rep_detector *d, double from_s, double to_s, double to_N);
/* When hips that left the hold at `from_s` came to the rest in which they are at `still_s`, held by still_N and so deep: looked
 * at backwards from there; NaN: they were never higher. */
double rep_arc_arrived_s(const struct plate_rep_detector *d, double from_s, double still_s, double still_N, double still_m);

/* rep_stop.c. The hips turned above the floor, about then, or struck it (NaN: not). When did they stop at the bottom, and when
 * did they go up again? `arc`: the path that was last followed, between two holds; NULL: only the hold before is known. */
void rep_stop_and_go(struct plate_rep_detector *d, const struct rep_arc *arc, double struck_s, double *end_s, double *onset_s);

/* rep_hold.c. Since when is the force on the level, looking back from `since_s`, tremor included; if it was not yet there,
 * looking forward. */
double rep_settled_s(const struct plate_rep_detector *d, double since_s, const struct level *level, double tolerance_N);
/* SD of a block's mean at rest, and within which a force is even, for a movement of this step. */
double rep_noise_N(const struct plate_rep_detector *d);
double rep_evenness_N(const struct plate_rep_detector *d, double step_N);
/* Since the hold was left, if it was a stance: the fastest speed (up is positive), and the present one. */
double rep_fastest_down(const struct plate_rep_detector *d, double *ret_m_per_s);
/* Was the force on the level of the hold so shortly ago that no hips can be back from below it? */
bool rep_held_lately(const struct plate_rep_detector *d);
/* Had something only struck the plate since the hold? Then it is on, still. */
bool rep_kicked(struct plate_rep_detector *d, struct plate_rep_output *out);
/* If what seemed the hold was hips that sank evenly from the one before: who sinks brakes first, who is held goes down first.
 * Then that one is. */
void rep_hold_above(struct plate_rep_detector *d, double end_s);
/* Looks for the hold, and when it has it, for its end. */
void rep_follow_hold(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out);
/* The final end of the hold, and the force that held the hips until then. */
double rep_left_hold_s(const struct plate_rep_detector *d, double *ret_level_N);
/* The same of a push that is over. */
double rep_let_go_s(const struct plate_rep_detector *d, double end_s);
/* Did the force fall so slowly from there that nobody can say when the hips began to sink? */
bool rep_left_evenly(const struct plate_rep_detector *d, double level_N);

/* rep_seat.c. From when to when somebody stood who is seated again at `end_s`; false: not for long, or not evenly. */
bool rep_stance(const struct plate_rep_detector *d, double end_s, double *ret_top_s, double *ret_descent_s);

/* Does what is under way rise from a seat, or may it? Had he risen from it by `end_s`? And come down again, and been braked? */
bool rep_may_sit(const struct plate_rep_detector *d);
bool rep_stood_up(const struct plate_rep_detector *d, double end_s);
bool rep_sat_down(const struct plate_rep_detector *d, double end_s);

/* rep_bridge.c. The path from a hold that was left (when, and what held the hips) to where the force is flat now, if they stood
 * still at both. */
bool rep_bridge_path(struct plate_rep_detector *d, const struct level *level, double since_s, struct left *ret_left,
                     struct rep_arc *ret);
/* The observer has the hips rise again: may they, by the path from the hold? Not while they are as deep as ever since, nor if
 * nothing has thrown them up. */
bool rep_bridge_may_rise(struct plate_rep_detector *d);
/* The hips wait: does the force drive them up? */
bool rep_bridge_driven(const struct plate_rep_detector *d);
/* Of the way, from such a path: stand the hips there above the floor? Had they waited there, and rose? */
bool rep_bridge_low(const struct plate_rep_detector *d, const struct rep_arc *arc);
bool rep_bridge_rose(const struct plate_rep_detector *d, const struct rep_arc *arc);
/* They stand still since then, at this level: had they come down from a top that they were not held at? */
bool rep_bridge_came_down(const struct plate_rep_detector *d, const struct level *level, double since_s);
/* The hips wait: had they risen before they fell to where they are? Then that rep is under way. */
bool rep_bridge_rose_unseen(struct plate_rep_detector *d, struct plate_rep_output *out);

/* rep_turn.c. Each true when it has dealt with the block. `at_top`: the hips are held again, so they have turned. */
bool rep_touched_down(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out);
/* Held before, and flat now at `level` since then: did the hips turn between, by the force alone? Then that rep is said. */
bool rep_turned_between(struct plate_rep_detector *d, const struct level *level, double since_s, struct plate_rep_output *out);
/* The same, held higher now than the last time: had they stood lower between two holds alike? */
bool rep_waited_between(struct plate_rep_detector *d, const struct level *level, struct plate_rep_output *out);
bool rep_turned(struct plate_rep_detector *d, bool at_top, struct plate_rep_output *out);
/* The least depth of a turn, and how deep one is at least that was seen. */
double rep_travel_m(const struct plate_rep_detector *d);

/* rep_wait.c. The hips wait above the floor, since then, held by that. */
void rep_wait(struct plate_rep_detector *d, double since_s, const struct level *level);
void rep_step_floating(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out);
/* Has the lowering come to a standstill? True when that is dealt with. */
bool rep_stands_still(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out);

/* rep_weight.c. Nobody said what is done, and a force is held: is it the weight of somebody who stands? Then he does. */
bool rep_weight_stands(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out);

/* rep_doubt.c. The least that a movement adds to the force at rest. */
double rep_smallest_step_N(const struct plate_rep_detector *d);
/* VERDICT_STEP: a rep, unless the foot rests on the plate before the next one. */
enum verdict { VERDICT_NONE, VERDICT_DOUBTFUL, VERDICT_STEP, VERDICT_REP };
/* Is this step less than hips add, by what is known of the load, or of the foot at rest? */
bool rep_is_small(const struct plate_rep_detector *d, double step_N);
/* Of the movement that is under way, if it ended at `end_s`. */
enum verdict rep_verdict(const struct plate_rep_detector *d, double end_s);
static inline bool rep_is_one(const struct plate_rep_detector *d, double end_s)
{
    return rep_verdict(d, end_s) != VERDICT_NONE;
}
/* Did it turn so high, at no less than this force, that it only sways, if it may be none at all? */
bool rep_turns_so_high(const struct plate_rep_detector *d, double end_s, double low_N);
/* Is there a doubtful one, and this one like it? */
bool rep_like_the_doubtful(const struct plate_rep_detector *d, const struct movement *m, double onset_s, double end_s);
/* Says it, or keeps it until there is a second like it; then both are said. */
void rep_weigh(struct plate_rep_detector *d, const struct movement *m, enum verdict verdict, struct plate_rep_output *out);

/* Says it as soon as no other is said; `out` NULL: not yet. */
void rep_say_next(struct plate_rep_detector *d, const struct movement *m, struct plate_rep_output *out);

/* rep_impacts.c. When did the hips bounce on the floor, near the time at which they seem to have turned? NaN: they did not,
 * plainly. */
double rep_impact_near_s(const struct plate_rep_detector *d, double turn_s);
/* What began and ended then: when did it bounce on the floor between? How often: fewer than TWINS, 0 also if that is
 * not plain. If it began with another bounce, a moment later than it seems, `onset_s` is set to that. */
unsigned rep_impacts(const struct plate_rep_detector *d, double *onset_s, double end_s, double step_N, double *ret_turn_s);

/* rep_drives.c. What began and ended then: when does the drive that it began with begin again? How often: fewer than TWINS. */
unsigned rep_drives(const struct plate_rep_detector *d, double onset_s, double end_s, double *ret_turn_s);

/* rep_twins.c. Means of the force over equal times; `n` of them, fewer where the past is shorter. */
unsigned rep_sample_force(const struct plate_rep_detector *d, double from_s, double step_s, unsigned n, double *ret_N);
/* By how much the force swings between: SD, but for the rise from rest and the fall to it. */
double rep_swing_N(const struct plate_rep_detector *d, double onset_s, double end_s);
/* May what began and ended then, and was held for so long (NaN: not known), be two reps or more? When the hips turned between
 * them, how often: fewer than TWINS. */
unsigned rep_twins(const struct plate_rep_detector *d, double onset_s, double end_s, double held_s, double *ret_turn_s);

/* rep_up.c. It is over at `end_s`: said, if it was a rep (`out` NULL: with the next samples). False if it was none; true also
 * if it may have been one. */
bool rep_finish(struct plate_rep_detector *d, double end_s, struct plate_rep_output *out);
/* A hold far above another: the first was a bar that was loaded, or a foot that leaned in. The rep began there. */
void rep_begin_at_step(struct plate_rep_detector *d, const struct level *level, double since_s);
