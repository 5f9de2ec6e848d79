/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include "testlib.h"

static const struct trim_row {
    const char *name, *text, *want;
} trims[] = {
    {"trim removes blanks at both ends", " \t a b\r\n", "a b"},
    {"trim leaves nothing of blanks", " \n\t ", ""},
    {"trim keeps a bare word", "a", "a"},
    {"trim accepts nothing", "", ""},
};

static void trim_gives(void **state)
{
    const struct trim_row *row = *state;

    assert_true(dv_str_is(dv_str_trim(dv_str_of(row->text)), row->want));
}

static const struct order_row {
    const char *name, *a, *b;
    int want;
} orders[] = {
    {"equal texts compare as equal", "abc", "abc", 0},
    {"a prefix comes first", "ab", "abc", -1},
    {"the longer of equals comes last", "abc", "ab", 1},
    {"bytes above 127 come last", "a", "\xc3\xa9", -1},
    {"nothing comes before something", "", "a", -1},
};

static void order_is(void **state)
{
    const struct order_row *row = *state;
    int order = dv_str_cmp(dv_str_of(row->a), dv_str_of(row->b));

    assert_int_equal((order > 0) - (order < 0), row->want);
}

static const struct glob_row {
    const char *name, *pattern, *text;
    bool want;
} globs[] = {
    {"a star matches a run", "cert-*", "cert-manager", true},
    {"a star matches nothing", "cert*", "cert", true},
    {"a star alone matches all", "*", "x", true},
    {"a question mark matches one byte", "a?c", "abc", true},
    {"a question mark needs a byte", "a?", "a", false},
    {"the whole name has to match", "cert", "cert-manager", false},
    {"stars backtrack", "*a*b", "xaxbxb", true},
    {"stars that find no end fail", "*a*b", "xaxbx", false},
    {"an empty pattern matches nothing but nothing", "", "a", false},
    {"empty matches empty", "", "", true},
    {"many stars stay cheap", "*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     false},
};

static void glob_matches(void **state)
{
    const struct glob_row *row = *state;

    assert_int_equal(dv_glob_match(dv_str_of(row->pattern), dv_str_of(row->text)), row->want);
}

static const struct number_row {
    const char *name, *text;
    bool ok;
    int64_t want;
} numbers[] = {
    {"zero", "0", true, 0},
    {"the largest", "9223372036854775807", true, INT64_MAX},
    {"one more than the largest", "9223372036854775808", false, 0},
    {"the smallest", "-9223372036854775808", true, INT64_MIN},
    {"one less than the smallest", "-9223372036854775809", false, 0},
    {"past 64 bits", "99999999999999999999", false, 0},
    {"a lone sign", "-", false, 0},
    {"a plus sign", "+1", false, 0},
    {"two signs", "--1", false, 0},
    {"nothing", "", false, 0},
    {"a trailing letter", "1x", false, 0},
    {"a blank", " 1", false, 0},
};

static void number_reads(void **state)
{
    const struct number_row *row = *state;
    int64_t value = 7;
    dv_err *err = dv_str_i64(dv_str_of(row->text), &value);

    if (!row->ok) {
        assert_err(err, DV_INVALID, NULL);
        assert_int_equal(value, 7);
        return;
    }
    assert_ok(err);
    assert_int_equal(value, row->want);
}

static const struct utf8_row {
    const char *name, *text;
    bool want;
} utf8s[] = {
    {"ASCII is UTF-8", "abc", true},
    {"two bytes", "\xc3\xa9", true},
    {"the largest code point", "\xf4\x8f\xbf\xbf", true},
    {"past the largest code point", "\xf4\x90\x80\x80", false},
    {"a surrogate", "\xed\xa0\x80", false},
    {"right before the surrogates", "\xed\x9f\xbf", true},
    {"two bytes for what fits one", "\xc0\x80", false},
    {"three bytes for what fits two", "\xe0\x9f\xbf", false},
    {"four bytes for what fits three", "\xf0\x8f\xbf\xbf", false},
    {"a lone continuation", "\x80", false},
    {"a sequence that is cut off", "\xe2\x82", false},
    {"a sequence without its end", "\xe2\x82z", false},
    {"a byte that starts nothing", "\xff", false},
    {"nothing", "", true},
    {"a bad byte behind a word of ASCII", "abcdefgh\xff", false},
    {"a bad byte at the end of a word",
     "abcdefghijklmno\xff"
     "abcdefgh",
     false},
    {"two bytes over the border of words",
     "abcdefg\xc3\xa9"
     "bcdefgh",
     true},
};

static void utf8_is_judged(void **state)
{
    const struct utf8_row *row = *state;

    assert_int_equal(dv_utf8_valid(dv_str_of(row->text)), row->want);
}

static void unsigned_numbers_use_all_64_bits(void **state DV_UNUSED)
{
    uint64_t value = 0;

    assert_ok(dv_str_u64(DV_STR("18446744073709551615"), &value));
    assert_true(value == UINT64_MAX);
    assert_err(dv_str_u64(DV_STR("18446744073709551616"), &value), DV_INVALID, "64 bits");
}

static void empty_views_need_no_memory(void **state DV_UNUSED)
{
    dv_str none = {NULL, 0};

    assert_true(dv_str_eq(none, DV_STR("")));
    assert_int_equal(dv_str_find(none, 'a'), -1);
    assert_int_equal(dv_str_rfind(none, 'a'), -1);
    assert_true(dv_str_starts(DV_STR("a"), none));
    assert_true(dv_str_contains(none, none));
    assert_false(dv_str_contains(none, DV_STR("a")));
    assert_null(dv_str_skip(none, 3).p);
    assert_int_equal(dv_str_of(NULL).n, 0);
    dv_auto_str copy = dv_str_dup(none);
    assert_string_equal(copy, "");
}

static void views_are_cut(void **state DV_UNUSED)
{
    dv_str head, rest = dv_str_cut(DV_STR("a/b/c"), '/', &head);

    assert_true(dv_str_is(head, "a") && dv_str_is(rest, "b/c"));
    rest = dv_str_cut(DV_STR("abc"), '/', &head);
    assert_true(dv_str_is(head, "abc") && !rest.p && !rest.n);
    rest = dv_str_cut(DV_STR("a/"), '/', &head);
    assert_true(dv_str_is(head, "a") && rest.p && !rest.n);
    assert_true(dv_str_is(dv_str_skip(DV_STR("abc"), 5), ""));
    assert_true(dv_str_is(dv_str_head(DV_STR("abc"), 5), "abc"));
    assert_int_equal(dv_str_find(DV_STR("abcb"), 'b'), 1);
    assert_int_equal(dv_str_rfind(DV_STR("abcb"), 'b'), 3);
}

static void ends_are_compared(void **state DV_UNUSED)
{
    assert_true(dv_str_starts(DV_STR("abc"), DV_STR("ab")));
    assert_false(dv_str_starts(DV_STR("ab"), DV_STR("abc")));
    assert_true(dv_str_ends(DV_STR("abc"), DV_STR("bc")));
    assert_false(dv_str_ends(DV_STR("bc"), DV_STR("abc")));
    assert_true(dv_str_contains(DV_STR("abcd"), DV_STR("bc")));
    assert_true(dv_str_hash(DV_STR("a")) != dv_str_hash(DV_STR("b")));
}

int main(void)
{
    dv_suite suite = {.name = "base/str"};

    DV_TABLE(&suite, trim_gives, trims);
    DV_TABLE(&suite, order_is, orders);
    DV_TABLE(&suite, glob_matches, globs);
    DV_TABLE(&suite, number_reads, numbers);
    DV_TABLE(&suite, utf8_is_judged, utf8s);
    DV_TEST(&suite, unsigned_numbers_use_all_64_bits);
    DV_TEST(&suite, empty_views_need_no_memory);
    DV_TEST(&suite, views_are_cut);
    DV_TEST(&suite, ends_are_compared);
    return dv_suite_run(&suite);
}
