/* app/control_private.h - the parts of the control socket: the envelope and what goes for every method (control.c), parameters,
 * and the methods. docs/control.md is the contract. Engine thread. */
#pragma once
#include "engine_private.h"
#include "operator.h"

enum control_code {
    CONTROL_NOT_JSON = -32700,
    CONTROL_NO_REQUEST = -32600,
    CONTROL_NO_METHOD = -32601,
    CONTROL_BAD_PARAMS = -32602,
    CONTROL_SAYS_NO = -32000,     /* the daemon, as things are */
    CONTROL_NO_RIGHT = -32001,    /* who asks may watch, and not command */
    CONTROL_NOT_OPERATOR = -32002 /* another holds the lock */
};
enum { CONTROL_REMEMBERED = 64, CONTROL_WAITING = 8, CONTROL_REQUEST_KEY_SIZE = 65 };

struct control_waiting { /* for an answer that another thread is looking for */
    struct stream_peer peer;
    json_t *id;
};
struct control_remembered { /* a command that was carried out */
    char request[CONTROL_REQUEST_KEY_SIZE];
    const char *method;
    json_t *params, *result;
};
struct control {
    struct operator_lock lock;
    struct control_remembered done[CONTROL_REMEMBERED]; /* a ring */
    unsigned done_at;
    struct control_waiting waiting[CONTROL_WAITING];
    unsigned n_waiting;
    uint64_t requests, commands, repeated; /* commands: carried out; repeated: answered from memory */
    uint64_t not_json, refused, denied;    /* denied: another is the operator */
};

/* What a method finds and says. `result`, or `code` with `why`; `later`: it comes when it is known. */
struct answer {
    json_t *result;
    char *text;   /* or the result as JSON, malloced */
    json_t *data; /* of an error, or NULL */
    int code;
    char why[320];
    bool later;
    /* who asks */
    const struct stream_peer *from;
    json_t *id;              /* NULL: no answer wanted */
    const char *who, *token; /* "": not said */
};

/* control_params.c: each false after a refusal. What goes for every method, `operator`, `token` and `request`, is known to all.
 */
bool control_only(struct answer *a, json_t *params, const char *const *known);
bool control_text(struct answer *a, json_t *params, const char *key, bool required, const char **ret);
bool control_number(struct answer *a, json_t *params, const char *key, double least, double most,
                    double *ret); /* NaN: not said */
bool control_numbers(struct answer *a, json_t *list, const char *key, unsigned n, double *ret);
bool control_side(struct answer *a, json_t *params, const char *key, bool required, bool *ret_has, enum plate_side *ret);
bool control_count(struct answer *a, json_t *params, const char *key, int32_t *ret); /* of a set or a rep; 0: not said */
/* A whole number from `least`; that, if it is not said. */
bool control_whole(struct answer *a, json_t *params, const char *key, int64_t least, bool *ret_has, int64_t *ret);
bool control_bool(struct answer *a, json_t *params, const char *key, bool otherwise, bool *ret);
/* "": all. */
bool control_plate(struct answer *a, const struct engine *e, json_t *params, const char **ret);

typedef void control_method(struct engine *e, json_t *params, struct answer *a);
control_method control_do_status; /* control_status.c */
control_method control_do_start, control_do_stop, control_do_side, control_do_warmup, control_do_rep, control_do_involved,
    control_do_mark;                                                      /* control_session.c */
control_method control_do_tare, control_do_measure, control_do_calibrate; /* control_plates.c */
control_method control_do_operator, control_do_ports, control_do_config, control_do_snapshot,
    control_do_shutdown;                        /* control_daemon.c */
json_t *control_holder(const struct engine *e); /* of the lock: name and since when, or null */

/* control.c */
__attribute__((format(printf, 3, 4))) void control_refuse(struct answer *a, int code, const char *format, ...);
void control_refuse_operator(const struct engine *e, struct answer *a); /* another holds the lock */
void control_answer(struct engine *e, struct answer *a);                /* what was owed `later` */
