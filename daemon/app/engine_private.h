/* app/engine_private.h - what the parts of the engine and the control socket share. */
#pragma once
#include <jansson.h>
#include <stdatomic.h>

#include "engine.h"
#include "plate/cell.h"
#include "plate/intake.h"
#include "plate/measure.h"
#include "plate/preview.h"
#include "plate/station.h"

enum { ENGINE_CHANNELS = 3 + PLATE_MAX_CELLS, ENGINE_ROWS = 1024, ENGINE_PREVIEW_CHANNELS = 7, ENGINE_PREVIEW_ROWS = 64 };

/* The last second of raw counts. */
struct engine_window {
    int32_t *counts; /* [rows][cells], a ring */
    unsigned rows, at, filled;
};

/* Bins that wait to go out as preview/. */
struct engine_preview {
    struct plate_preview decimator;
    float row[ENGINE_PREVIEW_ROWS][ENGINE_PREVIEW_CHANNELS];
    unsigned rows;
    struct plate_preview_bin first;
};

struct stream_peer;

struct engine_plate {
    const struct config_plate *cfg;
    struct engine *engine;
    unsigned index;
    /* port */
    struct port *port;
    bool opening;
    unsigned empty_reads;
    int64_t retry_ns, opened_ns, read_ns;
    int64_t missed_ns;          /* since when others are heard and this one is not; 0: they are not either */
    uint64_t opened_bytes;      /* had come when it was opened */
    unsigned baud, bauds_tried; /* auto: in force; of those that are looked through, since it was plugged in */
    char error[256];
    /* bytes to samples */
    struct plate_intake in;
    bool absent, told_rate, told_refused;
    bool settled; /* it is known what the device speaks */
    struct {
        unsigned cells; /* 0: as they are */
        double count_scale;
        uint64_t number;
    } wanted; /* the shape in which the device came back, while the archivist begins a part for it */
    unsigned told_version;
    int64_t talk_ns; /* when the device may have to be told something */
    const char *told_trouble;
    uint64_t edges_unkept; /* sync pulses that the ring did not take */
    struct plate_calibration calibration;
    char device[PLATE_TEXT_SIZE], serial[PLATE_NAME_SIZE];
    struct engine_window window;
    struct plate_cells cells;
    enum plate_cell_fault fault[PLATE_MAX_CELLS]; /* as told */
    bool zero_known;                              /* it was tared, or the configuration has offsets */
    uint64_t samples, lost, gaps, overrun;
    struct plate_gap unkept; /* samples that the ring did not take: a gap, once it takes something again */
    /* out */
    float *row;
    unsigned rows;
    uint64_t row_first;
    double row_t_s;
    int64_t row_ns;
    struct engine_preview preview;
    enum plate_phase phase;
    double force_N;
};

/* What `start` may say; empty text, NONE and NaN: not said. */
struct engine_start {
    char subject[PLATE_TEXT_SIZE], exercise[PLATE_TEXT_SIZE], note[PLATE_TEXT_SIZE];
    bool has_side, has_involved;
    enum plate_side side, involved;
    double load_kg, body_mass_kg;
};

/* What waits to go out as share/: the left foot's part of the load, and the load, at each sample of the left plate. */
struct engine_share {
    float row[ENGINE_ROWS][2];
    unsigned rows;
    double t_s, rate_Hz;
};

