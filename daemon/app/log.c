#include "log.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { QUEUE_LINES = 1024, LINE_SIZE = 512, REMEMBERED = 16, REPEATS_SHOWN = 3, REPEAT_WINDOW_S = 10, CLOSE_WAIT_MS = 1000 };

struct line {
    _Atomic uint64_t turn; /* D. Vyukov's bounded queue: whose turn it is with this slot */
    struct timespec utc;
    enum log_level level;
    char text[LINE_SIZE]; /* "WHERE: TEXT" */
};
/* A line that came lately, and how often it was held back since. */
struct repeat {
    char text[LINE_SIZE];
    enum log_level level;
    struct timespec first; /* CLOCK_MONOTONIC */
    unsigned shown, held;
};
enum style { STYLE_PLAIN, STYLE_JOURNAL, STYLE_DATED };

/* There is one standard error in a process, and so one log. */
static struct {
    struct line line[QUEUE_LINES];
    _Atomic uint64_t head;
    uint64_t tail; /* the reader's */
    atomic_uint callers, level;
    atomic_bool running, closing;
    _Atomic uint64_t written, dropped, repeated;
    sem_t wake;
    pthread_t thread;
    enum style style;
    struct timespec close_by;
    struct repeat repeat[REMEMBERED]; /* the reader's */
} the_log = {.level = LOG_INFO};

static enum style style_now(void)
{
    struct stat st;
    unsigned long long device, inode;
    const char *journal = getenv("JOURNAL_STREAM");
    if (journal && sscanf(journal, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
        st.st_dev == device && st.st_ino == inode)
        return STYLE_JOURNAL;
    return isatty(STDERR_FILENO) ? STYLE_PLAIN : STYLE_DATED;
}

static int64_t ms_between(struct timespec a, struct timespec b)
{
    return (b.tv_sec - a.tv_sec) * 1000 + (b.tv_nsec - a.tv_nsec) / 1000000;
}

static struct timespec now_of(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return t;
}

/* ---- writing ---- */

/* Waits for room rather than in write(2), so that a stuck reader of the pipe cannot keep the log from closing. */
static bool write_whole(const char *bytes, size_t n, int wait_ms)
{
    while (n > 0) {
        struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
        const int ready = poll(&p, 1, wait_ms);
        if (ready < 0 && errno == EINTR) continue;
        if (ready <= 0) return false;
        const ssize_t put = write(STDERR_FILENO, bytes, n);
        if (put < 0 && errno != EINTR && errno != EAGAIN) return false;
        if (put <= 0) continue;
        bytes += put;
        n -= (size_t)put;
    }
    return true;
}

static void write_line(enum style style, enum log_level level, struct timespec utc, const char *text, int wait_ms)
{
    static const char *const priority[] = {"<3>", "<4>", "<6>", "<7>"};
    char line[LINE_SIZE + 64], date[32] = "";
    struct tm tm;
    if (style == STYLE_DATED && gmtime_r(&utc.tv_sec, &tm)) {
        const size_t n = strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
        snprintf(date + n, sizeof date - n, ".%03ldZ ", utc.tv_nsec / 1000000);
    }
    const int n = snprintf(line, sizeof line, "%s%splated: %s\n", style == STYLE_JOURNAL ? priority[level] : "", date, text);
    const bool ok = write_whole(line, (size_t)n, wait_ms);
    atomic_fetch_add(ok ? &the_log.written : &the_log.dropped, 1);
}

/* How long a closing log may still wait for room. */
static int patience_ms(void)
{
    const int64_t left = ms_between(now_of(CLOCK_MONOTONIC), the_log.close_by);
    return left > 0 ? (int)left : 0;
}

/* While the program runs the writer waits without end: the queue takes what comes, and counts what it cannot. */
static void show(enum log_level level, struct timespec utc, const char *text)
{
    struct pollfd p = {.fd = STDERR_FILENO, .events = POLLOUT};
    while (!atomic_load(&the_log.closing) && poll(&p, 1, 100) == 0)
        ;
    write_line(the_log.style, level, utc, text, atomic_load(&the_log.closing) ? patience_ms() : CLOSE_WAIT_MS);
}

static void repeat_end(struct repeat *r)
{
    char text[LINE_SIZE];
    if (r->held) {
        snprintf(text, sizeof text, "%.*s (... %u more)", LINE_SIZE - 32, r->text, r->held);
        show(r->level, now_of(CLOCK_REALTIME), text);
        atomic_fetch_add(&the_log.repeated, r->held);
    }
    *r = (struct repeat){.text = ""};
}

/* The entry of this text; else a free one, else the oldest. */
static struct repeat *repeat_of(const char *text)
{
    struct repeat *oldest = the_log.repeat;
    for (struct repeat *r = the_log.repeat; r < the_log.repeat + REMEMBERED; r++) {
        if (r->shown && strcmp(r->text, text) == 0) return r;
        if (oldest->shown && (!r->shown || ms_between(r->first, oldest->first) > 0)) oldest = r;
    }
    repeat_end(oldest);
    return oldest;
}

static void take_line(const struct line *l)
{
    struct repeat *r = repeat_of(l->text);
    if (!r->shown) {
        memcpy(r->text, l->text, sizeof r->text);
        r->level = l->level;
        r->first = now_of(CLOCK_MONOTONIC);
    }
    if (r->shown == REPEATS_SHOWN) {
        r->held++;
        return;
    }
    r->shown++;
    show(l->level, l->utc, l->text);
}

/* ---- the queue ---- */

static bool queue_pop(void)
{
    struct line *l = &the_log.line[the_log.tail % QUEUE_LINES];
    if (atomic_load_explicit(&l->turn, memory_order_acquire) != the_log.tail + 1) return false;
    take_line(l);
    atomic_store_explicit(&l->turn, the_log.tail + QUEUE_LINES, memory_order_release);
    the_log.tail++;
    return true;
}

static struct line *queue_claim(uint64_t *ret_at)
{
    uint64_t at = atomic_load_explicit(&the_log.head, memory_order_relaxed);
    for (;;) {
        struct line *l = &the_log.line[at % QUEUE_LINES];
        const uint64_t turn = atomic_load_explicit(&l->turn, memory_order_acquire);
        if (turn < at) return NULL;
        if (turn > at) {
            at = atomic_load_explicit(&the_log.head, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak_explicit(&the_log.head, &at, at + 1, memory_order_relaxed,
                                                         memory_order_relaxed)) {
            *ret_at = at;
            return l;
        }
    }
}

static void repeats_expire(bool all)
{
    const struct timespec now = now_of(CLOCK_MONOTONIC);
    for (struct repeat *r = the_log.repeat; r < the_log.repeat + REMEMBERED; r++)
        if (r->shown && (all || ms_between(r->first, now) >= REPEAT_WINDOW_S * 1000)) repeat_end(r);
}

static void *drain(void *unused)
{
    (void)unused;
    while (!atomic_load(&the_log.closing)) {
        struct timespec until = now_of(CLOCK_REALTIME);
        until.tv_sec++;
        sem_timedwait(&the_log.wake, &until);
        repeats_expire(false);
        while (queue_pop())
            ;
    }
    return NULL;
}

/* ---- for everybody ---- */

/* One line of valid text: control characters become blanks, and a cut does not split a character. */
static void text_make(char text[LINE_SIZE], const char *where, const char *fmt, va_list args)
{
    int n = snprintf(text, LINE_SIZE, "%.200s: ", where);
    n += vsnprintf(text + n, (size_t)(LINE_SIZE - n), fmt, args);
    if (n >= LINE_SIZE) {
        n = LINE_SIZE - 4;
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80) n--;
        strcpy(text + n, "...");
    }
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f) *c = ' ';
}

