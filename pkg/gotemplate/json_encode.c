/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "base/crypto.h"
#include "base/decimal.h"
#include "gotemplate/format.h"
#include "gotemplate/json_text.h"
#include "base/unicode.h"

typedef struct {
    dv_heap *heap;
    dv_buf *out, *fault;
    dv_json_style style;
    unsigned depth;
} encoder;

static bool encode(encoder *e, dv_val value);

void dv_json_add_float(dv_buf *out, double value)
{
    /* Most numbers are small and whole. */
    if (fabs(value) < INT32_MAX && value == (double)(int)value && !(value == 0 && signbit(value))) {
        dv_buf_addf(out, "%d", (int)value);
        return;
    }
    dv_decimal d = dv_decimal_of(value);
    int exponent = d.point - 1;

    if (!d.n || (exponent >= -6 && exponent < 21)) {
        dv_decimal_add_plain(out, &d);
        return;
    }
    dv_buf_addf(out, "%s%c", d.negative ? "-" : "", d.digits[0]);
    if (d.n > 1)
        dv_buf_addf(out, ".%s", d.digits + 1);
    dv_buf_addf(out, "e%+d", exponent);
}

/* ---- Strings ---- */

static bool is_safe(unsigned char c, bool html)
{
    return c >= 0x20 && c < 0x80 && c != '"' && c != '\\' &&
           !(html && (c == '<' || c == '>' || c == '&'));
}

static void add_escape(dv_buf *out, unsigned char c)
{
    static const char codes[] = "\b\f\n\r\t\"\\", letters[] = "bfnrt\"\\";
    const char *known = c ? strchr(codes, c) : NULL;

    if (known)
        dv_buf_addf(out, "\\%c", letters[known - codes]);
    else
        dv_buf_addf(out, "\\u%04x", c);
}

static void add_string(encoder *e, dv_str s)
{
    dv_buf *out = e->out;

    dv_buf_addc(out, '"');
    while (s.n) {
        size_t run = 0;

        while (run < s.n && is_safe((unsigned char)s.p[run], e->style.escape_html))
            run++;
        dv_buf_add(out, s.p, run);
        s = dv_str_skip(s, run);
        if (!s.n)
            break;
        dv_str at = s;
        uint32_t rune = dv_rune_take(&s);
        if (rune < 0x80)
            add_escape(out, (unsigned char)rune);
        else if (rune == DV_RUNE_ERROR && at.n - s.n == 1)
            dv_buf_adds(out, "\\ufffd");
        else if (rune == 0x2028 || rune == 0x2029)
            dv_buf_addf(out, "\\u%04x", rune);
        else
            dv_buf_add(out, at.p, at.n - s.n);
    }
    dv_buf_addc(out, '"');
}

/* ---- Collections ---- */

static void new_line(encoder *e)
{
    if (!e->style.indent)
        return;
    dv_buf_addc(e->out, '\n');
    dv_buf_fill(e->out, ' ', (size_t)e->depth * 2);
}

static bool refuse(encoder *e, const char *what)
{
    dv_buf_addf(e->fault, "json: unsupported value: %s", what);
    return false;
}

/* The type in the message is the one at which Go notices. */
static bool enter(encoder *e, dv_val value)
{
    if (++e->depth < DV_VAL_DEPTH_MAX)
        return true;
    dv_buf_addf(e->fault, "json: unsupported value: encountered a cycle via %s",
                dv_val_type(value));
    return false;
}

static bool encode_list(encoder *e, dv_val value)
{
    const dv_list *list = value.list;

    if (dv_list_is_nil(list)) {
        dv_buf_adds(e->out, "null");
        return true;
    }
    if (!enter(e, value))
        return false;
    dv_buf_addc(e->out, '[');
    for (uint32_t i = 0; i < list->n && !e->out->overflow; i++) {
        if (i)
            dv_buf_addc(e->out, ',');
        new_line(e);
        if (!encode(e, list->at[i]))
            return false;
    }
    e->depth--;
    if (list->n)
        new_line(e);
    dv_buf_addc(e->out, ']');
    return true;
}

static bool encode_dict(encoder *e, dv_val value)
{
    size_t n = dv_dict_len(value.dict);
    const dv_member *members = dv_dict_sorted(e->heap, value.dict);

    if (!value.dict) {
        dv_buf_adds(e->out, "null");
        return true;
    }
    if (!enter(e, value))
        return false;
    dv_buf_addc(e->out, '{');
    for (size_t i = 0; members && i < n && !e->out->overflow; i++) {
        if (i)
            dv_buf_addc(e->out, ',');
        new_line(e);
        add_string(e, members[i].key);
        dv_buf_adds(e->out, e->style.indent ? ": " : ":");
        if (!encode(e, members[i].value))
            return false;
    }
    e->depth--;
    if (n)
        new_line(e);
    dv_buf_addc(e->out, '}');
    return true;
}

/* ---- Values ---- */

static bool encode_float(encoder *e, double value)
{
    if (isnan(value) || isinf(value))
        return refuse(e, isnan(value) ? "NaN" : value < 0 ? "-Inf" : "+Inf");
    dv_json_add_float(e->out, value);
    return true;
}

static bool encode_object(encoder *e, dv_val value)
{
    const dv_type *type = value.object->type;

    if (!type->plain) {
        dv_buf_adds(e->out, "{}");
        return true;
    }
    if (!enter(e, value))
        return false;
    bool ok = encode(e, type->plain(e->heap, value.object->self));
    e->depth--;
    return ok;
}

static bool encode(encoder *e, dv_val value)
{
    switch (value.kind) {
    case DV_V_NONE:
    case DV_V_NIL:
        dv_buf_adds(e->out, "null");
        return true;
    case DV_V_BOOL:
        dv_buf_adds(e->out, value.b ? "true" : "false");
        return true;
    case DV_V_INT:
    case DV_V_INT64:
        dv_buf_addf(e->out, "%lld", (long long)value.i);
        return true;
    case DV_V_UINT8:
    case DV_V_UINT32:
    case DV_V_UINT64:
        dv_buf_addf(e->out, "%llu", (unsigned long long)value.u);
        return true;
    case DV_V_FLOAT:
        return encode_float(e, value.f);
    case DV_V_COMPLEX:
        dv_buf_adds(e->fault, "json: unsupported type: complex128");
        return false;
    case DV_V_STRING:
        add_string(e, dv_val_str(value));
        return true;
    case DV_V_BYTES:
        dv_buf_addc(e->out, '"');
        dv_base64_add(e->out, dv_val_str(value));
        dv_buf_addc(e->out, '"');
        return true;
    case DV_V_LIST:
        return encode_list(e, value);
    case DV_V_DICT:
        return encode_dict(e, value);
    default:
        return encode_object(e, value);
    }
}

bool dv_json_encode(dv_heap *heap, dv_buf *out, dv_val value, dv_json_style style, dv_buf *fault)
{
    encoder e = {.heap = heap, .out = out, .fault = fault, .style = style};
    size_t before = out->n;

    if (encode(&e, value))
        return true;
    dv_buf_cut(out, before);
    return false;
}
