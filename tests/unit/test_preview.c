/* Decimated samples against the definition: each bin computed anew from all samples. Prints its seed; PLATE_SEED repeats it. */
#include "plate/preview.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { SAMPLES = 4000 };

struct input {
    uint64_t sample;
    double t_s;
    struct plate_force f;
};

static double uniform(double from, double to) { return from + (to - from) * rand() / RAND_MAX; }

/* With holes, and a centre of pressure that is not always known. */
static void make_input(struct input in[SAMPLES], double rate_Hz, bool holes)
{
    uint64_t sample = 7;
    for (size_t i = 0; i < SAMPLES; i++, sample++) {
        if (holes && rand() % 50 == 0) sample += (uint64_t)rand() % 100;
        in[i].sample = sample;
        in[i].t_s = round((double)(sample - 7) / rate_Hz * 1e6) / 1e6;
        in[i].f = (struct plate_force){.Fz_N = uniform(-50, 900),
                                       .cop_x_mm = rand() % 3 ? uniform(-100, 100) : NAN,
                                       .cop_y_mm = i < SAMPLES / 2 ? NAN : uniform(-100, 100)};
    }
}

static bool close_to(double a, double b) { return (isnan(a) && isnan(b)) || fabs(a - b) < 1e-9; }

/* The bin is that of in[from], and holds all there is of it. Returns the first sample behind it. */
static size_t expect_bin(const struct plate_preview_bin *b, const struct input in[SAMPLES], size_t from, int64_t interval_us)
{
    double least = INFINITY, most = -INFINITY, sum = 0, x = 0, y = 0;
    uint64_t n = 0, nx = 0, ny = 0, missing = from ? in[from].sample - in[from - 1].sample - 1 : 0;
    int64_t index = llround(in[from].t_s * 1e6) / interval_us;
    size_t i = from;
    for (; i < SAMPLES && llround(in[i].t_s * 1e6) / interval_us == index; i++, n++) {
        const struct plate_force *f = &in[i].f;
        if (n) missing += in[i].sample - in[i - 1].sample - 1;
        least = fmin(least, f->Fz_N), most = fmax(most, f->Fz_N), sum += f->Fz_N;
        if (!isnan(f->cop_x_mm)) x += f->cop_x_mm, nx++;
        if (!isnan(f->cop_y_mm)) y += f->cop_y_mm, ny++;
    }
    assert_int_equal(b->index, index);
    assert_int_equal(b->sample, in[from].sample);
    assert_int_equal(b->samples, n);
    assert_int_equal(b->missing, missing);
    assert_true(b->Fz_min_N == least && b->Fz_max_N == most && close_to(b->Fz_mean_N, sum / (double)n));
    assert_true(close_to(b->cop_x_mm, nx ? x / (double)nx : NAN) && close_to(b->cop_y_mm, ny ? y / (double)ny : NAN));
    return i;
}

static void decimate(double rate_Hz, int64_t interval_us, bool holes)
{
    static struct input in[SAMPLES];
    struct plate_preview p;
    struct plate_preview_bin b;
    size_t behind = 0, bins = 0;
    make_input(in, rate_Hz, holes);
    assert_int_equal(plate_preview_init(&p, interval_us), 0);
    for (size_t i = 0; i < SAMPLES; i++)
        if (plate_preview_push(&p, in[i].sample, in[i].t_s, &in[i].f, &b)) {
            behind = expect_bin(&b, in, behind, interval_us);
            assert_int_equal(behind, i); /* as soon as the first sample behind it is there */
            bins++;
        }
    assert_true(plate_preview_end(&p, &b));
    assert_int_equal(expect_bin(&b, in, behind, interval_us), SAMPLES);
    assert_false(plate_preview_end(&p, &b));
    if (!holes && rate_Hz * (double)interval_us < 1e6) assert_int_equal(bins, SAMPLES - 1); /* one sample in each */
    assert_false(plate_preview_push(&p, 3, 0, &in[0].f, &b)); /* another recording, and nothing is missing before it */
    assert_true(plate_preview_end(&p, &b));
    assert_int_equal(b.missing, 0);
}

static void every_rate(void **state)
{
    const double rates_Hz[] = {9.7, 10, 49, 50, 80, 87.5, 100, 999.7, 1000, 4000};
    const char *given = getenv("PLATE_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    (void)state;
    printf("seed %u\n", seed);
    srand(seed);
    for (size_t i = 0; i < sizeof rates_Hz / sizeof *rates_Hz; i++)
        for (int holes = 0; holes < 2; holes++) {
            decimate(rates_Hz[i], 20000, holes);
            decimate(rates_Hz[i], 5000, holes);
            decimate(rates_Hz[i], 1000000, holes);
        }
}

static void edges_are_exact(void **state)
{
    struct plate_preview p;
    struct plate_preview_bin b;
    struct plate_force f = {.Fz_N = 1, .cop_x_mm = NAN, .cop_y_mm = NAN};
    (void)state;
    assert_int_equal(plate_preview_init(&p, 0), -EINVAL);
    assert_int_equal(plate_preview_init(&p, 20000), 0);
    for (uint64_t i = 0; i < 200000; i++) { /* 0.06 / 0.02 is less than 3 in binary: twenty samples in each bin all the same */
        bool complete = plate_preview_push(&p, i, (double)i * 1e-3, &f, &b);
        assert_int_equal(complete, i > 0 && i % 20 == 0);
        if (complete) assert_int_equal(b.samples, 20);
    }
    plate_preview_end(&p, &b);
    f.Fz_N = NAN; /* what is no number is no least, and a mean of none is none */
    plate_preview_push(&p, 0, 0, &f, &b);
    plate_preview_push(&p, 1, 0.001, &f, &b);
    assert_true(plate_preview_end(&p, &b));
    assert_true(isnan(b.Fz_min_N) && isnan(b.Fz_mean_N) && isnan(b.Fz_max_N) && isnan(b.cop_x_mm));
    assert_int_equal(b.samples, 2);
    plate_preview_push(&p, 0, 0, &f, &b);
    f.Fz_N = -3;
    plate_preview_push(&p, 1, 0.001, &f, &b);
    assert_true(plate_preview_end(&p, &b));
    assert_true(b.Fz_min_N == -3 && b.Fz_mean_N == -3 && b.Fz_max_N == -3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_rate), cmocka_unit_test(edges_are_exact)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
