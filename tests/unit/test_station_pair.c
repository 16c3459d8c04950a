/* The whole core with two plates: what it says must not depend on which plate's samples came first, and can be replayed. */
#include "station_run.h"

/* Reads of both plates in any order, one up to `behind` samples after the other. */
static void run_two(struct log *log, unsigned seed, unsigned most, unsigned behind)
{
    struct plate_station_config cfg;
    set_up(&cfg, 2);
    struct plate_station *s = begin(&cfg, log);
    uint64_t at[2] = {0, 0};
    while (at[0] < N || at[1] < N) {
        unsigned p = (unsigned)rand_r(&seed) % 2;
        uint64_t n = 1 + (unsigned)rand_r(&seed) % most;
        if (at[p] + n > at[1 - p] + behind) continue;
        if (at[p] + n > N) n = N - at[p];
        if (n) feed(s, p, at[p], at[p] + n);
        at[p] += n;
    }
    plate_station_finish(s);
    plate_station_free(s);
}

static void arrival_does_not_matter(void **state)
{
    (void)state;
    run_two(&a, 1, 1, 2);
    assert_int_equal(lines_with(a.text, "\"onset_s\""), 2 * SECONDS / 4);
    assert_true(lines_with(a.text, "\"metric\"") > 0);
    for (unsigned seed = 2; seed < 6; seed++) {
        run_two(&b, seed, 40, 100);
        assert_string_equal(a.text, b.text);
    }
}

/* One plate falls silent, is not waited for, and comes back with its old samples: what was said can be said again
 * from the samples and the `resume` mark alone. */
static void a_plate_that_lags_can_be_replayed(void **state)
{
    (void)state;
    struct plate_station_config cfg;
    set_up(&cfg, 2);
    struct plate_station *s = begin(&cfg, &a);
    feed(s, 0, 0, 2000);
    feed(s, 1, 0, 1500);
    plate_station_absent(s, 1);
    feed(s, 0, 2000, 6000);
    assert_int_equal(a.resumes, 0);
    feed(s, 1, 1500, 6000);
    for (uint64_t at = 6000; at < N; at += 50) /* in step again: of what is too far ahead, a partner hears nothing */
        for (unsigned p = 2; p-- > 0;) feed(s, p, at, at + 50);
    plate_station_finish(s);
    plate_station_free(s);
    assert_int_equal(a.resumes, 1);
    assert_int_equal(a.resume[0].sample, 1500);

    s = begin(&cfg, &b);
    for (uint64_t at = 0; at < N; at += 50)
        for (unsigned p = 0; p < 2; p++) {
            if (p == 1 && at == 1500) assert_int_equal(plate_station_mark(s, &a.resume[0]), 0);
            feed(s, p, at, at + 50);
        }
    plate_station_finish(s);
    plate_station_free(s);
    assert_string_equal(a.text, b.text);
}

/* The same with silences at random, also of both, and sides called in between: what was said live is what the samples, the
 * `side` marks and the `resume` marks say again. */
