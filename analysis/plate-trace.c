#include "arguments.h"
#include "trace_args.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int run_verb(const struct verb *v, int argc, char **argv)
{
    char name[64];
    struct args *a = calloc(1, sizeof *a);
    if (!a || !(a->file = calloc((size_t)argc, sizeof *a->file))) {
        free(a);
        return trace_complain("not enough memory");
    }
    a->verb = v;
    a->import.width_mm = 400;
    a->import.length_mm = 600;
    snprintf(name, sizeof name, "plate-trace %s", v->name);
    argv[0] = name;
    const struct argp argp = {v->options, trace_args_parse, v->args_doc, v->doc, v->more, NULL, NULL};
    argp_parse(&argp, argc, argv, 0, NULL, a);
    trace_guard(a->file[0]);
    int rc = v->run(a);
    if (fflush(stdout) || ferror(stdout)) rc = trace_complain("standard output: %s", strerror(errno));
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
        for (const struct verb *v = trace_verbs; v->name; v++)
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
    for (const struct verb *v = trace_verbs; v->name; v++) argument_print_verb(f, v->name, v->doc);
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
