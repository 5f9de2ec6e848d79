/* SPDX-License-Identifier: Apache-2.0 */
#include "kube/fieldpath.h"

enum { DEPTH_MAX = 128 };

static bool find(const json_t *node, const char *path, int depth, dv_buf *pointer);

/* Puts token in front of where the rest of the path leads. */
static bool go_down(const json_t *child, dv_str token, const char *rest, int depth, dv_buf *pointer)
{
    size_t before = pointer->n;

    dv_json_token_add(pointer, token);
    if (find(child, rest, depth + 1, pointer))
        return true;
    dv_buf_cut(pointer, before);
    return false;
}

/* ---- ".name" ---- */

static bool find_member(const json_t *object, const char *path, int depth, dv_buf *pointer)
{
    const char *key;
    size_t n;
    json_t *value;

    json_object_keylen_foreach((json_t *)(uintptr_t)object, key, n, value)
    {
        dv_str name = {key, n};

        if (dv_str_starts(dv_str_of(path), name) && strchr(".[", path[n]) &&
            go_down(value, name, path + n, depth, pointer))
            return true;
    }
    return false;
}

/* ---- "[selector]" ---- */

/* Behind a value of a selector: a string in quotes, or a word. */
static const char *skip_value(const char *at)
{
    if (*at != '"')
        return at + strcspn(at, ",]");
    for (at++; *at && *at != '"'; at++)
        at += *at == '\\' && at[1];
    return *at ? at + 1 : at;
}

static bool is_written(const json_t *value, const char *text, size_t n)
{
    DV_CLEANUP(dv_buf_done) dv_buf written = DV_BUF_INIT(DV_LINE_MAX);

    dv_json_write(value, &written);
    return dv_str_eq(dv_buf_str(&written), (dv_str){text, n});
}

/*
 * Behind `key="a",other=1]`, or `="a"]`, when the element fits it; else NULL. One that leaves out a
 * key fits too, for the server may have filled it in: *ret_whole is false then.
 */
static const char *skip_fitting(const json_t *element, const char *at, bool *ret_whole)
{
    for (*ret_whole = true;; at++) {
        size_t n = strcspn(at, "=]");
        const char *value = at + n + 1, *end;
        const json_t *mine = n ? json_object_getn(element, at, n) : element;

        if (at[n] != '=' || json_is_object(element) != (n > 0))
            return NULL;
        end = skip_value(value);
        if (end == value || (mine && !is_written(mine, value, (size_t)(end - value))))
            return NULL;
        *ret_whole &= mine != NULL;
        if (*end == ']')
            return end + 1;
        if (*end != ',' || n == 0)
            return NULL;
        at = end;
    }
}

/* Behind the selector, when it names that element; else NULL. */
static const char *skip_selector(const json_t *element, const char *index, const char *selector,
                                 bool *ret_whole)
{
    size_t n = strlen(index);

    *ret_whole = true;
    if (strncmp(selector, index, n) == 0 && selector[n] == ']')
        return selector + n + 1;
    return skip_fitting(element, selector, ret_whole);
}

/* Among the elements that have all keys of the selector, or among the others. */
static bool find_among(const json_t *list, const char *selector, bool whole, int depth,
                       dv_buf *pointer)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *element = json_array_get(list, i);
        const char *rest;
        char index[24];
        bool has_all;

        snprintf(index, sizeof(index), "%zu", i);
        rest = skip_selector(element, index, selector, &has_all);
        if (rest && has_all == whole && go_down(element, dv_str_of(index), rest, depth, pointer))
            return true;
    }
    return false;
}

static bool find_element(const json_t *list, const char *selector, int depth, dv_buf *pointer)
{
    return find_among(list, selector, /* whole= */ true, depth, pointer) ||
           find_among(list, selector, /* whole= */ false, depth, pointer);
}

static bool find(const json_t *node, const char *path, int depth, dv_buf *pointer)
{
    if (!*path)
        return true;
    if (depth == DEPTH_MAX)
        return false;
    if (*path == '.')
        return find_member(node, path + 1, depth, pointer);
    return *path == '[' && find_element(node, path + 1, depth, pointer);
}

bool dv_kube_field_pointer(const json_t *object, const char *path, dv_buf *ret_pointer)
{
    size_t before = ret_pointer->n;

    if (!*path || !find(object, path, 0, ret_pointer))
        return false;
    if (!ret_pointer->overflow)
        return true;
    dv_buf_cut(ret_pointer, before);
    return false;
}
