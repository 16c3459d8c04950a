#include "calibrate.h"
#include "plate/fit.h"
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WINDOWS = 3 };    /* of a second each make a reading */
#define STEADY_TIMES 3.0 /* their SDs lie within this of each other, and of the empty plate's */
#define STEADY_SD 2.0    /* and their means within so many SDs */
#define STEADY_PART 1e-4 /* or within this part of the load */
#define LOADED_SD 20.0   /* a load moves the force by so many SDs of the empty plate, */
#define LOADED_PART 0.3  /* and by so much of what it should weigh, once that is known */
#define WRONG_PCT 1.0    /* an error of so much of the heaviest load is worth a word */
#define DOUBT_PART 0.1   /* and while it stands there, so much of itself */
#define ASK_AGAIN_S 0.05
#define SILENT_S 5.0 /* a plate that fell silent, or lost samples, is waited for so long: the loads taken stay taken */
#define TELL_AFTER 6 /* windows of waiting: then it is said for what */

struct reading {
    double at_s, mean[PLATE_MAX_CELLS], Fz_N, sd_N, step_N;
    double sample, rows; /* the number of its last sample, and how many it is made of */
};
struct calibration { /* of one plate, as it goes */
    const struct calibrate_options *o;
    struct client client;
    char plate[PLATE_NAME_SIZE];
    struct plate_calibration before;
    struct plate_cell cell[PLATE_MAX_CELLS];
    struct reading empty[2], taken[CALIBRATE_LOADS]; /* empty: at the start, at the end */
    struct plate_fit_load load[CALIBRATE_LOADS];
    double kg[CALIBRATE_LOADS];
    unsigned loads;
};

static int complain(const char *text)
{
    fprintf(stderr, "platectl: calibrate: %s\n", text);
    return EXIT_NO;
}

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void pause_s(double s)
{
    nanosleep(&(struct timespec){.tv_sec = (time_t)s, .tv_nsec = (long)((s - floor(s)) * 1e9)}, NULL);
}

/* ---- the daemon's answers ---- */

static double real(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);
    return json_is_number(v) ? json_number_value(v) : NAN;
}

static void reals(const json_t *list, double *to)
{
    for (unsigned i = 0; i < PLATE_MAX_CELLS; i++) {
        const json_t *v = json_array_get(list, i);
        to[i] = json_is_number(v) ? json_number_value(v) : NAN;
        if (!v) to[i] = 0;
    }
}

static int learn_plate(struct calibration *c, const json_t *plate)
{
    const json_t *cells = json_object_get(plate, "cells"), *k = json_object_get(plate, "calibration"),
                 *rows = json_object_get(k, "matrix");
    c->before = (struct plate_calibration){.cells = (unsigned)json_array_size(cells),
                                           .components = (unsigned)json_array_size(rows),
                                           .count_scale = real(k, "count_scale"),
                                           .surface_z_mm = real(k, "surface_z_mm")};
    for (unsigned i = 0; i < c->before.components && i < PLATE_MAX_COMPONENTS; i++)
        reals(json_array_get(rows, i), c->before.matrix[i]);
    for (unsigned i = 0; i < c->before.cells && i < PLATE_MAX_CELLS; i++) {
        const json_t *cell = json_array_get(cells, i);
        const char *name = json_string_value(json_object_get(cell, "name"));
        snprintf(c->cell[i].name, sizeof c->cell[i].name, "%s", name ? name : "");
        c->cell[i].x_mm = real(cell, "x_mm");
        c->cell[i].y_mm = real(cell, "y_mm");
    }
    return plate_calibration_check(&c->before) == 0 ? 0
                                                    : complain("the daemon's answer makes no sense: are both of one version?");
}

/* The last second. */
static int measure(struct calibration *c, struct reading *ret)
{
    double until_s = *c->plate ? now_s() + SILENT_S : 0;
    char *refusal;
    json_t *result = NULL;
    int r;
    for (;;) {
        json_t *params = c->o->plate ? json_pack("{s:s}", "plate", c->o->plate) : json_object();
        r = client_try(&c->client, "measure", params, &result, &refusal);
        if (!refusal || now_s() > until_s) break;
        free(refusal);
        pause_s(ASK_AGAIN_S);
    }
    if (refusal) fprintf(stderr, "platectl: measure: %s\n", refusal);
    free(refusal);
    if (r) return r;
    const json_t *plates = json_object_get(result, "plates"), *plate = json_array_get(plates, 0);
    const char *name = json_string_value(json_object_get(plate, "plate"));
    if (json_array_size(plates) != 1)
        r = complain("there are several plates: say which with --plate");
    else if (!*c->plate) {
        snprintf(c->plate, sizeof c->plate, "%s", name ? name : "");
        r = learn_plate(c, plate);
    }
    ret->at_s = now_s();
    reals(json_object_get(plate, "mean"), ret->mean);
    ret->Fz_N = real(plate, "Fz_N");
    ret->sd_N = real(plate, "Fz_sd_N");
    ret->step_N = real(plate, "Fz_step_N");
    ret->sample = real(plate, "sample");
    ret->rows = real(plate, "rows");
    json_decref(result);
    return r;
}

