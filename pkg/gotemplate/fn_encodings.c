/* SPDX-License-Identifier: Apache-2.0 */
/* Base64, base32, JSON. */
#include "base/crypto.h"
#include "gotemplate/functions_internal.h"
#include "gotemplate/encodings_internal.h"
#include "gotemplate/json_text.h"

/* ---- Base64 ---- */

DV_FN(b64enc)
{
    dv_buf *out = dv_run_scratch(run);

    dv_base64_add(out, DV_ARG(0));
    return dv_run_text(run, out);
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static bool is_newline(char c)
{
    return c == '\n' || c == '\r';
}

/* Behind "=" at place 2 or 3 of a group; -1: fine, else where the fault is. */
static ptrdiff_t check_padding(dv_str s, size_t at, int place)
{
    if (place < 2)
        return (ptrdiff_t)at - 1;
    while (at < s.n && is_newline(s.p[at]))
        at++;
    if (place == 2) {
        if (at == s.n)
            return (ptrdiff_t)s.n;
        if (s.p[at] != '=')
            return (ptrdiff_t)at - 1;
        at++;
        while (at < s.n && is_newline(s.p[at]))
            at++;
    }
    return at < s.n ? (ptrdiff_t)at : -1;
}

static void add_group(dv_buf *out, uint32_t bits, int places)
{
    const char bytes[] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};

    if (places > 1)
        dv_buf_add(out, bytes, (size_t)places - 1);
}

ptrdiff_t dv_base64_read(dv_str s, dv_buf *out)
{
    size_t at = 0;

    for (;;) {
        uint32_t bits = 0;
        int place = 0;

        while (place < 4) {
            if (at == s.n)
                return place ? (ptrdiff_t)at - place : -1;
            char c = s.p[at++];
            int value = base64_value(c);
            if (value >= 0) {
                bits |= (uint32_t)value << (18 - 6 * place++);
            } else if (c == '=') {
                ptrdiff_t fault = check_padding(s, at, place);

                if (fault < 0)
                    add_group(out, bits, place);
                return fault;
            } else if (!is_newline(c)) {
                return (ptrdiff_t)at - 1;
            }
        }
        add_group(out, bits, 4);
    }
}

DV_FN(b64dec)
{
    dv_buf *out = dv_run_scratch(run);
    ptrdiff_t fault = dv_base64_read(DV_ARG(0), out);

    if (fault >= 0) {
        dv_buf_reset(out);
        dv_buf_addf(out, "illegal base64 data at input byte %td", fault);
    }
    return dv_run_text(run, out);
}

/* ---- Base32 (RFC 4648, section 6) ---- */

DV_FN(b32enc)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    dv_buf *out = dv_run_scratch(run);
    dv_str s = DV_ARG(0);

    for (size_t at = 0; at < s.n; at += 5) {
        size_t left = DV_MIN(s.n - at, (size_t)5), used = (left * 8 + 4) / 5;
        uint64_t bits = 0;

        for (size_t i = 0; i < 5; i++)
            bits = bits << 8 | (i < left ? (unsigned char)s.p[at + i] : 0);
        for (size_t i = 0; i < 8; i++)
            dv_buf_addc(out, i < used ? alphabet[bits >> (35 - 5 * i) & 31] : '=');
    }
    return dv_run_text(run, out);
}

static int base32_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    return c >= '2' && c <= '7' ? c - '2' + 26 : -1;
}

/* Padding from s[at] on, the first sign of which stood at place; -1: fine, else where it fails. */
static ptrdiff_t check_padding32(dv_str s, size_t at, int place)
{
    size_t left = s.n - at;

    if (left + (size_t)place < 7)
        return (ptrdiff_t)s.n;
    for (size_t k = 0; k < (size_t)(7 - place); k++)
        if (left > k && s.p[at + k] != '=')
            return (ptrdiff_t)(at + k) - 1;
    return place == 1 || place == 3 || place == 6 ? (ptrdiff_t)at - 1 : -1;
}

static void add_group32(dv_buf *out, uint64_t bits, int places)
{
    for (int i = 0; i < places * 5 / 8; i++)
        dv_buf_addc(out, (char)(bits >> (32 - 8 * i)));
}

static ptrdiff_t read_base32(dv_str s, dv_buf *out)
{
    for (size_t at = 0; at < s.n;) {
        uint64_t bits = 0;
        int place = 0;

        while (place < 8) {
            if (at == s.n)
                return (ptrdiff_t)at - place;
            char c = s.p[at++];
            if (c == '=' && place >= 2 && s.n - at < 8) {
                ptrdiff_t fault = check_padding32(s, at, place);

                if (fault < 0)
                    add_group32(out, bits, place);
                return fault;
            }
            int value = base32_value(c);
            if (value < 0)
                return (ptrdiff_t)at - 1;
            bits |= (uint64_t)value << (35 - 5 * place++);
        }
        add_group32(out, bits, 8);
    }
    return -1;
}

