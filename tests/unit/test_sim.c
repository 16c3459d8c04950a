/* The simulated platform: draws, physics, truth, playback, and the board on its pty. */
#include "../../daemon/tools/sim_body.h"
#include "../../daemon/tools/sim_device.h"
#include "../../daemon/tools/sim_playback.h"
#include "plate/calibrate.h"
#include "plate/decode.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define GRAVITY 9.80665

static struct sim_body_config config(const char *exercise, uint64_t seed)
{
    struct sim_body_config c = {.exercise = sim_exercise_find(exercise),
                                .set = {PLATE_SIDE_LEFT, PLATE_SIDE_RIGHT},
                                .sets = 2,
                                .reps = 3,
                                .seed = seed,
                                .hold_s = NAN,
                                .set_rest_s = 2,
                                .start_delay_s = 1};
    if (!c.exercise->one_leg) c.set[0] = c.set[1] = PLATE_SIDE_BOTH;
    return c;
}

static struct sim_body *body(const struct sim_body_config *c)
{
    struct sim_body *b = NULL;
    assert_int_equal(sim_body_new(c, &b), 0);
    return b;
}

static double foot_N(const struct sim_body *b, enum plate_side foot, double t)
{
    struct sim_force f;
    sim_body_force(b, foot, t, &f);
    return f.foot_N;
}

static void test_draws(void **state)
{
    (void)state;
    enum { N = 200000 };
    struct sim_rng r;
    double sum = 0, square = 0, fourth = 0;
    sim_rng_init(&r, 7, 0);
    for (int i = 0; i < N; i++) {
        double x = sim_rng_normal(&r);
        sum += x;
        square += x * x;
        fourth += x * x * x * x;
    }
    assert_true(fabs(sum / N) < 5 / sqrt(N));
    assert_true(fabs(square / N - 1) < 5 * sqrt(2.0 / N));
    assert_true(fabs(fourth / N - 3) < 5 * sqrt(96.0 / N));
    for (int i = 0; i < 1000; i++) {
        double u = sim_rng_uniform(&r, -2, 3);
        assert_true(u >= -2 && u < 3);
    }
}

static void test_same_seed_same_counts(void **state)
{
    (void)state;
    for (int other = 0; other < 2; other++) {
        struct sim_body_config c1 = config("single_leg_hip_thrust", 5),
                               c2 = config("single_leg_hip_thrust", 5 + (uint64_t)other);
        struct sim_body *a = body(&c1), *b = body(&c2);
        struct sim_sensor sa, sb;
        sim_sensor_init(&sa, c1.seed, 0, 4, 0.3, 0.4);
        sim_sensor_init(&sb, c2.seed, 0, 4, 0.3, 0.4);
        unsigned differ = 0;
        for (int k = 0; k < 5000; k++) {
            struct sim_force fa, fb;
            int32_t ca[4], cb[4];
            double t = k * 0.004;
            sim_body_force(a, PLATE_SIDE_BOTH, t, &fa);
            sim_body_force(b, PLATE_SIDE_BOTH, t, &fb);
            sim_sensor_read(&sa, &fa, t, ca);
            sim_sensor_read(&sb, &fb, t, cb);
            differ += memcmp(ca, cb, sizeof ca) != 0;
        }
        assert_true(other ? differ > 4000 : differ == 0);
        sim_body_free(a);
        sim_body_free(b);
    }
}

static void test_config_is_checked(void **state)
{
    (void)state;
    struct sim_body *b;
    struct sim_body_config c = config("single_leg_hip_thrust", 1), bad = c;
    bad.set[1] = PLATE_SIDE_BOTH;
    assert_int_equal(sim_body_new(&bad, &b), -EINVAL);
    bad = c;
    bad.reps = 0;
    assert_int_equal(sim_body_new(&bad, &b), -EINVAL);
    bad = c;
    bad.weaker_pct = 100;
    assert_int_equal(sim_body_new(&bad, &b), -EINVAL);
    bad = config("squat", 1);
    bad.set[0] = PLATE_SIDE_LEFT;
    assert_int_equal(sim_body_new(&bad, &b), -EINVAL);
    assert_null(sim_exercise_find("juggling"));
    sim_body_free(NULL);
}

