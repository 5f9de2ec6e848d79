/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "gotemplate/format.h"
#include "gotemplate/functions_internal.h"
#include "gotemplate/numbers.h"
#include "gotemplate/time_internal.h"
#include "gotemplate/toml_text.h"
#include "gotemplate/unicode.h"

enum { DEPTH_MAX = 200, KEY_PARTS_MAX = 64 };

/* What may still be added to a table. */
typedef enum {
    TABLE_IMPLIED, /* by a longer header: a header of its own may follow */
    TABLE_DOTTED,  /* by a dotted key */
    TABLE_DEFINED, /* by its header */
    TABLE_INLINE,  /* whole */
} table_state;

typedef struct mark mark;
struct mark {
    mark *next;
    const dv_dict *dict;
    table_state state;
};

typedef struct {
    dv_heap *heap;
    dv_buf *fault, last_key;
    const char *p, *end;
    size_t line;
    dv_dict *root;
    mark *marks;
    unsigned depth;
} decoder;

typedef struct {
    dv_val part[KEY_PARTS_MAX];
    size_t n;
} key_path;

static bool read_value(decoder *d, dv_val *ret_value);

/* ---- Faults ---- */

static bool fail(decoder *d, const char *what)
{
    if (d->fault->n)
        return false;
    dv_buf_addf(d->fault, "toml: line %zu", d->line);
    if (d->last_key.n) {
        dv_buf_adds(d->fault, " (last key ");
        dv_quote(d->fault, dv_buf_str(&d->last_key));
        dv_buf_addc(d->fault, ')');
    }
    dv_buf_addf(d->fault, ": %s", what);
    return false;
}

static bool at_end(const decoder *d)
{
    return d->p == d->end;
}

static bool at(const decoder *d, char c)
{
    return d->p < d->end && *d->p == c;
}

/* "… 'x' instead", for what stands here. */
static bool fail_at(decoder *d, const char *before, const char *behind)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(1024);
    dv_str rest = {d->p, (size_t)(d->end - d->p)};

    dv_buf_adds(&text, before);
    dv_quote_rune(&text, rest.n ? dv_rune_take(&rest) : DV_RUNE_ERROR, /* ascii= */ false);
    dv_buf_adds(&text, behind);
    return fail(d, dv_buf_cstr(&text));
}

static bool starts(const decoder *d, const char *text)
{
    size_t n = strlen(text);

    return (size_t)(d->end - d->p) >= n && memcmp(d->p, text, n) == 0;
}

/* ---- Blanks ---- */

static void skip_blanks(decoder *d)
{
    while (at(d, ' ') || at(d, '\t'))
        d->p++;
}

/* To the line's end. False: a control character. */
static bool skip_comment(decoder *d)
{
    while (d->p < d->end && *d->p != '\n' && !starts(d, "\r\n")) {
        unsigned char c = (unsigned char)*d->p;

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return fail(d, "control characters are not allowed inside comments");
        d->p++;
    }
    return true;
}

/* Blanks, comments and line ends. */
static bool skip_lines(decoder *d)
{
    for (;;) {
        skip_blanks(d);
        if (at(d, '#')) {
            if (!skip_comment(d))
                return false;
        } else if (at(d, '\n')) {
            d->line++;
            d->p++;
        } else if (starts(d, "\r\n")) {
            d->p++;
        } else {
            return true;
        }
    }
}

static bool end_line(decoder *d)
{
    skip_blanks(d);
    if (at(d, '#') && !skip_comment(d))
        return false;
    if (at_end(d) || at(d, '\n') || starts(d, "\r\n"))
        return true;
    return fail_at(d,
                   "expected a top-level item to end with a newline, comment, or EOF, but got ",
                   " instead");
}

/* ---- Strings ---- */

static bool add_code_point(decoder *d, size_t digits, dv_buf *out)
{
    uint32_t rune = 0;

    for (size_t i = 0; i < digits; i++, d->p++) {
        char c = d->p < d->end ? *d->p : '\0';
        int value = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;

        if (value < 0)
            return fail(d, digits == 2   ? "expected two hexadecimal digits after '\\x'"
                           : digits == 4 ? "expected four hexadecimal digits after '\\u'"
                                         : "expected eight hexadecimal digits after '\\U'");
        rune = rune << 4 | (uint32_t)value;
    }
    if (rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000))
        return fail(d, "Escaped character is not valid UTF-8.");
    dv_rune_add(out, rune);
    return true;
}

