/* SPDX-License-Identifier: Apache-2.0 */
/* Sprig's functions on whole strings. */
#include "gotemplate/format.h"
#include "gotemplate/functions_internal.h"
#include "base/unicode.h"

/* ---- Shared ---- */

dv_val dv_cast_string(dv_run *run, dv_val value)
{
    if (value.kind == DV_V_STRING)
        return value;
    if (value.kind == DV_V_BYTES)
        return dv_val_borrow(dv_val_str(value));
    dv_buf *out = dv_run_scratch(run);
    dv_format_value(dv_run_heap(run), out, value);
    return dv_run_text(run, out);
}

dv_list *dv_cast_strings(dv_run *run, dv_val value)
{
    bool many = dv_is_sequence(value);
    size_t count = many ? dv_sequence_len(value) : 1;
    dv_list *list = dv_list_new(dv_run_heap(run), &dv_type_strings, count);

    for (size_t i = 0; i < count && !dv_heap_refused(dv_run_heap(run)); i++) {
        dv_val element = many ? dv_sequence_at(value, i) : value;

        if (!dv_val_is_nil(element))
            dv_list_push(dv_run_heap(run), list, dv_cast_string(run, element));
    }
    return list;
}

dv_val dv_fail_slice(dv_run *run, int64_t from, int64_t to, size_t length)
{
    if (to < 0)
        return dv_run_fail(run, "runtime error: slice bounds out of range [:%lld]", (long long)to);
    if ((uint64_t)to > length)
        return dv_run_fail(run, "runtime error: slice bounds out of range [:%lld] with length %zu",
                           (long long)to, length);
    if (from < 0)
        return dv_run_fail(run, "runtime error: slice bounds out of range [%lld:]",
                           (long long)from);
    return dv_run_fail(run, "runtime error: slice bounds out of range [%lld:%lld]", (long long)from,
                       (long long)to);
}

bool dv_check_repeat(dv_run *run, int64_t count, size_t bytes)
{
    if (count < 0) {
        dv_run_fail(run, "strings: negative Repeat count");
        return false;
    }
    if (bytes && (uint64_t)count > (uint64_t)INT64_MAX / bytes) {
        dv_run_fail(run, "strings: Repeat output length overflow");
        return false;
    }
    return true;
}

/* A part of a string argument: nothing is copied. */
static dv_val part(dv_val whole, size_t from, size_t to)
{
    whole.s += from;
    whole.n = (uint32_t)(to - from);
    whole.iface = false;
    return whole;
}

static dv_val part_of(dv_val whole, dv_str inner)
{
    size_t from = inner.n ? (size_t)(inner.p - whole.s) : 0;

    return part(whole, from, from + inner.n);
}

/* s[from:to], or Go's panic. */
static dv_val cut(dv_run *run, dv_val s, int64_t from, int64_t to)
{
    if (from < 0 || to < from || (uint64_t)to > s.n)
        return dv_fail_slice(run, from, to, s.n);
    return part(s, (size_t)from, (size_t)to);
}

/* ---- Cutting ---- */

DV_FN(trunc)
{
    int64_t count = args[0].i, length = args[1].n;

    if (count < 0 && length + count > 0)
        return part(args[1], (size_t)(length + count), args[1].n);
    if (count >= 0 && length > count)
        return part(args[1], 0, (size_t)count);
    return args[1];
}

DV_FN(substr)
{
    int64_t start = args[0].i, end = args[1].i;

    if (start < 0)
        return cut(run, args[2], 0, end);
    if (end < 0 || end > args[2].n) {
        if (start > args[2].n)
            return dv_run_fail(run, "runtime error: slice bounds out of range [%lld:%u]",
                               (long long)start, args[2].n);
        end = args[2].n;
    }
    return cut(run, args[2], start, end);
}

DV_FN(trim)
{
    return part_of(args[0], dv_trim_space(DV_ARG(0)));
}

