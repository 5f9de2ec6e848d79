/* SPDX-License-Identifier: Apache-2.0 */
/* Sprig's functions on letters and words, as goutils and xstrings do them. */
#include "gotemplate/functions_internal.h"
#include "base/unicode.h"

enum { CJK_FROM = 0x3400 };

/* ---- One character after the other ---- */

typedef uint32_t map_fn(uint32_t rune, uint32_t before);

static dv_val map_runes(dv_run *run, dv_str s, map_fn *map)
{
    dv_buf *out = dv_run_scratch(run);
    uint32_t before = ' ';

    while (s.n) {
        uint32_t rune = dv_rune_take(&s);

        dv_rune_add(out, map(rune, before));
        before = rune;
    }
    return dv_run_text(run, out);
}

static uint32_t to_upper(uint32_t rune, uint32_t before DV_UNUSED)
{
    return dv_rune_upper(rune);
}

static uint32_t to_lower(uint32_t rune, uint32_t before DV_UNUSED)
{
    return dv_rune_lower(rune);
}

/* What ends a word for strings.Title. */
static bool is_separator(uint32_t rune)
{
    if (rune < 0x80)
        return !dv_rune_is_letter(rune) && !(rune >= '0' && rune <= '9') && rune != '_';
    if (dv_rune_is_letter(rune) || dv_rune_is_digit(rune))
        return false;
    return dv_rune_is_space(rune);
}

static uint32_t to_title(uint32_t rune, uint32_t before)
{
    return is_separator(before) ? dv_rune_title(rune) : rune;
}

static uint32_t to_untitle(uint32_t rune, uint32_t before)
{
    return dv_rune_is_space(before) ? dv_rune_lower(rune) : rune;
}

DV_FN(upper)
{
    return map_runes(run, DV_ARG(0), to_upper);
}

DV_FN(lower)
{
    return map_runes(run, DV_ARG(0), to_lower);
}

DV_FN(title)
{
    return map_runes(run, DV_ARG(0), to_title);
}

DV_FN(untitle)
{
    return map_runes(run, DV_ARG(0), to_untitle);
}

DV_FN(swapcase)
{
    dv_buf *out = dv_run_scratch(run);
    bool after_space = true;

    for (dv_str s = DV_ARG(0); s.n;) {
        uint32_t rune = dv_rune_take(&s), lower = dv_rune_lower(rune);
        bool is_title = lower != rune && dv_rune_upper(rune) != rune;

        if (dv_rune_is_upper(rune) || is_title) {
            rune = lower;
            after_space = false;
        } else if (dv_rune_is_lower(rune)) {
            rune = after_space ? dv_rune_title(rune) : dv_rune_upper(rune);
            after_space = false;
        } else {
            after_space = dv_rune_is_space(rune);
        }
        dv_rune_add(out, rune);
    }
    return dv_run_text(run, out);
}

/* The library takes each byte for a character; so do we, where that shows. */
DV_FN(nospace)
{
    dv_buf *out = dv_run_scratch(run);
    bool any = false;

    for (uint32_t i = 0; i < args[0].n; i++) {
        unsigned char c = (unsigned char)args[0].s[i];

        if (dv_rune_is_space(c))
            any = true;
        else
            dv_rune_add(out, c);
    }
    return any ? dv_run_text(run, out) : args[0];
}

DV_FN(initials)
{
    dv_buf *out = dv_run_scratch(run);
    bool gap = true;

    for (uint32_t i = 0; i < args[0].n; i++) {
        unsigned char c = (unsigned char)args[0].s[i];
        bool space = dv_rune_is_space(c);

        if (gap && !space)
            dv_rune_add(out, c);
        gap = space;
    }
    return dv_run_text(run, out);
}

/* ---- Wrapping ---- */

/* Offset of the last blank before `end`, or -1. */
static ptrdiff_t last_blank(dv_str s, size_t from, size_t end)
{
    for (size_t i = end; i > from; i--)
        if (s.p[i - 1] == ' ')
            return (ptrdiff_t)i - 1;
    return -1;
}

static void add_line(dv_buf *out, dv_str s, size_t from, size_t to, dv_str end)
{
    dv_buf_add(out, s.p + from, to - from);
    dv_buf_add_str(out, end);
}

