/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/objects.h"

#include <stdarg.h>

#include "base/map.h"
#include "manifest/package.h"
#include "manifest/shape_internal.h"
#include "yaml/yaml.h"

enum { KIND_BYTES_MAX = 63, VERSION_BYTES_MAX = 317, NAME_BYTES_MAX = 253 };

/* Where an object was found, for errors. */
typedef struct {
    const char *manifest;
    size_t document; /* from 1 */
    json_t *objects; /* where they go */
} reader;

static dv_err *invalid(const reader *r, const char *format, ...) DV_PRINTF(2, 3);
static dv_err *invalid(const reader *r, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return dv_err_new(DV_INVALID, "InvalidManifest", "%s: document %zu: %s", r->manifest,
                      r->document, text);
}

/* ---- One object ---- */

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_word(dv_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!is_alpha(s.p[i]) && !(s.p[i] >= '0' && s.p[i] <= '9'))
            return false;
    return s.n > 0;
}

static bool is_kind(dv_str kind)
{
    return kind.n <= KIND_BYTES_MAX && is_word(kind) && is_alpha(kind.p[0]);
}

/* "v1" or "apps/v1". */
static bool is_api_version(dv_str text)
{
    dv_str group, version = dv_str_cut(text, '/', &group);

    if (!version.p)
        return is_word(text) && text.n <= KIND_BYTES_MAX;
    return text.n <= VERSION_BYTES_MAX && dv_package_name_valid(group) && is_word(version);
}

/* What may be one segment of a URL's path; the kinds' own rules are the server's to hold. */
static bool is_object_name(dv_str name)
{
    if (name.n > NAME_BYTES_MAX || dv_str_is(name, ".") || dv_str_is(name, ".."))
        return false;
    for (size_t i = 0; i < name.n; i++) {
        unsigned char c = (unsigned char)name.p[i];
        if (c <= ' ' || c == 0x7f || c == '/' || c == '%')
            return false;
    }
    return true;
}

/* A member, or a member of metadata where `in` says so. */
static dv_err *take_text(const reader *r, const json_t *object, const char *in, const char *name,
                         dv_str *ret)
{
    const json_t *holder = *in ? json_object_get(object, "metadata") : object;
    const json_t *value = json_object_get(holder, name);

    if (value && !json_is_null(value) && !json_is_string(value))
        return invalid(r, "%s%s: string expected, got %s", in, name, dv_json_type_name(value));
    *ret = (dv_str){json_string_value(value), json_string_length(value)};
    return NULL;
}

static dv_err *check_type(const reader *r, const json_t *object)
{
    dv_str api_version, kind;

    DV_CHECK(take_text(r, object, "", "apiVersion", &api_version));
    DV_CHECK(take_text(r, object, "", "kind", &kind));
    if (!api_version.n)
        return invalid(r, "apiVersion is missing");
    if (!kind.n)
        return invalid(r, "kind is missing");
    if (!is_api_version(api_version))
        return invalid(r, "apiVersion is neither \"version\" nor \"group/version\"");
    if (!is_kind(kind))
        return invalid(r, "kind is no name of a kind");
    return NULL;
}

/* labels and annotations: texts only. YAML makes booleans and numbers of unquoted ones. */
static dv_err *check_texts(const reader *r, json_t *metadata, const char *member)
{
    json_t *texts = json_object_get(metadata, member), *value;
    const char *key;

    if (json_is_null(texts))
        json_object_del(metadata, member);
    else if (texts && !json_is_object(texts))
        return invalid(r, "metadata.%s: object expected, got %s", member, dv_json_type_name(texts));
    else
        json_object_foreach(texts, key, value)
        {
            DV_CLEANUP(dv_buf_done) dv_buf shown = DV_BUF_INIT(DV_LINE_MAX);

            dv_shape_add_name(&shown, key);
            if (!json_is_string(value))
                return invalid(r, "metadata.%s.%s: string expected, got %s", member,
                               dv_buf_cstr(&shown), dv_json_type_name(value));
        }
    return NULL;
}

static dv_err *check_metadata(const reader *r, json_t *object)
{
    static const char *const servers[] = {
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "generation",
        "managedFields",
        "resourceVersion",
        "selfLink",
        "uid",
    };
    json_t *metadata = json_object_get(object, "metadata");
    dv_str name, space;

    if (!metadata || json_is_null(metadata))
        return invalid(r, "metadata is missing");
    if (!json_is_object(metadata))
        return invalid(r, "metadata: object expected, got %s", dv_json_type_name(metadata));
    DV_CHECK(take_text(r, object, "metadata.", "name", &name));
    DV_CHECK(take_text(r, object, "metadata.", "namespace", &space));
    if (!name.n)
        return invalid(r, "metadata.name is missing");
    if (!is_object_name(name))
        return invalid(r, "metadata.name is no valid name");
    if (space.n && (!dv_package_name_valid(space) || dv_str_find(space, '.') >= 0))
        return invalid(r, "metadata.namespace is no valid name");
    if (!space.n)
        json_object_del(metadata, "namespace");
    for (size_t i = 0; i < DV_LEN(servers); i++)
        json_object_del(metadata, servers[i]);
    DV_CHECK(check_texts(r, metadata, "labels"));
    return check_texts(r, metadata, "annotations");
}

