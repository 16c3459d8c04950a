/* Journals, rings and BEGIN records made of bytes from nowhere. The first byte chooses:
 *   - a journal, a ring, a JSON text as they are: nothing is read that is not there, and reading ends;
 *   - records with right checksums and any contents: they can be sealed, and what was sealed adds up. */
#include "../unit/store_fixture.h"
#include "archive.h"
#include "journal.h"
#include "ring.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define CHECK(condition)                                                                                                       \
    do {                                                                                                                       \
        if (!(condition)) abort();                                                                                             \
    } while (0)

enum { JOURNAL_HEAD = 512, RING_PAGE = 4096, RING_HEAD = 192, RECORD_HEAD = 20, RECORDS_MAX = 64 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *folder, path[3][256];
enum { JOURNAL, RING, TRACE };
static struct fixture fixture;

static void clean(void)
{
    for (int i = 0; i < 3; i++) unlink(path[i]);
    rmdir(folder);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc, (void)argv;
    folder = fixture_folder();
    CHECK(*folder);
    static const char *const name[] = {"f.journal", "f.ring", "f.h5"};
    for (int i = 0; i < 3; i++) snprintf(path[i], sizeof path[i], "%s/%s", folder, name[i]);
    fixture_fill(&fixture);
    atexit(clean);
    return 0;
}

static void put_file(const char *at, off_t offset, const void *bytes, size_t n)
{
    const int fd = open(at, O_WRONLY | O_CREAT, 0600);
    CHECK(fd >= 0 && pwrite(fd, bytes, n, offset) == (ssize_t)n);
    close(fd);
}

static uint32_t look(const struct record_header *h, const void *payload)
{
    CHECK(h->size <= RECORD_MAX_PAYLOAD && h->type >= RECORD_BEGIN && h->type < RECORD_TYPES);
    const uint32_t crc = record_crc(h, payload);
    CHECK(crc == h->crc);
    return crc;
}

static void read_journal(uint64_t file_size)
{
    struct journal_reader *j;
    struct record_header h;
    const void *payload;
    bool same;
    uint64_t taken = JOURNAL_HEAD;
    if (journal_open(path[JOURNAL], &j, &same) < 0) return;
    int rc;
    while ((rc = journal_next(j, &h, &payload)) == 0) {
        look(&h, payload);
        taken += record_padded(h.size);
    }
    CHECK(rc == -ENODATA);
    taken += journal_torn_bytes(j);
    CHECK(taken <= file_size && (file_size - taken) % record_padded(sizeof(uint64_t)) == 0); /* the rest is marks */
    CHECK(strlen(journal_ring_path(j)) < JOURNAL_HEAD);
    journal_reader_close(j);
}

static void raw_journal(const uint8_t *data, size_t size)
{
    struct journal *j;
    CHECK(journal_create(path[JOURNAL], "", &j) == 0);
    journal_close(j);
    const off_t at = size && *data & 1 ? 0 : JOURNAL_HEAD; /* with its own head, or behind a good one */
    put_file(path[JOURNAL], at, data, size);
    read_journal(at || size > JOURNAL_HEAD ? (uint64_t)at + size : JOURNAL_HEAD);
}

static void raw_ring(const uint8_t *data, size_t size)
{
    struct ring *r;
    struct record_header h;
    const void *payload;
    struct ring_counters c;
    CHECK(ring_create(folder, "f", 8192, &r) == 0);
    for (unsigned i = 0; i < 8; i++) /* something to damage */
        ring_put(r, &fixture.record[1 + i].h, &fixture.record[1 + i].u, fixture.record[1 + i].h.size, NULL, 0);
    ring_close(r, false);
    if (size < 3) return;
    const size_t head = size - 1 < RING_HEAD ? size - 1 : RING_HEAD;
    if (*data & 1) put_file(path[RING], 16, data + 1, head > 16 ? head - 16 : 0); /* what is not magic and version */
    if (*data & 2) {
        const size_t at = (size_t)data[1] * 32, n = size - 2 < 8192 - at ? size - 2 : 8192 - at;
        put_file(path[RING], (off_t)(RING_PAGE + at), data + 2, n);
    }
    if (ring_open(path[RING], &r) < 0) return;
    ring_counters(r, &c);
    unsigned steps = 0;
    for (int rc; (rc = ring_peek(r, &h, &payload)) != -EAGAIN; steps++) {
        CHECK(steps <= c.capacity_bytes / 8);
        if (rc == 0)
            look(&h, payload);
        else
            CHECK(rc == -EBADMSG);
    }
    ring_consume(r);
    ring_close(r, false);
}

static void raw_json(const uint8_t *data, size_t size)
{
    struct recording rec, again;
    if (recording_from_json((const char *)data, size, &rec) < 0) return;
    char *json = recording_to_json(&rec);
    CHECK(json && recording_from_json(json, strlen(json), &again) == 0);
    CHECK(strcmp(rec.config, again.config) == 0 && rec.plates == again.plates);
    free(json);
    recording_done(&rec);
    recording_done(&again);
}

/* Records of any contents; sizes mostly those that fit the type, so that the contents are reached. */
static const uint8_t *append_record(struct journal *j, uint64_t lsn, const uint8_t *data, const uint8_t *end)
{
    static const size_t sizes[RECORD_TYPES] = {[RECORD_CLOCK] = sizeof(struct plate_clock),
                                               [RECORD_GAP] = sizeof(struct plate_gap),
                                               [RECORD_CALIBRATION] = sizeof(struct record_calibration),
                                               [RECORD_MARK] = sizeof(struct plate_mark),
                                               [RECORD_REP] = sizeof(struct plate_rep),
                                               [RECORD_SET] = sizeof(struct plate_set),
                                               [RECORD_ASYMMETRY] = sizeof(struct plate_asymmetry),
                                               [RECORD_SESSION] = sizeof(struct record_session),
                                               [RECORD_END] = 2 * sizeof(uint64_t),
                                               [RECORD_BLOCK] = 64};
    static uint8_t payload[4096];
    struct record_header h = {
        .magic = RECORD_MAGIC, .type = (uint16_t)(data[0] % RECORD_TYPES), .plate = data[1] % 3, .lsn = lsn - data[2] % 4};
    memcpy(&h.sample, data + 4, data[3] % 9);
    memcpy(&h.t_s, data + 12, 8);
    data += RECORD_HEAD;
    h.size = (uint32_t)sizes[h.type] + (data[-RECORD_HEAD + 3] >> 4 == 15);
    memset(payload, 0, sizeof payload);
    const size_t there = (size_t)(end - data) < h.size ? (size_t)(end - data) : h.size;
    memcpy(payload, data, there);
    if (h.type == RECORD_GAP && h.size >= 16)
        payload[7] = payload[15] = payload[17] = payload[18] = payload[19] = 0; /* plausible ones */
    h.crc = record_crc(&h, payload);
    if (h.type != RECORD_BEGIN) CHECK(journal_append(j, &h, payload) == 0);
    return data + there;
}

static bool starts(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

/* What a mark or a rep says of itself may be anything, these words included. */
static bool adds_up(const char *text)
{
    if (starts(text, "/marks: row ") || starts(text, "/reps: row ")) return true;
    return !strstr(text, "/gaps") && !strstr(text, "rows +") && !strstr(text, "digest") && !strstr(text, "damaged");
}
static void on_breach(void *user, const char *text)
{
    (void)user;
    if (adds_up(text)) return;
    fprintf(stderr, "%s\n", text);
    abort();
}

static void seal_records(const uint8_t *data, size_t size)
{
    struct journal *j;
    struct archive_error why;
    struct archive_account account;
    CHECK(journal_create(path[JOURNAL], "", &j) == 0);
    CHECK(journal_append(j, &fixture.record[0].h, &fixture.record[0].u) == 0);
    const uint8_t *end = data + size;
    for (unsigned i = 0; end - data >= RECORD_HEAD && i < RECORDS_MAX; i++) data = append_record(j, 2000 + i, data, end);
    journal_close(j);
    const int rc = archive_seal(path[JOURNAL], NULL, path[TRACE], NULL, &why);
    if (rc < 0) fprintf(stderr, "%s\n", why.text);
    CHECK(rc == 0);
    const int sound = archive_verify(path[TRACE], on_breach, NULL, &account, &why);
    CHECK(sound == 0 || sound == -EBADMSG);
    for (unsigned i = 0; i < account.plates; i++)
        CHECK(account.plate[i].rows + account.plate[i].missing == account.plate[i].span);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > 1 << 16) return 0;
    for (int i = 0; i < 3; i++) unlink(path[i]);
    switch (*data++ % 4) {
    case 0:
        raw_journal(data, size - 1);
        break;
    case 1:
        raw_ring(data, size - 1);
        break;
    case 2:
        raw_json(data, size - 1);
        break;
    default:
        seal_records(data, size - 1);
    }
    return 0;
}
