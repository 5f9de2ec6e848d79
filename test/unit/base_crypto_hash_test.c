/* SPDX-License-Identifier: Apache-2.0 */
#include "testlib.h"

#include <crypt.h>

#include "base/crypto_hash.h"

static void add_hex(dv_buf *out, const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dv_buf_addf(out, "%02x", bytes[i]);
}

static void digests_are_those_of_the_standards(void **state DV_UNUSED)
{
    static const struct {
        const char *name, *want;
    } cases[] = {
        {"SHA1", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {"SHA256", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    };

    for (size_t i = 0; i < DV_LEN(cases); i++) {
        DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(256);

        dv_digest_add_hex(&out, cases[i].name, DV_STR("abc"));
        assert_string_equal(dv_buf_cstr(&out), cases[i].want);
    }
}

/* RFC 4231, case 2. */
static void hmac_is_the_rfc_s(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(256);
    unsigned char mac[DV_HMAC_BYTES];

    dv_hmac_sha256(DV_STR("Jefe"), DV_STR("what do ya want for nothing?"), mac);
    add_hex(&out, mac, sizeof(mac));
    assert_string_equal(dv_buf_cstr(&out),
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

/* RFC 7914, section 12, the second. */
static void scrypt_is_the_rfc_s(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(256);
    unsigned char key[64];

    dv_scrypt(DV_STR("password"), DV_STR("NaCl"), 1024, 8, 16, key, sizeof(key));
    add_hex(&out, key, sizeof(key));
    assert_string_equal(dv_buf_cstr(&out),
                        "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e"
                        "22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
}

static void a_password_s_hash_verifies(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf hash = DV_BUF_INIT(256), long_one = DV_BUF_INIT(256);
    struct crypt_data data = {0};

    assert_ok(dv_bcrypt_add(&hash, DV_STR("secret"), 4));
    assert_true(dv_str_starts(dv_buf_str(&hash), DV_STR("$2a$04$")));
    assert_string_equal(crypt_r("secret", dv_buf_cstr(&hash), &data), dv_buf_cstr(&hash));
    assert_string_not_equal(crypt_r("Secret", dv_buf_cstr(&hash), &data), dv_buf_cstr(&hash));
    dv_buf_fill(&long_one, 'x', DV_BCRYPT_PASSWORD_MAX + 1);
    assert_err(dv_bcrypt_add(&hash, dv_buf_str(&long_one), 4), DV_INVALID, "more than 72 bytes");
    assert_err(dv_bcrypt_add(&hash, (dv_str){"a\0b", 3}, 4), DV_INVALID, "a NUL");
}

/* NIST SP 800-38A, F.2.5, the first block. */
static void aes_is_the_standard_s(void **state DV_UNUSED)
{
    static const unsigned char key[DV_AES_KEY_BYTES] = {
        0x60, 0x3d, 0xeb, 0x10, 0x15, 0xca, 0x71, 0xbe, 0x2b, 0x73, 0xae,
        0xf0, 0x85, 0x7d, 0x77, 0x81, 0x1f, 0x35, 0x2c, 0x07, 0x3b, 0x61,
        0x08, 0xd7, 0x2d, 0x98, 0x10, 0xa3, 0x09, 0x14, 0xdf, 0xf4};
    static const unsigned char iv[DV_AES_BLOCK_BYTES] = {0, 1, 2,  3,  4,  5,  6,  7,
                                                         8, 9, 10, 11, 12, 13, 14, 15};
    static const char block[] = "\x6b\xc1\xbe\xe2\x2e\x40\x9f\x96\xe9\x3d\x7e\x11\x73\x93\x17\x2a";
    DV_CLEANUP(dv_buf_done)
    dv_buf sealed = DV_BUF_INIT(256), plain = DV_BUF_INIT(256), hex = DV_BUF_INIT(256);

    dv_aes_cbc_add(&sealed, /* encrypt= */ true, key, iv, (dv_str){block, 16});
    add_hex(&hex, (const unsigned char *)sealed.p, sealed.n);
    assert_string_equal(dv_buf_cstr(&hex), "f58c4c04d6e5f1ba779eabfb5f7bfbd6");
    dv_aes_cbc_add(&plain, /* encrypt= */ false, key, iv, dv_buf_str(&sealed));
    assert_int_equal(plain.n, 16);
    assert_memory_equal(plain.p, block, 16);
}

int main(void)
{
    dv_suite suite = {.name = "base/crypto_hash"};

    DV_TEST(&suite, digests_are_those_of_the_standards);
    DV_TEST(&suite, hmac_is_the_rfc_s);
    DV_TEST(&suite, scrypt_is_the_rfc_s);
    DV_TEST(&suite, a_password_s_hash_verifies);
    DV_TEST(&suite, aes_is_the_standard_s);
    return dv_suite_run(&suite);
}
