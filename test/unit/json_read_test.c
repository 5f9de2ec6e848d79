/* SPDX-License-Identifier: Apache-2.0 */
#include "json/json.h"

#include "testlib.h"

/* Compact text of a document; owned. */
static char *text_of(const json_t *doc)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);

    dv_json_write(doc, &out);
    return dv_buf_take(&out);
}

static const struct good_row {
    const char *name, *text, *want;
} good[] = {
    {"an object", " { \"a\" : 1 , \"b\" : [ ] } ", "{\"a\":1,\"b\":[]}"},
    {"an array", "[1,\n2,\t3]\r\n", "[1,2,3]"},
    {"words", "[true,false,null]", "[true,false,null]"},
    {"a string alone", "\"x\"", "\"x\""},
    {"a number alone", "0", "0"},
    {"empty containers", "[{},[]]", "[{},[]]"},
    {"the largest integer", "9223372036854775807", "9223372036854775807"},
    {"the smallest integer", "-9223372036854775808", "-9223372036854775808"},
    {"one past the largest is a real", "9223372036854775808", "9.223372036854776e+18"},
    {"one past the smallest is a real", "-9223372036854775809", "-9.223372036854776e+18"},
    {"integers in range stay integers beside one that is not", "[1,18446744073709551616,2]",
     "[1,1.8446744073709552e+19,2]"},
    {"a fraction", "0.1", "0.1"},
    {"a whole fraction stays a real", "1.0", "1.0"},
    {"an exponent is a real", "1e2", "100.0"},
    {"a large exponent", "1E+21", "1e+21"},
    {"a small one", "1e-7", "1e-07"},
    {"too small a number is zero", "1e-999", "0.0"},
    {"negative zero", "-0", "0"},
    {"negative zero as a real", "-0.0", "-0.0"},
    {"simple escapes", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
    {"a code point", "\"\\u00e9\\u20AC\"", "\"\xc3\xa9\xe2\x82\xac\""},
    {"a surrogate pair", "\"\\ud83d\\ude00\"", "\"\xf0\x9f\x98\x80\""},
    {"half a pair becomes U+FFFD", "\"\\ud83d\"", "\"\xef\xbf\xbd\""},
    {"the wrong half too", "\"\\ude00x\"", "\"\xef\xbf\xbdx\""},
    {"half a pair before a character", "\"\\ud83d\\u0041\"",
     "\"\xef\xbf\xbd"
     "A\""},
    {"NUL in a string", "\"a\\u0000b\"", "\"a\\u0000b\""},
    {"NUL in a key", "{\"a\\u0000b\":1,\"a\":2}", "{\"a\\u0000b\":1,\"a\":2}"},
    {"an escape in a key", "{\"\\n\":{\"\\t\":\"\\r\"}}", "{\"\\n\":{\"\\t\":\"\\r\"}}"},
    {"an empty key", "{\"\":1}", "{\"\":1}"},
    {"DEL and Unicode stand for themselves", "\"\x7f\xe2\x80\xa8\"", "\"\x7f\xe2\x80\xa8\""},
};

static void text_reads(void **state)
{
    const struct good_row *row = *state;
    json_auto_t *doc = NULL;

    assert_ok(dv_json_read(dv_str_of(row->text), &doc));
    dv_auto_str got = text_of(doc);
    assert_string_equal(got, row->want);
}

static const struct bad_row {
    const char *name, *text, *message;
} bad[] = {
    {"nothing", "", "line 1: ends too early"},
    {"blanks only", " \n ", "line 2: ends too early"},
    {"two documents", "1 2", "more follows"},
    {"a trailing comma in an array", "[1,]", "a number is malformed"},
    {"a trailing comma in an object", "{\"a\":1,}", "key is missing"},
    {"a missing comma", "[1 2]", "',' or ']' is missing"},
    {"a missing colon", "{\"a\" 1}", "':' is missing"},
    {"a key without quotes", "{a:1}", "key is missing"},
    {"a key twice", "{\"a\":1,\n\"a\":2}", "line 2: an object has a key twice"},
    {"a key twice, once escaped", "{\"a\":1,\"\\u0061\":2}", "a key twice"},
    {"an open array", "[1", "',' or ']' is missing"},
    {"an open object", "{\"a\":1", "',' or '}' is missing"},
    {"an open string", "\"abc", "a string has no end"},
    {"a line end in a string", "\"a\nb\"", "a string has no end"},
    {"a lone backslash", "\"\\", "escape sequence"},
    {"an unknown escape", "\"\\x\"", "escape sequence"},
    {"too short an escape", "\"\\u12\"", "escape sequence"},
    {"an escape with no digit", "\"\\u12g4\"", "escape sequence"},
    {"bytes that are no UTF-8", "\"\xff\"", "not UTF-8"},
    {"an encoded surrogate", "\"\xed\xa0\x80\"", "not UTF-8"},
    {"a leading zero", "01", "a number is malformed"},
    {"a leading plus", "+1", "a number is malformed"},
    {"a lone minus", "-", "a number is malformed"},
    {"no digits behind the dot", "1.", "a number is malformed"},
    {"no digits before the dot", ".5", "a number is malformed"},
    {"no digits in the exponent", "1e+", "a number is malformed"},
    {"too large a number", "1e999", "out of range"},
    {"a word that is none", "tru", "a value is malformed"},
    {"a word with a tail", "nullx", "more follows"},
    {"NaN", "NaN", "a number is malformed"},
    {"a comment", "/* */ 1", "a number is malformed"},
    {"single quotes", "'a'", "a number is malformed"},
};

static void text_is_refused(void **state)
{
    const struct bad_row *row = *state;
    json_auto_t *doc = NULL;
    dv_err *err = dv_json_read(dv_str_of(row->text), &doc);

    assert_null(doc);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), "BadJSON");
    assert_err(err, DV_INVALID, row->message);
}

