#include "config_schema.h"
#include <ctype.h>
#include <cyaml/cyaml.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define SECTION_MAX 32 /* keys of the largest section */

/* ---- where a key stands ---- */

static unsigned node_line(const yaml_node_t *node) { return (unsigned)node->start_mark.line + 1; }

/* The value of `key`, and the line of the key itself. */
static const yaml_node_t *map_find(yaml_document_t *d, const yaml_node_t *map, const char *key, size_t n, unsigned *ret_line)
{
    if (map->type != YAML_MAPPING_NODE) return NULL;
    for (yaml_node_pair_t *pair = map->data.mapping.pairs.start; pair < map->data.mapping.pairs.top; pair++) {
        const yaml_node_t *k = yaml_document_get_node(d, pair->key);
        if (k->type != YAML_SCALAR_NODE || k->data.scalar.length != n || memcmp(k->data.scalar.value, key, n) != 0) continue;
        *ret_line = node_line(k);
        return yaml_document_get_node(d, pair->value);
    }
    return NULL;
}

static const yaml_node_t *list_find(yaml_document_t *d, const yaml_node_t *list, unsigned long index)
{
    if (list->type != YAML_SEQUENCE_NODE) return NULL;
    const yaml_node_item_t *items = list->data.sequence.items.start;
    if (index >= (size_t)(list->data.sequence.items.top - items)) return NULL;
    return yaml_document_get_node(d, items[index]);
}

/* The value at `path`, NULL if there is none; the line of the innermost part of it that is there, 0: the file is empty. */
static const yaml_node_t *find(const struct config_source *src, const char *path, unsigned *ret_line)
{
    yaml_document_t *d = (yaml_document_t *)&src->document; /* libyaml's getters take no const; they change nothing */
    const yaml_node_t *node = src->has_document ? yaml_document_get_root_node(d) : NULL;
    *ret_line = node ? node_line(node) : 0;
    while (node && *path) {
        if (*path == '[') {
            char *end;
            node = list_find(d, node, strtoul(path + 1, &end, 10));
            if (node) *ret_line = node_line(node);
            path = end + (*end == ']');
        } else {
            path += *path == '.';
            const size_t n = strcspn(path, ".[");
            node = map_find(d, node, path, n, ret_line);
            path += n;
        }
    }
    return node;
}

static unsigned line_of(const struct config_source *src, const char *path)
{
    unsigned line;
    find(src, path, &line);
    return line;
}

static void say(const struct config_source *src, unsigned line, const char *path, const char *fmt, va_list args)
{
    char *text = src->error->text;
    const size_t size = sizeof src->error->text;
    size_t n = 0;
#define ADD(...) n += (size_t)snprintf(text + n, size - n, __VA_ARGS__), n = n < size ? n : size - 1
    ADD("%.200s:", src->name);
    if (line) ADD("%u:", line);
    ADD(" ");
    if (*path) ADD("%s: ", path);
#undef ADD
    vsnprintf(text + n, size - n, fmt, args);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = '?'; /* one line, whatever the file holds */
}

__attribute__((format(printf, 4, 5))) static int fail_at(const struct config_source *src, unsigned line, const char *path,
                                                         const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(src, line, path, fmt, args);
    va_end(args);
    return -EINVAL;
}

int config_fail(const struct config_source *src, const char *path, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    say(src, line_of(src, path), path, fmt, args);
    va_end(args);
    return -EINVAL;
}

/* ---- libyaml: syntax and positions ---- */

static int parser_fail(const struct config_source *src, const yaml_parser_t *p)
{
    if (p->error == YAML_MEMORY_ERROR) return -ENOMEM;
    if (p->error == YAML_READER_ERROR)
        return fail_at(src, 0, "", "not readable text at byte %zu (%s), save the file as UTF-8", p->problem_offset, p->problem);
    return fail_at(src, (unsigned)p->problem_mark.line + 1, "", "not YAML: %s%s%s, check indentation, quotes and brackets",
                   p->problem, p->context ? " " : "", p->context ? p->context : "");
}