/* ---- Lists ---- */

static dv_err *take_value(const reader *r, json_t *value, size_t depth);

/* "PodList" gives "Pod", to its items that don't say what they are. */
static void inherit_type(const json_t *list, json_t *item)
{
    dv_str kind = dv_json_view(list, "/kind");

    if (!json_is_object(item) || json_object_get(item, "kind") || dv_str_is(kind, "List"))
        return;
    json_object_set_new(item, "kind", dv_json_string(dv_str_head(kind, kind.n - strlen("List"))));
    if (!json_object_get(item, "apiVersion"))
        json_object_set(item, "apiVersion", json_object_get(list, "apiVersion"));
}

/*
 * A kind that ends in "List" and has items is a list, as the API machinery has it; a "List" is
 * one without items too.
 */
static bool is_list(const json_t *object)
{
    dv_str kind = dv_json_view(object, "/kind");
    const json_t *items = json_object_get(object, "items");

    if (dv_str_is(kind, "List"))
        return true;
    return items && kind.n > strlen("List") && dv_str_ends(kind, DV_STR("List"));
}

static dv_err *take_list(const reader *r, json_t *list, size_t depth)
{
    json_t *items = json_object_get(list, "items"), *item;
    size_t i;

    if (depth == 0)
        return invalid(r, "more than %d lists within each other", DV_OBJECTS_LIST_DEPTH_MAX);
    DV_CHECK(check_type(r, list));
    if (items && !json_is_null(items) && !json_is_array(items))
        return invalid(r, "items: array expected, got %s", dv_json_type_name(items));
    json_array_foreach(items, i, item)
    {
        inherit_type(list, item);
        DV_CHECK(take_value(r, item, depth - 1));
    }
    return NULL;
}

static dv_err *take_value(const reader *r, json_t *value, size_t depth)
{
    if (!json_is_object(value))
        return invalid(r, "object expected, got %s", dv_json_type_name(value));
    if (is_list(value))
        return take_list(r, value, depth);
    DV_CHECK(check_type(r, value));
    DV_CHECK(check_metadata(r, value));
    if (json_array_size(r->objects) >= DV_OBJECTS_MAX)
        return invalid(r, "more than %d objects", DV_OBJECTS_MAX);
    json_array_append(r->objects, value);
    return NULL;
}

dv_err *dv_objects_read(dv_str bytes, const char *name, json_t *objects)
{
    json_auto_t *documents = NULL;
    dv_err *err = dv_yaml_read_all(bytes, /* limits= */ NULL, &documents);

    if (err)
        return dv_err_recast(dv_err_wrap(err, "%s", name), DV_INVALID, "InvalidManifest");
    for (size_t i = 0; i < json_array_size(documents); i++) {
        const reader r = {.manifest = name, .document = i + 1, .objects = objects};
        DV_CHECK(take_value(&r, json_array_get(documents, i), DV_OBJECTS_LIST_DEPTH_MAX));
    }
    return NULL;
}

/* ---- Duplicates ---- */

/* Group, kind, namespace and name, apart by a byte that is in none of them. */
static void add_identity(dv_buf *out, const json_t *object)
{
    dv_str group, version = dv_str_cut(dv_json_view(object, "/apiVersion"), '/', &group);

    dv_buf_add_str(out, version.p ? group : (dv_str){0});
    dv_buf_addc(out, '\n');
    dv_buf_add_str(out, dv_json_view(object, "/kind"));
    dv_buf_addc(out, '\n');
    dv_buf_add_str(out, dv_json_view(object, "/metadata/namespace"));
    dv_buf_addc(out, '\n');
    dv_buf_add_str(out, dv_json_view(object, "/metadata/name"));
}

static dv_err *duplicate(const json_t *object)
{
    dv_str kind = dv_json_view(object, "/kind");
    dv_str space = dv_json_view(object, "/metadata/namespace");
    dv_str name = dv_json_view(object, "/metadata/name");

    return dv_err_new(DV_INVALID, "DuplicateObject", "%.*s %.*s%s%.*s is there twice", DV_FMT(kind),
                      DV_FMT(space), space.n ? "/" : "", DV_FMT(name));
}

dv_err *dv_objects_check_unique(const json_t *objects)
{
    dv_auto(dv_map) seen = dv_map_new(/* free_value= */ NULL);
    json_t *object;
    size_t i;

    json_array_foreach(objects, i, object)
    {
        DV_CLEANUP(dv_buf_done) dv_buf identity = DV_BUF_INIT(DV_PATH_MAX);

        add_identity(&identity, object);
        if (dv_map_get(seen, dv_buf_str(&identity)))
            return duplicate(object);
        dv_map_put(seen, dv_buf_str(&identity), object);
    }
    return NULL;
}
