/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects that a manifest gives, written as a stream of JSON, give the same objects; and each
 * has a type and a name that are safe in a URL.
 */
#include "manifest/objects.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_object(const json_t *object)
{
    dv_str name = dv_json_view(object, "/metadata/name");
    dv_str space = dv_json_view(object, "/metadata/namespace");

    DV_ASSERT(dv_json_view(object, "/apiVersion").n && dv_json_view(object, "/kind").n);
    DV_ASSERT(name.n && dv_str_find(name, '/') < 0 && dv_str_find(name, '\0') < 0);
    DV_ASSERT(!dv_str_is(name, "..") && dv_str_find(space, '/') < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);
    json_auto_t *objects = json_array();
    json_auto_t *again = json_array();
    dv_auto(dv_err) refused =
        dv_objects_read((dv_str){(const char *)data, size}, "fuzz.yaml", objects);
    json_t *object;
    size_t i;

    if (refused)
        return 0;
    json_array_foreach(objects, i, object)
    {
        check_object(object);
        dv_json_write(object, &text);
        dv_buf_addc(&text, '\n');
    }
    dv_auto(dv_err) lost = dv_objects_read(dv_buf_str(&text), "again.json", again);
    DV_ASSERT(!lost);
    DV_ASSERT(json_equal(objects, again));
    dv_auto(dv_err) duplicate = dv_objects_check_unique(objects);
    dv_auto(dv_err) as_duplicate = dv_objects_check_unique(again);
    DV_ASSERT(!duplicate == !as_duplicate);
    return 0;
}
