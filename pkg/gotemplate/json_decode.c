/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "gotemplate/format.h"
#include "gotemplate/json_text.h"
#include "gotemplate/numbers.h"
#include "base/unicode.h"

typedef struct {
    dv_heap *heap;
    dv_buf *fault;
    const char *p, *end;
    unsigned depth;
    dv_buf overflow; /* the first fault that is none of syntax */
} decoder;

static bool decode(decoder *d, dv_val *ret_value);

/* ---- Faults ---- */

/* Whether a blank would be wrong there, too: Go tries one at the end of the text. */
static bool refuses_blank(const char *where)
{
    return strncmp(where, "in ", 3) == 0 || strncmp(where, "after decimal", 13) == 0;
}

/* Where the text goes wrong, which may be its end. */
static bool fail(decoder *d, const char *where)
{
    bool at_end = d->p == d->end;

    if (at_end && (strcmp(where, "in string literal") == 0 || !refuses_blank(where))) {
        dv_buf_adds(d->fault, "unexpected end of JSON input");
        return false;
    }
    unsigned char c = at_end ? ' ' : (unsigned char)*d->p;
    dv_buf_adds(d->fault, "invalid character ");
    if (c == '\'')
        dv_buf_adds(d->fault, "'\\''");
    else if (c == '"')
        dv_buf_adds(d->fault, "'\"'");
    else
        dv_quote_rune(d->fault, c, /* ascii= */ false); /* Go takes the byte for a character */
    dv_buf_addf(d->fault, " %s", where);
    return false;
}

static void skip_blanks(decoder *d)
{
    while (d->p < d->end && (*d->p == ' ' || *d->p == '\t' || *d->p == '\r' || *d->p == '\n'))
        d->p++;
}

static bool at(const decoder *d, char c)
{
    return d->p < d->end && *d->p == c;
}

/* ---- Strings ---- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 32);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool take_hex(decoder *d, uint32_t *ret_rune)
{
    *ret_rune = 0;
    for (int i = 0; i < 4; i++, d->p++) {
        int digit = d->p < d->end ? hex_value(*d->p) : -1;

        if (digit < 0)
            return fail(d, "in \\u hexadecimal character escape");
        *ret_rune = *ret_rune << 4 | (uint32_t)digit;
    }
    return true;
}

/* A surrogate takes the escape behind it along, if that is its other half. */
static bool take_unicode(decoder *d, dv_buf *out)
{
    uint32_t rune, low;

    if (!take_hex(d, &rune))
        return false;
    if (rune >= 0xd800 && rune < 0xdc00 && d->end - d->p >= 6 && d->p[0] == '\\' &&
        d->p[1] == 'u') {
        const char *before = d->p;

        d->p += 2;
        if (!take_hex(d, &low))
            return false;
        if (low >= 0xdc00 && low < 0xe000)
            rune = 0x10000 + ((rune - 0xd800) << 10) + (low - 0xdc00);
        else
            d->p = before;
    }
    dv_rune_add(out, rune);
    return true;
}

static bool take_escape(decoder *d, dv_buf *out)
{
    static const char letters[] = "bfnrt\"\\/", codes[] = "\b\f\n\r\t\"\\/";
    const char *known = d->p < d->end && *d->p ? strchr(letters, *d->p) : NULL;

    if (known) {
        dv_buf_addc(out, codes[known - letters]);
        d->p++;
        return true;
    }
    if (!at(d, 'u'))
        return fail(d, "in string escape code");
    d->p++;
    return take_unicode(d, out);
}

/* Behind the quote, to behind the other. What is no UTF-8 becomes U+FFFD. */
static bool take_string(decoder *d, dv_val *ret_value)
{
    const char *start = d->p;

    while (d->p < d->end && *d->p != '"' && *d->p != '\\' && *d->p >= 0x20)
        d->p++;
    if (at(d, '"')) {
        *ret_value = dv_val_string(d->heap, (dv_str){start, (size_t)(d->p++ - start)});
        return true;
    }
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);
    dv_buf_add(&text, start, (size_t)(d->p - start));
    for (;;) {
        dv_str rest = {d->p, (size_t)(d->end - d->p)};

        if (at(d, '"'))
            break;
        if (!rest.n || (unsigned char)*d->p < 0x20)
            return fail(d, "in string literal");
        if (*d->p == '\\') {
            d->p++;
            if (!take_escape(d, &text))
                return false;
            continue;
        }
        dv_rune_add(&text, dv_rune_take(&rest));
        d->p = rest.p;
    }
    d->p++;
    *ret_value = dv_val_string(d->heap, dv_buf_str(&text));
    return true;
}

/* ---- Numbers and words ---- */

static bool skip_digits(decoder *d, const char *where)
{
    if (d->p == d->end || *d->p < '0' || *d->p > '9')
        return fail(d, where);
    while (d->p < d->end && *d->p >= '0' && *d->p <= '9')
        d->p++;
    return true;
}

