#include "recover.h"

#include "archive.h"
#include "config.h"
#include "journal.h"
#include "ring.h"
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_PATH = 4096, MAX_NAME = sizeof((struct recording *)0)->name };
struct recover {
    char h5[MAX_PATH], journal[MAX_PATH], ring[MAX_PATH]; /* "": none, or not known */
    bool has_journal, ring_empty;
    uint64_t torn_bytes, last_lsn;
    const struct archive_pulse *pulse;
    char *error;
    size_t error_size;
};

__attribute__((format(printf, 3, 4))) static int fail(struct recover *r, int error, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(r->error, r->error_size, format, ap);
    va_end(ap);
    return error;
}

static bool ends_with(const char *s, const char *tail)
{
    size_t n = strlen(s), m = strlen(tail);
    return n > m && !strcmp(s + n - m, tail);
}

/* The same path with another ending; the caller has checked that it has `old`. */
static void swap_ending(const char *path, const char *old, const char *with, char ret[MAX_PATH])
{
    snprintf(ret, MAX_PATH, "%.*s%s", (int)(strlen(path) - strlen(old)), path, with);
}

/* Reads the journal to its end: the ring that it names, and what is torn. */
static int look_at_journal(struct recover *r)
{
    struct journal_reader *j;
    bool same_schema;
    struct record_header h;
    const void *payload;
    int rc = journal_open(r->journal, &j, &same_schema);
    if (rc == -ENOENT) return 0;
    if (rc == -EPROTO)
        return fail(r, rc, "%s: not a journal of this version: use the plate-trace that came with its plated", r->journal);
    if (rc) return fail(r, rc, "%s: %s", r->journal, strerror(-rc));
    snprintf(r->ring, sizeof r->ring, "%s", journal_ring_path(j));
    while (!(rc = journal_next(j, &h, &payload)))
        if (h.lsn) r->last_lsn = h.lsn;
    r->torn_bytes = journal_torn_bytes(j);
    journal_reader_close(j);
    if (rc != -ENODATA) return fail(r, rc, "%s: %s", r->journal, strerror(-rc));
    r->has_journal = true;
    return 0;
}

/* The recording that the ring's next BEGIN speaks of: its folder stands in the configuration that it carries. */
static int look_at_ring(struct recover *r)
{
    struct ring *ring;
    struct record_header h;
    const void *payload;
    struct recording rec = {0};
    struct config config = {0};
    struct config_error e;
    int rc = ring_open(r->ring, &ring);
    if (rc == -EBUSY) return fail(r, rc, "%s: plated is still writing: stop it first (platectl shutdown)", r->ring);
    if (rc == -EPROTO)
        return fail(r, rc, "%s: not a ring of this version: use the plate-trace that came with its plated", r->ring);
    r->ring_empty = rc == -ENODATA;
    if (rc) return fail(r, rc, "%s: %s", r->ring, strerror(-rc));
    do rc = ring_peek(ring, &h, &payload);
    while (rc == -EBADMSG || (!rc && h.type != RECORD_BEGIN));
    struct ring_counters counters;
    ring_counters(ring, &counters);
    r->ring_empty = counters.used_bytes == 0;
    if (rc)
        rc = fail(r, -ENODATA, "%s: no recording begins in this ring: name the journal or the archive instead", r->ring);
    else
        rc = recording_from_json(payload, h.size, &rec);
    if (rc == -EBADMSG) fail(r, rc, "%s: the beginning of its recording is damaged", r->ring);
    if (!rc && (rc = config_parse(rec.config, strlen(rec.config), r->ring, &config, &e))) fail(r, rc, "%s", e.text);
    if (!rc) {
        snprintf(r->h5, sizeof r->h5, "%s/%s.h5", config.archive_dir, rec.name);
        snprintf(r->journal, sizeof r->journal, "%s/%s.journal", config.archive_dir, rec.name);
    }
    config_done(&config);
    recording_done(&rec);
    ring_close(ring, false);
    return rc;
}

static bool exists(const char *path) { return *path && access(path, F_OK) == 0; }

/* Another part of the recording that lies at `path`, which ends in `ending`. */
static void part_path(const char *path, const char *ending, unsigned number, char ret[MAX_PATH])
{
    char stem[MAX_PATH], name[MAX_NAME];
    swap_ending(path, ending, "", stem);
    char *base = strrchr(stem, '/');
    base = base ? base + 1 : stem;
    recording_part_name(base, number, name, sizeof name);
    snprintf(ret, MAX_PATH, "%.*s%s%s", (int)(base - stem), stem, name, ending);
}

static void next_part(const struct recover *r, char ret_journal[MAX_PATH])
{
    unsigned number = 1;
    char stem[MAX_PATH];
    swap_ending(r->journal, ".journal", "", stem);
    const char *base = strrchr(stem, '/'), *dot = strrchr(base ? base : stem, '.');
    if (dot && sscanf(dot, ".part%u", &number) != 1) number = 1;
    part_path(r->journal, ".journal", number + 1, ret_journal);
}

