/* Each fault is found on a simulated plate, and nothing on a sound one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "plate/cell.h"
#include "sim_body.h"
#include "sim_sensor.h"

struct plate {
    struct plate_cells cells;
    struct sim_sensor sensor;
    struct sim_body *body; /* NULL: an empty plate */
    uint64_t row;
    unsigned said; /* messages */
    enum plate_cell_fault last[PLATE_MAX_CELLS];
    double said_s[PLATE_MAX_CELLS];
};

static void set_up(struct plate *p, const struct sim_sensor_config *sensor, const char *exercise, uint64_t seed)
{
    struct plate_calibration identity;
    struct sim_body_config cfg;
    *p = (struct plate){.row = 0};
    assert_int_equal(sim_sensor_init(&p->sensor, sensor, seed, 0), 0);
    assert_int_equal(plate_cells_init(&p->cells, sensor->cells, sensor->rate_Hz, 0), 0);
    plate_calibration_identity(&identity, sensor->cells, SIM_COUNT_N);
    plate_cells_calibration(&p->cells, &identity);
    if (!exercise) return;
    sim_body_config_init(&cfg, sim_exercise_find(exercise));
    cfg.seed = seed;
    cfg.set[0] = cfg.exercise->one_leg ? PLATE_SIDE_LEFT : PLATE_SIDE_BOTH;
    cfg.sets = 1;
    cfg.reps = 12;
    cfg.start_delay_s = 15;
    cfg.events = (1u << SIM_EVENTS) - 1;
    assert_int_equal(sim_body_new(&cfg, &p->body), 0);
}

static void run(struct plate *p, double until_s)
{
    for (; (double)p->row / p->sensor.cfg.rate_Hz < until_s; p->row++) {
        double t_s = sim_sensor_t_s(&p->sensor, p->row);
        struct sim_force f = {.foot_N = 0};
        int32_t counts[PLATE_MAX_CELLS];
        if (p->body) sim_body_force(p->body, PLATE_SIDE_BOTH, t_s, &f);
        sim_sensor_read(&p->sensor, &f, t_s, counts);
        unsigned changed = plate_cells_push(&p->cells, counts, 1);
        for (unsigned i = 0; i < p->cells.cells; i++) {
            if (!(changed >> i & 1)) continue;
            p->said++;
            p->last[i] = plate_cells_fault(&p->cells, i);
            p->said_s[i] = t_s;
        }
    }
}

static void assert_sound(const struct sim_sensor_config *sensor, const char *exercise, double seconds)
{
    struct plate p;
    set_up(&p, sensor, exercise, 7);
    run(&p, p.body ? sim_body_duration_s(p.body) : seconds);
    sim_body_free(p.body);
    for (unsigned i = 0; i < sensor->cells && p.said; i++)
        if (p.said_s[i] > 0)
            fail_msg("%s, %g Hz, %u cells, %g N noise, steps of %g N: cell %u: %s at %.1f s", exercise ? exercise : "empty",
                     sensor->rate_Hz, sensor->cells, sensor->noise_N, sensor->step_N, i, plate_cell_fault_name(p.last[i]),
                     p.said_s[i]);
}

static const double rates_Hz[] = {10, 80, 1000};

static void an_empty_plate_is_sound(void **state)
{
    (void)state;
    const double noises_N[] = {0, 0.02, 0.3, 3}, steps_N[] = {0, 0.1, 1};
    for (unsigned r = 0; r < 3; r++)
        for (unsigned n = 0; n < 4; n++)
            for (unsigned k = 0; k < 3; k++)
                for (unsigned cells = 1; cells <= 4; cells += 3) {
                    struct sim_sensor_config quiet = {.cells = cells,
                                                      .rate_Hz = rates_Hz[r],
                                                      .noise_N = noises_N[n],
                                                      .step_N = steps_N[k],
                                                      .drift_N_per_min = 2,
                                                      .hum_N = n == 2 ? 2 : 0};
                    assert_sound(&quiet, NULL, 1e6 / rates_Hz[r] > 3600 ? 3600 : 600);
                }
}

static void training_is_sound(void **state)
{
    (void)state;
    for (const struct sim_exercise *e = sim_exercises; e->name; e++)
        for (unsigned r = 0; r < 3; r++)
            for (unsigned coarse = 0; coarse < 2; coarse++)
                for (unsigned cells = 1; cells <= 4; cells += 3) {
                    struct sim_sensor_config good = {.cells = cells,
                                                     .rate_Hz = rates_Hz[r],
                                                     .noise_N = coarse ? 0.05 : 0.3,
                                                     .step_N = coarse ? 1 : 0,
                                                     .drift_N_per_min = 1,
                                                     .spikes_per_min = 3};
                    assert_sound(&good, e->name, 0);
                }
}

