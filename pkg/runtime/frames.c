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
    json_t *object;
    dv_str name;
    size_t type = 0;

    DV_TRY(dv_json_read(line, &event), "watch event");
    name = dv_json_view(event, "/type");
    object = json_object_get(event, "object");
    while (type < DV_LEN(names) && !dv_str_is(name, names[type]))
        type++;
    if (type == DV_LEN(names) || !json_is_object(object))
        return dv_err_new(DV_INVALID, "BadEvent", "watch event without a known type and an object");
    *ret_type = (dv_event_type)type;
    *ret_object = json_incref(object);
    return NULL;
}
