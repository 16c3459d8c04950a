#include "config.h"
#include "config_schema.h"
#include "endpoint.h"
#include "plate/asymmetry.h"
#include "port_find.h"
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATH_SIZE 160
#define RAW_COUNT_SCALE 0.01 /* of a device that does not say what a count is */

/* ---- one value ---- */

/* Why a text is not the value that its key wants; "" while it is. */
struct reason {
    char text[256];
};
#define REASON(...) (snprintf(why->text, sizeof why->text, __VA_ARGS__), -EINVAL)

static const char *unit_of(const struct config_key *k, char buffer[24])
{
    snprintf(buffer, 24, *k->unit ? " %s" : "%s", k->unit);
    return buffer;
}

static int number_take(const struct config_key *k, const char *text, double *ret, struct reason *why)
{
    double v;
    char unit[24];
    if (plate_number_parse(text, &v) != 0) {
        const bool comma = strchr(text, ',') && strspn(text, "0123456789+-,") == strlen(text);
        return REASON("'%.60s' is not a number, %s", text, comma ? "write a decimal point" : "write digits, as 12 or 0.5");
    }
    if (k->kind == CONFIG_WHOLE && v != floor(v)) return REASON("%.60s is not a whole number, round it", text);
    if (!(v >= k->min && v <= k->max))
        return REASON("%.60s is out of range, give %.10g to %.10g%s", text, k->min, k->max, unit_of(k, unit));
    *ret = v + 0.0; /* no negative zero */
    return 0;
}

static int bool_take(const char *text, bool *ret, struct reason *why)
{
    static const char *const words[] = {"false", "no", "off", "true", "yes", "on"};
    for (unsigned i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0) {
            *ret = i >= 3;
            return 0;
        }
    return REASON("'%.60s' is neither true nor false, write one of them", text);
}

static int word_find(const struct config_key *k, const char *text, double *ret, struct reason *why)
{
    const struct config_word *w = k->words;
    while (w->name && strcmp(w->name, text) != 0) w++;
    if (!w->name) {
        char list[128] = "";
        size_t n = 0;
        for (const struct config_word *i = k->words; i->name; i++)
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i == k->words ? "" : i[1].name ? ", " : " or ", i->name);
        return REASON("'%.60s' is not known, give %s", text, list);
    }
    *ret = w->value;
    return 0;
}

static int word_take(const struct config_key *k, const char *text, void *out, struct reason *why)
{
    double v = 0;
    int r = word_find(k, text, &v, why);
    if (r == 0 && k->size == sizeof(char)) *(char *)out = (char)v;
    if (r == 0 && k->size == sizeof(unsigned)) *(unsigned *)out = (unsigned)v;
    if (r == 0 && k->size == sizeof(double)) *(double *)out = v;
    return r;
}

/* Code points that a YAML text could not hold unchanged, or that would break a line of a log. The text is UTF-8: libyaml saw to
 * it. */
static bool text_printable(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        const unsigned more = *c < 0x80 ? 0 : *c < 0xe0 ? 1 : *c < 0xf0 ? 2 : 3;
        uint32_t code = *c & (more == 0 ? 0x7fu : 0x3fu >> more);
        c++;
        for (unsigned i = 0; i < more; i++, c++) code = code << 6 | (*c & 0x3fu);
        if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029 || code == 0xfeff ||
            (code & 0xfffe) == 0xfffe)
            return false;
    }
    return true;
}

static int text_take(const struct config_key *k, const char *text, char **ret, struct reason *why)
{
    const double n = (double)strlen(text);
    if (k->kind == CONFIG_NAME && !plate_name_valid(text))
        return REASON("'%.60s' cannot be a name, use 1 to %d of A-Z a-z 0-9 _ -", text, PLATE_NAME_SIZE - 1);
    if (k->kind == CONFIG_TEXT && n > k->max) return REASON("%.0f bytes are too long, shorten it to %.0f", n, k->max);
    if (k->kind == CONFIG_TEXT && n < k->min) return REASON("is empty, give a text");
    if (!text_printable(text)) return REASON("holds a control character, remove it");
    *ret = strdup(text);
    return *ret ? 0 : -ENOMEM;
}

