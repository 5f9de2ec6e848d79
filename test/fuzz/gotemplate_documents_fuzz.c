/* SPDX-License-Identifier: Apache-2.0 */
/* What is read from JSON, YAML or TOML is written as JSON and read again as the same. */
#include "gotemplate/json_text.h"
#include "gotemplate/toml_text.h"
#include "gotemplate/yaml_text.h"
#include "json/json.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc DV_UNUSED, char ***argv DV_UNUSED)
{
    dv_json_setup();
    return 0;
}

#define MEMORY ((size_t)64 * 1024 * 1024)

/* Integers of 64 bits become reals on the way, so the second text is compared with the third. */
static void check_json(dv_heap *heap, dv_val value)
{
    DV_CLEANUP(dv_buf_done)
    dv_buf first = DV_BUF_INIT(DV_BODY_MAX), second = DV_BUF_INIT(DV_BODY_MAX),
           third = DV_BUF_INIT(DV_BODY_MAX), fault = DV_BUF_INIT(DV_LINE_MAX);
    const dv_json_style style = {.escape_html = true};
    dv_val again = DV_NONE_VAL;

    if (!dv_json_encode(heap, &first, value, style, &fault) || first.overflow ||
        dv_heap_refused(heap))
        return;
    DV_ASSERT(dv_json_decode(heap, dv_buf_str(&first), &again, &fault));
    DV_ASSERT(dv_json_encode(heap, &second, again, style, &fault));
    DV_ASSERT(dv_json_decode(heap, dv_buf_str(&second), &again, &fault));
    DV_ASSERT(dv_json_encode(heap, &third, again, style, &fault));
    DV_ASSERT(dv_heap_refused(heap) || dv_str_eq(dv_buf_str(&second), dv_buf_str(&third)));
}

/* YAML written from a value reads as that value. */
static void check_yaml(dv_heap *heap, dv_val value)
{
    DV_CLEANUP(dv_buf_done)
    dv_buf text = DV_BUF_INIT(DV_BODY_MAX), fault = DV_BUF_INIT(DV_LINE_MAX),
           pretty = DV_BUF_INIT(DV_BODY_MAX);
    dv_val again = DV_NONE_VAL;

    dv_val_to_yaml_pretty(heap, &pretty, value);
    if (!dv_val_to_yaml(heap, &text, value) || text.overflow)
        return;
    if (!dv_val_from_yaml(heap, dv_buf_str(&text), &again, &fault))
        return; /* deeper than is read */
    DV_ASSERT(dv_heap_refused(heap) || dv_val_equal(value, again) || dv_val_is_nil(again));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    dv_str text = {(const char *)bytes, size};
    dv_auto(dv_heap) heap = dv_heap_new(MEMORY);
    DV_CLEANUP(dv_buf_done)
    dv_buf fault = DV_BUF_INIT(DV_LINE_MAX), toml = DV_BUF_INIT(DV_BODY_MAX);
    dv_val value = DV_NONE_VAL;

    if (dv_json_decode(heap, text, &value, &fault)) {
        check_json(heap, value);
        check_yaml(heap, value);
    }
    dv_buf_reset(&fault);
    if (dv_val_from_yaml(heap, text, &value, &fault)) {
        check_json(heap, value);
        check_yaml(heap, value);
    }
    dv_buf_reset(&fault);
    if (dv_toml_decode(heap, text, &value, &fault)) {
        check_json(heap, value);
        dv_toml_encode(heap, &toml, value, &fault);
    }
    return 0;
}
