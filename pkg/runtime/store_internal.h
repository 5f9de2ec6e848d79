/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An informer's store: entries by key, with an index, and the rules that keep it true while a
 * list, a watch and writes of ours tell of the same objects in any order.
 *
 * Each record has the resourceVersion it was told with, and the store a position: all changes up
 * to it have been told. So a write of ours that comes late is recognised: newer than its record,
 * it is news; without a record, it is news only past the position, else the object has gone
 * meanwhile. A list marks what it holds; what is not marked at its end, and is not newer than the
 * list, has gone.
 *
 * Every difference is queued in the order it was made; whoever has the cache's thread takes them
 * out and tells them.
 *
 * Threads: any. Locks: the store's own, never held while calling out.
 */
#pragma once

#include "runtime/informer.h"
#include "runtime/rv_internal.h"

typedef struct dv_store dv_store;

/* Borrows options until freed; index, changed (only whether) and arg count. */
dv_store *dv_store_new(const dv_informer_options *options);
void dv_store_free(dv_store *store);

typedef enum { DV_FROM_LIST, DV_FROM_WATCH, DV_FROM_WRITE } dv_store_from;
/* The object is now so. Takes entry; NULL: it is to be left out. */
void dv_store_put(dv_store *store, dv_store_from from, const char *key, const dv_rv *rv,
                  dv_entry *entry);
/* The watch told that it has gone. */
void dv_store_remove(dv_store *store, const char *key, const dv_rv *rv);
/* All changes up to rv have been told. */
void dv_store_pass(dv_store *store, const dv_rv *rv);
/* As text, owned. */
char *dv_store_position(dv_store *store);
/* A list of that resourceVersion begins; one that has not ended is forgotten. */
void dv_store_list_begin(dv_store *store, const dv_rv *rv);
/* The list holds the object, but not in a form that could be read: keep what is known. */
void dv_store_list_keep(dv_store *store, const char *key);
void dv_store_list_end(dv_store *store);

typedef struct {
    char *key;
    dv_entry *old, *now; /* one holder each, or NULL */
} dv_change;
/* The oldest change not told yet; owned. False: none. */
bool dv_store_next_change(dv_store *store, dv_change *ret_change);
void dv_change_done(dv_change *change);

dv_entry *dv_store_get(dv_store *store, const char *key);
/* value NULL: all. */
dv_entries dv_store_list(dv_store *store, const char *value);
size_t dv_store_count(dv_store *store);
