/* core/rep_form.h - what a plate can see of form: a rep's metrics held against the protocol's targets. Pure; values.
 * A target that is NaN is not asked, a metric that is NaN is not found wanting. docs/metrics.md has the definitions. */
#pragma once
#include "plate/rep.h"

/* The findings that a rep shows by itself. */
void rep_judge_form(const struct plate_protocol_targets *t, struct plate_rep *r);
/* Those that need its side, and the hold of its set (NaN: not known yet). */
void rep_judge_form_in_set(const struct plate_protocol_targets *t, double set_hold_N, struct plate_rep *r);
/* After another side was said: what depends on it is judged again, all else stays as it was found. */
void rep_judge_side_again(const struct plate_protocol_targets *t, struct plate_rep *r);
