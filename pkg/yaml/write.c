/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The writer: block style, as go-yaml v2 prints what sigs.k8s.io/yaml hands it. Where go-yaml's
 * text would not read back as the same document ("<<" as a key, Unicode's own line ends), ours is
 * quoted.
 */
#include "base/decimal.h"
#include "base/unicode.h"
#include "yaml/resolve.h"
#include "yaml/yaml.h"

enum { INDENT = 2, SIMPLE_KEY_MAX_BYTES = 128, LINE_WIDTH = 80, PRETTY_EXPONENT_FROM = 6 };

typedef struct {
    dv_buf *out;
    unsigned depth;
    bool pretty;
} writer;

static void write_block(writer *w, const json_t *value, size_t column);

/* ---- Looking at a string ---- */

typedef struct {
    bool special;     /* holds what must be escaped, or an end of line that is not "\n" */
    bool tabs;        /* holds a tab, which must be escaped but in lines of its own */
    bool breaks;      /* holds an end of line of any kind */
    bool newlines;    /* holds "\n" */
    bool space_break; /* a space right before "\n" */
    bool break_space; /* and right behind */
    bool edge_space;  /* a space at the start or end */
    bool last_space;
    bool indicator; /* would begin or end something else where a plain scalar stands */
} traits;

/* What libyaml's emitters print as it is; four-byte sequences are not among it. */
static bool is_printable(const unsigned char *u, size_t n)
{
    if (n == 1)
        return u[0] == '\n' || (u[0] >= 0x20 && u[0] < 0x7f);
    if (n == 2)
        return u[0] != 0xc2 || u[1] >= 0xa0;
    if (n == 4)
        return false;
    return !(u[0] == 0xef && ((u[1] == 0xbb && u[2] == 0xbf) || (u[1] == 0xbf && u[2] >= 0xbe)));
}

/* U+2028 and U+2029. */
static bool is_separator(const unsigned char *u, size_t n)
{
    return n == 3 && u[0] == 0xe2 && u[1] == 0x80 && (u[2] == 0xa8 || u[2] == 0xa9);
}

static bool is_blank(dv_str s, size_t at)
{
    return at >= s.n || s.p[at] == ' ' || s.p[at] == '\t';
}

/* A byte that gives a plain scalar another meaning where it stands. */
static bool is_indicator(dv_str s, size_t at)
{
    char c = s.p[at];

    if (c == ':' && is_blank(s, at + 1))
        return true;
    if (at == 0)
        return (c && strchr("#,[]{}&*!|>'\"%@`", c)) || ((c == '?' || c == '-') && is_blank(s, 1));
    return c == '#' && (is_blank(s, at - 1) || s.p[at - 1] == '\n');
}

static traits look_at(dv_str s)
{
    traits t = {.edge_space = s.n && (s.p[0] == ' ' || s.p[s.n - 1] == ' '),
                .last_space = s.n && s.p[s.n - 1] == ' ',
                .indicator = dv_str_starts(s, DV_STR("---")) || dv_str_starts(s, DV_STR("..."))};

    for (size_t i = 0, n; i < s.n; i += n) {
        const unsigned char *u = (const unsigned char *)s.p + i;

        n = DV_MAX(dv_utf8_len(dv_str_skip(s, i)), (size_t)1);
        if (*u == '\t')
            t.tabs = true;
        else if (!is_printable(u, n) || is_separator(u, n))
            t.special = true;
        if (*u == '\r' || (n == 2 && u[0] == 0xc2 && u[1] == 0x85) || is_separator(u, n))
            t.breaks = true;
        if (*u == '\n') {
            t.breaks = t.newlines = true;
            t.space_break |= i && s.p[i - 1] == ' ';
            t.break_space |= i + 1 < s.n && s.p[i + 1] == ' ';
        }
        t.indicator |= is_indicator(s, i);
    }
    return t;
}

static bool has_digit(dv_str s, size_t at)
{
    return at < s.n && s.p[at] >= '0' && s.p[at] <= '9';
}

/* Behind digits and underscores. */
static size_t skip_digits(dv_str s, size_t at)
{
    while (has_digit(s, at) || (at < s.n && s.p[at] == '_'))
        at++;
    return at;
}

/* "1:30:00" is a number to other readers of YAML 1.1: [-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?
 */
static bool is_sexagesimal(dv_str s)
{
    size_t at = s.n && (s.p[0] == '+' || s.p[0] == '-'), groups = 0;

    if (!has_digit(s, at))
        return false;
    at = skip_digits(s, at);
    for (; at < s.n && s.p[at] == ':' && has_digit(s, at + 1); groups++)
        at += s.p[at + 1] <= '5' && has_digit(s, at + 2) ? 3 : 2;
    if (at < s.n && s.p[at] == '.')
        at = skip_digits(s, at + 1);
    return groups && at == s.n;
}

/* Unquoted it would be read as something else. */
static bool resolves(dv_str s)
{
    dv_yaml_scalar scalar = dv_yaml_resolve(s);

    return scalar.type != DV_YAML_STRING || dv_yaml_is_timestamp(s) || is_sexagesimal(s);
}

/* ---- Strings ---- */

static void put_escape(dv_buf *out, unsigned code)
{
    static const char codes[] = "\a\b\t\n\v\f\r\033\"\\", names[] = "abtnvfre\"\\";
    const char *known = code && code < 0x80 ? strchr(codes, (int)code) : NULL;

    if (known)
        dv_buf_addf(out, "\\%c", names[known - codes]);
    else if (code == 0)
        dv_buf_adds(out, "\\0");
    else if (code == 0x85)
        dv_buf_adds(out, "\\N");
    else if (code == 0x2028 || code == 0x2029)
        dv_buf_adds(out, code == 0x2028 ? "\\L" : "\\P");
    else if (code <= 0xff)
        dv_buf_addf(out, "\\x%02X", code);
    else if (code <= 0xffff)
        dv_buf_addf(out, "\\u%04X", code);
    else
        dv_buf_addf(out, "\\U%08X", code);
}

static unsigned decode(const unsigned char *u, size_t n)
{
    static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    unsigned code = u[0] & first_bits[n];

    for (size_t i = 1; i < n; i++)
        code = code << 6 | (u[i] & 0x3f);
    return code;
}

/* A string on its way out, which may go on in another line. */
typedef struct {
    dv_buf *out;
    size_t width;  /* characters in the line so far */
    size_t indent; /* of the lines that follow; 0: the string is a key and stays on one line */
    bool spaces;   /* the last one was a space */
} flow;

static flow flow_begin(dv_buf *out, size_t indent)
{
    flow f = {.out = out, .indent = indent};
    const char *bytes = dv_buf_cstr(out);

    for (size_t i = out->n; i > 0 && bytes[i - 1] != '\n'; i--)
        f.width += ((unsigned char)bytes[i - 1] & 0xc0) != 0x80;
    return f;
}

/* One character as it is. */
static void flow_put(flow *f, const char *p, size_t n)
{
    dv_buf_add(f->out, p, n);
    f->width++;
    f->spaces = false;
}

/* A long line ends at a single space, which the line's end then stands for. */
static bool flow_may_break(const flow *f)
{
    return f->indent && !f->spaces && f->width > LINE_WIDTH;
}

static void flow_break(flow *f)
{
    dv_buf_addc(f->out, '\n');
    dv_buf_fill(f->out, ' ', f->indent);
    f->width = f->indent;
    f->spaces = true;
}

static void flow_space(flow *f)
{
    flow_put(f, " ", 1);
    f->spaces = true;
}

/* Before a space that would be lost at the start of a line. */
static void add_backslash(flow *f)
{
    flow_put(f, "\\", 1);
    f->spaces = true;
}

/* Plain, or with the quote sign doubled; inside: at the edges of quotes spaces can't be folded. */
static void put_folded(flow *f, dv_str s, bool quoted)
{
    for (size_t i = 0, n; i < s.n; i += n) {
        bool inside = !quoted || (i > 0 && i + 1 < s.n);

        n = DV_MAX(dv_utf8_len(dv_str_skip(s, i)), (size_t)1);
        if (quoted && s.p[i] == '\'')
            flow_put(f, "'", 1);
        if (s.p[i] != ' ')
            flow_put(f, s.p + i, n);
        else if (inside && flow_may_break(f) && s.p[i + 1] != ' ')
            flow_break(f);
        else
            flow_space(f);
    }
}

static void put_plain(dv_buf *out, dv_str s, size_t indent)
{
    flow f = flow_begin(out, indent);

    put_folded(&f, s, /* quoted= */ false);
}

static void put_single_quoted(dv_buf *out, dv_str s, size_t indent)
{
    flow f = flow_begin(out, indent);

    flow_put(&f, "'", 1);
    put_folded(&f, s, /* quoted= */ true);
    dv_buf_addc(out, '\'');
}

static void put_double_quoted(dv_buf *out, dv_str s, size_t indent)
{
    flow f = flow_begin(out, indent);

    flow_put(&f, "\"", 1);
    for (size_t i = 0, n; i < s.n; i += n) {
        const unsigned char *u = (const unsigned char *)s.p + i;

        n = DV_MAX(dv_utf8_len(dv_str_skip(s, i)), (size_t)1);
        if (*u == ' ' && i > 0 && i + 1 < s.n && flow_may_break(&f)) {
            flow_break(&f);
            if (u[1] == ' ')
                add_backslash(&f);
        } else if (*u == ' ') {
            flow_space(&f);
        } else if (is_printable(u, n) && !is_separator(u, n) && !strchr("\n\"\\", *u)) {
            flow_put(&f, s.p + i, n);
        } else {
            size_t before = out->n;

            put_escape(out, decode(u, n));
            f.width += out->n - before;
            f.spaces = false;
        }
    }
    dv_buf_addc(out, '"');
}

/* "|", its hints, and the lines at column. The text ends without the last line's end. */
static void put_literal(dv_buf *out, dv_str s, size_t column)
{
    bool ends = s.p[s.n - 1] == '\n', keeps = ends && (s.n == 1 || s.p[s.n - 2] == '\n');
    dv_str line;

    dv_buf_adds(out, s.p[0] == ' ' || s.p[0] == '\n' ? "|2" : "|");
    dv_buf_adds(out, keeps ? "+" : ends ? "" : "-");
    for (dv_str rest = s; rest.n;) {
        rest = dv_str_cut(rest, '\n', &line);
        dv_buf_addc(out, '\n');
        if (line.n)
            dv_buf_fill(out, ' ', column);
        dv_buf_add_str(out, line);
    }
}

/* column: where the lines of a block stand; 0: the string is a key and stays on one line. */
static void put_string(const writer *w, dv_str s, size_t column)
{
    dv_buf *out = w->out;
    traits t = look_at(s);
    size_t folded = w->pretty ? 0 : column;
    bool block = column && t.newlines && !t.special && !t.space_break && !t.last_space &&
                 (w->pretty || !t.tabs);
    bool one_line = !t.special && !t.tabs && !t.breaks;

    if (block)
        put_literal(out, s, column);
    else if (!one_line || resolves(s) || (!column && dv_str_is(s, "<<")))
        put_double_quoted(out, s, folded);
    else if (t.edge_space || t.indicator)
        put_single_quoted(out, s, folded);
    else
        put_plain(out, s, folded);
}

/* ---- Scalars ---- */

static bool is_empty(const json_t *value)
{
    return (json_is_object(value) && !json_object_size(value)) ||
           (json_is_array(value) && !json_array_size(value));
}

static bool is_block(const json_t *value)
{
    return (json_is_object(value) || json_is_array(value)) && !is_empty(value);
}

static void put_real(const writer *w, double value)
{
    if (w->pretty) {
        dv_decimal decimal = dv_decimal_of(value);

        dv_decimal_add_general(w->out, &decimal, PRETTY_EXPONENT_FROM);
    } else {
        dv_yaml_real_add(w->out, value);
    }
}

/* What fits behind "key: " or "- "; a block of text has its lines at column. */
static void put_scalar(writer *w, const json_t *value, size_t column)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        dv_buf_adds(w->out, "{}");
        break;
    case JSON_ARRAY:
        dv_buf_adds(w->out, "[]");
        break;
    case JSON_STRING:
        put_string(w, (dv_str){json_string_value(value), json_string_length(value)}, column);
        break;
    case JSON_INTEGER:
        dv_buf_addf(w->out, "%lld", (long long)json_integer_value(value));
        break;
    case JSON_REAL:
        put_real(w, json_real_value(value));
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        dv_buf_adds(w->out, json_is_true(value) ? "true" : "false");
        break;
    case JSON_NULL:
        dv_buf_adds(w->out, "null");
        break;
    }
}

