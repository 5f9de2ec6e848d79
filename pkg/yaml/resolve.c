/* SPDX-License-Identifier: Apache-2.0 */
#include "yaml/resolve.h"

#include <math.h>

#include "base/decimal.h"

/* ---- Words ---- */

static const struct {
    const char *text;
    dv_yaml_scalar meaning;
} words[] = {
    {"y", {.type = DV_YAML_BOOL, .boolean = true}},
    {"Y", {.type = DV_YAML_BOOL, .boolean = true}},
    {"yes", {.type = DV_YAML_BOOL, .boolean = true}},
    {"Yes", {.type = DV_YAML_BOOL, .boolean = true}},
    {"YES", {.type = DV_YAML_BOOL, .boolean = true}},
    {"true", {.type = DV_YAML_BOOL, .boolean = true}},
    {"True", {.type = DV_YAML_BOOL, .boolean = true}},
    {"TRUE", {.type = DV_YAML_BOOL, .boolean = true}},
    {"on", {.type = DV_YAML_BOOL, .boolean = true}},
    {"On", {.type = DV_YAML_BOOL, .boolean = true}},
    {"ON", {.type = DV_YAML_BOOL, .boolean = true}},
    {"n", {.type = DV_YAML_BOOL, .boolean = false}},
    {"N", {.type = DV_YAML_BOOL, .boolean = false}},
    {"no", {.type = DV_YAML_BOOL, .boolean = false}},
    {"No", {.type = DV_YAML_BOOL, .boolean = false}},
    {"NO", {.type = DV_YAML_BOOL, .boolean = false}},
    {"false", {.type = DV_YAML_BOOL, .boolean = false}},
    {"False", {.type = DV_YAML_BOOL, .boolean = false}},
    {"FALSE", {.type = DV_YAML_BOOL, .boolean = false}},
    {"off", {.type = DV_YAML_BOOL, .boolean = false}},
    {"Off", {.type = DV_YAML_BOOL, .boolean = false}},
    {"OFF", {.type = DV_YAML_BOOL, .boolean = false}},
    {"", {.type = DV_YAML_NULL}},
    {"~", {.type = DV_YAML_NULL}},
    {"null", {.type = DV_YAML_NULL}},
    {"Null", {.type = DV_YAML_NULL}},
    {"NULL", {.type = DV_YAML_NULL}},
    {".nan", {.type = DV_YAML_REAL, .real = NAN}},
    {".NaN", {.type = DV_YAML_REAL, .real = NAN}},
    {".NAN", {.type = DV_YAML_REAL, .real = NAN}},
    {".inf", {.type = DV_YAML_REAL, .real = INFINITY}},
    {".Inf", {.type = DV_YAML_REAL, .real = INFINITY}},
    {".INF", {.type = DV_YAML_REAL, .real = INFINITY}},
    {"+.inf", {.type = DV_YAML_REAL, .real = INFINITY}},
    {"+.Inf", {.type = DV_YAML_REAL, .real = INFINITY}},
    {"+.INF", {.type = DV_YAML_REAL, .real = INFINITY}},
    {"-.inf", {.type = DV_YAML_REAL, .real = -INFINITY}},
    {"-.Inf", {.type = DV_YAML_REAL, .real = -INFINITY}},
    {"-.INF", {.type = DV_YAML_REAL, .real = -INFINITY}},
};

enum { WORD_MAX_BYTES = 5 };

static bool is_word(dv_str text, dv_yaml_scalar *out)
{
    if (text.n > WORD_MAX_BYTES)
        return false;
    for (size_t i = 0; i < DV_LEN(words); i++) {
        if (dv_str_is(text, words[i].text)) {
            *out = words[i].meaning;
            return true;
        }
    }
    return false;
}

/* ---- Numbers, on a copy without underscores ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int digit_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 36;
}

/* All of text in the base, and within 64 bits. */
static bool to_unsigned(const char *text, int base, uint64_t *ret_value)
{
    *ret_value = 0;
    for (; *text; text++) {
        int digit = digit_value(*text);

        if (digit >= base || __builtin_mul_overflow(*ret_value, (uint64_t)base, ret_value) ||
            __builtin_add_overflow(*ret_value, (uint64_t)digit, ret_value))
            return false;
    }
    return true;
}

/* The base that a prefix names, which *text is moved behind. */
static int take_base(const char **text)
{
    char mark = (*text)[0] == '0' && (*text)[1] && (*text)[2] ? (char)((*text)[1] | 0x20) : 0;
    int base = mark == 'x' ? 16 : mark == 'o' ? 8 : mark == 'b' ? 2 : 0;

    if (base) {
        *text += 2;
        return base;
    }
    if (**text != '0')
        return 10;
    ++*text;
    return 8; /* "017"; "0" leaves nothing, which is 0 */
}

