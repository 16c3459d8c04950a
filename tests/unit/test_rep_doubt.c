/* What has the force of a rep and is none; and reps that look like that. */
#include "rep_run.h"

static const struct body athlete = {
    .rest_N = 60, .floor_N = 240, .per_m = 0.9, .rise_m = 0.3, .up_s = 0.8, .hold_s = 1.2, .down_s = 1.5, .hand_over_s = 0.12};

/* On and off by minimum jerk; between, unsteady by this part of it. */
static void load(struct run *r, double from_N, double size_N, double on_s, double stay_s, double off_s, double sway)
{
    double all_s = on_s + stay_s + off_s;
    for (double t0_s = r->t_s; r->t_s - t0_s < all_s - 1e-9;) {
        double t_s = r->t_s - t0_s, part = fmin(smooth(t_s / on_s), smooth((all_s - t_s) / off_s));
        push(r, from_N + size_N * part * (1 + sway * sin(2 * M_PI * 0.35 * t_s) + 0.4 * sway * sin(2 * M_PI * 1.1 * t_s)));
    }
}

static void somebody_leans_on_the_plate(void **state)
{
    (void)state;
    static const double rates_Hz[] = {40, 100, 1000};
    for (unsigned k = 0; k < 3; k++) {
        struct run r;
        start(&r, rates_Hz[k], "single_leg_hip_thrust", athlete.rest_N);
        load(&r, athlete.rest_N, 80, 1.0, 4, 1.1, 0.08);
        rest(&r, 1.5, athlete.rest_N);
        load(&r, athlete.rest_N, 100, 1.3, 6, 0.9, 0.07);
        rest(&r, 1.5, athlete.rest_N);
        thrusts(&r, &athlete, 4, 1.2);
        load(&r, athlete.rest_N, 110, 0.9, 7, 1.2, 0.06);
        rest(&r, 1.5, athlete.rest_N);
        thrusts(&r, &athlete, 2, 1.2);
        check_reps(&r, rates_Hz[k] > 250 ? &sharp : NULL);
        end(&r);
    }
}

/* The bar is rolled over the foot's leg before the set and after it: up and down in one hump, and the foot presses more while
 * it lies on the hips. */
static void a_bar_is_rolled_over_the_legs(void **state)
{
    (void)state;
    static const double rates_Hz[] = {20, 100, 1000}, on_s[] = {0.3, 0.5, 0.7}, off_s[] = {0.8, 0.9, 0.9};
    for (unsigned k = 0; k < 3; k++)
        for (unsigned i = 0; i < 3; i++) {
            struct run r;
            start(&r, rates_Hz[k], "barbell_hip_thrust", 30);
            double all_s = on_s[i] + off_s[i];
            for (double t0_s = r.t_s, t; (t = r.t_s - t0_s) < all_s;)
                push(&r, t < on_s[i] ? 30 + 420 * smooth(t / on_s[i]) : 60 + 390 * smooth((all_s - t) / off_s[i]));
            rest(&r, 3, 60);
            thrusts(&r, &athlete, 3, 1.2);
            rest(&r, 2, 60);
            for (double t0_s = r.t_s, t; (t = r.t_s - t0_s) < all_s;)
                push(&r, t < off_s[i] ? 60 + 390 * smooth(t / off_s[i]) : 30 + 420 * smooth((all_s - t) / on_s[i]));
            rest(&r, 3, 30);
            check_reps(&r, NULL);
            end(&r);
        }
}

static void discs_on_and_off_an_empty_plate(void **state)
{
    (void)state;
    struct run r;
    start(&r, 100, "barbell_hip_thrust", 0);
    for (unsigned i = 1; i <= 3; i++) {
        load(&r, 0, 98 * i, 0.2, 3 + i, 0.25, 0);
        rest(&r, 2, 0);
    }
    draw(&r, (const double[][2]){{0, 0}, {0.3, athlete.rest_N}, {3, athlete.rest_N}}, 3);
    thrusts(&r, &athlete, 3, 1.2);
    check_reps(&r, NULL);
    end(&r);
}

