/* SPDX-License-Identifier: Apache-2.0 */
#include "json/json.h"

#include "testlib.h"

static json_t *read_text(const char *text)
{
    json_t *doc = NULL;

    assert_ok(dv_json_read(dv_str_of(text), &doc));
    return doc;
}

static void assert_doc(const json_t *doc, const char *want)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);

    dv_json_write_sorted(doc, &out);
    assert_string_equal(dv_buf_cstr(&out), want);
}

/* The document and pointers of RFC 6901, section 5, and what they must not find. */
static const char rfc_doc[] = "{\"foo\":[\"bar\",\"baz\"],\"\":0,\"a/b\":1,\"c%d\":2,\"e^f\":3,"
                              "\"g|h\":4,\"i\\\\j\":5,\"k\\\"l\":6,\" \":7,\"m~n\":8}";
static const struct at_row {
    const char *name, *pointer, *want; /* NULL: nothing */
} ats[] = {
    {"a member", "/foo/0", "\"bar\""},
    {"an array", "/foo", "[\"bar\",\"baz\"]"},
    {"an empty key", "/", "0"},
    {"an escaped slash", "/a~1b", "1"},
    {"a percent sign", "/c%d", "2"},
    {"a caret", "/e^f", "3"},
    {"a bar", "/g|h", "4"},
    {"a backslash", "/i\\j", "5"},
    {"a quote", "/k\"l", "6"},
    {"a blank", "/ ", "7"},
    {"an escaped tilde", "/m~0n", "8"},
    {"an absent member", "/nope", NULL},
    {"below an absent member", "/nope/x/y", NULL},
    {"below a scalar", "/ /x", NULL},
    {"an index past the end", "/foo/2", NULL},
    {"an index with a leading zero", "/foo/00", NULL},
    {"an index with a sign", "/foo/-1", NULL},
    {"past the last element", "/foo/-", NULL},
    {"an index past 64 bits", "/foo/99999999999999999999999", NULL},
    {"a word as an index", "/foo/x", NULL},
    {"no slash in front", "foo", NULL},
    {"an escape that is none", "/m~2n", NULL},
    {"a lone tilde", "/m~", NULL},
};

static void pointer_finds(void **state)
{
    const struct at_row *row = *state;
    json_auto_t *doc = read_text(rfc_doc);
    const json_t *at = dv_json_at(doc, row->pointer);

    if (!row->want)
        assert_null(at);
    else
        assert_doc(at, row->want);
}

static void the_empty_pointer_is_the_document(void **state DV_UNUSED)
{
    json_auto_t *doc = read_text(rfc_doc);

    assert_ptr_equal(dv_json_at(doc, ""), doc);
}

static void values_of_the_wrong_type_are_absent(void **state DV_UNUSED)
{
    json_auto_t *doc =
        read_text("{\"s\":\"a\\u0000b\",\"i\":5,\"r\":5.5,\"t\":true,\"o\":{},\"a\":[]}");

    assert_string_equal(dv_json_str(doc, "/s"), "a");
    assert_true(dv_str_eq(dv_json_view(doc, "/s"), DV_STR("a\0b")));
    assert_null(dv_json_str(doc, "/i"));
    assert_null(dv_json_view(doc, "/i").p);
    assert_int_equal(dv_json_int(doc, "/i", -1), 5);
    assert_int_equal(dv_json_int(doc, "/r", -1), -1);
    assert_true(dv_json_opt_int(doc, "/i").set);
    assert_int_equal(dv_json_opt_int(doc, "/i").value, 5);
    assert_false(dv_json_opt_int(doc, "/s").set);
    assert_true(dv_json_bool(doc, "/t", false));
    assert_true(dv_json_bool(doc, "/i", true));
    assert_non_null(dv_json_object(doc, "/o"));
    assert_null(dv_json_object(doc, "/a"));
    assert_non_null(dv_json_array(doc, "/a"));
    assert_null(dv_json_array(doc, "/o"));
}

static void nothing_holds_nothing(void **state DV_UNUSED)
{
    assert_null(dv_json_at(NULL, "/a"));
    assert_null(dv_json_str(NULL, "/a"));
    assert_int_equal(dv_json_view(NULL, "/a").n, 0);
    assert_int_equal(dv_json_int(NULL, "/a", 7), 7);
    assert_false(dv_json_bool(NULL, "/a", false));
    assert_false(dv_json_opt_int(NULL, "/a").set);
    dv_json_remove(NULL, "/a");
    assert_string_equal(dv_json_type_name(NULL), "nothing");
}

