/* SPDX-License-Identifier: Apache-2.0 */
#include "json/patch.h"

#include "json/json_internal.h"

/* A patch in progress, on a copy of the document. */
typedef struct {
    json_t *doc;
    size_t copies_left; /* values that "copy" operations may still make */
} patch;

static dv_err *bad(const char *what)
{
    return dv_err_new(DV_INVALID, "BadPatch", "%s", what);
}

/* ---- Measuring: "copy" can double a document with every operation ---- */

/* Takes the values below (and with) value off *left; false: more than that, or too deep. */
static bool fits(const json_t *constant, size_t *left, size_t depth)
{
    json_t *value = (json_t *)(uintptr_t)constant, *member;
    size_t i;

    if (depth > DV_JSON_DEPTH_MAX || *left == 0)
        return false;
    --*left;
    for (void *at = json_object_iter(value); at; at = json_object_iter_next(value, at))
        if (!fits(json_object_iter_value(at), left, depth + 1))
            return false;
    json_array_foreach(value, i, member) if (!fits(member, left, depth + 1)) return false;
    return true;
}

static bool fits_depth(const json_t *value, dv_str path)
{
    size_t left = SIZE_MAX, depth = 0;

    for (size_t i = 0; i < path.n; i++)
        depth += path.p[i] == '/';
    return fits(value, &left, depth);
}

/* ---- The places that operations name ---- */

typedef struct {
    json_t *parent; /* borrowed; NULL: the whole document */
    dv_buf token;
} place;

static void place_done(place *at)
{
    dv_buf_done(&at->token);
}

/* The parent must exist; what the last token names need not. */
static dv_err *find_place(const patch *p, dv_str pointer, place *at)
{
    json_t *next = p->doc;

    dv_buf_init(&at->token, DV_PATH_MAX);
    at->parent = NULL;
    while (pointer.n) {
        if (!dv_json_token_next(&pointer, &at->token))
            return bad("not a JSON pointer");
        at->parent = next;
        if (!json_is_object(next) && !json_is_array(next))
            return bad("no such place");
        next = dv_json_child(next, dv_buf_str(&at->token));
    }
    return NULL;
}

/* Borrowed; NULL: nothing there. */
static json_t *value_at(const patch *p, const place *at)
{
    return at->parent ? dv_json_child(at->parent, dv_buf_str(&at->token)) : p->doc;
}

/* Takes value. An array's later elements move up. */
static dv_err *add_at(patch *p, const place *at, json_t *value)
{
    size_t index;

    if (!at->parent) {
        json_decref(p->doc);
        p->doc = value;
        return NULL;
    }
    dv_str token = dv_buf_str(&at->token);
    if (json_is_array(at->parent) && dv_json_index(token, &index)) {
        if (json_array_insert_new(at->parent, index, value) != 0)
            return bad("no such index");
        return NULL;
    }
    return dv_json_put_child(at->parent, token, value) ? NULL : bad("no such index");
}

/* *ret_value: what was there, owned. The whole document can't be removed, only replaced. */
static dv_err *take_at(const patch *p, const place *at, json_t **ret_value)
{
    json_t *value = value_at(p, at);

    if (!value)
        return bad("nothing is there");
    if (!at->parent)
        return bad("the whole document can't be removed");
    *ret_value = json_incref(value);
    dv_json_drop_child(at->parent, dv_buf_str(&at->token));
    return NULL;
}

/* ---- Operations: op, path, then what each needs ---- */

typedef struct {
    dv_str path, from;
    const json_t *value;
} operation;

/* Owned copy of the operation's value, bounded in depth by where it goes. */
static dv_err *copy_of(const json_t *value, dv_str path, json_t **ret_copy)
{
    if (!fits_depth(value, path))
        return bad("nested too deeply");
    *ret_copy = dv_json_copy(value);
    return NULL;
}

static dv_err *run_add(patch *p, const operation *op)
{
    DV_CLEANUP(place_done) place at = {0};
    json_t *value = NULL;

    DV_CHECK(find_place(p, op->path, &at));
    DV_CHECK(copy_of(op->value, op->path, &value));
    return add_at(p, &at, value);
}

