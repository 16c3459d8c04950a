#include "plate/event.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* ---- columns ---- */

static const char *const side_words[] = {"none", "left", "right", "both", NULL};
static const char *const phase_words[] = {"rest", "drive", "hold", "lower", NULL};
static const char *const set_end_words[] = {"active", "rest", "side", "command", "stop", "plan", NULL};
static const char *const event_words[] = {"phase", "rep", "set", "asymmetry", "mark", "imbalance", "correction", "plan", NULL};

/* `what` is the struct that the table speaks of. */
#define FIELD(what, field) offsetof(struct what, field), sizeof(((struct what *)0)->field)
#define F64(what, field, decimals, unit, doc) #field, PLATE_COL_F64, FIELD(what, field), decimals, unit, NULL, doc
#define I32(what, field, doc) #field, PLATE_COL_I32, FIELD(what, field), 0, "", NULL, doc
#define BOOL(what, field, doc) #field, PLATE_COL_BOOL, FIELD(what, field), 0, "", NULL, doc
#define TEXT(what, field, doc) #field, PLATE_COL_TEXT, FIELD(what, field), 0, "", NULL, doc
#define ENUM(what, field, words, doc) #field, PLATE_COL_ENUM, FIELD(what, field), 0, "", words, doc
#define U64(what, field, doc) #field, PLATE_COL_U64, FIELD(what, field), 0, "", NULL, doc
#define I64(what, field, unit, doc) #field, PLATE_COL_I64, FIELD(what, field), 0, unit, NULL, doc
#define END NULL, PLATE_COL_F64, 0, 0, 0, NULL, NULL, NULL

/* Digits behind the point: a microsecond, 10 mN, 0.1 N/s, 1 mN s, 10 um: below what any cell resolves. */
enum { TIME = 6, FORCE = 2, PER_KG = 3, RATE = 1, IMPULSE = 3, COP = 2, CV = 5, PERCENT = 3, ANY_UNIT = 6 };

const struct plate_column plate_rep_columns[] = {
    {TEXT(plate_rep, plate, "the plate's name")},
    {ENUM(plate_rep, side, side_words, "the foot that worked")},
    {I32(plate_rep, set, "number of the set, from 1")},
    {I32(plate_rep, rep, "number of the rep within its set and plate, from 1")},
    {TEXT(plate_rep, exercise, "name of the exercise")},
    {BOOL(plate_rep, warmup, "the set is a warm-up and is not compared")},
    {F64(plate_rep, onset_s, TIME, "s", "the force leaves its resting band")},
    {F64(plate_rep, top_s, TIME, "s", "the hips stop at the top (squat: end of the drive)")},
    {F64(plate_rep, descent_s, TIME, "s", "the hips start down")},
    {F64(plate_rep, end_s, TIME, "s", "touch-down, or the end of the movement")},
    {F64(plate_rep, concentric_s, TIME, "s", "duration of the drive")},
    {F64(plate_rep, hold_s, TIME, "s", "duration of the hold")},
    {F64(plate_rep, eccentric_s, TIME, "s", "duration of the lowering")},
    {F64(plate_rep, rest_before_s, TIME, "s", "from the end of the rep before to this onset")},
    {F64(plate_rep, tut_s, TIME, "s", "time under tension: onset to end")},
    {F64(plate_rep, peak_force_N, FORCE, "N", "maximum of the filtered force")},
    {F64(plate_rep, mean_force_N, FORCE, "N", "mean force from onset to end")},
    {F64(plate_rep, hold_force_N, FORCE, "N", "mean force of the hold")},
    {F64(plate_rep, hold_cv, CV, "1", "SD over mean of the force in the hold")},
    {F64(plate_rep, peak_force_N_per_kg, PER_KG, "N/kg", "peak_force_N per body mass")},
    {F64(plate_rep, mean_force_N_per_kg, PER_KG, "N/kg", "mean_force_N per body mass")},
    {F64(plate_rep, hold_force_N_per_kg, PER_KG, "N/kg", "hold_force_N per body mass")},
    {F64(plate_rep, rfd_0_50_N_per_s, RATE, "N/s", "rate of force development, onset to 50 ms")},
    {F64(plate_rep, rfd_0_100_N_per_s, RATE, "N/s", "rate of force development, onset to 100 ms")},
    {F64(plate_rep, rfd_0_150_N_per_s, RATE, "N/s", "rate of force development, onset to 150 ms")},
    {F64(plate_rep, rfd_0_200_N_per_s, RATE, "N/s", "rate of force development, onset to 200 ms")},
    {F64(plate_rep, rfd_0_250_N_per_s, RATE, "N/s", "rate of force development, onset to 250 ms")},
    {F64(plate_rep, rfd_max_N_per_s, RATE, "N/s", "steepest least-squares slope over 20 ms, up to the peak")},
    {F64(plate_rep, impulse_Ns, IMPULSE, "N s", "integral of the force over the drive")},
    {F64(plate_rep, net_impulse_Ns, IMPULSE, "N s", "the same, of the force above the resting force")},
    {F64(plate_rep, cop_x_mm, COP, "mm", "mean centre of pressure in drive and hold, to the right")},
    {F64(plate_rep, cop_y_mm, COP, "mm", "mean centre of pressure in drive and hold, to the toes")},
    {F64(plate_rep, cop_drift_x_mm, COP, "mm", "drift of the centre of pressure over the drive, to the right")},
    {F64(plate_rep, cop_path_mm, COP, "mm", "path length of the centre of pressure in the hold")},
    {F64(plate_rep, sway_rms_mm, COP, "mm", "RMS distance of the centre of pressure from its mean in the hold")},
    {F64(plate_rep, sway_area_mm2, COP, "mm2", "area of the 95 % ellipse of the centre of pressure in the hold")},
    {F64(plate_rep, impact_pct, PERCENT, "%", "fall of the force at the touch-down before the rep, of the held level")},
    {F64(plate_rep, share_pct, PERCENT, "%", "part of the load of both feet, from onset to end")},
    {F64(plate_rep, share_drive_pct, PERCENT, "%", "part of the load of both feet in the drive")},
    {F64(plate_rep, share_hold_pct, PERCENT, "%", "part of the load of both feet in the hold")},
    {F64(plate_rep, share_lower_pct, PERCENT, "%", "part of the load of both feet in the lowering")},
    {F64(plate_rep, onset_live_s, TIME, "s", "when the phase drive was published")},
    {F64(plate_rep, top_live_s, TIME, "s", "when the phase hold was published")},
    {F64(plate_rep, descent_live_s, TIME, "s", "when the phase lower was published")},
    {F64(plate_rep, end_live_s, TIME, "s", "when the rep was published")},
    {END},
};