static int scalar_take(const struct config_key *k, const char *text, void *out, struct reason *why)
{
    if (!text && !k->fallback) return REASON("is missing, give it");
    if (!text) text = k->fallback;
    double v = NAN;
    int r = 0;
    switch (k->kind) {
    case CONFIG_BOOL:
        return bool_take(text, out, why);
    case CONFIG_WORD:
        return word_take(k, text, out, why);
    case CONFIG_TEXT:
    case CONFIG_NAME:
        return text_take(k, text, out, why);
    case CONFIG_NUMBER:
        if (*text) r = number_take(k, text, &v, why);
        if (r == 0) *(double *)out = v;
        return r;
    default:
        r = number_take(k, text, &v, why);
        if (r == 0) *(unsigned *)out = (unsigned)v;
        return r;
    }
}

/* ---- sections ---- */

static int row_take(const struct config_source *src, const struct config_key *k, const struct config_slot *slot,
                    struct config_row *row, const char *path)
{
    row->cells = slot ? slot->n : 0;
    for (unsigned i = 0; i < row->cells; i++) {
        struct reason why = {""};
        const char *text = ((char **)slot->p)[i];
        if (number_take(k, text ? text : "", &row->cell[i], &why) < 0) {
            char at[PATH_SIZE];
            snprintf(at, sizeof at, "%s[%u]", path, i);
            return config_fail(src, at, "%s", why.text);
        }
    }
    return 0;
}

static int words_take(const struct config_source *src, const struct config_key *k, const struct config_slot *slot,
                      struct config_words *list, const char *path)
{
    list->count = slot ? slot->n : 0;
    for (unsigned i = 0; i < list->count; i++) {
        struct reason why = {""};
        const char *text = ((char **)slot->p)[i];
        double v = 0;
        if (word_find(k, text ? text : "", &v, &why) < 0) {
            char at[PATH_SIZE];
            snprintf(at, sizeof at, "%s[%u]", path, i);
            return config_fail(src, at, "%s", why.text);
        }
        list->word[i] = (unsigned)v;
    }
    return 0;
}

static int list_take(const struct config_source *src, const struct config_key *k, const struct config_slot *slot, char *base,
                     const char *path)
{
    const unsigned n = slot && slot->p ? slot->n : 0;
    if (n < k->min) return config_fail(src, path, "is missing, give at least %.0f", k->min);
    char *entries = calloc(n, k->size);
    if (!entries) return -ENOMEM;
    *(void **)(base + k->offset) = entries;
    *(unsigned *)(base + k->count_offset) = n;
    unsigned keys;
    config_section_keys(k->of, &keys);
    for (unsigned i = 0; i < n; i++) {
        char at[PATH_SIZE];
        snprintf(at, sizeof at, "%s[%u]", path, i);
        int r =
            config_section_take(src, k->of, (const struct config_slot *)slot->p + (size_t)keys * i, entries + k->size * i, at);
        if (r < 0) return r;
    }
    return 0;
}

/* Slots to values; slots NULL: the defaults. What was taken before a failure stays in base, for section_done. */
int config_section_take(const struct config_source *src, enum config_section section, const struct config_slot *slots,
                        void *base, const char *path)
{
    unsigned n;
    const struct config_key *keys = config_section_keys(section, &n);
    int r = 0;
    for (unsigned i = 0; i < n && r == 0; i++) {
        const struct config_key *k = &keys[i];
        const struct config_slot *slot = slots && slots[i].p ? &slots[i] : NULL;
        char at[PATH_SIZE];
        snprintf(at, sizeof at, "%s%s%s", path, *path ? "." : "", k->name);
        if (k->kind == CONFIG_MAP) {
            r = config_section_take(src, k->of, slot ? slot->p : NULL, base, at);
        } else if (k->kind == CONFIG_LIST) {
            if (!src->is_protocol) r = list_take(src, k, slot, base, at);
        } else if (k->kind == CONFIG_ROW) {
            r = row_take(src, k, slot, (struct config_row *)((char *)base + k->offset), at);
        } else if (k->kind == CONFIG_WORDS) {
            r = words_take(src, k, slot, (struct config_words *)((char *)base + k->offset), at);
        } else {
            struct reason why = {""};
            r = scalar_take(k, slot ? slot->p : NULL, (char *)base + k->offset, &why);
            if (r == -EINVAL) config_fail(src, at, "%s", why.text);
        }
    }
    return r;
}

