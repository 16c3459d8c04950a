/* Form findings: each is there beyond its limit, and only there; the set's memory is the session's. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "rep_form.h"
#include "session.h"

static const struct plate_finding *found(const struct plate_rep *r, const char *name)
{
    const struct plate_finding *f = NULL;
    for (int i = 0; i < r->findings; i++) {
        if (strcmp(r->form[i].name, name) != 0) continue;
        if (f) fail_msg("%s twice", name);
        f = &r->form[i];
    }
    return f;
}

/* Nothing wrong with it, whatever is asked. */
static struct plate_rep good_rep(void)
{
    return (struct plate_rep){.side = PLATE_SIDE_LEFT,
                              .rest_before_s = 1,
                              .impact_pct = 70,
                              .hold_s = 1.2,
                              .eccentric_s = 2.1,
                              .hold_force_N = 300,
                              .hold_cv = 0.02,
                              .cop_path_mm = 30,
                              .sway_area_mm2 = 80};
}
static const struct plate_protocol_targets all = {.hold_min_s = 1,
                                                  .eccentric_min_s = 2,
                                                  .hold_cv_max = 0.05,
                                                  .cop_y_min_mm = -80,
                                                  .cop_y_max_mm = 60,
                                                  .sway_path_max_mm = 60,
                                                  .sway_area_max_mm2 = 150,
                                                  .turn_min_s = 0.2,
                                                  .impact_max_pct = 55,
                                                  .medial_max_mm = 15,
                                                  .support_drop_max_pct = 10};

static struct plate_rep judged(struct plate_rep r, const struct plate_protocol_targets *t)
{
    rep_judge_form(t, &r);
    rep_judge_form_in_set(t, 310, &r);
    return r;
}

static void each_finding_has_its_figure_and_its_limit(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        size_t offset;
        double at_limit, beyond, limit; /* the limit itself is kept */
    } cases[] = {
        {"short_hold", offsetof(struct plate_rep, hold_s), 1, 0.9, 1},
        {"fast_lowering", offsetof(struct plate_rep, eccentric_s), 2, 1.9, 2},
        {"unsteady", offsetof(struct plate_rep, hold_cv), 0.05, 0.06, 0.05},
        {"unsteady", offsetof(struct plate_rep, cop_path_mm), 60, 61, 60},
        {"unsteady", offsetof(struct plate_rep, sway_area_mm2), 150, 151, 150},
        {"toe_bias", offsetof(struct plate_rep, cop_y_mm), 60, 61, 60},
        {"heel_bias", offsetof(struct plate_rep, cop_y_mm), -80, -81, -80},
        {"medial_shift", offsetof(struct plate_rep, cop_drift_x_mm), 15, 16, 15},
    };
    const struct plate_protocol_targets none = plate_protocol_targets_none();
    assert_int_equal(judged(good_rep(), &all).findings, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double values[] = {cases[i].at_limit, cases[i].beyond, NAN};
        for (int k = 0; k < 3; k++) {
            struct plate_rep r = good_rep();
            memcpy((char *)&r + cases[i].offset, &values[k], sizeof(double));
            assert_int_equal(judged(r, &none).findings, 0);
            r = judged(r, &all);
            if (r.findings != (k == 1)) fail_msg("%s: %d findings at %g", cases[i].name, r.findings, values[k]);
            if (k != 1) continue;
            const struct plate_finding *f = found(&r, cases[i].name);
            assert_true(f && f->value == cases[i].beyond && f->limit == cases[i].limit);
        }
    }
}

static void a_bounce_is_short_and_hard(void **state)
{
    (void)state;
    for (int i = 0; i < 8; i++) {
        struct plate_rep r = good_rep();
        r.rest_before_s = i & 1 ? 0.12 : 0.5;
        r.impact_pct = i & 4 ? NAN : i & 2 ? 70 : 40;
        r = judged(r, &all);
        const struct plate_finding *f = found(&r, "bounce");
        assert_int_equal(f != NULL, i == 3);
        if (f) assert_true(f->value == 0.12 && f->limit == 0.2);
    }
}

