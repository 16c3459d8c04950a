/* store_fixture.h - a small recording of two plates, as records, for the tests of ring, journal and archive. */
#pragma once
#include "record.h"
#include "recording.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIXTURE_RATE = 1000, FIXTURE_RECORDS = 64, FIXTURE_ROWS = 90, FIXTURE_SPAN = 120 };

struct fixture_record {
    struct record_header h;
    union {
        char text[4096];
        int32_t counts[FIXTURE_ROWS * PLATE_MAX_CELLS];
        struct plate_clock clock;
        struct plate_gap gap;
        struct record_calibration calibration;
        struct plate_mark mark;
        struct plate_rep rep;
        struct plate_set set;
        struct plate_asymmetry asymmetry;
        struct record_session session;
        uint64_t spans[PLATE_MAX_PLATES];
    } u;
};
struct fixture {
    struct recording recording;
    struct fixture_record record[FIXTURE_RECORDS]; /* the first is BEGIN, the last END */
    unsigned records;
};

static inline int32_t fixture_count(unsigned plate, uint64_t sample, unsigned cell)
{
    return sample == 7 ? INT32_MIN : (int32_t)(sample * 8 + cell) * (plate ? -1 : 1);
}

static inline struct fixture_record *fixture_add(struct fixture *f, enum record_type type, unsigned plate, uint64_t sample,
                                                 size_t size)
{
    struct fixture_record *r = &f->record[f->records++];
    r->h.type = (uint16_t)type;
    r->h.plate = (uint16_t)plate;
    r->h.sample = sample;
    r->h.size = (uint32_t)size;
    return r;
}

static inline void fixture_block(struct fixture *f, unsigned plate, uint64_t sample, unsigned rows)
{
    const unsigned cells = f->recording.plate[plate].cells;
    struct fixture_record *r = fixture_add(f, RECORD_BLOCK, plate, sample, rows * cells * sizeof(int32_t));
    for (unsigned i = 0; i < rows * cells; i++) r->u.counts[i] = fixture_count(plate, sample + i / cells, i % cells);
}

static inline void fixture_clock(struct fixture *f, unsigned plate, uint64_t sample, double t_s, double period_s)
{
    struct fixture_record *r = fixture_add(f, RECORD_CLOCK, plate, sample, sizeof r->u.clock);
    r->u.clock = (struct plate_clock){sample, t_s, period_s, sample * 1000, 5000000000 + (int64_t)sample, 1700000000000000000};
}

static inline void fixture_gap(struct fixture *f, unsigned plate, uint64_t sample, uint64_t count, enum plate_gap_reason reason,
                               bool estimated)
{
    struct fixture_record *r = fixture_add(f, RECORD_GAP, plate, sample, sizeof r->u.gap);
    r->u.gap = (struct plate_gap){sample, count, reason, estimated};
}

static inline void fixture_calibration(struct fixture *f, unsigned plate)
{
    struct fixture_record *r = fixture_add(f, RECORD_CALIBRATION, plate, 0, sizeof r->u.calibration);
    plate_calibration_identity(&r->u.calibration.calibration, f->recording.plate[plate].cells, 0.5);
    r->u.calibration.calibration.tare[0] = 1.25;
    r->u.calibration.calibration.matrix[0][0] = 0.75;
    r->u.calibration.utc_ns = 1700000000123456789;
    strcpy(r->u.calibration.who, "Zoë");
    strcpy(r->u.calibration.why, "start");
}

