/* SPDX-License-Identifier: Apache-2.0 */
#include "gotemplate/yaml_text.h"

#include <math.h>

#include "base/crypto.h"
#include "base/map.h"
#include "base/unicode.h"
#include "yaml/events.h"

/* ---- Writing ---- */

/* Parts that several hold are copied for each: the copies are counted. */
typedef struct {
    dv_heap *heap;
    size_t nodes;
    unsigned depth;
} copier;

static json_t *to_json(copier *c, dv_val value);

static json_t *list_to_json(copier *c, const dv_list *list)
{
    json_t *array = json_array();

    for (uint32_t i = 0; i < list->n; i++) {
        json_t *element = to_json(c, list->at[i]);

        if (!element) {
            json_decref(array);
            return NULL;
        }
        json_array_append_new(array, element);
    }
    return array;
}

/* The key as JSON carries it. */
static void set_member(json_t *object, dv_str key, json_t *value)
{
    if (dv_utf8_valid(key)) {
        json_object_setn_new_nocheck(object, key.p, key.n, value);
        return;
    }
    json_auto_t *clean = dv_json_string(key);
    json_object_setn_new_nocheck(object, json_string_value(clean), json_string_length(clean),
                                 value);
}

static json_t *dict_to_json(copier *c, const dv_dict *dict)
{
    json_t *object = json_object();
    const dv_member *members = dv_dict_members(dict);

    for (size_t i = 0; i < dv_dict_len(dict); i++) {
        json_t *value = to_json(c, members[i].value);

        if (!value) {
            json_decref(object);
            return NULL;
        }
        set_member(object, members[i].key, value);
    }
    return object;
}

static json_t *bytes_to_json(dv_str bytes)
{
    DV_CLEANUP(dv_buf_done) dv_buf text = DV_BUF_INIT(bytes.n * 2 + 8);

    dv_base64_add(&text, bytes);
    return dv_json_string(dv_buf_str(&text));
}

static json_t *object_to_json(copier *c, const dv_object *object)
{
    if (!object->type->plain)
        return json_object();
    return to_json(c, object->type->plain(c->heap, object->self));
}

static json_t *collection_to_json(copier *c, dv_val value)
{
    json_t *made;

    if (c->depth == DV_VAL_DEPTH_MAX)
        return NULL;
    c->depth++;
    if (value.kind == DV_V_LIST)
        made = dv_list_is_nil(value.list) ? json_null() : list_to_json(c, value.list);
    else if (value.kind == DV_V_DICT)
        made = value.dict ? dict_to_json(c, value.dict) : json_null();
    else
        made = object_to_json(c, value.object);
    c->depth--;
    return made;
}

/* Owned; NULL: there is none. */
static json_t *to_json(copier *c, dv_val value)
{
    if (++c->nodes > DV_VAL_NODES_MAX)
        return NULL;
    switch (value.kind) {
    case DV_V_NONE:
    case DV_V_NIL:
        return json_null();
    case DV_V_BOOL:
        return json_boolean(value.b);
    case DV_V_INT:
    case DV_V_INT64:
        return json_integer(value.i);
    case DV_V_UINT8:
    case DV_V_UINT32:
    case DV_V_UINT64:
        return value.u > INT64_MAX ? json_real((double)value.u) : json_integer(value.i);
    case DV_V_FLOAT:
        return isfinite(value.f) ? json_real(value.f) : NULL;
    case DV_V_STRING:
        return dv_json_string(dv_val_str(value));
    case DV_V_BYTES:
        return bytes_to_json(dv_val_str(value));
    case DV_V_LIST:
    case DV_V_DICT:
    case DV_V_OBJECT:
        return collection_to_json(c, value);
    default:
        return NULL;
    }
}

/* Owned; NULL: value has no JSON, or is too large, which the heap then says. */
static json_t *make_json(dv_heap *heap, dv_val value)
{
    copier c = {.heap = heap};
    json_t *doc = to_json(&c, value);

    if (c.nodes > DV_VAL_NODES_MAX)
        dv_heap_refuse(heap);
    return doc;
}