DV_FN(trimPrefix)
{
    dv_str s = DV_ARG(1);

    return part_of(args[1], dv_str_starts(s, DV_ARG(0)) ? dv_str_skip(s, args[0].n) : s);
}

DV_FN(trimSuffix)
{
    dv_str s = DV_ARG(1);

    return part_of(args[1], dv_str_ends(s, DV_ARG(0)) ? dv_str_head(s, s.n - args[0].n) : s);
}

/* Whether the first character of s is one of the set's. */
static bool starts_with_any(dv_str s, dv_str set, size_t *ret_width)
{
    size_t width = dv_rune_width(s);
    uint32_t rune = s.n ? dv_rune_take(&s) : 0;

    *ret_width = width;
    while (set.n && width)
        if (dv_rune_take(&set) == rune)
            return true;
    return false;
}

/* Where the last character of s begins. */
static size_t last_start(dv_str s)
{
    for (size_t n = 1; n <= 4 && n <= s.n; n++)
        if (((unsigned char)s.p[s.n - n] & 0xc0) != 0x80)
            return dv_rune_width(dv_str_skip(s, s.n - n)) == n ? s.n - n : s.n - 1;
    return s.n - 1;
}

static dv_val trim_set(dv_val whole, dv_str set)
{
    dv_str s = dv_val_str(whole);
    size_t width;

    while (s.n && starts_with_any(s, set, &width))
        s = dv_str_skip(s, width);
    while (s.n && starts_with_any(dv_str_skip(s, last_start(s)), set, &width))
        s.n = last_start(s);
    return part_of(whole, s);
}

DV_FN(trimAll)
{
    return trim_set(args[1], DV_ARG(0));
}

static dv_val abbreviate(dv_run *run, dv_val whole, int64_t offset, int64_t width)
{
    dv_buf *out = dv_run_scratch(run);
    dv_str s = dv_val_str(whole);
    int64_t length = (int64_t)s.n;

    if (length <= width)
        return whole;
    offset = DV_MIN(offset, length);
    if (length - offset < width - 3)
        offset = length - (width - 3);
    if (offset <= 4) {
        dv_buf_add(out, s.p, (size_t)(width - 3));
        dv_buf_adds(out, "...");
        return dv_run_text(run, out);
    }
    if (width < 7)
        return dv_val_lit("");
    dv_buf_adds(out, "...");
    if (offset + width - 3 < length) {
        /* What is left is abbreviated again, which needs four characters at least. */
        if (width - 3 >= 4) {
            dv_buf_add(out, s.p + offset, (size_t)(width - 6));
            dv_buf_adds(out, "...");
        }
    } else {
        dv_buf_add_str(out, dv_str_skip(s, (size_t)(length - (width - 3))));
    }
    return dv_run_text(run, out);
}

DV_FN(abbrev)
{
    return args[0].i < 4 ? args[1] : abbreviate(run, args[1], 0, args[0].i);
}

DV_FN(abbrevboth)
{
    int64_t left = args[0].i, right = args[1].i;

    if (right < 4 || (left > 0 && right < 7))
        return args[2];
    return abbreviate(run, args[2], left, right);
}

/* ---- Asking ---- */

DV_FN(contains)
{
    return dv_val_bool(dv_str_contains(DV_ARG(1), DV_ARG(0)));
}

DV_FN(hasPrefix)
{
    return dv_val_bool(dv_str_starts(DV_ARG(1), DV_ARG(0)));
}

DV_FN(hasSuffix)
{
    return dv_val_bool(dv_str_ends(DV_ARG(1), DV_ARG(0)));
}

DV_FN(plural)
{
    return args[args[2].i == 1 ? 0 : 1];
}

/* ---- Making ---- */

DV_FN(hello)
{
    return dv_val_lit("Hello!");
}

DV_FN(toString)
{
    return dv_cast_string(run, args[0]);
}