static bool scan_number(decoder *d)
{
    if (at(d, '-'))
        d->p++;
    if (at(d, '0'))
        d->p++;
    else if (!skip_digits(d, "in numeric literal"))
        return false;
    if (at(d, '.')) {
        d->p++;
        if (!skip_digits(d, "after decimal point in numeric literal"))
            return false;
    }
    if (!at(d, 'e') && !at(d, 'E'))
        return true;
    d->p++;
    if (at(d, '+') || at(d, '-'))
        d->p++;
    return skip_digits(d, "in exponent of numeric literal");
}

static bool take_number(decoder *d, dv_val *ret_value)
{
    const char *start = d->p;
    double value = 0;

    if (!scan_number(d))
        return false;
    dv_str text = {start, (size_t)(d->p - start)};
    if (dv_number_float(text, &value) != DV_NUMBER_OK) {
        if (!d->overflow.n)
            dv_buf_addf(&d->overflow,
                        "json: cannot unmarshal number %.*s into Go value of type float64",
                        DV_FMT(text));
        *ret_value = DV_NIL_VAL;
        return true;
    }
    *ret_value = dv_val_float(value);
    return true;
}

static bool take_word(decoder *d, const char *word, dv_val value, dv_val *ret_value)
{
    for (const char *c = word; *c; c++, d->p++) {
        if (!at(d, *c)) {
            char where[64];

            snprintf(where, sizeof(where), "in literal %s (expecting '%c')", word, *c);
            return fail(d, where);
        }
    }
    *ret_value = value;
    return true;
}

/* ---- Collections ---- */

static bool enter(decoder *d)
{
    if (++d->depth <= DV_VAL_DEPTH_MAX)
        return true;
    dv_buf_adds(d->fault, "exceeded max depth");
    return false;
}

static bool take_array(decoder *d, dv_val *ret_value)
{
    dv_list *list = dv_list_new(d->heap, &dv_type_any_list, 0);
    dv_val element;

    *ret_value = dv_val_list(list);
    if (!enter(d))
        return false;
    d->p++;
    skip_blanks(d);
    if (!at(d, ']')) {
        for (;;) {
            if (!decode(d, &element))
                return false;
            dv_list_push(d->heap, list, element);
            skip_blanks(d);
            if (at(d, ']'))
                break;
            if (!at(d, ','))
                return fail(d, "after array element");
            d->p++;
        }
    }
    d->p++;
    d->depth--;
    return true;
}

static bool take_member(decoder *d, dv_dict *dict)
{
    dv_val key, value;

    skip_blanks(d);
    if (!at(d, '"'))
        return fail(d, "looking for beginning of object key string");
    d->p++;
    if (!take_string(d, &key))
        return false;
    skip_blanks(d);
    if (!at(d, ':'))
        return fail(d, "after object key");
    d->p++;
    if (!decode(d, &value))
        return false;
    dv_dict_set(d->heap, dict, dv_val_str(key), value);
    return true;
}

static bool take_object(decoder *d, dv_val *ret_value)
{
    dv_dict *dict = dv_dict_new(d->heap, &dv_type_any_dict);

    *ret_value = dv_val_dict(dict);
    if (!enter(d))
        return false;
    d->p++;
    skip_blanks(d);
    if (!at(d, '}')) {
        for (;;) {
            if (!take_member(d, dict))
                return false;
            skip_blanks(d);
            if (at(d, '}'))
                break;
            if (!at(d, ','))
                return fail(d, "after object key:value pair");
            d->p++;
        }
    }
    d->p++;
    d->depth--;
    return true;
}

static bool decode(decoder *d, dv_val *ret_value)
{
    skip_blanks(d);
    if (d->p == d->end || dv_heap_refused(d->heap))
        return fail(d, "looking for beginning of value");
    switch (*d->p) {
    case '{':
        return take_object(d, ret_value);
    case '[':
        return take_array(d, ret_value);
    case '"':
        d->p++;
        return take_string(d, ret_value);
    case 't':
        return take_word(d, "true", dv_val_bool(true), ret_value);
    case 'f':
        return take_word(d, "false", dv_val_bool(false), ret_value);
    case 'n':
        return take_word(d, "null", DV_NIL_VAL, ret_value);
    default:
        if (*d->p == '-' || (*d->p >= '0' && *d->p <= '9'))
            return take_number(d, ret_value);
        return fail(d, "looking for beginning of value");
    }
}

bool dv_json_decode(dv_heap *heap, dv_str text, dv_val *ret_value, dv_buf *fault)
{
    const char *start = text.p ? text.p : "";
    decoder d = {.heap = heap, .fault = fault, .p = start, .end = start + text.n};
    bool ok;

    dv_buf_init(&d.overflow, DV_LINE_MAX);
    ok = decode(&d, ret_value);
    if (ok) {
        skip_blanks(&d);
        ok = d.p == d.end || fail(&d, "after top-level value");
    }
    if (!ok)
        *ret_value = DV_NONE_VAL;
    if (ok && d.overflow.n) {
        dv_buf_add_str(fault, dv_buf_str(&d.overflow));
        ok = false;
    }
    dv_buf_done(&d.overflow);
    return ok;
}
