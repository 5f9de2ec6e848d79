/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "json/json.h"
#include "testlib.h"

static json_t *read_text(const char *text)
{
    json_t *doc = NULL;

    assert_ok(dv_json_read(dv_str_of(text), &doc));
    return doc;
}

static void compact_keeps_insertion_order(void **state DV_UNUSED)
{
    json_auto_t *doc = read_text("{\"b\": [1, {}], \"a\": {\"z\": [], \"y\": null}}");
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(1000);

    dv_buf_adds(&out, "front ");
    dv_json_write(doc, &out);
    assert_string_equal(dv_buf_cstr(&out), "front {\"b\":[1,{}],\"a\":{\"z\":[],\"y\":null}}");
}

static void sorted_is_by_bytes_at_every_level(void **state DV_UNUSED)
{
    json_auto_t *doc = read_text("{\"b\":[{\"d\":1,\"c\":2}],\"B\":0,\"a\\u0000\":3,\"a\":{\"z\":1,"
                                 "\"\":2},\"\xc3\xa9\":4}");
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(1000);

    dv_json_write_sorted(doc, &out);
    assert_string_equal(dv_buf_cstr(&out),
                        "{\"B\":0,\"a\":{\"\":2,\"z\":1},\"a\\u0000\":3,\"b\":[{\"c\":2,\"d\":1}],"
                        "\"\xc3\xa9\":4}");
}

static void pretty_is_indented(void **state DV_UNUSED)
{
    json_auto_t *doc = read_text("{\"b\":[1,{\"x\":[]}],\"a\":{}}");
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(1000);

    dv_json_write_pretty(doc, &out);
    assert_string_equal(dv_buf_cstr(&out), "{\n"
                                           "  \"b\": [\n"
                                           "    1,\n"
                                           "    {\n"
                                           "      \"x\": []\n"
                                           "    }\n"
                                           "  ],\n"
                                           "  \"a\": {}\n"
                                           "}");
}

static const struct real_row {
    const char *name;
    double value;
    const char *want;
} reals[] = {
    {"a tenth", 0.1, "0.1"},
    {"a whole number", 3.0, "3.0"},
    {"zero", 0.0, "0.0"},
    {"negative zero", -0.0, "-0.0"},
    {"a third", 1.0 / 3, "0.3333333333333333"},
    {"seventeen digits", 0.1 + 0.2, "0.30000000000000004"},
    {"an exponent", 1e21, "1e+21"},
    {"the largest", 1.7976931348623157e308, "1.7976931348623157e+308"},
    {"the smallest", 5e-324, "4.94065645841247e-324"},
};

static void real_prints(void **state)
{
    const struct real_row *row = *state;
    char text[DV_JSON_REAL_BYTES];

    assert_int_equal(dv_json_real_text(row->value, text), strlen(row->want));
    assert_string_equal(text, row->want);
    assert_true(strtod(text, NULL) == row->value);
}

static void integers_print_to_the_edges(void **state DV_UNUSED)
{
    json_auto_t *doc = json_pack("[IIIII]", (json_int_t)0, (json_int_t)-1, (json_int_t)10,
                                 (json_int_t)INT64_MAX, (json_int_t)INT64_MIN);
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(1000);

    dv_json_write(doc, &out);
    assert_string_equal(dv_buf_cstr(&out), "[0,-1,10,9223372036854775807,-9223372036854775808]");
}

static void control_characters_are_escaped(void **state DV_UNUSED)
{
    json_auto_t *doc = dv_json_string(DV_STR("\x00\x01\x08\x09\x0a\x0b\x0c\x0d\x1f \"\\/\x7f"));
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(1000);

    dv_json_write(doc, &out);
    assert_string_equal(dv_buf_cstr(&out),
                        "\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f \\\"\\\\/\x7f\"");
}

/* At every limit either all of it is there, or nothing and the mark. */
static void what_does_not_fit_adds_nothing(void **state DV_UNUSED)
{
    json_auto_t *doc = read_text("{\"key\":[1,\"text\\n\",2.5,{\"a\":true}],\"b\":null}");
    DV_CLEANUP(dv_buf_done) dv_buf whole = DV_BUF_INIT(1000);

    dv_json_write(doc, &whole);
    for (size_t limit = 3; limit < whole.n + 5; limit++) {
        DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(limit);

        dv_buf_adds(&out, "abc");
        dv_json_write_sorted(doc, &out);
        assert_int_equal(out.overflow, limit < whole.n + 3);
        assert_int_equal(out.n, out.overflow ? 3 : whole.n + 3);
    }
}

static void large_documents_are_written_whole(void **state DV_UNUSED)
{
    enum { ITEMS = 20000 };
    json_auto_t *doc = json_array(), *again = NULL;
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);

    for (int i = 0; i < ITEMS; i++)
        json_array_append_new(doc, json_pack("{s:i,s:s}", "n", i, "text", "some \"text\" here"));
    dv_json_write(doc, &out);
    assert_ok(dv_buf_check(&out));
    assert_ok(dv_json_read(dv_buf_str(&out), &again));
    assert_true(dv_json_equal(doc, again));
}

static void too_deep_a_document_is_marked(void **state DV_UNUSED)
{
    json_auto_t *doc = json_array();
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);

    for (int i = 0; i < DV_JSON_DEPTH_MAX; i++) {
        json_t *outer = json_array();

        json_array_append_new(outer, DV_TAKE(doc));
        doc = outer;
    }
    dv_json_write(doc, &out);
    assert_err(dv_buf_check(&out), DV_INVALID, NULL);
    dv_buf_reset(&out);
    dv_json_write(json_array_get(doc, 0), &out);
    assert_ok(dv_buf_check(&out));
    assert_int_equal(out.n, 2 * DV_JSON_DEPTH_MAX);
}

static void a_marked_buffer_stays_as_it_is(void **state DV_UNUSED)
{
    json_auto_t *doc = json_array();
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(4);

    dv_buf_adds(&out, "ab");
    dv_buf_adds(&out, "too long");
    dv_json_write(doc, &out);
    assert_string_equal(dv_buf_cstr(&out), "ab");
}

int main(void)
{
    dv_suite suite = {.name = "json/write"};

    dv_json_setup();
    DV_TEST(&suite, compact_keeps_insertion_order);
    DV_TEST(&suite, sorted_is_by_bytes_at_every_level);
    DV_TEST(&suite, pretty_is_indented);
    DV_TABLE(&suite, real_prints, reals);
    DV_TEST(&suite, integers_print_to_the_edges);
    DV_TEST(&suite, control_characters_are_escaped);
    DV_TEST(&suite, what_does_not_fit_adds_nothing);
    DV_TEST(&suite, large_documents_are_written_whole);
    DV_TEST(&suite, too_deep_a_document_is_marked);
    DV_TEST(&suite, a_marked_buffer_stays_as_it_is);
    return dv_suite_run(&suite);
}