void config_section_done(enum config_section section, char *base)
{
    unsigned n;
    const struct config_key *keys = config_section_keys(section, &n);
    for (unsigned i = 0; i < n; i++) {
        const struct config_key *k = &keys[i];
        if (k->kind == CONFIG_MAP) config_section_done(k->of, base);
        if (k->kind == CONFIG_TEXT || k->kind == CONFIG_NAME) free(*(char **)(base + k->offset));
        if (k->kind != CONFIG_LIST) continue;
        char *entries = *(char **)(base + k->offset);
        for (unsigned e = 0; entries && e < *(unsigned *)(base + k->count_offset); e++)
            config_section_done(k->of, entries + k->size * e);
        free(entries);
    }
}

/* ---- what no single key can tell ---- */

static const struct config_corner {
    const char *name;
    int x, y;
} corners[] = {{"front_left", -1, 1}, {"front_right", 1, 1}, {"back_left", -1, -1}, {"back_right", 1, -1}};

static void cell_place(const struct config_plate *p, const struct config_cell *cell, struct plate_cell *ret)
{
    snprintf(ret->name, sizeof ret->name, "%s", cell->name);
    ret->x_mm = cell->x_mm;
    ret->y_mm = cell->y_mm;
    if (!isnan(cell->x_mm) || !(p->width_mm > 0)) return;
    for (unsigned i = 0; i < sizeof corners / sizeof *corners; i++)
        if (strcmp(corners[i].name, cell->name) == 0) {
            ret->x_mm = corners[i].x * p->width_mm / 2;
            ret->y_mm = corners[i].y * p->length_mm / 2;
        }
}

static int cells_check(const struct config_source *src, const struct config_plate *p, const char *path)
{
    char at[PATH_SIZE];
    unsigned placed = 0;
    if ((p->width_mm > 0) != (p->length_mm > 0)) {
        snprintf(at, sizeof at, "%s.%s", path, p->width_mm > 0 ? "width_mm" : "length_mm");
        return config_fail(src, at, "needs %s beside it, give both or neither", p->width_mm > 0 ? "length_mm" : "width_mm");
    }
    for (unsigned i = 0; i < p->cells_count; i++) {
        const struct config_cell *c = &p->cells[i];
        snprintf(at, sizeof at, "%s.cells[%u]", path, i);
        for (unsigned j = 0; j < i; j++)
            if (strcmp(c->name, p->cells[j].name) == 0)
                return config_fail(src, at, "a second cell '%s', give each its own name", c->name);
        if (isnan(c->x_mm) != isnan(c->y_mm))
            return config_fail(src, at, "has one coordinate only, give x_mm and y_mm or neither");
        struct plate_cell place;
        cell_place(p, c, &place);
        if (!isnan(place.x_mm)) placed++;
    }
    for (unsigned i = 0; placed && placed < p->cells_count && i < p->cells_count; i++) {
        struct plate_cell place;
        cell_place(p, &p->cells[i], &place);
        if (!isnan(place.x_mm)) continue;
        snprintf(at, sizeof at, "%s.cells[%u]", path, i);
        return config_fail(src, at, "'%s' has no position while others have, give x_mm and y_mm", place.name);
    }
    if (placed || !(p->width_mm > 0)) return 0;
    snprintf(at, sizeof at, "%s.width_mm", path);
    return config_fail(src, at,
                       "places corner cells, name the cells front_left, front_right, back_left, back_right or remove it");
}