/* ---- Key order: letters after the rest, numbers by value ---- */

typedef struct {
    dv_str key;
    json_t *value;
} member;

/* One of Unicode's characters off the front. */
static unsigned take_rune(dv_str *s)
{
    size_t n = DV_MAX(dv_utf8_len(*s), (size_t)1);
    unsigned code = decode((const unsigned char *)s->p, n);

    *s = dv_str_skip(*s, n);
    return code;
}

/* The digits at the front as a number that wraps, and how many they are. */
static size_t count_number(dv_str s, uint64_t *number)
{
    size_t n = 0;

    for (; has_digit(s, n); n++)
        *number = *number * 10 + (uint64_t)(s.p[n] - '0');
    return n;
}

/* Where the shared part ends in digits other than 0, a 0 that follows has weight. */
static bool follows_number(dv_str s, size_t at)
{
    while (at > 0 && has_digit(s, at - 1))
        if (s.p[--at] != '0')
            return true;
    return false;
}

static bool key_less(dv_str a, dv_str b)
{
    dv_str x = a, y = b;

    while (x.n && y.n) {
        dv_str x_at = x, y_at = y;
        unsigned p = take_rune(&x), q = take_rune(&y);
        uint64_t m = 0, n = 0;

        if (p == q)
            continue;
        if (dv_rune_is_letter(p) || dv_rune_is_letter(q))
            return dv_rune_is_letter(p) && dv_rune_is_letter(q) ? p < q : dv_rune_is_letter(q);
        if ((p == '0' || q == '0') && follows_number(a, (size_t)(x_at.p - a.p)))
            m = n = 1;
        size_t x_digits = count_number(x_at, &m), y_digits = count_number(y_at, &n);
        if (m != n)
            return (int64_t)m < (int64_t)n;
        return x_digits != y_digits ? x_digits < y_digits : p < q;
    }
    return !x.n && y.n;
}

