/* plate/decode.h - from bytes to frames of counts; one protocol is one `const` struct in daemon/core/decode/.
 * Pure: no I/O, no clock, no allocation. One decoder per port, one thread.
 *
 * A decoder takes bytes as they come, split anywhere: the frames do not depend on the splits (a property
 * that is tested). It never invents a sample: bytes that fail a check are thrown away and counted. */
#pragma once
#include "types.h"

#ifdef __cplusplus
extern "C" {
#endif

/* One sample as the device sent it. */
struct plate_frame {
    int32_t counts[PLATE_MAX_CELLS];
    unsigned cells;
    uint64_t seq;   /* unwrapped sample number of the device, if has_seq */
    uint64_t ticks; /* unwrapped device counter, unit plate_decoder.tick_s, if has_ticks */
    bool has_seq, has_ticks;
    bool restarted; /* the device's counters started anew just before this frame */
};

/* An edge on the device's trigger input: a sync pulse, by which video and EMG are aligned. */
struct plate_edge {
    bool rising;
    bool has_ticks;
    uint64_t ticks; /* when, by the device's clock; without it: at the frame that follows */
};

/* What a device says of itself (native: the hello frame; others: what they answer when they are asked). */
struct plate_hello {
    char name[PLATE_NAME_SIZE], serial[PLATE_NAME_SIZE];
    unsigned version, cells; /* 0: not said */
    double rate_Hz;          /* 0: not said */
    double count_scale_N;    /* newtons per count of the factory calibration; 0: not said */
};

/* What became of the bytes. Every byte is in a frame or is counted as thrown away. */
struct plate_decode_stats {
    uint64_t bytes, frames;
    uint64_t bad_length, bad_checksum, bad_sanity; /* packets or lines thrown away, by reason */
    uint64_t no_value;                             /* lines in which the device says that it has none (overload, busy) */
    uint64_t edges;                                /* of the trigger input */
    uint64_t discarded_bytes;                      /* the bytes of those, and of noise between packets */
    uint64_t taken_bytes;                          /* of what was believed; bytes = taken + discarded + the packet under way */
};

/* csv: lines of numbers. A value is stored as the integer round(value * 10^decimals). */
/* A tick is the time unit, or a millionth of it where the unit is a millisecond or more (such columns carry decimals):
 * plate_decoder.tick_s has it after plate_decoder_init. */
struct plate_csv_options {
    char separator;        /* ',' ';' '\t' ' ' (space: any run of blanks) */
    bool decimal_comma;    /* 12,5 means 12.5; the separator must then be another character */
    unsigned time_column;  /* 1-based; 0: no time column */
    double time_unit_s;    /* seconds per unit of the time column, e.g. 1e-6; 0 with no time column */
    unsigned time_bits;    /* the counter wraps at 2^time_bits units, 0..40; 0: it does not wrap */
    unsigned first_column; /* 1-based column of the first cell; the others follow it */
    unsigned decimals;     /* 0..6 */
    double unit_N;         /* newtons of one unit of the cells' columns; 0: 1 */
};

struct plate_decoder_config {
    const char *protocol; /* a name of plate_protocols[] */
    unsigned cells;       /* 1..PLATE_MAX_CELLS */
    struct plate_csv_options csv;
};

struct plate_decoder;
/* Called for each frame and edge, in order (an edge before the first frame at or after it); hello is called when a device
 * introduces itself. */
struct plate_decode_sink {
    void (*frame)(void *user, const struct plate_frame *frame);
    void (*hello)(void *user, const struct plate_hello *hello); /* may be NULL */
    void (*edge)(void *user, const struct plate_edge *edge);    /* may be NULL */
    void *user;
};

/* The verdict on the front of a byte run: rtl_433's and libsigrok's habit. */
enum plate_verdict { PLATE_NEED_MORE, PLATE_PACKET, PLATE_INVALID };

/* A step of the dialogue with which a device is brought to send. It is over when the device answers, or sends samples. */
struct plate_decode_step {
    const char *say;     /* what is written to it; NULL: only listen */
    const char *hear;    /* its answer begins so; NULL: samples are the answer */
    unsigned after_ms;   /* wait before saying it: many boards start anew when their port is opened */
    unsigned within_ms;  /* the answer is due; then it is said again */
    unsigned tries;      /* so often; then `trouble` is told, and it goes on being said */
    const char *trouble; /* "what, and what to do"; NULL: the next step is gone on to instead */
    enum { PLATE_TELLS_NOTHING, PLATE_TELLS_NAME, PLATE_TELLS_SERIAL } tells; /* what the line that is heard is good for */
};

/* A protocol. Copy daemon/core/decode/template.c to write one. */
struct plate_protocol {
    const char *name;
    const char *what; /* one line for --help and docs */
    int (*init)(struct plate_decoder *d, const struct plate_decoder_config *cfg);
    void (*push)(struct plate_decoder *d, const uint8_t *bytes, size_t n, const struct plate_decode_sink *sink);
    void (*reset)(struct plate_decoder *d);   /* forgets the packet under way, and counts its bytes */
    const struct plate_decode_step *dialogue; /* ends with an empty step; NULL: nothing is said or waited for */
};
PLATE_API extern const struct plate_protocol *const plate_protocols[]; /* NULL-terminated */
PLATE_API const struct plate_protocol *plate_protocol_find(const char *name);

/* Where the dialogue is; the answers move it on, and the time, which is handed in. */
struct plate_dialogue {
    unsigned step, tries;
    bool timed; /* `due_ns` belongs to this step */
    int64_t due_ns;
    uint64_t frames; /* when it began: samples end it */
    const char *trouble;
    unsigned matched, heard; /* bytes of `hear`, and of the line that began so */
    char line[PLATE_NAME_SIZE];
};

#define PLATE_DECODER_STATE_SIZE 2048
struct plate_decoder { /* embed freely; touch only through plate_decoder_*() */
    const struct plate_protocol *protocol;
    struct plate_decoder_config cfg;
    struct plate_decode_stats stats;
    struct plate_dialogue dialogue;
    double tick_s;             /* seconds per device tick; 0: the device sends no clock */
    double count_scale_N;      /* newtons of one count, where the protocol fixes it; 0: raw counts of a converter */
    char why[PLATE_TEXT_SIZE]; /* auto: what it was recognised by; "" before, and for the others */
    union {
        uint8_t bytes[PLATE_DECODER_STATE_SIZE];
        uint64_t align;
    } state;
};

/* 0; -ENOENT: no such protocol; -EINVAL: the options make no sense (*d is then untouched). */
PLATE_API int plate_decoder_init(struct plate_decoder *d, const struct plate_decoder_config *cfg);
PLATE_API void plate_decoder_push(struct plate_decoder *d, const uint8_t *bytes, size_t n,
                                  const struct plate_decode_sink *sink);
/* Forgets a half-read packet (its bytes count as discarded) and begins the dialogue anew: after a port was opened again.
 * Counters of the device may restart. */
PLATE_API void plate_decoder_reset(struct plate_decoder *d);
/* What is to be written to the device now, or NULL. *ret_due_ns: when to ask again at the latest, INT64_MAX: never. To be asked
 * from when the port is open, after each read, and when it is due. Frames never depend on it. */
PLATE_API const char *plate_decoder_say(struct plate_decoder *d, int64_t now_ns, int64_t *ret_due_ns);
/* What hinders the dialogue ("what, and what to do"); NULL: nothing. A constant: another pointer is another trouble. */
PLATE_API const char *plate_decoder_trouble(const struct plate_decoder *d);
/* False while `auto` does not know yet what the device speaks; tick_s and count_scale_N hold from then on. */
PLATE_API bool plate_decoder_settled(const struct plate_decoder *d);

#ifdef __cplusplus
}
#endif
