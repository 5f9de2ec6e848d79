/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/format_internal.h"

#include <math.h>

#include "base/decimal.h"
#include "base/unicode.h"

enum { EXPONENT_FROM = 6, WHOLE_BELOW = 1000000 };

/* ---- Collections ---- */

static void print_list(printer *p, const dv_list *list, uint32_t verb)
{
    if (p->sharp_v) {
        dv_buf_adds(p->out, list ? list->type->name : dv_type_any_list.name);
        if (dv_list_is_nil(list)) {
            dv_buf_adds(p->out, "(nil)");
            return;
        }
    }
    dv_buf_addc(p->out, p->sharp_v ? '{' : '[');
    for (size_t i = 0; i < dv_list_len(list) && !p->out->overflow; i++) {
        if (i)
            dv_buf_adds(p->out, p->sharp_v ? ", " : " ");
        dv_print_value(p, list->at[i], verb);
    }
    dv_buf_addc(p->out, p->sharp_v ? '}' : ']');
}

static void print_dict(printer *p, const dv_dict *dict, uint32_t verb)
{
    const dv_member *members = dv_dict_sorted(p->heap, dict);

    dv_buf_adds(p->out, p->sharp_v ? dv_dict_type(dict)->name : "map");
    if (p->sharp_v && !dict) {
        dv_buf_adds(p->out, "(nil)");
        return;
    }
    dv_buf_addc(p->out, p->sharp_v ? '{' : '[');
    for (size_t i = 0; members && i < dv_dict_len(dict) && !p->out->overflow; i++) {
        if (i)
            dv_buf_adds(p->out, p->sharp_v ? ", " : " ");
        dv_print_value(p, dv_val_borrow(members[i].key), verb);
        dv_buf_addc(p->out, ':');
        dv_print_value(p, members[i].value, verb);
    }
    dv_buf_addc(p->out, p->sharp_v ? '}' : ']');
}

/* What prints itself does so for the verbs of texts; else the fields stand in braces. */
static void print_object(printer *p, dv_val value, uint32_t verb)
{
    const dv_type *type = value.object->type;
    bool textual = verb < 0x80 && verb && strchr("vsxXq", (int)verb);

    if (!type->print) {
        dv_print_bad_verb(p, verb, DV_NIL_VAL);
    } else if (type->is_stringer && textual && !p->sharp_v) {
        DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);

        type->print(value.object->self, &text);
        dv_print_string(p, dv_val_borrow(dv_buf_str(&text)), verb);
    } else {
        type->print(value.object->self, p->out);
    }
}

static void print_complex(printer *p, dv_val value, uint32_t verb)
{
    bool plus = p->plus;

    dv_buf_addc(p->out, '(');
    dv_print_float(p, value.c[0], verb, value);
    p->plus = true;
    dv_print_float(p, value.c[1], verb, value);
    dv_buf_adds(p->out, "i)");
    p->plus = plus;
}

static void print_bool(printer *p, dv_val value, uint32_t verb)
{
    if (verb == 't' || verb == 'v')
        dv_print_padded(p, value.b ? DV_STR("true") : DV_STR("false"));
    else
        dv_print_bad_verb(p, verb, value);
}

static void print_bytes(printer *p, dv_val value, uint32_t verb)
{
    if (verb == 's' || verb == 'q' || verb == 'x' || verb == 'X') {
        dv_print_string(p, value, verb);
        return;
    }
    dv_buf_adds(p->out, p->sharp_v ? "[]byte{" : "[");
    for (uint32_t i = 0; i < value.n && !p->out->overflow; i++) {
        dv_val byte = {.kind = DV_V_UINT8, .u = (unsigned char)value.s[i]};

        if (i)
            dv_buf_adds(p->out, p->sharp_v ? ", " : " ");
        if (p->sharp_v)
            dv_buf_addf(p->out, "0x%x", (unsigned)byte.u);
        else
            dv_print_integer(p, byte.u, /* is_signed= */ false, verb, byte);
    }
    dv_buf_addc(p->out, p->sharp_v ? '}' : ']');
}

/* ---- Values ---- */

