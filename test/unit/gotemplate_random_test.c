/* SPDX-License-Identifier: Apache-2.0 */
/* What can't be compared with Go's output is checked by what must hold of it. */
#include "gotemplate_world.h"

/* Each is a condition that renders "true". */
static const struct row {
    const char *name, *condition;
} rows[] = {
    {"letters and digits", "regexMatch \"^[A-Za-z0-9]{20}$\" (randAlphaNum 20)"},
    {"letters", "regexMatch \"^[A-Za-z]{9}$\" (randAlpha 9)"},
    {"digits", "regexMatch \"^[0-9]{9}$\" (randNumeric 9)"},
    {"ASCII", "regexMatch \"^[ -~]{30}$\" (randAscii 30)"},
    {"none of nothing", "eq \"\" (randAlphaNum 0) (randAlpha -1)"},
    {"two are not the same", "ne (randAlphaNum 30) (randAlphaNum 30)"},
    {"bytes in base64", "eq 16 (randBytes 16 | b64dec | len)"},
    {"a number within its bounds", "has (randInt 3 5) (list 3 4)"},
    {"a shuffle keeps what there is",
     "eq \"a b c\" (shuffle \"bca\" | splitList \"\" | sortAlpha | join \" \")"},
    {"UUIDs",
     "regexMatch \"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$\" uuidv4"},
    {"htpasswd",
     "regexMatch `^user:\\$2a\\$10\\$[./A-Za-z0-9]{53}$` (htpasswd \"user\" \"password\")"},
    {"a name with a colon has no htpasswd",
     "eq \"invalid username: a:b\" (htpasswd \"a:b\" \"c\")"},
    {"an authority and its certificate",
     "and (hasPrefix \"-----BEGIN CERTIFICATE-----\\n\" (genSignedCert \"x\" (list \"10.0.0.1\") "
     "(list \"a.b\") 10 (genCA \"ca\" 10)).Cert) true"},
    {"a certificate's key",
     "hasPrefix \"-----BEGIN RSA PRIVATE KEY-----\\n\" (genSelfSignedCert \"x\" nil nil 10).Key"},
    {"a certificate with a given key",
     "$k := genPrivateKey \"ecdsa\" }}{{ eq $k (genCAWithKey \"x\" 1 $k).Key"},
    {"a certificate put together",
     "$c := genCA \"x\" 1 }}{{ eq $c.Cert (buildCustomCert (b64enc $c.Cert) (b64enc $c.Key)).Cert"},
    {"keys of each kind", "and (contains \"PRIVATE KEY\" (genPrivateKey \"ed25519\")) (eq "
                          "\"Unknown type x\" (genPrivateKey \"x\"))"},
    {"AES differs each time", "ne (encryptAES \"k\" \"text\") (encryptAES \"k\" \"text\")"},
    {"now is now", "and (gt (now.Unix) 1600000000) (lt (now.Year) 3000)"},
};

static void row_holds(void **state)
{
    const struct row *row = *state;
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX), out = DV_BUF_INIT(DV_BODY_MAX);

    dv_buf_addf(&text, "{{ %s }}", row->condition);
    assert_ok(render(dv_buf_cstr(&text), "{}", &out));
    assert_string_equal(dv_buf_cstr(&out), "true");
}

static const render_row refusals[] = {
    {"an address that is none", "{{ genSelfSignedCert \"x\" (list \"nowhere\") nil 1 }}", "{}",
     NULL, "error parsing ip: nowhere"},
    {"a name that is no text", "{{ genSelfSignedCert \"x\" nil (list 1) 1 }}", "{}", NULL,
     "error processing alternate dns name: 1 is not a string"},
    {"a key that is none", "{{ genCAWithKey \"x\" 1 \"text\" }}", "{}", NULL,
     "parsing private key: no PEM data in input"},
    {"a certificate that is none", "{{ buildCustomCert \"eA==\" \"eA==\" }}", "{}", NULL,
     "unable to decode certificate"},
    {"no range of numbers", "{{ randInt 5 5 }}", "{}", NULL, "invalid argument to Intn"},
};

int main(void)
{
    dv_suite suite = {.name = "gotemplate/random"};

    dv_json_setup();
    DV_TABLE(&suite, row_holds, rows);
    DV_TABLE(&suite, row_renders, refusals);
    return dv_suite_run(&suite);
}
