/* The archive: what goes in comes out, once, with its losses; live, sealed, damaged. */
#include "archive.h"
#include "journal.h"
#include "ring.h"
#include "store_fixture.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char *folder;
    char path[200], other[200], journal[200];
    struct fixture f;
};
static struct archive_error why;

static int setup(void **state)
{
    struct place *p = calloc(1, sizeof *p);
    p->folder = fixture_folder();
    if (!*p->folder) return -1;
    snprintf(p->path, sizeof p->path, "%s/a.h5", p->folder);
    snprintf(p->other, sizeof p->other, "%s/b.h5", p->folder);
    snprintf(p->journal, sizeof p->journal, "%s/a.journal", p->folder);
    fixture_fill(&p->f);
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    struct place *p = *state;
    unlink(p->path);
    unlink(p->other);
    unlink(p->journal);
    const int rc = rmdir(p->folder); /* no lock, no .tmp, no ring is left */
    fixture_done(&p->f);
    free(p->folder);
    free(p);
    return rc;
}

static struct archive_writer *create(const struct place *p, const char *path, enum archive_mode mode)
{
    struct archive_writer *w;
    why.text[0] = '\0';
    if (archive_create(path, mode, &p->f.recording, &w, &why)) fail_msg("%s", why.text);
    return w;
}

/* Records [from, to) but BEGIN. */
static void write_some(struct archive_writer *w, const struct fixture *f, unsigned from, unsigned to)
{
    for (unsigned i = from ? from : 1; i < to && i < f->records; i++)
        if (archive_write(w, &f->record[i].h, &f->record[i].u, &why)) fail_msg("record %u: %s", i, why.text);
}

static void write_all(const struct place *p, const char *path, enum archive_mode mode)
{
    struct archive_writer *w = create(p, path, mode);
    write_some(w, &p->f, 0, UINT32_MAX);
    if (archive_close(w, &why)) fail_msg("%s", why.text);
}

static struct archive_reader *open_archive(const char *path)
{
    struct archive_reader *r;
    if (archive_open(path, &r, &why)) fail_msg("%s", why.text);
    return r;
}

static void digest_of(const char *path, char ret[65])
{
    struct archive_reader *r = open_archive(path);
    struct archive_info info;
    archive_info(r, &info);
    assert_true(info.sealed);
    memcpy(ret, info.digest, 65);
    archive_reader_close(r);
}

static void assert_same_digest(const char *a, const char *b)
{
    char da[65], db[65];
    digest_of(a, da);
    digest_of(b, db);
    assert_string_equal(da, db);
}

static char breaches[2048];
static void note(void *user, const char *text)
{
    (void)user;
    const size_t n = strlen(breaches);
    snprintf(breaches + n, sizeof breaches - n, "%s\n", text);
}

static int verify(const char *path, struct archive_account *a)
{
    breaches[0] = '\0';
    return archive_verify(path, note, NULL, a, &why);
}

static void assert_breach(const char *path, const char *text)
{
    struct archive_account a;
    assert_int_equal(verify(path, &a), -EBADMSG);
    if (!strstr(breaches, text)) fail_msg("\"%s\" is not among: %s", text, breaches);
}

static void assert_counts(struct archive_reader *r, unsigned plate, uint64_t row, uint64_t sample, size_t n)
{
    const unsigned cells = archive_recording(r)->plate[plate].cells;
    int32_t counts[FIXTURE_ROWS * PLATE_MAX_CELLS];
    assert_int_equal(archive_counts(r, plate, row, n, counts, &why), 0);
    for (size_t i = 0; i < n * cells; i++)
        assert_int_equal(counts[i], fixture_count(plate, sample + i / cells, (unsigned)(i % cells)));
}

static const struct fixture_record *of_type(const struct fixture *f, enum record_type type)
{
    for (unsigned i = 0; i < f->records; i++)
        if (f->record[i].h.type == type) return &f->record[i];
    return NULL;
}

static void assert_recording(struct archive_reader *r, const struct fixture *f)
{
    const struct recording *got = archive_recording(r), *want = &f->recording;
    assert_string_equal(got->name, "a");
    assert_string_equal(got->station, want->station);
    assert_string_equal(got->session, want->session);
    assert_string_equal(got->software, want->software);
    assert_string_equal(got->config, want->config);
    assert_int_equal(got->created_utc_ns, want->created_utc_ns);
    assert_int_equal(got->started_host_ns, want->started_host_ns);
    assert_int_equal(got->plates, 2);
    assert_memory_equal(&got->plate[0], &want->plate[0], sizeof got->plate[0]);
    assert_string_equal(got->plate[1].name, "right");
    assert_true(isnan(got->plate[1].cell[0].x_mm));
}