static void print_nil(printer *p, uint32_t verb)
{
    if (p->depth > 1)
        dv_buf_adds(p->out, p->sharp_v ? "interface {}(nil)" : "<nil>");
    else if (verb == 'v' || verb == 'T')
        dv_print_padded(p, DV_STR("<nil>"));
    else
        dv_print_bad_verb(p, verb, DV_NIL_VAL);
}

static void print_by_kind(printer *p, dv_val value, uint32_t verb)
{
    switch (value.kind) {
    case DV_V_NONE:
    case DV_V_NIL:
        print_nil(p, verb);
        break;
    case DV_V_BOOL:
        print_bool(p, value, verb);
        break;
    case DV_V_INT:
    case DV_V_INT64:
        dv_print_integer(p, value.u, /* is_signed= */ true, verb, value);
        break;
    case DV_V_UINT8:
    case DV_V_UINT32:
    case DV_V_UINT64:
        dv_print_integer(p, value.u, /* is_signed= */ false, verb, value);
        break;
    case DV_V_FLOAT:
        dv_print_float(p, value.f, verb, value);
        break;
    case DV_V_COMPLEX:
        print_complex(p, value, verb);
        break;
    case DV_V_STRING:
        dv_print_string(p, value, verb);
        break;
    case DV_V_BYTES:
        print_bytes(p, value, verb);
        break;
    case DV_V_LIST:
        print_list(p, value.list, verb);
        break;
    case DV_V_DICT:
        print_dict(p, value.dict, verb);
        break;
    case DV_V_OBJECT:
        print_object(p, value, verb);
        break;
    }
}

void dv_print_value(printer *p, dv_val value, uint32_t verb)
{
    if (p->depth == DV_VAL_DEPTH_MAX) {
        dv_buf_adds(p->out, "...");
        return;
    }
    p->depth++;
    if (p->depth == 1 && verb == 'T')
        dv_print_string(p, dv_val_lit(dv_val_type(value)), 's');
    else
        print_by_kind(p, value, verb);
    p->depth--;
}

void dv_format_value(dv_heap *heap, dv_buf *out, dv_val value)
{
    printer p = {.out = out, .heap = heap};

    if (value.kind == DV_V_STRING)
        dv_buf_add_str(out, dv_val_str(value));
    else if (dv_val_is_int(value))
        dv_buf_addf(out, "%lld", (long long)value.i);
    else if (value.kind == DV_V_FLOAT)
        dv_format_float(out, value.f);
    else
        dv_print_value(&p, value, 'v');
}

dv_str dv_format_text(dv_heap *heap, dv_buf *scratch, dv_val value)
{
    if (value.kind == DV_V_STRING || value.kind == DV_V_BYTES)
        return dv_val_str(value);
    dv_buf_reset(scratch);
    dv_format_value(heap, scratch, value);
    return dv_buf_str(scratch);
}

void dv_format_print(dv_heap *heap, dv_buf *out, const dv_val *args, size_t n)
{
    bool text_before = false;

    for (size_t i = 0; i < n; i++) {
        bool is_text = args[i].kind == DV_V_STRING;

        if (i && !is_text && !text_before)
            dv_buf_addc(out, ' ');
        dv_format_value(heap, out, args[i]);
        text_before = is_text;
    }
}

void dv_format_println(dv_heap *heap, dv_buf *out, const dv_val *args, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i)
            dv_buf_addc(out, ' ');
        dv_format_value(heap, out, args[i]);
    }
    dv_buf_addc(out, '\n');
}

void dv_format_float(dv_buf *out, double value)
{
    /* Most numbers are small and whole. */
    if (fabs(value) < WHOLE_BELOW && value == (double)(int)value &&
        !(value == 0 && signbit(value))) {
        dv_buf_addf(out, "%d", (int)value);
    } else if (isnan(value)) {
        dv_buf_adds(out, "NaN");
    } else if (isinf(value)) {
        dv_buf_adds(out, value < 0 ? "-Inf" : "+Inf");
    } else {
        dv_decimal decimal = dv_decimal_of(value);

        dv_decimal_add_general(out, &decimal, EXPONENT_FROM);
    }
}
