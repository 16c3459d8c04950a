/* The plan of sides: whose turn it is, whatever the operator and the athlete do. */
#include "session_run.h"

#define L PLATE_SIDE_LEFT
#define R PLATE_SIDE_RIGHT
#define BOTH PLATE_SIDE_BOTH

static struct run *planned(unsigned reps, enum plate_side start)
{
    struct run *r = run_new();
    r->cfg.plan = (struct plate_plan_config){
        .sides = 3, .side = {PLATE_SIDE_LEFT, PLATE_SIDE_RIGHT, PLATE_SIDE_RIGHT}, .reps = reps, .sets = 2};
    r->cfg.side = start;
    run_begin(r);
    return r;
}

static void expect_plan(const struct run *r, int32_t set, enum plate_side side, enum plate_side next, int32_t done)
{
    const struct plate_plan *p = &r->said.plan;
    assert_int_equal(p->set, set);
    assert_int_equal(p->side, side);
    assert_int_equal(p->next, next);
    assert_int_equal(p->done, done);
    assert_int_equal(p->sets, 4); /* two for each of two legs */
    assert_int_equal(session_side(r->session), side);
}

static void the_plan_moves_on(void **state)
{
    (void)state;
    struct run *r = planned(2, PLATE_SIDE_NONE);
    expect_plan(r, 1, L, R, 0);
    do_rep(r, 1);
    rest(r, 5); /* not complete: a pause is no end */
    assert_int_equal(r->said.plans, 1);
    do_rep(r, 1);
    assert_int_equal(r->said.rep_side, L);
    rest(r, 1);
    assert_int_equal(r->said.plans, 1); /* one rep more than planned, if it comes soon, is of this set */
    do_rep(r, 1);
    assert_int_equal(r->said.rep_side, L);
    rest(r, 3);
    assert_int_equal(r->said.set[0].ended_by, PLATE_SET_BY_PLAN);
    assert_int_equal(r->said.set[0].reps, 3);
    expect_plan(r, 2, R, R, 1);
    do_rep(r, 1);
    assert_int_equal(r->said.rep_side, R);
    rest(r, 30); /* given up: a set that ends by rest is a set */
    assert_int_equal(r->said.set[1].ended_by, PLATE_SET_BY_REST);
    expect_plan(r, 3, R, L, 2);
    do_rep(r, 1);
    mark(r, "set_end", "");
    expect_plan(r, 4, L, R, 3); /* and over again */
    mark(r, "set_end", "");     /* no set is under way: nothing to move on from */
    expect_plan(r, 4, L, R, 3);
    correct(r, "set 1 warmup true"); /* it takes no turn back, but is not counted as done */
    expect_plan(r, 4, L, R, 2);
    correct(r, "set 1 warmup false");
    expect_plan(r, 4, L, R, 3);
    run_free(r);
}

static void the_operator_overrides(void **state)
{
    (void)state;
    struct run *r = planned(2, PLATE_SIDE_NONE);
    mark(r, "side", "right"); /* begins with the other leg: goes on from there */
    expect_plan(r, 1, R, R, 0);
    do_rep(r, 1);
    mark(r, "side", "left"); /* ends the set */
    assert_int_equal(r->said.set[0].ended_by, PLATE_SET_BY_SIDE);
    expect_plan(r, 2, L, R, 1);
    mark(r, "side", "both"); /* a side that the plan does not have takes a turn of it */
    expect_plan(r, 2, BOTH, R, 1);
    do_rep(r, 1);
    do_rep(r, 1);
    rest(r, 4);
    expect_plan(r, 3, R, R, 2);
    do_rep(r, 1);
    correct(r, "set 3 side left"); /* the one under way: the plan goes on from there */
    expect_plan(r, 3, L, R, 2);
    run_free(r);

    r = planned(0, R); /* what the configuration says is the side at the start */
    expect_plan(r, 1, R, R, 0);
    do_rep(r, 1);
    do_rep(r, 1);
    rest(r, 4);
    assert_int_equal(r->said.plans, 1); /* no number of reps is planned: a set ends by rest */
    rest(r, 30);
    expect_plan(r, 2, R, L, 1);
    run_free(r);
}

static void discarded_reps_are_done_again(void **state)
{
    (void)state;
    struct run *r = planned(2, PLATE_SIDE_NONE);
    do_rep(r, 1);
    do_rep(r, 1);
    correct(r, "set 1 rep 1 discarded true");
    rest(r, 4);
    assert_int_equal(r->said.plans, 1);
    do_rep(r, 1);
    rest(r, 4);
    assert_int_equal(r->said.plans, 2);
    assert_int_equal(r->said.set[0].reps, 2);
    run_free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plan_moves_on),
        cmocka_unit_test(the_operator_overrides),
        cmocka_unit_test(discarded_reps_are_done_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
