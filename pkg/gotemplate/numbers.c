/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/numbers.h"

#include <math.h>
#include <strings.h>

/* Texts of numbers that mean something are shorter. */
enum { FLOAT_TEXT_MAX = 4096 };

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* Underscores stand between digits, or behind a prefix, only. */
static bool underscores_fit(dv_str s)
{
    char before = '^'; /* '0': a digit, '_', '!': something else */
    size_t i = s.n && (s.p[0] == '+' || s.p[0] == '-');
    bool hex = false;

    if (s.n - i >= 2 && s.p[i] == '0' && strchr("box", lower(s.p[i + 1]))) {
        hex = lower(s.p[i + 1]) == 'x';
        before = '0';
        i += 2;
    }
    for (; i < s.n; i++) {
        if ((s.p[i] >= '0' && s.p[i] <= '9') || (hex && digit_value(s.p[i]) < 16)) {
            before = '0';
        } else if (s.p[i] == '_') {
            if (before != '0')
                return false;
            before = '_';
        } else {
            if (before == '_')
                return false;
            before = '!';
        }
    }
    return before != '_';
}

/* Cuts the prefix off; the base it tells. */
static int take_prefix(dv_str *s)
{
    static const struct {
        char letter;
        int base;
    } prefixes[] = {{'b', 2}, {'o', 8}, {'x', 16}};

    if (s->n < 1 || s->p[0] != '0')
        return 10;
    for (size_t i = 0; i < DV_LEN(prefixes) && s->n >= 3; i++)
        if (lower(s->p[1]) == prefixes[i].letter) {
            *s = dv_str_skip(*s, 2);
            return prefixes[i].base;
        }
    *s = dv_str_skip(*s, 1);
    return 8;
}

dv_number_fault dv_number_uint(dv_str s, int base, uint64_t *ret_value)
{
    dv_str given = s;
    uint64_t value = 0;
    bool base0 = base == 0, any = false, overflow = false, underscores = false;

    if (!s.n)
        return DV_NUMBER_SYNTAX;
    if (base0) {
        base = take_prefix(&s);
        any = base == 8 && s.n + 1 == given.n; /* the zero itself */
    }
    for (size_t i = 0; i < s.n; i++) {
        int digit = digit_value(s.p[i]);

        if (s.p[i] == '_' && base0) {
            underscores = true;
            continue;
        }
        if (digit >= base)
            return DV_NUMBER_SYNTAX;
        any = true;
        overflow |= __builtin_mul_overflow(value, (uint64_t)base, &value) ||
                    __builtin_add_overflow(value, (uint64_t)digit, &value);
    }
    if (!any || (underscores && !underscores_fit(given)))
        return DV_NUMBER_SYNTAX;
    *ret_value = overflow ? UINT64_MAX : value;
    return overflow ? DV_NUMBER_RANGE : DV_NUMBER_OK;
}

dv_number_fault dv_number_int(dv_str s, int base, int64_t *ret_value)
{
    bool negative = s.n && s.p[0] == '-';
    uint64_t size = 0;
    dv_number_fault fault =
        dv_number_uint(dv_str_skip(s, s.n && (negative || s.p[0] == '+')), base, &size);

    if (fault == DV_NUMBER_SYNTAX)
        return fault;
    if (size > (uint64_t)INT64_MAX + negative) {
        *ret_value = negative ? INT64_MIN : INT64_MAX;
        return DV_NUMBER_RANGE;
    }
    *ret_value = (int64_t)(negative ? 0 - size : size);
    return fault;
}

/* "inf", "infinity", "nan" in any case, with a sign. */
static bool is_special(dv_str s, double *ret_value)
{
    bool negative = s.n && s.p[0] == '-';
    dv_str word = dv_str_skip(s, s.n && (negative || s.p[0] == '+'));

    if ((word.n == 3 && strncasecmp(word.p, "inf", 3) == 0) ||
        (word.n == 8 && strncasecmp(word.p, "infinity", 8) == 0))
        *ret_value = negative ? -INFINITY : INFINITY;
    else if (s.n == 3 && strncasecmp(s.p, "nan", 3) == 0)
        *ret_value = NAN;
    else
        return false;
    return true;
}

/* digits[.digits][e±digits], or the same in hexadecimal with a p that must be there. */
static bool is_float(const char *p)
{
    bool hex = false, digits = false;

    p += *p == '+' || *p == '-';
    if (p[0] == '0' && lower(p[1]) == 'x') {
        hex = true;
        p += 2;
    }
    for (bool dot = false; *p; p++) {
        if (*p == '.' && !dot)
            dot = true;
        else if (digit_value(*p) < (hex ? 16 : 10))
            digits = true;
        else
            break;
    }
    if (!digits || (hex && lower(*p) != 'p'))
        return false;
    if (lower(*p) != (hex ? 'p' : 'e'))
        return *p == '\0';
    p++;
    p += *p == '+' || *p == '-';
    if (digit_value(*p) > 9)
        return false;
    while (digit_value(*p) <= 9)
        p++;
    return *p == '\0';
}

dv_number_fault dv_number_float(dv_str s, double *ret_value)
{
    char text[FLOAT_TEXT_MAX];
    size_t n = 0;
    bool underscores = false;

    if (is_special(s, ret_value))
        return DV_NUMBER_OK;
    if (!s.n || s.n >= sizeof(text))
        return DV_NUMBER_SYNTAX;
    for (size_t i = 0; i < s.n; i++) {
        underscores |= s.p[i] == '_';
        if (s.p[i] != '_')
            text[n++] = s.p[i];
    }
    text[n] = '\0';
    if ((underscores && !underscores_fit(s)) || strlen(text) != n || !is_float(text))
        return DV_NUMBER_SYNTAX;
    *ret_value = strtod(text, NULL);
    return isinf(*ret_value) ? DV_NUMBER_RANGE : DV_NUMBER_OK;
}
