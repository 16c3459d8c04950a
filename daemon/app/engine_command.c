/* What is commanded of a recording: marks and corrections. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_private.h"

/* Said before the first sample: kept for the recording that it begins. */
static int keep_for_start(struct engine *e, const char *kind, const char *value, char *why, size_t size)
{
    double kg = strtod(value, NULL);
    if (e->autostart_due && strcmp(kind, "side") == 0)
        e->next.has_side = plate_side_parse(value, &e->next.side) == 0;
    else if (e->autostart_due && strcmp(kind, "exercise") == 0)
        snprintf(e->next.exercise, sizeof e->next.exercise, "%s", value);
    else if (e->autostart_due && strcmp(kind, "involved") == 0)
        e->next.has_involved = plate_side_parse(value, &e->next.involved) == 0;
    else if (e->autostart_due && strcmp(kind, "subject") == 0)
        snprintf(e->next.subject, sizeof e->next.subject, "%s", value);
    else if (e->autostart_due && strcmp(kind, "body_mass_kg") == 0)
        e->next.body_mass_kg = kg;
    else if (e->autostart_due && strcmp(kind, "load_kg") == 0)
        e->next.load_kg = kg;
    else {
        snprintf(why, size,
                 "nothing is being recorded, so nothing would keep it; platectl start begins, plate-trace correct adds to a "
                 "sealed archive");
        return -ENODATA;
    }
    return 0;
}

static int nothing_recorded(char *why, size_t size)
{
    snprintf(why, size, "nothing is being recorded; plate-trace correct does it in a sealed archive");
    return -ENODATA;
}

static int check_correction(struct engine *e, const struct plate_mark *m, char *why, size_t size)
{
    struct plate_correction c;
    if (strcmp(m->kind, "correct") != 0) return 0;
    if (!e->recording) return nothing_recorded(why, size);
    int r = plate_correction_parse(m->value, m->plate, &c);
    return r ? r : plate_station_can_correct(e->station, &c, why, size);
}

/* What the recording is of stands in /session as well as among the marks. */
static void keep_in_session(struct engine *e, const struct plate_mark *m)
{
    struct record_session s = {.value = ""};
    if (!record_session_key(m->kind)) return;
    snprintf(s.key, sizeof s.key, "%s", record_session_key(m->kind));
    memcpy(s.value, m->value, sizeof s.value);
    engine_put_session(e, &s, m->t_s);
}

void engine_mark_who(struct engine *e)
{
    char ignored[128];
    double t_s;
    if (!e->who || !e->recording || strcmp(e->who, e->who_said) == 0) return;
    snprintf(e->who_said, sizeof e->who_said, "%s", e->who);
    engine_mark(e, "operator", e->who_said, "", &t_s, ignored, sizeof ignored);
}

int engine_mark(struct engine *e, const char *kind, const char *value, const char *plate, double *ret_t_s, char *why,
                size_t size)
{
    struct plate_mark m;
    memset(&m, 0, sizeof m);
    m.t_s = e->epoch.set ? plate_station_now_s(engine_foremost(e)) : 0;
    m.sample = plate_station_next_sample(engine_foremost(e), 0);
    m.utc_ns = engine_utc_ns();
    if (strlen(kind) >= sizeof m.kind || strlen(value) >= sizeof m.value || strlen(plate) >= sizeof m.plate) {
        snprintf(why, size, "too long: a kind has at most %zu bytes, a value %zu", sizeof m.kind - 1, sizeof m.value - 1);
        return -EINVAL;
    }
    strcpy(m.kind, kind);
    strcpy(m.value, value);
    strcpy(m.plate, plate);
    if (strcmp(kind, "resume") == 0 || !plate_mark_valid(&m)) {
        snprintf(why, size, "\"%s\" makes no sense for a mark of kind \"%s\"; docs/stream.md lists the kinds", value, kind);
        return -EINVAL;
    }
    if (plate_mark_limit(&m)) {
        snprintf(why, size, "%s: %s", kind, plate_mark_limit(&m));
        return -EINVAL;
    }
    int r = check_correction(e, &m, why, size);
    if (r) return r;
    engine_mark_who(e);
    r = e->recording ? engine_put(e, RECORD_MARK, 0, m.sample, m.t_s, &m, sizeof m) : keep_for_start(e, kind, value, why, size);
    if (e->recording && r) snprintf(why, size, "not taken: the ring is full, the disk does not keep up; see platectl status");
    if (r) return r;
    engine_steer(e, &m);
    if (e->recording) keep_in_session(e, &m);
    if (strcmp(kind, "side") == 0) plate_side_parse(value, &e->side);
    if (strcmp(kind, "involved") == 0) plate_side_parse(value, &e->involved);
    if (strcmp(kind, "exercise") == 0) snprintf(e->exercise, sizeof e->exercise, "%s", value);
    if (strcmp(kind, "subject") == 0) snprintf(e->subject, sizeof e->subject, "%s", value);
    *ret_t_s = m.t_s;
    return 0;
}

int engine_correct(struct engine *e, struct plate_correction *c, double *ret_t_s, char *why, size_t size)
{
    char text[PLATE_TEXT_SIZE];
    if (!e->recording) return nothing_recorded(why, size);
    if (c->set == 0) c->set = plate_station_sets(e->station);
    if (c->set == 0) {
        snprintf(why, size, "there is no set yet: one begins with its first rep");
        return -ENOENT;
    }
    int r = plate_correction_text(c, text, sizeof text);
    return r < 0 ? r : engine_mark(e, "correct", text, c->plate, ret_t_s, why, size);
}
