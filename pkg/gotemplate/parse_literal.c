/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/format.h"
#include "gotemplate/numbers.h"
#include "gotemplate/parse_internal.h"

bool dv_parse_unquote(parser *p, dv_str quoted, dv_str *ret_text)
{
    DV_CLEANUP(dv_buf_done)
    dv_buf text = DV_BUF_INIT(quoted.n * 3 + 1); /* a byte may become U+FFFD */

    if (!dv_unquote(quoted, &text)) {
        dv_parse_fail(p, "invalid syntax");
        return false;
    }
    *ret_text = (dv_str){dv_arena_dup(p->target->arena, dv_buf_str(&text)), text.n};
    return true;
}

static void set_ideal(number *num)
{
    bool hex = num->text.n > 2 && num->text.p[0] == '0' && (num->text.p[1] | 32) == 'x' &&
               !memchr(num->text.p, 'p', num->text.n) && !memchr(num->text.p, 'P', num->text.n);
    bool looks_real = false;

    for (size_t i = 0; i < num->text.n; i++)
        looks_real |= strchr(".eEpP", num->text.p[i]) != NULL;
    if (num->is_float && !hex && num->text.p[0] != '\'' && looks_real)
        num->ideal = dv_val_float(num->f);
    else if (num->is_int)
        num->ideal = dv_val_int(num->i);
}

static void set_from_float(number *num, double f)
{
    num->is_float = true;
    num->f = f;
    if (!num->is_int && f >= -0x1p63 && f < 0x1p63 && (double)(int64_t)f == f) {
        num->is_int = true;
        num->i = (int64_t)f;
    }
    if (!num->is_uint && f >= 0 && f < 0x1p64 && (double)(uint64_t)f == f) {
        num->is_uint = true;
        num->u = (uint64_t)f;
    }
}

static void set_imaginary(parser *p, number *num, double real, double imaginary)
{
    double *parts = dv_parse_alloc(p, 2 * sizeof(*parts));

    num->is_complex = true;
    num->imaginary = imaginary;
    if (imaginary == 0)
        set_from_float(num, real);
    parts[0] = real;
    parts[1] = imaginary;
    num->ideal = (dv_val){.kind = DV_V_COMPLEX, .c = parts};
}

/* "1+2i": the sign between the parts is the last that does not belong to an exponent. */
static bool read_complex(parser *p, number *num, dv_str text)
{
    size_t at = text.n - 1;
    double real = 0, imaginary = 0;

    while (at > 0 && !((text.p[at] == '+' || text.p[at] == '-') && !strchr("eEpP", text.p[at - 1])))
        at--;
    dv_str second = dv_str_head(dv_str_skip(text, at), text.n - at - 1);
    if ((at && dv_number_float(dv_str_head(text, at), &real)) ||
        dv_number_float(second, &imaginary))
        return false;
    set_imaginary(p, num, real, imaginary);
    return true;
}

static bool read_char(parser *p, number *num, dv_str text)
{
    dv_str body = dv_str_skip(text, 1);
    uint32_t rune;

    if (!dv_unquote_char(&body, '\'', &rune)) {
        dv_parse_fail(p, "invalid syntax");
        return false;
    }
    if (!dv_str_is(body, "'")) {
        dv_parse_fail(p, "malformed character constant: %.*s", DV_FMT(text));
        return false;
    }
    num->is_int = num->is_uint = num->is_float = true;
    num->i = rune;
    num->u = rune;
    num->f = rune;
    return true;
}

static bool read_real_or_int(parser *p, number *num, dv_str text)
{
    DV_CLEANUP(dv_buf_done) dv_buf quoted = DV_BUF_INIT(DV_PARSE_MESSAGE_MAX);
    double f;

    num->is_uint = dv_number_uint(text, 0, &num->u) == DV_NUMBER_OK && text.p[0] != '+';
    num->is_int = dv_number_int(text, 0, &num->i) == DV_NUMBER_OK;
    if (num->is_int && num->i == 0)
        num->is_uint = true; /* "-0" */
    if (num->is_int || num->is_uint) {
        num->is_float = true;
        num->f = num->is_int ? (double)num->i : (double)num->u;
        return true;
    }
    dv_quote(&quoted, text);
    if (dv_number_float(text, &f)) {
        dv_parse_fail(p, "illegal number syntax: %s", dv_buf_cstr(&quoted));
        return false;
    }
    bool integer = true;
    for (size_t i = 0; i < text.n; i++)
        integer &= !strchr(".eEpP", text.p[i]);
    if (integer)
        dv_parse_fail(p, "integer overflow: %s", dv_buf_cstr(&quoted));
    set_from_float(num, f);
    return !integer;
}

node *dv_parse_number(parser *p, const item *word)
{
    node *n = dv_parse_make(p, NODE_NUMBER, word->pos);
    number *num = &n->number;
    double f;

    num->text = word->text;
    if (word->type == ITEM_CHAR_CONSTANT) {
        read_char(p, num, word->text);
    } else if (word->type == ITEM_COMPLEX) {
        if (!read_complex(p, num, word->text))
            dv_parse_fail(p, "syntax error scanning complex number");
        return n;
    } else if (word->text.p[word->text.n - 1] == 'i' &&
               dv_number_float(dv_str_head(word->text, word->text.n - 1), &f) == DV_NUMBER_OK) {
        set_imaginary(p, num, 0, f);
        return n;
    } else {
        read_real_or_int(p, num, word->text);
    }
    set_ideal(num);
    return n;
}

node *dv_parse_string(parser *p, const item *word)
{
    node *n = dv_parse_make(p, NODE_STRING, word->pos);

    n->string.quoted = word->text;
    dv_parse_unquote(p, word->text, &n->string.text);
    return n;
}
