#include "watch_model.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static void copy_text(char *to, size_t size, const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    if (text) snprintf(to, size, "%s", text);
}
#define COPY(to, o, key) copy_text(to, sizeof(to), o, key)

double number(const json_t *o, const char *key)
{
    const json_t *v = json_object_get(o, key);

    return json_is_number(v) ? json_number_value(v) : NAN;
}

int whole(const json_t *o, const char *key) { return (int)json_integer_value(json_object_get(o, key)); }

const char *word(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text ? text : "";
}

const char *who(const json_t *o)
{
    const char *side = word(o, "side");

    return *side && strcmp(side, "none") ? side : *word(o, "plate") ? word(o, "plate") : "-";
}

void form_names(const json_t *o, char *to, size_t size)
{
    const json_t *finding;
    size_t i, n = 0;

    *to = '\0';
    json_array_foreach(json_object_get(o, "form"), i, finding)
    {
        if (n < size) n += (size_t)snprintf(to + n, size - n, "%s%s", i ? " " : "", word(finding, "name"));
    }
}

void watch_model_init(struct model *m)
{
    memset(m, 0, sizeof *m);
    m->t_s = m->ring_pct = NAN;
    for (int i = 0; i < TEMPO_BEATS; i++) m->target.s[i] = NAN;
}

static struct plate_view *plate_get(struct model *m, const char *name)
{
    unsigned i = 0;

    while (i < m->plates && strcmp(m->plate[i].name, name)) i++;
    if (i == PLATES || !*name || strlen(name) >= sizeof m->plate[i].name) return NULL;
    if (i == m->plates) {
        struct plate_view *p = &m->plate[m->plates++];
        snprintf(p->name, sizeof p->name, "%s", name);
        p->force_N = p->rate_Hz = p->lost = p->phase_s = NAN;
        p->newest = INT64_MIN;
    }
    return &m->plate[i];
}

static void history_put(struct plate_view *p, double t_s, double force_N)
{
    int64_t bucket;
    float *at;

    if (!isfinite(force_N) || !(fabs(t_s) < 1e12)) return;
    bucket = (int64_t)floor(t_s / BUCKET_S);
    if (p->newest == INT64_MIN || bucket < p->newest - 4 || bucket > p->newest + HISTORY) { /* another axis */
        for (int i = 0; i < HISTORY; i++) p->history[i] = NAN;
        p->newest = bucket;
    }
    while (p->newest < bucket) p->history[(uint64_t)++p->newest % HISTORY] = NAN;
    at = &p->history[(uint64_t)bucket % HISTORY];
    if (!(*at >= force_N)) *at = (float)force_N;
}

static float float_le(const uint8_t *b)
{
    uint32_t bits = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    float v;

    memcpy(&v, &bits, sizeof v);
    return v;
}

/* The shape of a third frame that is what its header says; false if it is not. */
static bool rows_of(const json_t *o, size_t n, size_t *ret_rows, size_t *ret_columns)
{
    const json_t *shape = json_object_get(o, "shape");
    json_int_t rows = json_integer_value(json_array_get(shape, 0)), columns = json_integer_value(json_array_get(shape, 1));

    if (rows < 1 || columns < 1 || rows > (json_int_t)n || columns > 64) return false;
    if ((uint64_t)rows * (uint64_t)columns * 4 != n || strcmp(word(o, "dtype"), "<f4")) return false;
    *ret_rows = (size_t)rows;
    *ret_columns = (size_t)columns;
    return true;
}

/* Of a row, the place of this channel; `columns` if there is none. */
static size_t channel_of(const json_t *o, const char *name, size_t columns)
{
    const json_t *channel;
    size_t i;

    json_array_foreach(json_object_get(o, "channels"), i, channel)
    {
        if (i < columns && json_is_string(channel) && !strcmp(json_string_value(channel), name)) return i;
    }
    return columns;
}

static void take_preview(struct model *m, const json_t *o, const uint8_t *payload, size_t n)
{
    struct plate_view *p = plate_get(m, word(o, "plate"));
    const double t_s = number(o, "t_s"), interval_s = number(o, "interval_s");
    size_t rows, columns, most, mean;

    if (!p || !rows_of(o, n, &rows, &columns)) return;
    most = channel_of(o, "Fz_max", columns);
    mean = channel_of(o, "Fz_mean", columns);
    if (most == columns || mean == columns || !(interval_s > 0) || !isfinite(t_s)) return;
    for (size_t r = 0; r < rows; r++)
        history_put(p, t_s + (double)r * interval_s, (double)float_le(payload + 4 * (r * columns + most)));
    p->force_N = (double)float_le(payload + 4 * ((rows - 1) * columns + mean));
    m->t_s = t_s + (double)rows * interval_s;
}

