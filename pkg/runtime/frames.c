/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/frames_internal.h"

/* ---- Lines ---- */

static void forget(dv_frames *frames)
{
    free(frames->p);
    frames->p = NULL;
    frames->at = frames->n = frames->cap = frames->searched = 0;
}

void dv_frames_done(dv_frames *frames)
{
    forget(frames);
    frames->stepping_over = false;
}

/* Moves what is left to the front and makes room for n more. */
static void make_room(dv_frames *frames, size_t n)
{
    size_t left = frames->n - frames->at;

    if (frames->at && left)
        memmove(frames->p, frames->p + frames->at, left);
    frames->searched = frames->searched > frames->at ? frames->searched - frames->at : 0;
    frames->at = 0;
    frames->n = left;
    if (left + n > frames->cap) {
        frames->cap = left + n;
        frames->p = dv_realloc(frames->p, frames->cap);
    }
}

void dv_frames_feed(dv_frames *frames, dv_str bytes)
{
    if (!bytes.n)
        return;
    make_room(frames, bytes.n);
    memcpy(frames->p + frames->n, bytes.p, bytes.n);
    frames->n += bytes.n;
}

void dv_frames_feed_buf(dv_frames *frames, dv_buf *bytes)
{
    if (frames->at < frames->n) {
        dv_frames_feed(frames, dv_buf_str(bytes));
        dv_buf_done(bytes);
        return;
    }
    forget(frames);
    frames->n = frames->cap = bytes->n;
    frames->p = bytes->n ? dv_buf_take(bytes) : NULL;
    dv_buf_done(bytes);
}

/* No line ends in what is there. An idle watch keeps no memory. */
static void wait_for_more(dv_frames *frames)
{
    frames->searched = frames->n;
    if (frames->n - frames->at > DV_WATCH_LINE_MAX && !frames->stepping_over) {
        frames->stepping_over = true;
        frames->too_long++;
    }
    if (frames->stepping_over || frames->at == frames->n)
        forget(frames);
}

bool dv_frames_next(dv_frames *frames, dv_str *ret_line)
{
    while (frames->at < frames->n) {
        size_t from = DV_MAX(frames->searched, frames->at);
        const char *end = memchr(frames->p + from, '\n', frames->n - from);
        dv_str line;

        if (!end)
            break;
        line = (dv_str){frames->p + frames->at, (size_t)(end - frames->p) - frames->at};
        frames->at = frames->searched = (size_t)(end - frames->p) + 1;
        if (frames->stepping_over) {
            frames->stepping_over = false;
            continue;
        }
        line = dv_str_trim(line);
        if (line.n > DV_WATCH_LINE_MAX)
            frames->too_long++;
        else if (line.n) {
            *ret_line = line;
            return true;
        }
    }
    wait_for_more(frames);
    return false;
}

dv_str dv_frames_rest(const dv_frames *frames)
{
    return dv_str_trim((dv_str){frames->p ? frames->p + frames->at : NULL, frames->n - frames->at});
}

/* ---- Events ---- */

dv_err *dv_event_decode(dv_str line, dv_event_type *ret_type, json_t **ret_object)
{
    static const char *const names[] = {"ADDED", "MODIFIED", "DELETED", "BOOKMARK", "ERROR"};
    json_auto_t *event = NULL;
    const char *name;
    json_t *object;
    size_t type = 0;

    DV_TRY(dv_json_read(line, &event), "watch event");
    name = json_string_value(json_object_get(event, "type"));
    object = json_object_get(event, "object");
    while (name && type < DV_LEN(names) && strcmp(name, names[type]) != 0)
        type++;
    if (!name || type == DV_LEN(names) || !json_is_object(object))
        return dv_err_new(DV_INVALID, "BadEvent", "watch event without a known type and an object");
    *ret_type = (dv_event_type)type;
    *ret_object = json_incref(object);
    return NULL;
}

/* ---- Scanning: only as much of JSON's grammar as finds where values end ---- */

static dv_str skip_blanks(dv_str s)
{
    while (s.n && (*s.p == ' ' || *s.p == '\t' || *s.p == '\r' || *s.p == '\n'))
        s = dv_str_skip(s, 1);
    return s;
}

static bool accept(dv_str *s, char c)
{
    *s = skip_blanks(*s);
    if (!s->n || *s->p != c)
        return false;
    *s = dv_str_skip(*s, 1);
    return true;
}

