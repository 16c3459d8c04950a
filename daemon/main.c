/* plated - the only file that knows every module: builds them in order, runs, destroys in reverse. */
#include <argp.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#ifdef PLATE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "archivist.h"
#include "config.h"
#include "engine.h"
#include "helper.h"
#include "log.h"
#include "recover.h"
#include "ring.h"
#include "stream.h"

/* What a second of a plate costs in the ring beside its samples, each of which may come in a record of its own. */
#define RING_OTHER_BYTES_PER_S 20000.0
#define MOST_FILES 4096u

static struct options {
    const char *config, *capture;
    bool check, print, ready;
} options = {.config = "plated.yaml"};

const char *argp_program_version = "plated " PLATE_VERSION;

static const struct argp_option keys[] = {
    {"config", 'c', "FILE", 0, "The configuration (default: plated.yaml)", 0},
    {"capture", 'w', "FILE", 0, "Keep the raw bytes of every port in FILE (.wire)", 0},
    {"check-config", 'k', NULL, 0, "Check the configuration and exit", 0},
    {"print-config", 'p', NULL, 0, "Print the configuration with every default filled in, and exit", 0},
    {"ready", 'r', NULL, 0, "Print READY on standard output when subscribers can come", 0},
    {0}};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    (void)state;
    switch (key) {
    case 'c':
        options.config = arg;
        return 0;
    case 'w':
        options.capture = arg;
        return 0;
    case 'k':
        options.check = true;
        return 0;
    case 'p':
        options.print = true;
        return 0;
    case 'r':
        options.ready = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int block_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL); /* before the first thread */
    signal(SIGPIPE, SIG_IGN);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* A connection takes two files, and 400 may stand at each of two sockets. */
static void raise_file_limit(void)
{
    struct rlimit files;
    if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur >= MOST_FILES) return;
    files.rlim_cur = files.rlim_max < MOST_FILES ? files.rlim_max : MOST_FILES;
    setrlimit(RLIMIT_NOFILE, &files);
}

static bool prepare_folder(const char *path)
{
    if (mkdir(path, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "plated: %s: cannot make the archive folder: %s; set archive_dir to a folder that can be written\n",
                path, strerror(errno));
        return false;
    }
    if (access(path, W_OK | X_OK) == 0) return true;
    fprintf(stderr, "plated: %s: the archive folder cannot be written: %s; set archive_dir to one that can\n", path,
            strerror(errno));
    return false;
}

static size_t ring_bytes(const struct config *c)
{
    double bytes = 1 << 20;
    for (unsigned i = 0; i < c->plates_count; i++) {
        size_t record = record_padded(c->plates[i].cells_count * (uint32_t)sizeof(int32_t));
        bytes += c->ring_s * (RING_OTHER_BYTES_PER_S + c->plates[i].rate_Hz * (double)record);
    }
    return (size_t)bytes;
}

/* The service manager waits for READY, and gives up after a while. */
static void ask_for_time(void *user)
{
    time_t *asked = user, now = time(NULL);
    if (now == *asked) return;
    *asked = now;
#ifdef PLATE_SYSTEMD
    sd_notify(0, "EXTEND_TIMEOUT_USEC=30000000\nSTATUS=sealing what the last run left");
#endif
}

/* What a dead process left is brought to safety first. What cannot be is left alone, and told. */
static void recover_before(const struct config *c, const char *ring_file)
{
    char why[512];
    unsigned archives;
    time_t asked = 0;
    if (recover_folder(c->archive_dir, ring_file, &(struct archive_pulse){ask_for_time, &asked}, &archives, why, sizeof why) !=
        0)
        fprintf(stderr, "plated: not recovered: %s\n", why);
    if (archives > 0)
        fprintf(stderr, "plated: %s: recovered %u recording(s) of a plated that did not stop cleanly\n", c->archive_dir,
                archives);
}

static struct ring *open_ring(const struct config *c)
{
    char folder[256], path[400];
    struct ring *ring = NULL;
    int e = config_ring_dir(c, folder, sizeof folder);
    snprintf(path, sizeof path, "%s/plated-%s.ring", folder, c->station);
    if (e == 0) recover_before(c, path);
    char name[200];
    snprintf(name, sizeof name, "plated-%s", c->station);
    if (e == 0) e = ring_create(folder, name, ring_bytes(c), &ring);
    if (e == 0) return ring;
    if (e == -EBUSY)
        fprintf(stderr, "plated: %s: another plated of station \"%s\" is running; stop it, or give this one another station\n",
                path, c->station);
    else if (e == -ENOSPC || e == -ENOMEM)
        fprintf(stderr, "plated: %s: %s has no room for a ring of %.1f MB; free some, or set ring_dir or ring_s\n", path,
                folder, (double)ring_bytes(c) / 1e6);
    else
        fprintf(stderr, "plated: %s: cannot make the ring: %s; set ring_dir to a folder in memory that can be written\n", path,
                strerror(-e));
    return NULL;
}

