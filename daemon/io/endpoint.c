#include "endpoint.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static bool host_is_loopback(const char *host, size_t n)
{
    char text[64];
    struct in_addr address;

    if (n >= sizeof text) return false;
    memcpy(text, host, n);
    text[n] = '\0';
    if (!strcmp(text, "localhost") || !strcmp(text, "[::1]")) return true;
    return inet_pton(AF_INET, text, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

bool endpoint_is_local(const char *endpoint)
{
    const char *port;

    if (!strncmp(endpoint, "ipc://", 6)) return endpoint[6] != '\0';
    if (!strncmp(endpoint, "inproc://", 9)) return endpoint[9] != '\0';
    port = strncmp(endpoint, "tcp://", 6) ? NULL : strrchr(endpoint + 6, ':');
    return port && host_is_loopback(endpoint + 6, (size_t)(port - (endpoint + 6)));
}

bool endpoint_is_sane(const char *endpoint)
{
    const char *port = strrchr(endpoint, ':');

    if (!port) return false;
    port++;
    if (strncmp(endpoint, "tcp://", 6)) return strcmp(endpoint, "ipc://*") != 0;
    return !strcmp(port, "*") || (*port && strspn(port, "0123456789") == strlen(port) && strtoul(port, NULL, 10) <= 65535);
}

bool endpoint_ipc_is_alive(const char *endpoint)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = endpoint + 6;
    bool alive;
    int fd;

    if (strncmp(endpoint, "ipc://", 6) || *path == '@' || strlen(path) >= sizeof address.sun_path) return false;
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return false;
    alive = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return alive;
}