DV_FN(b32dec)
{
    DV_CLEANUP(dv_buf_done) dv_buf lines = DV_BUF_INIT((size_t)args[0].n + 1);
    dv_buf *out = dv_run_scratch(run);

    for (uint32_t i = 0; i < args[0].n; i++)
        if (!is_newline(args[0].s[i]))
            dv_buf_addc(&lines, args[0].s[i]);
    ptrdiff_t fault = read_base32(dv_buf_str(&lines), out);
    if (fault >= 0) {
        dv_buf_reset(out);
        dv_buf_addf(out, "illegal base32 data at input byte %td", fault);
    }
    return dv_run_text(run, out);
}

/* ---- JSON ---- */

/* must: a value without JSON is an error; else its text is empty. */
static dv_val to_json(dv_run *run, dv_val value, dv_json_style style, bool must)
{
    DV_CLEANUP(dv_buf_done) dv_buf fault = DV_BUF_INIT(DV_LINE_MAX);
    dv_buf *out = dv_run_scratch(run);

    if (!dv_json_encode(dv_run_heap(run), out, value, style, &fault) && must)
        return dv_run_fail_text(run, dv_buf_str(&fault));
    return dv_run_text(run, out);
}

static const dv_json_style compact = {.escape_html = true};
static const dv_json_style pretty = {.escape_html = true, .indent = true};
static const dv_json_style raw = {.escape_html = false};

DV_FN(toJson)
{
    return to_json(run, args[0], compact, /* must= */ false);
}

DV_FN(mustToJson)
{
    return to_json(run, args[0], compact, /* must= */ true);
}

DV_FN(toPrettyJson)
{
    return to_json(run, args[0], pretty, /* must= */ false);
}

DV_FN(mustToPrettyJson)
{
    return to_json(run, args[0], pretty, /* must= */ true);
}

DV_FN(toRawJson)
{
    return to_json(run, args[0], raw, /* must= */ true);
}

DV_FN(mustFromJson)
{
    DV_CLEANUP(dv_buf_done) dv_buf fault = DV_BUF_INIT(DV_LINE_MAX);
    dv_val value;

    if (!dv_json_decode(dv_run_heap(run), DV_ARG(0), &value, &fault))
        return dv_run_fail_text(run, dv_buf_str(&fault));
    return value;
}

/* What Go says of a value that does not go into a variable of the type; NULL: it does. */
static const char *json_kind(dv_val value)
{
    switch (value.kind) {
    case DV_V_BOOL:
        return "bool";
    case DV_V_FLOAT:
        return "number";
    case DV_V_STRING:
        return "string";
    case DV_V_LIST:
        return "array";
    default:
        return "object";
    }
}

dv_val dv_fit_dict(dv_run *run, dv_val value, const char *what, dv_str fault)
{
    dv_heap *heap = dv_run_heap(run);
    bool fits = dv_val_is_nil(value) || value.kind == DV_V_DICT;
    dv_dict *dict = value.kind == DV_V_DICT ? value.dict : NULL;
    dv_buf *text = dv_run_scratch(run);

    if (fits && !fault.n)
        return dv_val_dict(dict);
    if (!dict)
        dict = dv_dict_new(heap, &dv_type_any_dict);
    if (fits)
        dv_buf_add_str(text, fault);
    else
        dv_buf_addf(text, "%s: cannot unmarshal %s into Go value of type %s", what,
                    json_kind(value), dv_type_any_dict.name);
    dv_dict_set(heap, dict, DV_STR("Error"), dv_run_text(run, text));
    return dv_val_dict(dict);
}

dv_val dv_fit_list(dv_run *run, dv_val value, const char *what, dv_str fault)
{
    dv_heap *heap = dv_run_heap(run);
    dv_buf *text = dv_run_scratch(run);

    bool fits = dv_val_is_nil(value) || value.kind == DV_V_LIST;

    if (fits && !fault.n)
        return dv_val_list(value.kind == DV_V_LIST ? value.list : NULL);
    if (fits)
        dv_buf_add_str(text, fault);
    else
        dv_buf_addf(text, "%s: cannot unmarshal %s into Go value of type %s", what,
                    json_kind(value), dv_type_any_list.name);
    dv_list *list = dv_list_new(heap, &dv_type_any_list, 1);
    dv_list_push(heap, list, dv_run_text(run, text));
    return dv_val_list(list);
}

DV_FN(fromJson)
{
    DV_CLEANUP(dv_buf_done) dv_buf fault = DV_BUF_INIT(DV_LINE_MAX);
    dv_val value;

    dv_json_decode(dv_run_heap(run), DV_ARG(0), &value, &fault);
    return dv_fit_dict(run, value, "json", dv_buf_str(&fault));
}

DV_FN(fromJsonArray)
{
    DV_CLEANUP(dv_buf_done) dv_buf fault = DV_BUF_INIT(DV_LINE_MAX);
    dv_val value;

    dv_json_decode(dv_run_heap(run), DV_ARG(0), &value, &fault);
    return dv_fit_list(run, value, "json", dv_buf_str(&fault));
}
