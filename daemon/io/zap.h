/* io/zap.h - judges one request of ZAP, ZeroMQ's authentication protocol (its RFC 27): is this key in the list? Pure. */
#pragma once
#include "keys.h"

enum { ZAP_FRAMES = 7, ZAP_METADATA_BYTES = 32 };

struct zap_frame {
    const void *bytes;
    size_t n;
};
struct zap_answer {
    const char *status, *text;        /* "200", "400", "500" and why */
    const struct keys_client *client; /* who it is, of the list; NULL unless 200 */
    uint8_t metadata[ZAP_METADATA_BYTES];
    size_t metadata_n;
};
#define ZAP_RIGHT "X-Right" /* a message's property: "command" or "watch" */

/* version, request id, domain, address, routing id, mechanism, key. */
void zap_judge(const struct zap_frame *frame, unsigned frames, const struct keys_clients *list, struct zap_answer *ret);
