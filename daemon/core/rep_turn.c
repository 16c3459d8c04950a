#include <math.h>

#include "rep_up.h"

/* The way down: touched down, or turned. docs/detector.md gives the reason of each threshold. */
#define SUSTAIN_S 0.015
#define END_DWELL_S 0.1      /* hips that are known to be down are down */
#define DIP_DWELL_S 0.25     /* else a fall this short may be braking at the top (free fall of v/g, v < 1.2 m/s) */
#define TURN_DOWN_UNHELD 0.8 /* without a hold */
#define TURN_DOWN_DUE 0.4    /* ... as long after the onset as the reps before took: people keep their time */
#define DUE_FROM 0.75
#define DUE_TO 1.35
#define FALL_S 0.7      /* hips that are dropped so fast are caught before the floor */
#define TURN_SURE_S 1.0 /* hips that were only braked are on the floor by then */
#define BORE_PART 0.9   /* of what hips just above the floor need: with less, the floor bears a part */
#define TURN_HELD_S 1.6 /* ... but the next hold says better when they turned, if there was one before */
#define PUSHED 0.2      /* of the way up from a hold, by a push that is plainly one: the same */
#define PUSHED_FORCE 1.6
#define PUSHED_RISES 1.2   /* a push by less, by which they rose ... */
#define PUSHED_DEPTH 0.2   /* ... by this part of the usual travel to where they are held alike, is one, too */
#define PUSHED_ABOVE 0.1   /* ... which is above the hold by this part ... */
#define PUSHED_S 0.1       /* ... for longer than a kick is */
#define KICKED_M_PER_S 0.3 /* what would leave them so fast set nothing in motion */
#define LOADED_PART 0.12   /* held by so much more after it: it was no push, but a load */
#define OTHER_LEVEL 0.06   /* ... and as what held the hips before, if the hold seemed to be on again in between; ... */
#define NEARER_LEVEL 0.025 /* ... nearer yet, where the floor is to explain what does not close, ... */
#define NEARLY_LEVEL 0.015 /* ... or the level itself: a drive's hump is as flat for a while */
#define CLOSES 0.2         /* of the depth: so near to the other hold ends the path of hips that nothing else moved */
#define NEARLY 0.6         /* ... or by this part of it, at the end of one path, ... */
#define NEARLY_OTHER 1.2   /* ... and of the other: a slow movement adds up what the level is off */
#define DOWN_LEAST_S 0.4   /* a rise alone tells of a turn, if there was time to come down, ... */
#define ROSE_BRAKED 3.0    /* ... and the force fell so many times more than it is uneven below the hold, before it */
#define CONTACT_S 0.4      /* ... no longer before the observer says that they turned */
#define CONTACT_NEAR_S 0.5 /* who puts the hips down between reps turns so near to where the force is least, ... */
#define UNLOADED_PART 0.65 /* ... which is less than this part of the step */

/* Onto an empty plate, before anything is known: is it a foot that was put down, and is relieved to find its place? Hips that
 * turn above the floor press more, or were braked before they were held. */
static bool finds_its_place(const struct plate_rep_detector *d)
{
    return d->foot_down && rep_moves(d) && d->known_N <= 0 && rep_top_N(d) <= FOOT_MOST_N && (!d->held || d->plateau);
}

static uint64_t lowest(const struct plate_rep_detector *d, uint64_t from, uint64_t to)
{
    uint64_t low = from;
    for (uint64_t i = from; i < to && i < d->blocks; i++)
        if (rep_block_at(d, i)->force_N < rep_block_at(d, low)->force_N) low = i;
    return low;
}

