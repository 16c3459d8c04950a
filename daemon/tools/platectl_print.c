/* What platectl shows of an answer. */
#include "platectl.h"
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cell {
    char text[96];
};

static struct cell format_cell(const char *format, ...) __attribute__((format(printf, 1, 2)));
static struct cell format_cell(const char *format, ...)
{
    struct cell c;
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(c.text, sizeof c.text, format, arguments);
    va_end(arguments);
    return c;
}

static struct cell show(const json_t *o, const char *key, int decimals)
{
    const json_t *v = json_object_get(o, key);

    if (json_is_integer(v)) return format_cell("%" JSON_INTEGER_FORMAT, json_integer_value(v));
    if (json_is_real(v)) return format_cell("%.*f", decimals, json_real_value(v));
    if (json_is_boolean(v)) return format_cell("%s", json_is_true(v) ? "yes" : "no");
    return format_cell("%s", json_is_string(v) && *json_string_value(v) ? json_string_value(v) : "-");
}

const char *text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));

    return text ? text : "";
}

void print_json(const json_t *o)
{
    char *text = json_dumps(o, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(15));

    if (text) puts(text);
    free(text);
}

struct column {
    const char *key, *head;
    int decimals;
    bool left; /* aligned */
};
static const struct column plate_columns[] = {
    {"name", "PLATE", 0, true},
    {"side", "SIDE", 0, true},
    {"state", "STATE", 0, true},
    {"phase", "PHASE", 0, true},
    {"force_N", "FORCE N", 1, false},
    {"rate_Hz", "RATE Hz", 2, false},
    {"samples", "SAMPLES", 0, false},
    {"lost", "LOST", 0, false},
    {"gaps", "GAPS", 0, false},
    {"spikes", "SPIKES", 0, false},
    {"frames", "FRAMES", 0, false},
    {"bad_length", "BAD LEN", 0, false},
    {"bad_checksum", "SUM", 0, false},
    {"bad_sanity", "SANITY", 0, false},
    {"no_value", "NO VALUE", 0, false},
    {"edges", "EDGES", 0, false},
    {"discarded_bytes", "DISCARDED B", 0, false},
    {"decoder", "DECODER", 0, true},
    {"port", "PORT", 0, true},
};
enum { PLATE_COLUMNS = sizeof plate_columns / sizeof *plate_columns };

static void print_plate(const json_t *plate, const int width[PLATE_COLUMNS])
{
    for (int k = 0; k < PLATE_COLUMNS; k++) {
        const struct column *c = &plate_columns[k];
        struct cell text = plate ? show(plate, c->key, c->decimals) : format_cell("%s", c->head);
        printf("%s%*s", k ? "  " : "", k + 1 == PLATE_COLUMNS ? 0 : c->left ? -width[k] : width[k], text.text);
    }
    putchar('\n');
}

static void print_plates(const json_t *plates)
{
    int width[PLATE_COLUMNS];
    const json_t *plate;
    size_t i;

    for (int k = 0; k < PLATE_COLUMNS; k++) {
        width[k] = (int)strlen(plate_columns[k].head);
        json_array_foreach(plates, i, plate)
        {
            int n = (int)strlen(show(plate, plate_columns[k].key, plate_columns[k].decimals).text);
            if (n > width[k]) width[k] = n;
        }
    }
    print_plate(NULL, width);
    json_array_foreach(plates, i, plate) print_plate(plate, width);
    json_array_foreach(plates, i, plate)
    {
        if (*text_of(plate, "error")) printf("  %s: %s\n", text_of(plate, "name"), text_of(plate, "error"));
        if (*text_of(plate, "faults")) printf("  %s: cells: %s\n", text_of(plate, "name"), text_of(plate, "faults"));
    }
}

/* "label  key 1  key 2 ..."; what is an object has a line of its own. */
static void print_counters(const char *label, const json_t *o)
{
    const char *key;
    json_t *v;

    printf("%-10s", label);
    json_object_foreach((json_t *)(uintptr_t)o, key, v)
    {
        if (!json_is_object(v) && (!json_is_string(v) || *json_string_value(v))) printf("  %s %s", key, show(o, key, 1).text);
    }
    putchar('\n');
    json_object_foreach((json_t *)(uintptr_t)o, key, v) if (json_is_object(v)) print_counters(key, v);
}

