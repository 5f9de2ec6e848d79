/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of templates share: a row is a template, its data as JSON, and what must come out.
 */
#pragma once

#include "testlib.h"

#include "gotemplate/functions.h"
#include "gotemplate/json_text.h"
#include "json/json.h"

#define TEST_MEMORY ((size_t)64 * 1024 * 1024)
#define TEST_STACK ((size_t)4 * 1024 * 1024)

typedef struct {
    const char *name, *text, *data;
    const char *want;  /* NULL: it fails */
    const char *error; /* a part of the message */
} render_row;

/* Borrows; *out is emptied by the caller. */
DV_UNUSED static dv_err *render_with(const char *text, const char *data,
                                     const dv_run_options *options, size_t memory, dv_buf *out)
{
    dv_auto(dv_gotemplate) set = dv_gotemplate_new(dv_helm_functions(), NULL);
    dv_auto(dv_heap) heap = dv_heap_new(memory);
    DV_CLEANUP(dv_buf_done) dv_buf fault = DV_BUF_INIT(DV_LINE_MAX);
    dv_val value;

    assert_true(dv_json_decode(heap, dv_str_of(data ? data : "null"), &value, &fault));
    if (value.kind == DV_V_NIL)
        value = DV_NONE_VAL;
    DV_CHECK(dv_gotemplate_parse(set, DV_STR("t"), dv_str_of(text)));
    return dv_gotemplate_run(set, DV_STR("t"), value, heap, options, out);
}

DV_UNUSED static dv_err *render(const char *text, const char *data, dv_buf *out)
{
    const dv_run_options options = {.missing_key = DV_MISSING_ZERO, .stack_bytes = TEST_STACK};

    return render_with(text, data, &options, TEST_MEMORY, out);
}

DV_UNUSED static void row_renders(void **state)
{
    const render_row *row = *state;
    DV_CLEANUP(dv_buf_done) dv_buf out = DV_BUF_INIT(DV_BODY_MAX);
    dv_err *err = render(row->text, row->data, &out);

    if (!row->want) {
        assert_err(err, DV_INVALID, row->error);
        return;
    }
    assert_ok(err);
    assert_string_equal(dv_buf_cstr(&out), row->want);
}
