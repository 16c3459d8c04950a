/* tools/arguments.h - what platectl and plate-trace are told on the command line, checked. Each function takes the name of the
 * option as it was written ("--set"; "" for an argument that has none), and ends the program with the parser's usage error
 * if the text will not do. */
#pragma once
#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

double argument_number(struct argp_state *state, const char *option, const char *text, double least, double most);
/* Up to PLATE_KG_MOST, digits and a point only: it may become the text of a mark. */
double argument_kg(struct argp_state *state, const char *option, const char *text, double least);
double argument_whole(struct argp_state *state, const char *option, const char *text, double least, double most);
int argument_count(struct argp_state *state, const char *option, const char *text); /* of a set or a rep, from 1 */
const char *argument_side(struct argp_state *state, const char *option, const char *text, bool both);
const char *argument_text(struct argp_state *state, const char *option, const char *text, size_t size); /* 1 to size-1 bytes */

/* A verb in --help: its name and the first sentence of its doc, wrapped. */
void argument_print_verb(FILE *file, const char *name, const char *doc);
