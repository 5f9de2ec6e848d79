/* SPDX-License-Identifier: Apache-2.0 */
#include "json/patch.h"

#include "testlib.h"

static json_t *read_text(const char *text)
{
    json_t *doc = NULL;

    assert_ok(dv_json_read(dv_str_of(text), &doc));
    return doc;
}

static void assert_doc(const json_t *doc, const char *want)
{
    json_auto_t *wanted = read_text(want);
    DV_CLEANUP(dv_buf_done) dv_buf got = DV_BUF_INIT(DV_BODY_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf expected = DV_BUF_INIT(DV_BODY_MAX);

    dv_json_write_sorted(doc, &got);
    dv_json_write_sorted(wanted, &expected);
    assert_string_equal(dv_buf_cstr(&got), dv_buf_cstr(&expected));
}

/* RFC 6902, appendix A, and the corners that implementations differ in. */
static const struct row {
    const char *name, *doc, *ops, *want; /* want NULL: refused, with message */
    const char *message;
} rows[] = {
    {"add a member", "{\"foo\":\"bar\"}", "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\"}]",
     "{\"baz\":\"qux\",\"foo\":\"bar\"}", NULL},
    {"add an element", "{\"foo\":[\"bar\",\"baz\"]}",
     "[{\"op\":\"add\",\"path\":\"/foo/1\",\"value\":\"qux\"}]",
     "{\"foo\":[\"bar\",\"qux\",\"baz\"]}", NULL},
    {"add at the end", "[1,2]", "[{\"op\":\"add\",\"path\":\"/2\",\"value\":3}]", "[1,2,3]", NULL},
    {"add behind the end", "[1,2]", "[{\"op\":\"add\",\"path\":\"/-\",\"value\":3}]", "[1,2,3]",
     NULL},
    {"add past the end", "[1,2]", "[{\"op\":\"add\",\"path\":\"/3\",\"value\":3}]", NULL,
     "operation 0 (add /3): no such index"},
    {"add replaces a member", "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":2}]",
     "{\"a\":2}", NULL},
    {"add null", "{}", "[{\"op\":\"add\",\"path\":\"/a\",\"value\":null}]", "{\"a\":null}", NULL},
    {"add the whole document", "{\"a\":1}", "[{\"op\":\"add\",\"path\":\"\",\"value\":[]}]", "[]",
     NULL},
    {"add below what is absent", "{\"foo\":\"bar\"}",
     "[{\"op\":\"add\",\"path\":\"/baz/bat\",\"value\":\"qux\"}]", NULL, "no such place"},
    {"add below a scalar", "{\"foo\":\"bar\"}",
     "[{\"op\":\"add\",\"path\":\"/foo/bat\",\"value\":\"qux\"}]", NULL, "no such place"},
    {"add a nested object", "{\"foo\":\"bar\"}",
     "[{\"op\":\"add\",\"path\":\"/child\",\"value\":{\"grandchild\":{}}}]",
     "{\"foo\":\"bar\",\"child\":{\"grandchild\":{}}}", NULL},
    {"unknown members are ignored", "{\"foo\":\"bar\"}",
     "[{\"op\":\"add\",\"path\":\"/baz\",\"value\":\"qux\",\"xyz\":123}]",
     "{\"foo\":\"bar\",\"baz\":\"qux\"}", NULL},
    {"remove a member", "{\"baz\":\"qux\",\"foo\":\"bar\"}",
     "[{\"op\":\"remove\",\"path\":\"/baz\"}]", "{\"foo\":\"bar\"}", NULL},
    {"remove an element", "{\"foo\":[\"bar\",\"qux\",\"baz\"]}",
     "[{\"op\":\"remove\",\"path\":\"/foo/1\"}]", "{\"foo\":[\"bar\",\"baz\"]}", NULL},
    {"remove what is absent", "{}", "[{\"op\":\"remove\",\"path\":\"/a\"}]", NULL,
     "nothing is there"},
    {"remove the whole document", "{}", "[{\"op\":\"remove\",\"path\":\"\"}]", NULL,
     "the whole document can't be removed"},
    {"replace a value", "{\"baz\":\"qux\"}",
     "[{\"op\":\"replace\",\"path\":\"/baz\",\"value\":\"boo\"}]", "{\"baz\":\"boo\"}", NULL},
    {"replace an element", "[1,2]", "[{\"op\":\"replace\",\"path\":\"/0\",\"value\":3}]", "[3,2]",
     NULL},
    {"replace the whole document", "{\"a\":1}", "[{\"op\":\"replace\",\"path\":\"\",\"value\":5}]",
     "5", NULL},
    {"replace what is absent", "{}", "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":1}]", NULL,
     "nothing is there"},
    {"replace behind the end", "[1]", "[{\"op\":\"replace\",\"path\":\"/-\",\"value\":1}]", NULL,
     "nothing is there"},
    {"move a member",
     "{\"foo\":{\"bar\":\"baz\",\"waldo\":\"fred\"},\"qux\":{\"corge\":\"grault\"}}",
     "[{\"op\":\"move\",\"from\":\"/foo/waldo\",\"path\":\"/qux/thud\"}]",
     "{\"foo\":{\"bar\":\"baz\"},\"qux\":{\"corge\":\"grault\",\"thud\":\"fred\"}}", NULL},
    {"move an element", "{\"foo\":[\"all\",\"grass\",\"cows\",\"eat\"]}",
     "[{\"op\":\"move\",\"from\":\"/foo/1\",\"path\":\"/foo/3\"}]",
     "{\"foo\":[\"all\",\"cows\",\"eat\",\"grass\"]}", NULL},
    {"move to where it is", "{\"a\":1}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a\"}]",
     "{\"a\":1}", NULL},
    {"move into itself", "{\"a\":{\"b\":{}}}",
     "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/a/b/c\"}]", NULL,
     "a value can't move into itself"},
    {"move beside what it begins with", "{\"a\":1}",
     "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/ab\"}]", "{\"ab\":1}", NULL},
    {"move what is absent", "{}", "[{\"op\":\"move\",\"from\":\"/a\",\"path\":\"/b\"}]", NULL,
     "nothing is there"},
    {"move without from", "{}", "[{\"op\":\"move\",\"path\":\"/b\"}]", NULL, "has no from"},
    {"copy a value", "{\"a\":{\"b\":1}}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/c\"}]",
     "{\"a\":{\"b\":1},\"c\":{\"b\":1}}", NULL},
    {"copy into itself", "{\"a\":{}}", "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/a/b\"}]",
     "{\"a\":{\"b\":{}}}", NULL},
    {"a copy is its own value", "{\"a\":{}}",
     "[{\"op\":\"copy\",\"from\":\"/a\",\"path\":\"/b\"},{\"op\":\"add\",\"path\":\"/b/"
     "x\",\"value\":1}]",
     "{\"a\":{},\"b\":{\"x\":1}}", NULL},
    {"test a value", "{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}",
     "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"qux\"},{\"op\":\"test\",\"path\":\"/foo/"
     "1\",\"value\":2}]",
     "{\"baz\":\"qux\",\"foo\":[\"a\",2,\"c\"]}", NULL},
    {"test another value", "{\"baz\":\"qux\"}",
     "[{\"op\":\"test\",\"path\":\"/baz\",\"value\":\"bar\"}]", NULL,
     "operation 0 (test /baz): the value is another"},
    {"test compares numbers by value", "{\"a\":1,\"b\":2.0,\"c\":[{\"d\":3}]}",
     "[{\"op\":\"test\",\"path\":\"/a\",\"value\":1.0},{\"op\":\"test\",\"path\":\"/"
     "b\",\"value\":2},"
     "{\"op\":\"test\",\"path\":\"/c\",\"value\":[{\"d\":3.0}]}]",
     "{\"a\":1,\"b\":2.0,\"c\":[{\"d\":3}]}", NULL},
    {"test tells a number from its text", "{\"a\":10}",
     "[{\"op\":\"test\",\"path\":\"/a\",\"value\":\"10\"}]", NULL, "the value is another"},
    {"test tells large integers apart", "{\"a\":9223372036854775807}",
     "[{\"op\":\"test\",\"path\":\"/a\",\"value\":9223372036854775808}]", NULL,
     "the value is another"},
    {"test ignores the order of members", "{\"a\":{\"b\":1,\"c\":2}}",
     "[{\"op\":\"test\",\"path\":\"/a\",\"value\":{\"c\":2,\"b\":1}}]", "{\"a\":{\"b\":1,\"c\":2}}",
     NULL},
    {"test without a value", "{}", "[{\"op\":\"test\",\"path\":\"\"}]", NULL, "has no value"},
    {"escapes in paths", "{\"/\":9,\"~1\":10}",
     "[{\"op\":\"test\",\"path\":\"/~01\",\"value\":10},{\"op\":\"remove\",\"path\":\"/~1\"}]",
     "{\"~1\":10}", NULL},
    {"one failure undoes all", "{\"a\":1}",
     "[{\"op\":\"add\",\"path\":\"/b\",\"value\":2},{\"op\":\"remove\",\"path\":\"/x\"}]", NULL,
     "operation 1 (remove /x)"},
    {"an unknown operation", "{}", "[{\"op\":\"spam\",\"path\":\"/a\"}]", NULL,
     "is no known operation"},
    {"no operation", "{}", "[{\"path\":\"/a\"}]", NULL, "is no known operation"},
    {"no path", "{}", "[{\"op\":\"add\",\"value\":1}]", NULL, "operation 0 has no path"},
    {"a path that is no pointer", "{}", "[{\"op\":\"add\",\"path\":\"a\",\"value\":1}]", NULL,
     "not a JSON pointer"},
    {"an index with a leading zero", "[1,2]", "[{\"op\":\"remove\",\"path\":\"/01\"}]", NULL,
     "nothing is there"},
    {"a word as an index", "[1,2]", "[{\"op\":\"add\",\"path\":\"/x\",\"value\":1}]", NULL,
     "no such index"},
    {"an operation that is no object", "{}", "[1]", NULL, "operation 0 has no path"},
    {"no array of operations", "{}", "{\"op\":\"add\"}", NULL,
     "array of operations expected, got object"},
    {"no operations change nothing", "{\"a\":1}", "[]", "{\"a\":1}", NULL},
};

