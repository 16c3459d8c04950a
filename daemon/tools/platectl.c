/* platectl - asks the daemon, tells it what to do, and watches its stream. */
#include "platectl.h"
#include "arguments.h"
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Stops at the verb: what follows is the verb's. */
static error_t parse_main(int key, char *text, struct argp_state *state)
{
    struct call *c = state->input;

    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = c;
        break;
    case ARGP_KEY_ARG:
        for (const struct verb *v = verbs; v->name; v++)
            if (!strcmp(v->name, text)) c->verb = v;
        if (!c->verb) argp_error(state, "%s: no such verb; see --help", text);
        c->rest = state->next - 1;
        state->next = state->argc;
        break;
    case ARGP_KEY_NO_ARGS:
        argp_error(state, "a verb is missing; see --help");
        break;
    default:
        return ARGP_ERR_UNKNOWN;
    }
    return 0;
}

const char *argp_program_version = "platectl " PLATE_VERSION;

static char *list_verbs(int key, const char *text, void *input)
{
    char *list = NULL;
    size_t n = 0;
    FILE *f = key == ARGP_KEY_HELP_POST_DOC ? open_memstream(&list, &n) : NULL;

    (void)input;
    if (!f) return (char *)(uintptr_t)text;
    fputs("Verbs (platectl VERB --help has the options of each):\n", f);
    for (const struct verb *v = verbs; v->name; v++) argument_print_verb(f, v->name, v->doc);
    fputs("\nExit status: 0 done, 1 the daemon says no or does not answer, 2 usage.", f);
    fclose(f);
    return list;
}

int main(int argc, char **argv)
{
    static const struct argp_child children[] = {{&common_argp, 0, "", 0}, {0}};
    const struct argp main_argp = {NULL,
                                   parse_main,
                                   "VERB [ARGUMENT...]",
                                   "Asks the force-plate daemon, tells it what to do, watches its stream.\v",
                                   children,
                                   list_verbs,
                                   NULL};
    struct call c = {.timeout_s = 2,
                     .params = json_object(),
                     .watch = {.tempo = {{NAN, NAN, NAN, NAN}}},
                     .calibrate = {.gravity = 9.80665, .patience_s = 120}};
    char name[64];
    int r;

    argp_err_exit_status = EXIT_USAGE;
    argp_parse(&main_argp, argc, argv, ARGP_IN_ORDER, NULL, &c);
    struct argp verb_argp = {c.verb->options, parse_verb, c.verb->args_doc, c.verb->doc, children, NULL, NULL};
    snprintf(name, sizeof name, "platectl %s", c.verb->name);
    argv[c.rest] = name;
    argp_parse(&verb_argp, argc - c.rest, argv + c.rest, 0, NULL, &c);
    r = stations_settle(&c.stations, c.verb->several, c.verb->by_data, &c.hosts);
    c.control = c.hosts.host[0].control;
    if (r == 0) r = curve_load(&c.curve, c.key, c.server_key, stations_have_keys(&c.hosts));
    if (r == 0 && c.hosts.n == 1) c.curve = curve_at(&c.curve, c.hosts.host[0].server_key);
    if (r == 0) r = c.verb->run(&c);
    keys_wipe(&c.curve.own);
    json_decref(c.params);
    if (r == 0 && (fflush(stdout) || ferror(stdout))) {
        fprintf(stderr, "platectl: standard output: %s; make room, or write elsewhere\n", strerror(errno));
        return EXIT_NO;
    }
    return r;
}
