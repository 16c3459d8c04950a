#include "columns.h"

static const char *const side_words[] = {"none", "left", "right", "both", NULL};
static const char *const set_end_words[] = {"active", "rest", "side", "command", "stop", "plan", NULL};

/* `what` is the struct that the table speaks of. */
#define FIELD(what, field) offsetof(struct what, field), sizeof(((struct what *)0)->field)
#define F64(what, field, decimals, unit, doc) #field, PLATE_COL_F64, FIELD(what, field), DIGITS_##decimals, unit, NULL, doc
#define I32(what, field, doc) #field, PLATE_COL_I32, FIELD(what, field), 0, "", NULL, doc
#define BOOL(what, field, doc) #field, PLATE_COL_BOOL, FIELD(what, field), 0, "", NULL, doc
#define TEXT(what, field, doc) #field, PLATE_COL_TEXT, FIELD(what, field), 0, "", NULL, doc
#define ENUM(what, field, words, doc) #field, PLATE_COL_ENUM, FIELD(what, field), 0, "", words, doc
#define U64(what, field, doc) #field, PLATE_COL_U64, FIELD(what, field), 0, "", NULL, doc
#define I64(what, field, unit, doc) #field, PLATE_COL_I64, FIELD(what, field), 0, unit, NULL, doc
#define END NULL, PLATE_COL_F64, 0, 0, 0, NULL, NULL, NULL

const struct plate_column plate_rep_columns[] = {
    {TEXT(plate_rep, plate, "the plate's name")},
    {ENUM(plate_rep, side, side_words, "the foot that worked")},
    {I32(plate_rep, set, "number of the set, from 1")},
    {I32(plate_rep, rep, "number of the rep within its set and plate, from 1")},
    {TEXT(plate_rep, exercise, "name of the exercise")},
    {BOOL(plate_rep, warmup, "the set is a warm-up and is not compared")},
    {F64(plate_rep, onset_s, TIME, "s", "the force leaves its resting band")},
    {F64(plate_rep, top_s, TIME, "s", "the hips stop at the top (squat: end of the drive)")},
    {F64(plate_rep, descent_s, TIME, "s", "the hips start down")},
    {F64(plate_rep, end_s, TIME, "s", "touch-down, or the end of the movement")},
    {F64(plate_rep, concentric_s, TIME, "s", "duration of the drive")},
    {F64(plate_rep, hold_s, TIME, "s", "duration of the hold")},
    {F64(plate_rep, eccentric_s, TIME, "s", "duration of the lowering")},
    {F64(plate_rep, rest_before_s, TIME, "s", "from the end of the rep before to this onset")},
    {F64(plate_rep, tut_s, TIME, "s", "time under tension: onset to end")},
    {F64(plate_rep, peak_force_N, FORCE, "N", "maximum of the filtered force")},
    {F64(plate_rep, mean_force_N, FORCE, "N", "mean force from onset to end")},
    {F64(plate_rep, hold_force_N, FORCE, "N", "mean force of the hold")},
    {F64(plate_rep, hold_cv, CV, "1", "SD over mean of the force in the hold")},
    {F64(plate_rep, peak_force_N_per_kg, PER_KG, "N/kg", "peak_force_N per body mass")},
    {F64(plate_rep, mean_force_N_per_kg, PER_KG, "N/kg", "mean_force_N per body mass")},
    {F64(plate_rep, hold_force_N_per_kg, PER_KG, "N/kg", "hold_force_N per body mass")},
    {F64(plate_rep, rfd_0_50_N_per_s, RATE, "N/s", "rate of force development, onset to 50 ms")},
    {F64(plate_rep, rfd_0_100_N_per_s, RATE, "N/s", "rate of force development, onset to 100 ms")},
    {F64(plate_rep, rfd_0_150_N_per_s, RATE, "N/s", "rate of force development, onset to 150 ms")},
    {F64(plate_rep, rfd_0_200_N_per_s, RATE, "N/s", "rate of force development, onset to 200 ms")},
    {F64(plate_rep, rfd_0_250_N_per_s, RATE, "N/s", "rate of force development, onset to 250 ms")},
    {F64(plate_rep, rfd_max_N_per_s, RATE, "N/s", "steepest least-squares slope over 20 ms, up to the peak")},
    {F64(plate_rep, impulse_Ns, IMPULSE, "N s", "integral of the force over the drive")},
    {F64(plate_rep, net_impulse_Ns, IMPULSE, "N s", "the same, of the force above the resting force")},
    {F64(plate_rep, cop_x_mm, COP, "mm", "mean centre of pressure in drive and hold, to the right")},
    {F64(plate_rep, cop_y_mm, COP, "mm", "mean centre of pressure in drive and hold, to the toes")},
    {F64(plate_rep, cop_drift_x_mm, COP, "mm", "drift of the centre of pressure over the drive, to the right")},
    {F64(plate_rep, cop_path_mm, COP, "mm", "path length of the centre of pressure in the hold")},
    {F64(plate_rep, sway_rms_mm, COP, "mm", "RMS distance of the centre of pressure from its mean in the hold")},
    {F64(plate_rep, sway_area_mm2, COP, "mm2", "area of the 95 % ellipse of the centre of pressure in the hold")},
    {F64(plate_rep, impact_pct, PERCENT, "%", "fall of the force at the touch-down before the rep, of the held level")},
    {F64(plate_rep, share_pct, PERCENT, "%", "part of the load of both feet, from onset to end")},
    {F64(plate_rep, share_drive_pct, PERCENT, "%", "part of the load of both feet in the drive")},
    {F64(plate_rep, share_hold_pct, PERCENT, "%", "part of the load of both feet in the hold")},
    {F64(plate_rep, share_lower_pct, PERCENT, "%", "part of the load of both feet in the lowering")},
    {F64(plate_rep, onset_live_s, TIME, "s", "when the phase drive was published")},
    {F64(plate_rep, top_live_s, TIME, "s", "when the phase hold was published")},
    {F64(plate_rep, descent_live_s, TIME, "s", "when the phase lower was published")},
    {F64(plate_rep, end_live_s, TIME, "s", "when the rep was published")},
    {END},
};

