#include "keys.h"
#include "plate/types.h"
#include "zpl.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

__attribute__((format(printf, 3, 4))) static int refuse(struct keys_error *error, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(error->text, sizeof error->text, format, args);
    va_end(args);
    return code;
}

void keys_wipe(struct key_pair *pair) { explicit_bzero(pair, sizeof *pair); }

/* ---- texts ---- */

static bool key_valid(const char *key)
{
    uint8_t bytes[KEY_BYTES];
    bool valid = strlen(key) == KEY_CHARS && zmq_z85_decode(bytes, key);

    explicit_bzero(bytes, sizeof bytes);
    return valid;
}

static bool belong_together(const struct key_pair *pair)
{
    char public_key[KEY_CHARS + 1];

    return zmq_curve_public(public_key, pair->secret_key) == 0 && !strcmp(public_key, pair->public_key);
}

/* One of the two keys, if that is what the item is. */
static int key_take(const struct zpl_item *item, struct key_pair *pair, const char *name, unsigned line,
                    struct keys_error *error)
{
    const bool secret = !strcmp(item->name, "secret-key");
    char *to = secret ? pair->secret_key : pair->public_key;

    if (!secret && strcmp(item->name, "public-key")) return 0;
    if (*to) return refuse(error, -EINVAL, "%.120s:%u: a second %s; leave one", name, line, item->name);
    if (!key_valid(item->value))
        return refuse(error, -EINVAL, "%.120s:%u: %s: must be the %d characters of a key (Z85), in quotes", name, line,
                      item->name, KEY_CHARS);
    memcpy(to, item->value, KEY_CHARS + 1);
    return 0;
}

int keys_parse_certificate(const char *text, size_t n, const char *name, struct key_pair *ret, struct keys_error *error)
{
    struct zpl z = {.text = text, .left = n};
    struct key_pair pair = {"", ""};
    struct zpl_item item;
    bool in_curve = false;
    int r, e = 0;

    while (e == 0 && (r = zpl_next(&z, &item)) > 0) {
        if (item.indent == 0) in_curve = !strcmp(item.name, "curve");
        if (item.indent && in_curve) e = key_take(&item, &pair, name, z.line, error);
        explicit_bzero(item.value, sizeof item.value);
    }
    if (e == 0 && r < 0) e = refuse(error, -EINVAL, "%.120s:%u: %s", name, z.line, z.why);
    if (e == 0 && !*pair.public_key)
        e = refuse(error, -EINVAL, "%.120s: holds no public-key under `curve`; make one with platectl keygen", name);
    if (e == 0 && *pair.secret_key && !belong_together(&pair))
        e = refuse(error, -EINVAL, "%.120s: public-key and secret-key do not belong together; take the file as keygen wrote it",
                   name);
    if (e == 0) *ret = pair;
    keys_wipe(&pair);
    return e;
}

static int client_begin(const struct zpl_item *item, struct keys_clients *list, const char *name, unsigned line,
                        struct keys_error *error)
{
    if (!plate_name_valid(item->name) || *item->value)
        return refuse(error, -EINVAL, "%.120s:%u: %.32s: a client's name is 1 to 32 of A-Z a-z 0-9 _ -", name, line,
                      item->name);
    for (unsigned i = 0; i < list->n; i++)
        if (!strcmp(list->client[i].name, item->name))
            return refuse(error, -EINVAL, "%.120s:%u: a second client %s; give each its own name", name, line, item->name);
    if (list->n == KEYS_CLIENTS) return refuse(error, -EINVAL, "%.120s:%u: at most %d clients", name, line, KEYS_CLIENTS);
    struct keys_client *c = &list->client[list->n++];
    *c = (struct keys_client){.command = false};
    strcpy(c->name, item->name);
    return 0;
}

static int client_say(const struct zpl_item *item, struct keys_clients *list, const char *name, unsigned line,
                      struct keys_error *error)
{
    struct keys_client *c = list->n ? &list->client[list->n - 1] : NULL;

