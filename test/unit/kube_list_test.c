/* SPDX-License-Identifier: Apache-2.0 */
#include "testlib.h"

#include "kube/client_internal.h"

static const struct row {
    const char *name, *body;
    bool fine;
    int items; /* and what the page says of itself */
    const char *kind, *token, *version;
} rows[] = {
    {"a page with its items",
     "{\"kind\":\"PodList\",\"apiVersion\":\"v1\",\"metadata\":{\"resourceVersion\":\"7\","
     "\"continue\":\"abc\"},\"items\":[{\"a\":1},{\"b\":[2,{\"c\":\"}]\"}]}]}",
     true, 2, "PodList", "abc", "7"},
    {"no items", "{\"items\":[],\"metadata\":{\"resourceVersion\":\"7\"}}", true, 0, NULL, NULL,
     "7"},
    {"items that are null", "{\"items\":null,\"kind\":\"PodList\"}", true, 0, "PodList", NULL,
     NULL},
    {"an empty object", " { } ", true, 0, NULL, NULL, NULL},
    {"blanks everywhere", "\n{ \"items\" : [ {} ,\t{ } , 3 ] , \"x\" : true }\r\n", true, 3, NULL,
     NULL, NULL},
    {"brackets and quotes in strings", "{\"items\":[\"]\",\"\\\"],\",{\"\\\\\":\"[{\"}]}", true, 3,
     NULL, NULL, NULL},
    {"items in an inner object are none", "{\"x\":{\"items\":[1,2]},\"items\":[3]}", true, 1, NULL,
     NULL, NULL},
    {"an item that is no JSON stays one item", "{\"items\":[{\"a\":nope},{\"b\":1}]}", true, 2,
     NULL, NULL, NULL},
    {"a kind that is no string", "{\"kind\":3}", true, 0, NULL, NULL, NULL},
    {"nothing", "", false, 0, NULL, NULL, NULL},
    {"an array", "[]", false, 0, NULL, NULL, NULL},
    {"half a page", "{\"items\":[{\"a\":1},{\"b\"", false, 0, NULL, NULL, NULL},
    {"half a string", "{\"items\":[\"a]}", false, 0, NULL, NULL, NULL},
    {"a string that ends in its escape", "{\"items\":[\"\\", false, 0, NULL, NULL, NULL},
    {"a member without a value", "{\"items\"}", false, 0, NULL, NULL, NULL},
    {"a member without a name", "{3:4}", false, 0, NULL, NULL, NULL},
    {"a comma too many", "{\"a\":1,}", false, 0, NULL, NULL, NULL},
    {"a missing comma", "{\"a\":1 \"b\":2}", false, 0, NULL, NULL, NULL},
    {"something behind it", "{} x", false, 0, NULL, NULL, NULL},
    {"metadata that is no JSON", "{\"metadata\":{a}}", false, 0, NULL, NULL, NULL},
    {"metadata without an end", "{\"metadata\":{\"resourceVersion\":\"1\"", false, 0, NULL, NULL,
     NULL},
};

#define assert_text(have, want)                                                                    \
    do {                                                                                           \
        assert_int_equal((have) != NULL, (want) != NULL);                                          \
        if (want)                                                                                  \
            assert_string_equal(have, want);                                                       \
    } while (0)

static void page_is_cut(void **state)
{
    const struct row *row = *state;
    DV_CLEANUP(dv_list_page_done) dv_list_page page;
    dv_err *err = dv_list_scan(dv_str_of(row->body), &page);
    dv_str rest, item;
    int n = 0;

    if (!row->fine) {
        assert_err(err, DV_TRANSIENT, "the server's list");
        return;
    }
    assert_ok(err);
    rest = page.items;
    while (dv_list_next(&rest, &item))
        n++;
    assert_int_equal(n, row->items);
    assert_text(page.kind, row->kind);
    assert_text(page.continue_token, row->token);
    assert_text(page.resource_version, row->version);
}

static void depth_costs_no_stack(void **state DV_UNUSED)
{
    DV_CLEANUP(dv_buf_done) dv_buf body = DV_BUF_INIT(8 * 1024 * 1024);
    DV_CLEANUP(dv_list_page_done) dv_list_page page;
    json_auto_t *item = NULL;
    dv_str rest, bytes;

    dv_buf_adds(&body, "{\"items\":[");
    dv_buf_fill(&body, '[', 1000 * 1000);
    dv_buf_fill(&body, ']', 1000 * 1000);
    dv_buf_adds(&body, ",{}]}");
    assert_ok(dv_list_scan(dv_buf_str(&body), &page));
    rest = page.items;
    assert_true(dv_list_next(&rest, &bytes));
    assert_err(dv_json_read(bytes, &item), DV_INVALID, NULL);
    assert_true(dv_list_next(&rest, &bytes));
    assert_false(dv_list_next(&rest, &bytes));
}

int main(void)
{
    dv_suite suite = {.name = "kube/list"};

    DV_TABLE(&suite, page_is_cut, rows);
    DV_TEST(&suite, depth_costs_no_stack);
    return dv_suite_run(&suite);
}