static void print_recording(const json_t *o)
{
    const json_t *plan = json_object_get(o, "plan");

    printf("recording  %s  at %s s, side %s%s%s, exercise %s", text_of(o, "session"), show(o, "t_s", 1).text,
           show(o, "side", 0).text, json_is_object(plan) ? ", then " : "", text_of(plan, "next"), show(o, "exercise", 0).text);
    if (*text_of(o, "involved") && strcmp(text_of(o, "involved"), "none")) printf(", involved %s", text_of(o, "involved"));
    printf("\n           %s\n", text_of(o, "archive"));
}

void print_status(const json_t *o)
{
    int up_s = (int)json_number_value(json_object_get(o, "uptime_s"));

    printf("%s  plated %s, pid %s, up %d:%02d:%02d\n", text_of(o, "station"), text_of(o, "version"), show(o, "pid", 0).text,
           up_s / 3600, up_s / 60 % 60, up_s % 60);
    if (json_is_true(json_object_get(o, "recording")))
        print_recording(o);
    else
        puts("not recording");
    if (json_is_object(json_object_get(o, "operator")))
        printf("operator   %s\n", text_of(json_object_get(o, "operator"), "name"));
    if (json_is_true(json_object_get(o, "sealing"))) puts("sealing the recording before");
    if (*text_of(o, "last_sealed")) printf("sealed     %s\n", text_of(o, "last_sealed"));
    if (*text_of(o, "seal_error")) printf("not sealed %s\n", text_of(o, "seal_error"));
    putchar('\n');
    print_plates(json_object_get(o, "plates"));
    putchar('\n');
    print_counters("ring", json_object_get(o, "ring"));
    print_counters("archivist", json_object_get(o, "archivist"));
    print_counters("capture", json_object_get(o, "capture"));
    print_counters("stream", json_object_get(o, "stream"));
    print_counters("gate", json_object_get(o, "gate"));
    print_counters("control", json_object_get(o, "control"));
    print_counters("log", json_object_get(o, "log"));
}

/* "[1.5, 2]" */
static void print_numbers(const json_t *numbers)
{
    const json_t *v;
    size_t i;

    putchar('[');
    json_array_foreach(numbers, i, v) printf("%s%.6g", i ? ", " : "", json_number_value(v));
    putchar(']');
}

void print_tare(const json_t *o)
{
    const json_t *plate;
    size_t i;

    json_array_foreach(json_object_get(o, "plates"), i, plate)
    {
        printf("%s  tare ", text_of(plate, "plate"));
        print_numbers(json_object_get(plate, "tare"));
        fputs("  sd ", stdout);
        print_numbers(json_object_get(plate, "sd"));
        printf("  %s\n", text_of(plate, "unit"));
    }
}

void print_start(const json_t *o) { printf("recording %s  %s\n", text_of(o, "session"), text_of(o, "archive")); }
/* "set 2 rep 3: discarded true" */
void print_correction(const json_t *o)
{
    printf("set %s", show(o, "set", 0).text);
    if (json_object_get(o, "rep")) printf(" rep %s", show(o, "rep", 0).text);
    printf(": %s %s\n", text_of(o, "field"), text_of(o, "value"));
}

/* What is so from now on, or was put right in a set: its answer says which. */
void print_state(const json_t *o)
{
    const char *key;
    json_t *v;

    if (json_object_get(o, "field")) {
        print_correction(o);
        return;
    }
    json_object_foreach((json_t *)(uintptr_t)o, key, v)
    {
        if (strcmp(key, "t_s")) printf("%s %s from %s s on\n", key, show(o, key, 0).text, show(o, "t_s", 3).text);
    }
}

void print_mark(const json_t *o) { printf("marked at %s s\n", show(o, "t_s", 3).text); }
void print_config(const json_t *o) { fputs(text_of(o, "yaml"), stdout); }

void print_shutdown(const json_t *o)
{
    (void)o;
    puts("plated is shutting down");
}