static bool bytes_less(dv_str a, dv_str b)
{
    return dv_str_cmp(a, b) < 0;
}

/* A merge sort: key_less() is not transitive ("99", "200", "2A"), which qsort() may not survive. */
static void sort_members(member *at, member *spare, size_t n, bool (*less)(dv_str a, dv_str b))
{
    size_t half = n / 2, i = 0, j = half;

    if (n < 2)
        return;
    sort_members(at, spare, half, less);
    sort_members(at + half, spare, n - half, less);
    memcpy(spare, at, n * sizeof(*at));
    for (size_t k = 0; k < n; k++) {
        bool right = i == half || (j < n && less(spare[j].key, spare[i].key));

        at[k] = right ? spare[j++] : spare[i++];
    }
}

/* *ret_n members, owned. */
static member *sorted_members(const json_t *constant, size_t *ret_n)
{
    json_t *object = (json_t *)(uintptr_t)constant;
    size_t n = json_object_size(object), i = 0;
    member *members = dv_calloc(2 * n, sizeof(*members));

    for (void *at = json_object_iter(object); at; at = json_object_iter_next(object, at))
        members[i++] = (member){{json_object_iter_key(at), json_object_iter_key_len(at)},
                                json_object_iter_value(at)};
    /* From one order for equal documents, so that the result is one too. */
    sort_members(members, members + n, n, bytes_less);
    sort_members(members, members + n, n, key_less);
    *ret_n = n;
    return members;
}

