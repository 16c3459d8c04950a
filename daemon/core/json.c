#include "json.h"

#include <errno.h>
#include <math.h>
#include <string.h>

void out_bytes(struct out *o, const char *bytes, size_t n)
{
    if (o->full || n >= o->size - o->n) {
        o->full = true;
        return;
    }
    memcpy(o->at + o->n, bytes, n);
    o->n += n;
}

void out_text(struct out *o, const char *text) { out_bytes(o, text, strlen(text)); }

struct out out_init(char *buffer, size_t size) { return (struct out){.at = buffer, .size = size, .full = size == 0}; }

int out_done(struct out *o)
{
    if (o->full || o->n > INT32_MAX) return -ENOBUFS;
    o->at[o->n] = '\0';
    return (int)o->n;
}

void out_u64(struct out *o, uint64_t v)
{
    char digits[20];
    size_t n = sizeof digits;
    do digits[--n] = (char)('0' + v % 10);
    while (v /= 10);
    out_bytes(o, digits + n, sizeof digits - n);
}

void out_i64(struct out *o, int64_t v)
{
    if (v < 0) out_bytes(o, "-", 1);
    out_u64(o, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* ---- numbers ---- */

/* A natural number, 32 bits a limb, low limb first. DBL_MAX * 10^9 has 1054 bits. */
enum { LIMBS = 34 };
struct natural {
    uint32_t limb[LIMBS];
    int n; /* limbs in use; the highest is not 0 */
};

static void natural_multiply(struct natural *a, uint32_t by)
{
    uint64_t carry = 0;
    for (int i = 0; i < a->n; i++) {
        carry += (uint64_t)a->limb[i] * by;
        a->limb[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry) a->limb[a->n++] = (uint32_t)carry;
}

static void natural_shift_left(struct natural *a, int bits)
{
    int words = bits / 32;
    memmove(a->limb + words, a->limb, (size_t)a->n * sizeof a->limb[0]);
    memset(a->limb, 0, (size_t)words * sizeof a->limb[0]);
    a->n += words;
    natural_multiply(a, UINT32_C(1) << bits % 32);
}

static bool natural_bit(const struct natural *a, int bit) { return bit / 32 < a->n && (a->limb[bit / 32] >> bit % 32 & 1); }

static bool natural_any_below(const struct natural *a, int bit)
{
    for (int i = 0; i < a->n && i < bit / 32; i++)
        if (a->limb[i]) return true;
    return bit / 32 < a->n && (a->limb[bit / 32] & ((UINT32_C(1) << bit % 32) - 1));
}

/* Divides by 2^bits and rounds to nearest, ties to even; bits > 0. */
static void natural_shift_right(struct natural *a, int bits)
{
    bool up = natural_bit(a, bits - 1) && (natural_any_below(a, bits - 1) || natural_bit(a, bits));
    int words = bits / 32, rest = bits % 32, n = a->n > words ? a->n - words : 0;
    for (int i = 0; i < n; i++) {
        uint64_t high = i + 1 < n ? a->limb[i + words + 1] : 0;
        a->limb[i] = (uint32_t)((high << 32 | a->limb[i + words]) >> rest);
    }
    for (a->n = n; a->n > 0 && a->limb[a->n - 1] == 0;) a->n--;
    for (int i = 0; up; i++) {
        if (i == a->n) a->limb[a->n++] = 0;
        up = ++a->limb[i] == 0;
    }
}

static uint32_t natural_divide(struct natural *a, uint32_t by)
{
    uint64_t rest = 0;
    for (int i = a->n - 1; i >= 0; i--) {
        rest = rest << 32 | a->limb[i];
        a->limb[i] = (uint32_t)(rest / by);
        rest %= by;
    }
    while (a->n > 0 && a->limb[a->n - 1] == 0) a->n--;
    return (uint32_t)rest;
}

/* round(v * 10^decimals) for finite v >= 0. */
static struct natural natural_from(double v, int decimals)
{
    int exponent;
    uint64_t mantissa = (uint64_t)ldexp(frexp(v, &exponent), 53);
    exponent -= 53;
    struct natural a = {.n = 0};
    for (; mantissa; mantissa >>= 32) a.limb[a.n++] = (uint32_t)mantissa;
    for (int i = 0; i < decimals; i++) natural_multiply(&a, 10);
    if (exponent >= 0)
        natural_shift_left(&a, exponent);
    else
        natural_shift_right(&a, -exponent);
    return a;
}

enum { DIGITS = 309 + PLATE_JSON_DECIMALS_MAX };

void out_f64(struct out *o, double v, int decimals)
{
    if (!isfinite(v)) {
        out_text(o, "null");
        return;
    }
    struct natural a = natural_from(fabs(v), decimals);
    if (v < 0 && a.n > 0) out_bytes(o, "-", 1);
    char digits[DIGITS + 1];
    int n = DIGITS + 1;
    for (int place = 0; place <= decimals || a.n > 0;) {
        uint32_t nine = natural_divide(&a, 1000000000u);
        for (int i = 0; i < 9 && (place <= decimals || nine || a.n > 0); i++, place++, nine /= 10) {
            if (place == decimals && place > 0) digits[--n] = '.';
            digits[--n] = (char)('0' + nine % 10);
        }
    }
    out_bytes(o, digits + n, (size_t)(DIGITS + 1 - n));
}

int plate_json_number(double v, int decimals, char *buffer, size_t size)
{
    if (decimals < 0 || decimals > PLATE_JSON_DECIMALS_MAX) return -EINVAL;
    struct out o = out_init(buffer, size);
    out_f64(&o, v, decimals);
    return out_done(&o);
}

/* ---- text ---- */

/* Length of the UTF-8 sequence at the front of s[0, n), or 0: not one (RFC 3629: no overlong forms, no surrogates). */
static size_t utf8_length(const unsigned char *s, size_t n)
{
    size_t length = s[0] < 0x80 ? 1 : s[0] < 0xC2 ? 0 : s[0] < 0xE0 ? 2 : s[0] < 0xF0 ? 3 : s[0] < 0xF5 ? 4 : 0;
    if (length > n) return 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xC0) != 0x80) return 0;
    if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F)) return 0;
    if ((s[0] == 0xF0 && s[1] < 0x90) || (s[0] == 0xF4 && s[1] > 0x8F)) return 0;
    return length;
}

