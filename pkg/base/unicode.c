/* SPDX-License-Identifier: Apache-2.0 */
#include "base/unicode.h"

#include "base/unicode_internal.h"

enum { CASE_UPPER, CASE_LOWER, CASE_TITLE };

uint32_t dv_rune_take(dv_str *s)
{
    static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    const unsigned char *u = (const unsigned char *)s->p;
    size_t n = *u < 0x80 ? 1 : dv_utf8_len(*s);

    *s = dv_str_skip(*s, n ? n : 1);
    if (!n)
        return DV_RUNE_ERROR;
    uint32_t rune = u[0] & first_bits[n];
    for (size_t i = 1; i < n; i++)
        rune = rune << 6 | (u[i] & 0x3f);
    return rune;
}

size_t dv_rune_width(dv_str s)
{
    size_t n = s.n ? dv_utf8_len(s) : 0;

    return n || !s.n ? n : 1;
}

size_t dv_rune_count(dv_str s)
{
    size_t count = 0;

    for (; s.n; count++)
        s = dv_str_skip(s, dv_rune_width(s));
    return count;
}

void dv_rune_add(dv_buf *out, uint32_t rune)
{
    char u[4];
    size_t n = 0;

    if (rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000))
        rune = DV_RUNE_ERROR;
    if (rune < 0x80) {
        u[n++] = (char)rune;
    } else if (rune < 0x800) {
        u[n++] = (char)(0xc0 | rune >> 6);
    } else if (rune < 0x10000) {
        u[n++] = (char)(0xe0 | rune >> 12);
        u[n++] = (char)(0x80 | (rune >> 6 & 0x3f));
    } else {
        u[n++] = (char)(0xf0 | rune >> 18);
        u[n++] = (char)(0x80 | (rune >> 12 & 0x3f));
        u[n++] = (char)(0x80 | (rune >> 6 & 0x3f));
    }
    if (rune >= 0x80)
        u[n++] = (char)(0x80 | (rune & 0x3f));
    dv_buf_add(out, u, n);
}

static bool is_in(const dv_rune_table *table, uint32_t rune)
{
    size_t low = 0, high = table->n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const dv_rune_range *r = &table->at[middle];

        if (rune < r->lo)
            high = middle;
        else if (rune > r->hi)
            low = middle + 1;
        else
            return (rune - r->lo) % r->stride == 0;
    }
    return false;
}

#define DEFINE_IS(name)                                                                            \
    bool dv_rune_is_##name(uint32_t rune)                                                          \
    {                                                                                              \
        return is_in(&dv_rune_##name##s, rune);                                                    \
    }
DEFINE_IS(digit)
DEFINE_IS(number)
DEFINE_IS(space)
DEFINE_IS(upper)
DEFINE_IS(lower)
DEFINE_IS(punct)

bool dv_rune_is_print(uint32_t rune)
{
    return is_in(&dv_rune_printables, rune);
}

bool dv_rune_is_letter(uint32_t rune)
{
    if (rune < 0x80)
        return (rune >= 'a' && rune <= 'z') || (rune >= 'A' && rune <= 'Z');
    return is_in(&dv_rune_letters, rune);
}

static uint32_t to_case(uint32_t rune, int which)
{
    size_t low = 0, high = dv_rune_cases.n;

    while (low < high) {
        size_t middle = (low + high) / 2;
        const dv_case_range *r = &dv_rune_cases.at[middle];

        if (rune < r->lo) {
            high = middle;
        } else if (rune > r->hi) {
            low = middle + 1;
        } else if (r->delta[which] == DV_UPPER_LOWER) {
            /* Upper case on the even places from lo, lower on the odd ones. */
            return r->lo + (((rune - r->lo) & ~1u) | (which == CASE_LOWER));
        } else {
            return (uint32_t)((int64_t)rune + r->delta[which]);
        }
    }
    return rune;
}

uint32_t dv_rune_upper(uint32_t rune)
{
    if (rune < 0x80)
        return rune >= 'a' && rune <= 'z' ? rune - 32 : rune;
    return to_case(rune, CASE_UPPER);
}

uint32_t dv_rune_lower(uint32_t rune)
{
    if (rune < 0x80)
        return rune >= 'A' && rune <= 'Z' ? rune + 32 : rune;
    return to_case(rune, CASE_LOWER);
}

uint32_t dv_rune_title(uint32_t rune)
{
    if (rune < 0x80)
        return dv_rune_upper(rune);
    return to_case(rune, CASE_TITLE);
}

/* The last character of s, which is not empty. */
static uint32_t last_rune(dv_str s, size_t *ret_n)
{
    for (size_t n = 2; n <= 4 && n <= s.n; n++) {
        dv_str tail = dv_str_skip(s, s.n - n);

        if (dv_utf8_len(tail) == n) {
            *ret_n = n;
            return dv_rune_take(&tail);
        }
    }
    *ret_n = 1;
    unsigned char c = (unsigned char)s.p[s.n - 1];
    return c < 0x80 ? c : DV_RUNE_ERROR;
}

dv_str dv_trim_space(dv_str s)
{
    size_t n;

    while (s.n) {
        dv_str rest = s;

        if (!dv_rune_is_space(dv_rune_take(&rest)))
            break;
        s = rest;
    }
    while (s.n && dv_rune_is_space(last_rune(s, &n)))
        s.n -= n;
    return s;
}