static void patch_gives(void **state)
{
    const struct row *row = *state;
    json_auto_t *doc = read_text(row->doc), *ops = read_text(row->ops);
    dv_err *err = dv_json_patch(&doc, ops);

    if (!row->want) {
        assert_err(err, DV_INVALID, row->message);
        assert_doc(doc, row->doc);
        return;
    }
    assert_ok(err);
    assert_doc(doc, row->want);
}

static void copies_that_double_are_stopped(void **state DV_UNUSED)
{
    json_auto_t *doc = read_text("{\"a\":[]}"), *ops = json_array();

    for (int i = 0; i < 64; i++)
        json_array_append_new(
            ops, json_pack("{s:s,s:s,s:s}", "op", "copy", "from", "/a", "path", "/a/-"));
    assert_err(dv_json_patch(&doc, ops), DV_INVALID, "copies too much");
    assert_doc(doc, "{\"a\":[]}");
}

static void moves_that_nest_are_stopped(void **state DV_UNUSED)
{
    json_auto_t *doc = read_text("{\"a\":{},\"b\":{}}"), *ops = json_array();

    for (int i = 0; i < DV_JSON_DEPTH_MAX; i++) {
        json_array_append_new(
            ops, json_pack("{s:s,s:s,s:s}", "op", "move", "from", "/a", "path", "/b/x"));
        json_array_append_new(ops,
                              json_pack("{s:s,s:s,s:s}", "op", "move", "from", "/b", "path", "/a"));
        json_array_append_new(ops, json_pack("{s:s,s:s,s:{}}", "op", "add", "path", "/b", "value"));
    }
    assert_err(dv_json_patch(&doc, ops), DV_INVALID, "nested too deeply");
}

