/* SPDX-License-Identifier: Apache-2.0 */
#include "manifest/shape_internal.h"

#include <stdarg.h>

#include "yaml/yaml.h"

/* Shown of a name that somebody chose. */
enum { NAME_SHOWN_BYTES = 64 };

/* Where a place stood, to go back to. */
typedef struct {
    size_t path, pointer;
} mark;

void dv_place_init(dv_place *place, dv_str source, const char *reason, dv_strings *warnings)
{
    *place = (dv_place){.source = source, .reason = reason, .warnings = warnings};
    dv_buf_init(&place->path, DV_PATH_MAX);
    dv_buf_init(&place->pointer, DV_PATH_MAX);
}

void dv_place_done(dv_place *place)
{
    if (place->dropped)
        dv_strings_take(place->warnings, dv_asprintf("and %zu more", place->dropped));
    dv_buf_done(&place->path);
    dv_buf_done(&place->pointer);
}

void dv_shape_add_name(dv_buf *out, const char *name)
{
    size_t n = strnlen(name, NAME_SHOWN_BYTES + 1);

    for (size_t i = 0; i < DV_MIN(n, (size_t)NAME_SHOWN_BYTES); i++)
        dv_buf_addc(out, name[i] >= ' ' && name[i] <= '~' && name[i] != '"' ? name[i] : '?');
    if (n > NAME_SHOWN_BYTES)
        dv_buf_adds(out, "...");
}

static mark enter_member(dv_place *place, const char *name)
{
    mark at = {place->path.n, place->pointer.n};

    if (at.path)
        dv_buf_addc(&place->path, '.');
    dv_shape_add_name(&place->path, name);
    dv_buf_addc(&place->pointer, '/');
    for (const char *c = name; *c; c++) {
        if (*c == '~' || *c == '/')
            dv_buf_adds(&place->pointer, *c == '~' ? "~0" : "~1");
        else
            dv_buf_addc(&place->pointer, *c);
    }
    return at;
}

static mark enter_element(dv_place *place, size_t index)
{
    mark at = {place->path.n, place->pointer.n};

    dv_buf_addf(&place->path, "[%zu]", index);
    dv_buf_addf(&place->pointer, "/%zu", index);
    return at;
}

static void leave(dv_place *place, mark at)
{
    dv_buf_cut(&place->path, at.path);
    dv_buf_cut(&place->pointer, at.pointer);
    /* A name too long for the buffers spoils no place but its own. */
    place->path.overflow = place->pointer.overflow = false;
}

/* Appends "line 7: ", where that is known. */
static void add_line(dv_buf *out, const dv_place *place)
{
    size_t line =
        place->source.n ? dv_yaml_line_of(place->source, dv_buf_cstr(&place->pointer)) : 0;

    if (line)
        dv_buf_addf(out, "line %zu: ", line);
}

static void warn(dv_place *place, const char *format, const char *name)
{
    if (!place->warnings)
        return;
    if (place->warnings->n >= DV_WARNINGS_MAX) {
        place->dropped++;
        return;
    }
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(DV_PATH_MAX + DV_LINE_MAX);
    add_line(&text, place);
    dv_buf_addf(&text, "%s \"%s\"", format, name);
    dv_strings_take(place->warnings, dv_buf_take(&text));
}

static dv_err *invalid(dv_place *place, const char *text)
{
    DV_CLEANUP(dv_buf_done) dv_buf line = DV_BUF_INIT(DV_LINE_MAX);
    bool root = place->path.n == 0;

    add_line(&line, place);
    return dv_err_new(DV_INVALID, place->reason, "%s%s%s%s", dv_buf_cstr(&line),
                      dv_buf_cstr(&place->path), root ? "" : ": ", text);
}

dv_err *dv_place_invalid(dv_place *place, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return invalid(place, text);
}

/* ---- The walk ---- */

static const char *expected(dv_shape_kind kind)
{
    switch (kind) {
    case DV_SHAPE_STRING:
        return "string";
    case DV_SHAPE_INTEGER:
        return "integer";
    case DV_SHAPE_BOOLEAN:
        return "boolean";
    case DV_SHAPE_LIST:
        return "array";
    case DV_SHAPE_OBJECT:
    case DV_SHAPE_FREE:
    case DV_SHAPE_MAP:
        break;
    }
    return "object";
}

