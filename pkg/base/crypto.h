/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Digests, base64, random bytes, and secrets that don't print. The door to OpenSSL's libcrypto
 * outside TLS.
 *
 * Threads: any, for functions; a dv_sha256 its owner.
 */
#pragma once

#include "base/buf.h"

#define DV_SHA256_BYTES 32
#define DV_SHA256_HEX 64

/* 64 lower-case hex digits and a NUL. */
void dv_sha256_hex(dv_str bytes, char ret_hex[DV_SHA256_HEX + 1]);

/* Incremental. */
typedef struct dv_sha256 dv_sha256;
dv_sha256 *dv_sha256_new(void);
void dv_sha256_free(dv_sha256 *sha);
void dv_sha256_add(dv_sha256 *sha, dv_str bytes);
void dv_sha256_end(dv_sha256 *sha, char ret_hex[DV_SHA256_HEX + 1]);
DV_DEFINE_AUTO(dv_sha256)

/* RFC 4648 section 4, padded, one line. */
void dv_base64_add(dv_buf *out, dv_str bytes);
/* Appends the decoded bytes; blanks and line ends are skipped. INVALID: not base64. */
DV_MUST_USE dv_err *dv_base64_decode(dv_str text, dv_buf *out);

/* From the kernel; aborts when there is none. */
void dv_random_bytes(void *out, size_t n);
/* Uniform in [0, bound), for jitter. */
uint64_t dv_random_below(uint64_t bound);
/* Appends a random UUID (RFC 9562, version 4) in its text form. */
void dv_uuid_add(dv_buf *out);

/* Text that is wiped when freed and prints as "***". */
typedef struct dv_secret dv_secret;
dv_secret *dv_secret_new(dv_str bytes); /* copies */
void dv_secret_free(dv_secret *secret);
dv_str dv_secret_reveal(const dv_secret *secret); /* borrowed */
DV_DEFINE_AUTO(dv_secret)
/* Constant time in the length of a. */
bool dv_secret_eq(dv_str a, dv_str b);
/* Overwrites n bytes in a way the compiler keeps. */
void dv_wipe(void *bytes, size_t n);
