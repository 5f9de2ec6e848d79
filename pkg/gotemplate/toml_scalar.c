/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "gotemplate/format.h"
#include "gotemplate/functions_internal.h"
#include "gotemplate/numbers.h"
#include "gotemplate/time_internal.h"
#include "gotemplate/toml_internal.h"
#include "base/unicode.h"

/* ---- Faults ---- */

bool dv_toml_fail(decoder *d, const char *what)
{
    if (d->fault->n)
        return false;
    dv_buf_addf(d->fault, "toml: line %zu", d->line);
    if (d->last_key.n) {
        dv_buf_adds(d->fault, " (last key ");
        dv_quote(d->fault, dv_buf_str(&d->last_key));
        dv_buf_addc(d->fault, ')');
    }
    dv_buf_addf(d->fault, ": %s", what);
    return false;
}

/* "… 'x' instead", for what stands here. */
bool dv_toml_fail_at(decoder *d, const char *before, const char *behind)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(1024);
    dv_str rest = {d->p, (size_t)(d->end - d->p)};

    if (dv_toml_is_control(d))
        return dv_toml_fail_control(d);
    dv_buf_adds(&text, before);
    dv_quote_rune(&text, rest.n ? dv_rune_take(&rest) : 0, /* ascii= */ false);
    dv_buf_adds(&text, behind);
    return dv_toml_fail(d, dv_buf_cstr(&text));
}

bool dv_toml_is_control(const decoder *d)
{
    unsigned char c = d->p < d->end ? (unsigned char)*d->p : ' ';

    if (c == '\r')
        return !dv_toml_starts(d, "\r\n");
    return (c < 0x20 && c != '\t' && c != '\n') || c == 0x7f;
}

bool dv_toml_fail_control(decoder *d)
{
    char text[64];

    snprintf(text, sizeof(text), "TOML files cannot contain control characters: '0x%02x'",
             (unsigned char)*d->p);
    return dv_toml_fail(d, text);
}

bool dv_toml_starts(const decoder *d, const char *text)
{
    size_t n = strlen(text);

    return (size_t)(d->end - d->p) >= n && memcmp(d->p, text, n) == 0;
}

bool dv_toml_is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static void skip_spaces(decoder *d)
{
    while (dv_toml_at(d, ' ') || dv_toml_at(d, '\t'))
        d->p++;
}

/* ---- Strings ---- */

/* Names the string up to where a digit is missing. */
static bool fail_digits(decoder *d, size_t wanted)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);
    dv_str rest = {d->p, (size_t)(d->end - d->p)};
    size_t seen = (size_t)(d->p - d->string_start) + dv_rune_width(rest);

    dv_buf_addf(&text, "expected %s hexadecimal digits after '\\%c', but got ",
                wanted == 2   ? "two"
                : wanted == 4 ? "four"
                              : "eight",
                wanted == 2   ? 'x'
                : wanted == 4 ? 'u'
                              : 'U');
    dv_quote(&text, (dv_str){d->string_start, seen});
    dv_buf_adds(&text, " instead");
    return dv_toml_fail(d, dv_buf_cstr(&text));
}

static bool add_code_point(decoder *d, size_t digits, dv_buf *out)
{
    uint32_t rune = 0;

    for (size_t i = 0; i < digits; i++, d->p++) {
        char c = d->p < d->end ? *d->p : '\0';
        int value = c >= '0' && c <= '9'                 ? c - '0'
                    : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
                                                         : -1;

        if (value < 0)
            return fail_digits(d, digits);
        rune = rune << 4 | (uint32_t)value;
    }
    if (rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000))
        return dv_toml_fail(d, "Escaped character is not valid UTF-8.");
    dv_rune_add(out, rune);
    return true;
}

/* Behind a backslash. */
static bool add_escape(decoder *d, bool multi, dv_buf *out)
{
    static const char letters[] = "btnfre\"\\", codes[] = "\b\t\n\f\r\033\"\\";
    const char *known = d->p < d->end && *d->p ? strchr(letters, *d->p) : NULL;
    const char *before = d->p;

    if (known) {
        dv_buf_addc(out, codes[known - letters]);
        d->p++;
        return true;
    }
    if (dv_toml_at(d, 'x') || dv_toml_at(d, 'u') || dv_toml_at(d, 'U')) {
        size_t digits = *d->p == 'x' ? 2 : *d->p == 'u' ? 4 : 8;

        d->p++;
        return add_code_point(d, digits, out);
    }
    if (multi) {
        /* At a line's end: what follows goes on at the next character. */
        skip_spaces(d);
        if (dv_toml_at(d, '\n') || dv_toml_starts(d, "\r\n")) {
            while (dv_toml_at(d, ' ') || dv_toml_at(d, '\t') || dv_toml_at(d, '\n') ||
                   dv_toml_starts(d, "\r\n")) {
                d->line += dv_toml_at(d, '\n');
                d->p++;
            }
            return true;
        }
        d->p = before;
    }
    return dv_toml_fail_at(
        d, "invalid escape character ",
        "; only the following escape characters are allowed: \\b, \\t, \\n, \\f, \\r, "
        "\\\", \\\\, \\uXXXX, and \\UXXXXXXXX");
}

