/* app/log: lines come whole and once, repeats are told of, nothing waits for a reader that does not read. */
#include "log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int saved, out; /* standard error before the test; what stands in for it */

static void capture_file(void)
{
    char name[] = "/tmp/test_log.XXXXXX";
    out = mkstemp(name);
    assert_true(out >= 0);
    unlink(name);
    saved = dup(STDERR_FILENO);
    dup2(out, STDERR_FILENO);
}

static void release(void)
{
    dup2(saved, STDERR_FILENO);
    close(saved);
}

/* What was written, without its dates; freed by the caller. */
static char *captured(void)
{
    struct stat st;
    release();
    assert_int_equal(fstat(out, &st), 0);
    char *raw = calloc(1, (size_t)st.st_size + 1), *text = calloc(1, (size_t)st.st_size + 1), *to = text;
    assert_int_equal(pread(out, raw, (size_t)st.st_size, 0), st.st_size);
    close(out);
    for (char *line = strtok(raw, "\n"); line; line = strtok(NULL, "\n")) {
        int year, month, day, hour, minute, second, ms, n = 0;
        if (sscanf(line, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ %n", &year, &month, &day, &hour, &minute, &second, &ms, &n) != 7) n = 0;
        to += sprintf(to, "%s\n", line + n);
    }
    free(raw);
    return text;
}

static struct log_counters since(struct log_counters before)
{
    struct log_counters now;
    log_counters(&now);
    return (struct log_counters){now.lines - before.lines, now.dropped - before.dropped, now.repeated - before.repeated};
}

static struct log_counters counters(void)
{
    struct log_counters now;
    log_counters(&now);
    return now;
}

static void test_before_open(void **state)
{
    (void)state;
    const struct log_counters before = counters();
    capture_file();
    plate_log(LOG_WARNING, "here", "%d and %s", 7, "text");
    plate_log(LOG_DEBUG, "here", "not worth a line");
    char *text = captured();
    assert_string_equal(text, "plated: here: 7 and text\n");
    assert_int_equal(since(before).lines, 1);
    free(text);
}

static void test_date(void **state)
{
    (void)state;
    capture_file();
    plate_log(LOG_INFO, "a", "b");
    char raw[128] = "";
    assert_true(pread(out, raw, sizeof raw - 1, 0) > 0);
    release();
    close(out);
    assert_int_equal(raw[4], '-');
    assert_int_equal(raw[10], 'T');
    assert_int_equal(raw[23], 'Z');
    assert_string_equal(raw + 24, " plated: a: b\n");
}

static void test_one_line(void **state)
{
    (void)state;
    char long_text[600];
    for (size_t i = 0; i < sizeof long_text - 1; i += 2) memcpy(long_text + i, "\xc3\xa9", 2);
    long_text[sizeof long_text - 2] = 0;
    capture_file();
    assert_int_equal(log_open(), 0);
    plate_log(LOG_ERROR, "w", "a\nb\tc\x1b[31m");
    plate_log(LOG_ERROR, "w", "%s", long_text);
    plate_log(LOG_ERROR, "ww", "%s", long_text);
    log_close();
    char *text = captured();
    char *second = strchr(text, '\n') + 1, *third = strchr(second, '\n') + 1;
    assert_memory_equal(text, "plated: w: a b c [31m\n", 22);
    for (char *line = second; line; line = line == second ? third : NULL) {
        const size_t n = strcspn(line, "\n");
        assert_true(n > 500 && n < 520);
        assert_memory_equal(line + n - 5, "\xc3\xa9...", 5); /* cut between two characters, not within one */
    }
    free(text);
}

enum { THREADS = 4, LINES = 200 };

static void *writer(void *user)
{
    for (int i = 0; i < LINES; i++) plate_log(LOG_INFO, "thread", "%d:%d", *(int *)user, i);
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    pthread_t thread[THREADS];
    int id[THREADS];
    const struct log_counters before = counters();
    capture_file();
    assert_int_equal(log_open(), 0);
    for (int i = 0; i < THREADS; i++) {
        id[i] = i;
        assert_int_equal(pthread_create(&thread[i], NULL, writer, &id[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    log_close();
    char *text = captured();
    int next[THREADS] = {0};
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        int who, i, n = 0;
        assert_int_equal(sscanf(line, "plated: thread: %d:%d%n", &who, &i, &n), 2);
        assert_int_equal(line[n], 0);
        assert_int_equal(i, next[who]++); /* whole, once, and in its thread's order */
    }
    for (int i = 0; i < THREADS; i++) assert_int_equal(next[i], LINES);
    assert_int_equal(since(before).lines, THREADS * LINES);
    assert_int_equal(since(before).dropped, 0);
    free(text);
}

/* Threads that log while the log is opened and closed lose no line: each is written at once or by the thread. */
static void test_open_close_race(void **state)
{
    (void)state;
    pthread_t thread[THREADS];
    int id[THREADS] = {0, 1, 2, 3};
    const struct log_counters before = counters();
    capture_file();
    for (int i = 0; i < THREADS; i++) assert_int_equal(pthread_create(&thread[i], NULL, writer, &id[i]), 0);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(log_open(), 0);
        log_close();
    }
    for (int i = 0; i < THREADS; i++) pthread_join(thread[i], NULL);
    free(captured());
    const struct log_counters sum = since(before);
    assert_int_equal(sum.lines + sum.dropped, THREADS * LINES);
    assert_int_equal(sum.dropped, 0);
}

static void test_repeats(void **state)
{
    (void)state;
    const struct log_counters before = counters();
    capture_file();
    assert_int_equal(log_open(), 0);
    for (int i = 0; i < 40; i++) {
        plate_log(LOG_WARNING, "left", "the port went away");
        plate_log(LOG_INFO, "left", "the port is back");
    }
    plate_log(LOG_INFO, "right", "once");
    log_close();
    char *text = captured();
    const char *expected = "plated: left: the port went away\nplated: left: the port is back\n"
                           "plated: left: the port went away\nplated: left: the port is back\n"
                           "plated: left: the port went away\nplated: left: the port is back\n"
                           "plated: right: once\n"
                           "plated: left: the port went away (... 37 more)\n"
                           "plated: left: the port is back (... 37 more)\n";
    assert_string_equal(text, expected);
    assert_int_equal(since(before).lines, 9);
    assert_int_equal(since(before).repeated, 74);
    free(text);
}

static void test_many_different(void **state)
{
    (void)state;
    const struct log_counters before = counters();
    capture_file();
    assert_int_equal(log_open(), 0);
    for (int i = 0; i < 10; i++) plate_log(LOG_INFO, "a", "again");
    for (int i = 0; i < 100; i++) plate_log(LOG_INFO, "a", "%d", i); /* pushes the repeated line out of memory */
    log_close();
    char *text = captured();
    assert_non_null(strstr(text, "plated: a: again (... 7 more)\n"));
    assert_non_null(strstr(text, "plated: a: 99\n"));
    assert_int_equal(since(before).lines, 104);
    free(text);
}

/* Nobody reads standard error: the callers go on, the queue's overflow is counted, and closing ends. */
static void test_stuck_reader(void **state)
{
    (void)state;
    int pipe_fd[2];
    char fill[4096] = "";
    assert_int_equal(pipe(pipe_fd), 0);
    fcntl(pipe_fd[1], F_SETFL, O_NONBLOCK);
    while (write(pipe_fd[1], fill, sizeof fill) > 0)
        ;
    fcntl(pipe_fd[1], F_SETFL, 0);
    saved = dup(STDERR_FILENO);
    dup2(pipe_fd[1], STDERR_FILENO);
    const struct log_counters before = counters();
    assert_int_equal(log_open(), 0);
    for (int i = 0; i < 3000; i++) plate_log(LOG_INFO, "a", "%d", i);
    const uint64_t refused = since(before).dropped;
    log_close();
    plate_log(LOG_INFO, "a", "after");
    release();
    close(pipe_fd[0]);
    close(pipe_fd[1]);
    assert_int_equal(refused, 3000 - 1024);
    assert_int_equal(since(before).lines, 0);
    assert_int_equal(since(before).dropped, 3001);
}

static void test_journal(void **state)
{
    (void)state;
    struct stat st;
    char stream[64];
    capture_file();
    assert_int_equal(fstat(STDERR_FILENO, &st), 0);
    snprintf(stream, sizeof stream, "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
    setenv("JOURNAL_STREAM", stream, 1);
    plate_log(LOG_ERROR, "a", "b");
    unsetenv("JOURNAL_STREAM");
    char *text = captured();
    assert_string_equal(text, "<3>plated: a: b\n");
    free(text);
}

static void test_level(void **state)
{
    (void)state;
    capture_file();
    setenv("PLATED_LOG", "warning", 1);
    assert_int_equal(log_open(), 0);
    plate_log(LOG_INFO, "a", "no");
    plate_log(LOG_WARNING, "a", "yes");
    log_close();
    setenv("PLATED_LOG", "debug", 1);
    assert_int_equal(log_open(), 0);
    plate_log(LOG_DEBUG, "a", "and this");
    log_close();
    unsetenv("PLATED_LOG");
    char *text = captured();
    assert_string_equal(text, "plated: a: yes\nplated: a: and this\n");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_before_open),     cmocka_unit_test(test_date),
        cmocka_unit_test(test_one_line),        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_open_close_race), cmocka_unit_test(test_repeats),
        cmocka_unit_test(test_many_different),  cmocka_unit_test(test_stuck_reader),
        cmocka_unit_test(test_journal),         cmocka_unit_test(test_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
