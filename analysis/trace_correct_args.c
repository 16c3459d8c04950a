#include "trace_correct_args.h"
#include "arguments.h"
#include <stdio.h>
#include <string.h>

enum {
    KEY_SET = 0x1000, /* apart from those of trace_args.c */
    KEY_SIDE,
    KEY_WARMUP_SET,
    KEY_WORK_SET,
    KEY_DISCARD,
    KEY_RESTORE,
    KEY_OF_PLATE,
    KEY_INVOLVED,
    KEY_SUBJECT,
    KEY_LOAD,
    KEY_MASS,
    KEY_NOTE,
    KEY_WHO
};

static const struct argp_option options[] = {
    {"set", KEY_SET, "N", 0, "the set that --side, --discard-rep or --restore-rep means", 0},
    {"side", KEY_SIDE, "SIDE", 0, "who worked in it: left, right, both or none", 0},
    {"discard-rep", KEY_DISCARD, "N", 0, "rep N of the set does not count", 0},
    {"restore-rep", KEY_RESTORE, "N", 0, "it does count after all", 0},
    {"plate", KEY_OF_PLATE, "NAME", 0, "the rep of this plate only; without it those of all plates", 0},
    {"warmup-set", KEY_WARMUP_SET, "N", 0, "set N was a warm-up: it is not compared", 0},
    {"work-set", KEY_WORK_SET, "N", 0, "set N was none", 0},
    {"involved", KEY_INVOLVED, "SIDE", 0, "the injured or treated side: left, right or none", 0},
    {"body-mass-kg", KEY_MASS, "KG", 0, "the athlete's mass, in all of the recording", 0},
    {"load-kg", KEY_LOAD, "KG", 0, "load on the bar", 0},
    {"subject", KEY_SUBJECT, "NAME", 0, "who was on the plate", 0},
    {"note", KEY_NOTE, "TEXT", 0, "a remark; those before it stay", 0},
    {"who", KEY_WHO, "NAME", 0, "who corrects, as it stands in the trace; a code rather than a name", 0},
    {0}};

/* As it is written, for it becomes a mark. */
static const char *take_kg(struct argp_state *state, const char *option, const char *text, double least)
{
    argument_kg(state, option, text, least);
    return argument_text(state, option, text, PLATE_VALUE_SIZE);
}

static void add(struct trace_correct_args *a, const char *kind, const char *value)
{
    struct plate_mark *m = &a->to.mark[a->to.marks++];
    snprintf(m->kind, sizeof m->kind, "%s", kind);
    snprintf(m->value, sizeof m->value, "%s", value);
}

__attribute__((format(printf, 2, 3))) static void add_correction(struct trace_correct_args *a, const char *format, ...)
{
    char text[PLATE_TEXT_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    add(a, "correct", text);
}

static void add_rep(struct trace_correct_args *a, int rep, bool discarded)
{
    if (!rep) return;
    add_correction(a, "set %d rep %d discarded %s", a->set, rep, discarded ? "true" : "false");
    if (a->plate) snprintf(a->to.mark[a->to.marks - 1].plate, PLATE_NAME_SIZE, "%s", a->plate);
}

/* Called once, when all options have been read: at most one mark of each. */
static void finish(struct trace_correct_args *a, struct argp_state *state)
{
    const bool of_set = a->side || a->discard || a->restore;
    if (of_set && !a->set) argp_error(state, "say which set: --set N");
    if (a->set && !of_set) argp_error(state, "--set %d: say what of it: --side, --discard-rep or --restore-rep", a->set);
    if (a->plate && !a->discard && !a->restore) argp_error(state, "--plate goes with --discard-rep or --restore-rep");
    if (a->side) add_correction(a, "set %d side %s", a->set, a->side);
    if (a->warmup_set) add_correction(a, "set %d warmup true", a->warmup_set);
    if (a->work_set) add_correction(a, "set %d warmup false", a->work_set);
    add_rep(a, a->discard, true);
    add_rep(a, a->restore, false);
    if (a->involved) add_correction(a, "involved %s", a->involved);
    if (a->body_mass_kg) add_correction(a, "body_mass_kg %s", a->body_mass_kg);
    if (a->subject) add(a, "subject", a->subject);
    if (a->load_kg) add(a, "load_kg", a->load_kg);
    if (a->note) add(a, "note", a->note);
    if (!a->to.who) a->to.who = "";
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct trace_correct_args *a = state->input;
    switch (key) {
    case KEY_SET:
        a->set = argument_count(state, "--set", arg);
        break;
    case KEY_SIDE:
        a->side = argument_side(state, "--side", arg, true);
        break;
    case KEY_WARMUP_SET:
        a->warmup_set = argument_count(state, "--warmup-set", arg);
        break;
    case KEY_WORK_SET:
        a->work_set = argument_count(state, "--work-set", arg);
        break;
    case KEY_DISCARD:
        a->discard = argument_count(state, "--discard-rep", arg);
        break;
    case KEY_RESTORE:
        a->restore = argument_count(state, "--restore-rep", arg);
        break;
    case KEY_OF_PLATE:
        if (!plate_name_valid(arg)) argp_error(state, "--plate %s: no name of a plate", arg);
        a->plate = arg;
        break;
    case KEY_INVOLVED:
        a->involved = argument_side(state, "--involved", arg, false);
        break;
    case KEY_MASS:
        a->body_mass_kg = take_kg(state, "--body-mass-kg", arg, 1);
        break;
    case KEY_LOAD:
        a->load_kg = take_kg(state, "--load-kg", arg, 0);
        break;
    case KEY_SUBJECT:
        a->subject = argument_text(state, "--subject", arg, PLATE_TEXT_SIZE);
        break;
    case KEY_NOTE:
        a->note = argument_text(state, "--note", arg, PLATE_TEXT_SIZE);
        break;
    case KEY_WHO:
        a->to.who = argument_text(state, "--who", arg, 32);
        break;
    case ARGP_KEY_END:
        finish(a, state);
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

const struct argp trace_correct_argp = {options, parse, NULL, NULL, NULL, NULL, NULL};
