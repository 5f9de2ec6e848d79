/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader. jansson's own refuses integers past 64 bits, which API objects may hold, and goes
 * four times deeper than our stacks are budgeted for.
 */
#include "json/json.h"

#include <math.h>

typedef struct {
    const char *start, *at, *end;
    dv_buf text; /* a string with escapes, while it is put together */
    unsigned depth;
    const char *wrong; /* the first thing wrong; NULL: nothing */
} reader;

static json_t *read_value(reader *r);

static json_t *refuse(reader *r, const char *wrong)
{
    if (!r->wrong)
        r->wrong = wrong;
    return NULL;
}

static void skip_blanks(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\n' || *r->at == '\r' || *r->at == '\t'))
        r->at++;
}

/* Steps over blanks, then c if it is next. */
static bool accept(reader *r, char c)
{
    skip_blanks(r);
    if (r->at == r->end || *r->at != c)
        return false;
    r->at++;
    return true;
}

/* ---- Strings ---- */

/* Four hex digits, or -1. */
static int read_hex4(reader *r)
{
    int value = 0;

    if (r->end - r->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        char c = r->at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    r->at += 4;
    return value;
}

static void add_utf8(dv_buf *out, unsigned code)
{
    if (code < 0x80) {
        dv_buf_addc(out, (char)code);
        return;
    }
    if (code < 0x800) {
        dv_buf_addc(out, (char)(0xc0 | code >> 6));
    } else {
        if (code < 0x10000) {
            dv_buf_addc(out, (char)(0xe0 | code >> 12));
        } else {
            dv_buf_addc(out, (char)(0xf0 | code >> 18));
            dv_buf_addc(out, (char)(0x80 | (code >> 12 & 0x3f)));
        }
        dv_buf_addc(out, (char)(0x80 | (code >> 6 & 0x3f)));
    }
    dv_buf_addc(out, (char)(0x80 | (code & 0x3f)));
}

/* Behind "\u". Half a surrogate pair becomes U+FFFD, as Go reads it. */
static bool read_unicode(reader *r)
{
    int code = read_hex4(r);

    if (code < 0)
        return false;
    if (code >= 0xd800 && code < 0xe000) {
        const char *resume = r->at;
        bool high = code < 0xdc00 && r->end - r->at >= 6 && r->at[0] == '\\' && r->at[1] == 'u';
        int low = -1;

        if (high) {
            r->at += 2;
            low = read_hex4(r);
        }
        if (low >= 0xdc00 && low < 0xe000) {
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        } else {
            r->at = resume;
            code = 0xfffd;
        }
    }
    add_utf8(&r->text, (unsigned)code);
    return true;
}

/* Behind a backslash. */
static bool read_escape(reader *r)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *known;

    if (r->at == r->end)
        return false;
    char c = *r->at++;
    if (c == 'u')
        return read_unicode(r);
    if (!c || !(known = strchr(from, c)))
        return false;
    dv_buf_addc(&r->text, to[known - from]);
    return true;
}

/* Steps over what stands for itself; false: bytes that are no UTF-8. */
static bool skip_plain(reader *r)
{
    while (r->at < r->end) {
        unsigned char c = (unsigned char)*r->at;
        size_t n = 1;

        if (c == '"' || c == '\\' || c < 0x20)
            return true;
        if (c >= 0x80)
            n = dv_utf8_len((dv_str){r->at, (size_t)(r->end - r->at)});
        if (!n)
            return false;
        r->at += n;
    }
    return true;
}

/*
 * Behind the opening quote. *ret_text is borrowed: from the input, or, where escapes had to be
 * resolved, from r->text, until the next string.
 */
static bool read_text(reader *r, dv_str *ret_text)
{
    const char *run = r->at;

    dv_buf_reset(&r->text);
    for (bool whole = true;;) {
        if (!skip_plain(r))
            return refuse(r, "a string is not UTF-8");
        dv_str plain = {run, (size_t)(r->at - run)};
        if (r->at == r->end || (unsigned char)*r->at < 0x20)
            return refuse(r, "a string has no end");
        char c = *r->at++;
        if (c == '"' && whole) {
            *ret_text = plain;
            return true;
        }
        dv_buf_add_str(&r->text, plain);
        if (c == '"') {
            *ret_text = dv_buf_str(&r->text);
            return true;
        }
        whole = false;
        if (!read_escape(r))
            return refuse(r, "an escape sequence is unknown");
        run = r->at;
    }
}

/* ---- Numbers ---- */

static size_t count_digits(const reader *r, const char *at)
{
    size_t n = 0;

    while (at + n < r->end && at[n] >= '0' && at[n] <= '9')
        n++;
    return n;
}

/* The end of the number by RFC 8259's grammar, or NULL. */
static const char *number_end(const reader *r, bool *ret_real)
{
    const char *at = r->at + (*r->at == '-');
    size_t n = count_digits(r, at);

    *ret_real = false;
    if (n == 0 || (n > 1 && *at == '0'))
        return NULL;
    at += n;
    if (at < r->end && *at == '.') {
        *ret_real = true;
        n = count_digits(r, ++at);
        if (n == 0)
            return NULL;
        at += n;
    }
    if (at < r->end && (*at == 'e' || *at == 'E')) {
        *ret_real = true;
        at++;
        if (at < r->end && (*at == '+' || *at == '-'))
            at++;
        n = count_digits(r, at);
        if (n == 0)
            return NULL;
        at += n;
    }
    return at;
}