    if (!c) return refuse(error, -EINVAL, "%.120s:%u: stands before the first client's name", name, line);
    if (!strcmp(item->name, "right")) {
        c->command = !strcmp(item->value, "command");
        return c->command || !strcmp(item->value, "watch")
                   ? 0
                   : refuse(error, -EINVAL, "%.120s:%u: right: '%.20s' is neither watch nor command", name, line, item->value);
    }
    if (strcmp(item->name, "public-key"))
        return refuse(error, -EINVAL, "%.120s:%u: %.32s: there are public-key and right", name, line, item->name);
    if (*c->public_key) return refuse(error, -EINVAL, "%.120s:%u: a second public-key; give it a name of its own", name, line);
    if (!key_valid(item->value))
        return refuse(error, -EINVAL, "%.120s:%u: public-key: must be the %d characters of a key (Z85), in quotes", name, line,
                      KEY_CHARS);
    for (const struct keys_client *i = list->client; i < c; i++)
        if (!strcmp(i->public_key, item->value))
            return refuse(error, -EINVAL, "%.120s:%u: this is the key of %s already; give each client its own", name, line,
                          i->name);
    memcpy(c->public_key, item->value, sizeof c->public_key);
    return 0;
}

int keys_parse_clients(const char *text, size_t n, const char *name, struct keys_clients *ret, struct keys_error *error)
{
    struct keys_clients list = {.n = 0};
    struct zpl z = {.text = text, .left = n};
    struct zpl_item item;
    int r, e = 0;

    while (e == 0 && (r = zpl_next(&z, &item)) > 0)
        e = (item.indent ? client_say : client_begin)(&item, &list, name, z.line, error);
    if (e == 0 && r < 0) e = refuse(error, -EINVAL, "%.120s:%u: %s", name, z.line, z.why);
    for (unsigned i = 0; e == 0 && i < list.n; i++)
        if (!*list.client[i].public_key)
            e = refuse(error, -EINVAL, "%.120s: client %s has no public-key; give it, or remove the name", name,
                       list.client[i].name);
    if (e == 0) *ret = list;
    return e;
}

/* ---- files ---- */

/* A secret is ours and nobody else's; a list is ours or root's, and others may read it. */
static int check_mode(const char *path, const struct stat *st, bool secret, struct keys_error *error)
{
    const bool owner = st->st_uid == geteuid() || (!secret && st->st_uid == 0);
    const unsigned mode = (unsigned)st->st_mode & 07777;

    if (!S_ISREG(st->st_mode)) return refuse(error, -EACCES, "%.120s: is no file; name the file with the key", path);
    if (!owner)
        return refuse(error, -EACCES, "%.120s: belongs to another user; run: chown %u '%.120s'", path, (unsigned)geteuid(),
                      path);
    if (mode & (secret ? 077 : 022))
        return refuse(error, -EACCES, "%.120s: others can %s it (mode %04o); run: chmod %s '%.120s'", path,
                      secret ? "get at" : "change", mode, secret ? "600" : "go-w", path);
    return 0;
}

enum guarded { PUBLIC, GUARDED, SECRET };

/* The whole file into `to`, of KEYS_FILE_BYTES; *ret_n bytes. */
static int read_file(const char *path, enum guarded guarded, char *to, size_t *ret_n, struct keys_error *error)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat st;
    ssize_t got = 1;
    size_t n = 0;
    int r;

    if (fd < 0) return refuse(error, -errno, "%.120s: cannot be read: %s", path, strerror(errno));
    r = fstat(fd, &st) ? refuse(error, -errno, "%.120s: %s", path, strerror(errno)) : 0;
    if (r == 0 && guarded != PUBLIC) r = check_mode(path, &st, guarded == SECRET, error);
    while (r == 0 && got > 0 && n < KEYS_FILE_BYTES) {
        got = read(fd, to + n, KEYS_FILE_BYTES - n);
        if (got > 0) n += (size_t)got;
        if (got < 0) r = refuse(error, -errno, "%.120s: cannot be read: %s", path, strerror(errno));
    }
    close(fd);
    if (r == 0 && n == KEYS_FILE_BYTES) r = refuse(error, -EFBIG, "%.120s: too long; is it a file of keys?", path);
    if (r == 0) *ret_n = n;
    return r;
}

