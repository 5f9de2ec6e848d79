/* SPDX-License-Identifier: Apache-2.0 */
#include "resolve/scan.h"

static const char not_json[] = "it is not JSON";

void dv_scan_init(scan *in, dv_str json, dv_arena *arena)
{
    *in = (scan){.start = json.p, .at = json.p, .end = json.p + json.n, .arena = arena};
    if (!dv_utf8_valid(json))
        dv_scan_fail(in, "it is not UTF-8");
}

void dv_scan_fail(scan *in, const char *fault)
{
    if (!in->fault)
        in->fault = fault;
}

size_t dv_scan_line(const scan *in)
{
    size_t line = 1;

    for (const char *p = in->start; p < in->at; p++)
        line += *p == '\n';
    return line;
}

char dv_scan_peek(scan *in)
{
    while (in->at < in->end &&
           (*in->at == ' ' || *in->at == '\n' || *in->at == '\r' || *in->at == '\t'))
        in->at++;
    return in->at < in->end && !in->fault ? *in->at : 0;
}

static bool take(scan *in, char c)
{
    if (dv_scan_peek(in) != c)
        return false;
    in->at++;
    return true;
}

bool dv_scan_open(scan *in, char open)
{
    if (!take(in, open)) {
        dv_scan_fail(in, open == '{' ? "an object must stand here" : "an array must stand here");
        return false;
    }
    return !take(in, open == '{' ? '}' : ']') && !in->fault;
}

bool dv_scan_more(scan *in, char close)
{
    if (take(in, ','))
        return true;
    if (!take(in, close))
        dv_scan_fail(in, not_json);
    return false;
}

static unsigned hex4(scan *in)
{
    unsigned value = 0;

    if (in->end - in->at < 4) {
        dv_scan_fail(in, not_json);
        return 0;
    }
    for (int i = 0; i < 4; i++) {
        char c = *in->at++;

        if (c >= '0' && c <= '9')
            value = value * 16 + (unsigned)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            value = value * 16 + (unsigned)((c | 0x20) - 'a') + 10;
        else
            dv_scan_fail(in, not_json);
    }
    return value;
}

