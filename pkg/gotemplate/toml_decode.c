/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/toml_internal.h"

enum { DEPTH_MAX = 200, KEY_PARTS_MAX = 64 };

#define NO_TABLE_END "expected '.' or ']' to end table name, but got "

typedef struct {
    dv_val part[KEY_PARTS_MAX];
    size_t n;
} key_path;

static bool read_value(decoder *d, dv_val *ret_value);

/* ---- Blanks ---- */

static void skip_blanks(decoder *d)
{
    while (dv_toml_at(d, ' ') || dv_toml_at(d, '\t'))
        d->p++;
}

/* To the line's end. False: a control character. */
static bool skip_comment(decoder *d)
{
    while (d->p < d->end && *d->p != '\n' && !dv_toml_starts(d, "\r\n")) {
        unsigned char c = (unsigned char)*d->p;

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return dv_toml_fail_control(d);
        d->p++;
    }
    return true;
}

/* Blanks, comments and line ends. */
static bool skip_lines(decoder *d)
{
    for (;;) {
        skip_blanks(d);
        if (dv_toml_at(d, '#')) {
            if (!skip_comment(d))
                return false;
        } else if (dv_toml_at(d, '\n')) {
            d->line++;
            d->p++;
        } else if (dv_toml_starts(d, "\r\n")) {
            d->p++;
        } else {
            return true;
        }
    }
}

static bool end_line(decoder *d)
{
    skip_blanks(d);
    if (dv_toml_at(d, '#') && !skip_comment(d))
        return false;
    if (dv_toml_at_end(d) || dv_toml_at(d, '\n') || dv_toml_starts(d, "\r\n"))
        return true;
    return dv_toml_fail_at(
        d, "expected a top-level item to end with a newline, comment, or EOF, but got ",
        " instead");
}

/* ---- Keys ---- */

static bool read_key_part(decoder *d, bool is_first, bool in_header, dv_val *ret_part)
{
    const char *start = d->p;

    if (dv_toml_at(d, '"') || dv_toml_at(d, '\''))
        return dv_toml_string(d, /* may_be_long= */ false, ret_part);
    while (d->p < d->end && dv_toml_is_bare(*d->p))
        d->p++;
    if (d->p == start) {
        if (in_header && !dv_toml_at_end(d))
            return dv_toml_fail_at(d, NO_TABLE_END, " instead");
        if (!is_first && (dv_toml_at(d, '=') || dv_toml_at(d, '.') || dv_toml_at_end(d)))
            return dv_toml_fail(d, dv_toml_at(d, '.') ? "unexpected '.'" : "unexpected '='");
        if (dv_toml_at(d, '='))
            return dv_toml_fail(d, "unexpected '=': key name appears blank");
        if (dv_toml_at(d, '.'))
            return dv_toml_fail(d, "unexpected '.': keys cannot start with a '.'");
        return dv_toml_at_end(d) ? dv_toml_fail(d, "unexpected EOF; expected key separator '='")
                                 : dv_toml_fail_at(d, "expected '.' or '=', but got ", " instead");
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

static bool read_key(decoder *d, bool in_header, key_path *path)
{
    path->n = 0;
    for (;;) {
        skip_blanks(d);
        if (path->n == KEY_PARTS_MAX)
            return dv_toml_fail(d, "a key has too many parts");
        if (!read_key_part(d, path->n == 0, in_header, &path->part[path->n]))
            return false;
        path->n++;
        skip_blanks(d);
        if (!dv_toml_at(d, '.'))
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
    return dv_toml_fail(d, dv_buf_cstr(&text));
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
    bool array = dv_toml_starts(d, "[[");
    dv_dict *in = d->root;
    key_path path;

    d->p += array ? 2 : 1;
    skip_blanks(d);
    if (dv_toml_at(d, ']') || dv_toml_at_end(d))
        return dv_toml_fail(d, "unexpected end of table name (table names cannot be empty)");
    if (!read_key(d, /* in_header= */ true, &path))
        return false;
    if (!dv_toml_at(d, ']'))
        return dv_toml_fail_at(d, NO_TABLE_END, " instead");
    d->p++;
    if (array && !dv_toml_at(d, ']'))
        return dv_toml_fail_at(d, "expected end of table array name delimiter ']', but got ",
                               " instead");
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

    if (!read_key(d, /* in_header= */ false, &path))
        return false;
    if (!dv_toml_at(d, '='))
        return dv_toml_at_end(d) ? dv_toml_fail(d, "unexpected EOF; expected key separator '='")
                                 : dv_toml_fail_at(d, "expected '.' or '=', but got ", " instead");
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
        if (dv_toml_at(d, ']'))
            break;
        if (dv_toml_at(d, ','))
            return dv_toml_fail(d, "unexpected comma");
        if (dv_toml_at_end(d))
            return dv_toml_fail(
                d, "expected a comma (',') or array terminator (']'), but got end of file");
        if (!read_value(d, &element))
            return false;
        dv_list_push(d->heap, list, element);
        if (!skip_lines(d))
            return false;
        if (dv_toml_at(d, ']'))
            break;
        if (!dv_toml_at(d, ','))
            return dv_toml_at_end(d)
                       ? dv_toml_fail(d,
                                      "expected a comma (',') or array terminator (']'), but got "
                                      "end of file")
                       : dv_toml_fail_at(
                             d, "expected a comma (',') or array terminator (']'), but got ", "");
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
    while (!dv_toml_at(d, '}')) {
        if (dv_toml_at(d, ','))
            return dv_toml_fail(d, "unexpected comma");
        if (!read_pair(d, table) || !skip_lines(d))
            return false;
        if (dv_toml_at(d, '}'))
            break;
        if (!dv_toml_at(d, ','))
            return dv_toml_at_end(d)
                       ? dv_toml_fail(d, "expected a comma or an inline table terminator '}', but "
                                         "got end of file instead")
                       : dv_toml_fail_at(
                             d, "expected a comma or an inline table terminator '}', but got ",
                             " instead");
        d->p++;
        if (!skip_lines(d))
            return false;
    }
    d->p++;
    return true;
}

static bool read_value(decoder *d, dv_val *ret_value)
{
    bool ok;

    if (++d->depth > DEPTH_MAX || dv_heap_refused(d->heap))
        return dv_toml_fail(d, "values are nested too deeply");
    if (dv_toml_at(d, '"') || dv_toml_at(d, '\''))
        ok = dv_toml_string(d, /* may_be_long= */ true, ret_value);
    else if (dv_toml_at(d, '['))
        ok = read_array(d, ret_value);
    else if (dv_toml_at(d, '{'))
        ok = read_inline_table(d, ret_value);
    else
        ok = dv_toml_bare(d, ret_value);
    d->depth--;
    return ok;
}

static bool read_document(decoder *d)
{
    dv_dict *table = d->root;

    for (;;) {
        if (!skip_lines(d))
            return false;
        if (dv_toml_at_end(d))
            return true;
        if (dv_toml_at(d, '[')) {
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
        ok = dv_toml_fail(&d, "invalid UTF-8 byte");
    else
        ok = read_document(&d);
    dv_buf_done(&d.last_key);
    *ret_value = dv_val_dict(d.root);
    return ok;
}
