#include "rep_run.h"

/* Nothing comes after: what was over is said, and what is not over is not. */

static void go_up(struct run *r)
{
    start(r, 250, "single_leg_hip_thrust", plain_leg.rest_N);
    thrusts(r, &plain_leg, 2, 1.5);
    hand_over(r, &plain_leg, plain_leg.hand_over_s, 1, false);
    move(r, &plain_leg, 0, plain_leg.rise_m, plain_leg.up_s, 1);
    rest(r, plain_leg.hold_s, top_N(&plain_leg));
}

static void one_is_over(struct run *r)
{
    assert_int_equal(r->reps, 2);
    finish(r);
    assert_int_equal(r->reps, 3);
    finish(r);
    assert_int_equal(r->reps, 3);
    assert_int_equal(r->phase[r->phases - 1], PLATE_REST);
    end(r);
}

static void the_hips_wait_above_the_floor(void **state)
{
    (void)state;
    struct run r;
    go_up(&r);
    move(&r, &plain_leg, plain_leg.rise_m, plain_leg.low_m, plain_leg.down_s, 1);
    double end_s = r.t_s;
    rest(&r, 1.4, support_N(&plain_leg, plain_leg.low_m));
    one_is_over(&r);
    assert_true(fabs(r.rep[2].end_s - end_s) < 0.3);
}

static void the_foot_has_just_touched_down(void **state)
{
    (void)state;
    struct run r;
    go_up(&r);
    move(&r, &plain_leg, plain_leg.rise_m, 0, plain_leg.down_s, 1);
    hand_over(&r, &plain_leg, plain_leg.hand_over_s, 1, true);
    rest(&r, 0.02, plain_leg.rest_N);
    one_is_over(&r);
    assert_true(fabs(r.rep[2].end_s - now_true(&r)->end_s) < 0.03);
}

/* Within two seconds from an empty plate to an empty plate, it may be a push or somebody who steps over: until nothing follows.
 */
static void a_push_that_may_be_a_step(void **state)
{
    (void)state;
    static const double pushed[][2] = {{0, 0}, {0.15, 700}, {2, 700}, {2.15, 0}, {3, 0}};
    struct run r;
    start(&r, 250, "isometric", 0);
    draw(&r, pushed, 5);
    assert_int_equal(r.reps, 0);
    finish(&r);
    assert_int_equal(r.reps, 1);
    end(&r);
}

/* In the hold, or on the way down: nobody knows how it would have ended. */
static void what_is_under_way_is_no_rep(void **state)
{
    (void)state;
    for (unsigned lower = 0; lower < 2; lower++) {
        struct run r;
        go_up(&r);
        if (lower) move(&r, &plain_leg, plain_leg.rise_m, 0.1, plain_leg.down_s, 1);
        assert_int_not_equal(plate_rep_phase(r.d), PLATE_REST);
        finish(&r);
        assert_int_equal(r.reps, 2);
        end(&r);
    }
}

static void nothing_ever_came(void **state)
{
    (void)state;
    struct run r;
    begin(&r, 250, "generic");
    finish(&r);
    assert_int_equal(r.reps + r.phases, 0);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hips_wait_above_the_floor),
        cmocka_unit_test(the_foot_has_just_touched_down),
        cmocka_unit_test(a_push_that_may_be_a_step),
        cmocka_unit_test(what_is_under_way_is_no_rep),
        cmocka_unit_test(nothing_ever_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
