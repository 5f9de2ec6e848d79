/* SPDX-License-Identifier: Apache-2.0 */
/* Before banned.h: OpenSSL names parameters "rand". */
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "base/crypto.h"

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