/* libcyaml would cut a string at a NUL, and pass over a second document with a warning. */
static int document_check(struct config_source *src, yaml_parser_t *parser)
{
    for (yaml_node_t *node = src->document.nodes.start; node < src->document.nodes.top; node++)
        if (node->type == YAML_SCALAR_NODE && memchr(node->data.scalar.value, 0, node->data.scalar.length))
            return fail_at(src, node_line(node), "", "a text holds a NUL character, remove it");
    if (!yaml_document_get_root_node(&src->document)) return 0;
    yaml_document_t second;
    if (!yaml_parser_load(parser, &second)) return parser_fail(src, parser);
    yaml_node_t *root = yaml_document_get_root_node(&second);
    int r = root ? fail_at(src, node_line(root), "", "a second document (after ---), keep one document in a file") : 0;
    yaml_document_delete(&second);
    return r;
}

static int document_load(struct config_source *src, const char *text, size_t n)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser)) return -ENOMEM;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
    int r = 0;
    src->has_document = yaml_parser_load(&parser, &src->document);
    r = src->has_document ? document_check(src, &parser) : parser_fail(src, &parser);
    yaml_parser_delete(&parser);
    return r;
}

/* ---- libcyaml: shape ---- */

/* The table as libcyaml's schema: every key optional, every scalar a string; what a value must be is checked after. */
struct config_schema {
    cyaml_schema_value_t entry[CONFIG_SECTIONS], top, text;
    cyaml_schema_field_t fields[CONFIG_SECTIONS][SECTION_MAX + 1];
};

static unsigned slots_of(enum config_section section)
{
    unsigned n;
    config_section_keys(section, &n);
    return n;
}

static void schema_field(const struct config_schema *s, const struct config_key *k, unsigned index, cyaml_schema_field_t *f)
{
    const size_t slot = sizeof(struct config_slot) * index;
    f->key = k->name;
    f->data_offset = (uint32_t)(slot + offsetof(struct config_slot, p));
    f->count_offset = (uint32_t)(slot + offsetof(struct config_slot, n));
    f->count_size = sizeof(unsigned);
    /* `subject: null` is a subject of that name; `filter:` and `load_kg: ~` say nothing. */
    const bool text = k->kind == CONFIG_TEXT || k->kind == CONFIG_NAME;
    f->value = s->text;
    f->value.flags = (text ? CYAML_FLAG_POINTER_NULL : CYAML_FLAG_POINTER_NULL_STR) | CYAML_FLAG_OPTIONAL;
    if (k->kind == CONFIG_MAP) {
        f->value.type = CYAML_MAPPING;
        f->value.data_size = s->entry[k->of].data_size;
        f->value.mapping.fields = s->fields[k->of];
    } else if (k->kind == CONFIG_LIST || k->kind == CONFIG_ROW || k->kind == CONFIG_WORDS) {
        f->value.type = CYAML_SEQUENCE;
        f->value.data_size = k->kind == CONFIG_LIST ? s->entry[k->of].data_size : (uint32_t)sizeof(char *);
        f->value.sequence.entry = k->kind == CONFIG_LIST ? &s->entry[k->of] : &s->text;
        f->value.sequence.min = 0;
        f->value.sequence.max = k->kind == CONFIG_ROW ? PLATE_MAX_CELLS : (uint32_t)k->max;
    }
}

static struct config_schema *schema_new(bool is_protocol)
{
    struct config_schema *s = calloc(1, sizeof *s);
    if (!s) return NULL;
    s->text = (cyaml_schema_value_t){
        .type = CYAML_STRING, .flags = CYAML_FLAG_POINTER, .data_size = 1, .string = {.min = 0, .max = CYAML_UNLIMITED}};
    for (unsigned section = 0; section < CONFIG_SECTIONS; section++)
        s->entry[section] = (cyaml_schema_value_t){.type = CYAML_MAPPING,
                                                   .data_size = (uint32_t)(sizeof(struct config_slot) * slots_of(section)),
                                                   .mapping = {.fields = s->fields[section]}};
    for (unsigned section = 0; section < CONFIG_SECTIONS; section++) {
        unsigned n, used = 0;
        const struct config_key *keys = config_section_keys(section, &n);
        for (unsigned i = 0; i < n && used < SECTION_MAX; i++)
            if (!is_protocol || keys[i].in_protocol) schema_field(s, &keys[i], i, &s->fields[section][used++]);
    }
    s->top = s->entry[CONFIG_TOP];
    s->top.flags = CYAML_FLAG_POINTER_NULL;
    return s;
}

