#include "arguments.h"
#include "recover.h"
#include "trace.h"
#include "trace_correct_args.h"
#include <argp.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What any verb may be told; each verb lists its own options. */
struct args {
    const struct verb *verb;
    char **file;
    unsigned files;
    bool json, stored, follow, all;
    enum trace_truth truth;
    const char *metric, *format;
    struct trace_import import;
    struct trace_export export;
    struct trace_wire wire;
    struct trace_scale scale[TRACE_MAX_COLUMNS];
    struct trace_correct_args correct;
};
struct verb {
    const char *name, *args_doc, *doc;
    unsigned files_max;
    const struct argp_option *options;
    int (*run)(struct args *a);    /* 0, or 1 after it has said why */
    const struct argp_child *more; /* options with a parser of their own; its input is args.correct */
};

__attribute__((format(printf, 1, 2))) static int complain(const char *format, ...)
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
    complain("%s", e.text);
    return NULL;
}

static void print_json(const struct plate_event *e, const char *prefix)
{
    static char text[PLATE_EVENT_JSON_MAX];
    if (plate_event_json(e, text, sizeof text) > 0) printf("%s%s%s\n", prefix, *prefix ? " " : "", text);
}

/* ---- import ---- */

static int run_import(struct args *a)
{
    struct trace_import_result result;
    char error[1024];
    a->import.in = a->file[0];
    a->import.scale = a->scale;
    int rc = trace_import(&a->import, &result, error, sizeof error);
    for (size_t i = 0; i < sizeof result.warning / sizeof *result.warning; i++)
        if (*result.warning[i]) complain("%s", result.warning[i]);
    if (rc) return complain("%s", error);
    if (result.truncated_line)
        complain("%s:%zu: the last line is cut short and was left out", a->file[0], result.truncated_line);
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

static int run_reps(struct args *a)
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
        return trace_follow(a->file[0], on_rep, a, error, sizeof error) ? complain("%s", error) : 0;
    }
    if (a->stored)
        rc = archive_reps(r, &reps.rep, &reps.n, &e) ? complain("%s: %s", a->file[0], e.text) : 0;
    else if (a->all ? trace_replay(r, a->truth, &sink, NULL, error, sizeof error)
                    : trace_reps(r, a->truth, &reps, error, sizeof error))
        rc = complain("%s: %s", a->file[0], error);
    if (!rc) print_reps(a, &reps);
    free(reps.rep);
    archive_reader_close(r);
    return rc;
}

/* ---- replay ---- */

static int run_replay(struct args *a)
{
    struct trace_wire_result result;
    char error[1024];
    a->all = true;
    a->wire.path = a->file[0];
    a->wire.event = on_rep;
    a->wire.user = a;
    int rc = trace_wire_replay(&a->wire, &result, error, sizeof error) ? complain("%s", error) : 0;
    if (result.torn_bytes)
        rc = complain("%s: %" PRIu64 " bytes are damaged or cut off: the rest was used", a->file[0], result.torn_bytes);
    if (result.lost_bytes)
        rc = complain("%s: lacks %" PRIu64 " bytes that the ports sent: the rest was used", a->file[0], result.lost_bytes);
    return rc;
}

/* ---- asymmetry ---- */

static void say(const char *text) { complain("%s", text); }

static int run_asymmetry(struct args *a)
{
    int rc = trace_asymmetry(&(struct trace_asymmetry){a->file, a->files, a->metric, a->json, a->truth, say});
    return rc == -EINVAL ? 2 : rc ? 1 : 0;
}

/* ---- verify, recover, export, info ---- */

static void on_breach(void *user, const char *text) { complain("%s: %s", (const char *)user, text); }

static int run_verify(struct args *a)
{
    char account[4096], error[512] = "";
    int rc = trace_verify(a->file[0], on_breach, a->file[0], account, sizeof account, error, sizeof error);
    if (rc == 0)
        puts(account);
    else if (rc != -EBADMSG)
        complain("%s", error);
    return rc ? 1 : 0;
}

