/* SPDX-License-Identifier: Apache-2.0 */
#include "testlib.h"
#include "yaml/yaml.h"

static void assert_doc(const json_t *doc, const char *want)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);

    dv_json_write(doc, &out);
    assert_string_equal(dv_buf_cstr(&out), want);
}

/* Reads as sigs.k8s.io/yaml does, but for duplicate keys. */
static const struct good_row {
    const char *name, *text, *want;
} good[] = {
    {"nothing", "", "null"},
    {"a comment", "# nothing here\n", "null"},
    {"an empty document", "---\n", "null"},
    {"a scalar", "hello", "\"hello\""},
    {"a mapping", "a: 1\nb:\n  c: x\n", "{\"a\":1,\"b\":{\"c\":\"x\"}}"},
    {"a list in its mapping's column", "a:\n- 1\n- b: 2\n  c: 3\n",
     "{\"a\":[1,{\"b\":2,\"c\":3}]}"},
    {"flow style", "{a: [1, {b: 2}], c: }", "{\"a\":[1,{\"b\":2}],\"c\":null}"},
    {"a member without a value", "a:\nb: ~\n", "{\"a\":null,\"b\":null}"},
    {"quotes make a string", "[\"1\", 'true', \"\", '~']", "[\"1\",\"true\",\"\",\"~\"]"},
    {"escapes", "\"a\\tb\\x41\\u00e9\\U0001F600\\0\"", "\"a\\tbA\xc3\xa9\xf0\x9f\x98\x80\\u0000\""},
    {"a literal", "a: |\n  x\n   y\n\n  z\n", "{\"a\":\"x\\n y\\n\\nz\\n\"}"},
    {"a literal without its end", "a: |-\n  x\n", "{\"a\":\"x\"}"},
    {"a literal with all its ends", "a: |+\n  x\n\nb: 1\n", "{\"a\":\"x\\n\\n\",\"b\":1}"},
    {"a folded text", "a: >\n  x\n  y\n\n  z\n", "{\"a\":\"x y\\nz\\n\"}"},
    {"a fraction stays what it was", "cpu: 0.1", "{\"cpu\":0.1}"},
    {"numbers as keys", "1: a\n0x10: b\n1.5: c\n", "{\"1\":\"a\",\"16\":\"b\",\"1.5\":\"c\"}"},
    {"a boolean as a key", "yes: a\nno: b\n", "{\"true\":\"a\",\"false\":\"b\"}"},
    {"a quoted key stays", "'yes': a", "{\"yes\":\"a\"}"},
    {"a date as a key", "2001-01-01: a", "{\"2001-01-01\":\"a\"}"},
    {"a long key", "? a\n: 1\n? b\n", "{\"a\":1,\"b\":null}"},
    {"tags of strings", "a: !!str 3\nb: !!str\nc: ! 'x'\n", "{\"a\":\"3\",\"b\":\"\",\"c\":\"x\"}"},
    {"tags of numbers",
     "a: !!int '3'\nb: !!float 3\nc: !!float 1.5\nd: !!float 18446744073709551615\n",
     "{\"a\":3,\"b\":3,\"c\":1.5,\"d\":1.8446744073709552e+19}"},
    {"tags of words", "a: !!bool 'yes'\nb: !!null ''\n", "{\"a\":true,\"b\":null}"},
    {"a tag of another", "a: !mine 12\nb: !<tag:x.org,2000:y> [1]\n", "{\"a\":\"12\",\"b\":[1]}"},
    {"a tag of a date", "a: !!timestamp 2001-01-01", "{\"a\":\"2001-01-01\"}"},
    {"binary", "a: !!binary aGVs\n  bG8=\n", "{\"a\":\"hello\"}"},
    {"binary that is no text", "a: !!binary /w==", "{\"a\":\"\xef\xbf\xbd\"}"},
    {"a set", "!!set {p, q}", "{\"p\":null,\"q\":null}"},
    {"an alias", "a: &x {b: [1]}\nc: *x\n", "{\"a\":{\"b\":[1]},\"c\":{\"b\":[1]}}"},
    {"an alias to a scalar", "a: &x 5\nb: [*x, *x]\n", "{\"a\":5,\"b\":[5,5]}"},
    {"an alias as a key",
     "- &x y1\n- *x : 1\n- &n 2\n- *n : 1\n- &b yes\n- *b : 1\n- &r 1.5\n- *r : 1\n",
     "[\"y1\",{\"y1\":1},2,{\"2\":1},true,{\"true\":1},1.5,{\"1.5\":1}]"},
    {"an anchor that is declared again", "[&x 1, *x, &x 2, *x]", "[1,1,2,2]"},
    {"an anchor that is declared again inside itself", "[&x [&x 1], *x]", "[[1],1]"},
    {"a key with an anchor", "&k a: 1\nb: *k\n", "{\"a\":1,\"b\":\"a\"}"},
    {"a merge", "p: &b {a: 1, b: 2}\nq:\n  <<: *b\n  b: 3\n",
     "{\"p\":{\"a\":1,\"b\":2},\"q\":{\"a\":1,\"b\":3}}"},
    {"a merge of several: the first counts most", "<<: [{a: 1}, {a: 2, b: 3}]",
     "{\"a\":1,\"b\":3}"},
    {"a merge replaces what stands before it", "a: 1\n<<: {a: 2}\n", "{\"a\":2}"},
    {"a key replaces what was merged", "<<: {a: 2}\na: 1\n", "{\"a\":1}"},
    {"two merges", "<<: {a: 1}\nb: 5\n<<: {b: 2}\n", "{\"a\":1,\"b\":2}"},
    {"a merge of an alias to a list", "- &l [{a: 1}]\n- <<: *l\n", "[[{\"a\":1}],{\"a\":1}]"},
    {"a merge by its tag", "!!merge '<<': {a: 1}", "{\"a\":1}"},
    {"quoted it is a key", "'<<': {a: 1}", "{\"<<\":{\"a\":1}}"},
    {"as a value it is a text", "a: <<", "{\"a\":\"<<\"}"},
    {"a document's marks", "%YAML 1.1\n---\na: 1\n...\n", "{\"a\":1}"},
    {"empty documents around it", "---\n---\na: 1\n---\n# end\n", "{\"a\":1}"},
    {"line ends of Windows", "a: 1\r\nb: |\r\n  x\r\n", "{\"a\":1,\"b\":\"x\\n\"}"},
    {"a byte order mark",
     "\xef\xbb\xbf"
     "a: 1",
     "{\"a\":1}"},
    {"UTF-16",
     "\xff\xfe"
     "a\0:\0 \0",
     "{\"a\":null}"},
    {"JSON", " {\"a\": [1.0, \"\\ud83d\\ude00\"]}\n", "{\"a\":[1.0,\"\xf0\x9f\x98\x80\"]}"},
    {"JSON of a list", "[1, {\"a\": \"b\"}]", "[1,{\"a\":\"b\"}]"},
    {"almost JSON", "{a: 1, \"b\": [x,]}", "{\"a\":1,\"b\":[\"x\"]}"},
};