struct engine {
    struct engine_parts parts;
    struct engine_share share;
    const struct config *config;
    struct plate_station_config station_config;
    struct plate_station *station; /* has seen what the ring has taken */
    struct plate_station *ahead;   /* while the ring takes no samples: has seen these as well; else NULL */
    struct engine_plate *plate;
    unsigned plates;
    bool recording, autostarted, quit;
    bool autostart_due;       /* the first sample begins a recording, */
    struct engine_start next; /* with what was said before it came */
    int64_t started_ns;
    struct plate_epoch epoch; /* not set: the moment when the recording was begun */
    char session[128], archive[512];
    char subject[PLATE_TEXT_SIZE], exercise[PLATE_TEXT_SIZE];
    enum plate_side side, involved;
    struct plate_plan plan; /* set 0: none */
    uint64_t shapes;        /* parts that were asked for */
    int64_t health_ns;
    uint64_t forbidden; /* commands of those who may only watch */
    uint64_t sealed_seen;
    char seal_error_seen[256];
    bool ring_full_told;
    bool wait_told; /* that autostart waits for an `auto` */
    bool end_due;   /* RECORD_END did not fit into the ring yet */
    uint64_t span[PLATE_MAX_PLATES];
    char last_base[96]; /* names that were given out, also those whose file is not there yet */
    unsigned last_number;
    char archive_error[256]; /* as it was said */
    uint64_t archive_errors;
    bool archive_warned;
    struct control *control;
    const char *who;   /* whose command is being carried out: "" somebody's without a name; NULL: nobody's */
    char who_said[64]; /* who commanded last, as the marks of this recording say */
};

#define ENGINE_RING_RESERVE (256u << 10) /* of the ring, kept from samples for all other records; an eighth if it is small */
/* A plate that is silent for so long while another is heard is not waited for. If all are silent together (a hub or this
 * machine stood still), what they have to say comes together, too, and nothing is decided before: longer. */
#define ENGINE_ABSENT_NS 500000000LL
#define ENGINE_ALL_ABSENT_NS 2000000000LL
int64_t engine_now_ns(void);
int64_t engine_utc_ns(void);
double engine_now_s(const struct engine *e); /* the recording's time, 0 before its first sample */
json_t *engine_real_or_null(double v);

/* engine.c */
void engine_hang_up(struct engine_plate *p);   /* closes the port; it is opened again at p->baud */
void engine_take_held(struct engine_plate *p); /* samples that wait until the hole before them is known */

/* engine_record.c */
int engine_put(struct engine *e, uint16_t type, unsigned plate, uint64_t sample, double t_s, const void *a, size_t n);
int engine_new_station(struct engine *e);
int engine_capture_station(struct engine *e); /* the head of a capture; -ENOMEM */
bool engine_ring_half_empty(const struct engine *e);
bool engine_ring_takes(const struct engine *e, size_t bytes, bool samples);
void engine_end_if_due(struct engine *e);
void engine_put_unkept(struct engine_plate *p); /* the gap that stands for refused samples, to ring and core */
/* engine_outage.c */
void engine_refuse(struct engine_plate *p, uint64_t first, const int32_t *counts, size_t n);
void engine_outage_over(struct engine *e); /* ... once the ring has emptied by half */
static inline struct plate_station *engine_foremost(const struct engine *e) { return e->ahead ? e->ahead : e->station; }
int engine_steer(struct engine *e, const struct plate_mark *m);
int engine_calibrate(struct engine_plate *p);
void engine_on_event(void *user, const struct plate_event *ev);
void engine_tell(struct engine *e, const struct plate_event *ev); /* its subscribers, and nobody else */
/* Each: 0, or -errno with the reason in `why`. */
int engine_start(struct engine *e, const struct engine_start *s, char *why, size_t size);
int engine_stop(struct engine *e, char *why, size_t size);
void engine_put_session(struct engine *e, struct record_session *s, double t_s);
/* Outside a recording into a capture alone. */
void engine_put_calibration(struct engine_plate *p, uint64_t sample, const char *why);
char *engine_recording_text(struct engine *e, const char *session); /* JSON; NULL: out of memory */

/* engine_command.c. Each: 0, or -errno with the reason in `why`; -EINVAL: what was asked makes no sense. */
int engine_mark(struct engine *e, const char *kind, const char *value, const char *plate, double *ret_t_s, char *why,
                size_t size);
