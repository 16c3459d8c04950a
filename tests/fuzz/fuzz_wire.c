/* Captures made of bytes from nowhere. The first byte chooses: 0, the file as it is; else records with right checksums and any
 * contents behind a head that makes sense. Replaying them ends, with an error or with what was there. */
#include "../../analysis/trace.h"
#include "journal.h"
#include "recording.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(condition)                                                                                                       \
    do {                                                                                                                       \
        if (!(condition)) abort();                                                                                             \
    } while (0)

enum { RECORD_HEAD = 6, RECORDS_MAX = 256 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char path[64];
static char *station;

static void clean(void) { unlink(path); }

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    static char config[] = "plates:\n"
                           "  - {name: left, port: a, decoder: csv, rate_Hz: 80, cells: [{name: force}]}\n"
                           "  - {name: right, port: b, decoder: native, rate_Hz: 1000, cells: [{name: a}, {name: b}]}\n";
    struct recording rec = {.name = "n", .station = "s", .session = "x", .software = "p", .config = config, .plates = 1};
    rec.plate[0] = (struct recording_plate){.name = "left", .protocol = "csv", .rate_Hz = 80, .cells = 1};
    strcpy(rec.plate[0].cell[0].name, "force");
    station = recording_to_json(&rec);
    snprintf(path, sizeof path, "/dev/shm/fuzz-wire-%ld.wire", (long)getpid());
    CHECK(station);
    atexit(clean);
    return 0;
}

static void append(struct journal *j, struct record_header h, const void *payload)
{
    h.magic = RECORD_MAGIC;
    h.crc = record_crc(&h, payload);
    CHECK(journal_append(j, &h, payload) == 0);
}

/* type, plate, u16 size, hundredths of a second later, flags; then the payload, of which what is not there is zero. */
static const uint8_t *append_record(struct journal *j, const uint8_t *data, const uint8_t *end, int64_t *ns)
{
    static uint8_t payload[1 << 16];
    struct record_header h = {.type = (uint16_t)(1 + data[0] % (RECORD_TYPES - 1)), .plate = data[1] % 3};
    const struct record_moment at = { *ns += data[4] * 10000000LL, *ns};
    const size_t asked = data[2] | (size_t)(data[3] & 0x1F) << 8;
    data += RECORD_HEAD;
    const size_t there = (size_t)(end - data) < asked ? (size_t)(end - data) : asked;
    memset(payload, 0, sizeof payload);
    if (h.type == RECORD_BYTES || h.type == RECORD_PORT || h.type == RECORD_ABSENT) {
        memcpy(payload, &at, sizeof at);
        memcpy(payload + sizeof at, data, there);
        h.size = (uint32_t)(sizeof at + there);
    } else {
        static const uint16_t sizes[RECORD_TYPES] = {
            [RECORD_MARK] = sizeof(struct plate_mark), [RECORD_CALIBRATION] = sizeof(struct record_calibration)};
        memcpy(payload, data, there);
        h.size = sizes[h.type] ? sizes[h.type] : (uint32_t)there;
    }
    append(j, h, payload);
    return data + there;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct trace_wire_result result;
    char error[1024] = "";
    unlink(path);
    if (size == 0 || size > 1 << 16) return 0;
    const uint8_t *end = data + size;
    if (*data++ == 0) {
        const int fd = open(path, O_WRONLY | O_CREAT, 0600);
        CHECK(fd >= 0 && write(fd, data, (size_t)(end - data)) == end - data);
        close(fd);
    } else {
        struct journal *j;
        int64_t ns = 1000000000;
        CHECK(journal_create_capture(path, &j) == 0);
        append(j, (struct record_header){.type = RECORD_STATION, .size = (uint32_t)strlen(station)}, station);
        append(j, (struct record_header){.type = RECORD_BEGIN, .size = (uint32_t)strlen(station)}, station);
        for (unsigned i = 0; end - data >= RECORD_HEAD && i < RECORDS_MAX; i++) data = append_record(j, data, end, &ns);
        journal_close(j);
    }
    const int rc = trace_wire_replay(&(struct trace_wire){.path = path}, &result, error, sizeof error);
    CHECK((rc == 0) == (*error == '\0'));
    return 0;
}
