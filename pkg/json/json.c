/* SPDX-License-Identifier: Apache-2.0 */
#include "json/json_internal.h"

void dv_json_setup(void)
{
    json_set_alloc_funcs(dv_alloc, free);
    json_object_seed(0);
}

const char *dv_json_type_name(const json_t *value)
{
    if (!value)
        return "nothing";
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "array";
    case JSON_STRING:
        return "string";
    case JSON_INTEGER:
        return "integer";
    case JSON_REAL:
        return "real";
    case JSON_TRUE:
    case JSON_FALSE:
        return "boolean";
    case JSON_NULL:
        return "null";
    }
    return "nothing";
}

/* ---- Pointers ---- */

bool dv_json_token_next(dv_str *pointer, dv_buf *token)
{
    dv_str raw;

    if (!pointer->n || pointer->p[0] != '/')
        return false;
    dv_str rest = dv_str_skip(*pointer, 1);
    ptrdiff_t slash = dv_str_find(rest, '/');
    raw = slash < 0 ? rest : dv_str_head(rest, (size_t)slash);
    *pointer = dv_str_skip(rest, raw.n);
    dv_buf_reset(token);
    for (size_t i = 0; i < raw.n; i++) {
        char c = raw.p[i];

        if (c == '~' && ++i < raw.n && (raw.p[i] == '0' || raw.p[i] == '1'))
            c = raw.p[i] == '0' ? '~' : '/';
        else if (c == '~')
            return false;
        dv_buf_addc(token, c);
    }
    return !token->overflow;
}

void dv_json_token_add(dv_buf *pointer, dv_str token)
{
    dv_buf_addc(pointer, '/');
    for (size_t i = 0; i < token.n; i++) {
        if (token.p[i] == '~')
            dv_buf_adds(pointer, "~0");
        else if (token.p[i] == '/')
            dv_buf_adds(pointer, "~1");
        else
            dv_buf_addc(pointer, token.p[i]);
    }
}

bool dv_json_index(dv_str token, size_t *ret_index)
{
    size_t index = 0;

    if (!token.n || (token.n > 1 && token.p[0] == '0'))
        return false;
    for (size_t i = 0; i < token.n; i++)
        if (token.p[i] < '0' || token.p[i] > '9' || __builtin_mul_overflow(index, 10, &index) ||
            __builtin_add_overflow(index, (size_t)(token.p[i] - '0'), &index))
            return false;
    *ret_index = index;
    return true;
}

json_t *dv_json_child(const json_t *parent, dv_str token)
{
    size_t index;

    if (json_is_object(parent))
        return json_object_getn(parent, token.p ? token.p : "", token.n);
    if (json_is_array(parent) && dv_json_index(token, &index))
        return json_array_get(parent, index);
    return NULL;
}

/* As dv_json_token_next() without a copy; false where the token has escapes. */
static bool plain_token(dv_str *pointer, dv_str *ret_token)
{
    dv_str rest = dv_str_skip(*pointer, 1);
    size_t n = 0;

    for (; n < rest.n && rest.p[n] != '/'; n++)
        if (rest.p[n] == '~')
            return false;
    *ret_token = dv_str_head(rest, n);
    *pointer = dv_str_skip(rest, n);
    return true;
}

json_t *dv_json_at(const json_t *doc, const char *pointer)
{
    DV_CLEANUP(dv_buf_done) dv_buf unescaped = DV_BUF_INIT(DV_PATH_MAX);
    json_t *at = (json_t *)(uintptr_t)doc;
    dv_str rest = dv_str_of(pointer), token;

    while (at && rest.n) {
        if (rest.p[0] != '/')
            return NULL;
        if (!plain_token(&rest, &token)) {
            if (!dv_json_token_next(&rest, &unescaped))
                return NULL;
            token = dv_buf_str(&unescaped);
        }
        at = dv_json_child(at, token);
    }
    return at;
}

const char *dv_json_str(const json_t *doc, const char *pointer)
{
    return json_string_value(dv_json_at(doc, pointer));
}

dv_str dv_json_view(const json_t *doc, const char *pointer)
{
    const json_t *at = dv_json_at(doc, pointer);

    return (dv_str){json_string_value(at), json_string_length(at)};
}

int64_t dv_json_int(const json_t *doc, const char *pointer, int64_t fallback)
{
    const json_t *at = dv_json_at(doc, pointer);

    return json_is_integer(at) ? json_integer_value(at) : fallback;
}

bool dv_json_bool(const json_t *doc, const char *pointer, bool fallback)
{
    const json_t *at = dv_json_at(doc, pointer);

    return json_is_boolean(at) ? json_is_true(at) : fallback;
}

dv_opt_i64 dv_json_opt_int(const json_t *doc, const char *pointer)
{
    const json_t *at = dv_json_at(doc, pointer);

    return (dv_opt_i64){json_is_integer(at), json_integer_value(at)};
}

