/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "gotemplate/format.h"
#include "gotemplate/functions_internal.h"
#include "gotemplate/toml_text.h"

enum { INDENT = 2 };

typedef enum { KIND_NONE, KIND_PLAIN, KIND_TABLE, KIND_ARRAY, KIND_TABLES } kind;

typedef struct {
    dv_heap *heap;
    dv_buf *out, *fault;
    dv_buf key; /* of the table that is being written, quoted where it must be */
    unsigned depth, levels;
    size_t nodes; /* that were looked at */
} encoder;

static void write_members(encoder *e, const dv_dict *dict, bool in_line);

/* ---- What a value is in TOML ---- */

static bool failed(const encoder *e)
{
    return e->fault->n > 0;
}

/* Structs are what they are in JSON, but for times, which TOML knows. */
static dv_val resolve(encoder *e, dv_val value)
{
    if (value.kind == DV_V_OBJECT && value.object->type != &dv_type_time &&
        value.object->type->plain)
        return value.object->type->plain(e->heap, value.object->self);
    return value;
}

static kind kind_of(encoder *e, dv_val value);

static kind list_kind(encoder *e, const dv_list *list)
{
    bool tables = dv_list_len(list) > 0;

    if (dv_list_is_nil(list))
        return KIND_NONE;
    for (uint32_t i = 0; i < list->n && !failed(e); i++) {
        kind k = kind_of(e, list->at[i]);

        if (k == KIND_NONE && !failed(e))
            dv_buf_adds(e->fault, "toml: cannot encode array with nil element");
        tables &= k == KIND_TABLE;
    }
    return tables ? KIND_TABLES : KIND_ARRAY;
}

static kind kind_of(encoder *e, dv_val value)
{
    kind k = KIND_PLAIN;

    if (++e->levels > DV_VAL_DEPTH_MAX || ++e->nodes > DV_VAL_NODES_MAX) {
        dv_buf_adds(e->fault, "toml: a value is too large, or contains itself");
        return KIND_NONE;
    }
    value = resolve(e, value);
    if (dv_val_is_nil(value) || (value.kind == DV_V_DICT && !value.dict))
        k = KIND_NONE;
    else if (value.kind == DV_V_DICT)
        k = KIND_TABLE;
    else if (value.kind == DV_V_BYTES)
        k = KIND_ARRAY;
    else if (value.kind == DV_V_LIST)
        k = list_kind(e, value.list);
    e->levels--;
    return k;
}

/* ---- Texts ---- */

static void add_quoted(dv_buf *out, dv_str s)
{
    static const char codes[] = "\b\t\n\f\r\"\\", letters[] = "btnfr\"\\";

    dv_buf_addc(out, '"');
    for (size_t i = 0; i < s.n; i++) {
        const char *known = s.p[i] ? strchr(codes, s.p[i]) : NULL;

        if (known)
            dv_buf_addf(out, "\\%c", letters[known - codes]);
        else if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            dv_buf_addf(out, "\\u%04x", (unsigned char)s.p[i]);
        else
            dv_buf_addc(out, s.p[i]);
    }
    dv_buf_addc(out, '"');
}

static void add_key(dv_buf *out, dv_str key)
{
    bool bare = key.n > 0;

    for (size_t i = 0; i < key.n && bare; i++) {
        char c = key.p[i];

        bare = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '-';
    }
    if (bare)
        dv_buf_add_str(out, key);
    else
        add_quoted(out, key);
}

static void add_float(dv_buf *out, double value)
{
    size_t before = out->n;

    if (isnan(value) || isinf(value)) {
        dv_buf_adds(out, signbit(value) ? "-" : "");
        dv_buf_adds(out, isnan(value) ? "nan" : "inf");
        return;
    }
    dv_format_float(out, value);
    if (out->n > before && !strpbrk(out->p + before, ".e"))
        dv_buf_adds(out, ".0");
}

/* ---- Elements ---- */

static void add_element(encoder *e, dv_val value);

static void add_array(encoder *e, dv_val value)
{
    size_t n = dv_sequence_len(value);

    dv_buf_addc(e->out, '[');
    for (size_t i = 0; i < n && !failed(e) && !e->out->overflow; i++) {
        if (i)
            dv_buf_adds(e->out, ", ");
        add_element(e, dv_sequence_at(value, i));
    }
    dv_buf_addc(e->out, ']');
}

static void add_time(encoder *e, dv_val value)
{
    dv_val text = value.object->type->plain(e->heap, value.object->self);

    dv_buf_add_str(e->out, dv_val_str(text));
}

