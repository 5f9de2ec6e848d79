/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A frozen document that threads share: bytes of JSON, or a decoded struct, with an atomic count
 * of holders.
 *
 * A json_t can't be shared (its counts are atomic, its accesses are not race-free), so stores
 * keep a dv_doc and each reader parses what it needs. Nobody changes what is inside; whoever has
 * a reference may read it without a lock. The last holder frees it.
 *
 * Threads: any.
 */
#pragma once

#include "json/json.h"

typedef struct dv_doc dv_doc;

/* What one document may hold, written out. */
#define DV_DOC_BYTES_MAX (8 * DV_BODY_MAX)

/* Owned; one holder. A value past the limits of bytes or depth makes a doc without bytes. */
dv_doc *dv_doc_new(const json_t *value);
dv_doc *dv_doc_new_bytes(dv_str json); /* copies */
/* Takes value, which free_value() must be able to free on any thread; the doc has no bytes. */
dv_doc *dv_doc_new_struct(void *value, void (*free_value)(void *value));
dv_doc *dv_doc_ref(dv_doc *doc); /* returns doc; NULL gives NULL */
void dv_doc_unref(dv_doc *doc);
dv_str dv_doc_bytes(const dv_doc *doc);
/* Borrowed from doc; NULL in one made of bytes. */
const void *dv_doc_struct(const dv_doc *doc);
/* A fresh, owned json_t. BUG: the bytes are no JSON. */
DV_MUST_USE dv_err *dv_doc_parse(const dv_doc *doc, json_t **ret_value);

static inline void dv_doc_unrefp(dv_doc **at)
{
    dv_doc_unref(*at);
}
#define dv_auto_doc DV_CLEANUP(dv_doc_unrefp) dv_doc *