static bool to_integer(const char *text, dv_yaml_scalar *out)
{
    bool negative = *text == '-', has_sign = negative || *text == '+';
    uint64_t magnitude;

    text += has_sign;
    if (!*text)
        return false;
    bool may_sign = !has_sign && text[0] == '0' && text[1] == 'b';
    int base = take_base(&text);
    if (may_sign && (*text == '-' || *text == '+') && text[1]) {
        negative = *text++ == '-'; /* "0b-1": only go-yaml */
        has_sign = true;
    }
    if (!to_unsigned(text, base, &magnitude))
        return false;
    if (magnitude <= (uint64_t)INT64_MAX + (negative ? 1 : 0)) {
        out->type = DV_YAML_INT;
        out->integer = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
        return true;
    }
    out->type = DV_YAML_UINT;
    out->uinteger = magnitude;
    return !has_sign;
}

static size_t count_digits(const char *text)
{
    size_t n = 0;

    while (is_digit(text[n]))
        n++;
    return n;
}

/* [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)? */
static bool is_real(const char *text)
{
    text += *text == '-' || *text == '+';
    size_t whole = count_digits(text), fraction = 0;

    text += whole;
    if (*text == '.') {
        fraction = count_digits(++text);
        text += fraction;
    }
    if (!whole && !fraction)
        return false;
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '-' || *text == '+';
        size_t exponent = count_digits(text);
        if (!exponent)
            return false;
        text += exponent;
    }
    return !*text;
}

static bool to_real(const char *text, dv_yaml_scalar *out)
{
    if (!is_real(text))
        return false;
    out->type = DV_YAML_REAL;
    out->real = strtod(text, NULL);
    return isfinite(out->real);
}

/* What begins with a dot has underscores between digits only. */
static bool underscores_fit(dv_str text)
{
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '_' &&
            (i == 0 || i + 1 == text.n || !is_digit(text.p[i - 1]) || !(is_digit(text.p[i + 1]))))
            return false;
    return true;
}

static bool is_number(dv_str text, dv_yaml_scalar *out)
{
    enum { SHORT_BYTES = 64 };
    char brief[SHORT_BYTES];
    DV_CLEANUP(dv_freep) char *copy = text.n < sizeof(brief) ? NULL : dv_alloc(text.n + 1);
    char *plain = copy ? copy : brief;
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++) {
        if (!text.p[i])
            return false;
        if (text.p[i] != '_')
            plain[n++] = text.p[i];
    }
    plain[n] = '\0';
    if (plain[0] == '.')
        return underscores_fit(text) && to_real(plain, out);
    return to_integer(plain, out) || to_real(plain, out);
}

dv_yaml_scalar dv_yaml_resolve(dv_str text)
{
    dv_yaml_scalar out = {0};
    char first = text.n ? text.p[0] : '~';

    if (strchr("yYnNtTfFoO~.+-0123456789", first) && first) {
        bool number = is_digit(first) || first == '.' || first == '+' || first == '-';

        if (is_word(text, &out) || (number && is_number(text, &out))) {
            out.text = text;
            return out;
        }
    }
    return (dv_yaml_scalar){.type = DV_YAML_STRING, .text = text};
}

/* ---- Dates ---- */

/* One or two digits in [low, high]. */
static bool take_number(dv_str *s, int low, int high, int *ret_value)
{
    size_t n = 0;

    *ret_value = 0;
    while (n < 2 && n < s->n && is_digit(s->p[n]))
        *ret_value = *ret_value * 10 + (s->p[n++] - '0');
    *s = dv_str_skip(*s, n);
    return n && *ret_value >= low && *ret_value <= high;
}

static bool take_char(dv_str *s, char c)
{
    if (!s->n || s->p[0] != c)
        return false;
    *s = dv_str_skip(*s, 1);
    return true;
}

static bool take_date(dv_str *s)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 0, month, day;

    for (size_t i = 0; i < 4; i++) {
        if (i >= s->n || !is_digit(s->p[i]))
            return false;
        year = year * 10 + (s->p[i] - '0');
    }
    *s = dv_str_skip(*s, 4);
    if (!take_char(s, '-') || !take_number(s, 1, 12, &month) || !take_char(s, '-') ||
        !take_number(s, 1, 31, &day))
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= days[month - 1] + (month == 2 && leap);
}

static bool take_clock(dv_str *s)
{
    int ignored;

    if (!take_number(s, 0, 23, &ignored) || !take_char(s, ':') ||
        !take_number(s, 0, 59, &ignored) || !take_char(s, ':') || !take_number(s, 0, 59, &ignored))
        return false;
    if (s->n > 1 && (s->p[0] == '.' || s->p[0] == ',') && is_digit(s->p[1])) {
        *s = dv_str_skip(*s, 1);
        while (s->n && is_digit(s->p[0]))
            *s = dv_str_skip(*s, 1);
    }
    return true;
}

