/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A page that is JSON is cut into the items that a whole reading of it finds, and its metadata
 * is the same; of any other bytes no item lies outside them.
 */
#include "kube/client_internal.h"

static bool same_text(const char *have, const char *want)
{
    return (!have && !want) || (have && want && strcmp(have, want) == 0);
}

static bool inside(dv_str part, const uint8_t *data, size_t size)
{
    const char *start = (const char *)data;

    return part.p >= start && part.p + part.n <= start + size;
}

static void compare_items(const dv_list_page *page, const json_t *items)
{
    dv_str rest = page->items;
    dv_str bytes;
    size_t n = 0;

    while (dv_list_next(&rest, &bytes)) {
        json_auto_t *item = NULL;
        dv_auto(dv_err) err = dv_json_read(bytes, &item);

        DV_ASSERT(!err && json_equal(item, json_array_get(items, n)));
        n++;
    }
    DV_ASSERT(n == json_array_size(items));
}

/* Names of members may be written with escapes, which the server never does and we do not read. */
static bool has_escape(const uint8_t *data, size_t size)
{
    return memchr(data, '\\', size) != NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DV_CLEANUP(dv_list_page_done) dv_list_page page;
    dv_str body = {(const char *)data, size};
    json_auto_t *whole = NULL;
    dv_auto(dv_err) refused = dv_list_scan(body, &page);
    dv_auto(dv_err) no_json = dv_json_read(body, &whole);

    if (!no_json && json_is_object(whole) && !has_escape(data, size)) {
        DV_ASSERT(!refused);
        DV_ASSERT(same_text(page.kind, dv_json_str(whole, "/kind")));
        DV_ASSERT(same_text(page.continue_token, dv_json_str(whole, "/metadata/continue")));
        compare_items(&page, dv_json_array(whole, "/items"));
    } else if (!refused) {
        dv_str rest = page.items, item;

        while (dv_list_next(&rest, &item))
            DV_ASSERT(inside(item, data, size));
    }
    return 0;
}