static size_t capture_ring_bytes(const struct config *c)
{
    double bytes = 1 << 20;
    for (unsigned i = 0; i < c->plates_count;
         i++) /* each sample may come in a read of its own, and a decimal is as long as this */
        bytes += c->ring_s * c->plates[i].rate_Hz * (double)record_padded(16 + 16 * (c->plates[i].cells_count + 1));
    return (size_t)bytes;
}

/* --capture FILE, or a name of its own in the folder of the archives. False: it has said why it cannot be. */
static bool open_capture(const struct config *c, struct capture **ret)
{
    char folder[256], stamp[32], path[512];
    const time_t now = time(NULL);
    struct tm tm;
    if (!options.capture && !c->capture) return true;
    gmtime_r(&now, &tm);
    strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm);
    snprintf(path, sizeof path, "%s/%s-%ld.wire", c->archive_dir, stamp, (long)getpid());
    const char *file = options.capture ? options.capture : path;
    int e = config_ring_dir(c, folder, sizeof folder);
    if (e == 0) e = capture_new(file, folder, capture_ring_bytes(c), ret);
    if (e == -EEXIST)
        fprintf(stderr, "plated: %s: is there already; name another file to capture into\n", file);
    else if (e)
        fprintf(stderr, "plated: %s: cannot capture: %s; name a file that can be written, and see that %s has %.1f MB\n", file,
                strerror(-e), folder, (double)capture_ring_bytes(c) / 1e6);
    return e == 0;
}

static void tell(void *unused, bool alarming, const char *where, const char *text)
{
    (void)unused;
    plate_log(alarming ? LOG_WARNING : LOG_INFO, where, "%s", text);
}

static struct stream *open_stream(const struct config *c)
{
    struct stream_config cfg = {.data_endpoint = c->stream.data,
                                .control_endpoint = c->stream.control,
                                .secret_key = c->stream.secret_key,
                                .clients = c->stream.clients,
                                .tell = tell,
                                .station = c->station,
                                .high_water = c->stream.high_water,
                                .history_bytes = c->stream.history_MB * (size_t)1000000};
    struct stream *stream = NULL;
    struct stream_error why;
    if (stream_open(&cfg, &stream, &why) == 0) return stream;
    fprintf(stderr, "plated: %s\n", why.text);
    return NULL;
}

static int run(const struct config *c, int stop_fd)
{
    struct archivist *archivist = NULL;
    struct helper *helper = NULL;
    struct engine *engine = NULL;
    struct stream *stream = NULL;
    const struct archivist_limits limits = {(int64_t)(c->part_h * 3600e9), (uint64_t)(c->part_MB * 1e6)};
    struct capture *capture = NULL;
    int e = -1;
    struct ring *ring = prepare_folder(c->archive_dir) ? open_ring(c) : NULL;
    if (ring) stream = open_stream(c);
    if (stream && (e = log_open()) == 0)
        e = open_capture(c, &capture) ? archivist_new(ring, c->archive_dir, &limits, &archivist) : -1;
    if (e == 0) e = helper_new(&helper);
    if (e == 0) e = engine_new(&(struct engine_parts){c, ring, archivist, helper, stream, capture}, &engine);
    if (e < -1) fprintf(stderr, "plated: cannot start: %s\n", strerror(-e));
    if (e == 0) {
        if (options.ready) {
            puts("READY");
            fflush(stdout);
        }
#ifdef PLATE_SYSTEMD
        sd_notify(0, "READY=1");
#endif
        e = engine_run(engine, stop_fd);
#ifdef PLATE_SYSTEMD
        sd_notify(0, "STOPPING=1");
#endif
    }
    bool safe = archivist ? archivist_finish(archivist) : true;
    if (engine) engine_say_sealed(engine);
    engine_free(engine);
    helper_free(helper);
    capture_free(capture);
    archivist_free(archivist);
    stream_close(stream);
    ring_close(ring, safe);
    if (!safe)
        plate_log(
            LOG_ERROR, c->archive_dir,
            "what could not be written is in the ring; plated recovers it at its next start, plate-trace recover does now");
    log_close();
    return e == 0 && safe ? 0 : 1;
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        keys, parse, NULL, "Reads force plates, finds repetitions, publishes them, archives every sample.", NULL, NULL, NULL};
    argp_err_exit_status = 2;
    if (argp_parse(&argp, argc, argv, 0, NULL, NULL) != 0) return 2;
    struct config config;
    struct config_error why;
    if (config_load(options.config, &config, &why) != 0) {
        fprintf(stderr, "plated: %s\n", why.text);
        return 1;
    }
    int status = 0;
    if (options.print)
        config_print(&config, stdout);
    else if (options.check)
        printf("%s: %u plate(s), no mistakes found\n", options.config, config.plates_count);
    else {
        int stop_fd = block_signals();
        raise_file_limit();
        status = stop_fd < 0 ? 1 : run(&config, stop_fd);
    }
    config_done(&config);
    return status;
}
