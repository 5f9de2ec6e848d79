/* SPDX-License-Identifier: Apache-2.0 */
/* The consumer of events that builds JSON documents. */
#include "base/map.h"
#include "yaml/events.h"

/* More than a number's text. */
enum { NUMBER_BYTES = 64 };

/* A value that aliases may name, and what a copy of it takes off the allowance. */
typedef struct {
    json_t *value; /* owned; NULL: still open, so an alias to it would contain itself */
    size_t nodes, bytes;
} anchored;

/* A collection that is open. */
typedef struct {
    json_t *value;    /* owned */
    json_t *own_keys; /* owned; of an object with merges: the keys that are no merge's, else NULL */
    char *key;        /* owned; of an object: the key whose value comes next, NULL: a key is next */
    size_t key_n;
    bool merging;        /* what comes next is merged into the object */
    anchored *anchor;    /* borrowed; NULL: it has none */
    size_t nodes, bytes; /* used before it */
} level;

typedef struct {
    dv_yaml_events *events;
    dv_map *anchors;             /* name -> anchored, borrowed from: */
    DV_VEC(anchored *) declared; /* all of the document; a name may be declared again */
    DV_VEC(level) levels;
    json_t *root; /* owned; the document, once it is whole */
    size_t line;  /* where it starts */
} builder;

/* ---- Life ---- */

static void forget_anchors(builder *b)
{
    dv_map_clear(b->anchors);
    for (size_t i = 0; i < b->declared.n; i++) {
        json_decref(b->declared.at[i]->value);
        free(b->declared.at[i]);
    }
    b->declared.n = 0;
}

static void level_done(level *l)
{
    json_decref(l->value);
    json_decref(l->own_keys);
    free(l->key);
}

static void builder_done(builder *b)
{
    for (size_t i = 0; i < b->levels.n; i++)
        level_done(&b->levels.at[i]);
    dv_vec_done(&b->levels);
    forget_anchors(b);
    dv_vec_done(&b->declared);
    dv_map_free(b->anchors);
    dv_yaml_events_free(b->events);
    json_decref(b->root);
}

static level *top(const builder *b)
{
    return b->levels.n ? &b->levels.at[b->levels.n - 1] : NULL;
}

static dv_err *bad(const builder *b, const char *what)
{
    return dv_yaml_events_error(b->events, what);
}

/* ---- Objects ---- */

/* Puts value (taken) under the waiting key. A key may replace a merged one, but not an own one. */
static dv_err *put_member(const builder *b, level *l, json_t *value)
{
    size_t before = json_object_size(l->value);
    DV_CLEANUP(dv_freep) char *key = DV_TAKE(l->key);
    bool twice = l->own_keys && json_object_getn(l->own_keys, key, l->key_n);

    json_object_setn_new_nocheck(l->value, key, l->key_n, value);
    if (twice || (!l->own_keys && json_object_size(l->value) == before))
        return bad(b, "a key is there twice");
    if (l->own_keys)
        json_object_setn_new_nocheck(l->own_keys, key, l->key_n, json_null());
    return NULL;
}

/* Sets in `to` all members of `from`: their values shared, or null. */
static void set_all(json_t *to, json_t *from, bool values)
{
    for (void *at = json_object_iter(from); at; at = json_object_iter_next(from, at))
        json_object_setn_nocheck(to, json_object_iter_key(at), json_object_iter_key_len(at),
                                 values ? json_object_iter_value(at) : json_null());
}

/* Merged members replace what is there, as go-yaml v2 has it; of a list the first counts most. */
static dv_err *merge(const builder *b, level *l, json_t *value)
{
    json_auto_t *from = value;

    l->merging = false;
    if (!l->own_keys) {
        l->own_keys = json_object();
        set_all(l->own_keys, l->value, /* values= */ false);
    }
    if (json_is_object(from)) {
        set_all(l->value, from, /* values= */ true);
        return NULL;
    }
    if (!json_is_array(from))
        return bad(b, "a merge needs a mapping or a list of mappings");
    for (size_t i = json_array_size(from); i-- > 0;) {
        json_t *item = json_array_get(from, i);

        if (!json_is_object(item))
            return bad(b, "a merge needs a mapping or a list of mappings");
        set_all(l->value, item, /* values= */ true);
    }
    return NULL;
}

