/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/format.h"
#include "base/unicode.h"

/* ---- Writing ---- */

/* One character inside quotes; raw: the byte that is no UTF-8. */
static void add_escaped(dv_buf *out, uint32_t rune, char quote, bool ascii)
{
    static const char codes[] = "\a\b\f\n\r\t\v", letters[] = "abfnrtv";
    const char *known = rune && rune < 0x80 ? strchr(codes, (int)rune) : NULL;

    if (rune == (uint32_t)quote || rune == '\\')
        dv_buf_addf(out, "\\%c", (char)rune);
    else if (rune < 0x80 ? rune >= 0x20 && rune < 0x7f : !ascii && dv_rune_is_print(rune))
        dv_rune_add(out, rune);
    else if (known)
        dv_buf_addf(out, "\\%c", letters[known - codes]);
    else if (rune < 0x20 || rune == 0x7f)
        dv_buf_addf(out, "\\x%02x", rune);
    else if (rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000))
        dv_buf_adds(out, "\\ufffd");
    else
        dv_buf_addf(out, rune < 0x10000 ? "\\u%04x" : "\\U%08x", rune);
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void quote(dv_buf *out, dv_str s, bool ascii)
{
    dv_buf_addc(out, '"');
    while (s.n) {
        size_t run = 0;

        while (run < s.n && is_plain((unsigned char)s.p[run]))
            run++;
        dv_buf_add(out, s.p, run);
        s = dv_str_skip(s, run);
        if (!s.n)
            break;
        unsigned char first = (unsigned char)s.p[0];
        size_t before = s.n;
        uint32_t rune = dv_rune_take(&s);
        if (rune == DV_RUNE_ERROR && before - s.n == 1)
            dv_buf_addf(out, "\\x%02x", first);
        else
            add_escaped(out, rune, '"', ascii);
    }
    dv_buf_addc(out, '"');
}

void dv_quote(dv_buf *out, dv_str s)
{
    quote(out, s, /* ascii= */ false);
}

void dv_quote_ascii(dv_buf *out, dv_str s)
{
    quote(out, s, /* ascii= */ true);
}

void dv_quote_rune(dv_buf *out, uint32_t rune, bool ascii)
{
    if (rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000))
        rune = DV_RUNE_ERROR;
    dv_buf_addc(out, '\'');
    add_escaped(out, rune, '\'', ascii);
    dv_buf_addc(out, '\'');
}

bool dv_can_backquote(dv_str s)
{
    while (s.n) {
        size_t before = s.n;
        uint32_t rune = dv_rune_take(&s);

        if (rune == DV_RUNE_ERROR && before - s.n == 1)
            return false;
        if (rune == 0xfeff || rune == '`' || rune == 0x7f || (rune < 0x20 && rune != '\t'))
            return false;
    }
    return true;
}

void dv_format_rune(dv_buf *out, uint32_t rune)
{
    dv_buf_addf(out, "U+%04X", rune);
    if (rune <= 0x10ffff && dv_rune_is_print(rune)) {
        dv_buf_adds(out, " '");
        dv_rune_add(out, rune);
        dv_buf_addc(out, '\'');
    }
}

/* ---- Reading ---- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* So many digits off the front of *s. */
static bool take_digits(dv_str *s, size_t n, int base, uint32_t *ret_value)
{
    uint32_t value = 0;

    if (s->n < n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int digit = hex_value(s->p[i]);

        if (digit < 0 || digit >= base)
            return false;
        value = value * (uint32_t)base + (uint32_t)digit;
    }
    *s = dv_str_skip(*s, n);
    *ret_value = value;
    return true;
}

/* Behind the backslash. *ret_byte: the value is a byte, not a character. */
static bool take_escape(dv_str *s, char quote, uint32_t *ret_rune, bool *ret_byte)
{
    static const char letters[] = "abfnrtv", codes[] = "\a\b\f\n\r\t\v";
    char c = s->n ? s->p[0] : '\0';
    const char *known = c ? strchr(letters, c) : NULL;

    if (c >= '0' && c <= '7') {
        *ret_byte = true;
        return take_digits(s, 3, 8, ret_rune) && *ret_rune <= 0xff;
    }
    *s = dv_str_skip(*s, 1);
    if (known) {
        *ret_rune = (unsigned char)codes[known - letters];
        return true;
    }
    switch (c) {
    case 'x':
        *ret_byte = true;
        return take_digits(s, 2, 16, ret_rune);
    case 'u':
    case 'U':
        return take_digits(s, c == 'u' ? 4 : 8, 16, ret_rune) && *ret_rune <= 0x10ffff &&
               (*ret_rune < 0xd800 || *ret_rune >= 0xe000);
    case '\\':
        *ret_rune = '\\';
        return true;
    case '\'':
    case '"':
        *ret_rune = (unsigned char)c;
        return c == quote;
    default:
        return false;
    }
}

static bool take_char(dv_str *s, char quote, uint32_t *ret_rune, bool *ret_byte)
{
    *ret_byte = false;
    if (!s->n || (s->p[0] == quote && quote))
        return false;
    if (s->p[0] != '\\') {
        *ret_rune = dv_rune_take(s);
        return true;
    }
    *s = dv_str_skip(*s, 1);
    return take_escape(s, quote, ret_rune, ret_byte);
}

bool dv_unquote_char(dv_str *s, char quote, uint32_t *ret_rune)
{
    bool byte;

    return take_char(s, quote, ret_rune, &byte);
}

bool dv_unquote(dv_str quoted, dv_buf *out)
{
    char quote = quoted.n ? quoted.p[0] : '\0';
    uint32_t rune;
    bool byte;

    if (quoted.n < 2 || quoted.p[quoted.n - 1] != quote)
        return false;
    dv_str body = {quoted.p + 1, quoted.n - 2};
    if (quote == '`') {
        for (size_t i = 0; i < body.n; i++)
            if (body.p[i] != '\r')
                dv_buf_addc(out, body.p[i]);
        return true;
    }
    while (body.n) {
        if (body.p[0] == '\n' || !take_char(&body, quote, &rune, &byte))
            return false;
        if (byte)
            dv_buf_addc(out, (char)rune);
        else
            dv_rune_add(out, rune);
    }
    return true;
}