/* The lowest force of these blocks, and the time around it in which the floor had the load: false if that is not near rest. */
static bool cut_contact(const struct plate_rep_detector *d, uint64_t from, uint64_t to, double *ret_end_s, double *ret_onset_s)
{
    double step = rep_top_N(d) - d->rest.mean_N;
    uint64_t low = lowest(d, from, to + 1);
    double floor_N = fmax(rep_block_at(d, low)->force_N, d->rest.mean_N),
           near_N = floor_N + fmax(END_PART * step, rep_decision_band_N(d));
    if (floor_N > d->rest.mean_N + DEEP_PART * step && !rep_shared(d, floor_N)) return false;
    uint64_t a = low, z = low;
    while (a > from && rep_block_at(d, a - 1)->force_N <= near_N) a--;
    while (z < to && rep_block_at(d, z + 1)->force_N <= near_N) z++;
    *ret_end_s = rep_block_at(d, a)->t_s;
    while (z > low && rep_block_at(d, z)->force_N > floor_N + rep_decision_band_N(d)) z--;
    *ret_onset_s = rep_block_at(d, z)->t_s;
    return true;
}

/* Who puts the hips down between reps turns where the floor takes a good part of the load, and nowhere else. False: it did not,
 * about then, or has it still. */
static bool at_contact(const struct plate_rep_detector *d, double *end_s, double *onset_s, bool *on_floor)
{
    uint64_t from = rep_block_from(d, *end_s - CONTACT_NEAR_S), low = lowest(d, from, d->blocks);
    double unloaded_N = d->rest.mean_N + UNLOADED_PART * (rep_top_N(d) - d->rest.mean_N), low_s = rep_block_at(d, low)->t_s;
    if (rep_block_at(d, low)->force_N > unloaded_N || d->smooth_N < unloaded_N) return false;
    if (fabs(low_s - *end_s) <= CONTACT_NEAR_S / 2) return true;
    *end_s = *onset_s = low_s;
    *on_floor = cut_contact(d, from, d->blocks - 1, end_s, onset_s);
    return true;
}

/* Had the floor all of the load when they turned? */
static bool touched(const struct plate_rep_detector *d, double end_s)
{
    uint64_t from = rep_block_from(d, end_s - CONTACT_NEAR_S / 2), to = rep_block_from(d, end_s + CONTACT_NEAR_S / 2);
    double near_N = d->rest.mean_N + END_PART * (rep_top_N(d) - d->rest.mean_N);
    return rep_block_at(d, lowest(d, from, to))->force_N < near_N;
}

/* Another repetition begins where this one turned, if this was one; the phase says so. */
static bool turn(struct plate_rep_detector *d, double end_s, double onset_s, bool on_floor, const struct rep_arc *arc,
                 struct plate_rep_output *out)
{
    double low_N = d->support_low_N, live_s = rep_history_sample(&d->history, d->history.n - 1)->t_s;
    double struck_s = on_floor ? NAN : rep_impact_near_s(d, end_s);
    if (!isnan(struck_s)) end_s = onset_s = struck_s;
    if (!on_floor) rep_stop_and_go(d, arc, struck_s, &end_s, &onset_s);
    on_floor = on_floor || !isnan(struck_s);
    if (!on_floor && d->from_floor && !at_contact(d, &end_s, &onset_s, &on_floor)) return false;
    if (finds_its_place(d) || !rep_finish(d, end_s, out)) return false;
    if (d->unseen) d->unseen_end_s = onset_s; /* known from there on, however long they waited before */
    d->from_floor = d->from_floor || touched(d, end_s);
    d->live_s[1] = d->live_s[2] = NAN;
    d->live_s[0] = live_s;
    d->phase = PLATE_LOWER;
    rep_up_begin(d, onset_s, out);
    if (!on_floor) rep_observe_from(d, low_N); /* the floor stops hips where it is, else they turned at their lowest */
    uint64_t from = rep_block_from(d, onset_s), high = from;
    for (uint64_t i = from; i < d->blocks && rep_block_at(d, i)->t_s < onset_s + DRIVE_MOST_S; i++)
        if (rep_block_at(d, i)->force_N > rep_block_at(d, high)->force_N) high = i;
    uint64_t low = lowest(d, from, high); /* before the drive's hump a dip is no braking */
    for (uint64_t i = from; i < d->blocks; i++) {
        if (i == low) d->peak_N = rep_block_at(d, i)->force_N, d->dip_depth_N = 0, d->dip_N = d->dip_s = INFINITY;
        rep_track(d, rep_block_at(d, i), rep_block_at(d, i)->force_N);
    }
    return true;
}

