/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A watch's bytes cut into lines, and a line decoded: documents, each on a line of its own, so
 * that one which can't be read spoils no other.
 *
 * Threads: owner.
 */
#pragma once

#include "json/json.h"

/* A line that is longer is stepped over and counted. */
#define DV_WATCH_LINE_MAX ((size_t)16 * 1024 * 1024)

typedef struct {
    char *p; /* bytes not read yet start at `at` */
    size_t at, n, cap;
    size_t searched; /* no line ends before this offset */
    bool stepping_over;
    uint64_t too_long;
} dv_frames;

void dv_frames_done(dv_frames *frames);
/* Appends bytes as they came. */
void dv_frames_feed(dv_frames *frames, dv_str bytes);
/* Takes the bytes of a buffer, without copying where nothing is left over. */
void dv_frames_feed_buf(dv_frames *frames, dv_buf *bytes);
/* The next whole line, without its end; borrowed until the next call. Blank ones are left out. */
bool dv_frames_next(dv_frames *frames, dv_str *ret_line);
/* What stands behind the last line end. */
dv_str dv_frames_rest(const dv_frames *frames);

typedef enum {
    DV_EVENT_ADDED,
    DV_EVENT_MODIFIED,
    DV_EVENT_DELETED,
    DV_EVENT_BOOKMARK,
    DV_EVENT_ERROR,
} dv_event_type;
/* {"type","object"}; *ret_object is owned, an object. INVALID "BadEvent". */
DV_MUST_USE dv_err *dv_event_decode(dv_str line, dv_event_type *ret_type, json_t **ret_object);