static void check_truth(const struct sim_body *b, enum plate_side foot, enum sim_kind kind)
{
    double before_s = 0;
    for (unsigned i = 0; i < sim_body_reps(b); i++) {
        struct sim_truth t;
        if (!sim_body_truth(b, i, foot, &t)) continue;
        double rest = 0, peak = 0;
        for (int k = 0; k < 100; k++) rest += foot_N(b, foot, t.onset_s - 0.4 + k * 0.003) / 100;
        assert_true(t.onset_s > before_s + 0.5 && t.end_s < sim_body_duration_s(b));
        if (kind == SIM_SQUAT)
            assert_true(t.descent_s == t.onset_s && t.top_s > t.descent_s && t.end_s >= t.top_s);
        else
            assert_true(t.onset_s < t.top_s && t.top_s < t.descent_s && t.descent_s < t.end_s);
        assert_true(fabs(foot_N(b, foot, t.onset_s - 0.001) - rest) < 6.5); /* 5 N, and a breath */
        assert_true(fabs(foot_N(b, foot, t.onset_s + 0.003) - rest) > 4);
        for (double s = t.onset_s; s < t.end_s; s += 0.001) peak = fmax(peak, foot_N(b, foot, s));
        assert_true(fabs(peak - t.peak_N) < 0.1);
        assert_true(fabs(foot_N(b, foot, t.end_s + 0.15) - rest) < 8);
        assert_int_equal(t.rep, 1 + i % 3);
        assert_int_equal(t.set, 1 + i / 3);
        before_s = t.end_s;
    }
    assert_true(before_s > 0);
}

static void test_truth_is_in_the_signal(void **state)
{
    (void)state;
    for (const struct sim_exercise *e = sim_exercises; e->name; e++)
        for (uint64_t seed = 1; seed <= 3; seed++) {
            struct sim_body_config c = config(e->name, seed);
            struct sim_body *b = body(&c);
            check_truth(b, PLATE_SIDE_LEFT, e->kind);
            check_truth(b, PLATE_SIDE_RIGHT, e->kind);
            check_truth(b, PLATE_SIDE_BOTH, e->kind);
            sim_body_free(b);
        }
}

/* What moves the hips is the force on their mass beyond its weight. Integrated, it has to give their speed and their way. */
static void test_hips_obey_newton(void **state)
{
    (void)state;
    for (const struct sim_exercise *e = sim_exercises; e->name; e++) {
        if (e->kind == SIM_PUSH) continue;
        struct sim_body_config c = config(e->name, 11);
        struct sim_body *b = body(&c);
        for (unsigned i = 0; i < sim_body_reps(b); i++) {
            double from, to, absolute = 0, speed = 0, way_m = 0, worst_m = 0, furthest_m = 0;
            const double dt = 2e-4;
            sim_body_rep_span(b, i, &from, &to);
            for (double t = from + dt / 2; t < to; t += dt) {
                struct sim_force f;
                sim_body_force(b, PLATE_SIDE_BOTH, t, &f);
                double accel = GRAVITY * ((f.foot_N + f.floor_N) / f.support_N - 1);
                absolute += fabs(accel) * dt;
                speed += accel * dt;
                way_m += speed * dt;
                worst_m = fmax(worst_m, fabs(way_m - f.hip_m));
                furthest_m = fmax(furthest_m, fabs(f.hip_m));
            }
            assert_true(absolute > 1 && fabs(speed) < 0.02 * absolute); /* no net impulse */
            assert_true(furthest_m > 0.25 && worst_m < 0.02 * furthest_m);
        }
        sim_body_free(b);
    }
}

