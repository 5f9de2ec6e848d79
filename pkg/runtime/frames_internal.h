/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two shapes in which objects come over the wire, taken apart without reading the whole: a
 * watch's lines, and a list's page with its items. One document that can't be read then spoils
 * no other, and no page is ever in memory as a tree.
 *
 * Threads: owner.
 */
#pragma once

#include "json/json.h"

/* ---- A watch: documents, each on a line of its own ---- */

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

/* ---- A page of a list ---- */

typedef struct {
    dv_str rest;               /* items not read yet */
    char *resource_version;    /* owned */
    char *continue_token;      /* owned; NULL: the last page */
} dv_page;

/* Borrows body until dv_page_done(). INVALID "BadList": no list. */
DV_MUST_USE dv_err *dv_page_open(dv_str body, dv_page *ret_page);
void dv_page_done(dv_page *page);
/* The text of the next item; false at the end. */
bool dv_page_next(dv_page *page, dv_str *ret_item);
/* The text of an object's member, found without reading the rest; empty: none. */
dv_str dv_json_scan_member(dv_str object, const char *key);