/* Whoever rises and sinks so evenly is believed when he does it again; then the first one is said as well. */
static void reps_as_smooth_as_a_lean(void **state)
{
    (void)state;
    struct run r;
    start(&r, 500, "single_leg_hip_thrust", 60);
    for (unsigned i = 0; i < 4; i++) {
        *now_true(&r) = (struct truth){.onset_s = r.t_s + 0.17, .end_s = r.t_s + 3.4};
        load(&r, 60, 200, 1.0, 1.5, 1.2, 0);
        r.truths++;
        rest(&r, 1.2, 60);
    }
    check_reps(&r, NULL);
    assert_true(r.rep[0].end_live_s > r.truth[1].end_s);
    assert_true(r.rep[1].end_live_s - r.rep[0].end_live_s < 0.003); /* the sample after it */
    assert_true(r.rep[2].end_live_s < r.truth[3].onset_s);
    for (unsigned i = 0; i < 4; i++) assert_true(fabs(r.rep[i].onset_s - r.truth[i].onset_s) < 0.05);
    assert_true(isnan(r.rep[0].rest_before_s));
    assert_true(fabs(r.rep[1].rest_before_s - (r.rep[1].onset_s - r.rep[0].end_s)) < 1e-9);
    end(&r);
}

/* The foot presses more between them than before the first, and then less, never still: the second
 * begins after the first, and the force that holds the hips is the same. */
static void reps_as_smooth_as_a_lean_and_a_foot_that_shifts(void **state)
{
    (void)state;
    static const double foot_N[] = {60, 94, 104, 88, 98};
    struct run r;
    start(&r, 500, "single_leg_hip_thrust", foot_N[0]);
    for (unsigned i = 0; i < 4; i++) {
        *now_true(&r) = (struct truth){.onset_s = r.t_s, .end_s = r.t_s + 3.6};
        draw(&r, (const double[][2]){{0, foot_N[i]}, {1, 290}, {2.5, 290}, {3.7, 72}, {4.2, foot_N[i + 1]}}, 5);
        r.truths++;
    }
    rest(&r, 1.5, foot_N[4]);
    check_reps(&r, NULL);
    end(&r);
}

/* The same where the foot is still, and rests on another level each time. */
static void reps_as_smooth_as_a_lean_and_a_foot_that_rests_anew(void **state)
{
    (void)state;
    struct run r;
    start(&r, 500, "single_leg_hip_thrust", 60);
    for (unsigned i = 0; i < 4; i++) {
        double from_N = i % 2 ? 100 : 60, to_N = i % 2 ? 60 : 100;
        *now_true(&r) = (struct truth){.onset_s = r.t_s, .end_s = r.t_s + 3.6};
        draw(&r, (const double[][2]){{0, from_N}, {1, 290}, {2.5, 290}, {3.7, from_N}, {4.2, to_N}, {6, to_N}}, 6);
        r.truths++;
    }
    check_reps(&r, NULL);
    end(&r);
}

static void a_lone_lean_leaves_no_trace(void **state)
{
    (void)state;
    struct run r;
    start(&r, 500, "single_leg_hip_thrust", athlete.rest_N);
    load(&r, athlete.rest_N, 90, 1.0, 4, 1.1, 0.08);
    rest(&r, 1.5, athlete.rest_N);
    thrusts(&r, &athlete, 1, 1.2);
    assert_int_equal(r.reps, 1);
    assert_true(isnan(r.rep[0].rest_before_s)); /* it is the first */
    end(&r);
}

/* A lighter bar in the middle of a set: the first rep with it waits for the second. */
static void the_load_is_changed(void **state)
{
    (void)state;
    struct body light = athlete;
    struct run r;
    light.floor_N = 130;
    start(&r, 500, "single_leg_hip_thrust", athlete.rest_N);
    thrusts(&r, &athlete, 3, 1.2);
    thrusts(&r, &light, 3, 1.2);
    check_reps(&r, &sharp);
    assert_true(r.rep[3].end_live_s > r.truth[4].end_s);
    assert_true(r.rep[5].end_live_s < r.truth[5].end_s + 0.3);
    end(&r);
}