static bool queue_put(enum log_level level, const char *where, const char *fmt, va_list args)
{
    atomic_fetch_add(&the_log.callers, 1);
    const bool running = atomic_load(&the_log.running);
    uint64_t at = 0;
    struct line *l = running ? queue_claim(&at) : NULL;
    if (l) {
        l->utc = now_of(CLOCK_REALTIME);
        l->level = level;
        text_make(l->text, where, fmt, args);
        atomic_store_explicit(&l->turn, at + 1, memory_order_release);
        sem_post(&the_log.wake);
    } else if (running) {
        atomic_fetch_add(&the_log.dropped, 1);
    }
    atomic_fetch_sub(&the_log.callers, 1);
    return running;
}

void plate_log(enum log_level level, const char *where, const char *fmt, ...)
{
    if (level > atomic_load_explicit(&the_log.level, memory_order_relaxed)) return;
    va_list args;
    va_start(args, fmt);
    if (!queue_put(level, where, fmt, args)) {
        char text[LINE_SIZE];
        text_make(text, where, fmt, args);
        write_line(style_now(), level, now_of(CLOCK_REALTIME), text, 0);
    }
    va_end(args);
}

static void level_take(const char *name)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    for (unsigned i = 0; name && i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) atomic_store(&the_log.level, i);
}

int log_open(void)
{
    if (atomic_load(&the_log.running)) return 0;
    level_take(getenv("PLATED_LOG"));
    the_log.style = style_now();
    for (unsigned i = 0; i < QUEUE_LINES; i++) atomic_store(&the_log.line[i].turn, i);
    atomic_store(&the_log.head, 0);
    the_log.tail = 0;
    atomic_store(&the_log.closing, false);
    sem_init(&the_log.wake, 0, 0);
    sigset_t all, before; /* signals are for the threads that asked for them */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int e = pthread_create(&the_log.thread, NULL, drain, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (e) {
        sem_destroy(&the_log.wake);
        return -e;
    }
    atomic_store(&the_log.running, true);
    return 0;
}

void log_close(void)
{
    if (!atomic_load(&the_log.running)) return;
    atomic_store(&the_log.running, false);
    while (atomic_load(&the_log.callers)) sched_yield(); /* they are between two lines of queue_put() */
    the_log.close_by = now_of(CLOCK_MONOTONIC);
    the_log.close_by.tv_sec += CLOSE_WAIT_MS / 1000;
    atomic_store(&the_log.closing, true);
    sem_post(&the_log.wake);
    pthread_join(the_log.thread, NULL);
    while (queue_pop())
        ;
    repeats_expire(true);
    sem_destroy(&the_log.wake);
}

void log_counters(struct log_counters *ret)
{
    ret->lines = atomic_load(&the_log.written);
    ret->dropped = atomic_load(&the_log.dropped);
    ret->repeated = atomic_load(&the_log.repeated);
}
