/* SPDX-License-Identifier: Apache-2.0 */
#include "testlib.h"
#include "yaml/yaml.h"

/* What sigs.k8s.io/yaml 1.4 prints, but for the rows that say otherwise. */
static const struct row {
    const char *name, *json, *want;
} rows[] = {
    {"null", "null", "null\n"},
    {"an empty list", "[]", "[]\n"},
    {"an empty object", "{}", "{}\n"},
    {"a string", "\"abc\"", "abc\n"},
    {"a list stands in its key's column", "{\"a\":[1,{\"b\":2,\"c\":[true]}]}",
     "a:\n- 1\n- b: 2\n  c:\n  - true\n"},
    {"lists in lists", "[[1,[2,{\"a\":[],\"b\":{}}]],{}]",
     "- - 1\n  - - 2\n    - a: []\n      b: {}\n- {}\n"},
    {"objects in objects", "{\"a\":{\"b\":{\"c\":null}}}", "a:\n  b:\n    c: null\n"},
    {"keys are sorted, numbers in them by value",
     "{\"a10\":1,\"a9\":2,\"B\":3,\"b\":4,\"_\":5,\"1\":6,\"10\":7,\"2\":8,\"a-b\":1,\"a.b\":1}",
     "_: 5\n\"1\": 6\n\"2\": 8\n\"10\": 7\nB: 3\na-b: 1\na.b: 1\na9: 2\na10: 1\nb: 4\n"},
    {"what would be another type is quoted",
     "[\"true\",\"y\",\"null\",\"~\",\"\",\"1\",\"1e3\",\"0x1\",\".5\",\"-.inf\",\"1_0\"]",
     "- \"true\"\n- \"y\"\n- \"null\"\n- \"~\"\n- \"\"\n- \"1\"\n- \"1e3\"\n- \"0x1\"\n- \".5\"\n"
     "- \"-.inf\"\n- \"1_0\"\n"},
    {"so is what other readers take for a number or date",
     "[\"1:30\",\"12:30:45.5\",\"2001-01-01\",\"2001-01-01T00:00:00Z\",\"2001-13-01\",\"1:70\",\"1:"
     "\"]",
     "- \"1:30\"\n- \"12:30:45.5\"\n- \"2001-01-01\"\n- \"2001-01-01T00:00:00Z\"\n- 2001-13-01\n"
     "- 1:70\n- '1:'\n"},
    {"what means something to YAML is quoted",
     "[\"- a\",\"-\",\"-a\",\"a: b\",\"a:\",\"a:b\",\":\",\"? a\",\"?a\",\"a "
     "#b\",\"a#b\",\"#a\",\"*a\",\"&a\","
     "\"!a\",\"|\",\">\",\"%a\",\"@a\",\"`a\",\"[a\",\"a]\",\"{\",\"a,b\",\"---\",\"--- "
     "a\",\"...\",\"'a\",\"\\\"a\"]",
     "- '- a'\n- '-'\n- -a\n- 'a: b'\n- 'a:'\n- a:b\n- ':'\n- '? a'\n- ?a\n- 'a #b'\n- a#b\n- "
     "'#a'\n"
     "- '*a'\n- '&a'\n- '!a'\n- '|'\n- '>'\n- '%a'\n- '@a'\n- '`a'\n- '[a'\n- a]\n- '{'\n- a,b\n"
     "- '---'\n- '--- a'\n- '...'\n- '''a'\n- '\"a'\n"},
    {"blanks at the ends are quoted", "[\" a\",\"a \",\" \"]", "- ' a'\n- 'a '\n- ' '\n"},
    {"what can't be printed is escaped",
     "[\"a\\tb\",\"a\\u0000\",\"\\u007f\",\"\\u0085\",\"\\ufeff\",\"\\ud83d\\ude00\",\"a\\rb\","
     "\"\\u0007\"]",
     "- \"a\\tb\"\n- \"a\\0\"\n- \"\\x7F\"\n- \"\\N\"\n- \"\\uFEFF\"\n- \"\\U0001F600\"\n- "
     "\"a\\rb\"\n"
     "- \"\\a\"\n"},
    {"letters are printed", "[\"\\u00e9\",\"\\u00a0\",\"\\u4e2d\"]",
     "- \xc3\xa9\n- \xc2\xa0\n- \xe4\xb8\xad\n"},
    {"Unicode's line ends are escaped: ours", "[\"a\\u2028b\",\"\\u2029\"]",
     "- \"a\\Lb\"\n- \"\\P\"\n"},
    {"lines",
     "{\"a\":\"x\\ny\",\"b\":\"x\\n\",\"c\":\"x\\n\\n\",\"d\":\"\\n\",\"e\":\"\\nx\",\"f\":\" "
     "x\\ny\"}",
     "a: |-\n  x\n  y\nb: |\n  x\nc: |+\n  x\n\nd: |2+\n\ne: |2-\n\n  x\nf: |2-\n   x\n  y\n"},
    {"lines with blanks at their ends are quoted", "[\"a \\nb\",\"a\\n \",\"a\\n b\"]",
     "- \"a \\nb\"\n- \"a\\n \"\n- |-\n  a\n   b\n"},
    {"lines deep inside", "{\"a\":[\"x\\ny\",{\"k\":\"z\\n\"}]}",
     "a:\n- |-\n  x\n  y\n- k: |\n    z\n"},
    {"lines alone", "\"x\\ny\"", "|-\n  x\n  y\n"},
    {"a key with lines", "{\"k\\nl\":1,\"m\\n\":[1]}", "? |-\n  k\n  l\n: 1\n? |\n  m\n: - 1\n"},
    {"a key that merges is quoted: ours", "{\"<<\":\"<<\"}", "\"<<\": <<\n"},
    {"keys are quoted like values", "{\"y\":1,\"a: b\":2,\"\":3,\" x\":4}",
     "\"\": 3\n' x': 4\n'a: b': 2\n\"y\": 1\n"},
    {"numbers", "[0,-1,9223372036854775807,1.5,0.1,-2.75,1e21,1e-7,123456789.5,0.0001]",
     "- 0\n- -1\n- 9223372036854775807\n- 1.5\n- 0.1\n- -2.75\n- 1e+21\n- 1e-07\n- "
     "1.234567895e+08\n"
     "- 0.0001\n"},
    {"whole reals lose their dot, as in Go", "[1.0,-0.0,1e6,1e18,1e19,1e20]",
     "- 1\n- 0\n- 1000000\n- 1000000000000000000\n- 10000000000000000000\n- 1e+20\n"},
    {"words", "[true,false,null]", "- true\n- false\n- null\n"},
};