static dv_err *run_remove(patch *p, const operation *op)
{
    DV_CLEANUP(place_done) place at = {0};
    json_auto_t *old = NULL;

    DV_CHECK(find_place(p, op->path, &at));
    return take_at(p, &at, &old);
}

static dv_err *run_replace(patch *p, const operation *op)
{
    DV_CLEANUP(place_done) place at = {0};
    json_t *value = NULL;

    DV_CHECK(find_place(p, op->path, &at));
    if (!value_at(p, &at))
        return bad("nothing is there");
    DV_CHECK(copy_of(op->value, op->path, &value));
    if (!at.parent)
        return add_at(p, &at, value);
    return dv_json_put_child(at.parent, dv_buf_str(&at.token), value) ? NULL : bad("no such place");
}

/* True when `inner` lies below `outer`. */
static bool is_below(dv_str inner, dv_str outer)
{
    return inner.n > outer.n && dv_str_starts(inner, outer) && inner.p[outer.n] == '/';
}

static dv_err *run_move(patch *p, const operation *op)
{
    DV_CLEANUP(place_done) place from = {0};
    DV_CLEANUP(place_done) place to = {0};
    json_auto_t *value = NULL;

    if (is_below(op->path, op->from))
        return bad("a value can't move into itself");
    DV_CHECK(find_place(p, op->from, &from));
    if (dv_str_eq(op->path, op->from))
        return value_at(p, &from) ? NULL : bad("nothing is there");
    DV_CHECK(take_at(p, &from, &value));
    if (!fits_depth(value, op->path))
        return bad("nested too deeply");
    DV_CHECK(find_place(p, op->path, &to));
    return add_at(p, &to, DV_TAKE(value));
}

static dv_err *run_copy(patch *p, const operation *op)
{
    DV_CLEANUP(place_done) place from = {0};
    DV_CLEANUP(place_done) place to = {0};

    DV_CHECK(find_place(p, op->from, &from));
    const json_t *value = value_at(p, &from);
    if (!value)
        return bad("nothing is there");
    if (!fits_depth(value, op->path) || !fits(value, &p->copies_left, 0))
        return bad("copies too much");
    DV_CHECK(find_place(p, op->path, &to));
    return add_at(p, &to, dv_json_copy(value));
}

static dv_err *run_test(patch *p, const operation *op)
{
    DV_CLEANUP(place_done) place at = {0};

    DV_CHECK(find_place(p, op->path, &at));
    const json_t *value = value_at(p, &at);
    return value && dv_json_same_value(value, op->value) ? NULL : bad("the value is another");
}

static const struct {
    const char *name;
    dv_err *(*run)(patch *p, const operation *op);
    bool needs_value, needs_from;
} kinds[] = {
    {"add", run_add, true, false},         {"remove", run_remove, false, false},
    {"replace", run_replace, true, false}, {"move", run_move, false, true},
    {"copy", run_copy, false, true},       {"test", run_test, true, false},
};

static dv_err *run_one(patch *p, const json_t *item, const operation *op)
{
    const char *name = dv_json_str(item, "/op");

    for (size_t i = 0; name && i < DV_LEN(kinds); i++) {
        if (strcmp(kinds[i].name, name) != 0)
            continue;
        if (kinds[i].needs_value && !op->value)
            return bad("has no value");
        if (kinds[i].needs_from && !op->from.p)
            return bad("has no from");
        return kinds[i].run(p, op);
    }
    return bad("is no known operation");
}

static dv_err *run_item(patch *p, const json_t *item, size_t index)
{
    operation op = {dv_json_view(item, "/path"), dv_json_view(item, "/from"),
                    dv_json_at(item, "/value")};
    const char *name = dv_json_str(item, "/op");

    if (!op.path.p)
        return dv_err_new(DV_INVALID, "BadPatch", "operation %zu has no path", index);
    DV_TRY(run_one(p, item, &op), "operation %zu (%.16s %.*s)", index, name ? name : "?",
           DV_FMT(dv_str_head(op.path, DV_URL_MAX)));
    return NULL;
}