static void test_weaker_side(void **state)
{
    (void)state;
    double drive_s[2] = {0}, push_N[2] = {0}, share_N[2] = {0};
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct sim_body_config c[3] = {config("single_leg_hip_thrust", seed), config("isometric", seed),
                                       config("barbell_hip_thrust", seed)};
        for (unsigned k = 0; k < 3; k++) {
            c[k].weaker = PLATE_SIDE_LEFT;
            c[k].weaker_pct = 20;
            struct sim_body *b = body(&c[k]);
            for (unsigned i = 0; i < sim_body_reps(b); i++)
                for (unsigned side = 0; side < 2; side++) {
                    struct sim_truth t;
                    if (!sim_body_truth(b, i, side ? PLATE_SIDE_RIGHT : PLATE_SIDE_LEFT, &t)) continue;
                    if (k == 0)
                        drive_s[side] += t.top_s - t.onset_s;
                    else
                        (k == 1 ? push_N : share_N)[side] += t.peak_N;
                }
            sim_body_free(b);
        }
    }
    assert_true(fabs(1 - drive_s[1] / drive_s[0] - 0.20) < 0.02);
    assert_true(fabs(1 - push_N[0] / push_N[1] - 0.18) < 0.03); /* the leg's weight under the foot is not weaker */
    assert_true(fabs(1 - share_N[0] / share_N[1] - 0.20) < 0.01);
}

static void test_empty_plate_and_feet(void **state)
{
    (void)state;
    struct sim_body_config c = config("single_leg_hip_thrust", 3);
    struct sim_body *b = body(&c);
    struct sim_truth last, first;
    assert_true(foot_N(b, PLATE_SIDE_BOTH, 0.5) == 0);
    assert_true(foot_N(b, PLATE_SIDE_BOTH, sim_body_duration_s(b) - 0.5) == 0);
    assert_true(sim_body_truth(b, 2, PLATE_SIDE_BOTH, &last) && sim_body_truth(b, 3, PLATE_SIDE_BOTH, &first));
    assert_false(sim_body_truth(b, 2, PLATE_SIDE_RIGHT, &last));
    assert_int_equal(last.side, PLATE_SIDE_LEFT);
    assert_int_equal(first.side, PLATE_SIDE_RIGHT);
    unsigned empty = 0;
    for (double t = last.end_s; t < first.onset_s; t += 0.01) empty += foot_N(b, PLATE_SIDE_BOTH, t) == 0;
    assert_in_range(empty, 195, 205);
    assert_true(foot_N(b, PLATE_SIDE_RIGHT, last.top_s + 0.1) == 0 && foot_N(b, PLATE_SIDE_LEFT, first.top_s + 0.1) == 0);
    sim_body_free(b);
}

static void test_cells_give_the_center_back(void **state)
{
    (void)state;
    static const double corner[4][2] = {{-1, 1}, {1, 1}, {-1, -1}, {1, -1}};
    struct sim_force f = {.foot_N = 400, .cop_x_mm = 23, .cop_y_mm = -61};
    struct sim_sensor s;
    struct plate_calibration cal;
    struct plate_cell cell[4] = {0};
    struct plate_force got;
    int32_t counts[4];
    for (unsigned i = 0; i < 4; i++) {
        snprintf(cell[i].name, sizeof cell[i].name, "c%u", i);
        cell[i].x_mm = corner[i][0] * SIM_WIDTH_MM / 2;
        cell[i].y_mm = corner[i][1] * SIM_LENGTH_MM / 2;
    }
    sim_sensor_init(&s, 1, 0, 4, 0, 0);
    sim_sensor_read(&s, &f, 100, counts);
    plate_calibration_identity(&cal, 4, SIM_COUNT_N);
    plate_calibrate(&cal, cell, counts, &got);
    assert_true(fabs(got.Fz_N - 400) < 0.03);
    assert_true(fabs(got.cop_x_mm - 23) < 0.05 && fabs(got.cop_y_mm + 61) < 0.05);
}

/* ---- playback ---- */

static char dir[64], path[128];

static int load(const char *text, size_t n, struct sim_playback **ret, struct sim_playback_error *error)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    return sim_playback_load(path, ret, error);
}

