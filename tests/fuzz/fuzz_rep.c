/* Any lines as what happens on a plate, to the detector: "wave 20 2 6" a force that goes up and down by 20 N every 2 s for 6 s.
 * Whatever it takes for a rep, its times are in order and no earlier than the last one's, its live times are those at which the
 * phases went out, and no number is infinite. */
#include "plate/event.h"
#include "plate/rep.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#define G_M_PER_S2 9.80665
enum { MOST_SAMPLES = 100000, MOST_SAID = 4096, MOST_DUE = 32, NUMBERS = 3 };

struct plate {
    struct plate_rep_detector *d;
    double rate_Hz;
    uint64_t samples;
    double heard_s;           /* the last sample that was a number */
    double force_N, height_m; /* now */
    double floor_N, per_m;    /* holds the hips at height 0, and by this part more for each metre */
    double noise_N, other_share;
    uint32_t random;
    double said_s[MOST_SAID]; /* when phases went out; of which rep it was: NaN */
    enum plate_phase said[MOST_SAID];
    unsigned sayings;
    double last_end_s;
};

static void must(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "fuzz_rep: %s\n", what);
    abort();
}

static double number(double v, double least, double most) { return v >= least ? fmin(v, most) : least; }

static double random_normal(struct plate *p)
{
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        p->random = p->random * 1664525u + 1013904223u;
        sum += p->random / 4294967296.0 - 0.5;
    }
    return sum;
}

static void check_finite(const struct plate_rep *r)
{
    for (const struct plate_column *c = plate_rep_columns; c->name; c++) {
        double v = 0;
        if (c->type == PLATE_COL_F64) memcpy(&v, (const char *)r + c->offset, sizeof v);
        must(!isinf(v), c->name);
    }
}

/* A phase goes out for one rep. */
static void check_live(struct plate *p, enum plate_phase phase, double live_s)
{
    if (isnan(live_s)) return;
    unsigned i = p->sayings;
    while (i-- > 0 && !(p->said[i] == phase && p->said_s[i] == live_s)) {
    }
    must(i < p->sayings, "a live time at which nothing went out, or which was another rep's");
    p->said_s[i] = NAN;
}

static void check(struct plate *p, const struct plate_rep *r, double now_s)
{
    double period_s = 1 / p->rate_Hz;
    must(r->onset_s > p->last_end_s - period_s / 2, "a rep that begins before the last one is over");
    must(r->end_s > r->onset_s && r->end_s < now_s + period_s * 1.5, "an end before the onset, or to come");
    must(isnan(r->top_s) || (r->top_s >= r->onset_s && r->top_s <= r->end_s), "a top outside");
    must(isnan(r->descent_s) || (r->descent_s >= r->onset_s && r->descent_s <= r->end_s), "a descent outside");
    must(!(r->concentric_s < 0 || r->hold_s < 0 || r->eccentric_s < 0 || r->rest_before_s < 0), "a time below nil");
    must(r->end_live_s == now_s, "a rep that goes out at another time");
    check_live(p, PLATE_DRIVE, r->onset_live_s);
    check_live(p, PLATE_HOLD, r->top_live_s);
    check_live(p, PLATE_LOWER, r->descent_live_s);
    check_finite(r);
    p->last_end_s = r->end_s;
}

static void hear(struct plate *p, const struct plate_rep_output *out)
{
    must(out->phase_changed || out->rep_done, "nothing is said");
    if (out->phase_changed) must(out->phase == plate_rep_phase(p->d), "another phase is said");
    if (out->phase_changed && p->sayings < MOST_SAID) p->said[p->sayings] = out->phase, p->said_s[p->sayings++] = p->heard_s;
    if (out->rep_done && p->sayings < MOST_SAID) check(p, &out->rep, p->heard_s);
}

static void push(struct plate *p, double force_N)
{
    struct plate_rep_input in = {
        .t_s = (double)p->samples++ / p->rate_Hz, .Fz_filtered_N = force_N, .cop_x_mm = NAN, .cop_y_mm = NAN};
    double all_N = force_N + p->noise_N * random_normal(p);
    struct plate_rep_output out;
    p->force_N = force_N;
    in.paired = p->other_share > 0;
    in.other_N = in.paired ? all_N * p->other_share : NAN;
    in.Fz_N = in.paired ? all_N - in.other_N : all_N;
    if (isfinite(all_N)) p->heard_s = in.t_s;
    if (plate_rep_push(p->d, &in, &out)) hear(p, &out);
}