/* What is in the ring goes on where the last part stops; the parts before it are whole. */
static bool has_later_part(const struct recover *r)
{
    char journal[MAX_PATH], h5[MAX_PATH];
    next_part(r, journal);
    swap_ending(journal, ".journal", ".h5", h5);
    return exists(journal) || exists(h5);
}

static int find_files(struct recover *r, const char *path)
{
    if (strlen(path) + sizeof ".part1000.journal" > MAX_PATH) return fail(r, -ENAMETOOLONG, "%s: the path is too long", path);
    if (access(path, F_OK)) return fail(r, -errno, "%s: %s", path, strerror(errno));
    if (ends_with(path, ".ring")) {
        snprintf(r->ring, sizeof r->ring, "%s", path);
        int rc = look_at_ring(r);
        if (rc) return rc;
        char ring[MAX_PATH];
        memcpy(ring, r->ring, sizeof ring);
        rc = look_at_journal(r);
        memcpy(r->ring, ring, sizeof ring);
        return rc;
    }
    if (ends_with(path, ".journal"))
        swap_ending(path, ".journal", ".h5", r->h5);
    else if (ends_with(path, ".h5"))
        snprintf(r->h5, sizeof r->h5, "%s", path);
    else
        return fail(r, -EINVAL, "%s: name an archive (.h5), its journal (.journal) or its ring (.ring)", path);
    swap_ending(r->h5, ".h5", ".journal", r->journal);
    return look_at_journal(r);
}

static bool is_sealed(const char *path, uint64_t *ret_samples, unsigned *ret_plates, char ret_name[MAX_NAME])
{
    struct archive_reader *a;
    struct archive_error e;
    struct archive_info info;
    if (archive_open_part(path, &a, &e)) return false;
    archive_info(a, &info);
    *ret_plates = archive_recording(a)->plates;
    snprintf(ret_name, MAX_NAME, "%s", archive_recording(a)->name);
    *ret_samples = 0;
    for (unsigned i = 0; i < *ret_plates; i++) *ret_samples += archive_rows(a, i);
    archive_reader_close(a);
    return info.sealed;
}

static bool begins_another(const struct record_header *h, const void *payload, const char *name)
{
    struct recording rec;
    if (h->type != RECORD_BEGIN || recording_from_json(payload, h->size, &rec)) return false;
    bool another = strcmp(rec.name, name) != 0;
    recording_done(&rec);
    return another;
}

/* Frees what is sealed now: the records up to another recording's beginning, or all of them with the file. Records that do
 * not go on where the journal stops (last_lsn; 0: there was none) are another recording's, and stay. */
static int drop_from_ring(const char *path, const char *name, uint64_t last_lsn, bool *ret_more)
{
    struct ring *ring;
    struct record_header h;
    const void *payload;
    size_t ours = 0;
    int rc = ring_open(path, &ring);
    if (rc) return rc;
    while (!(rc = ring_peek(ring, &h, &payload)) && !begins_another(&h, payload, name)) {
        if (!ours && last_lsn && h.lsn > last_lsn + 1) break;
        ours++;
    }
    *ret_more = rc == 0;
    ring_close(ring, !*ret_more);
    if (!*ret_more || ours == 0) return 0;
    rc = ring_open(path, &ring);
    if (rc) return rc;
    while (!rc && ours--) rc = ring_peek(ring, &h, &payload);
    if (!rc) ring_consume(ring);
    ring_close(ring, false);
    return rc;
}

/* Opens the ring if it is there; a live daemon on it means that the recording is not over. */
static int open_ring(struct recover *r, struct ring **ret)
{
    *ret = NULL;
    if (!*r->ring) return 0;
    int rc = ring_open(r->ring, ret);
    if (rc == -ENOENT || rc == -ENODATA) return *r->ring = '\0', 0;
    if (rc == -EBUSY) return fail(r, rc, "%s: plated is still writing: stop it first (platectl shutdown)", r->h5);
    if (rc == -EPROTO)
        return fail(r, rc, "%s: not a ring of this version: use the plate-trace that came with its plated", r->ring);
    return rc ? fail(r, rc, "%s: %s", r->ring, strerror(-rc)) : 0;
}

static int seal(struct recover *r)
{
    struct ring *ring;
    struct archive_error e = {""};
    int rc = open_ring(r, &ring);
    if (rc) return rc;
    rc = archive_seal(r->has_journal ? r->journal : NULL, ring, r->h5, r->pulse, &e);
    ring_close(ring, false);
    return rc ? fail(r, rc, "%s: %s", r->h5, e.text) : 0;
}

/* Journals that were being made when their process died: nothing is in them. */
static void remove_unborn(const struct recover *r)
{
    char next[MAX_PATH], path[MAX_PATH];
    next_part(r, next);
    snprintf(path, sizeof path, "%s.new", next);
    unlink(path);
    snprintf(path, sizeof path, "%s.new", r->journal);
    unlink(path);
}