static void test_playback_reads(void **state)
{
    (void)state;
    struct sim_playback *p;
    struct sim_playback_error error;
    static const char text[] = "\xEF\xBB\xBFt_s, left.a_N,right.force_N,left.b_counts\r\n"
                               "5.00,1.50,7,-3\r\n5.01, 2.25 ,8.125,4\r\n\r\n5.02,-0.5,9,1e1\r\n5.05,0,0,0\r\n5.060,1e-1,0,0";
    assert_int_equal(load(text, sizeof text - 1, &p, &error), 0);
    assert_int_equal(p->plates, 2);
    assert_string_equal(p->plate[0].name, "left");
    assert_string_equal(p->plate[1].name, "right");
    assert_int_equal(p->plate[0].cells, 2);
    assert_string_equal(p->plate[0].cell[1], "b");
    assert_int_equal(p->plate[0].decimals, 2);
    assert_int_equal(p->plate[1].decimals, 3);
    assert_int_equal(p->rows, 5);
    static const uint64_t slot[] = {0, 1, 2, 5, 6};
    assert_memory_equal(p->slot, slot, sizeof slot);
    assert_int_equal(p->missing, 2);
    assert_int_equal(p->holes, 1);
    assert_true(fabs(p->rate_Hz - 100) < 1e-9 && p->t_s[0] == 0 && fabs(p->t_s[4] - 0.06) < 1e-9);
    int32_t counts[PLATE_MAX_CELLS];
    sim_playback_counts(p, 1, 0, counts);
    assert_int_equal(counts[0], 225);
    assert_int_equal(counts[1], 400);
    sim_playback_counts(p, 1, 1, counts);
    assert_int_equal(counts[0], 8125);
    sim_playback_counts(p, 2, 0, counts);
    assert_int_equal(counts[0], -50);
    assert_int_equal(counts[1], 1000);
    sim_playback_free(p);
}

static void test_playback_keeps_what_fits(void **state)
{
    (void)state;
    struct sim_playback *p;
    struct sim_playback_error error;
    static const char text[] = "t_s,force_N\n0,0.1234567890123\n0.0125,2000.5\n0.0262,-3\n";
    int32_t counts[PLATE_MAX_CELLS];
    assert_int_equal(load(text, sizeof text - 1, &p, &error), 0);
    assert_true(p->plate[0].rounded);
    assert_int_equal(p->plate[0].decimals, 6);
    sim_playback_counts(p, 0, 0, counts);
    assert_int_equal(counts[0], 123457);
    sim_playback_counts(p, 1, 0, counts);
    assert_int_equal(counts[0], 2000500000);
    assert_int_equal(p->missing, 0); /* 13.7 ms after 12.5 is jitter */
    sim_playback_free(p);
}

