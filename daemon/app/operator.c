#include "operator.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

bool operator_token_valid(const char *token)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const size_t n = strlen(token);
    return n >= OPERATOR_TOKEN_LEAST && n < OPERATOR_TOKEN_SIZE && strspn(token, allowed) == n;
}

/* How long it takes says nothing about how much of it is right. */
static bool same_token(const struct operator_lock *l, const char *token)
{
    char padded[OPERATOR_TOKEN_SIZE] = "";
    unsigned differs = 0;
    if (strlen(token) >= sizeof padded) return false;
    memcpy(padded, token, strlen(token));
    for (size_t i = 0; i < sizeof padded; i++) differs |= (unsigned char)(padded[i] ^ l->token[i]);
    return differs == 0;
}

bool operator_may(struct operator_lock *l, const char *token, int64_t now_ns)
{
    if (!operator_held(l)) return true;
    if (!same_token(l, token)) return false;
    l->heard_ns = now_ns;
    return true;
}

int operator_take(struct operator_lock *l, const char *name, const char *token, bool by_force, int64_t now_ns, int64_t utc_ns)
{
    const bool his = operator_held(l) && same_token(l, token);
    if (operator_held(l) && !his && !by_force) return -EBUSY;
    struct operator_lock taken = {.since_utc_ns = his ? l->since_utc_ns : utc_ns, .heard_ns = now_ns};
    snprintf(taken.name, sizeof taken.name, "%s", name);
    snprintf(taken.token, sizeof taken.token, "%s", token);
    *l = taken;
    return 0;
}

int operator_release(struct operator_lock *l, const char *token)
{
    if (operator_held(l) && !same_token(l, token)) return -EBUSY;
    *l = (struct operator_lock){.name = ""};
    return 0;
}

bool operator_expire(struct operator_lock *l, int64_t now_ns)
{
    if (!operator_held(l) || now_ns - l->heard_ns < OPERATOR_SILENCE_NS) return false;
    *l = (struct operator_lock){.name = ""};
    return true;
}
