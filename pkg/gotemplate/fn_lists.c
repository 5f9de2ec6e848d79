/* SPDX-License-Identifier: Apache-2.0 */
/* Sprig's functions on lists: they give new ones and change none. */
#include "gotemplate/functions_internal.h"

#include <math.h>

/* ---- Sequences ---- */

bool dv_is_sequence(dv_val value)
{
    return value.kind == DV_V_LIST || value.kind == DV_V_BYTES;
}

size_t dv_sequence_len(dv_val value)
{
    return value.kind == DV_V_LIST ? dv_list_len(value.list) : value.n;
}

dv_val dv_sequence_at(dv_val value, size_t i)
{
    if (value.kind == DV_V_BYTES)
        return (dv_val){.kind = DV_V_UINT8, .u = (unsigned char)value.s[i]};
    return value.list->at[i];
}

static dv_list *new_list(dv_run *run, size_t cap)
{
    return dv_list_new(dv_run_heap(run), &dv_type_any_list, cap);
}

/* False: value is no list, and the run has failed with "WHAT TYPE". */
static bool check(dv_run *run, dv_val value, const char *what)
{
    if (dv_is_sequence(value))
        return true;
    if (dv_val_is_nil(value))
        dv_run_fail(run, "runtime error: invalid memory address or nil pointer dereference");
    else
        dv_run_fail(run, "%s %s", what, dv_val_kind_name(value));
    return false;
}

/* Elements from … to of value in a new list. */
static dv_list *copy(dv_run *run, dv_val value, size_t from, size_t to, size_t room)
{
    dv_list *list = new_list(run, to - from + room);

    for (size_t i = from; i < to; i++)
        dv_list_push(dv_run_heap(run), list, dv_sequence_at(value, i));
    return list;
}

/* ---- Making ---- */

DV_FN(list)
{
    dv_list *list = new_list(run, n);

    for (size_t i = 0; i < n; i++)
        dv_list_push(dv_run_heap(run), list, args[i]);
    return dv_val_list(list);
}

DV_FN(append)
{
    if (!check(run, args[0], "Cannot push on type"))
        return DV_NONE_VAL;
    dv_list *list = copy(run, args[0], 0, dv_sequence_len(args[0]), 1);
    dv_list_push(dv_run_heap(run), list, args[1]);
    return dv_val_list(list);
}

DV_FN(prepend)
{
    if (!check(run, args[0], "Cannot prepend on type"))
        return DV_NONE_VAL;
    size_t count = dv_sequence_len(args[0]);
    dv_list *list = new_list(run, count + 1);
    dv_list_push(dv_run_heap(run), list, args[1]);
    for (size_t i = 0; i < count; i++)
        dv_list_push(dv_run_heap(run), list, dv_sequence_at(args[0], i));
    return dv_val_list(list);
}

DV_FN(concat)
{
    dv_list *list = NULL;

    for (size_t i = 0; i < n; i++) {
        if (dv_val_is_nil(args[i]))
            return dv_run_fail(run,
                               "runtime error: invalid memory address or nil pointer dereference");
        if (!dv_is_sequence(args[i]))
            return dv_run_fail(run, "Cannot concat type %s as list", dv_val_kind_name(args[i]));
        size_t count = dv_sequence_len(args[i]);
        if (count && !list)
            list = new_list(run, count);
        for (size_t k = 0; k < count; k++)
            dv_list_push(dv_run_heap(run), list, dv_sequence_at(args[i], k));
    }
    return dv_val_list(list);
}

/* ---- Parts ---- */

DV_FN(first)
{
    if (!check(run, args[0], "Cannot find first on type") || !dv_sequence_len(args[0]))
        return DV_NONE_VAL;
    return dv_sequence_at(args[0], 0);
}

DV_FN(last)
{
    if (!check(run, args[0], "Cannot find last on type") || !dv_sequence_len(args[0]))
        return DV_NONE_VAL;
    return dv_sequence_at(args[0], dv_sequence_len(args[0]) - 1);
}

DV_FN(rest)
{
    if (!check(run, args[0], "Cannot find rest on type") || !dv_sequence_len(args[0]))
        return dv_val_list(NULL);
    return dv_val_list(copy(run, args[0], 1, dv_sequence_len(args[0]), 0));
}

DV_FN(initial)
{
    if (!check(run, args[0], "Cannot find initial on type") || !dv_sequence_len(args[0]))
        return dv_val_list(NULL);
    return dv_val_list(copy(run, args[0], 0, dv_sequence_len(args[0]) - 1, 0));
}

/* The part shares the list's elements, and keeps its type. */
static dv_val cut(dv_run *run, dv_val value, size_t from, size_t to)
{
    if (value.kind == DV_V_BYTES) {
        value.s += from;
        value.n = (uint32_t)(to - from);
        return value;
    }
    dv_list *part = dv_list_new(dv_run_heap(run), value.list->type, 0);
    part->at = value.list->at + from;
    part->n = part->cap = (uint32_t)(to - from);
    return dv_val_list(part);
}