/* Length of the string literal that s begins with; 0: it has no end. */
static size_t string_length(dv_str s)
{
    for (size_t i = 1; i < s.n; i++) {
        if (s.p[i] == '\\')
            i++;
        else if (s.p[i] == '"')
            return i + 1;
    }
    return 0;
}

/* Length of the object or array that s begins with; 0: it has no end. */
static size_t nest_length(dv_str s)
{
    size_t depth = 0;

    for (size_t i = 0; i < s.n; i++) {
        size_t skip;

        switch (s.p[i]) {
        case '"':
            skip = string_length(dv_str_skip(s, i));
            if (!skip)
                return 0;
            i += skip - 1;
            break;
        case '{':
        case '[':
            depth++;
            break;
        case '}':
        case ']':
            if (--depth == 0)
                return i + 1;
            break;
        default:
            break;
        }
    }
    return 0;
}

static size_t word_length(dv_str s)
{
    size_t n = 0;

    while (n < s.n && !strchr(" \t\r\n,:{}[]\"", s.p[n]))
        n++;
    return n;
}

/* Cuts the value that *s begins with. False: there is none, or it has no end. */
static bool take_value(dv_str *s, dv_str *ret_value)
{
    size_t n;

    *s = skip_blanks(*s);
    if (!s->n)
        return false;
    n = *s->p == '"'                    ? string_length(*s)
        : *s->p == '{' || *s->p == '[' ? nest_length(*s)
                                        : word_length(*s);
    if (!n)
        return false;
    *ret_value = dv_str_head(*s, n);
    *s = dv_str_skip(*s, n);
    return true;
}

/* The next member of an object whose brace (or last comma) *s stands behind. */
static bool take_member(dv_str *s, dv_str *ret_key, dv_str *ret_value)
{
    *s = skip_blanks(*s);
    if (!s->n || *s->p != '"' || !take_value(s, ret_key))
        return false;
    if (!accept(s, ':') || !take_value(s, ret_value))
        return false;
    *ret_key = (dv_str){ret_key->p + 1, ret_key->n - 2};
    return true;
}

dv_str dv_json_scan_member(dv_str object, const char *key)
{
    dv_str name, value;

    if (!accept(&object, '{'))
        return (dv_str){0};
    while (take_member(&object, &name, &value)) {
        if (dv_str_is(name, key))
            return value;
        if (!accept(&object, ','))
            break;
    }
    return (dv_str){0};
}

/* ---- Pages ---- */

static char *dup_text(const json_t *object, const char *key)
{
    dv_str text = dv_json_view(object, key);

    return text.n ? dv_str_dup(text) : NULL;
}

/* The members of the list itself; false: it does not end as one. */
static bool read_members(dv_str body, dv_str *ret_metadata, dv_str *ret_items)
{
    dv_str name, value;

    if (!accept(&body, '{'))
        return false;
    do {
        if (!take_member(&body, &name, &value))
            return false;
        if (dv_str_is(name, "metadata"))
            *ret_metadata = value;
        else if (dv_str_is(name, "items"))
            *ret_items = value;
    } while (accept(&body, ','));
    return accept(&body, '}') && !skip_blanks(body).n;
}

dv_err *dv_page_open(dv_str body, dv_page *ret_page)
{
    dv_str metadata_text = {0}, items = {0};
    json_auto_t *metadata = NULL;

    if (!read_members(body, &metadata_text, &items) || !metadata_text.n)
        return dv_err_new(DV_INVALID, "BadList", "the answer is no list");
    DV_TRY(dv_json_read(metadata_text, &metadata), "metadata of the list");
    if (!accept(&items, '['))
        items = (dv_str){0}; /* null: an empty list, as Go writes it */
    *ret_page = (dv_page){.rest = items,
                          .resource_version = dup_text(metadata, "/resourceVersion"),
                          .continue_token = dup_text(metadata, "/continue")};
    return NULL;
}

void dv_page_done(dv_page *page)
{
    free(page->resource_version);
    free(page->continue_token);
    *page = (dv_page){0};
}

bool dv_page_next(dv_page *page, dv_str *ret_item)
{
    if (!take_value(&page->rest, ret_item))
        return false;
    accept(&page->rest, ',');
    return true;
}
