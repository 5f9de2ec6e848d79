/* SPDX-License-Identifier: Apache-2.0 */
/* Before banned.h: OpenSSL names parameters "rand". */
#include <openssl/bn.h>
#include <openssl/dsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/crypto_cert.h"

#include <arpa/inet.h>

enum { SERIAL_BITS = 128, DSA_BITS = 2048, DSA_SUBGROUP_BITS = 256, DAY_SECONDS = 86400 };

struct dv_key {
    EVP_PKEY *evp;
};

/* ---- Keys ---- */

static dv_key *wrap_key(EVP_PKEY *evp)
{
    dv_key *key = DV_NEW(dv_key);

    DV_ASSERT(evp);
    key->evp = evp;
    return key;
}

void dv_key_free(dv_key *key)
{
    if (!key)
        return;
    EVP_PKEY_free(key->evp);
    free(key);
}

static EVP_PKEY *make_dsa(void)
{
    EVP_PKEY_CTX *params = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL), *ctx;
    EVP_PKEY *domain = NULL, *key = NULL;

    DV_ASSERT(params && EVP_PKEY_paramgen_init(params) == 1);
    DV_ASSERT(EVP_PKEY_CTX_set_dsa_paramgen_bits(params, DSA_BITS) == 1 &&
              EVP_PKEY_CTX_set_dsa_paramgen_q_bits(params, DSA_SUBGROUP_BITS) == 1 &&
              EVP_PKEY_paramgen(params, &domain) == 1);
    ctx = EVP_PKEY_CTX_new_from_pkey(NULL, domain, NULL);
    DV_ASSERT(ctx && EVP_PKEY_keygen_init(ctx) == 1 && EVP_PKEY_keygen(ctx, &key) == 1);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_CTX_free(params);
    EVP_PKEY_free(domain);
    return key;
}