/* What libcyaml's log says of an error: a message, then the way to it from the inside out. */
struct complaint {
    char message[256];
    unsigned line;
    unsigned steps;
    struct {
        char key[64]; /* "": an entry of a list */
        unsigned index;
    } step[12];
};

static void complaint_log(cyaml_log_t level, void *user, const char *fmt, va_list args)
{
    struct complaint *c = user;
    char text[256];
    vsnprintf(text, sizeof text, fmt, args);
    if (level != CYAML_LOG_ERROR || strncmp(text, "Load: Backtrace", 15) == 0) return;
    char key[64] = "";
    unsigned index = 0, line = 0;
    if (strncmp(text, "Load: ", 6) == 0) {
        const size_t n = strlen(text);
        if (text[n - 1] == '\n') text[n - 1] = 0;
        memcpy(c->message, text + 6, n - 5);
        return;
    }
    const bool in_map = sscanf(text, " in mapping (line: %u", &line) == 1;
    if (!in_map && sscanf(text, " in mapping field '%63[^']' (line: %u", key, &line) != 2 &&
        sscanf(text, " in sequence entry '%u' (line: %u", &index, &line) != 2)
        return;
    if (!c->line) c->line = line;
    if (in_map || c->steps == sizeof c->step / sizeof *c->step) return;
    memcpy(c->step[c->steps].key, key, sizeof key);
    c->step[c->steps++].index = index ? index - 1 : 0; /* libcyaml counts entries from 1 */
}

static enum config_section complaint_path(const struct complaint *c, char path[CONFIG_PATH_SIZE])
{
    enum config_section section = CONFIG_TOP;
    size_t n = 0;
    path[0] = 0;
    for (unsigned i = c->steps; i--;) {
        const char *key = c->step[i].key;
        n += (size_t)(*key ? snprintf(path + n, CONFIG_PATH_SIZE - n, "%s%s", n ? "." : "", key)
                           : snprintf(path + n, CONFIG_PATH_SIZE - n, "[%u]", c->step[i].index));
        if (n >= CONFIG_PATH_SIZE) n = CONFIG_PATH_SIZE - 1;
        unsigned count;
        const struct config_key *keys = config_section_keys(section, &count);
        for (unsigned k = 0; *key && k < count; k++)
            if (strcmp(keys[k].name, key) == 0 && keys[k].of) section = keys[k].of;
    }
    return section;
}

/* ---- what was meant ---- */

static unsigned distance(const char *a, const char *b)
{
    enum { LENGTH = 40 };
    unsigned row[LENGTH + 1];
    const size_t n = strlen(b);
    if (n > LENGTH || strlen(a) > LENGTH) return LENGTH;
    for (unsigned j = 0; j <= n; j++) row[j] = j;
    for (unsigned i = 1; *a; a++, i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= n; j++) {
            const unsigned same = diagonal + (tolower((unsigned char)*a) != tolower((unsigned char)b[j - 1]));
            diagonal = row[j];
            const unsigned step = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            row[j] = same < step ? same : step;
        }
    }
    return row[n];
}

