/* platectl operator: the lock on a daemon's commands. What outlives one platectl is a token in a file that only its owner may
 * read, one for each name and endpoint: the next platectl shows it, and is the same operator. */
#include "platectl.h"
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOKEN_BYTES = 16, TOKEN_SIZE = 2 * TOKEN_BYTES + 1 };

static int complain(const char *path, const char *what)
{
    fprintf(stderr, "platectl: %s: %s\n", path, what);
    return EXIT_NO;
}

/* As --operator or $PLATECTL_OPERATOR says; "": neither does. */
static const char *named(const struct call *c)
{
    const char *name = c->who ? c->who : getenv("PLATECTL_OPERATOR");

    return name ? name : "";
}

static const char *name_of(const struct call *c)
{
    const struct passwd *me = getpwuid(getuid());

    return *named(c) ? named(c) : me ? me->pw_name : "operator";
}

/* Where the token is. The folder is in the user's runtime directory, which ends with his session, or one of his own. */
static int token_path(const struct call *c, bool make, char *path, size_t size)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    struct stat st;
    size_t n;

    if (runtime && *runtime == '/')
        snprintf(path, size, "%.200s/platectl", runtime);
    else
        snprintf(path, size, "/tmp/platectl-%ld", (long)getuid());
    if (make && mkdir(path, 0700) && errno != EEXIST) return complain(path, strerror(errno));
    if (lstat(path, &st) ? errno != ENOENT : !S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & 077)
        return complain(path, "must be a folder that is yours and that nobody else may enter: chmod 700, or remove it");
    n = strlen(path);
    snprintf(path + n, size - n, "/%.40s@%.160s", name_of(c), c->control);
    for (char *p = path + n + 1; *p; p++)
        if (*p == '/' || *p == ':') *p = '_';
    return 0;
}

/* 0; token "": there is none. */
static int token_read(const char *path, char token[TOKEN_SIZE])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;
    ssize_t n;

    token[0] = '\0';
    if (fd < 0) return errno == ENOENT ? 0 : complain(path, strerror(errno));
    n = fstat(fd, &st) ? -1 : read(fd, token, TOKEN_SIZE - 1);
    close(fd);
    token[n > 0 ? n : 0] = '\0';
    if (n < 0) return complain(path, strerror(errno));
    if (st.st_uid == geteuid() && !(st.st_mode & 077)) return 0;
    token[0] = '\0';
    return complain(path, "others may read this token: remove it, and take the lock again");
}

static int token_make(const char *path, char token[TOKEN_SIZE])
{
    unsigned char bytes[TOKEN_BYTES];
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    bool written;

    if (fd < 0) return complain(path, strerror(errno));
    written = getrandom(bytes, sizeof bytes, 0) == (ssize_t)sizeof bytes;
    for (int i = 0; i < TOKEN_BYTES; i++) snprintf(token + 2 * i, 3, "%02x", bytes[i]);
    written = written && write(fd, token, TOKEN_SIZE - 1) == TOKEN_SIZE - 1;
    if (close(fd) == 0 && written) return 0;
    unlink(path);
    return complain(path, "cannot be written; make room");
}

int operator_speaks(struct call *c)
{
    char path[512], token[TOKEN_SIZE];
    int r = token_path(c, false, path, sizeof path);

    if (r == 0) r = token_read(path, token);
    if (r) return r;
    if (*named(c)) json_object_set_new(c->params, "operator", json_string(named(c)));
    if (*token) json_object_set_new(c->params, "token", json_string(token));
    return 0;
}

void print_operator(const json_t *o)
{
    const json_t *holder = json_object_get(o, "operator");

    if (json_is_object(holder))
        printf("%s commands; whoever else does is refused\n", text_of(holder, "name"));
    else
        puts("nobody holds the lock: anybody may command");
}

static int ask(struct call *c, json_t **ret_result)
{
    struct client client;
    int r = client_open(&client, c->control, c->timeout_s, &c->curve);

    if (r) return r;
    r = client_ask(&client, "operator", json_incref(c->params), ret_result);
    client_close(&client);
    return r;
}

int run_operator(struct call *c)
{
    const char *what = json_string_value(json_object_get(c->params, "do"));
    const bool take = what && !strcmp(what, "take"), release = what && !strcmp(what, "release");
    char path[512], token[TOKEN_SIZE];
    json_t *result = NULL;
    bool made = false;
    int r = token_path(c, take, path, sizeof path);

    if (r == 0) r = token_read(path, token);
    if (r == 0 && take && !*token) {
        r = token_make(path, token);
        made = r == 0;
    }
    if (r) return r;
    if (what) json_object_set_new(c->params, "operator", json_string(name_of(c)));
    if (*token) json_object_set_new(c->params, "token", json_string(token));
    r = ask(c, &result);
    if (r == 0) c->json ? print_json(result) : print_operator(result);
    if ((r && made) || (r == 0 && release)) unlink(path);
    json_decref(result);
    return r;
}
