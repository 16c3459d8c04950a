/* config_run.h - texts that are taken, and texts that are not; shared by the tests of the configuration. */
#pragma once
#include "config_schema.h"

#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PLATE "plates: [{name: a, port: /dev/x, cells: [{name: force}]}]\n"
#define CORNERS "cells: [{name: front_left}, {name: front_right}, {name: back_left}, {name: back_right}]"

static inline int parse(const char *text, struct config *c, struct config_error *why)
{
    return config_parse(text, strlen(text), "t.yaml", c, why);
}

static inline void parse_ok(const char *text, struct config *c)
{
    struct config_error why = {""};
    if (parse(text, c, &why) < 0) fail_msg("%s\n%s", why.text, text);
}

static inline void expect_error(const char *text, const char *expected)
{
    struct config c;
    struct config_error why = {""};
    memset(&c, 0x55, sizeof c);
    if (parse(text, &c, &why) != -EINVAL) fail_msg("taken, but expected %s:\n%s", expected, text);
    for (size_t i = 0; i < sizeof c; i++) assert_int_equal(((unsigned char *)&c)[i], 0x55); /* outputs only on success */
    if (!strstr(why.text, expected)) fail_msg("%s\nexpected %s", why.text, expected);
    assert_null(strchr(why.text, '\n'));
}

static inline bool same_number(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

/* Every key of the table, through every list. */
static inline void assert_same(enum config_section section, const char *a, const char *b)
{
    unsigned n;
    const struct config_key *keys = config_section_keys(section, &n);
    for (unsigned i = 0; i < n; i++) {
        const struct config_key *k = &keys[i];
        const char *x = a + k->offset, *y = b + k->offset;
        bool same = true;
        if (k->kind == CONFIG_TEXT || k->kind == CONFIG_NAME) same = strcmp(*(char *const *)x, *(char *const *)y) == 0;
        if (k->kind == CONFIG_NUMBER) same = same_number(*(const double *)x, *(const double *)y);
        if (k->kind == CONFIG_WHOLE || k->kind == CONFIG_WORD || k->kind == CONFIG_BOOL) same = memcmp(x, y, k->size) == 0;
        if (k->kind == CONFIG_ROW) {
            const struct config_row *r = (const struct config_row *)x, *s = (const struct config_row *)y;
            same = r->cells == s->cells && memcmp(r->cell, s->cell, r->cells * sizeof *r->cell) == 0;
        }
        if (k->kind == CONFIG_WORDS) same = memcmp(x, y, sizeof(struct config_words)) == 0;
        if (!same) fail_msg("%s%s differs", config_section_prefix(section), k->name);
        if (k->kind == CONFIG_MAP) assert_same(k->of, a, b);
        if (k->kind != CONFIG_LIST) continue;
        const unsigned entries = *(const unsigned *)(a + k->count_offset);
        assert_int_equal(entries, *(const unsigned *)(b + k->count_offset));
        for (unsigned e = 0; e < entries; e++)
            assert_same(k->of, *(char *const *)x + k->size * e, *(char *const *)y + k->size * e);
    }
}

static inline void assert_round_trip(const struct config *c)
{
    struct config again;
    parse_ok(c->text, &again);
    assert_string_equal(c->text, again.text);
    assert_same(CONFIG_TOP, (const char *)c, (const char *)&again);
    config_done(&again);
}