static void text_reads(void **state)
{
    const struct good_row *row = *state;
    json_auto_t *doc = NULL;
    /* The one row with NULs is as long as it looks. */
    dv_str text =
        strncmp(row->text, "\xff\xfe", 2) == 0 ? (dv_str){row->text, 8} : dv_str_of(row->text);

    assert_ok(dv_yaml_read(text, /* limits= */ NULL, &doc));
    assert_doc(doc, row->want);
}

static const struct bad_row {
    const char *name, *text, *message;
} bad[] = {
    {"a key twice", "a: 1\nb: 2\na: 3\n", "line 3: a key is there twice"},
    {"a key twice in JSON", "{\"a\": 1,\n \"a\": 2}", "line 2: a key is there twice"},
    {"two keys that become one", "1: a\n'1': b\n", "line 2: a key is there twice"},
    {"a key twice around a merge", "a: 1\n<<: {b: 1}\na: 2\n", "line 3: a key is there twice"},
    {"a key twice behind a merge", "<<: {b: 1}\na: 1\na: 2\n", "line 3: a key is there twice"},
    {"a second document", "a: 1\n---\nb: 2\n", "line 2: a second document"},
    {"a tab for a blank", "a:\n\tb: 1\n", "line 2: "},
    {"an open list", "a: [1\n", "line 2: "},
    {"an open quote", "a: \"x\n", "line "},
    {"bad indentation", "a: 1\n  b: 2\n", "line 2: "},
    {"a list as a value", "a: - 1", "line 1: "},
    {"a control character", "a: \x01", "line 1: "},
    {"bytes that are no UTF-8", "a: 1\nb: \xff", "line "},
    {"a surrogate", "\"\\ud83d\"", "line 1: "},
    {"a null key", "~: 1", "line 1: null can't be a key"},
    {"an absent key", "? \n: 1", "null can't be a key"},
    {"a list as a key", "? [a]\n: 1", "line 1: a mapping or list can't be a key"},
    {"a mapping as a key", "{{a: 1}: 2}", "a mapping or list can't be a key"},
    {"an alias to a list as a key", "- &x [1]\n- *x : 1\n",
     "line 2: a mapping or list can't be a key"},
    {"an alias to null as a key", "- &x ~\n- *x : 1\n", "null can't be a key"},
    {"an unknown alias", "a: *x", "line 1: an alias names no anchor"},
    {"an alias of another document", "&x 1\n---\n*x\n", "an alias names no anchor"},
    {"an alias to itself", "a: &x\n  b: *x\n", "line 2: an anchor's value contains itself"},
    {"a list in itself", "&x [*x]", "contains itself"},
    {"infinity", "a: 1\nb: .inf\n", "line 2: JSON has no infinity and no NaN"},
    {"an alias to infinity", "{? &x .inf : 1, b: *x}", "or is no JSON"},
    {"a merge of a number", "<<: 3", "a merge needs a mapping"},
    {"a merge of a list of numbers", "<<: [3]", "a merge needs a mapping"},
    {"a merge of nothing", "<<:\n", "a merge needs a mapping"},
    {"a tag that does not fit", "a: !!int x", "line 1: a value does not fit its tag"},
    {"a tag that does not fit a number", "a: !!bool 1", "a value does not fit its tag"},
    {"a tag without a value", "a: !!int", "a value does not fit its tag"},
    {"a date that is none", "a: !!timestamp x", "a value does not fit its tag"},
    {"binary that is not base64", "a: !!binary x", "!!binary is not base64"},
    {"an unknown tag handle", "a: !x!y 1", "line 1: "},
    {"another version", "%YAML 2.0\n---\na: 1", "line 1: "},
};

