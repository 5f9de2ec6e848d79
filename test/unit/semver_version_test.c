/* SPDX-License-Identifier: Apache-2.0 */
#include "testlib.h"

#include "semver/version.h"

/* loose, strict: the canonical text of what was read, NULL where it is refused. */
static const struct row {
    const char *name, *text, *loose, *strict;
} rows[] = {
    {"1.2.3 reads as 1.2.3", "1.2.3", "1.2.3", "1.2.3"},
    {"v1.2.3 reads as 1.2.3", "v1.2.3", "1.2.3", NULL},
    {"V1.2.3 is refused", "V1.2.3", NULL, NULL},
    {"1 reads as 1.0.0", "1", "1.0.0", NULL},
    {"v1 reads as 1.0.0", "v1", "1.0.0", NULL},
    {"1.2 reads as 1.2.0", "1.2", "1.2.0", NULL},
    {"01.2.3 reads as 1.2.3", "01.2.3", "1.2.3", NULL},
    {"1.02.03 reads as 1.2.3", "1.02.03", "1.2.3", NULL},
    {"1.2.3-alpha reads as 1.2.3-alpha", "1.2.3-alpha", "1.2.3-alpha", "1.2.3-alpha"},
    {"1-alpha reads as 1.0.0-alpha", "1-alpha", "1.0.0-alpha", NULL},
    {"1.2-alpha.1 reads as 1.2.0-alpha.1", "1.2-alpha.1", "1.2.0-alpha.1", NULL},
    {"1.2.3-01 is refused", "1.2.3-01", NULL, NULL},
    {"1.2.3-0a reads as 1.2.3-0a", "1.2.3-0a", "1.2.3-0a", "1.2.3-0a"},
    {"1.2.3-- reads as 1.2.3--", "1.2.3--", "1.2.3--", "1.2.3--"},
    {"1.2.3-alpha..1 is refused", "1.2.3-alpha..1", NULL, NULL},
    {"1.2.3- is refused", "1.2.3-", NULL, NULL},
    {"1.2.3+ is refused", "1.2.3+", NULL, NULL},
    {"1.2.3+01 reads as 1.2.3+01", "1.2.3+01", "1.2.3+01", "1.2.3+01"},
    {"1.2.3+a.b-c is refused", "1.2.3+a.b-c", NULL, NULL},
    {"1.2.3+a+b is refused", "1.2.3+a+b", NULL, NULL},
    {"1.2.3+build_1 is refused", "1.2.3+build_1", NULL, NULL},
    {"1.2.3-alpha_1 is refused", "1.2.3-alpha_1", NULL, NULL},
    {"1.2.3.4 is refused", "1.2.3.4", NULL, NULL},
    {"1.x is refused", "1.x", NULL, NULL},
    {".1 is refused", ".1", NULL, NULL},
    {"1. is refused", "1.", NULL, NULL},
    {" 1.2.3 is refused", " 1.2.3", NULL, NULL},
    {"1.2.3  is refused", "1.2.3 ", NULL, NULL},
    {"(empty) is refused", "", NULL, NULL},
    {"18446744073709551615.0.0 reads as 18446744073709551615.0.0", "18446744073709551615.0.0",
     "18446744073709551615.0.0", "18446744073709551615.0.0"},
    {"18446744073709551616.0.0 is refused", "18446744073709551616.0.0", NULL, NULL},
    {"-1.0.0 is refused", "-1.0.0", NULL, NULL},
    {"a build of letters is refused", "1.2.3+a", NULL, NULL},
    {"a build of two numbers is refused", "1.2.3+1.2", NULL, NULL},
    {"a build of any length is read", "1.2.3+99999999999999999999999",
     "1.2.3+99999999999999999999999", "1.2.3+99999999999999999999999"},
    {"a dot at the end of a pre-release is refused", "1.2.3-a.", NULL, NULL},
    {"-0 alone is fine", "1.2.3-0", "1.2.3-0", "1.2.3-0"},
};

static void assert_reads(dv_err *err, const dv_version *v, const char *text, const char *want)
{
    DV_CLEANUP(dv_buf_done) dv_buf got = DV_BUF_INIT(1024);

    if (!want) {
        assert_err(err, DV_INVALID, "is not a version");
        return;
    }
    assert_ok(err);
    dv_buf_addf(&got, "%lu.%lu.%lu", v->major, v->minor, v->patch);
    if (v->pre.n)
        dv_buf_addf(&got, "-%.*s", DV_FMT(v->pre));
    if (v->build.n)
        dv_buf_addf(&got, "+%.*s", DV_FMT(v->build));
    assert_string_equal(dv_buf_cstr(&got), want);
    assert_true(dv_str_is(v->text, text));
    assert_int_equal(dv_version_is_pre(v), v->pre.n > 0);
}