DV_FN(slice)
{
    int64_t start = 0, end;

    if (!check(run, args[0], "list should be type of slice or array but"))
        return DV_NONE_VAL;
    int64_t count = (int64_t)dv_sequence_len(args[0]);
    if (!count)
        return DV_NONE_VAL;
    if (n > 1)
        start = dv_cast_int(args[1]);
    end = n > 2 ? dv_cast_int(args[2]) : count;
    if (start < 0 || end < start || end > count)
        return dv_run_fail(run, "reflect.Value.Slice: slice index out of bounds");
    return cut(run, args[0], (size_t)start, (size_t)end);
}

static dv_val fail_chunk(dv_run *run)
{
    return dv_run_fail(run, "runtime error: makeslice: len out of range");
}

/* The counts are computed in floating point, as sprig does, and go wrong in the same places. */
DV_FN(chunk)
{
    if (!check(run, args[1], "Cannot chunk type"))
        return DV_NONE_VAL;
    int64_t size = args[0].i, count = (int64_t)dv_sequence_len(args[1]);
    double chunks = floor((double)(count - 1) / (double)size) + 1;
    if (isnan(chunks) || isinf(chunks) || chunks < 0)
        return fail_chunk(run);
    dv_list *list = dv_list_new(dv_run_heap(run), &dv_type_lists, (size_t)chunks);
    for (int64_t i = 0; i < (int64_t)chunks && !dv_heap_refused(dv_run_heap(run)); i++) {
        int64_t length = size;

        if (i == (int64_t)chunks - 1)
            length = (int64_t)floor(fmod((double)count, (double)size));
        length = length ? length : size;
        if (length < 0)
            return fail_chunk(run);
        if (i * size + length > count)
            return dv_run_fail(run, "reflect: slice index out of range");
        dv_list *part =
            copy(run, args[1], (size_t)(i * size), (size_t)(i * size + length), /* room= */ 0);
        dv_list_push(dv_run_heap(run), list, dv_val_list(part));
    }
    return dv_val_list(list);
}

/* ---- Order and choice ---- */

DV_FN(reverse)
{
    if (!check(run, args[0], "Cannot find reverse on type"))
        return DV_NONE_VAL;
    size_t count = dv_sequence_len(args[0]);
    dv_list *list = new_list(run, count);
    while (count > 0)
        dv_list_push(dv_run_heap(run), list, dv_sequence_at(args[0], --count));
    return dv_val_list(list);
}

DV_FN(compact)
{
    if (!check(run, args[0], "Cannot compact on type"))
        return DV_NONE_VAL;
    dv_list *list = new_list(run, 0);
    for (size_t i = 0; i < dv_sequence_len(args[0]); i++)
        if (dv_val_truth(dv_sequence_at(args[0], i)))
            dv_list_push(dv_run_heap(run), list, dv_sequence_at(args[0], i));
    return dv_val_list(list);
}

static bool is_among(dv_run *run, const dv_val *at, size_t count, dv_val value)
{
    if (!dv_run_charge(run, 1 + count / 8))
        return true;
    for (size_t i = 0; i < count; i++)
        if (dv_val_equal(value, at[i]))
            return true;
    return false;
}

DV_FN(uniq)
{
    if (!check(run, args[0], "Cannot find uniq on type"))
        return DV_NONE_VAL;
    dv_list *list = new_list(run, 0);
    for (size_t i = 0; i < dv_sequence_len(args[0]); i++) {
        dv_val value = dv_sequence_at(args[0], i);

        if (!is_among(run, list->at, list->n, value))
            dv_list_push(dv_run_heap(run), list, value);
    }
    return dv_val_list(list);
}

DV_FN(without)
{
    if (!check(run, args[0], "Cannot find without on type"))
        return DV_NONE_VAL;
    dv_list *list = new_list(run, 0);
    for (size_t i = 0; i < dv_sequence_len(args[0]); i++) {
        dv_val value = dv_sequence_at(args[0], i);

        if (!is_among(run, args + 1, n - 1, value))
            dv_list_push(dv_run_heap(run), list, value);
    }
    return dv_val_list(list);
}

DV_FN(has)
{
    if (dv_val_is_nil(args[1]))
        return dv_val_bool(false);
    if (!check(run, args[1], "Cannot find has on type"))
        return DV_NONE_VAL;
    for (size_t i = 0; i < dv_sequence_len(args[1]); i++)
        if (dv_val_equal(args[0], dv_sequence_at(args[1], i)))
            return dv_val_bool(true);
    return dv_val_bool(false);
}