json_t *dv_json_object(const json_t *doc, const char *pointer)
{
    json_t *at = dv_json_at(doc, pointer);

    return json_is_object(at) ? at : NULL;
}

json_t *dv_json_array(const json_t *doc, const char *pointer)
{
    json_t *at = dv_json_at(doc, pointer);

    return json_is_array(at) ? at : NULL;
}

/* ---- Changing ---- */

static dv_err *no_container(const char *pointer, const json_t *there)
{
    return dv_err_new(DV_INVALID, "BadPointer", "%s can't be set: there is %s %s on the way",
                      pointer, json_is_object(there) || json_is_array(there) ? "an" : "a",
                      dv_json_type_name(there));
}

bool dv_json_put_child(json_t *parent, dv_str token, json_t *value)
{
    size_t index;

    if (json_is_object(parent))
        return json_object_setn_new_nocheck(parent, token.p ? token.p : "", token.n, value) == 0;
    if (json_is_array(parent) && dv_str_is(token, "-"))
        return json_array_append_new(parent, value) == 0;
    if (json_is_array(parent) && dv_json_index(token, &index))
        return json_array_set_new(parent, index, value) == 0;
    json_decref(value);
    return false;
}

dv_err *dv_json_set(json_t *doc, const char *pointer, json_t *value)
{
    DV_CLEANUP(dv_buf_done) dv_buf token = DV_BUF_INIT(DV_PATH_MAX);
    json_auto_t *taken = value;
    dv_str rest = dv_str_of(pointer);
    json_t *at = doc;

    while (dv_json_token_next(&rest, &token)) {
        dv_str name = dv_buf_str(&token);
        json_t *next = dv_json_child(at, name);

        if (!rest.n)
            return dv_json_put_child(at, name, DV_TAKE(taken)) ? NULL : no_container(pointer, at);
        if (!next || json_is_null(next)) {
            if (!dv_json_put_child(at, name, json_object()))
                return no_container(pointer, at);
            next = json_is_array(at) && dv_str_is(name, "-")
                       ? json_array_get(at, json_array_size(at) - 1)
                       : dv_json_child(at, name);
        }
        at = next;
    }
    return dv_err_new(DV_INVALID, "BadPointer", "\"%s\" is not a JSON pointer", pointer);
}

bool dv_json_drop_child(json_t *parent, dv_str token)
{
    size_t index;

    if (json_is_object(parent))
        return json_object_deln(parent, token.p ? token.p : "", token.n) == 0;
    return json_is_array(parent) && dv_json_index(token, &index) &&
           json_array_remove(parent, index) == 0;
}

void dv_json_remove(json_t *doc, const char *pointer)
{
    DV_CLEANUP(dv_buf_done) dv_buf token = DV_BUF_INIT(DV_PATH_MAX);
    dv_str rest = dv_str_of(pointer);

    while (doc && dv_json_token_next(&rest, &token)) {
        if (!rest.n)
            dv_json_drop_child(doc, dv_buf_str(&token));
        else
            doc = dv_json_child(doc, dv_buf_str(&token));
        if (!rest.n)
            return;
    }
}

void dv_json_put_str(json_t *object, const char *key, const char *text)
{
    if (text)
        json_object_set_new(object, key, dv_json_string(dv_str_of(text)));
    else
        json_object_del(object, key);
}

/* Puts the merge of what is there and patch under key. */
static void merge_member(json_t *target, const char *key, size_t n, const json_t *patch)
{
    json_t *old = json_object_getn(target, key, n);

    if (json_is_null(patch))
        json_object_deln(target, key, n);
    else
        json_object_setn_new_nocheck(target, key, n, dv_json_merge_patch(json_incref(old), patch));
}

json_t *dv_json_merge_patch(json_t *target, const json_t *patch)
{
    json_auto_t *taken = target;
    json_t *from = (json_t *)(uintptr_t)patch;

    if (!json_is_object(patch))
        return dv_json_copy(patch);
    if (!json_is_object(taken)) {
        json_decref(taken);
        taken = json_object();
    }
    for (void *at = json_object_iter(from); at; at = json_object_iter_next(from, at))
        merge_member(taken, json_object_iter_key(at), json_object_iter_key_len(at),
                     json_object_iter_value(at));
    return DV_TAKE(taken);
}

json_t *dv_json_string(dv_str s)
{
    if (dv_utf8_valid(s))
        return json_stringn_nocheck(s.p ? s.p : "", s.n);
    DV_CLEANUP(dv_buf_done) dv_buf clean = DV_BUF_INIT(3 * s.n);
    while (s.n) {
        size_t n = dv_utf8_len(s);

        if (n)
            dv_buf_add(&clean, s.p, n);
        else
            dv_buf_adds(&clean, "\xef\xbf\xbd");
        s = dv_str_skip(s, n ? n : 1);
    }
    return json_stringn_nocheck(clean.p, clean.n);
}
