/* SPDX-License-Identifier: Apache-2.0 */
/* Before banned.h: OpenSSL names parameters "rand". */
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "testlib.h"

#include "base/crypto_cert.h"

static X509 *read_cert(const dv_buf *pem)
{
    BIO *bio = BIO_new_mem_buf(dv_buf_cstr(pem), (int)pem->n);
    X509 *cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);

    BIO_free(bio);
    assert_non_null(cert);
    return cert;
}

static void an_authority_signs_for_a_server(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done)
    dv_buf ca_pem = DV_BUF_INIT(DV_LINE_MAX), pem = DV_BUF_INIT(DV_LINE_MAX);
    DV_CLEANUP(dv_strings_done) dv_strings ips = {0}, names = {0};
    const dv_cert_spec authority = {.common_name = DV_STR("ca"), .days = 10, .authority = true};
    const dv_cert_spec server = {
        .common_name = DV_STR("server"), .days = 5, .ips = &ips, .names = &names};
    dv_auto(dv_key) ca_key = dv_key_make(DV_KEY_RSA_2048);
    dv_auto(dv_key) key = dv_key_make(DV_KEY_EC_P256);

    dv_strings_add(&ips, "10.0.0.1");
    dv_strings_add(&ips, "::1");
    dv_strings_add(&names, "example.com");
    assert_ok(dv_cert_add_pem(&ca_pem, &authority, ca_key, (dv_str){NULL, 0}, NULL));
    assert_ok(dv_cert_add_pem(&pem, &server, key, dv_buf_str(&ca_pem), ca_key));
    assert_ok(dv_cert_check(dv_buf_str(&pem)));
    X509 *ca = read_cert(&ca_pem), *cert = read_cert(&pem);
    assert_int_equal(X509_check_ca(ca), 1);
    assert_int_equal(X509_check_ca(cert), 0);
    assert_int_equal(X509_check_issued(ca, cert), X509_V_OK);
    assert_int_equal(X509_verify(cert, X509_get0_pubkey(ca)), 1);
    assert_int_equal(X509_check_host(cert, "example.com", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(cert, "10.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(cert, "::1", 0), 1);
    assert_int_equal(X509_check_ip_asc(cert, "10.0.0.2", 0), 0);
    int days, seconds;
    assert_int_equal(
        ASN1_TIME_diff(&days, &seconds, X509_get0_notBefore(cert), X509_get0_notAfter(cert)), 1);
    assert_int_equal(days, 5);
    X509_free(ca);
    X509_free(cert);
}

static const struct row {
    const char *name;
    dv_key_kind kind;
    const char *begins;
    bool signs;
} rows[] = {
    {"RSA", DV_KEY_RSA_2048, "-----BEGIN RSA PRIVATE KEY-----\n", true},
    {"an elliptic curve", DV_KEY_EC_P256, "-----BEGIN EC PRIVATE KEY-----\n", true},
    {"ed25519", DV_KEY_ED25519, "-----BEGIN PRIVATE KEY-----\n", true},
};

static void row_is_written_and_read(void **state)
{
    const struct row *row = *state;
    DV_CLEANUP(dv_buf_done)
    dv_buf pem = DV_BUF_INIT(DV_LINE_MAX), twice = DV_BUF_INIT(DV_LINE_MAX),
           cert = DV_BUF_INIT(DV_LINE_MAX);
    const dv_cert_spec spec = {.common_name = DV_STR("x"), .days = 1};
    dv_auto(dv_key) key = dv_key_make(row->kind);
    dv_auto(dv_key) again = NULL;

    dv_key_add_pem(&pem, key);
    assert_true(dv_str_starts(dv_buf_str(&pem), dv_str_of(row->begins)));
    assert_ok(dv_key_read(dv_buf_str(&pem), &again));
    dv_key_add_pem(&twice, again);
    assert_string_equal(dv_buf_cstr(&twice), dv_buf_cstr(&pem));
    assert_ok(dv_cert_add_pem(&cert, &spec, again, (dv_str){NULL, 0}, NULL));
}

static void what_is_no_key_is_refused(void **state DV_UNUSED)
{
    dv_key *key = NULL;

    assert_err(dv_key_read(DV_STR("text"), &key), DV_INVALID, "no PEM data in input");
    assert_err(
        dv_key_read(DV_STR("-----BEGIN X PRIVATE KEY-----\nAAAA\n-----END X PRIVATE KEY-----\n"),
                    &key),
        DV_INVALID, "invalid private key type X");
    assert_err(
        dv_key_read(
            DV_STR("-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n"), &key),
        DV_INVALID, "parsing RSA private key");
    assert_err(dv_key_read(DV_STR("-----BEGIN FISH-----\nAAAA\n-----END FISH-----\n"), &key),
               DV_INVALID, "no private key data in PEM block of type FISH");
    assert_null(key);
}

static void what_can_t_be_certified_is_refused(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf pem = DV_BUF_INIT(DV_LINE_MAX);
    DV_CLEANUP(dv_strings_done) dv_strings ips = {0};
    dv_auto(dv_key) key = dv_key_make(DV_KEY_EC_P256);
    const dv_cert_spec spec = {.common_name = DV_STR("x"), .days = 1, .ips = &ips};
    const dv_cert_spec endless = {.common_name = DV_STR("x"), .days = INT64_MAX};

    dv_strings_add(&ips, "nowhere");
    assert_err(dv_cert_add_pem(&pem, &spec, key, (dv_str){NULL, 0}, NULL), DV_INVALID,
               "error parsing ip");
    assert_err(dv_cert_add_pem(&pem, &endless, key, (dv_str){NULL, 0}, NULL), DV_INVALID,
               "out of range");
    assert_err(dv_cert_add_pem(&pem, &spec, key, DV_STR("none"), key), DV_INVALID,
               "unable to decode certificate");
    assert_err(
        dv_cert_check(DV_STR("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")),
        DV_INVALID, "error parsing certificate");
    assert_int_equal(pem.n, 0);
    assert_true(dv_cert_is_ip("::1") && !dv_cert_is_ip("1.2.3"));
}

int main(void)
{
    dv_suite suite = {.name = "base/crypto_cert"};

    DV_TEST(&suite, an_authority_signs_for_a_server);
    DV_TABLE(&suite, row_is_written_and_read, rows);
    DV_TEST(&suite, what_is_no_key_is_refused);
    DV_TEST(&suite, what_can_t_be_certified_is_refused);
    return dv_suite_run(&suite);
}
