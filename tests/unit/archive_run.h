/* archive_run.h - an archive of the fixture in a folder of its own: written, read, verified; shared by the tests of the
 * archive. */
#pragma once
#include "archive.h"
#include "store_fixture.h"
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char *folder;
    char path[200], other[200], journal[200];
    struct fixture f;
};
static struct archive_error why;

static inline int setup(void **state)
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

static inline int teardown(void **state)
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

static inline struct archive_writer *create(const struct place *p, const char *path, enum archive_mode mode)
{
    struct archive_writer *w;
    why.text[0] = '\0';
    if (archive_create(path, mode, &p->f.recording, &w, &why)) fail_msg("%s", why.text);
    return w;
}

/* Records [from, to) but BEGIN. */
static inline void write_some(struct archive_writer *w, const struct fixture *f, unsigned from, unsigned to)
{
    for (unsigned i = from ? from : 1; i < to && i < f->records; i++)
        if (archive_write(w, &f->record[i].h, &f->record[i].u, &why)) fail_msg("record %u: %s", i, why.text);
}

static inline void write_all(const struct place *p, const char *path, enum archive_mode mode)
{
    struct archive_writer *w = create(p, path, mode);
    write_some(w, &p->f, 0, UINT32_MAX);
    if (archive_close(w, &why)) fail_msg("%s", why.text);
}

static inline struct archive_reader *open_archive(const char *path)
{
    struct archive_reader *r;
    if (archive_open(path, &r, &why)) fail_msg("%s", why.text);
    return r;
}

static inline void digest_of(const char *path, char ret[65])
{
    struct archive_reader *r = open_archive(path);
    struct archive_info info;
    archive_info(r, &info);
    assert_true(info.sealed);
    memcpy(ret, info.digest, 65);
    archive_reader_close(r);
}

static inline void assert_same_digest(const char *a, const char *b)
{
    char da[65], db[65];
    digest_of(a, da);
    digest_of(b, db);
    assert_string_equal(da, db);
}

static char breaches[2048];
static inline void note(void *user, const char *text)
{
    (void)user;
    const size_t n = strlen(breaches);
    snprintf(breaches + n, sizeof breaches - n, "%s\n", text);
}

static inline int verify(const char *path, struct archive_account *a)
{
    breaches[0] = '\0';
    return archive_verify(path, note, NULL, a, &why);
}

static inline void assert_breach(const char *path, const char *text)
{
    struct archive_account a;
    assert_int_equal(verify(path, &a), -EBADMSG);
    if (!strstr(breaches, text)) fail_msg("\"%s\" is not among: %s", text, breaches);
}

static inline void assert_counts(struct archive_reader *r, unsigned plate, uint64_t row, uint64_t sample, size_t n)
{
    const unsigned cells = archive_recording(r)->plate[plate].cells;
    int32_t counts[FIXTURE_ROWS * PLATE_MAX_CELLS];
    assert_int_equal(archive_counts(r, plate, row, n, counts, &why), 0);
    for (size_t i = 0; i < n * cells; i++)
        assert_int_equal(counts[i], fixture_count(plate, sample + i / cells, (unsigned)(i % cells)));
}

static inline const struct fixture_record *of_type(const struct fixture *f, enum record_type type)
{
    for (unsigned i = 0; i < f->records; i++)
        if (f->record[i].h.type == type) return &f->record[i];
    return NULL;
}

static inline void assert_recording(struct archive_reader *r, const struct fixture *f)
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

static inline void assert_plates(struct archive_reader *r)
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

static inline void assert_tables(struct archive_reader *r, const struct fixture *f)
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
static inline void assert_reps(struct archive_reader *r, const struct fixture *f)
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

static inline void assert_all(const char *path, const struct fixture *f)
{
    struct archive_reader *r = open_archive(path);
    assert_recording(r, f);
    assert_plates(r);
    assert_tables(r, f);
    assert_reps(r, f);
    archive_reader_close(r);
}