DV_FN(repeat)
{
    dv_buf *out = dv_run_scratch(run);

    if (!dv_check_repeat(run, args[0].i, args[1].n))
        return DV_NONE_VAL;
    if (args[1].n == 1)
        dv_buf_fill(out, args[1].s[0], (size_t)args[0].i);
    for (int64_t i = 0; i < args[0].i && args[1].n > 1 && !out->overflow; i++)
        dv_buf_add_str(out, DV_ARG(1));
    return dv_run_text(run, out);
}

/* Appends s with old replaced; an empty old stands before each character and at the end. */
static void add_replaced(dv_buf *out, dv_str s, dv_str old, dv_str new)
{
    while (!old.n && s.n && !out->overflow) {
        size_t width = dv_rune_width(s);

        dv_buf_add_str(out, new);
        dv_buf_add(out, s.p, width);
        s = dv_str_skip(s, width);
    }
    if (!old.n) {
        dv_buf_add_str(out, new);
        return;
    }
    for (const char *at; s.n && (at = memmem(s.p, s.n, old.p, old.n)) && !out->overflow;) {
        dv_buf_add(out, s.p, (size_t)(at - s.p));
        dv_buf_add_str(out, new);
        s = dv_str_skip(s, (size_t)(at - s.p) + old.n);
    }
    dv_buf_add_str(out, s);
}

DV_FN(replace)
{
    dv_buf *out = dv_run_scratch(run);

    if (dv_str_eq(DV_ARG(0), DV_ARG(1)))
        return args[2];
    add_replaced(out, DV_ARG(2), DV_ARG(0), DV_ARG(1));
    return dv_run_text(run, out);
}

/* Writes s with `spaces` blanks before each line into fresh memory, after `lead`. */
static dv_val indent(dv_run *run, int64_t spaces, dv_str s, dv_str lead)
{
    size_t lines = 1, width = (size_t)spaces;
    dv_val text;

    if (!dv_check_repeat(run, spaces, 1))
        return DV_NONE_VAL;
    for (const char *p = s.p, *end = s.p + s.n; p < end && (p = memchr(p, '\n', (size_t)(end - p)));
         p++)
        lines++;
    size_t total = dv_size_mul(lines, width);
    if (total > UINT32_MAX) {
        dv_run_scratch(run)->overflow = true;
        return dv_run_text(run, dv_run_scratch(run));
    }
    char *out = dv_heap_text(dv_run_heap(run), lead.n + total + s.n, &text);
    if (!out)
        return text;
    memcpy(out, lead.p, lead.n);
    out += lead.n;
    for (;;) {
        const char *end = s.n ? memchr(s.p, '\n', s.n) : NULL;
        size_t line = end ? (size_t)(end - s.p) + 1 : s.n;

        memset(out, ' ', width);
        if (line)
            memcpy(out + width, s.p, line);
        out += width + line;
        s = dv_str_skip(s, line);
        if (!end)
            return text;
    }
}

DV_FN(indent)
{
    return indent(run, args[0].i, DV_ARG(1), (dv_str){"", 0});
}

DV_FN(nindent)
{
    return indent(run, args[0].i, DV_ARG(1), DV_STR("\n"));
}

DV_FN(quote)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(dv_run_scratch(run)->limit);
    dv_buf *out = dv_run_scratch(run);
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        if (dv_val_is_nil(args[i]))
            continue;
        if (any)
            dv_buf_addc(out, ' ');
        dv_quote(out, dv_format_text(dv_run_heap(run), &text, args[i]));
        any = true;
    }
    return dv_run_text(run, out);
}

DV_FN(squote)
{
    dv_buf *out = dv_run_scratch(run);
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        if (dv_val_is_nil(args[i]))
            continue;
        dv_buf_adds(out, any ? " '" : "'");
        dv_format_value(dv_run_heap(run), out, args[i]);
        dv_buf_addc(out, '\'');
        any = true;
    }
    return dv_run_text(run, out);
}