/* Somebody's whole weight, for a moment, before a set that nobody named; and again, after it. */
static void somebody_steps_on_and_off(void **state)
{
    (void)state;
    static const double held[][2] = {{0, 0}, {0.12, 900}, {0.3, 760}, {2.4, 762}, {2.55, 830}, {2.7, 0}, {4, 0}},
                        short_[][2] = {{0, 0}, {0.12, 900}, {0.3, 760}, {0.6, 765}, {0.75, 830}, {0.9, 0}, {3, 0}},
                        foot[][2] = {{0, 0}, {0.2, 90}, {0.4, 60}, {2, 60}};
    for (unsigned i = 0; i < 2; i++) {
        struct run r;
        start(&r, 250, "generic", 0);
        draw(&r, i ? short_ : held, 7);
        draw(&r, foot, 4);
        thrusts(&r, &athlete, 3, 1.2);
        rest(&r, 1, 0);
        draw(&r, i ? short_ : held, 7);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* One after the other, with the heel lifted between and after: the length of a quick rep. A hard one and a light one: their
 * mean holds no hips. And a push that lifts nothing: quick hips are thrown and caught, with a dip between. */
static void taps_and_a_lift_that_fails(void **state)
{
    (void)state;
    static const double taps[][2] = {{0, 60},     {0.15, 150}, {0.3, 60}, {0.4, 35}, {0.5, 60},
                                     {0.65, 150}, {0.8, 60},   {0.9, 30}, {1.1, 60}, {4, 60}},
                        unlike[][2] = {{0, 60},    {0.1, 130}, {0.24, 50}, {0.4, 58}, {0.6, 58},
                                       {0.72, 95}, {0.9, 56},  {1.1, 60},  {4, 60}},
                        fails[][2] = {{0, 60}, {0.2, 110}, {0.35, 125}, {0.5, 120}, {0.75, 60}, {4, 60}};
    static const double(*const what[])[2] = {taps, unlike, fails};
    static const unsigned corners[] = {10, 9, 6};
    for (unsigned k = 0; k < 3; k++) {
        struct run r;
        start(&r, 250, "single_leg_hip_thrust", 60);
        for (unsigned i = 0; i < 3; i++) draw(&r, what[k], corners[k]);
        thrusts(&r, &athlete, 3, 1.2);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* The hips leave the floor by a few centimetres, are held there for a moment and fall back, again and again: not the least of
 * what the force would have to do in so short a time to carry them. */
static void lifts_that_are_given_up(void **state)
{
    (void)state;
    static const double gives_up[][2] = {{0, 60},    {0.1, 235},  {0.16, 245}, {0.24, 205},
                                         {0.3, 215}, {0.65, 215}, {0.8, 60},   {4, 60}};
    struct run r;
    start(&r, 250, "single_leg_hip_thrust", 60);
    for (unsigned i = 0; i < 3; i++) draw(&r, gives_up, 8);
    thrusts(&r, &athlete, 3, 1.2);
    for (unsigned i = 0; i < 3; i++) draw(&r, gives_up, 8);
    check_reps(&r, NULL);
    end(&r);
}

/* Somebody puts weight on the foot for a moment, more each time, and nothing is lifted and braked. */
static void the_foot_is_leant_on_for_a_moment(void **state)
{
    (void)state;
    struct run r;
    start(&r, 100, "single_leg_hip_thrust", 60);
    for (unsigned i = 0; i < 3; i++) {
        double leant_N = 110 + 12 * i;
        draw(&r, (const double[][2]){{0, 60}, {0.15, leant_N}, {1.4, leant_N}, {1.55, 60}, {5, 60}}, 5);
    }
    thrusts(&r, &athlete, 3, 1.2);
    check_reps(&r, NULL);
    end(&r);
}

/* A foot so light that the plate may be empty, and hips that it takes at once and gives back at once. Once may be a foot that
 * is set there, as may be what lies there evenly, however often. */
static void light_hips_on_an_empty_plate(void **state)
{
    (void)state;
    static const double grind[][2] = {{0, 12},    {0.25, 138}, {1.2, 150}, {1.35, 168}, {1.5, 150},
                                      {2.8, 155}, {3.2, 130},  {3.9, 142}, {4.1, 12},   {6, 12}},
                        set[][2] = {{0, 12}, {0.25, 146}, {3.9, 146}, {4.1, 12}, {6, 12}};
    struct run r;
    start(&r, 250, "single_leg_hip_thrust", 12);
    for (unsigned i = 0; i < 3; i++) draw(&r, set, 5);
    assert_int_equal(r.reps, 0);
    draw(&r, grind, 10);
    assert_int_equal(r.reps, 0);
    for (unsigned i = 0; i < 3; i++) draw(&r, grind, 10);
    assert_int_equal(r.reps, 4);
    end(&r);
}

/* Harder than any drive, and over before hips can have moved. */
static void a_kick_into_a_hold(void **state)
{
    (void)state;
    static const double held[][2] = {{0, 60},    {0.12, 240}, {0.3, 330},  {0.6, 250},  {0.75, 305},
                                     {2, 305},   {2.02, 640}, {2.06, 640}, {2.08, 280}, {2.1, 305},
                                     {3.5, 305}, {3.7, 280},  {4.6, 240},  {4.8, 60},   {6.5, 60}};
    struct run r;
    start(&r, 500, "single_leg_hip_thrust", 60);
    thrusts(&r, &athlete, 2, 1.2);
    draw(&r, held, 15);
    assert_int_equal(r.reps, 3);
    end(&r);
}

/* A foot so light that the plate may be empty: quick hips are braked before they are held, a foot that is put down is not. */
static void a_light_foot_drives_quickly(void **state)
{
    (void)state;
    struct body light = {.rest_N = 15,
                         .floor_N = 200,
                         .per_m = 1.0,
                         .rise_m = 0.3,
                         .up_s = 0.6,
                         .hold_s = 1.2,
                         .down_s = 0.9,
                         .hand_over_s = 0.15};
    struct run r;
    start(&r, 500, "single_leg_hip_thrust", 15);
    thrusts(&r, &light, 3, 1.2);
    check_reps(&r, &sharp);
    end(&r);
}

/* The support hardly grows with height, so that the first one rises like a lean; and the floor takes but half of the load
 * before the next. */
static void doubtful_hips_that_touch_and_go(void **state)
{
    (void)state;
    static const double up[][2] = {{0, 300},    {0.15, 497}, {0.23, 538}, {0.33, 526}, {0.55, 430},
                                   {0.93, 560}, {1.75, 532}, {3.1, 546},  {3.48, 494}, {3.65, 500},
                                   {3.8, 553},  {3.98, 471}, {4.35, 383}, {4.45, 284}, {4.53, 284}},
                        first[][2] = {{0, 110},    {0.1, 150},  {0.23, 265}, {0.35, 545}, {0.4, 584},
                                      {0.75, 421}, {1.05, 553}, {3.15, 544}, {3.65, 499}, {3.88, 555},
                                      {4.13, 449}, {4.48, 403}, {4.58, 303}, {4.73, 287}};
    struct run r;
    start(&r, 100, "single_leg_hip_thrust", 110);
    for (unsigned i = 0; i < 5; i++) {
        *now_true(&r) = (struct truth){.onset_s = r.t_s, .end_s = r.t_s + 4.6};
        i == 0 ? draw(&r, first, sizeof first / sizeof *first) : draw(&r, up, sizeof up / sizeof *up);
        r.truths++;
        if (i < 4) rest(&r, 0.1, 285);
    }
    draw(&r, (const double[][2]){{0, 285}, {0.4, 110}, {2, 110}}, 3);
    check_reps(&r, NULL);
    end(&r);
}

/* Lowered quickly, caught on the way and then set down: from where they were caught, less than half a rep. The support hardly
 * falls on the way, so that the catching looks like a turn. */
static void caught_on_the_way_down(void **state)
{
    (void)state;
    struct body b = athlete;
    b.per_m = 0.35;
    struct run r;
    start(&r, 250, "single_leg_hip_thrust", b.rest_N);
    thrusts(&r, &b, 2, 1.2);
    for (unsigned i = 0; i < 3; i++) {
        now_true(&r)->onset_s = r.t_s;
        hand_over(&r, &b, b.hand_over_s, 1, false);
        move(&r, &b, 0, b.rise_m, b.up_s, 1);
        rest(&r, 1.0, top_N(&b));
        move(&r, &b, b.rise_m, 0.16, 0.5, 1);
        move(&r, &b, 0.16, 0.11, 0.3, 1);
        move(&r, &b, 0.11, 0, 0.6, 1);
        hand_over(&r, &b, b.hand_over_s, 1, true);
        now_true(&r)->end_s = r.t_s;
        r.truths++;
        rest(&r, 1.2, b.rest_N);
    }
    check_reps(&r, NULL);
    end(&r);
}

/* A drive that sticks presses evenly for as long as a hold does, a top that is short does not: what is held there is less than
 * the mean force, so it was no hold, and the rep no other load. */
static void a_drive_that_sticks(void **state)
{
    (void)state;
    static const double rates_Hz[] = {80, 500};
    for (unsigned k = 0; k < 2; k++) {
        struct run r;
        start(&r, rates_Hz[k], "single_leg_hip_thrust", athlete.rest_N);
        thrusts(&r, &athlete, 2, 1.2);
        for (unsigned i = 0; i < 2; i++) {
            *now_true(&r) = (struct truth){.onset_s = r.t_s, .end_s = r.t_s + 2.85};
            draw(&r,
                 (const double[][2]){
                     {0, 60}, {0.13, 238}, {0.75, 240}, {1.1, 295}, {1.3, 305}, {1.6, 292}, {2.7, 235}, {2.85, 60}},
                 8);
            r.truths++;
            rest(&r, 1.2, athlete.rest_N);
            thrusts(&r, &athlete, 1, 1.2);
        }
        check_reps(&r, NULL);
        end(&r);
    }
}

/* Whoever rises as smoothly as a lean is believed when he does it again, though the second time he was not held at the top. */
static void reps_as_smooth_as_a_lean_one_of_them_held(void **state)
{
    (void)state;
    struct run r;
    start(&r, 500, "single_leg_hip_thrust", 60);
    *now_true(&r) = (struct truth){.onset_s = r.t_s + 0.17, .end_s = r.t_s + 3.4};
    load(&r, 60, 200, 1.0, 1.5, 1.2, 0);
    r.truths++;
    rest(&r, 1.2, 60);
    *now_true(&r) = (struct truth){.onset_s = r.t_s, .end_s = r.t_s + 3};
    draw(&r, (const double[][2]){{0, 60}, {0.8, 200}, {1.3, 260}, {2.3, 190}, {3, 60}}, 5);
    r.truths++;
    rest(&r, 2, 60);
    check_reps(&r, NULL);
    end(&r);
}

/* Put down on an empty plate, lifted nearly off it to find its place, and at rest: the reps come after that. */
static void a_foot_finds_its_place(void **state)
{
    (void)state;
    static const double rates_Hz[] = {20, 100, 1000}, foot_N[] = {20, 55, 90}, part[] = {0.2, 0.3, 0.4};
    for (unsigned k = 0; k < 27; k++) {
        struct run r;
        double N = foot_N[k / 3 % 3], low_N = part[k / 9] * N;
        struct body b = athlete;
        b.rest_N = N;
        start(&r, rates_Hz[k % 3], "single_leg_hip_thrust", 0);
        const double corners[][2] = {{0, 0}, {0.15, N}, {0.7, N}, {1.0, low_N}, {1.05, low_N}, {1.35, N}, {5, N}};
        draw(&r, corners, sizeof corners / sizeof *corners);
        thrusts(&r, &b, 3, 1.2);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* It takes as long as a lean until the hips are off; but then they are driven up, and braked. */
static void a_slow_start_and_a_drive(void **state)
{
    (void)state;
    static const double rates_Hz[] = {50, 250, 1000};
    for (unsigned k = 0; k < 9; k++) {
        struct run r;
        double on_s = 0.4 + 0.15 * (k / 3);
        start(&r, rates_Hz[k % 3], "single_leg_hip_thrust", 100);
        *now_true(&r) = (struct truth){.onset_s = r.t_s, .end_s = r.t_s + on_s + 3.4};
        const double corners[][2] = {{0, 100},          {on_s, 260},       {on_s + 0.1, 410}, {on_s + 0.35, 270},
                                     {on_s + 0.7, 340}, {on_s + 2.2, 340}, {on_s + 2.8, 250}, {on_s + 3.4, 100}};
        draw(&r, corners, sizeof corners / sizeof *corners);
        r.truths++;
        rest(&r, 2, 100);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* A foot is put down on an empty plate, is still for a moment, and shifts: no hips are held, lowered and driven there. */
static void a_foot_shifts_soon_after_it_was_put_down(void **state)
{
    (void)state;
    static const double foot_N[] = {45, 60}, still_s[] = {1.3, 1.5}, shift_Hz[] = {0.28, 0.34, 0.4, 0.46};
    for (unsigned k = 0; k < 16; k++) {
        struct run r;
        struct body b = plain_leg;
        double f_N = b.rest_N = foot_N[k % 2], w = 2 * M_PI * shift_Hz[k / 4];
        print_message("%g N, still for %g s, shifts at %g Hz\n", f_N, still_s[k / 2 % 2], shift_Hz[k / 4]);
        start(&r, 250, "single_leg_hip_thrust", 0);
        draw(&r, (const double[][2]){{0, 0}, {0.25, 1.25 * f_N}, {0.4, f_N}}, 3);
        rest(&r, still_s[k / 2 % 2], f_N);
        for (double t0_s = r.t_s; r.t_s - t0_s < 4.4;) {
            double t_s = r.t_s - t0_s;
            push(&r, f_N * (1 + 0.15 * fmin(1, fmin(t_s, 4.4 - t_s)) * (sin(w * t_s + 2 * k) + sin(1.6 * w * t_s + k))));
        }
        rest(&r, 2, f_N);
        thrusts(&r, &b, 4, 1);
        check_reps(&r, NULL);
        end(&r);
    }
}

/* A foot that rests is lifted, and put down elsewhere shortly before the first drive: what the plate saw of its way is no rest
 * of a foot. */
static void a_foot_is_lifted_and_put_down_again(void **state)
{
    (void)state;
    static const double back_s[] = {0.5, 0.7, 0.9};
    for (unsigned k = 0; k < 48; k++) {
        struct run r;
        struct body b = plain_leg;
        double until_s = 2.5 + 0.025 * (k % 8);
        b.rest_N = 61, b.hold_s = 1.5;
        print_message("rests until %g s, back for %g s%s\n", until_s, back_s[k / 8 % 3], k < 24 ? "" : ", a hole");
        start(&r, 87.5, "single_leg_hip_thrust", 0);
        r.noise_N = 0.4;
        draw(&r, (const double[][2]){{0, 0}, {0.3, 73}, {0.6, 61}, {until_s, 61}, {until_s + 0.15, 0}}, 5);
        rest(&r, 0.5, 0);
        draw(&r, (const double[][2]){{0, 0}, {0.06, 84}, {0.12, 61}, {0.4, 61}}, 4);
        if (k >= 24) hole(&r, 0.54);
        rest(&r, back_s[k / 8 % 3], 61);
        thrusts(&r, &b, 4, 1);
        check_reps(&r, NULL);
        end(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bar_is_rolled_over_the_legs),
        cmocka_unit_test(somebody_leans_on_the_plate),
        cmocka_unit_test(discs_on_and_off_an_empty_plate),
        cmocka_unit_test(reps_as_smooth_as_a_lean),
        cmocka_unit_test(reps_as_smooth_as_a_lean_and_a_foot_that_shifts),
        cmocka_unit_test(reps_as_smooth_as_a_lean_and_a_foot_that_rests_anew),
        cmocka_unit_test(a_lone_lean_leaves_no_trace),
        cmocka_unit_test(the_load_is_changed),
        cmocka_unit_test(somebody_steps_on_and_off),
        cmocka_unit_test(taps_and_a_lift_that_fails),
        cmocka_unit_test(lifts_that_are_given_up),
        cmocka_unit_test(the_foot_is_leant_on_for_a_moment),
        cmocka_unit_test(light_hips_on_an_empty_plate),
        cmocka_unit_test(a_kick_into_a_hold),
        cmocka_unit_test(a_light_foot_drives_quickly),
        cmocka_unit_test(doubtful_hips_that_touch_and_go),
        cmocka_unit_test(caught_on_the_way_down),
        cmocka_unit_test(a_drive_that_sticks),
        cmocka_unit_test(reps_as_smooth_as_a_lean_one_of_them_held),
        cmocka_unit_test(a_foot_finds_its_place),
        cmocka_unit_test(a_slow_start_and_a_drive),
        cmocka_unit_test(a_foot_shifts_soon_after_it_was_put_down),
        cmocka_unit_test(a_foot_is_lifted_and_put_down_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
