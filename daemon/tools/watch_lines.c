#include "watch_lines.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const watch_event_topics[] = {"rep/",  "set/",  "asymmetry/", "imbalance/", "correction/",
                                          "plan/", "mark/", "session/",   "fault/",     NULL};

static const char *const csv_columns[] = {"station",
                                          "endpoint",
                                          "t_s",
                                          "session",
                                          "plate",
                                          "side",
                                          "set",
                                          "rep",
                                          "exercise",
                                          "warmup",
                                          "onset_s",
                                          "top_s",
                                          "descent_s",
                                          "end_s",
                                          "concentric_s",
                                          "hold_s",
                                          "eccentric_s",
                                          "rest_before_s",
                                          "tut_s",
                                          "peak_force_N",
                                          "mean_force_N",
                                          "hold_force_N",
                                          "hold_cv",
                                          "rfd_0_50_N_per_s",
                                          "rfd_0_100_N_per_s",
                                          "rfd_0_150_N_per_s",
                                          "rfd_0_200_N_per_s",
                                          "rfd_0_250_N_per_s",
                                          "rfd_max_N_per_s",
                                          "impulse_Ns",
                                          "net_impulse_Ns",
                                          "cop_x_mm",
                                          "cop_y_mm",
                                          "cop_drift_x_mm",
                                          "cop_path_mm",
                                          "sway_rms_mm",
                                          "sway_area_mm2",
                                          "impact_pct",
                                          "share_pct",
                                          "share_drive_pct",
                                          "share_hold_pct",
                                          "share_lower_pct",
                                          "onset_live_s",
                                          "top_live_s",
                                          "descent_live_s",
                                          "end_live_s",
                                          "form",
                                          "reps",
                                          "ended_by",
                                          "left_share_pct",
                                          "metric",
                                          "primary",
                                          "mode",
                                          "index",
                                          "direction",
                                          "value_pct",
                                          "ci95_low_pct",
                                          "ci95_high_pct",
                                          "verdict",
                                          "threshold_pct",
                                          "left_mean",
                                          "right_mean",
                                          "n_left",
                                          "n_right",
                                          "counterbalanced",
                                          "dropoff_left_pct",
                                          "dropoff_right_pct",
                                          "dropoff_difference_pct",
                                          "shift_s",
                                          "shift_pct",
                                          "kind",
                                          "value",
                                          "state",
                                          "archive",
                                          "subject",
                                          "sample",
                                          "count",
                                          "reason",
                                          "estimated",
                                          "correction",
                                          "verdict_before",
                                          "field",
                                          "was",
                                          "next",
                                          "done",
                                          "sets",
                                          NULL};

static void csv_text(const char *text)
{
    if (!strpbrk(text, ",\"\r\n")) {
        fputs(text, stdout);
        return;
    }
    putchar('"');
    for (; *text; text++) {
        if (*text == '"') putchar('"');
        putchar(*text);
    }
    putchar('"');
}

static void csv_value(const json_t *v)
{
    if (json_is_string(v)) csv_text(json_string_value(v));
    if (json_is_integer(v)) printf("%" JSON_INTEGER_FORMAT, json_integer_value(v));
    if (json_is_real(v)) printf("%.12g", json_real_value(v));
    if (json_is_boolean(v)) fputs(json_is_true(v) ? "true" : "false", stdout);
}

void watch_csv_header(void)
{
    fputs("event", stdout);
    for (const char *const *c = csv_columns; *c; c++) printf(",%s", *c);
    putchar('\n');
}

static void csv_line(const char *kind, const json_t *o, const struct line_from *from)
{
    char form[256];

    fputs(kind, stdout);
    for (const char *const *c = csv_columns; *c; c++) {
        putchar(',');
        if (!strcmp(*c, "endpoint"))
            csv_text(from ? from->endpoint : "");
        else if (!strcmp(*c, "ci95_low_pct"))
            csv_value(json_array_get(json_object_get(o, "ci95_pct"), 0));
        else if (!strcmp(*c, "ci95_high_pct"))
            csv_value(json_array_get(json_object_get(o, "ci95_pct"), 1));
        else if (!strcmp(*c, "form")) {
            form_names(o, form, sizeof form);
            csv_text(form);
        } else
            csv_value(json_object_get(o, *c));
    }
    putchar('\n');
}

/* The header's bytes as they came (a number printed anew could differ), on one line. */
static void json_line(const struct message *m, const struct line_from *from)
{
    const char *brace = memchr(m->head, '{', m->head_n);
    size_t i = (size_t)(brace - m->head) + 1;
    json_t *ours =
        from ? json_pack("{s:s, s:s}", "topic", m->topic, "endpoint", from->endpoint) : json_pack("{s:s}", "topic", m->topic);
    char *text = ours ? json_dumps(ours, JSON_COMPACT) : NULL;
    int n = text ? (int)strlen(text) - 1 : 0; /* without its brace */

    while (i < m->head_n && strchr(" \t\r\n", m->head[i])) i++;
    printf("%.*s%s", n ? n : 1, n ? text : "{", n && m->head[i] != '}' ? "," : "");
    for (; i < m->head_n; i++) putchar((unsigned char)m->head[i] < ' ' ? ' ' : m->head[i]);
    putchar('\n');
    free(text);
    json_decref(ours);
}

static int line_rep(char *to, size_t size, const json_t *o)
{
    char form[128];

    form_names(o, form, sizeof form);
    return snprintf(to, size, "rep %d %s set %d  drive %s  hold %s  lower %s  peak %s%s%s%s", whole(o, "rep"), who(o),
                    whole(o, "set"), show(number(o, "concentric_s"), 2, "s").text, show(number(o, "hold_s"), 2, "s").text,
                    show(number(o, "eccentric_s"), 2, "s").text, show(number(o, "peak_force_N"), 0, "N").text,
                    json_is_true(json_object_get(o, "warmup")) ? "  warm-up" : "", *form ? "  " : "", form);
}