static const struct set_row {
    const char *name, *doc, *pointer, *want, *message;
} sets[] = {
    {"a member", "{}", "/a", "{\"a\":1}", NULL},
    {"a member that is there", "{\"a\":{\"b\":2}}", "/a", "{\"a\":1}", NULL},
    {"objects on the way are made", "{}", "/a/b/c", "{\"a\":{\"b\":{\"c\":1}}}", NULL},
    {"a null on the way becomes an object", "{\"a\":null}", "/a/b", "{\"a\":{\"b\":1}}", NULL},
    {"an escaped key", "{}", "/a~1b/c~0d", "{\"a/b\":{\"c~d\":1}}", NULL},
    {"an empty key", "{}", "/", "{\"\":1}", NULL},
    {"an element", "[5,6]", "/1", "[5,1]", NULL},
    {"behind the last element", "[5]", "/-", "[5,1]", NULL},
    {"an object behind the last element", "[5]", "/-/a", "[5,{\"a\":1}]", NULL},
    {"in an element", "[{},{}]", "/0/a", "[{\"a\":1},{}]", NULL},
    {"in a null element", "[null,2]", "/0/a", "[{\"a\":1},2]", NULL},
    {"below a string", "{\"a\":\"x\"}", "/a/b", NULL, "there is a string on the way"},
    {"past the last element", "[5]", "/1", NULL, "there is an array on the way"},
    {"below a missing element", "[]", "/0/a", NULL, "there is an array on the way"},
    {"a word in an array", "{\"a\":[]}", "/a/b", NULL, "there is an array on the way"},
    {"the document itself", "{}", "", NULL, "is not a JSON pointer"},
    {"no slash in front", "{}", "a", NULL, "is not a JSON pointer"},
    {"a broken escape", "{}", "/a~", NULL, "is not a JSON pointer"},
};

static void setting_gives(void **state)
{
    const struct set_row *row = *state;
    json_auto_t *doc = read_text(row->doc);
    dv_err *err = dv_json_set(doc, row->pointer, json_integer(1));

    if (!row->want) {
        assert_err(err, DV_INVALID, row->message);
        return;
    }
    assert_ok(err);
    assert_doc(doc, row->want);
}

static const struct remove_row {
    const char *name, *doc, *pointer, *want;
} removes[] = {
    {"a member", "{\"a\":1,\"b\":2}", "/a", "{\"b\":2}"},
    {"a nested member", "{\"a\":{\"b\":1}}", "/a/b", "{\"a\":{}}"},
    {"an element", "[1,2,3]", "/1", "[1,3]"},
    {"an absent member", "{\"a\":1}", "/b", "{\"a\":1}"},
    {"below an absent member", "{\"a\":1}", "/b/c", "{\"a\":1}"},
    {"past the end", "[1]", "/1", "[1]"},
    {"below a scalar", "{\"a\":1}", "/a/b", "{\"a\":1}"},
    {"the document itself stays", "{\"a\":1}", "", "{\"a\":1}"},
    {"an escaped key", "{\"a/b\":1}", "/a~1b", "{}"},
};

static void removing_gives(void **state)
{
    const struct remove_row *row = *state;
    json_auto_t *doc = read_text(row->doc);

    dv_json_remove(doc, row->pointer);
    assert_doc(doc, row->want);
}