/* The closing quotes of a multi-line text, before which two more may stand. */
static bool take_close(decoder *d, char quote, dv_buf *out)
{
    const char triple[] = {quote, quote, quote, '\0'};

    if (!dv_toml_starts(d, triple))
        return false;
    d->p += 3;
    for (int i = 0; i < 2 && dv_toml_at(d, quote); i++, d->p++)
        dv_buf_addc(out, quote);
    return true;
}

static bool read_long_string(decoder *d, char quote, dv_buf *out)
{
    if (dv_toml_starts(d, "\r\n"))
        d->p++;
    if (dv_toml_at(d, '\n')) {
        d->line++;
        d->p++;
    }
    while (!take_close(d, quote, out)) {
        if (dv_toml_at_end(d))
            return dv_toml_fail(d, quote == '"' ? "unexpected EOF; expected '\"\"\"'"
                                                : "unexpected EOF; expected \"'''\"");
        if (dv_toml_at(d, '\\') && quote == '"') {
            d->p++;
            if (!add_escape(d, /* multi= */ true, out))
                return false;
            continue;
        }
        if (dv_toml_starts(d, "\r\n"))
            d->p++;
        d->line += dv_toml_at(d, '\n');
        dv_buf_addc(out, *d->p++);
    }
    return true;
}

static bool read_short_string(decoder *d, char quote, dv_buf *out)
{
    while (!dv_toml_at(d, quote)) {
        if (dv_toml_at_end(d))
            return dv_toml_fail(d, quote == '"' ? "unexpected EOF; expected '\"'"
                                                : "unexpected EOF; expected \"'\"");
        if (dv_toml_at(d, '\n'))
            return dv_toml_fail(d, "strings cannot contain newlines");
        unsigned char c = (unsigned char)*d->p;
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return dv_toml_fail_control(d);
        d->p++;
        if (c == '\\' && quote == '"') {
            if (!add_escape(d, /* multi= */ false, out))
                return false;
        } else {
            dv_buf_addc(out, (char)c);
        }
    }
    d->p++;
    return true;
}

bool dv_toml_string(decoder *d, bool may_be_long, dv_val *ret_value)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);
    char quote = *d->p;
    const char triple[] = {quote, quote, quote, '\0'};
    bool ok;

    if (may_be_long && dv_toml_starts(d, triple)) {
        d->p += 3;
        d->string_start = d->p;
        ok = read_long_string(d, quote, &text);
    } else {
        d->p++;
        d->string_start = d->p;
        ok = read_short_string(d, quote, &text);
    }
    if (ok)
        *ret_value = dv_val_string(d->heap, dv_buf_str(&text));
    return ok;
}

/* ---- Numbers and dates ---- */

static bool underscores_fit(dv_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool before =
            i > 0 && dv_toml_is_bare(s.p[i - 1]) && s.p[i - 1] != '_' && s.p[i - 1] != '-';
        bool behind =
            i + 1 < s.n && dv_toml_is_bare(s.p[i + 1]) && s.p[i + 1] != '_' && s.p[i + 1] != '-';

        if (s.p[i] == '_' && !(before && behind))
            return false;
    }
    return true;
}

static bool fail_number(decoder *d, const char *what, dv_str s, const char *behind)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);

    dv_buf_adds(&text, what);
    dv_quote(&text, s);
    dv_buf_adds(&text, behind);
    return dv_toml_fail(d, dv_buf_cstr(&text));
}

static bool read_date(decoder *d, dv_str s, dv_val *ret_value)
{
    static const dv_str layouts[] = {
        DV_STR("2006-01-02T15:04:05.999999999Z07:00"),
        DV_STR("2006-01-02T15:04:05.999999999"),
        DV_STR("2006-01-02"),
        DV_STR("15:04:05.999999999"),
        DV_STR("2006-01-02 15:04:05.999999999Z07:00"),
        DV_STR("2006-01-02 15:04:05.999999999"),
    };
    DV_CLEANUP(dv_buf_done) dv_buf ignored = DV_BUF_INIT(DV_LINE_MAX);
    dv_moment *moment = DV_HEAP_NEW(d->heap, dv_moment);

    for (size_t i = 0; i < DV_LEN(layouts); i++) {
        dv_buf_reset(&ignored);
        if (dv_moment_parse(layouts[i], s, moment, &ignored)) {
            *ret_value = dv_val_object(d->heap, &dv_type_time, moment);
            return true;
        }
    }
    return fail_number(d, "Invalid TOML Datetime: ", s, ".");
}

