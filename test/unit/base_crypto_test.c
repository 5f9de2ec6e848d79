/* SPDX-License-Identifier: Apache-2.0 */
#include "base/crypto.h"

#include "testlib.h"

/* FIPS 180-4 examples. */
static const struct digest_row {
    const char *name, *text, *want;
} digests[] = {
    {"of nothing", "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"of abc", "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"of two blocks", "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

static void digest_is(void **state)
{
    const struct digest_row *row = *state;
    dv_auto(dv_sha256) sha = dv_sha256_new();
    char hex[DV_SHA256_HEX + 1];

    dv_sha256_hex(dv_str_of(row->text), hex);
    assert_string_equal(hex, row->want);
    for (const char *at = row->text; *at; at++)
        dv_sha256_add(sha, (dv_str){at, 1});
    dv_sha256_end(sha, hex);
    assert_string_equal(hex, row->want);
}

/* RFC 4648, section 10. */
static const struct base64_row {
    const char *name, *text, *encoded;
} base64s[] = {
    {"nothing", "", ""},
    {"one byte", "f", "Zg=="},
    {"two bytes", "fo", "Zm8="},
    {"three bytes", "foo", "Zm9v"},
    {"four bytes", "foob", "Zm9vYg=="},
    {"high bytes", "\xfb\xef\xff", "++//"},
};

static void base64_round_trips(void **state)
{
    const struct base64_row *row = *state;
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(1000);

    dv_base64_add(&out, dv_str_of(row->text));
    assert_string_equal(dv_buf_cstr(&out), row->encoded);
    dv_buf_reset(&out);
    assert_ok(dv_base64_decode(dv_str_of(row->encoded), &out));
    assert_string_equal(dv_buf_cstr(&out), row->text);
}

static const struct bad_row {
    const char *name, *text;
} bad_base64s[] = {
    {"a byte that is none of it", "Zm9*"},
    {"the alphabet of URLs", "_-_-"},
    {"no padding", "Zg"},
    {"half the padding", "Zg="},
    {"too much padding", "Z==="},
    {"only padding", "===="},
    {"something behind the padding", "Zg==Zg=="},
    {"padding inside", "Z=g="},
    {"a NUL's place", "Zm9v="},
};

static void base64_is_refused(void **state)
{
    const struct bad_row *row = *state;
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(1000);

    dv_buf_adds(&out, "before");
    assert_err(dv_base64_decode(dv_str_of(row->text), &out), DV_INVALID, "not base64");
    assert_string_equal(dv_buf_cstr(&out), "before");
}

static void base64_skips_blanks_and_keeps_the_limit(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(3);

    assert_ok(dv_base64_decode(DV_STR(" Zm\r\n9\tv\n"), &out));
    assert_string_equal(dv_buf_cstr(&out), "foo");
    assert_err(dv_base64_decode(DV_STR("Zm9v"), &out), DV_INVALID, "limit");
}

static void random_numbers_stay_below_their_bound(void **state DV_UNUSED)
{
    bool seen[6] = {false};

    for (int i = 0; i < 2000; i++) {
        uint64_t value = dv_random_below(6);

        assert_true(value < 6);
        seen[value] = true;
    }
    for (int i = 0; i < 6; i++)
        assert_true(seen[i]); /* missed with a chance of 6 in 10^158 */
    assert_int_equal(dv_random_below(1), 0);
    assert_true(dv_random_below(UINT64_MAX) < UINT64_MAX);
}

static void uuids_are_of_version_4(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf a = DV_BUF_INIT(100);
    DV_CLEANUP(dv_buf_done) dv_buf b = DV_BUF_INIT(100);

    dv_uuid_add(&a);
    dv_uuid_add(&b);
    assert_int_equal(a.n, 36);
    assert_string_not_equal(a.p, b.p);
    assert_true(a.p[8] == '-' && a.p[13] == '-' && a.p[18] == '-' && a.p[23] == '-');
    assert_int_equal(a.p[14], '4');
    assert_non_null(strchr("89ab", a.p[19]));
}

static void secrets_compare_and_reveal(void **state DV_UNUSED)
{
    dv_auto(dv_secret) secret = dv_secret_new(DV_STR("hun\0ter2"));
    char bytes[] = "secret";

    assert_true(dv_str_eq(dv_secret_reveal(secret), DV_STR("hun\0ter2")));
    assert_true(dv_secret_eq(dv_secret_reveal(secret), DV_STR("hun\0ter2")));
    assert_false(dv_secret_eq(DV_STR("abc"), DV_STR("abd")));
    assert_false(dv_secret_eq(DV_STR("abc"), DV_STR("ab")));
    assert_false(dv_secret_eq(DV_STR("ab"), DV_STR("abc")));
    assert_true(dv_secret_eq(DV_STR(""), (dv_str){NULL, 0}));
    dv_wipe(bytes, sizeof(bytes));
    assert_memory_equal(bytes, "\0\0\0\0\0\0", 7);
    dv_secret_free(NULL);
    dv_sha256_free(NULL);
}

int main(void)
{
    dv_suite suite = {.name = "base/crypto"};

    DV_TABLE(&suite, digest_is, digests);
    DV_TABLE(&suite, base64_round_trips, base64s);
    DV_TABLE(&suite, base64_is_refused, bad_base64s);
    DV_TEST(&suite, base64_skips_blanks_and_keeps_the_limit);
    DV_TEST(&suite, random_numbers_stay_below_their_bound);
    DV_TEST(&suite, uuids_are_of_version_4);
    DV_TEST(&suite, secrets_compare_and_reveal);
    return dv_suite_run(&suite);
}