static void any_silence_can_be_replayed(void **state)
{
    (void)state;
    struct plate_station_config cfg;
    set_up(&cfg, 2);
    cfg.plate[0].side = cfg.plate[1].side = PLATE_SIDE_NONE;
    for (unsigned seed = 1; seed <= 40; seed++) {
        unsigned dice = seed;
        struct plate_mark said[32];
        unsigned saids = 0, done = 0;
        bool resumed[8] = {false};
        struct plate_station *s = begin(&cfg, &a);
        uint64_t at[2] = {0, 0};
        while (at[0] < N || at[1] < N) {
            unsigned p = (unsigned)rand_r(&dice) % 2, luck = (unsigned)rand_r(&dice) % 400;
            uint64_t n = 1 + (unsigned)rand_r(&dice) % 60;
            if (luck == 0 && a.resumes < 7) { /* p falls silent, the other goes on for a while */
                plate_station_absent(s, p);
                n = 100 + (unsigned)rand_r(&dice) % 1500;
                p = 1 - p;
            } else if (at[p] > at[1 - p] + 100)
                p = 1 - p;
            if (luck < 4 && saids < 32) {
                struct plate_mark *m = &said[saids++];
                *m = (struct plate_mark){.t_s = plate_station_now_s(s), .kind = "side"};
                strcpy(m->value, luck % 2 ? "left" : "right");
                assert_int_equal(plate_station_mark(s, m), 0);
            }
            if (at[p] + n > N) n = N - at[p];
            if (n) feed(s, p, at[p], at[p] + n);
            at[p] += n;
        }
        plate_station_finish(s);
        plate_station_free(s);

        s = begin(&cfg, &b);
        for (uint64_t i = 0; i < N; i += 4)
            for (unsigned p = 0; p < 2; p++) {
                for (; done < saids && said[done].t_s <= (double)(i + 4) / RATE + 0.001; done++)
                    assert_int_equal(plate_station_mark(s, &said[done]), 0);
                for (uint64_t k = i; k < i + 4; k++) {
                    for (unsigned r = 0; r < a.resumes; r++) {
                        if (resumed[r] || a.resume[r].sample != k || strcmp(a.resume[r].plate, cfg.plate[p].name) != 0)
                            continue;
                        resumed[r] = true;
                        assert_int_equal(plate_station_mark(s, &a.resume[r]), 0);
                    }
                    feed(s, p, k, k + 1);
                }
            }
        for (; done < saids; done++) assert_int_equal(plate_station_mark(s, &said[done]), 0);
        plate_station_finish(s);
        plate_station_free(s);
        if (strcmp(a.text, b.text) != 0) print_message("seed %u\n", seed);
        assert_string_equal(a.text, b.text);
    }
}

/* Two plates under one body, each with its own rate, clock, first sample and holes. */
struct pair {
    struct plate_station_config cfg;
    struct plate_clock knot[2];
    struct plate_gap gap[2][4];
    uint64_t n[2];
};

/* Squats of 3 s, a step of the weight from foot to foot now and then: neither plate says alone what the sum says. */
static int32_t pair_counts(double t_s, unsigned plate)
{
    double in = fmod(t_s, 3.0) - 0.6, w = 2 * M_PI / 1.6, share = plate ? 0.45 : 0.55;
    double lift = in > 0 && in < 1.6 ? -0.25 * sin(w * in) : 0; /* down and up again: momentum and height end at zero */
    double shift = 60 * sin(t_s * 0.7) * (plate ? 1 : -1);
    double spike = fmod(t_s * 7.3 + plate, 1) < 0.02 ? 200 : 0;
    return (int32_t)lround(
        100 * (spike + 800 * share * (1 + lift) + shift + 0.6 * sin(t_s * 1234.5 + plate) + 0.5 * cos(t_s * 777.7)));
}

static void set_up_pair(struct pair *w, unsigned *dice)
{
    static const double rates_Hz[][2] = {{500, 500}, {500, 250}, {80, 100}, {1000, 80}, {10, 60}};
    const double *rate = rates_Hz[(unsigned)rand_r(dice) % 5];
    memset(w, 0, sizeof *w);
    set_up(&w->cfg, 2);
    strcpy(w->cfg.exercise, "squat");
    for (unsigned p = 0; p < 2; p++) {
        double off = 1 + 0.002 * (rand_r(dice) % 40), late_s = p * 0.001 * (rand_r(dice) % 3 ? rand_r(dice) % 40 : 2500);
        w->cfg.plate[p].rate_Hz = rate[p];
        w->knot[p] = (struct plate_clock){.t_s = late_s, .period_s = off / rate[p]};
        w->n[p] = (uint64_t)((SECONDS - late_s) / w->knot[p].period_s);
        for (unsigned i = 0; i < 4; i++) {
            struct plate_gap *g = &w->gap[p][i];
            g->sample = w->n[p] * (i + 1) / 5 + (unsigned)rand_r(dice) % 7;
            g->count = 1 + (uint64_t)(rate[p] * 0.01 * (rand_r(dice) % (i % 2 ? 10 : 300)));
        }
    }
}

