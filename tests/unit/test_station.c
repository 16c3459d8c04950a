/* The whole core with one plate: cuts of the samples do not matter, sides and sets, holes, spikes, copies. */
#include "station_run.h"
#include <errno.h>

static void cuts_do_not_matter(void **state)
{
    (void)state;
    struct plate_station_config cfg;
    unsigned seed = 20261121;
    set_up(&cfg, 1);
    struct plate_station *s = begin(&cfg, &a);
    feed(s, 0, 0, N);
    plate_station_finish(s);
    plate_station_free(s);
    assert_int_equal(lines_with(a.text, "\"onset_s\""), SECONDS / 4);
    for (int round = 0; round < 3; round++) {
        s = begin(&cfg, &b);
        for (uint64_t at = 0; at < N;) {
            uint64_t n = 1 + (unsigned)rand_r(&seed) % (round ? 300 : 3);
            if (n > N - at) n = N - at;
            feed(s, 0, at, at + n);
            at += n;
        }
        plate_station_finish(s);
        plate_station_free(s);
        assert_string_equal(a.text, b.text);
    }
}

static void mark(struct plate_station *s, double t_s, const char *kind, const char *value)
{
    struct plate_mark m = {.t_s = t_s};
    strcpy(m.kind, kind);
    strcpy(m.value, value);
    assert_int_equal(plate_station_mark(s, &m), 0);
}

static void sides_and_sets(void **state)
{
    (void)state;
    struct plate_station_config cfg;
    set_up(&cfg, 1);
    struct plate_station *s = begin(&cfg, &a);
    mark(s, 0, "side", "left");
    feed(s, 0, 0, 6200); /* 12.4 s: three reps */
    mark(s, plate_station_now_s(s), "side", "right");
    feed(s, 0, 6200, 10000); /* two more */
    mark(s, plate_station_now_s(s), "set_end", "");
    feed(s, 0, 10000, N);
    plate_station_finish(s);
    plate_station_free(s);
    assert_int_equal(lines_with(a.text, "\"side\":\"left\",\"set\":1,\"rep\":3"), 1);
    assert_int_equal(lines_with(a.text, "\"side\":\"right\",\"set\":2,\"rep\":1"), 1);
    assert_int_equal(lines_with(a.text, "\"side\":\"right\",\"set\":3,\"rep\":1"), 1);
    assert_int_equal(lines_with(a.text, "\"ended_by\":\"side\""), 1);
    assert_int_equal(lines_with(a.text, "\"ended_by\":\"command\""), 1);
    assert_int_equal(lines_with(a.text, "\"ended_by\":\"stop\""), 1);
}

/* The recording stops 50 ms after the third rep's foot touched down, sooner than a live one is sure of it. */
static void a_stop_loses_no_rep_that_is_over(void **state)
{
    (void)state;
    struct plate_station_config cfg;
    set_up(&cfg, 1);
    struct plate_station *s = begin(&cfg, &a);
    feed(s, 0, 0, 5765);
    assert_int_equal(lines_with(a.text, "\"onset_s\""), 2);
    plate_station_finish(s);
    plate_station_free(s);
    assert_int_equal(lines_with(a.text, "\"set\":1,\"rep\":3"), 1);
    assert_int_equal(lines_with(a.text, "\"ended_by\":\"stop\",\"reps\":3"), 1);
}

static void a_set_ends_by_rest(void **state)
{
    (void)state;
    struct plate_station_config cfg;
    set_up(&cfg, 1);
    struct plate_station *s = begin(&cfg, &a);
    feed(s, 0, 0, 4000);
    int32_t rest[500];
    for (int i = 0; i < 500; i++) rest[i] = 5000 + (i % 7) * 10;
    for (uint64_t at = 4000; at < 4000 + 12 * 500; at += 500) assert_int_equal(plate_station_samples(s, 0, at, rest, 500), 0);
    assert_int_equal(lines_with(a.text, "\"ended_by\":\"rest\""), 1);
    plate_station_finish(s);
    plate_station_free(s);
    assert_int_equal(lines_with(a.text, "\"ended_by\":\"rest\""), 1);
    assert_int_equal(lines_with(a.text, "\"ended_by\":\"stop\""), 0);
}

