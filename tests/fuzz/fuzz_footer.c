/* Files with anything for a footer: looking for it ends, and a footer that is then written is found and fits. */
#include "archive_layout.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define CHECK(condition)                                                                                                       \
    do {                                                                                                                       \
        if (!(condition)) abort();                                                                                             \
    } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void count(void *user, const char *text)
{
    CHECK(*text);
    ++*(unsigned *)user;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    unsigned breaches = 0;
    snprintf(path, sizeof path, "/dev/shm/fuzz-footer-%ld", (long)getpid());
    const int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    CHECK(fd >= 0 && write(fd, data, size) == (ssize_t)size);
    const int rc = archive_footer_check(path, count, &breaches);
    CHECK(rc == 0 || rc == -ENOENT || rc == -EBADMSG);
    CHECK((rc == -EBADMSG) == (breaches > 0));
    CHECK(archive_footer_write(path, NULL) == 0);
    breaches = 0;
    CHECK(archive_footer_check(path, count, &breaches) == 0 && breaches == 0);
    close(fd);
    unlink(path);
    return 0;
}
