/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/format_internal.h"

#include <math.h>

#include "base/decimal.h"
#include "base/unicode.h"

enum { DIGITS_MAX = 80, FLOAT_PRECISION_MAX = 800, FLOAT_TEXT = 1400, SHARP_DIGITS = 6 };

/* ---- Padding ---- */

void dv_print_padded(printer *p, dv_str text)
{
    size_t runes = p->has_width ? dv_rune_count(text) : 0;
    size_t padding = p->has_width && (size_t)p->width > runes ? (size_t)p->width - runes : 0;

    if (!p->minus)
        dv_buf_fill(p->out, p->zero ? '0' : ' ', padding);
    dv_buf_add_str(p->out, text);
    if (p->minus)
        dv_buf_fill(p->out, ' ', padding);
}

/* Where zeros were put already, or must not be. */
static void pad_with_blanks(printer *p, dv_str text)
{
    bool zero = p->zero;

    p->zero = false;
    dv_print_padded(p, text);
    p->zero = zero;
}

void dv_print_bad_verb(printer *p, uint32_t verb, dv_val value)
{
    unsigned depth = p->depth;

    dv_buf_adds(p->out, "%!");
    dv_rune_add(p->out, verb);
    dv_buf_addc(p->out, '(');
    if (dv_val_is_nil(value)) {
        dv_buf_adds(p->out, "<nil>");
    } else {
        dv_buf_adds(p->out, dv_val_type(value));
        dv_buf_addc(p->out, '=');
        p->depth = 0;
        dv_print_value(p, value, 'v');
        p->depth = depth;
    }
    dv_buf_addc(p->out, ')');
}

/* ---- Integers ---- */

/* How many digits there must be at least. */
static int digits_wanted(const printer *p, bool negative)
{
    if (p->has_precision)
        return p->precision;
    if (!p->zero || p->minus || !p->has_width)
        return 0;
    return p->width - (negative || p->plus || p->space);
}

static void put_prefix(const printer *p, dv_buf *text, int base, uint32_t verb, bool zero_first)
{
    if (p->sharp && base == 2)
        dv_buf_adds(text, "0b");
    if (p->sharp && base == 8 && !zero_first)
        dv_buf_addc(text, '0');
    if (p->sharp && base == 16)
        dv_buf_adds(text, verb == 'X' ? "0X" : "0x");
    if (verb == 'O')
        dv_buf_adds(text, "0o");
}

static void put_integer(printer *p, uint64_t value, bool is_signed, int base, uint32_t verb)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_FORMAT_TEXT_MAX);
    const char *names = verb == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
    bool negative = is_signed && (int64_t)value < 0;
    char digits[DIGITS_MAX];
    int n = 0, wanted = digits_wanted(p, negative);

    if (p->has_precision && p->precision == 0 && value == 0) {
        if (p->has_width)
            dv_buf_fill(p->out, ' ', (size_t)p->width);
        return;
    }
    if (negative)
        value = 0 - value;
    do
        digits[n++] = names[value % (unsigned)base];
    while (value /= (unsigned)base);
    dv_buf_adds(&text, negative ? "-" : p->plus ? "+" : p->space ? " " : "");
    put_prefix(p, &text, base, verb, wanted > n || digits[n - 1] == '0');
    dv_buf_fill(&text, '0', (size_t)DV_MAX(wanted - n, 0));
    while (n > 0)
        dv_buf_addc(&text, digits[--n]);
    pad_with_blanks(p, dv_buf_str(&text));
}

static void put_rune(printer *p, uint64_t value, bool quoted)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(64);
    uint32_t rune = value > 0x10ffff ? DV_RUNE_ERROR : (uint32_t)value;

    if (quoted)
        dv_quote_rune(&text, rune, p->plus);
    else
        dv_rune_add(&text, rune);
    dv_print_padded(p, dv_buf_str(&text));
}

static void put_code_point(printer *p, uint64_t value)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_FORMAT_TEXT_MAX);
    int wanted = p->has_precision ? DV_MAX(p->precision, 4) : 4;

    dv_buf_addf(&text, "U+%0*llX", wanted, (unsigned long long)value);
    if (p->sharp && value <= 0x10ffff && dv_rune_is_print((uint32_t)value)) {
        dv_buf_adds(&text, " '");
        dv_rune_add(&text, (uint32_t)value);
        dv_buf_addc(&text, '\'');
    }
    pad_with_blanks(p, dv_buf_str(&text));
}

