/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sprig's functions on dicts. "set", "unset" and the merges change the dict they are given, which
 * all who hold it see.
 */
#include "gotemplate/functions_internal.h"

static dv_dict *new_dict(dv_run *run)
{
    return dv_dict_new(dv_run_heap(run), &dv_type_any_dict);
}

DV_FN(dict)
{
    dv_dict *dict = new_dict(run);

    for (size_t i = 0; i < n; i += 2)
        dv_dict_set(dv_run_heap(run), dict, dv_val_str(dv_cast_string(run, args[i])),
                    i + 1 < n ? args[i + 1] : dv_val_lit(""));
    return dv_val_dict(dict);
}

DV_FN(get)
{
    const dv_val *found = dv_dict_get(args[0].dict, DV_ARG(1));

    return found ? *found : dv_val_lit("");
}

DV_FN(set)
{
    if (!args[0].dict)
        return dv_run_fail(run, "assignment to entry in nil map");
    dv_dict_set(dv_run_heap(run), args[0].dict, DV_ARG(1), args[2]);
    return args[0];
}

DV_FN(unset)
{
    if (args[0].dict) {
        size_t count = dv_dict_len(args[0].dict);

        dv_dict_drop(args[0].dict, DV_ARG(1));
        dv_run_charge(run, 1 + count / 16);
    }
    return args[0];
}

DV_FN(hasKey)
{
    return dv_val_bool(dv_dict_get(args[0].dict, DV_ARG(1)) != NULL);
}

DV_FN(pluck)
{
    dv_list *list = dv_list_new(dv_run_heap(run), &dv_type_any_list, 0);

    for (size_t i = 1; i < n; i++) {
        const dv_val *found = dv_dict_get(args[i].dict, DV_ARG(0));

        if (found)
            dv_list_push(dv_run_heap(run), list, *found);
    }
    return dv_val_list(list);
}

/* Go's order is random; ours is that of the keys, so that charts come out the same each time. */
DV_FN(keys)
{
    dv_list *list = dv_list_new(dv_run_heap(run), &dv_type_strings, 0);

    for (size_t i = 0; i < n; i++) {
        const dv_member *members = dv_dict_sorted(dv_run_heap(run), args[i].dict);

        for (size_t k = 0; members && k < dv_dict_len(args[i].dict); k++)
            dv_list_push(dv_run_heap(run), list, dv_val_borrow(members[k].key));
    }
    return dv_val_list(list);
}

DV_FN(values)
{
    dv_list *list = dv_list_new(dv_run_heap(run), &dv_type_any_list, 0);
    const dv_member *members = dv_dict_sorted(dv_run_heap(run), args[0].dict);

    for (size_t i = 0; members && i < dv_dict_len(args[0].dict); i++)
        dv_list_push(dv_run_heap(run), list, members[i].value);
    return dv_val_list(list);
}

DV_FN(pick)
{
    dv_dict *dict = new_dict(run);

    for (size_t i = 1; i < n; i++) {
        const dv_val *found = dv_dict_get(args[0].dict, DV_ARG(i));

        if (found)
            dv_dict_set(dv_run_heap(run), dict, DV_ARG(i), *found);
    }
    return dv_val_dict(dict);
}

DV_FN(omit)
{
    dv_dict *dict = new_dict(run);
    const dv_member *members = dv_dict_members(args[0].dict);

    for (size_t i = 0; i < dv_dict_len(args[0].dict); i++) {
        bool omitted = false;

        for (size_t k = 1; k < n && !omitted; k++)
            omitted = dv_str_eq(members[i].key, DV_ARG(k));
        if (!omitted)
            dv_dict_set(dv_run_heap(run), dict, members[i].key, members[i].value);
    }
    return dv_val_dict(dict);
}

/* ---- dig ---- */

/* As a failed type assertion of Go's. */
static dv_val refuse_type(dv_run *run, dv_val value, const char *wanted)
{
    return dv_run_fail(run, "interface conversion: interface {} is %s, not %s",
                       dv_val_is_nil(value) ? "nil" : dv_val_type(value), wanted);
}

static bool is_plain_dict(dv_val value)
{
    return value.kind == DV_V_DICT && dv_dict_type(value.dict) == &dv_type_any_dict;
}

DV_FN(dig)
{
    if (n < 3)
        return dv_run_fail(run, "dig needs at least three arguments");
    dv_val at = args[n - 1];
    if (!is_plain_dict(at))
        return refuse_type(run, at, dv_type_any_dict.name);
    for (size_t i = 0; i + 2 < n; i++)
        if (args[i].kind != DV_V_STRING)
            return refuse_type(run, args[i], "string");
    for (size_t i = 0; i + 2 < n; i++) {
        if (!is_plain_dict(at))
            return refuse_type(run, at, dv_type_any_dict.name);
        const dv_val *found = dv_dict_get(at.dict, DV_ARG(i));
        if (!found)
            return args[n - 2];
        at = *found;
    }
    return at;
}