/* ---- Values ---- */

static dv_err *set_key(const builder *b, level *l, const dv_yaml_scalar *scalar)
{
    DV_CLEANUP(dv_buf_done) dv_buf key = DV_BUF_INIT(scalar->text.n + NUMBER_BYTES);
    json_auto_t *clean = NULL;

    if (!dv_yaml_scalar_key(scalar, &key))
        return bad(b, "null can't be a key");
    clean = dv_json_string(dv_buf_str(&key)); /* !!binary may hold anything */
    l->key_n = json_string_length(clean);
    l->key = dv_strndup(json_string_value(clean), l->key_n);
    return NULL;
}

/* An alias as a key. */
static dv_err *set_key_from(const builder *b, level *l, const json_t *value)
{
    dv_yaml_scalar scalar = {.type = DV_YAML_NULL};

    if (json_is_string(value))
        scalar = (dv_yaml_scalar){.type = DV_YAML_STRING,
                                  .text = {json_string_value(value), json_string_length(value)}};
    else if (json_is_boolean(value))
        scalar = (dv_yaml_scalar){.type = DV_YAML_BOOL, .boolean = json_is_true(value)};
    else if (json_is_integer(value))
        scalar = (dv_yaml_scalar){.type = DV_YAML_INT, .integer = json_integer_value(value)};
    else if (json_is_real(value))
        scalar = (dv_yaml_scalar){.type = DV_YAML_REAL, .real = json_real_value(value)};
    else if (!json_is_null(value))
        return bad(b, "a mapping or list can't be a key");
    return set_key(b, l, &scalar);
}

/* Puts a whole value (taken) where it belongs. */
static dv_err *place(builder *b, json_t *value)
{
    level *l = top(b);

    if (!l) {
        json_decref(b->root);
        b->root = value;
        return NULL;
    }
    if (json_is_array(l->value)) {
        json_array_append_new(l->value, value);
        return NULL;
    }
    if (l->merging)
        return merge(b, l, value);
    if (l->key)
        return put_member(b, l, value);
    json_auto_t *key = value;
    return set_key_from(b, l, key);
}

static anchored *declare(builder *b, const char *name)
{
    if (!name)
        return NULL;
    anchored *fresh = DV_NEW(anchored);
    *dv_vec_push(&b->declared) = fresh;
    dv_map_put(b->anchors, dv_str_of(name), fresh);
    return fresh;
}

/* True where the next node is a key. */
static bool awaits_key(const level *l)
{
    return l && json_is_object(l->value) && !l->key && !l->merging;
}

static dv_err *on_scalar(builder *b, const dv_yaml_event *event)
{
    level *l = top(b);
    bool is_key = awaits_key(l);
    anchored *anchor = declare(b, event->anchor);

    if (is_key && event->merge) {
        l->merging = true;
        return NULL;
    }
    json_t *value = dv_yaml_scalar_json(&event->scalar);
    if (anchor) {
        anchor->value = json_incref(value);
        anchor->nodes = 1;
        anchor->bytes = event->scalar.text.n;
    }
    if (is_key) {
        json_decref(value);
        return set_key(b, l, &event->scalar);
    }
    if (!value)
        return bad(b, "JSON has no infinity and no NaN");
    return place(b, value);
}

static dv_err *on_alias(builder *b, const dv_yaml_event *event)
{
    const anchored *from = dv_map_get(b->anchors, dv_str_of(event->anchor));

    if (!from)
        return bad(b, "an alias names no anchor");
    if (!from->value)
        return bad(b, "an anchor's value contains itself, or is no JSON");
    DV_CHECK(dv_yaml_events_charge(b->events, from->nodes, from->bytes));
    return place(b, dv_json_copy(from->value));
}