/* A second of which `before` had no sample. */
static int measure_anew(struct calibration *c, const struct reading *before, struct reading *ret)
{
    for (;;) {
        int r = measure(c, ret);
        if (r || !(fabs(ret->sample - before->sample) < ret->rows)) return r; /* a recording that begins counts anew */
        pause_s(ASK_AGAIN_S);
    }
}

/* ---- readings ---- */

/* Nothing moves over the windows; empty_sd_N: the noise of the empty plate, NaN: not known yet. */
static bool steady(const struct reading w[WINDOWS], double empty_sd_N)
{
    double least = INFINITY, most = 0, low = INFINITY, high = -INFINITY, step = 0;
    for (unsigned i = 0; i < WINDOWS; i++) {
        least = fmin(least, w[i].sd_N);
        most = fmax(most, w[i].sd_N);
        low = fmin(low, w[i].Fz_N);
        high = fmax(high, w[i].Fz_N);
        step = fmax(step, fabs(w[i].step_N));
    }
    double noise = isnan(empty_sd_N) ? least : empty_sd_N, slack = STEADY_PART * fmax(fabs(low), fabs(high));
    return most <= STEADY_TIMES * noise + slack && fmax(high - low, step) <= STEADY_SD * noise + slack;
}

static void average(const struct reading w[WINDOWS], struct reading *ret)
{
    *ret = (struct reading){.sd_N = w[0].sd_N};
    for (unsigned i = 0; i < WINDOWS; i++) {
        ret->at_s += w[i].at_s / WINDOWS;
        ret->Fz_N += w[i].Fz_N / WINDOWS;
        ret->sd_N = fmin(ret->sd_N, w[i].sd_N);
        for (unsigned k = 0; k < PLATE_MAX_CELLS; k++) ret->mean[k] += w[i].mean[k] / WINDOWS;
    }
}

/* Is it so much as `most_N` away from the empty plate? */
static bool loaded(const struct calibration *c, const struct reading *r, double least_N)
{
    return fabs(r->Fz_N - c->empty[0].Fz_N) > fmax(LOADED_SD * c->empty[0].sd_N, least_N);
}

enum want { ANY, EMPTY, LOADED };

static void tell_why(enum want want, bool right, const struct reading *r)
{
    if (!right)
        fprintf(stderr, want == EMPTY ? "  waiting: something is still on it\n"
                                      : "  waiting: no load, or too little of it, has come\n");
    else
        fprintf(stderr, "  waiting: it does not stand still (SD %.2f, moved by %+.2f); let nobody touch or lean on it\n",
                r->sd_N, r->step_N);
}

/* Waits until the plate stands still, empty or loaded as wanted, and reads it. */
static int read_steady(struct calibration *c, enum want want, double least_N, struct reading *ret)
{
    struct reading w[WINDOWS], before = {.sample = NAN};
    unsigned have = 0;
    double until_s = now_s() + c->o->patience_s;
    for (unsigned waited = 1;; waited++) {
        struct reading r;
        int e = measure_anew(c, &before, &r);
        if (e) return e;
        memmove(w + 1, w, (WINDOWS - 1) * sizeof *w);
        w[0] = before = r;
        bool right = want == ANY || loaded(c, &r, least_N) == (want == LOADED);
        have = right ? have + 1 : 0;
        if (have >= WINDOWS && steady(w, want == ANY ? NAN : c->empty[0].sd_N)) break;
        if (waited == TELL_AFTER && !c->o->hands_free) tell_why(want, right, &r);
        if (now_s() > until_s)
            return complain(!right && want == EMPTY ? "the plate does not get empty: take everything off, and begin again"
                            : !right && want == LOADED
                                ? "no load has come: nothing was written; --patience waits longer"
                                : "the plate does not stand still: nothing was written; see to its feet and its cells");
    }
    average(w, ret);
    return 0;
}

