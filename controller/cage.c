/* SPDX-License-Identifier: Apache-2.0 */
#include "cage.h"

#include "manifest/objects.h"

/* ---- In the worker ---- */

static dv_err *run_decode(const json_t *params, const dv_str *blobs, size_t n_blobs,
                          json_t **ret_result)
{
    const char *what = dv_json_str(params, "/what");

    if (!what || n_blobs != 1)
        return dv_err_new(DV_BUG, "InternalError", "decode: one blob and its kind expected");
    return dv_repo_decode(what, blobs[0], ret_result);
}

/* Gives each object the default namespace of the manifest that it stands in. */
static void add_items(json_t *items, json_t *objects, json_t *ns)
{
    size_t i;
    json_t *object;

    json_array_foreach(objects, i, object) json_array_append_new(
        items, json_pack("{s:O,s:O}", "object", object, "defaultNamespace", ns));
}

static dv_err *run_objects(const json_t *params, const dv_str *blobs, size_t n_blobs,
                           json_t **ret_result)
{
    json_auto_t *items = json_array(), *all = json_array();

    for (size_t i = 0; i < n_blobs; i++) {
        json_auto_t *objects = json_array();
        const char *name = json_string_value(json_array_get(dv_json_array(params, "/names"), i));

        DV_CHECK(dv_objects_read(blobs[i], name ? name : "manifest", objects));
        json_array_extend(all, objects);
        add_items(items, objects, json_array_get(dv_json_array(params, "/namespaces"), i));
    }
    DV_CHECK(dv_objects_check_unique(all));
    *ret_result = DV_TAKE(items);
    return NULL;
}

const dv_sandbox_op cage_ops[] = {
    {"decode", run_decode},
    {"objects", run_objects},
};
const size_t cage_n_ops = DV_LEN(cage_ops);

/* ---- In the operator ---- */

dv_err *cage_decode(void *arg, dv_ctx *ctx, const char *what, dv_str bytes, json_t **ret_json)
{
    json_auto_t *params = json_pack("{s:s}", "what", what);

    return dv_sandbox_call(ctx, arg, "decode", params, &bytes, 1, ret_json);
}