/* False: past 64 bits. */
static bool to_integer(dv_str text, int64_t *ret_value)
{
    bool negative = text.p[0] == '-';
    int64_t value = 0;

    for (size_t i = negative; i < text.n; i++) {
        int digit = text.p[i] - '0';

        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_sub_overflow(value, digit, &value))
            return false;
    }
    return !__builtin_mul_overflow(value, negative ? 1 : -1, ret_value);
}

/* strtod() wants a NUL behind the number; nearly all fit the stack. */
static double to_real(dv_str text)
{
    enum { SHORT_BYTES = 64 };
    char brief[SHORT_BYTES];

    if (text.n < sizeof(brief)) {
        memcpy(brief, text.p, text.n);
        brief[text.n] = '\0';
        return strtod(brief, NULL);
    }
    dv_auto_str copy = dv_str_dup(text);
    return strtod(copy, NULL);
}

static json_t *read_number(reader *r)
{
    bool real;
    const char *end = number_end(r, &real);
    int64_t integer;

    if (!end)
        return refuse(r, "a number is malformed");
    dv_str text = {r->at, (size_t)(end - r->at)};
    r->at = end;
    if (!real && to_integer(text, &integer))
        return json_integer(integer);
    double value = to_real(text);
    return isfinite(value) ? json_real(value) : refuse(r, "a number is out of range");
}

/* ---- Values ---- */

static json_t *read_array(reader *r)
{
    json_auto_t *array = json_array();

    if (accept(r, ']'))
        return DV_TAKE(array);
    do {
        if (json_array_append_new(array, read_value(r)) != 0)
            return NULL; /* read_value() said why */
    } while (accept(r, ','));
    if (!accept(r, ']'))
        return refuse(r, "',' or ']' is missing");
    return DV_TAKE(array);
}

static bool read_member(reader *r, json_t *object)
{
    DV_CLEANUP(dv_freep) char *copy = NULL;
    size_t before = json_object_size(object);
    dv_str key;

    if (!accept(r, '"'))
        return refuse(r, "an object's key is missing");
    if (!read_text(r, &key))
        return false;
    if (key.p == r->text.p) /* the value reuses that buffer */
        key.p = copy = dv_str_dup(key);
    if (!accept(r, ':'))
        return refuse(r, "':' is missing");
    json_t *value = read_value(r);
    if (!value)
        return false;
    json_object_setn_new_nocheck(object, key.p ? key.p : "", key.n, value);
    if (json_object_size(object) == before)
        return refuse(r, "an object has a key twice");
    return true;
}

static json_t *read_object(reader *r)
{
    json_auto_t *object = json_object();

    if (accept(r, '}'))
        return DV_TAKE(object);
    do {
        if (!read_member(r, object))
            return NULL;
    } while (accept(r, ','));
    if (!accept(r, '}'))
        return refuse(r, "',' or '}' is missing");
    return DV_TAKE(object);
}

static json_t *read_nested(reader *r, json_t *(*read)(reader *r))
{
    if (r->depth == DV_JSON_DEPTH_MAX)
        return refuse(r, "nested too deeply");
    r->depth++;
    json_t *value = read(r);
    r->depth--;
    return value;
}

static json_t *read_word(reader *r, dv_str word, json_t *value)
{
    if (!dv_str_starts((dv_str){r->at, (size_t)(r->end - r->at)}, word))
        return refuse(r, "a value is malformed");
    r->at += word.n;
    return value;
}

static json_t *read_string(reader *r)
{
    dv_str text;

    return read_text(r, &text) ? json_stringn_nocheck(text.p ? text.p : "", text.n) : NULL;
}

static json_t *read_value(reader *r)
{
    skip_blanks(r);
    if (r->at == r->end)
        return refuse(r, "ends too early");
    switch (*r->at) {
    case '{':
        r->at++;
        return read_nested(r, read_object);
    case '[':
        r->at++;
        return read_nested(r, read_array);
    case '"':
        r->at++;
        return read_string(r);
    case 't':
        return read_word(r, DV_STR("true"), json_true());
    case 'f':
        return read_word(r, DV_STR("false"), json_false());
    case 'n':
        return read_word(r, DV_STR("null"), json_null());
    default:
        return read_number(r);
    }
}

static size_t line_of(const reader *r)
{
    size_t line = 1;

    for (const char *at = r->start; at < r->at; at++)
        line += *at == '\n';
    return line;
}

dv_err *dv_json_read_first(dv_str bytes, json_t **ret_doc, size_t *ret_used)
{
    static const char nothing[] = "";
    const char *start = bytes.p ? bytes.p : nothing;
    reader r = {.start = start, .at = start, .end = start + bytes.n};

    dv_buf_init(&r.text, DV_MAX(bytes.n, (size_t)1)); /* resolved escapes are never longer */
    json_auto_t *doc = read_value(&r);
    dv_buf_done(&r.text);
    if (doc && !ret_used) {
        skip_blanks(&r);
        if (r.at != r.end)
            refuse(&r, "more follows the end of the document");
    }
    if (r.wrong)
        return dv_err_new(DV_INVALID, "BadJSON", "line %zu: %s", line_of(&r), r.wrong);
    if (ret_used)
        *ret_used = (size_t)(r.at - r.start);
    *ret_doc = DV_TAKE(doc);
    return NULL;
}

dv_err *dv_json_read(dv_str bytes, json_t **ret_doc)
{
    return dv_json_read_first(bytes, ret_doc, /* ret_used= */ NULL);
}