static uint64_t count(const struct plate *p, double s)
{
    uint64_t n = (uint64_t)(number(s, 0, 600) * p->rate_Hz), left = MOST_SAMPLES - p->samples;
    return n < left ? n : left;
}

/* Hips go by minimum jerk to another height; a body that stands has a support that does not change with it. */
static void hips(struct plate *p, double to_m, double s)
{
    uint64_t n = count(p, s);
    double from_m = p->height_m, way_m = to_m - from_m;
    for (uint64_t i = 0; i < n; i++) {
        double u = ((double)i + 0.5) / (double)n;
        double a = way_m / (s * s) * u * (60 + u * (-180 + u * 120));
        p->height_m = from_m + way_m * u * u * u * (10 + u * (-15 + u * 6));
        push(p, fmax(0, p->floor_N * (1 + p->per_m * p->height_m) * (1 + a / G_M_PER_S2)));
    }
}

static void line(struct plate *p, double from_N, double to_N, double amplitude_N, double period_s, double s)
{
    uint64_t n = count(p, s);
    for (uint64_t i = 0; i < n; i++) {
        double part = (double)i / (double)n;
        push(p, from_N + (to_N - from_N) * part + amplitude_N * sin(2 * M_PI * part * s / period_s));
    }
}

static void happen(struct plate *p, char *text)
{
    const struct plate_protocol_targets none = plate_protocol_targets_none();
    char *rest = text, *what = strsep(&rest, " ");
    double v[NUMBERS] = {0};
    if (strcmp(what, "exercise") == 0) plate_rep_exercise(p->d, rest, &none);
    for (int i = 0; i < NUMBERS && rest; i++) v[i] = number(strtod(rest, &rest), -1e9, 1e9);
    if (strcmp(what, "hold") == 0)
        line(p, v[0], v[0], 0, 1, v[1]);
    else if (strcmp(what, "to") == 0)
        line(p, p->force_N, v[0], 0, 1, v[1]);
    else if (strcmp(what, "wave") == 0)
        line(p, p->force_N, p->force_N, v[0], number(v[1], 0.01, 100), v[2]);
    else if (strcmp(what, "body") == 0)
        p->floor_N = number(v[0], 0, 1e5), p->per_m = number(v[1], 0, 100), p->height_m = 0;
    else if (strcmp(what, "hips") == 0)
        hips(p, number(v[0], -1, 1), number(v[1], 0.01, 100));
    else if (strcmp(what, "noise") == 0)
        p->noise_N = number(v[0], 0, 1e4);
    else if (strcmp(what, "other") == 0)
        p->other_share = number(v[0], 0, 1);
    else if (strcmp(what, "leg") == 0)
        plate_rep_other_leg(p->d);
    else if (strcmp(what, "damaged") == 0)
        push(p, NAN);
    else if (strcmp(what, "lost") == 0) {
        uint64_t missing = 1 + count(p, v[0]);
        plate_rep_gap(p->d, missing);
        p->samples += missing;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    char *text = strndup((const char *)bytes, n), *rest = text;
    struct plate *p = calloc(1, sizeof *p);
    if (!text || !p) abort();
    double rate_Hz = strtod(strsep(&rest, "\n"), NULL);
    *p = (struct plate){.rate_Hz = number(rate_Hz, 5, 5000), .floor_N = 400, .per_m = 0.8, .noise_N = 0.5, .last_end_s = -1};
    p->d = malloc(plate_rep_detector_size());
    struct plate_rep_config cfg = {
        .rate_Hz = p->rate_Hz, .exercise = "single_leg_hip_thrust", .targets = plate_protocol_targets_none()};
    if (!p->d || plate_rep_init(p->d, &cfg) != 0) abort();
    for (char *what; (what = strsep(&rest, "\n")) && p->samples < MOST_SAMPLES;) happen(p, what);
    struct plate_rep_output out;
    for (unsigned said = 0; plate_rep_end(p->d, &out); hear(p, &out)) must(said++ <= MOST_DUE + 1, "no end to what is said");
    must(plate_rep_phase(p->d) == PLATE_REST, "at the end nobody rests");
    free(p->d);
    free(p);
    free(text);
    return 0;
}
