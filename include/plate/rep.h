/* plate/rep.h - finds repetitions and their phases in one plate's vertical force, and measures them.
 * Pure: no I/O, no clock, no allocation; constant memory, O(1) a sample on average. One detector per plate, one thread.
 * The model, the thresholds and their reasons: docs/detector.md. Definitions and sources of the metrics:
 * docs/metrics.md (onset after Dos'Santos 2017, RFD after Aagaard 2002). */
#pragma once
#include "calibrate.h"
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a protocol asks for; NaN: not asked, so never found wanting. */
struct plate_protocol_targets {
    double hold_min_s;                          /* short_hold */
    double eccentric_min_s;                     /* fast_lowering */
    double hold_cv_max;                         /* unsteady ... */
    double cop_y_min_mm, cop_y_max_mm;          /* heel_bias, toe_bias */
    double sway_path_max_mm, sway_area_max_mm2; /* ... unsteady */
    double turn_min_s, impact_max_pct;          /* bounce: shorter, and harder */
    double medial_max_mm;                       /* medial_shift */
    double support_drop_max_pct;                /* low_support */
};
PLATE_API struct plate_protocol_targets plate_protocol_targets_none(void); /* nothing asked */

enum { PLATE_MAX_FINDINGS = 8 };
struct plate_finding {
    char name[24];
    double value, limit;
};

/* One repetition; the fields are columns of plate_rep_columns (event.h), which has unit and meaning of each. */
struct plate_rep {
    char plate[PLATE_NAME_SIZE];
    int32_t side, set, rep, warmup; /* side: enum plate_side; the session fills these five */
    char exercise[PLATE_TEXT_SIZE];
    double onset_s, top_s, descent_s, end_s;
    double concentric_s, hold_s, eccentric_s, rest_before_s, tut_s;
    double peak_force_N, mean_force_N, hold_force_N, hold_cv;
    double peak_force_N_per_kg, mean_force_N_per_kg, hold_force_N_per_kg;
    double rfd_0_50_N_per_s, rfd_0_100_N_per_s, rfd_0_150_N_per_s, rfd_0_200_N_per_s, rfd_0_250_N_per_s;
    double rfd_max_N_per_s;
    double impulse_Ns, net_impulse_Ns;
    double cop_x_mm, cop_y_mm, cop_drift_x_mm, cop_path_mm, sway_rms_mm, sway_area_mm2;
    double impact_pct;
    double share_pct, share_drive_pct, share_hold_pct, share_lower_pct; /* of the load of both feet; NaN: no partner */
    double onset_live_s, top_live_s, descent_live_s,
        end_live_s; /* when drive, hold, lower and the rep went out; NaN: did not */
    int32_t findings;
    struct plate_finding form[PLATE_MAX_FINDINGS];
};

struct plate_rep_config {
    double rate_Hz;
    const char *exercise; /* single_leg_hip_thrust ... generic; NULL: generic */
    struct plate_protocol_targets targets;
    double filter_delay_s; /* by which Fz_filtered_N is late */
};

struct plate_rep_input {
    double t_s;
    double Fz_N;          /* calibrated, unfiltered */
    double Fz_filtered_N; /* after plate_filter, for peak force */
    double cop_x_mm, cop_y_mm;
    bool paired;    /* the other foot stands on a plate of its own, which says other_N at this time: movements of the whole */
    double other_N; /* body (squat, sit_to_stand, squat_jump, generic) are then decided on the sum */
};
struct plate_rep_output {
    bool phase_changed, rep_done;
    enum plate_phase phase; /* valid if phase_changed */
    struct plate_rep rep;   /* valid if rep_done; plate, side, set, rep, warmup are not filled */
};

/* Opaque: sizeof is stable within one build only. */
struct plate_rep_detector;
PLATE_API size_t plate_rep_detector_size(void);
/* 0, or -EINVAL. `d` points to plate_rep_detector_size() bytes, aligned as malloc aligns. */
PLATE_API int plate_rep_init(struct plate_rep_detector *d, const struct plate_rep_config *cfg);
/* Feeds one sample. True when *ret holds a phase change, a rep, or both. */
PLATE_API bool plate_rep_push(struct plate_rep_detector *d, const struct plate_rep_input *in, struct plate_rep_output *ret);
/* `missing` samples are missing before the next one. Short holes are bridged; a long one ends what is under way, and a rep
 * that was over, but not yet said, comes with the next samples. */
PLATE_API void plate_rep_gap(struct plate_rep_detector *d, uint64_t missing);
/* Nothing comes after: as plate_rep_push, of what was over and not yet said. To be called until it is false. What is under way
 * ends as in a long hole. */
PLATE_API bool plate_rep_end(struct plate_rep_detector *d, struct plate_rep_output *ret);
/* Another exercise or other targets from the next sample on; what the detector has learned of levels is kept. */
PLATE_API void plate_rep_exercise(struct plate_rep_detector *d, const char *exercise,
                                  const struct plate_protocol_targets *targets);
/* The exercises that it knows, by number from 0; NULL after the last. Any other name is taken as `generic`. */
PLATE_API const char *plate_rep_exercise_name(unsigned i);
/* The other leg works from the next sample on: what the reps so far have shown of the load does not hold for it. */
PLATE_API void plate_rep_other_leg(struct plate_rep_detector *d);
PLATE_API enum plate_phase plate_rep_phase(const struct plate_rep_detector *d);

#ifdef __cplusplus
}
#endif