/* Until when the foot bore no less than hips above the floor need. */
static double bore_until_s(const struct plate_rep_detector *d)
{
    double least_N = BORE_PART * rep_low_part(d) * rep_top_N(d);
    uint64_t i = d->blocks - 1, from = rep_block_from(d, d->turn_s);
    while (i > from && rep_block_at(d, i)->force_N < least_N) i--;
    return rep_block_at(d, i)->t_s;
}

/* Hips that were pushed up from a hold are braked before they are held again. A kick sets none in motion. */
static bool kicked(const struct plate_rep_detector *d, double push_s)
{
    double m_per_s = 0;
    for (uint64_t i = rep_block_from(d, push_s); i < d->blocks; i++)
        m_per_s += rep_block_at(d, i)->dt_s * GRAVITY * (rep_block_at(d, i)->force_N / d->hold.mean_N - 1);
    return m_per_s > KICKED_M_PER_S;
}

/* The observer said that the hips turned above the floor. If they are held again, or turn again, or stay off the floor for long
 * enough, they did; a touch-down before that shows that they were only braked. */
static bool decide_turn(struct plate_rep_detector *d, bool sure, struct plate_rep_output *out)
{
    double wait_s = d->held ? fmax(TURN_SURE_S, fmin(TURN_HELD_S, 0.5 * d->usual_s)) : TURN_SURE_S;
    if (!sure && !rep_lasted(d, bore_until_s(d), d->turn_s, wait_s)) return false;
    double turn_s = d->turn_s;
    d->turn_s = NAN;
    if (isfinite(d->turn_most_N) && kicked(d, turn_s)) return false;
    if (d->smooth_N > d->turn_most_N || turn_s - d->onset_s < SHORT_PART * d->usual_s) return false;
    if (rep_turns_so_high(d, turn_s, d->turn_least_N)) return false;
    d->support_low_N = d->turn_low_N;
    return turn(d, turn_s, turn_s, false, NULL, out);
}

/* Hips that were on the floor for a moment, and were pushed up from there so hard that they brake by themselves: the force is
 * near rest a second time, and the rep was over the first time. */
static bool flew_from_floor(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    if (!d->held || !rep_moves(d) || isnan(d->touch_s) || rep_lasted(d, t_s, d->lifted_s, FLIGHT_S)) return false;
    if (!rep_flew(d, d->lifted_s, t_s, d->hold.mean_N)) return false;
    double onset_s = rep_find_departure(d, d->lifted_s, d->rest.mean_N, rep_band_N(d));
    bool rested = onset_s >= d->touch_s;
    d->below_s = d->touch_s;
    if (turn(d, d->touch_s, rested ? onset_s : d->touch_s, rested, NULL, out)) return true;
    d->below_s = NAN;
    return false;
}

/* The force is near rest: the end, unless it is the braking at the top of an explosive rep. */
bool rep_touched_down(struct plate_rep_detector *d, double t_s, struct plate_rep_output *out)
{
    double step = (d->floating ? d->known_N : rep_top_N(d)) - d->rest.mean_N,
           near_N = d->rest.mean_N + fmax(END_PART * step, rep_decision_band_N(d));
    double force_N = rep_last_block(d)->force_N;
    if (force_N <= near_N) {
        if (rep_lasted(d, bore_until_s(d), d->turn_s, TURN_SURE_S) && decide_turn(d, true, out)) return true;
        if (isnan(d->below_s) && flew_from_floor(d, t_s, out)) return true;
        if (isnan(d->below_s)) d->below_s = t_s;
        bool seated = rep_may_sit(d) && rep_lasted(d, t_s, d->below_s, END_DWELL_S) && rep_sat_down(d, d->below_s);
        bool low = d->floating || rep_hips_are_low(d) || seated;
        bool brief =
            rep_moves(d) && !d->held && !rep_is_one(d, d->below_s) && d->peak_N - d->rest.mean_N > 0.5 * rep_usual_step_N(d);
        if (rep_lasted(d, t_s, d->below_s, low ? END_DWELL_S : brief ? FLIGHT_S : DIP_DWELL_S)) {
            if (!d->floating || !isnan(d->waits_s)) rep_finish(d, d->below_s, out);
            if (brief && !out->rep_done) d->hump = (struct hump){d->onset_s, d->below_s, d->peak_N, d->live_s[0], d->live_s[2]};
            rep_to_rest(d, out);
        } else if (!d->floating && (low || rep_lasted(d, t_s, d->below_s, SUSTAIN_S)))
            rep_set_phase(d, PLATE_LOWER, out);
        return true;
    }
    return false;
}

