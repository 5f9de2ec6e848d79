/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include "http/http_internal.h"

static void bio_done(BIO **bio)
{
    BIO_free(*bio);
}

static void x509_done(X509 **certificate)
{
    X509_free(*certificate);
}

static void key_done(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

/* An encrypted key has nobody to ask for its password. */
static int no_password(char *room, int n, int writing, void *arg)
{
    (void)room, (void)n, (void)writing, (void)arg;
    return -1;
}

static dv_err *bad(const char *what)
{
    ERR_clear_error();
    return dv_err_new(DV_INVALID, "BadCertificate", "%s", what);
}

static BIO *open_pem(dv_str pem)
{
    return BIO_new_mem_buf(pem.p, (int)DV_MIN(pem.n, (size_t)INT32_MAX));
}

static dv_err *check_authorities(dv_str pem)
{
    DV_CLEANUP(bio_done) BIO *bio = open_pem(pem);

    for (size_t n = 0;; n++) {
        DV_CLEANUP(x509_done) X509 *certificate = PEM_read_bio_X509(bio, NULL, no_password, NULL);

        if (certificate)
            continue;
        bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        if (n && at_end)
            break;
        return bad("the certificate authorities are not certificates in PEM form");
    }
    ERR_clear_error();
    return NULL;
}

static dv_err *check_pair(dv_str cert_pem, dv_str key_pem)
{
    DV_CLEANUP(bio_done) BIO *cert_bio = open_pem(cert_pem);
    DV_CLEANUP(bio_done) BIO *key_bio = open_pem(key_pem);
    DV_CLEANUP(x509_done) X509 *certificate = PEM_read_bio_X509(cert_bio, NULL, no_password, NULL);
    DV_CLEANUP(key_done) EVP_PKEY *key = PEM_read_bio_PrivateKey(key_bio, NULL, no_password, NULL);

    if (!certificate)
        return bad("the client certificate is not a certificate in PEM form");
    if (!key)
        return bad("the client key is not an unencrypted key in PEM form");
    if (X509_check_private_key(certificate, key) != 1)
        return bad("the client key does not belong to the client certificate");
    return NULL;
}

dv_err *dv_tls_check(dv_str ca_pem, dv_str cert_pem, dv_str key_pem)
{
    if (ca_pem.n)
        DV_CHECK(check_authorities(ca_pem));
    if (cert_pem.n || key_pem.n)
        DV_CHECK(check_pair(cert_pem, key_pem));
    return NULL;
}
