/* tools/watch_station.h - one of the stations that are watched: its stream, its clock, and what is known of it. One thread. */
#pragma once
#include "clock_offset.h"
#include "curve.h"
#include "hosts.h"
#include "watch_model.h"

struct station {
    const struct host *host;
    struct model model;
    void *sub, *control; /* sockets; control: NULL where nothing is known of it */
    void *handshake;     /* what becomes of sub's; NULL: that is not known */
    bool has_keys;
    const char *trouble;                       /* why it does not let us in; NULL: nothing is known */
    bool heard, silent_said, clock_said, over; /* over: its recording has ended since */
    int64_t health_ms;                         /* when it was heard last */
    struct clock_offset clock;
    struct clock_exchange asked; /* there_ns and received_ns are not known yet */
    int64_t asked_ms;
    int asked_id;
    bool waits; /* for the answer to asked_id */
};
struct message { /* of the stream */
    const char *topic, *head;
    size_t head_n;
    const json_t *o; /* the header */
    const uint8_t *payload;
    size_t payload_n;
};

/* topics: what is subscribed to, closed by NULL. 0, or an error number of zmq's. */
int station_open(struct station *s, void *context, const struct host *host, const struct curve *curve,
                 const char *const *topics, int64_t now_ms);
void station_close(struct station *s);
/* False when there is no message now. One that is not of this contract is passed over. */
bool station_receive(struct station *s, void (*take)(void *user, struct station *s, const struct message *m), void *user);
/* Takes the news of trouble with it; what comes says that there is none. */
void station_listen_for_trouble(struct station *s);
/* Asks for its time, a few times in a row at first, then every few seconds; takes the answers. */
void station_clock(struct station *s, int64_t now_ms);
