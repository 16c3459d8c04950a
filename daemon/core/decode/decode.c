#include "protocol.h"

#include <errno.h>
#include <string.h>

const struct plate_protocol *const plate_protocols[] = {&plate_protocol_native,
                                                        &plate_protocol_csv,
                                                        &plate_protocol_openscale,
                                                        &plate_protocol_chronojump,
                                                        &plate_protocol_chronojump_platform,
                                                        &plate_protocol_sics,
                                                        &plate_protocol_auto,
                                                        NULL};

const struct plate_protocol *plate_protocol_find(const char *name)
{
    for (const struct plate_protocol *const *p = plate_protocols; name && *p; p++)
        if (strcmp((*p)->name, name) == 0) return *p;
    return NULL;
}

int plate_decoder_init_protocol(struct plate_decoder *d, const struct plate_protocol *protocol,
                                const struct plate_decoder_config *cfg)
{
    if (cfg->cells < 1 || cfg->cells > PLATE_MAX_CELLS) return -EINVAL;
    struct plate_decoder fresh = {.protocol = protocol, .cfg = *cfg};
    fresh.cfg.protocol = protocol->name; /* the caller's string need not outlive the call */
    int r = protocol->init(&fresh, &fresh.cfg);
    if (r < 0) return r;
    *d = fresh;
    return 0;
}

int plate_decoder_init(struct plate_decoder *d, const struct plate_decoder_config *cfg)
{
    const struct plate_protocol *protocol = plate_protocol_find(cfg->protocol);
    return protocol ? plate_decoder_init_protocol(d, protocol, cfg) : -ENOENT;
}

void plate_decoder_push(struct plate_decoder *d, const uint8_t *bytes, size_t n, const struct plate_decode_sink *sink)
{
    d->stats.bytes += n;
    if (dialogue_step(d)) dialogue_hear(d, bytes, n, sink);
    if (n > 0) d->protocol->push(d, bytes, n, sink);
}

void plate_decoder_reset(struct plate_decoder *d)
{
    d->protocol->reset(d);
    dialogue_begin(d);
}