static inline void fixture_events(struct fixture *f)
{
    struct fixture_record *r = fixture_add(f, RECORD_SESSION, 0, 0, sizeof r->u.session);
    r->u.session = (struct record_session){.key = "subject", .value = "S01", .t_s = 0, .sample = 0, .utc_ns = 42};
    r = fixture_add(f, RECORD_MARK, 0, 10, sizeof r->u.mark);
    r->u.mark = (struct plate_mark){.t_s = 0.01, .plate = "left", .sample = 10, .kind = "side", .value = "left", .utc_ns = 43};
    r = fixture_add(f, RECORD_REP, 0, 100, sizeof r->u.rep);
    r->h.t_s = 0.1;
    r->u.rep = (struct plate_rep){.plate = "left",
                                  .side = PLATE_SIDE_LEFT,
                                  .set = 1,
                                  .rep = 1,
                                  .warmup = 1,
                                  .exercise = "squat",
                                  .onset_s = 0.02,
                                  .end_s = 0.09,
                                  .peak_force_N = 812.5,
                                  .rfd_0_50_N_per_s = NAN,
                                  .cop_x_mm = NAN,
                                  .findings = 2,
                                  .form = {{"bounce", 0.1, 0.2}, {"short_hold", 0.5, 1.0}}};
    r = fixture_add(f, RECORD_SET, 0, 100, sizeof r->u.set);
    r->h.t_s = 0.1;
    r->u.set = (struct plate_set){
        .set = 1, .side = PLATE_SIDE_LEFT, .exercise = "squat", .ended_by = PLATE_SET_BY_STOP, .reps = 1, .hold_force_N = NAN};
    r = fixture_add(f, RECORD_ASYMMETRY, 0, 0, sizeof r->u.asymmetry);
    r->h.t_s = 0.11;
    r->u.asymmetry = (struct plate_asymmetry){.metric = "peak_force_N",
                                              .primary = 1,
                                              .mode = PLATE_BILATERAL,
                                              .index = "percentage_difference",
                                              .direction = 1,
                                              .value_pct = -12.5,
                                              .ci95_low_pct = NAN,
                                              .verdict = PLATE_LEFT_WEAKER,
                                              .n_left = 3};
}

/* 120 samples a plate: left has four cells and a gap of 30 from sample 50, right one cell and a gap of 30 at the end. */
static inline void fixture_fill(struct fixture *f)
{
    static const char *const corner[] = {"front_left", "front_right", "back_left", "back_right"};
    memset(f, 0, sizeof *f);
    struct recording *rec = &f->recording;
    strcpy(rec->name, "fixture");
    strcpy(rec->station, "bench");
    strcpy(rec->session, "2023-11-14T22-13-20");
    strcpy(rec->software, "plated 0.1.0");
    rec->created_utc_ns = 1700000000123456789;
    rec->started_host_ns = 5000000000;
    rec->config = strdup("station: bench\nplates: [] # \xc2\xb5\n");
    rec->plates = 2;
    for (unsigned i = 0; i < 2; i++) {
        struct recording_plate *p = &rec->plate[i];
        strcpy(p->name, i ? "right" : "left");
        strcpy(p->protocol, "native");
        p->rate_Hz = FIXTURE_RATE;
        p->tick_s = 1e-6;
        p->count_scale = 0.5;
        p->cells = i ? 1 : 4;
        for (unsigned k = 0; k < p->cells; k++) {
            strcpy(p->cell[k].name, i ? "force" : corner[k]);
            p->cell[k].x_mm = i ? NAN : k % 2 ? 150 : -150;
            p->cell[k].y_mm = i ? NAN : k < 2 ? 200 : -200;
        }
    }
    strcpy(rec->plate[0].device, "native");
    strcpy(rec->plate[0].device_serial, "A-17");

    char *json = recording_to_json(rec);
    struct fixture_record *begin = fixture_add(f, RECORD_BEGIN, 0, 0, strlen(json));
    strcpy(begin->u.text, json);
    free(json);
    for (unsigned i = 0; i < 2; i++) fixture_calibration(f, i);
    for (unsigned i = 0; i < 2; i++) fixture_clock(f, i, 0, i * 0.0004, 1e-3);
    fixture_block(f, 0, 0, 20);
    fixture_block(f, 1, 0, 33);
    fixture_block(f, 0, 20, 30);
    fixture_gap(f, 0, 50, 30, PLATE_GAP_UNPLUG, true);
    fixture_clock(f, 0, 80, 0.08, 1.001e-3);
    fixture_block(f, 0, 80, 40);
    fixture_block(f, 1, 33, 57);
    fixture_events(f);
    fixture_gap(f, 1, 90, 30, PLATE_GAP_SEQUENCE, false);
    struct fixture_record *end = fixture_add(f, RECORD_END, 0, 0, 2 * sizeof(uint64_t));
    end->u.spans[0] = end->u.spans[1] = FIXTURE_SPAN;
    for (unsigned i = 0; i < f->records; i++) {
        f->record[i].h.magic = RECORD_MAGIC;
        f->record[i].h.lsn = 1000 + i;
        f->record[i].h.crc = record_crc(&f->record[i].h, &f->record[i].u);
    }
}
static inline void fixture_done(struct fixture *f) { recording_done(&f->recording); }

/* A folder of its own for a test, in memory where there is one: the tests sync often. */
static inline char *fixture_folder(void)
{
    char memory[] = "/dev/shm/plated-XXXXXX", disk[] = "/tmp/plated-XXXXXX";
    return strdup(mkdtemp(memory) ? memory : mkdtemp(disk) ? disk : "");
}