static int unknown_key(const struct config_source *src, const char *where, enum config_section section, const char *key)
{
    char path[CONFIG_PATH_SIZE + 80];
    unsigned line;
    const yaml_node_t *map = find(src, where, &line);
    if (map) map_find((yaml_document_t *)&src->document, map, key, strlen(key), &line);
    snprintf(path, sizeof path, "%s%s%.64s", where, *where ? "." : "", key);
    const struct config_key *nearest = NULL, *elsewhere = NULL;
    unsigned best = (unsigned)strlen(key) / 3 + 1;
    for (const struct config_key *k = config_keys; k->name; k++) {
        const unsigned d = distance(key, k->name);
        if (k->section == section && d <= best && (k->in_protocol || !src->is_protocol)) {
            nearest = k;
            best = d ? d - 1 : 0;
        }
        if (d == 0 && !elsewhere) elsewhere = k;
    }
    if (nearest) return fail_at(src, line, path, "no such key, did you mean %s?", nearest->name);
    if (elsewhere && src->is_protocol && !elsewhere->in_protocol)
        return fail_at(src, line, path, "does not belong into a protocol, write it in the configuration that names this file");
    if (elsewhere)
        return fail_at(src, line, path, "does not belong here, write it as %s%s", config_section_prefix(elsewhere->section),
                       elsewhere->name);
    return fail_at(src, line, path, "no such key, remove it (docs/configuration.md lists all)");
}

static const char *shape_name(const char *message)
{
    if (strncmp(message, "Expecting MAPPING", 17) == 0) return "keys with values below it (KEY: VALUE)";
    if (strncmp(message, "Expecting SEQUENCE", 18) == 0) return "a list below it (one `- ` for each entry, or [a, b])";
    return "a single value";
}

static int shape_fail(const struct config_source *src, cyaml_err_t err, const struct complaint *c)
{
    char path[CONFIG_PATH_SIZE];
    const enum config_section section = complaint_path(c, path);
    const unsigned line = c->line ? c->line : line_of(src, "");
    unsigned max;
    switch (err) {
    case CYAML_ERR_OOM:
        return -ENOMEM;
    case CYAML_ERR_ALIAS:
        return fail_at(src, line, path, "aliases (*NAME) are not supported, write the value out");
    case CYAML_ERR_INVALID_KEY:
        if (strncmp(c->message, "Unexpected key: ", 16) == 0) return unknown_key(src, path, section, c->message + 16);
        break;
    case CYAML_ERR_SEQUENCE_ENTRIES_MAX:
        if (strrchr(path, '[')) *strrchr(path, '[') = 0;
        if (sscanf(c->message, "Excessive entries (%u", &max) == 1)
            return fail_at(src, line, path, "too many entries, give at most %u", max);
        break;
    case CYAML_ERR_UNEXPECTED_EVENT:
        if (strncmp(c->message, "Mapping field already", 21) == 0) return fail_at(src, line, path, "given twice, remove one");
        break;
    default:
        if (strncmp(c->message, "Expecting ", 10) == 0) return fail_at(src, line, path, "expected %s", shape_name(c->message));
        break;
    }
    return fail_at(src, line, path, "not understood (%s), keep to the form of docs/configuration.md",
                   *c->message ? c->message : cyaml_strerror(err));
}

static cyaml_config_t cyaml_settings(struct complaint *c)
{
    return (cyaml_config_t){.log_fn = c ? complaint_log : NULL,
                            .log_ctx = c,
                            .mem_fn = cyaml_mem,
                            .log_level = CYAML_LOG_ERROR,
                            .flags = CYAML_CFG_NO_ALIAS};
}

int config_source_read(struct config_source *src, const char *text, size_t n)
{
    int r = document_load(src, text, n);
    if (r < 0) return r;
    src->schema = schema_new(src->is_protocol);
    if (!src->schema) return -ENOMEM;
    struct complaint c = {.line = 0};
    const cyaml_config_t settings = cyaml_settings(&c);
    cyaml_data_t *slots = NULL;
    const cyaml_err_t err = cyaml_load_data((const uint8_t *)text, n, &settings, &src->schema->top, &slots, NULL);
    if (err != CYAML_OK) return shape_fail(src, err, &c);
    src->slots = slots;
    return 0;
}

void config_source_done(struct config_source *src)
{
    const cyaml_config_t settings = cyaml_settings(NULL);
    if (src->slots) cyaml_free(&settings, &src->schema->top, src->slots, 0);
    free(src->schema);
    if (src->has_document) yaml_document_delete(&src->document);
}