static void assert_plates(struct archive_reader *r)
{
    struct archive_gap *gap;
    struct archive_knot *knot;
    uint64_t span;
    size_t n;
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(archive_rows(r, i), FIXTURE_ROWS);
        assert_int_equal(archive_span(r, i, &span, &why), 0);
        assert_int_equal(span, FIXTURE_SPAN);
        assert_int_equal(archive_gaps(r, i, &gap, &n, &why), 0);
        assert_int_equal(n, 1);
        assert_int_equal(gap->row, i ? 90 : 50);
        assert_int_equal(gap->gap.sample, gap->row);
        assert_int_equal(gap->gap.count, 30);
        assert_int_equal(gap->gap.reason, i ? PLATE_GAP_SEQUENCE : PLATE_GAP_UNPLUG);
        assert_int_equal(gap->gap.estimated, !i);
        free(gap);
    }
    assert_counts(r, 0, 0, 0, 50);
    assert_counts(r, 0, 50, 80, 40);
    assert_counts(r, 1, 0, 0, 90);
    assert_int_equal(archive_counts(r, 0, 60, 31, NULL, &why), -ERANGE);
    assert_int_equal(archive_clock(r, 0, &knot, &n, &why), 0);
    assert_int_equal(n, 2);
    assert_int_equal(knot[1].row, 50);
    assert_int_equal(knot[1].clock.sample, 80);
    assert_true(knot[1].clock.t_s == 0.08 && knot[1].clock.period_s == 1.001e-3);
    assert_int_equal(knot[1].clock.device_ticks, 80000);
    assert_int_equal(knot[1].clock.host_ns, 5000000080);
    free(knot);
    assert_int_equal(archive_clock(r, 2, &knot, &n, &why), -ERANGE);
}

static void assert_tables(struct archive_reader *r, const struct fixture *f)
{
    size_t n;
    struct archive_calibration *c;
    assert_int_equal(archive_calibrations(r, &c, &n, &why), 0);
    assert_int_equal(n, 2);
    assert_int_equal(c[1].plate, 1);
    assert_memory_equal(&c->record, &of_type(f, RECORD_CALIBRATION)->u.calibration, sizeof c->record);
    free(c);
    struct record_session *s;
    assert_int_equal(archive_session(r, &s, &n, &why), 0);
    assert_int_equal(n, 1);
    assert_memory_equal(s, &of_type(f, RECORD_SESSION)->u.session, sizeof *s);
    free(s);
    struct plate_mark *m;
    assert_int_equal(archive_marks(r, &m, &n, &why), 0);
    assert_int_equal(n, 1);
    const struct plate_mark *mark = &of_type(f, RECORD_MARK)->u.mark;
    assert_true(m->t_s == mark->t_s && m->sample == mark->sample && m->utc_ns == mark->utc_ns);
    assert_string_equal(m->kind, mark->kind);
    assert_string_equal(m->value, mark->value);
    assert_string_equal(m->plate, mark->plate);
    free(m);
    struct archive_set *set;
    assert_int_equal(archive_sets(r, &set, &n, &why), 0);
    assert_int_equal(n, 1);
    assert_true(set->t_s == 0.1 && isnan(set->set.hold_force_N) && set->set.ended_by == PLATE_SET_BY_STOP);
    free(set);
    struct archive_asymmetry *a;
    assert_int_equal(archive_asymmetries(r, &a, &n, &why), 0);
    assert_int_equal(n, 1);
    assert_true(a->t_s == 0.11 && a->asymmetry.value_pct == -12.5 && isnan(a->asymmetry.ci95_low_pct));
    assert_int_equal(a->asymmetry.verdict, PLATE_LEFT_WEAKER);
    assert_int_equal(a->asymmetry.mode, PLATE_BILATERAL);
    free(a);
}