static void a_hole_is_no_rep_and_order_is_kept(void **state)
{
    (void)state;
    struct plate_station_config cfg;
    set_up(&cfg, 1);
    struct plate_station *s = begin(&cfg, &a);
    feed(s, 0, 0, 5000);
    struct plate_gap gap = {.sample = 5000, .count = 800, .reason = PLATE_GAP_SEQUENCE};
    int32_t counts = 0;
    assert_int_equal(plate_station_samples(s, 0, 5001, &counts, 1), -EINVAL);
    assert_int_equal(plate_station_gap(s, 0, &gap), 0);
    assert_int_equal(plate_station_next_sample(s, 0), 5800);
    feed(s, 0, 5800, N);
    struct plate_mark bad = {.t_s = 50, .kind = "side", .value = "up"};
    assert_int_equal(plate_station_mark(s, &bad), -EINVAL);
    plate_station_finish(s);
    plate_station_free(s);
    assert_in_range(lines_with(a.text, "\"onset_s\""), SECONDS / 4 - 2, SECONDS / 4 - 1); /* without the one it cuts */
}

static void an_empty_plate_says_nothing(void **state)
{
    (void)state;
    struct plate_station_config cfg;
    unsigned seed = 7;
    set_up(&cfg, 1);
    struct plate_station *s = begin(&cfg, &a);
    for (uint64_t i = 0; i < 60 * 500; i++) {
        double noise = 0;
        for (int k = 0; k < 12; k++) noise += (double)rand_r(&seed) / RAND_MAX - 0.5;
        int32_t counts = (int32_t)lround(100 * (noise + 0.0005 * (double)i));
        assert_int_equal(plate_station_samples(s, 0, i, &counts, 1), 0);
    }
    plate_station_finish(s);
    plate_station_free(s);
    assert_int_equal(a.n, 0);
}

static const double spikes_N[] = {60, -45, 300, -2000, 11.5}; /* above the force of their time */

/* Single samples that no foot made, on an empty plate and in every part of a rep: what is said is what was said without them.
 */
static void a_spike_changes_nothing(void **state)
{
    (void)state;
    struct plate_station_config cfg;
    set_up(&cfg, 1);
    struct plate_station *s = begin(&cfg, &a);
    feed(s, 0, 0, N);
    plate_station_finish(s);
    plate_station_free(s);
    s = begin(&cfg, &b);
    uint64_t spikes = 0;
    for (uint64_t i = 0; i < N; i++) {
        int32_t counts = force_counts((double)i / RATE, 420);
        if (i % 211 == 13) counts += (int32_t)(100 * spikes_N[spikes++ % 4]);
        assert_int_equal(plate_station_samples(s, 0, i, &counts, 1), 0);
    }
    plate_station_finish(s);
    assert_int_equal(plate_station_spikes(s, 0), spikes);
    plate_station_free(s);
    assert_int_equal(lines_with(a.text, "\"onset_s\""), lines_with(b.text, "\"onset_s\""));
    for (const char *x = a.text, *y = b.text; (x = strstr(x, "\"peak_force_N\":")) && (y = strstr(y, "\"peak_force_N\":"));
         x++, y++)
        assert_float_equal(strtod(x + 15, NULL), strtod(y + 15, NULL), 0.5);

    s = begin(&cfg, &b);
    for (uint64_t i = 0; i < N; i++) {
        int32_t counts = i % 97 == 5 ? (int32_t)(100 * spikes_N[i % 5]) : (int32_t)(30 * sin((double)i));
        assert_int_equal(plate_station_samples(s, 0, i, &counts, 1), 0);
    }
    plate_station_finish(s);
    plate_station_free(s);
    assert_int_equal(b.n, 0);
}

