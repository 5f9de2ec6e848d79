/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates for a test, made on the spot: an authority, and what it signs.
 *
 * Threads: a test.
 */
#pragma once

#include <openssl/pem.h> /* before base/banned.h, which poisons a name that it uses */
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/buf.h"

typedef struct {
    X509 *cert;
    EVP_PKEY *key;
    char *cert_pem, *key_pem;
} pki_pair;

static inline void pki_done(pki_pair *pair)
{
    X509_free(pair->cert);
    EVP_PKEY_free(pair->key);
    free(pair->cert_pem);
    free(pair->key_pem);
}

static inline char *pki_text(BIO *bio)
{
    char *bytes;
    long n = BIO_get_mem_data(bio, &bytes);
    char *text = dv_strndup(bytes, (size_t)n);

    BIO_free(bio);
    return text;
}

static inline void pki_extend(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    DV_ASSERT(extension && X509_add_ext(cert, extension, -1));
    X509_EXTENSION_free(extension);
}

/*
 * names: "IP:127.0.0.1,DNS:localhost"; NULL makes an authority. by NULL: signs itself. Valid from
 * days_from to days_to, counted from now.
 */
static inline pki_pair pki_make(const char *names, const pki_pair *by, int days_from, int days_to)
{
    static long serial = 1;
    pki_pair pair = {.cert = X509_new(), .key = EVP_EC_gen("P-256")};
    BIO *cert_bio = BIO_new(BIO_s_mem()), *key_bio = BIO_new(BIO_s_mem());
    X509 *issuer = by ? by->cert : pair.cert;
    X509_NAME *name = X509_get_subject_name(pair.cert);

    X509_set_version(pair.cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(pair.cert), serial++);
    X509_gmtime_adj(X509_getm_notBefore(pair.cert), days_from * 86400L);
    X509_gmtime_adj(X509_getm_notAfter(pair.cert), days_to * 86400L);
    dv_auto_str common = dv_asprintf("%s %ld", names ? "leaf" : "authority", serial);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common, -1, -1, 0);
    X509_set_issuer_name(pair.cert, X509_get_subject_name(issuer));
    X509_set_pubkey(pair.cert, pair.key);
    pki_extend(pair.cert, issuer, NID_basic_constraints, names ? "CA:FALSE" : "critical,CA:TRUE");
    if (names && names[0])
        pki_extend(pair.cert, issuer, NID_subject_alt_name, names);
    DV_ASSERT(X509_sign(pair.cert, by ? by->key : pair.key, EVP_sha256()));
    DV_ASSERT(PEM_write_bio_X509(cert_bio, pair.cert));
    DV_ASSERT(PEM_write_bio_PrivateKey(key_bio, pair.key, NULL, NULL, 0, NULL, NULL));
    pair.cert_pem = pki_text(cert_bio);
    pair.key_pem = pki_text(key_bio);
    return pair;
}

static inline int pki_select(SSL *ssl, const unsigned char **out, unsigned char *n,
                             const unsigned char *in, unsigned int in_n, void *wanted)
{
    const char *protocol = wanted;

    (void)ssl;
    for (unsigned int i = 0; i < in_n; i += 1u + in[i])
        if (in[i] == strlen(protocol) && !memcmp(in + i + 1, protocol, in[i])) {
            *out = in + i + 1;
            *n = in[i];
            return SSL_TLSEXT_ERR_OK;
        }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* A server's settings. protocol: static, "h2" or "http/1.1". clients: who signs them; NULL: none.
 */
static inline SSL_CTX *pki_server(const pki_pair *pair, const char *protocol,
                                  const pki_pair *clients)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    DV_ASSERT(SSL_CTX_use_certificate(ctx, pair->cert) && SSL_CTX_use_PrivateKey(ctx, pair->key));
    SSL_CTX_set_alpn_select_cb(ctx, pki_select, (void *)(uintptr_t)protocol);
    SSL_CTX_set_mode(ctx, SSL_MODE_AUTO_RETRY);
    if (clients) {
        X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), clients->cert);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    return ctx;
}
