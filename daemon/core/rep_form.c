#include "rep_form.h"

#include <math.h>
#include <string.h>

struct plate_protocol_targets plate_protocol_targets_none(void)
{
    return (struct plate_protocol_targets){.hold_min_s = NAN,
                                           .eccentric_min_s = NAN,
                                           .hold_cv_max = NAN,
                                           .cop_y_min_mm = NAN,
                                           .cop_y_max_mm = NAN,
                                           .sway_path_max_mm = NAN,
                                           .sway_area_max_mm2 = NAN,
                                           .turn_min_s = NAN,
                                           .impact_max_pct = NAN,
                                           .medial_max_mm = NAN,
                                           .support_drop_max_pct = NAN};
}

/* `wanting` comes from comparisons with NaN, which are false: not asked, not found. */
static bool find(struct plate_rep *r, const char *name, double value, double limit, bool wanting)
{
    if (!wanting || r->findings >= PLATE_MAX_FINDINGS) return false;
    struct plate_finding *f = &r->form[r->findings++];
    memset(f, 0, sizeof *f);
    strncpy(f->name, name, sizeof f->name - 1);
    f->value = value;
    f->limit = limit;
    return true;
}

static bool above(struct plate_rep *r, const char *name, double value, double limit)
{
    return find(r, name, value, limit, value > limit);
}

static bool below(struct plate_rep *r, const char *name, double value, double limit)
{
    return find(r, name, value, limit, value < limit);
}

void rep_judge_form(const struct plate_protocol_targets *t, struct plate_rep *r)
{
    find(r, "bounce", r->rest_before_s, t->turn_min_s, r->rest_before_s < t->turn_min_s && r->impact_pct > t->impact_max_pct);
    below(r, "short_hold", r->hold_s, t->hold_min_s);
    below(r, "fast_lowering", r->eccentric_s, t->eccentric_min_s);
    if (!above(r, "unsteady", r->hold_cv, t->hold_cv_max) && !above(r, "unsteady", r->cop_path_mm, t->sway_path_max_mm))
        above(r, "unsteady", r->sway_area_mm2, t->sway_area_max_mm2);
    above(r, "toe_bias", r->cop_y_mm, t->cop_y_max_mm);
    below(r, "heel_bias", r->cop_y_mm, t->cop_y_min_mm);
}

/* The inner edge is to the right of a left foot, to the left of a right one; which foot else, nobody knows. */
static void judge_side(const struct plate_protocol_targets *t, struct plate_rep *r)
{
    double inwards = r->side == PLATE_SIDE_LEFT ? 1 : r->side == PLATE_SIDE_RIGHT ? -1 : NAN;
    above(r, "medial_shift", inwards * r->cop_drift_x_mm, t->medial_max_mm);
}

void rep_judge_form_in_set(const struct plate_protocol_targets *t, double set_hold_N, struct plate_rep *r)
{
    judge_side(t, r);
    above(r, "low_support", 100 * (1 - r->hold_force_N / set_hold_N), t->support_drop_max_pct);
}

void rep_judge_side_again(const struct plate_protocol_targets *t, struct plate_rep *r)
{
    struct plate_finding low = {.name = ""};
    int32_t kept = 0;
    for (int32_t i = 0; i < r->findings; i++)
        if (strcmp(r->form[i].name, "low_support") == 0)
            low = r->form[i];
        else if (strcmp(r->form[i].name, "medial_shift") != 0)
            r->form[kept++] = r->form[i];
    r->findings = kept;
    judge_side(t, r);
    if (*low.name && r->findings < PLATE_MAX_FINDINGS) r->form[r->findings++] = low; /* in the order of the first judgement */
}