/* Hands free: the next load has come only when the one before was touched. */
static int wait_for_a_touch(struct calibration *c)
{
    const struct reading *was = &c->taken[c->loads - 1];
    double until_s = now_s() + c->o->patience_s;
    for (;;) {
        struct reading r;
        int e = measure(c, &r);
        if (e) return e;
        if (r.sd_N > STEADY_TIMES * was->sd_N + STEADY_PART * fabs(was->Fz_N) ||
            !loaded(c, &r, fabs(was->Fz_N - c->empty[0].Fz_N) / 2))
            return 0;
        if (now_s() > until_s) return complain("the weight was not moved: nothing was written; --patience waits longer");
        pause_s(ASK_AGAIN_S);
    }
}

/* ---- people ---- */

/* Shows `prompt`; hands free nobody has to say that he is ready. */
static int ask_for(const struct calibration *c, const char *prompt)
{
    int ch;
    fprintf(stderr, "%s%s", prompt, c->o->hands_free ? "\n" : ", then press Enter ");
    if (c->o->hands_free) return 0;
    while ((ch = getchar()) != '\n')
        if (ch == EOF) return complain("the input has ended: nothing was written; --hands-free asks nobody");
    return 0;
}

static void say_load(const struct calibrate_load *l, char *ret, size_t size)
{
    int n = snprintf(ret, size, "put %g kg on the plate", l->kg);
    if (!isnan(l->x_mm)) snprintf(ret + n, size - (size_t)n, " at (%g, %g) mm", l->x_mm, l->y_mm);
}

/* The next load that somebody has typed; 1: that was all. */
static int type_load(struct calibration *c, struct calibrate_load *ret)
{
    char line[128];
    for (;;) {
        int end = 0;
        fprintf(stderr,
                "mass in kg, and where its centre is (x,y in mm), as 20 100,-150; drop: forget the last; an empty line ends: ");
        if (!fgets(line, sizeof line, stdin) || *line == '\n') return 1;
        bool fits = strchr(line, '\n') != NULL;
        line[strcspn(line, "\n")] = 0;
        for (int ch = fits ? '\n' : getchar(); ch != '\n' && ch != EOF;) ch = getchar();
        *ret = (struct calibrate_load){.x_mm = NAN, .y_mm = NAN};
        int n = sscanf(line, "%lf %n%lf,%lf %n", &ret->kg, &end, &ret->x_mm, &ret->y_mm, &end);
        bool whole = fits && (n == 1 || n == 3) && line[end] == 0 && (n == 1 || isfinite(ret->x_mm + ret->y_mm));
        if (whole && ret->kg > 0 && isfinite(ret->kg)) return 0;
        if (strcmp(line, "drop") == 0 && c->loads > 0)
            fprintf(stderr, "  forgotten: the %g kg\n", c->kg[--c->loads]);
        else
            fprintf(stderr, "that is no load; write a mass, or a mass and a place, with decimal points\n");
    }
}

/* A wrong weight is best found while it still stands there: by what the loads before make of it, as far as corners may differ.
 */
static void doubt_load(const struct calibration *c, const struct reading *r, double kg)
{
    double read_N = 0, should_N = 0;
    for (unsigned i = 0; i < c->loads; i++) {
        read_N += c->taken[i].Fz_N - c->empty[0].Fz_N;
        should_N += c->load[i].force_N;
    }
    double by_them = (r->Fz_N - c->empty[0].Fz_N) * should_N / read_N / c->o->gravity;
    if (c->loads == 0 || fabs(by_them / kg - 1) < DOUBT_PART) return;
    fprintf(stderr, "  by the loads before it weighs %.1f kg, not %g: another weight? %s\n", by_them, kg,
            c->o->loads ? "then begin again" : "then write drop, and it again");
}

static int take_load(struct calibration *c, const struct calibrate_load *l)
{
    char prompt[128];
    struct reading *r = &c->taken[c->loads];
    double force_N = l->kg * c->o->gravity, least_N = 0;
    for (unsigned i = 0; i < c->loads; i++) /* by now it is known what a newton reads */
        least_N = LOADED_PART * force_N * fabs(c->taken[i].Fz_N - c->empty[0].Fz_N) / c->load[i].force_N;
    say_load(l, prompt, sizeof prompt);
    int e = ask_for(c, prompt);
    if (e == 0 && c->o->hands_free && c->loads) e = wait_for_a_touch(c);
    if (e == 0) e = read_steady(c, LOADED, least_N, r);
    if (e) return e;
    doubt_load(c, r, l->kg);
    c->load[c->loads] = (struct plate_fit_load){.force_N = force_N, .x_mm = l->x_mm, .y_mm = l->y_mm};
    c->kg[c->loads++] = l->kg;
    fprintf(stderr, "  read: %+.2f from the empty plate's, SD %.2f\n", r->Fz_N - c->empty[0].Fz_N, r->sd_N);
    return 0;
}