static void test_playback_says_where(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t n;
        unsigned line;
        const char *what;
    } bad[] = {
#define BAD(text, line, what) {text, sizeof text - 1, line, what}
        BAD("", 1, "empty"),
        BAD("time,force_N\n0,1\n", 1, "t_s"),
        BAD("t_s\n0\n", 1, "no column"),
        BAD("t_s,force\n0,1\n", 1, "no unit"),
        BAD("t_s,_N\n0,1\n", 1, "no unit"),
        BAD("t_s,a b_N\n0,1\n", 1, "no name for a cell"),
        BAD("t_s,?.a_N\n0,1\n", 1, "no name for a plate"),
        BAD("t_s,a_N,a_counts\n", 1, "two columns"),
        BAD("t_s,a_N,b_N,c_N,d_N,e_N,f_N,g_N,h_N,i_N\n", 1, "more than 8 cells"),
        BAD("t_s,f_N\n", 1, "0 samples"),
        BAD("t_s,f_N\n0,1\n", 2, "1 samples"),
        BAD("t_s,f_N\n0,1\n1,2\n1,3\n", 4, "has to grow"),
        BAD("t_s,f_N\n0,1\n1,nan\n", 3, "not a number"),
        BAD("t_s,f_N\n0,1\n1,0x10\n", 3, "not a number"),
        BAD("t_s,f_N\n0,1\n1,\n", 3, "not a number"),
        BAD("t_s,f_N\n0,1\n1,1e400\n", 3, "not a number"),
        BAD("t_s,f_N\n0,1\nx,2\n", 3, "not a time"),
        BAD("t_s,f_N\n0,1\n1,3e9\n", 3, "32-bit"),
        BAD("t_s,f_N,g_N\n0,1,2\n1,2,3\n2,3", 4, "fewer"),
        BAD("t_s,f_N\n0,1\n1,2,3\n", 3, "more than the header's"),
        BAD("t_s,f_N\n0,1\n1,\0002\n", 3, "zero byte"),
        BAD("t_s,f_N\n0,1\n1e-9,2\n2e-9,2\n9e9,2\n", 5, "hole"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sim_playback *p;
        struct sim_playback_error error = {""};
        char where[160];
        snprintf(where, sizeof where, "%s:%u: ", path, bad[i].line);
        assert_int_equal(load(bad[i].text, bad[i].n, &p, &error), -EINVAL);
        if (strncmp(error.text, where, strlen(where)) || !strstr(error.text, bad[i].what))
            fail_msg("case %zu says: %s", i, error.text);
    }
    struct sim_playback *p;
    struct sim_playback_error error;
    unlink(path);
    assert_int_equal(sim_playback_load(path, &p, &error), -ENOENT);
    assert_int_equal(sim_playback_load(dir, &p, &error), -EISDIR);
    sim_playback_free(NULL);
}

/* ---- the board ---- */

struct heard {
    uint64_t frames, wrong, hellos;
};
static void on_frame(void *user, const struct plate_frame *f)
{
    struct heard *h = user;
    int32_t k = f->counts[0]; /* the test sends its own sample number, and that negated */
    h->frames++;
    h->wrong += f->counts[1] != -k || (f->has_seq && f->seq != (uint64_t)k) || (f->has_ticks && f->ticks != (uint64_t)k * 1000);
}
static void on_hello(void *user, const struct plate_hello *hello)
{
    struct heard *h = user;
    h->hellos++;
    h->wrong += strcmp(hello->name, "plate") != 0 || hello->cells != 2 || fabs(hello->rate_Hz - 1000) > 1e-6 ||
                fabs(hello->count_scale_N - 0.01) > 1e-12;
}

static size_t hear(int fd, struct plate_decoder *d, struct heard *h)
{
    const struct plate_decode_sink sink = {.frame = on_frame, .hello = on_hello, .user = h};
    uint8_t bytes[4096];
    size_t sum = 0;
    for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0; sum += (size_t)n) plate_decoder_push(d, bytes, (size_t)n, &sink);
    return sum;
}