static void put_control(struct out *o, unsigned char c)
{
    static const char plain[] = "\b\f\n\r\t", letter[] = "bfnrt";
    static const char hex[] = "0123456789abcdef";
    const char *known = strchr(plain, c);
    if (known && c) {
        out_bytes(o, (char[]){'\\', letter[known - plain]}, 2);
        return;
    }
    out_bytes(o, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
}

void out_string(struct out *o, const char *text, size_t n)
{
    out_bytes(o, "\"", 1);
    for (size_t i = 0, length; i < n; i += length) {
        const unsigned char *s = (const unsigned char *)text + i;
        length = utf8_length(s, n - i);
        if (length == 0) {
            out_text(o, "\xEF\xBF\xBD");
            length = 1;
        } else if (*s < 0x20) {
            put_control(o, *s);
        } else {
            if (*s == '"' || *s == '\\') out_bytes(o, "\\", 1);
            out_bytes(o, (const char *)s, length);
        }
    }
    out_bytes(o, "\"", 1);
}

void out_chars(struct out *o, const char *text, size_t size)
{
    const char *end = memchr(text, 0, size);
    out_string(o, text, end ? (size_t)(end - text) : size);
}

int plate_json_string(const char *text, char *buffer, size_t size)
{
    struct out o = out_init(buffer, size);
    out_string(&o, text, strlen(text));
    return out_done(&o);
}
