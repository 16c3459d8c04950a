/* What the floor tells: where a rep ended there, where hips stood above it, and what of it was only a foot. */
#include "rep_run.h"

static const struct body bridge = {.rest_N = 90, .floor_N = 360, .hand_over_s = 0.15};

/* A bridge whose force wanders by this part while it is up. */
static void sways(struct run *r, double part, double hz, double phase, double s)
{
    for (double from_s = r->t_s; r->t_s - from_s < s;) {
        double t_s = r->t_s - from_s, most = fmin(1, fmin(t_s, s - t_s)), w = 2 * M_PI * hz * t_s + phase;
        push(r, bridge.floor_N * (1 + part * most * (0.7 * sin(w) + 0.5 * sin(1.7 * w))));
    }
}

/* The hips are put down after each rep, once so lightly that the foot keeps half of its load: however the force sways above,
 * nothing turns there. */
static void hips_that_are_put_down_sway_at_the_top(void **state)
{
    (void)state;
    static const double rates_Hz[] = {100, 500}, parts[] = {0.03, 0.05}, hz[] = {0.35, 0.45, 0.55};
    for (unsigned k = 0; k < 12; k++) {
        struct run r;
        print_message("by %g at %g Hz\n", parts[k % 2], hz[k / 2 % 3]);
        start(&r, rates_Hz[k / 6], "glute_bridge", bridge.rest_N);
        r.noise_N = 0.6;
        *now_true(&r) = (struct truth){.onset_s = r.t_s};
        hand_over(&r, &bridge, bridge.hand_over_s, 1, false);
        for (unsigned i = 0; i < 6; i++) {
            sways(&r, i == 0 ? 0 : parts[k % 2], hz[k / 2 % 3], i, 5);
            if (i == 3) {
                draw(&r, (const double[][2]){{0, 360}, {0.15, 200}, {0.35, 360}}, 3);
                now_true(&r)->end_s = r.t_s - 0.2;
            } else {
                hand_over(&r, &bridge, bridge.hand_over_s, 1, true);
                now_true(&r)->end_s = r.t_s;
            }
            r.truths++;
            if (i == 5) break;
            if (i != 3) rest(&r, 0.3, bridge.rest_N);
            *now_true(&r) = (struct truth){.onset_s = i == 3 ? r.t_s - 0.2 : r.t_s};
            if (i != 3) hand_over(&r, &bridge, bridge.hand_over_s, 1, false);
        }
        rest(&r, 2, bridge.rest_N);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* Held, a bump on the way down, held lower, driven up and held as before: they stood below. */
static void hips_stand_below_between_two_holds(void **state)
{
    (void)state;
    static const double rates_Hz[] = {80, 250, 1000}, top_N = 275;
    for (unsigned k = 0; k < 9; k++) {
        struct run r;
        double low_N = (0.83 + 0.03 * (k % 3)) * top_N;
        print_message("standing with %g N below\n", low_N);
        start(&r, rates_Hz[k / 3], "single_leg_hip_thrust", 95);
        r.noise_N = 0.6;
        *now_true(&r) = (struct truth){.onset_s = r.t_s};
        draw(&r, (const double[][2]){{0, 95}, {0.2, 230}, {0.5, 300}, {0.9, 262}, {1.3, top_N}, {3, top_N}}, 6);
        for (unsigned i = 0; i < 4; i++) {
            draw(&r,
                 (const double[][2]){
                     {0, top_N}, {0.3, top_N - 8}, {0.5, top_N + 20}, {0.8, 260}, {1.2, 260}, {1.5, low_N + 3}, {1.9, low_N}},
                 7);
            now_true(&r)->end_s = r.t_s;
            r.truths++;
            rest(&r, 1.2, low_N);
            *now_true(&r) = (struct truth){.onset_s = r.t_s};
            draw(&r, (const double[][2]){{0, low_N}, {0.25, 290}, {0.5, 242}, {0.75, 293}, {1, top_N}, {2.8, top_N}}, 6);
        }
        draw(&r, (const double[][2]){{0, top_N}, {1, 220}, {1.3, 138}, {1.5, 95}}, 4);
        now_true(&r)->end_s = r.t_s;
        r.truths++;
        rest(&r, 2, 95);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* The first rises as slowly as who leans, and none sinks by more than a sixth of the force: that they go on alike tells. */
static void shallow_reps_after_a_doubtful_one(void **state)
{
    (void)state;
    static const double rates_Hz[] = {40, 500}, top_N = 330;
    for (unsigned k = 0; k < 8; k++) {
        struct run r;
        double least = 0.83 + 0.03 * (k / 2 % 2), half_s = 1.6 + 0.4 * (k / 4);
        print_message("down to %g, in %g s\n", least, half_s);
        start(&r, rates_Hz[k % 2], "single_leg_hip_thrust", 60);
        r.noise_N = 1;
        *now_true(&r) = (struct truth){.onset_s = r.t_s};
        draw(&r,
             (const double[][2]){
                 {0, 60}, {0.42, 240}, {0.46, 285}, {0.5, 346}, {0.8, 250}, {1.2, 322}, {1.6, top_N}, {3, top_N}},
             8);
        for (unsigned i = 0; i < 5; i++) {
            for (double from_s = r.t_s; r.t_s - from_s < 2 * half_s;) {
                if (r.t_s - from_s < half_s) now_true(&r)->end_s = r.t_s;
                push(&r, top_N * (1 - (1 - least) * 0.5 * (1 - cos(M_PI * (r.t_s - from_s) / half_s))));
            }
            r.truths++;
            *now_true(&r) = (struct truth){.onset_s = r.truth[r.truths - 1].end_s};
            rest(&r, 1.6, top_N);
        }
        draw(&r, (const double[][2]){{0, top_N}, {1, 264}, {1.3, 165}, {1.5, 60}}, 4);
        now_true(&r)->end_s = r.t_s;
        r.truths++;
        rest(&r, 2, 60);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* On an empty plate: put down, relieved by a fifth to a half, pressed again. */
static void a_foot_is_relieved_and_pressed_again(void **state)
{
    (void)state;
    static const double rates_Hz[] = {40, 500}, feet_N[] = {75, 100, 125}, parts[] = {0.5, 0.65, 0.8};
    for (unsigned k = 0; k < 18; k++) {
        struct run r;
        struct body b = plain_leg;
        b.floor_N = 250;
        double foot_N = b.rest_N = feet_N[k % 3], least_N = parts[k / 3 % 3] * foot_N;
        print_message("%g N, relieved to %g N\n", foot_N, least_N);
        begin(&r, rates_Hz[k / 9], "single_leg_hip_thrust");
        r.noise_N = 0.6;
        rest(&r, 2, 0);
        draw(&r, (const double[][2]){{0, 0}, {0.1, 1.02 * foot_N}, {0.2, foot_N}, {0.55, foot_N}}, 4);
        draw(&r,
             (const double[][2]){
                 {0, foot_N}, {0.2, 0.9 * foot_N}, {0.45, least_N}, {0.7, 0.93 * foot_N}, {0.85, foot_N}, {4, foot_N}},
             6);
        thrusts(&r, &b, 3, 1);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* Struck while the hips are held, which at a low rate looks as long as a push: nothing brakes what nothing set in motion. */
static void a_kick_while_they_are_held(void **state)
{
    (void)state;
    static const double rates_Hz[] = {20, 25, 40};
    for (unsigned k = 0; k < 3; k++) {
        struct run r;
        struct body heavy = plain_leg;
        heavy.rest_N = 80, heavy.floor_N = 250;
        start(&r, rates_Hz[k], "single_leg_hip_thrust", heavy.rest_N);
        r.noise_N = 0.6;
        thrusts(&r, &heavy, 2, 1);
        *now_true(&r) = (struct truth){0};
        hand_over(&r, &heavy, heavy.hand_over_s, 1, false);
        move(&r, &heavy, 0, heavy.rise_m, heavy.up_s, 1);
        double top = top_N(&heavy);
        rest(&r, 1, top);
        draw(&r, (const double[][2]){{0, top}, {0.03, 1.8 * top}, {0.08, 1.8 * top}, {0.13, top}, {1.5, top}}, 5);
        move(&r, &heavy, heavy.rise_m, 0, heavy.down_s, 1);
        hand_over(&r, &heavy, heavy.hand_over_s, 1, true);
        r.truths++;
        rest(&r, 1, heavy.rest_N);
        thrusts(&r, &heavy, 2, 1);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* Struck so that the foot bears nothing for a moment, which at a low rate looks like the floor: no hips come back so soon. */
static void a_blow_that_takes_the_load(void **state)
{
    (void)state;
    static const double rates_Hz[] = {10, 20, 100};
    for (unsigned k = 0; k < 3; k++) {
        struct run r;
        start(&r, rates_Hz[k], "single_leg_hip_thrust", plain_leg.rest_N);
        for (unsigned i = 0; i < 4; i++) {
            double top = top_N(&plain_leg);
            *now_true(&r) = (struct truth){0};
            hand_over(&r, &plain_leg, plain_leg.hand_over_s, 1, false);
            move(&r, &plain_leg, 0, plain_leg.rise_m, plain_leg.up_s, 1);
            rest(&r, 1, top);
            draw(&r, (const double[][2]){{0, top}, {0.06, -10}, {0.1, -10}, {0.16, 1.1 * top}, {0.22, top}, {1.4, top}}, 6);
            move(&r, &plain_leg, plain_leg.rise_m, 0, plain_leg.down_s, 1);
            hand_over(&r, &plain_leg, plain_leg.hand_over_s, 1, true);
            r.truths++;
            rest(&r, 1.2, plain_leg.rest_N);
        }
        check_reps(&r, NULL);
        end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hips_that_are_put_down_sway_at_the_top),
        cmocka_unit_test(hips_stand_below_between_two_holds),
        cmocka_unit_test(shallow_reps_after_a_doubtful_one),
        cmocka_unit_test(a_foot_is_relieved_and_pressed_again),
        cmocka_unit_test(a_kick_while_they_are_held),
        cmocka_unit_test(a_blow_that_takes_the_load),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