/* ---- Differences ---- */

static const struct diff_row {
    const char *name, *from, *to, *want;
} diffs[] = {
    {"equal documents", "{\"a\":[1,{\"b\":2}]}", "{\"a\":[1,{\"b\":2}]}", "[]"},
    {"a changed member", "{\"a\":1}", "{\"a\":2}",
     "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":2}]"},
    {"a new member", "{}", "{\"a/b\":1}", "[{\"op\":\"add\",\"path\":\"/a~1b\",\"value\":1}]"},
    {"a lost member", "{\"a\":1}", "{}", "[{\"op\":\"remove\",\"path\":\"/a\"}]"},
    {"a nested change", "{\"a\":{\"b\":{\"c\":1}}}", "{\"a\":{\"b\":{\"c\":2}}}",
     "[{\"op\":\"replace\",\"path\":\"/a/b/c\",\"value\":2}]"},
    {"an element inserted in front", "[2,3]", "[1,2,3]",
     "[{\"op\":\"add\",\"path\":\"/0\",\"value\":1}]"},
    {"an element inserted between", "[1,3]", "[1,2,3]",
     "[{\"op\":\"add\",\"path\":\"/1\",\"value\":2}]"},
    {"elements appended", "[1]", "[1,2,3]",
     "[{\"op\":\"add\",\"path\":\"/1\",\"value\":2},{\"op\":\"add\",\"path\":\"/2\",\"value\":3}]"},
    {"an element removed", "[1,2,3]", "[1,3]", "[{\"op\":\"remove\",\"path\":\"/1\"}]"},
    {"elements removed at the end", "[1,2,3]", "[1]",
     "[{\"op\":\"remove\",\"path\":\"/2\"},{\"op\":\"remove\",\"path\":\"/1\"}]"},
    {"a change inside an element", "[{\"a\":1,\"b\":2},9]", "[{\"a\":1,\"b\":3},9]",
     "[{\"op\":\"replace\",\"path\":\"/0/b\",\"value\":3}]"},
    {"another type", "{\"a\":[]}", "{\"a\":{}}",
     "[{\"op\":\"replace\",\"path\":\"/a\",\"value\":{}}]"},
    {"another document", "1", "\"x\"", "[{\"op\":\"replace\",\"path\":\"\",\"value\":\"x\"}]"},
    {"repeated elements", "[1,1]", "[1,1,1]", "[{\"op\":\"add\",\"path\":\"/2\",\"value\":1}]"},
};

