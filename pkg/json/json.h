/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON documents: reading, writing and looking things up. The door to jansson.
 *
 * Foreign objects stay documents and are read by pointer, so unknown fields survive. A json_t
 * belongs to one thread and outlives no reconcile; what threads share is a dv_doc (doc.h).
 *
 * Locals are json_auto_t *. Borrowed values are added with json_object_set() and
 * json_array_append(); the _new forms take fresh ones. json_dump*() is banned: see
 * dv_json_write(). Keys may hold a NUL, so lengths come along (json_object_iter_key_len(), the
 * …n() forms) wherever foreign objects are walked, copied or compared.
 *
 * Threads: any, on documents of their own. main() calls dv_json_setup() before any thread.
 */
#pragma once

#include <jansson.h>

#include "base/buf.h"
#include "base/vec.h"

#pragma GCC poison json_dumps json_dumpb json_dumpf json_dumpfd json_dump_file json_dump_callback

/* Depth of nesting that is read or written. */
#define DV_JSON_DEPTH_MAX 512

void dv_json_setup(void);

/*
 * Reads one document: duplicate keys, trailing bytes and more than DV_JSON_DEPTH_MAX levels are
 * refused; NUL in strings is fine and integers past 64 bits become reals, as client-go reads
 * them. *ret_doc is owned. INVALID "BadJSON": with the line, never with the content.
 */
DV_MUST_USE dv_err *dv_json_read(dv_str bytes, json_t **ret_doc);

/* The same for the first document of a stream: *ret_used is the offset of what follows it. */
DV_MUST_USE dv_err *dv_json_read_first(dv_str bytes, json_t **ret_doc, size_t *ret_used);

/*
 * Appends doc, compact, in insertion order: reals as the shortest text that reads back equal
 * (1.0 stays "1.0"), strings in UTF-8 with only what RFC 8259 demands escaped.
 * A document of more than DV_JSON_DEPTH_MAX levels, like one that does not fit, adds nothing and
 * marks the buffer.
 */
void dv_json_write(const json_t *doc, dv_buf *out);
/* The same with object keys in byte order: equal documents, equal bytes. */
void dv_json_write_sorted(const json_t *doc, dv_buf *out);
/* Indented by two spaces, for people. */
void dv_json_write_pretty(const json_t *doc, dv_buf *out);

/* Writes a finite real so that it reads back equal, and as a real; the length. */
#define DV_JSON_REAL_BYTES 40
size_t dv_json_real_text(double value, char ret_text[DV_JSON_REAL_BYTES]);

/* ---- Looking up, by RFC 6901 pointer ("/metadata/name"); all borrow and take NULL documents ----
 */

/* NULL: no such place. */
json_t *dv_json_at(const json_t *doc, const char *pointer);
/* Absent, or of another type: NULL / the empty view / fallback. */
const char *dv_json_str(const json_t *doc, const char *pointer);
dv_str dv_json_view(const json_t *doc, const char *pointer);
int64_t dv_json_int(const json_t *doc, const char *pointer, int64_t fallback);
bool dv_json_bool(const json_t *doc, const char *pointer, bool fallback);
dv_opt_i64 dv_json_opt_int(const json_t *doc, const char *pointer);
json_t *dv_json_object(const json_t *doc, const char *pointer); /* NULL unless an object */
json_t *dv_json_array(const json_t *doc, const char *pointer);  /* NULL unless an array */

/*
 * Cuts the first token off a pointer and puts it, unescaped, into token (emptied first). False at
 * the end, and for what is no pointer: *pointer is empty only in the first case.
 */
bool dv_json_token_next(dv_str *pointer, dv_buf *token);
/* Appends "/" and the token, escaped. */
void dv_json_token_add(dv_buf *pointer, dv_str token);

/* ---- Changing ---- */

/*
 * Sets pointer to value (taken), making the objects on the way; "-" appends to an array, a null
 * on the way becomes an object. INVALID: something there has no members, or not this index.
 */
DV_MUST_USE dv_err *dv_json_set(json_t *doc, const char *pointer, json_t *value);
/* Removes what is at pointer; nothing there is fine. */
void dv_json_remove(json_t *doc, const char *pointer);
/* Sets an object's member to a string, or removes it when text is NULL. */
void dv_json_put_str(json_t *object, const char *key, const char *text);
/*
 * RFC 7396. Takes target, changes it in place where it can, and returns the result, owned;
 * patch is borrowed and copied from: doc = dv_json_merge_patch(doc, patch).
 */
json_t *dv_json_merge_patch(json_t *target, const json_t *patch);
/* A string from bytes that may hold NUL; owned. Invalid UTF-8 becomes U+FFFD. */
json_t *dv_json_string(dv_str s);
/* Owned, sharing nothing; NULL gives NULL. For json_deep_copy(), which loses keys that hold a NUL.
 */
json_t *dv_json_copy(const json_t *value);
/* Same structure, types and values, whatever the order of members. For json_equal(), likewise. */
bool dv_json_equal(const json_t *a, const json_t *b);
/* "object", "array", "string", "integer", "real", "boolean", "null". */
const char *dv_json_type_name(const json_t *value);
