#include "recover.h"
#include "trace_args.h"
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int trace_complain(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fputs("plate-trace: ", stderr);
    vfprintf(stderr, format, ap);
    fputc('\n', stderr);
    va_end(ap);
    return 1;
}

static struct archive_reader *open_trace(const char *path)
{
    struct archive_reader *r;
    struct archive_error e = {""};
    if (archive_open(path, &r, &e) == 0) return r;
    trace_complain("%s", e.text);
    return NULL;
}

static void print_json(const struct plate_event *e, const char *prefix)
{
    static char text[PLATE_EVENT_JSON_MAX];
    if (plate_event_json(e, text, sizeof text) > 0) printf("%s%s%s\n", prefix, *prefix ? " " : "", text);
}

/* ---- import ---- */

int trace_run_import(struct args *a)
{
    struct trace_import_result result;
    char error[1024];
    a->import.in = a->file[0];
    a->import.scale = a->scale;
    int rc = trace_import(&a->import, &result, error, sizeof error);
    for (size_t i = 0; i < sizeof result.warning / sizeof *result.warning; i++)
        if (*result.warning[i]) trace_complain("%s", result.warning[i]);
    if (rc) return trace_complain("%s", error);
    if (result.truncated_line)
        trace_complain("%s:%zu: the last line is cut short and was left out", a->file[0], result.truncated_line);
    printf("%s: %" PRIu64 " samples%s", a->import.out, result.samples, result.plates > 1 ? " a plate" : "");
    if (result.plates > 1) printf(", %u plates", result.plates);
    if (result.missing) printf(", %" PRIu64 " missing in gaps", result.missing);
    printf(", %u reps\n", result.reps);
    return 0;
}

/* ---- reps ---- */

static void rep_head(void)
{
    printf("%-12s %3s %3s %-5s %9s %9s %7s %7s %7s %9s %9s %9s %10s  %s\n", "plate", "set", "rep", "side", "onset_s", "end_s",
           "up_s", "hold_s", "down_s", "peak_N", "mean_N", "hold_N", "rfd100_N/s", "form");
}

static void rep_line(const struct plate_rep *r)
{
    char t[9][64];
    printf("%-12s %3d %3d %-5s %9s %9s %7s %7s %7s %9s %9s %9s %10s  ", r->plate, r->set, r->rep,
           plate_side_name((enum plate_side)r->side), trace_number(r->onset_s, 3, t[0]), trace_number(r->end_s, 3, t[1]),
           trace_number(r->concentric_s, 3, t[2]), trace_number(r->hold_s, 3, t[3]), trace_number(r->eccentric_s, 3, t[4]),
           trace_number(r->peak_force_N, 1, t[5]), trace_number(r->mean_force_N, 1, t[6]),
           trace_number(r->hold_force_N, 1, t[7]), trace_number(r->rfd_0_100_N_per_s, 0, t[8]));
    for (int i = 0; i < r->findings && i < PLATE_MAX_FINDINGS; i++) printf("%s%s", i ? " " : "", r->form[i].name);
    printf("%s\n", r->findings ? "" : "ok");
}

static void on_rep(void *user, const struct plate_event *e)
{
    const struct args *a = user;
    if (a->all)
        print_json(e, plate_event_name(e->type));
    else if (e->type != PLATE_EVENT_REP)
        return;
    else if (a->json)
        print_json(e, "");
    else
        rep_line(&e->u.rep);
}

static void print_reps(struct args *a, const struct trace_reps *reps)
{
    for (size_t i = 0; i < reps->n; i++)
        on_rep(a, &(struct plate_event){.type = PLATE_EVENT_REP, .t_s = reps->rep[i].t_s, .u.rep = reps->rep[i].rep});
    if (reps->discarded && !a->json)
        printf("%zu discarded: --as-recorded shows %s\n", reps->discarded, reps->discarded == 1 ? "it" : "them");
}