/* Behind a backslash. */
static bool add_escape(decoder *d, bool multi, dv_buf *out)
{
    static const char letters[] = "btnfre\"\\", codes[] = "\b\t\n\f\r\033\"\\";
    const char *known = d->p < d->end && *d->p ? strchr(letters, *d->p) : NULL;
    const char *before = d->p;

    if (known) {
        dv_buf_addc(out, codes[known - letters]);
        d->p++;
        return true;
    }
    if (at(d, 'x') || at(d, 'u') || at(d, 'U')) {
        size_t digits = *d->p == 'x' ? 2 : *d->p == 'u' ? 4 : 8;

        d->p++;
        return add_code_point(d, digits, out);
    }
    if (multi) {
        /* At a line's end: what follows goes on at the next character. */
        skip_blanks(d);
        if (at(d, '\n') || starts(d, "\r\n")) {
            while (at(d, ' ') || at(d, '\t') || at(d, '\n') || starts(d, "\r\n")) {
                d->line += at(d, '\n');
                d->p++;
            }
            return true;
        }
        d->p = before;
    }
    return fail_at(d, "invalid escape character ",
                   "; only the following escape characters are allowed: \\b, \\t, \\n, \\f, \\r, "
                   "\\\", \\\\, \\uXXXX, and \\UXXXXXXXX");
}

/* The closing quotes of a multi-line text, before which two more may stand. */
static bool take_close(decoder *d, char quote, dv_buf *out)
{
    const char triple[] = {quote, quote, quote, '\0'};

    if (!starts(d, triple))
        return false;
    d->p += 3;
    for (int i = 0; i < 2 && at(d, quote); i++, d->p++)
        dv_buf_addc(out, quote);
    return true;
}

static bool read_long_string(decoder *d, char quote, dv_buf *out)
{
    if (starts(d, "\r\n"))
        d->p++;
    if (at(d, '\n')) {
        d->line++;
        d->p++;
    }
    while (!take_close(d, quote, out)) {
        if (at_end(d))
            return fail(d, quote == '"' ? "unexpected EOF; expected '\"\"\"'"
                                        : "unexpected EOF; expected \"'''\"");
        if (at(d, '\\') && quote == '"') {
            d->p++;
            if (!add_escape(d, /* multi= */ true, out))
                return false;
            continue;
        }
        if (starts(d, "\r\n"))
            d->p++;
        d->line += at(d, '\n');
        dv_buf_addc(out, *d->p++);
    }
    return true;
}

static bool read_short_string(decoder *d, char quote, dv_buf *out)
{
    while (!at(d, quote)) {
        if (at_end(d))
            return fail(d, quote == '"' ? "unexpected EOF; expected '\"'"
                                        : "unexpected EOF; expected \"'\"");
        if (at(d, '\n'))
            return fail(d, "strings cannot contain newlines");
        unsigned char c = (unsigned char)*d->p;
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return fail(d, "control characters are not allowed inside strings");
        d->p++;
        if (c == '\\' && quote == '"') {
            if (!add_escape(d, /* multi= */ false, out))
                return false;
        } else {
            dv_buf_addc(out, (char)c);
        }
    }
    d->p++;
    return true;
}

/* At the opening quote; long ones are no keys. */
static bool read_string(decoder *d, bool may_be_long, dv_val *ret_value)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_BODY_MAX);
    char quote = *d->p;
    const char triple[] = {quote, quote, quote, '\0'};
    bool ok;

    if (may_be_long && starts(d, triple)) {
        d->p += 3;
        ok = read_long_string(d, quote, &text);
    } else {
        d->p++;
        ok = read_short_string(d, quote, &text);
    }
    if (ok)
        *ret_value = dv_val_string(d->heap, dv_buf_str(&text));
    return ok;
}

/* ---- Keys ---- */

static bool is_bare(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-';
}