/* What JSON says of a rep is the same before and after. */
static void assert_reps(struct archive_reader *r, const struct fixture *f)
{
    char was[PLATE_EVENT_JSON_MAX], is[PLATE_EVENT_JSON_MAX];
    struct archive_rep *rep;
    size_t n;
    assert_int_equal(archive_reps(r, &rep, &n, &why), 0);
    assert_int_equal(n, 1);
    const struct plate_event before = {.type = PLATE_EVENT_REP, .t_s = 0.1, .u.rep = of_type(f, RECORD_REP)->u.rep};
    const struct plate_event after = {.type = PLATE_EVENT_REP, .t_s = rep->t_s, .u.rep = rep->rep};
    assert_true(plate_event_json(&before, was, sizeof was) > 0);
    assert_true(plate_event_json(&after, is, sizeof is) > 0);
    assert_string_equal(is, was);
    assert_int_equal(rep->rep.findings, 2);
    assert_string_equal(rep->rep.form[1].name, "short_hold");
    assert_true(isnan(rep->rep.rfd_0_50_N_per_s));
    free(rep);
}

static void assert_all(const char *path, const struct fixture *f)
{
    struct archive_reader *r = open_archive(path);
    assert_recording(r, f);
    assert_plates(r);
    assert_tables(r, f);
    assert_reps(r, f);
    archive_reader_close(r);
}

static void test_round_trip(void **state)
{
    const struct place *p = *state;
    struct archive_account a;
    write_all(p, p->path, ARCHIVE_SEALED);
    assert_all(p->path, &p->f);
    if (verify(p->path, &a)) fail_msg("%s", breaches);
    assert_true(a.sealed);
    assert_int_equal(a.plates, 2);
    assert_int_equal(a.plate[0].rows + a.plate[0].missing, a.plate[0].span);
    assert_int_equal(a.plate[0].estimated, 30);
    assert_int_equal(a.plate[1].estimated, 0);
    assert_int_equal(a.plate[1].gaps, 1);
    for (unsigned i = 0; i < PLATE_GAP_REASONS; i++) assert_non_null(plate_gap_reason_name((enum plate_gap_reason)i));
    archive_close(NULL, NULL);
    archive_reader_close(NULL);
}

static void test_live_file(void **state)
{
    const struct place *p = *state;
    struct archive_account a;
    write_all(p, p->path, ARCHIVE_LIVE);
    assert_all(p->path, &p->f);
    if (verify(p->path, &a)) fail_msg("%s", breaches);
    assert_false(a.sealed);
}

static void test_replay_is_idempotent(void **state)
{
    struct place *p = *state;
    write_all(p, p->path, ARCHIVE_SEALED);
    struct archive_writer *w = create(p, p->other, ARCHIVE_SEALED);
    for (unsigned i = 1; i < p->f.records; i++) { /* each record again with all before it */
        write_some(w, &p->f, 1, i + 1);
    }
    assert_int_equal(archive_close(w, &why), 0);
    assert_same_digest(p->path, p->other);

    w = create(p, p->other, ARCHIVE_SEALED); /* blocks and gaps that are not numbered are known by their samples */
    write_some(w, &p->f, 1, UINT32_MAX);
    for (unsigned i = 1; i < p->f.records; i++) {
        struct record_header h = p->f.record[i].h;
        h.lsn = 0;
        if (h.type == RECORD_BLOCK || h.type == RECORD_GAP || h.type == RECORD_END)
            assert_int_equal(archive_write(w, &h, &p->f.record[i].u, &why), 0);
    }
    assert_int_equal(archive_close(w, &why), 0);
    assert_same_digest(p->path, p->other);
}

static void write_block(struct archive_writer *w, unsigned plate, uint64_t sample, unsigned rows, unsigned cells)
{
    int32_t counts[FIXTURE_ROWS * PLATE_MAX_CELLS];
    for (unsigned i = 0; i < rows * cells; i++) counts[i] = fixture_count(plate, sample + i / cells, i % cells);
    const struct record_header h = {.type = RECORD_BLOCK, .plate = (uint16_t)plate, .sample = sample, .size = rows * cells * 4};
    assert_int_equal(archive_write(w, &h, counts, &why), 0);
}

static void write_gap(struct archive_writer *w, uint64_t sample, uint64_t count)
{
    const struct plate_gap gap = {sample, count, PLATE_GAP_TIME, true};
    const struct record_header h = {.type = RECORD_GAP, .plate = 1, .sample = sample, .size = sizeof gap};
    assert_int_equal(archive_write(w, &h, &gap, &why), 0);
}