static void text_is_refused(void **state)
{
    const struct bad_row *row = *state;
    json_auto_t *doc = NULL;
    dv_err *err = dv_yaml_read(dv_str_of(row->text), NULL, &doc);

    assert_null(doc);
    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), "BadYAML");
    assert_err(err, DV_INVALID, row->message);
}

/* ---- Streams ---- */

static const struct stream_row {
    const char *name, *text, *want; /* want NULL: refused with message */
    const char *message;
} streams[] = {
    {"nothing", "", "[]", NULL},
    {"one document", "a: 1", "[{\"a\":1}]", NULL},
    {"several", "a: 1\n---\nb: 2\n---\n- 3\n", "[{\"a\":1},{\"b\":2},[3]]", NULL},
    {"empty ones are left out", "---\n---\n# c\n---\na: 1\n---\nnull\n---\n", "[{\"a\":1}]", NULL},
    {"a comment behind the mark", "--- # first\na: 1\n--- # second\nb: 2\n",
     "[{\"a\":1},{\"b\":2}]", NULL},
    {"a mark inside a literal", "a: |\n  ---\n  b\n", "[{\"a\":\"---\\nb\\n\"}]", NULL},
    {"JSON", "{\"a\": 1}", "[{\"a\":1}]", NULL},
    {"JSON values one after another", "{\"a\": 1}{\"b\": 2}\n\n{\"c\": 3}\n",
     "[{\"a\":1},{\"b\":2},{\"c\":3}]", NULL},
    {"JSON between marks", "{\"a\": 1}\n---\n{\"b\": 2}\n---\n", "[{\"a\":1},{\"b\":2}]", NULL},
    {"JSON, then YAML", "{\"a\": 1}\n---\nb: 2\n", "[{\"a\":1},{\"b\":2}]", NULL},
    {"YAML, then JSON", "b: 2\n---\n{\"a\": 1}\n", "[{\"b\":2},{\"a\":1}]", NULL},
    {"YAML in braces", "{a: 1}\n---\n{b: 2}\n", "[{\"a\":1},{\"b\":2}]", NULL},
    {"a broken one spoils all", "a: 1\n---\nb: [\n", NULL, "line 4: "},
    {"a broken one behind JSON has its line", "{\"a\":\n 1}\n---\nb: 1\nb: 2\n", NULL,
     "line 5: a key is there twice"},
    {"something behind JSON", "{\"a\": 1}\n{\"b\": 2} x", NULL, "line 2: "},
};

