#include "sim_source.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct sim_truth_row {
    struct sim_truth t; /* of an event: onset and end */
    const char *plate, *kind;
    double share_pct[4]; /* of the load of both feet: rep, drive, hold, lowering; NaN: one plate */
};
int sim_complain(const char *text)
{
    fprintf(stderr, "plate-sim: %s\n", text);
    return 1;
}

double sim_source_t_s(const struct sim_source *s)
{
    double t = s->trace       ? sim_trace_t_s(s->trace)
               : s->recording ? s->recording->t_s[s->row]
                              : sim_sensor_t_s(&s->plate[0].sensor, s->row);
    return t + (double)s->round * s->round_s;
}
uint64_t sim_source_slot(const struct sim_source *s, unsigned plate)
{
    if (s->trace) return sim_trace_sample(s->trace) + s->round * sim_trace_span(s->trace, plate);
    return (s->recording ? s->recording->slot[s->row] : s->row) + s->round * s->round_slots;
}
bool sim_source_more(const struct sim_source *s)
{
    struct archive_error error = {""};
    if (!s->trace) return s->row < s->rows;
    return sim_trace_more(s->trace, &error);
}
bool sim_source_has(const struct sim_source *s, unsigned plate) { return !s->trace || sim_trace_plate(s->trace) == plate; }
uint64_t sim_source_missing(const struct sim_source *s)
{
    return s->trace ? sim_trace_missing(s->trace) : s->recording ? s->recording->missing : 0;
}

void sim_source_counts(struct sim_source *s, unsigned plate, int32_t *ret_counts)
{
    struct sim_source_plate *p = &s->plate[plate];
    struct sim_force f;
    if (s->trace) {
        memcpy(ret_counts, sim_trace_counts(s->trace), p->cells * sizeof *ret_counts);
        return;
    }
    if (s->recording) {
        sim_playback_counts(s->recording, s->row, plate, ret_counts);
        return;
    }
    double t_s = sim_sensor_t_s(&p->sensor, s->row);
    if (s->weights.n)
        sim_weights_force(&s->weights, t_s, &f);
    else
        sim_body_force(p->body, p->foot, t_s, &f);
    sim_sensor_read(&p->sensor, &f, sim_source_t_s(s), ret_counts);
}

static void write_truth(struct sim_source *s, double t_s)
{
    double shift = (double)s->round * s->round_s;
    for (; s->truth_next < s->truths && s->truth[s->truth_next].t.end_s + shift <= t_s; s->truth_next++) {
        const struct sim_truth_row *r = &s->truth[s->truth_next];
        fprintf(s->truth_file, "%u,%u,%s,%.4f,%.4f,%.4f,%.4f,%.2f,%s,%s,%s,%.3f,%.3f,%.3f,%.3f\n", r->t.rep,
                r->t.set + (unsigned)s->round * s->sets, plate_side_name(r->t.side), r->t.onset_s + shift, r->t.top_s + shift,
                r->t.descent_s + shift, r->t.end_s + shift, r->t.peak_N, s->exercise, r->plate, r->kind, r->share_pct[0],
                r->share_pct[1], r->share_pct[2], r->share_pct[3]);
    }
}

void sim_source_advance(struct sim_source *s)
{
    if (s->trace) sim_trace_advance(s->trace);
    if (s->trace && s->loop && !sim_source_more(s)) {
        sim_trace_rewind(s->trace);
        s->round++;
    }
    if (s->trace) return;
    if (s->truth_file) write_truth(s, sim_source_t_s(s));
    if (++s->row < s->rows || !s->loop) return;
    s->row = s->truth_next = 0;
    s->round++;
}

static int by_end(const void *a, const void *b)
{
    const struct sim_truth_row *x = a, *y = b;
    if (x->t.end_s != y->t.end_s) return x->t.end_s < y->t.end_s ? -1 : 1;
    return strcmp(x->plate, y->plate);
}