double rep_travel_m(const struct plate_rep_detector *d) { return d->travel_m > 0 ? d->travel_m : d->exercise->travel_m; }

/* The hips turned then, and are held again by now. */
static bool turned_before(struct plate_rep_detector *d, double end_s, double onset_s, bool on_floor, const struct rep_arc *arc,
                          const struct level *level, struct plate_rep_output *out)
{
    d->turn_s = NAN;
    if (!turn(d, end_s, onset_s, on_floor, arc, out)) return false;
    rep_observe_from(d, level->mean_N);
    return true;
}

/* In a bridge: do the hips stand above the floor now, or had they, and rose? Then that is dealt with. */
static bool waited_or_rose(struct plate_rep_detector *d, const struct rep_arc *arc, const struct left *left,
                           const struct level *level, double since_s, struct plate_rep_output *out)
{
    if (rep_bridge_low(d, arc)) {
        double middle_s = 0.5 * (since_s + rep_last_block(d)->t_s),
               arrived_s = rep_arc_arrived_s(d, left->at_s, middle_s, level->mean_N, arc->there_m);
        rep_wait(d, isnan(arrived_s) ? since_s : arrived_s, level);
        d->lowered = true;
        return true;
    }
    return rep_bridge_rose(d, arc) && left->at_s - d->onset_s > SHORT_PART * d->usual_s &&
           turned_before(d, fmin(d->again_s, left->at_s), left->at_s, false, NULL, level, out);
}

/* What the path between two holds says of a turn. It ends at rest at the other hold (nearly so, if both holds are of one
 * level), or falls short of it on both sides by the push of a floor that the force shows, then. */
struct passage {
    bool closes, nearly, thrown;
    double struck_s; /* NaN: the force shows no floor */
};

static struct passage look_at(const struct plate_rep_detector *d, const struct rep_arc *arc, double other)
{
    double near_m = CLOSES * arc->depth_m, least_m = fmin(fabs(arc->there_m), fabs(arc->back_m)),
           most_m = fmax(fabs(arc->there_m), fabs(arc->back_m));
    bool falls_short = fmin(arc->there_m, arc->back_m) > -near_m;
    struct passage p = {.closes = most_m <= near_m, .struck_s = rep_arc_struck_s(d, arc)};
    p.nearly =
        !rep_bridges(d) && other < NEARLY_LEVEL && least_m <= NEARLY * arc->depth_m && most_m <= NEARLY_OTHER * arc->depth_m;
    p.thrown = falls_short && other < NEARER_LEVEL && !isnan(p.struck_s);
    return p;
}