/* ---- Merging, as mergo does it ---- */

typedef struct {
    dv_run *run;
    bool overwrite;
    unsigned depth;
} merger;

static void merge(merger *m, dv_dict *into, const dv_dict *from);

static bool is_empty(const dv_val *value)
{
    return !value || !dv_val_truth(*value);
}

/* One member. A list counts only as a whole; a dict never gives way unless to be overwritten. */
static void merge_member(merger *m, dv_dict *into, const dv_member *member)
{
    const dv_val *old = dv_dict_get(into, member->key);
    dv_heap *heap = dv_run_heap(m->run);

    if (dv_val_is_nil(member->value)) {
        if (m->overwrite)
            dv_dict_set(heap, into, member->key, member->value);
        return;
    }
    bool both_dicts = member->value.kind == DV_V_DICT && old && old->kind == DV_V_DICT;
    if (both_dicts && old->dict)
        merge(m, old->dict, member->value.dict);
    if (both_dicts && !is_empty(old))
        return;
    if (m->overwrite || is_empty(old))
        dv_dict_set(heap, into, member->key, member->value);
}

static void merge(merger *m, dv_dict *into, const dv_dict *from)
{
    size_t count = dv_dict_len(from);

    if (into == from || dv_heap_refused(dv_run_heap(m->run)) || !dv_run_charge(m->run, 1 + count))
        return;
    if (++m->depth > DV_VAL_DEPTH_MAX) {
        dv_run_fail(m->run, "a dict that contains itself can't be merged");
        return;
    }
    const dv_member *members = dv_dict_sorted(dv_run_heap(m->run), from);
    for (size_t i = 0; members && i < count; i++)
        merge_member(m, into, &members[i]);
    m->depth--;
}

static dv_val merge_all(dv_run *run, const dv_val *args, size_t n, bool overwrite)
{
    merger m = {.run = run, .overwrite = overwrite};
    dv_dict *into = args[0].dict;

    for (size_t i = 1; i < n && !dv_run_failed(run); i++) {
        if (!into && args[i].dict)
            into = new_dict(run);
        if (args[i].dict)
            merge(&m, into, args[i].dict);
    }
    return dv_val_dict(into);
}

DV_FN(merge)
{
    return merge_all(run, args, n, /* overwrite= */ false);
}

DV_FN(mergeOverwrite)
{
    return merge_all(run, args, n, /* overwrite= */ true);
}

/* ---- Copying ---- */

static dv_val copy(dv_run *run, dv_val value, unsigned depth);

static dv_val copy_list(dv_run *run, const dv_list *list, unsigned depth)
{
    dv_list *fresh = dv_list_new(dv_run_heap(run), list->type, list->n);

    for (uint32_t i = 0; i < list->n && !dv_run_failed(run); i++)
        dv_list_push(dv_run_heap(run), fresh, copy(run, list->at[i], depth));
    return dv_val_list(fresh);
}

static dv_val copy_dict(dv_run *run, const dv_dict *dict, unsigned depth)
{
    dv_dict *fresh = dv_dict_new(dv_run_heap(run), dv_dict_type(dict));
    const dv_member *members = dv_dict_members(dict);

    for (size_t i = 0; i < dv_dict_len(dict) && !dv_run_failed(run); i++)
        dv_dict_set(dv_run_heap(run), fresh, members[i].key, copy(run, members[i].value, depth));
    return dv_val_dict(fresh);
}

static dv_val copy(dv_run *run, dv_val value, unsigned depth)
{
    if (dv_heap_refused(dv_run_heap(run)))
        return DV_NIL_VAL;
    if (depth > DV_VAL_DEPTH_MAX)
        return dv_run_fail(run, "a value that contains itself can't be copied");
    dv_run_charge(run, 1);
    if (value.kind == DV_V_LIST && value.list)
        return copy_list(run, value.list, depth + 1);
    if (value.kind == DV_V_DICT && value.dict)
        return copy_dict(run, value.dict, depth + 1);
    if (value.kind == DV_V_OBJECT && value.object->type == &dv_type_version)
        return dv_zero_version(run);
    return value;
}

DV_FN(deepCopy)
{
    if (dv_val_is_nil(args[0]))
        return dv_run_fail(run, "reflect: call of reflect.Value.Type on zero Value");
    return copy(run, args[0], 0);
}