/* How many of the samples are taken for spikes; a negative rate: with a gap before the third sample. */
static uint64_t spikes_of(double rate_Hz, size_t n, const int32_t *newtons)
{
    struct plate_station_config cfg;
    struct plate_calibration c;
    set_up(&cfg, 1);
    cfg.plate[0].rate_Hz = fabs(rate_Hz);
    struct plate_station *s = begin(&cfg, &b);
    plate_calibration_identity(&c, 1, 1);
    assert_int_equal(plate_station_calibration(s, 0, &c), 0);
    for (size_t i = 0; i < n; i++) {
        struct plate_gap gap = {.sample = 2, .count = 1};
        if (rate_Hz < 0 && i == 2) assert_int_equal(plate_station_gap(s, 0, &gap), 0);
        assert_int_equal(plate_station_samples(s, 0, plate_station_next_sample(s, 0), newtons + i, 1), 0);
    }
    plate_station_finish(s);
    uint64_t spikes = plate_station_spikes(s, 0);
    plate_station_free(s);
    return spikes;
}

static double last_N, last_cop_mm;
static void on_force(void *user, const struct plate_force_block *block)
{
    (void)user;
    last_N = block->force[block->n - 1].Fz_N;
    last_cop_mm = block->force[block->n - 1].cop_x_mm;
}

/* A calibration of another number of cells is the plate's new shape; places are known of the configured one alone. */
static void a_plate_changes_its_cells(void **state)
{
    (void)state;
    static const int32_t two[] = {300, 100}, three[] = {100, 100, 100, 200, 200, 200};
    struct plate_station_config cfg;
    struct plate_calibration c;
    const struct plate_clock knot = {.period_s = 1 / RATE};
    set_up(&cfg, 1);
    cfg.plate[0].cells = 2;
    for (unsigned i = 0; i < 2; i++) cfg.plate[0].cell[i].x_mm = i ? 100 : -100, cfg.plate[0].cell[i].y_mm = 0;
    struct plate_station *s =
        plate_station_new(&cfg, &(struct plate_station_sink){.event = on_event, .force = on_force, .user = &b});
    for (unsigned turn = 0; turn < 2; turn++) {
        plate_calibration_identity(&c, 2, 1);
        assert_int_equal(plate_station_calibration(s, 0, &c), 0);
        if (turn == 0) assert_int_equal(plate_station_clock(s, 0, &knot), 0);
        assert_int_equal(plate_station_samples(s, 0, 3 * turn, two, 1), 0);
        assert_true(fabs(last_N - 400) < 1e-9 && fabs(last_cop_mm + 50) < 1e-9);
        plate_calibration_identity(&c, 3, 1);
        assert_int_equal(plate_station_calibration(s, 0, &c), 0);
        assert_int_equal(plate_station_samples(s, 0, 3 * turn + 1, three, 2), 0);
        assert_true(fabs(last_N - 600) < 1e-9 && isnan(last_cop_mm));
        c.cells = PLATE_MAX_CELLS + 1;
        assert_int_equal(plate_station_calibration(s, 0, &c), -EINVAL);
    }
    plate_station_free(s);
}

/* A pair, copied at odd moments (one plate ahead, in the middle of a rep): both say the rest alike, and neither hears the
 * other. */
static void a_copy_goes_on_alike_and_alone(void **state)
{
    (void)state;
    static struct log rest;
    struct plate_station_config cfg;
    const struct plate_station_sink sink = {.event = on_event, .user = &rest};
    set_up(&cfg, 2);
    for (uint64_t at = 700; at < N; at += 3777) {
        struct plate_station *s = begin(&cfg, &a);
        feed(s, 0, 0, at);
        feed(s, 1, 0, at - 333);
        rest.n = 0;
        const size_t said = a.n;
        struct plate_station *copy = plate_station_copy(s, &sink);
        assert_non_null(copy);
        feed(s, 1, at - 333, N);
        feed(s, 0, at, N);
        plate_station_finish(s);
        plate_station_free(s);
        assert_int_equal(rest.n, 0);
        feed(copy, 1, at - 333, N);
        feed(copy, 0, at, N);
        plate_station_finish(copy);
        plate_station_free(copy);
        assert_true(rest.n > 0);
        assert_string_equal(rest.text, a.text + said);
    }
}