static dv_val wrap(dv_run *run, dv_str s, int64_t length, dv_str end, bool long_words)
{
    dv_buf *out = dv_run_scratch(run);
    size_t width = length < 1 ? 1 : (size_t)length, offset = 0;

    if (!end.n)
        end = DV_STR("\n");
    while (s.n - offset > width && !out->overflow) {
        if (s.p[offset] == ' ') {
            offset++;
            continue;
        }
        ptrdiff_t blank = last_blank(s, offset, offset + width + 1);
        if (blank < 0 && long_words) {
            add_line(out, s, offset, offset + width, end);
            offset += width;
            continue;
        }
        if (blank < 0) {
            ptrdiff_t next = dv_str_find(dv_str_skip(s, offset + width), ' ');

            if (next < 0)
                break;
            blank = next + (ptrdiff_t)(offset + width);
        }
        add_line(out, s, offset, (size_t)blank, end);
        offset = (size_t)blank + 1;
    }
    dv_buf_add_str(out, dv_str_skip(s, offset));
    return dv_run_text(run, out);
}

DV_FN(wrap)
{
    return wrap(run, DV_ARG(1), args[0].i, (dv_str){"", 0}, /* long_words= */ false);
}

DV_FN(wrapWith)
{
    return wrap(run, DV_ARG(2), args[0].i, DV_ARG(1), /* long_words= */ true);
}

/* ---- Camels ---- */

static bool is_connector(uint32_t rune)
{
    return rune == '-' || rune == '_' || dv_rune_is_space(rune);
}

DV_FN(camelcase)
{
    dv_buf *out = dv_run_scratch(run);
    dv_str s = DV_ARG(0);
    uint32_t now = 0, before;
    bool first_upper = false, any = false;

    /* Connectors in front stay. */
    while (s.n && !any) {
        now = dv_rune_take(&s);
        if (is_connector(now)) {
            if (s.n)
                dv_rune_add(out, now);
            continue;
        }
        first_upper = dv_rune_is_upper(now);
        now = dv_rune_upper(now);
        any = true;
    }
    if (!args[0].n)
        return args[0];
    if (!any) {
        /* The last connector is written twice. */
        dv_rune_add(out, now);
        dv_rune_add(out, now);
        return dv_run_text(run, out);
    }
    while (s.n) {
        before = now;
        now = dv_rune_take(&s);
        if (is_connector(now) && is_connector(before)) {
            dv_rune_add(out, before);
            continue;
        }
        if (is_connector(before)) {
            first_upper = dv_rune_is_upper(now);
            now = dv_rune_upper(now);
            continue;
        }
        if (first_upper && dv_rune_is_upper(now))
            now = dv_rune_lower(now);
        else
            first_upper = false;
        dv_rune_add(out, before);
    }
    dv_rune_add(out, now);
    return dv_run_text(run, out);
}

/* ---- Snakes and kebabs ---- */

typedef enum {
    WORD_INVALID,
    WORD_NUMBER,
    WORD_UPPER,
    WORD_ALPHABET,
    WORD_CONNECTOR,
    WORD_PUNCT,
    WORD_OTHER,
} word_type;

typedef struct {
    word_type type;
    dv_str text;
} word;

static bool is_alphabet(uint32_t rune)
{
    if (!dv_rune_is_letter(rune))
        return false;
    return rune < CJK_FROM ||
           !((rune >= 0x4e00 && rune <= 0x9fcc) || (rune >= 0x3400 && rune <= 0x4d85) ||
             (rune >= 0x20000 && rune <= 0x2b81d));
}

/* The first character that is one, past what is not; `before` where there is none. */
static uint32_t next_valid(dv_str s, uint32_t before, size_t *ret_size)
{
    *ret_size = 0;
    while (s.n) {
        size_t width = dv_rune_width(s);
        uint32_t rune = dv_rune_take(&s);

        *ret_size += width;
        if (rune != DV_RUNE_ERROR)
            return rune;
    }
    return before;
}

static bool is_small(uint32_t rune)
{
    return is_alphabet(rune) && !dv_rune_is_upper(rune);
}

static bool is_other(uint32_t rune)
{
    return !is_connector(rune) && !is_alphabet(rune) && !dv_rune_is_number(rune) &&
           !dv_rune_is_punct(rune);
}

/* Bytes at the front of s, from offset on, whose characters all are so; *ret_rune the one behind.
 */
static size_t span(dv_str s, size_t offset, bool (*is)(uint32_t rune), uint32_t *rune)
{
    size_t size;

    while (offset < s.n) {
        *rune = next_valid(dv_str_skip(s, offset), *rune, &size);
        if (!is(*rune) || !size)
            break;
        offset += size;
    }
    return offset;
}

