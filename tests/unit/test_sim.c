/* The simulated platform: playback, and the board on its pty. */
#include "plate/decode.h"
#include "sim_device.h"
#include "sim_playback.h"
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
                                    .protocol = sim_protocol_find(csv ? "csv" : "native"),
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
            sim_device_sample(d, (double)k * 1e-3, k, (int32_t[]){(int32_t)k, -(int32_t)k}, 0);
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
    struct sim_device_config cfg = {
        .name = "plate", .cells = 1, .per_packet = 1, .rate_Hz = 80, .scale_nN = 1, .protocol = sim_protocols};
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
        cmocka_unit_test(test_playback_reads),
        cmocka_unit_test(test_playback_keeps_what_fits),
        cmocka_unit_test(test_playback_says_where),
        cmocka_unit_test(test_board_loses_nothing),
        cmocka_unit_test(test_board_accounts_for_faults),
        cmocka_unit_test(test_link_replaces_links_only),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
