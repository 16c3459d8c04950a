/* How many bytes a sealed archive takes, and how fast one is written against plain HDF5 that writes the same counts with the
 * same chunks, filters, rows a call and flushes. scripts/bench-archive runs it. */
#define _GNU_SOURCE
#include "archive_layout.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RUNS = 5, BLOCK_ROWS = 100 };
#define COUNTS_PER_N 279

static uint64_t state = 88172645463325252u;
static double uniform(void)
{
    state ^= state << 13, state ^= state >> 7, state ^= state << 17;
    return ((double)(state >> 11) + 0.5) / 9007199254740992.0;
}
static double gauss(void) { return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform()); }

/* Of the processor's time, kernel included: what others do on the machine is no matter. */
static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* A foot that comes, thrusts every four seconds, and goes; every cell with a noise of 1 N. */
static int32_t *signal_of(double rate_Hz, unsigned cells, size_t rows)
{
    int32_t *counts = malloc(rows * cells * sizeof *counts);
    for (size_t i = 0; counts && i < rows; i++) {
        const double t = (double)i / rate_Hz, push = fmax(0, sin(2 * M_PI * t / 4));
        const double load_N = fmod(t, 60) > 10 ? (400 + 150 * push) / cells : 0;
        for (unsigned c = 0; c < cells; c++) counts[i * cells + c] = (int32_t)lround((load_N + gauss()) * COUNTS_PER_N);
    }
    return counts;
}

static void recording_of(double rate_Hz, unsigned cells, struct recording *ret)
{
    *ret = (struct recording){.name = "bench", .session = "bench", .station = "bench", .plates = 1};
    ret->plate[0] =
        (struct recording_plate){.name = "plate", .rate_Hz = rate_Hz, .count_scale = 1.0 / COUNTS_PER_N, .cells = cells};
    for (unsigned i = 0; i < cells; i++) snprintf(ret->plate[0].cell[i].name, PLATE_NAME_SIZE, "cell%u", i);
}

static void check(bool ok, const char *what)
{
    if (ok) return;
    fprintf(stderr, "bench_archive: %s\n", what);
    exit(1);
}

/* Seconds until all is written, with a flush every half second of signal where the file is a live one. */
static double write_ours(const char *path, enum archive_mode mode, double rate_Hz, unsigned cells, const int32_t *counts,
                         size_t rows)
{
    struct recording rec;
    struct archive_writer *w;
    struct archive_error e;
    const size_t flush_rows = (size_t)(rate_Hz / 2);
    recording_of(rate_Hz, cells, &rec);
    check(archive_create(path, mode, &rec, &w, &e) == 0, e.text);
    const double from = now_s();
    for (size_t row = 0, flushed = 0; row < rows; row += BLOCK_ROWS) {
        const size_t n = rows - row < BLOCK_ROWS ? rows - row : BLOCK_ROWS;
        const struct record_header h = {
            .type = RECORD_BLOCK, .size = (uint32_t)(n * cells * sizeof *counts), .sample = row, .lsn = row + 1};
        check(archive_write(w, &h, counts + row * cells, &e) == 0, e.text);
        if (mode == ARCHIVE_LIVE && row + n - flushed >= flush_rows) archive_flush(w), flushed = row + n;
    }
    check(archive_flush(w) == 0, "flush");
    const double took = now_s() - from;
    check(archive_close(w, &e) == 0, e.text);
    if (mode == ARCHIVE_SEALED) check(archive_footer_write(path, NULL) == 0, "footer");
    return took;
}