/* The hips were held, and are held again: did they turn between? `first`: the path begins where it is a guess. */
static bool turned_since(struct plate_rep_detector *d, bool first, const struct level *level, double since_s,
                         struct plate_rep_output *out)
{
    d->denied = false;
    struct rep_arc arc;
    struct left left;
    bool even = rep_bridges(d) && rep_bridge_path(d, level, since_s, &left, &arc);
    if (!even) left.at_s = rep_left_hold_s(d, &left.level_N);
    double other = fabs(level->mean_N / left.level_N - 1);
    if (other > SAME_LEVEL || (!even && !rep_arc_between(d, left.at_s, left.level_N, since_s, level->mean_N, &arc)))
        return false;
    if (even && d->from_floor && rep_bridge_low(d, &arc)) return false; /* on the way to the floor, where the others ended */
    if (even && !d->from_floor && waited_or_rose(d, &arc, &left, level, since_s, out)) return true;
    double end_s = rep_block_at(d, arc.deepest)->t_s, onset_s = end_s;
    d->denied = true;
    if (arc.depth_m < TURN_DEPTH * rep_travel_m(d) || end_s - d->onset_s < SHORT_PART * d->usual_s) return false;
    d->denied = !rep_bridges(d);
    struct passage p = look_at(d, &arc, other);
    bool sure = p.closes || p.thrown;
    if (!sure && (!p.nearly || first)) return false;
    d->denied = false;
    if (!sure && !isnan(d->turn_s)) return false; /* it turned, and the observer knows better when */
    uint64_t low, high;
    rep_arc_bottom(d, &arc, &low, &high);
    if (!isnan(p.struck_s)) end_s = onset_s = p.struck_s;
    bool deep = cut_contact(d, low, high, &end_s, &onset_s); /* the floor had it all: from when to when, the force says */
    double low_N = INFINITY;
    for (uint64_t i = arc.from; i <= arc.to && !first; i++) low_N = fmin(low_N, rep_block_at(d, i)->force_N);
    if (!deep && rep_turns_so_high(d, end_s, low_N)) return false;
    if (sure) d->travel_m = d->travel_m > 0 ? 0.5 * (d->travel_m + arc.depth_m) : arc.depth_m;
    return turned_before(d, end_s, onset_s, deep, &arc, level, out);
}

/* Is what is held hips, not a foot that was put down or a bar that was loaded? */
static bool hips_held(const struct plate_rep_detector *d)
{
    return d->held && (d->known_N > 0 ? d->hold.mean_N > FOOT_LEVEL * d->known_N : !d->foot_down && !d->plateau);
}

/* Was this hold left by a push like this, longer than a kick? */
static bool pressed(const struct plate_rep_detector *d, double force_N)
{
    double above_N = (1 + PUSHED_ABOVE) * d->hold.mean_N, begun_s = 0, most_N = 0;
    for (uint64_t i = rep_block_from(d, d->descent_s); i < d->blocks; i++) {
        const struct block *b = rep_block_at(d, i);
        if (most_N <= 0) begun_s = b->t_s;
        most_N = b->force_N < above_N ? 0 : fmax(most_N, b->force_N);
        if (most_N > force_N && rep_lasted(d, b->t_s, begun_s, PUSHED_S)) return true;
    }
    return false;
}

/* Held again, and driven and braked to there: the hips rose, so they had come down, however little of that the force shows, be
 * it that they seemed to be held until the drive. Of what may be none at all, only if the drive pressed more than the hold
 * does. */
static bool rose_since(struct plate_rep_detector *d, const struct level *level, double since_s, struct plate_rep_output *out)
{
    double level_N, left_s = rep_left_hold_s(d, &level_N), from_s;
    bool same = fabs(level->mean_N / level_N - 1) < NEARER_LEVEL;
    bool push = same && hips_held(d) && pressed(d, PUSHED_RISES * d->hold.mean_N);
    double least_m = (push ? PUSHED_DEPTH : TURN_DEPTH) * rep_travel_m(d);
    if (rep_bridges(d) || level->mean_N < (1 - NEARER_LEVEL) * level_N ||
        !rep_arc_rose(d, since_s, level->mean_N, least_m, &from_s) || from_s - d->onset_s < SHORT_PART * d->usual_s ||
        (from_s - left_s < DOWN_LEAST_S && !push))
        return false;
    double most_N = 0, least_N = 0, even_N = rep_evenness_N(d, level->mean_N - d->rest.mean_N);
    for (uint64_t i = rep_block_from(d, from_s); i < d->blocks && rep_block_at(d, i)->t_s < since_s; i++) {
        double force_N = rep_block_at(d, i)->force_N;
        if (force_N > most_N) most_N = least_N = force_N;
        least_N = fmin(least_N, force_N);
    }
    bool braked = level->mean_N - least_N > ROSE_BRAKED * even_N, drove = d->known_N > 0 || most_N - level->mean_N > even_N;
    struct rep_arc arc;
    return braked && drove && rep_arc_between(d, left_s, level_N, since_s, level->mean_N, &arc) &&
           turned_before(d, from_s, from_s, false, &arc, level, out);
}

