/* app/operator.h - one lock on all commands, so that two tablets do not fight over a session. Who holds it has a name, for
 * people, and a token that he chose himself: it outlives his connection, and whoever knows it is him. Pure: times are handed
 * in. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

enum { OPERATOR_NAME_SIZE = 32, OPERATOR_TOKEN_LEAST = 8, OPERATOR_TOKEN_SIZE = 65 };
#define OPERATOR_SILENCE_NS (30 * 60 * 1000000000LL) /* he is gone when nobody has shown his token for so long */

struct operator_lock {
    char name[OPERATOR_NAME_SIZE], token[OPERATOR_TOKEN_SIZE]; /* name empty: it is free */
    int64_t since_utc_ns, heard_ns;                            /* heard_ns: monotonic */
};

/* 8 to 64 of A-Z a-z 0-9 - _ . */
bool operator_token_valid(const char *token);
static inline bool operator_held(const struct operator_lock *l) { return l->name[0] != '\0'; }
/* True if nobody holds it, or whoever knows this token ("": none): then he has been heard. */
bool operator_may(struct operator_lock *l, const char *token, int64_t now_ns);
/* 0, also for who has it already; -EBUSY: another holds it. `by_force`: he loses it. */
int operator_take(struct operator_lock *l, const char *name, const char *token, bool by_force, int64_t now_ns, int64_t utc_ns);
/* 0, also if it is free; -EBUSY: another holds it. */
int operator_release(struct operator_lock *l, const char *token);
/* True, once, when the holder has not been heard for OPERATOR_SILENCE_NS: it is free then. */
bool operator_expire(struct operator_lock *l, int64_t now_ns);
