/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/builtins_internal.h"
#include "gotemplate/format.h"

/* What can be compared with what. */
typedef enum {
    BASIC_NONE,
    BASIC_BOOL,
    BASIC_COMPLEX,
    BASIC_INT,
    BASIC_FLOAT,
    BASIC_STRING,
    BASIC_UINT
} basic;

static basic basic_of(dv_val value)
{
    switch (value.kind) {
    case DV_V_BOOL:
        return BASIC_BOOL;
    case DV_V_INT:
    case DV_V_INT64:
        return BASIC_INT;
    case DV_V_UINT8:
    case DV_V_UINT32:
    case DV_V_UINT64:
        return BASIC_UINT;
    case DV_V_FLOAT:
        return BASIC_FLOAT;
    case DV_V_COMPLEX:
        return BASIC_COMPLEX;
    case DV_V_STRING:
        return BASIC_STRING;
    default:
        return BASIC_NONE;
    }
}

static bool refuse_kinds(dv_run *run, dv_val a, dv_val b)
{
    dv_run_fail(run, "incompatible types for comparison: %s and %s", dv_val_type(a),
                dv_val_type(b));
    return false;
}

static bool refuse_kind(dv_run *run)
{
    dv_run_fail(run, "invalid type for comparison");
    return false;
}

static bool is_nil(dv_val value)
{
    return dv_val_is_nil(value) || (value.kind == DV_V_LIST && dv_list_is_nil(value.list)) ||
           (value.kind == DV_V_DICT && !value.dict);
}

/* Go's message prints the first value by %s. */
static bool refuse_uncomparable(dv_run *run, dv_val a, dv_val b, bool kinds_differ)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);

    if (kinds_differ) {
        dv_buf_adds(&text, "non-comparable types ");
        dv_format_printf(dv_run_heap(run), &text, DV_STR("%s"), &a, 1);
        dv_buf_addf(&text, ": %s, %s: ", dv_val_type(a), dv_val_type(b));
        dv_format_value(dv_run_heap(run), &text, b);
    } else {
        dv_buf_adds(&text, "non-comparable type ");
        dv_format_printf(dv_run_heap(run), &text, DV_STR("%s"), &b, 1);
        dv_buf_addf(&text, ": %s", dv_val_type(b));
    }
    dv_run_fail_text(run, dv_buf_str(&text));
    return false;
}

static bool equal_others(dv_run *run, dv_val a, dv_val b)
{
    bool none = dv_val_is_nil(a) || dv_val_is_nil(b);

    if (!none && strcmp(dv_val_kind_name(a), dv_val_kind_name(b)) != 0)
        return refuse_uncomparable(run, a, b, /* kinds_differ= */ true);
    if (is_nil(a) || is_nil(b))
        return is_nil(a) == is_nil(b);
    if (b.kind != DV_V_OBJECT)
        return refuse_uncomparable(run, a, b, /* kinds_differ= */ false);
    return dv_val_equal(a, b);
}

static bool equal(dv_run *run, dv_val a, dv_val b)
{
    basic x = basic_of(a), y = basic_of(b);

    if (x == BASIC_INT && y == BASIC_UINT)
        return a.i >= 0 && a.u == b.u;
    if (x == BASIC_UINT && y == BASIC_INT)
        return b.i >= 0 && a.u == b.u;
    if (x != y)
        return dv_val_is_nil(a) || dv_val_is_nil(b) ? false : refuse_kinds(run, a, b);
    switch (x) {
    case BASIC_BOOL:
        return a.b == b.b;
    case BASIC_COMPLEX:
        return a.c[0] == b.c[0] && a.c[1] == b.c[1];
    case BASIC_FLOAT:
        return a.f == b.f;
    case BASIC_INT:
    case BASIC_UINT:
        return a.u == b.u;
    case BASIC_STRING:
        return dv_str_eq(dv_val_str(a), dv_val_str(b));
    default:
        return equal_others(run, a, b);
    }
}

dv_val dv_builtin_eq(dv_run *run, const dv_val *args, size_t n)
{
    if (n < 2)
        return dv_run_fail(run, "missing argument for comparison");
    for (size_t i = 1; i < n && !dv_run_failed(run); i++)
        if (equal(run, args[0], args[i]))
            return dv_val_bool(true);
    return dv_val_bool(false);
}

dv_val dv_builtin_ne(dv_run *run, const dv_val *args, size_t n DV_UNUSED)
{
    return dv_val_bool(!equal(run, args[0], args[1]));
}

static bool less(dv_run *run, dv_val a, dv_val b)
{
    basic x = basic_of(a), y = basic_of(b);

    if (x == BASIC_NONE || y == BASIC_NONE)
        return refuse_kind(run);
    if (x == BASIC_INT && y == BASIC_UINT)
        return a.i < 0 || a.u < b.u;
    if (x == BASIC_UINT && y == BASIC_INT)
        return b.i >= 0 && a.u < b.u;
    if (x != y)
        return refuse_kinds(run, a, b);
    switch (x) {
    case BASIC_FLOAT:
        return a.f < b.f;
    case BASIC_INT:
        return a.i < b.i;
    case BASIC_UINT:
        return a.u < b.u;
    case BASIC_STRING:
        return dv_str_cmp(dv_val_str(a), dv_val_str(b)) < 0;
    default:
        return refuse_kind(run);
    }
}

dv_val dv_builtin_lt(dv_run *run, const dv_val *args, size_t n DV_UNUSED)
{
    return dv_val_bool(less(run, args[0], args[1]));
}

dv_val dv_builtin_le(dv_run *run, const dv_val *args, size_t n DV_UNUSED)
{
    bool below = less(run, args[0], args[1]);

    return dv_val_bool(below || (!dv_run_failed(run) && equal(run, args[0], args[1])));
}

dv_val dv_builtin_gt(dv_run *run, const dv_val *args, size_t n)
{
    return dv_val_bool(!dv_builtin_le(run, args, n).b);
}

dv_val dv_builtin_ge(dv_run *run, const dv_val *args, size_t n DV_UNUSED)
{
    return dv_val_bool(!less(run, args[0], args[1]));
}