static void take_share(struct model *m, const json_t *o, const uint8_t *payload, size_t n)
{
    size_t rows, columns, left;

    if (!rows_of(o, n, &rows, &columns) || (left = channel_of(o, "left_pct", columns)) == columns) return;
    m->share = (struct share_view){true, number(o, "t_s"), (double)float_le(payload + 4 * ((rows - 1) * columns + left))};
}

static void take_rep(struct model *m, const json_t *o)
{
    struct rep_view *r = &m->rep[m->reps_seen++ % REPS];
    struct plate_view *p = plate_get(m, word(o, "plate"));

    r->set = whole(o, "set");
    r->rep = whole(o, "rep");
    r->discarded = false;
    r->warmup = json_is_true(json_object_get(o, "warmup"));
    snprintf(r->plate, sizeof r->plate, "%s", word(o, "plate"));
    snprintf(r->who, sizeof r->who, "%s", who(o));
    form_names(o, r->form, sizeof r->form);
    r->drive_s = number(o, "concentric_s");
    r->hold_s = number(o, "hold_s");
    r->lower_s = number(o, "eccentric_s");
    r->peak_N = number(o, "peak_force_N");
    r->rfd_N_per_s = number(o, "rfd_max_N_per_s");
    if (p) {
        p->set = r->set;
        p->rep = r->rep;
    }
}

/* What was put right of the reps in sight. */
static void take_correction(struct model *m, const json_t *o)
{
    const char *field = word(o, "field"), *value = word(o, "value");

    if (!strcmp(field, "involved")) COPY(m->involved, o, "value");
    for (unsigned i = 0; i < REPS && i < m->reps_seen; i++) {
        struct rep_view *r = &m->rep[i];
        if (r->set != whole(o, "set") || (whole(o, "rep") && r->rep != whole(o, "rep"))) continue;
        if (*word(o, "plate") && strcmp(word(o, "plate"), r->plate)) continue;
        if (!strcmp(field, "discarded")) r->discarded = !strcmp(value, "true");
        if (!strcmp(field, "warmup")) r->warmup = !strcmp(value, "true");
        if (!strcmp(field, "side")) snprintf(r->who, sizeof r->who, "%s", strcmp(value, "none") ? value : r->plate);
    }
}

static void take_plan(struct model *m, const json_t *o)
{
    COPY(m->side, o, "side");
    m->plan = (struct plan_view){true, whole(o, "set"), whole(o, "reps"), whole(o, "done"), whole(o, "sets"), ""};
    COPY(m->plan.next, o, "next");
}

int tempo_phase(const char *phase)
{
    for (int i = 0; i < TEMPO_BEATS; i++)
        if (!strcmp(tempo_beat_names[i], phase)) return i;
    return -1;
}

static void take_phase(struct model *m, const json_t *o)
{
    struct plate_view *p = plate_get(m, word(o, "plate"));

    if (!p) return;
    COPY(p->phase, o, "phase");
    p->phase_s = number(o, "t_s");
    if (strcmp(p->phase, "rest")) m->working = p;
}

bool is_primary(const json_t *o) { return !json_is_false(json_object_get(o, "primary")); }

static void take_asymmetry(struct model *m, const json_t *o)
{
    struct asymmetry_view *a = &m->asymmetry;
    const json_t *ci = json_object_get(o, "ci95_pct"), *low = json_array_get(ci, 0), *high = json_array_get(ci, 1);

    if (!is_primary(o)) return;
    a->known = true;
    COPY(a->metric, o, "metric");
    COPY(a->verdict, o, "verdict");
    a->value = number(o, "value_pct");
    a->low = json_is_number(low) ? json_number_value(low) : NAN;
    a->high = json_is_number(high) ? json_number_value(high) : NAN;
    a->threshold = number(o, "threshold_pct");
    a->n_left = whole(o, "n_left");
    a->n_right = whole(o, "n_right");
}

static void take_health(struct model *m, const json_t *o)
{
    const json_t *row;
    size_t i;

    if (strcmp(word(o, "kind"), "status")) {
        snprintf(m->notice, sizeof m->notice, "%s%s%s", word(o, "plate"), *word(o, "plate") ? ": " : "", word(o, "text"));
        COPY(m->notice_level, o, "level");
        return;
    }
    m->recording = json_is_true(json_object_get(o, "recording"));
    m->ring_pct = number(o, "ring_used_pct");
    COPY(m->operator, o, "operator");
    if (isfinite(number(o, "t_s"))) m->t_s = number(o, "t_s");
    json_array_foreach(json_object_get(o, "plates"), i, row)
    {
        struct plate_view *p = plate_get(m, word(row, "name"));
        if (!p) continue;
        COPY(p->state, row, "state");
        if (strcmp(p->phase, word(row, "phase"))) p->phase_s = NAN;
        COPY(p->phase, row, "phase");
        p->rate_Hz = number(row, "rate_Hz");
        p->lost = number(row, "lost");
        p->force_N = number(row, "force_N");
    }
}

