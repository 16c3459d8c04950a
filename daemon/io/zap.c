#include "zap.h"
#include <string.h>
#include <zmq.h>

static bool is(const struct zap_frame *f, const char *text) { return f->n == strlen(text) && !memcmp(f->bytes, text, f->n); }

/* One property: length and name, length (4 bytes, high first) and value. */
static size_t property(const char *name, const char *value, uint8_t to[ZAP_METADATA_BYTES])
{
    const size_t name_n = strlen(name), value_n = strlen(value);

    to[0] = (uint8_t)name_n;
    memcpy(to + 1, name, name_n);
    memset(to + 1 + name_n, 0, 3);
    to[name_n + 4] = (uint8_t)value_n;
    memcpy(to + name_n + 5, value, value_n);
    return name_n + 5 + value_n;
}

static const struct keys_client *find(const struct keys_clients *list, const uint8_t key[KEY_BYTES])
{
    char text[KEY_CHARS + 1];

    zmq_z85_encode(text, key, KEY_BYTES);
    for (const struct keys_client *c = list->client; c < list->client + list->n; c++)
        if (!strcmp(c->public_key, text)) return c;
    return NULL;
}

void zap_judge(const struct zap_frame *frame, unsigned frames, const struct keys_clients *list, struct zap_answer *ret)
{
    enum { VERSION, MECHANISM = 5, KEY };
    struct zap_answer a = {.status = "500", .text = "no ZAP 1.0 request"};

    if (frames > MECHANISM && is(&frame[VERSION], "1.0")) {
        a.status = "400";
        a.text = "not in the list of clients";
        if (frames == ZAP_FRAMES && is(&frame[MECHANISM], "CURVE") && frame[KEY].n == KEY_BYTES)
            a.client = find(list, frame[KEY].bytes);
    }
    if (a.client) {
        a.status = "200";
        a.text = "";
        a.metadata_n = property(ZAP_RIGHT, a.client->command ? "command" : "watch", a.metadata);
    }
    *ret = a;
}
