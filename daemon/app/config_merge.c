/* What other files say is taken in before the values are: the protocol, and the calibration of each plate. */
#include "config_schema.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- files ---- */

int config_file_read(const char *path, char **ret, size_t *ret_n)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) return -errno;
    char *text = malloc(CONFIG_MAX_BYTES + 1);
    size_t n = 0;
    int r = text ? 0 : -ENOMEM;
    while (r == 0 && n <= CONFIG_MAX_BYTES) {
        const ssize_t got = read(fd, text + n, CONFIG_MAX_BYTES + 1 - n);
        if (got == 0) break;
        if (got > 0) n += (size_t)got;
        if (got < 0 && errno != EINTR) r = -errno;
    }
    if (r == 0 && n > CONFIG_MAX_BYTES) r = -EFBIG;
    close(fd);
    if (r < 0) {
        free(text);
        return r;
    }
    *ret = text;
    *ret_n = n;
    return 0;
}

int config_file_fail(const struct config_source *src, int r)
{
    struct config_source nowhere = {.name = src->name, .error = src->error};
    if (r == -ENOMEM)
        config_fail(&nowhere, "", "out of memory, free some");
    else if (r == -EFBIG)
        config_fail(&nowhere, "", "larger than %u bytes, which no configuration needs, name another file", CONFIG_MAX_BYTES);
    else
        config_fail(&nowhere, "", "cannot be read: %s, name another with -c or mend its permissions", strerror(-r));
    return r;
}

/* A file that the configuration names, while it is being read. */
struct file {
    char path[4096], *text;
    struct config_source from;
};

/* `name` counts from the folder of the file that names it, at `key`. */
static int file_open(struct file *f, const struct config_source *src, const char *key, const char *folder_of, const char *name,
                     bool is_protocol)
{
    const char *slash = strrchr(folder_of, '/');
    const int folder = *name == '/' || !slash ? 0 : (int)(slash + 1 - folder_of);
    size_t size;
    *f = (struct file){.from = {.name = f->path, .error = src->error, .is_protocol = is_protocol}};
    if ((size_t)snprintf(f->path, sizeof f->path, "%.*s%s", folder, folder_of, name) >= sizeof f->path)
        return config_fail(src, key, "the path is too long, shorten it");
    int r = config_file_read(f->path, &f->text, &size);
    if (r < 0 && r != -ENOMEM) config_fail(src, key, "%s cannot be read: %s, correct the path", f->path, strerror(-r));
    return r < 0 ? r : config_source_read(&f->from, f->text, size);
}

static void file_close(struct file *f)
{
    config_source_done(&f->from);
    free(f->text);
}

/* ---- the protocol ---- */

/* What `into` does not say is taken from `from`. */
static void slots_merge(enum config_section section, struct config_slot *into, struct config_slot *from)
{
    unsigned n;
    const struct config_key *keys = config_section_keys(section, &n);
    for (unsigned i = 0; i < n; i++) {
        if (!keys[i].in_protocol || !from[i].p) continue;
        if (!into[i].p) {
            const struct config_slot given = from[i];
            from[i] = into[i];
            into[i] = given;
        } else if (keys[i].kind == CONFIG_MAP) {
            slots_merge(keys[i].of, into[i].p, from[i].p);
        }
    }
}

/* Reads the protocol that src names, checks it by itself, and fills in what src does not say. */
static int protocol_merge(struct config_source *src, const char *folder_of)
{
    const char *name = config_slot_of(CONFIG_TOP, src->slots, "protocol")->p;
    if (!name) return 0;
    struct file f;
    struct config scratch = {.text = NULL};
    int r = file_open(&f, src, "protocol", folder_of, name, true);
    if (r == 0) r = config_section_take(&f.from, CONFIG_TOP, f.from.slots, &scratch, "");
    if (r == 0 && f.from.slots) slots_merge(CONFIG_TOP, src->slots, f.from.slots);
    config_done(&scratch);
    file_close(&f);
    return r;
}

/* ---- calibrations ---- */

static void swap(struct config_slot *a, struct config_slot *b)
{
    const struct config_slot was = *a;
    *a = *b;
    *b = was;
}

/* Entry `i` of a list of section `of`. */
static struct config_slot *entry(const struct config_slot *list, enum config_section of, unsigned i)
{
    unsigned keys;
    config_section_keys(of, &keys);
    return (struct config_slot *)list->p + (size_t)keys * i;
}

static const char *text_of(enum config_section section, struct config_slot *slots, const char *key)
{
    const char *text = config_slot_of(section, slots, key)->p;
    return text ? text : "";
}

/* The entry of that name; NULL: there is none. */
static struct config_slot *named(const struct config_slot *list, enum config_section of, const char *name)
{
    for (unsigned i = 0; list->p && i < list->n; i++)
        if (strcmp(text_of(of, entry(list, of, i), "name"), name) == 0) return entry(list, of, i);
    return NULL;
}