const struct plate_column plate_finding_columns[] = {
    {TEXT(plate_finding_row, plate, "the plate's name")},
    {I32(plate_finding_row, set, "number of the set, from 1")},
    {I32(plate_finding_row, rep, "number of the rep within its set and plate, from 1")},
    {TEXT(plate_finding_row, name, "what was found")},
    {F64(plate_finding_row, value, ANY_UNIT, "", "what was measured, in the unit of the finding")},
    {F64(plate_finding_row, limit, ANY_UNIT, "", "what was asked for")},
    {END},
};

const struct plate_column plate_set_columns[] = {
    {I32(plate_set, set, "number of the set, from 1")},
    {ENUM(plate_set, side, side_words, "the foot that worked")},
    {TEXT(plate_set, exercise, "name of the exercise")},
    {BOOL(plate_set, warmup, "a warm-up, not compared")},
    {ENUM(plate_set, ended_by, set_end_words, "active while it runs, then what ended it")},
    {I32(plate_set, reps, "reps so far, of the plate that has most")},
    {F64(plate_set, start_s, TIME, "s", "onset of the first rep")},
    {F64(plate_set, end_s, TIME, "s", "end of the last rep so far")},
    {F64(plate_set, peak_force_N, FORCE, "N", "mean of peak_force_N over the reps")},
    {F64(plate_set, mean_force_N, FORCE, "N", "mean of mean_force_N over the reps")},
    {F64(plate_set, hold_force_N, FORCE, "N", "mean of hold_force_N over the reps")},
    {F64(plate_set, concentric_s, TIME, "s", "mean of concentric_s over the reps")},
    {F64(plate_set, left_share_pct, PERCENT, "%", "the left foot's part of the load of both, over all reps")},
    {F64(plate_set, peak_force_dropoff_pct, PERCENT, "%", "what peak_force_N loses from the first to the last rep")},
    {F64(plate_set, mean_force_dropoff_pct, PERCENT, "%", "what mean_force_N loses from the first to the last rep")},
    {F64(plate_set, hold_force_dropoff_pct, PERCENT, "%", "what hold_force_N loses from the first to the last rep")},
    {F64(plate_set, concentric_dropoff_pct, PERCENT, "%", "what the drive becomes slower from the first to the last rep")},
    {I32(plate_set, correction, "0, or the number of the correction that changed it")},
    {END},
};

