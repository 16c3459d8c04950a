#include "columns.h"
#include "json.h"

#include <errno.h>
#include <string.h>

static const char *const phase_words[] = {"rest", "drive", "hold", "lower", NULL};
static const char *const event_words[] = {"phase", "rep", "set", "asymmetry", "mark", "imbalance", "correction", "plan", NULL};

const char *plate_event_name(enum plate_event_type type)
{
    return (unsigned)type < PLATE_EVENT_TYPES ? event_words[type] : NULL;
}

static void put_word(struct out *o, const char *const *words, int32_t value)
{
    int32_t i = 0;
    while (words[i] && i != value) i++;
    if (words[i])
        out_chars(o, words[i], strlen(words[i]));
    else
        out_text(o, "null");
}

static void put_value(struct out *o, const struct plate_column *c, const void *row)
{
    const void *at = (const char *)row + c->offset;
    switch (c->type) {
    case PLATE_COL_F64:
        out_f64(o, *(const double *)at, c->decimals);
        break;
    case PLATE_COL_I32:
        out_i64(o, *(const int32_t *)at);
        break;
    case PLATE_COL_BOOL:
        out_text(o, *(const int32_t *)at ? "true" : "false");
        break;
    case PLATE_COL_ENUM:
        put_word(o, c->names, *(const int32_t *)at);
        break;
    case PLATE_COL_U64:
        out_u64(o, *(const uint64_t *)at);
        break;
    case PLATE_COL_I64:
        out_i64(o, *(const int64_t *)at);
        break;
    case PLATE_COL_TEXT:
        out_chars(o, at, c->size);
        break;
    }
}

static void put_key(struct out *o, const char *key)
{
    if (o->n && o->at[o->n - 1] != '{') out_bytes(o, ",", 1);
    out_string(o, key, strlen(key));
    out_bytes(o, ":", 1);
}

static void put_columns(struct out *o, const struct plate_column *columns, const void *row)
{
    for (const struct plate_column *c = columns; c->name; c++) {
        put_key(o, c->name);
        put_value(o, c, row);
    }
}

int plate_columns_json(const struct plate_column *columns, const void *row, char *buffer, size_t size)
{
    struct out o = out_init(buffer, size);
    out_bytes(&o, "{", 1);
    put_columns(&o, columns, row);
    out_bytes(&o, "}", 1);
    return out_done(&o);
}

static void put_phase(struct out *o, const struct plate_event *e)
{
    put_key(o, "plate");
    out_chars(o, e->u.phase.plate, sizeof e->u.phase.plate);
    put_key(o, "phase");
    put_word(o, phase_words, (int32_t)e->u.phase.phase);
}

static void put_rep(struct out *o, const struct plate_rep *rep)
{
    put_columns(o, plate_rep_columns, rep);
    put_key(o, "form");
    out_bytes(o, "[", 1);
    for (int i = 0; i < rep->findings && i < PLATE_MAX_FINDINGS; i++) {
        const struct plate_finding *f = &rep->form[i];
        out_text(o, i ? ",{" : "{");
        put_key(o, "name");
        out_chars(o, f->name, sizeof f->name);
        put_key(o, "value");
        out_f64(o, f->value, DIGITS_ANY_UNIT);
        put_key(o, "limit");
        out_f64(o, f->limit, DIGITS_ANY_UNIT);
        out_bytes(o, "}", 1);
    }
    out_bytes(o, "]", 1);
}

static void put_asymmetry(struct out *o, const struct plate_asymmetry *a)
{
    for (const struct plate_column *c = plate_asymmetry_columns; c->name; c++) {
        bool low = c->offset == offsetof(struct plate_asymmetry, ci95_low_pct);
        bool high = c->offset == offsetof(struct plate_asymmetry, ci95_high_pct);
        if (!high) put_key(o, low ? "ci95_pct" : c->name);
        if (low || high) out_bytes(o, low ? "[" : ",", 1);
        put_value(o, c, a);
        if (high) out_bytes(o, "]", 1);
    }
}

static void put_imbalance(struct out *o, const struct plate_imbalance *i)
{
    put_key(o, "verdict_before");
    put_word(o, plate_verdict_words, i->verdict_before);
    put_asymmetry(o, &i->now);
}

static void put_mark(struct out *o, const struct plate_mark *m)
{
    for (const struct plate_column *c = plate_mark_columns; c->name; c++) {
        if (c->offset == offsetof(struct plate_mark, t_s) || c->offset == offsetof(struct plate_mark, utc_ns)) continue;
        put_key(o, c->name);
        put_value(o, c, m);
    }
}

int plate_event_json(const struct plate_event *e, char *buffer, size_t size)
{
    struct out o = out_init(buffer, size);
    out_bytes(&o, "{", 1);
    put_key(&o, "t_s");
    out_f64(&o, e->t_s, DIGITS_TIME);
    switch (e->type) {
    case PLATE_EVENT_PHASE:
        put_phase(&o, e);
        break;
    case PLATE_EVENT_REP:
        put_rep(&o, &e->u.rep);
        break;
    case PLATE_EVENT_SET:
        put_columns(&o, plate_set_columns, &e->u.set);
        break;
    case PLATE_EVENT_ASYMMETRY:
        put_asymmetry(&o, &e->u.asymmetry);
        break;
    case PLATE_EVENT_MARK:
        put_mark(&o, &e->u.mark);
        break;
    case PLATE_EVENT_IMBALANCE:
        put_imbalance(&o, &e->u.imbalance);
        break;
    case PLATE_EVENT_CORRECTION:
        put_columns(&o, plate_correction_columns, &e->u.correction);
        break;
    case PLATE_EVENT_PLAN:
        put_columns(&o, plate_plan_columns, &e->u.plan);
        break;
    case PLATE_EVENT_TYPES:
        return -EINVAL;
    }
    out_bytes(&o, "}", 1);
    return out_done(&o);
}