dv_key *dv_key_make(dv_key_kind kind)
{
    switch (kind) {
    case DV_KEY_RSA_2048:
        return wrap_key(EVP_RSA_gen(2048));
    case DV_KEY_RSA_4096:
        return wrap_key(EVP_RSA_gen(4096));
    case DV_KEY_DSA:
        return wrap_key(make_dsa());
    case DV_KEY_EC_P256:
        return wrap_key(EVP_EC_gen("P-256"));
    case DV_KEY_ED25519:
        break;
    }
    return wrap_key(EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"));
}

static dv_err *bad_key(const char *what)
{
    return dv_err_new(DV_INVALID, "BadKey", "%s", what);
}

/* No pass phrase is ever asked for. */
static int no_password(char *buf DV_UNUSED, int size DV_UNUSED, int writing DV_UNUSED,
                       void *context DV_UNUSED)
{
    return -1;
}

static BIO *open_bytes(dv_str bytes)
{
    BIO *bio = BIO_new_mem_buf(bytes.p ? bytes.p : "", (int)DV_MIN(bytes.n, (size_t)INT32_MAX));

    DV_ASSERT(bio);
    return bio;
}

/* The first block of PEM; *ret_name and *ret_bytes are OpenSSL's. */
static bool read_pem(dv_str pem, char **ret_name, unsigned char **ret_bytes, long *ret_n)
{
    BIO *bio = open_bytes(pem);
    char *header = NULL;
    bool ok = PEM_read_bio(bio, ret_name, &header, ret_bytes, ret_n) == 1;

    OPENSSL_free(header);
    BIO_free(bio);
    return ok;
}

/* What is wrong with a block that holds no private key we know. */
static dv_err *refuse_block(const char *name)
{
    dv_str block = dv_str_of(name);

    if (!dv_str_ends(block, DV_STR(" PRIVATE KEY")))
        return dv_err_new(DV_INVALID, "BadKey", "no private key data in PEM block of type %s",
                          name);
    return dv_err_new(DV_INVALID, "BadKey", "invalid private key type %.*s", (int)(block.n - 12),
                      name);
}

dv_err *dv_key_read(dv_str pem, dv_key **ret_key)
{
    static const struct {
        const char *name, *fault;
        int type;
    } kinds[] = {
        {"PRIVATE KEY", "decoding PEM as PKCS#8: it is none", 0},
        {"RSA PRIVATE KEY", "parsing RSA private key from PEM: it is none", EVP_PKEY_RSA},
        {"EC PRIVATE KEY", "parsing EC private key from PEM: it is none", EVP_PKEY_EC},
        {"DSA PRIVATE KEY", "parsing DSA private key from PEM: it is none", EVP_PKEY_DSA},
    };
    unsigned char *bytes = NULL;
    EVP_PKEY *evp = NULL;
    char *name = NULL;
    dv_err *err = NULL;
    size_t i = 0;
    long n = 0;

    if (!read_pem(pem, &name, &bytes, &n))
        return bad_key("no PEM data in input");
    while (i < DV_LEN(kinds) && strcmp(name, kinds[i].name) != 0)
        i++;
    if (i < DV_LEN(kinds)) {
        const unsigned char *at = bytes;

        evp = kinds[i].type ? d2i_PrivateKey(kinds[i].type, NULL, &at, n)
                            : d2i_AutoPrivateKey(NULL, &at, n);
        if (!evp)
            err = bad_key(kinds[i].fault);
    } else {
        err = refuse_block(name);
    }
    OPENSSL_free(name);
    OPENSSL_clear_free(bytes, (size_t)n);
    if (!err)
        *ret_key = wrap_key(evp);
    return err;
}

/* Appends what a BIO of memory holds, and frees it. */
static void add_bio(dv_buf *out, BIO *bio)
{
    char *bytes = NULL;
    long n = BIO_get_mem_data(bio, &bytes);

    dv_buf_add(out, bytes, (size_t)n);
    BIO_free(bio);
}

void dv_key_add_pem(dv_buf *out, const dv_key *key)
{
    BIO *bio = BIO_new(BIO_s_secmem());
    bool ed25519 = EVP_PKEY_is_a(key->evp, "ED25519");

    DV_ASSERT(bio);
    if (ed25519)
        DV_ASSERT(PEM_write_bio_PKCS8PrivateKey(bio, key->evp, NULL, NULL, 0, no_password, NULL) ==
                  1);
    else
        DV_ASSERT(PEM_write_bio_PrivateKey_traditional(bio, key->evp, NULL, NULL, 0, no_password,
                                                       NULL) == 1);
    add_bio(out, bio);
}

/* ---- Certificates ---- */

static dv_err *bad_certificate(const char *what)
{
    return dv_err_new(DV_INVALID, "BadCertificate", "%s", what);
}

/* The certificate that pem begins with. */
static dv_err *read_certificate(dv_str pem, X509 **ret_cert)
{
    unsigned char *bytes = NULL;
    char *name = NULL;
    long n = 0;

    if (!read_pem(pem, &name, &bytes, &n))
        return bad_certificate("unable to decode certificate");
    const unsigned char *at = bytes;
    *ret_cert = d2i_X509(NULL, &at, n);
    OPENSSL_free(name);
    OPENSSL_free(bytes);
    return *ret_cert ? NULL : bad_certificate("error parsing certificate: it is none");
}

dv_err *dv_cert_check(dv_str pem)
{
    X509 *cert = NULL;

    DV_CHECK(read_certificate(pem, &cert));
    X509_free(cert);
    return NULL;
}

bool dv_cert_is_ip(const char *text)
{
    unsigned char bytes[16];

    return inet_pton(AF_INET, text, bytes) == 1 || inet_pton(AF_INET6, text, bytes) == 1;
}

static void set_serial(X509 *cert)
{
    BIGNUM *serial = BN_new();

    DV_ASSERT(serial && BN_rand(serial, SERIAL_BITS, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1);
    DV_ASSERT(BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(cert)));
    BN_free(serial);
}

static void set_subject(X509 *cert, dv_str name)
{
    X509_NAME *subject = X509_NAME_new();

    DV_ASSERT(subject);
    if (name.n)
        X509_NAME_add_entry_by_NID(subject, NID_commonName, V_ASN1_UTF8STRING,
                                   (const unsigned char *)name.p, (int)name.n, -1, 0);
    DV_ASSERT(X509_set_subject_name(cert, subject) == 1);
    X509_NAME_free(subject);
}

static void add_extension(X509 *cert, X509 *signer, int nid, const char *value)
{
    X509V3_CTX ctx;

    X509V3_set_ctx_nodb(&ctx);
    X509V3_set_ctx(&ctx, signer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    DV_ASSERT(extension && X509_add_ext(cert, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

static void push_name(GENERAL_NAMES *all, int type, const void *bytes, size_t n)
{
    GENERAL_NAME *name = GENERAL_NAME_new();
    ASN1_STRING *text = type == GEN_IPADD ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();

    DV_ASSERT(name && text && ASN1_STRING_set(text, bytes, (int)n) == 1);
    GENERAL_NAME_set0_value(name, type, text);
    DV_ASSERT(sk_GENERAL_NAME_push(all, name) > 0);
}

/* Built by hand: a text for OpenSSL's parser could smuggle other kinds of names in. */
static dv_err *add_alternatives(X509 *cert, const dv_cert_spec *spec)
{
    GENERAL_NAMES *all = sk_GENERAL_NAME_new_null();
    dv_err *err = NULL;
    unsigned char bytes[16];

    DV_ASSERT(all);
    for (size_t i = 0; spec->names && i < spec->names->n; i++)
        push_name(all, GEN_DNS, spec->names->at[i], strlen(spec->names->at[i]));
    for (size_t i = 0; spec->ips && i < spec->ips->n && !err; i++) {
        if (inet_pton(AF_INET, spec->ips->at[i], bytes) == 1)
            push_name(all, GEN_IPADD, bytes, 4);
        else if (inet_pton(AF_INET6, spec->ips->at[i], bytes) == 1)
            push_name(all, GEN_IPADD, bytes, 16);
        else
            err = bad_certificate("error parsing ip");
    }
    if (!err && sk_GENERAL_NAME_num(all) > 0)
        DV_ASSERT(X509_add1_ext_i2d(cert, NID_subject_alt_name, all, 0, X509V3_ADD_DEFAULT) == 1);
    GENERAL_NAMES_free(all);
    return err;
}

static dv_err *fill(X509 *cert, const dv_cert_spec *spec, const dv_key *key, X509 *signer)
{
    DV_ASSERT(X509_set_version(cert, X509_VERSION_3) == 1 && X509_set_pubkey(cert, key->evp) == 1);
    set_serial(cert);
    set_subject(cert, spec->common_name);
    DV_ASSERT(X509_set_issuer_name(cert, X509_get_subject_name(signer)) == 1);
    if (!X509_gmtime_adj(X509_getm_notBefore(cert), 0) ||
        !X509_time_adj_ex(X509_getm_notAfter(cert), (int)spec->days, 0, NULL))
        return bad_certificate("the validity is out of range");
    add_extension(cert, signer, NID_key_usage,
                  spec->authority ? "critical,digitalSignature,keyEncipherment,keyCertSign"
                                  : "critical,digitalSignature,keyEncipherment");
    add_extension(cert, signer, NID_ext_key_usage, "serverAuth,clientAuth");
    add_extension(cert, signer, NID_basic_constraints,
                  spec->authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (spec->authority)
        add_extension(cert, signer, NID_subject_key_identifier, "hash");
    if (signer != cert && X509_get_ext_by_NID(signer, NID_subject_key_identifier, -1) >= 0)
        add_extension(cert, signer, NID_authority_key_identifier, "keyid");
    return add_alternatives(cert, spec);
}

static dv_err *sign(X509 *cert, const dv_key *key)
{
    bool plain = EVP_PKEY_is_a(key->evp, "ED25519");

    if (X509_sign(cert, key->evp, plain ? NULL : EVP_sha256()) <= 0)
        return bad_certificate("the key can't sign a certificate");
    return NULL;
}

dv_err *dv_cert_add_pem(dv_buf *out, const dv_cert_spec *spec, const dv_key *key, dv_str signer_pem,
                        const dv_key *signer_key)
{
    X509 *cert, *signer = NULL;

    if (signer_key)
        DV_CHECK(read_certificate(signer_pem, &signer));
    cert = X509_new();
    DV_ASSERT(cert);
    dv_err *err = spec->days > INT32_MAX || spec->days < INT32_MIN
                      ? bad_certificate("the validity is out of range")
                      : fill(cert, spec, key, signer ? signer : cert);
    if (!err)
        err = sign(cert, signer_key ? signer_key : key);
    if (!err) {
        BIO *bio = BIO_new(BIO_s_mem());

        DV_ASSERT(bio && PEM_write_bio_X509(bio, cert) == 1);
        add_bio(out, bio);
    }
    X509_free(cert);
    X509_free(signer);
    return err;
}
