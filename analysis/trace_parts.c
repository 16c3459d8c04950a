#include "trace_parts.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int fail(struct trace_parts *p, int rc, const char *what, const char *why)
{
    snprintf(p->error, sizeof p->error, "%.500s: %.120s", what, why);
    return rc;
}

static void path_of(const struct trace_parts *p, unsigned part, const char *ending, char *ret, size_t size)
{
    char name[sizeof p->part.recording.name];
    recording_part_name(p->part.recording.name, part, name, sizeof name);
    if (part == 1 && !strcmp(ending, "h5"))
        snprintf(ret, size, "%s", p->out);
    else
        snprintf(ret, size, "%s/%s.%s", p->folder, name, ending);
}

static unsigned parts_of(const struct trace_parts *p) { return p->part.recording.earlier_parts + 1; }

static bool is_h5(const char *path)
{
    const size_t n = strlen(path);
    return n > 3 && strcmp(path + n - 3, ".h5") == 0;
}

/* FOLDER/NAME[.h5]: the recording is called as its file is. */
static int take_name(struct trace_parts *p, const char *out, struct recording *rec)
{
    const char *slash = strrchr(out, '/'), *base = slash ? slash + 1 : out;
    const size_t stem = strlen(base) - (is_h5(base) ? 3 : 0), folder = slash ? (size_t)(slash - out) : 0;
    const size_t longest = sizeof ".part4294967295.journal.new";
    if (stem + longest > sizeof rec->name || folder + stem + longest + 1 > sizeof p->folder) return -ENAMETOOLONG;
    snprintf(rec->name, sizeof rec->name, "%.*s", (int)stem, base);
    snprintf(p->folder, sizeof p->folder, "%.*s", slash == out || !slash ? 1 : (int)folder, slash ? out : ".");
    return access(p->folder, F_OK) < 0 ? -errno : 0; /* part_begin() would make it */
}

/* The text of BEGIN for a recording that is called as `out` is; malloced. */
static int rename_recording(struct trace_parts *p, const char *out, const void *payload, size_t n, char **ret)
{
    struct recording rec;
    int rc = recording_from_json(payload, n, &rec);
    if (rc) return rc;
    rec.earlier_parts = 0;
    rc = take_name(p, out, &rec);
    if (rc == 0 && !(*ret = recording_to_json(&rec))) rc = -ENOMEM;
    recording_done(&rec);
    return rc;
}

int trace_parts_begin(struct trace_parts *p, const char *out, const struct record_header *h, const void *payload)
{
    struct record_header named = *h;
    char *json;
    if (access(out, F_OK) == 0) return fail(p, -EEXIST, out, "exists: choose another name");
    int rc = rename_recording(p, out, payload, h->size, &json);
    if (rc) return fail(p, rc, out, strerror(-rc));
    named.size = (uint32_t)strlen(json);
    named.crc = record_crc(&named, json);
    rc = part_begin(&p->part, p->folder, NULL, &named, json, 0);
    free(json);
    if (rc) return fail(p, rc, p->part.journal_path, strerror(-rc));
    p->out = out;
    p->part.live_given_up = true; /* nobody reads along */
    return 0;
}

int trace_parts_append(struct trace_parts *p, const struct record_header *h, const void *payload)
{
    const int rc = part_append(&p->part, h, payload);
    return rc ? fail(p, rc, p->part.journal_path, strerror(-rc)) : 0;
}

int trace_parts_shape(struct trace_parts *p, const struct record_header *h, const void *payload)
{
    struct recording shape;
    char path[600];
    if (recording_from_json(payload, h->size, &shape)) return 0; /* nothing of this shape follows */
    int rc = 0;
    if (!part_has_shape(&p->part, &shape)) {
        path_of(p, parts_of(p) + 1, "h5", path, sizeof path);
        if (!is_h5(p->out))
            rc = fail(p, -EINVAL, p->out, "a plate changes its number of cells, which takes several files: write NAME.h5");
        else if (access(path, F_OK) == 0)
            rc = fail(p, -EEXIST, path, "exists, and a part of the recording wants the name: choose another");
        else if ((rc = part_sync(&p->part, p->folder)) || (rc = part_next(&p->part, p->folder, NULL, &shape, 0)))
            fail(p, rc, p->part.journal_path, strerror(-rc));
        p->part.live_given_up = true;
    }
    recording_done(&shape);
    return rc;
}

int trace_parts_seal(struct trace_parts *p)
{
    char journal[600], path[600];
    struct archive_error e;
    part_close(&p->part);
    for (; p->sealed < parts_of(p); p->sealed++) {
        path_of(p, p->sealed + 1, "journal", journal, sizeof journal);
        path_of(p, p->sealed + 1, "h5", path, sizeof path);
        const int rc = archive_seal(journal, NULL, path, NULL, &e);
        if (rc) return fail(p, rc, "not sealed", e.text);
    }
    return 0;
}

void trace_parts_done(struct trace_parts *p, bool failed)
{
    char path[600];
    part_close(&p->part);
    for (unsigned i = 1; p->out && i <= parts_of(p); i++) {
        path_of(p, i, "journal", path, sizeof path);
        unlink(path);
        path_of(p, i, "h5", path, sizeof path);
        if (failed && i <= p->sealed) unlink(path);
    }
    recording_done(&p->part.recording);
    p->out = NULL;
}