const struct plate_column plate_finding_columns[] = {
    {TEXT(plate_finding_row, plate, "the plate's name")},
    {I32(plate_finding_row, set, "number of the set, from 1")},
    {I32(plate_finding_row, rep, "number of the rep within its set and plate, from 1")},
    {TEXT(plate_finding_row, name, "what was found")},
    {F64(plate_finding_row, value, ANY_UNIT, "", "what was measured, in the unit of the finding")},
    {F64(plate_finding_row, limit, ANY_UNIT, "", "what was asked for")},
    {END},
};

const struct plate_column plate_set_columns[] = {
    {I32(plate_set, set, "number of the set, from 1")},
    {ENUM(plate_set, side, side_words, "the foot that worked")},
    {TEXT(plate_set, exercise, "name of the exercise")},
    {BOOL(plate_set, warmup, "a warm-up, not compared")},
    {ENUM(plate_set, ended_by, set_end_words, "active while it runs, then what ended it")},
    {I32(plate_set, reps, "reps so far, of the plate that has most")},
    {F64(plate_set, start_s, TIME, "s", "onset of the first rep")},
    {F64(plate_set, end_s, TIME, "s", "end of the last rep so far")},
    {F64(plate_set, peak_force_N, FORCE, "N", "mean of peak_force_N over the reps")},
    {F64(plate_set, mean_force_N, FORCE, "N", "mean of mean_force_N over the reps")},
    {F64(plate_set, hold_force_N, FORCE, "N", "mean of hold_force_N over the reps")},
    {F64(plate_set, concentric_s, TIME, "s", "mean of concentric_s over the reps")},
    {F64(plate_set, left_share_pct, PERCENT, "%", "the left foot's part of the load of both, over all reps")},
    {F64(plate_set, peak_force_dropoff_pct, PERCENT, "%", "what peak_force_N loses from the first to the last rep")},
    {F64(plate_set, mean_force_dropoff_pct, PERCENT, "%", "what mean_force_N loses from the first to the last rep")},
    {F64(plate_set, hold_force_dropoff_pct, PERCENT, "%", "what hold_force_N loses from the first to the last rep")},
    {F64(plate_set, concentric_dropoff_pct, PERCENT, "%", "what the drive becomes slower from the first to the last rep")},
    {I32(plate_set, correction, "0, or the number of the correction that changed it")},
    {END},
};