static const struct config_row *matrix_row(const struct config_plate *p, unsigned i)
{
    const struct config_row *const rows[PLATE_MAX_COMPONENTS] = {&p->matrix.Fx, &p->matrix.Fy, &p->matrix.Fz,
                                                                 &p->matrix.Mx, &p->matrix.My, &p->matrix.Mz};
    return rows[i];
}

static int calibration_check(const struct config_source *src, const struct config_plate *p, const char *path)
{
    char at[PATH_SIZE];
    unsigned rows = 0;
    snprintf(at, sizeof at, "%s.matrix", path);
    for (unsigned i = 0; i < PLATE_MAX_COMPONENTS; i++) {
        const unsigned n = matrix_row(p, i)->cells;
        rows += n > 0;
        if (n > 0 && n != p->cells_count)
            return config_fail(src, at, "a row has %u numbers, give one for each of the %u cells", n, p->cells_count);
    }
    if (rows != 0 && rows != PLATE_MAX_COMPONENTS && !(rows == 1 && p->matrix.Fz.cells))
        return config_fail(src, at, "has %u rows, give Fz alone or all of Fx Fy Fz Mx My Mz", rows);
    for (unsigned i = 0; rows && i < p->cells_count; i++)
        if (p->cells[i].gain != 1) {
            snprintf(at, sizeof at, "%s.cells[%u].gain", path, i);
            return config_fail(src, at, "a gain beside a matrix, put it into the matrix");
        }
    struct plate_calibration c;
    config_calibration(p, &c);
    if (p->count_scale == 0) {
        snprintf(at, sizeof at, "%s.count_scale", path);
        return config_fail(src, at, "is 0, give the newtons of one count");
    }
    if (plate_calibration_check(&c) < 0)
        return config_fail(src, path, "the calibration makes no sense, give gains or a matrix that are not all 0");
    return 0;
}

static int decoder_check(const struct config_source *src, const struct config_plate *p, bool csv_given, const char *path)
{
    char at[PATH_SIZE];
    snprintf(at, sizeof at, "%s.decoder", path);
    if (!plate_protocol_find(p->decoder)) {
        char list[160] = "";
        size_t n = 0;
        for (const struct plate_protocol *const *i = plate_protocols; *i && n < sizeof list; i++)
            n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i == plate_protocols ? "" : ", ", (*i)->name);
        return config_fail(src, at, "'%s' is not known, give one of: %s", p->decoder, list);
    }
    const struct plate_csv_options *o = &p->csv;
    const bool csv = strcmp(p->decoder, "csv") == 0;
    snprintf(at, sizeof at, "%s.csv", path);
    if (csv_given && !csv)
        return config_fail(src, at, "has no meaning for decoder %s, remove it or write `decoder: csv`", p->decoder);
    if (csv && o->decimal_comma && o->separator == ',')
        return config_fail(src, at, "the comma cannot separate columns and decimals, give another separator");
    if (csv && o->time_column >= o->first_column && o->time_column < o->first_column + p->cells_count)
        return config_fail(src, at, "time_column %u is one of the cells' columns %u to %u, correct one", o->time_column,
                           o->first_column, o->first_column + p->cells_count - 1);
    struct plate_decoder_config dc;
    struct plate_decoder d;
    config_decoder(p, &dc);
    if (plate_decoder_init(&d, &dc) < 0)
        return config_fail(src, csv ? at : path, "decoder %s cannot work with these options and %u cells, see docs/devices",
                           p->decoder, p->cells_count);
    return 0;
}

