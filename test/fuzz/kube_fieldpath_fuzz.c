/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first line is a path, the rest a document. What the path leads to is there, and the way to
 * it spells the path; what leads nowhere appends nothing. Each field of the document is found by
 * the paths that an API server would write for it.
 */
#include "kube/fieldpath.h"

enum { FIELDS_MAX = 64, STEPS_MAX = 100 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc DV_UNUSED, char ***argv DV_UNUSED)
{
    dv_json_setup();
    return 0;
}

/* ---- Does a pointer spell a path? Read along the pointer, so nothing is searched ---- */

static const char *behind(const char *at, dv_str text)
{
    return at && dv_str_starts(dv_str_of(at), text) ? at + text.n : NULL;
}

static const char *behind_value(const char *at)
{
    if (*at != '"')
        return at + strcspn(at, ",]");
    for (at++; *at != '"'; at++) {
        at += *at == '\\';
        if (!*at)
            return at;
    }
    return at + 1;
}

static bool is_value(const json_t *value, const char *start, const char *end)
{
    json_auto_t *read = NULL;
    dv_auto(dv_err) err = dv_json_read((dv_str){start, (size_t)(end - start)}, &read);

    return !err && dv_json_equal(value, read);
}

/* Behind `="x"]`; NULL: that is not the element, or nothing of the kind. */
static const char *behind_own_value(const json_t *element, const char *at)
{
    const char *end = behind_value(at + 1);

    return is_value(element, at + 1, end) ? behind(end, DV_STR("]")) : NULL;
}

/* Behind `key=1,other="x"]`, where keys that the element leaves out have any value. */
static const char *behind_keys(const json_t *element, const char *at)
{
    for (;; at++) {
        size_t n = strcspn(at, "=]");
        const json_t *mine = json_object_getn(element, at, n);
        const char *end;

        if (n == 0 || at[n] != '=')
            return NULL;
        end = behind_value(at + n + 1);
        if (end == at + n + 1 || (mine && !is_value(mine, at + n + 1, end)))
            return NULL;
        at = end;
        if (*at != ',')
            return behind(at, DV_STR("]"));
    }
}

static const char *behind_selector(const json_t *element, dv_str index, const char *at)
{
    const char *numbered = behind(behind(at, index), DV_STR("]"));

    if (numbered)
        return numbered;
    if (json_is_object(element))
        return behind_keys(element, at);
    return *at == '=' ? behind_own_value(element, at) : NULL;
}

static bool spells(const json_t *object, dv_str pointer, const char *path)
{
    DV_CLEANUP(dv_buf_done)
    dv_buf token = DV_BUF_INIT(DV_LINE_MAX), at = DV_BUF_INIT(DV_BODY_MAX);

    while (path && dv_json_token_next(&pointer, &token)) {
        bool in_list = json_is_array(dv_json_at(object, dv_buf_cstr(&at)));
        const json_t *child;

        dv_json_token_add(&at, dv_buf_str(&token));
        child = dv_json_at(object, dv_buf_cstr(&at));
        path = behind(path, in_list ? DV_STR("[") : DV_STR("."));
        if (!child || !path)
            return false;
        path = in_list ? behind_selector(child, dv_buf_str(&token), path)
                       : behind(path, dv_buf_str(&token));
    }
    return path && !*path && pointer.n == 0;
}

static bool check(const json_t *object, const char *path)
{
    DV_CLEANUP(dv_buf_done) dv_buf pointer = DV_BUF_INIT(DV_BODY_MAX);
    dv_str found;

    dv_buf_adds(&pointer, "kept");
    if (!dv_kube_field_pointer(object, path, &pointer)) {
        DV_ASSERT(dv_str_is(dv_buf_str(&pointer), "kept"));
        return false;
    }
    found = dv_str_skip(dv_buf_str(&pointer), strlen("kept"));
    DV_ASSERT(found.n > 0 && spells(object, found, path));
    return true;
}

/* ---- The paths of all fields ---- */

typedef struct {
    const json_t *root;
    dv_buf path;
    bool by_index;
    int fields, steps;
} walk;

static void visit(walk *w, const json_t *node);

/* The path has got a step more. */
static void step_in(walk *w, const json_t *child)
{
    if (w->fields == FIELDS_MAX || w->steps == STEPS_MAX)
        return;
    w->fields++;
    w->steps++;
    DV_ASSERT(check(w->root, dv_buf_cstr(&w->path)));
    visit(w, child);
    w->steps--;
}

/* Can a path name it? A selector ends keys at '=' and has none that is empty. */
static bool is_name(dv_str name)
{
    return !dv_str_contains(name, (dv_str){"", 1});
}
static bool is_key(dv_str name)
{
    return name.n && is_name(name) && dv_str_find(name, '=') < 0 && dv_str_find(name, ']') < 0;
}
static bool is_scalar(const json_t *value)
{
    return !json_is_object(value) && !json_is_array(value);
}

/* Adds `key=1,other="x"`: all scalars that can be keys. False: there are none. */
static bool add_keys(const json_t *element, dv_buf *path)
{
    const char *key, *comma = "";
    size_t n;
    json_t *value;

    json_object_keylen_foreach((json_t *)(uintptr_t)element, key, n, value)
    {
        if (!is_scalar(value) || !is_key((dv_str){key, n}))
            continue;
        dv_buf_addf(path, "%s%.*s=", comma, (int)n, key);
        dv_json_write(value, path);
        comma = ",";
    }
    return *comma;
}

static void add_selector(walk *w, const json_t *element, size_t index)
{
    dv_buf_addc(&w->path, '[');
    if (!w->by_index && is_scalar(element)) {
        dv_buf_addc(&w->path, '=');
        dv_json_write(element, &w->path);
    } else if (w->by_index || !add_keys(element, &w->path)) {
        dv_buf_addf(&w->path, "%zu", index);
    }
    dv_buf_addc(&w->path, ']');
}

static void visit(walk *w, const json_t *node)
{
    size_t before = w->path.n, n;
    const char *key;
    json_t *value;

    json_object_keylen_foreach((json_t *)(uintptr_t)node, key, n, value)
    {
        if (!is_name((dv_str){key, n}))
            continue;
        dv_buf_addc(&w->path, '.');
        dv_buf_add(&w->path, key, n);
        step_in(w, value);
        dv_buf_cut(&w->path, before);
    }
    for (size_t i = 0; i < json_array_size(node); i++) {
        add_selector(w, json_array_get(node, i), i);
        step_in(w, json_array_get(node, i));
        dv_buf_cut(&w->path, before);
    }
}

static void check_all(const json_t *object, bool by_index)
{
    walk w = {.root = object, .path = DV_BUF_INIT(DV_BODY_MAX), .by_index = by_index};

    visit(&w, object);
    DV_ASSERT(!w.path.overflow);
    dv_buf_done(&w.path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    DV_CLEANUP(dv_buf_done) dv_buf path = DV_BUF_INIT(DV_BODY_MAX);
    json_auto_t *object = NULL;
    dv_str line, rest = dv_str_cut((dv_str){(const char *)data, size}, '\n', &line);
    dv_auto(dv_err) no_json = dv_json_read(rest, &object);

    if (no_json)
        return 0;
    dv_buf_add_str(&path, line);
    (void)check(object, dv_buf_cstr(&path));
    check_all(object, true);
    check_all(object, false);
    return 0;
}
