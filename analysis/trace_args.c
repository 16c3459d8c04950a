#include "trace_args.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

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
     "t_s,kind,value: side, exercise, involved, warmup, subject, load_kg, body_mass_kg, note, set_end", 0},
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

const struct verb trace_verbs[] = {
    {"info", "FILE.h5", "What a trace is, and what it holds.", 1, info_options, trace_run_info, NULL},
    {"verify", "FILE.h5", "Proves digest, account of samples, and every number again.", 1, verify_options, trace_run_verify,
     NULL},
    {"reps", "FILE.h5", "Computes the repetitions of a trace again.", 1, reps_options, trace_run_reps, NULL},
    {"asymmetry", "FILE.h5 [MORE.h5 ...]",
     "Left against right, computed again: each trace, then from session to session in the order given.", UINT32_MAX,
     asymmetry_options, trace_run_asymmetry, NULL},
    {"import", "IN.csv -o OUT.h5",
     "Makes a sealed trace of a CSV.\vThe first line of IN.csv names its columns: t_s (seconds) first, then one column per "
     "cell, [PLATE.]NAME_N in newtons or [PLATE.]NAME_counts in counts.",
     1, import_options, trace_run_import, NULL},
    {"export", "FILE.h5 --format csv|json|h5 -o OUT", "Writes a trace as CSV, as JSON or as another archive.", 1,
     export_options, trace_run_export, NULL},
    {"correct", "FILE.h5 --set N --side left ...",
     "Puts right what was said of a sealed trace.\vWhat was entered first stays in the file, and so do its samples and its "
     "digest. "
     "Several corrections can be made at once.",
     1, correct_options, trace_run_correct, correct_children},
    {"replay", "FILE.wire",
     "Feeds a capture through the core again.\vPrints every event (phase, rep, set, asymmetry, mark): its topic, a space, its "
     "body, the same bytes as live.",
     1, replay_options, trace_run_replay, NULL},
    {"recover", "PATH",
     "Seals what a dead daemon left.\vPATH is an unsealed archive (.h5), its journal (.journal) or its ring (.ring).", 1,
     recover_options, trace_run_recover, NULL},
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
    a->import.size_said = true;
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
    bool import = a->verb->run == trace_run_import, export = a->verb->run == trace_run_export;
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
    if (a->verb->run == trace_run_correct && a->correct.to.marks == 0)
        argp_error(state, "say what to correct, e.g. --set 2 --side left");
}

error_t trace_args_parse(int key, char *arg, struct argp_state *state)
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
