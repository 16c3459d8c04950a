/* A stranger's program: knows plated by its installed headers alone. Pushes and pauses for 30 s, and counts the reps. */
#include <plate/station.h>
#include <plate/wire.h>
#include <stdio.h>
#include <string.h>

static unsigned reps;

static void on_event(void *user, const struct plate_event *e)
{
    (void)user;
    char json[PLATE_EVENT_JSON_MAX];
    if (e->type == PLATE_EVENT_REP && plate_event_json(e, json, sizeof json) > 0) reps++;
}

static double push_N(double t_s)
{
    double in = t_s - 5 * (double)(int)(t_s / 5); /* 2 s of rest, 0.5 s up, 1.5 s hold, 0.5 s down, 0.5 s of rest */
    double up = in < 2 ? 0 : in < 2.5 ? (in - 2) / 0.5 : in < 4 ? 1 : in < 4.5 ? (4.5 - in) / 0.5 : 0;
    return 60 + 300 * up * up * (3 - 2 * up);
}

int main(void)
{
    struct plate_station_config cfg;
    plate_station_config_default(&cfg);
    cfg.plates = 1;
    strcpy(cfg.plate[0].name, "plate");
    cfg.plate[0].rate_Hz = 100;
    cfg.plate[0].cells = 1;
    strcpy(cfg.plate[0].cell[0].name, "force");
    struct plate_station_sink sink = {.event = on_event};
    struct plate_station *s = plate_station_new(&cfg, &sink);
    if (!s) return 1;

    struct plate_calibration unit;
    plate_calibration_identity(&unit, 1, 0.1);
    struct plate_clock axis = {.period_s = 0.01};
    int bad = plate_station_calibration(s, 0, &unit) | plate_station_clock(s, 0, &axis);
    for (uint64_t i = 0; i < 3000 && !bad; i++) {
        int32_t counts = (int32_t)(push_N((double)i / 100) * 10);
        bad = plate_station_samples(s, 0, i, &counts, 1);
    }
    plate_station_finish(s);
    plate_station_free(s);

    uint8_t packet[PLATE_WIRE_PACKET_MAX];
    int32_t row = 1;
    bad |= plate_wire_data(packet, 0, 0, &row, 1, 1) == 0;
    printf("libplate %s: %u reps\n", plate_version(), reps);
    return bad || reps != 6;
}