static bool read_key_part(decoder *d, dv_val *ret_part)
{
    const char *start = d->p;

    if (at(d, '"') || at(d, '\''))
        return read_string(d, /* may_be_long= */ false, ret_part);
    while (d->p < d->end && is_bare(*d->p))
        d->p++;
    if (d->p == start) {
        if (at(d, '='))
            return fail(d, "unexpected '=': key name appears blank");
        if (at(d, '.'))
            return fail(d, "unexpected '.': keys cannot start with a '.'");
        return at_end(d) ? fail(d, "unexpected EOF; expected key separator '='")
                         : fail_at(d, "expected '.' or '=', but got ", " instead");
    }
    *ret_part = dv_val_string(d->heap, (dv_str){start, (size_t)(d->p - start)});
    return true;
}

static void remember_key(decoder *d, const key_path *path)
{
    dv_buf_reset(&d->last_key);
    for (size_t i = 0; i < path->n; i++)
        dv_buf_addf(&d->last_key, i ? ".%.*s" : "%.*s", DV_FMT(dv_val_str(path->part[i])));
}

static bool read_key(decoder *d, key_path *path)
{
    path->n = 0;
    for (;;) {
        skip_blanks(d);
        if (path->n == KEY_PARTS_MAX)
            return fail(d, "a key has too many parts");
        if (!read_key_part(d, &path->part[path->n]))
            return false;
        path->n++;
        skip_blanks(d);
        if (!at(d, '.'))
            return true;
        d->p++;
    }
}

/* ---- Tables ---- */

static mark *find_mark(const decoder *d, const dv_dict *dict)
{
    mark *m = d->marks;

    while (m && m->dict != dict)
        m = m->next;
    return m;
}

static dv_dict *new_table(decoder *d, table_state state)
{
    mark *m = DV_HEAP_NEW(d->heap, mark);

    *m = (mark){d->marks, dv_dict_new(d->heap, &dv_type_any_dict), state};
    d->marks = m;
    return (dv_dict *)(uintptr_t)m->dict;
}

static bool fail_key(decoder *d, const key_path *path, const char *what)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);

    remember_key(d, path);
    dv_buf_addf(&text, "Key '%s' %s", dv_buf_cstr(&d->last_key), what);
    return fail(d, dv_buf_cstr(&text));
}

/* One step down: a table that is there, the last of an array of tables, or a new table. NULL: the
 * run has failed. */
static dv_dict *step(decoder *d, dv_dict *from, const key_path *path, size_t i, table_state state)
{
    const dv_val *found = dv_dict_get(from, dv_val_str(path->part[i]));
    dv_dict *next;

    if (!found) {
        next = new_table(d, state);
        dv_dict_set(d->heap, from, dv_val_str(path->part[i]), dv_val_dict(next));
        return next;
    }
    dv_val value = *found;
    if (value.kind == DV_V_LIST && value.list->type != &dv_type_any_list && value.list->n)
        value = value.list->at[value.list->n - 1];
    const mark *m = value.kind == DV_V_DICT ? find_mark(d, value.dict) : NULL;
    if (!m || m->state == TABLE_INLINE || (state == TABLE_DOTTED && m->state == TABLE_DEFINED)) {
        fail_key(d, path, "has already been defined.");
        return NULL;
    }
    return value.dict;
}

static const dv_type dv_type_tables = {.name = "[]map[string]interface {}", .kind = "slice"};

static bool open_array_table(decoder *d, dv_dict *in, const key_path *path, dv_dict **ret_table)
{
    dv_str name = dv_val_str(path->part[path->n - 1]);
    const dv_val *found = dv_dict_get(in, name);
    dv_list *list;

    if (found && (found->kind != DV_V_LIST || found->list->type != &dv_type_tables))
        return fail_key(d, path, "was already created and cannot be used as an array.");
    list = found ? found->list : dv_list_new(d->heap, &dv_type_tables, 0);
    if (!found)
        dv_dict_set(d->heap, in, name, dv_val_list(list));
    *ret_table = new_table(d, TABLE_DEFINED);
    dv_list_push(d->heap, list, dv_val_dict(*ret_table));
    return true;
}

