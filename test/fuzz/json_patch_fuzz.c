/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input is [document, operations]. A patch is applied whole or not at all; a difference leads
 * to what it was made from; a merge patch applied twice changes nothing more.
 */
#include "json/patch.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc DV_UNUSED, char ***argv DV_UNUSED)
{
    dv_json_setup();
    return 0;
}

static void check_diff(const json_t *from, const json_t *to)
{
    json_auto_t *ops = dv_json_diff(from, to), *doc = dv_json_copy(from);
    dv_auto(dv_err) err = dv_json_patch(&doc, ops);

    DV_ASSERT(!err && dv_json_equal(doc, to));
}

static void check_merge(const json_t *target, const json_t *patch)
{
    json_auto_t *once = dv_json_merge_patch(dv_json_copy(target), patch);
    json_auto_t *twice = dv_json_merge_patch(dv_json_copy(once), patch);

    DV_ASSERT(dv_json_equal(once, twice));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_auto_t *input = NULL, *patched = NULL;
    dv_auto(dv_err) refused = dv_json_read((dv_str){(const char *)data, size}, &input);

    if (refused || !json_is_array(input) || json_array_size(input) != 2)
        return 0;
    const json_t *doc = json_array_get(input, 0), *ops = json_array_get(input, 1);
    patched = dv_json_copy(doc);
    dv_auto(dv_err) failed = dv_json_patch(&patched, ops);
    if (failed)
        DV_ASSERT(dv_json_equal(patched, doc));
    check_diff(doc, patched);
    check_diff(doc, ops);
    check_merge(doc, ops);
    return 0;
}