DV_FN(cat)
{
    dv_buf *out = dv_run_scratch(run);
    bool any = false;

    for (size_t i = 0; i < n; i++) {
        if (dv_val_is_nil(args[i]))
            continue;
        if (any)
            dv_buf_addc(out, ' ');
        dv_format_value(dv_run_heap(run), out, args[i]);
        any = true;
    }
    return dv_run_text(run, out);
}

/* ---- Lists of strings ---- */

DV_FN(toStrings)
{
    if (args[0].kind == DV_V_LIST && args[0].list && args[0].list->type == &dv_type_strings)
        return args[0];
    return dv_val_list(dv_cast_strings(run, args[0]));
}

DV_FN(join)
{
    const dv_list *list = dv_cast_strings(run, args[1]);
    dv_buf *out = dv_run_scratch(run);

    for (uint32_t i = 0; i < list->n; i++) {
        if (i)
            dv_buf_add_str(out, DV_ARG(0));
        dv_buf_add_str(out, dv_val_str(list->at[i]));
    }
    return dv_run_text(run, out);
}

/* strings.SplitN: at most `most` parts, the last of which holds the rest; most < 0: all. */
static dv_list *split(dv_run *run, dv_str s, dv_str separator, int64_t most)
{
    dv_list *list = dv_list_new(dv_run_heap(run), &dv_type_strings, 0);
    const char *at;

    if (most == 0)
        return list;
    if (!separator.n) {
        for (; s.n && (most < 0 || list->n + 1 < most); s = dv_str_skip(s, dv_rune_width(s)))
            dv_list_push(dv_run_heap(run), list, dv_val_borrow(dv_str_head(s, dv_rune_width(s))));
        if (s.n)
            dv_list_push(dv_run_heap(run), list, dv_val_borrow(s));
        return list;
    }
    while ((most < 0 || list->n + 1 < most) && s.n &&
           (at = memmem(s.p, s.n, separator.p, separator.n))) {
        dv_list_push(dv_run_heap(run), list, dv_val_borrow(dv_str_head(s, (size_t)(at - s.p))));
        s = dv_str_skip(s, (size_t)(at - s.p) + separator.n);
    }
    dv_list_push(dv_run_heap(run), list, dv_val_borrow(s));
    return list;
}

/* {_0: first, _1: second, …} */
static dv_val numbered(dv_run *run, const dv_list *parts)
{
    dv_dict *dict = dv_dict_new(dv_run_heap(run), &dv_type_string_dict);
    char key[16];

    for (uint32_t i = 0; i < parts->n && !dv_heap_refused(dv_run_heap(run)); i++) {
        snprintf(key, sizeof(key), "_%u", i);
        dv_dict_set_copy(dv_run_heap(run), dict, dv_str_of(key), parts->at[i]);
    }
    return dv_val_dict(dict);
}

DV_FN(splitList)
{
    return dv_val_list(split(run, DV_ARG(1), DV_ARG(0), -1));
}

DV_FN(split)
{
    return numbered(run, split(run, DV_ARG(1), DV_ARG(0), -1));
}

DV_FN(splitn)
{
    return numbered(run, split(run, DV_ARG(2), DV_ARG(0), args[1].i));
}

static int by_text(const void *a, const void *b)
{
    const dv_val *x = a, *y = b;

    return dv_str_cmp(dv_val_str(*x), dv_val_str(*y));
}

DV_FN(sortAlpha)
{
    dv_list *list = dv_cast_strings(run, args[0]);

    if (!dv_is_sequence(args[0]) && !list->n) /* sprig prints a nil here */
        dv_list_push(dv_run_heap(run), list, dv_val_lit("<nil>"));
    else if (dv_is_sequence(args[0]) && list->n)
        qsort(list->at, list->n, sizeof(dv_val), by_text);
    return dv_val_list(list);
}