/* A hole swallowed the beginning of this movement, and it is held for the first time, as the ones before: did it rise from
 * rest to there? Then another one began where it did, and all of that was seen. */
static bool rose_unseen(struct plate_rep_detector *d, const struct level *level, double since_s, struct plate_rep_output *out)
{
    double from_s;
    return (d->known_N <= 0 || fabs(level->mean_N - d->known_N) <= OTHER_LEVEL * d->known_N) &&
           rep_arc_rose(d, since_s, level->mean_N, TURN_DEPTH * rep_travel_m(d), &from_s) &&
           turned_before(d, from_s, from_s, false, NULL, level, out);
}

/* Held as before, and held lower between, by so much of the way: they had come down, and stood there. */
bool rep_waited_between(struct plate_rep_detector *d, const struct level *level, struct plate_rep_output *out)
{
    if (!rep_moves(d) || rep_bridges(d) || d->exercise->second_foot || !d->held || isnan(d->descent_s)) return false;
    struct left low = {d->hold_from_s, d->descent_s, d->hold.mean_N};
    for (unsigned i = 0, n = d->lefts < LEFTS ? d->lefts : LEFTS; i < n; i++) {
        const struct left *left = &d->left[(d->lefts - 1 - i) % LEFTS];
        if (fabs(level->mean_N / left->level_N - 1) < SAME_LEVEL && low.level_N < left->level_N - TURN_DOWN * rep_way_N(d))
            return turned_before(d, low.from_s, low.at_s, true, NULL, level, out); /* the times are known */
        if (left->level_N < low.level_N) low = *left;
    }
    return false;
}

/* What seemed to be the hold again for a moment may have been the way: then the path begins where it was left first. Of what
 * may be none at all, it says nothing. */
bool rep_turned_between(struct plate_rep_detector *d, const struct level *level, double since_s, struct plate_rep_output *out)
{
    if (!rep_moves(d) || d->exercise->second_foot) return false;
    if (d->unseen && (!d->held || level->mean_N > d->held_most_N) && rose_unseen(d, level, since_s, out)) return true;
    if (!d->held) return false;
    if (!rep_lasted(d, rep_last_block(d)->t_s, d->asked_s, ASK_S)) return false;
    d->asked_s = rep_last_block(d)->t_s;
    if (!isnan(d->descent_s) && (turned_since(d, false, level, since_s, out) || rose_since(d, level, since_s, out)))
        return true;
    bool denied = d->denied, other = d->known_N > 0 && fabs(level->mean_N - d->known_N) > OTHER_LEVEL * d->known_N;
    if (isnan(d->first_descent_s) || other) return false;
    double was_s = d->descent_s;
    d->descent_s = d->first_descent_s;
    if (turned_since(d, true, level, since_s, out)) return true;
    d->descent_s = was_s;
    d->denied = denied;
    return false;
}

/* What looks like the floor may be the braking after a drive: then the hips turned before that. */
static void before_braking(struct plate_rep_detector *d, double *end_s, double *onset_s)
{
    double struck_s = rep_impact_near_s(d, *end_s), stop_s = isnan(struck_s) ? *end_s : struck_s, go_s = stop_s, most_N = 0;
    rep_stop_and_go(d, NULL, struck_s, &stop_s, &go_s);
    for (uint64_t i = rep_block_from(d, go_s); i < d->blocks && rep_block_at(d, i)->t_s < *end_s; i++)
        most_N = fmax(most_N, rep_block_at(d, i)->force_N);
    if (most_N > (1 + PUSHED_ABOVE) * d->hold.mean_N) *end_s = stop_s, *onset_s = go_s;
}

