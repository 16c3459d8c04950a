#include "trace.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

json_t *trace_describe(struct archive_reader *r)
{
    const struct recording *rec = archive_recording(r);
    char *text = recording_to_json(rec);
    json_t *o = text ? json_loads(text, 0, NULL) : NULL, *plates = o ? json_incref(json_object_get(o, "plates")) : NULL;
    free(text);
    if (!o) return NULL;
    json_object_del(o, "plates");
    json_object_del(o, "config");
    for (unsigned p = 0; p < rec->plates; p++) {
        json_t *plate = json_array_get(plates, p);
        uint64_t rows = archive_rows(r, p), span = rows;
        struct archive_error e;
        archive_span(r, p, &span, &e);
        json_object_set_new(plate, "samples", json_integer((json_int_t)rows));
        json_object_set_new(plate, "lost", json_integer((json_int_t)(span - rows)));
    }
    return json_pack("{s:o, s:o}", "recording", o, "plates", plates);
}

static void print_utc(int64_t utc_ns)
{
    time_t s = (time_t)(utc_ns / 1000000000);
    struct tm tm;
    char text[32];
    if (utc_ns > 0 && gmtime_r(&s, &tm) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &tm))
        printf("  recorded    %s\n", text);
}

struct holdings {
    struct record_session *session;
    size_t session_rows, reps, marks;
    int32_t sets;
};

static int count_holdings(struct archive_reader *r, struct holdings *ret, struct archive_error *e)
{
    struct archive_rep *rep = NULL;
    struct plate_mark *mark = NULL;
    *ret = (struct holdings){0};
    int rc = archive_session(r, &ret->session, &ret->session_rows, e);
    if (!rc) rc = archive_reps(r, &rep, &ret->reps, e);
    if (!rc) rc = archive_marks(r, &mark, &ret->marks, e);
    for (size_t i = 0; !rc && i < ret->reps; i++)
        if (rep[i].rep.set > ret->sets) ret->sets = rep[i].rep.set; /* /sets lacks the open one */
    free(rep);
    free(mark);
    return rc;
}

static void info_text(struct archive_reader *r, const struct archive_info *info, const struct holdings *h, const char *path)
{
    const struct recording *rec = archive_recording(r);
    printf("%s\n  state       %s\n", path,
           info->sealed ? "sealed" : "not sealed: growing, or left by a dead daemon (plate-trace recover)");
    printf("  station     %s\n  software    %s, format %u, detector %d%s\n", rec->station, rec->software, info->format_version,
           info->detector_version, info->detector_version == PLATE_DETECTOR_VERSION ? "" : " (not comparable with this one)");
    print_utc(rec->created_utc_ns);
    if (info->parts > 1) printf("  parts       %u files\n", info->parts);
    if (*info->digest) printf("  digest      %s%s\n", info->digest, info->parts > 1 ? " (of the first)" : "");
    for (unsigned p = 0; p < rec->plates; p++) {
        const struct recording_plate *plate = &rec->plate[p];
        uint64_t rows = archive_rows(r, p), span = rows;
        struct archive_error e;
        archive_span(r, p, &span, &e);
        printf("  plate       %s: %g Hz, %u cell%s (", plate->name, plate->rate_Hz, plate->cells, plate->cells == 1 ? "" : "s");
        for (unsigned c = 0; c < plate->cells; c++) printf("%s%s", c ? " " : "", plate->cell[c].name);
        printf("), %" PRIu64 " samples, %" PRIu64 " lost, %.1f s, %s%s%s\n", rows, span - rows, (double)span / plate->rate_Hz,
               plate->device, *plate->device_serial ? " " : "", plate->device_serial);
    }
    for (size_t i = 0; i < h->session_rows; i++)
        printf("  %-11s %s (from %.3f s)\n", h->session[i].key, h->session[i].value, h->session[i].t_s);
    printf("  holds       %zu rep%s in %d set%s, %zu mark%s\n", h->reps, h->reps == 1 ? "" : "s", h->sets,
           h->sets == 1 ? "" : "s", h->marks, h->marks == 1 ? "" : "s");
}

static int info_json(struct archive_reader *r, const struct archive_info *info, const struct holdings *h, const char *path)
{
    json_t *o = trace_describe(r), *session = json_array();
    for (size_t i = 0; i < h->session_rows; i++)
        json_array_append_new(session, json_pack("{s:f, s:s, s:s}", "t_s", h->session[i].t_s, "key", h->session[i].key, "value",
                                                 h->session[i].value));
    json_t *head =
        json_pack("{s:s, s:i, s:b, s:s, s:i, s:i, s:b, s:I, s:i, s:I, s:o}", "file", path, "parts", (int)info->parts, "sealed",
                  info->sealed, "digest", info->digest, "format_version", (int)info->format_version, "detector_version",
                  info->detector_version, "comparable", info->detector_version == PLATE_DETECTOR_VERSION, "reps",
                  (json_int_t)h->reps, "sets", (int)h->sets, "marks", (json_int_t)h->marks, "session", session);
    if (!o || !head || json_object_update(head, o)) {
        json_decref(o);
        json_decref(head);
        return -ENOMEM;
    }
    json_dumpf(head, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(o);
    json_decref(head);
    return 0;
}

int trace_info(const char *path, bool json, char *ret_error, size_t error_size)
{
    struct archive_reader *r;
    struct archive_error e = {""};
    struct archive_info info;
    struct holdings h;
    int rc = archive_open(path, &r, &e);
    if (rc) {
        snprintf(ret_error, error_size, "%s", e.text);
        return rc;
    }
    archive_info(r, &info);
    rc = count_holdings(r, &h, &e);
    if (rc)
        snprintf(ret_error, error_size, "%s: %s", path, e.text);
    else if (!json)
        info_text(r, &info, &h, path);
    else if ((rc = info_json(r, &info, &h, path)))
        snprintf(ret_error, error_size, "%s: not enough memory, or a text that is not UTF-8", path);
    free(h.session);
    archive_reader_close(r);
    return rc;
}
