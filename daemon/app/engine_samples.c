/* What goes out of every sample: force/ as it came, preview/ for the eye, share/ of two feet. Rows wait until they are sent
 * together; each message is one run of rows without a hole. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "engine_private.h"

#define LOAD_LEAST_N 20.0 /* of both feet: of less there is no share */

/* As measured; the nominal one until it is known. */
static double rate_Hz(const struct engine_plate *p)
{
    double rate = plate_timebase_rate_Hz(&p->in.timebase);
    return rate > 0 ? rate : p->cfg->rate_Hz;
}

struct rows {
    const char *topic, *channels; /* names, in JSON */
    double t_s;                   /* of the first */
    unsigned rows, columns;
    const float *row;
};

/* `fields` stand between the time and the shape, in JSON. */
static void publish_rows(struct engine *e, const struct rows *r, const char *fields)
{
    char body[1024], t[32];
    plate_json_number(r->t_s, 6, t, sizeof t);
    snprintf(body, sizeof body, "{\"t_s\":%s,%s,\"dtype\":\"<f4\",\"shape\":[%u,%u],\"channels\":[%s]}", t, fields, r->rows,
             r->columns, r->channels);
    engine_publish(e, r->topic, NULL, r->t_s, body, r->row, (size_t)r->rows * r->columns * sizeof *r->row);
}

static const char *topic_of(const struct engine_plate *p, const char *kind, char ret[64])
{
    snprintf(ret, 64, "%s/%s/", kind, p->cfg->name);
    return ret;
}

/* ---- share/ ---- */

static void flush_share(struct engine *e)
{
    struct engine_share *s = &e->share;
    char fields[64], hz[32];
    if (s->rows == 0) return;
    plate_json_number(s->rate_Hz, 3, hz, sizeof hz);
    snprintf(fields, sizeof fields, "\"rate_Hz\":%s", hz);
    publish_rows(e, &(struct rows){"share/", "\"left_pct\",\"both_N\"", s->t_s, s->rows, 2, s->row[0]}, fields);
    s->rows = 0;
}

void engine_on_share(void *user, double t_s, double left_N, double right_N)
{
    struct engine *e = user;
    struct engine_share *s = &e->share;
    double both_N = left_N + right_N;
    if (s->rows == ENGINE_ROWS || fabs(t_s - s->t_s - s->rows / s->rate_Hz) * s->rate_Hz > 0.5) flush_share(e);
    if (s->rows == 0) {
        s->t_s = t_s;
        for (unsigned i = 0; i < e->plates; i++)
            if (e->plate[i].cfg->side == PLATE_SIDE_LEFT) s->rate_Hz = rate_Hz(&e->plate[i]);
    }
    s->row[s->rows][0] = both_N < LOAD_LEAST_N ? NAN : (float)(100 * left_N / both_N);
    s->row[s->rows++][1] = (float)both_N;
}

/* ---- preview/ ---- */

static void flush_preview(struct engine_plate *p)
{
    struct engine_preview *v = &p->preview;
    char topic[64], fields[160];
    double interval_s = p->engine->config->stream.preview_interval_ms * 1e-3;
    if (v->rows == 0) return;
    snprintf(fields, sizeof fields, "\"plate\":\"%s\",\"sample\":%llu,\"interval_s\":%g", p->cfg->name,
             (unsigned long long)v->first.sample, interval_s);
    publish_rows(p->engine,
                 &(struct rows){topic_of(p, "preview", topic),
                                "\"Fz_min\",\"Fz_mean\",\"Fz_max\",\"cop_x\",\"cop_y\",\"samples\",\"missing\"",
                                (double)v->first.index * interval_s, v->rows, ENGINE_PREVIEW_CHANNELS, v->row[0]},
                 fields);
    v->rows = 0;
}

static void add_bin(struct engine_plate *p, const struct plate_preview_bin *b)
{
    struct engine_preview *v = &p->preview;
    if (v->rows == ENGINE_PREVIEW_ROWS || (v->rows > 0 && b->index != v->first.index + v->rows)) flush_preview(p);
    if (v->rows == 0) v->first = *b;
    const float row[ENGINE_PREVIEW_CHANNELS] = {(float)b->Fz_min_N, (float)b->Fz_mean_N, (float)b->Fz_max_N, (float)b->cop_x_mm,
                                                (float)b->cop_y_mm, (float)b->samples,   (float)b->missing};
    memcpy(v->row[v->rows++], row, sizeof row);
}

/* ---- force/ ---- */

static unsigned force_channels(const struct engine_plate *p) { return 3 + (p->engine->config->stream.cells ? p->in.cells : 0); }

static void flush_force(struct engine_plate *p)
{
    unsigned channels = force_channels(p);
    char topic[64], fields[192], hz[32], us[32] = "null", names[512] = "\"Fz\",\"cop_x\",\"cop_y\"";
    if (p->rows == 0) return;
    plate_json_number(rate_Hz(p), 3, hz, sizeof hz);
    if (isfinite(p->in.device_us)) plate_json_number(p->in.device_us, 0, us, sizeof us);
    for (unsigned i = 0; i + 3 < channels; i++) {
        size_t at = strlen(names);
        snprintf(names + at, sizeof names - at, ",\"%s\"", engine_cell_name(p, i));
    }
    snprintf(fields, sizeof fields, "\"plate\":\"%s\",\"sample\":%llu,\"rate_Hz\":%s,\"device_us\":%s", p->cfg->name,
             (unsigned long long)p->row_first, hz, us);
    publish_rows(p->engine, &(struct rows){topic_of(p, "force", topic), names, p->row_t_s, p->rows, channels, p->row}, fields);
    p->rows = 0;
}

static void add_force(struct engine_plate *p, uint64_t sample, double t_s, const struct plate_force *f)
{
    unsigned channels = force_channels(p);
    if (p->rows == ENGINE_ROWS || (p->rows > 0 && p->row_first + p->rows != sample)) flush_force(p);
    if (p->rows == 0) p->row_first = sample, p->row_t_s = t_s;
    float *row = p->row + (size_t)p->rows++ * channels;
    *row++ = (float)f->Fz_N;
    *row++ = (float)f->cop_x_mm;
    *row++ = (float)f->cop_y_mm;
    for (unsigned c = 0; c + 3 < channels; c++) *row++ = (float)f->cell_N[c];
}

void engine_on_force(void *user, const struct plate_force_block *b)
{
    struct engine *e = user;
    struct engine_plate *p = &e->plate[b->plate];
    struct plate_preview_bin bin;
    p->force_N = b->force[b->n - 1].Fz_N;
    for (size_t i = 0; i < b->n; i++) {
        add_force(p, b->first + i, b->t_s[i], &b->force[i]);
        if (plate_preview_push(&p->preview.decimator, b->first + i, b->t_s[i], &b->force[i], &bin)) add_bin(p, &bin);
    }
}

void engine_flush_samples(struct engine_plate *p)
{
    if (p->rows == 0) return;
    if (p->cfg->side == PLATE_SIDE_LEFT) flush_share(p->engine);
    flush_force(p);
    flush_preview(p);
    p->row_ns = engine_now_ns();
}

void engine_end_samples(struct engine *e)
{
    struct plate_preview_bin bin;
    for (unsigned i = 0; i < e->plates; i++) {
        struct engine_plate *p = &e->plate[i];
        if (plate_preview_end(&p->preview.decimator, &bin)) add_bin(p, &bin);
        flush_force(p);
        flush_preview(p);
    }
    flush_share(e);
}