bool dv_val_to_yaml(dv_heap *heap, dv_buf *out, dv_val value)
{
    json_auto_t *doc = make_json(heap, value);

    if (doc)
        dv_yaml_write(doc, out);
    return doc != NULL;
}

bool dv_val_to_yaml_pretty(dv_heap *heap, dv_buf *out, dv_val value)
{
    json_auto_t *doc = make_json(heap, value);

    if (doc)
        dv_yaml_write_pretty(doc, out);
    return doc != NULL;
}

/* ---- Reading ---- */

/* What an alias copies, and takes off the allowance. */
typedef struct {
    dv_val value;
    size_t nodes, bytes;
    bool open; /* not whole yet: an alias to it would contain itself */
} anchored;

typedef struct {
    dv_heap *heap;
    dv_yaml_events *events;
    dv_map *anchors; /* name -> anchored, in heap */
    dv_buf *fault;
    bool stopped; /* the events have ended, with an error */
} reader;

static bool read_node(reader *r, const dv_yaml_event *event, dv_val *ret_value);

static bool fail(reader *r, const char *what)
{
    if (!r->fault->n)
        dv_buf_addf(r->fault, "error converting YAML to JSON: yaml: %s", what);
    return false;
}

static bool next(reader *r, const dv_yaml_event **ret_event)
{
    dv_auto(dv_err) err = dv_yaml_events_next(r->events, ret_event);

    if (!err)
        return !dv_heap_refused(r->heap);
    r->stopped = true;
    dv_buf_adds(r->fault, "error converting YAML to JSON: ");
    if (!dv_yaml_events_go_error(r->events, r->fault))
        dv_buf_addf(r->fault, "yaml: %s", dv_err_str(err));
    return false;
}

/* Text as it comes out of JSON: what is no UTF-8 is replaced. */
static dv_val clean_string(dv_heap *heap, dv_str s)
{
    DV_CLEANUP(dv_buf_done) dv_buf clean = DV_BUF_INIT(s.n * 3 + 1);

    if (dv_utf8_valid(s))
        return dv_val_string(heap, s);
    while (s.n)
        dv_rune_add(&clean, dv_rune_take(&s));
    return dv_val_string(heap, dv_buf_str(&clean));
}

static bool scalar_value(reader *r, const dv_yaml_scalar *scalar, dv_val *ret_value)
{
    switch (scalar->type) {
    case DV_YAML_NULL:
        *ret_value = DV_NIL_VAL;
        break;
    case DV_YAML_BOOL:
        *ret_value = dv_val_bool(scalar->boolean);
        break;
    case DV_YAML_INT:
        *ret_value = dv_val_float((double)scalar->integer);
        break;
    case DV_YAML_UINT:
        *ret_value = dv_val_float((double)scalar->uinteger);
        break;
    case DV_YAML_REAL:
        *ret_value = dv_val_float(scalar->real);
        if (!isfinite(scalar->real)) {
            dv_buf_addf(r->fault, "error converting YAML to JSON: json: unsupported value: %s",
                        isnan(scalar->real) ? "NaN"
                        : scalar->real < 0  ? "-Inf"
                                            : "+Inf");
            return false;
        }
        break;
    case DV_YAML_STRING:
        *ret_value = clean_string(r->heap, scalar->text);
        break;
    }
    return true;
}

/* ---- Anchors ---- */

static anchored *declare(reader *r, const char *name)
{
    anchored *fresh;

    if (!name)
        return NULL;
    fresh = DV_HEAP_NEW(r->heap, anchored);
    fresh->open = true;
    dv_yaml_events_used(r->events, &fresh->nodes, &fresh->bytes);
    dv_map_put(r->anchors, dv_str_of(name), fresh);
    return fresh;
}