/* The hole that the plate is at, if any, then up to n samples: no further than the next hole. */
static void step_pair(struct plate_station *s, const struct pair *w, unsigned p, uint64_t n)
{
    uint64_t at = plate_station_next_sample(s, p), end = at + n < w->n[p] ? at + n : w->n[p];
    for (unsigned i = 0; i < 4; i++)
        if (w->gap[p][i].sample > at && w->gap[p][i].sample < end) end = w->gap[p][i].sample;
    for (; at < end; at++) {
        int32_t counts = pair_counts(plate_clock_t_s(&w->knot[p], at), p);
        assert_int_equal(plate_station_samples(s, p, at, &counts, 1), 0);
    }
}

static void pass_hole(struct plate_station *s, const struct pair *w, unsigned p)
{
    for (unsigned i = 0; i < 4; i++)
        if (w->gap[p][i].sample == plate_station_next_sample(s, p)) assert_int_equal(plate_station_gap(s, p, &w->gap[p][i]), 0);
}

static struct plate_station *begin_pair(const struct pair *w, struct log *log)
{
    struct plate_station_sink sink = {.event = on_event, .user = log};
    struct plate_calibration c;
    log->n = log->resumes = 0;
    log->text[0] = 0;
    struct plate_station *s = plate_station_new(&w->cfg, &sink);
    assert_non_null(s);
    plate_calibration_identity(&c, 1, 0.01);
    for (unsigned p = 0; p < 2; p++) assert_int_equal(plate_station_calibration(s, p, &c), 0);
    return s;
}

static double next_of_pair_s(struct plate_station *s, const struct pair *w, unsigned p)
{
    uint64_t next = plate_station_next_sample(s, p);
    return next < w->n[p] ? plate_clock_t_s(&w->knot[p], next) : INFINITY;
}

/* As it happens: reads of any size, a plate that falls silent and comes back with what it had, exercises called in between. */
static unsigned live_pair(const struct pair *w, struct log *log, unsigned *dice, bool faults, struct plate_mark *said)
{
    struct plate_station *s = begin_pair(w, log);
    bool started[2] = {false, false};
    double until_s = 0;
    unsigned saids = 0, ahead = 0;
    for (;;) {
        double next[2] = {next_of_pair_s(s, w, 0), next_of_pair_s(s, w, 1)};
        unsigned p = (unsigned)rand_r(dice) % 2, luck = (unsigned)rand_r(dice) % 1500;
        if (isinf(next[0]) && isinf(next[1])) break;
        if (faults && luck == 0 && log->resumes < 6 && next[0] > until_s) { /* the other falls silent; p goes on for a while */
            plate_station_absent(s, 1 - p);
            ahead = p;
            until_s = next[p] + 0.001 * (100 + rand_r(dice) % 3000);
        }
        if (next[ahead] < until_s)
            p = ahead;
        else if (isinf(next[p]) || next[p] > next[1 - p] + 0.2)
            p = 1 - p;
        if (faults && luck / 2 == 1 && saids < 8) {
            struct plate_mark *m = &said[saids++];
            *m = (struct plate_mark){.t_s = plate_station_now_s(s), .kind = "exercise"};
            for (unsigned i = 0; i < 2; i++) /* later than every sample, though some still wait */
                assert_true(!started[i] || m->t_s > next_of_pair_s(s, w, i) - 1.001 * w->knot[i].period_s || isinf(next[i]));
            strcpy(m->value, luck % 2 ? "squat" : "generic");
            assert_int_equal(plate_station_mark(s, m), 0);
        }
        if (!started[p]) assert_int_equal(plate_station_clock(s, p, &w->knot[p]), 0);
        started[p] = true;
        pass_hole(s, w, p);
        step_pair(s, w, p, 1 + (unsigned)rand_r(dice) % 40);
    }
    plate_station_finish(s);
    plate_station_free(s);
    return saids;
}

