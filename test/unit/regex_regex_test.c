/* SPDX-License-Identifier: Apache-2.0 */
#include "testlib.h"

#include "regex/regex.h"

static dv_regex *compiled(const char *pattern)
{
    dv_regex *regex = NULL;

    assert_ok(dv_regex_compile(dv_str_of(pattern), &regex));
    return regex;
}

static const struct refused {
    const char *name, *pattern, *error;
} refusals[] = {
    {"an open parenthesis", "(a", "error parsing regexp: missing closing ): `(a`"},
    {"a closing one too many", "a)", "error parsing regexp: unexpected ): `a)`"},
    {"an open bracket", "[a", "error parsing regexp: missing closing ]: `[a`"},
    {"a star on nothing", "*",
     "error parsing regexp: missing argument to repetition operator: `*`"},
    {"a star on a star", "a**", "error parsing regexp: invalid nested repetition operator: `**`"},
    {"a backslash at the end", "\\",
     "error parsing regexp: trailing backslash at end of expression: ``"},
    {"an unknown escape", "\\q", "error parsing regexp: invalid escape sequence: `\\q`"},
    {"a reference back", "(a)\\1", "error parsing regexp: invalid escape sequence: `\\1`"},
    {"a look ahead", "(?=a)", "error parsing regexp: invalid or unsupported Perl syntax: `(?=`"},
    {"a range backwards", "[z-a]", "error parsing regexp: invalid character class range: `z-a`"},
    {"too many repetitions", "a{1001}", "error parsing regexp: invalid repeat count: `{1001}`"},
    {"a name that is none", "(?P<a b>x)",
     "error parsing regexp: invalid named capture: `(?P<a b>`"},
};

static void row_is_refused(void **state)
{
    const struct refused *row = *state;
    dv_regex *regex = NULL;

    assert_err(dv_regex_compile(dv_str_of(row->pattern), &regex), DV_INVALID, row->error);
    assert_null(regex);
}

static const struct replaced {
    const char *name, *pattern, *text, *replacement, *want;
    bool literal;
} replacements[] = {
    {"groups by number", "a(x*)b", "-ab-axxb-", "<$1>", "-<>-<xx>-", false},
    {"a number with letters is a name", "a(x*)b", "-axb-", "$1W", "--", false},
    {"braces end a name", "a(x*)b", "-axb-", "${1}W", "-xW-", false},
    {"groups by name", "(?P<y>\\d+)-(?<m>\\d+)", "2020-12", "$m/$y", "12/2020", false},
    {"two dollars are one", "a", "a", "$$", "$", false},
    {"a dollar alone stays", "a", "a", "x$", "x$", false},
    {"literally", "a", "a", "$1", "$1", true},
    {"empty matches", "x*", "abc", "-", "-a-b-c-", false},
    {"empty matches behind others", "b*", "abc", "-", "-a-c-", false},
    {"characters of several bytes", "", "\xc3\xa9", "-", "-\xc3\xa9-", false},
};

static void row_replaces(void **state)
{
    const struct replaced *row = *state;
    dv_auto(dv_regex) regex = compiled(row->pattern);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);

    dv_regex_replace(regex, dv_str_of(row->text), dv_str_of(row->replacement), row->literal, &out);
    assert_string_equal(dv_buf_cstr(&out), row->want);
}

static void all_matches_are_walked(void **state DV_UNUSED)
{
    dv_auto(dv_regex) regex = compiled("a*");
    dv_regex_walk walk = {0};
    dv_regex_span span;
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);

    while (dv_regex_next(regex, DV_STR("baac"), &walk, &span))
        dv_buf_addf(&out, "%td-%td ", span.begin, span.end);
    assert_string_equal(dv_buf_cstr(&out), "0-0 1-3 4-4 ");
    assert_false(dv_regex_next(regex, DV_STR("baac"), &walk, &span));
}

static void groups_tell_where_they_are(void **state DV_UNUSED)
{
    dv_auto(dv_regex) regex = compiled("(a)|(b)");
    dv_regex_span spans[3];

    assert_int_equal(dv_regex_groups(regex), 3);
    assert_true(dv_regex_find(regex, DV_STR("xb"), 0, spans, 3));
    assert_int_equal(spans[0].begin, 1);
    assert_int_equal(spans[1].begin, -1);
    assert_int_equal(spans[2].end, 2);
    assert_false(dv_regex_find(regex, DV_STR("xb"), 2, spans, 3));
}

static void quoted_text_matches_itself(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);

    dv_regex_quote(DV_STR("a.b*[c]\\"), &out);
    assert_string_equal(dv_buf_cstr(&out), "a\\.b\\*\\[c\\]\\\\");
    dv_auto(dv_regex) regex = compiled(dv_buf_cstr(&out));
    assert_true(dv_regex_matches(regex, DV_STR("a.b*[c]\\")));
}

static void a_hostile_expression_takes_linear_time(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);
    dv_auto(dv_regex) regex = compiled("(a*)*b");

    dv_buf_fill(&text, 'a', 200000);
    assert_false(dv_regex_matches(regex, dv_buf_str(&text)));
}

static void a_long_expression_is_refused(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);
    dv_regex *regex = NULL;

    dv_buf_fill(&text, 'a', DV_REGEX_PATTERN_MAX_BYTES + 1);
    assert_err(dv_regex_compile(dv_buf_str(&text), &regex), DV_INVALID, "expression too large");
}

int main(void)
{
    dv_suite suite = {.name = "regex/regex"};

    DV_TABLE(&suite, row_is_refused, refusals);
    DV_TABLE(&suite, row_replaces, replacements);
    DV_TEST(&suite, all_matches_are_walked);
    DV_TEST(&suite, groups_tell_where_they_are);
    DV_TEST(&suite, quoted_text_matches_itself);
    DV_TEST(&suite, a_hostile_expression_takes_linear_time);
    DV_TEST(&suite, a_long_expression_is_refused);
    return dv_suite_run(&suite);
}