/* "Z" or "+07:00". */
static bool is_zone(dv_str s)
{
    int ignored;

    if (dv_str_is(s, "Z"))
        return true;
    if (s.n != 6 || (s.p[0] != '+' && s.p[0] != '-') || !is_digit(s.p[2]) || !is_digit(s.p[5]))
        return false;
    s = dv_str_skip(s, 1);
    return take_number(&s, 0, 24, &ignored) && take_char(&s, ':') &&
           take_number(&s, 0, 60, &ignored);
}

bool dv_yaml_is_timestamp(dv_str text)
{
    if (!take_date(&text))
        return false;
    if (!text.n)
        return true;
    char separator = text.p[0];
    text = dv_str_skip(text, 1);
    if (separator == ' ') {
        while (take_char(&text, ' '))
            continue;
        return take_clock(&text) && !text.n;
    }
    return (separator == 'T' || separator == 't') && take_clock(&text) && is_zone(text);
}

/* ---- Into JSON ---- */

/* Where strconv's 'g' turns to an exponent. */
enum { STRCONV_EXPONENT = 6 };

/* From here on encoding/json writes whole numbers with an exponent, which stays a real. */
static const double exponent_from = 1e21;

/* The digits of a whole number as encoding/json writes them; false: it would write something else.
 */
static bool whole_text(double value, dv_buf *out)
{
    dv_decimal decimal = dv_decimal_of(value);

    if (!dv_decimal_is_whole(&decimal) || fabs(value) >= exponent_from)
        return false;
    decimal.negative = decimal.negative && decimal.n;
    dv_decimal_add_plain(out, &decimal);
    return true;
}

static json_t *real_json(double value)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);
    dv_auto(dv_err) too_big = NULL;
    int64_t integer;

    if (!isfinite(value))
        return NULL;
    if (!whole_text(value, &text))
        return json_real(value);
    too_big = dv_str_i64(dv_buf_str(&text), &integer);
    return too_big ? json_real(value) : json_integer(integer);
}

json_t *dv_yaml_scalar_json(const dv_yaml_scalar *scalar)
{
    switch (scalar->type) {
    case DV_YAML_NULL:
        return json_null();
    case DV_YAML_BOOL:
        return json_boolean(scalar->boolean);
    case DV_YAML_INT:
        return json_integer(scalar->integer);
    case DV_YAML_UINT:
        return json_real((double)scalar->uinteger);
    case DV_YAML_REAL:
        return real_json(scalar->real);
    case DV_YAML_STRING:
        return dv_json_string(scalar->text);
    }
    return NULL;
}

/* Keys are printed with the precision of 32 bits: so does sigs.k8s.io/yaml. */
static void add_real_key(dv_buf *out, double real)
{
    if (isnan(real) || isinf(real) || isinf((float)real)) {
        dv_buf_adds(out, isnan(real) ? ".nan" : real < 0 ? "-.inf" : ".inf");
        return;
    }
    dv_decimal decimal = dv_decimal_of_float((float)real);
    dv_decimal_add_general(out, &decimal, STRCONV_EXPONENT);
}

bool dv_yaml_scalar_key(const dv_yaml_scalar *scalar, dv_buf *out)
{
    switch (scalar->type) {
    case DV_YAML_NULL:
        return false;
    case DV_YAML_BOOL:
        dv_buf_adds(out, scalar->boolean ? "true" : "false");
        return true;
    case DV_YAML_INT:
        dv_buf_addf(out, "%lld", (long long)scalar->integer);
        return true;
    case DV_YAML_UINT:
        dv_buf_addf(out, "%llu", (unsigned long long)scalar->uinteger);
        return true;
    case DV_YAML_REAL:
        add_real_key(out, scalar->real);
        return true;
    case DV_YAML_STRING:
        dv_buf_add_str(out, scalar->text);
        return true;
    }
    return false;
}

void dv_yaml_real_add(dv_buf *out, double value)
{
    dv_decimal decimal = dv_decimal_of(value);
    size_t before = out->n;
    uint64_t ignored_unsigned;
    int64_t ignored;

    if (whole_text(value, out)) {
        dv_str text = dv_str_skip(dv_buf_str(out), before);
        dv_auto(dv_err) not_signed = dv_str_i64(text, &ignored);
        dv_auto(dv_err) not_unsigned = dv_str_u64(text, &ignored_unsigned);

        if (!not_signed || !not_unsigned)
            return;
        dv_buf_cut(out, before);
    }
    dv_decimal_add_general(out, &decimal, STRCONV_EXPONENT);
}