static void document_prints(void **state)
{
    const struct row *row = *state;
    json_auto_t *doc = NULL, *again = NULL;
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf twice = DV_BUF_INIT(DV_LINE_MAX);

    assert_ok(dv_json_read(dv_str_of(row->json), &doc));
    dv_yaml_write(doc, &out);
    assert_string_equal(dv_buf_cstr(&out), row->want);
    assert_ok(dv_yaml_read(dv_buf_str(&out), NULL, &again));
    dv_yaml_write(again, &twice);
    assert_string_equal(dv_buf_cstr(&twice), row->want);
}

/* n times a text. */
static const char *repeat(dv_buf *out, const char *text, size_t n)
{
    while (n--)
        dv_buf_adds(out, text);
    return dv_buf_cstr(out);
}

static void assert_prints(json_t *taken, const char *want)
{
    json_auto_t *doc = taken, *again = NULL;
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);

    dv_yaml_write(doc, &out);
    assert_string_equal(dv_buf_cstr(&out), want);
    assert_ok(dv_yaml_read(dv_buf_str(&out), NULL, &again));
    assert_true(dv_json_equal(doc, again));
}

static void long_keys_get_a_line_of_their_own(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf key = DV_BUF_INIT(1000);
    dv_auto_str fits = dv_strdup(repeat(&key, "k", 128));
    dv_auto_str fits_want = dv_asprintf("%s:\n- 1\n", fits);
    dv_auto_str longer = dv_asprintf("%sk", fits);
    dv_auto_str longer_want = dv_asprintf("a:\n  ? %s\n  : - 1\n    - b: 2\n      c: 3\n", longer);

    assert_prints(json_pack("{s:[i]}", fits, 1), fits_want);
    assert_prints(json_pack("{s:{s:[i,{s:i,s:i}]}}", "a", longer, 1, "b", 2, "c", 3), longer_want);
}

static void long_lines_are_folded_behind_column_80(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(1000);
    dv_auto_str words = dv_strdup(repeat(&text, "word ", 20));

    words[strlen(words) - 1] = '\0';
    assert_prints(
        json_pack("{s:s}", "k", words),
        "k: word word word word word word word word word word word word word word word word\n"
        "  word word word word\n");
    words[0] = '#';
    assert_prints(
        json_pack("{s:s}", "k", words),
        "k: '#ord word word word word word word word word word word word word word word word\n"
        "  word word word word'\n");
    words[0] = '\t';
    assert_prints(
        json_pack("{s:s}", "k", words),
        "k: \"\\tord word word word word word word word word word word word word word word word\n"
        "  word word word word\"\n");
}

