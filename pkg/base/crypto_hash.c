/* SPDX-License-Identifier: Apache-2.0 */
/* Before banned.h: OpenSSL names parameters "rand". */
#include <crypt.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/crypto_hash.h"

#include "base/crypto.h"

enum { BCRYPT_SALT_BYTES = 16 };

/* What one derivation may take. */
#define SCRYPT_MEMORY_MAX ((uint64_t)256 * 1024 * 1024)

void dv_digest_add_hex(dv_buf *out, const char *name, dv_str bytes)
{
    unsigned char raw[EVP_MAX_MD_SIZE];
    size_t n = 0;

    DV_ASSERT(
        EVP_Q_digest(/* libctx= */ NULL, name, /* propq= */ NULL, bytes.p, bytes.n, raw, &n) == 1);
    for (size_t i = 0; i < n; i++)
        dv_buf_addf(out, "%02x", raw[i]);
}

void dv_hmac_sha256(dv_str key, dv_str bytes, unsigned char ret_mac[DV_HMAC_BYTES])
{
    unsigned int n = 0;

    DV_ASSERT(HMAC(EVP_sha256(), key.p, (int)key.n, (const unsigned char *)bytes.p, bytes.n,
                   ret_mac, &n) &&
              n == DV_HMAC_BYTES);
}

void dv_scrypt(dv_str password, dv_str salt, uint64_t n, uint64_t r, uint64_t p, void *ret_key,
               size_t key_bytes)
{
    DV_ASSERT(EVP_PBE_scrypt(password.p ? password.p : "", password.n,
                             (const unsigned char *)salt.p, salt.n, n, r, p, SCRYPT_MEMORY_MAX,
                             ret_key, key_bytes) == 1);
}

dv_err *dv_bcrypt_add(dv_buf *out, dv_str password, int cost)
{
    char salt[BCRYPT_SALT_BYTES], setting[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data data = {0};
    char key[DV_BCRYPT_PASSWORD_MAX + 1] = "";

    if (password.n > DV_BCRYPT_PASSWORD_MAX || memchr(password.p, '\0', password.n))
        return dv_err_new(DV_INVALID, "BadPassword", "a password has more than %d bytes, or a NUL",
                          DV_BCRYPT_PASSWORD_MAX);
    if (password.n)
        memcpy(key, password.p, password.n);
    dv_random_bytes(salt, sizeof(salt));
    DV_ASSERT(crypt_gensalt_rn("$2a$", (unsigned long)cost, salt, sizeof(salt), setting,
                               sizeof(setting)));
    const char *hash = crypt_r(key, setting, &data);
    DV_ASSERT(hash && hash[0] == '$');
    dv_buf_adds(out, hash);
    dv_wipe(&data, sizeof(data));
    dv_wipe(key, sizeof(key));
    return NULL;
}

void dv_aes_cbc_add(dv_buf *out, bool encrypt, const unsigned char key[DV_AES_KEY_BYTES],
                    const unsigned char iv[DV_AES_BLOCK_BYTES], dv_str bytes)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    char *room = dv_buf_room(out, bytes.n + DV_AES_BLOCK_BYTES);
    int n = 0;

    DV_ASSERT(cipher && bytes.n % DV_AES_BLOCK_BYTES == 0 && bytes.n <= INT32_MAX);
    DV_ASSERT(EVP_CipherInit_ex2(cipher, EVP_aes_256_cbc(), key, iv, encrypt, NULL) == 1);
    EVP_CIPHER_CTX_set_padding(cipher, 0);
    if (room && bytes.n)
        DV_ASSERT(EVP_CipherUpdate(cipher, (unsigned char *)room, &n,
                                   (const unsigned char *)bytes.p, (int)bytes.n) == 1);
    if (room)
        dv_buf_grown(out, (size_t)n);
    EVP_CIPHER_CTX_free(cipher);
}