static int run_recover(struct args *a)
{
    static char account[16384], error[8192];
    if (recover_path(a->file[0], account, sizeof account, error, sizeof error)) return complain("%s", error);
    puts(account);
    return 0;
}

static int run_export(struct args *a)
{
    char error[1024];
    a->export.path = a->file[0];
    return trace_export(&a->export, error, sizeof error) ? complain("%s", error) : 0;
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

static int run_correct(struct args *a)
{
    char error[1024];
    a->correct.to.path = a->file[0];
    return trace_correct(&a->correct.to, on_correction, a, error, sizeof error) ? complain("%s", error) : 0;
}

static int run_info(struct args *a)
{
    char error[1024];
    return trace_info(a->file[0], a->json, error, sizeof error) ? complain("%s", error) : 0;
}

/* ---- the command line ---- */

enum {
    KEY_SCALE = 256,
    KEY_MARKS,
    KEY_EXERCISE,
    KEY_FORCE,
    KEY_ALLOW_TRUNCATED,
    KEY_PLATE_SIZE,
    KEY_STORED,
    KEY_FOLLOW,
    KEY_ALL,
    KEY_METRIC,
    KEY_FORMAT,
    KEY_COUNTS,
    KEY_PLATE,
    KEY_RECORDING,
    KEY_ANONYMISE,
    KEY_PSEUDONYM,
    KEY_JSON,
    KEY_AS_RECORDED
};
#define AS_RECORDED_OPTION                                                                                                     \
    {                                                                                                                          \
        "as-recorded", KEY_AS_RECORDED, NULL, 0, "as it was entered first, without the corrections", 0                         \
    }
#define JSON_OPTION(what)                                                                                                      \
    {                                                                                                                          \
        "json", KEY_JSON, NULL, 0, what, 0                                                                                     \
    }

static const struct argp_option info_options[] = {JSON_OPTION("one JSON object"), {0}};
static const struct argp_option verify_options[] = {{0}};
static const struct argp_option reps_options[] = {
    JSON_OPTION("one JSON object a line, the bodies that the stream carries as rep"),
    {"stored", KEY_STORED, NULL, 0, "the rows as they stand in the file, not computed again", 0},
    {"follow", KEY_FOLLOW, NULL, 0, "these rows, and those that come while it is recorded, until it is sealed", 0},
    {"all", KEY_ALL, NULL, 0, "every event (phase, rep, set, asymmetry, ...) as it was said: its topic, a space, its body", 0},
    AS_RECORDED_OPTION,
    {0}};
static const struct argp_option asymmetry_options[] = {JSON_OPTION("one JSON object a line, the primary metric first"),
                                                       {"metric", KEY_METRIC, "NAME", 0, "this metric only", 0},
                                                       AS_RECORDED_OPTION,
                                                       {0}};
static const struct argp_option import_options[] = {
    {"output", 'o', "OUT.h5", 0, "the trace to write", 0},
    {"marks", KEY_MARKS, "MARKS.csv", 0,
     "t_s,kind,value: side, exercise, involved, warmup, subject, load_kg, body_mass_kg, note", 0},
    {"scale", KEY_SCALE, "COLUMN=N_PER_COUNT", 0, "newtons per count of a column NAME_counts; may be given again", 0},
    {"config", 'c', "CONFIG", 0, "a plated.yaml: plates, cells, calibration, targets", 0},
    {"exercise", KEY_EXERCISE, "NAME", 0, "the exercise from the start on", 0},
    {"plate-size", KEY_PLATE_SIZE, "WIDTHxLENGTH", 0,
     "mm between corner cells, left to right and back to front (default 400x600)", 0},
    {"allow-truncated", KEY_ALLOW_TRUNCATED, NULL, 0, "leave out a last line that is cut short", 0},
    {"force", KEY_FORCE, NULL, 0, "overwrite OUT.h5", 0},
    {0}};
static const struct argp_option export_options[] = {
    {"output", 'o', "OUT", 0, "the file to write; - is standard output", 0},
    {"format", KEY_FORMAT, "csv|json|h5", 0,
     "csv: samples, as import reads them; json: recording, plates, reps, sets, asymmetry, marks; h5: the whole as one new "
     "sealed "
     "archive",
     0},
    {"counts", KEY_COUNTS, NULL, 0, "csv: raw counts, not newtons", 0},
    {"plate", KEY_PLATE, "NAME", 0, "csv: this plate only", 0},
    {"anonymise", KEY_ANONYMISE, NULL, 0, "without subject, notes, times of day, names and serial numbers", 0},
    {"pseudonym", KEY_PSEUDONYM, "NAME", 0, "h5 with --anonymise: the subject that the copy has instead", 0},
    AS_RECORDED_OPTION,
    {0}};
static const struct argp_option correct_options[] = {
    JSON_OPTION("one JSON object a line, the bodies that the stream carries as correction"), {0}};
static const struct argp_child correct_children[] = {{&trace_correct_argp, 0, NULL, 0}, {0}};
static const struct argp_option replay_options[] = {
    {"output", 'o', "OUT.h5", 0, "make an archive of the recording", 0},
    {"recording", KEY_RECORDING, "N", 0, "the Nth that begins in it (default: all; with -o, the first)", 0},
    {0}};
static const struct argp_option recover_options[] = {{0}};

static const struct verb verbs[] = {
    {"info", "FILE.h5", "What a trace is, and what it holds.", 1, info_options, run_info, NULL},
    {"verify", "FILE.h5", "Proves digest, account of samples, and every number again.", 1, verify_options, run_verify, NULL},
    {"reps", "FILE.h5", "Computes the repetitions of a trace again.", 1, reps_options, run_reps, NULL},
    {"asymmetry", "FILE.h5 [MORE.h5 ...]",
     "Left against right, computed again: each trace, then from session to session in the order given.", UINT32_MAX,
     asymmetry_options, run_asymmetry, NULL},
    {"import", "IN.csv -o OUT.h5",
     "Makes a sealed trace of a CSV.\vThe first line of IN.csv names its columns: t_s (seconds) first, then one column per "
     "cell, [PLATE.]NAME_N in newtons or [PLATE.]NAME_counts in counts.",
     1, import_options, run_import, NULL},
    {"export", "FILE.h5 --format csv|json|h5 -o OUT", "Writes a trace as CSV, as JSON or as another archive.", 1,
     export_options, run_export, NULL},
    {"correct", "FILE.h5 --set N --side left ...",
     "Puts right what was said of a sealed trace.\vWhat was entered first stays in the file, and so do its samples and its "
     "digest. "
     "Several corrections can be made at once.",
     1, correct_options, run_correct, correct_children},
    {"replay", "FILE.wire",
     "Feeds a capture through the core again.\vPrints every event (phase, rep, set, asymmetry, mark): its topic, a space, its "
     "body, the same bytes as live.",
     1, replay_options, run_replay, NULL},
    {"recover", "PATH",
     "Seals what a dead daemon left.\vPATH is an unsealed archive (.h5), its journal (.journal) or its ring (.ring).", 1,
     recover_options, run_recover, NULL},
    {0}};

static void take_scale(char *arg, struct args *a, struct argp_state *state)
{
    char *equals = strrchr(arg, '='), *end;
    double v = equals ? strtod(equals + 1, &end) : 0;
    if (!equals || equals == arg || end == equals + 1 || *end || !isfinite(v) || v == 0)
        argp_error(state, "--scale %s: write COLUMN=N_PER_COUNT, a number that is not 0", arg);
    if (a->import.scales == TRACE_MAX_COLUMNS) argp_error(state, "--scale: more than %d", TRACE_MAX_COLUMNS);
    *equals = '\0';
    a->scale[a->import.scales++] = (struct trace_scale){arg, v};
}

static void take_plate_size(const char *arg, struct args *a, struct argp_state *state)
{
    int used = 0;
    if (sscanf(arg, "%lfx%lf%n", &a->import.width_mm, &a->import.length_mm, &used) != 2 || arg[used] ||
        !(a->import.width_mm > 0) || !(a->import.length_mm > 0) || !(a->import.width_mm <= 10000) ||
        !(a->import.length_mm <= 10000))
        argp_error(state, "--plate-size %s: write WIDTHxLENGTH in mm, e.g. 400x600", arg);
}

static void take_recording(const char *arg, struct args *a, struct argp_state *state)
{
    char *end;
    const unsigned long n = strtoul(arg, &end, 10);
    if (*arg < '0' || *arg > '9' || *end || n < 1 || n > UINT32_MAX)
        argp_error(state, "--recording %s: a number from 1 on", arg);
    a->wire.wanted = (unsigned)n;
}

static void take_format(const char *arg, struct args *a, struct argp_state *state)
{
    static const char *const formats[] = {[TRACE_CSV] = "csv", [TRACE_JSON] = "json", [TRACE_H5] = "h5"};
    a->format = arg;
    for (enum trace_format i = TRACE_CSV; i <= TRACE_H5; i++)
        if (strcmp(arg, formats[i]) == 0) {
            a->export.format = i;
            return;
        }
    argp_error(state, "--format %s: csv, json or h5", arg);
}

static void check_args(struct args *a, struct argp_state *state)
{
    bool import = a->verb->run == run_import, export = a->verb->run == run_export;
    if (a->files == 0) argp_error(state, "say %s", a->verb->args_doc);
    if ((import && !a->import.out) || (export && !a->export.out)) argp_error(state, "say where to: -o OUT");
    if (export && !a->format) argp_error(state, "say --format csv, json or h5");
    if (export && a->export.format != TRACE_CSV && (a->export.counts || a->export.plate))
        argp_error(state, "--counts and --plate are for --format csv");
    if (export && a->export.format == TRACE_H5 && (strcmp(a->export.out, "-") == 0 || a->truth == TRACE_AS_RECORDED))
        argp_error(state, "--format h5 goes into a file, with corrections and what was corrected");
    if (export && a->export.pseudonym && !(a->export.format == TRACE_H5 && a->export.anonymise))
        argp_error(state, "--pseudonym is for --format h5 with --anonymise");
    if (a->wire.out && a->wire.wanted == 0) a->wire.wanted = 1;
    if (a->stored + a->follow + a->all > 1) argp_error(state, "--stored, --follow and --all: use one of the three");
    if (a->verb->run == run_correct && a->correct.to.marks == 0)
        argp_error(state, "say what to correct, e.g. --set 2 --side left");
}

static error_t parse_verb(int key, char *arg, struct argp_state *state)
{
    struct args *a = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        if (a->verb->more) state->child_inputs[0] = &a->correct;
        break;
    case KEY_AS_RECORDED:
        a->truth = a->export.truth = TRACE_AS_RECORDED;
        break;
    case KEY_JSON:
        a->json = true;
        break;
    case KEY_STORED:
        a->stored = true;
        break;
    case KEY_FOLLOW:
        a->follow = true;
        break;
    case KEY_ALL:
        a->all = true;
        break;
    case KEY_METRIC:
        a->metric = arg;
        break;
    case KEY_FORMAT:
        take_format(arg, a, state);
        break;
    case KEY_COUNTS:
        a->export.counts = true;
        break;
    case KEY_PLATE:
        a->export.plate = arg;
        break;
    case 'o':
        a->import.out = a->export.out = a->wire.out = arg;
        break;
    case KEY_ANONYMISE:
        a->export.anonymise = true;
        break;
    case KEY_PSEUDONYM:
        if (!*arg || strlen(arg) >= PLATE_TEXT_SIZE) argp_error(state, "--pseudonym: up to %d bytes", PLATE_TEXT_SIZE - 1);
        a->export.pseudonym = arg;
        break;
    case KEY_RECORDING:
        take_recording(arg, a, state);
        break;
    case KEY_MARKS:
        a->import.marks = arg;
        break;
    case 'c':
        a->import.config = arg;
        break;
    case KEY_SCALE:
        take_scale(arg, a, state);
        break;
    case KEY_EXERCISE:
        if (!*arg || strlen(arg) >= PLATE_TEXT_SIZE)
            argp_error(state, "--exercise: a name of up to %d bytes", PLATE_TEXT_SIZE - 1);
        a->import.exercise = arg;
        break;
    case KEY_PLATE_SIZE:
        take_plate_size(arg, a, state);
        break;
    case KEY_ALLOW_TRUNCATED:
        a->import.allow_truncated = true;
        break;
    case KEY_FORCE:
        a->import.force = true;
        break;
    case ARGP_KEY_ARG:
        if (a->files == a->verb->files_max) argp_error(state, "one file at a time: %s is one too many", arg);
        a->file[a->files++] = arg;
        break;
    case ARGP_KEY_END:
        check_args(a, state);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static int run_verb(const struct verb *v, int argc, char **argv)
{
    char name[64];
    struct args *a = calloc(1, sizeof *a);
    if (!a || !(a->file = calloc((size_t)argc, sizeof *a->file))) {
        free(a);
        return complain("not enough memory");
    }
    a->verb = v;
    a->import.width_mm = 400;
    a->import.length_mm = 600;
    snprintf(name, sizeof name, "plate-trace %s", v->name);
    argv[0] = name;
    const struct argp argp = {v->options, parse_verb, v->args_doc, v->doc, v->more, NULL, NULL};
    argp_parse(&argp, argc, argv, 0, NULL, a);
    trace_guard(a->file[0]);
    int rc = v->run(a);
    if (fflush(stdout) || ferror(stdout)) rc = complain("standard output: %s", strerror(errno));
    free(a->file);
    free(a);
    return rc;
}

struct command {
    const struct verb *verb;
    int at; /* of the verb in argv */
};

static error_t parse_command(int key, char *arg, struct argp_state *state)
{
    struct command *c = state->input;
    if (key == ARGP_KEY_ARG) {
        for (const struct verb *v = verbs; v->name; v++)
            if (!strcmp(v->name, arg)) c->verb = v;
        if (!c->verb) argp_error(state, "no verb %s", arg);
        c->at = state->next - 1;
        state->next = state->argc; /* the rest is the verb's */
    } else if (key == ARGP_KEY_NO_ARGS) {
        argp_error(state, "say what to do");
    } else {
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

static char *list_verbs(int key, const char *text, void *input)
{
    (void)input;
    if (key != ARGP_KEY_HELP_POST_DOC) return (char *)text;
    char *list = NULL;
    size_t n = 0;
    FILE *f = open_memstream(&list, &n);
    if (!f) return (char *)text;
    fprintf(f, "Verbs (plate-trace VERB --help says more):\n");
    for (const struct verb *v = verbs; v->name; v++) argument_print_verb(f, v->name, v->doc);
    fclose(f);
    return list;
}

static void print_version(FILE *stream, struct argp_state *state)
{
    (void)state;
    fprintf(stream, "plate-trace %s\n", plate_version());
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        NULL,       parse_command, "VERB [ARG...]", "Works on traces of plated: what the daemon does, offline.\v", NULL,
        list_verbs, NULL};
    struct command command = {0};
    argp_err_exit_status = 2;
    argp_program_version_hook = print_version;
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &command);
    return run_verb(command.verb, argc - command.at, argv + command.at);
}