static void check_board(bool csv, unsigned per_packet, double drop, double corrupt)
{
    enum { N = 10000 };
    struct sim_device_config cfg = {.name = "plate",
                                    .serial = "1",
                                    .cells = 2,
                                    .per_packet = per_packet,
                                    .rate_Hz = 1000,
                                    .scale_nN = 10000000,
                                    .csv = csv,
                                    .wait = true,
                                    .drop = drop,
                                    .corrupt = corrupt,
                                    .seed = 4};
    struct plate_decoder_config dc = {
        .protocol = csv ? "csv" : "native",
        .cells = 2,
        .csv = {.separator = ',', .time_column = 1, .time_unit_s = 1e-6, .time_bits = 32, .first_column = 2}};
    struct sim_device *d;
    struct sim_device_error error;
    struct plate_decoder decoder;
    struct heard heard = {0};
    snprintf(cfg.link, sizeof cfg.link, "%s/port", dir);
    assert_int_equal(plate_decoder_init(&decoder, &dc), 0);
    assert_int_equal(sim_device_open(&cfg, &d, &error), 0);
    assert_false(sim_device_heard(d));
    int fd = open(sim_device_path(d), O_RDWR | O_NOCTTY | O_NONBLOCK);
    assert_true(fd >= 0);
    assert_false(sim_device_heard(d)); /* opened is not read */
    uint8_t probe[8];
    assert_int_equal(read(fd, probe, sizeof probe), 1);
    assert_true(sim_device_heard(d));
    uint64_t bytes = 0;
    for (uint64_t k = 0; k < N;) {
        for (; k < N && sim_device_room(d); k++)
            sim_device_sample(d, (double)k * 1e-3, k, (int32_t[]){(int32_t)k, -(int32_t)k});
        if (k == N) sim_device_end_packet(d);
        do {
            assert_true(sim_device_flush(d) >= 0);
            bytes += hear(fd, &decoder, &heard);
        } while (k == N && (sim_device_pending(d) || bytes < sim_device_counters(d)->bytes));
    }
    const struct sim_device_counters *n = sim_device_counters(d);
    assert_int_equal(n->samples, N);
    assert_int_equal(n->sent + n->dropped + n->corrupted, N);
    assert_true(heard.wrong == 0 || (csv && corrupt > 0)); /* a line has no checksum */
    if (!csv || corrupt <= 0) assert_int_equal(heard.frames, n->sent);
    if (!csv) assert_int_equal(heard.hellos, 10);
    assert_true(drop > 0 ? n->dropped > 0 : n->dropped == 0);
    assert_true(corrupt > 0 ? n->corrupted > 0 : n->corrupted == 0);
    sim_device_unplug(d);
    assert_false(sim_device_plugged(d));
    assert_int_not_equal(access(cfg.link, F_OK), 0);
    sim_device_close(d);
    close(fd);
}

static void test_board_loses_nothing(void **state)
{
    (void)state;
    check_board(false, 1, 0, 0);
    check_board(false, 29, 0, 0);
    check_board(true, 1, 0, 0);
}

static void test_board_accounts_for_faults(void **state)
{
    (void)state;
    check_board(false, 7, 0.02, 0.02);
    check_board(true, 1, 0.02, 0);
    check_board(true, 1, 0, 0.02);
}

static void test_link_replaces_links_only(void **state)
{
    (void)state;
    struct sim_device_config cfg = {.name = "plate", .cells = 1, .per_packet = 1, .rate_Hz = 80, .scale_nN = 1};
    struct sim_device *d;
    struct sim_device_error error = {""};
    snprintf(cfg.link, sizeof cfg.link, "%s/port", dir);
    assert_int_equal(symlink("/nowhere", cfg.link), 0);
    assert_int_equal(sim_device_open(&cfg, &d, &error), 0);
    assert_int_equal(access(cfg.link, R_OK | W_OK), 0);
    sim_device_close(d);
    assert_int_not_equal(unlink(cfg.link), 0);
    FILE *f = fopen(cfg.link, "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(sim_device_open(&cfg, &d, &error), -EEXIST);
    assert_non_null(strstr(error.text, cfg.link));
    assert_int_equal(unlink(cfg.link), 0);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/test_sim.XXXXXX");
    if (!mkdtemp(dir)) return -1;
    snprintf(path, sizeof path, "%s/in.csv", dir);
    return 0;
}
static int tear_down(void **state)
{
    (void)state;
    char port[80];
    snprintf(port, sizeof port, "%s/port", dir);
    unlink(port); /* of a test that failed */
    unlink(path);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draws),
        cmocka_unit_test(test_same_seed_same_counts),
        cmocka_unit_test(test_config_is_checked),
        cmocka_unit_test(test_truth_is_in_the_signal),
        cmocka_unit_test(test_hips_obey_newton),
        cmocka_unit_test(test_weaker_side),
        cmocka_unit_test(test_empty_plate_and_feet),
        cmocka_unit_test(test_cells_give_the_center_back),
        cmocka_unit_test(test_playback_reads),
        cmocka_unit_test(test_playback_keeps_what_fits),
        cmocka_unit_test(test_playback_says_where),
        cmocka_unit_test(test_board_loses_nothing),
        cmocka_unit_test(test_board_accounts_for_faults),
        cmocka_unit_test(test_link_replaces_links_only),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