static void test_losses_have_a_place(void **state)
{
    const struct place *p = *state;
    struct archive_writer *w = create(p, p->path, ARCHIVE_SEALED);
    write_block(w, 1, 0, 10, 1);
    write_block(w, 1, 5, 10, 1);  /* overlaps: five are new */
    write_block(w, 1, 20, 10, 1); /* 15..19 never came: overrun */
    write_gap(w, 25, 15);         /* 30..39 are missing, the rest of it is there */
    write_gap(w, 45, 5);          /* 40..44 nobody accounts for, then 45..49 */
    write_block(w, 1, 50, 5, 1);
    write_block(w, 1, 58, 0, 1); /* nothing, said of a place further on: says nothing */
    write_gap(w, 58, 0);
    const uint64_t spans[] = {7, 60};
    const struct record_header end = {.type = RECORD_END, .size = sizeof spans};
    assert_int_equal(archive_write(w, &end, spans, &why), 0);
    assert_int_equal(archive_close(w, &why), 0);

    static const struct archive_gap want[] = {
        {15, {15, 5, PLATE_GAP_OVERRUN, false}}, {25, {30, 10, PLATE_GAP_TIME, true}},
        {25, {40, 5, PLATE_GAP_OVERRUN, false}}, {25, {45, 5, PLATE_GAP_TIME, true}},
        {30, {55, 5, PLATE_GAP_OVERRUN, false}},
    };
    struct archive_reader *r = open_archive(p->path);
    struct archive_gap *gap;
    uint64_t span;
    size_t n;
    assert_int_equal(archive_gaps(r, 1, &gap, &n, &why), 0);
    assert_int_equal(n, 5);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(gap[i].row, want[i].row);
        assert_int_equal(gap[i].gap.sample, want[i].gap.sample);
        assert_int_equal(gap[i].gap.count, want[i].gap.count);
        assert_int_equal(gap[i].gap.reason, want[i].gap.reason);
        assert_int_equal(gap[i].gap.estimated, want[i].gap.estimated);
    }
    free(gap);
    assert_counts(r, 1, 0, 0, 15);
    assert_counts(r, 1, 15, 20, 10);
    assert_counts(r, 1, 25, 50, 5);
    assert_int_equal(archive_span(r, 0, &span, &why), 0);
    assert_int_equal(span, 7);
    archive_reader_close(r);
}

static void test_misfits_are_refused(void **state)
{
    const struct place *p = *state;
    static const uint8_t bytes[4096];
    struct archive_writer *w = create(p, p->path, ARCHIVE_LIVE);
    for (uint16_t type = 0; type <= RECORD_TYPES; type++)
        for (uint16_t plate = 0; plate < 5; plate++) {
            if (plate < 2 && type == RECORD_BLOCK) continue;
            const struct record_header h = {.type = type, .plate = plate, .size = 17};
            assert_int_equal(archive_write(w, &h, bytes, &why), -EINVAL);
        }
    const struct record_header far_away = {.type = RECORD_BLOCK, .size = 16, .sample = UINT64_MAX - 1};
    assert_int_equal(archive_write(w, &far_away, bytes, &why), -EINVAL);
    struct plate_gap gap = {.sample = 0, .count = UINT64_MAX};
    const struct record_header h = {.type = RECORD_GAP, .size = sizeof gap};
    assert_int_equal(archive_write(w, &h, &gap, &why), -EINVAL);
    gap = (struct plate_gap){.count = 1, .reason = PLATE_GAP_REASONS};
    assert_int_equal(archive_write(w, &h, &gap, &why), -EINVAL);
    struct plate_rep rep = {.findings = PLATE_MAX_FINDINGS + 1};
    const struct record_header rep_header = {.type = RECORD_REP, .size = sizeof rep};
    assert_int_equal(archive_write(w, &rep_header, &rep, &why), -EINVAL);
    assert_int_equal(archive_close(w, &why), 0);

    struct recording big = p->f.recording;
    struct archive_writer *none;
    big.config = malloc(70000);
    memset(big.config, '#', 69999);
    big.config[69999] = '\0';
    assert_int_equal(archive_create(p->other, ARCHIVE_LIVE, &big, &none, &why), -E2BIG);
    big.config[60000] = '\0'; /* the largest that fits */
    assert_int_equal(archive_create(p->other, ARCHIVE_LIVE, &big, &none, &why), 0);
    assert_int_equal(archive_close(none, &why), 0);
    free(big.config);
    big = p->f.recording;
    strcpy(big.plate[1].name, "a/b");
    assert_int_equal(archive_create(p->other, ARCHIVE_LIVE, &big, &none, &why), -EINVAL);
    assert_int_equal(archive_create("/nonexistent/x.h5", ARCHIVE_LIVE, &p->f.recording, &none, &why), -ENOENT);
}