void dv_print_integer(printer *p, uint64_t value, bool is_signed, uint32_t verb, dv_val whole)
{
    switch (verb) {
    case 'v':
        if (p->sharp_v && !is_signed) {
            bool sharp = p->sharp;

            p->sharp = true;
            put_integer(p, value, is_signed, 16, 'v');
            p->sharp = sharp;
            break;
        }
        /* fall through */
    case 'd':
        put_integer(p, value, is_signed, 10, verb);
        break;
    case 'b':
        put_integer(p, value, is_signed, 2, verb);
        break;
    case 'o':
    case 'O':
        put_integer(p, value, is_signed, 8, verb);
        break;
    case 'x':
    case 'X':
        put_integer(p, value, is_signed, 16, verb);
        break;
    case 'c':
    case 'q':
        put_rune(p, value, verb == 'q');
        break;
    case 'U':
        put_code_point(p, value);
        break;
    default:
        dv_print_bad_verb(p, verb, whole);
    }
}

/* ---- Reals ---- */

/* Go's %x: the exponent has two digits at least. */
static void put_hex_float(char *text, size_t size, double value, int precision, bool upper)
{
    char plain[FLOAT_TEXT];

    if (precision < 0)
        snprintf(plain, sizeof(plain), upper ? "%A" : "%a", value);
    else
        snprintf(plain, sizeof(plain), upper ? "%.*A" : "%.*a", precision, value);
    char *p = strpbrk(plain, "pP");
    if (!p) {
        snprintf(text, size, "%s", plain);
        return;
    }
    snprintf(text, size, "%.*s%c%c%02ld", (int)(p - plain), plain, *p, p[1],
             labs(strtol(p + 1, NULL, 10)));
}

/* Go's %b: an integer times a power of two. */
static void put_binary_float(char *text, size_t size, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));
    uint64_t mantissa = bits & ((UINT64_C(1) << 52) - 1);
    int exponent = (int)(bits >> 52 & 0x7ff);
    if (exponent)
        mantissa |= UINT64_C(1) << 52;
    else
        exponent = 1;
    snprintf(text, size, "%s%llup%+d", signbit(value) ? "-" : "", (unsigned long long)mantissa,
             exponent - 1075);
}

static void put_shortest(char *text, size_t size, double value, uint32_t verb)
{
    DV_CLEANUP(dv_buf_done) dv_buf plain = DV_BUF_INIT(FLOAT_TEXT);

    dv_format_float(&plain, value);
    snprintf(text, size, "%s", dv_buf_cstr(&plain));
    for (char *c = text; verb == 'G' && *c; c++)
        if (*c == 'e')
            *c = 'E';
}

/* Go's text of a finite value, "-" in front when it is negative. */
static void put_digits(char *text, size_t size, double value, uint32_t verb, int precision)
{
    const char format[] = {'%', '.', '*', (char)verb, '\0'};

    if (verb == 'x' || verb == 'X')
        put_hex_float(text, size, value, precision, verb == 'X');
    else if (verb == 'b')
        put_binary_float(text, size, value);
    else if ((verb == 'g' || verb == 'G') && precision < 0)
        put_shortest(text, size, value, verb);
    else {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(text, size, format, precision, value);
#pragma GCC diagnostic pop
    }
}

/* The sharp flag keeps the point and the zeros behind it. text has no sign. */
static void sharpen(char *text, size_t size, uint32_t verb, int precision)
{
    char tail[32] = "";
    int digits = 0;
    bool point = strchr(text, '.') != NULL, significant = false;

    if (strchr("gGx", (int)verb))
        digits = precision < 0 ? SHARP_DIGITS : precision;
    char *exponent = strpbrk(text, verb == 'x' || verb == 'X' ? "pP" : "eE");
    if (exponent) {
        snprintf(tail, sizeof(tail), "%s", exponent);
        *exponent = '\0';
    }
    for (const char *c = text; *c; c++) {
        significant |= *c != '0' && *c != '.';
        digits -= significant && *c != '.';
    }
    size_t n = strlen(text);
    if (!point) {
        digits -= strcmp(text, "0") == 0;
        n += (size_t)snprintf(text + n, size - n, ".");
    }
    for (; digits > 0 && n + sizeof(tail) < size; digits--)
        text[n++] = '0';
    snprintf(text + n, size - n, "%s", tail);
}

