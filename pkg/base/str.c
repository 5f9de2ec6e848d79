/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

/* Of a text that a message quotes. */
enum { QUOTE_MAX_BYTES = 64 };

dv_str dv_str_of(const char *text)
{
    return (dv_str){text, text ? strlen(text) : 0};
}

bool dv_str_eq(dv_str a, dv_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool dv_str_is(dv_str a, const char *text)
{
    return dv_str_eq(a, dv_str_of(text));
}

int dv_str_cmp(dv_str a, dv_str b)
{
    size_t n = DV_MIN(a.n, b.n);
    int order = n ? memcmp(a.p, b.p, n) : 0;

    return order ? order : (a.n > b.n) - (a.n < b.n);
}

bool dv_str_starts(dv_str s, dv_str prefix)
{
    return s.n >= prefix.n && dv_str_eq(dv_str_head(s, prefix.n), prefix);
}

bool dv_str_ends(dv_str s, dv_str suffix)
{
    return s.n >= suffix.n && dv_str_eq(dv_str_skip(s, s.n - suffix.n), suffix);
}

dv_str dv_str_skip(dv_str s, size_t n)
{
    if (n >= s.n)
        return (dv_str){s.p ? s.p + s.n : NULL, 0};
    return (dv_str){s.p + n, s.n - n};
}

dv_str dv_str_head(dv_str s, size_t n)
{
    return (dv_str){s.p, DV_MIN(n, s.n)};
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

dv_str dv_str_trim(dv_str s)
{
    while (s.n && is_blank(s.p[0]))
        s = dv_str_skip(s, 1);
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

ptrdiff_t dv_str_find(dv_str s, char c)
{
    const char *at = s.n ? memchr(s.p, c, s.n) : NULL;

    return at ? at - s.p : -1;
}

ptrdiff_t dv_str_rfind(dv_str s, char c)
{
    const char *at = s.n ? memrchr(s.p, c, s.n) : NULL;

    return at ? at - s.p : -1;
}

bool dv_str_contains(dv_str s, dv_str needle)
{
    return needle.n == 0 || (s.n && memmem(s.p, s.n, needle.p, needle.n));
}

dv_str dv_str_cut(dv_str s, char c, dv_str *ret_head)
{
    ptrdiff_t at = dv_str_find(s, c);

    if (at < 0) {
        *ret_head = s;
        return (dv_str){NULL, 0};
    }
    *ret_head = dv_str_head(s, (size_t)at);
    return dv_str_skip(s, (size_t)at + 1);
}

char *dv_str_dup(dv_str s)
{
    return dv_strndup(s.p, s.n);
}

dv_err *dv_str_u64(dv_str s, uint64_t *ret_value)
{
    uint64_t value = 0;

    if (s.n == 0)
        return dv_err_new(DV_INVALID, "BadNumber", "a number is missing");
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9')
            return dv_err_new(DV_INVALID, "BadNumber", "\"%.*s\" is not a number",
                              DV_FMT(dv_str_head(s, QUOTE_MAX_BYTES)));
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(s.p[i] - '0'), &value))
            return dv_err_new(DV_INVALID, "BadNumber", "%.*s does not fit 64 bits",
                              DV_FMT(dv_str_head(s, QUOTE_MAX_BYTES)));
    }
    *ret_value = value;
    return NULL;
}

dv_err *dv_str_i64(dv_str s, int64_t *ret_value)
{
    bool negative = s.n && s.p[0] == '-';
    uint64_t magnitude;

    DV_CHECK(dv_str_u64(negative ? dv_str_skip(s, 1) : s, &magnitude));
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return dv_err_new(DV_INVALID, "BadNumber", "%.*s does not fit 64 bits", DV_FMT(s));
    *ret_value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return NULL;
}

uint64_t dv_str_hash(dv_str s)
{
    uint64_t hash = 0xcbf29ce484222325u;

    for (size_t i = 0; i < s.n; i++)
        hash = (hash ^ (unsigned char)s.p[i]) * 0x100000001b3u;
    return hash;
}

bool dv_glob_match(dv_str pattern, dv_str name)
{
    size_t p = 0, n = 0, star = SIZE_MAX, resume = 0;

    while (n < name.n) {
        if (p < pattern.n && pattern.p[p] == '*') {
            star = p++;
            resume = n;
        } else if (p < pattern.n && (pattern.p[p] == '?' || pattern.p[p] == name.p[n])) {
            p++;
            n++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            n = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.n && pattern.p[p] == '*')
        p++;
    return p == pattern.n;
}

/* By Unicode 15, table 3-7. */
size_t dv_utf8_len(dv_str s)
{
    const unsigned char *u = (const unsigned char *)s.p;
    unsigned char low = 0x80, high = 0xbf;
    size_t n;

    if (u[0] < 0x80)
        return 1;
    if (u[0] >= 0xc2 && u[0] <= 0xdf)
        n = 2;
    else if (u[0] >= 0xe0 && u[0] <= 0xef)
        n = 3;
    else if (u[0] >= 0xf0 && u[0] <= 0xf4)
        n = 4;
    else
        return 0;
    if (u[0] == 0xe0)
        low = 0xa0;
    else if (u[0] == 0xed)
        high = 0x9f;
    else if (u[0] == 0xf0)
        low = 0x90;
    else if (u[0] == 0xf4)
        high = 0x8f;
    if (s.n < n || u[1] < low || u[1] > high)
        return 0;
    for (size_t i = 2; i < n; i++)
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    return n;
}

/* Bytes at the start, in whole words, that are all ASCII. */
static size_t span_ascii_words(dv_str s)
{
    const uint64_t high_bits = 0x8080808080808080u;
    size_t n = 0;

    for (uint64_t word; s.n - n >= sizeof(word); n += sizeof(word)) {
        memcpy(&word, s.p + n, sizeof(word));
        if (word & high_bits)
            break;
    }
    return n;
}

bool dv_utf8_valid(dv_str s)
{
    for (;;) {
        size_t n;

        s = dv_str_skip(s, span_ascii_words(s));
        if (!s.n)
            return true;
        n = dv_utf8_len(s);
        if (!n)
            return false;
        s = dv_str_skip(s, n);
    }
}

size_t dv_str_edits(dv_str a, dv_str b)
{
    enum { NAME_MAX_BYTES = 63 };
    size_t row[NAME_MAX_BYTES + 1];

    if (a.n > NAME_MAX_BYTES || b.n > NAME_MAX_BYTES)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.n; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.n; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b.n; j++) {
            size_t replaced = diagonal + (a.p[i - 1] != b.p[j - 1]);

            diagonal = row[j];
            row[j] = DV_MIN(replaced, DV_MIN(row[j], row[j - 1]) + 1);
        }
    }
    return row[b.n];
}