static void stream_reads(void **state)
{
    const struct stream_row *row = *state;
    json_auto_t *docs = NULL;
    dv_err *err = dv_yaml_read_all(dv_str_of(row->text), NULL, &docs);

    if (!row->want) {
        assert_err(err, DV_INVALID, row->message);
        return;
    }
    assert_ok(err);
    assert_doc(docs, row->want);
}

/* ---- Bombs ---- */

/* Nine levels of nine aliases each: 9^9 values from 500 bytes. */
static const char laughs[] = "a: &a [x,x,x,x,x,x,x,x,x]\n"
                             "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                             "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n"
                             "d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
                             "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\n"
                             "f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
                             "g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\n"
                             "h: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n"
                             "i: &i [*h,*h,*h,*h,*h,*h,*h,*h,*h]\n";

static void assert_too_large(dv_str text, const dv_yaml_limits *limits, const char *message)
{
    json_auto_t *doc = NULL, *docs = NULL;
    dv_err *err = dv_yaml_read(text, limits, &doc);

    assert_non_null(err);
    assert_string_equal(dv_err_reason(err), "YAMLTooLarge");
    assert_err(err, DV_INVALID, message);
    assert_null(doc);
    assert_err(dv_yaml_read_all(text, limits, &docs), DV_INVALID, message);
}

static void aliases_that_multiply_are_stopped(void **state DV_UNUSED)
{
    assert_too_large(DV_STR(laughs), &(dv_yaml_limits){.nodes_max = 10000},
                     "more than 10000 nodes");
    assert_too_large(DV_STR(laughs), NULL, "more than 2000000 nodes");
}

static void merges_that_multiply_are_stopped(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);

    dv_buf_adds(&text, "- &a0 {p: 1}\n");
    for (int i = 0; i < 40; i++)
        dv_buf_addf(&text, "- &a%d {<<: *a%d, q: *a%d, r: *a%d}\n", i + 1, i, i, i);
    assert_too_large(dv_buf_str(&text), &(dv_yaml_limits){.nodes_max = 100000}, "nodes");
}

static void long_texts_that_multiply_are_stopped(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);

    dv_buf_adds(&text, "- &a \"");
    dv_buf_fill(&text, 'x', 10000);
    dv_buf_adds(&text, "\"\n");
    for (int i = 0; i < 5000; i++)
        dv_buf_adds(&text, "- *a\n");
    assert_too_large(dv_buf_str(&text), &(dv_yaml_limits){.bytes_max = 100000},
                     "more than 100000 bytes");
}

static void depth_is_bounded_in_every_style(void **state DV_UNUSED)
{
    static const char *const openings[] = {"[", "{a: ", "- ", "? ", "- ? "};

    for (size_t i = 0; i < DV_LEN(openings); i++) {
        DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);

        for (int level = 0; level < 20000; level++)
            dv_buf_adds(&text, openings[i]);
        json_auto_t *doc = NULL;
        dv_err *err = dv_yaml_read(dv_buf_str(&text), NULL, &doc);
        assert_err(err, DV_INVALID, NULL);
    }
    assert_too_large(DV_STR("[[[[1]]]]"), &(dv_yaml_limits){.depth_max = 3}, "more than 3 levels");
    assert_too_large(DV_STR("{\"a\":{\"b\":{\"c\":{}}}}"), &(dv_yaml_limits){.depth_max = 3},
                     "more than 3 levels");
}

