#include "part.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void set_paths(struct part *p, const char *folder)
{
    snprintf(p->path, sizeof p->path, "%s/%s.h5", folder, p->recording.name);
    snprintf(p->journal_path, sizeof p->journal_path, "%s/%s.journal", folder, p->recording.name);
}

/* ---- what holds ---- */

static void remember_session(struct part *p, const struct record_session *s)
{
    unsigned i = 0;
    while (i < p->sessions && strncmp(p->session[i].key, s->key, sizeof s->key) != 0) i++;
    if (i == PART_SESSION) return;
    p->session[i] = *s;
    if (i == p->sessions) p->sessions++;
}

static void remember(struct part *p, const struct record_header *h, const void *payload)
{
    const unsigned i = h->plate < PLATE_MAX_PLATES ? h->plate : 0;
    struct plate_gap gap;
    if (h->lsn) p->lsn = h->lsn;
    if (h->type == RECORD_BLOCK && i < p->recording.plates) {
        p->next[i] = h->sample + h->size / (p->recording.plate[i].cells * sizeof(int32_t));
    } else if (h->type == RECORD_GAP && h->size == sizeof gap) {
        memcpy(&gap, payload, sizeof gap);
        p->next[i] = gap.sample + gap.count;
    } else if (h->type == RECORD_CLOCK && h->size == sizeof *p->knot) {
        memcpy(&p->knot[i], payload, sizeof *p->knot);
        p->has_knot[i] = true;
    } else if (h->type == RECORD_CALIBRATION && h->size == sizeof *p->calibration) {
        memcpy(&p->calibration[i], payload, sizeof *p->calibration);
        p->calibration_sample[i] = h->sample;
        p->has_calibration[i] = true;
    } else if (h->type == RECORD_SESSION && h->size == sizeof *p->session) {
        remember_session(p, payload);
    }
}

/* ---- the live file: it serves readers, and nothing depends on it ---- */

static void give_up_live(struct part *p)
{
    struct archive_error ignored;
    archive_close(p->live, &ignored);
    p->live = NULL;
    p->live_given_up = true;
}

/* Made with everything that is in the journal, which is little: a new part's has what holds. */
static void make_live(struct part *p)
{
    struct journal_reader *j;
    struct record_header h;
    const void *payload;
    bool same_schema;
    int rc = archive_create(p->path, ARCHIVE_LIVE, &p->recording, &p->live, &p->live_error);
    if (rc == 0 && (rc = journal_open(p->journal_path, &j, &same_schema)) == 0) {
        while (rc == 0 && (rc = journal_next(j, &h, &payload)) == 0)
            if (h.type != RECORD_BEGIN) rc = archive_write(p->live, &h, payload, &p->live_error);
        journal_reader_close(j);
    }
    if (rc && rc != -ENODATA) give_up_live(p);
}

void part_drop_live(struct part *p)
{
    if (!p->live) return;
    give_up_live(p);
    unlink(p->path);
    snprintf(p->live_error.text, sizeof p->live_error.text, "its room was wanted");
}

/* ---- the journal ---- */

static int append(struct journal *j, uint16_t type, unsigned plate, uint64_t lsn, uint64_t sample, const void *payload,
                  size_t n)
{
    struct record_header h = {
        .magic = RECORD_MAGIC, .type = type, .plate = (uint16_t)plate, .size = (uint32_t)n, .lsn = lsn, .sample = sample};
    h.crc = record_crc(&h, payload);
    return journal_append(j, &h, payload);
}

/* Somebody may have removed it, or with it what was in it. */
static int make_folder(const char *folder) { return mkdir(folder, 0777) < 0 && errno != EEXIST ? -errno : 0; }

/* A journal is made under another name and gets its own when it is whole up to here: where there is a journal, there is a
 * recording in it. */
static int create_unnamed(const char *folder, const char *path, const char *ring_path, char ret_new[530], struct journal **ret)
{
    const int rc = make_folder(folder);
    if (rc) return rc;
    snprintf(ret_new, 530, "%s.new", path);
    if (access(path, F_OK) == 0) return -EEXIST;
    unlink(ret_new); /* of a dead process */
    return journal_create(ret_new, ring_path, ret);
}

static int give_name(struct journal *j, const char *new_path, const char *path)
{
    const int rc = journal_sync(j);
    if (rc) return rc;
    return rename(new_path, path) < 0 ? -errno : journal_sync_folder(path);
}