/* Do both say the same number, row or map? What --print-config wrote names its calibration file and repeats it. */
static bool same(const struct config_key *k, const struct config_slot *a, const struct config_slot *b)
{
    if (!a->p || !b->p) return a->p == b->p;
    if (k->kind == CONFIG_NUMBER) return strtod(a->p, NULL) == strtod(b->p, NULL);
    unsigned n = a->n;
    if (k->kind == CONFIG_ROW) {
        bool all = n == b->n;
        for (unsigned i = 0; i < n && all; i++) {
            const char *x = ((char **)a->p)[i], *y = ((char **)b->p)[i];
            all = x && y && strtod(x, NULL) == strtod(y, NULL);
        }
        return all;
    }
    const struct config_key *keys = config_section_keys(k->of, &n);
    for (unsigned i = 0; i < n; i++)
        if (!same(&keys[i], (struct config_slot *)a->p + i, (struct config_slot *)b->p + i)) return false;
    return true;
}

/* A calibration says what a plate's cells are worth and nothing else; and whoever has one says it there alone. */
static int calibration_check(const struct config_source *src, const char *path, struct config_slot *plate,
                             const struct config_source *from, struct config_slot *given)
{
    static const char *const its[] = {"name", "count_scale", "surface_z_mm", "cells", "matrix"};
    char at[CONFIG_PATH_SIZE];
    unsigned n;
    const struct config_key *keys = config_section_keys(CONFIG_PLATE, &n);
    for (unsigned i = 0; i < n; i++) {
        bool known = false;
        for (unsigned k = 0; k < sizeof its / sizeof *its; k++) known |= strcmp(keys[i].name, its[k]) == 0;
        snprintf(at, sizeof at, "plates[0].%s", keys[i].name);
        if (given[i].p && !known) return config_fail(from, at, "has no place in a calibration file, remove it");
        snprintf(at, sizeof at, "%s.%s", path, keys[i].name);
        bool both = given[i].p && plate[i].p && keys[i].kind != CONFIG_NAME && keys[i].kind != CONFIG_LIST;
        if (both && !same(&keys[i], &given[i], &plate[i]))
            return config_fail(src, at, "is not what the calibration file %.60s says, remove it from one of them", from->name);
    }
    return 0;
}

static int cells_merge(const struct config_source *src, const char *path, const struct config_slot *cells,
                       const struct config_source *from, const struct config_slot *given)
{
    static const char *const its[] = {"gain", "offset"};
    for (unsigned i = 0; given->p && i < given->n; i++) {
        struct config_slot *cell = entry(given, CONFIG_CELL, i);
        const char *name = text_of(CONFIG_CELL, cell, "name");
        struct config_slot *to = named(cells, CONFIG_CELL, name);
        if (!to)
            return config_fail(src, path,
                               "has no cell '%.40s', which the calibration file %.60s speaks of, name the right file", name,
                               from->name);
        for (unsigned k = 0; k < 2; k++) {
            struct config_slot *a = config_slot_of(CONFIG_CELL, to, its[k]), *b = config_slot_of(CONFIG_CELL, cell, its[k]);
            if (a->p && b->p && !same(config_key_of(CONFIG_CELL, its[k]), a, b))
                return config_fail(src, path, "cell '%.40s' has another %s in the calibration file %.60s, remove one", name,
                                   its[k], from->name);
            if (b->p) swap(a, b);
        }
    }
    return 0;
}

/* The calibration that a plate names: the entry of its name in that file's `plates`. */
static int calibration_merge(struct config_source *src, const char *folder_of, struct config_slot *plate, const char *path)
{
    char key[CONFIG_PATH_SIZE];
    const char *name = text_of(CONFIG_PLATE, plate, "calibration");
    if (!*name) return 0;
    snprintf(key, sizeof key, "%s.calibration", path);
    struct file f;
    int r = file_open(&f, src, key, folder_of, name, false);
    struct config_slot *given = NULL;
    if (r == 0 && f.from.slots)
        given = named(config_slot_of(CONFIG_TOP, f.from.slots, "plates"), CONFIG_PLATE, text_of(CONFIG_PLATE, plate, "name"));
    if (r == 0 && !given)
        r = config_fail(src, key, "%s is not of plate %s, name the file that is", f.path, text_of(CONFIG_PLATE, plate, "name"));
    if (r == 0) r = calibration_check(src, path, plate, &f.from, given);
    if (r == 0)
        r = cells_merge(src, path, config_slot_of(CONFIG_PLATE, plate, "cells"), &f.from,
                        config_slot_of(CONFIG_PLATE, given, "cells"));
    static const char *const whole[] = {"count_scale", "surface_z_mm", "matrix"};
    for (unsigned i = 0; r == 0 && i < sizeof whole / sizeof *whole; i++) {
        struct config_slot *from = config_slot_of(CONFIG_PLATE, given, whole[i]);
        if (from->p) swap(config_slot_of(CONFIG_PLATE, plate, whole[i]), from);
    }
    file_close(&f);
    return r;
}

int config_merge(struct config_source *src, const char *folder_of)
{
    if (!src->slots) return 0;
    int r = protocol_merge(src, folder_of);
    const struct config_slot *plates = config_slot_of(CONFIG_TOP, src->slots, "plates");
    for (unsigned i = 0; r == 0 && plates->p && i < plates->n; i++) {
        char path[CONFIG_PATH_SIZE];
        snprintf(path, sizeof path, "plates[%u]", i);
        r = calibration_merge(src, folder_of, entry(plates, CONFIG_PLATE, i), path);
    }
    return r;
}