static int take_all(struct calibration *c)
{
    struct calibrate_load typed;
    int e = ask_for(c, "empty the plate");
    if (e == 0) e = read_steady(c, ANY, 0, &c->empty[0]);
    for (unsigned i = 0; e == 0 && i < c->o->loads; i++) e = take_load(c, &c->o->load[i]);
    while (e == 0 && c->o->loads == 0 && c->loads < CALIBRATE_LOADS && type_load(c, &typed) == 0) e = take_load(c, &typed);
    if (e == 0 && c->loads == 0) e = complain("no load, no calibration: nothing was written");
    if (e == 0) e = ask_for(c, "empty the plate again");
    double half_N = c->loads ? fabs(c->taken[c->loads - 1].Fz_N - c->empty[0].Fz_N) / 2 : 0;
    return e ? e : read_steady(c, EMPTY, half_N, &c->empty[1]);
}

/* ---- what came of it ---- */

/* The zero moves on from the first empty plate to the last. */
static void subtract_zero(struct calibration *c)
{
    double span_s = c->empty[1].at_s - c->empty[0].at_s;
    for (unsigned k = 0; k < c->loads; k++) {
        double part = span_s > 0 ? (c->taken[k].at_s - c->empty[0].at_s) / span_s : 0;
        for (unsigned i = 0; i < c->before.cells; i++)
            c->load[k].value[i] = c->taken[k].mean[i] - (1 - part) * c->empty[0].mean[i] - part * c->empty[1].mean[i];
    }
}

static double heaviest_N(const struct calibration *c)
{
    double most = 0;
    for (unsigned k = 0; k < c->loads; k++) most = fmax(most, c->load[k].force_N);
    return most;
}

/* Lines of text, each after `lead`. */
static void write_account(FILE *f, const struct calibration *c, const struct plate_fit *fit, const char *lead)
{
    fprintf(f, "%s%8s %8s %8s %10s %9s %9s\n", lead, "kg", "x mm", "y mm", "should N", "error N", "off by mm");
    for (unsigned k = 0; k < c->loads; k++) {
        const struct plate_fit_load *l = &c->load[k];
        fprintf(f, "%s%8g %8g %8g %10.2f %+9.2f %9.2f\n", lead, c->kg[k], l->x_mm, l->y_mm, l->force_N, l->error_N,
                l->cop_error_mm);
    }
    fprintf(f, "%sforce: worst error %.2f N (%.3f %% of the heaviest), RMS %.2f N; non-linearity %.3f %%\n", lead, fit->worst_N,
            100 * fit->worst_N / heaviest_N(c), fit->rms_N, fit->nonlinearity_pct);
    fprintf(f, "%scorners: %.3f %% apart before, %.3f %% now; centre of pressure: off by %.2f mm at worst\n", lead,
            fit->corner_before_pct, fit->corner_pct, fit->worst_cop_mm);
    fprintf(f, "%szero: came back to %+.2f N; sensitivity: %.5g times the one before\n", lead,
            (c->empty[1].Fz_N - c->empty[0].Fz_N) * fit->factor, fit->factor);
    if (fit->unsure) {
        fprintf(f, "%snot determined by these weights, and left in proportion:", lead);
        for (unsigned i = 0; i < c->before.cells; i++)
            if (fit->unsure >> i & 1) fprintf(f, " %s", c->cell[i].name);
        fprintf(f, "; put weights nearer to the corners\n");
    }
}

static void write_row(FILE *f, const char *name, const double *row, unsigned cells)
{
    fprintf(f, "      %s: [", name);
    for (unsigned i = 0; i < cells; i++) fprintf(f, "%s%.10g", i ? ", " : "", row[i]);
    fputs("]\n", f);
}

static void write_values(FILE *f, const struct calibration *c, const struct plate_fit *fit)
{
    static const char *const rows[PLATE_MAX_COMPONENTS] = {"Fx", "Fy", "Fz", "Mx", "My", "Mz"};
    const struct plate_calibration *k = &fit->calibration;
    fprintf(f, "plates:\n  - name: %s\n    count_scale: %.10g\n", c->plate, k->count_scale);
    if (k->surface_z_mm != 0) fprintf(f, "    surface_z_mm: %.10g\n", k->surface_z_mm);
    fputs("    cells:\n", f);
    for (unsigned i = 0; i < k->cells; i++)
        fprintf(f, "      - {name: %s, offset: %.10g}\n", c->cell[i].name, c->empty[1].mean[i]);
    fputs("    matrix:\n", f);
    for (unsigned i = 0; i < k->components; i++) write_row(f, k->components == 1 ? "Fz" : rows[i], k->matrix[i], k->cells);
}