static bool open_table(decoder *d, dv_dict *in, const key_path *path, dv_dict **ret_table)
{
    dv_str name = dv_val_str(path->part[path->n - 1]);
    const dv_val *found = dv_dict_get(in, name);
    mark *m = found && found->kind == DV_V_DICT ? find_mark(d, found->dict) : NULL;

    if (found && (!m || m->state != TABLE_IMPLIED))
        return fail_key(d, path, "has already been defined.");
    if (m) {
        m->state = TABLE_DEFINED;
        *ret_table = found->dict;
        return true;
    }
    *ret_table = new_table(d, TABLE_DEFINED);
    dv_dict_set(d->heap, in, name, dv_val_dict(*ret_table));
    return true;
}

/* "[a.b]" or "[[a.b]]". */
static bool read_header(decoder *d, dv_dict **ret_table)
{
    bool array = starts(d, "[[");
    dv_dict *in = d->root;
    key_path path;

    d->p += array ? 2 : 1;
    skip_blanks(d);
    if (at(d, ']'))
        return fail(d, "unexpected end of table name (table names cannot be empty)");
    if (!read_key(d, &path))
        return false;
    if (!at(d, ']'))
        return fail_at(d, "expected '.' or ']' to end table name, but got ", " instead");
    d->p++;
    if (array && !at(d, ']'))
        return fail_at(d, "expected end of table array name delimiter ']', but got ", " instead");
    d->p += array;
    remember_key(d, &path);
    for (size_t i = 0; i + 1 < path.n; i++) {
        in = step(d, in, &path, i, TABLE_IMPLIED);
        if (!in)
            return false;
    }
    return (array ? open_array_table(d, in, &path, ret_table)
                  : open_table(d, in, &path, ret_table)) &&
           end_line(d);
}

static bool read_pair(decoder *d, dv_dict *table)
{
    key_path path;
    dv_val value;

    if (!read_key(d, &path))
        return false;
    if (!at(d, '='))
        return at_end(d) ? fail(d, "unexpected EOF; expected key separator '='")
                         : fail_at(d, "expected '.' or '=', but got ", " instead");
    d->p++;
    remember_key(d, &path);
    skip_blanks(d);
    if (!read_value(d, &value))
        return false;
    for (size_t i = 0; i + 1 < path.n; i++) {
        table = step(d, table, &path, i, TABLE_DOTTED);
        if (!table)
            return false;
    }
    dv_str name = dv_val_str(path.part[path.n - 1]);
    if (dv_dict_get(table, name))
        return fail_key(d, &path, "has already been defined.");
    dv_dict_set(d->heap, table, name, value);
    return true;
}

/* ---- Collections ---- */

static bool read_array(decoder *d, dv_val *ret_value)
{
    dv_list *list = dv_list_new(d->heap, &dv_type_any_list, 0);
    dv_val element;

    *ret_value = dv_val_list(list);
    d->p++;
    for (;;) {
        if (!skip_lines(d))
            return false;
        if (at(d, ']'))
            break;
        if (at(d, ','))
            return fail(d, "unexpected comma");
        if (at_end(d))
            return fail(d, "expected a comma (',') or array terminator (']'), but got end of file");
        if (!read_value(d, &element))
            return false;
        dv_list_push(d->heap, list, element);
        if (!skip_lines(d))
            return false;
        if (at(d, ']'))
            break;
        if (!at(d, ','))
            return at_end(d) ? fail(d, "expected a comma (',') or array terminator (']'), but got "
                                       "end of file")
                             : fail_at(d, "expected a comma (',') or array terminator (']'), but got ",
                                       "");
        d->p++;
    }
    d->p++;
    return true;
}

static bool read_inline_table(decoder *d, dv_val *ret_value)
{
    dv_dict *table = new_table(d, TABLE_INLINE);

    *ret_value = dv_val_dict(table);
    d->p++;
    if (!skip_lines(d))
        return false;
    while (!at(d, '}')) {
        if (at(d, ','))
            return fail(d, "unexpected comma");
        if (!read_pair(d, table) || !skip_lines(d))
            return false;
        if (at(d, '}'))
            break;
        if (!at(d, ','))
            return at_end(d) ? fail(d, "expected a comma or an inline table terminator '}', but "
                                       "got end of file instead")
                             : fail_at(d, "expected a comma or an inline table terminator '}', but got ",
                                       " instead");
        d->p++;
        if (!skip_lines(d))
            return false;
    }
    d->p++;
    return true;
}