const struct plate_column plate_asymmetry_columns[] = {
    {TEXT(plate_asymmetry, metric, "the rep column that is compared")},
    {BOOL(plate_asymmetry, primary, "the metric that speaks for the session")},
    {ENUM(plate_asymmetry, mode, plate_mode_words, "how the limbs worked")},
    {TEXT(plate_asymmetry, index, "what value_pct is")},
    {I32(plate_asymmetry, direction, "+1 more is stronger, -1 more is weaker, 0 neither")},
    {F64(plate_asymmetry, value_pct, PERCENT, "%", "percentage difference, negative: the left is weaker")},
    {F64(plate_asymmetry, ci95_low_pct, PERCENT, "%", "lower end of the interval of value_pct")},
    {F64(plate_asymmetry, ci95_high_pct, PERCENT, "%", "upper end of the interval of value_pct")},
    {ENUM(plate_asymmetry, verdict, plate_verdict_words, "what the interval allows to say")},
    {F64(plate_asymmetry, threshold_pct, PERCENT, "%", "the line that the interval is held against")},
    {F64(plate_asymmetry, left_mean, ANY_UNIT, "", "mean of the left limb's matched reps, in the metric's unit")},
    {F64(plate_asymmetry, right_mean, ANY_UNIT, "", "mean of the right limb's matched reps, in the metric's unit")},
    {I32(plate_asymmetry, n_left, "reps of the left limb that have the metric")},
    {I32(plate_asymmetry, n_right, "reps of the right limb that have the metric")},
    {F64(plate_asymmetry, cv_left_pct, PERCENT, "%", "100 SD / mean of the left limb's matched reps")},
    {F64(plate_asymmetry, cv_right_pct, PERCENT, "%", "100 SD / mean of the right limb's matched reps")},
    {BOOL(plate_asymmetry, counterbalanced, "no limb went first more often than the other")},
    {F64(plate_asymmetry, dropoff_left_pct, PERCENT, "%", "what the left limb loses from the first to the last rep of a set")},
    {F64(plate_asymmetry, dropoff_right_pct, PERCENT, "%",
         "what the right limb loses from the first to the last rep of a set")},
    {F64(plate_asymmetry, dropoff_difference_pct, PERCENT, "%", "right less left, negative: the left tires more")},
    {F64(plate_asymmetry, shift_s, TIME, "s", "onset of the first rep after the share of the load has shifted")},
    {F64(plate_asymmetry, shift_pct, PERCENT, "%", "by how much the left's share has shifted, in points")},
    {F64(plate_asymmetry, limb_symmetry_index_pct, PERCENT, "%", "100 involved / uninvolved, else 100 R / L")},
    {F64(plate_asymmetry, symmetry_index_pct, PERCENT, "%", "100 (R - L) / mean (Robinson 1987)")},
    {F64(plate_asymmetry, symmetry_angle_pct, PERCENT, "%", "symmetry angle (Zifchock 2008)")},
    {I32(plate_asymmetry, correction, "0, or the number of the correction after which it was said again")},
    {END},
};

const struct plate_column plate_mark_columns[] = {
    {F64(plate_mark, t_s, TIME, "s", "acts on samples at and after this time")},
    {TEXT(plate_mark, plate, "the plate it speaks of; empty: all")},
    {U64(plate_mark, sample, "first sample at or after t_s, of that plate or the first")},
    {TEXT(plate_mark, kind, "side, exercise, set_end, warmup, note, ...")},
    {TEXT(plate_mark, value, "what the kind makes of it")},
    {I64(plate_mark, utc_ns, "ns", "UTC when it was entered")},
    {END},
};

const struct plate_column plate_correction_columns[] = {
    {I32(plate_correction, correction, "its number, from 1")},
    {ENUM(plate_correction, field, plate_field_words, "what was put right")},
    {TEXT(plate_correction, plate, "the plate of the rep; empty: all")},
    {I32(plate_correction, set, "of this set; 0: of the recording")},
    {I32(plate_correction, rep, "of this rep; 0: of the whole set")},
    {TEXT(plate_correction, value, "what it is now")},
    {TEXT(plate_correction, was, "what it was before")},
    {END},
};

const struct plate_column plate_plan_columns[] = {
    {I32(plate_plan, set, "number of the set that is under way or comes, from 1")},
    {ENUM(plate_plan, side, side_words, "the foot that works in it")},
    {ENUM(plate_plan, next, side_words, "the foot that works in the one after it")},
    {I32(plate_plan, reps, "reps planned for a set; 0: not said")},
    {I32(plate_plan, done, "sets that have ended, warm-ups apart")},
    {I32(plate_plan, sets, "sets planned for all legs together; 0: not said")},
    {END},
};
