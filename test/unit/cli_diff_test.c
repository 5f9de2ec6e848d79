/* SPDX-License-Identifier: Apache-2.0 */
#include "diff.h"

#include "output.h"
#include "testlib.h"

/* ---- Lines ---- */

static const struct row {
    const char *name, *before, *after, *want;
} rows[] = {
    {"equal texts have no difference", "a\nb\n", "a\nb\n", ""},
    {"two empty texts", "", "", ""},
    {"a changed line", "a\nb\nc\n", "a\nx\nc\n", "  a\n- b\n+ x\n  c\n"},
    {"an added line", "a\n", "a\nb\n", "  a\n+ b\n"},
    {"a removed line", "a\nb\n", "b\n", "- a\n  b\n"},
    {"all new", "", "a\nb\n", "+ a\n+ b\n"},
    {"all gone", "a\nb\n", "", "- a\n- b\n"},
    {"a moved line is kept where that is shorter", "a\nb\nc\n", "b\nc\na\n",
     "- a\n  b\n  c\n+ a\n"},
    {"what is far from a change is left out", "1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\n5\nx\n",
     "  …\n  3\n  4\n  5\n- 6\n+ x\n"},
    {"two changes with much between", "a\n1\n2\n3\n4\n5\n6\n7\nb\n", "x\n1\n2\n3\n4\n5\n6\n7\ny\n",
     "- a\n+ x\n  1\n  2\n  3\n  …\n  5\n  6\n  7\n- b\n+ y\n"},
    {"the last line without its end", "a\nb", "a\nc", "  a\n- b\n+ c\n"},
    {"control signs do not reach the terminal", "a\n", "\033[2J\n", "- a\n+ ?[2J\n"},
};

static void row_differs(void **state)
{
    const struct row *row = *state;
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);

    cli_diff_add(&out, dv_str_of(row->before), dv_str_of(row->after), 0);
    assert_string_equal(dv_buf_cstr(&out), row->want);
}

static void indent_stands_before_the_mark(void **state)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);

    (void)state;
    cli_diff_add(&out, DV_STR("a\n"), DV_STR("b\n"), 4);
    assert_string_equal(dv_buf_cstr(&out), "    - a\n    + b\n");
}

static void colours_are_used_where_they_are_on(void **state)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);

    (void)state;
    cli_color_set(true);
    cli_diff_add(&out, DV_STR("a\n"), DV_STR("b\n"), 0);
    cli_color_set(false);
    assert_string_equal(dv_buf_cstr(&out), "\033[31m- a\033[0m\n\033[32m+ b\033[0m\n");
}

/* ---- The least number of edits, against the textbook's table ---- */

enum { WORD_MAX = 9, ROUNDS = 4000 };

static int longest_common(const char *a, const char *b)
{
    int table[WORD_MAX + 1][WORD_MAX + 1] = {0};
    int n = (int)strlen(a), m = (int)strlen(b);

    for (int i = 0; i < n; i++)
        for (int k = 0; k < m; k++)
            table[i + 1][k + 1] =
                a[i] == b[k] ? table[i][k] + 1 : DV_MAX(table[i][k + 1], table[i + 1][k]);
    return table[n][m];
}

static void random_word(uint64_t *seed, char word[WORD_MAX + 1])
{
    size_t n;

    *seed = *seed * 6364136223846793005U + 1442695040888963407U;
    n = (*seed >> 33) % (WORD_MAX + 1);
    for (size_t i = 0; i < n; i++) {
        *seed = *seed * 6364136223846793005U + 1442695040888963407U;
        word[i] = (char)('a' + (*seed >> 33) % 3);
    }
    word[n] = '\0';
}

static void add_as_lines(dv_buf *out, const char *word)
{
    for (; *word; word++)
        dv_buf_addf(out, "%c\n", *word);
}

/* Counts the marks, and puts both sides together again from the shown lines. */
static int replay(const char *shown, char *before, char *after)
{
    int edits = 0;

    for (; *shown; shown = strchr(shown, '\n') + 1) {
        if (shown[0] != '+')
            *before++ = shown[2];
        if (shown[0] != '-')
            *after++ = shown[2];
        edits += shown[0] != ' ';
    }
    *before = *after = '\0';
    return edits;
}

static void differences_are_right_and_least(void **state)
{
    uint64_t seed = 42;

    (void)state;
    for (int round = 0; round < ROUNDS; round++) {
        char a[WORD_MAX + 1], b[WORD_MAX + 1], before[2 * WORD_MAX + 1], after[2 * WORD_MAX + 1];
        DV_CLEANUP(dv_buf_done) dv_buf x = DV_BUF_INIT(DV_LINE_MAX);
        DV_CLEANUP(dv_buf_done) dv_buf y = DV_BUF_INIT(DV_LINE_MAX);
        DV_CLEANUP(dv_buf_done) dv_buf shown = DV_BUF_INIT(DV_LINE_MAX);

        random_word(&seed, a);
        random_word(&seed, b);
        add_as_lines(&x, a);
        add_as_lines(&y, b);
        cli_diff_add(&shown, dv_buf_str(&x), dv_buf_str(&y), 0);
        if (strcmp(a, b) == 0 || strstr(dv_buf_cstr(&shown), "…"))
            continue;
        int edits = replay(dv_buf_cstr(&shown), before, after);
        assert_int_equal(edits, (int)(strlen(a) + strlen(b)) - 2 * longest_common(a, b));
        assert_true(strstr(a, before) && strstr(b, after)); /* far lines may be left out */
    }
}