/* A second process reads while the file grows. */
static int follow(const char *path, int parent)
{
    struct archive_reader *r;
    struct archive_gap *gap;
    int32_t counts[10 * 4];
    uint64_t rows = 0;
    size_t n;
    char byte;
    if (read(parent, &byte, 1) != 1 || archive_open(path, &r, &why)) return 1;
    while (read(parent, &byte, 1) == 1) {
        if (archive_refresh(r, &why) || archive_rows(r, 0) < rows + 10) return 2;
        rows = archive_rows(r, 0);
        if (archive_counts(r, 0, rows - 10, 10, counts, &why)) return 3;
        for (unsigned i = 0; i < 40; i++) /* a gap of one before every ten */
            if (counts[i] != fixture_count(0, rows / 10 * 11 - 10 + i / 4, i % 4)) return 4;
        if (archive_gaps(r, 0, &gap, &n, &why) || n < rows / 10) return 5;
        free(gap);
        if (write(parent, "", 1) != 1) return 7;
    }
    archive_reader_close(r);
    return rows == 1000 ? 0 : 6;
}

static void test_live_reading(void **state)
{
    const struct place *p = *state;
    int tell[2], status;
    char byte;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, tell), 0);
    const pid_t child = fork();
    if (child == 0) {
        close(tell[1]);
        _exit(follow(p->path, tell[0]));
    }
    close(tell[0]);
    signal(SIGPIPE, SIG_IGN);
    struct archive_writer *w = create(p, p->path, ARCHIVE_LIVE), *second;
    assert_int_equal(archive_flush(w), 0);
    assert_int_equal(write(tell[1], "", 1), 1);
    for (uint64_t sample = 1; sample < 1100; sample += 11) {
        write_block(w, 0, sample, 10, 4);
        assert_int_equal(archive_flush(w), 0);
        assert_int_equal(write(tell[1], "", 1), 1);
        assert_int_equal(read(tell[1], &byte, 1), 1);
    }
    close(tell[1]);
    waitpid(child, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_int_equal(archive_create(p->path, ARCHIVE_LIVE, &p->f.recording, &second, &why), -EBUSY);
    assert_int_equal(archive_close(w, &why), 0);
}

/* What is left of a live file whose writer was killed. */
static void test_killed_writer(void **state)
{
    const struct place *p = *state;
    int status;
    const pid_t child = fork();
    if (child == 0) {
        struct archive_writer *w = create(p, p->path, ARCHIVE_LIVE);
        write_some(w, &p->f, 1, UINT32_MAX);
        archive_flush(w);
        raise(SIGKILL);
    }
    waitpid(child, &status, 0);
    assert_true(WIFSIGNALED(status));
    assert_all(p->path, &p->f);
    struct archive_account a;
    if (verify(p->path, &a)) fail_msg("%s", breaches);
    write_all(p, p->path, ARCHIVE_SEALED); /* its lock file bars nobody */
}

static void test_sealed_is_an_ordinary_file(void **state)
{
    const struct place *p = *state;
    write_all(p, p->path, ARCHIVE_SEALED);
    const hid_t file = H5Fopen(p->path, H5F_ACC_RDONLY, H5P_DEFAULT);
    assert_true(file >= 0);
    const hid_t counts = H5Dopen2(file, "/plates/left/counts", H5P_DEFAULT);
    const hid_t how = H5Dget_create_plist(counts);
    assert_int_equal(H5Pget_nfilters(how), 3);
    H5Pclose(how);
    H5Dclose(counts);
    H5Fclose(file);
    uint8_t head[9];
    const int fd = open(p->path, O_RDONLY);
    assert_int_equal(read(fd, head, sizeof head), sizeof head);
    close(fd);
    assert_int_equal(head[8], 2); /* superblock version: HDF5 1.8 of 2008 and all later ones */
}

static void overwrite(const char *path, const char *dataset, hsize_t row)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), d = H5Dopen2(file, dataset, H5P_DEFAULT);
    const hid_t there = H5Dget_space(d), here = H5Screate_simple(2, (hsize_t[]){1, 1}, NULL);
    H5Sselect_hyperslab(there, H5S_SELECT_SET, (hsize_t[]){row, 0}, NULL, (hsize_t[]){1, 1}, NULL);
    assert_true(H5Dwrite(d, H5T_NATIVE_INT32, here, there, H5P_DEFAULT, &(int32_t){12345}) >= 0);
    H5Sclose(here);
    H5Sclose(there);
    H5Dclose(d);
    H5Fclose(file);
}

