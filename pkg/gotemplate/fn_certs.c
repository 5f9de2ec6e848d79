/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and certificates, as sprig makes them. Making a key is charged for, as if it were many
 * steps. */
#include "base/crypto_cert.h"
#include "gotemplate/encodings_internal.h"
#include "gotemplate/format.h"
#include "gotemplate/functions_internal.h"

enum {
    CERT_STEPS = 500000,
    RSA_4096_STEPS = 5000000,
    DSA_STEPS = 10000000,
    CURVE_STEPS = 10000,
};

/* ---- The type ---- */

typedef struct {
    dv_val cert, key;
} certificate;

static bool certificate_field(dv_heap *heap DV_UNUSED, const void *self, dv_str name,
                              dv_val *ret_value)
{
    const certificate *c = self;

    if (!dv_str_is(name, "Cert") && !dv_str_is(name, "Key"))
        return false;
    *ret_value = dv_str_is(name, "Cert") ? c->cert : c->key;
    return true;
}

static void print_certificate(const void *self, dv_buf *out)
{
    const certificate *c = self;

    dv_buf_addc(out, '{');
    dv_buf_add_str(out, dv_val_str(c->cert));
    dv_buf_addc(out, ' ');
    dv_buf_add_str(out, dv_val_str(c->key));
    dv_buf_addc(out, '}');
}

static dv_val plain_certificate(dv_heap *heap, const void *self)
{
    const certificate *c = self;
    dv_dict *dict = dv_dict_new(heap, &dv_type_any_dict);

    dv_dict_set(heap, dict, DV_STR("Cert"), c->cert);
    dv_dict_set(heap, dict, DV_STR("Key"), c->key);
    return dv_val_dict(dict);
}

const dv_type dv_type_certificate = {.name = "sprig.certificate",
                                     .kind = "struct",
                                     .field = certificate_field,
                                     .print = print_certificate,
                                     .plain = plain_certificate};

static dv_val make_certificate(dv_run *run, dv_str cert, dv_str key)
{
    certificate *self = DV_HEAP_NEW(dv_run_heap(run), certificate);

    self->cert = dv_val_string(dv_run_heap(run), cert);
    self->key = dv_val_string(dv_run_heap(run), key);
    return dv_val_object(dv_run_heap(run), &dv_type_certificate, self);
}

/* ---- Keys ---- */

DV_FN(genPrivateKey)
{
    static const struct {
        const char *name;
        dv_key_kind kind;
        uint64_t steps;
    } kinds[] = {
        {"", DV_KEY_RSA_4096, RSA_4096_STEPS},    {"rsa", DV_KEY_RSA_4096, RSA_4096_STEPS},
        {"dsa", DV_KEY_DSA, DSA_STEPS},           {"ecdsa", DV_KEY_EC_P256, CURVE_STEPS},
        {"ed25519", DV_KEY_ED25519, CURVE_STEPS},
    };
    dv_buf *out = dv_run_scratch(run);

    for (size_t i = 0; i < DV_LEN(kinds); i++) {
        if (!dv_str_is(DV_ARG(0), kinds[i].name))
            continue;
        if (!dv_run_charge(run, kinds[i].steps))
            return DV_NONE_VAL;
        dv_auto(dv_key) key = dv_key_make(kinds[i].kind);
        dv_key_add_pem(out, key);
        return dv_run_text(run, out);
    }
    dv_buf_addf(out, "Unknown type %.*s", DV_FMT(DV_ARG(0)));
    return dv_run_text(run, out);
}

/* pem.p NULL: a fresh RSA key. NULL: the run has failed. */
static dv_key *key_of(dv_run *run, dv_str pem)
{
    dv_key *key = NULL;

    if (!dv_run_charge(run, CERT_STEPS))
        return NULL;
    if (!pem.p)
        return dv_key_make(DV_KEY_RSA_2048);
    dv_auto(dv_err) err = dv_key_read(pem, &key);
    if (err)
        dv_run_fail(run, "parsing private key: %s", dv_err_str(err));
    return key;
}

/* ---- Alternative names ---- */

/* The strings of a list; false: one is none, and the run has failed. */
static bool read_strings(dv_run *run, const dv_list *list, const char *what, dv_strings *out)
{
    for (size_t i = 0; i < dv_list_len(list); i++) {
        if (list->at[i].kind != DV_V_STRING) {
            dv_buf *text = dv_run_scratch(run);

            dv_buf_addf(text, "%s: ", what);
            dv_format_value(dv_run_heap(run), text, list->at[i]);
            dv_buf_adds(text, " is not a string");
            dv_run_fail_text(run, dv_buf_str(text));
            return false;
        }
        dv_strings_take(out, dv_str_dup(dv_val_str(list->at[i])));
    }
    return true;
}

