#include "record.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

/* What is not derived is never recomputed, so its layout is part of the journal's and the ring's version. */
_Static_assert(sizeof(struct record_header) == 40, "record framing: raise the journal's and the ring's version");
_Static_assert(sizeof(struct plate_clock) == 48, "RECORD_CLOCK: raise the journal's and the ring's version");
_Static_assert(sizeof(struct plate_gap) == 24, "RECORD_GAP: raise the journal's and the ring's version");
_Static_assert(sizeof(struct record_calibration) == 672, "RECORD_CALIBRATION: raise the journal's and the ring's version");
_Static_assert(sizeof(struct plate_mark) == 184, "RECORD_MARK: raise the journal's and the ring's version");
_Static_assert(sizeof(struct record_session) == 144, "RECORD_SESSION: raise the journal's and the ring's version");
_Static_assert(sizeof(struct record_moment) == 16, "RECORD_BYTES: raise the capture's version");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "records are little-endian");

static uint32_t crc_word(uint32_t crc, uint64_t word) { return (uint32_t)crc32(crc, (const Bytef *)&word, sizeof word); }

static uint32_t crc_columns(uint32_t crc, const struct plate_column *c, size_t row_size)
{
    crc = crc_word(crc, row_size);
    for (; c->name; c++) {
        crc = (uint32_t)crc32(crc, (const Bytef *)c->name, (uInt)strlen(c->name));
        crc = crc_word(crc_word(crc_word(crc, (uint64_t)c->type), c->offset), c->size);
    }
    return crc;
}

uint32_t record_schema(void)
{
    uint32_t crc = crc_word(0, PLATE_DETECTOR_VERSION);
    crc = crc_columns(crc, plate_rep_columns, sizeof(struct plate_rep));
    crc = crc_word(crc_word(crc, offsetof(struct plate_rep, form)), sizeof(struct plate_finding));
    crc = crc_columns(crc, plate_set_columns, sizeof(struct plate_set));
    crc = crc_columns(crc, plate_asymmetry_columns, sizeof(struct plate_asymmetry));
    return crc_columns(crc, plate_correction_columns, sizeof(struct plate_correction));
}

uint32_t record_crc(const struct record_header *h, const void *payload)
{
    const size_t skip = offsetof(struct record_header, type);
    uLong crc = crc32(0, (const Bytef *)h + skip, sizeof *h - skip);
    /* zlib takes a NULL buffer for "start anew" */
    return (uint32_t)(h->size ? crc32(crc, payload, h->size) : crc);
}

bool record_of_event(const struct plate_event *e, struct record_header *ret_header, const void **ret_payload)
{
    static const struct {
        uint16_t type;
        uint32_t size;
    } kept[PLATE_EVENT_TYPES] = {[PLATE_EVENT_REP] = {RECORD_REP, sizeof e->u.rep},
                                 [PLATE_EVENT_SET] = {RECORD_SET, sizeof e->u.set},
                                 [PLATE_EVENT_ASYMMETRY] = {RECORD_ASYMMETRY, sizeof e->u.asymmetry},
                                 [PLATE_EVENT_MARK] = {RECORD_MARK, sizeof e->u.mark},
                                 [PLATE_EVENT_IMBALANCE] = {RECORD_IMBALANCE, sizeof e->u.imbalance},
                                 [PLATE_EVENT_CORRECTION] = {RECORD_CORRECTION, sizeof e->u.correction}};
    _Static_assert(PLATE_EVENT_TYPES == 8, "is the new kind of event kept?");
    if (e->type >= PLATE_EVENT_TYPES || !kept[e->type].type) return false;
    if (e->type == PLATE_EVENT_SET && e->u.set.ended_by == PLATE_SET_ACTIVE) return false;
    if (e->type == PLATE_EVENT_MARK && strcmp(e->u.mark.kind, "resume") != 0) return false;
    *ret_header = (struct record_header){.type = kept[e->type].type, .size = kept[e->type].size, .t_s = e->t_s};
    if (e->type == PLATE_EVENT_MARK) ret_header->sample = e->u.mark.sample;
    *ret_payload = &e->u;
    return true;
}

int record_parse(const void *bytes, size_t n, struct record_header *ret_header, const void **ret_payload)
{
    struct record_header h;
    if (n < sizeof h.magic) return -EAGAIN;
    memcpy(&h, bytes, sizeof h.magic);
    if (h.magic != RECORD_MAGIC) return -EBADMSG;
    if (n < sizeof h) return -EAGAIN;
    memcpy(&h, bytes, sizeof h);
    if (h.type < RECORD_BEGIN || h.type >= RECORD_TYPES || h.size > RECORD_MAX_PAYLOAD) return -EBADMSG;
    if (n < record_padded(h.size)) return -EAGAIN;
    const void *payload = (const char *)bytes + sizeof h;
    if (record_crc(&h, payload) != h.crc) return -EBADMSG;
    *ret_header = h;
    *ret_payload = payload;
    return 0;
}

const char *record_session_key(const char *mark_kind)
{
    static const char *const keys[][2] = {{"subject", "subject"},           {"exercise", "exercise"}, {"load_kg", "load_kg"},
                                          {"body_mass_kg", "body_mass_kg"}, {"involved", "involved"}, {"note", "notes"}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(mark_kind, keys[i][0]) == 0) return keys[i][1];
    return NULL;
}

void record_session_correction(const struct plate_correction *c, const char *who, struct record_session *ret)
{
    char what[PLATE_TEXT_SIZE];
    if (plate_correction_text(c, what, sizeof what) < 0) *what = '\0';
    *ret = (struct record_session){.key = "correction"};
    snprintf(ret->value, sizeof ret->value, "%s%s%s%s%s%s%s", what, *c->plate ? ", plate " : "", c->plate,
             *c->was ? ", was " : "", c->was, *who ? ", by " : "", who);
}