/* Changes one byte of the first chunk of a dataset, beneath HDF5. */
static void flip(const char *path, const char *dataset)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDONLY, H5P_DEFAULT), d = H5Dopen2(file, dataset, H5P_DEFAULT);
    const hid_t space = H5Dget_space(d);
    hsize_t offset[2], size;
    unsigned mask;
    haddr_t at;
    assert_true(H5Dget_chunk_info(d, space, 0, offset, &mask, &at, &size) >= 0);
    H5Sclose(space);
    H5Dclose(d);
    H5Fclose(file);
    uint8_t byte;
    const int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, (off_t)(at + size / 2)), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)(at + size / 2)), 1);
    close(fd);
}

static void set_text(const char *path, const char *group, const char *name, char to)
{
    const hid_t file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT), object = H5Oopen(file, group, H5P_DEFAULT);
    const hid_t a = H5Aopen(object, name, H5P_DEFAULT);
    const hid_t type = H5Aget_type(a);
    char *text = calloc(1, H5Tget_size(type));
    H5Aread(a, type, text);
    text[0] = to;
    assert_true(H5Awrite(a, type, text) >= 0);
    free(text);
    H5Tclose(type);
    H5Aclose(a);
    H5Oclose(object);
    H5Fclose(file);
}

static void test_changes_are_found(void **state)
{
    const struct place *p = *state;
    struct archive_account a;
    write_all(p, p->path, ARCHIVE_SEALED);
    overwrite(p->path, "/plates/right/counts", 89);
    assert_breach(p->path, "digest");
    write_all(p, p->path, ARCHIVE_SEALED);
    set_text(p->path, "/", "config", 'X');
    assert_breach(p->path, "digest");
    write_all(p, p->path, ARCHIVE_SEALED);
    set_text(p->path, "/plates/left", "device_serial", 'X');
    assert_breach(p->path, "digest");
    write_all(p, p->path, ARCHIVE_SEALED);
    flip(p->path, "/plates/left/counts");
    assert_breach(p->path, "/plates/left/counts: damaged");
    write_all(p, p->path, ARCHIVE_SEALED);
    flip(p->path, "/reps");
    assert_breach(p->path, "reps: damaged");
    write_all(p, p->path, ARCHIVE_SEALED);
    const hid_t file = H5Fopen(p->path, H5F_ACC_RDWR, H5P_DEFAULT), session = H5Dopen2(file, "/session", H5P_DEFAULT);
    H5Dset_extent(session, (hsize_t[]){2}); /* a correction is a row behind what was sealed */
    H5Dclose(session);
    H5Fclose(file);
    if (verify(p->path, &a)) fail_msg("%s", breaches);
}

/* A file whose digest is right and whose contents are not sound. */
static void test_unsound_contents_are_found(void **state)
{
    struct place *p = *state;
    for (unsigned i = 1; i < p->f.records; i++) {
        struct fixture_record *r = &p->f.record[i], was = *r;
        const char *text = NULL;
        if (r->h.type == RECORD_CLOCK && r->h.sample == 80) r->u.clock.t_s += 1e-6, text = "the time axis jumps by";
        if (r->h.type == RECORD_CALIBRATION) r->u.calibration.calibration.count_scale = 0, text = "no calibration";
        if (r->h.type == RECORD_MARK) strcpy(r->u.mark.plate, "middle"), text = "there is no plate middle";
        if (r->h.type == RECORD_REP) r->u.rep.end_s = 99, text = "ends at";
        if (!text) continue;
        write_all(p, p->path, ARCHIVE_SEALED);
        assert_breach(p->path, text);
        *r = was;
    }
    struct fixture_record *mark = (struct fixture_record *)of_type(&p->f, RECORD_MARK);
    mark->u.mark.sample = FIXTURE_SPAN + 1;
    write_all(p, p->path, ARCHIVE_SEALED);
    assert_breach(p->path, "is beyond the 120");
    struct archive_account a;
    assert_int_equal(verify("/nonexistent.h5", &a), -ENOENT);
}

static void test_not_a_trace(void **state)
{
    const struct place *p = *state;
    struct archive_reader *r;
    const int fd = open(p->path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "not HDF5", 8), 8);
    close(fd);
    assert_int_equal(archive_open(p->path, &r, &why), -EPROTO);
    H5Fclose(H5Fcreate(p->path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT));
    assert_int_equal(archive_open(p->path, &r, &why), -EPROTO);
    assert_non_null(strstr(why.text, "not a trace"));
}

