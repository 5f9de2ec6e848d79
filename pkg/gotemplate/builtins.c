/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of the language itself. */
#include "gotemplate/builtins_internal.h"
#include "gotemplate/functions_internal.h"
#include "gotemplate/format.h"
#include "base/unicode.h"

/* The evaluator does these; it only needs to know them apart. */
dv_val dv_builtin_and(dv_run *run DV_UNUSED, const dv_val *args DV_UNUSED, size_t n DV_UNUSED)
{
    return DV_NONE_VAL;
}

dv_val dv_builtin_or(dv_run *run DV_UNUSED, const dv_val *args, size_t n)
{
    return n ? args[0] : DV_NONE_VAL;
}

dv_val dv_builtin_call(dv_run *run, const dv_val *args DV_UNUSED, size_t n DV_UNUSED)
{
    return dv_run_fail(run, "call of nil");
}

static dv_val fn_not(dv_run *run DV_UNUSED, const dv_val *args, size_t n DV_UNUSED)
{
    return dv_val_bool(!dv_val_truth(args[0]));
}

/* ---- Printing ---- */

static dv_val fn_print(dv_run *run, const dv_val *args, size_t n)
{
    dv_buf *out = dv_run_scratch(run);

    dv_format_print(dv_run_heap(run), out, args, n);
    return dv_run_text(run, out);
}

static dv_val fn_println(dv_run *run, const dv_val *args, size_t n)
{
    dv_buf *out = dv_run_scratch(run);

    dv_format_println(dv_run_heap(run), out, args, n);
    return dv_run_text(run, out);
}

static dv_val fn_printf(dv_run *run, const dv_val *args, size_t n)
{
    dv_buf *out = dv_run_scratch(run);

    dv_format_printf(dv_run_heap(run), out, dv_val_str(args[0]), args + 1, n - 1);
    return dv_run_text(run, out);
}

/* ---- Elements ---- */

/* False: the run has failed. */
static bool index_arg(dv_run *run, dv_val index, size_t cap, size_t *ret_index)
{
    if (index.kind == DV_V_NONE || index.kind == DV_V_NIL) {
        dv_run_fail(run, "cannot index slice/array with nil");
        return false;
    }
    if (!dv_val_is_int(index) && !dv_val_is_uint(index)) {
        dv_run_fail(run, "cannot index slice/array with type %s", dv_val_type(index));
        return false;
    }
    if (index.i < 0 || (size_t)index.i > cap) {
        dv_run_fail(run, "index out of range: %lld", (long long)index.i);
        return false;
    }
    *ret_index = (size_t)index.i;
    return true;
}

/* As Go's reflect panics where the index is the length. */
static dv_val index_sequence(dv_run *run, dv_val item, dv_val index)
{
    size_t n = item.kind == DV_V_LIST ? dv_list_len(item.list) : item.n, i;

    if (!index_arg(run, index, n, &i))
        return DV_NONE_VAL;
    if (i == n)
        return dv_run_fail(run, "reflect: %s index out of range",
                           item.kind == DV_V_STRING ? "string" : "slice");
    if (item.kind == DV_V_LIST)
        return dv_val_element(item.list->type, item.list->at[i]);
    return (dv_val){.kind = DV_V_UINT8, .u = (unsigned char)item.s[i]};
}

static dv_val index_dict(dv_run *run, dv_val item, dv_val key)
{
    const dv_type *type = dv_dict_type(item.dict);
    const dv_val *found;

    if (dv_val_is_nil(key))
        return dv_run_fail(run, "value is nil; should be of type string");
    if (key.kind != DV_V_STRING)
        return dv_run_fail(run, "value has type %s; should be string", dv_val_type(key));
    found = dv_dict_get(item.dict, dv_val_str(key));
    if (found)
        return dv_val_element(type, *found);
    return type == &dv_type_string_dict ? dv_val_lit("") : DV_NIL_VAL;
}

static dv_val fn_index(dv_run *run, const dv_val *args, size_t n)
{
    dv_val item = args[0];

    if (dv_val_is_nil(item))
        return dv_run_fail(run, "index of untyped nil");
    for (size_t i = 1; i < n && !dv_run_failed(run); i++) {
        switch (item.kind) {
        case DV_V_NIL:
            return dv_run_fail(run, "index of nil pointer");
        case DV_V_LIST:
        case DV_V_STRING:
        case DV_V_BYTES:
            item = index_sequence(run, item, args[i]);
            break;
        case DV_V_DICT:
            item = index_dict(run, item, args[i]);
            break;
        default:
            return dv_run_fail(run, "can't index item of type %s", dv_val_type(item));
        }
    }
    return item;
}

static dv_val cut_list(dv_run *run, dv_val item, size_t from, size_t to)
{
    dv_list *part =
        dv_list_new(dv_run_heap(run), item.list ? item.list->type : &dv_type_any_list, 0);

    part->at = item.list ? item.list->at + from : NULL;
    part->n = part->cap = (uint32_t)(to - from);
    return dv_val_list(part);
}