static void add_element(encoder *e, dv_val value)
{
    value = resolve(e, value);
    switch (value.kind) {
    case DV_V_STRING:
        add_quoted(e->out, dv_val_str(value));
        break;
    case DV_V_FLOAT:
        add_float(e->out, value.f);
        break;
    case DV_V_BYTES:
    case DV_V_LIST:
        add_array(e, value);
        break;
    case DV_V_DICT:
        dv_buf_addc(e->out, '{');
        write_members(e, value.dict, /* in_line= */ true);
        dv_buf_addc(e->out, '}');
        break;
    case DV_V_OBJECT:
        add_time(e, value);
        break;
    case DV_V_COMPLEX:
        dv_buf_adds(e->fault, "unsupported type: complex128");
        break;
    default:
        dv_format_value(e->heap, e->out, value);
    }
}

/* ---- Tables ---- */

static void new_line(encoder *e)
{
    if (e->out->n)
        dv_buf_addc(e->out, '\n');
}

static void indent(encoder *e, unsigned depth)
{
    dv_buf_fill(e->out, ' ', (size_t)INDENT * depth);
}

static void write_pair(encoder *e, dv_str key, dv_val value, bool in_line)
{
    if (!in_line)
        indent(e, e->depth);
    add_key(e->out, key);
    dv_buf_adds(e->out, " = ");
    add_element(e, value);
    if (!in_line)
        new_line(e);
}

/* A table, or each of an array of them, under its header. */
static void write_table(encoder *e, dv_str key, dv_val value, bool of_array)
{
    size_t before = e->key.n;

    if (before)
        dv_buf_addc(&e->key, '.');
    add_key(&e->key, key);
    if (of_array || e->depth == 0)
        new_line(e);
    indent(e, e->depth);
    dv_buf_addf(e->out, of_array ? "[[%s]]" : "[%s]", dv_buf_cstr(&e->key));
    new_line(e);
    e->depth++;
    write_members(e, value.dict, /* in_line= */ false);
    e->depth--;
    dv_buf_cut(&e->key, before);
}

static void write_member(encoder *e, const dv_member *member, kind k, bool in_line)
{
    dv_val value = resolve(e, member->value);

    if (in_line || k == KIND_PLAIN || k == KIND_ARRAY) {
        write_pair(e, member->key, value, in_line);
    } else if (k == KIND_TABLE) {
        write_table(e, member->key, value, /* of_array= */ false);
    } else {
        for (uint32_t i = 0; i < value.list->n && !failed(e); i++)
            write_table(e, member->key, resolve(e, value.list->at[i]), /* of_array= */ true);
    }
}

/* Plain values come before tables; nils are left out. Commas are where the library puts them. */
static void write_members(encoder *e, const dv_dict *dict, bool in_line)
{
    size_t n = dv_dict_len(dict), left[2] = {0};
    const dv_member *members = dv_dict_sorted(e->heap, dict);

    if (++e->levels > DV_VAL_DEPTH_MAX)
        dv_buf_adds(e->fault, "toml: a value contains itself");
    for (size_t i = 0; members && i < n && !failed(e); i++) {
        kind k = kind_of(e, members[i].value);

        left[k == KIND_TABLE || k == KIND_TABLES]++;
    }
    for (int tables = 0; tables < 2; tables++)
        for (size_t i = 0; members && i < n && !failed(e); i++) {
            kind k = kind_of(e, members[i].value);

            if ((k == KIND_TABLE || k == KIND_TABLES) != (tables == 1))
                continue;
            left[tables]--;
            if (k == KIND_NONE)
                continue;
            write_member(e, &members[i], k, in_line);
            if (in_line && (left[tables] || (!tables && left[1])))
                dv_buf_adds(e->out, ", ");
        }
    e->levels--;
}

bool dv_toml_encode(dv_heap *heap, dv_buf *out, dv_val value, dv_buf *fault)
{
    encoder e = {.heap = heap, .out = out, .fault = fault};

    dv_buf_init(&e.key, DV_LINE_MAX);
    value = resolve(&e, value);
    kind k = kind_of(&e, value);
    if (dv_val_is_nil(value))
        dv_buf_adds(fault, "reflect: call of reflect.Value.Type on zero Value");
    else if (k == KIND_TABLES)
        dv_buf_adds(fault, "toml: top-level values must be Go maps or structs");
    else if (k == KIND_TABLE)
        write_members(&e, value.dict, /* in_line= */ false);
    else if ((k != KIND_NONE || value.kind == DV_V_LIST) && !failed(&e))
        add_element(&e, value);
    out->overflow |= e.key.overflow;
    dv_buf_done(&e.key);
    return fault->n == 0;
}