static void row_reads(void **state)
{
    const struct row *row = *state;
    dv_str text = dv_str_of(row->text);
    dv_version loose = {0}, strict = {0}, silent;

    assert_reads(dv_version_parse(text, &loose), &loose, row->text, row->loose);
    assert_reads(dv_version_parse_strict(text, &strict), &strict, row->text, row->strict);
    assert_int_equal(dv_version_is(text, &silent), row->loose != NULL);
}

enum { REFUSED = 2 };

static int compare(const char *a, const char *b)
{
    dv_version x, y;

    if (!dv_version_is(dv_str_of(a), &x) || !dv_version_is(dv_str_of(b), &y))
        return REFUSED;
    return dv_version_cmp(&x, &y);
}

static const struct order {
    const char *name, *a, *b;
    int want;
} orders[] = {
    {"a higher build is newer", "2.7.0+1", "2.7.0+2", -1},
    {"a lower build is older", "2.7.0+2", "2.7.0+1", 1},
    {"builds are numbers", "2.7.0+9", "2.7.0+10", -1},
    {"no build is below any", "2.7.0", "2.7.0+1", -1},
    {"no build is below zero", "2.7.0", "2.7.0+0", -1},
    {"any build is above none", "2.7.0+1", "2.7.0", 1},
    {"leading zeros of a build don't count", "2.7.0+1", "2.7.0+01", 0},
    {"a word is no build", "2.7.0+1", "2.7.0+a", REFUSED},
    {"words are no builds", "2.7.0+b", "2.7.0+a", REFUSED},
    {"a dotted build is refused", "2.7.0+1.1", "2.7.0+1.2", REFUSED},
    {"builds past 63 bits go by value", "1.0.0+9223372036854775807", "1.0.0+9223372036854775808",
     -1},
    {"builds past 63 bits, the other way", "1.0.0+9223372036854775808", "1.0.0+9223372036854775807",
     1},
    {"a pre-release is below its release whatever the builds", "2.7.0-rc.1+9", "2.7.0+1", -1},
    {"a build does not reach the next patch", "2.7.0+9", "2.7.1-rc.1", -1},
    {"v says nothing", "v2.7.0", "2.7.0", 0},
    {"a missing part is 0", "2.7", "2.7.0", 0},
    {"foo is no version", "foo", "1.0.0", REFUSED},
    {"major first", "2.0.0", "1.9.9", 1},
    {"then minor", "1.2.0", "1.10.0", -1},
    {"then patch", "1.2.3", "1.2.2", 1},
    {"words by bytes", "1.0.0-RC", "1.0.0-alpha", -1},
    {"rc10 is a word", "1.0.0-rc10", "1.0.0-rc9", -1},
    {"rc.10 has a number", "1.0.0-rc.10", "1.0.0-rc.9", 1},
    {"a number is below a word", "1.0.0-1", "1.0.0-a", -1},
    {"fewer identifiers are below more", "1.0.0-a", "1.0.0-a.0", -1},
    {"digits past 64 bits are a word", "1.0.0-18446744073709551616", "1.0.0-9", 1},
    {"two of them go by bytes", "1.0.0-18446744073709551616", "1.0.0-9999999999999999999999", -1},
};

static void order_holds(void **state)
{
    const struct order *row = *state;

    assert_int_equal(compare(row->a, row->b), row->want);
    assert_int_equal(compare(row->b, row->a), row->want == REFUSED ? REFUSED : -row->want);
}

static void builds_are_equal_in_precedence(void **state)
{
    dv_version a, b;

    (void)state;
    assert_ok(dv_version_parse(DV_STR("1.2.3+1"), &a));
    assert_ok(dv_version_parse(DV_STR("1.2.3+2"), &b));
    assert_int_equal(dv_version_cmp_precedence(&a, &b), 0);
    assert_int_equal(dv_version_cmp(&a, &b), -1);
}

static void two_hundred_fifty_six_bytes_are_the_limit(void **state)
{
    char text[DV_VERSION_MAX_BYTES + 2];
    dv_version v;

    (void)state;
    memset(text, 'a', sizeof(text));
    memcpy(text, "1.2.3-", 6);
    assert_true(dv_version_is((dv_str){text, DV_VERSION_MAX_BYTES}, &v));
    assert_err(dv_version_parse((dv_str){text, DV_VERSION_MAX_BYTES + 1}, &v), DV_INVALID,
               "longer than 256 bytes");
}

int main(void)
{
    dv_suite suite = {.name = "semver/version"};

    DV_TABLE(&suite, row_reads, rows);
    DV_TABLE(&suite, order_holds, orders);
    DV_TEST(&suite, builds_are_equal_in_precedence);
    DV_TEST(&suite, two_hundred_fifty_six_bytes_are_the_limit);
    return dv_suite_run(&suite);
}