static void runs_of_blanks_survive_folding(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(1000);
    dv_auto_str plain = dv_strdup(repeat(&text, "word  ", 30));
    json_auto_t *again = NULL;
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);

    plain[0] = '\t'; /* double quotes fold at a run, with a backslash */
    json_auto_t *doc = json_pack("[s,s]", plain, plain + 1);
    dv_yaml_write(doc, &out);
    assert_non_null(strstr(dv_buf_cstr(&out), "\n  \\ word"));
    assert_ok(dv_yaml_read(dv_buf_str(&out), NULL, &again));
    assert_true(dv_json_equal(doc, again));
}

static void equal_documents_print_alike(void **state DV_UNUSED)
{
    /* Go's order of these three goes round in a circle. */
    static const char *const orders[] = {"{\"99\":1,\"200\":1,\"2A\":1}",
                                         "{\"2A\":1,\"99\":1,\"200\":1}",
                                         "{\"200\":1,\"2A\":1,\"99\":1}"};
    DV_CLEANUP(dv_buf_done) dv_buf first = DV_BUF_INIT(1000);

    for (size_t i = 0; i < DV_LEN(orders); i++) {
        json_auto_t *doc = NULL;
        DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(1000);

        assert_ok(dv_json_read(dv_str_of(orders[i]), &doc));
        dv_yaml_write(doc, i ? &out : &first);
        if (i)
            assert_string_equal(dv_buf_cstr(&out), dv_buf_cstr(&first));
    }
}

static void what_does_not_fit_adds_nothing(void **state DV_UNUSED)
{
    json_auto_t *doc = json_pack("{s:[i,s],s:s}", "a", 1, "x\ny\n", "b", " quoted ");
    DV_CLEANUP(dv_buf_done) dv_buf whole = DV_BUF_INIT(1000);

    dv_yaml_write(doc, &whole);
    for (size_t limit = 3; limit < whole.n + 5; limit++) {
        DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(limit);

        dv_buf_adds(&out, "abc");
        dv_yaml_write(doc, &out);
        assert_int_equal(out.overflow, limit < whole.n + 3);
        assert_int_equal(out.n, out.overflow ? 3 : whole.n + 3);
    }
}

static void too_deep_a_document_is_marked(void **state DV_UNUSED)
{
    json_auto_t *doc = json_pack("[i]", 1);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);

    for (int i = 0; i < DV_JSON_DEPTH_MAX; i++) {
        json_t *outer = json_array();

        json_array_append_new(outer, DV_TAKE(doc));
        doc = outer;
    }
    dv_yaml_write(doc, &out);
    assert_err(dv_buf_check(&out), DV_INVALID, NULL);
    assert_int_equal(out.n, 0);
}

static void pretty_indents_lists_and_folds_nothing(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done)
    dv_buf out = DV_BUF_INIT(DV_LINE_MAX), long_one = DV_BUF_INIT(DV_LINE_MAX);
    json_auto_t *doc = NULL;

    dv_buf_adds(&long_one, "{\"a\":[1,{\"b\":[2]}],\"f\":1000000.0,\"l\":\"");
    for (int i = 0; i < 30; i++)
        dv_buf_adds(&long_one, "word ");
    dv_buf_adds(&long_one, "end\",\"t\":\"x\\ny\\n\"}");
    assert_ok(dv_json_read(dv_buf_str(&long_one), &doc));
    dv_yaml_write_pretty(doc, &out);
    assert_true(dv_str_starts(dv_buf_str(&out),
                              DV_STR("a:\n  - 1\n  - b:\n      - 2\nf: 1e+06\nl: word word ")));
    assert_true(dv_str_ends(dv_buf_str(&out), DV_STR("word end\nt: |\n  x\n  y\n")));
}

int main(void)
{
    dv_suite suite = {.name = "yaml/write"};

    dv_json_setup();
    DV_TABLE(&suite, document_prints, rows);
    DV_TEST(&suite, long_keys_get_a_line_of_their_own);
    DV_TEST(&suite, long_lines_are_folded_behind_column_80);
    DV_TEST(&suite, runs_of_blanks_survive_folding);
    DV_TEST(&suite, equal_documents_print_alike);
    DV_TEST(&suite, what_does_not_fit_adds_nothing);
    DV_TEST(&suite, too_deep_a_document_is_marked);
    DV_TEST(&suite, pretty_indents_lists_and_folds_nothing);
    return dv_suite_run(&suite);
}