static void settle(const reader *r, anchored *anchor, dv_val value)
{
    size_t nodes, bytes;

    if (!anchor)
        return;
    dv_yaml_events_used(r->events, &nodes, &bytes);
    anchor->nodes = nodes - anchor->nodes + 1;
    anchor->bytes = bytes - anchor->bytes;
    anchor->value = value;
    anchor->open = false;
}

static dv_val copy(dv_heap *heap, dv_val value)
{
    if (dv_heap_refused(heap))
        return DV_NIL_VAL;
    if (value.kind == DV_V_LIST) {
        dv_list *list = dv_list_new(heap, value.list->type, value.list->n);

        for (uint32_t i = 0; i < value.list->n; i++)
            dv_list_push(heap, list, copy(heap, value.list->at[i]));
        return dv_val_list(list);
    }
    if (value.kind == DV_V_DICT) {
        dv_dict *dict = dv_dict_new(heap, dv_dict_type(value.dict));
        const dv_member *members = dv_dict_members(value.dict);

        for (size_t i = 0; i < dv_dict_len(value.dict); i++)
            dv_dict_set(heap, dict, members[i].key, copy(heap, members[i].value));
        return dv_val_dict(dict);
    }
    return value;
}

static bool read_alias(reader *r, const char *name, dv_val *ret_value)
{
    const anchored *anchor = dv_map_get(r->anchors, dv_str_of(name));
    char text[256];

    if (!anchor || anchor->open) {
        snprintf(text, sizeof(text),
                 anchor ? "anchor '%s' value contains itself" : "unknown anchor '%s' referenced",
                 name);
        return fail(r, text);
    }
    dv_auto(dv_err) err = dv_yaml_events_charge(r->events, anchor->nodes, anchor->bytes);
    if (err)
        return fail(r, "document contains excessive aliasing");
    *ret_value = copy(r->heap, anchor->value);
    return true;
}

/* ---- Collections ---- */

static bool read_list(reader *r, dv_val *ret_value)
{
    dv_list *list = dv_list_new(r->heap, &dv_type_any_list, 0);
    const dv_yaml_event *event;
    dv_val element;

    *ret_value = dv_val_list(list);
    for (;;) {
        if (!next(r, &event))
            return false;
        if (event->type == DV_YAML_SEQ_END)
            return true;
        if (!read_node(r, event, &element))
            return false;
        dv_list_push(r->heap, list, element);
    }
}

static void add_all(dv_heap *heap, dv_dict *into, const dv_dict *from)
{
    const dv_member *members = dv_dict_members(from);

    for (size_t i = 0; i < dv_dict_len(from); i++)
        dv_dict_set(heap, into, members[i].key, members[i].value);
}

/* Merged members replace what is there, as go-yaml v2 has it; of a list the first counts most. */
static bool merge(reader *r, dv_dict *into, dv_val from)
{
    static const char *const refusal = "map merge requires map or sequence of maps as the value";

    if (from.kind == DV_V_DICT) {
        add_all(r->heap, into, from.dict);
        return true;
    }
    if (from.kind != DV_V_LIST)
        return fail(r, refusal);
    for (uint32_t i = from.list->n; i-- > 0;) {
        if (from.list->at[i].kind != DV_V_DICT)
            return fail(r, refusal);
        add_all(r->heap, into, from.list->at[i].dict);
    }
    return true;
}

/* An aliased value as a key. */
static bool value_key(dv_val value, dv_buf *out)
{
    dv_yaml_scalar scalar = {.type = DV_YAML_NULL};

    if (value.kind == DV_V_STRING)
        scalar = (dv_yaml_scalar){.type = DV_YAML_STRING, .text = dv_val_str(value)};
    else if (value.kind == DV_V_BOOL)
        scalar = (dv_yaml_scalar){.type = DV_YAML_BOOL, .boolean = value.b};
    else if (value.kind == DV_V_FLOAT)
        scalar = (dv_yaml_scalar){.type = DV_YAML_REAL, .real = value.f};
    return dv_yaml_scalar_key(&scalar, out);
}

