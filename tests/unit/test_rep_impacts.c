#include "rep_run.h"

/* Hips that bounce on the floor: they come down with a speed, and the floor throws them up again within a twelfth of a second,
 * in which it bears a part of their load. Between, their way is a polynomial with that speed at the floor and none at the top.
 */
struct bounce {
    double speed_m_per_s, floor_s, floor_part;
};
static const struct body hips = {
    .rest_N = 80, .floor_N = 300, .per_m = 0.8, .rise_m = 0.3, .up_s = 0.95, .down_s = 0.95, .hand_over_s = 0.15};
static const struct bounce soft = {0.35, 0.08, 0.4};

/* From the floor to the top with that speed at the floor, or the same backwards. */
static void fly(struct run *r, const struct body *b, double speed_m_per_s, double s, bool back)
{
    double way_m = speed_m_per_s * s,
           c[] = {way_m, 10 * b->rise_m - 6 * way_m, 8 * way_m - 15 * b->rise_m, 6 * b->rise_m - 3 * way_m};
    for (double t0_s = r->t_s, t_s = 0; t_s < s - 1e-9; t_s = r->t_s - t0_s) {
        double u = back ? 1 - t_s / s : t_s / s, u3 = u * u * u;
        double h_m = c[0] * u + u3 * (c[1] + u * (c[2] + u * c[3])),
               a = u * (6 * c[1] + u * (12 * c[2] + u * 20 * c[3])) / (s * s);
        push(r, support_N(b, h_m) * (1 + a / G_M_PER_S2));
    }
}

static void bounces(struct run *r, const struct body *b, const struct bounce *f, unsigned n)
{
    *now_true(r) = (struct truth){0};
    hand_over(r, b, b->hand_over_s, 1, false);
    for (unsigned i = 0; i < n; i++) {
        if (i == 0)
            move(r, b, 0, b->rise_m, b->up_s, 1);
        else
            fly(r, b, f->speed_m_per_s, b->up_s, false);
        now_true(r)->top_s = r->t_s;
        rest(r, b->hold_s, top_N(b));
        now_true(r)->descent_s = r->t_s;
        if (i + 1 == n) {
            move(r, b, b->rise_m, 0, b->down_s, 1);
            hand_over(r, b, b->hand_over_s, 1, true);
            r->truths++;
            break;
        }
        fly(r, b, f->speed_m_per_s, b->down_s, true);
        now_true(r)->end_s = r->t_s + f->floor_s / 2;
        r->truths++;
        *now_true(r) = (struct truth){.onset_s = r->t_s + f->floor_s / 2};
        for (double t0_s = r->t_s, t_s = 0; t_s < f->floor_s - 1e-9; t_s = r->t_s - t0_s)
            push(r, b->floor_N * (1 - f->floor_part * sin(M_PI * t_s / f->floor_s)));
    }
    rest(r, 2, b->rest_N);
}