static void take_session(struct model *m, const json_t *o)
{
    const json_t *targets = json_object_get(o, "targets");
    bool started = !strcmp(word(o, "state"), "started");
    char archive[sizeof m->archive] = "";

    COPY(archive, o, "archive");
    if (m->recording && !started && strcmp(archive, m->archive)) return; /* of a recording before this one */
    COPY(m->state, o, "state");
    COPY(m->archive, o, "archive");
    COPY(m->subject, o, "subject");
    COPY(m->exercise, o, "exercise");
    COPY(m->side, o, "side");
    COPY(m->involved, o, "involved");
    m->recording = started;
    m->target.s[TEMPO_HOLD] = number(targets, "hold_min_s");
    m->target.s[TEMPO_LOWER] = number(targets, "eccentric_min_s");
}

static void take_mark(struct model *m, const json_t *o)
{
    if (!strcmp(word(o, "kind"), "side")) COPY(m->side, o, "value");
    if (!strcmp(word(o, "kind"), "exercise")) COPY(m->exercise, o, "value");
    if (!strcmp(word(o, "kind"), "subject")) COPY(m->subject, o, "value");
    if (!strcmp(word(o, "kind"), "involved")) COPY(m->involved, o, "value");
}

static void take_fault(struct model *m, const json_t *o)
{
    snprintf(m->notice, sizeof m->notice, "%s: %s: %.0f samples missing (%s)", word(o, "plate"), word(o, "kind"),
             number(o, "count"), word(o, "reason"));
    strcpy(m->notice_level, "warning");
}

/* Another recording: what the one before said is no longer shown. */
static void take_header(struct model *m, const json_t *o)
{
    const char *session = word(o, "session");

    COPY(m->station, o, "station");
    if (!*session || !strcmp(session, m->session)) return;
    snprintf(m->session, sizeof m->session, "%s", session);
    m->reps_seen = 0;
    m->asymmetry.known = m->share.known = false;
    m->plan.known = false;
    m->working = NULL;
    for (unsigned i = 0; i < m->plates; i++) m->plate[i].set = m->plate[i].rep = 0;
}

uint64_t watch_missed(struct model *m, const char *topic, const json_t *o)
{
    int64_t seq = json_integer_value(json_object_get(o, "seq")), run = json_integer_value(json_object_get(o, "run")), before;
    unsigned i = 0;

    if (run != m->run) m->topics = 0;
    m->run = run;
    while (i < m->topics && strcmp(m->topic[i].name, topic)) i++;
    if (i == TOPICS || strlen(topic) >= sizeof m->topic[i].name) return 0;
    if (i == m->topics) {
        strcpy(m->topic[m->topics++].name, topic);
        before = seq - 1;
    } else
        before = m->topic[i].seq;
    m->topic[i].seq = seq;
    return seq > before + 1 ? (uint64_t)(seq - before - 1) : 0;
}

bool topic_is(const char *topic, const char *kind) { return !strncmp(topic, kind, strlen(kind)); }

void watch_take(struct model *m, const char *topic, const json_t *o, const uint8_t *payload, size_t payload_n)
{
    take_header(m, o);
    if (topic_is(topic, "preview/")) take_preview(m, o, payload, payload_n);
    if (topic_is(topic, "share/")) take_share(m, o, payload, payload_n);
    if (topic_is(topic, "rep/")) take_rep(m, o);
    if (topic_is(topic, "asymmetry/")) take_asymmetry(m, o);
    if (topic_is(topic, "correction/")) take_correction(m, o);
    if (topic_is(topic, "plan/")) take_plan(m, o);
    if (topic_is(topic, "session/")) take_session(m, o);
    if (topic_is(topic, "health/")) take_health(m, o);
    if (topic_is(topic, "mark/")) take_mark(m, o);
    if (topic_is(topic, "fault/")) take_fault(m, o);
    if (topic_is(topic, "phase/")) take_phase(m, o);
}

struct shown show(double v, int decimals, const char *unit)
{
    struct shown s = {"-"};

    if (isfinite(v)) snprintf(s.text, sizeof s.text, "%.*f%s%s", decimals, v, *unit ? " " : "", unit);
    return s;
}

const char *verdict_words(const char *verdict)
{
    if (!strcmp(verdict, "left_weaker")) return "left weaker";
    if (!strcmp(verdict, "right_weaker")) return "right weaker";
    return *verdict ? verdict : "no verdict";
}

int asymmetry_text(char *to, size_t size, const struct asymmetry_view *a)
{
    return snprintf(to, size, "left/right %s  %s [%s, %s]  %s (left %d, right %d)", a->metric, show(a->value, 1, "%").text,
                    show(a->low, 1, "").text, show(a->high, 1, "").text, verdict_words(a->verdict), a->n_left, a->n_right);
}