static void plate_complete(struct config_plate *p)
{
    if (p->csv.first_column == 0) p->csv.first_column = p->csv.time_column == 1 ? 2 : 1;
    if (p->csv.time_column == 0) p->csv.time_unit_s = 0;
    p->count_scale_given = !isnan(p->count_scale);
    if (p->count_scale_given) return;
    struct plate_decoder_config dc;
    struct plate_decoder d;
    config_decoder(p, &dc);
    const bool fixed = plate_decoder_init(&d, &dc) == 0 && d.count_scale_N > 0;
    p->count_scale = fixed ? d.count_scale_N : RAW_COUNT_SCALE;
}

static int plate_check(const struct config_source *src, const struct config *c, unsigned index, bool csv_given)
{
    const struct config_plate *p = &c->plates[index];
    char path[PATH_SIZE], at[PATH_SIZE];
    snprintf(path, sizeof path, "plates[%u]", index);
    for (unsigned i = 0; i < index; i++) {
        const struct config_plate *other = &c->plates[i];
        snprintf(at, sizeof at, "%s.name", path);
        if (strcmp(p->name, other->name) == 0)
            return config_fail(src, at, "a second plate '%s', give each its own name", p->name);
        snprintf(at, sizeof at, "%s.port", path);
        if (strcmp(p->port, other->port) == 0)
            return config_fail(src, at, "'%s' is the port of plate %s already, give each plate its own", p->port, other->name);
    }
    snprintf(at, sizeof at, "%s.port", path);
    if (port_is_usb(p->port) && !port_usb_valid(p->port))
        return config_fail(src, at, "'%s' names no USB device, write usb:VENDOR:PRODUCT:SERIAL as platectl ports prints it",
                           p->port);
    snprintf(at, sizeof at, "filter.cutoff_Hz");
    if (c->filter.cutoff_Hz >= p->rate_Hz / 2)
        return config_fail(src, at, "%g Hz is too high for plate %s, give less than half of its %g Hz", c->filter.cutoff_Hz,
                           p->name, p->rate_Hz);
    int r = cells_check(src, p, path);
    if (r == 0) r = decoder_check(src, p, csv_given, path);
    if (r == 0) r = calibration_check(src, p, path);
    return r;
}

static int top_check(const struct config_source *src, const struct config *c)
{
    if (strchr(c->station, '/')) return config_fail(src, "station", "holds a slash, which no file name can, remove it");
    const char *const endpoints[][2] = {{"stream.data", c->stream.data}, {"stream.control", c->stream.control}};
    for (unsigned i = 0; i < 2; i++)
        if (strncmp(endpoints[i][1], "tcp://", 6) != 0 && strncmp(endpoints[i][1], "ipc://", 6) != 0)
            return config_fail(src, endpoints[i][0], "'%s' is not an endpoint, write tcp://127.0.0.1:PORT or ipc://PATH",
                               endpoints[i][1]);
    if (!*c->stream.secret_key != !*c->stream.clients)
        return config_fail(src, *c->stream.clients ? "stream.clients" : "stream.secret_key",
                           "is half of what keys need, give secret_key and clients");
    for (unsigned i = 0; i < 2; i++)
        if (!*c->stream.secret_key && !endpoint_is_local(endpoints[i][1]))
            return config_fail(src, endpoints[i][0],
                               "other machines could reach '%s', give secret_key and clients beside it (docs/security.md) or "
                               "bind to 127.0.0.1",
                               endpoints[i][1]);
    if (strcmp(c->stream.data, c->stream.control) == 0)
        return config_fail(src, "stream.control", "is the same as stream.data, give another");
    if (c->targets.cop_y_min_mm >= c->targets.cop_y_max_mm)
        return config_fail(src, "targets.cop_y_min_mm", "is not below cop_y_max_mm, swap them");
    if (isnan(c->targets.turn_min_s) != isnan(c->targets.impact_max_pct))
        return config_fail(src, isnan(c->targets.turn_min_s) ? "targets.impact_max_pct" : "targets.turn_min_s",
                           "is half of what a bounce is, give turn_min_s and impact_max_pct");
    const struct plate_metric *m = plate_metrics;
    while (m->name && strcmp(m->name, c->asymmetry.primary) != 0) m++;
    if (*c->asymmetry.primary && !m->name)
        return config_fail(src, "asymmetry.primary", "'%s' is not a metric that is compared, see docs/asymmetry.md",
                           c->asymmetry.primary);
    return 0;
}