static void put_float(printer *p, double value, uint32_t verb, int precision)
{
    char text[FLOAT_TEXT + 1], *digits = text + 1;
    bool finite = isfinite(value), negative = signbit(value);

    if (p->has_precision)
        precision = DV_MIN(p->precision, FLOAT_PRECISION_MAX);
    if (finite)
        put_digits(digits, FLOAT_TEXT, fabs(value), verb, precision);
    else
        snprintf(digits, FLOAT_TEXT, isnan(value) ? "NaN" : "Inf");
    text[0] = isnan(value) || !negative ? p->space && !p->plus ? ' ' : '+' : '-';
    if (!finite) {
        bool sign = !isnan(value) || p->space || p->plus;

        pad_with_blanks(
            p, dv_str_of(sign && (p->plus || text[0] != '+' || isinf(value)) ? text : digits));
        return;
    }
    if (p->sharp && verb != 'b')
        sharpen(digits, FLOAT_TEXT, verb, precision);
    if (!p->plus && text[0] == '+') {
        dv_print_padded(p, dv_str_of(digits));
        return;
    }
    int n = (int)strlen(text);
    if (p->zero && !p->minus && p->has_width && p->width > n) {
        dv_buf_addc(p->out, text[0]);
        dv_buf_fill(p->out, '0', (size_t)(p->width - n));
        dv_buf_adds(p->out, digits);
        return;
    }
    dv_print_padded(p, dv_str_of(text));
}

void dv_print_float(printer *p, double value, uint32_t verb, dv_val whole)
{
    switch (verb) {
    case 'v':
        put_float(p, value, 'g', -1);
        break;
    case 'b':
    case 'g':
    case 'G':
    case 'x':
    case 'X':
        put_float(p, value, verb, -1);
        break;
    case 'f':
    case 'e':
    case 'E':
        put_float(p, value, verb, 6);
        break;
    case 'F':
        put_float(p, value, 'f', 6);
        break;
    default:
        dv_print_bad_verb(p, verb, whole);
    }
}

/* ---- Strings ---- */

/* As many characters as the precision lets through. */
static dv_str truncated(const printer *p, dv_str s)
{
    size_t n = 0;

    if (!p->has_precision)
        return s;
    for (int runes = 0; runes < p->precision && n < s.n; runes++)
        n += dv_rune_width(dv_str_skip(s, n));
    return dv_str_head(s, n);
}

static void put_quoted(printer *p, dv_str s)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(p->out->limit);

    s = truncated(p, s);
    if (p->sharp && dv_can_backquote(s)) {
        dv_buf_addc(&text, '`');
        dv_buf_add_str(&text, s);
        dv_buf_addc(&text, '`');
    } else if (p->plus) {
        dv_quote_ascii(&text, s);
    } else {
        dv_quote(&text, s);
    }
    dv_print_padded(p, dv_buf_str(&text));
}

static void put_hex(printer *p, dv_str s, bool upper)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(p->out->limit);
    const char *prefix = upper ? "0X" : "0x";

    if (p->has_precision)
        s = dv_str_head(s, (size_t)p->precision);
    for (size_t i = 0; i < s.n && !text.overflow; i++) {
        if (p->space && i)
            dv_buf_addc(&text, ' ');
        if (p->sharp && (p->space || i == 0))
            dv_buf_adds(&text, prefix);
        dv_buf_addf(&text, upper ? "%02X" : "%02x", (unsigned char)s.p[i]);
    }
    dv_print_padded(p, dv_buf_str(&text));
}

void dv_print_string(printer *p, dv_val value, uint32_t verb)
{
    dv_str s = dv_val_str(value);

    switch (verb) {
    case 'v':
        if (p->sharp_v)
            put_quoted(p, s);
        else
            dv_print_padded(p, truncated(p, s));
        break;
    case 's':
        dv_print_padded(p, truncated(p, s));
        break;
    case 'x':
    case 'X':
        put_hex(p, s, verb == 'X');
        break;
    case 'q':
        put_quoted(p, s);
        break;
    default:
        dv_print_bad_verb(p, verb, value);
    }
}