const struct plate_column plate_asymmetry_columns[] = {
    {TEXT(plate_asymmetry, metric, "the rep column that is compared")},
    {BOOL(plate_asymmetry, primary, "the metric that speaks for the session")},
    {ENUM(plate_asymmetry, mode, plate_mode_words, "how the limbs worked")},
    {TEXT(plate_asymmetry, index, "what value_pct is")},
    {I32(plate_asymmetry, direction, "+1 more is stronger, -1 more is weaker, 0 neither")},
    {F64(plate_asymmetry, value_pct, PERCENT, "%", "percentage difference, negative: the left is weaker")},
    {F64(plate_asymmetry, ci95_low_pct, PERCENT, "%", "lower end of the interval of value_pct")},
    {F64(plate_asymmetry, ci95_high_pct, PERCENT, "%", "upper end of the interval of value_pct")},
    {ENUM(plate_asymmetry, verdict, plate_verdict_words, "what the interval allows to say")},
    {F64(plate_asymmetry, threshold_pct, PERCENT, "%", "the line that the interval is held against")},
    {F64(plate_asymmetry, left_mean, ANY_UNIT, "", "mean of the left limb's matched reps, in the metric's unit")},
    {F64(plate_asymmetry, right_mean, ANY_UNIT, "", "mean of the right limb's matched reps, in the metric's unit")},
    {I32(plate_asymmetry, n_left, "reps of the left limb that have the metric")},
    {I32(plate_asymmetry, n_right, "reps of the right limb that have the metric")},
    {F64(plate_asymmetry, cv_left_pct, PERCENT, "%", "100 SD / mean of the left limb's matched reps")},
    {F64(plate_asymmetry, cv_right_pct, PERCENT, "%", "100 SD / mean of the right limb's matched reps")},
    {BOOL(plate_asymmetry, counterbalanced, "no limb went first more often than the other")},
    {F64(plate_asymmetry, dropoff_left_pct, PERCENT, "%", "what the left limb loses from the first to the last rep of a set")},
    {F64(plate_asymmetry, dropoff_right_pct, PERCENT, "%",
         "what the right limb loses from the first to the last rep of a set")},
    {F64(plate_asymmetry, dropoff_difference_pct, PERCENT, "%", "right less left, negative: the left tires more")},
    {F64(plate_asymmetry, shift_s, TIME, "s", "onset of the first rep after the share of the load has shifted")},
    {F64(plate_asymmetry, shift_pct, PERCENT, "%", "by how much the left's share has shifted, in points")},
    {F64(plate_asymmetry, limb_symmetry_index_pct, PERCENT, "%", "100 involved / uninvolved, else 100 R / L")},
    {F64(plate_asymmetry, symmetry_index_pct, PERCENT, "%", "100 (R - L) / mean (Robinson 1987)")},
    {F64(plate_asymmetry, symmetry_angle_pct, PERCENT, "%", "symmetry angle (Zifchock 2008)")},
    {I32(plate_asymmetry, correction, "0, or the number of the correction after which it was said again")},
    {END},
};

const struct plate_column plate_mark_columns[] = {
    {F64(plate_mark, t_s, TIME, "s", "acts on samples at and after this time")},
    {TEXT(plate_mark, plate, "the plate it speaks of; empty: all")},
    {U64(plate_mark, sample, "first sample at or after t_s, of that plate or the first")},
    {TEXT(plate_mark, kind, "side, exercise, set_end, warmup, note, ...")},
    {TEXT(plate_mark, value, "what the kind makes of it")},
    {I64(plate_mark, utc_ns, "ns", "UTC when it was entered")},
    {END},
};

const struct plate_column plate_correction_columns[] = {
    {I32(plate_correction, correction, "its number, from 1")},
    {ENUM(plate_correction, field, plate_field_words, "what was put right")},
    {TEXT(plate_correction, plate, "the plate of the rep; empty: all")},
    {I32(plate_correction, set, "of this set; 0: of the recording")},
    {I32(plate_correction, rep, "of this rep; 0: of the whole set")},
    {TEXT(plate_correction, value, "what it is now")},
    {TEXT(plate_correction, was, "what it was before")},
    {END},
};

const struct plate_column plate_plan_columns[] = {
    {I32(plate_plan, set, "number of the set that is under way or comes, from 1")},
    {ENUM(plate_plan, side, side_words, "the foot that works in it")},
    {ENUM(plate_plan, next, side_words, "the foot that works in the one after it")},
    {I32(plate_plan, reps, "reps planned for a set; 0: not said")},
    {I32(plate_plan, done, "sets that have ended, warm-ups apart")},
    {I32(plate_plan, sets, "sets planned for all legs together; 0: not said")},
    {END},
};