/* A table of another version: columns go by their names, and what is not there is null. */
static void test_missing_columns(void **state)
{
    const struct place *p = *state;
    struct record_session *s;
    size_t n;
    write_all(p, p->path, ARCHIVE_SEALED);
    const hid_t file = H5Fopen(p->path, H5F_ACC_RDWR, H5P_DEFAULT), text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, 10);
    H5Tset_cset(text, H5T_CSET_UTF8);
    const hid_t row = H5Tcreate(H5T_COMPOUND, 18), space = H5Screate_simple(1, (hsize_t[]){1}, NULL);
    H5Tinsert(row, "later", 0, H5T_STD_I64LE);
    H5Tinsert(row, "key", 8, text);
    assert_true(H5Ldelete(file, "session", H5P_DEFAULT) >= 0);
    const hid_t d = H5Dcreate2(file, "session", row, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(H5Dwrite(d, row, H5S_ALL, H5S_ALL, H5P_DEFAULT, "12345678subject\0\0") >= 0);
    H5Dclose(d);
    H5Sclose(space);
    H5Tclose(row);
    H5Tclose(text);
    H5Fclose(file);
    struct archive_reader *r = open_archive(p->path);
    assert_int_equal(archive_session(r, &s, &n, &why), 0);
    assert_int_equal(n, 1);
    assert_string_equal(s->key, "subject");
    assert_string_equal(s->value, "");
    assert_true(isnan(s->t_s) && s->sample == 0 && s->utc_ns == 0);
    free(s);
    archive_reader_close(r);
    assert_breach(p->path, "session: fewer rows than were sealed");
}

static void append(struct journal *j, const struct fixture *f, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++) assert_int_equal(journal_append(j, &f->record[i].h, &f->record[i].u), 0);
}

static void make_journal(const struct place *p, unsigned to)
{
    struct journal *j;
    unlink(p->journal);
    assert_int_equal(journal_create(p->journal, "", &j), 0);
    append(j, &p->f, 0, to);
    journal_close(j);
}