static dv_err *open_level(builder *b, const dv_yaml_event *event, json_t *value)
{
    json_auto_t *fresh = value;

    if (awaits_key(top(b)))
        return bad(b, "a mapping or list can't be a key");
    level l = {.anchor = declare(b, event->anchor)};
    dv_yaml_events_used(b->events, &l.nodes, &l.bytes);
    l.value = DV_TAKE(fresh);
    *dv_vec_push(&b->levels) = l;
    return NULL;
}

static dv_err *close_level(builder *b)
{
    level l = b->levels.at[--b->levels.n];
    json_t *value = DV_TAKE(l.value);

    if (l.anchor) {
        size_t nodes, bytes;

        dv_yaml_events_used(b->events, &nodes, &bytes);
        l.anchor->value = json_incref(value);
        l.anchor->nodes = nodes - l.nodes + 1;
        l.anchor->bytes = bytes - l.bytes;
    }
    level_done(&l);
    return place(b, value);
}

/* ---- Documents ---- */

/* Reads to the document's end; false at the stream's. */
static dv_err *read_document(builder *b, bool *ret_more)
{
    const dv_yaml_event *event;

    for (;;) {
        DV_CHECK(dv_yaml_events_next(b->events, &event));
        switch (event->type) {
        case DV_YAML_STREAM_END:
            *ret_more = false;
            return NULL;
        case DV_YAML_DOC_START:
            forget_anchors(b);
            b->line = event->line;
            break;
        case DV_YAML_DOC_END:
            *ret_more = true;
            return NULL;
        case DV_YAML_SEQ_START:
            DV_CHECK(open_level(b, event, json_array()));
            break;
        case DV_YAML_MAP_START:
            DV_CHECK(open_level(b, event, json_object()));
            break;
        case DV_YAML_SEQ_END:
        case DV_YAML_MAP_END:
            DV_CHECK(close_level(b));
            break;
        case DV_YAML_SCALAR:
            DV_CHECK(on_scalar(b, event));
            break;
        case DV_YAML_ALIAS:
            DV_CHECK(on_alias(b, event));
            break;
        }
    }
}

/* Appends the documents that hold something, at most `most`. */
static dv_err *read_stream(dv_str bytes, size_t first_line, const dv_yaml_limits *limits,
                           size_t most, json_t *docs)
{
    DV_CLEANUP(builder_done)
    builder b = {.events = dv_yaml_events_new(bytes, limits),
                 .anchors = dv_map_new(/* free_value= */ NULL)};

    dv_yaml_events_start_at(b.events, first_line);
    for (bool more = true; more;) {
        DV_CHECK(read_document(&b, &more));
        if (b.root && !json_is_null(b.root)) {
            if (json_array_size(docs) == most)
                return dv_err_new(DV_INVALID, "BadYAML", "line %zu: a second document", b.line);
            json_array_append(docs, b.root);
        }
        json_decref(b.root);
        b.root = NULL;
    }
    return NULL;
}

/* ---- JSON, which kubectl tells from YAML by its first byte ---- */

/* Takes value's nodes off *left; false: more than that, or deeper than levels. */
static bool fits(const json_t *constant, size_t *left, size_t levels)
{
    json_t *value = (json_t *)(uintptr_t)constant, *member;
    bool nested = json_is_object(value) || json_is_array(value);
    size_t i;

    if (*left == 0 || (nested && levels == 0))
        return false;
    --*left;
    for (void *at = json_object_iter(value); at; at = json_object_iter_next(value, at))
        if (!fits(json_object_iter_value(at), left, levels - 1))
            return false;
    json_array_foreach(value, i, member) if (!fits(member, left, levels - 1)) return false;
    return true;
}

static bool is_object_text(dv_str bytes)
{
    bytes = dv_str_trim(bytes);
    return bytes.n && bytes.p[0] == '{';
}