static void what_a_spike_is(void **state)
{
    (void)state;
    assert_int_equal(spikes_of(500, 5, (int32_t[]){0, 0, 11, 0, 0}), 1);
    assert_int_equal(spikes_of(500, 5, (int32_t[]){0, 0, 10, 0, 0}), 0);
    assert_int_equal(spikes_of(500, 5, (int32_t[]){300, 300, 250, 300, 300}), 1);
    assert_int_equal(spikes_of(500, 5, (int32_t[]){0, 0, 85, 10, 10}), 0); /* 75 above one neighbour, and these differ by 10 */
    assert_int_equal(spikes_of(500, 5, (int32_t[]){0, 0, 95, 10, 10}), 1); /* 85 */
    assert_int_equal(spikes_of(500, 6, (int32_t[]){0, 0, 90, 90, 0, 0}), 0); /* two are no spike */
    assert_int_equal(spikes_of(500, 5, (int32_t[]){0, 0, 90, 180, 270}), 0); /* a rise */
    assert_int_equal(spikes_of(500, 6, (int32_t[]){0, 90, 0, 90, 0, 0}), 2); /* what stands between two spikes is none */
    assert_int_equal(spikes_of(500, 2, (int32_t[]){0, 90}), 0);              /* nothing after it tells */
    assert_int_equal(spikes_of(500, 2, (int32_t[]){90, 0}), 0);
    assert_int_equal(spikes_of(80, 3, (int32_t[]){0, 90, 0}), 1);
    assert_int_equal(spikes_of(79, 3, (int32_t[]){0, 90, 0}), 0); /* slower plates: two on either side tell */
    assert_int_equal(spikes_of(79, 5, (int32_t[]){0, 0, 90, 0, 0}), 1);
    assert_int_equal(spikes_of(79, 4, (int32_t[]){0, 0, 90, 0}), 0);
    assert_int_equal(spikes_of(79, 5, (int32_t[]){0, 0, 90, 0, 20}), 0);
    assert_int_equal(spikes_of(79, 5, (int32_t[]){20, 0, 90, 0, 0}), 0);
    assert_int_equal(spikes_of(79, 8, (int32_t[]){0, 0, 90, 0, 0, 90, 0, 0}), 2);
    assert_int_equal(spikes_of(79, 6, (int32_t[]){0, 0, 90, 90, 0, 0}), 0);
    assert_int_equal(spikes_of(-79, 6, (int32_t[]){0, 0, 0, 90, 0, 0}), 0); /* a gap among them */
    assert_int_equal(spikes_of(-79, 7, (int32_t[]){0, 0, 0, 0, 90, 0, 0}), 1);
    assert_int_equal(spikes_of(-500, 3, (int32_t[]){0, 90, 0}), 0); /* a gap on either side */
    assert_int_equal(spikes_of(-500, 4, (int32_t[]){0, 0, 90, 0}), 0);
    assert_int_equal(spikes_of(-500, 5, (int32_t[]){0, 0, 0, 90, 0}), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_do_not_matter),
        cmocka_unit_test(sides_and_sets),
        cmocka_unit_test(a_stop_loses_no_rep_that_is_over),
        cmocka_unit_test(a_set_ends_by_rest),
        cmocka_unit_test(a_hole_is_no_rep_and_order_is_kept),
        cmocka_unit_test(an_empty_plate_says_nothing),
        cmocka_unit_test(a_spike_changes_nothing),
        cmocka_unit_test(a_copy_goes_on_alike_and_alone),
        cmocka_unit_test(what_a_spike_is),
        cmocka_unit_test(a_plate_changes_its_cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