const char *plate_event_name(enum plate_event_type type)
{
    return (unsigned)type < PLATE_EVENT_TYPES ? event_words[type] : NULL;
}

/* ---- a bounded writer: what does not fit is remembered, not written ---- */

struct out {
    char *at;
    size_t size, n;
    bool full;
};

static void put(struct out *o, const char *bytes, size_t n)
{
    if (o->full || n >= o->size - o->n) {
        o->full = true;
        return;
    }
    memcpy(o->at + o->n, bytes, n);
    o->n += n;
}

static void put_text(struct out *o, const char *text) { put(o, text, strlen(text)); }

static struct out out_init(char *buffer, size_t size) { return (struct out){.at = buffer, .size = size, .full = size == 0}; }

static int out_done(struct out *o)
{
    if (o->full || o->n > INT32_MAX) return -ENOBUFS;
    o->at[o->n] = '\0';
    return (int)o->n;
}

static void put_u64(struct out *o, uint64_t v)
{
    char digits[20];
    size_t n = sizeof digits;
    do digits[--n] = (char)('0' + v % 10);
    while (v /= 10);
    put(o, digits + n, sizeof digits - n);
}

static void put_i64(struct out *o, int64_t v)
{
    if (v < 0) put(o, "-", 1);
    put_u64(o, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

/* ---- numbers: exact, so that no locale and no libc has a say ---- */

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

static void put_f64(struct out *o, double v, int decimals)
{
    if (!isfinite(v)) {
        put_text(o, "null");
        return;
    }
    struct natural a = natural_from(fabs(v), decimals);
    if (v < 0 && a.n > 0) put(o, "-", 1);
    char digits[DIGITS + 1];
    int n = DIGITS + 1;
    for (int place = 0; place <= decimals || a.n > 0;) {
        uint32_t nine = natural_divide(&a, 1000000000u);
        for (int i = 0; i < 9 && (place <= decimals || nine || a.n > 0); i++, place++, nine /= 10) {
            if (place == decimals && place > 0) digits[--n] = '.';
            digits[--n] = (char)('0' + nine % 10);
        }
    }
    put(o, digits + n, (size_t)(DIGITS + 1 - n));
}

int plate_json_number(double v, int decimals, char *buffer, size_t size)
{
    if (decimals < 0 || decimals > PLATE_JSON_DECIMALS_MAX) return -EINVAL;
    struct out o = out_init(buffer, size);
    put_f64(&o, v, decimals);
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
        put(o, (char[]){'\\', letter[known - plain]}, 2);
        return;
    }
    put(o, (char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
}

static void put_string(struct out *o, const char *text, size_t n)
{
    put(o, "\"", 1);
    for (size_t i = 0, length; i < n; i += length) {
        const unsigned char *s = (const unsigned char *)text + i;
        length = utf8_length(s, n - i);
        if (length == 0) {
            put_text(o, "\xEF\xBF\xBD");
            length = 1;
        } else if (*s < 0x20) {
            put_control(o, *s);
        } else {
            if (*s == '"' || *s == '\\') put(o, "\\", 1);
            put(o, (const char *)s, length);
        }
    }
    put(o, "\"", 1);
}

static void put_chars(struct out *o, const char *text, size_t size)
{
    const char *end = memchr(text, 0, size);
    put_string(o, text, end ? (size_t)(end - text) : size);
}

int plate_json_string(const char *text, char *buffer, size_t size)
{
    struct out o = out_init(buffer, size);
    put_string(&o, text, strlen(text));
    return out_done(&o);
}

/* ---- objects ---- */

static void put_word(struct out *o, const char *const *words, int32_t value)
{
    int32_t i = 0;
    while (words[i] && i != value) i++;
    if (words[i])
        put_chars(o, words[i], strlen(words[i]));
    else
        put_text(o, "null");
}

static void put_value(struct out *o, const struct plate_column *c, const void *row)
{
    const void *at = (const char *)row + c->offset;
    switch (c->type) {
    case PLATE_COL_F64:
        put_f64(o, *(const double *)at, c->decimals);
        break;
    case PLATE_COL_I32:
        put_i64(o, *(const int32_t *)at);
        break;
    case PLATE_COL_BOOL:
        put_text(o, *(const int32_t *)at ? "true" : "false");
        break;
    case PLATE_COL_ENUM:
        put_word(o, c->names, *(const int32_t *)at);
        break;
    case PLATE_COL_U64:
        put_u64(o, *(const uint64_t *)at);
        break;
    case PLATE_COL_I64:
        put_i64(o, *(const int64_t *)at);
        break;
    case PLATE_COL_TEXT:
        put_chars(o, at, c->size);
        break;
    }
}

static void put_key(struct out *o, const char *key)
{
    if (o->n && o->at[o->n - 1] != '{') put(o, ",", 1);
    put_string(o, key, strlen(key));
    put(o, ":", 1);
}

static void put_columns(struct out *o, const struct plate_column *columns, const void *row)
{
    for (const struct plate_column *c = columns; c->name; c++) {
        put_key(o, c->name);
        put_value(o, c, row);
    }
}

int plate_columns_json(const struct plate_column *columns, const void *row, char *buffer, size_t size)
{
    struct out o = out_init(buffer, size);
    put(&o, "{", 1);
    put_columns(&o, columns, row);
    put(&o, "}", 1);
    return out_done(&o);
}

static void put_phase(struct out *o, const struct plate_event *e)
{
    put_key(o, "plate");
    put_chars(o, e->u.phase.plate, sizeof e->u.phase.plate);
    put_key(o, "phase");
    put_word(o, phase_words, (int32_t)e->u.phase.phase);
}

static void put_rep(struct out *o, const struct plate_rep *rep)
{
    put_columns(o, plate_rep_columns, rep);
    put_key(o, "form");
    put(o, "[", 1);
    for (int i = 0; i < rep->findings && i < PLATE_MAX_FINDINGS; i++) {
        const struct plate_finding *f = &rep->form[i];
        put_text(o, i ? ",{" : "{");
        put_key(o, "name");
        put_chars(o, f->name, sizeof f->name);
        put_key(o, "value");
        put_f64(o, f->value, ANY_UNIT);
        put_key(o, "limit");
        put_f64(o, f->limit, ANY_UNIT);
        put(o, "}", 1);
    }
    put(o, "]", 1);
}

static void put_asymmetry(struct out *o, const struct plate_asymmetry *a)
{
    for (const struct plate_column *c = plate_asymmetry_columns; c->name; c++) {
        bool low = c->offset == offsetof(struct plate_asymmetry, ci95_low_pct);
        bool high = c->offset == offsetof(struct plate_asymmetry, ci95_high_pct);
        if (!high) put_key(o, low ? "ci95_pct" : c->name);
        if (low || high) put(o, low ? "[" : ",", 1);
        put_value(o, c, a);
        if (high) put(o, "]", 1);
    }
}

static void put_imbalance(struct out *o, const struct plate_imbalance *i)
{
    put_key(o, "verdict_before");
    put_word(o, plate_verdict_words, i->verdict_before);
    put_asymmetry(o, &i->now);
}

static void put_mark(struct out *o, const struct plate_mark *m)
{
    for (const struct plate_column *c = plate_mark_columns; c->name; c++) {
        if (c->offset == offsetof(struct plate_mark, t_s) || c->offset == offsetof(struct plate_mark, utc_ns)) continue;
        put_key(o, c->name);
        put_value(o, c, m);
    }
}

int plate_event_json(const struct plate_event *e, char *buffer, size_t size)
{
    struct out o = out_init(buffer, size);
    put(&o, "{", 1);
    put_key(&o, "t_s");
    put_f64(&o, e->t_s, TIME);
    switch (e->type) {
    case PLATE_EVENT_PHASE:
        put_phase(&o, e);
        break;
    case PLATE_EVENT_REP:
        put_rep(&o, &e->u.rep);
        break;
    case PLATE_EVENT_SET:
        put_columns(&o, plate_set_columns, &e->u.set);
        break;
    case PLATE_EVENT_ASYMMETRY:
        put_asymmetry(&o, &e->u.asymmetry);
        break;
    case PLATE_EVENT_MARK:
        put_mark(&o, &e->u.mark);
        break;
    case PLATE_EVENT_IMBALANCE:
        put_imbalance(&o, &e->u.imbalance);
        break;
    case PLATE_EVENT_CORRECTION:
        put_columns(&o, plate_correction_columns, &e->u.correction);
        break;
    case PLATE_EVENT_PLAN:
        put_columns(&o, plate_plan_columns, &e->u.plan);
        break;
    case PLATE_EVENT_TYPES:
        return -EINVAL;
    }
    put(&o, "}", 1);
    return out_done(&o);
}