static bool read_ips(dv_run *run, const dv_list *list, dv_strings *out)
{
    if (!read_strings(run, list, "error parsing ip", out))
        return false;
    for (size_t i = 0; i < out->n; i++)
        if (!dv_cert_is_ip(out->at[i])) {
            dv_run_fail(run, "error parsing ip: %s", out->at[i]);
            return false;
        }
    return true;
}

/* ---- Certificates ---- */

/* What stands behind a certificate: itself, or an authority. */
typedef struct {
    dv_str cert;
    dv_key *key; /* NULL: it signs itself */
} signer;

static dv_val make(dv_run *run, const dv_cert_spec *spec, const dv_key *key, const signer *by)
{
    DV_CLEANUP(dv_buf_done) dv_buf cert = DV_BUF_INIT(DV_LINE_MAX), pem = DV_BUF_INIT(DV_LINE_MAX);
    dv_auto(dv_err) err = dv_cert_add_pem(&cert, spec, key, by->cert, by->key);

    if (err)
        return dv_run_fail(run, "%s", dv_err_str(err));
    dv_key_add_pem(&pem, key);
    return make_certificate(run, dv_buf_str(&cert), dv_buf_str(&pem));
}

static dv_val make_authority(dv_run *run, const dv_val *args, dv_str key_pem)
{
    dv_auto(dv_key) key = key_of(run, key_pem);
    const dv_cert_spec spec = {.common_name = DV_ARG(0), .days = args[1].i, .authority = true};
    const signer self = {.key = NULL};

    return key ? make(run, &spec, key, &self) : DV_NONE_VAL;
}

DV_FN(genCA)
{
    return make_authority(run, args, (dv_str){NULL, 0});
}

DV_FN(genCAWithKey)
{
    return make_authority(run, args, DV_ARG(2));
}

/* For a name, addresses, names and days. */
static dv_val make_server(dv_run *run, const dv_val *args, dv_str key_pem, const signer *by)
{
    DV_CLEANUP(dv_strings_done) dv_strings ips = {0}, names = {0};
    dv_auto(dv_key) key = key_of(run, key_pem);
    dv_cert_spec spec = {.common_name = DV_ARG(0), .days = args[3].i, .ips = &ips, .names = &names};

    if (!key || !read_ips(run, args[1].list, &ips) ||
        !read_strings(run, args[2].list, "error processing alternate dns name", &names))
        return DV_NONE_VAL;
    return make(run, &spec, key, by);
}

DV_FN(genSelfSignedCert)
{
    const signer self = {.key = NULL};

    return make_server(run, args, (dv_str){NULL, 0}, &self);
}

DV_FN(genSelfSignedCertWithKey)
{
    const signer self = {.key = NULL};

    return make_server(run, args, DV_ARG(4), &self);
}

static dv_val make_signed(dv_run *run, const dv_val *args, dv_str key_pem)
{
    const certificate *authority = args[4].object->self;
    dv_auto(dv_key) key = NULL;
    dv_auto(dv_err) bad_cert = dv_cert_check(dv_val_str(authority->cert));

    if (bad_cert)
        return dv_run_fail(run, "%s", dv_err_str(bad_cert));
    dv_auto(dv_err) bad_key = dv_key_read(dv_val_str(authority->key), &key);
    if (bad_key)
        return dv_run_fail(run, "error parsing private key: %s", dv_err_str(bad_key));
    const signer by = {.cert = dv_val_str(authority->cert), .key = key};
    return make_server(run, args, key_pem, &by);
}

DV_FN(genSignedCert)
{
    return make_signed(run, args, (dv_str){NULL, 0});
}

DV_FN(genSignedCertWithKey)
{
    return make_signed(run, args, DV_ARG(5));
}

DV_FN(buildCustomCert)
{
    DV_CLEANUP(dv_buf_done) dv_buf cert = DV_BUF_INIT(DV_BODY_MAX), pem = DV_BUF_INIT(DV_BODY_MAX);
    dv_auto(dv_key) key = NULL;

    if (dv_base64_read(DV_ARG(0), &cert) >= 0)
        return dv_run_fail(run, "unable to decode base64 certificate");
    if (dv_base64_read(DV_ARG(1), &pem) >= 0)
        return dv_run_fail(run, "unable to decode base64 private key");
    dv_auto(dv_err) bad_cert = dv_cert_check(dv_buf_str(&cert));
    if (bad_cert)
        return dv_run_fail(run, "%s", dv_err_str(bad_cert));
    dv_auto(dv_err) bad_key = dv_key_read(dv_buf_str(&pem), &key);
    if (bad_key)
        return dv_run_fail(run, "error parsing private key: %s", dv_err_str(bad_key));
    return make_certificate(run, dv_buf_str(&cert), dv_buf_str(&pem));
}
