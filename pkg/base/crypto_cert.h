/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private keys and X.509 certificates in PEM, as small certificate authorities make them.
 *
 * Making a key takes from a millisecond (elliptic curves) to seconds (RSA of 4096 bits, DSA).
 *
 * Threads: any.
 */
#pragma once

#include "base/buf.h"
#include "base/vec.h"

typedef enum {
    DV_KEY_RSA_2048,
    DV_KEY_RSA_4096,
    DV_KEY_DSA,
    DV_KEY_EC_P256,
    DV_KEY_ED25519
} dv_key_kind;

typedef struct dv_key dv_key;
/* Owned, never NULL. */
dv_key *dv_key_make(dv_key_kind kind);
/* PEM: PKCS#8, or the older forms of RSA, EC and DSA. *ret_key is owned. INVALID "BadKey". */
DV_MUST_USE dv_err *dv_key_read(dv_str pem, dv_key **ret_key);
/* Appends PEM: the older form of its kind, PKCS#8 where there is none (ed25519). */
void dv_key_add_pem(dv_buf *out, const dv_key *key);
void dv_key_free(dv_key *key);
DV_DEFINE_AUTO(dv_key)

typedef struct {
    dv_str common_name;
    int64_t days; /* valid from now on */
    bool authority;
    const dv_strings *ips, *names; /* subject alternatives; may be NULL */
} dv_cert_spec;

/*
 * Appends the PEM of a certificate for key, signed by signer_key in the name of signer_pem's
 * subject, or by key itself when signer_key is NULL. INVALID "BadCertificate": signer_pem is none,
 * an address is none, or the key can't sign.
 */
DV_MUST_USE dv_err *dv_cert_add_pem(dv_buf *out, const dv_cert_spec *spec, const dv_key *key,
                                    dv_str signer_pem, const dv_key *signer_key);
/* INVALID "BadCertificate": pem does not begin with a certificate. */
DV_MUST_USE dv_err *dv_cert_check(dv_str pem);
/* True for the text of an IPv4 or IPv6 address. */
bool dv_cert_is_ip(const char *text);