/* The dataset alone, made as theirs is. */
static double write_plain(const char *path, const char *like, enum archive_mode mode, double rate_Hz, unsigned cells,
                          const int32_t *counts, size_t rows)
{
    const hid_t access = archive_access(mode == ARCHIVE_LIVE);
    const hid_t theirs = H5Fopen(like, mode == ARCHIVE_LIVE ? H5F_ACC_RDONLY | H5F_ACC_SWMR_READ : H5F_ACC_RDONLY, access);
    const hid_t model = H5Dopen2(theirs, "/plates/plate/counts", H5P_DEFAULT), how = H5Dget_create_plist(model);
    const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    const hid_t space = H5Screate_simple(2, (hsize_t[]){0, cells}, (hsize_t[]){H5S_UNLIMITED, cells});
    const hid_t d = H5Dcreate2(file, "counts", H5T_STD_I32LE, space, H5P_DEFAULT, how, H5P_DEFAULT);
    const size_t flush_rows = (size_t)(rate_Hz / 2);
    check(theirs >= 0 && how >= 0 && d >= 0, "plain HDF5 cannot be written");
    H5Fclose(theirs);
    if (mode == ARCHIVE_LIVE) check(H5Fstart_swmr_write(file) >= 0, "SWMR");
    const double from = now_s();
    for (size_t row = 0, flushed = 0; row < rows; row += BLOCK_ROWS) {
        const hsize_t n = rows - row < BLOCK_ROWS ? rows - row : BLOCK_ROWS;
        const hsize_t after[] = {row + n, cells}, start[] = {row, 0}, count[] = {n, cells};
        H5Dset_extent(d, after);
        const hid_t there = H5Dget_space(d), here = H5Screate_simple(2, count, NULL);
        H5Sselect_hyperslab(there, H5S_SELECT_SET, start, NULL, count, NULL);
        check(H5Dwrite(d, H5T_NATIVE_INT32, here, there, H5P_DEFAULT, counts + row * cells) >= 0, "write");
        H5Sclose(here);
        H5Sclose(there);
        if (mode == ARCHIVE_LIVE && row + n - flushed >= flush_rows) H5Fflush(file, H5F_SCOPE_LOCAL), flushed = row + n;
    }
    H5Fflush(file, H5F_SCOPE_LOCAL);
    const double took = now_s() - from;
    H5Pclose(how);
    H5Sclose(space);
    H5Pclose(access);
    check(H5Fclose(file) >= 0, "close");
    return took;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void compare(const char *folder, enum archive_mode mode, double rate_Hz, unsigned cells, double seconds)
{
    char ours[512], plain[512];
    double rows_per_s[2][RUNS], ratio[RUNS];
    struct stat st;
    const size_t rows = (size_t)(rate_Hz * seconds);
    int32_t *counts = signal_of(rate_Hz, cells, rows);
    check(counts, "not enough memory");
    snprintf(ours, sizeof ours, "%s/ours.h5", folder);
    snprintf(plain, sizeof plain, "%s/plain.h5", folder);
    for (int i = 0; i < RUNS; i++) {
        rows_per_s[0][i] = (double)rows / write_ours(ours, mode, rate_Hz, cells, counts, rows);
        rows_per_s[1][i] = (double)rows / write_plain(plain, ours, mode, rate_Hz, cells, counts, rows);
        ratio[i] = 100 * rows_per_s[0][i] / rows_per_s[1][i];
    }
    check(stat(ours, &st) == 0, "stat");
    for (int k = 0; k < 2; k++) qsort(rows_per_s[k], RUNS, sizeof(double), by_value);
    qsort(ratio, RUNS, sizeof *ratio, by_value);
    printf("%-6s %5g Hz x %u, %5g s: %6.3f bytes a sample and cell; %.2f Mrows a CPU second, plain HDF5 %.2f, median ratio "
           "%.0f %% "
           "[%.0f-%.0f]\n",
           mode == ARCHIVE_LIVE ? "live" : "sealed", rate_Hz, cells, seconds, (double)st.st_size / (double)(rows * cells),
           rows_per_s[0][RUNS / 2] * 1e-6, rows_per_s[1][RUNS / 2] * 1e-6, ratio[RUNS / 2], ratio[0], ratio[RUNS - 1]);
    fflush(stdout);
    free(counts);
    unlink(ours);
    unlink(plain);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: bench_archive FOLDER\n");
        return 2;
    }
    compare(argv[1], ARCHIVE_SEALED, 1000, 4, 60);
    compare(argv[1], ARCHIVE_SEALED, 1000, 4, 600);
    compare(argv[1], ARCHIVE_SEALED, 80, 1, 600);
    compare(argv[1], ARCHIVE_SEALED, 80, 1, 3600);
    compare(argv[1], ARCHIVE_LIVE, 1000, 4, 600);
    compare(argv[1], ARCHIVE_LIVE, 80, 1, 36000);
    return 0;
}