int keys_load_certificate(const char *path, bool secret, struct key_pair *ret, struct keys_error *error)
{
    char text[KEYS_FILE_BYTES];
    struct key_pair pair;
    size_t n;
    int r = read_file(path, secret ? SECRET : PUBLIC, text, &n, error);

    if (r == 0) r = keys_parse_certificate(text, n, path, &pair, error);
    explicit_bzero(text, sizeof text);
    if (r < 0) return r;
    if (secret && !*pair.secret_key) r = refuse(error, -EINVAL, "%.120s: holds no secret-key; name the .key_secret file", path);
    if (r == 0) *ret = pair;
    keys_wipe(&pair);
    return r;
}

int keys_load_clients(const char *path, struct keys_clients *ret, struct keys_error *error)
{
    char text[KEYS_FILE_BYTES];
    size_t n;
    int r = read_file(path, GUARDED, text, &n, error);

    return r < 0 ? r : keys_parse_clients(text, n, path, ret, error);
}

/* ---- a new pair ---- */

static int write_file(const char *path, mode_t mode, const char *text, struct keys_error *error)
{
    const size_t n = strlen(text);
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int e;

    if (fd < 0 && errno == EEXIST)
        return refuse(error, -EEXIST, "%.120s: is there already, and a key is never overwritten; give another name", path);
    if (fd < 0) return refuse(error, -errno, "%.120s: cannot be written: %s", path, strerror(errno));
    e = write(fd, text, n) != (ssize_t)n || fchmod(fd, mode) || fsync(fd) ? errno : 0;
    if (close(fd) && !e) e = errno;
    if (!e) return 0;
    unlink(path);
    return refuse(error, -e, "%.120s: cannot be written: %s; make room, or name another folder", path, strerror(e));
}

static int write_pair(const char *name, const struct key_pair *pair, struct keys_error *error)
{
    static const char *const head[2] = {
        "# ZeroMQ CURVE public certificate: give it to whoever is to know this key\n",
        "# ZeroMQ CURVE **secret** certificate: stays on this machine; whoever has it is taken for you\n"};
    const char *slash = strrchr(name, '/'), *base = slash ? slash + 1 : name;
    char path[2][4096], text[512];
    int r = 0;

    if (!plate_name_valid(base))
        return refuse(error, -EINVAL, "%.120s: cannot be a name; use 1 to 32 of A-Z a-z 0-9 _ -, behind a folder if you like",
                      name);
    for (int i = 0; i < 2; i++)
        if (snprintf(path[i], sizeof path[i], "%s.key%s", name, i ? "_secret" : "") >= (int)sizeof path[i])
            return refuse(error, -ENAMETOOLONG, "%.120s: the name is too long; shorten it", name);
    for (int i = 1; i >= 0 && r == 0; i--) {
        int n = snprintf(text, sizeof text, "%smetadata\n    name = \"%s\"\ncurve\n    public-key = \"%s\"\n", head[i], base,
                         pair->public_key);
        if (i) snprintf(text + n, sizeof text - (size_t)n, "    secret-key = \"%s\"\n", pair->secret_key);
        r = write_file(path[i], i ? 0600 : 0644, text, error);
        explicit_bzero(text, sizeof text);
        if (r < 0 && i == 0) unlink(path[1]);
    }
    return r;
}

int keys_generate(const char *name, struct key_pair *ret, struct keys_error *error)
{
    struct key_pair pair;
    int r;

    if (zmq_curve_keypair(pair.public_key, pair.secret_key))
        return refuse(error, -ENOTSUP, "this libzmq has no CURVE; install one that has");
    r = write_pair(name, &pair, error);
    if (r == 0) *ret = pair;
    keys_wipe(&pair);
    return r;
}