static void add_share(const struct sim_source_plate *p, struct sim_truth_row *r)
{
    const struct sim_truth *t = &r->t;
    bool down_first = !isnan(t->bottom_s);
    const double span_s[4][2] = {{t->onset_s, t->end_s},
                                 {down_first ? t->bottom_s : t->onset_s, t->top_s},
                                 {down_first ? NAN : t->top_s, t->descent_s},
                                 {t->descent_s, down_first ? t->bottom_s : t->end_s}};
    for (int i = 0; i < 4; i++)
        r->share_pct[i] = p->foot == PLATE_SIDE_BOTH ? NAN : sim_body_share_pct(p->body, p->foot, span_s[i][0], span_s[i][1]);
}

static void add_truth(struct sim_source *s, const struct sim_source_plate *p)
{
    for (unsigned i = 0; i < sim_body_reps(p->body); i++) {
        struct sim_truth_row *r = &s->truth[s->truths];
        *r = (struct sim_truth_row){.plate = p->name, .kind = "rep"};
        if (!sim_body_truth(p->body, i, p->foot, &r->t)) continue;
        add_share(p, r);
        s->truths++;
    }
    for (unsigned i = 0; i < sim_body_events(p->body); i++) {
        const struct sim_event *e = sim_body_event(p->body, i);
        if (p->foot != PLATE_SIDE_BOTH && e->foot != PLATE_SIDE_BOTH && p->foot != e->foot) continue;
        s->truth[s->truths++] = (struct sim_truth_row){{.set = e->set,
                                                        .side = e->foot,
                                                        .onset_s = e->start_s,
                                                        .top_s = NAN,
                                                        .descent_s = NAN,
                                                        .end_s = e->end_s,
                                                        .peak_N = NAN},
                                                       p->name,
                                                       sim_event_names[e->kind],
                                                       {NAN, NAN, NAN, NAN}};
    }
}

static int source_truth(struct sim_source *s, const char *path)
{
    char text[PATH_MAX + 128];
    size_t room = 0;
    for (unsigned k = 0; k < s->plates; k++) room += sim_body_reps(s->plate[k].body) + sim_body_events(s->plate[k].body);
    s->truth = calloc(room ? room : 1, sizeof *s->truth);
    s->truth_file = s->truth ? fopen(path, "we") : NULL;
    if (!s->truth_file) {
        snprintf(text, sizeof text, "%s: %s, give --truth a path that can be written", path, strerror(errno));
        return sim_complain(text);
    }
    setvbuf(s->truth_file, NULL, _IOLBF, 0); /* whoever follows the file sees a rep when it ends */
    for (unsigned k = 0; k < s->plates; k++) add_truth(s, &s->plate[k]);
    qsort(s->truth, s->truths, sizeof *s->truth, by_end);
    fputs("rep,set,side,onset_s,top_s,descent_s,end_s,peak_N,exercise,plate,kind,share_pct,share_drive_pct,share_hold_pct,"
          "share_lower_pct\n",
          s->truth_file);
    return 0;
}

static int source_draw(struct sim_source *s, const struct sim_options *o)
{
    struct sim_body_config cfg = o->body;
    s->plates = o->plates;
    s->bodies = o->plates > 2 ? o->plates : 1;
    s->sets = cfg.sets;
    s->exercise = cfg.exercise->name;
    for (unsigned i = 0; i < s->bodies; i++, cfg.seed += 0x9E3779B97F4A7C15u) {
        int r = sim_body_new(&cfg, &s->body[i]);
        if (r < 0)
            return sim_complain(r == -ENOMEM ? "out of memory: ask for fewer reps"
                                             : "these options make no exercise: see --help");
        s->round_s = fmax(s->round_s, sim_body_duration_s(s->body[i]));
    }
    s->weights = o->weights;
    if (s->weights.n) s->round_s = sim_weights_duration_s(&s->weights);
    double true_Hz = o->sensor.rate_Hz * (1 + o->sensor.rate_error);
    s->period_s = 1 / true_Hz;
    s->rows = s->round_slots = (uint64_t)ceil(s->round_s * true_Hz);
    s->round_s = (double)s->rows / true_Hz;
    for (unsigned k = 0; k < s->plates; k++) {
        struct sim_source_plate *p = &s->plate[k];
        *p = (struct sim_source_plate){.cells = o->sensor.cells,
                                       .rate_Hz = o->sensor.rate_Hz,
                                       .decimals = 2,
                                       .body = s->body[s->bodies > 1 ? k : 0],
                                       .foot = PLATE_SIDE_BOTH};
        if (s->plates == 1)
            snprintf(p->name, sizeof p->name, "plate");
        else if (s->plates > 2)
            snprintf(p->name, sizeof p->name, "plate%u", k + 1);
        else
            snprintf(p->name, sizeof p->name, "%s", plate_side_name(p->foot = k ? PLATE_SIDE_RIGHT : PLATE_SIDE_LEFT));
        if (sim_sensor_init(&p->sensor, &o->sensor, o->body.seed, k) < 0)
            return sim_complain("these options make no sensor: see --help");
    }
    return 0;
}