/* The seat had the load a moment ago, and he had risen from it before. */
static bool sat(struct plate_rep_detector *d)
{
    double end_s, onset_s;
    if (!rep_may_sit(d) || !rep_lasted(d, rep_last_block(d)->t_s, d->asked_s, ASK_S)) return false;
    d->asked_s = rep_last_block(d)->t_s;
    return cut_contact(d, rep_block_from(d, d->low_s - CONTACT_S), d->blocks - 1, &end_s, &onset_s) && rep_sat_down(d, end_s);
}

/* The way down has turned into a way up: by the hips' observer, or because the floor (the seat) has plainly taken load. */
bool rep_turned(struct plate_rep_detector *d, bool at_top, struct plate_rep_output *out)
{
    if (rep_pushes(d) || d->phase == PLATE_HOLD || !isnan(d->sinks_s)) return false; /* or a body of that weight goes down */
    double way = rep_way_N(d), step = rep_top_N(d) - d->rest.mean_N, force_N = d->smooth_N;
    double least_N = d->foot_down && d->known_N <= 0 ? fmax(FIDGET_N, FIDGET_PART * rep_top_N(d)) : 0;
    bool sits = rep_may_sit(d), shared = rep_shared(d, d->low_N);
    bool deep = (shared || d->low_N < d->rest.mean_N + DEEP_PART * step) && (rep_hips_are_low(d) || sits);
    bool learned = d->held || d->known_N > 0 || rep_last_block(d)->t_s - d->onset_s > LEARNED_S;
    double part = d->usual_s > 0 ? (d->low_s - d->onset_s) / d->usual_s : 0;
    bool due = part > DUE_FROM && part < DUE_TO;
    bool hips = rep_moves(d) && learned &&
                d->support_high_N - d->support_low_N > fmax(least_N, (d->held ? TURN_DOWN
                                                                      : due   ? TURN_DOWN_DUE
                                                                              : TURN_DOWN_UNHELD) *
                                                                         way) &&
                d->support_N - d->support_low_N > fmax(least_N, TURN_UP * way);
    if (hips && rep_bridges(d)) hips = rep_bridge_may_rise(d);
    if (!isnan(d->turn_s)) return decide_turn(d, hips || at_top, out);
    bool pushed = rep_moves(d) && hips_held(d) && !isnan(d->descent_s) && d->support_N > d->hold.mean_N + PUSHED * way &&
                  pressed(d, PUSHED_FORCE * d->hold.mean_N);
    if (pushed) d->low_s = d->descent_s, d->low_N = d->hold.mean_N; /* hips that rise from a hold had sunk unseen */
    hips = hips || pushed;
    if (d->exercise->second_foot) hips = false; /* the load's own step moves the observer */
    /* a mean lags behind a fall */
    double risen_N = fmin(force_N, rep_last_block(d)->force_N) - d->low_N;
    if (deep && risen_N > (shared ? END_PART : 0.4) * step && (d->held || sat(d))) hips = true;
    bool fell = deep && d->held && d->low_s - d->descent_s < FALL_S;
    bool sure = pushed && d->known_N > 0;
    if (hips && (!deep || fell) && !sure && !at_top) { /* or only braking before the floor, or a load: what follows will tell */
        d->turn_s = d->low_s;
        d->turn_most_N = pushed ? (1 + LOADED_PART) * d->hold.mean_N : INFINITY;
        d->turn_low_N = d->support_low_N;
        d->turn_least_N = d->low_N;
        d->support_high_N = d->support_low_N = d->support_N;
        return false;
    }
    if ((!hips && !at_top) || (!deep && rep_turns_so_high(d, d->low_s, d->low_N))) return false;
    if (deep && rep_held_lately(d)) return false; /* be it a kick: no hips come back so soon */
    double end_s = d->low_s, onset_s = d->low_s;
    if (deep) cut_contact(d, rep_block_from(d, d->low_s - CONTACT_S), d->blocks - 1, &end_s, &onset_s);
    if (deep && d->held && !sits) before_braking(d, &end_s, &onset_s);
    return turn(d, end_s, onset_s, deep, NULL, out);
}