static int write_file(const struct calibration *c, const struct plate_fit *fit, char *ret_path, size_t size)
{
    char when[32], stamp[32], text[640];
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &tm);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
    if (c->o->output)
        snprintf(ret_path, size, "%s", c->o->output);
    else
        snprintf(ret_path, size, "calibration-%s-%s.yaml", c->plate, stamp);
    FILE *f = fopen(ret_path, "wxe");
    if (!f) {
        snprintf(text, sizeof text, "%.400s: %s; a calibration is never overwritten: name another file with --output", ret_path,
                 strerror(errno));
        return complain(text);
    }
    fprintf(f, "# Calibration of plate %s by platectl calibrate, %s, at g = %.5f m/s2.\n", c->plate, when, c->o->gravity);
    fputs("# In plated.yaml, under that plate, instead of its gains, offsets and matrix:   calibration: THIS FILE\n#\n", f);
    write_account(f, c, fit, "# ");
    write_values(f, c, fit);
    bool bad = fflush(f) || fsync(fileno(f)) || ferror(f);
    if (fclose(f) || bad) {
        unlink(ret_path);
        snprintf(text, sizeof text, "%.400s: cannot be written whole: %s; make room", ret_path, strerror(errno));
        return complain(text);
    }
    return 0;
}

static json_t *real_or_null(double v) { return isfinite(v) ? json_real(v) : json_null(); }

static void print_json(const struct calibration *c, const struct plate_fit *f, const char *path)
{
    json_t *loads = json_array(), *unsure = json_array();
    for (unsigned k = 0; k < c->loads; k++)
        json_array_append_new(loads,
                              json_pack("{s:f, s:o, s:o, s:f, s:f, s:o}", "kg", c->kg[k], "x_mm", real_or_null(c->load[k].x_mm),
                                        "y_mm", real_or_null(c->load[k].y_mm), "force_N", c->load[k].force_N, "error_N",
                                        c->load[k].error_N, "cop_error_mm", real_or_null(c->load[k].cop_error_mm)));
    for (unsigned i = 0; i < c->before.cells; i++)
        if (f->unsure >> i & 1) json_array_append_new(unsure, json_string(c->cell[i].name));
    json_t *o = json_pack("{s:s, s:s, s:f, s:f, s:f, s:o, s:o, s:o, s:o, s:f, s:o, s:o}", "plate", c->plate, "file", path,
                          "factor", f->factor, "worst_N", f->worst_N, "rms_N", f->rms_N, "worst_cop_mm",
                          real_or_null(f->worst_cop_mm), "nonlinearity_pct", real_or_null(f->nonlinearity_pct),
                          "corner_before_pct", real_or_null(f->corner_before_pct), "corner_pct", real_or_null(f->corner_pct),
                          "zero_return_N", (c->empty[1].Fz_N - c->empty[0].Fz_N) * f->factor, "unsure", unsure, "loads", loads);
    json_dumpf(o, stdout, JSON_COMPACT | JSON_REAL_PRECISION(10));
    putchar('\n');
    json_decref(o);
}

static int finish(struct calibration *c)
{
    struct plate_fit fit;
    char path[512];
    subtract_zero(c);
    int e = plate_fit(&c->before, c->cell, c->load, c->loads, &fit);
    if (e)
        return complain(e == -ENODATA ? "the cells do not move under the weights: nothing was written; platectl status"
                                      : "these readings make no calibration: nothing was written");
    e = write_file(c, &fit, path, sizeof path);
    if (e) return e;
    if (c->o->json)
        print_json(c, &fit, path);
    else {
        write_account(stdout, c, &fit, "");
        printf("%s\n", path);
    }
    if (100 * fit.worst_N > WRONG_PCT * heaviest_N(c))
        fprintf(
            stderr,
            "platectl: calibrate: the weights do not agree to %g %%: was one of them elsewhere, or another? see the table\n",
            WRONG_PCT);
    return 0;
}

int calibrate_run(const struct calibrate_options *o, const char *control, double timeout_s, const struct curve *curve)
{
    struct calibration c = {.o = o};
    if (!o->hands_free && o->loads == 0 && !isatty(STDIN_FILENO))
        return complain("name the loads with --point X,Y --mass KG, or run it on a terminal"), EXIT_USAGE;
    int e = client_open(&c.client, control, timeout_s, curve);
    if (e) return e;
    e = take_all(&c);
    if (e == 0) e = finish(&c);
    client_close(&c.client);
    return e;
}