static int config_check(const struct config_source *src, struct config *c)
{
    unsigned n, csv = 0, plates = 0;
    const struct config_key *keys = config_section_keys(CONFIG_TOP, &n);
    while (strcmp(keys[plates].name, "plates") != 0) plates++;
    keys = config_section_keys(CONFIG_PLATE, &n);
    while (strcmp(keys[csv].name, "csv") != 0) csv++;
    int r = top_check(src, c);
    for (unsigned i = 0; i < c->plates_count && r == 0; i++) {
        plate_complete(&c->plates[i]);
        const struct config_slot *slots = (const struct config_slot *)src->slots[plates].p + (size_t)n * i;
        r = plate_check(src, c, i, slots[csv].p != NULL);
    }
    return r;
}

/* ---- files ---- */

/* `path` NULL: a text, whose protocol is in it already. */
static int build(const char *text, size_t n, const char *name, const char *path, struct config *ret, struct config_error *error)
{
    struct config_source src = {.name = name, .error = error};
    struct config c = {.text = NULL};
    const locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!plain) return config_file_fail(&src, -ENOMEM);
    const locale_t before = uselocale(plain); /* 0.5 is a half, whatever the user's language */
    int r = n > CONFIG_MAX_BYTES ? config_file_fail(&src, -EFBIG) : config_source_read(&src, text, n);
    if (r == 0 && path) r = config_merge(&src, path);
    if (r == 0) r = config_section_take(&src, CONFIG_TOP, src.slots, &c, "");
    if (r == 0) r = config_check(&src, &c);
    if (r == 0 && !(c.text = config_to_text(&c))) r = -ENOMEM;
    if (r == -ENOMEM) config_file_fail(&src, r);
    config_source_done(&src);
    uselocale(before);
    freelocale(plain);
    if (r < 0)
        config_done(&c);
    else
        *ret = c;
    return r;
}

int config_load(const char *path, struct config *ret, struct config_error *ret_error)
{
    char *text;
    size_t n;
    int r = config_file_read(path, &text, &n);
    if (r < 0) return config_file_fail(&(struct config_source){.name = path, .error = ret_error}, r);
    r = build(text, n, path, path, ret, ret_error);
    free(text);
    return r;
}

int config_parse(const char *text, size_t n, const char *name, struct config *ret, struct config_error *ret_error)
{
    return build(text, n, name, NULL, ret, ret_error);
}

void config_done(struct config *c)
{
    if (!c) return;
    config_section_done(CONFIG_TOP, (char *)c);
    free(c->text);
    *c = (struct config){.text = NULL};
}

int config_print(const struct config *c, FILE *file)
{
    if (fputs(c->text, file) == EOF || fflush(file) == EOF) return errno ? -errno : -EIO;
    return 0;
}

/* ---- the pieces ---- */

void config_station(const struct config *c, struct plate_station_config *ret)
{
    plate_station_config_default(ret);
    ret->plates = c->plates_count;
    for (unsigned i = 0; i < c->plates_count; i++) {
        const struct config_plate *p = &c->plates[i];
        struct plate_station_plate *to = &ret->plate[i];
        snprintf(to->name, sizeof to->name, "%s", p->name);
        to->side = p->side;
        to->rate_Hz = p->rate_Hz;
        to->cells = p->cells_count;
        for (unsigned j = 0; j < p->cells_count; j++) cell_place(p, &p->cells[j], &to->cell[j]);
    }
    snprintf(ret->exercise, sizeof ret->exercise, "%s", c->exercise);
    ret->side = c->side;
    ret->filter_order = c->filter.order;
    ret->filter_cutoff_Hz = isnan(c->filter.cutoff_Hz) ? 0 : c->filter.cutoff_Hz;
    ret->set_rest_s = c->set_rest_s;
    ret->body_mass_kg = c->body_mass_kg;
    ret->plan.sides = c->sides.count;
    for (unsigned i = 0; i < c->sides.count; i++) ret->plan.side[i] = (enum plate_side)c->sides.word[i];
    ret->plan.reps = c->reps;
    ret->plan.sets = c->sets;
    ret->targets = c->targets;
    ret->asymmetry.threshold_pct = c->asymmetry.threshold_pct;
    ret->asymmetry.involved = c->asymmetry.involved;
    snprintf(ret->asymmetry.primary, sizeof ret->asymmetry.primary, "%s", c->asymmetry.primary);
}