static int line_set(char *to, size_t size, const json_t *o)
{
    bool active = !strcmp(word(o, "ended_by"), "active"), corrected = whole(o, "correction") != 0;
    double left_pct = number(o, "left_share_pct");

    if (active && !corrected) return snprintf(to, size, "set %d %s %s  begun", whole(o, "set"), who(o), word(o, "exercise"));
    return snprintf(to, size, "set %d %s %s  reps %d  drive %s  peak %s%s%s  %s%s%s%s", whole(o, "set"), who(o),
                    word(o, "exercise"), whole(o, "reps"), show(number(o, "concentric_s"), 2, "s").text,
                    show(number(o, "peak_force_N"), 0, "N").text, isfinite(left_pct) ? "  on the left " : "",
                    isfinite(left_pct) ? show(left_pct, 1, "%").text : "", active ? "under way" : "ended by ",
                    active ? "" : word(o, "ended_by"), json_is_true(json_object_get(o, "warmup")) ? "  warm-up" : "",
                    corrected ? "  corrected" : "");
}

static int line_correction(char *to, size_t size, const json_t *o)
{
    char where[80] = "";
    size_t n = 0;

    if (whole(o, "set")) n = (size_t)snprintf(where, sizeof where, " set %d", whole(o, "set"));
    if (whole(o, "rep") && n < sizeof where) snprintf(where + n, sizeof where - n, " rep %d", whole(o, "rep"));
    return snprintf(to, size, "correction%s%s%s: %s %s%s%s", where, *word(o, "plate") ? " on " : "", word(o, "plate"),
                    word(o, "field"), word(o, "value"), *word(o, "was") ? ", was " : "", word(o, "was"));
}

static int line_plan(char *to, size_t size, const json_t *o)
{
    char reps[32] = "", sets[48] = "";

    if (whole(o, "reps")) snprintf(reps, sizeof reps, ", %d reps", whole(o, "reps"));
    if (whole(o, "sets")) snprintf(sets, sizeof sets, "  (%d of %d sets done)", whole(o, "done"), whole(o, "sets"));
    return snprintf(to, size, "plan: set %d %s%s, then %s%s", whole(o, "set"), word(o, "side"), reps, word(o, "next"), sets);
}

static int line_imbalance(char *to, size_t size, const json_t *o)
{
    const json_t *ci = json_object_get(o, "ci95_pct"), *low = json_array_get(ci, 0), *high = json_array_get(ci, 1);

    return snprintf(to, size, "imbalance: %s, was %s  (%s %s [%s, %s])", verdict_words(word(o, "verdict")),
                    verdict_words(word(o, "verdict_before")), word(o, "metric"), show(number(o, "value_pct"), 1, "%").text,
                    show(json_is_number(low) ? json_number_value(low) : NAN, 1, "").text,
                    show(json_is_number(high) ? json_number_value(high) : NAN, 1, "").text);
}

static int line_other(char *to, size_t size, const char *topic, const json_t *o)
{
    if (topic_is(topic, "mark/"))
        return snprintf(to, size, "mark %s%s%s  at %s%s%s", word(o, "kind"), *word(o, "value") ? " " : "", word(o, "value"),
                        show(number(o, "t_s"), 3, "s").text, *word(o, "plate") ? "  plate " : "", word(o, "plate"));
    if (topic_is(topic, "session/")) return snprintf(to, size, "session %s  %s", word(o, "state"), word(o, "archive"));
    return snprintf(to, size, "fault %s %s  %s samples missing from %s on  %s%s", word(o, "plate"), word(o, "kind"),
                    show(number(o, "count"), 0, "").text, show(number(o, "sample"), 0, "").text, word(o, "reason"),
                    json_is_true(json_object_get(o, "estimated")) ? " (estimated)" : "");
}

static void readable_line(const struct model *model, const char *topic, const json_t *o, const struct line_from *from)
{
    char line[1024];

    if (topic_is(topic, "asymmetry/") && !is_primary(o)) return;
    if (topic_is(topic, "rep/"))
        line_rep(line, sizeof line, o);
    else if (topic_is(topic, "set/"))
        line_set(line, sizeof line, o);
    else if (topic_is(topic, "asymmetry/"))
        asymmetry_text(line, sizeof line, &model->asymmetry);
    else if (topic_is(topic, "imbalance/"))
        line_imbalance(line, sizeof line, o);
    else if (topic_is(topic, "correction/"))
        line_correction(line, sizeof line, o);
    else if (topic_is(topic, "plan/"))
        line_plan(line, sizeof line, o);
    else
        line_other(line, sizeof line, topic, o);
    for (char *c = line; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = '?';
    printf("%s%s%s\n", from ? from->name : "", from ? ": " : "", line);
}

void watch_print(const struct model *model, enum watch_mode mode, const struct message *m, const struct line_from *from)
{
    for (const char *const *e = watch_event_topics; *e; e++) {
        if (!topic_is(m->topic, *e)) continue;
        char kind[16];
        snprintf(kind, sizeof kind, "%.*s", (int)strcspn(m->topic, "/"), m->topic);
        if (mode == WATCH_LINES) readable_line(model, m->topic, m->o, from);
        if (mode == WATCH_CSV) csv_line(kind, m->o, from);
        if (mode == WATCH_JSON) json_line(m, from);
    }
}