static void diff_gives(void **state)
{
    const struct diff_row *row = *state;
    json_auto_t *from = read_text(row->from), *to = read_text(row->to);
    json_auto_t *ops = dv_json_diff(from, to);

    assert_doc(ops, row->want);
    assert_ok(dv_json_patch(&from, ops));
    assert_doc(from, row->to);
}

static void names_past_the_limit_still_patch(void **state DV_UNUSED)
{
    json_auto_t *from = json_object(), *to = json_object();
    dv_auto_str name = dv_calloc(1, DV_LINE_MAX + 2);

    memset(name, 'n', DV_LINE_MAX + 1);
    json_object_set_new(from, name, json_integer(1));
    json_object_set_new(to, name, json_integer(2));
    json_auto_t *ops = dv_json_diff(from, to);
    assert_ok(dv_json_patch(&from, ops));
    assert_true(dv_json_equal(from, to));
}

int main(void)
{
    dv_suite suite = {.name = "json/patch"};

    dv_json_setup();
    DV_TABLE(&suite, patch_gives, rows);
    DV_TEST(&suite, copies_that_double_are_stopped);
    DV_TEST(&suite, moves_that_nest_are_stopped);
    DV_TABLE(&suite, diff_gives, diffs);
    DV_TEST(&suite, names_past_the_limit_still_patch);
    return dv_suite_run(&suite);
}