/* The next part's journal: who and when, and what holds. What is said again has no number, so that it is never passed over. */
static int append_what_holds(struct part *p, struct journal *j, const struct recording *rec)
{
    char *json = recording_to_json(rec);
    int rc = json ? append(j, RECORD_BEGIN, 0, p->lsn, 0, json, strlen(json)) : -ENOMEM;
    free(json);
    for (unsigned i = 0; i < p->sessions && rc == 0; i++)
        rc = append(j, RECORD_SESSION, 0, 0, 0, &p->session[i], sizeof p->session[i]);
    for (unsigned i = 0; i < rec->plates && rc == 0; i++) {
        if (p->has_calibration[i] && p->calibration[i].calibration.cells == rec->plate[i].cells)
            rc = append(j, RECORD_CALIBRATION, i, 0, p->calibration_sample[i], &p->calibration[i], sizeof p->calibration[i]);
        if (p->has_knot[i] && rc == 0) rc = append(j, RECORD_CLOCK, i, 0, p->knot[i].sample, &p->knot[i], sizeof p->knot[i]);
    }
    return rc;
}

int part_begin(struct part *p, const char *folder, const char *ring_path, const struct record_header *h, const void *payload,
               int64_t now_ns)
{
    struct recording rec;
    int rc = recording_from_json(payload, h->size, &rec);
    if (rc) return rc;
    recording_done(&p->recording);
    *p = (struct part){.recording = rec, .begun_ns = now_ns, .lsn = h->lsn};
    set_paths(p, folder);
    char new_path[530];
    rc = create_unnamed(folder, p->journal_path, ring_path, new_path, &p->journal);
    if (rc) return rc;
    rc = journal_append(p->journal, h, payload);
    if (rc == 0) rc = give_name(p->journal, new_path, p->journal_path);
    if (rc == 0) return 0;
    journal_close(p->journal);
    p->journal = NULL;
    unlink(new_path);
    unlink(p->journal_path);
    return rc;
}

int part_append(struct part *p, const struct record_header *h, const void *payload)
{
    if (!p->live && !p->live_given_up) make_live(p);
    const int rc = journal_append(p->journal, h, payload);
    if (rc) return rc;
    remember(p, h, payload);
    if (p->live && archive_write(p->live, h, payload, &p->live_error) != 0) give_up_live(p);
    return 0;
}

int part_sync(struct part *p, const char *folder)
{
    int rc = journal_sync(p->journal);
    if (rc == 0 && !journal_reachable(p->journal, p->journal_path)) {
        if ((rc = make_folder(folder)) != 0) return rc;
        if ((rc = journal_move(p->journal, p->journal_path)) == 0 && p->live) {
            snprintf(p->live_error.text, sizeof p->live_error.text, "it was removed");
            give_up_live(p);
        }
    }
    if (rc == 0 && p->live && archive_flush(p->live) != 0) {
        snprintf(p->live_error.text, sizeof p->live_error.text, "it cannot be flushed");
        give_up_live(p);
    }
    return rc;
}

bool part_has_shape(const struct part *p, const struct recording *shape)
{
    for (unsigned i = 0; i < p->recording.plates && i < shape->plates; i++)
        if (p->recording.plate[i].cells != shape->plate[i].cells) return false;
    return true;
}

int part_next(struct part *p, const char *folder, const char *ring_path, const struct recording *shape, int64_t now_ns)
{
    char journal_path[520], new_path[530];
    struct journal *j;
    struct recording rec = p->recording;
    rec.earlier_parts++;
    recording_part_name(p->recording.name, rec.earlier_parts + 1, rec.name, sizeof rec.name);
    for (unsigned i = 0; i < rec.plates; i++) {
        if (shape && i < shape->plates) rec.plate[i] = shape->plate[i];
        rec.plate[i].first_sample = p->next[i];
    }
    snprintf(journal_path, sizeof journal_path, "%s/%s.journal", folder, rec.name);
    int rc = create_unnamed(folder, journal_path, ring_path, new_path, &j);
    if (rc) return rc;
    rc = append_what_holds(p, j, &rec);
    if (rc == 0) rc = give_name(j, new_path, journal_path);
    if (rc == 0) rc = append(p->journal, RECORD_NEXT, 0, 0, 0, p->next, rec.plates * sizeof *p->next);
    if (rc == 0) rc = journal_sync(p->journal);
    if (rc) {
        journal_close(j);
        unlink(new_path);
        unlink(journal_path);
        return rc;
    }
    part_close(p);
    p->recording = rec;
    p->journal = j;
    p->live_given_up = false;
    p->begun_ns = now_ns;
    set_paths(p, folder);
    return 0;
}

void part_close(struct part *p)
{
    struct archive_error ignored;
    journal_close(p->journal);
    p->journal = NULL;
    archive_close(p->live, &ignored);
    p->live = NULL;
}
