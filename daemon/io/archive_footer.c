/* The checksums behind the HDF5 file: of every byte of it, so that what no part of HDF5 or of the digest looks at is
 * checked as well, and checked before HDF5 reads it. docs/archive.md, "The footer". */
#include "archive_layout.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { FOOTER_VERSION = 1, BLOCK = 1 << 16 };
static const char footer_magic[8] = "PLDSUMS";

struct footer_head {
    char magic[8];
    uint32_t version, block;
    uint64_t bytes; /* of the HDF5 file, which the checksums are of; the footer begins there */
};
struct footer_tail {    /* behind the blocks' checksums */
    uint32_t crc, size; /* of the footer before this; of the whole footer */
    char magic[8];
};
_Static_assert(sizeof(struct footer_head) == 24 && sizeof(struct footer_tail) == 16, "no padding");

static uint64_t blocks_of(uint64_t bytes) { return (bytes + BLOCK - 1) / BLOCK; }
static uint64_t footer_size(uint64_t bytes)
{
    return sizeof(struct footer_head) + blocks_of(bytes) * sizeof(uint32_t) + sizeof(struct footer_tail);
}

static int read_all(int fd, void *ret, size_t n, uint64_t at)
{
    for (char *to = ret; n;) {
        const ssize_t done = pread(fd, to, n, (off_t)at);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return done < 0 ? -errno : -EIO;
        to += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return 0;
}

static int write_all(int fd, const void *bytes, size_t n, uint64_t at)
{
    for (const char *from = bytes; n;) {
        const ssize_t done = pwrite(fd, from, n, (off_t)at);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return done < 0 ? -errno : -EIO;
        from += done;
        at += (uint64_t)done;
        n -= (size_t)done;
    }
    return 0;
}

static uint32_t crc_of(const void *bytes, size_t n) { return (uint32_t)crc32(0, bytes, (uInt)n); }

/* Of block i of `bytes` bytes; *ret_n: how many it has. */
static int block_crc(int fd, uint64_t bytes, uint64_t i, uint8_t buffer[BLOCK], uint32_t *ret, size_t *ret_n)
{
    const uint64_t at = i * BLOCK;
    const size_t n = bytes - at < BLOCK ? (size_t)(bytes - at) : BLOCK;
    const int rc = read_all(fd, buffer, n, at);
    if (rc == 0) *ret = crc_of(buffer, n), *ret_n = n;
    return rc;
}

/* ---- finding ---- */

static bool head_fits(const struct footer_head *h, uint64_t at)
{
    return memcmp(h->magic, footer_magic, sizeof h->magic) == 0 && h->version == FOOTER_VERSION && h->block == BLOCK &&
           h->bytes == at;
}

/* 0 and *ret (malloced, *ret_size bytes): the footer as it stands there; -ENOENT: none; -EBADMSG: remains of one. */
static int load(int fd, uint64_t file_size, uint8_t **ret, uint64_t *ret_size)
{
    struct footer_head head;
    struct footer_tail tail;
    uint64_t most = footer_size(file_size);
    if (most > file_size) most = file_size;
    if (most < footer_size(0)) return -ENOENT;
    uint8_t *end = malloc(most);
    if (!end) return -ENOMEM;
    int rc = read_all(fd, end, most, file_size - most);
    bool remains = false;
    for (uint64_t i = 0; rc == 0 && !remains && i + sizeof head <= most; i++) { /* the head, wherever it stands */
        memcpy(&head, end + i, sizeof head);
        remains = head_fits(&head, file_size - most + i);
    }
    memcpy(&tail, end + most - sizeof tail, sizeof tail);
    const bool ends = memcmp(tail.magic, footer_magic, sizeof tail.magic) == 0;
    if (rc == 0 && !ends) rc = remains ? -EBADMSG : -ENOENT;
    if (rc == 0 && (tail.size > most || tail.size < footer_size(0))) rc = -EBADMSG;
    if (rc == 0) {
        memmove(end, end + most - tail.size, tail.size);
        memcpy(&head, end, sizeof head);
        if (!head_fits(&head, file_size - tail.size) || footer_size(head.bytes) != tail.size ||
            crc_of(end, tail.size - sizeof tail) != tail.crc)
            rc = -EBADMSG;
    }
    if (rc < 0) {
        free(end);
        return rc;
    }
    *ret = end;
    *ret_size = tail.size;
    return 0;
}

/* ---- writing ---- */

static int put(int fd, uint64_t bytes, const struct archive_pulse *pulse)
{
    const uint64_t size = footer_size(bytes);
    uint8_t *footer = malloc(size), *buffer = malloc(BLOCK);
    struct footer_head head = {.version = FOOTER_VERSION, .block = BLOCK, .bytes = bytes};
    struct footer_tail tail = {.size = (uint32_t)size};
    int rc = footer && buffer && size <= UINT32_MAX ? 0 : -ENOMEM;
    memcpy(head.magic, footer_magic, sizeof head.magic);
    memcpy(tail.magic, footer_magic, sizeof tail.magic);
    if (rc == 0) memcpy(footer, &head, sizeof head);
    for (uint64_t i = 0; rc == 0 && i < blocks_of(bytes); i++) {
        uint32_t crc = 0;
        size_t n;
        rc = block_crc(fd, bytes, i, buffer, &crc, &n);
        memcpy(footer + sizeof head + i * sizeof crc, &crc, sizeof crc);
        archive_beat(pulse);
    }
    if (rc == 0) {
        tail.crc = crc_of(footer, size - sizeof tail);
        memcpy(footer + size - sizeof tail, &tail, sizeof tail);
        rc = write_all(fd, footer, size, bytes);
    }
    free(footer);
    free(buffer);
    return rc;
}

int archive_footer_write(const char *path, const struct archive_pulse *pulse)
{
    struct stat st;
    uint8_t *old;
    uint64_t old_size = 0;
    const int fd = open(path, O_RDWR | O_CLOEXEC);
    int rc = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;
    if (rc == 0 && load(fd, (uint64_t)st.st_size, &old, &old_size) == 0) {
        free(old);
        if (ftruncate(fd, st.st_size - (off_t)old_size) < 0) rc = -errno;
    }
    if (rc == 0) rc = put(fd, (uint64_t)st.st_size - old_size, pulse);
    if (rc == 0 && fsync(fd) < 0) rc = -errno;
    if (fd >= 0) close(fd);
    return rc;
}

/* ---- checking ---- */

/* Which single bit of the n bytes, flipped, makes this difference of checksums: a CRC is linear, so it is the checksum of that
 * bit alone, and no two bits have the same. False: more than one bit. */
static bool find_bit(uint32_t difference, size_t n, size_t *ret_byte, unsigned *ret_bit)
{
    const z_crc_t *table = get_crc_table();
    uint32_t of_bit[8];
    for (unsigned b = 0; b < 8; b++) of_bit[b] = (uint32_t)table[1u << b];
    for (size_t byte = n; byte--;)
        for (unsigned b = 0; b < 8; b++) {
            if (of_bit[b] == difference) return *ret_byte = byte, *ret_bit = b, true;
            of_bit[b] = of_bit[b] >> 8 ^ (uint32_t)table[of_bit[b] & 0xFF];
        }
    return false;
}

static void tell(uint64_t at, size_t n, uint32_t difference, void (*breach)(void *user, const char *text), void *user)
{
    char text[128];
    size_t byte;
    unsigned bit;
    if (find_bit(difference, n, &byte, &bit))
        snprintf(text, sizeof text, "bit %u of byte %" PRIu64 " of the file is flipped", bit, at + byte);
    else
        snprintf(text, sizeof text, "bytes %" PRIu64 " to %" PRIu64 " of the file are damaged", at, at + n - 1);
    breach(user, text);
}

static int check_blocks(int fd, const uint8_t *footer, void (*breach)(void *user, const char *text), void *user)
{
    struct footer_head head;
    uint8_t *buffer = malloc(BLOCK);
    bool damaged = false;
    int rc = buffer ? 0 : -ENOMEM;
    memcpy(&head, footer, sizeof head);
    for (uint64_t i = 0; rc == 0 && i < blocks_of(head.bytes); i++) {
        uint32_t crc, is;
        size_t n;
        memcpy(&crc, footer + sizeof head + i * sizeof crc, sizeof crc);
        rc = block_crc(fd, head.bytes, i, buffer, &is, &n);
        if (rc == 0 && is != crc) tell(i * BLOCK, n, is ^ crc, breach, user), damaged = true;
    }
    free(buffer);
    return rc == 0 && damaged ? -EBADMSG : rc;
}

int archive_footer_check(const char *path, void (*breach)(void *user, const char *text), void *user)
{
    struct stat st;
    uint8_t *footer = NULL;
    uint64_t size;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc = fd < 0 || fstat(fd, &st) < 0 ? -errno : load(fd, (uint64_t)st.st_size, &footer, &size);
    if (rc == -EBADMSG) breach(user, "its footer is damaged");
    if (rc == 0) rc = check_blocks(fd, footer, breach, user);
    free(footer);
    if (fd >= 0) close(fd);
    return rc;
}