/* From the recording: in the order of time, a few samples a turn. */
static void replay_pair(const struct pair *w, struct log *log, const struct log *live, unsigned turn,
                        const struct plate_mark *said, unsigned saids)
{
    struct plate_station *s = begin_pair(w, log);
    bool resumed[8] = {false};
    unsigned done = 0;
    for (unsigned p = 0; p < 2; p++) assert_int_equal(plate_station_clock(s, p, &w->knot[p]), 0);
    for (;;) {
        unsigned p = next_of_pair_s(s, w, 1) < next_of_pair_s(s, w, 0);
        if (isinf(next_of_pair_s(s, w, p))) break;
        pass_hole(s, w, p);
        uint64_t at = plate_station_next_sample(s, p), n = turn;
        for (unsigned r = 0; r < live->resumes; r++) {
            const struct plate_mark *m = &live->resume[r];
            if (resumed[r] || strcmp(m->plate, w->cfg.plate[p].name) != 0) continue;
            if (m->sample > at && m->sample - at < n) n = m->sample - at;
            if (m->sample != at) continue;
            resumed[r] = true;
            assert_int_equal(plate_station_mark(s, m), 0);
        }
        for (; done < saids && said[done].t_s <= plate_clock_t_s(&w->knot[p], at + n); done++)
            assert_int_equal(plate_station_mark(s, &said[done]), 0);
        step_pair(s, w, p, n);
    }
    for (; done < saids; done++) assert_int_equal(plate_station_mark(s, &said[done]), 0);
    plate_station_finish(s);
    plate_station_free(s);
}

/* Plates that decide together: also what each heard of the other must be the same when it is computed again. */
static void a_pair_can_be_replayed(void **state)
{
    (void)state;
    static struct pair w;
    struct plate_mark said[8];
    unsigned resumes = 0, phases = 0;
    for (unsigned seed = 1; seed <= 40; seed++) {
        unsigned dice = seed;
        set_up_pair(&w, &dice);
        unsigned saids = live_pair(&w, &a, &dice, true, said);
        assert_true(a.resumes < 8);
        replay_pair(&w, &b, &a, seed % 3 ? 1 : 9, said, saids);
        if (strcmp(a.text, b.text) != 0) print_message("seed %u\n", seed);
        assert_string_equal(a.text, b.text);
        resumes += a.resumes;
        phases += lines_with(a.text, "\"phase\"");
    }
    assert_true(resumes >= 40);
    assert_true(phases >= 40 * 10);
}

/* Weight that goes from one foot to the other is no squat: the sum stays. Each plate alone sees one, and so does a plate whose
 * partner is gone. */
static void a_shift_of_weight_is_no_squat(void **state)
{
    (void)state;
    struct plate_station_config cfg;
    enum { ALONE, PAIRED, LEFT_ALONE, CASES };
    unsigned phases[CASES];
    for (unsigned how = 0; how < CASES; how++) {
        set_up(&cfg, 2);
        strcpy(cfg.exercise, "squat");
        if (how == ALONE) cfg.plate[0].side = cfg.plate[1].side = PLATE_SIDE_NONE;
        struct plate_station *s = begin(&cfg, &a);
        for (uint64_t i = 0; i < N; i++)
            for (unsigned p = 0; p < 2; p++) {
                if (how == LEFT_ALONE && p == 1 && i >= N / 2) {
                    plate_station_absent(s, p);
                    break;
                }
                double t_s = (double)i / RATE + 0.0005 * p, in = fmod(t_s, 4.0) - 1.5;
                double shift = 150 * (smooth(in / 0.5) - smooth((in - 1) / 0.5)), noise = 0.4 * sin(t_s * 1234.5 + p);
                int32_t counts = (int32_t)lround(100 * (400 + (p ? -shift : shift) + noise));
                assert_int_equal(plate_station_samples(s, p, i, &counts, 1), 0);
            }
        plate_station_finish(s);
        plate_station_free(s);
        phases[how] = lines_with(a.text, "\"phase\"");
    }
    assert_true(phases[ALONE] > 0); /* else this shows nothing */
    assert_int_equal(phases[PAIRED], 0);
    assert_true(phases[LEFT_ALONE] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrival_does_not_matter),       cmocka_unit_test(a_plate_that_lags_can_be_replayed),
        cmocka_unit_test(any_silence_can_be_replayed),   cmocka_unit_test(a_pair_can_be_replayed),
        cmocka_unit_test(a_shift_of_weight_is_no_squat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