static void limits_are_exact(void **state DV_UNUSED)
{
    json_auto_t *doc = NULL, *json = NULL;

    assert_ok(dv_yaml_read(DV_STR("[[[1]]]"),
                           &(dv_yaml_limits){.depth_max = 3, .nodes_max = 4, .bytes_max = 7},
                           &doc));
    assert_too_large(DV_STR("[[[1]]]"), &(dv_yaml_limits){.nodes_max = 3}, "more than 3 nodes");
    assert_too_large(DV_STR("[[[1]]]"), &(dv_yaml_limits){.bytes_max = 6}, "more than 6 bytes");
    assert_ok(dv_yaml_read(DV_STR("{\"a\":{}}"), &(dv_yaml_limits){.depth_max = 2, .nodes_max = 2},
                           &json));
    assert_too_large(DV_STR("{\"a\":{}}"), &(dv_yaml_limits){.depth_max = 2, .nodes_max = 1},
                     "nodes");
}

static void directives_are_bounded(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);

    for (int i = 0; i < 50000; i++)
        dv_buf_addf(&text, "%%TAG !t%d! tag:x\n", i);
    dv_buf_adds(&text, "---\na: 1\n");
    assert_too_large(dv_buf_str(&text), NULL, "directives");
}

static void hundreds_of_documents_share_the_allowance(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);
    json_auto_t *docs = NULL, *refused = NULL;

    for (int i = 0; i < 500; i++)
        dv_buf_addf(&text, "---\nn: %d\n", i);
    assert_ok(dv_yaml_read_all(dv_buf_str(&text), NULL, &docs));
    assert_int_equal(json_array_size(docs), 500);
    assert_err(dv_yaml_read_all(dv_buf_str(&text), &(dv_yaml_limits){.nodes_max = 1000}, &refused),
               DV_INVALID, "nodes");
}

/* ---- Lines ---- */

static const char lines_text[] = "# a package\n"
                                 "name: x\n"
                                 "deps:\n"
                                 "- name: a\n"
                                 "  version: \">=1\"\n"
                                 "- name: b\n"
                                 "nested:\n"
                                 "  a/b:\n"
                                 "    - [1,\n"
                                 "       2]\n"
                                 "? long\n"
                                 ": v\n"
                                 "1: one\n";

static const struct line_row {
    const char *name, *pointer;
    size_t want;
} lines[] = {
    {"the document", "", 2},
    {"a member", "/name", 2},
    {"a member's key", "/deps", 3},
    {"an element", "/deps/1", 6},
    {"a member of an element", "/deps/0/version", 5},
    {"an escaped key", "/nested/a~1b", 8},
    {"a nested list", "/nested/a~1b/0/1", 10},
    {"a long key", "/long", 11},
    {"a number as a key", "/1", 13},
    {"an absent member", "/none", 0},
    {"an index past the end", "/deps/2", 0},
    {"what is no pointer", "name", 0},
};

static void line_is(void **state)
{
    const struct line_row *row = *state;

    assert_int_equal(dv_yaml_line_of(DV_STR(lines_text), row->pointer), row->want);
}

static void lines_of_what_is_no_yaml_are_unknown(void **state DV_UNUSED)
{
    assert_int_equal(dv_yaml_line_of(DV_STR("a: ["), "/b"), 0);
    assert_int_equal(dv_yaml_line_of(DV_STR(""), ""), 0);
    assert_int_equal(dv_yaml_line_of(DV_STR("a: 1\n---\nb: 2\n"), "/b"), 0);
    assert_int_equal(dv_yaml_line_of(DV_STR("{\"a\":\n  {\"b\": 1}}"), "/a/b"), 2);
}

int main(void)
{
    dv_suite suite = {.name = "yaml/read"};

    dv_json_setup();
    DV_TABLE(&suite, text_reads, good);
    DV_TABLE(&suite, text_is_refused, bad);
    DV_TABLE(&suite, stream_reads, streams);
    DV_TEST(&suite, aliases_that_multiply_are_stopped);
    DV_TEST(&suite, merges_that_multiply_are_stopped);
    DV_TEST(&suite, long_texts_that_multiply_are_stopped);
    DV_TEST(&suite, depth_is_bounded_in_every_style);
    DV_TEST(&suite, limits_are_exact);
    DV_TEST(&suite, directives_are_bounded);
    DV_TEST(&suite, hundreds_of_documents_share_the_allowance);
    DV_TABLE(&suite, line_is, lines);
    DV_TEST(&suite, lines_of_what_is_no_yaml_are_unknown);
    return dv_suite_run(&suite);
}
