/* app/config_schema.h - the table of keys, and what the files of the configuration share. Private to config*.c and their
 * tests. Any thread; no global state.
 *
 *   text ─► libyaml: syntax, positions ─► libcyaml: shape, unknown keys ─► slots
 *        ─► config_value.c: values ─► config_check.c: what no single key can tell
 *
 * A slot holds a key's value as text, as it stands in the file. libcyaml is not asked for numbers: its own take any
 * prefix of a number, follow the locale, and leave 0 for a key that is not there. */
#pragma once
#include "config.h"
#include <yaml.h>

enum config_section {
    CONFIG_TOP,
    CONFIG_FILTER,
    CONFIG_ASYMMETRY,
    CONFIG_STREAM,
    CONFIG_TARGETS,
    CONFIG_PLATE,
    CONFIG_CELL,
    CONFIG_MATRIX,
    CONFIG_CSV,
    CONFIG_SECTIONS
};
enum config_kind {
    CONFIG_TEXT,   /* char *; min..max bytes, printable UTF-8 */
    CONFIG_NAME,   /* char *; plate_name_valid() */
    CONFIG_NUMBER, /* double */
    CONFIG_WHOLE,  /* unsigned */
    CONFIG_BOOL,   /* bool */
    CONFIG_WORD,   /* one of `words`; char, unsigned (an enum) or double, by `size` */
    CONFIG_MAP,    /* section `of`, whose offsets are those of the same struct */
    CONFIG_LIST,   /* min..max structs of section `of`: pointer at `offset`, count at `count_offset`, `size` of one */
    CONFIG_ROW,    /* struct config_row */
    CONFIG_WORDS,  /* struct config_words: up to max of `words` */
};
struct config_word {
    const char *name;
    double value;
};
struct config_key {
    enum config_section section;
    const char *name;
    enum config_kind kind;
    size_t offset, size, count_offset; /* in struct config, config_plate or config_cell */
    const char *fallback;              /* as it would stand in the file; "": none (NaN, empty); NULL: the key is required */
    double min, max;
    const struct config_word *words; /* closed by a NULL name */
    enum config_section of;
    bool in_protocol; /* a protocol file may say it too */
    const char *unit, *help;
};
extern const struct config_key config_keys[]; /* grouped by section; closed by a NULL name */

/* The keys of a section, and how many. */
const struct config_key *config_section_keys(enum config_section section, unsigned *ret_count);
/* "plates[].cells[]." and the like: what stands before the section's keys; "" for the top. */
const char *config_section_prefix(enum config_section section);

struct config_slot {
    void *p;    /* NULL: not given; char *; MAP, LIST: slots of the section, entry by entry; ROW: char *[n] */
    unsigned n; /* LIST, ROW: entries */
};

/* The key of that name in the section, which has it; its slot. */
const struct config_key *config_key_of(enum config_section section, const char *name);
struct config_slot *config_slot_of(enum config_section section, struct config_slot *slots, const char *key);

#define CONFIG_PATH_SIZE 160 /* "plates[0].cells[1].gain" and the like */

struct config_schema;
/* A file while it is being read. */
struct config_source {
    const char *name;
    struct config_error *error;
    yaml_document_t document;
    bool has_document;
    struct config_schema *schema;
    struct config_slot *slots; /* of CONFIG_TOP; NULL if the file says nothing */
    bool is_protocol;
};
/* Text to slots: 0, -EINVAL with src->error filled, -ENOMEM. src: name, error and is_protocol filled by the caller. */
int config_source_read(struct config_source *src, const char *text, size_t n);
void config_source_done(struct config_source *src);
/* Fills src->error with the line of `path` ("plates[0].port"; "" for none) and returns -EINVAL. */
__attribute__((format(printf, 3, 4))) int config_fail(const struct config_source *src, const char *path, const char *fmt, ...);

/* config_value.c: slots to values; slots NULL: the defaults. What was taken before a failure stays in base, for
 * config_section_done. */
int config_section_take(const struct config_source *src, enum config_section section, const struct config_slot *slots,
                        void *base, const char *path);
void config_section_done(enum config_section section, char *base);

/* config_check.c: completes what follows from other keys, then says what no single key can tell: 0, or -EINVAL with the error.
 */
int config_check(const struct config_source *src, struct config *c);
/* Where a cell stands: as it was given, or in the corner that its name says. */
void config_cell_place(const struct config_plate *p, const struct config_cell *cell, struct plate_cell *ret);
/* Row Fx Fy Fz Mx My Mz, 0 to 5. */
const struct config_row *config_matrix_row(const struct config_plate *p, unsigned i);

/* config_merge.c: takes in what the files say that src names, before its values are taken. */
int config_merge(struct config_source *src, const char *folder_of);
int config_file_read(const char *path, char **ret, size_t *ret_n); /* at most CONFIG_MAX_BYTES; -errno */
int config_file_fail(const struct config_source *src, int r);      /* says what reading failed with; r */

/* A malloced YAML text of everything that c holds, or NULL (out of memory). */
char *config_to_text(const struct config *c);