static int source_play(struct sim_source *s, const struct sim_options *o)
{
    struct sim_playback_error error;
    if (sim_playback_load(o->playback, &s->recording, &error) < 0) return sim_complain(error.text);
    const struct sim_playback *p = s->recording;
    s->plates = p->plates;
    s->period_s = 1 / p->rate_Hz;
    s->rows = p->rows;
    s->round_s = p->t_s[p->rows - 1] + p->period_s;
    s->round_slots = p->slot[p->rows - 1] + 1;
    for (unsigned k = 0; k < p->plates; k++) {
        s->plate[k].cells = p->plate[k].cells;
        s->plate[k].rate_Hz = p->rate_Hz;
        s->plate[k].decimals = p->plate[k].decimals;
        memcpy(s->plate[k].name, p->plate[k].name, PLATE_NAME_SIZE);
        if (p->plate[k].rounded)
            fprintf(stderr, "plate-sim: %s: plate %s: more decimals than counts of 32 bits can keep, rounded to %u of them\n",
                    o->playback, p->plate[k].name, p->plate[k].decimals);
    }
    return 0;
}

static int source_trace(struct sim_source *s, const struct sim_options *o)
{
    struct archive_error error;
    if (sim_trace_open(o->playback, &s->trace, &error) < 0) return sim_complain(error.text);
    const struct recording *rec = sim_trace_recording(s->trace);
    s->plates = rec->plates;
    s->round_s = sim_trace_duration_s(s->trace);
    for (unsigned k = 0; k < rec->plates; k++) {
        s->plate[k].cells = rec->plate[k].cells;
        s->plate[k].rate_Hz = rec->plate[k].rate_Hz;
        s->plate[k].count_N = rec->plate[k].count_scale;
        memcpy(s->plate[k].name, rec->plate[k].name, PLATE_NAME_SIZE);
        s->period_s = fmax(s->period_s, 1 / rec->plate[k].rate_Hz);
    }
    return 0;
}

int sim_source_open(struct sim_source *s, const struct sim_options *o)
{
    s->loop = o->loop;
    int r = sim_options_plays(o, ".h5") ? source_trace(s, o) : o->playback ? source_play(s, o) : source_draw(s, o);
    for (unsigned k = 0; !r && !s->trace && k < s->plates; k++) s->plate[k].count_N = pow(10, -(double)s->plate[k].decimals);
    return !r && o->truth && !o->print_config ? source_truth(s, o->truth) : r;
}

int sim_source_close(struct sim_source *s)
{
    for (unsigned i = 0; i < s->bodies; i++) sim_body_free(s->body[i]);
    sim_playback_free(s->recording);
    struct archive_error error = {""};
    const bool broken = s->trace && !sim_trace_more(s->trace, &error) && *error.text;
    if (broken) sim_complain(error.text);
    sim_trace_close(s->trace);
    free(s->truth);
    if (broken) return 1;
    bool bad = s->truth_file && (ferror(s->truth_file) | fclose(s->truth_file));
    return bad ? sim_complain("--truth: the file could not be written whole: see that the disk is not full") : 0;
}

const char *sim_source_cell(const struct sim_source *s, unsigned plate, unsigned cell)
{
    static const char *const corner[] = {"front_left", "front_right", "back_left", "back_right"};
    if (s->recording) return s->recording->plate[plate].cell[cell];
    return s->plate[plate].cells == 1 ? "force" : corner[cell];
}
