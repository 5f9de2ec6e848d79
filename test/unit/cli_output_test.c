/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include "testlib.h"

static const struct row {
    const char *name, *text, *want;
} rows[] = {
    {"plain text", "abc", "abc"},
    {"UTF-8", "grün → …", "grün → …"},
    {"an escape sequence", "\033[31mred", "?[31mred"},
    {"line ends", "a\nb\r", "a?b?"},
    {"delete", "a\177b", "a?b"},
    {"control signs of eight bits",
     "a\xc2\x9b"
     "31m",
     "a?31m"},
    {"what is not UTF-8", "a\xff\xc3)",
     "a?"
     "?)"},
};

static void row_is_shown(void **state)
{
    const struct row *row = *state;
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);

    cli_add_text(&out, row->text);
    assert_string_equal(dv_buf_cstr(&out), row->want);
}

static void columns_stand_below_each_other(void **state)
{
    static const char *const headings[] = {"NAME", "WHAT", NULL};
    DV_CLEANUP(cli_table_done) cli_table table;
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);

    (void)state;
    cli_table_init(&table, headings);
    cli_table_add(&table, "grün");
    cli_table_add(&table, "x");
    cli_table_add(&table, "longer");
    cli_table_add(&table, NULL);
    cli_table_write(&table, &out);
    assert_string_equal(dv_buf_cstr(&out), "NAME     WHAT\ngrün     x\nlonger   \n");
}

static const struct steps_row {
    const char *name, *steps, *want;
} steps[] = {
    {"no steps", NULL, ""},
    {"one step is what the summary says", "1. a.\n", ""},
    {"several steps", "1. a.\n2. b.\n", "  1. a.\n  2. b.\n"},
};

static void steps_are_indented(void **state)
{
    const struct steps_row *row = *state;
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);

    cli_add_derivation(&out, row->steps, 2);
    assert_string_equal(dv_buf_cstr(&out), row->want);
}

static void documents_are_json_or_yaml(void **state)
{
    DV_CLEANUP(dv_buf_done) dv_buf json = DV_BUF_INIT(DV_LINE_MAX);
    DV_CLEANUP(dv_buf_done) dv_buf yaml = DV_BUF_INIT(DV_LINE_MAX);
    json_auto_t *doc = json_pack("{s:[s]}", "a", "b");

    (void)state;
    cli_add_document(&json, doc, "json");
    cli_add_document(&yaml, doc, "yaml");
    assert_string_equal(dv_buf_cstr(&json), "{\n  \"a\": [\n    \"b\"\n  ]\n}\n");
    assert_string_equal(dv_buf_cstr(&yaml), "a:\n- b\n");
}

static void no_colours_unless_they_are_on(void **state)
{
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_LINE_MAX);

    (void)state;
    cli_add_styled(&out, CLI_RED, "a");
    assert_string_equal(dv_buf_cstr(&out), "a");
    cli_color_set(true);
    cli_add_styled(&out, CLI_RED, "b");
    cli_add_styled(&out, CLI_PLAIN, "c");
    cli_color_set(false);
    assert_string_equal(dv_buf_cstr(&out), "a\033[31mb\033[0mc");
}

int main(void)
{
    dv_suite suite = {.name = "cli/output"};

    DV_TABLE(&suite, row_is_shown, rows);
    DV_TEST(&suite, columns_stand_below_each_other);
    DV_TABLE(&suite, steps_are_indented, steps);
    DV_TEST(&suite, documents_are_json_or_yaml);
    DV_TEST(&suite, no_colours_unless_they_are_on);
    return dv_suite_run(&suite);
}
