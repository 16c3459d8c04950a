#include "text.h"

#include <math.h>
#include <string.h>
#include <strings.h>

/* Where lines give forces, six decimals of the unit are read. */
#define FORCE_DECIMALS 6

static bool blank(char c) { return c == ' ' || c == '\t'; }

/* ---- lines ---- */

static enum decode_fate take_line(struct plate_decoder *d, const uint8_t *line, size_t n, bool whole,
                                  const struct plate_decode_sink *sink)
{
    while (n > 0 && line[n - 1] == '\r') n--;
    return text_state(d)->take(d, (const char *)line, n, whole, sink);
}

void text_init(struct plate_decoder *d, text_take *take) { *text_state(d) = (struct text){.take = take}; }

void text_push(struct plate_decoder *d, const uint8_t *bytes, size_t n, const struct plate_decode_sink *sink)
{
    static const struct cut_rule lines = {.end = '\n', .most = TEXT_LINE_MAX, .take = take_line};
    cut_push(d, &text_state(d)->cut, (uint8_t *)text_state(d)->line, &lines, bytes, n, sink);
}

void text_reset(struct plate_decoder *d)
{
    cut_reset(d, &text_state(d)->cut);
    stamp_reopened(&text_state(d)->stamp);
    text_state(d)->columns = (struct text_columns){0};
}

bool text_columns_agree(struct text_columns *c, unsigned columns)
{
    bool agree = c->agreed == 0 || c->agreed == columns || c->odd == columns;
    c->odd = columns;
    if (agree) c->agreed = columns;
    return agree;
}

bool text_field(const char **at, const char *end, char separator, const char **ret_a, const char **ret_b)
{
    const char *a = *at, *b;
    if (!a) return false;
    if (separator == ' ') {
        while (a < end && blank(*a)) a++;
        if (a == end) return false;
        for (b = a; b < end && !blank(*b);) b++;
        *at = b;
    } else {
        for (b = a; b < end && *b != separator;) b++;
        *at = b < end ? b + 1 : NULL;
        while (a < b && blank(*a)) a++;
        while (a < b && blank(b[-1])) b--;
    }
    *ret_a = a;
    *ret_b = b;
    return true;
}

/* ---- numbers ---- */

bool text_number(const char *a, const char *b, char point, unsigned decimals, uint64_t max, uint64_t *ret)
{
    uint64_t v = 0;
    unsigned digits = 0, fraction = 0;
    bool after_point = false, up = false;
    for (; a < b; a++) {
        unsigned digit = (unsigned)(unsigned char)*a - '0';
        if (*a == point && !after_point) {
            after_point = true;
            continue;
        }
        if (digit > 9) return false;
        digits++;
        if (after_point && fraction++ >= decimals) {
            if (fraction == decimals + 1) up = digit >= 5;
            continue;
        }
        if (v > UINT64_MAX / 10 - 1) return false; /* no division by `max` here: this is the innermost loop */
        v = v * 10 + digit;
    }
    for (; fraction < decimals; fraction++, v *= 10)
        if (v > UINT64_MAX / 10 - 1) return false;
    if (digits == 0 || v > max || (up && v == max)) return false;
    *ret = v + up;
    return true;
}

/* Takes the sign off; true: negative. */
static bool take_sign(const char **a, const char *b)
{
    bool negative = *a < b && **a == '-';
    if (*a < b && (**a == '-' || **a == '+')) (*a)++;
    return negative;
}

bool text_count(const char *a, const char *b, char point, unsigned decimals, int32_t *ret)
{
    bool negative = take_sign(&a, b);
    uint64_t v;
    if (!text_number(a, b, point, decimals, (uint64_t)INT32_MAX + negative, &v)) return false;
    *ret = (int32_t)(negative ? -(int64_t)v : (int64_t)v);
    return true;
}

bool text_begins_number(const char *a, const char *end)
{
    while (a < end && blank(*a)) a++;
    take_sign(&a, end);
    return a < end && ((*a >= '0' && *a <= '9') || *a == '.' || *a == ',');
}

/* ---- forces ---- */

double text_unit_N(const char *a, const char *b)
{
    static const struct {
        const char *name;
        double N; /* by the standard acceleration 9.80665 m/s2 (CGPM 1901) and the pound of 0.45359237 kg (1959) */
    } units[] = {{"N", 1},
                 {"kN", 1000},
                 {"g", 0.00980665},
                 {"kg", 9.80665},
                 {"lb", 4.4482216152605},
                 {"lbs", 4.4482216152605},
                 {"oz", 0.27801385095378125}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strlen(units[i].name) == (size_t)(b - a) && strncasecmp(units[i].name, a, (size_t)(b - a)) == 0) return units[i].N;
    return 0;
}

/* One multiplication of an integer by a constant, rounded: the same on every machine. */
bool text_force(const char *a, const char *b, double unit_N, int32_t *ret)
{
    bool negative = take_sign(&a, b);
    char point = memchr(a, ',', (size_t)(b - a)) ? ',' : '.';
    uint64_t v;
    if (!text_number(a, b, point, FORCE_DECIMALS, (uint64_t)1 << 53, &v)) return false;
    double counts = nearbyint((double)v * (unit_N / TEXT_FORCE_COUNT_N / 1e6));
    if (counts > INT32_MAX) return false;
    *ret = (int32_t)(negative ? -counts : counts);
    return true;
}