/* Found, in that cell and no other, and not before it broke. */
static void assert_found(enum sim_bad_cell bad, enum plate_cell_fault fault, double rate_Hz, unsigned cells, double noise_N,
                         double from_s, double within_s)
{
    struct sim_sensor_config broken = {.cells = cells,
                                       .rate_Hz = rate_Hz,
                                       .noise_N = noise_N,
                                       .drift_N_per_min = 0.4,
                                       .bad = bad,
                                       .bad_cell = cells - 1,
                                       .bad_from_s = from_s};
    struct plate p;
    set_up(&p, &broken, "single_leg_hip_thrust", 3);
    run(&p, sim_body_duration_s(p.body));
    sim_body_free(p.body);
    double late_s = p.said_s[cells - 1] - from_s;
    print_message("%s at %g Hz, %u cells: %s after %.1f s\n", sim_bad_cell_names[bad], rate_Hz, cells,
                  plate_cell_fault_name(p.last[cells - 1]), late_s);
    assert_int_equal(p.said, 1);
    assert_int_equal(p.last[cells - 1], fault);
    assert_true(late_s > 0 && late_s <= within_s);
}

static void each_fault_is_found(void **state)
{
    (void)state;
    for (unsigned r = 0; r < 3; r++) {
        for (unsigned cells = 1; cells <= 4; cells += 3) {
            assert_found(SIM_CELL_SATURATED, PLATE_CELL_SATURATED, rates_Hz[r], cells, 0.3, 14, 3.5);
            if (rates_Hz[r] > 50) assert_found(SIM_CELL_STUCK, PLATE_CELL_STUCK, rates_Hz[r], cells, 0.3, 14, 2.5);
        }
        if (rates_Hz[r] > 50) assert_found(SIM_CELL_NOISY, PLATE_CELL_NOISY, rates_Hz[r], 4, 0.3, 0, 4.5);
        assert_found(SIM_CELL_STUCK, PLATE_CELL_STUCK, rates_Hz[r], 4, 0.3, 0, 90);
        assert_found(SIM_CELL_DISCONNECTED, PLATE_CELL_DISCONNECTED, rates_Hz[r], 4, 0.3, 0, 90);
    }
}

static void a_cell_recovers(void **state)
{
    (void)state;
    struct plate_cells c;
    int32_t row[2];
    unsigned dice = 1;
    assert_int_equal(plate_cells_init(&c, 2, 100, 5000), 0);
    for (unsigned k = 0; k < 6000; k++) {
        dice = dice * 1664525u + 1013904223u;
        row[0] = (int32_t)(dice >> 24);
        row[1] = k < 1500 || k >= 3000 ? (int32_t)(dice >> 16 & 0xff) : 5000;
        plate_cells_push(&c, row, 1);
        if (k == 2999) assert_int_equal(plate_cells_fault(&c, 1), PLATE_CELL_SATURATED);
        if (k == 2999) assert_int_equal(plate_cells_fault(&c, 0), PLATE_CELL_SOUND);
    }
    assert_int_equal(plate_cells_fault(&c, 1), PLATE_CELL_SOUND);
    assert_int_equal(plate_cells_fault(&c, 2), PLATE_CELL_SOUND); /* there is none */
}

static void the_zero_drifts(void **state)
{
    (void)state;
    struct sim_sensor_config drifting = {.cells = 4, .rate_Hz = 1000, .noise_N = 0.3, .drift_N_per_min = 3, .tare_error_N = 1};
    struct plate p;
    set_up(&p, &drifting, "single_leg_hip_thrust", 5);
    double end_s = sim_body_duration_s(p.body), rate = 0;
    run(&p, end_s);
    sim_body_free(p.body);
    p.body = NULL;
    run(&p, end_s += 5); /* and the plate is empty again */
    const struct plate_zero *z = plate_cells_zero(&p.cells);
    print_message("%u windows, %llu to %llu of %.1f s\n", z->windows, (unsigned long long)z->first_row,
                  (unsigned long long)z->last_row, end_s);
    assert_true(z->windows >= 2 && z->first_row == 1000 && (double)z->last_row / 1000 > end_s - 2);
    for (unsigned i = 0; i < 4; i++) rate += p.sensor.drift_N_per_s[i];
    double expected_N = rate * (double)(z->last_row - z->first_row) / 1000, cells_N = 0;
    for (unsigned i = 0; i < 4; i++) cells_N += z->last_cell_N[i] - z->first_cell_N[i];
    print_message("drift %.3f N, measured %.3f N\n", expected_N, z->last_N - z->first_N);
    assert_true(fabs(z->last_N - z->first_N - expected_N) < 0.1 && fabs(cells_N - expected_N) < 0.1);
    assert_true(fabs(z->first_N - 1) < 0.1);
}

static void refuses_nonsense(void **state)
{
    (void)state;
    struct plate_cells c;
    assert_int_equal(plate_cells_init(&c, 0, 100, 0), -22);
    assert_int_equal(plate_cells_init(&c, PLATE_MAX_CELLS + 1, 100, 0), -22);
    assert_int_equal(plate_cells_init(&c, 1, 0, 0), -22);
    assert_int_equal(plate_cells_init(&c, 1, NAN, 0), -22);
    assert_int_equal(plate_cells_init(&c, 1, 100, -1), -22);
    assert_null(plate_cell_fault_name(PLATE_CELL_FAULTS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_plate_is_sound), cmocka_unit_test(training_is_sound), cmocka_unit_test(each_fault_is_found),
        cmocka_unit_test(a_cell_recovers),         cmocka_unit_test(the_zero_drifts),   cmocka_unit_test(refuses_nonsense),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
