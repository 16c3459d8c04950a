/* Prints what a plated station says: recordings, repetitions, verdicts, and what was missed.
 *
 * usage: subscriber [ENDPOINT]        needs: cc subscriber.c -o subscriber -lzmq -ljansson   (Debian: libzmq3-dev
 * libjansson-dev) */
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <zmq.h>

enum { TOPIC, HEADER, PAYLOAD, MORE, FRAMES };
enum { TOPICS = 256 };

/* What is known of each topic; of force/PLATE/ also the most, since the plate's last rep. */
struct topic {
    char name[64];
    bool heard;
    int64_t run, seq;
    float most_N;
};

static struct topic *topic(struct topic known[TOPICS], const char *name)
{
    struct topic *t = known;
    while (*t->name && strcmp(t->name, name) != 0)
        if (++t == known + TOPICS - 1) break; /* more than a station has */
    snprintf(t->name, sizeof t->name, "%s", name);
    return t;
}

static const char *text(const json_t *m, const char *key)
{
    const char *s = json_string_value(json_object_get(m, key));
    return s ? s : "";
}

static long long whole(const json_t *m, const char *key) { return json_integer_value(json_object_get(m, key)); }

static const char *say(const json_t *m, const char *key, int digits, char ret[32])
{
    const json_t *v = json_object_get(m, key);
    snprintf(ret, 32, json_is_number(v) ? "%.*f" : "-", digits,
             json_number_value(v)); /* null: the signal does not support it */
    return ret;
}

/* How many messages of this topic were lost before m: seq has no hole where the station sends. */
static long long missed(struct topic *t, const json_t *m)
{
    int64_t run = whole(m, "run"), seq = whole(m, "seq");
    int64_t expected = !t->heard ? seq : run == t->run ? t->seq + 1 : 0; /* another run of the station counts from 0 */
    t->heard = true;
    t->run = run;
    t->seq = seq;
    return seq - expected;
}

/* The third frame: float32, rows of channels; the most that channel `name` has. */
static float most_of(const json_t *m, const char *name, zmq_msg_t *payload)
{
    const json_t *channels = json_object_get(m, "channels");
    size_t columns = json_array_size(channels), values = zmq_msg_size(payload) / sizeof(float);
    float most = 0, v;
    for (size_t i = 0; i < values; i++) {
        if (strcmp(json_string_value(json_array_get(channels, i % columns)), name) != 0) continue;
        memcpy(&v, (char *)zmq_msg_data(payload) + i * sizeof v, sizeof v);
        if (v > most) most = v;
    }
    return most;
}

static void take(struct topic known[TOPICS], const char *name, const json_t *m, zmq_msg_t *payload)
{
    char force[64], a[32], b[32];
    long long lost = missed(topic(known, name), m);
    snprintf(force, sizeof force, "force/%s/", text(m, "plate"));
    if (lost) printf("missed %lld of %s\n", lost, name);
    if (!strncmp(name, "force/", 6)) {
        float most = most_of(m, "Fz", payload);
        if (most > topic(known, force)->most_N) topic(known, force)->most_N = most;
    } else if (!strncmp(name, "rep/", 4)) {
        printf("%s: set %lld rep %lld %s, drive %s s, peak %s N, unfiltered %.2f N\n", text(m, "plate"), whole(m, "set"),
               whole(m, "rep"), text(m, "side"), say(m, "concentric_s", 3, a), say(m, "peak_force_N", 2, b),
               topic(known, force)->most_N);
        topic(known, force)->most_N = 0;
    } else if (!strncmp(name, "imbalance/", 10)) {
        printf("%s: %s %s %%\n", text(m, "verdict"), text(m, "metric"), say(m, "value_pct", 2, a));
    } else if (!strncmp(name, "session/", 8)) {
        printf("%s %s\n", text(m, "archive"), text(m, "state"));
    }
}

/* The frames of one message; those that a later version may add share one place. False: nothing came. */
static bool receive(void *sub, zmq_msg_t frame[FRAMES])
{
    for (int i = 0;; i += i < MORE) {
        if (zmq_msg_recv(&frame[i], sub, 0) < 0) return false;
        if (!zmq_msg_more(&frame[i])) return true;
    }
}

int main(int argc, char **argv)
{
    static struct topic known[TOPICS];
    static const char *const topics[] = {"force/", "rep/", "imbalance/", "session/", "health/"};
    const char *endpoint = argc > 1 ? argv[1] : "tcp://127.0.0.1:7460";
    int wait_ms = 3000; /* health/ comes once a second */
    void *sub = zmq_socket(zmq_ctx_new(), ZMQ_SUB);
    zmq_msg_t frame[FRAMES];

    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        zmq_setsockopt(sub, ZMQ_SUBSCRIBE, topics[i], strlen(topics[i]));
    zmq_setsockopt(sub, ZMQ_RCVTIMEO, &wait_ms, sizeof wait_ms);
    if (zmq_connect(sub, endpoint) != 0) { /* and again by itself, whenever the station has gone and come back */
        fprintf(stderr, "subscriber: %s: %s; write it like tcp://127.0.0.1:7460\n", endpoint, zmq_strerror(zmq_errno()));
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (int i = 0; i < FRAMES; i++) zmq_msg_init(&frame[i]);
    for (;;) {
        char name[64];
        json_t *m;
        if (!receive(sub, frame)) {
            fprintf(stderr, "nothing is heard from %s\n", endpoint);
            continue;
        }
        snprintf(name, sizeof name, "%.*s", (int)zmq_msg_size(&frame[TOPIC]), (char *)zmq_msg_data(&frame[TOPIC]));
        m = json_loadb(zmq_msg_data(&frame[HEADER]), zmq_msg_size(&frame[HEADER]), 0, NULL);
        if (whole(m, "v") == 1 && !json_object_get(m, "cached")) /* a repeat for late joiners is no event */
            take(known, name, m, &frame[PAYLOAD]);
        json_decref(m);
    }
}