static void inwards_depends_on_the_foot(void **state)
{
    (void)state;
    static const struct {
        enum plate_side side;
        double drift_mm;
        bool found;
    } cases[] = {{PLATE_SIDE_LEFT, 20, true},   {PLATE_SIDE_LEFT, -20, false}, {PLATE_SIDE_RIGHT, 20, false},
                 {PLATE_SIDE_RIGHT, -20, true}, {PLATE_SIDE_BOTH, 20, false},  {PLATE_SIDE_BOTH, -20, false},
                 {PLATE_SIDE_NONE, 20, false},  {PLATE_SIDE_NONE, -20, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct plate_rep r = good_rep();
        r.side = (int32_t)cases[i].side;
        r.cop_drift_x_mm = cases[i].drift_mm;
        r = judged(r, &all);
        const struct plate_finding *f = found(&r, "medial_shift");
        assert_true((f != NULL) == cases[i].found);
        if (f) assert_true(f->value == 20 && f->limit == 15);
    }
}

static void all_at_once_fit(void **state)
{
    (void)state;
    struct plate_rep r = good_rep();
    r.rest_before_s = 0.1, r.impact_pct = 90, r.hold_s = r.eccentric_s = 0.1, r.hold_cv = 1,
    r.cop_path_mm = r.sway_area_mm2 = 1e4;
    r.cop_y_mm = 100, r.cop_drift_x_mm = 40, r.hold_force_N = 100;
    r = judged(r, &all);
    assert_int_equal(r.findings, 7); /* of eight: not in front of and behind the band at once */
    assert_true(found(&r, "unsteady")->limit == 0.05 && !found(&r, "heel_bias"));
}

/* ---- the set ---- */

static struct plate_rep said; /* the last rep that the session let out */
static void keep(void *user, const struct plate_event *e)
{
    (void)user;
    if (e->type == PLATE_EVENT_REP) said = e->u.rep;
}

static double lack_pct(struct session *s, unsigned plate, double hold_N, double t_s)
{
    struct plate_rep r = good_rep();
    r.hold_force_N = hold_N, r.onset_s = t_s, r.end_s = t_s + 3;
    session_rep(s, plate, &r, t_s + 3);
    const struct plate_finding *f = found(&said, "low_support");
    return f ? f->value : NAN;
}

static void the_hold_is_that_of_the_sets_first_three(void **state)
{
    (void)state;
    static struct plate_station_config cfg;
    static struct session s;
    const struct plate_station_sink sink = {.event = keep};
    plate_station_config_default(&cfg);
    cfg.plates = 2, cfg.plate[0].side = PLATE_SIDE_LEFT, cfg.plate[1].side = PLATE_SIDE_RIGHT;
    cfg.targets.support_drop_max_pct = 10;
    assert_int_equal(session_init(&s, &cfg, &sink), 0);
    assert_true(isnan(lack_pct(&s, 0, 300, 0)));
    assert_true(isnan(lack_pct(&s, 0, 100, 5))); /* too few to say what is low */
    assert_true(isnan(lack_pct(&s, 0, NAN, 10)));
    assert_true(isnan(lack_pct(&s, 0, 310, 15)));
    assert_true(isnan(lack_pct(&s, 0, 271, 20))); /* median 300 */
    assert_true(fabs(lack_pct(&s, 0, 240, 25) - 20) < 1e-9);
    assert_true(isnan(lack_pct(&s, 0, NAN, 30)));
    assert_true(isnan(lack_pct(&s, 1, 150, 35))); /* the other plate has its own */
    assert_true(fabs(lack_pct(&s, 0, 240, 40) - 20) < 1e-9);
    session_finish(&s, 45);
    for (int i = 0; i < 4; i++) assert_true(isnan(lack_pct(&s, 0, 200, 50 + 5 * i))); /* and so has the next set */
    assert_true(fabs(lack_pct(&s, 0, 150, 75) - 25) < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_finding_has_its_figure_and_its_limit),
        cmocka_unit_test(a_bounce_is_short_and_hard),
        cmocka_unit_test(inwards_depends_on_the_foot),
        cmocka_unit_test(all_at_once_fit),
        cmocka_unit_test(the_hold_is_that_of_the_sets_first_three),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