/* A sign, then a zero with digits behind it. */
static bool has_leading_zero(dv_str s)
{
    size_t i = s.n && (s.p[0] == '+' || s.p[0] == '-');

    return i + 1 < s.n && s.p[i] == '0' && s.p[i + 1] >= '0' && s.p[i + 1] <= '9';
}

static bool read_float(decoder *d, dv_str s, dv_val *ret_value)
{
    DV_CLEANUP(dv_buf_done) dv_buf plain = DV_BUF_INIT(DV_LINE_MAX);
    ptrdiff_t dot = dv_str_find(s, '.');
    double value;

    if (has_leading_zero(s))
        return fail_number(d, "Invalid float ", s, ": cannot have leading zeroes");
    if (dot >= 0 && ((size_t)dot + 1 == s.n || s.p[dot + 1] < '0' || s.p[dot + 1] > '9'))
        return fail_number(d, "Invalid float ", s, ": '.' must be followed by one or more digits");
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '_')
            dv_buf_addc(&plain, s.p[i]);
    if (dv_number_float(dv_buf_str(&plain), &value) == DV_NUMBER_SYNTAX)
        return fail_number(d, "Invalid float value: ", s, "");
    *ret_value = dv_val_float(value);
    return true;
}

static bool read_integer(decoder *d, dv_str s, dv_val *ret_value)
{
    int64_t value = 0;

    if (has_leading_zero(s))
        return fail_number(d, "Invalid integer ", s, ": cannot have leading zeroes");
    dv_number_fault fault = dv_number_int(s, 0, &value);
    if (fault == DV_NUMBER_RANGE)
        return fail_number(d, "", s, " is out of range for int64");
    if (fault)
        return fail_number(d, "Invalid integer ", s, "");
    *ret_value = dv_val_int64(value);
    return true;
}

static bool is_special(dv_str s, double *ret_value)
{
    dv_str word = dv_str_skip(s, s.n && (s.p[0] == '+' || s.p[0] == '-'));
    double sign = s.n && s.p[0] == '-' ? -1 : 1;

    if (dv_str_is(word, "inf"))
        *ret_value = sign * INFINITY;
    else if (dv_str_is(word, "nan"))
        *ret_value = sign * NAN;
    else
        return false;
    return true;
}

static bool is_date(dv_str s)
{
    return (s.n >= 5 && s.p[4] == '-' && s.p[0] >= '0' && s.p[0] <= '9') ||
           (s.n >= 3 && s.p[2] == ':');
}

bool dv_toml_bare(decoder *d, dv_val *ret_value)
{
    const char *start = d->p;
    bool radix;
    double special;

    while (d->p < d->end &&
           (dv_toml_is_bare(*d->p) || *d->p == '+' || *d->p == '.' || *d->p == ':'))
        d->p++;
    dv_str s = {start, (size_t)(d->p - start)};
    /* A blank may stand between date and time. */
    if (s.n == 10 && is_date(s) && dv_toml_at(d, ' ') && d->end - d->p > 2 && d->p[1] >= '0' &&
        d->p[1] <= '9') {
        d->p++;
        while (d->p < d->end &&
               (dv_toml_is_bare(*d->p) || *d->p == '+' || *d->p == '.' || *d->p == ':'))
            d->p++;
        s.n = (size_t)(d->p - start);
    }
    if (dv_str_is(s, "true") || dv_str_is(s, "false")) {
        *ret_value = dv_val_bool(s.n == 4);
        return true;
    }
    if (is_special(s, &special)) {
        *ret_value = dv_val_float(special);
        return true;
    }
    if (!s.n || !((s.p[0] >= '0' && s.p[0] <= '9') || s.p[0] == '+' || s.p[0] == '-')) {
        d->p = start;
        if (!s.n)
            return dv_toml_at_end(d) ? dv_toml_fail(d, "unexpected EOF; expected value")
                                     : dv_toml_fail_at(d, "expected value but found ", " instead");
        return s.p[0] == '.' ? dv_toml_fail(d, "floats must start with a digit, not '.'")
                             : fail_number(d, "expected value but found ", s, " instead");
    }
    if (is_date(s))
        return read_date(d, s, ret_value);
    radix = s.n > 2 && s.p[0] == '0' && strchr("xob", s.p[1]);
    bool real = !radix && (memchr(s.p, '.', s.n) || memchr(s.p, 'e', s.n) || memchr(s.p, 'E', s.n));
    if (!underscores_fit(s))
        return fail_number(d, real ? "Invalid float " : "Invalid integer ", s,
                           ": underscores must be surrounded by digits");
    return real ? read_float(d, s, ret_value) : read_integer(d, s, ret_value);
}
