/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/format_internal.h"

#include "base/unicode.h"

typedef struct {
    dv_str rest;
    const dv_val *args;
    size_t n, at;
    bool good_index, after_index, reordered;
} format_reader;

/* Digits off the front; false: none, or too many. */
static bool take_number(dv_str *s, int *ret_value)
{
    int value = 0;
    size_t n = 0;

    for (; n < s->n && s->p[n] >= '0' && s->p[n] <= '9'; n++) {
        if (value > DV_FORMAT_WIDTH_MAX) {
            *ret_value = 0;
            *s = (dv_str){s->p + s->n, 0}; /* Go gives up on the rest, too */
            return false;
        }
        value = value * 10 + (s->p[n] - '0');
    }
    *s = dv_str_skip(*s, n);
    *ret_value = value;
    return n > 0;
}

/* "[n]" before a verb, width or precision. */
static void take_index(format_reader *r)
{
    ptrdiff_t close;
    int index = 0;

    r->after_index = false;
    if (!r->rest.n || r->rest.p[0] != '[')
        return;
    r->reordered = true;
    close = dv_str_find(r->rest, ']');
    if (close < 0) {
        r->good_index = false;
        r->rest = dv_str_skip(r->rest, 1);
        return;
    }
    dv_str digits = dv_str_head(dv_str_skip(r->rest, 1), (size_t)close - 1);
    r->rest = dv_str_skip(r->rest, (size_t)close + 1);
    bool ok = take_number(&digits, &index) && !digits.n;
    r->after_index = ok;
    if (ok && index >= 1 && (size_t)index <= r->n) {
        r->at = (size_t)index - 1;
        return;
    }
    r->good_index = false;
}

/* The int argument that "*" takes; false: it is none, or too large. */
static bool take_star(format_reader *r, int *ret_value)
{
    *ret_value = 0;
    if (r->at >= r->n)
        return false;
    dv_val arg = r->args[r->at++];
    if (!dv_val_is_int(arg) && !dv_val_is_uint(arg))
        return false;
    if (arg.i > DV_FORMAT_WIDTH_MAX || arg.i < -DV_FORMAT_WIDTH_MAX)
        return false;
    *ret_value = (int)arg.i;
    return true;
}

static bool take_char(format_reader *r, char c)
{
    if (!r->rest.n || r->rest.p[0] != c)
        return false;
    r->rest = dv_str_skip(r->rest, 1);
    return true;
}

static void read_flags(format_reader *r, printer *p)
{
    for (; r->rest.n; r->rest = dv_str_skip(r->rest, 1)) {
        switch (r->rest.p[0]) {
        case '#':
            p->sharp = true;
            break;
        case '0':
            p->zero = true;
            break;
        case '+':
            p->plus = true;
            break;
        case '-':
            p->minus = true;
            break;
        case ' ':
            p->space = true;
            break;
        default:
            return;
        }
    }
}

static void read_width(format_reader *r, printer *p)
{
    if (!take_char(r, '*')) {
        p->has_width = take_number(&r->rest, &p->width);
        if (r->after_index && p->has_width)
            r->good_index = false;
        return;
    }
    p->has_width = take_star(r, &p->width);
    if (!p->has_width)
        dv_buf_adds(p->out, "%!(BADWIDTH)");
    if (p->width < 0) {
        p->width = -p->width;
        p->minus = true;
        p->zero = false;
    }
    r->after_index = false;
}

static void read_precision(format_reader *r, printer *p)
{
    if (r->rest.n < 2 || r->rest.p[0] != '.')
        return;
    r->rest = dv_str_skip(r->rest, 1);
    if (r->after_index)
        r->good_index = false;
    take_index(r);
    if (!take_char(r, '*')) {
        take_number(&r->rest, &p->precision);
        p->has_precision = true;
        return;
    }
    p->has_precision = take_star(r, &p->precision);
    if (p->precision < 0) {
        p->precision = 0;
        p->has_precision = false;
    }
    if (!p->has_precision)
        dv_buf_adds(p->out, "%!(BADPREC)");
    r->after_index = false;
}

static void complain(dv_buf *out, uint32_t verb, const char *what)
{
    dv_buf_adds(out, "%!");
    dv_rune_add(out, verb);
    dv_buf_addf(out, "(%s)", what);
}

static void print_verb(format_reader *r, printer *p, uint32_t verb)
{
    if (verb == '%') {
        dv_buf_addc(p->out, '%');
    } else if (!r->good_index) {
        complain(p->out, verb, "BADINDEX");
    } else if (r->at >= r->n) {
        complain(p->out, verb, "MISSING");
    } else {
        if (verb == 'v' || verb == 'w') {
            p->sharp_v = p->sharp;
            p->plus_v = p->plus;
            p->sharp = p->plus = false;
        }
        dv_print_value(p, r->args[r->at++], verb);
    }
}

/* What stands behind the "%". */
static void print_one(format_reader *r, printer *p)
{
    r->good_index = true;
    r->after_index = false;
    read_flags(r, p);
    take_index(r);
    read_width(r, p);
    read_precision(r, p);
    if (!r->after_index)
        take_index(r);
    if (r->rest.n)
        print_verb(r, p, dv_rune_take(&r->rest));
    else
        dv_buf_adds(p->out, "%!(NOVERB)");
}

static void print_extra(const format_reader *r, dv_heap *heap, dv_buf *out)
{
    dv_buf_adds(out, "%!(EXTRA ");
    for (size_t i = r->at; i < r->n; i++) {
        if (i > r->at)
            dv_buf_adds(out, ", ");
        dv_buf_adds(out, dv_val_type(r->args[i]));
        if (dv_val_is_nil(r->args[i]))
            continue;
        dv_buf_addc(out, '=');
        dv_format_value(heap, out, r->args[i]);
    }
    dv_buf_addc(out, ')');
}

void dv_format_printf(dv_heap *heap, dv_buf *out, dv_str format, const dv_val *args, size_t n)
{
    format_reader r = {.rest = format, .args = args, .n = n};

    while (r.rest.n && !out->overflow) {
        const char *percent = memchr(r.rest.p, '%', r.rest.n);
        size_t run = percent ? (size_t)(percent - r.rest.p) : r.rest.n;

        dv_buf_add(out, r.rest.p, run);
        r.rest = dv_str_skip(r.rest, run);
        if (!percent)
            break;
        r.rest = dv_str_skip(r.rest, 1);
        printer p = {.out = out, .heap = heap};
        print_one(&r, &p);
    }
    if (!r.reordered && r.at < r.n)
        print_extra(&r, heap, out);
}
