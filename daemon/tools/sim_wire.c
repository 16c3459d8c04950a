#include "sim_wire.h"
#include "journal.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sim_wire {
    struct journal_reader *file;
    struct recording recording;
    bool began;
    int64_t first_ns;
};

/* The head: what was configured. */
static int read_head(struct sim_wire *w)
{
    struct record_header h;
    const void *payload;
    int rc;
    while ((rc = journal_next(w->file, &h, &payload)) == 0)
        if (h.type == RECORD_STATION) return recording_from_json(payload, h.size, &w->recording);
    return rc;
}

int sim_wire_open(const char *path, struct sim_wire **ret, char *ret_error, size_t error_size)
{
    struct sim_wire *w = calloc(1, sizeof *w);
    int rc = w ? journal_open_capture(path, &w->file) : -ENOMEM;
    if (rc == 0) rc = read_head(w);
    if (rc == 0) {
        *ret = w;
        return 0;
    }
    if (rc == -EPROTO || rc == -ENODATA || rc == -EBADMSG)
        snprintf(ret_error, error_size, "%.200s: not a capture of this version, or its head is damaged", path);
    else
        snprintf(ret_error, error_size, "%.200s: %s", path, strerror(-rc));
    sim_wire_close(w);
    return rc;
}

void sim_wire_close(struct sim_wire *w)
{
    if (!w) return;
    journal_reader_close(w->file);
    recording_done(&w->recording);
    free(w);
}

const struct recording *sim_wire_recording(const struct sim_wire *w) { return &w->recording; }
uint64_t sim_wire_torn_bytes(const struct sim_wire *w) { return journal_torn_bytes(w->file); }

bool sim_wire_next(struct sim_wire *w, struct sim_wire_event *ret)
{
    struct record_header h;
    struct record_moment at;
    const void *payload;
    while (journal_next(w->file, &h, &payload) == 0) {
        const uint8_t *rest = (const uint8_t *)payload + sizeof at;
        const bool bytes = h.type == RECORD_BYTES;
        if (!(bytes || h.type == RECORD_PORT) || h.size <= sizeof at || h.plate >= w->recording.plates) continue;
        memcpy(&at, payload, sizeof at);
        if (!w->began) w->first_ns = at.host_ns;
        w->began = true;
        *ret = (struct sim_wire_event){.kind = bytes   ? SIM_WIRE_BYTES
                                               : *rest ? SIM_WIRE_BACK
                                                       : SIM_WIRE_GONE,
                                       .plate = h.plate,
                                       .t_s = (double)(at.host_ns - w->first_ns) * 1e-9,
                                       .bytes = rest,
                                       .n = h.size - sizeof at};
        return true;
    }
    return false;
}

void sim_wire_print_plates(const struct sim_wire *w, const char *(*link)(void *user, unsigned plate), void *user)
{
    const char *line = strstr(w->recording.config, "\nplates:\n");
    unsigned plate = 0;
    for (line = line ? line + 1 : ""; *line;) {
        const size_t n = strcspn(line, "\n");
        const size_t key = strspn(line, " ");
        if (strncmp(line + key, "port:", 5) == 0)
            printf("%.*sport: \"%s\"\n", (int)key, line, link(user, plate++));
        else
            printf("%.*s\n", (int)n, line);
        line += n + (line[n] == '\n');
    }
}