dv_err *dv_json_patch(json_t **doc, const json_t *operations)
{
    dv_err *err = NULL;

    if (!json_is_array(operations))
        return dv_err_new(DV_INVALID, "BadPatch", "array of operations expected, got %s",
                          dv_json_type_name(operations));
    patch p = {.doc = dv_json_copy(*doc), .copies_left = DV_PATCH_COPIED_MAX};
    for (size_t i = 0; i < json_array_size(operations) && !err; i++)
        err = run_item(&p, json_array_get(operations, i), i);
    if (err) {
        json_decref(p.doc);
        return err;
    }
    json_decref(*doc);
    *doc = p.doc;
    return NULL;
}

/* ---- Differences ---- */

static void diff_values(const json_t *from, const json_t *to, dv_buf *path, json_t *ops);

static void add_operation(json_t *ops, const char *name, const dv_buf *path, const json_t *value)
{
    json_t *op = json_object();

    json_object_set_new(op, "op", json_string(name));
    json_object_set_new(op, "path", dv_json_string(dv_buf_str(path)));
    if (value)
        json_object_set_new(op, "value", dv_json_copy(value));
    json_array_append_new(ops, op);
}

static void diff_objects(const json_t *from, const json_t *to, dv_buf *path, json_t *ops)
{
    json_t *old = (json_t *)(uintptr_t)from, *new = (json_t *)(uintptr_t)to;
    size_t path_n = path->n;

    for (void *at = json_object_iter(old); at; at = json_object_iter_next(old, at)) {
        const dv_str key = {json_object_iter_key(at), json_object_iter_key_len(at)};
        const json_t *value = json_object_getn(to, key.p, key.n);

        dv_json_token_add(path, key);
        if (value)
            diff_values(json_object_iter_value(at), value, path, ops);
        else
            add_operation(ops, "remove", path, NULL);
        dv_buf_cut(path, path_n);
    }
    for (void *at = json_object_iter(new); at; at = json_object_iter_next(new, at)) {
        const dv_str key = {json_object_iter_key(at), json_object_iter_key_len(at)};

        if (json_object_getn(from, key.p, key.n))
            continue;
        dv_json_token_add(path, key);
        add_operation(ops, "add", path, json_object_iter_value(at));
        dv_buf_cut(path, path_n);
    }
}

static void add_index(dv_buf *path, size_t index)
{
    dv_buf_addf(path, "/%zu", index);
}

/* What both ends share stays; between them elements are compared in pairs, the rest comes or goes.
 */
static void diff_arrays(const json_t *from, const json_t *to, dv_buf *path, json_t *ops)
{
    size_t n = json_array_size(from), m = json_array_size(to), head = 0, tail = 0;
    size_t path_n = path->n, shorter = DV_MIN(n, m);

    while (head < shorter && dv_json_equal(json_array_get(from, head), json_array_get(to, head)))
        head++;
    while (tail < shorter - head &&
           dv_json_equal(json_array_get(from, n - 1 - tail), json_array_get(to, m - 1 - tail)))
        tail++;
    for (size_t i = head; i < shorter - tail; i++) {
        add_index(path, i);
        diff_values(json_array_get(from, i), json_array_get(to, i), path, ops);
        dv_buf_cut(path, path_n);
    }
    for (size_t i = n - tail; i > DV_MAX(head, m - tail); i--) {
        add_index(path, i - 1);
        add_operation(ops, "remove", path, NULL);
        dv_buf_cut(path, path_n);
    }
    for (size_t i = DV_MAX(head, n - tail); i < m - tail; i++) {
        add_index(path, i);
        add_operation(ops, "add", path, json_array_get(to, i));
        dv_buf_cut(path, path_n);
    }
}

static void diff_values(const json_t *from, const json_t *to, dv_buf *path, json_t *ops)
{
    if (json_is_object(from) && json_is_object(to))
        diff_objects(from, to, path, ops);
    else if (json_is_array(from) && json_is_array(to))
        diff_arrays(from, to, path, ops);
    else if (!dv_json_equal(from, to))
        add_operation(ops, "replace", path, to);
}

json_t *dv_json_diff(const json_t *from, const json_t *to)
{
    DV_CLEANUP(dv_buf_done) dv_buf path = DV_BUF_INIT(DV_LINE_MAX);
    json_t *ops = json_array();

    diff_values(from, to, &path, ops);
    if (path.overflow) { /* names too long to be told apart: one operation says it all */
        dv_buf_reset(&path);
        json_array_clear(ops);
        add_operation(ops, "replace", &path, to);
    }
    return ops;
}
