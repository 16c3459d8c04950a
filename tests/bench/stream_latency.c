/* stream_latency - how old the newest sample in each message is when it arrives.
 *
 * usage: stream_latency ENDPOINT TOPIC KEY [WARMUP]
 * Subscribes, prints READY, and looks in every frame of every message for "KEY": and a CLOCK_MONOTONIC stamp in
 * microseconds. Ends 1.5 s after the last message and prints one JSON line. The first WARMUP messages (200) do not count. */
#define _GNU_SOURCE
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

enum { MAX_MESSAGES = 1 << 22, IDLE_MS = 1500, FIRST_MS = 20000 };

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* The number after "KEY": in the frame; false if it is not there. */
static bool find_stamp(const zmq_msg_t *frame, const char *key, double *ret_us)
{
    const char *text = zmq_msg_data((zmq_msg_t *)frame), *at;
    size_t n = zmq_msg_size(frame);
    if (!(at = memmem(text, n, key, strlen(key)))) return false;
    char number[32] = "";
    size_t room = (size_t)(text + n - at) - strlen(key);
    memcpy(number, at + strlen(key), room < sizeof number - 1 ? room : sizeof number - 1);
    char *end;
    *ret_us = strtod(number, &end);
    return end != number;
}

/* One message: 1 with a stamp, 0 without, -1 after `wait_ms` of silence. */
static int receive(void *socket, const char *key, int wait_ms, double *ret_age_us)
{
    zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
    if (zmq_poll(&item, 1, wait_ms) <= 0) return -1;
    int found = 0;
    bool more = true;
    while (more) {
        zmq_msg_t frame;
        zmq_msg_init(&frame);
        if (zmq_msg_recv(&frame, socket, 0) < 0) return -1;
        double arrived_us = now_us(), stamp_us;
        if (!found && find_stamp(&frame, key, &stamp_us)) {
            *ret_age_us = arrived_us - stamp_us;
            found = 1;
        }
        more = zmq_msg_more(&frame);
        zmq_msg_close(&frame);
    }
    return found;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fputs("usage: stream_latency ENDPOINT TOPIC KEY [WARMUP]\n", stderr);
        return 2;
    }
    char key[128];
    snprintf(key, sizeof key, "\"%s\":", argv[3]);
    size_t warmup = argc > 4 ? strtoul(argv[4], NULL, 10) : 200, n = 0, seen = 0;
    double *age_us = malloc(MAX_MESSAGES * sizeof *age_us);
    void *context = zmq_ctx_new(), *socket = zmq_socket(context, ZMQ_SUB);
    int unlimited = 0;
    if (!age_us || !socket || zmq_setsockopt(socket, ZMQ_RCVHWM, &unlimited, sizeof unlimited) ||
        zmq_setsockopt(socket, ZMQ_SUBSCRIBE, argv[2], strlen(argv[2])) || zmq_connect(socket, argv[1])) {
        fprintf(stderr, "stream_latency: %s: %s\n", argv[1], zmq_strerror(zmq_errno()));
        return 1;
    }
    puts("READY");
    fflush(stdout);

    double age;
    for (int got; n < MAX_MESSAGES && (got = receive(socket, key, seen ? IDLE_MS : FIRST_MS, &age)) >= 0;)
        if (got && seen++ >= warmup) age_us[n++] = age;
    zmq_close(socket);
    zmq_ctx_term(context);

    qsort(age_us, n, sizeof *age_us, by_size);
    if (n)
        printf("{\"messages\":%zu,\"min_us\":%.1f,\"p50_us\":%.1f,\"p90_us\":%.1f,\"p99_us\":%.1f,\"max_us\":%.1f}\n", n,
               age_us[0], age_us[n / 2], age_us[n * 9 / 10], age_us[n * 99 / 100], age_us[n - 1]);
    else
        printf("{\"messages\":0}\n");
    free(age_us);
    return n ? 0 : 1;
}