void config_decoder(const struct config_plate *p, struct plate_decoder_config *ret)
{
    *ret = (struct plate_decoder_config){.protocol = p->decoder, .cells = p->cells_count, .csv = p->csv};
}

int config_intake(const struct config_plate *p, struct plate_intake *ret)
{
    struct plate_decoder_config decoder;
    config_decoder(p, &decoder);
    return plate_intake_init(ret, &decoder, &(struct plate_timebase_config){p->rate_Hz, config_tick_s(p)});
}

void config_calibration(const struct config_plate *p, struct plate_calibration *ret)
{
    const bool six = p->matrix.Fx.cells > 0;
    *ret = (struct plate_calibration){.cells = p->cells_count,
                                      .components = six ? PLATE_MAX_COMPONENTS : 1,
                                      .count_scale = p->count_scale,
                                      .surface_z_mm = p->surface_z_mm};
    for (unsigned i = 0; i < p->cells_count; i++) {
        ret->tare[i] = p->cells[i].offset;
        for (unsigned row = 0; six && row < PLATE_MAX_COMPONENTS; row++) ret->matrix[row][i] = matrix_row(p, row)->cell[i];
        if (!six) ret->matrix[0][i] = p->matrix.Fz.cells ? p->matrix.Fz.cell[i] : p->cells[i].gain;
    }
}

void config_recording(const struct config *c, struct recording *ret)
{
    *ret = (struct recording){.plates = c->plates_count};
    snprintf(ret->station, sizeof ret->station, "%s", c->station);
    for (unsigned i = 0; i < c->plates_count; i++) {
        const struct config_plate *p = &c->plates[i];
        struct recording_plate *to = &ret->plate[i];
        snprintf(to->name, sizeof to->name, "%s", p->name);
        snprintf(to->device, sizeof to->device, "%s", p->port);
        snprintf(to->protocol, sizeof to->protocol, "%s", p->decoder);
        to->rate_Hz = p->rate_Hz;
        to->tick_s = config_tick_s(p);
        to->count_scale = p->count_scale;
        to->cells = p->cells_count;
        for (unsigned j = 0; j < p->cells_count; j++) cell_place(p, &p->cells[j], &to->cell[j]);
    }
}

double config_tick_s(const struct config_plate *p)
{
    struct plate_decoder_config dc;
    struct plate_decoder d;
    config_decoder(p, &dc);
    return plate_decoder_init(&d, &dc) < 0 ? 0 : d.tick_s;
}

const char *config_target(const struct config *c, unsigned i, double *ret)
{
    unsigned n;
    const struct config_key *key = config_section_keys(CONFIG_TARGETS, &n);

    if (i >= n) return NULL;
    memcpy(ret, (const char *)c + key[i].offset, sizeof *ret);
    return key[i].name;
}

int config_ring_dir(const struct config *c, char *ret, size_t size)
{
    const char *dir = c->ring_dir;
    if (!*dir) {
        dir = getenv("XDG_RUNTIME_DIR");
        if (!dir || *dir != '/' || access(dir, W_OK | X_OK) < 0) dir = "/dev/shm";
    }
    if (strlen(dir) >= size) return -ENAMETOOLONG;
    strcpy(ret, dir);
    return 0;
}
