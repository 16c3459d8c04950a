/* A changed or unsound archive is found out, and what is no archive is told from one. */
#include "archive_run.h"
#include <fcntl.h>
#include <hdf5.h>

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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_changes_are_found),
        TEST(test_unsound_contents_are_found),
        TEST(test_not_a_trace),
        TEST(test_missing_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