static size_t put_utf8(char *to, unsigned code)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (char)(0xc0 | code >> 6);
        to[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (char)(0xe0 | code >> 12);
        to[1] = (char)(0x80 | (code >> 6 & 0x3f));
        to[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    to[0] = (char)(0xf0 | code >> 18);
    to[1] = (char)(0x80 | (code >> 12 & 0x3f));
    to[2] = (char)(0x80 | (code >> 6 & 0x3f));
    to[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

/* Behind "\u"; NUL and half surrogate pairs are refused. */
static size_t unescape_unicode(scan *in, char *to)
{
    unsigned code = hex4(in), low;

    if (code >= 0xd800 && code < 0xdc00 && in->end - in->at > 6 && in->at[0] == '\\' &&
        in->at[1] == 'u') {
        in->at += 2;
        low = hex4(in);
        if (low < 0xdc00 || low > 0xdfff)
            dv_scan_fail(in, not_json);
        code = 0x10000 + ((code - 0xd800) << 10) + ((low - 0xdc00) & 0x3ff);
    } else if (code >= 0xd800 && code < 0xe000) {
        dv_scan_fail(in, not_json);
    }
    if (code == 0)
        dv_scan_fail(in, "a text holds NUL");
    return put_utf8(to, in->fault ? '?' : code);
}

static size_t unescape_one(scan *in, char *to)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    char c = in->at < in->end ? *in->at++ : 0;
    const char *found = c ? strchr(from, c) : NULL;

    if (c == 'u')
        return unescape_unicode(in, to);
    if (!found) {
        dv_scan_fail(in, not_json);
        return 0;
    }
    to[0] = into[found - from];
    return 1;
}

/* The text goes on with an escape at in->at; head is what stands before it. */
static dv_str unescape(scan *in, dv_str head)
{
    const char *close = in->at;
    char *out;
    size_t n = head.n;

    while (close < in->end && *close != '"')
        close += *close == '\\' && close + 1 < in->end ? 2 : 1;
    out = dv_arena_alloc(in->arena, head.n + (size_t)(close - in->at) + 1);
    if (head.n)
        memcpy(out, head.p, head.n);
    while (in->at < in->end && *in->at != '"' && !in->fault) {
        if ((unsigned char)*in->at < ' ')
            dv_scan_fail(in, not_json);
        else if (*in->at != '\\')
            out[n++] = *in->at++;
        else
            in->at++, n += unescape_one(in, out + n);
    }
    return (dv_str){out, n};
}

/* Where a run of bytes that stand for themselves ends: a quote, an escape, a control character. */
static const char *plain_end(const char *at, const char *end)
{
    while (at < end && *at != '"' && *at != '\\' && (unsigned char)*at >= ' ')
        at++;
    return at;
}

dv_str dv_scan_string(scan *in)
{
    const char *start;
    dv_str text;

    if (!take(in, '"')) {
        dv_scan_fail(in, "a text must stand here");
        return DV_STR("");
    }
    start = in->at;
    in->at = plain_end(start, in->end);
    text = (dv_str){start, (size_t)(in->at - start)};
    if (in->at < in->end && *in->at == '\\')
        text = unescape(in, text);
    if (in->at >= in->end || *in->at != '"')
        dv_scan_fail(in, not_json);
    if (in->fault)
        return DV_STR("");
    in->at++;
    return text;
}

dv_str dv_scan_key(scan *in)
{
    dv_str key = dv_scan_string(in);

    if (!take(in, ':'))
        dv_scan_fail(in, not_json);
    return key;
}

static size_t span_digits(scan *in)
{
    const char *start = in->at;

    while (in->at < in->end && *in->at >= '0' && *in->at <= '9')
        in->at++;
    return (size_t)(in->at - start);
}

/* A whole JSON number; false: it has a fraction or an exponent. */
static bool scan_number(scan *in, dv_str *ret_text)
{
    const char *start, *first;
    bool whole = true;

    (void)dv_scan_peek(in);
    start = in->at;
    in->at += in->at < in->end && *in->at == '-';
    first = in->at;
    if (!span_digits(in) || (*first == '0' && in->at - first > 1))
        dv_scan_fail(in, not_json);
    if (in->at < in->end && *in->at == '.') {
        in->at++;
        whole = false;
        if (!span_digits(in))
            dv_scan_fail(in, not_json);
    }
    if (in->at < in->end && (*in->at | 0x20) == 'e') {
        in->at++;
        whole = false;
        in->at += in->at < in->end && (*in->at == '+' || *in->at == '-');
        if (!span_digits(in))
            dv_scan_fail(in, not_json);
    }
    *ret_text = (dv_str){start, (size_t)(in->at - start)};
    return whole;
}

int64_t dv_scan_integer(scan *in)
{
    dv_str text;
    int64_t value = 0;
    bool whole = scan_number(in, &text);
    dv_auto(dv_err) err = whole && !in->fault ? dv_str_i64(text, &value) : NULL;

    if (!whole || err)
        dv_scan_fail(in, "an integer of 64 bits must stand here");
    return value;
}

static void skip_word(scan *in)
{
    static const dv_str words[] = {DV_STR("true"), DV_STR("false"), DV_STR("null")};
    dv_str rest = {in->at, (size_t)(in->end - in->at)};

    for (size_t i = 0; i < DV_LEN(words); i++)
        if (dv_str_starts(rest, words[i])) {
            in->at += words[i].n;
            return;
        }
    dv_scan_fail(in, not_json);
}

static void skip_scalar(scan *in, char c)
{
    dv_str ignored;

    if (c == '"')
        (void)dv_scan_string(in);
    else if (c == '-' || (c >= '0' && c <= '9'))
        (void)scan_number(in, &ignored);
    else
        skip_word(in);
}

void dv_scan_skip(scan *in)
{
    char closers[DV_SCAN_DEPTH_MAX];
    size_t depth = 0;

    do {
        char c = dv_scan_peek(in);
        bool inside = (c == '{' || c == '[') && depth < DV_SCAN_DEPTH_MAX;

        if ((c == '{' || c == '[') && !inside)
            dv_scan_fail(in, "it is nested too deeply");
        if (inside && dv_scan_open(in, c))
            closers[depth++] = c == '{' ? '}' : ']';
        else if (!inside)
            skip_scalar(in, c);
        else
            inside = false;
        while (!inside && depth > 0 && !in->fault && !dv_scan_more(in, closers[depth - 1]))
            depth--;
        if (depth > 0 && closers[depth - 1] == '}' && !in->fault)
            (void)dv_scan_key(in);
    } while (depth > 0 && !in->fault);
}

void dv_scan_finish(scan *in)
{
    if (dv_scan_peek(in) != 0 || (in->at < in->end && !in->fault))
        dv_scan_fail(in, "something follows the end");
}