static dv_str skip_blanks(dv_str bytes)
{
    while (bytes.n &&
           (bytes.p[0] == ' ' || bytes.p[0] == '\t' || bytes.p[0] == '\r' || bytes.p[0] == '\n'))
        bytes = dv_str_skip(bytes, 1);
    return bytes;
}

/* Steps over a "---" that has its line to itself; false: something else is next. */
static bool skip_mark(dv_str *bytes)
{
    if (!dv_str_starts(*bytes, DV_STR("---\n")) && !dv_str_starts(*bytes, DV_STR("---\r\n")) &&
        !dv_str_is(*bytes, "---"))
        return false;
    *bytes = skip_blanks(dv_str_skip(*bytes, 3));
    return true;
}

/* What is behind a value: another, the end, or a mark. False: then the value was no JSON after all.
 */
static bool skip_between(dv_str *bytes)
{
    bool ends;

    *bytes = skip_blanks(*bytes);
    ends = !bytes->n || is_object_text(*bytes);
    while (skip_mark(bytes))
        ends = true;
    return ends;
}

/* Appends the JSON values at the front; *ret_rest is what is none. */
static dv_err *read_json_values(dv_str bytes, const dv_yaml_limits *limits, json_t *docs,
                                dv_str *ret_rest)
{
    size_t left = limits && limits->nodes_max ? limits->nodes_max : DV_YAML_NODES_MAX;
    size_t levels = limits && limits->depth_max ? limits->depth_max : DV_YAML_DEPTH_MAX;
    size_t used;

    for (*ret_rest = bytes; is_object_text(*ret_rest);) {
        json_auto_t *doc = NULL;
        dv_auto(dv_err) not_json = dv_json_read_first(*ret_rest, &doc, &used);
        dv_str behind = dv_str_skip(*ret_rest, not_json ? 0 : used);

        if (not_json || !skip_between(&behind))
            return NULL;
        if (!fits(doc, &left, levels))
            return dv_err_new(DV_INVALID, "YAMLTooLarge", "more than %zu levels, or too many nodes",
                              levels);
        json_array_append(docs, doc);
        *ret_rest = behind;
    }
    return NULL;
}

/* ---- The two ways in ---- */

static size_t bytes_max(const dv_yaml_limits *limits)
{
    return limits && limits->bytes_max ? limits->bytes_max : DV_YAML_BYTES_MAX;
}

/* The line of an offset, from 1. */
static size_t line_at(dv_str bytes, size_t offset)
{
    size_t line = 1;

    for (size_t i = 0; i < offset; i++)
        line += bytes.p[i] == '\n';
    return line;
}

dv_err *dv_yaml_read_all(dv_str bytes, const dv_yaml_limits *limits, json_t **ret_docs)
{
    json_auto_t *docs = json_array();
    dv_str rest = bytes;

    if (bytes.n > bytes_max(limits))
        return dv_err_new(DV_INVALID, "YAMLTooLarge", "more than %zu bytes", bytes_max(limits));
    DV_CHECK(read_json_values(bytes, limits, docs, &rest));
    if (rest.n)
        DV_CHECK(read_stream(rest, line_at(bytes, bytes.n - rest.n), limits, SIZE_MAX, docs));
    *ret_docs = DV_TAKE(docs);
    return NULL;
}

dv_err *dv_yaml_read(dv_str bytes, const dv_yaml_limits *limits, json_t **ret_doc)
{
    json_auto_t *docs = json_array();
    dv_str rest = bytes;

    if (bytes.n > bytes_max(limits))
        return dv_err_new(DV_INVALID, "YAMLTooLarge", "more than %zu bytes", bytes_max(limits));
    DV_CHECK(read_json_values(bytes, limits, docs, &rest));
    if (json_array_size(docs) != 1 || rest.n) {
        json_array_clear(docs);
        DV_CHECK(read_stream(bytes, /* first_line= */ 1, limits, /* most= */ 1, docs));
    }
    *ret_doc = json_array_size(docs) ? json_incref(json_array_get(docs, 0)) : json_null();
    return NULL;
}
