/* SPDX-License-Identifier: Apache-2.0 */
/* Before banned.h: OpenSSL names parameters "rand". */
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/crypto.h"

#include <errno.h>
#include <sys/random.h>

/* ---- Digests ---- */

struct dv_sha256 {
    EVP_MD_CTX *evp;
};

dv_sha256 *dv_sha256_new(void)
{
    dv_sha256 *sha = DV_NEW(dv_sha256);

    sha->evp = EVP_MD_CTX_new();
    DV_ASSERT(sha->evp && EVP_DigestInit_ex(sha->evp, EVP_sha256(), /* engine= */ NULL) == 1);
    return sha;
}

void dv_sha256_free(dv_sha256 *sha)
{
    if (!sha)
        return;
    EVP_MD_CTX_free(sha->evp);
    free(sha);
}

void dv_sha256_add(dv_sha256 *sha, dv_str bytes)
{
    DV_ASSERT(EVP_DigestUpdate(sha->evp, bytes.p, bytes.n) == 1);
}

void dv_sha256_end(dv_sha256 *sha, char ret_hex[DV_SHA256_HEX + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char raw[DV_SHA256_BYTES];
    unsigned int n = 0;

    DV_ASSERT(EVP_DigestFinal_ex(sha->evp, raw, &n) == 1 && n == sizeof(raw));
    for (size_t i = 0; i < sizeof(raw); i++) {
        ret_hex[2 * i] = digits[raw[i] >> 4];
        ret_hex[2 * i + 1] = digits[raw[i] & 15];
    }
    ret_hex[DV_SHA256_HEX] = '\0';
}

void dv_sha256_hex(dv_str bytes, char ret_hex[DV_SHA256_HEX + 1])
{
    dv_auto(dv_sha256) sha = dv_sha256_new();

    dv_sha256_add(sha, bytes);
    dv_sha256_end(sha, ret_hex);
}

/* ---- Base64 ---- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void dv_base64_add(dv_buf *out, dv_str bytes)
{
    const unsigned char *in = (const unsigned char *)bytes.p;

    for (size_t i = 0; i < bytes.n; i += 3) {
        size_t left = bytes.n - i;
        unsigned group = (unsigned)in[i] << 16 | (left > 1 ? (unsigned)in[i + 1] << 8 : 0) |
                         (left > 2 ? (unsigned)in[i + 2] : 0);
        char text[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63],
                        left > 1 ? alphabet[group >> 6 & 63] : '=',
                        left > 2 ? alphabet[group & 63] : '='};

        dv_buf_add(out, text, sizeof(text));
    }
}

/* 0 to 63, or -1. */
static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool is_skipped(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Adds the bytes of one group of four with `pad` signs at its end; false: not a group. */
static bool add_group(dv_buf *out, const int value[4], int pad)
{
    unsigned group = 0;

    for (int i = 0; i < 4; i++)
        group = group << 6 | (unsigned)(i < 4 - pad ? value[i] : 0);
    const char bytes[3] = {(char)(group >> 16), (char)(group >> 8), (char)group};
    if (pad > 2)
        return false;
    dv_buf_add(out, bytes, (size_t)(3 - pad));
    return true;
}

static bool decode(dv_str text, dv_buf *out)
{
    int value[4], n = 0, pad = 0;

    for (size_t i = 0; i < text.n; i++) {
        if (is_skipped(text.p[i]))
            continue;
        if (pad && (n == 0 || text.p[i] != '='))
            return false; /* something behind the padding */
        if (text.p[i] == '=')
            pad++;
        else if ((value[n] = base64_value(text.p[i])) < 0)
            return false;
        if (++n < 4)
            continue;
        if (!add_group(out, value, pad))
            return false;
        n = 0;
    }
    return n == 0;
}

dv_err *dv_base64_decode(dv_str text, dv_buf *out)
{
    size_t before = out->n;

    if (!decode(text, out)) {
        dv_buf_cut(out, before);
        return dv_err_new(DV_INVALID, "BadBase64", "not base64");
    }
    return dv_buf_check(out);
}

/* ---- Random ---- */

void dv_random_bytes(void *out, size_t n)
{
    unsigned char *at = out;

    while (n) {
        ssize_t got = getrandom(at, n, 0);

        DV_ASSERT(got > 0 || errno == EINTR);
        if (got > 0) {
            at += got;
            n -= (size_t)got;
        }
    }
}

uint64_t dv_random_below(uint64_t bound)
{
    DV_ASSERT(bound > 0);
    /* Values below 2^64 mod bound would make small results likelier. */
    uint64_t skip = (0 - bound) % bound, value;

    do
        dv_random_bytes(&value, sizeof(value));
    while (value < skip);
    return value % bound;
}

void dv_uuid_add(dv_buf *out)
{
    unsigned char u[16];

    dv_random_bytes(u, sizeof(u));
    u[6] = (unsigned char)(0x40 | (u[6] & 0x0f)); /* version 4 */
    u[8] = (unsigned char)(0x80 | (u[8] & 0x3f)); /* RFC variant */
    for (size_t i = 0; i < sizeof(u); i++)
        dv_buf_addf(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", u[i]);
}

/* ---- Secrets ---- */

struct dv_secret {
    size_t n;
    char bytes[];
};

dv_secret *dv_secret_new(dv_str bytes)
{
    dv_secret *secret = dv_alloc(sizeof(*secret) + bytes.n + 1);

    secret->n = bytes.n;
    if (bytes.n)
        memcpy(secret->bytes, bytes.p, bytes.n);
    secret->bytes[bytes.n] = '\0';
    return secret;
}

void dv_secret_free(dv_secret *secret)
{
    if (!secret)
        return;
    dv_wipe(secret->bytes, secret->n);
    free(secret);
}

dv_str dv_secret_reveal(const dv_secret *secret)
{
    return (dv_str){secret->bytes, secret->n};
}

bool dv_secret_eq(dv_str a, dv_str b)
{
    unsigned char differs = a.n != b.n;

    for (size_t i = 0; i < a.n; i++)
        differs |= (unsigned char)(a.p[i] ^ (i < b.n ? b.p[i] : ~a.p[i]));
    return !differs;
}

void dv_wipe(void *bytes, size_t n)
{
    OPENSSL_cleanse(bytes, n);
}
