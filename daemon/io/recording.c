#include "recording.h"
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void recording_done(struct recording *r)
{
    if (!r) return;
    free(r->config);
    r->config = NULL;
}

void recording_part_name(const char *name, unsigned part, char *ret, size_t size)
{
    const char *dot = strrchr(name, '.');
    unsigned number;
    int end = 0;
    const bool later = dot && sscanf(dot, ".part%u%n", &number, &end) == 1 && !dot[end] && number > 1;
    const int stem = (int)(later ? dot - name : (ptrdiff_t)strlen(name));
    if (part > 1)
        snprintf(ret, size, "%.*s.part%u", stem, name, part);
    else
        snprintf(ret, size, "%.*s", stem, name);
}

/* A device may call itself anything; what is not UTF-8 is kept as far as ASCII goes. */
static json_t *text_json(const char *text)
{
    json_t *j = json_string(text);
    if (j) return j;
    char *ascii = strdup(text);
    if (!ascii) return NULL;
    for (char *c = ascii; *c; c++)
        if ((unsigned char)*c >= 0x80) *c = '?';
    j = json_string(ascii);
    free(ascii);
    return j;
}

static json_t *number_json(double v) { return isfinite(v) ? json_real(v) : json_null(); }

static json_t *cells_json(const struct recording_plate *p)
{
    json_t *cells = json_array();
    for (unsigned i = 0; cells && i < p->cells; i++) {
        const struct plate_cell *c = &p->cell[i];
        json_t *cell = json_pack("{s:o, s:o, s:o}", "name", text_json(c->name), "x_mm", number_json(c->x_mm), "y_mm",
                                 number_json(c->y_mm));
        if (json_array_append_new(cells, cell) < 0) {
            json_decref(cells);
            return NULL;
        }
    }
    return cells;
}

static json_t *plate_json(const struct recording_plate *p)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:o}", "name", text_json(p->name), "device",
                     text_json(p->device), "device_serial", text_json(p->device_serial), "protocol", text_json(p->protocol),
                     "rate_Hz", number_json(p->rate_Hz), "tick_s", number_json(p->tick_s), "count_scale",
                     number_json(p->count_scale), "first_sample", (json_int_t)p->first_sample, "cells", cells_json(p));
}

char *recording_to_json(const struct recording *r)
{
    json_t *plates = json_array();
    bool ok = plates;
    for (unsigned i = 0; ok && i < r->plates; i++) ok = json_array_append_new(plates, plate_json(&r->plate[i])) == 0;
    if (!ok) {
        json_decref(plates);
        return NULL;
    }
    json_t *j = json_pack("{s:o, s:I, s:o, s:o, s:o, s:o, s:I, s:I, s:o, s:o}", "name", text_json(r->name), "earlier_parts",
                          (json_int_t)r->earlier_parts, "station", text_json(r->station), "session", text_json(r->session),
                          "software", text_json(r->software), "ring", text_json(r->ring), "created_utc_ns",
                          (json_int_t)r->created_utc_ns, "started_host_ns", (json_int_t)r->started_host_ns, "config",
                          text_json(r->config ? r->config : ""), "plates", plates);
    if (!j) return NULL;
    char *text = json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(j);
    return text;
}

static bool text_get(const json_t *object, const char *key, char *ret, size_t size)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text || strlen(text) >= size) return false;
    memset(ret, 0, size);
    memcpy(ret, text, strlen(text));
    return true;
}

static bool number_get(const json_t *object, const char *key, double *ret)
{
    const json_t *v = json_object_get(object, key);
    if (json_is_null(v))
        *ret = NAN;
    else if (json_is_number(v))
        *ret = json_number_value(v);
    else
        return false;
    return true;
}

static bool ns_get(const json_t *object, const char *key, int64_t *ret)
{
    const json_t *v = json_object_get(object, key);
    if (!json_is_integer(v)) return false;
    *ret = json_integer_value(v);
    return true;
}

/* 0 where it is not said: a journal from before there were parts. */
static bool count_get(const json_t *object, const char *key, uint64_t most, uint64_t *ret)
{
    const json_t *v = json_object_get(object, key);
    const json_int_t n = json_integer_value(v);
    if (v && (!json_is_integer(v) || n < 0 || (uint64_t)n > most)) return false;
    *ret = (uint64_t)n;
    return true;
}

static bool plate_get(const json_t *j, struct recording_plate *p)
{
    if (!text_get(j, "name", p->name, sizeof p->name) || !text_get(j, "device", p->device, sizeof p->device) ||
        !text_get(j, "device_serial", p->device_serial, sizeof p->device_serial) ||
        !text_get(j, "protocol", p->protocol, sizeof p->protocol) || !number_get(j, "rate_Hz", &p->rate_Hz) ||
        !number_get(j, "tick_s", &p->tick_s) || !number_get(j, "count_scale", &p->count_scale) ||
        !count_get(j, "first_sample", UINT64_C(1) << 62, &p->first_sample) || !plate_name_valid(p->name))
        return false;
    const json_t *cells = json_object_get(j, "cells");
    const size_t n = json_array_size(cells);
    if (n < 1 || n > PLATE_MAX_CELLS) return false;
    p->cells = (unsigned)n;
    for (size_t i = 0; i < n; i++) {
        const json_t *c = json_array_get(cells, i);
        struct plate_cell *cell = &p->cell[i];
        if (!text_get(c, "name", cell->name, sizeof cell->name) || !number_get(c, "x_mm", &cell->x_mm) ||
            !number_get(c, "y_mm", &cell->y_mm))
            return false;
    }
    return true;
}

static bool recording_get(const json_t *j, struct recording *r)
{
    const json_t *plates = json_object_get(j, "plates");
    const char *config = json_string_value(json_object_get(j, "config"));
    const size_t n = json_array_size(plates);
    uint64_t earlier_parts;
    if (!config || !count_get(j, "earlier_parts", 1000000, &earlier_parts) || n < 1 || n > PLATE_MAX_PLATES ||
        !text_get(j, "name", r->name, sizeof r->name) || !text_get(j, "station", r->station, sizeof r->station) ||
        !text_get(j, "session", r->session, sizeof r->session) || !text_get(j, "software", r->software, sizeof r->software) ||
        !text_get(j, "ring", r->ring, sizeof r->ring) || !ns_get(j, "created_utc_ns", &r->created_utc_ns) ||
        !ns_get(j, "started_host_ns", &r->started_host_ns))
        return false;
    r->earlier_parts = (unsigned)earlier_parts;
    r->plates = (unsigned)n;
    for (size_t i = 0; i < n; i++) {
        if (!plate_get(json_array_get(plates, i), &r->plate[i])) return false;
        for (size_t k = 0; k < i; k++)
            if (strcmp(r->plate[k].name, r->plate[i].name) == 0) return false;
    }
    r->config = strdup(config);
    return r->config;
}

int recording_from_json(const char *text, size_t n, struct recording *ret)
{
    json_t *j = json_loadb(text, n, JSON_REJECT_DUPLICATES, NULL);
    if (!j) return -EBADMSG;
    struct recording r = {0};
    const bool ok = recording_get(j, &r);
    json_decref(j);
    if (!ok) return -EBADMSG;
    *ret = r;
    return 0;
}
