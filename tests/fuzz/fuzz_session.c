/* Any lines as what happens to a session: "+N" a rep of N tenths of a second, "-N" N seconds of rest, anything else a mark of
 * the kind and with the value that stand there. What is told must hold together, and what is corrected must be what its reps
 * say. */
#include "session.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static void must(bool held, const char *what)
{
    if (held) return;
    fprintf(stderr, "fuzz_session: %s\n", what);
    abort();
}

struct told {
    int32_t set, corrections, verdict;
};

static void on_event(void *user, const struct plate_event *e)
{
    static char text[PLATE_EVENT_JSON_MAX];
    struct told *t = user;
    must(plate_event_json(e, text, sizeof text) > 0, "a body that does not fit");
    if (e->type == PLATE_EVENT_SET) {
        must(e->u.set.set <= t->set + 1 && e->u.set.correction <= t->corrections && e->u.set.reps >= 0, "a set from nowhere");
        if (e->u.set.set > t->set) t->set = e->u.set.set;
    }
    if (e->type == PLATE_EVENT_CORRECTION) {
        must(e->u.correction.correction == ++t->corrections && e->u.correction.set <= t->set, "a correction from nowhere");
        must(strcmp(e->u.correction.value, e->u.correction.was) != 0 || e->u.correction.field == PLATE_FIELD_BODY_MASS,
             "a correction that changes nothing");
    }
    if (e->type == PLATE_EVENT_IMBALANCE) {
        must(e->u.imbalance.verdict_before == t->verdict && e->u.imbalance.now.verdict != t->verdict,
             "a verdict that did not change");
        t->verdict = e->u.imbalance.now.verdict;
    }
}

static void rep(struct session *s, double *t_s, double drive_s)
{
    struct plate_rep r;
    memset(&r, 0, sizeof r);
    session_phase(s, 0, PLATE_DRIVE, *t_s + 0.1);
    r.onset_s = *t_s;
    r.end_s = *t_s += 2;
    r.concentric_s = drive_s;
    r.peak_force_N = r.mean_force_N = r.hold_force_N = 300;
    session_rep(s, 0, &r, *t_s);
    session_phase(s, 0, PLATE_REST, *t_s);
    *t_s += 0.5;
}

static void mark(struct session *s, double t_s, const char *line)
{
    struct plate_mark m = {.t_s = t_s};
    struct plate_correction c, again;
    const size_t kind = strcspn(line, " ");
    char text[PLATE_TEXT_SIZE];
    if (kind >= sizeof m.kind || strlen(line) - kind >= sizeof m.value) return;
    memcpy(m.kind, line, kind);
    strcpy(m.value, line + kind + (line[kind] == ' '));
    if (!plate_mark_valid(&m)) return;
    session_mark(s, &m);
    if (strcmp(m.kind, "correct") != 0) return;
    must(plate_correction_parse(m.value, "", &c) == 0 && plate_correction_text(&c, text, sizeof text) > 0,
         "a valid one is refused");
    must(plate_correction_parse(text, "", &again) == 0 && memcmp(&c, &again, sizeof c) == 0, "a text does not come back");
}

/* The reps that are remembered are what the limbs were given. */
static void check(const struct session *s)
{
    unsigned n[2] = {0, 0};
    for (unsigned i = s->compared_from; i < s->kept; i++) {
        const struct session_rep *r = &s->rep[i];
        if (!r->discarded && !r->rep.warmup && (r->rep.side == PLATE_SIDE_LEFT || r->rep.side == PLATE_SIDE_RIGHT))
            n[r->rep.side == PLATE_SIDE_RIGHT]++;
    }
    for (int i = 0; i < 2; i++) must(s->limbs.n[i] + s->limbs.overflow[i] == n[i], "the limbs have other reps");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct plate_station_config cfg;
    struct told told = {0, 0, PLATE_UNDETERMINED};
    const struct plate_station_sink sink = {.event = on_event, .user = &told};
    struct session *s = calloc(1, sizeof *s);
    char *text = malloc(n + 1), *rest = text;
    double t_s = 0;
    plate_station_config_default(&cfg);
    cfg.plates = 1;
    strcpy(cfg.plate[0].name, "plate");
    if (n && bytes[0] & 1)
        cfg.plan = (struct plate_plan_config){.sides = 2, .side = {PLATE_SIDE_LEFT, PLATE_SIDE_RIGHT}, .reps = 2};
    if (!s || !text || session_init(s, &cfg, &sink) != 0) abort();
    memcpy(text, bytes, n);
    text[n] = '\0';
    session_begin(s);
    for (char *line; (line = strsep(&rest, "\n")) && s->kept < 120;) {
        if (*line == '+')
            rep(s, &t_s, fmin(fabs(strtod(line + 1, NULL)), 100) / 10 + 0.1);
        else if (*line == '-')
            for (t_s += fmin(fabs(strtod(line + 1, NULL)), 100); session_due_s(s) <= t_s;) session_rest_over(s);
        else
            mark(s, t_s, line);
    }
    session_finish(s, t_s);
    check(s);
    free(text);
    free(s);
    return 0;
}