static dv_val fn_slice(dv_run *run, const dv_val *args, size_t n)
{
    dv_val item = args[0];
    size_t count = n - 1, cap, at[3] = {0};

    if (dv_val_is_nil(item))
        return dv_run_fail(run, "slice of untyped nil");
    if (count > 3)
        return dv_run_fail(run, "too many slice indexes: %zu", count);
    if (item.kind == DV_V_STRING && count == 3)
        return dv_run_fail(run, "cannot 3-index slice a string");
    if (item.kind != DV_V_STRING && item.kind != DV_V_LIST && item.kind != DV_V_BYTES)
        return dv_run_fail(run, "can't slice item of type %s", dv_val_type(item));
    cap = at[1] = item.kind == DV_V_LIST ? dv_list_len(item.list) : item.n;
    for (size_t i = 0; i < count; i++) {
        if (args[i + 1].iface) /* which Go does not look into here */
            return dv_run_fail(run, "cannot index slice/array with type interface {}");
        if (!index_arg(run, args[i + 1], cap, &at[i]))
            return DV_NONE_VAL;
    }
    if (at[0] > at[1])
        return dv_run_fail(run, "invalid slice index: %zu > %zu", at[0], at[1]);
    if (count == 3 && at[1] > at[2])
        return dv_run_fail(run, "invalid slice index: %zu > %zu", at[1], at[2]);
    if (item.kind == DV_V_LIST)
        return cut_list(run, item, at[0], at[1]);
    item.s += at[0];
    item.n = (uint32_t)(at[1] - at[0]);
    return item;
}

static dv_val fn_len(dv_run *run, const dv_val *args, size_t n DV_UNUSED)
{
    switch (args[0].kind) {
    case DV_V_NIL:
        return dv_run_fail(run, "len of nil pointer");
    case DV_V_NONE:
        return dv_run_fail(run, "reflect: call of reflect.Value.Type on zero Value");
    case DV_V_STRING:
    case DV_V_BYTES:
        return dv_val_int(args[0].n);
    case DV_V_LIST:
        return dv_val_int((int64_t)dv_list_len(args[0].list));
    case DV_V_DICT:
        return dv_val_int((int64_t)dv_dict_len(args[0].dict));
    default:
        return dv_run_fail(run, "len of type %s", dv_val_type(args[0]));
    }
}

/* ---- Escaping ---- */

typedef void escape_fn(dv_buf *out, dv_str s);

static dv_val escape(dv_run *run, const dv_val *args, size_t n, escape_fn *add)
{
    dv_buf *out = dv_run_scratch(run);
    dv_val text = n == 1 && args[0].kind == DV_V_STRING ? args[0] : DV_NONE_VAL;

    if (text.kind == DV_V_NONE) {
        dv_val *shown = (dv_val *)(uintptr_t)args; /* the call's own */

        for (size_t i = 0; i < n; i++)
            if (dv_val_is_nil(args[i]))
                shown[i] = dv_val_lit("<no value>");
        dv_format_print(dv_run_heap(run), out, args, n);
        text = dv_run_text(run, out);
        out = dv_run_scratch(run);
    }
    add(out, dv_val_str(text));
    return dv_run_text(run, out);
}

static void add_html(dv_buf *out, dv_str s)
{
    static const struct {
        char c;
        const char *text;
    } escapes[] = {{'"', "&#34;"}, {'\'', "&#39;"}, {'&', "&amp;"},
                   {'<', "&lt;"},  {'>', "&gt;"},   {'\0', "\xef\xbf\xbd"}};

    for (size_t i = 0; i < s.n; i++) {
        const char *known = NULL;

        for (size_t k = 0; k < DV_LEN(escapes); k++)
            known = escapes[k].c == s.p[i] ? escapes[k].text : known;
        if (known)
            dv_buf_adds(out, known);
        else
            dv_buf_addc(out, s.p[i]);
    }
}

static void add_js(dv_buf *out, dv_str s)
{
    while (s.n) {
        unsigned char c = (unsigned char)s.p[0];

        if (c >= 0x80) {
            dv_str before = s;
            uint32_t rune = dv_rune_take(&s);

            if (dv_rune_is_print(rune))
                dv_buf_add(out, before.p, before.n - s.n);
            else
                dv_buf_addf(out, "\\u%04X", rune);
            continue;
        }
        s = dv_str_skip(s, 1);
        if (c == '\\' || c == '\'' || c == '"')
            dv_buf_addf(out, "\\%c", c);
        else if (c < ' ' || c == '<' || c == '>' || c == '&' || c == '=')
            dv_buf_addf(out, "\\u%04X", c);
        else
            dv_buf_addc(out, (char)c);
    }
}

static void add_query(dv_buf *out, dv_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] == ' ')
            dv_buf_addc(out, '+');
        else
            dv_buf_add_uri(out, (dv_str){s.p + i, 1});
}

static dv_val fn_html(dv_run *run, const dv_val *args, size_t n)
{
    return escape(run, args, n, add_html);
}

static dv_val fn_js(dv_run *run, const dv_val *args, size_t n)
{
    return escape(run, args, n, add_js);
}

static dv_val fn_urlquery(dv_run *run, const dv_val *args, size_t n)
{
    return escape(run, args, n, add_query);
}

static const dv_function functions[] = {
    {"and", "v.v", dv_builtin_and},
    {"call", "v.v", dv_builtin_call},
    {"eq", "v.v", dv_builtin_eq},
    {"ge", "vv", dv_builtin_ge},
    {"gt", "vv", dv_builtin_gt},
    {"html", ".a", fn_html},
    {"index", "v.v", fn_index},
    {"js", ".a", fn_js},
    {"le", "vv", dv_builtin_le},
    {"len", "v", fn_len},
    {"lt", "vv", dv_builtin_lt},
    {"ne", "vv", dv_builtin_ne},
    {"not", "v", fn_not},
    {"or", "v.v", dv_builtin_or},
    {"print", ".a", fn_print},
    {"printf", "s.a", fn_printf},
    {"println", ".a", fn_println},
    {"slice", "v.v", fn_slice},
    {"urlquery", ".a", fn_urlquery},
};
const dv_function_table dv_gotemplate_builtins = {functions, DV_LEN(functions)};
