/* core/json.h - a bounded writer of JSON: what does not fit is remembered, not written. Its numbers are exact, so that no
 * locale and no libc has a say. Pure; private to the core; any thread. */
#pragma once
#include "plate/event.h"

struct out {
    char *at;
    size_t size, n;
    bool full;
};

struct out out_init(char *buffer, size_t size);
int out_done(struct out *o); /* length of the text, which it closes; -ENOBUFS: it did not fit */

void out_bytes(struct out *o, const char *bytes, size_t n);
void out_text(struct out *o, const char *text); /* as it stands */
void out_u64(struct out *o, uint64_t v);
void out_i64(struct out *o, int64_t v);
void out_f64(struct out *o, double v, int decimals); /* null if not finite; decimals: 0 to PLATE_JSON_DECIMALS_MAX */
/* Quoted; bytes that are no UTF-8 become U+FFFD. */
void out_string(struct out *o, const char *text, size_t n);
void out_chars(struct out *o, const char *text, size_t size); /* up to a NUL, of `size` bytes at most */
