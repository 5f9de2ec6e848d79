/* SPDX-License-Identifier: Apache-2.0 */
/* The consumer of events that looks for one value's line. */
#include "yaml/events.h"

/* A collection that is open, and how its part of the path begins. */
typedef struct {
    size_t path_n; /* length of the path to it */
    size_t index;  /* of a list: the next item */
    size_t line;   /* of an object: where the key stands */
    bool is_object;
    bool has_key; /* of an object: the path names the member whose value comes next */
} level;

typedef struct {
    const char *pointer;
    dv_buf path;
    DV_VEC(level) levels;
} search;

static void search_done(search *s)
{
    dv_buf_done(&s->path);
    dv_vec_done(&s->levels);
}

static level *top(const search *s)
{
    return s->levels.n ? &s->levels.at[s->levels.n - 1] : NULL;
}

/* Names the item that begins. */
static void name_item(search *s, level *l)
{
    dv_buf_cut(&s->path, l->path_n);
    dv_buf_addf(&s->path, "/%zu", l->index++);
}

static void name_member(search *s, level *l, const dv_yaml_event *event)
{
    DV_CLEANUP(dv_buf_done) dv_buf key = DV_BUF_INIT(DV_BODY_MAX);

    dv_buf_cut(&s->path, l->path_n);
    if (event->type == DV_YAML_SCALAR)
        dv_yaml_scalar_key(&event->scalar, &key);
    dv_json_token_add(&s->path, dv_buf_str(&key));
    l->has_key = true;
    l->line = event->line;
}

/* True when the node that begins here is the one; *ret_line: its line, or its key's. */
static bool begins(search *s, const dv_yaml_event *event, size_t *ret_line)
{
    level *l = top(s);
    size_t line = event->line;

    if (l && l->is_object) {
        if (!l->has_key) {
            name_member(s, l, event);
            return false;
        }
        l->has_key = false;
        line = l->line;
    } else if (l) {
        name_item(s, l);
    }
    *ret_line = line;
    return strcmp(dv_buf_cstr(&s->path), s->pointer) == 0;
}

static bool visit(search *s, const dv_yaml_event *event, size_t *ret_line)
{
    bool found = false;

    switch (event->type) {
    case DV_YAML_SEQ_START:
    case DV_YAML_MAP_START:
        found = begins(s, event, ret_line);
        *dv_vec_push(&s->levels) =
            (level){.path_n = s->path.n, .is_object = event->type == DV_YAML_MAP_START};
        break;
    case DV_YAML_SCALAR:
    case DV_YAML_ALIAS:
        found = begins(s, event, ret_line);
        break;
    case DV_YAML_SEQ_END:
    case DV_YAML_MAP_END:
        s->levels.n--;
        break;
    case DV_YAML_DOC_START:
    case DV_YAML_DOC_END:
    case DV_YAML_STREAM_END:
        break;
    }
    return found;
}

size_t dv_yaml_line_of(dv_str bytes, const char *pointer)
{
    dv_auto(dv_yaml_events) events = dv_yaml_events_new(bytes, /* limits= */ NULL);
    DV_CLEANUP(search_done) search s = {.pointer = pointer, .path = DV_BUF_INIT(DV_BODY_MAX)};
    const dv_yaml_event *event;
    size_t line = 0;

    for (;;) {
        dv_auto(dv_err) err = dv_yaml_events_next(events, &event);

        if (err || event->type == DV_YAML_DOC_END || event->type == DV_YAML_STREAM_END)
            return 0;
        if (visit(&s, event, &line))
            return line;
    }
}
