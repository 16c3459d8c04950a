/* platectl snapshot: what was said, asked for page by page. */
#include "platectl.h"
#include <stdint.h>
#include <stdio.h>

/* The page that comes behind those of `all`. */
static int append(json_t *all, const json_t *page)
{
    if (!json_equal(json_object_get(all, "run"), json_object_get(page, "run"))) {
        fputs("platectl: snapshot: plated was started anew between two answers; ask again\n", stderr);
        return EXIT_NO;
    }
    json_array_extend(json_object_get(all, "messages"), json_object_get(page, "messages"));
    json_object_set(all, "next", json_object_get(page, "next"));
    json_object_set(all, "topics", json_object_get(page, "topics"));
    return 0;
}

/* All pages as one answer, which is the caller's, also after a failure. */
static int ask(struct call *c, struct client *client, json_t **ret_all)
{
    int r = client_ask(client, "snapshot", json_incref(c->params), ret_all);

    while (r == 0 && json_is_integer(json_object_get(*ret_all, "next"))) {
        json_t *page = NULL;
        json_object_set(c->params, "next", json_object_get(*ret_all, "next"));
        r = client_ask(client, "snapshot", json_incref(c->params), &page);
        if (r == 0) r = append(*ret_all, page);
        json_decref(page);
    }
    return r;
}

static void print_messages(const json_t *all)
{
    const json_t *lost = json_object_get(all, "lost_before"), *m;
    size_t i;

    if (json_is_integer(lost))
        fprintf(stderr, "platectl: snapshot: what was said before seq %" JSON_INTEGER_FORMAT " is no longer held\n",
                json_integer_value(lost));
    json_array_foreach(json_object_get(all, "messages"), i, m)
    {
        printf("%s ", json_string_value(json_array_get(m, 0)));
        print_json(json_array_get(m, 1));
    }
}

int run_snapshot(struct call *c)
{
    struct client client;
    json_t *all = NULL;
    int r = client_open(&client, c->control, c->timeout_s, &c->curve);

    if (r) return r;
    r = ask(c, &client, &all);
    if (r == 0) c->json ? print_json(all) : print_messages(all);
    json_decref(all);
    client_close(&client);
    return r;
}