/* "HTTPStatus" is "HTTP" and "Status": a capital before a small letter begins the next word. */
static size_t span_upper(dv_str s, size_t first)
{
    size_t size, offset = first, last = 0;
    uint32_t rune = 0;

    if (offset == s.n)
        return offset;
    rune = next_valid(dv_str_skip(s, offset), rune, &size);
    if (!dv_rune_is_upper(rune))
        return is_alphabet(rune) ? span(s, offset + size, is_small, &rune) : offset;
    while (offset < s.n) {
        rune = next_valid(dv_str_skip(s, offset), rune, &size);
        if (!dv_rune_is_upper(rune))
            return is_alphabet(rune) ? offset - last : offset;
        last = size;
        offset += size;
    }
    return offset;
}

static word next_word(dv_str *rest)
{
    word w = {.type = WORD_INVALID};
    dv_str s = *rest;
    size_t size, n;
    uint32_t rune;

    if (!s.n)
        return w;
    rune = next_valid(s, DV_RUNE_ERROR, &size);
    n = size;
    if (rune == DV_RUNE_ERROR) {
        w.type = WORD_INVALID;
    } else if (is_connector(rune)) {
        w.type = WORD_CONNECTOR;
        n = span(s, size, is_connector, &rune);
    } else if (dv_rune_is_punct(rune)) {
        w.type = WORD_PUNCT;
        n = span(s, size, dv_rune_is_punct, &rune);
    } else if (dv_rune_is_upper(rune)) {
        w.type = WORD_UPPER;
        n = span_upper(s, size);
    } else if (is_alphabet(rune)) {
        w.type = WORD_ALPHABET;
        n = span(s, size, is_small, &rune);
    } else if (dv_rune_is_number(rune)) {
        w.type = WORD_NUMBER;
        n = span(s, size, dv_rune_is_number, &rune);
    } else {
        w.type = WORD_OTHER;
        n = span(s, size, is_other, &rune);
    }
    w.text = dv_str_head(s, n);
    *rest = dv_str_skip(s, n);
    return w;
}

static void add_lower(dv_buf *out, word w, char connector)
{
    if (w.type != WORD_UPPER && w.type != WORD_CONNECTOR) {
        dv_buf_add_str(out, w.text);
        return;
    }
    while (w.text.n) {
        uint32_t rune = dv_rune_take(&w.text);

        if (is_connector(rune))
            dv_buf_addc(out, connector);
        else
            dv_rune_add(out, dv_rune_is_upper(rune) ? dv_rune_lower(rune) : rune);
    }
}

static bool joins(word_type type)
{
    return type == WORD_CONNECTOR || type == WORD_PUNCT;
}

/* Letters and digits that follow belong to the number's word. */
static word add_number_word(dv_buf *out, dv_str *rest, word w, char connector)
{
    while (w.type == WORD_ALPHABET || w.type == WORD_NUMBER) {
        add_lower(out, w, connector);
        w = next_word(rest);
    }
    if (w.type != WORD_INVALID && !joins(w.type))
        dv_buf_addc(out, connector);
    return w;
}

/* Between a word and w, which is a number or not: "Bld4Floor" is "bld4_floor", "HTTP2xx"
 * "http_2xx". */
static word between_words(dv_buf *out, dv_str *rest, word w, char connector)
{
    word last;

    if (w.type != WORD_NUMBER) {
        if (!joins(w.type))
            dv_buf_addc(out, connector);
        return w;
    }
    if (!rest->n)
        return w;
    last = w;
    w = next_word(rest);
    if (w.type == WORD_ALPHABET) {
        dv_buf_addc(out, connector);
        add_lower(out, last, connector);
        return add_number_word(out, rest, w, connector);
    }
    add_lower(out, last, connector);
    if (!joins(w.type))
        dv_buf_addc(out, connector);
    return w;
}

static dv_val separate_words(dv_run *run, dv_str rest, char connector)
{
    dv_buf *out = dv_run_scratch(run);
    word w = next_word(&rest);

    while (rest.n && !out->overflow) {
        word previous = w;

        if (w.type != WORD_CONNECTOR)
            add_lower(out, w, connector);
        w = next_word(&rest);
        switch (previous.type) {
        case WORD_NUMBER:
            w = add_number_word(out, &rest, w, connector);
            break;
        case WORD_CONNECTOR:
            add_lower(out, previous, connector);
            break;
        case WORD_PUNCT:
            break;
        default:
            w = between_words(out, &rest, w, connector);
        }
    }
    add_lower(out, w, connector);
    return dv_run_text(run, out);
}

DV_FN(snakecase)
{
    return separate_words(run, DV_ARG(0), '_');
}

DV_FN(kebabcase)
{
    return separate_words(run, DV_ARG(0), '-');
}