static void very_different_texts_end_in_time(void **state)
{
    DV_CLEANUP(dv_buf_done) dv_buf x = DV_BUF_INIT(DV_BODY_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf y = DV_BUF_INIT(DV_BODY_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);

    (void)state;
    for (int i = 0; i < 20000; i++) {
        dv_buf_addf(&x, "a%d\n", i);
        dv_buf_addf(&y, "b%d\n", i);
    }
    cli_diff_add(&out, dv_buf_str(&x), dv_buf_str(&y), 0);
    assert_ok(dv_buf_check(&out));
    assert_non_null(strstr(dv_buf_cstr(&out), "- a19999\n+ b0\n"));
}

/* ---- Objects ---- */

static json_t *read_loose(const char *text)
{
    DV_CLEANUP(dv_buf_done) dv_buf json = DV_BUF_INIT(DV_LINE_MAX);
    json_t *doc = NULL;

    for (; text && *text; text++)
        dv_buf_addc(&json, *text == '\'' ? '"' : *text);
    if (json.n)
        assert_ok(dv_json_read(dv_buf_str(&json), &doc));
    return doc;
}

static void assert_json(const json_t *doc, const char *want)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf wanted = DV_BUF_INIT(DV_LINE_MAX);

    for (; *want; want++)
        dv_buf_addc(&wanted, *want == '\'' ? '"' : *want);
    dv_json_write(doc, &text);
    assert_string_equal(dv_buf_cstr(&text), dv_buf_cstr(&wanted));
}

static void what_the_server_writes_is_removed(void **state)
{
    json_auto_t *object =
        read_loose("{'kind':'A','metadata':{'name':'n','uid':'u','resourceVersion':'1',"
                   "'managedFields':[],'generation':2,'creationTimestamp':'t'},"
                   "'spec':{'status':1},'status':{}}");

    (void)state;
    cli_object_clean(object);
    assert_json(object, "{'kind':'A','metadata':{'name':'n'},'spec':{'status':1}}");
}

static const struct mask_row {
    const char *name, *before, *after, *want_before, *want_after;
} mask_rows[] = {
    {"equal values look equal", "{'apiVersion':'v1','kind':'Secret','data':{'a':'eA=='}}",
     "{'apiVersion':'v1','kind':'Secret','data':{'a':'eA=='}}",
     "{'apiVersion':'v1','kind':'Secret','data':{'a':'***'}}",
     "{'apiVersion':'v1','kind':'Secret','data':{'a':'***'}}"},
    {"changed values are told apart", "{'apiVersion':'v1','kind':'Secret','data':{'a':'eA=='}}",
     "{'apiVersion':'v1','kind':'Secret','data':{'a':'eQ=='}}",
     "{'apiVersion':'v1','kind':'Secret','data':{'a':'*** (before)'}}",
     "{'apiVersion':'v1','kind':'Secret','data':{'a':'*** (after)'}}"},
    {"a new Secret shows no value", "", "{'apiVersion':'v1','kind':'Secret','data':{'a':'eQ=='}}",
     NULL, "{'apiVersion':'v1','kind':'Secret','data':{'a':'***'}}"},
    {"a Secret that goes shows no value",
     "{'apiVersion':'v1','kind':'Secret','stringData':{'a':'x'}}", "",
     "{'apiVersion':'v1','kind':'Secret','stringData':{'a':'***'}}", NULL},
    {"the copy that kubectl keeps is hidden", "",
     "{'apiVersion':'v1','kind':'Secret','metadata':{'annotations':"
     "{'kubectl.kubernetes.io/last-applied-configuration':'x'}}}",
     NULL,
     "{'apiVersion':'v1','kind':'Secret','metadata':{'annotations':"
     "{'kubectl.kubernetes.io/last-applied-configuration':'***'}}}"},
    {"other kinds are shown", "", "{'apiVersion':'v1','kind':'ConfigMap','data':{'a':'x'}}", NULL,
     "{'apiVersion':'v1','kind':'ConfigMap','data':{'a':'x'}}"},
    {"a Secret of another group is another kind", "",
     "{'apiVersion':'x.example/v1','kind':'Secret','data':{'a':'x'}}", NULL,
     "{'apiVersion':'x.example/v1','kind':'Secret','data':{'a':'x'}}"},
};

static void row_is_masked(void **state)
{
    const struct mask_row *row = *state;
    json_auto_t *before = read_loose(row->before), *after = read_loose(row->after);

    cli_object_mask(before, after);
    if (row->want_before)
        assert_json(before, row->want_before);
    if (row->want_after)
        assert_json(after, row->want_after);
}

int main(void)
{
    dv_suite suite = {.name = "cli/diff"};

    DV_TABLE(&suite, row_differs, rows);
    DV_TEST(&suite, indent_stands_before_the_mark);
    DV_TEST(&suite, colours_are_used_where_they_are_on);
    DV_TEST(&suite, differences_are_right_and_least);
    DV_TEST(&suite, very_different_texts_end_in_time);
    DV_TEST(&suite, what_the_server_writes_is_removed);
    DV_TABLE(&suite, row_is_masked, mask_rows);
    return dv_suite_run(&suite);
}
