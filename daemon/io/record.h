/* io/record.h - what ring and journal hold: one framed, checksummed record after another.
 * No I/O here, no allocation; values. Any thread.
 *
 * A record is a 40-byte header and `size` payload bytes, padded with zeros to a multiple of 8.
 * Little-endian, as every machine that plated runs on. docs/archive.md lists the payloads. */
#pragma once
#include "plate/event.h"
#include "plate/types.h"

enum record_type {
    RECORD_BEGIN = 1,   /* text: the recording as JSON (recording.h) */
    RECORD_BLOCK,       /* int32 counts [rows][cells] of `plate`, from `sample` on */
    RECORD_CLOCK,       /* struct plate_clock */
    RECORD_GAP,         /* struct plate_gap */
    RECORD_CALIBRATION, /* struct record_calibration, valid from `sample` on */
    RECORD_MARK,        /* struct plate_mark */
    RECORD_REP,         /* struct plate_rep  } derived: dropped and recomputed */
    RECORD_SET,         /* struct plate_set  } if RECORD_SCHEMA differs        */
    RECORD_ASYMMETRY,   /* struct plate_asymmetry, `sample` unused }           */
    RECORD_SESSION,     /* struct record_session: a key and a value from now on */
    RECORD_END,         /* u64 per plate: how many sample numbers the recording spans */
    RECORD_NEXT,        /* u64 per plate: the same, so far; the recording goes on in another file, its next part */
    RECORD_IMBALANCE,   /* struct plate_imbalance   } derived, too */
    RECORD_CORRECTION,  /* struct plate_correction  } */
    RECORD_SYNCED,      /* u64: so many bytes of the journal were on the disk before this was written (journal.c alone) */
    RECORD_SHAPE, /* text as of RECORD_BEGIN: plate `plate` has other cells, so a new part begins; `sample`: the how many-th
                   * request for one. In rings and captures; a journal ends with RECORD_NEXT instead */
    /* In captures alone (docs/capture.md): */
    RECORD_STATION = 32, /* text: what is configured, as JSON like that of RECORD_BEGIN */
    RECORD_BYTES,  /* struct record_moment, then the bytes of one read; `sample`: how many bytes of this port went before */
    RECORD_PORT,   /* struct record_moment, then a byte: 1 the port was opened, 0 it went away */
    RECORD_ABSENT, /* struct record_moment: the plate is silent and no longer waited for */
    RECORD_TYPES
};

struct record_calibration {
    struct plate_calibration calibration;
    char who[PLATE_TEXT_SIZE], why[PLATE_TEXT_SIZE];
    int64_t utc_ns;
};
struct record_session {
    char key[24], value[PLATE_TEXT_SIZE];
    double t_s;
    uint64_t sample; /* of the first plate */
    int64_t utc_ns;
};

struct record_moment {
    int64_t host_ns, utc_ns; /* the host's monotonic clock and UTC when the read returned */
};

/* Under which key of /session a mark of this kind is kept as well; NULL: it is not. */
const char *record_session_key(const char *mark_kind);
/* The entry that says what was put right, and by whom. */
void record_session_correction(const struct plate_correction *c, const char *who, struct record_session *ret);

struct record_header {
    uint32_t magic; /* RECORD_MAGIC */
    uint32_t crc;   /* CRC-32 (zlib) of the header after this field, and of the payload without padding */
    uint16_t type, plate;
    uint32_t size;   /* payload bytes without padding */
    uint64_t lsn;    /* record number, one more each within a ring's life (from its UTC ns on: no two rings share one); a
                      * record replayed twice is known by it. 0: not numbered */
    uint64_t sample; /* first sample that it speaks of */
    double t_s;      /* event records: when known; else 0 */
};
#define RECORD_MAGIC 0x44524c50u /* "PLRD" */
#define RECORD_MAX_PAYLOAD (1u << 20)

/* What acts on the core beside the bytes of the ports: commands, and where a recording begins and ends. */
static inline bool record_steers(uint16_t type)
{
    return type == RECORD_STATION || type == RECORD_BEGIN || type == RECORD_CALIBRATION || type == RECORD_MARK ||
           type == RECORD_SESSION || type == RECORD_END || type == RECORD_SHAPE;
}
/* The record that keeps what the core has said, payload included (it points into *e); false: none does. Phases and running sets
 * are told and not kept; a mark that was commanded is kept when it is commanded. */
bool record_of_event(const struct plate_event *e, struct record_header *ret_header, const void **ret_payload);
/* The layout of the structs above in this build; derived records of another one are not read (plate-trace recomputes). */
uint32_t record_schema(void);
static inline size_t record_padded(uint32_t size) { return sizeof(struct record_header) + (((size_t)size + 7) & ~(size_t)7); }
uint32_t record_crc(const struct record_header *h, const void *payload);
/* Checks the record at the front of [bytes, bytes + n): 0 and *ret_header with *ret_payload pointing into bytes;
 * -EAGAIN: the bytes end within it; -EBADMSG: not a record, or damaged. `bytes` is 8-aligned. */
int record_parse(const void *bytes, size_t n, struct record_header *ret_header, const void **ret_payload);