/* Every 1.5 to 1.7 s, without a hold: the observer sees no turn, or a wrong one, but the floor shows in the force. */
static void impacts_part_reps(void **state)
{
    (void)state;
    static const double rates_Hz[] = {80, 250, 1000}, per_m[] = {0.4, 0.8, 1.2}, up_s[] = {0.7, 0.8};
    for (unsigned k = 0; k < 18; k++) {
        struct body b = hips;
        b.per_m = per_m[k % 3], b.up_s = b.down_s = up_s[k / 9];
        struct run r;
        start(&r, rates_Hz[k / 3 % 3], "single_leg_hip_thrust", b.rest_N);
        bounces(&r, &b, &soft, 5);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* Twice, in a bridge, which presses so evenly that little but the one impact shows. */
static void one_impact_parts_a_bridge(void **state)
{
    (void)state;
    static const double rates_Hz[] = {80, 250, 1000}, hold_s[] = {0, 0.2, 0.6, 1.2};
    for (unsigned k = 0; k < 12; k++) {
        struct body b = hips;
        b.per_m = 0, b.rise_m = 0.13, b.up_s = 0.45, b.down_s = 0.8, b.hold_s = hold_s[k / 3];
        struct run r;
        start(&r, rates_Hz[k % 3], "glute_bridge", b.rest_N);
        bounces(&r, &b, &soft, 2);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* The first two of a set, driven after the impact as evenly as they are held: but before it the foot lacked what makes hips
 * fall. */
static void a_fall_before_the_impact_parts_a_bridge(void **state)
{
    (void)state;
    static const double rates_Hz[] = {80, 250, 1000}, m_per_s[] = {0.15, 0.2, 0.25, 0.3};
    struct body b = {.rest_N = 60, .floor_N = 220};
    for (unsigned k = 0; k < 12; k++) {
        struct run r;
        start(&r, rates_Hz[k / 4], "glute_bridge", b.rest_N);
        print_message("falling at %g m/s\n", m_per_s[k % 4]);
        *now_true(&r) = (struct truth){.onset_s = r.t_s};
        hand_over(&r, &b, 0.2, 1, false);
        changes_speed(&r, b.floor_N, 0.4, 0.3);
        changes_speed(&r, b.floor_N, -0.4, 0.3);
        rest(&r, 0.8, b.floor_N);
        changes_speed(&r, b.floor_N, -m_per_s[k % 4], 0.4);
        rest(&r, 0.4, 0.99 * b.floor_N);
        for (double t0_s = r.t_s; r.t_s - t0_s < 0.08;) push(&r, b.floor_N * (1 - 0.3 * sin(M_PI * (r.t_s - t0_s) / 0.08)));
        now_true(&r)->end_s = r.t_s - 0.04;
        r.truths++;
        *now_true(&r) = (struct truth){.onset_s = r.t_s - 0.04};
        rest(&r, 0.45, 1.01 * b.floor_N);
        changes_speed(&r, b.floor_N, -m_per_s[k % 4] - 0.04, 0.4);
        rest(&r, 1, b.floor_N);
        changes_speed(&r, b.floor_N, -0.25, 0.4);
        rest(&r, 0.35, b.floor_N);
        changes_speed(&r, b.floor_N, 0.2, 0.2);
        hand_over(&r, &b, 0.15, 1, true);
        r.truths++;
        rest(&r, 2, b.rest_N);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* Somebody kicks the plate in the middle of each hold: that bends the force as an impact does, but no hips move. */
static void a_kick_in_a_hold_parts_none(void **state)
{
    (void)state;
    static const double kicked_s[] = {0.07, 0.14}, size_N[] = {-150, 150, -60, 60};
    for (unsigned k = 0; k < 8; k++) {
        struct run r;
        start(&r, 500, "single_leg_hip_thrust", hips.rest_N);
        for (unsigned i = 0; i < 3; i++) {
            double top = top_N(&hips), s = kicked_s[k % 2];
            *now_true(&r) = (struct truth){0};
            hand_over(&r, &hips, hips.hand_over_s, 1, false);
            move(&r, &hips, 0, hips.rise_m, hips.up_s, 1);
            rest(&r, 0.6, top);
            for (double t0_s = r.t_s, t_s = 0; t_s < s; t_s = r.t_s - t0_s) push(&r, top + size_N[k / 2] * sin(M_PI * t_s / s));
            rest(&r, 0.6, top);
            move(&r, &hips, hips.rise_m, 0, hips.down_s, 1);
            hand_over(&r, &hips, hips.hand_over_s, 1, true);
            rest(&r, 2, hips.rest_N);
            r.truths++;
        }
        check_reps(&r, NULL);
        end(&r);
    }
}

/* Hips that rise slowly, and are stopped at the top as abruptly as by a floor: they were driven before it, not after. */
static void a_sudden_stop_at_the_top_parts_none(void **state)
{
    (void)state;
    static const double stopped[][2] = {{0, 80},     {0.2, 320},  {0.8, 330}, {1.2, 420}, {1.25, 250}, {1.3, 250},
                                        {1.35, 350}, {1.75, 270}, {2.4, 260}, {2.55, 80}, {4.5, 80}};
    struct run r;
    start(&r, 500, "single_leg_hip_thrust", 80);
    for (unsigned i = 0; i < 4; i++) draw(&r, stopped, 11);
    assert_int_equal(r.reps, 4);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(impacts_part_reps),
        cmocka_unit_test(one_impact_parts_a_bridge),
        cmocka_unit_test(a_fall_before_the_impact_parts_a_bridge),
        cmocka_unit_test(a_kick_in_a_hold_parts_none),
        cmocka_unit_test(a_sudden_stop_at_the_top_parts_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