static int recover_files(struct recover *r, char *ret_account, size_t account_size)
{
    uint64_t samples;
    unsigned plates;
    char name[MAX_NAME];
    bool more = false;
    if (has_later_part(r)) *r->ring = '\0';
    int rc = seal(r);
    if (rc) return rc;
    if (!is_sealed(r->h5, &samples, &plates, name)) return fail(r, -EIO, "%s: cannot be read back: the journal is kept", r->h5);
    /* the ring first: a journal that is there still seals to the same file, but what is left of a ring is nobody's */
    if (*r->ring && (rc = drop_from_ring(r->ring, name, r->last_lsn, &more)))
        return fail(r, rc, "%s: sealed; cannot empty %s: %s", r->h5, r->ring, strerror(-rc));
    if (r->has_journal && unlink(r->journal))
        return fail(r, -errno, "%s: sealed; cannot remove %s: %s", r->h5, r->journal, strerror(errno));
    remove_unborn(r);
    FILE *f = fmemopen(ret_account, account_size, "w");
    if (!f) return fail(r, -errno, "%s: sealed, but: %s", r->h5, strerror(errno));
    fprintf(f, "%s: sealed, %" PRIu64 " samples of %u plate%s", r->h5, samples, plates, plates == 1 ? "" : "s");
    if (r->has_journal) fprintf(f, "; removed %s", r->journal);
    if (*r->ring && !more) fprintf(f, "; removed %s", r->ring);
    if (r->torn_bytes) fprintf(f, "; the journal's last %" PRIu64 " bytes were torn", r->torn_bytes);
    if (more) fprintf(f, "; another recording waits: plate-trace recover %s", r->ring);
    fclose(f);
    return 0;
}

/* `path` is sealed, or there is nothing to seal it from. */
static int nothing_to_do(struct recover *r, char *ret_account, size_t account_size)
{
    uint64_t samples;
    unsigned plates;
    char name[MAX_NAME];
    if (!is_sealed(r->h5, &samples, &plates, name))
        return fail(r, -ENOENT, "%s: not sealed, and %s is not there: put the journal beside the archive", r->h5, r->journal);
    snprintf(ret_account, account_size, "%s: sealed already, %" PRIu64 " samples of %u plate%s; nothing to do", r->h5, samples,
             plates, plates == 1 ? "" : "s");
    return 0;
}

static int recover_one(const char *path, const struct archive_pulse *pulse, char *ret_account, size_t account_size,
                       char *ret_error, size_t error_size)
{
    struct recover r = {.pulse = pulse, .error = ret_error, .error_size = error_size};
    const bool from_ring = ends_with(path, ".ring");
    int rc = find_files(&r, path);
    if (rc == -ENODATA && r.ring_empty) {
        if (unlink(path)) return fail(&r, -errno, "%s: empty, and cannot be removed: %s", path, strerror(errno));
        snprintf(ret_account, account_size, "%s: nothing in it; removed", path);
        return 0;
    }
    if (rc) return rc;
    return r.has_journal || from_ring ? recover_files(&r, ret_account, account_size)
                                      : nothing_to_do(&r, ret_account, account_size);
}

int recover_path(const char *path, char *ret_account, size_t account_size, char *ret_error, size_t error_size)
{
    const char *ending = ends_with(path, ".h5") ? ".h5" : ".journal";
    char h5[MAX_PATH], journal[MAX_PATH], part[MAX_PATH];
    size_t n = 0;
    if (!ends_with(path, ending) || strlen(path) + sizeof ".part1000.journal" > MAX_PATH)
        return recover_one(path, NULL, ret_account, account_size, ret_error, error_size);
    swap_ending(path, ending, ".journal", journal);
    swap_ending(path, ending, ".h5", h5);
    for (unsigned number = 1; n + 1 < account_size; number++) {
        part_path(journal, ".journal", number, part);
        if (!exists(part)) {
            part_path(h5, ".h5", number, part);
            if (!exists(part)) break;
            continue; /* sealed already */
        }
        const int rc = recover_one(part, NULL, ret_account + n, account_size - n, ret_error, error_size);
        if (rc) return rc;
        n += strlen(ret_account + n);
        ret_account[n++] = '\n';
    }
    if (n == 0) return recover_one(path, NULL, ret_account, account_size, ret_error, error_size);
    ret_account[n - 1] = '\0';
    return 0;
}

int recover_folder(const char *folder, const char *ring_path, const struct archive_pulse *pulse, unsigned *ret_archives,
                   char *ret_error, size_t error_size)
{
    char path[MAX_PATH], account[3 * MAX_PATH], why[2 * MAX_PATH];
    int result = 0;
    unsigned archives = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));) {
        if (!ends_with(e->d_name, ".journal")) continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        int rc = recover_one(path, pulse, account, sizeof account, why, sizeof why);
        if (rc == 0)
            archives++;
        else if (rc != -EBUSY && result == 0) {
            result = rc;
            snprintf(ret_error, error_size, "%s", why);
        }
    }
    if (d) closedir(d);
    while (result == 0 && exists(ring_path)) { /* recordings of which nothing but the ring is left */
        int rc = recover_one(ring_path, pulse, account, sizeof account, why, sizeof why);
        if (rc == -ENODATA || rc == -EBUSY) break;
        if (rc) {
            result = rc;
            snprintf(ret_error, error_size, "%s", why);
        } else
            archives++;
    }
    *ret_archives = archives;
    return result;
}