static bool is_of_kind(dv_shape_kind kind, const json_t *value)
{
    switch (kind) {
    case DV_SHAPE_STRING:
        return json_is_string(value);
    case DV_SHAPE_INTEGER:
        return json_is_integer(value);
    case DV_SHAPE_BOOLEAN:
        return json_is_boolean(value);
    case DV_SHAPE_LIST:
        return json_is_array(value);
    case DV_SHAPE_OBJECT:
    case DV_SHAPE_FREE:
    case DV_SHAPE_MAP:
        break;
    }
    return json_is_object(value);
}

static dv_err *walk(const dv_shape *shape, const json_t *value, dv_place *place);

static const dv_shape_member *find_member(const dv_shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->n_members; i++)
        if (strcmp(shape->members[i].name, name) == 0)
            return &shape->members[i];
    return NULL;
}

static dv_err *walk_object(const dv_shape *shape, const json_t *value, dv_place *place)
{
    const char *key;
    json_t *child;

    json_object_foreach((json_t *)(uintptr_t)value, key, child)
    {
        const dv_shape_member *member = find_member(shape, key);
        mark at = enter_member(place, key);
        dv_err *err = NULL;

        if (!member)
            warn(place, "unknown field", dv_buf_cstr(&place->path));
        else if (!json_is_null(child))
            err = walk(member->shape, child, place);
        leave(place, at);
        DV_CHECK(err);
    }
    for (size_t i = 0; i < shape->n_members; i++) {
        const dv_shape_member *member = &shape->members[i];
        const json_t *there = json_object_get(value, member->name);

        if (member->required && (!there || json_is_null(there)))
            return dv_place_invalid(place, "%s is missing", member->name);
    }
    return NULL;
}

static dv_err *walk_map(const dv_shape *shape, const json_t *value, dv_place *place)
{
    const char *key;
    json_t *child;

    if (json_object_size(value) > shape->max)
        return dv_place_invalid(place, "more than %zu entries", shape->max);
    json_object_foreach((json_t *)(uintptr_t)value, key, child)
    {
        size_t n = strlen(key);
        if (n == 0 || n > DV_SHAPE_KEY_MAX)
            return dv_place_invalid(place, "a name of 1 to %d bytes expected, got one of %zu",
                                    DV_SHAPE_KEY_MAX, n);
        mark at = enter_member(place, key);
        dv_err *err = walk(shape->element, child, place);
        leave(place, at);
        DV_CHECK(err);
    }
    return NULL;
}

static dv_err *walk_list(const dv_shape *shape, const json_t *value, dv_place *place)
{
    if (json_array_size(value) > shape->max)
        return dv_place_invalid(place, "more than %zu elements", shape->max);
    for (size_t i = 0; i < json_array_size(value); i++) {
        mark at = enter_element(place, i);
        dv_err *err = walk(shape->element, json_array_get(value, i), place);
        leave(place, at);
        DV_CHECK(err);
    }
    return NULL;
}

static dv_err *check_string(const dv_shape *shape, const json_t *value, dv_place *place)
{
    const char *text = json_string_value(value);
    DV_CLEANUP(dv_buf_done) dv_buf list = DV_BUF_INIT(DV_PATH_MAX);

    if (strlen(text) != json_string_length(value))
        return dv_place_invalid(place, "text without NUL expected");
    if (!shape->values)
        return NULL;
    for (size_t i = 0; shape->values[i]; i++) {
        if (strcmp(shape->values[i], text) == 0)
            return NULL;
        dv_buf_addf(&list, "%s%s", i ? ", " : "", shape->values[i]);
    }
    return dv_place_invalid(place, "one of %s expected", dv_buf_cstr(&list));
}

/* As deep as the tables are. */
static dv_err *walk(const dv_shape *shape, const json_t *value, dv_place *place)
{
    if (!is_of_kind(shape->kind, value))
        return dv_place_invalid(place, "%s expected, got %s", expected(shape->kind),
                                dv_json_type_name(value));
    if (shape->kind == DV_SHAPE_STRING)
        DV_CHECK(check_string(shape, value, place));
    if (shape->kind == DV_SHAPE_OBJECT)
        DV_CHECK(walk_object(shape, value, place));
    if (shape->kind == DV_SHAPE_MAP)
        DV_CHECK(walk_map(shape, value, place));
    if (shape->kind == DV_SHAPE_LIST)
        DV_CHECK(walk_list(shape, value, place));
    return shape->check ? shape->check(value, place) : NULL;
}

dv_err *dv_shape_check(const dv_shape *shape, const json_t *doc, dv_place *place)
{
    return walk(shape, doc, place);
}
