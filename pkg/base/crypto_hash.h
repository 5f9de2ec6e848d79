/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests by name, keyed digests, key derivation, password hashes and AES: what templates ask for.
 *
 * Threads: any.
 */
#pragma once

#include "base/buf.h"

/* Appends the digest in lower-case hex. name is one that OpenSSL knows: "SHA1", "SHA256",
 * "SHA512" (asserted). */
void dv_digest_add_hex(dv_buf *out, const char *name, dv_str bytes);
#define DV_HMAC_BYTES 32
/* RFC 2104 with SHA-256. */
void dv_hmac_sha256(dv_str key, dv_str bytes, unsigned char ret_mac[DV_HMAC_BYTES]);
/* RFC 7914; needs 128 * n * r bytes. */
void dv_scrypt(dv_str password, dv_str salt, uint64_t n, uint64_t r, uint64_t p, void *ret_key,
               size_t key_bytes);
/* Appends the hash in crypt's form, "$2a$10$…". password: at most 72 bytes, no NUL (INVALID). */
#define DV_BCRYPT_PASSWORD_MAX 72
DV_MUST_USE dv_err *dv_bcrypt_add(dv_buf *out, dv_str password, int cost);

#define DV_AES_KEY_BYTES 32
#define DV_AES_BLOCK_BYTES 16
/* AES-256-CBC without padding, appended; bytes are whole blocks (asserted). */
void dv_aes_cbc_add(dv_buf *out, bool encrypt, const unsigned char key[DV_AES_KEY_BYTES],
                    const unsigned char iv[DV_AES_BLOCK_BYTES], dv_str bytes);