/* Levels of arrays; owned. */
static char *nested(size_t levels)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);

    dv_buf_fill(&out, '[', levels);
    dv_buf_fill(&out, ']', levels);
    return dv_buf_take(&out);
}

static void depth_is_bounded(void **state DV_UNUSED)
{
    dv_auto_str fits = nested(DV_JSON_DEPTH_MAX);
    dv_auto_str deeper = nested(DV_JSON_DEPTH_MAX + 1);
    dv_auto_str abyss = nested(1000 * 1000);
    json_auto_t *doc = NULL;

    assert_ok(dv_json_read(dv_str_of(fits), &doc));
    dv_auto_str got = text_of(doc);
    assert_string_equal(got, fits);
    assert_err(dv_json_read(dv_str_of(deeper), &doc), DV_INVALID, "nested too deeply");
    assert_err(dv_json_read(dv_str_of(abyss), &doc), DV_INVALID, "nested too deeply");
}

static void every_cut_is_refused(void **state DV_UNUSED)
{
    static const char text[] = "{\"a\\u00e9\":[1.5e3,true,\"x\xc3\xa9\",{\"b\":null}],\"c\":-12}";

    for (size_t n = 0; n < sizeof(text) - 1; n++) {
        json_auto_t *doc = NULL;

        assert_err(dv_json_read((dv_str){text, n}, &doc), DV_INVALID, NULL);
    }
}

static void long_keys_and_numbers_are_fine(void **state DV_UNUSED)
{
    enum { LENGTH = 5000 };
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);
    json_auto_t *doc = NULL;

    dv_buf_adds(&text, "{\"\\t");
    dv_buf_fill(&text, 'k', LENGTH);
    dv_buf_adds(&text, "\":0.");
    dv_buf_fill(&text, '3', LENGTH);
    dv_buf_adds(&text, "}");
    assert_ok(dv_json_read(dv_buf_str(&text), &doc));
    void *first = json_object_iter(doc);
    assert_int_equal(json_object_iter_key_len(first), LENGTH + 1);
    assert_true(json_real_value(json_object_iter_value(first)) == 1.0 / 3);
}

static void a_stream_is_read_one_by_one(void **state DV_UNUSED)
{
    dv_str rest = DV_STR(" {\"a\":1} [2] x");
    json_auto_t *first = NULL, *second = NULL, *third = NULL;
    size_t used = 0;

    assert_ok(dv_json_read_first(rest, &first, &used));
    assert_int_equal(used, 8);
    rest = dv_str_skip(rest, used);
    assert_ok(dv_json_read_first(rest, &second, &used));
    rest = dv_str_skip(rest, used);
    assert_int_equal(json_array_size(second), 1);
    assert_err(dv_json_read_first(rest, &third, &used), DV_INVALID, NULL);
}

static void no_bytes_need_no_memory(void **state DV_UNUSED)
{
    json_auto_t *doc = NULL;

    assert_err(dv_json_read((dv_str){NULL, 0}, &doc), DV_INVALID, "ends too early");
}

int main(void)
{
    dv_suite suite = {.name = "json/read"};

    dv_json_setup();
    DV_TABLE(&suite, text_reads, good);
    DV_TABLE(&suite, text_is_refused, bad);
    DV_TEST(&suite, depth_is_bounded);
    DV_TEST(&suite, every_cut_is_refused);
    DV_TEST(&suite, long_keys_and_numbers_are_fine);
    DV_TEST(&suite, a_stream_is_read_one_by_one);
    DV_TEST(&suite, no_bytes_need_no_memory);
    return dv_suite_run(&suite);
}