/* Of a set or a rep of this recording; c->set 0: the latest set. */
int engine_correct(struct engine *e, struct plate_correction *c, double *ret_t_s, char *why, size_t size);
/* Somebody else commands than before: that stands in front of what he commands. engine_mark() does it by itself. */
void engine_mark_who(struct engine *e);

/* engine_cells.c */
int engine_cells_init(struct engine_plate *p); /* -ENOMEM, -EINVAL; after cfg, intake and calibration were set, and again */
void engine_cells_done(struct engine_plate *p);
void engine_cells_take(struct engine_plate *p, const int32_t *counts, size_t n); /* and says what it finds */
void engine_cells_gap(struct engine_plate *p);
void engine_cells_text(const struct engine_plate *p, char *ret, size_t size); /* "back_left stuck, ..."; "": all are sound */
int engine_cells_drift(const struct engine_plate *p, char *ret, size_t size); /* -ENODATA: it was not empty twice */
/* Of the last second. Each: 0, or -errno with the reason in `why`. */
int engine_measure(const struct engine_plate *p, struct plate_measurement *ret, char *why, size_t size);
int engine_can_tare(const struct engine_plate *p, struct plate_measurement *ret, char *why, size_t size);
int engine_tare(struct engine_plate *p, struct plate_measurement *ret, char *why, size_t size);
/* A calibration in force from the next sample on. `value`: what the mark of kind `calibrate` says. */
int engine_calibrated(struct engine_plate *p, const struct plate_calibration *c, const char *value, char *why, size_t size);

/* engine_shape.c */
const char *engine_cell_name(const struct engine_plate *p, unsigned i);
void engine_cell(const struct engine_plate *p, unsigned i, struct plate_cell *ret);
/* What the plate has, or will have, goes into the recording's description. */
void engine_describe_shape(const struct engine_plate *p, struct recording_plate *ret);
/* The device has said how many cells it has, and it was another number. False: its samples are not taken. */
bool engine_other_shape(struct engine_plate *p, const struct plate_hello *h);
void engine_take_shapes(struct engine *e);        /* those for which there is a part now */
void engine_forget_shape(struct engine_plate *p); /* the recording is over */

/* engine_device.c */
void engine_on_hello(void *user, const struct plate_hello *h);
void engine_on_edge(void *user, const struct plate_intake_edge *edge);
void engine_settle(struct engine_plate *p);                          /* `auto` has found out what the device speaks */
const struct engine_plate *engine_unsettled(const struct engine *e); /* the first of which it is not known; NULL: all are */
void engine_talk(struct engine_plate *p, int64_t now_ns);

/* engine_say.c */
void engine_publish(struct engine *e, const char *topic, const char *cache_key, double t_s, const char *body,
                    const void *payload, size_t n);
void engine_publish_json(struct engine *e, const char *topic, const char *cache_key, double t_s, json_t *body);
void engine_say_session(struct engine *e, const char *state, const char *archive);
void engine_say_gap(struct engine_plate *p, const struct plate_gap *g);
void engine_say_status(struct engine *e);
void engine_health(struct engine *e, const char *kind, const char *level, const char *plate, const char *text);

/* engine_samples.c */
void engine_on_force(void *user, const struct plate_force_block *b);
void engine_on_share(void *user, double t_s, double left_N, double right_N);
void engine_flush_samples(struct engine_plate *p); /* sends what waits */
void engine_end_samples(struct engine *e);         /* ... to the last; what comes next is another recording */

/* control.c */
struct control *control_new(void); /* NULL: out of memory */
void control_free(struct control *c);
/* One JSON-RPC request in, one answer out (stream_request_fn; user is the engine). */
size_t control_request(void *user, const struct stream_peer *from, const char *json, size_t n, char *reply, size_t reply_size);
void control_ports(struct engine *e, const struct helper_result *r); /* the ports that were asked for are known */
void control_due(struct engine *e, int64_t now_ns);
const char *control_operator(const struct engine *e); /* who holds the lock; "" nobody */