/* ---- Numbers and dates ---- */

static bool underscores_fit(dv_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        bool before = i > 0 && is_bare(s.p[i - 1]) && s.p[i - 1] != '_' && s.p[i - 1] != '-';
        bool behind = i + 1 < s.n && is_bare(s.p[i + 1]) && s.p[i + 1] != '_' && s.p[i + 1] != '-';

        if (s.p[i] == '_' && !(before && behind))
            return false;
    }
    return true;
}

static bool fail_number(decoder *d, const char *what, dv_str s, const char *behind)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_LINE_MAX);

    dv_buf_adds(&text, what);
    dv_quote(&text, s);
    dv_buf_adds(&text, behind);
    return fail(d, dv_buf_cstr(&text));
}

static bool read_date(decoder *d, dv_str s, dv_val *ret_value)
{
    static const dv_str layouts[] = {
        DV_STR("2006-01-02T15:04:05.999999999Z07:00"), DV_STR("2006-01-02T15:04:05.999999999"),
        DV_STR("2006-01-02"), DV_STR("15:04:05.999999999"), DV_STR("2006-01-02 15:04:05.999999999Z07:00"),
        DV_STR("2006-01-02 15:04:05.999999999"),
    };
    DV_CLEANUP(dv_buf_done) dv_buf ignored = DV_BUF_INIT(DV_LINE_MAX);
    dv_moment *moment = DV_HEAP_NEW(d->heap, dv_moment);

    for (size_t i = 0; i < DV_LEN(layouts); i++) {
        dv_buf_reset(&ignored);
        if (dv_moment_parse(layouts[i], s, moment, &ignored)) {
            *ret_value = dv_val_object(d->heap, &dv_type_time, moment);
            return true;
        }
    }
    return fail_number(d, "Invalid TOML Datetime: ", s, ".");
}

/* A sign, then a zero with digits behind it. */
static bool has_leading_zero(dv_str s)
{
    size_t i = s.n && (s.p[0] == '+' || s.p[0] == '-');

    return i + 1 < s.n && s.p[i] == '0' && s.p[i + 1] >= '0' && s.p[i + 1] <= '9';
}

static bool read_float(decoder *d, dv_str s, dv_val *ret_value)
{
    DV_CLEANUP(dv_buf_done) dv_buf plain = DV_BUF_INIT(DV_LINE_MAX);
    ptrdiff_t dot = dv_str_find(s, '.');
    double value;

    if (has_leading_zero(s))
        return fail_number(d, "Invalid float ", s, ": cannot have leading zeroes");
    if (dot >= 0 && ((size_t)dot + 1 == s.n || s.p[dot + 1] < '0' || s.p[dot + 1] > '9'))
        return fail_number(d, "Invalid float ", s, ": '.' must be followed by one or more digits");
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != '_')
            dv_buf_addc(&plain, s.p[i]);
    if (dv_number_float(dv_buf_str(&plain), &value) == DV_NUMBER_SYNTAX)
        return fail_number(d, "Invalid float value: ", s, "");
    *ret_value = dv_val_float(value);
    return true;
}

static bool read_integer(decoder *d, dv_str s, dv_val *ret_value)
{
    int64_t value = 0;

    if (has_leading_zero(s))
        return fail_number(d, "Invalid integer ", s, ": cannot have leading zeroes");
    dv_number_fault fault = dv_number_int(s, 0, &value);
    if (fault == DV_NUMBER_RANGE)
        return fail_number(d, "", s, " is out of range for int64");
    if (fault)
        return fail_number(d, "Invalid integer ", s, "");
    *ret_value = dv_val_int64(value);
    return true;
}

static bool is_special(dv_str s, double *ret_value)
{
    dv_str word = dv_str_skip(s, s.n && (s.p[0] == '+' || s.p[0] == '-'));
    double sign = s.n && s.p[0] == '-' ? -1 : 1;

    if (dv_str_is(word, "inf"))
        *ret_value = sign * INFINITY;
    else if (dv_str_is(word, "nan"))
        *ret_value = sign * NAN;
    else
        return false;
    return true;
}

