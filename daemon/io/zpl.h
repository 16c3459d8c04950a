/* io/zpl.h - reads ZPL, the property format of ZeroMQ (its RFC 4), line by line: names at the margin begin a section, indented
 * lines are its properties. Pure. */
#pragma once
#include <stddef.h>

enum { ZPL_NAME_SIZE = 64, ZPL_VALUE_SIZE = 256 };

struct zpl { /* begin with text, left */
    const char *text;
    size_t left;
    unsigned line;   /* of what was found last, from 1 */
    const char *why; /* after -EINVAL */
};
struct zpl_item {
    size_t indent; /* blanks before it; 0: a section */
    char name[ZPL_NAME_SIZE], value[ZPL_VALUE_SIZE];
};
/* 1 with the next item, 0 at the end, -EINVAL with z->line and z->why. */
int zpl_next(struct zpl *z, struct zpl_item *ret);