int trace_run_reps(struct args *a)
{
    struct archive_reader *r = open_trace(a->file[0]);
    if (!r) return 1;
    const struct plate_station_sink sink = {.event = on_rep, .user = a};
    struct trace_reps reps = {0};
    struct archive_error e = {""};
    char error[512] = "";
    int rc = 0;
    if (!a->json && !a->all) rep_head();
    if (a->follow) {
        archive_reader_close(r);
        setvbuf(stdout, NULL, _IOLBF, 0);
        return trace_follow(a->file[0], on_rep, a, error, sizeof error) ? trace_complain("%s", error) : 0;
    }
    if (a->stored)
        rc = archive_reps(r, &reps.rep, &reps.n, &e) ? trace_complain("%s: %s", a->file[0], e.text) : 0;
    else if (a->all ? trace_replay(r, a->truth, &sink, NULL, error, sizeof error)
                    : trace_reps(r, a->truth, &reps, error, sizeof error))
        rc = trace_complain("%s: %s", a->file[0], error);
    if (!rc) print_reps(a, &reps);
    free(reps.rep);
    archive_reader_close(r);
    return rc;
}

/* ---- replay ---- */

int trace_run_replay(struct args *a)
{
    struct trace_wire_result result;
    char error[1024];
    a->all = true;
    a->wire.path = a->file[0];
    a->wire.event = on_rep;
    a->wire.user = a;
    int rc = trace_wire_replay(&a->wire, &result, error, sizeof error) ? trace_complain("%s", error) : 0;
    if (result.torn_bytes)
        rc = trace_complain("%s: %" PRIu64 " bytes are damaged or cut off: the rest was used", a->file[0], result.torn_bytes);
    if (result.lost_bytes)
        rc =
            trace_complain("%s: lacks %" PRIu64 " bytes that the ports sent: the rest was used", a->file[0], result.lost_bytes);
    return rc;
}

/* ---- asymmetry ---- */

static void say(const char *text) { trace_complain("%s", text); }

int trace_run_asymmetry(struct args *a)
{
    int rc = trace_asymmetry(&(struct trace_asymmetry){a->file, a->files, a->metric, a->json, a->truth, say});
    return rc == -EINVAL ? 2 : rc ? 1 : 0;
}

/* ---- verify, recover, export, info ---- */

static void on_breach(void *user, const char *text) { trace_complain("%s: %s", (const char *)user, text); }

int trace_run_verify(struct args *a)
{
    char account[4096], error[512] = "";
    int rc = trace_verify(a->file[0], on_breach, a->file[0], account, sizeof account, error, sizeof error);
    if (rc == 0)
        puts(account);
    else if (rc != -EBADMSG)
        trace_complain("%s", error);
    return rc ? 1 : 0;
}

int trace_run_recover(struct args *a)
{
    static char account[16384], error[8192];
    if (recover_path(a->file[0], account, sizeof account, error, sizeof error)) return trace_complain("%s", error);
    puts(account);
    return 0;
}

int trace_run_export(struct args *a)
{
    char error[1024];
    a->export.path = a->file[0];
    return trace_export(&a->export, error, sizeof error) ? trace_complain("%s", error) : 0;
}

static void on_correction(void *user, const struct plate_event *e)
{
    const struct args *a = user;
    char text[PLATE_TEXT_SIZE];
    if (a->json)
        print_json(e, "");
    else if (e->type == PLATE_EVENT_MARK)
        printf("%s: %s %s\n", a->file[0], e->u.mark.kind, e->u.mark.value);
    else if (plate_correction_text(&e->u.correction, text, sizeof text) > 0)
        printf("%s: %s%s%s\n", a->file[0], text, *e->u.correction.was ? ", was " : "", e->u.correction.was);
}

int trace_run_correct(struct args *a)
{
    char error[1024];
    a->correct.to.path = a->file[0];
    return trace_correct(&a->correct.to, on_correction, a, error, sizeof error) ? trace_complain("%s", error) : 0;
}

int trace_run_info(struct args *a)
{
    char error[1024];
    return trace_info(a->file[0], a->json, error, sizeof error) ? trace_complain("%s", error) : 0;
}