/* ---- Collections ---- */

static void new_line(writer *w, size_t column)
{
    dv_buf_addc(w->out, '\n');
    dv_buf_fill(w->out, ' ', column);
}

/* Behind "- ", "? " or ": ": a collection's first line goes on right here. */
static void write_compact(writer *w, const json_t *value, size_t column)
{
    if (is_block(value))
        write_block(w, value, column + INDENT);
    else
        put_scalar(w, value, column + INDENT);
}

static bool is_simple_key(dv_str key)
{
    return key.n <= SIMPLE_KEY_MAX_BYTES && !look_at(key).breaks;
}

static void write_member(writer *w, const member *m, size_t column)
{
    if (!is_simple_key(m->key)) {
        dv_buf_adds(w->out, "? ");
        put_string(w, m->key, column + INDENT);
        new_line(w, column);
        dv_buf_adds(w->out, ": ");
        write_compact(w, m->value, column);
        return;
    }
    put_string(w, m->key, 0);
    dv_buf_addc(w->out, ':');
    if (!is_block(m->value)) {
        dv_buf_addc(w->out, ' ');
        put_scalar(w, m->value, column + INDENT);
        return;
    }
    size_t inner = json_is_object(m->value) || w->pretty ? column + INDENT : column;
    new_line(w, inner);
    write_block(w, m->value, inner);
}

static void write_object(writer *w, const json_t *object, size_t column)
{
    size_t n;
    DV_CLEANUP(dv_freep) member *members = sorted_members(object, &n);

    for (size_t i = 0; i < n && !w->out->overflow; i++) {
        if (i)
            new_line(w, column);
        write_member(w, &members[i], column);
    }
}

static void write_array(writer *w, const json_t *array, size_t column)
{
    for (size_t i = 0; i < json_array_size(array) && !w->out->overflow; i++) {
        if (i)
            new_line(w, column);
        dv_buf_adds(w->out, "- ");
        write_compact(w, json_array_get(array, i), column);
    }
}

/* A collection that is not empty, from where the writer stands, which is column. */
static void write_block(writer *w, const json_t *value, size_t column)
{
    if (w->depth == DV_JSON_DEPTH_MAX) {
        w->out->overflow = true;
        return;
    }
    w->depth++;
    if (json_is_object(value))
        write_object(w, value, column);
    else
        write_array(w, value, column);
    w->depth--;
}

static void write_doc(const json_t *doc, dv_buf *out, bool pretty)
{
    writer w = {.out = out, .pretty = pretty};
    size_t before = out->n;

    if (out->overflow)
        return;
    if (is_block(doc))
        write_block(&w, doc, 0);
    else
        put_scalar(&w, doc, INDENT);
    dv_buf_addc(out, '\n');
    if (out->overflow)
        dv_buf_cut(out, before);
}

void dv_yaml_write(const json_t *doc, dv_buf *out)
{
    write_doc(doc, out, /* pretty= */ false);
}

void dv_yaml_write_pretty(const json_t *doc, dv_buf *out)
{
    write_doc(doc, out, /* pretty= */ true);
}