static void test_seal(void **state)
{
    const struct place *p = *state;
    char tmp[256];
    write_all(p, p->path, ARCHIVE_SEALED);
    make_journal(p, p->f.records);
    if (archive_seal(p->journal, NULL, p->other, NULL, &why)) fail_msg("%s", why.text);
    assert_same_digest(p->path, p->other);
    snprintf(tmp, sizeof tmp, "%s.tmp", p->other);
    assert_int_equal(access(tmp, F_OK), -1);

    struct archive_writer *live = create(p, p->path, ARCHIVE_LIVE); /* over the live file, once its writer is gone */
    assert_int_equal(archive_seal(p->journal, NULL, p->path, NULL, &why), -EBUSY);
    assert_int_equal(archive_close(live, &why), 0);
    assert_int_equal(archive_seal(p->journal, NULL, p->path, NULL, &why), 0);
    assert_same_digest(p->path, p->other);

    struct stat before, after; /* and again: what was sealed, and corrected since, is left alone */
    assert_int_equal(stat(p->path, &before), 0);
    assert_int_equal(archive_seal(p->journal, NULL, p->path, NULL, &why), 0);
    assert_int_equal(stat(p->path, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

static void test_seal_what_is_there(void **state)
{
    const struct place *p = *state;
    struct archive_account a;
    make_journal(p, 0);
    assert_int_equal(archive_seal(p->journal, NULL, p->path, NULL, &why), -ENODATA);
    assert_int_equal(access(p->path, F_OK), -1);
    assert_int_equal(archive_seal("/nonexistent", NULL, p->path, NULL, &why), -ENOENT);
    for (unsigned n = 1; n <= p->f.records; n++) { /* killed after any record */
        make_journal(p, n);
        if (archive_seal(p->journal, NULL, p->path, NULL, &why)) fail_msg("%s", why.text);
        const int rc = verify(p->path, &a);
        if (rc && n > 5) fail_msg("after %u records: %s", n, breaches);
        unlink(p->path);
    }
}

/* The ring stamps its own lsn; a journal that was fed from it goes on in it. */
static void through_ring(struct place *p, unsigned consumed, unsigned from_other)
{
    struct ring *ring;
    struct journal *j;
    struct record_header h;
    const void *payload;
    assert_int_equal(ring_create(p->folder, "a", 1 << 20, &ring), 0);
    for (unsigned i = 0; i < from_other; i++) { /* the end of the recording before */
        const struct fixture_record *r = &p->f.record[p->f.records - from_other + i];
        assert_int_equal(ring_put(ring, &r->h, &r->u, r->h.size, NULL, 0), 0);
    }
    for (int recording = 0; recording < 2; recording++) /* this one, and the next */
        for (unsigned i = 0; i < p->f.records - (recording == 0); i++) {
            const struct fixture_record *r = &p->f.record[i];
            assert_int_equal(ring_put(ring, &r->h, &r->u, r->h.size, NULL, 0), 0);
        }
    unlink(p->journal);
    if (consumed) {
        assert_int_equal(journal_create(p->journal, ring_path(ring), &j), 0);
        for (unsigned i = 0; i < from_other; i++) assert_int_equal(ring_peek(ring, &h, &payload), 0);
        for (unsigned i = 0; i < consumed; i++) {
            assert_int_equal(ring_peek(ring, &h, &payload), 0);
            assert_int_equal(journal_append(j, &h, payload), 0);
            if (i + 3 == consumed) ring_consume(ring); /* killed before the last two were consumed */
        }
        journal_close(j);
    }
    char path[300];
    snprintf(path, sizeof path, "%s", ring_path(ring));
    ring_close(ring, false);
    assert_int_equal(ring_open(path, &ring), 0);
    if (archive_seal(consumed ? p->journal : NULL, ring, p->other, NULL, &why)) fail_msg("%s", why.text);
    ring_close(ring, true);
}

static void test_seal_with_ring(void **state)
{
    struct place *p = *state;
    struct archive_writer *w = create(p, p->path, ARCHIVE_SEALED);
    write_some(w, &p->f, 1, p->f.records - 1); /* no END: it was killed */
    assert_int_equal(archive_close(w, &why), 0);
    for (unsigned consumed = 0; consumed < p->f.records - 1; consumed++) {
        through_ring(p, consumed, consumed ? 0 : 4);
        assert_same_digest(p->path, p->other);
        unlink(p->other);
    }
}

static void test_foreign_ring_is_ignored(void **state)
{
    struct place *p = *state;
    struct ring *ring;
    make_journal(p, 8); /* its numbers are no ring's */
    assert_int_equal(archive_seal(p->journal, NULL, p->path, NULL, &why), 0);
    assert_int_equal(ring_create(p->folder, "a", 1 << 20, &ring), 0);
    for (unsigned i = 5; i < p->f.records; i++)
        assert_int_equal(ring_put(ring, &p->f.record[i].h, &p->f.record[i].u, p->f.record[i].h.size, NULL, 0), 0);
    assert_int_equal(archive_seal(p->journal, ring, p->other, NULL, &why), 0);
    ring_close(ring, true);
    assert_same_digest(p->path, p->other);
}

/* No room at any moment: an error, never a half file in place. In a child, as HDF5 keeps what it could not close. */
static void test_full_disk(void **state)
{
    const struct place *p = *state;
    int status;
    char names[2][256];
    struct stat st;
    make_journal(p, p->f.records);
    write_all(p, p->path, ARCHIVE_SEALED);
    assert_int_equal(stat(p->path, &st), 0);
    for (off_t room = 0; room < st.st_size; room += st.st_size / 9) {
        const pid_t child = fork();
        if (child == 0) {
            signal(SIGXFSZ, SIG_IGN);
            setrlimit(RLIMIT_FSIZE, &(struct rlimit){(rlim_t)room, (rlim_t)room});
            _exit(archive_seal(p->journal, NULL, p->other, NULL, &why) == -EFBIG && *why.text ? 0 : 1);
        }
        waitpid(child, &status, 0);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 0);
        snprintf(names[0], sizeof names[0], "%s.tmp", p->other);
        snprintf(names[1], sizeof names[1], "%s.tmp.lock", p->other);
        for (int i = 0; i < 2; i++) assert_int_equal(access(names[i], F_OK), -1);
        assert_int_equal(access(p->other, F_OK), -1);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_round_trip),
        TEST(test_live_file),
        TEST(test_replay_is_idempotent),
        TEST(test_losses_have_a_place),
        TEST(test_misfits_are_refused),
        TEST(test_live_reading),
        TEST(test_killed_writer),
        TEST(test_sealed_is_an_ordinary_file),
        TEST(test_changes_are_found),
        TEST(test_unsound_contents_are_found),
        TEST(test_not_a_trace),
        TEST(test_missing_columns),
        TEST(test_seal),
        TEST(test_seal_what_is_there),
        TEST(test_seal_with_ring),
        TEST(test_foreign_ring_is_ignored),
        TEST(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
