#include "archive_layout.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- SHA-256 (FIPS 180-4) ---- */

struct sha256 {
    uint32_t h[8];
    uint64_t n;
    uint8_t block[64];
};

static const uint32_t sha256_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01,
    0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc,
    0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147,
    0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08,
    0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208,
    0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotr(uint32_t x, int n) { return x >> n | x << (32 - n); }

static void sha256_block(struct sha256 *s, const uint8_t *bytes)
{
    uint32_t w[64], v[8];
    for (int i = 0; i < 16; i++)
        w[i] = (uint32_t)bytes[4 * i] << 24 | (uint32_t)bytes[4 * i + 1] << 16 | (uint32_t)bytes[4 * i + 2] << 8 |
               bytes[4 * i + 3];
    for (int i = 16; i < 64; i++)
        w[i] = w[i - 16] + w[i - 7] + (rotr(w[i - 15], 7) ^ rotr(w[i - 15], 18) ^ w[i - 15] >> 3) +
               (rotr(w[i - 2], 17) ^ rotr(w[i - 2], 19) ^ w[i - 2] >> 10);
    memcpy(v, s->h, sizeof v);
    for (int i = 0; i < 64; i++) {
        const uint32_t t1 =
            v[7] + (rotr(v[4], 6) ^ rotr(v[4], 11) ^ rotr(v[4], 25)) + ((v[4] & v[5]) ^ (~v[4] & v[6])) + sha256_k[i] + w[i];
        const uint32_t t2 = (rotr(v[0], 2) ^ rotr(v[0], 13) ^ rotr(v[0], 22)) + ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]));
        memmove(v + 1, v, 7 * sizeof *v);
        v[4] += t1;
        v[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++) s->h[i] += v[i];
}

static void sha256_push(struct sha256 *s, const void *data, size_t n)
{
    const uint8_t *bytes = data;
    while (n) {
        const size_t at = s->n % 64, take = n < 64 - at ? n : 64 - at;
        if (take == 64) {
            sha256_block(s, bytes);
        } else {
            memcpy(s->block + at, bytes, take);
            if (at + take == 64) sha256_block(s, s->block);
        }
        s->n += take;
        bytes += take;
        n -= take;
    }
}

static void sha256_hex(struct sha256 *s, char ret[65])
{
    static const uint8_t pad[64] = {0x80};
    const uint64_t bits = s->n * 8;
    uint8_t length[8];
    for (int i = 0; i < 8; i++) length[i] = (uint8_t)(bits >> (56 - 8 * i));
    sha256_push(s, pad, 1 + (119 - s->n % 64) % 64);
    sha256_push(s, length, sizeof length);
    for (int i = 0; i < 8; i++) snprintf(ret + 8 * i, 9, "%08" PRIx32, s->h[i]);
}

/* ---- the digest ---- */

struct digesting {
    struct sha256 sha;
    const struct archive_pulse *pulse;
    struct archive_error *error;
    int rc;
};
enum { DIGEST_BYTES = 1 << 20 };

static void digest_text(struct digesting *d, const char *text) { sha256_push(&d->sha, text, strlen(text) + 1); }

static herr_t digest_attribute(hid_t object, const char *name, const H5A_info_t *info, void *user)
{
    struct digesting *d = user;
    if (strcmp(name, "digest") == 0) return 0;
    const hid_t a = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(a);
    void *bytes = malloc(info->data_size + 1);
    const bool ok = a >= 0 && bytes && H5Aread(a, type, bytes) >= 0;
    if (ok) {
        digest_text(d, name);
        sha256_push(&d->sha, bytes, info->data_size);
    } else {
        d->rc = archive_fail(d->error, bytes ? -EIO : -ENOMEM, "attribute %s cannot be read", name);
    }
    free(bytes);
    if (type >= 0) H5Tclose(type);
    if (a >= 0) H5Aclose(a);
    return ok ? 0 : -1;
}

static herr_t digest_rows(hid_t dataset, const char *name, struct digesting *d)
{
    uint64_t rows, sealed;
    hsize_t cells;
    if (archive_dataset_rows(dataset, &rows, &cells) < 0 ||
        !archive_get_number(dataset, "sealed_rows", H5T_NATIVE_UINT64, &sealed) || sealed > rows) {
        d->rc = archive_fail(d->error, -EBADMSG, "/%s: fewer rows than were sealed", name);
        return -1;
    }
    const hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    const int rank = H5Sget_simple_extent_ndims(space);
    const size_t row_size = H5Tget_size(type) * cells, most = DIGEST_BYTES / row_size + 1;
    uint8_t *bytes = malloc(most * row_size);
    bool ok = bytes;
    for (uint64_t row = 0; ok && row < sealed; row += most) {
        const uint64_t n = sealed - row < most ? sealed - row : most;
        ok = archive_read_rows(dataset, type, rank, row, n, cells, bytes);
        if (ok) {
            sha256_push(&d->sha, bytes, n * row_size);
            archive_beat(d->pulse);
        }
        if (!ok) d->rc = archive_fail(d->error, -EBADMSG, "/%s: damaged in rows %" PRIu64 " to %" PRIu64, name, row, row + n);
    }
    free(bytes);
    H5Sclose(space);
    H5Tclose(type);
    return ok ? 0 : -1;
}

static herr_t digest_object(hid_t root, const char *name, const H5O_info_t *info, void *user)
{
    struct digesting *d = user;
    const hid_t object = H5Oopen(root, name, H5P_DEFAULT);
    if (object < 0) {
        d->rc = archive_fail(d->error, -EBADMSG, "/%s cannot be opened", name);
        return -1;
    }
    digest_text(d, name);
    herr_t rc = H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_INC, NULL, digest_attribute, d);
    if (rc >= 0 && info->type == H5O_TYPE_DATASET) rc = digest_rows(object, name, d);
    H5Oclose(object);
    return rc;
}

int archive_digest(hid_t file, const struct archive_pulse *pulse, char ret[65], struct archive_error *ret_error)
{
    struct digesting d = {
        .sha.h = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19},
        .pulse = pulse,
        .error = ret_error};
    if (H5Ovisit(file, H5_INDEX_NAME, H5_ITER_INC, digest_object, &d) < 0)
        return d.rc ? d.rc : archive_fail(ret_error, -EBADMSG, "its objects cannot be listed");
    sha256_hex(&d.sha, ret);
    return 0;
}