static bool is_date(dv_str s)
{
    return (s.n >= 5 && s.p[4] == '-' && s.p[0] >= '0' && s.p[0] <= '9') ||
           (s.n >= 3 && s.p[2] == ':');
}

static bool read_bare(decoder *d, dv_val *ret_value)
{
    const char *start = d->p;
    bool radix;
    double special;

    while (d->p < d->end && (is_bare(*d->p) || *d->p == '+' || *d->p == '.' || *d->p == ':'))
        d->p++;
    dv_str s = {start, (size_t)(d->p - start)};
    /* A blank may stand between date and time. */
    if (s.n == 10 && is_date(s) && at(d, ' ') && d->end - d->p > 2 && d->p[1] >= '0' &&
        d->p[1] <= '9') {
        d->p++;
        while (d->p < d->end && (is_bare(*d->p) || *d->p == '+' || *d->p == '.' || *d->p == ':'))
            d->p++;
        s.n = (size_t)(d->p - start);
    }
    if (dv_str_is(s, "true") || dv_str_is(s, "false")) {
        *ret_value = dv_val_bool(s.n == 4);
        return true;
    }
    if (is_special(s, &special)) {
        *ret_value = dv_val_float(special);
        return true;
    }
    if (!s.n || !((s.p[0] >= '0' && s.p[0] <= '9') || s.p[0] == '+' || s.p[0] == '-')) {
        d->p = start;
        if (!s.n)
            return at_end(d) ? fail(d, "unexpected EOF; expected value")
                             : fail_at(d, "expected value but found ", " instead");
        return s.p[0] == '.' ? fail(d, "floats must start with a digit, not '.'")
                             : fail_number(d, "expected value but found ", s, " instead");
    }
    if (is_date(s))
        return read_date(d, s, ret_value);
    radix = s.n > 2 && s.p[0] == '0' && strchr("xob", s.p[1]);
    bool real = !radix && (memchr(s.p, '.', s.n) || memchr(s.p, 'e', s.n) || memchr(s.p, 'E', s.n));
    if (!underscores_fit(s))
        return fail_number(d, real ? "Invalid float " : "Invalid integer ", s,
                           ": underscores must be surrounded by digits");
    return real ? read_float(d, s, ret_value) : read_integer(d, s, ret_value);
}

static bool read_value(decoder *d, dv_val *ret_value)
{
    bool ok;

    if (++d->depth > DEPTH_MAX || dv_heap_refused(d->heap))
        return fail(d, "values are nested too deeply");
    if (at(d, '"') || at(d, '\''))
        ok = read_string(d, /* may_be_long= */ true, ret_value);
    else if (at(d, '['))
        ok = read_array(d, ret_value);
    else if (at(d, '{'))
        ok = read_inline_table(d, ret_value);
    else
        ok = read_bare(d, ret_value);
    d->depth--;
    return ok;
}

static bool read_document(decoder *d)
{
    dv_dict *table = d->root;

    for (;;) {
        if (!skip_lines(d))
            return false;
        if (at_end(d))
            return true;
        if (at(d, '[')) {
            if (!read_header(d, &table))
                return false;
        } else if (!read_pair(d, table) || !end_line(d)) {
            return false;
        }
    }
}

bool dv_toml_decode(dv_heap *heap, dv_str text, dv_val *ret_value, dv_buf *fault)
{
    const char *start = text.p ? text.p : "";
    decoder d = {.heap = heap,
                 .fault = fault,
                 .p = start,
                 .end = start + text.n,
                 .line = 1,
                 .root = dv_dict_new(heap, &dv_type_any_dict)};
    bool ok;

    dv_buf_init(&d.last_key, DV_LINE_MAX);
    if (!dv_utf8_valid(text))
        ok = fail(&d, "invalid UTF-8 byte");
    else
        ok = read_document(&d);
    dv_buf_done(&d.last_key);
    *ret_value = dv_val_dict(d.root);
    return ok;
}