/* RFC 7396, appendix A, and the nesting of section 2. */
static const struct merge_row {
    const char *name, *target, *patch, *want;
} merges[] = {
    {"a value is replaced", "{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"a value is added", "{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
    {"null removes", "{\"a\":\"b\"}", "{\"a\":null}", "{}"},
    {"null removes one of two", "{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
    {"an array is replaced", "{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
    {"by an array", "{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
    {"objects merge", "{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
     "{\"a\":{\"b\":\"d\"}}"},
    {"arrays of objects don't", "{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
    {"a whole array", "[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
    {"an object by an array", "{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
    {"by null", "{\"a\":\"foo\"}", "null", "null"},
    {"by a string", "{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
    {"null in the target stays", "{\"e\":null}", "{\"a\":1}", "{\"a\":1,\"e\":null}"},
    {"an array becomes an object", "[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
    {"keys with NUL are told apart", "{\"a\\u0000b\":1,\"a\":2}", "{\"a\\u0000b\":null}",
     "{\"a\":2}"},
    {"nulls below what is new vanish", "{}", "{\"a\":{\"bb\":{\"ccc\":null}}}",
     "{\"a\":{\"bb\":{}}}"},
};

static void merging_gives(void **state)
{
    const struct merge_row *row = *state;
    json_auto_t *patch = read_text(row->patch), *before = dv_json_copy(patch);
    json_auto_t *merged = dv_json_merge_patch(read_text(row->target), patch);

    assert_doc(merged, row->want);
    assert_true(dv_json_equal(patch, before));
}

static void a_merge_shares_nothing_with_its_patch(void **state DV_UNUSED)
{
    json_auto_t *patch = read_text("{\"a\":{\"b\":[1]}}");
    json_auto_t *merged = dv_json_merge_patch(/* target= */ NULL, patch);

    json_array_clear(dv_json_at(merged, "/a/b"));
    assert_doc(patch, "{\"a\":{\"b\":[1]}}");
}

static void copies_are_equal_and_their_own(void **state DV_UNUSED)
{
    json_auto_t *doc =
        read_text("{\"a\\u0000b\":[1,2.5,\"x\\u0000\",true,false,null,{}],\"a\":{\"b\":1}}");
    json_auto_t *copy = dv_json_copy(doc);

    assert_true(dv_json_equal(doc, copy));
    json_object_set_new(dv_json_at(copy, "/a"), "b", json_real(1.0));
    assert_false(dv_json_equal(doc, copy)); /* of another type */
    assert_int_equal(dv_json_int(doc, "/a/b", 0), 1);
    json_object_deln(copy, "a\0b", 3);
    assert_false(dv_json_equal(doc, copy));
    assert_null(dv_json_copy(NULL));
    assert_true(dv_json_equal(NULL, NULL));
    assert_false(dv_json_equal(doc, NULL));
}

static void strings_are_cleaned(void **state DV_UNUSED)
{
    json_auto_t *clean = dv_json_string(DV_STR("a\xff"
                                               "b\xe2\x82"
                                               "c\0\xc3\xa9"));
    json_auto_t *none = dv_json_string((dv_str){NULL, 0});

    assert_doc(clean, "\"a\xef\xbf\xbd"
                      "b\xef\xbf\xbd\xef\xbf\xbd"
                      "c\\u0000\xc3\xa9\"");
    assert_doc(none, "\"\"");
}

static void texts_are_put_and_taken_away(void **state DV_UNUSED)
{
    json_auto_t *doc = json_object();

    dv_json_put_str(doc, "a", "x");
    dv_json_put_str(doc, "b", "y");
    dv_json_put_str(doc, "a", NULL);
    dv_json_put_str(doc, "c", NULL);
    assert_doc(doc, "{\"b\":\"y\"}");
}

static void types_have_names(void **state DV_UNUSED)
{
    static const char *const want[] = {"object", "array",   "string",  "integer",
                                       "real",   "boolean", "boolean", "null"};
    json_auto_t *doc = read_text("[{},[],\"\",1,1.5,true,false,null]");

    for (size_t i = 0; i < DV_LEN(want); i++)
        assert_string_equal(dv_json_type_name(json_array_get(doc, i)), want[i]);
}

static void tokens_are_escaped(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf pointer = DV_BUF_INIT(100);
    DV_CLEANUP(dv_buf_done) dv_buf token = DV_BUF_INIT(100);

    dv_json_token_add(&pointer, DV_STR("a/b~1"));
    dv_json_token_add(&pointer, DV_STR(""));
    assert_string_equal(dv_buf_cstr(&pointer), "/a~1b~01/");
    dv_str rest = dv_buf_str(&pointer);
    assert_true(dv_json_token_next(&rest, &token));
    assert_string_equal(dv_buf_cstr(&token), "a/b~1");
    assert_true(dv_json_token_next(&rest, &token));
    assert_string_equal(dv_buf_cstr(&token), "");
    assert_false(dv_json_token_next(&rest, &token));
    assert_int_equal(rest.n, 0);
}

int main(void)
{
    dv_suite suite = {.name = "json/pointer"};

    dv_json_setup();
    DV_TABLE(&suite, pointer_finds, ats);
    DV_TEST(&suite, the_empty_pointer_is_the_document);
    DV_TEST(&suite, values_of_the_wrong_type_are_absent);
    DV_TEST(&suite, nothing_holds_nothing);
    DV_TABLE(&suite, setting_gives, sets);
    DV_TABLE(&suite, removing_gives, removes);
    DV_TABLE(&suite, merging_gives, merges);
    DV_TEST(&suite, a_merge_shares_nothing_with_its_patch);
    DV_TEST(&suite, copies_are_equal_and_their_own);
    DV_TEST(&suite, strings_are_cleaned);
    DV_TEST(&suite, texts_are_put_and_taken_away);
    DV_TEST(&suite, types_have_names);
    DV_TEST(&suite, tokens_are_escaped);
    return dv_suite_run(&suite);
}