static bool read_key(reader *r, const dv_yaml_event *event, dv_buf *key)
{
    bool ok = false;
    dv_val value;

    dv_buf_reset(key);
    if (event->type == DV_YAML_SCALAR) {
        anchored *anchor = declare(r, event->anchor);

        ok = dv_yaml_scalar_key(&event->scalar, key);
        if (anchor && scalar_value(r, &event->scalar, &value))
            settle(r, anchor, value);
    } else if (event->type == DV_YAML_ALIAS) {
        if (!read_alias(r, event->anchor, &value))
            return false;
        ok = value_key(value, key);
    }
    return ok || fail(r, "invalid map key");
}

static bool read_dict(reader *r, dv_val *ret_value)
{
    dv_dict *dict = dv_dict_new(r->heap, &dv_type_any_dict);
    DV_CLEANUP(dv_buf_done) dv_buf key = DV_BUF_INIT(DV_YAML_BYTES_MAX);
    const dv_yaml_event *event;
    dv_val value;

    *ret_value = dv_val_dict(dict);
    for (;;) {
        if (!next(r, &event))
            return false;
        if (event->type == DV_YAML_MAP_END)
            return true;
        bool merges = event->type == DV_YAML_SCALAR && event->merge;
        if (!merges && !read_key(r, event, &key))
            return false;
        if (!next(r, &event) || !read_node(r, event, &value))
            return false;
        if (merges && !merge(r, dict, value))
            return false;
        if (!merges)
            dv_dict_set(r->heap, dict, dv_val_str(clean_string(r->heap, dv_buf_str(&key))), value);
    }
}

static bool read_node(reader *r, const dv_yaml_event *event, dv_val *ret_value)
{
    anchored *anchor = event->type == DV_YAML_ALIAS ? NULL : declare(r, event->anchor);
    bool ok = false;

    switch (event->type) {
    case DV_YAML_SCALAR:
        ok = scalar_value(r, &event->scalar, ret_value);
        break;
    case DV_YAML_ALIAS:
        ok = read_alias(r, event->anchor, ret_value);
        break;
    case DV_YAML_SEQ_START:
        ok = read_list(r, ret_value);
        break;
    case DV_YAML_MAP_START:
        ok = read_dict(r, ret_value);
        break;
    default:
        ok = fail(r, "did not find expected node content");
    }
    if (ok)
        settle(r, anchor, *ret_value);
    return ok;
}

/* The first document; what follows is not looked at, as Go's library does not. */
static bool read_document(reader *r, dv_val *ret_value)
{
    const dv_yaml_event *event;

    *ret_value = DV_NONE_VAL;
    if (!next(r, &event))
        return false;
    if (event->type == DV_YAML_STREAM_END)
        return true;
    if (!next(r, &event) || !read_node(r, event, ret_value))
        return false;
    return next(r, &event);
}

/* go-yaml parses all of a document before it looks at its values: a fault of the text counts more.
 */
static void look_for_syntax(reader *r)
{
    const dv_yaml_event *event;

    for (;;) {
        dv_auto(dv_err) err = dv_yaml_events_next(r->events, &event);

        if (err) {
            dv_buf_reset(r->fault);
            dv_buf_adds(r->fault, "error converting YAML to JSON: ");
            if (!dv_yaml_events_go_error(r->events, r->fault))
                dv_buf_addf(r->fault, "yaml: %s", dv_err_str(err));
        }
        if (err || event->type == DV_YAML_DOC_END || event->type == DV_YAML_STREAM_END)
            return;
    }
}

bool dv_val_from_yaml(dv_heap *heap, dv_str text, dv_val *ret_value, dv_buf *fault)
{
    reader r = {.heap = heap,
                .events = dv_yaml_events_new(text, /* limits= */ NULL),
                .anchors = dv_map_new(/* free_value= */ NULL),
                .fault = fault};
    bool ok = read_document(&r, ret_value);

    if (!ok && !r.stopped && !dv_heap_refused(heap))
        look_for_syntax(&r);
    dv_map_free(r.anchors);
    dv_yaml_events_free(r.events);
    return ok;
}
